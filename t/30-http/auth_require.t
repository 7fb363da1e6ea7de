# Who may pass: roles, scopes, tenants and claims, and what is said to those
# who may not.  Without PostgreSQL.

use Test::Nginx::Socket 'no_plan';
use Podi::Issuer;

$ENV{TEST_NGINX_HTML_DIR} ||= html_dir();

our $One = Podi::Issuer->new(iss => 'https://one.example', aud => 'a');
our $Set = $One->jwks_file('ES256');

our $Http = <<"EOS";
podi_issuer one {
    issuer    https://one.example;
    audience  a;
    jwks_file $Set;
    map       role=roles;
}
podi_auth_issuer one;
podi_limit_zone failures 1m key=ip rate=1r/h burst=3;
server {
    listen unix:\$TEST_NGINX_HTML_DIR/up.sock;
    location / { return 200 "in"; }
}
EOS
our $Server = <<'EOS';
    location /roles {
        podi_auth on; podi_require role=admin,editor;
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;

        location /roles/none { podi_auth off; proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock; }
        location /roles/own  { podi_require tenant=t1; proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock; }
        location /roles/kept { proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock; }
    }
    location /scopes {
        podi_auth on;
        podi_auth_realm reports resource_metadata=https://a.example/.well-known/x;
        podi_require scope=read,write scope=all;
        podi_require scope=more role=admin;
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;
    }
    location /claims {
        podi_auth on; podi_require claim aal ge 2; podi_require claim amr in otp;
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;
    }
    location /optional {
        podi_auth optional; podi_auth_source header cookie=s;
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;
    }
    location /needed {
        podi_auth optional; podi_require role=admin;
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;
    }
    location /any {
        satisfy any; auth_basic x; auth_basic_user_file /dev/null;
        podi_auth on; podi_require scope=read;
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;
    }
    location /counted {
        podi_auth on; podi_auth_failures zone=failures;
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;
    }
    location /dry {
        podi_dry_run on; podi_auth on; podi_require scope=read;
        add_header X-Decision $podi_decision always;
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;
    }
EOS

