# podictl comfy workflow dry-run: what would be sent, who could run it, and one
# run of it that is nobody's job.

use strict;
use warnings;
use lib 't/lib';

use File::Copy qw( copy );
use JSON::PP ();
use Test::More;
use Podi::Comfy;
use Podi::Hands;
use Podi::Picture;
use Podi::Proc qw( poll );
use Podi::Repo ();

my $json = JSON::PP->new->canonical;
my $p = Podi::Picture->new;
my $photo = $p->corners('png', width => 40, height => 30);
my $h = Podi::Hands->new;
my $fake = Podi::Comfy->start(auth => { header => ['X-Key', 'open sesame'] });
my $out = "$h->{dir}/out";
my $kek = $p->write('kek', 'ab' x 32);
my $conf = $h->conf('podictl', kek_file => $kek,
    pg => $h->{pg}->conninfo('podi_ctl', $h->{db}{name}));
my $ctl = $h->{db}{ctl};
my $worker = $h->{db}->login('podi_worker');

my %graph = (
    1 => { class_type => 'LoadImage', inputs => { image => 'x.png' } },
    2 => { class_type => 'PodiSlow', inputs => {
           image => ['1', 0], steps => 1, delay_ms => 0, seed => 0,
           mode => 'ok' } },
    3 => { class_type => 'SaveImage', inputs => {
           images => ['2', 0], filename_prefix => 'ComfyUI' } },
);
my %mapping = (
    params  => { steps => [{ node => '2', input => 'steps',
                             type => 'integer' }],
                 delay => [{ node => '2', input => 'delay_ms',
                             type => 'integer' }],
                 mode  => [{ node => '2', input => 'mode',
                             type => 'string' }] },
    inputs  => [{ node => '1', input => 'image' }],
    outputs => [{ node => '3' }],
    seed    => [{ node => '2', input => 'seed' }],
);
my %cards = (
    LoadImage => { required => ['image'] },
    PodiSlow  => { required => [qw( image steps delay_ms seed mode )] },
    SaveImage => { required => [qw( images filename_prefix )] },
);

mkdir $out;
chmod 0600, $kek;


sub put
{
    my ($function, $row) = @_;

    return $ctl->one(undef, "select * from sys.$function(?)",
                     $json->encode($row));
}


sub seen
{
    my ($server, %row) = @_;

    return $worker->value(undef, 'select sys.comfy_seen_put(?)',
                          $json->encode({ server => $server, ok => \1, %row }));
}


