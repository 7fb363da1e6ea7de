# podi_ws against servers that are well, refuse, are silent, cut and wrong.

use strict;
use warnings;
use lib 't/lib';

use Digest::SHA qw(sha1_base64);
use File::Temp qw(tempdir);
use IO::Poll qw(POLLHUP);
use IO::Socket::INET;
use IO::Socket::SSL ();
use IO::Socket::SSL::Utils qw(CERT_create PEM_cert2file PEM_key2file);
use POSIX ();
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Test::More;
use Podi::Hands;
use Podi::Proc qw(poll san_env);

my $GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
my $bin = Podi::Hands::build() . '/test/wsc';
my $dir = tempdir('podi-ws-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $asked = 0;
my $log;                # of one connection: what its server has noted
my $door = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0,
                                 Listen => 16, ReuseAddr => 1) or die $!;
my $port = $door->sockport;
my %env = san_env($dir, $bin);


sub note_line
{
    open my $out, '>>', $log or die "$log: $!";
    syswrite $out, "$_[0]\n";
    close $out;
    return;
}


# --- a server's side of the wire

sub frame
{
    my ($first, $payload) = @_;
    my $n = length $payload;

    return chr($first) . ($n < 126 ? chr $n : $n < 65_536 ? pack 'Cn', 126, $n
                          : pack 'CQ>', 127, $n) . $payload;
}

