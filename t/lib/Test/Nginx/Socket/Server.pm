package Test::Nginx::Socket::Server;

# The nginx of a suite: its directory, its configuration, its life.
#
#     stopped --[start]--> running --[stop]--> stopped
#
# It is a direct child (daemon off), watched by pid, and stopped by pid.  A
# configuration that equals the running one is not started again.

use strict;
use warnings;
use Exporter 'import';
use File::Path qw( make_path remove_tree );
use IO::Socket::INET;
use POSIX ();
use Podi::Proc qw( children poll reaped san_env );
use Test::Nginx::Socket::Set qw( %Set bail_out env_port );

our @EXPORT_OK = qw( start stop pid pids run_to_death expand version );

my ($pid, $running);


sub pid { $pid }

sub version
{
    my ($v) = qx($Set{binary} -V 2>&1) =~ m{nginx version: \S+?/([\d.]+)}
        or bail_out("$Set{binary} -V: no nginx there");

    return $v;
}


# the processes of this nginx: the child and its workers
sub pids
{
    return $pid ? ($pid, children($pid)) : ();
}


sub expand
{
    my ($text, $name) = @_;

    return if !defined $text;

    $text =~ s/\$(TEST_NGINX_[_A-Z0-9]+)/
        my $var = $1;
        $var =~ m{^TEST_NGINX_RAND_PORT_[0-9]+$} ? env_port($var)
            : $ENV{$var} \/\/ bail_out("$name - No environment $var defined.");
    /eg;

    return $text;
}


sub _temp_paths
{
    my ($http) = @_;

    return join '', map {
        $http =~ /\b${_}_temp_path\b/ ? ''
            : "    ${_}_temp_path $Set{root}/${_}_temp;\n"
    } qw( client_body proxy fastcgi uwsgi scgi );
}


sub _conf
{
    my ($block) = @_;
    my $name = $block->name;
    my $level = $block->log_level || $Set{level};
    my $log = $block->error_log_file || "$Set{root}/logs/error.log";
    my $http = expand($block->http_config, $name) // '';
    my $main = $block->main_config // '';
    my $http2 = defined $block->http2 ? ' http2' : '';
    my $env = join '', map { "env $_;\n" } @{ $Set{env} },
        qw( ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS LD_PRELOAD
            LD_LIBRARY_PATH );
    my $user = $ENV{TEST_NGINX_WORKER_USER} // ($> == 0 ? 'root' : '');
    my $root = $Set{root_loc}
        ? "location / { root $Set{root}/html; index index.html; }" : '';

    $main .= join ' ', map { "load_module $_;" } @{ $Set{modules} };

    my $body = join "\n", grep { defined } $block->server_name
        ? "        server_name '" . $block->server_name . "';"
        : "        server_name '$Set{name}';",
        $Set{preamble}, expand($block->config, $name) // '', $root;

    return join "\n",
        "worker_processes $Set{workers};", 'daemon off;',
        "master_process $Set{master};", "error_log $log $level;",
        "pid $Set{root}/logs/nginx.pid;", $env,
        $user ? "user $user;" : '',
        expand($main, $name),
        'http {', "    access_log $Set{root}/logs/access.log;",
        '    default_type text/plain;', '    keepalive_timeout 68;',
        _temp_paths($http), $http,
        '    server {', "        listen 127.0.0.1:$Set{port}$http2;",
        '        client_max_body_size 30M;', $body, '    }', '}',
        expand($block->post_main_config, $name) // '',
        "events { accept_mutex off; worker_connections $Set{conns}; }", '';
}


sub _user_files
{
    my ($block) = @_;
    my $files = $block->user_files or return [];

    return $files if ref $files;

    my @list;
    for my $line ($files =~ /^.*\n?/mg) {
        if ($line =~ />>> (\S+)(?:\s+(.+))?/) {
            push @list, [ $1, '', $2 ];

        } elsif (@list) {
            $list[-1][1] .= $line;
        }
    }

    return \@list;
}


