# The fake ComfyUI: it keeps the promises that the conformance run asks for,
# refuses what no recording has, and fails in every way that it is told to.

use strict;
use warnings;
use Test::More;
use IO::Socket::INET ();
use Time::HiRes qw( sleep time );

use Podi::Comfy ();
use Podi::Comfy::Client ();
use Podi::Comfy::Png qw( read_picture write_png solid sniff );
use Podi::Proc qw( poll reaped );

my $ROOT = File::Spec->rel2abs(__FILE__) =~ s{/t/40-worker/[^/]*$}{}r;
my $RED = write_png(solid(8, 6, 255, 0, 0));
my $SHAKE = "Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    . "Sec-WebSocket-Version: 13\r\n"
    . "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";


# a conformance run that goes on beside the other tests
sub conformance
{
    my ($set, @arg) = @_;
    my $fake = Podi::Comfy->start(keep => 1, %$set);
    my $log = "$fake->{dir}/tap";

    return { fake => $fake, log => $log, pid => Podi::Proc::spawn(
        log => $log, cmd => ["$ROOT/build.sh", 'conformance', 'comfyui',
                             $fake->url, '--timeout', 20, @arg]) };
}


sub header_file
{
    my ($line) = @_;
    our $file = File::Temp->new;

    print {$file} "$line\n";
    $file->flush;
    return "$file";
}


# (exit code, what it said)
sub ended
{
    my ($run) = @_;

    poll(120, sub { waitpid($run->{pid}, 1) == $run->{pid} })
        or die 'the conformance run does not end';
    return ($? >> 8, Podi::Comfy::Files::slurp($run->{log}));
}


my $whole = conformance({}, '--alone');
my $old = conformance({ version => '0.3.40', targeted => 0,
    progress_state => 0, auth => { header => ['X-Key', 'open sesame'] } },
    '--header', '@' . header_file('X-Key: open sesame'));
my $poor = conformance({ missing => ['ImageScale'] });

my $fake = Podi::Comfy->start(keep => 1);
my $c = Podi::Comfy::Client->new($fake->url);
my $next = 0;


sub graph
{
    my (%change) = @_;
    my $prefix = $change{prefix} // 'o/' . ++$next;

    return { 1 => { class_type => 'LoadImage', inputs => { image => 'a.png' } },
             2 => { class_type => 'PodiSlow', inputs => { image => ['1', 0],
                    steps => 2, delay_ms => 1, seed => $next, mode => 'ok',
                    %{ $change{slow} || {} } } },
             3 => { class_type => 'SaveImage', inputs => {
                    images => ['2', 0], filename_prefix => $prefix } } };
}


sub submit
{
    my ($id, %more) = @_;

    return $c->post('/prompt', { prompt => graph(), prompt_id => $id, %more });
}


sub entry
{
    my ($id) = @_;

    return poll(20, sub { $c->get("/history/$id")->{json}{$id} });
}


sub error_of
{
    my ($id) = @_;
    my ($error) = grep { $_->[0] eq 'execution_error' }
        @{ entry($id)->{status}{messages} };

    return $error ? "$error->[1]{node_id} $error->[1]{exception_type}" : '';
}


sub queue
{
    my $queue = $c->get('/queue')->{json};

    return scalar(@{ $queue->{queue_running} }) . ' '
        . @{ $queue->{queue_pending} };
}


# what comes back for bytes on a connection of its own
sub raw
{
    my ($bytes) = @_;
    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $fake->{port}) or return "refused";
    my $in = '';

    print {$sock} $bytes;
    1 while sysread $sock, $in, 65536, length $in;
    return $in;
}


$c->upload('a.png', $RED);

# ---- strict: each of these is refused, and said

my @strange = (
    ['member', 'POST', '/prompt', '{"prompt":{},"priority":1}'],
    ['member', 'POST', '/queue', '{"remove":["x"]}'],
    ['member', 'POST', '/interrupt', '{"id":"x"}'],
    ['query', 'GET', '/history?limit=1'],
    ['query', 'GET', '/view?name=a.png'],
    ['encoder', 'GET', '/view?filename=a.png&preview=webp'],
    ['route', 'GET', '/status'],
    ['route', 'GET', '/queue/abc'],
    ['method', 'PATCH', '/prompt', '{}'],
    ['method', 'GET', '/interrupt'],
    ['a body with GET', 'GET', '/queue', '{}'],
);

