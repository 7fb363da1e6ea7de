package Podi::Bench::Executors::Providers;

# 500 jobs of a third party in flight in one podi_runnerd, beside Celery on
# Redis in three ways: threads, gevent, and two processes whose polls are tasks
# with a countdown.
#
#     each: submit -> every 2 s: is it done? -> file -> stored
#     from the moment when all are polled, for some seconds: processor time,
#     memory, and how late each poll came: when it arrived at the third party,
#     against its answer before + 2 s

use strict;
use warnings;

use JSON::PP ();
use Time::HiRes qw( time clock_gettime CLOCK_MONOTONIC );
use HTTP::Tiny ();
use Podi::Bench::Executors;
use Podi::Bench::Tools;
use Podi::Proc qw( poll spawn reaped );
use Podi::Repo qw( root );

my $JOBS = 500;
my $EVERY = 2;                          # s between polls
my $LASTS = 26;                         # s, of a job there
my $WINDOW = 10;                        # s that are measured

# title, database of Redis, messages that one takes ahead, how it is started
my %POOLS = (
    threads => ["Celery, $JOBS threads", 1, 1, '-P', 'threads', '-c', $JOBS],
    gevent => ["Celery, gevent, $JOBS", 2, 1, '-P', 'gevent', '-c', $JOBS],
    prefork => ['Celery, 2 processes, polls as tasks', 3, $JOBS, '-P',
                'prefork', '-c', 2],
);

my $json = JSON::PP->new->canonical;


sub run
{
    my ($x) = @_;
    my $bench = $x->bench;
    my $celery = Podi::Bench::Tools::output('dpkg-query', '-W', '-f',
                                            '${Version}', 'python3-celery');

    $bench->fact("providers: $JOBS jobs of $LASTS s in flight, each polled"
                 . " $EVERY s after the last answer; figures are of $WINDOW s"
                 . ' in which all of them are polled, so at best '
                 . $JOBS / $EVERY . ' polls a second; one run each');
    $bench->fact('providers: ours is one podi_runnerd that keeps each job in'
                 . ' PostgreSQL, with a lease; Celery keeps nothing but its'
                 . ' queue in Redis, without results and without'
                 . ' acknowledging late');
    $bench->fact('providers: until all are polled: ours submits each job in a'
                 . ' transaction of its own, Celery sends messages to Redis');
    $bench->fact('providers: memory is PSS of all processes of a side; Celery: '
                 . ($celery =~ /^\d/ ? $celery : 'not there'));

    $x->output(Podi::Bench::Executors::video(20_000));

    my %of = (ours => [ours($x)]);

    if ($celery =~ /^\d/) {
        $of{$_} = [theirs($x, $_)] for sort keys %POOLS;
    }
    rows($bench, \%of);
}


