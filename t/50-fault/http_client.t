# Clients that go away: in the head, in the body, while PostgreSQL is asked,
# while a thread works, and by resetting one stream of HTTP/2.  Nothing stays
# behind, nothing that was not asked for is done, the next one is served.

use strict;
use warnings;
use IO::Socket::INET;
use Podi::Cutter;
use Podi::Proc qw( poll );
use Podi::Work;
use Socket qw( SOL_SOCKET SO_LINGER );
use Test::More;
use Podi::Stack;

my $h2_port = Podi::Stack::free_port();
my $s;
$s = Podi::Stack->new(rewrite => sub {
    my ($file, $text) = @_;
    my $dir = $s->dir;

    return $text if $file ne 'podi-http.conf';
    $text =~ s{host=\S+/sock\b}{host=$dir/cut};
    return $text . "podi_thread_pool threads=1 queue=16;\n"
        . "server { listen 127.0.0.1:$h2_port http2;"
        . " include $dir/conf/podi-server.conf; }\n";
});

$s->start('pg', 'redis');
my $dir = $s->dir . '/cut';
mkdir $dir;
my $cutter = Podi::Cutter->start(
    listen   => "$dir/.s.PGSQL.5432",
    upstream => "$s->{pg}{dir}/sock/.s.PGSQL.5432",
    control  => "$s->{dir}/cut.ctl");
chmod 0777, "$dir/.s.PGSQL.5432";
$s->start('nginx');

my $w = Podi::Work->new($s->db);
my $ann = $s->member('annie', points => 1000);
my $pic = $w->media($ann);
my $order = qq({"inputs":["$pic"],"actions":[{"action":"image.thumbnail"}]});
my $login = '{"login":"annie","password":"a wrong password"}';


sub head
{
    my ($method, $path, $body) = @_;

    return "$method $path HTTP/1.1\r\nHost: localhost\r\n"
        . "Authorization: Bearer $ann->{token}\r\n"
        . (defined $body ? "Content-Type: application/json\r\n"
           . 'Content-Length: ' . length($body) . "\r\n" : '') . "\r\n";
}


sub say_and_go
{
    my ($text, $abort) = @_;
    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $s->{port});

    setsockopt $sock, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0 if $abort;
    print $sock $text;
    $sock->flush;
    return $sock;
}


# connections of clients that nginx still holds
sub clients
{
    my @pids = $s->nginx->pids;

    return scalar Podi::Proc::clients_of(\@pids, $s->{port}, $h2_port);
}


sub metric
{
    my ($name) = @_;
    my ($value) = $s->get('/metrics')->body =~ /^$name (\d+)$/m;

    return $value;
}


sub tasks { scalar $s->sql('select count(*) from podi.task_header') }

my %WHOLE = (
    wallet => head('GET', '/v1/wallet'),
    me     => head('GET', '/v1/me'),
    submit => head('POST', '/v1/tasks', $order) . $order,
    cancel => head('POST', "/v1/tasks/$pic/cancel", '{}') . '{}',
    login  => head('POST', '/v1/auth/login', $login) . $login,
    refresh => head('POST', '/v1/auth/refresh'),
);

# --- in the head and in the body: nothing has been asked yet

for my $abort (0, 1) {
    close say_and_go(substr($WHOLE{submit}, 0, $_), $abort)
        for 10, 80, length($WHOLE{submit}) - length($order),
            length($WHOLE{submit}) - 1;
}
ok poll(10, sub { clients() == 0 }), 'gone in the head or in the body';
is tasks(), 0, 'half an order is no order';

# --- while PostgreSQL is asked

for my $abort (0, 1) {
    $cutter->say('stall');
    my @socks = map { say_and_go($_, $abort) } values %WHOLE, values %WHOLE;
    ok poll(10, sub { clients() == @socks }), 'all of them wait';
    close $_ for @socks;
    ok poll(10, sub { clients() == 0 }), 'gone while PostgreSQL is silent';
    $cutter->say('pass');
    ok poll(20, sub { $s->get('/v1/wallet', as => $ann)->status == 200 }),
        'the next is served';
}

# --- while a thread works or is waited for

my $runs = metric('podi_thread_runs_total');
for my $abort (0, 1) {
    my @socks = map { say_and_go($WHOLE{login}, $abort) } 1 .. 8;

    poll(10, sub { metric('podi_thread_runs_total') > $runs });
    close $_ for @socks;
}
ok poll(20, sub { clients() == 0 && metric('podi_threads_running') == 0
                  && metric('podi_threads_waiting') == 0 }),
    'gone while a password is hashed';
