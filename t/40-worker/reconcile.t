# Reconciliation: each rule's break is planted, seen by podictl and by the
# daemon that looks (a counter, a gauge, a line in the log), and put right where
# that is promised; and nothing is seen where nothing is.

use strict;
use warnings;
use lib 't/lib';

use Digest::SHA qw(sha256);
use Test::More;
use Podi::Hands;
use Podi::Proc qw(poll);

my $h = Podi::Hands->new;
my $w = $h->{work};
my $super = $h->{db}->super;
my ($bob, $cat, $dan) = map { $w->person($_, 100) } qw(bob cat dan);
my %NAME = (R1 => 'expired_lease', R2 => 'lost_hint', R3 => 'gate_drift',
            R4 => 'parked_tenant', R5 => 'open_hold', R6 => 'expired_hold',
            R7 => 'open_task', R8 => 'ledger', R9 => 'provider_bill');


# as a hand in the database: no triggers, no keys
sub plant
{
    my ($sql, @bind) = @_;

    $super->dbh->do('set session_replication_role = replica');
    cmp_ok $super->dbh->do($sql, undef, @bind), '>', 0, $sql;
    $super->dbh->do('set session_replication_role = origin');
    return;
}


sub ctl_to
{
    my ($pg, @word) = @_;
    my $conf = "$h->{dir}/ctl.conf";

    open my $file, '>', $conf or die "$conf: $!";
    print {$file} "[common]\nlease = 12s\n[podictl]\npg = $pg\n";
    close $file;
    my $text = Podi::Pg::run_quiet("$h->{build}/bin/podictl", '-c', $conf,
                                   @word);
    return ($? >> 8, $text);
}


sub ctl
{
    return ctl_to($h->{pg}->conninfo('podi_ctl', $h->{db}{name}), @_);
}


sub order
{
    my ($who, $action) = @_;

    return $w->submit($who, inputs => [$w->media($who)],
                      actions => [{ action => $action, params => {} }]);
}


# a task of one job that has ended: its job
sub done
{
    my ($who, $state, %o) = @_;
    my ($job) = @{ $w->claim_task(order($who, 'test.succeed')) };

    $w->settle($job, $state, $state eq 'succeeded'
               ? (results => [$w->result]) : (), %o);
    return $w->job($job->{job_id});
}


sub metric
{
    my ($daemon, $name, $rule) = @_;

    return $h->metrics($daemon)
           ->{"podi_reconcile_${name}{rule=\"$rule\",name=\"$NAME{$rule}\"}"};
}


# polls until the metric has the value; the metric
sub reaches
{
    my ($daemon, $name, $rule, $value) = @_;
    my $seen;

    poll(15, sub { $seen = metric($daemon, $name, $rule);
                   defined $seen && $seen == $value });
    return $seen;
}


my ($code, $text) = ctl(qw(reconcile --verify));
is $code, 0, 'nothing is broken at first';
is_deeply [map { (split /\t/)[2] } split /\n/, $text],
    ['ok', 'ok', 'not here', 'not here', ('ok') x 6], 'and each rule says so';

# --- planting --------------------------------------------------------------

my ($lease, $hint) = map { order($h->{ann}, $_) } qw(test.hang test.succeed);
my $claimed = $w->claim_task($lease)->[0];
plant("update podi.job set lease_until = now() - interval '1 minute'"
      . ' where job_id = ?', $claimed->{job_id});
plant("update podi.job set not_before = now() - interval '1 minute'"
      . ' where job_id = ?', $hint->{jobs}[0]{job_id});

my $kept = done($h->{ann}, 'succeeded');
plant('update podi.hold set captured = 0 where hold_id = ?', $kept->{hold_id});

my $svc = $h->{db}->user($w->{tenant}, 'svc');
my $body = sha256('x');
my $frozen = $w->{web}->one($h->{db}->as($svc, 'service'), <<'SQL',
select * from api.wallet_freeze(?, 30, 'order-1', 60000, 'because', 'k', ?)
SQL
    $h->{ann}{user}, \$body)->{hold_id};
plant("update podi.hold set expires_at = now() - interval '2 minutes'"
      . ' where hold_id = ?', $frozen);

