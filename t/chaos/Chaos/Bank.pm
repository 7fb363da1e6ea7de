package Chaos::Bank;

# What points must have done: a purse for each user, replayed from the movements
# of the ledger; and a hold for each that another server froze, replayed from
# what that server asked for, in its order.
#
#     Chaos::Bank->new(fact => ..., login => ..., ops => ..., task => ...,
#                      reference => ..., broken => sub { ... })->check;

use strict;
use warnings;

use List::Util qw( sum0 );

my %MOVE = (grant => [ 1, 0 ], freeze => [ -1, 1 ], confirm => [ 0, -1 ],
            release => [ 1, -1 ]);


sub new
{
    my ($class, %arg) = @_;

    return bless { %arg, purse => {}, of_hold => {} }, $class;
}


sub broken
{
    my ($self, @what) = @_;

    return $self->{broken}->(@what);
}


sub check
{
    my ($self) = @_;

    $self->replay($_) for @{ $self->{fact}{ledger} // [] };
    $self->wallet($_) for @{ $self->{fact}{wallet} // [] };
    $self->hold($_) for @{ $self->{fact}{hold} // [] };
    $self->drawn($_) for sort keys %{ $self->{ops} };
}


# --- purses -------------------------------------------------------------------

sub replay
{
    my ($self, $row) = @_;
    my $p = $self->{purse}{ $row->{user_id} }
        //= { available => 0, held => 0, seq => 0, granted => 0, spent => 0 };
    my $who = $self->{login}{ $row->{user_id} } // $row->{user_id};
    my $move = $MOVE{ $row->{op} }
        // return $self->broken('bank', "what is a $row->{op}");

    $p->{available} += $move->[0] * $row->{amount};
    $p->{held} += $move->[1] * $row->{amount};
    $p->{granted} += $row->{amount} if $row->{op} eq 'grant';
    $p->{spent} += $row->{amount} if $row->{op} eq 'confirm';
    push @{ $self->{of_hold}{ $row->{hold_id} } }, $row if $row->{hold_id};

    $self->broken('bank', "$who: $row->{seq} comes after $p->{seq}")
        if $row->{seq} != ++$p->{seq};
    $self->broken('bank', "$who: $row->{seq} says another balance")
        if $row->{available_after} != $p->{available}
           || $row->{held_after} != $p->{held} || $p->{available} < 0
           || $p->{held} < 0;
}


sub wallet
{
    my ($self, $wallet) = @_;
    my $who = $self->{login}{ $wallet->{user_id} } // return;
    my $p = $self->{purse}{ $wallet->{user_id} };

    $self->broken('bank', "$who has $wallet->{available} and $wallet->{held}")
        if $wallet->{available} != $p->{available}
           || $wallet->{held} != $p->{held};
    $self->broken('bank', "$who: the sum is not constant")
        if $p->{granted} != $p->{available} + $p->{held} + $p->{spent};
}


# it is a task's, which was taken, or another server's
sub hold
{
    my ($self, $hold) = @_;
    my $task = $hold->{task_id};
    my $whose = $task // $hold->{ref} // 'nobody';

    $self->broken('hold', "$hold->{hold_id} of $whose is not exhausted")
        if $hold->{captured} + $hold->{released} != $hold->{amount};
    if ($task) {
        $self->broken('hold', "$hold->{hold_id} is of no task: $task")
            if !$self->{task}{$task} && !$self->{reference}{$task};
        return;
    }
    $self->broken('hold', "there are two of $whose")
        if $self->{by_ref}{$whose};
    $self->{by_ref}{$whose} = $hold;
}


# --- another server's holds ---------------------------------------------------

# all that one server asked for, in its order
sub drawn
{
    my ($self, $login) = @_;
    my $ops = $self->{ops}{$login};
    my %model;

    for my $op (map { $ops->{$_} } sort { $a <=> $b } keys %$ops) {
        my $f = $op->{f} // '';

        if    ($f eq 'freeze')                { $self->frozen($op, \%model) }
        elsif ($f =~ /^(?:confirm|release)$/) { $self->draw($op, \%model) }
        elsif ($f eq 'again') { $self->repeated($op, $ops->{ $op->{of} }) }
    }
    for my $ref (grep { /^\Q$login\E-h/ } sort keys %{ $self->{by_ref} }) {
        $self->broken('hold', "nobody asked for $ref") if !$model{$ref};
    }
    $self->ended($model{$_}) for sort keys %model;
}


sub frozen
{
    my ($self, $op, $model) = @_;
    my $hold = $self->{by_ref}{ $op->{ref} };

    $self->broken('hold', "$op->{key}: $op->{ref} was taken, and is not there")
        if $op->{end} eq 'ok' && !$hold;
    return if !$hold;

    my @rows = $self->rows($hold, "freeze:k:$op->{key}");
    $self->broken('hold', "$op->{ref}: frozen " . (join '+', @rows) . ' of'
                          . " $op->{amount}")
        if "@rows" ne $op->{amount} || $hold->{amount} != $op->{amount};
    $model->{ $op->{ref} } = { hold => $hold, left => $op->{amount}, rows => 1,
                               captured => 0,
                               short => $op->{ttl_ms} < 60_000 };
}


# what was answered was done once; of what was not, all or nothing
sub draw
{
    my ($self, $op, $model) = @_;
    my $m = $model->{ $op->{ref} }
        // return $self->broken('hold', "$op->{key}: $op->{ref} is not there");
    my $amount = $op->{amount} // $m->{left};
    my $rest = $op->{final} ? $m->{left} - $amount : 0;
    my %want = $op->{f} eq 'confirm' ? (confirm => $amount, release => $rest)
                                     : (confirm => 0, release => $amount);
    my %got = map { my $move = $_;
                    ($move => join '+', $self->rows($m->{hold},
                                                    "$move:k:$op->{key}")) }
              qw( confirm release );
    my $said = "$op->{key}: $op->{f} of $amount of $m->{left} ($op->{end}): "
        . "confirmed $got{confirm}, released $got{release}";

    my $nothing = $got{confirm} . $got{release} eq '';

    if ($op->{end} eq 'fail' || $amount > $m->{left}) {
        my $code = $op->{code} // 'nothing';

        $self->broken('hold', "$said: it was refused with $code")
            if !$nothing || $amount <= $m->{left}
               || $op->{end} eq 'ok'
               || $op->{end} eq 'fail' && $code ne 'hold_exhausted';
        return;
    }
    return if $op->{end} eq 'unknown' && $nothing;

    for my $move (qw( confirm release )) {
        $self->broken('hold', $said) if $got{$move} ne ($want{$move} || '');
        $m->{rows} += $want{$move} > 0;
    }
    $m->{captured} += $want{confirm};
    $m->{left} -= $want{confirm} + $want{release};
}


# as it was answered then, whatever has happened since
sub repeated
{
    my ($self, $op, $first) = @_;

    return if $op->{end} eq 'unknown';
    $self->broken('hold', "$op->{key} again: " . ($op->{said} // $op->{code})
                          . ", not $first->{said}")
        if ($op->{said} // '') ne $first->{said};
}


# what nobody drew went back when its time was over, and nothing else happened
sub ended
{
    my ($self, $m) = @_;
    my $hold = $m->{hold};
    my $swept = $m->{left} > 0 && $m->{short};

    $self->broken('hold', "$hold->{ref}: $hold->{captured} of $hold->{amount}"
                          . " are spent, not $m->{captured}")
        if $hold->{captured} != $m->{captured};
    $self->broken('hold', "$hold->{ref} has more movements than were asked for")
        if @{ $self->{of_hold}{ $hold->{hold_id} } } != $m->{rows} + $swept;
}


# the amounts that the ledger has of a hold under a key
sub rows
{
    my ($self, $hold, $idem) = @_;

    return map { $_->{amount} } grep { $_->{idem} eq $idem }
           @{ $self->{of_hold}{ $hold->{hold_id} } // [] };
}

1;
