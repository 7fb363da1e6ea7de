# GET /v1/wallet/export of 50,000 rows: nginx's memory stays as it is, a slow
# client makes it wait, one that goes away ends it, and when PostgreSQL fails in
# the middle the answer is cut and does not end as if it were whole.

use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use Socket qw( SOL_SOCKET SO_RCVBUF inet_aton pack_sockaddr_in );
use Podi::Cutter;
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


# the request is sent, nothing of the answer is read
sub ask
{
    my ($version, %option) = @_;
    my $socket = IO::Socket::INET->new(Proto => 'tcp') or die $!;

    setsockopt $socket, SOL_SOCKET, SO_RCVBUF, pack('i', 8192) or die $!;
    $socket->connect(pack_sockaddr_in($port, inet_aton('127.0.0.1')))
        or die $!;
    syswrite $socket, "GET /v1/wallet/export?format=jsonl HTTP/$version\r\n"
        . "Host: localhost\r\nAuthorization: Bearer $ann->{token}\r\n"
        . "Connection: close\r\n\r\n";
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


sub rows { return scalar(() = $_[0] =~ /"seq":/g) }

my $lots = 1 << 30;

# --- whole, and in constant memory

my ($first) = take(ask('1.1'), $lots);
is rows($first), $ROWS, 'every row comes';
like $first, qr/\r\n0\r\n\r\n\z/, 'and the answer says that it is whole';

my $before = memory();
for (1 .. 4) {
    my ($text) = take(ask('1.1'), $lots);
    is rows($text), $ROWS, 'again';
}
my $grown = memory() - $before;
cmp_ok $grown, '<', 2048, "nginx has not grown with it ($grown KiB)";

my ($old, $end) = take(ask('1.0'), $lots);
is rows($old), $ROWS, 'HTTP/1.0 gets every row';
is $end, 'closed', 'and the end of the connection is the end';

# --- a client that does not read is waited for, in little memory

$before = memory();
my @slow = map { ask('1.1') } 1 .. 20;
my @said = map { (take($_, 1000))[0] } @slow;
is scalar(grep { /\AHTTP\/1\.1 200/ } @said), 20, 'all are being served';
$grown = memory() - $before;
cmp_ok $grown, '<', 20 * 1024, "twenty wait in $grown KiB";

my ($rest) = take($slow[1], $lots);
is rows($said[1] . $rest), $ROWS, 'one that reads late has every row';

# --- a client that goes away

close $_ for @slow;
ok poll(20, sub { $s->get('/v1/wallet', as => $ann)->status == 200 }),
   'nginx serves on when they are gone';

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
