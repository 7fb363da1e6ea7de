# podi_http against servers that are well, refused, silent, slow, cut, wrong.

use strict;
use warnings;
use lib 't/lib';

use Digest::SHA qw(sha256_hex);
use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Test::More;
use Podi::Hands;
use Podi::Proc qw(poll san_env);

my $bin = Podi::Hands::build() . '/test/httpc';
my $dir = tempdir('podi-http-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $log = "$dir/server.log";
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


# what each path does with a connection
my %PATH = (
    ok     => sub { answer($_[0], 200, 'hello', 'ETag: "x1"',
                           'Content-Type: text/plain') },
    never  => sub { answer($_[0], 503, '', 'Retry-After: 4294967299') },
    busy   => sub { answer($_[0], 503, 'later', 'Retry-After: 7') },
    moved  => sub { answer($_[0], 302, '', 'Location: /ok') },
    echo   => sub { answer($_[0], 200, sha256_hex($_[2]) . ' '
                           . length($_[2]) . ' ' . $_[1]) },
    form   => sub { answer($_[0], 200, form($_[1], $_[2])) },
    many   => sub { answer($_[0], 200, 'many', 'X-One: first', 'X-One: second',
                           'X-Long: ' . 'l' x 8193, 'X-Just: ' . 'j' x 8192,
                           'Location:   https://a.example/b  ') },
    heads  => sub { answer($_[0], 200, 'heads',
                           map { "X-$_: " . 'h' x 7000 } 1 .. 10) },
    endless => sub { $_[0]->syswrite("HTTP/1.1 200 OK\r\n");
                    1 while $_[0]->syswrite('X-More: ' . 'h' x 999 . "\r\n") },
    keep   => sub { answer($_[0], 200, 'kept'); serve($_[0]) },
    drip   => sub { my $s = IO::Select->new($_[0]);
                    $_[0]->syswrite("HTTP/1.1 200 OK\r\nContent-Length: 8"
                                    . "\r\n\r\n");
                    for (1 .. 8) { return if $s->can_read(0.2);
                                   $_[0]->syswrite('d') } },
    cut_head => sub { $_[0]->syswrite("HTTP/1.1 200 OK\r\nContent-Ty") },
    cut_chunk => sub { $_[0]->syswrite("HTTP/1.1 200 OK\r\nTransfer-Encoding: "
                    . "chunked\r\n\r\n5\r\nhel") },
    large  => sub { answer($_[0], 200, 'x' x 100_000) },
    stream => sub { $_[0]->syswrite("HTTP/1.1 200 OK\r\nConnection: close\r\n"
                    . "\r\n" . 'y' x 100_000) },
    cut    => sub { $_[0]->syswrite("HTTP/1.1 200 OK\r\nContent-Length: 100"
                    . "\r\n\r\nonly this") },
    wrong  => sub { $_[0]->syswrite("220 mail.example ESMTP\r\n") },
    silent => sub { note_line('silent: waiting'); sysread $_[0], my $x, 1;
                    note_line('silent: gone') },
    slow   => sub { $_[0]->syswrite("HTTP/1.1 200 OK\r\nContent-Length: 99"
                    . "\r\n\r\nz"); sysread $_[0], my $x, 1 },
);


sub answer
{
    my ($socket, $status, $body, @header) = @_;

    $socket->syswrite(join "\r\n", "HTTP/1.1 $status X", @header,
                      'Content-Length: ' . length $body, '', $body);
    return;
}


# a form as text: its lines, with | for their ends and B for the boundary
sub form
{
    my ($head, $body) = @_;
    my ($boundary) = $head =~ m{\|Content-Type:[ ]multipart/form-data;
                                [ ]boundary=([^\s|]+)}xi or return 'no form';

    $body =~ s/\Q$boundary\E/B/g;
    return $body =~ s/\r\n/|/gr if length $body < 4096;
    return $body =~ /\r\n\r\n(.*)\r\n--B--\r\n\z/s ? sha256_hex($1) : 'cut';
}


sub serve
{
    my ($socket) = @_;
    my $head = '';

    until ($head =~ /\r\n\r\n/) {
        sysread($socket, $head, 65536, length $head) or return;
    }
    ($head, my $body) = split /\r\n\r\n/, $head, 2;
    my ($length) = $head =~ /^content-length: (\d+)/mi;
    while (length $body < ($length // 0)) {
        sysread($socket, $body, 65536, length $body) or return;
    }
    my ($path) = $head =~ m{^\S+ /(\w+)};
    $PATH{$path}->($socket, $head =~ s/\r\n/|/gr, $body);
    return;
}


my $server = fork // die "fork: $!";
if ($server == 0) {
    $SIG{CHLD} = 'IGNORE';
    while (1) {
        my $socket = $door->accept or next;
        next if fork;
        close $door;
        serve($socket);
        POSIX::_exit(0);
    }
}
close $door;
END { kill 'TERM', $server if $server; $? = 0 if !$server }


sub ask
{
    my ($method, $path, @option) = @_;
    my $url = $path =~ /:/ ? $path : "http://127.0.0.1:$port/$path";

    local @ENV{keys %env} = values %env;
    my $text = Podi::Pg::run_quiet($bin, $method, $url, @option);
    chomp $text;
    return $text;
}


my $hello = sha256_hex('hello');
like ask('GET', 'ok'),
    qr{^status=200 type=text/plain etag="x1" .* sha256=$hello body=hello$},
    'an answer comes with its digest';
like ask('GET', 'busy'), qr/^status=503 .*retry_after=7 .*body=later$/,
    'a refusal is an answer';
like ask('GET', 'never'), qr/retry_after=4294967295 /, 'never is not soon';
like ask('GET', 'moved'), qr/^status=302 /, 'nothing is followed';

subtest 'bodies' => sub {
    my $file = "$dir/body";
    my $bytes = join '', map { chr(rand 256) } 1 .. 300_000;
    open my $out, '>:raw', $file or die $!;
    print {$out} $bytes;
    close $out;

    my $said = ask('PUT', 'echo', "body_file=$file", 'header=X-Test:one');
    my $sum = sha256_hex($bytes);
    like $said, qr/body=$sum 300000 PUT /, 'a file is sent whole';
    like $said, qr/\|X-Test: one\|/, 'with the headers given';
    like $said, qr/\|Content-Length: 300000\b/i, 'and its length';
    unlike $said, qr/\|(?:Expect|Transfer-Encoding|Accept-Encoding):/i,
        'and none that nobody asked for';
    like ask('POST', 'echo', 'body={}'),
        qr/body=@{[sha256_hex('{}')]} 2 POST /, 'text is sent';
    like ask('POST', 'echo'), qr/ 0 POST .*\|Content-Length: 0\b/i,
        'nothing is sent as nothing';
    like ask('DELETE', 'echo'), qr/ 0 DELETE /, 'DELETE works';
    like ask('HEAD', 'ok'), qr/^status=200 .*bytes=0 /, 'HEAD does';
    like ask('HEAD', 'large', 'max=9'), qr/^status=200 .*bytes=0 /,
        'of anything, because nothing of it comes';

    my $into = "$dir/into";
    like ask('GET', 'large', "into=$into", 'max=200000'),
        qr/bytes=100000 sha256=@{[sha256_hex('x' x 100_000)]} body=$/,
        'an answer goes into a file';
    is -s $into, 100_000, 'whole';
};

subtest 'methods' => sub {
    like ask($_, 'echo', 'body=x'), qr/ 1 $_ .*\|Content-Length: 1\b/i,
        "$_ sends" for qw( PATCH PUT DELETE OPTIONS );
    like ask('PATCH', 'echo'), qr/ 0 PATCH .*\|Content-Length: 0\b/i,
        'PATCH sends nothing';
    unlike ask('DELETE', 'echo'), qr/Content-Length/, 'DELETE not even that';
    is ask($_, 'ok', 'body=x'), 'fail=internal uncertain=0',
        "$_ has no body" for qw( GET HEAD );
    is ask($_, 'ok'), 'fail=internal uncertain=0', 'no method'
        for '', 'get', "GET /x HTTP/1.1\r\nX-Evil: b\r\nGET";
};

subtest 'forms' => sub {
    my $d = qr/Content-Disposition: form-data; name=/;

    like ask('POST', 'form', 'part=a:::one', 'part=b:x.png:image/png:two',
             'part=c:y::'),
        qr{body=--B\|$d"a"\|\|one
           \|--B\|$d"b";[ ]filename="x[.]png"\|Content-Type:[ ]image/png
           \|\|two
           \|--B\|$d"c";[ ]filename="y"
           \|Content-Type:[ ]application/octet-stream\|\|
           \|--B--\|$}x, 'fields and files';
    like ask('PUT', 'form', 'part=q"u:a"b.png::x'),
        qr{$d"q%22u"; filename="a%22b[.]png"\|}, 'quotes do not end a name';
    is ask('POST', 'form', $_), 'fail=internal uncertain=0',
        'a line end in a part' for "part=a\r\nX:::y", "part=a:b\nc::y",
                                   "part=a::t\rX:y";

    my $bytes = join '', map { chr(rand 256) } 1 .. 300_000;
    open my $out, '>:raw', "$dir/part" or die $!;
    print {$out} $bytes;
    close $out;

    like ask('POST', 'form', "part_file=image:p.png:image/png:$dir/part"),
        qr/body=@{[sha256_hex($bytes)]}$/, 'a file is sent whole';
    my $head = ask('POST', 'echo', 'part=a:::x',
                   "part_file=image:p.png:image/png:$dir/part");
    like $head, qr/\|Content-Length: 300\d\d\d\|/i, 'and its length is known';
    unlike $head, qr/\|(?:Expect|Transfer-Encoding):/i, 'before it goes out';
    is ask('POST', 'form', 'part=a:::x', 'body=y'),
        'fail=internal uncertain=0', 'a form or a body';
    is ask('PUT', 'echo', "body_file=$dir/part", 'body_bytes=300001'),
        'fail=internal uncertain=1', 'a file that is too short is no body';
};

subtest 'headers that are kept' => sub {
    like ask('GET', 'many', 'want=x-one', 'want=Location', 'want=X-None'),
        qr{ kept=\[first\]\[https://a[.]example/b\]\[\] body=many$},
        'the first of a name, in any case, without blanks';
    like ask('GET', 'many', 'want=X-Long', 'want=X-Just'),
        qr/ kept=\[\]\[j{8192}\] body=many$/, 'none in part';
    is ask('GET', $_), 'fail=body_too_large uncertain=1', "$_: too many"
        for qw( heads endless );
};

subtest 'too much' => sub {
    is ask('GET', 'large', 'max=99999'), 'fail=body_too_large uncertain=1',
        'is refused when it is announced';
    my $into = "$dir/some";
    is ask('GET', 'stream', 'max=70000', "into=$into"),
        'fail=body_too_large uncertain=1', 'and when it is not';
    cmp_ok -s $into, '<=', 70_000, 'and never stored';
    like ask('GET', 'stream', 'max=100000'), qr/bytes=100000 /,
        'just enough is enough';
};

subtest 'bad peers' => sub {
    my $closed = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
                                       LocalPort => 0, Listen => 1);
    my $free = $closed->sockport;
    close $closed;

    is ask('GET', "http://127.0.0.1:$free/"), 'fail=unavailable uncertain=0',
        'refused: nothing was sent';
    is ask('GET', 'silent', 'timeout=300'), 'fail=deadline uncertain=1',
        'silent';
    is ask('GET', 'slow', 'timeout=400'), 'fail=deadline uncertain=1',
        'slow: all in all';
    is ask('GET', 'slow', 'timeout=30000', 'idle=300'),
        'fail=deadline uncertain=1', 'slow: without a byte';
    like ask('GET', 'drip', 'idle=1500'), qr/^status=200 .* body=d{8}$/,
        'slow: but never silent so long';
    is ask('GET', 'drip', 'timeout=500', 'idle=1200'),
        'fail=deadline uncertain=1', 'slow: no excuse for all in all';
    is ask('GET', $_), 'fail=unavailable uncertain=1', "$_ in the middle"
        for qw( cut cut_head cut_chunk );
    is ask('GET', 'wrong'), 'fail=unavailable uncertain=1', 'not HTTP';
    is ask('GET', "https://127.0.0.1:$port/ok", 'timeout=2000')
       =~ /^fail=(?:unavailable|deadline|config)/, 1, 'not TLS';
};

subtest 'bad wishes' => sub {
    is ask('GET', 'file:///etc/passwd'), 'fail=config uncertain=0',
        'other protocols';
    is ask('GET', 'http://'), 'fail=config uncertain=0', 'no url';
    is ask('GET', 'ok', "header=X-Test:a\r\nX-Evil: b"),
        'fail=internal uncertain=0', 'a header in a header';
    is ask('GET', 'ok', "header=X-Test:a\rX-Evil: b"),
        'fail=internal uncertain=0', 'as a bare CR, which some take for an end';
    is ask('GET', 'ok', "header=X-Test\r\nX-Evil: b"),
        'fail=internal uncertain=0', 'or in its name';
};

subtest 'only there' => sub {
    is ask('GET', 'ok', 'https=1'), 'fail=config uncertain=0', 'only TLS';
    is ask('GET', 'ok', 'public=1'), 'fail=forbidden uncertain=0',
        'only public addresses';
    is ask('GET', "http://evil.example:$port/ok", 'public=1',
           "resolve=evil.example:$port:127.0.0.1"),
        'fail=forbidden uncertain=0', 'also when a name leads elsewhere';
    is ask('GET', 'ok', 'only_https=1'), 'fail=config uncertain=0',
        'only TLS, this time';
    is ask('GET', 'ok', 'only_public=1'), 'fail=forbidden uncertain=0',
        'only public addresses, this time';
    is ask('GET', "http://evil.example:$port/ok", 'only_public=1',
           "resolve=evil.example:$port:$_"), 'fail=forbidden uncertain=0', $_
        for '127.0.0.1,[::1]', qw( 127.0.0.1 0.0.0.0 169.254.169.254 100.64.0.1
            168.63.129.16 224.0.0.1 [::1] [::ffff:127.0.0.1] [64:ff9b::7f00:1]
            [fe80::1] );
    is ask('GET', "http://$_:$port/ok", 'only_public=1'),
        'fail=forbidden uncertain=0', "written as $_"
        for qw( 2130706433 0x7f.1 0177.0.0.1 localhost [::ffff:7f00:1] );
    like ask('GET', 'keep', 'then_public=1'),
        qr/^status=200 .*\nfail=forbidden uncertain=0$/,
        'also on a connection that is there already';
};

# the resolver says so when it is through, unless the process has ended before
subtest 'a name that takes its time' => sub {
    is ask('GET', 'http://slow.example/', 'timeout=300'),
        'fail=deadline uncertain=0', 'a timeout does not wait for it';
    is ask('GET', 'http://slow.example/', 'cancel=300', 'timeout=60000'),
        'cancelled', 'nor does who gives up';
};

subtest 'cancelled' => sub {
    unlink $log;
    is ask('GET', 'silent', 'cancel=300', 'timeout=60000'), 'cancelled',
        'the flow is gone, and nothing is left';
    ok poll(10, sub { open my $in, '<', $log or return 0;
                      grep { /gone/ } <$in> }), 'and off the wire';
};

like ask('GET', "http://store.example:$port/ok",
         "resolve=store.example:$port:127.0.0.1"), qr/^status=200 /,
    'a name may be given its address';

is join(' ', glob "$dir/*san.*"), '', 'no sanitizer report';
done_testing;
