# Clients that go away at every point where a request waits, streams that are
# reset, nginx workers that are killed: nothing leaks, nothing is done twice,
# the next one is served.
#
#     settled(): /metrics says that no worker waits for anything any more
#
# PODI_FAULT_ABORTS (10000), PODI_FAULT_SEED repeat the last part.

use strict;
use warnings;

use Socket qw( SOL_SOCKET SO_LINGER );
use Test::More;
use Time::HiRes qw( time );
use Podi::Fault;
use Podi::H2;
use Podi::Proc qw( poll open_files );
use Podi::Stack;
use Podi::Work;

my $ABORTS = $ENV{PODI_FAULT_ABORTS} // 10_000;
my $SEED = $ENV{PODI_FAULT_SEED} // time ^ $$;
my $ROUNDS = 4;
my $GROWTH = 2048;              # KiB, between the first round and the last
my $BYTES = 300_000;            # of an upload

note "PODI_FAULT_SEED=$SEED PODI_FAULT_ABORTS=$ABORTS";
srand $SEED;

my $s = Podi::Stack->new;
$s->{rewrite} = sub {
    my ($file, $text) = @_;

    return $text if $file ne 'podi-http.conf';
    return $text =~ s{endpoint=\S+/store}{
        "endpoint=http://127.0.0.1:$s->{port}/store"}er;
};
$s->start;

my $w = Podi::Work->new($s->db);
my $ann = $s->register('annie');
$s->login($ann);
$ann = { %$ann, tenant => $s->{tenant_id}, user => $ann->{user_id} };
$s->grant($ann, 1_000_000);
my $pic = $w->media($ann);
my $jpeg = "\xff\xd8\xff\xe0" . "\0\x10JFIF\0" . 'x' x ($BYTES - 11);
my %THUMBNAIL = (json => { inputs => [$pic],
                           actions => [ { action => 'image.thumbnail' } ] });


# --- what is looked at ---------------------------------------------------------

# the sum of a gauge over the workers
sub gauge
{
    my ($name) = @_;
    my ($value) = $s->get('/metrics')->body =~ /^$name(?:\{[^}]*\})? (\S+)$/m;

    return $value // die "$name is not told";
}


my @IDLE = qw( podi_pg_in_flight podi_pg_waiting podi_pg_tombstones
               podi_threads_running podi_threads_waiting );

# nothing waits and nothing is left of those who went
sub settled
{
    my ($what) = @_;
    my @left;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    poll(20, sub { @left = grep { gauge($_) != 0 } @IDLE; !@left });
    return is "@left", '', "$what: nothing is left";
}


# runs the code while a table is locked: a call waits for it, its caller goes
sub held
{
    my ($table, $call, $code) = @_;
    my $dbh = $s->db->login('postgres')->dbh;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $dbh->begin_work;
    $dbh->do("lock table podi.$table in access exclusive mode");
    $code->(sub {
        poll(10, sub { Podi::Fault::waits($s, $call) })
            or fail "$call waits for podi.$table";
    });
    ok poll(10, sub { gauge('podi_pg_tombstones') > 0 }),
        "who waited for podi.$table leaves a tombstone";
    $dbh->rollback;
    $dbh->disconnect;
}


sub wire
{
    my ($text) = @_;
    my $wire = Podi::Fault::Wire->new($s->{port});

    $wire->open or die 'nginx does not listen';
    $wire->send($text) if defined $text;
    return $wire;
}


sub text { return Podi::Fault::request_text($s, @_) }

# half of the connections end with FIN, half with RST
sub go
{
    my ($wire) = @_;

    setsockopt $wire->{sock}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0
        if rand() < .5;
    $wire->close;
}


# --- submit ----------------------------------------------------------------------

my $submit = text('POST', '/v1/tasks', as => $ann, key => 'gone', %THUMBNAIL);
my $body = index($submit, "\r\n\r\n") + 4;

for my $at (0, 10, $body - 2, $body, $body + 20, length($submit) - 1) {
    go(wire(substr $submit, 0, $at));
}
settled('submit in pieces');
is scalar($s->sql('select count(*) from podi.task_header')), 0,
    'of a request that never ended nothing is done';

for my $table (qw( media wallet )) {
    held($table, 'task_submit', sub {
        my ($wait) = @_;
        my $wire = wire($submit =~ s/: gone\b/: gone-$table/r);

        $wait->();
        go($wire);
    });
    settled("submit that waits for podi.$table");
    like $s->post('/v1/tasks', as => $ann, key => "gone-$table", %THUMBNAIL)
        ->status, qr/^20[01]$/, 'asked again with the same key';
    is $s->post('/v1/tasks', as => $ann, key => "gone-$table", %THUMBNAIL)
        ->status, 200, 'and again';
}
is scalar($s->sql('select count(*) from podi.task_header')), 2,
    'each key is one task';
