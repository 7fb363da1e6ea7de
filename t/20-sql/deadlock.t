# The deadlock hunt: every function that takes locks, single and in batches,
# against every other, from 8 sessions at once, graphs and all.
#
#     PODI_SEED=n repeats a run's choices (not its interleaving).

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use List::Util qw(shuffle);
use POSIX ();

use Podi::Sql;
use Podi::Work;

my $PROCS = 8;
my $ROUNDS = 60;
my $seed = $ENV{PODI_SEED} // time;
note "PODI_SEED=$seed";

my $db = Podi::Sql->new;
my $w = Podi::Work->new($db);
my $other = $db->tenant('umbra');
my @people = map {
    my $who = $w->person("p$_", 9000, $_ % 2 ? () : (tenant => $other));
    $who->{pic} = [map { $w->media($who) } 1 .. 3];
    $who;
} 1 .. 4;

$db->{ctl}->all(undef, 'select * from sys.action_put(?)', Podi::Work::text({
    action => 'image.resize', price => 5, cancel => 'full',
    segments => [{ name => 'a', percent => 50 }, { name => 'b', percent => 50 }] }));
$db->{ctl}->all(undef, 'select * from sys.action_put(?)',
                '{"action": "image.thumbnail", "price": 0}');
$db->super->all(undef, "insert into podi.gate (scope, slots) values"
                . " ('user:*', 40), ('global', 100)");

# some of them are full now and then
$db->{ctl}->one(undef, 'select * from sys.quota_put(?, ?, ?, ?, ?)', @$_)
    for map { my $slug = $_; map { [$slug, @$_] }
              ['*', 'points', 'month', 200], ['*', 'in_flight', 'none', 30],
              [undef, 'tasks', 'day', 10_000], [undef, 'calls', 'month', 10_000] }
        qw(acme umbra);

# whoever has locked a row dawdles before the next, so that orders can cross
$db->super->all(undef, $_) for
    q{create function public.dawdle() returns trigger language plpgsql as
      'begin perform pg_sleep(random() * 0.001); return new; end'},
    map { "create trigger dawdle before update on podi.$_"
          . ' for each row execute function public.dawdle()' }
    qw(task_header job quota_use wallet user_head);


sub pick
{
    return $_[rand @_];
}


# makes a task a chain: each job needs the one before it
sub chain
{
    my ($who, $t) = @_;
    my @id = map { $_->{job_id} } @{ $t->{jobs} };
    my $super = $db->super;

    $super->dbh->begin_work;
    $super->run('set local session_replication_role = replica');
    $super->run('select 1 from podi.task_header where task_id = ? for update',
                $t->{task_id});
    $super->run("update podi.task_header set on_failure = ? where task_id = ?",
                pick(qw(stop continue)), $t->{task_id});
    for my $n (1 .. $#id) {
        my $done = $super->run("update podi.job set state = 'blocked',"
            . " needs_open = 1 where job_id = ? and state = 'queued' and exists"
            . ' (select 1 from podi.job o where o.job_id = ? and o.settled_fence'
            . ' is null) returning 1', $id[$n], $id[$n - 1]);
        $super->run('insert into podi.job_need values (?, ?, ?, 1)',
                    $who->{tenant}, $id[$n], $id[$n - 1]) if @$done;
    }
    $super->dbh->commit;
    return;
}


sub lists
{
    my (@jobs) = @_;

    return map { my $of = $_; '{' . join(',', map { $_->{$of} } @jobs) . '}' }
           qw(job_id fence);
}


