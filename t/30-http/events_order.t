# Every stream sees every number of its user, once and in order: whatever
# happens to Redis, to PostgreSQL, to nginx and to those who read too slowly.

use strict;
use warnings;
use Test::More;

use POSIX ();
use Podi::Feed;
use Podi::Proc qw( poll gone );
use Podi::Stack;

my $sndbuf = 32768;
my $s = Podi::Stack->new(
    patience => 20,
    # what is freed leaves the process, so that what is pinned can be weighed
    env => { MALLOC_MMAP_THRESHOLD_ => 32768, MALLOC_TRIM_THRESHOLD_ => 32768 },
    http => "podi_event_streams 1000;\npodi_event_drain 1s;\n"
            . "podi_event_keepalive 1s;\n",
    rewrite => sub {
        my ($file, $text) = @_;
        return $text =~ s/(listen 127\.0\.0\.1:\d+);/$1 sndbuf=$sndbuf;/gr;
    })->start;
my @people = map { $s->member($_) } qw( ann bob );
my ($ann, $bob) = @people;


# a stream that remembers what it has had
sub follow
{
    my ($user, %arg) = @_;
    my $self = { user => $user, seen => [], arg => { unchecked => 1, %arg } };

    return connected($self);
}


sub connected
{
    my ($self) = @_;

    $self->{live} = $self->{user} && $s->events(as => $self->{user},
        %{ $self->{arg} }, last_event_id => $self->{seen}[-1] // 0);
    return $self;
}


# reads up to that number, coming back as often as it must
sub read_to
{
    my ($self, $top, $seconds) = @_;
    my $end = time + ($seconds // 30);

    while (($self->{seen}[-1] // 0) < $top && time < $end) {
        my $event = $self->{live}->next_event(1);

        if ($event) {
            push @{ $self->{seen} }, $event->{id}
                if defined $event->{id} && $event->{event} ne 'hello';
            $self->{gaps}++ if $event->{event} eq 'system.gap';

        } elsif ($self->{live}->ended) {
            $self->{live}->close;
            connected($self);
        }
    }
}


sub is_dense
{
    my ($self, $top, $what) = @_;
    my @seen = @{ $self->{seen} };
    my $i = 0;
    local $Test::Builder::Level = $Test::Builder::Level + 1;

    $i++ while $i < @seen && $seen[$i] == $i + 1;
    ok !$self->{gaps} && $i == @seen && $i == $top, $what
        or diag 'after ', $i, ' of ', $top, ' comes ', $seen[$i] // 'nothing';
}


subtest 'writers at once, hints lost, Redis killed' => sub {
    $s->allow_errors(qr/Redis/);

    my @streams = map { follow($_ % 2 ? $ann : $bob) } 1 .. 6;
    my @writers;

    for my $writer (1 .. 3) {
        my $pid = fork // die;
        push @writers, $pid and next if $pid;

        my $ok = eval {
            srand $writer;
            my @feeds = map { Podi::Feed->new($s, $_) } @people;
            for (1 .. 40) {
                for my $feed (@feeds) {
                    my @events = $feed->commit(1 + int rand 3);
                    @events = reverse @events if rand() < 0.2;
                    rand() < 0.3 or $feed->publish($_) for @events;
                }
            }
            1;
        };
        print STDERR $@ if !$ok;
        POSIX::_exit(!$ok);
    }

    for (1 .. 2) {
        read_to($_, 20 + ($_->{seen}[-1] // 0), 5) for @streams;
        $s->redis->kill;
        read_to($_, 20 + $_->{seen}[-1], 5) for @streams;
        $s->redis->start;
        $streams[$_]{live}->close, connected($streams[$_]) for 0, 3;
    }

    for my $pid (@writers) {
        waitpid $pid, 0;
        is $?, 0, 'a writer wrote all';
    }

    my %top = map { $_->{login} => Podi::Feed->new($s, $_)->top } @people;
    read_to($_, $top{ $_->{user}{login} }) for @streams;
    is_dense($_, $top{ $_->{user}{login} },
             "$_->{user}{login}: 1 to $top{ $_->{user}{login} }")
        for @streams;
    $_->{live}->close for @streams;
};

subtest 'PostgreSQL away' => sub {
    $s->allow_errors(qr/PostgreSQL|SQLSTATE|57P0\d/);

    my $feed = Podi::Feed->new($s, $ann);
    my $top = $feed->top;
    my $self = follow($ann);
    read_to($self, $top);

    my ($event) = $feed->commit(1);
    $s->pg->stop;
    $feed->publish({ %$event, seq => $top + 2 });   # makes it pull, in vain
    my $comments = $self->{live}->comments;
    ok poll(10, sub { $self->{live}->next_event(0.2);
                      $self->{live}->comments > $comments }),
       'the stream is still there';
    ok !$self->{live}->ended, 'and open';
    $s->pg->start;
    $s->db->{$_} = undef for qw( super ctl web worker );
    $feed->reconnect;
    read_to($self, $top + 1);
    is_dense($self, $top + 1, 'then it has what it had missed');
    $self->{live}->close;
};

subtest 'a client that does not read' => sub {
    my $feed = Podi::Feed->new($s, $bob);
    my $top = $feed->top;
    my $start = sub { my $f = follow($bob, @_);
                      read_to($f, $top);
                      return $f; };

    # what a worker makes its own when it first has much to send is not meant
    my $warm = $start->();
    $feed->commit(400, 1000);
    $top = $feed->top;
    read_to($warm, $top, 60);
    $warm->{live}->close;

    my $slow = $start->(rcvbuf => 4096);
    my $fast = $start->();
    my $size = sub { my $sum = 0;
        for my $pid ($s->nginx->workers) {
            open my $in, '<', "/proc/$pid/smaps_rollup" or next;
            $sum += $1 while join('', <$in>) =~ /^Pss_Anon:\s+(\d+)/mg;
        }
        return $sum; };
    my $before = $size->();

    # the hints come first, or the position check would make it pull: here its
    # queue has to fill

    my $said = $top;
    $feed->publish({ seq => ++$said, type => 'wallet.granted',
                     data => { ballast => 'x' x 1000 } }) for 1 .. 2000;
    $feed->commit(400, 1000) for 1 .. 5;
    $top = $feed->top;
    read_to($fast, $top, 60);
    is_dense($fast, $top, 'does not hold up another');
    SKIP: {
        skip 'a sanitizer keeps what was freed', 1 if $ENV{SAN};
        cmp_ok $size->() - $before, '<', 500,
               'and pins less than half a MB of 2 (kB)';
    }
    read_to($slow, $top, 60);
    is_dense($slow, $top, 'when it reads, it gets all');
    $_->{live}->close for $slow, $fast;
};

subtest 'reload' => sub {
    my $feed = Podi::Feed->new($s, $ann);
    my @streams = map { follow($ann) } 1 .. 6;
    my @old = $s->nginx->workers;

    read_to($_, $feed->top) for @streams;
    $s->nginx->reload;
    $feed->add(1);

    for my $self (@streams) {
        my ($last, $event);
        while ($event = $self->{live}->next_event(10)) {
            push @{ $self->{seen} }, $event->{id} if defined $event->{id};
            $last = $event;
        }
        is $last->{event} . ' ' . ($last->{data}{reason} // '')
           . ($self->{live}->clean ? ' clean' : ' cut'),
           'system.drain reload clean', 'a stream is sent on';
        $self->{live}->close;
    }

    ok poll(15, sub { !grep { !gone($_) } @old }), 'the old workers leave';
    $feed->add(2);
    for my $self (@streams) {
        read_to(connected($self), $feed->top);
        is_dense($self, $feed->top, 'and nothing is lost');
        $self->{live}->close;
    }
};

subtest 'kill -9' => sub {
    $s->allow_errors(qr/exited on signal 9/);

    my $feed = Podi::Feed->new($s, $ann);
    my @streams = map { follow($ann) } 1 .. 6;
    my @old = $s->nginx->workers;

    read_to($_, $feed->top) for @streams;
    kill 'KILL', @old;
    ok poll(10, sub { @{[ $s->nginx->workers ]} == @old
                      && !grep { !gone($_) } @old }), 'new workers come';
    $feed->add(3);
    read_to($_, $feed->top) for @streams;
    is_dense($_, $feed->top, 'a stream came back and lost nothing')
        for @streams;
    $_->{live}->close for @streams;
};

$s->done;
done_testing;
