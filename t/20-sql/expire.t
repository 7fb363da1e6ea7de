# sys.job_expire: what could not be started in time.

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


sub order
{
    return $w->submit($ann, inputs => [$pic], actions => ['resize']);
}


subtest 'a job that waited too long fails and costs nothing' => sub {
    my $before = $w->wallet($ann);
    my $late = order();
    my $fresh = order();
    my $id = $late->{jobs}[0]{job_id};

    $w->bend($id, "start_by = now() - interval '1 s'");
    my $e = $w->sys('job_expire(10)');
    is_deeply [map { [@{$_}{qw(job_id state)}] } @$e], [[$id, 'failed']],
              'that one';
    is_deeply Podi::Work::types($e->[0]{_events}),
              ['job.failed', 'wallet.released', 'task.failed'], 'told';
    is_deeply [@{ $w->job($id) }{qw(error_code crashes attempts)}],
              ['job_expired', 0, 0], 'as expired, not as crashed';
    is $w->job($fresh->{jobs}[0]{job_id})->{state}, 'queued', 'not the other';
    is_deeply $w->wallet($ann), [$before->[0] - 2, 2], 'released';
    is_deeply $w->sys('job_expire(10)'), [], 'once';
};

subtest 'who has started does not expire, and a new try has new time' => sub {
    my $t = order();
    my $j = $w->claim_task($t)->[0];

    $w->bend($j->{job_id}, "start_by = now() - interval '1 s'");
    is_deeply $w->sys('job_expire(10)'), [], 'running';
    $w->retry($j, 'attempt');
    is_deeply $w->sys('job_expire(10)'), [], 'tried and queued again';
    $j = $w->claim_task($t)->[0];
    $w->bend($j->{job_id}, "start_by = now() - interval '1 s'");
    $w->retry($j, 'deferral');
    is $w->sys('job_expire(10)')->[0]{state}, 'failed', 'put off for ever: yes';
};

subtest 'an upload that could not be checked is rejected' => sub {
    my $up = $w->media($ann, state => 'pending');
    my ($task, $job) = $w->ids(2);

    $w->{web}->one($db->as($ann), 'select * from api.media_complete(?, ?, ?,'
                   . ' null, ?)', $up, $task, $job, 'b' x 32);
    $w->bend($job, "start_by = now() - interval '1 s'");
    my $e = $w->sys('job_expire(10)');
    is_deeply Podi::Work::types($e->[0]{_events}), ['media.rejected'], 'told';
    is $e->[0]{_events}[0]{data}{reject_code}, 'job_expired', 'why';
};

$db->whole;
done_testing;
