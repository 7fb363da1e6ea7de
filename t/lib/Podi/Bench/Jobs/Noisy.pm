package Podi::Bench::Jobs::Noisy;

# Shape 4, noisy neighbour: A has 10,000 jobs of 20 ms waiting, 8 in flight; B
# sends one a second.  How long B waits for a first step, beside B alone.
#
# What has not begun when the time is over has waited until then.  Peers that
# cannot tell tenants apart are measured as they are, in order of arrival;
# Celery serves a queue of each in turn.

use strict;
use warnings;

use Podi::Bench;
use Podi::Bench::Jobs;
use Podi::Proc qw( poll );
use Time::HiRes ();

my $FLOOD = 10_000;
my $IN_FLIGHT = 8;
my $WORK = 20;                          # ms
my $LIMIT = 2;                          # the budget: so many times of quiet


sub run
{
    my ($jobs) = @_;
    my $seconds = 2 * $jobs->bench->seconds;

    my $table = $jobs->rounds([$jobs->ours, $jobs->able('noisy')], sub {
        my ($side) = @_;
        my ($noisy, $error) = once($side, $FLOOD, $seconds);
        my ($quiet, $other) = once($side, 0, $seconds);
        my @error = grep { $_ } $error, $other;

        return ({}, join '; ', @error) if @error;
        return ({ noisy => $noisy, quiet => $quiet,
                  times => $noisy / $quiet });
    }, peer_runs => 1);

    my $note = "$FLOOD jobs of $WORK ms, $IN_FLIGHT in flight, $seconds of B's";
    $jobs->within($table, 'noisy', 'quiet', 'jobs.noisy_p99_ms', unit => 'ms',
        metric => "B's p99 while A floods", peer => 'B alone',
        note => "$note; at most $LIMIT times");
    $jobs->beside($table, 'noisy', 'jobs.noisy_p99_ms', shape => 'noisy',
        metric => "B's p99 while A floods", unit => 'ms',
        note => 'peers run once');
}


# (B's p99 in ms, what went wrong)
sub once
{
    my ($side, $flood, $seconds) = @_;
    my $error = $side->flood($flood);

    return (undef, $error) if $error;

    $side->work($IN_FLIGHT, work_ms => $WORK, tenants => 2);

    $side->warm(tenants => 2, action => 'bench.slow', wait => !$flood);
    my $over = Time::HiRes::time() + $seconds + 1;
    (my $due, $error) = $side->produce(1, $seconds, tenants => 2,
                                       action => 'bench.slow');
    my $start;

    poll($over - Time::HiRes::time(), sub {
        $start = $side->first('S');
        !grep { !$start->{$_} } keys %$due;
    });
    my $end = 1e9 * Time::HiRes::time();

    $side->stop;
    $side->drop;
    return (undef, $error) if $error;
    return (undef, 'B sent nothing') if !%$due;
    return Podi::Bench::quantile(0.99, map {
        (($start->{$_} // $end) - $due->{$_}) / 1e6 } keys %$due);
}

1;
