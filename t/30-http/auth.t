# Who is asking: tokens that are right, and every way to be wrong.

use Test::Nginx::Socket 'no_plan';
use Podi::Suite;
use Podi::Token;
use JSON::PP qw( decode_json );
use MIME::Base64 qw( decode_base64url encode_base64url );

our $Http = Podi::Suite::http();
our $Server = <<'EOS';
    podi_tenant demo;
    location /v1/ { podi_auth on; podi_account; podi_wallet; }
    location = /.well-known/jwks.json { podi_jwks; }

    location /inside {
        podi_auth on;
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;
        proxy_set_header X-Podi-User $podi_user;
    }

    location /either {
        satisfy any;
        deny all;
        podi_auth on;
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;
    }

    location /anybody {
        satisfy any;
        allow all;
        podi_auth on;
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;
    }
EOS
our $Upstream = <<'EOS';
server {
    listen unix:$TEST_NGINX_HTML_DIR/up.sock;
    location / { return 200 "user=$http_x_podi_user"; }
}
EOS

our $Ann = Podi::Suite::member('annie');
our $Bob = Podi::Suite::member('bobby');


# tokens that must be refused; the suite's stack is not kept beyond this
sub bad
{
    my $stack = Podi::Suite::stack();
    my $own = $stack->{token_key};
    my $other = Podi::Token->new("$stack->{dir}/keys/other.key");
    my (undef, $text) = split /\./, $Ann->{token};
    my $claims = decode_json(decode_base64url($text));

    return (
        key     => $other->sign($claims),
        kid     => $other->sign($claims, { kid => $own->kid }),
        typ     => $own->sign($claims, { typ => 'JWT' }),
        none    => encode_base64url('{"alg":"none","typ":"at+jwt"}')
                   . '.' . $text . '.',
        iss     => $stack->token($Ann, iss => 'https://evil.example'),
        aud     => $stack->token($Ann, aud => 'https://evil.example'),
        expired => $stack->token($Ann, iat => time - 400, exp => time - 1),
        eternal => $stack->token($Ann, exp => time + 86400),
        cut     => substr($Ann->{token}, 0, -1),
        sid     => $stack->token($Ann, sid => 'no-uuid'),
        gone    => $stack->token($Ann, sid => $stack->{db}->uuid),
    );
}


our %Bad = bad();

# before nginx is there: its table of ended sessions is empty at first
Podi::Suite::stack()->sql(<<'SQL', $Bob->{session});
update podi.session set revoked_at = now(), revoke_reason = 'logout'
 where session_id = ?
SQL

log_level('info');
no_shuffle();
run_tests();

__DATA__

=== TEST 1: who does not say who he is, is asked
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Server
--- request
GET /v1/wallet
--- error_code: 401
--- response_headers
WWW-Authenticate: Bearer realm="podi"
Content-Type: application/problem+json
--- response_body_like: "code":"unauthenticated"


=== TEST 2: a good token lets in
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Server
--- more_headers eval: "Authorization: Bearer $::Ann->{token}"
--- request
GET /v1/wallet
--- response_body_like: "available":0


=== TEST 3: so does the cookie, for reading
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Server
--- more_headers eval: "Cookie: a=b; __Host-podi_s=$::Ann->{token}"
--- request
GET /v1/wallet
--- response_body_like: "available":0


=== TEST 4: but not for writing
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Server
--- more_headers eval: "Cookie: __Host-podi_s=$::Ann->{token}"
--- request
POST /v1/auth/logout
--- error_code: 401
--- response_body_like: "code":"unauthenticated"


=== TEST 5: the cookie twice is refused
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Server
--- more_headers eval: "Cookie: __Host-podi_s=$::Ann->{token}; __Host-podi_s=x"
--- request
GET /v1/wallet
--- error_code: 400
--- response_body_like: "code":"bad_request"


=== TEST 6: another scheme is no token
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Server
--- more_headers
Authorization: Basic YTpi
--- request
GET /v1/wallet
--- error_code: 401
--- response_body_like: "code":"unauthenticated"


=== TEST 7: an expired token says so
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Server
--- more_headers eval: "Authorization: Bearer $::Bad{expired}"
--- request
GET /v1/wallet
--- error_code: 401
--- response_headers_like
WWW-Authenticate: Bearer realm="podi", error="invalid_token", .*expired.*
--- response_body_like: "code":"token_expired"


=== TEST 8: forged, foreign and odd tokens are invalid
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /v1/wallet') x 9 ]
--- more_headers eval
[ map { "Authorization: Bearer $::Bad{$_}" }
    qw( key kid typ none iss aud eternal cut sid ) ]
--- error_code eval: [ (401) x 9 ]
--- response_body_like eval: [ ('"code":"token_invalid"') x 9 ]


=== TEST 9: a session that never was has ended
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Server
--- more_headers eval: "Authorization: Bearer $::Bad{gone}"
--- request
GET /v1/me
--- error_code: 401
--- response_body_like: "code":"token_revoked"


=== TEST 10: a session that ended elsewhere is refused by a fresh nginx
--- http_config eval: $::Http . $::Upstream . "# fresh\n"
--- config eval: $::Server
--- more_headers eval: "Authorization: Bearer $::Bob->{token}"
--- request
GET /v1/wallet
--- error_code: 401
--- response_body_like: "code":"token_revoked"


=== TEST 11: signing in needs no token, and a bad one does no harm
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Server
--- more_headers eval: "Authorization: Bearer $::Bad{expired}"
--- request
GET /v1/auth/methods
--- response_body_like: "method":"local"


=== TEST 12: in front of an upstream, which is told who it is
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Server
--- more_headers eval: "Authorization: Bearer $::Ann->{token}"
--- request
GET /inside
--- response_body eval: "user=$::Ann->{user_id}"


=== TEST 13: and which nobody else reaches
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Server
--- request
GET /inside
--- error_code: 401


=== TEST 14: with satisfy any a token is enough
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Server
--- more_headers eval: "Authorization: Bearer $::Ann->{token}"
--- request
GET /either
--- response_body: user=


=== TEST 15: and without one somebody else may let in, who takes the challenge back
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Server
--- request
GET /anybody
--- response_headers
! WWW-Authenticate
--- response_body: user=


=== TEST 16: with neither it is refused
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Server
--- request
GET /either
--- error_code_like: ^40[13]$


=== TEST 17: the public keys
--- http_config eval: $::Http . $::Upstream
--- config eval: $::Server
--- request
GET /.well-known/jwks.json
--- response_headers
Content-Type: application/jwk-set+json
Cache-Control: public, max-age=300
--- response_body_like: ^\{"keys":\[\{(?!.*"d":).*"alg":"ES256"
