# A page of PODI's own server, in a real browser: signing in, the stream by
# cookie, a task watched to its end; and a stream that is torn loses nothing.

use strict;
use warnings;

use Test::More;
use Podi::Browser;
use Podi::Front;
use Podi::Repo qw( events );

if (my $missing = Podi::Browser::missing()) {
    plan skip_all => "no $missing";
}

my $STREAMS = 3;
my ($s, %page) = Podi::Front::stack(
    http => "podi_event_streams $STREAMS;\npodi_event_drain 1s;\n");
my $b = Podi::Browser->new($s->dir . '/browser')->go($page{home});
my @types = map { $_->{type} } events();


# what the page has counted, and what there is
sub dense
{
    my ($what) = @_;
    my $top = $s->sql('select max(seq) from podi.user_event');

    is_deeply $b->run('await watch.event("hello");
        await watch.until("all", w => w.numbers().at(-1) >= arguments[0]);
        return watch.numbers()', 0 + $top), [ 1 .. $top ], $what;
}


sub grants
{
    my ($ref) = @_;

    $s->grant({ login => 'mei' }, 1, ref => "$ref-$_") for 1 .. 3;
}


subtest 'signing in' => sub {
    my $me = $b->run(<<'JS');
        await must(201, 'POST', '/v1/auth/register', { login: 'mei',
            password: 'correct horse battery', display_name: 'Mei' });
        await signIn('mei', 'correct horse battery');
        return must(200, 'GET', '/v1/me');
JS
    is $me->{login}, 'mei', 'the token says who it is';
    is $b->run('return document.cookie'), '', 'no cookie is seen by scripts';

    my $alone = q{return (await call(...arguments[0], null,
                                     { anonymous: true })).status};
    is $b->run($alone, [qw( GET /v1/me )]), 200, 'the cookie alone may look';
    is $b->run($alone, [qw( POST /v1/events/ticket )]), 401,
        '... and change nothing';
    is $b->run('return refresh()'), 200, 'and a new token is to be had';
};

subtest 'a task, watched' => sub {
    my $hello = $b->run(<<'JS', \@types);
        window.watch = new Watch('/v1/events', arguments[0]);
        return watch.event('hello');
JS
    is $hello->{id}, $hello->{body}{position}, 'the stream opens by cookie';

    my $media = $b->run(<<'JS');
        const photo = await (await fetch('photo.jpg')).blob();
        const media = await upload('photo.jpg', photo);
        return (await watch.event('media.ready',
            e => e.data.media_id === media.media_id)).body.data;
JS
    is "$media->{type} $media->{width}x$media->{height}", join(' ',
        'image/jpeg', "${Podi::Front::WIDTH}x${Podi::Front::HEIGHT}"),
        'a photograph goes to the store, and is ready';

    $s->grant({ login => 'mei' }, 100, ref => 'start');
    my $end = $b->run(<<'JS', $media->{media_id});
        await watch.event('wallet.granted');
        window.task = await must(201, 'POST', '/v1/tasks', {
            inputs: [arguments[0]],
            actions: [{ action: 'image.thumbnail' },
                      { action: 'image.resize', params: { width: 640 } }] });
        return watch.event('task.succeeded', e => e.task_id === task.task_id);
JS
    is $end->{body}{data}{succeeded}, 2, 'a task is watched to its end';

    my %count;
    $count{$_}++ for @{ $b->run('return watch.seen.map(e => e.type)') };
    is join(' ', map { $_ . ' ' . ($count{$_} // 0) } qw( task.queued
        wallet.frozen task.running job.running job.succeeded
        wallet.confirmed )),
        'task.queued 1 wallet.frozen 1 task.running 1 job.running 2'
        . ' job.succeeded 2 wallet.confirmed 2', 'each event by its name';
    dense('... and number');
};

subtest 'a reload' => sub {
    my $opened = $b->run('return watch.opened');

    $s->nginx->reload;
    is $b->run('return (await watch.event("system.drain")).body.reason'),
        'reload', 'the stream is asked to move';
    $b->run('await watch.until("the end", w => w.source.readyState === 0)');
    grants('reload');
    ok $b->run('return watch.until("it is back", w => w.opened > arguments[0])',
               $opened), 'the browser comes back by itself';
    dense('and nothing was missed');
};

subtest 'a crash' => sub {
    my $opened = $b->run('return watch.opened');

    $s->nginx->kill;
    $b->run('await watch.until("the end", w => w.source.readyState === 0)');
    grants('crash');
    $s->nginx->start;
    ok $b->run('return watch.until("it is back", w => w.opened > arguments[0])',
               $opened), 'the browser comes back by itself';
    dense('and nothing was missed');
};

subtest 'too many streams' => sub {
    my $busy = $b->run(<<'JS', \@types, $STREAMS - 1);
        const more = Array.from({ length: arguments[1] },
                                () => new Watch('/v1/events', arguments[0]));
        window.more = more;
        await Promise.all(more.map(w => w.event('hello')));

        const last = new Watch('/v1/events', arguments[0]);
        const busy = await last.event('system.busy');
        await last.until('an error', w => w.broken > 0);
        busy.seen = last.seen.map(e => e.type);
        busy.state = last.source.readyState;
        [last, ...more].forEach(w => w.source.close());
        return busy;
JS
    is $busy->{body}{code}, 'rate_limited', 'one more is told why';
    is "@{ $busy->{seen} }", 'system.busy',
        "by a name that is no EventSource's own";
    is $busy->{state}, 0, 'and the browser will come back, later';
};

subtest 'signing out' => sub {
    my $auth = $b->run(<<'JS');
        const old = token;
        await must(204, 'POST', '/v1/auth/logout');
        const auth = await watch.event('auth');
        await watch.closed();
        const me = await call('GET', '/v1/me', null, { token: old });
        const alone = await call('GET', '/v1/me', null, { anonymous: true });
        return [auth.body.code, me.status, alone.status, await refresh()];
JS
    is_deeply $auth, [ 'token_revoked', 401, 401, 401 ],
        'the stream ends for good, token and cookies are refused';
};

is join(' ', $b->quit), '', 'the browser and all of its processes are gone';
$s->part('podi_imaged')->stop;      # it keeps connections to the store
$s->done;
done_testing;
