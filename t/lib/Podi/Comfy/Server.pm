package Podi::Comfy::Server;

# The fake ComfyUI: the door.  What it answers is in Podi::Comfy::Rest, how it
# works on a prompt in Podi::Comfy::Run.
#
#     a request -> log -> switches -> strict: is it in the recordings?
#       -> Rest -> switches that spoil the answer -> the client
#
# Strict mode refuses, with 599 and a line of the log under "faults", whatever
# no recording shows: an unknown route, method, query name, member of a body,
# a request without Host.  A real server might take some of it; then record
# it first.

use strict;
use warnings;
use Encode qw( decode_utf8 );
use Time::HiRes qw( time );

use Podi::Comfy::Files ();
use Podi::Comfy::Graph ();
use Podi::Comfy::Json qw( encode decode );
use Podi::Comfy::Loop ();
use Podi::Comfy::Nodes ();
use Podi::Comfy::Rest ();
use Podi::Comfy::Run ();
use Podi::Comfy::Sockets ();
use Podi::Comfy::Switch ();
use Podi::Comfy::Ws qw( frame closing TEXT CLOSE PING PONG );

use constant PAGE => '<html><head><title>504 Gateway Time-out</title></head>'
    . '<body>nginx</body></html>';


# dir, data (a directory), port, switch => { ... }, beside => another one of the
# same process
sub new
{
    my ($class, %arg) = @_;
    my %data = map {
        my $bytes = Podi::Comfy::Files::slurp("$arg{data}/$_.json") // die $_;
        ($_ => decode($bytes) // die "$_.json: $@")
    } qw( server nodes refusals );
    my $self = bless { %arg, data => \%data, log => [], faults => [],
                       switch => Podi::Comfy::Switch->new(%{ $arg{switch} }) },
        $class;

    $self->{loop} = Podi::Comfy::Loop->new(port => $arg{port},
        beside => $arg{beside} && $arg{beside}{loop},
        max_body => $self->{switch}{max_upload},
        on_accept => sub { $self->_accepted(@_) },
        on_request => sub { $self->_request(@_) },
        on_frame => sub { $self->_frame(@_) },
        on_gone => sub { $self->{sockets}->gone(@_) });
    $self->{files} = Podi::Comfy::Files->new($arg{dir});
    $self->_parts;
    open $self->{journal}, '>>', "$arg{dir}/journal" or die $!;
    return $self;
}


sub _parts
{
    my ($self) = @_;
    my ($switch, $data) = @$self{qw( switch data )};

    $self->{nodes} = Podi::Comfy::Nodes->new($self->{files},
        metadata => !$switch->{disable_metadata});
    $self->{sockets} = Podi::Comfy::Sockets->new(switch => $switch,
        features => $data->{server}{features},
        jpeg => $data->{server}{preview_jpeg});
    $self->{run} = Podi::Comfy::Run->new(switch => $switch,
        loop => $self->{loop}, sockets => $self->{sockets},
        nodes => $self->{nodes}, fault => sub { $self->_fault(@_) },
        die => sub { $self->_die });
    $self->{graph} = Podi::Comfy::Graph->new(text => $data->{refusals},
        file => sub { $self->{files}->input(@_) });
    $self->{rest} = Podi::Comfy::Rest->new(%$self);
}


sub port { return $_[0]{loop}->port }


sub run { return $_[0]{loop}->run }


# ---- the log: in memory for GET /__fake/log, in the journal for later

sub _journal
{
    my ($self, $what) = @_;

    syswrite $self->{journal}, encode($what) . "\n";
}


sub _fault
{
    my ($self, $text) = @_;

    push @{ $self->{faults} }, $text;
    $self->_journal({ fault => $text });
    return $text;
}


sub _logged
{
    my ($self, $r) = @_;
    my $log = $r->{log} = { n => 1 + @{ $self->{log} }, pid => $$,
        method => $r->{method}, path => $r->{path}, query => $r->{query},
        headers => $r->{headers}, ms => int(1000 * time) };

    $log->{body} = $r->{json} if $r->{read};
    $log->{parts} = [map { my %part = %$_;
        delete $part{bytes} if defined $part{filename}; \%part }
        @{ $r->{parts} }] if $r->{parts};
    push @{ $self->{log} }, $log;
    $self->_journal($log);
}


sub _die
{
    my ($self) = @_;

    POSIX::_exit(0);
}


# ---- connections

sub _accepted
{
    my ($self, $c) = @_;

    return if $self->{switch}{refuse} <= 0;
    $self->{switch}{refuse}--;
    $c->reset;
}


sub _decoded
{
    my ($text) = @_;

    $text =~ tr/+/ /;
    $text =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
    return decode_utf8($text);
}


sub _taken_apart
{
    my ($r) = @_;
    my ($path, $query) = split /\?/, $r->{target}, 2;

    $path =~ s{^/api(?=/)}{};
    $r->{path} = $path;
    $r->{query} = { map {
        my ($name, $value) = split /=/, $_, 2;
        (_decoded($name) => _decoded($value // ''))
    } split /&/, $query // '' };
    if ($r->{method} eq 'POST' && length $r->{body}
        && ($r->{headers}{'content-type'} // '') !~ /^multipart/)
    {
        $r->{json} = decode($r->{body});
        $r->{read} = !$@;
    }
    $r->{parts} = Podi::Comfy::Rest::parts($r)
        if ($r->{headers}{'content-type'} // '') =~ /^multipart/;
}


sub _request
{
    my ($self, $c, $r) = @_;
    my $switch = $self->{switch};

    _taken_apart($r);
    return $self->_control($c, $r) if $r->{path} =~ m{^/__fake};
    $self->_logged($r);

    my %about = (path => $r->{path}, method => $r->{method});
    return if $switch->fires('silent', %about);

    if ($r->{skipped}) {
        return $self->_answer($c, $r, 413,
            { 'Content-Type' => 'text/plain; charset=utf-8' },
            "Maximum request body size $switch->{max_upload} exceeded, "
            . "actual body size $r->{skipped}");
    }
    if (my $no = $self->_unauthorized($r)) {
        return $self->_answer($c, $r, 401, { 'Content-Type' => 'text/plain' },
                              $no);
    }
    if (my $rule = $switch->fires('status', %about)) {
        return $self->_answer($c, $r, $rule->{code} // 503,
                              { 'Content-Type' => 'text/html' }, PAGE);
    }
    my $fault = $switch->{strict} && $self->_strange($r);

    return $self->_answer($c, $r, 599, { 'Content-Type' => 'text/plain' },
        $self->_fault("$r->{method} $r->{path}: $fault") . "\n") if $fault;
    return $self->_socket($c, $r) if $r->{path} eq '/ws';
    $self->_handled($c, $r, %about);
}


sub _handled
{
    my ($self, $c, $r, %about) = @_;
    my $switch = $self->{switch};
    my $prompt = $r->{path} eq '/prompt' && $r->{method} eq 'POST';

    $self->_die if $prompt && $switch->{die} eq 'prompt';
    if ($prompt and my $rule = $switch->fires('reset_prompt')) {
        $self->{rest}->answer($r) if $rule->{queued};
        return $c->reset;
    }
    if ($prompt and my $rule = $switch->fires('late')) {
        $self->{loop}->after($rule->{ms} / 1000,
                             sub { $self->{rest}->answer($r) });
        return;
    }
    my ($status, $headers, $body, %how) = $self->{rest}->answer($r);

    if (ref $body) {
        $body = encode($body);
        $headers = { 'Content-Type' => 'application/json; charset=utf-8' };
    }
    ($status, $headers, $body) = (200, { 'Content-Type' => 'text/html' }, PAGE)
        if $switch->fires('non_json', %about);
    if (my $rule = $switch->fires('cut', %about)) {
        $how{cut} = $rule->{at} // 0;
    }
    $self->_answer($c, $r, $status, $headers, $body, %how);
}


sub _answer
{
    my ($self, $c, $r, $status, $headers, $body, %how) = @_;
    my $wait = $self->{switch}{slow};
    my $send = sub {
        return if $c->{state} eq 'dead';
        $c->answer($status, $headers, $body, head => $r->{method} eq 'HEAD',
            close => $status == 500
                || lc($r->{headers}{connection} // '') eq 'close', %how);
    };

    $r->{log}{status} = $status;
    $self->_journal({ n => $r->{log}{n}, pid => $$, status => $status });
    $wait ? $self->{loop}->after($wait / 1000, $send) : $send->();
}


sub _unauthorized
{
    my ($self, $r) = @_;
    my $auth = $self->{switch}{auth} // return;
    my ($where, $wanted) = %$auth;
    my $given = $where eq 'header' ? $r->{headers}{lc $wanted->[0]}
        : delete $r->{query}{ $wanted->[0] };

    return ($given // '') eq $wanted->[1] ? undef : 'Unauthorized';
}


# ---- strict mode

# why no recording has such a request, or nothing
sub _strange
{
    my ($self, $r) = @_;
    my $server = $self->{data}{server};
    my ($path) = $r->{path} =~ m{^(/(?:upload/)?[^/]*)};
    my $route = $server->{routes}{$path // ''};
    my $sub = substr $r->{path}, length($path // '');

    return 'HTTP/1.1 without Host' if !defined $r->{headers}{host};
    return if grep { $r->{path} =~ m{^\Q$_\E(?:/|$)} } @{ $server->{absent} };
    return 'the fake does not merge masks' if $r->{path} eq '/upload/mask';
    return 'no recording has this route' if !$route
        || length $sub && $path !~ m{^/(?:history|object_info|models)$};
    my $method = $r->{method};

    return 'no recording has this method here'
        if ",$route->{allow},OPTIONS," !~ /,$method,/
            && !grep { $_ eq $method } @{ $route->{refused} || [] };

    my %known = map { $_ => 1 } @{ $route->{query} || [] };
    my @odd = grep { !$known{$_} } sort keys %{ $r->{query} };

    return "the fake has no encoder for the query $odd[0]"
        if @odd && $odd[0] =~ /^(?:preview|channel)$/;
    return "no recording has the query $odd[0]" if @odd;
    return $self->_strange_body($r, $route) if $method eq 'POST';
    return length $r->{body} && $method =~ /^(?:GET|HEAD)$/
        ? "a body with $method" : undef;
}


sub _strange_body
{
    my ($self, $r, $route) = @_;
    my %known = map { $_ => 1 } @{ $route->{members} || [] };
    my $json = ref $r->{json} eq 'HASH' ? $r->{json} : {};
    my @odd = grep { !$known{$_} } sort keys %$json;

    return "no recording has the member $odd[0]" if @odd && $route->{members};
    for my $list (grep { defined } @$json{qw( delete )}) {
        return 'no recording deletes what is neither a list nor a string'
            if ref $list && ref $list ne 'ARRAY';
    }
    return if !$r->{parts} || !$route->{parts};

    my %part = map { $_ => 1 } @{ $route->{parts} }, 'file';
    @odd = grep { !$part{$_} } map { $_->{name} // '' } @{ $r->{parts} };
    return "no recording has the part $odd[0]" if @odd;
    return;
}


# ---- the socket

sub _socket
{
    my ($self, $c, $r) = @_;
    my ($h, $ws) = ($r->{headers}, $self->{switch}{ws});
    my $server = $self->{data}{server};

    return $self->_answer($c, $r, 400,
        { 'Content-Type' => 'text/plain; charset=utf-8' },
        $server->{no_upgrade}) if lc($h->{upgrade} // '') ne 'websocket';
    return $self->_answer($c, $r, 403,
        { 'Content-Type' => 'application/octet-stream' }, '')
        if $ws eq 'refused';
    my $bad = ($h->{'sec-websocket-version'} // '') ne '13' ? 'version'
        : ($h->{'sec-websocket-key'} // '') !~ m{^[A-Za-z0-9+/]{22}==$} ? 'key'
        : lc($h->{connection} // '') !~ /\bupgrade\b/ ? 'Connection' : undef;

    return $self->_answer($c, $r, 599, { 'Content-Type' => 'text/plain' },
        $self->_fault("GET /ws: a wrong $bad")) if $bad;

    my $id = $r->{query}{clientId} // '';
    $id = sprintf '%08x' x 4, map { int rand 2 ** 32 } 1 .. 4 if $id eq '';
    $r->{log}{status} = 101;
    $self->_journal({ n => $r->{log}{n}, pid => $$, status => 101 });
    $c->upgrade($h->{'sec-websocket-key'});
    $self->{sockets}->open($c, $id);
    return $c->send(frame(CLOSE, pack 'n', 1001), close => 1)
        if $ws eq 'closed';
    $self->{sockets}->hello($c, $self->{run}->remaining,
                            $self->{run}->at_work($id));
}


sub _frame
{
    my ($self, $c, $f) = @_;
    my $wrong = !$f->{masked} ? 'a frame without a mask'
        : $f->{reserved} ? 'a frame with reserved bits'
        : $f->{op} >= CLOSE && length $f->{payload} > 125
            ? 'a control frame too long' : undef;

    if ($wrong) {
        $self->_fault("/ws: $wrong");
        return $c->send(frame(CLOSE, pack 'n', 1002), close => 1);
    }
    return $c->send(frame(PONG, $f->{payload})) if $f->{op} == PING;
    return if $f->{op} == PONG;
    return $c->send(frame(CLOSE, substr $f->{payload}, 0, 2), close => 1)
        if $f->{op} == CLOSE;
    $self->_said($c, $f);
}


# a client may say its flags, once, as the first thing
sub _said
{
    my ($self, $c, $f) = @_;
    my $said = $f->{op} == TEXT ? decode($f->{payload}) : undef;
    my $fine = ref $said eq 'HASH' && ($said->{type} // '') eq 'feature_flags'
        && ref $said->{data} eq 'HASH' && !$c->{said}++;

    return $self->{sockets}->flags($c, $said->{data}) if $fine;
    $self->_fault('/ws: no recording says '
                  . substr($f->{payload}, 0, 80) =~ s/[^ -~]/?/gr);
}


# ---- /__fake

sub _control
{
    my ($self, $c, $r) = @_;
    my $json = $r->{json};

    if ($r->{method} eq 'GET') {
        my $answer = $r->{path} eq '/__fake/log'
            ? { requests => $self->{log}, faults => $self->{faults} }
            : { %{ $self->{switch} }, pid => $$,
                queue_remaining => $self->{run}->remaining,
                map { $_ => $self->{run}{$_} } qw( taken most ) };
        return $c->answer(200, { 'Content-Type' => 'application/json' },
                          encode($answer));
    }
    my @action = eval { ref $json eq 'HASH' ? $self->{switch}->set($json)
                        : die "not an object\n" };

    return $c->answer(400, { 'Content-Type' => 'text/plain' }, $@) if $@;
    $self->_die if $self->{switch}{die} eq 'now';
    $self->_act(@$_) for @action;
    $self->_set;
    $c->answer(200, { 'Content-Type' => 'application/json' }, '{}');
}


sub _set
{
    my ($self) = @_;
    my $switch = $self->{switch};

    $self->{nodes}{metadata} = !$switch->{disable_metadata};
    $self->{loop}{max_body} = $switch->{max_upload};
    if ($switch->{lose_history} eq 'now') {
        $self->{run}->forget(@{ $self->{run}{order} });
        $switch->{lose_history} = 0;
    }
    $self->{run}->_wake;
}


sub _act
{
    my ($self, $name, $value) = @_;
    my ($run, $sockets) = @$self{qw( run sockets )};

    return if !$value && $name ne 'foreign';
    $name eq 'release' ? $run->release
        : $name eq 'amnesia' ? $run->amnesia
        : $name eq 'foreign' ? $run->foreign($value)
        : $name eq 'ws_drop' ? $sockets->drop_all
        : $name eq 'ping' ? $sockets->ping
        : $name eq 'stray' ? $sockets->stray : $sockets->huge($value);
}

1;
