# Executors through all of the stack: the operator's people register a server
# and a workflow, a user orders, watches and downloads; and so with a third
# party, by a podi_runnerd of its own section.

use strict;
use warnings;

use Digest::SHA qw( sha256_hex );
use JSON::PP ();
use Test::More;
use Podi::Comfy;
use Podi::Picture;
use Podi::Proc qw( poll );
use Podi::Provider;
use Podi::Repo qw( slurp );
use Podi::Stack;

my $FAST = <<'CONF';
servers_every = 100ms
follow_poll = 20ms
follow_poll_max = 100ms
CONF
my @DAEMONS = qw( podi_dispatchd podi_imaged podi_runnerd podi_runnerd:third );

my $json = JSON::PP->new->canonical->utf8;
my $p = Podi::Picture->new;
my $fake = Podi::Comfy->start;
my $third = Podi::Provider->new;
my $s = Podi::Stack->new(daemons => \@DAEMONS, rewrite => sub {
    my ($file, $text) = @_;

    return $text if $file ne 'workers.conf';
    $text =~ s/^(\[podi_runnerd\]\n)/$1$FAST/m;
    $text =~ s/^#(dispatch = ).*/${1}50ms/m;
    return $text . "\n[podi_runnerd:third]\nqueue = http:third\n"
           . "providers_private = on\nproviders_dir = $_[2]/third\n";
});
my $dir = $s->dir;
my $inner = $s->{rewrite};
$s->{rewrite} = sub { $inner->(@_, $dir) };

$s->start('pg');
setup();
$s->start(qw( redis nginx ), @DAEMONS);

my $ctl = $s->db->{ctl} //= $s->db->login('podi_ctl');
my $root = $s->member('rooty', claims => { rol => 'admin' });
my $ann = $s->member('annie', points => 100);
my $farm = '/v1/admin/comfy';
my $bytes = Podi::Picture::bytes($p->corners('png', width => 40, height => 30));
my $picture;

my %graph = (
    1 => { class_type => 'LoadImage', inputs => { image => 'x.png' } },
    3 => { class_type => 'ImageScale', inputs => {
           image => ['1', 0], upscale_method => 'lanczos', width => 64,
           height => 48, crop => 'disabled' } },
    4 => { class_type => 'SaveImage', inputs => {
           images => ['3', 0], filename_prefix => 'ComfyUI' } },
);
my %mapping = (
    params  => { width => [{ node => '3', input => 'width', type => 'integer' }] },
    inputs  => [{ node => '1', input => 'image' }],
    outputs => [{ node => '4' }],
);

$s->sql(q{update podi.users set role = 'admin' where user_id = ? returning 1},
        $root->{user_id});


# before it starts: a third party in a hurry, and what keys are sealed under
sub setup
{
    my $d = $json->decode($third->description('replicate'));

    $d->{common}{poll}{schedule} = { first_ms => 20, factor => 1.5, max_ms => 100 };
    mkdir "$dir/third" or die $!;
    Podi::Stack::Files::write_file("$dir/third/replicate.json", $json->encode($d));
    Podi::Stack::Files::write_file("$dir/keys/kek", 'ab' x 32 . "\n", 0600);
    Podi::Stack::Files::own(Podi::Stack::Files::web_user(), "$dir/keys/kek");
}


sub put
{
    my ($function, $row) = @_;

    return $ctl->one(undef, "select * from sys.$function(?)", $json->encode($row));
}


sub action
{
    my ($name, %more) = @_;
    my $text = { zh => 'x', en => 'x' };

    return put('action_put', { action => $name, label => $text,
        description => $text, accepts => ['image/png'], price => 5,
        timeout_ms => 60_000, max_attempts => 2, max_wait_ms => 60_000, %more });
}


sub admin
{
    my ($method, $target, $body) = @_;

    return $s->request($method, $target, as => $root,
                       defined $body ? (json => $body) : ());
}


# announced, put, looked at, there
sub upload
{
    my $media = $s->post('/v1/media/uploads', as => $ann, json => { items => [
        { name => 'cat.png', type => 'image/png', bytes => length $bytes }] })
        ->json->{items}[0];
    my $to = $media->{upload};

    $s->request($to->{method}, $to->{url}, body => $bytes,
                headers => $to->{headers});
    $s->post("/v1/media/$media->{media_id}/complete", as => $ann);
    $s->wait_for(sub { $s->get("/v1/media/$media->{media_id}", as => $ann)
                         ->json->{state} eq 'ready' }, 30, 'the picture');
    return $media->{media_id};
}


