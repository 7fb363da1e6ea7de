#!/usr/bin/perl

# What is revoked: who may say so, who hears of it, what the gateway is told of
# an identity, and when it is forgotten.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP qw( decode_json );
use Test::More;

use Podi::Sql;

my $db = Podi::Sql->new;
my $super = $db->super;
my $web = $db->login('podi_web');
my $ctl = $db->login('podi_ctl');
my $worker = $db->login('podi_worker');
my ($acme, $zeta) = map { $db->tenant($_) } qw( acme zeta );
my ($ann, $bob) = map { $db->user($acme, $_) } qw( ann bob );
my $eve = $db->user($zeta, 'eve');
my $me = $db->as($ann);
my $gate = $db->gateway($acme);

my $revoke = "select * from sys.revoke(?, ?, ?, ?, ?, 'a test')";


sub opened
{
    my ($who, $source, $channel) = @_;

    return $web->one($db->anon($who->{tenant}), 'select session_id from'
        . ' api.session_open(?,?,?,?,?,?,?,?)', $db->uuid, $who->{user},
        $source // 'local', 'a browser', '10.0.0.0/24', 3600_000, 86400_000,
        $channel)->{session_id};
}


# what is at fault with an identity, or "live"
sub fault
{
    my (%id) = (issuer => 'podi', user => $ann->{user}, @_);
    my $r = $web->one($gate, 'select * from api.identity_check(?,?,?,?,?,?)',
        @id{qw( issuer user session token channel issued )});

    return $r->{live} ? 'live' : $r->{kind};
}


