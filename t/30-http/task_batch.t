# POST /v1/tasks/batch: many orders at once, each taken or refused as it would be
# alone.

use strict;
use warnings;
use JSON::PP ();
use Podi::Work;
use Test::More;
use Podi::Stack;

my $s = Podi::Stack->new->start;
my $w = Podi::Work->new($s->db);
my $ann = $s->member('annie', points => 5);
my $bob = $s->member('bobby', points => 5);
my $pic = $w->media($ann);
my $pending = $w->media($ann, state => 'pending');


sub order
{
    my ($action, %more) = @_;

    return $w->order(inputs => [$pic], actions => [$action], %more);
}


sub batch
{
    my ($orders, %option) = @_;

    return $s->post('/v1/tasks/batch', as => $ann, json => { orders => $orders },
                    %option);
}


sub tasks { return $s->sql('select count(*) from podi.task_header') }


# what PostgreSQL was asked so far
sub calls
{
    return $s->get('/metrics')->body =~ /^podi_pg_calls_total (\d+)$/m
        ? $1 : die 'calls are not counted';
}


# the same refusal, but for what differs from request to request
sub same
{
    my ($problem, $single, $what) = @_;
    my @both = map { { %$_ } } $problem, $single->json;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    delete $_->{trace_id} for @both;
    is_deeply $both[0], $both[1], $what;
    return;
}


# --- good ones and bad ones, points for some

my @orders = (order('resize'), order('resize', inputs => [ $s->db->uuid ]),
              order('resize'), order('resize'), order('thumbnail'), 7,
              order('resize', inputs => [$pending]),
              { %{ order('thumbnail') }, colour => 1 });
my $res = batch(\@orders, key => 'b1');
is $res->status, 200, 'the batch is taken';
my $said = $res->json;
my @items = @{ $said->{items} };
is $said->{is_new}, JSON::PP::true(), 'for the first time';
is_deeply [ map { $_->{status} } @items ],
    [ 201, 422, 201, 402, 201, 422, 409, 422 ], 'each by itself, in order';
is_deeply [ map { $_->{task}{price} // $_->{problem}{code} } @items ],
    [ 2, 'bad_field', 2, 'insufficient_points', 1, 'bad_field',
      'media_not_ready', 'bad_field' ], 'as far as the points go';
is_deeply [ map { $_->{status} } grep { $_->{problem} } @items ],
    [ map { $_->{problem}{status} } grep { $_->{problem} } @items ],
    'a refusal has its status twice';
is $s->get('/v1/wallet', as => $ann)->json->{frozen}, 5, 'frozen for those';
is tasks(), 3, 'that were taken';

# --- as if it were alone

my $alone = $s->get("/v1/tasks/$items[0]{task}{task_id}", as => $ann)->json;
is $items[0]{task}{created_at}, $alone->{created_at}, 'the same task';
is_deeply [ map { $_->{job_id} } @{ $items[0]{task}{jobs} } ],
    [ map { $_->{job_id} } @{ $alone->{jobs} } ], 'the same jobs';
same(batch([ $orders[$_] ])->json->{items}[0]{problem},
     $s->post('/v1/tasks', as => $ann, json => $orders[$_]),
     "order $_ is refused as it is alone") for 1, 3, 6, 7;
is $items[5]{problem}{detail}, 'an order is an object', 'and what is no order';
$res = batch([ order('resize') ], headers => { 'Accept-Language' => 'zh' });
is $res->json->{items}[0]{problem}{title}, "\x{4f59}\x{989d}\x{4e0d}\x{8db3}",
    'in the language of who asks';

# --- the same once more

$res = batch(\@orders, key => 'b1');
is $res->json->{is_new}, JSON::PP::false(), 'the same key: nothing anew';
is_deeply [ map { $_->{task}{task_id} // $_->{problem}{code} }
            @{ $res->json->{items} } ],
    [ map { $_->{task}{task_id} // $_->{problem}{code} } @items ],
    'but what was made';
is $res->json->{items}[0]{status}, 200, 'and said so';
is tasks(), 3, 'none twice';
is batch([ $orders[0] ], key => 'b1')->code, 'idempotency_mismatch',
    'another batch with that key is none';

# --- its own picture twice, and a graph

$s->grant($ann, 10);
$res = batch([ order('resize', inputs => [ $pic, $pic ]),
    { jobs => [ { key => 'a', action => 'image.thumbnail',
                  inputs => [ { media => $pic } ] },
                { key => 'b', action => 'image.thumbnail',
                  inputs => [ { job => 'a' } ] } ] },
    order('thumbnail', more => { priority => 'batch' }) ], key => 'b2');
my @twice = @{ $res->json->{items} };
same($twice[0]{problem}, $s->post('/v1/tasks', as => $ann,
        json => order('resize', inputs => [ $pic, $pic ])),
     'a picture that is named twice') if $twice[0]{problem};
is_deeply [ map { $_->{state} } @{ $twice[1]{task}{jobs} } ],
    [qw( queued blocked )], 'a graph';
is $twice[2]{task}{priority}, 'batch', 'a priority';

# --- nothing at all

for my $wrong ([], [ (order('thumbnail')) x 21 ]) {
    $res = batch($wrong);
    is $res->code, 'bad_field', @$wrong . ' orders';
    is $res->json->{field}, 'orders', 'by name';
}
my $calls = calls();
my @codes = map { batch([ (0) x 21 ])->code } 1 .. 40;
cmp_ok calls() - $calls, '<', 40, 'PostgreSQL is not asked about those';
is join(' ', @codes), join(' ', ('bad_field') x 40), '... and each is answered';
my $ask = sub { $s->post('/v1/tasks/batch', as => $ann, @_) };
is $ask->(json => { orders => {} })->json->{field}, 'orders', 'no array';
is $ask->(json => {})->json->{field}, 'orders', 'no orders';
is $ask->(json => { orders => [], more => 1 })->json->{field}, 'more',
    'more than orders';
is $ask->(json => [])->status, 400, 'no object';
is $ask->(body => 'x', headers => { 'Content-Type' => 'text/plain' })->status,
    415, 'no JSON';
is $ask->(json => { orders => [ 'x' x 600_000 ] })->code, 'body_too_large',
    'too much';
is $ask->(json => { orders => [ 1 ] }, key => 'a b')->status, 400, 'no key';
is batch([ order('thumbnail') ], as => undef)->status, 401, 'a stranger';
is batch([ order('thumbnail') ], as => $bob)->json->{items}[0]{problem}{field},
    'inputs[0]', 'another user\'s picture is not there';

$s->done;
done_testing;
