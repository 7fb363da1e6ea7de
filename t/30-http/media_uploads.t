# POST /v1/media/uploads: what is announced, and the permit that comes of it.

use strict;
use warnings;
use utf8;
use Test::More;
use Time::Local qw( timegm );

use POSIX qw( strftime );
use Podi::S3;
use Podi::Stack;
use Podi::Stack::Files;

my $s = Podi::Stack->new(http => <<'CONF', server => <<'CONF2');
podi_upload_max_size 1m;
podi_upload_batch 3;
podi_upload_expires 5m;
podi_media_store ali type=oss endpoint=https://podi-test.oss-cn-hangzhou.aliyuncs.com
                 bucket=podi-test region=cn-hangzhou key_file=OSS_KEY;
podi_media_store aws type=s3 endpoint=https://s3.us-east-1.amazonaws.com
                 bucket=podi-test region=us-east-1 key_file=OSS_KEY;
CONF

location /oss/ { rewrite ^/oss(/.*)$ $1 break; podi_auth on; podi_media;
                 podi_upload_store ali; }
location /aws/ { rewrite ^/aws(/.*)$ $1 break; podi_auth on; podi_media;
                 podi_upload_store aws; podi_upload_types image/webp; }
CONF2

my $SECRET = 'oss-secret-of-tests-0123456789';
Podi::Stack::Files::write_file("$s->{dir}/keys/oss.key", "OSSKEYID:$SECRET\n",
                               0600);
$s->{http} =~ s{OSS_KEY}{$s->{dir}/keys/oss.key}g;
$s->start;

my $ann = $s->member('ann');
my $bob = $s->member('bob');
my %item = (name => 'cat.jpg', type => 'image/jpeg', bytes => 3000);
my $JPEG = "\xff\xd8\xff\xe0\0\x10JFIF\0" . 'j' x 2989;


sub ask
{
    my ($items, %arg) = @_;

    return $s->post($arg{to} // '/v1/media/uploads', as => $ann, %arg,
                    json => { items => $items });
}


# the end of a permit, by the two parameters that say it
sub ends_at
{
    my ($date, $seconds) = @_;
    my @t = $date =~ /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

    return strftime('%Y-%m-%dT%H:%M:%S.000000Z', gmtime $seconds
                    + timegm(@t[5, 4, 3, 2], $t[1] - 1, $t[0]));
}


subtest 'one' => sub {
    my $res = ask([{ %item }]);
    my ($media) = @{ $res->json->{items} };
    my $up = $media->{upload};

    is $res->status, 201, 'is announced';
    is $media->{state}, 'pending', 'and awaited';
    is_deeply $up->{headers}, { 'content-length' => 3000,
        'content-type' => 'image/jpeg', 'if-none-match' => '*' },
        'the headers that must be sent';
    like $up->{url}, qr{^https://localhost:$s->{tls_port}/store/podi/
        $s->{tenant_id}/u/$media->{media_id}\?}x, 'the key is made of our ids';
    like $up->{url}, qr/X-Amz-Expires=(?:299|300)&/, 'for five minutes';
    my ($start, $life) = $up->{url} =~ /X-Amz-Date=(\w+)&X-Amz-Expires=(\d+)/;
    is $up->{expires_at}, ends_at($start, $life), 'it ends when it says';
    cmp_ok $up->{expires_at}, 'le', $media->{upload_expires_at},
           'not after the upload';

    my %send = %{ $up->{headers} };
    delete $send{'content-length'};
    is $s->put($up->{url}, body => $JPEG, headers => \%send)->status, 200,
       'the permit is good';
    is $s->put($up->{url}, body => $JPEG, headers => \%send)->status, 412,
       'for one object';
};

subtest 'several' => sub {
    my @names = ('a.jpg', '../../etc/passwd', "猫\x{202e}.jpg");
    my $res = ask([map { { %item, name => $_ } } @names]);
    my @items = @{ $res->json->{items} };

    is $res->status, 201, 'three at once';
    is_deeply [map { $_->{name} } @items], \@names,
        'in their order; a name is only a name';
    unlike $_->{upload}{url}, qr/etc|%2F\.\.|\.\./, 'and in no key' for @items;
    is ask([({ %item }) x 4])->status, 422, 'four are too many';
    my $count = sub { $s->sql('select count(*) from podi.media') };
    my $before = $count->();
    is ask([{ %item }, { %item, bytes => 0 }])->status, 422, 'one is bad';
    is $count->(), $before, 'so none is announced';
};

subtest 'said again' => sub {
    my $first = ask([{ %item }], key => 'k1');
    my $again = ask([{ %item }], key => 'k1');

    is $first->status . ' ' . $again->status, '201 200', 'with the same key';
    my ($one, $two) = map { $_->json->{items}[0] } $first, $again;
    is $two->{media_id}, $one->{media_id}, 'the same media';
    is $two->{is_new}, JSON::PP::false(), 'not a new one';
    like $two->{upload}{url}, qr/X-Amz-Signature=/, 'with a URL';
    is ask([{ %item, bytes => 2999 }], key => 'k1')->code,
       'idempotency_mismatch', 'another body';
    isnt ask([{ %item }], key => 'k1', as => $bob)->json->{items}[0]{media_id},
         $one->{media_id}, "another user's key is another key";

    $s->sql("update podi.media set upload_expires_at = now() - interval '1 s'"
            . ' where media_id = ?', $one->{media_id});
    is ask([{ %item }], key => 'k1')->json->{items}[0]{upload}, undef,
       'no URL when it is too late';
};

