package Test::Nginx::Socket::Block;

# The declarative text after __DATA__, cut into blocks.
#
#     === TEST 1: name
#     --- section filters
#     lines
#     --- section filters: one line
#
# Every value passes `norm` and `trim` first; the filters that are understood
# are those that nginx suites use.  An `eval` runs in a package of its own, so
# variables of the suite are written $::Name, as with the genuine runner.

use strict;
use warnings;
use Exporter 'import';

our @EXPORT_OK = qw( parse_blocks );
our $AUTOLOAD;

my %FILTER = (
    norm  => sub { my $t = $_[0]; $t =~ s/\015\012?/\n/g; $t },
    trim  => sub { my $t = $_[0]; $t =~ s/\A(?:[ \t]*\n)+//;
                   $t =~ s/(?<=\n)\s*\z//; $t },
    chomp => sub { my $t = $_[0]; chomp $t; $t },
    chop  => sub { my $t = $_[0]; chop $t; $t },
    eval  => \&Test::Nginx::Socket::Block::Eval::run,
    base64_decode => sub { require MIME::Base64;
                           MIME::Base64::decode_base64($_[0]) },
    base64_encode => sub { require MIME::Base64;
                           MIME::Base64::encode_base64($_[0]) },
);


sub parse_blocks
{
    my ($text) = @_;
    my @hunks = split /^(?====(?:[ \t]|$))/m, $text =~ s/\015\012/\n/gr;
    my @blocks;

    for my $hunk (grep { /\A===/ } @hunks) {
        my $block = _block($hunk);

        return ($block) if exists $block->{v}{ONLY} && _warn_only($block);

        push @blocks, $block if !exists $block->{v}{SKIP};
        last if exists $block->{v}{LAST};
    }

    return @blocks;
}


sub _warn_only
{
    my ($block) = @_;

    Test::Builder->new->diag("I found ONLY: maybe you're debugging?");
    return 1;
}


sub _block
{
    my ($hunk) = @_;
    my $self = bless { v => {}, order => [] }, __PACKAGE__;

    $hunk =~ s/\A===[ \t]*(.*)\n?//;
    $self->{name} = $1;

    my @parts = split /^---[ \t]+\(?(\w+)\)?[ \t]*(.*)?\n?/m, $hunk;
    shift @parts;

    while (@parts) {
        my ($type, $filters, $value) = splice @parts, 0, 3;

        if (($filters //= '') =~ /:(?:\s|\z)/) {
            die "$self->{name}: extra lines in section $type\n"
                if ($value // '') =~ /\S/;
            ($filters, $value) = split /\s*:(?:\s+|\z)/, $filters, 2;
            $value = ($value // '') =~ s/^\s*(.*?)\s*$/$1/r;
        }

        push @{ $self->{order} }, $type if !exists $self->{v}{$type};
        $self->{v}{$type} = $self->_filter($type, $filters, $value // '');
    }

    return $self;
}


sub _filter
{
    my ($self, $type, $filters, $value) = @_;
    my @list = qw( norm trim );

    for my $filter (split ' ', $filters) {
        if ($filter =~ s/^-//) {
            @list = grep { $_ ne $filter } @list;
            next;
        }

        push @list, $filter;
    }

    for my $filter (@list) {
        my $code = $FILTER{$filter}
            or die "$self->{name}: unknown filter $filter in $type\n";
        $value = $code->($value, "$self->{name}: $type");
    }

    return $value;
}


sub name        { $_[0]{name} }
sub description { $_[0]{name} }
sub sections    { @{ $_[0]{order} } }

sub set_value
{
    my ($self, $type, @value) = @_;

    return $self->{name} = $value[0] if $type eq 'name';
    $self->{v}{$type} = $value[0];
}

# any other name is a section; undef when the block has none of that name
sub AUTOLOAD
{
    my ($self) = @_;
    my $type = $AUTOLOAD =~ s/.*:://r;

    return if $type eq 'DESTROY';
    return $self->{v}{$type};
}


package Test::Nginx::Socket::Block::Eval;

# in list context, of which the first value counts
sub run
{
    my ($value) = eval $_[0];

    die "$_[1]: eval: $@" if $@;
    return $value;
}

1;
