# A token of a tenant whose ended sessions nobody feeds to this nginx: its
# session is asked for each time, so a logout counts here as well.  demo and
# acme are named by podi_tenant, zeta is not.

use strict;
use warnings;
use IO::Socket::INET;
use Podi::Proc qw( poll );
use Test::More;
use Podi::Stack;

my $other = Podi::Stack::free_port();
my $s = Podi::Stack->new(
    server => "location = /guarded {\n    podi_auth on;\n"
        . "    add_header X-Pid \$pid always;\n    empty_gif;\n}\n",
    http => <<"CONF")->start('pg', 'redis');
podi_revocation_stale 5s;
server {
    listen 127.0.0.1:$other;
    podi_tenant acme;
    location /v1/auth/ { podi_auth on; podi_account; }
}
CONF

my %tenant = map { $_ => $s->db->tenant($_) } qw( acme zeta );
my $ann = $s->member('annie');
my ($bob, $eve, $zoe, $zac) = map { of($_->[0], $_->[1]) }
    [acme => 'bobby'], [acme => 'evelyn'], [zeta => 'zoe1'], [zeta => 'zac1'];


sub of
{
    my ($tenant, $login) = @_;

    local $s->{tenant_id} = $tenant{$tenant};
    return $s->member($login);
}


sub metric
{
    my ($name) = @_;

    return ($s->get('/metrics')->body =~ /^$name (\d+)$/m)[0];
}


# how often PostgreSQL was asked while the code ran
sub asked
{
    my ($code) = @_;
    my $before = metric('podi_auth_lookups_total');

    $code->();
    return metric('podi_auth_lookups_total') - $before;
}


sub guarded { return $s->get('/guarded', as => $_[0]) }

# what the workers say, each to connections of its own, until all were asked
sub everywhere
{
    my ($who) = @_;
    my (%said, %pid);

    poll(20, sub {
        my @socks = map { IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                                PeerPort => $s->{port}) } 1 .. 16;

        print $_ "GET /guarded HTTP/1.1\r\nHost: localhost\r\n"
            . "Authorization: Bearer $who->{token}\r\n"
            . "Connection: close\r\n\r\n" for @socks;

        for my $text (map { local $/; scalar <$_> } @socks) {
            $said{ $text =~ /"code":"(\w+)"/ ? $1
                   : $text =~ m{^HTTP/1.1 200} ? 'in' : 'lost' } = 1;
            $pid{$1} = 1 if $text =~ /^X-Pid: (\d+)/m;
        }
        return keys %pid == 2;
    }) or return 'not everywhere';
    return join ' ', sort keys %said;
}


sub end
{
    my ($who) = @_;

    $s->sql("update podi.session set revoked_at = now(),"
            . " revoke_reason = 'admin' where session_id = ?",
            $who->{session});
}


$s->start('nginx');
ok $s->wait_for(sub { asked(sub { guarded($ann) }) == 0 }, 20, 'the feed'),
    'the feed has been read';

# --- asked or not

is_deeply [ map { guarded($_)->status } $ann, $bob, $zoe ], [ 200, 200, 200 ],
    'a token says whose it is, whatever podi_tenant says here';
is asked(sub { guarded($_) for ($ann) x 5 }), 0,
    'the tenant of this server is fed';
is asked(sub { guarded($_) for ($bob) x 5 }), 0,
    'so is the one of another server';
is asked(sub { guarded($_) for ($zoe) x 5 }), 5, 'any other is asked for';

# --- a logout elsewhere

end($_) for $zoe, $bob;
is everywhere($zoe), 'token_revoked', 'who is asked for is out at once';
ok poll(5, sub { (guarded($bob)->code // '') eq 'token_revoked' }),
    'who is fed soon after';
is everywhere($bob), 'token_revoked', 'in all workers';
is everywhere($zac) . ' ' . everywhere($eve), 'in in', 'nobody else is';

# --- a logout here

is $s->post('/v1/auth/logout', as => $eve)->status, 204, 'logout';
is everywhere($eve), 'token_revoked', 'counts at once, everywhere';

# --- a tenant that is no more

my $bill = of(zeta => 'bill');
is everywhere($bill), 'in', 'a session';
$s->sql("update podi.tenant set state = 'disabled' where slug = 'zeta'");
is everywhere($bill), 'token_revoked', 'ends with its tenant';
$s->sql("update podi.tenant set state = 'active' where slug = 'zeta'");

# --- PostgreSQL is away

$s->allow_errors(qr/PostgreSQL/);
$s->pg->stop;
is everywhere($ann), 'in', 'the feed is young enough to be believed';
is everywhere($zac), 'unavailable', 'whom it does not cover nobody lets in';
like guarded($zac)->header('retry-after') // '', qr/^\d+$/, 'for now';
ok poll(30, sub { guarded($ann)->status == 503 }), 'it grows old';
is everywhere($ann), 'unavailable', 'and nobody is let in';

$s->pg->start;
ok poll(30, sub { guarded($zac)->status == 200 }), 'PostgreSQL is back';
ok poll(30, sub { asked(sub { guarded($ann) }) == 0 }), 'and so is the feed';
is everywhere($ann), 'in', 'for those who are signed in';
is everywhere($eve), 'token_revoked', 'not for those who are not';

$s->done;
done_testing;
