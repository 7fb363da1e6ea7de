# What is done when a third party cannot: less, elsewhere, later; what that
# costs us, and how much of it there is at once.

use strict;
use warnings;
use lib 't/lib';

use JSON::PP ();
use Test::More;
use Podi::Proc qw(poll);
use Podi::ThirdParty;

my $s = Podi::ThirdParty->new;
my $h = $s->{h};
my $json = JSON::PP->new->canonical;
my %up = (operation => 'upscale');
my $cost = sub {
    $_[0]{common}{cost} = { path => 'metrics.predict_time',
                            unit_micros => 2000, fixed_micros => 500,
                            charged => 'begun' };
};

$s->describe('one', of => 'replicate', edit => $cost);
$s->describe('two', of => 'fal', edit => sub {
    $_[0]{common}{cost} = { fixed_micros => 700 };
});
$s->describe('poor', of => 'replicate');
$s->describe('tight', of => 'replicate', edit => sub {
    $_[0]{common}{limits} = { concurrency => 2 };
});
$s->describe('rare', of => 'replicate', edit => sub {
    $_[0]{common}{limits} = { per_minute => 1 };
});
$s->describe('shared', of => 'replicate');
$s->key($_) for qw(one two poor tight rare shared);

$s->action('do.less', provider => 'one', %up, set => { model => 'a/b' },
    fallback => [{ provider => 'one', %up, set => { scale => 2 },
                   when => ['throttled', 'invalid'] },
                 { provider => 'two', %up, when => ['quota'] }]);
$s->action('do.later', provider => 'poor', %up, set => { model => 'a/b' },
    fallback => [{ wait => 600, when => ['throttled'] }, { wait => 1 }],
    max_attempts => 1);
$s->action('do.never', provider => 'poor', %up, set => { model => 'a/b' },
    fallback => [{ wait => 3600 }], max_attempts => 1, max_wait_ms => 1000);
$s->action('do.tight', provider => 'tight', %up, set => { model => 'a/b' },
           max_attempts => 1);
$s->action('do.rare', provider => 'rare', %up, set => { model => 'a/b' },
           fallback => [{ provider => 'two', %up, when => ['throttled'] }]);
$s->action('do.shared', provider => 'shared', %up, set => { model => 'a/b' },
           gates => ['key:shared']);

my $dispatchd = $h->daemon('podi_dispatchd', dispatch => '50ms');
my $runnerd = $s->runnerd;


sub scale { return $json->decode($_[0]{body})->{input}{scale} }


# what its user is told: api.job_read, api.job_explain
sub told
{
    my ($call, $t) = @_;

    return $h->{work}{web}->one($h->{db}->as($h->{ann}),
        "select * from api.$call(?)", $t->{jobs}[0]{job_id});
}


# the cost of the attempts of a task
sub costs { return [map { $_->{cost_micros} } $s->attempts($_[0])] }


# begun and not ended: a submit, and the poll that was told of its end
sub most_at_once
{
    my ($now, $most, %end) = (0, 0);

    for my $r ($s->{fake}->log) {
        if ($r->{step} eq 'submit') {
            $most = $now if ++$now > $most;
        }
        $now-- if $r->{ended};
    }
    return $most;
}


subtest 'the usual way' => sub {
    my $t = $s->submit('do.less');

    $s->succeeds($t, 'is taken');
    is scale(($s->asked('submit'))[0]), 4, 'with what is usual';
    is_deeply costs($t), [3500], 'its cost: 500 and 1.5 s at 2000';
    is_deeply $json->decode(($s->attempts($t))[0]{remote})->{degraded}, undef,
        'and nothing is told';
};

subtest 'less, when it is too much' => sub {
    $s->play('replicate', 'invalid');
    my $t = $s->submit('do.less');

    $s->succeeds($t, 'is done');
    is_deeply [map { scale($_) } $s->asked('submit')], [4, 2],
        'with what the fallback sets';
    my $how = { why => 'invalid', set => { scale => 2 } };

    is_deeply $json->decode(told(job_read => $t)->{job})->{degraded}, $how,
        'its user can see that';
    is_deeply $json->decode(told(job_explain => $t)->{detail})->{degraded},
        $how, 'in the explanation, too';
    my @line = @{ $s->{super}->all(undef, 'select * from podi.job_log'
        . ' where job_id = ?', $t->{jobs}[0]{job_id}) };

    like $json->encode(\@line), qr/another way than usual \(invalid\)/,
        'and in the log of the job';
    is $s->job($t)->{charged}, 5, 'the price is what was agreed';
    is_deeply [map { $_->{outcome} } $s->attempts($t)], ['succeeded'],
        'it is one attempt';
};

