# api.task_cancel: what waits ends at once, what runs is asked to stop.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use Podi::Sql;
use Podi::Work;

my $db = Podi::Sql->new;
my $w = Podi::Work->new($db);
my $ann = $w->person('ann', 100);
my $ben = $w->person('ben', 100);
my $pic = $w->media($ann);
my $call = 'select * from api.task_cancel(?, null, null)';


sub order
{
    my (@actions) = @_;

    return $w->submit($ann, inputs => [$pic], actions => \@actions);
}


subtest 'a task that waits ends at once' => sub {
    my $before = $w->wallet($ann);
    my $t = order('resize', 'convert');
    my @id = map { $_->{job_id} } @{ $t->{jobs} };
    my $c = $w->cancel($ann, $t->{task_id});

    is_deeply [@{$c}{qw(state jobs_open charged)}], ['cancelled', 0, 0],
              'cancelled';
    is_deeply Podi::Work::types($c->{_events}),
              [(qw(job.cancelled wallet.released)) x 2, 'task.cancelled'],
              'told';
    is_deeply $c->{_dropped}, { image => \@id }, 'its hints are void';
    is_deeply $c->{_pokes}, [], 'nobody has to be told';
    is_deeply $w->wallet($ann), $before, 'the points are back';
    is_deeply $w->claim(\@id), [], 'it cannot be claimed';
    $w->{web}->refused('U0431', $db->as($ann), $call, $t->{task_id},
                       'again: it has ended');
};

subtest 'a running job is asked to stop' => sub {
    my $t = order('resize', 'convert');
    my $j = $w->claim([$t->{jobs}[0]{job_id}], worker => 'w7')->[0];
    my $c = $w->cancel($ann, $t->{task_id});

    is_deeply [@{$c}{qw(state jobs_open)}], ['running', 1], 'one is left';
    ok $c->{cancel_requested_at}, 'the wish is noted';
    is_deeply $c->{_pokes}, [{ job_id => $j->{job_id}, worker => 'w7' }],
              'its holder is to be told';
    is $w->sys('job_beat(?, ?::uuid[], ?::int[], 60000, null)', 'w7',
               "{$j->{job_id}}", '{1}')->[0]{cancel_requested}, 1,
       'the beat says it too';
    is_deeply $w->cancel($ann, $t->{task_id})->{_events}, [],
              'asking again changes nothing';
    my $s = $w->settle($j, 'cancelled');
    is $s->{task_state}, 'cancelled', 'the holder ends it';
    is $w->job($j->{job_id})->{error_code}, 'job_cancelled', 'with the code';
};

subtest 'what was finished before the wish arrived counts' => sub {
    my $t = order('resize', 'convert');
    my $j = $w->claim([$t->{jobs}[0]{job_id}])->[0];

    $w->cancel($ann, $t->{task_id});
    my $s = $w->settle($j, 'succeeded', results => [$w->result]);
    is $s->{task_state}, 'partial', 'delivered and charged';
};

subtest 'a cancelled job does not go back to the queue' => sub {
    my %back = (
        retry  => sub { $w->retry($_[0], 'attempt') },
        return => sub { $w->retry($_[0], 'return') },
        gone   => sub { $w->sys('worker_gone(?)', 'wx')->[0] },
        sweep  => sub { $w->bend($_[0]{job_id},
                                 "lease_until = now() - interval '1 s'");
                        $w->sys('job_sweep(10)')->[0] },
    );

    for my $way (sort keys %back) {
        my $t = order('resize');
        my $j = $w->claim_task($t, worker => 'wx')->[0];
        $w->cancel($ann, $t->{task_id});
        my $b = $back{$way}->($j);
        is $b->{state}, 'cancelled', "$way: cancelled";
        is $b->{_events}[-1]{type}, 'task.cancelled', '... and the task too';
        my $late = $w->settle($j, 'succeeded')->{verdict};
        isnt $late, 'OK', "... a late settle is not taken ($late)";
    }
};

subtest 'a claim that came first wins' => sub {
    my $t = order('resize');
    my $id = $t->{jobs}[0]{job_id};
    my ($worker, $web) = ($db->login('podi_worker'), $db->login('podi_web'));

    $worker->dbh->begin_work;
    $worker->run("select * from sys.job_claim('{$id}', 'w1', 60000)");
    $web->dbh->begin_work;
    $web->run('select api.context_open(?)', $db->as($ann));
    $web->send("select * from api.task_cancel('$t->{task_id}', null, null)");
    $web->wait_blocked($db->super);
    $worker->dbh->commit;
    $web->wait;
    $web->dbh->commit;
    is_deeply [@{ $w->job($id) }{qw(state cancel_requested)}], ['running', 1],
              'the cancel finds it running';
    $w->settle({ job_id => $id, fence => 1 }, 'cancelled');
};

