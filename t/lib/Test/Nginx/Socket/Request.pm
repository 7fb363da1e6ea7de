package Test::Nginx::Socket::Request;

# The request sections of a block, made into bytes, and sent.
#
#     request | pipelined_requests | raw_request  +  more_headers
#         -> list of requests, each a list of packets { value, delay_before }
#         -> one connection a request -> the bytes that came back

use strict;
use warnings;
use Exporter 'import';
use IO::Select;
use IO::Socket::INET;
use Test::Builder;
use Time::HiRes qw( sleep time );
use Test::Nginx::Socket::Set qw( %Set bail_out );

our @EXPORT_OK = qw( requests send_request request_line parse_time );


# "GET /x" -> method, target, version, body, and where each stood
sub _parse
{
    my ($name, $text) = @_;
    my ($line, $body) = $text =~ /\A([^\n]*\n?)(.*)\z/s;

    $line =~ /^\s*(\S+)(?: +(\S+))?(?: +(\S+))? *\s*$/
        or bail_out("$name - Request line is not valid: \"$line\"");

    return ($1, $2 // '/', $3 // 'HTTP/1.1', $body // '');
}


sub _headers
{
    my ($text) = @_;
    my ($out, $chunked) = ('', 0);

    for my $header (grep { !/^\s*#/ } split /\n+/, $text // '') {
        my ($key, $value) = split /:\s*/, $header, 2;

        $value //= '';
        $chunked = 1 if lc $key eq 'transfer-encoding' && $value eq 'chunked';
        $out .= "$key: $value\r\n";
    }

    return ($out, $chunked);
}


sub _head
{
    my ($more, $length, $connection) = @_;
    my $head = '';

    $head .= "Host: $Set{name}\r\n" if $more !~ /^Host:/mi;
    $head .= "Connection: $connection\r\n" if $more !~ /^Connection/mi;
    $head .= $more;
    $head .= "Content-Length: $length\r\n"
        if defined $length && $more !~ /^Content-Length:/m;

    return "$head\r\n";
}


# one request in the shape of a string
sub _build
{
    my ($name, $text, $more, $connection) = @_;
    my ($headers, $chunked) = _headers($more);

    my ($method, $target, $version, $body) = _parse($name, $text);
    my $length;

    if (!$chunked && $body ne '' && $headers !~ /^Content-Length:/m) {
        $body =~ s/^\s+|\s+$//g;
        $length = length $body;
    }

    return "$method $target $version\r\n"
           . _head($headers, $length, $connection) . $body;
}


# one request in the shape of packets: the head goes with the first of them
# that reaches the body, so that the cuts of the suite stay where they were
sub _packets
{
    my ($name, $packets, $more) = @_;
    my @list = map { ref $_ eq 'HASH' ? { %$_ } : { value => $_ } } @$packets;
    my $whole = _build($name, join('', map { $_->{value} } @list), $more,
                       'close');
    my $left = length $whole;

    for my $i (reverse 1 .. $#list) {
        my $size = length $list[$i]{value};

        $left -= $size;
        $list[$i]{value} = substr $whole, $left, $size;
    }

    $list[0]{value} = substr $whole, 0, $left;
    return \@list;
}


sub _more
{
    my ($block, $i) = @_;
    my $more = $block->more_headers;

    return $more if ref $more ne 'ARRAY';
    return $more->[$i] // bail_out($block->name
                                   . " - more_headers lacks entry $i");
}


sub _pipelined
{
    my ($block, $list) = @_;
    my $i = 0;

    return [ [ { value => join '', map {
        my $last = $i == $#$list;
        _build($block->name, $_, _more($block, $i++),
               $last ? 'close' : 'keep-alive')
    } @$list } ] ];
}


# every request of the block, each a list of packets
sub requests
{
    my ($block) = @_;
    my $name = $block->name;

    if (defined(my $raw = $block->raw_request)) {
        return [ [ map { { value => $_ } } ref $raw ? @$raw : $raw ] ];
    }

    return _pipelined($block, $block->pipelined_requests)
        if $block->pipelined_requests;

    my $request = $block->request // bail_out("$name - request empty");
    my $i = 0;

    # what stands before the request line is let by in this shape only
    if (!ref $request) {
        while ($request =~ s/^\s*\#[^\n]+\s+|^\s+//gs) { }
    }

    return [ map {
        my $more = _more($block, $i++);
        ref $_ ? _packets($name, $_, $more)
               : [ { value => _build($name, $_, $more, 'close') } ]
    } ref $request ? @$request : $request ];
}


# method, path and whether the answer has no body
sub request_line
{
    my ($packets) = @_;
    my $text = join '', map { $_->{value} } @$packets;

    return $text =~ /^\s*(\S+)\s+(\S+)/ ? ($1, $2) : ('', '');
}


sub parse_time
{
    my ($time) = @_;

    return if !defined $time;
    return $1 / 1000 if $time =~ /^([\d.]+)ms$/;
    return $time =~ s/s$//r;
}


sub _connect
{
    my ($block) = @_;
    my $addr = $block->server_addr_for_client // $Set{addr};

    my $sock = IO::Socket::INET->new(PeerAddr => $addr, Proto => 'tcp',
                                     PeerPort => $Set{client_port},
                                     Timeout => 5);
    return $sock if $sock;

    Test::Builder->new->ok(0, $block->name
        . " - Can't connect to $addr:$Set{client_port}: $!");
    return;
}


sub _write_some
{
    my ($sock, $out, $block) = @_;
    my $n = syswrite $sock, $out->[0]{value};

    if (!defined $n) {
        return 0 if $!{EAGAIN};
        @$out = ();
        return 0;
    }

    substr $out->[0]{value}, 0, $n, '';
    return 1 if length $out->[0]{value};

    shift @$out;
    if (@$out) {
        my $delay = $out->[0]{delay_before}
                    // $block->raw_request_middle_delay;
        sleep $delay if $delay;

    } elsif (defined(my $how = $block->shutdown)) {
        shutdown $sock, $how eq '' ? 1 : $how;
    }

    return 1;
}


sub _timed_out
{
    my ($block) = @_;

    return if defined $block->abort;
    Test::Builder->new->ok(0, 'ERROR: client socket timed out - '
                              . $block->name);
}


# sends and reads until nginx closes; what came, or undef without connection
sub send_request
{
    my ($block, $packets) = @_;
    my $timeout = parse_time($block->timeout) // $Set{timeout};
    my $sock = _connect($block) or return;
    my $select = IO::Select->new($sock);
    my @out = map { { %$_ } } @$packets;
    my $got = '';

    local $SIG{PIPE} = 'IGNORE';
    $sock->blocking(0);

    while (1) {
        my ($r, $w) = IO::Select->select($select, @out ? $select : undef,
                                         undef, $timeout);
        if (!defined $r) {
            _timed_out($block);
            last;
        }

        _write_some($sock, \@out, $block) if @$w;
        next if !@$r;

        my $n = sysread $sock, my $buf, 65536;
        next if !defined $n && $!{EAGAIN};
        last if !$n;
        $got .= $buf;
    }

    close $sock;
    return $got;
}

1;
