# podi_janitord: a break that was planted is seen, gauges tell the truth, what
# is old goes, from the stores too.

use strict;
use warnings;
use lib 't/lib';

use IO::Socket::INET;
use POSIX ();
use Test::More;
use Podi::Hands;
use Podi::Proc qw(poll);

my $h = Podi::Hands->new;
my $port = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0,
                                 Listen => 1, ReuseAddr => 1)->sockport;
my $key = "$h->{dir}/store.key";
open my $secret, '>', $key or die "$key: $!";
print {$secret} "AKIATEST:not-a-secret\n";
close $secret;
chmod 0600, $key;

my $d = $h->daemon('podi_janitord', invariants => '200ms', gauges => '200ms',
                   slice => 1,
                   uploads => '200ms', purge => '200ms', objects => '200ms',
                   object_grace => '0s', store_timeout => '5s',
                   stores => "local type=s3 bucket=b region=r key_file=$key"
                             . " endpoint=http://127.0.0.1:$port/store");


# a metric, once it has the value
sub gauge
{
    my ($name, $value) = @_;
    my $seen;

    poll(15, sub { $seen = $h->metrics($d)->{$name};
                   defined $seen && $seen == $value });
    return $seen;
}


is gauge('podi_invariant_breaks{inv="any"}', 0), 0, 'nothing is broken';

my $t = $h->submit('test.succeed');
is gauge('podi_queue_jobs{queue="test",state="queued"}', 1), 1,
    'a job that waits is a gauge';
$h->{work}->cancel($h->{ann}, $t->{task_id});
ok poll(15, sub { !$h->metrics($d)
                  ->{'podi_queue_jobs{queue="test",state="queued"}'} }),
    'and is one no more';

# of the second wallet: a slice is one row, so the first look does not see it
my $bob = $h->{work}->person('bob', 10);
my $head = $h->{db}->super->value(undef, 'update podi.wallet w'
    . ' set head = sha256(w.head) from podi.wallet o where w.user_id = ?'
    . ' and o.wallet_id = w.wallet_id returning o.head::text', $bob->{user});
is gauge('podi_invariant_breaks{inv="I14"}', 1), 1, 'a break is a metric';
is gauge('podi_invariant_breaks{inv="any"}', 1), 1, 'seen once in a pass';
my ($line) = $h->log($d, 'invariant.broken');
is $line->{level}, 'error', 'and an error in the log';
like $line->{msg}, qr/^I14 .*: [-\w]{36}$/, 'with its name';
$h->{db}->super->all(undef, 'update podi.wallet set head = ?::bytea'
                     . ' where user_id = ?', $head, $bob->{user});
is gauge('podi_invariant_breaks{inv="any"}', 0), 0, 'until it is mended';
is_deeply [grep { /invariant_breaks/ } keys %{ $h->metrics($d) }],
    ['podi_invariant_breaks{inv="any"}'], 'and leaves nothing behind';

my $late = $h->{work}->media($h->{ann}, state => 'pending');
$h->{db}->super->all(undef, 'update podi.media set upload_expires_at ='
                     . " now() - interval '1 s' where media_id = ?", $late);
ok poll(15, sub { $h->{db}->super->value(undef, 'select state from podi.media'
                  . ' where media_id = ?', $late) eq 'expired' }),
    'an upload that never came expires';
ok poll(15, sub { $h->metrics($d)->{podi_uploads_expired_total} }),
    'and is counted';

$h->{db}->super->all(undef, 'insert into podi.worker (worker, daemon, host,'
    . " pid, jobs, seen_at) values ('old', 'x', 'x', 1, 0,"
    . " now() - interval '2 days')");
ok poll(15, sub { !$h->{db}->super->value(undef,
    "select count(*) from podi.worker where worker = 'old'") }),
    'a worker that has long been silent is forgotten';


# --- a store ---------------------------------------------------------------

# A small object store: notes each request; the file ORDER says what to answer
# for a key: a status and S3's code, if there is one, or "hang".

my $store;


