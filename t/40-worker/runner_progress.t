# How far a job on a ComfyUI server is, as its user sees it: through Redis and
# nginx, and never in PostgreSQL.

use strict;
use warnings;
use lib 't/lib';

use Digest::SHA qw( sha256_hex );
use JSON::PP ();
use Test::More;
use Podi::Bucket;
use Podi::Comfy;
use Podi::Picture;
use Podi::Proc qw( poll );
use Podi::Stack;
use Podi::Work;

my $json = JSON::PP->new->canonical;
my $p = Podi::Picture->new;
my $photo = Podi::Picture::bytes($p->corners('png', width => 40, height => 30));
my $fake = Podi::Comfy->start;
my $bucket;
my $s = Podi::Stack->new(daemons => [qw( podi_dispatchd podi_runnerd )],
                         rewrite => \&rewrite);

$bucket = Podi::Bucket->start("$s->{dir}/bucket");
mkdir "$s->{dir}/conf/providers";
$s->start;

my $w = Podi::Work->new($s->db);
my $ctl = $s->db->{ctl};
my $ann = $s->member('annie', points => 1000);
my $bob = $s->member('bobby');

my %graph = (
    1 => { class_type => 'LoadImage', inputs => { image => 'x.png' } },
    2 => { class_type => 'PodiSlow', _meta => { title => "Sampler \x{6162}" },
           inputs => { image => ['1', 0], steps => 5, delay_ms => 20,
                       seed => 0, mode => 'ok' } },
    3 => { class_type => 'SaveImage', inputs => {
           images => ['2', 0], filename_prefix => 'ComfyUI' } },
);
my %type = (steps => 'integer', delay_ms => 'integer', mode => 'string');
my %mapping = (
    params  => { map { $_ => [{ node => '2', input => $_,
                                type => $type{$_} }] } keys %type },
    inputs  => [{ node => '1', input => 'image' }],
    outputs => [{ node => '3' }],
    seed    => [{ node => '2', input => 'seed' }],
);


