package Podi::Comfy::Json;

# JSON as the server of ComfyUI writes it: ASCII only, ", " and ": " between
# the parts; whole numbers of any length, and 0.0 where it says 0.0.
#
#     my $value = decode($bytes);              # undef with $@ when broken
#     my $bytes = encode({ a => 1, b => raw('0.0') });
#     number($value)                           # a number, not a string of one

use strict;
use warnings;
use Exporter 'import';
use JSON::PP ();
use Math::BigFloat ();
use Math::BigInt ();

our @EXPORT_OK = qw( encode decode raw number repr );

my %SHORT = ("\n" => '\n', "\r" => '\r', "\t" => '\t', "\f" => '\f',
             "\b" => '\b', '"' => '\"', '\\' => '\\\\');
my $reader = JSON::PP->new->utf8->allow_nonref->allow_bignum;


sub decode
{
    my ($bytes) = @_;

    return scalar eval { $reader->decode($bytes) };
}


sub raw
{
    my ($text) = @_;

    return bless \$text, 'Podi::Comfy::Json::Raw';
}


sub number
{
    my ($value) = @_;

    return 1 if ref $value && (ref $value) =~ /^Math::Big/;
    no warnings 'experimental::builtin';
    return defined $value && !ref $value && builtin::created_as_number($value);
}


sub encode
{
    my ($v) = @_;

    return 'null' if !defined $v;
    return '{' . join(', ', map { _string($_) . ': ' . encode($v->{$_}) }
                      sort keys %$v) . '}' if ref $v eq 'HASH';
    return '[' . join(', ', map { encode($_) } @$v) . ']' if ref $v eq 'ARRAY';
    return $$v if ref $v eq 'Podi::Comfy::Json::Raw';
    return $v ? 'true' : 'false' if JSON::PP::is_bool($v);
    return _number($v) if number($v);
    return _string("$v");
}


sub _number
{
    my ($v) = @_;
    my $text = "$v";

    # what came with a point keeps it
    return "$text.0" if ref $v eq 'Math::BigFloat' && $text !~ /[.eE]/;
    return $text;
}


sub _string
{
    my ($text) = @_;

    $text =~ s{(["\\\x00-\x1f]|[^\x00-\x7e])}{ $SHORT{$1} // _escape(ord $1) }ge;
    return qq{"$text"};
}


sub _escape
{
    my ($code) = @_;

    return sprintf '\u%04x', $code if $code < 0x10000;
    $code -= 0x10000;
    return sprintf '\u%04x\u%04x', 0xd800 + ($code >> 10),
        0xdc00 + ($code & 0x3ff);
}


# a value as Python's messages show it
sub repr
{
    my ($v) = @_;

    return 'None' if !defined $v;
    return '[' . join(', ', map { repr($_) } @$v) . ']' if ref $v eq 'ARRAY';
    return $v ? 'True' : 'False' if JSON::PP::is_bool($v);
    return _number($v) if number($v);
    return "'" . ($v =~ s/(['\\])/\\$1/gr) . "'" if !ref $v;
    return encode($v);
}

1;
