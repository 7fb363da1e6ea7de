# Podi::Stack without PODI in it: nginx answers from its configuration, so that
# what is tested is the stack, its client and the checks at the end.

use strict;
use warnings;
use Test2::API qw( intercept );
use Test::More;
use Podi::Stack;

my $wallet = '{"wallet_id":"0198c5a2-7d10-7c3a-9b1e-2f60c1a4d5e6",'
    . '"available":5,"frozen":0,"expiring_soon":0,"expiring_at":null,"seq":1}';
my $event = '{"seq":8,"type":"task.queued","at":"2026-01-01T00:00:00Z",'
    . '"task_id":null,"job_id":null,"trace_id":null,"data":{"jobs":1}}';
my %conf = (
    'podi-load.conf' => '', 'podi-http.conf' => '',
    'podi-server.conf' => <<"CONF",
default_type application/json;
add_header X-Trace-Id 4bf92f3577b34da6a3ce929d0e0e4736;
location = /v1/wallet { return 200 '$wallet'; }
location = /v1/tasks { return 200 '{"a":1}'; }
location = /v1/events {
    default_type text/event-stream;
    return 200 ': hello\\n\\nid: 8\\nevent: task.queued\\ndata: $event\\n\\n';
}
location = /gone { root html; }
CONF
);

my $s = Podi::Stack->new(patience => 1, rewrite => sub { $conf{$_[0]} // $_[1] });


# the names of the points that fail in the code, without failing here
sub planted
{
    my ($code) = @_;
    my $events = intercept { $code->() };

    return join '; ', map { $_->name }
        grep { $_->isa('Test2::Event::Ok') && !$_->pass } @$events;
}


$s->start;

# peers

is $s->redis('set', 'a', '1'), 'OK', 'Redis answers';
is scalar $s->sql('select slug from podi.tenant'), 'demo', 'the tenant is there';
$s->redis->stop;
unlike $s->redis('ping'), qr/PONG/, 'Redis is stopped';
$s->redis->start;
is $s->redis('ping'), 'PONG', 'and started again';

my ($pid) = $s->nginx->pid;
$s->nginx->reload;
is $s->nginx->pid, $pid, 'nginx reloads';

# the client

is $s->get('/v1/wallet')->json->{available}, 5, 'a right answer';
is $s->get('/v1/wallet', tls => 1)->status, 200, 'over TLS, with our own CA';
like planted(sub { $s->get('/v1/tasks') }), qr/answers as openapi/,
     'an answer that openapi.yaml denies is seen';

my $live = $s->events;
is $live->status, 200, 'the stream opens';
is $live->next_event(5)->{data}{data}{jobs}, 1, 'an event comes, decoded';
is $live->next_event(1), undef, 'nothing more comes';

# what done() must see

open my $part, '>', $s->dir . '/store/x.part' or die $!;
close $part;
$live->close;
$s->get('/gone', unchecked => 1);

my $seen = planted(sub { $s->done });
like $seen, qr/nothing is left behind/, 'a file left is seen';
like $seen, qr/no unexpected error lines/, 'an error line is seen';
unlike $seen, qr/every process is gone/, 'every process is gone';

# and that it is content otherwise

my $t = Podi::Stack->new(rewrite => sub { $conf{$_[0]} // $_[1] });
$t->start;
$t->allow_errors(qr/No such file/);
$t->get('/gone', unchecked => 1);
$t->done;

done_testing;
