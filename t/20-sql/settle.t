# sys.job_settle: once, by the holder alone, money and events in one commit.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use Podi::Sql;
use Podi::Work;

my $db = Podi::Sql->new;
my $w = Podi::Work->new($db);
my $ann = $w->person('ann', 1000);
my $pic = $w->media($ann);


sub running
{
    my ($actions, %o) = @_;
    my $t = $w->submit($ann, inputs => [$pic], actions => $actions);

    return ($t, @{ $w->claim_task($t, %o) });
}


subtest 'a delivery is charged, told and kept' => sub {
    my $before = $w->wallet($ann);
    my ($t, $j) = running(['resize']);
    my $r = $w->result;
    my $s = $w->settle($j, 'succeeded', results => [$r]);

    is_deeply [@{$s}{qw(verdict task_state)}], ['OK', 'succeeded'], 'OK';
    is_deeply Podi::Work::types($s->{_events}),
              ['job.succeeded', 'wallet.confirmed', 'task.succeeded'],
              'the job, the money, the task';
    is_deeply $s->{_events}[0]{data},
              { action => 'image.resize', input => $pic, charged => 2,
                error_code => undef, results => [$r->{media_id}] },
              'with its results';
    is_deeply $s->{_events}[2]{data},
              { jobs => 1, succeeded => 1, price => 2, charged => 2 },
              'and the sums';
    is_deeply $w->wallet($ann), [$before->[0] - 2, 0], 'paid';

    my $task = $w->read_task($ann, $t->{task_id});
    is_deeply [map { [@{$_}{qw(media_id job_id parents width)}] }
               @{ $task->{results} }],
              [[$r->{media_id}, $j->{job_id}, [$pic], 10]],
              'the result knows its job and its parent';
    is_deeply $task->{jobs}[0]{results}, [$r->{media_id}], 'the job knows it';
    is_deeply [map { $_->{type} } @{ $task->{events} }],
              [qw(task.queued wallet.frozen task.running job.running
                  job.succeeded wallet.confirmed task.succeeded)],
              'the task tells its story';
};

subtest 'the same settle again is ALREADY, another a MISMATCH' => sub {
    my ($t, $j) = running(['resize']);
    my $r = $w->result;
    my @same = (results => [$r]);
    my $wallet;

    is $w->settle($j, 'succeeded', @same)->{verdict}, 'OK', 'OK';
    $wallet = $w->wallet($ann);
    my $again = $w->settle($j, 'succeeded', @same);
    is_deeply $again, { job_id => $j->{job_id}, verdict => 'ALREADY',
                        task_state => 'succeeded', error_code => undef,
                        error_detail => undef, _events => [], _hints => [] },
              'ALREADY, in silence';
    is $w->settle($j, 'succeeded')->{verdict}, 'MISMATCH', 'no results';
    is $w->settle($j, 'succeeded',
                  results => [{ %$r, bytes => 501 }])->{verdict}, 'MISMATCH',
       'other results';
    is $w->settle($j, 'failed')->{verdict}, 'MISMATCH', 'another state';
    is_deeply $w->wallet($ann), $wallet, 'no point moved';
};

subtest 'a result may have a thumbnail' => sub {
    my ($t, $j) = running(['resize']);
    my $r = $w->result(thumb_key => 't/7', thumb_bytes => 70);

    is $w->settle($j, 'succeeded', results => [$r])->{verdict}, 'OK', 'OK';
    is_deeply $db->super->one(undef, 'select thumb_key, thumb_bytes from'
              . ' podi.media where media_id = ?', $r->{media_id}),
              { thumb_key => 't/7', thumb_bytes => 70 }, 'kept';
    is $w->{web}->one($db->as($ann), 'select * from api.media_read(?)',
                      $r->{media_id})->{_thumb_key}, 't/7', 'and shown';
    is $w->settle($j, 'succeeded', results => [$r])->{verdict}, 'ALREADY',
       'again';
    is $w->settle($j, 'succeeded',
                  results => [{ %$r, thumb_key => 't/8' }])->{verdict},
       'MISMATCH', 'with another thumbnail';
};

