# Values at the edge of what a function takes, and beyond: each is refused in
# the words of the contract, or does no more harm than it must.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use Podi::Sql;
use Podi::Work;

my $db = Podi::Sql->new;
my $super = $db->super;
my $w = Podi::Work->new($db);
my $web = $w->{web};
my $ann = $w->person('ann', 1000);
my $pic = $w->media($ann);
my $hash = 'the body';


sub running
{
    my $t = $w->submit($ann, inputs => [$pic], actions => ['resize']);

    return @{ $w->claim_task($t) };
}


# a key that a b-tree cannot hold is an internal error to whoever reads it
my $long = join '', map { chr(97 + rand 26) } 1 .. 9000;
$web->refused('U0422', $db->anon($w->{tenant}),
              'select * from api.account_register(?, ?, ?, ?, ?, ?)',
              $db->uuid, $long, 'h', 'A', 'key', \$hash,
              'a login that is too long, with a key');

for my $bytes (1.5, 0, -1, '1000000000000000.5', '1e16', '1e400', 'true', '"1"', 'null',
               '[1]')
{
    my $item = qq([{"media_id": "@{[$db->uuid]}", "object_key": "k",)
               . qq( "store": "s", "name": "a.png", "type": "image/png",)
               . qq( "bytes": $bytes}]);
    $web->refused('U0422', $db->as($ann),
                  'select * from api.media_upload(?, 60000, null, null)', $item,
                  "an upload of $bytes bytes");
}

my ($j, $k) = (running(), running());
my $beat = sub {
    return [map { $_->{job_id} } @{ $w->sys(
        'job_beat(?, ?::uuid[], ?::int[], 60000, ?)', 'w1',
        "{$j->{job_id},$k->{job_id}}", "{$j->{fence},$k->{fence}}",
        qq({"$j->{job_id}": $_[0]})) }];
};
for my $progress (50, 55.5, 1e9, '"70"', '"half"', '[]', 'null', -5, '1e400') {
    is_deeply [sort @{ $beat->($progress) }],
              [sort map { $_->{job_id} } $j, $k],
              "a progress of $progress costs no lease";
}
is $w->job($j->{job_id})->{progress}, 100, 'and the worst of it is 100';

# a provider that says "later" for a week
$w->bend($k->{job_id}, 'deferrals = 32767');
is $w->retry($k, 'deferral', delay => 1000)->{state}, 'queued',
   'deferrals are not counted out';

# one key, two tasks: what was never asked of the second is not answered
my @task = map { $w->submit($ann, inputs => [$pic], actions => ['resize']) } 1, 2;
my $cancel = 'select state from api.task_cancel(?, ?, ?)';
is $web->value($db->as($ann), $cancel, $task[0]{task_id}, 'k', \$hash),
   'cancelled', 'a cancel';
is $web->value($db->as($ann), $cancel, $task[0]{task_id}, 'k', \$hash),
   'cancelled', 'and again';
$web->refused('U0410', $db->as($ann), $cancel, $task[1]{task_id}, 'k', \$hash,
              'the key for another task');

$db->whole;
done_testing;
