# What is revoked stays so for as long as a token that it names might be
# believed, by every worker of every nginx: a session, a user, a token, a
# channel; and nobody is believed on what was heard long ago.

use strict;
use warnings;
use IO::Socket::INET;
use Podi::Issuer;
use Podi::Proc qw( poll spawn reaped children san_env san_libs );
use Podi::Repo qw( slurp );
use Podi::Stack::Files;
use Test::More;
use Time::HiRes qw( time );
use Podi::Stack;

my $guarded = "location = /guarded {\n    podi_auth on;\n    empty_gif;\n}\n";
my $s = Podi::Stack->new(server => "\n$guarded",
    http => "podi_revocation_stale 2s;\n")->start('pg', 'redis');
my $born = int(time) - 480;
my ($ann, $bob) = map {
    $s->member($_, claims => { iat => $born, exp => $born + 600 })
} qw( ann bob );

$s->sql("update podi.session set revoke_reason = 'admin',"
        . " revoked_at = now() - interval '460 s' where session_id = ?",
        $ann->{session});

# more than one set of a small table has room for, if by chance alone; all of
# them a while ago, so that they are read once
$s->sql("insert into podi.revocation (tenant_id, kind, id, until, reason,"
        . " revoked_at) select ?, 'token', 'token-' || i, now() + '1 h',"
        . " 'a test', now() - interval '400 s'"
        . ' from generate_series(1, 4000) i', $s->{tenant_id});

# nginx begins after that, and has heard of what PostgreSQL knows
$s->start('nginx');

# another nginx on the same database, with less memory and a clock of its own
my $port = Podi::Stack::free_port();
my $dir = $s->dir;
mkdir "$dir/second";
Podi::Stack::Files::write_file("$dir/second/clock.c", <<'C');
#define _GNU_SOURCE
#include <sys/time.h>
#include <sys/syscall.h>
#include <unistd.h>

int
gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    int rc = (int) syscall(SYS_gettimeofday, tv, tz);

    tv->tv_sec -= access("second/a-minute-ago", F_OK) == 0 ? 60 : 0;
    return rc;
}
C
system('cc', '-shared', '-fPIC', '-o', "$dir/second/clock.so",
       "$dir/second/clock.c") == 0 or die 'no clock';
