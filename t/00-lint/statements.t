# Every statement that C may send can be prepared, by each role that has it and
# by no other, on a migrated database.

use strict;
use warnings;
use Test::More;
use Podi::Repo qw( def );
use Podi::Sql;

my %role = (WEB => 'podi_web', WORKER => 'podi_worker', CTL => 'podi_ctl');
my $db = Podi::Sql->new;
my %login = map { $_ => $db->login($role{$_})->dbh } keys %role;


# the error of a PREPARE, or of the right to what it calls
sub refusal
{
    my ($who, $text) = @_;
    my $dbh = $login{$who};
    my $error = '';

    eval { $dbh->do("prepare podi_lint as $text"); 1 } or $error = $dbh->errstr;
    eval { $dbh->do('deallocate podi_lint') } if !$error;
    return $error || _right($who, $text);
}


sub _right
{
    my ($who, $text) = @_;
    my ($function) = $text =~ /\b((?:api|sys)\.\w+)\(/ or return '';
    my ($may) = $db->super->dbh->selectrow_array(<<'SQL', undef, $role{$who}, $function);
        select bool_and(has_function_privilege($1::name, p.oid, 'execute')
                        and has_schema_privilege($1::name, p.pronamespace,
                                                 'usage'))
          from pg_proc p
         where p.pronamespace::regnamespace::text || '.' || p.proname = $2
SQL

    return $may ? '' : "$role{$who} may not execute $function";
}


# what must be seen

like refusal('WEB', 'select * from api.no_such_function()'),
     qr/does not exist/, 'an unknown function is seen';
like refusal('WEB', 'select * from sys.metrics()'), qr/permission|may not/,
     'a function of another role is seen';

# the table

for my $row (def('shared/store/podi_statements.def', 'PODI_SQL')) {
    my ($id, $who, $lane, $text) = @$row;

    for my $one ($who =~ /PODI_PG_(\w+)/g) {
        is refusal($one, $text), '', "$id is ready for $role{$one}";
    }
}

done_testing;
