package Podi::Stack::Files;

# The directory of a private stack: keys, certificates, configuration.
#
#     conf/*.conf of the repository --[paths of a Debian host -> $dir]--> $dir
#
# The places are those of conf/stack; secrets are fixed words, for tests only.

use strict;
use warnings;

use Digest::SHA qw( sha256_hex );
use File::Copy qw( copy );
use File::Path qw( make_path );
use Podi::Repo qw( root slurp );
use Podi::Token;

# nothing survives a test; redis_conf of a stack wins
my %REDIS = (appendonly => 'no', maxmemory => '64mb',
             'maxmemory-policy' => 'noeviction');

my $web = $> == 0 ? 'www-data' : (getpwuid $>)[0];


sub web_user { $web }

sub write_file
{
    my ($path, $text, $mode) = @_;

    open my $out, '>:raw', $path or die "$path: $!";
    print $out $text;
    close $out or die "$path: $!";
    chmod $mode // 0644, $path;
}


sub own
{
    my ($user, @paths) = @_;

    return if $> != 0;

    my ($uid, $gid) = (getpwnam $user)[2, 3];
    chown $uid, $gid, @paths;
}


# a socket directory of the database that nginx's workers may enter
sub open_socket_to_web
{
    my ($path) = @_;

    return if $> != 0;

    chown -1, (getpwnam $web)[3], $path;
    chmod 0750, $path;
}


