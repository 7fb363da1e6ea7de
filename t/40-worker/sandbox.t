# PODI_SANDBOX=1 ./build.sh up: what it says is there, and nothing of it
# where there is no sandbox.

use strict;
use warnings;
use Test::More;
use Podi::Door qw( verb );
use Podi::Proc qw( poll );
use Podi::Repo qw( root );
use lib root() . '/conf/stack';
use DemoClient;

plan skip_all => 'needs the stack of ./build.sh test'
    if !$ENV{PODI_TEST_STACK};

my @STATES = qw( cancelled failed partial queued running succeeded );
my ($status, $said, $progress) = verb('up', PODI_SANDBOX => 1);

is $status, 0, 'a stack becomes a sandbox' or diag $progress;
my ($url) = $said =~ /^sandbox: (\S+)$/m;
my ($ca) = $said =~ /^CA: +(\S+)$/m;
my %who = reverse map { /^(admin|user): +(\S+  \S+)$/ ? ($1, $2) : () }
    split /\n/, $said;

is_deeply [sort values %who], [qw( admin user )], 'with two accounts';

for my $who (sort keys %who) {
    my ($login, $password) = split ' ', $who;
    my $client = client($login, $password);
    my %state = map { $_->{state} => 1 }
        @{ $client->call(200, GET => '/v1/tasks')->{items} };

    is_deeply [sort keys %state], \@STATES, "$login: a task in every state";
    ok @{ $client->call(200, GET => '/v1/media?kind=result')->{items} },
        'results';
    my $wallet = $client->call(200, GET => '/v1/wallet');
    ok $wallet->{available} > 0 && $wallet->{frozen} > 0, 'points, some frozen';
    is $client->call(200, GET => '/v1/me')->{role}, $who{$who}, 'its role';
    is_deeply [$client->call($who{$who} eq 'admin' ? 200 : 403,
                             GET => '/v1/admin/comfy/servers')->{items}],
        [$who{$who} eq 'admin' ? [] : undef],
        'the administrator runs the installation';
}

my ($first) = sort keys %who;
my $client = client(split ' ', $first);
my $media = $client->call(200, GET => '/v1/media?kind=upload')
    ->{items}[0]{media_id};

is job('mock.fail', code => 'picture_too_large')->{error_code},
    'picture_too_large', 'a mock fails as it is told';
is job('mock.slow', seconds => 1)->{state}, 'succeeded', 'or takes its time';
is wished('insufficient_points'), 402, 'an answer is wished for';

my ($again, $same) = verb('up', PODI_SANDBOX => 1);

is "$again $same", "0 $said", 'up again says the same';

($status, undef, $progress) = verb('up', PODI_SANDBOX => 0);
is $status, 0, 'and it is none any more' or diag $progress;
ok poll(20, sub { wished('insufficient_points') == 400 }),
    'where wishes are refused';
ok !eval { order('mock.ok'); 1 }, 'and mocks cannot be ordered';
like $@, qr/unknown_action/, 'as there are none';
($first) = grep { $who{$_} eq 'admin' } keys %who;
ok !eval { client(split ' ', $first)->call(200,
               GET => '/v1/admin/comfy/servers'); 1 },
    'nor does its administrator run the installation';
like $@, qr/forbidden/, 'any more';

done_testing;


sub client
{
    my ($login, $password) = @_;
    my $client = DemoClient->new($url, $ca);

    $client->token($client->call(200, POST => '/v1/auth/login',
        { login => $login, password => $password })->{access_token});
    return $client;
}


sub order
{
    my ($action, %params) = @_;

    return $client->call(201, POST => '/v1/tasks', { inputs => [$media],
        actions => [ { action => $action, params => \%params } ] });
}


sub job
{
    my $task = order(@_);
    my $now;

    poll(30, sub {
        $now = $client->call(200, GET => "/v1/tasks/$task->{task_id}");
        $now->{state} =~ /^(?:succeeded|failed)$/;
    });
    return $now->{jobs}[0];
}


# the status of an answer that is wished for
sub wished
{
    my ($code) = @_;
    my ($got) = $client->request(url => "$url/v1/wallet",
        header => "Authorization: Bearer $client->{token}",
        header => "X-Podi-Mock: $code");

    return $got;
}
