package Podi::Comfy::Client;

# A client of a ComfyUI, real or fake: HTTP by HTTP::Tiny, WebSocket by hand.
#
#     my $c = Podi::Comfy::Client->new('https://host/base', headers => {...});
#     my $r = $c->get('/queue');               # { status, headers, json, bytes }
#                                              # status 0: no whole answer
#     my $r = $c->post('/prompt', { ... });    # or bytes, as they are
#     my $r = $c->upload('in.png', $bytes, subfolder => 'podi');
#     my $ws = $c->socket($client_id) // die $c->{why};
#     $ws->say({ type => ..., data => ... });
#     my @f = $ws->until(sub { $_[0]{type} eq 'executing' }, $seconds);
#     each frame is { type, data }, or { binary => N, bytes }
#
# https and wss need IO::Socket::SSL, which is no part of Perl.

use strict;
use warnings;
use HTTP::Tiny ();
use IO::Select ();
use IO::Socket::INET ();
use MIME::Base64 qw( encode_base64 );
use Time::HiRes qw( time );

use Podi::Comfy::Json qw( encode decode );
use Podi::Comfy::Ws qw( accept_key frame take TEXT BINARY CLOSE PING PONG );


# headers: sent with each request, the upgrade included
sub new
{
    my ($class, $url, %option) = @_;
    my ($scheme, $host, $port, $base)
        = $url =~ m{^(https?)://([^/:?#]+)(?::(\d+))?(/[^?#]*?)?/?$}
        or die "not a URL of a server: $url\n";

    return bless { %option, url => $url =~ s{/$}{}r, tls => $scheme eq 'https',
        host => $host, port => $port // ($scheme eq 'https' ? 443 : 80),
        base => $base // '', headers => $option{headers} || {},
        http => HTTP::Tiny->new(timeout => 30, max_redirect => 0,
                                verify_SSL => 1) }, $class;
}


sub request
{
    my ($self, $method, $path, %arg) = @_;
    my %headers = (%{ $arg{bare} ? {} : $self->{headers} },
                   %{ $arg{headers} || {} });
    my $r = $self->{http}->request($method, $self->{url} . $path, {
        headers => \%headers,
        defined $arg{content} ? (content => $arg{content}) : () });

    # HTTP::Tiny's own 599 is no status of the server
    my $none = $r->{status} == 599 && $r->{reason} eq 'Internal Exception';

    return { status => $none ? 0 : $r->{status}, headers => $r->{headers},
             bytes => $r->{content}, json => decode($r->{content}) };
}


sub get
{
    my ($self, $path, %headers) = @_;

    return $self->request('GET', $path, headers => \%headers);
}


sub post
{
    my ($self, $path, $body) = @_;

    return $self->request('POST', $path,
        headers => { 'content-type' => 'application/json' },
        content => ref $body ? encode($body) : $body);
}


sub upload
{
    my ($self, $name, $bytes, %field) = @_;
    my $mark = sprintf 'podi-%08x%08x', rand 2 ** 32, rand 2 ** 32;
    my $body = join '', map {
        "--$mark\r\nContent-Disposition: form-data; name=\"$_\"\r\n\r\n"
        . "$field{$_}\r\n" } sort keys %field;

    $body .= "--$mark\r\nContent-Disposition: form-data; name=\"image\"; "
        . "filename=\"$name\"\r\nContent-Type: image/png\r\n\r\n"
        . "$bytes\r\n--$mark--\r\n";
    return $self->request('POST', '/upload/image', content => $body,
        headers => { 'content-type' => "multipart/form-data; boundary=$mark" });
}


# ---- the socket

sub _connect
{
    my ($self) = @_;
    my @to = (PeerAddr => $self->{host}, PeerPort => $self->{port},
              Timeout => 30);

    return IO::Socket::INET->new(@to) if !$self->{tls};
    return if !eval { require IO::Socket::SSL; 1 };
    return IO::Socket::SSL->new(@to, SSL_hostname => $self->{host});
}


# undef with $self->{why} and {status} when it is refused
sub socket
{
    my ($self, $id) = @_;
    my $sock = $self->_connect;
    my $key = encode_base64(join('', map { chr rand 256 } 1 .. 16), '');
    my %h = (%{ $self->{headers} }, Host => "$self->{host}:$self->{port}",
        Upgrade => 'websocket', Connection => 'Upgrade',
        'Sec-WebSocket-Version' => 13, 'Sec-WebSocket-Key' => $key);

    if (!$sock) {
        $self->{why} = "no connection: $@";
        return;
    }
    print {$sock} "GET $self->{base}/ws?clientId=$id HTTP/1.1\r\n",
        (map { "$_: $h{$_}\r\n" } sort keys %h), "\r\n";
    $sock->flush;

    my $ws = bless { sock => $sock, in => '' }, 'Podi::Comfy::Client::Socket';
    my $end = time + 30;
    $ws->_more($end) or last until $ws->{in} =~ /\r\n\r\n/;
    my ($head) = $ws->{in} =~ s/^(.*?)\r\n\r\n//s ? $1 : '';
    my ($status) = $head =~ m{^HTTP/1\.1 (\d+)};
    my ($accept) = $head =~ /^Sec-WebSocket-Accept:\s*(\S+)/im;

    $self->{status} = $status // 0;
    return $ws if $self->{status} == 101 && ($accept // '') eq accept_key($key);
    $self->{why} = $self->{status} == 101 ? 'a wrong accept key'
        : "status $self->{status}";
    return;
}


package Podi::Comfy::Client::Socket;

use Podi::Comfy::Json qw( encode decode );
use Podi::Comfy::Ws qw( frame take TEXT BINARY CLOSE PING PONG );
use Time::HiRes qw( time );


# more bytes before the deadline; 0 at the end of either
sub _more
{
    my ($self, $end) = @_;
    my $left = $end - time;
    my $sock = $self->{sock};
    my $waiting = $sock->can('pending') && $sock->pending;

    return 0 if $self->{ended} || $left <= 0;
    return 1 if !$waiting && !IO::Select->new($sock)->can_read($left);
    my $got = sysread $sock, $self->{in}, 65536, length $self->{in};

    $self->{ended} = 1 if !$got;
    return $got ? 1 : 0;
}


sub say
{
    my ($self, $what) = @_;

    syswrite $self->{sock}, frame(TEXT, encode($what), mask => 1);
}


sub _frame
{
    my ($self, $f) = @_;

    if ($f->{op} == PING) {
        syswrite $self->{sock}, frame(PONG, $f->{payload}, mask => 1);
        return;
    }
    if ($f->{op} == CLOSE) {
        ($self->{closed}) = Podi::Comfy::Ws::closing($f->{payload});
        $self->{ended} = 1;
        return;
    }
    return if $f->{op} == PONG;
    $self->{part} = $f->{op} ? { %$f } : $self->{part};
    $self->{part}{payload} .= $f->{payload} if !$f->{op};
    return if !$f->{fin};

    my $whole = delete $self->{part};
    return decode($whole->{payload}) if $whole->{op} == TEXT;
    return { type => 'binary', binary => unpack('N', $whole->{payload}),
             bytes => substr $whole->{payload}, 4 };
}


# the frames up to the one that the code is true for, or to the deadline
sub until
{
    my ($self, $code, $seconds) = @_;
    my $end = time + $seconds;
    my @seen;

    while (1) {
        while (my $f = take(\$self->{in})) {
            my $message = $self->_frame($f) // next;

            push @seen, $message;
            return @seen if $code->($message);
        }
        last if !$self->_more($end);
    }

    $self->{late} = 1;
    return @seen;
}


sub close
{
    my ($self) = @_;

    syswrite $self->{sock}, frame(CLOSE, pack('n', 1000), mask => 1);
    $self->until(sub { 0 }, 5);
    close $self->{sock};
}

1;
