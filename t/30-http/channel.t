# By which way a request comes: an app key, a host, a path; what goes
# with it, and that nobody comes by a way that he only claims.  Tokens that are
# bound to a channel: channel_token.t.

use Test::Nginx::Socket 'no_plan';
use Podi::Suite;
use Podi::Channels;

my $s = Podi::Suite::stack();

our $Short = key_file('short.keys', 'k-short');
our $Http = Podi::Channels::http();
our $Config = Podi::Channels::config(<<'EOS');
    location /off/ { podi_cors_origin off; return 200 "off"; }
EOS

my $ann = Podi::Suite::member('annie');
our $Admin = $s->token($ann, rol => 'admin');
our $User = $ann->{token};

log_level('info');
no_shuffle();
run_tests();

__DATA__

=== TEST 1: by nothing
--- http_config eval: $::Http
--- config eval: $::Config
--- request
GET /go
--- response_body: ||


=== TEST 2: by the host, in any case, with a port and a last dot
--- http_config eval: $::Http
--- config eval: $::Config
--- pipelined_requests eval
["GET /go", "GET /go", "GET /go", "GET /go", "GET /go"]
--- more_headers eval
["Host: partner.example", "Host: PARTNER.Example", "Host: partner.example:8443",
 "Host: partner.example.", "Host: a.b.partner.example"]
--- response_body eval
[("partner||") x 5]


=== TEST 3: a host that only looks like it
--- http_config eval: $::Http
--- config eval: $::Config
--- pipelined_requests eval
["GET /go", "GET /go", "GET /go", "GET /go"]
--- more_headers eval
["Host: evilpartner.example", "Host: partner.example.evil.example",
 "Host: .partner.example.evil", "Host: partnerxexample"]
--- response_body eval
[("||") x 4]


=== TEST 4: a whole name goes before a suffix
--- http_config eval: $::Http
--- config eval: $::Config
--- more_headers
Host: deep.inner.partner.example
--- request
GET /go
--- response_body: inner||


=== TEST 5: by the path, at whole parts of it, the longest
--- http_config eval: $::Http
--- config eval: $::Config
--- pipelined_requests eval
["GET /partner", "GET /partner/x?y", "GET /partners", "GET /partner/vip/gold/1",
 "GET /x/../partner/vip/gold/1", "GET //partner/x", "GET /%70artner/x",
 "GET /PARTNER/x"]
--- response_body eval
["paths||", "paths||", "||", "vip||", "vip||", "paths||", "paths||", "||"]


=== TEST 6: the host goes before the path, and an app key before both
--- http_config eval: $::Http
--- config eval: $::Config
--- pipelined_requests eval
["GET /partner/vip/gold/1", "GET /partner/x"]
--- more_headers eval
["Host: partner.example", "Host: deep.inner.partner.example\r\n"
                          . "X-App-Key: k-partner-old-0123456789"]
--- response_body eval
[("partner||") x 2]


=== TEST 7: an app key that nobody has is refused, whatever the host
--- http_config eval: $::Http
--- config eval: $::Config
--- more_headers
Host: partner.example
X-App-Key: k-partner-0123456789abcdeF
--- request
GET /go
--- error_code: 403
--- response_headers
Content-Type: application/problem+json
--- response_body_like: "code":"app_key_invalid"
--- error_log
app_key_invalid: no channel has this app key while in channel


=== TEST 8: a part of one, one with more behind it, and a comment are none
--- http_config eval: $::Http
--- config eval: $::Config
--- pipelined_requests eval
["GET /go", "GET /go", "GET /go"]
--- more_headers eval
["X-App-Key: k-partner-0123456789abcde", "X-App-Key: k-partner-0123456789abcdefx",
 "X-App-Key: # the new one first"]
--- error_code eval
[403, 403, 403]


=== TEST 9: two of them are refused, even the same twice
--- http_config eval: $::Http
--- config eval: $::Config
--- more_headers
X-App-Key: k-partner-0123456789abcdef
X-App-Key: k-partner-0123456789abcdef
--- request
GET /go
--- error_code: 400
--- response_body_like: "code":"bad_request".*"field":"X-App-Key"


=== TEST 10: closed, before anybody asks who it is
--- http_config eval: $::Http
--- config eval: $::Config
--- more_headers
X-App-Key: k-shut-0123456789abcdef
Origin: https://shut.example
--- request
GET /own
--- error_code: 403
--- response_headers
Access-Control-Allow-Origin: https://shut.example
--- response_body_like: "code":"channel_closed"


