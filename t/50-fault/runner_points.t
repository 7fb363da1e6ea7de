# podi_runnerd killed at every step of a job that it has elsewhere: what was
# sent is not sent again, what was paid is paid once, what was made is kept.
#
#     arm a point -> a job -> somebody dies there -> another takes over -> ended
#
# One point of a ComfyUI job and one of a third party's in each round; after
# them servers that forget.  PODI_FAULT_POINTS is a pattern: only those points.

use strict;
use warnings;
use lib 't/lib';

use Digest::SHA qw( sha256_hex );
use Test::More;
use Time::HiRes qw( time );
use Podi::Points;
use Podi::Proc qw( poll );
use Podi::Runner;

my $began = time;
my $only = $ENV{PODI_FAULT_POINTS} // '';
my $r = Podi::Runner->new(hands => { build => Podi::Points::build(),
                                     durable => 1 },
                          comfy => { node_ms => 20 });
my ($h, $db, $comfy, $third) = @{$r}{qw( h db comfy third )};

# points that every daemon has, and podi_runnerd as well
my @SHARED = qw( claim_told job_begin store_ask store_told job_over settle_ask
                 settle_told settle_free );
my @OWN = map { $_->{name} } grep { $_->{who} eq 'runnerd' }
          Podi::Points::table();

# a wish alone is not asked for again where nobody knows whether it was heard;
# once: under its own key it is
my %UNKNOWN = (third_ask => 0, third_told => 1);

my %POINTS = (
    comfyui => [map { [$_, 'comfy.scale'] } @SHARED, grep { !/^third_/ } @OWN],
    http => [(map { [$_, 'scale.replicate'] } @SHARED, grep { /^third_/ } @OWN),
             map { [$_, 'scale.once'] } sort keys %UNKNOWN],
);

@$_ = grep { $_->[0] =~ /$only/ } @$_ for values %POINTS;

$r->comfy('one', $comfy->url);
$r->third('replicate');
$r->third('once', of => 'replicate', once => 'Idempotency-Key');
$db->all(undef, 'update podi.queue_type set max_crashes = 20');
$h->daemon('podi_dispatchd', dispatch => '50ms');

# each process has points of its own
my (%points, %daemon);

for my $queue (sort keys %POINTS) {
    $points{$queue} = Podi::Points->new("$h->{dir}/points-$queue",
                                        who => 'runnerd');
    $daemon{$queue} = $r->daemon($queue, servers_every => '500ms');
}

$r->publish('scale');


# --- what the others were asked ----------------------------------------------

