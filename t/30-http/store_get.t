# GET and HEAD at the embedded store: whole, in parts, or not at all.

use strict;
use warnings;
use Test::More;

use Digest::SHA qw( sha256_hex );
use Podi::S3;
use Podi::Stack;

my $s = Podi::Stack->new(
    server => "podi_cors_origin https://app.example;\n")->start;
my $s3 = Podi::S3->new($s);
my $PNG = "\x89PNG\r\n\x1a\n" . join '', map { chr(65 + $_ % 26) } 1 .. 100_000;
my $size = length $PNG;
my $etag = '"' . sha256_hex($PNG) . '"';
my %put = ('content-length' => $size, 'content-type' => 'image/png');

is $s->put($s3->url('PUT', 'pic/1', headers => \%put), body => $PNG,
           headers => { 'content-type' => 'image/png' })->status, 200,
   'there is an object';


sub get
{
    my ($headers, %arg) = @_;

    return $s->get($s3->url('GET', $arg{key} // 'pic/1', %arg),
                   headers => $headers);
}


subtest 'whole' => sub {
    my $res = get({});

    is $res->status, 200, 'is there';
    ok $res->body eq $PNG, 'byte by byte';
    is $res->header('content-length'), $size, 'its length';
    is $res->header('content-type'), 'image/png', 'its type, as found';
    is $res->header('etag'), $etag, 'the digest of its bytes';
    is $res->header('accept-ranges'), 'bytes', 'parts may be asked for';
    like $res->header('cache-control'), qr/^private, max-age=\d+$/,
         'no shared cache may keep it';
    is $res->header('content-disposition'), undef, 'a picture is shown';
    is $res->header('x-content-type-options'), 'nosniff', 'as what it is';

    my $head = $s->head($s3->url('HEAD', 'pic/1'));
    is $head->status . ' ' . $head->header('content-length'), "200 $size",
       'HEAD says the same';
    is $head->body, '', 'without it';
};

subtest 'parts' => sub {
    my $res = get({ Range => 'bytes=0-9' });
    is $res->status, 206, 'the first bytes';
    is $res->body, substr($PNG, 0, 10), 'are the first bytes of the picture';
    is $res->header('content-range'), "bytes 0-9/$size", 'and it says so';

    is get({ Range => 'bytes=-7' })->body, substr($PNG, -7), 'the last bytes';
    is get({ Range => 'bytes=' . ($size - 3) . '-' })->body, substr($PNG, -3),
       'from there on';
    is get({ Range => 'bytes=70000-70009' })->body, substr($PNG, 70000, 10),
       'in the middle';

    $res = get({ Range => 'bytes=0-1,50000-50003' });
    is $res->status, 206, 'two parts';
    like $res->header('content-type'), qr{^multipart/byteranges; boundary=},
         'in one answer';
    like $res->body, qr{bytes 0-1/$size\r\n\r\n\Q@{[ substr $PNG, 0, 2 ]}\E\r\n},
         'the first';
    like $res->body, qr{bytes 50000-50003/$size\r\n\r\n\Q@{[ substr $PNG, 50000, 4 ]}\E\r\n},
         'and the second';

    $res = get({ Range => "bytes=$size-" });
    is $res->status, 416, 'behind the end';
    is $res->header('content-range'), "bytes */$size", 'with its length';
    is get({ Range => 'bytes=x-y' })->status, 416, 'no numbers';
    is get({ Range => 'bytes=9-1' })->status, 416, 'backwards';
    is get({ Range => 'bytes=0-1', 'If-Range' => $etag })->status, 206,
       'If-Range: the same object';
    is get({ Range => 'bytes=0-1', 'If-Range' => '"other"' })->status, 200,
       'If-Range: another one, so all of it';
};

subtest 'what the client has already' => sub {
    my $res = get({ 'If-None-Match' => $etag });

    is $res->status, 304, 'is not sent again';
    is $res->body, '', 'not a byte';
    is $res->header('etag'), $etag, 'but named';
    is get({ 'If-None-Match' => '"other"' })->status, 200, 'another one is';
    is get({ 'If-Match' => '"other"' })->status, 412, 'If-Match';
};

subtest 'what executors deliver' => sub {
    my %bytes = (
        'video/mp4'         => "\0\0\0\x18ftypisom\0\0\2\0isomiso2",
        'audio/flac'        => "fLaC\0\0\0\x22",
        'model/gltf-binary' => "glTF\2\0\0\0\x0c\0\0\0",
        'text/plain'        => 'a cat, red',
        'application/json'  => '{"text": "a cat, red"}',
    );

    for my $type (sort keys %bytes) {
        my %headers = ('content-length' => length $bytes{$type},
                       'content-type' => $type);
        my $key = 'made/' . $type =~ tr{/}{-}r;

        is $s->put($s3->url('PUT', $key, headers => \%headers),
                   body => $bytes{$type},
                   headers => { 'content-type' => $type })->status, 200,
           "$type is taken";

        my $res = get({}, key => $key);
        is $res->header('content-type'), $type, '... and given back as that';
        is $res->header('content-disposition'),
           $type =~ /^(?:video|audio|model)/ ? undef : 'attachment',
           '... a text is saved, never shown';
    }
};

subtest 'how it is answered is signed' => sub {
    my $name = "attachment; filename=\"a.png\"; filename*=UTF-8''%E7%8C%AB.png";
    my $res = get({}, query => [['response-content-disposition', $name],
                                ['response-content-type', 'image/jpeg']]);

    is $res->header('content-disposition'), $name, 'the name to save it under';
    is $res->header('content-type'), 'image/jpeg', 'and the type';

    $res = get({}, query => [['response-content-type', 'text/html']]);
    is $res->header('content-disposition'), 'attachment',
       'a page is saved, never shown';

    for my $name ('response-content-disposition', 'response-content-type') {
        $res = get({}, query => [[$name, "x\r\nSet-Cookie: a=b"]]);
        is $res->status, 200, "a line break in $name";
        is $res->header('set-cookie'), undef, 'makes no header';
        unlike $res->header('content-disposition') // '', qr/Set-Cookie/,
               'and is left out';
    }

    my $url = $s3->url('GET', 'pic/1') . '&response-content-type=text/html';
    is $s->get($url)->status, 403, 'not signed, not obeyed';
};

subtest 'no' => sub {
    my $res = get({}, key => 'pic/2');

    is $res->status, 404, 'not there';
    like $res->body, qr{<Code>NoSuchKey</Code>}, "in S3's words";
    is $res->header('content-type'), 'application/xml', 'and type';
    my $trace = $res->header('x-trace-id');
    like $res->body, qr{<RequestId>$trace</RequestId>}, 'with the trace id';

    is $s->get("http://$s3->{host}/store/podi/pic/1")->status, 403, 'unsigned';
    is get({}, time => time - 601)->status, 403, 'expired';
    is get({}, method => 'GET', secret => 'x')->status, 403, 'forged';
    is $s->head($s3->url('GET', 'pic/1'))->status, 403,
       'a permit to GET is none to HEAD';
    $res = $s->post($s3->url('POST', 'pic/1'), body => 'x');
    is $res->status, 405, 'POST, signed';
    like $res->body, qr{<Code>MethodNotAllowed</Code>}, 'is no method of ours';
};

subtest 'a front end on another origin' => sub {
    my $res = $s->request('OPTIONS', "http://$s3->{host}/store/podi/x/1",
        headers => { Origin => 'https://app.example',
                     'Access-Control-Request-Method' => 'PUT',
                     'Access-Control-Request-Headers' =>
                         'content-type,if-none-match' });

    is $res->status, 204, 'may ask beforehand, unsigned';
    is $res->header('access-control-allow-origin'), 'https://app.example',
       'it is let in by name';
    like $res->header('access-control-allow-methods'), qr/\bPUT\b/, 'to PUT';
    like lc $res->header('access-control-allow-headers'), qr/if-none-match/,
         'with what the permit wants';

    $res = get({ Origin => 'https://app.example' });
    is $res->header('access-control-allow-origin'), 'https://app.example',
       'and reads';
    like $res->header('access-control-expose-headers') // '', qr/\bETag\b/i,
         'the ETag too';
    $res = get({ Origin => 'https://evil.example' });
    is $res->header('access-control-allow-origin'), undef, 'nobody else';
};

subtest 'a file that is no object' => sub {
    my $hex = sha256_hex('pic/1');
    my $file = "$s->{dir}/store/podi/objects/"
        . join '/', $hex =~ /^(..)(..)/, $hex;

    $s->allow_errors(qr/not an object of this store/);
    truncate $file, $size or die "$file: $!";
    my $res = get({});
    is $res->status, 500, 'cut short behind our back: nothing of it is sent';
    like $res->body, qr{<Code>InternalError</Code>}, 'and said so';
    truncate $file, 100;
    is get({})->status, 500, 'without a head';
};

$s->done;
done_testing;
