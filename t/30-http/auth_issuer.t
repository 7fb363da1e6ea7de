# Tokens of other issuers, in front of an upstream: every algorithm, and every
# way in which a token is none of theirs.  There is no PostgreSQL here.

use Test::Nginx::Socket 'no_plan';
use Podi::Issuer;

$ENV{TEST_NGINX_HTML_DIR} ||= html_dir();

our @Algs = (map({ ("RS$_", "PS$_", "ES$_") } 256, 384, 512), 'EdDSA');
our %Site = (aud => 'https://our.site');
our $One = Podi::Issuer->new(iss => 'https://one.example', %Site);
our $Two = Podi::Issuer->new(iss => 'https://two.example', %Site);
our $Hs = Podi::Issuer->new(iss => 'https://hs.example', %Site);

# both have a key "same"; the secrets of $Hs stand in a set of their own
our %Set = (
    one => $One->jwks_file(@Algs, $One->jwk('ES256', kid => 'same')),
    two => $Two->jwks_file('ES256', $Two->jwk('ES256', kid => 'same')),
    hs  => $Hs->jwks_file(map { "HS$_" } 256, 384, 512),
);

our $Http = <<"EOS";
podi_issuer one {
    issuer       https://one.example;
    audience     https://other.site https://our.site;
    jwks_file    $Set{one};
    leeway       20s;
    max_lifetime 1h;
    token_size   4k;
    map          role=realm_access.roles user=sub;
}
podi_issuer two {
    issuer        https://two.example;
    audience      https://our.site;
    jwks_file     $Set{two};
    typ           at+jwt;
    require_claim aal ge 2;
    require_claim amr in otp hwk;
}
podi_issuer hs {
    issuer     https://hs.example;
    audience   https://our.site;
    jwks_file  $Set{hs};
    algorithms HS256 HS384 HS512;
}
server {
    listen unix:\$TEST_NGINX_HTML_DIR/up.sock;
    location / { return 200 "[\$http_x_podi_user|\$http_x_podi_role|\$http_x_podi_issuer|\$http_x_podi_claim]"; }
}
EOS

our $Server = <<'EOS';
    proxy_set_header X-Podi-User $podi_user;
    proxy_set_header X-Podi-Role $podi_role;
    proxy_set_header X-Podi-Issuer $podi_issuer;
    proxy_set_header X-Podi-Claim $podi_claim_team;
    podi_auth on;

    location /one { podi_auth_issuer one; proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock; }
    location /two { podi_auth_issuer two; proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock; }
    location /all { podi_auth_issuer one two hs; proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock; }
    location /off { podi_auth off; return 200 "off"; }

    location /moved { podi_auth_source cookie=s; try_files /none @two; }
    location /dry   { podi_auth_source cookie=s; try_files /none @dry; }
    location @two {
        podi_auth optional; podi_auth_issuer two; podi_auth_source cookie=s;
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;
    }
    location @dry {
        podi_dry_run on; podi_auth on; podi_auth_issuer two;
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;
    }
EOS
# the server level asks for nobody itself
$Server =~ s/podi_auth on;/podi_auth on; podi_auth_issuer one;/;

# a server with one issuer whose block has these lines
our $Block = sub {
    my ($lines) = @_;
    return "podi_issuer x {\n$lines\n}\n";
};
our $Whole = "issuer https://x.example; audience a; ";

our %Two = (aal => 2, amr => ['pwd', 'otp']);
our $now = time;

our %Bad = (
    iss      => $Hs->token('HS256'),
    iss_none => $One->token('ES256', iss => undef),
    iss_list => $One->token('ES256', iss => ['https://one.example']),
    aud      => $One->token('ES256', aud => 'https://our.site.evil'),
    aud_none => $One->token('ES256', aud => undef),
    typ      => $One->token('ES256', { typ => 'logout+jwt' }),
    nbf      => $One->token('ES256', nbf => $now + 120),
    iat      => $One->token('ES256', iat => $now + 120, exp => $now + 300),
    exp_none => $One->token('ES256', exp => undef),
    exp_text => $One->token('ES256', exp => 'never'),
    long     => $One->token('ES256', exp => $now + 7200),
    kid      => $One->token('ES256', { kid => 'nobody' }),
    kid_none => $One->token('ES256', { kid => undef }),
    none     => $One->token('HS256', { alg => 'none', kid => 'ES256' }),
    confused => $One->token('HS256', { kid => 'RS256' }),
    alg      => $One->token('RS512', { alg => 'RS256', kid => 'RS256' }),
    swapped  => $One->token('PS256', { kid => 'RS256' }),
    stolen   => $Two->token('ES256', { kid => 'same' }, %Two,
                            iss => 'https://one.example'),
    sub      => $One->token('ES256', sub => undef),
    sub_line => $One->token('ES256', sub => "ann\r\nX-Podi-Role: admin"),
    sub_nul  => $One->token('ES256', sub => "ann\0"),
    big      => $One->token('ES256', junk => 'x' x 4096),
    deep     => $One->token('ES256', junk => eval '[' x 50 . ']' x 50),
    dots     => 'a.b.c', four => $One->token('ES256') . '.x', empty => '..',
    cut      => substr($One->token('ES256'), 0, -1),
);
our @Bad = sort keys %Bad;

