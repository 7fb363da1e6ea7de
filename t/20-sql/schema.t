# internal.schema_fault: the subset of JSON Schema that parameters are written
# in, by its own cases and by the files of the JSON-Schema-Test-Suite.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use JSON::PP ();
use Podi::Sql;
use Podi::Work;

my $db = Podi::Sql->new;


# the first fault as "path keyword", '' when there is none
sub fault
{
    my ($schema, $value) = @_;

    return $db->super->value(undef, q{select coalesce(f[1] || ' ' || f[2], '')}
        . ' from (select internal.schema_fault(?, ?) as f) x',
        Podi::Work::text($schema), Podi::Work::text($value));
}


my $size = {
    type => 'object', additionalProperties => \0,
    required => ['mode'],
    anyOf => [{ required => ['width'] }, { required => ['height'] }],
    properties => {
        mode   => { enum => ['fit', 'fill', undef, [1, 2]] },
        width  => { type => 'integer', minimum => 1, maximum => 10 },
        height => { type => ['integer', 'null'] },
        name   => { type => 'string', minLength => 2, maxLength => 3,
                    pattern => '^[a-z]' },
        points => { type => 'array', maxItems => 2, uniqueItems => \1,
                    items => { '$ref' => '#/$defs/point' } },
    },
    '$defs' => { point => { type => 'object', required => ['x'],
                            properties => { x => { type => 'number',
                                exclusiveMinimum => 0, multipleOf => 0.1 } } } },
};

subtest 'where and why' => sub {
    my %ok = (mode => 'fit', width => 5);
    my @case = (
        ['', {}],
        ['', { height => undef, width => 10.0 }],
        ['', { mode => [1, 2] }],
        ['', { points => [{ x => 0.3 }, { x => 1.1 }] }],
        ['.mode enum', { mode => [1] }],
        ['.mode enum', { mode => 'FIT' }],
        ['.width type', { width => '5' }],
        ['.width type', { width => 5.5 }],
        ['.width maximum', { width => 11 }],
        ['.width minimum', { width => -1e300 }],
        ['.name minLength', { name => 'a' }],
        ['.name maxLength', { name => 'abcd' }],
        ['.name pattern', { name => 'A1' }],
        ['.depth additionalProperties', { depth => 1 }],
        ['.points maxItems', { points => [1, 2, 3] }],
        ['.points uniqueItems', { points => [{ x => 1 }, { x => 1.0 }] }],
        ['.points[1].x required', { points => [{ x => 1 }, {}] }],
        ['.points[0].x exclusiveMinimum', { points => [{ x => 0 }] }],
        ['.points[0].x multipleOf', { points => [{ x => 0.25 }] }],
    );

    is fault($size, { %ok, %{ $_->[1] } }), $_->[0],
       Podi::Work::text($_->[1]) . ($_->[0] ? ": $_->[0]" : ': nothing')
        for @case;
    is fault($size, { width => 5 }), '.mode required', 'what is missing';
    is fault($size, { mode => 'fit' }), '.width anyOf', 'one of two';
    is fault($size, [1]), ' type', 'the whole';
};

subtest 'what refers to itself ends' => sub {
    is fault({ '$ref' => '#/$defs/a', '$defs' => { a => {
                   '$ref' => '#/$defs/a' } } }, 1), ' $ref', 'with a fault';
    is fault({ '$ref' => '#/$defs/b' }, 1), ' false', 'so does what is not there';
};

subtest 'defaults go as deep as objects' => sub {
    my $full = $db->super->value(undef, 'select internal.schema_fill(?, ?)',
        Podi::Work::text({ type => 'object', properties => {
            a => { type => 'integer', default => 7 }, b => { default => 'x' },
            c => { type => 'object', properties => {
                d => { type => 'boolean', default => \1 } } } } }),
        '{"a": 3.0, "c": {}, "e": 5.0}');

    is $full, '{"a": 3, "b": "x", "c": {"d": true}, "e": 5.0}',
       'and what was given stays';
};

subtest 'a form is told the same' => sub {
    my $p = Podi::Work::decode({ params => $db->super->value(undef,
        'select internal.schema_params(?)', Podi::Work::text({
            required => ['a'], properties => {
                a => { type => 'integer', maximum => 3, 'x-label' => { en => 'A' } },
                b => { type => 'string', description => 'B' } } })) })->[0]{params};

    is_deeply $p->{a}, { type => 'integer', maximum => 3,
                         required => JSON::PP::true(), label => { en => 'A' } }, 'in flat words';
    is_deeply $p->{b}, { type => 'string', description => 'B' }, 'each of them';
};

SKIP: {
    my @files = glob '../shared/vectors/json-schema/*.json';
    skip '../shared/vectors is not here', 1 if !@files;

    my @lines = qx('$^X' -It/lib t/lib/vectors/schema.pl @files);
    is $?, 0, 'the files of the test suite run to their end';
    is_deeply [grep { /^not ok/ } @lines], [], 'and no case is missed';
    cmp_ok scalar(grep { /^ok/ && !/# skip/ } @lines), '>=', 440, 'of 440';
}

done_testing;
