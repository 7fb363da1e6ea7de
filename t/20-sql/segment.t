# Segments, logs and dead letters: what of a job stays when its holder goes.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use Podi::Proc qw(poll);
use Podi::Sql;
use Podi::Work;

my $db = Podi::Sql->new;
my $w = Podi::Work->new($db);
my ($ann, $ben) = map { $w->person($_, 1000) } qw(ann ben);
my $pic = $w->media($ann);

$db->{ctl}->all(undef, 'select * from sys.action_put(?)', Podi::Work::text({
    action => 'image.resize', price => 10,
    segments => [{ name => 'a', percent => 33 }, { name => 'b', percent => 33 },
                 { name => 'c', percent => 34 }] }));


sub order
{
    return $w->submit($ann, inputs => [$pic], actions => ['resize']);
}


sub segment
{
    my ($j, $n, %o) = @_;

    return Podi::Work::decode($w->{worker}->one(undef,
        'select * from sys.job_segment(?, ?, ?, ?, ?)', $j->{job_id},
        $j->{fence}, $n, Podi::Work::text($o{checkpoint} // { at => $n }),
        Podi::Work::text($o{usage} // {})))->[0];
}


sub captured
{
    my ($t) = @_;

    return $db->super->value(undef, 'select string_agg(l.amount::text,'
        . " ' ' order by l.seq) from podi.ledger l where l.task_id = ?"
        . " and l.op = 'confirm'", $t->{task_id});
}


subtest 'a segment is paid and kept' => sub {
    my $before = $w->wallet($ann)->[0];
    my $t = order();
    my ($j) = @{ $w->claim_task($t) };
    my $s = segment($j, 1, usage => { tokens => 5 });

    is_deeply [@{$s}{qw(verdict segment)}], ['OK', 1], 'OK';
    is_deeply Podi::Work::types($s->{_events}),
              ['job.segment', 'wallet.confirmed'], 'told';
    is_deeply [@{ $s->{_events}[0]{data} }{qw(segment charged)}], [1, 3],
              'with what it has cost so far';
    is_deeply [@{ segment($j, 1) }{qw(verdict segment)}], ['ALREADY', 1],
              'again';
    is segment($j, 3)->{verdict}, 'REFUSED', 'one that is not its turn';
    is segment({ %$j, fence => 9 }, 2)->{verdict}, 'STALE', 'by somebody else';
    is segment({ %$j, job_id => ($w->ids(1))[0] }, 2)->{verdict}, 'STALE',
       'of no job';
    is $w->read_task($ann, $t->{task_id})->{charged}, 3,
       'the task has cost that much';
    $db->whole('and the books agree');

    $w->give_back($j);
    my ($k) = @{ $w->claim_task($t) };
    is_deeply [@{$k}{qw(segment checkpoint)}], [1, { at => 1 }],
              'the next holder goes on from there';
    is segment($j, 2)->{verdict}, 'STALE', 'the last one does not';
    is segment($k, 2)->{verdict}, 'OK', 'two';
    is segment($k, 3)->{verdict}, 'OK', 'three';
    is segment($k, 4)->{verdict}, 'REFUSED', 'there are no more';
    is captured($t), '3 3 4', 'they add up to the price';
    $s = $w->settle($k, 'succeeded');
    is_deeply Podi::Work::types($s->{_events}),
              ['job.succeeded', 'task.succeeded'], 'nothing is left to pay';
    is $s->{_events}[0]{data}{charged}, 10, 'of its price';
    is $w->wallet($ann)->[0], $before - 10, 'all of it, once';
    is $db->super->value(undef, "select usage ->> 'tokens' from podi.attempt"
        . ' where job_id = ? and fence = 1', $j->{job_id}), 5, 'what it used';
};

subtest 'the parts are those of the submit' => sub {
    my $put = sub { $db->{ctl}->all(undef, 'select * from sys.action_put(?)',
                        Podi::Work::text({ action => 'image.resize',
                            segments => [map { { name => "p$_->[0]",
                                percent => $_->[1] } } @_] })) };
    my $t = order();
    my ($j) = @{ $w->claim_task($t) };

    $put->([1, 90], [2, 10]);
    is segment($j, $_)->{verdict}, 'OK', "part $_" for 1 .. 3;
    is captured($t), '3 3 4', 'as they were';
    is scalar @{ $w->read_task($ann, $t->{task_id})->{jobs}[0]{segments} }, 3,
       'as they are shown';
    $w->settle($j, 'succeeded');
    my $u = order();
    my ($k) = @{ $w->claim_task($u) };
    is segment($k, 1)->{_events}[0]{data}{charged}, 9, 'a new task has the new';
    $w->settle($k, 'succeeded');
    $put->([1, 33], [2, 33], [3, 34]);
};

subtest 'who ends early has paid for what is done' => sub {
    for my $case (['succeeded', 10, '3 7'], ['failed', 3, '3'],
                  ['cancelled', 3, '3'])
    {
        my ($state, $cost, $rows) = @$case;
        my $before = $w->wallet($ann)->[0];
        my $t = order();
        my ($j) = @{ $w->claim_task($t) };

        segment($j, 1);
        my $s = $w->settle($j, $state);
        is $s->{_events}[0]{data}{charged}, $cost, "$state: $cost";
        is captured($t), $rows, '... captured';
        is $w->wallet($ann)->[0], $before - $cost, '... the rest is back';
    }

    my $t = order();
    my ($j) = @{ $w->claim_task($t, worker => 'w3') };
    segment($j, 1);
    $w->bend($j->{job_id}, 'crashes = 2');
    $w->sys('worker_gone(?)', 'w3');
    is $w->job($j->{job_id})->{charged}, 3, 'the third crash as well';
};

subtest 'the lines of a job are kept, so many' => sub {
    my $t = order();
    my ($j) = @{ $w->claim_task($t) };
    my $put = sub {
        my ($fence, @lines) = @_;
        return $w->{worker}->value(undef, 'select sys.job_log(?)',
            Podi::Work::text([{ job_id => $j->{job_id}, fence => 0 + $fence,
                                lines => \@lines }]));
    };
    my $read = sub {
        return $w->{web}->all($db->as($ann), 'select * from api.job_log(?, ?, ?)',
                              $j->{job_id}, @_);
    };

    is $put->(1, { level => 'warn', line => 'one', at => '2026-01-01T00:00:00Z' },
              { line => 'two' }, { line => '' }, { level => 'x', line => 'y' x 2000 }),
       3, 'three are kept, an empty one is not';
    is_deeply [map { [@{$_}{qw(n attempt level)}, length $_->{line}] }
               @{ $read->(undef, 10) }],
              [[1, 1, 'warn', 3], [2, 1, 'info', 3], [3, 1, 'info', 1000]],
              'in order, cut';
    like $read->(0, 1)->[0]{at}, qr/^202[56]-/, 'with their time';
    is_deeply [map { $_->{n} } @{ $read->(1, 1) }], [2], 'page by page';
    is $put->(7, { line => 'x' }), 0, 'a stranger is not listened to';

    my $other = $db->login('podi_worker');
    $other->dbh->begin_work;
    $other->value(undef, 'select sys.job_log(?)', Podi::Work::text([{
        job_id => $j->{job_id}, fence => 1, lines => [{ line => 'three' }] }]));
    my $dbh = $w->{worker}->dbh;
    $dbh->do('select sys.job_log(' . $dbh->quote(Podi::Work::text([{
        job_id => $j->{job_id}, fence => 1, lines => [{ line => 'four' }] }]))
        . ')', { pg_async => 1 });
    poll(10, sub { $db->super->value(undef, 'select count(*) from'
                       . " pg_stat_activity where wait_event_type = 'Lock'"
                       . ' and datname = current_database()') });
    $other->dbh->commit;
    $dbh->pg_result;
    is_deeply [map { $_->{line} } @{ $read->(3, 9) }], [qw( three four )],
              'two who speak at once are both heard';
    is $put->(1, map { { line => "line $_" } } 1 .. 300), 196, 'up to 200';
    is_deeply [@{ $read->(200, 10)->[0] }{qw(n level line)}],
              [201, 'warn', 'the log is full: no more is kept'],
              'then one that says so';
    is $put->(1, { line => 'more' }), 0, 'then none';
    $w->{web}->refused('U0404', $db->as($ben),
                       'select * from api.job_log(?, 0, 10)', $j->{job_id},
                       'and nobody else reads them');
    $w->settle($j, 'failed');
};

subtest 'a poison job is set aside with its evidence' => sub {
    my $t = order();
    my $id = $t->{jobs}[0]{job_id};
    my $aside = sub { Podi::Work::decode(@{ $db->{ctl}->all(undef,
                          'select * from sys.job_aside(?, 10)', @_) }) };
    my $dead = sub { [map { $_->{job_id} } @{ $aside->(@_) }] };

    $db->{ctl}->all(undef, 'select * from sys.queue_put(?)',
                    '{"queue": "image", "max_crashes": 2}');
    my %before = map { $_ => 1 } @{ $dead->(undef) };
    for my $n (1 .. 2) {
        my ($j) = @{ $w->claim([$id], worker => "poor$n") };
        $w->{worker}->all(undef, 'select sys.job_log(?)', Podi::Work::text(
            [{ job_id => $id, fence => 0 + $j->{fence},
               lines => [{ line => "last words $n" }] }]));
        $w->sys('worker_gone(?)', "poor$n");
    }
    is $w->job($id)->{state}, 'failed', 'as often as its queue allows';
    is $w->job($id)->{error_code}, 'job_crashed', 'with the reason';

    my ($row) = grep { $_->{job_id} eq $id } @{ $aside->('image') };
    is_deeply [@{$row}{qw(tenant login action crashes)}],
              ['acme', 'ann', 'image.resize', 2], 'it is on the list';
    $row->{$_} = JSON::PP::decode_json($row->{$_})
        for grep { !ref $row->{$_} } qw(attempts log);
    is_deeply [map { "$_->{worker} $_->{outcome}" } @{ $row->{attempts} }],
              ['poor1 crashed', 'poor2 crashed'], 'with whom it took along';
    is_deeply $row->{log}, ['last words 1', 'last words 2'],
              'and their last words';
    is_deeply $dead->('comfyui'), [], 'a queue has its own list';

    $db->{ctl}->refused('U0422', undef, 'select sys.job_dismiss(?, ?)', $id, ' ',
                        'who dismisses says why');
    is $db->{ctl}->value(undef, 'select sys.job_dismiss(?, ?)', $id, 'known'), 1,
       'dismissed';
    ok !(grep { $_ eq $id } @{ $dead->(undef) }), 'it is gone from the list';
    is $db->{ctl}->value(undef, 'select sys.job_dismiss(?, ?)', $id, 'known'), 0,
       'once';
    is $db->super->value(undef, 'select detail ->> ? from podi.audit where'
                         . " verb = 'job.dismiss'", 'reason'), 'known',
       'and it is on record';
};

$db->whole;
done_testing;
