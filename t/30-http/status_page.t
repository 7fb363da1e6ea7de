# /status in a browser: one whole document that runs nothing, is escaped, and
# shows what the workers share.

use strict;
use warnings;

use Digest::SHA qw( sha256_base64 );
use IO::Socket::INET;
use Test::More;
use Podi::Plain;
use Podi::Proc qw( poll );
use Podi::Proc qw( poll );

my $metrics = File::Temp->newdir;
my $dead = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1');
my $nobody = $dead->sockport;

chmod 0755, $metrics;
close $dead;

my $n = Podi::Plain->new(http => <<'EOS', server => <<"EOT");
    podi_zone 8m;
    podi_limit_zone per_key 1m key=$arg_k rate=1r/h burst=2;
    podi_breaker_zone app 64k calls=2 open=10m open_max=10m;
    podi_channel partner { host partner.example; }
    podi_channel closed { host closed.example; kill on; }
    set_real_ip_from 127.0.0.1;
    real_ip_header X-From;
EOS
    podi_metrics_dir $metrics;
    location = /limited { podi_limit per_key; empty_gif; }
    location = /dead { podi_breaker app; proxy_pass http://127.0.0.1:$nobody; }
    location = /status { allow 127.0.0.1; deny all; podi_status; }
EOT


sub get
{
    my ($path, %header) = @_;
    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $n->port) or die "connect: $!";

    print $sock "GET $path HTTP/1.1\r\nHost: x\r\nConnection: close\r\n",
        map({ "$_: $header{$_}\r\n" } sort keys %header), "\r\n";
    $sock->flush;
    return $n->answer($sock);
}

my %BROWSER = (Accept => 'text/html,application/xhtml+xml,*/*;q=0.8');

sub page { return get('/status', %BROWSER) }