# tokens by their claims, made once
our %made;
our $as = sub {
    my ($claims) = @_;
    return 'X-Nobody: 1' if !$claims;
    return 'Authorization: Bearer ' . ($made{$claims}
        //= $One->token('ES256', eval "($claims)"));
};

log_level('info');
no_shuffle();
run_tests();

__DATA__

=== TEST 1: one of the roles is enough; an unknown one, or none, is not
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /roles') x 7 ]
--- more_headers eval
[ map { $::as->($_) } "roles => 'admin'", "roles => ['x', 'editor']",
  "roles => 'Admin'", "roles => 'administrator'", "roles => ['admin editor']",
  "sub => 'norole'", undef ]
--- error_code eval: [ 200, 200, 403, 403, 403, 403, 401 ]
--- response_body_like eval
[ 'in', 'in', ('"code":"forbidden"') x 4, '"code":"unauthenticated"' ]


=== TEST 2: what is lacking stands in the log, not in the answer
--- http_config eval: $::Http
--- config eval: $::Server
--- request
GET /roles
--- more_headers eval: $::as->("roles => 'guest'")
--- error_code: 403
--- response_body_unlike: admin|editor|guest
--- response_headers
WWW-Authenticate: Bearer realm="podi", error="insufficient_scope"
--- error_log
role is none of: admin editor, of user ann of one


=== TEST 3: inheritance: off, replaced, kept
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval
[ 'GET /roles/none', 'GET /roles/own', 'GET /roles/own', 'GET /roles/kept' ]
--- more_headers eval
[ map { $::as->($_) } undef, "tid => 't1'", "roles => 'admin'", "tid => 't1'" ]
--- error_code eval: [ 200, 200, 403, 403 ]


=== TEST 4: all directives, and all kinds of one; the challenge names the scope
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /scopes') x 5 ]
--- more_headers eval
[ map { $::as->($_) } "scope => 'all more', roles => 'admin'",
  "scope => 'readmore more', roles => 'admin'",
  "scope => ['write'], roles => 'admin'",
  "scope => 'more read', roles => 'user'", undef ]
--- error_code eval: [ 200, 403, 403, 403, 401 ]
--- response_headers eval
[ '', 'WWW-Authenticate: Bearer realm="reports", resource_metadata="https://a.example/.well-known/x", error="insufficient_scope", scope="read write all"',
  'WWW-Authenticate: Bearer realm="reports", resource_metadata="https://a.example/.well-known/x", error="insufficient_scope", scope="more"',
  'WWW-Authenticate: Bearer realm="reports", resource_metadata="https://a.example/.well-known/x", error="insufficient_scope"',
  'WWW-Authenticate: Bearer realm="reports", resource_metadata="https://a.example/.well-known/x"' ]


=== TEST 5: rules about claims, each time, also when the token is known
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /claims') x 3, 'GET /optional', 'GET /claims', 'GET /claims' ]
--- more_headers eval
[ map { $::as->($_) } "aal => 2, amr => ['pwd', 'otp']", "aal => 1, amr => 'otp'",
  "aal => 2", "aal => 2", "aal => 2", "aal => 2, amr => ['pwd', 'otp']" ]
--- error_code eval: [ 200, 403, 403, 200, 403, 200 ]


=== TEST 6: a rule that does not hold is not told
--- http_config eval: $::Http
--- config eval: $::Server
--- request
GET /claims
--- more_headers eval: $::as->("aal => 1")
--- error_code: 403
--- response_body_unlike: aal
--- error_log
not so: claim aal ge 2


=== TEST 7: optional: nobody, somebody, and a stale cookie; not a wrong header
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /optional') x 5 ]
--- more_headers eval
[ $::as->(), $::as->("sub => 'ann'"), 'Cookie: s=a.b.c',
  'Cookie: s=' . $::One->token('ES256', exp => time - 5),
  'Authorization: Bearer a.b.c' ]
--- error_code eval: [ 200, 200, 200, 200, 401 ]


=== TEST 8: podi_require makes it needed
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /needed') x 3 ]
--- more_headers eval
[ map { $::as->($_) } undef, "roles => 'user'", "roles => 'admin'" ]
--- error_code eval: [ 401, 403, 200 ]


=== TEST 9: satisfy any: refused in nginx's words, let in by a token
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /any') x 3 ]
--- more_headers eval
[ map { $::as->($_) } undef, "scope => 'write'", "scope => 'read'" ]
--- error_code eval: [ 401, 401, 200 ]


=== TEST 10: dry: it passes, and is told what would have been
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /dry') x 3 ]
--- more_headers eval
[ map { $::as->($_) } undef, "scope => 'write', dry => 1",
  "scope => 'read', dry => 1" ]
--- error_code eval: [ 200, 200, 200 ]
--- response_headers eval
[ "X-Decision: {\"would_by\":\"auth\",\"would\":\"unauthenticated\"}\n! WWW-Authenticate",
  'X-Decision: {"would_by":"auth","would":"forbidden","cache":"miss"}',
  'X-Decision: {"cache":"miss","issuer":"one","credential":"header","kid":"ES256"}' ]


=== TEST 11: a requirement where nobody is asked
--- http_config eval: $::Http
--- config
    location /x { podi_require role=admin; }
--- must_die
--- error_log
"podi_require" stands in a location where nobody is asked


=== TEST 12: a kind that is none
--- http_config eval: $::Http
--- config
    location /x { podi_auth on; podi_require age=7; }
--- must_die
--- error_log
"podi_require" does not take "age=7"


=== TEST 13: a value that would break out of the challenge
--- http_config eval: $::Http
--- config
    location /x { podi_auth on; podi_require 'scope=a"b'; }
--- must_die
--- error_log
"podi_require" does not take


=== TEST 14: a rule that is none
--- http_config eval: $::Http
--- config
    location /x { podi_auth on; podi_require claim aal; }
--- must_die
--- error_log
a rule needs a claim and an operator


=== TEST 15: a realm with a quote
--- http_config eval: $::Http
--- config
    podi_auth_realm 'a"b';
--- must_die
--- error_log
neither with quotes in it


=== TEST 16: forged tokens are counted; what was found good before still passes
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /counted') x 10 ]
--- more_headers eval
[ $::as->("sub => 'good'"), $::as->(), $::as->("exp => time - 1"),
  map({ "Authorization: Bearer a.b.$_" } 1 .. 5),
  $::as->("sub => 'good'"), $::as->("sub => 'new'") ]
--- error_code eval: [ 200, 401, 401, 401, 401, 401, 429, 429, 200, 429 ]


=== TEST 17: a name with a blank in it is not the word that it contains
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /roles') x 2, ('GET /roles/own') x 4 ]
--- more_headers eval
[ map { $::as->($_) } "roles => 'x admin'", "roles => ['x admin', 'editor']",
  "tid => 'x t1'", "tid => ['x', 't1']", "tid => 't1 '", "tid => ['t1']" ]
--- error_code eval: [ 403, 200, 403, 403, 403, 200 ]
