package Podi::Comfy::Nodes;

# What the nodes of the fake do.  PodiSlow takes its time in Podi::Comfy::Run.
#
#     my $n = Podi::Comfy::Nodes->new($files, metadata => 1);
#     my $r = $n->run($id, $class, \%input, $job);
#     { out => [values], ui => { images => [...] } }; a fault is thrown as
#     { type => 'ValueError', message => '...' }

use strict;
use warnings;
use Digest::SHA qw( sha256_hex );

use Podi::Comfy::Files ();
use Podi::Comfy::Json qw( encode );
use Podi::Comfy::Png qw( read_picture write_png invert scale );

my @LETTERS = ('a' .. 'z');


sub new
{
    my ($class, $files, %option) = @_;
    my $random = join '', map { $LETTERS[rand @LETTERS] } 1 .. 5;

    return bless { files => $files, temp => "ComfyUI_temp_$random", %option },
        $class;
}


# what makes a node's value another one besides its inputs
sub changed
{
    my ($self, $class, $input) = @_;

    return if $class ne 'LoadImage';
    my $path = $self->{files}->input($input->{image}) // return 'nan';

    return sha256_hex(Podi::Comfy::Files::slurp($path));
}


sub run
{
    my ($self, $class, $input, $job) = @_;
    my $way = $self->can("_$class");

    return $self->$way($input, $job);
}


sub _LoadImage
{
    my ($self, $input) = @_;
    my $path = $self->{files}->input($input->{image})
        // die { type => 'FileNotFoundError',
                 message => "No such file or directory: '$input->{image}'" };
    my $picture = eval { read_picture(Podi::Comfy::Files::slurp($path)) };

    return { out => [$picture, undef] } if $picture;
    die { type => 'OSError', message => $@ =~ s/\n//r } if $@ ne "unidentified\n";
    die { type => 'PIL.UnidentifiedImageError',
          message => "cannot identify image file "
              . "'/comfy/base/input/$input->{image}'" };
}


sub _ImageInvert
{
    my ($self, $input) = @_;

    return { out => [invert($input->{image})] };
}


sub _ImageScale
{
    my ($self, $input) = @_;
    my $p = $input->{image};
    my ($width, $height) = @$input{qw( width height )};

    # 0 keeps the shape
    return { out => [$p] } if !$width && !$height;
    $width ||= int($p->{width} * $height / $p->{height} + .5) || 1;
    $height ||= int($p->{height} * $width / $p->{width} + .5) || 1;
    return { out => [scale($p, $width, $height,
                           @$input{qw( upscale_method crop )})] };
}


sub _CheckpointLoaderSimple
{
    my ($self, $input) = @_;

    return { out => [($input->{ckpt_name}) x 3] };
}


sub _SaveImage
{
    my ($self, $input, $job) = @_;

    return $self->_save('output', $input->{filename_prefix}, $input, $job);
}


sub _PreviewImage
{
    my ($self, $input, $job) = @_;

    return $self->_save('temp', $self->{temp}, $input, $job);
}


sub _save
{
    my ($self, $type, $prefix, $input, $job) = @_;
    my ($folder, $name, $subfolder) = $self->{files}->next_name($type, $prefix);

    die { type => 'Exception', message => '**** ERROR: Saving image outside '
              . "the output folder is not allowed.\n full_output_folder: "
              . "/comfy\n         output_dir: /comfy/base/output"
              . "\n         commonpath: /comfy" }
        if !defined $folder;
    my @text = $self->{metadata} ? $self->_text($job) : ();

    Podi::Comfy::Files::put("$folder/" . Encode::encode_utf8($name),
                            write_png($input->{images}, @text))
        or die { type => 'OSError', message => "cannot write: $!" };
    return { out => [], ui => { images => [
        { filename => $name, subfolder => $subfolder, type => $type } ] } };
}


# the whole prompt goes into the picture, and what the client sent for it
sub _text
{
    my ($self, $job) = @_;
    my %prompt = map {
        my $node = $job->{prompt}{$_};
        my $changed = $self->changed(@$node{qw( class_type inputs )});

        ($_ => { %$node, defined $changed ? (is_changed => [$changed]) : () })
    } keys %{ $job->{prompt} };
    my $more = $job->{extra}{extra_pnginfo};

    return ([prompt => encode(\%prompt)],
            map { [$_ => encode($more->{$_})] }
            sort keys %{ ref $more eq 'HASH' ? $more : {} });
}

1;
