# sys.job_claim, job_claim_next, job_beat, job_dispatch: from hint to holder.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use Podi::Sql;
use Podi::Work;

my $db = Podi::Sql->new;
my $w = Podi::Work->new($db);
my $ann = $w->person('ann', 1000);
my $pic = $w->media($ann);


sub order
{
    my (@actions) = @_;

    return $w->submit($ann, inputs => [$pic], actions => \@actions);
}


sub held
{
    my ($jobs) = @_;

    return [map { $_->{job_id} } @$jobs];
}


subtest 'a claim hands out all that a worker needs' => sub {
    my $t = order('resize', 'convert');
    my $j = $w->claim([map { $_->{job_id} } @{ $t->{jobs} }]);

    is @$j, 2, 'both jobs';
    my ($resize) = grep { $_->{action} eq 'image.resize' } @$j;
    is_deeply [@{$resize}{qw(fence attempts max_attempts timeout_ms price kind
                             trace_id task_id tenant_id user_id)}],
              [1, 1, 3, 60000, 2, 'user', 'a' x 32, $t->{task_id},
               $w->{tenant}, $ann->{user}], 'its facts';
    is_deeply $resize->{inputs},
              [{ media_id => $pic, store => 'local', object_key => "u/$pic",
                 type => 'image/jpeg', bytes => 1000, sha256 => 'ab' x 32,
                 name => 'cat.jpg' }], 'its input and where that is';
    is $resize->{params}{width}, 100, 'its parameters';
    is_deeply Podi::Work::types($j->[0]{_events}),
              ['task.running', 'job.running', 'job.running'],
              'the events are in the first row';
    is_deeply $j->[1]{_events}, [], 'and only there';
    is $w->read_task($ann, $t->{task_id})->{state}, 'running', 'the task runs';
    is $db->super->value(undef, 'select count(*) from podi.attempt'
                         . ' where job_id = any (?)', held($j)), 2,
       'each has an attempt';
};

subtest 'what is not claimable does not come back' => sub {
    my $t = order('resize');
    my ($id) = map { $_->{job_id} } @{ $t->{jobs} };
    my ($nothing) = $w->ids(1);

    is_deeply held($w->claim([$nothing])), [], 'an unknown job';
    is_deeply held($w->claim([$id, $id, $nothing])), [$id], 'named twice, once';
    is_deeply held($w->claim([$id])), [], 'a running one';

    my $late = order('resize')->{jobs}[0]{job_id};
    $w->bend($late, "not_before = now() + interval '1 hour'");
    is_deeply held($w->claim([$late])), [], 'one that is not due';
    $w->bend($late, "not_before = now(), start_by = now()");
    is_deeply held($w->claim([$late])), [], 'one whose time has passed';
};

subtest 'the second job of a running task says so once' => sub {
    my $t = order('resize', 'convert');
    my @id = map { $_->{job_id} } @{ $t->{jobs} };

    is_deeply Podi::Work::types($w->claim([$id[0]])->[0]{_events}),
              ['task.running', 'job.running'], 'the first';
    is_deeply Podi::Work::types($w->claim([$id[1]])->[0]{_events}),
              ['job.running'], 'the second';
};

subtest 'a claim waits for a short lock instead of losing the hint' => sub {
    my $id = order('resize')->{jobs}[0]{job_id};
    my $other = $db->login('postgres');
    my $worker = $db->login('podi_worker');

    $other->dbh->begin_work;
    $other->run('update podi.job set pushed_at = now() where job_id = ?', $id);
    $worker->dbh->begin_work;
    $worker->send("select * from sys.job_claim('{$id}', 'w9', 1000)");
    $worker->wait_blocked($db->super);
    $other->dbh->commit;
    ok $worker->wait, 'it goes on';
    $worker->dbh->commit;
    is $w->job($id)->{worker}, 'w9', 'and has the job';
};

subtest 'of two at once only one gets a job' => sub {
    my $id = order('resize')->{jobs}[0]{job_id};
    my ($one, $two) = map { $db->login('podi_worker') } 1 .. 2;
    my $call = 'select * from sys.job_claim(?::uuid[], ?, 60000)';

    $one->dbh->begin_work;
    is @{ $one->run($call, "{$id}", 'w1') }, 1, 'the first has it';
    $two->dbh->begin_work;
    $two->send("select * from sys.job_claim('{$id}', 'w2', 60000)");
    $two->wait_blocked($db->super);
    $one->dbh->commit;
    $two->wait;
    $two->dbh->commit;
    is_deeply [@{ $w->job($id) }{qw(worker fence attempts)}], ['w1', 1, 1],
              'and keeps it';
};

subtest 'without Redis the oldest are claimed, up to a limit' => sub {
    $db->{ctl}->all(undef, 'select * from sys.queue_put(?)',
                    '{"queue": "slow", "label": "slow"}');
    $db->super->all(undef, q{update podi.action set queue = 'slow'
                             where action = 'image.convert'});
    my @id = map { order('convert')->{jobs}[0]{job_id} } 1 .. 5;
    my $next = sub { held($w->sys('job_claim_next(?, ?, ?, ?, ?)', 'slow',
                                  $_[0], 'w1', 60000, $_[1])) };

    is_deeply $next->(2, 3), [@id[0, 1]], 'the two oldest';
    is_deeply $next->(5, 3), [$id[2]], 'one more up to the limit of three';
    is_deeply $next->(5, 3), [], 'then none';

    my $other = $db->login('postgres');
    $other->dbh->begin_work;
    $other->run('select 1 from podi.job where job_id = ? for update', $id[3]);
    is_deeply $next->(1, 9), [$id[4]], 'a locked one is passed over';
    $other->run('rollback; begin');
    $other->run('select 1 from podi.task_header t join podi.job j'
                . ' using (task_id) where j.job_id = ? for update', $id[3]);
    is_deeply $next->(1, 9), [], 'so is one whose task is locked';
    $other->dbh->rollback;
    is_deeply $next->(1, 9), [$id[3]], 'until it is free';
};

