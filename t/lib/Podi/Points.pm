package Podi::Points;

# Points where a process dies or stops, in the build with faults: those of
# shared/base/podi_faults.def.
#
#     my $points = Podi::Points->new("$dir/points");   # and then start things
#     ... ->new("$dir/points", who => 'runnerd')       # all points in that one
#     my ($s, $points) = Podi::Points->stack(workers => 1, http => '...');
#     $points->arm('settle_ask', 'pause');        # or 'kill': for one process
#     my $pid = $points->hit('settle_ask');       # who was there, if anybody was
#     my $pid = $points->wait('settle_ask');      # ... once somebody was
#     kill CONT => $pid;                          # on, once it has stopped

use strict;
use warnings;

use Podi::Proc qw( poll );
use Podi::Repo qw( root slurp );
use Podi::Stack;


sub table
{
    our @point;
    return @point if @point;
    my $text = slurp('shared/base/podi_faults.def');

    while ($text =~ /^PODI_FAULT_POINT\((\w+), (\w+), (\w+), "([^"]+)"\)$/mg) {
        push @point, { name => $1, who => $2, peer => $3, what => $4 };
    }
    return @point;
}


sub build
{
    return ($ENV{PODI_BUILD} // root() . '/var/build') . '/faults';
}


sub new
{
    my ($class, $dir, %option) = @_;

    mkdir $dir or die "$dir: $!";
    chmod 0777, $dir;
    $ENV{PODI_FAULT_DIR} = $dir;
    return bless { dir => $dir, %option }, $class;
}


# not started yet; workers: as many as there are otherwise
sub stack
{
    my ($class, %option) = @_;
    my $workers = delete $option{workers};
    my $s = Podi::Stack->new(build => build(), rewrite => sub {
        my ($file, $text) = @_;

        return $text if $file ne 'nginx.conf';
        $text =~ s/^(worker_processes) (.*);$/"$1 " . ($workers \/\/ $2)
                   . ";\nenv PODI_FAULT_DIR;"/me or die 'no worker_processes';
        return $text;
    }, %option);

    $s->allow_errors(qr/exited on signal 9/);
    return ($s, $class->new($s->dir . '/points'));
}


# the file of a point, in the program that it is in the table for, unless it is
# to be another that has the same code
sub _file
{
    my ($self, $name) = @_;
    my ($point) = grep { $_->{name} eq $name } table() or die "no point $name";
    my $who = $self->{who} // $point->{who};

    return "$self->{dir}/" . ($who eq 'nginx' ? $who : "podi_$who") . ".$name";
}


sub arm
{
    my ($self, $name, $act) = @_;
    my $path = $self->_file($name);

    unlink "$path.hit";
    open my $out, '>', "$path.new" or die "$path.new: $!";
    print {$out} $act;
    close $out or die "$path.new: $!";
    chmod 0666, "$path.new";
    rename "$path.new", $path or die "$path: $!";
}


# nobody was there, and nobody shall stop there any more
sub disarm
{
    my ($self, $name) = @_;

    unlink $self->_file($name);
}


# the pid of who was there; a stopped one has stopped by now
sub hit
{
    my ($self, $name) = @_;

    open my $in, '<', $self->_file($name) . '.hit' or return;
    my ($act, $pid) = (<$in> // '') =~ /^(\w+) (\d+)\n/ or return;

    return $pid if $act eq 'kill';
    return state_of($pid) =~ /[tT]/ ? $pid : undef;
}


sub wait
{
    my ($self, $name) = @_;

    return poll(10, sub { $self->hit($name) }) || die "nobody was at $name";
}


sub state_of
{
    my ($pid) = @_;

    open my $in, '<', "/proc/$pid/stat" or return '';
    return (<$in> // '') =~ /\) (\w)/ ? $1 : '';
}

1;
