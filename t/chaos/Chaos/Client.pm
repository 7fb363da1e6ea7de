package Chaos::Client;

# One user at work: orders, cancels, retries, looks at his wallet, and never
# trusts an answer that did not come: the same key again.
#
#     invoke -> ok                          it is done
#            -> fail                        refused: nothing is done
#            -> unknown -> invoke again     or given up, now and then
#
# All that he chooses comes from the seed.

use strict;
use warnings;

use HTTP::Tiny;
use IO::Select;
use IO::Socket::INET;
use Podi::Fault;
use Podi::Proc qw( poll );
use Time::HiRes qw( sleep time );
use Chaos::History;
use Chaos::World;

my @WEIGHTS = ([ image => 22 ], [ graph => 10 ], [ succeed => 12 ],
    [ flaky => 8 ], [ parts => 8 ], [ fail => 8 ], [ progress => 6 ],
    [ slow => 8 ], [ cancel => 8 ], [ retry => 5 ], [ wallet => 5 ]);
my $OPEN = 12;                  # tasks that he has not seen end


sub new
{
    my ($class, %arg) = @_;
    my $self = bless { %arg, op => 0, open => [], over => [],
                       long => [] }, $class;
    my $s = $self->{s};

    srand $arg{seed};
    $self->{direct} = $s->{port};
    $s->{port} = $arg{port};

    # the connections are the run's: here nobody may speak on them
    $self->{kept} = $s->{db};
    $s->{db} = bless {}, 'Chaos::Client::Ids';
    $s->{agent} = HTTP::Tiny->new(agent => 'chaos', keep_alive => 0,
                                  max_redirect => 0, timeout => 4);
    $self->{h} = Chaos::History->new(
        "$arg{dir}/$arg{role}-$arg{who}{login}.jsonl");
    return $self;
}


# until it is time to stop; what was begun is brought to its end
sub work
{
    my ($self, $until) = @_;
    my $pause = $self->{who}{login} eq 'noa' ? 0.05 : 0.15;

    while (time < $until) {
        my $f = $self->choose;

        if ($f eq 'cancel')    { $self->cancel }
        elsif ($f eq 'retry')  { $self->retry }
        elsif ($f eq 'wallet') { $self->wallet }
        else                   { $self->submit($f) }

        sleep rand 2 * $pause;
        $self->look while @{ $self->{open} } > $OPEN && time < $until;
    }
}


sub choose
{
    my ($self) = @_;
    my $at = rand 100;

    for my $w (@WEIGHTS) {
        return $w->[0] if ($at -= $w->[1]) < 0;
    }
    return 'image';
}


# --- asking -------------------------------------------------------------------

# himself, with a token that has not run out
sub me
{
    my ($self) = @_;
    my ($s, $who) = @{$self}{qw( s who )};

    if (time - ($self->{signed} // 0) > 240) {
        $who->{token} = $s->token($who, tid => $who->{tenant});
        $self->{signed} = time;
    }
    return $who;
}


# the answer's JSON when it was done
sub ask
{
    my ($self, $f, $target, $json, %more) = @_;
    my ($s, $h, $who) = (@{$self}{qw( s h )}, $self->me);
    my $op = ++$self->{op};
    my $key = "$who->{login}-$op";
    my @request = ($target, as => $who, key => $key, json => $json);
    my $gives_up = rand() < 0.04;
    my $hasty = rand() < 0.10;
    my $answer;

    $h->say(op => $op, phase => 'invoke', f => $f, key => $key, %more);
    $self->go_away('POST', @request) if $hasty;

    poll($gives_up ? 0 : 45, sub {
        my $res = $s->post(@request, unchecked => 1);
        my ($status, $body) = ($res->status, eval { $res->json });

        if ($status =~ /^20[01]$/ && $body) {
            $h->say(op => $op, phase => 'ok', status => $status, f => $f,
                    task => $body->{task_id}, state => $body->{state});
            return $answer = $body;
        }
        if ($status =~ /^4/ && $status != 429) {
            $h->say(op => $op, phase => 'fail', status => $status, f => $f,
                    code => $res->code);
            return $answer = {};
        }
        $h->say(op => $op, phase => 'unknown', status => $status, f => $f);
        sleep 0.05 + rand 0.2;
        return 0;
    });
    return $answer // {};
}


# asks, and does not stay for the answer; past the proxy, which would keep it
sub go_away
{
    my ($self, @request) = @_;
    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $self->{direct}) or return;

    syswrite $sock, Podi::Fault::request_text($self->{s}, @request);
    sleep rand 0.1;
    close $sock;
}


