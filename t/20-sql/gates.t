# Gates, plans and queues: what Redis is told of them, and of what is queued
# and runs.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use Podi::Sql;
use Podi::Work;

my $db = Podi::Sql->new;
my $w = Podi::Work->new($db);
my $ann = $w->person('ann', 1000);
my $pic = $w->media($ann);

my @SCOPES = ('global', 'queue:image', 'action:image.resize',
              "tenant:$ann->{tenant}", "user:$ann->{user}");


sub plant
{
    my ($sql, @bind) = @_;

    return $db->super->all(undef, $sql, @bind);
}


sub gates
{
    return { map { $_->{scope} => [@{$_}{qw(slots reserve rate period_ms burst)}] }
             @{ $w->sys('gates()') } };
}


subtest 'the gates there are' => sub {
    is_deeply gates(), {}, 'none, as it comes';

    plant(q{insert into podi.gate values ('global', 100, 10, null, null, null),
            ('key:openai', null, 0, 60, 60000, 5), ('tenant:*', 8, 0, null,
            null, null)});
    is_deeply gates(), { global => [100, 10, (undef) x 3],
                         'key:openai' => [undef, 0, 60, 60000, 5],
                         'tenant:*' => [8, 0, (undef) x 3] },
              'slots, reserves and rates, and the stars';

    plant(q{insert into podi.plan (plan, weight, tenant_slots, user_slots)
            values ('gold', 3, 20, 4), ('iron', 1, null, 1)});
    is_deeply [map { [$_ => gates()->{$_}[0]] } grep { /\@/ } sort keys %{ gates() }],
              [['tenant:*@gold', 20], ['user:*@gold', 4], ['user:*@iron', 1]],
              'the bounds of plans; what a plan leaves open is left out';

    plant(q{update podi.queue_type set state = 'paused'
            where queue in ('image', 'index')});
    plant(q{insert into podi.gate values ('queue:index', 9, 2, 5, 1000, 5)});
    is_deeply [@{ gates() }{qw(queue:image queue:index)}],
              [[0, 0, (undef) x 3], [0, 0, 5, 1000, 5]],
              'a queue that is paused is a gate that is shut';
    plant(q{update podi.queue_type set state = 'active'});
    is_deeply [@{ gates() }{qw(queue:image queue:index)}],
              [undef, [9, 2, 5, 1000, 5]], 'until it is not';
};

subtest 'a hint says whose turn it is and which gates it must pass' => sub {
    plant(q{update podi.tenant set plan = 'gold' where tenant_id = ?},
          $ann->{tenant});
    plant(q{update podi.action set gates = '{key:openai}', cost = 7
            where action = 'image.resize'});
    plant(q{update podi.job set pushed_at = now()});

    my $t = $w->submit($ann, inputs => [$pic], actions => ['resize']);
    my $id = $t->{jobs}[0]{job_id};
    my %want = (job_id => $id, tenant_id => $ann->{tenant}, queue => 'image',
                priority => 1, weight => 3, cost => 7, plan => 'gold',
                scopes => [@SCOPES, 'key:openai']);

    is_deeply $t->{_hints}, [\%want], 'after the submit';
    is_deeply $w->sys('job_dispatch(?, ?)', 10, 30_000), [\%want],
              'and from the dispatch';

    $w->bend($id, 'priority = 0');
    is $w->sys('job_dispatch(?, ?)', 10, 30_000)->[0]{priority}, 0,
       'interactive work says so';
};

subtest 'what runs is known with its gates' => sub {
    my $t = $w->submit($ann, inputs => [$pic], actions => ['resize']);
    my $find = sub { (grep { $_->{job_id} eq $t->{jobs}[0]{job_id} }
                      @{ $w->sys('job_running()') })[0] };

    is $find->(), undef, 'what waits does not run';
    my ($j) = @{ $w->claim_task($t, lease => 600_000) };
    my $r = $find->();
    cmp_ok delete $r->{lease_ms}, '>', 500_000, 'its lease';
    is_deeply $r, { job_id => $j->{job_id}, fence => 1, tenant_id => $ann->{tenant},
                    queue => 'image', priority => 1, plan => 'gold',
                    scopes => [@SCOPES, 'key:openai'] }, 'and the rest';
    $w->bend($j->{job_id}, "lease_until = now() - interval '1 minute'");
    cmp_ok $find->()->{lease_ms}, '<', 0, 'a lease that has run out';
    $w->settle($j, 'succeeded');
    is $find->(), undef, 'nor does what has ended';
};

