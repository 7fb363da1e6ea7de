# A worker that dies, or stands still, while it writes into the cache of tokens:
# the others serve on, nobody reads what it left, and its place is used again.

use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use Podi::Points;
use Podi::Proc qw( poll gone );
use Test::More;

my ($s, $points) = Podi::Points->stack(
    http => "podi_token_cache 32k l1=4;\n", server => <<'CONF');

location = /guarded {
    podi_auth on;
    add_header X-Pid $pid always;
    add_header X-User $podi_user always;
    empty_gif;
}
CONF

$s->start;
$s->allow_errors(qr/shared memory zone "podi_token_1" was locked by/);

my @who = map { $s->member($_) } qw( annie bobby carol );


sub connected
{
    return IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                 PeerPort => $s->{port});
}


sub ask
{
    my ($sock, $token) = @_;

    print $sock "GET /guarded HTTP/1.1\r\nHost: localhost\r\n"
        . "Authorization: Bearer $token\r\n\r\n";
    $sock->flush;
}


# status or code, user, pid; '' when it was cut
sub answer
{
    my ($sock) = @_;
    my ($head, $body) = ('', '');

    $head .= <$sock> // return '' until $head =~ /\r\n\r\n\z/;
    read $sock, $body, $1 if $head =~ /^Content-Length: (\d+)/mi;

    my ($status) = $head =~ m{^HTTP/1.1 (\d+)};
    my ($code) = $body =~ /"code":"(\w+)"/;
    my ($user) = $head =~ /^X-User: (\S+)/m;
    my ($pid) = $head =~ /^X-Pid: (\d+)/m;

    return ($code // $status, $user // '', $pid);
}


# a connection to each of so many workers, by pid
sub to_workers
{
    my ($n) = @_;
    my %conn;

    poll(20, sub {
        my $sock = connected();
        $sock->timeout(1);
        my $sel = IO::Select->new($sock);

        ask($sock, $who[0]{token});
        return 0 if !$sel->can_read(0.5);
        my $pid = (answer($sock))[2] // return 0;
        $conn{$pid} //= $sock;
        return keys %conn == $n;
    }) or die 'a worker does not answer';
    return \%conn;
}


# "status right" of so many fresh tokens, each asked for twice, anywhere
sub served
{
    my ($conn, $n, @of) = @_;
    my %said;

    @of = @who if !@of;
    for my $i (1 .. $n) {
        my $who = $of[$i % @of];
        my $token = $s->token($who);

        for my $sock ((values %$conn) x 2) {
            ask($sock, $token);
            my ($status, $user) = answer($sock);
            $said{ $status . ($user eq $who->{user_id} ? ' right' : ' wrong') }
                = 1;
        }
    }
    return join ', ', sort keys %said;
}


sub count
{
    my ($name) = @_;

    return ($s->get('/metrics')->body
            =~ /^podi_auth_cache_${name}_total (\d+)$/m)[0];
}


# --- killed half-way, with the lock, in the place of another's entry

my $conn = to_workers(2);
is served($conn, 100, $who[0]), '200 right', 'all places are taken';
my ($doomed, $other) = sort keys %$conn;
my $token = $s->token($who[1]);

$points->arm('cache_write', 'kill');
ask($conn->{$doomed}, $token);
is $points->wait('cache_write'), $doomed, 'a worker dies while it writes an entry';
is answer($conn->{$doomed}), '', 'its request with it';
ask($conn->{$other}, $token);
is_deeply [ (answer($conn->{$other}))[0, 1] ], [ 200, $who[1]{user_id} ],
    'another serves the same token';
is served({ $other => $conn->{$other} }, 20), '200 right',
    'and others, each as whose it is';

$conn = to_workers(2);
ok !$conn->{$doomed}, 'a new worker has come';
my $before = count('l2_hits');
is served($conn, 20), '200 right', 'both serve';
cmp_ok count('l2_hits') - $before, '>=', 15, 'what one has verified, both know';

# --- stopped there: it holds the lock and nobody can know

($doomed, $other) = sort keys %$conn;
$points->arm('cache_write', 'pause');
ask($conn->{$doomed}, $s->token($who[2]));
is $points->wait('cache_write'), $doomed, 'a worker stands still with the lock';
is served({ $other => $conn->{$other} }, 20), '200 right',
    'the other does not wait for it';
kill 'KILL', $doomed;
ok poll(10, sub { gone($doomed) }), 'it is killed';

$conn = to_workers(2);
$before = count('l2_hits');
is served($conn, 20), '200 right', 'both serve';
cmp_ok count('l2_hits') - $before, '>=', 15, 'and share again';

# --- killed at any moment, with requests under way

my %said;

for (1 .. 3) {
    my %token = map { $s->token($_) => $_->{user_id} } (@who) x 8;
    my @open = map { [ connected(), $_ ] } keys %token;

    ask(@$_) for @open;
    kill 'KILL', ($s->nginx->workers)[0];
    for my $o (@open) {
        my ($status, $user) = answer($o->[0]);
        $said{$status eq '' ? 'cut' : "$status "
              . ($user eq $token{ $o->[1] } ? 'right' : 'wrong')} = 1;
    }
    to_workers(2);
}
delete $said{cut};
is join(', ', sort keys %said), '200 right',
    'who is answered is answered right';

undef $conn;
$s->done;
done_testing;
