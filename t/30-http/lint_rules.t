# What nginx -t says of configurations that it takes: nothing of those that
# ship, and of each trap exactly what it is.

use strict;
use warnings;

use Podi::Repo qw( slurp );
use Podi::Stack;
use Podi::Stack::Files;
use Test::More;

my $s = Podi::Stack->new;
my $dir = $s->dir;

$s->start('pg');
Podi::Stack::Files::write_nginx($s);
my $http = slurp_here("$dir/conf/podi-http.conf");


sub slurp_here
{
    open my $in, '<', $_[0] or die "$_[0]: $!";
    local $/;
    return <$in>;
}


# what nginx says of a file: rules with their lines, and whether it takes it
sub lint
{
    my ($file, @how) = @_;
    my @nginx = ($ENV{TEST_NGINX_BINARY} // '/usr/sbin/nginx',
                 @how ? @how : '-t', '-e', 'stderr', '-p', "$dir/", '-c', $file);

    open my $out, '-|', 'sh', '-c', 'exec "$@" 2>&1', 'nginx', @nginx
        or die "nginx: $!";
    my @line = <$out>;
    close $out;
    diag @line if $? && !@how;
    return ($? == 0, map { /\[warn\].*podi lint: (\w+): .* in \S*?(\d+)$/
                           ? "$1:$2" : () } @line);
}


