# build.sh and conf/stack: what can be seen without starting anything.

use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp;
use IO::Socket::INET;
use Test::More;

my $root = abs_path(dirname(__FILE__) . '/../..');
my $dir = File::Temp->newdir;

delete @ENV{grep { /^PODI_/ } keys %ENV};
$ENV{PODI_VAR} = "$dir/var";


# runs a shell text: exit status, stdout and stderr together
sub shell
{
    my ($text) = @_;

    open my $out, '>', "$dir/text.sh" or die "text.sh: $!";
    print $out $text;
    close $out;

    my $said = qx(bash $dir/text.sh 2>&1 < /dev/null);

    return ($? >> 8, $said);
}


# the same, with the parts of the stack at hand
sub stack
{
    my ($text) = @_;

    return shell("set -euo pipefail\nROOT=$root\n"
                 . 'for f in common packages state nginx;'
                 . ' do . "$ROOT/conf/stack/$f.sh"; done' . "\n$text\n");
}


sub write_file
{
    my ($path, $text) = @_;

    open my $out, '>', $path or die "$path: $!";
    print $out $text;
    close $out;
}


sub read_file
{
    my ($path) = @_;

    open my $in, '<', $path or return;
    local $/;

    return <$in>;
}


my ($status, $said);

# ---- verbs

($status, $said) = shell("$root/build.sh");
is $status, 2, 'no verb is a wrong use';
like $said, qr/^usage: /, '... that is told how';

($status, $said) = shell("$root/build.sh uninstall");
is $status, 2, 'an unknown verb is a wrong use';

for my $verb (qw(drill conformance)) {
    ($status, $said) = shell("$root/build.sh $verb");
    is "$status $said", "3 not yet\n", "$verb says that it is not there yet";
}

($status, $said) = shell("$root/build.sh status");
is "$status $said", "1 no stack\n", 'status without a stack says so';

($status, $said) = shell("$root/build.sh down");
is $status, 0, 'down without a stack is nothing to do';

# ---- paths

($status, $said) = stack(<<'END');
STATE=/var/lib/podi/s PODI_HTTPS_PORT=18443 PODI_HTTP_PORT=18080
printf '%s\n' 'root=/var/lib/podi/store;' 'file /etc/podi/keys/redis;' \
    'listen 127.0.0.1:8443 ssl;' 'return 308 https://$host:8443/;' \
    | stack_paths
END
is $said, <<'END', 'paths are rewritten once, not again';
root=/var/lib/podi/s/store;
file /var/lib/podi/s/keys/redis;
listen 127.0.0.1:18443 ssl;
return 308 https://$host:18443/;
END

my $long = "$dir/" . 'x' x 90;
($status, $said) = stack("state_users; state_at $long; mkdir -p $long;"
                         . ' state_refusal');
like $said, qr/too long a path/, 'a path too long for a socket is refused';

($status, $said) = stack("state_users; state_at '$dir/a b'; state_refusal");
like $said, qr/configuration files cannot hold/, 'and one with a blank';

# ---- ports

my $taken = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')
    or die "listen: $!";
my $port = $taken->sockport;

($status, $said) = stack("port_free $port PODI_HTTPS_PORT");
is $status, 1, 'a busy port stops the start';
like $said, qr/port $port on 127\.0\.0\.1 is taken by .*; set PODI_HTTPS_PORT/,
    '... and is named, with who has it and what to set';
like $said, qr/\Q, pid $$;/, '... by its pid';

close $taken;
($status, $said) = stack("port_free $port PODI_HTTPS_PORT");
is $status, 0, 'a free one does not';

# ---- the guard around the packages

my $guard = <<"END";
as_root() { "\$@"; }
POLICY=$dir/policy-rc.d CLUSTER_CONF=$dir/createcluster.conf
packages_missing() { echo postgresql-15; }
END

write_file("$dir/policy-rc.d", "#!/bin/sh\nexit 0\n");
write_file("$dir/createcluster.conf", "ssl = on\n");

($status, $said) = stack($guard . <<'END');
apt_install() {
    "$POLICY"; echo "policy says $?"
    grep -c '^create_main_cluster = false' "$CLUSTER_CONF" || true
}
set +e
packages_need postgresql-15
END
is $status, 0, 'packages are installed';
like $said, qr/policy says 101\n0\npolicy says 101\n1\n/,
    '... while no service may start and no cluster is made';
is read_file("$dir/policy-rc.d"), "#!/bin/sh\nexit 0\n",
    '... then the policy is put back';
is read_file("$dir/createcluster.conf"), "ssl = on\n",
    '... and the settings of clusters';

unlink "$dir/policy-rc.d";
($status, $said) = stack($guard . <<'END');
apt_install() { [ "$1" = postgresql-common ]; }
packages_need postgresql-15
END
is $status, 1, 'an installation that fails stops the verb';
ok !-e "$dir/policy-rc.d", '... and leaves no policy behind';
is read_file("$dir/createcluster.conf"), "ssl = on\n",
    '... nor its own settings';

# ---- processes

($status, $said) = stack(<<END);
STATE=$dir/var
echo $$ > $dir/other.pid
pid_of $dir/other.pid || echo not ours
END
like $said, qr/not ours/, 'a pid that is another program now is not ours';

done_testing;
