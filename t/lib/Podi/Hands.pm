package Podi::Hands;

# Daemons of a test's own, with PostgreSQL and Redis but without nginx.
#
#     my $h = Podi::Hands->new;                  # submits to the queue "test"
#     ... ->new(build => $dir)                   # what is built there already
#     my $d = $h->daemon('podi_dispatchd');
#     my $e = $h->daemon('echod', concurrency => 4, slow => '300ms');
#     my $t = $h->submit('test.flaky', { failures => 2 });
#     $h->ended($t);                             # the task, once it has ended
#     $h->runs($t)                               # what echod noted, per job
#     $h->log($e, 'job.settled')                 # log lines of an event
#     $h->heard('job.running')                   # what Redis published
#
# Daemons, servers and files are gone when the object is.

use strict;
use warnings;

use Cwd ();
use Fcntl qw(:flock);
use File::Path qw(make_path);
use File::Temp ();
use IO::Select;
use IO::Socket::UNIX;
use JSON::PP ();
use Test::More ();
use Time::HiRes qw(time);

use Podi::Proc qw(poll spawn children gone reaped san_env);
use Podi::Sql;
use Podi::Work;

my $json = JSON::PP->new;

# name => [parameters, price, timeout, attempts]
my %ACTIONS = (
    'test.succeed'  => [{}, 5, 10_000, 3],
    'test.fail'     => [{}, 5, 10_000, 3],
    'test.flaky'    => [{ failures => 'integer' }, 5, 10_000, 3],
    'test.crash'    => [{ crashes => 'integer' }, 5, 10_000, 3],
    'test.hang'     => [{}, 5, 60_000, 3],
    'test.late'     => [{}, 5, 1_000, 1],
    'test.slow'     => [{}, 5, 20_000, 3],
    'test.progress' => [{}, 5, 20_000, 3],
    'test.parts'    => [{ crashes => 'integer' }, 5, 10_000, 3],
    'test.other'    => [{}, 5, 10_000, 3],
);


# what these tests need and no more; one build at a time
sub build
{
    my $build = $ENV{PODI_BUILD} // "$Podi::Pg::ROOT/var/build";

    make_path($build);
    $build = Cwd::abs_path($build);
    open my $lock, '>', "$build/hands.lock" or die "$build/hands.lock: $!";
    flock $lock, LOCK_EX;

    my @make = ('make', '-s', '-j2', '-C', "$Podi::Pg::ROOT/workers",
                "PODI_BUILD=$build", 'tests',
                map { "$build/bin/$_" } qw(podi_dispatchd podi_janitord
                                           podictl));

    push @make, 'SAN=1' if $ENV{SAN};
    system(@make) == 0 or die 'the workers do not build';
    return $build;
}


