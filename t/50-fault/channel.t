# The worker that leads the overlay of channels dies while it tells the others
# of a new text: who is born then has the old one, and a closed channel stays
# closed.

use strict;
use warnings;
use JSON::PP ();
use Test::More;
use Podi::Proc qw( poll gone );
use Podi::Rig;
use Podi::Stack;

# the only worker: whoever answers after its death was born after it
my $s = Podi::Stack->new(build => Podi::Rig::faults(),
    http => <<'EOS', server => <<'EOT', rewrite => sub {
podi_channel_overlay on;
podi_channel partner { path /partner/; }
EOS
location /partner/ { return 200 "in"; }
location /added/ { return 200 "in"; }
EOT
        my ($file, $text) = @_;

        $text =~ s/^worker_processes .*$/worker_processes 1;\nenv PODI_FAULT_DIR;/m
            if $file eq 'nginx.conf';
        return $text;
    });
my $points = $s->dir . '/points';

mkdir $points;
chmod 0777, $points;
$ENV{PODI_FAULT_DIR} = $points;
$s->start('pg', 'redis');
$s->allow_errors(qr/exited on signal 9/,
                 qr/shared memory zone "podi_channel_1" was locked by/);

my $ctl = $s->db->login('podi_ctl');


sub status
{
    return $s->get($_[0], headers => { Connection => 'close' })->status;
}


$ctl->all(undef, 'select * from sys.channel_kill(?, true)', 'partner');
$s->start('nginx');
ok poll(10, sub { status('/partner/x') == 403 }), 'a channel is closed';

open my $out, '>', "$points/new" or die;
print {$out} 'kill';
close $out;
chmod 0666, "$points/new";
rename "$points/new", "$points/nginx.channel_publish";

my ($doomed) = $s->nginx->workers;

$ctl->all(undef, 'select * from sys.channel_put(?, ?)', 'added',
          JSON::PP->new->encode({ path => ['/added/'], kill => 'on' }));
ok poll(10, sub { gone($doomed) }), 'its worker dies half-way in a new text';
is status('/partner/x'), 403, 'the next one has it closed from its first answer';
ok poll(10, sub { status('/added/x') == 403 }), 'and tells what was not told';
is status('/partner/x'), 403, 'it stays so';

$s->done;
done_testing;
