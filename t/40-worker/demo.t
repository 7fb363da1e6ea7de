# The front door on a stack that is up: the main job, and what the other
# verbs say of it.  Nothing is stopped here but what is started again.

use strict;
use warnings;
use Test::More;
use Podi::Door qw( verb );
use Podi::Repo qw( root );

plan skip_all => 'needs the stack of ./build.sh test'
    if !$ENV{PODI_TEST_STACK};

sub pids
{
    my ($status, $said) = verb('status');
    my %pid = $said =~ /^(\S+)\s+up\s+pid (\d+)/mg;

    return \%pid;
}


my $pids = pids();
is join(' ', sort keys %$pids), 'PostgreSQL Redis nginx podi_dispatchd'
    . ' podi_imaged podi_janitord podi_runnerd', 'each part is up';

my ($status, $said, $progress) = verb('demo');
is $status, 0, 'the main job runs' or diag $said, $progress;

my ($task, $result) = $said =~ /^demo: ok task=(\S+) result=(\S+)\n\z/m;
like $task, qr/^[0-9a-f-]{36}$/, '... and says so on its last line';
ok -s $result, '... with a picture';
like $said, qr/wallet before +100 available.*wallet after +92 available/s,
    '... and the wallet before and after';
like $said, qr/^ +trace +[0-9a-f]{32}$/m, '... and the trace';

is_deeply pids(), $pids, 'a second start leaves every part alone';

($status, $said) = verb('env');
is $status, 0, 'env';
open my $shell, '|-', 'env', '-i', "PATH=$ENV{PATH}", 'bash', '-c',
    'eval "$(cat)"; [ "$(psql -Atc "select 1")" = 1 ]'
    . ' && [ "$(redis-cli -s "$PODI_REDIS" ping)" = PONG ]'
    . ' && curl -sf --cacert "$PODI_CA" "$PODI_URL/healthz" > /dev/null'
    or die "bash: $!";
print $shell $said;
ok close $shell, '... reaches PostgreSQL, Redis and nginx';

my $dir = $ENV{PODI_TEST_STACK};
my $nginx = $ENV{PODI_NGINX} // '/usr/sbin/nginx';
my $ctl = "$dir/bin/podictl -c $dir/conf/workers.conf config";

is scalar qx($ctl lint $dir/conf/nginx.conf --prefix $dir/ --nginx $nginx 2>&1), '',
   'its configuration has no finding';
is $?, 0, '... and nginx takes it';
like scalar qx($ctl show $dir/conf/nginx.conf 2>&1),
     qr/^ +podi_zone +8m +\Q$dir\E\/conf\/podi-http\.conf:\d+$/m,
     '... and it can be shown';

done_testing;
