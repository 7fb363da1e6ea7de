# Redis on a bad day, for the whole stack: tasks are taken and run, events
# arrive in order, and hints flow again by themselves when it is over.
#
#     nginx, podi_dispatchd, podi_imaged ----cutter----> Redis
#
# What a client of nginx sees is http_redis.t's.

use strict;
use warnings;

use Test::More;
use Podi::Cutter;
use Podi::Fault;
use Podi::Proc qw( poll children );
use Podi::Stack;

my $s = Podi::Stack->new(
    daemons => [qw( podi_dispatchd podi_imaged )], patience => 20);

$s->{rewrite} = sub {
    my ($file, $text) = @_;

    return $text if $file !~ /^(?:podi-http|workers)\.conf$/;
    $text =~ s{\S*/run/redis/redis\.sock}{
        ($file eq 'workers.conf' ? '' : 'unix:') . "$s->{dir}/cut/redis.sock"}e
        or die "$file names no Redis";
    $text =~ s/^(\[common\]\n)/$1poll = 200ms\nredis_deadline = 500ms
reconnect_max = 500ms\n/m;
    return $text;
};
$s->start('pg', 'redis');

my $cut = $s->dir . '/cut';
mkdir $cut;
my $cutter = Podi::Cutter->start(listen => "$cut/redis.sock",
    upstream => $s->dir . '/run/redis/redis.sock',
    control => $s->dir . '/redis.ctl');

sub cut
{
    $cutter->say($_) for @_;
    chmod 0777, "$cut/redis.sock";
}

cut('pass');
$s->start('nginx', 'podi_dispatchd', 'podi_imaged');

my $ann = $s->member('annie', points => 10_000);
my $dir = $s->dir . '/fault';
mkdir $dir;
my $pic = Podi::Fault::upload($s, $ann,
    Podi::Fault::picture("$dir/a.jpg", 80, 60, 0), 'image/jpeg');
my @ACTIONS = map { { action => 'image.thumbnail', params => { size => $_ } } }
              16 .. 18;
my $last = $s->get('/v1/events/snapshot', as => $ann)->json->{position};
my $live = $s->events(as => $ann, last_event_id => $last);
my @processes = sort map { stays($_) }
                qw( nginx podi_dispatchd podi_imaged );


# the processes of a part; those of podi_imaged's pictures come and go
sub stays
{
    my ($name) = @_;
    my $pid = $s->part($name)->pid;

    return ($pid, children($pid));
}


# a task from its order to the last event of the one stream
sub run_one
{
    my ($name) = @_;
    my $res = $s->post('/v1/tasks', as => $ann, json => {
        inputs => [$pic], actions => \@ACTIONS });

    is $res->status, 201, "$name: a task is taken";
    my ($holes, $end) = (0, '');
    poll(40, sub {
        my $event = $live->next_event(1) // return $live->ended;

        return 0 if !defined $event->{id} || $event->{event} eq 'hello';
        $holes++ if $event->{id} != $last + 1;
        $last = $event->{id};
        return $event->{event} =~ /^task\.(?:succeeded|failed|partial)$/
            && ($end = $event->{event});
    });
    is $end, 'task.succeeded', "$name: it is run, and told so";
    is $holes, 0, "$name: no event is missing or came twice";
}


# how many jobs podi_imaged took by hints, as it says itself
sub by_hints
{
    my ($path) = glob $s->dir . '/run/podi/podi_imaged-*.prom';
    my $text = $path ? eval { Podi::Fault::slurp($path) } // '' : '';

    return $text =~ /^podi_worker_claims_total\{from="hints"\} (\d+)/m ? $1 : 0;
}


# the same stream, the same processes, hints again
sub over
{
    my ($name) = @_;
    my $was = by_hints();

    ok poll(40, sub { run_one("$name over"); by_hints() > $was }),
        "$name: over, hints are pushed and taken again";
    ok !$live->ended, "$name: the stream was never cut";
    is $s->get('/readyz')->status, 200, "$name: ready";
    is_deeply [ sort map { stays($_) }
                qw( nginx podi_dispatchd podi_imaged ) ], \@processes,
        "$name: nothing was restarted";
}


# a poll may be there before the hint, once
ok poll(40, sub { run_one('well'); by_hints() > 0 }),
    'by hints, on a good day';

for my $day ([ refused => 'refuse', 'reset' ], [ silent => 'stall' ],
             [ slow => 'delay 100' ])
{
    my ($name, @commands) = @$day;

    cut(@commands);
    run_one($name) for 1 .. 3;
    cut('pass');
    over($name);
}

for my $bytes (1, 5, 40) {
    cut("cut-after $bytes");
    run_one("cut after $bytes bytes");
    cut('pass');
    over("cut after $bytes bytes");
}

# emptied, and filled by somebody else: what it says is no truth
$s->redis('FLUSHALL');
run_one('emptied');
over('emptied');

$s->allow_errors(qr/podi: Redis/);
$live->close;
$s->part('podi_imaged')->stop;
$s->done;
done_testing;
