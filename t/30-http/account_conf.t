# What podi_account wants to be told, and how long sessions live.

use Test::Nginx::Socket 'no_plan';
use Podi::Suite;

our $Http = Podi::Suite::http();
our $NoKey = Podi::Suite::http(replace => {
    'podi_refresh_key_file [^;]*;' => '' });
our $Short = Podi::Suite::http(
    add => "podi_session_idle 10m;\npodi_session_lifetime 1h;\n");
our $Long = Podi::Suite::http(
    add => "podi_session_idle 2h;\npodi_session_lifetime 1h;\n");

no_shuffle();
run_tests();

__DATA__

=== TEST 1: without a key it says what to write
--- http_config eval: $::NoKey
--- config
    podi_tenant demo;
    location /v1/auth/ { podi_account; }
--- must_die
--- error_log
write "podi_refresh_key_file


=== TEST 2: a session cannot idle longer than it lives
--- http_config eval: $::Long
--- config
    podi_tenant demo;
    location /v1/auth/ { podi_account; }
--- must_die
--- error_log
"podi_session_idle" must not be longer than "podi_session_lifetime"


=== TEST 3: twice in a location
--- http_config eval: $::Http
--- config
    podi_tenant demo;
    location /v1/auth/ { podi_account; podi_account; }
--- must_die
--- error_log
is duplicate


=== TEST 4: somebody to sign in
--- http_config eval: $::Short
--- config
    podi_tenant demo;
    location /v1/auth/ { podi_account; }
--- more_headers
Content-Type: application/json
--- request
POST /v1/auth/register
{"login":"annie","password":"a good password"}
--- error_code: 201


=== TEST 5: the refresh cookie lives as long as the session
--- http_config eval: $::Short
--- config
    podi_tenant demo;
    location /v1/auth/ { podi_account; }
--- more_headers
Content-Type: application/json
--- request
POST /v1/auth/login
{"login":"annie","password":"a good password"}
--- raw_response_headers_like: __Secure-podi_rt=[^;]+; Max-Age=(?:3599|3600);


=== TEST 6: how to sign in
--- http_config eval: $::Short
--- config
    podi_tenant demo;
    location /v1/auth/ { podi_account; }
--- request
GET /v1/auth/methods
--- response_body_like: "method":"local".*"zh":"用户名和密码".*"password_min":8,"password_max":128
