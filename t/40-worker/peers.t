# Redis and PostgreSQL go away, come back empty, answer late or not at all.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use Podi::Cutter;
use Podi::Hands;
use Podi::Proc qw(poll);

# a server that is killed must not forget what it has committed
my $h = Podi::Hands->new(durable => 1);


sub charged
{
    my ($task) = @_;

    return $h->{db}->super->value(undef, "select coalesce(sum(amount), 0)::int"
        . " from podi.ledger where task_id = ? and op = 'confirm'",
        $task->{task_id});
}


my $claims = sub {
    my ($daemon, $from) = @_;

    return $h->metrics($daemon)->{qq(podi_worker_claims_total{from="$from"})}
           // 0;
};


subtest 'Redis is down' => sub {
    my $dispatchd = $h->daemon('podi_dispatchd');
    my $echod = $h->daemon('echod', concurrency => 4);

    is $h->ended($h->submit('test.succeed'))->{state}, 'succeeded',
        'by hints before it';
    ok poll(20, sub { $h->ended($h->submit('test.succeed'));
                      $claims->($echod, 'hints') > 0 }),
        'and the metrics say so';

    $h->redis_stop;
    my @t = map { $h->submit('test.succeed') } 1 .. 6;
    is_deeply [map { $h->ended($_)->{state} } @t], [('succeeded') x 6],
        'the jobs are run';
    ok poll(10, sub { $claims->($echod, 'rows') >= 6 }),
        'claimed from their rows';

    $h->redis_start;
    my $was = $claims->($echod, 'hints');
    ok poll(20, sub { $h->ended($h->submit('test.succeed'));
                      $claims->($echod, 'hints') > $was }),
        'hints are pushed and claimed again when it is back';
    $h->stop($_) for $echod, $dispatchd;
};

subtest 'Redis forgets everything' => sub {
    my $dispatchd = $h->daemon('podi_dispatchd', watch => '100ms');
    my @t = map { $h->submit('test.succeed') } 1 .. 5;
    my $pushed = sub {
        $h->{db}->super->value(undef, 'select count(*) from podi.job where'
            . " state = 'queued' and pushed_at is null") == 0 };
    my $hints = sub { $h->redis_say('HLEN', 'podi:{q}:ids:test') =~ /^:5\r/ };

    ok poll(10, sub { $pushed->() && $hints->() }), 'after all were pushed';
    ok poll(10, sub { ($h->log($dispatchd, 'dispatch.rebuild'))[0] }),
        'and the generation was seen';
    $h->redis_say('FLUSHALL');
    ok poll(10, $hints), 'all hints are back, long before they are stale';

    my $echod = $h->daemon('echod');
    is_deeply [map { $h->ended($_)->{state} } @t], [('succeeded') x 5],
        'and every job is run';
    is_deeply [map { charged($_) } @t], [(5) x 5], 'and paid once';
    $h->stop($_) for $echod, $dispatchd;
};

subtest 'PostgreSQL is restarted in the middle of a job' => sub {
    my $dispatchd = $h->daemon('podi_dispatchd');
    my $echod = $h->daemon('echod', slow => '500ms', lease => '20s',
                           beat => '1s');
    my $t = $h->submit('test.slow');

    $h->reaches($t, 'running');
    delete $h->{db}{$_} for qw(super ctl worker web);
    $h->{pg}->kill;
    ok poll(10, sub { @{ $h->runs($t) } == 2 }), 'the job goes on without it';
    ok $h->logged($echod, 'job.settle_again'), 'and cannot be settled';
    $h->{pg}->start;
    $h->{work} = bless { %{ $h->{work} },
        web => $h->{db}->login('podi_web'),
        worker => $h->{db}->login('podi_worker') }, 'Podi::Work';

    is $h->ended($t)->{state}, 'succeeded', 'until it is back';
    is_deeply $h->words($t), [qw(start done)], 'without another run';
    is charged($t), 5, 'and is paid once';
    is $h->ended($h->submit('test.succeed'))->{state}, 'succeeded',
        'the next job is served';
    $h->stop($_) for $echod, $dispatchd;
};