sub rows
{
    my ($bench, $of) = @_;
    my ($ours, $error) = @{ $of->{ours} };
    my @figures = (
        ['memory', 'memory', 'MiB'], ['cpu', 'cpu', '% of a core'],
        ['late', 'poll delay p99', 'ms'], ['late50', 'poll delay p50', 'ms'],
        ['polls', 'polls', '1/s'], ['ramp', 'until all are polled', 's'],
    );

    for my $pool (sort keys %POOLS) {
        my ($theirs, $wrong) = @{ $of->{$pool} // [{}] };

        $bench->row("providers.$pool.$_->[0]", metric => $_->[1],
            unit => $_->[2], ours => [$ours->{ $_->[0] }],
            peer => $POOLS{$pool}[0] . ($of->{$pool} ? '' : ': left out'),
            $of->{$pool} ? (theirs => [$theirs->{ $_->[0] }]) : (),
            error => [$error, $wrong]) for @figures;
    }
}


# --- one side ----------------------------------------------------------------

# (figures, what went wrong) of a tree of processes that has begun to work
sub measure
{
    my ($port, $pid, $began, $done) = @_;
    my $http = HTTP::Tiny->new(timeout => 20);
    my $polls = sub {
        map { [split / /] } split /\n/,
            $http->get("http://127.0.0.1:$port/polls")->{content};
    };
    my %is;

    poll(60, sub { my %job = map { $_->[0] => 1 } $polls->();
                   keys %job == $JOBS })
        or return ({}, 'not all are in flight');
    $is{ramp} = time - $began;

    my $from = clock_gettime(CLOCK_MONOTONIC);
    my ($cpu) = Podi::Bench::Executors::tree($pid);

    Time::HiRes::sleep($WINDOW);

    my $to = clock_gettime(CLOCK_MONOTONIC);
    my ($now, $memory) = Podi::Bench::Executors::tree($pid);
    my @late = map { ($_->[1] - $_->[2]) / 1e6 - 1000 * $EVERY }
               grep { $_->[1] > 1e9 * $from && $_->[1] < 1e9 * $to } $polls->();

    @is{qw( cpu memory late late50 )} = (100 * ($now - $cpu) / ($to - $from),
        $memory, map { Podi::Bench::quantile($_, @late) } 0.99, 0.5);
    $is{polls} = @late / ($to - $from);
    return (\%is, poll(90, $done) ? undef : 'not all have ended');
}


sub ours
{
    my ($x) = @_;
    my $r = $x->runner;
    my $port = $x->server('thirdd', 1000 * $LASTS);
    my $dir = "$r->{h}{dir}/providers";

    Podi::Runner::write_file("$dir/bench.json",
                             $json->encode(described($port)));
    $r->put('queue_put', { queue => 'http', label => 'HTTP' });
    $r->secret('bench');
    $r->action('bench.third', queue => 'http', executor => {
        kind => 'provider', provider => 'bench', operation => 'make' });

    my $daemon = $x->daemon('http', $port, concurrency => $JOBS);
    my $input = $r->upload;
    my $began = time;
    my @t = map { $r->{w}->submit($r->{ann}, inputs => [$input],
                actions => [{ action => 'bench.third' }]) } 1 .. $JOBS;
    my @result = measure($port, $daemon->{pid}, $began, sub {
        $JOBS == $r->{db}->value(undef, 'select count(*) from podi.task_header'
            . ' t join podi.job j using (task_id)'
            . " where j.action = 'bench.third' and t.state = 'succeeded'");
    });

    $r->{h}->stop($daemon);
    return @result;
}


sub described
{
    my ($port) = @_;
    my %state = (from => 'json_path', path => 'status',
                 map => { processing => 'running', succeeded => 'done' });

    return { name => 'bench', base_url => "http://127.0.0.1:$port",
        secrets => ['api'], auth => { kind => 'bearer', secret => 'api' },
        operations => { make => {
            submit => { method => 'POST', url => '/third/jobs',
                id_path => 'id', state => \%state, body => { kind => 'json',
                    template => { image => '{{input[0].url}}' } } },
            poll => { method => 'GET', url => '/third/jobs/{{remote.id}}',
                state => \%state, schedule => { first_ms => 1000 * $EVERY,
                    factor => 1, max_ms => 1000 * $EVERY },
                deadline_s => 600, not_found => 'lost' },
            result => { items_path => ['output[*]'], item_kind => 'url',
                ttl_s => 3600, allowed_hosts => ['127.0.0.1'] } } } };
}


sub theirs
{
    my ($x, $pool) = @_;
    my $r = $x->runner;
    my $port = $x->server('thirdd', 1000 * $LASTS);
    my (undef, $db, $ahead, @how) = @{ $POOLS{$pool} };
    my $log = "$x->{dir}/celery-$pool";
    my $conf = $json->encode({ redis => $r->{h}{redis}, done => "$log.done",
        base => "http://127.0.0.1:$port", every => $EVERY, db => $db,
        ahead => $ahead, apart => $pool eq 'prefork' ? 1 : 0 });
    my @python = ('env', "THIRD_CONF=$conf", 'PYTHONDONTWRITEBYTECODE=1',
                  'PYTHONPATH=' . root() . '/t/bench/peers', '/usr/bin/python3',
                  '-m', 'celery', '-A', 'celery_third', '--quiet');
    my $pid = spawn(log => "$log.log", cmd => [@python, 'worker', '-l', 'ERROR',
        '--without-gossip', '--without-mingle', '--without-heartbeat', '-n',
        "$pool\@third", @how]);

    # it goes with the rest when this ends early
    push @{ $x->{servers} }, $pid;
    poll(60, sub { -e "$log.done" }) or return ({}, 'Celery does not begin: '
        . Podi::Bench::Tools::slurped("$log.log"));

    my $began = time;
    my ($text, $status) = Podi::Bench::Tools::output('env',
        "THIRD_CONF=$conf", '/usr/bin/python3', '-B', root()
        . '/t/bench/peers/celery_third.py', $JOBS);
    my @result = $status ? ({}, "nothing was sent: $text")
        : measure($port, $pid, $began, sub {
              $JOBS == (() = Podi::Bench::Tools::slurped("$log.done") =~ /D/g)
          });

    kill 'TERM', $pid;
    pop @{ $x->{servers} } if poll(20, sub { reaped($pid) });
    return @result;
}

1;
