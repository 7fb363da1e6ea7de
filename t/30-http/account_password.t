# Passwords: the work of argon2id is bounded, is the same for names that do not
# exist, and is renewed when its costs have changed.

use strict;
use warnings;
use Digest::SHA qw( sha256 );
use IO::Socket::INET;
use Podi::Proc qw( poll );
use Podi::Work;
use Test::More;
use Podi::Stack;

my $s = Podi::Stack->new(
    http => "podi_thread_pool threads=1 queue=4;\n")->start;
my $weak = '$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$'
    . 'VDz+wjWVOKUB/srHgQADWkfVMHIj5MWW1moMiLWfnj4';


sub metric
{
    my ($name) = @_;
    my ($value) = $s->get('/metrics')->body =~ /^$name (\d+)$/m;

    return $value;
}


sub login
{
    my ($login, $password) = @_;

    return $s->post('/v1/auth/login', json => {
        login => $login, password => $password });
}


# how much was hashed meanwhile
sub runs
{
    my ($code) = @_;
    my $before = metric('podi_thread_runs_total');

    $code->();
    return metric('podi_thread_runs_total') - $before;
}


sub hash_of
{
    return scalar $s->sql('select password_hash from podi.users'
                          . ' where login = ?', $_[0]);
}


my $ann = $s->register('annie');
my $gone = $s->register('gone1');

# --- equal work

$s->sql("update podi.users set state = 'disabled' where login = 'gone1'");

is runs(sub { login('annie', $ann->{password}) }), 1, 'a right password';
is runs(sub { login('annie', 'a wrong password') }), 1,
    'a wrong one costs as much';
is runs(sub { login('nobody', 'a wrong password') }), 1,
    'a name that does not exist costs as much';
is runs(sub { login('gone1', $gone->{password}) }), 1,
    'a disabled one costs as much';
is runs(sub { $s->post('/v1/auth/register', json => {
    login => 'annie', password => 'a good password' }) }), 1,
    'a name that is taken costs as much as a new one';

my ($costs) = hash_of('annie') =~ /^(\$argon2id\$v=19\$m=\d+,t=\d+,p=\d+\$)/;
my @nobody = do {
    open my $in, '<:raw', $s->dir . '/bin/ngx_http_podi_module.so' or die $!;
    local $/;
    <$in> =~ /(\$argon2id\$v=19\$m=\d+,t=\d+,p=\d+\$)[\w+\/]{22}\$/g;
};
is_deeply \@nobody, [$costs], 'the hash of nobody has the same costs';

my @seen = $s->sql("select detail from podi.audit"
                   . " where verb = 'account.login_failed' order by audit_id");
is scalar(@seen), 3, 'each failure is on record';

# --- costs of yesterday

$s->register('weak1');
$s->sql('update podi.users set password_hash = ? where login = ?', $weak,
        'weak1');
is login('weak1', 'a wrong password')->status, 401, 'a weak hash checks';
is hash_of('weak1'), $weak, 'and stays';
is login('weak1', 'password of weak1')->status, 200, 'the right password';
like hash_of('weak1'), qr/^\Q$costs\E/, 'makes a hash of today';
is login('weak1', 'password of weak1')->status, 200, 'which is good';

for my $bad ($weak =~ s/m=64/m=4194304/r, $weak =~ s/t=1/t=1000000/r,
             $weak =~ s/argon2id/argon2i/r, '$2b$12$notours', 'x' x 300, '')
{
    $s->sql('update podi.users set password_hash = ? where login = ?', $bad,
            'weak1');
    is runs(sub { is login('weak1', 'password of weak1')->code,
                     'bad_credentials', 'a planted hash lets nobody in' }), 1,
        'and costs what any costs';
}

# --- the digest that a key is bound to covers the password: it is keyed.  The
#     same sum over a task shows that this is how a bare one is made

sub bound
{
    my ($path, $body, $as) = @_;
    my $key = 'bound-' . length $path;
    my $res = $s->post($path, body => $body, key => $key, as => $as,
                       type => 'application/json');

    is $res->status, 201, "$path with a key";
    return $s->sql('select body_hash = ? from podi.idempotency where key = ?',
                   sha256_of($path, $body), $key);
}


sub sha256_of
{
    my ($path, $body) = @_;

    return \sha256("8\n" . length($path) . "\n$path$body");
}

my $buyer = $s->member('buyer', points => 1);
my $pic = Podi::Work->new($s->db)->media($buyer);
ok bound('/v1/tasks', qq({"inputs":["$pic"],"actions":)
         . '[{"action":"image.thumbnail"}]}', $buyer), 'is a bare digest';
ok !bound('/v1/auth/register', '{"login":"keyed","password":"a good one"}'),
    'is none';

# --- more at once than may wait: 1 runs, 4 wait, the rest is told to come back

sub storm
{
    my ($n) = @_;
    my $body = '{"login":"annie","password":"a wrong password"}';
    my @socks = map { IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                            PeerPort => $s->{port}) } 1 .. $n;

    for my $sock (@socks) {
        print $sock "POST /v1/auth/login HTTP/1.1\r\nHost: localhost\r\n"
            . "Content-Type: application/json\r\nConnection: close\r\n"
            . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
        $sock->flush;
    }

    my $most = 0;
    for (1 .. 5) {
        my $running = metric('podi_threads_running');
        $most = $running if $running > $most;
    }

    return ($most, map { local $/; scalar <$_> } @socks);
}

my ($most, @answers);
my $worked = runs(sub { ($most, @answers) = storm(40) });
my @told = grep { m{^HTTP/1.1 429 } } @answers;
my @judged = grep { m{^HTTP/1.1 401 } && /bad_credentials/ } @answers;

is @told + @judged, 40, 'of 40 logins at once each is answered';
cmp_ok scalar(@told), '>', 0, 'some are told to wait';
cmp_ok scalar(@judged), '>=', 5, 'what runs or waits is judged';
is scalar(grep { /^Retry-After: 1\r$/m && /"code":"rate_limited"/
                 && /"retry_after":1/ } @told), scalar @told, 'for a second';
is $worked, @judged, 'nothing is hashed for those who wait';
cmp_ok $most, '<=', 1, 'never more at once than threads';
is login('annie', $ann->{password})->status, 200, 'then all is as before';
is metric('podi_threads_waiting') + metric('podi_threads_running'), 0,
    'nobody is left in the queue';

# --- who goes away while he waits

for my $sock (map { IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                          PeerPort => $s->{port}) } 1 .. 5) {
    print $sock "POST /v1/auth/login HTTP/1.1\r\nHost: localhost\r\n"
        . "Content-Type: application/json\r\nContent-Length: 47\r\n\r\n"
        . '{"login":"annie","password":"a wrong password"}';
    close $sock;
}

ok poll(10, sub { metric('podi_threads_waiting')
                  + metric('podi_threads_running') == 0 }),
    'who has gone leaves the queue';
is login('annie', $ann->{password})->status, 200, 'and nobody waits for him';

$s->done;
done_testing;
