# The generated pages are current, the README shows the two commands, every
# link to a file of the repository leads somewhere.

use strict;
use warnings;
use Test::More;
use Podi::Gen;
use Podi::Pg;
use Podi::Repo qw( root files slurp );


# links and inline paths of a page that lead nowhere
sub dead_links
{
    my ($file, $text, $exists) = @_;
    my ($dir) = $file =~ m{^(.*/)};
    my @dead;

    $text =~ s/^(```).*?^\1//gms;
    while ($text =~ /\]\(([^)\s#]+)(?:#[^)]*)?\)/g) {
        my $to = $1;

        next if $to =~ m{^(?:https?|mailto):};
        my $path = $to =~ m{^/} ? substr($to, 1) : ($dir // '') . $to;
        1 while $path =~ s{(?:^|/)(?!\.\.)[^/]+/\.\.(?=/|$)}{};
        $path =~ s{^\.?/}{};
        push @dead, $to if !$exists->($path);
    }

    return @dead;
}


sub stale
{
    my ($file, $made, $have) = @_;

    return $made eq $have ? () : "$file is not current: run docs/gen.pl $file";
}


# what must be seen

is join(' ', dead_links('docs/a.md', '[x](b.md) [y](../c.md)',
                        sub { $_[0] eq 'c.md' })), 'b.md',
   'a dead link is seen';
is join(' ', stale('x.md', 'new', 'old')),
   'x.md is not current: run docs/gen.pl x.md', 'a stale page is seen';

# the tree

my $pg = Podi::Pg->new;
my $dbh = $pg->super($pg->database);

for my $file (sort keys %Podi::Gen::MAKE) {
    is join('', stale($file, $Podi::Gen::MAKE{$file}->($dbh),
                      -f root() . "/$file" ? slurp($file) : '')), '',
       "$file is current";
}

for my $file (files(qr/\.md$/, 'docs', 't'),
              grep { -f root() . "/$_" }
              qw( README.md README.zh-CN.md INSTALL.md ))
{
    is join(' ', dead_links($file, slurp($file),
                            sub { -e root() . "/$_[0]" })), '',
       "the links of $file lead somewhere";
}

SKIP: {
    ok -f root() . '/README.md', 'there is a README' or skip 'none', 2;
    my $readme = slurp('README.md');
    like $readme, qr{^\s*\./build\.sh demo\b}m, 'it shows how to see it run';
    like $readme, qr{^\s*\./build\.sh test\b}m, 'and how to test it';
}

done_testing;
