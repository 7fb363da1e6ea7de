# What was measured on a real ComfyUI, row by row, and what podi_runnerd makes
# of it.
#
#     interrupt, a node that reports    "an interrupt of a node that reports"
#     interrupt, a node that is silent  "an interrupt of a node that is silent"
#     interrupt with another id         "an interrupt of another prompt"
#     interrupt when idle               "an interrupt that comes too late"
#     the same prompt_id twice          "ids": no id is ever sent twice
#     a prompt_id with a slash          "ids": they are UUIDs
#     an identical prompt again         "the same job again"
#     the same, its old file deleted    "a file that is gone"
#     SIGTERM                           "a server that is told to end"
#     SIGKILL, nothing kept             runnerd.t, "a server that begins anew";
#                                       runner_points.t, "ComfyUI begun anew"
#     SaveImage prefix a/b              "folders"
#     SaveImage prefix outside          "a prefix that leads outside"
#     LoadImage of what is outside      "a picture that leads outside"
#     the prompt in saved PNGs          runnerd.t, "a picture that tells ..."
#     out of memory, by both names      "memory that runs out"
#
# Bad answers of /view, servers that are old, locked or stand still: see
# runner_farm.t.

use strict;
use warnings;
use lib 't/lib';

use Digest::SHA qw( sha256_hex );
use HTTP::Tiny ();
use JSON::PP ();
use Test::More;
use Podi::Proc qw( poll );
use Podi::Runner;

my $r = Podi::Runner->new;
my ($h, $w, $ann, $fake) = @{$r}{qw( h w ann comfy )};
my %SLOW = (
    1 => $Podi::Runner::GRAPH{1},
    2 => { class_type => 'PodiSlow', inputs => { image => ['1', 0],
           steps => 0, delay_ms => 20, seed => 1, mode => 'ok' } },
    4 => { class_type => 'SaveImage', inputs => {
           images => ['2', 0], filename_prefix => 'ComfyUI' } },
);
my %MAPPING = (
    params => { map { my ($name, $type) = @$_;
                      ($name => [{ node => '2', input => $name,
                                   type => $type }]) }
                [steps => 'integer'], [delay_ms => 'integer'],
                [mode => 'string'] },
    inputs => [{ node => '1', input => 'image' }],
    outputs => [{ node => '4' }],
);
my $NAMES = { type => 'object', additionalProperties => \0, properties => {
    steps => { type => 'integer' }, delay_ms => { type => 'integer' },
    mode => { type => 'string' } } };

my %outside = (%SLOW, 4 => { class_type => 'SaveImage', inputs => {
    images => ['2', 0], filename_prefix => '../../outside' } });

$r->comfy('one', $fake->url);
$r->workflow('slow', graph => \%SLOW, mapping => \%MAPPING);
$r->workflow('outside', graph => \%outside, mapping => \%MAPPING);
$r->workflow('chance', graph => \%SLOW,
             mapping => { %MAPPING, retry_exceptions => \1 });
$r->third('replicate');
$h->daemon('podi_dispatchd', dispatch => '50ms');
my $runnerd = $r->daemon('comfyui');

$r->publish($_, schema => $NAMES) for qw( slow outside chance );


# --- tools --------------------------------------------------------------------

sub submit
{
    my (%params) = @_;

    return $r->submit('comfy.slow', %params);
}


# the ids of a job's prompts, in order
sub refs
{
    my ($t) = @_;

    return grep { defined } map { $_->{provider_ref} } $r->attempts($t);
}


# what the server was sent for a job
sub sent
{
    my ($t) = @_;
    my %ref = map { $_ => 1 } refs($t);

    return grep { $ref{ $_->{body}{prompt_id} } }
           $fake->requests('POST', '/prompt');
}


sub runs
{
    my ($t) = @_;
    my $http = HTTP::Tiny->new;

    return poll(20, sub {
        my ($ref) = refs($t) or return 0;
        my $queue = JSON::PP::decode_json(
            $http->get($fake->url . '/queue')->{content});

        grep { $_->[1] eq $ref } @{ $queue->{queue_running} };
    });
}


sub cancel
{
    my ($t) = @_;

    return $w->cancel($ann, $t->{task_id}, $t->{task_id});
}


