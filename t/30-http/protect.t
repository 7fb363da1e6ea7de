# conf/protect-any-service.conf as it ships, but for its ports: a little service
# that knows no passwords is behind it, and is shown to who may see it.

use strict;
use warnings;

use Digest::SHA qw( sha1_base64 );
use IO::Socket::INET;
use IO::Socket::SSL;
use Podi::Proc qw( poll );
use Podi::Stack;
use Podi::Stack::Files;
use Test::More;

my ($service, $service_port) = service();
my ($port, $plain_port) = map { Podi::Stack::free_port() } 1, 2;
my ($s, $conf);

$s = Podi::Stack->new(rewrite => sub {
    my ($file, $text) = @_;

    return $text if $file ne 'podi-http.conf';
    return $text . ($conf = configuration());
});
$s->start;

my $ann = $s->member('annie');
my $boss = $s->member('boss', claims => { rol => 'admin' });
my $at = "https://localhost:$port";


# --- the service -------------------------------------------------------------

sub service
{
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 16)
        or die "service: $@";
    my $pid = fork // die "fork: $!";

    return ($pid, $listen->sockport) if $pid;

    local $SIG{CHLD} = 'IGNORE';

    while (my $client = $listen->accept) {
        next if fork;
        serve($client);
        require POSIX;
        POSIX::_exit(0);
    }
}


sub serve
{
    my ($c) = @_;
    my $head = '';

    $head .= <$c> while $head !~ /\r\n\r\n\z/;
    return echo($c, $head) if $head =~ m{^GET /ws };
    return stream($c, $1) if $head =~ m{^GET /sse\?(\S+) };
    print $c "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n",
        "Connection: close\r\n\r\n$head";
}


# one frame, and back with it
sub echo
{
    my ($c, $head) = @_;
    my ($key) = $head =~ /^Sec-WebSocket-Key: (\S+)/mi;
    my $accept = sha1_base64($key . '258EAFA5-E914-47DA-95CA-C5AB0DC85B11')
        . '=';

    print $c "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n",
        "Connection: Upgrade\r\nSec-WebSocket-Accept: $accept\r\n\r\n";
    $c->flush;
    my ($frame, $text);

    read $c, $frame, 6;
    my ($type, $len, $mask) = unpack 'CCa4', $frame;
    $len &= 0x7f;
    read $c, $text, $len;
    print $c pack('CC', $type, $len), $text ^ substr($mask x $len, 0, $len);
    $c->flush;
}


# the second event comes when the reader of the first says so
sub stream
{
    my ($c, $gate) = @_;

    print $c "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n",
        "Connection: close\r\n\r\ndata: one\n\n";
    $c->flush;
    poll(20, sub { -e $gate });
    print $c "data: two\n\n";
}


# --- in front of it ----------------------------------------------------------

