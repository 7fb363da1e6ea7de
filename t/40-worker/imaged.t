# podi_imaged with a store that can be trusted, and with one that cannot.

use strict;
use warnings;
use lib 't/lib';

use Digest::SHA qw(sha256_hex);
use JSON::PP qw(encode_json);
use Test::More;
use Podi::Bucket;
use Podi::Cutter;
use Podi::Hands;
use Podi::Picture;
use Podi::Proc qw(poll children name_of gone open_files);

my $p = Podi::Picture->new;
my $h = Podi::Hands->new;
my $w = $h->{work};
my $ann = $h->{ann};
my $bucket = Podi::Bucket->start("$h->{dir}/bucket");
my $cutter = Podi::Cutter->start(listen => '127.0.0.1:0',
    upstream => $bucket->{address}, control => "$h->{dir}/cutter");
my $tmp = "$h->{dir}/tmp";
my $key = $p->write('key', "ID:SECRET\n");
my $sanitized = Podi::Picture::bytes("$p->{build}/bin/podi_imaged")
                =~ /__asan_init/;

chmod 0600, $key;
mkdir $tmp;
# what a crash between two calls would leave
open my $left, '>', "$tmp/podi-picture-left00" or die $!;

my $dispatchd = $h->daemon('podi_dispatchd', dispatch => '50ms');
my $imaged = imaged();


sub imaged
{
    my (%own) = @_;

    return $h->daemon('podi_imaged', work_dir => $tmp, store_timeout => '3s',
        store_idle => '1s', memory => '1g',
        stores => "local type=s3 endpoint=http://$cutter->{listen} bucket=b"
                  . " region=r key_file=$key", %own);
}