for my $case (@strange) {
    my ($why, $method, $path, $content) = @$case;
    my $r = $c->request($method, $path, content => $content);

    is $r->{status}, 599, "$method $path is in no recording";
    like $r->{bytes}, qr/\Q$why/, "... by its $why";
}
is scalar(my @said = $fake->faults), scalar @strange,
    'each is a line in the log';
like raw("GET /queue HTTP/1.1\r\nConnection: close\r\n\r\n"), qr/ 599 /,
    'a request without Host is refused';
like raw("GET /ws HTTP/1.1\r\n$SHAKE\r\n\x81\x02{}"), qr/\x88\x02\x03\xea/,
    'a frame without a mask ends the socket';
my $chatty = $c->socket('chatty');
$chatty->say({ type => 'subscribe', data => {} });
ok poll(20, sub { grep { /subscribe/ } $fake->faults }),
    'what no client says is a line in the log';
$fake->fake(strict => 0);
is $c->get('/history?limit=1')->{status}, 200, 'lax, it lets such things pass';
$fake->fake(reset => 1);

# ---- the connection

$fake->fake(refuse => 2);
is join(' ', map { raw("GET /queue HTTP/1.0\r\n\r\n") } 1 .. 2), ' ',
    'connections are refused';
like raw("GET /queue HTTP/1.0\r\nHost: x\r\nConnection: close\r\n\r\n"),
    qr/ 200 OK/, '... as many as were asked for';

my $hasty = HTTP::Tiny->new(timeout => 0.3);
$fake->fake(silent => { times => 1, path => '/queue' });
is $hasty->get($fake->url . '/queue')->{status}, 599, 'a silent one says nothing';
is $c->get('/queue')->{status}, 200, '... once';
$fake->fake(slow => 5000);
is $hasty->get($fake->url . '/queue')->{status}, 599, 'a slow one is slow';
$fake->fake(reset => 1);

$fake->fake(cut => { path => '/system_stats', at => 40, times => 1 });
my $cut = raw("GET /system_stats HTTP/1.1\r\nHost: x\r\n\r\n");
my ($length, $body) = $cut =~ /Content-Length: (\d+).*?\r\n\r\n(.*)$/s;
is length $body, 40, 'an answer ends at the byte that was named';
cmp_ok $length, '>', 40, '... before its end';

for my $code (500, 502, 503, 504) {
    $fake->fake(status => { code => $code, times => 1 });
    is $c->get('/queue')->{status}, $code, "it answers with $code";
}
$fake->fake(non_json => { path => '/history', times => 1 });
my $page = $c->get('/history');
is "$page->{status} " . (defined $page->{json} ? 'json' : 'page'), '200 page',
    'it answers with a page for JSON';

# ---- the outcome of POST /prompt is unknown

$fake->fake(reset_prompt => { queued => JSON::PP::true, times => 1 });
is submit('kept')->{status}, 0, 'the answer to a prompt never comes';
is entry('kept')->{status}{status_str}, 'success', '... that was taken';
$fake->fake(reset_prompt => { times => 1 });
is submit('lost')->{status}, 0, '... or was not';
is submit('next')->{status}, 200, 'the next one is taken';
entry('next');
is_deeply $c->get('/history/lost')->{json}, {}, 'the lost one left no trace';

# ---- work that does not end well

$fake->fake(error => { node => '2', type => 'KeyError', message => 'no such' });
submit('raises');
is error_of('raises'), '2 KeyError', 'a node fails as it is told';
$fake->fake(reset => 1, oom => 1);
submit('oom');
is error_of('oom'), '2 torch.OutOfMemoryError', 'memory runs out';
submit('after');
is error_of('after'), '', '... once';

$fake->fake(hang => JSON::PP::true);
submit("hung$_") for 1 .. 2;
is queue(), '0 2', 'a server that hangs takes prompts and works on none';
$fake->fake(reset => 1);
ok entry('hung2'), '... until it goes on';

