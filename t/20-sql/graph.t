# Orders that are graphs of jobs, and what else an order may say: priority,
# what a failure does, when to start, until when.
#
#     PODI_SEED=n repeats the random graphs.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use JSON::PP ();
use List::Util qw(shuffle);
use Podi::Sql;
use Podi::Work;

my $seed = $ENV{PODI_SEED} // time;
note "PODI_SEED=$seed";
srand $seed;

my $db = Podi::Sql->new;
my $w = Podi::Work->new($db);
my $ann = $w->person('ann', 100_000);
my ($pic, $pic2) = map { $w->media($ann) } 1 .. 2;
my $text = { zh => 'x', en => 'x' };

# what takes several inputs, and what takes none
$db->{ctl}->all(undef, 'select * from sys.action_put(?)', Podi::Work::text({
    action => "test.$_->[0]", queue => 'image', label => $text,
    description => $text, accepts => ['image/jpeg'], price => $_->[1],
    inputs => { min => $_->[2], max => $_->[3] }, timeout_ms => 5000,
    max_wait_ms => 60_000 }))
    for ['join', 5, 2, 16], ['note', 0, 0, 1], ['any', 1, 0, 64];


sub media { return { media => $_[0] } }
sub from  { return { job => $_[0] } }


sub node
{
    my ($key, $action, %o) = @_;

    return { key => $key, action => $action, %o };
}


