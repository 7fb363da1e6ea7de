# Limits in Redis on bad days: refused, silent, slow, cut, a replica, full, busy;
# killed and restarted under the load of eight workers of two machines; requests
# that wait when they are aborted, reloaded, killed.
#
#     client -> a, b (nginx, with the limits) -> counter (nginx)
#                 '-> cutter -> Redis
#
# What passes is counted behind the gateway and held against what the time, as
# measured, allows.

use strict;
use warnings;

use Cwd qw( abs_path );
use File::Basename qw( dirname );
use File::Temp qw( tempdir );
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX ();
use Podi::Cutter;
use Podi::Proc qw( poll spawn children free_port );
use Test::More;
use Time::HiRes qw( clock_gettime CLOCK_MONOTONIC );

my $build = $ENV{PODI_BUILD} // abs_path(dirname(__FILE__)) . '/../../var/build';
my $dir = tempdir('podi-limit-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my (%child, %port, $redis);

chmod 0755, $dir;
$SIG{$_} = sub { exit 1 } for qw( INT TERM );
local $SIG{PIPE} = 'IGNORE';


# --- servers ----------------------------------------------------------------

sub redis_start
{
    $redis = spawn(log => "$dir/redis.log", dir => $dir, cmd => [
        'redis-server', '--port', 0, '--unixsocket', "$dir/redis.sock",
        '--unixsocketperm', '777', '--save', '', '--dir', $dir ]);
    poll(20, sub { IO::Socket::UNIX->new(Peer => "$dir/redis.sock") })
        or BAIL_OUT('Redis does not start');
}


sub redis_kill
{
    kill 'KILL', $redis;
    waitpid $redis, 0;
}


# this one has no password, whatever that of the test's stack is
sub redis
{
    delete local $ENV{REDISCLI_AUTH};

    open my $cli, '-|', 'redis-cli', '-s', "$dir/redis.sock", @_ or die;
    my $text = do { local $/; <$cli> } // '';

    chomp $text;
    return $text;
}


sub cutter
{
    my ($name) = @_;
    my $cutter = Podi::Cutter->start(listen => "$dir/$name.sock",
        upstream => "$dir/redis.sock", control => "$dir/$name.ctl");

    chmod 0777, "$dir/$name.sock";
    return $cutter;
}


sub nginx
{
    my ($name, $workers, $http, $server) = @_;
    my $home = "$dir/$name";
    my $module = $name eq 'counter' ? ''
        : "load_module $build/ngx_http_podi_module.so;";
    my $user = $> == 0 ? 'user root;' : '';

    $port{$name} = free_port();
    mkdir $home;
    mkdir "$home/logs";
    open my $out, '>', "$home/nginx.conf" or die;
    print {$out} <<"EOS";
$module
$user
daemon off;
worker_processes $workers;
worker_shutdown_timeout 10s;
pid nginx.pid;
error_log logs/error.log info;
events { worker_connections 512; }
http {
    access_log off;
    keepalive_requests 1000000;
    client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3;
    uwsgi_temp_path t4; scgi_temp_path t5;
$http
    server {
        listen 127.0.0.1:$port{$name};
$server
    }
}
EOS
    close $out;
    $child{$name} = spawn(log => "$home/out", dir => $home, cmd => [
        $ENV{PODI_NGINX} // '/usr/sbin/nginx', '-p', "$home/",
        '-c', "$home/nginx.conf" ]);
    poll(20, sub { IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                         PeerPort => $port{$name}) })
        or BAIL_OUT("nginx $name does not start: " . qx(tail -5 $home/out));
}


# --- a client ---------------------------------------------------------------

sub send_get
{
    my ($name, $path) = @_;
    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $port{$name});

    print {$sock} "GET $path HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    $sock->flush;
    return $sock;
}


