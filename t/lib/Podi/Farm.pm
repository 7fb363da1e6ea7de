package Podi::Farm;

# podi_runnerd with a farm of fake ComfyUI servers, for a test.
#
#     my $farm = Podi::Farm->new;              # PostgreSQL, Redis, a bucket
#     $farm->server(a => $fake, slots => 2);   # and what its row says besides;
#                                              # runners know it anew
#     $farm->workflow('scale');  $farm->action('farm.scale', 'scale', labels => [])
#     $farm->runnerd(follow_poll => '1s');     # the settings, over quick ones
#     $farm->seen('a', 'b');                   # waits until they are up
#     $farm->only('a');                        # all others take nothing new
#     my $t = $farm->submit('farm.scale', width => 3);
#     $farm->where($t)                         # ['a', 'b']: of each attempt
#     $farm->key('add', 'main', 'secret');     # of the provider comfyui
#     my $path = $farm->secret('name', 'text'); # a file that is nobody else's
#
# {h} is the Podi::Hands, {w} the Podi::Work, {d} the daemon.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use JSON::PP ();

use Podi::Bucket;
use Podi::Hands;
use Podi::Pg;
use Podi::Picture;
use Podi::Proc qw(poll);

my $json = JSON::PP->new->canonical;
my %GRAPH = (
    1 => { class_type => 'LoadImage', inputs => { image => 'x.png' } },
    2 => { class_type => 'ImageScale', inputs => {
           image => ['1', 0], upscale_method => 'nearest-exact', width => 8,
           height => 6, crop => 'disabled' } },
    3 => { class_type => 'SaveImage', inputs => {
           images => ['2', 0], filename_prefix => 'ComfyUI' } },
);
my %MAPPING = (
    params  => { width => [{ node => '2', input => 'width',
                             type => 'integer' }] },
    inputs  => [{ node => '1', input => 'image' }],
    outputs => [{ node => '3' }],
);


sub new
{
    my ($class, %option) = @_;
    my $p = Podi::Picture->new;
    my $h = Podi::Hands->new;
    my $self = bless { p => $p, h => $h, w => $h->{work},
        ann => $h->{work}->person('farmer', 10_000),
        ctl => $h->{db}{ctl}, super => $h->{db}->super, servers => {},
        bucket => Podi::Bucket->start("$h->{dir}/bucket"),
        tmp => "$h->{dir}/tmp", %option }, $class;

    mkdir $self->{tmp};
    $self->{store_key} = $self->secret('store', "ID:SECRET\n");
    $self->{kek} = $self->secret('kek', 'ab' x 32);
    $self->{conf} = $self->secret('ctl.conf', "[common]\nlease = 12s\n"
        . "[podictl]\nredis = $h->{redis}\nkek_file = $self->{kek}\npg = "
        . $h->{pg}->conninfo('podi_ctl', $h->{db}{name}) . "\n");
    $self->{photo} = Podi::Picture::bytes($p->corners('png', width => 20,
                                                      height => 16));
    system('make', '-s', '-j1', '-C', "$Podi::Pg::ROOT/workers",
           "PODI_BUILD=$h->{build}", "$h->{build}/bin/podi_runnerd") == 0
        or die 'podi_runnerd does not build';
    $self->put('queue_put', { queue => 'comfyui', label => 'ComfyUI' });
    return $self;
}


sub secret
{
    my ($self, $name, $text) = @_;
    my $path = "$self->{h}{dir}/$name";

    open my $out, '>', $path or die "$path: $!";
    print {$out} $text;
    close $out or die $!;
    chmod 0600, $path;
    return $path;
}


sub put
{
    my ($self, $function, $row) = @_;

    return $self->{ctl}->one(undef, "select * from sys.$function(?)",
                             $json->encode($row));
}


sub server
{
    my ($self, $name, $fake, %row) = @_;

    my $was = $self->{servers}{$name} && $self->{super}->value(undef,
        'select state from podi.comfy_server where server = ?', $name);

    # a row that does not change is the same record
    $self->put('comfy_server_put', { server => $name, state => 'disabled' })
        if $was;
    $self->{servers}{$name} = $fake;
    return $self->put('comfy_server_put', { server => $name,
        url => $fake->url, state => $was || 'active', %row });
}


