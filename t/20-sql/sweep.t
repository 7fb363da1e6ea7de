# sys.job_sweep, sys.worker_gone: holders that vanish.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use Podi::Sql;
use Podi::Work;

my $db = Podi::Sql->new;
my $w = Podi::Work->new($db);
my $ann = $w->person('ann', 1000);
my $ben = $w->person('ben', 1000);
my $pic = $w->media($ann);


sub running
{
    my ($worker) = @_;
    my $t = $w->submit($ann, inputs => [$pic], actions => ['resize']);

    return ($t, $w->claim_task($t, worker => $worker)->[0]);
}


sub lapse
{
    my ($j) = @_;

    return $w->bend($j->{job_id}, "lease_until = now() - interval '1 s'");
}


subtest 'a lease that ran out is taken away' => sub {
    my ($t, $j) = running('w1');
    my ($t2, $live) = running('w1');

    lapse($j);
    my $s = $w->sys('job_sweep(10)');
    is_deeply [map { [@{$_}{qw(job_id tenant_id queue state)}] } @$s],
              [[$j->{job_id}, $w->{tenant}, 'image', 'queued']],
              'that one, back in the queue';
    is_deeply Podi::Work::types($s->[0]{_events}), ['job.delayed'], 'told';
    is_deeply [@{ $w->job($j->{job_id}) }{qw(fence attempts crashes pushed_at)}],
              [2, 0, 1, undef], 'a crash, not an attempt; the fence rose';
    is $w->job($live->{job_id})->{state}, 'running', 'a live lease stays';
    is $w->settle($live, 'succeeded')->{verdict}, 'OK', 'and settles';
};

subtest 'a worker known to be dead is not waited for' => sub {
    my ($t, $j) = running('dead');
    my ($t2, $k) = running('alive');
    my $g = $w->sys('worker_gone(?)', 'dead');

    is_deeply [map { $_->{job_id} } @$g], [$j->{job_id}], 'its jobs only';
    is $w->settle($j, 'succeeded')->{verdict}, 'STALE', 'fenced off';
    is $w->claim_task($t)->[0]{fence}, 3, 'claimable at once';
    is_deeply $w->sys('worker_gone(?)', 'dead'), [], 'twice is harmless';
    $w->settle($k, 'succeeded');
};

subtest 'a job that takes three holders with it fails' => sub {
    my $before = $w->wallet($ann);
    my ($t, $j) = running('w1');

    for my $n (1 .. 2) {
        lapse($j);
        is $w->sys('job_sweep(10)')->[0]{state}, 'queued', "crash $n";
        $j = $w->claim_task($t, worker => 'w2')->[0];
    }
    my $g = $w->sys('worker_gone(?)', 'w2');
    is $g->[0]{state}, 'failed', 'the third ends it';
    is_deeply Podi::Work::types($g->[0]{_events}),
              ['job.failed', 'wallet.released', 'task.failed'], 'told';
    is_deeply [@{ $w->job($j->{job_id}) }{qw(error_code crashes)}],
              ['job_crashed', 3], 'as crashed';
    is_deeply $w->wallet($ann), $before, 'released';
    is $w->settle($j, 'succeeded')->{verdict}, 'STALE',
       'the last holder is refused too';
};

subtest 'a sweep takes many, of many users, in one go' => sub {
    my $mine = $w->media($ben);
    my @j;
    for my $who ([$ann, $pic], [$ben, $mine]) {
        for (1 .. 3) {
            my $t = $w->submit($who->[0], inputs => [$who->[1]],
                               actions => ['resize', 'convert']);
            push @j, @{ $w->claim_task($t) };
        }
    }
    $w->bend($_->{job_id}, "lease_until = now() - interval '1 s', crashes = 2")
        for @j[0 .. 8];
    lapse($_) for @j[9 .. 11];

    my $s = $w->sys('job_sweep(100)');
    my %n;
    $n{ $_->{state} }++ for @$s;
    is_deeply \%n, { failed => 9, queued => 3 }, 'each as it must';
    is @{ $w->sys('job_sweep(100)') }, 0, 'nothing is left';
    $db->whole('and the books are right');
};

