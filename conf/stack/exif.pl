#!/usr/bin/perl
#
# exif.pl ORIENTATION < in.jpg > out.jpg: what a camera adds to a picture
#
# Puts an Exif segment with the orientation and a place (GPS) in front of the
# others.  The pixels are not touched.

use strict;
use warnings;


binmode STDIN;
binmode STDOUT;

my $orientation = shift // die "usage: exif.pl ORIENTATION\n";
my $jpeg = do { local $/; <STDIN> };

$jpeg =~ s/\A\xff\xd8// or die "not a JPEG\n";

my $exif = "Exif\0\0" . tiff($orientation);

print "\xff\xd8\xff\xe1", pack('n', 2 + length $exif), $exif, $jpeg;


# Big-endian TIFF: IFD0 with orientation and a pointer to the GPS IFD.
sub tiff {
    my ($orientation) = @_;
    my $gps_at = 8 + 2 + 2 * 12 + 4;
    my $data_at = $gps_at + 2 + 4 * 12 + 4;

    return 'MM' . pack('nN', 42, 8)
        . pack('n', 2)
        . pack('nnNnn', 0x0112, 3, 1, $orientation, 0)
        . pack('nnNN', 0x8825, 4, 1, $gps_at)
        . pack('N', 0)
        . pack('n', 4)
        . pack('nnNa4', 1, 2, 2, "N\0")
        . pack('nnNN', 2, 5, 3, $data_at)
        . pack('nnNa4', 3, 2, 2, "W\0")
        . pack('nnNN', 4, 5, 3, $data_at + 24)
        . pack('N', 0)
        . pack('N6', 43, 1, 11, 1, 30, 1)
        . pack('N6', 4, 1, 51, 1, 12, 1);
}
