# Files of at most 500 lines (tests 700), functions of at most 60 (tests 120),
# in C and SQL.
#
# size.excused lists what may be longer, with the number of lines it has.  The
# list may only shrink: an entry that is too generous, or needed no more, fails.

use strict;
use warnings;
use Test::More;
use Podi::Repo qw( files slurp functions );

my %FILE = (code => 500, test => 700);
my %FUNCTION = (code => 60, test => 120);


# what is too long, as "name" => lines
sub long
{
    my ($file, $text) = @_;
    my $lines = $text =~ tr/\n//;
    my $kind = $file =~ m{^t/} ? 'test' : 'code';
    my %long;

    $long{$file} = $lines if $lines > $FILE{$kind};

    if ($file =~ /\.c$/) {
        $_->{lines} > $FUNCTION{$kind} and $long{"$file:$_->{name}"} = $_->{lines}
            for functions($text);

    } elsif ($file =~ m{^migrations/(?:api|sys|internal)/}) {
        while ($text =~ /\bas (\$\w*\$)\n(.*?)^\1/gms) {
            my $n = $2 =~ tr/\n//;
            $long{"$file:body"} = $n if $n > $FUNCTION{code};
        }
    }

    return %long;
}


# complaints about one length: what is not excused, or excused too generously
sub judge
{
    my ($name, $lines, $excused) = @_;

    return "$name has $lines lines" if !defined $excused;
    return "$name grew from $excused to $lines" if $lines > $excused;
    return "excuse $name with $lines only" if $lines < $excused;
    return;
}


# what must be seen

my %planted = (
    long('shared/base/x.c', "a\n" x 501),
    long('shared/base/y.c', "int\nf(void)\n{\n" . "    a();\n" x 61 . "}\n"),
    long('migrations/api/z.sql', "as \$\$\n" . "x\n" x 61 . "\$\$;\n"),
    long('shared/base/ok.c', "int\nf(void)\n{\n" . "    a();\n" x 60 . "}\n"),
);
is join(' ', sort keys %planted),
   'migrations/api/z.sql:body shared/base/x.c shared/base/y.c:f',
   'what is too long is seen, what is not is not';
is judge('a', 70, 65), 'a grew from 65 to 70', 'growth is seen';
is judge('a', 62, 65), 'excuse a with 62 only', 'a generous excuse is seen';

# the tree

my %excused = map { /^(\S+)\s+(\d+)/ ? ($1 => $2) : () }
    split /\n/, slurp('t/00-lint/size.excused');
my %long = map { long($_, slurp($_)) }
    files(qr/\.(?:[ch]|sql|sh|pl|pm|t|lua|def)$/,
          qw( shared ngx_podi_module workers migrations conf t docs )),
    'build.sh';
my @bad = map { judge($_, $long{$_}, $excused{$_}) } sort keys %long;

push @bad, map { "$_ needs no excuse" } grep { !exists $long{$_} }
    sort keys %excused;
is join("\n", @bad), '', 'files and functions keep their size';

done_testing;