subtest 'bad fields' => sub {
    my $long = 'n' x 256;
    my @bad = (
        [{ bytes => 0 }, 422, 'items[0].bytes'],
        [{ bytes => -1 }, 422, 'items[0].bytes'],
        [{ bytes => 1.5 }, 422, 'items[0].bytes'],
        [{ bytes => '3000' }, 422, 'items[0].bytes'],
        [{ bytes => 1024 * 1024 + 1 }, 413, 'items[0].bytes'],
        [{ bytes => undef }, 422, 'items[0].bytes'],
        [{ type => 'text/html' }, 422, 'items[0].type'],
        [{ type => 'image/JPEG' }, 422, 'items[0].type'],
        [{ type => 'image/svg+xml' }, 422, 'items[0].type'],
        [{ type => "image/jpeg\r\nx: y" }, 422, 'items[0].type'],
        [{ type => '' }, 422, 'items[0].type'],
        [{ name => '' }, 422, 'items[0].name'],
        [{ name => $long }, 422, 'items[0].name'],
        [{ name => 7 }, 422, 'items[0].name'],
        [{ key => 'x' }, 422, 'items[0].key'],
    );

    for my $case (@bad) {
        my ($change, $status, $field) = @$case;
        my $res = ask([{ %item, %$change }]);
        my ($name) = keys %$change;

        is $res->status . " $res->{json}{field}", "$status $field",
           "$name $res->{json}{detail}" if $res->json;
    }

    for my $missing (keys %item) {
        my %less = %item;
        delete $less{$missing};
        my $res = ask([\%less]);
        is $res->status . ' ' . $res->json->{field}, "422 items[0].$missing",
           "no $missing";
    }

    is ask([{ %item, bytes => 2 ** 21 }])->code, 'media_too_large', 'the code';
    is ask([{ %item, type => 'a/b' }])->code, 'media_type', 'and the other';
    is ask([{ %item }, 7])->json->{field}, 'items[1]', 'an item that is none';
    is ask([])->json->{field}, 'items', 'no items';
    is ask('x')->json->{field}, 'items', 'no list';

    my $raw = sub { $s->post('/v1/media/uploads', as => $ann,
                             type => $_[1] // 'application/json',
                             body => $_[0]) };
    is $raw->('{"items":')->status, 400, 'no JSON';
    is $raw->('{"items":[],"items":[]}')->status, 400, 'a member twice';
    is $raw->('{"items":[{"name":"a\u0000b","type":"image/jpeg","bytes":1}]}')
       ->status, 400, 'a name with a NUL';
    is $raw->('[]')->status, 400, 'no object';
    is $raw->('x' x 70_000)->status, 413, 'too much of it';
    is $raw->('{}', 'text/plain')->status, 415, 'another type';
    is $s->post('/v1/media/uploads', json => { items => [{ %item }] })->status,
       401, 'from nobody';
};

subtest 'limits' => sub {
    is_deeply $s->get('/v1/media/limits', as => $ann)->json,
        { max_bytes => 1048576, batch => 3, upload_expires_in => 300,
          download_expires_in => 600,
          types => [qw( image/jpeg image/png image/webp )] },
        'are told beforehand';
};

subtest 'Alibaba OSS' => sub {
    my $up = ask([{ %item }], to => '/oss/v1/media/uploads', unchecked => 1)
        ->json->{items}[0]{upload};
    my ($signature) = $up->{url} =~ /x-oss-signature=(\w{64})/;

    is_deeply $up->{headers}, { 'content-length' => 3000,
        'content-type' => 'image/jpeg', 'x-oss-forbid-overwrite' => 'true' },
        'nothing is overwritten';
    like $up->{url}, qr{^https://podi-test\.oss-cn-hangzhou\.aliyuncs\.com/
                        $s->{tenant_id}/u/}x, 'the bucket is in the host';
    like $up->{url}, qr{x-oss-signature-version=OSS4-HMAC-SHA256}, 'V4';
    like $up->{url}, qr{x-oss-credential=OSSKEYID%2F\d{8}%2Fcn-hangzhou%2Foss},
         'its key and scope';
    like $up->{url}, qr{x-oss-additional-headers=[^&]*content-length},
         'the length is signed too';
    my %all = (%{ $up->{headers} }, host => $up->{url} =~ m{//([^/]+)});
    is $signature, Podi::S3::oss_signature($SECRET, 'PUT', 'podi-test',
                                           $up->{url}, \%all),
       'the signature is what OSS computes';
};

subtest 'AWS S3' => sub {
    my $res = ask([{ %item, type => 'image/webp' }],
                  to => '/aws/v1/media/uploads', unchecked => 1);
    my $media = $res->json->{items}[0];
    my $up = $media->{upload};
    my ($date) = $up->{url} =~ /X-Amz-Date=(\w+)/;
    my ($expires) = $up->{url} =~ /X-Amz-Expires=(\d+)/;
    my @t = $date =~ /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;
    my $s3 = Podi::S3->new($s, id => 'OSSKEYID', secret => $SECRET,
        prefix => '', bucket => 'podi-test', region => 'us-east-1',
        host => 's3.us-east-1.amazonaws.com');

    is $up->{url} =~ s{^https}{http}r,
       $s3->url('PUT', "$s->{tenant_id}/u/$media->{media_id}",
                headers => $up->{headers}, expires => $expires,
                time => timegm(@t[5, 4, 3, 2], $t[1] - 1, $t[0])),
       'the URL is what S3 computes, to the byte';
    is ask([{ %item }], to => '/aws/v1/media/uploads', unchecked => 1)->status,
       422, 'a location has types of its own';
};

my @said = map { my $f = $_; open my $in, '<', $f or die; local $/; <$in> }
    grep { -f } glob "$s->{dir}/log/*";
unlike join('', @said), qr/\Q$SECRET\E|\Q@{[ Podi::S3->new($s)->{secret} ]}\E/,
       'no secret is in a log';

$s->done;
done_testing;
