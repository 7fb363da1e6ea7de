package Podi::Channels;

# Channels of a suite of the Test::Nginx format, an upstream that tells which
# of them a request came by, and locations in front of it.
#
#     our $Http   = Podi::Channels::http();
#     our $Config = Podi::Channels::config("    location /off/ { ... }\n");
#     --- request
#     GET /go
#     --- response_body: partner|user|gold
#
# Behind the plan stands what is left of the keys' headers: nothing.

use strict;
use warnings;
use Exporter 'import';
use Podi::Suite;

our @EXPORT = qw( bearer key key_file );


sub bearer { "Authorization: Bearer $_[0]\r\n" }

sub key { "X-App-Key: $_[0]\r\n" }


# a file that only its owner reads; gives its path
sub key_file
{
    my ($name, $text) = @_;
    my $path = Podi::Suite::stack()->dir . "/keys/$name";

    open my $out, '>', $path or die "$path: $!";
    print $out $text;
    close $out;
    chmod 0600, $path;
    return $path;
}


# the http level: five channels, and the upstream
sub http
{
    my $keys = key_file('partner.keys', "# the new one first\n"
                . "k-partner-0123456789abcdef\nk-partner-old-0123456789\n");
    my $shut = key_file('shut.keys', 'k-shut-0123456789abcdef');

    return Podi::Suite::http(add => <<"EOS") . <<'EOS';
podi_channel partner {
    host partner.example *.partner.example;
    app_key_file $keys;
    origins https://partner.example https://www.partner.example:8443;
    max_role user;
    plan gold;
}
podi_channel inner { host deep.inner.partner.example; }
podi_channel paths { path /partner /partner/vip/; }
podi_channel vip { path /partner/vip/gold/; }
podi_channel shut { app_key_file $shut; kill on; origins https://shut.example; }
EOS
server {
    listen unix:$TEST_NGINX_HTML_DIR/up.sock;
    underscores_in_headers on;
    location / {
        return 200 "$http_x_podi_channel|$http_x_podi_role|$http_x_podi_plan$http_x_app_key$http_x_partner";
    }
}
EOS
}


# the server level: anybody's way to the upstream, and one with a token
sub config
{
    my ($more) = @_;

    return <<'EOS' . $more;
    podi_tenant demo;
    podi_trace on;
    podi_auth off;
    location ~* ^/(go|x|partner) {
        podi_identity_headers on;
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;
    }
    location /own {
        podi_auth on;
        podi_identity_headers on;
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;
    }
EOS
}

1;
