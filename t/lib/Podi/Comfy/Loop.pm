package Podi::Comfy::Loop;

# One thread, many sockets: HTTP/1.1 with keep-alive, WebSocket, and timers.
#
#     select -> bytes -> a request -> on_request($c, $r) -> $c->answer(...)
#            `-> frames (after $c->upgrade)  -> on_frame($c, $f), on_gone($c)
#
#     $loop->after($seconds, sub { ... });  $loop->run;
#     Podi::Comfy::Loop->new(beside => $loop, ...)  # another port, run by it
#
# A connection does one request after another: the next one is read when the
# first has its answer, however long that takes.

use strict;
use warnings;
use IO::Select ();
use IO::Socket::INET ();
use Socket qw( SOL_SOCKET SO_LINGER TCP_NODELAY IPPROTO_TCP );
use Time::HiRes qw( time );

use Podi::Comfy::Json ();
use Podi::Comfy::Ws qw( accept_key take frame );

my %REASON = (101 => 'Switching Protocols', 200 => 'OK',
    206 => 'Partial Content', 304 => 'Not Modified', 400 => 'Bad Request',
    401 => 'Unauthorized', 403 => 'Forbidden', 404 => 'Not Found',
    405 => 'Method Not Allowed', 413 => 'Request Entity Too Large',
    416 => 'Requested Range Not Satisfiable',
    500 => 'Internal Server Error', 502 => 'Bad Gateway',
    503 => 'Service Unavailable', 504 => 'Gateway Timeout',
    599 => 'Not In The Recordings');


sub new
{
    my ($class, %option) = @_;
    my $listen = IO::Socket::INET->new(Listen => 64, ReuseAddr => 1,
        LocalAddr => '127.0.0.1', LocalPort => $option{port} // 0,
        Blocking => 0) or die "cannot listen: $@\n";

    my $all = $option{beside} // { timers => [], conn => {}, door => {},
        read => IO::Select->new, write => IO::Select->new };
    my $self = bless { %option, listen => $listen,
        map { $_ => $all->{$_} } qw( timers conn door read write ) }, $class;

    $self->{read}->add($listen);
    $self->{door}{ fileno $listen } = $self;
    return $self;
}


sub port
{
    my ($self) = @_;

    return $self->{listen}->sockport;
}


sub after
{
    my ($self, $seconds, $code) = @_;
    my $timer = { at => time + $seconds, code => $code };

    @{ $self->{timers} } = sort { $a->{at} <=> $b->{at} }
        @{ $self->{timers} }, $timer;
    return $timer;
}


