# A directive is in the command table, on a page of docs/directives with the
# same contexts and default, in conf/ (perhaps commented out), and in a test.
#
#     ## podi_deadline
#
#     Syntax:  podi_deadline time;
#     Default: podi_deadline 10s;          or: none
#     Context: http, server, location

use strict;
use warnings;
use Test::More;
use Podi::Repo qw( files slurp directives without_comments );


sub pages
{
    my ($text) = @_;
    my %page;

    while ($text =~ /^## `?(podi\w*)`?\n(.*?)(?=^## |\z)/gms) {
        my ($name, $body) = ($1, $2);

        $page{$name} = { map { /^\W*(Syntax|Default|Context)\W*:\W*?\s*(.*?)\W*$/
                               ? (lc $1 => $2) : () } split /\n/, $body };
    }

    return \%page;
}


# "10s", "64m", "on" and C's "10 * 1000" as one number, if they are numbers
sub number
{
    my ($text, $unit) = @_;
    my %factor = (k => 1024, m => 1048576, g => 1073741824);

    return undef if !defined $text;
    $text =~ s/(?<=\d)u?l+\b//gi;
    return { on => 1, off => 0 }->{$text} if $text =~ /^(?:on|off)$/;
    return $1 * ($unit eq 'msec' ? 1 : 0.001) if $text =~ /^(\d+)ms$/;
    return $1 * { s => 1, m => 60, h => 3600, d => 86400 }->{$2}
              * ($unit eq 'msec' ? 1000 : 1)
        if $unit =~ /^m?sec$/ && $text =~ /^(\d+)([smhd])$/;
    return $1 * $factor{ lc $2 } if $text =~ /^(\d+)([kmg])$/i;
    return eval $text if $text =~ /^[\d\s*+()]+$/;
    return undef;
}


# what the C says is the default of a directive: (text, unit) or ()
sub preset
{
    my ($name, $c) = @_;
    my ($slot, $field) = $c =~ /ngx_string\("$name"\)[^}]*?ngx_conf_set_(\w+)_slot
                                [^}]*?offsetof\(\w+,\s*(\w+)\)/sx or return;
    my ($value) = $c =~ /ngx_conf_(?:merge|init)_\w+\(\s*\w+->$field,
                         (?:\s*\w+->$field,)?\s*([^;]+?)\);/sx or return;

    return ($value, $slot);
}


sub faults
{
    my ($rows, $page, $c, $conf, $tests) = @_;
    my (@bad, %known);

    for my $row (@$rows) {
        my $name = $row->{name};
        my $doc = $page->{$name};

        $known{$name} = 1;
        push @bad, "$name is not in conf/" if $conf !~ /\b$name\b/;
        push @bad, "$name is in no test" if $tests !~ /\b$name\b/;

        if (!$doc) {
            push @bad, "$name is on no page";
            next;
        }

        my $want = join ', ', sort @{ $row->{where} };
        my $have = join ', ', sort split /,\s*/, $doc->{context} // '';
        push @bad, "$name: context is $want, the page says $have"
            if $want ne $have;
        push @bad, "$name: the page has no Syntax"
            if ($doc->{syntax} // '') !~ /^$name\b/;
        push @bad, _default($name, $doc, ref $c ? $c->{ $row->{module} } : $c);
    }

    push @bad, map { "$_ is on a page and nowhere else" }
        grep { !$known{$_} } sort keys %$page;
    return @bad;
}


sub _default
{
    my ($name, $doc, $c) = @_;
    my ($text, $unit) = preset($name, $c);
    my ($said) = ($doc->{default} // '') =~ /^$name\s+(\S+?);?$/;

    return "$name: the page has no Default" if !defined $doc->{default};
    return if !defined $text;

    my ($is, $told) = (number($text, $unit), number($said, $unit));
    return if !defined $is;
    return "$name: default is $text, the page says " . ($said // 'none')
        if !defined $told || $is != $told;
    return;
}


# what must be seen

my $row = { name => 'podi_x', where => [ 'http', 'location' ] };
my $code = 'ngx_string("podi_x"), A, ngx_conf_set_msec_slot, B,'
    . ' offsetof(t, x), NULL }; ngx_conf_merge_msec_value(c->x, p->x, 10 * 1000);';
my $right = "## podi_x\n\n    Syntax:  podi_x time;\n"
    . "    Default: podi_x 10s;\n    Context: http, location\n";

is join(' ', faults([$row], pages($right), $code, 'podi_x', 'podi_x')), '',
   'a directive that is everywhere is right';
is join(' ', faults([$row], pages($right =~ s/10s/5s/r), $code, 'podi_x',
                    'podi_x')),
   'podi_x: default is 10 * 1000, the page says 5s', 'another default is seen';
is join(' ', faults([$row], pages($right =~ s/, location//r), $code, 'podi_x',
                    'podi_x')),
   'podi_x: context is http, location, the page says http',
   'another context is seen';
is join(', ', faults([$row], {}, $code, '', '')),
   'podi_x is not in conf/, podi_x is in no test, podi_x is on no page',
   'a directive that is nowhere else is seen';
is join(' ', faults([], pages($right), '', '', '')),
   'podi_x is on a page and nowhere else', 'a page of nothing is seen';

# the tree

my $all = sub { join '', map { slurp($_) } files(@_) };
my @rows = directives();
my %c;                                   # fields of two modules may be namesakes

$c{ (split m{/})[1] } .= without_comments(slurp($_), 1)
    for files(qr/\.[ch]$/, 'ngx_podi_module');

cmp_ok scalar @rows, '>', 0, 'there are directives';
my $conf = $all->(qr/\.conf$/, 'conf');
my $used = $conf =~ s/#.*//gr;           # every stack of a test runs with these
my $tests = $all->(qr/\.t$/, map { "t/$_" } qw( 30-http 50-fault ));

is join("\n", faults(\@rows, pages($all->(qr/\.md$/, 'docs/directives')), \%c,
                     $conf, $tests . $used)),
   '', 'directives, pages, conf and tests agree';

done_testing;
