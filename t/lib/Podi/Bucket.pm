package Podi::Bucket;

# An object store for tests: the part of S3 that presigned URLs need, without
# looking at signatures; what it was asked is remembered.
#
#     my $b = Podi::Bucket->start("$dir/bucket");
#     $b->{address}                    # "127.0.0.1:12345"
#     $b->put('t/u/1', $bytes);        # behind everybody's back
#     $b->get('t/r/2');                # undef: not there
#     $b->log                          # [{method, key, status, headers}]
#
#     $b->refuse(2)                    # so many PUTs get 503
#
# A key that holds "/deny/" is refused with 403 to everybody.

use strict;
use warnings;

use IO::Socket::INET;
use JSON::PP ();
use POSIX ();

my $json = JSON::PP->new->canonical;


sub start
{
    my ($class, $dir) = @_;
    my $self = bless { dir => $dir, owner => $$ }, $class;

    mkdir $dir or die "$dir: $!";
    $self->{door} = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
        LocalPort => 0, Listen => 64, ReuseAddr => 1) or die "bucket: $@";
    $self->{address} = '127.0.0.1:' . $self->{door}->sockport;

    $self->{pid} = fork // die "fork: $!";
    if ($self->{pid} == 0) {
        $SIG{CHLD} = 'IGNORE';
        while (1) {
            my $client = $self->{door}->accept or next;
            my $pid = fork // next;

            next if $pid;
            $self->_serve($client);
            POSIX::_exit(0);
        }
    }

    close $self->{door};
    return $self;
}


sub _file
{
    my ($self, $key) = @_;

    return "$self->{dir}/" . $key =~ s{/}{~}gr;
}


sub put
{
    my ($self, $key, $bytes) = @_;
    my $file = $self->_file($key);

    open my $out, '>:raw', "$file.$$" or die "$file: $!";
    print {$out} $bytes;
    close $out or die "$file: $!";
    rename "$file.$$", $file or die "$file: $!";
}


sub get
{
    my ($self, $key) = @_;

    open my $in, '<:raw', $self->_file($key) or return;
    local $/;
    return scalar <$in>;
}


sub refuse
{
    my ($self, $n) = @_;

    for my $i (1 .. $n) {
        open my $out, '>', "$self->{dir}/.refuse.$i" or die "refuse: $!";
    }
    return;
}


sub log
{
    my ($self) = @_;

    open my $in, '<', "$self->{dir}/.log" or return;
    return map { $json->decode($_) } <$in>;
}


# a connection may carry several requests
sub _serve
{
    my ($self, $client) = @_;

    local $/ = "\r\n";
    while (defined(my $line = <$client>)) {
        my ($method, $key) = $line =~ m{^(\w+) /[^/]+/([^? ]+)} or return;
        my (%headers, $body);

        while (defined(my $header = <$client>)) {
            last if $header eq "\r\n";
            $headers{ lc $1 } = $2 if $header =~ /^([^:]+):\s*(.*?)\r\n/;
        }
        read $client, $body, $headers{'content-length'}
            if $headers{'content-length'};

        my ($status, $bytes) = $self->_answer($method, $key, \%headers, $body);

        $self->_remember($method, $key, $status, \%headers);
        print {$client} "HTTP/1.1 $status Said\r\nContent-Length: ",
            length $bytes, "\r\n\r\n", $bytes;
        $client->flush;
    }
}


sub _answer
{
    my ($self, $method, $key, $headers, $body) = @_;
    my $file = $self->_file($key);

    return (403, '<Code>AccessDenied</Code>') if $key =~ m{/deny/};
    return -e $file ? (200, $self->get($key)) : (404, '') if $method eq 'GET';

    if ($method eq 'DELETE') {
        unlink $file;
        return (204, '');
    }

    unlink $_ and return (503, '<Code>SlowDown</Code>')
        for glob "$self->{dir}/.refuse.*";
    return (412, '') if -e $file && ($headers->{'if-none-match'} // '') eq '*';
    $self->put($key, $body);
    return (200, '');
}


sub _remember
{
    my ($self, $method, $key, $status, $headers) = @_;

    open my $out, '>>', "$self->{dir}/.log" or return;
    syswrite $out, $json->encode({ method => $method, key => $key,
        status => $status, headers => $headers }) . "\n";
}


sub DESTROY
{
    my ($self) = @_;

    return if $$ != $self->{owner} || !$self->{pid};
    local ($?, $!);
    kill 'KILL', $self->{pid};
    waitpid $self->{pid}, 0;
}


1;