# "200 exact": the status, and who has decided
sub answer
{
    my ($sock) = @_;
    my $text = do { local $/; <$sock> } // '';
    my ($status) = $text =~ m{^HTTP/1\.1 (\d+)};
    my ($mode) = $text =~ /^X-Mode: (\S+)\r$/m;

    return ($status // 'cut') . ' ' . ($mode // '-');
}


sub get { answer(send_get(@_)) }


sub metric
{
    my ($name, $metric) = @_;
    my $sock = send_get($name, '/metrics');
    my $text = do { local $/; <$sock> };

    return $text =~ /^\Q$metric\E (\d+)$/m ? $1 : -1;
}


# --- what Redis may do ------------------------------------------------------

sub faults
{
    my $cutter = cutter('fault');
    my %say = (
        refused  => 'refuse',
        silent   => 'stall',
        slow     => 'delay 1000',
        cut      => 'cut-after 3',
        replica  => 'answer -READONLY You cannot write against a replica.\r\n',
        full     => 'answer -OOM command not allowed\r\n',
        busy     => 'answer -BUSY Redis is busy running a script\r\n',
        loading  => 'answer -LOADING Redis is loading the dataset\r\n',
        nonsense => 'answer *2\r\n:1\r\n$-1\r\n',
    );

    nginx('a', 1, <<"EOS", <<'EOS');
    podi_zone 1m;
    podi_redis unix:$dir/fault.sock;
    podi_limit_deadline 150ms;
    podi_limit_zone open   1m key=\$arg_k rate=9r/s burst=900 mode=exact;
    podi_limit_zone closed 1m key=\$arg_k rate=9r/s burst=900 mode=exact on_failure=closed;
    podi_limit_zone local  1m key=\$arg_k rate=1r/h burst=4 mode=exact on_failure=local;
    podi_limit_zone here   1m key=\$arg_k rate=1r/h burst=5;
EOS
        add_header X-Mode $podi_limit_mode always;
        location /open { podi_limit open; empty_gif; }
        location /closed { podi_limit closed; empty_gif; }
        location /local { podi_limit local; empty_gif; }
        location /both { podi_limit here closed; empty_gif; }
        location /here { podi_limit here; empty_gif; }
        location = /metrics { podi_status; }
EOS

    for my $what (sort keys %say) {
        ok poll(10, sub { get('a', '/open?k=x') eq '200 exact' }),
            "$what: Redis decides before";

        $cutter->say($say{$what});
        $cutter->say('reset') if $what eq 'refused';

        is get('a', "/open?k=$what"), '200 degraded', 'open lets pass';
        is get('a', "/closed?k=$what"), '503 degraded', 'closed does not';
        is_deeply [ map { get('a', "/local?k=$what") } 1 .. 5 ],
            [ ('200 degraded') x 4, '429 degraded' ],
            'local counts to four';
        is_deeply [ map { get('a', "/both?k=$what") } 1 .. 6 ],
            [ ('503 degraded') x 6 ], 'who is refused';
        is_deeply [ map { get('a', "/here?k=$what") } 1 .. 6 ],
            [ ('200 local') x 5, '429 local' ], 'is not charged here either';
        $cutter->say('pass');
    }

    ok poll(10, sub { get('a', '/open?k=x') eq '200 exact' }),
        'Redis decides again';

    # how many requests waited in vain, before nobody did any more

    my $before = metric('a', 'podi_limit_redis_failures_total');
    $cutter->say('stall');
    is_deeply [ map { get('a', '/open?k=x') } 1 .. 100 ],
        [ ('200 degraded') x 100 ], 'a hundred requests while it is silent';
    my $failed = metric('a', 'podi_limit_redis_failures_total') - $before;
    ok $failed > 0 && $failed <= 6, "$failed of them have waited for it";
    ok poll(5, sub { metric('a', 'podi_limit_breaker_open') == 1 }),
        'the metrics show it';
    $cutter->say('pass');
    ok poll(10, sub { get('a', '/open?k=x') eq '200 exact' }),
        'and it ends';
    ok poll(5, sub { metric('a', 'podi_limit_breaker_open') == 0 }),
        'there, too';

    redis('script', 'flush');
    is get('a', '/open?k=x'), '200 exact', 'a script that was forgotten';
}


# --- requests that wait -----------------------------------------------------

# so many places are held, in all limits
sub held
{
    my ($n) = @_;
    my $script = <<'EOS';
        local n, now = 0, redis.call('time')
        for _, key in ipairs(redis.call('keys', 'podi:{l}:c*')) do
            n = n + redis.call('zcount', key, now[1] .. '000000', '+inf')
        end
        return n
EOS

    return poll(10, sub { redis('eval', $script, 0) eq $n });
}


sub waiting
{
    my $cutter = cutter('wait');
    my $hole = IO::Socket::INET->new(LocalAddr => '127.0.0.1:0', Listen => 9);
    my $silent = $hole->sockport;

    nginx('b', 2, <<"EOS", <<"EOT");
    podi_redis unix:$dir/wait.sock;
    podi_limit_deadline 5s;
    podi_limit_lease 1s;
    podi_limit_zone inside 1m key=\$arg_k conn=3 mode=exact on_failure=closed;
    podi_limit_zone rate   1m key=\$arg_k rate=1r/h burst=4 mode=exact;
    podi_limit_zone here   1m key=\$arg_k rate=1r/h burst=9;
    server {
        listen unix:$dir/h2.sock http2;
        location / { podi_limit inside; empty_gif; }
    }
EOS
        add_header X-Mode \$podi_limit_mode always;
        location /in { podi_limit inside rate here; empty_gif; }
        location /try { podi_limit inside; try_files /none \@named; }
        location \@named { podi_limit rate; empty_gif; }
        location /long { podi_limit inside; proxy_pass http://127.0.0.1:$silent; }
EOT

    ok poll(10, sub { get('b', '/in?k=first') eq '200 exact' }), 'b is up';
    is_deeply [ map { get('b', '/try?k=redirect') } 1 .. 5 ],
        [ ('200 exact') x 4, '429 exact' ],
        'limits before and after an internal redirect';
    ok held(0), 'no place is held when requests are over';

    my $log = "$dir/b/logs/error.log";

    $cutter->say('stall');
    close send_get('b', '/in?k=abort');
    ok poll(10, sub { qx(grep -c 'client prematurely closed' $log) == 1 }),
        'who waits goes away';
    $cutter->say('pass');
    ok poll(10, sub { get('b', '/in?k=abort') eq '200 exact' }),
        'the next one passes';
    ok held(0), 'and the place of who went away is free';

    $cutter->say('stall');
    my @wait = map { send_get('b', '/in?k=reload') } 1 .. 3;
    my $gone = send_get('b', '/in?k=gone');
    my @h2 = map { open my $h2, '-|', 'curl', '-s', '-m', $_, '-o', '/dev/null',
                        '-w', '%{http_code}', '--http2-prior-knowledge',
                        '--unix-socket', "$dir/h2.sock", 'http://x/?k=h2'
                       or die; $h2 } 0.3, 20;
    my ($cut) = readline $h2[0];
    is $cut, '000', 'a stream is reset while it waits';
    close $gone;

    kill 'HUP', $child{b};
    ok poll(10, sub { qx(grep -c 'gracefully shutting down' $log) == 2 }),
        'a reload while requests wait';
    $cutter->say('pass');
    is_deeply [ map { answer($_) } @wait ], [ ('200 exact') x 3 ],
        'loses none of them';
    is scalar(readline $h2[1]), '200', 'nor one of HTTP/2';
    ok held(0), 'and no place, neither of those that went away';

    my @long = map { send_get('b', '/long?k=long') } 1 .. 3;
    ok held(3), 'three are inside';
    is get('b', '/long?k=long'), '429 exact', 'and no fourth';
    kill 'KILL', $_ for children($child{b});
    ok poll(10, sub {
        my $sock = send_get('b', '/in?k=long');

        $sock && answer($sock) eq '200 exact';
    }), 'when their workers are killed the places are free again';
    ok held(0), 'all of them';
}


# --- much, and Redis killed in the middle ------------------------------------

sub batch
{
    my ($sock) = @_;
    my ($text, $n) = ('', 0);

    print {$sock} map { "HEAD /$_?k=$_ HTTP/1.1\r\nHost: x\r\n\r\n" }
        qw( exact leased local );
    $sock->flush;

    while ($n < 3) {
        sysread($sock, $text, 65536, length $text) or return;
        $n = () = $text =~ /\r\n\r\n/g;
    }
    return 1;
}


sub client
{
    my ($until) = @_;
    my @sock = map { IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $port{$_}) } ('c', 'd') x 4;

    while (clock_gettime(CLOCK_MONOTONIC) < $until) {
        for (@sock) {
            batch($_) or POSIX::_exit(1);
        }
    }
    POSIX::_exit(0);
}


sub heavy
{
    nginx('counter', 1, "    log_format key '\$arg_k \$http_x_mode \$msec';\n",
          '        location / { access_log logs/count.log key; empty_gif; }');

    nginx($_, 4, <<"EOS", <<'EOT') for qw( c d );
    podi_redis unix:$dir/redis.sock;
    podi_limit_deadline 1s;
    podi_limit_zone exact  1m key=\$arg_k rate=200r/s burst=100 mode=exact on_failure=closed;
    podi_limit_zone leased 1m key=\$arg_k rate=200r/s burst=100 mode=leased on_failure=closed;
    podi_limit_zone local  1m key=\$arg_k rate=200r/s burst=100 mode=leased on_failure=local nodes=2;
    upstream counter { server 127.0.0.1:$port{counter}; keepalive 32; }
    proxy_http_version 1.1;
    proxy_set_header Connection '';
    proxy_set_header X-Mode \$podi_limit_mode;
EOS
        location /exact { podi_limit exact; proxy_pass http://counter; }
        location /leased { podi_limit leased; proxy_pass http://counter; }
        location /local { podi_limit local; proxy_pass http://counter; }
EOT

    my $since = clock_gettime(CLOCK_MONOTONIC);
    my @kids;

    for (1 .. 2) {
        my $kid = fork // die "fork: $!";

        client($since + 4) if $kid == 0;
        push @kids, $kid;
    }

    ok poll(10, sub { passed('exact') > 150 }), 'limits are at work';
    redis_kill();
    my $then = passed('local');
    ok poll(10, sub { passed('local') > $then + 60 }),
        'Redis is killed; what is local goes on';
    redis_start();
    $then = passed('exact');
    ok poll(10, sub { passed('exact') > $then + 60 }),
        'and when it is back so do the others';

    for (@kids) {
        waitpid $_, 0;
        is $?, 0, 'no connection was lost';
    }

    my $rate = 200 * (clock_gettime(CLOCK_MONOTONIC) - $since);

    # a burst, and one more for what Redis has lost

    for (qw( exact leased local )) {
        my $n = grep { !/degraded/ } counted($_);

        ok $n <= $rate + 200, sprintf '%s: %d passed, %d at most', $_, $n,
            $rate + 200;
    }

    # without Redis each machine has half of the rate and of the burst

    my @alone = map { (split)[2] } grep { /degraded/ } counted('local');
    my $most = 200 * ($alone[-1] - $alone[0] + 0.002) + 100;

    ok @alone > 60 && @alone <= $most,
        sprintf 'local, without Redis: %d passed, %d at most', 0 + @alone,
        $most;
    is_deeply [ grep { /degraded/ } counted('exact'), counted('leased') ], [],
        'what is closed does not pass without it';
}


# "key mode when": what has come through
sub counted
{
    my ($key) = @_;

    open my $in, '<', "$dir/counter/logs/count.log" or return;
    return sort { (split ' ', $a)[2] <=> (split ' ', $b)[2] }
        grep { /^$key / } <$in>;
}


sub passed
{
    my @lines = counted(@_);

    return scalar @lines;
}


redis_start();
subtest 'what Redis may do' => sub { faults() };
subtest 'requests that wait' => sub { waiting() };
subtest 'eight workers, two machines' => sub { heavy() };
done_testing;


END {
    my $status = $?;

    kill 'QUIT', values %child if %child;
    kill 'TERM', $redis if $redis;
    waitpid $_, 0 for values %child, $redis // ();
    $? = $status;
}
