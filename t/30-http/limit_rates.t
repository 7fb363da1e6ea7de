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

# more than there is room for, or refused: the old ones hold, and each worker that
# asks says so once, not each time

$s->allow_errors(qr/rates stay as they are/);

sub said
{
    my ($why) = @_;

    open my $in, '<', $s->log_file('error.log') or die;
    return scalar grep { /rates stay as they are: .*$why/ } <$in>;
}

# two questions more than there are workers
sub asked
{
    my %at;

    return $s->wait_for(sub {
        $at{ $s->sql(q{
            select max(query_start)::text from pg_stat_activity
             where usename = 'podi_web' and query like '%api.limit_rates%'})
            // '' } = 1;
        return keys %at > 2 + $s->nginx->workers;
    }, 10, 'questions');
}

my %break = (
    'more than 512 kB' => [
        q{insert into podi.limit_rate (zone, kind, issuer, tenant, subject, terms)
          select 'full', 'plan', '', '', lpad(g::text, 128, 'x'), 'conn=3'
            from generate_series(1, 4000) g},
        q{delete from podi.limit_rate where zone = 'full'} ],
    'permission denied' => [
        q{revoke execute on function api.limit_rates from podi_web},
        q{grant execute on function api.limit_rates to podi_web} ],
);

my $burst = 6;

for my $why (sort keys %break) {
    my ($begin, $end) = @{ $break{$why} };

    $s->db->super->run($begin);
    ok asked(), "$why: it is asked again and again";
    ok said($why), '... and said what is wrong';
    cmp_ok said($why), '<=', $s->nginx->workers, '... once';
    $s->db->super->run($end);
    ours('member', $bob, 'rate=1r/h burst=' . ++$burst);
    ok soon($burst, '/member', as => $bob), '... and it goes on';
}

$s->done;
done_testing;
