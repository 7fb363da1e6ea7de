# How jobs on ComfyUI servers end: nothing is made twice, nothing goes on that
# nobody wants, and nothing stays on a server that is not ours.

use strict;
use warnings;
use lib 't/lib';

use HTTP::Tiny;
use JSON::PP ();
use Test::More;
use Podi::Comfy;
use Podi::Farm;
use Podi::Proc qw(poll);

# an upload, and two branches that save: one as it is, one as wide as a job says
my %GRAPH = (
    1 => { class_type => 'LoadImage', inputs => { image => 'x.png' } },
    map { ($_ => { class_type => 'ImageScale', inputs => {
                   image => ['1', 0], upscale_method => 'nearest-exact',
                   width => 8, height => 6, crop => 'disabled' } },
           $_ + 1 => { class_type => 'SaveImage', inputs => {
                       images => ["$_", 0], filename_prefix => 'x' } }) } 2, 4
);
my %MAPPING = (
    params  => { width => [{ node => '4', input => 'width',
                             type => 'integer' }] },
    inputs  => [{ node => '1', input => 'image' }],
    outputs => [{ node => '3' }, { node => '5' }],
);

my $farm = Podi::Farm->new;
my ($h, $w, $super, $ann) = @$farm{qw(h w super ann)};
my $fake = Podi::Comfy->start;
my $http = HTTP::Tiny->new(timeout => 20);
my $json = JSON::PP->new;

sub runnerd
{
    return $farm->runnerd(left_every => '100ms', left_wait => '500ms',
                          call_timeout => '1s', @_);
}


# with all its switches as in the beginning but for those
sub switch { return $fake->fake(reset => 1, release => 1, @_) }


sub submit { return $farm->submit('end.scale', @_) }


# of its last attempt
sub last_of
{
    my ($t) = @_;

    return $farm->attempts($t)->[-1] // {};
}


