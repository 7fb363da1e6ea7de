# A front end that lives elsewhere, in a real browser: what podi_cors_origin
# opens to another origin, what another site has to do without, and that nobody
# else gets in.

use strict;
use warnings;

use Digest::SHA qw( sha256_hex );
use Test::More;
use Podi::Browser;
use Podi::Front;
use Podi::Repo qw( events );

if (my $missing = Podi::Browser::missing()) {
    plan skip_all => "no $missing";
}

my $RACES = 5;
my ($s, %page) = Podi::Front::stack();
my $b = Podi::Browser->new($s->dir . '/browser')->go($page{app});
my @types = map { $_->{type} } events();
my $upright = "${Podi::Front::WIDTH}x${Podi::Front::HEIGHT}";


# what nginx wrote of such requests: their statuses
sub logged
{
    my ($method, $path) = @_;
    my @status;

    open my $in, '<', $s->log_file('podi_access.log') or die "access log: $!";
    while (<$in>) {
        push @status, /"status":(\d+)/
            if /"method":"$method","path":"\Q$path\E/;
    }
    return @status;
}


sub all_of
{
    my %seen = map { $_ => 1 } @_;

    return join ' ', sort keys %seen;
}


subtest 'signing in' => sub {
    my $said = $b->run(<<'JS');
        await must(201, 'POST', '/v1/auth/register', { login: 'mei',
            password: 'correct horse battery', display_name: 'Mei' });
        await signIn('mei', 'correct horse battery');
        return [await call('GET', '/v1/me'), await refresh(),
                await call('GET', '/v1/me', null, { token: 'forged' })];
JS
    is $said->[0]{body}{login}, 'mei', 'the answer may be read';
    like $said->[0]{trace}, qr/^[0-9a-f]{32}$/, 'so may its trace id';
    is $said->[0]{server}, undef, 'but not what is not exposed';
    is $said->[1], 200, 'cookies are kept, and sent';
    is "$said->[2]{status} $said->[2]{body}{trace_id}",
        "400 $said->[2]{trace}", 'a refusal may be read, too: two tokens';
    is all_of(logged(OPTIONS => '/v1/me')), 204, 'the browser asked before';
};

my $media;

subtest 'an upload' => sub {
    $s->grant({ login => 'mei' }, 100, ref => 'start');
    my $said = $b->run(<<'JS', \@types);
        window.watch = new Watch('/v1/events', arguments[0]);
        await watch.event('hello');

        const photo = await (await fetch('photo.jpg')).blob();
        const list = await must(201, 'POST', '/v1/media/uploads', { items: [
            { name: 'photo.jpg', type: photo.type, bytes: photo.size } ] });
        const item = list.items[0];
        const first = await put(item.upload, photo);
        const second = await put(item.upload, photo);
        const media = await must(200, 'POST', '/v1/media/' + item.media_id
                                              + '/complete');
        const event = await watch.event('media.ready',
            e => e.data.media_id === media.media_id);

        return { first: first, second: second, media: event.body.data };
JS
    my $photo = do {
        open my $in, '<:raw', $s->dir . '/front/photo.jpg' or die $!;
        local $/;
        <$in>;
    };
    $media = $said->{media};
    is "$said->{first}{status} $said->{first}{etag}",
        sprintf('200 "%s"', sha256_hex($photo)),
        'the photograph goes to the store, and its digest may be read';
    is $said->{second}{status}, 412, 'a second one does not';
    is "$media->{width}x$media->{height}", $upright, 'it is found ready';
    is all_of(logged(OPTIONS => '/store/')), 204, 'the browser asked before';
};

subtest 'a task and its results' => sub {
    my $said = $b->run(<<'JS', $media->{media_id});
        const task = await must(201, 'POST', '/v1/tasks', {
            inputs: [arguments[0]],
            actions: [{ action: 'image.resize', params: { width: 1200 } },
                      { action: 'image.convert',
                        params: { format: 'webp' } },
                      { action: 'image.thumbnail', params: { size: 320 } }] });
        const end = await watch.event('task.succeeded',
            e => e.task_id === task.task_id);
        const now = await must(200, 'GET', '/v1/tasks/' + task.task_id);
        const results = [];

        for (const result of now.results) {
            const link = await must(200, 'GET', '/v1/media/' + result.media_id
                                                + '/download');
            results.push({ media: result, shown: await picture(link.url),
                           whole: await download(link.url),
                           part: await download(link.url, 'bytes=0-99') });
        }

        const list = await must(200, 'GET', '/v1/media?task_id='
                                            + task.task_id);
        const thumbs = await Promise.all(list.items.map(
            item => picture(item.thumbnail_url)));

        return { charged: end.body.data.charged, results: results,
                 thumbs: thumbs };
JS
    my @results = @{ $said->{results} };

    is $said->{charged}, 4, 'the task succeeds';
    is join(' ', sort map { $_->{shown} } @results), "1200x900 320x240 $upright",
        'each picture is shown, and upright';
    is_deeply [ map { $_->{whole}{sha256} } @results ],
        [ map { $_->{media}{sha256} } @results ], 'each is downloaded whole';
    is all_of(map { "$_->{part}{status} $_->{part}{bytes}" } @results),
        '206 100', '... or in part';
    is_deeply [ map { $_->{part}{range} } @results ],
        [ map { "bytes 0-99/$_->{whole}{bytes}" } @results ],
        '... and the page may read which';
    is all_of(@{ $said->{thumbs} }), '320x240', 'the list has thumbnails';
};

