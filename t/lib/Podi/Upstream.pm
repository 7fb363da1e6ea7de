package Podi::Upstream;

# An upstream that takes requests and answers when it is told to, and the nginx
# of its own that it is behind.
#
#     my $up = Podi::Upstream->new;               # proxy_pass http://127.0.0.1:PORT
#     my $n = $up->plain(http => '...', server => '...');      # a Podi::Plain
#     my $call = $up->call('/path');              # { client, upstream, pid }
#     my $res = $up->answer($call, 200);          # what the client then has
#     my $call = $up->probe('/path');
#
# The pid is that of the worker which called: proxy_set_header X-Pid $pid.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use Podi::Plain;

my $PATIENCE = 10;              # seconds


sub new
{
    my ($class) = @_;
    my $listen = IO::Socket::INET->new(Listen => 64, LocalAddr => '127.0.0.1')
        or die "listen: $!";

    return bless { listen => $listen }, $class;
}


sub port { $_[0]{listen}->sockport }


sub plain
{
    my ($self, %option) = @_;

    return $self->{plain} = Podi::Plain->new(%option);
}


# the request of a client as it came here
sub called
{
    my ($self, $client) = @_;

    IO::Select->new($self->{listen})->can_read($PATIENCE)
        or die 'the upstream is not called';
    my $sock = $self->{listen}->accept or die "accept: $!";
    my $head = '';

    $head .= <$sock> // die 'the upstream is called with half a request'
        until $head =~ /\r\n\r\n/;
    return { client => $client, upstream => $sock,
             pid => $head =~ /^X-Pid: (\d+)/m };
}


sub call
{
    my ($self, $path) = @_;

    return $self->called($self->{plain}->hold($path));
}


sub answer
{
    my ($self, $call, $status) = @_;
    my $sock = delete $call->{upstream};

    print $sock "HTTP/1.0 $status x\r\nContent-Length: 0\r\n\r\n";
    close $sock;
    return $self->{plain}->answer($call->{client});
}


# the next call of an open breaker whose time is up; which may be after so many
# that are refused
sub probe
{
    my ($self, $path, $times) = @_;

    for (1 .. $times // 500) {
        my $client = $self->{plain}->hold($path);
        my @ready = IO::Select->new($self->{listen}, $client)
            ->can_read($PATIENCE) or die 'no answer';

        return $self->called($client) if grep { $_ == $self->{listen} } @ready;
        $self->{plain}->answer($client)->{status} == 503 or die 'not refused';
    }
    die 'never asks again';
}

1;