subtest 'a cancel that came first wins' => sub {
    my $t = order('resize');
    my $id = $t->{jobs}[0]{job_id};
    my ($worker, $web) = ($db->login('podi_worker'), $db->login('podi_web'));

    $web->dbh->begin_work;
    $web->all($db->as($ann), $call, $t->{task_id});
    $worker->dbh->begin_work;
    $worker->send("select * from sys.job_claim('{$id}', 'w1', 60000)");
    $worker->wait_blocked($db->super);
    $web->dbh->commit;
    $worker->wait;
    $worker->dbh->commit;
    is $w->job($id)->{state}, 'cancelled', 'the claim finds nothing';
};

# what a cancel would cost: state, at once, least, most
sub cost
{
    my ($who, $task) = @_;
    my $q = Podi::Work::decode($w->{web}->one($db->as($who),
        'select * from api.task_cancel_quote(?)', $task))->[0];

    return [@{$q}{qw(releases charges_least charges_most)}];
}


subtest 'a cancel costs what its quote said' => sub {
    my $before = $w->wallet($ann);
    my $t = order('resize', 'convert', 'thumbnail');
    is_deeply cost($ann, $t->{task_id}), [4, 0, 0], 'nothing has started';

    my @j = @{ $w->claim([map { $_->{job_id} } @{ $t->{jobs} }[0, 1]]) };
    is_deeply cost($ann, $t->{task_id}), [1, 0, 3],
              'what runs may be done before it hears of it';
    $w->cancel($ann, $t->{task_id});
    is_deeply $w->wallet($ann), [$before->[0] - 3, $before->[1] + 3],
              'what had not started is back at once';
    is_deeply cost($ann, $t->{task_id}), [0, 0, 3], 'the rest is open';
    $w->settle($j[0], 'cancelled');
    $w->settle($j[1], 'succeeded', results => [$w->result]);
    is_deeply $w->wallet($ann), [$before->[0] - 1, $before->[1]],
              'what was delivered is paid';
    $w->{web}->refused('U0431', $db->as($ann),
        'select * from api.task_cancel_quote(?)', $t->{task_id},
        'a task that has ended has none');
};

subtest 'an action that is paid in full once it runs' => sub {
    $db->{ctl}->all(undef, 'select * from sys.action_put(?)',
                    '{"action": "image.resize", "cancel": "full"}');
    my $before = $w->wallet($ann);
    my $t = order('resize', 'resize');
    my $j = $w->claim([$t->{jobs}[0]{job_id}])->[0];

    is_deeply cost($ann, $t->{task_id}), [2, 0, 2],
              'is said before: nothing, if it fails meanwhile';
    $w->cancel($ann, $t->{task_id});
    $w->settle($j, 'cancelled');
    is_deeply $w->wallet($ann), [$before->[0] - 2, $before->[1]], 'and so done';
    is_deeply [@{ $w->read_task($ann, $t->{task_id}) }{qw(state charged)}],
              ['cancelled', 2], 'it is cancelled, and charged';
    my $r = Podi::Work::decode($w->{web}->one($db->as($ann),
        'select * from api.task_retry(?, null, null)', $t->{task_id}))->[0];
    is $r->{_events}[0]{data}{price}, 2,
       'begun again only what is not paid is paid';
    $w->cancel($ann, $t->{task_id});
    $db->{ctl}->all(undef, 'select * from sys.action_put(?)',
                    '{"action": "image.resize", "cancel": "none"}');
};

subtest 'who hands a job back when it was cancelled has run it' => sub {
    my $put = sub { $db->{ctl}->all(undef, 'select * from sys.action_put(?)',
                        qq({"action": "image.resize", "cancel": "$_[0]"})) };

    for my $case (['full', 'return', 2], ['none', 'return', 0],
                  ['full', 'gone', 0], ['full', 'attempt', 0])
    {
        my ($cancel, $how, $cost) = @$case;
        $put->($cancel);
        my $t = order('resize');
        my ($j) = @{ $w->claim_task($t, worker => 'wx') };
        $w->cancel($ann, $t->{task_id});
        $how eq 'gone' ? $w->sys("worker_gone('wx')") : $w->retry($j, $how);
        is_deeply [@{ $w->job($j->{job_id}) }{qw(state charged)}],
                  ['cancelled', $cost], "$cancel, $how: $cost";
    }
    $put->('none');
    $db->whole;
};