sub _write
{
    my ($path, $text) = @_;

    make_path($path =~ s{/[^/]*$}{}r);
    open my $out, '>:raw', $path or bail_out("$path: $!");
    print $out $text;
    close $out or bail_out("$path: $!");
}


sub _root
{
    my ($conf, $files, $name) = @_;
    my $root = $Set{root};

    remove_tree(map { "$root/$_" } qw( logs conf html ));
    make_path(map { "$root/$_" } qw( logs conf html ));
    _write("$root/html/index.html", '<html><head><title>It works!</title>'
           . '</head><body>It works!</body></html>');
    _write("$root/conf/nginx.conf", $conf);

    for my $file (@$files) {
        my ($path, $body, $date) = @$file;

        $path = "$root/html/$path" if $path !~ m{^/};
        _write($path, expand($body, $name) // '');
        if ($date) {
            local $ENV{TZ} = 'GMT';
            system('touch', '-t', $date, $path) == 0
                or bail_out("touch $path");
        }
    }
}


sub _spawn
{
    my $root = $Set{root};
    my $child = fork // bail_out("fork: $!");

    return $child if $child;

    open STDIN, '<', '/dev/null';
    open STDOUT, '>>', "$root/logs/stdout.log";
    open STDERR, '>>', "$root/logs/stderr.log";
    %ENV = (%ENV, san_env("$root/logs", (split ' ', $Set{binary})[0]));
    exec(split(' ', $Set{binary}), '-p', "$root/", '-c',
         "$root/conf/nginx.conf", '-e', "$root/logs/error.log")
        or POSIX::_exit(127);
}


sub _listens
{
    return IO::Socket::INET->new(PeerAddr => $Set{addr},
                                 PeerPort => $Set{port}, Timeout => 1);
}


sub log_tail
{
    my $text = '';

    for my $file (map { "$Set{root}/logs/$_.log" } qw( stderr error )) {
        open my $fh, '<', $file or next;
        my @lines = grep { !/\[debug\]/ } <$fh>;
        $text .= join '', @lines > 20 ? @lines[-20 .. -1] : @lines;
    }

    return $text;
}


# true when nginx was (re)started for this block
sub start
{
    my ($block) = @_;
    my $name = $block->name;

    if (!defined $block->config) {
        return 0 if defined $running;
        bail_out("$name - No '--- config' section and no previous one");
    }

    my $files = _user_files($block);
    my $conf = _conf($block);
    my $key = join "\0", $conf, map { map { $_ // '' } @$_ } @$files;

    return 0 if defined $running && $running eq $key && kill 0, $pid;

    stop();
    _root($conf, $files, $name);
    $pid = _spawn();

    my $up = poll(30, sub { reaped($pid) ? 'dead' : _listens() });
    if (!$up || $up eq 'dead') {
        undef $pid if $up;
        bail_out("$name - Cannot start nginx\n", log_tail());
    }

    $running = $key;
    return 1;
}


# for must_die: starts it and waits for its end; undef when it lives
sub run_to_death
{
    my ($block) = @_;
    my $status;

    stop();
    _root(_conf($block), _user_files($block), $block->name);
    $pid = _spawn();

    my $end = poll(30, sub {
        return 'listens' if _listens() && !reaped($pid);
        return 0 if waitpid($pid, POSIX::WNOHANG()) != $pid;
        $status = $?;
        return 'dead';
    });

    if (($end || '') eq 'dead') {
        undef $pid;
        return $status;
    }

    stop();
    return;
}


sub alive
{
    return $pid && !reaped($pid);
}


# QUIT, then KILL; false when it had to be killed
sub stop
{
    my $clean = 1;

    undef $running;
    return 1 if !$pid;

    kill 'QUIT', $pid;
    if (!poll(10, sub { reaped($pid) || !kill 0, $pid })) {
        $clean = 0;
        kill 'KILL', pids();
        waitpid $pid, 0;
    }

    undef $pid;
    return $clean;
}


my $owner = $$;

END {
    my $status = $?;
    stop() if $$ == $owner;
    $? = $status;
}

1;
