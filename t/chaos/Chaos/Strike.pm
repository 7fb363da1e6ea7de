package Chaos::Strike;

# What happens to the world, by the seed: deaths, pauses, lost servers, bad
# lines, new budgets.  Each strike mends what it broke, but for what mends
# itself.

use strict;
use warnings;

use List::Util qw( shuffle );
use Podi::Proc qw( poll children gone name_of );
use Time::HiRes qw( sleep time );
use Chaos::History;
use Chaos::World;

my @STRIKES = (
    [ kill_child => 4 ], [ kill_pair => 1 ], [ kill_picture => 1 ],
    [ kill_nginx => 2 ], [ pause => 3 ], [ zombie => 1 ],
    [ redis_flush => 2 ], [ redis_kill => 1 ], [ pg_restart => 2 ],
    [ line => 5 ], [ front => 3 ], [ budget => 2 ],
);


sub new
{
    my ($class, $world, $seed) = @_;
    my $self = bless { world => $world, rig => $world->{rig},
                       s => $world->{s}, turn => [qw( zombie zombie )] }, $class;

    $self->{h} = Chaos::History->new("$world->{dir}/strikes.jsonl");
    srand $seed;
    return $self;
}


# strikes until it is time
sub work
{
    my ($self, $until) = @_;
    my %count;

    while (time < $until) {
        if (!@{ $self->{turn} }) {
            $self->{turn} = [ shuffle map { ($_->[0]) x $_->[1] } @STRIKES ];
        }
        my $name = shift @{ $self->{turn} };
        my $what = $self->$name // 'nothing';

        $self->{h}->say(strike => $name, what => $what);
        $count{$name}++;
        $self->{rig}->mend;
        sleep 0.2 + rand 1;
    }
    return %count;
}


sub _pairs
{
    my ($self, @daemons) = @_;
    my $pairs = $self->{rig}{pairs};

    return map { $pairs->{$_} } grep { my $name = $_;
        grep { $name =~ /^podi_$_-/ } @daemons } sort keys %$pairs;
}


sub _one
{
    my (@of) = @_;

    return $of[rand @of];
}


# --- processes ----------------------------------------------------------------

sub kill_child
{
    my ($self) = @_;
    my $pair = _one($self->_pairs(qw( imaged imaged echod dispatchd )));
    my ($child) = children($pair->pid) or return;

    kill 'KILL', $child;
    return $pair->{name};
}


sub kill_pair
{
    my ($self) = @_;
    my $pair = _one($self->_pairs(qw( imaged echod dispatchd )));

    $pair->kill;
    $pair->start;
    return $pair->{name};
}


sub kill_picture
{
    my ($self) = @_;
    my $pid;

    poll(1, sub { ($pid) = grep { name_of($_) eq 'podi_picture' }
                           map { children($_) } map { children($_->pid) }
                           $self->_pairs('imaged'); $pid }) or return;
    kill 'KILL', $pid;
    return 'a picture';
}


sub kill_nginx
{
    my ($self) = @_;
    my $pid = _one($self->{s}->nginx->workers) or return;

    kill 'KILL', $pid;
    return 'an nginx worker';
}


sub pause
{
    my ($self) = @_;
    my @of = ((map { children($_->pid) } $self->_pairs(
                   qw( imaged echod dispatchd ))), $self->{s}->nginx->workers);
    my $pid = _one(@of) or return;

    kill 'STOP', $pid;
    sleep rand 2;
    kill 'CONT', $pid;
    return "process $pid";
}


# a holder stands still until his job is another's, who then stands still, too:
# what the first one says now is too late
sub zombie
{
    my ($self) = @_;
    my %is_ours = map { $_ => 1 } map { children($_->pid) }
                  $self->_pairs('echod');
    my ($job, $other);

    poll(8, sub { ($job) = grep { $is_ours{ $_->{pid} } && $self->began($_) }
                           $self->running }) or return;
    kill 'STOP', $job->{pid};
    poll(8, sub { ($other) = grep { $_->{job_id} eq $job->{job_id}
                                    && $_->{fence} > $job->{fence}
                                    && $_->{pid} != $job->{pid} }
                             $self->running });
    kill 'STOP', $other->{pid} if $other;

    my $heard = $self->ear($job);
    kill 'CONT', $job->{pid};
    poll(4, $heard);
    kill 'CONT', $other->{pid} if $other;
    return "$job->{job_id} of $job->{pid} and "
        . ($other ? $other->{pid} : 'nobody');
}


