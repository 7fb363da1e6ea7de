package Podi::Bench::Callgrind;

# Instructions that nginx itself runs for one request: the same on a busy
# machine as on an idle one.  What the kernel does for it is not among them.
#
#     my $c = Podi::Bench::Callgrind->new($stack);     # its nginx runs no more
#     my $n = $c->count('http://127.0.0.1:1234/x', Authorization => '...');
#     $c->stop;
#
#     nginx, one process, in callgrind --[some requests]--> warm
#         --[dump]--> zero --[requests on one connection]--> dump
#         --[no request, for as long]--> dump --> (sum - idle) / n

use strict;
use warnings;

use IO::Socket::INET;
use Time::HiRes qw( sleep time );
use Podi::Bench::Tools;
use Podi::Proc qw( poll spawn reaped );
use Podi::Stack::Files;

my $WARM = 100;
my $COUNT = 1000;


sub new
{
    my ($class, $stack) = @_;
    my $dir = $stack->dir;
    my $self = bless { stack => $stack, out => "$dir/log/callgrind",
                       dumps => 0 }, $class;

    Podi::Stack::Files::write_nginx($stack);
    $self->{pid} = spawn(dir => $dir, log => "$dir/log/callgrind.log",
        cmd => ['valgrind', '--tool=callgrind', '-q',
                "--callgrind-out-file=$self->{out}",
                $ENV{PODI_NGINX} // '/usr/sbin/nginx', '-p', "$dir/",
                '-c', "$dir/conf/nginx.conf", '-e', "$dir/log/error.log",
                '-g', 'daemon off; master_process off;']);
    poll(60, sub { reaped($self->{pid}) || _connect($stack->url) })
        && !reaped($self->{pid})
        or die 'nginx does not start in callgrind: '
               . Podi::Bench::Tools::slurped("$dir/log/callgrind.log");
    return $self;
}


sub _connect
{
    my ($url) = @_;
    my ($tls, $host, $port) = $url =~ m{^http(s?)://([^:/]+):(\d+)} or die;

    return IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port)
        if !$tls;
    require IO::Socket::SSL;
    return IO::Socket::SSL->new(PeerAddr => $host, PeerPort => $port,
                                SSL_verify_mode => 0);
}


sub count
{
    my ($self, $url, %header) = @_;
    my ($path) = $url =~ m{^https?://[^/]+(/.*)};
    my $sock = _connect($url) or die "$url: no connection: $!";
    my $text = join "\r\n", "GET $path HTTP/1.1", 'Host: localhost',
        (map { "$_: $header{$_}" } sort keys %header), '', '';

    # whoever asks before the feed of revocations has come gets a 503
    poll(90, sub { eval { _ask($sock, $text, $url); 1 } }) or die $@;
    _ask($sock, $text, $url) for 1 .. $WARM;
    $self->_dump;

    my $began = time;
    _ask($sock, $text, $url) for 1 .. $COUNT;
    my $took = time - $began;
    my $sum = $self->_dump;

    # and its timers, which have nothing to do with requests
    sleep $took;
    return ($sum - $self->_dump) / $COUNT;
}


sub _ask
{
    my ($sock, $text, $url) = @_;
    my $answer = '';

    print {$sock} $text;
    until ($answer =~ /\r\n\r\n/) {
        sysread($sock, $answer, 16384, length $answer)
            or die "$url: the connection ended";
    }
    my ($length) = $answer =~ /^Content-Length: (\d+)/mi;
    my $whole = $length + index($answer, "\r\n\r\n") + 4;

    while (length $answer < $whole) {
        sysread($sock, $answer, 16384, length $answer)
            or die "$url: the connection ended";
    }
    die "$url: $answer" if $answer !~ m{^HTTP/1\.1 200 };
}


# instructions since the last one
sub _dump
{
    my ($self) = @_;
    my $file = "$self->{out}." . ++$self->{dumps};
    my ($said, $status) = Podi::Bench::Tools::output('callgrind_control',
        '-d', $self->{pid});
    my $sum;

    die "callgrind_control: $said" if $status;
    poll(60, sub {
        ($sum) = Podi::Bench::Tools::slurped($file) =~ /^totals: (\d+)/m;
    }) or die "callgrind wrote no $file: $said";
    return $sum;
}


sub stop
{
    my ($self) = @_;

    kill 'TERM', $self->{pid};
    poll(60, sub { reaped($self->{pid}) }) or kill 'KILL', $self->{pid};
    delete $self->{pid};
    return;
}


sub DESTROY
{
    my ($self) = @_;

    kill 'KILL', $self->{pid} if $self->{pid};
}

1;
