# GET /v1/tasks/{id}/receipt, and podictl receipt verify: what was signed stands
# alone; what was changed, or does not add up, is refused.

use strict;
use warnings;
use JSON::PP ();
use MIME::Base64 qw( decode_base64url encode_base64url );
use Podi::OpenAPI;
use Podi::Work;
use Test::More;
use Podi::Stack;

my $s = Podi::Stack->new->start;
my $w = Podi::Work->new($s->db);
my $dir = $s->dir . '/receipt';
my $ann = $s->member('annie', points => 100);
my $bob = $s->member('bobby');
my $podictl = ($ENV{PODI_BUILD} // 'var/build') . '/bin/podictl';
my $task = $w->submit($ann, inputs => [ $w->media($ann) ],
                      actions => [qw( resize convert )]);
my $path = "/v1/tasks/$task->{task_id}/receipt";

mkdir $dir;


sub keep
{
    my ($name, $text) = @_;

    open my $out, '>:raw', "$dir/$name" or die "$dir/$name: $!";
    print $out $text;
    close $out or die $!;
    return "$dir/$name";
}


# (exit code, what it said)
sub verify
{
    my ($token, $jwks) = @_;
    my $file = keep('receipt.jws', $token);
    my $said = `$podictl receipt verify $file --jwks $jwks 2>&1`;

    return ($? >> 8, $said);
}


# another receipt, as if PODI had signed it
sub signed
{
    my ($receipt, %claim) = @_;

    return $s->{token_key}->sign({ sub => $ann->{user}, iss => 'x',
                                   aud => 'podi-receipt', receipt => $receipt,
                                   %claim },
                                 { typ => 'podi-receipt+jwt' });
}


is $s->get($path, as => $ann)->code, 'conflict', 'not before the task has ended';

my $jobs = $w->claim_task($task);
$w->settle($jobs->[0], 'succeeded', results => [ $w->result ]);
$w->settle($jobs->[1], 'failed');

is $s->get($path, as => $bob)->code, 'not_found', 'not to another user';
is $s->get('/v1/tasks/x/receipt', as => $ann)->code, 'not_found', 'no id';
is $s->get("/v1/tasks/@{[ $s->db->uuid ]}/receipt", as => $ann)->code,
    'not_found', 'no such task';
is $s->get($path)->status, 401, 'not to a stranger';

my $res = $s->get($path, as => $ann);
is $res->status, 200, 'a receipt';
is $res->header('content-type'), 'application/jose', 'as a JWS';

my ($head, $body, $sign) = split /\./, $res->body;
my $claims = JSON::PP::decode_json(decode_base64url($body));
my $of = $claims->{receipt};
is_deeply [ Podi::OpenAPI->shared->check_schema(
                'Receipt', decode_base64url($body)) ], [],
    'as openapi.yaml says';
is JSON::PP::decode_json(decode_base64url($head))->{typ}, 'podi-receipt+jwt',
    'of its own type';
is $claims->{sub}, $ann->{user}, 'for its user';
is $of->{task}{charged}, 2, 'what was charged';
is_deeply [ map { "$_->{state} $_->{charged}" } @{ $of->{jobs} } ],
    [ 'succeeded 2', 'failed 0' ], 'for which job';
is_deeply [ map { "$_->{type} $_->{amount}" } @{ $of->{entries} } ],
    [ 'freeze 3', 'confirm 2', 'release 1' ], 'the rows of the ledger';
is $of->{entries}[-1]{hash}, $of->{chain}{head}, 'the end of the chain';
is $of->{chain}{head}, $s->sql("select encode(w.head, 'hex') from podi.wallet w"
    . ' where w.user_id = ?', $ann->{user}), 'as the wallet has it';
like $of->{jobs}[0]{results}[0]{sha256}, qr/^[0-9a-f]{64}$/,
    'the digest of the result';

# --- offline

my $jwks = keep('jwks.json', $s->get('/.well-known/jwks.json')->body);
my ($code, $said) = verify($res->body, $jwks);
is $code, 0, 'podictl accepts it';
like $said, qr/^task_id=\Q$task->{task_id}\E$/m, 'and says for what it is';
like $said, qr/^charged=2$/m, 'and what it cost';
like $said, qr/^refunded=0\nentries=3$/m, 'and what came back';
like $said, qr/^entry=4 release 1 \Q$of->{chain}{head}\E$/m, 'row by row';
like $said, qr/^result=\S+ sha256=[0-9a-f]{64}$/m, 'and what was delivered';
is +(verify($res->body . "\n", $jwks))[0], 0, 'a line break behind it is none';

my $other = JSON::PP->new->canonical;
$of->{task}{charged} = 1;
($code, $said) = verify(join('.', $head,
    encode_base64url($other->encode($claims)), $sign), $jwks);
is $code, 1, 'a changed one is refused';
like $said, qr/the signature is wrong/, 'with the reason';

# --- signed, and yet wrong

$of->{task}{charged} = 2;
is +(verify(signed($of), $jwks))[0], 0, 'the key of the tests is PODI\'s';

for my $wrong (
    [ 'not a receipt for a task', sub { delete $_[0]{task} } ],
    [ 'its jobs do not add up', sub { $_[0]{jobs}[1]{charged} = 1 } ],
    [ 'its entries do not add up', sub { $_[0]{entries}[1]{amount} = 1 } ],
    [ 'neither charged nor given back', sub { $_[0]{entries}[2]{amount} = 2 } ],
    [ 'what was refunded', sub { $_[0]{task}{refunded} = 1 } ],
    [ 'what was refunded', sub { push @{ $_[0]{entries} }, { %{ $_[0]{entries}[2] },
        seq => 5, type => 'refund' }; $_[0]{chain}{seq} = 6 } ],
    [ 'not in the order', sub { $_[0]{entries}[0]{seq} = 4 } ],
    [ 'not in the order', sub { $_[0]{chain}{head} = '00' } ],
    [ 'not in the order', sub { $_[0]{chain}{seq} = 2 } ],
    [ 'not in the order', sub { $_[0]{entries}[1]{hash} = undef } ],
    [ 'not in the order', sub { $_[0]{entries}[2]{hash} = undef } ],
    [ 'not in the order', sub { $_[0]{chain}{head} = undef } ],
) {
    my $copy = JSON::PP::decode_json(JSON::PP::encode_json($of));

    $wrong->[1]->($copy);
    ($code, $said) = verify(signed($copy), $jwks);
    is $code, 1, "it adds up: $wrong->[0]";
    like $said, qr/the signature is right, but .*$wrong->[0]/, 'it says so';
}

# --- rows of before there was a chain

my $old = JSON::PP::decode_json(JSON::PP::encode_json($of));
$old->{entries}[$_]{hash} = undef for 0, 1;
($code, $said) = verify(signed($old), $jwks);
is $code, 0, 'rows without a hash, before those that have one';
like $said, qr/^entry=2 freeze 3 not chained\nentry=3 confirm 2 not chained$/m,
    'and it says so';
$old->{entries}[2]{hash} = $old->{chain}{head} = undef;
is +(verify(signed($old), $jwks))[0], 0, 'all are older than the chain';

# --- neither is the other

is +(verify(signed($of, aud => 'podi-api'), $jwks))[0], 1,
    'what is for somebody else is no receipt';
($code, $said) = verify($ann->{token}, $jwks);
is $code, 1, 'an access token is no receipt';
like $said, qr/typ/, 'by its type';

is +(verify('x.y.z', $jwks))[0], 1, 'nor is anything else';
is +(verify($res->body, keep('none.json', '{"keys":[]}')))[0], 1,
    'the key must be among the keys';
is +(verify($res->body, keep('bad.json', '{}x')))[0], 2, 'keys that are none';
is +(verify($res->body, "$dir/nothing"))[0], 2, 'a file that is not there';
is +(verify('x' x 4_194_305, $jwks))[0], 2, 'a file that is too large';

# an access token's place is not a receipt's
is $s->get('/v1/wallet', headers => { Authorization => 'Bearer '
    . $res->body })->status, 401, 'a receipt is no access token';
is $s->get('/v1/wallet', headers => { Authorization => 'Bearer '
    . $s->token($ann, aud => 'podi-receipt') })->status, 401,
    'nor is what is for who reads receipts';

# --- given back later

$s->sql("select refunded from sys.wallet_refund('demo', 'annie', ?, null, null, 1,"
        . " 'broken', 'r-1')", $task->{task_id});
my $later = $s->get($path, as => $ann)->body;
($code, $said) = verify($later, $jwks);
is $code, 0, 'a receipt with a refund';
like $said, qr/^charged=2\nrefunded=1\nentries=4$/m, 'which is told';
like $said, qr/^entry=5 refund 1 [0-9a-f]{64}$/m, 'and a row of it';
is_deeply [ Podi::OpenAPI->shared->check_schema('Receipt',
    decode_base64url((split /\./, $later)[1])) ], [], 'as openapi.yaml says';

$s->done;
done_testing;
