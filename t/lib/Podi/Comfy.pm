package Podi::Comfy;

# A fake ComfyUI for a test: starts it, sets its switches, reads what it saw.
#
#     my $fake = Podi::Comfy->start;           # or (version => '0.3.50', ...)
#     $fake->url                               # http://127.0.0.1:PORT
#     $fake->fake(status => { code => 503, path => '/prompt', times => 2 });
#     $fake->fake(die => 'now'); $fake->restart;       # same port, same folders
#     $fake->quit; $fake->restart;             # ... by SIGTERM
#     $fake->requests('POST', '/prompt')       # of every start, in order
#     $fake->faults                            # what strict mode refused
#     $fake->stop                              # fails the test when there are
#     my @fake = Podi::Comfy->start_many(50);  # in one process, which the first
#                                              # one stops and nobody restarts
#
# Switches: Podi::Comfy::Switch.  The log is read from a file, so that it is
# there when the server is not.  Options of start besides switches: port, and
# keep => 1 (faults are the test's matter, stop says nothing).

use strict;
use warnings;
use File::Spec ();
use File::Temp ();
use HTTP::Tiny ();
use JSON::PP ();
use Test::Builder ();

use Podi::Comfy::Files ();
use Podi::Comfy::Json qw( encode decode );
use Podi::Proc qw( poll reaped );

my $HERE = File::Spec->rel2abs(__FILE__) =~ s{/Podi/Comfy\.pm$}{}r;


sub start
{
    my ($class, %option) = @_;
    my $self = bless { map { $_ => delete $option{$_} } qw( port keep ) },
        $class;

    $self->{tmp} = File::Temp->newdir('podi-comfy-XXXXXX', TMPDIR => 1);
    $self->{dir} = "$self->{tmp}";
    $self->{set} = \%option;
    return $self->restart;
}


# a new process: nothing in its memory, the old files in its folders
sub restart
{
    my ($self) = @_;

    $self->_reap(1);
    my $out = "$self->{dir}/out";
    unlink $out;
    $self->{pid} = Podi::Proc::spawn(log => $out, cmd => [$^X, "-I$HERE",
        "$HERE/comfy/fake.pl", '--dir', $self->{dir}, '--set',
        encode($self->{set}), '--port', $self->{port} // 0]);

    my $said = poll(30, sub {
        my $text = Podi::Comfy::Files::slurp($out) // '';
        $text =~ /^(\d+)\n/ ? $1 : reaped($self->{pid}) ? -1 : 0;
    });
    die 'the fake does not start: ' . Podi::Comfy::Files::slurp($out)
        if $said <= 0;
    $self->{port} = $said;

    # opened before any switch can refuse it
    $self->{control} = HTTP::Tiny->new(timeout => 30);
    $self->{control}->get($self->url . '/__fake');
    return $self;
}


sub start_many
{
    my ($class, $n, %option) = @_;
    my $tmp = File::Temp->newdir('podi-comfy-XXXXXX', TMPDIR => 1);
    my $out = "$tmp/out";
    my $pid = Podi::Proc::spawn(log => $out, cmd => [$^X, "-I$HERE",
        "$HERE/comfy/fake.pl", '--dir', "$tmp", '--set', encode(\%option),
        '--servers', $n]);
    my @port;

    poll(30, sub {
        @port = (Podi::Comfy::Files::slurp($out) // '') =~ /^(\d+)\n/mg;
        @port == $n || reaped($pid);
    });
    die 'the fakes do not start' if @port != $n;
    my @fake = map { bless { tmp => $tmp, dir => "$tmp/$_", keep => 0,
        port => $port[$_ - 1], control => HTTP::Tiny->new(timeout => 30) },
        $class } 1 .. $n;

    $fake[0]{pid} = $pid;
    return @fake;
}


sub url
{
    my ($self) = @_;

    return "http://127.0.0.1:$self->{port}";
}


sub dir { return $_[0]{dir} }


sub pid { return $_[0]{pid} }


sub fake
{
    my ($self, %switch) = @_;
    my $r = $self->{control}->post($self->url . '/__fake', {
        headers => { 'content-type' => 'application/json' },
        content => encode(\%switch) });

    # one that has been told to die does not answer
    return poll(30, sub { reaped($self->{pid}) }) && delete $self->{pid}
        if ($switch{die} // '') eq 'now';
    die "the fake says $r->{status}: $r->{content}" if !$r->{success};
    return $self;
}


# what the switches are now, and queue_remaining
sub state
{
    my ($self) = @_;

    return decode($self->{control}->get($self->url . '/__fake')->{content});
}


sub _journal
{
    my ($self) = @_;
    my $text = Podi::Comfy::Files::slurp("$self->{dir}/journal") // '';

    return grep { ref } map { decode($_) } split /\n/, $text;
}


# each with its status, when it got one
sub requests
{
    my ($self, $method, $path) = @_;
    my (%status, @request);

    for my $line ($self->_journal) {
        push @request, $line if $line->{method};
        $status{"$line->{pid} $line->{n}"} = $line->{status}
            if defined $line->{status};
    }
    $_->{status} = $status{"$_->{pid} $_->{n}"} for @request;

    return grep { (!defined $method || $_->{method} eq $method)
                  && (!defined $path || index($_->{path}, $path) == 0) }
        @request;
}


sub faults
{
    my ($self) = @_;

    return map { $_->{fault} // () } $self->_journal;
}


sub _reap
{
    my ($self, $hard) = @_;
    my $pid = delete $self->{pid} // return;

    kill $hard ? 'KILL' : 'TERM', $pid;
    poll(30, sub { reaped($pid) });
}


# it is told to end, and does; restart begins another life
sub quit
{
    my ($self) = @_;

    return $self->_reap;
}


sub stop
{
    my ($self) = @_;
    my @fault = $self->faults;
    my $test = Test::Builder->new;

    $self->_reap;
    return if $self->{keep};
    $test->ok(!@fault, 'the server was asked only what recordings have')
        or $test->diag(join "\n", @fault);
}


sub DESTROY
{
    my ($self) = @_;

    local ($?, $!, $@);
    kill 'KILL', $self->{pid} if $self->{pid};
    waitpid $self->{pid}, 0 if $self->{pid};
}

1;
