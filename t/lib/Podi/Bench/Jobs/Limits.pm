package Podi::Bench::Jobs::Limits;

# Shape 3, limits: the burn-down of four tenants' jobs, 50 in flight, with at
# most 8 of a tenant, 64 of a key and 200 of the queue, and without; what is
# left of the rate is the efficiency.
#
# Four times eight is less than fifty, so that the tenants' gates are shut most
# of the time.  Peers have the limit that they know: a queue of 8 for each
# tenant (BullMQ), 8 queues of 1 (graphile-worker).

use strict;
use warnings;

use Podi::Bench::Jobs;
use Podi::Proc qw( poll );

my $TENANTS = 4;
my $IN_FLIGHT = 50;
my %SLOTS = ('tenant:*' => 8, 'key:bench' => 64, 'queue:bench' => 200);


sub run
{
    my ($jobs) = @_;
    my $ours = $jobs->ours;
    my $n = 1000 * $jobs->share;

    $n -= $n % 40;
    $n = 200 if $n < 200;
    $ours->{s}->db->super->dbh->do("update podi.action set gates ="
        . " '{key:bench}' where action = 'bench.free'");
    my @who = map { @$_ } $ours->tenants($TENANTS);

    my $table = $jobs->rounds([$ours, $jobs->able('limits')], sub {
        my ($side) = @_;
        my ($with, $error) = once($jobs, $side, 1, $n, \@who);
        my ($without, $other) = once($jobs, $side, 0, $n, \@who);
        my @error = grep { $_ } $error, $other;

        return ({}, join '; ', @error) if @error;
        return ({ limited => $with, free => $without,
                  efficiency => $with / $without });
    });

    gates($ours, 0);
    $jobs->within($table, 'limited', 'free', 'jobs.limited', unit => 'jobs/s',
        metric => "limits on, $IN_FLIGHT in flight", peer => 'no limits',
        note => join ', ', "$TENANTS tenants", map { "$_ $SLOTS{$_}" }
                sort keys %SLOTS);
    $jobs->beside($table, 'efficiency', 'jobs.limited', shape => 'limits',
                  metric => 'limited / unlimited', unit => 'share');
}


# (rate, what went wrong)
sub once
{
    my ($jobs, $side, $on, $n, $who) = @_;

    return $side->burn($IN_FLIGHT, $n, tenants => $TENANTS,
                       limit => $on ? $SLOTS{'tenant:*'} : -1)
        if $side != $jobs->ours;

    gates($side, $on);
    return $side->burn($IN_FLIGHT, $n, action => 'bench.free', who => $who);
}


# sets them or takes them away, and waits until Redis has heard of it
sub gates
{
    my ($ours, $on) = @_;
    my $s = $ours->{s};

    for my $scope (sort keys %SLOTS) {
        my $slots = $on ? $SLOTS{$scope} : 'null';

        $s->db->{ctl}->one(undef, 'select * from sys.gate_put(?)',
                           qq({"scope": "$scope", "slots": $slots}));
    }

    $s->part('podi_dispatchd')->start;
    poll(20, sub { !grep {
        ($s->redis('HGET', 'podi:{q}:gates', $_) ne '') != $on } keys %SLOTS })
        or die 'Redis has not heard of the gates';
}

1;
