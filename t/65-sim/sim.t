# The closed loop in virtual time: a thousand seeds hold, each seed is a run
# that can be had again, and every rule that is broken on purpose is missed.

use strict;
use warnings;
use Test::More;
use Podi::Repo qw( root );

my $SEEDS = $ENV{PODI_SIM_SEEDS} // 1000;
my $FIRST = $ENV{PODI_SIM_FIRST} // 1;

my $sim = ($ENV{PODI_BUILD} // root() . '/var/build') . '/sim';

plan skip_all => "the simulator is not built in $sim" if !-x $sim;


sub sim
{
    my (@args) = @_;

    open my $in, '-|', $sim, @args or die "$sim: $!";
    local $/;
    my $out = <$in> // '';
    close $in;

    return ($?, $out);
}


# the machine of a job, row by row

subtest lease => sub {
    my ($rc, $out) = sim('--lease');

    is $rc, 0, 'the table holds' or diag $out;
    ok $1 eq '', $2 while $out =~ /^(not |)ok \d+ - (.*)/mg;
    done_testing;
};

# a thousand seeds

my ($rc, $out) = sim('--first', $FIRST, '--seeds', $SEEDS);

is $rc, 0, "$SEEDS seeds from $FIRST hold" or diag $out;

my %seen = $out =~ /^# seen (.*?): (\d+)/mg;
cmp_ok scalar(keys %seen), '>', 20, 'what happened is counted';
is join(', ', grep { !$seen{$_} } sort keys %seen), '',
   'everything that may happen did';

# a run is nothing but its seed

my $some = (sim('--first', 7, '--seeds', 20))[1];
is((sim('--first', 7, '--seeds', 20))[1], $some,
   'the same seeds, the same runs');
isnt((sim('--first', 8, '--seeds', 20))[1], $some, 'other seeds, other runs');

# rules that are broken on purpose

my @mutations = split /\n/, (sim('--mutations'))[1];
cmp_ok scalar(@mutations), '>=', 5, 'there are mutations';

for my $mutation (@mutations) {
    my ($code, $text) = sim('--mutate', $mutation);
    my ($seed, $why) = $text =~ /^not ok 1 - seed (\d+): (.*)/m;

    ok $code != 0 && defined $why, "$mutation: the seeds see it"
        or diag($text), next;
    like $text, qr/^# replay: \S+ --seed $seed --mutate $mutation$/m,
         "$mutation: it says how to see it again";
    like((sim('--seed', $seed, '--mutate', $mutation))[1],
         qr/^not ok 1 - seed $seed: \Q$why\E$/m, "$mutation: and so one does");
}

done_testing;
