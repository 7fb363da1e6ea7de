# GET /v1/actions: what a page needs to draw a form, for those that ship and
# one that an operator has added, and without those that are not for people.

use strict;
use warnings;
use JSON::PP ();
use Test::More;
use Podi::Stack;

my $s = Podi::Stack->new->start;
my $ann = $s->member('annie');

my $res = $s->get('/v1/actions', as => $ann);
my %at = map { $_->{action} => $_ } @{ $res->json->{items} };

is $res->status, 200, 'the list';
is $res->json->{next}, undef, 'has one page';
is_deeply [ sort keys %at ],
    [qw( image.convert image.montage image.resize image.thumbnail )],
    'media.check is not for people';
is_deeply [ map { $at{$_}{price} } sort keys %at ], [ 1, 3, 2, 1 ], 'prices';

my $resize = $at{'image.resize'};
is_deeply $resize->{any_of}, [qw( width height )], 'width or height';
is_deeply [ @{ $resize->{params}{width} }{qw( type minimum maximum )} ],
    [ 'integer', 1, 8192 ], 'a range';
is_deeply $resize->{params}{fit}{enum}, [qw( contain cover fill )], 'words';
ok $at{'image.convert'}{params}{format}{required}, 'a required one';
ok exists $resize->{params}{fit}{default}, 'a default';
is_deeply [ sort keys %{ $resize->{params}{width}{label} } ], [qw( en zh )],
    'a label in two languages';
ok grep({ $_ eq 'image/jpeg' } @{ $resize->{accepts} }), 'what it takes';

$s->db->{ctl}->one(undef, 'select * from sys.action_put(?)',
    JSON::PP->new->utf8(0)->encode({
        action => 'image.blur', queue => 'image', price => 9, public => \1,
        timeout_ms => 30_000, max_attempts => 3, max_wait_ms => 600_000,
        label => { en => 'Blur "it"', zh => "\x{6a21}\x{7cca}" },
        description => { en => 'Blurs', zh => "\x{6a21}\x{7cca}" },
        schema => { type => 'object', additionalProperties => \0,
            properties => { sigma => {
                type => 'number', minimum => 0.5, maximum => 20, default => 2.5,
                'x-label' => { en => 'Sigma', zh => 'Sigma' },
                'x-description' => { en => 'How much', zh => 'How much' } } } },
        accepts => ['image/png'] }));

my ($blur) = grep { $_->{action} eq 'image.blur' }
    @{ $s->get('/v1/actions', as => $ann)->json->{items} };
is $blur->{price}, 9, 'an action put by the operator is there at once';
is $blur->{label}{zh}, "\x{6a21}\x{7cca}", 'in its own words';
is $blur->{params}{sigma}{default}, 2.5, 'with its default';
is $blur->{params}{sigma}{label}{en}, 'Sigma', 'and its label';
is $blur->{schema}{properties}{sigma}{maximum}, 20, 'and as a JSON Schema';

is $s->get('/v1/actions/image.blur', as => $ann)->status, 404,
    'an action has no page of its own';

$s->done;
done_testing;
