# sys.job_settle of many at once, and the graph that it drives: each item by
# its own verdict, one commit, one order of locks.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use Podi::Sql;
use Podi::Work;

my $db = Podi::Sql->new;
my $w = Podi::Work->new($db);
my ($ann, $ben) = map { $w->person($_, 1000) } qw(ann ben);
$_->{pic} = $w->media($_) for $ann, $ben;


sub order
{
    my ($who, @actions) = @_;

    return $w->submit($who, inputs => [$who->{pic}], actions => \@actions);
}


sub verdicts
{
    return [map { $_->{verdict} } @_];
}


# a task of jobs that need each other: [job, the one it needs, place]
sub graph
{
    my ($actions, @needs) = @_;
    my $t = order($ann, @$actions);
    my @id = map { $_->{job_id} } @{ $t->{jobs} };

    for my $need (@needs) {
        my ($job, $of, $place) = @$need;
        $w->bend($id[$job], "state = 'blocked', needs_open = needs_open + 1");
        $db->super->all(undef, 'insert into podi.job_need values (?, ?, ?, ?)',
                        $ann->{tenant}, $id[$job], $id[$of], $place);
        $w->bend($id[$job], "inputs = array_remove(inputs, null) || null::uuid")
            if ($place // 1) > 1;
    }
    return ($t, @id);
}


sub states
{
    return join ' ', map { my $j = $w->job($_);
                           $j->{state} . ($j->{error_code} ? ":$j->{error_code}"
                                                           : '') } @_;
}


subtest 'each item has its verdict, and one commit' => sub {
    my @before = map { $w->wallet($_) } $ann, $ben;
    my ($good, $bad, $gone, $other) = map { order($_, 'resize') }
                                      $ann, $ann, $ann, $ben;
    my ($g, $b, $o) = map { $w->claim_task($_)->[0] } $good, $bad, $other;
    my $stale = { job_id => $gone->{jobs}[0]{job_id}, fence => 1 };
    my @r = map { $w->result } 1 .. 2;
    my @s = @{ $w->settle_all(
        $w->settle_item($g, 'succeeded', results => [$r[0]]),
        $w->settle_item($b, 'succeeded', results => [{ media_id => 'x' }]),
        $w->settle_item($stale, 'succeeded'),
        $w->settle_item($o, 'failed', code => 'store_failed'),
        $w->settle_item($g, 'succeeded', results => [$r[1]])) };

    is_deeply verdicts(@s), [qw(OK REFUSED STALE OK REFUSED)], 'in their order';
    is_deeply [map { $_->{task_state} } @s],
              [qw(succeeded running queued failed succeeded)],
              'the state of each task';
    is_deeply [map { scalar @{ $_->{_events} } } @s], [6, 0, 0, 0, 0],
              'all events are in the first row';
    is_deeply [map { "$_->{type} " . ($_->{user_id} eq $ben->{user} ? 'ben'
                                                                    : 'ann') }
               @{ $s[0]{_events} }],
              ['job.succeeded ann', 'wallet.confirmed ann', 'task.succeeded ann',
               'job.failed ben', 'wallet.released ben', 'task.failed ben'],
              'each with its money and its task';
    is $w->job($b->{job_id})->{state}, 'running', 'who was refused still runs';
    is_deeply $w->wallet($ben), $before[1], 'the failure cost nothing';
    is_deeply verdicts(@{ $w->settle_all(
        $w->settle_item($o, 'failed', code => 'store_failed'),
        $w->settle_item($b, 'succeeded', results => [$r[1]])) }),
        ['ALREADY', 'OK'], 'said again, in other company';
    is_deeply $w->settle_all(), [], 'nothing is nothing';
    is_deeply [map { @{$_}{qw(usage cost_micros)} } $db->super->one(undef,
              'select usage, cost_micros from podi.attempt where job_id = ?',
              $o->{job_id})], ['{}', undef], 'nothing was used';
};

subtest 'what was used is kept with the attempt' => sub {
    my ($j) = @{ $w->claim_task(order($ann, 'resize')) };

    $w->settle($j, 'failed', usage => { tokens => 7 }, cost_micros => 1200);
    is_deeply $db->super->one(undef, 'select usage, cost_micros, outcome from'
                              . ' podi.attempt where job_id = ?', $j->{job_id}),
              { usage => '{"tokens": 7}', cost_micros => 1200,
                outcome => 'failed' }, 'kept';
};

subtest 'a batch of one wallet is dense, and ends each task once' => sub {
    my $t = order($ann, qw(resize convert thumbnail));
    my @j = @{ $w->claim_task($t) };
    my $s = $w->settle_all(map { $w->settle_item($_, 'succeeded',
                                    results => [$w->result]) } @j);
    my @seq = map { $_->{data}{seq} } grep { $_->{type} =~ /^wallet/ }
              @{ $s->[0]{_events} };

    is_deeply [map { $_ - $seq[0] } @seq], [0, 1, 2], 'ledger rows in order';
    is_deeply [map { $_->{task_state} } @$s], [('succeeded') x 3], 'one end';
    is_deeply Podi::Work::types($s->[0]{_events}),
              [('job.succeeded', 'wallet.confirmed') x 3, 'task.succeeded'],
              'told once';
};

subtest 'a cancel may cost the whole price' => sub {
    my $before = $w->wallet($ann)->[0];
    $db->super->all(undef, "update podi.action set cancel = 'full' where"
                    . " action = 'image.resize'");
    my ($t, $u) = map { order($ann, 'resize') } 1 .. 2;
    my ($j, $k) = map { $w->claim_task($_)->[0] } $t, $u;

    $w->cancel($ann, $t->{task_id});
    my $s = $w->settle($j, 'cancelled');
    is $s->{_events}[0]{data}{charged}, 2, 'charged';
    is_deeply Podi::Work::types($s->{_events}),
              ['job.cancelled', 'wallet.confirmed', 'task.cancelled'], 'told';
    is $w->wallet($ann)->[0], $before - 4, 'paid';
    $w->settle($k, 'failed');
    is $w->wallet($ann)->[0], $before - 2, 'a failure is not';
    $db->super->all(undef, "update podi.action set cancel = 'none' where"
                    . " action = 'image.resize'");
};

subtest 'a success brings forward who needs it' => sub {
    my ($t, $a, $b, $c) = graph([qw(resize convert thumbnail)], [1, 0, 1],
                                [2, 0, 1], [2, 1, 2]);
    is states($a, $b, $c), 'queued blocked blocked', 'one may start';
    is_deeply $w->claim([$b, $c]), [], 'the others may not';

    my $r = $w->result;
    my $s = $w->settle($w->claim([$a])->[0], 'succeeded', results => [$r]);
    is states($a, $b, $c), 'succeeded queued blocked', 'then the next';
    is_deeply [map { $_->{job_id} } @{ $s->{_hints} }], [$b], 'with a hint';
    my ($k) = @{ $w->claim([$b]) };
    is_deeply [map { $_->{media_id} } @{ $k->{inputs} }], [$r->{media_id}],
              'it works on the result';
    my $q = $w->result;
    $w->settle($k, 'succeeded', results => [$q]);
    my ($l) = @{ $w->claim([$c]) };
    is_deeply [map { $_->{media_id} } @{ $l->{inputs} }],
              [$r->{media_id}, $q->{media_id}], 'and the last on both';
    is $w->settle($l, 'succeeded')->{task_state}, 'succeeded', 'the end';
};

subtest 'one job in two hands has two verdicts' => sub {
    my $t = order($ann, 'resize');
    my ($old) = @{ $w->claim_task($t) };

    $w->retry($old, 'deferral');
    my ($new) = @{ $w->claim_task($t) };
    my @s = @{ $w->settle_all($w->settle_item($old, 'failed'),
                              $w->settle_item($new, 'succeeded')) };
    is_deeply verdicts(@s), [qw(STALE OK)], 'the old one is late, first or not';
    is $w->job($new->{job_id})->{state}, 'succeeded', 'the new one counts';
};

subtest 'two that are needed may end in one batch' => sub {
    my ($t, $a, $b, $c) = graph([qw(resize convert thumbnail)], [2, 0, 1],
                                [2, 1, 2]);
    my @r = map { $w->result } 1 .. 2;
    my @j = map { $w->claim([$_])->[0] } $a, $b;
    my $s = $w->settle_all($w->settle_item($j[0], 'succeeded', results => [$r[0]]),
                           $w->settle_item($j[1], 'succeeded', results => [$r[1]]));

    is_deeply [map { $_->{job_id} } @{ $s->[0]{_hints} }], [$c], 'queued once';
    is_deeply [map { $_->{media_id} } @{ $w->claim([$c])->[0]{inputs} }],
              [map { $_->{media_id} } @r], 'each in its place';
};

subtest 'a failure takes along who needs it, and those who need them' => sub {
    my $before = $w->wallet($ann);
    my ($t, $a, $b, $c) = graph([qw(resize convert thumbnail)], [1, 0, 1],
                                [2, 1, 1]);
    my $s = $w->settle($w->claim([$a])->[0], 'failed');

    is states($a, $b, $c), 'failed:picture_invalid failed:dependency_failed'
                           . ' failed:dependency_failed', 'transitively';
    is $s->{task_state}, 'failed', 'the task ends in the same commit';
    is_deeply Podi::Work::types($s->{_events}),
              [('job.failed', 'wallet.released') x 3, 'task.failed'], 'told';
    is_deeply $w->wallet($ann), $before, 'all points are back';

    ($t, $a, $b) = graph([qw(resize convert)], [1, 0, 1]);
    $w->settle($w->claim([$a])->[0], 'cancelled');
    is states($a, $b), 'cancelled:job_cancelled cancelled:dependency_failed',
       'who needs a cancelled one is cancelled';

    ($t, $a, $b) = graph([qw(resize convert)], [1, 0, 1]);
    $s = $w->settle($w->claim([$a])->[0], 'succeeded');
    is states($a, $b), 'succeeded failed:dependency_failed',
       'who waits for a result that is none fails';
    is $s->{task_state}, 'partial', 'in the same commit';
    is $s->{_events}[-1]{type}, 'task.partial', 'told once, at the end';

    ($t, $a, $b) = graph([qw(resize convert)], [1, 0, undef]);
    $w->settle($w->claim([$a])->[0], 'succeeded');
    is states($a, $b), 'succeeded queued', 'who only comes after it does not';

    ($t, $a, $b) = graph([qw(resize convert)], [1, 0, 1]);
    $w->bend($a, "start_by = now() - interval '1 s'");
    $w->sys('job_expire(10)');
    is states($a, $b), 'failed:job_expired failed:dependency_failed',
       'an expiry does the same';

    ($t, $a, $b) = graph([qw(resize convert)], [1, 0, 1]);
    $w->claim([$a], worker => 'w7');
    $w->bend($a, 'crashes = 2');
    $w->sys('worker_gone(?)', 'w7');
    is states($a, $b), 'failed:job_crashed failed:dependency_failed',
       'a crash too';
};

subtest 'a task may stop at a failure' => sub {
    my $t = order($ann, qw(resize convert thumbnail));
    my @id = map { $_->{job_id} } @{ $t->{jobs} };
    $db->super->all(undef, "update podi.task_header set on_failure = 'stop'"
                    . ' where task_id = ?', $t->{task_id});
    my @j = map { $w->claim([$_])->[0] } @id[0, 1];

    $w->settle($j[0], 'cancelled');
    is states(@id), 'cancelled:job_cancelled running queued',
       'a cancelled one does not stop it';
    my $s = $w->settle($j[1], 'failed');
    is states(@id), 'cancelled:job_cancelled failed:picture_invalid'
                    . ' cancelled:dependency_failed', 'what waits is cancelled';
    is $s->{task_state}, 'failed', 'the end';
};

subtest 'a settle and a cancel take turns' => sub {
    for my $settle_first (0, 1) {
        my $t = order($ann, qw(resize convert));
        my ($j) = @{ $w->claim([$t->{jobs}[0]{job_id}]) };
        my ($worker, $web) = map { $db->login($_) } qw(podi_worker podi_web);
        my $settle = 'select * from '
                     . $w->settle_sql($w->settle_item($j, 'succeeded'));
        my $cancel = "select * from api.task_cancel('$t->{task_id}', null, null)";
        my ($one, $two) = $settle_first ? ($worker, $web) : ($web, $worker);

        $_->dbh->begin_work for $one, $two;
        $web->run('select api.context_open(?)', $db->as($ann));
        $one->run($settle_first ? $settle : $cancel);
        $two->send($settle_first ? $cancel : $settle);
        $two->wait_blocked($db->super);
        $one->dbh->commit;
        $two->wait;
        $two->dbh->commit;
        is_deeply [map { $w->job($_->{job_id})->{state} } @{ $t->{jobs} }],
                  ['succeeded', 'cancelled'],
                  $settle_first ? 'the settle was first' : 'the cancel was';
        is $w->read_task($ann, $t->{task_id})->{state}, 'partial', '... partial';
    }
};

subtest 'a claim and a cancel take turns' => sub {
    my $t = order($ann, 'resize');
    my ($worker, $web) = map { $db->login($_) } qw(podi_worker podi_web);

    $_->dbh->begin_work for $worker, $web;
    $web->run('select api.context_open(?)', $db->as($ann));
    $web->run("select * from api.task_cancel('$t->{task_id}', null, null)");
    $worker->send("select * from sys.job_claim('{$t->{jobs}[0]{job_id}}', 'w',"
                  . ' 60000)');
    $worker->wait_blocked($db->super);
    $web->dbh->commit;
    is_deeply $worker->wait, [], 'what was cancelled is not claimed';
    $worker->dbh->commit;
};

$db->whole;
done_testing;
