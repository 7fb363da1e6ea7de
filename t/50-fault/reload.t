# nginx reloads five times under load: no request fails, no event is missed,
# the old workers go, nothing of theirs stays.
#
#     kids: API kept alive, API afresh, uploads, streams
#     here: reload while a body is half sent, while an answer waits for
#           PostgreSQL, while an upload is half sent; old workers gone; again

use strict;
use warnings;

use Test::More;
use Podi::Fault;
use Podi::Proc qw( poll gone );
use Podi::Stack;
use Podi::Work;

my $RELOADS = 5;
my $BETWEEN = 40;               # requests of each kid, at least
my $BYTES = 200_000;            # of an upload

my $s;
$s = Podi::Stack->new(http => "podi_event_drain 2s;\n", rewrite => sub {
    my ($file, $text) = @_;

    return $text if $file ne 'podi-http.conf';
    return $text =~ s{endpoint=\S+/store}{
        "endpoint=http://127.0.0.1:$s->{port}/store"}er;
});
$s->start;

my $dir = $s->dir . '/fault';
my $w = Podi::Work->new($s->db);
my %who = map { $_ => $s->member($_, points => 100_000) }
          qw( keeper fresher loader );
my %pic = map { $_ => $w->media($who{$_}) } keys %who;
my $jpeg = "\xff\xd8\xff\xe0" . "\0\x10JFIF\0" . 'x' x ($BYTES - 11);

mkdir $dir;


# --- kids ----------------------------------------------------------------------

# tells what was wrong, and counts what was right
sub judge
{
    my ($say, $what, $answer, @right) = @_;
    my $ok = $answer->{end} eq 'ok'
             && grep { $answer->{status} == $_ } @right;

    $say->({ what => $what, ok => $ok ? 1 : 0, end => $answer->{end},
             status => $answer->{status},
             $ok ? () : (body => substr $answer->{body}, 0, 200) });
    return $ok;
}


