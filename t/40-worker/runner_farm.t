# podi_runnerd with many ComfyUI servers: which of them gets a job, those that
# are old, locked, hostile, dead or idle, and fifty of them at once.

use strict;
use warnings;
use lib 't/lib';

use JSON::PP ();
use Test::More;
use Podi::Comfy;
use Podi::Farm;
use Podi::Proc qw(poll);

my $farm = Podi::Farm->new;
my ($h, $w, $super) = @$farm{qw(h w super)};
my %fake = map { $_ => Podi::Comfy->start(checkpoints => ['base.ckpt']) }
           qw(a b c);


# as the test wants it; the others as they were
sub switch
{
    my ($name, %switch) = @_;

    return $fake{$name}->fake(reset => 1, %switch);
}


sub prompts
{
    my ($name) = @_;

    return $fake{$name}->state->{taken};
}


# the job's ending, and where it was
sub goes
{
    my ($t, $state, $where, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is $h->ended($t, 30)->{state}, $state, $name
        or diag explain $h->job($t), $farm->attempts($t);
    is "@{ $farm->where($t) }", $where, "... at $where";
    return;
}


sub fails
{
    my ($code, $name) = @_;
    my $t = $farm->submit('farm.scale');

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    goes($t, 'failed', 'a', $name);
    is $h->job($t)->{error_code}, $code, "... with $code";
    return;
}


$farm->server($_ => $fake{$_}) for qw(a b c);
my $dispatchd = $h->daemon('podi_dispatchd', dispatch => '50ms');
$farm->runnerd(result_max => '64k', history_max => '64k', queue_max => '64k',
               results_max => 3);
$farm->seen(qw(a b c)) or die $h->text($farm->{d});
$farm->workflow('scale');
$farm->action('farm.scale', 'scale');

subtest 'more than is taken' => sub {
    $farm->only('a');
    switch('a', entry_bytes => 100_000);
    fails('executor_too_large', 'a history that is too large');
    switch('a', files => 3);
    fails('executor_too_large', 'too many files');
    switch('a', files => 2000);
    fails('executor_too_large', 'more than are read');
    switch('a', view => { as => 'huge', at => 200_000, times => 1 });
    fails('executor_too_large', 'a file that is too large');

    switch('a', queue_bytes => 100_000, node_ms => 100);
    goes($farm->submit('farm.scale'), 'succeeded', 'a',
         'a queue that is too large hides nothing for ever');
    switch('a');
};

$h->stop($farm->{d});
$_->stop for @fake{qw(a b c)};
$h->whole;
done_testing;
