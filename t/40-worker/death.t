# Children that die, hosts that die, drains: every lease comes back, nothing
# is charged twice.

use strict;
use warnings;
use lib 't/lib';

use JSON::PP qw(encode_json);
use Test::More;
use Time::HiRes qw(time);
use Podi::Cutter;
use Podi::Hands;
use Podi::Proc qw(poll gone);

my $h = Podi::Hands->new;
my $dispatchd = $h->daemon('podi_dispatchd', sweep => '200ms');


sub charged
{
    my ($task) = @_;

    return $h->{db}->super->value(undef, "select coalesce(sum(amount), 0)::int"
        . " from podi.ledger where task_id = ? and op = 'confirm'",
        $task->{task_id});
}


sub write_file
{
    my ($path, $text) = @_;

    open my $file, '>', $path or die "$path: $!";
    print {$file} $text;
    close $file or die "$path: $!";
    return;
}


subtest 'a child that crashes in the middle of a job' => sub {
    my $echod = $h->daemon('echod', lease => '60s', beat => '4s');
    my $t = $h->submit('test.crash', { crashes => 1 });

    # with a lease of a minute only the parent can have given it back
    my $task = $h->ended($t, 10);

    is $task->{state}, 'succeeded', 'the job is run again';
    is_deeply $h->words($t), [qw(start start done)], 'once';
    is $h->job($t)->{crashes}, 1, 'the crash is counted';
    is charged($t), 5, 'and the price is paid once';

    my ($died) = $h->log($echod, 'child.died');
    my ($free) = grep { $_->{msg} =~ /^1 jobs/ }
                 $h->log($echod, 'parent.release');
    ok $died && $free, 'the parent saw it and released the lease';
    $h->stop($echod);
};

subtest 'a job that kills every child' => sub {
    my $echod = $h->daemon('echod', lease => '60s', beat => '4s');
    my $t = $h->submit('test.crash', { crashes => 99 });

    is $h->ended($t, 30)->{state}, 'failed', 'is given up';
    is $h->job($t)->{error_code}, 'job_crashed', 'as what it is';
    is scalar(@{ $h->runs($t) }), 3, 'after three children';

    my $next = $h->submit('test.succeed');
    is $h->ended($next)->{state}, 'succeeded', 'the next job is served';
    $h->stop($echod);
};

subtest 'a host that dies' => sub {
    my $echod = $h->daemon('echod', lease => '2s', beat => '500ms');
    my $t = $h->submit('test.hang');

    $h->reaches($t, 'running');
    my $child = $h->child($echod);
    kill 'KILL', $echod->{pid}, $child;
    waitpid $echod->{pid}, 0;
    $echod->{ended} = 1;
    ok poll(5, sub { gone($child) }), 'parent and child at once';

    is $h->reaches($t, 'queued')->{crashes}, 1, 'its lease runs out';

    my $other = $h->daemon('echod', lease => '2s', beat => '500ms');
    is $h->reaches($t, 'running')->{fence}, 3,
        'another one takes the job, two fences later';
    $h->{work}->cancel($h->{ann}, $t->{task_id});
    $h->ended($t);
    $h->stop($other);
};

subtest 'a parent that dies' => sub {
    my $echod = $h->daemon('echod', slow => '700ms', lease => '60s',
                           beat => '4s');
    my $t = $h->submit('test.slow');

    $h->reaches($t, 'running');
    my $child = $h->child($echod);
    kill 'KILL', $echod->{pid};
    waitpid $echod->{pid}, 0;
    $echod->{ended} = 1;

    is $h->ended($t)->{state}, 'succeeded', 'its child finishes the job';
    ok poll(10, sub { gone($child) }), 'and goes';
};

subtest 'a drain' => sub {
    my $echod = $h->daemon('echod', concurrency => 2, slow => '700ms',
                           drain_timeout => '1500ms', lease => '60s',
                           beat => '4s');
    my $short = $h->submit('test.slow');
    my $long = $h->submit('test.hang');

    $h->reaches($_, 'running') for $short, $long;
    my $attempts = $h->job($long)->{attempts};
    is $h->stop($echod), 0, 'ends well';

    is $h->ended($short)->{state}, 'succeeded', 'what can end is finished';
    my $job = $h->job($long);
    is $job->{state}, 'queued', 'what cannot is given back';
    is $job->{attempts}, $attempts - 1, 'with its attempt';
    is $job->{crashes}, 0, 'and without blame';
    is_deeply $h->words($long), [qw(start undo)], 'and undone';
    $h->{work}->cancel($h->{ann}, $long->{task_id});
};

