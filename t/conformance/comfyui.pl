#!/usr/bin/env perl
#
# Does a ComfyUI keep the promises that PODI relies on?
#
#     ./build.sh conformance comfyui URL [--header 'Name: value' | @FILE]...
#         [--alone] [--timeout SECONDS]
#
#     probes -> refusals -> files -> one prompt, followed -> its like again
#       -> faults -> queue and interrupt -> socket -> its history goes
#
# Needs no model: LoadImage, ImageScale, ImageInvert, SaveImage, PreviewImage.
# Prints TAP; the exit code is 0 when every promise is kept.  What could not be
# asked is skipped with the reason.  What would disturb other users of that
# server (an interrupt, a place in front, freed memory) is asked with --alone
# only.  Its prompts leave the history; its small pictures stay in the folders
# input/podi-conformance and output/podi-conformance, for nobody can delete a
# file there.

use strict;
use warnings;
use Getopt::Long qw( GetOptions );
use Test::More;
use Time::HiRes qw( sleep time );

use Podi::Comfy::Ask qw( ask_of uuid view chain save submit submitted finished
                         outcome message escaped );
use Podi::Comfy::Client ();
use Podi::Comfy::Png qw( read_picture write_png solid text_of );

use constant USAGE => "usage: ./build.sh conformance comfyui URL "
    . "[--header 'Name: value' | \@FILE]... [--alone] [--timeout SECONDS]\n";

my @NODES = qw( LoadImage ImageScale ImageInvert SaveImage PreviewImage );
my ($alone, $timeout, @header) = (0, 60);

GetOptions('alone' => \$alone, 'timeout=f' => \$timeout,
           'header=s' => \@header) && @ARGV == 1 or die_usage();

my %header = map { /^([^:\s]+):\s*(.*)$/ ? ($1 => $2) : die_usage() }
    map { /^\@(.*)$/s ? from_file($1) : $_ } @header;
my $server = eval { Podi::Comfy::Client->new($ARGV[0], headers => \%header) }
    // die_usage();
my $run = sprintf '%08x', rand 2 ** 32;
my $folder = "podi-conformance/$run";
my ($stats, $nodes, $socket);

$| = 1;
ask_of($server, $timeout);


sub die_usage
{
    print STDERR USAGE;
    exit 2;
}