subtest 'only who asked for a cancel pays for it' => sub {
    my $put = sub { $db->{ctl}->all(undef, 'select * from sys.action_put(?)',
                        qq({"action": "image.resize", "cancel": "$_[0]"})) };
    my $before = $w->wallet($ann);

    $put->('full');
    my ($j) = @{ $w->claim_task(order('resize')) };
    is $w->settle($j, 'cancelled')->{verdict}, 'OK', 'a worker says so alone';
    is_deeply $w->wallet($ann), $before, 'and nothing is charged';
    $put->('none');
};

subtest 'what a cancel costs was agreed at the submit' => sub {
    my $put = sub { $db->{ctl}->all(undef, 'select * from sys.action_put(?)',
                        qq({"action": "image.resize", "cancel": "$_[0]"})) };

    for my $case (['none', 'full', 0], ['full', 'none', 2]) {
        my ($then, $now, $cost) = @$case;
        $put->($then);
        my $t = order('resize');
        my $j = $w->claim_task($t)->[0];
        $put->($now);
        my $q = Podi::Work::decode($w->{web}->one($db->as($ann),
            'select * from api.task_cancel_quote(?)', $t->{task_id}))->[0];
        is $q->{jobs}[0]{cancel}, $then, "$then, now $now: it is $then";
        $w->cancel($ann, $t->{task_id});
        $w->settle($j, 'cancelled');
        is $w->job($j->{job_id})->{charged}, $cost, "... and costs $cost";
        my $r = Podi::Work::decode($w->{web}->one($db->as($ann),
            'select * from api.task_retry(?, null, null)', $t->{task_id}))->[0];
        is $r->{_events}[0]{data}{price}, 2 - $cost, '... in each round';
        $w->cancel($ann, $t->{task_id});
    }
    $put->('none');
};

subtest 'what is blocked goes with what it needs' => sub {
    my $before = $w->wallet($ann);
    my $t = $w->submit($ann, graph => [
        { key => 'a', action => 'image.thumbnail', inputs => [{ media => $pic }] },
        { key => 'b', action => 'image.thumbnail', inputs => [{ job => 'a' }] }]);
    my $j = $w->claim([$t->{jobs}[0]{job_id}])->[0];

    is_deeply cost($ann, $t->{task_id}), [1, 0, 1], 'quoted';
    my $c = $w->cancel($ann, $t->{task_id});
    is_deeply [@{$c}{qw(state jobs_open)}], ['running', 1], 'one runs';
    $w->settle($j, 'succeeded', results => [$w->result]);
    is_deeply [@{ $w->read_task($ann, $t->{task_id}) }{qw(state charged)}],
              ['partial', 1], 'and may be done';
    is_deeply $w->wallet($ann), [$before->[0] - 1, $before->[1]], 'paid for itself';
};

subtest 'a settle that came first is not cancelled' => sub {
    my $t = order('resize');
    my $j = $w->claim_task($t)->[0];
    my ($worker, $web) = ($db->login('podi_worker'), $db->login('podi_web'));

    $worker->dbh->begin_work;
    $worker->run('select * from ' . $w->settle_sql(
        $w->settle_item($j, 'succeeded', results => [$w->result])));
    $web->dbh->begin_work;
    $web->run('select api.context_open(?)', $db->as($ann));
    $web->send("select * from api.task_cancel('$t->{task_id}', null, null)");
    $web->wait_blocked($db->super);
    $worker->dbh->commit;
    is((eval { $web->wait; undef } // $@)->{state}, 'U0431', 'it has ended');
    $web->dbh->rollback;
};

subtest 'only the owner cancels' => sub {
    my $t = order('resize');
    my $cid = $w->person('cid', 0, tenant => $db->tenant('umbra'));
    my ($nothing) = $w->ids(1);
    my @said = map {
        my $e = $w->{web}->refused('U0404', $db->as($_->[0]), $call, $_->[1],
                                   'not found');
        ($e->{text} // '') =~ s/[0-9a-f-]{36}/ID/r;
    } [$ben, $t->{task_id}], [$cid, $t->{task_id}], [$ben, $nothing];
    is $said[0], $said[2], 'as if it did not exist, for another user';
    is $said[1], $said[2], 'and for another tenant';
    $w->{web}->refused('U0404', $db->as($ben),
        'select * from api.task_cancel_quote(?)', $t->{task_id}, 'nor quotes');
    is $w->job($t->{jobs}[0]{job_id})->{state}, 'queued', 'untouched';
};

subtest 'a key cancels once and answers again' => sub {
    my $t = order('resize');
    my $first = $w->cancel($ann, $t->{task_id}, 'c1');
    my $again = $w->cancel($ann, $t->{task_id}, 'c1');

    is $first->{state}, 'cancelled', 'cancelled';
    is $again->{state}, 'cancelled', 'the same answer, not "it has ended"';
    is_deeply [@{$again}{qw(_events _dropped _pokes)}], [[], {}, []],
              'with nothing to do';
};

$db->whole;
done_testing;
