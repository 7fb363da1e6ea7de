package Podi::Proc;

# Processes of a test, by pid, and what they hold.
#
# Nothing here looks for processes by name: a test ends what it started.

use strict;
use warnings;
use Exporter 'import';
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw( sleep time );

our @EXPORT_OK = qw( poll spawn children tree name_of reaped gone open_files
                     clients_of san_env san_libs sanitizer_lines
                     free_port $SANITIZER );

our $SANITIZER = qr/(?:ERROR|SUMMARY): \w+Sanitizer|: runtime error: /;


# polls until the code is true; its value, or false after the deadline
sub poll
{
    my ($seconds, $code) = @_;
    my $end = time + $seconds;
    my $pause = 0.01;
    my $value;

    until ($value = $code->()) {
        return $value if time > $end;
        sleep $pause;
        $pause *= 1.2 if $pause < 0.1;
    }

    return $value;
}


# starts a program: cmd, user (when we are root), log, dir, env
sub spawn
{
    my (%arg) = @_;
    my $child = fork // die "fork: $!";

    return $child if $child;

    open STDIN, '<', '/dev/null';
    open STDOUT, '>>', $arg{log} or POSIX::_exit(126);
    open STDERR, '>&', \*STDOUT;
    chdir($arg{dir} // '/');
    POSIX::setsid();
    $ENV{$_} = $arg{env}{$_} for keys %{ $arg{env} || {} };

    my @cmd = @{ $arg{cmd} };
    unshift @cmd, 'setpriv', "--reuid=$arg{user}", "--regid=$arg{user}",
        '--clear-groups' if $arg{user} && $> == 0;
    exec(@cmd) or POSIX::_exit(127);
}


sub children
{
    my ($pid) = @_;
    my @kids;

    for my $file (glob "/proc/$pid/task/*/children") {
        open my $fh, '<', $file or next;
        push @kids, split ' ', <$fh> // '';
    }

    return @kids;
}


sub tree
{
    my ($pid) = @_;

    return ($pid, map { tree($_) } children($pid));
}


# as it calls itself; '' when it has gone
sub name_of
{
    my ($pid) = @_;

    open my $fh, '<', "/proc/$pid/comm" or return '';
    chomp(my $name = <$fh> // '');
    return $name;
}


# a child of ours that has ended
sub reaped
{
    my ($pid) = @_;

    return waitpid($pid, POSIX::WNOHANG()) == $pid ? 1 : 0;
}


# no such process, or one that only waits to be reaped
sub gone
{
    my ($pid) = @_;

    open my $fh, '<', "/proc/$pid/stat" or return 1;
    my $stat = <$fh> // return 1;

    return $stat =~ /\)\s+[ZX]\s/ ? 1 : 0;
}


# one process: socket inodes (a hash), and the names of everything else
sub open_files
{
    my ($pid) = @_;
    my (%socket, @files);

    for my $fd (glob "/proc/$pid/fd/*") {
        my $to = readlink $fd // next;

        if ($to =~ /^socket:\[(\d+)\]$/) {
            $socket{$1} = 1;

        } else {
            push @files, $to;
        }
    }

    return (\%socket, \@files);
}


sub _tcp
{
    my @rows;

    for my $file (qw( /proc/net/tcp /proc/net/tcp6 )) {
        open my $fh, '<', $file or next;
        <$fh>;
        while (<$fh>) {
            my @f = split;
            push @rows, { local  => hex(($f[1] =~ /:(\w+)$/)[0]),
                          remote => hex(($f[2] =~ /:(\w+)$/)[0]),
                          state  => $f[3], inode => $f[9] };
        }
    }

    return @rows;
}


# connections to these ports that the processes hold; not those to themselves
sub clients_of
{
    my ($pids, @ports) = @_;
    my %port = map { $_ => 1 } @ports;
    my %held = map { %{ (open_files($_))[0] } } @$pids;
    my @mine = grep { $held{ $_->{inode} } && $_->{state} ne '0A' } _tcp();
    my %from = map { $_->{local} => 1 } @mine;

    return grep { $port{ $_->{local} } && !$from{ $_->{remote} } } @mine;
}


# the environment of a sanitized module or daemon; reports go to $dir/asan.*
sub san_env
{
    my ($dir, $binary) = @_;

    return () if !$ENV{SAN};

    my $common = 'detect_leaks=0:abort_on_error=0:halt_on_error=1';
    my %env = (
        ASAN_OPTIONS  => "$common:log_path=$dir/asan",
        UBSAN_OPTIONS => "print_stacktrace=1:log_path=$dir/ubsan",
    );

    # a stock nginx knows nothing of the sanitizer that its module needs
    if (system("grep -q __asan_init $binary") != 0) {
        $env{LD_PRELOAD} = join ' ', san_libs();
    }

    return %env;
}


# A port that nobody listens on, for a server that starts later.  It lies below
# those that the kernel gives to clients: no connection of another test takes
# it meanwhile, as happens to one in a thousand that the kernel picks itself.
sub free_port
{
    open my $range, '<', '/proc/sys/net/ipv4/ip_local_port_range' or die $!;
    my ($from) = split ' ', <$range>;

    # not rand: some tests repeat a run by its seed
    open my $random, '<:raw', '/dev/urandom' or die $!;

    for (1 .. 200) {
        read $random, my $bytes, 4 or die $!;
        my $port = 10_000 + unpack('N', $bytes) % ($from - 10_000);

        return $port if IO::Socket::INET->new(
            LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 1);
    }
    die "no free port below $from";
}


# what has to be preloaded before anything else that is; nothing without SAN
sub san_libs
{
    return () if !$ENV{SAN};
    return map { my $path = qx(gcc -print-file-name=$_); chomp $path; $path }
        qw( libasan.so libubsan.so );
}


# what the sanitizers have written into these files
sub sanitizer_lines
{
    my @lines;

    for my $file (grep { -f } @_) {
        open my $in, '<', $file or next;
        push @lines, grep { $_ =~ $SANITIZER } <$in>;
    }
    return @lines;
}

1;
