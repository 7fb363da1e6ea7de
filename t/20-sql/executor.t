# What carries actions out, and what is left elsewhere: executors of actions,
# where an attempt is (fence, room, adoption), ComfyUI servers and workflows,
# sealed keys.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use Podi::Sql;
use Podi::Work;

my $db = Podi::Sql->new;
my $super = $db->super;
my $w = Podi::Work->new($db);
my $ctl = $db->login('podi_ctl');
my $worker = $w->{worker};
my $ann = $w->person('ann', 1000);
my $pic = $w->media($ann);
my $put = 'select * from sys.action_put(?)';
my $text = \&Podi::Work::text;
my $json = JSON::PP->new->canonical;

my %graph = (
    1 => { class_type => 'LoadImage', inputs => { image => 'x.png' } },
    4 => { class_type => 'CheckpointLoaderSimple',
           inputs => { ckpt_name => 'sdxl/base.safetensors' } },
    3 => { class_type => 'ImageScale',
           inputs => { image => ['1', 0], width => 64, height => 64 } },
    9 => { class_type => 'SaveImage', inputs => { images => ['3', 0] } },
);
my %mapping = (
    params  => { width => [{ node => '3', input => 'width', type => 'integer' }] },
    inputs  => [{ node => '1', input => 'image' }],
    outputs => [{ node => '9' }],
    strip   => JSON::PP::true,
);
my %nodes = (
    LoadImage  => { required => ['image'], optional => [] },
    ImageScale => { required => { image => 'IMAGE', width => 'INT',
                                  height => 'INT' } },
    SaveImage  => { required => ['images'] },
    CheckpointLoaderSimple => { required => ['ckpt_name'] },
);


