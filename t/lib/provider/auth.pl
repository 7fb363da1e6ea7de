# Who asks: keys, and signatures computed from their descriptions alone.
#
# A part of fake.pl.  Each sub takes a request and gives '' when it is right,
# else the reason.

use strict;
use warnings;
use Digest::SHA qw( sha256_hex hmac_sha256 hmac_sha256_hex hmac_sha1_base64 );
use Time::Local qw( timegm );

our $KEY = 'test-key';
our ($AK, $SK) = ('test-ak', 'test-sk');
our $CLOCK = 0;                 # of the fake, ahead of the machine's
my $SKEW = 900;


sub plain
{
    my ($r, $want) = @_;
    my $got = $r->{header}{authorization} // '';

    return $got eq $want ? '' : 'the key is wrong';
}


sub bearer { return plain($_[0], "Bearer $KEY") }


sub enc
{
    my ($s) = @_;

    $s =~ s/([^A-Za-z0-9\-_.~])/sprintf '%%%02X', ord $1/ge;
    return $s;
}


sub canonical_query
{
    my ($r, $without) = @_;

    return join '&', map { enc($_) . '=' . enc($r->{query}{$_}) }
        sort grep { $_ ne ($without // '') } keys %{ $r->{query} };
}


sub canonical
{
    my ($r, $names, $hash) = @_;

    return join "\n", $r->{method}, $r->{whole_path}, canonical_query($r),
        (map { "$_:" . ($r->{header}{$_} // '') } @$names), '',
        join(';', @$names), $hash;
}


sub skewed
{
    my ($text) = @_;
    my @t = $text =~ /^(\d{4})-?(\d\d)-?(\d\d)T(\d\d):?(\d\d):?(\d\d)Z$/
        or return 1;

    return abs(time + $CLOCK - timegm(@t[5, 4, 3, 2], $t[1] - 1, $t[0])) > $SKEW;
}


sub v4
{
    my ($r) = @_;
    my ($key, $scope, $names, $got) = ($r->{header}{authorization} // '')
        =~ m{^HMAC-SHA256 Credential=([^/]+)/(\S+), SignedHeaders=(\S+), Signature=([0-9a-f]{64})$}
        or return 'no signature';
    my $date = $r->{header}{'x-date'} // '';
    my ($day, $region, $service) = split m{/}, $scope;
    my @names = split /;/, $names;
    my $hash = sha256_hex($r->{body});

    return 'another access key' if $key ne $AK;
    return 'the clock' if skewed($date) || index($date, $day) != 0;
    return 'the scope' if $scope ne "$day/cn-north-1/cv/request";
    return 'the body' if ($r->{header}{'x-content-sha256'} // '') ne $hash;
    return 'host is not signed' if !grep { $_ eq 'host' } @names;

    my $k = $SK;
    $k = hmac_sha256($_, $k) for $day, $region, $service, 'request';
    my $want = hmac_sha256_hex(join("\n", 'HMAC-SHA256', $date, $scope,
        sha256_hex(canonical($r, \@names, $hash))), $k);

    return $want eq $got ? '' : 'the signature';
}


sub acs3
{
    my ($r) = @_;
    my ($key, $names, $got) = ($r->{header}{authorization} // '')
        =~ /^ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})$/
        or return 'no signature';
    my @names = split /;/, $names;
    my $hash = sha256_hex($r->{body});

    return 'another access key' if $key ne $AK;
    return 'the clock' if skewed($r->{header}{'x-acs-date'} // '');
    return 'no nonce' if ($r->{header}{'x-acs-signature-nonce'} // '') eq '';
    return 'the body' if ($r->{header}{'x-acs-content-sha256'} // '') ne $hash;

    my $want = hmac_sha256_hex("ACS3-HMAC-SHA256\n"
        . sha256_hex(canonical($r, \@names, $hash)), $SK);

    return $want eq $got ? '' : 'the signature';
}


sub rpc
{
    my ($r) = @_;
    my $got = $r->{query}{Signature} // return 'no signature';
    my $text = join '&', $r->{method}, '%2F',
        enc(canonical_query($r, 'Signature'));
    my $want = hmac_sha1_base64($text, "$SK&");

    $want .= '=' while length($want) % 4;
    return 'another access key' if ($r->{query}{AccessKeyId} // '') ne $AK;
    return 'the clock' if skewed($r->{query}{Timestamp} // '');
    return 'no nonce' if ($r->{query}{SignatureNonce} // '') eq '';
    return $want eq $got ? '' : 'the signature';
}


1;
