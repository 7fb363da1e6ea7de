# A job's way through the skeleton: claimed, run, settled, told.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use Podi::Hands;
use Podi::Proc qw(poll);

my $h = Podi::Hands->new;
my $dispatchd = $h->daemon('podi_dispatchd');
my $echod = $h->daemon('echod', slow => '500ms');


subtest 'a job that succeeds' => sub {
    my $before = $h->{work}->wallet($h->{ann});
    my $t = $h->submit('test.succeed');
    my $task = $h->ended($t);

    is $task->{state}, 'succeeded', 'ends its task';
    is $task->{charged}, 5, 'costs its price';
    is_deeply $h->words($t), [qw(start done)], 'runs once';
    is $h->{work}->wallet($h->{ann})->[0], $before->[0] - 5,
        'and the points are gone';

    my ($event) = $h->heard('task.succeeded');
    is $event->{task_id}, $t->{task_id}, 'the user hears of it';
    like $event->{seq}, qr/^\d+$/, 'with its number';

    my ($line) = $h->log($echod, 'job.settled');
    is $line->{trace_id}, 'a' x 32, 'the log line carries the trace';
    is $line->{task_id}, $t->{task_id}, 'and the task';
};

subtest 'a job that fails' => sub {
    my $before = $h->{work}->wallet($h->{ann});
    my $t = $h->submit('test.fail');

    is $h->ended($t)->{state}, 'failed', 'fails its task';
    is $h->job($t)->{error_code}, 'picture_invalid', 'with the reason';
    is_deeply $h->words($t), ['start'], 'without another attempt';
    is_deeply $h->{work}->wallet($h->{ann}), $before, 'for nothing';
};

subtest 'an action that has no row of its own' => sub {
    my $t = $h->submit('test.other');

    is $h->ended($t)->{state}, 'succeeded', 'is served by the row for any';
    is_deeply $h->words($t), [qw(start test.other)], 'which learns its name';
};

subtest 'a failure that may pass' => sub {
    my $t = $h->submit('test.flaky', { failures => 2 });

    is $h->ended($t)->{state}, 'succeeded', 'is tried again';
    is_deeply $h->words($t), [qw(start undo start undo start done)],
        'undone each time';
    is $h->job($t)->{attempts}, 3, 'and counted';
    is scalar(grep { $_->{job_id} eq $t->{jobs}[0]{job_id} }
              $h->heard('job.delayed')), 2, 'the user hears of each delay';
    is_deeply [map { [@{$_}{qw(outcome usage cost_micros)}] }
               @{ $h->{db}->super->all(undef, 'select * from podi.attempt'
                  . ' where job_id = ? order by fence',
                  $t->{jobs}[0]{job_id}) }],
              [(['retried', '{"calls": 1}', 300]) x 2,
               ['succeeded', '{"calls": 1}', 300]],
              'what each attempt used is kept';
};

# a dispatcher that noted after the push marked rows that had been put back
# meanwhile, and they waited until they were stale
subtest 'jobs that are put back at once' => sub {
    my @t = map { $h->submit('test.flaky', { failures => 2 }) } 1 .. 20;

    is_deeply [map { $h->ended($_)->{state} } @t], [('succeeded') x 20],
        'are pushed again, long before they are stale';
};

subtest 'a failure that does not pass' => sub {
    my $t = $h->submit('test.flaky', { failures => 99 });

    is $h->ended($t)->{state}, 'failed', 'fails when the attempts are used up';
    is $h->job($t)->{error_code}, 'store_failed', 'with the last reason';
    is $h->job($t)->{error_detail}, 'not yet ? with token: ***',
        'as a text without secrets';
    is scalar(grep { $_ eq 'start' } @{ $h->words($t) }), 3,
        'after as many as the action allows';
};

subtest 'a job whose time is over' => sub {
    my $t = $h->submit('test.late');

    is $h->ended($t)->{state}, 'failed', 'is stopped';
    is $h->job($t)->{error_code}, 'job_timeout', 'with the reason';
    is_deeply $h->words($t), [qw(start undo)], 'and undone';
};

subtest 'progress' => sub {
    my $t = $h->submit('test.progress');

    is $h->ended($t)->{state}, 'succeeded', 'does not hinder';
    my @tick = grep { $_->{job_id} eq $t->{jobs}[0]{job_id} }
               $h->heard('job.progress');
    cmp_ok scalar @tick, '>=', 1, 'is heard while the job runs';
    is scalar(grep { exists $_->{seq} } @tick), 0, 'and has no number';
    is_deeply [map { $_->{progress} } @tick],
              [sort { $a <=> $b } map { $_->{progress} } @tick],
              'never goes back';
};

