package Podi::Bench::Jobs::Peer;

# One of the other queues, driven through its program in t/bench/peers.
#
#     roles fill, produce, work: see t/bench/peers/peer.mjs
#
# Those from npm are installed into $PODI_BENCH_OUT/npm; what cannot be had is
# left out, and said so.  The ones on Redis have a server of their own, the
# ones on PostgreSQL a database on our server.

use strict;
use warnings;

use JSON::PP ();
use Podi::Bench::Jobs::Side;
use Podi::Bench::Tools;
use Podi::Pg;
use Podi::Proc qw( poll reaped spawn );
use Podi::Stack;

our @ISA = qw( Podi::Bench::Jobs::Side );

my $json = JSON::PP->new->canonical;
my $NO_LIMITS = 'has no limits on what runs';

# what a shape asks for and a peer has not, with the reason
my @PEERS = (
    { key => 'graphile', title => 'graphile-worker',
      npm => [qw( graphile-worker@0.17.3 )],
      lacks => { kill => 'keeps the lock of a dead worker for 4 h' } },
    { key => 'pg_boss', title => 'pg-boss', npm => [qw( pg-boss@10.4.2 )],
      lacks => { limits => 'bounds a key to one job, no other limits' } },
    { key => 'bullmq', title => 'BullMQ',
      npm => [qw( bullmq@6.7.0 ioredis@5.11.1 )], lacks => {} },
    { key => 'bee', title => 'Bee-Queue', npm => [qw( bee-queue@2.0.0 )],
      lacks => { limits => $NO_LIMITS } },
    { key => 'celery', title => 'Celery', python => 'celery_tasks',
      lacks => { limits => $NO_LIMITS,
                 settle => 'acknowledges a job before it runs' } },
    { key => 'rq', title => 'RQ', python => 'rq_tasks',
      lacks => { limits => $NO_LIMITS, many => 'runs one job a worker',
                 kill => 'brings no job of a dead worker back' } },
);


