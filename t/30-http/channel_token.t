# Tokens that are bound to a channel: they find it, they are good in no other
# one, and the ceiling of their role is that of the channel.

use Test::Nginx::Socket 'no_plan';
use Podi::Suite;

my $s = Podi::Suite::stack();
my $dir = $s->dir . '/keys';

sub spew
{
    my ($name, $text) = @_;

    open my $out, '>', "$dir/$name" or die "$name: $!";
    print $out $text;
    close $out;
    chmod 0600, "$dir/$name";
    return "$dir/$name";
}

my $keys = spew('partner.keys', "# the new one first\n"
                . "k-partner-0123456789abcdef\nk-partner-old-0123456789\n");
my $shut = spew('shut.keys', 'k-shut-0123456789abcdef');

our $Echo = <<'EOS';
server {
    listen unix:$TEST_NGINX_HTML_DIR/up.sock;
    location / {
        return 200 "$http_x_podi_channel|$http_x_podi_role|$http_x_podi_plan";
    }
}
EOS
our $Http = Podi::Suite::http(add => <<"EOS") . $Echo;
podi_channel partner {
    host partner.example *.partner.example;
    app_key_file $keys;
    origins https://partner.example https://www.partner.example:8443;
    max_role user;
    plan gold;
}
podi_channel inner { host deep.inner.partner.example; }
podi_channel paths { path /partner /partner/vip/; }
podi_channel vip { path /partner/vip/gold/; }
podi_channel shut { app_key_file $shut; kill on; origins https://shut.example; }
EOS
our $Config = <<'EOS';
    podi_tenant demo;
    podi_trace on;
    podi_auth off;
    location ~* ^/(go|x|partner) {
        podi_identity_headers on;
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;
    }
    location /own {
        podi_auth on;
        podi_identity_headers on;
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;
    }
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

sub key { "X-App-Key: $_[0]\r\n" }
sub bearer { "Authorization: Bearer $_[0]\r\n" }

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
