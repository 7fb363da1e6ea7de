package Podi::Comfy::Png;

# Pictures of the fake server: PNG of 8 bits, read and written by hand.
#
#     my $p = read_picture($bytes)       # { width, height, rgb } or dies
#     my $p = invert($p); my $p = scale($p, $width, $height, $method, $crop);
#     my $bytes = write_png($p, [prompt => '{...}'], ...);
#
# A JPEG or a WebP becomes one grey area of its size: there is no decoder here,
# and no test looks at the colours of those.

use strict;
use warnings;
use Compress::Zlib qw( compress uncompress crc32 );
use Exporter 'import';

our @EXPORT_OK = qw( read_picture write_png invert scale solid sniff text_of );

my $PNG = "\x89PNG\r\n\x1a\n";
my %CHANNELS = (0 => 1, 2 => 3, 3 => 1, 4 => 2, 6 => 4);


sub sniff
{
    my ($bytes) = @_;

    return 'png' if substr($bytes, 0, 8) eq $PNG;
    return 'jpeg' if substr($bytes, 0, 3) eq "\xff\xd8\xff";
    return 'webp' if $bytes =~ /^RIFF....WEBP/s;
    return '';
}


sub solid
{
    my ($width, $height, @rgb) = @_;

    return { width => $width, height => $height,
             rgb => pack('C3', @rgb) x ($width * $height) };
}


sub read_picture
{
    my ($bytes) = @_;
    my $kind = sniff($bytes);

    return _read_png($bytes) if $kind eq 'png';

    my ($width, $height) = $kind eq 'jpeg' ? _jpeg_size($bytes)
        : $kind eq 'webp' ? _webp_size($bytes) : ();

    die "unidentified\n" if !$width || !$height;
    return solid($width, $height, 128, 128, 128);
}


sub _chunks
{
    my ($bytes) = @_;
    my ($at, @chunk) = (8);

    while ($at + 12 <= length $bytes) {
        my ($length, $type) = unpack "x$at N a4", $bytes;

        last if $at + 12 + $length > length $bytes;
        push @chunk, [$type, substr $bytes, $at + 8, $length];
        $at += 12 + $length;
        last if $type eq 'IEND';
    }

    return @chunk;
}


# the text chunks of a PNG, as a hash
sub text_of
{
    my ($bytes) = @_;

    return map { $_->[0] eq 'tEXt' && $_->[1] =~ /^([^\0]+)\0(.*)$/s
                 ? ($1 => $2) : () } _chunks($bytes);
}


sub _read_png
{
    my ($bytes) = @_;
    my ($header, $palette, $data, $end) = ('', '', '', 0);

    for my $chunk (_chunks($bytes)) {
        my ($type, $body) = @$chunk;

        $header = $body if $type eq 'IHDR';
        $palette = $body if $type eq 'PLTE';
        $data .= $body if $type eq 'IDAT';
        $end = 1 if $type eq 'IEND';
    }

    die "unidentified\n" if length $header != 13;
    my ($width, $height, $depth, $type, undef, undef, $laced)
        = unpack 'NNC5', $header;
    my $channels = $CHANNELS{$type};

    die "the fake reads PNGs of 8 bits without interlacing only\n"
        if $depth != 8 || $laced || !$channels;
    my $rows = $end ? uncompress($data) : undef;

    die "image file is truncated\n"
        if !defined $rows || length $rows != $height * ($width * $channels + 1);

    return { width => $width, height => $height,
             rgb => _rgb(_unfilter($rows, $width * $channels, $height,
                                   $channels), $type, $palette) };
}


sub _unfilter
{
    my ($rows, $stride, $height, $bpp) = @_;
    my @before = (0) x $stride;
    my $out = '';

    for my $y (0 .. $height - 1) {
        my $start = $y * ($stride + 1);
        my $filter = ord substr $rows, $start, 1;
        my @row = unpack 'C*', substr $rows, $start + 1, $stride;

        _unfilter_row($filter, \@row, \@before, $bpp) if $filter;
        $out .= pack 'C*', @row;
        @before = @row;
    }

    return $out;
}


# written out per filter: a picture has millions of bytes
sub _unfilter_row
{
    my ($filter, $row, $up, $bpp) = @_;

    if ($filter == 2) {
        $row->[$_] = ($row->[$_] + $up->[$_]) & 255 for 0 .. $#$row;
        return;
    }

    # what stands left of the first point is 0, or for Paeth what is above
    for my $i (0 .. $bpp - 1) {
        $row->[$i] = ($row->[$i] + ($filter == 4 ? $up->[$i]
            : $filter == 3 ? $up->[$i] >> 1 : 0)) & 255;
    }
    if ($filter == 1) {
        $row->[$_] = ($row->[$_] + $row->[$_ - $bpp]) & 255
            for $bpp .. $#$row;

    } elsif ($filter == 3) {
        $row->[$_] = ($row->[$_] + (($row->[$_ - $bpp] + $up->[$_]) >> 1)) & 255
            for $bpp .. $#$row;

    } else {
        _paeth($row, $up, $bpp);
    }
}


