# nginx reloads, loses workers to kill -9, is upgraded, goes back, and is upgraded
# again, under load: no request fails but those that a killed worker held.
#
# A worker that leaves closes kept connections that are idle, and a request may
# cross that on the wire: it ends before a byte, and the client asks it again on a
# new one (RFC 9112, 9.3.1). That is no failure, but it is counted, and so is a
# connection that was closed while it was idle, which the client sees no sooner than
# it asks: of one kept connection at most once for each worker that leaves or is
# killed, and never while none does. A request on a connection of its own is never
# asked again.
#
#     kids: tokens of two issuers, local and exact limits, a breaker, our own
#           API; one connection kept, or one for each request
#     here: a stream, a WebSocket, places of a limit that are held meanwhile;
#           what shared memory has to remember, and what a new binary must not
#           have forgotten
#
# A binary upgrade gives the new master shared memory of its own: what is counted
# there begins anew, what has been revoked must not.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use Test::More;
use Podi::Fault;
use Podi::Feed;
use Podi::Proc qw( poll gone children open_files );
use Podi::Repo qw( slurp );
use Podi::Stack;
use Podi::Token;

my $PACE = 0.004;               # seconds between two requests of a kid
my $WORKED = 25;                # requests of each kid in a stage, at least

my $behind = IO::Socket::INET->new(Listen => 128, LocalAddr => '127.0.0.1')
    or die "listen: $!";
my $dead = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1');
my ($app, $nobody) = map { $_->sockport } $behind, $dead;
my $jwks = Podi::Stack::free_port();

close $dead;

