package Podi::ThirdParty;

# podi_runnerd with third parties that are played (Podi::Provider): one stack
# for many checks.
#
#     my $s = Podi::ThirdParty->new;
#     $s->describe('paid', of => 'volc_ark', edit => sub { $_[0]{...} });
#     $s->key('paid');                          # podictl key add
#     $s->action('draw', provider => 'paid', operation => 'text_to_image');
#     $s->runnerd;                              # with all of that
#     $s->runnerd(beside => 1);                 # while another one runs
#     my $t = $s->submit('draw', prompt => 'a cat');
#     $s->succeeds($t, 'why');  $s->fails($t, 'provider_quota', qr/money/);
#     $s->asked('submit')                       # requests of a step, new ones
#     $s->attempts($t), $s->results($t), $s->log('provider.unknown')
#
# Polls are in a hurry.  Points are counted: what failed has cost nothing.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use JSON::PP ();
use Test::More ();
use Podi::Bucket;
use Podi::Hands;
use Podi::Pg;
use Podi::Picture;
use Podi::Proc qw(poll);
use Podi::Provider;

my $json = JSON::PP->new->canonical;


sub new
{
    my ($class) = @_;
    my $picture = Podi::Picture->new;
    my $h = Podi::Hands->new;
    my $self = bless {
        picture => $picture, h => $h, made => 0, asked => {}, runnerds => [],
        super => $h->{db}->super, ctl => $h->{db}{ctl},
        key => $picture->write('key', "ID:SECRET\n"),
        kek => $picture->write('kek', 'ab' x 32),
        photo => Podi::Picture::bytes($picture->corners('png', width => 40,
                                                        height => 30)),
    }, $class;

    $self->{bucket} = Podi::Bucket->start("$h->{dir}/bucket");
    $self->{fake} = Podi::Provider->new;
    chmod 0600, $self->{key}, $self->{kek};
    mkdir "$h->{dir}/$_" for qw(tmp providers);
    system('make', '-s', '-j1', '-C', "$Podi::Pg::ROOT/workers",
           "PODI_BUILD=$h->{build}", "$h->{build}/bin/podi_runnerd") == 0
        or die 'podi_runnerd does not build';

    $self->{ctl}->one(undef, 'select * from sys.queue_put(?)',
                      $json->encode({ queue => 'http', label => 'HTTP' }));
    return $self;
}


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
    my ($self, $name, %more) = @_;
    my $d = $json->decode($self->{fake}->description($more{of} // $name));

    $d->{name} = $name;
    delete $d->{common}{limits};
    $_->{poll}{schedule} = { first_ms => 20, factor => 1.5, max_ms => 100 }
        for grep { $_->{poll} } $d->{common} // (), values %{ $d->{operations} };
    $more{edit}->($d) if $more{edit};
    return write_file("$self->{h}{dir}/providers/$name.json",
                      $json->encode($d));
}


sub podictl
{
    my ($self, @words) = @_;
    my $h = $self->{h};
    my $conf = $h->conf('podictl', kek_file => $self->{kek},
        pg => $h->{pg}->conninfo('podi_ctl', $h->{db}{name}));

    return system("$h->{build}/bin/podictl -c $conf @words >/dev/null") == 0;
}


sub key
{
    my ($self, $provider, $secret) = @_;
    my $in = write_file("$self->{h}{dir}/secret", $secret // 'test-key');

    $self->podictl("key add $provider api <$in") or die "key of $provider";
    return;
}


sub action
{
    my ($self, $name, %executor) = @_;
    my $text = { zh => 'x', en => 'x' };
    my %more = map { ($_ => delete $executor{$_}) }
        grep { exists $executor{$_} }
            qw(max_attempts max_wait_ms timeout_ms gates inputs accepts);

    $self->{ctl}->one(undef, 'select * from sys.action_put(?)', $json->encode({
        action => $name, queue => 'http', label => $text,
        description => $text, accepts => ['image/png'], price => 5,
        timeout_ms => 60_000, max_attempts => 3, max_wait_ms => 60_000,
        schema => { type => 'object', additionalProperties => \0,
                    properties => { prompt => { type => 'string' } } },
        executor => { kind => 'provider', %executor }, %more }));
    return;
}


sub runnerd
{
    my ($self, %own) = @_;
    my $h = $self->{h};
    my $beside = delete $own{beside};
    my $conf = $h->conf('podi_runnerd', queue => 'http', concurrency => 20,
        work_dir => "$h->{dir}/tmp", memory => '1g', kek_file => $self->{kek},
        providers_dir => "$h->{dir}/providers", providers_private => 'on',
        stores => "local type=s3 endpoint=http://$self->{bucket}{address}"
                  . " bucket=b region=r key_file=$self->{key}", %own);

    if ($beside) {
        open my $in, '<', $conf or die "$conf: $!";
        my @lines = <$in>;

        mkdir "$h->{dir}/beside";
        s{^pid_dir = .*}{pid_dir = $h->{dir}/beside} for @lines;
        write_file($conf, join '', @lines);
    }

    my $d = $h->daemon('podi_runnerd', conf => $conf);

    push @{ $self->{runnerds} }, $d;
    return $d;
}


sub upload
{
    my ($self) = @_;
    my $id = $self->{h}{work}->media($self->{h}{ann}, type => 'image/png',
                                     name => 'cat.png');

    $self->{super}->all(undef, 'update podi.media set bytes = ?, sha256 = ?,'
        . ' object_key = ? where media_id = ?', length $self->{photo},
        sha256_hex($self->{photo}), "t/u/$id", $id);
    $self->{bucket}->put("t/u/$id", $self->{photo});
    return $id;
}


sub submit
{
    my ($self, $action, %params) = @_;

    return $self->{h}{work}->submit($self->{h}{ann},
        inputs => [$self->upload], actions => [{ action => $action,
                                                 params => \%params }]);
}


sub attempts
{
    my ($self, $t) = @_;

    return @{ $self->{super}->all(undef, 'select * from podi.attempt'
        . ' where job_id = ? order by fence', $t->{jobs}[0]{job_id}) };
}


sub results
{
    my ($self, $t) = @_;

    return @{ $self->{super}->all(undef, 'select * from podi.media'
        . ' where task_id = ?', $t->{task_id}) };
}


sub job
{
    my ($self, $t) = @_;

    return $self->{super}->all(undef, 'select * from podi.job'
        . ' where job_id = ?', $t->{jobs}[0]{job_id})->[0];
}


sub is_noted
{
    my ($self, $t, $state) = @_;

    return scalar grep { ($_->{remote_state} // '') eq $state }
                  $self->attempts($t);
}


# requests of a step since the last question about it
sub asked
{
    my ($self, $step) = @_;
    my @all = grep { ($_->{step} // '') eq $step } $self->{fake}->log;
    my $from = $self->{asked}{$step} // 0;

    $self->{asked}{$step} = @all;
    splice @all, 0, $from;
    return @all;
}


sub play
{
    my ($self, $provider, $play, %more) = @_;

    return $self->{fake}->play(provider => $provider, play => $play, %more);
}


sub forget
{
    my ($self) = @_;

    $self->{fake}->reset;
    $self->{asked} = {};
    return;
}


sub log
{
    my ($self, $event) = @_;

    return $self->{h}->log($self->{runnerds}[0], $event);   # one file
}


sub text
{
    my ($self) = @_;

    return $self->{h}->text($self->{runnerds}[0]);
}


sub succeeds
{
    my ($self, $t, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $self->{made}++;
    return Test::More::is($self->{h}->ended($t, 60)->{state}, 'succeeded',
                          $name)
        || Test::More::diag($json->encode($self->job($t)), $self->text);
}


# the job fails with that code, and nobody has paid
sub fails
{
    my ($self, $t, $code, $like) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    Test::More::is($self->{h}->ended($t, 60)->{state}, 'failed',
                   'the job fails');
    my $job = $self->job($t);

    Test::More::is($job->{error_code}, $code, "with $code")
        or Test::More::diag($self->text);
    Test::More::like($job->{error_detail}, $like, 'and a reason') if $like;
    Test::More::is_deeply($self->{h}{work}->wallet($self->{h}{ann}),
        [1000 - 5 * $self->{made}, 0], 'and all points are back');
    return;
}


sub done
{
    my ($self) = @_;

    $self->{h}->stop($_) for @{ $self->{runnerds} };
    $self->{h}->whole;
    return;
}


1;
