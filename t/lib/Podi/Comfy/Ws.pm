package Podi::Comfy::Ws;

# RFC 6455 as bytes, for the fake server and for the client of the conformance
# run: no sockets here.
#
#     accept_key($key)                      # what the upgrade answers
#     frame($op, $payload, mask => 1, fin => 1)
#     my $f = take(\$buffer)                # { fin, op, masked, payload }
#                                           # or undef: more is needed
#     my ($code, $reason) = closing($payload)

use strict;
use warnings;
use Digest::SHA qw( sha1_base64 );
use Exporter 'import';

our @EXPORT_OK = qw( accept_key frame take closing TEXT BINARY CLOSE PING PONG );

use constant { MORE => 0, TEXT => 1, BINARY => 2, CLOSE => 8, PING => 9,
               PONG => 10 };


sub accept_key
{
    my ($key) = @_;

    return sha1_base64($key . '258EAFA5-E914-47DA-95CA-C5AB0DC85B11') . '=';
}


sub frame
{
    my ($op, $payload, %arg) = @_;
    my $length = length $payload;
    my $mask = $arg{mask} ? 0x80 : 0;
    my $head = pack 'C', (($arg{fin} // 1) ? 0x80 : 0) | $op;

    $head .= $length < 126 ? pack 'C', $mask | $length
        : $length < 65536 ? pack 'Cn', $mask | 126, $length
        : pack 'CQ>', $mask | 127, $length;
    return $head . $payload if !$mask;

    my $key = pack 'N', int rand 2 ** 32;

    return $head . $key . _masked($payload, $key);
}


sub _masked
{
    my ($payload, $key) = @_;

    return $payload ^ substr $key x (1 + length($payload) / 4), 0,
        length $payload;
}


sub take
{
    my ($buffer) = @_;

    return if length $$buffer < 2;
    my ($first, $second) = unpack 'CC', $$buffer;
    my ($length, $at) = ($second & 0x7f, 2);

    if ($length == 126) {
        return if length $$buffer < 4;
        ($length, $at) = (unpack('x2 n', $$buffer), 4);

    } elsif ($length == 127) {
        return if length $$buffer < 10;
        ($length, $at) = (unpack('x2 Q>', $$buffer), 10);
    }

    my $masked = $second & 0x80 ? 1 : 0;
    my $end = $at + 4 * $masked + $length;

    return if length $$buffer < $end;
    my $bytes = substr $$buffer, 0, $end, '';
    my $payload = substr $bytes, $at + 4 * $masked;

    $payload = _masked($payload, substr $bytes, $at, 4) if $masked;
    return { fin => $first >> 7, op => $first & 15, masked => $masked,
             reserved => $first & 0x70, payload => $payload };
}


sub closing
{
    my ($payload) = @_;

    return length $payload < 2 ? (1005, '') : unpack 'n a*', $payload;
}

1;
