#!/usr/bin/perl
#
# demo.pl DIR: PODI's main job over HTTPS, as a page would do it
#
#     register -> login -> grant -> stream -> upload x2 -> task of 3 actions
#     -> events as they come -> download x6 -> pixels -> wallet -> trace
#
# DIR holds the pictures (build.sh made them) and gets results/.  From the
# environment: PODI_URL, PODI_CA, PODI_TENANT, PODI_CTL, PODI_CTL_CONF.
# Needs curl and vips; the token reaches curl on its standard input only.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use DemoClient;
use JSON::PP;

my $GRANT = 100;
my $DIFFERENCE = 6;         # mean, of 255; a picture on its side has 40

my $dir = shift // die "usage: demo.pl DIR\n";
my $run = DemoClient::random_hex(6);

my @PICTURES = (
    { file => 'one.jpg', type => 'image/jpeg', upright => 'one.upright.jpg',
      width => 3264, height => 2448 },
    { file => 'two.png', type => 'image/png', upright => 'two.upright.jpg',
      width => 1544, height => 1028 },
);

my @ACTIONS = (
    { action => 'image.resize', params => { width => 1200 } },
    { action => 'image.convert',
      params => { format => 'webp', quality => 80 } },
    { action => 'image.thumbnail', params => { size => 320 } },
);

$| = 1;
mkdir "$dir/results";

my $client = DemoClient->new($ENV{PODI_URL}, $ENV{PODI_CA});

sign_up();
grant();

my $before = wallet('wallet before');

$client->listen('/v1/events', \&show_event);
upload($_) for @PICTURES;

my $task = submit();
my @results = download(watch($task));

check($_) for @results;

my $after = wallet('wallet after');
balance($before, $after, $task);
$client->hang_up;

say_line('trace', $task->{trace_id});
print "demo: ok task=$task->{task_id} result=$results[0]{path}\n";


sub say_line {
    my ($what, $text) = @_;

    printf "   %-14s %s\n", $what, $text;
}


sub stage {
    print "== $_[0]\n";
}


sub sign_up {
    my %who = (login => "demo-$run",
               password => DemoClient::random_hex(16));

    stage('signing up over HTTPS');

    my $user = $client->call(201, POST => '/v1/auth/register',
                             { %who, display_name => 'Demo' });
    my $login = $client->call(200, POST => '/v1/auth/login', \%who);
    $client->token($login->{access_token});

    my $me = $client->call(200, GET => '/v1/me');
    say_line('user', "$me->{login} ($me->{user_id})");
    say_line('tenant', "$me->{tenant}, $me->{identity_source} account,"
             . " token for $login->{expires_in} s");
}


sub grant {
    my @ctl = ($ENV{PODI_CTL}, '-c', $ENV{PODI_CTL_CONF});

    stage("granting $GRANT points");
    open my $out, '-|', @ctl, qw(wallet grant), $ENV{PODI_TENANT},
        "demo-$run", $GRANT, '--ref', "demo-$run"
        or die "podictl: $!\n";
    say_line('podictl', $_) for map { chomp; $_ } <$out>;
    close $out or die "podictl wallet grant failed\n";
}


sub wallet {
    my ($what) = @_;
    my $w = $client->call(200, GET => '/v1/wallet');

    say_line($what, "$w->{available} available, $w->{frozen} frozen");

    return $w;
}


