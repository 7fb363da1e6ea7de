# The worker that leads the rates of the database dies while it tells the others
# of new ones: who is born then has the old ones whole, and the new ones soon.

use strict;
use warnings;
use Test::More;
use Podi::Points;
use Podi::Proc qw( poll gone );

# the only worker: whoever answers after its death was born after it
my ($s, $points) = Podi::Points->stack(workers => 1,
    http => <<'EOS', server => <<'EOT');
podi_limit_rates on;
podi_limit_zone member 1m key=user key=$arg_k rate=1r/h burst=2;
EOS
location /member { podi_auth on; podi_limit member; empty_gif; }
EOT

$s->start('pg', 'redis');

my $ctl = $s->db->login('podi_ctl');
my %who = map { $_ => $s->member($_) } qw( annie bobby );
my $n = 0;


# what the policy of somebody says, asked of a key that nobody has used
sub burst
{
    my ($login) = @_;
    my $policy = $s->get('/member?k=' . $n++, as => $who{$login},
                         headers => { Connection => 'close' })
        ->header('RateLimit-Policy') // '';

    return ($policy =~ /q=(\d+)/)[0] // 'none';
}


sub put
{
    $ctl->one(undef, 'select * from sys.limit_put(?, ?, ?, ?, ?, ?)', 'member',
              'user', 'podi', 'demo', $_[0], "rate=1r/h burst=$_[1]");
}


put('annie', 5);
$s->start('nginx');
ok poll(10, sub { burst('annie') eq '5' }), 'the rates of the database hold';

$points->arm('overlay_publish', 'kill');

my ($doomed) = $s->nginx->workers;

put('bobby', 7);
ok poll(10, sub { gone($doomed) }), 'its worker dies half-way in new ones';
is burst('annie'), 5, 'the next one has the old ones from its first answer';
ok poll(10, sub { burst('bobby') eq '7' }), 'and tells what was not told';
is burst('annie'), 5, 'it stays so';

$s->done;
done_testing;
