package Podi::Browser;

# A real browser of a test's own: Debian's Chromium, asked over W3C WebDriver.
#
#     my $b = Podi::Browser->new("$dir/browser");
#     $b->go('https://localhost:4433/page/');
#     my $title = $b->run('return document.title');
#     my $body = $b->run('return (await fetch(arguments[0])).text()', $url);
#     my $second = $b->tab;                        # opened, empty, in front
#     $b->show($second); ...
#     $b->quit;
#
#     test -> chromedriver (HTTP, a free port) -> chromium (a new profile)
#
# run() is the body of an async function: what it returns comes out decoded,
# what it throws dies here.  Certificates are not checked, and cookies of other
# sites are not blocked; all else is as for everybody: CORS, SameSite.  Names other than localhost do not
# resolve, so that nothing leaves the machine.  quit() returns what is still
# running of all that was started here; it is also done when the test dies.

use strict;
use warnings;

use File::Path qw( make_path );
use HTTP::Tiny ();
use JSON::PP ();
use Scalar::Util qw( weaken );
use Podi::Proc qw( poll spawn tree reaped gone );

our $CHROMIUM = '/usr/lib/chromium/chromium';
our $DRIVER = '/usr/bin/chromedriver';
our $PATIENCE = 30;             # seconds for a script

my @OPTIONS = qw(
    --headless --no-sandbox --disable-gpu --disable-quic --no-first-run
    --disable-background-networking --disable-component-update --disable-sync
    --disable-dev-shm-usage --no-proxy-server
);

# cookies are bounded by what their sender said, not by a mood of the browser
my %PREFS = ('profile.cookie_controls_mode' => 0,
             'profile.block_third_party_cookies' => JSON::PP::false);
my $json = JSON::PP->new->utf8->canonical->allow_nonref;
my %alive;


# why there is no browser here, or nothing
sub missing
{
    return join ' and ', map { "$_->[1] (package $_->[0])" }
        grep { !-x $_->[1] }
        [ 'chromium', $CHROMIUM ], [ 'chromium-driver', $DRIVER ];
}


sub new
{
    my ($class, $dir) = @_;
    my $self = bless { dir => $dir, owner => $$, seen => {},
        agent => HTTP::Tiny->new(timeout => 2 * $PATIENCE, proxy => undef,
                                 http_proxy => undef) }, $class;

    make_path($dir);
    weaken($alive{$dir} = $self);
    $self->{pid} = spawn(cmd => [ $DRIVER, '--port=0' ], log => "$dir/log",
                         dir => $dir, env => { HOME => $dir, TMPDIR => $dir });
    $self->{port} = poll($PATIENCE, sub { $self->_port })
        or die "chromedriver does not start\n" . $self->_log;
    $self->_begin;
    return $self;
}


sub _log
{
    my ($self) = @_;

    open my $in, '<', "$self->{dir}/log" or return '';
    local $/;
    return <$in> // '';
}


sub _port
{
    my ($self) = @_;
    my ($port) = $self->_log =~ /started successfully on port (\d+)/;

    return $port;
}


sub _begin
{
    my ($self) = @_;
    my $home = 'MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1';

    $self->{session} = $self->_ask(POST => '/session', { capabilities => {
        alwaysMatch => {
            browserName => 'chrome', acceptInsecureCerts => JSON::PP::true,
            timeouts => { script => 1000 * $PATIENCE },
            'goog:chromeOptions' => { binary => $CHROMIUM, prefs => \%PREFS,
                args => [ @OPTIONS, "--user-data-dir=$self->{dir}/profile",
                          "--host-resolver-rules=$home" ] } } } })->{sessionId};
    $self->_remember;
}


# one command of the protocol: its value, or death with what the driver says
sub _ask
{
    my ($self, $method, $path, $body) = @_;
    my $url = "http://127.0.0.1:$self->{port}$path";
    my $res = $self->{agent}->request($method, $url, {
        headers => { 'Content-Type' => 'application/json' },
        $body ? (content => $json->encode($body)) : () });
    my $answer = eval { $json->decode($res->{content}) } // {};
    my $value = $answer->{value};

    return $value if $res->{success};

    die 'the browser: ', ref $value ? $value->{message} : $res->{content},
        "\n";
}


sub _do
{
    my ($self, $method, $path, @body) = @_;

    return $self->_ask($method, "/session/$self->{session}$path", @body);
}


sub go
{
    my ($self, $url) = @_;

    $self->_do(POST => '/url', { url => $url });
    return $self;
}


my $ASYNC = <<'JS';
const done = arguments[arguments.length - 1];
const body = async function () { %s };
body.apply(null, Array.prototype.slice.call(arguments, 0, -1))
    .then(value => done({ value: value }),
          error => done({ error: String(error.stack || error) }));
JS

sub run
{
    my ($self, $script, @args) = @_;
    my $answer = $self->_do(POST => '/execute/async', {
        script => sprintf($ASYNC, $script), args => \@args });

    die "the page: $answer->{error}\n" if defined $answer->{error};
    return $answer->{value};
}


# a new tab is in front when it is made
sub tab
{
    my ($self) = @_;
    my $tab = $self->_do(POST => '/window/new', { type => 'tab' })->{handle};

    $self->show($tab);
    return $tab;
}

sub current { $_[0]->_do(GET => '/window') }

sub show
{
    my ($self, $tab) = @_;

    $self->_do(POST => '/window', { handle => $tab });
    return $self;
}


# --- the end -----------------------------------------------------------------

# our tree, and the crash handlers, who leave it but name our directory
sub _remember
{
    my ($self) = @_;
    my @named = grep { _names($_, $self->{dir}) }
        map { m{^/proc/(\d+)$} ? $1 : () } glob '/proc/[0-9]*';

    $self->{seen}{$_} = 1 for tree($self->{pid}), @named;
}


sub _names
{
    my ($pid, $dir) = @_;

    open my $in, '<', "/proc/$pid/cmdline" or return 0;
    return index(do { local $/; <$in> } // '', "$dir/") >= 0;
}


# the pids that are still there
sub quit
{
    my ($self) = @_;
    my @left;

    return if !$self->{pid};

    $self->_remember;
    eval { $self->_do(DELETE => '') } if $self->{session};
    poll(10, sub { !$self->_left($self->{pid}) });
    kill 'TERM', $self->{pid};
    poll(10, sub { reaped($self->{pid}) });
    @left = $self->_left(0);
    kill 'KILL', @left;
    waitpid $self->{pid}, 0;
    $self->{pid} = undef;
    delete $alive{ $self->{dir} };
    return @left;
}


sub _left
{
    my ($self, $but) = @_;

    return grep { $_ != $but && !gone($_) } keys %{ $self->{seen} };
}


sub DESTROY
{
    my ($self) = @_;

    return if $$ != $self->{owner} || !$self->{pid};

    local ($?, $@, $!);
    $self->_remember;
    kill 'KILL', $self->_left(0);
    waitpid $self->{pid}, 0;
    $self->{pid} = undef;
}


# as for the stack: a test that dies leaves its browser to be ended here
END {
    my $status = $?;

    $_->DESTROY for grep { defined } values %alive;
    $? = $status;
}

1;