sub only
{
    my ($self, @name) = @_;
    my %active = map { $_ => 1 } @name;

    for my $name (sort keys %{ $self->{servers} }) {
        my $state = $active{$name} ? 'active' : 'disabled';

        $self->put('comfy_server_put', { server => $name, state => $state })
            if $state ne $self->{super}->value(undef, 'select state from'
                   . ' podi.comfy_server where server = ?', $name);
    }
    return $self;
}


# all of them were seen after the last change of their row
sub seen
{
    my ($self, @name) = @_;

    return poll(20, sub { @name == $self->{super}->value(undef,
        'select count(*) from podi.comfy_seen n join podi.comfy_server s using'
        . ' (server) where n.ok and n.nodes is not null and n.at > s.updated_at'
        . ' and s.server = any (?)', \@name) });
}


# models: names that it needs besides; nobody loads them
sub workflow
{
    my ($self, $name, %o) = @_;
    my $n = 10;
    my %graph = (%GRAPH, map { ($n++ => { class_type =>
        'CheckpointLoaderSimple', inputs => { ckpt_name => $_ } }) }
        @{ $o{models} || [] });

    $self->put('comfy_workflow_put', { workflow => $name, graph => \%graph,
        mapping => \%MAPPING, idle_ms => $o{idle_ms} // 60_000 });
    $self->{ctl}->one(undef, 'select * from sys.comfy_workflow_publish(?, null)',
                      $name);
    return;
}


sub action
{
    my ($self, $action, $workflow, %more) = @_;
    my $text = { zh => 'x', en => 'x' };

    return $self->put('action_put', { action => $action, queue => 'comfyui',
        label => $text, description => $text,
        schema => { type => 'object', additionalProperties => \0,
                    properties => { width => { type => 'integer' } } },
        accepts => ['image/png'], price => 5, timeout_ms => 60_000,
        max_attempts => 3, max_wait_ms => 60_000,
        executor => { kind => 'comfy', workflow => $workflow, %more } });
}


sub runnerd
{
    my ($self, %own) = @_;

    return $self->{d} = $self->{h}->daemon('podi_runnerd',
                                           $self->settings(%own));
}


sub settings
{
    my ($self, %own) = @_;

    return (work_dir => $self->{tmp}, concurrency => 40, memory => '1g',
        servers_every => '100ms', follow_poll => '20ms',
        follow_poll_max => '200ms', follow_away => '2s', follow_grace => '1s',
        kek_file => $self->{kek}, %own,
        stores => "local type=s3 endpoint=http://$self->{bucket}{address}"
                  . " bucket=b region=r key_file=$self->{store_key}");
}


# (exit code, what it said)
sub key
{
    my ($self, $verb, $name, $secret) = @_;
    my $in = $self->secret('stdin', $secret // '');
    my $said = Podi::Pg::run_quiet('bash', '-c', '"$@" < "$0"', $in,
        "$self->{h}{build}/bin/podictl", '-c', $self->{conf}, 'key', $verb,
        'comfyui', $name);

    return ($? >> 8, $said);
}


# the picture of all jobs; a job leaves it as it is
sub upload
{
    my ($self) = @_;

    return $self->{media} if $self->{media};
    my $id = $self->{w}->media($self->{ann}, type => 'image/png',
                               name => 'cat.png');

    $self->{super}->all(undef, 'update podi.media set bytes = ?, sha256 = ?,'
        . ' object_key = ? where media_id = ?', length $self->{photo},
        sha256_hex($self->{photo}), "t/u/$id", $id);
    $self->{bucket}->put("t/u/$id", $self->{photo});
    return $self->{media} = $id;
}


sub submit
{
    my ($self, $action, %params) = @_;

    return $self->{w}->submit($self->{ann}, inputs => [$self->upload],
        actions => [{ action => $action, params => { width => 8, %params } }]);
}


sub attempts
{
    my ($self, $t) = @_;

    return $self->{super}->all(undef, 'select * from podi.attempt'
        . ' where job_id = ? order by fence', $t->{jobs}[0]{job_id});
}


# the servers that it was at, one after the other
sub where
{
    my ($self, $t) = @_;

    return [map { s/^comfy://r } grep { defined }
            map { $_->{provider} } @{ $self->attempts($t) }];
}

1;
