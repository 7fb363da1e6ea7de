#!/usr/bin/perl

# Writes the generated pages of docs/: docs/gen.pl [file...]

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../t/lib";
use Podi::Gen;
use Podi::Repo qw( root );

my @files = @ARGV ? @ARGV : sort keys %Podi::Gen::MAKE;

for my $file (@files) {
    my $make = $Podi::Gen::MAKE{$file} or die "$file is not generated\n";
    my ($pg, $dbh);

    if ($file eq 'docs/schema.md') {
        require Podi::Pg;
        $pg = Podi::Pg->new;
        $dbh = $pg->super($pg->database);
    }

    my $text = $make->($dbh);
    open my $out, '>:encoding(UTF-8)', root() . "/$file" or die "$file: $!\n";
    print $out $text;
    close $out or die "$file: $!\n";
}
