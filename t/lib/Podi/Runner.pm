package Podi::Runner;

# podi_runnerd of a test's own, with all that it needs: daemons' hands, a
# bucket, a fake ComfyUI, a fake third party.
#
#     my $r = Podi::Runner->new;                # or (hands => {...}, ...);
#                                               # alone => 1: without fakes
#     $r->comfy('one', $r->{comfy}->url);       # a server, its workflow
#     $r->third('replicate');                   # a description, in a hurry
#     my $d = $r->daemon('comfyui');            # podi_runnerd of that queue
#     $r->publish('scale');                     # and its action
#     my $t = $r->submit('comfy.scale', width => 32);
#     $r->attempts($t), $r->results($t)
#
# Actions: comfy.scale (price 5), and scale.<third party>.  Members: h (hands),
# w (work), ann, db, bucket, comfy, third (the fakes).

use strict;
use warnings;

use Digest::SHA qw( sha256_hex );
use JSON::PP ();
use Podi::Bucket;
use Podi::Comfy;
use Podi::Hands;
use Podi::Picture;
use Podi::Provider;
use Podi::Proc qw( poll );

our %GRAPH = (
    1 => { class_type => 'LoadImage', inputs => { image => 'x.png' } },
    2 => { class_type => 'ImageInvert', inputs => { image => ['1', 0] } },
    3 => { class_type => 'ImageScale', inputs => {
           image => ['2', 0], upscale_method => 'lanczos', width => 64,
           height => 48, crop => 'disabled' } },
    4 => { class_type => 'SaveImage', inputs => {
           images => ['3', 0], filename_prefix => 'ComfyUI' } },
);
our %MAPPING = (
    params  => { width => [{ node => '3', input => 'width',
                             type => 'integer' }] },
    inputs  => [{ node => '1', input => 'image' }],
    outputs => [{ node => '4' }],
);

my $json = JSON::PP->new->canonical;


