#!/usr/bin/perl

# The ledger's keyed chain: every change to a row is found, where it is; keys
# may change and stay; and what the books cannot have is refused by its code.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Digest::SHA qw(hmac_sha256_hex);
use File::Temp;
use Test::More;

use Podi::Purse;
use Podi::Sql;

my $db = Podi::Sql->new;
my $super = $db->super;
my $worker = $db->login('podi_worker');
my $ctl = $db->login('podi_ctl');
my $purse = Podi::Purse->new($db);
my $acme = $db->tenant('acme');
my ($ann, $bob) = map { $db->user($acme, $_) } qw(ann bob);

my $VERIFY = 'select * from sys.ledger_verify(?, ?, ?, ?)';


sub verify
{
    my ($who, $after) = @_;
    my $row = $worker->one(undef, $VERIFY, $purse->wallet($who), $after, undef,
                           undef);

    return join ' ', $row->{checked}, $row->{seq} // '-', $row->{fault} // 'good';
}


$db->grant($_, 1000, ref => 'a|b', reason => 'c|d') for $ann, $bob;
for my $who ($ann, $bob) {
    for (1 .. 3) {
        my $hold = $purse->freeze($who, 10);
        $purse->settle([$hold, 10, 4]);
    }
}

# --- what a row's hash is --------------------------------------------------

my $rows = $super->all(undef, <<'SQL', $purse->wallet($ann));
    select l.*, encode(l.hash, 'hex') as hex,
           (extract(epoch from l.at) * 1000000)::bigint as us
      from podi.ledger l where l.wallet_id = ? order by l.seq
