package Chaos::Client;

# One user at work: orders, one or several at once, cancels, retries, looks at
# his wallet, and never trusts an answer that did not come: the same key again.
# Beside him a server of his tenant's that draws on holds of his points.
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
use JSON::PP ();
use Podi::Fault;
use Podi::Proc qw( poll );
use Time::HiRes qw( sleep time );
use Chaos::History;
use Chaos::World;

my @WEIGHTS = ([ image => 14 ], [ graph => 7 ], [ montage => 5 ],
    [ succeed => 9 ], [ flaky => 7 ], [ parts => 7 ], [ fail => 7 ],
    [ progress => 6 ], [ slow => 6 ], [ batch => 7 ], [ hold => 10 ],
    [ again => 2 ], [ cancel => 6 ], [ retry => 4 ], [ wallet => 3 ]);
my $OTHER = qr/^(?:batch|hold|again|cancel|retry|wallet)$/;
my @SINGLE = grep { !/$OTHER|^slow$/ } map { $_->[0] } @WEIGHTS;
my $OPEN = 12;                  # tasks that he has not seen end
my $json = JSON::PP->new->utf8->canonical;


sub new
{
    my ($class, %arg) = @_;
    my $self = bless { %arg, op => 0, open => [], over => [], long => [],
                       holds => [], drawn => [] }, $class;
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

        if ($f =~ $OTHER) { $self->$f }
        else              { $self->submit($f) }

        sleep rand 2 * $pause;
        $self->make_room($until);
    }
    my @holds = @{ $self->{holds} };
    $self->draw($_, 1) for @holds;
    $self->again;
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

    return $self->signed($self->{who});
}


