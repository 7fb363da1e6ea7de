package Podi::Bench::Jobs::Burn;

# Shape 1, burn-down: N jobs of no work wait, then one daemon takes them, 1 or
# 50 in hand; each ends in its own commit.
#
# The budget is against the faster one of the two peers on PostgreSQL, which
# store each completion as we do; those on Redis stand beside it.

use strict;
use warnings;

use Podi::Bench;
use Podi::Bench::Jobs;

my %JOBS = (1 => 300, 50 => 1000);
my $SPAN = 1.5;                         # seconds of a peer's run
my $MOST = 50_000;
my %DURABLE = map { $_ => 1 } qw( graphile pg_boss );


sub run
{
    my ($jobs) = @_;

    $jobs->ours->burn(50, many($jobs, 50), action => 'bench.free');
    in_flight($jobs, $_) for 1, 50;
}


# a number that people divide
sub many
{
    my ($jobs, $in_flight) = @_;
    my $n = $JOBS{$in_flight} * $jobs->share;

    return $n < 200 ? 200 : $n - $n % 100;
}


sub in_flight
{
    my ($jobs, $in_flight) = @_;
    my $shape = $in_flight > 1 ? 'many' : 'one';
    my @peers = $jobs->able($shape);
    my %n = map { $_->name => enough($jobs, $_, $in_flight) } @peers;

    my $table = $jobs->rounds([$jobs->ours, @peers], sub {
        my ($side) = @_;

        return both_prices($jobs, $in_flight) if $side == $jobs->ours;
        my ($rate, $error) = $side->burn($in_flight, $n{ $side->name });
        return ({ free => $rate }, $error);
    });

    budget($jobs, $table, $in_flight, $_) for 'free', 'priced';
    $jobs->beside($table, 'free', "jobs.burndown_free_$in_flight",
        shape => $shape, metric => "free, $in_flight in flight",
        unit => 'jobs/s');
}


sub both_prices
{
    my ($jobs, $in_flight) = @_;
    my (%rate, @error);

    for my $price ('free', 'priced') {
        ($rate{$price}, my $error) = $jobs->ours->burn($in_flight,
            many($jobs, $in_flight), action => "bench.$price");
        push @error, "$price: $error" if $error;
    }

    return (\%rate, join '; ', @error);
}


# jobs for a run that is neither a blink nor for ever, found in a first one
sub enough
{
    my ($jobs, $peer, $in_flight) = @_;
    my $n = many($jobs, $in_flight);
    my ($rate, $error) = $peer->burn($in_flight, $n);
    my $more = $error ? $n : int($rate * $SPAN * $jobs->share);

    return $more < $n ? $n : $more > $MOST ? $MOST : $more;
}


sub budget
{
    my ($jobs, $table, $in_flight, $price) = @_;
    my $ours = $table->{ $jobs->ours->name };
    my %rate = map { $_->name => Podi::Bench::median(
                         grep { defined } @{ $table->{ $_->name }{free} }) }
               grep { $DURABLE{ $_->key } } $jobs->able('many');
    my ($best) = sort { $rate{$b} <=> $rate{$a} }
                 grep { defined $rate{$_} } keys %rate;
    my $theirs = $best ? $table->{$best} : { error => [] };

    $jobs->bench->row($price eq 'free' && $in_flight == 50 ? 'jobs.burndown'
                      : "jobs.burndown_${price}_$in_flight",
        metric => "$price, $in_flight in flight", unit => 'jobs/s',
        peer => $best ? "$best, unbatched" : '-', ours => $ours->{$price},
        $best ? (theirs => $theirs->{free}) : (),
        note => Podi::Bench::Jobs::connections($in_flight)
                . ' connections each, durable',
        error => [@{ $ours->{error} }, @{ $theirs->{error} }]);
}

1;