SQL
my ($before, $wrong) = ('', 0);
for my $r (@$rows) {
    my $text = join '|', 'l1', @$r{qw(tenant_id wallet_id seq op debit credit
        amount available_after held_after)}, $r->{hold_id} // 0,
        $r->{task_id} // '', $r->{job_id} // '', $r->{lot_id} // 0, $r->{us},
        '', length($r->{ref} // '') || -1, length($r->{reason} // '') || -1,
        $r->{ref} // '', $r->{reason} // '', $r->{idem};

    $before = hmac_sha256_hex($before . $text, pack 'H*', $Podi::Pg::CHAIN_KEY);
    $wrong++ if $before ne $r->{hex};
    $before = pack 'H*', $before;
}
is("$wrong of " . @$rows, '0 of 10', 'the chain is what it is said to be');
is($super->value(undef, 'select head from podi.wallet where wallet_id = ?',
                 $purse->wallet($ann)), $rows->[-1]{hash},
   'and the wallet knows its end');
is(verify($ann), '10 - good', 'it verifies');
is(verify($ann, 4), '6 - good', 'from any row');
is_deeply([map { "$_->{checked} " . ($_->{fault} // 'good') }
               @{ $worker->all(undef, $VERIFY, undef, undef, undef, 99) }],
          ['10 good', '10 good'], 'and that of all wallets');
is_deeply([map { $_->{wallet_id} } @{ $worker->all(undef, $VERIFY, undef, undef,
               (sort map { $purse->wallet($_) } $ann, $bob)[0], 9) }],
          [(sort map { $purse->wallet($_) } $ann, $bob)[1]], 'in turn');

# the slices of a verification, "checked next fault" each, and the calls it took
sub slices
{
    my ($limit) = @_;
    my ($after, $wallet, @slice, $calls);

    while (++$calls < 99) {
        my $rows = $worker->all(undef, $VERIFY, undef, $after, $wallet, $limit);
        last if !@$rows;
        push @slice, map { join ' ', $_->{checked}, $_->{next_seq} // '-',
                                     $_->{fault} // 'good' } @$rows;
        ($after, $wallet) = @{ $rows->[-1] }{qw(next_seq wallet_id)};
    }
    return ($calls, @slice);
}


is_deeply([slices(4)], [6, '4 4 good', '4 8 good', '2 - good',
              '2 2 good', '4 6 good', '4 - good'],
          'in slices of so many rows');
is_deeply([slices(15)], [3, '10 - good', '5 5 good', '5 - good'],
          'over wallets');
is_deeply([slices(10)], [3, ('10 - good') x 2], 'that end where a wallet does');
is_deeply([@{ $worker->one(undef, $VERIFY, $purse->wallet($ann), 3, undef, 5) }{
               qw(checked next_seq fault)}], [5, 8, undef], 'of one wallet, too');
$worker->refused('U0404', undef, $VERIFY, $db->uuid, (undef) x 3, 'no wallet');


# --- what a row may say ----------------------------------------------------

my %account = map { $_ => 1 } qw(granted available held revenue lapsed adjusted);
my @legal = grep {
    my ($op, $debit, $credit) = split;

    $super->value(undef, 'select internal.ledger_legal(?, ?, ?)', $op, $debit,
                  $credit);
} map { my $op = $_; map { my $from = $_; map { "$op $from $_" } sort keys %account }
        sort keys %account }
  qw(grant freeze confirm release lapse refund adjust else);
is_deeply([sort @legal], [sort 'grant granted available', 'freeze available held',
    'confirm held revenue', 'release held available', 'lapse available lapsed',
    'refund revenue available', 'adjust adjusted available',
    'adjust available adjusted'], 'each operation has its accounts');
$super->refused('23514', undef, q{insert into podi.ledger (tenant_id, wallet_id,}
    . q{ seq, op, debit, credit, amount, available_after, held_after, idem, key_id,}
    . q{ hash) values (?, ?, 99, 'grant', 'held', 'available', 1, 1, 0, 'x', 'test',}
    . q{ sha256(''))}, $acme, $purse->wallet($ann), 'and no other is written');


# --- every change is found -------------------------------------------------

my $w = $purse->wallet($ann);
for my $plant (
    ['gap',       5, "delete from podi.ledger where wallet_id = '$w' and seq = 4"],
    ['wallet',   10, "delete from podi.ledger where wallet_id = '$w' and seq = 10"],
    ['balance',   3, "set amount = amount + 1 where seq = 3"],
    ['balance',   5, "set available_after = available_after + 1 where seq = 5"],
    ['balance',   5, "set held_after = held_after + 1 where seq = 5"],
    ['unchained', 7, "set hash = null, key_id = null where seq = 7"],
    ['hash',      2, "set hash = null, key_id = null where seq = 1"],
    ['hash',      6, "set hash = sha256('') where seq = 6"],
    (map { ['hash', 6, "set $_ where seq = 6"] }
         "op = 'adjust'", "credit = 'lapsed'", 'hold_id = 7', 'task_id = null',
         'job_id = null', 'lot_id = 9', "at = at + interval '1 us'",
         "body_hash = 'x'", "idem = 'x'", "ref = 'x'", "reason = 'x'"),
    ['hash',      1, "set ref = 'a', reason = 'b|c|d' where seq = 1"],
) {
    my ($fault, $seq, $sql) = @$plant;
    my $columns = $db->columns('podi.ledger');

    $sql = "update podi.ledger $sql and wallet_id = '$w'" if $sql =~ /^set/;
    $super->run('set session_replication_role = replica');
    $super->run("alter table podi.ledger drop constraint if exists $_")
        for qw(entry_legal_ck);
    $super->run('create temp table kept as table podi.ledger');
    cmp_ok($super->dbh->do($sql), '==', 1, "planted: $sql");
    like(verify($ann), qr/^\d+ $seq $fault$/, "... is a $fault at $seq");
    is(verify($bob), '10 - good', '... of nobody else');
    $super->run('delete from podi.ledger');
    $super->run("insert into podi.ledger ($columns) select $columns from kept");
    $super->run('drop table kept');
    $super->run('set session_replication_role = origin');
}

for my $column (qw(available held seq)) {
    $super->run("update podi.wallet set $column = $column + 1 where wallet_id = ?",
                $w);
    like(verify($ann), qr/ wallet$/, "another $column in the wallet is found");
    $super->run("update podi.wallet set $column = $column - 1 where wallet_id = ?",
                $w);
}
is(verify($ann), '10 - good', 'all is well again');


# --- what the books cannot have --------------------------------------------

$super->run('update podi.wallet set seq = seq - 1 where wallet_id = ?', $w);
is($purse->state_of(sub { $purse->freeze($ann, 1) }), 'U0427',
   'a ledger that is ahead of its wallet takes no row: ledger_forked');
$super->run('update podi.wallet set seq = seq + 1 where wallet_id = ?', $w);

my @pair = map { $purse->freeze($_, 10) } $ann, $bob;
$super->run('update podi.wallet set seq = seq - 1 where wallet_id = ?', $w);
is($purse->state_of(sub { $purse->settle([$_, 10, 10]) }), 'U0427', "nor $_")
    for $pair[0];
is($purse->state_of(sub { $purse->settle(map { [$_, 10, 10] } @pair) }), 'U0427',
   'nor a batch');
$super->run('update podi.wallet set seq = seq + 1 where wallet_id = ?', $w);
$super->run('update podi.hold_alloc set amount = 9 where hold_id = ?', $pair[1]);
is($purse->state_of(sub { $purse->settle(map { [$_, 10, 10] } @pair) }), 'U0426',
   'lots that do not add up to one hold refuse a batch');
$super->run('update podi.hold_alloc set amount = 10 where hold_id = ?', $pair[1]);
$purse->settle(map { [$_, 10, 10] } @pair);

$super->run('update podi.lot set avail = avail - 5, lapsed = lapsed + 5'
            . ' where wallet_id = ?', $w);
is($purse->state_of(sub { $purse->freeze($ann, 978) }), 'U0426',
   'lots that do not add up to the wallet: lot_mismatch');
$super->run('update podi.lot set avail = avail + 5, lapsed = lapsed - 5'
            . ' where wallet_id = ?', $w);

my $hold = $purse->freeze($ann, 10);
$super->run('update podi.hold_alloc set amount = 9 where hold_id = ?', $hold);
is($purse->state_of(sub { $purse->settle([$hold, 10, 10]) }), 'U0426',
   'nor a hold whose allocations do not add up to it');
$super->run('update podi.hold_alloc set amount = 10 where hold_id = ?', $hold);
$purse->settle([$hold, 10, 10]);
$purse->books;


# --- keys ------------------------------------------------------------------

my $first = $super->value(undef, 'select key_id from podi.chain_key');
$super->run(q{insert into podi.chain_key (key_id, ipad, opad, newest)}
            . q{ select 'second', opad, ipad, false from podi.chain_key});
$super->run(q{update podi.chain_key set newest = false where newest});
$super->run(q{update podi.chain_key set newest = true where key_id = 'second'});
$purse->freeze($ann, 1);
is_deeply([map { $_->{key_id} } @{ $super->all(undef, 'select distinct key_id'
               . ' from podi.ledger where wallet_id = ? order by 1', $w) }],
          ['second', $first], 'a new row takes the newest key');
is(verify($ann), '15 - good', 'and each row is verified by its own');
$super->refused('U0409', undef, $_, "a key that made rows stays: $_")
    for 'delete from podi.chain_key', 'truncate podi.chain_key',
        q{update podi.chain_key set opad = ipad};
$super->refused('23505', undef, 'update podi.chain_key set newest = true',
                'one key is the newest');
$super->run('update podi.chain_key set newest = false');
is($purse->state_of(sub { $purse->freeze($ann, 1) }), 'U0420',
   'without a key no point moves');
$super->run(q{update podi.chain_key set newest = true where key_id = 'second'});

my $pg = $db->{pg};
my $file = File::Temp->new;
print {$file} "third " . 'd4' x 32 . "\n$Podi::Pg::KEY_ID $Podi::Pg::CHAIN_KEY\n";
close $file;
$pg->migrate($db->{name}, chain_key_file => "$file");
is_deeply($super->all(undef, 'select key_id, newest from podi.chain_key'
                      . ' order by created_at, key_id'),
          [{ key_id => 'test', newest => 0 }, { key_id => 'second', newest => 0 },
           { key_id => 'third', newest => 1 }],
          'apply.sh adds keys and makes the first the newest');
my $other = File::Temp->new;
print {$other} 'third ' . 'e5' x 32 . "\n";
close $other;
my ($status, $said) = $pg->migrate($db->{name}, chain_key_file => "$other");
isnt($status, 0, 'a key cannot become another');
like($said, qr/given before with other bytes/, 'and apply.sh says so');
$ctl->refused('42501', undef, 'select * from podi.chain_key',
              'an operator cannot read keys');
$ctl->refused('42501', undef, q{select internal.chain_mac('{}', '{}', '{}')},
              'nor make hashes');
done_testing;