# those that can be had, of those that are wanted
sub all
{
    my ($bench, $s, $redis) = @_;
    my $server = Podi::Stack->new(redis_conf => $redis);
    my ($host) = $s->pg->conninfo('postgres') =~ /host=(\S+)/;
    my @peer;

    mkdir "$bench->{out}/npm";
    $server->start('redis');
    $s->db->super->dbh->do('create database peers');
    $bench->fact('node: ' . (qx(node --version) =~ /(\S+)/)[0])
        if grep { -x "$_/node" } split /:/, $ENV{PATH};

    my $names = $ENV{PODI_BENCH_PEERS} // join ' ', map { $_->{key} } @PEERS;
    my %wanted = map { $_ => 1 } split ' ', $names;

    for my $row (grep { $wanted{ $_->{key} } } @PEERS) {
        my $self = bless { %$row, bench => $bench, server => $server,
                           log => $server->dir . "/lib/$row->{key}",
                           work => [] }, __PACKAGE__;

        $self->{conf} = { redis => $server->dir . '/run/redis/redis.sock',
            password => 'redis-of-tests', modules => "$bench->{out}/npm/"
            . 'node_modules', log => '', prefix => 'j', tenants => 1,
            work_ms => 0, lease_ms => 30_000, limit => 0, late => 0, until => 0,
            pg => { host => $host, user => 'postgres', database => 'peers' } };
        my $version = $row->{npm} ? $self->install : $self->debian;

        $bench->fact("$row->{title}: "
                     . ($version // 'left out, it cannot be had here'));
        push @peer, $self if $version;
    }
    return @peer;
}


sub install
{
    my ($self) = @_;
    my ($text, $status) = Podi::Bench::Tools::output('timeout', 120,
        'npm', 'install', '--silent', '--no-audit', '--no-fund', '--prefix',
        "$self->{bench}{out}/npm", @{ $self->{npm} });

    $self->{cmd} = ['node', "$Podi::Pg::ROOT/t/bench/peers/$self->{key}.mjs"];
    return $status ? undef : ($self->{npm}[0] =~ /@(.*)/)[0];
}


# Debian's own Python, whatever else is called python3 here
sub debian
{
    my ($self) = @_;
    my ($text, $status) = Podi::Bench::Tools::output('dpkg-query', '-W',
        '-f', '${Version}', "python3-$self->{key}");

    $self->{cmd} = ['env', 'PYTHONDONTWRITEBYTECODE=1', '/usr/bin/python3',
                    "$Podi::Pg::ROOT/t/bench/peers/$self->{python}.py"];
    return $status ? undef : $text;
}


sub key   { $_[0]{key} }
sub name  { $_[0]{title} }
sub lacks { $_[0]{lacks}{ $_[1] } }


# --- roles -------------------------------------------------------------------

sub command
{
    my ($self, $role, %conf) = @_;

    return (@{ $self->{cmd} }, $role,
            $json->encode({ %{ $self->{conf} }, %conf }));
}


# what a role says until its end; ([answers], what went wrong)
sub role
{
    my ($self, $role, $before, %conf) = @_;
    my ($text, $status) = Podi::Bench::Tools::output(@$before,
        'timeout', '-k', 5, 120, $self->command($role, %conf));
    my @answer = map { eval { $json->decode($_) } // () }
                 grep { /^\{/ } split /\n/, $text;

    # the last line says what it was
    return (\@answer, $status ? "$role ended with $status: "
                                . ($text =~ /(\S[^\n]*)\s*\z/)[0] : undef);
}


sub fill
{
    my ($self, $n, %conf) = @_;
    my ($answer, $error) = $self->role('fill', [], n => $n, in_flight => 1,
                                       connections => 1, %conf);

    return $error;
}


# tenants, limit
sub burn
{
    my ($self, $in_flight, $n, %conf) = @_;
    my $error = $self->fill($n, %conf);

    return (undef, $error) if $error;

    (my $answer, $error) = $self->role('work', [], until => $n, n => $n,
        in_flight => $in_flight,
        connections => Podi::Bench::Jobs::connections($in_flight), %conf);
    my ($end) = grep { defined $_->{done} } @$answer;

    return (undef, $error // 'it ended early') if !$end;
    return ($n / $end->{seconds}, $error
            // ($end->{errors} ? "$end->{errors} errors" : undef));
}


# all of them of tenant 0 of two
sub flood
{
    my ($self, $n) = @_;

    return $self->fill($n, prefix => 'f', tenants => 2, tenant => 0);
}


# lease: jobs come back after that many ms
sub work
{
    my ($self, $in_flight, %arg) = @_;
    my $file = "$self->{log}.out";

    $self->empty_log;
    for my $n (1 .. $arg{workers} // 1) {
        unlink "$file-$n";
        push @{ $self->{work} }, spawn(log => "$file-$n", cmd => [
            $self->command('work', in_flight => $in_flight,
                connections => Podi::Bench::Jobs::connections($in_flight),
                log => $self->{log}, work_ms => $arg{work_ms} // 0,
                tenants => $arg{tenants} // 1,
                $arg{lease} ? (lease_ms => $arg{lease}, late => 1) : ())]);
    }

    for my $n (1 .. $arg{workers} // 1) {
        poll(30, sub { Podi::Bench::Tools::slurped("$file-$n") =~ /"ready"/ })
            or die "$self->{title} does not begin: "
                   . Podi::Bench::Tools::slurped("$file-$n");
    }
}


# the processes that kill_one() will end: a worker and its children
sub victim
{
    my ($self) = @_;
    my $pid = $self->{work}[-1];

    return ($pid, split ' ', Podi::Bench::Tools::slurped(
        "/proc/$pid/task/$pid/children"));
}


sub kill_one
{
    my ($self) = @_;

    kill 'KILL', $self->victim;
    waitpid pop @{ $self->{work} }, 0;
}


# nothing of it is wanted any more
sub stop
{
    my ($self) = @_;

    while (@{ $self->{work} }) {
        $self->kill_one;
    }
}


sub drop {}


# ({ job => ns when it was due }, what went wrong)
sub produce
{
    my ($self, $rate, $seconds, %arg) = @_;
    my ($answer, $error) = $self->role('produce', [$self->{bench}->pinned],
        rate => $rate, seconds => $seconds, in_flight => 1, connections => 2,
        tenants => $arg{tenants} // 1, tenant => ($arg{tenants} // 1) - 1,
        prefix => $arg{prefix} // 'j');

    return ({ map { $_->{id} => $_->{due} } grep { $_->{id} } @$answer },
            $error);
}


sub settled { $_[0]->first('D') }


sub DESTROY
{
    my ($self) = @_;

    local ($?, $@, $!);
    $self->stop;
}

1;