sub configuration
{
    my $text = Podi::Stack::Files::rendered($s, 'protect-any-service.conf');

    $text =~ s/127\.0\.0\.1:800[12]/127.0.0.1:$service_port/g;
    $text =~ s/listen 443/listen 127.0.0.1:$port/;
    $text =~ s/listen 80;/listen 127.0.0.1:$plain_port;/;

    # the lines about nginx's own passwords, as if somebody had wanted them
    my ($own) = $text =~ /^(    location \/ \{.*?^    \}\n)/ms;
    $own =~ s/^( +)#(?=satisfy|auth_basic)/$1/mg;
    $own =~ s{location /}{location /basic/};
    $text =~ s/^(    location \/ \{)/$own\n$1/m;

    Podi::Stack::Files::write_file($s->dir . '/conf/service.htpasswd',
                                   "tool:{PLAIN}secret\n");
    return $text;
}


sub cookie { my ($u, @h) = @_; return { Cookie => "__Host-podi_s=$u->{token}", @h } }


sub ask
{
    my ($method, $path, $headers, %arg) = @_;

    return $s->request($method, "$at$path", headers => $headers,
                       unchecked => 1, %arg);
}


# a connection of its own, and what came up to `until`
sub tls
{
    my (@lines) = @_;
    my $c = IO::Socket::SSL->new(PeerAddr => '127.0.0.1', PeerPort => $port,
        SSL_ca_file => $s->ca, SSL_hostname => 'localhost',
        SSL_verifycn_name => 'localhost', Timeout => 20)
        or die "tls: $SSL_ERROR";

    print $c join("\r\n", @lines, "Host: localhost:$port", '', '');
    return $c;
}


sub read_until
{
    my ($c, $re) = @_;
    my $text = '';

    local $SIG{ALRM} = sub { die "nothing like $re in: $text" };
    alarm 20;
    while ($text !~ $re && sysread $c, my $some, 4096) { $text .= $some }
    alarm 0;
    return $text;
}


my %page = (Accept => 'text/html', 'Sec-Fetch-Mode' => 'navigate');

subtest 'nobody' => sub {
    my $res = ask(GET => '/notes?id=1', \%page);

    is $res->status, 302, 'a person is led';
    is $res->header('location'), '/podi/login?next=%2Fnotes%3Fid%3D1',
        '... to the login page';
    is ask(GET => '/podi/login?next=/notes', \%page)->status, 200,
        '... which is there';
    is ask(GET => '/api/x', {})->status, 401, 'a program is told 401';
    is ask(GET => '/notes', { 'X-Podi-User' => 'me' })->status, 401,
        'whatever it says of itself';
    is $s->get("http://127.0.0.1:$plain_port/a?b", unchecked => 1)->header(
        'location'), 'https://127.0.0.1/a?b', 'and there is only https';
};

subtest 'signing in' => sub {
    my $mei = $s->register('mei');
    my $res = ask(POST => '/v1/auth/login', {}, json => {
        login => 'mei', password => $mei->{password} });
    my $jar = $res->cookies;

    is $res->status, 200, 'with a password';
    is ask(GET => '/', { Cookie => "__Host-podi_s=$jar->{'__Host-podi_s'}",
                         %page })->status, 200, 'the cookie lets in';
    is ask(POST => '/v1/auth/refresh', { Cookie =>
        "__Secure-podi_rt=$jar->{'__Secure-podi_rt'}",
        'Sec-Fetch-Site' => 'same-origin' })->status, 200,
        'and is made again, as the login page does on arrival';
};

subtest 'somebody' => sub {
    my $res = ask(GET => '/notes', cookie($ann, 'X-Podi-User' => 'me'));

    is $res->status, 200, 'is let in';
    like $res->body, qr/^X-Podi-User: \Q$ann->{user_id}\E\r$/mi,
        'the service is told who it is';
    unlike $res->body, qr/\Q$ann->{token}\E/, 'but not by which token';
    like $res->body, qr/^X-Forwarded-Proto: https\r$/mi, 'and how';
    is $res->header('x-content-type-options'), 'nosniff', 'with safe headers';
    is $res->header('ratelimit-policy') ? 1 : 0, 1, 'and a limit';

    is ask(GET => '/api/x', cookie($ann))->status, 200, 'the other port, too';
    is ask(GET => '/admin/', cookie($ann))->status, 403, 'no admin';
    is ask(GET => '/admin/', cookie($boss))->status, 200, 'an admin';
};

subtest 'other sites' => sub {
    my @post = (POST => '/api/x');
    my %form = (body => 'a=b', type => 'application/x-www-form-urlencoded');

    is ask(@post, cookie($ann, 'Sec-Fetch-Site' => 'same-origin'),
           %form)->status, 200, 'a page of the service posts';
    is ask(@post, cookie($ann, 'Sec-Fetch-Site' => 'cross-site'),
           %form)->code, 'csrf_refused', 'another site does not';
    is ask(@post, cookie($ann, Origin => 'https://evil.example'),
           %form)->code, 'csrf_refused', 'nor in an older browser';
    is ask(@post, { Authorization => "Bearer $ann->{token}" }, %form)->status,
        200, 'a program has no site';
};

subtest 'uploads' => sub {
    my $c = tls('POST /api/x HTTP/1.1', 'Content-Length: 60000000',
                "Authorization: Bearer $ann->{token}");

    like read_until($c, qr/\r\n\r\n/), qr{^HTTP/1.1 413 }, 'have a bound';
};

subtest 'WebSocket' => sub {
    my @ask = ('GET /ws HTTP/1.1', 'Upgrade: websocket', 'Connection: Upgrade',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        'Sec-WebSocket-Version: 13');
    my @who = "Cookie: __Host-podi_s=$ann->{token}";
    my $c = tls(@ask, @who, "Origin: https://localhost:$port");

    like read_until($c, qr/\r\n\r\n/),
        qr{^HTTP/1.1 101 .*s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=}s, 'opens';
    print $c pack('CCa4', 0x81, 0x85, 'mask'), 'hello' ^ 'maskm';
    like read_until($c, qr/hello/), qr/\x81\x05hello/, 'and echoes';

    like read_until(tls(@ask), qr/\r\n\r\n/), qr{^HTTP/1.1 401 }, 'not for nobody';
    like read_until(tls(@ask, @who, 'Origin: https://evil.example'),
                    qr/\r\n\r\n/), qr{^HTTP/1.1 403 }, 'nor for another site';
};

subtest 'events' => sub {
    my $gate = $s->dir . '/tmp/gate';
    my $c = tls("GET /sse?$gate HTTP/1.1", 'Accept: text/event-stream',
                "Cookie: __Host-podi_s=$ann->{token}");

    unlike read_until($c, qr/data: one/), qr/data: two/, 'the first comes alone';
    Podi::Stack::Files::write_file($gate, '');
    like read_until($c, qr/data: two/), qr/data: two/, 'and then the second';
    unlink $gate;
};

subtest 'nginx has passwords of its own' => sub {
    is ask(GET => '/basic/', { Authorization => 'Basic dG9vbDpzZWNyZXQ=' })
        ->status, 200, 'a program with one is let in';
    is ask(GET => '/basic/', cookie($ann))->status, 200, 'so is a session';
    is ask(GET => '/basic/', { Authorization => 'Basic dG9vbDp3cm9uZw==' })
        ->status, 401, 'a wrong one is not';
    is ask(GET => '/basic/', {})->status, 401, 'nor is nobody';
};

subtest 'accounts' => sub {
    my $open = $conf =~ /location = \/v1\/auth\/register \{\s+allow 127\.0\.0\.1;\s+deny all;/;

    ok $open, 'are made on this machine only';
    is ask(POST => '/v1/auth/register', {}, json => { login => 'new',
        password => 'a password of new', display_name => 'New' })->status,
        201, 'where it works';
};

kill TERM => $service;
waitpid $service, 0;
$s->allow_errors(qr/too large body: 60000000/, qr/user "tool": password/);
$s->done;
done_testing;
