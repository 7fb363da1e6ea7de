# Every point of podi_faults.def x { lost reply, kill -9, PostgreSQL restarted,
# Redis emptied }: each task ends as it should, made once and paid once.
#
#     arm points -> provoke them -> all are there -> strike -> let go -> ended
#
# Points of different processes are tried together.  A lost reply is the next
# answer of the point's peer to the process that is there, cut by its proxy.
#
# Points without a peer have tests of their own.  PODI_FAULT_POINTS is a
# pattern: only the points that it fits.

use strict;
use warnings;

use List::Util qw( uniq );
use Test::More;
use Time::HiRes qw( time );
use Podi::Fault;
use Podi::Rig;
use Podi::Points;
use Podi::Proc qw( poll children gone );
use Podi::Work;

my $began = time;
my $only = $ENV{PODI_FAULT_POINTS} // '';
my @POINTS = grep { $_->{name} =~ /$only/ && $_->{peer} ne 'none' }
    Podi::Points::table();
my $build = $ENV{PODI_BUILD} // Podi::Repo::root() . '/var/build';

is system("nm $build/libpodi.a 2>&1 | grep -q podi_fault_at") >> 8, 1,
    'what is built to be used has no points';

my $p = Podi::Rig->new(build => Podi::Points::build());
my $s = $p->stack;
my $db = $s->db;
my $ann = $s->member('annie', points => 1_000_000);
my $work = bless { db => $db, web => $db->login('podi_web') }, 'Podi::Work';
my (@round, @kids, $key);

$s->sql('update podi.queue_type set max_crashes = 20');
$s->allow_errors(
    qr/exited on signal 9/, qr/"event":"child\.died"/,
    qr/"event":"(?:pg|redis|parent|claim|job|round|beat|gates)\./,
    qr/\[(?:error|crit)\].*(?:PostgreSQL|Redis|connect\(\)|upstream)/i,
    qr/"level":"error"/);


# --- what is asked for, and what must come of it ------------------------------

my @KINDS = map { { action => 'image.resize', params => { width => $_ } } }
            8, 16, 24, 32;
my $picture = Podi::Fault::upload($s, $ann,
    Podi::Fault::picture($s->dir . '/a.jpg', 80, 60, 0), 'image/jpeg');
my @digest = map { digest($_) } 0 .. $#KINDS;

is scalar(uniq @digest), @KINDS, 'each kind is a picture of its own';


sub digest
{
    my ($kind) = @_;
    my $task = $s->post('/v1/tasks', as => $ann, json => order($kind))->json;
    my $sha256;

    poll(20, sub { $sha256 = $s->sql('select sha256 from podi.media'
                   . ' where task_id = ?', $task->{task_id}) })
        or die 'no reference';
    return $sha256;
}


sub order
{
    my ($kind) = @_;

    return { inputs => [$picture],
             actions => [ ref $kind ? $kind : $KINDS[$kind] ] };
}


sub expect
{
    my ($task, $state, $kind) = @_;

    push @round, { task => $task, state => $state,
                   sha256 => ref $kind ? undef : $digest[$kind] };
    return $task;
}