# rows of a table, as "name: cell cell"; what is marked as bad has a "!"
sub rows
{
    my ($html, $title) = @_;
    my ($table) = $html =~ m{<h2>\Q$title\E</h2><table>(.*?)</table>}s
        or return ();

    $table =~ s{<thead>.*?</thead>\n}{}s;
    return map { my ($name) = m{<th scope="row">(.*?)</th>};
                 "$name: " . join ' ', map { s/<b>/!/r =~ s/<[^>]*>//gr }
                                       m{<td>(.*?)</td>}g }
           split /\n/, $table;
}

sub row { my ($name, @rows) = @_; return (grep { /^\Q$name\E: / } @rows)[0] }


# --- what it is ----------------------------------------------------------------

$n->get("/limited?k=$_") for qw( a a a b );
$n->get('/dead') for 1 .. 3;

# a worker that listens may not have begun to count
my $res;
ok poll(20, sub {
    $res = page();
    row('nginx workers', rows($res->{body}, 'Workers and peers')) =~ / 2$/;
}), 'both workers are there';
my $html = $res->{body};

is $res->{status}, 200, 'a browser gets a page';
like $res->{head}, qr{^Content-Type: text/html; charset=utf-8\r?$}m, 'HTML';
like $res->{head}, qr{^Vary: Accept\r?$}m, 'of two forms';
like $res->{head}, qr{^Cache-Control: no-store\r?$}m, 'which nobody keeps';
like $html, qr/\A<!DOCTYPE html>\n<html lang="en">.*<\/html>\n\z/s, 'whole';
like $html, qr/<meta name="viewport" content="width=device-width">/,
    'for a phone';
like $html, qr/prefers-color-scheme:dark/, 'for the night';
unlike $html, qr/<script|\son\w+=|javascript:|\b(?:src|href)=|url\(/i,
    'without a script, and it loads nothing';

my ($style) = $html =~ m{<style>(.*?)</style>}s;
my $hash = sha256_base64($style);
$hash .= '=' while length($hash) % 4;
my $policy = "default-src 'none'; style-src 'sha256-$hash'; form-action 'none'; "
    . "base-uri 'none'; frame-ancestors 'none'";
like $res->{head}, qr{^Content-Security-Policy: \Q$policy\E\r?$}m, 'the policy is that of its style, alone';

my @open;
for ($html =~ m{<(/?[a-z]\w*)[^>]*>}g) {
    next if /^(?:meta)$/;
    s{^/}{} ? (pop(@open) // '') eq $_ || push @open, "/$_" : push @open, $_;
}
is "@open", '', 'all that is opened is closed';


# --- what it says --------------------------------------------------------------

is row('nginx workers', rows($html, 'Workers and peers')), 'nginx workers: 2',
    'workers';
is row('workers with Redis', rows($html, 'Workers and peers')), undef,
    'where there is no Redis it is not missed';
is row('PostgreSQL connections', rows($html, 'Workers and peers')), undef,
    'nor is PostgreSQL';
is row('age of that knowledge', rows($html, 'Tokens')), undef,
    'nor what it would tell';
like join("\n", rows($html, 'Limits')),
    qr/\Aper_key: 3 1 0 0 2 of [1-9]\d* 0\z/,
    'a limit: allowed, refused, dry, degraded, keys, forgotten';
like join("\n", rows($html, 'Breakers')), qr/\Aapp \S*: !open\z/,
    'a breaker that is open is marked';
is join("\n", rows($html, 'Zones of breakers')), 'app: 1 1 0',
    'how often, and whom it has refused';
is join("\n", sort(rows($html, 'Channels'))), "closed: !killed\npartner: open",
    'channels';
is scalar(rows($html, 'Workers of nginx')), 2, 'each worker';
is scalar(() = rows($html, 'Queues')), 0, 'no queues where nobody tells of any';

my ($before) = row('2xx', rows($html, 'Answers')) =~ /: (\d+)/;
page();
my ($after) = row('2xx', rows(page()->{body}, 'Answers')) =~ /: (\d+)/;
is $after, $before + 2, 'answers are counted';


# --- what daemons say, and what somebody might have them say ---------------------

sub tells
{
    my ($file, $text) = @_;

    open my $out, '>', "$metrics/$file.prom" or die $!;
    print $out $text;
    close $out or die $!;
}

tells('a', <<'EOS');
# TYPE podi_queue_jobs gauge
podi_queue_jobs{queue="image",state="queued"} 7
podi_queue_jobs{queue="image",state="running"} 2
podi_queue_jobs{queue="<script>alert(1)</script>&\"}",state="queued"} 1
podi_queue_jobs{queue="torn",state="que
podi_queue_jobs
podi_queue_jobs 5
podi_queue_jobs{queue="nan",state="queued"} NaN
# TYPE podi_queue_oldest_seconds gauge
podi_queue_oldest_seconds{queue="image"} 7200
# TYPE podi_workers gauge
podi_workers{daemon="podi_imaged"} 0
EOS
tells('b', <<'EOS');
# TYPE podi_queue_jobs gauge
podi_queue_jobs{queue="image",state="queued"} 6
EOS

$html = page()->{body};
my @queues = rows($html, 'Queues');
is row('image', @queues), 'image: 7  2 !120 min ',
    'a queue: the largest of what two daemons say, and how old it is';
like $html, qr/<th scope="row">&lt;script&gt;alert\(1\)&lt;\/script&gt;&amp;\\&quot;\}</,
    'names are text, whatever is in them';
is scalar(@queues), 2, 'what is no sample is no row';
is join("\n", rows($html, 'Daemons')), 'podi_imaged: !0',
    'a daemon that is missing is marked';


# --- who is told -----------------------------------------------------------------

$res = get('/status');
like $res->{head}, qr{^Content-Type: text/plain; version=0\.0\.4}m,
    'who does not ask for HTML gets the text';
like $res->{body}, qr/^podi_channel_killed\{channel="closed"\} 1$/m,
    'that of /metrics';
like $res->{body}, qr/^podi_limit_cells_used\{limit="per_key"\} 2$/m, '...';
unlike $res->{body}, qr/^status_/m, '... and no more';
is get('/status', %BROWSER, 'X-From' => '203.0.113.9')->{status}, 403,
    'allow and deny decide';

$n->stop;
is scalar(() = $n->log =~ /\[(?:alert|crit|emerg)\]/g), 0, 'no alert';
done_testing;