# "kind issuer id" of what the gateway hears, since the beginning or a time
sub heard
{
    my ($since, $tenant) = @_;
    my $rows = $web->all($db->gateway($tenant // $acme),
        'select * from api.revocation_feed(?, ?)', ($since) x 2);

    return join ', ', sort map { "$_->{kind} $_->{issuer} $_->{id}" }
        grep { defined $_->{kind} } @$rows;
}


sub now { return $super->value(undef, 'select clock_timestamp()') }

sub by_operator { return $ctl->one(undef, $revoke, @_) }


# --- a user ----------------------------------------------------------------

my @sessions = sort map { opened($ann) } 1 .. 2;
my $other = opened($bob);
my $since = now();
is(fault(session => $sessions[0]), 'live', 'a session');
is(fault(session => $other), 'session', 'is good for its user only');
is(fault(user => $db->uuid), 'user', 'nobody is not live');

my $r = by_operator('user', 'podi', 'ANN', 'acme', 60);
is("$r->{kind} $r->{issuer} $r->{id} $r->{ended}",
   "user podi $ann->{user} 2", 'a user by login: his sessions end');
is_deeply([map { "$_->{type} $_->{data}{session_id}" }
           @{ decode_json($r->{_events}) }],
          [map { "session.revoked $_" } @sessions], 'which he is told');
is(heard($since), join(', ', sort("user podi $ann->{user}",
                                  map { "session podi $_" } @sessions)),
   'the gateway hears of it');
is(heard($since, $zeta), '', 'that of another tenant does not');
is(fault(session => $sessions[0]), 'session', 'a session that has ended');
is(fault(issued => $since), 'user', 'what he was issued before');
is(fault(), 'user', 'or nobody knows when');
is(fault(session => opened($ann), issued => now()), 'live',
   'who signs in again is in');
is(fault(user => $bob->{user}, session => $other), 'live', 'so are others');
is(by_operator('user', 'podi', $ann->{user}, undef, 60)->{ended}, 1,
   'a user by his id');
$ctl->refused('U0404', undef, $revoke, 'user', 'podi', $db->uuid, undef, 60,
              'who is not there');
$ctl->refused('U0422', undef, $revoke, 'user', 'podi', 'ann', undef, 60,
              'a login without a tenant');


# --- a session, a token, a channel -----------------------------------------

my $one = opened($bob);
$since = now();
is(by_operator('session', 'podi', $one, undef, 60)->{ended}, 1, 'a session');
is(heard($since), "session podi $one", '... is heard of');
is(by_operator('session', 'podi', $one, undef, 60)->{ended}, 0,
   '... and ends once');

my $jti = $db->uuid;
$since = now();
by_operator('token', 'podi', $jti, undef, 60);
is(heard($since, $_), "token podi $jti", 'a token, for all tenants')
    for $acme, $zeta;
is(fault(user => $bob->{user}, session => $other, token => $jti,
         issued => now()), 'token', '... whenever it was issued');
is(fault(user => $bob->{user}, session => $other, token => $db->uuid),
   'live', '... and no other');

$since = now();
my $joe = $db->user($db->tenant('beta'), 'joe');
my @shop = map { opened($_, 'local', 'shop') } $joe, $eve;
my $sho = opened($eve, 'local', 'sho');
my $shut = by_operator('channel', 'corp', 'shop', undef, 60);
my $ends = $super->all(undef, 'select session_id, revoked_at is not null as out'
    . " from podi.session where session_id in (?, ?, ?) order by 2, 1",
    @shop, $sho);
is_deeply([map { $_->{session_id} } grep { $_->{out} } @$ends], [sort @shop],
          'sessions of a channel end with it, in each tenant, and no others');
is($shut->{ended}, 2, '... so many are told of');
is(() = $shut->{_events} =~ /session\.revoked/g, 2, '... and tell their users');
is(heard($since), 'channel  shop', 'a channel is of no issuer');
is(fault(user => $bob->{user}, session => $other, channel => 'shop',
         issued => $since), 'channel', '... whoever issued it');
is(fault(user => $bob->{user}, session => $other, channel => 'shop',
         issued => now()), 'live', '... before');
is(fault(user => $bob->{user}, session => $other, channel => 'sho'),
   'live', '... and no other');


# --- people of other issuers -----------------------------------------------

$since = now();
is(fault(issuer => 'corp', user => 'zoe'), 'live', 'they have no rows');
by_operator('user', 'corp', 'zoe', undef, 60);
by_operator('session', 'corp', 's1', undef, 60);
is(heard($since), 'session corp s1, user corp zoe', 'a user and a session');
is(fault(issuer => 'corp', user => 'zoe', issued => $since), 'user',
   'the user is out');
is(fault(issuer => 'corp', user => 'yan', session => 's1', issued => now()),
   'session', 'so is whoever has the session');
is(fault(issuer => 'other', user => 'zoe', session => 's1'), 'live',
   'of that issuer');


# --- without a tenant ------------------------------------------------------

my $nobody = $db->gateway('*');
$since = now();
by_operator('user', 'corp', 'yan', undef, 60);
by_operator('user', 'podi', $eve->{user}, undef, 60);
is(heard($since, '*'), 'user corp yan', 'nobody hears of other issuers alone');
is($web->one($nobody, 'select * from api.identity_check(?,?,?,?,?,?)', 'corp',
             'yan', (undef) x 3, $since)->{kind}, 'user', '... and may ask');
is($web->one($nobody, 'select * from api.identity_check(?,?,?,?,?,?)', 'podi',
             $ann->{user}, (undef) x 4)->{kind}, 'user',
   '... but is shown no tenant');
$web->refused('U0404', $db->mint(tenant => '*', role => $_),
              'select * from api.revocation_feed(now(), now())',
              "only as the gateway: $_") for qw( anon worker );
$web->refused('U0404', $db->mint(tenant => '*', role => 'user',
                                 user => $ann->{user}),
              'select * from api.revocation_feed(now(), now())',
              '... not as a user');
$web->refused('U0404', $nobody, $_, "nobody may not: $_")
    for 'select * from api.api_key_open(null, null)',
        q{select * from api.account_credential('ann')},
        "select * from api.event_tops('{}')";


# --- by the user himself ---------------------------------------------------

my $mine = $db->uuid;
$since = now();
my $until = $super->value(undef, "select now() + interval '1 min'");
$web->one($me, 'select * from api.token_revoke(?, ?)', $mine, $until);
$web->one($me, 'select * from api.token_revoke(?, ?)', $mine, $until);
is(heard($since), "token podi $mine", 'a token of his own');
is(heard($since, $zeta), '', 'which another tenant does not hear of');

ok($web->one($db->as($ann, 'service'),
             'select * from api.token_revoke(?, ?)', $db->uuid, $until),
   'a service ends its own, too');

@sessions = sort map { opened($ann) } 1 .. 3;
my $key = opened($ann, 'api_key');
$r = $web->one($me, 'select * from api.session_end_all(null)');
is_deeply(decode_json($r->{ended}), \@sessions, 'all sessions');
is(scalar @{ decode_json($r->{_events}) }, 3, 'each is told');
is(fault(user => $bob->{user}, session => $other), 'live',
   'those of others go on');
is(fault(session => $key, issued => now()), 'live', 'so does an API key');
is_deeply($web->one($me, 'select ended, _events from'
                    . ' api.session_end_all(null)'),
          { ended => '[]', _events => '[]' }, 'twice is once');


is(by_operator('user', 'podi', $ann->{user}, undef, 60)->{ended}, 1,
   'which an operator ends with its user');


# --- who may ---------------------------------------------------------------

$web->refused('U0403', $me, 'select * from api.revocation_feed(now(), now())',
              'a user does not hear of others');
$web->refused('U0403', $me, "select * from api.identity_check('podi', null,"
              . ' null, null, null, null)', 'nor asks about them');
$web->refused('U0401', $db->anon($acme), $_, 'a stranger ends nothing')
    for 'select * from api.session_end_all(null)',
        "select * from api.token_revoke('$mine', now())";
$ctl->refused('U0422', undef, $revoke, @$_, "wrong: @{[ map { $_ // 'null' } @$_ ]}")
    for ['tenant', 'podi', 'x', undef, 60], ['token', 'podi', '', undef, 60],
        ['token', 'podi', 'x' x 513, undef, 60],
        ['token', 'podi', 'x', undef, 0],
        ['token', 'podi', 'x', undef, 400 * 86400];


# --- its end ---------------------------------------------------------------

my $all = heard('2000-01-01');
$super->run("update podi.$_ set until = now() - interval '1 s'")
    for qw( revocation revocation_any );
is(fault(user => $bob->{user}, session => $other, token => $jti), 'live',
   'a revocation that is over');
unlike(heard('2000-01-01'), qr/user|token|channel/, '... is not heard of');
like($all, qr/user.*/, '... as it was');

my $purge = "select n from sys.purge(2) where what = 'revocation'";
is($worker->value(undef, $purge), 0, 'a day long it can be looked up');
$super->run("update podi.$_ set until = now() - interval '25 h'")
    for qw( revocation revocation_any );
is($worker->value(undef, $purge), 4, 'then it goes, a few at a time');
$worker->value(undef, $purge) for 1 .. 5;
is($super->value(undef, 'select (select count(*) from podi.revocation)'
                 . ' + (select count(*) from podi.revocation_any)'), 0,
   'until all are gone');

done_testing;
