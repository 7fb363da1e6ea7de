# Budgets as a page meets them: GET /v1/quotas, and the 429 of a submit and a
# retry that would pass one.

use strict;
use warnings;
use Test::More;
use Podi::Stack;
use Podi::Work;

my $s = Podi::Stack->new->start;
my $w = Podi::Work->new($s->db);
my $ann = $s->member('annie', points => 50);
my $ben = $s->member('benny', points => 50);
my $pic = $w->media($ann);
my %order = (inputs => [$pic], actions => [{ action => 'image.resize',
                                             params => { width => 9 } }]);


sub put
{
    $s->db->{ctl} //= $s->db->login('podi_ctl');
    return $s->db->{ctl}->one(undef,
        "select * from sys.quota_put('demo', ?, ?, ?, ?)", @_);
}


sub quotas
{
    my ($who) = @_;

    return [map { join ' ', @{$_}{qw( scope meter period limit used reserved )} }
            @{ $s->get('/v1/quotas', as => $who)->json->{items} }];
}


is $s->get('/v1/quotas')->status, 401, 'whose?';
is_deeply quotas($ann), [], 'there are none at first';
put(@$_) for ['*', 'points', 'month', 4], ['*', 'in_flight', undef, 9],
             [undef, 'tasks', 'day', 100];

my $res = $s->post('/v1/tasks', as => $ann, json => \%order);
is $res->status, 201, 'a task within its budgets';
my $task = $res->json;
is_deeply quotas($ann),
    ['tenant tasks day 100 0 1', 'user in_flight none 9 0 1',
     'user points month 4 0 2'], 'is seen in them';
is_deeply quotas($ben),
    ['tenant tasks day 100 0 1', 'user in_flight none 9 0 0',
     'user points month 4 0 0'], 'and in those that are shared';
my %at = map { $_->{meter} => $_ }
         @{ $s->get('/v1/quotas', as => $ann)->json->{items} };
is $at{in_flight}{resets_at}, undef, 'some do not begin anew';
like $at{points}{resets_at}, qr/^\d{4}-\d\d-01T00:00:00/, 'others do';

$w->settle($w->claim_task($task)->[0], 'failed');
is_deeply quotas($ann)->[2], 'user points month 4 0 0', 'it failed';
$s->post('/v1/tasks', as => $ann, json => \%order) for 1 .. 2;

$res = $s->post('/v1/tasks', as => $ann, json => \%order, key => 'one-more');
is $res->status, 429, 'a task beyond them';
is $res->code, 'quota_exceeded', 'is told';
my $no = $res->json;
is_deeply [@{$no}{qw( scope meter period limit used reserved asked )}],
    [qw( user points month 4 0 4 2 )], 'which and why';
is $no->{resets_at} =~ s/\.0+Z$/Z/r,
    $at{points}{resets_at} =~ s/\.0+Z$/Z/r, 'until when';
cmp_ok $no->{retry_after}, '>', 0, 'for how long';
is $res->header('retry-after'), $no->{retry_after}, 'in the header too';
is $s->get('/v1/wallet', as => $ann)->json->{frozen}, 4, 'nothing is frozen for it';
is $s->post("/v1/tasks/$task->{task_id}/retry", as => $ann)->code,
    'quota_exceeded', 'nor may what failed begin again';
is $s->post('/v1/tasks/quote', as => $ann, json => \%order)->status, 200,
    'the price may be asked';
like $s->post('/v1/tasks', as => $ann, json => \%order,
              headers => { 'Accept-Language' => 'zh' })->json->{title},
    qr/\x{989d}\x{5ea6}/, 'it is told in Chinese';

put('annie', 'points', 'month', 5);
$res = $s->post('/v1/tasks/batch', as => $ann, json => { orders => [ \%order,
    { %order, actions => [ { action => 'image.thumbnail' } ] } ] });
my ($refused, $taken) = @{ $res->json->{items} };
is_deeply [ map { $_->{status} } $refused, $taken ], [ 429, 201 ],
    'in a batch each by itself';
is_deeply [ @{ $refused->{problem} }{qw( code meter limit )},
            $refused->{problem}{retry_after} > 1 ],
    [ qw( quota_exceeded points 5 ), 1 ], 'in the same words';

put('annie', 'points', 'month', 7);
$res = $s->post('/v1/tasks', as => $ann, json => \%order, key => 'one-more');
is $res->status, 201, 'the key was left free';

put('annie', 'in_flight', undef, 4);
put('annie', 'points', 'month', 60);
$res = $s->post('/v1/tasks', as => $ann, json => \%order);
is_deeply [@{ $res->json }{qw( code meter limit reserved )}],
    [qw( quota_exceeded in_flight 4 4 )], 'too many at once';
ok !exists $res->json->{resets_at}, 'no time opens that';
is $res->json->{retry_after}, 1, 'a task that ends does';

$s->done;
done_testing;
