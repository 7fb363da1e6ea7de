# podi_runnerd with ComfyUI servers that behave, and that do not.

use strict;
use warnings;
use lib 't/lib';

use Digest::SHA qw(sha256_hex);
use JSON::PP ();
use Test::More;
use Podi::Bucket;
use Podi::Comfy;
use Podi::Hands;
use Podi::Picture;
use Podi::Pg;
use Podi::Proc qw(poll gone);

my $p = Podi::Picture->new;
my $h = Podi::Hands->new;
my $w = $h->{work};
my $ann = $h->{ann};
my $ctl = $h->{db}{ctl};
my $super = $h->{db}->super;
my $json = JSON::PP->new->canonical;
my $bucket = Podi::Bucket->start("$h->{dir}/bucket");
my $key = $p->write('key', "ID:SECRET\n");
my $tmp = "$h->{dir}/tmp";
my $fake = Podi::Comfy->start;
my $photo = $p->corners('png', width => 40, height => 30);

chmod 0600, $key;
mkdir $tmp;
system('make', '-s', '-j1', '-C', "$Podi::Pg::ROOT/workers",
       "PODI_BUILD=$h->{build}", "$h->{build}/bin/podi_runnerd") == 0
    or die 'podi_runnerd does not build';

my %graph = (
    1 => { class_type => 'LoadImage', inputs => { image => 'x.png' } },
    2 => { class_type => 'ImageInvert', inputs => { image => ['1', 0] } },
    3 => { class_type => 'ImageScale', inputs => {
           image => ['2', 0], upscale_method => 'lanczos', width => 64,
           height => 48, crop => 'disabled' } },
    4 => { class_type => 'SaveImage', inputs => {
           images => ['3', 0], filename_prefix => 'ComfyUI' } },
);
my %mapping = (
    params  => { width => [{ node => '3', input => 'width',
                             type => 'integer' }],
                 method => [{ node => '3', input => 'upscale_method',
                              type => 'string' }] },
    inputs  => [{ node => '1', input => 'image' }],
    outputs => [{ node => '4' }],
);


sub put
{
    my ($function, $row) = @_;

    return $ctl->one(undef, "select * from sys.$function(?)",
                     $json->encode($row));
}


sub farm
{
    put('queue_put', { queue => 'comfyui', label => 'ComfyUI' });
    put('comfy_server_put', { server => 'one', url => $fake->url });
    put('comfy_workflow_put', { workflow => 'scale', graph => \%graph,
                                mapping => \%mapping, idle_ms => 60_000 });
    return;
}


sub action
{
    my $text = { zh => 'x', en => 'x' };

    put('action_put', { action => 'comfy.scale', queue => 'comfyui',
        label => $text, description => $text,
        schema => { type => 'object', additionalProperties => \0,
                    properties => { width => { type => 'integer' },
                                    method => { type => 'string' } } },
        accepts => ['image/png'], price => 5, timeout_ms => 60_000,
        max_attempts => 3, max_wait_ms => 60_000,
        executor => { kind => 'comfy', workflow => 'scale' } });
    return;
}


sub runnerd
{
    my (%own) = @_;

    return $h->daemon('podi_runnerd', work_dir => $tmp, concurrency => 20,
        memory => '1g', servers_every => '100ms', follow_poll => '20ms',
        follow_poll_max => '100ms', follow_away => '2s', %own,
        stores => "local type=s3 endpoint=http://$bucket->{address} bucket=b"
                  . " region=r key_file=$key");
}


sub upload
{
    my $bytes = Podi::Picture::bytes($photo);
    my $id = $w->media($ann, type => 'image/png', name => 'cat.png');

    $super->all(undef, 'update podi.media set bytes = ?, sha256 = ?,'
        . ' object_key = ? where media_id = ?', length $bytes,
        sha256_hex($bytes), "t/u/$id", $id);
    $bucket->put("t/u/$id", $bytes);
    return $id;
}


sub submit
{
    my (%params) = @_;

    return $w->submit($ann, inputs => [upload()], actions => [
        { action => 'comfy.scale', params => { width => 64, %params } }]);
}


sub result
{
    my ($t) = @_;

    return $super->one(undef, 'select * from podi.media where task_id = ?',
                       $t->{task_id});
}


sub attempts
{
    my ($t) = @_;

    return $super->all(undef, 'select * from podi.attempt where job_id = ?'
                       . ' order by fence', $t->{jobs}[0]{job_id});
}