sub new
{
    my ($class, %option) = @_;
    my $self = bless { pid => $$, daemons => [], %option }, $class;

    $self->{build} //= build();
    $self->{tmp} = File::Temp->newdir('podi-h-XXXXXX', TMPDIR => 1);
    $self->{dir} = "$self->{tmp}";
    mkdir "$self->{dir}/$_" for qw(spool metrics);

    $self->{pg} = Podi::Pg->new(durable => $option{durable},
                                conf => $option{pg_conf} // {});
    $self->{db} = Podi::Sql->new(pg => $self->{pg});
    $self->{redis} = "$self->{dir}/redis.sock";
    $self->redis_start;

    $self->{work} = Podi::Work->new($self->{db});
    $self->{ann} = $self->{work}->person('ann', 1000);
    $self->{picture} = $self->{work}->media($self->{ann});
    $self->actions;
    $self->listen;
    return $self;
}


sub actions
{
    my ($self) = @_;
    my $text = { zh => 'x', en => 'x' };

    $self->{db}{ctl} //= $self->{db}->login('podi_ctl');
    $self->{db}{ctl}->one(undef, 'select * from sys.queue_put(?)',
                          '{"queue": "test", "label": "test"}');
    for my $name (sort keys %ACTIONS) {
        my ($params, $price, $timeout, $attempts) = @{ $ACTIONS{$name} };
        my %spec = map { $_ => { type => $params->{$_} } } keys %$params;

        $self->{db}{ctl}->one(undef, 'select * from sys.action_put(?)',
            $json->encode({ action => $name, queue => 'test',
                label => $text, description => $text,
                schema => { type => 'object', properties => \%spec,
                            additionalProperties => JSON::PP::false() },
                accepts => ['image/jpeg'], price => $price,
                timeout_ms => $timeout, max_attempts => $attempts,
                max_wait_ms => 60_000 }));
    }
    return;
}


# --- Redis -----------------------------------------------------------------

sub redis_start
{
    my ($self) = @_;

    $self->{redis_pid} = spawn(log => "$self->{dir}/redis.log",
        cmd => ['redis-server', '--port', 0, '--unixsocket', $self->{redis},
                '--save', '', '--dir', $self->{dir}]);
    poll(10, sub { eval { $self->redis_say('PING') =~ /PONG/ } })
        or die 'Redis does not start';
    return;
}


sub redis_stop
{
    my ($self) = @_;
    my $pid = delete $self->{redis_pid} or return;

    kill 'KILL', $pid;
    waitpid $pid, 0;
    return;
}


sub redis_say
{
    my ($self, @words) = @_;
    my $socket = IO::Socket::UNIX->new(Peer => $self->{redis})
        or die "redis: $!";

    $socket->syswrite(resp(@words));
    sysread $socket, my $answer, 65536;
    return $answer;
}


sub resp
{
    return join '', '*', scalar(@_), "\r\n",
                map { '$' . length($_) . "\r\n$_\r\n" } @_;
}


# from now on everything that is published to users is remembered
sub listen
{
    my ($self) = @_;

    $self->{ear} = IO::Socket::UNIX->new(Peer => $self->{redis})
        or die "redis: $!";
    $self->{ear}->syswrite(resp('PSUBSCRIBE', 'podi:user:*'));
    sysread $self->{ear}, my $ok, 4096;
    $self->{noise} = '';
    return;
}


# messages of a type, in order; waits for the first
sub heard
{
    my ($self, $type, $seconds) = @_;
    my @found;

    poll($seconds // 10, sub {
        while (IO::Select->new($self->{ear})->can_read(0)) {
            sysread($self->{ear}, $self->{noise}, 65536,
                    length $self->{noise}) or last;
        }
        @found = grep { $_->{type} eq $type }
                 map { $json->decode($_) }
                 $self->{noise} =~ /\r\n(\{[^\r]*\})\r\n/g;
        scalar @found;
    });
    return @found;
}


# --- daemons ---------------------------------------------------------------

sub conf
{
    my ($self, $name, %own) = @_;
    my $path = "$self->{dir}/$name-" . ++$self->{serial} . '.conf';
    my %common = (
        pg => $own{pg} // $self->{pg}->conninfo('podi_worker',
                                                $self->{db}{name}),
        redis => "$self->{redis}", metrics_dir => "$self->{dir}/metrics",
        metrics_every => '200ms',
        pid_dir => $self->{dir}, log_level => 'debug',
        lease => '3s', beat => '300ms', poll => '200ms', retry_base => '1ms',
        reconnect_max => '200ms', restart_max => '500ms');

    delete $own{pg};
    $own{spool} //= "$self->{dir}/spool" if $name eq 'podi_echod';

    open my $file, '>', $path or die "$path: $!";
    print {$file} "[common]\n", map { "$_ = $common{$_}\n" } sort keys %common;
    print {$file} "[$name]\n", map { "$_ = $own{$_}\n" } sort keys %own;
    close $file;
    return $path;
}


sub daemon
{
    my ($self, $program, %own) = @_;
    my $name = $program eq 'echod' ? 'podi_echod' : $program;
    my $path = $self->{build} . ($program eq 'echod' ? '/test/' : '/bin/')
               . $program;
    my $log = "$self->{dir}/$name.log";
    my $conf = delete $own{conf} // $self->conf($name, %own);
    my $seen = -s $log // 0;
    my $daemon = { name => $name, log => $log, conf => $conf };

    $daemon->{pid} = spawn(cmd => [$path, '-c', $conf], log => $log,
                           env => { san_env($self->{dir}, $path) });
    push @{ $self->{daemons} }, $daemon;
    poll(20, sub { grep { $_->{pid} == $self->child($daemon) }
                   $self->log($daemon, 'child.ready', $seen) })
        or die "$name does not start: " . $self->text($daemon);
    return $daemon;
}


sub child
{
    my ($self, $daemon) = @_;

    return (children($daemon->{pid}))[0] // 0;
}


