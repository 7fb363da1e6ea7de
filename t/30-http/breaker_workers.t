# Breakers of two workers: one state, one probe for all of them, whatever
# becomes of it; slow calls; a client that leaves; a zone that is full.

use strict;
use warnings;
use Test::More;
use Podi::Proc qw( poll );
use Podi::Upstream;

my $up = Podi::Upstream->new;
my $to = $up->port;

my $zones = <<'EOS';
    podi_breaker_zone once  64k key=$arg_k window=1h calls=1 open=8ms open_max=8ms probe=1h;
    podi_breaker_zone late  64k key=$arg_k window=1h calls=1 open=8ms open_max=8ms probe=8ms;
    podi_breaker_zone slow  64k key=$arg_k window=1h calls=1 slow=1ms open=1h open_max=1h;
    podi_breaker_zone hours 64k key=$arg_k window=1h calls=1 open=1h open_max=1h;
    podi_breaker_zone small 32k key=$arg_k window=1h calls=1 open=1h open_max=1h;
EOS
my $server = join '', 'add_header X-Breaker $podi_breaker always;',
    'add_header X-Pid $pid always; proxy_set_header X-Pid $pid;', map { <<"EOS" } qw( once late slow hours );
    location /$_ { podi_breaker $_; proxy_pass http://127.0.0.1:$to; }
    location /dead/$_ { podi_breaker $_; proxy_pass http://127.0.0.1:1; }
    location /file/$_ { podi_breaker $_; empty_gif; }
EOS
$server .= <<'EOS';
    location /small { podi_breaker small; proxy_pass http://127.0.0.1:1; }
EOS
my $n = $up->plain(http => $zones, server => $server);


sub state { $n->get($_[0])->{head} =~ /^X-Breaker: (\w+)/m ? $1 : 'none' }

sub seen
{
    my ($text) = @_;

    return poll(10, sub { $n->log =~ $text });
}


# --- one probe --------------------------------------------------------------

is $up->answer($up->call('/once?k=a'), 500)->{status}, 500, 'one bad call opens';

like $n->log, qr/breaker "once" of "a" opens for \d+ms: of 1 calls 1 were bad/,
    'and the log says so';

my $probe = $up->probe('/once?k=a');
my @others = map { $n->get('/once?k=a') } 1 .. 20;
my %pids = map { $_->{pid} => 1 } @others;
is scalar(grep { $_->{status} != 503 } @others), 0,
    'no other passes while one asks';
is scalar(grep { $_->{head} !~ /^Retry-After: 1\r/m } @others), 0,
    'and all may come again soon';
ok poll(10, sub { $pids{ $n->get('/once?k=a')->{pid} } = 1; keys %pids == 2 }),
    'in both workers';
like $up->answer($probe, 200)->{head}, qr/^X-Breaker: probe\b/m, 'it says that it was';
like $n->log, qr/the breaker "once" of "a" is closed again/, 'the log, too';

my $good = $up->call('/once?k=a');
like $up->answer($good, 200)->{head}, qr/^X-Breaker: closed\b/m, 'good: closed';

# an answer that has begun, and does not end
$up->answer($up->call('/once?k=b'), 500);
$probe = $up->probe('/once?k=b');
print { $probe->{upstream} } "HTTP/1.0 200 x\r\n\r\nsome";
$probe->{upstream}->flush;
ok seen(qr/the breaker "once" of "b" is closed again/),
    'nobody waits for the end of a stream';
close $probe->{upstream};

# bad, and again
$up->answer($up->call('/once?k=c'), 500);
$up->answer($up->probe('/once?k=c'), 500) for 1, 2;
like $n->log, qr/of "c" stays open for \d+ms: the call that asked was bad/,
    'bad: it stays open';
$up->answer($up->probe('/once?k=c'), 200);
is $up->answer($up->call('/once?k=c'), 200)->{status}, 200, 'until one is good';

# --- a probe that comes to nothing ------------------------------------------

$up->answer($up->call('/once?k=d'), 500);
$probe = $up->probe('/once?k=d');
close $probe->{client};
ok seen(qr/of "d" has learnt nothing/), 'its client leaves';
$up->answer($up->probe('/once?k=d'), 200);
is $up->answer($up->call('/once?k=d'), 200)->{status}, 200, 'and another one asks';

$up->answer($up->call('/once?k=e'), 500);
ok poll(10, sub { $n->get('/file/once?k=e')->{status} == 200 }),
    'one that calls nobody';
$up->answer($up->probe('/once?k=e'), 200);
is $up->answer($up->call('/once?k=e'), 200)->{status}, 200, 'leaves its place as well';

$up->answer($up->call('/once?k=f'), 500);
$probe = $up->probe('/once?k=f');
kill KILL => $probe->{pid};
ok $n->whole($probe->{pid}), 'its worker is killed';
$up->answer($up->probe('/once?k=f'), 200);
is $up->answer($up->call('/once?k=f'), 200)->{status}, 200, 'and another one asks';

$up->answer($up->call('/late?k=g'), 500);
$probe = $up->probe('/late?k=g');
$up->answer($up->probe('/late?k=g'), 200);
is $up->answer($up->call('/late?k=g'), 200)->{status}, 200,
    'one that is overdue is waited for no longer';
$up->answer($probe, 500);
is $up->answer($up->call('/late?k=g'), 200)->{status}, 200, 'and what it says is too late';

# --- clients that leave, slow calls -----------------------------------------

my $left = $up->call('/hours?k=h');
close $left->{client};
vec(my $bits = '', fileno $left->{upstream}, 1) = 1;
is select($bits, undef, undef, 20), 1, 'a client that leaves';
is $up->answer($up->call('/hours?k=h'), 200)->{status}, 200, 'counts for nothing';

my $slow = $up->call('/slow?k=i');
my $begun = $up->call('/hours?k=i');
ok poll(10, sub { $n->get('/dead/hours?k=clock'); $slow->{n}++ > 50 }), 'a while';
is $up->answer($slow, 200)->{status}, 200, 'a slow call is answered';
is $n->get('/slow?k=i')->{status}, 503, 'and bad';
$up->answer($begun, 200);

# --- a reload ---------------------------------------------------------------

is $n->get('/dead/hours?k=j')->{status}, 502, 'an upstream that is not there';
is state('/hours?k=j'), 'open', 'opens it';
ok $n->reload(http => $zones =~ s/hours 64k (.*)calls=1/hours 64k $1calls=2/r),
    'a reload';
is state('/hours?k=j'), 'open', 'changes nothing';
ok $n->reload(http => $zones =~ s/hours 64k (.*)window=1h/hours 64k $1window=2h/r),
    'another window';
is $n->get('/dead/hours?k=j')->{status}, 502, 'counts anew';
ok $n->reload(http => $zones), 'and back';

# --- a full zone ------------------------------------------------------------

my @status = $n->many(map { "/small?k=$_" } 1 .. 600);
is scalar(grep { $_ == 502 } @status), 600, '600 keys open in a zone of some 100';
my @again = $n->many(map { "/small?k=$_" } 1 .. 600);
my $kept = grep { $_ == 503 } @again;
cmp_ok $kept, '>=', 64, "$kept of them stay open: none makes room for another";
is scalar(() = $n->log =~ /the breaker "small" lets calls pass unguarded: it is full/g), 1,
    'the log is told, once';

my $log = $n->log;
$n->stop;
is scalar(() = $log =~ /\[(?:alert|crit|emerg)\](?!.*exited on signal 9)/g), 0,
    'no alert but of the one who was killed';

done_testing;
