# Keys that issuers publish: fetched once for all workers, kept when nothing
# better comes, and never from where they must not come.

use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use Test::More;
use Podi::Proc qw( poll );
use Podi::Repo qw( slurp );
use Podi::Stack;
use Podi::Token;

my $port = Podi::Stack::free_port();
my $silent = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0,
                                   Listen => 16) or die $!;
my $stuck = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0,
                                  Listen => 16) or die $!;
my $json = JSON::PP->new->canonical;
my $www = File::Temp->newdir('podi-jwks-XXXXXX', TMPDIR => 1);

chmod 0755, "$www";

# what an issuer may do with us; all but the first give no keys at all
my %ISSUER = (
    good     => ['/good.json', 'cooldown=1s refresh=1h'],
    slow     => ['/slow.json', 'cooldown=1h refresh=1h'],
    silent   => [$silent, 'timeout=1s'],
    stuck    => [$stuck, 'timeout=30s refresh=1h'],
    moved    => ['/moved'],
    huge     => ['/huge.json'],
    private  => ['/private.json'],
    secret   => ['/secret.json'],
    nonsense => ['/nonsense.json'],
    gone     => ['/gone.json'],
    untrusted => ['/good.json', '', ''],
    outside  => ['/good.json', '', 'ca=%s'],
);

my $s = Podi::Stack->new(
    server => join('', map { <<"CONF" } sort keys %ISSUER),
location = /at/$_ {
    podi_auth on;
    podi_auth_issuer $_;
    @{[ $_ eq 'slow' ? 'podi_auth_failures zone=guesses;' : '' ]}
    empty_gif;
}
CONF
);
my $dir = $s->dir;

$s->{http} = <<"CONF" . join '', map { issuer($_) } sort keys %ISSUER;
podi_limit_zone guesses 1m key=ip rate=1r/h burst=2;
server {
    listen 127.0.0.1:$port ssl;
    ssl_certificate $dir/tls/server.crt;
    ssl_certificate_key $dir/tls/server.key;
    root $www;
    log_not_found off;
    access_log $dir/log/jwks.log;
    location = /moved { return 302 https://127.0.0.1:$port/good.json; }
}
CONF


sub issuer
{
    my ($name) = @_;
    my ($path, $option, $trust) = @{ $ISSUER{$name} };
    my $at = ref $path ? $path->sockport . '/' : "$port$path";

    $option //= '';
    $trust = 'ca=%s inside' if !defined $trust;
    $trust =~ s{%s}{$dir/tls/ca.crt};
    return <<"CONF";
podi_issuer $name {
    issuer https://$name.example;
    audience app;
    jwks_url https://127.0.0.1:$at $option $trust;
}
CONF
}


my @key = map { Podi::Token->new($s->dir . "/keys/issuer$_.key") } 0 .. 3;


sub publish
{
    my ($file, $text) = @_;

    open my $out, '>', "$www/$file.new" or die $!;
    print {$out} ref $text ? $json->encode($text) : $text;
    close $out or die $!;
    rename "$www/$file.new", "$www/$file" or die $!;
    return;
}


sub set { return { keys => [map { { %{ $_->jwk }, kid => $_->kid,
                                    alg => 'ES256', use => 'sig' } } @_] } }


sub token
{
    my ($key, $name, %header) = @_;

    return { token => $key->sign({ iss => "https://$name.example",
        aud => 'app', sub => 'anybody', iat => time, exp => time + 3600 },
        { typ => 'JWT', %header }) };
}


# a request whose answer is read later
sub begin
{
    my ($name, $as) = @_;
    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $s->{port}) or die $!;

    print {$sock} "GET /at/$name HTTP/1.0\r\nHost: localhost\r\n"
                  . "Authorization: Bearer $as->{token}\r\n\r\n";
    return $sock;
}


sub finish
{
    my ($sock) = @_;

    return (do { local $/; <$sock> } =~ m{^HTTP/1.\d (\d+)})[0];
}


sub status { return $s->get("/at/$_[0]", as => $_[1])->status }


# requests for the document that the good issuer and three others share
sub fetches
{
    my @line = grep { m{GET /good.json } } split /\n/,
        slurp($s->log_file('jwks.log'));

    return scalar @line;
}


publish('good.json', set($key[0]));
publish('slow.json', set($key[0]));
publish('huge.json', $json->encode(set($key[0])) . ' ' x 10_000_000);
publish('private.json', { keys => [{ %{ set($key[0])->{keys}[0] },
                                     d => 'AQAB' }] });