sub store_start
{
    my $door = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 16,
                                     LocalPort => $port, ReuseAddr => 1)
        or die "port $port: $!";

    $store = fork // die "fork: $!";
    return close $door if $store;
    $SIG{CHLD} = 'IGNORE';
    while (1) {
        my $socket = $door->accept or next;
        next if fork;
        close $door;
        store_serve($socket);
        POSIX::_exit(0);
    }
}


sub store_stop
{
    kill 'KILL', $store if $store;
    waitpid $store, 0 if $store;
    $store = undef;
    return;
}


END { kill 'KILL', $store if $store; $? = 0 if defined $store && !$store }


sub store_serve
{
    my ($socket) = @_;
    my $head = '';

    while (sysread $socket, $head, 65536, length $head) {
        next if $head !~ /\r\n\r\n/;
        my ($method, $path, $query) = $head =~ m{^(\S+) /store/b/([^ ?]*)\?(\S*)};
        open my $log, '>>', "$h->{dir}/store.log" or die $!;
        syswrite $log, "$method $path " . ($query =~ /X-Amz-Signature=/
                       ? 'signed' : 'bare') . "\n";
        close $log;

        my ($order) = grep { -e } "$h->{dir}/order-" . $path =~ s{/}{_}gr;
        my $status = 204;
        if ($order) {
            open my $in, '<', $order or die $!;
            chomp($status = <$in>);
        }
        return sysread $socket, $head, 1 if $status eq 'hang';
        my $body = $status =~ s/ (\w+)// ? "<Error><Code>$1</Code></Error>" : '';
        syswrite $socket, "HTTP/1.1 $status X\r\nContent-Length: "
                          . length($body) . "\r\n\r\n$body";
        $head = '';
    }
    return;
}


sub order
{
    my ($id, $status) = @_;
    my $path = "$h->{dir}/order-u_$id";

    return unlink $path if !defined $status;
    open my $out, '>', $path or die "$path: $!";
    print {$out} "$status\n";
    close $out;
    return;
}


# how often the store was asked to remove the object of this media
sub asked
{
    my ($id) = @_;

    open my $in, '<', "$h->{dir}/store.log" or return 0;
    return scalar grep { $_ eq "DELETE u/$id signed\n" } <$in>;
}


sub is_gone
{
    my ($id) = @_;

    return $h->{db}->super->value(undef, 'select object_gone from podi.media'
                                  . ' where media_id = ?', $id);
}


# an upload that is of no use, and whose permit has ended
sub doomed
{
    my ($state, $since) = @_;
    my $id = $h->{work}->media($h->{ann}, state => $state);

    $h->{db}->super->all(undef, 'update podi.media set upload_expires_at = now()'
                         . ' - ?::interval where media_id = ?', $since // '1 s',
                         $id);
    return $id;
}


my @left = map { doomed($_) } qw(rejected expired);
ok poll(15, sub { $h->log($d, 'round.failed') }), 'a store that is down is told';
is gauge('podi_objects_doomed', 3), 3, 'and what waits for it is counted';
is grep({ is_gone($_) } $late, @left), 0, 'nothing is gone yet';

my $young = doomed('rejected', '-1 h');
order($late, '404 NoSuchKey');
store_start();
for my $id ($late, @left) {
    ok poll(15, sub { is_gone($id) }), 'removed when the store is back';
    is asked($id), 1, 'once';
}
ok poll(15, sub { $h->log($d, 'round.recovered') }), 'which is told, too';

for my $answer ('403', '404', '404 NoSuchBucket') {
    my ($stuck, $next) = map { $h->{work}->media($h->{ann},
                               state => 'rejected') } 1 .. 2;

    order($stuck, $answer);
    $h->{db}->super->all(undef, 'update podi.media set upload_expires_at = now()'
                         . ' where media_id in (?, ?)', $stuck, $next);
    ok poll(15, sub { is_gone($next) }), "$answer: it is passed over";
    ok poll(15, sub { asked($stuck) > 1 }), 'it is tried again';
    ok !is_gone($stuck), 'and not forgotten';
    order($stuck);
    ok poll(15, sub { is_gone($stuck) }), 'until it is gone';
}

