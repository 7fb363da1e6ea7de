# Queues side by side, in five shapes and a sixth of our own:
#
#     burn      burn-down of jobs that wait, 1 and 50 in flight
#     steady    200 a second: enqueue to first step, first step to settled
#     limits    with limits on tenant, key and queue, and without
#     noisy     one tenant floods, another one sends a job a second
#     kill      kill -9 of one of two workers
#     depth     1,000,000 rows waiting beside 1,000, ours alone
#
#     ./build.sh bench jobs [SHAPE...]        or PODI_BENCH_SHAPES="burn kill"
#     PODI_BENCH_PEERS="bullmq rq"            of graphile pg_boss bullmq bee
#                                             celery rq; all by default
#
# Peers: pg-boss and graphile-worker on our PostgreSQL; BullMQ, Bee-Queue,
# Celery and RQ on a Redis like ours.  What a peer has no feature for says so
# in its row.  A shape is a package, see Podi::Bench::Jobs; without names all
# run.

use strict;
use warnings;

use Podi::Bench::Jobs;

my @SHAPES = qw( burn steady limits noisy kill depth );
my %known = map { $_ => "Podi::Bench::Jobs::\u$_" } @SHAPES;
my @wanted = @ARGV ? @ARGV : split /[ ,]+/, $ENV{PODI_BENCH_SHAPES} // '';

@wanted = @SHAPES if !@wanted;
for my $shape (@wanted) {
    my $package = $known{$shape}
        or die "there is no shape $shape; there are: @SHAPES\n";

    eval "require $package; 1" or die $@;
}

my $jobs = Podi::Bench::Jobs->new;

for my $shape (@wanted) {
    my $run = $known{$shape}->can('run');

    $jobs->bench->fact("shape: $shape");
    $run->($jobs);
}

$jobs->bench->done;