sub submit
{
    my ($kind, $state) = @_;
    my $res = $s->post('/v1/tasks', as => $ann, key => 'k' . ++$key,
                       json => order($kind));

    die 'not taken: ' . $res->text if $res->status != 201;
    return expect($res->json->{task_id}, $state // 'succeeded', $kind);
}


sub image { return submit(int rand @KINDS) }


sub echo
{
    my ($action, $params, $state) = @_;

    return submit({ action => "test.$action", params => $params // {} },
                  $state);
}


# --- how a point is reached ---------------------------------------------------

# a request that is sent again until it is answered, beside us
sub beside
{
    my ($target, $json, $k) = @_;
    my $pid = fork // die "fork: $!";

    push @kids, $pid;
    return if $pid;

    delete $s->{agent};
    my $done = poll(40, sub {
        $s->post($target, as => $ann, key => $k, json => $json,
                 unchecked => 1)->status =~ /^20/;
    });
    POSIX::_exit($done ? 0 : 1);
}


sub submit_beside
{
    my $kind = int rand @KINDS;
    my $k = 'k' . ++$key;

    beside('/v1/tasks', order($kind), $k);
    push @round, { key => $k, kind => $kind, state => 'succeeded',
                   sha256 => $digest[$kind] };
}


# a job that ends only when it is cancelled
sub runs
{
    my $task = echo('hang', {}, 'cancelled');

    poll(20, sub { 'running' eq $s->sql('select state from podi.task_header'
                                        . ' where task_id = ?', $task) })
        or die "$task does not run";
    return $task;
}


sub cancel_beside
{
    my $task = runs();

    beside("/v1/tasks/$task/cancel", {}, 'k' . ++$key);
}


# rows without hints: as if nginx had died after the commit
sub unpushed
{
    my $kind = int rand @KINDS;
    my $task = $work->submit($ann, %{ order($kind) });

    return expect($task->{task_id}, 'succeeded', $kind);
}


# the lease of a job that somebody holds is over
sub lapse
{
    image() for 1 .. 3;
    poll(2, sub { $s->sql('with r as (update podi.job set lease_until ='
        . " now() - interval '1 s' where state = 'running' and job_id ="
        . " (select job_id from podi.job where state = 'running'"
        . " and queue = 'image' limit 1) returning 1)"
        . ' select count(*) from r') });
}


sub doomed
{
    my $id = $work->media($ann, state => 'rejected');

    $s->sql("update podi.media set store = 'main', object_key = ?,"
        . ' object_gone = false, upload_expires_at = now() where media_id = ?',
        "u/$id", $id);
}


sub orphan
{
    image() for 1 .. 4;
    my @pairs = grep { $_->{daemon} eq 'podi_imaged' } values %{ $p->{pairs} };

    poll(10, sub {
        my ($child) = grep { Podi::Points::state_of($_) =~ /[SR]/ }
                      map { children($_->pid) } @pairs;
        kill 'KILL', $child if $child;
        $child;
    }) or die 'there is no child';
}


my %PROVOKE = (
    retry_ask => sub { echo('flaky', { failures => 1 }) },
    retry_told => sub { echo('flaky', { failures => 1 }) },
    segment_ask => sub { echo('parts') },
    segment_told => sub { echo('parts') },
    job_undo => sub {
        my $task = runs();
        $s->post("/v1/tasks/$task/cancel", as => $ann, json => {});
    },
    release_ask => \&orphan,
    dispatch_ask => \&unpushed, dispatch_push => \&unpushed,
    dispatch_told => \&unpushed,
    sweep_told => \&lapse,
    check_ask => sub { },
    object_ask => \&doomed, object_told => \&doomed,
    submit_ask => \&submit_beside, submit_told => \&submit_beside,
    announce => \&submit_beside,
    cancel_ask => \&cancel_beside, cancel_told => \&cancel_beside,
);


# --- one round ----------------------------------------------------------------

sub round
{
    my ($strike, $act, $code, @names) = @_;
    my (%at, $last);

    # without slots in Redis nobody asks for hints: that is another test
    poll(15, sub { $s->redis('EXISTS', 'podi:{q}:ready') eq '1' });

    # what stops a request comes first: the rest of the round needs nginx
    my %first = map { $_->{name} => $_->{who} eq 'nginx' } @POINTS;
    @names = sort { $first{$b} <=> $first{$a} || $a cmp $b } @names;

    for my $name (@names) {
        $p->arm($name, $act);
        ($PROVOKE{$name} // \&image)->();
        poll(10, sub { $at{$name} = $p->hit($name) })
            if $first{$name};
    }

    poll(15, sub {
        $at{$_} //= $p->hit($_) for @names;
        return 1 if !grep { !$at{$_} } @names;
        return 0 if time - ($last // 0) < 0.3;

        # a beat may have been quicker than the sweep
        grep({ $_ eq 'sweep_told' && !$at{$_} } @names) ? lapse() : image();
        $last = time;
        return 0;
    });

    $p->disarm($_) for grep { !$at{$_} } @names;
    is join(' ', grep { !$at{$_} } @names), '',
        "$strike: all are reached: @names";
    $code->(\%at);
    ended("$strike: @names");
}


# all of it is over, as it should be
sub ended
{
    my ($name) = @_;
    my @late = grep { !poll(40, sub { gone($_) }) } @kids;

    waitpid $_, 0 for @kids;
    is "@late", '', "$name: every request is answered";
    $p->mend;

    for my $task (grep { $_->{key} } @round) {
        my $res = $s->post('/v1/tasks', as => $ann, key => $task->{key},
                           json => order($task->{kind}));
        $task->{task} = $res->json->{task_id};
        is $res->status, 200, '... and is known when it comes again';
    }

    my %want = map { $_->{task} => $_ } @round;
    my $ids = '{' . join(',', keys %want) . '}';

    poll(30, sub { !$s->sql('select count(*) from podi.task_header'
        . ' where task_id = any (?::uuid[]) and ended_at is null', $ids) });
    is_deeply [ map { judged($_, $want{ $_->{task_id} }) } outcome($ids) ], [],
        "$name: what was asked for is made once, and paid once";
    is_deeply $db->breaks, [], '... and nothing is broken';
    (@round, @kids) = ();
}


sub outcome
{
    my ($ids) = @_;

    return $s->sql(<<'SQL', $ids);
select t.task_id, t.state, t.charged, j.price, j.action, j.error_code,
       j.error_detail,
       (select string_agg(m.sha256, ' ') from podi.media m
         where m.job_id = j.job_id) as sha256,
       (select count(*) from podi.attempt a
         where a.job_id = j.job_id and a.outcome = 'succeeded') as successes,
       (select coalesce(sum(l.amount), 0) from podi.ledger l
         where l.job_id = j.job_id and l.op = 'confirm') as paid,
       (select count(*) from podi.user_event e
         where e.task_id = t.task_id and e.type = 'task.' || t.state) as told
  from podi.task_header t join podi.job j using (tenant_id, task_id)
 where t.task_id = any (?::uuid[])
SQL
}


sub judged
{
    my ($is, $want) = @_;
    my $good = $want->{state} eq 'succeeded';
    my $price = $good ? $is->{price} : 0;
    my @bad;

    push @bad, join ' ', "is $is->{state}", grep { defined }
        @{$is}{qw( error_code error_detail )}
        if $is->{state} ne $want->{state};
    push @bad, "is paid with $is->{paid}" if $is->{paid} != $price;
    push @bad, "is charged $is->{charged}" if $is->{charged} != $price;
    push @bad, "$is->{successes} successes" if $is->{successes} != $good;
    push @bad, "told $is->{told} times" if $is->{told} != 1;
    push @bad, 'another picture' if $good && $want->{sha256}
        && ($is->{sha256} // '') ne $want->{sha256};
    return map { "$is->{action} $is->{task_id} $_" } @bad;
}


# so many of each program in one round
sub batches
{
    my (%size) = @_;
    my (%queue, @batch);

    push @{ $queue{ $_->{who} } }, $_->{name} for @POINTS;
    while (my @now = map { splice @{ $queue{$_} }, 0, $size{$_} // 1 }
                     sort keys %queue)
    {
        push @batch, \@now;
    }
    return @batch;
}


# --- the rounds ---------------------------------------------------------------

my %peer = map { $_->{name} => $_->{peer} } @POINTS;

for my $batch (batches()) {
    round('lost reply', 'pause', sub {
        my ($at) = @_;
        my @names = grep { $at->{$_} } @$batch;

        $p->lose($at->{$_}, $peer{$_}) for @names;
        $p->go($at->{$_}) for @names;
        poll(10, sub { !grep { !$p->lost($at->{$_}, $peer{$_}) } @names });
        is join(' ', grep { !$p->lost($at->{$_}, $peer{$_}) } @names), '',
            '... and get no answer';
    }, @$batch);
}
note sprintf 'lost replies after %.1f s', time - $began;

$p->more('podi_imaged', 5);
$p->more('podi_echod', 1);

round('kill', 'kill', sub { }, @$_) for batches(imaged => 6, echod => 2);
note sprintf 'kills after %.1f s', time - $began;

my @many = batches(imaged => 4, echod => 1);

for my $batch (@many) {
    round('Redis emptied', 'pause', sub {
        $s->redis('FLUSHALL');
        $p->go(grep { $_ } values %{ $_[0] });
    }, @$batch);
}
note sprintf 'Redis emptied after %.1f s', time - $began;

for my $batch (@many) {
    round('PostgreSQL restarted', 'pause', sub {
        $db->{$_} = undef for qw( super ctl web worker );
        $s->pg->stop('immediate');
        $s->pg->start;
        $work->{web} = $db->login('podi_web');
        $p->go(grep { $_ } values %{ $_[0] });
    }, @$batch);
}
note sprintf 'PostgreSQL restarted after %.1f s', time - $began;

is $s->sql("select count(*) from podi.media where state = 'rejected'"
           . ' and not object_gone'), 0, 'what nobody needs is removed';
$_->stop for values %{ $p->{pairs} };
$s->done;
done_testing;
