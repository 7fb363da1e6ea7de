#!/usr/bin/perl

# Events of a user: numbered without gaps, in commit order, whatever happens.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP qw(decode_json);
use Test::More;

use Podi::Sql;

my $db = Podi::Sql->new;
my $super = $db->super;
my $web = $db->login('podi_web');
my $acme = $db->tenant('acme');
my $ann = $db->user($acme, 'ann');
my $bob = $db->user($acme, 'bob');
my $me = $db->as($ann);
my $append = "select internal.event_append('$acme', '$ann->{user}', ?)";


sub seqs
{
    return join ' ', map { $_->{seq} }
           @{ $web->all($me, 'select seq from api.event_read(0, 1000)') };
}


sub as_system
{
    my ($session) = @_;

    $session->dbh->begin_work;
    $session->dbh->do('set local role podi_system');
    return $session;
}


# --- one writer ------------------------------------------------------------

as_system($super);
my $task = $db->uuid;
my $stored = decode_json($super->value(undef, $append, qq{[
    {"type": "task.queued", "task_id": "$task", "trace_id": "t1",
     "data": {"jobs": 2}}, {"type": "wallet.low"}]}));
is_deeply([map { "$_->{seq} $_->{type} $_->{user_id} $_->{tenant_id}" }
               @$stored],
          ["1 task.queued $ann->{user} $acme", "2 wallet.low $ann->{user} $acme"],
          'what is appended comes back with its numbers');
like($stored->[0]{at}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/,
     'and its time, in UTC');
is($super->value(undef, $append, '[]'), '[]', 'nothing appended is nothing');
$super->dbh->commit;

is_deeply($web->one($me, 'select seq, type, task_id, job_id, trace_id, data'
                    . ' from api.event_read(0, 1)'),
          { seq => 1, type => 'task.queued', task_id => $task, job_id => undef,
            trace_id => 't1', data => '{"jobs": 2}' }, 'it is read back');
is($web->value($me, 'select seq from api.event_read(1, 10)'), 2,
   'after a number');
my $head = $web->one($me, 'select * from api.event_head()');
is_deeply([@$head{qw(top floor)}], [2, 0], 'the head says where it ends');
isnt($head->{epoch}, $web->one($db->as($bob),
     'select * from api.event_head()')->{epoch}, 'and under which epoch');
is_deeply($web->all($db->gateway($acme),
     'select * from api.event_tops(array[?, ?]::uuid[]) order by top',
     $ann->{user}, $bob->{user}),
     [{ user_id => $bob->{user}, top => 0 },
      { user_id => $ann->{user}, top => 2 }], 'the gateway asks for many');
$web->refused('U0403', $me, 'select * from api.event_tops(array[]::uuid[])',
              'a user does not');

as_system($super);
$super->refused('23514', undef, $append, '[{"type": "Bad type"}]',
                'a type without a noun and a verb');
$super->dbh->rollback;
as_system($super);
$super->refused('U0404', undef, "select internal.event_append('$acme',"
                . " '$task', '[{\"type\": \"a.b\"}]')", 'nobody\'s event');
$super->dbh->rollback;


# --- two writers -----------------------------------------------------------

my $late = $db->login('postgres');
my $sent = $append =~ s/\?/'[{"type": "a.late"}, {"type": "a.late"}]'/r;

as_system($super);
$super->run($append, '[{"type": "a.first"}]');
as_system($late);
$late->send($sent);
$late->wait_blocked($db->login('postgres'));
is(seqs(), '1 2', 'what is not committed is not seen');
$super->dbh->commit;
$late->wait;
is(seqs(), '1 2 3', 'numbers appear in the order of commits');
$late->dbh->commit;
is(seqs(), '1 2 3 4 5', 'without gaps');

as_system($super);
$super->run($append, '[{"type": "a.lost"}, {"type": "a.lost"}]');
as_system($late);
$late->send($sent);
$late->wait_blocked($db->login('postgres'));
$super->dbh->rollback;
$late->wait;
$late->dbh->commit;
is(seqs(), '1 2 3 4 5 6 7', 'a rollback leaves no gap');

as_system($super);
$super->run($append, '[{"type": "a.held"}]');
as_system($late);
is($late->run($sent =~ s/\Q$ann->{user}\E/$bob->{user}/r)->[0] ? 1 : 0, 1,
   'users do not wait for each other');
$late->dbh->rollback;
$super->dbh->rollback;

