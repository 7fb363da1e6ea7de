package Podi::Provider;

# The fake provider (t/lib/provider/fake.pl) of a test.
#
#     my $fake = Podi::Provider->new;
#     $fake->description('replicate')         JSON text of conf/providers, with
#                                             its base_url and hosts the fake's
#     $fake->write($dir, @names)              the same as files
#     $fake->play(provider => 'fal', step => 'poll', play => 'failed')
#     $fake->release                          what was played as held
#     $fake->calm                             nothing is played any more
#     $fake->webhook($id, 'forged')           the statuses that came back
#     $fake->clock($seconds)                  its own, ahead of ours
#     $fake->finish($id)                      it is done with the next poll
#     $fake->log, $fake->jobs, $fake->reset
#
# Keys that it takes: "test-key"; of signing kinds "test-ak" and "test-sk".

use strict;
use warnings;
use File::Temp ();
use HTTP::Tiny;
use JSON::PP ();
use Podi::Proc qw( poll );
use Podi::Repo qw( root slurp );

our $HOOK_SECRET = 'whsec_YSBzZWNyZXQgb2YgdGhlIGZha2UgcHJvdmlkZXI=';

my $json = JSON::PP->new->canonical->utf8;


sub new
{
    my ($class) = @_;
    my $dir = File::Temp->newdir;
    my $pid = fork // die "fork: $!";

    if (!$pid) {
        exec $^X, root() . '/t/lib/provider/fake.pl', "$dir/port";
        exit 127;
    }

    my $self = bless { dir => $dir, pid => $pid, owner => $$,
                       http => HTTP::Tiny->new(timeout => 20) }, $class;

    $self->{port} = poll(20, sub { -s "$dir/port" && slurp_line("$dir/port") })
        or die 'the fake provider does not start';
    return $self;
}


sub slurp_line
{
    open my $in, '<', $_[0] or return undef;
    my $line = <$in> // '';

    chomp $line;
    return $line;
}


sub url { return "http://127.0.0.1:$_[0]{port}" . ($_[1] // '') }


sub description
{
    my ($self, $name) = @_;
    my $d = $json->decode(slurp("conf/providers/$name.json"));

    $d->{base_url} = $self->url("/$name");
    $d->{webhook}{verify}{jwks_url} = $self->url('/fal/.well-known/jwks.json')
        if $d->{webhook} && $d->{webhook}{verify}{jwks_url};
    $_->{result}{allowed_hosts} = ['127.0.0.1']
        for grep { $_->{result} && $_->{result}{allowed_hosts} }
            $d->{common} // (), values %{ $d->{operations} };

    return $json->encode($d);
}


sub write
{
    my ($self, $dir, @names) = @_;

    for my $name (@names) {
        open my $out, '>', "$dir/$name.json" or die "$dir/$name.json: $!";
        print $out $self->description($name);
        close $out or die "$dir/$name.json: $!";
    }
}


sub _ask
{
    my ($self, $method, $path, $body) = @_;
    my $r = $self->{http}->request($method, $self->url($path),
        $body ? { content => $json->encode($body) } : {});

    die "the fake provider: $r->{status} $r->{content}" if !$r->{success};
    return $json->decode($r->{content});
}


sub play { my ($self, %p) = @_; return $self->_ask(POST => '/__fake', \%p) }

sub finish { return $_[0]->_ask(POST => '/__fake', { finish => $_[1] }) }

sub calm { return $_[0]->_ask(POST => '/__fake', { calm => JSON::PP::true }) }


sub release
{
    return $_[0]->_ask(POST => '/__fake', { release => JSON::PP::true });
}

sub clock { return $_[0]->_ask(POST => '/__fake', { clock => $_[1] }) }

sub reset { return $_[0]->_ask(POST => '/__fake', { reset => JSON::PP::true }) }

sub log { return @{ $_[0]->_ask(GET => '/__fake/log') } }

sub jobs { return @{ $_[0]->_ask(GET => '/__fake/jobs') } }


sub webhook
{
    my ($self, $id, $how) = @_;

    return @{ $self->_ask(POST => '/__fake', { webhook => $id,
                          how => $how // 'good' })->{status} };
}


sub DESTROY
{
    my ($self) = @_;

    return if $self->{owner} != $$;
    local $?;
    kill TERM => $self->{pid};
    waitpid $self->{pid}, 0;
}


1;