# a picture in the store and its row
sub upload
{
    my ($path, %row) = @_;
    my $bytes = Podi::Picture::bytes($path);
    my $id = $w->media($ann, type => $row{type} // 'image/jpeg',
                       name => $row{name} // 'cat.jpg');

    $row{key} //= "t/u/$id";
    $h->{db}->super->all(undef, 'update podi.media set bytes = ?, sha256 = ?,'
        . ' object_key = ? where media_id = ?', length $bytes,
        $row{sha256} // sha256_hex($bytes), $row{key}, $id);
    $bucket->put($row{key}, $bytes) if !$row{missing};
    return $id;
}


sub submit
{
    my ($id, $action, $params) = @_;

    return $w->submit($ann, inputs => [$id],
                      actions => [{ action => $action, params => $params }]);
}


sub fails
{
    my ($id, $code, $name) = @_;
    my $before = $w->wallet($ann);
    my $t = submit($id, 'image.resize', { width => 10 });

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is $h->ended($t, 60)->{state}, 'failed', "$name: the job fails";
    is $h->job($t)->{error_code}, $code, "with $code";
    is_deeply $w->wallet($ann), $before, 'and the points are free again';
    return $t;
}


# the processes that are there for pictures, by what they do: they say so
# themselves.  One that is stopped between fork and exec would stop the daemon,
# which waits for the exec.
sub pids
{
    my ($name) = @_;

    return grep { name_of($_) eq $name } children($h->child($imaged));
}


# those that make one
sub picture_pids
{
    return pids('podi_picture');
}


sub picture_pid
{
    my $pid;

    poll(30, sub { ($pid) = picture_pids() }) or die 'no picture is being made';
    return $pid;
}


# the one that waits for the next
sub spare
{
    my $pid;

    poll(30, sub { ($pid) = pids('podi_spare') }) or die 'no process waits';
    return $pid;
}


sub result
{
    my ($t) = @_;

    return $h->{db}->super->one(undef, 'select * from podi.media'
                                . ' where task_id = ?', $t->{task_id});
}


my $photo = $p->corners('jpg', width => 400, height => 300, orientation => 6,
                        gps => 1);
my $slow = $p->noise('jpg', 2500, 2500);

subtest 'a picture' => sub {
    my $id = upload($photo, name => "caf\x{e9}.summer.jpg");
    my $t = submit($id, 'image.resize', { width => 150, format => 'png' });

    is $h->ended($t, 60)->{state}, 'succeeded', 'is made';

    my $media = result($t);
    my $bytes = $bucket->get($media->{object_key}) // '';

    is $media->{object_key}, "$ann->{tenant}/r/$media->{sha256}.png",
        'it is stored under its digest';
    is sha256_hex($bytes), $media->{sha256}, 'which is that of its bytes';
    is length $bytes, $media->{bytes}, 'of this number';
    is "$media->{width}x$media->{height} $media->{type}",
        '150x200 image/png', 'with its size and type';
    is $media->{name}, "caf\x{e9}.summer.png", 'and a name';
    is $p->corner_names($p->write('png', $bytes)), 'blue red white green',
        'upright';
    is $h->{db}->super->value(undef, 'select parent_id from podi.media_parent'
                              . ' where media_id = ?', $media->{media_id}),
        $id, 'and it knows where it comes from';

    my @asked = grep { $_->{key} =~ /$id|$media->{sha256}/ } $bucket->log;
    is join(' ', map { "$_->{method} $_->{status}" } @asked),
        'GET 200 PUT 200', 'the store is asked twice';
    is scalar(grep { ($_->{headers}{traceparent} // '')
                     =~ /^00-a{32}-[0-9a-f]{16}-01$/ } @asked), 2,
        'with the trace of the job';
    is $asked[1]{headers}{'content-type'}, 'image/png', 'and the type';
    is $asked[1]{headers}{'if-none-match'}, '*', 'never to overwrite';

    my $thumb = $bucket->get($media->{thumb_key}) // '';
    is $media->{thumb_key}, "$ann->{tenant}/t/" . sha256_hex($thumb) . '.webp',
        'its thumbnail is stored in the same way';
    is length $thumb, $media->{thumb_bytes}, 'with its number of bytes';
    is $p->corner_names($p->write('webp', $thumb)), 'blue red white green',
        'and shows the result';
    is $p->facts($p->write('webp', $thumb))->{height}, 200,
        'not larger than that';

    $t = submit($id, 'image.convert', { format => 'png' });
    is $h->ended($t, 60)->{state}, 'succeeded', 'a larger result';
    is $p->facts($p->write('webp', $bucket->get(result($t)->{thumb_key})))
        ->{height}, 320, 'has a thumbnail of 320 pixels';

    $t = submit($id, 'image.resize', { width => 150, format => 'png' });
    is $h->ended($t, 60)->{state}, 'succeeded', 'the same again succeeds';
    is result($t)->{object_key}, $media->{object_key},
        'with the object that is there already';
    ok grep({ $_->{status} == 412 } $bucket->log), 'as the store says';
};

subtest 'one picture of several results' => sub {
    my $id = upload($photo);
    my $resize = sub { { key => $_[0], action => 'image.resize',
                         params => { width => $_[1] },
                         inputs => [{ media => $id }] } };
    my $t = $w->submit($ann, graph => [
        $resize->('a', 60), $resize->('b', 90),
        { key => 'm', action => 'image.montage',
          params => { cell => 100, gap => 10, format => 'png' },
          inputs => [{ job => 'a' }, { job => 'b' }, { media => $id }] }]);

    is $h->ended($t, 60)->{state}, 'succeeded', 'is made when they are there';

    my $media = $h->{db}->super->one(undef, 'select m.* from podi.media m join'
        . " podi.job j using (job_id) where m.task_id = ? and j.key = 'm'",
        $t->{task_id});
    is "$media->{width}x$media->{height} $media->{type}", '210x210 image/png',
        'three in two columns';
    is $h->{db}->super->value(undef, 'select count(*) from podi.media_parent'
        . ' where media_id = ?', $media->{media_id}), 3, 'with three parents';

    my $none = upload($p->write('jpg', "\xff\xd8\xff" . 'x' x 500));
    $t = $w->submit($ann, inputs => [$id, $none],
                    actions => [{ action => 'image.montage', params => {} }]);
    is $h->ended($t, 60)->{state}, 'failed', 'one that is none fails it';
    is $h->job($t)->{error_code}, 'picture_invalid', 'with the reason';
};

subtest 'no picture' => sub {
    my $child = $h->child($imaged);
    my $bytes = Podi::Picture::bytes($photo);

    fails(upload($p->write('bin', substr $bytes, 0, 2000)),
          'picture_invalid', 'half a picture');
    fails(upload($p->write('bin', 'hello')), 'picture_invalid', 'text');
    fails(upload($p->corners('png')), 'picture_invalid',
          'a picture of another type');
    my $t = fails(upload($p->write('png', Podi::Picture::png(30_000, 30_000,
                  '')), type => 'image/png'), 'picture_too_large', 'a bomb');
    is $h->job($t)->{attempts}, 1, 'which is not tried again';
    is $h->child($imaged), $child, 'and the daemon lives';
};

# announced, uploaded and completed as nginx would do it; the row in the end
sub checked
{
    my ($bytes, %row) = @_;
    my ($id, $task, $job) = $w->ids(3);
    my $hash = 'upload';

    $w->{web}->all($h->{db}->as($ann), 'select * from api.media_upload(?, ?,'
        . ' ?, ?)', encode_json([{ media_id => $id, name => 'cat.jpg',
        object_key => $row{key} // "t/u/$id", store => 'local',
        type => $row{type} // 'image/jpeg',
        bytes => $row{bytes} // length $bytes }]), 600_000, undef, \$hash);
    $bucket->put($row{key} // "t/u/$id", $bytes) if defined $bytes;
    $w->{web}->all($h->{db}->as($ann), 'select * from api.media_complete(?, ?,'
        . ' ?, ?, ?)', $id, $task, $job, undef, 'b' x 32);

    my $media;
    poll(60, sub {
        $media = $h->{db}->super->one(undef,
            'select * from podi.media where media_id = ?', $id);
        $media->{state} ne 'checking';
    });
    return $media;
}


subtest 'an upload' => sub {
    my $bytes = Podi::Picture::bytes($photo);
    my $media = checked($bytes);

    is $media->{state}, 'ready', 'is checked';
    is "$media->{width}x$media->{height} $media->{type}",
        '300x400 image/jpeg', 'measured upright';
    is $media->{sha256}, sha256_hex($bytes), 'and has its digest';

    my $thumb = $bucket->get($media->{thumb_key});
    is $media->{thumb_key}, "$ann->{tenant}/t/" . sha256_hex($thumb)
        . '.webp', 'its thumbnail has its own';
    is length $thumb, $media->{thumb_bytes}, 'its number of bytes';
    is $p->facts($p->write('webp', $thumb))->{height}, 320, 'and its size';
    ok defined $bucket->get($media->{object_key}), 'the upload stays';
    is $h->{db}->super->value(undef, 'select count(*) from podi.object_intent'
                              . ' where object_key = ?', $media->{thumb_key}),
        1, 'who stored the thumbnail had said so before';

    for my $case (
        ['half a picture', 'picture_invalid', substr($bytes, 0, 2000)],
        ['fewer bytes than said', 'picture_invalid', $bytes,
         bytes => 1 + length $bytes],
        ['more bytes than said', 'media_too_large', $bytes,
         bytes => length($bytes) - 1],
        ['another type than said', 'media_type', $bytes,
         type => 'image/png'],
        ['text', 'media_type', 'hello'],
        ['a bomb', 'picture_too_large',
         Podi::Picture::png(30_000, 30_000, ''), type => 'image/png'],
        ['nothing at all', 'upload_missing', undef, bytes => 10],
    ) {
        my ($name, $code, $body, %row) = @$case;
        my $bad = checked($body, %row);

        is "$bad->{state} $bad->{reject_code}", "rejected $code",
            "$name is rejected";
        is defined $bucket->get($bad->{object_key}), defined $body,
            'and stays for podi_janitord to remove';
    }

    $cutter->say('stall');
    $cutter->say('reset');
    my $bad = checked($bytes);
    $cutter->say('pass');
    $cutter->say('reset');
    is "$bad->{state} $bad->{reject_code}", 'rejected store_failed',
        'one that cannot be looked at is rejected in the end';
};

subtest 'a store that fails' => sub {
    my $id = upload($photo);
    my $five = 'HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n';
    my $full = 'HTTP/1.1 507 Full\r\nContent-Length: 0\r\n\r\n';

    for my $case (['refuse', 'a store that refuses'],
                  ['stall', 'a silent store'],
                  ["answer $five", 'a store that says 500'],
                  ["answer $full", 'a store that is full', 'storage_full'],
                  ['answer tralala\r\n', 'a store that speaks no HTTP'])
    {
        $cutter->say($case->[0]);
        $cutter->say('reset');
        my $t = fails($id, $case->[2] // 'store_failed', $case->[1]);
        is $h->job($t)->{attempts}, 3, 'after all its attempts';
        $cutter->say('pass');
        $cutter->say('reset');
    }

    fails(upload($photo, missing => 1), 'store_failed', 'an object that went');
    fails(upload($photo, sha256 => '0' x 64), 'store_failed', 'other bytes');
    fails(upload($photo, key => 't/deny/1'), 'store_failed', 'a closed door');

    $cutter->say('cut-after 300');
    my $t = submit($id, 'image.resize', { width => 11 });
    is $h->ended($t, 60)->{state}, 'succeeded', 'a cut is repaired';
    is $h->job($t)->{attempts}, 2, 'by another attempt';
    $cutter->say('pass');
};

subtest 'the process of a picture' => sub {
    plan skip_all => 'a sanitizer needs more than it may have' if $sanitized;

    my $t = submit(upload($slow), 'image.convert', { format => 'webp' });
    my $pid = picture_pid();

    ok poll(10, sub { Podi::Picture::bytes("/proc/$pid/status")
                      =~ /^Seccomp:\s+2$/m }), 'is locked';
    kill 'STOP', $pid;

    my $limits = Podi::Picture::bytes("/proc/$pid/limits");
    my $status = Podi::Picture::bytes("/proc/$pid/status");

    like $status, qr/^NoNewPrivs:\s+1$/m, 'gains no privileges';
    like $limits, qr/^Max address space\s+1073741824\s/m, 'has bounded memory';
    like $limits, qr/^Max cpu time\s+30\s+31\s/m, 'and CPU time';
    like $limits, qr/^Max file size\s+134217728\s/m, 'and output';
    like $limits, qr/^Max core file size\s+0\s/m, 'and leaves no core';

    SKIP: {
        skip 'only root may look', 3 if $> != 0;
        my ($socket, $files) = open_files($pid);

        is_deeply [grep { !m{^(?:$tmp/podi-picture-\w+\s\(deleted\)
                              |pipe:\S+|/dev/null)$}x } @$files], [],
            'holds its own files and no others';
        cmp_ok scalar keys %$socket, '<=', 2, 'and is bound to its parent';
        is Podi::Picture::bytes("/proc/$pid/environ"), "LC_ALL=C\0",
            'knows no environment';
    }
    is_deeply [glob "$tmp/*"], [], 'and its files have no names';

    kill 'KILL', $pid;
    is $h->ended($t, 60)->{state}, 'succeeded', 'killed, it is made again';
    is $h->job($t)->{attempts}, 2, 'in another attempt';
};

subtest 'the process that waits' => sub {
    plan skip_all => 'a sanitizer needs more than it may have' if $sanitized;

    my $pid = spare();
    my $limits = Podi::Picture::bytes("/proc/$pid/limits");

    like $limits, qr/^Max address space\s+1073741824\s/m, 'has bounded memory';
    like $limits, qr/^Max cpu time\s+30\s+31\s/m, 'and CPU time';
    SKIP: {
        skip 'only root may look', 2 if $> != 0;
        my ($socket, $files) = open_files($pid);

        is_deeply [grep { !m{^(?:pipe:\S+|/dev/null)$} } @$files], [],
            'and no file of anybody';
        is scalar keys %$socket, 2, 'but is bound to its daemon';
    }

    my $t = submit(upload($slow), 'image.convert', { format => 'webp' });
    is picture_pid(), $pid, 'makes the next picture';
    is $h->ended($t, 60)->{state}, 'succeeded', '... to its end';
    ok poll(10, sub { gone($pid) }), '... and no other one';

    $pid = spare();
    kill 'KILL', $pid;
    ok poll(10, sub { $h->log($imaged, 'picture.spare_gone') }),
        'one that dies is noticed';

    $t = submit(upload($photo), 'image.resize', { width => 12 });
    is $h->ended($t, 60)->{state}, 'succeeded', 'a picture starts its own then';
    is $h->job($t)->{attempts}, 1, 'at once';
    isnt spare(), $pid, 'and another one waits';
};

subtest 'cancel' => sub {
    my $t = submit(upload($slow), 'image.convert', { format => 'webp' });
    my $pid = picture_pid();

    kill 'STOP', $pid;
    $w->cancel($ann, $t->{task_id});
    is $h->ended($t)->{state}, 'cancelled', 'ends the job';
    ok poll(10, sub { gone($pid) }), 'and its process';
    is $h->job($t)->{charged}, 0, 'for nothing';
};

subtest 'a daemon that dies' => sub {
    my $waits = spare();
    my $t = submit(upload($slow), 'image.convert', { format => 'webp' });
    my $pid = picture_pid();

    kill 'KILL', $h->child($imaged);
    ok poll(10, sub { gone($pid) }), 'takes its pictures along';
    is $pid, $waits, '... which waited before';
    is $h->ended($t, 60)->{state}, 'succeeded', 'the next makes them again';
    is_deeply [glob "$tmp/*"], [], 'and nothing is left behind';
};

subtest 'a picture without end' => sub {
    $h->stop($imaged);
    $imaged = imaged(picture_timeout => '500ms');

    my $t = submit(upload($slow), 'image.convert', { format => 'webp' });
    my %seen;

    poll(30, sub {
        for my $pid (picture_pids()) {
            kill 'STOP', $pid if !$seen{$pid}++;
        }
        $h->task($t)->{ended_at};
    });
    is $h->job($t)->{error_code}, 'job_timeout', 'is stopped';
    is scalar(keys %seen), 3, 'each time';
    is scalar(grep { !gone($_) } keys %seen), 0, 'and is gone';
};

my $waits = spare();
is $h->stop($imaged), 0, 'the daemon drains';
ok gone($waits), '... and nobody waits for it';
is $h->stop($dispatchd), 0, 'and the dispatcher';
$h->whole;
done_testing;
