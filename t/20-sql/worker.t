#!/usr/bin/perl

# Worker rows: who beats, since when, and who went silent.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Podi::Sql;

my $db = Podi::Sql->new;
my $super = $db->super;
my $worker = $db->login('podi_worker');
my $beat = 'select sys.worker_beat(?, ?, ?, ?, ?)';


sub row
{
    return $super->one(undef, 'select * from podi.worker where worker = ?', @_);
}


$worker->all(undef, $beat, 'w1', 'podi_imaged', 'h', 10, 0);
my $first = row('w1');
$worker->all(undef, $beat, 'w1', 'podi_imaged', 'h', 10, 3);
my $second = row('w1');
is($second->{jobs}, 3, 'a beat says how many jobs run');
is($second->{started_at}, $first->{started_at}, 'it is the same process');
cmp_ok($second->{seen_at}, 'gt', $first->{seen_at}, 'and it lives');

$worker->all(undef, $beat, 'w1', 'podi_imaged', 'h', 11, 0);
cmp_ok(row('w1')->{started_at}, 'gt', $first->{started_at},
       'another pid is another process');

$worker->all(undef, $beat, 'w2', 'podi_imaged', 'h', 12, 0);
$super->run(q{update podi.worker set seen_at = now() - interval '25 h'}
            . q{ where worker = 'w1'});
my %n = map { $_->{what} => $_->{n} }
            @{ $worker->all(undef, 'select * from sys.purge(10)') };
is($n{worker}, 1, 'who is silent for a day goes');
is(row('w1'), undef, 'indeed');
ok(row('w2'), 'who beats stays');

done_testing;