sub order
{
    my ($action, %params) = @_;

    return $s->post('/v1/tasks', as => $ann, json => { inputs => [$picture],
                    actions => [{ action => $action, params => \%params }] });
}


sub explained
{
    my ($task) = @_;

    return $s->get("/v1/jobs/$task->{jobs}[0]{job_id}/explain", as => $ann)->json;
}


# the task, once it has ended
sub ended
{
    my ($task) = @_;

    return $s->wait_for(sub {
        my $t = $s->get("/v1/tasks/$task->{task_id}", as => $ann)->json;
        $t->{state} =~ /^(?:succeeded|failed|cancelled|partial)$/ ? $t : 0;
    }, 60, 'an end');
}


# its one result, as the user downloads it
sub downloaded
{
    my ($task) = @_;
    my ($id) = map { @{ $_->{results} } } @{ $task->{jobs} };
    my $to = $s->get("/v1/media/$id/download", as => $ann);
    my $url = $to->json->{url};

    return ($s->get("/v1/media/$id", as => $ann)->json, $s->get($url)->body);
}


sub ledger
{
    return [map { "$_->{type} $_->{amount}" }
            reverse @{ $s->get('/v1/wallet/entries?limit=200', as => $ann)
                         ->json->{items} }];
}


subtest 'the operator registers what there is' => sub {
    my %server = (url => $fake->url, labels => ['gpu']);

    is $s->request('PUT', "$farm/servers/one", as => $ann, json => \%server)->status,
       403, 'a user may not';
    is admin(PUT => "$farm/servers/one", \%server)->status, 403,
       'nor an admin of a tenant';
    $ctl->one(undef, q{select * from sys.tenant_operator('demo', true)});
    is admin(PUT => "$farm/servers/one", \%server)->status, 201,
       'one of the operator may';
    is admin(PUT => "$farm/workflows/scale", { graph => \%graph,
             mapping => \%mapping })->status, 201, 'and a workflow';
    ok $s->wait_for(sub { admin(GET => "$farm/servers/one")->json->{up} }, 20,
                    'the server'), 'the server is seen';
    my $seen = admin(GET => "$farm/servers/one")->json->{seen};
    is $seen->{version}, '0.3.64', 'and its version';

    my %broken = (%graph, 7 => { class_type => 'CheckpointLoaderSimple',
                                 inputs => { ckpt_name => 'none.safetensors' } });
    admin(PUT => "$farm/workflows/broken", { graph => \%broken,
          mapping => \%mapping });
    ok $s->wait_for(sub { admin(GET => "$farm/servers/one")->json->{seen}{nodes} },
                    20, 'the nodes'), 'and what it can';
    my $no = admin(POST => "$farm/workflows/broken/versions/1/publish");
    is $no->status, 422, 'what no server can run does not go live';
    like $no->json->{field}, qr/^graph\.7\.(?:class_type|inputs\.ckpt_name)$/,
        'and node and input are named';
    is admin(POST => "$farm/workflows/scale/versions/1/publish")->json->{server},
       'one', 'what one can run does';

    put('queue_put', { queue => 'comfyui', label => 'ComfyUI' });
    action('comfy.scale', queue => 'comfyui', schema => { type => 'object',
           additionalProperties => \0, properties => { width => {
           type => 'integer', minimum => 1, maximum => 512 } } },
           executor => { kind => 'comfy', workflow => 'scale' });
    eval { action('comfy.none', queue => 'comfyui',
                  executor => { kind => 'comfy', workflow => 'none' }) };
    like "$@", qr/executor\.workflow/, 'an action of no workflow is refused';
    $picture = upload();
};

