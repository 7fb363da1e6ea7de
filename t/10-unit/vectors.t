# The published signature vectors, through `./build.sh vectors`.

use strict;
use warnings;
use Test::More;
use Podi::Repo qw( root );

my $file = root() . '/../shared/vectors/signature-vectors.json';

plan skip_all => 'skip: ../shared/vectors is not here' if !-f $file;

my $program = ($ENV{PODI_BUILD} // root() . '/var/build') . '/vectors';
my @lines = qx('$program' '$file');

is $?, 0, 'the vectors runner ends well';
is scalar(grep { /^not ok/ } @lines), 0, 'no vector is missed'
    or diag grep { /^not ok/ } @lines;
cmp_ok scalar(grep { /^ok/ && !/# skip/i } @lines), '>=', 48,
    'the algorithms of this release are all tried';

done_testing;
