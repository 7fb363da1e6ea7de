package Podi::Bench::Jobs::Depth;

# What a job costs while 1,000,000 wait, beside the same while 1,000 wait, in
# two databases of one server.  The rows are put in by a superuser, who puts in
# new ones for those that were done; only our calls are on the clock.  A shorter
# PODI_BENCH_SECONDS makes fewer of the many.
#
#     alone     sys.job_claim_next -> sys.job_settle       without Redis
#     hinted    sys.job_claim by id -> sys.job_settle      with it
#     pushed    sys.job_dispatch -> sys.job_pushed         the dispatcher

use strict;
use warnings;

use JSON::PP ();
use Podi::Bench::Jobs;
use Podi::Sql;
use Time::HiRes ();

my $MANY = 1_000_000;
my $FEW = 1000;
my $BATCH = 16;
my $IN_TASK = 50;
my $PATIENCE = 240;                     # seconds for the million
my $json = JSON::PP->new->canonical;

my %WAY = (alone => \&alone, hinted => \&hinted, pushed => \&pushed);


sub run
{
    my ($jobs) = @_;
    my $s = $jobs->ours->{s};
    my $few = queue($jobs, $s->pg, $FEW);
    my $began = Time::HiRes::time();
    my $rows = $jobs->share < 1 ? $MANY * $jobs->share : $MANY;
    my $many = eval { queue($jobs, $s->pg, $rows) };

    if (!$many) {
        $jobs->bench->row('jobs.depth', metric => "$rows rows waiting",
                          unit => 'jobs/s', error => ["$@"]);
        return;
    }

    $jobs->bench->fact(sprintf '%d rows put in within %.0f s', $rows,
                       Time::HiRes::time() - $began);
    for my $way (sort keys %WAY) {
        once($_, $way, 0.2) for $few, $many;
        $jobs->bench->compare($way eq 'alone' ? 'jobs.depth'
                                              : "jobs.depth_$way",
            metric => "$way, $rows rows waiting", unit => 'jobs/s',
            peer => "the same, $FEW rows",
            note => "$BATCH a call, one connection",
            ours => sub { once($many, $way, $jobs->bench->seconds / 2) },
            theirs => sub { once($few, $way, $jobs->bench->seconds / 2) });
    }
}


# --- rows --------------------------------------------------------------------

sub queue
{
    my ($jobs, $pg, $n) = @_;
    my $db = Podi::Sql->new(pg => $pg);
    my $self = bless { db => $db, tail => 0, tenant => 'bench',
                       tenant_id => $db->tenant('bench') }, __PACKAGE__;

    $jobs->bench->noop_action($self, 'bench.free', 0);
    $self->{who} = ($jobs->bench->people($self, 1))[0];
    $self->{worker} = $db->login('podi_worker');
    $self->{hints} = [];
    $db->super->dbh->do("set statement_timeout = '${PATIENCE}s'");
    $db->super->dbh->do('set session_replication_role = replica');
    $self->put($n);
    $db->super->dbh->do('vacuum analyze');
    return $self;
}


sub db { $_[0]{db} }

# ids in the order in which they come, as UUIDv7 are
sub id
{
    my ($n) = @_;

    return "('00000000-0000-7000-8000-' || lpad(to_hex($n), 12, '0'))::uuid";
}


# n more jobs, and their tasks
sub put
{
    my ($self, $n) = @_;
    my $who = $self->{who};
    my @bind = ($who->{tenant}, $who->{user});

    $n += $IN_TASK - $n % $IN_TASK if $n % $IN_TASK;
    $self->{db}->super->run(<<"SQL", @bind, $self->{tail}, $IN_TASK, $n);
with p as (select ?::uuid as tenant_id, ?::uuid as user_id, ?::bigint as first,
                  ?::int as size, ?::bigint as n),
     t as (
    insert into podi.task_header (tenant_id, task_id, user_id, price,
                                  jobs_total, jobs_open, trace_id)
    select p.tenant_id, @{[id('p.first + i')]}, p.user_id, 0, p.size, p.size,
           repeat('a', 32)
      from p, generate_series(0, p.n - 1, p.size) i)
insert into podi.job (tenant_id, job_id, task_id, user_id, ord, action, queue,
                      params, inputs, price, max_attempts, not_before, start_by)
select p.tenant_id, @{[id('p.first + i')]},
       @{[id('p.first + i - i % p.size')]}, p.user_id, i % p.size + 1,
       'bench.free', 'bench', '{}', '{}', 0, 3,
       now() - interval '1 hour' + (p.first + i) * interval '1 microsecond',
       now() + interval '1 day'
  from p, generate_series(0, p.n - 1) i
SQL
    $self->{tail} += $n;
}


# --- calls -------------------------------------------------------------------

# (jobs a second, what went wrong)
sub once
{
    my ($self, $way, $end) = @_;
    my ($spent, $done, $owed) = (0, 0, 0);

    while ($spent < $end) {
        $self->look if $way eq 'hinted' && !@{ $self->{hints} };

        my $began = Time::HiRes::time();
        my $n = $WAY{$way}->($self);

        $spent += Time::HiRes::time() - $began;
        return (undef, "$way: $n of $BATCH jobs") if $n != $BATCH;
        $done += $n;
        $owed += $n if $way ne 'pushed';
        next if $owed < 25 * $BATCH;

        $self->put($owed);
        $owed = 0;
    }

    $self->put($owed) if $owed;
    return $done / $spent;
}


sub alone
{
    my ($self) = @_;

    return $self->settle($self->{worker}->all(undef, 'select job_id, fence from'
        . ' sys.job_claim_next(?, ?, ?, ?, ?)', 'bench', $BATCH, 'bench-1',
        60_000, 1000));
}


# hints, as Redis would give them: of those that came last
sub look
{
    my ($self) = @_;

    $self->{hints} = [map { $_->{job_id} } @{ $self->{db}->super->all(undef,
        "select job_id from podi.job where queue = 'bench' and priority = 1"
        . " and tenant_id = ? and state = 'queued' order by not_before desc,"
        . ' job_id desc limit ?', $self->{tenant_id}, 25 * $BATCH) }];
}


sub hinted
{
    my ($self) = @_;
    my @ids = splice @{ $self->{hints} }, 0, $BATCH;

    return $self->settle($self->{worker}->all(undef, 'select job_id, fence from'
        . ' sys.job_claim(?::uuid[], ?, ?)', '{' . join(',', @ids) . '}',
        'bench-1', 60_000));
}


sub settle
{
    my ($self, $claimed) = @_;
    my $items = $json->encode([map {
        { job_id => $_->{job_id}, fence => 0 + $_->{fence},
          state => 'succeeded' } } @$claimed]);

    return scalar grep { $_->{verdict} eq 'OK' } @{ $self->{worker}->all(undef,
        'select verdict from sys.job_settle(?)', $items) };
}


sub pushed
{
    my ($self) = @_;
    my $rows = $self->{worker}->all(undef,
        'select job_id from sys.job_dispatch(?, 0)', $BATCH);

    $self->{worker}->all(undef, 'select sys.job_pushed(?::uuid[])',
                         '{' . join(',', map { $_->{job_id} } @$rows) . '}');
    return scalar @$rows;
}

1;