# the lines of a file, so that a secret is not seen on the command line
sub from_file
{
    my ($path) = @_;

    open my $in, '<', $path or die "$path: $!\n";
    return grep { length } map { s/\s+$//r } <$in>;
}


# ---- tools

sub leave_out
{
    my ($what, $why) = @_;

    Test::More->builder->skip("$what: $why");
}


sub by_the_way
{
    my ($text) = @_;

    note $text;
}


sub picture
{
    my ($width, $height, @rgb) = @_;

    return write_png(solid($width, $height, @rgb));
}


# ---- what there is

sub probes
{
    my $r = $server->get('/system_stats');

    $stats = $r->{json};
    is $r->{status}, 200, '/system_stats answers';
    like $stats->{system}{comfyui_version} // '', qr/^v?\d/,
        '... with a version';
    is ref $stats->{devices}, 'ARRAY', '... and devices';
    by_the_way("ComfyUI $stats->{system}{comfyui_version}")
        if $stats->{system}{comfyui_version};

    $r = $server->get('/object_info');
    $nodes = $r->{json} // {};
    is join(' ', grep { !$nodes->{$_} } @NODES), '',
        '/object_info knows the nodes that need no model';
    return 0 if grep { !$nodes->{$_} } @NODES;

    my $choice = $nodes->{ImageScale}{input}{required}{crop};
    my $list = ref $choice->[0] ? $choice->[0] : $choice->[1]{options};
    is join(' ', grep { $_ eq 'center' } @{ $list || [] }), 'center',
        'a choice is a list of names';
    ok $nodes->{SaveImage}{output_node}, 'SaveImage is an output';
    is_deeply [sort keys %{ $server->get('/object_info/ImageInvert')->{json} }],
        ['ImageInvert'], '/object_info of one class has that class';
    is_deeply $server->get('/object_info/NoSuchNode')->{json}, {},
        '... and nothing of an unknown one';

    $r = $server->get('/prompt');
    like $r->{json}{exec_info}{queue_remaining} // '', qr/^\d+$/,
        'GET /prompt says how many wait';
    is $server->get('/api/prompt')->{status}, 200, 'routes exist under /api';
    $r = $server->get('/queue');
    is join(' ', sort keys %{ $r->{json} // {} }), 'queue_pending queue_running',
        '/queue has what runs and what waits';
    is_deeply $server->get('/history/' . uuid())->{json}, {},
        'the history of an unknown prompt is {}';
    is $server->get('/nosuchroute')->{status}, 404, 'an unknown route is a 404';
    is ref $server->get('/models')->{json}, 'ARRAY', '/models is a list';
    return 1;
}


sub access
{
    return leave_out('access without the header', 'no --header was given')
        if !%header;
    my $r = $server->request('GET', '/prompt', bare => 1);

    ok $r->{status} =~ /^(?:40[13]|30[1-8])$/,
        "without the header it is refused ($r->{status})";
}


# ---- prompts that it must not take

# very old ones have but a text there
sub type_of
{
    my ($r) = @_;
    my $error = ref $r->{json} eq 'HASH' ? $r->{json}{error} : undef;

    return ref $error eq 'HASH' ? $error->{type} // '' : '';
}


sub refusal
{
    my ($prompt, $type, $name) = @_;
    my ($id, $r) = submit($prompt);

    is "$r->{status} " . type_of($r), "400 $type", $name;
    return $r->{json}{node_errors} || {};
}


sub node_refusal
{
    my ($prompt, $node, $type, $name) = @_;
    my $errors = refusal($prompt, 'prompt_outputs_failed_validation', $name);

    is $errors->{$node}{errors}[0]{type} // '', $type, "... as $type";
}


sub refusals
{
    my ($image) = @_;
    my $out = "$folder/x";
    my @scale = (upscale_method => 'bilinear', height => 4, crop => 'disabled');

    is $server->post('/prompt', '{"prompt": {')->{status}, 500,
        'broken JSON is a 500, which is for good';
    my $r = $server->post('/prompt', {});
    is "$r->{status} " . type_of($r), '400 no_prompt',
        'no prompt is refused';
    refusal({ 1 => { class_type => 'NoSuchNode', inputs => {} } },
            unknown_type(), 'an unknown class is refused');
    refusal(chain([LoadImage => { image => $image }]), 'prompt_no_outputs',
            'a prompt without outputs is refused');
    node_refusal({ 1 => { class_type => 'SaveImage',
                          inputs => { filename_prefix => $out } } },
                 1, 'required_input_missing', 'a missing input is refused');
    node_refusal(save($image, $out, [ImageScale => { @scale, width => 'abc' }]),
                 2, 'invalid_input_type', 'a wrong type is refused');
    node_refusal(save($image, $out, [ImageScale => { @scale, width => 99999 }]),
                 2, 'value_bigger_than_max', 'a value too big is refused');
    node_refusal(save($image, $out, [ImageScale => { @scale, width => 4,
                                                     crop => 'zzz' }]),
                 2, 'value_not_in_list', 'a name that is no choice is refused');
    node_refusal(save("$folder/nope.png", $out), 1, 'custom_validation_failed',
                 'a picture that is not there is refused');
    node_refusal({ 1 => { class_type => 'SaveImage', inputs => {
                     filename_prefix => $out, images => ['1'] } } },
                 1, 'bad_linked_input', 'a link without a slot is refused');
    refusal({ 1 => { class_type => 'ImageInvert',
                     inputs => { image => ['2', 0] } },
              2 => { class_type => 'ImageInvert',
                     inputs => { image => ['1', 0] } },
              3 => { class_type => 'SaveImage', inputs => {
                     filename_prefix => $out, images => ['2', 0] } } },
            'prompt_outputs_failed_validation', 'a ring is refused');
    $r = $server->post('/prompt', { prompt => { nodes => [], links => [],
                                                last_node_id => 1 } });
    isnt $r->{status}, 200, 'what the editor saves is no prompt';
}


# newer versions have a type of their own
sub unknown_type
{
    my $r = $server->post('/prompt', { prompt => {
        1 => { class_type => 'NoSuchNode', inputs => {} } } });

    return type_of($r) eq 'missing_node_type' ? 'missing_node_type'
                                             : 'invalid_prompt';
}


# ---- files

sub files
{
    my $red = picture(32, 24, 255, 0, 0);
    my $blue = picture(32, 24, 0, 0, 255);
    my @to = (subfolder => $folder, type => 'input');
    my $r = $server->upload('in.png', $red, @to);

    is_deeply $r->{json}, { name => 'in.png', subfolder => $folder,
        type => 'input' }, 'an upload says what it is called';
    is $server->upload('in.png', $red, @to)->{json}{name}, 'in.png',
        'the same bytes keep the name';
    is $server->upload('in.png', $blue, @to)->{json}{name}, 'in (1).png',
        'other bytes get another name';
    is $server->upload('in (1).png', $red, @to, overwrite => 'true')
        ->{json}{name}, 'in (1).png', 'one that overwrites keeps it';
    is $server->upload('bad.png', 'this is no picture', @to)->{status}, 200,
        'what is no picture is taken, too';
    is $server->upload('x.png', $red, subfolder => '../../podi')->{status},
        400, 'a folder outside is refused';

    my %in = (filename => 'in.png', subfolder => $folder, type => 'input');
    $r = view(\%in);
    is $r->{bytes}, $red, '/view gives the bytes back';
    my $tag = $r->{headers}{etag};
    ok defined $tag, '... with an ETag';
    is view(\%in, 'if-none-match' => $tag // '')->{status}, 304,
        '... that is asked again for nothing';
    $r = view(\%in, range => 'bytes=0-9');
    is "$r->{status} " . length $r->{bytes}, '206 10', 'a range is a range';
    is view({ %in, filename => 'nope.png' })->{status}, 404,
        'a missing file is a 404';
    is view({ %in, type => 'bogus' })->{status}, 400,
        'an unknown type is refused';
    is view({ %in, filename => '../in.png' })->{status}, 400,
        'a name outside is refused';
    is view({ %in, subfolder => '../..' })->{status}, 403,
        'a folder outside is refused';
    $server->upload('page.html', '<p>x</p>', @to);
    unlike view({ %in, filename => 'page.html' })->{headers}{'content-type'},
        qr/html/, 'a page is not served as one';
    return "$folder/in.png";
}


# ---- one prompt, followed

sub opened
{
    my ($id) = @_;
    my $ws = $server->socket($id);

    ok $ws, 'a socket opens' . ($ws ? '' : " ($server->{why})");
    return if !$ws;
    my ($first) = $ws->until(sub { 1 }, $timeout);

    is "$first->{type} $first->{data}{sid}", "status $id",
        'its first frame is the status, with our id';
    $ws->say({ type => 'feature_flags',
               data => { supports_preview_metadata => JSON::PP::true } });
    my ($flags) = grep { $_->{type} eq 'feature_flags' }
        $ws->until(sub { $_[0]{type} eq 'feature_flags' }, 5);
    $flags ? pass('it says its flags')
        : leave_out('feature flags', 'this version says none');
    return $ws;
}


# the types of a prompt's frames, those that repeat once
sub story
{
    my ($id, @frame) = @_;
    my @type = map { $_->{type} } grep { ($_->{data}{prompt_id} // '') eq $id }
        grep { ref $_->{data} eq 'HASH' } @frame;
    my @short;

    for my $type (grep { !/^progress/ } @type) {
        push @short, $type if !@short || $short[-1] ne $type;
    }
    return join ' ', @short;
}


sub one_prompt
{
    my ($image, $client) = @_;
    my $prompt = save($image, "$folder/out", [ImageInvert => {}],
        [ImageScale => { upscale_method => 'nearest-exact', width => 64,
                         height => 48, crop => 'disabled' }]);
    my ($id, $r) = submit($prompt, client_id => $client,
                          extra_data => { podi => $run });

    is "$r->{status} " . ($r->{json}{prompt_id} // ''), "200 $id",
        'a prompt is taken under our id';
    is_deeply $r->{json}{node_errors}, {}, '... without complaint';
    my @frame = $socket ? $socket->until(sub {
        $_[0]{type} eq 'executing' && !defined $_[0]{data}{node}
            && $_[0]{data}{prompt_id} eq $id }, $timeout) : ();
    my $entry = finished($id);

    ok $entry->{status}, 'it gets into the history' or return;
    is $entry->{status}{status_str}, 'success', '... as a success';
    is_deeply $entry->{prompt}[1], $id, '... with its id';
    frames($id, @frame) if $socket;
    results($prompt, $entry);
    return ($prompt, $entry);
}


sub frames
{
    my ($id, @frame) = @_;

    is story($id, @frame), 'execution_start execution_cached executing '
        . 'executed execution_success executing', 'the frames have their order';
    my @state = grep { $_->{type} eq 'progress_state' } @frame;

    return leave_out('progress_state', 'this version has none') if !@state;
    is join(' ', map { $state[-1]{data}{nodes}{$_}{state} } 1 .. 4),
        'finished finished finished finished',
        'progress_state ends with all nodes finished';
}


sub results
{
    my ($prompt, $entry) = @_;
    my $file = $entry->{outputs}{4}{images}[0];

    is "$file->{type} $file->{subfolder}", "output $folder",
        'its file lies where the prefix says';
    my $r = view($file);
    is $r->{status}, 200, '... and can be fetched' or return;
    my $p = read_picture($r->{bytes});
    is "$p->{width} x $p->{height}", '64 x 48', 'it has the size';
    is join(' ', unpack 'C3', $p->{rgb}), '0 255 255', '... and the colour';
    my %text = text_of($r->{bytes});
    my $plain = grep { $_ eq '--disable-metadata' }
        @{ $stats->{system}{argv} || [] };
    is exists $text{prompt} ? 1 : 0, $plain ? 0 : 1,
        $plain ? 'the picture does not tell the prompt'
               : 'the picture tells the whole prompt';
}


# ---- its like again

sub again
{
    my ($prompt, $first, $image, $client) = @_;
    my $entry = outcome($prompt, client_id => $client);
    my $kept = message($entry, 'execution_cached');

    is join(' ', sort @{ $kept->{nodes} || [] }), '1 2 3 4',
        'the same prompt again is not worked on';
    is_deeply $entry->{outputs}{4}{images}, $first->{outputs}{4}{images},
        '... and names the old file';
    by_the_way('what is kept is not said again without a client_id')
        if !outcome($prompt)->{outputs}{4};

    my $other = save($image, "$folder/other", [ImageInvert => {}]);
    $entry = outcome($other);
    is $entry->{outputs}{3}{images}[0]{filename} =~ /^other_/ ? 1 : 0, 1,
        'another prefix makes another file';

    $entry = outcome(chain([LoadImage => { image => $image }],
                           [PreviewImage => {}]));
    is $entry->{outputs}{2}{images}[0]{type}, 'temp', 'a preview is temporary';
    $entry = outcome(save("$image [input]", "$folder/noted"));
    is $entry->{status}{status_str}, 'success',
        'LoadImage follows a note in a name';
}


sub faulty
{
    my ($image) = @_;
    my $entry = outcome(save("$folder/bad.png", "$folder/bad"));
    my $error = message($entry, 'execution_error');

    is $entry->{status}{status_str}, 'error', 'a broken picture is an error';
    is "$error->{node_id} $error->{node_type}", '1 LoadImage',
        '... of the node that met it';
    ok length $error->{exception_type}, "... with a type";

    $entry = outcome(save($image, '../../podi-evil'));
    $error = message($entry, 'execution_error');
    is $error->{node_type} // '', 'SaveImage',
        'a prefix outside the folder is an error';

    # a good branch runs, whatever the other one is
    my $prompt = save($image, "$folder/part");
    $prompt->{8} = { class_type => 'PreviewImage',
                     inputs => { images => ['1'] } };
    my ($id, $r) = submit($prompt);
    is $r->{status}, 200, 'half a prompt is taken';
    is join(' ', keys %{ $r->{json}{node_errors} }), '8',
        '... with a complaint about the other half';
    is join(' ', keys %{ finished($id)->{outputs} }), '2',
        '... and only the good half is run';
}


sub identities
{
    my ($image) = @_;
    my $id = uuid();

    submit(save($image, "$folder/first"), prompt_id => $id);
    finished($id);
    submit(save($image, "$folder/second"), prompt_id => $id);
    my $end = time + $timeout;
    my $name = '';
    until ($name =~ /^second_/ || time > $end) {
        $name = finished($id)->{outputs}{2}{images}[0]{filename} // last;
        sleep 0.05;
    }
    like $name, qr/^second_/, 'an id is taken twice, and the last run stays';

    $id = "podi:$run/1";
    my $entry = outcome(save($image, "$folder/slash"), prompt_id => $id);
    ok $entry->{status}, 'an id with a slash is found when it is escaped';
    is $server->get("/history/$id")->{status}, 404, '... and only then';
}


# ---- queue and interrupt

sub slow_prompt
{
    my ($image, $steps) = @_;

    return save($image, "$folder/slow", [PodiSlow => { steps => $steps,
        delay_ms => 50, seed => int rand 1e9, mode => 'ok' }]);
}


sub running
{
    my ($id) = @_;
    my $end = time + $timeout;

    while (time < $end) {
        my $queue = $server->get('/queue')->{json} // {};

        return 1 if grep { $_->[1] eq $id } @{ $queue->{queue_running} };
        sleep 0.02;
    }
    return 0;
}


sub queues
{
    my ($image) = @_;

    is $server->post('/queue', { delete => [uuid()] })->{status}, 200,
        'an unknown prompt is deleted without complaint';
    is scalar keys %{ $server->get('/history?max_items=1')->{json} }, 1,
        'the history can be asked for one entry';

    if (!$nodes->{PodiSlow}) {
        leave_out($_, 'no slow node there') for 'delete of a waiting prompt',
            'interrupt of a running prompt', 'interrupt of another prompt';
        return idle_interrupt($image);
    }
    my ($first) = submit(slow_prompt($image, 20));
    my ($second) = submit(slow_prompt($image, 1));

    ok running($first), 'a prompt that runs is seen in /queue';
    $server->post('/queue', { delete => [$first, $second] });
    is finished($first)->{status}{status_str}, 'success',
        'one that runs cannot be deleted';
    is_deeply $server->get("/history/$second")->{json}, {},
        'one that waits is gone';
    interrupts($image);
    idle_interrupt($image);
}


sub interrupts
{
    my ($image) = @_;

    return leave_out('interrupt of a running prompt',
                     'only with --alone: older versions stop whatever runs')
        if !$alone;
    my ($id) = submit(slow_prompt($image, 200));

    running($id);
    is $server->post('/interrupt', { prompt_id => uuid() })->{status}, 200,
        'an interrupt of another prompt is taken';
    if (!still_running($id)) {
        leave_out('interrupt of one prompt only', 'this version stops whatever '
                  . 'runs (the server must have one user)');
    } else {
        pass('... and does not stop ours');
        $server->post('/interrupt', { prompt_id => $id });
    }
    my $entry = finished($id);
    is $entry->{status}{status_str}, 'error',
        'one that is interrupted ends as an error';
    ok message($entry, 'execution_interrupted'), '... and says why';
}


# two steps of the slow node later
sub still_running
{
    my ($id) = @_;
    my $end = time + 0.5;

    while (time < $end) {
        return 0 if %{ $server->get("/history/$id")->{json} // {} };
        sleep 0.05;
    }
    return 1;
}


sub idle_interrupt
{
    my ($image) = @_;

    if (!$alone) {
        leave_out($_, 'only with --alone') for 'interrupt when nothing runs',
            'a place in front', 'freed memory';
        return;
    }
    is $server->post('/interrupt', {})->{status}, 200,
        'an interrupt of nothing is taken';
    my $entry = outcome(save($image, "$folder/after"));
    is $entry->{status}{status_str}, 'success',
        '... and does not harm the next prompt';

    my ($id, $r) = submit(save($image, "$folder/front"),
                          front => JSON::PP::true);
    cmp_ok $r->{json}{number}, '<=', 0, 'front is a place before the others';
    finished($id);
    ($id, $r) = submit(save($image, "$folder/place"), number => -2.5);
    is $r->{json}{number}, -2.5, 'a number of our own is kept';
    finished($id);

    my %both = map { $_ => JSON::PP::true } qw( unload_models free_memory );
    my $kept;

    is $server->post('/free', \%both)->{status}, 200, 'memory can be freed';
    # it is done between two prompts: the next one may have been faster
    for (1 .. 5) {
        $entry = outcome(save($image, "$folder/place"));
        $kept = (message($entry, 'execution_cached') // {})->{nodes};
        last if !@{ $kept // [] };
        $server->post('/free', \%both);
    }
    is_deeply $kept, [],
        '... and with it what is kept of prompts';
}


# ---- the socket

sub sockets
{
    my ($image, $client) = @_;

    return leave_out('the socket', 'it did not open') if !$socket;
    my ($id) = submit(save($image, "$folder/silent"));
    finished($id);
    my @frame = $socket->until(sub { 0 }, 0.2);
    is join(' ', grep { /^execut/ } map { $_->{type} } grep {
        ref $_->{data} eq 'HASH' && ($_->{data}{prompt_id} // '') eq $id }
        @frame), '', 'without a client_id nobody is told of the nodes';

    my $second = $server->socket($client) // return fail('a second socket');
    $second->until(sub { 1 }, $timeout);
    ($id) = submit(save($image, "$folder/taken"), client_id => $client);
    my $over = sub { $_[0]{type} eq 'execution_success' };
    is scalar(grep { $over->($_) } $second->until($over, $timeout)), 1,
        'a second socket of our id takes the frames over';
    is scalar(grep { $over->($_) } $socket->until($over, 0.2)), 0,
        '... from the first one';

    $socket->close;
    ($id) = submit(save($image, "$folder/mute"), client_id => $client);
    finished($id);
    @frame = $second->until($over, 1);
    by_the_way(grep({ $over->($_) } @frame)
               ? 'the second socket goes on when the first one closes'
               : 'the second socket is mute when the first one has closed');
    $second->close;
}


sub untold
{
    leave_out('memory that runs out', 'no model to fill it with');
    leave_out('progress within a node, and previews', 'no model that samples');
    leave_out('interrupt of a node that is silent', 'no model that works long');
    leave_out('a file that went, of a prompt that comes again',
              'nobody can delete a file there');
    leave_out('exception of a node of somebody else', 'no node of that kind');
    leave_out('a restart', 'this program does not stop servers');
    leave_out('a body beyond max_upload_size', 'it would send 100 MB');
}


# ---- nothing of ours is left in its memory

sub cleaned
{
    my @id = submitted();

    $server->post('/queue', { delete => \@id });
    my %ours = map { $_ => 1 } @id;
    finished($_) for grep { $ours{$_} } map { $_->[1] }
        @{ ($server->get('/queue')->{json} // {})->{queue_running} || [] };
    is $server->post('/history', { delete => \@id })->{status}, 200,
        'our history can be deleted';
    my $queue = $server->get('/queue')->{json} // {};
    my %left = map { $_ => 1 } keys %{ $server->get('/history')->{json} // {} },
        map { $_->[1] } map { @$_ } values %$queue;

    is join(' ', grep { $left{$_} } @id), '', '... and nothing of it is left';
}


sub rest
{
    my ($prompt, $entry, $image, $client) = @_;

    return leave_out('the rest', 'a plain prompt does not succeed')
        if ($entry->{status}{status_str} // '') ne 'success';
    again($prompt, $entry, $image, $client);
    faulty($image);
    identities($image);
    queues($image);
    sockets($image, $client);
}


sub main
{
    my $client = uuid() =~ tr/-//dr;

    if (probes()) {
        access();
        my $image = files();
        refusals($image);
        $socket = opened($client);
        my ($prompt, $entry) = one_prompt($image, $client);
        rest($prompt, $entry, $image, $client);
        untold();
    }
    cleaned();
    done_testing;
}


$SIG{INT} = $SIG{TERM} = sub { cleaned() if submitted(); exit 1 };
main();
