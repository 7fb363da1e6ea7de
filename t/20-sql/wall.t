#!/usr/bin/perl

# The tenant wall: what the catalogue says, what a context can do, and what a
# caller sees of the other tenant.  Every defect that the lint knows is planted
# once and must be seen.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Podi::Sql;

my $db = Podi::Sql->new;
my $super = $db->super;
my $web = $db->login('podi_web');
my $worker = $db->login('podi_worker');
my $ctl = $db->login('podi_ctl');

my $lint = do {
    local (@ARGV, $/) = "$FindBin::Bin/../lib/wall_lint.sql";
    <>;
};


# --- the catalogue ---------------------------------------------------------

sub defects
{
    return [map { "$_->{defect}: $_->{what}" } @{ $super->all(undef, $lint) }];
}

is_deeply(defects(), [], 'the wall as it ships has no hole');

my @plant = (
    ['no tenant_id', 'create table podi.loose (x int)'],
    ['tenant_id nullable', 'create table podi.loose (tenant_id uuid)'],
    ['row security off or not forced',
     'alter table podi.wallet no force row level security'],
    ['row security off or not forced',
     'alter table podi.ledger disable row level security'],
    ['no tenant wall', 'drop policy tenant_wall on podi.users'],
    ['no tenant wall', 'alter policy tenant_wall on podi.users'
     . ' with check (true)'],
    ['no tenant wall', 'alter policy tenant_wall on podi.users to public'],
    ['policy widens the wall', 'create policy more on podi.wallet'
     . ' to podi_core using (true)'],
    ['policy widens the wall', 'create policy more on podi.wallet using (true)'],
    ['policy widens the wall', 'create policy more on podi.wallet'
     . ' to podi_keeper using (true)'],
    ['wrong owner', 'alter table podi.wallet owner to podi_core'],
    ['unique without tenant_id', 'create unique index on podi.users (login)'],
    ['foreign key without tenant_id', 'alter table podi.users add unique'
     . ' (user_id); alter table podi.wallet add foreign key (user_id)'
     . ' references podi.users (user_id)'],
    ['append only is not guarded', 'drop trigger ledger_row on podi.ledger'],
    ['append only is not guarded',
     'alter table podi.audit disable trigger audit_all'],
    ['append only is not guarded', 'grant update on podi.ledger to podi_core'],
    ['append only is not guarded',
     'grant update (reason) on podi.ledger to podi_system'],
    ['facts may be deleted', 'grant delete on podi.job to podi_system'],
    ['facts may be deleted', 'grant delete on podi.audit to podi_core'],
    ['keys readable', 'grant select on podi.chain_key to podi_system'],
    ['keys readable', 'grant select on podi.context_key to podi_core'],
    ['keys readable', 'grant select on podi.provider_key to podi_core'],
    ['append only is not guarded',
     'grant update on podi.operator_audit to podi_system'],
    ['what the database is may be changed',
     'grant update on podi.setting to podi_system'],
    ['keys readable',
     'grant select (ipad) on podi.context_key to podi_web'],
    ['view not security_invoker',
     'create view podi.leak as select * from podi.users'],
    ['materialized view',
     'create materialized view podi.leak as select * from podi.users'],
    ['role too strong', 'alter role podi_web bypassrls'],
    ['role too strong', 'alter role podi_core superuser'],
    ['inner role may log in', 'alter role podi_system login'],
    ['may become another role', 'grant podi_system to podi_web'],
    ['table privilege of a login role', 'grant select on podi.users to podi_web'],
    ['table privilege of a login role',
     'grant select (login) on podi.users to podi_ctl'],
    ['table privilege of a login role', 'grant truncate on podi.users to public'],
    ['truncate, references or trigger granted',
     'grant truncate on podi.job to podi_system'],
    ['schema open to a login role', 'grant usage on schema podi to podi_web'],
    ['schema open to a login role', 'grant usage on schema sys to podi_web'],
    ['login role may make temporary tables', 'do $$ begin execute format('
     . '\'grant temporary on database %I to podi_web\', current_database());'
     . ' end $$'],
    ['function in schema podi',
     'create function podi.f() returns int language sql as $$select 1$$'],
    ['function of the wrong owner',
     'alter function api.wallet_read owner to podi_system'],
    ['definer without its search_path',
     'alter function api.wallet_read reset search_path'],
    ['definer without its search_path',
     'alter function api.wallet_read set search_path = pg_temp, podi'],
    ['entry that is not a definer',
     'alter function api.wallet_read security invoker'],
    ['helper that is a definer',
     'alter function internal.wallet_of security definer'],
    ['api function that does not enter first',
     'create function api.f() returns int language plpgsql security definer'
     . ' set search_path = podi, pg_temp as $$begin return 1; end$$'],
    ['sys function that enters', 'create function sys.f() returns int language'
     . ' plpgsql as $$begin perform internal.enter(\'any\'); return 1; end$$'],
    ['dynamic SQL', 'create function api.f() returns int language plpgsql'
     . ' as $$begin execute \'select 1\'; return 1; end$$'],
    ['executable by everybody',
     'grant execute on function sys.wallet_grant to public'],
    ['executable by the wrong login role',
     'grant execute on function sys.wallet_grant to podi_web'],
    ['executable by the wrong login role',
     'grant execute on function api.wallet_read to podi_worker'],
    ['executable by the wrong login role',
     'grant execute on function internal.hold_freeze to podi_web'],
    ['sys function that nobody may call',
     'revoke execute on function sys.purge from podi_worker'],
);

