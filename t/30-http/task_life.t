# A task from quote to end, as its owner sees it: POST /v1/tasks, GET /v1/tasks,
# GET /v1/tasks/{id}, the wallet beside them.  The worker's part is played by
# the functions that workers call.

use strict;
use warnings;
use Test::More;
use Podi::Stack;
use Podi::Work;

my $s = Podi::Stack->new->start;
my $w = Podi::Work->new($s->db);
my $ann = $s->member('annie', points => 100);
my $bob = $s->member('bobby', points => 100);
my @pics = map { $w->media($ann) } 1 .. 3;
my @actions = ({ action => 'image.resize', params => { width => 100 } },
               { action => 'image.thumbnail', params => {} });
my $trace = '4bf92f3577b34da6a3ce929d0e0e4736';


sub wallet
{
    my $wallet = $s->get('/v1/wallet', as => $_[0])->json;

    return [ @{$wallet}{qw( available frozen )} ];
}


sub order
{
    my ($who, $inputs, $actions, %arg) = @_;
    my %more = defined $arg{expected}
        ? (expected_price => delete $arg{expected}) : ();

    return $s->post('/v1/tasks', as => $who, %arg,
        json => { inputs => $inputs, actions => $actions, %more });
}


# --- quote

my $quote = $s->post('/v1/tasks/quote', as => $ann,
    json => { inputs => [ @pics[0, 1] ], actions => \@actions })->json;

is $quote->{price}, 6, 'two pictures, two actions: a price';
is $quote->{missing}, 0, 'which is there';
is_deeply [ map { [ $_->{input} eq $pics[1] ? 1 : 0, $_->{action} ] }
            @{ $quote->{jobs} } ],
    [ [ 0, 'image.resize' ], [ 0, 'image.thumbnail' ],
      [ 1, 'image.resize' ], [ 1, 'image.thumbnail' ] ],
    'a job for each, input by input';
is $quote->{jobs}[0]{params}{fit}, 'contain', 'defaults are filled in';
is_deeply wallet($ann), [ 100, 0 ], 'a quote freezes nothing';

my $poor = $s->member('poor1', points => 1);
is $s->post('/v1/tasks/quote', as => $poor, json => {
       inputs => [ $w->media($poor) ], actions => \@actions })
       ->json->{missing}, 2, 'a quote says what is missing';

# --- submit

my $res = order($ann, [ @pics[0, 1] ], \@actions, key => 'k1', expected => 6,
    headers => { traceparent => "00-$trace-00f067aa0ba902b7-01" });
my $task = $res->json;
my $id = $task->{task_id};

is $res->status, 201, 'a task is made at the quoted price';
is $res->header('x-trace-id'), $trace, 'on the trace of its caller';
is_deeply [ @{$task}{qw( state price jobs_total trace_id channel )} ],
    [ 'queued', 6, 4, $trace, 'default' ], 'which the row keeps';
is_deeply [ map { [ @{$_}{qw( input action state price )} ] }
            @{ $task->{jobs} } ],
    [ map { my $pic = $_; [ $pic, 'image.resize', 'queued', 2 ],
                          [ $pic, 'image.thumbnail', 'queued', 1 ] }
      @pics[0, 1] ], 'its jobs, input by input';
ok $task->{is_new}, 'it is new';
is_deeply wallet($ann), [ 94, 6 ], 'its price is frozen';

# --- the same again

$res = order($ann, [ @pics[0, 1] ], \@actions, key => 'k1', expected => 6);
is $res->status, 200, 'the same key, the same body: the same answer';
is $res->json->{task_id}, $id, 'of the same task';
ok !$res->json->{is_new}, 'which is not new';
is_deeply wallet($ann), [ 94, 6 ], 'and costs nothing more';

$res = order($ann, [ $pics[0] ], \@actions, key => 'k1');
is $res->status, 409, 'the same key, another body';
is $res->code, 'idempotency_mismatch', 'is a mismatch';

$res = order($bob, [ $w->media($bob) ], \@actions, key => 'k1');
is $res->status, 201, "another user's key is another key";
my $bobs = $res->json->{task_id};

isnt order($ann, [ $pics[2] ], [ $actions[1] ])->json->{task_id},
    order($ann, [ $pics[2] ], [ $actions[1] ])->json->{task_id},
    'without a key twice is twice';

$res = order($poor, [ $w->media($poor) ], [ $actions[0] ], key => 'p');
is $res->status, 402, 'too few points';
is_deeply [ @{ $res->json }{qw( code required available missing )} ],
    [ 'insufficient_points', 2, 1, 1 ], 'with what is missing';
$s->grant($poor, 1);
is order($poor, [ map { $_->{media_id} } $s->sql('select media_id from'
    . ' podi.media where user_id = ? order by media_id desc limit 1',
    $poor->{user}) ], [ $actions[0] ], key => 'p2')->status, 201,
    'topped up, it goes';

# --- read

