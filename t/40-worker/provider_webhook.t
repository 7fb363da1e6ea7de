# A third party calls: nginx hears it, and the job is looked at now.  The look
# decides, always.
#
# All but one of the third parties here are polled every ten minutes, so
# whatever is seen of their jobs was brought about by a call.

use strict;
use warnings;
use lib 't/lib';

use HTTP::Tiny;
use JSON::PP ();
use Test::More;
use Podi::Proc qw(poll spawn reaped free_port);
use Podi::Provider;
use Podi::ThirdParty;

my $s = Podi::ThirdParty->new;
my $h = $s->{h};
my $fake = $s->{fake};
my $dir = "$h->{dir}/nginx";
my $port = free_port();
my $runnerd;
my %hooks = (webhook_base => "http://127.0.0.1:$port",
             webhook_key_file => "$dir/webhook.key");

my $rarely = sub {
    my ($d) = @_;

    $_->{poll}{schedule} = { first_ms => 600_000, factor => 1,
                             max_ms => 600_000 }
        for grep { $_->{poll} } $d->{common} // (),
                                values %{ $d->{operations} };
};


sub secret_file
{
    my ($name, $text) = @_;
    my $path = Podi::ThirdParty::write_file("$dir/$name", $text);

    chmod 0600, $path;
    return $path;
}


# the stock binary with our module and nothing else: no PostgreSQL
sub start_nginx
{
    my $user = $> == 0 ? 'user root;' : '';
    my $file = Podi::ThirdParty::write_file("$dir/nginx.conf", <<"CONF");
load_module $h->{build}/ngx_http_podi_module.so;
$user
daemon off;
worker_processes 1;
pid $dir/nginx.pid;
error_log $dir/error.log info;
events { worker_connections 64; }
http {
    access_log $dir/access.log;
    client_body_temp_path $dir/body;
    proxy_temp_path $dir/proxy;
    fastcgi_temp_path $dir/fastcgi;
    uwsgi_temp_path $dir/uwsgi;
    scgi_temp_path $dir/scgi;
    podi_zone 1m;
    podi_redis unix:$h->{redis};
    podi_webhook_key_file $dir/webhook.key;
    podi_webhook_provider $h->{dir}/providers/replicate.json secret=$dir/secret;
    podi_webhook_provider $h->{dir}/providers/fal.json jwks=$dir/jwks;
    podi_webhook_provider $h->{dir}/providers/plain.json;
    server {
        listen 127.0.0.1:$port;
        location /v1/providers/ { podi_webhook; }
    }
}
CONF

    my $pid = spawn(log => "$dir/out", cmd => [
        $ENV{PODI_NGINX} // '/usr/sbin/nginx', '-p', "$dir/", '-c', $file,
        '-e', "$dir/error.log" ]);

    poll(20, sub { -s "$dir/nginx.pid" && is_up() }) or die 'no nginx';
    return $pid;
}


sub is_up { return HTTP::Tiny->new->get($hooks{webhook_base})->{status} < 500 }


sub read_file
{
    open my $in, '<', $_[0] or return '';
    local $/;
    return <$in> // '';
}


# a job of theirs, from when they have it; what they call it
sub begun
{
    my ($action) = @_;
    my $t = $s->submit($action);

    poll(20, sub { $s->is_noted($t, 'submitted') })
        or die 'it is not begun: ' . $s->text;
    return ($t, ($s->attempts($t))[-1]{provider_ref});
}


