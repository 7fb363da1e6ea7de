package Test::Nginx::Socket::Run;

# The suite: reads __DATA__, runs each block, says what failed.

use strict;
use warnings;
use List::Util qw( shuffle );
use Test::More ();
use Time::HiRes qw( sleep );
use Test::Nginx::Socket::Block qw( parse_blocks );
use Test::Nginx::Socket::Check qw( check_answer );
use Test::Nginx::Socket::Guard qw( judge_answer judge_lines judge_rest
                                   complain );
use Test::Nginx::Socket::Http2 qw( send_http2 );
use Test::Nginx::Socket::Log qw( check_logs mark fresh );
use Test::Nginx::Socket::Request qw( requests send_request request_line );
use Test::Nginx::Socket::Response qw( parse_response );
use Test::Nginx::Socket::Server qw( start stop run_to_death version );
use Test::Nginx::Socket::Set qw( %Set bail_out );

my @MORE = qw( ok is isnt like unlike is_deeply cmp_ok pass fail diag skip
               todo_skip can_ok isa_ok plan );
my @MINE = qw( blocks run_tests run_test is_str );

# sections of the genuine runner that this one does not know
my %STRANGE = map { $_ => 1 } qw(
    tcp_listen tcp_reply tcp_query udp_listen udp_reply udp_query stap
    stap_out stap_out_like stap_out_unlike curl http3 http09
    reload_fails shutdown_error_log no_shutdown_error_log request_eval
    response_body_eval charset skip_slave skip_openssl skip_nginx2 todo
    todo_nginx
);


sub import
{
    my ($class, @plan) = @_;
    my $caller = caller;

    strict->import;
    warnings->import;

    no strict 'refs';
    *{"${caller}::$_"} = \&{"Test::More::$_"} for @MORE;
    *{"${caller}::$_"} = \&{"Test::Nginx::Socket::Run::$_"} for @MINE;
    *{"${caller}::$_"} = \&{"Test::Nginx::Socket::Set::$_"}
        for @Test::Nginx::Socket::Set::SUITE;
    *{"${caller}::TODO"} = \${"${caller}::TODO"};

    Test::More::plan(@plan == 1 ? 'no_plan' : @plan) if @plan;
}


sub is_str
{
    my ($got, $want, $what) = @_;

    return ref $want ? Test::More::like($got, $want, $what)
                     : Test::More::is($got, $want, $what);
}


my $blocks;

sub blocks
{
    if (!$blocks) {
        no warnings 'once';
        my $data = do { local $/; <main::DATA> };

        bail_out('no __DATA__ in the suite') if !defined $data;
        $blocks = [ parse_blocks($data) ];
    }

    return wantarray ? @$blocks : scalar @$blocks;
}