sub field
{
    my ($error) = @_;

    return JSON::PP::decode_json($error->{detail} // '{}')->{field};
}


sub refused
{
    my ($field, $name, %order) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $e = $w->{web}->refused($order{state} // 'U0422', $db->as($ann),
                               $w->submit_call(%order), $name);

    is field($e), $field, "... at $field";
}


sub by_key
{
    my ($task) = @_;

    return { map { $_->{key} => $_ } @{ $task->{jobs} } };
}


subtest 'a job waits for those that it takes from or goes after' => sub {
    my $t = $w->submit($ann, graph => [
        node(sheet => 'test.join', inputs => [from('a'), media($pic), from('b')],
             after => ['c', 'a']),
        node(a => 'image.thumbnail', inputs => [media($pic)]),
        node(b => 'image.resize', inputs => [from('a')],
             params => { width => 9 }),
        node(c => 'test.note'),
    ], expected => 5 + 1 + 2 + 0);
    my $j = by_key($t);

    is_deeply [map { $_->{key} } @{ $t->{jobs} }], [qw(sheet a b c)],
              'the order is that of the request';
    is_deeply $w->claim([$j->{sheet}{job_id}]), [], 'what waits is not claimed';
    is_deeply { map { $_ => $j->{$_}{state} } keys %$j },
              { sheet => 'blocked', a => 'queued', b => 'blocked',
                c => 'queued' }, 'what waits is blocked';
    is_deeply $j->{sheet}{needs}, [qw(a b c)], 'each need is told once';
    is_deeply $j->{sheet}{inputs}, [undef, $pic, undef],
              'inputs that are to come have their places';
    is $j->{sheet}{input}, undef, 'the first, too';
    is_deeply [map { $_->{job_id} } @{ $t->{_hints} }],
              [map { $j->{$_}{job_id} } qw(a c)], 'hints for those that may start';
    is_deeply [map { [@{$_}{qw(place key)}] } @{ $db->super->all(undef,
        'select n.place, q.key from podi.job_need n join podi.job q on'
        . ' q.job_id = n.needs_job_id where n.job_id = ? order by q.ord',
        $j->{sheet}{job_id}) }], [[1, 'a'], [3, 'b'], [undef, 'c']],
        'the places are kept';
    my $row = $w->job($j->{sheet}{job_id});
    is_deeply [@{$row}{qw(needs_open hold_id)}], [3, $t->{hold_id}],
              'it counts them, and knows what pays for it';
    is $w->job($j->{c}{job_id})->{hold_id}, undef, 'a job of no price has none';

    my $read = by_key($w->read_task($ann, $t->{task_id}));
    is_deeply $read->{sheet}{needs}, [qw(a b c)], 'a reader sees it all';
    is_deeply [@{ $read->{sheet} }{qw(state confirmed segment segments)}],
              ['blocked', 0, 0, []], 'and how far it is';
};

subtest 'a field that is wrong is named' => sub {
    my $ok = node(a => 'image.thumbnail', inputs => [media($pic)]);
    my ($nothing) = $w->ids(1);
    my @case = (
        ['jobs', 'no job', []],
        ['jobs', 'too many', [map { node("k$_", 'test.note') } 1 .. 65]],
        ['jobs[0].key', 'no key', [{ %$ok, key => undef }]],
        ['jobs[0].key', 'a key of blanks', [{ %$ok, key => 'a b' }]],
        ['jobs[0].key', 'a key that is a number', [{ %$ok, key => 1 }]],
        ['jobs[1].key', 'a key twice', [$ok, $ok]],
        ['jobs[0].action', 'no action', [{ key => 'a' }]],
        ['jobs[0].action', 'an unknown one', [node(a => 'image.fly')], 'U0430'],
        ['jobs[0]', 'not an object', [3]],
        ['jobs[0].inptus', 'an unknown member', [{ %$ok, inptus => [] }]],
        ['jobs[1].params.size', 'a parameter',
            [$ok, { %$ok, key => 'b', params => { size => 5 } }]],
        ['jobs[0].inputs', 'too few inputs', [{ %$ok, inputs => [] }]],
        ['jobs[0].inputs', 'too many inputs',
            [{ %$ok, inputs => [media($pic), media($pic)] }]],
        ['jobs[0].inputs', 'no array', [{ %$ok, inputs => 'a' }]],
        ['jobs[0].inputs[0]', 'neither media nor job',
            [{ %$ok, inputs => [{}] }]],
        ['jobs[0].inputs[0]', 'both', [{ %$ok, inputs => [{ media => $pic,
                                                            job => 'a' }] }]],
        ['jobs[0].inputs[0].media', 'not an id',
            [{ %$ok, inputs => [media('x')] }]],
        ['jobs[0].inputs[0].media', 'no such media',
            [{ %$ok, inputs => [media($nothing)] }]],
        ['jobs[1].inputs[0].media', 'not ready', [$ok, { %$ok, key => 'b',
            inputs => [media($w->media($ann, state => 'checking'))] }], 'U0440'],
        ['jobs[0].inputs[0].job', 'no such job',
            [{ %$ok, inputs => [from('z')] }]],
        ['jobs[0].inputs[0].job', 'itself', [{ %$ok, inputs => [from('a')] }]],
        ['jobs[1].inputs[1].job', 'the same result twice',
            [$ok, node(b => 'test.join', inputs => [from('a'), from('a')])]],
        ['jobs[0].after', 'no array', [{ %$ok, after => 'b' }]],
        ['jobs[0].after[0]', 'after nobody', [{ %$ok, after => ['z'] }]],
        ['jobs[0].after[0]', 'after itself', [{ %$ok, after => ['a'] }]],
        ['jobs[1]', 'a ring of two', [{ %$ok, after => ['b'] },
            node(b => 'test.note', after => ['c']),
            node(c => 'test.note', after => ['b'])]],
    );

    for my $case (@case) {
        my ($field, $name, $graph, $state) = @$case;
        refused($field, $name, graph => $graph, state => $state);
    }
    refused('jobs', 'both forms', graph => [$ok], more => { inputs => [$pic] });
};

subtest 'interactive work is part of a plan' => sub {
    my %order = (inputs => [$pic], actions => ['thumbnail'],
                 more => { priority => 'interactive' });
    my $e = $w->{web}->refused('U0434', $db->as($ann), $w->submit_call(%order),
                               'a plan without it');
    is JSON::PP::decode_json($e->{detail})->{field}, 'priority', 'named';
    $w->{web}->refused('U0434', $db->as($ann), 'select * from api.task_quote(?, ?)',
        Podi::Work::text($w->order(%order)), 'default', 'nor is there a price');
    $db->{ctl}->all(undef, 'select * from sys.plan_put(?)',
                    '{"plan": "standard", "interactive": true}');
    is $w->submit($ann, %order)->{priority}, 'interactive', 'one with it';
};

subtest 'what an order says besides' => sub {
    my ($soon, $late) = map { $db->super->value(undef, 'select'
        . " internal.rfc3339(now() + ? * interval '1 hour')", $_) } 1, 2;
    my $t = $w->submit($ann, inputs => [$pic], actions => ['thumbnail'],
        more => { priority => 'interactive', on_failure => 'stop',
                  start_at => $soon, deadline_at => $late });
    my $job = $w->job($t->{jobs}[0]{job_id});

    is_deeply [@{$t}{qw(priority on_failure round)}], ['interactive', 'stop', 1],
              'is told back';
    is $job->{priority}, 0, 'a job has the priority of its task';
    is_deeply $t->{_hints}, [], 'what starts later is not hinted at';
    is_deeply $w->claim([$job->{job_id}]), [], 'nor can it be claimed';
    is $db->super->value(undef, 'select not_before = ?::timestamptz and start_by'
        . " = not_before + interval '15 min' from podi.job where job_id = ?",
        $soon, $job->{job_id}), 1, 'it waits from its start';
    my $short = $w->submit($ann, inputs => [$pic], actions => ['thumbnail'],
        more => { deadline_at => $db->super->value(undef, 'select'
                  . " internal.rfc3339(now() + interval '1 min')") });
    is $db->super->value(undef, 'select start_by < now() + interval'
        . " '2 min' from podi.job where task_id = ?", $short->{task_id}), 1,
       'and not longer than the deadline';
    my ($row) = grep { $_->{task_id} eq $t->{task_id} } @{ $w->{web}->all(
        $db->as($ann), 'select * from api.task_list(null, 10, null, null, null,'
        . ' null)') };
    is_deeply [@{$row}{qw(priority hold_id)}], ['interactive', $t->{hold_id}],
              'the list shows it';

    my %bad = (
        priority       => [1, 'urgent'],
        on_failure     => ['retry'],
        start_at       => ['2020-01-01T00:00:00Z', 'tomorrow', 5,
                           '2026-13-01T00:00:00Z', '9999-01-01T00:00:00Z',
                           '2027-01-01 00:00:00'],
        deadline_at    => ['2020-01-01T00:00:00Z', 'soon'],
        expected_price => [-1, 'two', 1.5],
        colour         => [1],
    );
    for my $name (sort keys %bad) {
        refused($name, "$name " . Podi::Work::text($_), inputs => [$pic],
                actions => ['thumbnail'], more => { $name => $_ })
            for @{ $bad{$name} };
    }
    refused('deadline_at', 'a deadline before the start', inputs => [$pic],
            actions => ['thumbnail'],
            more => { start_at => $late, deadline_at => $soon });
    refused('actions[0].parms', 'an unknown member of an action',
            inputs => [$pic], actions => [{ action => 'image.thumbnail',
                                            parms => {} }]);
    refused('inputs[0]', 'an input that is no id', inputs => ['x'],
            actions => ['thumbnail']);
};

subtest 'an action of several inputs takes them all' => sub {
    my $t = $w->submit($ann, inputs => [$pic, $pic2],
                       actions => ['thumbnail', { action => 'test.join' }]);

    is_deeply [map { [$_->{action}, $_->{inputs}] } @{ $t->{jobs} }],
              [['image.thumbnail', [$pic]], ['test.join', [$pic, $pic2]],
               ['image.thumbnail', [$pic2]]], 'in one job';
    refused('inputs', 'too few for it', inputs => [$pic],
            actions => [{ action => 'test.join' }]);
};


# a random graph; later jobs need earlier ones, but stand in any order
sub random_graph
{
    my ($n) = @_;
    my @keys = map { "k$_" } 1 .. $n;
    my (@jobs, %needs);

    for my $i (0 .. $#keys) {
        my @from = grep { rand() < 2 / ($i + 1) } @keys[0 .. $i - 1];
        my @after = grep { rand() < 1 / ($i + 1) } @keys[0 .. $i - 1];
        $needs{ $keys[$i] } = { map { $_ => 1 } @from, @after };
        push @jobs, node($keys[$i], 'test.any',
                         inputs => [map { from($_) } @from], after => \@after);
    }
    return ([shuffle @jobs], \%needs);
}


subtest 'random graphs block what must wait' => sub {
    for my $n (1, 2, 5, 17, 64, 64) {
        my ($graph, $needs) = random_graph($n);
        my $t = $w->submit($ann, graph => $graph, expected => $n);
        my $j = by_key($t);
        my @bad = grep { join(' ', sort @{ $j->{$_}{needs} })
                         ne join(' ', sort keys %{ $needs->{$_} })
                         || ($j->{$_}{state} eq 'blocked')
                            != !!%{ $needs->{$_} } } keys %$needs;

        is_deeply \@bad, [], "$n jobs";
        is scalar @{ $t->{_hints} }, scalar(grep { !%{ $needs->{$_} } }
                                            keys %$needs), '... and hints';

        next if $n < 2;
        # a need the other way round makes a ring
        my ($child) = grep { %{ $needs->{ $_->{key} } } } @$graph or next;
        my ($parent) = sort keys %{ $needs->{ $child->{key} } };
        my ($p) = grep { $_->{key} eq $parent } @$graph;
        push @{ $p->{after} }, $child->{key};
        $w->{web}->refused('U0422', $db->as($ann),
                           $w->submit_call(graph => $graph), '... not a ring');
    }
};

# what becomes of a graph when some of its jobs do not succeed: a model
sub fate
{
    my ($needs, $end, $order) = @_;
    my %fate;

    for my $key (@$order) {
        my %of = map { $fate{$_} => 1 } keys %{ $needs->{$key} };
        $fate{$key} = $of{failed} ? 'failed' : $of{cancelled} ? 'cancelled'
                    : $end->{$key};
    }
    return \%fate;
}


subtest 'random graphs run to their ends' => sub {
    for my $n (3, 9, 30, 64) {
        my ($graph, $needs) = random_graph($n);
        my %end = map { $_->{key} => rand() < 0.15 ? 'failed' : 'succeeded' }
                  @$graph;
        my $before = $w->wallet($ann);
        my $t = $w->submit($ann, graph => $graph);
        my $fate = fate($needs, \%end, [map { "k$_" } 1 .. $n]);
        my (%made, @wrong);

        while (my @held = @{ $w->claim([map { $_->{job_id} }
                                        @{ $t->{jobs} }]) }) {
            for my $job (shuffle @held) {
                my $key = $w->job($job->{job_id})->{key};
                my ($node) = grep { $_->{key} eq $key } @$graph;
                my @given = map { $_->{media_id} } @{ $job->{inputs} };
                push @wrong, $key if "@given"
                    ne join ' ', map { $made{ $_->{job} } } @{ $node->{inputs} };
                my $result = $w->result;
                $made{$key} = $result->{media_id};
                $w->settle($job, $end{$key}, $end{$key} eq 'succeeded'
                           ? (results => [$result]) : ());
            }
        }

        my $read = $w->read_task($ann, $t->{task_id});
        my $ok = grep { $_ eq 'succeeded' } values %$fate;
        is_deeply { map { $_->{key} => $_->{state} } @{ $read->{jobs} } }, $fate,
                  "$n jobs, $ok succeed, as the model says";
        is_deeply \@wrong, [], '... each was given what it needs';
        is_deeply [@{$read}{qw(jobs_open charged)}], [0, $ok], '... and charged';
        is_deeply $w->wallet($ann), [$before->[0] - $ok, $before->[1]], '... the hold is exhausted';

        next if $ok == $n;
        my $r = Podi::Work::decode($w->{web}->one($db->as($ann),
            'select * from api.task_retry(?, null, null)', $t->{task_id}))->[0];
        is_deeply [sort map { $_->{key} } grep { $_->{state} ne 'succeeded' }
                   @{ $r->{jobs} }],
                  [sort grep { $fate->{$_} ne 'succeeded' } keys %$fate],
                  '... what did not succeed goes on';
        while (my @held = @{ $w->claim([map { $_->{job_id} }
                                        @{ $t->{jobs} }]) }) {
            $w->settle($_, 'succeeded', results => [$w->result]) for @held;
        }
        is_deeply [@{ $w->read_task($ann, $t->{task_id}) }{qw(state charged)}],
                  ['succeeded', $n], '... to the end';
    }
};

subtest 'a task that stops at a failure' => sub {
    my $t = $w->submit($ann, more => { on_failure => 'stop' }, graph => [
        map { node("k$_", 'test.any') } 1 .. 4]);
    my @j = @{ $w->claim([map { $_->{job_id} } @{ $t->{jobs} }[0, 1]]) };

    $w->settle($j[0], 'failed');
    $w->settle($j[1], 'succeeded', results => [$w->result]);
    my $read = $w->read_task($ann, $t->{task_id});
    is_deeply [map { $_->{state} } @{ $read->{jobs} }],
              [qw(failed succeeded cancelled cancelled)],
              'what had not started is cancelled';
    is $read->{charged}, 1, 'what was delivered is charged';
};

$db->whole;
done_testing;
