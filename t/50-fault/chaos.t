# ./build.sh chaos, a minute of it: kept promises pass, and a protection
# that was taken out is missed.
#
# PODI_CHAOS_SEED and PODI_CHAOS_MINUTES (1) repeat a run, or make it longer.

use strict;
use warnings;

use Test::More;
use Podi::Repo qw( root );

my $seed = $ENV{PODI_CHAOS_SEED} // time % 1_000_000;
my $minutes = $ENV{PODI_CHAOS_MINUTES} // 1;


# exit status, what it said, its last line
sub chaos
{
    my (@arg) = @_;
    my @command = ($^X, root() . '/t/chaos/run.pl', @arg);
    my $said = qx(@command 2>&1);
    my ($last) = $said =~ /(.*)\n\z/;

    return ($? >> 8, $said, $last // '');
}


note "PODI_CHAOS_SEED=$seed PODI_CHAOS_MINUTES=$minutes";
my ($status, $said, $last) = chaos('--seed', $seed, '--minutes', $minutes);

is $status, 0, 'the promises are kept' or diag $said;
like $last, qr/^chaos:\ seed=$seed\ tasks=\d+\ lost=0\ double_charged=0
               \ invariant_breaks=0\ verdict=PASS$/x, '... and the last line says so';
note $said;

my %missed = (fence => qr/broken: fence: /,
              idempotency => qr/broken: duplicated: /);

for my $break (sort keys %missed) {
    ($status, $said, $last) = chaos('--seed', $seed, '--minutes', 0.1,
                                    '--break', $break);
    is $status, 1, "without its $break it fails" or diag $said;
    like $said, $missed{$break}, '... because of that';
    like $last, qr/ verdict=FAIL$/, '... and the last line says so';
}

($status, $said) = chaos('--break', 'glass');
is $status, 2, 'what cannot be broken is told';

done_testing;
