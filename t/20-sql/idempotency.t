#!/usr/bin/perl

# Idempotency keys: one effect for one key, also when both requests run at the
# same time.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Podi::Sql;

my $db = Podi::Sql->new;
my $super = $db->super;
my $web = $db->login('podi_web');
my $second = $db->login('podi_web');
my $acme = $db->tenant('acme');
my $zeta = $db->tenant('zeta');
my $anon = $db->anon($acme);
my $register = 'select * from api.account_register(?, ?, ?, ?, ?, ?)';
my ($h1, $h2) = map { $_ x 32 } 1, 2;


sub users
{
    return $super->value(undef, 'select count(*) from podi.users'
                         . ' where tenant_id = ?', $acme);
}


# the same request while the first is still running
sub twin
{
    my ($key) = @_;
    my $id = $db->uuid;

    $second->dbh->begin_work;
    $second->dbh->do('select api.context_open(?)', undef, $anon);
    $second->send("select * from api.account_register('$id', 'twin', 'h',"
                  . " 'T', '$key', '" . '1' x 32 . "')");
    $second->wait_blocked($super);
    return $id;
}


# --- one after the other ---------------------------------------------------

my $id = $db->uuid;
my $row = $web->one($anon, $register, $id, 'ann', 'h', 'A', 'k1', \$h1);
is_deeply($web->one($anon, $register, $db->uuid, 'ann', 'h', 'A', 'k1', \$h1),
          $row, 'the same key and body: the same answer');
is(users(), 1, 'and one user');

$web->refused('U0410', $anon, $register, $db->uuid, 'Ann', 'h', 'B', 'k1',
              \$h2, 'the same key with another body');
is($web->one($anon, $register, $db->uuid, 'eve', 'h', 'E', 'k1', \$h2)->{login},
   'eve', 'the same key of another stranger is another key');
$web->refused('U0422', $anon, $register, $db->uuid, 'bob', 'h', 'B',
              $_, \$h1, 'a key of a wrong length') for '', 'x' x 256;
$web->refused('U0414', $anon, $register, $db->uuid, 'ann', 'h', 'A', 'k2',
              \$h1, 'a request that fails');
ok($web->one($anon, $register, $db->uuid, 'bob', 'h', 'B', 'k2', \$h2),
   'leaves its key free');
ok($web->one($db->anon($zeta), $register, $db->uuid, 'ann', 'h', 'A', 'k1',
             \$h2), 'keys of tenants do not meet');

# as podi_core, for a function that wants another route
$super->dbh->begin_work;
$super->dbh->do('select api.context_open(?)', undef, $anon);
$super->dbh->do(q{select internal.enter('any')});
$super->dbh->do('set local role podi_core');
$super->refused('U0410', undef, 'select internal.idem_begin(?, ?, ?, ?)',
                'media.upload', 'k1', \$h1, 'ann',
                'the same key on another route');
$super->dbh->rollback;

$super->dbh->begin_work;
$super->dbh->do('select api.context_open(?)', undef, $anon);
$super->dbh->do(q{select internal.enter('any')});
$super->dbh->do('set local role podi_core');
is($super->value(undef, q{select internal.idem_begin('r', 'k9', 'x')}), undef,
   'a new key');
$super->dbh->do('savepoint s');
$super->refused('U0409', undef, q{select internal.idem_begin('r', 'k9', 'x')},
                'a key that has no answer yet');
$super->dbh->do('rollback to s');
$super->refused('U0409', undef, q{select internal.idem_end('r', 'k8', '{}')},
                'an answer to a key that nobody claimed');
$super->dbh->rollback;


# --- at the same time ------------------------------------------------------

my $n = users();
$web->dbh->begin_work;
my $first = $web->one($anon, $register, $db->uuid, 'twin', 'h', 'T', 'k3',
                      \$h1);
twin('k3');
$web->dbh->commit;
is_deeply($second->wait->[0], $first,
          'the second waits, then gets the answer of the first');
$second->dbh->commit;
is(users(), $n + 1, 'one of two twins had an effect');

$super->run(q{delete from podi.user_head h using podi.users u}
            . q{ where h.user_id = u.user_id and u.login = 'twin'});
$super->run(q{delete from podi.wallet w using podi.users u}
            . q{ where w.user_id = u.user_id and u.login = 'twin'});
$super->run(q{delete from podi.users where login = 'twin'});

$web->dbh->begin_work;
$web->one($anon, $register, $db->uuid, 'twin', 'h', 'T', 'k4', \$h1);
my $heir = twin('k4');
$web->dbh->rollback;
is($second->wait->[0]{user_id}, $heir,
   'when the first rolls back, the second does the work');
$second->dbh->commit;
is(users(), $n + 1, 'once');


# --- purge -----------------------------------------------------------------

my $worker = $db->login('podi_worker');
$super->run(q{update podi.idempotency set created_at = now()}
            . q{ - interval '8 days' where key = 'k1'});
$super->run(q{update podi.idempotency set created_at = now()}
            . q{ - interval '6 days' where key = 'k2'});
my %purged = map { $_->{what} => $_->{n} }
                 @{ $worker->all(undef, 'select * from sys.purge(100)') };
is($purged{idempotency}, 3, 'keys go after seven days, in every tenant');
is($super->value(undef, q{select count(*) from podi.idempotency}
                 . q{ where key = 'k2'}), 1, 'not before');

$db->whole;
done_testing;
