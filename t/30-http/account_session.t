# A session from login to its end: refresh, its races and replays, logout in
# every worker.  Nobody honest is logged out; whoever replays ends it.

use strict;
use warnings;
use IO::Socket::INET;
use JSON::PP ();
use MIME::Base64 qw( decode_base64url );
use Podi::Proc qw( poll );
use Test::More;
use Podi::Stack;

my $acme_port = Podi::Stack::free_port();
my $s = Podi::Stack->new(http => <<"CONF", server => <<'SERVER')->start;
podi_channel partner { path /partner; max_role user; }
podi_channel shop { path /shop; }
server {
    listen 127.0.0.1:$acme_port;
    podi_tenant acme;
    podi_trace on;
    location /v1/ { podi_auth on; podi_account; }
}
CONF
location ~ ^/(?:partner|shop)(?<rest>/v1/.*) {
    podi_auth on;
    rewrite ^ $rest break;
    podi_account;
}
location = /who {
    podi_auth on;
    add_header X-Who "$podi_channel|$podi_role" always;
    empty_gif;
}
location = /shop/who { podi_auth on; empty_gif; }
SERVER
my $acme = "http://127.0.0.1:$acme_port";
my $rt = '__Secure-podi_rt';

$s->db->tenant('acme');


sub refresh
{
    my ($cookie, %arg) = @_;
    my $url = delete $arg{at} // '';

    return $s->post("$url/v1/auth/refresh", %arg, headers => {
        defined $cookie ? (Cookie => "x=y; $rt=$cookie") : (),
        %{ $arg{headers} || {} } });
}


sub sign_in
{
    my ($user, %arg) = @_;
    my $res = $s->login($user, %arg);

    return { token => $res->json->{access_token}, login => $res->json,
             rt => $res->cookies->{$rt} };
}


# the cookie that a refresh hands out; it must have worked
sub next_of
{
    my ($cookie, $what) = @_;
    my $res = refresh($cookie);

    is $res->status, 200, $what;
    return $res->cookies->{$rt};
}


sub refused
{
    my ($cookie, $what, %arg) = @_;
    my $res = refresh($cookie, %arg);

    is_deeply [ $res->status, $res->code ], [ 401, 'refresh_invalid' ], $what;
    is $res->header('set-cookie'), undef, 'which takes no cookie away';
    like $res->header('www-authenticate'), qr/^Bearer/, 'and asks who it is';
}


sub counter { (split /\./, $_[0])[3] }


my $ann = $s->register('annie', display_name => "Ann\x{e9}");
my $one = sign_in($ann);

# --- who am I

my $me = $s->get('/v1/me', as => $one->{token})->json;
my ($claims) = map { JSON::PP::decode_json(decode_base64url($_)) }
    (split /\./, $one->{token})[1];

is_deeply [ @{$me}{qw( user_id login display_name role tenant tenant_id
                       session_id identity_source )} ],
    [ $ann->{user_id}, 'annie', "Ann\x{e9}", 'user', 'demo', $s->{tenant_id},
      $one->{login}{session}{session_id}, 'local' ], 'who I am';
ok scalar(grep { $_ eq 'task.write' } @{ $me->{permissions} }), 'what I may';
is $s->sql('select extract(epoch from ?::timestamptz)::bigint',
           $me->{token_expires_at}), $claims->{exp}, 'until when';
is_deeply [ @{$claims}{qw( sub sid tid rol src )} ],
    [ $ann->{user_id}, $me->{session_id}, $s->{tenant_id}, 'user', 'local' ],
    'the token says the same';
is $s->get('/v1/me', headers => { Cookie => "__Host-podi_s=$one->{token}" })
    ->status, 200, 'the cookie is enough to look';

is_deeply [ map { @{$_}{qw( ip_prefix )} } $s->sql('select ip_prefix from'
    . ' podi.session where session_id = ?', $me->{session_id}) ],
    ['127.0.0.0/24'], 'of the address only the network is kept';

# --- rotation

my $second = next_of($one->{rt}, 'the refresh cookie is good for a new one');
is counter($second), counter($one->{rt}) + 1, 'the next';
my $third = next_of($second, 'which is good in its turn');
is $s->get('/v1/me', as => $one->{token})->status, 200,
    'an access token lives on beside it';

# --- a tab that is one behind

is next_of($second, 'one behind, again'), $third, 'gets the newest again';
is $s->get('/v1/me', as => refresh($third)->json->{access_token})->status,
    200, 'and works on';

# --- a storm of tabs: all get the same next one

sub storm
{
    my ($cookie, $n) = @_;
    my @socks = map { IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                            PeerPort => $s->{port}) } 1 .. $n;

    print $_ "POST /v1/auth/refresh HTTP/1.1\r\nHost: localhost\r\n"
        . "Cookie: $rt=$cookie\r\nConnection: close\r\n\r\n" for @socks;
    return map { local $/; scalar <$_> } @socks;
}