subtest 'a drain between a hint and its job' => sub {
    my $cutter = Podi::Cutter->start(listen => "$h->{dir}/slow.sock",
        upstream => $h->{redis}, control => "$h->{dir}/slow.ctl");
    my $echod = $h->daemon('echod', redis => "$h->{dir}/slow.sock",
                           redis_deadline => '20s', concurrency => 1);

    ok poll(10, sub { $h->redis_say('CLIENT', 'LIST') =~ /cmd=blpop/ }),
        'a daemon waits for hints';

    # nginx has pushed it, so the dispatcher need not
    kill 'STOP', $h->child($dispatchd);
    $cutter->say('delay 1500');
    my ($t, $next) = map { $h->submit('test.succeed') } 1 .. 2;
    my @jobs = map { $h->job($_) } $t, $next;
    $h->{db}->super->all(undef, 'update podi.job set pushed_at = now()'
                         . ' where job_id = ?', $_->{job_id}) for @jobs;
    Podi::Pg::run_quiet("$h->{build}/test/hintc", $h->{redis}, 'push',
        encode_json([map { { queue => 'test', job_id => $_->{job_id},
                             tenant_id => $_->{tenant_id} } } @jobs]));
    ok poll(10, sub { $h->redis_say('HLEN', 'podi:{q}:ids:test')
                      eq ":1\r\n" }), 'a hint of two is taken';
    is $h->job($t)->{state}, 'queued', 'its job is not claimed yet';
    is $h->stop($echod), 0, 'the daemon drains';
    $cutter->stop;

    is $h->job($t)->{pushed_at}, undef, 'the job is given back';
    is $h->job($t)->{attempts}, 0, 'and nothing counted';
    kill 'CONT', $h->child($dispatchd);
    $echod = $h->daemon('echod');
    is $h->ended($t, 10)->{state}, 'succeeded',
        'and need not wait until its hint counts as lost';
    $h->ended($next);
    $h->stop($echod);
};

subtest 'HUP' => sub {
    my $echod = $h->daemon('echod', concurrency => 1, lease => '60s',
                           beat => '4s');
    my $settings = do { local (@ARGV, $/) = ($echod->{conf}); <> };

    for my $bad ('no_such_setting = 1', 'log_level = loud', 'beat = 59s') {
        my $child = $h->child($echod);
        my $seen = -s $echod->{log};

        write_file($echod->{conf}, "$settings$bad\n");
        kill 'HUP', $echod->{pid};
        ok poll(10, sub { $h->log($echod, 'parent.settings', $seen) }),
            "$bad: the file is refused";
        ok poll(10, sub { $h->child($echod) && $h->child($echod) != $child }),
            'the child is replaced';
        my $t = $h->submit('test.succeed');
        is $h->ended($t)->{state}, 'succeeded',
            'and works with the old settings';
    }

    is $h->{db}->super->value(undef, 'select count(*)::int from'
        . " pg_stat_activity where application_name = 'podi parent'"), 0,
        'the parent keeps no connection';
    $h->stop($echod);
};

subtest 'a child that cannot start' => sub {
    my $key = "$h->{dir}/store.key";
    my $log = "$h->{dir}/podi_janitord.log";

    write_file($key, "AKIATEST:not-a-secret\n");
    chmod 0600, $key;

    my $conf = $h->conf('podi_janitord', stores => join '; ', map {
        "$_->[0] type=s3 bucket=b region=r endpoint=http://127.0.0.1:9/s"
        . " key_file=$_->[1]" } ['one', $key], ['two', "$key.not"]);
    my $pid = Podi::Proc::spawn(cmd => ["$h->{build}/bin/podi_janitord", '-c',
                                        $conf], log => $log);
    my $d = { pid => $pid, log => $log, name => 'podi_janitord' };

    ok $h->logged($d, 'child.unable'), 'says why';
    is $h->logged($d, 'child.died')->{msg} =~ /: (\w+ \d+)$/ && $1, 'code 1',
        'and ends in good order';
    is $h->stop($d), 0, 'its parent can be stopped';
};

subtest 'a second pair' => sub {
    my $echod = $h->daemon('echod');
    my $path = "$h->{build}/test/echod";
    my $pid = Podi::Proc::spawn(cmd => [$path, '-c', $echod->{conf}],
                                log => "$h->{dir}/second.log");

    waitpid $pid, 0;
    is $? >> 8, 1, 'on the same pid file does not start';
    $h->stop($echod);
};

is $h->stop($dispatchd), 0, 'the dispatcher ends';
$h->whole;
done_testing;