# what is done once a day is not put off for a day
subtest 'PostgreSQL is away when a round is due' => sub {
    delete $h->{db}{$_} for qw(super ctl worker web);
    $h->{pg}->kill;
    my $janitord = $h->daemon('podi_janitord', purge => '1d');
    my $seen = sub { grep { /purge/ } map { values %$_ }
                     $h->log($janitord, $_[0]) };

    ok poll(10, sub { $seen->('round.failed') }), 'it fails';
    $h->{pg}->start;
    ok poll(20, sub { $seen->('round.recovered') }), 'and is tried again soon';
    $h->{work} = bless { %{ $h->{work} },
        web => $h->{db}->login('podi_web'),
        worker => $h->{db}->login('podi_worker') }, 'Podi::Work';
    $h->stop($janitord);
};

subtest 'the answer to a settle is lost' => sub {
    my $dispatchd = $h->daemon('podi_dispatchd');
    my ($upstream) = $h->{pg}->conninfo('postgres') =~ /host=(\S+)/;
    my $dir = "$h->{dir}/cut";

    mkdir $dir;
    my $cutter = Podi::Cutter->start(listen => "$dir/.s.PGSQL.5432",
        upstream => "$upstream/.s.PGSQL.5432", control => "$h->{dir}/ctl");
    my $pg = $h->{pg}->conninfo('podi_worker', $h->{db}{name});
    my $echod = $h->daemon('echod', pg => $pg =~ s/host=\S+/host=$dir/r,
                           slow => '2s', pg_deadline => '1500ms',
                           connect_timeout => '500ms', lease => '20s',
                           beat => '5s');
    my $t = $h->submit('test.slow');

    $h->reaches($t, 'running');
    ok poll(10, sub { @{ $h->runs($t) } == 1 }), 'while the job runs';
    $cutter->say('stall-after 0');      # answers stop, questions go through
    poll(10, sub { @{ $h->runs($t) } == 2 });
    $cutter->say('cut-after 1');
    ok $h->logged($echod, 'job.settle_again'), 'the settle has no answer';
    $cutter->say('pass');

    is $h->ended($t)->{state}, 'succeeded', 'it is sent again';
    ok poll(10, sub { ($h->log($echod, 'job.settled'))[-1]{job_id}
                      eq $t->{jobs}[0]{job_id} }), 'until it is answered';
    is charged($t), 5, 'and the price is paid once';
    is_deeply $h->words($t), [qw(start done)], 'for one run';
    $h->stop($echod);

    # he who has nothing else in hand beats all the same
    $echod = $h->daemon('echod', pg => $pg =~ s/host=\S+/host=$dir/r,
                        pg_deadline => '500ms', connect_timeout => '500ms',
                        lease => '2s', beat => '200ms');
    ok poll(10, sub { $h->redis_say('CLIENT', 'LIST') =~ /cmd=blpop/ }),
        'a daemon without jobs';
    my $seen = -s $echod->{log};
    $cutter->say('stall-after 0');
    $t = $h->submit('test.succeed');
    $h->reaches($t, 'running');
    ok poll(10, sub { $h->log($echod, 'claim.failed', $seen) }),
        'does not hear that it has got one';
    $cutter->say('cut-after 1');
    $cutter->say('pass');
    is $h->ended($t)->{state}, 'succeeded', 'it is given back and run';
    is $h->job($t)->{crashes}, 0, 'and that was no crash';
    $h->stop($_) for $echod, $dispatchd;
};

subtest 'no Redis is configured' => sub {
    my $conf = $h->conf('podi_echod');
    open my $in, '<', $conf or die $!;
    my @line = grep { !/^redis/ } <$in>;
    open my $out, '>', $conf or die $!;
    print {$out} @line;
    close $out;
    my $echod = $h->daemon('echod', conf => $conf);

    is $h->ended($h->submit('test.succeed'))->{state}, 'succeeded',
        'the jobs are run all the same';
    $h->stop($echod);
};

$h->whole;
done_testing;
