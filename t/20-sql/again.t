# api.task_retry: a task goes on from where it failed; what was delivered is
# kept, what is paid is not paid again.  Rounds follow one another.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use JSON::PP ();
use Podi::Sql;
use Podi::Work;

my $db = Podi::Sql->new;
my $w = Podi::Work->new($db);
my $ann = $w->person('ann', 1000);
my $ben = $w->person('ben', 5);
my $pic = $w->media($ann);
my $ctl = $db->login('podi_ctl');
my $call = 'select * from api.task_retry(?, null, null)';


sub order
{
    my (@actions) = @_;

    return $w->submit($ann, inputs => [$pic], actions => \@actions);
}


sub again
{
    my ($who, $task, $key) = @_;
    my $hash = 'retry';

    return Podi::Work::decode($w->{web}->one($db->as($who),
        'select * from api.task_retry(?, ?, ?)', $task->{task_id}, $key,
        \$hash))->[0];
}


# makes the first job of a task a dead letter, the others succeed
sub poison
{
    my ($task) = @_;
    my ($j, @others) = @{ $w->claim_task($task, worker => 'poor') };

    $w->settle($_, 'succeeded', results => [$w->result]) for @others;
    $w->bend($j->{job_id}, 'crashes = 2');
    $w->sys('worker_gone(?)', 'poor');
    return [$j];
}


# settles the jobs of a task as said, in order
sub finish
{
    my ($task, @states) = @_;
    my $jobs = $w->claim_task($task);

    for my $i (0 .. $#states) {
        $w->settle($jobs->[$i], $states[$i],
                   $states[$i] eq 'succeeded' ? (results => [$w->result]) : ());
    }
    return $jobs;
}


subtest 'what failed runs again, what succeeded is kept' => sub {
    my $before = $w->wallet($ann)->[0];
    my $t = order('resize', 'thumbnail');
    my $old = finish($t, 'succeeded', 'failed');
    is $w->wallet($ann)->[0], $before - 2, 'one of two is paid';

    my $r = again($ann, $t);
    is_deeply [@{$r}{qw(state round is_new price jobs_total)}],
              ['queued', 2, 1, 3, 2], 'a second round';
    isnt $r->{hold_id}, $t->{hold_id}, 'with a hold of its own';
    is_deeply $w->wallet($ann), [$before - 3, 1], 'of what is left to pay';
    is_deeply [map { $_->{state} } @{ $r->{jobs} }], ['succeeded', 'queued'],
              'only the failed one is queued';
    is_deeply [map { $_->{job_id} } @{ $r->{_hints} }],
              [$t->{jobs}[1]{job_id}], 'and hinted at';
    is_deeply Podi::Work::types($r->{_events}), ['task.queued', 'wallet.frozen'],
              'the user is told';
    is_deeply $r->{_events}[0]{data}, { jobs => 1, price => 1, round => 2 },
              'of what';
    my $job = $w->job($t->{jobs}[1]{job_id});
    is_deeply [@{$job}{qw(attempts crashes error_code settled_fence fence)}],
              [0, 0, undef, undef, 2], 'it is as new, under a new fence';
    is $w->settle($old->[1], 'succeeded')->{verdict}, 'STALE',
       'its old holder is told so';

    my $new = finish($r, 'succeeded');
    is $new->[0]{job_id}, $t->{jobs}[1]{job_id}, 'it is claimed and done';
    my $read = $w->read_task($ann, $t->{task_id});
    is_deeply [@{$read}{qw(state charged jobs_open jobs_succeeded round)}],
              ['succeeded', 3, 0, 2, 2], 'then all of the task is';
    is_deeply $w->wallet($ann), [$before - 3, 0], 'for the price of it';
    $w->{web}->refused('U0431', $db->as($ann), $call, $t->{task_id},
                       'what has succeeded is not done again');
};

