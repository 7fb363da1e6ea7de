# The eight APIs of conf/providers, played by one process.
#
#     perl fake.pl PORT_FILE          listens on 127.0.0.1, writes its port
#
#     /NAME/...          the API of that description (apis.pl, auth.pl)
#     /acs3/ /rpc/       two more, which only check signatures
#     /files/N.png       results
#     POST /__fake       {"provider","step","play","times",...}: what the next
#                        answers are; see %PLAY.  {"reset":true} forgets all
#     POST /__fake       {"webhook":"ID","how":"good|twice|forged|old"}: always
#                        the same call; "other": another one, "many": twenty
#     POST /__fake       {"clock":SECONDS}: its clock is so far ahead
#     POST /__fake       {"finish":"ID"}: it is done with the next poll
#     POST /__fake       {"calm":true}: nothing is played any more
#     POST /__fake       {"release":true}: what is held is answered
#     GET /__fake/log    the requests so far;  GET /__fake/jobs  what was begun
#
# A job is queued at its first poll, runs at the second and is done at the
# third ("polls" of a play changes that).  Keys and signatures are checked here
# by themselves, not with PODI's code: key "test-key", access key "test-ak",
# secret "test-sk", clocks at most 15 minutes apart.

use strict;
use warnings;
use Compress::Zlib ();
use Digest::SHA qw( sha256_hex hmac_sha256 );
use File::Temp ();
use FindBin qw( $Bin );
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use POSIX qw( strftime );
use MIME::Base64 qw( encode_base64 decode_base64 );
use Socket qw( SOL_SOCKET SO_LINGER );

my $HOOK = 'whsec_' . encode_base64('a secret of the fake provider', '');
my $BODY_MAX = 64 * 1024 * 1024;

my $json = JSON::PP->new->canonical->utf8;
our ($port, %API, $CLOCK);
my ($select, %conn, @log, %job, @play, %ed, $n_job, @held, $n_call);

require "$Bin/auth.pl";
require "$Bin/apis.pl";


# one answer: status, body or data, headers

sub answer
{
    my ($status, $data, %header) = @_;
    my $body = ref $data ? $json->encode($data) : $data // '';

    $header{'Content-Type'} //= ref $data ? 'application/json'
                              : $body =~ /^</ ? 'text/html'
                              : $body =~ /^\x89PNG/ ? 'image/png'
                              : 'application/octet-stream';
    return { status => $status, header => \%header, body => $body };
}


sub url { return "http://127.0.0.1:$port" . join '', @_ }


sub png
{
    my ($w, $h, $seed) = @_;
    my $chunk = sub {
        return pack('N', length $_[1]) . $_[0] . $_[1]
            . pack('N', Compress::Zlib::crc32($_[0] . $_[1]));
    };
    my $rows = join '', map { "\0" . chr(($seed * 37 + $_) % 256) x ($w * 3) }
        1 .. $h;

    return "\x89PNG\r\n\x1a\n"
        . $chunk->('IHDR', pack('NNC5', $w, $h, 8, 2, 0, 0, 0))
        . $chunk->('IDAT', Compress::Zlib::compress($rows))
        . $chunk->('IEND', '');
}


sub file { return url("/files/$_[0]{n}-$_[1].png") }


# what can be played instead; a code takes the job and the request, and gives
# an answer, or undef: the usual one

