#!/usr/bin/perl

# Keys of programs: who may make which, and who speaks with one.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Digest::SHA qw(sha256);
use JSON::PP qw(decode_json encode_json);
use Test::More;

use Podi::Sql;

my $db = Podi::Sql->new;
my $super = $db->super;
my $web = $db->login('podi_web');
my ($acme, $zeta) = map { $db->tenant($_) } qw(acme zeta);
my ($ann, $bob) = map { $db->user($acme, $_) } qw(ann bob);
my $me = $db->as($ann);


sub hash_of { return '\x' . unpack 'H*', sha256($_[0]) }


sub make
{
    my ($who, $secret, %o) = @_;

    return $web->one($who, 'select * from api.api_key_create(?,?,?,?,?,?,?)',
                     $db->uuid, $o{name} // 'a key', $o{role} // 'user',
                     $o{scopes} ? encode_json($o{scopes}) : undef,
                     hash_of($secret), $o{days} // 7, $o{session});
}


sub open_key
{
    my ($key, $secret, $tenant) = @_;

    return $web->one($db->gateway($tenant // $acme),
                     'select * from api.api_key_open(?, ?)', $key,
                     hash_of($secret));
}


sub refused
{
    my (@make) = @_;

    return eval { make(@make); 'made' } // $@->{state};
}


# --- made --------------------------------------------------------------------

my $key = make($me, 's1', scopes => ['b', 'a', 'a']);
my $id = $key->{key_id};
is_deeply(decode_json($key->{scopes}), ['a', 'b'], 'scopes, each once');
is($super->value(undef, 'select identity_source from podi.session'
                 . ' where session_id = ?', $id), 'api_key',
   'a key is a session');

is(refused($me, 's', role => 'admin'), 'U0403', 'no more than its owner');
is(refused($me, 's', role => 'anon'), 'U0422', 'no role that is none');
is(refused($me, 's', name => "a\nb"), 'U0422', 'no name of two lines');
is(refused($me, 's', days => 0), 'U0422', 'no key that has ended');
is(refused($me, 's', scopes => ['a b']), 'U0422', 'no scope of two words');
is(refused($me, 's', scopes => [1]), 'U0422', 'no scope that is no text');
is(refused($me, 's', scopes => [map { "s$_" } 1 .. 33]), 'U0422',
   'not too many');
is(refused($me, 's', session => $id), 'U0403', 'not for a key');
is(refused($db->anon($acme), 's'), 'U0401', 'not for nobody');

# --- used --------------------------------------------------------------------

my $who = open_key($id, 's1');
is_deeply([@$who{qw(user_id tenant_id role scope)}],
          [$ann->{user}, $acme, 'user', 'a b'], 'it opens');
ok(!open_key($id, 's2'), 'with its secret only');
ok(!open_key($id, 's1', $zeta), 'in its tenant only');
ok($super->value(undef, 'select used_at is not null from podi.api_key'
                 . ' where key_id = ?', $id), 'its use is noted');
is(eval { $web->one($me, 'select * from api.api_key_open(?, ?)', $id,
                    hash_of('s1')); 1 } // $@->{state}, 'U0403',
   'only the gateway may ask');

$super->run("update podi.users set role = 'admin' where user_id = ?",
            $ann->{user});
is(open_key($id, 's1')->{role}, 'user', 'it rises not with its owner');
my $high = make($db->as($ann, 'admin'), 's3', role => 'admin');
is(open_key($high->{key_id}, 's3')->{role}, 'admin', 'one of an admin');
$super->run("update podi.users set role = 'user' where user_id = ?",
            $ann->{user});
is(open_key($high->{key_id}, 's3')->{role}, 'user', 'falls with its owner');

$super->run("update podi.users set state = 'disabled' where user_id = ?",
            $ann->{user});
ok(!open_key($id, 's1'), 'and ends with him');
$super->run("update podi.users set state = 'active' where user_id = ?",
            $ann->{user});
ok(open_key($id, 's1'), 'until he is back');

$super->run("insert into podi.revocation_any (issuer, kind, id, until,"
            . " reason) values ('podi', 'token', ?, now() + interval '1 hour',"
            . " 'test')", $id);
ok(!open_key($id, 's1'), 'revoked by its name, it opens nothing');
$super->run('delete from podi.revocation_any where id = ?', $id);
ok(open_key($id, 's1'), 'only by that');

# --- seen, and taken back ----------------------------------------------------

my $list = 'select key_id from api.api_key_list(?, ?)';
is_deeply([map { $_->{key_id} } @{ $web->all($me, $list, undef, 10) }],
          [$high->{key_id}, $id], 'listed, newest first');
is_deeply([map { $_->{key_id} }
           @{ $web->all($me, $list, $high->{key_id}, 10) }],
          [$id], 'page by page');
is_deeply($web->all($db->as($bob), $list, undef, 10), [], 'to its owner only');

my $revoke = 'select * from api.api_key_revoke(?)';
is(eval { $web->one($db->as($bob), $revoke, $id); 1 } // $@->{state}, 'U0404',
   'nobody else takes it back');
my $end = $web->one($me, $revoke, $id);
ok($end->{revoked_at}, 'he does');
is(decode_json($end->{_events})->[0]{type}, 'session.revoked', 'and is told');
is($web->one($me, $revoke, $id)->{revoked_at}, $end->{revoked_at},
   'again changes nothing');
ok(!open_key($id, 's1'), 'it opens nothing any more');

# --- bounded -----------------------------------------------------------------

my $b = $db->as($bob);
make($b, "n$_") for 1 .. 50;
is(refused($b, 'n51'), 'U0409', 'fifty that live');
my ($one) = @{ $web->all($b, $list, undef, 1) };
$web->one($b, $revoke, $one->{key_id});
is(refused($b, 'n51'), 'made', 'of one that has ended the place is free');

# --- of a channel ------------------------------------------------------------

my $bound = $web->one($me, 'select * from api.api_key_create(?,?,?,?,?,?,?,?)',
                     $db->uuid, 'bound', 'user', undef, hash_of('s9'), 7,
                     undef, 'shop')->{key_id};
is(open_key($bound, 's9')->{channel}, 'shop', 'a key of a channel');
my $free = make($me, 's1')->{key_id};
is(open_key($free, 's1')->{channel}, undef, 'or of none');
$super->run("insert into podi.revocation_any (issuer, kind, id, not_before,"
            . " until, reason) values ('', 'channel', ?, now(),"
            . " now() + interval '1 hour', 'test')", 'shop');
ok(!open_key($bound, 's9'), 'ends with what the channel handed out');
ok(open_key($free, 's1'), 'and no other');
$super->run("delete from podi.revocation_any where id = 'shop'");

done_testing;
