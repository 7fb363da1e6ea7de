package Podi::Issuer;

# Somebody else who signs tokens, with keys of every kind.
#
#     my $is = Podi::Issuer->new(iss => 'https://id.example',
#                                aud => 'https://our.site');
#     $is->jwks_file('RS256', 'ES256')              # a JWK Set; kid: the alg
#     $is->token('RS256', role => 'editor')         # right in all
#     $is->token('RS256', exp => undef)             # without a claim
#     $is->token('RS256', { typ => 'x' }, sub => 1) # another header
#     $is->pem('RS256')                             # a file, its public key
#     $is->secret('HS256')                          # a file, its bytes
#
# By the openssl program, so that it shares no line with what it tests.  Keys
# are made once, in a directory that goes with the program.

use strict;
use warnings;
use Digest::SHA qw( hmac_sha256 hmac_sha384 hmac_sha512 );
use File::Temp qw( tempdir );
use JSON::PP ();
use MIME::Base64 qw( encode_base64url );

my $json = JSON::PP->new->utf8->canonical;
my %hmac = (256 => \&hmac_sha256, 384 => \&hmac_sha384, 512 => \&hmac_sha512);
my %curve = (256 => ['P-256', 32], 384 => ['P-384', 48], 512 => ['P-521', 66]);
my @pss = qw( -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest );


sub new
{
    my ($class, %self) = @_;

    return bless { dir => tempdir(CLEANUP => 1), %self }, $class;
}


sub _openssl
{
    my ($self, @arg) = @_;

    open my $out, '-|:raw', 'sh', '-c', 'exec openssl "$@" 2>/dev/null',
        'openssl', @arg or die "openssl: $!";
    my $text = do { local $/; <$out> } // '';
    close $out or die "openssl @arg failed";
    return $text;
}


sub write_file
{
    my ($self, $name, $text) = @_;

    open my $fh, '>:raw', "$self->{dir}/$name" or die "$name: $!";
    print $fh $text;
    close $fh or die "$name: $!";
    chmod 0600, "$self->{dir}/$name";
    return "$self->{dir}/$name";
}


# the private key of an algorithm; the RSA ones share theirs
sub _key
{
    my ($self, $alg) = @_;
    my ($kind, $bits) = $alg =~ /^(\D+)(\d*)$/;
    my $name = $kind =~ /^[RP]S/ ? 'RSA' : $alg;
    my $file = "$self->{dir}/$name.key";

    return $file if -f $file;
    $self->_openssl('genpkey', '-out', $file, '-algorithm',
        $name eq 'RSA'   ? ('RSA', '-pkeyopt', 'rsa_keygen_bits:2048')
        : $kind eq 'ES'  ? ('EC', '-pkeyopt',
                            "ec_paramgen_curve:$curve{$bits}[0]")
        :                  'ED25519');
    return $file;
}


sub pem
{
    my ($self, $alg) = @_;
    my $file = "$self->{dir}/$alg.pem";

    $self->_openssl('pkey', '-in', $self->_key($alg), '-pubout', '-out', $file);
    return $file;
}


sub secret
{
    my ($self, $alg) = @_;

    return $self->write_file("$alg.secret", $self->_secret($alg));
}


sub _secret
{
    my ($self, $alg) = @_;

    return substr(($self->{iss} . $alg) x 8, 0, 64);
}


sub jwk
{
    my ($self, $alg, %more) = @_;
    my ($kind, $bits) = $alg =~ /^(\D+)(\d*)$/;
    my %jwk = (kid => $alg, alg => $alg, use => 'sig');

    return { %jwk, kty => 'oct', k => encode_base64url($self->_secret($alg)),
             %more } if $kind eq 'HS';

    my $key = $self->_key($alg);

    if ($kind =~ /^[RP]S/) {
        my ($n) = $self->_openssl('rsa', '-in', $key, '-noout', '-modulus')
            =~ /=([0-9A-F]+)/;
        return { %jwk, kty => 'RSA', e => 'AQAB',
                 n => encode_base64url(pack 'H*', $n), %more };
    }

    my $der = $self->_openssl('pkey', '-in', $key, '-pubout', '-outform',
                              'DER');
    return { %jwk, kty => 'OKP', crv => 'Ed25519',
             x => encode_base64url(substr $der, -32), %more }
        if $kind eq 'EdDSA';

    my ($crv, $len) = @{ $curve{$bits} };
    return { %jwk, kty => 'EC', crv => $crv,
             x => encode_base64url(substr $der, -2 * $len, $len),
             y => encode_base64url(substr $der, -$len), %more };
}


# each an algorithm, or a JWK
sub jwks_file
{
    my ($self, @keys) = @_;

    return $self->write_file('set' . ++$self->{sets} . '.jwks', $json->encode(
        { keys => [ map { ref $_ ? $_ : $self->jwk($_) } @keys ] }));
}


sub claims
{
    my ($self, %claims) = @_;
    my %all = (iss => $self->{iss}, aud => $self->{aud}, sub => 'ann',
               iat => time - 10, exp => time + 600, %claims);

    defined $all{$_} or delete $all{$_} for keys %all;
    return \%all;
}


sub token
{
    my ($self, $alg, @claims) = @_;
    my %more = ref $claims[0] ? %{ shift @claims } : ();
    my %head = (alg => $alg, kid => $alg, typ => 'at+jwt', %more);

    defined $head{$_} or delete $head{$_} for keys %head;
    my $text = join '.', map { encode_base64url($json->encode($_)) }
        \%head, $self->claims(@claims);

    return "$text." . encode_base64url($self->_sign($alg, $text));
}


sub _sign
{
    my ($self, $alg, $text) = @_;
    my ($kind, $bits) = $alg =~ /^(\D+)(\d*)$/;

    return $hmac{$bits}->($text, $self->_secret($alg)) if $kind eq 'HS';

    my $file = $self->write_file('input', $text);
    my $key = $self->_key($alg);

    return $self->_openssl('pkeyutl', '-sign', '-rawin', '-inkey', $key, '-in',
                           $file) if $kind eq 'EdDSA';

    my $made = $self->_openssl('dgst', "-sha$bits", '-sign', $key,
                               $kind eq 'PS' ? @pss : (), $file);
    return $made if $kind ne 'ES';

    # SEQUENCE { INTEGER r, INTEGER s } as two numbers of the curve's size
    my $len = $curve{$bits}[1];
    $made =~ s/^\x30(?:\x81.|[^\x81])//s;
    my (undef, $r, undef, $s) = unpack 'C C/a C C/a', $made;
    return join '', map { substr(("\0" x $len) . $_, -$len) } $r, $s;
}

1;
