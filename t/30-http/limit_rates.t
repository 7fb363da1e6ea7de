# What the operator puts over the rates of nginx.conf: live in each worker within
# a second, without a reload, and kept over one.

use strict;
use warnings;
use Test::More;
use Podi::Issuer;
use Podi::Stack;

# each has an "alice", in two tenants
my %site = (aud => 'https://our.site');
my %is = map { $_ => Podi::Issuer->new(iss => "https://$_.example", %site) }
    qw( one two );
my %set = map { $_ => $is{$_}->jwks_file('ES256') } keys %is;

my $s = Podi::Stack->new(http => <<"EOS", server => <<'EOT')->start('pg', 'redis');
podi_limit_rates on;
podi_limit_zone member 1m key=user key=\$arg_k rate=1r/h burst=2;
podi_limit_zone daily 1m key=user key=\$arg_k quota=2/day;
podi_issuer one { issuer https://one.example; audience https://our.site; jwks_file $set{one}; }
podi_issuer two { issuer https://two.example; audience https://our.site; jwks_file $set{two}; }
EOS
location /member { podi_auth on; podi_limit member; empty_gif; }
location /daily { podi_auth on; podi_limit daily; empty_gif; }
location /anybody { podi_limit member; empty_gif; }
location /foreign { podi_auth on; podi_auth_issuer one two; podi_limit member; empty_gif; }
EOT
my $ann = $s->member('ann');
my $bob = $s->member('bob');
my $ctl = $s->db->login('podi_ctl');
my $n = 0;

$s->start('nginx');


# how many pass, of a key that nobody has used
sub passes
{
    my ($path, %who) = @_;
    my $key = $n++;
    my %headers = (Connection => 'close', %{ delete $who{headers} // {} });

    for my $i (0 .. 20) {
        return $i if $s->get("$path?k=$key", %who, headers => \%headers)
            ->status == 429;
    }
    return 'all';
}

# zone, kind, issuer, tenant, subject, terms
sub put
{
    return $ctl->one(undef, 'select * from sys.limit_put(?, ?, ?, ?, ?, ?)',
                     @_);
}

sub ours
{
    my ($zone, $user, $terms) = @_;

    return put($zone, 'user', 'podi', $user->{slug} // 'demo', $user->{login},
               $terms);
}

# somebody of another issuer
sub alice
{
    my ($issuer, %claims) = @_;
    my $token = $is{$issuer}->token('ES256', sub => 'alice', %claims);

    return (headers => { Authorization => "Bearer $token" });
}

# in all workers: as often as there are, and more
sub soon
{
    my ($want, @ask) = @_;

    return $s->wait_for(sub {
        for (1 .. 3) {
            return 0 if passes(@ask) ne $want;
        }
        return 1;
    }, 5, "$want of @ask");
}


is passes('/member', as => $ann), 2, 'as nginx.conf says';

ours('member', $ann, 'rate=1r/h burst=5');
ok soon(5, '/member', as => $ann), 'a user gets more, without a reload';
is passes('/member', as => $bob), 2, 'others do not';
is passes('/anybody'), 2, 'nor does who has no name';
like $s->get('/member?k=x', as => $ann)->header('RateLimit-Policy'),
    qr/^"member";q=5;w=18000/, 'and is told';

ours('daily', $ann, 'rate=9r/h burst=9');
put('nowhere', 'plan', 'podi', undef, 'x', 'rate=9r/h burst=9');
ours('daily', $bob, 'quota=4/day');
ok soon(4, '/daily', as => $bob), 'a quota as well';
is passes('/daily', as => $ann), 2, 'what another kind of limit has is not for it';

$s->nginx->reload;
is passes('/member', as => $ann), 5, 'a reload keeps them';

ours('member', $ann, undef);
ok soon(2, '/member', as => $ann), 'and they can be taken back';

# who is called as somebody of another issuer, or of another tenant, is not him

put('member', 'user', 'one', 'acme', 'alice', 'rate=1r/h burst=5');
put('member', 'user', 'two', undef, 'alice', 'rate=1r/h burst=4');
ok soon(5, '/foreign', alice('one', tid => 'acme')), 'alice of one issuer';
is passes('/foreign', alice('one', tid => 'other')), 2, 'not of another tenant';
is passes('/foreign', alice('one')), 2, 'nor of none';
is passes('/foreign', alice('two', tid => 'acme')), 2, 'nor of another issuer';
is passes('/foreign', alice('two')), 4, 'who has an alice of his own';

$s->allow_errors(qr/no limit here takes the rate/) if $s->can('allow_errors');
$s->done;
done_testing;
