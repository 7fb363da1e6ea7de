# The points of podi_faults.def are those of the code, each there once.

use strict;
use warnings;
use Test::More;
use Podi::Repo qw( files slurp without_comments );

my %WHO = map { $_ => 1 } qw( imaged echod dispatchd janitord nginx
                        runnerd );
my %PEER = map { $_ => 1 } qw( pg redis store none );


sub points
{
    my ($text) = @_;

    return $text =~ /^PODI_FAULT_POINT\((\w+), (\w+), (\w+), "[^"]+"\)$/mg;
}


# the points of a file of C
sub used
{
    my ($text) = @_;

    return without_comments($text) =~ /\bPODI_FAULT\((\w+)\);/g;
}


sub wrong
{
    my ($table, @used) = @_;
    my @points = points($table);
    my (%at, %row, @bad);

    $at{$_}++ for @used;
    while (my ($name, $who, $peer) = splice @points, 0, 3) {
        push @bad, "$name twice in the table" if $row{$name}++;
        push @bad, "$name: who is $who" if !$WHO{$who};
        push @bad, "$name: what peer is $peer" if !$PEER{$peer};
        push @bad, "$name is nowhere" if !$at{$name};
        push @bad, "$name is in $at{$name} places" if ($at{$name} // 1) > 1;
    }
    return sort @bad, map { "$_ is in no table" } grep { !$row{$_} } keys %at;
}


# what must be seen

my $row = 'PODI_FAULT_POINT(a, imaged, pg, "x")' . "\n";

is join(' ', wrong($row, 'a')), '', 'a point that is there is fine';
is join(' ', wrong($row)), 'a is nowhere', 'one that is not is seen';
is join(' ', wrong($row, qw( a b ))), 'b is in no table',
    'as is one that nobody knows of';
is join(' ', wrong($row, qw( a a ))), 'a is in 2 places', '... or two of one';
is join(' ', wrong($row =~ s/imaged/nobody/r, 'a')), 'a: who is nobody',
    '... or one that no test waits for';

# the tree

my $table = slurp('shared/base/podi_faults.def');
my @used = map { used(slurp($_)) } files(qr/\.c$/,
    qw( shared ngx_podi_module workers ));

cmp_ok scalar(@used), '>=', 25, 'there are points enough';
is join("\n", wrong($table, @used)), '', 'the table and the code agree';

done_testing;
