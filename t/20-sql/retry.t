# sys.job_retry: attempts, crashes and deferrals counted apart.

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
my @COUNTS = qw(state attempts deferrals crashes);


sub running
{
    my $t = $w->submit($ann, inputs => [$pic], actions => ['resize']);

    return ($t, $w->claim_task($t)->[0]);
}


subtest 'a failed attempt waits and is tried again' => sub {
    my ($t, $j) = running();
    my $r = $w->retry($j, 'attempt', delay => 60_000, code => 'store_failed');

    is_deeply [@{$r}{qw(verdict state)}], ['OK', 'queued'], 'queued';
    is_deeply Podi::Work::types($r->{_events}), ['job.delayed'], 'told';
    is $r->{_events}[0]{data}{reason}, 'store_failed', 'with the reason';
    like $r->{_events}[0]{data}{retry_at}, qr/^\d{4}-.*Z$/, 'and the time';
    is_deeply [@{ $w->job($j->{job_id}) }{@COUNTS}], ['queued', 1, 0, 0],
              'one attempt counted';
    is_deeply $w->claim_task($t), [], 'not before its time';
    $w->bend($j->{job_id}, 'not_before = now()');
    is $w->claim_task($t)->[0]{attempts}, 2, 'then the second';
    is_deeply [map { $_->{outcome} } @{ $db->super->all(undef,
                  'select outcome from podi.attempt where job_id = ?'
                  . ' order by fence', $j->{job_id}) }],
              ['retried', 'running'], 'both are written down';
};

subtest 'nothing moves the deadline of a task' => sub {
    my %back = (
        attempt  => sub { $w->retry($_[0], 'attempt', delay => 1000) },
        deferral => sub { $w->retry($_[0], 'deferral', delay => 1000) },
        return   => sub { $w->retry($_[0], 'return') },
        gone     => sub { $w->sys('worker_gone(?)', 'late') },
    );
    for my $way (sort keys %back) {
        my $t = $w->submit($ann, inputs => [$pic], actions => ['resize'],
            more => { deadline_at => $db->super->value(undef, 'select'
                      . " internal.rfc3339(now() + interval '1 min')") });
        my $j = $w->claim_task($t, worker => 'late')->[0];
        $back{$way}->($j);
        is $db->super->value(undef, 'select j.start_by <= t.deadline_at from'
            . ' podi.job j join podi.task_header t using (task_id) where'
            . " job_id = ? and j.state = 'queued'", $j->{job_id}), 1, $way;
        $w->cancel($ann, $t->{task_id});
    }
};

subtest 'the last attempt fails the job' => sub {
    my $before = $w->wallet($ann);
    my ($t, $j) = running();

    for my $n (1 .. 2) {
        is $w->retry($j, 'attempt')->{state}, 'queued', "attempt $n";
        $j = $w->claim_task($t)->[0];
    }
    my $r = $w->retry($j, 'attempt', code => 'job_timeout', detail => 'slow');
    is $r->{state}, 'failed', 'the third is final';
    is_deeply Podi::Work::types($r->{_events}),
              ['job.failed', 'wallet.released', 'task.failed'], 'told';
    is_deeply [@{ $w->job($j->{job_id}) }{qw(error_code error_detail)}],
              ['job_timeout', 'slow'], 'with the last reason';
    is_deeply $w->wallet($ann), $before, 'released';
    is $w->retry($j, 'attempt')->{verdict}, 'ALREADY', 'again: ALREADY';
};

subtest 'a deferral is no attempt and buys no time' => sub {
    my ($t, $j) = running();
    my $start_by = $w->job($j->{job_id})->{start_by};

    my @told;
    for (1 .. 5) {
        my $r = $w->retry($j, 'deferral', code => 'rate_limited');

        is $r->{state}, 'queued', 'queued';
        $j = $w->claim_task($t)->[0];
        push @told, map { @{ Podi::Work::types($_->{_events}) } } $r, $j;
    }
    is $w->job($j->{job_id})->{start_by}, $start_by, 'the deadline stays';
    is_deeply \@told, [qw(job.delayed job.running job.delayed)],
              'two in a row are told, then it is known';
    is_deeply Podi::Work::types($w->retry($j, 'attempt')->{_events}),
              ['job.delayed'], 'a failure is told';
    $j = $w->claim_task($t)->[0];
    is_deeply Podi::Work::types($j->{_events}), ['job.running'],
              'and the start behind it';
    is_deeply [@{ $w->job($j->{job_id}) }{@COUNTS}], ['running', 2, 5, 0],
              'counted apart';
};

subtest 'a drain gives back at once' => sub {
    my ($t, $j) = running();
    my ($t2, $k) = running();
    $w->settle($k, 'succeeded');
    my $r = $w->give_back($k, $j);

    is_deeply [map { [@{$_}{qw(job_id verdict state)}] } @$r],
              [[$k->{job_id}, 'STALE', 'succeeded'],
               [$j->{job_id}, 'OK', 'queued']], 'what is still held';
    is_deeply [map { [$_->{type}, $_->{data}{reason}] } @{ $r->[0]{_events} }],
              [['job.delayed', 'return']], 'its user is told';
    is_deeply [@{ $w->job($j->{job_id}) }{@COUNTS}], ['queued', 0, 0, 0],
              'the attempt does not count';
    is $w->claim_task($t)->[0]{fence}, 2, 'claimable at once';
    is $w->settle($j, 'succeeded')->{verdict}, 'STALE', 'not by who gave it';
};

