package Podi::Stack::Check;

# What every test of a stack promises at its end.

use strict;
use warnings;

use File::Find ();
use Test::More ();
use Podi::Proc qw( poll open_files clients_of gone $SANITIZER );


# error lines that this test provokes
sub allow_errors
{
    my ($self, @patterns) = @_;

    push @{ $self->{allowed} }, @patterns;
}


# what the nginx worker with most files holds, beside sockets
sub _held
{
    my ($self) = @_;
    my @files = sort { @$a <=> @$b }
        map { (open_files($_))[1] } $self->nginx->workers;

    return $files[-1] // [];
}


# once the workers have opened all that they open at their start: nothing says
# that they have, so several looks must agree, more of them where all is slow
sub baseline
{
    my ($self) = @_;
    my $wanted = $ENV{SAN} ? 12 : 4;
    my ($last, $same) = (-1, 0);

    poll(10, sub {
        my $now = @{ $self->_held };

        $same = $now == $last && $now > 0 ? $same + 1 : 0;
        $last = $now;
        return $same == $wanted;
    });
    $self->{baseline} = $last;
}


sub _logs
{
    my ($self) = @_;
    my @files = grep { -f } glob "$self->{dir}/log/*";

    return grep { !m{/podi_access\.log$} } @files;
}


# lines that someone must look at: nginx's error.log, the daemons' JSON
sub bad_lines
{
    my ($self) = @_;
    my @bad;

    for my $file ($self->_logs) {
        open my $in, '<', $file or next;
        push @bad, grep {
            /\[(?:error|crit|alert|emerg)\]/
            || /"level":"(?:error|crit|fatal|alert)"/
            || /\bAssertion .*failed|podi_assert/ || $_ =~ $SANITIZER
        } <$in>;
    }

    for my $allowed (@{ $self->{allowed} }) {
        @bad = grep { $_ !~ $allowed || $_ =~ $SANITIZER } @bad;
    }

    return @bad;
}


sub _temp_files
{
    my ($self) = @_;
    my @files;

    File::Find::find({ no_chdir => 1, wanted => sub {
        push @files, $_ if -f && m{^\Q$self->{dir}\E/tmp/|\.(?:tmp|part)$};
    } }, grep { -d } map { "$self->{dir}/$_" } qw( tmp store ));
    return @files;
}


sub _left_behind
{
    my ($self) = @_;
    my $nginx = $self->{parts}{nginx};

    return () if !$nginx || !$nginx->running;

    my @pids = $nginx->pids;
    my @left = map { "connection from port $_->{remote}" }
        clients_of(\@pids, $self->{port}, $self->{tls_port});

    push @left, map { grep { / \(deleted\)$/ && m{^\Q$self->{dir}\E/} }
                      @{ (open_files($_))[1] } } @pids;
    push @left, $self->_temp_files;

    my $held = $self->_held;

    push @left, "a worker holds @$held, it began with $self->{baseline} files"
        if @$held > $self->{baseline};
    return @left;
}


sub _broken
{
    my ($self) = @_;
    my $rows = eval { $self->{db}->breaks };

    return "the check itself failed: $@" if !$rows;
    return map { "$_->{inv} $_->{id}" } @$rows;
}


# the last thing of a test: four points
sub done
{
    my ($self) = @_;
    my @left;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    poll($self->{patience}, sub { @left = $self->_left_behind; !@left });
    _none('nothing is left behind', @left);
    _none('no invariant is broken', $self->_broken)
        if !$self->{pg} || $self->{pg}{running};

    return _none('no unexpected error lines', $self->bad_lines)
        if $self->{shared};

    my @seen = map { $_->remember; $_->seen } values %{ $self->{parts} };
    $self->stop;
    poll(10, sub { !grep { !gone($_) } @seen });
    _none('every process is gone', grep { !gone($_) } @seen);
    _none('no unexpected error lines', $self->bad_lines);
}


sub _none
{
    my ($what, @items) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    Test::More::ok(!@items, $what);
    Test::More::diag(map { s/\n?\z/\n/r } @items[0 .. ($#items < 19 ? $#items : 19)])
        if @items;
}

1;