subtest 'a failure releases, and its code is part of it' => sub {
    my $before = $w->wallet($ann);
    my ($t, $j) = running(['resize']);
    my $s = $w->settle($j, 'failed', code => 'picture_invalid',
                       detail => 'not a JPEG');

    is_deeply [@{$s}{qw(verdict task_state)}], ['OK', 'failed'], 'OK';
    is_deeply Podi::Work::types($s->{_events}),
              ['job.failed', 'wallet.released', 'task.failed'], 'told';
    is $s->{_events}[0]{data}{error_code}, 'picture_invalid', 'with the code';
    is_deeply $w->wallet($ann), $before, 'all points are back';
    is $w->settle($j, 'failed', code => 'picture_invalid')->{verdict},
       'ALREADY', 'again';
    is $w->settle($j, 'failed', code => 'internal')->{verdict}, 'MISMATCH',
       'with another code';
};

subtest 'only the holder settles' => sub {
    my ($t, $j) = running(['resize']);

    is $w->settle($j, 'succeeded', fence => 2)->{verdict}, 'STALE',
       'a fence that was never given';
    is $w->settle({ job_id => ($w->ids(1))[0], fence => 1 },
                  'succeeded')->{verdict}, 'STALE', 'a job that never was';
    $w->bend($j->{job_id}, "lease_until = now() - interval '1 s'");
    is $w->sys('job_sweep(10)')->[0]{state}, 'queued', 'the lease runs out';
    is $w->settle($j, 'succeeded')->{verdict}, 'STALE',
       'the zombie is refused before anybody claims';
    my ($k) = @{ $w->claim_task($t) };
    is $k->{fence}, 3, 'the next holder has another fence';
    is $w->settle($j, 'succeeded')->{verdict}, 'STALE', 'still refused';
    is $w->settle($k, 'succeeded')->{verdict}, 'OK', 'the holder is not';
    is $w->settle($j, 'succeeded')->{verdict}, 'STALE', 'refused for ever';
};

subtest 'a payload that contradicts itself is refused' => sub {
    my ($t, $j) = running(['resize']);
    my $r = $w->result;
    my @case = (
        ['failed', 'results', { results => [$r] }, 'results of a failure'],
        ['succeeded', 'results', { results => $r }, 'results that are no list'],
        ['succeeded', 'usage', { usage => [] }, 'usage that is no object'],
        ['succeeded', 'cost_micros', { cost_micros => -1 }, 'a cost below 0'],
        ['done', 'state', {}, 'a state that is none'],
        ['succeeded', qr/^results: .*null/, { results => [{}] },
         'a result without an id'],
        ['succeeded', qr/^results: .*uuid/,
         { results => [{ %$r, media_id => 'x' }] }, 'a result with a wrong id'],
        ['succeeded', qr/^results: .*foreign/,
         { results => [{ %$r, parents => [$w->ids(1)] }] },
         'a result of nothing'],
    );

    for my $case (@case) {
        my ($state, $why, $more, $name) = @$case;
        my $s = $w->settle($j, $state, %$more);
        is_deeply [@{$s}{qw(verdict error_code _events)}],
                  ['REFUSED', 'bad_field', []], $name;
        ref $why ? like $s->{error_detail}, $why, '... and why'
                 : is $s->{error_detail}, $why, '... and why';
    }
    is $w->job($j->{job_id})->{state}, 'running', 'nothing was written';
    is $w->settle($j, 'succeeded', results => [$r])->{verdict}, 'OK',
       'it can still be settled';
};

subtest 'who was to make something must have' => sub {
    my $put = sub { $db->{ctl}->all(undef, 'select * from sys.action_put(?)',
                        qq({"action": "image.resize", "outputs": $_[0]})) };
    my $before = $w->wallet($ann);
    my ($t, $j) = running(['resize']);

    $put->(1);
    for my $results (undef, []) {
        my $s = $w->settle($j, 'succeeded', results => $results);
        is_deeply [@{$s}{qw(verdict error_detail)}], ['REFUSED', 'results'],
                  'nothing is no result';
    }
    is $w->settle($j, 'failed', code => 'internal')->{verdict}, 'OK',
       'it failed, then';
    is_deeply $w->wallet($ann), $before, 'and costs nothing';

    ($t, $j) = running(['resize']);
    is $w->settle($j, 'succeeded', results => [$w->result])->{verdict}, 'OK',
       'one result is enough';
    $put->(0);
};