log_level('info');
no_shuffle();
run_tests();

__DATA__

=== TEST 1: each algorithm lets in
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ map { "GET /one?$_" } @::Algs ]
--- more_headers eval
[ map { 'Authorization: Bearer ' . $::One->token($_, sub => "by-$_") } @::Algs ]
--- response_body eval
[ map { "[by-$_||one|]" } @::Algs ]


=== TEST 2: so do secrets, from a file that only they are in
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /all') x 3 ]
--- more_headers eval
[ map { 'Authorization: Bearer ' . $::Hs->token("HS$_", sub => "hs$_") }
  256, 384, 512 ]
--- response_body eval
[ map { "[hs$_||hs|]" } 256, 384, 512 ]


=== TEST 3: what is wrong is refused
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ map { "GET /one?$_" } @::Bad ]
--- more_headers eval: [ map { "Authorization: Bearer $::Bad{$_}" } @::Bad ]
--- error_code eval: [ map { 401 } @::Bad ]
--- response_body_like eval: [ map { '"code":"token_invalid"' } @::Bad ]


=== TEST 4: also the second time, when nothing of it may be remembered
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ map { "GET /one?$_" } @::Bad ]
--- more_headers eval: [ map { "Authorization: Bearer $::Bad{$_}" } @::Bad ]
--- error_code eval: [ map { 401 } @::Bad ]


=== TEST 5: exp is exact, nbf has a leeway
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ 'GET /one?expired', 'GET /one?soon', 'GET /one?typ', 'GET /one?aud' ]
--- more_headers eval
[ map { 'Authorization: Bearer ' . $_ }
  $::One->token('ES256', exp => time - 1),
  $::One->token('ES256', nbf => time + 15),
  $::One->token('ES256', { typ => undef }),
  $::One->token('ES256', aud => ['x', 'https://our.site']) ]
--- error_code eval: [ 401, 200, 200, 200 ]
--- response_body_like eval
[ '"code":"token_expired"', 'ann', 'ann', 'ann' ]


=== TEST 6: a token goes to the issuer that its iss names, and to no other
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /all') x 3, 'GET /one', 'GET /two' ]
--- more_headers eval
[ map { 'Authorization: Bearer ' . $_ }
  $::One->token('ES256', { kid => 'same' }, sub => 'one'),
  $::Two->token('ES256', { kid => 'same' }, sub => 'two', %::Two),
  $::Bad{stolen},
  $::Two->token('ES256', %::Two), $::One->token('ES256', %::Two) ]
--- error_code eval: [ 200, 200, 401, 401, 401 ]
--- response_body_like eval
[ '^\[one\|\|one\|\]$', '^\[two\|\|two\|\]$', ('"code":"token_invalid"') x 3 ]


=== TEST 7: require_claim, each of them; a type; roles from where the map says
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /two') x 4, 'GET /one', 'GET /one' ]
--- more_headers eval
[ map { 'Authorization: Bearer ' . $_ }
  $::Two->token('ES256', %::Two, aal => 1),
  $::Two->token('ES256', %::Two, amr => ['pwd']),
  $::Two->token('ES256', { typ => 'JWT' }, %::Two),
  $::Two->token('ES256', %::Two),
  $::One->token('ES256', realm_access => { roles => ['a', 'b c', 'd'] }),
  $::One->token('ES256', sub => 42, realm_access => 'none') ]
--- error_code eval: [ 401, 401, 401, 200, 200, 200 ]
--- response_body_like eval
[ ('"code":"token_invalid"') x 3, '^\[ann\|\|two\|\]$', '^\[ann\|a d\|one\|\]$',
  '^\[42\|\|one\|\]$' ]


=== TEST 8: a claim as a variable: text, number, list; never what breaks a line
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /one') x 6 ]
--- more_headers eval
[ map { 'Authorization: Bearer ' . $::One->token('ES256', @$_) }
  [team => 'blue "x"'], [team => 7], [Team => ['a', { b => JSON::PP::true }]],
  [team => "a\r\nX-Podi-User: admin"], [team => undef], [team => "a\tb"] ]
--- response_body eval
[ '[ann||one|blue "x"]', '[ann||one|7]', '[ann||one|["a",{"b":true}]]',
  ('[ann||one|]') x 3 ]


