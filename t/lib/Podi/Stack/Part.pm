package Podi::Stack::Part;

# One process of a private stack: Redis, nginx or a daemon.
#
#     down --[start]--> up --[pause]--> paused --[resume]--> up
#     up --[stop | kill]--> down
#     up --[adopt]--> up: nginx after a binary upgrade
#
# It is our direct child, in a session of its own; what it forked is remembered,
# so that the end of the test can prove that all of it is gone.

use strict;
use warnings;

use IO::Socket::INET;
use IO::Socket::UNIX;
use Podi::Proc qw( poll spawn children tree reaped gone san_env );
use Podi::Stack::Files;

my %SECONDS = (nginx => 20, redis => 10);


sub new
{
    my ($class, $stack, $name) = @_;

    # the stack holds the parts, so the way back must not keep it alive
    my $self = bless { stack => $stack, name => $name, seen => {} }, $class;
    require Scalar::Util;
    Scalar::Util::weaken($self->{stack});
    return $self;
}


sub pid     { $_[0]{pid} }
sub running { $_[0]{pid} && !reaped($_[0]{pid}) && !gone($_[0]{pid}) }
sub pids    { $_[0]{pid} ? tree($_[0]{pid}) : () }

# those who live: who was killed stays a child until the master has seen it
sub workers { $_[0]{pid} ? grep { !gone($_) } children($_[0]{pid}) : () }
sub seen    { keys %{ $_[0]{seen} } }


sub _command
{
    my ($self) = @_;
    my ($stack, $name) = @{$self}{qw( stack name )};
    my $dir = $stack->{dir};

    return (cmd => [ 'redis-server', "$dir/redis/redis.conf" ],
            user => 'redis') if $name eq 'redis';

    if ($name eq 'nginx') {
        my $binary = $ENV{PODI_NGINX} // '/usr/sbin/nginx';

        Podi::Stack::Files::write_nginx($stack);
        return (env => { %{ $stack->{env} }, san_env("$dir/log", $binary) },
                dir => $dir,
                cmd => [ $binary, '-p', "$dir/", '-c', "$dir/conf/nginx.conf",
                         '-e', "$dir/log/error.log", '-g',
                         $stack->{daemon} ? 'daemon on;' : 'daemon off;' ]);
    }

    # podi_runnerd:far is the one of [podi_runnerd:far]
    my ($program, $unit) = split /:/, $name;

    Podi::Stack::Files::write_workers($stack);
    die "$program is not built\n" if !-x "$dir/bin/$program";
    return (user => Podi::Stack::Files::web_user(), dir => $dir,
            env => { san_env("$dir/log", "$dir/bin/$program"), HOME => $dir },
            cmd => [ "$dir/bin/$program", '-c', "$dir/conf/workers.conf",
                     defined $unit ? ('-n', $unit) : () ]);
}


sub _ready
{
    my ($self) = @_;
    my $stack = $self->{stack};

    return $stack->redis('ping') eq 'PONG' if $self->{name} eq 'redis';
    return IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                 PeerPort => $stack->{port})
        if $self->{name} eq 'nginx';
    return children($self->{pid}) > 0;
}


sub start
{
    my ($self) = @_;
    my $log = $self->{stack}->log_file("$self->{name}.out");

    return $self if $self->running;

    $self->{adopted} = 0;
    $self->{pid} = spawn($self->_command, log => $log);
    $self->_follow if $self->{name} eq 'nginx' && $self->{stack}{daemon};

    my $state = poll(30, sub {
        $self->_over ? 'dead' : $self->_ready ? 'up' : 0;
    });

    if (!$state || $state eq 'dead') {
        $self->{pid} = undef if $state;
        die "$self->{name} does not start\n" . $self->tail;
    }

    $self->remember;
    return $self;
}


# the nginx that its own child has become; only such a one can be upgraded
sub _follow
{
    my ($self) = @_;
    my $file = "$self->{stack}{dir}/run/nginx.pid";

    poll(30, sub { reaped($self->{pid}) && -s $file })
        or die "nginx does not start\n" . $self->tail;
    $self->{pid} = 0 + Podi::Repo::slurp($file);
    $self->{adopted} = 1;
}


sub remember
{
    my ($self) = @_;

    $self->{seen}{$_} = 1 for $self->pids;
}


sub tail
{
    my ($self) = @_;
    my $text = '';

    for my $file (map { $self->{stack}->log_file($_) } "$self->{name}.out",
                  $self->{name} eq 'nginx' ? 'error.log' : "$self->{name}.log")
    {
        open my $in, '<', $file or next;
        my @lines = <$in>;
        $text .= join '', @lines > 20 ? @lines[-20 .. -1] : @lines;
    }

    return $text;
}


sub signal
{
    my ($self, $signal) = @_;

    CORE::kill $signal, $self->{pid} if $self->{pid};
}


# gracefully; true when it ended by itself in time
sub stop
{
    my ($self) = @_;
    my $clean = 1;

    return 1 if !$self->{pid};

    $self->remember;
    $self->resume if $self->{paused};
    $self->signal($self->{name} eq 'nginx' ? 'QUIT' : 'TERM');

    if (!poll($SECONDS{ $self->{name} } // 45, sub { $self->_over })) {
        $clean = 0;
        $self->kill;
    }

    $self->{pid} = undef;
    return $clean;
}


# who was adopted is no child of ours, and nothing of it is left to be reaped
sub _over
{
    my ($self) = @_;

    return $self->{adopted} ? gone($self->{pid}) : reaped($self->{pid});
}


# at once, with all its children, as if the machine had died
sub kill
{
    my ($self) = @_;

    return if !$self->{pid};

    $self->remember;
    CORE::kill 'KILL', $self->pids;
    waitpid $self->{pid}, 0;
    poll(10, sub { !grep { !gone($_) } $self->seen });
    $self->{pid} = undef;
    $self->{paused} = 0;
}


sub restart
{
    my ($self) = @_;

    $self->stop;
    return $self->start;
}


sub pause
{
    my ($self) = @_;

    $self->{paused} = 1;
    CORE::kill 'STOP', $self->pids;
}


sub resume
{
    my ($self) = @_;

    CORE::kill 'CONT', $self->pids;
    $self->{paused} = 0;
}


# workers that were killed are replaced: there are as many, and others
sub whole
{
    my ($self, $many, @dead) = @_;
    my %dead = map { $_ => 1 } @dead;

    return poll(10, sub {
        my @now = $self->workers;
        return @now == $many && !grep { $dead{$_} } @now;
    });
}


# the master that a binary upgrade leaves, when the old one ends
sub adopt
{
    my ($self, $pid) = @_;

    $self->remember;
    poll($SECONDS{nginx}, sub { $self->_over })
        or die "the old master does not end\n" . $self->tail;
    $self->{pid} = $pid;
    $self->remember;
}


# nginx -s reload: new workers have come, old ones may still drain
sub reload
{
    my ($self) = @_;
    my %old = map { $_ => 1 } $self->workers;

    Podi::Stack::Files::write_nginx($self->{stack});
    $self->remember;
    $self->signal('HUP');
    poll(20, sub { grep { !$old{$_} } $self->workers })
        or die "nginx does not reload\n" . $self->tail;
    $self->remember;
}

1;
