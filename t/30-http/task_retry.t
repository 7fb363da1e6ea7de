# POST /v1/tasks/{id}/retry and GET /v1/tasks/{id}/cancel: a task is begun again
# from where it failed, and a cancel is priced before it is made.

use strict;
use warnings;
use JSON::PP ();
use Podi::Work;
use Test::More;
use Podi::Stack;

my $s = Podi::Stack->new->start;
my $w = Podi::Work->new($s->db);
my $ann = $s->member('annie', points => 10);
my $bob = $s->member('bobby');
my $task = $w->submit($ann, inputs => [ $w->media($ann) ],
                      actions => [qw( resize convert )]);
my $path = "/v1/tasks/$task->{task_id}";


sub retry
{
    my ($key, %option) = @_;

    return $s->post("$path/retry", as => $ann, key => $key, %option);
}


# --- what a cancel would cost

my $of = $s->get("$path/cancel", as => $ann)->json;
is_deeply [ @{$of}{qw( charged releases charges_least charges_most )} ],
    [ 0, 3, 0, 0 ], 'before it has begun all of it comes back';
is scalar @{ $of->{jobs} }, 2, 'job by job';

is retry('early')->code, 'conflict', 'what has not ended is not begun again';

my $jobs = $w->claim_task($task);
$of = $s->get("$path/cancel", as => $ann)->json;
is_deeply [ @{$of}{qw( releases charges_least charges_most )} ], [ 0, 0, 3 ],
    'what runs may be done before it can be stopped';

$w->settle($jobs->[0], 'succeeded', results => [ $w->result ]);
$w->settle($jobs->[1], 'failed');
is $s->get("$path/cancel", as => $ann)->code, 'task_final',
    'an ended task is not cancelled';

# --- again, what failed

my $res = retry('r1');
is $res->status, 200, 'it is begun again';
is_deeply [ @{ $res->json }{qw( state round is_new )} ],
    [ $res->json->{state}, 2, JSON::PP::true() ], 'in its second round';
is_deeply [ map { $_->{state} } @{ $res->json->{jobs} } ],
    [qw( succeeded queued )], 'what succeeded stays';
is $s->get('/v1/wallet', as => $ann)->json->{frozen}, 1,
    'only the rest is frozen';
$res = retry('r1');
is $res->json->{is_new}, JSON::PP::false(), 'the same key is no third round';
is $res->json->{round}, 2, 'but the second';

$jobs = $w->claim_task($task);
is scalar @$jobs, 1, 'one job is left to do';
$w->settle($jobs->[0], 'succeeded', results => [ $w->result ]);
is $s->get($path, as => $ann)->json->{charged}, 3, 'each was paid once';
is retry('r2')->code, 'task_final', 'what succeeded is not begun again';
is $s->get("$path/receipt", as => $ann)->status, 200, 'it has a receipt';

# --- what is wrong

for my $ask (sub { $s->post("$_[0]/retry", %{ $_[1] }) },
             sub { $s->get("$_[0]/cancel", %{ $_[1] }) }) {
    is $ask->($path, { as => $bob })->code, 'not_found', 'another user\'s';
    is $ask->('/v1/tasks/x', { as => $ann })->code, 'not_found', 'no id';
    is $ask->('/v1/tasks/' . $s->db->uuid, { as => $ann })->code,
        'not_found', 'no such task';
    is $ask->($path, {})->status, 401, 'a stranger';
}
is retry('a key with blanks')->status, 400, 'a key that is none';

$s->done;
done_testing;
