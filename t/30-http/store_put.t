# PUT at the embedded store: what is signed comes in whole, everything else is
# refused in S3's words and leaves nothing on the disk.

use strict;
use warnings;
use Test::More;

use Digest::SHA qw( sha256_hex );
use File::Find ();
use IO::Socket::INET;
use Podi::Proc qw( poll );
use Podi::S3;
use Podi::Stack;

my $JPEG = "\xff\xd8\xff\xe0\0\x10JFIF\0" . 'j' x 3000;
my $PNG = "\x89PNG\r\n\x1a\n" . 'p' x 3000;

my $s = Podi::Stack->new->start;
my $s3 = Podi::S3->new($s);
my $n = 0;


# the names of what the store has, by the file system
sub stored
{
    my @files;

    File::Find::find({ no_chdir => 1, wanted => sub { push @files, $_ if -f } },
                     "$s->{dir}/store");
    return @files;
}


sub signed
{
    my ($bytes, %more) = @_;

    return { 'content-length' => length $bytes,
             'content-type' => 'image/jpeg', %more };
}


# one PUT; sign => what is signed, send => what is sent instead
sub put
{
    my ($bytes, %arg) = @_;
    my $headers = $arg{headers} // signed($bytes);
    my $key = $arg{key} // 'a/' . ++$n;
    my $url = $s3->url('PUT', $key, headers => $headers,
                       %{ $arg{sign} || {} });

    $url = $arg{url}->($url) if $arg{url};
    my %send = (%$headers, %{ $arg{send} || {} });
    delete $send{'content-length'};
    return $s->put($url, body => $bytes, headers => \%send);
}


sub refused
{
    my ($res, $status, $code, $what) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;

    is $res->status . ' ' . ($res->body =~ m{<Code>(\w+)</Code>} ? $1 : '-'),
       "$status $code", $what;
}


subtest 'an object comes in whole' => sub {
    my $res = put($JPEG, key => 'a/first',
                  headers => signed($JPEG, 'if-none-match' => '*'));

    is $res->status, 200, 'a PUT that must not overwrite is answered 200';
    is $res->header('etag'), '"' . sha256_hex($JPEG) . '"', 'with the digest';
    is $res->body, '', 'and no body';
    is scalar(stored()), 1, 'it is one file';

    refused put($JPEG, key => 'a/first'), 412, 'PreconditionFailed',
            'the same again is refused, asked for or not';
    is $s->get($s3->url('GET', 'a/first'))->body, $JPEG, 'the first stays';

    is put($PNG, headers => signed($PNG, 'content-type' => 'image/png',
           'x-amz-content-sha256' => sha256_hex($PNG)),
           sign => { payload => 'UNSIGNED-PAYLOAD' })->status, 200,
       'another type, and an x-amz header that is signed';
};

my $files = stored();

