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


# zone, kind, issuer, tenant, subject, terms
my $call = 'select * from sys.limit_put(?, ?, ?, ?, ?, ?)';

sub put { $ctl->one(undef, $call, @_) }


my $row = put('member', 'plan', 'podi', undef, 'pro', 'rate=50r/s burst=200');
ok $row->{is_new}, 'a plan gets another rate';
is "$row->{issuer}$row->{tenant}", '', 'whoever issues it';
$row = put('member', 'plan', 'auth0', undef, 'pro', 'rate=60r/s');
ok !$row->{is_new} && $row->{terms} eq 'rate=60r/s', 'and another one';

$row = put('daily', 'user', 'podi', $slug, $login, 'quota=5/day');
is "$row->{tenant} $row->{subject}", "$ann->{tenant} $ann->{user}",
   'a user of ours is known by his login';
$row = put('daily', 'user', 'podi', undef, $ann->{user}, 'quota=6/day');
ok !$row->{is_new} && $row->{tenant} eq $ann->{tenant}, 'or by his UUID';
put('inside', 'user', 'auth0', undef, 'auth0|77', 'conn=3');

# two tenants of an issuer, and two issuers, may have users of one name
ok put('inside', 'user', @$_, 'alice', 'conn=4')->{is_new}, "alice of @$_"
    for [ 'auth0', 't1' ], [ 'auth0', 't2' ], [ 'other', 't1' ];

is_deeply [ map { join ' ', @$_{qw( zone kind issuer tenant subject )},
                  $_->{login} // '-' }
            @{ $ctl->all(undef, 'select * from sys.limit_list()') } ],
   [ "daily user podi $ann->{tenant} $ann->{user} $login",
     'inside user auth0  auth0|77 -', 'inside user auth0 t1 alice -',
     'inside user auth0 t2 alice -', 'inside user other t1 alice -',
     'member plan   pro -' ], 'all are listed';
put('inside', 'user', @$_, 'alice', undef)
    for [ 'auth0', 't2' ], [ 'other', 't1' ];

my $web = $db->login('podi_web');
is $web->value($db->gateway($ann->{tenant}),
               'select rates from api.limit_rates()'),
   "daily user podi $ann->{tenant} $ann->{user} quota=6/day\n"
   . "inside user auth0  auth0|77 conn=3\n"
   . "inside user auth0 t1 alice conn=4\nmember plan   pro rate=60r/s",
   'the gateway reads them as lines';
is $web->value($db->gateway('*'), 'select rates from api.limit_rates()'),
   $web->value($db->gateway($ann->{tenant}),
               'select rates from api.limit_rates()'),
   'the same without a tenant';

put('member', 'plan', 'podi', undef, 'pro', undef);
is scalar(@{ $ctl->all(undef, 'select * from sys.limit_list()') }), 3,
   'one is taken away';

$ctl->refused('U0422', undef, $call, @{ $_->[0] }, "refused: $_->[1]")
    for [ ['Member', 'plan', 'podi', undef, 'pro', 'rate=1r/s'], 'a name' ],
        [ [undef, 'plan', 'podi', undef, 'pro', 'rate=1r/s'], 'no name' ],
        [ ['member', 'tenant', 'podi', undef, 'x', 'rate=1r/s'], 'a kind' ],
        [ ['member', 'plan', 'podi', undef, "a b", 'rate=1r/s'], 'a blank' ],
        [ ['member', 'plan', 'podi', undef, "a\nmember", 'rate=1r/s'], 'a line' ],
        [ ['member', 'plan', 'podi', undef, 'x' x 129, 'rate=1r/s'], 'too long' ],
        [ ['member', 'plan', 'podi', $slug, 'pro', 'rate=1r/s'],
          'a plan of a tenant' ],
        [ ['member', 'user', 'a b', undef, 'x', 'rate=1r/s'], 'an issuer' ],
        [ ['member', 'user', undef, undef, 'x', 'rate=1r/s'], 'no issuer' ],
        [ ['member', 'user', 'auth0', 'a b', 'x', 'rate=1r/s'], 'a tenant' ],
        [ ['member', 'user', 'podi', undef, 'x', 'rate=1r/s'],
          'a login without a tenant' ],
        [ ['member', 'plan', 'podi', undef, 'pro', 'rate=0r/s'], 'no rate' ],
        [ ['member', 'plan', 'podi', undef, 'pro', 'rate=1r/w'], 'a unit' ],
        [ ['member', 'plan', 'podi', undef, 'pro', 'conn=3 burst=2'], 'a mixture' ],
        [ ['member', 'plan', 'podi', undef, 'pro', 'rate=1r/d burst=20000'],
          'a burst that takes 54 years' ],
        [ ['member', 'plan', 'podi', undef, 'pro', 'key=ip'], 'no terms' ];

$ctl->refused('U0404', undef, $call, 'member', 'user', 'podi', $slug, 'nobody',
              'rate=1r/s', 'no such user');
$ctl->refused('U0404', undef, $call, 'member', 'plan', 'podi', undef, 'pro',
              undef, 'nothing to take away');
$web->refused('U0403', $db->as($ann), 'select * from api.limit_rates()',
              'somebody who signed in does not read them');
$web->refused('42501', undef, $call, 'member', 'plan', 'podi', undef, 'pro',
              'rate=1r/s', 'nginx may not change them');

# as many as nginx has room for, to the byte

my $super = $db->super;

sub room
{
    return $super->value(undef,
                         'select 524288 - octet_length(internal.limit_text())');
}

sub named { return ('full', 'user', 'auth0', undef, $_[0], $_[1]) }

$super->run(q{insert into podi.limit_rate (zone, kind, issuer, tenant, subject, terms)
              select 'full', 'user', 'auth0', '', lpad(g::text, 90, '0'), 'conn=3'
                from generate_series(1, ?) g},
            int((room() - 30) / length("full user auth0   conn=3\n" . '0' x 90)));

my $left = room() - length "\nfull user auth0   conn=3";

ok $left > 0 && $left <= 128, 'rates by the thousand';
$ctl->refused('U0422', undef, $call, named('x' x ($left + 1), 'conn=3'),
              'one more than nginx has room for');
ok put(named('x' x $left, 'conn=3'))->{is_new}, 'one that just fits';
is room(), 0, '... and nothing is left';
$ctl->refused('U0422', undef, $call, named('x' x $left, 'conn=33'),
              'nor for more of it');
put(named('x' x $left, undef));
ok put(named('x', 'conn=3'))->{is_new}, 'one is taken away, and another has room';

done_testing;