sub make
{
    my ($self) = @_;
    my $dir = $self->{dir};

    make_path(map { "$dir/$_" } qw( bin conf keys tls log run/redis run/podi
        redis store tmp lib ));
    own($web, map { "$dir/$_" } qw( run/podi store tmp lib log ));
    own('redis', "$dir/run/redis", "$dir/redis") if $> == 0;
    chmod 0755, "$dir/run/redis";
    _tls($dir);
    _programs($self);
    mkdir "$dir/conf/providers";
    copy($_, "$dir/conf/providers/") or die "$_: $!"
        for glob root() . '/conf/providers/*.json';
    _redis($dir, %{ $self->{redis_conf} // {} });
}


# services cannot enter every checkout, so they run from copies
sub _programs
{
    my ($self) = @_;
    my $so = 'ngx_http_podi_module.so';

    for my $file ("$self->{build}/$so", glob "$self->{build}/bin/*") {
        next if !-f $file;
        my $to = "$self->{dir}/bin/" . $file =~ s{.*/}{}r;
        copy($file, $to) or die "$to: $!";
        chmod 0755, $to;
    }
}


sub _openssl
{
    my @arg = @_;

    # it draws dots on stderr
    open my $out, '-|', 'sh', '-c', 'exec openssl "$@" 2>&1', 'openssl', @arg
        or die "openssl: $!";
    my $said = do { local $/; <$out> };
    close $out or die "openssl @arg: $said";
}


# one certificate is enough for a test, and it is made once
sub _tls
{
    my ($dir) = @_;
    my $kept = ($ENV{PODI_BUILD} // root() . '/var/build') . '/test-tls';

    if (!-f "$kept/server.crt") {
        make_path($kept);
        _openssl(qw( req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256
                     -nodes -days 3650 -batch -subj /CN=localhost -addext ),
                 'subjectAltName=DNS:localhost,IP:127.0.0.1',
                 '-addext', 'basicConstraints=critical,CA:TRUE',
                 '-keyout', "$kept/server.key.$$",
                 '-out', "$kept/server.crt.$$");
        rename "$kept/$_.$$", "$kept/$_" for qw( server.key server.crt );
    }

    copy("$kept/server.$_", "$dir/tls/server.$_") or die $! for qw( key crt );
    copy("$kept/server.crt", "$dir/tls/ca.crt") or die $!;
    chmod 0600, "$dir/tls/server.key";
}


sub _redis
{
    my ($dir, %set) = @_;
    my %own = map { $_ => $set{$_} // $REDIS{$_} } keys %REDIS, keys %set;

    write_file("$dir/redis/redis.conf", <<"CONF"
port 0
unixsocket $dir/run/redis/redis.sock
unixsocketperm 777
requirepass redis-of-tests
daemonize no
logfile $dir/redis/redis.log
dir $dir/redis
save ""
databases 4
CONF
        . join '', map { "$_ $own{$_}\n" } sort keys %own);
}


sub write_keys
{
    my ($self) = @_;
    my $keys = "$self->{dir}/keys";

    write_file("$keys/context.key", "$Podi::Pg::KEY_ID $Podi::Pg::KEY\n");
    write_file("$keys/refresh.key", sha256_hex('refresh of tests') . "\n");
    write_file("$keys/store.key",
               'PODITESTKEY00000000:' . substr(sha256_hex('store'), 0, 40)
               . "\n");
    write_file("$keys/redis", "redis-of-tests\n");
    write_file("$keys/webhook.key", sha256_hex('webhook of tests') . "\n");
    write_file("$keys/pg_$_", $self->{pg}->password("podi_$_") . "\n")
        for qw( web worker ctl );

    Podi::Token->new("$keys/token.key");
    own($web, glob "$keys/*");
    chmod 0640, glob "$keys/*";
}


# a file of conf/, said for this directory
sub rendered
{
    my ($self, $file) = @_;
    my $dir = $self->{dir};
    my $text = slurp("conf/$file");
    my $socket = "$self->{pg}{dir}/sock";

    $text =~ s{/usr/lib/nginx/modules/ngx_http_podi}{$dir/bin/ngx_http_podi}g;
    $text =~ s{/etc/podi/keys}{$dir/keys}g;
    $text =~ s{/etc/podi/tls}{$dir/tls}g;
    $text =~ s{/etc/podi}{$dir/conf}g;
    $text =~ s{/run/postgresql}{$socket}g;
    $text =~ s{\bdbname=podi\b}{dbname=$self->{db}{name}}g;
    $text =~ s{/run/redis/redis-server\.sock}{$dir/run/redis/redis.sock}g;
    $text =~ s{/run/podi}{$dir/run/podi}g;
    $text =~ s{/run/nginx\.pid}{$dir/run/nginx.pid}g;
    $text =~ s{/var/lib/podi}{$dir}g;
    $text =~ s{/var/log/(?:nginx|podi)}{$dir/log}g;
    $text =~ s{127\.0\.0\.1:8443}{127.0.0.1:$self->{tls_port}}g;
    $text =~ s{127\.0\.0\.1:8080}{127.0.0.1:$self->{redirect_port}}g;
    $text =~ s{(localhost|\$host):8443}{$1:$self->{tls_port}}g;
    $text =~ s{^user .*\n}{}m if $> != 0;
    $text =~ s{\bpodi_tenant demo;}{podi_tenant $self->{tenant};};
    $text =~ s{^#metrics_every = .*}{metrics_every = 500ms}m;
    $text .= $self->{http} if $file eq 'podi-http.conf' && $self->{http};
    $text .= $self->{server} if $file eq 'podi-server.conf'
                                && $self->{server};
    $text = _plain_server($self, $text) if $file eq 'nginx.conf';
    $text = $self->{rewrite}->($file, $text) if $self->{rewrite};
    return $text;
}


# the same locations without TLS: cheaper for tests that are not about it
sub _plain_server
{
    my ($self, $text) = @_;

    $text =~ s/\}\s*\z//;
    return $text . <<"CONF";

    server {
        listen 127.0.0.1:$self->{port};
        server_name localhost;
        include $self->{dir}/conf/podi-server.conf;
    }
}
CONF
}


sub write_nginx
{
    my ($self) = @_;

    write_file("$self->{dir}/conf/$_", rendered($self, $_))
        for qw( nginx.conf podi-load.conf podi-http.conf podi-server.conf );
}


sub write_workers
{
    my ($self) = @_;
    my $file = "$self->{dir}/conf/workers.conf";

    write_file($file, rendered($self, 'workers.conf'), 0640);
    own($web, $file);
}

1;
