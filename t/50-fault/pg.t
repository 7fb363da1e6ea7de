# PostgreSQL on a bad day, for the whole stack: nginx, podi_imaged, dispatchd
# and an open stream.  What a single client of nginx sees is http_pg.t's, what
# a single worker does is 40-worker/peers.t's.
#
#     nginx ----cutter----> PostgreSQL <----cutter---- workers
#
# Jobs that are under way are finished once, the stream goes on where it was,
# nothing is restarted, and when it is over nobody is told 5xx any more.

use strict;
use warnings;

use Test::More;
use Podi::Cutter;
use Podi::Fault;
use Podi::Proc qw( poll children tree );
use Podi::Stack;

my $s = Podi::Stack->new(
    daemons => [qw( podi_dispatchd podi_imaged )], durable => 1,
    server => "podi_deadline 1s;\n", patience => 20);

$s->{rewrite} = sub {
    my ($file, $text) = @_;
    my %side = ('podi-http.conf' => 'web', 'workers.conf' => 'worker');
    my $side = $side{$file} // return $text;

    $text =~ s{host=\S+/sock\b}{host=$s->{dir}/cut-$side}
        or die "$file names no PostgreSQL";
    $text =~ s/^(\[common\]\n)/$1lease = 5s\nbeat = 1s\npg_deadline = 1s
reconnect_max = 500ms\nconnect_timeout = 1s\n/m;
    return $text;
};
$s->start('pg', 'redis');

my %cutter = map {
    my $dir = $s->dir . "/cut-$_";

    mkdir $dir;
    ($_ => Podi::Cutter->start(listen => "$dir/.s.PGSQL.5432",
        upstream => "$s->{pg}{dir}/sock/.s.PGSQL.5432",
        control => $s->dir . "/$_.ctl"));
} qw( web worker );


# both sides; a socket that is listened on again is for all
sub cut
{
    my ($command) = @_;

    for my $side (sort keys %cutter) {
        $cutter{$side}->say($command);
        chmod 0777, $s->dir . "/cut-$side/.s.PGSQL.5432";
    }
}


cut('pass');
$s->start('nginx', 'podi_dispatchd', 'podi_imaged');

my $ann = $s->member('annie', points => 10_000);
my $dir = $s->dir . '/fault';
mkdir $dir;
my $pic = Podi::Fault::upload($s, $ann,
    Podi::Fault::picture("$dir/a.jpg", 80, 60, 0), 'image/jpeg');
my @ACTIONS = map { { action => 'image.thumbnail', params => { size => $_ } } }
              16 .. 20;
my @workers = sort $s->nginx->workers;
my @daemons = sort map { stays($_) }
              qw( podi_dispatchd podi_imaged );
my ($last, $live, %end) = (
    $s->get('/v1/events/snapshot', as => $ann)->json->{position});


# the processes of a daemon; those of its pictures come and go
sub stays
{
    my ($name) = @_;
    my $pid = $s->part($name)->pid;

    return ($pid, children($pid));
}


sub submit
{
    my ($key, %arg) = @_;

    return $s->post('/v1/tasks', as => $ann, key => $key, %arg,
        json => { inputs => [$pic], actions => \@ACTIONS });
}


# one event of the stream, which is opened as often as it must be
sub listen_on
{
    my ($holes) = @_;

    $live //= eval { $s->events(as => $ann, last_event_id => $last) };
    undef $live if $live && $live->status != 200;
    my $event = $live ? $live->next_event(0.5) : undef;

    undef $live if $live && !$event && $live->ended;
    return if !$event || !defined $event->{id} || $event->{event} eq 'hello';

    $$holes++ if $event->{id} != $last + 1;
    $last = $event->{id};
    $end{ $event->{data}{task_id} } = $event->{event}
        if $event->{event} =~ /^task\.(?:succeeded|failed|partial)$/;
}


# reads on until the task has ended
sub follow
{
    my ($task, $seconds) = @_;
    my $holes = 0;

    poll($seconds, sub { listen_on(\$holes); $end{$task} });
    is $holes, 0, '... no event is missing or came twice';
    return $end{$task} // 'nothing';
}


# a task that is under way when the day turns bad
sub begin
{
    my ($name) = @_;
    my $task = submit("$name-before")->json->{task_id};

    $s->wait_for(sub { $s->sql('select count(*) from podi.job where task_id = ?'
                               . " and state <> 'queued'", $task) }, 20,
                 'a job is taken');
    return $task;
}


