# What a third party has made is paid for: it is asked for once, whatever
# happens behind that.

use strict;
use warnings;
use lib 't/lib';

use Digest::SHA qw(sha256_hex);
use MIME::Base64 qw(encode_base64);
use Test::More;
use Podi::Picture;
use Podi::Proc qw(poll);
use Podi::ThirdParty;

my $s = Podi::ThirdParty->new;
my $h = $s->{h};
my %draw = (operation => 'text_to_image', inputs => { min => 1, max => 1 });

$s->describe('now', of => 'volc_ark', edit => sub {
    $_[0]{network}{total_ms} = 5000;
});
$s->describe('brief', of => 'volc_ark', edit => sub {
    $_->{result}{ttl_s} = 1
        for $_[0]{common} // (), values %{ $_[0]{operations} };
});
$s->describe($_, of => 'replicate') for qw(replicate slow);
$s->describe('quoted', of => 'replicate', edit => sub {
    $_[0]{common}{cost} = { path => 'quote', unit_micros => 1000 };
});
$s->describe('drawn', of => 'openai_images');
$s->key($_) for qw(now brief replicate slow quoted drawn);
$s->action("draw.$_", provider => $_, set => { model => 'm' }, %draw)
    for qw(now brief);
$s->action('draw.drawn', provider => 'drawn', %draw);
$s->action("scale.$_", provider => $_, operation => 'upscale',
           set => { model => 'a/b' }) for qw(replicate slow quoted);

my $dispatchd = $h->daemon('podi_dispatchd', dispatch => '50ms');
my $runnerd = $s->runnerd;

subtest 'URLs at once, and nobody gives them' => sub {
    $s->play('files', 'error503', step => 'download', times => 3);
    my $t = $s->submit('draw.now', prompt => 'a cat');

    $s->succeeds($t, 'the next attempt fetches them');
    is scalar($s->asked('submit')), 0, 'there is no such step';
    is scalar(grep { $_->{path} =~ /images/ } $s->{fake}->log), 1,
        'and asks for nothing new';
    is_deeply [map { $_->{outcome} } $s->attempts($t)],
        ['retried', 'succeeded'], 'though it is another attempt';
    is_deeply [map { $_->{remote_state} } $s->attempts($t)],
        ['ended', 'ended'], 'which has taken its place';
    $s->forget;
};

subtest 'URLs at once, for a second' => sub {
    $s->play('files', 'error503', step => 'download', times => 99);
    my $t = $s->submit('draw.brief', prompt => 'a cat');

    $s->fails($t, 'executor_failed', qr/and lives 1 s there/);
    is scalar($s->attempts($t)), 1, 'it is fetched as long as it lives';
    is scalar(grep { $_->{path} =~ /images/ } $s->{fake}->log), 1,
        'nothing new is asked for';
    $s->forget;
};

subtest 'a runner that dies while it fetches' => sub {
    $s->play('files', 'hang', step => 'download');
    my $t = $s->submit('draw.now', prompt => 'a cat');

    ok poll(20, sub { $s->asked('download') }), 'what was made';
    is $s->is_noted($t, 'submitted'), 1, 'is noted before';
    kill 'KILL', $h->child($runnerd);
    $s->succeeds($t, 'another fetches it');
    is scalar(grep { $_->{path} =~ /images/ } $s->{fake}->log), 1,
        'and asks for nothing new';
    $s->forget;
};

subtest 'bytes at once, and no store for them' => sub {
    $s->{bucket}->refuse(2);
    my $t = $s->submit('draw.drawn', prompt => 'a cat');

    $s->succeeds($t, 'are kept until there is one');
    is scalar(grep { $_->{path} =~ /images/ } $s->{fake}->log), 1,
        'nothing is asked for twice';
    is scalar($s->attempts($t)), 1, 'in one attempt';
    $s->forget;
};

# what does not compress; as many bytes as an answer of size has
sub noise
{
    my $to = $s->{picture}->path('png');

    Podi::Picture::run('vips', 'copy', $s->{picture}->write('ppm',
        "P6\n400 400\n255\n"
        . join '', map { chr int rand 256 } 1 .. 3 * 400 * 400), $to);
    return Podi::Picture::bytes($to);
}


