package Podi::Pg;

# A private PostgreSQL for one test: made, migrated, started, thrown away.
#
#     my $pg = Podi::Pg->new;              # starts; stops and is gone at exit
#     my $pg = Podi::Pg->new(durable => 1, conf => { max_connections => 20 });
#     $pg->conninfo('podi_web', $db)       # libpq text for a real login
#     $pg->database                        # a fresh migrated database's name
#     $pg->stop; $pg->start; $pg->restart; $pg->kill;
#
# A migrated cluster is kept under $PODI_BUILD (else var/build) and copied, so
# that a start takes part of a second; its name carries the checksum of
# migrations/.  When PODI_TEST_PG holds a superuser's conninfo, that server is
# used instead and is never stopped: databases are made there and dropped.
#
# Servers listen on a socket in a directory that only their user can enter.  It
# lies in memory where there is room, unless the server is durable: a hundred
# clusters that live for seconds are nothing that a disk has to write.

use strict;
use warnings;

use Cwd ();
use DBI;
use Digest::SHA qw(sha256_hex);
use Fcntl qw(:flock);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use POSIX ();

our $ROOT = root();
our $KEY_ID = 'test';
our $KEY = sha256_hex('the context key of tests, and of nothing else');
our $CHAIN_KEY = sha256_hex('the chain key of tests, and of nothing else');
our $ROOM = 2 << 20;            # KiB that memory has left for others
our @LOGINS = qw(podi_web podi_worker podi_ctl);

my $serial = 0;


sub root
{
    return Cwd::abs_path(dirname(__FILE__) . '/../../..');
}


sub new
{
    my ($class, %option) = @_;
    my $self = bless { %option, pid => $$, made => [] }, $class;

    # an interrupted test takes its server along
    $SIG{$_} //= sub { exit 130 } for qw(INT TERM);

    if ($ENV{PODI_TEST_PG}) {
        $self->{super} = $ENV{PODI_TEST_PG};
        $self->attach;
        return $self;
    }

    $self->{dir} = tempdir('podi-pg-XXXXXX', $self->place);
    chmod 0755, $self->{dir};
    $self->{super} = "host=$self->{dir}/sock user=postgres";
    $self->{template} = 'podi_template';
    $self->unpack_cluster;
    $self->start;
    return $self;
}


# --- names -----------------------------------------------------------------