# many at once
my @writers = map {
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        my $mine = $db->login('postgres');
        for my $n (1 .. 25) {
            as_system($mine);
            $mine->run($append, '[{"type": "a.many"}, {"type": "a.many"}]');
            $n % 5 ? $mine->dbh->commit : $mine->dbh->rollback;
        }
        POSIX::_exit(0);
    }
    $pid;
} 1 .. 4;
my $seen = 7;
my $gaps = 0;
while (grep { waitpid($_, POSIX::WNOHANG()) == 0 } @writers) {
    for my $row (@{ $web->all($me, 'select seq from api.event_read(?, 1000)',
                              $seen) })
    {
        $gaps++ if $row->{seq} != ++$seen;
    }
}
is($gaps, 0, 'a reader that remembers its last number never skips one');
is(seqs(), join(' ', 1 .. 7 + 4 * 20 * 2), 'all of four writers, dense');


# --- what is old goes ------------------------------------------------------

my $worker = $db->login('podi_worker');
my $cid = $db->user($acme, 'cid');
my $his = $db->as($cid);

as_system($super);
$super->run($append =~ s/\Q$ann->{user}\E/$cid->{user}/r,
            '[' . join(',', ('{"type": "a.old"}') x 10) . ']');
$super->dbh->commit;


# his events up to a number are 91 days old
sub age
{
    my ($seq) = @_;

    $super->run("update podi.user_event set at = now() - interval '91 days'"
                . ' where user_id = ? and seq <= ?', $cid->{user}, $seq);
    $super->run('update podi.user_head set trim_at = now() where user_id = ?',
                $cid->{user});
    return;
}


sub trim
{
    my ($limit) = @_;
    my %n = map { $_->{what} => $_->{n} }
            @{ $worker->all(undef, 'select * from sys.purge(?)', $limit) };

    return $n{user_event};
}


sub his
{
    my $h = $web->one($his, 'select * from api.event_head()');

    return "$h->{floor} $h->{top}: " . join ' ', map { $_->{seq} }
           @{ $web->all($his, 'select seq from api.event_read(0, 1000)') };
}


is(trim(500), 0, 'young events stay');
is(his(), '0 10: ' . join(' ', 1 .. 10), 'all of them');
age(6);
as_system($late);
$late->run($append =~ s/\Q$ann->{user}\E/$cid->{user}/r, '[{"type": "a.new"}]');
is(trim(500), 0, 'a user who is being told something is left alone');
$late->dbh->rollback;
is(trim(4), 4, 'old ones go, as many as asked for');
is(his(), '4 10: 5 6 7 8 9 10', 'from the oldest on, and the floor rises');
$db->whole('dense as before');
is($web->value($his, 'select seq from api.event_read(2, 1)'), 5,
   'who reads after an old number starts above the floor');
is(trim(4), 2, 'the rest at the next call');
is(his(), '6 10: 7 8 9 10', 'and no young one');
is(trim(4), 0, 'then none');
$super->run("update podi.user_event set at = now() - interval '91 days'"
            . ' where user_id = ? and seq = 8', $cid->{user});
age(0);
is(trim(500), 0, 'an old one above a young one stays: no gaps');
age(10);
is(trim(500), 4, 'all may go');
is(his(), '10 10: ', 'and numbers go on from there');
as_system($super);
$super->run($append =~ s/\Q$ann->{user}\E/$cid->{user}/r, '[{"type": "a.new"}]');
$super->dbh->commit;
is(his(), '10 11: 11', 'with the next');


# --- a planted break -------------------------------------------------------

$db->whole;
for my $plant ("delete from podi.user_event where user_id = '$ann->{user}'"
               . ' and seq = 5',
               "delete from podi.user_event where user_id = '$ann->{user}'"
               . ' and seq = 1',
               "update podi.user_head set top = top + 1"
               . " where user_id = '$bob->{user}'")
{
    $super->run('create temporary table kept as select * from podi.user_event');
    $super->run($plant);
    is_deeply([grep { !/^I10/ } map { $_->{inv} } @{ $db->breaks }], [],
              'only the planted break');
    isnt(scalar @{ $db->breaks }, 0, "is seen by a worker: $plant");
    $super->run('insert into podi.user_event select * from kept k'
                . ' on conflict do nothing');
    $super->run("update podi.user_head set top = 0"
                . " where user_id = '$bob->{user}'");
    $super->run('drop table kept');
}

$db->whole('and gone when it is repaired');
done_testing;
