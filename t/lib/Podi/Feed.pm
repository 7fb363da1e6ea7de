package Podi::Feed;

# Events of one user: committed by SQL, and told or not told on Redis.
#
#     my $feed = Podi::Feed->new($stack, $user);
#     $feed->add(3);                     # commits and publishes three
#     $feed->commit(3);                  # only commits: their hints are lost
#     $feed->publish($event);            # only publishes
#     $feed->top;                        # the newest number
#
# Connections are made at the first use, so a forked child makes its own.

use strict;
use warnings;

use IO::Socket::UNIX;
use JSON::PP ();

my $json = JSON::PP->new->utf8->canonical;


sub new
{
    my ($class, $stack, $user) = @_;

    return bless { stack => $stack, user => $user }, $class;
}


sub _session
{
    my ($self) = @_;

    if (($self->{pid} // 0) != $$) {
        $self->{old} = $self->{session};
        $self->{old}{dbh}{InactiveDestroy} = 1 if $self->{old};
        $self->{session} = $self->{stack}{db}->login('postgres');
        delete $self->{sock};
        $self->{pid} = $$;
    }

    return $self->{session};
}


# after the database was away
sub reconnect
{
    my ($self) = @_;

    $self->{pid} = 0;
}


# n events in one transaction, each with so many bytes of ballast
sub commit
{
    my ($self, $n, $bytes) = @_;
    my $session = $self->_session;

    $session->dbh->begin_work;
    $session->dbh->do('set local role podi_system');
    my $events = $session->value(undef, 'select internal.event_append(?, ?,'
        . " (select jsonb_agg(jsonb_build_object('type', 'wallet.granted',"
        . " 'data', jsonb_build_object('amount', i, 'ballast',"
        . " repeat('x', ?)))) from generate_series(1, ?) i))",
        $self->{stack}{tenant_id}, $self->{user}{user_id}, $bytes // 0, $n);
    $session->dbh->commit;

    return @{ $json->decode($events) };
}


sub add
{
    my ($self, $n) = @_;
    my @events = $self->commit($n // 1);

    $self->publish($_) for @events;
    return @events;
}


# true when Redis took it
sub publish
{
    my ($self, $event) = @_;
    my $channel = "podi:user:$self->{user}{user_id}";
    my $text = ref $event ? $json->encode($event) : $event;

    $self->_session;
    local $SIG{PIPE} = 'IGNORE';

    if (!$self->{sock}) {
        $self->{sock} = IO::Socket::UNIX->new(
            Peer => "$self->{stack}{dir}/run/redis/redis.sock") or return 0;
        print { $self->{sock} } "AUTH redis-of-tests\r\n";
        $self->{sock}->flush;
        readline $self->{sock};
    }

    print { $self->{sock} } "*3\r\n", map { '$' . length($_) . "\r\n$_\r\n" }
        'PUBLISH', $channel, $text;
    $self->{sock}->flush;
    return 1 if (readline($self->{sock}) // '') =~ /^:/;

    delete $self->{sock};
    return 0;
}


sub top
{
    my ($self) = @_;

    return $self->_session->value(undef,
        'select top from podi.user_head where user_id = ?',
        $self->{user}{user_id});
}

1;