subtest 'whose slots have nobody' => sub {
    my $t = $w->submit($ann, inputs => [$pic], actions => ['resize']);
    my ($j) = @{ $w->claim_task($t, worker => 'd@h:1') };
    my $gone = sub { $w->{worker}->value(undef, 'select sys.job_crashed(?, 4000)',
                                         "{$j->{job_id}:$_[0]}") };

    $w->sys('worker_beat(?, ?, ?, ?, ?)', 'd@h:1', 'd', 'h', 1, 1);
    is $gone->('7@d@h:1'), 0, 'his who was just seen are a bug';
    is $gone->('#1'), 0, 'so are those of the row that he has';
    is $gone->('7@d@h:2'), 1, 'not those of a worker that is not there';
    plant("update podi.worker set seen_at = now() - interval '5 seconds'");
    is $gone->('7@d@h:1'), 1, 'or was not seen all the while';
    $w->sys('worker_beat(?, ?, ?, ?, ?)', 'd@h:1', 'd', 'h', 1, 1);
    $w->bend($j->{job_id}, "lease_until = now() - interval '1 minute'");
    $w->sys('job_sweep(9)');
    is $gone->('7@d@h:1'), 1, 'nor of one that the job was taken from';
    is $gone->('#1'), 1, 'by its fence, too';
    is $gone->('#2'), 0, 'but not by another';
    my ($again) = @{ $w->claim_task($t, worker => 'd@h:1') };
    $w->settle($again, 'failed');
    is $gone->("#$again->{fence}"), 0, 'who ended it has a slot to give back';
    plant("update podi.worker set seen_at = now() - interval '5 seconds'");
    is $gone->("#$again->{fence}"), 1, 'unless he died before he could';
};

subtest 'a gate that an action names has a name' => sub {
    for my $bad ('key:a b', 'user:x', 'key:', 'key:a,key:b', "key:a\nkey:b") {
        $db->super->refused('23514', undef,
            'update podi.action set gates = ?', [$bad], "not $bad");
    }
    plant(q{update podi.action set gates = '{key:a,comfyui:b.c-1}'});
    plant(q{update podi.action set gates = '{}' where action <> 'image.resize'});
    plant(q{update podi.action set gates = '{key:openai}'
             where action = 'image.resize'});
    pass 'but what a gate may be called';
};

subtest 'the operator sets gates and queues' => sub {
    my $ctl = $db->{ctl};
    my $put = sub { my ($what, $text) = @_;
                    return $ctl->one(undef, "select * from sys.${what}_put(?)",
                                     $text) };

    is_deeply $put->('gate', '{"scope": "comfyui:a", "slots": 2, "reserve": 1}'),
              { scope => 'comfyui:a', state => 'set' }, 'a gate';
    is_deeply gates()->{'comfyui:a'}, [2, 1, (undef) x 3], '... is there';
    is $put->('gate', '{"scope": "comfyui:a", "slots": 3}')->{state}, 'set',
       'put again';
    is_deeply gates()->{'comfyui:a'}, [3, 0, (undef) x 3],
              'it is what was put last';
    is $put->('gate', '{"scope": "comfyui:a"}')->{state}, 'gone',
       'without a bound it is gone';
    is gates()->{'comfyui:a'}, undef, '... really';
    is $ctl->refused('U0422', undef, 'select * from sys.gate_put(?)',
                     '{"scope": "global", "slot": 1}', 'a wrong member')->{detail},
       '{"field" : "slot"}', '... is named';
    $ctl->refused('23514', undef, 'select * from sys.gate_put(?)',
                  '{"scope": "globe", "slots": 1}', 'a scope that is none');

    is $put->('queue', '{"queue": "http:cat", "label": "cats"}')->{is_new}, 1,
       'a queue';
    is $put->('queue', '{"queue": "http:cat", "state": "paused"}')->{is_new}, 0,
       'is changed';
    is_deeply gates()->{'queue:http:cat'}, [0, 0, (undef) x 3], 'and is shut';
    is_deeply plant(q{select label, state, max_crashes from podi.queue_type
                      where queue = 'http:cat'}),
              [{ label => 'cats', state => 'paused', max_crashes => 3 }],
              'the rest stays';
    $ctl->refused('U0422', undef, 'select * from sys.queue_put(?)',
                  '{"queue": "image", "stat": "paused"}', 'a wrong member');
    $ctl->refused('23503', undef, 'select * from sys.action_put(?)',
                  '{"action": "image.resize", "queue": "nowhere"}',
                  'an action of no queue');
};

