package Podi::Bench::Jobs::Ours;

# Our side of the comparison: a whole stack and one or two daemons whose jobs
# do nothing, or nothing for 20 ms (bench.slow).
#
#     flood, burn:  api.task_submit -> podi_dispatchd -> Redis -> daemon
#     produce:      POST /v1/tasks -> nginx -> Redis -> daemon

use strict;
use warnings;

use Podi::Bench::Jobs::Side;
use Podi::Bench::Tools;
use Podi::Proc qw( poll );

our @ISA = qw( Podi::Bench::Jobs::Side );

my @DAEMONS = qw( podi_noopd podi_noopd2 );
my $PRICE = 5;
my $ACTIONS = 16;                       # at most, in one order


sub new
{
    my ($class, $bench, $redis) = @_;
    my $self = bless { bench => $bench, noopd => {} }, $class;
    my $conf = $self->{noopd};
    my $s = $self->{s} = $bench->stack(redis_conf => $redis,
        rewrite => Podi::Bench::Tools::daemons_conf(map { $_ => $conf }
                                                    @DAEMONS));

    $self->{log} = $s->dir . '/lib/times';
    $bench->install_noopd($s, @DAEMONS);
    $bench->noop_action($s, "bench.$_->[0]", $_->[1])
        for ['free', 0], ['priced', $PRICE], ['slow', $PRICE];
    $self->{who} = [$bench->people($s, 200, points => 100_000_000,
                                   tokens => 1)];
    $s->db->super->dbh->do('vacuum analyze');
    return $self;
}


sub name  { 'PODI' }
sub lacks { undef }


# people of other tenants, none of them in `who`
sub tenants
{
    my ($self, $n) = @_;
    my $s = $self->{s};

    return map {
        my $slug = "bench-$_";
        my @own = @{$s}{qw( tenant tenant_id )};

        @{$s}{qw( tenant tenant_id )} = ($slug, $s->db->tenant($slug));
        my @who = $self->{bench}->people($s, 10, points => 100_000_000);
        @{$s}{qw( tenant tenant_id )} = @own;
        \@who;
    } 1 .. $n;
}


# --- what waits --------------------------------------------------------------

# jobs of an action, for everybody in turn, jobs at once in each task
sub submit
{
    my ($self, $action, $n, $who, $jobs) = @_;
    my $web = $self->{s}->db->{web};
    my @more = map { $_ < $n % @$who ? 1 : 0 } 0 .. $#$who;

    for my $i (0 .. $#$who) {
        my $tasks = int($n / @$who) + $more[$i];
        my $what = join ',', (qq({"action":"$action"})) x $jobs;

        # in the select list: from the from list it would be called once
        $web->all($who->[$i]{context}, 'select api.task_submit('
            . 'gen_random_uuid(), array(select gen_random_uuid()'
            . ' from generate_series(1, ?) where g.n > 0),'
            . ' ?, ?, ?, null, ?) from generate_series(1, ?) g (n)',
            $jobs, qq({"inputs":["$who->[$i]{media}"],"actions":[$what]}),
            'default', 'a' x 32, \'hash', $tasks) if $tasks;
    }
}


# waits until their hints are in Redis
sub hint
{
    my ($self) = @_;
    my $s = $self->{s};

    $s->part('podi_dispatchd')->start;
    poll(60, sub { !$s->sql("select exists (select from podi.job where state"
                            . " = 'queued' and pushed_at is null)") })
        or die 'the hints are not pushed';
}


# n jobs of 20 ms wait; fill() is said by both sides, and gives what went wrong
sub fill
{
    my ($self, $n) = @_;

    $self->submit('bench.slow', $n, $self->{who}, 1) if $n;
    return;
}


# the same from people who are not those that produce() sends for
sub flood
{
    my ($self, $n) = @_;

    return if !$n;
    $self->{others} //= [map { @$_ } $self->tenants(1)];
    $self->submit('bench.slow', $n / $ACTIONS, $self->{others}, $ACTIONS);
    $self->hint;
    return;
}


# what is left of a flood; Redis forgets it with everything else
sub drop
{
    my ($self) = @_;
    my $s = $self->{s};

    $s->part('podi_dispatchd')->stop;
    for my $who (@{ $self->{others} }) {
        my @tasks = $s->sql('select task_id from podi.task_header where user_id'
            . " = ? and state in ('queued', 'running')", $who->{user_id});

        $s->db->{web}->all($who->{context},
            'select state from api.task_cancel(?, null, ?)', $_->{task_id},
            \'hash') for @tasks;
    }
    $s->redis('FLUSHALL');
}


# --- burn-down ---------------------------------------------------------------

