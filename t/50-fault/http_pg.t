# PostgreSQL on a bad day, as a client of nginx sees it: 503 with Retry-After
# while it lasts, work as before when it is over, nothing restarted.

use strict;
use warnings;
use POSIX ();
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

# another server, and one whose points it moves
my $shop = $s->member('shopserver', points => 1000);
$s->sql("update podi.users set role = 'service' where user_id = ?",
        $shop->{user});
$shop->{token} = $s->token($shop, rol => 'service');

# a task that has ended
my $who = { tenant => $s->{tenant_id}, user => $id };
my $done = $w->submit($who, inputs => [$pic], actions => ['thumbnail']);
my $job = $w->claim_task($done)->[0];
$w->settle($job, 'failed');
my $task = "/v1/tasks/$done->{task_id}";
$job = "/v1/jobs/$job->{job_id}";

my ($pid) = $s->nginx->pid;
my @workers = sort $s->nginx->workers;


sub submit
{
    my ($key) = @_;

    return $s->post('/v1/tasks', as => $ann, key => $key, json => {
        inputs => [$pic], actions => [ { action => 'image.thumbnail' } ] });
}


# a server's own; what it was refused or not told may have been done
my $move = 0;

sub move
{
    my ($verb, %more) = @_;

    $move++;
    return $s->post("/v1/wallet/$verb", as => $shop, key => "$$-$move",
                    json => { ref => "$$-$move", amount => 1, %more });
}


# each kind of route, each with its own first wait
my %ASK = (
    wallet  => sub { $s->get('/v1/wallet', as => $ann) },
    entries => sub { $s->get('/v1/wallet/entries', as => $ann) },
    me      => sub { $s->get('/v1/me', as => $ann) },
    tasks   => sub { $s->get('/v1/tasks', as => $ann) },
    actions => sub { $s->get('/v1/actions', as => $ann) },
    statement => sub { $s->get('/v1/wallet/statement', as => $ann) },
    balance => sub { $s->get('/v1/wallet/balance?seq=1', as => $ann) },
    export  => sub { $s->get('/v1/wallet/export', as => $ann) },
    alert   => sub { $s->put('/v1/wallet/alert', as => $ann,
                             json => { threshold => 5 }) },
    freeze  => sub { move(freeze => user_id => $shop->{user}, ttl_ms => 60_000) },
    confirm => sub { move(confirm => ()) },
    release => sub { move(release => ()) },
    batch   => sub { $s->post('/v1/tasks/batch', as => $ann, json => {
        orders => [ { inputs => [$pic],
                      actions => [ { action => 'image.thumbnail' } ] } ] }) },
    stop    => sub { $s->get("/v1/tasks/$id/cancel", as => $ann) },
    retry   => sub { $s->post("/v1/tasks/$id/retry", as => $ann) },
    receipt => sub { $s->get("$task/receipt", as => $ann) },
    job     => sub { $s->get($job, as => $ann) },
    log     => sub { $s->get("$job/log", as => $ann) },
    explain => sub { $s->get("$job/explain", as => $ann) },
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


# what they answer when all is well, when it is not 200
my %WELL = (submit => 201, register => 201, freeze => 201, cancel => 404,
            stop => 404, retry => 404, confirm => 404, release => 404);

# the routes of tasks, jobs and wallets that need no order among themselves
my @MORE = qw( statement balance export alert freeze confirm release batch stop
               retry receipt job log explain );


# asked side by side, each by a process of its own: name => its answer
sub together
{
    my @wait = map {
        my $name = $_;
        my $kid = open(my $in, '-|') // die "fork: $!";

        if (!$kid) {
            my $res = $ASK{$name}->();
            print join ' ', $res->status, $res->header('retry-after') // '';
            close STDOUT;
            POSIX::_exit(0);
        }
        [ $name, $in ];
    } @_;

    return map { my ($name, $in) = @$_; $name => <$in> } @wait;
}


sub all_pass_or
{
    my ($what, @good) = @_;
    my %said = together(@MORE);

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    for my $name (@MORE) {
        my $well = $WELL{$name} // 200;
        like $said{$name}, @good ? qr/^(?:503 [1-9]\d*|$well )$/
                                 : qr/^503 [1-9]\d*$/, "$what: $name";
    }
    return;
}


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
all_pass_or('refused');
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
all_pass_or('silent');
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
is $ASK{$_}->()->status, $WELL{$_} // 200, "slow: $_" for sort keys %ASK;
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

$cutter->say('cut-after 1');
all_pass_or('cut', 'or well');
$cutter->say('pass');
recovers('cut');

# --- the server dies and comes back

$s->pg->kill;
at_once("dead: $_", $ASK{$_}) for qw( tasks login );
$s->pg->start;
$s->{db}{$_} = undef for qw( super ctl web worker );
recovers('started again');
is submit('after')->status, 201, 'tasks are taken';

# --- what was frozen is what was asked

is $s->get('/v1/wallet', as => $ann)->json->{frozen},
    $s->sql('select sum(price) from podi.task_header where ended_at is null'),
    'nothing was frozen twice';
is $s->nginx->pid, $pid, 'nginx was never restarted';

$s->allow_errors(qr/podi: PostgreSQL/);
$s->done;
done_testing;
