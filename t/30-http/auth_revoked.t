# A session that ended stays ended for as long as any of its tokens might be
# believed: also one of another nginx, or of this one with a longer
# podi_token_lifetime.

use strict;
use warnings;
use Test::More;
use Podi::Stack;

my $s = Podi::Stack->new->start('pg', 'redis');
my $born = time - 480;
my ($ann, $bob) = map {
    $s->member($_, claims => { iat => $born, exp => $born + 600 })
} qw( ann bob );

$s->sql("update podi.session set revoke_reason = 'admin',"
        . " revoked_at = now() - interval '460 s' where session_id = ?",
        $ann->{session});

# nginx begins after that, and has heard of what PostgreSQL knows
$s->start('nginx');
ok $s->wait_for(sub {
    my ($age) = $s->get('/metrics')->body
        =~ /^podi_revocation_feed_age_seconds (\d+)$/m;
    return defined $age && $age < 5;
}, 20, 'the feed'), 'the feed has been read';

is $s->get('/v1/wallet', as => $ann)->code, 'token_revoked',
    'ended minutes ago, and not forgotten';
is $s->get('/v1/wallet', as => $bob)->status, 200, 'an old token that is good';

$s->done;
done_testing;
