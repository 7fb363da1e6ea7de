# A key that is disabled while many jobs are at a third party: all of them end,
# and nobody sends it any more.

use strict;
use warnings;
use lib 't/lib';

use JSON::PP ();
use Test::More;
use Podi::Proc qw(poll);
use Podi::ThirdParty;

my $JOBS = 200;

my $s = Podi::ThirdParty->new;
my $h = $s->{h};
my $json = JSON::PP->new->canonical;

$s->describe('replicate', edit => sub {
    $_[0]{common}{poll}{schedule} = { first_ms => 200, factor => 1,
                                      max_ms => 1000 };
});
$s->key('replicate', 'test-key');
$s->action('do.it', provider => 'replicate', operation => 'upscale',
           set => { model => 'a/b' }, max_attempts => 1);

my $dispatchd = $h->daemon('podi_dispatchd', dispatch => '50ms');
my $runnerd = $s->runnerd(concurrency => $JOBS, memory => '4g');



sub states
{
    return { map { $_->{state} => $_->{n} } @{ $s->{super}->all(undef,
        'select state, count(*)::int as n from podi.job group by state') } };
}


subtest 'a key that is replaced' => sub {
    $s->play('replicate', 'never');
    my $t = $s->submit('do.it');

    ok poll(20, sub { $s->is_noted($t, 'submitted') }), 'a job is followed';
    ok $s->podictl('key disable replicate api'), 'its key is disabled';
    $s->key('replicate', 'another-key');
    ok poll(30, sub { grep { ($_->{auth} // 'ok') ne 'ok' } $s->{fake}->log }),
        'and asked for with another, after a while';
    $s->fails($t, 'provider_auth');
    $s->podictl('key disable replicate api');
    $s->key('replicate', 'test-key');
    $s->forget;
};

subtest 'a key that is disabled' => sub {
    $h->stop($runnerd);
    $runnerd = $s->runnerd(concurrency => $JOBS, memory => '4g');
    $s->play('replicate', 'never', times => $JOBS);
    my @t = map { $s->submit('do.it') } 1 .. $JOBS;

    ok poll(60, sub { $s->{super}->value(undef, q{select count(*) from
        podi.attempt where remote_state = 'submitted'}) == $JOBS }),
        "$JOBS jobs are there";
    ok $s->podictl('key disable replicate api'), 'a key is disabled';
    ok poll(60, sub { !(states()->{running} || states()->{queued}) }),
        'all of them end';
    is_deeply $s->{super}->all(undef, 'select distinct error_code from podi.job'
        . ' where job_id = any(?)', [map { $_->{jobs}[0]{job_id} } @t]),
        [{ error_code => 'provider_auth' }], 'as nobody may ask any more';

    my $asked = () = $s->{fake}->log;

    $s->fails($s->submit('do.it'), 'provider_auth', qr/no key/);
    is scalar($s->{fake}->log), $asked, 'and nobody does';
};

$s->done;
done_testing;
