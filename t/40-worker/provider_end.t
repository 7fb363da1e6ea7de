# A job that a third party carries out is cancelled: so is what was begun
# there, or it is told that nobody knows.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use Time::HiRes qw(time);
use Podi::Proc qw(poll reaped);
use Podi::ThirdParty;

my $s = Podi::ThirdParty->new;
my ($h, $fake) = @$s{qw(h fake)};
my %left = (left_every => '100ms', left_wait => '500ms');

$s->describe('replicate');
$s->describe('stubborn', of => 'replicate', edit => sub {
    delete $_->{cancel} for $_[0]{common}, values %{ $_[0]{operations} };
});
$s->describe('brief', of => 'replicate', edit => sub {
    $_[0]{common}{poll}{deadline_s} = 1;
});
$s->describe('crowded', of => 'replicate', edit => sub {
    $_[0]{common}{limits} = { poll_rps => 2 };
});
$s->describe('fal');
$s->key($_) for qw(replicate stubborn brief crowded fal);
$s->action("scale.$_", provider => $_, operation => 'upscale',
           set => { model => 'a/b' })
    for qw(replicate stubborn brief crowded fal);
$s->action('scale.late', provider => 'fal', operation => 'upscale',
           set => { model => 'a/b' }, timeout_ms => 3000, max_attempts => 1);

my $dispatchd = $h->daemon('podi_dispatchd', dispatch => '50ms');
my $runnerd = $s->runnerd(%left);


sub cancel { return $h->{work}->cancel($h->{ann}, ($_[0]{task_id}) x 2) }


