# Jobs through claim, settle and event, beside other queues on the same
# PostgreSQL; and how long a job waits from its request to its first step.
#
#     burn-down: N jobs of no work are queued and their hints pushed, then
#     one daemon takes them, 1 or 50 in hand; each ends in its own commit
#
# Peers come from npm into $PODI_BENCH_OUT/npm when it can be reached, and
# run unbatched on as many connections as the daemon has.

use strict;
use warnings;

use JSON::PP ();
use Podi::Bench;
use Podi::Proc qw( poll );

my @PEERS = (['pg-boss', '10.4.2'], ['graphile-worker', '0.17.3']);
my $CONNECTIONS = 8;
my $RATE = 200;
my %JOBS = (1 => 300 * seconds_share(), 50 => 1000 * seconds_share());

my %noopd;
my $bench = Podi::Bench->new('jobs');
my $s = $bench->stack(rewrite => Podi::Bench::Tools::daemons_conf(
    podi_noopd => \%noopd));
my $times = $s->dir . '/lib/times';

$bench->install_noopd($s);
$bench->noop_action($s, "bench.$_->[0]", $_->[1])
    for ['free', 0], ['priced', 5];
my @who = $bench->people($s, 200, points => 100_000_000, tokens => 1);


sub seconds_share { ($ENV{PODI_BENCH_SECONDS} // 5) / 5 }


# --- burn-down ---------------------------------------------------------------

# one job a task, for everybody in turn
sub preload
{
    my ($action, $n) = @_;
    my $web = $s->db->{web};

    for my $who (@who) {
        # in the select list: from the from list it would be called once
        $web->all($who->{context}, 'select api.task_submit('
            . 'gen_random_uuid(), array[gen_random_uuid()],'
            . ' ?, ?, ?, null, ?) from generate_series(1, ?)',
            qq({"inputs":["$who->{media}"],"actions":[{"action":"$action"}]}),
            'default', 'a' x 32,
            \'hash', $n / @who);
    }

    $s->part('podi_dispatchd')->start;
    poll(30, sub { !$s->sql("select exists (select from podi.job where state"
                            . " = 'queued' and pushed_at is null)") })
        or die 'the hints are not pushed';
    $s->part('podi_dispatchd')->stop;
}


# (jobs a second, what went wrong)
sub burn
{
    my ($action, $in_flight) = @_;
    my $n = $JOBS{$in_flight} - $JOBS{$in_flight} % @who || @who;

    %noopd = (concurrency => $in_flight, beat => '4s', log_level => 'warn',
              pg_connections => $in_flight < $CONNECTIONS ? $in_flight
                                                          : $CONNECTIONS);
    my $before = $s->sql('select clock_timestamp()');

    preload($action, $n);
    $s->part('noopd')->start;
    my $over = poll(60, sub { !$s->sql('select exists (select from podi.job'
        . " where state in ('queued', 'running'))") });
    $s->part('noopd')->stop;

    my ($row) = @{ $s->db->super->all(undef,
        'select count(*) as n, count(*) / extract(epoch from max(ended_at)'
        . ' - min(started_at)) as rate from podi.job'
        . " where created_at >= ? and state = 'succeeded'", $before) };
    return ($row->{rate}, $over && $row->{n} == $n ? undef
                          : "$row->{n} of $n jobs succeeded");
}


# --- peers -------------------------------------------------------------------

sub peers
{
    my $dir = "$bench->{out}/npm";

    mkdir $dir;
    my ($text, $status) = Podi::Bench::Tools::output('npm', 'install',
        '--silent', '--no-audit', '--no-fund', '--prefix', $dir,
        map { "$_->[0]\@$_->[1]" } @PEERS);
    if ($status) {
        $bench->fact('no peers: npm cannot install them here');
        return;
    }

    my $version = qx(node --version);
    chomp $version;
    $bench->fact("node: $version");
    $bench->fact("$_->[0]: $_->[1]") for @PEERS;
    $s->db->super->dbh->do('create database peers');
    return map { $_->[0] } @PEERS;
}


sub peer_burn
{
    my ($peer, $in_flight) = @_;
    my ($host) = $s->pg->conninfo('postgres') =~ /host=(\S+)/;
    my ($text, $status) = Podi::Bench::Tools::output($bench->pinned('node',
        "$Podi::Pg::ROOT/t/bench/peers.mjs", $peer,
        "$bench->{out}/npm/node_modules", "host=$host user=postgres dbname=peers",
        $JOBS{$in_flight}, $in_flight,
        $in_flight < $CONNECTIONS ? $in_flight : $CONNECTIONS));
    my $answer = eval { JSON::PP::decode_json(($text =~ /^(\{.*\})$/m)[0]) };

    return (0, "$peer: $text") if $status || !$answer;
    return ($answer->{rate}, $answer->{errors}
                             ? "$peer: $answer->{errors} errors" : undef);
}


# the best of the peers is found in a first run of each
sub best_peer
{
    my ($in_flight, @peer) = @_;
    my %rate;

    for my $peer (@peer) {
        my ($rate, $error) = peer_burn($peer, $in_flight);

        $rate{$peer} = $rate if !$error;
        $bench->fact("$peer, $in_flight in flight: "
                     . ($error // sprintf '%.0f jobs/s', $rate));
    }

    return (sort { $rate{$b} <=> $rate{$a} } keys %rate)[0];
}


sub measure_burndown
{
    my ($in_flight, @peer) = @_;
    my $connections = $in_flight < $CONNECTIONS ? $in_flight : $CONNECTIONS;
    my $peer = best_peer($in_flight, @peer);

    for my $price ('free', 'priced') {
        $bench->compare($price eq 'free' && $in_flight == 50 ? 'jobs.burndown'
                        : "jobs.burndown_${price}_$in_flight",
            metric => "$price, $in_flight in flight", unit => 'jobs/s',
            peer => $peer ? "$peer, unbatched" : '-',
            ours => sub { burn("bench.$price", $in_flight) },
            $peer ? (theirs => sub { peer_burn($peer, $in_flight) }) : (),
            note => "$connections connections each, durable");
    }
}


# --- waiting -----------------------------------------------------------------

# ms from the moment each request was due to its job's first step
sub waits
{
    my ($seconds) = @_;
    my $file = Podi::Bench::Tools::write_lines($s->dir . '/lib/requests',
        map { qq($_->{token} {"inputs":["$_->{media}"],"actions":)
              . '[{"action":"bench.free","params":{}}]}' } @who);

    # it is open for appending
    truncate $times, 0;
    my ($text, $status) = Podi::Bench::Tools::output($bench->pinned(
        $bench->program('paced'), $s->{port}, '/v1/tasks', $RATE, $seconds, 16,
        $file));
    my @answer = map { [split] } grep { /^\d/ } split /\n/, $text;
    my @bad = grep { $_->[3] != 201 } @answer;
    my $n = $RATE * $seconds;

    return (undef, "paced: $text") if $status;
    return (undef, @bad . " answers, such as $bad[0][3]") if @bad;
    poll(20, sub { (() = slurp_times() =~ /\n/g) >= $n })
        or return (undef, 'not every job has started');

    my %at = map { split } split /\n/, slurp_times();
    my @lost = grep { !$at{ $_->[4] } } @answer;

    return (undef, @lost . ' jobs were not seen to start') if @lost;
    return [map { ($at{ $_->[4] } - $_->[0]) / 1e6 } @answer];
}


sub slurp_times { Podi::Bench::Tools::slurped($times) }


sub measure_start
{
    my (%ours, @commit, @error);

    %noopd = (concurrency => 16, log_level => 'warn', times => $times);
    $s->part($_)->start for 'podi_dispatchd', 'noopd';
    waits(1);

    for my $run (1 .. $bench->runs) {
        my ($waits, $error) = waits($bench->seconds);

        push @error, $error if $error;
        push @{ $ours{$_} }, $waits ? Podi::Bench::quantile($_ / 100, @$waits)
                                    : undef for 50, 99;
        push @commit, one_row_commit();
    }

    $s->part($_)->stop for 'noopd', 'podi_dispatchd';
    $bench->row("jobs.start_p${_}_ms", metric => "request to first step, $RATE/s",
            unit => 'ms', peer => 'one-row commit', ours => $ours{$_},
            theirs => \@commit, error => \@error) for 50, 99;
}


# ms
sub one_row_commit
{
    my $file = Podi::Bench::Tools::write_lines($s->dir . '/lib/commit.sql',
                                  'insert into bench_commit values (1);');

    $bench->pgbench($s, clients => 1, files => [$file]);
    return $bench->{latency};
}


$s->db->super->dbh->do('create table bench_commit (n int)');
my @peer = peers();

burn('bench.free', 50);
$s->db->super->dbh->do('vacuum analyze');
measure_burndown($_, @peer) for 1, 50;
measure_start();
$bench->fact('jobs.limited: not yet, comes with the limits');
$bench->done;