subtest 'a user orders from ComfyUI' => sub {
    is order('comfy.scale', width => 0)->json->{field},
       'actions[0].params.width', 'not what the schema forbids';
    my $res = order('comfy.scale', width => 32);

    is $res->status, 201, 'an order';
    my $task = ended($res->json);
    is $task->{state}, 'succeeded', 'is carried out'
        or diag slurp($s->log_file('podi_runnerd.out'));
    my ($media, $got) = downloaded($task);
    is "$media->{width}x$media->{height}", '32x48', 'as the parameters say';
    is sha256_hex($got), $media->{sha256}, 'and downloaded';
    is_deeply ledger(), ['grant 100', 'freeze 5', 'confirm 5'],
              'points are frozen and spent' or diag join '; ', @{ ledger() };
    is scalar($fake->requests('POST', '/prompt')), 1, 'with one prompt';
};

subtest 'who waits is told for what' => sub {
    is admin(POST => "$farm/servers/one/drain")->json->{state}, 'draining',
       'no server takes anything new';
    my $task = order('comfy.scale', width => 16)->json;
    my $said = $s->wait_for(sub {
        my $e = explained($task);
        $e->{why} eq 'waits_until' ? $e : 0 }, 20, 'the job to be put off');

    is_deeply [@{ $said->{detail}{remote} }{qw( kind name waits_for )}],
              ['comfyui', undef, 'no_server'], 'and its user is told';
    ok $said->{detail}{remote}{until}, 'when it is tried again';
    unlike $json->encode($said), qr/127\.0\.0\.1/, 'no address';
    admin(POST => "$farm/servers/one/enable");
    is ended($task)->{state}, 'succeeded', 'then it runs';
    is explained($task)->{detail}{remote}{waits_for}, undef, 'and waits no more';
};

subtest 'a third party, by another podi_runnerd' => sub {
    put('queue_put', { queue => 'http:third', label => 'Third parties' });
    action('third.scale', queue => 'http:third', executor => { kind => 'provider',
           provider => 'replicate', operation => 'upscale', set => { model => 'a/b' } });
    Podi::Stack::Files::write_file("$dir/secret", 'test-key');
    is system("$dir/bin/podictl -c $dir/conf/workers.conf key add replicate api"
              . " <$dir/secret >/dev/null"), 0, 'its key';
    my ($key) = @{ admin(GET => '/v1/admin/providers/keys')->json->{items} };
    is "$key->{provider} $key->{name} $key->{state}", 'replicate api active',
       'is listed';

    my $before = @{ ledger() };
    my $task = ended(order('third.scale')->json);
    is $task->{state}, 'succeeded', 'an order is carried out'
        or diag slurp($s->log_file('podi_runnerd:third.out'));
    my ($media, $got) = downloaded($task);
    is "$media->{width}x$media->{height}", '64x64', 'with a picture';
    is sha256_hex($got), $media->{sha256}, 'which is downloaded';
    my @rows = @{ ledger() };
    is_deeply [@rows[$before .. $#rows]], ['freeze 5', 'confirm 5'], 'and paid';

    $third->play(provider => 'replicate', play => 'content');
    is ended(order('third.scale')->json)->{state}, 'failed', 'what it refuses fails';
    is ((ledger())->[-1], 'release 5', 'and is not paid');
    is admin(POST => "/v1/admin/providers/keys/$key->{key_id}/disable")->json->{state},
       'disabled', 'its key is disabled';
};

subtest 'each podi_runnerd says who it is' => sub {
    my %svc = map { $_ => 1 } slurp($s->log_file('podi_runnerd:third.out'))
                              =~ /"svc":"([^"]+)"/g;
    is_deeply [keys %svc], ['podi_runnerd:third'], 'in its log';
    ok -f "$dir/run/podi/podi_runnerd:third.pid", 'in its pid file';
    is_deeply [map { $_->{daemon} } $s->sql('select daemon from podi.worker'
                  . q{ where daemon like 'podi_runnerd%' order by 1})],
              ['podi_runnerd', 'podi_runnerd:third'], 'in its beat';
    my $text = '';
    ok $s->wait_for(sub { ($text = $s->get('/metrics')->body)
           =~ /^podi_runner_servers_up\{unit="third"\} 1$/m
           && $text =~ /^podi_runner_servers_up 1$/m }, 20, 'the metrics'),
       'and in its metrics, which the other one has as before';
};

# a daemon that lives keeps its connections to the store
$s->part($_)->stop for @DAEMONS;
$s->done;
$fake->stop;
done_testing;