subtest 'a task that was cancelled' => sub {
    my $t = order('resize', 'convert');
    $w->cancel($ann, $t->{task_id});
    my $r = again($ann, $t);

    is_deeply [@{$r}{qw(state round)}], ['queued', 2], 'goes on, too';
    is_deeply [map { $_->{state} } @{ $r->{jobs} }], [('queued') x 2],
              'with all its jobs';
    is $db->super->value(undef, 'select cancel_requested_at from'
        . ' podi.task_header where task_id = ?', $t->{task_id}), undef,
       'the wish is forgotten';
    finish($r, 'failed', 'failed');
    my $third = again($ann, $r);
    is $third->{round}, 3, 'as often as one likes';
    finish($third, 'succeeded', 'succeeded');
    is $w->read_task($ann, $t->{task_id})->{charged}, 3, 'paid once';
};

subtest 'what is past its time comes back' => sub {
    my $t = order('resize');
    $db->super->all(undef, 'update podi.task_header set deadline_at ='
                    . " created_at + interval '1 ms' where task_id = ?",
                    $t->{task_id});
    finish($t, 'failed');
    my $r = again($ann, $t);
    is $r->{deadline_at}, undef, 'a deadline that has passed binds no more';
    finish($r, 'succeeded');
};

subtest 'what is set aside is the operator\'s to replay' => sub {
    my $replay = 'select * from sys.job_replay(?, ?)';
    my ($t, $u) = map { order('resize', 'convert') } 1, 2;
    my ($j) = @{ poison($t) };
    my ($k) = @{ poison($u) };

    $w->{web}->refused('U0454', $db->as($ann), $call, $t->{task_id},
                       'its user may not begin it again');
    $ctl->refused('U0422', undef, $replay, $j->{job_id}, ' ', 'who may says why');
    $ctl->refused('U0404', undef, $replay, $t->{jobs}[1]{job_id}, 'x',
                  'of a dead letter');
    $w->{worker}->refused('42501', undef, $replay, $j->{job_id}, 'x',
                          'a worker may not');

    my $before = $w->wallet($ann);
    my $r = Podi::Work::decode($ctl->one(undef, $replay, $j->{job_id},
                                         'mended'))->[0];
    is_deeply [@{$r}{qw(task_id round price)}], [$t->{task_id}, 2, 2],
              'another round of its task';
    is_deeply [map { $_->{job_id} } @{ $r->{_hints} }], [$j->{job_id}],
              'that is hinted at';
    is_deeply Podi::Work::types($r->{_events}), ['task.queued', 'wallet.frozen'],
              'and told to the user';
    is_deeply $w->wallet($ann), [$before->[0] - 2, $before->[1] + 2],
              'who pays for it';
    is_deeply [@{ $w->job($j->{job_id}) }{qw(state crashes set_aside)}],
              ['queued', 0, 0], 'nothing is held against it';
    is $db->super->value(undef, 'select detail ->> ? from podi.audit where'
                         . " verb = 'job.replay'", 'reason'), 'mended',
       'it is on record';
    $ctl->refused('U0404', undef, $replay, $j->{job_id}, 'x', 'once');
    finish($t, 'succeeded');
    is $w->read_task($ann, $t->{task_id})->{charged}, 3, 'and done and paid';

    my $have = $w->wallet($ann)->[0];
    $ctl->all(undef, "select * from sys.wallet_adjust('acme', 'ann', ?, 'x', 'x')",
              1 - $have);
    my $e = $ctl->refused('U0402', undef, $replay, $k->{job_id}, 'x',
                          'without points it stays');
    is_deeply JSON::PP::decode_json($e->{detail}),
              { required => 2, available => 1, missing => 1 }, 'where it was';
    $db->grant($ann, 1000);
    is $w->job($k->{job_id})->{set_aside}, 1, 'on the list';
    $ctl->all(undef, 'select sys.job_dismiss(?, ?)', $k->{job_id}, 'seen');
    is again($ann, $u)->{round}, 2, 'dismissed it is its user\'s again';
    finish($u, 'succeeded');
};

