# schema.pl FILE...: runs files of the JSON-Schema-Test-Suite against
# internal.schema_fault in a PostgreSQL of its own, and prints TAP, a line a
# case.
#
# Exit: 0 all passed, 1 some did not, 2 a file cannot be used.

use strict;
use warnings;

use JSON::PP ();

use Podi::Sql;

my $json = JSON::PP->new->allow_nonref->canonical->allow_bignum;
my ($n, $failed) = (0, 0);


sub groups
{
    my ($file) = @_;
    my $text = do {
        local $/;
        open my $in, '<:encoding(UTF-8)', $file or die "$file: $!\n";
        <$in>;
    };
    my $groups = eval { $json->decode($text) };

    die "$file: not a file of the JSON-Schema-Test-Suite\n"
        if ref $groups ne 'ARRAY' || !@$groups
           || grep { ref $_ ne 'HASH' || !exists $_->{schema}
                     || ref $_->{tests} ne 'ARRAY' } @$groups;
    return $groups;
}


# a fault as text, '' when there is none
sub fault
{
    my ($db, $schema, $data) = @_;

    return $db->super->value(undef, 'select coalesce(array_to_string('
        . "internal.schema_fault(?, ?), ' '), '')", $schema, $data);
}


sub case
{
    my ($db, $name, $schema, $test) = @_;
    my $data = $json->encode($test->{data});

    $n++;
    # what jsonb cannot hold never reaches a schema: the request is refused
    if ("$schema$data" =~ /\\u0000/) {
        print "ok $n # skip $name: jsonb holds no U+0000\n";
        return;
    }
    my $fault = fault($db, $schema, $data);
    my $ok = ($fault eq '') == !!$test->{valid};

    print $ok ? 'ok' : 'not ok', " $n - $name\n";
    print "# said: '$fault'\n" if !$ok;
    $failed++ if !$ok;
}


my @files = eval {
    die "usage: schema.pl FILE...\n" if !@ARGV;
    map { { name => s{.*/}{}r, groups => groups($_) } } @ARGV;
};
if ($@) {
    print STDERR "vectors: $@";
    exit 2;
}
binmode STDOUT, ':utf8';

my $db = Podi::Sql->new;

for my $file (@files) {
    for my $group (@{ $file->{groups} }) {
        my $schema = $json->encode($group->{schema});
        case($db, "$file->{name}: $group->{description}: $_->{description}",
             $schema, $_) for @{ $group->{tests} };
    }
}

print "1..$n\n";
exit($failed ? 1 : 0);
