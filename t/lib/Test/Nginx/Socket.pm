package Test::Nginx::Socket;

# A small runner of the Test::Nginx declarative format.
#
#     __DATA__ -> blocks -> nginx (restarted when its configuration changes)
#              -> requests -> checks of the block -> guards of every block
#
# A suite written for it passes unchanged with the genuine Test::Nginx::Socket:
# the same sections, the same number of test points.  What this runner adds is
# silent when all is well and fails the file otherwise: no alert, no error line
# that the block did not ask for, no sanitizer report, nothing left behind,
# and every JSON answer under /v1 as docs/openapi.yaml says.
#
# With PODI_TEST_NGINX_LIB in the environment the genuine one is loaded from
# that directory instead, whatever the order of @INC; t/10-unit/runner.t then
# asks both the same questions.

use strict;
use warnings;

BEGIN {
    if (my $lib = $ENV{PODI_TEST_NGINX_LIB}) {
        require Test::Nginx::Socket::Genuine;
        unshift @INC, $lib;
        require "$lib/Test/Nginx/Socket.pm";

    } else {
        require Test::Nginx::Socket::Run;
        no warnings 'once';
        *import = \&Test::Nginx::Socket::Run::import;
    }
}

1;
