# Every route in C has an operation in docs/openapi.yaml and every operation a
# route, with the same need for an identity.

use strict;
use warnings;
use Test::More;
use Podi::OpenAPI;
use Podi::Repo qw( routes );


# "get /v1/tasks/{}": names of path parts are each side's own
sub key
{
    my ($method, $path) = @_;

    return "$method " . $path =~ s/\{\w*\}/{}/gr;
}


sub differences
{
    my ($routes, $operations) = @_;
    my %route = map { key(@{$_}{qw( method path )}) => $_ } @$routes;
    my %operation = map { key(split ' ', $_->{name}) => $_ } @$operations;
    my @bad;

    push @bad, map { "$_ has no operation" } grep { !$operation{$_} }
        sort keys %route;
    push @bad, map { "$_ has no route" } grep { !$route{$_} }
        sort keys %operation;
    push @bad, map { "$_: anonymous in one of the two only" }
        grep { $operation{$_} && !($route{$_}{flags} =~ /ANON/)
               != !$operation{$_}{anon} } sort keys %route;
    return @bad;
}


# what must be seen

my $one = [ { method => 'get', path => '/a/{id}', flags => '0' } ];
is join(' ', differences($one, [ { name => 'get /a/{task}' } ])), '',
   'the same route is the same';
is join(' ', differences($one, [])), 'get /a/{} has no operation',
   'an undocumented route is seen';
is join(' ', differences([], [ { name => 'post /b' } ])),
   'post /b has no route', 'an operation without a route is seen';
is join(' ', differences($one, [ { name => 'get /a/{x}', anon => 1 } ])),
   'get /a/{}: anonymous in one of the two only',
   'another need for an identity is seen';

# the tree

my $api = Podi::OpenAPI->shared;
my @operations = map {
    my ($method, $path) = split ' ', $_;
    my $security = $api->{doc}{paths}{$path}{$method}{security};
    # with a ticket too, the handler itself finds out who asks
    { name => $_, anon => $security
                          && (!@$security || grep { $_->{ticket} } @$security) }
} $api->operations;

is join("\n", differences([ routes() ], \@operations)), '',
   'routes and openapi.yaml agree';
is join("\n", $api->open_schemas), '', 'every object schema is closed';

done_testing;
