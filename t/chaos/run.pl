# ./build.sh chaos --seed S --minutes N [--break NAME] [--keep DIR]
#
#     world -> quiet day -> clients, readers | strikes -> all mended
#           -> every task has ended -> facts -> check.pl
#
# Real binaries under load, and what befalls them.  The seed decides what is
# asked for and what strikes, not when each of them is answered.  The verdict
# is check.pl's alone, who knows only what was recorded.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin, $FindBin::RealBin =~ s{chaos\z}{lib}r;

use File::Temp qw( tempdir );
use Getopt::Long;
use List::Util qw( shuffle );
use Test::Builder;
use Time::HiRes qw( time );

use Chaos::Break;
use Chaos::Client;
use Chaos::Strike;
use Chaos::World;
use Podi::Fault;
use Podi::Proc qw( poll );

my %o = (seed => int(time * 1000) % 1_000_000, minutes => 10);

GetOptions(\%o, 'seed=i', 'minutes=f', 'break=s', 'keep=s')
    && !@ARGV && $o{minutes} > 0
    && (!$o{break} || grep { $_ eq $o{break} } Chaos::Break::names())
    or usage();


sub usage
{
    my $names = join ' | ', Chaos::Break::names();

    print STDERR "usage: ./build.sh chaos [--seed S] [--minutes N]"
        . " [--break $names] [--keep DIR]\n";
    exit 2;
}


sub report
{
    print STDERR "chaos: @_\n";
}


# points of the parts that it uses are no part of what it says
Test::Builder->new->$_(\*STDERR) for qw( output failure_output todo_output );
Test::Builder->new->no_ending(1);

my $began = time;
my $dir = $o{keep} // tempdir('podi-chaos-XXXXXX', TMPDIR => 1, CLEANUP => 1);
-d $dir || mkdir $dir or die "$dir: $!\n";

report("again with: ./build.sh chaos --seed $o{seed} --minutes $o{minutes}"
     . ($o{break} ? " --break $o{break}" : ''));

my $world = Chaos::World->new($dir);
my ($s, $rig) = @{$world}{qw( s rig )};
my @people = @{ $world->{people} };

Chaos::Break::apply($s, $o{break}) if $o{break};
report(sprintf 'ready after %.1f s', time - $began);


# --- the work and the strikes -------------------------------------------------

my $until = time + 60 * $o{minutes};
my %common = (s => $s, dir => $dir, port => $world->{front_port});
my $n = 0;

sub kid
{
    my ($who, $role, $code) = @_;
    my $client = { %common, who => $who, seed => 1000 * $o{seed} + ++$n };

    return Podi::Fault::Kid->new($dir, sub {
        my ($say, $from) = @_;
        $code->(Chaos::Client->new(%$client, role => $role), $from);
    });
}

my @readers = map { kid($_, 'reader', sub { $_[0]->listen($_[1]) }) } @people;
my @clients = map { kid($_, 'client', sub { $_[0]->work($until) }) } @people;
my %strikes = Chaos::Strike->new($world, 1000 * $o{seed})->work($until);

report('strikes: ' . join ', ', map { "$_ $strikes{$_}" } sort keys %strikes);


# --- the end --------------------------------------------------------------

sub late
{
    report("@_");
    print "chaos: seed=$o{seed} tasks=0 lost=0 double_charged=0"
        . " invariant_breaks=0 verdict=FAIL\n";
    exit 1;
}


$rig->mend;
$world->forget;
poll(90, sub { !grep { !$_->ended } @clients })
    or late('a client has not come to its end');
poll(120, sub { my $open = eval { $world->open_ends } // do {
                    $world->forget; 1 }; !$open })
    or report('not all tasks and holds have come to their end');
report(sprintf 'all quiet after %.1f s', time - $began);

for my $i (0 .. $#people) {
    my $top = $s->sql('select top from podi.user_head where user_id = ?',
                      $people[$i]{user});
    $readers[$i]->tell($top);
}
poll(30, sub { !grep { !$_->ended } @readers })
    or report('a reader has not come to its end');

$world->facts;
$_->stop for values %{ $rig->{pairs} };
$s->stop;
report("history: $dir") if $o{keep};

system($^X, "$FindBin::RealBin/check.pl", $dir, $o{seed});
exit $? >> 8;
