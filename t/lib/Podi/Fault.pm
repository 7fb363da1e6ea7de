package Podi::Fault;

# What tests of bad days share: pictures uploaded as a browser does it, parts
# of a test that run beside it, a second pair of a daemon, a client that tells
# how a connection ended.
#
#     my $id = Podi::Fault::upload($s, $ann, "$dir/a.jpg", 'image/jpeg');
#     my $kid = Podi::Fault::Kid->new($dir, sub { my ($say) = @_; ... });
#     my @said = $kid->wait(30);          # what it said, once it has ended
#     my $pair = Podi::Fault::pair($s, 'podi_imaged');
#     my $wire = Podi::Fault::Wire->new($s->{port});    # kept alive
#     my $r = $wire->ask(request_text(...)); $r->{status}, $r->{end}
#
# A kid is a process; its failures are the test's (wait says so).

use strict;
use warnings;

use IO::Socket::INET;
use JSON::PP ();
use Podi::Proc qw( poll );
use Podi::Stack::Files;

my $json = JSON::PP->new->utf8->canonical;


sub slurp
{
    my ($path) = @_;

    open my $in, '<:raw', $path or die "$path: $!";
    local $/;
    return <$in> // '';
}


# --- pictures ----------------------------------------------------------------

# a gradient, so that no two sizes or qualities give the same bytes
sub picture
{
    my ($path, $w, $h, $tint) = @_;
    my $ppm = "$path.ppm";

    open my $out, '>:raw', $ppm or die "$ppm: $!";
    print {$out} "P6\n$w $h\n255\n";
    for my $y (0 .. $h - 1) {
        print {$out} map { pack 'C3', $_ * 255 / $w, $y * 255 / $h,
                           ($_ * $y + $tint) % 256 } 0 .. $w - 1;
    }
    close $out or die "$ppm: $!";
    system('vips', 'copy', $ppm, $path) == 0 or die "vips copy $path";
    unlink $ppm;
    return $path;
}


# announce, PUT, complete; the id, once the check has been passed
sub upload
{
    my ($s, $who, $path, $type) = @_;
    my $bytes = slurp($path);
    my $res = $s->post('/v1/media/uploads', as => $who, json => { items => [
        { name => $path =~ s{.*/}{}r, type => $type,
          bytes => length $bytes } ] });
    my $item = $res->json->{items}[0] // die 'no permit: ' . $res->text;
    my %headers = %{ $item->{upload}{headers} };

    delete @headers{ grep { /^(?:host|content-length)$/i } keys %headers };
    $res = $s->put($item->{upload}{url}, body => $bytes,
                   headers => \%headers, unchecked => 1);
    die 'the store refused: ' . $res->text if $res->status !~ /^2/;

    my $at = "/v1/media/$item->{media_id}";
    $s->post("$at/complete", as => $who, json => {});
    poll(60, sub { $s->get($at, as => $who)->json->{state} eq 'ready' })
        or die "$path is never ready";
    return $item->{media_id};
}


# --- requests ----------------------------------------------------------------

# the bytes of a request, for those who send it themselves
sub request_text
{
    my ($s, $method, $target, %arg) = @_;
    my $headers = $s->headers_of(%arg);
    my $body = exists $arg{json} ? $json->encode($arg{json})
                                 : $arg{body} // '';

    $headers->{'Content-Length'} //= length $body if $method ne 'GET';
    return "$method $target HTTP/1.1\r\nHost: localhost\r\n"
        . join('', map { "$_: $headers->{$_}\r\n" } sort keys %$headers)
        . "\r\n$body";
}


# asks and goes away before there can be an answer
sub ask_and_go
{
    my ($s, @request) = @_;
    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $s->{port}) or return;

    syswrite $sock, request_text($s, @request);
    return close $sock;
}


# a call of nginx waits for a lock; part of its name is enough
sub waits
{
    my ($s, $call) = @_;

    return $s->sql('select count(*) from pg_stat_activity'
        . " where wait_event_type = 'Lock' and usename = 'podi_web'"
        . ' and position(?::text in query) > 0', $call);
}


# --- a second pair -----------------------------------------------------------

sub pair
{
    my ($s, $daemon) = @_;
    my $name = "$daemon-2";

    return $s->{parts}{$name} //= Podi::Fault::Pair->new($s, $daemon);
}


package Podi::Fault::Pair;

# the same daemon once more; only the directory of its lock is another

our @ISA = ('Podi::Stack::Part');


sub _command
{
    my ($self) = @_;
    my %command = $self->SUPER::_command;
    my $dir = $self->{stack}{dir};
    my $file = "$dir/conf/workers-2.conf";
    my $text = Podi::Fault::slurp("$dir/conf/workers.conf");
    my $locks = "$dir/run/podi-2";

    if (!-d $locks) {
        mkdir $locks or die "$locks: $!";
        Podi::Stack::Files::own(Podi::Stack::Files::web_user(), $locks);
    }

    $text =~ s/^pid_dir *=.*$/pid_dir = $locks/m or die 'no pid_dir';
    Podi::Stack::Files::write_file($file, $text, 0640);
    Podi::Stack::Files::own(Podi::Stack::Files::web_user(), $file);
    $command{cmd} = [ map { s/workers\.conf$/workers-2.conf/r }
                      @{ $command{cmd} } ];
    return %command;
}


