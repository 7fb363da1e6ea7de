package Podi::Plain;

# An nginx of its own with the module and nothing else: no database, no Redis.
#
#     my $n = Podi::Plain->new(http => '...', server => '...', workers => 2);
#     my $res = $n->get('/path');       # { status => 200, head => '...', ... }
#     my $sock = $n->hold('/path');     # sent, and the answer not read
#     $n->whole($killed); $n->reload(http => '...'); $n->log; $n->stop;
#
# X-Pid of each answer is the worker's.  A reload returns when its workers are
# the only ones.

use strict;
use warnings;

use File::Temp;
use IO::Socket::INET;
use Test::More ();
use Podi::Proc qw( poll children free_port gone san_env sanitizer_lines );
use Podi::Repo qw( root );


sub new
{
    my ($class, %option) = @_;
    my $self = bless { workers => 2, dir => File::Temp->newdir, head => '',
                       build => $ENV{PODI_BUILD} // root() . '/var/build',
                       %option }, $class;

    $self->{port} //= free_port();
    mkdir "$self->{dir}/$_" for qw( logs tmp );
    chmod 0755, $self->{dir};
    $self->_write;

    my $pid = fork // die "fork: $!";
    if (!$pid) {
        my $nginx = $ENV{PODI_NGINX} // '/usr/sbin/nginx';
        my %san = san_env("$self->{dir}/logs", $nginx);

        delete $ENV{NGINX};
        @ENV{keys %san} = values %san;
        exec $nginx, '-p', "$self->{dir}/", '-c', "$self->{dir}/nginx.conf",
             '-e', "$self->{dir}/logs/error.log" or die "$nginx: $!";
    }
    $self->{pid} = $pid;
    poll(20, sub { $self->workers == $self->{workers} && $self->_listens })
        or die "nginx does not come up:\n" . $self->log;
    return $self;
}


sub _write
{
    my ($self) = @_;
    my $temp = join "\n", map { "${_}_temp_path tmp;" }
        qw( client_body proxy fastcgi uwsgi scgi );

    open my $out, '>', "$self->{dir}/nginx.conf" or die $!;
    print $out <<"EOS";
load_module $self->{build}/ngx_http_podi_module.so;
daemon off;
worker_processes $self->{workers};
pid $self->{dir}/nginx.pid;
error_log $self->{dir}/logs/error.log info;
$self->{head}
events { worker_connections 512; }
http {
    access_log off;
    keepalive_requests 100000;
    $temp
    add_header X-Pid \$pid always;
    $self->{http}
    server {
        listen 127.0.0.1:$self->{port};
        $self->{server}
    }
}
EOS
    close $out or die $!;
}


sub _listens
{
    my ($self) = @_;
    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $self->{port});

    return defined $sock;
}


sub port    { $_[0]{port} }

# those who live: who was killed stays a child until the master has seen it
sub workers { grep { !gone($_) } children($_[0]{pid}) }


sub log
{
    my ($self) = @_;

    open my $in, '<', "$self->{dir}/logs/error.log" or return '';
    local $/;
    return <$in> // '';
}


sub hold
{
    my ($self, $path) = @_;
    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $self->{port})
        or die "connect: $!";

    print $sock "GET $path HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    $sock->flush;
    return $sock;
}


sub answer
{
    my ($self, $sock) = @_;
    my $text = do { local $/; <$sock> } // '';
    my ($head, $body) = split /\r\n\r\n/, $text, 2;
    my %res = (head => $head // '', body => $body // '');

    ($res{status}) = $res{head} =~ m{^HTTP/1\.1 (\d+)};
    ($res{pid}) = $res{head} =~ /^X-Pid: (\d+)/m;
    $res{status} //= 0;
    return \%res;
}


sub get
{
    my ($self, $path) = @_;

    return $self->answer($self->hold($path));
}


# one after the other on one connection; their statuses
sub many
{
    my ($self, @paths) = @_;
    my @status;

    while (my @some = splice @paths, 0, 200) {
        my $last = pop @some;
        my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                         PeerPort => $self->{port});
        print $sock map({ "GET $_ HTTP/1.1\r\nHost: x\r\n\r\n" } @some),
            "GET $last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        $sock->flush;

        my $text = do { local $/; <$sock> } // '';
        push @status, $text =~ m{HTTP/1\.1 (\d+)}g;
    }
    return @status;
}


# workers that were killed are there again
sub whole
{
    my ($self, @without) = @_;
    my %gone = map { $_ => 1 } @without;

    return poll(20, sub {
        my @now = $self->workers;
        return @now == $self->{workers} && !grep { $gone{$_} } @now;
    });
}


sub reload
{
    my ($self, %option) = @_;
    my @old = $self->workers;

    @$self{keys %option} = values %option;
    $self->_write;
    kill HUP => $self->{pid};
    return poll(20, sub {
        my @now = $self->workers;
        my %now = map { $_ => 1 } @now;
        return @now == $self->{workers} && !grep { $now{$_} } @old;
    });
}


sub stop
{
    my ($self) = @_;
    my $pid = delete $self->{pid} // return;

    kill TERM => $pid;
    waitpid $pid, 0;
    Test::More::fail("nginx: $_") for sanitizer_lines(
        glob "$self->{dir}/logs/*");
    return;
}


sub DESTROY
{
    my ($self) = @_;
    local ($?, $!);

    $self->stop;
}

1;