=== TEST 11: a preflight of a closed one is answered, so that its page can read why
--- http_config eval: $::Http
--- config eval: $::Config
--- more_headers
X-App-Key: k-shut-0123456789abcdef
Origin: https://shut.example
Access-Control-Request-Method: POST
--- request
OPTIONS /own
--- error_code: 204
--- response_headers_like
Access-Control-Allow-Headers: .*X-App-Key


=== TEST 12: OPTIONS that is no preflight is closed as well
--- http_config eval: $::Http
--- config eval: $::Config
--- more_headers
X-App-Key: k-shut-0123456789abcdef
--- request
OPTIONS /go
--- error_code: 403
--- response_body_like: "code":"channel_closed"


=== TEST 13: the ceiling lowers a role, and leaves a lower one; the plan fills a gap
--- http_config eval: $::Http
--- config eval: $::Config
--- pipelined_requests eval
["GET /own", "GET /own", "GET /own"]
--- more_headers eval
["Host: partner.example\r\n" . main::bearer($::Admin),
 "Host: partner.example\r\n" . main::bearer($::User),
 main::bearer($::Admin)]
--- response_body eval
["partner|user|gold", "partner|user|gold", "|admin|"]


=== TEST 14: origins of the channel are let in, and no others
--- http_config eval: $::Http
--- config eval: $::Config
--- pipelined_requests eval
["GET /go", "GET /go", "GET /go", "GET /go", "GET /off/"]
--- more_headers eval
[map { "Host: partner.example\r\nOrigin: $_" }
 "https://www.partner.example:8443", "https://www.partner.example",
 "https://partner.example.evil.example", "null", "https://partner.example"]
--- response_headers eval
["Access-Control-Allow-Origin: https://www.partner.example:8443\nVary: Origin",
 "! Access-Control-Allow-Origin\nVary: Origin",
 "! Access-Control-Allow-Origin", "! Access-Control-Allow-Origin",
 "! Access-Control-Allow-Origin\n! Vary"]


=== TEST 15: an underscore is not a dash, but goes no further either
--- http_config eval: $::Http
--- config eval: "underscores_in_headers on;\n" . $::Config
--- more_headers
X_App_Key: k-shut-0123456789abcdef
--- request
GET /go
--- response_body: ||


=== TEST 16: HTTP/2 has a host, too
--- http_config eval: $::Http
--- http2
--- config eval: $::Config
--- more_headers
Host: partner.example
--- request
GET /go
--- response_body: partner||


=== TEST 17: two channels do not share what finds them
--- http_config
podi_channel a { host a.example; }
podi_channel b { host b.example A.Example; }
--- config
--- must_die
--- error_log
"podi_channel" "a" and "b" both have a.example: write it in one of them


=== TEST 18: a name that is kept for what has no channel
--- http_config
podi_channel default { host a.example; }
--- config
--- must_die
--- error_log
("default" is what comes by no channel)


=== TEST 19: what is no setting
--- http_config
podi_channel a { hosts a.example; }
--- config
--- must_die
--- error_log
"hosts" is no setting of a channel


=== TEST 20: an origin is whole, as for podi_cors_origin
--- http_config
podi_channel a { origins https://a.example/; }
--- config
--- must_die
--- error_log
"origins" has a value that is not of its kind


=== TEST 21: a key that can be guessed
--- http_config eval: "podi_channel a { app_key_file $::Short; }"
--- config
--- must_die
--- error_log
names a file with a key of less than 20 bytes


=== TEST 22: a role that there is not
--- http_config
podi_channel a { max_role root; }
--- config
--- must_die
--- error_log
"max_role" has a value that is not of its kind


=== TEST 23: a line that comes twice
--- http_config
podi_channel a { host a.example; host b.example; }
--- config
--- must_die
--- error_log
"host" is there twice: write all its values in one line


=== TEST 24: an overlay needs a database
--- http_config
podi_channel_overlay on;
--- config
--- must_die
--- error_log
"podi_channel_overlay" needs podi_pg


=== TEST 25: another header; it alone is kept from the upstream
--- http_config eval: "podi_channel_header X-Partner;\n" . $::Http
--- config eval: $::Config
--- pipelined_requests eval
["GET /go", "GET /go"]
--- more_headers eval
["X-Partner: k-partner-0123456789abcdef", "X-App-Key: nobody's"]
--- response_body eval
["partner||", "||nobody's"]