subtest 'two tabs refresh at once' => sub {
    my $first = $b->current;
    my $second = $b->tab;

    $b->go($page{app});
    $b->run(<<'JS', $RACES);
        const channel = new BroadcastChannel('race');
        window.mine = [];
        channel.onmessage = async event => {
            mine.push(await refresh());
            channel.postMessage('done');
        };
JS
    $b->show($first);
    my $mine = $b->run(<<'JS', $RACES);
        const channel = new BroadcastChannel('race');
        const statuses = [];

        for (let i = 0; i < arguments[0]; i++) {
            const other = new Promise(done => channel.onmessage = done);
            channel.postMessage('go');
            statuses.push(await refresh());
            await other;
        }
        return statuses;
JS
    is_deeply $mine, [ (200) x $RACES ], 'the one gets a token each time';
    is $b->run("return (await call('GET', '/v1/me')).status"), 200,
        '... that is good';

    $b->show($second);
    is_deeply $b->run('return mine'), [ (200) x $RACES ], 'the other, too';
    is $b->run("return (await call('GET', '/v1/me')).status"), 200,
        '... that is good';
    is $b->run('return refresh()'), 200, 'nobody was signed out';
    $b->show($first);
};

subtest 'signing out' => sub {
    my $said = $b->run(<<'JS');
        await must(204, 'POST', '/v1/auth/logout');
        const me = await call('GET', '/v1/me');
        const auth = await watch.event('auth');
        await watch.closed();
        return [me.status, me.body.code, auth.body.code, await refresh()];
JS
    is_deeply $said, [ 401, 'token_revoked', 'token_revoked', 401 ],
        'the old token is refused, the stream ends, cookies are gone';
};

for my $site (qw( partner plain )) {
    subtest "another site: $site" => sub {
        $b->go($page{$site});
        my $said = $b->run(<<'JS', \@types);
            await signIn('mei', 'correct horse battery');
            const me = await call('GET', '/v1/me');
            const cookie = new Watch('/v1/events', arguments[0]);
            await cookie.closed();

            const ticket = (await must(201, 'POST',
                                       '/v1/events/ticket')).ticket;
            const path = '/v1/events?ticket=' + ticket;
            const used = window.watch = new Watch(path, arguments[0]);
            const hello = await used.event('hello');
            const again = new Watch(path, arguments[0]);
            await again.closed();

            return { me: me.status, refresh: await refresh(),
                     hello: hello.type, cookie: cookie.seen,
                     again: again.seen };
JS
        is $said->{me}, 200, 'the token is good';
        is $said->{refresh}, 401, 'but no cookie is kept';
        is_deeply $said->{cookie}, [], '... so none opens a stream';
        is $said->{hello}, 'hello', 'a ticket opens one';
        is_deeply $said->{again}, [], '... once';

        $s->grant({ login => 'mei' }, 1, ref => $site);
        is $b->run('return (await watch.event("wallet.granted")).type'),
            'wallet.granted', 'and events come';
    };
}

subtest 'a stranger' => sub {
    my @stranger = (<<'JS', \@types);
        const fails = async (...request) => {
            try { return (await call(...request)).status; }
            catch (error) { return error.name; }
        };
        const stream = new Watch('/v1/events', arguments[0]);
        await stream.closed();
        const blind = await fetch(api + '/v1/auth/login', { method: 'POST',
            mode: 'no-cors', credentials: 'include',
            headers: { 'Content-Type': 'text/plain' },
            body: JSON.stringify({ login: 'mei',
                                   password: 'correct horse battery' }) });

        return [await fails('GET', '/v1/auth/methods'),
                await fails('GET', '/v1/me', null, { anonymous: true }),
                await fails('POST', '/v1/auth/login', { login: 'mei',
                    password: 'correct horse battery' }), stream.seen,
                blind.type];
JS

    # somebody is signed in, and his cookies do go along from the same site
    $b->go($page{app})->run("await signIn('mei', 'correct horse battery')");
    $b->go($page{stranger});
    is_deeply $b->run(@stranger), [ ('TypeError') x 3, [], 'opaque' ],
        'reads nothing, and asks in vain';
    is((logged(OPTIONS => '/v1/auth/login'))[-1], 403, 'the answer was no');
    is((logged(POST => '/v1/auth/login'))[-1], 415,
        'a form of his signs nobody in');
    is $b->go($page{app})->run('return refresh()'), 200,
        'whoever was signed in still is';
};

is join(' ', $b->quit), '', 'the browser and all of its processes are gone';
$s->part('podi_imaged')->stop;      # it keeps connections to the store
$s->done;
done_testing;