sub ends_cancelled
{
    my ($t, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is($h->ended($t, 60)->{state}, 'cancelled', $name)
        || diag explain $s->job($t), $s->text;
}


sub states
{
    my ($t) = @_;

    return join ' ', map { $_->{remote_state} // '-' } $s->attempts($t);
}


# what was begun last; or that one
sub begun
{
    my ($id) = @_;
    my @all = $fake->jobs;

    return $id ? (grep { $_->{id} eq $id } @all)[0] : $all[-1];
}


sub submitted
{
    my ($t) = @_;

    return poll(20, sub { $s->is_noted($t, 'submitted') });
}


subtest 'cancelled, and its cancel is not heard at first' => sub {
    $s->play('replicate', 'never');
    $s->play('replicate', 'error503', step => 'cancel', times => 2);
    my $t = $s->submit('scale.replicate');

    ok submitted($t), 'something is made';
    cancel($t);
    ends_cancelled($t, 'the job ends');
    is begun()->{state}, 'canceled', 'and so has that';
    is scalar($s->asked('cancel')), 3, 'which took three requests';
    is states($t), 'ended', 'nothing is left';
};

subtest 'cancelled before they show it' => sub {
    $s->play('replicate', 'never');
    $s->play('replicate', 'not_found', step => 'poll', times => 2);
    my $t = $s->submit('scale.replicate');

    ok submitted($t), 'something is made';
    cancel($t);
    ends_cancelled($t, 'the job ends');
    ok poll(20, sub { begun()->{state} eq 'canceled' }),
        'and so has that, once they do';
    ok poll(20, sub { states($t) eq 'ended' }), 'nothing is left';
};

subtest 'cancelled before there is an answer' => sub {
    my $before = $fake->jobs;

    $s->play('replicate', 'held');
    my $t = $s->submit('scale.replicate');

    ok poll(20, sub { $fake->jobs > $before }), 'it is begun there';
    cancel($t);
    ok poll(20, sub { $s->log('provider.awaits') }), 'the runner hears of it';
    is $s->job($t)->{state}, 'running', 'and waits for the answer';
    $fake->release;
    ends_cancelled($t, 'the job ends with it');
    is begun()->{state}, 'canceled', 'and so has what was begun';
    is states($t), 'ended', 'nothing is left';
    is scalar($s->log('provider.unknown')), 0, 'and nobody is told';
};

subtest 'cancelled, and no answer comes' => sub {
    $s->play('replicate', 'hang');
    $s->asked('submit');
    my $t = $s->submit('scale.replicate');

    ok poll(20, sub { $s->asked('submit') }), 'it may be begun there';
    cancel($t);
    ends_cancelled($t, 'the job ends');
    my ($line) = $s->log('provider.unknown');

    is $line->{level}, 'error', 'somebody has to look';
    like $line->{msg}, qr/\Q@{[ ($s->attempts($t))[0]{provider_ref} ]}\E/,
        'for what it was asked under';
    is states($t), 'ended', 'we cannot';
    is scalar($s->log('provider.unknown')), 1, 'it is told once';
};

subtest 'cancelled, and they are away' => sub {
    $s->play('replicate', 'never');
    my $t = $s->submit('scale.replicate');

    ok submitted($t), 'something is made';
    $s->play('replicate', 'error503', step => 'poll', times => 9999);
    cancel($t);
    ends_cancelled($t, 'the job ends all the same');
    is states($t), 'left', 'it is known what was not cancelled';
    is begun()->{state}, 'running', 'which runs on';
    $fake->calm;
    ok poll(20, sub { begun()->{state} eq 'canceled' }), 'until they are back';
    ok poll(20, sub { states($t) eq 'ended' }), 'then nothing is left';
};

subtest 'cancelled, and they want to be left alone' => sub {
    my $tries = sub { ($s->attempts($_[0]))[-1]{left_tries} };

    $s->play('replicate', 'never');
    $s->play('replicate', 'throttled', step => 'poll', times => 9999,
             after => 60);
    $s->asked('poll');
    my $t = $s->submit('scale.replicate');

    ok submitted($t), 'something is made';
    ok poll(20, sub { $s->asked('poll') }), 'they say so to who asks';
    cancel($t);
    ends_cancelled($t, 'the job ends all the same');
    ok poll(20, sub { $tries->($t) >= 2 }), 'somebody would ask again';
    is scalar($s->asked('poll')), 0, 'and does not: not now';
    is begun()->{state}, 'running', 'so it runs on';
    is states($t), 'left', 'and is not forgotten';
    $fake->calm;
    $h->stop($runnerd);
    $runnerd = $s->runnerd(%left);
    ok poll(20, sub { begun()->{state} eq 'canceled' }), 'who begins asks';
    ok poll(20, sub { states($t) eq 'ended' }), 'then nothing is left';
};

subtest 'cancelled, and nobody had it' => sub {
    $s->play('fal', 'never', times => 2);
    $s->play('replicate', 'never');
    my $t = $s->submit('scale.replicate');

    ok submitted($t), 'something is made';
    my $first = begun()->{id};
    my @beside = map { $s->submit('scale.fal') } 1, 2;

    ok submitted($_), 'as elsewhere' for @beside;
    kill 'KILL', $h->child($runnerd), $runnerd->{pid};
    poll(20, sub { reaped($runnerd->{pid}) });
    $runnerd->{ended} = 1;
    for ($beside[0], $t, $beside[1]) {
        $h->{work}->bend($_->{jobs}[0]{job_id},
                         "lease_until = now() - interval '1 s'");
        cancel($_);
        ends_cancelled($_, 'the job ends with its lease');
    }
    is begun($first)->{state}, 'running', 'what was begun does not';

    $s->play('replicate', 'held', step => 'poll', times => 9999);
    $runnerd = $s->runnerd(%left);
    ok poll(20, sub { states($t) eq 'left' }), 'until one comes';
    ok poll(20, sub { states($_) eq 'ended' }),
        'who does not wait for one before he asks the other' for @beside;
    $s->asked('submit');
    $h->{work}{web}->all($h->{db}->as($h->{ann}),
        'select * from api.task_retry(?, null, null)', $t->{task_id});
    ok poll(20, sub { states($t) eq 'left submitted' }),
        'its user wants it after all: he has it, and nobody else';
    is scalar($s->asked('submit')), 1, 'another one is begun';
    $fake->calm;
    $fake->release;
    $s->succeeds($t, 'which is made');
    ok poll(20, sub { states($t) eq 'ended ended' }), 'then nothing is left';
    is begun($first)->{state}, 'canceled', 'of the first';
};

subtest 'what has no way to be cancelled' => sub {
    $s->play('replicate', 'never');
    my $t = $s->submit('scale.stubborn');

    ok submitted($t), 'something is made';
    cancel($t);
    ends_cancelled($t, 'the job ends');
    is states($t), 'ended', 'nothing can be done';
    my @told = $s->log('provider.runs_on');

    is scalar(@told), 1, 'which is told, once';
    like $told[0]{msg}, qr/^stubborn has no way/, 'of whom';
};

subtest 'what is left, and more jobs than may be polled' => sub {
    $s->play('replicate', 'never', times => 4);
    $s->play('replicate', 'error503', step => 'poll', times => 9999);
    my $t = $s->submit('scale.crowded');

    ok submitted($t), 'something is made';
    my $there = begun()->{id};

    cancel($t);
    ends_cancelled($t, 'the job ends, and they are away');
    my @crowd = map { $s->submit('scale.crowded') } 1 .. 3;

    ok submitted($_), 'there is another' for @crowd;
    $s->asked('poll');
    ok poll(20, sub { $s->asked('poll') }), 'that is polled' for @crowd;
    is begun($there)->{state}, 'running', 'it runs on';
    $fake->calm;
    ok poll(60, sub { begun($there)->{state} eq 'canceled' }),
        'and gets its turn';
    is scalar(grep { $s->job($_)->{state} eq 'running' } @crowd), 3,
        'while the others wait for theirs';
    $fake->finish($_->{id}) for grep { $_->{state} eq 'running' } $fake->jobs;
    $s->succeeds($_, 'which ends well') for @crowd;
    ok poll(60, sub { states($t) eq 'ended' }), 'nothing is left';
};

# nobody gets the keys of that one: how often they were asked for, and the end
sub lock_keys
{
    my ($provider) = @_;
    my $dbh = $s->{super}->dbh;
    my $was = $s->{super}->value(undef, 'select pg_get_functiondef(oid)'
        . q{ from pg_proc where oid = 'sys.provider_keys'::regproc});
    my $now = $was =~ s{^begin$}{begin
        if i_provider = '$provider' then
            raise 'not now: %', nextval('podi.asked');
        end if;}mr;

    $dbh->do($_) for 'create sequence podi.asked',
        'grant all on podi.asked to public', $now;
    return (sub { $s->{super}->value(undef, 'select last_value'
                                     . ' from podi.asked') },
            sub { $dbh->do($_) for $was, 'drop sequence podi.asked' });
}


subtest 'what does not end in time' => sub {
    $s->play('fal', 'never');
    my $late = $s->submit('scale.late');

    ok submitted($late), 'there is a job with little time';
    my $there = begun()->{id};

    $s->play('replicate', 'never');
    $s->play('replicate', 'error503', step => 'cancel');
    $s->asked('cancel');
    my $t = $s->submit('scale.brief');

    ok submitted($t), 'and one of somebody with little time';
    my $first = begun()->{id};
    my ($asked, $unlock) = lock_keys('brief');

    is $h->ended($t, 60)->{state}, 'failed', 'which is over';
    is $s->job($t)->{error_code}, 'deadline', 'as is told';
    is scalar($s->asked('cancel')), 1, 'they do not hear of it';
    is states($t), 'left', 'which is not forgotten';

    ok poll(20, sub { $asked->() > 1 }), 'there is no key for it';
    my ($n, $from) = ($asked->(), time);

    ok poll(20, sub { $asked->() >= $n + 4 }), 'which is tried again';
    cmp_ok time - $from, '>', 1.2, 'after half a second each time';

    $unlock->();
    ok poll(20, sub { states($t) eq 'ended' }), 'until nothing is left';
    is begun($first)->{state}, 'canceled', 'it was stopped';

    is $h->ended($late, 60)->{state}, 'failed', 'the time of a job is over';
    is $s->job($late)->{error_code}, 'job_timeout', 'as is told';
    ok poll(20, sub { states($late) eq 'ended' }), 'nothing is left of it';
    is begun($there)->{state}, 'canceled', 'it was stopped';
};

$s->done;
done_testing;
