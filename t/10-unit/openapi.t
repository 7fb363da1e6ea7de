# Podi::OpenAPI sees what it promises to see: each line plants one deviation.

use strict;
use warnings;
use JSON::PP;
use Test::More;
use Podi::OpenAPI;

my $api = Podi::OpenAPI->shared;
my $wallet = {
    wallet_id => '0198c5a2-7d10-7c3a-9b1e-2f60c1a4d5e6', available => 5,
    frozen => 0, expiring_soon => 0, expiring_at => undef, seq => 1,
};
my $problem = {
    type => '/errors#not_found', title => 'x', status => 404,
    code => 'not_found', trace_id => 'a' x 32,
};
my %base = (method => 'GET', target => '/v1/wallet?x=1', status => 200,
            type => 'application/json; charset=utf-8');


sub check
{
    my ($body, %more) = @_;

    $body = encode_json($body) if ref $body;
    return join ' ', $api->check(%base, %more, body => $body);
}


is check($wallet), '', 'a right answer';
is check($problem, target => '/v1/nothing', status => 404,
         type => 'application/problem+json'), '', 'a problem for no route';

for my $case (
    [ 'an unknown member',   { %$wallet, more => 1 },      qr/not allowed/ ],
    [ 'a string for a number', { %$wallet, available => '5' }, qr/integer/ ],
    [ 'a fraction of a point', { %$wallet, available => 0.5 }, qr/integer/ ],
    [ 'a null that may not be', { %$wallet, seq => undef }, qr/integer/ ],
    [ 'no UUID',             { %$wallet, wallet_id => 'x' }, qr/uuid/ ],
    [ 'no time',             { %$wallet, expiring_at => 'x' }, qr/date-time/ ],
    [ 'no JSON',             'x',                          qr/not JSON/ ],
) {
    my ($what, $body, $like) = @$case;
    like check($body), $like, "$what is seen";
}

my %less = %$wallet;
delete $less{frozen};
like check(\%less), qr/Missing/, 'a missing member is seen';

like check($wallet, status => 201), qr/does not say 201/,
     'an unknown status is seen';
like check($wallet, type => 'text/html'), qr/is not text/,
     'another content type is seen';
like check($wallet, method => 'DELETE'), qr/no such operation/,
     'an unknown method is seen';
like check($wallet, target => '/v1/purse'), qr/no such path/,
     'an unknown path is seen';
like check({ %$problem, code => 'nonsense' }, status => 404,
           type => 'application/problem+json', target => '/v1/tasks/1'),
     qr/enum/, 'an unknown error code is seen';

is join(' ', $api->open_schemas), '', 'every object schema is closed';

my $open = bless { doc => { paths => {}, components => { schemas => {
    Hole => { type => 'object', properties => {} } } } } }, 'Podi::OpenAPI';
is join(' ', $open->open_schemas), '#/components/schemas/Hole',
   'one that is not is seen';

done_testing;
