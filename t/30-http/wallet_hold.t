# POST /v1/wallet/freeze, /confirm, /release: another server freezes points of a
# user, spends them in parts and gives the rest back; PUT /v1/wallet/alert.
# Several steps on one hold, so the order of the calls matters.

use strict;
use warnings;
use Test::More;
use JSON::PP ();
use Podi::Stack;

my $s = Podi::Stack->new->start;
my $ann = $s->member('annie', points => 100);
my $shop = $s->member('shopserver');
my $admin = $s->member('admin');
$s->sql('update podi.users set role = ? where user_id = ?', @$_)
    for [ service => $shop->{user} ], [ admin => $admin->{user} ];
$shop->{token} = $s->token($shop, rol => 'service');
$admin->{token} = $s->token($admin, rol => 'admin');

my $n = 0;

sub ask
{
    my ($verb, $body, %option) = @_;

    return $s->post("/v1/wallet/$verb", as => $shop, key => 'key-' . ++$n,
                    json => $body, %option);
}


sub refused
{
    my ($res, $status, $code, $field) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is $res->status, $status, "$code: " . ($field // '');
    is $res->code, $code, 'the code';
    is $res->json->{field}, $field, 'the field' if defined $field;
}


my %order = (user_id => $ann->{user}, amount => 40, ref => 'video-1',
             ttl_ms => 60_000, reason => 'a video');

# --- freeze

my $res = ask(freeze => \%order, key => 'f1');
is $res->status, 201, 'points are frozen';
my $hold = $res->json;
is_deeply [ @{$hold}{qw( ref user_id amount captured released available
                         frozen seq )} ],
    [ 'video-1', $ann->{user}, 40, 0, 0, 60, 40, 2 ], 'the hold';
my $again = ask(freeze => \%order, key => 'f1');
is $again->status, 200, 'the same key is no other freeze';
is_deeply { %{ $again->json }, is_new => 1 }, { %$hold, is_new => 1 },
    'and has the same answer';
is $s->get('/v1/wallet', as => $ann)->json->{frozen}, 40, 'frozen once';
refused(ask(freeze => { %order, amount => 41 }, key => 'f1'), 409,
        'idempotency_mismatch');
refused(ask(freeze => \%order), 409, 'conflict', 'ref');
refused(ask(freeze => { %order, ref => 'r2', amount => 61 }), 402,
        'insufficient_points');
is ask(freeze => { %order, ref => 'r2', amount => 61 })->json->{missing}, 1,
    'says how many are missing';

# --- what is wrong with it

refused(ask(freeze => { %order, %{ $_->[1] } }), 422, 'bad_field', $_->[0])
    for [ user_id => { user_id => 'annie' } ], [ amount => { amount => 0 } ],
        [ amount => { amount => -1 } ], [ amount => { amount => '5' } ],
        [ amount => { amount => 1_000_000_000_000_001 } ],
        [ ref => { ref => '' } ], [ ref => { ref => 'x' x 201 } ],
        [ ttl_ms => { ttl_ms => 999 } ], [ ttl_ms => { ttl_ms => 7776000001 } ],
        [ reason => { reason => 'x' x 501 } ], [ price => { price => 1 } ];
for my $field (qw( user_id amount ref ttl_ms )) {
    my %part = %order;
    delete $part{$field};
    refused(ask(freeze => \%part), 422, 'bad_field', $field);
}
refused(ask($_ => { %order }, key => undef), 422, 'bad_field',
        'Idempotency-Key') for qw( freeze confirm release );
refused(ask($_ => { amount => 1 }), 422, 'bad_field', 'hold_id')
    for qw( confirm release );
refused(ask(confirm => { ref => 'video-1', final => 'yes' }), 422,
        'bad_field', 'final');
refused(ask(confirm => { hold_id => 0 }), 422, 'bad_field', 'hold_id');
refused(ask(release => { ref => 'video-1', amount => 0 }), 422, 'bad_field',
        'amount');
refused(ask(release => { ref => 'video-1', final => \1 }), 422, 'bad_field',
        'final');

# --- who may not

for my $verb (qw( freeze confirm release )) {
    my $body = $verb eq 'freeze' ? { %order, ref => 'r9' }
                                 : { ref => 'video-1' };

    refused(ask($verb => $body, as => $ann), 403, 'forbidden');
}
refused(ask(freeze => { %order, ref => 'r3', user_id => $s->db->uuid }), 404,
        'not_found');

# --- confirm, in parts

$res = ask(confirm => { ref => 'video-1', amount => 15 }, key => 'c1');
is_deeply [ $res->status, @{ $res->json }{qw( captured released available
                                              frozen )} ],
    [ 200, 15, 0, 60, 25 ], 'a part is spent';
is ask(confirm => { ref => 'video-1', amount => 15 }, key => 'c1')
    ->json->{captured}, 15, 'once';
$res = ask(confirm => { hold_id => $hold->{hold_id}, amount => 5 });
is $res->json->{captured}, 20, 'another part, by id';
refused(ask(confirm => { ref => 'video-1', amount => 21 }), 409,
        'hold_exhausted');
refused(ask(confirm => { ref => 'video-2' }), 404, 'hold_not_found');
refused(ask(release => { ref => 'video-2' }), 404, 'hold_not_found');

# --- release, in parts; the last confirm gives back the rest

is ask(release => { ref => 'video-1', amount => 4 })->json->{available}, 64,
    'a part comes back';
$res = ask(confirm => { ref => 'video-1', amount => 6, final => \1 },
           as => $admin);
is_deeply [ @{ $res->json }{qw( captured released available frozen )} ],
    [ 26, 14, 74, 0 ], 'an admin may, too: the rest comes back';
refused(ask(release => { ref => 'video-1' }), 409, 'hold_exhausted');

# --- a hold whose time is over pays nothing

is ask(freeze => { %order, ref => 'short', ttl_ms => 1000 })->status, 201,
    'a short hold';
$s->sql("update podi.hold set expires_at = now() - interval '1 s'"
        . " where ref = 'short'");
refused(ask(confirm => { ref => 'short' }), 410, 'hold_expired');

# --- the user sees it all

is_deeply [ map { $_->{type} } @{ $s->get('/v1/wallet/entries?limit=7',
                                          as => $ann)->json->{items} } ],
    [ qw( freeze release confirm release confirm confirm freeze ) ],
    'his ledger';
is $s->get('/v1/wallet/balance?seq=3', as => $ann)->json->{frozen}, 25,
    'his balance after an entry';
is $s->get('/v1/wallet/balance?seq=99', as => $ann)->code, 'not_found',
    'after one that is not there';
refused($s->get("/v1/wallet/balance$_", as => $ann), 422, 'bad_field', 'seq')
    for '', '?seq=-1', '?seq=x';
my $of = $s->get('/v1/wallet/statement', as => $ann)->json;
is $of->{opening_available}, 0, 'his statement begins with nothing';
is_deeply [ @{$of}{qw( closing_available closing_frozen last_seq )} ],
    [ 34, 40, 8 ], 'and ends with what is there';
is_deeply { map { $_->{type} => $_->{amount} } @{ $of->{totals} } },
    { grant => 100, freeze => 80, confirm => 26, release => 14 },
    'with the totals of each type';
refused($s->get('/v1/wallet/statement?from=2026-02-01T00:00:00Z'
                . '&to=2026-01-01T00:00:00Z', as => $ann), 422, 'bad_field',
        'to');
refused($s->get('/v1/wallet/statement?from=now', as => $ann), 422,
        'bad_field', 'from');

# --- the alert

sub alert
{
    return $s->request('PUT', '/v1/wallet/alert', as => $ann, json => $_[0]);
}

is_deeply alert({ threshold => 50 })->json,
    { threshold => 50, own => JSON::PP::true() }, 'an alert of his own';
is alert({ threshold => undef })->json->{own}, JSON::PP::false(),
    'and the one of the plan again';
refused(alert({ threshold => $_ }), 422, 'bad_field', 'threshold')
    for -1, 1_000_000_000_000_001, 'x';
refused(alert({ below => 1 }), 422, 'bad_field', 'below');

$s->done;
done_testing;