sub _compare
{
    my ($op, @want) = @_;
    my @have = split /\./, version();
    my $order = 0;

    $order ||= ($have[$_] // 0) <=> $want[$_] for 0 .. 2;
    return { '<' => $order < 0, '<=' => $order <= 0,
             '>' => $order > 0, '>=' => $order >= 0 }->{$op};
}


# points to skip and why; () when the block runs
sub _skipped
{
    my ($block) = @_;

    if (defined(my $skip = $block->skip_eval)) {
        my ($n, $code) = $skip =~ /^\s*(\d+)\s*:\s*(.*)/s
            or bail_out($block->name . ' - Invalid --- skip_eval');
        my $yes = eval "package Test::Nginx::Util; $code";
        bail_out($block->name . " - skip_eval: $@") if $@;
        return ($n, 'skip_eval') if $yes;
    }

    if (defined(my $skip = $block->skip_nginx)) {
        my ($n, $op, $a, $b, $c, $why) = $skip =~
            /^\s*(\d+)\s*:\s*([<>]=?)\s*(\d+)\.(\d+)\.(\d+)(?:\s*:\s*(.*))?/
            or bail_out($block->name . ' - Invalid --- skip_nginx');
        return ($n, $why // "nginx version $op $a.$b.$c")
            if _compare($op, $a, $b, $c);
    }

    return;
}


sub _must_die
{
    my ($block) = @_;
    my $name = $block->name;
    my $want = $block->must_die;

    for my $repeat (0 .. $Set{repeat} - 1) {
        my $status = run_to_death($block);

        fresh();
        if (defined $status && $status & 127) {
            Test::More::fail("$name - nginx died by a signal");

        } elsif ($want =~ /^\d+$/) {
            Test::More::is(defined $status ? $status >> 8 : 'it lives', $want,
                           "$name - die with the expected exit code");
        } else {
            Test::More::ok($status, "$name - die as expected");
        }

        # what must be refused is refused in [emerg] lines
        check_logs($block, $name, $repeat, '[emerg]');
    }
}


sub _answers
{
    my ($block, $at, $packets) = @_;
    my ($method, $target) = request_line($packets);
    my $pipelined = $block->pipelined_requests;
    my $n = $pipelined ? @$pipelined : 1;
    my $raw = defined $block->http2 ? send_http2($block, $packets)
                                    : send_request($block, $packets);
    my @lines = $pipelined ? map { [ split ' ', $_ ] } @$pipelined : ();

    $at->{many} = 1 if $pipelined;

    while ($n--) {
        ($method, $target) = @{ shift @lines } if @lines;

        if (!defined $block->ignore_response) {
            my $res = parse_response($raw // '', $method);

            check_answer($block, $at, $res);
            judge_answer($at->{name}, $method, $target, $res);
            $raw = $res->left;
        }

        $at->{index}++;
        if ($at->{index} < $at->{total}) {
            sleep $block->wait if $block->wait;
            check_logs($block, $at->{name}, $at->{repeat});
        }
    }

    return if defined $block->ignore_response || !length($raw // '');
    Test::More::diag("WARNING: $at->{name} - unexpected extra bytes: $raw");
}


sub _run_requests
{
    my ($block, $repeat) = @_;
    my $list = requests($block);
    my $pipelined = $block->pipelined_requests;
    my $at = { name => $block->name, repeat => $repeat, index => 0,
               many => @$list > 1,
               total => $pipelined ? scalar @$pipelined : scalar @$list };

    _answers($block, $at, $_) for @$list;

    sleep $block->wait if $block->wait;
    check_logs($block, $block->name, $repeat);
}


sub run_test
{
    my ($block) = @_;
    my $name = $block->name;

    for my $section ($block->sections) {
        bail_out("$name - section $section is not supported here")
            if $STRANGE{$section};
    }

    if (my ($n, $why) = _skipped($block)) {
        Test::More->builder->skip("$name - $why") for 1 .. $n;
        return;
    }

    return _must_die($block) if defined $block->must_die;

    start($block) ? fresh() : mark();

    if (defined(my $code = $block->init)) {
        eval "package Test::Nginx::Util; $code";
        bail_out("$name - init failed: $@") if $@;
    }

    _run_requests($block, $_) for 0 .. $Set{repeat} - 1;
    judge_rest($name);
}


sub run_tests
{
    my @list = blocks();

    @list = shuffle @list if $Set{shuffle};

    for my $block (@list) {
        $_->($block) for @{ $Set{before} };
        $block->set_value(name => "$0 " . $block->name);
        run_test($block);
    }

    complain($0, 'nginx did not end within 10 s of QUIT') if !stop();
    judge_end();
}


# what nginx says while it ends: sockets left in connections, shared memory
sub judge_end
{
    open my $in, '<', "$Set{root}/logs/error.log" or return;
    my @alerts = grep { /\[(?:alert|emerg)\].*(?:open socket|left in)/ } <$in>;

    complain($0, 'nginx left something behind', @alerts) if @alerts;
}

1;
