# A description, its requests and answers against the fake provider: each API
# from its begin to its results, and each failure to its class.  The fake
# checks keys and signatures by itself.

use strict;
use warnings;
use lib 't/lib';
use File::Temp ();
use HTTP::Tiny;
use IO::Socket::INET;
use IPC::Open2 qw( open2 );
use JSON::PP ();
use POSIX ();
use MIME::Base64 qw( encode_base64 decode_base64 );
use Test::More;
use Podi::Provider;
use Podi::Repo qw( files root slurp );

my $build = $ENV{PODI_BUILD} // root() . '/var/build';
my $askc = "$build/test/askc";
my $ctl = "$build/bin/podictl";

plan skip_all => "$askc is not built" if !-x $askc;

my $json = JSON::PP->new->canonical->utf8;
my $dir = File::Temp->newdir;
my $fake = Podi::Provider->new;
my @names = qw( replicate fal dashscope volc_visual volc_ark stability
                openai_images openai_chat );

$fake->write($dir, @names);


sub askc
{
    my ($name, $op, $step, $in) = @_;
    my $pid = open2(my $from, my $to, $askc, "$dir/$name.json", $op, $step);

    print $to $json->encode($in);
    close $to;
    my $text = do { local $/; <$from> };
    waitpid $pid, 0;
    return $? ? $text : $json->decode($text);
}


