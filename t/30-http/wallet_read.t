# GET /v1/wallet: what is there, what is frozen, what will be gone.

use Test::Nginx::Socket 'no_plan';
use Podi::Suite;

our $Http = Podi::Suite::http();
our $Config = <<'CONF';
    podi_tenant demo;
    podi_trace on;
    location /v1/wallet { podi_auth on; podi_wallet; }
CONF

my $s = Podi::Suite::stack();
my $soon = $s->sql("select to_char(now() + interval '3 days',"
                   . " 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')");
my %who = map { $_ => Podi::Suite::member("$_-wallet") }
    qw( empty rich soon gone );

$s->grant($who{rich}, 1_000_000_000_000);
$s->grant($who{soon}, 30, expires => $soon, kind => 'gift');
$s->grant($who{soon}, 12);
$s->grant($who{gone}, 7, kind => 'gift', expires => '2100-01-01');
$s->grant($who{gone}, 5);
$s->sql("update podi.lot set expires_at = now() - interval '1 hour'"
        . ' where amount = 7');

our %Token = map { $_ => $who{$_}{token} } keys %who;
our $Soon = $soon =~ s/Z$//r;

add_block_preprocessor(sub {
    my ($block) = @_;
    my ($name) = $block->name =~ /\((\w+)\)$/;

    $block->set_value(http_config => $::Http);
    $block->set_value(config => $::Config);
    $block->set_value(more_headers => "Authorization: Bearer $::Token{$name}")
        if $name;
});

run_tests();

__DATA__

=== TEST 1: a new one is empty (empty)
--- request
GET /v1/wallet
--- response_headers
Cache-Control: no-store
--- response_body_like: ^\{"wallet_id":"[0-9a-f-]{36}","available":0,"frozen":0,"expiring_soon":0,"expiring_at":null,"seq":0\}$


=== TEST 2: points are whole numbers beyond 32 bits (rich)
--- request
GET /v1/wallet
--- response_body_like: "available":1000000000000,


=== TEST 3: what expires within a week is said (soon)
--- request
GET /v1/wallet
--- response_body_like eval: qr/"available":42,"frozen":0,"expiring_soon":30,"expiring_at":"$::Soon/


=== TEST 4: what has expired is no more, though nobody has swept it (gone)
--- request
GET /v1/wallet
--- response_body_like: "available":5,"frozen":0,"expiring_soon":0,"expiring_at":null


=== TEST 5: HEAD has no body (rich)
--- request
HEAD /v1/wallet
--- response_headers_like
Content-Length: 1\d\d
--- response_body:


=== TEST 6: nothing is changed here (rich)
--- request
POST /v1/wallet
--- error_code: 405
--- response_headers
Allow: GET, HEAD


=== TEST 7: a path below that is none (rich)
--- request
GET /v1/wallet/
--- error_code: 404
--- response_body_like: "code":"not_found"


=== TEST 8: a path beside it (rich)
--- request
GET /v1/wallets
--- error_code: 404
--- response_body_like: "code":"not_found"
