package Podi::Picture;

# Pictures for tests: good ones by libvips' own tools, bad ones by hand; and
# the process that makes one picture, run without its daemon.
#
#     my $p = Podi::Picture->new;         # builds podi_imaged
#     my $in = $p->corners('jpg', orientation => 6, gps => 1);
#     my $r = $p->make($in, 'image.resize', { width => 40 });
#     my $m = $p->make([$in, $in], 'image.montage', { cell => 40 });
#     $r->{answer}{width}, $r->{signal}, $r->{path}
#     $p->corner_names($r->{path})         # "red green blue white"
#     $p->facts($r->{path})->{bands}
#
# The picture `corners` is 80 x 60: red and green above blue and white.

use strict;
use warnings;

use Compress::Zlib qw(crc32 compress);
use Fcntl qw(F_SETFD);
use File::Temp ();
use JSON::PP ();
use POSIX ();

use Podi::Hands;

# the tools start faster without modules that no test needs
$ENV{VIPSHOME} = '/nonexistent';

our ($WIDTH, $HEIGHT) = (80, 60);
my %NAMES = ('255 0 0' => 'red', '0 255 0' => 'green', '0 0 255' => 'blue',
             '255 255 255' => 'white');
my $json = JSON::PP->new->canonical;


sub new
{
    my ($class, %option) = @_;
    my $self = bless { %option, n => 0 }, $class;

    $self->{build} = Podi::Hands::build();
    run('make', '-s', '-j2', '-C', "$Podi::Pg::ROOT/workers",
        "PODI_BUILD=$self->{build}", "$self->{build}/bin/podi_imaged");
    $self->{tmp} = File::Temp->newdir('podi-p-XXXXXX', TMPDIR => 1);
    $self->{dir} = "$self->{tmp}";
    return $self;
}


sub path
{
    my ($self, $suffix) = @_;

    return "$self->{dir}/" . ++$self->{n} . ".$suffix";
}


sub write
{
    my ($self, $suffix, $bytes) = @_;
    my $path = $self->path($suffix);

    open my $out, '>:raw', $path or die "$path: $!";
    print {$out} $bytes;
    close $out or die "$path: $!";
    return $path;
}


sub bytes
{
    my ($path) = @_;

    open my $in, '<:raw', $path or die "$path: $!";
    local $/;
    return <$in>;
}


sub run
{
    my (@cmd) = @_;

    open my $out, '-|', 'sh', '-c', 'exec "$@" 2>&1', 'sh', @cmd
        or die "$cmd[0]: $!";
    my $text = do { local $/; <$out> } // '';
    close $out or die "@cmd: $text";
    return $text;
}


# --- good pictures -----------------------------------------------------------

# four colours as PPM; each quarter is one of them
sub ppm
{
    my ($self, $w, $h) = @_;
    my ($red, $green, $blue, $white) = map { pack 'C3', @$_ }
        [255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255];
    my $top = $red x ($w / 2) . $green x ($w / 2);
    my $bottom = $blue x ($w / 2) . $white x ($w / 2);

    return $self->write('ppm', "P6\n$w $h\n255\n" . $top x ($h / 2)
                               . $bottom x ($h / 2));
}


