# Every route, asked plainly by somebody who has nothing yet, by a stranger, and
# about a thing that is another's: the client of the stack holds each answer
# against openapi.yaml, so here only the statuses are said.

use strict;
use warnings;
use Test::More;
use Podi::OpenAPI;
use Podi::Stack;

my $s = Podi::Stack->new->start;
my $ann = $s->member('annie');
my $api = Podi::OpenAPI->shared;
my %QUERY = ('/v1/wallet/balance' => '?seq=0');      # what is required
my $nobody = '0198c5a2-7d10-7c3a-9b1e-2f60c1a4d5e6';

for my $operation ($api->operations) {
    my ($method, $path) = split ' ', $operation;
    my $open = $api->{doc}{paths}{$path}{$method}{security};
    my $target = ($path =~ s/\{\w+\}/$nobody/gr) . ($QUERY{$path} // '');
    my $own = $path =~ m{^/v1/admin/} ? 403 : $path =~ /\{/ ? 404 : 200;

    next if $path eq '/v1/events';

    if ($method eq 'get') {
        is $s->get($target, as => $ann)->status, $own, "$path to a newcomer";
        is $s->get($target, tls => 1)->status, $open && !@$open ? 200 : 401,
           "$path to a stranger, over TLS";
        is $s->head($target, as => $ann)->status, $own, "HEAD $path";
        is $s->request('DELETE', $target, as => $ann)->status,
           $api->{doc}{paths}{$path}{delete} ? $own : 405,
           "DELETE $path";

    } elsif (!$open || @$open) {
        is $s->request(uc $method, $target, json => {})->status, 401,
           "$path to a stranger";
    }
}

is $s->get('/v1/no/such/thing', as => $ann)->status, 404, 'an unknown path';

# the stream

is $s->events->status, 401, '/v1/events to a stranger';

my $live = $s->events(as => $ann);
my $hello = $live->next_event(10);
is $hello->{event}, 'hello', '/v1/events begins with its position';

$s->grant($ann, 7);
my ($granted) = $live->until('wallet.granted', 10);
is $granted->{id}, $hello->{data}{position} + 1, 'the next event is the next';
is $granted->{data}{data}{amount}, 7, 'and says what happened';

my $ticket = $s->post('/v1/events/ticket', as => $ann)->json->{ticket};
my $again = $s->events(target => "/v1/events?ticket=$ticket",
                       last_event_id => $hello->{id});
$again->next_event(10);
is $again->next_event(10)->{event}, 'wallet.granted', 'a ticket resumes';
is $s->events(target => "/v1/events?ticket=$ticket")->status, 401,
   'once only';
$_->close for $live, $again;

$s->done;
done_testing;
