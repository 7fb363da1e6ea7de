# Gates from the row to the daemon: bounds that hold, also when Redis forgets,
# and breakers that park what a dead server would have failed.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use Podi::Hands;
use Podi::Proc qw(poll);

my $h = Podi::Hands->new;
my $super = $h->{db}->super;
my $dispatchd = $h->daemon('podi_dispatchd', watch => '100ms',
                           dispatch => '50ms', patience => '2500ms');


sub gate
{
    my ($action, $scope, $slots) = @_;

    $super->all(undef, 'update podi.action set gates = ? where action = ?',
                $scope =~ /^key:/ ? [$scope] : [], $action);
    $super->all(undef, 'insert into podi.gate (scope, slots) values (?, ?)'
                . ' on conflict on constraint gate_pkey do update'
                . ' set slots = excluded.slots', $scope, $slots)
        if $slots;
    poll(10, sub { $h->redis_say('HGET', 'podi:{q}:gates', $scope)
                       =~ /\r\n$slots / }) if $slots;
}


sub holders
{
    my ($scope) = @_;

    return $h->redis_say('SCARD', "podi:{q}:s:$scope") =~ /^:(\d+)/ && $1;
}


sub drift
{
    my $m = $h->metrics($dispatchd);

    return join ' ', map { $m->{$_} // '?' }
        'podi_gate_drift{way="freed"}', 'podi_gate_drift{way="taken"}',
        'podi_gate_slept_total';
}


subtest 'a bound on an action' => sub {
    my $echod = $h->daemon('echod', concurrency => 4, slow => '200ms');

    gate('test.slow', 'action:test.slow', 1);
    my @t = map { $h->submit('test.slow') } 1 .. 5;
    is_deeply [map { $h->ended($_)->{state} } @t], [('succeeded') x 5],
        'all are run';
    is $super->value(undef, <<'SQL', [map { $_->{jobs}[0]{job_id} } @t]), 0,
select count(*)::int from podi.attempt a join podi.attempt b
    on a.job_id < b.job_id and a.job_id = any ($1) and b.job_id = any ($1)
       and a.started_at < b.ended_at and b.started_at < a.ended_at
SQL
        'no two at once';
    is holders('action:test.slow'), 0, 'and every slot is given back';
    is $h->ended($h->submit('test.succeed'))->{state}, 'succeeded',
        'others are not held up';
    $h->stop($echod);
};

subtest 'slots that Redis has lost' => sub {
    my $echod = $h->daemon('echod', concurrency => 4);

    gate('test.hang', 'key:one', 1);
    my $t = $h->submit('test.hang');
    $h->reaches($t, 'running');
    ok poll(10, sub { holders('key:one') == 1 }), 'one is taken';
    my $seen = -s $dispatchd->{log};
    $h->redis_say('FLUSHALL');
    ok poll(10, sub { $h->log($dispatchd, 'gates.rebuilt', $seen) }),
        'all are lost, and built from what runs';
    is holders('key:one'), 1, 'so that the bound holds';

    my $next = $h->submit('test.hang');
    ok poll(10, sub { $h->redis_say('HVALS', 'podi:{q}:line:test')
                          =~ /key:one/ }), 'for the next, which is parked';
    is $h->job($next)->{state}, 'queued', 'it waits';
    $h->{work}->cancel($h->{ann}, $t->{task_id});
    $h->ended($t);
    $h->reaches($next, 'running');
    pass 'until the first one ends';
    $h->{work}->cancel($h->{ann}, $next->{task_id});
    $h->ended($next);
    $h->stop($echod);
};

subtest 'a daemon that dies with its slots' => sub {
    my $echod = $h->daemon('echod');
    my $t = $h->submit('test.hang');

    $h->reaches($t, 'running');
    kill 'KILL', $h->child($echod);
    ok poll(10, sub { $h->job($t)->{crashes} == 1 }), 'its job is given back';
    ok poll(10, sub { $h->job($t)->{state} eq 'running' }),
        'and its slot, or none would run it';
    $h->{work}->cancel($h->{ann}, $t->{task_id});
    $h->ended($t);
    $h->stop($echod);
};

subtest 'a server that does not answer' => sub {
    my $echod = $h->daemon('echod', breaker_calls => 3,
                           breaker_open => '300ms');
    my $open = sub { $h->redis_say('HEXISTS', 'podi:{q}:shut', 'key:two')
                         =~ /^:1/ };

    gate('test.flaky', 'key:two');
    my $t = $h->submit('test.flaky', { failures => 3 });
    ok poll(10, sub { ($h->log($echod, 'breaker.changed'))[0] }),
        'its breaker opens';
    is $h->ended($t, 30)->{state}, 'failed', 'who found out has failed';

    my $next = $h->submit('test.flaky', { failures => 0 });
    is $h->ended($next, 30)->{state}, 'succeeded',
        'who comes later waits, and asks whether it is over';
    is $h->job($next)->{attempts}, 1, 'with one attempt';
    ok poll(10, sub { ($h->log($echod, 'breaker.changed'))[-1]{msg}
                          =~ /-> closed/ }), 'it is';
    ok poll(10, sub { !$open->() }), 'the gate is open again';
    $h->stop($echod);
};

# what is between a breaker and its gate: [state, until]
sub breaker
{
    my ($scope) = @_;

    return $h->redis_say('GET', "podi:{q}:breaker:$scope")
               =~ /\r\n(\d) \d+ \d+ (\d+) / ? [$1, $2] : [-1, 0];
}


subtest 'a probe that is stopped, and one that takes long' => sub {
    my $echod = $h->daemon('echod', breaker_open => '300ms',
                           redis_deadline => '5s');
    my $open = join ' ', 1, 1, 1, 1, (0) x 17;
    my $lease = sub { $super->value(undef, 'select lease_until::text'
                          . ' from podi.job where job_id = ?',
                          $_[0]{jobs}[0]{job_id}) // '' };

    gate('test.hang', 'key:three');
    $h->redis_say('SET', 'podi:{q}:breaker:key:three', $open);
    $h->ended($h->submit('test.succeed'));      # it claims by hints now
    $super->dbh->begin_work;
    $super->dbh->do('lock table podi.attempt in exclusive mode');
    my $t = $h->submit('test.hang');
    ok poll(10, sub { holders('key:three') == 1 }), 'its hint is taken';
    $h->redis_say('CLIENT', 'PAUSE', 5000, 'WRITE');
    $super->dbh->commit;
    $h->reaches($t, 'running');
    $h->{work}->cancel($h->{ann}, $t->{task_id});

    for (1 .. 2) {
        my $was = $lease->($t);
        poll(5, sub { $lease->($t) ne $was });
    }

    is $h->job($t)->{state}, 'running', 'a stop waits for the breaker';
    $h->redis_say('CLIENT', 'UNPAUSE');
    is $h->ended($t)->{state}, 'cancelled', 'and then it stops';
    ok poll(10, sub { breaker('key:three')->[0] == 1 }),
        'the breaker hears that nobody probes';

    my $next = $h->submit('test.hang');
    $h->reaches($next, 'running');
    ok poll(10, sub { breaker('key:three')->[0] == 2 }), 'the next one does';
    my $until = breaker('key:three')->[1];
    cmp_ok $until - 1000 * time, '<', 30_000,
        'who dies meanwhile is not waited for as long as his job may take';
    ok poll(10, sub { breaker('key:three')->[1] > $until }),
        'while he lives, he is';
    $h->{work}->cancel($h->{ann}, $next->{task_id});
    $h->ended($next);
    $h->stop($echod);
};

ok poll(10, sub { drift() eq '0 0 0' }), 'slots fit what runs: ' . drift();
is $h->metrics($dispatchd)->{'podi_gate_drift_total{way="freed"}'} // 0, 0,
    'and always did';
is $h->stop($dispatchd), 0, 'the dispatcher ends';
$h->whole;
done_testing;
