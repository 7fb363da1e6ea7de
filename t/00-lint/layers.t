# Who may include whom: the arrows of docs/ARCHITECTURE.md, as a test.

use strict;
use warnings;
use Test::More;
use Podi::Repo qw( files slurp without_comments );

my @pure = map { "shared/$_" } qw( base codec flow );
my @core = (@pure, qw( shared/store shared/net shared/domain ));

my %may = (
    'shared/base'          => [],
    'shared/codec'         => [qw( shared/base )],
    'shared/flow'          => [qw( shared/base )],
    'shared/domain'        => [qw( shared/base shared/codec )],
    'shared/net'           => [@pure],
    'shared/store'         => [@pure],
    'ngx_podi_module/core' => [@core],
    'ngx_podi_module/*'    => [@core, 'ngx_podi_module/core'],
    'workers/skeleton'     => [@core],
    'workers/*'            => [@core, 'workers/skeleton'],
);

# a pure layer asks neither the clock nor the world
my $impure = qr/\b(?:time|clock_gettime|gettimeofday|podi_time_now|open|read|
                    write|socket|connect|getenv|fopen|rand|random)\s*\(/x;

my @sources = files(qr/\.[ch]$/, qw( shared ngx_podi_module workers ));
my %home = map { m{^(.*)/([^/]+\.h)$} ? ($2 => $1) : () } @sources;


sub wrong
{
    my ($file, $text) = @_;
    my ($layer) = $file =~ m{^(.*)/};
    my $allowed = $may{$layer} // $may{ $layer =~ s{/[^/]+$}{/*}r };
    my @bad;

    return "$layer is no layer" if !$allowed;

    my %ok = map { $_ => 1 } @$allowed, $layer;
    my $code = without_comments($text, 1);

    while ($code =~ /^\s*#\s*include\s+["<](?:[^">]*\/)?([^">\/]+)[">]/mg) {
        push @bad, $1 if exists $home{$1} && !$ok{ $home{$1} };
    }

    $code = without_comments($text);
    push @bad, $1 if $layer !~ /^ngx_podi_module/ && $code =~ /\b(ngx_\w+)/;
    push @bad, "uv: $1" if $layer !~ m{^workers|^shared/net}
                           && $code =~ /\b(uv_\w+)/;
    push @bad, "impure: $1" if $layer eq 'shared/domain'
                               && $code =~ /($impure)/;
    return @bad;
}


# what must be seen

is join(' ', wrong('shared/codec/x.c', qq{#include "podi_pg.h"\n})),
   'podi_pg.h', 'codec that knows the store is seen';
is join(' ', wrong('ngx_podi_module/wallet/x.c',
                   qq{#include "ngx_http_podi_task.h"\n})),
   'ngx_http_podi_task.h', 'a feature that knows another is seen';
is join(' ', wrong('shared/store/x.c', "ngx_log_t *log;\n")), 'ngx_log_t',
   'shared/ that knows nginx is seen';
is join(' ', wrong('shared/domain/x.c', "    now = time(NULL);\n")),
   'impure: time(', 'a rule that asks the clock is seen';
is join(' ', wrong('shared/store/x.c', qq{/* ngx_ */\n#include "podi_buf.h"\n})),
   '', 'what is allowed is allowed';

# the tree

for my $file (@sources) {
    is join(' ', wrong($file, slurp($file))), '', "$file looks only down";
}

done_testing;
