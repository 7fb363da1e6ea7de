# W3C Trace Context, as an upstream sees it: what is continued, what begins
# anew, what is handed on; and which traces are sampled.
#
# The upstream traces, too: two traceparents would make it begin another trace.

use Test::Nginx::Socket 'no_plan';
use Podi::Suite;

our $Up = <<'EOS';
podi_trace_propagate on;
server {
    listen unix:$TEST_NGINX_HTML_DIR/up.sock;
    podi_trace on;
    podi_trace_propagate off;
    location / { return 200 "$http_traceparent|$http_tracestate|$podi_trace_id"; }
}
EOS
our $Server = <<'EOS';
    podi_trace on;
    location /up { proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock; }
    location /off { podi_trace_propagate off; proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock; }
    location /twice { try_files /none /up; }
    location /set { proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock;
                    proxy_set_header traceparent $podi_traceparent;
                    proxy_set_header tracestate $podi_tracestate; }
    location /sampled { add_header X-Sampled $podi_trace_sampled always; return 200 "$podi_traceparent"; }
    location /error { add_header X-Sampled $podi_trace_sampled always; return 503; }
    location /warn { add_header X-Sampled $podi_trace_sampled always; return 404; }
EOS
our $Id = '0af7651916cd43dd8448eb211c80319c';
our $Span = 'b7ad6b7169203331';
our $Parent = "00-$Id-$Span-01";
our $Ours = "00-$Id-(?!$Span)[0-9a-f]{16}";
our $New = "00-(?!$Id)([0-9a-f]{32})-[0-9a-f]{16}-02\\|\\|\\1";

# values of headers, each in requests of their own
our @Valid = (
    [ '-00', '-00' ], [ '-01', '-01' ], [ '-02', '-02' ], [ '-03', '-03' ],
    [ '-ff', '-03' ], [ '-08', '-00' ],
);
our @Later = ("01-$Id-$Span-01", "cc-$Id-$Span-01-what", "fe-$Id-$Span-01-",
              "cc-$Id-$Span-01-.what");
our @Bad = (
    "ff-$Id-$Span-01", "00-$Id-$Span-01-", "00-$Id-$Span-01-what",
    "00-$Id-$Span-0", "00-$Id-$Span-011", "00-$Id-$Span-0x", "00-$Id-$Span-0A",
    "0-$Id-$Span-01", "0X-$Id-$Span-01", "cc-$Id-$Span-01.what",
    "cc-$Id-$Span-0", '00-' . ('0' x 32) . "-$Span-01",
    "00-$Id-" . ('0' x 16) . '-01', "00-\U$Id\E-$Span-01",
    "00-$Id-\U$Span\E-01", "00-$Id-$Span", "00.$Id-$Span-01", '-', 'x',
    "00-${Id}0-$Span-01", '00-' . substr($Id, 1) . "-$Span-01",
);

sub states
{
    my (@values) = @_;

    return join "\r\n", "traceparent: $Parent", map { "tracestate: $_" } @values;
}

our @States = (
    [ [ 'a=1' ], 'a=1' ],
    [ [ 'a=1,b=2' ], 'a=1,b=2' ],
    [ [ "a=1 ,\tb=2" ], 'a=1,b=2' ],
    [ [ 'b=2', 'a=1', 'c=3' ], 'b=2,a=1,c=3' ],
    [ [ 'a=1', '', 'b=2' ], 'a=1,b=2' ],
    [ [ 'a=1,,b=2' ], 'a=1,b=2' ],
    [ [ '' ], '' ],
    [ [ 'a=1,b=2,a=3' ], 'a=1,b=2,a=3' ],
    [ [ 'fw529a3039@dt=FfD,t61@nr=x/y*z' ], 'fw529a3039@dt=FfD,t61@nr=x/y*z' ],
    [ [ '0a_-*/@=1' ], '0a_-*/@=1' ],
    [ [ 'k' x 256 . '=' . 'v' x 200 ], 'k' x 256 . '=' . 'v' x 200 ],
    [ [ 'a=' . 'v' x 256 ], 'a=' . 'v' x 256 ],
    [ [ 'a= !"#$%&\'()*+-./:;<>?@[]^_`{|}~' ], 'a= !"#$%&\'()*+-./:;<>?@[]^_`{|}~' ],
    [ [ join ',', map { "k$_=$_" } 1 .. 32 ], join ',', map { "k$_=$_" } 1 .. 32 ],
    [ [ map { "k$_=$_" } 1 .. 32 ], join ',', map { "k$_=$_" } 1 .. 32 ],
    [ [ join ',', map { "k$_=" . 'v' x 60 } 1 .. 8 ],
      join ',', map { "k$_=" . 'v' x 60 } 1 .. 8 ],
    [ [ 'a=' . 'v' x 200 . ',b=2,c=' . 'v' x 200 . ',d=' . 'v' x 200 ], 'b=2,c=' . 'v' x 200 . ',d=' . 'v' x 200 ],
);
our @NoStates = (
    [ 'A=1' ], [ 'a' ], [ 'a=' ], [ '=1' ], [ 'a=1=2' ], [ 'a b=1' ], [ '_a=1' ],
    [ '@a=1' ], [ 'a=1,B=2' ], [ 'a=1', 'b' ], [ 'k' x 257 . '=1' ],
    [ 'a=' . 'v' x 257 ], [ "a=\x7f" ], [ "a=\xc3\xa9" ], [ "a=1\tb" ],
    [ join ',', map { "k$_=$_" } 1 .. 33 ], [ map { "k$_=$_" } 1 .. 33 ],
    [ map { "k$_=$_" } 1 .. 80 ],
);

