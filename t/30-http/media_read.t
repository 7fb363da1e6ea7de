# GET /v1/media/{id} and .../download: one picture, and a permit to fetch it.

use strict;
use warnings;
use utf8;
use Test::More;

use Podi::S3;
use Podi::Stack;

my $s = Podi::Stack->new->start;
my $s3 = Podi::S3->new($s);
my $ann = $s->member('ann');
my $bob = $s->member('bob');
my $PNG = "\x89PNG\r\n\x1a\n" . 'p' x 992;
my $name = "a\"b\\../猫.png";
my $id = $s->post('/v1/media/uploads', as => $ann, json => { items => [
    { name => $name, type => 'image/png', bytes => 1000 }] })
    ->json->{items}[0]{media_id};
my %put = ('content-length' => 1000, 'content-type' => 'image/png');

is $s->put($s3->url('PUT', "$s->{tenant_id}/u/$id", headers => \%put),
           body => $PNG, headers => { 'content-type' => 'image/png' })->status,
   200, 'there is a picture';


sub read_it
{
    my ($who, $what, $tail) = @_;

    return $s->get('/v1/media/' . ($what // $id) . ($tail // ''), as => $who);
}


subtest 'before it is ready' => sub {
    my $res = read_it($ann);
    is $res->json->{state}, 'pending', 'it can be read';
    is $res->json->{name}, $name, 'its name is what was said';
    is_deeply [grep { /^_/ } keys %{ $res->json }], [], 'nothing inner is told';
    $res = read_it($ann, $id, '/download');
    is $res->status . ' ' . $res->code, '409 media_not_ready',
       'but not downloaded';
};

$s->sql("update podi.media set state = 'ready', ready_at = now(), sha256 ="
        . " repeat('ab', 32), width = 3, height = 2 where media_id = ?", $id);

subtest 'ready' => sub {
    my $media = read_it($ann)->json;
    is "$media->{state} $media->{width} $media->{height}", 'ready 3 2',
       'it is known';

    my $down = read_it($ann, $id, '/download')->json;
    is_deeply [@{$down}{qw( name type bytes )}], [$name, 'image/png', 1000],
              'what will come';
    unlike $down->{url}, qr/store\.key|\Q$s3->{secret}\E/, 'no secret';

    my $res = $s->get($down->{url});
    is $res->body, $PNG, 'it comes';
    is $res->header('content-type'), 'image/png', 'as what it is';
    is $res->header('content-disposition'), 'attachment; filename="a_b_..____'
       . ".png\"; filename*=UTF-8''a%22b%5C..%2F%E7%8C%AB.png",
       'to be saved under its name, which is no path';
    is $s->head($down->{url})->status, 403, 'HEAD was not signed';
    is $s->get($down->{url} =~ s/\.png/.exe/r)->status, 403,
       'nor another name';
};

subtest 'whose' => sub {
    my $nobody = $s->db->uuid;

    for my $tail ('', '/download') {
        my @said = map { $_->status . $_->body =~ s/"trace_id":"\w+"//r }
            read_it($bob, $id, $tail), read_it($bob, $nobody, $tail);
        is $said[0], $said[1], "another's is as none$tail";
        is read_it($ann, 'x', $tail)->status, 404, 'no id';
        is read_it($ann, uc $id, $tail)->status, 200, 'the same id, aloud';
        is read_it(undef, $id, $tail)->status, 401, 'nobody';
    }
};

subtest 'a store that has left' => sub {
    $s->sql("update podi.media set store = 'old' where media_id = ?", $id);
    $s->allow_errors(qr/store old is not configured/);
    my $res = read_it($ann, $id, '/download');
    is $res->status . ' ' . $res->code, '502 store_failed', 'is said to be so';
};

$s->done;
done_testing;