sub upload {
    my ($picture) = @_;
    my $path = "$dir/$picture->{file}";
    my $bytes = -s $path;

    stage("uploading $picture->{file}"
          . " ($picture->{width}x$picture->{height}, $bytes bytes)");

    my $list = $client->call(201, POST => '/v1/media/uploads', { items => [
        { name => $picture->{file}, type => $picture->{type},
          bytes => $bytes } ] });
    my $item = $list->{items}[0];

    $picture->{id} = $item->{media_id};
    $client->put($item->{upload}, $path);
    $client->call(200, POST => "/v1/media/$picture->{id}/complete", {});

    my $event = $client->wait_event(60, sub {
        $_[0]{type} =~ /^media\.(ready|rejected)$/
            && ($_[0]{data}{media_id} // '') eq $picture->{id} });

    die "the upload was rejected\n" if $event->{type} ne 'media.ready';
}


sub submit {
    my $price = 0;
    my $actions = $client->call(200, GET => '/v1/actions');
    my %prices = map { $_->{action} => $_->{price} } @{ $actions->{items} };

    $price += $prices{$_->{action}} * @PICTURES for @ACTIONS;

    stage('submitting one task: ' . join(', ', map { $_->{action} } @ACTIONS)
          . ' over ' . @PICTURES . " pictures for $price points");

    my $task = $client->call(201, POST => '/v1/tasks', {
        inputs => [ map { $_->{id} } @PICTURES ],
        actions => \@ACTIONS,
        expected_price => $price,
    });

    die "the price is $task->{price}, not $price\n"
        if $task->{price} != $price;

    say_line('task', "$task->{task_id}, $task->{jobs_total} jobs");

    return $task;
}


# Until the task's own last event has come.
sub watch {
    my ($task) = @_;

    my $event = $client->wait_event(120, sub {
        ($_[0]{task_id} // '') eq $task->{task_id}
            && $_[0]{type} =~ /^task\.(succeeded|partial|failed|cancelled)$/
    });

    my $now = $client->call(200, GET => "/v1/tasks/$task->{task_id}");

    if ($event->{type} ne 'task.succeeded') {
        say_line($_->{action}, $_->{error_code} . ': '
                 . ($_->{error_detail} // '')) for grep { $_->{error_code} }
            @{ $now->{jobs} };
        die "the task ended as $event->{type}\n";
    }

    return $now;
}


sub show_event {
    my ($event) = @_;
    my $data = { %$event, %{ $event->{data} // {} } };
    my @words = map { defined $data->{$_} && !ref $data->{$_}
                      ? "$_=$data->{$_}" : () }
        qw(action name progress error_code charged amount available frozen
           jobs price);

    printf "   %-14s #%s %s\n", $event->{type}, $event->{seq} // '-', "@words";
}


sub download {
    my ($task) = @_;
    my %job = map { $_->{job_id} => $_ } @{ $task->{jobs} };
    my @results;

    stage('downloading ' . @{ $task->{results} } . ' results');

    for my $media (@{ $task->{results} }) {
        my $link = $client->call(200, GET =>
                                 "/v1/media/$media->{media_id}/download");
        my ($picture) = grep { $_->{id} eq $media->{parents}[0] } @PICTURES;
        my ($ending) = $media->{type} =~ m{/(\w+)$};
        my ($base) = $picture->{file} =~ /^(\w+)/;
        my $action = $job{$media->{job_id}}{action};
        my $path = "$dir/results/$base-$action.$ending";

        $client->fetch($link->{url}, $path);
        die "$path does not have its digest\n"
            if DemoClient::sha256($path) ne $media->{sha256};
        push @results, { path => $path, picture => $picture,
                         action => $action, media => $media };
    }

    die "there are not 6 results\n" if @results != @ACTIONS * @PICTURES;

    return sort { $a->{path} cmp $b->{path} } @results;
}


# Size, format, upright, no place: looked up in the file, not in the answer.
sub check {
    my ($result) = @_;
    my ($picture, $path) = @$result{qw(picture path)};
    my %fields = DemoClient::vips_fields($path);
    my ($width, $height) = expected($result);

    my $size = "$fields{width}x$fields{height}";
    my $loader = $fields{'vips-loader'};
    my $differs = DemoClient::difference("$dir/$picture->{upright}", $path);

    say_line((split m{/}, $path)[-1], sprintf
             '%s %s, differs by %.1f of 255', $size, $loader, $differs);

    die "$path is $size, not ${width}x$height\n"
        if abs($fields{width} - $width) > 1
           || abs($fields{height} - $height) > 1;
    die "$path is not upright\n"
        if ($fields{orientation} // 1) != 1 || $differs > $DIFFERENCE;
    die "$path still says where it was taken\n"
        if grep { /gps/i } keys %fields;
    die "$path is no WebP ($loader)\n"
        if $result->{action} eq 'image.convert' && $loader !~ /^webp/;
}


sub expected {
    my ($result) = @_;
    my ($width, $height) = @{ $result->{picture} }{qw(width height)};
    my $scale = $result->{action} eq 'image.resize' ? 1200 / $width
              : $result->{action} eq 'image.thumbnail' ? 320 / $width
              : 1;

    return (int($width * $scale + 0.5), int($height * $scale + 0.5));
}


sub balance {
    my ($before, $after, $task) = @_;
    my $paid = $before->{available} - $after->{available};
    my $entries = $client->call(200, GET =>
        "/v1/wallet/entries?task_id=$task->{task_id}&limit=50");
    my %n;

    $n{$_->{type}}++ for @{ $entries->{items} };
    say_line('entries', join ', ', map { "$n{$_} $_" } sort keys %n);

    die "$paid points are gone, $task->{price} was the price\n"
        if $paid != $task->{price} || $after->{frozen} != 0;
}
