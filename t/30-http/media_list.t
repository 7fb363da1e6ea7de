# GET /v1/media: pages, filters, and thumbnails that can be fetched.

use strict;
use warnings;
use Test::More;

use Podi::S3;
use Podi::Stack;
use Time::Local qw( timegm );

my $s = Podi::Stack->new(http => "podi_download_expires 3m;\n")->start;
my $s3 = Podi::S3->new($s);
my $ann = $s->member('ann');
my $bob = $s->member('bob');
my $task = $s->db->uuid;
my @media;


# a row, as uploads and workers leave them behind
sub plant
{
    my ($who, %m) = @_;
    my %row = (kind => 'upload', state => 'ready', name => 'n.jpg',
               type => 'image/jpeg', bytes => 10, sha256 => 'ab' x 32,
               store => 'main', upload_expires_at => 'now', ready_at => 'now',
               %m);
    my $id = $s->db->uuid;

    @row{qw( tenant_id user_id media_id )} =
        ($s->{tenant_id}, $who->{user_id}, $id);
    $row{object_key} //= "k/$id";
    my @names = sort keys %row;
    $s->sql('insert into podi.media (' . join(', ', @names) . ') values ('
            . join(', ', ('?') x @names) . ')', @row{@names});
    return $id;
}


sub ids
{
    my ($query, $who) = @_;

    return [map { $_->{media_id} }
            @{ $s->get("/v1/media$query", as => $who // $ann)->json->{items} }];
}

is_deeply $s->get('/v1/media', as => $ann)->json, { items => [], next => undef },
    'nothing';

push @media, plant($ann) for 1 .. 3;
push @media, plant($ann, type => 'image/png', thumb_key => 't/1');
push @media, plant($ann, state => 'pending', ready_at => undef, sha256 => undef);
push @media, plant($ann, state => 'rejected', ready_at => undef,
                   reject_code => 'picture_invalid');
my $expired = plant($ann, state => 'expired', ready_at => undef);
my $theirs = plant($bob);
my @newest = reverse @media;

is_deeply ids(''), \@newest, 'newest first, and only those of the caller';
is_deeply ids('?state=expired'), [$expired],
    'what expired is shown when it is asked for';
is_deeply ids('', $bob), [$theirs], 'another has others';

subtest 'pages' => sub {
    my ($after, @all) = ('');

    for my $n (2, 2, 2) {
        my $page = $s->get("/v1/media?limit=2$after", as => $ann)->json;
        push @all, map { $_->{media_id} } @{ $page->{items} };
        is @{ $page->{items} }, $n, 'a page';
        $after = $page->{next} ? "&after=$page->{next}" : undef;
    }

    is $after, undef, 'the last has no next';
    is_deeply \@all, \@newest, 'all, once';
    is_deeply ids("?after=$theirs"), \@newest,
        "another's id is a place, not a thing";
};

subtest 'filters' => sub {
    is_deeply ids('?type=image/png'), [$media[3]], 'type';
    is_deeply ids('?type=image%2Fpng'), [$media[3]], 'type, encoded';
    is_deeply ids('?state=pending'), [$media[4]], 'state';
    is_deeply ids('?state=rejected'), [$media[5]], 'another state';
    is_deeply ids('?kind=result'), [], 'kind';
    is_deeply ids('?kind=upload&state=ready&limit=1'), [$media[3]], 'several';
    is_deeply ids("?task_id=$task"), [], 'of a task';

    for my $bad ('kind=x', 'state=', 'state=READY', 'limit=0', 'limit=201',
                 'limit=x', 'after=x', 'task_id=1', 'type=', 'user=me',
                 'limit=1&limit=2', 'kind=%00')
    {
        my ($field) = $bad =~ /^(\w+)/;
        my $res = $s->get("/v1/media?$bad", as => $ann);
        is $res->status . ' ' . ($res->json->{field} // ''), "422 $field", $bad;
    }
};

subtest 'thumbnails' => sub {
    my $png = "\x89PNG\r\n\x1a\n" . 'p' x 50;
    my %put = ('content-length' => length $png, 'content-type' => 'image/png');

    is $s->put($s3->url('PUT', 't/1', headers => \%put), body => $png,
               headers => { 'content-type' => 'image/png' })->status, 200,
       'there is one';

    my ($item) = @{ $s->get('/v1/media?type=image/png', as => $ann)
                    ->json->{items} };
    is $s->get($item->{thumbnail_url})->body, $png, 'its URL brings it';
    my @t = $item->{thumbnail_expires_at}
        =~ /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)/;
    my ($date) = $item->{thumbnail_url} =~ /X-Amz-Date=(\w+)/;
    my @d = $date =~ /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/;
    is timegm(@t[5, 4, 3, 2], $t[1] - 1, $t[0])
       - timegm(@d[5, 4, 3, 2], $d[1] - 1, $d[0]), 180, 'for three minutes';
    like $item->{thumbnail_url}, qr/X-Amz-Expires=180&/, 'as it was signed';

    my ($other) = @{ $s->get('/v1/media?state=pending', as => $ann)
                     ->json->{items} };
    is_deeply [@{$other}{qw( thumbnail_url thumbnail_expires_at )}],
              [undef, undef], 'none where none is';
    $s->sql("update podi.media set store = 'gone' where media_id = ?",
            $media[3]);
    is $s->get("/v1/media/$media[3]", as => $ann)->json->{thumbnail_url},
       undef, 'nor where the store has left the configuration';
};

$s->done;
done_testing;
