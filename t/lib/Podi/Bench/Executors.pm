package Podi::Bench::Executors;

# What the shapes of t/bench/executors.pl are given: a runner of our own with
# durable PostgreSQL, and others' servers, quick.
#
#     my $port = $x->server('comfyd', $work_ms);    # a program of t/bench
#     $x->daemon('comfyui', $port, %settings)       # podi_runnerd; its parent
#     my %cpu = $x->cpu;                            # seconds so far, by part
#     my ($cpu, $mib) = Podi::Bench::Executors::tree($pid);
#
# Settings of the daemons are those that they have by default, but where a
# shape says so.

use strict;
use warnings;

use HTTP::Tiny ();
use POSIX ();
use Podi::Bench;
use Podi::Comfy;
use Podi::Fault;
use Podi::Proc qw( poll reaped spawn children );
use Podi::Runner;


sub new
{
    my ($class) = @_;
    my $bench = Podi::Bench->new('executors');
    my $r = Podi::Runner->new(alone => 1, hands => { durable => 1,
        pg_conf => { track_commit_timestamp => 'on',
                     shared_buffers => '128MB' } });
    my $self = bless { bench => $bench, r => $r, servers => [],
                       dir => $r->{h}{dir} . '/played' }, $class;

    mkdir $self->{dir};
    $self->files;
    $self->{dispatchd} = $r->{h}->daemon('podi_dispatchd', quiet());
    $r->{ann} = $r->{w}->person('bea', 1_000_000);
    return $self;
}


sub bench  { $_[0]{bench} }
sub runner { $_[0]{r} }


# as it runs somewhere: the tests have theirs in a hurry, and tell all
sub quiet
{
    return (log_level => 'info', lease => '12s', beat => '4s', poll => '1s',
            retry_base => '1s');
}


# what a ComfyUI tells of itself, from the fake of the tests; a picture
sub files
{
    my ($self) = @_;
    my $fake = Podi::Comfy->start(keep => 1);

    for my $name (qw( system_stats object_info )) {
        my $r = HTTP::Tiny->new->get($fake->url . "/$name");

        die "the fake says $r->{status}" if !$r->{success};
        Podi::Runner::write_file("$self->{dir}/$name", $r->{content});
    }
    $fake->stop;

    $self->input(picture($self, 64, 48));
    return;
}


# a picture of that size, some 2 bytes a pixel
sub picture
{
    my ($self, $width, $height) = @_;
    my $file = "$self->{dir}/picture.png";

    return Podi::Fault::slurp(Podi::Fault::picture($file, $width, $height, 0));
}


# what goes in from now on
sub input
{
    my ($self, $bytes) = @_;

    $self->{r}{photo} = $bytes;
    return Podi::Runner::write_file("$self->{dir}/input", $bytes);
}


# what the servers that are started from now on have made
sub output
{
    my ($self, $bytes) = @_;

    return Podi::Runner::write_file("$self->{dir}/output", $bytes);
}


# a file that nobody looks into: it is stored as it is
sub video
{
    my ($bytes) = @_;

    return pack('N', 24) . 'ftypisom' . "\0\0\2\0isomiso2"
        . pack('N', $bytes - 24) . 'mdat' . 'x' x ($bytes - 32);
}


sub server
{
    my ($self, $program, @arg) = @_;
    my $out = "$self->{dir}/$program.out";

    unlink $out;
    push @{ $self->{servers} }, spawn(log => $out, cmd => [
        $self->bench->pinned($self->bench->program($program), $self->{dir},
                             @arg)]);
    return poll(20, sub { Podi::Bench::Tools::slurped($out) =~ /^(\d+)$/m
                          ? $1 : 0 }) || die "$program does not start";
}


sub daemon
{
    my ($self, $queue, $port, %own) = @_;

    return $self->{r}->daemon($queue, servers_every => '3s',
        follow_poll => '1s', follow_poll_max => '5s', follow_away => '60s',
        left_every => '2s', left_wait => '30s', quiet(),
        stores => $self->{r}->store("127.0.0.1:$port"), %own);
}


# --- what it costs -----------------------------------------------------------

# seconds of a process, of its children that have ended, and of those there are
# under it; MiB of memory that is their own
sub tree
{
    my ($pid) = @_;
    my @field = split ' ', Podi::Bench::Tools::slurped("/proc/$pid/stat")
                           =~ s/^.*\) //sr;
    my $ticks = 0;
    my $mib = eval { Podi::Bench::Tools::pss($pid) / 1048576 } // 0;

    $ticks += $_ for @field[11 .. 14];
    my $cpu = $ticks / POSIX::sysconf(POSIX::_SC_CLK_TCK());

    for my $child (children($pid)) {
        my ($more, $memory) = tree($child);

        $cpu += $more;
        $mib += $memory;
    }
    return ($cpu, $mib);
}


# seconds of PostgreSQL and Redis so far
sub behind
{
    my ($self) = @_;
    my $h = $self->{r}{h};
    my ($postmaster) = Podi::Bench::Tools::slurped(
        "$h->{pg}{dir}/data/postmaster.pid") =~ /^(\d+)/;

    return map { (tree($_))[0] } $postmaster, $h->{redis_pid};
}


sub DESTROY
{
    my ($self) = @_;

    local ($?, $!, $@);
    for my $pid (@{ $self->{servers} }) {
        kill 'KILL', $pid;
        waitpid $pid, 0;
    }
}

1;