sub new
{
    my ($class, %option) = @_;
    my $h = Podi::Hands->new(%{ $option{hands} // {} });
    my $p = Podi::Picture->new;
    my $self = bless { h => $h, w => $h->{work}, ann => $h->{ann}, p => $p,
                       ctl => $h->{db}{ctl}, db => $h->{db}->super },
        $class;
    my $dir = $h->{dir};

    mkdir "$dir/$_" for qw( tmp providers );
    if (!$option{alone}) {
        $self->{bucket} = Podi::Bucket->start("$dir/bucket");
        $self->{comfy} = Podi::Comfy->start(%{ $option{comfy} // {} });
        $self->{third} = Podi::Provider->new;
    }
    $self->{key} = write_file("$dir/key", "ID:SECRET\n", 0600);
    $self->{kek} = write_file("$dir/kek", 'ab' x 32, 0600);
    $self->{photo} = Podi::Picture::bytes($p->corners('png', width => 40,
                                                      height => 30));
    return $self if $option{hands}{build};

    system('make', '-s', '-j1', '-C', "$Podi::Pg::ROOT/workers",
           "PODI_BUILD=$h->{build}",
           map { "$h->{build}/bin/$_" } qw( podi_runnerd podi_imaged )) == 0
        or die 'podi_runnerd does not build';
    return $self;
}


sub write_file
{
    my ($path, $text, $mode) = @_;

    open my $out, '>', $path or die "$path: $!";
    print {$out} $text;
    close $out or die "$path: $!";
    chmod $mode, $path if $mode;
    return $path;
}


sub put
{
    my ($self, $function, $row) = @_;

    return $self->{ctl}->one(undef, "select * from sys.$function(?)",
                             $json->encode($row));
}


sub action
{
    my ($self, $name, %own) = @_;
    my $text = { zh => 'x', en => 'x' };

    return $self->put('action_put', {
        action => $name, label => $text, description => $text,
        accepts => ['image/png'], price => 5, timeout_ms => 60_000,
        max_attempts => 3, max_wait_ms => 60_000,
        schema => { type => 'object', additionalProperties => \0,
                    properties => { width => { type => 'integer' } } },
        %own });
}


# --- ComfyUI -----------------------------------------------------------------

sub server
{
    my ($self, $name, $url, %own) = @_;

    return $self->put('comfy_server_put', { server => $name, url => $url,
                                            %own });
}


sub workflow
{
    my ($self, $name, %own) = @_;

    return $self->put('comfy_workflow_put', { workflow => $name,
        graph => \%GRAPH, mapping => \%MAPPING, idle_ms => 60_000, %own });
}


# goes live once a server is known to have what it needs; its action with it
sub publish
{
    my ($self, $name, %own) = @_;

    poll(20, sub { $self->{db}->value(undef, 'select count(*) from'
        . ' podi.comfy_seen where ok and nodes is not null') })
        or die 'no server was seen';
    $self->{ctl}->one(undef,
        'select * from sys.comfy_workflow_publish(?, null)', $name);
    return $self->action("comfy.$name", queue => 'comfyui',
        executor => { kind => 'comfy', workflow => $name }, %own);
}


# rows of a farm of one
sub comfy
{
    my ($self, $name, $url, %own) = @_;

    $self->put('queue_put', { queue => 'comfyui', label => 'ComfyUI' });
    $self->server($name, $url, %own);
    $self->workflow('scale');
    return;
}


# --- third parties -----------------------------------------------------------

# name; of: whose description; once: a header that makes asking repeatable
sub third
{
    my ($self, $name, %own) = @_;
    my $dir = "$self->{h}{dir}/providers";
    my $d = $json->decode($self->{third}->description($own{of} // $name));

    $d->{name} = $name;
    $d->{common}{poll}{schedule} = { first_ms => 20, factor => 1.5,
                                     max_ms => 100 } if $d->{common}{poll};
    $d->{common}{submit}{idempotency_header} = $own{once} if $own{once};
    write_file("$dir/$name.json", $json->encode($d));

    $self->put('queue_put', { queue => 'http', label => 'HTTP' });
    $self->action("scale.$name", queue => 'http', executor => {
        kind => 'provider', provider => $name, operation => 'upscale',
        set => { model => 'a/b' } });
    return $self->secret($name);
}


sub secret
{
    my ($self, $provider) = @_;
    my $h = $self->{h};
    my $in = write_file("$h->{dir}/secret", 'test-key');
    my $conf = $h->conf('podictl', kek_file => $self->{kek},
        pg => $h->{pg}->conninfo('podi_ctl', $h->{db}{name}));
    my $build = $ENV{PODI_BUILD} // "$Podi::Pg::ROOT/var/build";

    system("$build/bin/podictl -c $conf key add $provider api <$in"
           . ' >/dev/null') == 0 or die "no key for $provider";
    return;
}


# --- the daemon, and jobs ----------------------------------------------------

sub daemon
{
    my ($self, $queue, %own) = @_;
    my $h = $self->{h};
    my $locks = "$h->{dir}/locks-$queue";

    mkdir $locks;
    return $h->daemon('podi_runnerd', queue => $queue, concurrency => 20,
        work_dir => "$h->{dir}/tmp", memory => '1g', pid_dir => $locks,
        kek_file => $self->{kek}, providers_dir => "$h->{dir}/providers",
        providers_private => 'on', servers_every => '100ms',
        follow_poll => '20ms', follow_poll_max => '100ms',
        follow_away => '2s', left_every => '100ms', left_wait => '100ms',
        stores => $self->store(
            $self->{bucket} && $self->{bucket}{address}), %own);
}


sub store
{
    my ($self, $address) = @_;

    return 'local type=s3 bucket=b region=r endpoint=http://'
        . ($address // '') . " key_file=$self->{key}";
}


sub upload
{
    my ($self, $bytes, $name) = @_;

    $bytes //= $self->{photo};
    my $id = $self->{w}->media($self->{ann}, type => 'image/png',
                               name => $name // 'cat.png');

    $self->{db}->all(undef, 'update podi.media set bytes = ?, sha256 = ?,'
        . ' object_key = ? where media_id = ?', length $bytes,
        sha256_hex($bytes), "t/u/$id", $id);
    $self->{bucket}->put("t/u/$id", $bytes) if $self->{bucket};
    return $id;
}


sub submit
{
    my ($self, $action, %params) = @_;

    return $self->{w}->submit($self->{ann}, inputs => [$self->upload],
        actions => [{ action => $action, params => \%params }]);
}


sub attempts
{
    my ($self, $t) = @_;

    return @{ $self->{db}->all(undef, 'select * from podi.attempt'
        . ' where job_id = ? order by fence', $t->{jobs}[0]{job_id}) };
}


sub results
{
    my ($self, $t) = @_;

    return @{ $self->{db}->all(undef, 'select * from podi.media'
        . ' where task_id = ? order by created_at', $t->{task_id}) };
}


1;