subtest 'a job that is cancelled while it runs' => sub {
    my $t = $h->submit('test.hang');
    my $job = $h->reaches($t, 'running');

    # the hint comes again
    Podi::Pg::run_quiet("$h->{build}/test/hintc", $h->{redis}, 'push',
        qq([{"job_id":"$job->{job_id}","tenant_id":"$job->{tenant_id}",)
        . '"queue":"test"}]');
    my $holders = sub { scalar(() = $h->redis_say('HKEYS', 'podi:{q}:held')
                               =~ /$job->{job_id}/g) };

    ok poll(10, sub { $h->redis_say('HLEN', 'podi:{q}:ids:test') =~ /^:0/
                          && $holders->() == 1 }),
        'is not taken twice by who runs it';
    ok !($h->log($echod, 'job.lost'))[0], 'nor given up for that';

    $h->{work}->cancel($h->{ann}, $t->{task_id});

    is $h->ended($t)->{state}, 'cancelled', 'ends';
    is_deeply $h->words($t), [qw(start undo)], 'is undone';
    is $h->job($t)->{charged}, 0, 'and costs nothing';
};

subtest 'what it used, and PostgreSQL refuses' => sub {
    my $super = $h->{db}->super;

    $super->all(undef, 'alter table podi.attempt add constraint attempt_no_ck'
                . ' check (cost_micros is distinct from 300) not valid');
    my $t = $h->submit('test.flaky', { failures => 0 });

    is $h->ended($t, 60)->{state}, 'failed', 'it ends all the same';
    is $super->value(undef, 'select usage::text from podi.attempt'
                     . ' where job_id = ?', $t->{jobs}[0]{job_id}), '{}',
        'without';
    is scalar(grep { $_->{job_id} eq $t->{jobs}[0]{job_id} }
              $h->log($echod, 'job.settle_refused')), 2, 'which is told';
    $super->all(undef, 'alter table podi.attempt drop constraint'
                . ' attempt_no_ck');
};

subtest 'a poke' => sub {
    my $slow = $h->daemon('podi_janitord');
    my $t = $h->submit('test.hang');
    my $job = $h->reaches($t, 'running');

    # nobody has asked for it in the database: only the poke can stop it
    $h->redis_say('PUBLISH', "podi:worker:$job->{worker}",
                  qq({"cancel":["$job->{job_id}"]}));
    is $h->reaches($t, 'cancelled')->{state}, 'cancelled',
        'cancels before the beat would';
    is $h->stop($slow), 0, 'and a daemon without jobs ends, too';
};

subtest 'what is seen from outside' => sub {
    ok poll(10, sub { ($h->metrics($echod)->{'podi_worker_alive'} // 0) == 1 }),
        'the worker says that it lives';
    ok poll(10, sub { $h->{db}->super->value(undef,
        "select count(*) from podi.worker where daemon = 'podi_echod'") }),
        'the database knows it';

    # it may claim nothing, and hears of nothing
    my $may = 'execute on function sys.job_claim_next';

    $h->{db}->super->dbh->do("revoke $may from podi_worker");
    $h->redis_stop;
    ok poll(15, sub { ($h->metrics($echod)->{'podi_worker_alive'} // 1) == 0 }),
        'who can claim nothing is not alive';
    $h->{db}->super->dbh->do("grant $may to podi_worker");
    ok poll(10, sub { ($h->metrics($echod)->{'podi_worker_alive'} // 0) == 1 }),
        'until he can';
    $h->redis_start;
    is $h->stop($echod), 0, 'it ends';
    is_deeply $h->metrics($echod), {}, 'and leaves no metrics behind';
};

# what one call gives back has one time
subtest 'what goes back at once goes back in one call' => sub {
    my $calls = sub { $h->{db}->super->one(undef, 'select count(*) as jobs,'
        . ' count(distinct a.ended_at) as calls from podi.attempt a'
        . ' where a.outcome = ? and a.job_id = any (?)', $_[0],
        [map { $_->{jobs}[0]{job_id} } @{ $_[1] }]) };
    my @t = map { $h->submit('test.flaky', { failures => 1 }) } 1 .. 4;
    my @u = map { $h->submit('test.hang') } 1 .. 4;

    ok poll(10, sub { !$h->{db}->super->value(undef, 'select count(*) from'
        . " podi.job where state = 'queued' and pushed_at is null") }),
        'jobs wait for a worker';
    my $other = $h->daemon('echod', concurrency => 8, drain_timeout => '1s');

    is_deeply [map { $h->ended($_)->{state} } @t], [('succeeded') x 4],
        'the second attempt is better';
    is_deeply $calls->('retried', \@t), { jobs => 4, calls => 1 },
        'the first ones went back together';
    $h->reaches($_, 'running') for @u;
    is $h->stop($other), 0, 'the worker stops';
    is_deeply $calls->('returned', \@u), { jobs => 4, calls => 1 },
        'and gives back the others together';
};

is $h->stop($dispatchd), 0, 'the dispatcher ends';
$h->whole;
done_testing;
