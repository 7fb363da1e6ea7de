#!/usr/bin/perl

# Holds of other servers: frozen, confirmed in parts, released, expired; every
# answer the same for ever; two at once end as one after the other.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Digest::SHA qw(sha256);
use JSON::PP qw(decode_json);
use Test::More;

use Podi::Purse;
use Podi::Sql;
use Podi::Work;

my $db = Podi::Sql->new;
my $super = $db->super;
my $web = $db->login('podi_web');
my $worker = $db->login('podi_worker');
my $purse = Podi::Purse->new($db);
my $work = Podi::Work->new($db);
my $acme = $work->{tenant};
my $umbra = $db->tenant('umbra');
my ($ann, $bob) = map { $db->user($acme, $_) } qw(ann bob);
my $svc = $db->user($acme, 'svc');
my $far = $db->user($umbra, 'far');
$db->grant($_, 100) for $ann, $bob;

my %SQL = (
    freeze  => 'select * from api.wallet_freeze(?, ?, ?, ?, ?, ?, ?)',
    confirm => 'select * from api.wallet_confirm(?, ?, ?, ?, ?, ?)',
    release => 'select * from api.wallet_release(?, ?, ?, ?, ?)',
);
my $server = $db->as($svc, 'service');
my $keys = 0;


# freeze [user, amount, ref, ttl], confirm [hold, ref, amount, final], ...
sub args
{
    my ($op, $arg, %o) = @_;
    my $hash = sha256($o{body} // join '|', map { $_ // '' } @$arg);

    return ($SQL{$op}, @$arg, ($op eq 'freeze' ? 'because' : ()),
            exists $o{key} ? $o{key} : 'key ' . ++$keys, \$hash);
}


sub call
{
    my ($op, $arg, %o) = @_;

    return ($o{web} // $web)->one($o{as} // $server, args($op, $arg, %o));
}


sub code
{
    my ($op, $arg, %o) = @_;

    return $purse->state_of(sub { call($op, $arg, %o) });
}


sub told
{
    my ($row) = @_;

    return join ' ', @$row{qw(amount captured released seq available frozen)};
}


# --- a life ----------------------------------------------------------------

my $h = call(freeze => [$ann->{user}, 40, 'order 1', 60_000], key => 'f1');
is(told($h), '40 0 0 2 60 40', 'frozen');
is_deeply([@$h{qw(ref user_id is_new)}], ['order 1', $ann->{user}, 1],
          'for a user, under a ref');
is_deeply($purse->told(decode_json $h->{_events}),
          ['wallet.frozen 40 60 40 2'], 'the user is told');
my $id = $h->{hold_id};

my $c = call(confirm => [$id, undef, 10, 0], key => 'c1');
is(told($c), '40 10 0 3 60 30', 'confirmed in part, by id');
$c = call(confirm => [undef, 'order 1', 5, undef]);
is(told($c), '40 15 0 4 60 25', 'and again, by ref');
is(told(call(release => [$id, 'order 1', 5])), '40 15 5 5 65 20',
   'released in part, by both');
$c = call(confirm => [$id, undef, 8, 1], key => 'last');
is(told($c), '40 23 17 7 77 0', 'a final confirm gives back the rest');
is_deeply($purse->told(decode_json $c->{_events}),
          ['wallet.confirmed 8 65 12 6', 'wallet.released 12 77 0 7'],
          'both are told');
is(code(confirm => [$id, undef, 1, 0]), 'U0421', 'nothing is left');
is(code(release => [$id, undef, undef]), 'U0421', 'to release neither');
$purse->books;

# --- the same for ever -----------------------------------------------------

my $before = join ' ', @{ $purse->ledger($ann) };
for my $again (
    ['the freeze', $h, freeze => [$ann->{user}, 40, 'order 1', 60_000], key => 'f1'],
    ['a confirm', { %$c, captured => 10, released => 0, seq => 3,
                    available => 60, frozen => 30 },
     confirm => [$id, undef, 10, 0], key => 'c1'],
    ['the last', $c, confirm => [$id, undef, 8, 1], key => 'last'],
) {
    my ($name, $first, @call) = @$again;
    my $row = call(@call);

    is(told($row) . $row->{expires_at}, told($first) . $h->{expires_at},
       "$name again is answered as it was");
    is("$row->{is_new} $row->{_events}", '0 []', 'and does nothing');
}
is(join(' ', @{ $purse->ledger($ann) }), $before, 'nothing moved');
is(code(@$_), 'U0410', "the key of another: $_->[0]") for
    [freeze => [$ann->{user}, 41, 'order 1', 60_000], key => 'f1'],
    [confirm => [$id, undef, 11, 0], key => 'c1'],
    [release => [$id, undef, 10], key => 'c1'],
    [confirm => [$id, undef, 10, 0], key => 'f1'],
    [freeze => [$ann->{user}, 5, 'order 9', 60_000], key => 'last'];
is(code(confirm => [$id, undef, 10, 0], key => 'c1', body => 'another'), 'U0410',
   'and the same with another body');
$super->run('delete from podi.idempotency');
is(told(call(confirm => [$id, undef, 10, 0], key => 'c1')), '40 10 0 3 60 30',
   'the ledger remembers, no cache');

# --- who may, and what -----------------------------------------------------

is(code(freeze => [$ann->{user}, 1, 'x', 5000], as => $db->as($ann)), 'U0403',
   'a user may not');
is(code(freeze => [$ann->{user}, 1, 'x', 5000], as => $db->anon($acme)), 'U0401',
   'nor nobody');
ok(call(freeze => [$ann->{user}, 1, 'x', 5000], as => $db->as($svc, 'admin')),
   'an admin may');
is(code(freeze => [$far->{user}, 1, 'y', 5000]), 'U0404',
   'a user of another tenant is none');
is(code(confirm => [$id, undef, 1, 0], as => $db->as($far, 'service')), 'U0423',
   'nor is a hold');
is(code(confirm => [$id, 'other', 1, 0]), 'U0423', 'id and ref agree');
is(code(confirm => [undef, undef, 1, 0]), 'U0423', 'or one of them is there');
is(code(freeze => [$bob->{user}, 5, 'order 1', 5000]), 'U0409',
   'a ref has one hold in a tenant');
is(code(freeze => [$bob->{user}, 101, 'big', 5000]), 'U0402', 'too few points');
for my $bad (['amount', [$bob->{user}, 0, 'z', 5000]],
             ['amount', [$bob->{user}, undef, 'z', 5000]],
             ['ref', [$bob->{user}, 1, '', 5000]],
             ['ref', [$bob->{user}, 1, 'r' x 201, 5000]],
             ['ttl_ms', [$bob->{user}, 1, 'z', 999]],
             ['ttl_ms', [$bob->{user}, 1, 'z', undef]])
{
    is(code(freeze => $bad->[1]), 'U0422', "a wrong $bad->[0]");
    is(decode_json($@->{detail})->{field}, $bad->[0], '... is named');
}
is(code(freeze => [$bob->{user}, 1, 'z', 5000], key => undef), 'U0422',
   'a key is wanted');
my $b = call(freeze => [$bob->{user}, 50, 'bob', 60_000]);
is(code(confirm => [$b->{hold_id}, undef, $_, 0]), 'U0422', "a confirm of $_")
    for 0, -1;
is(code(confirm => [$b->{hold_id}, undef, 51, 0]), 'U0421', 'more than is left');
is(decode_json($@->{detail})->{left}, 50, '... and how much is');
is(told(call(confirm => [$b->{hold_id}, undef, undef, 0])), '50 50 0 3 50 0',
   'no amount is all');
my $pic = $work->media($work->person('cat', 100));
my $audit = $super->value(undef, q{select string_agg(verb, ' ' order by audit_id)}
    . q{ from podi.audit where user_id = ? and verb like 'wallet.%'}
    . q{ and verb <> 'wallet.grant'}, $bob->{user});
is($audit, 'wallet.freeze wallet.confirm', 'the audit knows who did what');

# a task's hold is not theirs
my $dan = $work->person('dan', 50);
my $task = $work->submit($dan, inputs => [$work->media($dan)],
                         actions => ['resize']);
my $mine = $super->value(undef, 'select hold_id from podi.hold where task_id = ?',
                         $task->{task_id});
is(code(confirm => [$mine, undef, 1, 0]), 'U0423', q{a task's hold is not found});

# --- two at once -----------------------------------------------------------

my ($one, $two) = map { $db->login('podi_web') } 1, 2;


# the statement with its binds written out, after the context
sub sent
{
    my ($session, $context, $op, $arg, %o) = @_;
    my ($sql, @bind) = args($op, $arg, %o);

    $sql =~ s/\?/my $v = shift @bind; !defined $v ? 'null'
             : ref $v ? "'\\x" . unpack('H*', $$v) . "'" : "'$v'"/ge;
    $session->dbh->begin_work;
    $session->dbh->do('select api.context_open(?)', undef, $context);
    $session->send($sql);
    return;
}


# one goes first and commits while two waits
sub race
{
    my ($first, $second) = @_;

    $one->dbh->begin_work;
    $one->dbh->do('select api.context_open(?)', undef, $server);
    $one->run(args(@$first));
    sent($two, $server, @$second);
    $two->wait_blocked($super);
    $one->dbh->commit;
    my $rows = eval { $two->wait };
    my $error = $@;
    $rows ? $two->dbh->commit : $two->dbh->rollback;
    return $rows ? told($rows->[0]) . " $rows->[0]{is_new}" : $error->{state};
}


is(race([freeze => [$bob->{user}, 30, 'twin', 60_000], key => 'twin'],
        [freeze => [$bob->{user}, 30, 'twin', 60_000], key => 'twin']),
   '30 0 0 4 20 30 0', 'two freezes of one key are one');
is(race([freeze => [$bob->{user}, 15, 'r1', 60_000]],
        [freeze => [$bob->{user}, 6, 'r2', 60_000]]), 'U0402',
   'two freezes do not spend the same points');
is(race([confirm => [undef, 'twin', 20, 0]], [confirm => [undef, 'twin', 20, 0]]),
   'U0421', 'two confirms do not either');
is(race([confirm => [undef, 'twin', 4, 0]], [release => [undef, 'twin', undef]]),
   '30 24 6 8 11 15 1', 'a release takes what a confirm left');
is(race([confirm => [undef, 'r1', 5, 1], key => 'fin'],
        [confirm => [undef, 'r1', 5, 1], key => 'fin']), '15 5 10 10 21 0 0',
   'two final confirms of one key are one');
is(race([freeze => [$bob->{user}, 1, 'same', 60_000]],
        [freeze => [$bob->{user}, 1, 'same', 60_000]]), 'U0409',
   'two keys of one ref are one and a conflict');
is(race([freeze => [$bob->{user}, 1, 'wide', 60_000]],
        [freeze => [$ann->{user}, 1, 'wide', 60_000]]), 'U0409',
   'of two users, too');
$db->whole('holds of other servers break nothing');

# --- expiry ----------------------------------------------------------------


sub end_hold
{
    my ($where) = @_;

    $super->run("update podi.hold set expires_at = now() - interval '1 s'"
                . " where $where");
    return;
}


sub sweep
{
    my $row = $worker->one(undef, 'select * from sys.hold_expire(?)', $_[0] // 50);

    $row->{told} = $purse->told(decode_json delete $row->{_events});
    return $row;
}


is_deeply(sweep(), { holds => 0, points => 0, told => [] }, 'nothing to sweep');


# however many holds there are, they are judged twice, and not one by one
my $many = $db->user($acme, 'many');
$db->grant($many, 10);
call(freeze => [$many->{user}, 1, "many $_", 60_000]) for 1 .. 9;
$super->dbh->begin_work;
$super->run("update podi.hold set expires_at = now() where ref like 'many %'");
$super->run('set local track_functions = pl');
is($super->run('select * from sys.hold_expire(50)')->[0]{holds}, 9,
   'holds past their end');
is($super->value(undef, 'select calls from pg_stat_xact_user_functions'
                 . q{ where funcname = 'hold_dead'}), 2, 'are judged together');
$super->dbh->rollback;

my $eve = $db->user($acme, 'eve');
$db->grant($eve, 100);
call(freeze => [$eve->{user}, 30, 'e1', 60_000]);
call(confirm => [undef, 'e1', 10, 0], key => 'before');
call(freeze => [$eve->{user}, 20, 'e2', 60_000]);
end_hold(q{ref in ('e1', 'e2')});
is(code(confirm => [undef, 'e1', 10, 0]), 'U0424', 'an expired hold pays nothing');
is(told(call(confirm => [undef, 'e1', 10, 0], key => 'before')), '30 10 0 3 70 20',
   'though what it paid is told again');
is(told(call(release => [undef, 'e2', 5])), '20 0 5 5 55 35',
   'it can be released');
is_deeply(sweep(1), { holds => 1, points => 20,
                      told => ['wallet.released 20 75 15 6'] },
          'the sweep gives back what is left, some at a time');
is_deeply(sweep(), { holds => 1, points => 15,
                     told => ['wallet.released 15 90 0 7'] }, 'then the rest');
is(sweep()->{holds}, 0, 'once');
is(code(confirm => [undef, 'e1', 1, 0]), 'U0424', 'it stays expired');
is(code(release => [undef, 'e1', undef]), 'U0424', 'also to give back');
is($super->value(undef, q{select reason from podi.ledger where idem =}
                 . q{ 'release:expire:' || (select hold_id from podi.hold}
                 . q{ where ref = 'e1')}), 'expired', 'the ledger says why');

# never while a job of it is not final
end_hold("hold_id = $mine");
is(sweep()->{holds}, 0, 'a hold whose job waits is left');
my ($job) = @{ $work->claim_task($task) };
is(sweep()->{holds}, 0, 'or runs');
$work->settle($job, 'succeeded');
is(sweep()->{holds}, 0, 'and when it ended nothing is left to sweep');
$super->run('update podi.hold set captured = 0, amount = amount'
            . ' where hold_id = ?', $mine);
$super->run('set session_replication_role = replica');
$super->run('update podi.hold_alloc set captured = 0 where hold_id = ?', $mine);
$super->run('update podi.lot l set spent = spent - a.amount, held = held'
            . ' + a.amount from podi.hold_alloc a where a.lot_id = l.lot_id'
            . ' and a.hold_id = ?', $mine);
$super->run('update podi.wallet set held = held + 2 where user_id = ?',
            $dan->{user});
$super->run('set session_replication_role = origin');
is(sweep()->{points}, 2, 'one that a bug left over a final job is given back');

# against a confirm
call(freeze => [$eve->{user}, 30, 'e3', 60_000]);
end_hold(q{ref = 'e3'});
$one->dbh->begin_work;
$one->dbh->do('select api.context_open(?)', undef, $server);
$one->run(args(release => [undef, 'e3', 10]));
is(sweep()->{holds}, 0, 'a wallet in use is left for the next round');
$one->dbh->commit;
is_deeply(sweep(), { holds => 1, points => 20,
                     told => ['wallet.released 20 90 0 10'] },
          'which takes what is left then');

call(freeze => [$eve->{user}, 30, 'e4', 60_000]);
my $sweeper = $db->login('podi_worker');
end_hold(q{ref = 'e4'});
$sweeper->dbh->begin_work;
$sweeper->run('select * from sys.hold_expire(50)');
sent($two, $server, release => [undef, 'e4', undef]);
$two->wait_blocked($super);
$sweeper->dbh->commit;
is(eval { $two->wait; 1 } ? 'none' : $@->{state}, 'U0424',
   'who comes after the sweep finds it expired');
$two->dbh->rollback;
is($purse->balance($eve), '90+0', 'nothing came back twice');
is_deeply([map { "$_->{inv} $_->{id}" } grep { $_->{inv} !~ /^I(?:5|7|13|15) / }
               @{ $db->breaks }], [], 'the books agree at the end');
done_testing;