my $row = $s->get("/v1/tasks/$id", as => $ann)->json;
is_deeply [ @{$row}{qw( state price charged jobs_total jobs_open )} ],
    [ 'queued', 6, 0, 4, 4 ], 'the task, read back';
is_deeply [ map { $_->{type} } @{ $row->{events} } ],
    [qw( task.queued wallet.frozen )], 'what happened so far';
is_deeply $row->{results}, [], 'no results yet';

my $jobs = $w->claim_task($task);
$row = $s->get("/v1/tasks/$id", as => $ann)->json;
is $row->{state}, 'running', 'claimed, it runs';
is_deeply [ map { $_->{state} } @{ $row->{jobs} } ], [ ('running') x 4 ],
    'with its jobs';

my $made = $w->result(parents => [ $pics[0] ]);
$w->settle($jobs->[0], 'succeeded', charge => 2, results => [$made]);
$w->settle($jobs->[1], 'succeeded', charge => 1, results => []);
$w->settle($jobs->[2], 'failed', code => 'picture_invalid',
           detail => 'not a picture');
$w->settle($jobs->[3], 'succeeded', charge => 1, results => []);

$row = $s->get("/v1/tasks/$id", as => $ann)->json;
is_deeply [ @{$row}{qw( state price charged jobs_open jobs_succeeded )} ],
    [ 'partial', 6, 4, 0, 3 ], 'three of four: partial';
is_deeply [ map { $_->{charged} } @{ $row->{jobs} } ], [ 2, 1, 0, 1 ],
    'charged is what was delivered';
is_deeply [ @{ $row->{jobs}[2] }{qw( state error_code error_detail )} ],
    [ 'failed', 'picture_invalid', 'not a picture' ], 'why one failed';
is_deeply [ map { [ @{$_}{qw( media_id job_id )}, @{ $_->{parents} } ] }
            @{ $row->{results} } ],
    [ [ $made->{media_id}, $jobs->[0]{job_id}, $pics[0] ] ],
    'the result knows its job and its parent';
is $row->{events}[-1]{type}, 'task.partial', 'the end is an event';
is_deeply wallet($ann), [ 94, 2 ], 'the rest came back';
is_deeply [ map { [ @{$_}{qw( type amount )} ] } @{ $s->get(
        "/v1/wallet/entries?task_id=$id", as => $ann)->json->{items} } ],
    [ [ 'confirm', 1 ], [ 'release', 2 ], [ 'confirm', 1 ],
      [ 'confirm', 2 ], [ 'freeze', 6 ] ], 'and the ledger says how';

is order($ann, [ @pics[0, 1] ], \@actions, key => 'k1', expected => 6)
    ->json->{state}, 'partial', 'the key still names it';

# --- whose

for my $other ($bobs, $s->db->uuid, 'ffffffff', '..%2f') {
    my $read = $s->get("/v1/tasks/$other", as => $ann);

    is $read->status, 404, 'another\'s, none, no id: not found';
    is $read->json->{detail}, 'no such task', 'in the same words'
        if $other !~ /%/;
}

# --- list

sub listed
{
    my ($query, $who) = @_;

    return $s->get("/v1/tasks$query", as => $who // $ann)->json;
}

my @all = map { $_->{task_id} } @{ listed('')->{items} };
is @all, 3, 'all of them';
is_deeply \@all, [ sort { $b cmp $a } @all ], 'newest first';
is $all[2], $id, 'the first is the last';
is_deeply listed('')->{items}[2]{actions},
    [qw( image.resize image.thumbnail )], 'with the names of the actions';

my $page = listed('?limit=2');
is_deeply [ map { $_->{task_id} } @{ $page->{items} } ], [ @all[0, 1] ],
    'a page of two';
is $page->{next}, $all[1], 'says where the next begins';
$page = listed("?limit=2&after=$page->{next}");
is_deeply [ [ map { $_->{task_id} } @{ $page->{items} } ], $page->{next} ],
    [ [$id], undef ], 'which is the last';

is_deeply [ map { $_->{task_id} } @{ listed('?state=partial')->{items} } ],
    [$id], 'by state';
is_deeply [ map { $_->{task_id} } @{ listed('?action=image.resize')->{items} } ],
    [$id], 'by action';
is_deeply listed('?action=image.none')->{items}, [], 'by one that is not used';

my $at = listed('?state=partial')->{items}[0]{created_at};
is @{ listed("?from=$at")->{items} }, 3, 'from its time';
is @{ listed("?to=$at")->{items} }, 0, 'to its time';
is @{ listed('', $bob)->{items} }, 1, "another's list is another";

for my $bad ('state=done', 'limit=0', 'limit=x', 'after=1', 'from=now',
             'action=', 'order=asc', 'state=queued&state=failed')
{
    my $res = $s->get("/v1/tasks?$bad", as => $ann);

    is_deeply [ $res->status, $res->code, $res->json->{field} ],
        [ 422, 'bad_field', $bad =~ s/=.*//r ], "?$bad";
}

$s->done;
done_testing;
