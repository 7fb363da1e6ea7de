# Uploads announced, completed, checked; lists; and what was never uploaded.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use Podi::Sql;
use Podi::Work;

my $db = Podi::Sql->new;
my $w = Podi::Work->new($db);
my $ann = $w->person('ann', 100);
my $ben = $w->person('ben', 100);
my $hash = 'body';


sub upload
{
    my ($items, %o) = @_;
    my @ids = $w->ids(scalar @$items);

    return $w->{web}->all($db->as($ann),
        'select * from api.media_upload(?, ?, ?, ?)',
        Podi::Work::text([map { { media_id => shift @ids, store => 'local',
                                  object_key => 'k', name => 'cat.jpg',
                                  type => 'image/jpeg', bytes => 1000, %$_ } }
                          @$items]), $o{expires} // 60_000, $o{key}, \$hash);
}


sub complete
{
    my ($id, $observed, $who) = @_;
    my ($task, $job) = $w->ids(2);

    return Podi::Work::decode($w->{web}->one($db->as($who // $ann),
        'select * from api.media_complete(?, ?, ?, ?, ?)', $id, $task, $job,
        Podi::Work::text($observed), 'c' x 32))->[0];
}


sub list
{
    my ($who, @filter) = @_;

    $filter[5] //= undef;
    return Podi::Work::decode(@{ $w->{web}->all($db->as($who),
        'select * from api.media_list(?, ?, ?, ?, ?, ?)', @filter) });
}


subtest 'an upload is announced, completed and checked' => sub {
    my $row = upload([{}])->[0];
    is_deeply [@{$row}{qw(state is_new _store _object_key)}],
              ['pending', 1, 'local', 'k'], 'announced';

    my $c = complete($row->{media_id}, { bytes => 1000, type => 'image/jpeg',
                                         sha256 => 'AB' x 32 });
    is $c->{state}, 'checking', 'completed';
    is $c->{_hints}[0]{queue}, 'image', 'a check is queued';
    is_deeply complete($row->{media_id})->{_hints}, [], 'only one';

    my $j = $w->claim([$c->{_hints}[0]{job_id}])->[0];
    is_deeply [@{$j}{qw(kind action price)}], ['system', 'media.check', 0],
              'as a task of the system';
    is_deeply $j->{_events}, [], 'of which nobody is told';
    is $j->{inputs}[0]{sha256}, 'ab' x 32, 'with what the store saw';

    my %found = (verdict => 'ready', type => 'image/jpeg', width => 30,
                 height => 40, bytes => 1000, sha256 => 'ab' x 32,
                 thumb_key => 't/1', thumb_bytes => 99);
    my $s = $w->settle($j, 'succeeded', results => [{
                media_id => $row->{media_id}, %found }]);
    is $s->{verdict}, 'OK', 'settled';
    is_deeply Podi::Work::types($s->{_events}), ['media.ready'],
              'now the owner is told';
    is $s->{_events}[0]{data}{width}, 30, 'with the size';
    is_deeply [@{ list($ann)->[0] }{qw(state width height _thumb_key)}],
              ['ready', 30, 40, 't/1'], 'the media is ready';
    is $w->settle($j, 'succeeded', results => [{
           media_id => $row->{media_id}, %found }])->{verdict}, 'ALREADY',
       'settled once';
    is $w->read_task($ann, $j->{task_id}), undef, 'the task is not to be seen';
    is_deeply $w->{web}->all($db->as($ann), 'select * from'
              . ' api.task_list(null, 10, null, null, null, null)'), [],
              'nor listed';
    $w->{web}->refused('U0404', $db->as($ann), 'select * from'
        . ' api.task_cancel(?, null, null)', $j->{task_id}, 'nor cancelled');
};

subtest 'a bad picture is rejected' => sub {
    my %bad = (
        'by the check' => sub { $w->settle($_[0], 'succeeded', results => [
                                { verdict => 'rejected',
                                  reject_code => 'picture_too_large' }]) },
        'by a check that failed' => sub { $w->settle($_[0], 'failed',
                                          code => 'picture_too_large') },
    );

    for my $way (sort keys %bad) {
        my $id = upload([{}])->[0]{media_id};
        my $c = complete($id);
        my $s = $bad{$way}->($w->claim([$c->{_hints}[0]{job_id}])->[0]);
        is_deeply Podi::Work::types($s->{_events}), ['media.rejected'], $way;
        is $s->{_events}[0]{data}{reject_code}, 'picture_too_large', 'and why';
    }
};

subtest 'a check that kills three workers rejects the picture' => sub {
    my $id = upload([{}])->[0]{media_id};
    my $job = complete($id)->{_hints}[0]{job_id};

    for (1 .. 2) {
        $w->claim([$job], worker => 'wc');
        is $w->sys('worker_gone(?)', 'wc')->[0]{state}, 'queued', 'again';
    }
    $w->claim([$job], worker => 'wc');
    my $g = $w->sys('worker_gone(?)', 'wc')->[0];
    is $g->{state}, 'failed', 'then no more';
    is $g->{_events}[0]{data}{reject_code}, 'job_crashed', 'rejected';
};

subtest 'a check must have a verdict' => sub {
    my $job = complete(upload([{}])->[0]{media_id})->{_hints}[0]{job_id};
    my ($j) = @{ $w->claim([$job]) };
    is_deeply [@{ $w->settle($j, 'succeeded') }{qw(verdict error_detail)}],
              ['REFUSED', 'results[0].verdict'], 'refused';
};

subtest 'what differs from the declaration is rejected at once' => sub {
    my %differs = (
        media_type      => { type => 'image/png' },
        media_too_large => { bytes => 1001 },
        picture_invalid => { bytes => 999 },
    );

    for my $code (sort keys %differs) {
        my $c = complete(upload([{}])->[0]{media_id}, $differs{$code});
        is_deeply [@{$c}{qw(state reject_code)}], ['rejected', $code], $code;
        is_deeply $c->{_hints}, [], '... without a check';
        is_deeply Podi::Work::types($c->{_events}), ['media.rejected'], '... told';
    }
};

subtest 'an upload has its time' => sub {
    my $id = upload([{}])->[0]{media_id};
    my $call = 'select * from api.media_complete(?, ?, ?, null, ?)';

    is_deeply $w->sys('upload_expire(10)'), [], 'not yet';
    $db->super->all(undef, "update podi.media set upload_expires_at = now()"
                    . " - interval '1 s' where media_id = ?", $id);
    $w->{web}->refused('U0444', $db->as($ann), $call, $id, $w->ids(2),
                       'x', 'too late to complete');
    is_deeply $w->sys('upload_expire(10)'),
              [{ media_id => $id, store => 'local', object_key => 'k',
                 state => 'expired' }], 'given up';
    is_deeply $w->sys('upload_expire(10)'), [], 'once';
    $w->{web}->refused('U0444', $db->as($ann), $call, $id, $w->ids(2),
                       'x', 'and stays so');
    ok !(grep { $_->{media_id} eq $id } @{ list($ann) }), 'not listed';
    is list($ann, undef, 9, undef, 'expired')->[0]{media_id}, $id,
       'unless asked for';
};

subtest 'what is of no use in the store is to be removed' => sub {
    my $next = sub { $w->sys('object_doomed(?, ?, ?)', 'attic', $_[0],
                             $_[1] // 0) };
    my @id = map { upload([{ store => 'attic', object_key => "k$_" }])
                   ->[0]{media_id} } 0 .. 3;

    complete($id[0], { bytes => 1 });
    complete($id[1]);
    $db->super->all(undef, "update podi.media set upload_expires_at = now()"
                    . " - interval '1 min' where media_id = any (?)",
                    [@id[0, 1, 2]]);
    $w->sys('upload_expire(10)');

    is_deeply $next->(), [{ media_id => $id[0], object_key => 'k0' }],
              'what was rejected';
    is_deeply $next->($id[0]), [{ media_id => $id[2], object_key => 'k2' }],
              'what has expired, but nothing that is used';
    is_deeply $next->($id[2]), [], 'then no more';
    is_deeply $next->(undef, 120_000), [], 'not while a PUT may be under way';
    is_deeply $w->sys('object_doomed(?, null, 0)', 'cellar'), [],
              'nothing of another store';

    my $gone = sub { $w->{worker}->value(undef, 'select sys.object_gone(?)',
                                         $_[0]) };
    is $gone->($id[0]), 1, 'removed';
    is $gone->($id[0]), 0, 'once';
    is $gone->($id[1]), 0, 'what is used is not gone';
    is_deeply [map { $_->{media_id} } @{ $next->() }], [$id[2]],
              'it is not to be removed again';
    my %m = map { $_->{name} => $_->{value} } @{ $w->sys('metrics()') };
    is $m{podi_objects_doomed}, $db->super->value(undef, 'select count(*) from'
       . " podi.media where state in ('rejected', 'expired')") - 1, 'counted';
};

subtest 'what cannot be uploaded is named' => sub {
    my @case = (
        ['U0441', 'items[1].type', [{}, { type => 'text/html' }]],
        ['U0441', 'items[0].type', [{ type => undef }]],
        ['U0422', 'items[0].name', [{ name => '' }]],
        ['U0422', 'items[0].bytes', [{ bytes => 0 }]],
        ['U0422', 'items', []],
    );

    for my $case (@case) {
        my ($state, $field, $items) = @$case;
        eval { upload($items) };
        is $@->{state}, $state, "$field: $state";
        is JSON::PP::decode_json($@->{detail})->{field}, $field, '... named';
    }
};

subtest 'a key announces once' => sub {
    my $first = upload([{}, { name => 'b.jpg' }], key => 'u1');
    my $again = upload([{}, { name => 'b.jpg' }], key => 'u1');

    is_deeply [map { $_->{name} } @$again], ['cat.jpg', 'b.jpg'], 'in order';
    is_deeply [map { $_->{media_id} } @$again],
              [map { $_->{media_id} } @$first], 'the same media';
    is_deeply [map { $_->{is_new} } @$first, @$again], [1, 1, 0, 0],
              'new the first time';
};

subtest 'lists are newest first, filtered, paged and private' => sub {
    my $cid = $w->person('cid', 100);
    my @id = map { $w->media($cid, type => $_) } 'image/jpeg', 'image/png',
                                                 'image/png';
    my $page = sub { [map { $_->{media_id} } @{ list($cid, @_) }] };

    is_deeply $page->(), [reverse @id], 'newest first';
    is_deeply $page->(undef, 2), [@id[2, 1]], 'the first page';
    is_deeply $page->($id[1], 2), [$id[0]], 'and what follows';
    is_deeply $page->(undef, 9, undef, undef, 'image/png'), [@id[2, 1]],
              'by type';
    is_deeply $page->(undef, 9, 'result'), [], 'by kind';

    my $t = $w->submit($cid, inputs => [$id[0]], actions => ['resize']);
    $w->settle($w->claim_task($t)->[0], 'succeeded', results => [$w->result]);
    my $made = list($cid, undef, 9, undef, undef, undef, $t->{task_id});
    is @$made, 1, 'by task';
    is_deeply $made->[0]{parents}, [$id[0]], 'a result names its parents';

    is_deeply [grep { my $m = $_; grep { $_ eq $m->{media_id} } @id }
               @{ list($ben) }], [], "not another user's";
    is_deeply $w->{web}->all($db->as($ben), 'select * from api.media_read(?)',
                             $id[0]), [], 'neither one by one';
    is_deeply [map { $_->{media_id} } @{ $w->{web}->all($db->as($cid),
                  'select * from api.media_read(?)', $id[0]) }], [$id[0]],
              'the owner reads it';
    $w->{web}->refused('U0404', $db->as($ben), 'select * from'
        . ' api.media_complete(?, ?, ?, null, ?)', $id[0], $w->ids(2), 'x',
        'nor completes it');
};

subtest 'a check that took its workers with it is not replayed' => sub {
    my $id = upload([{}])->[0]{media_id};
    my $job = complete($id, { bytes => 1000 })->{_hints}[0]{job_id};

    $w->bend($job, 'crashes = 2');
    $w->claim([$job], worker => 'poor');
    $w->sys("worker_gone('poor')");
    is $w->job($job)->{set_aside}, 1, 'it is a dead letter';
    my $e = $db->{ctl}->refused('U0409', undef,
        "select * from sys.job_replay(?, 'x')", $job, 'but no task of anybody');
    like $e->{text}, qr/a check is uploaded again, not replayed/, 'as it says';
    is $db->{ctl}->value(undef, "select sys.job_dismiss(?, 'seen')", $job), 1,
       'it can be dismissed';
};

$db->whole;
done_testing;
