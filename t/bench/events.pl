# What a stream of events costs while nothing happens, and how soon an event
# is on its socket after the commit that made it.
#
#     idle:    PSS of nginx's one worker with N and with 2N connections: the
#              slope is what one costs, once for GET /healthz whose connection
#              is kept alive and idle (theirs), once for GET /v1/events with
#              its user, hint channel and all; ours is the difference.  Two
#              starts of nginx, so that nothing is left of the other.
#     socket:  a user a stream; tasks are submitted at a steady rate over
#              HTTP, in turn for each user, and nobody works on them.
#              From pg_xact_commit_timestamp, taken before the flush, until a
#              client has read the event from its socket (over TLS: has
#              decrypted it).  Every event that was committed must come.
#
# Each over plain HTTP/1.1, TLS, and HTTP/2 with one stream a connection, which
# then bears all of that connection's cost.  Headers are as short as a token
# allows: within client_header_buffer_size.  Kernel memory of sockets is not in
# it: it is the same for both.

use strict;
use warnings;

use IPC::Open2 qw( open2 );
use POSIX qw( WNOHANG );
use Podi::Bench;
use Podi::Proc qw( poll );

my $PATIENCE = 20;              # s, for the last event after the last answer
my $RATE = 200;

my $bench = Podi::Bench->new('events');
my $share = $bench->seconds / 5;
my $N = int(1000 * ($share < 1 ? $share : 1));
my $s = $bench->stack(rewrite => sub {
    my ($file, $text) = @_;

    $text =~ s/keepalive_timeout .*/keepalive_timeout 600s;/;
    return $text;
});

$bench->noop_action($s, 'bench.free', 0);
my @who = $bench->people($s, 2 * $N, tokens => 1);
$s->db->super->dbh->do('vacuum analyze');


# --- connections that only listen --------------------------------------------

my $crowd = 0;

# as many as count from the user `from` on; returns when each has its 200
sub listening
{
    my ($mode, $path, $from, $count) = @_;
    my $port = $mode eq 'plain' ? $s->{port} : $s->{tls_port};
    my $tokens = Podi::Bench::Tools::write_lines($s->dir . '/lib/tokens',
        map { $_->{token} } @who[$from .. $from + $count - 1]);
    my $file = $s->dir . '/lib/heard.' . ++$crowd;

    open my $out, '>', $file or die "$file: $!";
    my $pid = open2('>&' . fileno $out, my $in, $bench->pinned(
        $bench->program('streams'), $port, $mode, $path, $count, $tokens));
    my $self = { pid => $pid, in => $in, file => $file };

    poll(60, sub {
        $self->{ready} = Podi::Bench::Tools::slurped($file) =~ /^ready$/m;
        $self->{ready} || waitpid($pid, WNOHANG) > 0;
    });
    return $self;
}


# the events so far: [connection, ns, id]
sub heard
{
    my ($streams) = @_;

    return map { [split] } grep { /^\d.*\n/ }
        split /^/, Podi::Bench::Tools::slurped($streams->{file});
}


# how many the server had closed; undef: the client ended early
sub hang_up
{
    my ($streams) = @_;

    close $streams->{in};
    waitpid $streams->{pid}, 0;

    my $text = Podi::Bench::Tools::slurped($streams->{file});
    return $text =~ /^closed (\d+)$/m ? $1 : undef;
}


# --- memory --------------------------------------------------------------------

# (bytes for one of them, what went wrong)
sub slope
{
    my ($mode, $path) = @_;
    my (@streams, @pss, @error);

    $s->nginx->restart;
    for my $from (0, $N) {
        push @streams, listening($mode, $path, $from, $N);
        push @error, "$mode $path: refused" if !$streams[-1]{ready};
        push @pss, Podi::Bench::Tools::pss(($s->nginx->workers)[0]);
    }

    for my $streams (@streams) {
        my $closed = hang_up($streams);

        push @error, "$mode $path: the server closed "
                     . ($closed // 'all') if $closed // 1;
    }

    return (($pss[1] - $pss[0]) / $N, @error);
}


sub measure_idle
{
    my ($name, $mode) = @_;
    my (@idle, @stream, @error);

    for my $run (1 .. $bench->runs) {
        my ($idle, @wrong) = slope($mode, '/healthz');
        my ($stream, @more) = slope($mode, '/v1/events');

        push @idle, $idle;
        push @stream, $stream - $idle;
        push @error, @wrong, @more;
    }

    $bench->row($name, metric => "a stream beyond its connection, $mode",
        unit => 'bytes', peer => 'the idle connection', ours => \@stream,
        theirs => \@idle, error => \@error);
}


# --- from commit to socket -------------------------------------------------------

sub requests
{
    return Podi::Bench::Tools::write_lines($s->dir . '/lib/requests',
        map { qq($_->{token} {"inputs":["$_->{media}"],"actions":)
              . '[{"action":"bench.free","params":{}}]}' } @who);
}


# when each event was committed, ms, by user and number
sub committed
{
    my ($since) = @_;
    my $rows = $s->db->super->all(undef, 'select user_id, seq, extract(epoch'
        . ' from pg_xact_commit_timestamp(xmin)) * 1000 as at'
        . ' from podi.user_event where at >= ?', $since);

    return map { ("$_->{user_id} $_->{seq}" => $_->{at}) } @$rows;
}


# ms of the events that have come, of those that were committed
sub delayed
{
    my ($streams, $at) = @_;
    my @delay;

    for my $line (heard($streams)) {
        my ($number, $ns, $id) = @$line;
        my $commit = $at->{ "$who[$number]{user} $id" };

        push @delay, $ns / 1e6 - $commit if defined $commit;
    }

    return @delay;
}


# (a list of ms, what went wrong)
sub delays
{
    my ($mode, $seconds) = @_;
    my $since = $s->sql('select clock_timestamp()');
    my $streams = listening($mode, '/v1/events', 0, scalar @who);
    my ($text, $status) = Podi::Bench::Tools::output($bench->pinned(
        $bench->program('paced'), $s->{port}, '/v1/tasks', $RATE, $seconds,
        16, requests()));

    my @answer = grep { /^\d/ } split /\n/, $text;
    my %at = committed($since);
    my @delay;

    poll($PATIENCE, sub { @delay = delayed($streams, \%at); @delay >= keys %at });
    my $closed = hang_up($streams);

    return (undef, 'the streams were refused') if !$streams->{ready};
    return (undef, "paced: $text") if $status;
    return (undef, 'the server closed ' . ($closed // 'all')) if $closed // 1;
    return (undef, "not 201: $_") for grep { (split)[3] != 201 } @answer;

    return (undef, @delay . ' of ' . keys(%at) . ' events came')
        if @delay != keys %at || !@delay;
    return \@delay;
}


sub measure_socket
{
    my ($name, $mode) = @_;
    my (%ours, @error);

    $s->nginx->restart;
    delays($mode, 1);

    for my $run (1 .. $bench->runs) {
        my ($delays, $error) = delays($mode, $bench->seconds);

        push @error, $error if $error;
        push @{ $ours{$_} }, $delays
            ? Podi::Bench::quantile($_ / 100, @$delays) : undef for 50, 99;
    }

    $bench->row("events.socket_p${_}_ms$name", unit => 'ms',
        ours => $ours{$_},
        metric => "commit to socket, $mode, " . @who . " streams, $RATE/s",
        error => \@error) for 50, 99;
}


measure_idle('events.idle_bytes', 'plain');
measure_idle("events.idle_bytes_$_", $_) for 'tls', 'h2';
measure_socket('', 'plain');
measure_socket("_$_", $_) for 'tls', 'h2';
$bench->done;
