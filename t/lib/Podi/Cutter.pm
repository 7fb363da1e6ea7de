package Podi::Cutter;

# A proxy that misbehaves when told to: between PODI and any of its peers.
#
#     client -> listen ... cutter ... upstream -> real server
#                           ^
#                        control: one command a line, each answered "ok"
#
#     my $cutter = Podi::Cutter->start(
#         listen   => "$dir/.s.PGSQL.5432",     # or "127.0.0.1:15432"
#         upstream => "$pg/.s.PGSQL.5432",      # or "127.0.0.1:5432"
#         control  => "$dir/pg.ctl",            # a UNIX socket, for any process
#     );
#     $cutter->say('stall');                    # returns the answer's line
#     $cutter->stop;                            # also at the object's end
#
# An address that begins with '/' is a UNIX socket, the rest is ip:port; port 0
# is any free one, told by $cutter->{listen}.
#
#     pass             forward everything; what was held goes first
#     refuse           close the listening socket, until `pass`
#     stall            take connections and data, forward nothing
#     stall-after N    forward N more bytes of answers, then as stall
#     cut-after N      forward N more bytes of answers, then close all
#     delay MS         hold each piece of an answer for so long
#     answer TEXT      do not ask upstream; say TEXT for each piece received
#                      (\r and \n are written as such)
#     reset            close all connections, abortively where TCP can
#     count            "ok N": connections that are open
#     cuts             "ok N": how often cut-after has cut
#
# A mode holds for connections that are open and for those that come, until the
# next one; reset, count and cuts are no modes.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX ();
use Socket qw(SOL_SOCKET SO_LINGER SOMAXCONN);
use Time::HiRes qw(time);

my %MODE = map { $_ => 1 }
    qw(pass refuse stall stall-after cut-after delay answer);


sub start
{
    my ($class, %arg) = @_;
    my $self = bless { %arg, owner => $$ }, $class;

    $self->{door} = _listen($self->{listen});
    $self->{desk} = _listen($self->{control});

    if ($self->{listen} !~ m{^/}) {
        $self->{listen} = $self->{door}->sockhost . ':'
                          . $self->{door}->sockport;
    }

    $self->{pid} = fork // die "fork: $!";

    if ($self->{pid} == 0) {
        $SIG{TERM} = sub { POSIX::_exit(0) };
        $SIG{PIPE} = 'IGNORE';
        eval { $self->_serve; 1 } or print STDERR "cutter: $@";
        POSIX::_exit(1);
    }

    close delete $self->{door};
    close delete $self->{desk};

    return $self;
}


sub say
{
    my ($self, $command) = @_;
    my $desk = IO::Socket::UNIX->new(Peer => $self->{control})
        or die "$self->{control}: $!";

    $desk->print("$command\n");
    $desk->flush;
    my $answer = $desk->getline;

    die "cutter: $command: no answer" if !defined $answer;
    chomp $answer;
    die "cutter: $command: $answer" if $answer !~ /^ok\b/;

    return $answer;
}


sub stop
{
    my ($self) = @_;

    my $pid = delete $self->{pid} or return;
    kill 'TERM', $pid;
    waitpid $pid, 0;
}


sub DESTROY
{
    my ($self) = @_;

    local $?;
    $self->stop if $self->{owner} == $$;
}


sub _listen
{
    my ($address) = @_;

    if ($address =~ m{^/}) {
        unlink $address;
        return IO::Socket::UNIX->new(Local => $address, Listen => SOMAXCONN)
            // die "$address: $!";
    }

    return IO::Socket::INET->new(LocalAddr => $address, Listen => SOMAXCONN,
                                 ReuseAddr => 1)
        // die "$address: $!";
}


sub _connect
{
    my ($address) = @_;

    return $address =~ m{^/} ? IO::Socket::UNIX->new(Peer => $address)
                             : IO::Socket::INET->new(PeerAddr => $address);
}


# the child: one loop over the listeners, the desk's clients and the pairs

sub _serve
{
    my ($self) = @_;

    $self->{mode} = 'pass';
    $self->{left} = 0;
    $self->{cuts} = 0;
    $self->{pairs} = [];
    $self->{clerks} = [];

    while (1) {
        my $read = IO::Select->new($self->{desk}, @{ $self->{clerks} });
        my $write = IO::Select->new;
        my $wait;

        $read->add($self->{door}) if $self->{door};

        for my $pair (@{ $self->{pairs} }) {
            $self->_interests($pair, $read, $write, \$wait);
        }

        my ($can_read, $can_write) =
            IO::Select->select($read, $write, undef, $wait);
        my %can_read = map { fileno($_) => 1 } @{ $can_read || [] };
        my %can_write = map { fileno($_) => 1 } @{ $can_write || [] };

        $self->_accept if $self->{door} && $can_read{fileno $self->{door}};
        $self->_move($_, \%can_read, \%can_write) for @{ $self->{pairs} };
        $self->{pairs} = [ grep { !$_->{dead} } @{ $self->{pairs} } ];

        if ($can_read{fileno $self->{desk}}) {
            push @{ $self->{clerks} }, $self->{desk}->accept // ();
        }

        $self->{clerks} =
            [ grep { !$can_read{fileno $_} || $self->_attend($_) }
                   @{ $self->{clerks} } ];
    }
}