# one step: the request is made, sent, and its answer is read
sub step
{
    my ($name, $op, $step, %in) = @_;
    my $r = askc($name, $op, $step, { now => time, nonce => "n$$", %in });

    return { class => "no request: $r" } if !ref $r;

    my %header = map { @$_ } @{ $r->{headers} };
    my $body = $r->{body};
    utf8::encode($body);

    if ($r->{parts}) {
        $header{'Content-Type'} = 'multipart/form-data; boundary=xyz';
        $body = join('', map {
            "--xyz\r\nContent-Disposition: form-data; name=\"$_->[0]\""
            . ($_->[2] >= 0 ? "; filename=\"a.png\"" : '')
            . "\r\n\r\n" . ($_->[2] >= 0 ? 'PICTURE' : $_->[1]) . "\r\n"
        } @{ $r->{parts} }) . "--xyz--\r\n";
    }

    my $got = HTTP::Tiny->new(timeout => $in{timeout} // 20, max_redirect => 0)
        ->request($r->{method}, $r->{url},
                  { headers => \%header,
                    length $body ? (content => $body) : () });
    my $none = $got->{status} == 599;

    return { %{ askc($name, $op, $step, { reply => {
        status => $none ? 0 : $got->{status} + 0,
        sent => $none ? JSON::PP::true : JSON::PP::false,
        headers => [ map { [ $_, "$got->{headers}{$_}" ] }
                     keys %{ $got->{headers} } ],
        body => $none ? '' : encode_base64($got->{content}, '') } }) },
        raw => $got->{content} };
}


# from the begin to the end; gives the last answer
sub job
{
    my ($name, $op, %in) = @_;
    my $a = step($name, $op, 'submit', %in);
    my %remote = map { $_ => $a->{$_} } qw( id poll_url cancel_url result_url );

    for (1 .. 5) {
        last if $a->{class} ne 'ok' || $a->{state} !~ /queued|running/;
        $a = step($name, $op, 'poll', %in, remote => \%remote);
    }

    return $a if $a->{class} ne 'ok' || $a->{state} ne 'done'
              || @{ $a->{items} } || $name ne 'fal';
    return step($name, $op, 'result', %in, remote => \%remote);
}


sub is_class
{
    my ($a, $want, $what) = @_;
    my $got = join ' ', @{$a}{qw( class state )};

    is $got, $want, $what or diag explain $a;
}


is system("$ctl provider check $dir/*.json > $dir/out 2>&1"), 0,
    'the descriptions of the fake are good' or diag slurp("$dir/out");

my @inputs = (inputs => [ { url => 'https://i/0', type => 'image/png' } ]);
my $text = { prompt => 'a "fox"' };
my %CASE = (
    replicate => [ 'text_to_image', { %$text, model => 'a/b' } ],
    fal => [ 'text_to_image', { %$text, model => 'a/b' } ],
    dashscope => [ 'text_to_image', { %$text, count => 2 } ],
    volc_visual => [ 'text_to_image', $text ],
    volc_ark => [ 'text_to_video', { %$text, model => 'm' } ],
    stability => [ 'upscale_creative', $text ],
    openai_images => [ 'text_to_image', { %$text, count => 2 } ],
    openai_chat => [ 'chat', { model => 'm', messages => [ { role => 'user',
                               content => 'x' } ] } ],
);

for my $name (@names) {
    my ($op, $params) = @{ $CASE{$name} };
    my @in = ($name, $op, params => $params, @inputs,
              $name eq 'volc_visual' ? (pair => 1) : ());
    my $a = job(@in);

    is_class $a, 'ok done', "$name: $op";
    my ($first) = @{ $a->{items} // [] };

    if ($first && $first =~ /^http/) {
        my $r = HTTP::Tiny->new->get($first);
        like $r->{content}, qr/^\x89PNG/, "$name: its result is a picture";
    } elsif ($name ne 'openai_chat') {
        like decode_base64($first // ''), qr/^\x89PNG/,
            "$name: its result is a picture";
    }

    for my $play ([ unauthorized => qr/^(?:auth) -/ ],
                  [ no_money => qr/^quota -/ ],
                  [ throttled => qr/^throttled -/ ],
                  [ error500 => qr/^retryable -/ ],
                  [ error503 => qr/^retryable -/ ],
                  [ html => qr/^(?:unknown|invalid) -/ ],
                  [ truncated => qr/^(?:unknown|retryable) -/ ],
                  [ reset_before => qr/^(?:unknown) -/ ],
                  [ reset_after => qr/^(?:unknown) -/ ])
    {
        $fake->play(provider => $name, step => 'submit', play => $play->[0]);
        my $a = step(@in[0, 1], 'submit', @in[2 .. $#in]);
        like "$a->{class} $a->{state}", $play->[1], "$name: $play->[0]";
    }
}

is scalar(grep { $_->{auth} && $_->{auth} ne 'ok' } $fake->log), 0,
    'no key and no signature was wrong';


# states and results of a job

sub after
{
    my ($name, $play, %more) = @_;
    my ($op, $params) = @{ $CASE{$name} };

    $fake->reset;
    $fake->play(provider => $name, play => $play, %more);
    return job($name, $op, params => $params, @inputs,
               $name eq 'volc_visual' ? (pair => 1) : ());
}


my @poll = (step => 'poll');
is_class after('replicate', 'failed', @poll), 'invalid failed', 'a job fails';
is_class after('replicate', 'canceled', @poll), 'ok canceled', 'one ends';
is_class after('fal', 'failed', @poll), 'retryable failed',
    'a runner of fal breaks';
is_class after('dashscope', 'content', @poll), 'content failed',
    'content is refused in a state';
is_class after('volc_visual', 'content', @poll), 'content -',
    'and by a code alone';
is_class after('fal', 'content', @poll), 'content -', 'and with the result';
is_class after('stability', 'content', @poll), 'content failed',
    'and by a reason to finish';
is_class after('openai_images', 'content'), 'content -', 'and at once';
is_class after('volc_visual', 'lost', @poll), 'expired lost', 'a lost one';
is_class after('dashscope', 'lost', @poll), 'expired lost', 'an unknown one';
is_class after('replicate', 'not_found', @poll), 'expired lost', 'a 404';

my $part = after('dashscope', 'partial', @poll);
is_class $part, 'ok done', 'a part of the results';
is "@{$part}{qw( missing code )} " . @{ $part->{items} }, '1 InternalError 2',
    'what is missing is counted';

$fake->play(provider => 'files', step => 'download', play => 'redirect');
is(HTTP::Tiny->new(max_redirect => 0)->get($part->{items}[0])->{status}, 302,
    'a result that leads elsewhere');

is_class after('replicate', 'elsewhere', @poll, times => 9),
    'invalid failed',
    'results of another host are none';
is_class after('replicate', 'never', @poll, times => 0), 'ok running',
    'one that does not end';
is_class after('replicate', 'html', @poll, times => 9), 'retryable -',
    'a poll that gives a page';
is_class after('replicate', 'truncated', @poll, times => 9), 'retryable -',
    'a poll that is cut';


# begun or not

$fake->reset;
my @go = ('replicate', 'text_to_image', 'submit',
          params => $CASE{replicate}[1]);
$fake->play(provider => 'replicate', play => $_) for qw( reset_before
                                                         reset_after );
is_class step(@go), 'unknown -', 'no answer';
is scalar($fake->jobs), 0, 'nothing was begun';
is_class step(@go), 'unknown -', 'no answer';
is scalar($fake->jobs), 1, 'one was begun, and nobody knows';

$fake->play(provider => 'replicate', play => 'hang');
is_class step(@go, timeout => 1), 'unknown -', 'it never answers';


# what would fill a memory

$fake->play(provider => 'replicate', play => 'huge', bytes => 3_000_000);
is length HTTP::Tiny->new->post($fake->url('/replicate/v1/predictions'),
    { headers => { Authorization => 'Bearer test-key' }, content => '{}' })
    ->{content}, 3_000_000, 'an answer of any size';


# calls: each is signed by the fake's own hand

my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 8);
my $hook = 'http://127.0.0.1:' . $listen->sockport . '/hook';

for my $case ([ replicate => 'good', 1 ], [ replicate => 'twice', 2 ],
              [ replicate => 'forged', 1 ], [ fal => 'good', 1 ])
{
    my ($name, $how, $times) = @$case;
    my ($op, $params) = @{ $CASE{$name} };
    my $id = step($name, $op, 'submit', params => $params, @inputs,
                  job => { webhook_url => $hook })->{id};
    my $pid = fork // die;

    if (!$pid) {                    # who is called answers nothing but 204
        alarm 20;
        for (1 .. $times) {
            my $s = $listen->accept;
            my ($length, $head) = (0, '');

            while (my $line = <$s>) {
                $length = $1 if $line =~ /^Content-Length: (\d+)/;
                $head .= $line;
                last if $line eq "\r\n";
            }
            read($s, my $body, $length);
            open my $out, '>', "$dir/hook" or die $!;
            print $out "$head$body";
            close $out;
            print $s "HTTP/1.1 204 X\r\n\r\n";
        }
        POSIX::_exit(0);
    }

    is join(' ', $fake->webhook($id, $how)), join(' ', (204) x $times),
        "$name: $how";
    waitpid $pid, 0;
    like slurp("$dir/hook"), $name eq 'fal'
        ? qr/^X-Fal-Webhook-Signature: [0-9a-f]{128}\r$/m
        : qr/^webhook-signature: v1,[\w+\/]{43}=\r$/m, 'it is signed';
}


# signatures that are wrong

my @signed = ('volc_visual', 'text_to_image', 'submit', params => $text);
is_class step(@signed, pair => 1, now => time - 1000), 'auth -',
    'a clock that is late';
is_class step(@signed), 'auth -', 'another secret';
is_class step(@signed, pair => 1), 'ok queued', 'the right ones';

for my $kind ([ acs3 => { 'x-acs-action' => 'Go', 'x-acs-version' => '1' },
                {} ],
              [ rpc => {}, { Action => 'Go', Version => '1' } ])
{
    my ($name, $headers, $query) = @$kind;

    open my $out, '>', "$dir/$name.json" or die $!;
    print $out $json->encode({
        name => $name, base_url => $fake->url("/$name"), secrets => ['api'],
        auth => { kind => $name eq 'rpc' ? 'rpc_v1' : 'acs3',
                  secret => 'api' },
        operations => { go => {
            params => { p => { type => 'string' } },
            submit => { url => '/run', headers => $headers, query => {
                            %$query, P => '{{p?}}' }, id_path => 'id',
                        body => { kind => 'json', template => {
                            p => '{{p?}}' } } },
            poll => { url => '/tasks/{{remote.id}}', query => $query,
                      headers => $headers, state => {
                          from => 'json_path', path => 'status', map => {
                              map { $_ => $_ } qw( queued running done ) } } },
            result => { items_path => 'url', allowed_hosts => ['127.0.0.1'] },
        } } });
    close $out;

    is_class job($name, 'go', params => { p => "a b*~/\xe9" }, pair => 1),
        'ok done', "$name: signed";
    is_class step($name, 'go', 'submit', pair => 1, now => time + 1000),
        'auth -', "$name: a clock that is early";
    is_class step($name, 'go', 'submit'), 'auth -', "$name: another secret";
}


# the pages: each member of the format, and the tutorial word for word

my $readme = slurp('conf/providers/README.md');
my $code = join '', map { slurp($_) } files(
    qr/podi_provider_\w+\.c$/, 'shared/codec');
my %member = map { $_ => 1 }
    $code =~ /\{ "(\w+)",\s+podi_provider_read_\w+,/g;

cmp_ok scalar(keys %member), '>', 60, 'the members of the format';
is join(' ', grep { $readme !~ /[`"]\Q$_\E[`"]/ } sort keys %member), '',
    'each is on the page of the format';

my $page = slurp('docs/tutorial-provider.md');
my ($file, $example) = $page =~ /<!-- file: (\S+) -->\n```json\n(.*?)^```/ms;
my ($command) = $page =~ /<!-- run: 0 -->\n```sh\npodictl (.*?)\n```/;
my @output = $page =~ /<!-- output -->\n```\n(.*?)^```/gms;
my ($from, $to) = $page =~ /<!-- edit: (.*?) -> (.*?) -->/;


sub shown
{
    my ($text) = @_;

    open my $out, '>', "$dir/$file" or die $!;
    print $out $text;
    close $out;
    return scalar qx(cd '$dir' && '$ctl' $command 2>&1);
}


is shown($example), $output[0], 'the tutorial: its description is good';
is $?, 0, 'the tutorial: it exits with 0';
is shown($example =~ s/\Q$from\E/$to/r), $output[1],
    'the tutorial: its mistake has its place';
is $? >> 8, 1, 'the tutorial: it exits with 1';

done_testing;