my $shut = order($h->{ann}, 'test.succeed');
$w->cancel($h->{ann}, $shut->{task_id});
plant(q(update podi.task_header set state = 'running', ended_at = null,)
      . ' jobs_open = 1, jobs_cancelled = 0 where task_id = ?',
      $shut->{task_id});

my $wallet = $super->value(undef, 'select wallet_id from podi.wallet'
                           . ' where user_id = ?', $bob->{user});
plant('update podi.ledger set amount = amount + 1 where wallet_id = ?',
      $wallet);

my $charged = done($cat, 'succeeded');
my $early = "at - interval '5 minutes' where op = 'confirm' and job_id = ?";
$super->dbh->do('create temp table kept as select * from podi.attempt'
                . ' where job_id = ?', undef, $charged->{job_id});
plant('delete from podi.attempt where job_id = ?', $charged->{job_id});
plant("update podi.ledger set at = $early", $charged->{job_id});

my $lost = done($dan, 'failed', cost_micros => 7_500_000);
plant("update podi.job set ended_at = ended_at - interval '5 minutes'"
      . ' where job_id = ?', $lost->{job_id});

my %HIT = (
    R1 => qr/job $claimed->{job_id} .*"fence": 1/,
    R2 => qr/job $hint->{jobs}[0]{job_id} .*"queue": "test"/,
    R5 => qr/hold $kept->{hold_id} .*"left": 5/,
    R6 => qr/hold $frozen .*"kind": "external"/,
    R7 => qr/task $shut->{task_id} .*"running"/,
    R8 => qr/wallet $wallet .*"fault": "balance"/,
    R9 => qr/charge $charged->{job_id} .*"points": 5/,
);

# --- looking ---------------------------------------------------------------

($code, $text) = ctl('reconcile');
is $code, 1, 'what is broken is told by the exit code';
$text =~ tr/\t/ /;
like $text, qr/^$_ $NAME{$_} hit $HIT{$_}/m, "podictl sees $_"
    for sort keys %HIT;
like $text, qr/^$_ $NAME{$_} broken \d/m, '... and judges'
    for sort keys %HIT;
like $text, qr/^R9 provider_bill loss loss $lost->{job_id} .*7500000/m,
    'a loss is told';
my ($again) = ctl(qw(reconcile --verify));
is $again, 1, 'so does a whole replay';

my $janitord = $h->daemon('podi_janitord', reconcile => '100ms',
                          holds => '100ms', slice => 3);