# nothing of a task is left elsewhere
sub nowhere
{
    my ($t) = @_;

    return !grep { ($_->{remote_state} // 'ended') ne 'ended' }
           @{ attempts($t) };
}


farm();
my $dispatchd = $h->daemon('podi_dispatchd', dispatch => '50ms');
my $runnerd = runnerd();

subtest 'a server' => sub {
    my $seen;

    ok poll(20, sub { ($seen = $super->one(undef,
        'select * from podi.comfy_seen')) && $seen->{ok} }), 'is seen';
    is $seen->{version}, '0.3.64', 'with its version';
    ok poll(20, sub { $super->value(undef, "select nodes -> 'ImageScale'"
        . ' is not null from podi.comfy_seen') }), 'and its nodes';
    is $ctl->one(undef, 'select * from sys.comfy_workflow_publish(?, null)',
                 'scale')->{server}, 'one', 'so a workflow can go live';
    action();
};

subtest 'a job' => sub {
    my $t = submit(width => 32);

    is $h->ended($t, 60)->{state}, 'succeeded', 'succeeds'
        or diag $json->encode($h->job($t)), $h->text($runnerd);

    my $media = result($t);
    my $bytes = $bucket->get($media->{object_key}) // '';
    my ($sent) = $fake->requests('POST', '/prompt');

    is sha256_hex($bytes), $media->{sha256}, 'what was made is stored';
    is "$media->{width}x$media->{height} $media->{type}", '32x48 image/png',
        'as the parameters say';
    is $media->{name}, 'cat.png', 'under the name of its picture';

    my ($attempt) = @{ attempts($t) };

    is $attempt->{provider}, 'comfy:one', 'where it was is noted';
    like $attempt->{provider_ref}, qr/^[0-9a-f-]{36}$/, 'and under which id';
    is scalar(() = $fake->requests('GET',
                   "/history/$attempt->{provider_ref}")) > 0, 1,
        'it was followed by it';
    ok poll(20, sub { $fake->requests('POST', '/history') == 1 }),
        'and removed there, once it was settled';
    ok poll(20, sub { nowhere($t) }), 'so that nobody looks for it any more';
};

subtest 'a picture that tells how it was made' => sub {
    my $stored = sub {
        my $t = submit();
        $h->ended($t, 60);
        return $bucket->get(result($t)->{object_key}) // '';
    };

    like $stored->(), qr/tEXtprompt/, 'as the server wrote it';
    put('comfy_workflow_put', { workflow => 'scale', graph => \%graph,
        mapping => { %mapping, strip => JSON::PP::true }, idle_ms => 60_000 });
    $ctl->one(undef, 'select * from sys.comfy_workflow_publish(?, null)',
              'scale');

    my $bare = $stored->();

    unlike $bare, qr/tEXt/, 'not when the workflow wants it stripped';
    like $bare, qr/^\x89PNG.*IEND/s, 'and is a picture still';
};

# the prompts that the server was sent since the last question, by their ids
my $asked = 0;

sub prompts
{
    my @all = $fake->requests('POST', '/prompt');
    my @new = @all[$asked .. $#all];

    $asked = @all;
    return map { $_->{body}{prompt_id} } @new;
}


sub succeeds
{
    my ($t, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is $h->ended($t, 60)->{state}, 'succeeded', $name
        or diag explain $h->job($t);
    return;
}


# ends as a person is told, with nothing that is the server's alone
sub fails
{
    my ($t, $like) = @_;
    my $before = $w->wallet($ann);

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is $h->ended($t, 60)->{state}, 'failed', 'the job fails';
    my $job = $h->job($t);

    is $job->{error_code}, 'executor_refused', 'with a code';
    like $job->{error_detail}, $like, 'and a reason';
    unlike $job->{error_detail}, qr{/comfy|\n}, 'without paths';
    is scalar(@{ attempts($t) }), 1, 'at once';
    ok poll(20, sub { nowhere($t) }), 'and nobody will look for it';
    return;
}


prompts();

subtest 'what no server takes' => sub {
    fails(submit(method => 'zzz'), qr/^node 3 \(ImageScale\): Value not in list/);
    fails(submit(width => 99_999), qr/bigger than max/);
    prompts();
};

subtest 'a node that fails' => sub {
    $fake->fake(error => { node => '3', type => 'ValueError', times => 1,
                           message => "bad file '/comfy/base/x.png'\nmore" });
    fails(submit(), qr/^node 3 \(ImageScale\): bad file 'x\.png'$/);
    prompts();
};

subtest 'no memory' => sub {
    $fake->fake(oom => 1);
    my $t = submit();

    succeeds($t, 'is tried again');
    is scalar(prompts()), 2, 'with a prompt of its own';
    is_deeply [map { $_->{error_code} } @{ attempts($t) }],
        ['executor_failed', undef], 'as another attempt';
    is scalar($fake->requests('POST', '/free')), 1, 'once memory was freed';
};

subtest 'an answer that is lost' => sub {
    $fake->fake(reset_prompt => { queued => 1, times => 1 });
    my $t = submit();

    succeeds($t, 'the prompt is found');
    is scalar(prompts()), 1, 'and was not sent again';
    is scalar(@{ attempts($t) }), 1, 'nor begun again';
};

subtest 'a prompt that is lost' => sub {
    $fake->fake(reset_prompt => { queued => 0, times => 1 });
    my $t = submit();

    succeeds($t, 'is sent again, once it was looked for');
    my ($lost, $found) = @{ attempts($t) };

    is scalar(prompts()), 2, 'once';
    isnt $lost->{provider_ref}, $found->{provider_ref}, 'under another id';
    is $lost->{remote_state}, 'ended', 'nobody looks for the first any more';
    ok poll(20, sub { nowhere($t) }), 'nor for the other';
};

subtest 'a server that begins anew' => sub {
    $fake->fake(node_ms => 60_000);
    my $t = submit();

    poll(20, sub { $fake->requests('POST', '/prompt') > $asked });
    $fake->fake(die => 'now');
    $fake->restart;
    succeeds($t, 'its prompt is lost, and sent again');
    is scalar(prompts()), 2, 'once';
};

subtest 'a runner that dies' => sub {
    $fake->fake(node_ms => 500);
    my $t = submit();

    poll(20, sub { (attempts($t)->[0]{remote_state} // '') eq 'submitted' });
    kill 'KILL', $h->child($runnerd);
    succeeds($t, 'another takes the job over');
    is scalar(prompts()), 1, 'with the prompt that there is';
    is scalar(@{ attempts($t) }), 2, 'as another attempt';
    $fake->fake(node_ms => 0);
};

subtest 'a job that is cancelled' => sub {
    $fake->fake(node_ms => 1500);
    my ($runs, $waits) = map { submit() } 1, 2;

    poll(20, sub { 2 == grep { (attempts($_)->[0]{remote_state} // '')
                               eq 'submitted' } $runs, $waits });
    $w->cancel($ann, $_->{task_id}, $_->{task_id}) for $runs, $waits;
    is $h->ended($_, 60)->{state}, 'cancelled', 'ends' for $runs, $waits;
    ok poll(20, sub { $fake->state->{queue_remaining} == 0 }),
        'and its prompt does, whether it ran or waited';
    is scalar(prompts()), 2, 'nothing was sent again';
    $fake->fake(node_ms => 0);
};

subtest 'a server that is full, or drained' => sub {
    $fake->fake(node_ms => 1500);
    my @t = map { submit() } 1 .. 4;

    ok poll(20, sub { $h->log($runnerd, 'comfy.waits') }),
        'one runs, one waits there, the others wait here';
    poll(10, sub { $fake->state->{queue_remaining} >= 2 });
    is $fake->state->{queue_remaining}, 2, 'since it takes no more';
    put('comfy_server_put', { server => 'one', url => $fake->url,
                              state => 'draining' });
    $fake->fake(node_ms => 0, release => 1);
    put('comfy_server_put', { server => 'one', url => $fake->url,
                              state => 'active' });
    succeeds($_, 'all of them are made') for @t;
    prompts();
};

subtest 'several servers' => sub {
    my $two = Podi::Comfy->start(checkpoints => ['base.safetensors']);

    put('comfy_server_put', { server => 'two', url => $two->url });
    poll(20, sub { $super->value(undef, 'select count(*) from podi.comfy_seen'
                                 . ' where ok and nodes is not null') == 2 });
    $_->fake(node_ms => 100) for $fake, $two;
    my @t = map { submit() } 1 .. 6;

    succeeds($_, 'a job is made') for @t;
    # those that waited for room had been nowhere
    my @where = map { [grep { $_ } map { $_->{provider} } @{ attempts($_) }] }
                @t;

    is join(' ', sort keys %{{ map { $_->[0] => 1 } @where }}),
        'comfy:one comfy:two', 'on both';
    is_deeply [grep { @$_ != 1 } @where], [], 'sent once each';

    $two->fake(node_ms => 60_000);
    $fake->fake(node_ms => 60_000);
    @t = map { submit() } 1, 2;
    poll(20, sub { $two->state->{queue_remaining}
                   && $fake->state->{queue_remaining} });
    $two->fake(die => 'now');
    $fake->fake(node_ms => 0, release => 1);
    $fake->fake(die => 'now');
    $fake->restart;
    succeeds($_, 'one that dies leaves its jobs to the other') for @t;
    put('comfy_server_put', { server => 'two', url => $two->url,
                              state => 'disabled' });
    $fake->fake(node_ms => 0);
    prompts();
};

subtest 'a server that tells by itself' => sub {
    $h->stop($runnerd);
    $runnerd = runnerd(follow_poll => '60s', follow_poll_max => '60s',
                       follow_away => '121s');
    poll(20, sub { $fake->requests('GET', '/ws') > 1 });
    $fake->fake(node_ms => 400);
    my $t = submit();

    is $h->ended($t, 30)->{state}, 'succeeded', 'is not waited for';
    my ($sent) = grep { ($_->{body}{prompt_id} // '')
                        eq attempts($t)->[0]{provider_ref} }
                 $fake->requests('POST', '/prompt');

    like $sent->{body}{client_id}, qr/^[0-9a-f]{32}$/,
        'the prompt was sent under the name of the socket';
    my @percent = map { $_->{progress} }
                  grep { $_->{job_id} eq $t->{jobs}[0]{job_id} }
                  $h->heard('job.progress');

    cmp_ok scalar(grep { $_ > 10 && $_ < 89 } @percent), '>', 0,
        'and how far it is, is told';
    is_deeply \@percent, [sort { $a <=> $b } @percent], 'which only grows';
};

$h->stop($runnerd);
$fake->stop;
$h->whole;
done_testing;
