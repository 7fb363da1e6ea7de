# Reload, kill -9 of a worker, quick stop: with requests in flight at each wait.

use strict;
use warnings;
use IO::Socket::INET;
use Podi::Cutter;
use Podi::Proc qw( poll gone );
use Podi::Work;
use Test::More;
use Podi::Stack;

my $s;
$s = Podi::Stack->new(rewrite => sub {
    my ($file, $text) = @_;
    my $dir = $s->dir;

    return $text if $file ne 'podi-http.conf';
    $text =~ s{host=\S+/sock\b}{host=$dir/cut};
    return $text . "podi_thread_pool threads=1 queue=16;\n";
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
my $ann = $s->register('annie');
$s->login($ann);
$s->grant($ann, 1000);
my $pic = $w->media({ tenant => $s->{tenant_id}, user => $ann->{user_id} });
my $order = qq({"inputs":["$pic"],"actions":[{"action":"image.thumbnail"}]});
my $login = qq({"login":"annie","password":"$ann->{password}"});


sub ask
{
    my ($method, $path, $body, $key) = @_;
    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $s->{port});

    print $sock "$method $path HTTP/1.1\r\nHost: localhost\r\n"
        . "Authorization: Bearer $ann->{token}\r\nConnection: close\r\n"
        . (defined $key ? "Idempotency-Key: $key\r\n" : '')
        . (defined $body ? "Content-Type: application/json\r\n"
           . 'Content-Length: ' . length($body) . "\r\n" : '')
        . "\r\n" . ($body // '');
    $sock->flush;
    return $sock;
}


sub status
{
    my ($sock) = @_;
    my $text = do { local $/; <$sock> } // '';

    return $text =~ m{^HTTP/1.1 (\d+)} ? $1 : 'cut';
}


sub clients
{
    my @pids = $s->nginx->pids;

    return scalar Podi::Proc::clients_of(\@pids, $s->{port});
}


sub in_flight
{
    my ($tag) = @_;

    return (ask('GET', '/v1/wallet'), ask('GET', '/v1/me'),
            ask('POST', '/v1/tasks', $order, "$tag-1"),
            ask('POST', '/v1/tasks', $order, "$tag-2"),
            ask('POST', '/v1/auth/login', $login));
}


sub serves
{
    my ($what) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok poll(20, sub { $s->get('/v1/wallet', as => $ann)->status == 200 }),
        "$what: the next is served";
}

# --- reload: old workers end what they have begun

$cutter->say('stall');
my @socks = in_flight('reload');
ok poll(10, sub { clients() == @socks }), 'five requests wait';
my @old = $s->nginx->workers;
$s->nginx->reload;
$cutter->say('pass');
is_deeply [ map { status($_) } @socks ], [ 200, 200, 201, 201, 200 ],
    'a reload loses none of them';
serves('reload');
ok poll(20, sub { !grep { !gone($_) } @old }), 'then the old workers end';

# --- reloads while logins are hashed

@socks = map { ask('POST', '/v1/auth/login', $login) } 1 .. 6;
@old = $s->nginx->workers;
$s->nginx->reload;
is_deeply [ map { status($_) } @socks ], [ (200) x 6 ],
    'a reload loses no login';
ok poll(20, sub { !grep { !gone($_) } @old }), 'and the old workers end';

# --- kill -9 of the workers while they wait and while they hash

$cutter->say('stall');
@socks = in_flight('kill');
ok poll(10, sub { clients() == @socks }), 'five requests wait';
@old = $s->nginx->workers;
kill 'KILL', @old;
is_deeply [ map { status($_) } @socks ], [ ('cut') x 5 ],
    'killed workers answer nobody';
$cutter->say('pass');
serves('killed');
ok poll(10, sub { $s->nginx->workers == 2 }), 'two new workers';

for my $n (1, 2) {
    my $res = $s->post('/v1/tasks', as => $ann, key => "kill-$n", body => $order,
                       type => 'application/json');
    like $res->status, qr/^20[01]$/, 'asked again with its key';
}

for my $round (1 .. 3) {
    @socks = map { ask('POST', '/v1/auth/login', $login) } 1 .. 4;
    poll(5, sub { ($s->get('/metrics')->body
                   =~ /^podi_threads_running (\d+)$/m)[0] });
    kill 'KILL', $s->nginx->workers;
    status($_) for @socks;
    ok poll(20, sub { $s->post('/v1/auth/login', body => $login, unchecked => 1,
                               type => 'application/json')->status == 200 }),
        "round $round: a dead worker's thread does not hold the core";
}

is scalar($s->sql('select count(*) from podi.task_header')), 4,
    'each key is one task';
is $s->get('/v1/wallet', as => $ann)->json->{frozen}, 4, 'and one price';

$s->allow_errors(qr/podi: PostgreSQL/, qr/exited on signal 9/);
$s->done;
done_testing;