for my $rule (grep { $_ ne 'R6' } sort keys %HIT) {
    ok poll(15, sub { grep { $_->{msg} =~ /^$rule $NAME{$rule}: $HIT{$rule}/ }
                      $h->log($janitord, 'reconcile.hit') }),
        "podi_janitord tells of $rule";
    is +(map { $_->{level} } grep { $_->{msg} =~ /^$rule / }
         $h->log($janitord, 'reconcile.hit'))[0],
        $rule =~ /[12]/ ? 'warn' : 'error', '... in its way';
    is reaches($janitord, 'open', $rule, $rule eq 'R8' ? 2 : 1),
        $rule eq 'R8' ? 2 : 1, '... and shows it' if $rule ne 'R9';
    ok poll(15, sub { (metric($janitord, 'hits_total', $rule) // 0) > 0 }),
        '... and counts it';
}
ok poll(15, sub { grep { $_->{msg} =~ /loss $lost->{job_id}/ }
                  $h->log($janitord, 'reconcile.loss') }), 'a loss is told';
ok poll(15, sub { $h->metrics($janitord)->{podi_platform_losses_total} }),
    'and counted';

# --- R6 is put right by itself ---------------------------------------------

ok poll(15, sub { !$super->value(undef, 'select live from podi.hold'
                                 . ' where hold_id = ?', $frozen) }),
    'an expired hold goes back';
is +($h->log($janitord, 'reconcile.repaired'))[0]{msg},
    'R6 expired_hold: 1 holds, 30 points went back', 'which is told';
is reaches($janitord, 'repaired_total', 'R6', 1), 1, 'and counted';
# the hold of another plant may have come to its end meanwhile
cmp_ok reaches($janitord, 'hits_total', 'R6', 1), '>=', 1, 'as a hit, too';
ok scalar(grep { $_->{data}{amount} == 30 } $h->heard('wallet.released')),
    'and its user hears of it';

# --- what a person has to look at stays, until he did ----------------------

plant('update podi.hold set captured = amount where hold_id = ?',
      $kept->{hold_id});
plant("update podi.task_header set state = 'cancelled', ended_at = now(),"
      . ' jobs_open = 0, jobs_cancelled = 1 where task_id = ?',
      $shut->{task_id});
plant('update podi.ledger set amount = amount - 1 where wallet_id = ?',
      $wallet);
plant("update podi.ledger set at = " . ($early =~ s/-/+/r),
      $charged->{job_id});
plant('insert into podi.attempt select * from kept');

my $dispatchd = $h->daemon('podi_dispatchd', watch => '100ms', sweep => '100ms',
                           dispatch => '50ms', patience => '2500ms');
ok poll(15, sub { $h->job($lease)->{state} eq 'queued' }),
    'R1: podi_dispatchd takes the lease away';
is reaches($dispatchd, 'repaired_total', 'R1', 1), 1, '... and counts it';
ok poll(15, sub { $h->job($hint)->{pushed_at} }), 'R2: and pushes the hint';
is reaches($janitord, 'open', $_, 0), 0, "$_ is over"
    for grep { $_ ne 'R6' } sort keys %HIT;
is reaches($janitord, 'hits_total', 'R9', 1), 1, 'what is past is seen once';

($code, $text) = ctl(qw(reconcile --verify));
is $code, 0, 'nothing is broken any more' or diag $text;
unlike $text, qr/broken|hit/, 'and nothing is told';

# --- the gates (podi_dispatchd) --------------------------------------------

$w->cancel($h->{ann}, $_->{task_id}) for $lease, $hint;
plant("update podi.action set gates = '{key:one}' where action = 'test.hang'");
plant("insert into podi.gate (scope, slots) values ('key:one', 1)");
ok poll(15, sub { $h->redis_say('HGET', 'podi:{q}:gates', 'key:one') =~ /1 / }),
    'Redis knows the gate';

# whoever looks, a rebuild not long ago excuses what he finds
is $h->stop($dispatchd), 0, 'the dispatcher goes';
$h->redis_say('HSET', 'podi:{q}:held', "$lease->{jobs}[0]{job_id}:#9", '');
$dispatchd = $h->daemon('podi_dispatchd', watch => '100ms', sweep => '100ms',
                        dispatch => '50ms', patience => '2500ms');
my $freed = 'podi_gate_repaired_total{way="freed"}';
ok poll(15, sub { $h->metrics($dispatchd)->{$freed} }), 'a slot is freed';
is $h->metrics($dispatchd)->{'podi_gate_drift_total{way="freed"}'} // 0, 0,
    'which is no drift, so soon after a rebuild';
$h->redis_say('DEL', 'podi:{q}:built');
my $ghost = order($h->{ann}, 'test.hang');
ok @{ $w->claim_task($ghost) }, 'a job runs that Redis knows nothing of';
ok $h->logged($dispatchd, 'gates.drift', 15), 'R3: a job without its slot';
ok poll(15, sub { $h->redis_say('SCARD', 'podi:{q}:s:key:one') =~ /^:1/ }),
    'R3: gets one';
plant("update podi.job set lease_until = now() where job_id = ?",
      $ghost->{jobs}[0]{job_id});
$w->cancel($h->{ann}, $ghost->{task_id});
$h->ended($ghost);

my $echod = $h->daemon('echod', concurrency => 4);
my $holder = $h->submit('test.hang');
$h->reaches($holder, 'running');
my $parked = $h->submit('test.hang');
ok poll(15, sub { $h->redis_say('HVALS', 'podi:{q}:line:test') =~ /key:one/ }),
    'one runs, and one is parked';
is metric($dispatchd, 'hits_total', 'R4') // 0, 0, 'R4: nothing yet';
$h->redis_say('DEL', 'podi:{q}:s:key:one');
ok $h->logged($dispatchd, 'gates.slept'), 'R4: who slept before an open gate';
$h->reaches($parked, 'running');
pass 'R4: is woken';
for my $rule (qw(R3 R4)) {
    ok poll(15, sub { (metric($dispatchd, 'hits_total', $rule) // 0) > 0 }),
        "$rule is counted";
    cmp_ok metric($dispatchd, 'repaired_total', $rule), '>', 0,
        '... and so is its repair';
}
$w->cancel($h->{ann}, $_->{task_id}) for $holder, $parked;
$h->ended($_) for $holder, $parked;
is $h->stop($_), 0, "$_->{name} ends" for $echod, $dispatchd;

# --- a provider's bill -----------------------------------------------------

my @paid = map { done($dan, 'succeeded', cost_micros => $_ * 500_000) } 1 .. 4;
plant("update podi.attempt set provider = 'artist', provider_ref = 'r-' || ?"
      . ' where job_id = ?', $_, $paid[$_ - 1]{job_id}) for 1 .. 4;


sub bill
{
    my (@line) = @_;

    open my $file, '>', "$h->{dir}/bill.csv" or die $!;
    print {$file} map { "$_\r\n" } @line;
    close $file;
    return ctl(qw(reconcile bill), "$h->{dir}/bill.csv", qw(--provider artist),
               qw(--from 2020-01-01 --to 2099-01-01));
}


is_deeply [bill("\xef\xbb\xbfreference,cost", 'r-1,0.5', '"r-2",1.000000',
                'r-3,"1.5"', 'r-4,2,x')],
    [0, qq(total\t\t{"lines": 4, "noted": 5000000, "billed": 5000000,)
        . qq( "faults": 0, "attempts": 4, "captured": 20}\n)],
    'a bill that is right';
($code, $text) = bill('r-1,0.5', 'r-2,1.000001', 'r-4,1', 'r-4,1',
                      '"r,""9""",3');
is $code, 1, 'one that is not';
$text =~ s/"job_id": "[^"]*"/J/g;
is $text, <<"TEXT", 'and where';
different\tr-2\t{"noted": 1000000, "billed": 1000001, J}
missing\tr-3\t{"noted": 1500000, J}
twice\tr-4\t{"lines": 2, "noted": 2000000, "billed": 2000000, J}
unknown\tr,"9"\t{"billed": 3000000}
total\t\t{"lines": 5, "noted": 5000000, "billed": 6500001, "faults": 4, "attempts": 4, "captured": 20}
TEXT
is +(bill('r-1,0.5', $_))[0], 2, "no line: $_"
    for 'r-2,one', 'r-2', 'r-2,--0.5', 'r-2,-', ',1', 'r-2,0.0000001',
        '"r-2,1';
is +(bill($_, 'r-2,1'))[0], 2, "no heading: $_"
    for 'r-1,0.0000001', 'r-1', 'r-1,', '"r-1,1';
like +(bill('reference,cost', 'r-2,1', 'credit-1,-0.25'))[1],
    qr/^unknown\tcredit-1\t\{"billed": -250000\}$/m, 'a credit';
like +(bill('reference,cost', 'r-2,1,' . 'x' x (2 << 20)))[1],
    qr/^total\t\t\{"lines": 1, /m, 'a bill of 2 MiB';
is +(ctl(qw(reconcile bill), "$h->{dir}/none", qw(artist 2020-01-01 soon)))[0],
    2, 'no bill';

# --- the day ---------------------------------------------------------------

my $day = $super->value(undef, "select (now() at time zone 'UTC')::date::text");
($code, $text) = ctl(qw(report daily --format csv --day), $day);
is $code, 0, 'a day as a table';
like $text, qr/^\xef\xbb\xbfday,tenant,granted,frozen,spent,.*loss_micros\r\n
               \Q$day\E,,\d+,.*\r\n\Q$day\E,acme,\d+,.*,7500000\r\n\z/x,
    'all first, then by tenant, with what was lost';
like +(ctl(qw(report daily)))[1], qr/^\{"day":"\d{4}-\d\d-\d\d","tenant":null,/,
    'or as JSON';
is +(ctl(qw(report daily --format xml)))[0], 1, 'or not at all';
is system(qw(sh -c), 'exec "$@" > /dev/full 2>&1', 'sh',
          "$h->{build}/bin/podictl", '-c', "$h->{dir}/ctl.conf",
          qw(report daily)) >> 8,
    3, 'a report that is not written is none';

is +(ctl_to('host=/nowhere user=podi_ctl', 'reconcile'))[0], 2,
    'who cannot look says neither yes nor no';

is $h->stop($janitord), 0, "$janitord->{name} ends";
$h->whole;
done_testing;
