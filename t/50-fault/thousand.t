# 1,000 tasks while everything is killed in turn: nothing is lost, nothing is
# made or paid twice, every event arrives.
#
#     submitters --POST, key, again--> nginx -> PostgreSQL <- podi_imaged x 2
#     readers    <--SSE, Last-Event-ID--'          ^             |
#     this test:  after each few tasks that ended, one more fault:
#         podi_imaged  child, picture or pair killed    dispatchd killed
#         Redis        killed and missing, emptied, restarted
#         PostgreSQL   restarted fast, restarted at once
#         nginx        worker killed, reloaded
#
# PODI_FAULT_TASKS (1000) and PODI_FAULT_SEED repeat a run.

use strict;
use warnings;

use Digest::SHA qw( sha256_hex );
use List::Util qw( shuffle sum0 uniq );
use Test::More;
use Time::HiRes qw( time );
use Podi::Fault;
use Podi::Proc qw( poll children name_of );
use Podi::Stack;

my $TASKS = $ENV{PODI_FAULT_TASKS} // 1000;
my $SEED = $ENV{PODI_FAULT_SEED} // time ^ $$;
my $USERS = 5;
my $OPEN = 40;                  # tasks that have not ended, at most
my $STUCK = 60;                 # s without a task that ends
my $began = time;

my %SETTING = (lease => '4s', beat => '1s', reconnect_max => '500ms',
    restart_max => '500ms', retry_base => '100ms', retry_max => '2s',
    poll => '500ms', concurrency => 3);
my %DISPATCH = (stale => '4s', sweep => '500ms');

note "PODI_FAULT_SEED=$SEED PODI_FAULT_TASKS=$TASKS";
srand $SEED;

my $s = Podi::Stack->new(
    daemons => [qw( podi_dispatchd podi_imaged )], durable => 1,
    rewrite => sub {
        my ($file, $text) = @_;
        my $lines = sub { join '', map { "$_ = $_[0]{$_}\n" }
                                   sort keys %{ $_[0] } };

        return $text if $file ne 'workers.conf';
        $text =~ s/^(\[common\]\n)/$1 . $lines->(\%SETTING)/me;
        return $text =~ s/^(\[podi_dispatchd\]\n)/$1 . $lines->(\%DISPATCH)/mer;
    })->start;
my $dir = $s->dir . '/fault';
my $second = Podi::Fault::pair($s, 'podi_imaged')->start;