# action, who; the dispatcher runs beside it, for without it daemons take rows
sub burn
{
    my ($self, $in_flight, $n, %arg) = @_;
    my $s = $self->{s};
    my $before = $s->sql('select clock_timestamp()');

    $self->submit($arg{action}, $n, $arg{who} // $self->{who}, 1);
    $self->hint;

    $self->conf($in_flight);
    $s->part($DAEMONS[0])->start;
    my $over = $self->idle(90);
    $s->part($_)->stop for $DAEMONS[0], 'podi_dispatchd';

    my ($row) = @{ $s->db->super->all(undef,
        'select count(*) as n, count(*) / extract(epoch from max(ended_at)'
        . ' - min(started_at)) as rate from podi.job'
        . " where created_at >= ? and state = 'succeeded'", $before) };
    return ($row->{rate}, $over && $row->{n} == $n ? undef
                          : "$row->{n} of $n jobs succeeded");
}


# nothing waits or runs
sub idle
{
    my ($self, $seconds) = @_;

    return poll($seconds, sub { !$self->{s}->sql('select exists (select from'
        . " podi.job where state in ('queued', 'running'))") });
}


# what the daemons are told, to be followed by their start
sub conf
{
    my ($self, $in_flight, %more) = @_;

    %{ $self->{noopd} } = (concurrency => $in_flight, log_level => 'warn',
        beat => '4s', work => '20ms',
        pg_connections => Podi::Bench::Jobs::connections($in_flight), %more);
}


# --- work and load -----------------------------------------------------------

# workers: so many daemons; lease in ms
sub work
{
    my ($self, $in_flight, %arg) = @_;

    $self->empty_log;
    $self->{began} = $self->{s}->sql('select clock_timestamp()');
    $self->conf($in_flight, times => $self->{log}, $arg{lease}
                ? (lease => "$arg{lease}ms", beat => '1s') : ());
    $self->{s}->part($_)->start
        for 'podi_dispatchd', @DAEMONS[0 .. ($arg{workers} // 1) - 1];
}


# the processes that kill_one() will end
sub victim { $_[0]{s}->part($DAEMONS[1])->pids }

# as if its machine had died
sub kill_one { $_[0]{s}->part($DAEMONS[1])->kill }


sub stop
{
    my ($self) = @_;

    $self->{s}->part($_)->stop for @DAEMONS, 'podi_dispatchd';
}


# by HTTP; ({ job => ns when it was due }, what went wrong)
sub produce
{
    my ($self, $rate, $seconds, %arg) = @_;
    my ($bench, $s) = @{$self}{qw( bench s )};
    my $file = Podi::Bench::Tools::write_lines($s->dir . '/lib/requests',
        map { qq($_->{token} {"inputs":["$_->{media}"],"actions":)
              . qq([{"action":"$arg{action}","params":{}}]}) }
        $self->fresh);
    my ($text, $status) = Podi::Bench::Tools::output($bench->pinned(
        $bench->program('paced'), $s->{port}, '/v1/tasks', $rate, $seconds, 16,
        $file));
    my @answer = map { [split] } grep { /^\d/ } split /\n/, $text;
    my @bad = grep { $_->[3] != 201 } @answer;

    return ({}, "paced: $text") if $status;
    return ({}, @bad . " answers, such as $bad[0][3]") if @bad;
    return ({ map { $_->[4] => $_->[0] } @answer });
}


# our people with tokens that are not near their end
sub fresh
{
    my ($self) = @_;

    if (time > ($self->{renew} // 0)) {
        $_->{token} = $self->{s}->token($_, exp => time + 590)
            for @{ $self->{who} };
        $self->{renew} = time + 300;
    }
    return @{ $self->{who} };
}


# the commit of what each job ended with: its row is not written after that
sub settled
{
    my ($self) = @_;

    return { map { $_->{job_id} => $_->{at} } @{ $self->{s}->db->super->all(
        undef, 'select job_id, (extract(epoch from'
        . ' pg_xact_commit_timestamp(xmin)) * 1e9)::bigint as at from podi.job'
        . " where created_at >= ? and state = 'succeeded'", $self->{began}) } };
}


# --- money -------------------------------------------------------------------

sub points
{
    my ($self) = @_;

    return $self->{s}->sql('select sum(available + held) from podi.wallet');
}


# points that n jobs at a price should have cost and did not, or too much
sub drift
{
    my ($self, $before, $n) = @_;

    return abs $before - $self->points - $n * $PRICE;
}


sub breaks
{
    my ($self) = @_;

    return map {; "$_->{inv} $_->{id}" } @{ $self->{s}->db->breaks };
}

1;