my $ws = $c->socket('watch');
$fake->fake(stall => { node => '2', times => 1 });
submit('stalls', client_id => 'watch');
my @frame = $ws->until(sub { ($_[0]{data}{node} // '') eq '2' }, 20);
$c->post('/interrupt', { prompt_id => 'stalls' });
@frame = $ws->until(sub { 0 }, 0.3);
is scalar(grep { $_->{type} =~ /^exec/ } @frame), 0,
    'a stalled node says nothing, nor hears an interrupt';
is queue(), '1 0', '... and keeps its place';
$fake->fake(release => JSON::PP::true);
is entry('stalls')->{status}{messages}[-1][0], 'execution_interrupted',
    '... until it wakes up';

$fake->fake(interrupt_ignored => JSON::PP::true);
$c->post('/prompt', { prompt_id => 'deaf', prompt => graph(
    slow => { steps => 8, delay_ms => 40 }) });
poll(20, sub { queue() eq '1 0' });
$c->post('/interrupt', { prompt_id => 'deaf' });
is entry('deaf')->{status}{status_str}, 'success', 'an interrupt is ignored';

$fake->fake(reset => 1, targeted => JSON::PP::false);
$c->post('/prompt', { prompt_id => 'mine', prompt => graph(
    slow => { steps => 200, delay_ms => 40 }) });
poll(20, sub { queue() eq '1 0' });
$c->post('/interrupt', { prompt_id => 'another' });
is entry('mine')->{status}{status_str}, 'error',
    'an old server stops whatever runs';
$fake->fake(reset => 1);

# ---- others use it, too

$fake->fake(foreign => 3);
poll(20, sub { queue() eq '1 2' });
submit('waits');
is queue(), '1 3', 'prompts of others stand before ours';
$c->post('/interrupt', {});
is scalar(my @rude = grep { /foreign prompt was interrupted/ } $fake->faults),
    1, 'to interrupt one of theirs is a line in the log';
$fake->fake(foreign => 0);
ok entry('waits'), 'ours comes when they have gone';

# ---- its memory, its files

$fake->fake(lose_history => 'now');
is_deeply $c->get('/history')->{json}, {}, 'the history is lost';
$fake->fake(lose_history => JSON::PP::true);
submit('unseen');
poll(20, sub { grep { $_->{path} eq '/prompt' } $fake->requests } );
poll(20, sub { queue() eq '0 0' });
is_deeply $c->get('/history')->{json}, {}, '... and what ends is not kept';
$fake->fake(reset => 1);

$fake->fake(untold => JSON::PP::true);
my $kept = graph();
my $again = sub {
    my ($id, %more) = @_;

    $c->post('/prompt', { prompt => $kept, prompt_id => $id, %more });
    return scalar keys %{ entry($id)->{outputs} };
};

is $again->('makes'), 1, 'what is made is named';
is $again->('keeps'), 0, '... and need not be when it was made before';
is $again->('tells', client_id => 'a'), 1, '... but to one with a name';
$fake->fake(reset => 1);

submit('file');
my $file = entry('file')->{outputs}{3}{images}[0];
my $view = "/view?filename=$file->{filename}&subfolder=$file->{subfolder}";
my $good = $c->get($view);
is sniff($good->{bytes}), 'png', 'a result is a picture';
for my $case (['expired', 404, qr/^$/], ['html', 200, qr/sign in/],
              ['truncated', 0, qr/./], ['short', 200, qr/^\x89PNG/])
{
    my ($as, $status, $like) = @$case;

    # HTTP::Tiny asks again when an answer ends early
    $fake->fake(view => { as => $as });
    my $r = $c->get($view);
    is $r->{status}, $status, "a result can be $as";
    like $r->{bytes}, $like, '... as such';
}
$fake->fake(view => { as => 'short', times => 1 });
ok !eval { read_picture($c->get($view)->{bytes}); 1 },
    'a short picture has the right length of a wrong picture';
is $c->get($view)->{bytes}, $good->{bytes}, 'then it is whole again';

# ---- the socket

$fake->fake(ws => 'refused');
ok !$c->socket('x'), 'a socket is refused';
is $c->{status}, 403, '... with 403';
$fake->fake(ws => 'closed');
my $short = $c->socket('x');
$short->until(sub { 0 }, 20);
is $short->{closed}, 1001, 'a socket is closed at once';
$fake->fake(ws => 'mute');
is scalar(my @heard = $c->socket('x')->until(sub { 1 }, 0.2)), 0,
    'a mute one says nothing';
$fake->fake(reset => 1, fragment => JSON::PP::true);
$ws = $c->socket('y');
submit('parts', client_id => 'y');
@frame = $ws->until(sub { $_[0]{type} eq 'execution_success' }, 20);
is $frame[-1]{type}, 'execution_success', 'frames come in fragments';
$fake->fake(reset => 1, huge_frame => 3_000_000);
@frame = $ws->until(sub { $_[0]{binary} }, 20);
cmp_ok length $frame[-1]{bytes}, '>', 3_000_000, 'a huge frame comes';
$fake->fake(ws_drop => JSON::PP::true);
$ws->until(sub { 0 }, 20);
ok $ws->{ended} && !defined $ws->{closed}, 'a socket ends without goodbye';

# ---- who may come in, and what there is

$fake->fake(auth => { header => ['Authorization', 'Bearer t'] });
is $c->get('/queue')->{status}, 401, 'without its header nobody comes in';
is $c->get('/queue', Authorization => 'Bearer t')->{status}, 200,
    '... but with it';
ok !$c->socket('z'), '... sockets included';
$fake->fake(auth => { query => ['token', 's'] });
is $c->get('/queue?token=s')->{status}, 200, 'a token may stand in the query';
is $c->get('/queue')->{status}, 401, '... and must';
$fake->fake(reset => 1, version => '0.9.1', checkpoints => ['a.safetensors'],
            missing => ['PodiSlow']);
is $c->get('/system_stats')->{json}{system}{comfyui_version}, '0.9.1',
    'the version is what it is told';
is_deeply $c->get('/models/checkpoints')->{json}, ['a.safetensors'],
    'so are the models';
is submit('none')->{json}{error}{type}, 'invalid_prompt',
    'a class that it lacks is refused';
$fake->fake(reset => 1);
my $loader = graph();
$loader->{9} = { class_type => 'CheckpointLoaderSimple',
                 inputs => { ckpt_name => 'a.safetensors' } };
$loader->{2}{inputs}{model} = ['9', 0];
is $c->post('/prompt', { prompt => $loader })->{json}{node_errors}{9}{errors}
    [0]{details}, "ckpt_name: 'a.safetensors' not in []",
    'a model that it lacks is named';

# ---- it dies, and knows nothing

submit('old');
entry('old');
$fake->fake(die => '2');
submit('dies');
ok poll(20, sub { reaped($fake->pid) }), 'it dies at a node';
delete $fake->{pid};
is submit('nobody')->{status}, 0, '... and nobody is there';
$fake->restart;
is queue(), '0 0', 'then nothing waits';
is_deeply $c->get('/history/old')->{json}, {}, '... nor was there anything';
is $c->get($view)->{bytes}, $good->{bytes}, 'but the files are there';

my ($upload) = $fake->requests('POST', '/upload');
is $upload->{parts}[0]{sha256}, Digest::SHA::sha256_hex($RED),
    'the log has what was uploaded';
my ($taken) = grep { ($_->{body}{prompt_id} // '') eq 'kept' }
    $fake->requests('POST', '/prompt');
is $taken->{body}{prompt}{2}{class_type}, 'PodiSlow', '... and the prompts';
is $c->get('/__fake/log')->{json}{requests}[0]{path}, '/queue',
    '... of this life by HTTP, too';

# ---- the promises

my ($code, $tap) = ended($whole);
is $code, 0, 'the fake keeps the promises' or diag $tap;
is join("\n", $whole->{fake}->faults), '', '... asked as recorded';
my @asked = $tap =~ /^ok /mg;
my @out = $tap =~ /^ok \d+ # skip (.*)/mg;
cmp_ok @asked, '>', 90, '... all of them';
my $nobody = join '|', 'header', 'no model', 'stop servers', '100 MB',
    'delete a file', 'of that kind';
is join("\n", grep { !/$nobody/ } @out), '',
    '... but those that nobody can ask';
is_deeply decoded_history($whole), {}, '... and it is left clean';

($code, $tap) = ended($old);
is $code, 0, 'an old one behind a door keeps its own' or diag $tap;
like $tap, qr/without the header it is refused \(401\)/, '... which is locked';
like $tap, qr/skip progress_state: this version has none/,
    '... and what it lacks is said';
is scalar(grep { $_->{path} eq '/interrupt' } $old->{fake}->requests), 0,
    '... without an interrupt of anybody';

($code, $tap) = ended($poor);
isnt $code, 0, 'one without a node does not';
like $tap, qr/^not ok \d+ - .object_info knows/m, '... and that is said';

my $wrong = { fake => $fake, log => "$fake->{dir}/wrong", pid =>
    Podi::Proc::spawn(log => "$fake->{dir}/wrong", cmd => [
        "$ROOT/build.sh", 'conformance', 'comfyui', 'gpu-1']) };
($code, $tap) = ended($wrong);
is $code, 2, 'a wrong use is told';
like $tap, qr/^usage: /, '... how it is used';


sub decoded_history
{
    my ($run) = @_;

    return Podi::Comfy::Client->new($run->{fake}->url)->get('/history')->{json};
}

$fake->stop;
done_testing;
