package Podi::Gates;

# The queue's scripts in a Redis of the test's own, called as they are.
#
#     start('key:k' => 1);                # nothing waits, these gates
#     script('push', hint('j', scopes => ['key:k']));
#     is claim(), 'j';                    # job ids; the tokens are kept
#     release('j');

use strict;
use warnings;

use Exporter qw( import );
use File::Temp qw( tempdir );
use IO::Socket::UNIX;
use Podi::Proc qw( poll );

our @EXPORT = qw( $P $LEASE %token say_ script start gates hint claim release
                  parked );

our $P = 'podi:{q}:';
our $LEASE = 60_000;
our %token;

my $dir = tempdir('podi-gates-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $owner = $$;
my $server = Podi::Proc::spawn(log => "$dir/log", cmd => [
    'redis-server', '--port', 0, '--unixsocket', "$dir/s", '--save', '',
    '--dir', $dir ]);
my %text = map { $_ => slurp('queue') . slurp('gate')
                  . slurp("queue_$_") }
           qw( push claim drop release take beat shut breaker gates sweep
               check );
my $redis;

poll(20, \&again) or die 'Redis does not start';


# a connection of this process
sub again { $redis = IO::Socket::UNIX->new(Peer => "$dir/s") }


sub dir { $dir }


sub slurp
{
    my ($name) = @_;

    open my $in, '<', "shared/store/lua/$name.lua" or die "$name: $!";
    local $/;
    return scalar <$in>;
}


sub reply
{
    my $line = <$redis> // die "Redis has gone\n";
    my ($kind, $rest) = $line =~ /^([-+:\$*])(.*)\r\n/ or die "what is $line";

    die "$rest\n" if $kind eq '-';
    return $rest if $kind eq '+' || $kind eq ':';
    return $rest < 0 ? undef : [map { reply() } 1 .. $rest] if $kind eq '*';
    return undef if $rest < 0;

    read $redis, my $data, $rest + 2;
    return substr $data, 0, $rest;
}


sub say_
{
    syswrite $redis, join '', '*', scalar(@_), "\r\n",
                          map { '$' . length . "\r\n$_\r\n" } @_;
    return reply();
}


sub script
{
    my ($name, @args) = @_;

    return say_('EVAL', $text{$name}, 1, $P, @args);
}


# nothing waits, nothing runs, these gates: scope => [slots, reserve, rate,
# period in us, burst]
sub start
{
    my (%gate) = @_;

    say_('FLUSHALL');
    gates(%gate);
    script('check', 1000);
    say_('DEL', "${P}built");
    say_('SET', "${P}token", 0);
}


sub gates
{
    my (%gate) = @_;

    return script('gates', map {
        my ($slots, @more) = (ref $gate{$_} ? @{ $gate{$_} } : $gate{$_},
                              0, 0, 0, 0);

        ($_, join ' ', $slots // '-', @more[0 .. 3]);
    } sort keys %gate);
}


# job => tenant, queue, class, weight, cost, plan, scopes
sub hint
{
    my ($job, %of) = @_;

    return ($job, $of{tenant} // 't', $of{queue} // 'q', $of{class} // 1,
            $of{weight} // 1, $of{cost} // 1, $of{plan} // '',
            join ',', @{ $of{scopes} // [] });
}


# the job ids, the tokens are kept
sub claim
{
    my ($want, $queue, $lease) = @_;
    my ($gen, $left, @slot) = @{ script('claim', $queue // 'q', $want // 1,
                                        $lease // $LEASE, '') };
    my @job;

    while (my ($job, $token) = splice @slot, 0, 2) {
        push @job, $job;
        $token{$job} = $token;
    }

    return join ' ', @job;
}


sub release
{
    return script('release', map { ($_, $token{$_}, '') } @_);
}


sub parked
{
    my ($field, $queue) = @_;

    return say_('HGET', $P . 'line:' . ($queue // 'q'), $field);
}


END {
    my $status = $?;

    if ($server && $$ == $owner) {
        kill 'TERM', $server;
        waitpid $server, 0;
    }
    $? = $status;
}


1;