sub _accept
{
    my ($self) = @_;

    my $client = $self->{door}->accept or return;
    my $server = _connect($self->{upstream}) or return;

    $_->blocking(0) for $client, $server;
    push @{ $self->{pairs} },
        { client => $client, server => $server, up => '', down => [] };
}


# down is a list of [when it may go, bytes]

sub _interests
{
    my ($self, $pair, $read, $write, $wait) = @_;
    my ($piece) = @{ $pair->{down} };

    $read->add($pair->{client}, $pair->{server});

    return if $self->{mode} eq 'stall';

    $write->add($pair->{server}) if length $pair->{up};

    if ($piece && $piece->[0] <= time) {
        $write->add($pair->{client});

    } elsif ($piece) {
        my $rest = $piece->[0] - time;
        $$wait = $rest if !defined $$wait || $rest < $$wait;
    }
}


sub _move
{
    my ($self, $pair, $can_read, $can_write) = @_;

    return if $pair->{dead};        # by a reset that another pair set off

    my ($client, $server) = @{$pair}{qw(client server)};
    my ($c, $s) = (fileno $client, fileno $server);

    if ($can_write->{$s} && length $pair->{up}) {
        my $n = syswrite $server, $pair->{up};
        substr($pair->{up}, 0, $n // 0, '');
    }

    $self->_send_down($pair) if $can_write->{$c};
    return if $pair->{dead};

    if ($can_read->{$c}) {
        my $n = sysread $client, my $bytes, 65536;
        return $self->_close($pair) if defined $n && $n == 0;
        $self->_received($pair, $bytes) if $n;
    }

    if ($can_read->{$s}) {
        my $n = sysread $server, my $bytes, 65536;
        return $self->_end($pair) if defined $n && $n == 0;
        push @{ $pair->{down} }, [ time + ($self->{delay} // 0), $bytes ]
            if $n;
    }
}


sub _received
{
    my ($self, $pair, $bytes) = @_;

    if ($self->{mode} eq 'answer') {
        push @{ $pair->{down} }, [ 0, $self->{text} ];
        return;
    }

    $pair->{up} .= $bytes;
}


# upstream has gone: what it said is still told

sub _end
{
    my ($self, $pair) = @_;

    $pair->{client}->blocking(1);
    $self->_send_down($pair)
        while @{ $pair->{down} } && !$pair->{dead}
              && $self->{mode} ne 'stall';
    $self->_close($pair);
}


sub _send_down
{
    my ($self, $pair) = @_;
    my ($piece) = @{ $pair->{down} } or return;
    my $counted = $self->{mode} =~ /-after$/;
    my $most = length $piece->[1];

    $most = $self->{left} if $counted && $self->{left} < $most;

    my $n = syswrite($pair->{client}, $piece->[1], $most) // 0;
    substr($piece->[1], 0, $n, '');
    shift @{ $pair->{down} } if !length $piece->[1];

    return if !$counted;

    $self->{left} -= $n;
    return if $self->{left} > 0;

    if ($self->{mode} eq 'stall-after') {
        $self->{mode} = 'stall';
        return;
    }

    $self->_reset;
    $self->{cuts}++;
    $self->{mode} = 'pass';
}


sub _close
{
    my ($self, $pair) = @_;

    $pair->{dead} = 1;
    close $pair->{client};
    close $pair->{server};
}


sub _reset
{
    my ($self) = @_;

    for my $pair (grep { !$_->{dead} } @{ $self->{pairs} }) {
        setsockopt $pair->{client}, SOL_SOCKET, SO_LINGER,
            pack('ii', 1, 0);
        $self->_close($pair);
    }
}


# false: the clerk has gone

sub _attend
{
    my ($self, $clerk) = @_;

    my $line = $clerk->getline // return 0;
    chomp $line;

    my ($verb, $rest) = split ' ', $line, 2;
    my $answer = $self->_obey($verb // '', $rest // '');

    $self->{pairs} = [ grep { !$_->{dead} } @{ $self->{pairs} } ];
    $clerk->print("$answer\n");
    $clerk->flush;

    return 1;
}


sub _obey
{
    my ($self, $verb, $rest) = @_;

    return 'ok ' . @{ $self->{pairs} } if $verb eq 'count';
    return "ok $self->{cuts}" if $verb eq 'cuts';

    if ($verb eq 'reset') {
        $self->_reset;
        return 'ok';
    }

    return "unknown command: $verb" if !$MODE{$verb};

    $self->{mode} = $verb;
    $self->{left} = $verb =~ /-after$/ ? $rest : 0;
    $self->{delay} = $verb eq 'delay' ? $rest / 1000 : 0;
    $self->{text} = $rest =~ s/\\r/\r/gr =~ s/\\n/\n/gr;

    if ($verb eq 'refuse') {
        close delete $self->{door} if $self->{door};
        unlink $self->{listen} if $self->{listen} =~ m{^/};

    } else {
        $self->{door} //= _listen($self->{listen});
    }

    return 'ok';
}


1;
