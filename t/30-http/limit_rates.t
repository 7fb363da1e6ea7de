# What the operator puts over the rates of nginx.conf: live in each worker within
# a second, without a reload, and kept over one.

use strict;
use warnings;
use Test::More;
use Podi::Stack;

my $s = Podi::Stack->new(http => <<'EOS', server => <<'EOT')->start('pg', 'redis');
podi_limit_rates on;
podi_limit_zone member 1m key=user key=$arg_k rate=1r/h burst=2;
podi_limit_zone daily 1m key=user key=$arg_k quota=2/day;
EOS
location /member { podi_auth on; podi_limit member; empty_gif; }
location /daily { podi_auth on; podi_limit daily; empty_gif; }
location /anybody { podi_limit member; empty_gif; }
EOT
my $ann = $s->member('ann');
my $bob = $s->member('bob');
my $ctl = $s->db->login('podi_ctl');
my $n = 0;

$s->start('nginx');


# how many pass, of a key that nobody has used
sub passes
{
    my ($path, @who) = @_;
    my $key = $n++;

    for my $i (0 .. 20) {
        return $i if $s->get("$path?k=$key", @who,
                             headers => { Connection => 'close' })
            ->status == 429;
    }
    return 'all';
}

sub put
{
    my ($zone, $kind, $subject, $tenant, $terms) = @_;

    return $ctl->one(undef, 'select * from sys.limit_put(?, ?, ?, ?, ?)',
                     $zone, $kind, $subject, $tenant, $terms);
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

put('member', 'user', $ann->{login}, $ann->{slug} // 'demo', 'rate=1r/h burst=5');
ok soon(5, '/member', as => $ann), 'a user gets more, without a reload';
is passes('/member', as => $bob), 2, 'others do not';
is passes('/anybody'), 2, 'nor does who has no name';
like $s->get('/member?k=x', as => $ann)->header('RateLimit-Policy'),
    qr/^"member";q=5;w=18000/, 'and is told';

put('daily', 'user', $ann->{login}, $ann->{slug} // 'demo', 'rate=9r/h burst=9');
put('nowhere', 'plan', 'x', undef, 'rate=9r/h burst=9');
put('daily', 'user', $bob->{login}, $bob->{slug} // 'demo', 'quota=4/day');
ok soon(4, '/daily', as => $bob), 'a quota as well';
is passes('/daily', as => $ann), 2, 'what another kind of limit has is not for it';

$s->nginx->reload;
is passes('/member', as => $ann), 5, 'a reload keeps them';

put('member', 'user', $ann->{login}, $ann->{slug} // 'demo', undef);
ok soon(2, '/member', as => $ann), 'and they can be taken back';

$s->allow_errors(qr/no limit here takes the rate/) if $s->can('allow_errors');
$s->done;
done_testing;
