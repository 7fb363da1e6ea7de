# Limits by who asks: user, session, tenant; and failures by the address.

use Test::Nginx::Socket 'no_plan';
use Podi::Suite;

our $Http = Podi::Suite::http(add => <<'EOS');
podi_limit_zone user 1m key=user rate=1r/h burst=2;
podi_limit_zone session 1m key=session rate=1r/h burst=1 missing=deny;
podi_limit_zone tenant 1m key=tenant key=$arg_k rate=1r/h burst=2 missing=skip;
podi_limit_zone failures 1m key=ip rate=1r/h burst=3;
podi_limit_zone forged 1m key=ip rate=1r/h burst=3;
EOS
our ($Ann, $Bob, $Cat) = map { Podi::Suite::member($_)->{token} }
    'annie', 'bobby', 'catia';
our $Server = <<'EOS';
    podi_tenant demo;
    location /user { podi_auth on; podi_limit user; empty_gif; }
    location /session { podi_auth on; podi_limit session; empty_gif; }
    location /nobody { podi_limit session; empty_gif; }
    location /anybody { podi_limit user; empty_gif; }
    location /tenant { podi_auth on; podi_limit tenant; empty_gif; }
    location /open { podi_limit tenant; empty_gif; }
    location /v1/auth/ { podi_auth_failures zone=failures; podi_account; }
    location /forged { podi_auth on; podi_auth_failures zone=forged; empty_gif; }
    location /free/ { podi_auth_failures zone=failures;
                      location /free/off { podi_auth_failures off; empty_gif; } }
EOS
our $Wrong = "POST /v1/auth/login\n" . '{"login":"annie","password":"not the one"}';
our $Nobody = "POST /v1/auth/login\n" . '{"login":"nobody","password":"not the one"}';

log_level('info');
no_shuffle();
run_tests();

__DATA__

=== TEST 1: each user has his own
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /user') x 4 ]
--- more_headers eval
[ map { "Authorization: Bearer $_" } $::Ann, $::Ann, $::Ann, $::Bob ]
--- error_code eval: [200, 200, 429, 200]


=== TEST 2: who has no token is refused before he is counted
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /user') x 4 ]
--- error_code eval: [401, 401, 401, 401]


=== TEST 3: where nobody has to sign in, the address counts for the user
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /anybody') x 3 ]
--- error_code eval: [200, 200, 429]


=== TEST 4: a session, or nothing
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /session') x 3, 'GET /nobody' ]
--- more_headers eval
[ map { "Authorization: Bearer $_" } $::Ann, $::Ann, $::Bob, $::Ann ]
--- error_code eval: [200, 429, 200, 403]


=== TEST 5: users of a tenant together
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /tenant?k=5') x 3, ('GET /open?k=5') x 3 ]
--- more_headers eval
[ map { "Authorization: Bearer $_" } $::Ann, $::Bob, $::Ann, ($::Ann) x 3 ]
--- error_code eval: [200, 200, 429, 200, 200, 429]


=== TEST 6: failed logins are counted, and then nobody is let try
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ $::Wrong, $::Nobody, $::Wrong, $::Wrong, $::Nobody ]
--- more_headers
Content-Type: application/json
--- error_code eval: [401, 401, 401, 429, 429]
--- response_headers eval
['Retry-After:', 'Retry-After:', 'Retry-After:', 'Retry-After: 3600', 'Retry-After: 3600']
--- response_body_like eval
[ ('bad_credentials') x 3, ('"code":"rate_limited".*too many failures from this address') x 2 ]


=== TEST 7: a limit of failures that is nowhere
--- config
    podi_auth_failures zone=nowhere;
--- must_die
--- error_log
there is no limit "nowhere"


=== TEST 8: one of places
--- http_config
podi_limit_zone seats 1m key=ip conn=3;
--- config
    podi_auth_failures zone=seats;
--- must_die
--- error_log
counts with rate= or quota=


=== TEST 9: no zone
--- config
    podi_auth_failures failures;
--- must_die
--- error_log
write podi_auth_failures zone=failures


=== TEST 10: off
--- http_config eval: $::Http
--- config eval: $::Server
--- request
GET /free/off


=== TEST 11: forged tokens are counted, missing ones are not; who is known passes
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /forged') x 10 ]
--- more_headers eval
[ "Authorization: Bearer $::Ann", '', '', '', '',
  (map { "Authorization: Bearer $_" } ($::Bob . 'A') x 3, $::Cat, $::Ann) ]
--- error_code eval: [200, (401) x 7, 429, 200]
