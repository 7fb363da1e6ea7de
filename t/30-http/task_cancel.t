# POST /v1/tasks/{id}/cancel: queued, running, half done, over, another's.

use strict;
use warnings;
use Test::More;
use Podi::Stack;
use Podi::Work;

my $s = Podi::Stack->new->start;
my $w = Podi::Work->new($s->db);
my $ann = $s->member('annie', points => 100);
my $bob = $s->member('bobby', points => 100);


sub submit
{
    my ($who, $n) = @_;

    return $s->post('/v1/tasks', as => $who, json => {
        inputs => [ map { $w->media($who) } 1 .. $n ],
        actions => [ { action => 'image.resize', params => { width => 9 } } ],
    })->json;
}


sub cancel
{
    my ($task, %arg) = @_;

    return $s->post("/v1/tasks/$task->{task_id}/cancel", as => $ann, %arg);
}


sub wallet
{
    my $wallet = $s->get('/v1/wallet', as => $_[0])->json;

    return [ @{$wallet}{qw( available frozen )} ];
}


# queued

my $task = submit($ann, 2);
is_deeply wallet($ann), [ 96, 4 ], 'frozen';
my $res = cancel($task, key => 'c1');
is $res->status, 200, 'a queued task is cancelled';
is_deeply [ @{ $res->json }{qw( state jobs_open charged )} ],
    [ 'cancelled', 0, 0 ], 'at once';
ok $res->json->{cancel_requested_at}, 'and it says when that was asked';
is_deeply wallet($ann), [ 100, 0 ], 'its points are back';
is_deeply [ @{ $w->claim_task($task) } ], [], 'nobody can claim its jobs';

is cancel($task, key => 'c1')->json->{state}, 'cancelled',
    'the same key again is the same';
$res = cancel($task);
is_deeply [ $res->status, $res->code ], [ 409, 'task_final' ],
    'without it: it has ended';
is cancel(submit($ann, 1), key => 'c1')->code, 'idempotency_mismatch',
    'the key for another task is a mismatch';
is $s->get("/v1/tasks/$task->{task_id}", as => $ann)->json->{events}[-1]{type},
    'task.cancelled', 'its end is an event';

# running

$task = submit($ann, 2);
my $jobs = $w->claim([ $task->{jobs}[0]{job_id} ]);
$res = cancel($task);
is $res->status, 200, 'a running task is asked to stop';
is_deeply [ @{ $res->json }{qw( state jobs_open )} ], [ 'running', 1 ],
    'what is queued ends, what runs goes on';
my ($beat) = @{ $w->sys('job_beat(?, ?::uuid[], ?::int[], ?, ?)', 'w1',
    "{$jobs->[0]{job_id}}", "{$jobs->[0]{fence}}", 60_000, '{}') };
ok $beat->{cancel_requested}, 'its holder hears of it';
is cancel($task)->status, 200, 'asking again changes nothing';
$w->settle($jobs->[0], 'cancelled');
is_deeply [ map { $_->{state} } $s->get("/v1/tasks/$task->{task_id}",
    as => $ann)->json ], ['cancelled'], 'its holder ends it';

# half done

$task = submit($ann, 2);
$jobs = $w->claim([ $task->{jobs}[0]{job_id} ]);
$w->settle($jobs->[0], 'succeeded', charge => 2, results => []);
is_deeply [ @{ cancel($task)->json }{qw( state charged jobs_succeeded )} ],
    [ 'partial', 2, 1 ], 'what was done is kept, and paid for';
is cancel($task)->code, 'task_final', 'then it is over';

# another's, none, no id, no task for people

my $bobs = submit($bob, 1);
for my $other ($bobs->{task_id}, $s->db->uuid, 'x') {
    is cancel({ task_id => $other })->status, 404, 'not found';
}
is_deeply wallet($bob), [ 98, 2 ], "another's task goes on";
is cancel($bobs, as => $bob)->status, 200, 'its owner can';

is $s->post("/v1/tasks/$bobs->{task_id}/cancel")->status, 401,
    'a stranger is asked who he is';
is $s->get("/v1/tasks/$bobs->{task_id}/cancel", as => $bob)->code,
    'task_final', 'GET prices it: nothing is left to cancel';
is cancel($bobs, as => $bob, body => 'x' x 5000)->code, 'body_too_large',
    'a large body is refused';

$s->done;
done_testing;
