# What each API says of a job: begun, its state, its result, an error.
#
# A part of fake.pl.  States here: queued running done failed canceled content
# partial lost.

use strict;
use warnings;
use MIME::Base64 qw( encode_base64 );

our (%API, $KEY);

my %STATE = (
    replicate => { queued => 'starting', running => 'processing',
                   done => 'succeeded', partial => 'succeeded',
                   failed => 'failed', content => 'failed',
                   canceled => 'canceled' },
    dashscope => { queued => 'PENDING', running => 'RUNNING',
                   done => 'SUCCEEDED', partial => 'SUCCEEDED',
                   failed => 'FAILED', content => 'FAILED',
                   canceled => 'CANCELED', lost => 'UNKNOWN' },
    volc_visual => { queued => 'in_queue', running => 'generating',
                     done => 'done', partial => 'done', lost => 'not_found' },
    volc_ark => { queued => 'queued', running => 'running',
                  done => 'succeeded', partial => 'succeeded',
                  failed => 'failed', content => 'failed',
                  canceled => 'cancelled', lost => 'expired' },
);

%API = (
    replicate => {
        auth => \&bearer,
        route => sub {
            my ($r) = @_;
            return ('submit') if $r->{method} eq 'POST'
                && $r->{path} =~ m{^/v1/(?:models/[^/]+/[^/]+/)?predictions$};
            return ('cancel', $1)
                if $r->{path} =~ m{^/v1/predictions/([^/]+)/cancel$};
            return ('poll', $1) if $r->{path} =~ m{^/v1/predictions/([^/]+)$};
        },
        hook => sub { ($_[0]{json}{webhook}, 'standard') },
        begun => sub { answer(201, prediction(@_)) },
        state => sub { answer(200, prediction(@_)) },
    },
    fal => {
        auth => sub { plain($_[0], "Key $KEY") },
        route => sub {
            my ($r) = @_;
            return ('poll', $1)
                if $r->{path} =~ m{^/.+/requests/([^/]+)/status$};
            return ('cancel', $1)
                if $r->{path} =~ m{^/.+/requests/([^/]+)/cancel$};
            return ('result', $1) if $r->{path} =~ m{^/.+/requests/([^/]+)$};
            return ('submit') if $r->{method} eq 'POST';
        },
        hook => sub { ($_[0]{query}{fal_webhook}, 'fal') },
        begun => sub {
            my $at = url("/fal/app/requests/$_[0]{id}");
            return answer(200, { request_id => $_[0]{id},
                status => 'IN_QUEUE', queue_position => 0,
                status_url => "$at/status", cancel_url => "$at/cancel",
                response_url => $at });
        },
        state => sub {
            my ($job, $state) = @_;
            return answer(202, { status => 'IN_QUEUE', queue_position => 1 })
                if $state eq 'queued';
            return answer(202, { status => 'IN_PROGRESS' })
                if $state eq 'running';
            return answer(200, { status => 'COMPLETED', error => 'it broke',
                                 error_type => 'runner_error' })
                if $state =~ /failed|canceled/;
            return answer(200, { status => 'COMPLETED' });
        },
        result => sub {
            my ($job, $state) = @_;
            return answer(422, { detail => [ {
                       type => 'content_policy_violation', msg => 'no' } ] },
                   'X-Fal-Retryable' => 'false') if $state eq 'content';
            return answer(200, { images => [ map { { url => file($job, $_) } }
                                             1 .. $job->{count} ] })
                if $job->{json}{prompt};
            return answer(200, { image => { url => file($job, 1) } });
        },
    },
    dashscope => {
        auth => \&bearer,
        route => sub {
            my ($r) = @_;
            return ('cancel', $1)
                if $r->{path} =~ m{^/api/v1/tasks/([^/]+)/cancel$};
            return ('poll', $1) if $r->{path} =~ m{^/api/v1/tasks/([^/]+)$};
            return ('submit') if $r->{path} =~ m{^/api/v1/services/aigc/}
                && ($r->{header}{'x-dashscope-async'} // '') eq 'enable';
        },
        begun => sub { answer(200, { request_id => 'q', output => {
            task_id => $_[0]{id}, task_status => 'PENDING' } }) },
        state => sub {
            my ($job, $state) = @_;
            my %out = (task_id => $job->{id},
                       task_status => $STATE{dashscope}{$state});

            $out{results} = [ map { { url => file($job, $_) } }
                              1 .. $job->{count} ]
                if $state =~ /done|partial/;
            $out{results}[$state eq 'partial' ? @{ $out{results} } : 0]
                = { code => 'InternalError', message => 'one is missing' }
                if $state eq 'partial';
            @out{qw( code message )}
                = $state eq 'content' ? ('DataInspectionFailed', 'no')
                                      : ('InvalidParameter', 'it broke')
                if $state =~ /content|failed/;
            return answer(200, { request_id => 'q', output => \%out,
                $state =~ /done|partial/
                    ? (usage => { image_count => $job->{count} }) : () });
        },
    },
    volc_visual => {
        auth => \&v4,
        route => sub {
            my ($r) = @_;
            my $action = $r->{query}{Action} // '';
            return ('submit') if $action eq 'CVSync2AsyncSubmitTask';
            return ('poll', $r->{json}{task_id})
                if $action eq 'CVSync2AsyncGetResult';
        },
        begun => sub { answer(200, { code => 10000, message => 'Success',
            data => { task_id => $_[0]{id} } }) },
        state => sub {
            my ($job, $state) = @_;
            return answer(200, { code => 50511, message => 'Post Img Risk' })
                if $state eq 'content';
            return answer(500, { code => 50500, message => 'it broke' })
                if $state =~ /failed|canceled/;
            return answer(200, { code => 10000, message => 'Success', data => {
                status => $STATE{volc_visual}{$state},
                $state =~ /done|partial/
                    ? (image_urls => [ file($job, 1) ]) : () } });
        },
    },
    volc_ark => {
        auth => \&bearer,
        route => sub {
            my ($r) = @_;
            my $tasks = '/api/v3/contents/generations/tasks';
            return ('now') if $r->{path} eq '/api/v3/images/generations';
            return ('submit') if $r->{path} eq $tasks;
            return ($r->{method} eq 'DELETE' ? 'cancel' : 'poll', $1)
                if $r->{path} =~ m{^\Q$tasks\E/([^/]+)$};
        },
        hook => sub { ($_[0]{json}{callback_url}, 'plain') },
        now => sub { answer(200, { data => [ { url => file($_[0], 1) } ],
                                   usage => { total_tokens => 1 } }) },
        begun => sub { answer(200, { id => $_[0]{id} }) },
        state => sub {
            my ($job, $state) = @_;
            return answer(200, { id => $job->{id},
                status => $STATE{volc_ark}{$state},
                $state =~ /done|partial/
                    ? (content => { video_url => file($job, 1) }) : (),
                $state eq 'content' ? (error => {
                    code => 'OutputVideoSensitiveContentDetected',
                    message => 'no' }) : (),
                $state eq 'failed' ? (error => {
                    code => 'InvalidParameter', message => 'it broke' })
                    : () });
        },
    },
    stability => {
        auth => \&bearer,
        route => sub {
            my ($r) = @_;
            return ('poll', $1) if $r->{path} =~ m{^/v2beta/results/([^/]+)$};
            return ('submit') if $r->{path} =~ m{/upscale/creative$};
            return ('now') if $r->{path} =~ m{^/v2beta/stable-image/};
        },
        now => sub {
            my ($job, $state, $r) = @_;
            my $filtered = $state eq 'content';
            my $reason = $filtered ? 'CONTENT_FILTERED' : 'SUCCESS';

            return answer(200, png(64, 64, $job->{n}),
                          'finish-reason' => $reason)
                if ($r->{header}{accept} // '') =~ m{^image/};
            return answer(200, { finish_reason => $reason, seed => 1,
                image => encode_base64(png(64, 64, $job->{n}), '') });
        },
        begun => sub { answer(200, { id => $_[0]{id} }) },
        state => sub {
            my ($job, $state) = @_;
            return answer(202, { id => $job->{id}, status => 'in-progress' })
                if $state =~ /queued|running/;
            return answer(404, { name => 'not_found', errors => ['no'] })
                if $state eq 'lost';
            return answer(400, { name => 'bad_request', errors => ['no'] })
                if $state =~ /failed|canceled/;
            return answer(200, {
                finish_reason => $state eq 'content' ? 'CONTENT_FILTERED'
                                                     : 'SUCCESS',
                result => encode_base64(png(64, 64, $job->{n}), '') });
        },
    },
    openai_images => {
        auth => \&bearer,
        route => sub { $_[0]{path} =~ m{^/v1/images/} ? ('now') : () },
        now => sub {
            my ($job, $state) = @_;
            return answer(400, { error => { code => 'moderation_blocked',
                type => 'image_generation_user_error', message => 'no' } })
                if $state eq 'content';
            return answer(200, { created => 1, usage => { total_tokens => 9 },
                data => [ map { { b64_json => encode_base64(
                    png(64, 64, $job->{n} + $_), '') } }
                    1 .. $job->{count} ] });
        },
    },
    openai_chat => {
        auth => \&bearer,
        route => sub {
            $_[0]{path} =~ m{^/v1/(?:chat/completions|embeddings)$} ? ('now')
                                                                   : ();
        },
        now => sub {
            my ($job, $state, $r) = @_;
            my $texts = $r->{json}{input};

            return answer(200, { data => [ map { { index => $_,
                embedding => [ map { $_ / 8 } 1 .. 8 ] } } 0 .. $#$texts ],
                usage => { total_tokens => 2 } }) if ref $texts;
            return answer(200, { choices => [ { index => 0,
                finish_reason => $state eq 'content' ? 'content_filter'
                                                     : 'stop',
                message => { role => 'assistant', content => 'hello' } } ],
                usage => { total_tokens => 3 } });
        },
    },
);

# the one that docs/tutorial-provider.md adds
$API{paintbox} = {
    auth => \&bearer,
    route => sub {
        my ($r) = @_;
        return ('submit') if "$r->{method} $r->{path}" eq 'POST /v2/paintings';
        return ($r->{method} eq 'DELETE' ? 'cancel' : 'poll', $1)
            if $r->{path} =~ m{^/v2/paintings/([^/]+)$};
    },
    begun => sub { answer(201, { painting => { id => $_[0]{id},
                                               state => 'waiting' } }) },
    state => sub {
        my ($job, $state) = @_;
        my %word = (queued => 'waiting', running => 'painting',
                    done => 'painted');

        return answer(200, { painting => { id => $job->{id},
            state => $word{$state} // 'spoiled', done_percent => 50,
            $state eq 'done' ? (files => [{ href => file($job, 1) }]) : (),
            $state eq 'content' ? (problem => { code => 'forbidden_motif',
                                                text => 'not that' })
                                : () } });
    },
};

# two that only check who asks
for my $kind (qw( acs3 rpc )) {
    $API{$kind} = {
        auth => $kind eq 'rpc' ? \&rpc : \&acs3,
        route => sub { $_[0]{path} =~ m{^/tasks/(.+)$} ? ('poll', $1)
                                                      : ('submit') },
        begun => sub { answer(200, { id => $_[0]{id} }) },
        state => sub { answer(200, { status => $_[1],
                                     url => file($_[0], 1) }) },
    };
}


sub prediction
{
    my ($job, $state) = @_;
    my $at = url("/replicate/v1/predictions/$job->{id}");
    my %p = (id => $job->{id}, status => $STATE{replicate}{$state},
             urls => { get => $at, cancel => "$at/cancel" });

    $p{output} = [ map { file($job, $_) } 1 .. $job->{count} ]
        if $state =~ /done|partial/;
    $p{metrics} = { predict_time => 1.5 } if $p{output};
    $p{error} = 'it broke' if $state eq 'failed';
    $p{error} = 'NSFW content detected' if $state eq 'content';
    return \%p;
}


1;
