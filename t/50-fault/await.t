# What happens to a request that waits: its client goes, its time passes, the
# nginx that took it is told to quit.  PostgreSQL is held by a lock.

use Test::Nginx::Socket 'no_plan';
use IO::Socket::INET;
use Podi::Proc qw( poll );
use Podi::Suite;

our $Http = Podi::Suite::http();
our $Ann = Podi::Suite::member('annie')->{token};
our $Server = <<'EOS';
    podi_tenant demo;
    podi_deadline 400ms;
    location /v1/ { podi_auth on; podi_account; podi_wallet; }
    location = /metrics { podi_status; }
EOS

our $Short = $Server =~ s/400ms/10ms/r;

# the superuser of the suite's database, in a transaction of his own
sub holder { return Podi::Suite::stack()->{db}->super->{dbh} }

our $Hold = sub {
    holder()->begin_work;
    holder()->do('lock table podi.wallet in access exclusive mode');
};
our $Free = sub { holder()->rollback };

# no thread hashes any more; what one of them set going in PostgreSQL is over
our $NotMade = sub {
    my $db = Podi::Suite::stack()->{db}->super;

    poll(10, sub { 2 == (() = metrics() =~ /^podi_threads_(?:running|waiting) 0$/mg) })
        or die 'the password is hashed for ever';
    $db->all(undef, 'lock table podi.users in share mode');
    die 'the account was made all the same' if $db->value(undef,
        "select count(*) from podi.users where login = 'too-late'");
};

sub metrics
{
    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => server_port()) or return '';

    print $sock "GET /metrics HTTP/1.0\r\n\r\n";
    local $/;
    return <$sock> // '';
}

log_level('info');
no_shuffle();
run_tests();

__DATA__

=== TEST 1: PostgreSQL is silent: the deadline answers
--- init: $::Hold->()
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers eval: "Authorization: Bearer $::Ann"
--- request
GET /v1/wallet
--- error_code: 503
--- response_headers_like
Retry-After: [1-9]
--- response_body_like: "code":"deadline"


=== TEST 2: the connection is kept, and what needs no lock goes on
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers eval: "Authorization: Bearer $::Ann"
--- pipelined_requests eval: ['GET /v1/wallet', 'GET /v1/auth/methods']
--- error_code eval: [503, 200]


=== TEST 3: the client goes away meanwhile
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers eval: "Authorization: Bearer $::Ann"
--- request
GET /v1/wallet
--- abort
--- timeout: 0.1
--- ignore_response


=== TEST 4: the same over HTTP/2
--- http_config eval: $::Http
--- http2
--- config eval: $::Server
--- more_headers eval: "Authorization: Bearer $::Ann"
--- request
GET /v1/wallet
--- error_code: 503
--- response_body_like: "code":"deadline"


=== TEST 5: afterwards all is as before
--- init: $::Free->()
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers eval: "Authorization: Bearer $::Ann"
--- request
GET /v1/wallet
--- response_body_like: "available":0


=== TEST 6: the client goes away while its password is hashed
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers
Content-Type: application/json
--- request
POST /v1/auth/register
{"login":"gone-away","password":"correct horse battery"}
--- abort
--- timeout: 0.02
--- ignore_response


=== TEST 7: the time is over before the password is hashed
--- http_config eval: $::Http
--- config eval: $::Short
--- more_headers
Content-Type: application/json
--- request
POST /v1/auth/register
{"login":"too-late","password":"correct horse battery"}
--- error_code: 503
--- response_body_like: "code":"deadline"


=== TEST 8: and nothing came of it
--- init: $::NotMade->()
--- http_config eval: $::Http
--- config eval: $::Server
--- request
GET /v1/auth/methods