# sends a signal and waits for the end; the exit status
sub stop
{
    my ($self, $daemon, $signal, $seconds) = @_;

    return if $daemon->{ended};
    kill $signal // 'TERM', $daemon->{pid};
    poll($seconds // 20, sub { reaped($daemon->{pid}) })
        or die "$daemon->{name} does not end: " . $self->text($daemon);
    $daemon->{ended} = 1;
    return $?;
}


sub text
{
    my ($self, $daemon) = @_;

    open my $file, '<', $daemon->{log} or return '';
    local $/;
    return <$file>;
}


# decoded log lines of an event, from an offset on; tests ask again and again,
# so what has been read is kept
sub log
{
    my ($self, $daemon, $event, $from) = @_;
    my $kept = $self->{lines}{ $daemon->{log} } //= { at => 0, line => [] };

    open my $file, '<', $daemon->{log} or return;
    seek $file, $kept->{at}, 0;
    while (my $line = <$file>) {
        last if $line !~ /\n\z/;
        push @{ $kept->{line} }, [$kept->{at}, $json->decode($line)]
            if $line =~ /^\{/;
        $kept->{at} += length $line;
    }

    return grep { $_->{event} eq $event } map { $_->[1] }
           grep { $_->[0] >= ($from // 0) } @{ $kept->{line} };
}


# waits for a log line
sub logged
{
    my ($self, $daemon, $event, $seconds) = @_;

    return poll($seconds // 10, sub { ($self->log($daemon, $event))[0] });
}


# "name{labels}" => value, of a daemon's child
sub metrics
{
    my ($self, $daemon) = @_;
    my ($path) = glob "$self->{dir}/metrics/$daemon->{name}-*.prom";
    my %value;

    open my $file, '<', $path // return {} or return {};
    while (my $line = <$file>) {
        $value{$1} = $2 if $line =~ /^([^#\s]\S*) (\S+)$/;
    }
    return \%value;
}


# --- tasks -----------------------------------------------------------------

# what nginx does, but for the push of the hints
sub submit
{
    my ($self, $action, $params) = @_;

    return $self->{work}->submit($self->{ann}, inputs => [$self->{picture}],
        actions => [{ action => $action, params => $params // {} }]);
}


sub task
{
    my ($self, $task) = @_;

    return $self->{db}->super->one(undef, 'select * from podi.task_header'
                                   . ' where task_id = ?', $task->{task_id});
}


sub job
{
    my ($self, $task) = @_;

    return $self->{work}->job($task->{jobs}[0]{job_id});
}


# polls the job until it is in the state; the job
sub reaches
{
    my ($self, $task, $state, $seconds) = @_;
    my $job;

    poll($seconds // 20, sub { ($job = $self->job($task))->{state} eq $state });
    return $job;
}


sub ended
{
    my ($self, $task, $seconds) = @_;
    my $row;

    poll($seconds // 20, sub { ($row = $self->task($task))->{ended_at} });
    return $row;
}


# the lines of the job's spool file: [word, fence, pid]
sub runs
{
    my ($self, $task) = @_;

    open my $file, '<', "$self->{dir}/spool/$task->{jobs}[0]{job_id}"
        or return [];
    return [map { [split ' ', $_] } <$file>];
}


sub words
{
    my ($self, $task) = @_;

    return [map { $_->[0] } @{ $self->runs($task) }];
}


# nothing is left held, nothing is broken, no sanitizer has spoken
sub whole
{
    my ($self, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @report = glob "$self->{dir}/*san.*";

    Test::More::is("@report", '', 'no sanitizer report');
    Test::More::is(scalar grep({ /Sanitizer|assertion/ }
                               map { $self->text($_) } @{ $self->{daemons} }),
                   0, 'no daemon broke its own rules');
    return $self->{db}->whole($name // 'no invariant is broken');
}


sub DESTROY
{
    my ($self) = @_;

    return if $$ != $self->{pid};
    local ($?, $@, $!);
    for my $daemon (grep { !$_->{ended} } @{ $self->{daemons} }) {
        my @tree = ($daemon->{pid}, children($daemon->{pid}));

        kill 'KILL', @tree;
        waitpid $daemon->{pid}, 0;
        poll(5, sub { !grep { !gone($_) } @tree });
    }
    delete $self->{ear};
    $self->redis_stop;
    return;
}


1;
