package Podi::Bench::Jobs;

# Queues side by side: what each shape of t/bench/jobs.pl is given.
#
#     ours, peers --[rounds: every side in turn, the first one rotates]-->
#         { side => { figure => [a value a run] } } --[beside]--> rows
#
# A side is a Podi::Bench::Jobs::Ours or ::Peer.  Both can
#
#     burn(in_flight, n, ...)            (jobs a second, what went wrong)
#     fill(n), flood(n)                  n jobs wait, and nobody works
#     work(in_flight, log, ...)          begins; stop() ends it
#     produce(rate, seconds)             { job => ns when it was due }
#     marks()                            [what, job, ns, pid], see peer.mjs
#     settled()                          { job => ns }

use strict;
use warnings;

use Podi::Bench;
use Podi::Bench::Jobs::Ours;
use Podi::Bench::Jobs::Peer;

our $CONNECTIONS = 8;

# as conf/stack/redis.sh says it; the peers' Redis is the same
my %REDIS = (appendonly => 'yes', appendfsync => 'everysec',
             maxmemory => '256mb');


sub new
{
    my ($class) = @_;
    my $bench = Podi::Bench->new('jobs');
    my $self = bless { bench => $bench }, $class;

    $bench->fact('Redis, ours and theirs: '
                 . join ', ', map { "$_=$REDIS{$_}" } sort keys %REDIS);
    $self->{ours} = Podi::Bench::Jobs::Ours->new($bench, \%REDIS);
    $self->{peers} = [Podi::Bench::Jobs::Peer::all($bench, $self->{ours}{s},
                                                   \%REDIS)];
    $bench->fact('where: load generators on the last core, nginx on the first,'
                 . ' workers, ours and theirs, where the kernel puts them');
    return $self;
}


sub bench { $_[0]{bench} }
sub ours  { $_[0]{ours} }
sub peers { @{ $_[0]{peers} } }

# what counts of jobs are multiplied with
sub share { $_[0]{bench}->seconds / 5 }


sub connections
{
    my ($in_flight) = @_;

    return $in_flight < $CONNECTIONS ? $in_flight : $CONNECTIONS;
}


# those of the peers that have what the shape asks for
sub able
{
    my ($self, $shape) = @_;

    return grep { !$_->lacks($shape) } $self->peers;
}


# --- runs --------------------------------------------------------------------

# code(side) gives { figure => value } and what went wrong; peers take part in
# the first peer_runs only
sub rounds
{
    my ($self, $sides, $code, %arg) = @_;
    my %table;

    for my $run (1 .. $self->bench->runs) {
        my @side = grep { $_ == $self->ours
                          || $run <= ($arg{peer_runs} // $run) } @$sides;

        push @side, splice @side, 0, ($run - 1) % @side;
        for my $side (@side) {
            my ($figures, $error) = $code->($side);
            my $of = $table{ $side->name } //= { error => [] };

            push @{ $of->{error} }, $side->name . ", run $run: $error"
                if $error;
            push @{ $of->{$_} }, $figures->{$_} for keys %$figures;
        }
    }

    return \%table;
}


# one figure: ours beside that of each peer, in a row of its own
sub beside
{
    my ($self, $table, $figure, $name, %arg) = @_;
    my $ours = $table->{ $self->ours->name };

    for my $peer ($self->peers) {
        my $lacks = $peer->lacks($arg{shape});
        my $theirs = $lacks ? undef : $table->{ $peer->name };

        $self->bench->row("$name." . $peer->key, %arg, ours => $ours->{$figure},
            peer => $peer->name . ($theirs ? ''
                                   : ': ' . ($lacks // 'left out')),
            $theirs ? (theirs => $theirs->{$figure}) : (),
            error => [@{ $ours->{error} },
                      $theirs ? @{ $theirs->{error} } : ()]);
    }
}


# our figure beside another of ours
sub within
{
    my ($self, $table, $figure, $other, $name, %arg) = @_;
    my $ours = $table->{ $self->ours->name };

    $self->bench->row($name, %arg, ours => $ours->{$figure},
                      theirs => $ours->{$other}, error => $ours->{error});
}

1;
