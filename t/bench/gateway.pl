# What protection costs: a location with podi_auth and podi_trace, metrics and
# the JSON access log, against one of the same nginx with the same headers,
# log and content handler, unprotected.
#
# The token is ES256 and warm in the cache of verified tokens; limits and
# RS256 come with their features.

use strict;
use warnings;

use Podi::Bench;

my $bench = Podi::Bench->new('gateway');
my %port = map { $_ => Podi::Stack::free_port() } qw( bare bare_tls );

my $s = $bench->stack(
    server => "\nlocation = /bench {\n    podi_auth on;\n    empty_gif;\n}\n",
    rewrite => sub {
        my ($file, $text) = @_;

        return $text if $file ne 'nginx.conf';
        $text =~ s/keepalive_timeout .*/$&\n    keepalive_requests 10000000;/;
        $text =~ s/\}\s*\z//;
        return $text . bare_server('bare', '') . bare_server('bare_tls', <<'T')
        ssl_certificate ../tls/server.crt;
        ssl_certificate_key ../tls/server.key;
T
            . "}\n";
    });
my $worker = ($s->nginx->workers)[0];
my $ann = $s->member('ann');


# the headers and the log of podi-server.conf, without PODI
sub bare_server
{
    my ($name, $tls) = @_;
    my @line = grep { /^(?:add_header|access_log)/ }
               split /^/, Podi::Repo::slurp('conf/podi-server.conf');
    my $same = join '        ', @line;
    my $listen = "127.0.0.1:$port{$name}" . ($tls ? ' ssl http2' : '');

    $same =~ s{/var/log/nginx}{log}g;
    return "\n    server {\n        listen $listen;\n$tls        $same\n"
        . "        location = /bench {\n            empty_gif;\n        }\n"
        . "    }\n";
}


sub run
{
    my ($url) = @_;
    my $before = Podi::Bench::Tools::cpu($worker);
    my ($rate, $error) = $bench->wrk($url,
        headers => ["Authorization: Bearer $ann->{token}"]);
    my $spent = Podi::Bench::Tools::cpu($worker) - $before;

    push @{ $bench->{cpu}{$url} }, $spent / ($rate * $bench->seconds) * 1e6 if $rate;
    return ($rate, $error);
}


sub measure
{
    my ($name, $ours, $theirs) = @_;

    run($_) for $ours, $theirs;
    $bench->{cpu} = {};
    $bench->compare($name, metric => 'throughput', unit => 'req/s',
        peer => 'nginx, unprotected', runs => $bench->runs + 2,
        ours => sub { run($ours) }, theirs => sub { run($theirs) },
        note => 'ES256 token warm, trace, metrics, access log;'
                . ' no limits, no RS256 yet');
    $bench->row($name . '_cpu', metric => 'nginx CPU', unit => 'us/req',
        peer => 'nginx, unprotected', ours => $bench->{cpu}{$ours},
        theirs => $bench->{cpu}{$theirs});
}


my %url = (full => $s->url, full_tls => $s->tls_url,
           bare => "http://127.0.0.1:$port{bare}",
           bare_tls => "https://localhost:$port{bare_tls}");
$_ .= '/bench' for values %url;

my %denied = map { $_ => $s->get($url{$_}, unchecked => 1)->status } keys %url;
die "not protected: $denied{full}, $denied{full_tls}\n"
    if $denied{full} != 401 || $denied{full_tls} != 401;
die "not open: $denied{bare}, $denied{bare_tls}\n"
    if $denied{bare} != 200 || $denied{bare_tls} != 200;
$bench->fact('without a token: protected 401, unprotected 200');

measure('gateway.full', $url{full}, $url{bare});
measure('gateway.full_tls', $url{full_tls}, $url{bare_tls});
$bench->fact("gateway.$_: not yet, comes with the limits") for qw( leased exact );
$bench->done;
