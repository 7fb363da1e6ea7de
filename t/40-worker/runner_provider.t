# podi_runnerd with a third party that behaves, and that does not.

use strict;
use warnings;
use lib 't/lib';

use Digest::SHA qw(sha256_hex);
use JSON::PP ();
use Test::More;
use Podi::Bucket;
use Podi::Hands;
use Podi::Pg;
use Podi::Picture;
use Podi::Proc qw(poll);
use Podi::Provider;

my $p = Podi::Picture->new;
my $h = Podi::Hands->new;
my $w = $h->{work};
my $ann = $h->{ann};
my $ctl = $h->{db}{ctl};
my $super = $h->{db}->super;
my $json = JSON::PP->new->canonical;
my $bucket = Podi::Bucket->start("$h->{dir}/bucket");
my $fake = Podi::Provider->new;
my $key = $p->write('key', "ID:SECRET\n");
my $kek = $p->write('kek', 'ab' x 32);
my $photo = Podi::Picture::bytes($p->corners('png', width => 40,
                                             height => 30));

chmod 0600, $key, $kek;
mkdir "$h->{dir}/$_" for qw(tmp providers);
system('make', '-s', '-j1', '-C', "$Podi::Pg::ROOT/workers",
       "PODI_BUILD=$h->{build}", "$h->{build}/bin/podi_runnerd",
       "$h->{build}/bin/podi_imaged") == 0
    or die 'podi_runnerd does not build';


sub write_file
{
    my ($path, $text) = @_;

    open my $out, '>', $path or die "$path: $!";
    print {$out} $text;
    close $out or die "$path: $!";
    return $path;
}