mkdir $dir;
$s->allow_errors(
    qr/exited on signal 9/,                     # nginx workers
    qr/"event":"child\.died"/, qr/"event":"parent\.release"/,
    qr/\[(?:error|crit)\].*(?:PostgreSQL|Redis|connect\(\)|upstream)/i,
    qr/"level":"error".*"event":"(?:pg|redis)\./);


# --- people, pictures, and what must come out of them -------------------------

my @KINDS = (
    (map { { action => 'image.resize', params => { width => $_ } } }
         8, 16, 24, 32, 48, 60),
    (map { { action => 'image.resize',
             params => { width => 20, height => 20, fit => $_ } } }
         qw( cover fill )),
    (map { { action => 'image.convert', params => { format => $_ } } }
         qw( jpeg png webp )),
    { action => 'image.convert', params => { format => 'jpeg', quality => 30 } },
    (map { { action => 'image.thumbnail', params => { size => $_ } } }
         16, 20, 32, 40),
);
my @pictures = map { Podi::Fault::picture("$dir/$_->[0]", 80, 60, $_->[1]) }
    ([ 'a.jpg', 0 ], [ 'b.png', 90 ], [ 'c.webp', 180 ]);
my %TYPE = (jpg => 'image/jpeg', png => 'image/png', webp => 'image/webp');


# each in a tenant of his own: what others made cannot be what he gets
sub person
{
    my ($name) = @_;
    my $who = do {
        local $s->{tenant} = "t-$name";
        local $s->{tenant_id} = $s->db->tenant("t-$name");

        $s->member($name, points => 10 * $TASKS + 1000);
    };

    $who->{media} = [ map { Podi::Fault::upload($s, $who, $_,
                                $TYPE{ s/.*\.//r }) } @pictures ];
    return $who;
}


# the digest of each kind made of each picture, on a quiet day
sub expected
{
    my ($who) = @_;
    my %digest;

    for my $n (0 .. $#pictures) {
        my $res = $s->post('/v1/tasks', as => $who, json => {
            inputs => [ $who->{media}[$n] ], actions => \@KINDS });
        my $at = '/v1/tasks/' . $res->json->{task_id};
        my $task;

        $s->wait_for(sub { $task = $s->get($at, as => $who)->json;
                           $task->{state} eq 'succeeded' }, 60,
                     'the reference is made') or die 'no reference';
        my %made = map { $_->{job_id} => $_->{sha256} } @{ $task->{results} };
        $digest{"$n $_"} = $made{ $task->{jobs}[$_]{job_id} } for 0 .. $#KINDS;
    }

    return \%digest;
}


my $reference = person('reference');
my %digest = %{ expected($reference) };
my @people = map { person("user$_") } 1 .. $USERS;

is scalar(keys %digest), @KINDS * @pictures, 'each kind of each picture';
cmp_ok scalar(uniq values %digest), '>', @KINDS * @pictures * 0.9,
    'is a picture of its own';
note sprintf 'ready after %.1f s', time - $began;


# --- the work -----------------------------------------------------------------

# one in five has several jobs
my @plan = map {
    my $kinds = rand() < .2 ? 2 + int rand 2 : 1;
    my $inputs = rand() < .1 ? 2 : 1;
    my @kinds = (shuffle 0 .. $#KINDS)[0 .. $kinds - 1];
    my @inputs = (shuffle 0 .. $#pictures)[0 .. $inputs - 1];

    { n => $_, who => $people[ rand @people ], kinds => \@kinds,
      inputs => \@inputs, hasty => rand() < .1 };
} 1 .. $TASKS;


# tries until it is answered; what was in the way is told
sub submit
{
    my ($plan, $say) = @_;
    my $who = $plan->{who};
    my @request = ('/v1/tasks', as => $who, key => "task-$plan->{n}", json => {
        inputs => [ map { $who->{media}[$_] } @{ $plan->{inputs} } ],
        actions => [ map { $KINDS[$_] } @{ $plan->{kinds} } ] });

    Podi::Fault::ask_and_go($s, 'POST', @request) if $plan->{hasty};

    poll(60, sub {
        my $res = $s->post(@request, unchecked => 1);
        my $status = $res->status;

        $s->_judge('POST', '/v1/tasks', $res) if $status != 599;
        if ($status == 200 || $status == 201) {
            $say->({ n => $plan->{n}, task => $res->json->{task_id},
                     status => $status });
            return 1;
        }
        $say->({ n => $plan->{n}, status => $status, code => $res->code,
                 again => $res->header('retry-after') }) if $status != 599;
        $say->({ n => $plan->{n}, status => $status }) if $status == 599;
        return 0;
    }) or die "task $plan->{n} is never taken";
}


# one user's stream, opened again and again, until he has seen the last
sub read_events
{
    my ($who, $say, $from) = @_;
    my ($last, $top) = ($who->{start}, undef);
    my $ear = IO::Select->new($from);

    while (!defined $top || $last < $top) {
        my $live = eval { $s->events(as => $who, last_event_id => $last) };

        if (!$live || $live->status != 200) {
            $say->({ status => $live ? $live->status : 0 });
            $top = _top($ear, $from, 0.2) // $top;
            next;
        }
        $say->({ status => 200, from => $last });

        until (defined $top && $last >= $top) {
            my $event = $live->next_event(0.5);

            $top = _top($ear, $from, 0) // $top;
            last if !$event && $live->ended;
            next if !$event || !defined $event->{id} || $event->{event} eq 'hello';
            $say->({ id => $event->{id}, type => $event->{event} });
            $last = $event->{id};
        }
        $live->close;
    }
}


sub _top
{
    my ($ear, $from, $seconds) = @_;

    return if !$ear->can_read($seconds);
    my $line = <$from> // die 'the test has gone';
    return 0 + $line;
}


# --- faults --------------------------------------------------------------------

# its connections went with the server
sub forget_pg
{
    $s->{db}{$_} = undef for qw( super ctl web worker );
}


sub pg_away
{
    my ($mode) = @_;

    forget_pg();
    $s->pg->stop($mode);
    poll(10, sub { $s->get('/readyz', unchecked => 1)->status == 503 })
        or fail 'nginx says that PostgreSQL has gone';
    $s->pg->start;
}


# one of those that the code finds, as soon as it finds one
sub kill_one
{
    my ($find) = @_;
    my @pids;

    poll(10, sub { @pids = $find->() }) or return fail 'there is one to kill';
    kill 'KILL', $pids[rand @pids];
}

my ($first, $dispatchd) = map { $s->part($_) } qw( podi_imaged podi_dispatchd );
my @FAULTS = (
    [ 'imaged child' => sub {
        kill_one(sub { map { children($_->pid) } $first, $second }) } ],
    [ 'imaged pair' => sub {
        my $pair = rand() < .5 ? $first : $second;
        $pair->kill; $pair->start } ],
    [ 'picture' => sub {
        kill_one(sub {
            my @any = map { children($_) } map { children($_->pid) }
                      $first, $second;

            # one that waits for its picture may be hit, too
            return rand() < .1 ? @any
                               : grep { name_of($_) eq 'podi_picture' } @any;
        }) } ],
    [ 'dispatchd child' => sub { 
        kill_one(sub { children($dispatchd->pid) }) } ],
    [ 'dispatchd pair' => sub { $dispatchd->kill; $dispatchd->start } ],
    [ 'redis killed' => sub { $s->redis->kill }, sub { $s->redis->start } ],
    [ 'redis emptied' => sub { $s->redis('FLUSHALL') } ],
    [ 'redis restarted' => sub { $s->redis->restart } ],
    [ 'pg fast' => sub { pg_away('fast') } ],
    [ 'pg immediate' => sub { pg_away('immediate') } ],
    [ 'nginx worker' => sub { 
        kill_one(sub { $s->nginx->workers }) } ],
    [ 'nginx reload' => sub { $s->nginx->reload } ],
);


sub finished
{
    return eval { $s->sql('select count(*) from podi.task_header'
        . " where kind = 'user' and ended_at is not null and user_id <> ?",
        $reference->{user}) } // do { forget_pg(); undef };
}


# waits until so many have ended; lets as many more be submitted
my ($ended, $gate, %done_faults) = (0);

sub reach
{
    my ($n) = @_;
    my $since = time;

    while ($ended < $n) {
        my $now = poll(10, sub { my $f = finished();
                                 defined $f && $f > $ended && $f });
        if ($now) {
            syswrite $gate, 'x' x ($now - $ended);
            ($ended, $since) = ($now, time);
        }
        return fail "no task ended for $STUCK s at $ended of $n"
            if time - $since > $STUCK;
    }
    return 1;
}


$_->{start} = $s->get('/v1/events/snapshot', as => $_)->json->{position}
    for @people;

pipe my $permits, $gate or die "pipe: $!";
syswrite $gate, 'x' x $OPEN;

my @readers = map { my $who = $_; Podi::Fault::Kid->new($dir,
    sub { read_events($who, @_) }) } @people;
my @submitters = map { my $part = $_; Podi::Fault::Kid->new($dir, sub {
    my ($say) = @_;

    for my $plan (grep { $_->{n} % 2 == $part } @plan) {
        sysread $permits, my $permit, 1;
        submit($plan, $say);
    }
}) } 0, 1;

my @turn;
my $going = 1;

for (my $next = 10; $going && $next < $TASKS - 10; $next += 8 + int rand 16) {
    $going = reach($next) or last;
    @turn = shuffle @FAULTS if !@turn;

    my ($name, $strike, $mend) = @{ shift @turn };

    $strike->();
    $done_faults{$name}++;
    if ($mend) {
        $going = reach($next += 5);
        $mend->();
    }
}

reach($TASKS) if $going;
note 'faults: ', join ', ', map { "$_ $done_faults{$_}" }
                            sort keys %done_faults;
note sprintf 'all ended after %.1f s', time - $began;


# --- what must be true --------------------------------------------------------

$_->wait(30, 'every task was taken') for @submitters;

my @asked = map { $_->said } @submitters;
my %status;
$status{"$_->{status} " . ($_->{code} // '')}++ for @asked;
note 'answers: ', join ', ', map { "$_: $status{$_}" } sort keys %status;
is_deeply [ grep { !/^(?:20[01]|599) $|^503 (?:unavailable|deadline)$/ }
            keys %status ], [], 'nobody was told anything but to come again';
is scalar(grep { $_->{status} == 503 && !$_->{again} } @asked), 0,
    'and when';

my @tasks = $s->sql('select * from podi.task_header'
    . " where kind = 'user' and user_id <> ?", $reference->{user});
my %task_of = map { $_->{n} => $_->{task} } grep { $_->{task} } @asked;
my %plan_of = map { $task_of{ $_->{n} } => $_ } @plan;

is scalar(@tasks), $TASKS, 'a task for each that was asked for, and no other';
is scalar(grep { !$plan_of{ $_->{task_id} } } @tasks), 0,
    'each is the one that was answered';
is scalar(grep { !defined $_->{ended_at} } @tasks), 0, 'every task has ended';

my %states;
$states{ $_->{state} }++ for @tasks;
note 'tasks: ', join ', ', map { "$_ $states{$_}" } sort keys %states;
cmp_ok $states{succeeded} // 0, '>=', 0.99 * $TASKS, '99 % have succeeded';

my @jobs = $s->sql(<<'SQL', $reference->{user});
select j.job_id, j.task_id, j.user_id, j.ord, j.state, j.price, j.charged,
       j.error_code, j.crashes, j.attempts,
       (select count(*) from podi.media m where m.job_id = j.job_id) as made,
       (select min(m.sha256) from podi.media m where m.job_id = j.job_id)
           as sha256,
       (select min(m.object_key) from podi.media m where m.job_id = j.job_id)
           as object_key,
       (select count(*) from podi.attempt a
         where a.job_id = j.job_id and a.outcome = 'succeeded') as successes,
       (select coalesce(sum(l.amount), 0) from podi.ledger l
         where l.job_id = j.job_id and l.op = 'confirm') as paid
  from podi.job j join podi.task_header t using (tenant_id, task_id)
 where t.kind = 'user' and j.user_id <> ?
SQL
my @good = grep { $_->{state} eq 'succeeded' } @jobs;
my @bad = grep { $_->{state} ne 'succeeded' } @jobs;


# what its task asked the job to make, input by input
sub wanted
{
    my ($job) = @_;
    my $plan = $plan_of{ $job->{task_id} } // return '';
    my $kinds = @{ $plan->{kinds} };
    my $ord = $job->{ord} - 1;

    return $digest{ $plan->{inputs}[ $ord / $kinds ] . ' '
                    . $plan->{kinds}[ $ord % $kinds ] };
}


is_deeply [ map { "$_->{job_id} $_->{sha256}" }
            grep { $_->{sha256} ne wanted($_) } @good ], [],
    'each result is what the same order gave on a quiet day';
is scalar(grep { $_->{made} != 1 || $_->{successes} != 1 } @good), 0,
    'each was made once, by one holder';
is scalar(grep { $_->{made} || $_->{successes} || $_->{charged} } @bad), 0,
    'what failed made nothing and cost nothing';
is_deeply [ grep { !/^(?:job_crashed|store_failed)$/ }
            map { $_->{error_code} // $_->{state} } @bad ], [],
    'what failed failed of a fault';
diag "failed: $_->{error_code}, $_->{attempts} attempts, $_->{crashes} crashes"
    for @bad;

# the bytes, as they lie in the store: a block of description, then the object
my %seen;
my @wrong = grep { !$seen{ $_->{object_key} }++ && do {
    my $name = sha256_hex($_->{object_key});
    my ($path) = glob $s->dir . '/store/*/objects/'
        . join '/', substr($name, 0, 2), substr($name, 2, 2), $name;

    !$path || sha256_hex(substr Podi::Fault::slurp($path), 512)
              ne $_->{sha256};
} } @good;
is_deeply [ map { $_->{object_key} } @wrong ], [],
    'the store holds what the rows say';


# --- money

for my $who (@people) {
    my @mine = grep { $_->{user_id} eq $who->{user} } @good;
    my $charged = sum0(map { $_->{charged} } @mine);
    my ($money) = $s->sql(<<'SQL', $who->{user});
select w.available, w.held,
       sum(l.amount) filter (where l.op = 'grant') as granted,
       coalesce(sum(l.amount) filter (where l.op = 'confirm'), 0) as paid,
       (select coalesce(sum(t.charged), 0) from podi.task_header t
         where t.user_id = w.user_id) as tasks,
       (select count(*) from podi.hold h where h.wallet_id = w.wallet_id
           and h.captured + h.released <> h.amount) as open
  from podi.wallet w join podi.ledger l using (tenant_id, wallet_id)
 where w.user_id = ? group by w.tenant_id, w.wallet_id
SQL

    is $charged, sum0(map { $_->{price} } @mine),
        "$who->{login}: charged is delivered";
    is $money->{paid}, $charged, '... and is what the ledger confirmed';
    is $money->{tasks}, $charged, '... and what the tasks say';
    is scalar(grep { $_->{paid} != $_->{charged} } @mine), 0, '... job by job';
    is $money->{open}, 0, '... every hold is exhausted';
    is_deeply [ @{$money}{qw( available held )} ],
        [ $money->{granted} - $charged, 0 ], '... nothing is lost or held';
}


# --- events

for my $n (0 .. $#people) {
    my $who = $people[$n];
    my @rows = $s->sql('select seq, type from podi.user_event'
        . ' where user_id = ? and seq > ? order by seq', $who->{user},
        $who->{start});
    my $top = $rows[-1]{seq};

    $readers[$n]->tell($top);
    $readers[$n]->wait(30, "$who->{login}: the stream came to its end");

    my @said = $readers[$n]->said;
    my @seen = grep { $_->{id} } @said;
    my $wrong = 0;

    $wrong++ while $wrong < @rows && $wrong < @seen
        && $seen[$wrong]{id} == $rows[$wrong]{seq}
        && $seen[$wrong]{type} eq $rows[$wrong]{type};
    is @seen, @rows, '... as many events as happened';
    is $wrong, @rows, '... each once, in order';
    is $rows[0]{seq} + $#rows, $top, '... and none is missing in the rows';
    note scalar(grep { ($_->{status} // 0) == 200 } @said), ' connections, ',
        scalar(grep { ($_->{status} // 200) != 200 } @said), ' refusals';
}


# --- invariants: nothing broken, and a break would have been seen

is_deeply $s->db->breaks, [], 'no invariant is broken';

my $wallet = $s->sql('select wallet_id from podi.wallet where user_id = ?',
                     $people[0]{user});

$s->sql('update podi.wallet set held = held + 1 where wallet_id = ?', $wallet);
ok scalar(grep { $_->{id} eq $wallet } @{ $s->db->breaks }),
    'a point from nowhere is seen';
$s->sql('update podi.wallet set held = held - 1 where wallet_id = ?', $wallet);

note sprintf 'done after %.1f s', time - $began;
# their connections to the store are no clients who were forgotten
$_->stop for $first, $second;
$s->done;
done_testing;