for my $plant (@plant) {
    my ($defect, $sql) = @$plant;

    $super->dbh->begin_work;
    $super->dbh->do($sql);
    my @seen = grep { index($_, "$defect: ") == 0 } @{ defects() };
    $super->dbh->rollback;
    ok(scalar @seen, "seen: $defect ($sql)");
}

my %known = map { $_ => 1 } $lint =~ /^(?:union all\n)?select '([^']+)'/mg;
my %planted = map { $_->[0] => 1 } @plant;
is_deeply([sort keys %planted], [sort keys %known], 'every rule was planted');


# --- the context -----------------------------------------------------------

my $acme = $db->tenant('acme');
my $zeta = $db->tenant('zeta');
my $ann = $db->user($acme, 'ann');
my $bob = $db->user($acme, 'bob');
my $eve = $db->user($zeta, 'eve');
$db->grant($ann, 100, ref => 'a');
$db->grant($eve, 777, ref => 'e');

my $read = 'select available from api.wallet_read()';
my $good = $db->as($ann);

is($web->value($good, $read), 100, 'a good context reads its own wallet');
$web->refused('U0001', undef, $read, 'no context');
$web->refused('U0001', '', $read, 'an empty context');
$web->refused('U0001', 'v1|||||', $read, 'half a context');
$web->refused('U0001', $good =~ s/\Q$ann->{user}\E/$bob->{user}/r, $read,
              'another user under the same signature');
$web->refused('U0001', $good =~ s/\|user\|/|admin|/r, $read,
              'another role under the same signature');
$web->refused('U0001', $good =~ s/\|(\d+)\|(\w+)$/'|' . ($1 + 60) . "|$2"/er,
              $read, 'a later expiry under the same signature');
