# docs/tutorial-provider.md, followed to its end: its files as they stand there,
# a task through nginx, and the picture.

use strict;
use warnings;
use lib 't/lib';

use JSON::PP ();
use Test::More;
use Podi::Proc qw(poll);
use Podi::Provider;
use Podi::Repo qw(slurp);
use Podi::Stack;
use Podi::Stack::Files;

my $json = JSON::PP->new->canonical->utf8;
my $page = slurp('docs/tutorial-provider.md');
my %file = $page =~ /<!-- file: (\S+) -->\n```\w+\n(.*?)^```/gms;
my ($commands) = $page =~ /<!-- commands: service -->\n```sh\n(.*?)^```/ms;
my $fake = Podi::Provider->new;

is_deeply [sort keys %file], [qw(action.json paintbox.json queue.json task.json
    workers.conf)], 'the files of the page';

my $s = Podi::Stack->new(
    daemons => [qw(podi_dispatchd podi_runnerd:paintbox)],
    rewrite => sub {
        my ($name, $text) = @_;

        return $text if $name ne 'workers.conf';
        $text =~ s/^(\[podi_runnerd\]\n)/$1providers_private = on\n/m;
        return $text . "\n" . $file{'workers.conf'};
    });
my $dir = $s->dir;


# of the page, in the way of the one that is played
sub description
{
    my ($text) = @_;
    my $base = $fake->url('/paintbox');

    ok $text =~ s{https://api\.paintbox\.example}{$base}, 'its address';
    ok $text =~ s{"\.paintbox\.example"}{"127.0.0.1"}, 'its results';
    return $text;
}


sub written
{
    my ($path, $text, $mode) = @_;

    utf8::encode($text) if utf8::is_utf8($text);
    Podi::Stack::Files::write_file($path, $text, $mode // 0640);
    Podi::Stack::Files::own(Podi::Stack::Files::web_user(), $path);
    return;
}


mkdir "$dir/conf/providers";
mkdir "$dir/tmp";
Podi::Stack::Files::own(Podi::Stack::Files::web_user(), "$dir/tmp",
                        "$dir/conf/providers");
written("$dir/conf/providers/paintbox.json",
        description($file{'paintbox.json'}));
$s->start(qw(pg redis nginx podi_dispatchd));
written("$dir/keys/kek", 'ab' x 32, 0600);

written("$dir/$_", $file{$_}) for grep { /json$/ } keys %file;
written("$dir/key.json", '{"secret": "test-key"}');
for my $command (split /\n/, $commands) {
    my $ctl = "$dir/bin/podictl -c $dir/conf/workers.conf";

    Podi::Stack::Files::write_workers($s);
    like $command, qr/^CTL /, $command;
    is system('sh', '-c', "cd $dir && $ctl " . substr($command, 4)
              . ' > out 2>&1'), 0, '... is done' or diag slurp_out();
}

$s->start('podi_runnerd:paintbox');
my $ann = $s->user('ann', points => 20);
my $task = $s->post('/v1/tasks', as => $ann,
                    json => $json->decode($file{'task.json'}));

is $task->status, 201, 'the task is taken' or diag $task->text;
my $id = $json->decode($task->body)->{task_id};
my $now;

poll(30, sub {
    $now = $json->decode($s->get("/v1/tasks/$id", as => $ann)->body);
    return $now->{state} !~ /queued|running/;
});
is $now->{state}, 'succeeded', 'and done' or diag $json->encode($now);
is scalar(@{ $now->{results} }), 1, 'with a picture';

my $link = $s->get("/v1/media/$now->{results}[0]{media_id}/download",
                   as => $ann);

is $link->status, 200, 'there is a link' or diag $link->text;
my $picture = $s->get($json->decode($link->body)->{url});

is $picture->status, 200, 'which gives' or diag $picture->text;
like $picture->body, qr/^\x89PNG\r\n/, 'the picture';

my ($asked) = grep { ($_->{step} // '') eq 'submit' } $fake->log;

is_deeply $json->decode($asked->{body}), { text => 'a "quoted" {{cat}}',
    style => 'ink', size => { w => 512, h => 512 } },
    'paintbox was asked as its documentation says';
is $asked->{header}{authorization}, 'Bearer test-key', 'with the key';
is $s->get('/v1/wallet', as => $ann)->status, 200, 'the wallet';
is $json->decode($s->get('/v1/wallet', as => $ann)->body)->{available}, 12,
    'it has cost what was quoted';

# it keeps its connection to the store, for the next job
$s->part('podi_runnerd:paintbox')->stop;
$s->done;
done_testing;


sub slurp_out
{
    open my $in, '<', "$dir/out" or return '';
    local $/;
    return <$in>;
}