# one a row, oldest first
sub attempts
{
    my ($j) = @_;

    return [map { [@{$_}{qw(outcome usage cost_micros)}] }
            @{ $db->super->all(undef, 'select outcome, usage, cost_micros from'
                               . ' podi.attempt where job_id = ? order by fence',
                               $j->{job_id}) }];
}


subtest 'what an attempt used and cost stays with it' => sub {
    my ($t, $j) = running();

    $w->retry($j, 'attempt', usage => { calls => 1 }, cost_micros => 700);
    ($j) = @{ $w->claim_task($t) };
    $w->retry($j, 'return', usage => { calls => 2 }, cost_micros => 900);
    ($j) = @{ $w->claim_task($t) };
    $w->retry($j, 'attempt', usage => [1], cost_micros => -1);
    ($j) = @{ $w->claim_task($t) };
    is $w->retry($j, 'attempt', usage => { calls => 3 },
                 cost_micros => 1100)->{state}, 'failed', 'the last one';
    is_deeply attempts($j),
              [['retried', '{"calls": 1}', 700],
               ['returned', '{"calls": 2}', 900],
               ['retried', '{}', undef],        # nonsense sinks no retry
               ['failed', '{"calls": 3}', 1100]], 'each by itself';
};

subtest 'a long detail is cut' => sub {
    my ($t, $j) = running();

    $w->settle($j, 'failed', code => 'internal', detail => 'x' x 5000);
    is length $w->job($j->{job_id})->{error_detail}, 1000, 'of a settle';
    ($t, $j) = running();
    while ($j) {
        $w->retry($j, 'attempt', code => 'internal', detail => 'y' x 5000);
        ($j) = @{ $w->claim_task($t) };
        last if !$j;
        $t->{last} = $j;
    }
    is length $w->job($t->{last}{job_id})->{error_detail}, 1000,
       'of the last retry';
};

subtest 'only the holder gives up' => sub {
    my ($t, $j) = running();

    is $w->retry($j, 'attempt', fence => 9)->{verdict}, 'STALE', 'not his';
    is $w->retry($j, 'attempt')->{verdict}, 'OK', 'his';
    is $w->retry($j, 'attempt')->{verdict}, 'ALREADY', 'again: ALREADY';
    my ($k) = @{ $w->claim_task($t) };
    is $w->retry($j, 'attempt')->{verdict}, 'ALREADY', 'and stays so';
    is $w->job($j->{job_id})->{state}, 'running', 'the next holder keeps it';
    is $w->give_back($j)->[0]{verdict}, 'ALREADY', 'nor is it given back';
    for my $wrong (['whim'], ['attempt', delay => -1]) {
        $w->{worker}->refused('U0400', undef, 'select * from sys.job_retry(?)',
            Podi::Work::text([$w->retry_item($k, 'attempt'),
                              $w->retry_item($k, @$wrong)]),
            "@$wrong is refused");
    }
    is $w->job($j->{job_id})->{state}, 'running', 'and the others with it';
};

subtest 'many at once, each by itself' => sub {
    my $bob = $w->person('bob', 1000);
    my @job = map { my $who = $_; map { $w->claim_task($w->submit($who,
                  inputs => [$w->media($who)], actions => ['resize']))->[0] }
                  1 .. 3 } $bob, $ann;
    $w->bend($job[1]{job_id}, 'attempts = max_attempts', 'running');
    $w->cancel($bob, $job[2]{task_id});

    my $r = $w->retry_all(
        $w->retry_item($job[0], 'attempt', delay => 60_000, code => 'internal'),
        $w->retry_item($job[1], 'attempt', code => 'job_timeout'),
        $w->retry_item($job[2], 'attempt'),
        $w->retry_item($job[3], 'deferral', code => 'rate_limited'),
        $w->retry_item($job[4], 'return'),
        $w->retry_item($job[5], 'attempt', fence => 9),
        $w->retry_item($job[4], 'return'));
    is_deeply [map { [@{$_}{qw(job_id verdict state)}] } @$r],
        [[$job[0]{job_id}, 'OK', 'queued'], [$job[1]{job_id}, 'OK', 'failed'],
         [$job[2]{job_id}, 'OK', 'cancelled'], [$job[3]{job_id}, 'OK', 'queued'],
         [$job[4]{job_id}, 'OK', 'queued'], [$job[5]{job_id}, 'STALE', 'running'],
         [$job[4]{job_id}, 'ALREADY', 'queued']], 'in the order asked';
    is_deeply [map { [@{ $w->job($_->{job_id}) }{qw(attempts deferrals)}] }
               @job[0, 3, 4]], [[1, 0], [0, 1], [0, 0]], 'counted by its kind';
    my $events = $r->[0]{_events};
    is_deeply { map { my $j = $_; $j->{job_id} => join ' ', map { $_->{type} }
                      grep { ($_->{job_id} // '') eq $j->{job_id} } @$events }
                @job },
        { $job[0]{job_id} => 'job.delayed', $job[3]{job_id} => 'job.delayed',
          $job[1]{job_id} => 'job.failed wallet.released',
          $job[2]{job_id} => 'job.cancelled wallet.released',
          $job[4]{job_id} => 'job.delayed', $job[5]{job_id} => '' },
        'each is told';
    is_deeply [map { scalar @{ $_->{_events} } } @$r[1 .. 6]], [(0) x 6],
        'in the first row';
    cmp_ok $w->job($job[0]{job_id})->{not_before}, 'gt',
        $w->job($job[3]{job_id})->{not_before}, 'each has its own delay';
};

$db->whole;
done_testing;
