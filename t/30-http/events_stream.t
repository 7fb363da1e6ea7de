# GET /v1/events: who gets in, where a stream begins, what comes, how it ends.

use strict;
use warnings;
use Test::More;

use Digest::SHA qw( sha256 );
use Podi::Feed;
use Podi::Stack;

my $s = Podi::Stack->new(
    http => "podi_event_streams 3;\n",
    rewrite => sub { $_[1] =~ s/worker_processes 2;/worker_processes 1;/r },
)->start;
my $ann = $s->member('ann');
my $bob = $s->member('bob');
my $feed = Podi::Feed->new($s, $ann);


# reads until it ends; the last event, and whether the end was the server's
sub ends
{
    my ($live, $seconds) = @_;
    my ($last, $event);

    $last = $event while $event = $live->next_event($seconds);
    $live->close;
    return join ' ', $last ? ($last->{event}, $last->{data}{code}
                              // $last->{data}{reason} // '') : 'nothing',
                     $live->ended ? $live->clean ? 'clean' : 'cut' : 'open';
}


sub ids
{
    my ($live, $n) = @_;

    return join ' ', map { my $e = $live->next_event(10);
                           $e ? $e->{id} // $e->{event} : 'none' } 1 .. $n;
}


subtest 'the beginning' => sub {
    my $live = $s->events(as => $ann);

    is $live->status, 200, 'a stream';
    like $live->head, qr{^Content-Type: text/event-stream}mi, 'of its type';
    like $live->head, qr{^Cache-Control: no-store}mi, 'for nobody to keep';
    like $live->head, qr{^X-Accel-Buffering: no}mi, 'or to hold back';

    my $hello = $live->next_event(10);
    is $hello->{event}, 'hello', 'it says hello';
    is $hello->{id}, 0, 'and where it begins';
    is $hello->{data}{keepalive}, 15, 'how often it is heard of';
    like $live->{retry}, qr/^[1-5]\d{3}$/, 'and when to come back';

    $feed->add(2);
    is ids($live, 2), '1 2', 'what happens is told';
    $feed->commit(1);
    is ids($live, 1), '3', 'also when its hint was lost';
    $live->close;
};

subtest 'resuming' => sub {
    my $live = $s->events(as => $ann, last_event_id => 1);
    is ids($live, 3), '1 2 3', 'after the header';
    $live->close;

    $live = $s->events(as => $ann, target => '/v1/events?last_event_id=2');
    is ids($live, 2), '2 3', 'after the parameter';
    $live->close;

    $live = $s->events(as => $ann, last_event_id => 2,
                       target => '/v1/events?last_event_id=0');
    is ids($live, 2), '2 3', 'the header is newer than the parameter';
    $live->close;

    for my $strange (99, -1, 'abc', '1x', '9' x 30) {
        $live = $s->events(as => $ann, last_event_id => $strange);
        my $gap = $live->next_event(10);
        is_deeply $gap->{data},
            { from => undef, to => 3, reason => 'unknown_position' },
            "$strange is no position: said";
        is ids($live, 1), '3', 'and it begins now';
        $live->close;
    }

    is $s->get('/v1/events?last_event_id=%zz', as => $ann)->status, 422,
       'a parameter that cannot be read';
    is $s->get('/v1/events?from=1', as => $ann)->code, 'bad_field',
       'one that does not exist';
};

subtest 'what retention took' => sub {
    $feed->commit(4);                                       # 4 5 6 7
    my $live = $s->events(as => $ann, last_event_id => 7);
    is ids($live, 1), '7', 'a stream that has everything';

    $s->sql('delete from podi.user_event where user_id = ? and seq <= 5',
            $ann->{user_id});
    $s->sql('update podi.user_head set floor = 5 where user_id = ?',
            $ann->{user_id});

    my $late = $s->events(as => $ann, last_event_id => 2);
    is_deeply $late->next_event(10)->{data},
        { from => 3, to => 5, reason => 'retention' }, 'is told to the late';
    is ids($late, 3), '5 6 7', 'who get the rest';
    $late->close;

    # all of what a stream that is open has not had yet

    $feed->commit(2);                                       # 8 9
    $s->sql('delete from podi.user_event where user_id = ?', $ann->{user_id});
    $s->sql('update podi.user_head set floor = 9 where user_id = ?',
            $ann->{user_id});
    is_deeply $live->next_event(10)->{data},
        { from => 8, to => 9, reason => 'retention' },
        'and to a stream that is open';
    $feed->add(1);
    is ids($live, 1), '10', 'which goes on';
    $live->close;
};

subtest 'hints are hints' => sub {
    my $live = $s->events(as => $ann);
    is ids($live, 1), '10', 'begins now';

    my ($event) = $feed->commit(1);
    my $hint = { %$event, seq => 4711 };
    $feed->publish($hint);
    is ids($live, 1), '11', 'a number from nowhere brings what there is';
    $feed->publish($event) for 1, 2;
    $feed->publish('{"seq":');
    $feed->publish({ type => 'job.progress', user_id => $ann->{user_id},
                     task_id => $event->{tenant_id},
                     job_id => $event->{tenant_id}, progress => 40 });
    my $tick = $live->next_event(10);
    is $tick->{event}, 'job.progress', 'what was said twice is told once';
    is $tick->{id}, undef, 'progress has no number';
    is $tick->{data}{progress}, 40, 'but news';
    $feed->add(1);
    is ids($live, 1), '12', 'and numbers go on';
    $live->close;
};

subtest 'whose' => sub {
    my $live = $s->events(as => $bob);
    is ids($live, 1), '0', 'another user';
    $feed->add(1);
    Podi::Feed->new($s, $bob)->add(1);
    my $event = $live->next_event(10);
    is $event->{id}, 1, 'gets his own, by his own numbers';
    $live->close;

    is $s->events->status, 401, 'nobody gets none';
    is $s->events(as => 'x.y.z')->status, 401, 'nor who says so';
    is $s->events(as => $s->token($ann, exp => time - 60))->status, 401,
       'nor who was';
};

subtest 'the ways in of a page' => sub {
    my $live = $s->events(headers => { Cookie => "__Host-podi_s=$ann->{token}" });
    is ids($live, 1), $feed->top, 'a cookie';
    $live->close;

    my $issue = sub {
        my $res = $s->post('/v1/events/ticket', as => $ann);
        is $res->status, 201, 'a ticket is issued';
        return $res->json->{ticket};
    };
    my $enter = sub { $s->events(target => "/v1/events?ticket=$_[0]") };

    my $ticket = $issue->();
    $live = $enter->($ticket);
    is ids($live, 1), $feed->top, 'a ticket';
    $feed->add(1);
    is ids($live, 1), $feed->top, 'is as good';
    is $enter->($ticket)->status, 401, 'once';
    $live->close;

    $ticket = $issue->();
    $s->sql("update podi.event_ticket set expires_at = now() - interval '1 s'");
    is $enter->($ticket)->status, 401, 'not later';
    is $enter->('A' x 43)->status, 401, 'not guessed';
    is $enter->('A')->status, 401, 'nor a part of one';

    my $tenant = $s->db->tenant('other');
    my $eve = $s->db->user($tenant, 'eve');
    my $session = $s->db->uuid;
    my $key = 'B' x 43;
    $s->db->{web}->one($s->db->anon($tenant),
        'select * from api.session_open(?, ?, ?, ?, ?, ?, ?)', $session,
        $eve->{user}, 'local', 'test', '127.0.0.0/24', 3600_000, 86400_000);
    $s->db->{web}->one($s->db->as($eve),
        'select * from api.event_ticket_issue(?, ?, 30000)',
        \sha256($key), $session);
    is $enter->($key)->status, 401, "nor another tenant's";

    is $s->post('/v1/events/ticket')->status, 401, 'nobody gets a ticket';
    is $s->get("/v1/events?ticket=$key&ticket=$key")->status, 422, 'not twice';
};

subtest 'what is no stream' => sub {
    my $head = $s->head('/v1/events', as => $ann);
    is $head->status . ' ' . $head->header('content-type'),
       '200 text/event-stream; charset=utf-8', 'HEAD looks';

    my $live = $s->events(as => $ann, headers => { 'If-None-Match' => '*' });
    is $live->status, 200, 'nobody has it already';
    is ids($live, 1), $feed->top, 'so it is sent';
    $live->close;
};

subtest 'a body is not the next request' => sub {
    my $hidden = "GET /v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    my $head = "Host: x\r\nAuthorization: Bearer $ann->{token}\r\n";

    for my $method (qw( HEAD GET )) {
        my $res = $s->raw("$method /v1/events HTTP/1.1\r\n${head}"
            . 'Content-Length: ' . length($hidden) . "\r\n\r\n$hidden"
            . "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

        is $res->status, 400, "$method with a body is refused";
        is_deeply [$res->body =~ m{HTTP/1\.1 (\d+)}g], [200],
            'and what follows it is one request';
    }
};

subtest 'too many of one user' => sub {
    my @live = map { $s->events(as => $ann) } 1 .. 3;
    is ids($_, 1), $feed->top, 'a stream' for @live;

    my $more = $s->events(as => $ann);
    is $more->status, 200, 'one more begins, as an EventSource needs it';
    is ends($more, 10), 'system.busy rate_limited clean', 'and ends';
    is $more->{retry}, 60000, 'for a while';

    $live[0]->close;
    my $again;
    ok $s->wait_for(sub {
        $again = $s->events(as => $ann);
        my $event = $again->next_event(10);
        return 1 if $event->{event} eq 'hello';
        $again->close;
        return 0;
    }, 10, 'another one'), 'until one has gone';
    $_->close for $again, @live[1, 2];
};

subtest 'the end of a credential' => sub {
    my $live = $s->events(as => $s->token($ann, exp => time + 2));
    is ids($live, 1), $feed->top, 'a token that ends soon';
    my ($end, $event) = time + 15;
    while (time < $end) {                       # busy, so never silent
        $feed->add(1);
        $event = $live->next_event(5) or last;
        last if $event->{event} eq 'auth';
    }
    is $event->{data}{code}, 'token_expired', 'ends a stream that is busy';
    is ends($live, 5), 'nothing clean', 'cleanly';

    my $cat = $s->member('cat');
    my $other = $s->db->uuid;
    $s->db->{web}->one($s->db->anon($s->{tenant_id}),
        'select * from api.session_open(?, ?, ?, ?, ?, ?, ?)', $other,
        $cat->{user_id}, 'local', 'test', '127.0.0.0/24', 3600_000, 86400_000);
    my @live = map { $s->events(as => $_) } $cat, $s->token($cat, sid => $other);
    is ids($_, 1), 0, 'two sessions of one user' for @live;
    is $s->post('/v1/auth/logout', as => $cat)->status, 204, 'one ends';
    $live[0]->until('session.revoked', 10);
    is ends($live[0], 10), 'auth token_revoked clean', 'and its stream';
    $live[1]->until('session.revoked', 10);
    Podi::Feed->new($s, $cat)->add(1);
    is ids($live[1], 1), 2, 'but not the other';
    $live[1]->close;
    is $s->events(as => $cat)->status, 401, 'nor does it come back';

    # a session that PostgreSQL ended, and nobody said so

    my $dan = $s->member('dan');
    my $silent = $s->events(as => $dan);
    is ids($silent, 1), 0, 'a session';
    $s->sql("update podi.session set revoked_at = now(), revoke_reason ="
            . " 'admin' where session_id = ?", $dan->{session});
    is ends($silent, 10), 'auth token_revoked clean',
       'ended elsewhere: the stream ends all the same';
};

subtest 'a token of it is revoked' => sub {
    my $fay = $s->member('fay');
    my %token = map { $_ => $s->token($fay, jti => $s->db->uuid) }
        qw( lost kept );
    my $ticket = $s->post('/v1/events/ticket', as => $token{lost})
        ->json->{ticket};
    my %live = ((map { $_ => $s->events(as => $token{$_}) } keys %token),
                ticket => $s->events(target => "/v1/events?ticket=$ticket"));

    is ids($live{$_}, 1), 0, "a stream: $_" for sort keys %live;
    is $s->post('/v1/auth/revoke', as => $token{kept}, json => {
        token => $token{lost} })->status, 204, 'a lost token';
    is ends($live{$_}, 10), 'auth token_revoked clean', "ends: $_"
        for qw( lost ticket );

    my $shop = $s->events(as => $s->token($fay, chn => 'shop'));
    is ids($shop, 1), 0, 'a stream of a channel';
    $s->sql("select kind from sys.revoke('channel', '', 'shop', null, 60,"
            . " 'a test')");
    is ends($shop, 10), 'auth token_revoked clean',
        'ends with what the channel handed out';
    Podi::Feed->new($s, $fay)->add(1);
    is ids($live{kept}, 1), 1, 'and no other';
    $live{kept}->close;
};

$s->done;
done_testing;