subtest 'a beat keeps a lease, and only the holder beats' => sub {
    my $j = $w->claim_task(order('resize'), lease => 1000)->[0];
    my $beat = sub {
        my ($worker, $fence, $progress) = @_;
        return $w->sys('job_beat(?, ?::uuid[], ?::int[], ?, ?)', $worker,
                       "{$j->{job_id}}", "{$fence}", 600_000,
                       Podi::Work::text($progress // {}));
    };
    my $left = sub { $db->super->value(undef, 'select lease_until > now() +'
        . " interval '5 minutes' from podi.job where job_id = ?", $j->{job_id}) };

    is_deeply $beat->('w1', 1, { $j->{job_id} => 40 }),
              [{ job_id => $j->{job_id}, fence => 1,
                 cancel_requested => 0 }], 'held';
    ok $left->(), 'the lease is longer';
    is $w->job($j->{job_id})->{progress}, 40, 'the progress is kept';
    $beat->('w1', 1, { $j->{job_id} => 30 });
    is $w->job($j->{job_id})->{progress}, 40, 'and never goes back';
    is_deeply $beat->('w1', 2), [], 'another fence is lost';
    is_deeply $beat->('w2', 1), [], 'another worker too';
    $w->settle($j, 'succeeded');
    is_deeply $beat->('w1', 1), [], 'a settled job too';
};

subtest 'what a worker does not know of goes back' => sub {
    my ($known, $lost, $new) = map { $w->claim_task(order('resize'),
                                                    worker => 'w5')->[0] } 1 .. 3;
    my $beat = sub { [map { $_->{job_id} } @{ $w->sys(
        'job_beat(?, ?::uuid[], ?::int[], ?, ?)', 'w5', "{$known->{job_id}}",
        "{$known->{fence}}", 60_000, '{}') }] };

    $w->bend($_->{job_id}, "lease_until = now() + interval '20 seconds'")
        for $known, $lost;
    is_deeply $beat->(), [$known->{job_id}], 'the beat is of what it knows';
    my $j = $w->job($lost->{job_id});
    is_deeply [@{$j}{qw(state attempts crashes fence)}], ['queued', 0, 0, 1],
              'what it was handed long ago is queued, and not counted';
    is $w->job($new->{job_id})->{state}, 'running',
       'what it was handed just now may be on its way';
    is $w->claim([$lost->{job_id}])->[0]{fence}, 2, 'the next has a fence anew';
    is $w->settle($lost, 'succeeded')->{verdict}, 'STALE',
       'and whoever comes late has none';
    is_deeply $beat->(), [$known->{job_id}], 'that is all';
};

subtest 'what Redis does not know is dispatched' => sub {
    $db->super->all(undef, "update podi.job set pushed_at = now()");
    my $id = order('resize')->{jobs}[0]{job_id};
    my $due = sub { held($w->sys('job_dispatch(?, ?)', 10, 30_000)) };

    is_deeply $due->(), [$id], 'a job that was never pushed';
    is $w->{worker}->value(undef, 'select sys.job_pushed(?::uuid[])', "{$id}"),
       1, 'is noted as pushed';
    is_deeply $due->(), [], 'and then not due';
    $w->bend($id, "pushed_at = now() - interval '31 seconds'");
    is_deeply $due->(), [$id], 'until the push must have been lost';
    $w->bend($id, "not_before = now() + interval '1 minute'");
    is_deeply $due->(), [], 'a delayed one is not due';
    $w->bend($id, 'not_before = now()');
    $w->claim([$id]);
    is_deeply $due->(), [], 'nor is a running one';
};

# one that is not is parsed and planned anew at each call
subtest 'functions in SQL are made a part of what calls them' => sub {
    my $super = $db->super;
    my @id = map { order('resize')->{jobs}[0]{job_id} } 1 .. 2;

    $super->dbh->begin_work;
    $super->dbh->do("set local track_functions = 'all'");
    $super->run('select count(*) from sys.job_claim(?::uuid[], ?, ?)',
                "{$id[0]}", 'w1', 60_000);
    is $super->value(undef, 'select count(*)'
        . ' from sys.job_claim_next(?, ?, ?, ?, ?)', 'image', 1, 'w1', 60_000,
        1000), 1, 'one came without Redis';
    is $super->value(undef, 'select verdict from sys.job_settle(?)',
        qq([{"job_id": "$id[0]", "fence": 1, "state": "succeeded"}])), 'OK',
        'the other one ends';
    is_deeply $super->all(undef, 'select s.funcname, s.calls'
        . ' from pg_stat_xact_user_functions s'
        . ' join pg_proc p on p.oid = s.funcid'
        . ' join pg_language l on l.oid = p.prolang'
        . " where l.lanname = 'sql'"), [], 'on the way from hint to end';
    $super->dbh->rollback;
};

# such an index is read whole for a tenant, until the first analyze
is_deeply $db->super->all(undef, q{
    select i.indexrelid::regclass::text as name
      from pg_index i
      join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
     where i.indrelid::regclass::text in ('podi.task_header', 'podi.job',
               'podi.job_need', 'podi.job_log', 'podi.attempt', 'podi.media',
               'podi.media_parent', 'podi.wallet', 'podi.lot', 'podi.hold',
               'podi.hold_alloc', 'podi.ledger')
           and a.attname = 'tenant_id'}), [],
          'no index of work or money begins with the tenant';

$db->whole;
done_testing;
