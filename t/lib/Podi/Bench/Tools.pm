package Podi::Bench::Tools;

# What measurements share: the machine, a pinned stack, people, generators.
#
#     core 0: nginx's one worker      last core: wrk, pgbench, our own clients

use strict;
use warnings;

use List::Util qw( sum );
use POSIX ();
use Podi::Repo qw( root );
use Podi::Stack;

my %VERSION = (
    nginx      => 'nginx -v 2>&1',
    PostgreSQL => '/usr/lib/postgresql/15/bin/postgres -V',
    Redis      => 'redis-server -v',
    OpenSSL    => 'openssl version',
    wrk        => 'wrk -v 2>&1 | head -n 1',
    pgbench    => '/usr/lib/postgresql/15/bin/pgbench -V',
);


# --- the machine -------------------------------------------------------------

sub slurped
{
    my ($path) = @_;

    open my $in, '<', $path or return '';
    return do { local $/; <$in> } // '';
}


sub machine
{
    my ($self) = @_;
    my ($cpu) = slurped('/proc/cpuinfo') =~ /^model name\s*:\s*(.*)$/m;
    my ($kib) = slurped('/proc/meminfo') =~ /^MemTotal:\s*(\d+)/m;
    my @load = split ' ', slurped('/proc/loadavg');

    $self->{cores} = () = slurped('/proc/cpuinfo') =~ /^processor/mg;
    $self->fact(sprintf 'machine: %d x %s, %.0f GiB, Linux %s',
                $self->{cores}, $cpu // 'unknown', $kib / 1048576,
                (POSIX::uname())[2]);
    $self->fact("load before: $load[0]"
                . ($load[0] > 1.5 ? '; others are at work, so doubt the'
                                    . ' figures' : ''));
    $self->fact('one core: the generator shares it with nginx')
        if $self->{cores} < 2;

    for my $name (sort keys %VERSION) {
        my $text = qx($VERSION{$name});
        my ($version) = $text =~ /(\d+(?:\.\d+)+\S*)/;

        $self->fact("$name: " . ($version // 'not there'));
    }
}


# the command on the generators' core
sub pinned
{
    my ($self, @cmd) = @_;

    return @cmd if $self->{cores} < 2;
    return ('taskset', '-c', $self->{cores} - 1, @cmd);
}


# seconds of processor time of one process
sub cpu
{
    my ($pid) = @_;
    my @field = split ' ', slurped("/proc/$pid/stat") =~ s/^.*\) //sr;

    return ($field[11] + $field[12]) / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}


# bytes that are this process's own, shared pages in part
sub pss
{
    my ($pid) = @_;
    my ($kib) = slurped("/proc/$pid/smaps_rollup") =~ /^Pss:\s*(\d+)/m;

    return $kib * 1024;
}


# --- a stack to measure ------------------------------------------------------

# one nginx worker on the first core; PostgreSQL durable
sub stack
{
    my ($self, %option) = @_;
    my $rewrite = $option{rewrite} // sub { $_[1] };
    my $s = Podi::Stack->new(durable => 1, %option,
        pg_conf => { shared_buffers => '128MB', max_wal_size => '1GB',
                     track_commit_timestamp => 'on',
                     %{ $option{pg_conf} // {} } },
        rewrite => sub {
            my ($file, $text) = @_;

            $text =~ s/^worker_processes .*/worker_processes 1;\n
                       worker_cpu_affinity 1;/mx;
            return $rewrite->($file, $text);
        });

    $s->start('pg', 'redis', 'nginx');
    $self->fact('settings: ' . join ', ', map {
        "$_=" . $s->sql("select current_setting('$_')")
    } qw( fsync synchronous_commit full_page_writes shared_buffers
          wal_sync_method ));
    return $s;
}


# people with a session, a ready picture and points, in few transactions
sub people
{
    my ($self, $s, $n, %option) = @_;
    my $db = $s->db;
    my $serial = ++$self->{crowds};
    my @ids = map { $_->{id} } @{ $db->super->all(undef,
        'select internal.uuid7() as id from generate_series(1, ?)', 3 * $n) };
    my @who = map { { login => "u$serial-$_", user => shift @ids,
                      session => shift @ids, media => shift @ids,
                      tenant => $s->{tenant_id} } } 1 .. $n;

    _register($s, @who);
    _pictures($s, @who);
    _points($s, $option{points}, @who) if $option{points};

    for my $who (@who) {
        $who->{user_id} = $who->{user};
        $who->{context} = $db->mint(tenant => $who->{tenant}, role => 'user',
                                    user => $who->{user}, ttl => 7200);
        $who->{token} = $s->token($who, exp => time + 590)
            if $option{tokens};
    }

    return @who;
}


sub _register
{
    my ($s, @who) = @_;
    my $web = $s->db->{web} //= $s->db->login('podi_web');

    $web->dbh->begin_work;
    $web->dbh->do('select api.context_open(?)', undef,
                  $s->db->anon($s->{tenant_id}));
    for my $who (@who) {
        $web->run('select api.account_register(?, ?, ?, ?, null, null)',
                  $who->{user}, $who->{login}, 'no hash', $who->{login});
        $web->run('select api.session_open(?, ?, ?, ?, ?, ?, ?)',
                  $who->{session}, $who->{user}, 'local', 'bench',
                  '127.0.0.0/24', 86400_000, 86400_000);
    }
    $web->dbh->commit;
}


sub _pictures
{
    my ($s, @who) = @_;
    my $dbh = $s->db->super->dbh;
    my $sth = $dbh->prepare(
        'insert into podi.media (tenant_id, media_id, user_id, kind, state,'
        . ' name, type, bytes, sha256, store, object_key, upload_expires_at,'
        . " ready_at) values (?, ?, ?, 'upload', 'ready', 'cat.jpg',"
        . " 'image/jpeg', 1000, repeat('ab', 32), 'main', ?,"
        . " now() + interval '1 hour', now())");

    $dbh->begin_work;
    $sth->execute($_->{tenant}, $_->{media}, $_->{user}, "u/$_->{media}")
        for @who;
    $dbh->commit;
}


sub _points
{
    my ($s, $points, @who) = @_;
    my $ctl = $s->db->{ctl};

    $ctl->dbh->begin_work;
    $ctl->run('select sys.wallet_grant(?, ?, ?, ?, null, ?, ?)', $s->{tenant},
              $_->{login}, $points, 'paid', $_->{user}, 'bench') for @who;
    $ctl->dbh->commit;
}


# an action that does nothing, at a price
sub noop_action
{
    my ($self, $s, $name, $price) = @_;
    my $text = { zh => 'x', en => 'x' };

    $s->db->{ctl}->one(undef, 'select * from sys.queue_put(?)',
                       '{"queue": "bench", "label": "bench"}');
    $s->db->{ctl}->one(undef, 'select * from sys.action_put(?)',
        JSON::PP->new->encode({ action => $name, queue => 'bench',
            label => $text, description => $text,
            accepts => ['image/jpeg'], price => $price, timeout_ms => 60_000,
            max_attempts => 3, max_wait_ms => 3600_000 }));
}


# --- daemons ------------------------------------------------------------------

# what conf/workers.conf gets for them, to be put in by rewrite
sub daemons_conf
{
    my (%of) = @_;

    return sub {
        my ($file, $text) = @_;

        return $text if $file ne 'workers.conf';
        for my $name (sort keys %of) {
            my %set = %{ $of{$name} };
            $text .= "\n[$name]\n"
                     . join '', map { "$_ = $set{$_}\n" } sort keys %set;
        }
        return $text;
    };
}


# the daemon that does nothing is a program of the tests; a copy for each name
sub install_noopd
{
    my ($self, $s, @name) = @_;
    my ($text, $status) = output('make', '-s', '-C', root() . '/workers',
        "PODI_BUILD=$self->{build}", "$self->{build}/test/noopd");

    die "noopd does not build: $text" if $status;
    system('install', '-m', '755', "$self->{build}/test/noopd",
           $s->dir . "/bin/$_") == 0 or die 'noopd cannot be copied'
        for @name;
}


# --- generators ----------------------------------------------------------------

sub output
{
    my (@cmd) = @_;

    open my $out, '-|', 'sh', '-c', 'exec "$@" 2>&1', 'sh', @cmd
        or die "$cmd[0]: $!";
    my $text = do { local $/; <$out> } // '';
    close $out;
    return wantarray ? ($text, $? >> 8) : $text;
}


# (requests a second, what went wrong)
sub wrk
{
    my ($self, $url, %arg) = @_;
    my ($text, $status) = output($self->pinned('wrk', '-t', 1, '-c',
        $arg{connections} // 32, '-d', $self->seconds . 's',
        '--timeout', '5s', $arg{script} ? ('-s', $arg{script}) : (),
        (map { ('-H', $_) } @{ $arg{headers} || [] }), $url));
    my ($rate) = $text =~ m{^Requests/sec:\s*([\d.]+)}m;
    my @wrong = $text =~ /^\s*((?:Non-2xx|Socket errors).*?)\s*$/mg;

    push @wrong, "wrk ended with $status: $text" if $status || !$rate;
    return ($rate // 0, join '; ', @wrong);
}


# (transactions a second, what went wrong); warm: seconds before it counts, in
# which new connections compile their functions
sub pgbench
{
    my ($self, $s, %arg) = @_;
    my $role = $arg{role} // 'postgres';
    my ($host) = $s->pg->conninfo('postgres') =~ /host=(\S+)/;

    local $ENV{PGPASSWORD} = $s->pg->password($role);
    my ($text, $status) = output($self->pinned(Podi::Pg::bin('pgbench'), '-n',
        '-M', 'prepared', '-h', $host, '-U', $role, '-c', $arg{clients},
        '-j', 1, '-T', $self->seconds + ($arg{warm} // 0),
        $arg{warm} ? ('-P', 1) : (),
        (map { ('-D', "$_=$arg{define}{$_}") } keys %{ $arg{define} || {} }),
        (map { ('-f', $_) } @{ $arg{files} }),
        (map { ('-b', $_) } grep { defined } $arg{builtin}), $s->db->{name}));
    my ($rate) = $text =~ /^tps = ([\d.]+)/m;
    my ($failed) = $text =~ /^number of failed transactions: (\d+)/m;
    my ($latency) = $text =~ /^latency average = ([\d.]+) ms/m;
    my @second = $text =~ /^progress: [\d.]+ s, ([\d.]+) tps/mg;

    splice @second, 0, $arg{warm} // 0;
    $rate = sum(@second) / @second if $rate && @second;

    $self->{latency} = $latency;
    return ($rate // 0, $status || !$rate ? "pgbench ended with $status: $text"
                        : $failed ? "$failed transactions failed" : undef);
}


# a program of t/bench, built
sub program
{
    my ($self, $name) = @_;

    my ($text, $status) = output('make', '-s', '-C', root() . '/t/bench',
                                 "PODI_BUILD=$self->{build}");
    die "t/bench does not build: $text" if $status;
    return "$self->{build}/bench/$name";
}


sub write_lines
{
    my ($path, @lines) = @_;

    open my $out, '>', $path or die "$path: $!";
    print $out map { "$_\n" } @lines;
    close $out or die "$path: $!";
    return $path;
}

1;
