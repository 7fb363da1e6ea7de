package Podi::Door;

# ./build.sh on the stack that `./build.sh test` has started.
#
#     my ($status, $said, $progress) = verb('status', PODI_SANDBOX => 1);

use strict;
use warnings;
use Exporter 'import';
use Podi::Repo qw( root );

our @EXPORT_OK = qw( verb );


# a verb: exit status, stdout, stderr
sub verb
{
    my ($verb, %env) = @_;
    my $errors = "$ENV{PODI_TEST_STACK}/tmp-verb.log";

    local @ENV{keys %env} = values %env;
    my $said = qx(${\ root() }/build.sh $verb 2>$errors < /dev/null);
    my $status = $? >> 8;

    open my $in, '<', $errors or die "$errors: $!";
    my $progress = do { local $/; <$in> };
    unlink $errors;

    return ($status, $said, $progress);
}

1;