# one hand: does $ROUNDS random things; returns what went wrong
sub hand
{
    my ($n) = @_;
    my (%bad, @held);
    my $me = 'w' . $n % 3;

    srand($seed * 100 + $n);
    $w->after_fork;

    my $many = sub {
        my ($state) = @_;
        return map { $_->{job_id} } @{ $db->super->all(undef,
            'select job_id from podi.job where state = ? order by random()'
            . ' limit ?', $state, 1 + int rand 8) };
    };
    # what one worker holds by the rows: its beats and its end may cross
    my $anyones = sub { @{ $db->super->all(undef, 'select job_id, fence, worker'
        . " from podi.job where state = 'running' and worker = ? order by"
        . ' random()', 'w' . int rand 3) } };
    my $item = sub {
        my ($j) = @_;
        my $state = pick(qw(succeeded succeeded failed cancelled));
        return $w->settle_item($j, $state, $state eq 'succeeded' && rand() < 0.7
                                           ? (results => [$w->result]) : ());
    };
    my %do = (
        submit => sub {
            my $who = pick(@people);
            my $t = $w->submit($who, inputs => [(shuffle @{ $who->{pic} })
                                                [0 .. int rand 3]],
                               actions => [(shuffle qw(resize convert thumbnail))
                                           [0 .. int rand 3]]);
            chain($who, $t) if rand() < 0.5;
        },
        orders  => sub {
            my $who = pick(@people);
            my @order = map { $w->order(inputs => [pick(@{ $who->{pic} })],
                                        actions => [$_]) }
                        shuffle qw(thumbnail resize convert);
            $w->{web}->all($db->as($who), 'select * from api.task_submit_batch(?,'
                . " 'default', 'x', null, null)", Podi::Work::text([map {
                    my ($task, $job) = $w->ids(2);
                    { task_id => $task, job_ids => [$job], order => $_ } }
                    @order]));
        },
        again   => sub {
            my $who = pick(@people);
            my $t = $db->super->value(undef, 'select task_id from'
                . ' podi.task_header where user_id = ? and state in'
                . " ('failed', 'partial', 'cancelled') order by random() limit 1",
                $who->{user}) or return;
            $w->{web}->all($db->as($who), 'select * from api.task_retry(?, null,'
                           . ' null)', $t);
        },
        replay  => sub { $db->{ctl} //= $db->login('podi_ctl');
                         $db->{ctl}->all(undef, 'select sys.job_replay(job_id,'
                             . " 'mended') from sys.job_aside(null, 1)") },
        refund  => sub {
            my $t = $db->super->one(undef, 'select t.task_id, n.slug, u.login'
                . ' from podi.task_header t join podi.users u using (user_id)'
                . ' join podi.tenant n on n.tenant_id = t.tenant_id where'
                . ' t.charged > 0 order by random() limit 1') or return;
            $db->{ctl} //= $db->login('podi_ctl');
            $db->{ctl}->all(undef, 'select * from sys.wallet_refund(?, ?, ?, null,'
                . " null, 1, 'x', ?)", @{$t}{qw(slug login task_id)}, $db->uuid);
        },
        claim   => sub { push @held, @{ $w->claim([shuffle $many->('queued')],
                                           worker => $me, lease => 400) } },
        next    => sub { push @held, @{ $w->sys(
                             'job_claim_next(?, ?, ?, ?, ?)', 'image',
                             1 + int rand 6, $me, 400, 1000) } },
        settle  => sub { my $j = shift @held or return;
                         $w->settle_all($item->($j)) },
        batch   => sub { my @j = shuffle splice @held, 0, 12;
                         $w->settle_all(map { $item->($_) } @j);
                         push @held, $j[0] if @j && rand() < 0.2 },
        segment => sub { my $j = pick(@held) or return;
                         $w->sys('job_segment(?, ?, ?, null, null)',
                                 @{$j}{qw(job_id fence)}, 1 + int rand 2) },
        beat    => sub { my @j = $anyones->();
                         $w->sys('job_beat(?, ?::uuid[], ?::int[], ?, null)',
                                 $j[0]{worker}, lists(@j), 400) if @j },
        log     => sub { my $j = pick(@held) or return;
                         $w->{worker}->all(undef, 'select sys.job_log(?)',
                             Podi::Work::text([{ job_id => $j->{job_id},
                                 fence => 0 + $j->{fence},
                                 lines => [{ line => 'x' }] }])) },
        retry   => sub { my $j = shift @held or return;
                         $w->retry($j, pick(qw(attempt deferral return))) },
        retries => sub { $w->retry_all(map { $w->retry_item($_,
                             pick(qw(attempt deferral return)),
                             usage => { calls => 1 }) }
                             shuffle((splice @held, 0, 8),
                                     grep { rand() < 0.5 } $anyones->())) },
        zombie  => sub { $w->settle_all(map { $item->($_) }
                                        grep { rand() < 0.5 } $anyones->()) },
        cancel  => sub {
            my $who = pick(@people);
            my $t = $db->super->value(undef, 'select task_id from'
                . ' podi.task_header where user_id = ? and ended_at is null'
                . ' order by random() limit 1', $who->{user}) or return;
            $w->cancel($who, $t);
        },
        quota   => sub { $db->{ctl} //= $db->login('podi_ctl');
                         $db->{ctl}->all(undef, 'select * from sys.quota_put'
                             . "(?, '*', 'points', 'month', ?)",
                             pick(qw(acme umbra)), 100 + int rand 200) },
        sweep   => sub { $w->bend($_, 'lease_until = now()', 'running')
                             for $many->('running');
                         $w->sys('job_sweep(20)') },
        gone    => sub { $w->sys('worker_gone(?)', 'w' . int rand 3) },
        expire  => sub { $w->bend($_, 'start_by = now()', 'queued')
                             for $many->('queued');
                         $w->sys('job_expire(5)') },
        push    => sub { $w->{worker}->all(undef,
                             'select sys.job_pushed(?::uuid[])',
                             '{' . join(',', $many->('queued')) . '}') },
        grant   => sub { $db->grant(pick(@people), 10) },
        aside   => sub { $db->{ctl} //= $db->login('podi_ctl');
                         $db->{ctl}->all(undef, 'select sys.job_dismiss(job_id,'
                             . " 'seen') from sys.job_aside(null, 3)") },
        read    => sub { my $who = pick(@people);
                         $w->{web}->all($db->as($who),
                                        'select * from api.event_snapshot()') },
    );
    my @turn = (('submit') x 6, 'quota', ('orders') x 2, ('again') x 2, 'replay', 'refund', ('claim') x 5, ('next') x 4, ('settle') x 4,
                ('batch') x 8, ('segment') x 3, ('beat') x 8, 'log', ('zombie') x 3,
                ('retry') x 2, ('retries') x 4, ('cancel') x 4, ('sweep') x 2,
                ('gone') x 4, ('expire') x 2, ('push') x 2, 'grant', 'aside', 'read');

    for (1 .. $ROUNDS) {
        my $what = pick(@turn);
        eval { $do{$what}->(); 1 } or do {
            my $state = ref $@ ? $@->{state} : "$@";
            # the task ended, or the points did, or a budget, or somebody else
            # was quicker: answers, not faults
            my %no = (again  => qr/^U04(?:02|09|33|54)$/,
                      replay => qr/^U04(?:02|04|09|33)$/,
                      refund => qr/^U04(?:09|25)$/);
            $bad{"$what: $state " . (ref $@ ? $@->{text} // '' : '')}++
                if $state !~ ($no{$what} // qr/^U04(?:31|02|33)$/);
        };
    }
    return \%bad;
}


sub fork_hand
{
    my ($n) = @_;
    my $pid = open my $out, '-|';

    die "fork: $!" if !defined $pid;
    return $out if $pid;

    my $bad = eval { hand($n) } // { "died: $@" => 1 };
    print map { s/\s+/ /gr . " x$bad->{$_}\n" } sort keys %$bad;
    close STDOUT;
    POSIX::_exit(0);
}


my @bad = map { my $out = $_; my @line = <$out>; close $out; @line }
          map { fork_hand($_) } 0 .. $PROCS - 1;
is_deeply \@bad, [], 'no call failed, none was a victim of a deadlock'
    or diag @bad;
is $db->super->value(undef, 'select deadlocks from pg_stat_database'
                     . ' where datname = current_database()'), 0,
   'and the server saw no deadlock';
$db->whole('the books are right');
cmp_ok $db->super->value(undef, 'select count(distinct outcome) from podi.attempt'),
       '>=', 4, 'and there was work, that went in many ways';

done_testing;
