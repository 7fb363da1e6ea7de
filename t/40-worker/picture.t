# One picture in one process: what podi_imaged makes of good pictures, and what
# it says of bad ones.  Needs vips (libvips-tools) and exiftool.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use Podi::Picture;

my $p = Podi::Picture->new;
my $UPRIGHT = 'red green blue white';
my $sanitized = Podi::Picture::bytes("$p->{build}/bin/podi_imaged")
                =~ /__asan_init/;


sub size
{
    my ($path) = @_;

    return join 'x', @{ $p->facts($path) }{qw(width height)};
}


sub said
{
    my ($r) = @_;

    return $r->{answer}{error} // "status $r->{status} signal $r->{signal}";
}


subtest 'resize' => sub {
    my $in = $p->corners('jpg');

    for my $case (
        # width, height, fit, result
        [40, undef, 'contain', '40x30'],
        [undef, 15, 'contain', '20x15'],
        [40, 40, 'contain', '40x30'],
        [160, 160, 'contain', '160x120'],
        [40, 40, 'cover', '40x40'],
        [40, 40, 'fill', '40x40'],
        [30, 60, 'cover', '30x60'],
        [10, 100, 'fill', '10x100'],
        [40, undef, 'cover', '40x30'],
        [undef, 30, 'fill', '40x30'],
        [1, undef, 'contain', '1x1'],
    ) {
        my ($w, $h, $fit, $want) = @$case;
        my $r = $p->make($in, 'image.resize', { fit => $fit,
            defined $w ? (width => $w) : (), defined $h ? (height => $h) : () });

        is size($r->{path}), $want,
            join ' ', $fit, $w // '-', $h // '-', 'gives', $want;
        is "$r->{answer}{width}x$r->{answer}{height}", $want, 'and says so';
    }

    my $cover = $p->make($in, 'image.resize',
                         { width => 40, height => 40, fit => 'cover' });
    is $p->corner_names($cover->{path}), $UPRIGHT, 'cover keeps the middle';
    my $fill = $p->make($in, 'image.resize',
                        { width => 40, height => 40, fit => 'fill' });
    is $p->corner_names($fill->{path}), $UPRIGHT, 'fill keeps all of it';

    is said($p->make($in, 'image.resize', {})), 'bad_field',
        'without a side it is refused';
};

