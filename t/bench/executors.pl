# What podi_runnerd adds to machines that are not ours, in two shapes:
#
#     comfy       a ComfyUI job one at a time, beside a client of libcurl
#     providers   500 jobs of a third party in flight, beside Celery
#
#     ./build.sh bench executors [SHAPE...]
#
# The servers are small programs of t/bench that answer at once and work for a
# fixed time (comfyd.c, thirdd.c); the same one answers both sides.

use strict;
use warnings;

use Podi::Bench::Executors;

my %known = map { lc($_) => "Podi::Bench::Executors::$_" }
            qw( Comfy Providers );
my @wanted = @ARGV ? @ARGV : sort keys %known;

for my $shape (@wanted) {
    my $package = $known{$shape}
        or die "there is no shape $shape; there are: @{[sort keys %known]}\n";

    eval "require $package; 1" or die $@;
}

my $x = Podi::Bench::Executors->new;

for my $shape (@wanted) {
    my $run = $known{$shape}->can('run');

    $x->bench->fact("shape: $shape");
    $run->($x);
}

$x->bench->done;
