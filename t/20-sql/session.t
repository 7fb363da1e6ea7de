#!/usr/bin/perl

# Sessions: open, rotate, end.  A second tab or a lost answer never logs
# anybody out; a replayed old token ends the session.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP qw(decode_json);
use Test::More;

use Podi::Sql;

my $db = Podi::Sql->new;
my $super = $db->super;
my $web = $db->login('podi_web');
my $acme = $db->tenant('acme');
my $anon = $db->anon($acme);
my $ann = $db->user($acme, 'ann');
my $bob = $db->user($acme, 'bob');
my $me = $db->as($ann);

my $HOUR = 3_600_000;


sub opened
{
    my ($who, %o) = @_;

    return $web->one($anon, 'select * from api.session_open(?,?,?,?,?,?,?,?)',
                     $db->uuid, $who->{user}, 'local', 'a browser',
                     '10.0.0.0/24', $o{idle} // $HOUR, $o{abs} // 24 * $HOUR,
                     $o{channel});
}


sub refresh
{
    my ($session, $counter, $by) = @_;

    return ($by // $web)->one($anon, 'select * from'
           . ' api.session_refresh(?, ?, ?)', $session, $counter, $HOUR);
}


sub live
{
    my ($session) = @_;

    return $web->value($db->gateway($acme), 'select live from'
                       . " api.identity_check('podi', ?, ?, null, '', null)",
                       $ann->{user}, $session);
}


# --- open ------------------------------------------------------------------

my $s = opened($ann);
my $id = $s->{session_id};
is_deeply([@$s{qw(user_id login role tenant_id rt_counter)}],
          [$ann->{user}, 'ann', 'user', $acme, 1], 'a session opens');
ok(live($id), 'and is live');

my $row = $web->one($me, 'select * from api.account_me(?)', $id);
is_deeply([@$row{qw(login identity_source tenant session_expires_at)}],
          ['ann', 'local', 'acme', $s->{idle_expiry}], 'and is me');
is_deeply([grep { /admin/ } @{ decode_json($row->{permissions}) }], [],
          'a user has no permission of an admin');
my $short = opened($ann, idle => 10 * $HOUR, abs => $HOUR);
is($short->{idle_expiry}, $short->{abs_expiry},
   'idle time ends with the session');

$super->run(q{update podi.users set state = 'disabled' where user_id = ?},
            $ann->{user});
ok(!live($id), 'a disabled user has no live session');
is(refresh($id, 1)->{verdict}, 'refused', 'and none to refresh');
eval { opened($ann) };
is($@->{state}, 'U0412', 'and cannot open one');
$super->run(q{update podi.users set state = 'active' where user_id = ?},
            $ann->{user});


# --- rotate ----------------------------------------------------------------

my $r = refresh($id, 1);
is_deeply([@$r{qw(verdict rt_counter user_id role)}],
          ['rotated', 2, $ann->{user}, 'user'], 'the newest rotates');
$r = refresh($id, 1);
is_deeply([@$r{qw(verdict rt_counter)}], ['repeated', 2],
          'a lost answer: the one behind gets the newest again');
$super->run(q{update podi.session set rotated_at = now() - interval '3 days'});
is(refresh($id, 1)->{rt_counter}, 2, 'even days later');
is(refresh($id, 2)->{rt_counter}, 3, 'the newest goes on');

# two tabs present the same token at the same moment
my $tab = $db->login('podi_web');
$web->dbh->begin_work;
my $first = refresh($id, 3);
$tab->dbh->begin_work;
$tab->dbh->do('select api.context_open(?)', undef, $anon);
$tab->send("select verdict, rt_counter from"
           . " api.session_refresh('$id', 3, $HOUR)");
$tab->wait_blocked($super);
$web->dbh->commit;
my $loser = $tab->wait->[0];
$tab->dbh->commit;
is_deeply([@$first{qw(verdict rt_counter)}], ['rotated', 4],
          'the first of two tabs rotates');
is_deeply([@$loser{qw(verdict rt_counter)}], ['repeated', 4],
          'the loser of the race gets the winner\'s token');
ok(live($id), 'and is not logged out');

# replay
my $before = $web->value($me, 'select top from api.event_head()');
is(refresh($id, 4)->{rt_counter}, 5, 'on we go');
$r = refresh($id, 3);
is($r->{verdict}, 'refused', 'two behind is a replay');
is($r->{user_id}, undef, 'and tells nothing');
ok(!live($id), 'the session is over');
is_deeply([map { "$_->{type} $_->{data}{reason}" }
               @{ decode_json($r->{_events}) }],
          ['session.revoked refresh_replay'], 'its user is told');
is($web->value($me, 'select top from api.event_head()'), $before + 1,
   'in the numbered events');
is($super->value(undef, q{select count(*) from podi.audit where verb =}
                 . q{ 'session.replay' and user_id = ?}, $ann->{user}), 1,
   'and so is the audit');
is(refresh($id, 5)->{verdict}, 'refused', 'the thief\'s newest is worth nothing');
is(refresh($id, 5)->{_events}, '[]', 'and it is told once');

for my $counter (99, -1, undef) {
    my $other = opened($bob)->{session_id};

    is(refresh($other, $counter)->{verdict}, 'refused',
       'a counter that was never handed out is refused');
    ok(!live($other), 'and ends the session');
}


