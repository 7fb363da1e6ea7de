# Tokens that were found good are known the next time, in the worker that saw
# them and in the others; they end when they must, and nobody gets in by
# another's entry, however little room there is.

use strict;
use warnings;
use IO::Socket::INET;
use List::Util qw( shuffle );
use Podi::Proc qw( poll );
use Test::More;
use Podi::Stack;

my $guarded = <<'CONF';

location = /guarded {
    podi_auth on;
    add_header X-Pid $pid always;
    add_header X-User $podi_user always;
    empty_gif;
}

location = /strict {
    podi_auth on;
    podi_require claim level ge 2;
    empty_gif;
}
CONF

# 4 places in each worker, about 20 for all of them
my $s = Podi::Stack->new(server => $guarded,
    http => "podi_token_cache 32k l1=4;\n")->start;
my ($ann, $bob, $eve) = map { $s->member($_) } qw( annie bobby evelyn );
my %conn;


# one connection to each worker, kept
sub connect_all
{
    my %old = %conn;

    %conn = ();
    poll(20, sub {
        my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                         PeerPort => $s->{port});
        my $pid = (ask($sock, $eve->{token}))[2] // return 0;

        $conn{$pid} //= $sock if !$old{$pid};
        return keys %conn == 2;
    }) or die 'a worker does not answer';
}


# status or code, user, pid
sub ask
{
    my ($sock, $token) = @_;
    my ($head, $body) = ('', '');

    print $sock "GET /guarded HTTP/1.1\r\nHost: localhost\r\n"
        . "Authorization: Bearer $token\r\n\r\n";
    $sock->flush;
    $head .= <$sock> // return 'lost' until $head =~ /\r\n\r\n\z/;
    read $sock, $body, $1 if $head =~ /^Content-Length: (\d+)/mi;

    my ($status) = $head =~ m{^HTTP/1.1 (\d+)};
    my ($code) = $body =~ /"code":"(\w+)"/;
    my ($user) = $head =~ /^X-User: (\S+)/m;
    my ($pid) = $head =~ /^X-Pid: (\d+)/m;

    return ($code // $status, $user // '', $pid);
}


sub counts
{
    my $text = $s->get('/metrics')->body;

    return map { $text =~ /^podi_auth_cache_${_}_total (\d+)$/m ? $1 : -1 }
        qw( l1_hits l2_hits misses l1_evictions l2_evictions );
}


# which of the first three went up while the code ran, in that order
sub way
{
    my ($code) = @_;
    my @before = counts();

    $code->();
    my @after = counts();
    my @name = qw( l1 l2 miss );
    return join ' ', map { ($name[$_]) x ($after[$_] - $before[$_]) } 0 .. 2;
}


connect_all();
my ($one, $two) = map { $conn{$_} } sort keys %conn;

# --- where a token is known

my $token = $s->token($ann);
is way(sub { ask($one, $token) }), 'miss', 'the first time it is verified';
is way(sub { ask($one, $token) for 1 .. 3 }), 'l1 l1 l1',
    'then its worker knows it';
is way(sub { ask($two, $token) }), 'l2', 'and so do the others';
is way(sub { ask($two, $token) }), 'l1', 'each then by itself';
is_deeply [ (ask($two, $token))[0, 1] ], [ 200, $ann->{user_id} ],
    'as whose it is';

# --- what looks alike is not

my $end = substr $token, -1;
my ($head, $claims, $mac) = split /\./, $token;
my ($ohead, $oclaims, $omac) = split /\./, $s->token($bob);
my @forged = ("$head.$oclaims.$mac", "$head.$claims.$omac",
              "$head.$claims." . reverse($mac), "$token.",
              substr($token, 0, -1), ' ' . substr($token, 1),
              "x$token", $mac, substr($token, -32));
is_deeply [ grep { !/^401|token_invalid|bad_request/ }
            map { (ask($one, $_))[0] } @forged ], [],
    'who changes a token, or puts a known signature under another, stays out';
is((ask($one, $token))[0], 200, 'while the token itself is good');

# --- a rule of one location is not another's

my $high = $s->token($ann, level => 2);
my $low = $s->token($ann, level => 1);

is $s->get('/guarded', as => $_, unchecked => 1)->status, 200, 'good here'
    for $high, $low, $low;
for (1 .. 3) {
    is $s->get('/strict', as => $low, unchecked => 1)->code, 'forbidden',
        'and not enough there, known or not';
    is $s->get('/strict', as => $high, unchecked => 1)->status, 200,
        'while another is';
}

# --- its end

my $short = $s->token($ann, iat => time - 5, exp => time + 3);
is((ask($one, $short))[0], 200, 'a token that is about to end');
is way(sub { is((ask($_, $short))[0], 200, 'is known') for $one, $two }),
    'l1 l2', '... everywhere';
ok poll(8, sub { (ask($one, $short))[0] eq 'token_expired' }),
    'its end comes all the same';
is((ask($two, $short))[0], 'token_expired', '... everywhere');

# --- revoked while known

my $gone = $s->token($bob);
is((ask($_, $gone))[0], 200, 'a session with a known token') for $one, $two;
is $s->post('/v1/auth/logout', as => $bob)->status, 204, 'it ends';
is((ask($_, $gone))[0], 'token_revoked', 'so does the token, at once')
    for $one, $two;

# --- no room

my @who = ($ann, $eve, map { $s->member($_) } qw( carol david ));
my %whose = map { my $w = $_; map { $s->token($w) => $w->{user_id} } 1 .. 10 }
            @who;
my @wrong;

for my $turn (1 .. 4) {
    for my $t (shuffle keys %whose) {
        my ($mine, $bad) = ($conn{ (keys %conn)[$turn % 2] }, $t);

        substr($bad, -40, 1) =~ tr/A-Za-z0-9_-/B-ZAb-za1-90\-_/;
        my @good = (ask($mine, $t))[0, 1];
        push @wrong, "@good" if "@good" ne "200 $whose{$t}";
        my ($said) = ask($mine, $bad);
        push @wrong, "forged: $said" if $said ne 'token_invalid';
    }
}

is_deeply \@wrong, [], 'with little room each is who he is, and no other';
my @n = counts();
cmp_ok $n[3], '>', 20, 'entries of the workers made room';
cmp_ok $n[4], '>', 20, 'so did those of all';

# --- a new configuration begins anew

ask($one, $token);
is way(sub { ask($one, $token) }), 'l1', 'a known token';
$s->nginx->reload;
connect_all();
($one, $two) = map { $conn{$_} } sort keys %conn;
is way(sub { is((ask($_, $token))[0], 200, 'good') for $one, $two }),
    'l2 miss', 'is verified again after a reload';

%conn = ();
undef $_ for $one, $two;

$s->done;
done_testing;
