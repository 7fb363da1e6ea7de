# Each parser against a bounded number of random mutations; a harness prints
# its seed, and the same seed gives the same inputs.

use strict;
use warnings;
use Test::More;
use Podi::Repo qw( root files );

my $RUNS = 20_000;
my $dir = ($ENV{PODI_BUILD} // root() . '/var/build') . '/fuzz';

plan skip_all => "no fuzz harness is built in $dir" if !-d $dir;

my @names = map { m{([^/]+)\.c$} } files(qr/\.c$/, 't/60-fuzz');

for my $name (sort grep { !/^fuzz_/ } @names) {
    my $out = qx('$dir/$name' $RUNS 2>&1);

    is $?, 0, "$name reads whatever comes" or diag $out;
    like $out, qr/^ok 1\b/m, "$name ran its inputs" or diag $out;
}

done_testing;