sub prompts
{
    my ($t) = @_;
    my %ref = map { ($_->{provider_ref} // '') => 1 } $r->attempts($t);

    return grep { $ref{ $_->{body}{prompt_id} } && $_->{status} == 200 }
           $comfy->requests('POST', '/prompt');
}


# by the URL of the input, which is the job's alone
sub submits
{
    my ($t) = @_;
    my ($media) = $t->{input};

    return grep { ($_->{step} // '') eq 'submit' && $_->{body} =~ /$media/ }
           $third->log;
}


sub submit
{
    my ($action) = @_;
    my $input = $r->upload;
    my $t = $r->{w}->submit($r->{ann}, inputs => [$input],
                            actions => [{ action => $action }]);

    return { %$t, input => $input, action => $action };
}


# --- how a job has to end -----------------------------------------------------

sub judge
{
    my ($t, $point) = @_;
    my $is_comfy = $t->{action} =~ /^comfy/;
    my $fails = $t->{action} eq 'scale.replicate' && exists $UNKNOWN{$point};
    my $row = $h->ended($t, 40) // { state => 'running' };
    my $job = $h->job($t);
    my $paid = $db->one(undef, "select count(*) n, coalesce(sum(amount), 0) s"
        . " from podi.ledger where job_id = ? and op = 'confirm'",
        $t->{jobs}[0]{job_id});
    my ($media, @more) = $r->results($t);
    my @bad;

    poll(10, sub { !grep { ($_->{remote_state} // 'ended') ne 'ended' }
                   $r->attempts($t) });
    push @bad, "is $row->{state} with " . ($job->{error_code} // 'no error')
        . ' ' . ($job->{error_detail} // '')
        if $row->{state} ne ($fails ? 'failed' : 'succeeded');
    push @bad, "fails with $job->{error_code}"
        if $fails && ($job->{error_code} // '') ne 'provider_unknown';
    push @bad, "is paid $paid->{n} times with $paid->{s}"
        if $paid->{s} != ($fails ? 0 : 5) || $paid->{n} != ($fails ? 0 : 1);
    push @bad, 'has more than one result' if @more;
    push @bad, 'is not stored as it is noted' if !$fails && sha256_hex(
        $r->{bucket}->get($media->{object_key} // '') // '')
        ne ($media->{sha256} // '');
    push @bad, 'was told ' . told($t) . ' times' if told($t) != 1;
    push @bad, "an attempt is $_ still"
        for grep { $_ ne 'ended' } map { $_->{remote_state} // 'ended' }
            $r->attempts($t);
    push @bad, $is_comfy ? sent_prompts($t)
                         : sent_wishes($t, $fails ? $UNKNOWN{$point} : 1);
    return map { "$t->{action} at $point $_" } @bad;
}


sub told
{
    my ($t) = @_;

    return $db->value(undef, 'select count(*) from podi.user_event where'
        . " task_id = ? and type in ('task.succeeded', 'task.failed')",
        $t->{task_id});
}


sub sent_prompts
{
    my ($t) = @_;
    my $n = prompts($t);
    my $want = 1 + ($t->{lost} // 0);

    return $n == $want ? () : "was sent $n times";
}


# under one key it is one, however often it is asked for
sub sent_wishes
{
    my ($t, $want) = @_;
    my ($n, %key) = 0;

    $key{ $_->{header}{'idempotency-key'} // 'no key ' . ++$n }++
        for submits($t);
    return keys %key == $want ? () : 'was asked for ' . keys(%key) . ' times';
}


# what all rounds leave
sub left
{
    my ($name) = @_;

    ok poll(20, sub { $comfy->state->{queue_remaining} == 0 }),
        "$name: nothing runs there any more";
    is_deeply $h->{db}->breaks, [], '... and nothing is broken';
}


# --- rounds -------------------------------------------------------------------

# [point, action] each, at most one for each process
sub round
{
    my ($how, $strike, @pairs) = @_;
    my $name = join ', ', map { "$_->[1] at $_->[0]" } @pairs;
    my (@t, @at);

    for my $pair (@pairs) {
        my $mine = $points{ $pair->[1] =~ /^comfy/ ? 'comfyui' : 'http' };

        $mine->arm($pair->[0], $strike ? 'pause' : 'kill');
        push @t, submit($pair->[1]);
        push @at, [$mine, $pair->[0]];
    }

    my @pid = map { my ($mine, $point) = @$_;
                    eval { $mine->wait($point) } } @at;

    is scalar(grep { $_ } @pid), scalar(@at), "$how: $name" or diag $@;
    $strike->(@t) if $strike;
    kill 'CONT', grep { $_ } @pid if $strike;
    is_deeply [map { judge($t[$_], $pairs[$_][0]) } 0 .. $#t], [],
        '... and all is as it should be';
    return;
}


sub rounds
{
    my ($how, $strike, %of) = @_;

    while (my @pairs = map { shift @{ $of{$_} } // () } sort keys %of) {
        round($how, $strike, @pairs);
    }
    ok poll(20, sub { $comfy->state->{queue_remaining} == 0 }),
        "$how: nothing runs there any more";
    is_deeply $h->{db}->breaks, [], '... and nothing is broken';
    note sprintf '%s: after %.1f s', $how, time - $began;
    return;
}


# of these points those that are asked for
sub some
{
    my ($action, @points) = @_;

    return [map { [$_, $action] } grep { /$only/ } @points];
}


rounds('killed', undef, %POINTS);

rounds('PostgreSQL restarted', sub {
    $h->{db}{$_} = undef for grep { $h->{db}{$_} } qw( super ctl web worker );
    $h->{pg}->stop('immediate');
    $h->{pg}->start;
    $h->{db}{ctl} = $h->{db}->login('podi_ctl');
    $r->{w}{web} = $h->{db}{web} = $h->{db}->login('podi_web');
    $r->{db} = $db = $h->{db}->super;
}, comfyui => some('comfy.scale', qw( socket_heard settle_ask )),
   http => some('scale.replicate', qw( third_begun third_end )));

rounds('Redis emptied', sub { $h->redis_say('FLUSHALL') },
       comfyui => some('comfy.scale', qw( socket_heard settle_told )),
       http => some('scale.replicate', qw( third_seen settle_told )));

$comfy->fake(node_ms => 300);
rounds('ComfyUI begun anew', sub {
    my ($t) = @_;

    $t->{lost} = prompts($t);
    $comfy->fake(die => 'now');
    $comfy->restart;
}, comfyui => some('comfy.scale', 'socket_heard'));

rounds('ComfyUI begun anew, too late', sub {
    $comfy->fake(die => 'now');
    $comfy->restart;
}, comfyui => some('comfy.scale', qw( store_told settle_ask )));

$h->stop($_) for values %daemon;
$h->whole;
done_testing;
