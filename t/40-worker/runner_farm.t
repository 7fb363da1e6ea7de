# podi_runnerd with many ComfyUI servers: which of them gets a job, those that
# are old, locked, hostile, dead or idle, and fifty of them at once.

use strict;
use warnings;
use lib 't/lib';

use List::Util qw(max sum);
use Test::More;
use Podi::Comfy;
use Podi::Farm;
use Podi::Proc qw(open_files poll reaped);

my $farm = Podi::Farm->new;
my ($h, $w, $super) = @$farm{qw(h w super)};
my %fake = map { $_ => Podi::Comfy->start(checkpoints => ['base.ckpt']) }
           qw(a b c k);


# limits that a test can reach, and times that it can wait for
my %SMALL = (result_max => '64k', history_max => '64k', queue_max => '64k',
             results_max => 3, server_shut => '400ms');


# as the test wants it; the others as they were
sub switch
{
    my ($name, %switch) = @_;

    return $fake{$name}->fake(reset => 1, %switch);
}


sub prompts
{
    my ($name) = @_;

    return $fake{$name}->state->{taken};
}


# the job's ending, and where it was
sub goes
{
    my ($t, $state, $where, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is $h->ended($t, 30)->{state}, $state, $name
        or diag explain $h->job($t), $farm->attempts($t);
    is "@{ $farm->where($t) }", $where, "... at $where";
    return;
}


sub fails
{
    my ($code, $name) = @_;
    my $t = $farm->submit('farm.scale');

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    goes($t, 'failed', 'a', $name);
    is $h->job($t)->{error_code}, $code, "... with $code";
    return;
}


$farm->server($_ => $fake{$_}) for qw(a b c);
my $dispatchd = $h->daemon('podi_dispatchd', dispatch => '50ms');
$farm->runnerd(%SMALL);
$farm->seen(qw(a b c)) or die $h->text($farm->{d});
$farm->workflow('scale');
$farm->action('farm.scale', 'scale');

subtest 'more than is taken' => sub {
    $farm->only('a');
    switch('a', entry_bytes => 100_000);
    fails('executor_too_large', 'a history that is too large');
    switch('a', files => 3);
    fails('executor_too_large', 'too many files');
    switch('a', files => 2000);
    fails('executor_too_large', 'more than are read');
    switch('a', view => { as => 'huge', at => 200_000, times => 1 });
    fails('executor_too_large', 'a file that is too large');

    switch('a', queue_bytes => 100_000, node_ms => 100);
    goes($farm->submit('farm.scale'), 'succeeded', 'a',
         'a queue that is too large hides nothing for ever');
    switch('a');
};

subtest 'files that are not what they should be' => sub {
    for my $bad ([{ as => 'html', times => 1 }, 'a page'],
                 [{ as => 'short', times => 1 }, 'half a picture']) {
        switch('a', view => $bad->[0]);
        my $t = $farm->submit('farm.scale');

        is $h->ended($t, 30)->{state}, 'failed', "$bad->[1] is no result";
        is $super->value(undef, 'select error_code from podi.job'
                         . ' where task_id = ?', $t->{task_id}),
            'executor_failed', '... which is not told of the input';
        is $super->value(undef, 'select count(*) from podi.media where task_id'
                         . ' = ?', $t->{task_id}), 0, '... and nothing is kept';
    }
    switch('a', view => { as => 'truncated', times => 1 });
    goes($farm->submit('farm.scale'), 'succeeded', 'a a',
         'a transfer that is cut is no result, either: it is made anew');

    for my $name ({ filename => '../../../etc/passwd' },
                  { filename => "x.png&type=input\r\nX-Evil: 1",
                    subfolder => '/etc' }) {
        switch('a', names => $name);
        is $h->ended($farm->submit('farm.scale'), 30)->{state}, 'failed',
            'a name that leads elsewhere leads nowhere';
    }
    my @odd = grep { $_->{query}{type} ne 'output' || $_->{headers}{'x-evil'} }
              $fake{a}->requests('GET', '/view');

    is_deeply \@odd, [], 'and changes no request';
    switch('a');
};

subtest 'locked servers' => sub {
    is +($farm->key('add', 'front', "Bearer s3cret"))[0], 0, 'a key';
    is +($farm->key('add', 'token', 't0ken&x'))[0], 0, '... and another';
    switch('a', auth => { header => ['Authorization', 'Bearer s3cret'] });
    switch('k', auth => { query => ['token', 't0ken&x'] });
    $farm->server('a', $fake{a}, state => 'active',
                  auth => { headers => { Authorization => 'front' } });
    $farm->server('k', $fake{k}, state => 'active',
                  auth => { query => { token => 'token' } });
    for my $name (qw(a k)) {
        $farm->only($name)->seen($name);
        my $before = $fake{$name}->requests;

        goes($farm->submit('farm.scale'), 'succeeded', $name,
             'a key is sent as the row says');
        my @all = $fake{$name}->requests;

        is_deeply [grep { ($_->{status} // 200) == 401 }
                   @all[$before .. $#all]], [], '... with each request';
    }

    $farm->only('k');
    is +($farm->key('disable', 'token'))[0], 0, 'a key is disabled';
    ok poll(10, sub { ($super->value(undef, 'select fault from podi.comfy_seen'
        . q{ where server = 'k'}) // '') eq 'no key token' }),
        '... which makes the server one that is down';
    my $asked = $fake{k}->requests;
    my $t = $farm->submit('farm.scale');

    ok poll(10, sub { grep { $_->{outcome} eq 'deferred' }
                      @{ $farm->attempts($t) } }), 'its jobs wait';
    is scalar($fake{k}->requests), $asked, '... and nobody asks it';
    switch('k', auth => { query => ['token', 'another'] });
    $farm->key('add', 'token', 'another');
    goes($t, 'succeeded', 'k', 'until there is another key');
    like $h->text($farm->{d}), qr/no key token/, 'the log names the key';
    unlike $h->text($farm->{d}), qr/s3cret|t0ken/, '... and not what it is';

    # k goes on as it is: a token that nobody asked for is a fault
    $farm->server('a', $fake{a}, auth => {});
    switch('a');
};

subtest 'an old server' => sub {
    $farm->only('a');
    switch('a', version => '0.3.40', targeted => 0, foreign_ms => 60_000);
    $farm->server('a', $fake{a}, prefetch => 2);
    $farm->seen('a');
    $fake{a}->fake(foreign => 1);
    my $t = $farm->submit('farm.scale');

    poll(10, sub { $fake{a}->state->{queue_remaining} == 2 });
    $w->cancel($farm->{ann}, $t->{task_id}, $t->{task_id});
    is $h->ended($t, 30)->{state}, 'cancelled', 'one that waits is cancelled';
    ok poll(10, sub { $fake{a}->state->{queue_remaining} == 1 }),
        '... behind that of somebody else, who is not hit';
    is_deeply [grep { $_->{path} eq '/interrupt' } $fake{a}->requests], [],
        '... since nothing is interrupted';

    $fake{a}->fake(foreign => 0, node_ms => 60_000);
    $t = $farm->submit('farm.scale');
    poll(10, sub { $farm->attempts($t)->[0]{remote_state}
                   && $fake{a}->state->{queue_remaining} });
    $w->cancel($farm->{ann}, $t->{task_id}, $t->{task_id});
    is $h->ended($t, 30)->{state}, 'cancelled', 'one that runs is';
    ok poll(20, sub { $fake{a}->requests('POST', '/interrupt') }),
        '... by an interrupt';
    $fake{a}->fake(node_ms => 0, amnesia => 1);
    switch('a');
    $farm->server('a', $fake{a}, prefetch => 1);
};

subtest 'who gets a job' => sub {
    $fake{a}->fake(foreign => 5);
    $farm->server('a', $fake{a});
    $farm->only(qw(a b))->seen(qw(a b));
    goes($farm->submit('farm.scale'), 'succeeded', 'b',
         q{not the one that is busy with other people's}) for 1 .. 3;
    $fake{a}->fake(foreign => 0);

    $farm->workflow('model', models => ['base.ckpt']);
    $farm->action('farm.model', 'model');
    $farm->only('a')->seen('a');
    goes($farm->submit('farm.model'), 'succeeded', 'a', 'models are loaded');
    switch('a', slow => 100);
    $farm->only(qw(a b))->seen(qw(a b));
    goes($farm->submit('farm.model'), 'succeeded', 'a',
         'who has them gets what needs them') for 1, 2;
    goes($farm->submit('farm.scale'), 'succeeded', 'b',
         'for what needs none, the nearer one');
    switch('a');

    $farm->server('c', $fake{c}, state => 'active', labels => ['big', 'eu']);
    $farm->seen('c');
    $farm->action('farm.big', 'scale', labels => ['eu', 'big']);
    goes($farm->submit('farm.big'), 'succeeded', 'c',
         'a label that is wanted') for 1 .. 3;
};

subtest 'another attempt goes elsewhere' => sub {
    # a and c are nearer
    for my $case ([24e9, 'no memory: to one that has more'],
                  [8e9, 'or to another one that has as much']) {
        switch('a', vram => 8e9);
        switch('b', vram => $case->[0], slow => 60);
        switch('c', vram => 8e9);
        $farm->server($_, $fake{$_}) for qw(a b c);
        $farm->only('a')->seen('a');
        $fake{a}->fake(oom => 1, node_ms => 300);
        my $t = $farm->submit('farm.scale');

        poll(10, sub { $fake{a}->state->{queue_remaining} });
        my @open = ('b', $case->[0] > 8e9 ? 'c' : ());

        $farm->server($_, $fake{$_}, state => 'active') for @open;
        $farm->seen(@open);
        goes($t, 'succeeded', 'a b', $case->[1]);
    }

    # b says that it has the node, and does not
    switch($_) for qw(a b c);
    $farm->only('b')->seen('b');
    $fake{b}->fake(missing => ['ImageScale'], slow => 100);
    my $asked = $fake{b}->requests('POST', '/upload');
    my $t = $farm->submit('farm.scale');

    poll(10, sub { $fake{b}->requests('POST', '/upload') > $asked });
    $farm->server('a', $fake{a}, state => 'active');
    $farm->seen('a');
    goes($t, 'succeeded', 'b a', 'what it lacks: to one that has it');
    switch('b');
};

# what the runner says of a server
sub says
{
    my ($event, $name) = @_;

    return grep { $_->{msg} =~ /^$name\b/ } $h->log($farm->{d}, $event);
}


subtest 'a server that is emptied' => sub {
    switch('a', node_ms => 300);
    $farm->only('a')->seen('a');
    my $t = $farm->submit('farm.scale');

    poll(10, sub { $fake{a}->state->{queue_remaining} });
    $farm->server('a', $fake{a}, state => 'draining');
    $farm->server('b', $fake{b}, state => 'active');
    $farm->seen('b');
    goes($farm->submit('farm.scale'), 'succeeded', 'b', 'gets nothing new');
    goes($t, 'succeeded', 'a', 'and ends what it has');
    switch('a');
};

subtest 'a server that forgets what it has' => sub {
    $farm->only('a')->seen('a');
    # it has no socket to close, and prompts are looked at once a minute
    $h->stop($farm->{d});
    switch('a', node_ms => 60_000, ws => 'refused');
    $farm->runnerd(follow_poll => '60s', follow_poll_max => '60s',
                   follow_away => '150s', %SMALL);
    $farm->seen('a');
    my $before = prompts('a');
    my $t = $farm->submit('farm.scale');

    poll(10, sub { ($farm->attempts($t)->[0]{remote_state} // '')
                   eq 'submitted' && $fake{a}->state->{queue_remaining} });
    poll(10, sub { $fake{a}->requests('GET',
                   "/history/" . $farm->attempts($t)->[0]{provider_ref}) });
    my $said = says('server.restarted', 'a');

    $fake{a}->fake(amnesia => 1, node_ms => 0);
    ok poll(10, sub { says('server.restarted', 'a') > $said }),
        'is recognised by that';
    goes($t, 'succeeded', 'a a', 'and its prompt begins anew');
    is prompts('a') - $before, 2, '... once';
    $h->stop($farm->{d});
    $farm->runnerd(%SMALL);
    switch('a');
};

subtest 'very many servers' => sub {
    $farm->only('a');
    $super->value(undef, q{insert into podi.comfy_server (server, url, state,
        auth, labels) select 'm' || i, 'http://127.0.0.1:9', 'disabled', '{}',
        '{}' from generate_series(1, 300) i returning 1});

    # the one that works comes after all of them
    $farm->server('z', $fake{b});
    $farm->only('z');
    $farm->seen('z');
    goes($farm->submit('farm.scale'), 'succeeded', 'z',
         'none is too many to be chosen');
    $farm->only('a');
    $super->value(undef, q{delete from podi.comfy_server where server ~ '^m'
        returning 1});
};

subtest 'a server that answers and does not work' => sub {
    $farm->workflow('idle', idle_ms => 1000);
    $farm->action('farm.idle', 'idle');
    for my $how ([{ hang => 1 }, 'takes prompts and begins none'],
                 [{ stall => { node => '2' }, interrupt_ignored => 1 },
                  'begins one and ends it never']) {
        switch('a');
        $farm->server('a', $fake{a}, state => 'active');
        $farm->only('a')->seen('a');
        goes($farm->submit('farm.idle'), 'succeeded', 'a', 'one that works');
        switch('a', %{ $how->[0] });
        my $t = $farm->submit('farm.idle');

        poll(10, sub { $fake{a}->state->{queue_remaining} });
        my $behind = $farm->submit('farm.idle');

        poll(10, sub { $fake{a}->state->{queue_remaining} == 2 });
        $farm->server('b', $fake{b}, state => 'active');
        $farm->seen('b');
        goes($t, 'succeeded', 'a b', "one that $how->[1] loses it");
        goes($behind, 'succeeded', 'a b', '... with what waits behind it');
        my $before = prompts('a');

        goes($farm->submit('farm.idle'), 'succeeded', 'b',
             '... and gets nothing new');
        is prompts('a'), $before, '... at all';
        $farm->put('comfy_server_put', { server => 'a',
                                         labels => ["l$before"] });
        $farm->seen('a');
        goes($farm->submit('farm.idle'), 'succeeded', 'b',
             '... nor when its row is another');
        $fake{a}->fake(amnesia => 1, ws_drop => 1);
    }
    is says('server.stuck', 'a') + 0, 2, 'the log says so';

    switch('a');
    $farm->only('a');
    $fake{a}->fake(ws_drop => 1);
    goes($farm->submit('farm.idle'), 'succeeded', 'a',
         'once it was away, it gets one');
};

# how long the job was put off, each time
sub waits
{
    my ($t) = @_;

    return $super->value(undef, q{select coalesce(array_agg(w.s order by w.f)
        filter (where w.s is not null), '{}') from (select t.fence as f,
        case when t.outcome = 'deferred' then extract(epoch from
        lead(t.started_at) over (order by t.fence) - t.ended_at) end as s
        from podi.attempt t where t.job_id = ?) w}, $t->{jobs}[0]{job_id});
}


subtest 'a note that PostgreSQL does not take' => sub {
    my $right = 'execute on function sys.comfy_seen_put(jsonb)';
    my $asked = $fake{c}->requests('GET', '/object_info');

    $super->run("revoke $right from podi_worker");
    $super->run(q{update podi.comfy_seen set nodes = null, models = null
                  where server = 'c'});
    $farm->server('c', $fake{c}, state => 'active');
    ok poll(10, sub { $fake{c}->requests('GET', '/object_info') > $asked }),
        'what a server can is asked';

    # the look after the next one begins when that one is over
    my $looks = $fake{c}->requests('GET', '/system_stats');

    poll(10, sub { $fake{c}->requests('GET', '/system_stats') > $looks + 1 });
    $super->run("grant $right to podi_worker");
    ok $farm->seen('c'), 'and noted, later';
};

subtest 'a server that was shut' => sub {
    $farm->only();
    switch('c', status => { code => 503 });
    my $asked = $fake{c}->requests('GET', '/system_stats');

    $farm->server('c', $fake{c}, state => 'active', slots => 2);
    ok poll(20, sub { $fake{c}->requests('GET', '/system_stats')
                      >= $asked + 5 }), 'three bad looks, and it is left alone';
    my @at = map { $_->{ms} } $fake{c}->requests('GET', '/system_stats');

    # half of server_shut at least, and twice as long after the next one
    cmp_ok $at[$asked + 3] - $at[$asked + 2], '>=', 200, '... for a while';
    cmp_ok $at[$asked + 4] - $at[$asked + 3], '>=', 400,
        'one look, and it is left alone for longer';

    switch('c', stall => { node => '2', times => 1 });
    my $before = prompts('c');
    my $fetched = grep { $_->{method} eq 'GET' && $_->{key} =~ m{^t/u/} }
                  $farm->{bucket}->log;
    my @t = map { $farm->submit('farm.scale') } 1 .. 3;

    poll(20, sub { prompts('c') > $before });
    ok poll(10, sub { 2 <= says('comfy.waits', 'all_full') }),
        'then one prompt';
    is prompts('c') - $before, 1, '... and no second one';

    # three quarters of half a second, and each time twice as long
    ok poll(20, sub { 2 < grep { $_->{outcome} eq 'deferred' }
                          map { @{ $farm->attempts($_) } } @t }),
        'the others wait';
    my @early = map { my @gap = @$_; grep { $gap[$_] < .375 * 2 ** $_ }
                      0 .. ($#gap < 3 ? $#gap : 3) } map { waits($_) } @t;

    is_deeply \@early, [], '... longer each time';
    $fake{c}->fake(release => 1);
    goes($_, 'succeeded', 'c', 'that ended, so it gets the others') for @t;
    is scalar(grep { $_->{method} eq 'GET' && $_->{key} =~ m{^t/u/} }
              $farm->{bucket}->log) - $fetched, 3,
        '... and nothing was fetched before there was room';
    is $fake{c}->state->{taken} - $before, 3, '... once each';
};

subtest 'fifty servers' => sub {
    # what they make is a text: that pictures are decoded is tried elsewhere
    my @many = Podi::Comfy->start_many(50, view => { as => 'text' },
                                       node_ms => 20);

    $h->stop($farm->{d});
    $farm->only();
    $farm->server("m$_", $many[$_ - 1], slots => 2) for 1 .. 50;
    $farm->runnerd(concurrency => 300, servers_every => '1s',
                   follow_poll => '200ms', follow_poll_max => '500ms');
    ok $farm->seen(map { "m$_" } 1 .. 50), 'all of them are seen';

    # what is opened once is open from then on
    is $h->ended($farm->submit('farm.scale'), 30)->{state}, 'succeeded',
        'the first job';
    my $child = $h->child($farm->{d});
    my $before = @{ (open_files($child))[1] };

    # all at once
    $farm->put('queue_put', { queue => 'comfyui', state => 'paused' });
    my @t = map { $farm->submit('farm.scale') } 1 .. 300;
    my $ended = 'select count(*) filter (where state = ?) from podi.job'
        . ' where job_id = any (?)';
    my @job = ([map { $_->{jobs}[0]{job_id} } @t]);

    $farm->put('queue_put', { queue => 'comfyui', state => 'active' });
    ok poll(60, sub { $super->value(undef, $ended, 'succeeded', @job) == 300 }),
        'three hundred jobs succeed';
    # the kernel's list is no snapshot: one that goes and one that comes in
    # that moment are both in it
    ok poll(10, sub { 50 * 8 >= Podi::Proc::clients_of([$many[0]{pid}],
                                                       map { $_->{port} } @many)
                    }), 'by no more connections than they may have';
    ok poll(10, sub { $before >= @{ (open_files($child))[1] } }),
        'and no file stays open';

    my @state = map { $_->state } @many;

    is sum(map { $_->{taken} } @state), 301, 'with one prompt each';
    is scalar(grep { !$_->{taken} } @state), 0, 'everywhere';
    cmp_ok max(map { $_->{most} } @state), '<=', 3,
        'never more than run there and wait';

    my $m;

    ok poll(10, sub { $m = $h->metrics($farm->{d}); 301 == sum 0,
        map { $m->{$_} } grep { /^podi_runner_chosen_total/ } keys %$m }),
        'which is told, of each of them';
    for my $name (qw(up ours remaining latency_seconds breaker)) {
        is scalar(grep { /^podi_runner_server_$name\{server="m\d+"\}/ }
                  keys %$m), 50, "... its $name";
    }
    cmp_ok $m->{'podi_runner_deferred_total{why="all_full"}'} // 0, '>', 0,
        '... and how often a job had to wait';
    $many[0]->stop;
};

$h->stop($farm->{d});

subtest 'a key-encryption key that is none' => sub {
    my $dir = "$h->{dir}/credentials";
    my $conf = $h->conf('podi_runnerd', $farm->settings(kek_file => ''));

    mkdir $dir;
    $farm->secret('credentials/podi_kek', 'no key');
    local $ENV{CREDENTIALS_DIRECTORY} = $dir;
    my $pid = Podi::Proc::spawn(log => "$dir/log",
        cmd => ["$h->{build}/bin/podi_runnerd", '-c', $conf]);

    ok poll(10, sub { (Podi::Comfy::Files::slurp("$dir/log") // '')
                      =~ /podi_kek.{0,3} is not 32 bytes/ }),
        'is not as if there were none';
    kill 'TERM', $pid;
    ok poll(20, sub { reaped($pid) }), 'and nobody works without it';
};

$_->stop for @fake{qw(a b c k)};
$h->whole;
done_testing;