my $torn = $h->{work}->media($h->{ann}, state => 'rejected');
order($torn, 'hang');
$h->{db}->super->all(undef, 'update podi.media set upload_expires_at = now()'
                     . ' where media_id = ?', $torn);
ok poll(15, sub { asked($torn) }), 'the store is asked';
kill 'KILL', $h->child($d);
order($torn);
ok poll(20, sub { is_gone($torn) }), 'a daemon that died meanwhile asks again';
cmp_ok asked($torn), '>', 1, 'as nothing was noted before the answer';

# --- objects of attempts ---------------------------------------------------

# a job that runs, and that has said that it will store an object
sub intends
{
    my ($key) = @_;
    my $job = $h->{work}->claim_task($h->submit('test.succeed'))->[0];

    ok intend($job, $key), "$key is intended";
    return $job;
}


sub intend
{
    my ($job, $key) = @_;

    return $h->{work}{worker}->value(undef,
        "select sys.object_intend(?, ?, 'local', ?)", $job->{job_id},
        $job->{fence}, "u/$key");
}


sub intents
{
    my ($key) = @_;

    return $h->{db}->super->value(undef, 'select count(*) from'
        . ' podi.object_intent where object_key = ?', "u/$key");
}


my ($orphan, $named, $one, $other, $stuck) = map { intends($_) }
                                             qw(lost named both both stuck);
ok !intend({ %$orphan, fence => 9 }, 'forged'), 'who has no job may not store';

$h->{work}->settle($named, 'succeeded', results => [$h->{work}->result(
                   thumb_key => 'u/named', thumb_bytes => 5)]);
order('stuck', 504);
$h->{work}->settle($_, 'failed') for $orphan, $one, $stuck;

ok poll(15, sub { asked('lost') }), 'what nobody named is removed';
ok poll(15, sub { !intents('lost') }), 'and forgotten';
is asked('lost'), 1, 'once';
ok poll(15, sub { !intents('named') }), 'what a media names is forgotten, too';
is asked('named'), 0, 'and stays';
is intents('both'), 2, 'so does what somebody else is storing';
my $next = intends('late');
ok poll(15, sub { asked('stuck') > 1 }), 'what cannot be removed';
ok !intend($next, 'stuck'), 'may not be stored meanwhile';
order('stuck');
ok poll(15, sub { !intents('stuck') }), 'until it is gone';
ok intend($next, 'stuck'), 'then it may';
$h->{work}->settle($other, 'succeeded', results => [$h->{work}->result(
                   object_key => 'u/both')]);
ok poll(15, sub { !intents('both') }), 'one that is named at last';
is asked('both'), 0, 'stays';

my $r10 = '{rule="R10",name="orphan_object"}';
is gauge("podi_reconcile_hits_total$r10", 2), 2, 'each is counted once';
is gauge("podi_reconcile_repaired_total$r10", 2), 2, 'and so is its end';
is scalar(grep { $_->{msg} =~ /^R10 orphan_object: \d objects? / }
          $h->log($d, 'reconcile.hit')) > 0, 1, 'each is told';
is_deeply [sort map { $_->{msg} =~ m{^R10 orphan_object: u/(\w+) of job .* gone} }
           $h->log($d, 'reconcile.repaired')], [qw(lost stuck)],
    'and so is its end';

order('kept', 403);
ok intend($next, 'kept'), 'another';
$h->{work}->settle($next, 'failed');
my $again = intends('again');
ok poll(15, sub { asked('kept') > 0 }), 'that the store refuses to remove';
ok poll(15, sub { intend($again, 'kept') }), 'may be stored again';
order('kept');
$h->{work}->settle($again, 'failed');
ok poll(15, sub { !intents('kept') }), 'and is removed when it does not';

is asked($young), 0, 'a permit that has not ended is waited for';
is asked($h->{picture}), 0, 'what is used stays';
store_stop();

is $h->stop($d), 0, 'it ends';
$h->whole;
done_testing;