is $s->post('/v1/auth/login', json => {
    login => 'annie', password => 'a wrong password' })->code,
    'bad_credentials', 'the thread takes the next';

# --- half closed: the answer still comes

my $half = say_and_go($WHOLE{wallet} =~ s/\r\n\r\n/\r\nConnection: close\r\n\r\n/r);
is do { local $/; (<$half> // '') =~ m{^HTTP/1.1 200} ? 1 : 0 }, 1,
    'who waits is answered';

# --- a stream of HTTP/2, reset while the others go on

sub frame
{
    my ($type, $flags, $stream, $payload) = @_;

    return pack('Cn', length($payload) >> 16, length($payload) & 0xffff)
        . pack('CCN', $type, $flags, $stream) . $payload;
}


# a literal without indexing, new name; integers of 7 bits and their rest
sub field
{
    my ($name, $value) = @_;
    my $number = sub {
        my ($n) = @_;
        my $out = pack 'C', $n < 127 ? $n : 127;

        return $out if $n < 127;
        $n -= 127;
        while ($n >= 128) {
            $out .= pack 'C', $n % 128 + 128;
            $n = int($n / 128);
        }
        return $out . pack 'C', $n;
    };

    return "\0" . $number->(length $name) . $name
        . $number->(length $value) . $value;
}


sub h2_request
{
    my ($stream, $method, $path, $body) = @_;
    my $fields = join '', map { field(@$_) } [ ':method', $method ],
        [ ':scheme', 'http' ], [ ':path', $path ],
        [ ':authority', 'localhost' ],
        [ 'authorization', "Bearer $ann->{token}" ],
        defined $body ? [ 'content-type', 'application/json' ] : ();

    return frame(1, defined $body ? 4 : 5, $stream, $fields)
        . (defined $body ? frame(0, 1, $stream, $body) : '');
}


# the statuses of streams, read until `n` of them have come
sub h2_answers
{
    my ($sock, $n) = @_;
    my %ended;

    local $SIG{ALRM} = sub { die "no answer\n" };
    alarm 20;
    while (keys %ended < $n && read($sock, my $head, 9) == 9) {
        my ($high, $low, $type, $flags, $stream) = unpack 'CnCCN', $head;
        my $size = $high << 16 | $low;

        read $sock, my $payload, $size if $size;
        $ended{$stream} = 1 if $stream && $flags & 1 && $type <= 1;
        $ended{"reset $stream"} = 1 if $type == 3;
    }
    alarm 0;
    return sort keys %ended;
}

my $before = tasks();
my $h2 = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                               PeerPort => $h2_port);
my $closed_body = '{"inputs":';

$cutter->say('stall');
print $h2 "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" . frame(4, 0, 0, '')
    . h2_request(1, 'GET', '/v1/wallet')
    . h2_request(3, 'POST', '/v1/auth/login', $login)
    . h2_request(5, 'GET', '/v1/tasks')
    . frame(1, 4, 7, join '', map { field(@$_) } [ ':method', 'POST' ],
            [ ':scheme', 'http' ], [ ':path', '/v1/tasks' ],
            [ ':authority', 'localhost' ],
            [ 'authorization', "Bearer $ann->{token}" ],
            [ 'content-type', 'application/json' ])
    . frame(0, 0, 7, $closed_body)
    . h2_request(9, 'GET', '/v1/me');
$h2->flush;
ok poll(10, sub { clients() >= 1 }), 'five streams on one connection';
print $h2 map { frame(3, 0, $_, pack 'N', 8) } 1, 3, 7, 9;
$h2->flush;
$cutter->say('pass');
is_deeply [ h2_answers($h2, 1) ], [5], 'four are reset, the fifth is answered';
print $h2 h2_request(11, 'POST', '/v1/tasks', $order);
$h2->flush;
is_deeply [ h2_answers($h2, 1) ], [11], 'and so is the next';
is tasks(), $before + 1, 'half an order was none here either';

# and reset while threads work
print $h2 map { h2_request($_, 'POST', '/v1/auth/login', $login)
                . frame(3, 0, $_, pack 'N', 8) } 13, 15, 17;
print $h2 h2_request(19, 'POST', '/v1/auth/login', $login);
$h2->flush;
is_deeply [ h2_answers($h2, 1) ], [19], 'the last of four logins is judged';
close $h2;

ok poll(10, sub { clients() == 0 }), 'nobody is left';
is metric('podi_threads_running') + metric('podi_threads_waiting'), 0,
    'no thread either';
is $s->get('/v1/wallet', as => $ann)->json->{frozen}, tasks(),
    'what was asked was done once';

$s->allow_errors(qr/podi: PostgreSQL/);
$s->done;
done_testing;
