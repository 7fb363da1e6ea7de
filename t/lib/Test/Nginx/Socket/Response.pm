package Test::Nginx::Socket::Response;

# An answer's bytes, taken apart: code, headers, body, and what came after it.

use strict;
use warnings;
use Exporter 'import';

our @EXPORT_OK = qw( parse_response );


sub code        { $_[0]{code} }
sub content     { $_[0]{content} }
sub raw_headers { $_[0]{raw} }
sub left        { $_[0]{left} }
sub broken      { $_[0]{broken} }

sub set_content { $_[0]{content} = $_[1] }

# all values of that name, joined; undef when there is none
sub header
{
    my ($self, $name) = @_;
    my $values = $self->{header}{lc $name} or return;

    return join ', ', @$values;
}


sub _chunked
{
    my ($self, $raw) = @_;
    my $body = '';

    while ($raw =~ /\G[ \t]*([A-Fa-f0-9]+)[ \t]*\r\n/gc) {
        my $size = hex $1;
        my $at = pos $raw;

        if ($size == 0) {
            $raw =~ /\G\r\n/gc
                or return $self->{broken} = 'the last chunk is cut';
            $self->{content} = $body;
            $self->{left} = substr $raw, pos $raw;
            return;
        }

        return $self->{broken} = 'a chunk is cut'
            if length($raw) < $at + $size + 2;

        $body .= substr $raw, $at, $size;
        pos($raw) = $at + $size;
        $raw =~ /\G\r\n/gc or return $self->{broken} = 'a chunk lacks CRLF';
    }

    $self->{broken} = 'no last chunk';
    $self->{content} = $body;
}


# without a length the body is all that came, whatever the code, and a next
# answer in the same bytes is not found; with one, that of a HEAD may be missing
sub _body
{
    my ($self, $raw, $method) = @_;
    my $length = $self->header('Content-Length');

    $self->{content} = $raw;
    return if $self->{code} =~ /^(?:304|101)$/;

    if (($self->header('Transfer-Encoding') // '') eq 'chunked') {
        _chunked($self, $raw);
        return;
    }

    return if !defined $length || $length !~ /^\d+$/;

    if (length $raw < $length) {
        $self->{broken} = "the body is cut: $length announced, "
                          . length($raw) . ' came' if $method ne 'HEAD';
        return;
    }

    $self->{content} = substr $raw, 0, $length;
    $self->{left} = substr $raw, $length;
}


# always an object; code is undef when this is no HTTP answer
sub parse_response
{
    my ($raw, $method) = @_;
    my $self = bless { content => '', raw => '', left => '', header => {} },
                     __PACKAGE__;

    $raw =~ m{\AHTTP/[\d.]+ +(\d{3})[^\r\n]*\r?\n}
        or do { $self->{content} = $raw; return $self };
    $self->{code} = $1;

    my ($head, $rest) = $raw =~ /\A(.*?\r?\n)\r?\n(.*)\z/s
        ? ($1, $2) : ($raw, '');
    $self->{raw} = $head;

    for my $line (split /\r?\n/, $head) {
        push @{ $self->{header}{lc $1} }, $2 if $line =~ /^([^:\s]+):\s*(.*)$/;
    }

    _body($self, $rest, $method);
    return $self;
}

1;