my $http = slurp("$dir/conf/podi-http.conf");
$http =~ s/podi_zone 8m;/podi_zone 1m;/ or die 'no zone';
Podi::Stack::Files::write_file("$dir/second/podi-http.conf", $http);
my %san = san_env("$dir/log", $ENV{PODI_NGINX} // '/usr/sbin/nginx');
Podi::Stack::Files::write_file("$dir/second/nginx.conf", <<"CONF");
include $dir/conf/podi-load.conf;
worker_processes 2;
error_log $dir/log/second.log notice;
pid $dir/second/pid;
@{[ $> == 0 ? 'user ' . Podi::Stack::Files::web_user() . ';' : '' ]}
events { }
http {
    access_log off;
    client_body_temp_path $dir/second/body;
    include $dir/second/podi-http.conf;
    podi_limit_zone guesses 1m key=ip rate=1r/h burst=3;
    server {
        listen 127.0.0.1:$port;
        podi_tenant demo;
        $guarded
        location = /metrics { podi_status; }
        location = /v1/auth/login {
            podi_auth_failures zone=guesses;
            podi_account;
        }
    }
}
CONF

# a third one, at a partner's: it knows that other issuer alone, and no tenant
my $partner = Podi::Issuer->new(iss => 'https://partner.example', aud => 'a');
my $lone = Podi::Stack::free_port();
my $asks = join "\n    ", $http =~ /^(podi_(?:pg|context_key)\w* .*;)$/mg;
mkdir "$dir/third";
Podi::Stack::Files::write_file("$dir/third/nginx.conf", <<"CONF");
include $dir/conf/podi-load.conf;
worker_processes 2;
error_log $dir/log/third.log notice;
pid $dir/third/pid;
@{[ $> == 0 ? 'user ' . Podi::Stack::Files::web_user() . ';' : '' ]}
events { }
http {
    access_log off;
    client_body_temp_path $dir/third/body;
    $asks
    podi_zone 1m;
    podi_revocation_stale 2s;
    podi_issuer partner {
        issuer https://partner.example;
        audience a;
        jwks_file @{[ $partner->jwks_file('ES256') ]};
    }
    podi_auth_issuer partner;
    server {
        listen 127.0.0.1:$lone;
        $guarded
        location = /metrics { podi_status; }
    }
}
CONF
my $third = spawn(dir => $dir, log => "$dir/log/third.out", env => \%san,
    cmd => [ $ENV{PODI_NGINX} // '/usr/sbin/nginx', '-p', "$dir/third/",
             '-c', "$dir/third/nginx.conf", '-g', 'daemon off;',
             '-e', "$dir/log/third.log" ]);
my $second = spawn(dir => $dir, log => "$dir/log/second.out",
    env => { %san, LD_PRELOAD => join ' ', san_libs(),
             "$dir/second/clock.so" },
    cmd => [ $ENV{PODI_NGINX} // '/usr/sbin/nginx', '-p', "$dir/second/",
             '-c', "$dir/second/nginx.conf", '-g', 'daemon off;',
             '-e', "$dir/log/second.log" ]);
my @urls = ($s->url, "http://127.0.0.1:$port");


sub age
{
    my ($url) = @_;

    return $s->get("$url/metrics", unchecked => 1)->body
        =~ /^podi_revocation_feed_age_seconds (\d+)$/m ? $1 : 1e9;
}


# how often another nginx has asked PostgreSQL who is out
sub asked
{
    my ($url) = @_;

    return $s->get(($url // $urls[1]) . '/metrics', unchecked => 1)->body
        =~ /^podi_auth_lookups_total (\d+)$/m ? $1 : -1;
}


# of an nginx's clock
sub minute
{
    my ($url) = @_;

    return substr $s->get("$url/metrics", unchecked => 1)->header('date'),
        0, -6;
}


# what each nginx says, several times: each has two workers
sub said
{
    my ($token) = @_;
    my %said;

    for my $url ((@urls) x 4) {
        my $res = $s->get("$url/guarded", as => $token, unchecked => 1);
        $said{ $res->code || $res->status } = 1;
    }
    return join ' ', sort keys %said;
}


sub revoke
{
    my ($kind, $id, %o) = @_;

    $s->sql("select kind from sys.revoke(?, ?, ?, ?, ?, 'a test')", $kind,
            $o{issuer} // 'podi', $id, $o{tenant}, $o{for} // 3600);
    return time;
}


# how long it takes until all say that it is revoked
sub out
{
    my ($token, $since) = @_;
    my %out;

    poll(10, sub {
        for my $url (grep { !$out{$_} } @urls) {
            my $code = $s->get("$url/guarded", as => $token,
                               unchecked => 1)->code // '';
            $out{$url} = time if $code eq 'token_revoked';
        }
        return keys %out == @urls;
    }) or return 'not out: ' . said($token);
    my ($last) = sort { $b <=> $a } values %out;
    note sprintf 'heard of after %.0f ms', 1000 * ($last - $since);
    return said($token);
}


poll(20, sub { !grep { age($_) > 2 } @urls }) or die 'the feeds do not begin';
is $s->get('/v1/wallet', as => $ann)->code, 'token_revoked',
    'ended minutes ago, and not forgotten';
is said($ann), 'token_revoked', '... by any';
is $s->get('/v1/wallet', as => $bob)->status, 200, 'an old token that is good';

my $asked = asked();
is said($bob), '200', 'he is good, and stays so';
is asked(), $asked, 'a crowd of revoked tokens makes nobody else asked for';
is said($s->token($bob, jti => "token-$_")), 'token_revoked', 'one of them'
    for 1, 2000, 4000;

# --- each kind, while the token is known to the caches

my ($carol, $david, $eve) = map { $s->member($_) } qw( carol david evelyn );
my $jti = $s->db->uuid;
my %token = (
    user    => $carol->{token},
    login   => $david->{token},
    session => $s->token($eve),
    token   => $s->token($bob, jti => $jti),
    channel => $s->token($bob, chn => 'shop'),
);
my $other = $s->token($bob, chn => 'other');

is said($token{$_}), '200', "a good token: $_" for sort keys %token;

is out($token{user}, revoke(user => $carol->{user_id})), 'token_revoked',
    'all that a user was issued';
is out($token{login}, revoke(user => 'david', tenant => 'demo')),
    'token_revoked', 'a user by his login';
is out($token{session}, revoke(session => $eve->{session})),
    'token_revoked', 'a session';
is out($token{token}, revoke(token => $jti)), 'token_revoked',
    'one token';
is out($token{channel}, revoke(channel => 'shop')), 'token_revoked',
    'what was issued in a channel';
is said($_), '200', 'nobody else' for $bob, $other;

# --- what comes after it

my $again = $s->member('carol2');
is said($again), '200', 'somebody else may come';
is said($s->token($bob, chn => 'shop', iat => int(time) + 2)), '200',
    'a channel goes on with new tokens';
my $back = $s->db->uuid;
$s->db->{web}->one($s->db->anon($s->{tenant_id}),
    'select * from api.session_open(?, ?, ?, ?, ?, ?, ?)', $back,
    $carol->{user_id}, 'local', 'test', '127.0.0.0/24', 3600_000, 86400_000);
is said($s->token({ %$carol, session => $back }, iat => int(time) + 2)),
    '200', 'a user who signs in again';
is said($s->token({ %$carol, session => $back }, iat => int(time) - 60,
                  exp => int(time) + 60)), 'token_revoked', '... with what he is issued then';
is revoke(user => 'nobody', issuer => 'elsewhere') > 0, 1,
    'people of other issuers need no row here';

# --- where no podi_tenant is

my $away = "http://127.0.0.1:$lone";
my %his = map { $_ => { token => $partner->token('ES256', sub => $_) } }
    qw( zoe yan );

sub third { return $s->get("$away/guarded", as => $_[0], unchecked => 1) }

ok poll(20, sub { age($away) <= 2 }), 'its feed begins';
is third($his{$_})->status, 200, "of another issuer: $_" for qw( zoe yan );
$asked = asked($away);
revoke(user => 'zoe', issuer => 'partner');
ok poll(10, sub { (third($his{zoe})->code // '') eq 'token_revoked' }),
    'out there, too';
is third($his{yan})->status, 200, 'nobody else is';
is asked($away), $asked, 'which the feed has said';

# --- by the user himself

my @devices = map { $s->member("frida$_") } 1 .. 2;
$devices[1] = { %{ $devices[0] }, session => $s->db->uuid };
$s->db->{web}->one($s->db->anon($s->{tenant_id}),
    'select * from api.session_open(?, ?, ?, ?, ?, ?, ?)',
    $devices[1]{session}, $devices[0]{user_id}, 'local', 'test',
    '127.0.0.0/24', 3600_000, 86400_000);
$devices[1]{token} = $s->token($devices[1]);
my $lost = $s->token($devices[1]);

is $s->post('/v1/auth/revoke', as => $devices[0], json => {
    token => $lost })->status, 204, 'a lost token';
is $s->get('/guarded', as => $lost)->code, 'token_revoked', 'is out at once';
is out($lost, time), 'token_revoked', 'and everywhere';
is said($devices[1]), '200', 'its session goes on';
is $s->post('/v1/auth/revoke', as => $devices[0], json => {
    token => $_ })->status, 204, 'what is no token needs no revoking'
    for 'x', $lost;
is $s->post('/v1/auth/revoke', as => $devices[0], json => {
    token => $bob->{token} })->code, 'forbidden', 'nobody revokes for others';
is said($bob), '200', '... nor did';

is $s->post('/v1/auth/logout-all', as => $devices[0])->status, 204,
    'the end of all sessions';
is $s->get('/v1/me', as => $_)->code, 'token_revoked', 'at once here'
    for @devices;
is out($_->{token}, time), 'token_revoked', 'and everywhere' for @devices;

# --- the feed goes on when its worker goes

$s->allow_errors(qr/exited on signal 9/);
my @old = children($second);

for my $end ('HUP', 'KILL', 'KILL') {
    my $id = $s->db->uuid;
    my $new = $s->token($bob, jti => $id);

    is said($new), '200', 'a good token';
    $asked = asked();
    kill $end => $end eq 'HUP' ? $second : shift @old;
    is out($new, revoke(token => $id)), 'token_revoked', "out, after $end";
    is asked(), $asked, '... which the feed has said, as before';

    next if $end ne 'HUP';
    poll(20, sub { !grep { kill 0, $_ } @old }) or die 'no reload';
    @old = children($second);
}

# --- guesses that come at once are no more than those one after the other

my @guess = map { IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") }
    1 .. 8;
my $guess = '{"login":"bob","password":"not the right one"}';
print $_ "POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    . "Content-Type: application/json\r\nContent-Length: "
    . length($guess) . "\r\n\r\n$guess" for @guess;
my %answers;
$answers{ <$_> =~ m{^HTTP/1.1 (\d+)} ? $1 : 'none' }++ for @guess;
is_deeply \%answers, { 401 => 3, 429 => 5 }, 'as many as may fail are checked';

# --- a crowd that has no room: they are asked for until it has left, no longer

my @crowd = map { { token => $partner->token('ES256', sub => 'yan',
                                             jti => "crowd-$_") } } 1 .. 20;
sub crowd_asked
{
    my $before = asked($away);

    third($_)->status == 200 or return 'refused' for @crowd;
    return asked($away) - $before;
}

$s->sql(<<"SQL", $_->[0], $_->[1], $_->[2], $_->[3])
insert into podi.revocation_any (issuer, kind, id, until, reason, revoked_at)
select 'partner', 'token', ? || i, now() + ?::interval, 'a test',
       clock_timestamp() - ?::interval
  from generate_series(1, ?::int) i
SQL
    for ['short-', '8 s', '2 s', 12000], ['long-', '300 days', '0 s', 300],
        ['late-', '300 days', '-16 s', 1];  # behind it nobody looks again
ok poll(10, sub { crowd_asked() =~ /^[1-9]/ }), 'a full table is not trusted';
is third({ token => $partner->token('ES256', sub => 'yan',
                                    jti => "long-$_") })->code,
    'token_revoked', 'who had no room is out all the same'
    for 1, 100, 200, 300;
ok poll(60, sub { crowd_asked() eq '0' }), 'when there is room again, it is';
$asked = asked($away);
is third({ token => $partner->token('ES256', sub => 'yan',
                                    jti => "long-$_") })->code,
    'token_revoked', 'and who had none is in the table' for 1, 100, 200, 300;
is asked($away), $asked, '... with nobody asked';

# --- what was heard long ago is not believed

$s->allow_errors(qr/PostgreSQL/);
Podi::Stack::Files::write_file("$dir/second/a-minute-ago", '');
ok poll(20, sub { minute($urls[0]) ne minute($urls[1]) }),
    'the clock of the other nginx is set back';
$s->pg->stop;
ok poll(20, sub { said($bob) eq 'unavailable' }),
    'without PostgreSQL nobody is let in any more';
ok poll(20, sub { (third($his{yan})->code // '') eq 'unavailable' }),
    'nor at the third';
is said($token{token}), 'token_revoked', 'who is known to be out is told so';

$s->pg->start;
ok poll(20, sub { said($bob) eq '200' }), 'PostgreSQL is back';
ok poll(20, sub { third($his{yan})->status == 200 }), 'there as well';

kill 'QUIT', $_ for $second, $third;
ok poll(20, sub { reaped($_) }), 'the other nginx ends' for $second, $third;
$s->done;
done_testing;
