# A body that nginx itself refuses is refused in the API's own words.

use strict;
use warnings;
use Test::More;
use Podi::Stack;

my $s = Podi::Stack->new->start;

$s->allow_errors(qr{client intended to send too large body});

my $r = $s->post('/v1/auth/login', body => 'x' x (2 * 1024 * 1024),
                 headers => { 'Content-Type' => 'application/json' });

is $r->status, 413, 'two megabytes are too many';
is $r->json->{code}, 'body_too_large', 'and a code says so';
is $r->json->{trace_id}, $r->header('x-trace-id'), 'with the trace id';

$s->done;
done_testing;
