package Podi::Bench::Jobs::Side;

# What both sides of a comparison of queues have: a log of what was done.
#
#     S job ns pid   its first step runs      E   its work is over
#     D              its completion is stored (peers only)

use strict;
use warnings;

use Podi::Bench::Tools;
use Podi::Proc qw( poll );


# it is open for appending, so it is emptied, not replaced
sub empty_log
{
    my ($self) = @_;

    open my $out, '>', $self->{log} or die "$self->{log}: $!";
    chmod 0666, $self->{log};
}


sub marks
{
    my ($self) = @_;

    return map { [split] } grep { /^[SED] \S+ \d+ \d+$/ }
           split /\n/, Podi::Bench::Tools::slurped($self->{log});
}


# job => ns of its first mark of a kind
sub first
{
    my ($self, $what) = @_;
    my %at;

    $at{ $_->[1] } //= $_->[2] for grep { $_->[0] eq $what } $self->marks;
    return \%at;
}


# how many different jobs have such a mark
sub count
{
    my ($self, $what) = @_;

    return scalar keys %{ $self->first($what) };
}


# the first calls find nothing connected and nothing prepared; rate, 20 a
# second; wait: until the jobs of these calls are done
sub warm
{
    my ($self, %arg) = @_;
    my ($due) = $self->produce($arg{rate} // 20, 1, %arg,
                               prefix => 'w' . ($arg{rate} // ''));

    $self->wait_for('E', scalar keys %$due, 10) if $arg{wait};
}


sub wait_for
{
    my ($self, $what, $n, $seconds) = @_;

    return poll($seconds, sub { $self->count($what) >= $n });
}

1;