my %PLAY = (
    unauthorized => sub { answer(401, { detail => 'who are you',
        code => 'InvalidApiKey', error => { code => 'invalid_api_key' } }) },
    no_money => sub { answer(402, { title => 'Insufficient credit',
        detail => 'Insufficient credit', code => 'Arrearage',
        error => { code => 'insufficient_quota' } }) },
    throttled => sub { answer(429, { detail => 'slow down' },
                              'Retry-After' => $_[2]{after} // 1) },
    error500 => sub { answer(500, { detail => 'oops' }) },
    error503 => sub { answer(503, '<html>unavailable</html>') },
    error504 => sub { answer(504, '<html>gateway</html>') },
    invalid => sub { answer(422, { detail => 'wrong field' }) },
    not_found => sub { answer(404, { detail => 'no such job' }) },
    html => sub { answer(200, '<html>welcome</html>') },
    empty => sub { answer(200, '') },
    redirect => sub { answer(302, '',
        Location => 'http://169.254.169.254/latest/meta-data/') },
    huge => sub { answer(200, 'x' x ($_[2]{bytes} // 256 * 1024 * 1024)) },
    raw => sub { answer($_[2]{status}, $_[2]{body}, %{ $_[2]{header} // {} })
    },
    truncated => sub { +{ %{ $_[3]->() }, cut => 1 } }, # half of the usual
    reset_before => sub { +{ reset => 1 } },        # nothing was begun
    reset_after => sub { $_[3]->(); return +{ reset => 1 } },
    hang => sub { +{ hang => 1 } },                 # no answer at all
    held => sub { +{ %{ $_[3]->() }, held => 1 } }, # ... before a release
    hasty => sub { my $a = $_[3]->(); webhook($_[0], 'good'); return $a },
    quoted => sub {                                 # it tells its price
        $_[0]{state} = 'running';
        my $a = $_[3]->();
        $a->{body} =~ s/\}$/,"quote":3}/;
        return $a;
    },
    elsewhere => sub {                              # results of other hosts
        my $a = $_[3]->();
        $a->{body} =~ s{http://127\.0\.0\.1:\d+/files/}
                       {http://169.254.169.254/files/}g;
        return $a;
    },
    map({ my $s = $_; $s => sub { $_[0]{state} = $s; return undef } }
        qw( failed canceled content partial lost done )),
    never => sub { $_[0]{state} = 'running'; return undef },
    polls => sub { $_[0]{polls} = $_[2]{polls}; return undef },
);


# one request of an API

sub api
{
    my ($name, $r) = @_;
    my $api = $API{$name};
    my ($step, $id) = $api->{route}->($r);

    @{ $log[-1] }{qw( provider step )} = ($name, $step);
    return answer(404, { detail => 'no such route' }) if !defined $step;

    my $why = $api->{auth}->($r);
    $log[-1]{auth} = $why || 'ok';
    my $code = $why eq 'the clock' ? 'InvalidTimeStamp' : 'InvalidApiKey';
    return answer(401, { detail => $why, code => $code,
        ResponseMetadata => { Error => { Code => 'SignatureDoesNotMatch',
                                         Message => $why } } },
        Date => strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime time + $CLOCK))
        if $why;

    my $known = $step =~ /^(?:submit|now)$/ ? {} : $job{$id // ''};
    my $usual = sub { return usual($name, $step, $known, $r) };
    my $play = played($name, $step eq 'now' ? 'submit' : $step);

    if ($play) {
        my $a = $PLAY{ $play->{play} }->($known // {}, $r, $play, $usual);
        return $a if $a;
    }

    return $usual->();
}


sub played
{
    my ($name, $step) = @_;

    for my $i (0 .. $#play) {
        my $p = $play[$i];

        next if ($p->{provider} // '*') !~ /^(?:\*|\Q$name\E)$/
            || ($p->{step} // 'submit') ne $step;
        splice @play, $i, 1 if $p->{times} && !--$p->{times};
        return $p;
    }

    return undef;
}


sub usual
{
    my ($name, $step, $job, $r) = @_;
    my $api = $API{$name};

    return answer(404, { detail => 'no such job', code => 10000,
                         data => { status => 'not_found' } }) if !$job;

    if ($step =~ /^(?:submit|now)$/) {
        $n_job++;
        %$job = (state => 'done', polls => 2, %$job, id => "job-$n_job",
                 n => $n_job, provider => $name, seen => 0, json => $r->{json},
                 count => count($r));
        @{$job}{qw( hook hook_kind )} = $api->{hook}->($r) if $api->{hook};
        $job{ $job->{id} } = $job;

        return $step eq 'now' ? $api->{now}->($job, $job->{state}, $r)
                              : $api->{begun}->($job, 'queued');
    }

    if ($step eq 'cancel') {
        return answer(400, { detail => 'it has ended' }) if $job->{ended};
        $job->{state} = 'canceled';
        $job->{polls} = 0;
        return answer(200, { canceled => JSON::PP::true });
    }

    return $api->{result}->($job, $job->{state}) if $step eq 'result';

    my $state = $job->{seen}++ < $job->{polls}
        ? ($job->{seen} == 1 ? 'queued' : 'running') : $job->{state};
    $log[-1]{ended} = $job->{ended} = 1 if $state !~ /queued|running/;
    return $api->{state}->($job, $state);
}


sub count
{
    my ($r) = @_;
    my $j = $r->{json};
    my ($n) = grep { defined } $j->{n}, $j->{num_images},
        map { ref eq 'HASH' ? ($_->{num_outputs}, $_->{n}) : () }
            $j->{input}, $j->{parameters};

    return $n && $n =~ /^[1-9]$/ ? $n : 1;
}


# control

sub control
{
    my ($r) = @_;
    my $c = $r->{json};

    return answer(200, \@log) if $r->{path} eq '/__fake/log';
    return answer(200, [ map { +{ %$_, json => undef } }
                         sort { $a->{n} <=> $b->{n} } values %job ])
        if $r->{path} eq '/__fake/jobs';

    if ($c->{reset}) {
        (@log, %job, @play) = ();
        return answer(200, {});
    }

    if ($c->{calm}) {
        @play = ();
        return answer(200, {});
    }

    if ($c->{release}) {
        put(@$_) for grep { !$_->[0]{gone} } splice @held;
        return answer(200, {});
    }

    if (defined $c->{webhook}) {
        my $job = $job{ $c->{webhook} } or return answer(404, {});
        return answer(200, { status => webhook($job, $c->{how} // 'good') });
    }

    if (defined $c->{clock}) {
        $CLOCK = $c->{clock};
        return answer(200, {});
    }

    if (defined $c->{finish}) {
        my $job = $job{ $c->{finish} } or return answer(404, {});
        @{$job}{qw( state polls )} = ('done', 0);
        return answer(200, {});
    }

    return answer(400, { detail => 'no such play' }) if !$PLAY{ $c->{play} // '' };
    push @play, { times => 1, %$c };
    return answer(200, {});
}


# calls the one who began the job; the statuses of what it answered

sub webhook
{
    my ($job, $how) = @_;
    my ($host, $path) = ($job->{hook} // '') =~ m{^http://([^/]+)(/.*)$}
        or return [];
    my $api = $API{ $job->{provider} };
    my $body = $job->{hook_kind} eq 'fal'
        ? $json->encode({ request_id => $job->{id}, status => 'OK',
                          gateway_request_id => $job->{id}, payload => {} })
        : $api->{state}->($job, $job->{state})->{body};
    my $at = time - ($how eq 'old' ? 3600 : 0);
    my $id = "msg_$job->{n}";
    my %header = sign_hook($job, $id, $body, $at);
    my @status;

    $body =~ s/\}$/,"x":1}/ if $how eq 'forged';
    for (1 .. ($how eq 'twice' ? 2 : $how eq 'many' ? 20 : 1)) {
        %header = sign_hook($job, $id . '_' . ++$n_call, $body, $at)
            if $how =~ /^(?:other|many)$/;
        my $s = IO::Socket::INET->new(PeerAddr => $host, Timeout => 5) or next;

        print $s "POST $path HTTP/1.1\r\nHost: $host\r\nConnection: close\r\n",
            "Content-Type: application/json\r\nContent-Length: ",
            length $body, "\r\n", map({ "$_: $header{$_}\r\n" } sort keys %header),
            "\r\n", $body;
        my $line = <$s> // '';
        push @status, $line =~ m{^HTTP/1\.1 (\d+)} ? $1 + 0 : 0;
    }

    return \@status;
}


sub sign_hook
{
    my ($job, $id, $body, $at) = @_;

    if ($job->{hook_kind} eq 'standard') {
        my $key = decode_base64($HOOK =~ s/^whsec_//r);
        return ('webhook-id' => $id, 'webhook-timestamp' => $at,
                'webhook-signature' => 'v1,' . encode_base64(
                    hmac_sha256("$id.$at.$body", $key), ''));
    }

    if ($job->{hook_kind} eq 'fal') {
        return ('X-Fal-Webhook-Request-Id' => $job->{id},
                'X-Fal-Webhook-User-Id' => 'user-1',
                'X-Fal-Webhook-Timestamp' => $at,
                'X-Fal-Webhook-Signature' => unpack('H*', ed_sign(
                    join "\n", $job->{id}, 'user-1', $at, sha256_hex($body))));
    }

    return ();
}


# Ed25519 by openssl: perl has none
sub ed_key
{
    return if %ed;

    $ed{dir} = File::Temp->newdir;
    $ed{key} = "$ed{dir}/key.pem";
    qx(openssl genpkey -algorithm ed25519 -out '$ed{key}' 2>/dev/null);
    $ed{x} = encode_base64(substr(
        qx(openssl pkey -in '$ed{key}' -pubout -outform DER), -32), '');
    $ed{x} =~ tr{+/=}{-_}d;
}


sub ed_sign
{
    my ($text) = @_;

    ed_key();
    open my $out, '>:raw', "$ed{dir}/text" or die "text: $!";
    print $out $text;
    close $out;
    return qx(openssl pkeyutl -sign -rawin -inkey '$ed{key}' -in '$ed{dir}/text');
}


sub files
{
    my ($r) = @_;

    $log[-1]{step} = 'download';
    my ($n) = $r->{path} =~ m{^/files/(\d+)-\d+\.png$}
        or return answer(404, '<html>no such file</html>');
    my $usual = sub { return answer(200, png(64, 64, $n)) };
    my $play = played('files', 'download');

    return $play ? $PLAY{ $play->{play} }->({}, $r, $play, $usual)
                 : $usual->();
}


# HTTP

sub take
{
    my ($c) = @_;
    my $end = index $c->{in}, "\r\n\r\n";

    return if $end < 0;
    my ($first, @lines) = split /\r\n/, substr($c->{in}, 0, $end);
    my ($method, $target) = $first =~ m{^(\S+) (\S+) HTTP/1\.[01]$};

    if (!defined $target) {
        @{$c}{qw( in close )} = ('', 1);
        return {};
    }

    my %header = map { /^([^:]+):\s*(.*?)\s*$/ ? (lc $1 => $2) : () } @lines;
    my $rest = substr $c->{in}, $end + 4;
    my $body;

    if (lc($header{'transfer-encoding'} // '') eq 'chunked') {
        $body = '';
        while ($rest =~ s/^([0-9a-fA-F]+)\r\n//) {
            my $n = hex $1;
            return if length $rest < $n + 2;
            $body .= substr $rest, 0, $n;
            $rest = substr $rest, $n + 2;
            last if !$n;
        }
        return if $rest eq '' && $c->{in} !~ /\r\n0\r\n\r\n\z/;

    } else {
        my $n = $header{'content-length'} // 0;

        if (length $rest < $n) {
            $c->{out} .= "HTTP/1.1 100 Continue\r\n\r\n"
                if ($header{expect} // '') eq '100-continue'
                   && !$c->{continued}++;
            return;
        }
        $body = substr $rest, 0, $n;
        $rest = substr $rest, $n;
    }

    $c->{in} = $rest;
    $c->{continued} = 0;
    my ($path, $query) = split /\?/, $target, 2;
    my %query = map { my ($k, $v) = map { s/\+/ /gr =~ s/%(..)/chr hex $1/ger }
                      split /=/, $_, 2; ($k => $v // '') }
        split /&/, $query // '';

    return { method => $method, path => $path, whole_path => $path,
             query => \%query, header => \%header, body => $body,
             json => eval { my $j = $json->decode($body);
                            ref $j eq 'HASH' ? $j : {} } // {} };
}


sub parts
{
    my ($r) = @_;
    my ($boundary) = ($r->{header}{'content-type'} // '')
        =~ m{^multipart/form-data;.*boundary="?([^";]+)} or return undef;

    return [ map {
        my ($head, $body) = split /\r\n\r\n/, $_, 2;
        my ($name) = $head =~ /\bname="([^"]*)"/;
        my ($file) = $head =~ /\bfilename="([^"]*)"/;

        $body =~ s/\r\n\z// if defined $body;
        { name => $name, filename => $file, bytes => length $body // 0,
          $file ? () : (value => $body) }
    } grep { /^\r\nContent-Disposition/i } split /--\Q$boundary\E/, $r->{body} ];
}


sub serve
{
    my ($r) = @_;

    return answer(400, {}) if !$r->{method};
    return control($r) if $r->{path} =~ m{^/__fake};

    push @log, { method => $r->{method}, path => $r->{path},
                 query => $r->{query}, header => $r->{header},
                 bytes => length $r->{body}, parts => parts($r),
                 length $r->{body} < 65536 && !parts($r)
                     ? (body => $r->{body}) : () };

    return files($r) if $r->{path} =~ m{^/files/};
    if ($r->{path} eq '/fal/.well-known/jwks.json') {
        ed_key();
        return answer(200, { keys => [ { kty => 'OKP', crv => 'Ed25519',
                                         x => $ed{x} } ] });
    }

    my ($name) = $r->{path} =~ s{^/(\w+)(?=/|$)}{} ? $1 : '';
    $r->{path} = '/' if $r->{path} eq '';
    return $API{$name} ? api($name, $r) : answer(404, {});
}


sub put
{
    my ($c, $a) = @_;
    my %h = ('Content-Length' => length($a->{body} // ''), %{ $a->{header} // {} });

    return if $a->{hang};
    return push @held, [$c, $a] if delete $a->{held};

    if ($a->{reset}) {
        setsockopt $c->{socket}, SOL_SOCKET, SO_LINGER, pack 'll', 1, 0;
        return drop($c);
    }

    $c->{out} .= "HTTP/1.1 $a->{status} X\r\n"
        . join('', map { "$_: $h{$_}\r\n" } sort keys %h) . "\r\n"
        . ($a->{cut} ? substr($a->{body}, 0, length($a->{body}) / 2)
                     : $a->{body});
    $c->{close} = 1 if $a->{cut};
}


sub drop
{
    my ($c) = @_;

    $select->[0]->remove($c->{socket});
    delete $conn{ fileno $c->{socket} };
    close $c->{socket};
    $c->{gone} = 1;
}


sub readable
{
    my ($c) = @_;
    my $n = sysread $c->{socket}, $c->{in}, 65536, length $c->{in};

    return drop($c) if !$n || length $c->{in} > $BODY_MAX;
    while (!$c->{gone} && (my $r = take($c))) {
        put($c, serve($r));
    }
}


sub writable
{
    my ($c) = @_;
    my $n = syswrite $c->{socket}, $c->{out}, 262144, $c->{at};

    return drop($c) if !defined $n;
    $c->{at} += $n;
    return if $c->{at} < length $c->{out};
    @{$c}{qw( out at )} = ('', 0);
    drop($c) if $c->{close};
}


sub run
{
    my ($file) = @_;
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64,
                                       ReuseAddr => 1) or die "listen: $!";

    $port = $listen->sockport;
    open my $out, '>', "$file.new" or die "$file: $!";
    print $out "$port\n";
    close $out;
    rename "$file.new", $file or die "$file: $!";

    $SIG{PIPE} = 'IGNORE';
    $select = [ IO::Select->new($listen) ];

    while (1) {
        my $write = IO::Select->new(map { $_->{socket} }
                                    grep { $_->{out} ne '' } values %conn);
        my ($r, $w) = IO::Select->select($select->[0], $write);

        for my $s (@{ $w // [] }) {
            my $c = $conn{ fileno $s };
            writable($c) if $c;
        }

        for my $s (@{ $r // [] }) {
            if ($s == $listen) {
                my $new = $listen->accept or next;

                $new->blocking(0);
                $select->[0]->add($new);
                $conn{ fileno $new } = { socket => $new, in => '', out => '',
                                        at => 0 };
                next;
            }
            my $c = defined fileno $s && $conn{ fileno $s };
            readable($c) if $c;
        }
    }
}


die "usage: perl fake.pl PORT_FILE\n" if @ARGV != 1;
run($ARGV[0]);
