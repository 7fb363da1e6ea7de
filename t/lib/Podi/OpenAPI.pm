package Podi::OpenAPI;

# Is this answer the one that docs/openapi.yaml promises?
#
#     (method, target) -> operation -> (status, content type) -> schema -> body
#
# Nothing is forgiven: an unknown path, method, status or content type, a member
# that no schema names, a required one that is missing.  The document itself is
# checked when it is read, but only once as long as neither it nor the checker
# changes: that takes a second, and every program of the suite reads it.

use strict;
use warnings;
use Digest::SHA ();
use File::Path qw( make_path );
use JSON::Validator;
use JSON::Validator::Schema::OpenAPIv3;
use Mojo::JSON ();
use Podi::Repo qw( root );
use YAML::XS ();

my $shared;

# the repository's own document; undef when it has none
sub shared
{
    my ($class) = @_;
    my $file = root() . '/docs/openapi.yaml';

    return $shared if $shared;
    return if !-f $file;
    return $shared = $class->new($file);
}


sub new
{
    my ($class, $file) = @_;

    local $YAML::XS::Boolean = 'JSON::PP';
    my $doc = YAML::XS::LoadFile($file);
    my $schema = JSON::Validator->new->schema($doc)->schema;

    $schema->coerce({});        # "5" is no number

    _must_be_valid($file, $schema);
    return bless { doc => $doc, schema => $schema, route => _routes($doc) },
                 $class;
}


# what was found without a fault leaves its digest with the build
sub _must_be_valid
{
    my ($file, $schema) = @_;
    my $dir = ($ENV{PODI_BUILD} // root() . '/var/build') . '/test-openapi';
    my $stamp = "$dir/" . Digest::SHA->new(256)->addfile($file)->hexdigest
                . "-$JSON::Validator::VERSION";

    return if -e $stamp;

    if (my @errors = @{ $schema->errors }) {
        die "$file is no OpenAPI document:\n", map { "  $_\n" } @errors;
    }

    make_path($dir);
    open my $out, '>', $stamp or die "$stamp: $!";
    close $out or die "$stamp: $!";
}


sub _routes
{
    my ($doc) = @_;
    my @routes;

    for my $path (sort keys %{ $doc->{paths} }) {
        my $re = join '', map { /^\{/ ? '[^/]+' : quotemeta }
            split /(\{\w+\})/, $path;

        push @routes, { path => $path, re => qr/^$re$/,
                        exact => $path !~ /\{/ };
    }

    return [ sort { $b->{exact} <=> $a->{exact} } @routes ];
}


# "/v1/tasks/1?x" -> "/v1/tasks/{task_id}"
sub path
{
    my ($self, $target) = @_;
    my $path = $target =~ s/[?#].*//sr;

    $path =~ s{^https?://[^/]+}{};
    for my $route (@{ $self->{route} }) {
        return $route->{path} if $path =~ $route->{re};
    }

    return;
}


# every operation, as "get /v1/me"
sub operations
{
    my ($self) = @_;
    my $paths = $self->{doc}{paths};

    return sort map {
        my $path = $_;
        map { "$_ $path" } grep { /^(?:get|put|post|delete|patch)$/ }
            keys %{ $paths->{$path} };
    } keys %$paths;
}


# follows a $ref as long as there is one
sub resolve
{
    my ($self, $node) = @_;

    while (ref $node eq 'HASH' && $node->{'$ref'}) {
        my $at = $self->{doc};

        $at = $at->{$_} for grep { $_ ne '#' } split m{/}, $node->{'$ref'};
        $node = $at;
    }

    return $node;
}


# errors are problems everywhere: unknown paths, wrong methods, bad tokens
sub _operation
{
    my ($self, $method, $path) = @_;
    my $op = $self->{doc}{paths}{$path}{lc $method};

    return $op if $op || uc $method ne 'HEAD';
    return $self->{doc}{paths}{$path}{get};
}


sub _any_problem
{
    my ($self, $arg, $why) = @_;

    return $why if $arg->{status} !~ /^(?:40[01345]|41[345]|429|5\d\d)$/;
    return $why if $arg->{type} !~ m{^application/problem\+json\b};
    return $self->check_schema('Problem', $arg->{body});
}


# the errors of one answer: (method, target, status, type, body)
sub check
{
    my ($self, %arg) = @_;
    my $path = $self->path($arg{target});

    return $self->_any_problem(\%arg, "no such path: $arg{target}")
        if !defined $path;

    my $op = $self->_operation($arg{method}, $path);
    return $self->_any_problem(\%arg, "no such operation: $arg{method} $path")
        if !$op;

    my $response = $self->resolve($op->{responses}{ $arg{status} });
    return "$arg{method} $path does not say $arg{status}" if !$response;

    my ($type) = ($arg{type} // '') =~ /^([^;\s]+)/;
    my $content = $response->{content} || {};

    if (!%$content) {
        return () if !length($arg{body} // '');
        return "$arg{method} $path $arg{status} has no body";
    }

    my $media = $content->{ $type // '' }
        or return "$arg{method} $path $arg{status} is not "
                  . ($type // 'without a type');

    return () if $type !~ /json$/ || uc $arg{method} eq 'HEAD';
    return $self->_judge(\%arg, $media->{schema}, "$arg{method} $path "
                         . $arg{status});
}


sub _judge
{
    my ($self, $arg, $schema, $where) = @_;
    my $value = eval { Mojo::JSON::decode_json($arg->{body}) };

    return "$where: not JSON: $@" if $@;

    my @errors = $self->{schema}->validate($value, $schema);
    return map { "$where: $_" } @errors;
}


# the errors of one value against a schema by name
sub check_schema
{
    my ($self, $name, $text) = @_;

    return $self->_judge({ body => $text },
                         $self->{doc}{components}{schemas}{$name}, $name);
}


# is a request of a test what the document says?  For the examples in docs/.
sub check_request
{
    my ($self, %arg) = @_;
    my $path = $self->path($arg{target}) // return "no such path";
    my $op = $self->_operation($arg{method}, $path) // return 'no operation';
    my $body = $self->resolve($op->{requestBody});
    my $schema = $body && $body->{content}{'application/json'}{schema}
        or return "$arg{method} $path takes no JSON";

    return $self->_judge({ body => $arg{body} }, $schema,
                         "$arg{method} $path request");
}


# object schemas that leave a door open; the document must have none
sub open_schemas
{
    my ($self) = @_;
    my @open;

    _walk($self->{doc}{components}{schemas}, '#/components/schemas', \@open);
    _walk($self->{doc}{paths}, '#/paths', \@open);
    return @open;
}


sub _walk
{
    my ($node, $where, $open) = @_;

    if (ref $node eq 'ARRAY') {
        _walk($node->[$_], "$where/$_", $open) for 0 .. $#$node;
        return;
    }

    return if ref $node ne 'HASH';

    push @$open, $where if ref $node->{properties} eq 'HASH'
        && (!exists $node->{additionalProperties}
            || $node->{additionalProperties});

    for my $key (sort keys %$node) {
        next if $key =~ /^(?:example|examples|default|enum)$/;
        _walk($node->{$key}, "$where/$key", $open);
    }
}

1;
