package Test::Nginx::Socket::Genuine;

# What the genuine Test::Nginx::Socket finds in its environment when
# PODI_TEST_NGINX_LIB asks for it: a port and a directory of the suite's own,
# which Set puts there as for our runner, and an nginx whose first words are in
# logs/error.log.
#
# Debian's nginx is built with its error log on stderr.  What it says before it
# has read error_log, every [emerg] of a configuration, goes there; one that is
# built as nginx.org does it writes to logs/error.log under the prefix, and that
# is where the genuine runner looks.

use strict;
use warnings;
use File::Temp ();
use Test::Nginx::Socket::Set qw( %Set bail_out );

# a package variable, so that it lives as long as the suite
our $Dir = File::Temp->newdir('podi-g-XXXXXX', TMPDIR => 1);

$ENV{TEST_NGINX_BINARY} = _binary("$Dir/nginx");


sub _binary
{
    my ($path) = @_;

    open my $out, '>', $path or bail_out("$path: $!");
    print $out "#!/bin/sh\nexec $Set{binary} -e $Set{root}/logs/error.log"
               . " \"\$@\"\n";
    close $out or bail_out("$path: $!");
    chmod 0755, $path or bail_out("$path: $!");
    return $path;
}

1;