subtest 'the signature' => sub {
    my $later = time + 3600;
    my $flip = sub { $_[0] =~ s/(.)$/$1 eq '0' ? '1' : '0'/er };

    refused put($JPEG, url => $flip), 403, 'SignatureDoesNotMatch', 'altered';
    refused put($JPEG, url => sub { $_[0] =~ s/podi\/a/podi\/b/r }), 403,
            'SignatureDoesNotMatch', 'of another key';
    refused put($JPEG, sign => { secret => 'guessed' }), 403,
            'SignatureDoesNotMatch', 'with another secret';
    refused put($JPEG, sign => { id => 'NOBODY' }), 403, 'InvalidAccessKeyId',
            'of nobody';
    refused put($JPEG, sign => { time => time - 700 }), 403, 'AccessDenied',
            'expired';
    refused put($JPEG, sign => { time => $later }), 403, 'AccessDenied',
            'of the future';
    refused put($JPEG, sign => { expires => 604801 }), 400,
            'AuthorizationQueryParametersError', 'for more than seven days';
    refused put($JPEG, sign => { region => 'elsewhere' }), 400,
            'AuthorizationQueryParametersError', 'of another region';
    refused put($JPEG, sign => { service => 'iam' }), 400,
            'AuthorizationQueryParametersError', 'of another service';
    refused put($JPEG, url => sub { $_[0] =~ s/\?.*//r }), 403, 'AccessDenied',
            'none';
    refused put($JPEG, url => sub { $_[0] . '&x=y' }), 403,
            'SignatureDoesNotMatch', 'with a parameter added';
    refused put($JPEG, url => sub { $_[0] =~ s/&X-Amz-Expires=600/&X-Amz-Expires=900/r }),
            403, 'SignatureDoesNotMatch', 'with its end put off';
    refused put($JPEG, sign => { bucket => 'other' }), 404, 'NoSuchBucket',
            'of another bucket';
    is $s->get($s3->url('PUT', 'a/first'))->status, 403,
       'a permit to write is none to read';
};

subtest 'what must be signed' => sub {
    my %type = ('content-type' => 'image/jpeg');

    refused put($JPEG, headers => { %type }), 403, 'AccessDenied',
            'the length was not';
    refused put($JPEG, headers => { 'content-length' => length $JPEG },
                send => { %type }), 403, 'AccessDenied', 'the type was not';
    refused put($JPEG, send => { 'x-amz-meta-note' => '1' }), 403,
            'AccessDenied', 'an x-amz header was not';
    refused put($JPEG, send => { 'content-type' => 'image/png' }), 403,
            'SignatureDoesNotMatch', 'another type is sent than was signed';
    refused put($JPEG . 'x', headers => signed($JPEG)), 403,
            'SignatureDoesNotMatch', 'more bytes than were signed';
    refused put(substr($JPEG, 1), headers => signed($JPEG)), 403,
            'SignatureDoesNotMatch', 'fewer bytes than were signed';
};

subtest 'the bytes' => sub {
    refused put($PNG), 400, 'InvalidObjectContent', 'another type inside';
    my $page = ' <html><script>alert(1)</script>';
    refused put($page, headers => signed($page,
                'content-type' => 'text/plain')), 400, 'InvalidObjectContent',
            'a page that is called a text';
    refused put('<svg onload="alert(1)">'), 400, 'InvalidObjectContent',
            'a page inside';
    refused put("\xff"), 400, 'InvalidObjectContent', 'one byte';
    refused put(''), 400, 'InvalidRequest', 'nothing';
    refused put('hello', headers => { 'content-length' => 5,
                'content-type' => 'text/html' }), 400, 'InvalidRequest',
            'a type that is no picture';

    my $other = sha256_hex('other');
    refused put($JPEG, sign => { payload => $other,
                query => [['X-Amz-Content-Sha256', $other]] }),
            400, 'XAmzContentSHA256Mismatch', 'another digest than was signed';
};

subtest 'odd requests' => sub {
    my $head = sub {
        my ($headers, %sign) = @_;
        my $target = $s3->target('PUT', 'odd/' . ++$n, %sign);
        return "PUT $target HTTP/1.1\r\nHost: $s3->{host}\r\n"
            . "Connection: close\r\n$headers\r\n";
    };
    my $length = length $JPEG;
    my %sign = (headers => signed($JPEG));

    refused $s->raw($head->("Content-Type: image/jpeg\r\n")), 411,
            'MissingContentLength', 'no length';
    refused $s->raw($head->("Content-Type: image/jpeg\r\n"
        . "Transfer-Encoding: chunked\r\n", headers =>
        { 'content-type' => 'image/jpeg' }) . "3\r\nabc\r\n0\r\n\r\n"), 411,
            'MissingContentLength', 'chunked';
    is $s->raw($head->("Content-Type: image/jpeg\r\nContent-Length: $length\r\n"
        . "Transfer-Encoding: chunked\r\n", %sign) . "0\r\n\r\n")->status, 400,
       'both lengths';
    is $s->raw($head->("Content-Type: image/jpeg\r\nContent-Length: $length\r\n"
        . "Content-Length: $length\r\n", %sign) . $JPEG)->status, 400,
       'a length twice';

    my $expect = $head->("Content-Type: image/jpeg\r\n"
        . "Content-Length: $length\r\nExpect: 100-continue\r\n", %sign);
    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $s->{port});
    print $sock $expect;
    my $first = <$sock> // '';
    like $first, qr/^HTTP\/1\.1 100 /, 'Expect: go on, before a byte is sent';
    print $sock $JPEG;
    my $rest = do { local $/; <$sock> };
    like $rest, qr/HTTP\/1\.1 200 /, 'and then it is taken';

    my $bad = $expect =~ s/X-Amz-Signature=\w{64}/'X-Amz-Signature=' . '0' x 64/er;
    like $s->raw($bad)->status, qr/^403$/, 'a refusal needs no byte of it';
};

subtest 'path tricks' => sub {
    my %trick = (
        'dots'           => 'a/../../etc/x',      'a dot'       => 'a/./x',
        'hidden'         => 'a/.x',               'two slashes' => 'a//x',
        'encoded dots'   => 'a/%2e%2e/x',         'NUL'         => 'a/x%00y',
        'backslash'      => 'a\\..\\x',           'a colon'     => 'c:x',
        'encoded twice'  => 'a/%252e%252e/x',     'a blank'     => 'a/%20',
        'encoded slash'  => 'a%2f..%2fx',         'a line'      => "a/%0d%0ax",
        'ends in /'      => 'a/x/',               'no key'      => '',
        'not UTF-8'      => 'a/%ff',              'too long'    => 'k' x 513,
    );

    for my $name (sort keys %trick) {
        my $path = "/store/podi/$trick{$name}";
        my $sent = $path =~ s/\\/%5C/gr;
        my $length = length $JPEG;
        my $target = $s3->target('PUT', '', path => $sent,
                                 headers => signed($JPEG));
        my $res = $s->raw("PUT $target HTTP/1.1\r\nHost: $s3->{host}\r\n"
            . "Connection: close\r\nContent-Type: image/jpeg\r\n"
            . "Content-Length: $length\r\n\r\n$JPEG");

        like $res->status, qr/^40[034]$/, "$name: " . $res->status;
    }

    ok !-e "$s->{dir}/store/etc", 'nothing walked out';
};

is scalar(stored()), $files + 1, 'all that was refused left no file';

subtest 'a connection that is cut' => sub {
    my $big = $JPEG . 'x' x 300_000;
    my $target = $s3->target('PUT', 'cut/1', headers => signed($big));
    my $before = stored();
    my $half = substr $big, 0, 150_000;

    $s->raw("PUT $target HTTP/1.1\r\nHost: $s3->{host}\r\nContent-Type:"
        . " image/jpeg\r\nContent-Length: " . length($big) . "\r\n\r\n$half",
        cut => 1);
    ok poll(10, sub { ! grep { / \(deleted\)$/ }
        map { @{ (Podi::Proc::open_files($_))[1] } } $s->nginx->workers }),
       'what was received is given back';
    is scalar(stored()), $before, 'and no file is left';
    is put($big, key => 'cut/1')->status, 200, 'the key is still free';
};

subtest 'two at once' => sub {
    my $target = $s3->target('PUT', 'race/1', headers => signed($JPEG));
    my $request = "PUT $target HTTP/1.1\r\nHost: $s3->{host}\r\nConnection:"
        . " close\r\nContent-Type: image/jpeg\r\nContent-Length: "
        . length($JPEG) . "\r\n\r\n";
    my @socks = map { IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                            PeerPort => $s->{port}) } 1 .. 8;

    print $_ $request, substr $JPEG, 0, -1 for @socks;
    $_->flush for @socks;
    print $_ substr $JPEG, -1 for @socks;
    my @status = sort map { local $/; (<$_> // '') =~ m{^HTTP/1.1 (\d+)}; $1 }
        map { $_->flush; $_ } @socks;
    is "@status", "200 412 412 412 412 412 412 412", 'exactly one wins';
    is $s->get($s3->url('GET', 'race/1'))->body, $JPEG, 'and is whole';
};

subtest 'HTTP/2 over TLS' => sub {
    my $host = "localhost:$s->{tls_port}";
    my $url = $s3->url('PUT', 'h2/1', host => $host,
                       headers => signed($JPEG)) =~ s{^http://[^/]+}{https://$host}r;
    my $file = "$s->{dir}/tmp/h2.jpg";

    Podi::Stack::Files::write_file($file, $JPEG);
    open my $curl, '-|', qw( curl -sS --http2 --max-time 20 -w ),
        '%{http_version} %{response_code}', '--cacert', $s->ca,
        '-H', 'Content-Type: image/jpeg', '-T', $file, $url or die $!;
    is do { local $/; <$curl> }, '2 200', 'is taken';
    close $curl;
    unlink $file;
};

subtest 'a disk that is full' => sub {
    my $root = "$s->{dir}/store";
    my $mounted = $> == 0
        && system("mount -t tmpfs -o size=200k,mode=0777 podi '$root' 2>/dev/null") == 0;

    plan skip_all => 'tmpfs cannot be mounted here' if !$mounted;

    my $big = $JPEG . 'x' x 600_000;
    $s->allow_errors(qr/podi_store: cannot write an object/);

    # a client that neither sends the rest nor hangs up
    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $s->{port});
    my $target = $s3->target('PUT', 'full/1', headers => signed($big));

    print $sock "PUT $target HTTP/1.1\r\nHost: $s3->{host}\r\nContent-Type:"
        . " image/jpeg\r\nContent-Length: " . length($big) . "\r\n\r\n"
        . substr $big, 0, 400_000;
    $sock->flush;
    like scalar(<$sock>), qr{^HTTP/1\.1 507 }, 'says so';
    is scalar(stored()), 0, 'and leaves no file';
    is put($JPEG, key => 'full/2')->status, 200,
       'a smaller one fits while he stays';
    close $sock;
    refused put($big, key => 'full/3'), 507, 'ServiceUnavailable',
            'and is said in the words of S3';
    ok poll(10, sub { system("umount '$root' 2>/dev/null") == 0 }),
       'nothing holds it';
};

$s->done;
done_testing;
