#!/usr/bin/perl

# What an operator does to a wallet: refunds to the lots that points came from,
# adjustments, and the report of a day; what a user is told when it is low.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP qw(decode_json);
use Test::More;

use Podi::Purse;
use Podi::Sql;
use Podi::Work;

my $db = Podi::Sql->new;
my $super = $db->super;
my $web = $db->login('podi_web');
my $ctl = $db->login('podi_ctl');
my $purse = Podi::Purse->new($db);
my $work = Podi::Work->new($db);
my $acme = $work->{tenant};

my $REFUND = 'select * from sys.wallet_refund(?, ?, ?, ?, ?, ?, ?, ?)';
my $ADJUST = 'select * from sys.wallet_adjust(?, ?, ?, ?, ?)';


# refund [task => id] or [job => id] or [hold => id], amount, ref
sub refund
{
    my ($who, $of, $amount, $ref, %o) = @_;
    my %of = @$of;

    return ($o{ctl} // $ctl)->one(undef, $REFUND, 'acme', $who->{login},
        @of{qw(task job hold)}, $amount, $o{reason} // 'it was bad', $ref);
}


sub adjust
{
    my ($who, $amount, $ref, %o) = @_;

    return ($o{ctl} // $ctl)->one(undef, $ADJUST, 'acme', $who->{login}, $amount,
        exists $o{reason} ? $o{reason} : 'counted wrong', $ref);
}


sub code
{
    my ($sub) = @_;

    return $purse->state_of($sub);
}


sub parts
{
    my ($who) = @_;

    return [map { $_->{line} } @{ $super->all(undef, 'select concat_ws($$ $$,'
        . ' source_ref, avail, held, spent, lapsed, adjusted) as line'
        . ' from podi.lot where wallet_id = ? order by lot_id',
        $purse->wallet($who)) }];
}


# --- refunds ---------------------------------------------------------------

my $ann = $db->user($acme, 'ann');
$db->grant($ann, 10, kind => 'gift', ref => 'gift');
$db->grant($ann, 10, kind => 'plan', ref => 'plan');
$db->grant($ann, 50, kind => 'paid', ref => 'paid');
my $hold = $purse->freeze($ann, 30);
my $task = $super->value(undef, 'select task_id from podi.hold where hold_id = ?',
                         $hold);
my ($j1, $j2) = map { $db->uuid } 1, 2;
$purse->settle([$hold, 18, 18, job => $j1], [$hold, 12, 7, job => $j2]);
is_deeply(parts($ann), ['gift 0 0 10 0 0', 'plan 0 0 10 0 0', 'paid 45 0 5 0 0'],
          'spent over three lots');

my $r = refund($ann, [task => $task], 7, 'ticket 1');
is_deeply([@$r{qw(refunded available is_new)}], [7, 52, 1], 'a part comes back');
is_deeply($purse->told(decode_json $r->{_events}), ['wallet.refunded 7 52 0 8'],
          'the user is told');
is_deeply(parts($ann), ['gift 0 0 10 0 0', 'plan 2 0 8 0 0', 'paid 50 0 0 0 0'],
          'to where it came from, what was spent last first');
is_deeply([@{ $purse->ledger($ann) }[-1]], ['refund 7 52 0'],
          'with a ledger row');
$r = refund($ann, [task => $task], 7, 'ticket 1');
is_deeply([@$r{qw(refunded available is_new _events)}], [7, 52, 0, '[]'],
          'once for each ref');
is(code(sub { refund($ann, [task => $task], 8, 'ticket 1') }), 'U0409',
   'the ref of another amount');
is(code(sub { refund($ann, [job => $j1], 7, 'ticket 1') }), 'U0409',
   'or of another thing');
is(code(sub { refund($ann, [task => $task], 19, 'ticket 2') }), 'U0425',
   'never more than was captured');
is(decode_json($@->{detail})->{left}, 18, '... and what is left is named');
$purse->books;

$r = refund($ann, [task => $task], undef, 'ticket 3');
is("$r->{refunded} " . $purse->balance($ann), '18 70+0', 'no amount is the rest');
is(code(sub { refund($ann, [task => $task], undef, 'ticket 4') }), 'U0425',
   'of nothing is nothing');
is_deeply(parts($ann), ['gift 10 0 0 0 0', 'plan 10 0 0 0 0', 'paid 50 0 0 0 0'],
          'all is where it was');
$purse->books;

for my $bad (['amount', [task => $task], 0], ['amount', [task => $task], -1],
             ['task', [], 1], ['task', [task => $task, hold => 1], 1],
             ['reason', [task => $task], 1, 'x', reason => ' '],
             ['ref', [task => $task], 1, ''])
{
    my ($field, $of, $amount, $ref, %o) = @$bad;

    is(code(sub { refund($ann, $of, $amount, $ref // 'x', %o) }), 'U0422',
       "a wrong $field");
    is(decode_json($@->{detail})->{field}, $field, '... is named');
}
is(code(sub { refund($ann, [task => $db->uuid], 1, 'x') }), 'U0425',
   'an unknown task has nothing');
my $bob = $db->user($acme, 'bob');
is(code(sub { refund($bob, [task => $task], 1, 'x') }), 'U0425',
   'nor has a task of another user');
is(code(sub { refund({ login => 'nobody' }, [task => $task], 1, 'x') }), 'U0404',
   'nor nobody');
$work->{worker}->refused('42501', undef, $REFUND, 'acme', 'ann', $task, undef,
                         undef, 1, 'r', 'x', 'a worker may not');

# of one job, over real rounds: real jobs, real charges
my $cat = $work->person('cat', 100);
my $t = $work->submit($cat, inputs => [$work->media($cat)],
                      actions => ['resize', 'convert']);
$work->settle($_, 'succeeded') for @{ $work->claim_task($t) };
my %job = map { $_->{action} => $_->{job_id} } @{ $super->all(undef,
    'select action, job_id from podi.job where task_id = ?', $t->{task_id}) };
is(code(sub { refund($cat, [job => $job{'image.convert'}], 2, 'c0') }), 'U0425',
   'a job gives back no more than itself');
is(refund($cat, [job => $job{'image.resize'}], undef, 'c1')->{refunded}, 2,
   'but all of itself');
is(code(sub { refund($cat, [job => $job{'image.resize'}], 1, 'c2') }), 'U0425',
   'once');
is(refund($cat, [task => $t->{task_id}], undef, 'c3')->{refunded}, 1,
   'its task has the rest');
is(code(sub { refund($cat, [job => $job{'image.convert'}], 1, 'c4') }), 'U0425',
   'and a job nothing of what the task got back');
$purse->books('nothing is broken by refunds');

# rounds: the newest first, and no hold gives more than it took
my $eli = $db->user($acme, 'eli');
$db->grant($eli, 100);
my $round = $db->uuid;
my ($h1, $h2) = map { $purse->freeze($eli, 10, task => $round, round => $_) } 1, 2;
$purse->settle([$h1, 10, 6], [$h2, 10, 5]);
is(refund($eli, [task => $round], 8, 'e1')->{refunded}, 8, 'over two rounds');
is_deeply($super->all(undef, 'select round, refunded from podi.hold'
                      . ' where task_id = ? order by 1', $round),
          [{ round => 1, refunded => 3 }, { round => 2, refunded => 5 }],
          'the newest first');
is(refund($eli, [task => $round], 8, 'e1')->{is_new}, 0,
   'several rows are one ref');
is(code(sub { refund($eli, [task => $round], 4, 'e2') }), 'U0425', 'three is left');
$purse->books;

# another server's hold
my $h = $web->one($db->as($db->user($acme, 'svc'), 'service'),
    'select * from api.wallet_freeze(?, 20, ?, 60000, null, ?, null)',
    $eli->{user}, 'ext', 'k1');
$web->one($db->as($bob, 'service'), 'select * from api.wallet_confirm(null, ?,'
          . ' 20, true, ?, null)', 'ext', 'k2');
is(refund($eli, [hold => $h->{hold_id}], 20, 'e3')->{refunded}, 20,
   'a hold of another server');
is(code(sub { refund($eli, [hold => $h1], 1, 'e4') }), 'U0425',
   q{a task's hold is not one});

# expired lots
my $dan = $db->user($acme, 'dan');
$db->grant($dan, 10, kind => 'gift', ref => 'old');
$db->grant($dan, 10, kind => 'paid', ref => 'new');
$hold = $purse->freeze($dan, 15);
$purse->settle([$hold, 15, 15]);
$purse->expire($dan, 'old');
$task = $super->value(undef, 'select task_id from podi.hold where hold_id = ?',
                      $hold);
$r = refund($dan, [task => $task], undef, 'd1');
is_deeply($purse->told(decode_json $r->{_events}), ['wallet.refunded 15 10 0 6'],
          'what goes to an expired lot is not available');
is_deeply([@{ $purse->ledger($dan) }[-2, -1]], ['refund 15 20 0', 'lapse 10 10 0'],
          'it lapses at once');
is_deeply(parts($dan), ['old 0 0 0 10 0', 'new 10 0 0 0 0'], 'and conserves');

# two at once
my ($one, $two) = map { $db->login('podi_ctl') } 1, 2;
my $fay = $db->user($acme, 'fay');
$db->grant($fay, 10);
$hold = $purse->freeze($fay, 10);
$purse->settle([$hold, 10, 10]);
$task = $super->value(undef, 'select task_id from podi.hold where hold_id = ?',
                      $hold);
for my $pair (['f1', 'f1', 'none'], ['f2', 'f3', 'U0425']) {
    my ($first, $second, $end) = @$pair;

    $one->dbh->begin_work;
    $one->run($REFUND, 'acme', 'fay', $task, undef, undef, 5, 'r', $first);
    $two->send("select * from sys.wallet_refund('acme', 'fay', '$task', null,"
               . " null, @{[$first eq 'f1' ? 5 : 1]}, 'r', '$second')");
    $two->wait_blocked($super);
    $one->dbh->commit;
    my $rows = eval { $two->wait };
    is($rows ? 'none' : $@->{state}, $end, "two refunds, $first and $second");
    is($rows->[0]{is_new}, 0, '... are one') if $rows;
}
is($purse->balance($fay), '10+0', 'nothing twice');
$purse->books;


# --- adjustments -----------------------------------------------------------

my $gus = $db->user($acme, 'gus');
$db->grant($gus, 10, kind => 'gift', ref => 'gift');
$db->grant($gus, 10, kind => 'paid', ref => 'paid');
my $a = adjust($gus, -13, 'fix 1');
is_deeply([@$a{qw(available seq is_new)}], [7, 3, 1], 'points are taken');
is_deeply($purse->told(decode_json $a->{_events}), ['wallet.adjusted 13 7 0 3'],
          'and the user is told');
is_deeply(parts($gus), ['gift 0 0 0 0 10', 'paid 7 0 0 0 3'],
          'in the order of spending');
$a = adjust($gus, -13, 'fix 1');
is_deeply([@$a{qw(available is_new _events)}], [7, 0, '[]'], 'once for each ref');
is(code(sub { adjust($gus, $_, 'fix 1') }), 'U0409', "the ref of another: $_")
    for -12, 13;
is(code(sub { adjust($gus, -8, 'fix 2') }), 'U0402', 'no more than is available');
is_deeply(decode_json($@->{detail}),
          { required => 8, available => 7, missing => 1 }, '... and how much is');
$a = adjust($gus, 5, 'fix 3');
is_deeply([@$a{qw(available is_new)}], [12, 1], 'points are added');
is_deeply($super->all(undef, 'select kind, avail from podi.lot where source_ref'
                      . q{ = 'adjust:fix 3'}), [{ kind => 'gift', avail => 5 }],
          'as a gift');
is(adjust($gus, 5, 'fix 3')->{is_new}, 0, 'once, too');
is_deeply([@{ $purse->ledger($gus) }[-2, -1]], ['adjust 13 7 0', 'adjust 5 12 0'],
          'with a row each');
for my $bad (['amount', 0, 'x'], ['amount', undef, 'x'], ['reason', 1, 'x', undef],
             ['reason', 1, 'x', "\t"], ['ref', 1, undef])
{
    my ($field, $amount, $ref, @reason) = @$bad;

    is(code(sub { adjust($gus, $amount, $ref, @reason ? (reason => $reason[0])
                                                      : ()) }), 'U0422',
       "a wrong $field");
    is(decode_json($@->{detail})->{field}, $field, '... is named');
}
my $old = $db->user($acme, 'old');
$super->run('set role podi_system');
$super->run("select internal.lot_add(?, ?, 'grant', 5, 'gift', null,"
            . " 'adjust:fix 9', 'before refs were kept apart')", $acme,
            $purse->wallet($old));
$super->run('reset role');
is(code(sub { adjust($old, 5, 'fix 9') }), 'U0409', 'nor the ref of a grant');
is($super->value(undef, q{select string_agg(detail ->> 'reason', ' ')}
                 . q{ from podi.audit where verb = 'wallet.adjust'}),
   'counted wrong counted wrong', 'the audit has the reason');
$purse->expire($gus, 'adjust:fix 3');
is(code(sub { adjust($gus, -12, 'fix 4') }), 'U0402',
   'what has expired cannot be taken');
is_deeply([@{ $purse->ledger($gus) }[-1]], ['adjust 5 12 0'],
          'and a refusal leaves nothing');
$purse->books;


# --- low -------------------------------------------------------------------

my $low = $db->user($acme, 'low');


sub freezes
{
    my ($amount) = @_;
    my $events = $purse->system(q{select o_events from internal.hold_take(}
        . q{(select row from (select (null::podi.hold).*) x, lateral (select}
        . q{ jsonb_populate_record(null::podi.hold, jsonb_build_object(}
        . q{'tenant_id', ?::uuid, 'wallet_id', ?::uuid, 'kind', 'task',}
        . q{ 'task_id', internal.uuid7(), 'round', 1, 'amount', ?::bigint))}
        . q{ as row) y), '1 day', 'low:' || internal.uuid7())},
        $acme, $purse->wallet($low), $amount);

    return join ' ', map { $_->{type} } @{ decode_json $events };
}


sub alert
{
    my ($points) = @_;
    my $row = $web->one($db->as($low), 'select * from api.wallet_alert(?)',
                        $points);

    return "$row->{threshold} $row->{own}";
}


$db->grant($low, 100);
is(freezes(95), 'wallet.frozen', 'without a threshold nothing is low');
$db->grant($low, 95);
is(alert(50), '50 1', 'a user sets one');
is(freezes(50), 'wallet.frozen', 'as much as the threshold is not low');
is(freezes(1), 'wallet.frozen wallet.low', 'less is');
is(freezes(1), 'wallet.frozen', 'it is told once');
$db->grant($low, 51);
is(freezes(50), 'wallet.frozen', 'also when it was 99 meanwhile');
$db->grant($low, 51);
is(freezes(60), 'wallet.frozen wallet.low', 'but again when it was 100');
is(alert(30), '30 1', 'a new threshold');
is(freezes(20), 'wallet.frozen wallet.low', 'is due at once');
is(alert(0), '0 1', 'nought');
is(freezes(1), 'wallet.frozen', 'is never');
is(alert(undef), '0 0', 'none is what the plan says');
$super->run('update podi.plan set low_points = 1000');
is(alert(undef), '1000 0', 'which may change');
is(freezes(1), 'wallet.frozen wallet.low', 'and counts');
is_deeply([map { $_->{type} } @{ decode_json adjust($low, -1, 'l1')->{_events} }],
          ['wallet.adjusted'], 'an adjustment tells it once, too');
alert(2000);
my $told = decode_json adjust($low, -1, 'l2')->{_events};
is_deeply($told->[1]{data}, { available => 16, threshold => 2000,
                              seq => $told->[0]{data}{seq} },
          'with the threshold');
$web->refused('U0422', $db->as($low), 'select * from api.wallet_alert(-1)',
              'a threshold below 0');
$super->run('update podi.plan set low_points = 0');

# by a submit, on the user's stream
my $ida = $work->person('ida', 100);
$web->one($db->as($ida), 'select * from api.wallet_alert(100)');
my $s = $work->submit($ida, inputs => [$work->media($ida)], actions => ['resize']);
is_deeply([map { $_->{data} } grep { $_->{type} eq 'wallet.low' }
               @{ $s->{_events} }],
          [{ available => 98, threshold => 100, seq => 2 }],
          'a task that makes it low tells so');


# --- the report ------------------------------------------------------------

my $umbra = $db->tenant('umbra');
my $zoe = $db->user($umbra, 'zoe');
my $day = '2031-03-04';
$super->run('set session_replication_role = replica');
$super->run('alter table podi.ledger disable trigger user');
$super->run("update podi.ledger set at = '2030-01-01'");
my $n = 0;
for my $row ([$zoe, 'grant', 'granted', 'available', 100],
             [$zoe, 'freeze', 'available', 'held', 30],
             [$zoe, 'confirm', 'held', 'revenue', 20],
             [$zoe, 'release', 'held', 'available', 10],
             [$zoe, 'refund', 'revenue', 'available', 4],
             [$zoe, 'adjust', 'adjusted', 'available', 7],
             [$zoe, 'adjust', 'available', 'adjusted', 3],
             [$zoe, 'lapse', 'available', 'lapsed', 2],
             [$low, 'grant', 'granted', 'available', 1000])
{
    my ($who, @r) = @$row;

    $super->run("insert into podi.ledger (tenant_id, wallet_id, seq, op, debit,"
        . " credit, amount, available_after, held_after, idem, at, key_id, hash)"
        . " values (?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, 'test', sha256(''))",
        $who->{tenant}, $purse->wallet($who), 1000 + ++$n, @r, "day $n",
        "$day " . ($n == 1 ? '00:00:00+00' : '23:59:59.999999+00'));
}
$super->run("update podi.attempt set started_at = '2031-03-03 13:00+00',"
            . " ended_at = '$day 12:00+00',"
            . ' cost_micros = 500');
my $costs = $super->value(undef, 'select count(*) from podi.attempt');
$super->run("update podi.job set charged = 0, state = 'failed', error_code = 'x'"
            . " where action = 'image.convert'");
my %report = map { ($_->{tenant} // 'all') => $_ } @{ $ctl->all(undef,
    'select * from sys.report_daily(?)', $day) };
is_deeply([sort keys %report], [qw(acme all umbra)], 'each tenant, and all');
is_deeply([@{ $report{umbra} }{qw(granted frozen spent released lapsed refunded
                                  added taken attempts cost_micros losses
                                  loss_micros)}],
          [100, 30, 20, 10, 2, 4, 7, 3, 0, 0, 0, 0], 'what moved');
is_deeply([@{ $report{acme} }{qw(granted attempts cost_micros losses loss_micros)}],
          [1000, $costs, 500 * $costs, 1, 500],
          'what providers cost, and what nobody paid for');
is_deeply([@{ $report{all} }{qw(granted spent cost_micros losses)}],
          [1100, 20, 500 * $costs, 1], 'in all');
for my $next ('2031-03-03', '2031-03-05') {
    my $none = $ctl->all(undef, 'select * from sys.report_daily(?)', $next);

    is_deeply([map { $_->{granted} } @$none], [0], "$next is another day");
}
$super->dbh->begin_work;
$super->run('set local enable_seqscan = off');
my $scans = "select pg_stat_get_xact_numscans('podi.attempt_started_ix'::regclass)";
my $scanned = $super->value(undef, $scans);
$super->run('select * from sys.report_daily(?)', $day);
is($super->value(undef, $scans), $scanned + 1,
   'a day does not have to be looked for in all attempts');
$super->dbh->rollback;
done_testing;
