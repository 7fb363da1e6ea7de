# api.event_snapshot, task_list, task_read: state and position read together.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use Podi::Sql;
use Podi::Work;

my $db = Podi::Sql->new;
my $w = Podi::Work->new($db);
my $ann = $w->person('ann', 100);
my $ben = $w->person('ben', 0);
my $pic = $w->media($ann);


sub snapshot
{
    my ($who) = @_;

    return Podi::Work::decode($w->{web}->one($db->as($who),
        'select * from api.event_snapshot()'))->[0];
}


sub order
{
    return $w->submit($ann, inputs => [$pic], actions => \@_);
}


subtest 'a snapshot agrees with the events up to its position' => sub {
    my $open = order('resize');
    my $done = order('convert');
    my $old = order('convert');
    $w->settle($w->claim_task($_)->[0], 'succeeded') for $done, $old;
    $db->super->all(undef, "update podi.task_header set ended_at = now()"
                    . " - interval '2 hours' where task_id = ?",
                    $old->{task_id});

    my $s = snapshot($ann);
    my $head = $w->{web}->one($db->as($ann), 'select * from api.event_head()');
    is_deeply [@{$s}{qw(position epoch)}], [@{$head}{qw(top epoch)}],
              'the position is the head';
    is_deeply [@{ $s->{wallet} }{qw(available frozen)}], $w->wallet($ann),
              'the wallet';
    is_deeply [map { [@{$_}{qw(task_id state jobs_open)}] } @{ $s->{tasks} }],
              [[$done->{task_id}, 'succeeded', 0],
               [$open->{task_id}, 'queued', 1]],
              'what is open and what just ended, newest first';
    is $s->{tasks}[0]{jobs}[0]{state}, 'succeeded', 'with the jobs';
    is_deeply snapshot($ben)->{tasks}, [], "nothing of another's";
};

subtest 'the position is taken with the state, not after it' => sub {
    my $plan = $db->super->value(undef, 'select prosrc from pg_proc where oid ='
                                 . " 'api.event_snapshot'::regproc");

    is scalar(() = $plan =~ /return query/g), 1, 'one statement reads all';
    is $db->super->value(undef, 'select provolatile from pg_proc where oid ='
                         . ' ?::regproc', "internal.$_"), 's',
       "and $_ shares its snapshot" for qw(snapshot_tasks wallet_available);
};

subtest 'tasks are listed newest first, filtered and paged' => sub {
    my $cid = $w->person('cid', 100);
    my $own = $w->media($cid);
    my @t = map { $w->submit($cid, inputs => [$own], actions => [$_]) }
            'resize', 'convert', 'resize';
    my $list = sub {
        my @f = @_;
        $f[5] //= undef;
        return [map { $_->{task_id} } @{ $w->{web}->all($db->as($cid),
            'select * from api.task_list(?, ?, ?, ?, ?, ?)', @f) }];
    };
    my @id = map { $_->{task_id} } @t;
    $w->settle($w->claim_task($t[0])->[0], 'failed');

    is_deeply $list->(), [reverse @id], 'newest first';
    is_deeply $list->($id[2], 1), [$id[1]], 'a page';
    is_deeply $list->(undef, 9, 'failed'), [$id[0]], 'by state';
    is_deeply $list->(undef, 9, undef, 'image.convert'), [$id[1]], 'by action';
    is_deeply $list->(undef, 9, undef, undef, '2100-01-01'), [], 'from';
    is_deeply $list->(undef, 9, undef, undef, undef, '2100-01-01'),
              [reverse @id], 'to';
    is_deeply $w->{web}->all($db->as($ben),
        'select * from api.task_list(null, 9, null, null, null, null)'), [],
        "not another's";
    is $w->read_task($ben, $id[0]), undef, 'nor one by one';
};

subtest 'task_event and job_event are derived' => sub {
    my $t = order('resize');
    my $j = $w->claim_task($t)->[0];
    $w->retry($j, 'attempt', code => 'store_failed');
    $w->settle($w->claim_task($t)->[0], 'succeeded');

    is_deeply [map { $_->{type} } @{ $db->super->all(undef,
        'select type from podi.job_event where job_id = ?'
        . ' order by fence, at, type', $j->{job_id}) }],
        [qw(claimed retried claimed ended_succeeded succeeded)],
        'each holder and the end';
    is $db->super->value(undef, 'select count(*) from podi.task_event'
                         . ' where task_id = ?', $t->{task_id}),
       scalar @{ $w->read_task($ann, $t->{task_id})->{events} },
       'the events of a task are those of its user';
};

subtest 'a quote says what the wallet says' => sub {
    my $dan = $w->person('dan', 40);
    my $own = $w->media($dan);
    my $quote = sub { $w->{web}->one($db->as($dan),
        'select available, missing from api.task_quote(?, ?)',
        Podi::Work::text($w->order(inputs => [$own], actions => ['convert'])),
        'default') };

    is_deeply $quote->(), { available => 40, missing => 0 }, 'what is there';
    $db->super->all(undef, "update podi.lot l set expires_at = now() from"
        . ' podi.wallet w where w.wallet_id = l.wallet_id and w.user_id = ?',
        $dan->{user});
    is_deeply $quote->(), { available => 0, missing => 1 },
              'what has expired is not';
    is $w->wallet($dan)->[0], 0, 'in the wallet';
    is snapshot($dan)->{wallet}{available}, 0, 'nor in the snapshot';
};

subtest 'metrics count what is there' => sub {
    $db->{ctl}->one(undef, 'select * from sys.queue_put(?)',
                    '{"queue": "idle", "label": "idle"}');
    $db->{ctl}->one(undef, 'select * from sys.action_put(?)', Podi::Work::text({
        action => 'idle.wait', queue => 'idle', label => { zh => 'x', en => 'x' },
        description => { zh => 'x', en => 'x' }, price => 0,
        accepts => ['image/png'], timeout_ms => 1000, max_attempts => 1,
        max_wait_ms => 1000 }));
    my %m = map { ($_->{name} . ' ' . $_->{labels} => $_->{value}) }
            @{ $w->sys('metrics()') };
    my $n = $db->super->value(undef, "select count(*) from podi.job"
                              . " where state = 'queued'");

    is $m{'podi_queue_jobs {"queue": "image", "state": "queued"}'}, $n,
       'queued jobs';
    is $m{"podi_queue_jobs {\"queue\": \"idle\", \"state\": \"$_\"}"}, 0,
       "a queue without jobs has none $_" for qw(queued delayed running);
    is $m{'podi_queue_oldest_seconds {"queue": "idle"}'}, 0, 'and no age';
    is $m{'podi_jobs_set_aside {"queue": "idle"}'}, 0, 'nor dead letters';
    is $m{'podi_users {"state": "active"}'}, 4, 'users';
    is $m{'podi_leases_expired {}'}, 0, 'no lease has run out';
    cmp_ok $m{'podi_queue_oldest_seconds {"queue": "image"}'}, '>=', 0,
           'the age of the oldest';
};

$db->whole;
done_testing;