subtest 'what comes to nothing' => sub {
    $s->play('replicate', 'failed');
    my $failed = $s->submit('do.less');

    $s->fails($failed, 'executor_refused');
    is_deeply costs($failed), [500], 'costs what its begin costs';

    $s->play('replicate', 'never');
    my $t = $s->submit('do.less');

    poll(20, sub { $s->is_noted($t, 'submitted') });
    $h->{work}->cancel($h->{ann}, $t->{task_id}, $t->{task_id});
    is $h->ended($t, 60)->{state}, 'cancelled', 'what is cancelled';
    is_deeply costs($t), [500], 'costs it, too';
    $s->forget;

    my ($all) = @{ $s->{super}->all(undef, q{select cost_micros, losses,
        loss_micros from sys.report_daily((now() at time zone 'UTC')::date)
        where tenant is null}) };

    is_deeply $all, { cost_micros => 8000, losses => 2, loss_micros => 1000 },
        'the report of the day adds it up';
    my @bill = map { { ref => $_->{provider_ref}, micros => 0 + $_->{cost_micros} } }
        @{ $s->{super}->all(undef, q{select provider_ref, cost_micros
            from podi.attempt where provider = 'one' and cost_micros > 0}) };

    $bill[0]{micros}++;
    my @held = @{ $s->{ctl}->all(undef, q{select kind, id from
        sys.reconcile_bill('one', now() - interval '1 day', now(), ?, 10)
        order by kind}, $json->encode(\@bill)) };

    is_deeply \@held, [{ kind => 'different', id => $bill[0]{ref} },
                       { kind => 'total', id => undef }],
        'and a bill can be held against it';
};

subtest 'elsewhere, when there is no money' => sub {
    $s->play('replicate', 'no_money');
    my $t = $s->submit('do.less');

    $s->succeeds($t, 'is done');
    is +($s->attempts($t))[0]{provider}, 'two', 'by another';
    is_deeply costs($t), [700], 'at its cost';
    is scalar($s->log('provider.stopped')), 1, 'somebody is told';
    $s->forget;
};

subtest 'later, when nobody can' => sub {
    $s->play('replicate', 'no_money');
    my $t = $s->submit('do.later');

    ok poll(20, sub { $s->job($t)->{deferrals} > 1 }), 'the job is put off';
    is $s->job($t)->{attempts} + ($s->job($t)->{state} eq 'running' ? -1 : 0),
        0, 'which is no attempt';
    is scalar($s->asked('submit')), 1, 'nor a question';
    $h->stop($runnerd);
    $runnerd = $s->runnerd;
    $s->succeeds($t, 'and done by one who can');

    $s->play('replicate', 'no_money');
    $s->fails($s->submit('do.never'), 'job_expired');
    $s->forget;
};

# how many are at the third party at once, at most, and how often it was asked
subtest 'so many at once' => sub {
    $s->play('replicate', 'polls', polls => 12, times => 6);
    my @t = map { $s->submit('do.tight') } 1 .. 6;

    $s->succeeds($_, 'one that waits is done') for @t;
    is most_at_once(), 2, 'never more than the limit';
    is_deeply [map { $_->{attempts} } map { $s->job($_) } @t], [(1) x 6],
        'and nobody loses an attempt';
    $s->forget;
};

subtest 'so many in a minute' => sub {
    my @t = map { $s->submit('do.rare') } 1 .. 3;

    $s->succeeds($_, 'is done') for @t;
    is scalar(grep { $_->{provider} eq 'rare' } map { $s->attempts($_) } @t), 1,
        'one of them there';
    is_deeply [map { told(job_read => $_)->{job} =~ /"throttled"/ ? 1 : () }
               @t], [1, 1], 'the others are throttled, and elsewhere';
    $s->forget;
};

subtest 'so many at once, by two runners' => sub {
    $h->stop($runnerd);
    $s->runnerd(concurrency => 1);
    $s->runnerd(concurrency => 1, beside => 1);

    $s->play('replicate', 'polls', polls => 12, times => 99);
    my @t = map { $s->submit('do.shared') } 1 .. 4;

    $s->succeeds($_, 'is done') for @t;
    is most_at_once(), 2, 'each of them has one';
    $s->forget;

    $s->{ctl}->one(undef, 'select * from sys.gate_put(?)',
        $json->encode({ scope => 'key:shared', slots => 1 }));
    ok poll(20, sub { $h->redis_say('HGET', 'podi:{q}:gates', 'key:shared')
                          =~ /\r\n1 / }), 'a gate is put';
    $s->play('replicate', 'polls', polls => 12, times => 99);
    @t = map { $s->submit('do.shared') } 1 .. 4;

    $s->succeeds($_, 'is done') for @t;
    is most_at_once(), 1, 'which holds for both';
};

$s->done;
done_testing;