# one that runs in the foreground takes no USR2
my $s = Podi::Stack->new(daemon => 1, server => <<"CONF");
location /app/ {
    podi_auth on;
    podi_auth_issuer podi partner;
    podi_limit calm shared;
    podi_breaker app;
    proxy_pass http://127.0.0.1:$app;
    proxy_http_version 1.1;
    proxy_set_header Upgrade \$http_upgrade;
    proxy_set_header Connection \$app_connection;
    proxy_read_timeout 600s;
}
location = /seat {
    podi_limit seats;
    proxy_pass http://127.0.0.1:$app/hold;
    proxy_read_timeout 600s;
}
location = /seats { podi_limit seats; empty_gif; }
location = /spent { podi_limit spent; empty_gif; }
location = /dead { podi_breaker dead; proxy_pass http://127.0.0.1:$nobody; }
CONF
my $dir = $s->dir;

$s->{http} = <<"CONF";
podi_event_drain 1s;
podi_limit_deadline 5s;
podi_limit_zone calm 1m key=user rate=10000r/s burst=10000;
podi_limit_zone shared 1m key=user rate=10000r/s burst=10000 mode=exact on_failure=closed;
podi_limit_zone spent 1m key=\$arg_k rate=1r/h burst=2;
podi_limit_zone seats 1m key=\$arg_k conn=3;
podi_breaker_zone app 64k;
podi_breaker_zone dead 64k calls=4 open=10m open_max=10m;
podi_issuer partner {
    issuer https://partner.example;
    audience app;
    jwks_url https://127.0.0.1:$jwks/keys.json refresh=1h ca=$dir/tls/ca.crt inside;
}
map \$http_upgrade \$app_connection { default upgrade; '' close; }
server {
    listen 127.0.0.1:$jwks ssl;
    ssl_certificate $dir/tls/server.crt;
    ssl_certificate_key $dir/tls/server.key;
    root $dir/run/podi;
    access_log off;
}
CONF

# what a sanitized module needs, of an nginx that knows nothing of it
$s->{rewrite} = sub {
    my ($file, $text) = @_;
    my @keep = $ENV{SAN} && $file eq 'nginx.conf'
        ? map { "env $_;\n" } qw( LD_PRELOAD ASAN_OPTIONS UBSAN_OPTIONS ) : ();

    return join '', @keep, $text;
};

my $key = Podi::Token->new("$dir/keys/partner.key");
Podi::Stack::Files::write_file("$dir/run/podi/keys.json",
    JSON::PP::encode_json({ keys => [ { %{ $key->jwk }, kid => $key->kid,
                                        alg => 'ES256', use => 'sig' } ] }));
$s->start;

my %who = map { $_ => $s->member($_) } qw( keeper fresher watcher leaver );
my $partner = { token => $key->sign({ iss => 'https://partner.example',
    aud => 'app', sub => 'anybody', iat => time, exp => time + 3600 },
    { typ => 'JWT' }) };
my $feed = Podi::Feed->new($s, $who{watcher});


# --- the upstream --------------------------------------------------------------

# answers, holds, or speaks WebSocket as far as an echo goes
sub upstream
{
    my (undef, $from) = @_;
    my $ready = IO::Select->new($behind, $from);
    my %talk;

    while (my @some = $ready->can_read) {
        for my $sock (@some) {
            return if $sock == $from;

            if ($sock == $behind) {
                $ready->add(scalar $behind->accept);
                next;
            }

            my $n = sysread $sock, my $text, 65536;
            my $ended = !$n || !reply($sock, $text, \$talk{$sock});
            next if !$ended;
            $ready->remove($sock);
            delete $talk{$sock};
            close $sock;
        }
    }
}


sub reply
{
    my ($sock, $text, $talk) = @_;

    return syswrite $sock, $text if ($$talk // '') eq 'open';
    $$talk .= $text;
    return 1 if $$talk !~ m{\A(?:GET|HEAD) ([^? ]+).*\r\n\r\n}s || $1 eq '/hold';

    if ($1 eq '/app/ws') {
        $$talk = 'open';
        return syswrite $sock, "HTTP/1.1 101 Switching Protocols\r\n"
            . "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    }

    syswrite $sock, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
        . "Connection: close\r\n\r\nok";
    return 0;
}


# --- the load ------------------------------------------------------------------

# each request is asked once more when it failed: all of them are GET
sub client
{
    my ($login, $keep, $say, $from) = @_;
    my $wire = Podi::Fault::Wire->new($s->{port});
    my $ear = IO::Select->new($from);
    my @ask = ([ 200, '/v1/me', as => $who{$login} ],
               [ 200, '/app/ours', as => $who{$login} ],
               [ 200, '/app/theirs', as => $partner ],
               [ 200, '/v1/wallet', as => $who{$login} ],
               [ 401, '/app/nobody' ]);
    my @text = map { my ($right, @request) = @$_;
                     Podi::Fault::request_text($s, 'GET', @request) } @ask;

    for (my $n = 0; !$ear->can_read($PACE); $n++) {
        my ($right, $path) = @{ $ask[$n % @ask] };
        my $known = $wire->{again};
        my $answer = once($wire, $text[$n % @ask], $keep);

        $say->({ crossed => $path }) if $wire->{again} > $known;
        $say->({ n => $n }) if $n % 5 == 4;
        next if $answer->{end} eq 'ok' && $answer->{status} == $right;

        $wire->close;
        my $again = once($wire, $text[$n % @ask], $keep);
        $say->({ path => $path, (map { $_ => $answer->{$_} } qw( end status )),
                 again => "$again->{end} $again->{status}",
                 good => $again->{status} == $right ? 1 : 0 });
    }
}


sub once
{
    my ($wire, $text, $keep) = @_;
    my $answer = $wire->ask($text);

    $wire->close if !$keep;
    return $answer;
}


mkdir "$dir/fault";
my $server = Podi::Fault::Kid->new("$dir/fault", \&upstream);
my %kid = (
    keeper  => Podi::Fault::Kid->new("$dir/fault",
                                     sub { client('keeper', 1, @_) }),
    fresher => Podi::Fault::Kid->new("$dir/fault",
                                     sub { client('fresher', 0, @_) }),
);


sub requests { return map { scalar grep { exists $_->{n} } $_->said } @kid{@_} }

# every kid has asked so often since
sub worked
{
    my ($what) = @_;
    my %least = map { $_ => (requests($_))[0] + $WORKED / 5 } keys %kid;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok poll(30, sub { !grep { (requests($_))[0] < $least{$_} } keys %kid }),
        "$what: the load goes on";
}


my %told = map { $_ => 0 } keys %kid;
my %crossed = %told;

# what has failed since; of a kill: what was in the air, once for each client
sub failed
{
    my ($what, $allowed, $leave) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    for my $name (sort keys %kid) {
        my @bad = grep { exists $_->{end} } $kid{$name}->said;
        my @new = splice @bad, $told{$name};

        $told{$name} += @new;
        my @wrong = grep { !$allowed || !$_->{good}
                           || $_->{end} !~ /^(?:cut|closed)$/ } @new;
        ok @new <= $allowed && !@wrong,
            "$what: $name, of $allowed that may fail " . @new . ' have'
            or diag explain \@new;
        crossed($what, $name, $name eq 'keeper' ? $leave : 0);
    }
}


# what was asked again since, as its kept connection had been closed
sub crossed
{
    my ($what, $name, $most) = @_;
    my @all = grep { exists $_->{crossed} } $kid{$name}->said;
    my @new = splice @all, $crossed{$name};

    $crossed{$name} += @new;
    local $Test::Builder::Level = $Test::Builder::Level + 2;
    cmp_ok scalar @new, '<=', $most, "$what: $name, asked again"
        or diag explain \@new;
}


# --- what stays open -----------------------------------------------------------

sub socket_of
{
    my ($target, %arg) = @_;
    my $wire = Podi::Fault::Wire->new($s->{port});

    $wire->open or die 'nginx does not listen';
    $wire->send(Podi::Fault::request_text($s, 'GET', $target, %arg));
    return $wire;
}


sub has_said
{
    my ($wire, $what) = @_;
    my ($buf, $select) = ('', IO::Select->new($wire->{sock}));

    while ($buf !~ $what) {
        $select->can_read(20) && sysread $wire->{sock}, $buf, 4096, length $buf
            or return 0;
    }
    return 1;
}


sub web_socket
{
    my $ws = socket_of('/app/ws', as => $who{keeper},
        headers => { Upgrade => 'websocket', Connection => 'Upgrade' });

    has_said($ws, qr{\AHTTP/1\.1 101 .*\r\n\r\n\z}s) or die 'no WebSocket';
    return $ws;
}


sub echoes
{
    my ($ws, $what) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $ws->send($what);
    ok has_said($ws, qr/\A\Q$what\E\z/), "$what: the WebSocket goes on";
}


my $last = 0;
my $live;

sub watch
{
    $live = $s->events(as => $who{watcher}, last_event_id => $last);
    die 'no stream' if $live->status != 200;
}


# the stream ends, and goes on where it ended
sub moved
{
    my ($what, $kindly) = @_;
    my ($drain, $gap) = (0, 0);

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $seen = sub {
        my $event = $live->next_event(20) or return;

        $drain++ if $event->{event} eq 'system.drain';
        return 1 if $event->{event} !~ /^wallet\./;
        $gap++ if $event->{id} != $last + 1;
        $last = $event->{id};
    };

    $feed->add(1);
    1 while $seen->();
    ok $live->ended, "$what: the stream ends";
    ok $live->clean && $drain == 1, '... announced, and cleanly' if $kindly;
    $live->close;
    $feed->add(1);
    watch();
    poll(20, sub { $seen->() && $last == $feed->top });
    is $last, $feed->top, '... and goes on where it was';
    is $gap, 0, '... without a gap';
}


# --- what is remembered --------------------------------------------------------

sub metric
{
    my ($line) = @_;
    my ($value) = $s->get('/metrics')->body =~ /^\Q$line\E (\S+)$/m;

    return $value // die "$line is not told";
}


my $KEYS = 'podi_jwks_fetches_total{issuer="partner"}';

# what is left besides the one who asks; or nothing, and he is refused
sub places
{
    my $res = $s->get('/seats?k=a');
    my ($left) = $res->header('ratelimit') =~ /^"seats";r=(\d+)/;

    return $res->status == 200 ? $left : 'none';
}

sub take { return map { socket_of('/seat?k=a') } 1 .. $_[0] }


sub remembered
{
    my ($what) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is $s->get('/spent?k=x')->status, 429, "$what: a limit is remembered";
    is $s->get('/dead')->status, 503, '... an open breaker';
    is $s->get('/v1/me', as => $who{leaver})->status, 401, '... who has left';
    is metric($KEYS), 1, '... the keys of an issuer';
}


# --- ready ---------------------------------------------------------------------

worked('at first');
is join(' ', map { $s->get('/spent?k=x')->status } 1 .. 3), '200 200 429',
    'a limit is used up';
$s->get('/dead') for 1 .. 4;
is $s->get('/dead')->status, 503, 'a breaker opens';
is $s->get('/v1/me', as => $who{leaver})->status, 200, 'somebody is there';
$s->post('/v1/auth/logout', as => $who{leaver}, unchecked => 1);
remembered('ready');
failed('ready', 0, 0);

my $master = $s->nginx->pid;
my $many = $s->nginx->workers;
my $held = sub { my ($sockets, $files) = open_files($_[0]);
                 return keys(%$sockets) . ' sockets, ' . @$files . ' files' };
my $holds = $held->($master);


# --- reload --------------------------------------------------------------------

watch();
my $ws = web_socket();
my @seats = take(2);
ok poll(10, sub { places() == 0 }), 'two of three places are taken';
my @old = $s->nginx->workers;

$s->nginx->reload;
worked('reload');
moved('reload', 1);
echoes($ws, 'reload');
remembered('reload');
is places(), 0, '... and the places of the old workers';
$_->close for $ws, @seats;
ok poll(10, sub { places() == 2 }), 'which come back';
ok poll(20, sub { !grep { !gone($_) } @old }), 'the old workers are gone';
failed('reload', 0, scalar @old);


# --- workers that are killed, one after the other ------------------------------

@seats = take(2);
ok poll(10, sub { places() == 0 }), 'two places are taken';

for my $pid ($s->nginx->workers) {
    my $known = metric('podi_auth_cache_l2_hits_total');

    kill 'KILL', $pid;
    ok $s->nginx->whole($many, $pid), 'a killed worker is replaced';
    worked('killed');
    remembered('killed');
    cmp_ok metric('podi_auth_cache_l2_hits_total'), '>', $known,
        '... tokens that were verified';
    failed('killed', 1, 1);
}
ok poll(10, sub { places() == 2 }), 'the places of the dead are free';
moved('killed');
$_->close for @seats;


# --- binary upgrade ------------------------------------------------------------

sub pid_file
{
    my ($suffix) = @_;
    my $file = "$dir/run/nginx.pid" . ($suffix // '');

    return -e $file ? (slurp($file) =~ /(\d+)/)[0] // 0 : 0;
}


# of one of two masters: the new one is a child of the old one
sub workers_of
{
    my ($pid, $other) = @_;

    return grep { $_ != $other && !gone($_) } children($pid);
}


# two masters, each with its workers
sub upgraded
{
    my ($what) = @_;
    my $new;

    $s->nginx->remember;
    kill 'USR2', $master;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok poll(20, sub {
        $new = pid_file();
        return pid_file('.oldbin') == $master && $new && $new != $master
               && workers_of($new, 0) == $many;
    }), "$what: a new master and its workers" or BAIL_OUT('no upgrade');
    $s->nginx->remember;
    worked("$what, two masters");
    failed("$what, two masters", 0, 0);
    return $new;
}


# the workers of a master leave, and all that is open goes to the other one
sub withdrawn
{
    my ($what, $signal, $pid, $other) = @_;
    my $still = web_socket_of($pid, $other);
    my @leave = workers_of($pid, $other);

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok stream_is_of(@leave), "$what: the stream is of those who leave";
    kill $signal, $pid;
    moved($what, 1);
    echoes($still, $what);
    $still->close;
    ok poll(20, sub { !grep { !gone($_) } @leave }),
        "$what: the workers are gone";
    worked($what);
    failed($what, 0, scalar @leave);
}


# clients of a worker, by the ends of their connections
sub is_of
{
    my ($sock, @workers) = @_;

    return grep { $_->{remote} == $sock->sockport }
           Podi::Proc::clients_of(\@workers, $s->{port});
}

sub stream_is_of { return scalar is_of($live->{sock}, @_) }


# one that is served by that master's workers
sub web_socket_of
{
    my ($pid, $other) = @_;
    my $ws;

    poll(20, sub { $ws = web_socket();
                   is_of($ws->{sock}, workers_of($pid, $other)) })
        or die "no worker of $pid takes a WebSocket";
    return $ws;
}


my $new = upgraded('upgrade');
withdrawn('upgrade', 'WINCH', $master, $new);
is $s->get('/spent?k=x')->status, 200, 'a new binary counts anew';
is $s->get('/v1/me', as => $who{leaver})->status, 401,
    '... but knows who has left';
is $s->get('/app/x', as => $partner)->status, 200, '... and the keys of others';


# --- and back ------------------------------------------------------------------

kill 'HUP', $master;
ok poll(20, sub { workers_of($master, $new) == $many }),
    'the old master starts workers again';
worked('back, two masters');
failed('back, two masters', 0, 0);
withdrawn('back', 'QUIT', $new, 0);
ok poll(20, sub { gone($new) && pid_file() == $master && !pid_file('.oldbin') }),
    'the new master is gone, and its file';
remembered('back');


# --- and for good --------------------------------------------------------------

$new = upgraded('again');
withdrawn('again', 'WINCH', $master, $new);
kill 'QUIT', $master;
$s->nginx->adopt($new);
is pid_file(), $new, 'the new master alone';
is pid_file('.oldbin'), 0, '... has a file';
is $held->($new), $holds, 'it holds what the first one held';
worked('alone');

@old = $s->nginx->workers;
$s->nginx->reload;
moved('reload of the new', 1);
ok poll(20, sub { !grep { !gone($_) } @old }), 'it reloads';
failed('alone', 0, scalar @old);
@old = ($s->nginx->workers)[0];
kill 'KILL', @old;
ok $s->nginx->whole($many, @old), 'and replaces a killed worker';
worked('alone, killed');
failed('alone, killed', 1, 1);


# --- what came of it -----------------------------------------------------------

$live->close;

for my $name (sort keys %kid) {
    $kid{$name}->tell('enough');
    $kid{$name}->wait(30, "$name ended");
}
failed('at the end', 0, 0);
$server->tell('enough');
$server->wait(10, 'the upstream ended');
$s->allow_errors(qr/exited on signal 9/,
                 qr/connect\(\) failed .*127\.0\.0\.1:$nobody/);
$s->done;
done_testing;
