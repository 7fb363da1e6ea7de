# What a job leaves behind while it runs: finished parts that are paid and
# kept, lines for its user, what it used.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use Podi::Hands;
use Podi::Proc qw(poll);

my $h = Podi::Hands->new;
my $super = $h->{db}->super;
my $dispatchd = $h->daemon('podi_dispatchd');
my $echod = $h->daemon('echod');

$super->all(undef, 'update podi.action set segments = ? where action = ?',
            '[{"name": "one", "percent": 40}, {"name": "two", "percent": 60}]',
            'test.parts');


sub paid
{
    my ($t) = @_;

    return $super->value(undef, 'select coalesce(sum(amount), 0)::int from'
        . " podi.ledger where task_id = ? and op = 'confirm'", $t->{task_id});
}


subtest 'a job in two parts' => sub {
    my $t = $h->submit('test.parts');

    is $h->ended($t)->{state}, 'succeeded', 'ends';
    is_deeply $h->words($t), [qw(start one two done)], 'with both';
    is paid($t), 5, 'and costs its price';

    my ($usage, $cost) = @{ $super->one(undef, 'select usage, cost_micros'
        . ' from podi.attempt where job_id = ?', $t->{jobs}[0]{job_id})
        }{qw(usage cost_micros)};
    like $usage, qr/"calls": ?2/, 'what it used is kept';
    is $cost, 1400, 'and what it cost us';

    my $lines = $super->all(undef, 'select level, line from podi.job_log'
        . ' where job_id = ? order by n', $t->{jobs}[0]{job_id});
    is_deeply [map { "$_->{level} $_->{line}" } @$lines],
        [(map { "info part $_ with token: ***" } 1, 2),
         'warn ' . '0' x 998 . '?'],
        'its lines are there when it has ended, without the secret, and cut';
};

subtest 'a job that dies between them' => sub {
    my $t = $h->submit('test.parts', { crashes => 1 });

    is $h->ended($t, 30)->{state}, 'succeeded', 'ends all the same';
    is_deeply $h->words($t), [qw(start one start two done)],
        'what was finished is not done again';
    is paid($t), 5, 'nor paid again';
};

$h->stop($_) for $echod, $dispatchd;
$h->whole;
done_testing;
