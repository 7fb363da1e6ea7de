# A worker dies with the locks of a decision in its hand: the others go on, no
# count is lost but its own, and its places are free.

use strict;
use warnings;

use Test::More;
use Podi::Plain;
use Podi::Proc qw( poll );
use Podi::Repo qw( root );

my $build = ($ENV{PODI_BUILD} // root() . '/var/build') . '/faults';
my $dir = File::Temp->newdir;

chmod 0777, $dir;
$ENV{PODI_FAULT_DIR} = "$dir";

# the point is armed for one process, which is killed there
sub arm
{
    open my $out, '>', "$dir/nginx.limit_write" or die $!;
    print $out 'kill';
    close $out;
    chmod 0666, "$dir/nginx.limit_write";
}

my $n = Podi::Plain->new(build => $build, head => 'env PODI_FAULT_DIR;',
    http => <<'EOS', server => <<'EOS');
    podi_limit_zone rate  32k key=$arg_k rate=1r/h burst=10;
    podi_limit_zone quota 32k key=$arg_k quota=10/month;
    podi_limit_zone seats 32k key=$arg_k conn=2;
EOS
    location /all { podi_limit rate quota seats; empty_gif; }
    location /rate { podi_limit rate; empty_gif; }
    location /quota { podi_limit quota; empty_gif; }
    location /seats { podi_limit seats; empty_gif; }
EOS


sub spent
{
    my ($path) = @_;
    my ($left) = $n->get($path)->{head} =~ /^RateLimit: "\w+";r=(\d+)/m;

    return $left // 'nothing';
}


for my $path ('/all', '/rate', '/quota', '/seats') {
    my $key = $path =~ s{/}{}r;
    my @workers = $n->workers;

    is $n->get("$path?k=$key")->{status}, 200, "$path passes";

    arm();
    is $n->get("$path?k=$key")->{status}, 0, 'its worker dies at the next one';

    my ($dead) = do {
        open my $in, '<', "$dir/nginx.limit_write.hit" or die $!;
        <$in> =~ /(\d+)/;
    };
    ok scalar(grep { $_ == $dead } @workers), 'one of the two';

    # its keys' sets are locked until somebody wants them
    is $n->get("$path?k=$key")->{status}, 200, 'the next one passes';
    ok $n->whole($dead), 'and another worker comes';
    is $n->get("$path?k=$key")->{status}, 200, 'which takes part';
    unlink "$dir/nginx.limit_write.hit";
}

# 1, the one that died when it was charged, 2 more: 6 are left after this
is spent('/rate?k=rate'), 5, 'a charge is there or not, and no other is lost';
is spent('/quota?k=quota'), 5, 'nor of a quota';
ok poll(10, sub { spent('/seats?k=seats') eq '1' }), 'and no place is taken';
is spent('/all?k=all'), 5, 'where several are decided the first was charged';
is spent('/quota?k=all'), 5, 'the second was not';
ok poll(10, sub { spent('/seats?k=all') eq '1' }),
    'and there was no place to give back';


# --- a number that is given away ---------------------------------------------

# the kernel gives the dead worker's number to somebody who lives long: to this
# test, which writes its own into the lock

sub give_away
{
    my ($dead) = @_;
    my $given = 0;

    open my $maps, '<', "/proc/$n->{pid}/maps" or die $!;
    open my $mem, '+<:raw', "/proc/$n->{pid}/mem" or die $!;

    no warnings 'portable';             # addresses have 64 bits

    while (<$maps>) {
        my ($from, $to) = /^(\w+)-(\w+) rw-s / or next;
        next if hex($to) - hex $from != 32768;
        my $at = hex $from;

        sysseek $mem, $at, 0 or next;
        sysread $mem, my $bytes, 32768 or next;
        my @half = unpack 'V*', $bytes;

        for my $i (grep { $_ % 2 == 0 && $half[$_] == $dead } 0 .. $#half) {
            sysseek $mem, $at + 4 * $i, 0;
            $given++ if syswrite $mem, pack 'V', $$;
        }
    }
    return $given;
}


arm();
is $n->get('/rate?k=given')->{status}, 0, 'a worker dies once more';

my ($dead) = do {
    open my $in, '<', "$dir/nginx.limit_write.hit" or die $!;
    <$in> =~ /(\d+)/;
};
ok $n->whole($dead), 'and another one comes';
cmp_ok give_away($dead), '>', 0, 'its number is somebody else\'s';

my $res = eval {
    local $SIG{ALRM} = sub { die "nobody gets the lock\n" };
    alarm 10;
    my $r = $n->get('/rate?k=given');
    alarm 0;
    $r;
};
is $res && $res->{status}, 200, 'the next one passes all the same';

$n->stop;
done_testing;
