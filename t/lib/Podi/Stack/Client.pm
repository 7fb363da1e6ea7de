package Podi::Stack::Client;

# The HTTP client of a stack: every answer is checked against openapi.yaml.
#
#     $s->get('/v1/me', as => $ann)
#     $s->post('/v1/tasks', as => $ann, key => 'k1', json => {...})
#     options: as (user or token), json | body, type, headers, key
#              (Idempotency-Key), lang, tls => 1, unchecked => 1
#     $s->put($url, body => $bytes, headers => {...})      whole URLs too
#     $s->events(as => $ann, last_event_id => 7)           server-sent events
#     $s->raw($bytes, [cut => 1])    these very bytes; cut: then gone, no answer

use strict;
use warnings;

use HTTP::Tiny;
use IO::Socket::INET;
use JSON::PP ();
use Socket qw( SOL_SOCKET SO_RCVTIMEO );
use Test::More ();
use Podi::OpenAPI;
use Podi::Stack::Events;
use Podi::Stack::Response;

my $json = JSON::PP->new->utf8->canonical->allow_nonref;

sub get    { my ($s, @a) = @_; $s->request('GET', @a) }
sub head   { my ($s, @a) = @_; $s->request('HEAD', @a) }
sub post   { my ($s, @a) = @_; $s->request('POST', @a) }
sub put    { my ($s, @a) = @_; $s->request('PUT', @a) }
sub delete { my ($s, @a) = @_; $s->request('DELETE', @a) }


sub _agent
{
    my ($self) = @_;

    return $self->{agent} //= HTTP::Tiny->new(
        agent => 'podi-test', keep_alive => 0, max_redirect => 0,
        timeout => 30, verify_SSL => 1,
        SSL_options => { SSL_ca_file => $self->ca });
}


sub headers_of
{
    my ($self, %arg) = @_;
    my %headers = %{ $arg{headers} || {} };
    my $as = $arg{as};

    $as = $as->{token} if ref $as;
    $headers{Authorization} //= "Bearer $as" if defined $as;
    $headers{'Idempotency-Key'} = $arg{key} if defined $arg{key};
    $headers{'Accept-Language'} = $arg{lang} if defined $arg{lang};
    $headers{'Content-Type'} //= $arg{type} // 'application/json'
        if exists $arg{json} || defined $arg{type};
    return \%headers;
}


sub request
{
    my ($self, $method, $target, %arg) = @_;
    my $url = $target =~ m{^https?://} ? $target
        : ($arg{tls} ? $self->tls_url : $self->url) . $target;
    my $body = exists $arg{json} ? $json->encode($arg{json}) : $arg{body};

    my $raw = $self->_agent->request($method, $url, {
        headers => $self->headers_of(%arg),
        defined $body ? (content => $body) : () });
    my $res = Podi::Stack::Response->new($raw);

    return $res if $arg{unchecked};

    $res->status == 599
        ? Test::More::diag("$method $url: ", $res->body, "\n",
                           $self->nginx->tail)
        : $self->_judge($method, $url, $res);
    return $res;
}


# routes of ours answer as openapi.yaml says, and with a trace id
sub _judge
{
    my ($self, $method, $url, $res) = @_;
    my $target = $url =~ s{^https?://[^/]+}{}r;
    my $api = Podi::OpenAPI->shared;
    my $path = $target =~ s/\?.*//sr;
    my @errors;

    return if $path !~ m{^/v1/} && !defined $api->path($path);

    @errors = $api->check(method => $method, target => $target,
                          status => $res->status, body => $res->body,
                          type => $res->header('content-type') // '');
    push @errors, 'X-Trace-Id is missing'
        if $path =~ m{^/v1/} && ($res->header('x-trace-id') // '')
                                !~ /^[0-9a-f]{32}$/;
    return if !@errors;

    local $Test::Builder::Level = $Test::Builder::Level + 3;
    Test::More::fail("$method $target answers as openapi.yaml says");
    Test::More::diag($_) for @errors, substr $res->body, 0, 400;
}


# what HTTP::Tiny would not say; the request asks for "Connection: close"
sub raw
{
    my ($self, $bytes, %arg) = @_;
    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                     PeerPort => $self->{port})
        or die "raw: $@";

    print $sock $bytes;
    $sock->flush;
    return close $sock if $arg{cut};

    $sock->timeout(20);
    setsockopt $sock, SOL_SOCKET, SO_RCVTIMEO, pack('l!l!', 20, 0);
    my $text = do { local $/; <$sock> } // '';
    $text =~ s/\AHTTP\/1\.1 100 .*?\r\n\r\n//s;
    my ($head, $body) = split /\r\n\r\n/, $text, 2;
    my ($status) = ($head // '') =~ m{^HTTP/1\.1 (\d+)};
    my %headers = map { /^([^:]+): *(.*?)\r?$/ ? (lc $1 => $2) : () }
        split /\n/, $head // '';

    return Podi::Stack::Response->new({ status => $status // 0,
        headers => \%headers, content => $body // '' });
}


# --- people ------------------------------------------------------------------

# an account; the caller signs in himself
sub register
{
    my ($self, $login, %option) = @_;
    my $user = { login => $login,
                 password => $option{password} // "password of $login" };
    my $res = $self->post('/v1/auth/register', json => {
        login => $login, password => $user->{password},
        display_name => $option{display_name} // "Name of $login" });

    die "$login cannot register: " . $res->text if $res->status != 201;
    $user->{user_id} = $res->json->{user_id};
    return $user;
}


# signs in: token and cookies are put into the user
sub login
{
    my ($self, $user, %option) = @_;
    my $res = $self->post('/v1/auth/login', %option, json => {
        login => $user->{login}, password => $user->{password} });

    die "$user->{login} cannot sign in: " . $res->text if $res->status != 200;
    $user->{token} = $res->json->{access_token};
    $user->{cookie} = $res->cookies;
    return $res;
}


# an open stream; new events are read from it.  unchecked: many are coming;
# rcvbuf: bytes that a client has taken without reading them
sub events
{
    my ($self, %arg) = @_;
    my $headers = $self->headers_of(%arg);

    $headers->{'Last-Event-ID'} = $arg{last_event_id}
        if defined $arg{last_event_id};
    return Podi::Stack::Events->new(
        port => $arg{tls} ? $self->{tls_port} : $self->{port},
        ca => $arg{tls} && $self->ca, headers => $headers,
        rcvbuf => $arg{rcvbuf}, unchecked => $arg{unchecked},
        target => $arg{target} // '/v1/events');
}

1;
