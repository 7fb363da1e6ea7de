# Budgets: sys.quota_put, api.quota_list, and what submit, retry and every end
# of a job do to them.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use JSON::PP ();
use POSIX ();

use Podi::Sql;
use Podi::Work;

my $db = Podi::Sql->new;
my $w = Podi::Work->new($db);
my $super = $db->super;
my $ctl = $db->{ctl};
my $n = 0;

$ctl->all(undef, 'select * from sys.action_put(?)', Podi::Work::text($_))
    for { action => 'image.resize', price => 2 },
        { action => 'image.convert', price => 1, tokens => 100 },
        { action => 'image.thumbnail', price => 10, segments => [
            { name => 'a', percent => 30 }, { name => 'b', percent => 70 }] };


# somebody new, with a picture; his budgets: [meter, period, most]
sub somebody
{
    my (@quota) = @_;
    my $who = $w->person('p' . ++$n, 1000);

    $who->{pic} = $w->media($who);
    put($who->{login}, @$_) for @quota;
    return $who;
}


sub put
{
    my ($login, $meter, $period, $most, $slug) = @_;

    return $ctl->one(undef, 'select * from sys.quota_put(?, ?, ?, ?, ?)',
                     $slug // 'acme', $login, $meter, $period, $most);
}


sub submit
{
    my ($who, @actions) = @_;

    return $w->submit($who, inputs => [$who->{pic}],
                      actions => @actions ? \@actions : ['resize']);
}


# the budget is full: what it says of itself
sub full
{
    my ($who, @actions) = @_;
    my $name = @actions && !ref $actions[-1] ? pop @actions : 'full';
    my $error = $w->{web}->refused('U0433', $db->as($who), $w->submit_call(
                    inputs => [$who->{pic}],
                    actions => @actions ? $actions[0] : ['resize']), $name);

    return JSON::PP->new->decode($error->{detail} // '{}');
}


# "used+reserved" of a budget of a user, or of anybody
sub use_of
{
    my ($who, $meter) = @_;
    my $row = $super->one(undef, 'select used, reserved from podi.quota_use'
        . ' where subject = ? and meter = ? order by period_start desc limit 1',
        ref $who ? $who->{user} : $who, $meter) or return 'none';

    return "$row->{used}+$row->{reserved}";
}


sub end
{
    my ($t, @how) = @_;

    return map { $w->settle($_, @how ? @how : 'succeeded') }
           @{ $w->claim_task($t) };
}


subtest 'without a budget nothing is counted' => sub {
    my $ann = somebody();

    end(submit($ann));
    is $super->value(undef, "select count(*) from podi.$_"), 0, "no $_"
        for qw(quota_use quota_hold);
    is_deeply $w->{web}->all($db->as($ann), 'select * from api.quota_list()'),
              [], 'none is shown';
};

subtest 'points: what is charged' => sub {
    my $ann = somebody(['points', 'month', 4]);
    my ($t, $u) = (submit($ann), submit($ann));
    is use_of($ann, 'points'), '0+4', 'exactly full';

    my $no = full($ann, 'no more');
    is_deeply [@{$no}{qw(scope meter period limit used reserved asked)}],
              [qw(user points month 4 0 4 2)], 'it says why';
    is $no->{resets_at}, $super->value(undef, q{select internal.rfc3339(
        date_trunc('month', now(), 'UTC') + interval '1 month')}), 'until when';
    cmp_ok $no->{retry_after}, '>', 0, 'and for how long';
    cmp_ok $no->{retry_after}, '<=', 31 * 86400, 'at most';

    end($t);
    is use_of($ann, 'points'), '2+2', 'one is used';
    full($ann, 'still full');
    end($u, 'failed');
    is use_of($ann, 'points'), '2+0', 'what failed is given back';
    ok submit($ann), 'and can be asked again';
    $db->whole;
};

subtest 'tasks: those that were begun' => sub {
    my $ann = somebody(['tasks', 'day', 2]);
    my ($t, $u) = (submit($ann), submit($ann));
    is full($ann)->{period}, 'day', 'a third';

    $w->cancel($ann, $t->{task_id});
    is use_of($ann, 'tasks'), '0+1', 'one that was not begun does not count';
    my ($j) = @{ $w->claim_task($u) };
    $w->cancel($ann, $u->{task_id});
    is use_of($ann, 'tasks'), '0+1', 'one that runs is not over';
    $w->settle($j, 'cancelled');
    is use_of($ann, 'tasks'), '1+0', 'one that was begun counts';
    ok submit($ann), 'one more';
    full($ann, 'and no more');
};

subtest 'calls: one a job, until it says what it was' => sub {
    my $ann = somebody(['calls', 'month', 3]);
    my $t = submit($ann, 'resize', 'convert');
    full($ann, ['resize', 'convert'], 'two are more than one');
    my $u = submit($ann);
    is use_of($ann, 'calls'), '0+3', 'one is not';

    my ($j, $k) = @{ $w->claim_task($t) };
    $w->settle($j, 'succeeded', usage => { calls => 2.5 });
    is use_of($ann, 'calls'), '3+2', 'what was reported, in full';
    $w->retry($k, 'deferral');
    ($k) = grep { $_->{job_id} eq $k->{job_id} } @{ $w->claim_task($t) };
    $w->retry($k, 'attempt');
    ($k) = grep { $_->{job_id} eq $k->{job_id} } @{ $w->claim_task($t) };
    $w->settle($k, 'failed', usage => { calls => 'many', tokens => -1 });
    is use_of($ann, 'calls'), '5+1', 'each attempt is one, a deferral is none';
    end($u, 'succeeded', usage => { calls => 0 });
    is use_of($ann, 'calls'), '5+0', 'what went without';
    is full($ann)->{used}, 5, 'more may be used than was reserved';

    my $ben = somebody(['calls', 'month', 9]);
    $t = submit($ben);
    $w->retry($w->claim_task($t)->[0], 'return', usage => $_)
        for undef, { calls => 0 };
    end($t);
    is use_of($ben, 'calls'), '2+0', 'one that was given back was tried,'
                                     . ' unless it says that it was not';
    $db->whole;
};

subtest 'tokens: the estimate, then the report' => sub {
    my $ann = somebody(['tokens', 'month', 250]);
    my ($t, $u) = (submit($ann, 'convert'), submit($ann, 'convert', 'resize'));
    is use_of($ann, 'tokens'), '0+200', 'what their actions declare';
    is full($ann, ['convert'])->{asked}, 100, 'a third';
    ok submit($ann, 'resize'), 'one that wants none is not concerned';

    end($t, 'succeeded', usage => { tokens => 30 });
    is use_of($ann, 'tokens'), '30+100', 'what was reported';
    my ($j, $k) = @{ $w->claim_task($u) };
    $w->settle($k, 'succeeded', usage => { tokens => 7 });
    is use_of($ann, 'tokens'), '37+100', 'also of one that declares none';
    $ctl->all(undef, 'select * from sys.action_put(?)',
              '{"action": "image.convert", "tokens": 5}');
    $w->settle($j, 'failed', usage => { tokens => 1000 });
    is use_of($ann, 'tokens'), '1037+0', 'the end gives all back';
    is full($ann, 'used up, also for what declares none')->{asked}, 1,
       'one is asked at the least';
    $ctl->all(undef, 'select * from sys.action_put(?)',
              '{"action": "image.convert", "tokens": 100}');
    $db->whole;
};

subtest 'tokens that nobody declared' => sub {
    my $ann = somebody(['tokens', 'day', 10]);
    my ($t, $u) = (submit($ann), submit($ann));

    is use_of($ann, 'tokens'), '0+0', 'none are reserved';
    end($t, 'succeeded', usage => { tokens => 9 });
    ok submit($ann), 'one is left';
    end($u, 'succeeded', usage => { tokens => 1 });
    is full($ann)->{used}, 10, 'exactly full is full';

    my $ben = somebody(['tokens', 'day', 10]);
    $t = submit($ben);
    $super->run('update podi.quota_use set used = 999999999999999999'
                . ' where subject = ?', $ben->{user});
    is_deeply [map { $_->{verdict} }
               end($t, 'succeeded', usage => { tokens => 1e300 })], ['OK'],
              'an absurd report ends its job all the same';
    is use_of($ben, 'tokens'), '1000000000000000000+0', 'and is bounded';
    full($ben, 'and full');
    $db->whole;
};

subtest 'in flight: until the task ends' => sub {
    my $ann = somebody(['in_flight', undef, 1]);
    my $t = submit($ann, 'resize', 'convert');
    my $no = full($ann);
    is_deeply [@{$no}{qw(meter period limit reserved)}],
              [qw(in_flight none 1 1)], 'it says why';
    ok !exists $no->{resets_at}, 'no time opens it';
    is $no->{retry_after}, 1, 'so ask again soon';

    my ($j, $k) = @{ $w->claim_task($t) };
    $w->settle($j, 'succeeded');
    full($ann, 'a job of it is left');
    $w->settle($k, 'succeeded');
    is use_of($ann, 'in_flight'), '0+0', 'then none';
    ok submit($ann), 'and the next';
};

subtest 'whose' => sub {
    my ($ann, $ben, $eve) = map { somebody() } 1 .. 3;
    my $tenant = $ann->{tenant};

    put('*', 'points', 'day', 4);
    put($eve->{login}, 'points', 'day', 2);
    submit($_) for $ann, $ann, $ben, $eve;
    is full($_)->{scope}, 'user', 'each has his own' for $ann, $eve;
    is full($eve)->{limit}, 2, 'one of his own goes first';

    put(undef, 'points', 'month', 6);
    submit($ben);
    is full($ben)->{scope}, 'user', 'the user has less left';
    put('*', 'points', 'day', undef);
    submit($ben) for 1 .. 2;
    is use_of($tenant, 'points'), '0+6', 'all of them together';
    is full($ann)->{scope}, 'tenant', 'the tenant has nothing left';
    is_deeply [map { join ' ', @{$_}{qw(scope meter period limit used reserved)} }
                   @{ $w->{web}->all($db->as($eve),
                                     'select * from api.quota_list()') }],
              ['tenant points month 6 0 6', 'user points day 2 0 2'],
              'who asks is told what holds for him';

    my $zoe = $w->person('zoe', 100, tenant => $db->tenant('umbra'));
    $zoe->{pic} = $w->media($zoe);
    ok submit($zoe), 'other tenants have theirs';
    is_deeply $w->{web}->all($db->as($zoe), 'select * from api.quota_list()'),
              [], 'and see no others';

    $ctl->all(undef, 'select * from sys.plan_put(?)', '{"plan": "free", "quotas":'
        . ' [{"scope": "user", "meter": "tasks", "period": "day", "most": 1},'
        . ' {"scope": "tenant", "meter": "tasks", "period": "day", "most": 9}]}');
    $ctl->all(undef, 'select * from sys.tenant_plan(?, ?)', 'umbra', 'free');
    submit($zoe);
    is_deeply [@{ full($zoe) }{qw(scope meter limit)}], [qw(user tasks 1)],
              'a plan has budgets for those who have none';
    put('*', 'tasks', 'day', 2, 'umbra');
    ok submit($zoe), 'the tenant\'s own goes first';
    is_deeply [map { join ' ', map { $_ // '-' }
                     @{$_}{qw(source scope login meter most used reserved)} }
                   @{ $ctl->all(undef, 'select * from sys.quota_list(?)',
                                'umbra') }],
              ['quota user * tasks 2 - -', 'plan tenant - tasks 9 0 2',
               'plan user * tasks 1 - -'], 'the operator sees all of them';
    put(undef, 'points', 'month', undef);
    $db->whole;
};

subtest 'all of them or none' => sub {
    my $ann = somebody(['points', 'day', 100], ['tasks', 'month', 1],
                       ['in_flight', 'none', 5]);
    my %o = (inputs => [$ann->{pic}], actions => ['resize'], key => 'again');
    my $t = submit($ann);
    my $before = $w->wallet($ann);
    my @call = $w->submit_call(%o);

    $w->{web}->refused('U0433', $db->as($ann), @call, 'one is full');
    is_deeply [map { use_of($ann, $_) } qw(points tasks in_flight)],
              ['0+2', '0+1', '0+1'], 'nothing is reserved of the others';
    is_deeply $w->wallet($ann), $before, 'nothing is frozen';
    is $super->value(undef, 'select count(*) from podi.task_header'
                     . ' where task_id = ?', $call[1]), 0, 'there is no task';

    put($ann->{login}, 'tasks', 'month', 2);
    ok $w->{web}->one($db->as($ann), @call)->{is_new}, 'the key is still free';
    ok !$w->{web}->one($db->as($ann), @call)->{is_new}, 'again: the same task';
    is use_of($ann, 'tasks'), '0+2', 'reserved once';

    my $poor = somebody(['tasks', 'day', 5]);
    submit($poor, ('thumbnail') x 16) for 1 .. 3;
    $w->{web}->refused('U0402', $db->as($poor), $w->submit_call(
        inputs => [map { $w->media($poor) } 1 .. 4],
        actions => [('thumbnail') x 16]), 'not enough points');
    is use_of($poor, 'tasks'), '0+3', 'nor is a budget touched then';
};

subtest 'a period ends' => sub {
    my $ann = somebody(['points', 'month', 4], ['calls', 'day', 2]);
    my ($t, $u) = (submit($ann), submit($ann));
    full($ann, 'full');

    # as if both had been submitted long ago
    $super->run("update podi.$_ set period_start = period_start - interval"
        . " '2 months' where subject = ?", $ann->{user})
        for qw(quota_use quota_hold);
    my $v = submit($ann);
    is use_of($ann, 'points'), '0+2', 'it begins at nothing';
    end($t);
    end($u, 'failed');
    is use_of($ann, 'points'), '0+2', 'old tasks do not count here';
    is_deeply $super->all(undef, 'select used, reserved from podi.quota_use'
        . ' where subject = ? order by meter, period_start', $ann->{user}),
        [map { { used => $_->[0], reserved => $_->[1] } }
             [2, 0], [0, 1], [2, 0], [0, 2]], 'but where they began';
    $db->whole;

    # what nobody asks about any more
    my $all = 'select (select count(*) from podi.quota_use where subject = $1)'
              . ' as uses, (select count(*) from podi.quota_hold where subject'
              . ' = $1) as holds';
    my $old = 'update podi.quota_use set period_start = period_start - interval'
              . " '400 days' where subject = ?";
    $super->run("update podi.quota_hold set made_at = made_at - interval '31 days'"
                . ' where subject = ?', $ann->{user});
    $super->run($old, $ann->{user});
    $super->run('update podi.quota_hold set period_start = period_start - interval'
                . " '400 days' where subject = ?", $ann->{user});
    $w->sys('purge(100)');
    is_deeply $super->one(undef, $all, $ann->{user}), { uses => 2, holds => 2 },
              'they are forgotten, but for what is open';
    end($v);
    $w->sys('purge(100)');
    is_deeply $super->one(undef, $all, $ann->{user}), { uses => 0, holds => 0 },
              'in the end wholly';
    $db->whole;

    for my $zone (qw(Asia/Shanghai America/St_Johns)) {
        $ctl->all(undef, 'select * from sys.tenant_zone(?, ?)', 'acme', $zone);
        my $ben = somebody(['points', 'day', 4], ['points', 'month', 4]);
        is_deeply $super->all(undef, q{select to_char(b.period_start at time zone
            $1, 'HH24:MI') as start, to_char(b.resets_at at time zone $1,
            case b.period when 'day' then 'HH24:MI' else 'DD HH24:MI' end) as next,
            now() between b.period_start and b.resets_at as now
            from internal.quota_bounds($2, $3) b order by b.period},
            $zone, $ben->{tenant}, $ben->{user}),
            [{ start => '00:00', next => '00:00', now => 1 },
             { start => '00:00', next => '01 00:00', now => 1 }],
            "midnight in $zone";
    }
    $ctl->all(undef, 'select * from sys.tenant_zone(?, ?)', 'acme', 'UTC');
};

subtest 'a task that begins again' => sub {
    my $ann = somebody(['points', 'month', 5], ['tasks', 'month', 2],
                       ['calls', 'month', 9], ['in_flight', 'none', 1]);
    my $t = submit($ann, 'resize', 'convert');
    my ($j, $k) = @{ $w->claim_task($t) };
    my $again = sub { $w->{web}->one($db->as($ann),
        'select * from api.task_retry(?, null, null)', $t->{task_id}) };
    my $all = sub { [map { use_of($ann, $_) } qw(points tasks calls in_flight)] };

    $w->settle($k, 'succeeded');
    $w->settle($j, 'failed', usage => { calls => 3 });
    is_deeply $all->(), ['1+0', '1+0', '4+0', '0+0'], 'in part';
    $again->();
    is_deeply $all->(), ['1+2', '1+1', '4+1', '0+1'], 'what failed, again';
    full($ann, 'it is in flight');
    end($t, 'failed');
    is_deeply $all->(), ['1+0', '2+0', '5+0', '0+0'],
              'what was booked before is not booked again';
    $w->{web}->refused('U0433', $db->as($ann),
        'select * from api.task_retry(?, null, null)', $t->{task_id},
        'a third time is too often');
    is_deeply $all->(), ['1+0', '2+0', '5+0', '0+0'], 'and takes nothing';
    put($ann->{login}, 'tasks', 'month', undef);
    $again->();
    end($t);
    is_deeply $all->(), ['3+0', '2+0', '6+0', '0+0'],
              'one that was taken away counts no more';
    $db->whole;
};

subtest 'whatever ends a job gives back' => sub {
    my $ann = somebody(['points', 'month', 1000], ['calls', 'month', 1000],
                       ['in_flight', 'none', 100]);
    my %end = (
        'the user' => sub { $w->cancel($ann, $_[0]{task_id}) },
        'time' => sub {
            $w->bend($_->{job_id}, 'start_by = now()') for @{ $_[0]{jobs} };
            $w->sys('job_expire(100)');
        },
        'a dead worker' => sub {
            for (1 .. 3) { $w->claim_task($_[0], worker => 'w9');
                           $w->sys("worker_gone('w9')") }
        },
        'a lost lease' => sub {
            for (1 .. 3) {
                $w->claim_task($_[0]);
                $w->bend($_->{job_id}, 'lease_until = now()', 'running')
                    for @{ $_[0]{jobs} };
                $w->sys('job_sweep(100)');
            }
        },
        'too many attempts' => sub {
            for (1 .. 3) { $w->retry($_, 'attempt')
                               for @{ $w->claim_task($_[0]) } }
        },
    );

    for my $name (sort keys %end) {
        my $t = submit($ann, 'resize', 'convert');
        like use_of($ann, 'points'), qr/^0\+3$/, "$name: reserved";
        $end{$name}->($t);
        is use_of($ann, 'points'), '0+0', '... nothing is used';
        is use_of($ann, 'in_flight'), '0+0', '... it is over';
    }
    $db->whole;

    my $pic = $w->media($ann);
    my $t = $w->submit($ann, graph => [
        { key => 'a', action => 'image.resize', params => { width => 5 },
          inputs => [{ media => $pic }] },
        { key => 'b', action => 'image.convert', params => { format => 'png' },
          inputs => [{ job => 'a' }] }]);
    is use_of($ann, 'points'), '0+3', 'a graph';
    end($t, 'failed');
    is use_of($ann, 'points'), '0+0', 'what falls with a job gives back too';
    $db->whole;
};

subtest 'said twice' => sub {
    my $ann = somebody(['points', 'day', 100]);
    my $t = submit($ann, 'resize', 'convert');
    my ($j, $k) = @{ $w->claim_task($t) };

    is $w->settle($j, 'succeeded')->{verdict}, $_, $_ for qw(OK ALREADY);
    is $w->settle($j, 'failed')->{verdict}, 'MISMATCH', 'MISMATCH';
    is use_of($ann, 'points'), '2+1', 'booked once';
    my @all = map { submit($ann) } 1 .. 3;
    my @jobs = map { @{ $w->claim_task($_) } } @all;
    $w->settle_all(map { $w->settle_item($_, 'succeeded') } $k, @jobs, $j);
    is use_of($ann, 'points'), '9+0', 'a batch, with one of before';
    $db->whole;
};

subtest 'parts' => sub {
    my $ann = somebody(['points', 'day', 10]);
    my $t = submit($ann, 'thumbnail');
    my ($j) = @{ $w->claim_task($t) };
    my $part = sub { $w->sys('job_segment(?, ?, ?, null, null)',
                             @{$j}{qw(job_id fence)}, $_[0]) };

    $part->(1) for 1 .. 2;
    is use_of($ann, 'points'), '3+7', 'a part is used once it is paid';
    $db->whole;
    $w->settle($j, 'failed');
    is use_of($ann, 'points'), '3+0', 'the rest is given back';
    $w->{web}->one($db->as($ann), 'select * from api.task_retry(?, null, null)',
                   $t->{task_id});
    is use_of($ann, 'points'), '3+7', 'and asked again';
    end($t);
    is use_of($ann, 'points'), '10+0', 'in all its price';
    full($ann, 'which was all');
};

subtest 'many orders at once' => sub {
    my $ann = somebody(['points', 'day', 4], ['in_flight', 'none', 9]);
    my @order = map { my @id = $w->ids(2); { task_id => $id[0],
        job_ids => [$id[1]], order => $w->order(inputs => [$ann->{pic}],
        actions => [$_]) } } qw(resize thumbnail convert resize convert);
    my $hash = 'h';
    my $r = Podi::Work::decode($w->{web}->one($db->as($ann),
        'select * from api.task_submit_batch(?, ?, ?, ?, ?)',
        Podi::Work::text(\@order), 'default', 'a' x 32, undef, \$hash))->[0];

    is_deeply [map { $_->{sqlstate} // 'OK' } @{ $r->{results} }],
              [qw(OK U0433 OK U0433 OK)], 'each by itself, in their order';
    is use_of($ann, 'points'), '0+4', 'to the last point';
    is use_of($ann, 'in_flight'), '0+3', 'of those that are there';
    $db->whole;
};

subtest 'what an operator may say' => sub {
    my $ann = somebody();

    is put('*', 'calls', 'day', 5)->{is_new}, 1, 'a new one';
    is put('*', 'calls', 'day', 6)->{is_new}, 0, 'another amount';
    is put('*', 'calls', 'day', undef)->{is_new}, 0, 'none any more';
    my $call = 'select * from sys.quota_put(?, ?, ?, ?, ?)';
    $ctl->refused(@$_) for
        ['U0404', undef, $call, 'acme', '*', 'calls', 'day', undef, 'not there'],
        ['U0404', undef, $call, 'nix', undef, 'calls', 'day', 1, 'no tenant'],
        ['U0404', undef, $call, 'nix', '*', 'calls', 'day', 1, 'nor for each'],
        ['U0404', undef, $call, 'acme', 'nix', 'calls', 'day', 1, 'no user'],
        ['U0422', undef, $call, 'acme', '*', 'steps', 'day', 1, 'no meter'],
        ['U0422', undef, $call, 'acme', '*', 'calls', 'year', 1, 'no period'],
        ['U0422', undef, $call, 'acme', '*', 'calls', undef, 1, 'not at once'],
        ['U0422', undef, $call, 'acme', '*', 'in_flight', 'day', 1, 'not a day'],
        ['U0422', undef, $call, 'acme', '*', 'calls', 'day', -1, 'below 0'],
        ['U0422', undef, 'select * from sys.tenant_zone(?, ?)', 'acme',
         'Mars/Olympus', 'no zone'],
        ['U0404', undef, 'select * from sys.tenant_zone(?, ?)', 'nix', 'UTC',
         'no tenant with a zone'],
        ['U0404', undef, 'select * from sys.quota_list(?)', 'nix',
         'no tenant to list'],
        map { ['U0422', undef, 'select * from sys.plan_put(?)',
               qq({"plan": "x", "quotas": $_}), "no budgets: $_"] }
        '{}', 'null', '[{}]', '[3]',
        '[{"scope": "user", "meter": "calls", "period": "day", "most": "1"}]',
        '[{"scope": "all", "meter": "calls", "period": "day", "most": 1}]',
        '[{"scope": "user", "meter": "calls", "period": "day", "most": 1},'
        . ' {"scope": "user", "meter": "calls", "period": "day", "most": 2}]';
    is $super->value(undef, "select count(*) from podi.audit where verb in"
                     . " ('quota.put', 'tenant.zone')") > 5, 1, 'it is audited';

    put($ann->{login}, 'tasks', 'day', 0);
    is full($ann)->{limit}, 0, 'nothing at all';
    put($ann->{login}, 'tasks', 'day', undef);
};


# as many as may, from 8 sessions at once; settles run against submits
subtest 'a race' => sub {
    my ($ann, $ben) = map { somebody(['tasks', 'day', 20]) } 1 .. 2;
    my @out;

    put(undef, 'calls', 'month', 30);
    for my $hand (1 .. 8) {
        my $pid = open my $out, '-|';
        die "fork: $!" if !defined $pid;
        push @out, $out and next if $pid;

        my %got;
        $w->after_fork;
        for (1 .. 12) {
            my $who = ($ann, $ben)[($_ + $hand) % 2];
            my $t = eval { submit($who) };
            my $said = $t ? 'ok' : ref $@ ? $@->{state} : "$@";
            $got{$said}++;
            end($t, 'failed') if $t && $_ % 4 == 0;
            end($t) if $t && $_ % 4 == 1;
        }
        print map { "$_ $got{$_}\n" } sort keys %got;
        close STDOUT;
        POSIX::_exit(0);
    }
    my %all;
    for my $out (@out) {
        while (<$out>) { $all{$1} += $2 if /^(.+) (\d+)$/ }
        close $out;
    }

    is_deeply [sort keys %all], ['U0433', 'ok'], 'some passed, some did not'
        or diag explain \%all;
    is_deeply [map { my @n = split /\+/, use_of(@$_); $n[0] + $n[1] <= $_->[2] }
               [$ann, 'tasks', 20], [$ben, 'tasks', 20],
               [$ann->{tenant}, 'calls', 30]], [1, 1, 1],
              'none took more than there was';
    $db->whole;

    put(undef, 'calls', 'month', undef);
    my $left = 20 - eval { my @n = split /\+/, use_of($ann, 'tasks');
                           $n[0] + $n[1] };
    submit($ann) for 1 .. $left;
    full($ann, 'and what was left was left');
};

done_testing;
