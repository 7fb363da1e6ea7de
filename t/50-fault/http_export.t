# GET /v1/wallet/export of 50,000 rows: nginx's memory stays as it is, a slow
# client makes it wait, one that goes away ends it, over HTTP/2 as well; and when
# PostgreSQL fails in the middle, or the session or the token ends, the answer is
# cut and does not end as if it were whole.

use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use Socket qw( SOL_SOCKET SO_RCVBUF inet_aton pack_sockaddr_in );
use Podi::Cutter;
use Podi::H2;
use Podi::Proc qw( poll );
use Test::More;
use Podi::Stack;

my $ROWS = 50_000;
my $port;
my $s;

$s = Podi::Stack->new(server => "podi_deadline 2s;\n", rewrite => sub {
    my ($file, $text) = @_;
    my $cut = $s->dir . '/cut';

    $text =~ s{host=\S+/sock\b}{host=$cut} if $file eq 'podi-http.conf';
    return $text;
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

($port) = $s->url =~ /:(\d+)/;

my $ann = $s->member('annie');
$s->grant($ann, 1);
$s->sql('set session_replication_role = replica');
$s->sql('insert into podi.ledger (tenant_id, wallet_id, seq, op, debit, credit,'
        . ' amount, available_after, held_after, idem, reason, key_id, hash)'
        . ' select l.tenant_id, l.wallet_id, n, l.op, l.debit, l.credit, 1, n,'
        . " 0, 'n' || n, repeat('x', 100), l.key_id, l.hash"
        . ' from podi.ledger l, podi.wallet w, generate_series(2, ?) n'
        . ' where w.wallet_id = l.wallet_id and w.user_id = ? and l.seq = 1',
        $ROWS, $ann->{user});
$s->sql('set session_replication_role = origin');
$s->sql('analyze podi.ledger');


# the resident kilobytes of all workers
sub memory
{
    my $sum = 0;

    for my $pid ($s->nginx->workers) {
        open my $in, '<', "/proc/$pid/status" or next;
        $sum += $_ for map { /^VmRSS:\s+(\d+)/ } <$in>;
    }

    return $sum || die "no memory is told";
}


# nginx has grown by less than so many KiB since then
sub flat
{
    my ($then, $most, $name) = @_;

    SKIP: {
        skip 'the sanitizer keeps what was freed', 1 if $ENV{SAN};
        my $grown = memory() - $then;
        cmp_ok $grown, '<', $most, "$name ($grown KiB)";
    }
}


# the request is sent, nothing of the answer is read
sub ask
{
    my ($version, %option) = @_;
    my $socket = IO::Socket::INET->new(Proto => 'tcp') or die $!;

    setsockopt $socket, SOL_SOCKET, SO_RCVBUF, pack('i', 8192) or die $!;
    $socket->connect(pack_sockaddr_in($port, inet_aton('127.0.0.1')))
        or die $!;
    syswrite $socket, "GET /v1/wallet/export?format=jsonl HTTP/$version\r\n"
        . "Host: localhost\r\nAuthorization: Bearer "
        . ($option{token} // $ann->{token}) . "\r\nConnection: close\r\n\r\n";
    return $socket;
}


# what comes within so many seconds of silence, until $enough bytes are there;
# also how it ended: closed, reset or not at all
sub take
{
    my ($socket, $enough) = @_;
    my ($text, $end) = ('', 'silent');

    while (length $text < $enough) {
        IO::Select->new($socket)->can_read(20) or last;
        my $n = sysread $socket, $text, 65536, length $text;

        if (!$n) {
            $end = defined $n ? 'closed' : 'reset';
            last;
        }
    }

    return ($text, $end);
}


# the same over HTTP/2, as far as the first window goes
sub ask2
{
    my $h2 = Podi::H2->new($s);
    my $id = $h2->open('GET', '/v1/wallet/export?format=jsonl',
                       { authorization => "Bearer $ann->{token}" });

    return ($h2, $id);
}


# another session of the same user, as a token
sub token
{
    my (%claims) = @_;
    my $session = $s->db->uuid;

    $s->db->{web}->one($s->db->anon($s->{tenant_id}),
        'select * from api.session_open(?, ?, ?, ?, ?, ?, ?)', $session,
        $ann->{user}, 'local', 'test', '127.0.0.0/24', 3600_000, 86400_000);
    return $s->token({ %$ann, session => $session }, %claims);
}


sub rows { return scalar(() = $_[0] =~ /"seq":/g) }

my $lots = 1 << 30;

# --- whole, and in constant memory

my ($first) = take(ask('1.1'), $lots);
is rows($first), $ROWS, 'every row comes';
like $first, qr/\r\n0\r\n\r\n\z/, 'and the answer says that it is whole';

my $before = memory();
for (1 .. 2) {
    my ($text) = take(ask('1.1'), $lots);
    is rows($text), $ROWS, 'again';
}
flat($before, 2048, 'nginx has not grown with it');

my ($old, $end) = take(ask('1.0'), $lots);
is rows($old), $ROWS, 'HTTP/1.0 gets every row';
is $end, 'closed', 'and the end of the connection is the end';

# --- a client that does not read is waited for, in little memory

$before = memory();
my @slow = map { ask('1.1') } 1 .. 8;
my @said = map { (take($_, 1000))[0] } @slow;
is scalar(grep { /\AHTTP\/1\.1 200/ } @said), 8, 'all are being served';
flat($before, 8 * 1024, 'eight wait');

my ($rest) = take($slow[1], $lots);
is rows($said[1] . $rest), $ROWS, 'one that reads late has every row';

# --- a client that goes away

close $_ for @slow;
ok poll(20, sub { $s->get('/v1/wallet', as => $ann)->status == 200 }),
   'nginx serves on when they are gone';

# --- HTTP/2

$before = memory();
my @late = map { [ ask2() ] } 1 .. 8;
is scalar(grep { $_->[0]->status($_->[1]) == 200 } @late), 8,
   'eight are being served over HTTP/2';
ok length($_->[0]->text($_->[1], qr/\A.{60000}/s)) >= 60_000,
   'as far as a window goes' for @late[0, 1];
flat($before, 8 * 1024, 'and wait');
$before = memory();
is rows($late[1][0]->take($late[1][1], $lots)), $ROWS,
   'one that reads late has every row';
is $late[1][0]->end($late[1][1]), 'whole', 'and the end';
flat($before, 2048, 'in constant memory');
$late[2][0]->reset($late[2][1]);
$_->[0]->close for @late;
ok poll(20, sub { $s->get('/v1/wallet', as => $ann)->status == 200 }),
   'nginx serves on when they are gone';

# --- the session ends, or the token does

sub is_cut
{
    my ($socket, $begun, $what) = @_;
    my ($text, $how) = take($socket, $lots);

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    cmp_ok rows($begun . $text), '<', $ROWS, "$what: it is cut";
    unlike $text, qr/\r\n0\r\n\r\n\z/, 'without the last chunk';
    is $how, 'closed', 'so the client knows';
    return;
}

my $token = token();
my $socket = ask('1.1', token => $token);
my ($begun) = take($socket, 1000);
is $s->post('/v1/auth/logout', as => { token => $token })->status, 204,
   'a user logs out while his export goes on';
is_cut($socket, $begun, 'logged out');

$token = token(exp => time + 3);
$socket = ask('1.1', token => $token);
($begun) = take($socket, 1000);
like $begun, qr/ 200 /, 'a token that is about to expire';
ok poll(20, sub { $s->get('/v1/wallet', as => { token => $token })->status
                  == 401 }), 'does so';
is_cut($socket, $begun, 'expired');

# --- PostgreSQL goes away in the middle

for my $version ('1.1', '1.0') {
    my $socket = ask($version);
    my ($begun) = take($socket, 1000);

    like $begun, qr/ 200 /, "HTTP/$version: it has begun";
    $cutter->say('refuse');
    $cutter->say('reset');
    my ($text, $how) = take($socket, $lots);

    cmp_ok rows($begun . $text), '<', $ROWS, 'it is cut';
    unlike $text, qr/\r\n0\r\n\r\n\z/, 'without the last chunk';
    is $how, $version eq '1.0' ? 'reset' : 'closed', 'so the client knows';
    $cutter->say('pass');
    chmod 0777, "$dir/.s.PGSQL.5432";
    ok poll(20, sub { $s->get('/v1/wallet', as => $ann)->status == 200 }),
       'and nginx is well';
}

# --- and before it begins

$cutter->say('refuse');
$cutter->say('reset');
my $res = $s->get('/v1/wallet/export', as => $ann);
is $res->status, 503, 'an answer that has not begun is a refusal';
ok $res->header('retry-after'), 'with Retry-After';
$cutter->say('pass');
chmod 0777, "$dir/.s.PGSQL.5432";

$s->sql('set session_replication_role = replica');
$s->sql('delete from podi.ledger where seq > 1');
$s->sql('set session_replication_role = origin');
$s->allow_errors(qr/podi: PostgreSQL/);
$s->done;
done_testing;
