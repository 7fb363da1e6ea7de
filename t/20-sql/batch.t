# api.task_submit_batch: many orders at once, each by itself.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use JSON::PP ();
use Podi::Sql;
use Podi::Work;

my $db = Podi::Sql->new;
my $w = Podi::Work->new($db);
my $ann = $w->person('ann', 5);
my $pic = $w->media($ann);
my $call = 'select * from api.task_submit_batch(?, ?, ?, ?, ?)';


sub bind_for
{
    my ($key, @orders) = @_;
    my $hash = 'batch';

    return (Podi::Work::text([map {
        my ($task, @jobs) = $w->ids(3);
        { task_id => $task, job_ids => \@jobs, order => $_ } } @orders]),
        'default', 'a' x 32, $key, \$hash);
}


sub batch
{
    my ($key, @orders) = @_;
    my $row = Podi::Work::decode($w->{web}->one($db->as($ann), $call,
                                                bind_for($key, @orders)))->[0];

    $row->{results} = JSON::PP::decode_json($row->{results})
        if !ref $row->{results};
    return $row;
}


sub resize { return $w->order(inputs => [$_[0] // $pic], actions => ['resize']) }


subtest 'each is taken or refused by itself' => sub {
    my ($nothing) = $w->ids(1);
    my $b = batch('b1', resize(), resize($nothing), resize(), resize(),
                  $w->order(inputs => [$pic], actions => ['thumbnail']));
    my @said = @{ $b->{results} };

    is_deeply [map { $_->{state} // $_->{sqlstate} } @said],
              ['queued', 'U0422', 'queued', 'U0402', 'queued'],
              'in their order, as far as the points go';
    is $said[1]{detail}{field}, 'inputs[0]', 'a refusal names its field';
    is_deeply $said[3]{detail}, { required => 2, available => 1, missing => 1 },
              'or what is missing';
    is_deeply $w->wallet($ann), [0, 5], 'frozen for those that were taken';
    is scalar @{ $b->{_hints} }, 3, 'with hints for them';
    is_deeply Podi::Work::types($b->{_events}),
              [('task.queued', 'wallet.frozen') x 3], 'and events';
    is $db->super->value(undef, 'select count(*) from podi.task_header'), 3,
       'and nothing else';

    my $again = batch('b1', resize());
    is_deeply [map { $_->{task_id} // $_->{sqlstate} } @{ $again->{results} }],
              [map { $_->{task_id} // $_->{sqlstate} } @said],
              'the same key: what was made';
    is_deeply [@{$again}{qw(is_new _hints _events)}], [0, [], []],
              'and nothing anew';
};

subtest 'a batch locks the wallet before it tells anybody' => sub {
    $db->{ctl}->all(undef, 'select * from sys.action_put(?)',
                    '{"action": "image.thumbnail", "price": 0}');
    $db->grant($ann, 100);
    my $free = $w->order(inputs => [$pic], actions => ['thumbnail']);
    my ($super, $web) = map { $db->login($_) } qw(postgres podi_web);

    $super->dbh->begin_work;
    $super->run('select 1 from podi.wallet where user_id = ? for update',
                $ann->{user});
    $web->dbh->begin_work;
    $web->run('select api.context_open(?)', $db->as($ann));
    $web->send($w->literal($call, bind_for(undef, $free, resize())));
    $web->wait_blocked($db->super);
    ok eval { $super->run('select 1 from podi.user_head where user_id = ?'
                          . ' for update nowait', $ann->{user}); 1 },
       'while it waits for the wallet, the events are free';
    $super->dbh->rollback;
    is_deeply Podi::Work::types(Podi::Work::decode($web->wait->[0])->[0]{_events}),
              ['task.queued', 'task.queued', 'wallet.frozen'], 'then it tells all';
    $web->dbh->commit;
};

subtest 'only what is wrong with an order is its own' => sub {
    my $wallet = $db->super->value(undef, 'select wallet_id from podi.wallet'
                                   . ' where user_id = ?', $ann->{user});
    my $bend = sub { $db->super->all(undef, 'update podi.lot set avail = avail +'
                         . ' ?, lapsed = lapsed - ? where wallet_id = ? and'
                         . ' avail > 20', $_[0], $_[0], $wallet) };
    my $tasks = sub { $db->super->value(undef,
                                       'select count(*) from podi.task_header') };
    my $before = $tasks->();

    $db->{ctl}->all(undef, 'select * from sys.action_put(?)',
                    '{"action": "image.convert", "price": 90}');
    $bend->(-20);
    $w->{web}->refused('U0426', $db->as($ann), $call,
        bind_for(undef, $w->order(inputs => [$pic], actions => ['thumbnail']),
                 $w->order(inputs => [$pic], actions => ['convert'])),
        'books that do not agree end the whole call');
    is $tasks->(), $before, 'and nothing is made';
    $bend->(20);
    $w->{web}->refused('U0400', $db->as($ann), $call, bind_for(undef,
        $w->order(inputs => [($pic) x 4], actions => ['thumbnail'])),
        'nor is it the fault of an order when ids are missing');
};

subtest 'a batch has its bounds' => sub {
    for my $orders ([], [(resize()) x 21]) {
        $w->{web}->refused('U0422', $db->as($ann), $call,
                           bind_for(undef, @$orders), @$orders . ' orders');
    }
};

$db->whole;
done_testing;
