package Podi::Front;

# A stack with pages: the front end of t/35-browser/page, at five addresses.
#
#     home      https://localhost:TLS/front/   the server of the interface
#     app       https://localhost:A/           another origin of the same site
#     partner   https://127.0.0.1:A/           another site, let in as well
#     plain     http://localhost:C/            without TLS: another site, too
#     stranger  https://localhost:B/           not in podi_cors_origin
#
#     my ($s, %page) = Podi::Front::stack(http => "podi_event_streams 3;\n");
#
# Cookies know no ports, so home, app and stranger are one site to a browser.
# Beside the page lies photo.jpg: the demo's photograph, or, without it, a
# picture of the same size; both lie on their side and say so.

use strict;
use warnings;

use File::Copy qw( copy );
use Podi::Repo qw( root );
use Podi::Stack;

our ($WIDTH, $HEIGHT) = (3264, 2448);           # upright


sub stack
{
    my (%option) = @_;
    my ($app, $stranger, $plain) = map { Podi::Stack::free_port() } 1 .. 3;
    my @listed = ("https://localhost:$app", "https://127.0.0.1:$app",
                  "http://localhost:$plain");
    my $s = Podi::Stack->new(%option,
        daemons => [qw( podi_dispatchd podi_imaged )]);

    $s->{http} = _pages($s, $app, $stranger, $plain)
        . ($option{http} // '');
    $s->{server} = "podi_cors_origin @listed;\n" . _home();
    _copy($s);
    $s->start;

    my $at = 'index.html?api=' . $s->tls_url;
    return ($s, home => $s->tls_url . '/front/index.html',
            app => "$listed[0]/$at", partner => "$listed[1]/$at",
            plain => "$listed[2]/$at", stranger => "https://localhost:$stranger/$at");
}


# the front end's own server: nothing of PODI in it
sub _pages
{
    my ($s, $app, $stranger, $plain) = @_;
    my $policy = _policy($s->tls_url);

    return <<"CONF";
server {
    listen 127.0.0.1:$app ssl http2;
    listen 127.0.0.1:$stranger ssl http2;
    listen 127.0.0.1:$plain;
    server_name localhost;
    ssl_certificate ../tls/server.crt;
    ssl_certificate_key ../tls/server.key;
    root front;
    $policy
}
CONF
}


# pages beside the interface need a policy in place of its own
sub _home
{
    my $policy = _policy();

    return "location /front/ {\n    podi_security_headers off;\n"
        . "    alias front/;\n    $policy\n}\n";
}


sub _policy
{
    my $from = join ' ', "'self'", @_;

    return qq(add_header Content-Security-Policy "default-src 'self'; )
           . qq(connect-src $from; img-src $from data:" always;);
}


sub _copy
{
    my ($s) = @_;
    my $to = $s->dir . '/front';

    mkdir $to or die "$to: $!";
    for my $from (glob(root() . '/t/35-browser/page/*')) {
        copy($from, $to) or die "$from: $!";
    }
    copy(_photo(), "$to/photo.jpg") or die "photo.jpg: $!";
}


my $made;

sub _photo
{
    my $path = ($ENV{PODI_DEMO_DIR} // '') . '/one.jpg';

    return $path if -s $path;

    require Podi::Picture;
    $made = Podi::Picture->new;
    return $made->corners('jpg', width => $HEIGHT, height => $WIDTH,
                          orientation => 6, gps => 1);
}

1;