subtest 'a sweep does not end what has just begun to run' => sub {
    for my $case (
        ['job_sweep(9)', sub { $w->bend($_[0], 'crashes = 2, lease_until ='
                                        . " now() - interval '1 s'") }],
        ['job_expire(9)', sub { $w->bend($_[0], 'start_by = now()') }])
    {
        my ($call, $doom) = @$case;
        my $t = $w->submit($ann, inputs => [$pic], more => { on_failure => 'stop' },
                           actions => [('thumbnail') x 3]);
        my @id = map { $_->{job_id} } @{ $t->{jobs} };
        my ($held) = @{ $w->claim([$call =~ /sweep/ ? $id[2] : $id[1]]) };
        my $claimer = $db->login('podi_worker');

        $doom->($id[2]);
        $claimer->dbh->begin_work;
        my ($new) = @{ $claimer->run("select * from sys.job_claim('{$id[0]}', 'w9',"
                                     . ' 60000)') };
        my $sweeper = $db->login('podi_worker');
        $sweeper->dbh->do("set lock_timeout = '20s'");
        $sweeper->send("select * from sys.$call");
        my $waits = !eval { $sweeper->wait_blocked($db->super); 1 };
        $claimer->dbh->commit;
        $sweeper->wait;
        ok $waits, "$call passes over a task that is being claimed of";
        is $w->job($id[0])->{state}, 'running', '... what begins is not ended';
        $w->sys($call);
        is_deeply [map { $w->job($_)->{state} } @id],
                  ['running', $call =~ /sweep/ ? 'cancelled' : 'running', 'failed'],
                  '... the next time what fell falls, what runs runs on';
        is $w->settle({ job_id => $id[0], fence => 1 }, 'succeeded')->{verdict},
           'OK', '... and settles';
        $w->settle($held, 'succeeded');
    }
    $db->whole('and the books are right');
};

subtest 'a sweep is bounded and passes over what is locked' => sub {
    my @j = map { (running('w3'))[1] } 1 .. 3;
    my $other = $db->login('postgres');

    lapse($_) for @j;
    $other->dbh->begin_work;
    $other->run('select 1 from podi.task_header where task_id = ? for update',
                $j[0]{task_id});
    is @{ $w->sys('job_sweep(100)') }, 2, 'all but the locked one';
    $other->dbh->rollback;
    is @{ $w->sys('job_sweep(100)') }, 1, 'which comes next time';

    my @k = map { (running('w4'))[1] } 1 .. 3;
    lapse($_) for @k;
    is @{ $w->sys('job_sweep(2)') }, 2, 'at most so many';
    $w->sys('job_sweep(9)');
};

$db->whole;

# --- what is looked for afterwards; from here on the books are bent -----------

# as a hand in the database: no triggers
sub plant
{
    my ($sql, @bind) = @_;
    my $super = $db->super;

    $super->dbh->do('set session_replication_role = replica');
    $super->run($sql, @bind);
    $super->dbh->do('set session_replication_role = origin');
    return;
}


subtest 'more breaks than a slice takes are told in the next' => sub {
    my (%want, %got);

    for my $n (1 .. 5) {
        my ($lost, $free) = map { (running('w5'))[1]{job_id} } 1, 2;
        my $ago = "now() - interval '" . 300 * ($n < 4 ? 1 : $n) . " s'";
        $w->settle({ job_id => $lost, fence => 1 }, 'failed', cost_micros => 9);
        $w->settle({ job_id => $free, fence => 1 }, 'succeeded',
                   results => [$w->result]);
        plant("update podi.job set ended_at = $ago where job_id = ?", $lost);
        plant("update podi.ledger set at = $ago where job_id = ?", $free);
        plant('delete from podi.attempt where job_id = ?', $free);
        @want{"loss $lost", "charge $free"} = (1, 1);
    }
    # three of them of one moment
    plant('update podi.job set ended_at = (select max(ended_at) from podi.job'
          . " where charged = 0 and state = 'failed' and ended_at < now()"
          . " - interval '250 s') where charged = 0 and ended_at between now()"
          . " - interval '400 s' and now() - interval '250 s'");

    my ($place, $more) = (undef, 1);
    for (my $n = 0; $more && $n < 60; $n++) {
        my $rows = $w->sys("reconcile('provider_bill', ?, 2)", $place);
        for my $row (@$rows) {
            if ($row->{kind} eq 'place') {
                $place = $row->{id};
                $more = $row->{detail} =~ /"more": true/;
            } else {
                $got{"$row->{kind} $row->{id}"}++;
            }
        }
    }
    ok !$more, 'it comes to an end';
    is_deeply \%got, \%want, 'each is told, and once';
};

subtest 'a bill is held against its time and its references' => sub {
    my %ref;

    for my $name (qw(met late other gone)) {
        $ref{$name} = (running('w6'))[1]{job_id};
        plant("update podi.attempt set provider = 'openai', provider_ref = ?,"
              . " cost_micros = 5, started_at = now() - interval '"
              . ($name =~ /met|gone/ ? 1 : 99) . " days' where job_id = ?",
              $name, $ref{$name});
    }
    my $said = $db->super->all(undef, "select kind, id, detail from"
        . " sys.reconcile_bill('openai', now() - interval '2 days', now(), ?,"
        . ' 9)', '[{"ref": "met", "micros": 5}, {"ref": "late", "micros": 6},'
        . ' {"ref": "none", "micros": 1}]');

    is_deeply [map { join ' ', $_->{kind}, $_->{id} // () } @$said],
              ['different late', 'missing gone', 'unknown none', 'total'],
              'what is on it, and what is of its time';
    like $said->[-1]{detail}, qr/"noted": 15, .*"attempts": 3/, 'each once';
};

done_testing;
