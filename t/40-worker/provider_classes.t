# What a third party answers, and what becomes of the job: each class, each
# kind of signature, each kind of result that is none.

use strict;
use warnings;
use lib 't/lib';

use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use Test::More;
use Podi::Proc qw(poll);
use Podi::ThirdParty;

my $s = Podi::ThirdParty->new;
my $h = $s->{h};
my $json = JSON::PP->new->canonical;
my $pair = $json->encode({ access_key => 'test-ak', secret => 'test-sk' });
my $port = $s->{fake}{port};


# of an API that is played, under a name and an action of its own
sub api
{
    my ($name, $of, $edit, %executor) = @_;
    my $key = delete $executor{key};

    $s->describe($name, of => $of, edit => $edit);
    $s->key($name, $key);
    $s->action("do.$name", provider => $name,
               operation => $executor{operation} // 'upscale',
               set => { model => 'a/b' }, %executor);
    return;
}


# two that only check who asks
sub signed
{
    my ($kind, $clock) = @_;
    my $headers = $kind eq 'acs3'
        ? { 'x-acs-action' => 'Go', 'x-acs-version' => '1' } : {};
    my $query = $kind eq 'rpc' ? { Action => 'Go', Version => '1' } : {};

    Podi::ThirdParty::write_file("$h->{dir}/providers/$kind.json",
        $json->encode({
            name => $kind, base_url => $s->{fake}->url("/$kind"),
            secrets => ['api'], auth => { secret => 'api',
                kind => $kind eq 'rpc' ? 'rpc_v1' : 'acs3' },
            common => { error_code_path => 'code', errors => [
                { match => { code_regex => '^InvalidTimeStamp' },
                  class => 'auth', clock => $clock }] },
            operations => { go => {
                params => { prompt => { type => 'string' } },
                submit => { url => '/run', headers => $headers,
                    query => { %$query, P => '{{prompt?}}' }, id_path => 'id',
                    body => { kind => 'json',
                              template => { p => '{{prompt?}}' } } },
                poll => { url => '/tasks/{{remote.id}}', query => $query,
                    headers => $headers, state => { from => 'json_path',
                        path => 'status', map => {
                            map { $_ => $_ } qw(queued running done) } },
                    schedule => { first_ms => 20, max_ms => 100 } },
                result => { items_path => 'url', item_kind => 'url',
                            allowed_hosts => ['127.0.0.1'] } } } }));
    $s->key($kind, $pair);
    $s->action("do.$kind", provider => $kind, operation => 'go',
               max_attempts => 1);
    return;
}


api('again', 'replicate');
api('down', 'replicate');
api('busy', 'dashscope', undef, operation => 'text_to_image',
    set => { width => 512, height => 512 }, max_attempts => 1);
api('poor', 'replicate', undef,
    fallback => [{ provider => 'again', operation => 'upscale' }]);
api('denied', 'replicate');
api('plain', 'replicate', sub {
    $_[0]{network}{total_ms} = 1000;
    $_[0]{common}{result}{max_bytes} = 100_000;
});
api('brief', 'replicate', sub { $_[0]{common}{poll}{deadline_s} = 1 });
api('visual', 'volc_visual', undef, operation => 'text_to_image', key => $pair);
api('chat', 'openai_chat', undef, operation => 'embeddings',
    set => { model => 'm', texts => ['a', 'b'], prompt => undef });
api("in_$_", 'replicate', sub {
    $_[0]{operations}{upscale}{submit}{body}{template}{input}{image}
        = "{{input[0].$_}} {{input[0].type}}";
}) for qw(base64 data_url);
api('in_both', 'replicate', sub {
    $_[0]{operations}{upscale}{submit}{body}{template}{input} = {
        map { $_ => "{{input[0].$_}}" } qw(base64 data_url) };
});
api('odd', 'replicate', sub {
    my $d = $_[0];

    $d->{operations}{upscale}{submit}{body} = { kind => 'form', fields => {
        image => '{{input[0].name}} & {{input[0].type}}',
        scale => '{{scale:integer}}', seed => '{{seed:integer?}}' } };
    $d->{operations}{upscale}{params}{seed} = { type => 'integer' };
    $d->{common}{result}{download_headers} = { 'X-Reader' => 'podi' };
    $d->{common}{failed_class} = 'retryable';
});
api('queued', 'fal', sub {
    $_[0]{common}{poll}{schedule} = { first_ms => 700, max_ms => 700 };
});
signed('acs3', 'wrong');
signed('rpc', 'theirs');

my $dispatchd = $h->daemon('podi_dispatchd', dispatch => '50ms');
my $runnerd = $s->runnerd;


sub outcomes { return [map { $_->{outcome} } $s->attempts($_[0])] }


