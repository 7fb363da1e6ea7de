package Podi::Rig;

# A stack made to be broken: pairs of each daemon, proxies of each pair's own,
# and, in the build with faults, points where a process dies or stops.
#
#     my $p = Podi::Rig->new(build => Podi::Points::build());
#     $p->arm('settle_ask', 'pause');         # or 'kill'
#     my $pid = $p->hit('settle_ask');        # who was there, once somebody was
#     $p->lose($pid, 'pg');                   # the next answer of that peer
#     $p->go($pid);                           # on, once it has stopped
#     $p->lost($pid, 'pg')                    # it was lost
#     $p->more('podi_imaged', 4);             # more pairs, without proxies
#
#     daemon, nginx ----cutter----> PostgreSQL, Redis, store: one each for each
#
# Points are those of Podi::Points.

use strict;
use warnings;

use Podi::Cutter;
use Podi::Fault;
use Podi::Hands;
use Podi::Points;
use Podi::Proc qw( poll children gone );
use Podi::Stack;

my %SETTING = (lease => '3s', beat => '200ms', poll => '300ms',
    reconnect_max => '200ms', restart_max => '300ms', retry_base => '10ms',
    connect_timeout => '1s', pg_deadline => '2s');
my %OWN = (
    podi_dispatchd => { stale => '3s', sweep => '200ms', dispatch => '100ms' },
    podi_janitord => { objects => '100ms', object_grace => '0s', holds => '1s' },
    podi_imaged => { concurrency => 2, store_timeout => '3s' },
    podi_echod => { spool => '', slow => '600ms', concurrency => 2 },
);


sub new
{
    my ($class, %option) = @_;
    my $self = bless { serial => 0, pairs => {}, cutters => [] }, $class;
    my $s = $self->{s} = Podi::Stack->new(
        pg_conf => { synchronous_commit => 'on', full_page_writes => 'on' },
        rewrite => sub { _nginx($self, @_) }, patience => 20, %option);

    $self->{points} = Podi::Points->new($s->dir . '/points');
    mkdir $s->dir . '/spool';
    chmod 0777, $s->dir . '/spool';
    system('cp', "$s->{build}/test/echod", $s->dir . '/bin/podi_echod') == 0
        or die 'echod is not built';

    $s->start('pg', 'redis');
    Podi::Hands::actions({ db => $s->db });
    $s->sql('update podi.action set segments = ? where action = ?',
            '[{"name": "one", "percent": 40}, {"name": "two", "percent": 60}]',
            'test.parts');
    $self->{nginx} = $self->cutters('nginx', qw( pg redis ));
    $s->start('nginx');
    $self->pair("podi_$_", 1, 1)->start
        for qw( dispatchd janitord imaged echod );
    return $self;
}


sub stack { $_[0]{s} }


# --- who is who -------------------------------------------------------------

# four workers, so that three may stand still, and none who does is kept in
# touch with; proxies of its own
sub _nginx
{
    my ($self, $file, $text) = @_;
    my $dir = $self->{s}->dir . '/cut-nginx';

    $text =~ s{host=\S+/sock\b}{host=$dir} if $file eq 'podi-http.conf';
    $text =~ s{unix:\S*/redis\.sock}{unix:$dir/redis.sock}
        if $file eq 'podi-http.conf';
    return $text if $file ne 'nginx.conf';

    $text =~ s/^worker_processes .*$/worker_processes 4;\nenv PODI_FAULT_DIR;/m;
    $text =~ s/keepalive_timeout 65s;/keepalive_timeout 0;/;
    return $text;
}


# proxies of one client's own, by peer
sub cutters
{
    my ($self, $name, @peers) = @_;
    my $s = $self->{s};
    my $dir = $s->dir . "/cut-$name";
    my %way = (
        pg    => [ "$dir/.s.PGSQL.5432", "$s->{pg}{dir}/sock/.s.PGSQL.5432" ],
        redis => [ "$dir/redis.sock", $s->dir . '/run/redis/redis.sock' ],
        store => [ '127.0.0.1:0', "127.0.0.1:$s->{tls_port}" ],
    );
    my %cutter;

    mkdir $dir;
    for my $peer (@peers) {
        my ($listen, $upstream) = @{ $way{$peer} };

        $cutter{$peer} = Podi::Cutter->start(listen => $listen,
            upstream => $upstream, control => "$dir/$peer.ctl");
        chmod 0777, $listen if $listen =~ m{^/};
    }
    push @{ $self->{cutters} }, values %cutter;
    return \%cutter;
}


