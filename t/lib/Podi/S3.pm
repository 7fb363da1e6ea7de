package Podi::S3;

# Presigned URLs by the words of AWS Signature V4 and OSS Signature V4, so that
# a store's door is tried by somebody who shares no line with it.
#
#     my $s3 = Podi::S3->new($stack);            # its key, region and endpoint
#     $s3->url('PUT', 'a/b', headers => { 'content-length' => 3, ... })
#         also: query => [ [name, value] ... ], expires, time, id, secret,
#         region, bucket, path (raw, in the place of bucket and key), host
#     $s3->target(...)                           # the same without the origin
#     Podi::S3::oss_signature($secret, $method, $bucket, $url, \%headers)

use strict;
use warnings;

use Digest::SHA qw( sha256_hex hmac_sha256 hmac_sha256_hex );
use POSIX qw( strftime );

my $ALGORITHM = 'AWS4-HMAC-SHA256';


sub new
{
    my ($class, $stack, %option) = @_;

    open my $in, '<', "$stack->{dir}/keys/store.key" or die $!;
    chomp(my $line = <$in>);
    my ($id, $secret) = split /:/, $line, 2;

    return bless { id => $id, secret => $secret, region => 'local',
                   bucket => 'podi', prefix => '/store',
                   host => "127.0.0.1:$stack->{port}", %option }, $class;
}


sub encode
{
    my ($text, $keep) = @_;

    $keep //= '';
    return $text =~ s{([^A-Za-z0-9_.~$keep-])}{sprintf '%%%02X', ord $1}ger;
}


sub _key
{
    my ($first, $last, $secret, @scope) = @_;
    my $key = $first . $secret;

    $key = hmac_sha256($_, $key) for @scope, $last;
    return $key;
}


sub target
{
    my ($self, $method, $object, %arg) = @_;
    my %c = (%$self, expires => 600, time => time, headers => {}, query => [],
             %arg);
    my $date = strftime('%Y%m%dT%H%M%SZ', gmtime $c{time});
    my @scope = (substr($date, 0, 8), $c{region}, $c{service} // 's3');
    my $scope = join '/', @scope, 'aws4_request';
    my %headers = (host => $c{host}, %{ $c{headers} });
    my $names = join ';', sort keys %headers;
    my $path = $c{path} // encode("$c{prefix}/$c{bucket}/$object", '/');

    my $query = join '&', sort map { encode($_->[0]) . '=' . encode($_->[1]) }
        @{ $c{query} }, ['X-Amz-Algorithm', $c{algorithm} // $ALGORITHM],
        ['X-Amz-Credential', "$c{id}/$scope"], ['X-Amz-Date', $date],
        ['X-Amz-Expires', $c{expires}], ['X-Amz-SignedHeaders', $names];
    my $canonical = join "\n", $method, $path, $query,
        (map { "$_:$headers{$_}" } sort keys %headers), '', $names,
        $c{payload} // 'UNSIGNED-PAYLOAD';
    my $signature = hmac_sha256_hex(
        join("\n", $ALGORITHM, $date, $scope, sha256_hex($canonical)),
        _key('AWS4', 'aws4_request', $c{secret}, @scope));

    return "$path?$query&X-Amz-Signature=$signature";
}


sub url
{
    my ($self, @arg) = @_;

    return "http://$self->{host}" . $self->target(@arg);
}


# what the signature of such a URL of OSS must be
sub oss_signature
{
    my ($secret, $method, $bucket, $url, $headers) = @_;
    my ($path, $query) = $url =~ m{^https?://[^/]+([^?]*)\?(.*)$};
    my %q = map { /^([^=]*)=(.*)$/ ? ($1 => $2) : ($_ => '') }
        split /&/, $query;

    delete $q{'x-oss-signature'};

    my (undef, @scope) = split m{/}, $q{'x-oss-credential'} =~ s{%2F}{/}gir;
    my $more = $q{'x-oss-additional-headers'} // '';
    my %also = map { $_ => 1 } split /%3B|;/i, $more;
    my @signed = grep { /^(?:content-type|content-md5|x-oss-.*)$/ || $also{$_} }
        sort keys %$headers;
    my $canonical = join "\n", $method, "/$bucket$path",
        join('&', map { "$_=$q{$_}" } sort keys %q),
        (map { "$_:$headers->{$_}" } @signed), '', $more =~ s/%3B/;/gir,
        'UNSIGNED-PAYLOAD';

    return hmac_sha256_hex(
        join("\n", 'OSS4-HMAC-SHA256', $q{'x-oss-date'}, join('/', @scope),
             sha256_hex($canonical)),
        _key('aliyun_v4', 'aliyun_v4_request', $secret, @scope[0 .. 2]));
}

1;