sub password
{
    my ($self, $role) = @_;
    my $env = 'PODI_PG_' . uc($role =~ s/^podi_//r) . '_PASSWORD';

    return $ENV{PODI_TEST_PG} ? $ENV{$env} : "$role of tests";
}


sub conninfo
{
    my ($self, $role, $database) = @_;
    my $text = $self->{super} =~ s/\b(?:dbname|user|password)=\S*//gr;
    my $password = $self->password($role);

    $text .= " dbname=$database" if defined $database;
    return "$self->{super} " . (defined $database ? "dbname=$database" : '')
        if $role eq 'postgres';
    $text .= " user=$role";
    $text .= " password='$password'" if defined $password;
    return $text;
}


sub checksum
{
    my $sum = Digest::SHA->new(256);

    for my $file (sort glob("$ROOT/migrations/*.sql $ROOT/migrations/*/*.sql"
                            . " $ROOT/migrations/apply.sh"))
    {
        $sum->add($file);
        $sum->addfile($file);
    }
    $sum->add($KEY, $CHAIN_KEY);
    return substr $sum->hexdigest, 0, 16;
}


# --- databases -------------------------------------------------------------

sub super
{
    my ($self, $database) = @_;

    return DBI->connect('dbi:Pg:' . $self->conninfo('postgres',
                                                    $database // 'postgres'),
                        '', '', { RaiseError => 1, PrintError => 0,
                                  AutoCommit => 1, PrintWarn => 0 });
}


# a new database, migrated; dropped at the end
sub database
{
    my ($self, %option) = @_;
    my $name = sprintf 'podi_t%d_%d', $$, ++$serial;
    my $dbh = $self->super;

    $dbh->do("create database $name"
             . ($option{empty} ? '' : " template $self->{template}"));

    # what grants.sql gave on the template is not copied
    $dbh->do("revoke all on database $name from public");
    $dbh->do("grant connect on database $name to " . join ', ', @LOGINS);
    push @{ $self->{made} }, $name;
    return $name;
}


sub migrate
{
    my ($self, $database, %option) = @_;
    my $apply = ($option{tree} // "$ROOT/migrations") . '/apply.sh';
    my ($file, $chain) = map { key_file($_) } $KEY, $CHAIN_KEY;

    local $ENV{PODI_CONTEXT_KEY_FILE} = $option{key_file} // "$file";
    local $ENV{PODI_CHAIN_KEY_FILE} = $option{chain_key_file} // "$chain";
    my $output = run_quiet($apply, $self->conninfo('postgres', $database));
    my $status = $? >> 8;

    return wantarray ? ($status, $output)
                     : $status == 0 || die "apply.sh: $output";
}


sub key_file
{
    my ($key) = @_;
    my $file = File::Temp->new;

    print {$file} "# key of tests\n$KEY_ID $key\n";
    close $file;
    return $file;
}


sub run_quiet
{
    my @command = @_;
    my $pid = open my $out, '-|';

    die "fork: $!" unless defined $pid;
    if ($pid == 0) {
        open STDERR, '>&', \*STDOUT;
        open STDIN, '<', '/dev/null';
        exec @command or POSIX::_exit(127);
    }
    local $/;
    my $text = <$out>;
    close $out;
    return $text;
}


# --- the private cluster ---------------------------------------------------

sub bin
{
    my ($name) = @_;
    my $dir = $ENV{PODI_PG_BIN} // '/usr/lib/postgresql/15/bin';

    return "$dir/$name";
}


# a server refuses to run as root
sub as_server
{
    my @command = @_;

    unshift @command, qw(setpriv --reuid=postgres --regid=postgres
                         --clear-groups) if $> == 0;
    my $output = do {
        my $here = Cwd::getcwd();
        chdir '/';
        my $text = run_quiet(@command);
        chdir $here;
        $text;
    };
    die "@command: $output" if $?;
    return $output;
}


sub own
{
    my (@path) = @_;

    return if $> != 0;
    my ($uid, $gid) = (getpwnam 'postgres')[2, 3];
    chown $uid, $gid, @path;
    return;
}


# a directory of our own choice only when nobody else has made one
sub place
{
    my ($self) = @_;
    my $memory = '/dev/shm';

    return (TMPDIR => 1) if $self->{durable} || $ENV{TMPDIR} || !-w $memory;

    my ($free) = run_quiet('df', '-k', '--output=avail', $memory) =~ /(\d+)/;
    return ($free // 0) > $ROOM ? (DIR => $memory) : (TMPDIR => 1);
}


# copy the kept cluster; make it first when migrations/ changed
sub unpack_cluster
{
    my ($self) = @_;
    my $cache = ($ENV{PODI_BUILD} // "$ROOT/var/build") . '/test-pg';
    my $kept = "$cache/" . checksum();

    make_path($cache);
    open my $lock, '>', "$cache/lock" or die "$cache/lock: $!";
    flock $lock, -d $kept ? LOCK_SH : LOCK_EX;
    if (!-d $kept) {
        flock $lock, LOCK_EX;
        $self->make_cluster($cache, $kept) if !-d $kept;
    }

    mkdir "$self->{dir}/$_", 0700 for qw(sock);
    own("$self->{dir}/sock");
    system('cp', '-a', $kept, "$self->{dir}/data") == 0
        or die "cannot copy $kept";
    $self->configure;
    return;
}


sub make_cluster
{
    my ($self, $cache, $kept) = @_;
    my $dir = tempdir('podi-pg-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    my $maker = bless { dir => $dir, pid => $$,
                        super => "host=$dir/sock user=postgres" }, ref $self;

    chmod 0755, $dir;
    mkdir "$dir/$_", 0700 for qw(sock data);
    own("$dir/sock", "$dir/data");
    as_server(bin('initdb'), '-D', "$dir/data", '-U', 'postgres', '--no-sync',
              qw(-A trust -E UTF8 --locale=C.UTF-8));

    open my $hba, '>', "$dir/data/pg_hba.conf" or die "pg_hba.conf: $!";
    print {$hba} "local all postgres trust\nlocal all all scram-sha-256\n";
    close $hba;

    $maker->configure;
    $maker->start;
    my $dbh = $maker->super;
    $dbh->do('create database podi_template');
    $maker->migrate('podi_template');
    $dbh->do(sprintf 'alter role %s password %s', $_,
             $dbh->quote($maker->password($_))) for @LOGINS;
    $dbh->disconnect;
    $maker->stop;

    remove_tree($_) for glob "$cache/[0-9a-f]*";
    system('cp', '-a', "$dir/data", "$kept.new") == 0 or die 'cannot copy';
    rename "$kept.new", $kept or die "rename: $!";
    return;
}


sub configure
{
    my ($self) = @_;
    my %conf = (
        listen_addresses        => '',
        unix_socket_directories => "$self->{dir}/sock",
        shared_buffers          => '32MB',
        max_connections         => 60,
        fsync                   => $self->{durable} ? 'on' : 'off',
        synchronous_commit      => $self->{durable} ? 'on' : 'off',
        full_page_writes        => $self->{durable} ? 'on' : 'off',
        log_parameter_max_length => 0,
        deadlock_timeout        => '200ms',
        %{ $self->{conf} // {} },
    );

    open my $file, '>', "$self->{dir}/data/postgresql.auto.conf"
        or die "postgresql.auto.conf: $!";
    print {$file} "$_ = '$conf{$_}'\n" for sort keys %conf;
    close $file;
    own("$self->{dir}/data/postgresql.auto.conf");
    return;
}


sub start
{
    my ($self) = @_;

    as_server(bin('pg_ctl'), qw(-w -t 30 -s start), '-D', "$self->{dir}/data",
              '-l', "$self->{dir}/data/server.log");
    $self->{running} = 1;
    return;
}


sub stop
{
    my ($self, $mode) = @_;

    return if !$self->{running};
    as_server(bin('pg_ctl'), qw(-w -t 30 -s stop), '-D', "$self->{dir}/data",
              '-m', $mode // 'fast');
    $self->{running} = 0;
    return;
}


sub restart
{
    my ($self) = @_;

    $self->stop;
    $self->start;
    return;
}


# as if the machine lost power: no server process is left
sub kill
{
    my ($self) = @_;
    my $pid = $self->server_pid;
    my @child = map { (split)[0] } split /\n/,
                run_quiet('ps', '-o', 'pid=', '--ppid', $pid);

    CORE::kill 'KILL', $pid, @child;
    my $deadline = time + 30;
    while (CORE::kill 0, $pid, @child) {
        die 'the server does not die' if time > $deadline;
        select undef, undef, undef, 0.01;
    }
    unlink "$self->{dir}/data/postmaster.pid";
    $self->{running} = 0;
    return;
}


sub server_pid
{
    my ($self) = @_;

    open my $file, '<', "$self->{dir}/data/postmaster.pid" or return;
    my $pid = <$file>;
    return 0 + $pid;
}


# --- somebody else's server ------------------------------------------------

sub attach
{
    my ($self) = @_;
    my $dbh = $self->super;
    my $sum = checksum();

    $self->{template} = "podi_template_$sum";
    $dbh->do('select pg_advisory_lock(7019266, 2)');
    my ($there) = $dbh->selectrow_array(
        'select 1 from pg_database where datname = ?', undef,
        $self->{template});
    if (!$there) {
        $dbh->do("create database podi_making_$sum");
        $self->migrate("podi_making_$sum");
        $dbh->do("alter database podi_making_$sum rename to $self->{template}");
    }
    $dbh->disconnect;
    return;
}


# --- the end ---------------------------------------------------------------

sub DESTROY
{
    my ($self) = @_;

    return if $$ != $self->{pid};
    local ($?, $@);
    if ($self->{dir}) {
        eval { $self->stop('immediate') };
        remove_tree($self->{dir});
        return;
    }
    eval {
        my $dbh = $self->super;
        $dbh->do("drop database if exists $_ with (force)")
            for @{ $self->{made} };
    };
    return;
}


1;
