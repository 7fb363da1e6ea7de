package Podi::Bench::Jobs::Steady;

# Shape 2, steady: 200 jobs of no work a second; how long each waits for its
# first step, and from there for the commit of its end.
#
# Ours are requests over HTTP with a token; the peers' are calls of their own
# library.  Waiting counts from when a job was due, so that a slow queue cannot
# hide by taking jobs later.

use strict;
use warnings;

use Podi::Bench;
use Podi::Bench::Jobs;
use Podi::Proc qw( poll );

my $RATE = 200;
my $IN_FLIGHT = 16;
my @SHARE = (50, 95, 99);


sub run
{
    my ($jobs) = @_;
    my @commit;

    $jobs->ours->{s}->db->super->dbh->do(
        'create table if not exists bench_commit (n int)');
    once($jobs->ours, 1);

    my $table = $jobs->rounds([$jobs->ours, $jobs->able('start')], sub {
        my ($side) = @_;

        push @commit, one_row_commit($jobs) if $side == $jobs->ours;
        return once($side, $jobs->bench->seconds);
    });

    my $ours = $table->{ $jobs->ours->name };
    $jobs->bench->row("jobs.start_p${_}_ms", unit => 'ms',
        metric => "request to first step, $RATE/s", peer => 'one-row commit',
        ours => $ours->{"start_p$_"}, theirs => \@commit,
        error => $ours->{error}) for @SHARE;

    for my $part (['start', 'enqueue to first step'],
                  ['settle', 'first step to settled'])
    {
        $jobs->beside($table, "$part->[0]_p$_", "jobs.$part->[0]_p${_}_ms",
            shape => $part->[0], metric => "$part->[1], $RATE/s",
            unit => 'ms') for @SHARE;
    }
}


# { figure => ms }, what went wrong
sub once
{
    my ($side, $seconds) = @_;
    my $error = $side->fill(0);

    return ({}, $error) if $error;

    $side->work($IN_FLIGHT);
    $side->warm(action => 'bench.free', wait => 1);
    $side->warm(action => 'bench.free', wait => 1, rate => $RATE);
    (my $due, $error) = $side->produce($RATE, $seconds,
                                       action => 'bench.free');
    my $end = all_settled($side, keys %$due);
    my $start = $side->first('S');

    $side->stop;
    return ({}, $error) if $error;
    return ({}, 'not every job was done')
        if grep { !$end->{$_} || !$start->{$_} } keys %$due;
    return ({ parts('start', map { ($start->{$_} - $due->{$_}) / 1e6 }
                             keys %$due),
              parts('settle', map { ($end->{$_} - $start->{$_}) / 1e6 }
                              keys %$due) });
}


sub all_settled
{
    my ($side, @jobs) = @_;
    my $settled;

    poll(20, sub {
        $settled = $side->settled;
        !grep { !$settled->{$_} } @jobs;
    });
    return $settled;
}


sub parts
{
    my ($name, @ms) = @_;

    return map { ("${name}_p$_" => Podi::Bench::quantile($_ / 100, @ms)) }
           @SHARE;
}


# ms
sub one_row_commit
{
    my ($jobs) = @_;
    my $s = $jobs->ours->{s};
    my $file = Podi::Bench::Tools::write_lines($s->dir . '/lib/commit.sql',
                                  'insert into bench_commit values (1);');

    $jobs->bench->pgbench($s, clients => 1, files => [$file]);
    return $jobs->bench->{latency};
}

1;