package Podi::Fault::Wire;

# One connection to nginx, kept alive, opened again when it has gone.
#
# end:  ok        a whole answer
#       refused   no connection
#       closed    the end before a byte
#       cut       the end in the middle of an answer
#       silent    nothing for 20 s
#
# A reused connection that is closed before a byte is tried once more on a new
# one, as every client does: nginx may close what is idle.

use IO::Select;
use IO::Socket::INET;


sub new
{
    my ($class, $port) = @_;

    return bless { port => $port, again => 0 }, $class;
}


sub ask
{
    my ($self, $text) = @_;
    my $reused = defined $self->{sock};
    my $answer = $self->_once($text);

    return $answer if $answer->{end} ne 'closed' || !$reused;

    $self->{again}++;
    return $self->_once($text);
}


sub _once
{
    my ($self, $text) = @_;
    my $answer = { end => 'refused', status => 0, head => '', body => '' };

    return $answer if !$self->open;
    $self->send($text);
    $self->_read($answer);
    $self->close if $answer->{end} ne 'ok'
                    || $answer->{head} =~ /^connection: close/mi;
    return $answer;
}


sub open
{
    my ($self) = @_;

    return $self->{sock} //= IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $self->{port}, Timeout => 10);
}


sub close
{
    my ($self) = @_;
    my $sock = delete $self->{sock} or return;

    return CORE::close $sock;
}


sub send
{
    my ($self, $text) = @_;
    local $SIG{PIPE} = 'IGNORE';

    while (length $text) {
        my $n = syswrite $self->{sock}, $text;
        return 0 if !$n;
        substr $text, 0, $n, '';
    }
    return 1;
}


# the answer to what was sent piece by piece
sub answer
{
    my ($self) = @_;

    return $self->_read({ status => 0, head => '', body => '' });
}


sub _read
{
    my ($self, $answer) = @_;
    my ($buf, $select) = ('', IO::Select->new($self->{sock}));

    while (1) {
        $answer->{end} = 'silent';
        return $answer if !$select->can_read(20);
        $answer->{end} = $buf eq '' ? 'closed' : 'cut';
        return $answer if !sysread $self->{sock}, $buf, 65536, length $buf;
        next if $buf !~ /\A(.*?\r\n)\r\n(.*)\z/s;

        @{$answer}{qw( head body )} = ($1, $2);
        ($answer->{status}) = $answer->{head} =~ m{\AHTTP/1\.1 (\d+)};
        my ($want) = $answer->{head} =~ /^content-length: *(\d+)/mi;
        next if ($want // 0) > length $answer->{body};
        $answer->{end} = 'ok';
        return $answer;
    }
}


package Podi::Fault::Kid;

# a part of the test in a process of its own; it says lines of JSON

use POSIX ();
use Podi::Proc qw( poll reaped );
use Test::More ();

my $serial = 0;


sub new
{
    my ($class, $dir, $code) = @_;
    my $self = bless { said => "$dir/kid-" . ++$serial, owner => $$ }, $class;

    pipe my $from, my $to or die "pipe: $!";
    open my $out, '>', $self->{said} or die "$self->{said}: $!";
    close $out;
    $self->{pid} = fork // die "fork: $!";

    if ($self->{pid} == 0) {
        close $to;
        POSIX::_exit(_live($self->{said}, $from, $code));
    }

    close $from;
    $to->autoflush(1);
    $self->{to} = $to;
    return $self;
}


# points of the test are counted by its owner alone: here they are only seen
sub _live
{
    my ($said, $from, $code) = @_;
    my $builder = Test::More->builder;

    $SIG{$_} = 'DEFAULT' for qw( INT TERM );
    $SIG{PIPE} = 'IGNORE';
    $builder->output(\*STDERR);
    $builder->no_ending(1);
    open my $out, '>', $said or return 126;
    $out->autoflush(1);

    my $say = sub { print {$out} $json->encode($_[0]), "\n" };
    eval { $code->($say, $from); 1 } or print(STDERR "kid: $@"), return 1;
    return $builder->is_passing ? 0 : 2;
}


# tells it something; it reads lines from its second argument
sub tell
{
    my ($self, $line) = @_;

    return print { $self->{to} } "$line\n";
}


sub said
{
    my ($self) = @_;

    return map { $json->decode($_) } grep { /\}$/ }
           split /\n/, Podi::Fault::slurp($self->{said});
}


sub wait
{
    my ($self, $seconds, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;

    poll($seconds, sub { $self->ended })
        or return Test::More::fail("$name: it did not end in $seconds s");
    return Test::More::is($self->{status}, 0, $name);
}


sub ended
{
    my ($self) = @_;

    return 1 if defined $self->{status};
    return 0 if !reaped($self->{pid});
    $self->{status} = $?;
    return 1;
}


sub DESTROY
{
    my ($self) = @_;

    return if $$ != $self->{owner} || defined $self->{status};
    local $?;
    kill 'KILL', $self->{pid};
    waitpid $self->{pid}, 0;
}


1;
