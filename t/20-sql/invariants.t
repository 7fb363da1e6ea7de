# Every break of an invariant, planted as superuser, is seen by podi_worker, and
# by who goes through all rows in slices.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use Podi::Sql;
use Podi::Work;

my $db = Podi::Sql->new;
my $w = Podi::Work->new($db);
my $super = $db->super;
my $ann = $w->person('ann', 100);
my $eve = $w->person('eve', 100, tenant => $db->tenant('umbra'));
my %task;

$db->{ctl}->one(undef, 'select * from sys.quota_put(?, ?, ?, ?, ?)', @$_)
    for map { [$_, '*', 'points', 'month', 1000], [$_, '*', 'in_flight', 'none', 9] }
        qw(acme umbra);

# the same in two tenants: a check that row security blinds is always green
for my $who ($ann, $eve) {
    my $pic = $w->media($who);
    my %t = map { $_ => $w->submit($who, inputs => [$pic],
                                   actions => ['resize', 'convert']) }
            qw(open ended);
    $w->settle($_, 'succeeded') for @{ $w->claim_task($t{ended}) };
    $task{ $who->{user} } = \%t;
}

my @PLANT = (
    I1  => 'update podi.wallet set available = available + 1 where user_id = $u',
    I2  => 'update podi.wallet set held = held + 1 where user_id = $u',
    I3  => 'update podi.hold set released = released + 1 where task_id = $o',
    I4  => 'update podi.hold_alloc a set captured = a.captured + 1 from podi.hold h'
           . ' where h.hold_id = a.hold_id and h.task_id = $o',
    I5  => 'update podi.job set charged = 0, price = 0 where task_id = $e'
           . " and action = 'image.resize'",
    I5  => "update podi.job set state = 'failed', charged = 0, settled_fence = 1,"
           . " ended_at = now(), error_code = 'internal' where task_id = \$o"
           . " and action = 'image.resize'",
    I6  => 'update podi.wallet set seq = seq + 1 where user_id = $u',
    I7  => 'update podi.ledger l set amount = l.amount + 1 from podi.wallet w'
           . ' where w.wallet_id = l.wallet_id and w.user_id = $u and l.seq = 1',
    I8  => "update podi.user_event set type = 'job.seen' where user_id = \$u"
           . " and type = 'job.succeeded'",
    I8  => "update podi.user_event set type = 'job.failed' where user_id = \$u"
           . " and type = 'job.succeeded'",
    I8  => "update podi.user_event set type = 'job.succeeded' where user_id = \$u"
           . " and type = 'job.running'",
    I9  => 'update podi.task_header set jobs_open = 1 where task_id = $o',
    I9  => 'update podi.task_header set charged = charged - 1 where task_id = $e',
    I9  => "update podi.task_header set state = 'failed' where task_id = \$e",
    I9  => 'delete from podi.job where task_id = $o',
    I15 => 'update podi.hold set refunded = 1 where task_id = $e',
    I15 => 'update podi.ledger l set hold_id = null from podi.wallet w where'
           . ' w.wallet_id = l.wallet_id and w.user_id = $u and l.seq = 2',
    I14 => 'update podi.wallet set head = sha256(head) where user_id = $u',
    I10 => 'update podi.user_head set top = top + 1 where user_id = $u',
    I10 => 'delete from podi.user_event where user_id = $u and seq = 2',
    I12 => 'update podi.task_header t set hold_id = h.hold_id from podi.hold h'
           . ' where h.task_id = $o and t.task_id = $e',
    I12 => 'update podi.hold h set wallet_id = w.wallet_id from podi.wallet w'
           . ' where h.task_id = $o and w.user_id <> $u',
    I13 => 'update podi.ledger l set job_id = j.job_id from podi.job j'
           . ' where j.task_id = $o and l.task_id = $e'
           . " and l.op = 'confirm'",
    I13 => 'update podi.ledger set job_id = null where task_id = $e'
           . " and op = 'confirm'",
    I18 => 'update podi.job set task_id = internal.uuid7() where task_id = $e',
    I18 => 'update podi.job set hold_id = -1 where task_id = $e',
    I18 => 'update podi.attempt a set job_id = internal.uuid7() from podi.job j'
           . ' where j.job_id = a.job_id and j.task_id = $e',
    I18 => 'update podi.hold_alloc a set lot_id = -1 from podi.hold h'
           . ' where h.hold_id = a.hold_id and h.task_id = $e',
    I18 => 'update podi.hold_alloc a set hold_id = -1 from podi.hold h'
           . ' where h.hold_id = a.hold_id and h.task_id = $e',
    I18 => 'update podi.ledger set wallet_id = internal.uuid7()'
           . ' where task_id = $e',
    I18 => "insert into podi.media (tenant_id, media_id, user_id, kind, state,"
           . " name, type, bytes, sha256, store, object_key, task_id, job_id,"
           . " ready_at) select j.tenant_id, internal.uuid7(), j.user_id,"
           . " 'result', 'ready', 'x', 'image/png', 1, repeat('ab', 32), 'local',"
           . " 'r/x', j.task_id, internal.uuid7(), now() from podi.job j"
           . ' where j.task_id = $e',
    I11 => 'update podi.hold set released = 0, captured = 0 where task_id = $e',
    I16 => 'update podi.quota_use set reserved = reserved + 1 where subject = $u'
           . " and meter = 'points'",
    I16 => 'update podi.quota_hold set reserved = 0, open = false'
           . ' where task_id = $o',
    I17 => 'update podi.quota_hold set reserved = reserved + 1 where task_id = $o',
    I17 => 'update podi.quota_hold set open = true where task_id = $e',
);


