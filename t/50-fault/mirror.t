# Two flows under one request: `mirror` sends a copy of it to another route.
# Both read the body, each gets its own; neither takes what the other waits
# for; when the client goes nothing of either is left.
#
#     /v1/auth/register  -> and, with the body, to /v1/auth/login
#     /v1/tasks          -> and, without it, to /v1/events/ticket
#     /store/            -> and, with the body, to itself

use strict;
use warnings;
use JSON::PP ();
use Podi::Fault;
use Podi::Proc qw( poll );
use Podi::Stack;
use Podi::Work;
use Test::More;

my $BYTES = 300_000;            # more than client_body_buffer_size
my $s = Podi::Stack->new(server => <<'CONF');
log_subrequest on;

location = /v1/auth/register {
    podi_account;
    mirror /v1/auth/login;
}

location = /v1/tasks {
    podi_auth on;
    podi_task;
    mirror /v1/events/ticket;
    mirror_request_body off;
}

location = /copy {
    internal;
    rewrite ^ $path?$query last;
}
CONF
$s->{rewrite} = sub {
    my ($file, $text) = @_;

    return $text =~ s{(podi_store main;)}{
        'set $path $uri; set $query $args; mirror /copy; ' . $1}er
        if $file eq 'podi-server.conf';
    return $text if $file ne 'podi-http.conf';
    return $text =~ s{endpoint=\S+/store}{
        "endpoint=http://127.0.0.1:$s->{port}/store"}er;
};
$s->start;

my $w = Podi::Work->new($s->db);
my $ann = $s->member('annie', points => 1000);
$ann = { %$ann, tenant => $s->{tenant_id}, user => $ann->{user_id} };
my $pic = $w->media($ann);


sub gauge
{
    my ($name) = @_;
    my ($value) = $s->get('/metrics')->body =~ /^$name(?:\{[^}]*\})? (\S+)$/m;

    return $value // die "$name is not told";
}


sub settled
{
    my ($what) = @_;
    my @left;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    poll(20, sub {
        @left = grep { gauge($_) != 0 }
            qw( podi_pg_in_flight podi_pg_waiting podi_pg_tombstones
                podi_threads_running podi_threads_waiting );
        !@left;
    });
    return is "@left", '', "$what: nothing is left";
}


# what the access log says of the copies that went to a path
sub copies
{
    my ($path) = @_;

    open my $in, '<', $s->log_file('podi_access.log') or die "log: $!";
    return map { $_->{status} } grep { $_->{path} eq $path }
        map { JSON::PP::decode_json($_) } <$in>;
}


sub wire
{
    my ($text) = @_;
    my $wire = Podi::Fault::Wire->new($s->{port});

    $wire->open or die 'nginx does not listen';
    $wire->send($text);
    return $wire;
}


# a task that is submitted in two pieces
sub pieces
{
    my ($key) = @_;
    my $text = Podi::Fault::request_text($s, 'POST', '/v1/tasks', as => $ann,
        key => $key, json => { inputs => [$pic],
                               actions => [ { action => 'image.thumbnail' } ] });

    return (substr($text, 0, -20), substr $text, -20);
}


sub tickets { return scalar $s->sql('select count(*) from podi.event_ticket') }
sub tasks { return scalar $s->sql('select count(*) from podi.task_header') }


# runs the code while no ticket can be made
sub held
{
    my ($code) = @_;
    my $dbh = $s->db->login('postgres')->dbh;

    $dbh->begin_work;
    $dbh->do('lock table podi.event_ticket in access exclusive mode');
    $code->(sub {
        ok poll(10, sub { Podi::Fault::waits($s, 'ticket') }),
            'the copy waits for PostgreSQL';
    });
    $dbh->rollback;
    $dbh->disconnect;
}


# --- both have the body ----------------------------------------------------------

my %bob = (login => 'bobby', password => 'password of bobby');

is $s->post('/v1/auth/register', json => \%bob)->status, 201, 'registered';
ok poll(10, sub { copies('/v1/auth/login') == 1 }), 'and sent to login';
is $s->post('/v1/auth/register', json => \%bob)->code, 'login_taken', 'twice';
ok poll(10, sub { (copies('/v1/auth/login'))[-1] == 200 }),
    'the copy has the password';
ok $s->sql('select count(*) from podi.session s join podi.users u using'
           . " (tenant_id, user_id) where u.login = 'bobby'"),
    'and has signed in';
settled('two bodies');

# --- each has its own --------------------------------------------------------------

my ($first, $rest) = pieces('after');
my $wire = wire($first);

ok poll(10, sub { tickets() == 1 }), 'the copy, without a body, is done';
$wire->send($rest);
is $wire->answer->{status}, 201, 'before the body has come';
$wire->close;

held(sub {
    my ($wait) = @_;

    ($first, $rest) = pieces('during');
    $wire = wire($first);
    $wait->();
    $wire->send($rest);
    ok poll(10, sub { tasks() == 2 }), 'the body comes meanwhile';
});
is $wire->answer->{status}, 201, 'and is that of the task';
$wire->close;
ok poll(10, sub { tickets() == 2 }), 'the ticket is made as well';
settled('a body that comes late');

# --- the client goes -----------------------------------------------------------------

held(sub {
    my ($wait) = @_;

    ($first, $rest) = pieces('gone');
    $wire = wire($first);
    $wait->();
    $wire->close;
    ok poll(10, sub { gauge('podi_pg_tombstones') > 0 }),
        'a client that goes leaves a tombstone';
});
settled('a body that never came');

held(sub {
    my ($wait) = @_;

    ($first, $rest) = pieces('gone');
    $wire = wire($first . $rest);
    $wait->();
    $wire->close;
});
settled('a client that waited for nothing');
is $s->post('/v1/tasks', as => $ann, key => 'last', json => {
    inputs => [$pic], actions => [ { action => 'image.thumbnail' } ] })
    ->status, 201, 'the next one is served';

# --- in pieces -----------------------------------------------------------------------

my $jpeg = "\xff\xd8\xff\xe0" . "\0\x10JFIF\0" . 'x' x ($BYTES - 11);
my $item = $s->post('/v1/media/uploads', as => $ann, json => { items => [
    { name => 'a.jpg', type => 'image/jpeg', bytes => length $jpeg } ] })
    ->json->{items}[0];
my %headers = %{ $item->{upload}{headers} };

delete @headers{ grep { /^(?:host|content-length)$/i } keys %headers };
my $put = $s->put($item->{upload}{url}, body => $jpeg, headers => \%headers,
                  unchecked => 1)->status;
my $path = $item->{upload}{url} =~ s{^https?://[^/]+([^?]+).*}{$1}r;

ok poll(10, sub { copies($path) == 2 }), 'an upload and its copy';
is_deeply [ sort(copies($path)) ], [ 200, 412 ],
    'both have the whole body: one stores it, for the other it is there';
like $put, qr/^(?:200|412)$/, 'whoever that is';
my ($object) = glob $s->dir . '/store/*/objects/*/*/*';
is substr(Podi::Fault::slurp($object), -length $jpeg), $jpeg, 'as it was sent';
settled('uploads');

$s->done;
done_testing;
