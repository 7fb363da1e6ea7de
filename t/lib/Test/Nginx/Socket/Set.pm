package Test::Nginx::Socket::Set;

# The settings of a suite, and the functions with which it changes them.
# Environment variables are those of the genuine Test::Nginx; without
# TEST_NGINX_PORT and TEST_NGINX_SERVROOT a free port and a private directory
# are taken, so that suites can run side by side.

use strict;
use warnings;
use Exporter 'import';
use File::Temp ();
use Podi::Proc qw( free_port );
use Test::Builder;

our @EXPORT_OK = qw( %Set bail_out free_port env_port );

our @SUITE = qw(
    repeat_each workers worker_connections log_level master_on master_off
    master_process_enabled no_shuffle no_root_location no_long_string
    config_preamble server_name server_addr server_port server_port_for_client
    server_root html_dir timeout env_to_nginx add_block_preprocessor
    add_response_body_check check_accum_error_log bail_out
    no_nginx_manager use_hup
);

our %Set = (
    repeat   => 1,
    workers  => 1,
    conns    => 64,
    level    => $ENV{TEST_NGINX_LOG_LEVEL} || 'debug',
    master   => $ENV{TEST_NGINX_MASTER_PROCESS} || 'off',
    binary   => $ENV{TEST_NGINX_BINARY}
                || (-x '/usr/sbin/nginx' ? '/usr/sbin/nginx' : 'nginx'),
    modules  => [ split ' ', $ENV{TEST_NGINX_LOAD_MODULES} // '' ],
    timeout  => $ENV{TEST_NGINX_TIMEOUT} || 3,
    shuffle  => !$ENV{TEST_NGINX_NO_SHUFFLE},
    verbose  => $ENV{TEST_NGINX_VERBOSE},
    addr     => '127.0.0.1',
    name     => 'localhost',
    root_loc => 1,
    preamble => '',
    accum    => 0,
    env      => [],
    before   => [],
    body     => [],
);


my %rand_port;

# $TEST_NGINX_RAND_PORT_1 and its like: one port a name for the whole suite
sub env_port
{
    my ($name) = @_;

    return $rand_port{$name} //= free_port();
}


sub bail_out
{
    my @words = @_;

    Test::Nginx::Socket::Server::stop()
        if defined &Test::Nginx::Socket::Server::stop;
    Test::Builder->new->BAIL_OUT(join '', @words);
}


sub prepare
{
    my $tmp;

    $Set{port} = $ENV{TEST_NGINX_SERVER_PORT} || $ENV{TEST_NGINX_PORT}
                 || free_port();
    $Set{client_port} = $ENV{TEST_NGINX_CLIENT_PORT} || $Set{port};

    if (!$ENV{TEST_NGINX_SERVROOT}) {
        $tmp = File::Temp->newdir('podi-t-XXXXXX', TMPDIR => 1);
        chmod 0755, "$tmp";
        $Set{tmp} = $tmp;
        $ENV{TEST_NGINX_SERVROOT} = "$tmp/servroot";
    }

    $Set{root} = $ENV{TEST_NGINX_SERVROOT};

    $ENV{TEST_NGINX_PORT} ||= $Set{port};
    $ENV{TEST_NGINX_SERVER_PORT} ||= $Set{port};
    $ENV{TEST_NGINX_SERVER_ROOT} = $Set{root};
    $ENV{TEST_NGINX_HTML_DIR} ||= "$Set{root}/html";
}

prepare();


sub _value
{
    my ($key, @new) = @_;

    $Set{$key} = $new[0] if @new;
    return $Set{$key};
}

sub repeat_each            { _value('repeat', @_) }
sub workers                { _value('workers', @_) }
sub worker_connections     { _value('conns', @_) }
sub log_level              { _value('level', @_) }
sub server_name            { _value('name', @_) }
sub server_addr            { _value('addr', @_) }
sub server_port            { _value('port', @_) }
sub server_port_for_client { _value('client_port', @_) }
sub timeout                { _value('timeout', @_) }
sub config_preamble        { _value('preamble', @_) }
sub server_root            { $Set{root} }
sub html_dir               { "$Set{root}/html" }
sub master_on              { $Set{master} = 'on' }
sub master_off             { $Set{master} = 'off' }
sub no_shuffle             { $Set{shuffle} = 0 }
sub no_root_location       { $Set{root_loc} = 0 }
sub no_long_string         { 1 }
sub check_accum_error_log  { $Set{accum} = 1 }
sub env_to_nginx           { push @{ $Set{env} }, @_ }
sub add_block_preprocessor(&) { unshift @{ $Set{before} }, $_[0] }
sub add_response_body_check { push @{ $Set{body} }, $_[0] }

sub master_process_enabled
{
    $Set{master} = $_[0] ? 'on' : 'off' if @_;
    return $Set{master};
}

sub no_nginx_manager { bail_out('no_nginx_manager() is not supported here') }
sub use_hup          { bail_out('use_hup() is not supported here') }

1;
