# Without Redis the position check alone tells streams that there is more: each
# user's, whoever else streams in the same worker.

use strict;
use warnings;
use Test::More;
use Podi::Stack;

my $s = Podi::Stack->new(rewrite => sub {
    my ($file, $text) = @_;
    return $text =~ s/worker_processes \d+;/worker_processes 1;/r;
})->start;
my ($ann, $bob) = map { $s->member($_) } qw( ann bob );

$s->allow_errors(qr/Redis/);
$s->redis->stop;

sub stranger
{
    my $id = $s->db->tenant('elsewhere');
    my $user = $s->db->user($id, 'carl');
    my $session = $s->db->uuid;

    $s->db->{web}->one($s->db->anon($id),
        'select * from api.session_open(?, ?, ?, ?, ?, ?, ?)', $session,
        $user->{user}, 'local', 'test', '127.0.0.0/24', 3600_000, 86400_000);
    return { token => $s->token({ user_id => $user->{user},
                                  session => $session }, tid => $id) };
}

sub hello
{
    my ($live, $who) = @_;

    is $live->next_event(10)->{event}, 'hello', "$who streams";
    return $live;
}

# the first in the list of users: what fails for them must stay with them
my $carl = hello($s->events(as => stranger()), 'one of another tenant');
$s->sql(q{update podi.tenant set state = 'disabled'
           where slug = 'elsewhere'});

my $ticket = $s->post('/v1/events/ticket', as => $ann)->json->{ticket};
my %live = (
    ann => hello($s->events(target => "/v1/events?ticket=$ticket"), 'ann'),
    bob => hello($s->events(as => $bob), 'bob'));

$s->grant($_, 3) for $ann, $bob;

for my $name (sort keys %live) {
    my ($event) = grep { $_ } $live{$name}->next_event(20);
    is $event && $event->{event}, 'wallet.granted', "$name hears of points";
}

$_->close for $carl, values %live;
$s->done;
done_testing;
