# PostgreSQL on a bad day, as a client of nginx sees it: 503 with Retry-After
# while it lasts, work as before when it is over, nothing restarted.

use strict;
use warnings;
use Podi::Cutter;
use Podi::Proc qw( poll );
use Podi::Stack::Files;
use Podi::Work;
use Test::More;
use Podi::Stack;

my $s;
$s = Podi::Stack->new(server => "podi_deadline 700ms;\n", rewrite => sub {
    my ($file, $text) = @_;
    my $cut = $s->dir . '/cut';

    $text =~ s{host=\S+/sock\b}{host=$cut} if $file eq 'podi-http.conf';
    return $text;
});

$s->start('pg', 'redis');
my $dir = $s->dir . '/cut';
mkdir $dir;
my $cutter = Podi::Cutter->start(
    listen   => "$dir/.s.PGSQL.5432",
    upstream => "$s->{pg}{dir}/sock/.s.PGSQL.5432",
    control  => "$s->{dir}/cut.ctl");
chmod 0777, "$dir/.s.PGSQL.5432";
$s->start('nginx');

my $w = Podi::Work->new($s->db);
my $ann = $s->register('annie');
$s->login($ann);
$s->grant($ann, 1000);
my ($id) = map { $_->{user_id} } $s->sql('select user_id from podi.users'
                                         . " where login = 'annie'");
my $pic = $w->media({ tenant => $s->{tenant_id}, user => $id });
my ($pid) = $s->nginx->pid;
my @workers = sort $s->nginx->workers;


sub submit
{
    my ($key) = @_;

    return $s->post('/v1/tasks', as => $ann, key => $key, json => {
        inputs => [$pic], actions => [ { action => 'image.thumbnail' } ] });
}


# each kind of route, each with its own first wait
my %ASK = (
    wallet  => sub { $s->get('/v1/wallet', as => $ann) },
    entries => sub { $s->get('/v1/wallet/entries', as => $ann) },
    me      => sub { $s->get('/v1/me', as => $ann) },
    tasks   => sub { $s->get('/v1/tasks', as => $ann) },
    actions => sub { $s->get('/v1/actions', as => $ann) },
    quote   => sub { $s->post('/v1/tasks/quote', as => $ann, json => {
        inputs => [$pic], actions => [ { action => 'image.thumbnail' } ] }) },
    submit  => sub { submit(undef) },
    cancel  => sub { $s->post("/v1/tasks/$id/cancel", as => $ann) },
    login   => sub { $s->post('/v1/auth/login', json => {
        login => 'annie', password => $ann->{password} }) },
    register => sub { $s->post('/v1/auth/register', json => {
        login => 'bobby', password => 'a good password' }) },
    refresh => sub { $s->post('/v1/auth/refresh', headers => {
        Cookie => "__Secure-podi_rt=$ann->{cookie}{'__Secure-podi_rt'}" }) },
);


sub passing
{
    my ($res, $what) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is $res->status, 503, $what;
    like $res->header('retry-after') // '', qr/^[1-9]\d*$/, 'with Retry-After';
    return $res;
}


# known to be down: said by the engine, long before podi_deadline, which would
# be another code
sub at_once
{
    my ($what, $ask) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    poll(10, sub { $ask->()->code eq 'unavailable' });  # it has been tried
    is passing($ask->(), $what)->code, 'unavailable', 'without waiting';
}


# every connection of every worker is back: a row of good answers
sub steady
{
    my $row = 0;

    return poll(20, sub {
        $row = $s->get('/v1/wallet', as => $ann)->status == 200 ? $row + 1 : 0;
        return $row >= 16;
    });
}


sub recovers
{
    my ($what) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok steady(), "$what: it recovers";
    is_deeply [ sort $s->nginx->workers ], \@workers, 'with the same workers';
}


# --- refused

$cutter->say('refuse');
$cutter->say('reset');
at_once("refused: $_", $ASK{$_}) for qw( wallet submit login refresh );
is $s->get('/v1/auth/methods')->status, 200, 'what needs no database answers';
is $s->get('/healthz')->status, 200, 'and the process lives';
$cutter->say('pass');
chmod 0777, "$dir/.s.PGSQL.5432";
recovers('refused');

# --- silent: taken, and never answered

$cutter->say('stall');
for my $name (qw( entries cancel )) {
    passing($ASK{$name}->(), "silent: $name");
}
$cutter->say('pass');
recovers('silent');

# what was asked in the silence may have been done: asking again tells
my $before = $s->sql('select count(*) from podi.task_header');
$cutter->say('stall');
passing(submit('silent-1'), 'a task asked in the silence');
$cutter->say('pass');
recovers('silence over');
like submit('silent-1')->status, qr/^20[01]$/, 'the same key again';
is submit('silent-1')->status, 200, 'and again';
is $s->sql('select count(*) from podi.task_header'), $before + 1,
    'is one task';

# --- slow

$cutter->say('delay 60');
is $ASK{$_}->()->status, { submit => 201, register => 201 }->{$_} // 200,
    "slow: $_" for grep { $_ ne 'cancel' } sort keys %ASK;
$cutter->say('pass');
is $ASK{register}->()->code, 'login_taken', 'the account is there';

# --- cut in the middle of an answer

for my $bytes (1, 40) {
    $cutter->say("cut-after $bytes");
    my $res = submit("cut-$bytes");
    $cutter->say('pass');

    passing($res, "cut after $bytes bytes") if $res->status != 201;
    ok steady(), 'it recovers';
    my $first = submit("cut-$bytes");
    my $again = submit("cut-$bytes");
    is $again->status, 200, 'the same key: made, once';
    is $again->json->{task_id}, $first->json->{task_id}, 'the same task';
}

# --- the server dies and comes back

$s->pg->kill;
at_once("dead: $_", $ASK{$_}) for qw( tasks login );
$s->pg->start;
$s->{db}{$_} = undef for qw( super ctl web worker );
recovers('started again');
is submit('after')->status, 201, 'tasks are taken';

# --- what was frozen is what was asked

is $s->get('/v1/wallet', as => $ann)->json->{frozen},
    $s->sql('select sum(price) from podi.task_header'),
    'nothing was frozen twice';
is $s->nginx->pid, $pid, 'nginx was never restarted';

$s->allow_errors(qr/podi: PostgreSQL/);
$s->done;
done_testing;