# all that a pass in slices of so many rows sees; the slices adjoin, so that
# their places rise and the last has no end
sub slices
{
    my ($limit, @parts) = @_;
    my @seen;

    for my $part (@parts ? @parts : qw(wallet entry user task hold attempt sum)) {
        my $place;

        do {
            my $slice = slice($part, $place, $limit);
            $place = (shift @$slice)->{id};
            push @seen, map { $_->{kind} } @$slice;
        } while (defined $place);
    }
    return @seen;
}


sub slice
{
    return $w->{worker}->all(undef, 'select * from sys.invariant_slice(?, ?, ?)',
                             @_);
}


$db->whole('nothing is broken before');
is_deeply [slices(2)], [], 'nor in any slice';

# one by one: each row has its turn, in order
my %KEY = (wallet => 'wallet_id', entry => 'wallet_id, tenant_id, seq',
           user => 'tenant_id, user_id', task => 'task_id', hold => 'hold_id',
           attempt => 'job_id');
my %TABLE = (entry => 'ledger', user => 'user_head', task => 'task_header');
for my $part (sort keys %KEY) {
    my ($place, @turn);

    while (defined($place = slice($part, $place, 1)->[0]{id})) {
        push @turn, [grep { !/^(?:ffffffff-.*|9223372036854775807)\z/ }
                     $place =~ /[-\w]+/g];
    }
    my $key = $KEY{$part};
    my @row = map { [map { $_ // () } @{$_}{split /, /, $key}] }
              @{ $super->all(undef, "select distinct $key from podi."
                             . ($TABLE{$part} // $part) . " order by $key") };
    is_deeply \@turn, \@row, "every $part has its turn";
}

while (my ($inv, $sql) = splice @PLANT, 0, 2) {
    for my $who ($ann, $eve) {
        my %at = (u => $who->{user},
                  o => $task{ $who->{user} }{open}{task_id},
                  e => $task{ $who->{user} }{ended}{task_id});
        my $plant = $sql =~ s/\$([uoe])\b/'$at{$1}'/gr;

        # triggers and keys off, checks stay on: the break is committed, seen
        # from another connection, and taken back
        $super->dbh->do('set session_replication_role = replica');
        my ($table) = $plant =~ /(?:update|into|from) (podi\.\w+)/;
        $super->dbh->do("create temp table kept as table $table");
        cmp_ok $super->dbh->do($plant), '>', 0, "$inv in $who->{slug}: planted";
        my @seen = map { $_->{inv} } @{ $db->breaks };
        ok scalar(grep { /^$inv\b/ } @seen), "... and seen by podi_worker"
            or diag "seen: @seen; $plant";
        @seen = slices(4);
        ok scalar(grep { /^$inv\b/ } @seen), '... and in a slice'
            or diag "seen: @seen; $plant";

        $super->dbh->do("delete from $table");
        my $columns = $db->columns($table);
        $super->dbh->do("insert into $table ($columns) overriding system value"
                        . " select $columns from kept");
        $super->dbh->do('drop table kept');
        $super->dbh->do('set session_replication_role = origin');
    }
}

$db->whole('nothing is broken after');
$w->{worker}->refused('U0422', undef,
    "select * from sys.invariant_slice('moon', null, 9)", 'no such part');

# events that were trimmed take nothing along with them, and hide nothing later
my ($ended) = $task{ $ann->{user} }{ended}{task_id};
my $last = $super->value(undef, 'select max(seq) from podi.user_event'
                         . ' where task_id = ?', $ended);
$super->run("update podi.user_event set at = now() - interval '91 days'"
            . ' where user_id = ? and seq <= ?', $ann->{user}, $last);
$super->run('update podi.user_head set trim_at = now()');
$w->sys('purge(500)');
is $super->value(undef, 'select count(*) from podi.user_event where user_id = ?'
                 . ' and task_id = ?', $ann->{user}, $ended), 0,
   'the story of an old task is gone';
$db->whole('which breaks nothing');

my ($j) = @{ $w->claim_task($task{ $ann->{user} }{open}) };
$w->settle($j, 'succeeded');
$db->whole('nor what comes later');
$super->run("update podi.user_event set type = 'job.seen' where job_id = ?"
            . " and type = 'job.succeeded'", $j->{job_id});
is_deeply [map { $_->{inv} =~ /^(\w+)/ } @{ $db->breaks }], ['I8'],
    'a break above the floor is seen';
done_testing;
