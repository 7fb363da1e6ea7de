# Tokens that are bound to a channel: they find it, they are good in no other
# one, and the ceiling of their role is that of the channel.

use Test::Nginx::Socket 'no_plan';
use Podi::Suite;
use Podi::Channels;

my $s = Podi::Suite::stack();

our $Http = Podi::Channels::http();
our $Config = Podi::Channels::config(<<'EOS');
    location = /admin {
        podi_auth on;
        podi_require role=admin;
        podi_identity_headers on;
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;
    }
    location /var { podi_auth on; add_header X-Way "$podi_channel"; return 204; }
    location /dry/ {
        podi_auth on;
        podi_dry_run on;
        podi_identity_headers on;
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;
    }
EOS

my $ann = Podi::Suite::member('annie');
our $Admin = $s->token($ann, rol => 'admin');
our $User = $ann->{token};
our $Bound = $s->token($ann, chn => 'partner');
our $Else = $s->token($ann, chn => 'paths');
our $Shut = $s->token($ann, chn => 'shut');
our $Gone = $s->token($ann, chn => 'gone');

log_level('info');
no_shuffle();
run_tests();

__DATA__

=== TEST 1: a token that is bound finds its channel
--- http_config eval: $::Http
--- config eval: $::Config
--- more_headers eval: main::bearer($::Bound)
--- request
GET /own
--- response_body: partner|user|gold


=== TEST 2: and is refused in another one, and where there is none any more
--- http_config eval: $::Http
--- config eval: $::Config
--- pipelined_requests eval
["GET /own", "GET /own", "GET /own", "GET /own", "GET /own"]
--- more_headers eval
[main::key('k-partner-0123456789abcdef') . main::bearer($::Else),
 "Host: partner.example\r\n" . main::bearer($::Else),
 main::bearer($::Shut), main::bearer($::Gone),
 main::key('k-partner-0123456789abcdef') . main::bearer($::Bound)]
--- error_code eval
[403, 403, 403, 403, 200]
--- response_body_like eval
['"code":"channel_mismatch"', '"code":"channel_mismatch"',
 '"code":"channel_closed"', '"code":"channel_closed"', '^partner\|']


=== TEST 3: dry, it is only noted
--- http_config eval: $::Http
--- config eval: $::Config
--- more_headers eval: main::key('k-partner-0123456789abcdef') . main::bearer($::Else)
--- request
GET /dry/
--- error_code: 200
--- error_log
would refuse: channel_mismatch




=== TEST 4: what asks for a role sees the lowered one
--- http_config eval: $::Http
--- config eval: $::Config
--- pipelined_requests eval
["GET /admin", "GET /admin"]
--- more_headers eval
["Host: partner.example\r\n" . main::bearer($::Admin), main::bearer($::Admin)]
--- error_code eval
[403, 200]


=== TEST 5: the variable
--- http_config eval: $::Http
--- config eval: $::Config
--- more_headers
Host: partner.example
--- request
GET /var
--- error_code: 204
--- response_headers
X-Way: partner