# --- the claim without Redis ----------------------------------------------

$db->super->all(undef, "update podi.job set start_by = now() where state = 'queued'");
$w->sys('job_expire(100)');
plant("delete from podi.gate");
plant("update podi.plan set tenant_slots = null, user_slots = null");
plant(q{update podi.action set gates = '{}' where action = 'image.resize'});


# claims n and says whose they are; `keep` them running, else end them
sub next_of
{
    my ($n, %o) = @_;
    my $got = $w->sys('job_claim_next(?, ?, ?, ?, ?)', 'image', $n, 'w1', 60_000,
                      $o{limit} // 1000);
    my %user = map { $_->{user} => $_->{login} } @{ $o{of} };

    if (!$o{keep}) {
        $w->settle_all(map { $w->settle_item($_, 'failed') } @$got) if @$got;
    }
    return join ' ', map { $user{ $_->{user_id} } }
                     sort { $a->{job_id} cmp $b->{job_id} } @$got;
}


sub count_of
{
    my ($text) = @_;
    my %n;

    $n{$_}++ for split ' ', $text;
    return \%n;
}


sub order
{
    my ($who, $n, %o) = @_;

    $who->{pic} //= $w->media($who);
    my @t = map { $w->submit($who, inputs => [$who->{pic}],
                             actions => ['resize']) } 1 .. $n;
    $db->super->all(undef, 'update podi.job set priority = ? where job_id ='
                    . ' any (?::uuid[])', $o{priority},
                    '{' . join(',', map { $_->{jobs}[0]{job_id} } @t) . '}')
        if exists $o{priority};
    return @t;
}


sub drain
{
    plant("update podi.job set start_by = now() where state = 'queued'");
    plant("update podi.job set lease_until = now() - interval '1 s', crashes = 9"
          . " where state = 'running'");
    $w->sys('job_sweep(1000)');
    $w->sys('job_expire(1000)');
    return;
}


my %tenant = map { $_ => $db->tenant($_) } qw(gold iron);
plant('update podi.tenant set plan = ? where tenant_id = ?', $_, $tenant{$_})
    for qw(gold iron);
my ($gus, $ivy, $ian) = map { $w->person($_->[0], 1000,
                                         tenant => $tenant{ $_->[1] }) }
                        (['gus', 'gold'], ['ivy', 'iron'], ['ian', 'iron']);
my @all = ($gus, $ivy, $ian, $ann);

subtest 'tenants take turns by weight' => sub {
    order($ivy, 20);
    order($gus, 20);

    is_deeply count_of(next_of(8, of => \@all)), { gus => 6, ivy => 2 },
              'three to one in one claim';
    is_deeply count_of(join ' ', map { next_of(1, of => \@all) } 1 .. 8),
              { gus => 6, ivy => 2 }, 'and one by one';

    order($ann, 10);                                       # gold as well
    is_deeply count_of(next_of(7, of => \@all)), { gus => 3, ann => 3, ivy => 1 },
              'who comes late begins now, and has no credit';
    drain();
};

subtest 'nobody waits behind a gate that he need not pass' => sub {
    plant("insert into podi.gate (scope, slots) values ('key:openai', 1)");
    plant("update podi.action set gates = '{key:openai}'"
          . " where action = 'image.resize'");
    order($gus, 41);
    order($ann, 41);
    like next_of(1, of => \@all, keep => 1), qr/^(gus|ann)$/, 'one has the key';

    my @t = map { $w->submit($_, inputs => [$_->{pic}],
                             actions => ['convert']) } $gus, $ann;
    is_deeply [sort map { $_->{job_id} }
               @{ $w->sys('job_claim_next(?, ?, ?, ?, ?)', 'image', 5, 'w1',
                          60_000, 1000) }],
              [sort map { $_->{jobs}[0]{job_id} } @t],
              'who needs no key goes past all who do';
    drain();
    plant('delete from podi.gate');
    plant("update podi.action set gates = '{}'");
};

subtest 'a class goes before the next, until that is old' => sub {
    my @batch = order($ivy, 2, priority => 2);
    order($gus, 2, priority => 1);
    order($ann, 1, priority => 0);

    is next_of(1, of => \@all), 'ann', 'interactive';
    is next_of(1, of => \@all), 'gus', 'normal';
    $w->bend($_->{jobs}[0]{job_id}, "not_before = now() - interval '2 minutes'")
        for @batch;
    is next_of(1, of => \@all), 'ivy', 'batch that has waited';
    drain();
};

subtest 'no gate holds more than it may' => sub {
    plant(q{insert into podi.gate (scope, slots) values ('user:*', 2)});
    order($_, 4) for $ivy, $ian;
    is_deeply count_of(next_of(8, of => \@all, keep => 1)), { ivy => 2, ian => 2 },
              'a star bounds each user';
    is next_of(8, of => \@all), '', 'and counts what runs';
    drain();

    plant(q{update podi.plan set tenant_slots = 3 where plan = 'iron'});
    order($_, 4) for $ivy, $ian, $gus;
    is_deeply count_of(next_of(12, of => \@all, keep => 1)),
              { ivy => 2, ian => 1, gus => 2 }, 'so does the plan of a tenant';
    drain();

    plant(q{insert into podi.gate (scope, slots) values (?, 4)},
          "user:$ivy->{user}");
    plant(q{update podi.plan set tenant_slots = null});
    order($_, 5) for $ivy, $ian;
    is_deeply count_of(next_of(12, of => \@all, keep => 1)), { ivy => 4, ian => 2 },
              'its own row goes before the star';
    drain();
    plant('delete from podi.gate');

    plant(q{insert into podi.gate (scope, slots, reserve)
            values ('global', 3, 1)});
    order($gus, 5);
    is_deeply count_of(next_of(9, of => \@all, keep => 1)), { gus => 2 },
              'a slot is kept';
    order($ann, 5, priority => 0);
    is next_of(9, of => \@all, keep => 1), 'ann', 'for interactive work';
    is next_of(9, of => \@all, keep => 1), '', 'which has no more either';
    drain();
    plant('delete from podi.gate');

    plant(q{update podi.queue_type set state = 'paused' where queue = 'image'});
    order($gus, 1);
    is next_of(9, of => \@all), '', 'a paused queue gives nothing';
    plant(q{update podi.queue_type set state = 'active' where queue = 'image'});
    is next_of(9, of => \@all), 'gus', 'until it goes on';
};

subtest 'a busy user is passed over' => sub {
    my $other = $db->login('postgres');

    order($_, 1) for $gus, $ivy;
    $other->dbh->begin_work;
    $other->run('update podi.user_head set top = top where user_id = ?',
                $gus->{user});
    is next_of(2, of => \@all), 'ivy', 'the other is served';
    $other->dbh->rollback;
    is next_of(2, of => \@all), 'gus', 'and he comes next';
};

subtest 'many waiting jobs cost no more than few' => sub {
    plant('set session_replication_role = replica');
    my ($t) = order($gus, 1);
    plant('insert into podi.job (tenant_id, job_id, task_id, user_id, ord, action,'
          . ' queue, params, inputs, price, max_attempts, start_by)'
          . ' select j.tenant_id, internal.uuid7(), j.task_id, j.user_id, 1,'
          . " j.action, j.queue, '{}', j.inputs, 0, 3, now() + interval '1 hour'"
          . ' from podi.job j, generate_series(1, 30000) where j.job_id = ?',
          $t->{jobs}[0]{job_id});
    plant('set session_replication_role = origin');

    my $read = sub {
        my ($limit) = @_;
        my $n = sub { plant('select idx_tup_fetch + idx_tup_read as n from'
                      . ' pg_stat_xact_user_tables natural join (select'
                      . ' 0::bigint as idx_tup_read) x where relname = ?',
                      'job')->[0]{n} };
        $db->super->dbh->begin_work;
        my $before = $n->();
        plant('select * from sys.job_claim_next(?, 4, ?, 60000, ?)', 'image',
              'w1', $limit // 1000);
        my $after = $n->();
        $db->super->dbh->rollback;
        return $after - $before;
    };
    my $rows = $read->();
    cmp_ok $rows, '<', 300, "of 30,000 rows it reads few ($rows)";
    is $read->(0), 0, 'a queue that is full reads none';
    cmp_ok $rows = $read->(2), '<', 300, "one that gets full reads few ($rows)";
    plant(q{insert into podi.gate (scope, slots, reserve)
            values ('global', 9, 8)});
    cmp_ok $rows = $read->(), '<', 300, "so does one with a reserve ($rows)";
    plant('delete from podi.gate');
    plant(q{update podi.queue_type set state = 'paused' where queue = 'image'});
    is $read->(), 0, 'nor does one that is paused';
    plant(q{update podi.queue_type set state = 'active' where queue = 'image'});
    plant('delete from podi.job where task_id = ? and job_id <> ?', $t->{task_id},
          $t->{jobs}[0]{job_id});
};

$db->whole;
done_testing;