subtest 'retryable' => sub {
    $s->play('replicate', 'error500');
    my $t = $s->submit('do.again');

    $s->succeeds($t, 'the next attempt is better');
    is_deeply outcomes($t), ['retried', 'succeeded'], 'which is one';

    $s->play('replicate', 'error503', times => 3);
    $t = $s->submit('do.down');
    $s->fails($t, 'unavailable', qr/cannot be reached/);
    is_deeply outcomes($t), [qw(retried retried failed)],
        'when there are no more';
};

subtest 'throttled' => sub {
    $s->play('dashscope', 'raw', status => 429,
        body => '{"code":"Throttling.RateQuota"}',
        header => { 'Retry-After' => 1 });
    my $t = $s->submit('do.busy', prompt => 'a cat');

    $s->succeeds($t, 'is waited for');
    is $s->job($t)->{attempts}, 1, 'and the only attempt is left';
    is $s->job($t)->{deferrals}, 1, 'it was put off';
};

subtest 'quota' => sub {
    $s->forget;
    $s->play('replicate', 'no_money');
    my $t = $s->submit('do.poor');

    $s->succeeds($t, 'another one is asked');
    is +($s->attempts($t))[0]{provider}, 'again', 'who does it';
    my ($told) = $s->log('provider.stopped');

    is $told->{level}, 'error', 'somebody is told';
    like $told->{msg}, qr/^poor: quota/, 'of whom';
    $s->asked('submit');
    $s->succeeds($s->submit('do.poor'), 'so is the next job');
    is scalar($s->asked('submit')), 1, 'and the first is left alone';
};

subtest 'auth' => sub {
    $s->play('replicate', 'unauthorized');
    $s->fails($s->submit('do.denied'), 'provider_auth');
    is scalar(grep { $_->{msg} =~ /^denied: auth/ }
              $s->log('provider.stopped')), 1, 'somebody is told';
    $s->asked('submit');
    $s->fails($s->submit('do.denied'), 'provider_auth', qr/not asked/);
    is scalar($s->asked('submit')), 0, 'and it is left alone';
};

subtest 'content and invalid' => sub {
    $s->play('replicate', 'content');
    my $t = $s->submit('do.plain');

    $s->fails($t, 'provider_refused', qr/^NSFW content detected$/);
    is scalar($s->asked('submit')), 1, 'it is not asked again';
    my $read = $h->{work}{web}->one($h->{db}->as($h->{ann}),
        'select * from api.job_read(?)', $t->{jobs}[0]{job_id});

    is $json->decode($read->{job})->{error_detail}, 'NSFW content detected',
        'and its user is told';
    $s->play('replicate', 'invalid');
    $s->fails($s->submit('do.plain'), 'executor_refused', qr/wrong field/);
    is scalar($s->asked('submit')), 1, 'nor is this one';
};

subtest 'unknown' => sub {
    for my $how ('hang', 'reset_after') {
        $s->play('replicate', $how);
        my $t = $s->submit('do.plain');

        $s->fails($t, 'provider_unknown');
        is scalar($s->asked('submit')), 1, "$how: it is not sent again";
        is_deeply outcomes($t), ['failed'], 'by nobody';
    }
};

subtest 'while it is followed' => sub {
    my $n = 0;

    $s->play('replicate', 'not_found', step => 'poll', times => 9999);
    my $t = $s->submit('do.again');

    ok poll(30, sub { ($n += () = $s->asked('submit')) > 1 }),
        'what they have never shown is asked for anew';
    $s->{fake}->calm;
    $s->succeeds($t, 'for its user');
    is $n + (() = $s->asked('submit')), 2, 'once';

    $s->play('replicate', 'not_found', step => 'poll', times => 2);
    $s->succeeds($s->submit('do.again'), 'when it is missing for long');
    is scalar($s->asked('submit')), 1, 'and not before';

    for my $play ('error500', 'error504', 'reset_before', 'throttled', 'html') {
        $s->play('replicate', $play, step => 'poll');
        $s->succeeds($s->submit('do.again'), "$play: it is asked again");
        is scalar($s->asked('submit')), 1, 'how it is';
    }

    $s->play('replicate', 'unauthorized', step => 'poll');
    $t = $s->submit('do.again');
    $s->succeeds($t, 'a key that is refused: the next attempt goes on');
    is scalar($s->asked('submit')), 1, 'with the same';

    $s->asked('cancel');
    $s->play('replicate', 'never');
    $s->fails($s->submit('do.brief'), 'deadline');
    is scalar($s->asked('cancel')), 1, 'what takes too long is cancelled';
};