my $tabs = sign_in($ann);
for my $round (1 .. 3) {
    my @answers = storm($tabs->{rt}, 20);
    my %next = map { /$rt=([^;]+)/ ? ($1 => 1) : (none => 1) } @answers;

    is scalar(grep { m{^HTTP/1.1 200} } @answers), 20,
        "round $round: 20 tabs at once, nobody is logged out";
    is_deeply [ map { counter($_) } keys %next ],
        [ counter($tabs->{rt}) + 1 ], 'all get the same next one';
    ($tabs->{rt}) = keys %next;
}

# --- a replay

my $thief = sign_in($ann);
my $old = $thief->{rt};
my $newer = next_of($old, 'used');
my $newest = next_of($newer, 'used again');
refused($old, 'two behind: somebody kept it');
is $s->get('/v1/me', as => $thief->{token})->code, 'token_revoked',
    'the session has ended, for its tokens too';
refused($newest, 'and for the one who had the newest');
is $s->get('/v1/me', as => $tabs->{token})->status, 200,
    'another session of the same user has not';
is $s->sql("select count(*) from podi.audit where verb = 'session.replay'"),
    1, 'it is on record';
is $s->sql('select revoke_reason from podi.session where session_id = ?',
           $thief->{login}{session}{session_id}), 'refresh_replay', 'why';

# --- forged, foreign and none

my $live = sign_in($ann);
my ($v, $tenant, $session, $n, $mac) = split /\./, $live->{rt};
my $acme_id = $s->sql("select tenant_id from podi.tenant where slug = 'acme'");

refused(undef, 'no cookie');
refused('', 'an empty cookie');
refused('v1', 'a cookie that is none');
refused(join('.', $v, $tenant, $session, $n + 1, $mac), 'another counter');
refused(join('.', $v, $tenant, $me->{session_id}, $n, $mac),
        'another session');
refused(join('.', $v, $acme_id, $session, $n, $mac), 'another tenant');
refused(join('.', $v, $tenant, $session, $n, 'A' x 43), 'another MAC');
refused(substr($live->{rt}, 0, -1), 'a cookie that is cut');
refused('x' x 5000, 'a long one');
is refresh($live->{rt}, headers => {
    Cookie => "$rt=$live->{rt}; $rt=$one->{rt}" })->status, 400, 'two of them';
is $s->get('/v1/me', as => $live->{token})->status, 200,
    'none of which ended the session';

# --- whatever else comes with it does not matter

$live->{rt} = refresh($live->{rt}, as => $s->token($s->member('eve1'),
    exp => time - 5))->cookies->{$rt};
ok $live->{rt}, 'an expired token beside it';
$live->{rt} = refresh($live->{rt}, json => { a => 1 })->cookies->{$rt};
ok $live->{rt}, 'a body that nobody asked for';

# --- another tenant: a cookie says whose it is, wherever it comes

$s->post("$acme/v1/auth/register", json => {
    login => 'annie', password => 'another password' });
my $far = $s->post("$acme/v1/auth/login", json => {
    login => 'annie', password => 'another password' });
is $far->status, 200, 'the same name in another tenant is another person';

my $here = refresh($far->cookies->{$rt});
is $here->status, 200, 'her cookie, sent here';
is $here->json->{user}{tenant_id}, $acme_id, 'stays hers';
is refresh($here->cookies->{$rt}, at => $acme, as => $live->{token})
    ->json->{user}{tenant_id}, $acme_id,
    'there too, with a token of another tenant beside it';
is $s->get("$acme/v1/me", as => $far->json->{access_token})->json->{tenant},
    'acme', 'and nobody was logged out';

# --- sessions that are over

my $late = sign_in($ann);
$s->sql("update podi.session set idle_expiry = now() - interval '1 second'"
        . ' where session_id = ?', $late->{login}{session}{session_id});
refused($late->{rt}, 'a session that was not used for long');

my $gone = sign_in($s->register('gone1'));
$s->sql("update podi.users set state = 'disabled' where login = 'gone1'");
refused($gone->{rt}, 'a user who was disabled');
is $s->get('/v1/me', as => $gone->{token})->code, 'token_revoked',
    'whose token says nothing any more';
is $s->post('/v1/auth/login', json => {
    login => 'gone1', password => 'password of gone1' })->code,
    'bad_credentials', 'and who cannot sign in';

# --- logout, seen by every worker

