# api.job_explain: why a job is not running.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use Podi::Sql;
use Podi::Work;

my $db = Podi::Sql->new;
my $w = Podi::Work->new($db);
my ($ann, $ben) = map { $w->person($_, 1000) } qw(ann ben);
my $eve = $w->person('eve', 1000, tenant => $db->tenant('umbra'));
$_->{pic} = $w->media($_) for $ann, $ben, $eve;
my $TIME = qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\z/;


sub order
{
    my ($who, @actions) = @_;

    return $w->submit($who, inputs => [$who->{pic}],
                      actions => @actions ? \@actions : ['resize']);
}


sub asked
{
    my ($id, $who) = @_;
    my $row = $w->{web}->one($db->as($who // $ann),
                             'select * from api.job_explain(?)', $id);

    $row->{detail} = JSON::PP::decode_json($row->{detail});
    return $row;
}


sub why
{
    my ($id) = @_;
    my $row = asked($id);

    return [$row->{why}, $row->{detail}];
}


my $t = order($ann);
my $id = $t->{jobs}[0]{job_id};

is asked($id)->{why}, 'no_worker', 'nobody is there';
$w->{worker}->all(undef, q{select sys.worker_beat('d', 'podi_dispatchd', 'h', 1, 0)});
is asked($id)->{why}, 'no_worker', 'a dispatcher is no worker';
$w->{worker}->all(undef, q{select sys.worker_beat('w1', 'podi_imaged', 'h', 1, 0)});
is_deeply why($id), ['behind', { own => 0, others => 'none' }], 'it is the next';
is asked($id)->{expected_start}, undef, 'nothing runs: nobody knows when';

my @before = (order($ann), order($eve), order($eve));
$w->bend($_->{jobs}[0]{job_id}, "not_before = now() - interval '1 minute'")
    for @before;
is_deeply why($id), ['behind', { own => 1, others => 'few' }], 'who is before it';
my ($run) = @{ $w->claim_task($before[0]) };
ok asked($id)->{expected_start}, 'something runs: now it is known';
is_deeply why($id), ['behind', { own => 0, others => 'few' }], 'one less';
my $later = order($ann)->{jobs}[0]{job_id};
is_deeply why($id), ['behind', { own => 0, others => 'few' }], 'not who came later';
$w->bend($later, 'priority = 0');
is_deeply why($id), ['behind', { own => 1, others => 'few' }],
          'but who is of a better class';

$db->{ctl}->all(undef, 'select * from sys.gate_put(?)',
                qq({"scope": "user:$ann->{user}", "slots": 1}));
is_deeply why($id), ['gate_shut', { scope => "user:$ann->{user}", slots => 1,
                                    running => 1 }], 'a gate is shut';
$db->{ctl}->all(undef, 'select * from sys.gate_put(?)',
                qq({"scope": "user:$ann->{user}"}));
$db->{ctl}->all(undef, 'select * from sys.gate_put(?)',
                '{"scope": "queue:image", "slots": 1}');
is_deeply why($id), ['gate_shut', { scope => 'queue:image', slots => 1 }],
          'how full a gate of all is, is not told';
$db->{ctl}->all(undef, 'select * from sys.gate_put(?)',
                '{"scope": "queue:image"}');
my $many = $w->submit($eve, inputs => [$eve->{pic}],
                      actions => [('resize') x 9]);
$w->bend($_->{job_id}, "not_before = now() - interval '1 minute'")
    for @{ $many->{jobs} };
is_deeply why($id), ['behind', { own => 1, others => 'many' }],
          'nor how many others wait';
$w->cancel($eve, $many->{task_id});
$db->{ctl}->all(undef, 'select * from sys.queue_put(?)',
                '{"queue": "image", "state": "paused"}');
is asked($id)->{why}, 'queue_paused', 'the queue is paused';
$db->{ctl}->all(undef, 'select * from sys.queue_put(?)',
                '{"queue": "image", "state": "active"}');

$w->bend($id, "not_before = now() + interval '1 hour'");
is asked($id)->{detail}{reason}, 'start_at', 'it waits for its time';
$w->bend($id, 'not_before = now()');
my ($j) = @{ $w->claim([$id]) };
is asked($id)->{why}, 'running', 'it runs';
is asked($id)->{attempts}, 1, 'for the first time';
$w->retry($j, 'deferral', delay => 60_000, code => 'rate_limited');
is_deeply [@{ asked($id) }{qw(why deferrals)}, asked($id)->{detail}{reason}],
          ['waits_until', 1, 'rate_limited'], 'it was put off, and why';
$w->bend($id, 'not_before = now()');
($j) = @{ $w->claim([$id]) };
$w->cancel($ann, $t->{task_id});
is asked($id)->{why}, 'cancelled', 'it is being stopped';
$w->settle($j, 'cancelled');
is_deeply [asked($id)->{why}, asked($id)->{detail}{error_code}],
          ['finished', 'job_cancelled'], 'it has ended';

my $u = order($ann, qw(resize convert));
my @id = map { $_->{job_id} } @{ $u->{jobs} };
$w->bend($id[1], "state = 'blocked', needs_open = 1");
$db->super->all(undef, 'insert into podi.job_need values (?, ?, ?, 1)',
                $ann->{tenant}, @id[1, 0]);
is_deeply why($id[1]), ['blocked_by', { jobs => [
              { job_id => $id[0], key => undef, state => 'queued' }] }],
          'it needs another';

subtest 'what others carry out' => sub {
    my $text = \&Podi::Work::text;
    my %flow = (workflow => 'scale', mapping => { outputs => [{ node => '9' }] },
                graph => { 9 => { class_type => 'SaveImage', inputs => {} } });
    my %action = (queue => 'comfyui', price => 0, accepts => ['image/jpeg'],
                  label => { map { $_ => 'x' } qw(en zh) },
                  description => { map { $_ => 'x' } qw(en zh) },
                  timeout_ms => 60_000, max_wait_ms => 60_000);
    my $worker = $db->login('podi_worker');
    my $ctl = $db->{ctl};
    my $server = sub { $ctl->one(undef, 'select * from sys.comfy_server_put(?)',
                           $text->({ server => 'one', url => 'http://10.0.0.7', @_ })) };
    my $seen = sub { $worker->one(undef, 'select sys.comfy_seen_put(?)',
                         $text->({ server => 'one', ok => JSON::PP::true, @_ })) };
    my $remote = sub { asked(@_)->{detail}{remote} };
    my $waits = sub { $remote->(@_)->{waits_for} };

    $ctl->one(undef, 'select * from sys.comfy_workflow_put(?)', $text->(\%flow));
    $server->();
    $seen->(nodes => { SaveImage => { required => [] } }, models => {});
    $ctl->one(undef, q{select * from sys.comfy_workflow_publish('scale', 1)});
    $ctl->one(undef, 'select * from sys.action_put(?)', $text->($_))
        for { %action, action => 'comfy.scale', executor =>
                  { kind => 'comfy', workflow => 'scale' } },
            { %action, action => 'third.make', executor =>
                  { kind => 'provider', provider => 'fal', operation => 'x' } };

    my $t = $w->submit($ann, inputs => [$ann->{pic}],
                       actions => [map { Podi::Work::action($_) }
                                   qw(comfy.scale comfy.scale third.make)]);
    my ($one, $two, $third) = map { $_->{job_id} } @{ $t->{jobs} };
    is_deeply $remote->($one), { kind => 'comfyui', name => undef, sent_at => undef,
              waits_for => undef, until => undef }, 'it waits for nothing';

    $seen->(ok => JSON::PP::false, fault => 'http://10.0.0.7: refused');
    is $waits->($one), 'servers_down', 'no server answers';
    $seen->();
    $db->super->all(undef, q{update podi.comfy_seen set at = at - interval '3 minutes'
                    returning 1});
    is $waits->($one), 'servers_down', 'nobody has looked for long';
    $seen->(nodes => {});
    is $waits->($one), 'no_server', 'none has what it needs';
    $seen->(nodes => { SaveImage => { required => [] } });
    $server->(state => 'draining');
    is $waits->($one), 'no_server', 'none takes anything new';
    $server->(state => 'active', prefetch => 0);
    $server->(labels => ['gpu', 'sdxl']);
    $ctl->one(undef, 'select * from sys.action_put(?)', $text->({
        action => 'comfy.scale', executor => { kind => 'comfy', workflow => 'scale',
                                               labels => ['sdxl'] } }));
    is $waits->($one), undef, 'a server has the label';
    $server->(labels => ['gpu']);
    is $waits->($one), 'no_server', 'none has it';
    $server->(labels => ['gpu', 'sdxl']);

    my ($j) = @{ $w->claim([$two]) };
    $worker->one(undef, 'select * from sys.attempt_remote(?, ?, ?, ?, ?, ?, ?)', $two,
                 $j->{fence}, 'submitted', 'comfy:one', 'p1', '{"server": "one"}', 1);
    is $waits->($one), 'servers_full', 'all have enough to do';
    is $remote->($two)->{name}, undef, 'where the other one is, is not told';
    ok $remote->($two)->{sent_at}, 'but since when';
    like asked($two)->{detail}{since}, $TIME, 'and runs since';
    my $told = sub { $w->{web}->one($db->as($ann, 'admin'),
                         'select * from api.job_explain(?)', $two)->{detail} };
    my $is = sub {
        $db->super->all(undef, 'update podi.users set role = ? where user_id = ?',
                        $_[0], $ann->{user});
        $db->super->all(undef, 'update podi.tenant set operator = ?'
                        . ' where tenant_id = ?', $_[1], $ann->{tenant});
    };
    $is->('admin', 'false');
    is JSON::PP::decode_json($told->())->{remote}{name}, undef,
       'nor to the admin of a tenant';
    $is->('admin', 'true');
    is JSON::PP::decode_json($told->())->{remote}{name}, 'one',
       'who runs the installation is told';
    unlike $told->(), qr/10\.0\.0/, 'no address';
    $is->('user', 'false');

    $w->retry($j, 'deferral', delay => 60_000, code => 'unavailable');
    $seen->(ok => JSON::PP::false);
    my $off = $remote->($two);
    is $off->{waits_for}, 'servers_down', 'it was put off';
    ok $off->{until}, 'until then';

    is $waits->($third), undef, 'a third party was not asked yet';
    ($j) = @{ $w->claim([$third]) };
    $w->retry($j, 'deferral', delay => 60_000, code => 'provider_quota');
    $off = asked($third)->{detail};
    is_deeply [$off->{reason}, @{ $off->{remote} }{qw(kind waits_for)}],
              [qw(provider_quota third_party third_party)], 'it wants no more for now';
    is $off->{remote}{until}, $off->{at}, 'until then';
    $w->cancel($ann, $t->{task_id});
    is asked($one)->{detail}{remote}{waits_for}, undef, 'what is over waits for nothing';
    is asked($id)->{detail}{remote}, undef, 'nothing of it with what is done here';
};

$w->{web}->refused('U0404', $db->as($ben), 'select * from api.job_explain(?)',
                   $id, 'another one\'s is not there');
$w->{web}->refused('42501', $db->as($ben), 'select * from sys.job_place(?)', $id,
                   'and nobody asks past the wall');

$db->whole;
done_testing;
