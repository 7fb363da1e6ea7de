# Freeze and settle, in SQL: beside pgbench's TPC-B-like transaction on the same
# server, and one hot wallet beside 200.
#
#     submit (freeze) -> claim -> settle (confirm), three commits a job
#
# Eight connections each.  TPC-B is one commit of five statements, so a job is
# worth three of it; over 200 wallets it runs at scale 10.  The row locks of one
# wallet and one user head let the eight through one after the other.

use strict;
use warnings;

use File::Temp ();
use Podi::Bench;

my $WALLETS = 200;
my $CLIENTS = 8;
my $SCALE = 10;
my $WARM = 3;                           # seconds that are not counted

my $bench = Podi::Bench->new('wallet');
my $s = $bench->stack;
my $tmp = File::Temp->newdir;
my $super = $s->db->super->dbh;

$bench->noop_action($s, 'bench.priced', 5);
my @who = $bench->people($s, $WALLETS, points => 100_000_000);

$super->do('create schema bench');
$super->do('create table bench.who (n int primary key, context text,'
           . ' media uuid)');
my $sth = $super->prepare('insert into bench.who values (?, ?, ?)');
$sth->execute($_ + 1, @{ $who[$_] }{qw( context media )}) for 0 .. $#who;

my $script = Podi::Bench::Tools::write_lines("$tmp/unit.sql", <<'SQL');
\set n random(1, :wallets)
select context, media, gen_random_uuid() as task, gen_random_uuid() as job from bench.who where n = :n \gset
\startpipeline
select api.context_open(:context);
select api.task_submit(:task, array[:job]::uuid[], jsonb_build_object('inputs', array[:media]::uuid[], 'actions', '[{"action":"bench.priced","params":{}}]'::jsonb), 'default', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', null, '\x00');
\endpipeline
select fence from sys.job_claim(array[:job]::uuid[], 'bench', 60000) \gset
select 1 / (verdict = 'OK')::int from sys.job_settle(jsonb_build_array(jsonb_build_object('job_id', :job::uuid, 'fence', :fence::bigint, 'state', 'succeeded')));
SQL


sub run
{
    my ($wallets) = @_;

    return $bench->pgbench($s, clients => $CLIENTS, files => [$script],
                       warm => $WARM, define => { wallets => $wallets });
}


sub tpcb
{
    return $bench->pgbench($s, clients => $CLIENTS, warm => $WARM,
                           builtin => 'tpcb-like', define => {});
}


# the tables of TPC-B are made beside ours, in the same database
sub tpcb_tables
{
    my ($host) = $s->pg->conninfo('postgres') =~ /host=(\S+)/;
    my ($text, $status) = Podi::Bench::Tools::output(Podi::Pg::bin('pgbench'),
        '-i', '-q', '-s', $SCALE, '-h', $host, '-U', 'postgres', $s->db->{name});

    die "pgbench cannot make its tables: $text" if $status;
}


tpcb_tables();
run($WALLETS);
$super->do('vacuum analyze');
$bench->compare('wallet.spread', unit => 'jobs/s',
    metric => "freeze and settle, $WALLETS wallets",
    peer => "pgbench, TPC-B at scale $SCALE",
    ours => sub { run($WALLETS) }, theirs => \&tpcb,
    note => "$CLIENTS connections; three commits a job against one");
$bench->compare('wallet.hot', metric => 'freeze and settle, one wallet',
    unit => 'jobs/s', peer => "the same over $WALLETS wallets",
    ours => sub { run(1) }, theirs => sub { run($WALLETS) },
    note => "$CLIENTS connections");

my @breaks = map {; "$_->{inv} $_->{id}" } @{ $s->db->breaks };
$bench->row('wallet.whole', metric => 'broken invariants', unit => 'rows',
    ours => [scalar @breaks], error => \@breaks);
$bench->done;
