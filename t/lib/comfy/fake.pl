#!/usr/bin/env perl
#
# A fake ComfyUI in one process: HTTP and WebSocket on 127.0.0.1, nodes without
# models, everything in memory but the pictures.
#
#     perl -It/lib t/lib/comfy/fake.pl [--port N] [--dir D] [--disable-metadata]
#         [--lax] [--set '{"version":"0.3.50"}'] [--servers N]
#
# Prints its port on the first line and stays; ends on SIGTERM.  Several
# servers have a line, and a folder 1, 2, .. each.  Without --dir its folders go
# with it.  What it takes and how it can be made to fail:
# Podi::Comfy::Switch.

use strict;
use warnings;
use File::Basename qw( dirname );
use File::Temp ();
use Getopt::Long qw( GetOptions );
use POSIX ();

use Podi::Comfy::Json qw( decode );
use Podi::Comfy::Server ();

my ($port, $dir, $plain, $lax, $set, $servers) = (0);

GetOptions('port=i' => \$port, 'dir=s' => \$dir, 'lax' => \$lax,
           'disable-metadata' => \$plain, 'set=s' => \$set,
           'servers=i' => \$servers) && !@ARGV
    or die "usage: fake.pl [--port N] [--dir D] [--disable-metadata] [--lax] "
        . "[--set JSON] [--servers N]\n";

my $temporary = $dir ? undef : File::Temp->newdir('podi-comfy-XXXXXX',
                                                  TMPDIR => 1);
my $home = $dir // "$temporary";
my @server;

for my $folder ($servers ? map { "$home/$_" } 1 .. $servers : $home) {
    mkdir $folder;
    push @server, Podi::Comfy::Server->new(port => $port, dir => $folder,
        data => dirname(__FILE__), beside => $server[0],
        switch => { disable_metadata => $plain ? 1 : 0, strict => $lax ? 0 : 1,
                    %{ (defined $set ? decode($set) : undef) // {} } });
}

$SIG{TERM} = $SIG{INT} = sub { exit 0 };
$SIG{PIPE} = 'IGNORE';
$| = 1;
print map { $_->port . "\n" } @server;
$server[0]->run;