is $s->get('/v1/wallet', as => $ann)->json->{frozen}, 2,
    'whose price is frozen once';


# --- upload ------------------------------------------------------------------------

sub permit
{
    my $item = $s->post('/v1/media/uploads', as => $ann, json => { items => [
        { name => 'a.jpg', type => 'image/jpeg', bytes => $BYTES } ] })
        ->json->{items}[0];
    my $path = $item->{upload}{url} =~ s{^https?://[^/]+}{}r;
    my %headers = %{ $item->{upload}{headers} };

    delete @headers{ grep { /^(?:host|content-length)$/i } keys %headers };
    my $put = text('PUT', $path, body => $jpeg, headers => \%headers)
        =~ s/^Host: \w+/Host: 127.0.0.1:$s->{port}/mr;
    return ($put, $path, \%headers);
}


sub objects
{
    my $n = () = glob $s->dir . '/store/*/objects/*/*/*';

    return $n;
}


my ($put, $put_path, $put_headers) = permit();
my $bytes = index($put, "\r\n\r\n") + 4;

for my $at (20, $bytes, $bytes + 1, $bytes + 100_000, length($put) - 1) {
    go(wire(substr $put, 0, $at));
}
settled('upload in pieces');
is objects(), 0, 'no object of a body that was cut';

go(wire($put)) for 1 .. 4;
settled('upload whose answer nobody reads');
ok poll(10, sub { my $wire = wire($put); my $r = $wire->answer; $wire->close;
                  $r->{status} =~ /^(?:200|412)$/ }), 'sent again';
is objects(), 1, 'one object';


# --- login --------------------------------------------------------------------------

my $login = text('POST', '/v1/auth/login', json => {
    login => $ann->{login}, password => $ann->{password} });

go(wire(substr $login, 0, length($login) - 5));
go(wire($login)) for 1 .. 3;
settled('login that is hashed');

held('users', 'account_credential', sub {
    my ($wait) = @_;
    my $wire = wire($login);

    $wait->();
    go($wire);
});
settled('login that waits for podi.users');

# found, hashed, and then held up where the session is made
held('session', 'session_open', sub {
    my ($wait) = @_;
    my $wire = wire($login);

    $wait->();
    go($wire);
});
settled('login that waits for podi.session');
is $s->login($ann)->status, 200, 'signing in works';


# --- stream -------------------------------------------------------------------------

my $stream = text('GET', '/v1/events', as => $ann,
                  headers => { Accept => 'text/event-stream',
                               'Last-Event-ID' => 0 });

go(wire($stream)) for 1 .. 10;
settled('streams that nobody reads');
held('user_event', 'event_', sub {
    my ($wait) = @_;
    my $wire = wire($stream);

    $wait->();
    go($wire);
});
settled('stream that waits for podi.user_event');

my $live = wire($stream);
ok poll(10, sub { sysread $live->{sock}, my $got, 65536; $got =~ /\nid: / }),
    'a stream that has begun';
go($live);
is $s->post('/v1/tasks', as => $ann, key => 'live', %THUMBNAIL)->status, 201,
    'an event for who has gone';
settled('stream that was live');


# --- HTTP/2 -------------------------------------------------------------------------

my $h2 = Podi::H2->new($s);
my $ask = JSON::PP->new->canonical->encode($THUMBNAIL{json});
my $headers = $s->headers_of(as => $ann, key => 'reset', %THUMBNAIL);

for my $table (qw( media wallet )) {
    my $key = "reset-$table";
    my $id = $h2->open('POST', '/v1/tasks',
        $s->headers_of(as => $ann, key => $key, %THUMBNAIL), more => 1);

    held($table, 'task_submit', sub {
        my ($wait) = @_;

        $h2->data($id, $ask);
        $wait->();
        $h2->reset($id);
        ok $h2->settled, "reset while it waits for podi.$table";
    });
    settled('reset');
    is $h2->status($h2->open('GET', '/v1/wallet', $s->headers_of(as => $ann))),
        200, 'the connection goes on';
    like $s->post('/v1/tasks', as => $ann, key => $key, %THUMBNAIL)->status,
        qr/^20[01]$/, 'asked again with the same key';
    is $s->post('/v1/tasks', as => $ann, key => $key, %THUMBNAIL)->status, 200,
        'it is one task';
}

my $half = $h2->open('POST', '/v1/tasks', $headers, more => 1);
$h2->data($half, substr($ask, 0, 10), more => 1);
$h2->reset($half);

my $open = $h2->open('GET', '/v1/events', { %{ $s->headers_of(as => $ann) },
                                            'last-event-id' => 0 });
like $h2->text($open, qr/task\.queued/), qr/event: hello/, 'a stream';
$h2->reset($open);

(undef, $put_path, $put_headers) = permit();
$open = $h2->open('PUT', $put_path, { %$put_headers,
    'content-length' => $BYTES }, more => 1,
    authority => "127.0.0.1:$s->{port}");
$h2->data($open, substr($jpeg, $_ * 16_000, 16_000), more => 1) for 0 .. 2;
$h2->reset($open);
ok $h2->settled, 'body, stream and upload are reset';
settled('resets');
is objects(), 1, 'no object of an upload that was reset';
is $h2->status($h2->open('GET', '/v1/me', $s->headers_of(as => $ann))), 200,
    'and the connection goes on';

# all streams of a connection at once
$h2->open('GET', '/v1/wallet', $s->headers_of(as => $ann)) for 1 .. 50;
$h2->close;
settled('a connection with 50 requests');


# --- killed workers -----------------------------------------------------------------

# while threads hash, PostgreSQL is asked, an upload arrives, a stream is open
my $many = $s->nginx->workers;

for my $round (1 .. 6) {
    my @wires = map { wire($_) } ($login) x 2, $submit, $stream,
        substr($put, 0, $bytes + 100_000);
    my @old = $s->nginx->workers;

    if ($round % 2) {
        poll(5, sub { gauge('podi_threads_running') > 0 });
    }
    my @dead = $round > 4 ? @old : $old[rand @old];
    kill 'KILL', @dead;
    ok $s->nginx->whole($many, @dead), "round $round: another is started";
    $_->close for @wires;
}
settled('killed workers');
is $s->login($ann)->status, 200, 'signing in works';
is $s->post('/v1/tasks', as => $ann, key => 'gone', %THUMBNAIL)->status
   =~ /^20[01]$/ ? 1 : 0, 1, 'so does submitting';
is_deeply $s->db->breaks, [], 'no invariant is broken';


# --- 10,000 at once -----------------------------------------------------------------

# a key that has no object: after a refusal that did not need the body nginx
# may keep the connection, for keepalive_timeout
($put) = permit();

my @QUICK = (
    sub { text('POST', '/v1/tasks', as => $ann, key => "quick-$_[0]",
               %THUMBNAIL) },
    sub { text('GET', '/v1/wallet', as => $ann) },
    sub { text('GET', '/v1/tasks', as => $ann) },
    sub { text('GET', '/v1/me', as => $ann) },
    sub { $stream },
    sub { substr $put, 0, $bytes + 1000 },
    sub { substr $submit, 0, $body + rand 40 },
);


# what the workers hold, in KiB and in descriptors that are no clients
sub held_by_workers
{
    my ($kib, $fds) = (0, 0);

    for my $pid ($s->nginx->workers) {
        my ($sockets, $files) = open_files($pid);

        $kib += (Podi::Fault::slurp("/proc/$pid/status")
                 =~ /^RssAnon:\s+(\d+)/m)[0];
        $fds += keys(%$sockets) + @$files;
    }
    return ($kib, $fds);
}


my $began = time;
my @workers = sort $s->nginx->workers;
my (@kib, @fds);

for my $round (1 .. $ROUNDS) {
    for my $n (1 .. $ABORTS / $ROUNDS) {
        go(wire($QUICK[rand @QUICK]->("$round-$n")));
    }
    settled("round $round of " . $ABORTS / $ROUNDS . ' aborted requests');
    poll(10, sub { !$s->_left_behind });

    my ($kib, $fds) = held_by_workers();
    push @kib, $kib;
    push @fds, $fds;
}
note sprintf '%d in %.1f s; KiB: %s; descriptors: %s', $ABORTS, time - $began,
    "@kib", "@fds";

is_deeply [ sort $s->nginx->workers ], \@workers, 'by the same workers';
SKIP: {
    skip 'the sanitizer keeps what was freed', 1 if $ENV{SAN};
    cmp_ok $kib[-1] - $kib[0], '<', $GROWTH, 'their memory is flat';
}
is $fds[-1], $fds[0], 'they hold as many descriptors';
is scalar($s->sql('select count(*) from podi.task_header')),
    scalar($s->sql('select count(*) from podi.idempotency')),
    'no key made two tasks';

$s->allow_errors(qr/exited on signal 9/);
$s->done;
done_testing;