# a configuration of http (line 8 is its first), with a server around; the line
# of what stands behind >> is kept
my $mark;
sub conf
{
    my ($level, $server, $main) = @_;
    $main //= 'events { }';
    my $text = <<"CONF";
load_module $dir/bin/ngx_http_podi_module.so;
pid $dir/run/lint.pid;
error_log $dir/log/lint.log;
$main
http {
access_log off;
include $dir/conf/podi-http.conf;
$level
server {
$server
}
}
CONF
    $mark = $text =~ /^(.*?)>>/s ? 1 + ($1 =~ tr/\n//) : 1;
    $text =~ s/>>//;
    Podi::Stack::Files::write_file("$dir/conf/lint.conf", $text);
    return "$dir/conf/lint.conf";
}


# each directive on a line of its own
sub spread
{
    return map { s/(?<=[;{}]) +/\n/gr } @_;
}


# [rule, what http has, what the server has, the same made right, in both]
my $LISTEN = "listen 127.0.0.1:$s->{port};";
my $PUBLIC = "listen $s->{redirect_port};";
my $ASK = 'podi_auth on; podi_tenant demo;';
my $UP = 'proxy_pass http://127.0.0.1:9;';
my $IP = 'podi_limit_zone a 1m key=ip rate=1r/s;';
my $REMOTE = 'podi_limit_zone a 1m key=ip rate=1r/s mode=exact';
my $QUERY = "$LISTEN podi_auth_source query=t; location / { $ASK $UP }";

my @TRAPS = (
    ['limit_ip_behind_proxy', $IP,
     "$LISTEN location / { >>podi_limit a; proxy_set_header X-Forwarded-Proto"
     . " \$http_x_forwarded_proto; $UP }",
     $IP, "$LISTEN set_real_ip_from 192.0.2.1; location / { podi_limit a;"
     . " proxy_set_header X-Forwarded-Proto \$http_x_forwarded_proto; $UP }"],
    ['limit_ip_behind_proxy', $IP, "listen unix:$dir/run/l.sock;"
     . " location / { >>podi_limit a; $UP }",
     $IP, "$LISTEN proxy_set_header X-Forwarded-For"
     . " \$proxy_add_x_forwarded_for; location / { podi_limit a; $UP }"],
    ['limit_ip_behind_proxy', 'podi_limit_zone a 1m key=ip rate=1r/s;'
     . ' map $http_x_forwarded_proto $tls { default 0; https 1; }',
     "$LISTEN >>podi_auth_failures zone=a; location / { $ASK set \$x \$tls;"
     . " $UP }",
     "$IP map \$http_x_forwarded_proto \$tls { default 0; }",
     "$LISTEN podi_auth_failures zone=a; location / { $ASK $UP }"],
    ['limit_by_clients_word',
     'podi_limit_zone a 1m key=$http_x_forwarded_for rate=1r/s;',
     "$LISTEN location / { >>podi_limit a; $UP }",
     "$IP podi_limit_zone b 1m key=\$http_x_api_key rate=1r/s;",
     "$LISTEN location / { podi_limit a early; podi_limit b; $UP }"],
    ['limit_skips_nobody',
     'podi_limit_zone a 1m key=user rate=1r/s missing=skip;',
     "$LISTEN >>podi_limit a; location / { $UP }",
     'podi_limit_zone a 1m key=user rate=1r/s missing=skip;',
     "$LISTEN podi_limit a; location / { $ASK $UP }"],
    ['limit_opens', "$REMOTE;", "$LISTEN location / { >>podi_limit a; $UP }",
     "$REMOTE on_failure=local;",
     "$LISTEN location / { podi_limit a; $UP }"],
    ['realip_trusts_all', '', "$LISTEN >>set_real_ip_from 0.0.0.0/0;",
     '', "$LISTEN set_real_ip_from 10.0.0.0/8;"],
    ['return_skips_auth', '', "$LISTEN location / { $ASK >>return 200 x; }",
     '', "$LISTEN location / { $ASK empty_gif; }"],
    ['return_skips_auth', '', "$LISTEN location / { $ASK if (\$arg_a) {"
     . " >>return 204; } $UP }",
     '', "$LISTEN $ASK location / { return 302 /x; } location \@y {"
     . ' return 200 x; } location /x { if ($arg_a) { return 403; } }'],
    ['return_skips_auth', '', "$LISTEN location / { $ASK >>return 302 /x; }",
     '', "$LISTEN $ASK location / { podi_auth off; return 200 x; }"],
    ['satisfy_skips_auth', '', "$LISTEN satisfy any; >>allow all;"
     . " location / { $ASK $UP }",
     '', "$LISTEN satisfy any; allow 127.0.0.1; deny all;"
     . " location / { $ASK $UP }"],
    ['csrf_only_logs', '', "$LISTEN >>podi_csrf log; location / { $ASK $UP }",
     '', "$LISTEN podi_csrf log; podi_auth_source header;"
     . " location / { $ASK $UP }"],
    ['websocket_without_csrf', '', "$LISTEN proxy_set_header Upgrade"
     . " \$http_upgrade; location / { $ASK >>$UP }",
     '', "$LISTEN proxy_set_header Upgrade \$http_upgrade; podi_csrf on;"
     . " location / { $ASK $UP }"],
    ['dry_run', '', "$LISTEN >>podi_dry_run on;", '',
     "$LISTEN podi_dry_run off;"],
    ['credentials_in_clear', '', ">>$PUBLIC location / { $ASK $UP }",
     '', "$PUBLIC if (\$scheme = http) { return 308 https://a.example; }"
     . " location / { $ASK $UP }"],
    ['credentials_in_clear', '', ">>listen *:$s->{port}; location / { $ASK $UP }",
     '', "$PUBLIC set_real_ip_from 192.0.2.1; location / { $ASK $UP }"],
    ['credentials_in_clear', '', ">>listen [::]:$s->{port}; location / { $ASK $UP }",
     '', "listen [::1]:$s->{port}; location / { $ASK $UP }"],
    ['token_in_log', "log_format own '\$request';",
     "$QUERY >>access_log $dir/log/own.log own;",
     "log_format own '\$uri \$request_time';",
     "$QUERY access_log $dir/log/own.log own;"],
    ['token_in_log', "log_format own '\$args';",
     "$QUERY >>access_log $dir/log/own.log own;",
     "log_format own '\$args';",
     "$QUERY podi_auth_strip on; access_log $dir/log/own.log own;"],
    ['token_in_log', "log_format own '\$http_authorization';",
     "$LISTEN location / { $ASK $UP >>access_log $dir/log/own.log own; }",
     '', "$LISTEN location / { $ASK $UP access_log $dir/log/own.log; }"],
    ['origin_in_clear', '', "$LISTEN >>podi_cors_origin http://app.example;",
     '', "$LISTEN podi_cors_origin https://app.example"
     . ' http://localhost:5173 http://127.0.0.1:8;'],
    ['origin_in_clear',
     "podi_channel p {\nhost p.example;\n>>origins http://p.example;\n}",
     $LISTEN, 'podi_channel p { origins https://p.example; }', $LISTEN],
    ['origin_reflected', '', "$LISTEN >>add_header Access-Control-Allow-Origin"
     . ' $http_origin; add_header Access-Control-Allow-Credentials true;'
     . " location / { $ASK $UP }",
     '', "$LISTEN add_header Access-Control-Allow-Origin \$http_origin;"
     . " location / { $ASK $UP }"],
    ['cache_mixes_users', "proxy_cache_path $dir/tmp/c keys_zone=c:1m;",
     "$LISTEN >>proxy_cache c; podi_identity_headers on;"
     . " location / { $ASK $UP }",
     "proxy_cache_path $dir/tmp/c keys_zone=c:1m;",
     "$LISTEN proxy_cache c; podi_identity_headers on; proxy_cache_key"
     . " \$podi_user\$uri; location / { $ASK $UP }"],
    ['metrics_for_all', '', "$PUBLIC location / { podi_status; }"
     . ' location =/metrics { >>podi_status; }',
     '', "$PUBLIC location / { podi_status; } location = /metrics {"
     . ' allow 127.0.0.1; deny all; podi_status; } location = /status {'
     . " auth_basic x; auth_basic_user_file $dir/shut; podi_status; }"],
    ['metrics_for_all', '', "$PUBLIC location = /status { >>podi_status; }",
     '', "$PUBLIC location = /healthz { podi_status; }"],
    ['secret_readable', '', "$LISTEN >>auth_basic_user_file $dir/open;",
     '', "$LISTEN auth_basic_user_file $dir/shut;"],
    ['secret_readable', '', "listen 127.0.0.1:$s->{tls_port} ssl;"
     . " ssl_certificate $dir/tls/server.crt; >>ssl_certificate_key $dir/open;",
     '', "listen 127.0.0.1:$s->{tls_port} ssl; ssl_certificate"
     . " $dir/tls/server.crt; ssl_certificate_key $dir/tls/server.key;"],
    ['conf_writable', '', "$LISTEN include $dir/conf/loose.conf;",
     '', "$LISTEN include $dir/conf/tight.conf;"],

    ['credentials_in_clear', '', ">>$PUBLIC rewrite ^/old https://a.example;"
     . " location / { $ASK $UP }",
     '', "$PUBLIC $ASK rewrite ^ https://\$host\$request_uri? permanent;"],
    ['credentials_in_clear', '', ">>$PUBLIC location / { $ASK $UP }"
     . ' location /x { return 301 https://a.example; }',
     $ASK, "$PUBLIC location /.well-known/acme-challenge/ { podi_auth off; }"
     . ' location / { return 301 https://$host$request_uri; }'],
    ['credentials_in_clear', '', ">>$PUBLIC if (\$arg_a) { return 301"
     . " https://a.example; } location / { $ASK $UP }",
     '', "$PUBLIC if (\$server_port = 80) { return 301 https://a.example; }"
     . " location / { $ASK $UP }"],
    ['return_skips_auth', '', "$LISTEN location / { $ASK"
     . ' if ($request_method = GET) { >>return 204; } empty_gif; }',
     '', "$LISTEN location / { $ASK if (\$request_method = OPTIONS) {"
     . " return 204; } $UP }"],
    ['limit_ip_behind_proxy', $IP, "$LISTEN set \$x \$http_x_real_ip;"
     . ' location /a { podi_lint except=limit_ip_behind_proxy; podi_limit a; }'
     . ' location /b { >>podi_limit a; }',
     $IP, "$LISTEN set \$x \$http_x_real_ip; location /a { podi_limit a; }"
     . ' location /b { set_real_ip_from 192.0.2.1; podi_limit a; }'],
    (map { ['limit_by_clients_word', "podi_limit_zone a 1m key=$_ rate=1r/s;",
     "$LISTEN location / { >>podi_limit a; $UP }",
     'podi_limit_zone a 1m key=$http_host rate=1r/s;',
     "$LISTEN location / { podi_limit a; $UP }"] }
     qw( $request_uri $Arg_x $http_host_x ${cookie_a}b )),
    (map { ['realip_trusts_all', '', "$LISTEN >>set_real_ip_from $_;",
     '', "$LISTEN set_real_ip_from 10.0.0.0/8; set_real_ip_from fd00::/8;"] }
     qw( 10.0.0.0/0 0::/0 128.0.0.0/1 2000::/3 )),
    (map { ['satisfy_skips_auth', '', "$LISTEN satisfy any; >>allow $_;"
     . " deny all; location / { $ASK $UP }",
     '', "$LISTEN satisfy any; allow 10.0.0.0/8; deny all;"
     . " location / { $ASK $UP }"] } qw( ::/0 10.0.0.0/0 )),
    ['cache_mixes_users', "proxy_cache_path $dir/tmp/c keys_zone=c:1m;",
     "$LISTEN >>proxy_cache c; podi_identity_headers on; proxy_cache_bypass"
     . " \$podi_user; location / { $ASK $UP }",
     "proxy_cache_path $dir/tmp/c keys_zone=c:1m;",
     "$LISTEN proxy_cache c; podi_identity_headers on; proxy_cache_bypass"
     . " \$podi_user; proxy_no_cache \$podi_user; location / { $ASK $UP }"],
    ['metrics_for_all', '', "$PUBLIC location ~ \\.php { }"
     . ' location = /metrics { >>podi_status; }',
     '', "$PUBLIC location ~ ^/m { deny all; } location /metrics {"
     . ' podi_status; }'],
    ['metrics_for_all', '', "$PUBLIC location = /metrics { deny 192.0.2.66;"
     . ' >>podi_status; }',
     '', "$PUBLIC deny all; location = /metrics { podi_status; }"],
    ['metrics_for_all', '', "$PUBLIC set_real_ip_from 192.0.2.1;"
     . ' podi_tenant demo; location = /metrics { podi_auth optional;'
     . ' >>podi_status; }',
     '', "$PUBLIC set_real_ip_from 192.0.2.1; location = /metrics { $ASK"
     . ' podi_status; }'],
    (map { ['token_in_log', "log_format own '$_';",
     "$LISTEN podi_auth_source header=X-Token cookie=sid api_key=X-Own;"
     . " location / { $ASK $UP >>access_log $dir/log/own.log own; }",
     "log_format own '$_';",
     "$LISTEN location / { $ASK $UP access_log $dir/log/own.log own; }"] }
     qw( $http_x_token $cookie_sid $http_x_own )),
    (map { ['secret_readable', '', "$LISTEN >>$_ $dir/open;",
     '', "$LISTEN $_ $dir/shut;"] }
     qw( ssl_password_file ssl_session_ticket_key proxy_ssl_certificate_key
         proxy_ssl_password_file grpc_ssl_certificate_key
         grpc_ssl_password_file uwsgi_ssl_certificate_key
         uwsgi_ssl_password_file )),
    ['secret_readable', '', "$LISTEN >>auth_basic_user_file $dir/given;",
     '', "$LISTEN auth_basic_user_file $dir/shut.d/given;"],
);


# files that the traps are about
my $key = slurp_here("$dir/tls/server.key");

Podi::Stack::Files::write_file("$dir/open", $key, 0644);
Podi::Stack::Files::write_file("$dir/shut", $key, 0640);
Podi::Stack::Files::write_file("$dir/given", $key, 0620);
mkdir "$dir/shut.d", 0700 or die $!;
Podi::Stack::Files::write_file("$dir/shut.d/given", $key, 0620);
Podi::Stack::Files::write_file("$dir/conf/loose.conf", "location / { }\n", 0666);
Podi::Stack::Files::write_file("$dir/conf/tight.conf", "location / { }\n", 0644);
chmod 0755, $dir;

is_deeply [lint("$dir/conf/nginx.conf")], [1], 'conf/nginx.conf has no finding';

subtest 'conf/protect-any-service.conf' => sub {
    my $text = slurp('conf/protect-any-service.conf');

    $text =~ s{/etc/podi/tls}{$dir/tls}g;
    $text =~ s{listen 443}{listen $s->{tls_port}};
    $text =~ s{listen 80}{listen $s->{redirect_port}};
    is_deeply [lint(conf($text, "$LISTEN return 404;"))], [1], 'has no finding';
};

subtest 'with what stands there commented out' => sub {
    my $all = $http =~ s/^#(podi_(?:limit|channel_h|breaker)\w*\s[^\n]*;)/$1/gmr;
    my $server = Podi::Stack::Files::rendered($s, 'podi-server.conf');

    $server =~ s/^#(podi_\w+ [^\n]*;)/$1/gm;
    $server =~ s/sign=\S+?;/sign=$dir\/keys\/refresh.key;/;
    Podi::Stack::Files::write_file("$dir/conf/podi-http.conf", $all);
    is_deeply [lint(conf('', "$LISTEN $server"))], [1],
       'has no finding either';
    Podi::Stack::Files::write_file("$dir/conf/podi-http.conf", $http);
};

for my $trap (@TRAPS) {
    my ($rule, @text) = @$trap;
    my ($taken, @found) = lint(conf(spread(@text[0, 1])));

    ok $taken, "$rule: nginx takes it";
    is_deeply \@found, ["$rule:$mark"], 'and says so, once, and where';
    ($taken, @found) = lint(conf(spread(@text[2, 3])));
    is_deeply [$taken, @found], [1], 'and nothing of what is right';
}

# each rule has a trap, and a place on the page
{
    my ($table) = slurp('ngx_podi_module/lint/ngx_http_podi_lint_module.c')
        =~ /lint_rules\[\] = \{(.*?)\n\};/s;
    my %rule = map { $_ => 1 } $table =~ /\{ "(\w+)"/g;
    my %trap = map { $_->[0] => 1 } @TRAPS;
    my $traps = join ' ', map { @$_ } @TRAPS;
    my @key = $table =~ /"secret_readable",\s+"(\w+)"/g;
    my $page = slurp('docs/directives/lint.md');

    is_deeply \%trap, \%rule, 'each rule has a trap';
    is_deeply [grep { $page !~ /^\| `$_` \|/m } sort keys %rule], [],
       'and a line on its page';
    is_deeply [grep { $traps !~ />>$_ / } @key], [],
       'and so has each directive that names a secret';
}

# where, and unless it is excused
{
    my $dry = "$LISTEN\nlocation /a { podi_dry_run on; }\n";
    my $two = "${dry}location /b { podi_dry_run on; }\n";

    is_deeply [(lint(conf('', $two)))[1, 2]], ['dry_run:11', 'dry_run:12'],
       'each place is named, by its line';
    is_deeply [lint(conf('podi_lint off;', $two))], [1], 'off says nothing';
    is_deeply [lint(conf('podi_lint except=token_in_log,dry_run;', $two))],
       [1], 'nor does an exception';
    is_deeply [lint(conf('podi_lint except=token_in_log;', $dry))],
       [1, 'dry_run:11'], 'an exception of another rule does not matter';
    is_deeply [lint(conf('podi_lint off;', "podi_lint on;\n$dry"))],
       [1, 'dry_run:12'], 'the nearest level counts';
}

# what it cannot look through it does not call safe, unless that is known
Podi::Stack::Files::write_file("$dir/conf/long.conf", "# long\n" x 600_000);
my $long = "include $dir/conf/long.conf;";

is_deeply [lint(conf($long, $LISTEN))], [1, 'unread:0'],
   'a configuration that is too long is named';
is_deeply [lint(conf("podi_lint $_; $long", $LISTEN))], [1],
   "not so with $_"
    for 'off', 'except=unread', 'except=dry_run,unread';
is_deeply [lint(conf('podi_lint except=dry_run;', "$LISTEN $long"))],
   [1, 'unread:0'], 'another exception does not matter';

Podi::Stack::Files::write_file("$dir/conf/loose.ev",
                               "\nworker_rlimit_nofile 512;\n", 0666);

# and what is no directive it need not look through
is_deeply [lint(conf("geo \$a { default 0; $long }",
                     "$LISTEN\npodi_dry_run on;"))],
   [1, 'dry_run:11'], 'what a geo includes does not matter';
is_deeply [lint(conf('', join "\n", $LISTEN, ('location / {') x 40,
                     'podi_dry_run on;', ('}') x 40))],
   [1, 'dry_run:51'], 'nor how deep a location is';
is_deeply [lint(conf('', $LISTEN, "events { } include $dir/conf/loose.ev;"))],
   [1, 'conf_writable:2'], 'a file outside of http counts, too';
is_deeply [lint(conf('podi_lint except=conf_writable;', $LISTEN,
                     "events { } include $dir/conf/loose.ev;"))],
   [1], 'and is excused by http';

# who only sends a signal hears nothing, but for a reload
{
    my $file = conf('', "$LISTEN\npodi_dry_run on;");

    is_deeply [grep { /dry_run/ } lint($file, '-s', $_)], [], "-s $_"
        for qw( stop quit reopen );
    is_deeply [grep { /dry_run/ } lint($file, '-s', 'reload')],
       ['dry_run:11'], '-s reload';
}

done_testing;