# polls of a job there
sub polls
{
    my ($id) = @_;

    return scalar grep { ($_->{step} // '') eq 'poll'
                         && $_->{path} =~ /\b\Q$id\E\b/ } $fake->log;
}


# calls that the runner has heard about the job
sub heard
{
    my ($t) = @_;

    return grep { $_->{job_id} eq $t->{jobs}[0]{job_id} }
        $h->log($runnerd, 'provider.called');
}


mkdir $dir;
secret_file('webhook.key', "a key of nginx and of the runner\n");
secret_file('secret', "$Podi::Provider::HOOK_SECRET\n");
secret_file('jwks', HTTP::Tiny->new->get(
    $fake->url('/fal/.well-known/jwks.json'))->{content});

$s->describe('replicate', edit => $rarely);
$s->describe('fal', edit => $rarely);
$s->describe('polled', of => 'replicate');
$s->describe('plain', of => 'replicate', edit => sub {
    $rarely->($_[0]);
    $_[0]{webhook}{verify} = { kind => 'path_token' };
    delete $_[0]{webhook}{dedupe_header};
});
$s->key($_) for qw(replicate fal polled plain);
$s->action("scale.$_", provider => $_, operation => 'upscale',
           set => { model => 'a/b' }) for qw(replicate fal polled plain);

my $nginx = start_nginx();
my $dispatchd = $h->daemon('podi_dispatchd', dispatch => '50ms');


subtest 'settings that cannot be' => sub {
    for my $case (
        [ 'a slash', { %hooks, webhook_base => 'https://x/' },
          qr/without a slash/ ],
        [ 'a query', { %hooks, webhook_base => 'https://x?y' }, qr/is no https/ ],
        [ 'no TLS', { %hooks, providers_private => 'off' }, qr/is no https/ ],
        [ 'no key', { webhook_base => 'https://x' },
          qr/needs webhook_key_file/ ])
    {
        my ($what, $own, $like) = @$case;
        my $conf = $h->conf('podi_runnerd', queue => 'http', stores => 'x',
            work_dir => "$h->{dir}/tmp", providers_private => 'on',
            providers_dir => "$h->{dir}/providers", %$own);

        like qx($h->{build}/bin/podi_runnerd -t -c $conf 2>&1), $like, $what;
        isnt $?, 0, 'is no start';
    }
};


subtest 'where nobody may call' => sub {
    my $deaf = $s->runnerd(webhook_key_file => $hooks{webhook_key_file});

    $s->succeeds($s->submit('scale.polled'), 'jobs are polled');
    my ($sent) = $s->asked('submit');

    unlike $sent->{body}, qr/"webhook/, 'and nobody is told to';
    $h->stop($deaf);
};

$runnerd = $s->runnerd(%hooks);


subtest 'a call' => sub {
    my ($t, $id) = begun('scale.replicate');
    my ($sent) = $s->asked('submit');
    my $told = JSON::PP::decode_json($sent->{body});

    like $told->{webhook}, qr{^\Q$hooks{webhook_base}\E/v1/providers/replicate
        /webhook/$t->{jobs}[0]{job_id}\.[0-9a-f-]{36}\.[\w-]{43}$}x,
        'is told where to go';
    is_deeply $told->{webhook_events_filter}, ['completed'], 'and when';

    is_deeply [$fake->webhook($id, 'forged'), $fake->webhook($id, 'old')],
        [401, 401], 'one that is forged, or old, is refused';
    is_deeply [$fake->webhook($id)], [204], 'a good one is heard';
    ok poll(20, sub { polls($id) }), 'and the job looked at';
    is scalar(heard($t)), 1, 'as that one alone was told';

    # it said "succeeded", and was not asked for its word
    is $h->job($t)->{state}, 'running', 'what it says is not believed';

    is_deeply [$fake->webhook($id, 'twice')], [204, 204],
        'the same again is heard';
    ok poll(20, sub { heard($t) == 3 }), 'by the runner, too';
    is scalar(grep { $_->{msg} =~ /once more/ } heard($t)), 2,
        'who knows it again';

    # a look that comes after one of this job would have come
    my ($later, $other) = begun('scale.replicate');

    $fake->webhook($other, 'many');
    ok poll(20, sub { polls($other) > 1 }), 'another job is looked at twice';
    is polls($id), 1, 'this one once';

    for my $job ([ $later, $other ], [ $t, $id ]) {
        $fake->finish($job->[1]);
        is_deeply [$fake->webhook($job->[1], 'other')], [204], 'another call';
        $s->succeeds($job->[0], 'brings about its end');
    }
    is polls($id), 2, 'with one look';
};


subtest 'more calls than there is to see' => sub {
    my ($t, $id) = begun('scale.replicate');

    $s->play('replicate', 'never', step => 'poll', times => 100);
    for my $n (1 .. 20) {
        $fake->webhook($id, 'other');
        poll(20, sub { heard($t) == $n && polls($id) }) or last;
    }
    is scalar(heard($t)), 20, 'are all heard';
    cmp_ok polls($id), '<', 15, 'and most are followed by no look';
    my $seen = polls($id);

    $fake->webhook($id, 'other');
    ok poll(20, sub { polls($id) > $seen }), 'the last is followed by one';
    $h->{work}->cancel($h->{ann}, $t->{task_id}, $t->{task_id});
    ok poll(20, sub { $h->job($t)->{state} eq 'cancelled' }), 'cancelled';
    $s->forget;
};


subtest 'a call that is faster than the answer' => sub {
    $s->play('replicate', 'hasty');
    my ($t, $id) = begun('scale.replicate');

    ok poll(20, sub { polls($id) }), 'is remembered';
    $fake->finish($id);
    $fake->webhook($id, 'many');
    $s->succeeds($t, 'until its end');
};


subtest 'an attempt that was given up' => sub {
    my ($t, $id) = begun('scale.replicate');
    my $next;

    HTTP::Tiny->new->post($fake->url("/replicate/v1/predictions/$id/cancel"),
        { headers => { Authorization => 'Bearer test-key' } });
    $fake->webhook($id, 'many');
    ok poll(20, sub { $s->is_noted($t, 'submitted')
        && ($next = ($s->attempts($t))[-1]{provider_ref}) ne $id }),
        'there is another one';
    my $before = heard($t);

    is $fake->webhook($id, 'many'), 20, 'calls about the old one';
    $fake->finish($next);
    is_deeply [$fake->webhook($next)], [204], 'and one about the new one';
    $s->succeeds($t, 'bring about its end');
    is scalar(heard($t)) - $before, 1, 'which was the work of the last';
};


subtest 'a runner that dies' => sub {
    my ($t, $id) = begun('scale.replicate');
    my $begun = grep { $_->{path} =~ /predictions$/ } $fake->log;

    kill 'KILL', $h->child($runnerd);
    ok poll(20, sub { polls($id) }), 'another looks at once';
    $fake->finish($id);
    $fake->webhook($id, 'many');
    $s->succeeds($t, 'and is called under the old URL');
    is scalar(grep { $_->{path} =~ /predictions$/ } $fake->log), $begun,
        'as nothing new was asked for';
};


subtest 'other ways to sign' => sub {
    my ($t, $id) = begun('scale.fal');

    is_deeply [$fake->webhook($id, 'forged')], [401], 'fal: forged';
    $fake->finish($id);
    is_deeply [$fake->webhook($id)], [204], 'signed by a key of theirs';
    $s->succeeds($t, 'is done');

    ($t, $id) = begun('scale.plain');
    $fake->finish($id);
    is_deeply [$fake->webhook($id, 'forged')], [204],
        'where the URL is all there is';
    $s->succeeds($t, 'is done');
};


subtest 'Redis that is away' => sub {
    my ($t, $id) = begun('scale.replicate');

    $h->redis_stop;
    is_deeply [$fake->webhook($id)], [204], 'is none of their business';
    is polls($id), 0, 'though nobody is told';
    $h->redis_start;
    ok poll(20, sub { $fake->webhook($id, 'many'); polls($id) }),
        'until it is back';
    $h->{work}->cancel($h->{ann}, $t->{task_id}, $t->{task_id});
    ok poll(20, sub { $h->job($t)->{state} eq 'cancelled' }), 'cancelled';
};


kill 'QUIT', $nginx;
ok poll(20, sub { reaped($nginx) }), 'nginx ends';

my ($url) = map { $_->{body} =~ m{/webhook/([\w.-]+)} }
            grep { $_->{body} } $fake->log;
my $logs = join '', map { read_file("$dir/$_") } qw(access.log error.log);

ok $url, 'tokens were told';
like $logs, qr{/v1/providers/replicate/webhook/-+ }, 'calls are in the logs';
ok index($logs, $url) < 0, 'and no token is';

$s->done;
done_testing;
