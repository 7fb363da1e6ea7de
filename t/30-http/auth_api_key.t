# API keys: made once, never seen again, used by programs, taken back.

use strict;
use warnings;
use Podi::Issuer;
use Podi::Proc qw( poll );
use Test::More;
use Podi::Stack;

my $is = Podi::Issuer->new(iss => 'https://one.example', aud => 'a');
my $set = $is->jwks_file('ES256');
my $s = Podi::Stack->new(http => <<"HTTP", server => <<'SERVER')->start;
podi_issuer one { issuer https://one.example; audience a; jwks_file $set; }
podi_revocation_stale 2s;
HTTP
location = /app {
    podi_auth on;
    add_header X-Who "$podi_user $podi_role $podi_credential [$podi_scope]" always;
    empty_gif;
}
location = /scoped { podi_auth on; podi_require scope=media.write; empty_gif; }
location = /claims { podi_auth on; podi_require claim aal ge 1; empty_gif; }
location = /none   { podi_auth on; podi_auth_source header cookie; empty_gif; }
location = /cookie {
    podi_auth on;
    podi_csrf log;
    add_header X-Who $podi_credential always;
    empty_gif;
}
location = /maybe  {
    podi_auth optional;
    add_header X-Who "[$podi_user]" always;
    empty_gif;
}
location /csrf/v1/ {
    podi_auth on;
    podi_csrf log;
    rewrite ^/csrf(/.*) $1 break;
    podi_account;
}
location = /other  { podi_auth on; podi_auth_issuer one; empty_gif; }
location /foreign/v1/ {
    podi_auth on;
    podi_auth_issuer podi one;
    rewrite ^/foreign(/.*) $1 break;
    podi_account;
    podi_wallet;
}
SERVER

my $ann = $s->member('annie');
my $boss = $s->member('boss1', claims => { rol => 'admin' });
$s->sql("update podi.users set role = 'admin' where user_id = ?",
        $boss->{user_id});


sub make
{
    my ($who, %ask) = @_;

    return $s->post('/v1/me/api-keys', json => \%ask, as => $who);
}


sub with
{
    my ($path, $key, $header) = @_;

    return $s->get($path, headers => { $header // 'X-Api-Key' => $key });
}


# --- made

my $made = make($ann, name => 'import', scopes => ['media.write', 'a'],
                days => 7);
my $key = $made->json->{key};
is $made->status, 201, 'a key is made';
like $key, qr/^podi_[0-9a-f]{64}_[0-9a-f]{40}$/, 'and shown';
is_deeply [ @{ $made->json }{qw( name role scopes used_at revoked_at )} ],
    [ 'import', 'user', ['a', 'media.write'], undef, undef ],
    'with the least role, and what was asked for';
is scalar $s->sql('select count(*) from podi.api_key where secret_hash::text'
               . ' like ?', '%' . substr($key, -20) . '%'), 0,
    'the secret is not kept';

my $list = $s->get('/v1/me/api-keys', as => $ann);
is_deeply [ map { $_->{key_id} } @{ $list->json->{items} } ],
    [ $made->json->{key_id} ], 'it is listed';
unlike $list->body, qr/podi_/, 'without its secret';
is_deeply $s->get('/v1/me/api-keys', as => $boss)->json->{items}, [],
    'to nobody else';

# --- used

my $who = "$ann->{user_id} user api_key [a media.write]";
is with('/app', $key)->header('X-Who'), $who, 'it opens a door';
is with('/app', "Bearer $key", 'Authorization')->header('X-Who'), $who,
    'as a bearer token, too';
is with('/app', $key)->header('X-Who'), $who, 'and again';
is with('/v1/wallet', $key)->status, 200, 'it speaks for its user';
is with('/v1/me', $key)->json->{identity_source}, 'api_key', 'and says how';
is with('/scoped', $key)->status, 200, 'a scope that it has';
is with('/scoped', make($ann, name => 'x')->json->{key})->status, 403,
    'and one that it has not';
is with('/claims', $key)->status, 403, 'it has no claims';
is with('/none', $key)->status, 401, 'where keys are not taken';
is with('/none', "Bearer $key", 'Authorization')->code, 'token_invalid',
    'in no form';
is with('/other', $key)->status, 401, 'nor where ours are nobody';

my $items = $s->get('/v1/me/api-keys', as => $ann)->json->{items};
my ($seen) = grep { $_->{name} eq 'import' } @$items;
ok $seen->{used_at}, 'its use is noted';

# --- wrong

my %wrong = (
    secret  => substr($key, 0, -4) . '0000',
    id      => $key =~ s/^podi_.{32}\K.{8}/00000000/r,
    tenant  => $key =~ s/^podi_\K.{32}/'0' x 32/er,
    short   => substr($key, 0, -1),
    upper   => uc($key) =~ s/^PODI/podi/r,
    form    => 'podi_x', other => 'x' x 110,
);
for my $name (sort keys %wrong) {
    is with('/app', $wrong{$name})->code, 'token_invalid', "wrong: $name";
}

# --- what a key may not

is $s->post('/v1/me/api-keys', json => { name => 'y' },
            headers => { 'X-Api-Key' => $key })->code, 'forbidden',
    'a key makes no keys';
is with('/v1/me/api-keys', $key)->code, 'forbidden', 'and sees none';

is make($ann, name => 'x', role => 'admin')->code, 'forbidden',
    'no more than its owner';
is make($ann, name => 'x', role => 'root')->json->{field}, 'role',
    'no role that is none';
is make($ann, name => '')->json->{field}, 'name', 'no name';
is make($ann, name => 'x', scopes => ['a b'])->json->{field}, 'scopes',
    'no scope of two words';
is make($ann, name => 'x', days => 367)->json->{field}, 'days', 'no eternity';

# --- a key in a cookie, while the cache knows it

is with('/app', $key)->status, 200, 'it is known';
my @jar = (Cookie => "__Host-podi_s=$key");
for my $path (qw( /app /none /cookie /v1/me/api-keys )) {
    my $said = $s->get($path, headers => { @jar });
    is $said->code, 'token_invalid', "no session in a cookie: $path";
}
is $s->get('/maybe', headers => { @jar })->header('X-Who'), '[]',
    'nobody, where one may be nobody';
is $s->post('/csrf/v1/me/api-keys', json => { name => 'y' },
            headers => { @jar })->code, 'token_invalid',
    'nor one that makes keys';
is $s->get('/app', headers => { @jar, 'X-Api-Key' => $key })->header('X-Who'),
    $who, 'beside the key itself it says nothing';
is with('/app', $key)->header('X-Who'), $who, 'which is good, as before';

my $admin = make($boss, name => 'x', role => 'admin')->json->{key};
is with('/app', $admin)->header('X-Who'),
    "$boss->{user_id} admin api_key []", 'an admin may give his own role';

# --- taken back

my $id = $made->json->{key_id};
is $s->delete("/v1/me/api-keys/$id", as => $boss)->status, 404,
    'by nobody else';
is with('/app', $key)->status, 200, 'so it lives';
my $end = $s->delete("/v1/me/api-keys/$id", as => $ann);
is $end->status, 200, 'by its owner';
ok $end->json->{revoked_at}, 'it has ended';
is with('/app', $key)->code, 'token_revoked', 'at once';
is $s->delete("/v1/me/api-keys/$id", as => $ann)->json->{revoked_at},
    $end->json->{revoked_at}, 'again changes nothing';
is with('/app', "Bearer $key", 'Authorization')->status, 401, 'for ever';

# --- somebody of another issuer, on our routes

my $token = $is->token('ES256', sub => $ann->{user_id}, tid => $s->{tenant_id},
                       sid => $ann->{session}, rol => 'admin');
my %foreign = (headers => { Authorization => "Bearer $token" });
is $s->get('/other', %foreign)->status, 200, 'another issuer is believed';
is $s->get('/foreign/v1/wallet', %foreign)->code, 'forbidden',
    'but his people have no wallet, whatever they are called';
is $s->get('/foreign/v1/auth/methods', %foreign)->status, 200,
    'what needs nobody is open to them';
is $s->get('/foreign/v1/wallet', as => $ann)->status, 200,
    'and ours have one';

# --- no tenant answers, and what is revoked of others is heard all the same

$s->sql("update podi.tenant set state = 'disabled'");
is $s->get('/other', %foreign)->status, 200, 'he needs none';
$s->sql("select kind from sys.revoke('user', 'one', ?, null, 3600, 'a test')",
        $ann->{user_id});
ok poll(10, sub { ($s->get('/other', %foreign)->code // '')
                  eq 'token_revoked' }), 'he is out';
$s->sql("update podi.tenant set state = 'active'");

$s->done;
done_testing;
