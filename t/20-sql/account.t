#!/usr/bin/perl

# Accounts: register, credential, roles, audit.

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
my $ctl = $db->login('podi_ctl');
my $acme = $db->tenant('acme');
my $anon = $db->anon($acme);
my $register = 'select * from api.account_register(?, ?, ?, ?, ?, ?)';


# --- tenants ---------------------------------------------------------------

my $create = 'select * from sys.tenant_create(?, ?, ?)';
my $again = $ctl->one(undef, $create, $db->uuid, 'acme', 'Another name');
is_deeply([@$again{qw(tenant_id name is_new)}], [$acme, 'The acme', 0],
          'a slug names one tenant');
$ctl->refused('U0409', undef, $create, $acme, 'other', 'x',
              'an id belongs to one tenant');
$ctl->refused('U0422', undef, $create, $db->uuid, $_, 'x', "slug '$_'")
    for '', 'Acme', '-a', 'a b', 'x' x 64;


# --- register --------------------------------------------------------------

my $id = $db->uuid;
my $row = $web->one($anon, $register, $id, 'Ann@Example.ORG', 'hash', 'Ann',
                    undef, undef);
is($row->{user_id}, $id, 'the id is the caller\'s');
is($row->{login}, 'ann@example.org', 'the login is folded');
is($row->{role}, 'user', 'nobody registers as more than a user');

$web->refused('U0414', $anon, $register, $db->uuid, 'ANN@example.org', 'h',
              'Ann', undef, undef, 'a login is taken whatever its case');

my $error;
for my $bad (['', 'A', 'login'], ['a b', 'A', 'login'], ["a\nb", 'A', 'login'],
             ['x' x 255, 'A', 'login'], [undef, 'A', 'login'],
             ['bob', '', 'display_name'], ['bob', undef, 'display_name'],
             ['bob', 'x' x 201, 'display_name'])
{
    my ($login, $name, $field) = @$bad;

    $error = $web->refused('U0422', $anon, $register, $db->uuid, $login, 'h',
                           $name, undef, undef, "wrong $field");
    is(eval { decode_json($error->{detail})->{field} }, $field, 'named');
}

my $ann = { tenant => $acme, user => $id, login => 'ann@example.org',
            slug => 'acme' };
is($web->one($db->as($ann), 'select * from api.wallet_read()')->{available},
   0, 'a wallet is there');
is($web->one($db->as($ann), 'select * from api.event_head()')->{top}, 0,
   'and an event head');

# two sessions want one login at the same time
my $second = $db->login('podi_web');
my $context = $db->anon($acme);
my ($one, $two) = ($db->uuid, $db->uuid);
$web->dbh->begin_work;
$web->all($context, $register, $one, 'twin', 'h', 'T', undef, undef);
$second->dbh->begin_work;
$second->dbh->do('select api.context_open(?)', undef, $context);
$second->send("select * from api.account_register('$two', 'Twin', 'h', 'T',"
              . ' null, null)');
$second->wait_blocked($super);
$web->dbh->commit;
ok(!eval { $second->wait }, 'the second of two waits, then');
is($@->{state}, 'U0414', 'finds the login taken');
$second->dbh->rollback;


# --- credential ------------------------------------------------------------

my $credential = 'select * from api.account_credential(?)';
is_deeply($web->all($anon, $credential, 'ANN@example.org'),
          [{ user_id => $id, password_hash => 'hash' }], 'a credential');
is_deeply($web->all($anon, $credential, 'nobody'), [], 'none of nobody');

my $rehash = 'select api.account_password_rehash(?, ?, ?)';
$web->all($anon, $rehash, $id, 'not the hash', 'new');
is($web->one($anon, $credential, 'ann@example.org')->{password_hash}, 'hash',
   'a rehash needs the old hash');
$web->all($anon, $rehash, $id, 'hash', 'new');
is($web->one($anon, $credential, 'ann@example.org')->{password_hash}, 'new',
   'and replaces it');

$super->run(q{update podi.users set state = 'disabled' where user_id = ?}, $id);
is_deeply($web->all($anon, $credential, 'ann@example.org'), [],
          'a disabled user has no credential');
$super->run(q{update podi.users set state = 'active' where user_id = ?}, $id);


# --- roles -----------------------------------------------------------------

my $role = 'select * from sys.account_role(?, ?, ?)';
is($ctl->one(undef, $role, 'acme', 'ANN@example.org', 'admin')->{role},
   'admin', 'an operator makes an admin');
$ctl->one(undef, $role, 'acme', 'ann@example.org', 'admin');
is($super->value(undef, "select count(*) from podi.audit where user_id = ?"
                 . " and verb = 'account.role'", $id), 1, 'once');
$ctl->refused('U0422', undef, $role, 'acme', 'ann@example.org', $_ , 'no role')
    for 'root', undef;
$ctl->refused('U0404', undef, $role, 'acme', 'nobody', 'admin', 'no user');
$ctl->refused('U0404', undef, $role, 'none', 'ann', 'admin', 'no tenant');


# --- audit -----------------------------------------------------------------

$web->all($anon, 'select api.account_login_failed(?, ?)', 'Ann@example.org',
          '10.1.2.0/24');
$web->all($anon, 'select api.account_login_failed(?, ?)', 'x' x 10_000, undef);
is_deeply([map { $_->{verb} } @{ $super->all(undef,
               'select verb from podi.audit where user_id = ? order by audit_id',
               $id) }],
          [qw(account.register account.role account.login_failed)],
          'what happened is in the audit');
is($super->value(undef, q{select max(length(detail ->> 'login'))}
                 . ' from podi.audit'), 254, 'a stranger\'s text is cut');
$super->refused('U0409', undef, $_, $_)
    for q{update podi.audit set verb = 'x'}, 'delete from podi.audit',
        'truncate podi.audit';

$db->whole;
done_testing;
