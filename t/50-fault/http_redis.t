# Redis on a bad day: tasks are taken, logouts count, nobody waits; when it is
# back, hints flow again.

use strict;
use warnings;
use Podi::Proc qw( poll );
use Podi::Work;
use Test::More;
use Time::HiRes qw( time );
use Podi::Stack;

my $s = Podi::Stack->new->start;
my $w = Podi::Work->new($s->db);
my $ann = $s->member('annie', points => 1000);
my $pic = $w->media($ann);


sub submit
{
    return $s->post('/v1/tasks', as => $ann, json => {
        inputs => [$pic], actions => [ { action => 'image.thumbnail' } ] });
}


# Redis has been told of the job, in a list that the scripts read
sub hinted
{
    my ($job) = @_;

    return scalar grep { index($s->redis('LRANGE', $_, 0, -1), $job) >= 0 }
        split /\n/, $s->redis('KEYS', 'podi:{q}:u:image/*');
}


sub submits
{
    my ($what) = @_;
    my $res = submit();

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is $res->status, 201, "$what: a task is taken";
    return $res->json;
}


my $task = submits('well');
ok poll(10, sub { hinted($task->{jobs}[0]{job_id}) }),
    'and a hint is pushed after the commit';
is $s->post("/v1/tasks/$task->{task_id}/cancel", as => $ann)->status, 200,
    'cancelled';
ok poll(10, sub { !hinted($task->{jobs}[0]{job_id}) }),
    'the hint is dropped';

for my $day (qw( gone silent )) {
    $day eq 'gone' ? $s->redis->kill : $s->redis->pause;

    $task = submits($day);
    submits($day) for 1 .. 5;
    is $s->post("/v1/tasks/$task->{task_id}/cancel", as => $ann)->status,
        200, "$day: cancel works";
    is $s->get('/v1/wallet', as => $ann)->status, 200, "$day: so does reading";

    my $bob = $s->member("bob-$day");
    is $s->get('/v1/me', as => $bob)->status, 200, "$day: a session";
    is $s->post('/v1/auth/logout', as => $bob)->status, 204, "$day: logout";
    is $s->get('/v1/me', as => $bob)->code, 'token_revoked',
        "$day: counts at once";

    $day eq 'gone' ? $s->redis->start : $s->redis->resume;
    ok poll(20, sub {
        my $job = submit()->json->{jobs}[0]{job_id};

        poll(0.2, sub { hinted($job) });
    }),
        "$day no more: hints flow again";
}

is $s->sql("select count(*) from podi.job where state = 'queued'"
           . ' and pushed_at is null') > 0 ? 1 : 0, 1,
    'what was not hinted waits for the dispatcher';

$s->allow_errors(qr/podi: Redis/);
$s->done;
done_testing;
