# How much a call reads: what a sweep, a claim or a settle looks at does not
# grow with what it has nothing to do with.  Nothing is analysed, as on the
# first day, when the planner knows no table.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use Podi::Sql;
use Podi::Work;

my $MANY = 3000;

my $db = Podi::Sql->new;
my $super = $db->super;
my $w = Podi::Work->new($db);
my $ann = $w->person('ann', 100);
my $ben = $w->person('ben', 100);
my $pic = $w->media($ann);
my $bulk = $w->submit($ben, inputs => [$w->media($ben)],
                      actions => ['thumbnail']);

$super->run("alter table podi.$_ set (autovacuum_enabled = off)")
    for qw(job task_header media lot hold hold_alloc ledger session);


# the rows of a table that this transaction has looked at so far
sub read_of
{
    my ($table) = @_;

    return $super->value(undef, 'select coalesce(s.seq_tup_read, 0)'
           . ' + coalesce(s.idx_tup_fetch, 0) from pg_stat_xact_user_tables s'
           . ' where s.relid = ?::regclass', "podi.$table");
}


# plants, calls, counts, and takes everything back; with a plan that was made
# when there was little, and with a plan made for what there is
sub reach
{
    my ($name, $table, $plant, $call, @bind) = @_;
    my $dbh = $super->dbh;

    $super->run('discard plans');
    aside(sub { $super->all(undef, $call, @bind) });

    aside(sub {
        $dbh->do($plant);
        for my $plan ('old', 'new') {
            $dbh->do('discard plans') if $plan eq 'new';
            $dbh->do('savepoint planted');
            my %before = map { $_ => read_of($_) } @$table;
            $super->all(undef, $call, @bind);
            cmp_ok read_of($_) - $before{$_}, '<', 100, "$name: $plan plan, $_"
                for @$table;
            $dbh->do('rollback to planted');
        }
    });
    return;
}


sub aside
{
    my ($code) = @_;

    $super->dbh->begin_work;
    $code->();
    return $super->dbh->rollback;
}


# an insert of copies of a row, with some columns set otherwise
sub copies
{
    my ($table, $from, %set) = @_;
    my @row = @{ $super->dbh->selectcol_arrayref('select attname'
              . ' from pg_attribute where attrelid = ?::regclass'
              . ' and attnum > 0 and not attisdropped', undef,
              "podi.$table") };

    return "insert into podi.$table (" . join(', ', @row) . ') select '
           . join(', ', map { $set{$_} // "o.$_" } @row) . " from $from";
}


# as many tasks of ben's with one job each
sub jobs
{
    my (%set) = @_;
    my $at = "o where o.task_id = '$bulk->{task_id}'";

    return 'with t as (' . copies('task_header',
               "generate_series(1, $MANY), podi.task_header $at",
               task_id => 'internal.uuid7()', state => q{'queued'})
           . ' returning task_id) '
           . copies('job', "t, podi.job $at", %set, task_id => 't.task_id',
                    job_id => 'internal.uuid7()');
}


my %later = (not_before => q{now() + interval '1 hour'});
my @work = qw(job task_header);

sub lots
{
    my ($expires) = @_;

    return 'insert into podi.lot (tenant_id, wallet_id, kind, priority,'
           . ' expires_at, source_ref, amount, avail) select'
           . " w.tenant_id, w.wallet_id, 'gift', 10, $expires, 'bulk' || n, 1, 1"
           . ' from podi.wallet w,'
           . " generate_series(1, $MANY) n where w.user_id = '$ben->{user}'";
}


reach "an invariant slice ($_)", \@work, jobs(),
      'select * from sys.invariant_slice(?, null, 5)', $_
      for qw(wallet entry user task hold attempt);
reach 'a dispatch, of what was pushed a moment ago', \@work,
      jobs(pushed_at => 'now()'), 'select * from sys.job_dispatch(?, ?)',
      100, 30_000;
reach 'a dispatch, of what is not due', \@work, jobs(%later),
      'select * from sys.job_dispatch(?, ?)', 100, 30_000;
reach 'a claim without Redis, of what is not due', \@work, jobs(%later),
      'select * from sys.job_claim_next(?, ?, ?, ?, ?)', 'image', 10, 'w', 9000,
      50;
reach 'a claim without Redis, of one in many', \@work, jobs(),
      'select * from sys.job_claim_next(?, ?, ?, ?, ?)', 'image', 1, 'w', 9000,
      50;
reach 'an expiry, of what may still start', \@work, jobs(),
      'select * from sys.job_expire(?)', 100;
reach 'a sweep, of what does not run', \@work, jobs(),
      'select * from sys.job_sweep(?)', 100;

my $t = $w->submit($ann, inputs => [$pic], actions => ['resize']);
my ($job) = map { $_->{job_id} } @{ $t->{jobs} };

reach 'a claim', \@work, jobs(), 'select * from sys.job_claim(?::uuid[], ?, ?)',
      "{$job}", 'w', 9000;

my ($held) = @{ $w->claim([$job], worker => 'w') };
my @settle = ('select * from '
              . $w->settle_sql($w->settle_item($held, 'succeeded')));

reach 'a settle', \@work, jobs(), @settle;
reach 'a settle, of lots', ['lot'], lots('null'), @settle;
reach "a retry ($_)", \@work, jobs(), 'select * from sys.job_retry(?)',
      Podi::Work::text([ $w->retry_item($held, $_, usage => { calls => 1 }) ])
      for qw(attempt deferral return);
reach 'a dead worker', \@work, jobs(), 'select * from sys.worker_gone(?)', 'w';
$w->bend($job, "lease_until = now() - interval '1 s'");
reach 'a sweep of one', \@work, jobs(), 'select * from sys.job_sweep(?)', 100;
$w->sys('job_sweep(1)');
$w->bend($job, "start_by = now() - interval '1 s'");
reach 'an expiry of one', \@work, jobs(), 'select * from sys.job_expire(?)', 100;
reach 'an expiry, of lots', ['lot'], lots('null'),
      'select * from sys.job_expire(?)', 100;

reach 'a purge, of sessions that live', ['session'],
      'insert into podi.session (tenant_id, session_id, user_id,'
      . ' identity_source, idle_expiry, abs_expiry) select'
      . " '$ann->{tenant}', internal.uuid7(), '$ann->{user}', 'local',"
      . " now() + interval '1 day', now() + interval '2 days'"
      . " from generate_series(1, $MANY)",
      'select * from sys.purge(100)';
reach 'an expiry of uploads, of pictures that are there', ['media'],
      'insert into podi.media (tenant_id, media_id, user_id, kind, state, name,'
      . ' type, bytes, store, object_key, ready_at) select'
      . " '$ann->{tenant}', internal.uuid7(), '$ann->{user}', 'upload', 'ready',"
      . " 'x', 'image/png', 1, 's', 'k', now() from generate_series(1, $MANY)",
      'select * from sys.upload_expire(100)';

$db->whole;
done_testing;