sub refused
{
    my ($name, $res) = @_;

    is $res->status, 503, "$name: 503";
    like $res->header('retry-after') // '', qr/^[1-9]\d*$/, '... when again';
    like $res->header('x-trace-id') // '', qr/^[0-9a-f]{32}$/, '... and a trace';
    like $res->code, qr/^(?:unavailable|deadline)$/, '... and why';
}


# good answers in a row, on every connection of every worker
sub steady
{
    my $row = 0;

    return poll(30, sub {
        $row = $s->get('/v1/wallet', as => $ann)->status == 200 ? $row + 1 : 0;
        return $row >= 16;
    });
}


sub over
{
    my ($name, $before) = @_;

    ok steady(), "$name: it is over";
    is scalar(grep { $_ >= 500 } map { $s->get($_, as => $ann)->status }
        ('/v1/wallet', '/v1/tasks', '/v1/me', '/v1/actions') x 10), 0,
        '... and nobody is told 5xx any more';
    is follow($before, 60), 'task.succeeded',
        '... what was under way has succeeded';

    my $after = submit("$name-after");
    is $after->status, 201, '... a new task is taken';
    is follow($after->json->{task_id}, 60), 'task.succeeded',
        '... and succeeds';
    like submit("$name-amid")->status, qr/^20[01]$/,
        '... what was asked amid it can be asked again';
    is follow(submit("$name-amid")->json->{task_id}, 60), 'task.succeeded',
        '... and succeeds';
    is_deeply [ sort $s->nginx->workers ], \@workers,
        '... nginx is as it was';
    is_deeply [ grep { my $pid = $_; !grep { $_ == $pid } map {
            stays($_) } qw( podi_dispatchd podi_imaged ) }
        @daemons ], [], '... so are the daemons';
}


# its server processes are stopped: connections are taken, nothing is said
sub server_signal
{
    my ($signal) = @_;

    kill $signal, tree($s->pg->server_pid);
}


my @DAYS = (
    [ refused => sub { cut('refuse'); cut_all() }, sub { cut('pass') } ],
    [ silent => sub { cut('stall') }, sub { cut('pass') } ],
    [ stopped => sub { server_signal('STOP') },
                 sub { server_signal('CONT') } ],
);

sub cut_all { $_->say('reset') for values %cutter }

for my $day (@DAYS) {
    my ($name, $begin, $end) = @$day;
    my $before = begin($name);

    $begin->();
    refused($name, submit("$name-amid"));
    refused($name, $s->get('/v1/wallet', as => $ann));
    $end->();
    over($name, $before);
}

# slow: each piece of an answer is held for 50 ms, and all is well
{
    my $before = begin('slow');

    cut('delay 50');
    is submit('slow-amid')->status, 201, 'slow: a task is taken';
    is follow($before, 60), 'task.succeeded', '... what was under way ends';
    cut('pass');
    ok steady(), '... it is over';
    like $s->sql('select state from podi.task_header t where t.task_id = ?',
        submit('slow-amid')->json->{task_id}), qr/^(?:queued|running|succeeded)$/,
        '... the task is there';
}

# cut in the middle of an answer, on either side, again and again
for my $bytes (1, 7, 60, 400) {
    my $before = begin("cut-$bytes");

    cut("cut-after $bytes");
    my $res = submit("cut-$bytes-amid");
    refused("cut after $bytes bytes", $res) if $res->status != 201;
    $s->wait_for(sub { 0 + ($cutter{worker}->say('count') =~ /(\d+)/)[0] }, 20,
                 'the workers come back');
    cut('pass');
    over("cut-$bytes", $before);
}

is $s->sql("select count(*) from podi.job where state <> 'succeeded'"), 0,
    'every job has succeeded';
is $s->sql(<<'SQL'), 0, 'and was paid once';
select count(*) from podi.job j
 where j.price > 0 and j.price is distinct from
       (select sum(l.amount) from podi.ledger l
         where l.job_id = j.job_id and l.op = 'confirm')
SQL

$s->allow_errors(qr/podi: PostgreSQL/);
$live->close if $live;
$s->part('podi_imaged')->stop;
$s->done;
done_testing;