# the runner in a hurry, and with a store that needs no TLS
sub rewrite
{
    my ($file, $text) = @_;

    return $text if $file ne 'workers.conf';
    $text =~ s{^stores = .*$}{stores = local type=s3 endpoint=http://$bucket->{address} bucket=b region=r key_file=$s->{dir}/keys/store.key}m;
    $text =~ s{^kek_file = .*$}{}m;
    $text =~ s{^\[podi_runnerd\]$}{join "\n", '[podi_runnerd]',
        'servers_every = 100ms', 'follow_poll = 20ms',
        'follow_poll_max = 50ms', 'progress_again = 600ms',
        'log_level = debug'}me;
    return $text;
}


sub put
{
    my ($function, $row) = @_;

    return $ctl->one(undef, "select * from sys.$function(?)",
                     $json->encode($row));
}


sub farm
{
    my $text = { zh => 'x', en => 'x' };

    put('queue_put', { queue => 'comfyui', label => 'ComfyUI' });
    put('comfy_server_put', { server => 'one', url => $fake->url });
    put('comfy_workflow_put', { workflow => 'slow', graph => \%graph,
                                mapping => \%mapping, idle_ms => 60_000 });
    poll(20, sub { $s->sql("select nodes -> 'PodiSlow' is not null"
                           . ' from podi.comfy_seen') });
    $ctl->one(undef, 'select * from sys.comfy_workflow_publish(?, null)',
              'slow');
    put('action_put', { action => 'comfy.slow', queue => 'comfyui',
        label => $text, description => $text,
        schema => { type => 'object', additionalProperties => \0,
                    properties => { map { $_ => { type => $type{$_} } }
                                    keys %type } },
        accepts => ['image/png'], price => 5, timeout_ms => 120_000,
        max_attempts => 3, max_wait_ms => 60_000,
        executor => { kind => 'comfy', workflow => 'slow' } });
    return;
}


sub submit
{
    my (%params) = @_;
    my $id = $w->media($ann, type => 'image/png', name => 'cat.png');

    $s->sql('update podi.media set bytes = ?, sha256 = ?, object_key = ?'
            . ' where media_id = ?', length $photo, sha256_hex($photo),
            "t/u/$id", $id);
    $bucket->put("t/u/$id", $photo);
    return $w->submit($ann, inputs => [$id], actions => [
        { action => 'comfy.slow', params => \%params }]);
}


sub job { return $_[0]{jobs}[0]{job_id} }


sub preview
{
    my ($t, %as) = @_;

    return $s->get('/v1/jobs/' . job($t) . '/preview', as => $ann, %as);
}


# until a progress event of that job is like that; all that came
sub seen
{
    my ($live, $t, $is) = @_;
    my $end = time + 30;
    my @tick;

    while (my $event = $live->next_event($end - time)) {
        next if $event->{event} ne 'job.progress'
                || $event->{data}{job_id} ne job($t);
        push @tick, $event->{data};
        return @tick if $is->($event->{data});
    }
    fail('it is told');
    return @tick;
}


# all that is told of it until it ends
sub told
{
    my ($live, $t) = @_;
    my $end = time + 60;
    my @tick;

    while (my $event = $live->next_event($end - time)) {
        push @tick, $event->{data} if $event->{event} eq 'job.progress'
            && $event->{data}{job_id} eq job($t);
        return ($event->{event} =~ s/^task\.//r, @tick)
            if $event->{event} =~ /^task\.(?!queued|running)/
               && $event->{data}{task_id} eq $t->{task_id};
    }
    fail('the task ends');
    return ('', @tick);
}


sub metric
{
    my ($name) = @_;
    my $text = join '', map { Podi::Repo::slurp($_) }
        glob "$s->{dir}/run/podi/podi_runnerd-*.prom";

    return $text =~ /^\Q$name\E (\S+)$/m ? $1 : 0;
}


farm();
my $live = $s->events(as => $ann);

subtest 'a job that waits behind others' => sub {
    $fake->fake(foreign => 2, stall => { node => '3', times => 1 });
    my $t = submit(steps => 30, delay_ms => 50);
    my ($tick) = reverse seen($live, $t, sub { defined $_[0]{ahead} });

    is $tick->{ahead}, 2, 'is told how many, strangers too';
    is $tick->{node}, undef, 'and no node';
    is preview($t)->code, 'no_preview', 'nor is there a picture';

    $fake->fake(foreign => 0);
    ($tick) = reverse seen($live, $t, sub { $_[0]{node} && $_[0]{preview}
                                            && $_[0]{step} });
    is $tick->{ahead}, 0, 'then it runs';
    is_deeply $tick->{node}, { id => '2', class => 'PodiSlow',
                               title => "Sampler \x{6162}" },
        'in the node that the graph names so';
    is $tick->{steps}, 30, 'which has steps';

    # the last node waits, so that it can be looked at
    my @more = seen($live, $t, sub { $_[0]{node}{id} eq '3' });
    my $res = $s->get($tick->{preview}, as => $ann);

    is $res->status, 200, 'and shows itself';
    is $res->header('content-type'), 'image/jpeg', 'as a JPEG';
    like $res->body, qr/\A\xff\xd8\xff.*\xff\xd9\z/s, 'which it is';
    is $res->header('cache-control'), 'no-store', 'that nobody keeps';
    is $res->header('x-content-type-options'), 'nosniff', 'nor guesses at';
    is preview($t, as => $bob)->code, 'not_found', 'never to a stranger';
    is preview($t, as => undef)->status, 401, 'nor to nobody';
    is $s->get('/v1/jobs/x/preview', as => $ann)->code, 'not_found',
        'nor of what is no job';
    is $s->redis('TTL', 'podi:preview:' . job($t)) > 0, 1,
        'and it would go by itself';

    # nothing happens there, and a page may be opened meanwhile
    my $n = 0;
    my @same = seen($live, $t, sub { ++$n == 3 });
    is_deeply $same[2], $same[1], 'what it told last, it tells again';

    $fake->fake(release => 1);
    my ($end, @tick) = told($live, $t);
    my @percent = map { $_->{progress} } $tick, @more, @same, @tick;
    my @step = map { $_->{step} // () } $tick, @more;

    is $end, 'succeeded', 'it succeeds';
    cmp_ok $percent[-1], '>', $percent[0], 'the percentage rises';
    is_deeply \@percent, [sort { $a <=> $b } @percent], 'and never falls';
    is_deeply \@step, [sort { $a <=> $b } @step], 'like the steps';
    isnt $more[-1]{preview}, $tick->{preview}, 'each picture has its address';
    is preview($t)->code, 'no_preview', 'at the end there is none';
    ok poll(10, sub { !$s->redis('EXISTS', 'podi:preview:' . job($t)) }),
        'it was taken away';
};

subtest 'pictures that do not say whose they are' => sub {
    $fake->fake(preview => 'bare');
    $fake->fake(stall => { node => '3', times => 1 });
    my $t = submit(steps => 20, delay_ms => 50, mode => 'png');
    my ($tick) = reverse seen($live, $t, sub { $_[0]{preview}
                                               && $_[0]{node}{id} eq '3' });
    my $res = $s->get($tick->{preview}, as => $ann);

    is $res->header('content-type'), 'image/png', 'are of the one that runs';
    $fake->fake(release => 1);
    is +(told($live, $t))[0], 'succeeded', 'which ends well';

    # another's: everybody is sent it
    $fake->fake(hang => 1, preview => 'ok');
    $t = submit(steps => 0);
    seen($live, $t, sub { defined $_[0]{ahead} });
    $fake->fake(stray => 1);
    $fake->fake(hang => 0, foreign => 1);
    $fake->fake(foreign => 0);
    my ($end, @tick) = told($live, $t);

    is $end, 'succeeded', 'one that has not begun';
    is scalar(grep { $_->{preview} } @tick), 0, 'has none of them';
};

subtest 'what is no picture' => sub {
    for my $what (qw( html cut large )) {
        my $refused = metric('podi_runner_previews_total{outcome="refused"}');

        $fake->fake(preview => $what);
        my ($end, @tick) = told($live, submit(steps => 30, delay_ms => 40));

        is $end, 'succeeded', "$what: the job does not mind";
        is scalar(grep { $_->{preview} } @tick), 0, 'but it is not shown';
        ok $what eq 'html' || poll(15, sub {
            metric('podi_runner_previews_total{outcome="refused"}')
                > $refused }), 'and that is counted';
    }
    is $s->redis('KEYS', 'podi:preview:*'), '', 'none was kept';
    $fake->fake(preview => 'ok');
};

subtest 'a server that talks too much' => sub {
    my $rows = $s->sql('select count(*) from podi.user_event');

    $fake->fake(burst => 20);
    my $t = submit(steps => 150, delay_ms => 10);
    my ($end, @tick) = told($live, $t);
    my $seconds = $s->sql('select extract(epoch from ended_at - started_at)'
                          . ' from podi.job where job_id = ?', job($t));

    $fake->fake(burst => 1);
    is $end, 'succeeded', 'is heard';
    cmp_ok scalar @tick, '>=', 2, 'is followed';
    cmp_ok scalar @tick, '<=', 2 * $seconds + 2,
        'of thousands of frames two a second come through';
    is $s->sql("select count(*) from podi.user_event where type like '%gress'"),
        0, 'and none is a row';
    is $s->sql('select count(*) from podi.user_event') - $rows, 7,
        'there are as many as of any job';
};

subtest 'a socket that does not work' => sub {
    for my $ws (qw( refused closed mute )) {
        $fake->fake(ws => $ws);
        $fake->fake(ws_drop => 1);
        $fake->fake(foreign => 1);
        my $t = submit(steps => 3);

        seen($live, $t, sub { ($_[0]{ahead} // 0) == 1 });
        $fake->fake(foreign => 0);
        my ($end, @tick) = told($live, $t);

        is $end, 'succeeded', "$ws: the job is looked at all the same";
        is scalar(grep { $_->{node} || $_->{preview} } @tick), 0,
            'only nodes and pictures are not known';
    }
    $fake->fake(ws => 'ok');
};

subtest 'Redis is away' => sub {
    $fake->fake(stall => { node => '3', times => 1 });
    my $t = submit(steps => 20, delay_ms => 50);

    seen($live, $t, sub { $_[0]{preview} && $_[0]{node}{id} eq '3' });
    is preview($t)->status, 200, 'there is a picture';
    $s->redis->stop;
    is preview($t)->code, 'no_preview', 'then there is none';
    $s->redis->start;
    $fake->fake(release => 1);
    is +(told($live, $t))[0], 'succeeded', 'and that is all';
};

$live->close;
$fake->stop;
$s->done;
done_testing;
