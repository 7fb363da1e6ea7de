# Everything at once: submits, claims, settles, duplicates, stale holders,
# cancels, sweeps, returns, retries, expiry and dead workers from several
# sessions, then a drain.  No deadlock, no break, no task left open.
#
#     PODI_SEED=n repeats a run's choices (not its interleaving).

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use List::Util qw(shuffle);
use POSIX ();

use Podi::Sql;
use Podi::Work;

my $PROCS = 6;
my $ROUNDS = 120;
my $seed = $ENV{PODI_SEED} // time;
note "PODI_SEED=$seed";

my $db = Podi::Sql->new;
my $w = Podi::Work->new($db);
my $other = $db->tenant('umbra');
my @people = map {
    my $who = $w->person("p$_", 5000, $_ % 2 ? () : (tenant => $other));
    $who->{pic} = [map { $w->media($who) } 1 .. 3];
    $who;
} 1 .. 4;

# leases of a moment, crashes at once, and a price of nothing among the prices
$db->{ctl}->all(undef, 'select * from sys.action_put(?)',
                '{"action": "image.thumbnail", "price": 0}');

# whoever has locked a row dawdles before the next, so that orders can cross
$db->super->all(undef, $_) for
    q{create function public.dawdle() returns trigger language plpgsql as
      'begin perform pg_sleep(random() * 0.002); return new; end'},
    map { "create trigger dawdle before update on podi.$_"
          . ' for each row execute function public.dawdle()' }
    qw(task_header job wallet user_head);


sub pick
{
    return $_[rand @_];
}


# one hand: does $ROUNDS random things; returns what went wrong
sub hand
{
    my ($n) = @_;
    my %bad;

    srand($seed * 100 + $n);
    $w->after_fork;
    my $me = "w$n";
    my @held;

    my $many = sub {
        my ($state) = @_;
        return map { $_->{job_id} } @{ $db->super->all(undef,
            'select job_id from podi.job where state = ? order by random()'
            . ' limit ?', $state, 1 + int rand 6) };
    };
    my %do = (
        submit => sub {
            my $who = pick(@people);
            $w->submit($who, inputs => [(shuffle @{ $who->{pic} })
                                        [0 .. int rand 3]],
                       actions => [(shuffle qw(resize convert thumbnail))
                                   [0 .. int rand 3]]);
        },
        claim  => sub { push @held, @{ $w->claim([$many->('queued')],
                                                 worker => $me,
                                                 lease => 50 + int rand 200) } },
        next   => sub { push @held, @{ $w->sys(
                            'job_claim_next(?, ?, ?, ?, ?)', 'image',
                            1 + int rand 4, $me, 300, 1000) } },
        settle => sub {
            my $j = shift @held or return;
            my $state = pick(qw(succeeded succeeded succeeded failed
                                cancelled));
            my %o = $state eq 'succeeded' && rand() < 0.5
                  ? (results => [$w->result]) : ();
            $w->settle($j, $state, %o);
            push @held, $j if rand() < 0.2;          # and again, later
        },
        beat   => sub { $w->sys('job_beat(?, ?::uuid[], ?::int[], ?, null)',
                            $me, '{' . join(',', map { $_->{job_id} } @held)
                            . '}', '{' . join(',', map { $_->{fence} } @held)
                            . '}', 200) },
        retry  => sub { my $j = shift @held or return;
                        $w->retry($j, pick(qw(attempt deferral))) },
        return => sub { my @j = splice @held, 0, 3;
                        $w->give_back(@j) },
        cancel => sub {
            my $who = pick(@people);
            my $t = $db->super->value(undef, 'select task_id from'
                . ' podi.task_header where user_id = ? and ended_at is null'
                . ' order by random() limit 1', $who->{user}) or return;
            $w->cancel($who, $t);
        },
        sweep  => sub {
            $w->bend($_, 'lease_until = now(), crashes = crashes + 1', 'running')
                for $many->('running');
            $w->sys('job_sweep(?)', 1 + int rand 20);
        },
        gone   => sub { $w->sys('worker_gone(?)', 'w' . int rand $PROCS) },
        expire => sub {
            $w->bend($_, 'start_by = now()', 'queued') for $many->('queued');
            $w->sys('job_expire(?)', 5);
        },
        push   => sub { $w->{worker}->all(undef,
                            'select sys.job_pushed(?::uuid[])',
                            '{' . join(',', $many->('queued')) . '}') },
        grant  => sub { $db->grant(pick(@people), 10) },
    );
    my @turn = (('submit') x 6, ('claim') x 6, ('next') x 2, ('settle') x 10,
                ('beat') x 2, ('retry') x 2, ('return') x 3, ('cancel') x 4,
                ('sweep') x 2, 'gone', ('expire') x 2, ('push') x 2, 'grant');

    for (1 .. $ROUNDS) {
        my $what = pick(@turn);
        eval { $do{$what}->(); 1 } or do {
            my $state = ref $@ ? $@->{state} : "$@";
            # the task ended, or the points did: answers, not faults
            $bad{"$what: $state " . (ref $@ ? $@->{text} : '')}++
                if $state !~ /^U04(?:31|02)$/;
        };
    }
    return \%bad;
}


sub fork_hand
{
    my ($n) = @_;
    my $pid = open my $out, '-|';

    die "fork: $!" if !defined $pid;
    return $out if $pid;

    my $bad = eval { hand($n) } // { "died: $@" => 1 };
    print map { s/\s+/ /gr . " x$bad->{$_}\n" } sort keys %$bad;
    close STDOUT;
    POSIX::_exit(0);
}


my @bad = map { my $out = $_; my @line = <$out>; close $out; @line }
          map { fork_hand($_) } 0 .. $PROCS - 1;
is_deeply \@bad, [], 'no call failed, none was a victim of a deadlock'
    or diag @bad;
is $db->super->value(undef, 'select deadlocks from pg_stat_database'
                     . ' where datname = current_database()'), 0,
   'and the server saw no deadlock';
$db->whole('the books are right in the middle of it');

subtest 'a drain ends everything' => sub {
    my $super = $db->super;
    for (1 .. 50) {
        $super->all(undef, "update podi.job set lease_until = now()"
                    . " - interval '1 s' where state = 'running'");
        $super->all(undef, "update podi.job set not_before = now()"
                    . " where state = 'queued'");
        $w->sys('job_sweep(1000)');
        $w->sys('job_expire(1000)');
        my $held = $w->sys('job_claim_next(?, ?, ?, ?, ?)', 'image', 1000,
                           'drain', 60_000, 1000);
        $w->settle($_, 'succeeded') for @$held;
        last if !$super->value(undef, "select count(*) from podi.job"
                               . " where state in ('queued', 'running')");
    }
    is $super->value(undef, 'select count(*) from podi.task_header'
                     . ' where ended_at is null'), 0, 'no task is open';
    is $super->value(undef, 'select sum(held) from podi.wallet'), 0,
       'no point is frozen';
    is $super->value(undef, "select count(*) from podi.attempt"
                     . " where outcome = 'running'"), 0, 'no attempt runs';
    cmp_ok $super->value(undef, 'select count(*) from podi.task_header'), '>',
           50, 'and there was work';
    my $mix = $super->all(undef, 'select state, count(*) as n from podi.job'
                          . ' group by state order by state');
    is_deeply [map { $_->{state} } @$mix], [qw(cancelled failed succeeded)],
              'that ended in every way: '
              . join ' ', map { "$_->{state} $_->{n}" } @$mix;
    $db->whole;
};

done_testing;