$web->refused('U0001', "$good ", $read, 'a signature with a tail');
$web->refused('U0001', uc($good =~ s/.*\|//r), $read, 'a signature alone');
$web->refused('U0001', $db->mint(tenant => $acme, user => $ann->{user},
              role => 'user', ttl => -1), $read, 'an expired context');
$web->refused('U0001', $db->mint(tenant => $acme, user => $ann->{user},
              role => 'user', key => 'ab' x 32), $read, 'a forged context');
$web->refused('U0001', $db->mint(tenant => $acme, user => $ann->{user},
              role => 'user', key_id => 'other'), $read, 'an unknown key');
$web->refused('U0001', $db->mint(tenant => $acme, role => 'user'), $read,
              'a user context without a user');
$web->refused('U0001', $db->mint(tenant => $acme, user => $ann->{user},
              role => 'root'), $read, 'a role that does not exist');
$web->refused('U0401', $db->anon($acme), $read, 'anonymous');
$web->refused('U0403', $db->gateway($acme), $read, 'the gateway is no user');
$web->refused('U0404', $db->anon($db->uuid), $read, 'a tenant that is not');
$web->refused('U0404', $db->anon('@nobody'),
              q{select * from api.account_credential('ann')},
              'a slug that is not');

is($web->one($db->anon('@acme'),
             q{select * from api.account_credential('ANN')})->{user_id},
   $ann->{user}, 'a slug stands for its tenant');

$super->run(q{update podi.tenant set state = 'disabled' where slug = 'zeta'});
$web->refused('U0404', $db->as($eve), $read, 'a disabled tenant');
$web->refused('U0404', $db->anon('@zeta'),
              q{select * from api.account_credential('eve')},
              'a disabled tenant by its slug');
$super->run(q{update podi.tenant set state = 'active' where slug = 'zeta'});

$super->run('update podi.context_key set retired_at = now()');
$web->refused('U0001', $good, $read, 'a retired key');
$super->run('update podi.context_key set retired_at = null');

is($web->value($good, $read), 100, 'and the good one still works');
$web->refused('U0001', undef, $read, 'a context ends with its transaction');


# --- somebody who can inject SQL -------------------------------------------

$web->dbh->do('select set_config(?, ?, false)', undef, @$_)
    for ['podi.tenant', $zeta], ['podi.user', $eve->{user}],
        ['podi.role', 'admin'];
is($web->value($good, $read), 100, 'set podi.tenant changes nothing');
$web->refused('U0001', undef, $read, 'set podi.tenant is no context');
$web->dbh->do('reset all');

$web->dbh->do('set search_path = pg_temp, public');
is($web->value($good, $read), 100, 'search_path changes nothing');
$web->dbh->do('reset search_path');

for my $session ($web, $worker, $ctl) {
    my $role = $session->{role};

    for my $sql ('select * from podi.users', 'select * from podi.ledger',
                 'select * from podi.context_key', 'truncate podi.wallet',
                 'update podi.wallet set available = 1',
                 'select internal.tenant()',
                 q{select internal.hold_freeze(null, null, null, 1, '1 h')},
                 'select * from internal.context_verify(null)',
                 'create table podi.mine (x int)',
                 'create temporary table mine (x int)',
                 'set role podi_system', 'set role podi_core')
    {
        $session->refused('42501', $good, $sql, "$role: $sql");
    }
}

$web->refused('42501', $good, q{select * from sys.wallet_grant('acme', 'ann',}
              . q{ 1, 'gift', null, 'x', 'x')}, 'nginx cannot grant');
$web->refused('42501', $good, 'select * from sys.invariant_breaks()',
              'nginx cannot look across tenants');
$worker->refused('42501', $good, q{select * from sys.wallet_grant('acme',}
              . q{ 'ann', 1, 'gift', null, 'x', 'x')}, 'a worker cannot grant');
$worker->refused('42501', $good, $read, 'a worker is no user');
$ctl->refused('42501', undef, q{select sys.worker_beat('w', 'd', 'h', 1, 0)},
              'an operator is no worker');


# --- twin tenants ----------------------------------------------------------

my $open = 'select * from api.session_open(?, ?, ?, ?, ?, ?, ?)';
my @device = ('local', 'a browser', '10.0.0.0/24', 1_000_000, 9_000_000);
my %session = map { $_->{login} => $db->uuid } $ann, $bob, $eve;
$web->one($db->anon($_->{tenant}), $open, $session{ $_->{login} },
          $_->{user}, @device) for $ann, $bob, $eve;

my $nobody = $db->uuid;
for my $other ([$bob, 'another user'], [$eve, 'another tenant']) {
    my ($who, $name) = @$other;
    my $theirs = $session{ $who->{login} };

    $web->refused('U0411', $good, 'select * from api.account_me(?)', $theirs,
                  "account_me of $name");
    ok(!$web->value($good, 'select ended from api.session_end(?, ?)', $theirs,
                    'logout'), "session_end of $name");
    $web->refused('U0411', $good, 'select * from api.event_ticket_issue(?,?,?)',
                  \("h" x 32), $theirs, 1000, "a ticket of $name");
}

# an admin stands outside the second wall: here the predicates alone hold
my $admin = $db->as($ann, 'admin');
$web->refused('U0411', $admin, 'select * from api.account_me(?)',
              $session{bob}, 'an admin is not another user');
ok(!$web->value($admin, 'select ended from api.session_end(?, ?)',
                $session{bob}, 'logout'), 'nor ends his session');
$web->refused('U0411', $admin, 'select * from api.event_ticket_issue(?,?,?)',
              \("h" x 32), $session{bob}, 1000, 'nor gets his ticket');
is($web->value($admin, $read), 100, 'nor reads his wallet');
is($web->value($admin, 'select count(*) from'
               . ' api.wallet_entries(null, 50, null, null, null, null)'), 1,
   'nor his ledger');
is($web->value($admin, 'select count(*) from api.event_read(0, 100)'), 1,
   'nor his events');
$web->refused('U0403', $good, $open, $db->uuid, $bob->{user}, @device,
              'who is signed in cannot open a session of another');

my $check = 'select live from'
    . " api.identity_check('podi', ?, ?, null, '', null)";

for my $id ($session{eve}, $nobody) {
    ok(!$web->value($db->gateway($acme), $check, $eve->{user}, $id),
       'another tenant\'s session is as dead as one that is not');
    is($web->value($good, 'select verdict from'
                   . ' api.session_refresh(?, 1, 1000)', $id),
       'refused', 'and as useless to refresh');
    is_deeply($web->all($db->gateway($acme),
                        'select * from api.event_tops(array[?]::uuid[])', $id),
              [], 'and tells nothing of events');
}
is($web->value($db->gateway($eve->{tenant}), $check, $eve->{user},
               $session{eve}), 1, 'the owner\'s session was left alone');

is_deeply($web->all($db->anon($acme),
                    q{select * from api.account_credential('eve')}), [],
          'a login of the other tenant is unknown');
$web->refused('U0412', $db->anon($acme), $open, $db->uuid, $eve->{user},
              @device, 'a user of the other tenant cannot be signed in');
is($web->value($db->as($eve), 'select count(*) from'
               . ' api.wallet_entries(null, 50, null, null, null, null)'), 1,
   'a ledger shows one tenant');
is($web->value($db->as({ tenant => $acme, user => $eve->{user} }, 'user'),
               'select count(*) from api.event_read(0, 100)'), 0,
   'a user id in the wrong tenant reads nothing');
is($web->value($db->as($ann), 'select count(*) from api.event_read(0, 100)'),
   1, 'and its own events are there');

$web->refused('23505', $db->anon($zeta),
              'select * from api.account_register(?, ?, ?, ?, null, null)',
              $eve->{user}, 'eve2', 'h', 'Eve', 'a user id is used once');
ok($web->one($db->anon($zeta),
             'select * from api.account_register(?, ?, ?, ?, null, null)',
             $ann->{user}, 'ann', 'h', 'Ann'),
   'even an equal id or login in the other tenant is not noticed');

# the second wall, behind the predicates: as the owner of api functions
for my $case ([$ann, 'user', $ann, 1, 'own'], [$ann, 'user', $bob, 0, 'foreign'],
              [$ann, 'gateway', $bob, 1, 'the gateway sees'],
              [$ann, 'user', $eve, 0, 'other tenant'],
              [$ann, 'gateway', $eve, 0, 'gateway, other tenant'])
{
    my ($me, $role, $whose, $n, $name) = @$case;

    $super->dbh->begin_work;
    $super->dbh->do('set local role podi_core');
    $super->dbh->do(qq{select set_config('podi.tenant', '$me->{tenant}', true),
                       set_config('podi.user', '$me->{user}', true),
                       set_config('podi.role', '$role', true)});
    is($super->value(undef, 'select count(*) from podi.wallet'
                     . ' where user_id = ?', $whose->{user}), $n,
       "policies alone: $name wallet");
    $super->dbh->rollback;
}

$super->dbh->begin_work;
$super->dbh->do('set local role podi_core');
is($super->value(undef, 'select count(*) from podi.users'), 0,
   'nobody entered: no row at all');
$super->dbh->rollback;


# --- readiness -------------------------------------------------------------

my $ready = 'select migration, context_ok, tenant_ok from api.ready()';
my $row = $web->one($db->anon($acme), $ready);
like($row->{migration}, qr/^\d{4}_/, 'ready names the migration');
is_deeply([@$row{qw(context_ok tenant_ok)}], [1, 1], 'all is well');
is_deeply([@{ $web->one($db->anon('@none'), $ready) }{qw(context_ok tenant_ok)}],
          [1, 0], 'ready: the tenant is missing');
is_deeply([@{ $web->one(undef, $ready) }{qw(context_ok tenant_ok)}],
          [0, 0], 'ready: no context');

$db->whole;
done_testing;