sub drawn
{
    my (@texts) = @_;
    my $list = join ',', map { qq({"b64_json":"$_"}) } @texts;

    $s->forget;
    $s->play('openai_images', 'raw', status => 200, times => 1,
             body => qq({"created":1,"data":[$list]}));
    return $s->submit('draw.drawn', prompt => 'a cat');
}


subtest 'megabytes of base64' => sub {
    my @pictures = map { noise() } 1, 2;
    my $t = drawn(map { encode_base64($_, '') } @pictures);

    $s->succeeds($t, 'are read');
    is_deeply [sort map { $_->{sha256} } $s->results($t)],
        [sort map { sha256_hex($_) } @pictures], 'each byte of them';

    $s->fails(drawn(substr encode_base64($pictures[0], ''), 0, -1),
              'executor_failed', qr/no result that can be used/);
    $s->fails(drawn('*' x 1_000_000), 'executor_failed',
              qr/no result that can be used/);
};

subtest 'a gateway that gave up' => sub {
    for my $status (408, 502, 504) {
        $s->play('replicate', 'raw', status => $status, body => '<html>');
        $s->fails($s->submit('scale.replicate'), 'provider_unknown',
                  qr/did not answer/);
        is scalar($s->asked('submit')), 1, "$status is not asked again";
    }
};

subtest 'an id that cannot be noted' => sub {
    $s->forget;
    $s->{super}->run(q{create function podi.bar() returns trigger
        language plpgsql as $$ begin raise 'not now'; end $$});
    $s->{super}->run(q{create trigger bar before update on podi.attempt
        for each row when (new.remote_state = 'submitted')
        execute function podi.bar()});
    $s->play('replicate', 'polls', polls => 400);
    my $t = $s->submit('scale.replicate');
    my @told;

    ok poll(20, sub { @told = $s->log('provider.unnoted') }), 'is told';
    my ($id) = $told[0]{msg} =~ /(job-\d+) at replicate/;

    ok $id, 'under its name';
    is $told[0]{level}, 'error', 'as an error';
    ok poll(20, sub { $s->asked('poll') > 1 }), 'and gone on with';
    $s->{super}->run('drop trigger bar on podi.attempt');
    ok poll(20, sub { $s->is_noted($t, 'submitted') }),
        'until it can be noted';
    is scalar($s->log('provider.unnoted')), 1, 'it is told once';
    is +($s->attempts($t))[0]{provider_ref}, $id, 'as what it is';
    $s->{super}->run(q{create trigger bar before update on podi.attempt
        for each row when (new.remote_state = 'submitted'
        and old.remote_state is distinct from 'submitted')
        execute function podi.bar()});
    kill 'KILL', $h->child($runnerd);
    $s->{fake}->finish($id);
    $s->succeeds($t, 'and found by who comes next');
    is scalar($s->asked('submit')), 1, 'who asks for nothing';
    is scalar($s->attempts($t)), 2, 'and needs no note to take it over';
    $s->{super}->run('drop trigger bar on podi.attempt');
};

subtest 'a job that is stopped while its id is being noted' => sub {
    $s->forget;
    $h->stop($runnerd);
    $runnerd = $s->runnerd(drain_timeout => '100ms', undo_timeout => '500ms');
    $s->{super}->run(q{create function podi.held() returns trigger
        language plpgsql as
        $$ begin perform pg_advisory_xact_lock(42); return new; end $$});
    $s->{super}->run(q{create trigger held before update on podi.attempt
        for each row when (new.remote_state = 'submitted')
        execute function podi.held()});
    $s->{super}->all(undef, 'select pg_advisory_lock(42)');
    $s->asked('submit');
    $s->play('replicate', 'polls', polls => 400);
    my $t = $s->submit('scale.replicate');
    my $pid;

    ok poll(20, sub { $pid = $s->{super}->value(undef, 'select pid'
        . q{ from pg_locks where locktype = 'advisory' and not granted}) }),
        'it is taken there';
    my $from = length $s->text;

    $h->stop($runnerd);
    my ($told) = grep { $_->{msg} =~ /job-\d+ at replicate/ }
                 $h->log($runnerd, 'provider.unnoted', $from);

    ok $told, 'who stops tells its id';
    $s->{super}->value(undef, 'select pg_terminate_backend(?)', $pid);
    $s->{super}->all(undef, 'select pg_advisory_unlock(42)');
    $s->{super}->run('drop trigger held on podi.attempt');
    $h->{work}->bend($t->{jobs}[0]{job_id},
                     "lease_until = now() - interval '1 s'")
        if $s->job($t)->{state} eq 'running';
    $runnerd = $s->runnerd;
    $s->fails($t, 'provider_unknown');
    is scalar($s->asked('submit')), 1, 'nobody asks for it again';
};

