# What is said to Redis after a commit: hints, events, pokes; by nginx, which
# does not wait for an answer.

use strict;
use warnings;
use lib 't/lib';

use JSON::PP;
use Test::More;
use Podi::Hands;
use Podi::Proc qw(poll);

my $h = Podi::Hands->new;
my $json = JSON::PP->new->canonical;
my ($OK, $ERROR, $DECLINED) = (0, -1, -5);


# what the function answered
sub hint
{
    my ($verb, $text, $redis) = @_;
    my $said = Podi::Pg::run_quiet("$h->{build}/test/hintc",
                                   $redis // $h->{redis}, $verb,
                                   ref $text ? $json->encode($text) : $text);

    return $said =~ /^(-?\d+)$/ ? $1 : $said;
}


# the integer that a command answers
sub number
{
    my ($n) = $h->redis_say(@_) =~ /^:(\d+)/;

    return $n;
}


my @ids = $h->{work}->ids(1003);
my ($one, $two, $tenant, @many) = @ids;

subtest 'hints' => sub {
    is hint('push', [{ job_id => $one, tenant_id => $tenant, queue => 'qa' },
                     { job_id => $two, tenant_id => $tenant, queue => 'qb' }]),
        $OK, 'are pushed';
    is number('HLEN', 'podi:{q}:ids:qa'), 1, 'each into its queue';
    is number('HLEN', 'podi:{q}:ids:qb'), 1, 'both of them';
    is number('LLEN', 'podi:{q}:wake:qa'), 1, 'and somebody is woken';
    is hint('push', [{ job_id => $one, tenant_id => $tenant, queue => 'qa' }]),
        $OK, 'once more';
    is number('HLEN', 'podi:{q}:ids:qa'), 1, 'changes nothing';

    is hint('drop', { qa => [$one], qb => [$two] }), $OK, 'they are dropped';
    is number('HLEN', "podi:{q}:ids:$_"), 0, "from $_" for qw(qa qb);

    is hint('push', [map { { job_id => $_, tenant_id => $tenant,
                             queue => 'qc' } } @many]), $OK,
        'more than one call takes';
    is number('HLEN', 'podi:{q}:ids:qc'), scalar @many, 'are all there';

    is hint('push', '[]'), $DECLINED, 'none is nothing to do';
    is hint('push', ''), $DECLINED, 'nor is no text';
    is hint('push', '[{"job_id":"x"}]'), $ERROR, 'half a hint is refused';
    is hint('push', '[{'), $ERROR, 'and half a text';
    is hint('push', [{ job_id => $one, tenant_id => $tenant, queue => 'qa' }],
            "$h->{dir}/no.sock"), $DECLINED, 'Redis may be down';
};

subtest 'events' => sub {
    my @event = map { { user_id => $h->{ann}{user}, seq => $_,
                        type => 'test.event', data => { n => $_ } } } 1 .. 3;

    is hint('publish', \@event), $OK, 'are published';
    poll(5, sub { $h->heard('test.event') == 3 });
    is_deeply [$h->heard('test.event')], \@event, 'in order, as they are';
    is hint('publish', '[]'), $DECLINED, 'none is nothing to do';
    is hint('publish', [{ seq => 1 }]), $ERROR, 'each is somebody\'s';
};

subtest 'pokes' => sub {
    my $ear = IO::Socket::UNIX->new(Peer => $h->{redis}) or die $!;
    $ear->syswrite(Podi::Hands::resp('PSUBSCRIBE', 'podi:worker:*'));
    sysread $ear, my $noise, 4096;
    $noise = '';

    is hint('poke', [{ job_id => $one, worker => 'w1' },
                     { job_id => $two, worker => 'w2' },
                     { job_id => $tenant, worker => 'w1' }]), $OK,
        'are sent';
    poll(5, sub { IO::Select->new($ear)->can_read(0)
                      and sysread $ear, $noise, 65536, length $noise;
                  2 == (() = $noise =~ /\}\r\n/g) });
    my %told = $noise =~ /podi:worker:(w\d)\r\n\$\d+\r\n(\{[^\r]*\})\r\n/g;
    is_deeply { map { $_ => $json->decode($told{$_}) } keys %told },
              { w1 => { cancel => [$one, $tenant] },
                w2 => { cancel => [$two] } },
        'each worker hears once, of all of its jobs';
};

$h->whole;
done_testing;