subtest 'a task ends as its jobs did' => sub {
    my %end = (
        'succeeded succeeded' => 'succeeded',
        'succeeded failed'    => 'partial',
        'failed failed'       => 'failed',
        'failed cancelled'    => 'failed',
        'cancelled cancelled' => 'cancelled',
        'cancelled succeeded' => 'partial',
    );

    for my $states (sort keys %end) {
        my ($t, @j) = running(['resize', 'convert']);
        my @state = split ' ', $states;
        is $w->settle($j[0], $state[0])->{task_state}, 'running',
           "$states: runs after the first";
        my $s = $w->settle($j[1], $state[1]);
        is $s->{task_state}, $end{$states}, "$states: $end{$states}";
        is $s->{_events}[-1]{type}, "task.$end{$states}", '... and told';
    }
};

subtest 'two last jobs at once end the task once' => sub {
    my ($t, @j) = running(['resize', 'convert']);
    my ($one, $two) = map { $db->login('podi_worker') } 1 .. 2;
    my @call = map { 'select * from '
                     . $w->settle_sql($w->settle_item($_, 'succeeded')) } @j;

    $one->dbh->begin_work;
    my $first = $one->run($call[0]);
    is $first->[0]{task_state}, 'running', 'the first sees one open';
    $two->dbh->begin_work;
    $two->send($call[1]);
    $two->wait_blocked($db->super);
    $one->dbh->commit;
    $two->wait;
    $two->dbh->commit;
    is $w->read_task($ann, $t->{task_id})->{state}, 'succeeded',
       'the second ended the task';
    is_deeply [grep { /^task\.succ/ } map { $_->{type} }
               @{ $w->read_task($ann, $t->{task_id})->{events} }],
              ['task.succeeded'], 'once';
};

subtest 'a settle that waited for a sweep is refused' => sub {
    for my $claimed (0, 1) {
        my ($t, $j) = running(['resize']);
        my ($sweep, $zombie) = map { $db->login('podi_worker') } 1 .. 2;

        $w->bend($j->{job_id}, "lease_until = now() - interval '1 s'");
        $sweep->dbh->begin_work;
        $sweep->run('select * from sys.job_sweep(10)');
        $sweep->run("select * from sys.job_claim('{$j->{job_id}}', 'w2', 60000)")
            if $claimed;
        $zombie->dbh->begin_work;
        $zombie->send("select set_config('t.v', verdict, false) from "
                      . $w->settle_sql($w->settle_item($j, 'succeeded')));
        $zombie->wait_blocked($db->super);
        $sweep->dbh->commit;
        $zombie->wait;
        $zombie->dbh->commit;
        is $zombie->value(undef, "select current_setting('t.v')"), 'STALE',
           'STALE';
        my $now = $w->job($j->{job_id});
        is $now->{state}, $claimed ? 'running' : 'queued',
           $claimed ? 'the next holder keeps the job' : 'the job waits';
        $w->claim_task($t) if !$claimed;
        $w->settle({ %$j, fence => 3 }, 'failed');
    }
};

subtest 'price 0 never touches a wallet' => sub {
    $db->{ctl}->all(undef, 'select * from sys.action_put(?)',
                    '{"action": "image.thumbnail", "price": 0}');
    my ($t, $j) = running(['thumbnail']);
    my $super = $db->login('postgres');

    $super->dbh->begin_work;
    $super->run('lock table podi.wallet, podi.hold, podi.lot, podi.ledger'
                . ' in access exclusive mode');
    my $s = eval {
        $w->{worker}->dbh->do("set lock_timeout = '500ms'");
        $w->settle($j, 'succeeded', results => [$w->result]);
    };
    $super->dbh->rollback;
    $w->{worker}->dbh->do('reset lock_timeout');
    is $s && $s->{verdict}, 'OK', 'it settles while they are locked';
};

$db->whole;
done_testing;