# the nth pair of a daemon
sub pair
{
    my ($self, $daemon, $n, $proxied) = @_;
    my $name = "$daemon-$n";

    return $self->{pairs}{$name} //= do {
        my $pair = Podi::Rig::Pair->new($self->{s}, $name);

        $pair->{daemon} = $daemon;
        $pair->{cutters} = $self->cutters($name, qw( pg redis store ))
            if $proxied;
        $self->{s}{parts}{$name} = $pair;
    };
}


sub more
{
    my ($self, $daemon, $n, $proxied) = @_;

    $self->pair($daemon, $_, $proxied)->start for 2 .. $n + 1;
}


# the pair that a process belongs to; undef: nginx
sub owner
{
    my ($self, $pid) = @_;

    for my $pair (values %{ $self->{pairs} }) {
        return $pair if $pair->{pid} == $pid
                        || grep { $_ == $pid } children($pair->{pid});
    }
    return;
}


# a parent that a test has killed is started again
sub mend
{
    my ($self) = @_;

    for my $pair (grep { !$_->running } values %{ $self->{pairs} }) {
        poll(10, sub { !grep { !gone($_) } $pair->seen });
        $pair->start;
    }
}


# --- points -----------------------------------------------------------------

sub arm    { my $self = shift; return $self->{points}->arm(@_) }
sub disarm { my $self = shift; return $self->{points}->disarm(@_) }
sub hit    { my $self = shift; return $self->{points}->hit(@_) }


sub go
{
    my ($self, @pids) = @_;

    return kill 'CONT', @pids;
}


# --- answers ----------------------------------------------------------------

sub _cutter
{
    my ($self, $pid, $peer) = @_;
    my $pair = $self->owner($pid);

    return ($pair ? $pair->{cutters} : $self->{nginx})->{$peer};
}


sub lose
{
    my ($self, $pid, $peer) = @_;
    my $cutter = $self->_cutter($pid, $peer);

    $self->{before}{$pid} = $cutter->say('cuts');
    $cutter->say('cut-after 0');
}


sub lost
{
    my ($self, $pid, $peer) = @_;

    return $self->_cutter($pid, $peer)->say('cuts') ne $self->{before}{$pid};
}


package Podi::Rig::Pair;

# a daemon with a configuration, a lock and, where it has them, proxies of its
# own

use Podi::Proc qw( children );
use Podi::Stack::Files;

our @ISA = ('Podi::Stack::Part');


sub _command
{
    my ($self) = @_;
    my ($s, $name, $daemon) = @{$self}{qw( stack name daemon )};
    my $dir = $s->dir;
    my $file = "$dir/conf/$name.conf";
    my $locks = "$dir/run/$name";
    my $web = Podi::Stack::Files::web_user();

    if (!-d $locks) {
        mkdir $locks or die "$locks: $!";
        Podi::Stack::Files::own($web, $locks);
    }
    Podi::Stack::Files::write_file($file, $self->_conf($locks), 0640);
    Podi::Stack::Files::own($web, $file);
    return (user => $web, dir => $dir, env => {
                Podi::Proc::san_env("$dir/log", "$dir/bin/$daemon"),
                HOME => $dir },
            cmd => [ "$dir/bin/$daemon", '-c', $file ]);
}


sub _conf
{
    my ($self, $locks) = @_;
    my ($s, $name, $daemon) = @{$self}{qw( stack name daemon )};
    my $text = Podi::Stack::Files::rendered($s, 'workers.conf');
    my $cut = $s->dir . "/cut-$name";
    my $lines = sub { join '', map { "$_ = $_[0]{$_}\n" } sort keys %{ $_[0] } };
    my %own = %{ $OWN{$daemon} };

    $own{spool} = $s->dir . '/spool' if exists $own{spool};
    $text .= "\n[podi_echod]\n";
    $text =~ s/^pid_dir *=.*$/pid_dir = $locks/m or die 'no pid_dir';
    $text =~ s/^(\[common\]\n)/$1 . $lines->(\%SETTING)/me;
    $text =~ s/^(\[$daemon\]\n)/$1 . $lines->(\%own)/me or die "no $daemon";
    return $text if !$self->{cutters};

    $text =~ s{host=\S+/sock\b}{host=$cut};
    $text =~ s{^redis = .*$}{redis = $cut/redis.sock}m;
    my ($port) = $self->{cutters}{store}{listen} =~ /:(\d+)$/;
    $text =~ s{https://localhost:\d+/store}{https://localhost:$port/store};
    return $text;
}


sub _ready
{
    my ($self) = @_;

    return children($self->{pid}) > 0;
}

1;