sub gets { return [ ("GET /up") x @_ ] }

log_level('info');
no_shuffle();
run_tests();

__DATA__

=== TEST 1: flags: sampled and random are handed on, all others are not
--- http_config eval: $::Up
--- config eval: $::Server
--- pipelined_requests eval: ::gets(@::Valid)
--- more_headers eval: [ map { "traceparent: 00-$::Id-$::Span$_->[0]" } @::Valid ]
--- response_body_like eval: [ map { "^$::Ours$_->[1]\\|\\|$::Id\$" } @::Valid ]


=== TEST 2: later versions are read as far as they are known
--- http_config eval: $::Up
--- config eval: $::Server
--- pipelined_requests eval: ::gets(@::Later)
--- more_headers eval: [ map { "traceparent: $_" } @::Later ]
--- response_body_like eval: [ ("^$::Ours-01\\|\\|$::Id\$") x @::Later ]


=== TEST 3: what is not valid begins a new trace, and its tracestate goes
--- http_config eval: $::Up
--- config eval: $::Server
--- pipelined_requests eval: ::gets(@::Bad)
--- more_headers eval: [ map { "traceparent: $_\r\ntracestate: a=1" } @::Bad ]
--- response_body_like eval: [ ("^$::New\$") x @::Bad ]


=== TEST 4: so do two, or nine; and a tracestate alone is nothing
--- http_config eval: $::Up
--- config eval: $::Server
--- pipelined_requests eval: ::gets(1 .. 4)
--- more_headers eval
[ ( map { my $n = $_; join "\r\n", ("traceparent: $::Parent") x $n, 'tracestate: a=1' } 2, 9 ),
  "traceparent: $::Parent\r\ntracestate: a=1\r\nTRACEPARENT: $::Parent", 'tracestate: a=1' ]
--- response_body_like eval: [ ("^$::New\$") x 4 ]


=== TEST 5: names in any case, spaces and tabs around
--- http_config eval: $::Up
--- config eval: $::Server
--- pipelined_requests eval: ::gets(1 .. 4)
--- more_headers eval
[ "TraceParent: $::Parent\r\nTraceState: a=1", "TRACEPARENT:  $::Parent \r\nTRACESTATE:  a=1  ",
  "traceparent:\t$::Parent\t\r\ntracestate:\ta=1\t", "traceparent:$::Parent\r\ntracestate:a=1" ]
--- response_body_like eval: [ ("^$::Ours-01\\|a=1\\|$::Id\$") x 4 ]


=== TEST 6: another name is not it
--- http_config eval: $::Up
--- config eval: $::Server
--- pipelined_requests eval: ::gets(1 .. 2)
--- more_headers eval: [ "trace-parent: $::Parent", "traceparent2: $::Parent" ]
--- response_body_like eval: [ ("^$::New\$") x 2 ]


=== TEST 7: what is legal of a tracestate is handed on
--- http_config eval: $::Up
--- config eval: $::Server
--- pipelined_requests eval: ::gets(@::States)
--- more_headers eval: [ map { ::states(@{ $_->[0] }) } @::States ]
--- response_body_like eval: [ map { "^$::Ours-01\\|\Q$_->[1]\E\\|$::Id\$" } @::States ]