=== TEST 9: two with different issuers at once do not cross
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ map { 'GET /all' } 1 .. 20 ]
--- more_headers eval
[ map { 'Authorization: Bearer ' . ($_ % 2
        ? $::One->token('ES256', { kid => 'same' }, sub => "n$_")
        : $::Two->token('ES256', { kid => 'same' }, sub => "n$_", %::Two)) }
  1 .. 20 ]
--- response_body eval
[ map { "[n$_||" . ($_ % 2 ? 'one' : 'two') . '|]' } 1 .. 20 ]


=== TEST 10: off is off
--- http_config eval: $::Http
--- config eval: $::Server
--- request
GET /off
--- response_body: off


=== TEST 11: keys one by one: PEM, and a secret
--- http_config eval
$::Block->($::Whole . 'key_file ' . $::One->pem('RS256') . ' alg=RS256 kid=r; '
           . 'key_file ' . $::One->secret('HS256') . ' alg=HS256 kid=h; '
           . 'algorithms RS256 HS256;')
--- config
    location /x { podi_auth on; podi_auth_issuer x; empty_gif; }
--- pipelined_requests eval: [ ('GET /x') x 4 ]
--- more_headers eval
[ map { 'Authorization: Bearer ' . $::One->token(@$_, iss => 'https://x.example', aud => 'a') }
  ['RS256', { kid => 'r' }], ['HS256', { kid => 'h' }],
  ['HS256', { kid => 'r' }], ['RS256', { kid => 'h' }] ]
--- error_code eval: [ 200, 200, 401, 401 ]


=== TEST 12: an issuer without iss
--- http_config eval: $::Block->("audience a; jwks_file $::Set{one};")
--- config
--- must_die
--- error_log
podi_issuer x has no "issuer"


=== TEST 13: without an audience
--- http_config eval: $::Block->("issuer a; jwks_file $::Set{one};")
--- config
--- must_die
--- error_log
podi_issuer x has no "audience"


=== TEST 14: without keys
--- http_config eval: $::Block->($::Whole)
--- config
--- must_die
--- error_log
needs its keys from one place


=== TEST 15: with keys from two places
--- http_config eval: $::Block->("$::Whole jwks_file a; key_file b;")
--- config
--- must_die
--- error_log
needs its keys from one place


=== TEST 16: keys over http
--- http_config eval: $::Block->("$::Whole jwks_url http://x.example/jwks;")
--- config
--- must_die
--- error_log
anybody on the way could choose the keys


=== TEST 17: secrets over the network
--- http_config eval: $::Block->("$::Whole algorithms HS256; jwks_url https://x.example/jwks;")
--- config
--- must_die
--- error_log
must not take secrets over the network


=== TEST 18: an algorithm that is none
--- http_config eval: $::Block->("$::Whole algorithms none;")
--- config
--- must_die
--- error_log
there is no algorithm "none"


=== TEST 19: a set that has no key of the allowed algorithms
--- http_config eval: $::Block->("$::Whole algorithms ES384; jwks_file $::Set{two};")
--- config
--- must_die
--- error_log
has no key that can be used


=== TEST 20: a secret that others may read
--- http_config eval
my $file = $::Two->secret('HS256');
chmod 0644, $file;
$::Block->("$::Whole algorithms HS256; key_file $file;")
--- config
--- must_die
--- error_log
cannot be used


=== TEST 21: no such line
--- http_config eval: $::Block->("$::Whole key /x;")
--- config
--- must_die
--- error_log
there is no "key" in a podi_issuer


=== TEST 22: a rule that is none
--- http_config eval: $::Block->("$::Whole require_claim a like b;")
--- config
--- must_die
--- error_log
there is no operator "like"


=== TEST 23: a map of what there is not
--- http_config eval: $::Block->("$::Whole map age=x;")
--- config
--- must_die
--- error_log
"map" does not take "age=x"


=== TEST 24: our own name
--- http_config
podi_issuer podi { }
--- config
--- must_die
--- error_log
"podi" are PODI's own tokens


=== TEST 25: the same name twice
--- http_config eval: $::Http . $::Http
--- config
--- must_die
--- error_log
there is a "podi_issuer one" already


=== TEST 26: nobody of that name
--- http_config eval: $::Http
--- config
    location /x { podi_auth on; podi_auth_issuer three; }
--- must_die
--- error_log
there is no such podi_issuer


=== TEST 27: two that nobody could tell apart
--- http_config eval
$::Http . "podi_issuer more { issuer https://one.example; audience b; jwks_file $::Set{one}; }"
--- config
    location /x { podi_auth on; podi_auth_issuer one more; }
--- must_die
--- error_log
whose tokens have the same iss


=== TEST 28: who is nobody in the next location is not who he was in the last
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ 'GET /moved', 'GET /dry' ]
--- more_headers eval: [ ('Cookie: s=' . $::One->token('ES256')) x 2 ]
--- response_body eval: [ ('[|||]') x 2 ]