# as the shipped description, but in a hurry
sub describe
{
    my ($name, %more) = @_;
    my $d = $json->decode($fake->description($more{of} // $name));

    $d->{name} = $name;
    $d->{common}{poll}{schedule} = { first_ms => 20, factor => 1.5,
                                     max_ms => 100 } if $d->{common}{poll};
    $d->{common}{submit}{idempotency_header} = $more{once} if $more{once};
    write_file("$h->{dir}/providers/$name.json", $json->encode($d));
    return;
}


sub add_key
{
    my ($provider, $name, $secret) = @_;
    my $in = write_file("$h->{dir}/secret", $secret // 'test-key');
    my $conf = $h->conf('podictl', kek_file => $kek,
        pg => $h->{pg}->conninfo('podi_ctl', $h->{db}{name}));

    is system("$h->{build}/bin/podictl -c $conf key add $provider $name"
              . " <$in >/dev/null"), 0, "a key for $provider";
    return;
}


sub action
{
    my ($name, %executor) = @_;
    my $text = { zh => 'x', en => 'x' };

    $ctl->one(undef, 'select * from sys.action_put(?)', $json->encode({
        action => $name, queue => 'http', label => $text,
        description => $text, accepts => ['image/png'], price => 5,
        timeout_ms => 60_000, max_attempts => 3, max_wait_ms => 60_000,
        schema => { type => 'object', additionalProperties => \0,
                    properties => { prompt => { type => 'string' } } },
        executor => { kind => 'provider', %executor } }));
    return;
}


sub runnerd
{
    my (%own) = @_;

    return $h->daemon('podi_runnerd', queue => 'http', concurrency => 20,
        work_dir => "$h->{dir}/tmp", memory => '1g', kek_file => $kek,
        providers_dir => "$h->{dir}/providers", providers_private => 'on',
        stores => "local type=s3 endpoint=http://$bucket->{address} bucket=b"
                  . " region=r key_file=$key", %own);
}


sub upload
{
    my $id = $w->media($ann, type => 'image/png', name => 'cat.png');

    $super->all(undef, 'update podi.media set bytes = ?, sha256 = ?,'
        . ' object_key = ? where media_id = ?', length $photo,
        sha256_hex($photo), "t/u/$id", $id);
    $bucket->put("t/u/$id", $photo);
    return $id;
}


sub submit
{
    my ($action, %params) = @_;

    return $w->submit($ann, inputs => [upload()], actions => [
        { action => $action, params => \%params }]);
}


sub attempts
{
    my ($t) = @_;

    return @{ $super->all(undef, 'select * from podi.attempt where job_id = ?'
                          . ' order by fence', $t->{jobs}[0]{job_id}) };
}


sub is_submitted
{
    my ($t) = @_;

    return scalar grep { ($_->{remote_state} // '') eq 'submitted' }
                  attempts($t);
}


sub results
{
    my ($t) = @_;

    return @{ $super->all(undef, 'select * from podi.media where task_id = ?',
                          $t->{task_id}) };
}


# requests of a step since the last question about it
my %asked;

sub asked
{
    my ($step) = @_;
    my @all = grep { ($_->{step} // '') eq $step } $fake->log;
    my $from = $asked{$step} // 0;

    $asked{$step} = @all;
    splice @all, 0, $from;
    return @all;
}


my ($runnerd, $made);

sub succeeds
{
    my ($t, $name) = @_;

    $made++;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is $h->ended($t, 60)->{state}, 'succeeded', $name
        || diag $json->encode($h->job($t)), $h->text($runnerd);
}


# the job fails with that code, and nobody has paid
sub fails
{
    my ($t, $code, $like) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is $h->ended($t, 60)->{state}, 'failed', 'the job fails';
    my $job = $h->job($t);

    is $job->{error_code}, $code, "with $code" or diag $h->text($runnerd);
    like $job->{error_detail}, $like, 'and a reason' if $like;
    is_deeply $w->wallet($ann), [1000 - 5 * $made, 0],
        'and all points are back';
    return;
}


$ctl->one(undef, 'select * from sys.queue_put(?)',
          $json->encode({ queue => 'http', label => 'HTTP' }));
describe('replicate');
describe('fal');
describe('stability');
describe('openai_images');
describe($_, of => 'replicate') for qw(broke denied keyless poor);
describe('once', of => 'replicate', once => 'Idempotency-Key');
action('scale.replicate', provider => 'replicate', operation => 'upscale',
       set => { model => 'a/b' });
action('scale.fal', provider => 'fal', operation => 'upscale',
       set => { model => 'a/b' });
action("fall.$_", provider => $_, operation => 'upscale',
       set => { model => 'a/b' },
       fallback => [{ provider => 'fal', operation => 'upscale' }])
    for qw(broke keyless);
action("scale.$_", provider => $_, operation => 'upscale',
       set => { model => 'a/b' }) for qw(denied poor once);
action('scale.stability', provider => 'stability', operation => 'upscale');
action('draw.openai', provider => 'openai_images', operation => 'text_to_image');

subtest 'a description with a fault' => sub {
    my $good = write_file("$h->{dir}/good", '');
    my $dir = "$h->{dir}/bad";

    mkdir $dir;
    write_file("$dir/typo.json", "{\n  \"name\": \"typo\",\n"
               . "  \"bas_url\": \"https://x.example\"\n}\n");
    my $conf = $h->conf('podi_runnerd', providers_dir => $dir, queue => 'http',
                        work_dir => "$h->{dir}/tmp", stores => 'x');

    like qx($h->{build}/bin/podi_runnerd -t -c $conf 2>&1),
        qr{typo\.json:3:.*bas_url}, 'is named with its line';
    isnt $?, 0, 'and refused';
};

add_key($_, 'api') for 
    qw(replicate fal stability openai_images broke denied poor once);
my $dispatchd = $h->daemon('podi_dispatchd', dispatch => '50ms');
$runnerd = runnerd();
is scalar($h->log($runnerd, 'provider.private')), 1,
    'the exemption for tests is warned of';

subtest 'a job' => sub {
    my $t = submit('scale.replicate');

    succeeds($t, 'succeeds');
    my ($media, @more) = results($t);
    my ($attempt) = attempts($t);
    my ($sent) = asked('submit');

    is scalar(@more), 0, 'with one result';
    is "$media->{width}x$media->{height} $media->{type} $media->{name}",
        '64x64 image/png cat.png', 'which was looked at';
    is sha256_hex($bucket->get($media->{object_key}) // ''), $media->{sha256},
        'and is stored';
    is "$attempt->{provider} $attempt->{remote_state}", 'replicate ended',
        'where it was is noted';
    like $attempt->{provider_ref}, qr/^job-\d+$/, 'and under which id';
    is_deeply $json->decode($attempt->{usage} // '{}'), { calls => 1 },
        'and what it used';
    my $asked = $json->decode($sent->{body})->{input};

    is $asked->{scale}, 4, 'it was asked as described';
    like $asked->{image}, qr{^http://\Q$bucket->{address}\E/b/t/u/},
        'with a permit for the input';
};

subtest 'other shapes of APIs' => sub {
    succeeds(submit('scale.fal'), 'a result that is one step more');
    succeeds(submit('scale.stability'), 'bytes for a form');
    my ($sent) = asked('submit');
    my $t = submit('draw.openai', prompt => 'a cat');

    succeeds($t, 'base64, at once');
    is scalar(results($t)), 1, 'with a result';
};

subtest 'a third party that is busy' => sub {
    asked('submit');
    $fake->play(provider => 'replicate', play => 'throttled', after => 1);
    my $t = submit('scale.replicate');

    succeeds($t, 'is asked again');
    is scalar(asked('submit')), 2, 'when it said';
    is $h->job($t)->{attempts}, 1, 'which is no attempt';
};

subtest 'content that is refused' => sub {
    $fake->play(provider => 'replicate', play => 'content');
    fails(submit('scale.replicate'), 'provider_refused');
    is scalar(asked('submit')), 1, 'and is not asked again';
};

subtest 'an answer that is lost' => sub {
    $fake->play(provider => 'replicate', play => 'reset_after');
    my $t = submit('scale.replicate');

    fails($t, 'provider_unknown', qr/did not answer/);
    is scalar(asked('submit')), 1, 'as it may have been begun';
    is_deeply [map { $_->{provider_ref} =~ /^[0-9a-f-]{36}$/ } attempts($t)],
        [1], 'what is known of it is kept';
    is scalar($h->log($runnerd, 'provider.unknown')), 1, 'and told';
};

subtest 'a third party that knows keys' => sub {
    $fake->play(provider => 'replicate', play => 'reset_after');
    $fake->play(provider => 'replicate', play => 'error503');
    my $t = submit('scale.once');

    succeeds($t, 'is asked again');
    my @sent = asked('submit');

    is scalar(@sent), 3, 'until it answers';
    my %keys = map { $_->{header}{'idempotency-key'} => 1 } @sent;

    is scalar(keys %keys), 1, 'always under the same key';
    is_deeply [map { $_->{remote_state} } attempts($t)], [('ended') x 3],
        'as another attempt';
};

subtest 'results that are none' => sub {
    $fake->play(provider => 'files', step => 'download', play => 'html');
    fails(submit('scale.replicate'), 'executor_failed', qr/no result/);

    asked('download');
    $fake->play(provider => 'files', step => 'download', play => 'redirect');
    fails(submit('scale.replicate'), 'executor_failed', qr/\(302\)/);
    is scalar(asked('download')), 1, 'a redirect leads nowhere';

    $fake->play(provider => 'replicate', step => 'poll', play => 'elsewhere',
                times => 9);
    fails(submit('scale.replicate'), 'executor_refused');
    is scalar(asked('download')), 0, 'nor does a URL of another host';
    $fake->reset;
    %asked = ();

    $fake->play(provider => 'files', step => 'download', play => 'truncated');
    succeeds(submit('scale.replicate'), 'what was cut is fetched again');
};

subtest 'a runner that dies' => sub {
    asked('submit');
    $fake->play(provider => 'replicate', play => 'polls', polls => 20);
    my $t = submit('scale.replicate');

    ok poll(20, sub { is_submitted($t) }), 'while something is made';
    kill 'KILL', $h->child($runnerd);
    succeeds($t, 'another takes the job over');
    is scalar(asked('submit')), 1, 'and asks for nothing new';
    is_deeply [map { $_->{remote_state} } attempts($t)], ['ended', 'ended'],
        'as another attempt';
};

subtest 'a job that is cancelled' => sub {
    asked('cancel');
    $fake->play(provider => 'replicate', play => 'never');
    my $t = submit('scale.replicate');

    poll(20, sub { is_submitted($t) });
    $w->cancel($ann, $t->{task_id}, $t->{task_id});
    is $h->ended($t, 60)->{state}, 'cancelled', 'ends';
    ok poll(20, sub { asked('cancel') }), 'there, too';
};

subtest 'no money, and no key' => sub {
    $fake->play(provider => 'replicate', play => 'no_money');
    fails(submit('scale.poor'), 'provider_quota', qr/no room|not asked/);
    $fake->play(provider => 'replicate', play => 'no_money');
    succeeds(submit('fall.broke'), 'another third party is asked');
    succeeds(submit('fall.keyless'), 'when there is no key, too');

    $fake->play(provider => 'replicate', play => 'unauthorized', times => 3);
    fails(submit('scale.denied'), 'provider_auth', qr/key|not asked/);
    $fake->reset;
    %asked = ();

    ok $ctl->one(undef, 'select * from sys.provider_key_disable(?, ?)',
                 'replicate', 'api'), 'a key is disabled';
    fails(submit('scale.replicate'), 'provider_auth', qr/no key/);
    is scalar(asked('submit')), 0, 'and used by nobody';
    unlike $h->text($runnerd), qr/test-key/, 'no log holds a key';
};

$h->stop($runnerd);
$h->whole;
done_testing;