# jobs that take their time, and who has them
sub running
{
    my ($self) = @_;

    return $self->rows('select j.job_id, j.fence, w.pid from podi.job j'
        . ' join podi.worker w on w.worker = j.worker'
        . " where j.state = 'running' and j.action = 'test.slow'"
        . ' and not j.cancel_requested');
}


# its holder knows that he has it: echod notes each start
sub began
{
    my ($self, $job) = @_;

    open my $in, '<', $self->{s}->dir . "/spool/$job->{job_id}" or return 0;
    return scalar grep { /^start $job->{fence} $job->{pid}$/ } <$in>;
}


# whether a holder has been answered from now on: settled, refused, or told by
# his beat that he is none
sub ear
{
    my ($self, $job) = @_;
    my $pair = $self->{rig}->owner($job->{pid}) // return sub { 1 };
    my $file = $self->{s}->log_file("$pair->{name}.out");
    my $at = -s $file // 0;

    return sub {
        open my $in, '<', $file or return 1;
        seek $in, $at, 0;
        return scalar grep { /"job_id":"$job->{job_id}"/ && (/"job\.lost"/
            || /"job\.(?:settled|refused)".*fence $job->{fence}:/) } <$in>;
    };
}


sub rows
{
    my ($self, @sql) = @_;
    my @rows = eval { $self->{s}->sql(@sql) };

    $self->{world}->forget if $@;
    return @rows;
}


# --- budgets ---------------------------------------------------------------

# somebody whose day was over gets some more of it
sub budget
{
    my ($self) = @_;
    my $whose = \%Chaos::World::BUDGETS;
    my $login = _one(grep { $whose->{$_}[1] } sort keys %$whose);
    my ($meter, $period, $more) = @{ $whose->{$login} };

    $self->rows('select q.most from podi.users u'
        . ' join podi.tenant t using (tenant_id) cross join lateral'
        . ' sys.quota_put(t.slug, u.login, ?, ?, ? + coalesce((select'
        . ' sum(q.used + q.reserved)::bigint from podi.quota_use q'
        . ' where q.subject = u.user_id and q.meter = ?), 0)) q'
        . ' where u.login = ?', $meter, $period, $more, $meter, $login);
    return $login;
}


# --- servers ------------------------------------------------------------------

sub redis_flush
{
    my ($self) = @_;

    $self->{s}->redis('FLUSHALL');
    return 'emptied';
}


sub redis_kill
{
    my ($self) = @_;

    $self->{s}->redis->kill;
    sleep rand 2;
    $self->{s}->redis->start;
    return 'killed';
}


sub pg_restart
{
    my ($self) = @_;
    my $mode = _one(qw( fast immediate ));

    $self->{world}->forget;
    $self->{s}->pg->stop($mode);
    sleep rand 1;
    $self->{s}->pg->start;
    return $mode;
}


# --- lines --------------------------------------------------------------------

sub line
{
    my ($self) = @_;
    my $pairs = $self->{rig}{pairs};
    my $name = _one('nginx', 'nginx', sort keys %$pairs);
    my $of = $name eq 'nginx' ? $self->{rig}{nginx}
                              : $pairs->{$name}{cutters};
    my $peer = _one(sort keys %$of);

    return "$name to $peer: " . _bad($of->{$peer});
}


sub front
{
    my ($self) = @_;

    return 'clients: ' . _bad($self->{world}{front});
}


sub _bad
{
    my ($cutter) = @_;
    my $how = _one('reset', 'cut-after ' . int(rand 3000), 'cut-after 0',
                   'delay ' . int(50 + rand 400), 'stall');

    $cutter->say($how);
    sleep 0.3 + rand 1.2;
    $cutter->say('pass');
    return $how;
}

1;
