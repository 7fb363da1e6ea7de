# What is never written: unsafe functions, the heap inside nginx, SQL outside
# its table, waiting by sleeping, words that belong to somebody's machine.

use strict;
use warnings;
use Test::More;
use Podi::Repo qw( files slurp without_comments );

my $unsafe = qr/\b(strcpy|strcat|strncpy|strncat|sprintf|vsprintf|strtok|gets|
                   atoi|atol|gmtime|localtime|system|popen|alloca)\s*\(/x;
my $heap = qr/(?<![>.\w])(malloc|calloc|realloc|free|strdup|strndup|asprintf)\s*\(/;
my $sql = qr/"\s*(select\s|insert\s+into\s|update\s+\w|delete\s+from\s|
                  begin\b|commit\b|rollback\b|with\s+\w+\s+as\s*\()/xi;
my $lua = qr/"[^"\n]*\bredis\.call\b/;
my $sleep = qr/\b((?:u|nano)?sleep)\s*(?:\(|[\d\$])|\bselect\s+undef,\s*undef
               |^---[ ]wait\b/mx;
my $machine = join '|', map { quotemeta } '/work/' . 'main',
    '/work/' . 'shared', '/tmp/' . 'podi/', '/root/' . '.';


sub bad
{
    my ($file, $text) = @_;
    my $c = $file =~ /\.[ch]$/ && $file !~ m{/banned\.h$};
    my $code = $c ? without_comments($text) : $text;
    my $strings = $c ? without_comments($text, 1) : '';
    my @bad;

    push @bad, "$1()" if $c && $code =~ $unsafe;
    push @bad, "$1() in nginx" if $file =~ m{^ngx_podi_module/}
                                  && $code =~ $heap;
    push @bad, "SQL: $1" if $c && $file !~ m{^t/} && $strings =~ $sql;
    push @bad, 'Lua text' if $c && $strings =~ $lua;
    push @bad, 'banned.h is not included last'
        if $file =~ m{^(?:shared|workers)/.*\.c$} && !_banned_last($text);
    push @bad, 'a line of ' . _wide($text) . ' columns' if $c && _wide($text);
    push @bad, 'a sleep' if $file =~ m{^t/.*\.(?:t|c)$}
                            && $file !~ m{/banned\.t$} && $code =~ $sleep;
    push @bad, 'an unfinished place: ' . $1
        if $file !~ m{/banned\.t$} && $text =~ /\b(TODO|FIXME|HACK)\b[:\s(]/;
    push @bad, '#if 0' if $c && $text =~ /^\s*#\s*if\s+0\b/m;
    push @bad, "somebody's machine: $1" if $text =~ /($machine)/;
    return @bad;
}


sub _banned_last
{
    my ($text) = @_;
    my @includes = $text =~ /^#\s*include\s+[<"](\S+)[>"]/mg;

    # tables are included where they are used
    @includes = grep { !/\.def$|_texts\.h$/ } @includes;
    return !@includes || $includes[-1] eq 'banned.h';
}


# the widest line, when it is too wide
sub _wide
{
    my ($text) = @_;
    my ($most) = sort { $b <=> $a } map { length } split /\n/, $text;

    return ($most // 0) > 80 ? $most : 0;
}


# what must be seen

for my $case (
    [ 'shared/base/x.c', qq{#include "banned.h"\n strcpy(a, b);\n},
      'strcpy()' ],
    [ 'ngx_podi_module/core/x.c', "p = malloc(3);\n", 'malloc() in nginx' ],
    [ 'ngx_podi_module/core/x.c', qq{q = "select 1 from t";\n},
      'SQL: select ' ],
    [ 'shared/base/x.c', qq{#include "banned.h"\n#include <stdio.h>\n},
      'banned.h is not included last' ],
    [ 't/30-http/x.t', "sleep 1;\n", 'a sleep' ],
    [ 't/30-http/y.t', "=== TEST 1\n--- wait: 0.1\n", 'a sleep' ],
    [ 'docs/x.md', 'T' . "ODO: write\n", 'an unfinished place: ' . 'TO' . 'DO' ],
    [ 'ngx_podi_module/core/x.c', "#if 0\n", '#if 0' ],
    [ 'docs/x.md', '/work/' . "main/t\n", "somebody's machine: /work/" . 'main' ],
    [ 'ngx_podi_module/core/x.c', '/* ' . 'x' x 80 . " */\n",
      'a line of 86 columns' ],
    [ 'ngx_podi_module/core/x.c', qq{/* strcpy(a) */ s = "malloc(3)";\n}, '' ],
) {
    my ($file, $text, $want) = @$case;
    is join(', ', bad($file, $text)), $want,
       $want eq '' ? 'comments and strings are let be' : "$want is seen";
}

# the tree

for my $file (files(qr/\.(?:[ch]|def|sql|sh|pl|pm|t|lua|md|yaml|conf)$/,
                    qw( shared ngx_podi_module workers migrations conf t docs )),
              grep { -f } qw( build.sh README.md README.zh-CN.md INSTALL.md ))
{
    my @bad = bad($file, slurp($file));
    is join(', ', @bad), '', "$file has nothing that is banned" if @bad;
}

pass('the tree was read');
done_testing;
