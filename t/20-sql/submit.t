# api.task_submit: checked, priced, frozen, queued: all of it or nothing.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use Podi::Sql;
use Podi::Work;

my $db = Podi::Sql->new;
my $w = Podi::Work->new($db);
my $ann = $w->person('ann', 100);
my $ben = $w->person('ben', 0);
my ($pic, $pic2) = map { $w->media($ann) } 1 .. 2;


sub detail
{
    my ($error) = @_;

    return JSON::PP::decode_json($error->{detail} // '{}');
}


sub refused
{
    my ($state, $who, $order, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;

    return $w->{web}->refused($state, $db->as($who),
                              $w->submit_call(inputs => [$pic], %$order),
                              $name);
}


subtest 'what is asked is made' => sub {
    my $t = $w->submit($ann, inputs => [$pic, $pic2],
                       actions => ['resize', 'thumbnail'], expected => 6);

    is $t->{state}, 'queued', 'it is queued';
    is $t->{price}, 6, 'at the sum of its jobs';
    is_deeply [map { [@{$_}{qw(action input price state)}] } @{ $t->{jobs} }],
              [map { my $m = $_; (['image.resize', $m, 2, 'queued'],
                                  ['image.thumbnail', $m, 1, 'queued']) }
               $pic, $pic2], 'a job for each action on each input, in order';
    is_deeply [map { [@{$_}{qw(job_id tenant_id queue)}] } @{ $t->{_hints} }],
              [map { [$_->{job_id}, $w->{tenant}, 'image'] } @{ $t->{jobs} }],
              'and a hint for each job';
    is_deeply Podi::Work::types($t->{_events}),
              ['task.queued', 'wallet.frozen'], 'the user is told';
    is_deeply [@{ $t->{_events}[1]{data} }{qw(amount available frozen)}],
              [6, 94, 6], 'with the balance';
    is_deeply $w->wallet($ann), [94, 6], 'the points are frozen';
    is_deeply [map { $_->{trace_id} } @{ $t->{_events} }], [('a' x 32) x 2],
              'each event carries the trace';
};

subtest 'parameters are filled in' => sub {
    my $t = $w->submit($ann, inputs => [$pic], actions => [
        { action => 'image.resize', params => { width => 800.0 } }]);
    my $job = $w->job($t->{jobs}[0]{job_id});

    is_deeply JSON::PP::decode_json($job->{params}),
              { width => 800, fit => 'contain', format => 'keep',
                quality => 85 }, 'with the defaults of the action';
    unlike $job->{params}, qr/800\.0/, 'an integer is written as one';
};

subtest 'a field that is wrong is named' => sub {
    my @case = (
        ['U0430', 'actions[0].action', { action => 'image.fly' }],
        ['U0430', 'actions[0].action', { action => 'media.check' }],
        ['U0422', 'actions[0].action', { params => {} }],
        ['U0422', 'actions[0].params', { action => 'image.resize',
                                         params => [1] }],
        ['U0422', 'actions[0].params.width',
            { action => 'image.resize', params => {} }, 'anyOf'],
        ['U0422', 'actions[0].params.width',
            { action => 'image.resize', params => { width => 0 } }],
        ['U0422', 'actions[0].params.width',
            { action => 'image.resize', params => { width => 8193 } }],
        ['U0422', 'actions[0].params.width',
            { action => 'image.resize', params => { width => 1.5 } }],
        ['U0422', 'actions[0].params.width',
            { action => 'image.resize', params => { width => 'wide' } }],
        ['U0422', 'actions[0].params.width',
            { action => 'image.resize', params => { width => undef } }],
        ['U0422', 'actions[0].params.fit',
            { action => 'image.resize', params => { width => 5,
                                                    fit => 'squeeze' } }],
        ['U0422', 'actions[0].params.colour',
            { action => 'image.resize', params => { width => 5,
                                                    colour => 1 } }],
        ['U0422', 'actions[0].params.format',
            { action => 'image.convert', params => {} }],
    );

    for my $case (@case) {
        my ($state, $field, $action, $keyword) = @$case;
        my $e = refused($state, $ann, { actions => [$action] },
                        "$state for " . Podi::Work::text($action));
        is detail($e)->{field}, $field, "... at $field";
        is detail($e)->{keyword}, $keyword, "... for $keyword" if $keyword;
    }

    my $e = refused('U0422', $ann,
                 { actions => ['resize', { action => 'image.thumbnail',
                                           params => { size => 5 } }] },
                 'a later action');
    is detail($e)->{field}, 'actions[1].params.size', '... has its number';
};

subtest 'the number of jobs is bounded' => sub {
    my $e = refused('U0422', $ann, { actions => [] }, 'no action');
    is detail($e)->{field}, 'actions', '... at actions';
    $e = refused('U0422', $ann, { inputs => [], actions => ['resize'] },
                 'no input');
    is detail($e)->{field}, 'inputs', '... at inputs';
    $e = refused('U0422', $ann, { inputs => [($pic) x 33],
                                  actions => ['resize', 'convert'] },
                 '66 jobs');
    is detail($e)->{field}, 'inputs', '... at inputs';
    refused('U0400', $ann, { jobs => [], actions => ['resize'] },
            'fewer ids than jobs');
};

subtest 'inputs must be usable' => sub {
    my %bad = (
        U0440 => $w->media($ann, state => 'checking'),
        U0441 => $w->media($ann, type => 'image/tiff'),
        U0422 => $w->media($ann, state => 'rejected'),
    );

    for my $state (sort keys %bad) {
        my $e = refused($state, $ann, { inputs => [$pic, $bad{$state}],
                                        actions => ['resize'] },
                        "$state refuses it");
        is detail($e)->{field}, 'inputs[1]', '... and names it';
    }
};

subtest "another's media is like none" => sub {
    my $cid = $w->person('cid', 100, tenant => $db->tenant('umbra'));
    my ($nothing) = $w->ids(1);
    my @said = map {
        my ($who, $id) = @$_;
        my $e = refused('U0422', $who, { inputs => [$id],
                                         actions => ['resize'] },
                        'refused');
        [@{$e}{qw(state text detail)}];
    } [$ben, $pic], [$cid, $pic], [$ben, $nothing];

    is_deeply $said[0], $said[2], 'the same words to another user';
    is_deeply $said[1], $said[2], 'and to another tenant';
};

subtest 'without points nothing is made' => sub {
    my $mine = $w->media($ben);
    $db->grant($ben, 1);
    my $e = refused('U0402', $ben, { inputs => [$mine], key => 'poor',
                                     actions => ['resize'] }, 'refused');

    is_deeply detail($e), { required => 2, available => 1, missing => 1 },
              'and says what is missing';
    is $db->super->value(undef, 'select count(*) from podi.task_header'
                         . ' where user_id = ?', $ben->{user}), 0,
       'no task is left';

    $db->grant($ben, 5);
    my $t = $w->submit($ben, inputs => [$mine], actions => ['resize'],
                       key => 'poor');
    ok $t->{is_new}, 'the same key works after topping up';
};

subtest 'the price that was shown holds' => sub {
    my $e = refused('U0432', $ann, { actions => ['resize'], expected => 3 },
                    'another price is refused');
    is_deeply detail($e), { expected => 3, price => 2 }, 'with both';
};

subtest 'a key makes one task' => sub {
    my $before = $w->wallet($ann);
    my %order = (inputs => [$pic], actions => ['resize'], key => 'k1');
    my $first = $w->submit($ann, %order);
    my $again = $w->submit($ann, %order);

    ok $first->{is_new}, 'new the first time';
    ok !$again->{is_new}, 'not the second';
    is $again->{task_id}, $first->{task_id}, 'the same task';
    is_deeply $again->{jobs}, $first->{jobs}, 'with the same jobs';
    is_deeply [@{$again}{qw(_hints _events)}], [[], []], 'and nothing to push';
    is $w->wallet($ann)->[0], $before->[0] - 2, 'paid once';

    refused('U0410', $ann, { %order, hash => 'another body' },
            'the key with another body is refused');
};

subtest 'two at once with one key make one task' => sub {
    my $one = $db->login('podi_web');
    my %order = (inputs => [$pic], actions => ['resize'], key => 'k2');

    $one->dbh->begin_work;
    $one->all($db->as($ann), $w->submit_call(%order));

    my $two = $db->login('podi_web');
    $two->dbh->begin_work;
    $two->run('select api.context_open(?)', $db->as($ann));
    $two->send($w->literal($w->submit_call(%order)));
    $two->wait_blocked($db->super);
    $one->dbh->commit;
    ok $two->wait, 'the second waits for the first';
    $two->dbh->commit;
    is $db->super->value(undef, 'select count(*) from podi.idempotency'
                         . " where key = 'k2'"), 1, 'one key';
    is $db->super->value(undef, q{select count(*) from podi.ledger l
        join podi.idempotency i on i.response ->> 'task_id' = l.task_id::text
        where i.key = 'k2'}), 1, 'one freeze';
};

subtest 'what costs nothing holds nothing' => sub {
    $db->{ctl}->all(undef, 'select * from sys.action_put(?)',
                    '{"action": "image.thumbnail", "price": 0}');
    my $before = $w->wallet($ben);
    my $t = $w->submit($ben, inputs => [$w->media($ben)],
                       actions => ['thumbnail']);

    is_deeply Podi::Work::types($t->{_events}), ['task.queued'],
              'no event of the wallet';
    is_deeply $w->wallet($ben), $before, 'no point moved';
    $db->{ctl}->all(undef, 'select * from sys.action_put(?)',
                    '{"action": "image.thumbnail", "price": 1}');
};

subtest 'a quote says what a submit would cost' => sub {
    my $call = "select * from api.task_quote(?, 'default')";
    my %order = (actions => [map { Podi::Work::action(@$_) }
        ['image.resize', height => 7], ['image.thumbnail']]);
    my $q = Podi::Work::decode($w->{web}->one($db->as($ann), $call,
        Podi::Work::text($w->order(%order, inputs => [$pic, $pic2]))))->[0];

    is $q->{price}, 6, 'the price';
    is $q->{jobs_total}, 4, 'of four jobs';
    is $q->{missing}, 0, 'nothing is missing';
    is $q->{jobs}[1]{params}{size}, 256, 'with the defaults';
    $w->{web}->refused('U0422', $db->as($ben), $call,
                       Podi::Work::text($w->order(%order, inputs => [$pic])),
                       'of what one may not submit there is no quote');
};

$db->whole;
done_testing;
