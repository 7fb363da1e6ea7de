# A worker dies with the locks of a decision in its hand: the others go on, no
# count is lost but its own, and its places are free.  One that stands still with
# them: nobody waits for it, and what cannot be counted is decided, not passed.

use strict;
use warnings;

use Test::More;
use IO::Socket::INET;
use Podi::Issuer;
use Podi::Points;
use Podi::Proc qw( poll );
use Podi::Upstream;

my $dir = File::Temp->newdir;

chmod 0755, $dir;

my $points = Podi::Points->new("$dir/points");
my $up = Podi::Upstream->new;
my $to = $up->port;

# at the point where a decision is written, for one process
sub arm { $points->arm('limit_write', $_[0] // 'kill') }
sub hit { return $points->wait('limit_write') }

my $is = Podi::Issuer->new(iss => 'https://one.example', aud => 'https://our.site');
my $set = $is->jwks_file('ES256');

my $n = $up->plain(build => Podi::Points::build(), head => 'env PODI_FAULT_DIR;',
    http => <<"EOS", server => <<"EOT");
    podi_limit_zone rate   32k key=\$arg_k rate=1r/h burst=10;
    podi_limit_zone quota  32k key=\$arg_k quota=10/month;
    podi_limit_zone seats  32k key=\$arg_k conn=2;
    podi_limit_zone open   36k key=\$arg_k rate=1r/h burst=10;
    podi_limit_zone closed 36k key=\$arg_k rate=1r/h burst=10 on_failure=closed;
    podi_limit_zone forged 36k key=ip rate=1r/h burst=10;
    podi_breaker_zone once 32k key=\$arg_k window=1h calls=1 open=8ms open_max=8ms probe=1h;
    podi_issuer one { issuer https://one.example; audience https://our.site; jwks_file $set; }
EOS
    location /all { podi_limit rate quota seats; empty_gif; }
    location /rate { podi_limit rate; empty_gif; }
    location /quota { podi_limit quota; empty_gif; }
    location /seats { podi_limit seats; empty_gif; }
    location /open { podi_limit open; add_header X-Mode \$podi_limit_mode; empty_gif; }
    location /closed { podi_limit closed; empty_gif; }
    location /both { podi_limit open closed; empty_gif; }
    location /dry { podi_limit closed dry_run; empty_gif; }
    location /guarded { podi_auth on; podi_auth_issuer one; podi_auth_failures zone=forged; empty_gif; }
    location /inside { podi_limit seats; proxy_set_header X-Pid \$pid; proxy_pass http://127.0.0.1:$to; }
    location /probe { podi_breaker once; proxy_set_header X-Pid \$pid; proxy_pass http://127.0.0.1:$to; }
EOT


sub spent
{
    my ($path) = @_;
    my ($left) = $n->get($path)->{head} =~ /^RateLimit: "\w+";r=(\d+)/m;

    return $left // 'nothing';
}


for my $path ('/all', '/rate', '/quota', '/seats') {
    my $key = $path =~ s{/}{}r;
    my @workers = $n->workers;

    is $n->get("$path?k=$key")->{status}, 200, "$path passes";

    arm();
    is $n->get("$path?k=$key")->{status}, 0, 'its worker dies at the next one';

    my $dead = hit();
    ok scalar(grep { $_ == $dead } @workers), 'one of the two';

    # its keys' sets are locked until somebody wants them
    is $n->get("$path?k=$key")->{status}, 200, 'the next one passes';
    ok $n->whole($dead), 'and another worker comes';
    is $n->get("$path?k=$key")->{status}, 200, 'which takes part';
}

# 1, the one that died when it was charged, 2 more: 6 are left after this
is spent('/rate?k=rate'), 5, 'a charge is there or not, and no other is lost';
is spent('/quota?k=quota'), 5, 'nor of a quota';
ok poll(10, sub { spent('/seats?k=seats') eq '1' }), 'and no place is taken';
is spent('/all?k=all'), 5, 'where several are decided the first was charged';
is spent('/quota?k=all'), 5, 'the second was not';
ok poll(10, sub { spent('/seats?k=all') eq '1' }),
    'and there was no place to give back';


# --- a number that is given away ---------------------------------------------

# what the code gives, or nothing when it hangs
sub timely
{
    my ($code) = @_;
    my $value = eval {
        local $SIG{ALRM} = sub { die "it hangs\n" };
        alarm 10;
        my $v = $code->();
        alarm 0;
        $v;
    };
    alarm 0;
    return $value;
}

# the kernel gives the dead worker's number to somebody who lives long: to this
# test, which writes its own into whatever remembers it
sub give_away
{
    no warnings 'portable';
    my ($dead) = @_;
    my $given = 0;

    open my $maps, '<', "/proc/$n->{pid}/maps" or die $!;
    open my $mem, '+<:raw', "/proc/$n->{pid}/mem" or die $!;

    no warnings 'portable';             # addresses have 64 bits

    while (<$maps>) {
        my ($from, $to) = /^(\w+)-(\w+) rw-s / or next;
        next if hex($to) - hex $from != 32768;
        my $at = hex $from;

        sysseek $mem, $at, 0 or next;
        sysread $mem, my $bytes, 32768 or next;
        my @half = unpack 'V*', $bytes;

        for my $i (grep { $_ % 2 == 0 && $half[$_] == $dead } 0 .. $#half) {
            sysseek $mem, $at + 4 * $i, 0;
            $given++ if syswrite $mem, pack 'V', $$;
        }
    }
    return $given;
}

# neither master nor worker sees it dead before its number is somebody else's
sub lose
{
    my ($pid) = @_;
    my @others = ($n->{pid}, grep { $_ != $pid } $n->workers);

    kill STOP => @others;
    kill KILL => $pid;
    my $given = give_away($pid);
    kill CONT => @others;
    $n->whole($pid) or die 'no worker comes';
    return $given;
}


arm();
is $n->get('/rate?k=given')->{status}, 0, 'a worker dies once more';

my $dead = hit();
ok $n->whole($dead), 'and another one comes';
cmp_ok give_away($dead), '>', 0, 'its number is somebody else\'s';

my $res = timely(sub { $n->get('/rate?k=given') });
is $res && $res->{status}, 200, 'the next one passes all the same';

# one that has places
my $held = $up->call('/inside?k=given');
cmp_ok lose($held->{pid}), '>', 0, 'one dies who held a place';
ok poll(10, sub { spent('/seats?k=given') eq '1' }), 'which comes back';

# one that was the probe of a breaker
$up->answer($up->call('/probe?k=given'), 500);
my $probe = $up->probe('/probe?k=given', 5000);
cmp_ok lose($probe->{pid}), '>', 0, 'one dies who asked for a breaker';
$up->answer($up->probe('/probe?k=given', 5000), 200);
is $up->answer($up->call('/probe?k=given'), 200)->{status}, 200, 'and another one asks';


# --- one that stands still ---------------------------------------------------

sub mode { $_[0]{head} =~ /^X-Mode: (\w+)/m ? $1 : '' }

arm('pause');
my $stuck = $n->hold('/both?k=still');
my $stopped = hit();

$res = timely(sub { $n->get('/open?k=still') });
is $res && $res->{status}, 200, 'what is open passes';
is $res && mode($res), 'degraded', 'and says how';
$res = timely(sub { $n->get('/closed?k=still') });
is $res && $res->{status}, 503, 'what is closed does not';
is timely(sub { $n->get('/dry?k=still')->{status} }), 200, 'but where it runs dry';
is timely(sub { $n->get('/both?k=still')->{status} }), 503, 'both together neither';
is mode($n->get('/open?k=others')), 'local', 'other keys are counted';
is timely(sub { scalar grep { $_ == 503 } map { $n->get('/closed?k=still')->{status} }
                1 .. 100 }), 100, 'and nobody waits long, however many come';
is scalar(() = $n->log =~ /some keys of the limit "closed" cannot be counted/g), 1,
    'the log says so, once';

kill CONT => $stopped;
is $n->answer($stuck)->{status}, 200, 'it goes on';
is spent('/closed?k=still'), 8, 'its charge is there, as is the next, and no other';

# failed logins and forged tokens: who cannot be counted may not try
my $forged = $is->token('ES256') . 'A';

sub guess
{
    my ($token) = @_;
    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $n->port);

    print $sock "GET /guarded HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        . "Authorization: Bearer $token\r\n\r\n";
    $sock->flush;
    return $sock;
}

is $n->answer(guess($forged))->{status}, 401, 'a forged token';
arm('pause');
$stuck = guess($forged);
$stopped = hit();
is timely(sub { $n->answer(guess($forged))->{status} }), 503,
    'while it cannot be charged, it is not even looked at';
is timely(sub { $n->answer(guess($is->token('ES256', jti => 2)))->{status} }), 503,
    'nor is any other that nobody knows';
kill CONT => $stopped;
is $n->answer($stuck)->{status}, 401, 'it goes on';
is $n->answer(guess($is->token('ES256', jti => 3)))->{status}, 200, 'as do all';

# a place that is over while nobody can count it off
my $inside = $up->call('/inside?k=late');
for (1 .. 50) {
    arm('pause');
    $stuck = $n->hold('/seats?k=late');
    $stopped = hit();
    last if $stopped != $inside->{pid};
    kill CONT => $stopped;
    $n->answer($stuck);
}
isnt $stopped, $inside->{pid}, 'one stands still, another one holds a place';
is timely(sub { $up->answer($inside, 200)->{status} }), 200, 'whose request ends';
kill CONT => $stopped;
is $n->answer($stuck)->{status}, 200, 'it goes on';
ok poll(10, sub { spent('/seats?k=late') eq '1' }), 'and all places come back';

# a worker that is born while another one stands still with the zone
$points->arm('slot_take', 'pause');
kill KILL => ($n->workers)[0];
$stopped = $points->wait('slot_take');
kill KILL => grep { $_ != $stopped } $n->workers;
ok poll(10, sub { $n->log =~ /this worker has no slot/ }), 'has no slot, and says so';
kill CONT => $stopped;
ok poll(10, sub { $n->log =~ /this worker has its slot/ }), 'but as soon as there is one';

my $log = $n->log;
$n->stop;
is scalar(() = $log =~ /\[(?:alert|crit|emerg)\](?!.*exited on signal 9)/g), 0,
    'no alert but of those who were killed';
done_testing;
