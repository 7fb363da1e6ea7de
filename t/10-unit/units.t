# The C unit tests of $PODI_BUILD/unit, one subtest a program.

use strict;
use warnings;
use Test::More;
use Podi::Repo qw( root files );

my $dir = ($ENV{PODI_BUILD} // root() . '/var/build') . '/unit';
my @programs = grep { -f && -x } glob "$dir/*";
my %built = map { m{([^/]+)$} => 1 } @programs;


# passes the points of a program on
sub run
{
    my ($program) = @_;
    my ($plan, $n);

    open my $out, '-|', $program or return fail("$program: $!");
    while (my $line = <$out>) {
        if ($line =~ /^(not )?ok\b(?: \d+)?(?: - )?(.*)/) {
            $n++;
            ok !$1, $2;

        } elsif ($line =~ /^1\.\.(\d+)/) {
            $plan = $1;

        } elsif ($line =~ /^# ?(.*)/) {
            diag $1;
        }
    }
    close $out;

    is $?, 0, 'it ends well';
    is $n // 0, $plan // -1, 'it runs all that it planned';
    done_testing;
}


plan skip_all => "no unit tests are built in $dir" if !@programs;

for my $program (sort @programs) {
    subtest $program =~ s{.*/}{}r => sub { run($program) };
}

is join(' ', grep { !$built{$_} }
             map { m{([^/]+)\.c$} } files(qr/\.c$/, 't/10-unit')), '',
   'every unit test of the tree is built';

done_testing;
