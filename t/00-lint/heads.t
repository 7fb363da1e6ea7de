# The head of each SQL function says who calls it, and that is so: what it names
# does call it, and whoever calls it is named.
#
# Names: api.x, sys.x, internal.x; files and directories of ngx_podi_module;
# podi_janitord, podictl, workers/skeleton.  General words ("api functions that
# write", "what makes an id") are for helpers; they are not checked.

use strict;
use warnings;
use Test::More;
use Podi::Repo qw( files slurp def );

my $FUNCTION = qr/\b(?:api|sys|internal)\.\w+/;


# the names in a text of "Called:", and whether it has general words too
sub names
{
    my ($text) = @_;
    my @name = $text =~ m{($FUNCTION|\bworkers/skeleton|\bpodi_\w+d\b
                          |\bpodictl\b|\b[a-z]+/(?:\w+\.c)?)}gx;

    return ($text =~ /\b(?:what|whatever|functions?|policies|triggers|unit|every)\b|\.\*/
            ? 1 : 0, @name);
}


# complaints about one function: its head, and where it is called
sub judge
{
    my ($function, $called, @callers) = @_;
    my ($general, @name) = names($called);
    my @bad;

    return "$function: Called is empty" if !@name && !$general;

    for my $name (@name) {
        push @bad, "$function: $name does not call it"
            if !grep { index($_, $name) == 0 } @callers;
    }

    return @bad if $general;

    for my $caller (@callers) {
        push @bad, "$function: $caller calls it, too"
            if !grep { index($caller, $_) == 0 } @name;
    }

    return @bad;
}


# what must be seen

is_deeply [judge('sys.f', 'sys.g', 'sys.h')],
   ['sys.f: sys.g does not call it', 'sys.f: sys.h calls it, too'],
   'a wrong name is seen from both sides';
is_deeply [judge('sys.f', 'podi_xd', 'podi_xd/a.c', 'podictl/b.c')],
   ['sys.f: podictl/b.c calls it, too'], 'a caller without a name is seen';
is_deeply [judge('internal.f', 'sys.g, internal.h', 'sys.g', 'internal.h')], [],
   'the truth is none';
is_deeply [judge('api.f', 'event/, when asked', 'event/x.c')], [],
   'a directory is enough';

# the tree

my %callers;
my %head;

for my $file (files(qr/\.sql$/, map { "migrations/$_" } qw( api sys internal ))) {
    my ($schema, $name) = $file =~ m{(\w+)/(\w+)\.sql$} or next;
    my ($head, $body) = split /^create or replace /m, slurp($file), 2;
    my %seen;

    ($head{"$schema.$name"}) = $head =~ /^-- Called:(.*?)^--(?: -|$)/ms;
    $body =~ s/^\s*--.*$//mg;
    push @{ $callers{$_} }, "$schema.$name"
        for grep { $_ ne "$schema.$name" && !$seen{$_}++ }
            $body =~ /($FUNCTION)\s*\(/g;
}

my %sent;
for my $row (def('shared/store/podi_statements.def', 'PODI_SQL')) {
    $sent{"PODI_SQL_$row->[0]"} = $1 if $row->[3] =~ /($FUNCTION)\(/;
}

for my $file (files(qr/\.c$/, qw( ngx_podi_module workers ))) {
    my %seen;
    my $short = $file =~ s{^ngx_podi_module/}{}r =~ s{^workers/(?=podi)}{}r;

    push @{ $callers{ $sent{$_} } }, $short
        for grep { $sent{$_} && !$seen{$_}++ }
            slurp($file) =~ /\b(PODI_SQL_\w+)\b/g;
}

my @bad = map { my $text = $head{$_} // ''; $text =~ s/^--\s*/ /mg;
                judge($_, $text, @{ $callers{$_} // [] }) } sort keys %head;
is join("\n", @bad), '', 'heads name those who call';

done_testing;