# --- expiry ----------------------------------------------------------------

$id = opened($ann)->{session_id};
$super->run(q{update podi.session set abs_expiry = now() + interval '5 min',}
            . q{ idle_expiry = now() + interval '1 min' where session_id = ?},
            $id);
$r = refresh($id, 1);
is($r->{idle_expiry}, $r->{abs_expiry}, 'use extends up to the end only');
$super->run(q{update podi.session set idle_expiry = now() - interval '1 s'}
            . ' where session_id = ?', $id);
is(refresh($id, 2)->{verdict}, 'refused', 'an idle session is over');
ok(!live($id), 'as everybody sees');
$web->refused('U0411', $me, 'select * from api.account_me(?)', $id,
              'also its owner');


# --- end -------------------------------------------------------------------

my $end = 'select * from api.session_end(?, ?)';
$id = opened($ann)->{session_id};
my $since = $super->value(undef, 'select clock_timestamp()');
$r = $web->one($me, $end, $id, 'logout');
ok($r->{ended}, 'logout');
is_deeply([map { $_->{type} } @{ decode_json($r->{_events}) }],
          ['session.revoked'], 'tells the other tabs');
my $again = $web->one($me, $end, $id, 'logout');
is_deeply([@$again{qw(ended revoked_at _events)}], [0, $r->{revoked_at}, '[]'],
          'twice is once');
my $ended = "select tenant_id, id from api.revocation_feed(?, 'infinity')";
is_deeply($web->all($db->gateway($acme), $ended, $since),
          [{ tenant_id => $acme, id => $id }], 'the gateway learns of it');
is_deeply($web->all($db->gateway($acme), $ended, '2200-01-01'),
          [{ tenant_id => $acme, id => undef }],
          'and whose sessions they are, when none has ended');
$web->refused('U0403', $me, $ended, $since, 'a user does not');


# --- tickets ---------------------------------------------------------------

my $issue = 'select * from api.event_ticket_issue(?, ?, ?)';
my $take = 'select * from api.event_ticket_take(?)';
$id = opened($ann)->{session_id};
my ($a, $b, $c) = map { $_ x 32 } qw(a b c);
ok($web->one($me, $issue, \$a, $id, 30_000)->{expires_at}, 'a ticket');
is_deeply([@{ $web->one($anon, $take, \$a) }{qw(user_id session_id role)}],
          [$ann->{user}, $id, 'user'], 'opens one stream');
is_deeply($web->all($anon, $take, \$a), [], 'once');
is_deeply($web->all($anon, $take, \$b), [], 'an unknown one opens none');
$web->one($me, $issue, \$b, $id, -1);
is_deeply($web->all($anon, $take, \$b), [], 'an old one opens none');
$web->one($me, $issue, \$c, $id, 30_000);
$web->one($me, $end, $id, 'logout');
is_deeply($web->all($anon, $take, \$c), [], 'nor one of an ended session');
$web->refused('U0411', $me, $issue, \$a, $id, 30_000, 'which gets no other');


# --- a channel, and what goes with it ----------------------------------------

my $shop = opened($ann, channel => 'shop');
is($shop->{channel}, 'shop', 'a session of a channel');
is(refresh($shop->{session_id}, 1)->{channel}, 'shop', 'it is never another');
is(opened($ann)->{channel}, undef, 'or of none');
my $iat = '2026-01-02 03:04:05+00';
my $given = 'select * from api.event_ticket_issue(?, ?, ?, ?, ?, ?)';
my $free = opened($ann)->{session_id};
$web->one($me, $given, \$c, $free, 30_000, 'a-jti', $iat, 'shop');
my $in = $web->one($anon, $take, \$c);
is_deeply([@$in{qw(session_id channel token)}], [$free, qw(shop a-jti)],
          'a ticket is of its session, and of the token that asked for it');
ok($super->value(undef, 'select ?::timestamptz = ?', $in->{issued_at}, $iat),
   'and as old as the token');
my $jti = $db->uuid;
$web->one($me, $given, \$c, $free, 30_000, $jti, $iat, '');
$web->one($me, 'select * from api.token_revoke(?, now())', $jti);
is_deeply($web->all($anon, $take, \$c), [],
          'one of a revoked token opens none, even when that would have ended');


# --- purge -----------------------------------------------------------------

my $worker = $db->login('podi_worker');
my $keep = opened($ann)->{session_id};
my $old = opened($ann)->{session_id};
$web->one($me, $issue, \$a, $keep, -1);
$super->run(q{update podi.session set revoked_at = now() - interval '31 days',}
            . q{ revoke_reason = 'x' where session_id = ?}, $old);
$super->run(q{update podi.session set revoked_at = now() - interval '29 days',}
            . q{ revoke_reason = 'x' where session_id = ?}, $keep);
my %n = map { $_->{what} => $_->{n} }
            @{ $worker->all(undef, 'select * from sys.purge(100)') };
is_deeply([@n{qw(session event_ticket)}], [1, 1],
          'dead sessions and old tickets go');
is($super->value(undef, 'select count(*) from podi.session'
                 . ' where session_id = ?', $keep), 1, 'the others stay');

$db->whole;
done_testing;