sub run
{
    my ($self) = @_;

    while (!$self->{stop}) {
        my $next = $self->{timers}[0];
        my $wait = $next ? $next->{at} - time : 60;
        my ($read, $write) = IO::Select::select($self->{read}, $self->{write},
            undef, $wait < 0 ? 0 : $wait);

        $self->_flush($_) for grep { $_ } map { $self->{conn}{fileno $_} }
            @{ $write || [] };
        for my $sock (@{ $read || [] }) {
            my $door = $self->{door}{ fileno $sock // -1 };

            $door ? $door->_accept : $self->_readable($sock);
        }
        while (@{ $self->{timers} } && $self->{timers}[0]{at} <= time) {
            shift(@{ $self->{timers} })->{code}->();
        }
    }
}


sub _accept
{
    my ($self) = @_;
    my $sock = $self->{listen}->accept // return;
    my $c = bless { loop => $self, sock => $sock, fd => fileno $sock, in => '',
                    out => '', state => 'http' }, 'Podi::Comfy::Loop::Conn';

    $sock->blocking(0);
    setsockopt $sock, IPPROTO_TCP, TCP_NODELAY, 1;
    $self->{conn}{ $c->{fd} } = $c;
    $self->{read}->add($sock);
    $self->{on_accept}->($c);
}


sub _readable
{
    my ($self, $sock) = @_;
    my $c = $self->{conn}{fileno $sock // -1} // return;
    my $got = sysread $sock, $c->{in}, 1 << 18, length $c->{in};

    return if !defined $got && $!{EAGAIN};
    return $c->drop if !$got;
    $c->work;
}


sub _flush
{
    my ($self, $c) = @_;
    my $sent = length $c->{out} ? syswrite $c->{sock}, $c->{out} : 0;

    if (!defined $sent) {
        $c->drop if !$!{EAGAIN};
        return;
    }
    substr $c->{out}, 0, $sent, '';
    return if length $c->{out};
    $self->{write}->remove($c->{sock});
    $c->drop if $c->{close};
}


package Podi::Comfy::Loop::Conn;

use Socket qw( SOL_SOCKET SO_LINGER );

use constant MAX_HEAD => 65536;


sub drop
{
    my ($c) = @_;

    return if $c->{state} eq 'dead';
    my $was = $c->{state};

    $c->{state} = 'dead';
    $c->{loop}{$_}->remove($c->{sock}) for qw( read write );
    delete $c->{loop}{conn}{ $c->{fd} };
    close $c->{sock};
    $c->{loop}{on_gone}->($c) if $was eq 'ws';
}


# ends the connection with a reset
sub reset
{
    my ($c) = @_;

    setsockopt $c->{sock}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
    $c->drop;
}


sub send
{
    my ($c, $bytes, %arg) = @_;

    return if $c->{state} eq 'dead';
    $c->{out} .= $bytes;
    $c->{close} = 1 if $arg{close};
    $c->{loop}{write}->add($c->{sock});
}


sub work
{
    my ($c) = @_;

    while ($c->{state} eq 'http' && !$c->{busy} && !$c->{close}) {
        my $r = $c->_request // last;

        $c->{busy} = 1;
        $c->{loop}{on_request}->($c, $r);
    }

    while ($c->{state} eq 'ws') {
        my $f = Podi::Comfy::Ws::take(\$c->{in}) // last;

        $c->{loop}{on_frame}->($c, $f);
    }
}


# the next whole request of what came in, or undef
sub _request
{
    my ($c) = @_;
    my $r = $c->{request} // $c->_head // return;

    $c->{request} = $r;
    $c->_expected($r);
    return if !$c->_body($r);
    delete $c->{request};
    return $r;
}


sub _head
{
    my ($c) = @_;

    $c->{in} =~ s/^(?:\r\n)+//;
    my $end = index $c->{in}, "\r\n\r\n";

    if ($end < 0) {
        $c->drop if length $c->{in} > MAX_HEAD;
        return;
    }
    my ($first, @line) = split /\r\n/, substr $c->{in}, 0, $end + 4, '';
    my ($method, $target, $version) = ($first // '') =~
        m{^([A-Z]+) (\S+) HTTP/1\.([01])$} or return $c->drop;
    my %header;

    for my $line (@line) {
        my ($name, $value) = $line =~ /^([^:\s]+):[ \t]*(.*?)[ \t]*$/
            or return $c->drop;

        $name = lc $name;
        $header{$name} = defined $header{$name} ? "$header{$name}, $value"
            : $value;
    }

    return { method => $method, target => $target, version => $version,
             headers => \%header, body => '', skipped => 0 };
}


sub _expected
{
    my ($c, $r) = @_;

    return if lc($r->{headers}{expect} // '') ne '100-continue';
    return if $r->{continued}++;
    $c->send("HTTP/1.1 100 Continue\r\n\r\n");
}


# true when the body is there; one beyond the limit is counted, not kept
sub _body
{
    my ($c, $r) = @_;

    return $c->_chunked($r)
        if lc($r->{headers}{'transfer-encoding'} // '') eq 'chunked';
    my $length = $r->{headers}{'content-length'} // 0;

    if ($length > $c->{loop}{max_body}) {
        $r->{skipped} += length $c->{in};
        $c->{in} = '';
        return $r->{skipped} >= $length;
    }
    return 0 if length $c->{in} < $length;
    $r->{body} = substr $c->{in}, 0, $length, '';
    return 1;
}


sub _chunked
{
    my ($c, $r) = @_;

    while ($c->{in} =~ /^([0-9A-Fa-f]+)[^\r\n]*\r\n/) {
        my ($head, $length) = (length $&, hex $1);

        return 0 if length $c->{in} < $head + $length + 2;
        $r->{body} .= substr $c->{in}, $head, $length;
        substr $c->{in}, 0, $head + $length + 2, '';
        return 1 if $length == 0;
    }

    return 0;
}


# answer(status, { headers }, body, cut => N, head => 1, close => 1)
sub answer
{
    my ($c, $status, $headers, $body, %arg) = @_;
    my %h = ('Content-Length' => length $body, Server => 'Python/3.11 aiohttp',
             %$headers);

    delete $h{'Content-Length'} if $status == 304 || $h{'Transfer-Encoding'};
    $h{Connection} = 'close' if $arg{close};
    my $head = "HTTP/1.1 $status $REASON{$status}\r\n"
        . join('', map { defined $h{$_} ? "$_: $h{$_}\r\n" : () } sort keys %h)
        . "\r\n";

    $body = "0\r\n\r\n" if $h{'Transfer-Encoding'};
    $body = '' if $arg{head} || $status == 304;
    my $close = $arg{close} || defined $arg{cut};

    $body = substr $body, 0, $arg{cut} if defined $arg{cut};
    $c->send($head . $body, close => $close);
    $c->{busy} = 0;
    $c->work if length $c->{in};
}


sub upgrade
{
    my ($c, $key) = @_;

    $c->{state} = 'ws';
    $c->{busy} = 0;
    $c->send("HTTP/1.1 101 $REASON{101}\r\nUpgrade: websocket\r\n"
             . "Connection: upgrade\r\nSec-WebSocket-Accept: "
             . Podi::Comfy::Ws::accept_key($key)
             . "\r\nContent-Type: application/octet-stream\r\n\r\n");
}

1;