sub succeeds
{
    my ($t, $attempts, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is $h->ended($t, 60)->{state}, 'succeeded', $name
        or diag explain $h->job($t), [$r->attempts($t)];
    is scalar(sent($t)), $attempts, "... sent $attempts times";
    return;
}


# the job's prompt has left the server, and its row says so
sub is_left
{
    my ($t, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok poll(20, sub {
        !grep({ ($_->{remote_state} // 'ended') ne 'ended' } $r->attempts($t))
            && $fake->state->{queue_remaining} == 0;
    }), $name or diag explain [$r->attempts($t)];
    return;
}


# interrupts that name a prompt of the job
sub interrupts
{
    my ($t) = @_;
    my %ref = map { $_ => 1 } refs($t);

    return scalar grep { $ref{ $_->{body}{prompt_id} // '' } }
                  $fake->requests('POST', '/interrupt');
}


# --- rows ---------------------------------------------------------------------

subtest 'an interrupt of a node that reports' => sub {
    my $t = submit(steps => 1000, delay_ms => 50);

    ok runs($t), 'it runs';
    cancel($t);
    is $h->ended($t, 30)->{state}, 'cancelled', 'it is cancelled';
    is_left($t, '... at once, there too');
    cmp_ok interrupts($t), '>=', 1, '... by its id';
    is scalar($r->results($t)), 0, '... and nothing of it is kept';
};

subtest 'an interrupt of a node that is silent' => sub {
    my $t = submit(steps => 1, delay_ms => 2000, mode => 'silent');

    ok runs($t), 'it runs';
    cancel($t);
    is $h->ended($t, 30)->{state}, 'cancelled', 'it is cancelled';
    is_left($t, '... and it is waited for until the node is over');
    is scalar($r->results($t)), 0, '... and nothing of it is kept';
    succeeds(submit(), 1, 'the next one is not hit');
};

subtest 'an interrupt of another prompt' => sub {
    my $first = submit(steps => 20, delay_ms => 50);

    ok runs($first), 'one runs';
    my $second = submit();

    poll(20, sub { $fake->state->{queue_remaining} == 2 });
    cancel($second);
    is $h->ended($second, 30)->{state}, 'cancelled', 'one that waits is gone';
    succeeds($first, 1, '... and the one that runs is not hit');
    is interrupts($first) + interrupts($second), 0, 'nobody interrupts it';
};

subtest 'an interrupt that comes too late' => sub {
    my $t = submit();

    succeeds($t, 1, 'a prompt is over');
    my $late = HTTP::Tiny->new->post($fake->url . '/interrupt', {
        headers => { 'content-type' => 'application/json' },
        content => JSON::PP::encode_json({ prompt_id => (refs($t))[0] }) });

    is $late->{status}, 200, 'an interrupt of it is taken';
    succeeds(submit(steps => 5), 1, '... and does not harm the next prompt');
};

subtest 'the same job again' => sub {
    my @t = map { submit() } 1, 2;

    succeeds($_, 1, 'it is made') for @t;
    my @media = map { $r->results($_) } @t;
    my @where = map { my ($ref) = refs($_);
                      grep { $_->{query}{subfolder} eq "podi/$ref" }
                      $fake->requests('GET', '/view') } @t;

    is scalar(@media), 2, 'there are two results';
    is scalar(@where), 2, '... of two files, though nothing else differs';
};

subtest 'a file that is gone' => sub {
    my $before = $w->wallet($ann);

    $fake->fake(view => { as => 'expired', times => 1 });
    my $t = submit();

    succeeds($t, 1, 'a file that is not there at once is asked for again');
    my ($media, @more) = $r->results($t);

    is scalar(@more), 0, '... with one result';
    is sha256_hex($r->{bucket}->get($media->{object_key}) // ''),
        $media->{sha256}, '... that is stored';
    is $w->wallet($ann)->[0], $before->[0] - 5, '... and paid once';

    $fake->fake(view => { as => 'expired' });
    $t = submit();
    is $h->ended($t, 60)->{state}, 'failed', 'one that is gone is no result';
    is_deeply $w->wallet($ann), [$before->[0] - 5, 0], '... and is not paid';
    $fake->fake(view => undef);
    is_left($t, '... and is left there by nobody');

    $fake->fake(view => { as => 'expired', times => 2 });
    $t = submit();
    succeeds($t, 2, 'one that was not there twice is made anew');
    is_left($t, '... and the other is forgotten');
};

subtest 'a server that is told to end' => sub {
    my $t = submit(steps => 1000, delay_ms => 50);

    ok runs($t), 'it runs';
    ok $fake->quit, 'the server goes at once';
    $fake->restart;
    ok poll(30, sub { sent($t) == 2 }), 'it is sent again';
    cancel($t);
    is $h->ended($t, 30)->{state}, 'cancelled', '... as another attempt';
    is_left($t, '... and is gone');
};

subtest 'folders' => sub {
    my $t = submit();

    succeeds($t, 1, 'a job');
    my ($ref) = refs($t);
    my ($sent) = sent($t);
    my ($upload) = grep { ($_->{query}{subfolder} // '') eq "podi/$ref" }
                   $fake->requests('GET', '/view');

    is $sent->{body}{prompt}{4}{inputs}{filename_prefix}, "podi/$ref/out",
        'each prompt has a prefix of its own';
    like $upload->{query}{filename}, qr/^out_\d+_\.png$/,
        '... and its file is fetched out of that folder';
};

subtest 'a node that raises' => sub {
    for (['slow', 1, 'is the end'], ['chance', 3, 'where it may be chance']) {
        my ($workflow, $sent, $name) = @$_;
        my $t = $r->submit("comfy.$workflow", mode => 'error');

        is $h->ended($t, 60)->{state}, 'failed', "$workflow: $name";
        is scalar(sent($t)), $sent, "... after $sent";
        like $h->job($t)->{error_detail}, qr/^node 2 \(PodiSlow\)/,
            '... which is told';
    }
};

subtest 'carried out in another way' => sub {
    my %there = (provider => 'replicate', operation => 'upscale',
                 set => { model => 'a/b', mode => undef });
    my $way = sub {
        my ($name, $workflow, $instead, %params) = @_;
        my ($before) = @{ $w->wallet($ann) };

        $r->action("way.$name", queue => 'comfyui', schema => $NAMES,
                   executor => { kind => 'comfy', workflow => $workflow,
                                 set => { delay_ms => 1 },
                                 fallback => $instead });
        my $t = $r->submit("way.$name", %params);
        is $h->ended($t, 60)->{state}, 'succeeded', $name
            or diag explain $h->job($t), [$r->attempts($t)];
        is $w->wallet($ann)->[0], $before - 5, '... is paid once';
        my $last = ($r->attempts($t))[-1];
        my $remote = JSON::PP::decode_json($last->{remote});

        is_left($t, '... and nothing is left');
        return ($t, $last->{provider}, $remote->{degraded});
    };
    my ($t, @how) = $way->('memory', 'slow', [{ %there, when => ['failed'] },
        { set => { mode => 'ok' }, when => ['memory'] }, \%there],
        mode => 'oom');

    is_deeply \@how, ['comfy:one', { why => 'memory', set => { mode => 'ok' } }],
        'less, where it was too much';
    is_deeply [map { @{ $_->{body}{prompt}{2}{inputs} }{qw( mode delay_ms )} }
               sent($t)], ['oom', 1, 'ok', 1], '... with what is set';
    (undef, @how) = $way->('failed', 'chance', [\%there], mode => 'error');
    is_deeply \@how, ['replicate', { why => 'failed', set => $there{set} }],
        'somebody else, where it fails';
    $r->server('one', $fake->url, state => 'draining');
    (undef, @how) = $way->('busy', 'slow', [{ %there, when => ['busy'],
                                              after => 1 }]);
    is_deeply \@how, ['replicate', { why => 'busy', set => $there{set} }],
        'or where nobody has room for it';
    $r->server('one', $fake->url, state => 'active');
};

subtest 'a prefix that leads outside' => sub {
    my $t = $r->submit('comfy.outside');

    succeeds($t, 1, 'what a workflow says does not count');
    my ($sent) = sent($t);

    like $sent->{body}{prompt}{4}{inputs}{filename_prefix},
        qr{^podi/[0-9a-f-]{36}/out$}, '... each file is put where we look';
};

subtest 'a picture that leads outside' => sub {
    my $media = $r->upload(undef, 'x.png [output]');
    my $t = $w->submit($ann, inputs => [$media],
                       actions => [{ action => 'comfy.slow' }]);

    succeeds($t, 1, 'a picture with a hostile name');
    my ($sent) = sent($t);
    my ($ref) = refs($t);

    is $sent->{body}{prompt}{1}{inputs}{image}, "podi/$ref/in1.png",
        '... is read under a name of ours';
};

subtest 'memory that runs out' => sub {
    for my $type (qw( torch.OutOfMemoryError torch.cuda.OutOfMemoryError )) {
        my $freed = $fake->requests('POST', '/free');

        $fake->fake(error => { node => '2', type => $type, times => 1,
                               message => 'CUDA out of memory.' });
        my $t = submit();

        succeeds($t, 2, "$type: it is tried again");
        is scalar($fake->requests('POST', '/free')), $freed + 1,
            '... once memory was freed';
        is +($r->attempts($t))[0]{error_code}, 'executor_failed',
            '... and the first attempt says why';
    }
};

subtest 'ids' => sub {
    my (%times, @odd);

    for my $sent ($fake->requests('POST', '/prompt')) {
        my $id = $sent->{body}{prompt_id};

        $times{$id}++;
        push @odd, $id
            if $id !~ /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
    }
    cmp_ok scalar(keys %times), '>', 10, 'of many prompts';
    is join(' ', grep { $times{$_} > 1 } keys %times), '',
        '... no id is sent twice';
    is "@odd", '', '... and each can stand in a path';
};

$h->stop($runnerd);
$fake->stop;
$h->whole;
done_testing;
