# What a failed job says to its user: what happened, where the points went, and
# what can be done, in Chinese and English; and that a retry does what was said.

use strict;
use warnings;
use utf8;
use JSON::PP ();
use Podi::Work;
use Test::More;
use Podi::Stack;

my $s = Podi::Stack->new->start;
my $w = Podi::Work->new($s->db);
my $ann = $s->member('annie', points => 100);
my ($YES, $NO) = (JSON::PP::true(), JSON::PP::false());
my $key = 0;


sub order
{
    my (@actions) = @_;

    return $w->submit($ann, inputs => [ $w->media($ann) ],
                      actions => [ @actions ]);
}


sub jobs
{
    my ($task, $lang) = @_;

    return $s->get("/v1/tasks/$task->{task_id}", as => $ann,
                   headers => { $lang ? ('Accept-Language' => $lang) : () })
             ->json->{jobs};
}


# its n-th job says this, and a retry of the task answers so
sub says
{
    my ($task, $n, $want, $retry, $what) = @_;

    is_deeply jobs($task)->[$n]{failure}, $want, $what;
    is $s->post("/v1/tasks/$task->{task_id}/retry", as => $ann,
                key => 'r' . $key++)->status, $retry, "... a retry: $retry"
        if $retry;
}


sub failure
{
    my ($code, $title, $do, $text, $points, $can, $segment) = @_;

    return { code => $code, title => $title,
             advice => { do => $do, text => $text },
             points => { returned => $points->[0], kept => $points->[1] },
             can_retry => $can, from_segment => $segment // 0 };
}


my @again = (retry => 'Try again.');
my @wait = (wait => 'Wait a while, then try again.');
my @new = (submit_again => 'Submit it again as a new task.');
my @tell = (contact_operator => 'Tell the operator the trace id.');
my @failed = (executor_failed => 'The server that makes the result failed');
my @fell = (dependency_failed => 'Another job of the task did not succeed');

# --- all of the points came back; others of the task go on

my $task = order(qw( resize convert ));
is jobs($task)->[0]{failure}, undef, 'what waits has not failed';
my $held = $w->claim_task($task);
$w->retry($held->[0], 'attempt', code => 'executor_failed');
is jobs($task)->[0]{failure}, undef, 'nor what will be tried again';
$held = [ $w->claim_task($task)->[0], $held->[1] ];
$w->settle($held->[0], 'failed', code => 'executor_failed',
           detail => 'out of memory');
says($task, 0, failure(@failed, @wait, [ 2, 0 ], $NO), 409,
     'failed, while the task goes on: wait');
$w->settle($held->[1], 'succeeded', results => [ $w->result ]);
is jobs($task)->[1]{failure}, undef, 'what succeeded says nothing';

is_deeply jobs($task, 'zh-CN,zh;q=0.9')->[0]{failure},
    failure(executor_failed => '生成服务器出错', retry => '请重试。', [ 2, 0 ], $YES),
    'in Chinese';
my $res = $s->get("/v1/jobs/$task->{jobs}[0]{job_id}", as => $ann,
                  headers => { 'Accept-Language' => 'zh' });
is $res->json->{job}{failure}{title}, '生成服务器出错', 'the job alone too';
is $res->header('content-language'), 'zh-CN', 'and it says so';
is $res->json->{job}{error_detail}, 'out of memory', 'the detail stays';
says($task, 0, failure(@failed, @again, [ 2, 0 ], $YES), 200,
     'ended: it may be retried');
is jobs($task)->[0]{failure}, undef, 'begun again, that is over';
$w->settle($w->claim_task($task)->[0], 'failed', code => 'picture_invalid');
says($task, 0, failure(picture_invalid => 'The picture cannot be read',
                       choose_another_input => 'Choose another file.',
                       [ 2, 0 ], $YES), undef, 'the same again would not help');

# --- part of it was done, and is kept

$s->sql('select 1 from sys.action_put(?)', Podi::Work::text({
    action => 'image.resize', segments => [ { name => 'a', percent => 50 },
                                            { name => 'b', percent => 50 } ] }));
sub half
{
    my ($task) = @_;
    my ($job) = @{ $w->claim_task($task) };

    $w->sys('job_segment(?, ?, 1, null, null)', @{$job}{qw( job_id fence )})
        if jobs($task)->[0]{segment} == 0;
    $w->settle($job, 'failed', code => 'executor_failed');
}
$task = order('resize');
half($task);
my $wallet = $s->get('/v1/wallet', as => $ann)->json;
says($task, 0, failure(@failed, @again, [ 1, 1 ], $YES, 1), 200,
     'half of it is done and paid');
is $s->get('/v1/wallet', as => $ann)->json->{available},
    $wallet->{available} - 1, 'and only the rest is paid by the retry';
half($task);
$s->sql("select refunded from sys.wallet_refund('demo', 'annie', ?, null, null, 1,"
        . " 'it was bad', 'r1')", $task->{task_id});
says($task, 0, failure(@failed, @new, [ 1, 1 ], $NO, 1), 409,
     'what was paid was given back: a new task');

# --- what falls with it

my $pic = $w->media($ann);
$task = $w->submit($ann, graph => [
    { key => 'a', action => 'image.convert', params => { format => 'png' },
      inputs => [ { media => $pic } ] },
    { key => 'b', action => 'image.convert', params => { format => 'png' },
      inputs => [ { job => 'a' } ] },
    { key => 'c', action => 'image.convert', params => { format => 'png' },
      inputs => [ { media => $pic } ] } ], more => { on_failure => 'stop' });
$w->settle($w->claim([ $task->{jobs}[0]{job_id} ])->[0], 'failed',
           code => 'executor_failed');
is_deeply [ map { $_->{state} } @{ jobs($task) } ],
    [qw( failed failed cancelled )], 'one fell, one was stopped';
says($task, 2, failure(@fell, @again, [ 1, 0 ], $YES), undef,
     'cancelled by a failure: it says so');
says($task, 1, failure(@fell, @again, [ 1, 0 ], $YES), 200,
     'so does what needed it');

# --- its user did it

$s->post("/v1/tasks/$task->{task_id}/cancel", as => $ann, key => 'c1');
is_deeply [ map { $_->{failure} } @{ jobs($task) } ], [ (undef) x 3 ],
    'what its user cancelled has not failed';

# --- what it needs was never made

$s->sql('select 1 from sys.action_put(?)',
        '{"action": "image.convert", "outputs": 0}');
$task = $w->submit($ann, graph => [
    { key => 'a', action => 'image.convert', params => { format => 'png' },
      inputs => [ { media => $pic } ] },
    { key => 'b', action => 'image.convert', params => { format => 'png' },
      inputs => [ { job => 'a' } ] } ]);
$w->settle($w->claim([ $task->{jobs}[0]{job_id} ])->[0], 'succeeded',
           results => []);
says($task, 1, failure(@fell, @new, [ 1, 0 ], $NO), 409,
     'nothing to begin with: a new task');

# --- set aside

$s->sql('select sys.queue_put(?)', '{"queue": "image", "max_crashes": 1}');
$task = order('convert');
$w->claim_task($task, worker => 'poor');
$w->sys('worker_gone(?)', 'poor');
says($task, 0, failure(job_crashed => 'The worker crashed', @tell, [ 1, 0 ],
                       $NO), 409, 'set aside: the operator knows');

$s->done;
done_testing;
