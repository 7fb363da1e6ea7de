package Podi::Stack::Events;

# A client of GET /v1/events that reads with deadlines.
#
#     connect -> status and headers -> (comment | event)* -> closed
#
# next_event gives { id, event, data } (data decoded), undef when nothing came
# in time or the stream ended; `ended` tells which, `clean` that it was the
# server's wish.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use Socket qw( SOL_SOCKET SO_RCVBUF inet_aton pack_sockaddr_in );
use Test::More ();
use Time::HiRes qw( time );
use Podi::OpenAPI;


sub new
{
    my ($class, %arg) = @_;
    my $self = bless { buf => '', text => '', comments => 0, events => [],
                       unchecked => $arg{unchecked} }, $class;

    $self->{sock} = _connect(%arg);
    my $head = join '', map { "$_: $arg{headers}{$_}\r\n" }
        sort keys %{ $arg{headers} };
    print { $self->{sock} } "GET $arg{target} HTTP/1.1\r\nHost: localhost\r\n"
        . "Accept: text/event-stream\r\n$head\r\n";
    $self->{sock}->flush;

    $self->_fill(time + 20) until $self->{ended}
        || $self->{buf} =~ s/\A(.*?)\r\n\r\n//s && ($self->{head} = $1);
    ($self->{status}) = ($self->{head} // '') =~ m{^HTTP/1\.1 (\d+)};
    $self->{chunked} = ($self->{head} // '') =~ /^Transfer-Encoding: chunked/mi;
    return $self;
}


sub _connect
{
    my (%arg) = @_;
    my %to = (PeerAddr => '127.0.0.1', PeerPort => $arg{port}, Timeout => 10);


    return _small(%arg) if $arg{rcvbuf};
    return IO::Socket::INET->new(%to) // die "events: $@" if !$arg{ca};

    require IO::Socket::SSL;
    return IO::Socket::SSL->new(%to, SSL_ca_file => $arg{ca},
                                SSL_hostname => 'localhost',
                                SSL_verifycn_name => 'localhost')
        // die "events: $IO::Socket::SSL::SSL_ERROR";
}


# the kernel takes no more than that for a client who does not read: it must be
# said before the connection is made
sub _small
{
    my (%arg) = @_;
    my $sock = IO::Socket::INET->new(Proto => 'tcp') // die "events: $@";

    setsockopt $sock, SOL_SOCKET, SO_RCVBUF, $arg{rcvbuf} or die "rcvbuf: $!";
    $sock->connect(pack_sockaddr_in($arg{port}, inet_aton('127.0.0.1')))
        or die "events: $!";
    return $sock;
}


sub status   { $_[0]{status} // 0 }
sub head     { $_[0]{head} }
sub ended    { $_[0]{ended} }
sub clean    { $_[0]{clean} }
sub comments { $_[0]{comments} }

# what came instead of a stream
sub body
{
    my ($self) = @_;

    $self->_fill(time + 5) until $self->{ended} || $self->{timed_out};
    return $self->{text} . $self->{buf};
}


# reads once, at most until `end`
sub _fill
{
    my ($self, $end) = @_;
    my $sock = $self->{sock};
    my $left = $end - time;

    $self->{timed_out} = 0;
    if (!($sock->can('pending') && $sock->pending)
        && !IO::Select->new($sock)->can_read($left > 0 ? $left : 0))
    {
        return $self->{timed_out} = 1;
    }

    my $n = sysread $sock, my $bytes, 65536;
    return $self->{ended} = 1 if !$n;
    $self->{buf} .= $bytes;
}


# chunks in buf become text
sub _unchunk
{
    my ($self) = @_;

    if (!$self->{chunked}) {
        $self->{text} .= $self->{buf};
        $self->{buf} = '';
        return;
    }

    while ($self->{buf} =~ /\A([0-9a-fA-F]+)[^\r\n]*\r\n/) {
        my ($size, $head) = (hex $1, length $&);

        return if length $self->{buf} < $head + $size + 2;
        $self->{text} .= substr $self->{buf}, $head, $size;
        substr $self->{buf}, 0, $head + $size + 2, '';
        $self->{ended} = $self->{clean} = 1 if $size == 0;
    }
}


sub _parse
{
    my ($self) = @_;

    while ($self->{text} =~ s/\A(.*?)\n\n//s) {
        my %event = (event => 'message');
        my @data;

        for my $line (split /\n/, $1) {
            if ($line =~ /^:/) {
                $self->{comments}++;

            } elsif ($line =~ /^(id|event|retry|data):? ?(.*)$/) {
                $1 eq 'data' ? push @data, $2 : ($event{$1} = $2);
            }
        }

        $self->{retry} = $event{retry} if defined $event{retry};
        next if !@data;
        $event{data} = $self->_decoded($event{event}, join "\n", @data);
        push @{ $self->{events} }, \%event;
    }
}


my %schema = (
    'job.progress' => 'EventProgress', 'hello' => 'EventHello',
    'system.gap'   => 'EventGap',      'system.drain' => 'EventDrain',
    'auth'         => 'EventRefused',  'system.busy' => 'EventRefused',
);

sub _decoded
{
    my ($self, $type, $text) = @_;

    return JSON::PP::decode_json($text) if $self->{unchecked};

    my @errors = Podi::OpenAPI->shared->check_schema($schema{$type} // 'Event',
                                                     $text);

    if (@errors) {
        Test::More::fail('an event is as openapi.yaml says');
        Test::More::diag($_) for @errors, $text;
    }

    return eval { JSON::PP::decode_json($text) } // $text;
}


sub next_event
{
    my ($self, $seconds) = @_;
    my $end = time + ($seconds // 10);

    while (!@{ $self->{events} }) {
        $self->_unchunk;
        $self->_parse;
        last if @{ $self->{events} } || $self->{ended};

        $self->_fill($end);
        return if $self->{timed_out};
    }

    return shift @{ $self->{events} };
}


# events up to the first of that type, with it; fails when it does not come
sub until
{
    my ($self, $type, $seconds) = @_;
    my $end = time + ($seconds // 10);
    my @seen;

    while (my $event = $self->next_event($end - time)) {
        push @seen, $event;
        return @seen if $event->{event} eq $type;
    }

    Test::More::fail("$type came; seen: "
                     . join ' ', map { $_->{event} } @seen);
    return @seen;
}


sub close
{
    my ($self) = @_;

    CORE::close $self->{sock};
}

1;