sub submit
{
    my ($self, $kind) = @_;
    my $who = $self->{who};
    my @names = sort keys %Chaos::World::KINDS;
    my @wanted = ($names[rand @names]);

    push @wanted, $names[rand @names] if rand() < 0.25;
    my $picture = $kind =~ /^(?:image|graph)$/ ? int rand 2 : 0;
    my $order = Chaos::World::order($who, $kind, $picture, @wanted);
    my $body = { %{ $order->{body} } };

    $body->{priority} = $who->{login} eq 'noa' ? 'batch'
        : (qw( interactive normal normal ))[rand 3];

    my $task = $self->ask('submit', '/v1/tasks', $body, kind => $kind,
                          jobs => $order->{jobs})->{task_id} // return;

    # slow ones are for zombies: nobody cancels them
    push @{ $self->{open} }, $task if $kind ne 'slow';
    push @{ $self->{long} }, $task if $kind eq 'progress';
    push @{ $self->{over} }, $task if $kind eq 'fail';
}


# mostly what runs long, sometimes anything
sub cancel
{
    my ($self) = @_;
    my $from = $self->{ @{ $self->{long} } && rand() < 0.8 ? 'long' : 'open' };
    my $task = splice(@$from, rand @$from, 1) // return;

    $self->ask('cancel', "/v1/tasks/$task/cancel", {}, target => $task);
    push @{ $self->{over} }, $task;
}


sub retry
{
    my ($self) = @_;
    my $over = $self->{over};
    my $task = splice(@$over, rand @$over, 1) // return;

    $self->ask('retry', "/v1/tasks/$task/retry", {}, target => $task);
}


# --- looking ------------------------------------------------------------------

sub wallet
{
    my ($self) = @_;
    my $res = $self->{s}->get('/v1/wallet', as => $self->me, unchecked => 1);
    my $w = $res->status == 200 ? $res->json : return;

    $self->{h}->say(op => ++$self->{op}, phase => 'ok', f => 'wallet',
                    available => $w->{available}, frozen => $w->{frozen});
}


# the oldest of his tasks: has it ended?
sub look
{
    my ($self) = @_;
    my $task = shift @{ $self->{open} };
    my $res = $self->{s}->get("/v1/tasks/$task", as => $self->me,
                              unchecked => 1);
    my $body = $res->status == 200 ? eval { $res->json } : undef;

    if ($body && $body->{ended_at}) {
        $self->{h}->say(op => ++$self->{op}, phase => 'ok', f => 'look',
                        task => $task, state => $body->{state});
        return;
    }
    push @{ $self->{open} }, $task;
    sleep 0.05;
}


# --- events -------------------------------------------------------------------

# one user's stream, opened again and again, until he has seen the last
sub listen
{
    my ($self, $from) = @_;
    my ($who, $h, $s) = @{$self}{qw( who h s )};
    my ($last, $top) = ($who->{start}, undef);
    my $ear = IO::Select->new($from);

    while (!defined $top || $last < $top) {
        my $live = eval { $s->events(as => $self->me, last_event_id => $last) };

        if (!$live || $live->status != 200) {
            $h->say(f => 'open', status => $live ? $live->status : 0);
            $top = _top($ear, $from, 0.2) // $top;
            next;
        }

        until (defined $top && $last >= $top) {
            my $event = $live->next_event(0.5);

            $top = _top($ear, $from, 0) // $top;
            last if !$event && $live->ended;
            next if !$event || !defined $event->{id}
                    || $event->{event} eq 'hello';
            $h->say(f => 'event', id => 0 + $event->{id},
                    type => $event->{event});
            $last = $event->{id};
        }
        $live->close;
    }
}


sub _top
{
    my ($ear, $from, $seconds) = @_;

    return if !$ear->can_read($seconds);
    my $line = <$from> // die 'the run has gone';
    return 0 + $line;
}


package Chaos::Client::Ids;

# all that a token asks of a database

sub uuid
{
    return sprintf '%08x-%04x-7%03x-8%03x-%012x', map { int rand $_ }
        2 ** 32, 65536, 4096, 4096, 2 ** 48;
}

1;
