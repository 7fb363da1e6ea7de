#!/usr/bin/perl
#
# sandbox.pl PICTURES FILE: two accounts, and something of everything for them
#
#     accounts (passwords in FILE) -> points -> pictures -> tasks:
#     succeeded, failed, partial, cancelled, running, queued
#
# Run again it makes what is not there: a task of each state that none has.
# From the environment: PODI_URL, PODI_CA, PODI_TENANT, PODI_CTL,
# PODI_CTL_CONF.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use DemoClient;
use POSIX qw( strftime );

my $GRANT = 500;
my $FOREVER = 86_000;       # s, of the task that is always running

my ($dir, $file) = @ARGV;
die "usage: sandbox.pl PICTURES FILE\n" if !$file;

my %account = accounts();

for my $login (sort keys %account) {
    my $client = sign_in($login);
    my @media = pictures($client);

    tasks($client, @media);
}

print "sandbox: $ENV{PODI_URL}\n",
    "CA:      $ENV{PODI_CA}\n",
    map { sprintf "%-8s %s  %s\n", $account{$_}{role} . ':', $_,
          $account{$_}{password} } sort keys %account;


# --- accounts ----------------------------------------------------------------

sub accounts {
    my %password = known();
    my %made = map { $_ => { password => $password{$_} } }
        qw( sandbox-admin sandbox-user );

    $made{'sandbox-admin'}{role} = 'admin';
    $made{'sandbox-user'}{role} = 'user';
    remember() if !-e $file;
    return %made;
}


sub known {
    remember() if !-e $file;
    open my $in, '<', $file or die "$file: $!\n";
    return map { split } <$in>;
}


sub remember {
    my $old = umask 077;

    open my $out, '>', $file or die "$file: $!\n";
    umask $old;
    print $out "$_ ", DemoClient::random_hex(9), "\n"
        for qw( sandbox-admin sandbox-user );
    close $out or die "$file: $!\n";
}


sub sign_in {
    my ($login) = @_;
    my $client = DemoClient->new($ENV{PODI_URL}, $ENV{PODI_CA});
    my %who = (login => $login, password => $account{$login}{password});
    my $answer = eval { $client->call(200, POST => '/v1/auth/login', \%who) };

    if (!$answer) {
        $client->call(201, POST => '/v1/auth/register',
                      { %who, display_name => ucfirst $account{$login}{role} });
        control(qw( account role ), $ENV{PODI_TENANT}, $login,
                $account{$login}{role});
        control(qw( wallet grant ), $ENV{PODI_TENANT}, $login, $GRANT,
                '--ref', $login);
        $answer = $client->call(200, POST => '/v1/auth/login', \%who);
    }

    $client->token($answer->{access_token});
    return $client;
}


sub control {
    open my $out, '-|', $ENV{PODI_CTL}, '-c', $ENV{PODI_CTL_CONF}, @_
        or die "podictl: $!\n";
    my @said = <$out>;
    close $out or die "podictl @_[0, 1] failed\n";
}


# --- what they have ----------------------------------------------------------

sub pictures {
    my ($client) = @_;
    my $there = $client->call(200, GET => '/v1/media?kind=upload');
    my @ready = map { $_->{media_id} } grep { $_->{state} eq 'ready' }
        @{ $there->{items} };

    return @ready if @ready >= 2;
    return map { upload($client, @$_) }
        ['one.jpg', 'image/jpeg'], ['two.png', 'image/png'];
}


sub upload {
    my ($client, $name, $type) = @_;
    my $item = $client->call(201, POST => '/v1/media/uploads', { items => [
        { name => $name, type => $type, bytes => -s "$dir/$name" } ] })
        ->{items}[0];

    $client->put($item->{upload}, "$dir/$name");
    $client->call(200, POST => "/v1/media/$item->{media_id}/complete", {});
    until_is($client, "/v1/media/$item->{media_id}", sub {
        die "$name was rejected\n" if $_[0]{state} eq 'rejected';
        $_[0]{state} eq 'ready';
    });
    return $item->{media_id};
}


sub tasks {
    my ($client, $one, $two) = @_;
    my %there = map { $_->{state} => 1 }
        @{ $client->call(200, GET => '/v1/tasks?limit=200')->{items} };
    my %ask = (
        succeeded => [[$one, $two], mock('ok'),
                      { action => 'image.resize', params => { width => 640 } }],
        partial => [[$one], mock('ok'), mock('fail', code => 'store_failed')],
        failed => [[$two], mock('fail')],
        cancelled => [[$one], mock('slow', seconds => $FOREVER)],
        running => [[$one], mock('slow', seconds => $FOREVER)],
        queued => [[$two], mock('ok')],
    );

    for my $state (sort keys %ask) {
        next if $there{$state};
        my ($inputs, @actions) = @{ $ask{$state} };
        my $task = $client->call(201, POST => '/v1/tasks', {
            inputs => $inputs, actions => \@actions,
            $state eq 'queued' ? (start_at => strftime('%Y-%m-%dT%H:%M:%SZ',
                gmtime time + 29 * 86_400)) : () });
        my $path = "/v1/tasks/$task->{task_id}";

        $client->call(200, POST => "$path/cancel", {})
            if $state eq 'cancelled';
        until_is($client, $path, sub { $_[0]{state} eq $state });
    }
}


sub mock {
    my ($what, %params) = @_;

    return { action => "mock.$what", params => \%params };
}


sub until_is {
    my ($client, $path, $is) = @_;

    for (1 .. 300) {
        return if $is->($client->call(200, GET => $path));
        select undef, undef, undef, 0.2;
    }
    die "$path does not come to its state\n";
}
