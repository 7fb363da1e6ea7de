package Podi::Repo;

# What the lint tests and the generators read from the tree: files by kind, the
# .def tables, the C function bodies, the route and command tables.

use strict;
use warnings;
use Cwd ();
use Exporter 'import';
use File::Basename qw( dirname );
use File::Find ();

our @EXPORT_OK = qw( root files slurp relative def errors advices events
                     functions without_comments routes directives );

my $root = Cwd::abs_path(dirname(__FILE__) . '/../../..');


sub root { $root }

sub slurp
{
    my ($file) = @_;

    $file = "$root/$file" if $file !~ m{^/};
    open my $in, '<:encoding(UTF-8)', $file or die "$file: $!";
    local $/;
    return scalar <$in>;
}


# paths relative to the root, of files whose name matches, under these folders
sub files
{
    my ($like, @dirs) = @_;
    my @found;

    for my $dir (map { "$root/$_" } @dirs) {
        next if !-e $dir;
        File::Find::find({ no_chdir => 1, wanted => sub {
            $File::Find::prune = 1, return if m{/(?:\.git|var)$};
            push @found, $_ if -f && m{$like};
        } }, $dir);
    }

    return sort map { s{^\Q$root\E/}{}r } @found;
}


# the rows of a .def table: each a list of its arguments, strings unquoted
sub def
{
    my ($file, $macro) = @_;
    my $text = without_comments(slurp($file), 1);
    my @rows;

    while ($text =~ /^\Q$macro\E\(((?:[^()"]|"(?:[^"\\]|\\.)*"|\([^()]*\))*)\)/mg) {
        my $args = $1;
        my @cells;

        while ($args =~ /\G\s*((?:"(?:[^"\\]|\\.)*"\s*)+|[^,"]+)(?:,|$)/g) {
            my $cell = $1;

            $cell = join '', $cell =~ /"((?:[^"\\]|\\.)*)"/g if $cell =~ /^"/;
            push @cells, $cell =~ s/^\s+|\s+$//gr;
        }
        push @rows, \@cells;
    }

    return @rows;
}


sub errors
{
    return map { my %row;
        @row{qw( id code sqlstate http retry en zh todo advice )} = @$_;
        \%row } def('shared/base/podi_errors.def', 'PODI_E');
}


# what can be done about a job that failed
sub advices
{
    return map { my %row;
        @row{qw( id word en zh )} = @$_;
        \%row } def('shared/base/podi_errors.def', 'PODI_ADVICE');
}


sub events
{
    return map { my %row;
        @row{qw( id type kind when data )} = @$_;
        \%row } def('shared/base/podi_events.def', 'PODI_EVENT');
}


# C text with comments blanked; strings too unless they are kept
sub without_comments
{
    my ($text, $keep_strings) = @_;
    my $blank = sub { $_[0] =~ s/[^\n]/ /gr };

    $text =~ s{(/\*.*?\*/|(?<!:)//[^\n]*)|("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')}{
        defined $1 ? $blank->($1) : $keep_strings ? $2
                                  : substr($2, 0, 1) . $blank->(substr $2, 1, -1)
                                    . substr($2, -1) }gse;
    return $text;
}


# functions of our style: name in column 0, "{" and "}" alone in column 0
sub functions
{
    my ($text) = @_;
    my @lines = split /\n/, without_comments($text);
    my ($open, $name, @found);

    for my $i (0 .. $#lines) {
        if ($lines[$i] =~ /^(\w+)\(/) {
            $name = $1;

        } elsif ($lines[$i] =~ /^\{/ && defined $name) {
            $open = $i;

        } elsif ($lines[$i] =~ /^\}/ && defined $open) {
            push @found, { name => $name, line => $open + 1,
                           lines => $i - $open - 1 };
            ($open, $name) = ();
        }
    }

    return @found;
}


# the rows of ngx_podi_route_t tables: method, path, flags, file
sub routes
{
    my @rows;

    for my $file (files(qr/\.c$/, 'ngx_podi_module')) {
        my $text = without_comments(slurp($file), 1);

        while ($text =~ /\{\s*NGX_HTTP_(GET|POST|PUT|DELETE|PATCH)\s*,\s*
                         "([^"]+)"\s*,\s*(\w+)\s*,\s*([^{}]*?)\s*\}/gx) {
            push @rows, { method => lc $1, path => $2, handler => $3,
                          flags => $4, file => $file };
        }
    }

    return @rows;
}


# the rows of ngx_command_t tables: name, contexts, file
sub directives
{
    my @rows;

    for my $file (files(qr/\.c$/, 'ngx_podi_module')) {
        my $text = without_comments(slurp($file), 1);

        while ($text =~ /\{\s*ngx_string\("(podi\w*)"\)\s*,
                         \s*(NGX_[^,{}]+?)\s*,/gx) {
            my ($name, $flags) = ($1, $2);
            my @where = map { { MAIN => 'http', SRV => 'server', LOC => 'location',
                                LIF => 'if in location', SIF => 'if in server',
                              }->{$_} // () } $flags =~ /NGX_HTTP_(\w+?)_CONF/g;

            push @where, 'main' if $flags =~ /NGX_MAIN_CONF/;
            push @rows, { name => $name, file => $file, where => \@where,
                          module => (split m{/}, $file)[1] };
        }
    }

    return @rows;
}

1;