# vips operations in a row, then saved: steps => [['cast', 'ushort'], ...]
sub corners
{
    my ($self, $suffix, %option) = @_;
    my $from = $self->ppm($option{width} // $WIDTH,
                          $option{height} // $HEIGHT);

    for my $step (@{ $option{steps} || [] }) {
        my ($op, @arg) = @$step;
        my $to = $self->path('v');

        run('vips', $op, $from, $to, @arg);
        $from = $to;
    }

    my %default = (jpg => 'Q=95', webp => 'lossless', png => '', gif => '',
                   tif => '');
    my $save = join ',', grep { $_ ne '' } $default{$suffix},
               $option{save} // '';
    my $path = $self->path($suffix);

    run('vips', 'copy', $from, $path . ($save eq '' ? '' : "[$save]"));
    $self->tag($path, %option);
    return $path;
}


sub tag
{
    my ($self, $path, %option) = @_;
    my @tags;

    push @tags, "-Orientation#=$option{orientation}" if $option{orientation};
    push @tags, '-GPSLatitude=48.1', '-GPSLatitudeRef=N',
        '-GPSLongitude=11.5', '-GPSLongitudeRef=E',
        '-Artist=Somebody', '-XMP:Creator=Somebody' if $option{gps};
    run('exiftool', '-q', '-overwrite_original', @tags, $path) if @tags;
}


# as many frames, below each other; the first is the corners
sub animated
{
    my ($self, $suffix, $frames) = @_;
    my $path = $self->path($suffix);
    my $stack = $self->ppm($WIDTH, $HEIGHT);
    my $other = $self->path('v');

    run('vips', 'invert', $stack, $other);
    for (2 .. $frames) {
        my $longer = $self->path('v');

        run('vips', 'join', $stack, $other, $longer, 'vertical');
        $stack = $longer;
    }
    run('vips', "${suffix}save", $stack, $path, '--page-height', $HEIGHT,
        $suffix eq 'webp' ? '--lossless' : ());
    return $path;
}


# noise: slow to compress
sub noise
{
    my ($self, $suffix, $w, $h) = @_;
    my ($noise, $grey, $path) = ($self->path('v'), $self->path('v'),
                                 $self->path($suffix));

    run('vips', 'gaussnoise', $noise, $w, $h, '--sigma', 60);
    run('vips', 'cast', $noise, $grey, 'uchar');
    run('vips', 'bandjoin', "$grey $grey $grey", $noise);
    run('vips', 'copy', $noise, $path, '--interpretation', 'srgb');
    return $path;
}


# --- bad pictures ------------------------------------------------------------

sub chunk
{
    my ($type, $data) = @_;

    return pack('N', length $data) . "$type$data"
           . pack('N', crc32("$type$data"));
}


# a PNG that declares a size; data is what its IDAT unpacks to
sub png
{
    my ($w, $h, $data, %option) = @_;
    my $ihdr = pack 'NNC5', $w, $h, $option{depth} // 8, $option{type} // 2,
               0, 0, 0;

    return "\x89PNG\r\n\x1a\n" . chunk('IHDR', $ihdr) . ($option{extra} // '')
           . chunk('IDAT', compress($data)) . chunk('IEND', '');
}


# a GIF that declares a screen, with one frame of a pixel
sub gif
{
    my ($w, $h) = @_;

    return 'GIF89a' . pack('vvC3', $w, $h, 0x80, 0, 0) . "\0\0\0\xff\xff\xff"
           . ',' . pack('v4C', 0, 0, $w, $h, 0) . "\x02\x02\x44\x01\x00;";
}


# a JPEG whose frame header says another size than it has
sub jpeg_sized
{
    my ($jpeg, $w, $h) = @_;

    $jpeg =~ s/(\xff\xc0\x00\x11\x08)..../$1 . pack 'nn', $h, $w/se
        or die 'no SOF0';
    return $jpeg;
}


# --- the process -------------------------------------------------------------

my %LIMITS = (max_pixels => 100_000_000, max_dimension => 30_000, cpu => 30,
              memory => 2 << 30, result_max => 128 << 20);


# its two lines
sub ask
{
    my ($action, $params, %own) = @_;
    my $inputs = delete $own{inputs};

    return $json->encode({ %LIMITS, parent => $$, seccomp => JSON::PP::true,
                           %own }) . "\n"
         . $json->encode({ action => $action, params => $params,
                           inputs => $inputs }) . "\n";
}


# {answer, status, signal, path}
sub make
{
    my ($self, $in, $action, $params, %limit) = @_;
    my $out = $self->write('out', '');
    my @in = ref $in ? @$in : $in;
    my $ask = $self->write('json', $limit{ask}
        // ask($action, $params, inputs => scalar @in, %limit));
    my $said = $self->path('said');
    my $child = fork // die "fork: $!";

    if ($child == 0) {
        open STDIN, '<', $ask or POSIX::_exit(126);
        open STDOUT, '>', $said or POSIX::_exit(126);
        # first to numbers that nobody has, then to those it expects
        my @fd = map { POSIX::open($_, POSIX::O_RDONLY()) } @in;
        splice @fd, 1, 0, POSIX::open($out, POSIX::O_RDWR());
        POSIX::dup2($fd[$_], 40 + $_) for 0 .. $#fd;
        POSIX::dup2(40 + $_, 3 + $_) for 0 .. $#fd;
        %ENV = (LC_ALL => 'C', map { exists $ENV{$_} ? ($_ => $ENV{$_}) : () }
                               qw(ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS));
        exec("$self->{build}/bin/podi_imaged", '--picture')
            or POSIX::_exit(127);
    }

    waitpid $child, 0;

    my $text = bytes($said);

    return { status => $? >> 8, signal => $? & 127, path => $out,
             text => $text, answer => eval { $json->decode($text) } // {} };
}


# --- looking -----------------------------------------------------------------

# {width, height, format, bands, interpretation, loader}
sub facts
{
    my ($self, $path) = @_;
    my @fact = run('vipsheader', $path)
        =~ /: (\d+)x(\d+) (\w+), (\d+) bands?, (\S+), (\w+)/
        or die "$path: no header";
    my %fact;

    @fact{qw(width height format bands interpretation loader)} = @fact;
    return \%fact;
}


# one pixel as "r g b", each 0, 255 or, in between, 128
sub pixel
{
    my ($self, $path, $x, $y) = @_;

    return rounded(split ' ', run('vips', 'getpoint', $path, $x, $y));
}


sub rounded
{
    return join ' ', map { $_ < 48 ? 0 : $_ > 207 ? 255 : 128 } @_;
}


# the colours near the corners, from the top left by lines
sub corner_names
{
    my ($self, $path) = @_;
    my $ppm = $self->path('ppm');

    run('vips', 'colourspace', $path, $ppm, 'srgb');

    my ($w, $h, $pixels) = bytes($ppm) =~ /^P6\s(?:#.*\n)?(\d+) (\d+)\s255\n(.*)/s
        or die "$path: no pixels";
    my ($dx, $dy) = (int $w / 8, int $h / 8);

    return join ' ', map {
        my $pixel = rounded(unpack 'C3', substr $pixels,
                            3 * ($_->[1] * $w + $_->[0]), 3);
        $NAMES{$pixel} // "($pixel)";
    } [$dx, $dy], [$w - 1 - $dx, $dy], [$dx, $h - 1 - $dy],
      [$w - 1 - $dx, $h - 1 - $dy];
}


1;
