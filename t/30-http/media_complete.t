# POST /v1/media/{id}/complete: what was uploaded is looked at once, and judged.

use strict;
use warnings;
use Test::More;

use Digest::SHA qw( sha256_hex );
use JSON::PP qw( decode_json );
use Podi::S3;
use Podi::Stack;

my $s = Podi::Stack->new->start;
my $s3 = Podi::S3->new($s);
my $ann = $s->member('ann');
my $bob = $s->member('bob');
my $JPEG = "\xff\xd8\xff\xe0\0\x10JFIF\0" . 'j' x 989;


# announces, and puts what is given where it was announced
sub upload
{
    my ($bytes, %arg) = @_;
    my $media = $s->post('/v1/media/uploads', as => $ann, json => { items => [
        { name => 'cat.jpg', type => 'image/jpeg', bytes => 1000 }] })
        ->json->{items}[0];
    my $type = $arg{type} // 'image/jpeg';

    $s->put($s3->url('PUT', "$s->{tenant_id}/u/$media->{media_id}",
                     headers => { 'content-length' => length $bytes,
                                  'content-type' => $type }),
            body => $bytes, headers => { 'content-type' => $type })
        if defined $bytes;
    return $media->{media_id};
}


sub complete
{
    my ($id, %arg) = @_;

    return $s->post("/v1/media/$id/complete", as => $ann, %arg);
}


sub told
{
    return map { $_->{type} } $s->sql('select type from podi.user_event'
        . ' where user_id = ? order by seq', $ann->{user_id});
}


subtest 'what came as announced' => sub {
    my $id = upload($JPEG);
    my $res = complete($id);

    is $res->status, 200, 'is taken';
    is $res->json->{state}, 'checking', 'and will be looked at';
    is $res->json->{sha256}, sha256_hex($JPEG), 'its digest is known';
    is_deeply [grep { /^_/ } keys %{ $res->json }], [], 'nothing inner is told';

    my ($job) = $s->sql('select j.* from podi.job j join podi.media m on'
        . " m.media_id = ? and j.inputs = array[m.media_id]", $id);
    is $job->{action}, 'media.check', 'by a job of the system';
    ok $s->wait_for(sub { join('', map { $s->redis('LRANGE', $_, 0, -1) }
        grep { $s->redis('TYPE', $_) eq 'list' }
        split /\n/, $s->redis('KEYS', 'podi:*')) =~ /$job->{job_id}/ }, 10,
        'the hint'), 'which the queue knows of at once';

    is complete($id)->json->{state}, 'checking', 'said again: the same';
    is $s->sql('select count(*) from podi.job where inputs = array[?::uuid]',
               $id), 1, 'and still one job';

    my $live = $s->events(as => $ann);
    $live->next_event(10);
    my $worker = $s->db->login('podi_worker');
    my $held = $worker->one(undef, 'select job_id, fence from'
        . " sys.job_claim(array[?]::uuid[], 'w1', 12000)", $job->{job_id});
    is $worker->value(undef, 'select verdict from sys.job_settle(?)',
        JSON::PP::encode_json([{ job_id => $held->{job_id},
            fence => 0 + $held->{fence}, state => 'succeeded',
            results => [{ media_id => $id, verdict => 'ready',
            type => 'image/jpeg', width => 30, height => 20, bytes => 1000,
            sha256 => sha256_hex($JPEG), thumb_key => "t/$id",
            thumb_bytes => 100 }] }])), 'OK', 'a worker has looked';
    my ($ready) = $live->until('media.ready', 10);
    is $ready->{data}{data}{media_id}, $id, 'and it is said';
    $live->close;
    is complete($id)->json->{state}, 'ready', 'said again: ready by now';
};

subtest 'what did not' => sub {
    my $png = "\x89PNG\r\n\x1a\n" . 'p' x 992;
    my %reject = (
        media_type => [$png, type => 'image/png'],
        media_too_large => [$JPEG . 'x'],
        picture_invalid => [substr $JPEG, 0, 999],
    );

    for my $code (sort keys %reject) {
        my $id = upload(@{ $reject{$code} });
        my $media = complete($id)->json;

        is "$media->{state} $media->{reject_code}", "rejected $code",
           "$code, at once";
        is $s->sql('select count(*) from podi.job where inputs ='
                   . ' array[?::uuid]', $id), 0, 'without a job';
        is complete($id)->json->{state}, 'rejected', 'for good';
    }

    is scalar(grep { $_ eq 'media.rejected' } told()), 3, 'and it is said';
};

subtest 'too early, too late' => sub {
    my $id = upload(undef);
    my $res = complete($id);

    is $res->status . ' ' . $res->code, '409 upload_missing', 'nothing there';
    is $s->get("/v1/media/$id", as => $ann)->json->{state}, 'pending',
       'it may still come';

    $s->sql("update podi.media set upload_expires_at = now() - interval '1 s'"
            . ' where media_id = ?', $id);
    is complete($id)->code, 'upload_missing', 'nothing came, and too late';
    $id = upload($JPEG);
    $s->sql("update podi.media set upload_expires_at = now() - interval '1 s'"
            . ' where media_id = ?', $id);
    $res = complete($id);
    is $res->status . ' ' . $res->code, '410 upload_expired', 'too late';
    $s->sql("update podi.media set state = 'expired' where media_id = ?", $id);
    is complete($id)->code, 'upload_expired', 'also when it was swept';
};

subtest 'whose' => sub {
    my $id = upload($JPEG);
    my $nobody = $s->db->uuid;
    my $plain = sub { $_[0]->status . $_[0]->body =~ s/"trace_id":"\w+"//r
                                                 =~ s/[0-9a-f-]{36}/ID/gr };

    is $plain->(complete($id, as => $bob)), $plain->(complete($nobody)),
       "another's is as one that does not exist";
    is complete('x')->status, 404, 'what is no id is not there either';
    is complete($id, as => undef)->status, 401, 'nobody completes nothing';
    is complete($id, body => 'x' x 5000)->status, 413, 'no long words';
    is complete($id)->json->{state}, 'checking', 'its owner may';
};

subtest 'peers away' => sub {
    my $id = upload($JPEG);
    my $job = 'select count(*) from podi.job where inputs = array[?::uuid]';

    $s->allow_errors(qr/Redis|cannot read|not an object|open failed/);
    $s->redis->stop;
    is complete($id)->json->{state}, 'checking', 'without Redis it is taken';
    is $s->sql($job, $id), 1, 'the job waits in PostgreSQL';
    $s->redis->start;

    $id = upload($JPEG);
    my $hex = sha256_hex("$s->{tenant_id}/u/$id");
    my $file = "$s->{dir}/store/podi/objects/"
        . join '/', $hex =~ /^(..)(..)/, $hex;
    truncate $file, 10 or die "$file: $!";
    is complete($id)->code, 'store_failed', 'a disk that fails is said to';
    is $s->get("/v1/media/$id", as => $ann)->json->{state}, 'pending',
       'and the upload waits';
};

$s->done;
done_testing;