# who asks for that one's keys waits; gives what lets him go on
sub hold_keys
{
    my ($provider) = @_;
    my $dbh = $s->{super}->dbh;
    my $was = $s->{super}->value(undef, 'select pg_get_functiondef(oid)'
        . q{ from pg_proc where oid = 'sys.provider_keys'::regproc});

    $dbh->do($was =~ s{^begin$}{begin
        if i_provider = '$provider' then
            perform pg_advisory_xact_lock(42);
        end if;}mr);
    $s->{super}->all(undef, 'select pg_advisory_lock(42)');
    return sub {
        $dbh->do($was);
        $s->{super}->all(undef, 'select pg_advisory_unlock(42)');
    };
}


subtest 'an attempt that is over while it takes one over' => sub {
    $s->forget;
    $s->play('replicate', 'polls', polls => 400);
    my $t = $s->submit('scale.replicate');
    my $job = $t->{jobs}[0]{job_id};

    ok poll(20, sub { $s->is_noted($t, 'submitted') }), 'something is made';
    my $go_on = hold_keys('replicate');

    kill 'KILL', $h->child($runnerd);
    ok poll(30, sub { $s->{super}->value(undef, 'select count(*) from pg_locks'
        . q{ where locktype = 'advisory' and not granted}) }),
        'who comes next begins to';
    $s->{super}->all(undef, q{update podi.attempt set outcome = 'returned',}
        . q{ ended_at = now() where job_id = ? and outcome = 'running'}, $job);
    $go_on->();
    my @told;

    ok poll(20, sub { @told = $s->log('provider.stale') }),
        'and is told that it may not';
    like $told[0]{msg}, qr/^job-\d+ could not be taken over/, 'by its id';
    $s->{fake}->finish(($s->{fake}->jobs)[-1]{id});
    $s->succeeds($t, 'another one does');
    is scalar($s->asked('submit')), 1, 'nobody asks for it again';
};

subtest 'a price that is told once' => sub {
    $s->forget;
    $s->play('replicate', 'quoted');
    my $t = $s->submit('scale.quoted');

    ok poll(20, sub { $s->is_noted($t, 'submitted') }), 'when it is taken';
    kill 'KILL', $h->child($runnerd);
    $s->{fake}->finish(($s->{fake}->jobs)[-1]{id});
    $s->succeeds($t, 'somebody else takes it over');
    is_deeply [map { $_->{cost_micros} || 0 } $s->attempts($t)], [0, 3000],
        'and knows what it has cost';
};

subtest 'what is shown late' => sub {
    $s->forget;
    $s->play('replicate', 'not_found', step => 'poll', times => 2);
    my $t = $s->submit('scale.replicate');

    $s->succeeds($t, 'is waited for');
    is scalar($s->asked('submit')), 1, 'and asked for once';
};

subtest 'somebody who wants us to stay away for months' => sub {
    $s->play('replicate', 'throttled', after => 4_294_968);
    my $t = $s->submit('scale.slow');

    ok poll(20, sub { $s->log('provider.after') }), 'is warned of';
    ok poll(20, sub { $s->job($t)->{deferrals} }), 'and waited for';
    is $s->job($t)->{attempts}, 0, 'which is no attempt';
    ok $s->{super}->value(undef, q{select not_before - now()
        between interval '50 minutes' and interval '61 minutes'
        from podi.job where job_id = ?}, $t->{jobs}[0]{job_id}),
        'for an hour, and no longer';
    $h->{work}->cancel($h->{ann}, $t->{task_id}, $t->{task_id});
};

$s->done;
done_testing;
