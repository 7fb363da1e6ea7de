# podi_janitord: a break that was planted is seen, gauges tell the truth, what
# is old goes.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use Podi::Hands;
use Podi::Proc qw(poll);

my $h = Podi::Hands->new;
my $d = $h->daemon('podi_janitord', invariants => '200ms', gauges => '200ms',
                   uploads => '200ms', purge => '200ms');


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

$h->{db}->super->all(undef, 'update podi.wallet set held = held + 1'
                     . ' where user_id = ?', $h->{ann}{user});
ok poll(15, sub { ($h->metrics($d)->{'podi_invariant_breaks{inv="any"}'}
                   // 0) > 0 }), 'a break is a metric';
my ($line) = $h->log($d, 'invariant.broken');
is $line->{level}, 'error', 'and an error in the log';
like $line->{msg}, qr/^I\d+ /, 'with its name';
$h->{db}->super->all(undef, 'update podi.wallet set held = held - 1'
                     . ' where user_id = ?', $h->{ann}{user});
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

is $h->stop($d), 0, 'it ends';
$h->whole;
done_testing;
