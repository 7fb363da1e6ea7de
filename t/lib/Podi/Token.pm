package Podi::Token;

# Access tokens of a test: what nginx would mint, and whatever it must refuse.
#
#     my $key = Podi::Token->new("$dir/keys/token.key");     # made if missing
#     $key->sign({ sub => ..., ... })                        # right in all
#     $key->sign(\%claims, { alg => 'none' })                # another header
#
# ES256 by the openssl program, so that it shares no line with what it tests.

use strict;
use warnings;
use Digest::SHA qw( sha256 );
use File::Temp ();
use JSON::PP ();
use MIME::Base64 qw( encode_base64url );

my $json = JSON::PP->new->utf8->canonical;


sub new
{
    my ($class, $file) = @_;
    my $self = bless { file => $file }, $class;

    $self->_openssl(qw( genpkey -algorithm EC -pkeyopt
                        ec_paramgen_curve:P-256 -out ), $file) if !-f $file;
    return $self;
}


# runs it and gives back what it wrote, to stdout
sub _openssl
{
    my ($self, @arg) = @_;

    open my $out, '-|:raw', 'sh', '-c', 'exec openssl "$@" 2>/dev/null',
        'openssl', @arg or die "openssl: $!";
    my $text = do { local $/; <$out> } // '';
    close $out or die "openssl @arg failed";
    return $text;
}


# the public key as a JWK
sub jwk
{
    my ($self) = @_;

    return $self->{jwk} //= do {
        my $der = $self->_openssl('pkey', '-in', $self->{file}, '-pubout',
                                  '-outform', 'DER');
        my ($x, $y) = unpack 'a32 a32', substr $der, -64;

        { kty => 'EC', crv => 'P-256', x => encode_base64url($x),
          y => encode_base64url($y) };
    };
}


# RFC 7638
sub kid
{
    my ($self) = @_;

    return encode_base64url(sha256($json->encode($self->jwk)));
}


# SEQUENCE { INTEGER r, INTEGER s } as two numbers of 32 octets
sub _raw
{
    my ($der) = @_;
    my (undef, undef, undef, $r, undef, $s) =
        unpack 'C C C C/a C C/a', $der;

    return join '', map { substr(("\0" x 32) . $_, -32) } $r, $s;
}


sub sign
{
    my ($self, $claims, $header) = @_;
    my %head = (alg => 'ES256', typ => 'at+jwt', kid => $self->kid,
                %{ $header || {} });
    my $text = join '.', map { encode_base64url($json->encode($_)) }
        \%head, $claims;
    my $file = File::Temp->new;

    print $file $text;
    close $file;
    my $der = $self->_openssl('dgst', '-sha256', '-sign', $self->{file},
                              "$file");

    return "$text." . encode_base64url(_raw($der));
}

1;