subtest 'montage' => sub {
    my $in = $p->corners('jpg');
    my $alpha = $p->corners('png', steps => [['bandjoin_const', 128]]);
    my %small = (cell => 40, gap => 4, format => 'png');

    for my $case (
        # inputs, columns, result
        [2, undef, '84x40'],
        [3, undef, '84x84'],
        [5, undef, '128x84'],
        [16, undef, '172x172'],
        [3, 1, '40x128'],
        [2, 16, '84x40'],
    ) {
        my ($n, $columns, $want) = @$case;
        my $r = $p->make([($in) x $n], 'image.montage',
                         { %small, $columns ? (columns => $columns) : () });

        is size($r->{path}), $want, "$n inputs, columns "
            . ($columns // 'as they come') . " give $want";
    }

    my %tight = (cell => 40, gap => 0, fit => 'fill', format => 'png');
    my @one = map { $p->corners('png', steps => [
        ['extract_area', $_->[0], $_->[1], 40, 30]]) }
        [0, 0], [40, 0], [0, 30], [40, 30];
    my $r = $p->make(\@one, 'image.montage', \%tight);
    is $p->corner_names($r->{path}), $UPRIGHT, 'row by row';

    $r = $p->make([$in, $alpha, $p->corners('webp'), $p->corners('gif')],
                  'image.montage', { %tight, format => 'jpeg' });
    is $p->facts($r->{path})->{bands}, 3, 'of any kind, opaque';

    $r = $p->make([$in, $in], 'image.montage',
                  { %small, gap => 40, background => '#00ff00' });
    my $gap = $p->path('png');
    Podi::Picture::run('vips', 'extract_area', $r->{path}, $gap, 44, 4, 32, 32);
    is $p->corner_names($gap), 'green green green green',
        'the background is between';

    is said($p->make([$in, $p->write('jpg', 'none')], 'image.montage',
                     \%small)), 'picture_invalid', 'one that is none';
    is said($p->make([$in, $in], 'image.montage',
                     { %small, background => '#00ff0g' })), 'bad_field',
        'a colour that is none';
    is said($p->make([($in) x 4], 'image.montage', { cell => 60_000 })),
        'picture_too_large', 'a result that is too large';
    is said($p->make([($in) x 9], 'image.montage',
                     { %tight, cell => 2000, columns => 9, format => 'webp' })),
        'picture_too_large', '... for WebP';
};

subtest 'formats' => sub {
    my %loader = (jpeg => 'jpegload', png => 'pngload', webp => 'webpload');

    for my $from (qw(jpg png webp gif tif)) {
        my $in = $p->corners($from);

        for my $to (sort keys %loader) {
            my $r = $p->make($in, 'image.convert',
                             { format => $to, quality => 95 });

            like $p->facts($r->{path})->{loader}, qr/^$loader{$to}/,
                "$from becomes $to";
            is $r->{answer}{type}, "image/$to", 'and says so';
            is size($r->{path}), '80x60', 'of the same size';
            is $p->corner_names($r->{path}), $UPRIGHT, 'with the same colours';
        }
    }

    my %keep = (jpg => 'jpegload', png => 'pngload', webp => 'webpload',
                gif => 'pngload', tif => 'jpegload');

    for my $from (sort keys %keep) {
        my $r = $p->make($p->corners($from), 'image.resize', { width => 40 });

        like $p->facts($r->{path})->{loader}, qr/^$keep{$from}/,
            "keep: $from becomes what $keep{$from} reads";
    }

    my $in = $p->corners('jpg', width => 800, height => 600,
                         steps => [['gaussblur', 4]]);
    my ($low, $high) = map {
        -s $p->make($in, 'image.convert', { format => 'jpeg', quality => $_ })
             ->{path} } 20, 95;
    cmp_ok $low, '<', $high / 2, 'quality costs bytes';
};

subtest 'thumbnail and check' => sub {
    my $in = $p->corners('png', width => 800, height => 600);
    my $r = $p->make($in, 'image.thumbnail', { size => 100 });
    is size($r->{path}), '100x75', 'the longer side has the size';

    $r = $p->make($p->corners('png'), 'image.thumbnail', { size => 100 });
    is size($r->{path}), '80x60', 'nothing is enlarged';

    $r = $p->make($p->corners('jpg', width => 800, height => 600,
                              orientation => 6), 'media.check', {});
    is size($r->{path}), '240x320', 'a check makes a preview';
    like $p->facts($r->{path})->{loader}, qr/^webpload/, 'as WebP';
    is "$r->{answer}{source_width}x$r->{answer}{source_height}", '600x800',
        'and measures the picture upright';

    # the pixels that were checked are shrunk, where they can be kept
    my %big = (width => 4000, height => 3000);
    for my $case (
        ['an upright PNG', $p->noise('png', 500, 400)],
        ['one that lies', $p->corners('png', width => 800, height => 600,
                                      orientation => 6)],
        ['one with 16 bits and alpha', $p->corners('png', width => 800,
            height => 600, steps => [['bandjoin_const', 128],
                                     ['linear', 257, 0], ['cast', 'ushort']])],
        ['a large one', $p->corners('png', %big)],
        ['one larger than what is kept', $p->corners('png', %big),
         memory => 512 << 20],
        ['a JPEG', $p->corners('jpg', width => 800, height => 600)],
    ) {
        my ($name, $path, %limit) = @$case;
        my ($check, $thumb) = map { Podi::Picture::bytes($p->make($path, @$_,
            %limit)->{path}) } ['media.check', {}],
            ['image.thumbnail', { size => 320 }];

        ok $check ne '' && $check eq $thumb, "... $name: as a thumbnail is";
    }
};

subtest 'upright' => sub {
    my @shown = ('red green blue white', 'green red white blue',
                 'white blue green red', 'blue white red green',
                 'red blue green white', 'blue red white green',
                 'white green blue red', 'green white red blue');

    for my $orientation (1 .. 8) {
        my $in = $p->corners('jpg', orientation => $orientation);
        my $size = $orientation >= 5 ? '60x80' : '80x60';
        my $r = $p->make($in, 'image.convert', { format => 'png' });

        is $p->corner_names($r->{path}), $shown[$orientation - 1],
            "orientation $orientation is turned when converting";
        is size($r->{path}), $size, 'with its sides';

        $r = $p->make($in, 'image.resize',
                      { width => 30, height => 30, format => 'png' });
        is $p->corner_names($r->{path}), $shown[$orientation - 1],
            'and when resizing';
        unlike Podi::Picture::run('vipsheader', '-a', $r->{path}),
            qr/^orientation: [2-8]/m, 'and is not turned again';
    }
};

subtest 'metadata' => sub {
    for my $case (['jpg', 'jpeg'], ['webp', 'webp'], ['png', 'png'],
                  ['jpg', 'webp'], ['jpg', 'png'])
    {
        my ($from, $to) = @$case;
        my $in = $p->corners($from, gps => 1, steps => [['icc_transform',
                             'srgb', '--input-profile', 'srgb']]);
        like Podi::Picture::run('exiftool', '-a', '-G1', $in), qr/GPS/,
            "the $from has a place";

        for my $ask (['image.convert', { format => $to }],
                     ['image.resize', { width => 40, format => $to }],
                     ['image.thumbnail', {}])
        {
            my $r = $p->make($in, @$ask);
            my @tags = Podi::Picture::run('exiftool', '-a', '-G1', $r->{path})
                       =~ /^(\[(?:GPS|XMP|ICC|IPTC|Photoshop).*)/mg;

            is "@tags", '',
                "$ask->[0] to $to keeps no place and no profile";
            ok Podi::Picture::bytes($r->{path}) !~ /Somebody|lcms/,
                'and no name';
        }
    }
};

subtest 'pixels of all kinds' => sub {
    my $grey = [['colourspace', 'b-w']];
    my $alpha = [['bandjoin_const', '128']];
    my $r;

    $r = $p->make($p->corners('png', steps => $alpha), 'image.resize',
                  { width => 40 });
    is $p->facts($r->{path})->{bands}, 4, 'alpha is kept';
    is $p->pixel($r->{path}, 3, 3), '255 0 0 128', 'with its value';

    $r = $p->make($p->corners('png', steps => [['bandjoin_const', '0']]),
                  'image.convert', { format => 'jpeg' });
    is $p->pixel($r->{path}, 3, 3), '255 255 255',
        'where there is no alpha, white is behind';

    $r = $p->make($p->corners('jpg', steps => $grey), 'image.convert',
                  { format => 'png' });
    is $p->facts($r->{path})->{bands}, 1, 'grey stays grey';

    $r = $p->make($p->corners('png', steps => [@$grey, @$alpha]),
                  'image.convert', { format => 'webp' });
    is $p->facts($r->{path})->{bands}, 4, 'grey with alpha is understood';

    $r = $p->make($p->corners('jpg', steps => [['icc_transform', 'cmyk',
                  '--input-profile', 'srgb']]), 'image.convert',
                  { format => 'png' });
    is $p->facts($r->{path})->{bands}, 3, 'CMYK becomes RGB';
    like $p->facts($r->{path})->{interpretation}, qr/srgb/, 'that is sRGB';

    my $deep = $p->corners('png', steps => [['colourspace', 'rgb16']]);
    like $p->facts($deep)->{format}, qr/ushort/, 'a picture has 16 bits';
    for my $ask (['image.convert', { format => 'png' }],
                 ['image.resize', { width => 40 }])
    {
        $r = $p->make($deep, @$ask);
        like $p->facts($r->{path})->{format}, qr/uchar/, "$ask->[0] gives 8";
        is $p->corner_names($r->{path}), $UPRIGHT, 'of the same colours';
    }

    for my $suffix (qw(gif webp)) {
        $r = $p->make($p->animated($suffix, 3), 'image.convert',
                      { format => 'png' });
        is size($r->{path}), '80x60', "of an animated $suffix one frame";
        is $p->corner_names($r->{path}), $UPRIGHT, 'which is the first';
    }

    for my $case (['jpg', 'a progressive JPEG'], ['png', 'an interlaced PNG']) {
        $r = $p->make($p->corners($case->[0], save => 'interlace'),
                      'media.check', {});
        is $r->{answer}{width}, 80, "$case->[1] is read";
    }

    my $broken = Podi::Picture::bytes($p->corners('png'));
    $broken =~ s/(?<=IHDR.{17})/Podi::Picture::chunk('iCCP',
        "x\0\0" . Compress::Zlib::compress('no profile' x 20))/se;
    $r = $p->make($p->write('png', $broken), 'image.convert',
                  { format => 'png' });
    is $p->corner_names($r->{path}), $UPRIGHT, 'a broken profile is as none';
};

subtest 'what is no picture' => sub {
    my $jpeg = Podi::Picture::bytes($p->corners('jpg', width => 800,
                                                height => 600));
    my $png = Podi::Picture::bytes($p->corners('png', width => 800,
                                               height => 600));
    my $webp = Podi::Picture::bytes($p->corners('webp', width => 800,
                                                height => 600));
    my $svg = '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"'
              . ' width="10" height="10"><rect width="5" height="5"/></svg>';

    srand 7;
    for my $case (
        ['an empty file', ''],
        ['text', "hello, I am a picture\n" x 50],
        ['SVG', $svg],
        ['PDF', "%PDF-1.4\n1 0 obj\n<<>>\nendobj\n"],
        ['a ZIP', "PK\x03\x04" . "\0" x 200],
        ['noise', join '', map { chr int rand 256 } 1 .. 5000],
        ['a JPEG of three bytes', "\xff\xd8\xff"],
        ['noise that begins like a JPEG', "\xff\xd8\xff" . 'x' x 5000],
        ['noise that begins like a PNG', "\x89PNG\r\n\x1a\n" . 'x' x 5000],
        ['noise that begins like a WebP', "RIFF\0\1\0\0WEBP" . 'x' x 5000],
        ['noise that begins like a GIF', 'GIF89a' . "\xff" x 5000],
        ['noise that begins like a TIFF', "II*\0" . 'x' x 5000],
        ['half a JPEG', substr $jpeg, 0, length($jpeg) / 2],
        ['a JPEG without its last kilobyte', substr $jpeg, 0, -1024],
        ['half a PNG', substr $png, 0, length($png) / 2],
        ['half a WebP', substr $webp, 0, length($webp) / 2],
        ['a PNG of no width', Podi::Picture::png(0, 10, '')],
        ['a PNG without pixels', Podi::Picture::png(500, 500, 'x')],
    ) {
        my ($name, $bytes) = @$case;
        my $in = $p->write('bin', $bytes);

        for my $action (qw(media.check image.convert)) {
            is said($p->make($in, $action, $action =~ /check/ ? {}
                             : { format => 'png' })), 'picture_invalid',
                "$name: $action";
        }
    }
};

subtest 'bombs' => sub {
    my $jpeg = Podi::Picture::bytes($p->corners('jpg'));
    my $ztxt = Podi::Picture::chunk('zTXt', "x\0\0"
        . Compress::Zlib::compress("\0" x 40_000_000));

    for my $case (
        ['a small PNG that says 30000 x 30000',
         Podi::Picture::png(30_000, 30_000, '')],
        ['a small PNG that says 900000 x 1',
         Podi::Picture::png(900_000, 1, '')],
        ['a PNG of 400 megapixels in one bit', Podi::Picture::png(20_000,
         20_000, "\0" x 2_000_000, depth => 1, type => 0)],
        ['a GIF with a huge screen', Podi::Picture::gif(65_535, 65_535)],
        ['a JPEG that says 64250 x 64250',
         Podi::Picture::jpeg_sized($jpeg, 64_250, 64_250)],
    ) {
        my ($name, $bytes) = @$case;
        my $r = $p->make($p->write('bin', $bytes), 'media.check', {},
                         memory => 512 << 20, cpu => 5);

        is said($r), 'picture_too_large', "$name is refused";
    }

    my $r = $p->make($p->write('png', Podi::Picture::png(80, 60,
                     "\0" x 50_000_000)), 'media.check', {}, cpu => 5);
    ok $r->{status} == 0 && $r->{signal} == 0,
        'a PNG with more bytes than pixels ends: ' . said($r);

    $r = $p->make($p->write('png', Podi::Picture::png(80, 60,
                  "\0" x (241 * 60), extra => $ztxt)),
                  'media.check', {}, cpu => 5, memory => 512 << 20);
    ok $r->{status} == 0 && $r->{signal} == 0,
        'text that unpacks to 40 MB ends, too: ' . said($r);

    is said($p->make($p->animated('gif', 10), 'media.check', {},
                     max_pixels => 80 * 60 * 10 - 1)), 'picture_too_large',
        'each frame of an animation counts';
    is said($p->make($p->animated('gif', 10), 'media.check', {},
                     max_pixels => 80 * 60 * 10)), 'status 0 signal 0',
        'up to the limit';
    is said($p->make($p->corners('png'), 'image.resize', { width => 8192 },
                     max_pixels => 1_000_000)), 'picture_too_large',
        'a result may be too large, too';
    is said($p->make($p->write('png', Podi::Picture::png(1, 20_000,
                     "\0\0\0\0" x 20_000)), 'image.resize',
                     { width => 8192 })), 'picture_too_large',
        'even one whose width was said';
    is said($p->make($p->write('png', Podi::Picture::png(1, 20_000,
                     "\0\0\0\0" x 20_000)), 'image.convert',
                     { format => 'webp' })), 'picture_too_large',
        'or too long for WebP';

    for my $side (1000, 5000) {
        is said($p->make($p->write('png', Podi::Picture::png(1, 20_000,
                         "\0\0\0\0" x 20_000)), 'image.resize',
                         { width => $side, height => $side, fit => 'cover' })),
            'picture_too_large',
            "a line that is to cover $side pixels would be, too";
    }
};

subtest 'the lock' => sub {
    my %may = map { /^(\S+) (.*)/ ? ($1 => $2) : () }
              split /\n/, Podi::Picture::run("$p->{build}/test/lockc");

    for my $name (qw(openat socket execve fork kill tkill tgkill
                     rt_sigqueueinfo rt_tgsigqueueinfo pidfd_open ptrace
                     setpriority sched_setaffinity prlimit64 utimensat
                     setxattr fchmodat2 readlinkat chdir memfd_create shmget
                     msgget semget mq_open io_setup io_uring_setup open_tree
                     unshare pdeathsig dumpable))
    {
        is $may{$name}, 'EPERM', "$name is refused";
    }
    is $may{clone3}, 'ENOSYS', 'clone3 is not there, so that clone is used';
    is $may{$_}, 'ok', "$_ is not refused" for qw(self name memory thread);
};

subtest 'a PNG without its texts' => sub {
    my $pixels = "\0" . "\xff\0\0" x 4;
    my %text = (
        tEXt => "prompt\0{}", iTXt => "workflow\0\0\0\0\0{}",
        zTXt => "prompt\0\0" . Compress::Zlib::compress('{}'),
        eXIf => "MM\0*\0\0\0\x08", comf => "prompt\0{}",
    );
    my $kept = Podi::Picture::chunk('pHYs', pack 'NNC', 1000, 1000, 1)
             . Podi::Picture::chunk('teXt', 'not a text');
    my $with = join '', map { Podi::Picture::chunk($_, $text{$_}) }
                        sort keys %text;
    my $bare = Podi::Picture::png(4, 1, $pixels, extra => $kept);
    my $full = Podi::Picture::png(4, 1, $pixels, extra => "$with$kept");

    $full =~ s/(?=.{4}IEND)/$with/s;

    my $r = $p->make($p->write('png', $full . 'behind the end'),
                     'media.strip', {});
    ok Podi::Picture::bytes($r->{path}) eq $bare,
        'is the same, byte by byte, without them';
    is_deeply $r->{answer}, { type => 'image/png', width => 4, height => 1,
                              source_width => 4, source_height => 1 },
        'and says what it is';

    $r = $p->make($p->write('png', $bare), 'media.strip', {});
    ok Podi::Picture::bytes($r->{path}) eq $bare, 'one without any is a copy';

    my $large = $p->noise('png', 400, 400);
    $r = $p->make($large, 'media.strip', {});
    ok Podi::Picture::bytes($r->{path}) eq Podi::Picture::bytes($large),
        'so is one that is larger than a piece';
    is said($p->make($large, 'media.strip', {}, result_max => 70_000)),
        'picture_too_large', 'a result has its limit';
    is said($p->make($large, 'media.strip', {}, max_dimension => 399)),
        'picture_too_large', 'as have its sides';

    my $chunk = length($bare) - 12;             # where IEND begins
    my ($head, $end) = (substr($bare, 0, $chunk), substr $bare, $chunk);

    for my $case (
        ['nothing', ''],
        ['the signature alone', substr $bare, 0, 8],
        ['a JPEG', Podi::Picture::bytes($p->corners('jpg'))],
        ['no size', Podi::Picture::png(0, 1, $pixels)],
        ['another first chunk', substr($bare, 0, 8)
            . Podi::Picture::chunk('tEXt', "x\0y") . substr $bare, 8],
        ['no end', $head],
        ['no checksum at its end', substr $bare, 0, -1],
        ['no pixels', substr($bare, 0, 33) . $end],
        ['a text longer than the file', $head . pack('N', 14) . "tEXt$end"],
        ['a text of 2 GB', $head . pack('N', 0x7fffffff) . "tEXt$end"],
        ['a text of 4 GB', $head . pack('N', 0xffffffff) . "tEXt$end"],
        ['a length that comes round', $head . pack('N', 0xfffffff4)
            . "tEXt$end"],
        ['pixels longer than the file', $head . pack('N', 0x7fffffff)
            . "IDAT$end"],
    ) {
        is said($p->make($p->write('png', $case->[1]), 'media.strip', {})),
            'picture_invalid', $case->[0];
    }
};

subtest 'limits' => sub {
    plan skip_all => 'a sanitizer has its own memory' if $sanitized;

    my $large = $p->corners('png', width => 6000, height => 6000);

    $p->tag($large, orientation => 6);
    is said($p->make($large, 'image.convert', { format => 'png' },
                     memory => 200 << 20)), 'picture_too_large',
        'what does not fit into memory is too large';

    my $r = $p->make($large, 'image.convert', { format => 'webp' },
                     cpu => 1);
    is $r->{signal}, POSIX::SIGXCPU(), 'CPU time ends it';

    is said($p->make($p->corners('jpg', width => 800, height => 600),
                     'image.convert', { format => 'jpeg' },
                     result_max => 2000)), 'picture_too_large',
        'a result has its limit';
    is said($p->make($p->corners('png'), 'image.convert',
                     { format => 'png' }, parent => 1)), 'internal',
        'without its parent it does nothing';

    for my $ask ('', 'x', '[]', '{"action":"image.resize"}') {
        is said($p->make($p->corners('png'), undef, undef, ask => $ask))
            =~ /^bad_/ ? 1 : 0, 1, "'$ask' is no question";
    }
    is said($p->make($p->corners('png'), 'image.paint', {})),
        'unknown_action', 'nor is an action that it does not know';
};

done_testing;