sub field
{
    my ($error) = @_;

    return $json->decode($error->{detail} // '{}')->{field};
}


# refused with U0422, for this field
sub bad
{
    my ($path, $sql, @bind) = @_;
    my $name = pop @bind;

    return is field($ctl->refused('U0422', undef, $sql, @bind, $name)), $path,
           "... at $path";
}


sub workflow { return { workflow => 'scale', graph => \%graph,
                        mapping => \%mapping, @_ } }


sub publish
{
    return ('select * from sys.comfy_workflow_publish(?, ?)', @_);
}


sub seen
{
    return $worker->value(undef, 'select sys.comfy_seen_put(?)', $text->({ @_ }));
}


# a job of the action comfy.scale, claimed
sub held
{
    my ($who) = @_;
    my $t = $w->submit($ann, inputs => [$pic],
                       actions => [Podi::Work::action('comfy.scale')]);

    return $w->claim_task($t, worker => $who // 'r1')->[0];
}


sub remote
{
    my ($job, $state, %o) = @_;
    my $row = $worker->one(undef,
        'select * from sys.attempt_remote(?, ?, ?, ?, ?, ?, ?)', $job->{job_id},
        $o{fence} // $job->{fence}, $state, $o{provider} // 'comfy:one',
        $o{ref}, $text->($o{remote} // { server => 'one' }), $o{slots});

    return $row->{ok} ? 'ok' : $row->{reason};
}


sub executor
{
    my ($job, $fence) = @_;
    my $row = $worker->one(undef, 'select * from sys.job_executor(?, ?)',
                           $job->{job_id}, $fence // $job->{fence}) or return;

    $row->{$_} = defined $row->{$_} ? $json->decode($row->{$_}) : undef
        for qw(executor workflow adopt tried);
    return $row;
}


sub states
{
    my ($job) = @_;

    return join ' ', map { $_->{s} // '-' } @{ $super->all(undef,
        'select remote_state as s from podi.attempt where job_id = ?'
        . ' order by fence', $job->{job_id}) };
}


# whoever held it is gone; somebody else claims it
sub lost
{
    my ($job, $who) = @_;

    $w->bend($job->{job_id}, "lease_until = now() - interval '1 s'");
    $w->sys('job_sweep(10)');
    return $w->claim([ $job->{job_id} ], worker => $who)->[0];
}


subtest 'an executor has a form' => sub {
    my %bad = (
        'executor'            => [[], 'comfy', 3],
        'executor.kind'       => [{}, { kind => 'shell' }, { kind => 7 },
                                  { kind => ['comfy'] },
                                  { kind => 'mock', mock => 'ok' }],
        'executor.workflow'   => [{ kind => 'comfy' },
                                  { kind => 'comfy', workflow => 'A b' },
                                  { kind => 'comfy', workflow => 3 },
                                  { kind => 'comfy', workflow => 'none' }],
        'executor.labels'     => [map { { kind => 'comfy', workflow => 'x',
                                          labels => $_ } }
                                  [], 'gpu', {}, undef, [3], ['A'], ['a b'],
                                  [('gpu') x 17], ['gpu', ['eu']]],
        'executor.url'        => [{ kind => 'builtin', url => 'x' },
                                  { kind => 'comfy', workflow => 'x', url => 1 }],
        'executor.mock'       => [{ kind => 'mock', mock => 'maybe' }],
        'executor.provider'   => [{ kind => 'provider', operation => 'x' }],
        'executor.operation'  => [{ kind => 'provider', provider => 'fal' }],
        'executor.set'        => [{ kind => 'provider', provider => 'fal',
                                    operation => 'x', set => [] }],
        'executor.fallback'   => [{ kind => 'provider', provider => 'fal',
                                    operation => 'x', fallback => {} }],
        'executor.fallback[0].when' => [map { { kind => 'provider',
            operation => 'x', provider => 'fal', fallback => [{
            provider => 'ark', operation => 'x', when => $_ }] } }
            [], 'quota', ['content'], ['unknown'], [1], ['quota', 'quot'],
            [('quota') x 7], JSON::PP::null],
        'executor.fallback[0].wait' => [map { { kind => 'provider',
            operation => 'x', provider => 'fal', fallback => [{
            wait => $_ }] } } 0, -1, 1.5, 100_000, '60'],
        'executor.fallback[0].set' => [{ kind => 'provider', operation => 'x',
            provider => 'fal', fallback => [{ provider => 'ark',
            operation => 'x', set => [] }] }],
        'executor.fallback[0]' => [map { { kind => 'provider',
            operation => 'x', provider => 'fal', fallback => [$_] } }
            { wait => 5, provider => 'ark', operation => 'x' },
            { wait => 5, set => {} }, { when => ['quota'] }, 7],
        'executor.fallback[1]' => [map { { kind => 'provider', operation => 'x',
            provider => 'fal', fallback => [{ provider => 'ark',
                                              operation => 'y' }, $_] } }
            {}, 3, { provider => 'ark', operation => 'y', steps => 1 }],
    );
    for my $path (sort keys %bad) {
        bad $path, $put, $text->({ action => 'image.resize', executor => $_ }),
            'refused: ' . $text->($_) for @{ $bad{$path} };
    }

    my $good = { kind => 'provider', provider => 'fal', operation => 'x',
                 set => { steps => 4 },
                 fallback => [{ provider => 'ark', operation => 'y',
                                set => { scale => 2 },
                                when => ['throttled', 'invalid'] },
                              { wait => 60 },
                              { wait => 99_999, when => ['quota'] }] };
    ok $ctl->one(undef, $put, $text->({ action => 'image.convert',
                                        executor => $good })), 'a provider';
    is_deeply $json->decode($super->value(undef, 'select executor from podi.action'
              . q{ where action = 'image.convert'})), $good, 'is kept whole';
    is $super->value(undef, q{select executor ->> 'kind' from podi.action}
                     . q{ where action = 'image.resize'}), 'builtin',
       'what nobody changed is ours';
};

subtest 'mocks are for a sandbox' => sub {
    my $mock = $text->({ action => 'image.thumbnail',
                         executor => { kind => 'mock', mock => 'slow' } });

    bad 'executor.kind', $put, $mock, 'not here';
    $db->login($_)->refused('42501', undef,
        q{update podi.setting set value = 'true'}, "$_ may not make it one")
        for qw(podi_web podi_worker podi_ctl);
    $super->run(q{update podi.setting set value = 'true'});
    ok $ctl->one(undef, $put, $mock), 'there it may be';
    $super->run(q{update podi.setting set value = 'false'});
    $ctl->one(undef, $put, $text->({ action => 'image.thumbnail',
                                     executor => { kind => 'builtin' } }));
};

subtest 'servers' => sub {
    my $sql = 'select * from sys.comfy_server_put(?)';
    my %one = (server => 'one', url => 'http://10.0.0.7:8188');
    my %bad = (
        'server'      => [{ url => 'http://a' }, { %one, server => 'A' }],
        'url'         => [{ server => 'one' }, map { { %one, url => $_ } }
                          'ftp://a', 'http://u:p@a', 'http://a?x=1', "http://a\n"],
        'ws_url'      => [{ %one, ws_url => 'http://a/ws' }],
        'slots'       => [map { { %one, slots => $_ } } 0, undef, 1.5, '2', 1e12],
        'prefetch'    => [{ %one, prefetch => -1 }],
        'state'       => [{ %one, state => 'broken' }],
        'labels'      => [map { { %one, labels => $_ } } ['a b'], [1], [['a']],
                          'a'],
        'single_tenant' => [{ %one, single_tenant => 1 }],
        'ca_file'     => [{ %one, ca_file => 'ca.pem' }],
        'colour'      => [{ %one, colour => 1 }],
        'auth'        => [{ %one, auth => { token => 'x' } },
                          { %one, auth => ['x'] }],
        'auth.headers.Host'          => [{ %one, auth => { headers => { Host => 'k' } } }],
        'auth.headers.Authorization' => [{ %one, auth => { headers =>
                                           { Authorization => 'farm' } } }],
    );
    for my $path (sort keys %bad) {
        bad $path, $sql, $text->($_), 'refused: ' . $text->($_)
            for @{ $bad{$path} };
    }

    ok $ctl->one(undef, $sql, $text->(\%one))->{is_new}, 'one is put';
    my $at = 'select internal.rfc3339(updated_at) from podi.comfy_server';
    my $first = $super->value(undef, $at);
    ok !$ctl->one(undef, $sql, $text->(\%one))->{is_new}, 'again';
    is $super->value(undef, $at), $first, 'changes nothing';
    ok !$ctl->one(undef, $sql, $text->({ server => 'one', prefetch => 2,
                                         labels => ['gpu'] }))->{is_new},
       'and changed';
    isnt $super->value(undef, $at), $first, 'which is to be seen';
    $ctl->refused('U0409', undef, $sql, $text->({ server => 'one', slots => 2,
        updated_at => $_ }), "refused when it is not as it was at $_")
        for $first, 'never';
    is_deeply [map { $json->decode($_->{detail}) } @{ $super->all(undef,
                  'select detail from podi.operator_audit order by audit_id') }],
              [\%one, { server => 'one', prefetch => 2, labels => ['gpu'] }],
              'what changed something is written down';
    my $row = $worker->one(undef, 'select * from sys.comfy_servers()');
    is_deeply [@{$row}{qw(server url slots prefetch state seen keys)}],
              ['one', $one{url}, 1, 2, 'active', undef, '[]'], 'as it is now';

    ok !seen(server => 'two', ok => 1), 'what is not there is not seen';
    ok seen(server => 'one', ok => JSON::PP::true, queue_remaining => 3,
            nodes => { A => {} }, models => {}), 'the other one is';
    ok seen(server => 'one', fault => 'down'), 'and again';
    $row = $ctl->one(undef, 'select * from sys.comfy_server_list()');
    is_deeply [@{$row}{qw(ok queue_remaining fault jobs labels)}],
              [1, 3, 'down', 0, '["gpu"]'], 'what was not said stays';
    is $super->value(undef, 'select nodes from podi.comfy_seen'), '{"A": {}}',
       'and so do its nodes';
};

subtest 'workflows' => sub {
    my $sql = 'select * from sys.comfy_workflow_put(?)';
    my $with = sub { my ($node, %set) = @_;
                     return workflow(graph => { %graph, $node => { %{ $graph{$node} },
                                                                   %set } }) };
    my $mapped = sub { return workflow(mapping => { %mapping, @_ }) };
    my $width = $mapping{params}{width}[0];
    my %bad = (
        'workflow'     => [workflow(workflow => 'A'), []],
        'colour'       => [workflow(colour => 1)],
        'idle_ms'      => [map { workflow(idle_ms => $_) } 10, 'x', 1500.5, 90_000_000],
        'graph'        => [workflow(graph => {}), workflow(graph => [])],
        'graph.nodes'  => [workflow(graph => { nodes => [], links => [] })],
        'graph.3.class_type' => [$with->(3, class_type => undef)],
        'graph.3.inputs'     => [$with->(3, inputs => [])],
        'graph.9.inputs.images' => [map { $with->(9, inputs => { images => $_ }) }
                                    ['8', 0], ['3'], ['3', 'x'], [1, 2, 3]],
        'mapping'         => [workflow(mapping => [])],
        'mapping.outputs' => [$mapped->(outputs => []), $mapped->(outputs => undef)],
        'mapping.outputs[0]' => [map { $mapped->(outputs => [$_]) }
                                 '9', { node => '8' }, { node => 9, x => 1 }],
        'mapping.extra'   => [$mapped->(extra => 1)],
        'mapping.strip'   => [$mapped->(strip => 'yes')],
        'mapping.params.w-h' => [$mapped->(params => { 'w-h' => [$width] })],
        'mapping.params.width[0]' => [map { $mapped->(params => { width => [$_] }) }
            {}, 3, { %$width, node => '8' }, { %$width, type => 'float' },
            { %$width, input => 'image' }, { node => '3', input => 'width' }],
        'mapping.params.width[1]' => [$mapped->(params => { width => [$width, $width] })],
        'mapping.seed[0]' => [$mapped->(seed => [$width])],
    );
    for my $path (sort keys %bad) {
        bad $path, $sql, $text->($_), 'refused: ' . substr $text->($_), 0, 200
            for @{ $bad{$path} };
    }

    my $row = $ctl->one(undef, $sql, $text->(workflow()));
    is_deeply [@{$row}{qw(version state is_new)}], [1, 'draft', 1], 'a draft';
    ok !$ctl->one(undef, $sql, $text->(workflow()))->{is_new}, 'the same is no other';
    is $ctl->one(undef, $sql, $text->(workflow(idle_ms => 5000)))->{version}, 2,
       'another one is';
    is_deeply $json->decode($super->value(undef, 'select needs from'
                  . ' podi.comfy_workflow where version = 1')),
              { nodes => [sort map { $_->{class_type} } values %graph],
                models => ['sdxl/base.safetensors'] }, 'what it needs is read';
};

subtest 'a workflow goes live where it can run' => sub {
    my %all = (server => 'one', models => { checkpoints => ['sdxl/base.safetensors'] });
    my $but = sub { my %n = %nodes; delete $n{ $_[0] }; return \%n };

    $ctl->refused('U0404', undef, publish('none', undef), 'there is none');
    seen(%all, nodes => $but->('SaveImage'));
    bad 'graph.9.class_type', publish('scale', 1), 'a node is missing';
    seen(%all, nodes => { %nodes, SaveImage => { required => [qw(images prefix)] } });
    bad 'graph.9.inputs.prefix', publish('scale', 1), 'an input is missing';
    seen(%all, nodes => { %nodes, ImageScale => { required => ['image'] } });
    bad 'mapping.params.width[0]', publish('scale', 1), 'nobody reads it';
    for my $models ({ checkpoints => ['other.ckpt'] }, {},
                    { ckpt_name => [], loras => ['sdxl/base.safetensors'] }) {
        seen(%all, nodes => \%nodes, models => $models);
        bad 'graph.4.inputs.ckpt_name', publish('scale', 1), 'a model is missing';
    }
    seen(%all, nodes => \%nodes);
    $ctl->one(undef, 'select * from sys.comfy_server_put(?)',
              $text->({ server => 'one', state => 'draining' }));
    bad 'server', publish('scale', 1), 'nobody takes new work';
    bad 'executor.workflow', $put, $text->({ action => 'image.thumbnail',
        executor => { kind => 'comfy', workflow => 'scale' } }),
        'a draft is for nobody';
    ok $ctl->one(undef, $put, $text->({ action => 'image.thumbnail',
           state => 'disabled', executor => { kind => 'comfy',
                                              workflow => 'scale' } })),
       'but for an action that is disabled';

    $ctl->one(undef, 'select * from sys.comfy_server_put(?)',
              $text->({ server => 'one', state => 'active' }));
    my $row = $ctl->one(undef, publish('scale', 1));
    is_deeply [@{$row}{qw(version server retired)}], [1, 'one', undef], 'live';
    is $ctl->one(undef, publish('scale', undef))->{retired}, 1, 'the newest, then';
    is $ctl->one(undef, publish('scale', 1))->{retired}, 2, 'and back';
    is_deeply [map { "$_->{version} $_->{state}" } @{ $ctl->all(undef,
                  'select * from sys.comfy_workflow_list()') }],
              ['2 retired', '1 live'], 'one is live';
    is $ctl->one(undef, 'select * from sys.comfy_workflow_show(?, null)',
                 'scale')->{version}, 1, 'which is shown';
    ok $ctl->one(undef, $put, $text->({ action => 'comfy.scale',
           queue => 'comfyui', price => 0, accepts => ['image/jpeg'],
           label => { zh => 'x', en => 'x' }, timeout_ms => 60_000,
           description => { zh => 'x', en => 'x' }, max_wait_ms => 600_000,
           executor => { kind => 'comfy', workflow => 'scale' } })),
       'an action may name it';

    my $wants = sub { $text->({ action => 'comfy.scale', executor => {
        kind => 'comfy', workflow => 'scale', labels => [@_] } }) };

    bad 'executor.labels', $put, $wants->('gpu', 'eu'),
        'no server has both labels';
    ok $ctl->one(undef, $put, $wants->('gpu')), 'one has the first';
    $ctl->one(undef, $put, $text->({ action => 'comfy.scale', executor => {
        kind => 'comfy', workflow => 'scale' } }));
};

subtest 'who comes next knows where it failed' => sub {
    my $a = held('r1');
    is_deeply [@{ executor($a) }{qw(deferrals tried)}], [0, []],
              'nowhere, at first';
    $w->retry($a, 'deferral');
    $w->bend($a->{job_id}, 'not_before = now()');
    my $b = $w->claim([ $a->{job_id} ], worker => 'r1')->[0];
    is_deeply [@{ executor($b) }{qw(deferrals tried)}], [1, []],
              'one that was put off was nowhere';

    remote($b, 'ended', ref => 'p1', remote => { vram => 24 });
    $w->retry($b, 'attempt', code => 'executor_failed');
    $w->bend($a->{job_id}, 'not_before = now()');
    my $c = $w->claim([ $a->{job_id} ], worker => 'r1')->[0];
    is_deeply executor($c)->{tried}, [{ provider => 'comfy:one', vram => 24 }],
              'one that failed was somewhere';

    remote($c, 'submitted', ref => 'p2');
    my $d = lost($c, 'r2');
    is scalar(@{ executor($d)->{tried} }), 1,
       'that a holder died says nothing of a server';
    remote($d, 'ended', ref => 'p2');
    $w->settle($d, 'cancelled', code => 'job_cancelled');
};

subtest 'where an attempt is' => sub {
    my $job = held();
    my $x = executor($job);

    is_deeply [$x->{executor}, @{ $x->{workflow} }{qw(name version graph)},
               $x->{adopt}, $x->{keys}],
              [{ kind => 'comfy', workflow => 'scale' }, 'scale', 1, \%graph, [],
               ['comfyui']], 'what to run';
    is remote($job, 'intended', ref => 'p1'), 'ok', 'intended';
    is remote($job, 'intended', ref => 'p1', provider => 'comfy:two'), 'ok',
       'there, rather';
    is remote($job, 'submitted', ref => 'p1'), 'ok', 'submitted';
    is remote($job, 'submitted', ref => 'p1', remote => { epoch => 2 }), 'ok',
       'more is known of it';
    is remote($job, $_, ref => 'p2'), 'open', "no other one, $_"
        for qw(intended submitted ended);
    is remote($job, 'intended', ref => 'p1'), 'open', 'and no way back';
    is remote($job, 'ended', ref => 'p1'), 'ok', 'ended';
    is remote($job, 'intended', ref => 'p2'), 'ok', 'then another one';
    my $row = sub { $super->value(undef, 'select xmin from podi.attempt'
                                  . ' where job_id = ?', $job->{job_id}) };
    my $was = $row->();
    is remote($job, 'intended', ref => 'p2'), 'ok', 'once more';
    is $row->(), $was, '... writes nothing';
    is remote($job, 'intended', ref => 'p2', fence => $job->{fence} - 1), 'stale',
       '... and is his alone';
    is remote($job, 'ended', ref => 'p2', fence => $job->{fence} - 1), 'stale',
       'not for somebody else';
    $w->settle($job, 'succeeded');
    is states($job), 'left', 'what was made is to be removed there';
    is remote($job, 'submitted', ref => 'p2'), 'stale', 'and has no say any more';
    is executor($job), undef, 'it is not his';

    $job = held();
    $worker->refused('U0422', undef,
        'select sys.attempt_remote(?, ?, ?, ?, ?, ?, null)', $job->{job_id},
        $job->{fence}, @$_, 'no such thing: ' . join ' ', map { $_ // '-' } @$_)
        for ['done', 'fal', 'x', '{}'], ['intended', 'Fal', 'x', '{}'],
            ['intended', undef, 'x', '{}'], ['intended', 'fal', 'a b', '{}'],
            ['intended', 'fal', 'x', '[]'], ['intended', 'fal', 'x', undef];
    $w->settle($job, 'failed');
    is states($job), '-', 'who was nowhere is nowhere';
};

subtest 'who comes next adopts' => sub {
    my $a = held('r1');
    remote($a, 'intended', ref => 'p1');
    remote($a, 'submitted', ref => 'p1', remote => { server => 'one', version => 2 });
    my $b = lost($a, 'r2');
    my $x = executor($b);
    is_deeply [map { [@{$_}{qw(fence provider ref remote_state)}] } @{ $x->{adopt} }],
              [[$a->{fence}, 'comfy:one', 'p1', 'submitted']], 'what is out there';
    is $x->{workflow}{version}, 2, 'with the version it was asked by';
    is remote($a, 'ended', ref => 'p1'), 'stale', 'its first holder is out';

    remote($b, 'intended', ref => 'p2');
    my $c = lost($b, 'r3');
    is_deeply [map { $_->{ref} } @{ executor($c)->{adopt} }], ['p2', 'p1'],
              'the newest first';
    is remote($c, 'submitted', ref => 'p1', slots => 0), 'ok',
       'there is always room for what is there';
    is states($c), 'ended intended submitted', 'its place is taken';
    is remote($c, 'ended', ref => 'p1'), 'ok', 'that ends';
    is remote($c, 'ended', ref => 'p2'), 'ok', 'the other as well';
    is states($c), 'ended ended ended', 'nothing is left';
    is_deeply executor($c)->{adopt}, [], 'to be adopted';
    remote($c, 'submitted', ref => 'p3');
    $w->retry($c, 'return');
    is states($c), 'ended ended submitted', 'who stops leaves it to the next';
    my $d = $w->claim([ $c->{job_id} ], worker => 'r4')->[0];
    is executor($d)->{adopt}[0]{ref}, 'p3', 'who finds it';
    is remote($d, 'ended', ref => 'p3'), 'ok', 'and ends it';
    $w->settle($d, 'cancelled', code => 'job_cancelled');
};

subtest 'what nobody waits for' => sub {
    my $left = sub { $worker->all(undef, 'select * from sys.remote_left(?, 10, ?)',
                                  'comfyui', $_[0] // 0) };
    my $end = sub { $worker->value(undef, 'select sys.remote_end(?, ?)',
                                   $_[0]{job_id}, $_[0]{fence}) };
    my $minutes = sub { $super->value(undef, 'select round(extract(epoch from'
                        . ' left_next - clock_timestamp()) / 60)'
                        . ' from podi.attempt where job_id = ? and fence = ?',
                        $_[0]{job_id}, $_[0]{fence}) };
    $end->($_) for @{ $left->() };
    my $a = held();
    remote($a, 'submitted', ref => 'p1', remote => { server => 'one' });
    is_deeply $left->(), [], 'nothing, while it runs';
    ok !$end->($a), 'and it cannot be ended from outside';
    $w->bend($a->{job_id}, "lease_until = now() - interval '1 s'");
    $w->sys('job_sweep(10)');
    is_deeply $left->(), [], 'nothing, while it waits';
    ok !$end->($a), 'or be ended';
    $w->cancel($ann, $w->job($a->{job_id})->{task_id});
    is $w->job($a->{job_id})->{state}, 'cancelled', 'it is cancelled';
    is_deeply [map { [@{$_}{qw(job_id fence provider ref remote_state)}] } @{ $left->() }],
              [[$a->{job_id}, $a->{fence}, 'comfy:one', 'p1', 'submitted']],
              'somebody has to say so there';
    is states($a), 'left', 'and nobody takes it over any more';
    is scalar(@{ $left->(60_000) }), 1, 'he is told again';
    is_deeply $left->(), [], 'but not at once, when he asks for time';
    is $minutes->($a), 2, 'which doubles';
    ok $end->($a), 'it is done';
    ok !$end->($a), 'once';
    is_deeply $left->(), [], 'nothing is left';

    my $b = held();
    remote($b, 'submitted', ref => 'p2');
    is remote($b, 'left', ref => 'p2'), 'ok', 'what its holder does not wait for';
    is_deeply $left->(), [], 'is his, while he has the job';
    is remote($b, 'intended', ref => 'p3'), 'open', 'and not forgotten';
    my $c = lost($b, 'r2');
    is_deeply [map { $_->{ref} } @{ $left->() }], ['p2'], 'is somebody\'s then';
    is scalar(@{ $left->(400_000) }), 1, 'he may ask for much time';
    is $minutes->($b), 10, 'but for no more than ten minutes twice';
    is_deeply executor($c)->{adopt}, [], 'though not of who comes next';
    ok $end->($b), 'it is done before the job ends';
    remote($c, 'submitted', ref => 'p4');
    $w->settle($c, 'cancelled', code => 'job_cancelled');
    is states($c), 'ended left', 'cancelled, and not seen to its end';

    for my $want (['comfy:one', 'left'], ['replicate', 'ended']) {
        my $d = held();
        remote($d, 'submitted', ref => 'p5', provider => $want->[0]);
        $w->settle($d, 'succeeded');
        is states($d), $want->[1], "what succeeded at $want->[0]";
    }
    $end->($_) for @{ $left->() };
};

subtest 'a server has so much room' => sub {
    my @job = map { held() } 1 .. 3;

    is remote($job[0], 'intended', ref => 'a', slots => 2), 'ok', 'one';
    is remote($job[1], 'intended', ref => 'b', slots => 2), 'ok', 'two';
    is remote($job[2], 'intended', ref => 'c', slots => 2), 'full', 'not three';
    is states($job[2]), '-', 'and nothing is written';
    is remote($job[1], 'submitted', ref => 'b', slots => 2), 'ok',
       'who is in stays in';
    is remote($job[0], 'ended', ref => 'a', slots => 2), 'ok', 'one leaves';
    is remote($job[2], 'intended', ref => 'c', slots => 2), 'ok', 'one comes';
    is $ctl->one(undef, 'select * from sys.comfy_server_list()')->{jobs}, 2,
       'the operator sees it';
    is remote($job[0], 'intended', ref => 'd', slots => 9,
              provider => 'comfy:two'), 'gone', 'there is no such server';

    my $sql = 'select * from sys.comfy_server_remove(?)';
    $ctl->refused('U0409', undef, $sql, 'one', 'one that works stays');
    $ctl->one(undef, 'select * from sys.comfy_server_put(?)',
              $text->({ server => 'one', state => 'disabled' }));
    is remote($job[0], 'intended', ref => 'd', slots => 9), 'gone',
       'a disabled one takes nothing new';
    $ctl->refused('U0409', undef, $sql, 'one', 'one that has work stays');
    $w->settle($_, 'failed') for @job;
    $ctl->refused('U0409', undef, $sql, 'one', 'or had some, until it is over');
    $worker->all(undef, q{select sys.remote_end(job_id, fence)
                          from sys.remote_left('comfyui', 99, 0)});
    is $ctl->one(undef, $sql, 'one')->{server}, 'one', 'else it goes';
    is $super->value(undef, 'select count(*) from podi.comfy_seen'), 0,
       'and what was seen of it';
    $ctl->refused('U0404', undef, $sql, 'one', 'once');
};

subtest 'two do not take the same room' => sub {
    $ctl->one(undef, 'select * from sys.comfy_server_put(?)',
              $text->({ server => 'one', url => 'http://a' }));
    my @job = map { held() } 1 .. 2;
    my $other = $db->login('podi_worker');
    my $call = "select * from sys.attempt_remote(?, ?, 'intended', 'comfy:one',"
               . " ?, '{}', 1)";

    $worker->dbh->begin_work;
    ok $worker->dbh->selectrow_hashref($call, undef, $job[0]{job_id},
                                       $job[0]{fence}, 'a')->{ok},
       'one is in, and has not committed';
    $other->send($w->literal($call, $job[1]{job_id}, $job[1]{fence}, 'b'));
    $other->wait_blocked($super);
    $worker->dbh->commit;
    is $other->wait->[0]{reason}, 'full', 'the other waits, and is told';
    $w->settle($_, 'failed') for @job;
};

subtest 'keys' => sub {
    my $sql = 'select * from sys.provider_key_add(?, ?, ?, ?, ?)';
    my $sealed = 'n' x 12 . 'secret' . 't' x 16;
    my $id = $db->uuid;

    $ctl->one(undef, $sql, $id, 'comfyui', 'farm', '01234567', \$sealed);
    $ctl->refused('U0409', undef, $sql, $db->uuid, 'comfyui', 'farm', '01234567',
                  \$sealed, 'one of a name at a time');
    $ctl->refused('23514', undef, $sql, $db->uuid, 'comfyui', 'x', '01234567',
                  \'short', 'what is too short is no seal');
    my $row = $ctl->one(undef, 'select * from sys.provider_key_list()');
    is_deeply [@{$row}{qw(provider name state kek key_id)}],
              ['comfyui', 'farm', 'active', '01234567', $id], 'listed';
    ok !grep({ defined && /secret|736563/ } values %$row), 'without what it is';
    is $worker->one(undef, 'select * from sys.provider_keys(?)', 'comfyui')->{sealed},
       unpack('H*', $sealed), 'a worker gets it, sealed';
    $ctl->one(undef, 'select * from sys.comfy_server_put(?)', $text->({
        server => 'one', auth => { headers => { Authorization => 'farm' } } }));
    is $json->decode($worker->one(undef, 'select * from sys.comfy_servers()')
                     ->{keys})->[0]{key_id}, $id, 'and with its server';

    my $row_at = sub { $super->value(undef, q{select string_agg(server || ' '
        || updated_at, ',' order by server) from podi.comfy_server
        where (auth -> 'headers' ->> 'Authorization' = 'farm') = ?}, $_[0]) };
    my ($asked, $others) = map { $row_at->($_) } 'true', 'false';
    my $off = 'select * from sys.provider_key_disable(?, ?)';
    is $ctl->one(undef, $off, 'comfyui', 'farm')->{state}, 'disabled', 'disabled';
    $ctl->refused('U0404', undef, $off, 'comfyui', 'farm', 'once');
    is_deeply $worker->all(undef, 'select * from sys.provider_keys(?)', 'comfyui'),
              [], 'nobody gets it any more';
    is $worker->one(undef, 'select * from sys.comfy_servers()')->{keys}, '[]',
       'with a server, either';
    isnt $row_at->('true'), $asked, 'and who knows the server reads it anew';
    is $row_at->('false'), $others, 'no other one';
    ok $ctl->one(undef, $sql, $db->uuid, 'comfyui', 'farm', '01234567', \$sealed),
       'the next of its name';
    is_deeply [map { "$_->{verb} $_->{name}" } @{ $super->all(undef,
                  q{select verb, detail ->> 'name' as name from}
                  . ' podi.operator_audit'
                  . q{ where verb like 'provider_key.%' order by audit_id}) }],
              ['provider_key.add farm', 'provider_key.disable farm',
               'provider_key.add farm'], 'all of it is written down';
};

subtest 'nothing is too odd to be refused' => sub {
    my @odd = (undef, JSON::PP::true, 3, 'x', [], [1], [[1]], [undef], {},
               { a => 1 }, { a => [1] }, { node => {} }, { a => { b => undef } });
    my @many = (@odd, (map { my $o = $_; map { +{ $_ => $o } }
                             qw(1 params inputs outputs seed nodes kind provider) }
                       @odd),
                (map { +{ 1 => { class_type => 'A', inputs => $_ } } } @odd),
                (map { +{ outputs => [{ node => '1' }], params => $_ } } @odd),
                (map { +{ outputs => [{ node => '1' }], seed => [$_] } } @odd),
                (map { +{ outputs => [$_] } } @odd),
                (map { +{ kind => 'provider', provider => 'a', operation => 'b',
                          fallback => [$_], set => {} } } @odd));

    # by their faults, or none; what is raised would fail
    is $super->value(undef, 'select count(*) from jsonb_array_elements(?) a (v),'
        . ' lateral (select concat(internal.comfy_graph_fault(a.v),'
        . ' internal.comfy_mapping_fault(?, a.v), internal.executor_fault(a.v)))'
        . ' f (said) where f.said is not null',
        $text->(\@many), $text->({ 1 => { class_type => 'A', inputs => {} } })),
       scalar @many, @many . ' of them';
    for my $sql ($put, map { "select * from sys.$_(?)" }
                 qw(comfy_server_put comfy_workflow_put)) {
        for my $odd (grep { ref } @odd) {
            my $said = eval { $ctl->all(undef, $sql, $text->($odd)); 1 }
                       ? 'taken' : $@->{state};
            like $said, qr/^(?:U0422|23502|22023)$/, "$sql: " . $text->($odd);
        }
    }
};

subtest 'jobs of our own pay nothing for it' => sub {
    my $t = $w->submit($ann, inputs => [$pic], actions => ['resize']);
    my $hot = 'select pg_stat_get_xact_tuples_hot_updated(c.oid) as hot,'
              . ' pg_stat_get_xact_tuples_updated(c.oid) as n from pg_class c'
              . q{ where c.oid = 'podi.attempt'::regclass};
    my $job = $w->claim_task($t)->[0];

    $super->run('vacuum podi.attempt');
    $super->dbh->begin_work;
    $super->dbh->do('select * from ' . $w->settle_sql(
        $w->settle_item($job, 'succeeded')));
    is_deeply $super->dbh->selectrow_hashref($hot), { hot => 1, n => 1 },
              'a settle touches no index of attempts';
    $super->dbh->commit;
};

subtest 'who may' => sub {
    my %may = (
        podi_ctl => [map { "select * from sys.$_" } 'comfy_server_put(null)',
            q{comfy_server_remove('x')}, 'comfy_server_list()',
            'comfy_workflow_put(null)', q{comfy_workflow_publish('x', 1)},
            'comfy_workflow_list()', q{comfy_workflow_show('x', 1)},
            q{comfy_apply('{}', false)}, q{tenant_operator('x', true)},
            q{comfy_server_cards('x', null, 1)}, 'job_remote(null)',
            q{comfy_workflow_cards('x', null, 1)},
            q{comfy_server_open('x')}, q{comfy_graph_fits('{}', '{}')},
            'provider_key_list()', q{provider_key_disable('x', 'x')},
            'provider_key_add(null, null, null, null, null)'],
        podi_worker => [map { "select * from sys.$_" } 'comfy_servers()',
            'comfy_seen_put(null)', q{remote_left('x', 1, 1)}, 'remote_end(null, 1)', q{provider_keys('x')},
            'job_executor(null, 1)',
            'attempt_remote(null, 1, null, null, null, null, null)'],
    );
    for my $role (qw(podi_web podi_worker podi_ctl)) {
        for my $owner (grep { $_ ne $role } sort keys %may) {
            $db->login($role)->refused('42501', undef, $_, "$role: $_")
                for @{ $may{$owner} };
        }
    }
};

$db->whole;
done_testing;
