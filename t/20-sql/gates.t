# Gates, plans and queues: what Redis is told of them, and of what is queued
# and runs.

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

my @SCOPES = ('global', 'queue:image', 'action:image.resize',
              "tenant:$ann->{tenant}", "user:$ann->{user}");


sub plant
{
    my ($sql, @bind) = @_;

    return $db->super->all(undef, $sql, @bind);
}


sub gates
{
    return { map { $_->{scope} => [@{$_}{qw(slots reserve rate period_ms burst)}] }
             @{ $w->sys('gates()') } };
}


subtest 'the gates there are' => sub {
    is_deeply gates(), {}, 'none, as it comes';

    plant(q{insert into podi.gate values ('global', 100, 10, null, null, null),
            ('key:openai', null, 0, 60, 60000, 5), ('tenant:*', 8, 0, null,
            null, null)});
    is_deeply gates(), { global => [100, 10, (undef) x 3],
                         'key:openai' => [undef, 0, 60, 60000, 5],
                         'tenant:*' => [8, 0, (undef) x 3] },
              'slots, reserves and rates, and the stars';

    plant(q{insert into podi.plan (plan, weight, tenant_slots, user_slots)
            values ('gold', 3, 20, 4), ('iron', 1, null, 1)});
    is_deeply [map { [$_ => gates()->{$_}[0]] } grep { /\@/ } sort keys %{ gates() }],
              [['tenant:*@gold', 20], ['user:*@gold', 4], ['user:*@iron', 1]],
              'the bounds of plans; what a plan leaves open is left out';

    plant(q{update podi.queue_type set state = 'paused'
            where queue in ('image', 'index')});
    plant(q{insert into podi.gate values ('queue:index', 9, 2, 5, 1000, 5)});
    is_deeply [@{ gates() }{qw(queue:image queue:index)}],
              [[0, 0, (undef) x 3], [0, 0, 5, 1000, 5]],
              'a queue that is paused is a gate that is shut';
    plant(q{update podi.queue_type set state = 'active'});
    is_deeply [@{ gates() }{qw(queue:image queue:index)}],
              [undef, [9, 2, 5, 1000, 5]], 'until it is not';
};

subtest 'a hint says whose turn it is and which gates it must pass' => sub {
    plant(q{update podi.tenant set plan = 'gold' where tenant_id = ?},
          $ann->{tenant});
    plant(q{update podi.action set gates = '{key:openai}', cost = 7
            where action = 'image.resize'});
    plant(q{update podi.job set pushed_at = now()});

    my $t = $w->submit($ann, inputs => [$pic], actions => ['resize']);
    my $id = $t->{jobs}[0]{job_id};
    my %want = (job_id => $id, tenant_id => $ann->{tenant}, queue => 'image',
                priority => 1, weight => 3, cost => 7, plan => 'gold',
                scopes => [@SCOPES, 'key:openai']);

    is_deeply $t->{_hints}, [\%want], 'after the submit';
    is_deeply $w->sys('job_dispatch(?, ?)', 10, 30_000), [\%want],
              'and from the dispatch';

    $w->bend($id, 'priority = 0');
    is $w->sys('job_dispatch(?, ?)', 10, 30_000)->[0]{priority}, 0,
       'interactive work says so';
};

subtest 'what runs is known with its gates' => sub {
    my $t = $w->submit($ann, inputs => [$pic], actions => ['resize']);
    my $find = sub { (grep { $_->{job_id} eq $t->{jobs}[0]{job_id} }
                      @{ $w->sys('job_running()') })[0] };

    is $find->(), undef, 'what waits does not run';
    my ($j) = @{ $w->claim_task($t, lease => 600_000) };
    my $r = $find->();
    cmp_ok delete $r->{lease_ms}, '>', 500_000, 'its lease';
    is_deeply $r, { job_id => $j->{job_id}, tenant_id => $ann->{tenant},
                    queue => 'image', priority => 1, plan => 'gold',
                    scopes => [@SCOPES, 'key:openai'] }, 'and the rest';
    $w->bend($j->{job_id}, "lease_until = now() - interval '1 minute'");
    cmp_ok $find->()->{lease_ms}, '<', 0, 'a lease that has run out';
    $w->settle($j, 'succeeded');
    is $find->(), undef, 'nor does what has ended';
};

$db->whole;
done_testing;
