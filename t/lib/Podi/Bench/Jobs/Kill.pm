package Podi::Bench::Jobs::Kill;

# Shape 5, kill -9: two workers, 8 jobs of 20 ms in the hands of each; on the
# way one of them dies with all its processes, as if its machine had.
#
#     lost        never done within the time given
#     doubled     their work was done to its end more than once, as may be with
#                 every queue that loses none; what it cost, drift tells
#     again       from the kill until the last job of its hands began again
#     drift       points that wallets differ by from what was done
#
# Where it is a setting, a lease is five seconds; its holders renew it.

use strict;
use warnings;

use Podi::Bench::Jobs;
use Podi::Proc qw( poll );
use Time::HiRes ();

my $IN_FLIGHT = 8;
my $WORK = 20;                          # ms
my $LEASE = 5000;                       # ms
my $PATIENCE = 40;

my %FIGURE = (
    lost    => ['jobs.kill_lost', 'lost after kill -9', 'jobs'],
    doubled => ['jobs.kill_doubled', 'side effects twice', 'jobs'],
    again   => ['jobs.kill_rerun_ms', 'until all ran again', 'ms'],
);


sub run
{
    my ($jobs) = @_;
    my $n = 1000 * $jobs->share;

    $n = 400 if $n < 400;
    my $table = $jobs->rounds([$jobs->ours, $jobs->able('kill')], sub {
        my ($side) = @_;

        return $side == $jobs->ours ? ours($side, $n) : once($side, $n);
    }, peer_runs => 1);

    $jobs->beside($table, $_, $FIGURE{$_}[0], shape => 'kill', note =>
        "$n jobs of $WORK ms, 2 workers of $IN_FLIGHT, a lease of $LEASE ms;"
        . ' peers run once', metric => $FIGURE{$_}[1], unit => $FIGURE{$_}[2])
        for qw( lost doubled again );
    $jobs->bench->row('jobs.kill_drift', metric => 'wallet drift', peer =>
        'none has wallets', unit => 'points',
        ours => $table->{ $jobs->ours->name }{drift},
        error => $table->{ $jobs->ours->name }{error});
}


# with a look at the books
sub ours
{
    my ($side, $n) = @_;
    my $before = $side->points;
    my ($figures, $error) = once($side, $n);
    my @breaks = $side->breaks;

    return ($figures, join '; ', grep { $_ } $error, @breaks)
        if $error || @breaks;
    return ({ %$figures, drift => $side->drift($before, $n) });
}


sub once
{
    my ($side, $n) = @_;
    my $error = $side->fill($n);

    return ({}, $error) if $error;

    $side->work($IN_FLIGHT, work_ms => $WORK, workers => 2, lease => $LEASE);
    my %victim = map { $_ => 1 } $side->victim;
    my $busy = poll(60, sub {
        my @marks = $side->marks;

        return $side->count('E') >= $n / 4 && busy(\%victim, @marks);
    });
    my $killed = 1e9 * Time::HiRes::time();
    $side->kill_one;
    my $all = poll($PATIENCE, sub { keys %{ $side->settled } >= $n });
    my $settled = $side->settled;
    my @marks = $side->marks;

    $side->stop;
    return ({}, 'the one to be killed was never busy') if !$busy;
    return judge($n, \%victim, { map { $_ => 1 } grep {
        $settled->{$_} < $killed } keys %$settled }, $killed, @marks);
}


# whether these processes have begun what they have not done
sub busy
{
    my ($pids, @marks) = @_;
    my %busy;

    for my $mark (grep { $pids->{ $_->[3] } } @marks) {
        my ($what, $job) = @$mark;

        $busy{$job} = $what eq 'S';
    }
    return scalar grep { $_ } values %busy;
}


# settled: what was so when they died; the rest of theirs was in their hands
sub judge
{
    my ($n, $dead, $settled, $killed, @marks) = @_;
    my (%done, %held, %again);

    for my $mark (@marks) {
        my ($what, $job, $ns, $pid) = @$mark;

        $done{$job}++ if $what eq 'E';
        next if $what ne 'S' || $settled->{$job};
        $held{$job} = 1 if $dead->{$pid};
        $again{$job} = $ns if !$dead->{$pid};
    }

    my @back = sort { $b <=> $a } grep { defined } @again{ keys %held };

    return ({}, 'it had nothing in its hands') if !%held;
    return ({ lost => $n - keys %done,
              doubled => scalar(grep { $_ > 1 } values %done),
              again => @back ? ($back[0] - $killed) / 1e6 : undef });
}

1;
