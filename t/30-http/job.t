# GET /v1/jobs/{id}, /log and /explain: one job as its user sees it, from waiting
# to its end, and never another's.

use strict;
use warnings;
use Podi::Work;
use Test::More;
use Podi::Stack;

my $s = Podi::Stack->new->start;
my $w = Podi::Work->new($s->db);
my $ann = $s->member('annie', points => 100);
my $bob = $s->member('bobby');
my $task = $w->submit($ann, inputs => [ $w->media($ann) ],
                      actions => [qw( resize )]);
my $job = $task->{jobs}[0]{job_id};


sub ask
{
    my ($tail, %option) = @_;

    return $s->get("/v1/jobs/$job$tail", as => $ann, %option);
}


my $of = ask('')->json;
is $of->{task_id}, $task->{task_id}, 'its task';
is_deeply [ @{ $of->{job} }{qw( job_id state price charged )} ],
    [ $job, 'queued', 2, 0 ], 'the job as the task shows it';
is_deeply $of->{history}, [], 'nobody has held it';
like ask('/explain')->json->{why}, qr/^(?:behind|no_worker)$/,
    'it waits, and that is explained';
is_deeply ask('/log')->json, { items => [], next => undef }, 'it said nothing';

my $held = $w->claim_task($task)->[0];
is ask('/explain')->json->{why}, 'running', 'claimed, it runs';
is_deeply [ map { $_->{outcome} } @{ ask('')->json->{history} } ],
    ['running'], 'somebody holds it';

$s->sql('insert into podi.job_log (tenant_id, job_id, n, fence, level, line)'
        . " select tenant_id, job_id, n, fence, 'info', 'line ' || n"
        . ' from podi.job, generate_series(1, 5) n where job_id = ?', $job);
my $log = ask('/log?limit=2')->json;
is_deeply [ map { $_->{line} } @{ $log->{items} } ], [ 'line 1', 'line 2' ],
    'the log, in its order';
is $log->{next}, '2', 'there is more';
$log = ask("/log?after=$log->{next}")->json;
is_deeply [ map { $_->{n} } @{ $log->{items} } ], [ 3, 4, 5 ],
    'and that is the rest';
is $log->{next}, undef, 'all of it';
is_deeply [ @{ $log->{items}[0] }{qw( attempt level )} ],
    [ $held->{fence}, 'info' ], 'who said it, and how loud';

$w->settle($held, 'failed', code => 'picture_invalid');
$of = ask('')->json;
is_deeply [ @{ $of->{job} }{qw( state error_code )} ],
    [ 'failed', 'picture_invalid' ], 'its end';
is_deeply [ map { "$_->{outcome} $_->{error_code}" } @{ $of->{history} } ],
    ['failed picture_invalid'], 'and how it came';
$of = ask('/explain')->json;
is_deeply [ $of->{why}, $of->{detail}{error_code} ],
    [ 'finished', 'picture_invalid' ], 'finished, with the reason';

# --- what is wrong

for my $tail ('', '/log', '/explain') {
    is ask($tail, as => $bob)->code, 'not_found', "another's$tail";
    is $s->get("/v1/jobs/x$tail", as => $ann)->code, 'not_found', "no id$tail";
    is $s->get('/v1/jobs/' . $s->db->uuid . $tail, as => $ann)->code,
        'not_found', "no such job$tail";
    is ask($tail, as => undef)->status, 401, "a stranger$tail";
}
for my $wrong ([ limit => '?limit=0' ], [ limit => '?limit=201' ],
               [ after => '?after=x' ], [ sort => '?sort=n' ]) {
    my $res = ask("/log$wrong->[1]");

    is $res->code, 'bad_field', "$wrong->[1] is refused";
    is $res->json->{field}, $wrong->[0], 'by name';
}

$s->done;
done_testing;