sub _paeth
{
    my ($row, $up, $bpp) = @_;

    for my $i ($bpp .. $#$row) {
        my ($left, $above, $corner) = ($row->[$i - $bpp], $up->[$i],
                                       $up->[$i - $bpp]);
        my $l = abs($above - $corner);
        my $a = abs($left - $corner);
        my $c = abs($left + $above - 2 * $corner);

        $row->[$i] = ($row->[$i] + ($l <= $a && $l <= $c ? $left
            : $a <= $c ? $above : $corner)) & 255;
    }
}


sub _rgb
{
    my ($raw, $type, $palette) = @_;

    return $raw if $type == 2;
    return $raw =~ s/(...)./$1/gsr if $type == 6;
    return $raw =~ s/(.)/$1$1$1/gsr if $type == 0;
    return $raw =~ s/(.)./$1$1$1/gsr if $type == 4;
    return $raw =~ s/(.)/substr $palette, 3 * ord $1, 3/gesr;
}


sub _jpeg_size
{
    my ($bytes) = @_;
    my $at = 2;

    while ($at + 9 <= length $bytes) {
        my ($mark, $kind, $length, undef, $height, $width)
            = unpack "x$at C C n C n n", $bytes;

        return if $mark != 0xff;
        return ($width, $height)
            if $kind >= 0xc0 && $kind <= 0xcf && $kind != 0xc4 && $kind != 0xc8
                && $kind != 0xcc;
        $at += 2 + $length;
    }

    return;
}


sub _webp_size
{
    my ($bytes) = @_;
    my $kind = substr $bytes, 12, 4;

    if ($kind eq 'VP8X') {
        my @b = unpack 'x24 C6', $bytes;
        return (1 + $b[0] + ($b[1] << 8) + ($b[2] << 16),
                1 + $b[3] + ($b[4] << 8) + ($b[5] << 16));
    }
    if ($kind eq 'VP8L') {
        my $bits = unpack 'x21 V', $bytes;
        return (1 + ($bits & 0x3fff), 1 + (($bits >> 14) & 0x3fff));
    }
    if ($kind eq 'VP8 ') {
        my ($width, $height) = unpack 'x26 v v', $bytes;
        return ($width & 0x3fff, $height & 0x3fff);
    }
    return;
}


sub invert
{
    my ($p) = @_;

    return { %$p, rgb => $p->{rgb} ^ ("\xff" x length $p->{rgb}) };
}


# nearest-exact takes the nearest point, every other method is linear here
sub scale
{
    my ($p, $width, $height, $method, $crop) = @_;

    $p = _centre($p, $width / $height) if $crop eq 'center';
    my @x = map { my $at = $_; map { [3 * $at->[0] + $_, 3 * $at->[1] + $_,
                                      $at->[2]] } 0 .. 2 }
        _positions($p->{width}, $width, $method);
    my ($out, %line) = ('');

    for my $y (_positions($p->{height}, $height, $method)) {
        my ($upper, $lower) = map {
            $line{$_} //= _stretch(substr($p->{rgb}, $_ * $p->{width} * 3,
                                          $p->{width} * 3), \@x)
        } $y->[0], $y->[1];
        my $part = $y->[2];

        $out .= pack 'C*', !$part ? map { $_ + .5 } @$upper
            : map { $upper->[$_] + ($lower->[$_] - $upper->[$_]) * $part + .5 }
              0 .. $#$upper;
        delete @line{ grep { $_ < $y->[0] } keys %line };
    }

    return { width => $width, height => $height, rgb => $out };
}


sub _centre
{
    my ($p, $ratio) = @_;
    my ($w, $h) = @$p{qw( width height )};
    my $width = $w / $h > $ratio ? int($h * $ratio + .5) || 1 : $w;
    my $height = $w / $h < $ratio ? int($w / $ratio + .5) || 1 : $h;
    my ($x, $y) = (int(($w - $width) / 2), int(($h - $height) / 2));

    return { width => $width, height => $height, rgb => join '', map {
        substr $p->{rgb}, (($y + $_) * $w + $x) * 3, $width * 3
    } 0 .. $height - 1 };
}


# for each point of the result: two points of the source, the second's weight
sub _positions
{
    my ($from, $to, $method) = @_;

    return map {
        my $at = ($_ + .5) * $from / $to - .5;
        my $low = $at < 0 ? 0 : int $at;
        my $part = $at < 0 ? 0 : $at - $low;
        my $high = $low + 1 < $from ? $low + 1 : $low;

        $method eq 'nearest-exact'
            ? [(int(($_ + .5) * $from / $to)) x 2, 0] : [$low, $high, $part];
    } 0 .. $to - 1;
}


sub _stretch
{
    my ($line, $x) = @_;
    my @in = unpack 'C*', $line;

    return [map { $in[$_->[0]] + ($in[$_->[1]] - $in[$_->[0]]) * $_->[2] }
            @$x];
}


sub _chunk
{
    my ($type, $body) = @_;

    return pack('N', length $body) . $type . $body
        . pack 'N', crc32($type . $body);
}


sub write_png
{
    my ($p, @text) = @_;
    my $stride = 3 * $p->{width};
    my $rows = join '', map { "\0" . substr $p->{rgb}, $_ * $stride, $stride }
        0 .. $p->{height} - 1;

    return $PNG . _chunk('IHDR', pack 'NNC5', @$p{qw( width height )},
                         8, 2, 0, 0, 0)
        . join('', map { _chunk('tEXt', "$_->[0]\0$_->[1]") } @text)
        . _chunk('IDAT', compress($rows)) . _chunk('IEND', '');
}

1;
