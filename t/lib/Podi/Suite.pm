package Podi::Suite;

# What a suite of the Test::Nginx format needs besides nginx: a private database
# and Redis, the http level of conf/, and people with tokens.
#
#     use Test::Nginx::Socket 'no_plan';
#     use Podi::Suite;
#
#     our $Http = Podi::Suite::http();
#     our $Ann  = Podi::Suite::member('ann', points => 10)->{token};
#     run_tests();
#     __DATA__
#     === TEST 1: the wallet
#     --- http_config eval: $::Http
#     --- config
#         podi_tenant demo;
#         location /v1/wallet { podi_auth on; podi_wallet; }
#     --- more_headers eval: "Authorization: Bearer $::Ann"
#     --- request
#     GET /v1/wallet
#
# They live as long as the suite; Podi::Suite::stack() is their Podi::Stack.

use strict;
use warnings;
use Podi::Stack;
use Podi::Stack::Files;

my $stack;

# both runners give these to the suite, and only ours sets the variable
$ENV{TEST_NGINX_HTML_DIR} ||= main::html_dir();


sub stack
{
    return $stack if $stack;

    $stack = Podi::Stack->new(rewrite => \&_plain);
    return $stack->start('pg', 'redis');
}


# the suite's nginx speaks HTTP on the port of Test::Nginx
sub _plain
{
    my ($file, $text) = @_;

    return $text =~ s{https://localhost:\d+/store}{
        'http://127.0.0.1:' . main::server_port() . '/store'}ger;
}


# the http level, with lines added or, by patterns, put in the place of others
sub http
{
    my (%option) = @_;
    my $text = Podi::Stack::Files::rendered(stack(), 'podi-http.conf');

    for my $pattern (keys %{ $option{replace} || {} }) {
        $text =~ s/$pattern/$option{replace}{$pattern}/g;
    }

    return $text . ($option{add} // '');
}


# the server level, as it ships
sub server
{
    return Podi::Stack::Files::rendered(stack(), 'podi-server.conf');
}


sub member
{
    my ($login, %option) = @_;

    return stack()->member($login, %option);
}


sub END
{
    my $status = $?;

    undef $stack;
    $? = $status;
}

1;
