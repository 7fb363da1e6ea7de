# Rates as the database has them: what the operator puts over nginx.conf, and who
# may read it.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use Podi::Sql;
use Podi::Work;

my $db = Podi::Sql->new;
my $w = Podi::Work->new($db);
my $ctl = $db->login('podi_ctl');
my $ann = $w->person('ann', 100);
my ($slug, $login) = @{ $db->super->one(undef, 'select t.slug, u.login'
    . ' from podi.tenant t join podi.users u using (tenant_id)'
    . ' where u.user_id = ?', $ann->{user}) }{qw( slug login )};


sub put { $ctl->one(undef, 'select * from sys.limit_put(?, ?, ?, ?, ?)', @_) }


my $row = put('member', 'plan', 'pro', undef, 'rate=50r/s burst=200');
ok $row->{is_new}, 'a plan gets another rate';
$row = put('member', 'plan', 'pro', undef, 'rate=60r/s');
ok !$row->{is_new} && $row->{terms} eq 'rate=60r/s', 'and another one';

$row = put('daily', 'user', $login, $slug, 'quota=5/day');
is $row->{subject}, $ann->{user}, 'a user of ours is known by his login';
put('inside', 'user', 'auth0|77', undef, 'conn=3');

is_deeply [ map { join ' ', @$_{qw( zone kind subject )}, $_->{login} // '-' }
            @{ $ctl->all(undef, 'select * from sys.limit_list()') } ],
   [ "daily user $ann->{user} $login", 'inside user auth0|77 -',
     'member plan pro -' ], 'all are listed';

my $web = $db->login('podi_web');
is $web->value($db->gateway($ann->{tenant}),
               'select rates from api.limit_rates()'),
   "daily user $ann->{user} quota=5/day\n"
   . "inside user auth0|77 conn=3\nmember plan pro rate=60r/s",
   'the gateway reads them as lines';

put('member', 'plan', 'pro', undef, undef);
is scalar(@{ $ctl->all(undef, 'select * from sys.limit_list()') }), 2,
   'one is taken away';

my $call = 'select * from sys.limit_put(?, ?, ?, ?, ?)';

$ctl->refused('U0422', undef, $call, @{ $_->[0] }, "refused: $_->[1]")
    for [ ['Member', 'plan', 'pro', undef, 'rate=1r/s'], 'a name' ],
        [ [undef, 'plan', 'pro', undef, 'rate=1r/s'], 'no name' ],
        [ ['member', 'tenant', 'x', undef, 'rate=1r/s'], 'a kind' ],
        [ ['member', 'plan', "a b", undef, 'rate=1r/s'], 'a blank' ],
        [ ['member', 'plan', "a\nmember", undef, 'rate=1r/s'], 'a line' ],
        [ ['member', 'plan', 'x' x 129, undef, 'rate=1r/s'], 'too long' ],
        [ ['member', 'plan', 'pro', undef, 'rate=0r/s'], 'no rate' ],
        [ ['member', 'plan', 'pro', undef, 'rate=1r/w'], 'a unit' ],
        [ ['member', 'plan', 'pro', undef, 'conn=3 burst=2'], 'a mixture' ],
        [ ['member', 'plan', 'pro', undef, 'rate=1r/d burst=20000'],
          'a burst that takes 54 years' ],
        [ ['member', 'plan', 'pro', undef, 'key=ip'], 'no terms' ];

$ctl->refused('U0404', undef, $call, 'member', 'user', 'nobody', $slug,
              'rate=1r/s', 'no such user');
$ctl->refused('U0404', undef, $call, 'member', 'plan', 'pro', undef, undef,
              'nothing to take away');
$web->refused('U0403', $db->as($ann), 'select * from api.limit_rates()',
              'somebody who signed in does not read them');
$web->refused('42501', undef, $call, 'member', 'plan', 'pro', undef,
              'rate=1r/s', 'nginx may not change them');

done_testing;
