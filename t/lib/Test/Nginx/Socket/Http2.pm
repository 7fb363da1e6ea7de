package Test::Nginx::Socket::Http2;

# A block with --- http2: curl speaks HTTP/2 with prior knowledge, as in the
# genuine runner, and its answer is read as if it were HTTP/1.1.

use strict;
use warnings;
use Exporter 'import';
use Test::Builder;
use Test::Nginx::Socket::Set qw( %Set bail_out );
use Test::Nginx::Socket::Request ();

our @EXPORT_OK = qw( send_http2 );


sub _command
{
    my ($block, $text, $file) = @_;
    my ($head, $body) = split /\r\n\r\n/, $text, 2;
    my ($line, @headers) = split /\r\n/, $head;
    my ($method, $target) = split ' ', $line;
    my $time = Test::Nginx::Socket::Request::parse_time($block->timeout)
               // $Set{timeout};
    my @cmd = (qw( curl -isS --http2-prior-knowledge -H User-Agent:
                   -H Accept: ), '--max-time', $time);

    push @cmd, $method eq 'HEAD' ? '-I' : ('-X', $method);
    push @cmd, map { ('-H', $_) } grep { !/^Connection:/i } @headers;
    push @cmd, $block->curl_options if defined $block->curl_options;

    if (length($body // '')) {
        open my $out, '>:raw', $file or bail_out("$file: $!");
        print $out $body;
        close $out;
        push @cmd, '--data-binary', "\@$file";
        push @cmd, '-H', 'Content-Type:'
            if !grep { /^Content-Type:/i } @headers;
    }

    return (@cmd, "http://$Set{addr}:$Set{client_port}$target");
}


sub send_http2
{
    my ($block, $packets) = @_;
    my $text = join '', map { $_->{value} } @$packets;
    my @cmd = _command($block, $text, "$Set{root}/html/curl.data.bin");

    open my $pipe, '-|', @cmd or bail_out("curl: $!");
    binmode $pipe;
    my $got = do { local $/; <$pipe> } // '';
    close $pipe;

    if ($? && !defined $block->abort && !defined $block->curl_error) {
        Test::Builder->new->ok(0, $block->name . ' - curl failed: ' . ($? >> 8));
    }

    $got =~ s{\AHTTP/2 (\d+) *\r\n}{HTTP/1.1 $1 -\r\n};
    return $got;
}

1;