sub signed
{
    my ($self, $who, %claims) = @_;

    if (time - ($who->{signed} // 0) > 240) {
        $who->{token} = $self->{s}->token($who, tid => $who->{tenant}, %claims);
        $who->{signed} = time;
    }
    return $who;
}


# the answer's JSON when it was done; who freezes points brings that to an end
sub ask
{
    my ($self, $f, $target, $json, %more) = @_;
    my ($s, $h) = @{$self}{qw( s h )};
    my $money = $target =~ m{^/v1/wallet/};
    my $who = $money ? $self->signed($self->{who}{shop}, rol => 'service')
                     : $self->me;
    my $op = ++$self->{op};
    my $key = delete $more{key} // "$self->{who}{login}-$op";
    my @request = ($target, as => $who, key => $key, json => $json);
    my $gives_up = rand() < 0.04 && !$money;
    my $hasty = rand() < 0.10;
    my $answer;

    $h->say(op => $op, phase => 'invoke', f => $f, key => $key,
            hasty => 0 + $hasty, %more);
    $self->go_away('POST', @request) if $hasty;

    poll($gives_up ? 0 : 45, sub {
        my $res = $s->post(@request, unchecked => 1);
        my ($status, $body) = ($res->status, eval { $res->json });

        if ($status =~ /^20[01]$/ && $body) {
            $h->say(op => $op, phase => 'ok', status => $status, f => $f,
                    told($body, $money));
            return $answer = $body;
        }
        if ($status =~ /^4/
            && ($status != 429 || ($res->code // '') eq 'quota_exceeded'))
        {
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


# what of an answer is kept
sub told
{
    my ($body, $money) = @_;

    return (said => $json->encode({ %$body, is_new => undef })) if $money;
    return (items => [ map { { task => $_->{task}{task_id},
                               code => $_->{problem}{code} } }
                       @{ $body->{items} } ]) if $body->{items};
    return (task => $body->{task_id}, state => $body->{state});
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


# what he wants, as the checker and as the server must hear it
sub wish
{
    my ($self, $kind) = @_;
    my $who = $self->{who};
    my @names = sort keys %Chaos::World::KINDS;
    my @wanted = ($names[rand @names]);

    push @wanted, $names[rand @names] if rand() < 0.25;
    my $picture = $kind =~ /^(?:image|graph|montage)$/ ? int rand 2 : 0;
    my $order = Chaos::World::order($who, $kind, $picture, @wanted);

    return { kind => $kind, jobs => $order->{jobs},
             body => { %{ $order->{body} },
                       priority => $who->{login} eq 'noa' ? 'batch'
                           : (qw( interactive normal normal ))[rand 3] } };
}


sub submit
{
    my ($self, $kind) = @_;
    my $wish = $self->wish($kind);

    $self->began($kind, $self->ask('submit', '/v1/tasks', $wish->{body},
        kind => $kind, jobs => $wish->{jobs})->{task_id});
}


# several at once; now and then one that must be refused is among them
sub batch
{
    my ($self) = @_;
    my @kinds = map { $SINGLE[rand @SINGLE] } 0 .. 1 + rand 2;

    splice @kinds, rand @kinds + 1, 0, 'refused' if rand() < 0.5;
    my @wishes = map { $self->wish($_) } @kinds;
    my @bodies = map { delete $_->{body} } @wishes;
    my $items = $self->ask('batch', '/v1/tasks/batch', { orders => \@bodies },
                           orders => \@wishes)->{items} // return;

    $self->began($kinds[$_], $items->[$_]{task}{task_id}) for 0 .. $#kinds;
}


sub began
{
    my ($self, $kind, $task) = @_;

    # slow ones are for zombies: nobody cancels them
    return if !$task;
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


# --- a server that draws on his points ----------------------------------------

sub hold
{
    my ($self) = @_;
    my $holds = $self->{holds};

    return $self->draw($holds->[rand @$holds]) if @$holds && rand() < 0.6;

    # now and then nobody draws on it, and it runs out
    my $forgotten = rand() < 0.15;
    my $hold = { ref => "$self->{who}{login}-h" . ($self->{op} + 1),
                 left => 10 + int rand 90 };

    $self->spend('freeze', { user_id => $self->{who}{user},
        amount => $hold->{left}, ref => $hold->{ref}, reason => 'chaos',
        ttl_ms => $forgotten ? 1500 : 86_400_000 }, $hold->{ref}) or return;
    push @$holds, $hold if !$forgotten;
}


# a part of what is left, all of it, or more than that, which must be refused
sub draw
{
    my ($self, $hold, $all) = @_;
    my $left = $hold->{left};
    my $over = !$all && rand() < 0.2;
    my $part = $over ? $left + 1 : 1 + int rand $left;
    my $verb = (qw( confirm confirm release ))[rand 3];
    my %body = (ref => $hold->{ref}, amount => $part);

    delete $body{amount} if $all && rand() < 0.5;
    $body{final} = JSON::PP::true() if $all && $verb eq 'confirm';
    delete $body{amount} if $all && $verb eq 'release';

    my $said = $self->spend($verb, \%body, $hold->{ref}) // return;
    $hold->{left} = $said->{amount} - $said->{captured} - $said->{released};
    @{ $self->{holds} } = grep { $_->{left} > 0 } @{ $self->{holds} };
}


# nobody else draws on the hold: the order of what is asked is what it is
sub spend
{
    my ($self, $verb, $body, $ref) = @_;
    my $said = $self->ask($verb, "/v1/wallet/$verb", $body, ref => $ref,
                          (map { $_ => $body->{$_} } grep { $body->{$_} }
                           qw( amount final ttl_ms )));

    return if !$said->{hold_id};
    push @{ $self->{drawn} }, [ $verb, $body, $self->{op} ];
    return $said;
}


# the same key and body long after: the same answer
sub again
{
    my ($self) = @_;
    my $drawn = $self->{drawn};
    my ($verb, $body, $op) = @{ $drawn->[rand @$drawn] // return };

    $self->ask('again', "/v1/wallet/$verb", $body, of => $op,
               key => "$self->{who}{login}-$op");
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


# looks at his tasks, and waits for news of them, until few are open
sub make_room
{
    my ($self, $until) = @_;
    my $live;

    while (@{ $self->{open} } > $OPEN && time < $until) {
        next if $self->look;

        $live //= $self->opened($until) // last;
        undef $live if !$live->next_event(1) && $live->ended;
    }
    $live->close if $live;
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
        return 1;
    }
    push @{ $self->{open} }, $task;
    return 0;
}


# his stream, as soon as somebody answers; nothing when it is time to stop
sub opened
{
    my ($self, $until) = @_;

    return scalar poll($until - time, sub {
        my $live = eval { $self->{s}->events(as => $self->me) };

        return $live && $live->status == 200 ? $live : undef;
    });
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
