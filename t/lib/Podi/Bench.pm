package Podi::Bench;

# A side-by-side measurement: runs that alternate, their median and spread.
#
#     my $b = Podi::Bench->new('submit');
#     $b->compare('submit.rate', metric => 'throughput', unit => 'req/s',
#         peer => 'pgbench', ours => sub { ... }, theirs => sub { ... });
#     $b->done;
#
#     ours, theirs: one run each, giving (value) or (value, what went wrong)
#
# Prints "# facts" and lines of  name metric ours unit peer theirs ratio,
# separated by tabs; the same goes to $PODI_BENCH_OUT/<name>.json.  ratio is
# the median of the ratios of the pairs, so that slow drift of the machine
# cancels out.  A run with any error has no figure: its row says "invalid",
# and done() exits with 1.  Generators run on the last core, nginx's worker on
# the first; PostgreSQL and Redis run where the kernel puts them.

use strict;
use warnings;

use File::Path qw( make_path );
use JSON::PP ();
use POSIX ();
use Podi::Bench::Tools;
use Podi::Repo qw( root );

our @ISA = qw( Podi::Bench::Tools );

$| = 1;


sub new
{
    my ($class, $name) = @_;
    my $self = bless {
        name => $name, facts => [], rows => [], invalid => 0,
        runs => 0 + ($ENV{PODI_BENCH_RUNS} // 3),
        seconds => 0 + ($ENV{PODI_BENCH_SECONDS} // 5),
        build => $ENV{PODI_BUILD} // root() . '/var/build',
        out => $ENV{PODI_BENCH_OUT} // root() . '/var/bench' }, $class;

    make_path($self->{out});
    $self->machine;
    return $self;
}


sub runs    { $_[0]{runs} }
sub seconds { $_[0]{seconds} }


sub fact
{
    my ($self, $text) = @_;

    push @{ $self->{facts} }, $text;
    print "# $text\n";
}


sub median
{
    my @sorted = sort { $a <=> $b } @_;
    my $half = int(@sorted / 2);

    return if !@sorted;
    return @sorted % 2 ? $sorted[$half]
                       : ($sorted[$half - 1] + $sorted[$half]) / 2;
}


# the value below which a share of them lies
sub quantile
{
    my ($share, @values) = @_;
    my @sorted = sort { $a <=> $b } @values;

    return if !@sorted;
    my $at = POSIX::ceil($share * @sorted) - 1;

    return $sorted[$at < 0 ? 0 : $at];
}


# --- running ------------------------------------------------------------------

# ours and theirs in turn; who begins changes with each pair
sub compare
{
    my ($self, $name, %arg) = @_;
    my %value = (ours => [], theirs => []);
    my @error;

    for my $run (1 .. $arg{runs} // $self->{runs}) {
        my @order = grep { $arg{$_} } qw( ours theirs );

        for my $side ($run % 2 ? @order : reverse @order) {
            my ($value, $error) = $arg{$side}->($run);

            push @error, "$side, run $run: $error" if $error;
            push @{ $value{$side} }, $value;
        }
    }

    return $self->row($name, %arg, %value, error => \@error);
}


# a row whose runs are there already
sub row
{
    my ($self, $name, %arg) = @_;
    my ($ours, $theirs) = map { $_ || [] } @arg{qw( ours theirs )};
    my @error = grep { defined } @{ $arg{error} || [] };
    my %row = (name => $name, metric => $arg{metric}, unit => $arg{unit},
               peer => $arg{peer} // '-', valid => @error ? 0 : 1,
               ours => summary($ours), theirs => summary($theirs));

    $row{note} = $arg{note} if $arg{note};
    $row{errors} = \@error if @error;
    $row{ratio} = median(map { $ours->[$_] / $theirs->[$_] } 0 .. $#$theirs)
        if !@error && @$theirs && @$ours == @$theirs
           && !grep { !$_ } @$theirs;

    push @{ $self->{rows} }, \%row;
    $self->print_row(\%row);
    return \%row;
}


sub summary
{
    my ($values) = @_;
    my @known = grep { defined } @$values;

    return undef if !@known;
    return { median => median(@known), runs => $values,
             min => quantile(0, @known),
             max => quantile(1, @known) };
}


sub print_row
{
    my ($self, $row) = @_;
    my ($ours, $theirs) = @{$row}{qw( ours theirs )};

    print "# $row->{name}: $row->{note}\n" if $row->{note};
    print "# $row->{name}: spread ", spread('ours', $ours),
          $theirs ? ', ' . spread('theirs', $theirs) : '', "\n" if $ours;

    if (!$row->{valid}) {
        $self->{invalid}++;
        print "# $row->{name}: $_\n" for @{ $row->{errors} };
    }

    print join("\t", @{$row}{qw( name metric )},
               $row->{valid} ? figure($ours) : 'invalid', $row->{unit},
               $row->{peer}, $row->{valid} ? figure($theirs) : 'invalid',
               defined $row->{ratio} ? sprintf('%.3f', $row->{ratio}) : '-'),
          "\n";
}


sub spread
{
    my ($side, $s) = @_;

    return sprintf '%s %s..%s', $side, number($s->{min}), number($s->{max});
}


sub figure { $_[0] ? number($_[0]{median}) : '-' }


sub number
{
    my ($n) = @_;

    return abs $n >= 1000 ? sprintf '%.0f', $n
         : abs $n >= 10   ? sprintf '%.1f', $n
         :                  sprintf '%.3f', $n;
}


sub done
{
    my ($self) = @_;
    my $file = "$self->{out}/$self->{name}.json";

    open my $out, '>', $file or die "$file: $!";
    print $out JSON::PP->new->canonical->pretty->encode({
        name => $self->{name}, facts => $self->{facts},
        rows => $self->{rows}, valid => $self->{invalid} ? 0 : 1 });
    close $out or die "$file: $!";
    exit($self->{invalid} ? 1 : 0);
}

1;
