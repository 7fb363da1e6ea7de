# The worker that leads the overlay of channels dies while it tells the others
# of a new text: who is born then has the old one, and a closed channel stays
# closed.  Or it stands still: nobody hangs, what was read last holds, and it
# does not tell what it knew then when it goes on.

use strict;
use warnings;
use JSON::PP ();
use Test::More;
use Podi::Points;
use Podi::Proc qw( poll gone );

# the only worker: whoever answers after its death was born after it
my ($s, $points) = Podi::Points->stack(workers => 1,
    http => <<'EOS', server => <<'EOT');
podi_channel_overlay on;
podi_channel partner { path /partner/; }
EOS
location /partner/ { return 200 "in"; }
location /added/ { return 200 "in"; }
EOT

$s->start('pg', 'redis');

my $ctl = $s->db->login('podi_ctl');


sub logged
{
    open my $in, '<', $s->log_file('error.log') or return '';
    local $/;
    return <$in> // '';
}

sub status
{
    return $s->get($_[0], headers => { Connection => 'close' })->status;
}


$ctl->all(undef, 'select * from sys.channel_kill(?, true)', 'partner');
$s->start('nginx');
ok poll(10, sub { status('/partner/x') == 403 }), 'a channel is closed';

$points->arm('overlay_publish', 'kill');

my ($doomed) = $s->nginx->workers;

$ctl->all(undef, 'select * from sys.channel_put(?, ?)', 'added',
          JSON::PP->new->encode({ path => ['/added/'], kill => 'on' }));
ok poll(10, sub { gone($doomed) }), 'its worker dies half-way in a new text';
is status('/partner/x'), 403, 'the next one has it closed from its first answer';
ok poll(10, sub { status('/added/x') == 403 }), 'and tells what was not told';
is status('/partner/x'), 403, 'it stays so';

# it stands still; a reload brings another one, who may not write meanwhile

$s->allow_errors(qr/channels stay as they are/);
$points->arm('overlay_publish', 'pause');
my ($still) = $s->nginx->workers;

$ctl->all(undef, 'select * from sys.channel_put(?, ?)', 'added',
          JSON::PP->new->encode({ kill => undef }));
is $points->wait('overlay_publish'), $still, 'it stands still';
$s->nginx->reload;
ok poll(20, sub { logged() =~ /channels stay as they are/ }),
    'the next one cannot tell what is new, and says so';
is status('/partner/x'), 403, 'what was read last holds';
is status('/added/x'), 403, 'all of it';

$ctl->all(undef, 'select * from sys.channel_kill(?, false)', 'partner');
kill CONT => $still;
ok poll(10, sub { status('/partner/x') == 200 }), 'it goes on, and the new one tells';
is status('/added/x'), 200, 'all of it';
ok poll(10, sub { gone($still) }), 'the old one goes';

$s->done;
done_testing;