sub text  { return frame(0x81, $_[0]) }
sub bye   { return frame(0x88, @_ ? pack('n', $_[0]) . ($_[1] // '') : '') }

my $bytes = '';         # read and not yet used


# n bytes, or undef
sub take
{
    my ($s, $n) = @_;

    while (length $bytes < $n) {
        sysread($s, $bytes, 65_536, length $bytes) or return;
    }
    return substr $bytes, 0, $n, '';
}


# the next frame of a client: "opcode:payload", noted; undef at the end
sub heard
{
    my ($s) = @_;
    my ($first, $second) = unpack 'CC', take($s, 2) // return;
    my $n = $second & 127;

    $n = unpack 'n', take($s, 2) if $n == 126;
    $n = unpack 'Q>', take($s, 8) if $n == 127;
    return 'not masked' if !($second & 128);

    my $mask = take($s, 4);
    my $payload = take($s, $n) // return;
    $payload ^= substr $mask x ($n / 4 + 1), 0, $n;
    my $line = ($first & 15) . ':'
               . (($first & 15) == 8 && $n >= 2 ? unpack 'n', $payload
                  : length $payload < 40 ? $payload : length $payload);
    note_line($line);
    return $line;
}


# all of it, though TLS takes it in pieces
sub put
{
    my ($s, $what) = @_;

    while (length $what) {
        my $n = $s->syswrite($what) or return;
        substr $what, 0, $n, '';
    }
    return;
}


# hears until the client says goodbye, or is gone
sub rest
{
    while (defined(my $line = heard($_[0]))) {
        last if $line =~ /^8:/;
    }
    note_line('gone');
    return;
}


# sends, and hears the rest
sub says
{
    my @all = @_;

    return sub { put($_[0], $_) for @all; rest($_[0]) };
}

my $large = 'x' x 3_000_000;
my %PATH = (
    hello  => says(text('Hello'), bye(1000, 'well')),
    own    => says(bye(4001, 'of our own')),
    plain  => says(bye()),
    drop   => sub { $_[0]->syswrite(bye(1001)); shutdown $_[0], 1;
                    rest($_[0]) },
    bytes  => sub { $_[0]->setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
                    $_[0]->syswrite($_) for split //,
                        frame(0x01, 'Hel') . frame(0x89, 'x')
                        . frame(0x00, 'lo ') . frame(0x89, 'y')
                        . frame(0x80, 'you') . text('y' x 300) . bye(1000);
                    rest($_[0]) },
    large  => says(text('t' x 70_000), frame(0x82, $large),
                   frame(0x02, $large), frame(0x80, 'and more'),
                   (map { frame($_ == 1 ? 1 : $_ == 40 ? 0x80 : 0, 'z' x 65_536) }
                    1 .. 40), frame(0x82, 'b' x 1_048_576), text('after'),
                   bye(1000)),
    many   => says(join('', map { text("m$_") } 1 .. 3000), bye(1000)),
    echo   => sub { while (defined(my $line = heard($_[0]))) {
                        $_[0]->syswrite($line =~ /^8/ ? bye(1001)
                                        : text($line)) }
                    note_line('gone') },
    deaf   => sub { $_[0]->syswrite(text('go')); note_line('deaf: waiting');
                    while (sysread $_[0], my $x, 9999) { } note_line('gone') },
    full   => sub { my $p = IO::Poll->new; $p->mask($_[0] => POLLHUP);
                    $p->poll(5) },
    pongs  => sub { for (1 .. 3) { my $line = heard($_[0]) // return;
                        $_[0]->syswrite(frame(0x8a, $line =~ s/^9://r)) }
                    $_[0]->syswrite(bye(1000)); rest($_[0]) },
    cut    => sub { $_[0]->syswrite(substr text('x' x 500), 0, 100) },
    cut_head => sub { $_[0]->syswrite("\x81") },
    quits  => sub { },
    masked => says("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"),
    rsv    => says(frame(0xc1, 'x')),
    opcode => says(frame(0x83, 'x')),
    pieces => says(frame(0x09, 'x')),
    control => says("\x89\x7e\x00\x7e" . 'x' x 126),
    inside => says(frame(0x01, 'x'), text('y')),
    utf8   => says(text("\xc3\x28")),
    reason => says(bye(1000, "\xff")),
    code   => says(bye(1005)),
    behind => says(text('one'), frame(0x83, 'x'), text('two')),
    after  => says(bye(1000), text('too late')),
    header => sub { note_line($_[1]); $_[0]->syswrite(bye(1000)); rest($_[0]) },
);

# those who do not say 101 as they should
my %DOOR = (
    401    => "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
    200    => "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    smtp   => "220 mail.example ESMTP\r\n\r\n",
    wrong  => "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              . "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
    long   => "HTTP/1.1 101 X\r\nX: " . 'x' x 20_000 . "\r\n\r\n",
    half   => "HTTP/1.1 101 X\r\nUpgr",
);


sub serve
{
    my ($s) = @_;
    my $head = '';

    until ($head =~ /\r\n\r\n/) {
        sysread($s, $head, 1, length $head) or return;
    }
    (my $path, $log) = $head =~ m{^GET /(\w+)[?](\S+)};
    if (my $answer = $DOOR{$path}) {
        $s->syswrite($answer);
        return;
    }
    if ($path eq 'silent') {
        sysread $s, my $x, 1;
        return note_line('gone');
    }
    my ($key) = $head =~ /^Sec-WebSocket-Key: (\S+)\r$/m;
    $s->syswrite("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                 . "Connection: Upgrade\r\nSec-WebSocket-Accept: "
                 . sha1_base64($key . $GUID) . "=\r\n\r\n");
    $PATH{$path}->($s, $head =~ s/\r\n/|/gr);
    return;
}


# accepts for ever; with TLS when there are arguments for it
sub server
{
    my ($listen, %tls) = @_;
    my $pid = fork // die "fork: $!";

    return $pid if $pid;
    $SIG{CHLD} = 'IGNORE';
    $SIG{PIPE} = 'IGNORE';
    while (1) {
        my $s = $listen->accept or next;
        next if fork;
        close $listen;
        $s = IO::Socket::SSL->start_SSL($s, SSL_server => 1, %tls)
            || POSIX::_exit(0) if %tls;
        serve($s);
        close $s;
        POSIX::_exit(0);
    }
}

my @servers = server($door);
END { if (@servers) { my $code = $?; kill 'TERM', @servers; $? = $code } }


# what the program prints, in lines with / between them
sub ask
{
    my ($path, @option) = @_;
    my $url = $path =~ /:/ ? $path : "ws://127.0.0.1:$port/$path";

    $log = "$dir/server." . ++$asked;
    local @ENV{keys %env} = values %env;
    my $text = Podi::Pg::run_quiet($bin, $url . ($url =~ m{/\w+$} && "?$log"),
                                   @option);
    chomp $text;
    return $text =~ s/ \([^()\n]*\)$//mgr =~ s/\n/\//gr;
}


# what the server has noted, once it has noted that the client is gone
sub noted
{
    my @line;

    poll(10, sub { open my $in, '<', $log or return 0; chomp(@line = <$in>);
                   grep { $_ eq 'gone' } @line });
    return join ' ', @line;
}


sub closed
{
    my ($code, $fail, %more) = @_;

    return "closed code=$code status=" . ($more{status} // 101) . " fail=$fail"
           . ' skipped=' . ($more{skipped} // 0) . ' reason='
           . ($more{reason} // '');
}

my $well = closed(1000, 'none');

subtest 'messages' => sub {
    is ask('hello'), 'open/text 5 Hello/'
        . closed(1000, 'none', reason => 'well'), 'a text, and a goodbye';
    is noted(), '8:1000 gone', 'which is answered';
    is ask('bytes'), "open/text 9 Hello you/text 300 @{['y' x 32]}/$well",
        'in pieces, with pings between, byte by byte';
    is noted(), '10:x 10:y 8:1000 gone', 'which are answered';
    is ask('large'), "open/text 70000 @{['t' x 32]}/binary 1048576/"
        . 'text 5 after/' . closed(1000, 'none', skipped => 3),
        'what is too large is skipped';
    is ask('large', 'max=5'), 'open/text 5 after/'
        . closed(1000, 'none', skipped => 5), 'whatever that is';
    is ask('many'), join('/', 'open', (map { "text @{[length]} $_" }
        map { "m$_" } 1 .. 3000), $well), 'many come in order';
    is ask('echo', 'send=' . 's' x 70_000, 'text=close'),
        'open/text 7 1:70000/' . closed(1001, 'none'), 'a long one goes out';
    is ask('echo', 'send=hi', 'many=500', 'after=60000', 'reply=',
           'text=close'), 'open/text 4 1:hi/' . closed(1001, 'none'),
        'nothing is told behind a close';
};

is ask('full', 'send=' . 's' x 70_000, 'many=500', 'open=free'),
    'open/busy/freed', 'what nobody takes is not queued for ever';

subtest 'TLS' => sub {
    my ($ca, $ca_key) = CERT_create(CA => 1, subject => { CN => 'podi test' });
    my ($cert, $key) = CERT_create(issuer => [$ca, $ca_key],
        purpose => 'server', subject => { CN => 'x' },
        subjectAltNames => [[IP => '127.0.0.1']]);
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
                                       LocalPort => 0, Listen => 16) or die $!;
    my $url = 'wss://127.0.0.1:' . $listen->sockport;

    PEM_cert2file($ca, "$dir/ca.pem");
    PEM_cert2file($cert, "$dir/cert.pem");
    PEM_key2file($key, "$dir/key.pem");
    push @servers, server($listen, SSL_cert_file => "$dir/cert.pem",
                          SSL_key_file => "$dir/key.pem");
    my @with = ("ca=$dir/ca.pem", 'tls=1');

    is ask("$url/hello", @with), 'open/text 5 Hello/'
        . closed(1000, 'none', reason => 'well'), 'with a CA of its own';
    is ask("$url/large", @with), "open/text 70000 @{['t' x 32]}/"
        . 'binary 1048576/text 5 after/' . closed(1000, 'none', skipped => 3),
        'what TLS holds back is read';
    is ask("$url/echo", 'send=' . 's' x 70_000, 'text=close', @with),
        'open/text 7 1:70000/' . closed(1001, 'none'), 'and a long one sent';
    is ask("$url/quits", @with), 'open/' . closed(1006, 'unavailable'), 'cut';
    is ask("$url/hello"), closed(1006, 'config', status => 0),
        'not with one that nobody knows';
    is ask($url =~ s/127.0.0.1/localhost/r . '/hello', @with),
        closed(1006, 'config', status => 0), 'nor under another name';
};

subtest 'goodbyes' => sub {
    is ask('own'), 'open/' . closed(4001, 'none', reason => 'of our own'),
        'with a code';
    is noted(), '8:4001 gone', 'that is answered';
    is ask('plain'), 'open/' . closed(1005, 'none'), 'without one';
    is noted(), '8: gone', 'that is answered the same';
    is ask('drop'), 'open/' . closed(1001, 'none'), 'and gone at once';
    is noted(), '8:1001 gone', 'is answered, too';
    is ask('after'), "open/$well", 'what comes behind it is not told';
    is ask('deaf', 'text=close', 'close=200'),
        'open/text 2 go/' . closed(1006, 'none'), 'not answered: not waited for';
    is noted(), 'deaf: waiting gone', 'and off the wire';
    is ask('echo', 'after=100', 'then=close'), 'open/' . closed(1001, 'none'),
        'ours is first';
    is noted(), '8:1001 gone', 'and says why';
};

subtest 'rules' => sub {
    is ask($_->[0]), "open/" . closed($_->[1], 'unavailable'), $_->[2]
        and is noted(), "8:$_->[1] gone", 'the server is told why'
        for [masked => 1002, 'a masked frame'], [rsv => 1002, 'a reserved bit'],
            [opcode => 1002, 'an unknown opcode'],
            [pieces => 1002, 'a control in pieces'],
            [control => 1002, 'a control of 126'],
            [inside => 1002, 'a message in a message'],
            [utf8 => 1007, 'a text that is none'],
            [reason => 1007, 'a reason that is none'],
            [code => 1002, 'a code that is none'];
    is ask('behind'), 'open/text 3 one/' . closed(1002, 'unavailable'),
        'nothing is told behind it';
};

subtest 'doors' => sub {
    is ask($_), closed(1006, 'unavailable', status => $_), "$_, not 101"
        for 401, 200;
    is ask('wrong'), closed(1006, 'unavailable'), 'an accept for another';
    is ask($_), closed(1006, 'unavailable', status => 0), $_
        for qw( smtp long half );
    is ask('silent', 'handshake=200'),
        closed(1006, 'deadline', status => 0), 'silent';
    is noted(), 'gone', 'and off the wire';

    my $other = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
                                      LocalPort => 0, Listen => 1);
    my $free = $other->sockport;

    is ask("wss://127.0.0.1:$free/", 'handshake=200'),
        closed(1006, 'deadline', status => 0), 'silent before TLS';
    close $other;
    is ask("ws://127.0.0.1:$free/"),
        closed(1006, 'unavailable', status => 0), 'nobody there';
    is ask('hello', 'public=1'), closed(1006, 'forbidden', status => 0),
        'only public addresses';
    is ask('hello', 'tls=1'), closed(1006, 'config', status => 0), 'only TLS';
    is ask($_), 'refused: config', "$_ is none"
        for 'ftp://127.0.0.1/', 'ws://', 'x:', 'ws://u:p@127.0.0.1/', 'ws://a b/';
    is ask('hello', "header=$_"), 'refused: config', 'nor is such a header'
        for 'Host:x', "A:x\r\nB: y", 'Sec-WebSocket-Key:x';
    is ask('header', 'header=Authorization:Bearer t0k'), "open/$well", 'a token';
    like noted(), qr/^GET[ ]\/header\S*[ ]HTTP.1[.]1\|Host:[ ]127[.]0[.]0[.]1:$port\|
                     .*\|Authorization:[ ]Bearer[ ]t0k\|\|/x, 'goes along';
};

subtest 'cut' => sub {
    is ask($_), 'open/' . closed(1006, 'unavailable'), $_
        for qw( cut cut_head quits );
};

subtest 'silence' => sub {
    is ask('deaf', 'ping=50', 'idle=400'),
        'open/text 2 go/' . closed(1006, 'deadline'), 'is not waited for';
    is ask('pongs', 'ping=50', 'idle=5000'), "open/$well",
        'but is asked, and may answer';
    is noted(), '9: 9: 9: 8:1000 gone', 'each time';
};

subtest 'gone' => sub {
    is ask('hello', 'open=free'), 'open/freed', 'when it opens';
    is ask('many', 'text=free'), 'open/text 2 m1/freed', 'in the middle';
    is ask('large', 'binary=free'), "open/text 70000 @{['t' x 32]}/"
        . 'binary 1048576/freed', 'of many bytes';
    is ask('hello', 'end=free'), 'open/text 5 Hello/'
        . closed(1000, 'none', reason => 'well') . '/freed', 'at the end';
    is ask('silent', 'after=100', 'then=free'), 'freed', 'in the handshake';
    is ask('silent', 'after=100', 'then=close'),
        closed(1006, 'none', status => 0), 'or closed there';
    is ask('hello', 'open=close'), 'open/'
        . closed(1000, 'none', reason => 'well'), 'closed when it opens';
    is ask('401', 'end=free'), closed(1006, 'unavailable', status => 401)
        . '/freed', 'refused, and freed';
};

is join(' ', glob "$dir/*san.*"), '', 'no sanitizer report';
done_testing;