subtest 'those who wait before it' => sub {
    my $t = $s->submit('do.queued');

    $s->succeeds($t, 'it comes to its turn');
    my @ahead = map { $_->{ahead} // () }
                grep { $_->{job_id} eq $t->{jobs}[0]{job_id} }
                $h->heard('job.progress');

    is_deeply \@ahead, [1, 0], 'its user is told how many there are';
};

subtest 'another description' => sub {
    $s->asked($_) for qw(submit download);
    $s->play('replicate', 'failed');
    my $t = $s->submit('do.odd');

    $s->succeeds($t, 'what fails there is tried again, where it says so');
    is_deeply outcomes($t), ['retried', 'succeeded'], 'as an attempt';
    my ($r) = $s->asked('submit');

    is $r->{header}{'content-type'}, 'application/x-www-form-urlencoded',
        'a form is sent';
    is $r->{body}, 'image=cat.png%20%26%20image%2Fpng&scale=4',
        'without what there is not';
    is $_->{header}{'x-reader'}, 'podi', 'a header for the download'
        for $s->asked('download');
};

subtest 'signed' => sub {
    for my $name ('visual', 'acs3', 'rpc') {
        $s->succeeds($s->submit("do.$name", prompt => "a b*~/\x{e9}"), $name);
    }
    is_deeply [grep { ($_->{auth} // 'ok') ne 'ok' } $s->{fake}->log], [],
        'no signature was wrong';

    $s->forget;
    $s->{fake}->clock(2000);
    $s->fails($s->submit('do.acs3'), 'provider_auth', qr/clock and ours/);
    is scalar($s->asked('submit')), 1, 'another time is refused';
    my ($told) = $s->log('provider.clock');

    like $told->{msg}, qr/^acs3 .* clock is (?:1999|2000) s ahead of ours/,
        'and the difference is told';
    $s->succeeds($s->submit('do.rpc'), 'or asked by theirs');
    is scalar($s->asked('submit')), 2, 'once more';
    $s->{fake}->clock(0);
};

# a request of a job that sends its input along
sub sent_along
{
    my ($how) = @_;

    $s->asked('submit');
    $s->succeeds($s->submit("do.in_$how"), "$how: its input is sent along");
    my ($r) = $s->asked('submit');

    return $json->decode($r->{body})->{input};
}


subtest 'inputs that are sent along' => sub {
    my $base64 = encode_base64($s->{photo}, '');
    my $data = "data:image/png;base64,$base64";

    is sent_along('base64')->{image}, "$base64 image/png", 'each byte';
    is sent_along('data_url')->{image}, "$data image/png", 'as what it is';
    is_deeply sent_along('both'), { base64 => $base64, data_url => $data },
        'one as well as the other';
};

subtest 'JSON' => sub {
    my $t = $s->submit('do.chat');

    $s->succeeds($t, 'is a result');
    my @made = $s->results($t);

    is_deeply [map { $_->{type} } @made], [('application/json') x 2], 'as such';
    is $s->{bucket}->get($made[0]{object_key}),
        $json->encode([map { $_ / 8 } 1 .. 8]), 'as they gave it';
};

subtest 'results that are none' => sub {
    $s->forget;
    for my $case ([html => qr/no result that can be used/],
                  [huge => qr/cannot be fetched/, bytes => 300_000],
                  [not_found => qr/cannot be fetched \(404\)/],
                  [redirect => qr/cannot be fetched \(302\)/]) {
        my ($play, $like, %more) = @$case;

        $s->play('files', $play, step => 'download', %more);
        $s->fails($s->submit('do.plain'), 'executor_failed', $like);
        is scalar($s->asked('submit')), 1, "$play: nothing is paid again";
        is scalar($s->asked('download')), 1, 'nor fetched again';
    }

    $s->play('files', 'truncated', step => 'download');
    $s->succeeds($s->submit('do.plain'), 'truncated: it is fetched again');
    is scalar($s->asked('download')), 2, 'once';
};

# without the exemption of tests: neither a name nor an address that is ours
subtest 'addresses that are not public' => sub {
    $h->stop($runnerd);
    for my $host ('localhost', '127.0.0.1', '169.254.169.254') {
        my $name = 'at_' . $host =~ tr/a-z0-9/_/cr;

        $s->describe($name, of => 'replicate', edit => sub {
            $_[0]{base_url} = "https://$host:$port/replicate";
            $_[0]{network}{connect_ms} = 1000;
        });
        $s->key($name);
        $s->action("do.$name", provider => $name, operation => 'upscale',
                   set => { model => 'a/b' }, max_attempts => 1);
    }

    unlink glob "$h->{dir}/providers/[b-z]*.json";
    $runnerd = $s->runnerd(providers_private => 'off');
    my $asked = () = $s->{fake}->log;

    $s->fails($s->submit("do.at_$_"), 'unavailable', qr/public/)
        for qw(localhost 127_0_0_1 169_254_169_254);
    is scalar($s->{fake}->log), $asked, 'are not asked';
};

$s->done;
done_testing;