publish('secret.json', { keys => [{ kty => 'oct', kid => 'x', alg => 'HS256',
                                    k => 'A' x 64 }] });
publish('nonsense.json', '<html>Sign in first</html>');
$s->start('pg', 'redis', 'nginx');


# with no failure before it, the next one would be due in an hour
subtest 'a fetch that its worker cannot end' => sub {
    ok poll(10, sub { IO::Select->new($stuck)->can_read(0.1) }), 'is begun';
    my $taken = $stuck->accept;
    $s->part('nginx')->reload;
    ok poll(10, sub { IO::Select->new($stuck)->can_read(0.1) }),
        'and begun again by the next ones';
};

subtest 'good keys' => sub {
    my $ann = token($key[0], 'good');

    ok poll(10, sub { status('good', $ann) == 200 }), 'let in';

    my @open = map { begin('good', $ann) } 1 .. 8;

    is join(' ', map { finish($_) } @open), join(' ', (200) x 8),
        'through all workers';
    is fetches(), 1, 'which fetched them once';
    is status('good', token($key[1], 'good', kid => $key[0]->kid)), 401,
        'a signature by another key is none';
};

subtest 'keys that do not come, or are none' => sub {
    for my $name (sort grep { !/^(?:good|slow|stuck)$/ } keys %ISSUER) {
        my $res = $s->get("/at/$name", as => token($key[0], $name));

        is $res->status, 503, "$name: nobody gets in";
        is $res->json->{code}, 'unavailable', 'and nobody is told that '
            . 'his token is wrong';
    }

    my $slow = begin('silent', token($key[0], 'silent'));
    is status('good', token($key[0], 'good')), 200,
        'one that is silent keeps nobody else waiting';
    is finish($slow), 503, 'and is given up';
};

subtest 'a kid that nobody has' => sub {
    my $before = fetches();
    my @made_up = map { token($key[1], 'good', kid => "made-up-$_") } 1 .. 30;

    is join(' ', map { status('good', $_) } @made_up), join(' ', (401) x 30),
        'is refused';
    cmp_ok fetches() - $before, '<=', 3, 'and does not fetch each time';
};

subtest 'a kid that nobody may look for yet' => sub {
    my $ann = token($key[0], 'slow');

    ok poll(10, sub { status('slow', $ann) == 200 }), 'the keys are there';
    is status('slow', token($key[1], 'slow', kid => "new-$_")), 401,
        'is refused, and no failure' for 1 .. 5;
    is join(' ', map { status('slow', token($key[1], 'slow',
                                            kid => $key[0]->kid)) } 1 .. 3),
        '401 401 429', 'while a guess is one';
};

subtest 'another key' => sub {
    my ($old, $new) = (token($key[0], 'good'), token($key[1], 'good'));

    publish('good.json', set(@key[0, 1]));
    ok poll(10, sub { status('good', $new) == 200 }),
        'is found when the first token of it comes';
    is status('good', $old), 200, 'beside the old one';

    publish('good.json', set($key[1]));
    ok poll(10, sub { status('good', token($key[2], 'good'));
                      status('good', $old) == 401 }),
        'which counts no more when it is gone, also for a token known as good';
    is status('good', $new), 200, 'the new one does';
};

subtest 'an issuer on a bad day' => sub {
    my $ann = token($key[1], 'good');

    for my $bad ('nonsense', set(), { keys => [{ %{ set($key[2])->{keys}[0] },
                                                 d => 'AQAB' }] })
    {
        my $before = fetches();

        publish('good.json', $bad);
        ok poll(10, sub { status('good', token($key[2], 'good')) == 401
                          && fetches() > $before }), 'it is asked again';
        is status('good', $ann), 200, 'the last good keys are kept';
    }

    unlink "$www/good.json";
    $s->part('nginx')->reload;
    is status('good', $ann), 200, 'over a reload too';

    publish('good.json', set(@key[1, 2]));
    ok poll(40, sub { status('good', token($key[2], 'good')) == 200 }),
        'and better ones are taken when they come';
};

subtest 'what the operator sees' => sub {
    my $text = $s->get('/metrics')->body;

    like $text, qr/^podi_jwks_keys\{issuer="good"\} 2$/m, 'keys';
    like $text, qr/^podi_jwks_failures_total\{issuer="silent"\} [1-9]/m,
        'failures';
    like $text, qr/^podi_jwks_age_seconds\{issuer="good"\} \d\d?$/m, 'age';
    like slurp($s->log_file('error.log')),
        qr/\[warn\].*keys of "outside" from \S+: .*address is not public/,
        'and why';
};

$s->done;
done_testing;
