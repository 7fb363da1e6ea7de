package Podi::Comfy::Files;

# The folders input, output and temp of the fake server, with the real one's
# rules about names: what an upload is called, what /view may reach, where
# LoadImage looks and how SaveImage counts.
#
#     my $f = Podi::Comfy::Files->new($dir);
#     my ($status, $answer) = $f->upload(\%fields, $filename, $bytes);
#     my ($status, $path) = $f->view(\%query);
#     my $path = $f->input('podi/a1/in.png [input]');   # undef: no such file
#     my ($folder, $name, $sub) = $f->next_name('output', 'podi/a1/out');

use strict;
use warnings;
use Digest::SHA qw( sha256_hex );
use Encode qw( encode_utf8 decode_utf8 );
use File::Path qw( make_path );
use File::Spec ();

my %TYPES = map { $_ => 1 } qw( input output temp );


sub new
{
    my ($class, $dir) = @_;

    make_path(map { "$dir/$_" } sort keys %TYPES);
    return bless { dir => $dir }, $class;
}


sub slurp
{
    my ($path) = @_;

    open my $in, '<:raw', $path or return;
    local $/;
    return scalar(<$in>) // '';
}


sub put
{
    my ($path, $bytes) = @_;

    open my $out, '>:raw', $path or return 0;
    print {$out} $bytes;
    return close $out;
}


# a path with its "." and ".." taken out, as os.path.normpath does
sub _normal
{
    my ($path) = @_;
    my @part;

    for my $part (split m{/+}, $path) {
        next if $part eq '' || $part eq '.';
        $part eq '..' ? pop @part : push @part, $part;
    }
    return '/' . join '/', @part;
}


sub _within
{
    my ($path, $folder) = @_;

    return $path eq $folder || index($path, "$folder/") == 0;
}


# (status, { name, subfolder, type }): 500 where the real one falls over
sub upload
{
    my ($self, $field, $name, $bytes) = @_;
    my $type = $field->{type} // 'input';
    my $subfolder = $field->{subfolder} // '';

    return 500 if !$TYPES{$type} || !defined $name || $name eq ''
        || $name =~ m{^/|\0} || length encode_utf8($name) > 255;
    my $root = "$self->{dir}/$type";
    my $folder = $subfolder =~ m{^/} ? _normal(encode_utf8 $subfolder)
        : _normal("$root/" . encode_utf8 $subfolder);
    my $path = _normal("$folder/" . encode_utf8 $name);

    return 400 if !_within($path, $root) || $path eq $root;
    make_path($folder);
    my $taken = $self->_store($folder, $name, $bytes,
                              ($field->{overwrite} // '') =~ /^(?:true|1)$/)
        // return 500;

    return (200, { name => $taken, subfolder => $subfolder, type => $type });
}


sub _store
{
    my ($self, $folder, $name, $bytes, $overwrite) = @_;
    my ($stem, $suffix) = $name =~ /^(.*?)(\.[^.\/]*)?$/s;
    my ($taken, $n) = ($name, 0);

    until ($overwrite) {
        my $there = slurp("$folder/" . encode_utf8 $taken) // last;

        return $taken if sha256_hex($there) eq sha256_hex($bytes);
        $taken = sprintf '%s (%d)%s', $stem, ++$n, $suffix // '';
    }
    return put("$folder/" . encode_utf8($taken), $bytes) ? $taken : undef;
}


# (200, path, name) or the status of a refusal
sub view
{
    my ($self, $query) = @_;
    my $name = $query->{filename} // return 404;
    my $type = $query->{type} // 'output';

    $type = $1 if $name =~ s/ \[(input|output|temp)\]$//;
    return 400 if $name eq '' || $name =~ m{^/|\.\.} || !$TYPES{$type};
    my $root = "$self->{dir}/$type";
    my $subfolder = encode_utf8($query->{subfolder} // '');

    return 404 if "$name$subfolder" =~ /\0/;
    my $folder = $subfolder =~ m{^/} ? _normal($subfolder)
        : _normal("$root/$subfolder");

    return 403 if !_within($folder, $root);
    $name =~ s{.*/}{}s;
    my $path = "$folder/" . encode_utf8 $name;

    return -f $path ? (200, $path, $name) : 404;
}


# where LoadImage finds a name: it follows ".." and "name [output]"
sub input
{
    my ($self, $name) = @_;
    my $type = $name =~ s/ \[(input|output|temp)\]$// ? $1 : 'input';
    my $path = "$self->{dir}/$type/" . encode_utf8 $name;

    return $name ne '' && -f $path ? $path : undef;
}


sub inputs
{
    my ($self) = @_;

    opendir my $dir, "$self->{dir}/input" or return;
    return sort map { decode_utf8($_) } grep { -f "$self->{dir}/input/$_" }
        readdir $dir;
}


# (folder, file name, subfolder), or nothing: the prefix leaves the folder
sub next_name
{
    my ($self, $type, $prefix) = @_;
    my $root = "$self->{dir}/$type";
    my $path = _normal("$root/" . encode_utf8 $prefix);
    my ($folder, $stem) = $path =~ m{^(.*)/([^/]*)$};

    return if !_within($folder, $root);
    make_path($folder);
    my $last = 0;

    opendir my $dir, $folder or return;
    for my $file (readdir $dir) {
        $last = $1 if $file =~ /^\Q$stem\E_(\d+)_?\./ && $1 > $last;
    }
    my $subfolder = $folder eq $root ? '' : substr $folder, 1 + length $root;

    return ($folder, sprintf('%s_%05d_.png', decode_utf8($stem), $last + 1),
            decode_utf8($subfolder));
}

1;
