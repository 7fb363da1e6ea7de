#!/usr/bin/perl

# apply.sh: twice is once, a changed file is refused, a broken one changes
# nothing, keys come and retire, what no file makes is dropped.

use strict;
use warnings;

use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Podi::Sql;

my $pg = Podi::Pg->new;
my $name = $pg->database(empty => 1);
my $db = Podi::Sql->new(pg => $pg, name => $name);
my $super = $db->super;

my $tree = tempdir(CLEANUP => 1) . '/migrations';
system('cp', '-a', "$Podi::Pg::ROOT/migrations", $tree) == 0 or die 'cp';


sub apply
{
    my (%option) = @_;

    return $pg->migrate($name, tree => $tree, %option);
}


sub spew
{
    my ($file, $text, $mode) = @_;

    open my $out, $mode // '>', $file or die "$file: $!";
    print {$out} $text;
    close $out;
    return $file;
}


# everything that apply.sh makes, with owners and rights
sub picture
{
    return $super->all(undef, q{
        select p.oid::regprocedure::text, p.proowner::regrole::text,
               p.proacl::text, md5(p.prosrc)
          from pg_proc p
         where p.pronamespace in ('api'::regnamespace, 'sys'::regnamespace,
                                  'internal'::regnamespace)
        union all
        select c.relname, c.relowner::regrole::text, c.relacl::text,
               c.relrowsecurity::text
          from pg_class c where c.relnamespace = 'podi'::regnamespace
        union all
        select m.migration, m.checksum, m.applied_at::text, null
          from podi.schema_migration m
        order by 1});
}


my ($status, $output) = apply();
is($status, 0, 'an empty database is migrated') or diag $output;
my $first = picture();
cmp_ok(scalar @$first, '>', 50, 'with all that belongs to it');

($status, $output) = apply();
is($status, 0, 'a second run is fine') or diag $output;
is_deeply(picture(), $first, 'and changes nothing');

my @run = map { my $pid = fork // die; $pid or exec_apply() } 1 .. 2;
my @ended = map { waitpid $_, 0; $? } @run;
is_deeply(\@ended, [0, 0], 'two runs at once take turns');
is_deeply(picture(), $first, 'and change nothing either');


sub exec_apply
{
    my ($code) = apply();

    POSIX::_exit($code);
}


# structure
my ($old) = glob "$tree/0002_*.sql";
my $text = do { local (@ARGV, $/) = $old; <> };
spew($old, "$text\n-- a remark\n");
($status, $output) = apply();
isnt($status, 0, 'a migration that changed is refused');
like($output, qr/0002_account was applied with another content/,
     'and named');
is_deeply(picture(), $first, 'and nothing else happens');
spew($old, $text);

my $new = spew("$tree/9999_bad.sql",
               "create table podi.half (x int);\nselect 1 / 0;\n");
($status, $output) = apply();
isnt($status, 0, 'a migration that fails stops the run');
is_deeply(picture(), $first, 'and leaves nothing behind');

spew($new, "create table podi.half (x int);\n");
is((apply())[0], 0, 'put right, it is applied');
is($super->value(undef, q{select tableowner from pg_tables}
                 . q{ where tablename = 'half'}), 'podi_owner',
   'and its table belongs to the owner');
unlink $new;

# functions
spew("$tree/api/zz_broken.sql", <<'SQL');
create or replace function api.zz_broken() returns int
language plpgsql security definer set search_path = podi, pg_temp
as $$ begin retrun 1; end $$;
SQL
my $before = picture();
($status, $output) = apply();
isnt($status, 0, 'a function with a wrong body is refused');
is_deeply(picture(), $before, 'and the old functions stay');

spew("$tree/api/zz_broken.sql", <<'SQL');
create or replace function api.zz_broken(x int) returns int
language plpgsql security definer set search_path = podi, pg_temp
as $$ begin return x; end $$;
SQL
is((apply())[0], 0, 'a new function is applied');
ok($super->value(undef, q{select has_function_privilege('podi_web',}
                 . q{ 'api.zz_broken(int)', 'execute')}), 'nginx may call it');
ok(!$super->value(undef, q{select has_function_privilege('podi_worker',}
                  . q{ 'api.zz_broken(int)', 'execute')}), 'workers may not');
unlink "$tree/api/zz_broken.sql";
is((apply())[0], 0, 'its file goes');
is($super->value(undef, q{select to_regprocedure('api.zz_broken(int)')}),
   undef, 'and so does it');

# an older tree had other result columns
for my $old ('api.session_refresh(uuid, bigint, bigint)', 'sys.limit_list()',
             'api.api_key_open(uuid, bytea)', 'api.event_ticket_take(bytea)') {
    $super->run("drop function $old");
    $super->run("create function $old returns int language sql as 'select 1'");
}
($status, $output) = apply();
is($status, 0, 'functions whose columns have changed are made anew')
    or diag $output;

# drift is taken back
$super->run('grant select on podi.users to podi_web');
$super->run('grant execute on function sys.wallet_grant to public');
$super->run('alter function api.wallet_read() owner to podi_system');
$super->run('drop table podi.half');
$super->run(q{delete from podi.schema_migration where migration = '9999_bad'});
apply();
is_deeply(picture(), $first, 'rights and owners converge');

# context keys
my $keys = File::Temp->new;
spew("$keys", "# two keys\nnew1 " . 'c3' x 32 . "\n"
     . "$Podi::Pg::KEY_ID $Podi::Pg::KEY\n");
apply(key_file => "$keys");
is_deeply($super->all(undef, 'select key_id, retired_at from'
                      . ' podi.context_key order by 1'),
          [{ key_id => 'new1', retired_at => undef },
           { key_id => 'test', retired_at => undef }], 'keys are added');

my $acme = $db->tenant('acme');
my $web = do {
    $super->run(sprintf q{alter role podi_web password '%s'},
                $pg->password('podi_web')) if !$ENV{PODI_TEST_PG};
    $db->login('podi_web');
};
my $login = q{select * from api.account_credential('ann')};
my %other = (tenant => $acme, key_id => 'new1', key => 'c3' x 32);
is_deeply($web->all($db->mint(%other), $login), [], 'the new key is good');

spew("$keys", 'new1 ' . 'c3' x 32 . "\n");
apply(key_file => "$keys");
is_deeply($web->all($db->mint(%other), $login), [], 'still good');
$web->refused('U0001', $db->anon($acme), $login, 'the old one is retired');

for my $bad ("new1 c3c3\n", "new1 xyz\n", "new1 " . 'c3' x 32 . " more\n") {
    spew("$keys", $bad);
    ($status, $output) = apply(key_file => "$keys");
    isnt($status, 0, 'a bad key file is refused');
    unlike($output, qr/c3c3|xyz/, 'and not quoted');
}
isnt((apply(key_file => '/nonexistent'))[0], 0, 'a missing one too');
is_deeply($web->all($db->mint(%other), $login), [], 'the keys are as before');

done_testing;