sub answer_of
{
    my ($sock) = @_;
    my ($text, $length) = ('', 0);

    while (defined(my $line = <$sock>)) {
        $text .= $line;
        $length = $1 if $line =~ /^Content-Length: (\d+)/i;
        last if $line eq "\r\n";
    }

    read $sock, my $body, $length if $length;
    return $text . ($body // '');
}


# a route that does not look at the session itself: nginx alone must know
sub ask_wallet
{
    my ($sock, $token) = @_;

    print $sock "GET /v1/wallet HTTP/1.1\r\nHost: localhost\r\n"
        . "Authorization: Bearer $token\r\n\r\n";
    $sock->flush;
    return answer_of($sock);
}


# connections that stay open, at least one to each worker
sub to_all_workers
{
    my ($token) = @_;
    my $workers = () = $s->nginx->workers;
    my (%pid, @socks);

    poll(20, sub {
        my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                         PeerPort => $s->{port});
        my ($trace) = ask_wallet($sock, $token) =~ /X-Trace-Id: (\w+)/;
        my $line = poll(5, sub {
            open my $in, '<', $s->log_file('podi_access.log') or return;
            return (grep { /$trace/ } <$in>)[0];
        });

        push @socks, $sock;
        $pid{$1} = 1 if $line =~ /"pid":(\d+)/;
        return keys %pid == $workers;
    });

    is scalar(keys %pid), 2, 'connections to both workers';
    return @socks;
}

my $bob = $s->register('bobby');
my $leaving = sign_in($bob);
my $staying = sign_in($bob);
my @socks = to_all_workers($leaving->{token});
my $stream = $s->events(as => $staying->{token});
$stream->next_event(10);

my $out = $s->post('/v1/auth/logout', as => $leaving->{token});
is $out->status, 204, 'logout';
is_deeply $out->cookies, { $rt => '', '__Host-podi_s' => '' },
    'takes both cookies back';
is scalar(grep { /^HTTP\/1.1 401/ && /"code":"token_revoked"/ }
          map { ask_wallet($_, $leaving->{token}) } @socks), scalar @socks,
    'from the next request on no worker takes the token';
is scalar(grep { /^HTTP\/1.1 200/ }
          map { ask_wallet($_, $staying->{token}) } @socks), scalar @socks,
    'the other session goes on in all of them';
close $_ for @socks;

my ($told) = $stream->until('session.revoked', 10);
is $told->{data}{data}{session_id}, $leaving->{login}{session}{session_id},
    'and is told';
$stream->close;

refused($leaving->{rt}, 'the refresh cookie has ended with it');
is $s->post('/v1/auth/logout', as => $leaving->{token})->code,
    'token_revoked', 'logout twice';
is $s->post('/v1/auth/logout', headers => {
    Cookie => "__Host-podi_s=$staying->{token}" })->status, 401,
    'a cookie alone logs nobody out';

# --- ended elsewhere: the next look at the account says so

my $cut = sign_in($bob);
$s->sql('update podi.session set revoked_at = now(),'
        . " revoke_reason = 'admin' where session_id = ?",
        $cut->{login}{session}{session_id});
is $s->get('/v1/me', as => $cut->{token})->code, 'token_revoked',
    'a session that was ended in the database';

# --- a reload and a new master forget nothing

$s->nginx->reload;
is $s->get('/v1/me', as => $leaving->{token})->code, 'token_revoked',
    'a reload forgets no logout';
$s->nginx->restart;
is $s->get('/v1/me', as => $leaving->{token})->code, 'token_revoked',
    'nor does a restart';
is $s->get('/v1/me', as => $staying->{token})->status, 200,
    'which costs nobody else his session';

# --- a session that began in a channel -------------------------------------

sub who { return $s->get('/who', as => $_[0])->header('x-who') }

my $boss = $s->register('bossy');
$s->sql("update podi.users set role = 'admin' where login = 'bossy'");
sign_in($boss);
my $at = $s->post('/partner/v1/auth/login', json => {
    login => $boss->{login}, password => $boss->{password} });
my ($in, $jar) = ($at->json->{access_token}, $at->cookies->{$rt});

is who($boss), '|admin', 'an admin, in no channel';
is who($in), 'partner|user', 'in one he is what it allows';
is $s->get('/shop/who', as => $in)->code, 'channel_mismatch',
    'and in another nobody';

my $res = refresh($jar);
is who($res->json->{access_token}), 'partner|user',
    'a token that was refreshed outside of it is bound to it all the same';
is refresh($jar, at => '/shop')->code, 'channel_mismatch',
    'in another channel there is none';
$res = refresh($jar, at => '/partner');
is who($res->json->{access_token}), 'partner|user',
    'and none the less in its own, as a step behind';

my $made = $s->post('/v1/me/api-keys', as => $in, json => { name => 'a' });
is who($made->json->{key}), 'partner|user', 'so is an API key';
is $s->get('/shop/who', as => $made->json->{key})->code, 'channel_mismatch',
    'which is good in no other one';

my $free = refresh($boss->{cookie}{$rt}, at => '/shop');
is who($free->json->{access_token}), 'shop|admin',
    'of a session without a channel: what it was refreshed by';

$s->sql("update podi.session set channel = 'gone' where session_id = ?",
        $at->json->{session}{session_id});
is refresh($res->cookies->{$rt})->code, 'channel_closed',
    'a channel that is no more gives nothing out';

$s->done;
done_testing;