=== TEST 8: one that is not goes, all of it, and harms no traceparent
--- http_config eval: $::Up
--- config eval: $::Server
--- pipelined_requests eval: ::gets(@::NoStates)
--- more_headers eval: [ map { ::states(@$_) } @::NoStates ]
--- response_body_like eval: [ ("^$::Ours-01\\|\\|$::Id\$") x @::NoStates ]


=== TEST 9: without propagation headers pass as they came
--- http_config eval: $::Up
--- config eval: $::Server
--- request
GET /off
--- more_headers eval: "traceparent: $::Parent\r\ntracestate: a=1, b=2"
--- response_body eval: "$::Parent|a=1, b=2|$::Id"


=== TEST 10: an internal redirect changes nothing, a line of its own may stay
--- http_config eval: $::Up
--- config eval: $::Server
--- pipelined_requests eval: [ 'GET /twice', 'GET /set' ]
--- more_headers eval: [ (::states('a=1')) x 2 ]
--- response_body_like eval: [ ("^$::Ours-01\\|a=1\\|$::Id\$") x 2 ]


=== TEST 11: the same over HTTP/2
--- http_config eval: $::Up
--- http2
--- config eval: $::Server
--- request
GET /up
--- more_headers eval: ::states('a=1', 'b=2') =~ s/\r//gr
--- response_body_like eval: "^$::Ours-01\\|a=1,b=2\\|$::Id\$"


=== TEST 12: nobody asks for samples: the caller's bit, and none of ours
--- http_config eval: $::Up
--- config eval: $::Server
--- pipelined_requests eval: [ ('GET /sampled') x 3 ]
--- more_headers eval: [ "traceparent: $::Parent", "traceparent: 00-$::Id-$::Span-00", '' ]
--- response_body_like eval: [ '-01$', '-00$', '-02$' ]
--- response_headers eval: [ 'X-Sampled: 1', 'X-Sampled: 0', 'X-Sampled: 0' ]


=== TEST 13: ratio: the last 56 bits of the id, whatever the caller says
--- http_config eval: $::Up
--- config eval: 'podi_trace_sample ratio=0.25;' . $::Server
--- pipelined_requests eval: [ ('GET /sampled') x 4 ]
--- more_headers eval
[ map { "traceparent: 00-1111111111111111ab$_->[0]-$::Span-$_->[1]" }
  [ 'bfffffffff0000', '01' ], [ 'c0000000000000', '00' ], [ 'ffffffffffffff', '02' ], [ '00000000000000', '03' ] ]
--- response_body_like eval: [ '-00$', '-01$', '-03$', '-02$' ]


=== TEST 14: ratio with parent: the caller's bit, or the ratio when there is none
--- http_config eval: $::Up
--- config eval: 'podi_trace_sample parent ratio=1;' . $::Server
--- pipelined_requests eval: [ ('GET /sampled') x 3 ]
--- more_headers eval: [ "traceparent: 00-$::Id-$::Span-00", "traceparent: $::Parent", '' ]
--- response_body_like eval: [ '-00$', '-01$', '-03$' ]


=== TEST 15: off: none; ratio=0 the same
--- http_config eval: $::Up
--- config eval: 'podi_trace_sample off;' . $::Server
--- pipelined_requests eval: [ ('GET /sampled') x 2 ]
--- more_headers eval: [ "traceparent: $::Parent", '' ]
--- response_body_like eval: [ '-00$', '-02$' ]


=== TEST 16: on_error: an error of a server's is worth a line
--- http_config eval: $::Up
--- config eval: 'podi_trace_sample parent on_error;' . $::Server
--- pipelined_requests eval: [ 'GET /sampled', 'GET /error', 'GET /warn' ]
--- error_code eval: [200, 503, 404]
--- response_headers eval: [ 'X-Sampled: 0', 'X-Sampled: 1', 'X-Sampled: 0' ]


=== TEST 17: slow=: so is what takes long
--- http_config eval: $::Up . 'limit_req_zone $server_name zone=two:1m rate=2r/s;'
--- config
    podi_trace on;
    podi_trace_sample slow=100ms;
    location /slow { limit_req zone=two burst=2; add_header X-Sampled $podi_trace_sampled; empty_gif; }
--- pipelined_requests eval: [ 'GET /slow', 'GET /slow' ]
--- response_headers_like eval: [ 'X-Sampled: [01]', 'X-Sampled: 1' ]


=== TEST 18: a parameter that makes no sense stops the start
--- http_config
--- config
    podi_trace_sample ratio=1.1;
    location / { empty_gif; }
--- must_die
--- error_log
"podi_trace_sample" does not take "ratio=1.1"