sub states
{
    my ($t) = @_;

    return join ' ', map { $_->{remote_state} // '-' } @{ $farm->attempts($t) };
}


sub reaches
{
    my ($t, $state) = @_;

    return poll(20, sub { (last_of($t)->{remote_state} // '') eq $state });
}


# nothing of it is left anywhere, as far as its rows know
sub is_over
{
    my ($t, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return ok(poll(20, sub { states($t) !~ /intended|submitted|left/ }), $name)
        || diag states($t);
}


# of a prompt, as the server knows it
sub entry
{
    my ($id, $server) = @_;
    my $url = ($server // $fake)->url . "/history/$id";

    return $json->decode($http->get($url)->{content})->{$id};
}


sub busy { return $fake->state->{queue_remaining} }


sub prompts { return map { $_->{body}{prompt_id} }
                     $fake->requests('POST', '/prompt') }


sub ends
{
    my ($t, $state, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is($h->ended($t, 60)->{state}, $state, $name)
        || diag explain $h->job($t), $h->text($farm->{d});
}


# what was left and became that, of every runner there was
sub counted
{
    my ($outcome) = @_;
    my $n = 0;

    for my $path (glob "$h->{dir}/metrics/podi_runnerd-*.prom") {
        open my $in, '<', $path or next;
        /^podi_runner_left_total\{outcome="$outcome"\} (\d+)/ and $n += $1
            while <$in>;
    }
    return $n;
}


sub cancel { return $w->cancel($ann, ($_[0]{task_id}) x 2) }


$farm->server(one => $fake);
$farm->put('comfy_workflow_put', { workflow => 'end', graph => \%GRAPH,
                                   mapping => \%MAPPING, idle_ms => 60_000 });
my $dispatchd = $h->daemon('podi_dispatchd', dispatch => '50ms');
# no beat comes in between that tells of a lease
my $runnerd = runnerd(beat => '30s', lease => '120s');

$farm->seen('one') or die 'no server';
$farm->{ctl}->one(undef, 'select * from sys.comfy_workflow_publish(?, null)',
                  'end');
$farm->action('end.scale', 'end');

subtest 'what is removed there, and when' => sub {
    my $t = submit();

    ends($t, 'succeeded', 'a job is made');
    is_over($t, 'and removed where it was');
    is entry(last_of($t)->{provider_ref}), undef, 'really';
};

subtest 'a runner that dies before its settle' => sub {
    my @before = prompts();

    # only a settle writes there
    $super->dbh->begin_work;
    $super->dbh->do('lock table podi.media in exclusive mode');
    my $t = $w->submit($ann, inputs => [$farm->upload], actions => [
        { action => 'end.scale', params => { width => 9 } }]);
    my $pid;

    ok poll(20, sub { $pid = $super->value(undef, 'select pid from pg_locks'
        . ' where not granted and relation = ?::regclass', 'podi.media') }),
        'when its files are here';
    my $id = last_of($t)->{provider_ref};

    ok entry($id), 'it is in the history there still';
    is states($t), 'submitted', 'and noted so';
    kill 'KILL', $h->child($runnerd);
    $super->value(undef, 'select pg_terminate_backend(?)', $pid);
    $super->dbh->rollback;

    ends($t, 'succeeded', 'the next one finds it there');
    is scalar(prompts()), @before + 1, 'it was sent once';
    is states($t) =~ /^ended (?:left|ended)$/, 1, 'two had it';
    is_over($t, 'and one removed it');
    is entry($id), undef, 'once it was settled';
};

subtest 'an upload that takes longer than the lease' => sub {
    my @before = prompts();

    switch(slow => 1200);
    my $t = submit();

    ok reaches($t, 'intended'), 'a server is chosen';
    my $id = last_of($t)->{provider_ref};

    $w->bend($t->{jobs}[0]{job_id}, "lease_until = now() - interval '1 s'");
    $w->sys('job_sweep(10)');
    switch();
    ends($t, 'succeeded', 'somebody else makes it');
    my @sent = splice @{[prompts()]}, scalar @before;

    is scalar(@sent), 1, 'alone';
    isnt $sent[0], $id, 'who has lost it sends nothing';
    is_over($t, 'and leaves nothing');
};

# nobody is slow here but the machine
$h->stop($runnerd);
$runnerd = runnerd(call_timeout => '10s');

subtest 'ids that are not ours' => sub {
    switch(other_id => { as => 'own-7', times => 1 });
    my $t = submit();

    ends($t, 'succeeded', 'one of the server is followed');
    is last_of($t)->{provider_ref}, 'own-7', 'and noted';
    is scalar(@{ $farm->attempts($t) }), 1, 'at once';
    is_over($t, 'and nothing is left');
    is entry('own-7'), undef, 'under it';

    switch(other_id => { as => 'a/b?', times => 1 }, node_ms => 100);
    $t = submit();
    ends($t, 'succeeded', 'one that is none is done without');
    is scalar(@{ $farm->attempts($t) }), 2, 'by the next attempt';
    is busy(), 0, 'it was stopped';
    is_deeply $json->decode($http->get($fake->url . '/history')->{content}),
        {}, 'and removed' if is_over($t, 'like the other');
    is scalar($h->log($runnerd, 'comfy.other_id')), 2, 'both are told of';
    is scalar($h->log($runnerd, 'server.restarted')), 0,
        'what is stopped is not taken for what was forgotten';
};

subtest 'an id of the server that cannot be noted' => sub {
    my @before = prompts();

    $super->dbh->do($_) for split /\n\n/, <<'SQL';
create function public.unnoted() returns trigger language plpgsql as $$
begin raise exception 'no room'; end $$

create trigger unnoted before update on podi.attempt for each row
when (new.provider_ref like 'own-%') execute function public.unnoted()
SQL
    switch(other_id => { as => 'own-8', times => 1 }, hang => 1);
    my $t = submit();

    ok $h->logged($runnerd, 'comfy.unnoted'), 'it is told of';
    is last_of($t)->{remote_state}, 'intended', 'its row knows nothing';
    $super->dbh->do('alter table podi.attempt disable trigger unnoted');
    ok $h->logged($runnerd, 'comfy.noted'), 'until it can be noted';
    is_deeply [@{ last_of($t) }{qw( provider_ref remote_state )}],
        [qw( own-8 submitted )], 'as it is at last';
    switch();
    ends($t, 'succeeded', 'it was followed all the while');
    is scalar(prompts()), @before + 1, 'and sent once';

    $super->dbh->do('alter table podi.attempt enable trigger unnoted');
    $h->stop($runnerd);
    $runnerd = runnerd(drain_timeout => '100ms');
    switch(other_id => { as => 'own-9', times => 1 }, hang => 1);
    $t = submit();
    ok poll(20, sub { busy() && grep { $_->{msg} =~ /own-9/ }
                          $h->log($runnerd, 'comfy.unnoted') }),
        'another runs';
    $h->stop($runnerd);
    is busy(), 0, 'who stops takes with it what nobody else would find';
    $super->dbh->do($_) for 'drop trigger unnoted on podi.attempt',
        'drop function public.unnoted()';
    switch();
    $runnerd = runnerd();
    ends($t, 'succeeded', 'it is made anew');
    is_over($t, 'and nothing is left');
};

subtest 'a prompt that is taken in part' => sub {
    my $before = $w->wallet($ann);
    my @before = prompts();

    switch(hang => 1, silent => { path => '/queue' });
    my $t = submit(width => 99_999);

    ok reaches($t, 'submitted'), 'half of it would be made';
    kill 'KILL', $h->child($runnerd);
    switch();
    ends($t, 'failed', 'that is no result, whoever has it in the end');
    is $h->job($t)->{error_code}, 'executor_refused', 'it was refused';
    like $h->job($t)->{error_detail}, qr/^node 4 \(ImageScale\): .*bigger/,
        'as was known before';
    is_deeply $w->wallet($ann), $before, 'nobody pays';
    is scalar(prompts()), @before + 1, 'and nothing is sent again';
    is_over($t, 'or left there');
    is busy(), 0, 'or made';
};

subtest 'cancelled, and its server is busy' => sub {
    switch(hang => 1, status => { code => 503, path => '/queue', times => 3 });
    my $t = submit();

    ok reaches($t, 'submitted'), 'it waits there';
    cancel($t);
    ends($t, 'cancelled', 'the job ends');
    is busy(), 0, 'and so has the prompt';
    is states($t), 'ended', 'which is noted';
};

subtest 'cancelled while it runs' => sub {
    switch(node_ms => 300);
    my $t = submit();

    ok poll(20, sub { reaches($t, 'submitted') && busy() }), 'it runs';
    cancel($t);
    ends($t, 'cancelled', 'the job ends');
    is busy(), 0, 'and so has the prompt';
    is entry(last_of($t)->{provider_ref}), undef, 'the history has nothing';
    is states($t), 'ended', 'and nothing is left';
};

subtest 'cancelled while it is on its way' => sub {
    my @before = prompts();

    switch(hang => 1, late => { ms => 700, times => 1 });
    my $t = submit();

    ok poll(20, sub { prompts() > @before }), 'it is sent';
    cancel($t);
    ends($t, 'cancelled', 'the job ends');
    is busy(), 0, 'and so has the prompt, which came later';
    is states($t), 'ended', 'and nothing is left';
};

subtest 'cancelled, and nobody answers' => sub {
    switch(hang => 1);
    my $t = submit();

    ok reaches($t, 'submitted'), 'it waits there';
    $fake->fake(silent => JSON::PP::true);
    cancel($t);
    ends($t, 'cancelled', 'the job ends all the same');
    is states($t), 'left', 'and it is known that its prompt may be there';
    $fake->fake(silent => undef);
    is_over($t, 'which is not forgotten');
    is busy(), 0, 'and ends, too';
};

subtest 'cancelled, and nobody had it' => sub {
    switch(hang => 1);
    my $odd = submit();
    my $t = submit();

    ok reaches($_, 'submitted'), 'it waits there' for $odd, $t;
    kill 'KILL', $h->child($runnerd), $runnerd->{pid};
    poll(20, sub { Podi::Proc::reaped($runnerd->{pid}) });
    $runnerd->{ended} = 1;
    for ($odd, $t) {
        $w->bend($_->{jobs}[0]{job_id}, "lease_until = now() - interval '1 s'");
        cancel($_);
        ends($_, 'cancelled', 'the job ends with its lease');
    }
    is busy(), 2, 'its prompt does not';
    is states($t), 'submitted', 'but is known of';
    my ($id, $params) = @{ $super->one(undef, 'select job_id, params'
        . ' from podi.job where job_id = ?', $odd->{jobs}[0]{job_id}) }
        {qw( job_id params )};

    $super->all(undef, 'update podi.job set params = ? where job_id = ?'
                . ' returning 1', '{"x":' . '[' x 70 . ']' x 70 . '}', $id);
    $runnerd = runnerd();
    is_over($t, 'by who comes next');
    is busy(), 1, 'and ends then';
    ok $h->logged($runnerd, 'left.unread'), 'one that cannot be read is told';
    is states($odd), 'left', 'and kept';
    $super->all(undef, 'update podi.job set params = ? where job_id = ?'
                . ' returning 1', $params, $id);
    is_over($odd, 'until it can be');
    is busy(), 0, 'and ends, too';
};

subtest 'a server that is gone, and comes back' => sub {
    my $two = Podi::Comfy->start;

    switch(hang => 1);
    my $t = submit();

    ok reaches($t, 'submitted'), 'it waits there';
    $farm->server(two => $two);
    $farm->seen('two');
    kill 'STOP', $fake->pid;
    ends($t, 'succeeded', 'another one makes it');
    is_deeply $farm->where($t), ['one', 'two'], 'once the first is gone';
    like states($t), qr/^left /, 'whose prompt is known of';
    kill 'CONT', $fake->pid;
    is_over($t, 'until it is back');
    is busy(), 0, 'and works for nobody';
    is scalar($two->requests('POST', '/prompt')), 1, 'what was made was once';
    $farm->put('comfy_server_put', { server => 'two', state => 'disabled' });
    $two->stop;
};

subtest 'what can never be removed' => sub {
    my $bad = $h->conf('podi_runnerd', follow_away => '10s', stores => 'x',
        follow_poll_max => '5s', work_dir => $farm->{tmp});

    like qx($h->{build}/bin/podi_runnerd -t -c $bad 2>&1), qr/follow_away/,
        'who looks too seldom does not start';
    isnt $?, 0, 'at all';

    $h->stop($runnerd);
    $runnerd = runnerd(left_max => '1s', undo_timeout => '1s');
    switch(hang => 1);
    my $t = submit();

    ok reaches($t, 'submitted'), 'it waits there';
    $fake->fake(silent => JSON::PP::true);
    cancel($t);
    ends($t, 'cancelled', 'the job ends');
    is_over($t, 'it is given up in the end');
    my ($line) = $h->log($runnerd, 'left.given_up');

    like $line->{msg}, qr/^[0-9a-f-]{36} at comfy:one /, 'which is told';
    is $line->{level}, 'warn', 'to the operator';
    ok poll(20, sub { counted('given_up') }), 'and counted';
    switch();
};

$h->stop($runnerd);
$fake->stop;
$h->whole;
done_testing;