# exit code, the lines that are JSON, and the rest
sub dry
{
    my (@word) = @_;
    my @line = split /\n/, Podi::Pg::run_quiet("$h->{build}/bin/podictl",
        '-c', $conf, qw( comfy workflow dry-run ), @word);
    my $code = $? >> 8;

    return ($code, [map { JSON::PP::decode_json($_) } grep { /^\{/ } @line],
            join "\n", grep { !/^\{/ } @line);
}


# of the fake, after what was there before
sub asked
{
    my ($from) = @_;
    my @all = map { "$_->{method} " . $_->{path} =~ s{[0-9a-f-]{36}}{ID}r
                    =~ s/\?.*//r } $fake->requests;

    return join ', ', @all[$from .. $#all];
}

sub key
{
    my (@word) = @_;

    return system "echo open sesame | $h->{build}/bin/podictl -c $conf key"
                  . " @word >/dev/null";
}

put('comfy_workflow_put', { workflow => 'slow', graph => \%graph,
                            mapping => \%mapping });

subtest 'what would be sent' => sub {
    my ($code, $said, $text) = dry('slow');

    is $code, 1, 'a server is missing';
    like $text, qr/bad_field.*server/, 'and that is said';

    is key('add comfyui main'), 0, 'a key';
    put('comfy_server_put', { server => 'one', url => $fake->url,
        auth => { headers => { 'X-Key' => 'main' } } });
    ($code, $said, $text) = dry('slow');
    like $text, qr/no active server has said/, 'one that said nothing yet';
    seen('one', nodes => \%cards);

    ($code, $said) = dry('slow@1', '--params', '{"steps": 7, "other": 1}');
    my ($sends, $fits) = @$said;
    my $body = $sends->{sends};

    is $code, 0, 'one that can';
    is "$sends->{workflow} $sends->{version}", 'slow 1', 'which workflow it is';
    is $body->{prompt}{2}{inputs}{steps}, 7, 'parameters are where they go';
    is_deeply $sends->{unused}, ['other'], 'and one that goes nowhere is told';
    like $body->{prompt}{1}{inputs}{image},
        qr{^podi/$body->{prompt_id}/in1\.png$}, 'and inputs';
    is $body->{prompt}{3}{inputs}{filename_prefix},
        "podi/$body->{prompt_id}/out", 'and names';
    is_deeply [@{$fits}{qw( server fits lacks )}],
        ['one', JSON::PP::true, []], 'the server fits';
    is scalar(() = $fake->requests), 0, 'and was not asked for anything';
};

subtest 'what is wrong with it' => sub {
    my $refused = sub {
        my ($what, $why, @word) = @_;
        my ($code, $said, $text) = dry(@word);

        is $code, 1, $what;
        like $text, $why, 'is refused with the reason';
    };

    $refused->('a parameter', qr/bad_field.*params\.steps/s, 'slow',
               '--params', '{"steps": "many"}');
    $refused->('no parameters', qr/bad_field.*params/s, 'slow',
               '--params', '[1]');
    $refused->('two inputs', qr/bad_field.*1 pictures are wanted, and 2/s,
               'slow', $photo, '--input', $photo);
    $refused->('an input that is none', qr/no file that can be read/, 'slow',
               '--input', '/nowhere');
    $refused->('a workflow', qr/not_found/, 'none');
    $refused->('a version', qr/not_found/, 'slow@7');
    $refused->('no version', qr/bad_field.*version/s, 'slow@x');
    $refused->('a server', qr/bad_field.*no such server/s, 'slow', '--server',
               'two', '--input', $photo);
    $refused->('a directory', qr/bad_field.*out/s, 'slow', '--server', 'one',
               '--input', $photo, '--out', '/nowhere');

    seen('one', nodes => { %cards, PodiSlow => { required => [qw( model )] } });
    $refused->('an input of a node',
               qr/bad_field.*PodiSlow wants a model.*graph\.2\.inputs\.model/s,
               'slow');
    seen('one', nodes => { map { $_ => $cards{$_} } qw( LoadImage SaveImage ) });
    $refused->('a node', qr/no node PodiSlow.*graph\.2\.class_type/s, 'slow');

    my ($code, $said) = dry('slow');

    is_deeply $said->[1]{lacks}[0], { field => 'graph.2.class_type',
        why => 'it has no node PodiSlow' }, 'all that is lacking is listed';

    put('comfy_workflow_put', { workflow => 'model', mapping => {
            params => { model => [{ node => '2', input => 'ckpt_name',
                                    type => 'string' }] },
            outputs => [{ node => '2' }] },
        graph => { 2 => { class_type => 'Loader',
                          inputs => { ckpt_name => 'a.safetensors' } } } });
    seen('one', nodes => { %cards, Loader => { required => ['ckpt_name'] } },
         models => { ckpt_name => ['a.safetensors'] });
    is +(dry('model'))[0], 0, 'a model that is there';
    $refused->('one that a parameter names',
               qr/no model b\.safetensors.*graph\.2\.inputs\.ckpt_name/s,
               'model', '--params', '{"model": "b.safetensors"}');
};

subtest 'really' => sub {
    my @run = ('slow', '--server', 'one', '--out', $out, '--input', $photo);
    my $from = () = $fake->requests;
    my ($code, $said, $text) = dry(@run);

    is $code, 0, 'it is run' or diag $text, $json->encode($said);
    like asked($from), qr{^POST\ /upload/image,\ POST\ /prompt,
        (?:\ GET\ /history/ID,)+\ GET\ /view,\ POST\ /history$}x,
        'once, and taken out of the history';
    my ($file) = map { $_->{file} // () } @$said;

    like Podi::Picture::bytes("$out/" . ($file // '')), qr/^\x89PNG.*IEND/s,
        'and what was made is here';
    is $h->{db}->super->value(undef, 'select count(*) from podi.task_header'),
        0, 'it is nobody\'s task';

    $fake->fake(error => { node => '2', message => 'no luck', times => 1 });
    $from = () = $fake->requests;
    ($code, $said, $text) = dry(@run);
    is $code, 1, 'a node that fails';
    like $text, qr/executor_failed.*node 2 \(PodiSlow\): no luck/s, 'is named';
    like asked($from), qr{POST /history$}, 'and forgotten there, too';

    $fake->fake(other_id => { as => 'own-1', times => 1 });
    $from = () = $fake->requests;
    ($code, $said, $text) = dry(@run);
    is $code, 0, 'one that the server calls otherwise' or diag $text;
    like asked($from), qr{GET /history/own-1, GET /view, POST /history$},
        'is followed by that name';
    is_deeply [map { $_->{body}{delete} } ($fake->requests('POST', '/history'))[-1]],
        [['own-1']], 'and forgotten';
    $fake->fake(other_id => { as => 'a/b', times => 1 });
    ($code, $said, $text) = dry(@run);
    is $code, 1, 'what is no name';
    like $text, qr/id that is none/, 'is followed by nobody';

    $fake->fake(view => { as => 'expired' });
    ($code, $said, $text) = dry(@run);
    is $code, 1, 'a file that is gone';
    like $text, qr/executor_failed.*could not be fetched/s, 'is told';
    $fake->fake(view => undef);

    $fake->fake(missing => ['PodiSlow']);
    ($code, $said, $text) = dry(@run);
    is $code, 1, 'what the server itself refuses';
    like $text, qr/executor_refused/, 'is refused';
    $fake->fake(missing => []);

    put('comfy_workflow_put', { workflow => 'still', mapping => {
            outputs => [{ node => '2' }], keep_temp => \1 },
        graph => { 1 => { class_type => 'LoadImage',
                          inputs => { image => 'still.png' } },
                   2 => { class_type => 'PreviewImage',
                          inputs => { images => ['1', 0] } } } });
    seen('one', nodes => { %cards, PreviewImage => { required => ['images'] } });
    copy($photo, $fake->dir . '/input/still.png') or die $!;
    $fake->fake(untold => \1);
    is scalar(grep { $_->{file} } @{ (dry('still', @run[1 .. 4]))[1] }), 1,
        "what it has made $_" for 'is here', 'before, too';
    $fake->fake(untold => \0);
    seen('one', nodes => \%cards);

    is key('disable comfyui main'), 0, 'a key that is disabled';
    ($code, $said, $text) = dry(@run);
    is $code, 1, 'lets nobody in';
    like $text, qr/config.*no key main/s, 'and is named';
    is key('add comfyui main'), 0, 'another under its name';
};

subtest 'one that does not end' => sub {
    my @run = ('slow', '--server', 'one', '--out', $out, '--input', $photo,
               '--params', '{"steps": 100, "delay": 100}', '--timeout', 1);

    seen('one', targeted_interrupt => \1);
    my $from = () = $fake->requests;
    my ($code, $said, $text) = dry(@run);

    is $code, 3, 'is given up';
    like $text, qr/deadline.*did not end in time/s, 'with the reason';
    like asked($from), qr{POST\ /queue,\ POST\ /interrupt,
        (?:\ GET\ /history/ID,)+\ POST\ /history$}x,
        'stopped there and forgotten';
    is $fake->state->{queue_remaining}, 0, 'so nothing of it goes on';

    $fake->fake(hang => 1);
    seen('one', targeted_interrupt => \0);
    $from = () = $fake->requests;
    ($code, $said, $text) = dry(@run);
    is $code, 3, 'nor one that waits';
    like asked($from), qr{POST /queue, POST /history$},
        'is left in the queue, and nothing else is stopped';
    is $fake->state->{queue_remaining}, 0, 'it is taken out';

    for my $signal (qw( INT TERM )) {
        my $pid = fork // die "fork: $!";

        if (!$pid) {
            open STDOUT, '>', '/dev/null';
            open STDERR, '>', "$h->{dir}/told";
            exec "$h->{build}/bin/podictl", '-c', $conf,
                qw( comfy workflow dry-run ), @run[0 .. $#run - 1], 60;
        }

        ok poll(20, sub { $fake->state->{queue_remaining} }), 'it waits there';
        kill $signal, $pid;
        waitpid $pid, 0;
        is $? >> 8, 3, "who is told to stop by SIG$signal";
        is $fake->state->{queue_remaining}, 0, '... takes it with him';
        like Podi::Repo::slurp("$h->{dir}/told"), qr/was to be stopped/,
            '... and says so';
    }
};

$fake->stop;
$h->whole;
done_testing;