# makes a task and stops it: seven events, and reads what came of it
sub use_api
{
    my ($login, $keep, $say, $from) = @_;
    my $wire = Podi::Fault::Wire->new($s->{port});
    my $ear = IO::Select->new($from);
    my %as = (as => $who{$login});
    my $ask = sub {
        my ($what, $right, @request) = @_;
        my $answer = $wire->ask(Podi::Fault::request_text($s, @request));

        $wire->close if !$keep;
        return judge($say, $what, $answer, @$right) ? $answer->{body} : undef;
    };

    for (my $n = 0; !$ear->can_read(0); $n++) {
        my $task = $ask->('submit', [ 200, 201 ], 'POST', '/v1/tasks', %as,
            key => "$login-$n", json => { inputs => [ $pic{$login} ],
                actions => [ { action => 'image.thumbnail' } ] });
        my ($id) = ($task // '') =~ /"task_id":"([^"]+)"/ or next;

        $ask->('cancel', [200], 'POST', "/v1/tasks/$id/cancel", %as,
               key => "$login-$n-c");
        $ask->('task', [200], 'GET', "/v1/tasks/$id", %as);
        $ask->('wallet', [200], 'GET', '/v1/wallet', %as);
        $ask->('me', [200], 'GET', '/v1/me', %as);
        $ask->('refused', [401], 'GET', '/v1/me');
    }
    $say->({ again => $wire->{again} });
}


# a permit; the URL's path and the headers that were signed
sub permit
{
    my ($wire, $who) = @_;
    my $answer = $wire->ask(Podi::Fault::request_text($s, 'POST',
        '/v1/media/uploads', as => $who, json => { items => [
            { name => 'a.jpg', type => 'image/jpeg', bytes => $BYTES } ] }));
    my $item = eval { JSON::PP::decode_json($answer->{body})->{items}[0] }
        or return ($answer);

    return ($answer, $item->{media_id},
            $item->{upload}{url} =~ s{^https?://[^/]+}{}r,
            $item->{upload}{headers});
}


sub use_store
{
    my ($say, $from) = @_;
    my $wire = Podi::Fault::Wire->new($s->{port});
    my $ear = IO::Select->new($from);

    until ($ear->can_read(0)) {
        my ($answer, $id, $path, $headers) = permit($wire, $who{loader});

        judge($say, 'announce', $answer, 201) or next;
        $wire->close;
        judge($say, 'put', put($wire, $path, $headers, sub { }), 200);
        judge($say, 'complete', $wire->ask(Podi::Fault::request_text($s,
              'POST', "/v1/media/$id/complete", as => $who{loader})), 200);
    }
    $say->({ again => $wire->{again} });
}


# an upload in pieces; what happens in its middle is the caller's
sub put
{
    my ($wire, $path, $headers, $middle) = @_;
    my $text = Podi::Fault::request_text($s, 'PUT', $path, body => $jpeg,
        headers => { map { $_ => $headers->{$_} }
                     grep { !/^(?:host|content-length)$/i }
                     keys %$headers });
    my $half = length($text) - $BYTES / 2;

    # the host is signed, with its port
    $text =~ s/^Host: localhost/Host: 127.0.0.1:$s->{port}/m;
    $wire->open or return { end => 'refused', status => 0, body => '' };
    $wire->send(substr $text, 0, $half);
    $middle->();
    $wire->send(substr $text, $half);
    my $answer = $wire->answer;
    $wire->close;
    return $answer;
}


# numbers must come one by one, however often the stream moves
sub watch
{
    my ($login, $say, $from) = @_;
    my ($last, $top) = ($who{$login}{start}, undef);
    my $ear = IO::Select->new($from);

    while (!defined $top || $last < $top) {
        my $live = $s->events(as => $who{$login}, last_event_id => $last);

        $say->({ what => 'stream', status => $live->status,
                 ok => $live->status == 200 ? 1 : 0 });
        until (defined $top && $last >= $top) {
            my $event = $live->next_event(0.5);

            $top = 0 + <$from> if !defined $top && $ear->can_read(0);
            last if !$event && $live->ended;
            next if !$event;

            if ($event->{event} eq 'system.drain') {
                $say->({ what => 'drain', ok => 1,
                         why => $event->{data}{reason} });

            } elsif (defined $event->{id} && $event->{event} ne 'hello') {
                $say->({ id => $event->{id},
                         ok => $event->{id} == $last + 1 ? 1 : 0 });
                $last = $event->{id};
            }
        }
        $say->({ what => 'end', clean => $live->{clean} // 0, ok => 1 })
            if $live->ended;
        $live->close;
    }
}


# --- reloads -------------------------------------------------------------------

sub backends
{
    return scalar $s->sql("select count(*) from pg_stat_activity"
                          . " where usename = 'podi_web' and state is not null"
                          . " and application_name not like 'psql%'");
}


sub redis_clients
{
    return scalar grep { /\bid=/ && !/cmd=client/ }
           split /\n/, $s->redis('CLIENT', 'LIST');
}


$_->{start} = $s->get('/v1/events/snapshot', as => $_)->json->{position}
    for values %who;

my %before = (pg => backends(), redis => redis_clients());
my %kid = (
    keeper   => Podi::Fault::Kid->new($dir, sub { use_api('keeper', 1, @_) }),
    fresher  => Podi::Fault::Kid->new($dir, sub { use_api('fresher', 0, @_) }),
    loader   => Podi::Fault::Kid->new($dir, \&use_store),
    (map { my $login = $_; ("watch $login" => Podi::Fault::Kid->new($dir,
        sub { watch($login, @_) })) } qw( keeper fresher )),
);
my @busy = @kid{qw( keeper fresher loader )};


# each kid has asked so often since
sub worked
{
    my ($times) = @_;
    my %was = map { $_ => scalar $_->said } @busy;

    return poll(60, sub {
        !grep { $_->said < $was{$_} + $times } @busy;
    });
}


sub old_gone
{
    my (@old) = @_;

    return poll(20, sub { !grep { !gone($_) } @old });
}


ok worked($BETWEEN), 'the kids are at work';

for my $n (1 .. $RELOADS) {
    my @old = $s->nginx->workers;
    my $body = Podi::Fault::Wire->new($s->{port});
    my $wait = Podi::Fault::Wire->new($s->{port});
    my $store = Podi::Fault::Wire->new($s->{port});
    my $lock = $s->db->login('postgres')->dbh;
    my $text = Podi::Fault::request_text($s, 'POST', '/v1/tasks/quote',
        as => $who{keeper}, json => { inputs => [ $pic{keeper} ],
                                      actions => [ { action => 'image.thumbnail' } ] });
    my (undef, $id, $path, $headers) = permit($store, $who{loader});

    $store->close;
    $lock->begin_work;
    $lock->do('lock table podi.session in access exclusive mode');
    $_->open for $body, $wait;
    $body->send(substr $text, 0, -20);
    $wait->send(Podi::Fault::request_text($s, 'GET', '/v1/me',
                                          as => $who{fresher}));
    poll(10, sub { Podi::Fault::waits($s, 'account_me') })
        or fail 'a request waits';

    my $put = put($store, $path, $headers, sub { $s->nginx->reload });

    $lock->rollback;
    $lock->disconnect;
    $body->send(substr $text, -20);
    is_deeply [ @{$put}{qw( end status )} ], [ 'ok', 200 ],
        "reload $n: an upload that was half sent" or diag $put->{body};
    is_deeply [ @{ $body->answer }{qw( end status )} ], [ 'ok', 200 ],
        '... a body that was half sent';
    is_deeply [ @{ $wait->answer }{qw( end status )} ], [ 'ok', 200 ],
        '... an answer that waited for PostgreSQL';
    $_->close for $body, $wait, $store;
    ok worked($BETWEEN), '... the kids go on';
    ok old_gone(@old), '... the old workers are gone';
}


# --- what came of it -----------------------------------------------------------

$_->tell('enough') for @busy;
$kid{$_}->wait(30, "$_ ended") for qw( keeper fresher loader );

for my $login (qw( keeper fresher )) {
    $kid{"watch $login"}->tell(scalar $s->sql('select top from podi.user_head'
        . ' where user_id = ?', $who{$login}{user}));
    $kid{"watch $login"}->wait(30, "$login has seen the last event");
}

for my $name (sort keys %kid) {
    my @said = $kid{$name}->said;
    my @bad = grep { defined $_->{ok} && !$_->{ok} } @said;
    my ($end) = grep { defined $_->{again} } @said;

    is_deeply [ @bad[ 0 .. ($#bad < 4 ? $#bad : 4) ] ], [],
        "$name: " . @said . ' times, no failure'
        or diag explain @bad;
    note "$end->{again} idle connections were closed" if $end;
}

for my $login (qw( keeper fresher )) {
    my @said = $kid{"watch $login"}->said;
    my @ends = grep { ($_->{what} // '') eq 'end' } @said;

    is scalar(grep { ($_->{what} // '') eq 'drain' } @said), $RELOADS,
        "$login: each reload was announced";
    is scalar(grep { !$_->{clean} } @ends), 0, '... and each end was clean';
    is scalar(grep { $_->{id} } @said),
        scalar($s->sql('select top from podi.user_head where user_id = ?',
                $who{$login}{user})) - $who{$login}{start}, '... no event is missing';
}

poll(10, sub { backends() == $before{pg}
               && redis_clients() == $before{redis} });
is backends(), $before{pg}, 'as many connections to PostgreSQL as before';
is redis_clients(), $before{redis}, 'as many to Redis';
$s->done;
done_testing;
