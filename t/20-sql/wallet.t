#!/usr/bin/perl

# The wallet: lots in order, holds, settlement in any order, the ledger, and
# what the books look like when many spend at once.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP qw(decode_json);
use Test::More;

use Podi::Sql;

my $db = Podi::Sql->new;
my $super = $db->super;
my $web = $db->login('podi_web');
my $ctl = $db->login('podi_ctl');
my $acme = $db->tenant('acme');


# the helpers run as in a sys function: as podi_system
sub as_system
{
    my ($session, $sql, @bind) = @_;
    my $dbh = $session->dbh;

    $dbh->begin_work;
    $dbh->do('set local role podi_system');
    my $value = eval { $session->value(undef, $sql, @bind) };
    my $error = $@;
    $error ? $dbh->rollback : $dbh->commit;
    die $error if $error;
    return $value;
}


sub wallet
{
    my ($who) = @_;

    return $super->value(undef, 'select wallet_id from podi.wallet'
                         . ' where user_id = ?', $who->{user});
}


sub freeze
{
    my ($who, $amount, $session) = @_;

    return as_system($session // $super, 'select (internal.hold_freeze('
        . "?, ?, internal.uuid7(), 1, ?, '1 day')).o_hold", $acme, wallet($who), $amount);
}


sub settle
{
    my ($hold, $price, $charge, $job) = @_;

    return decode_json(as_system($super, 'select internal.hold_settle(?, ?,'
        . ' (select h.task_id from podi.hold h where h.hold_id = ?), ?, ?, ?)',
        $acme, $hold, $hold, $job // $db->uuid, $price, $charge));
}


sub state_of
{
    my ($sub) = @_;

    return eval { $sub->(); 1 } ? 'none' : ref $@ ? $@->{state} : $@;
}


sub lots
{
    my ($who) = @_;

    return $super->all(undef, 'select source_ref as ref, avail, held, spent,'
        . ' lapsed from podi.lot where wallet_id = ? order by lot_id',
        wallet($who));
}


sub entries
{
    my ($who, @filter) = @_;

    return $web->all($db->as($who), 'select * from'
        . ' api.wallet_entries(?, ?, ?, ?, ?, ?)', @filter[0 .. 5]);
}


sub balance
{
    my ($who) = @_;
    my $row = $web->one($db->as($who), 'select * from api.wallet_read()');

    return "$row->{available}+$row->{frozen}";
}


sub expire
{
    my ($who, $ref) = @_;

    $super->run(q{update podi.lot set expires_at = now() - interval '1 s'}
                . ' where wallet_id = ? and source_ref = ?', wallet($who), $ref);
    return;
}


# breaks of the books alone: these holds have no tasks
sub books
{
    my ($name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;

    return is_deeply([grep { $_->{inv} =~ /^I(?:1|2|3|4|6|7|10) / }
                      @{ $db->breaks }], [], $name);
}


# --- grant -----------------------------------------------------------------

my $ann = $db->user($acme, 'ann');
my $g = $db->grant($ann, 100, ref => 'order 1');
is_deeply([@$g{qw(available seq is_new)}], [100, 1, 1], 'a grant');
is_deeply([map { "$_->{type} $_->{data}{amount} $_->{data}{available}" }
               @{ decode_json($g->{_events}) }],
          ['wallet.granted 100 100'], 'is told to its user');
$g = $db->grant($ann, 100, ref => 'order 1');
is_deeply([@$g{qw(available seq is_new _events)}], [100, 1, 0, '[]'],
          'the same source_ref is granted once');
is(state_of(sub { $db->grant($ann, 101, ref => 'order 1') }), 'U0409',
   'and cannot grant another amount');

for my $bad (['amount', 0], ['amount', -5], ['amount', undef],
             ['kind', 1, kind => 'free'], ['source_ref', 1, ref => ''],
             ['expires_at', 1, expires => '2020-01-01'])
{
    my ($field, $amount, %o) = @$bad;

    is(state_of(sub { $db->grant($ann, $amount, %o) }), 'U0422',
       "a wrong $field is refused");
    is(decode_json($@->{detail})->{field}, $field, 'and named');
}
is(state_of(sub { $db->grant({ %$ann, login => 'nobody' }, 1) }), 'U0404',
   'nobody gets nothing');

for my $ref ('adjust:x', 'refund:1:x') {
    my $e = $ctl->refused('U0422', undef, 'select * from sys.wallet_grant(?, ?, 1,'
                          . q{ 'gift', null, ?, 'r')}, 'acme', 'ann', $ref,
                          "a source_ref that others make: $ref");
    is(decode_json($e->{detail} // '{}')->{field}, 'source_ref', '... is named');
}
my $second = $db->login('podi_ctl');
$ctl->dbh->begin_work;
$ctl->run(q{select * from sys.wallet_grant('acme', 'ann', 7, 'gift', null,}
          . q{ 'race', 'r')});
$second->send(q{select available, is_new from sys.wallet_grant('acme', 'ann',}
              . q{ 7, 'gift', null, 'race', 'r')});
$second->wait_blocked($super);
$ctl->dbh->commit;
is_deeply($second->wait, [{ available => 107, is_new => 0 }],
          'two grants of one source_ref at once are one');


# --- the order of spending -------------------------------------------------

my $bob = $db->user($acme, 'bob');
my ($soon, $later) = map { $super->value(undef, 'select now() + ?::interval',
                                         $_) } '2 days', '9 days';
$db->grant($bob, 10, kind => 'paid', ref => 'paid');
$db->grant($bob, 10, kind => 'refund', ref => 'refund');
$db->grant($bob, 10, kind => 'plan', ref => 'plan', expires => $later);
$db->grant($bob, 10, kind => 'gift', ref => 'gift');
$db->grant($bob, 10, kind => 'gift', ref => 'gift later', expires => $later);
$db->grant($bob, 10, kind => 'gift', ref => 'gift soon', expires => $soon);
my $row = $web->one($db->as($bob), 'select * from api.wallet_read()');
is_deeply([@$row{qw(available frozen expiring_soon expiring_at seq)}],
          [60, 0, 10, $soon, 6], 'the wallet says what expires soon');

is_deeply([map { $_->{op} } @{ $super->all(undef, 'select distinct op from'
               . ' podi.ledger where wallet_id = (select wallet_id from'
               . ' podi.wallet where user_id = ?)', $bob->{user}) }], ['grant'],
          'goodwill is granted: it does not come out of the revenue');

my $hold = freeze($bob, 55);
is_deeply([map { "$_->{ref} $_->{amount}" } @{ $super->all(undef,
    'select l.source_ref as ref, a.amount from podi.hold_alloc a'
    . ' join podi.lot l using (lot_id) where a.hold_id = ? order by a.ord',
    $hold) }],
    ['gift soon 10', 'gift later 10', 'gift 10', 'plan 10', 'refund 10',
     'paid 5'], 'gifts first, what expires first, paid points last');
is(balance($bob), '5+55', 'frozen, not gone');

is(state_of(sub { freeze($bob, 6) }), 'U0402', 'too few points');
is_deeply(decode_json($@->{detail}),
          { required => 6, available => 5, missing => 1 }, 'and how many');
is(balance($bob), '5+55', 'nothing happened');
isnt(state_of(sub { freeze($bob, $_) }), 'none', "a freeze of $_") for 0, -1;
is(state_of(sub { as_system($super, 'select internal.hold_freeze(?, ?, ?, 1, 1,'
                  . q{ '1 d')}, $acme, $db->uuid, $db->uuid) }), 'U0420',
   'no wallet, no freeze');


# --- settlement ------------------------------------------------------------

my $job = $db->uuid;
my $events = settle($hold, 20, 12, $job);
is_deeply([map { "$_->{type} $_->{data}{amount} $_->{data}{available}"
                 . " $_->{data}{frozen} $_->{data}{seq}" } @$events],
          ['wallet.confirmed 12 5 43 8', 'wallet.released 8 13 35 9'],
          'a job that costs less than its price');
is_deeply([map { "$_->{seq} $_->{type} $_->{amount} $_->{available_change}"
                 . " $_->{frozen_change} $_->{available_after}"
                 . " $_->{frozen_after}" } @{ entries($bob, undef, 3) }],
          ['9 release 8 8 -8 13 35', '8 confirm 12 0 -12 5 43',
           '7 freeze 55 -55 55 5 55'], 'is two rows, each exact');
is(state_of(sub { settle($hold, 20, 12, $job) }), 'U0428',
   'a job is settled once');
is(state_of(sub { settle($hold, 36, 0) }), 'U0421',
   'no more than the hold has left');
is(state_of(sub { settle($hold, 5, 6) }), 'U0422', 'no more than the price');
is(state_of(sub { settle($hold, 5, -1) }), 'U0422', 'and no less than nothing');
is(state_of(sub { settle(0, 5, 1) }), 'U0421', 'no hold, nothing to settle');
is_deeply(settle($hold, 0, 0), [], 'what is free moves nothing');
settle($hold, 35, 35);
is(balance($bob), '13+0', 'the rest is confirmed');
books('the books agree');

# the same jobs in every order end in the same lots
my @jobs = ([9, 9], [7, 3], [4, 0], [10, 1]);
my %split;
my $n = 0;
for my $order (permutations(0 .. $#jobs)) {
    my $who = $db->user($acme, 'order' . $n++);

    $db->grant($who, 8, kind => 'gift', ref => 'a');
    $db->grant($who, 8, kind => 'plan', ref => 'b');
    $db->grant($who, 30, kind => 'paid', ref => 'c');
    my $one = freeze($who, 30);
    settle($one, @{ $jobs[$_] }) for @$order;
    $split{ JSON::PP->new->canonical->encode(lots($who)) }++;
}
is(scalar keys %split, 1, "$n orders of settling, one split")
    or diag explain \%split;


sub permutations
{
    my @rest = @_;

    return [] if !@rest;
    return map { my $i = $_;
                 map { [$rest[$i], @$_] }
                 permutations(@rest[grep { $_ != $i } 0 .. $#rest]) }
           0 .. $#rest;
}


# --- expiry ----------------------------------------------------------------

my $cat = $db->user($acme, 'cat');
$db->grant($cat, 30, kind => 'gift', ref => 'old');
$db->grant($cat, 30, kind => 'paid', ref => 'new');
$hold = freeze($cat, 20);
expire($cat, 'old');
is(balance($cat), '30+20', 'expired points are not available');
is(decode_json($web->one($db->as($cat), 'select wallet from'
               . ' api.event_snapshot()')->{wallet})->{available}, 30,
   'nor in the snapshot');
is($super->value(undef, 'select available from podi.wallet where user_id = ?',
                 $cat->{user}), 40, 'though the wallet still has them');
my $next = freeze($cat, 25);
is_deeply([map { "$_->{type} $_->{amount} $_->{available_after}"
                 . " $_->{frozen_after}" } @{ entries($cat, undef, 2) }],
          ['freeze 25 5 45', 'lapse 10 30 20'],
          'they lapse in the ledger before others are spent');
settle($hold, 12, 12);
is_deeply(lots($cat)->[0], { ref => 'old', avail => 0, held => 8, spent => 12,
                             lapsed => 10 }, 'what is held can be captured');
$events = settle($hold, 8, 3);
is_deeply([map { "$_->{type} $_->{data}{amount} $_->{data}{available}"
                 . " $_->{data}{frozen}" } @$events],
          ['wallet.confirmed 3 5 30', 'wallet.released 5 5 25'],
          'what is released to an expired lot is not available');
is_deeply([map { "$_->{type} $_->{amount} $_->{available_after}" }
               @{ entries($cat, undef, 3) }],
          ['lapse 5 5', 'release 5 10', 'confirm 3 5'],
          'it lapses at once, and the ledger says so');
settle($next, 25, 0);
is(balance($cat), '30+0', 'a live lot takes its points back');

my $dog = $db->user($acme, 'dog');
$db->grant($dog, 30, kind => 'gift', ref => 'old');
$db->grant($dog, 30, kind => 'paid', ref => 'new');
$hold = freeze($dog, 20);
expire($dog, 'old');
is_deeply([map { "$_->{type} $_->{data}{available}" }
               @{ settle($hold, 20, 15) }],
          ['wallet.confirmed 40', 'wallet.released 30'],
          'the last event of a settle does not count expired points either');
is_deeply([map { "$_->{type} $_->{amount} $_->{available_after}" }
               @{ entries($dog, undef, 4) }],
          ['lapse 15 30', 'release 5 45', 'confirm 15 40', 'freeze 20 40'],
          'they lapse with the settle');

$db->grant($cat, 9, kind => 'gift', ref => 'idle');
expire($cat, 'idle');
my %n = map { $_->{what} => $_->{n} }
        @{ $db->login('podi_worker')->all(undef, 'select * from sys.purge(9)') };
is($n{lot_lapsed}, 1, 'the sweep lets lots lapse that nobody touches');
is(entries($cat, undef, 1)->[0]{type}, 'lapse', 'with a ledger row');
books('the books agree after lapses');


# --- the list --------------------------------------------------------------

is_deeply([map { $_->{seq} } @{ entries($cat, 5, 2) }], [4, 3], 'a page');
is_deeply([map { $_->{type} } @{ entries($cat, undef, 50, 'confirm') }],
          ['confirm', 'confirm'], 'by type');
my $when = entries($cat)->[0]{at};
is(scalar @{ entries($cat, undef, 50, undef, $when) }, 1, 'from a time');
is(scalar @{ entries($cat, undef, 50, undef, undef, $when) },
   scalar @{ entries($cat) } - 1, 'up to a time');
my $task = $super->value(undef, 'select task_id from podi.hold'
                         . ' where hold_id = ?', $next);
is_deeply([map { $_->{type} } @{ entries($cat, (undef) x 5, $task) }],
          ['release', 'freeze'], 'by task');
is(scalar @{ entries($cat, undef, -3) }, 1, 'a limit is at least one');


# --- the ledger keeps its word ---------------------------------------------

$super->refused('U0409', undef, $_, $_)
    for 'update podi.ledger set amount = 1', 'delete from podi.ledger',
        'truncate podi.ledger';
for my $role (qw(podi_core podi_system)) {
    $super->dbh->begin_work;
    $super->dbh->do("set local role $role");
    $super->refused('42501', undef, 'delete from podi.ledger',
                    "$role may not even try");
    $super->dbh->rollback;
}
$super->refused('23514', undef, 'update podi.wallet set available = -1',
                'a balance is never negative');
$super->refused('23514', undef, 'update podi.lot set avail = avail + 1',
                'a lot conserves its points');
$super->refused('23514', undef, 'update podi.hold set captured = amount + 1',
                'a hold is never passed');


# --- many at once ----------------------------------------------------------

my $dan = $db->user($acme, 'dan');
$db->grant($dan, 100, kind => $_, ref => $_) for qw(gift plan paid refund);
pipe my $read, my $write or die;
my @spender = map {
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        my $mine = $db->login('postgres');
        srand $_;
        my $wallet = $mine->value(undef, 'select wallet_id from podi.wallet'
                                  . ' where user_id = ?', $dan->{user});
        my $sum = 0;
        for (1 .. 40) {
            my $want = 1 + int rand 12;
            my $got = eval {
                as_system($mine, 'select (internal.hold_freeze(?, ?,'
                          . " internal.uuid7(), 1, ?, '1 day')).o_hold", $acme,
                          $wallet, $want);
            };
            $sum += $want if $got;
            syswrite $write, "bad $@\n" if !$got && $@->{state} ne 'U0402';
        }
        syswrite $write, "sum $sum\n";
        POSIX::_exit(0);
    }
    $pid;
} 1 .. 4;
close $write;
my @said = <$read>;
waitpid $_, 0 for @spender;
is_deeply([grep { /bad/ } @said], [], 'four spenders: nothing but U0402');
my $sum = 0;
$sum += $_ for map { /sum (\d+)/ } @said;
is(balance($dan), (400 - $sum) . "+$sum", "they froze $sum of 400");
cmp_ok($sum, '>', 388, 'until too little was left');
books('the books agree after a storm');


# --- chance, with a model --------------------------------------------------

my $seed = $ENV{PODI_TEST_SEED} // 20_260_101;
note "PODI_TEST_SEED=$seed";
srand $seed;

my $eve = $db->user($acme, 'eve');
my (@lot, @open);                       # the model
my %rank = (gift => 10, plan => 20, refund => 40, paid => 50);
my $wrong = 0;


sub model_lapse
{
    for my $lot (grep { $_->{dead} } @lot) {
        $lot->{lapsed} += $lot->{avail};
        $lot->{avail} = 0;
    }
    return;
}


sub model_freeze
{
    my ($amount) = @_;
    my @alloc;

    model_lapse();
    for my $lot (sort { $a->{rank} <=> $b->{rank} || $a->{id} <=> $b->{id} }
                 grep { $_->{avail} } @lot)
    {
        my $take = $lot->{avail} < $amount ? $lot->{avail} : $amount;

        push @alloc, ($lot) x $take;    # one entry a point
        $lot->{avail} -= $take;
        $lot->{held} += $take;
        $amount -= $take;
    }
    return \@alloc;
}


sub model_settle
{
    my ($hold, $price, $charge) = @_;

    for (1 .. $charge) {
        my $lot = shift @{ $hold->{alloc} };
        $lot->{held}--;
        $lot->{spent}++;
    }
    for (1 .. $price - $charge) {
        my $lot = pop @{ $hold->{alloc} };
        $lot->{held}--;
        $lot->{avail}++;
    }
    model_lapse() if $price > $charge;
    return;
}


sub total
{
    my ($part) = @_;
    my $total = 0;

    $total += $_->{$part} for @lot;
    return $total;
}


for my $step (1 .. 250) {
    my $dice = rand;

    if ($dice < 0.15 || !@lot) {
        my $kind = (qw(gift plan paid refund))[rand 4];
        my $amount = 1 + int rand 40;

        $db->grant($eve, $amount, kind => $kind, ref => "r$step");
        model_lapse();
        push @lot, { id => $step, ref => "r$step", rank => $rank{$kind},
                     avail => $amount, held => 0, spent => 0, lapsed => 0 };

    } elsif ($dice < 0.22) {
        my $lot = $lot[rand @lot];

        expire($eve, $lot->{ref});
        $lot->{dead} = 1;

    } elsif ($dice < 0.55) {
        my $amount = 1 + int rand 30;
        my $live = 0;
        $live += $_->{avail} for grep { !$_->{dead} } @lot;
        my $state = state_of(sub { $hold = freeze($eve, $amount) });

        $wrong++ if $state ne ($live >= $amount ? 'none' : 'U0402');
        push @open, { id => $hold, alloc => model_freeze($amount) }
            if $state eq 'none';

    } elsif (@open) {
        my $one = $open[rand @open];
        my $price = 1 + int rand @{ $one->{alloc} };
        my $charge = int rand($price + 1);

        settle($one->{id}, $price, $charge);
        model_settle($one, $price, $charge);
        @open = grep { @{ $_->{alloc} } } @open;
    }

    my $is = $super->one(undef, 'select available, held from podi.wallet'
                         . ' where user_id = ?', $eve->{user});
    $wrong++ if $is->{available} != total('avail')
             || $is->{held} != total('held');
}
is($wrong, 0, "250 random steps agree with the model (seed $seed)");
is_deeply(lots($eve), [map { my %l = %$_; delete @l{qw(id rank dead)}; \%l }
                           @lot], 'lot by lot');
books('and the books agree');


# --- planted breaks --------------------------------------------------------

my $w = wallet($eve);
my $victim = wallet($dan);
for my $plant (
    ['I1', "update podi.wallet set available = available + 1"
           . " where wallet_id = '$w'"],
    ['I2', "update podi.wallet set held = held + 1 where wallet_id = '$w'"],
    ['I2', "update podi.lot set held = held - 1, spent = spent + 1"
           . " where wallet_id = '$victim' and source_ref = 'gift'"],
    ['I3', "update podi.hold set released = released + 1 where hold_id ="
           . " (select max(hold_id) from podi.hold where wallet_id = '$victim')"],
    ['I4', "update podi.hold_alloc set captured = captured + 1 where"
           . " (hold_id, lot_id) = (select hold_id, lot_id from podi.hold_alloc"
           . " join podi.hold h using (hold_id) where h.wallet_id = '$victim'"
           . " limit 1)"],
    ['I4 lot', "update podi.lot set spent = spent + 1, avail = avail - 1"
           . " where lot_id = (select lot_id from podi.lot where avail > 0"
           . " limit 1)"],
    ['I6', "alter table podi.ledger disable trigger user;"
           . " delete from podi.ledger where wallet_id = '$w' and seq = 3"],
    ['I6', "update podi.wallet set seq = seq + 1 where wallet_id = '$w'"],
    ['I14', "update podi.wallet set head = '' where wallet_id = '$w'"],
    ['I7 ledger row', "alter table podi.ledger disable trigger user;"
           . " update podi.ledger set amount = amount + 1"
           . " where wallet_id = '$w' and seq = 1"],
    ['I7 ledger replay', "alter table podi.ledger disable trigger user;"
           . " update podi.ledger set available_after = available_after + 1"
           . " where wallet_id = '$w' and seq = (select max(seq)"
           . " from podi.ledger where wallet_id = '$w')"],
    ['I7 ledger row', "alter table podi.ledger disable trigger user;"
           . " update podi.ledger set available_after = available_after + 1"
           . " where wallet_id = '$w' and seq = 2"],
) {
    my ($inv, $sql) = @$plant;

    # committed, looked at through a worker's own connection, then taken back
    my @table = qw(wallet lot hold hold_alloc ledger);
    $super->dbh->begin_work;
    $super->dbh->do("create temporary table kept_$_ as"
                    . " select * from podi.$_") for @table;
    $super->dbh->do($sql);
    $super->dbh->commit;
    ok((grep { index($_->{inv}, $inv) == 0 } @{ $db->breaks }),
       "a worker sees $inv broken");

    $super->dbh->begin_work;
    $super->dbh->do('alter table podi.ledger disable trigger user');
    $super->dbh->do('set local session_replication_role = replica');
    $super->dbh->do("delete from podi.$_") for reverse @table;
    for my $table (@table) {
        my $columns = $db->columns("podi.$table");

        $super->dbh->do("insert into podi.$table ($columns) overriding system"
                        . " value select $columns from kept_$table");
    }
    $super->dbh->do("drop table kept_$_") for @table;
    $super->dbh->do('alter table podi.ledger enable trigger user');
    $super->dbh->commit;
}
books('and nothing when all is put back');

done_testing;