subtest 'what was given back is not paid: no work for nothing' => sub {
    $ctl->all(undef, 'select * from sys.action_put(?)', Podi::Work::text({
        action => 'image.resize', segments => [{ name => 'a', percent => 50 },
                                               { name => 'b', percent => 50 }] }));
    my ($t, $u, $v) = map { order('resize', 'convert') } 1 .. 3;
    for my $task ($t, $u) {
        my ($j, $k) = @{ $w->claim_task($task) };
        $w->{worker}->one(undef, 'select * from sys.job_segment(?, ?, 1, null,'
                          . ' null)', @{$j}{qw(job_id fence)});
        $w->settle($j, 'failed');
        $w->settle($k, 'succeeded', results => [$w->result]);
    }
    finish($v, 'failed', 'succeeded');
    my $refund = "select * from sys.wallet_refund('acme', 'ann', ?, null, null,"
                 . " ?, 'it was bad', ?)";

    $ctl->all(undef, $refund, $t->{task_id}, 1, 'r1');
    $w->{web}->refused('U0409', $db->as($ann), $call, $t->{task_id},
                       'half of the work was paid, and given back');
    $ctl->all(undef, $refund, $v->{task_id}, 1, 'r2');
    my $free = order('resize');
    my ($q) = @{ $w->claim_task($free) };
    $w->{worker}->one(undef, 'select * from sys.job_segment(?, ?, 1, null, null)',
                      @{$q}{qw(job_id fence)});
    $w->settle($q, 'failed');
    my $more = again($ann, $free);
    $ctl->refused('U0409', undef, $refund, $free->{task_id}, 1, 'r0',
                  'nothing is given back of a task that goes on');
    finish($more, 'succeeded');
    is $ctl->one(undef, $refund, $free->{task_id}, 1, 'r0')->{refunded}, 1,
       'until it has ended';

    is again($ann, $v)->{_events}[0]{data}{price}, 2,
       'what costs its whole price may go on';

    my $web = $db->login('podi_web');
    $ctl->dbh->begin_work;
    $ctl->run($refund, $u->{task_id}, 1, 'r3');
    $web->dbh->begin_work;
    $web->run('select api.context_open(?)', $db->as($ann));
    $web->send("select * from api.task_retry('$u->{task_id}', null, null)");
    $web->wait_blocked($db->super);
    $ctl->dbh->commit;
    is((eval { $web->wait; undef } // $@)->{state}, 'U0409',
       'nor while a refund is under way');
    $web->dbh->rollback;
    $ctl->all(undef, 'select * from sys.action_put(?)',
              '{"action": "image.resize", "segments": []}');
};

subtest 'who may, and when' => sub {
    my $t = order('resize');
    $w->{web}->refused('U0409', $db->as($ann), $call, $t->{task_id},
                       'not while it goes on');
    my $j = $w->claim_task($t)->[0];
    $w->{web}->refused('U0409', $db->as($ann), $call, $t->{task_id},
                       'nor while it runs');
    $w->settle($j, 'failed');
    my ($nothing) = $w->ids(1);
    for my $case ([$ben, $t->{task_id}], [$ann, $nothing]) {
        $w->{web}->refused('U0404', $db->as($case->[0]), $call, $case->[1],
                           'not found');
    }

    my $mine = $w->media($ben);
    my $poor = $w->submit($ben, inputs => [$mine], actions => [('resize') x 2]);
    finish($poor, 'failed', 'failed');
    $w->submit($ben, inputs => [$mine], actions => ['resize']);
    my $e = $w->{web}->refused('U0402', $db->as($ben), $call,
                               $poor->{task_id}, 'without points it stays');
    is_deeply JSON::PP::decode_json($e->{detail}),
              { required => 4, available => 3, missing => 1 }, 'as it is';
    is $w->read_task($ben, $poor->{task_id})->{state}, 'failed', 'ended';
};

subtest 'a key begins one round' => sub {
    my $t = order('resize');
    finish($t, 'failed');
    my $first = again($ann, $t, 'r1');
    my $twice = again($ann, $t, 'r1');

    is_deeply [$first->{is_new}, $twice->{is_new}], [1, 0], 'new once';
    is_deeply [@{$twice}{qw(round state _hints _events)}],
              [2, 'queued', [], []], 'then the task as it is';
    finish($first, 'succeeded');
};

subtest 'a graph goes on where it was' => sub {
    my $t = $w->submit($ann, graph => [
        { key => 'a', action => 'image.thumbnail', inputs => [{ media => $pic }] },
        { key => 'b', action => 'image.thumbnail', inputs => [{ media => $pic }] },
        { key => 'c', action => 'image.thumbnail', inputs => [{ job => 'a' }],
          after => ['b'] }]);
    my %id = map { $_->{key} => $_->{job_id} } @{ $t->{jobs} };
    my ($a, $b) = @{ $w->claim([@id{qw(a b)}]) };
    my ($late, $made) = map { $w->result } 1, 2;

    $w->settle($a, 'succeeded', results => [$made, $late]);
    $w->settle($b, 'failed');
    is $w->job($id{c})->{error_code}, 'dependency_failed', 'c cannot be done';
    is $w->read_task($ann, $t->{task_id})->{state}, 'partial', 'the task ends';

    my $r = again($ann, $t);
    is_deeply { map { $_->{key} => $_->{state} } @{ $r->{jobs} } },
              { a => 'succeeded', b => 'queued', c => 'blocked' }, 'c waits for b';
    is_deeply [map { $_->{job_id} } @{ $r->{_hints} }], [$id{b}], 'alone';
    is $w->job($id{c})->{inputs}[0], $made->{media_id}, 'and has what a made first';
    is_deeply [map { $_->{results} } grep { $_->{job_id} eq $id{a} }
               @{ $w->read_task($ann, $t->{task_id})->{jobs} }],
              [[$made->{media_id}, $late->{media_id}]], 'as it is shown';
    $w->settle($w->claim([$id{b}])->[0], 'succeeded', results => [$w->result]);
    $w->settle($w->claim([$id{c}])->[0], 'succeeded', results => [$w->result]);
    is_deeply [@{ $w->read_task($ann, $t->{task_id}) }{qw(state charged)}],
              ['succeeded', 3], 'all is done';
};

subtest 'a settle that came first' => sub {
    my $t = order('resize');
    my $j = $w->claim_task($t)->[0];
    my ($worker, $web) = ($db->login('podi_worker'), $db->login('podi_web'));

    $worker->dbh->begin_work;
    local $w->{worker} = $worker;
    $w->settle($j, 'failed');
    $web->dbh->begin_work;
    $web->run('select api.context_open(?)', $db->as($ann));
    $web->send("select * from api.task_retry('$t->{task_id}', null, null)");
    $web->wait_blocked($db->super);
    $worker->dbh->commit;
    is $web->wait->[0]{round}, 2, 'the retry waits for it, then begins';
    $web->dbh->commit;
};

subtest 'a retry that came first' => sub {
    my $t = order('resize');
    my $j = $w->claim_task($t)->[0];
    $w->settle($j, 'failed');
    my ($one, $two) = map { $db->login('podi_web') } 1 .. 2;

    $one->dbh->begin_work;
    $one->all($db->as($ann), $call, $t->{task_id});
    $two->dbh->begin_work;
    $two->run('select api.context_open(?)', $db->as($ann));
    $two->send("select * from api.task_retry('$t->{task_id}', null, null)");
    $two->wait_blocked($db->super);
    $one->dbh->commit;
    my $e = eval { $two->wait; undef } // $@;
    is $e->{state}, 'U0409', 'another retry finds it going on';
    $two->dbh->rollback;
    is $w->settle($j, 'failed')->{verdict}, 'STALE', 'and the settle is late';
};

subtest 'states go only where they may' => sub {
    my $t = order('resize');
    my $id = $t->{jobs}[0]{job_id};
    finish($t, 'succeeded');

    for my $state (qw(blocked queued running failed cancelled)) {
        $db->super->refused('U0409', undef, 'update podi.job set state = ?'
            . ' where job_id = ?', $state, $id, "a job: succeeded to $state");
    }
    for my $state (qw(queued running partial failed cancelled)) {
        $db->super->refused('U0409', undef, 'update podi.task_header set'
            . ' state = ? where task_id = ?', $state, $t->{task_id},
            "a task: succeeded to $state");
    }
    my $open = order('resize');
    $db->super->refused('U0409', undef, "update podi.job set state = 'succeeded'"
        . ' where job_id = ?', $open->{jobs}[0]{job_id},
        'a job: queued to succeeded');
    $db->super->refused('U0409', undef, 'update podi.task_header set state ='
        . " 'succeeded' where task_id = ?", $open->{task_id},
        'a task: queued to succeeded');
};

$db->whole;
done_testing;
