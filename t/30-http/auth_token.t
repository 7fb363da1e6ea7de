# Who is asking: tokens that are none, by every way of being none.  Each is
# told 401 with what RFC 6750 wants; a good one passes beside them.

use Test::Nginx::Socket 'no_plan';
use Digest::SHA qw( hmac_sha256 );
use JSON::PP ();
use MIME::Base64 qw( encode_base64url decode_base64url );
use Podi::Suite;
use Podi::Token;

our $Http = Podi::Suite::http(add => "podi_token_lifetime 10m;\n");
our $Config = <<'CONF';
    podi_tenant demo;
    podi_trace on;
    location /v1/wallet { podi_auth on; podi_wallet; }
    location /v1/auth/ { podi_auth on; podi_account; }
CONF

my $s = Podi::Suite::stack();
my $ann = Podi::Suite::member('ann', points => 10);
my $mine = $s->{token_key};
my $stranger = Podi::Token->new($s->dir . '/keys/stranger.key');
my $json = JSON::PP->new->utf8->canonical;
my ($head, $body, $mac) = split /\./, $ann->{token};
my $claims = $json->decode(decode_base64url($body));


sub forge
{
    my ($header, $signature) = @_;
    my $text = encode_base64url($json->encode($header)) . ".$body";

    return "$text." . encode_base64url($signature->($text));
}


# the public key as somebody may think that it is a secret
my $pem = $mine->_openssl('pkey', '-in', "$mine->{file}", '-pubout');

our %T = (
    good     => $ann->{token},
    expired  => $s->token($ann, iat => time - 700, exp => time - 100),
    future   => $s->token($ann, iat => time + 600, exp => time + 900),
    aud      => $s->token($ann, aud => 'https://elsewhere.example'),
    iss      => $s->token($ann, iss => 'https://elsewhere.example'),
    no_sub   => $s->token($ann, sub => undef),
    no_exp   => $s->token($ann, exp => undef),
    no_sid   => $s->token($ann, sid => undef),
    bad_tid  => $s->token($ann, tid => 'demo'),
    gateway  => $s->token($ann, rol => 'gateway'),
    typ      => $mine->sign($claims, { typ => 'JWT' }),
    crit     => $mine->sign($claims, { crit => ['x'], x => 1 }),
    jwk      => $stranger->sign($claims, { kid => $mine->kid,
                                           jwk => $stranger->jwk }),
    other    => $stranger->sign($claims),
    stolen   => $stranger->sign($claims, { kid => $mine->kid }),
    none     => forge({ alg => 'none', typ => 'at+jwt', kid => $mine->kid },
                      sub { '' }),
    hs256    => forge({ alg => 'HS256', typ => 'at+jwt', kid => $mine->kid },
                      sub { hmac_sha256($_[0], $pem) }),
    tampered => join('.', $head, encode_base64url($json->encode(
                      { %$claims, sub => $s->db->uuid })), $mac),
    cut      => substr($ann->{token}, 0, -10),
    zeros    => "$head.$body." . encode_base64url("\0" x 64),
    two      => "$head.$body",
    four     => "$ann->{token}.x",
    padded   => "$head.$body.$mac==",
    long     => 'x' x 5000,
    bob      => Podi::Suite::member('bobby')->{token},
);

add_block_preprocessor(sub {
    my ($block) = @_;
    my ($name) = $block->name =~ /\((\w+)\)$/;

    $block->set_value(http_config => $::Http);
    $block->set_value(config => $::Config);
    $block->set_value(request => 'GET /v1/wallet')
        if !defined $block->request;
    $block->set_value(more_headers => "Authorization: Bearer $::T{$name}")
        if $name;
    return if defined $block->error_code || $block->name =~ /welcome/;
    $block->set_value(error_code => 401);
    $block->set_value(response_headers => 'WWW-Authenticate: Bearer'
        . ' realm="podi", error="invalid_token",'
        . ' error_description="The token is not valid"');
    $block->set_value(response_body_like => '"code":"token_invalid"');
});

run_tests();

__DATA__

=== TEST 1: a good token is welcome (good)
--- response_body_like: "available":10


=== TEST 2: the scheme in another case is welcome
--- more_headers eval: "authorization: bEARER $::T{good}"
--- response_body_like: "available":10


=== TEST 3: the cookie is welcome where nothing changes
--- more_headers eval: "Cookie: a=b; __Host-podi_s=$::T{good}; c=d"
--- response_body_like: "available":10


=== TEST 4: the cookie changes nothing
--- request
POST /v1/auth/logout
--- more_headers eval: "Cookie: __Host-podi_s=$::T{good}"
--- error_code: 401
--- response_headers
WWW-Authenticate: Bearer realm="podi"
--- response_body_like: "code":"unauthenticated"


=== TEST 5: the cookie twice
--- more_headers eval: "Cookie: __Host-podi_s=$::T{good}; __Host-podi_s=$::T{bob}"
--- error_code: 400
--- response_body_like: "code":"bad_request"


=== TEST 6: two tokens: nginx itself says no
--- more_headers eval: "Authorization: Bearer $::T{good}\nAuthorization: Bearer $::T{bob}"
--- error_code: 400
--- response_body_unlike: available


=== TEST 7: the header comes before the cookie
--- more_headers eval: "Authorization: Bearer $::T{none}\nCookie: __Host-podi_s=$::T{good}"
--- error_code: 401
--- response_body_like: "code":"token_invalid"


=== TEST 8: no token: asked, without an error code
--- error_code: 401
--- response_headers
WWW-Authenticate: Bearer realm="podi"
--- response_body_like: "code":"unauthenticated"


=== TEST 9: an empty token
--- more_headers
Authorization: Bearer
--- error_code: 401
--- response_headers
WWW-Authenticate: Bearer realm="podi"
--- response_body_like: "code":"unauthenticated"


=== TEST 10: another scheme
--- more_headers
Authorization: Basic YW5uOnNlY3JldA==
--- error_code: 401
--- response_headers
WWW-Authenticate: Bearer realm="podi"
--- response_body_like: "code":"unauthenticated"


=== TEST 11: expired (expired)
--- error_code: 401
--- response_headers
WWW-Authenticate: Bearer realm="podi", error="invalid_token", error_description="The token has expired"
--- response_body_like: "code":"token_expired"


=== TEST 12: from the future (future)


=== TEST 13: for another audience (aud)


=== TEST 14: of another issuer (iss)


=== TEST 15: of nobody (no_sub)


=== TEST 16: for ever (no_exp)


=== TEST 17: of no session (no_sid)


=== TEST 18: of a tenant that is no id (bad_tid)


=== TEST 19: with a role that tokens never carry: as if there were none (gateway)
--- error_code: 401
--- response_body_like: "code":"unauthenticated"


=== TEST 20: of another kind (typ)


=== TEST 21: with an extension that must be understood (crit)


=== TEST 22: that brings its own key (jwk)


=== TEST 23: signed by another key (other)


=== TEST 24: signed by another key under our key's name (stolen)


=== TEST 25: alg none (none)


=== TEST 26: HS256 with the public key as secret (hs256)


=== TEST 27: with another's name put in (tampered)


=== TEST 28: with a signature that is cut (cut)


=== TEST 29: with a signature of zeros (zeros)


=== TEST 30: of two parts (two)


=== TEST 31: of four parts (four)


=== TEST 32: with padding (padded)


=== TEST 33: much too long (long)
