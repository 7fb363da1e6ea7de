# The PostgreSQL and Redis engines of shared/store on libuv, against private
# servers and through a cutter: store_*.c, over UNIX sockets and over TCP.
#
#     PODI_BUILD=dir SAN=1 prove t/50-fault/store.t
#
# The programs print TAP; each is a subtest here.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use IO::Socket::UNIX;
use Test::More;

my $here = abs_path(dirname(__FILE__));

unshift @INC, "$here/../lib";
require Podi::Cutter;
require Podi::Proc;

my $build = abs_path($ENV{PODI_BUILD} // "$here/../../var/build")
            // $ENV{PODI_BUILD} // "$here/../../var/build";
my @san = $ENV{SAN} ? "SAN=$ENV{SAN}" : ();
my $dir = tempdir('podi-store-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $pgbin = (sort glob '/usr/lib/postgresql/*/bin')[-1];
my %child;


sub run
{
    my ($what, @command) = @_;
    my $out = "$dir/out";

    my $pid = fork // die "fork: $!";

    if ($pid == 0) {
        open STDOUT, '>', $out or die;
        open STDERR, '>&', \*STDOUT or die;
        exec @command or die "$command[0]: $!";
    }

    waitpid $pid, 0;
    return if $? == 0;

    open my $in, '<', $out or die;
    diag "$what:";
    diag $_ while <$in>;
    BAIL_OUT($what);
}


# as the user that PostgreSQL accepts: not root

sub as_postgres
{
    return $> == 0 ? ('setpriv', '--reuid=postgres', '--regid=postgres',
                      '--clear-groups', @_)
                   : @_;
}


sub start
{
    my ($name, $is_there, @command) = @_;

    $child{$name} = Podi::Proc::spawn(cmd => \@command,
                                      log => "$dir/$name.log");

    Podi::Proc::poll(20, $is_there)
        or BAIL_OUT("$name does not start: " . qx(tail -5 $dir/$name.log));
}


sub psql
{
    my ($sql) = @_;

    run('psql', "$pgbin/psql", '-XqAt', '-v', 'ON_ERROR_STOP=1',
        '-h', "$dir/pg", '-U', 'postgres', '-d', 'postgres', '-c', $sql);
}


sub start_pg
{
    my ($port) = @_;
    my $user = $> == 0 ? 'postgres' : (getpwuid $>)[0];

    chmod 0755, $dir;
    mkdir "$dir/pg";
    chown((getpwnam $user)[2, 3], "$dir/pg");

    run('initdb', as_postgres("$pgbin/initdb", '-D', "$dir/pg/data", '-A',
                              'trust', '-U', 'postgres', '-E', 'UTF8',
                              '--no-sync', '--locale=C.UTF-8'));

    start('postgres',
          sub { system("$pgbin/pg_isready -q -h $dir/pg -p $port") == 0 },
          as_postgres("$pgbin/postgres", '-D', "$dir/pg/data",
                      '-c', "unix_socket_directories=$dir/pg",
                      '-c', 'listen_addresses=127.0.0.1', '-c', "port=$port",
                      '-c', 'fsync=off', '-c', 'max_connections=30'));
}


sub schema
{
    $ENV{PGPORT} = shift;

    psql(<<'SQL');
create table test_once (n int primary key deferrable initially deferred);
insert into test_once values (1);
create table test_plan (n int);
create function test_alter() returns int language plpgsql as $$
declare
    other text;
begin
    select case when data_type = 'integer' then 'bigint' else 'integer' end
      into other from information_schema.columns
     where table_name = 'test_plan';
    execute 'alter table test_plan alter column n type ' || other;
    return 1;
end $$;
create function test_raise(state text, message text, more text)
    returns int language plpgsql as $$
begin
    raise exception using errcode = state, message = message,
                          detail = coalesce(more, '');
end $$;
create function test_context(context text) returns int language plpgsql as $$
begin
    if context = 'bad' then
        raise exception using errcode = 'U0001', message = 'not signed';
    end if;
    perform set_config('test.context', context, true);
    return 1;
end $$;
SQL
}


sub start_redis
{
    my ($port) = @_;

    mkdir "$dir/redis";
    start('redis',
          sub { IO::Socket::UNIX->new(Peer => "$dir/redis/redis.sock") },
          'redis-server', '--port', $port, '--bind', '127.0.0.1',
          '--unixsocket', "$dir/redis/redis.sock", '--save', '',
          '--dir', "$dir/redis", '--requirepass', 'a secret');
}


# a program's TAP, line by line

sub program
{
    my ($name, $what) = @_;

    subtest "$name, $what" => sub {
        open my $in, '-|', "$build/fault/$name 2>&1" or die "$name: $!";

        while (my $line = <$in>) {
            if ($line =~ /^(not )?ok \d+ - (.*)/) {
                ok !$1, $2;

            } elsif ($line =~ /^1\.\./) {
                pass 'it came to its end';

            } else {
                diag $line;
            }
        }

        close $in;
        is $?, 0, 'exit status';
        done_testing;
    };
}


sub against_pg
{
    my ($what, $listen, $upstream, $direct, $cut) = @_;
    my $cutter = Podi::Cutter->start(listen => $listen,
        upstream => $upstream, control => "$dir/cutter.ctl");

    local $ENV{PODI_CUTTER} = $cutter->{control};
    local $ENV{PODI_TEST_CONNINFO} = $direct;
    local $ENV{PODI_CUT_CONNINFO} = $cut->($cutter->{listen});

    program($_, $what) for qw(store_pg store_pg_cut);
}


sub against_redis
{
    my ($what, $listen, $address) = @_;
    my $cutter = Podi::Cutter->start(listen => $listen, upstream => $address,
        control => "$dir/cutter.ctl");

    local $ENV{PODI_CUTTER} = $cutter->{control};
    local $ENV{PODI_TEST_REDIS} = $address;
    local $ENV{PODI_CUT_REDIS} = $cutter->{listen};
    local $ENV{PODI_TEST_REDIS_PASSWORD} = 'a secret';

    program($_, $what) for qw(store_redis store_redis_sub store_queue);
    return if $address !~ m{^/};
    program($_, $what) for qw(store_limit store_limit_sums);
}


$SIG{$_} = sub { exit 1 } for qw(INT TERM);       # END stops the servers
delete @ENV{grep { /^PG/ } keys %ENV};

run('make libpodi.a', 'make', '-C', "$here/../../shared", '-j2', 'lib',
    "PODI_BUILD=$build", @san);
run('make', 'make', '-C', $here, '-f', 'store.mk', "PODI_BUILD=$build", @san);

my $port = Podi::Proc::free_port();
start_pg($port);
schema($port);

mkdir "$dir/cut";

my $db = "dbname=postgres user=postgres port=$port";

against_pg('UNIX sockets', "$dir/cut/.s.PGSQL.$port",
           "$dir/pg/.s.PGSQL.$port", "host=$dir/pg $db",
           sub { "host=$dir/cut $db" });
against_pg('TCP', '127.0.0.1:0', "127.0.0.1:$port",
           "hostaddr=127.0.0.1 $db", sub {
               my ($cut) = $_[0] =~ /:(\d+)$/;
               "host=127.0.0.1 dbname=postgres user=postgres port=$cut"
           });

my $redis = Podi::Proc::free_port();
start_redis($redis);

against_redis('UNIX sockets', "$dir/cut/redis.sock",
              "$dir/redis/redis.sock");
against_redis('TCP', '127.0.0.1:0', "127.0.0.1:$redis");

done_testing;


END {
    my $status = $?;

    kill 'INT', $child{postgres} if $child{postgres};
    kill 'TERM', $child{redis} if $child{redis};
    waitpid $_, 0 for values %child;
    $? = $status;
}
