# The runner of t/lib/Test/Nginx: what must pass passes, and every kind of
# failure that it promises to see is planted once and seen.
#
# With the genuine Test::Nginx::Socket at hand (PODI_TEST_NGINX_LIB is its lib),
# both judge the same: what passes does so with as many test points, and what
# is no promise of ours alone fails with either.

use strict;
use warnings;
use File::Temp;
use Test::More;

my $genuine = delete $ENV{PODI_TEST_NGINX_LIB};
my $dir = File::Temp->newdir;
my $n = 0;

delete @ENV{grep { /^TEST_NGINX_/ } keys %ENV};


# runs one suite in a process of its own: exit status and what it said
sub suite
{
    my ($head, $data, $lib) = @_;
    my $file = "$dir/" . $n++ . '.t';

    open my $out, '>', $file or die "$file: $!";
    print $out "use Test::Nginx::Socket;\n$head\n__DATA__\n\n$data";
    close $out;

    local $ENV{PODI_TEST_NGINX_LIB} = $lib // '';
    my $said = qx($^X -It/lib $file 2>&1);

    return ($? >> 8, $said);
}

sub points { scalar(() = $_[0] =~ /^ok \d/mg) }

sub passes
{
    my ($what, $head, $data) = @_;
    my ($status, $said) = suite($head, $data);

    is $status, 0, $what or diag $said;

    SKIP: {
        skip 'no genuine Test::Nginx::Socket', 2 if !$genuine;

        my ($other, $words) = suite($head, $data, $genuine);
        is $other, 0, "$what, with the genuine runner" or diag $words;
        is points($words), points($said), "$what, point by point";
    }
}

sub is_seen
{
    my ($what, $like, $data) = @_;
    my ($status, $said) = suite("plan 'no_plan'; run_tests();", $data);

    isnt $status, 0, "$what fails the file";
    like $said, $like, "$what is named" or diag $said;
}

# as is_seen(), by both
sub both_see
{
    my ($what, $like, $data) = @_;

    is_seen($what, $like, $data);

    SKIP: {
        skip 'no genuine Test::Nginx::Socket', 1 if !$genuine;

        # its exit status is not always told: it sets no_ending() here and there
        my (undef, $words) = suite("plan 'no_plan'; run_tests();", $data,
                                   $genuine);
        like $words, qr/^not ok /m, "$what fails, with the genuine runner";
    }
}


# what passes

passes 'requests of every shape', <<'HEAD', <<'DATA';
repeat_each(2);
plan tests => repeat_each() * 17;
our $Word = 'hello';
no_long_string();
run_tests();
HEAD
=== TEST 1: a body, a header, an absent header
--- config eval
"location /a { add_header X-A one; return 200 '$::Word\n'; }"
--- request
GET /a
--- more_headers
X-Ask: 1
--- response_body
hello
--- response_headers
X-A: one
!X-B

=== TEST 2: several requests, one connection each
--- config
    location /a { return 200 $request_method; }
    location /b { return 404; }
--- request eval
["GET /a", "POST /b
hello"]
--- error_code eval
[200, 404]
--- response_body_like eval
["^GET", "404 Not Found"]

=== TEST 3: pipelined
--- config
    location /p { return 200 $uri; }
--- pipelined_requests eval
["GET /p1", "GET /p2"]
--- response_body eval
["/p1", "/p2"]

=== TEST 4: log lines that were asked for
--- config
    location /x { return 200 ok; }
    location /gone { root $TEST_NGINX_HTML_DIR; }
--- request
GET /gone
--- error_code: 404
--- error_log
No such file or directory
--- no_error_log
[alert]

=== TEST 5: raw bytes, cut in two
--- config
    location /a { return 200 raw; }
--- raw_request eval
["GET /a HTTP/1.1\r\nHost: x\r\nConn", "ection: close\r\n\r\n"]
--- response_body: raw
DATA

passes 'answers with and without a body', <<'HEAD', <<'DATA';
plan 'no_plan';
run_tests();
HEAD
=== TEST 1: the length of a HEAD is of a body that does not come
--- config
    location /a { return 200 "body"; }
--- request
HEAD /a
--- response_headers
Content-Length: 4
--- response_body

=== TEST 2: without a length, and empty
--- config
    location /a { return 204; }
--- request
GET /a
--- error_code: 204
--- response_body

=== TEST 3: chunks
--- config
    location /a { gzip on; gzip_min_length 1; gzip_types text/plain;
                  return 200 "zip"; }
--- more_headers
Accept-Encoding: gzip
--- request
GET /a
--- response_headers
Transfer-Encoding: chunked
Content-Encoding: gzip
--- response_body_like eval: qr/^\x1f\x8b/

=== TEST 4: an eval gives its first value, and a section may be absent
--- config eval: ('location /a { return 200 "x"; }', 'return 500;')
--- request
GET /a
--- response_body chomp
x
--- no_error_log
[error]
DATA

passes 'a configuration that must be refused', <<'HEAD', <<'DATA';
plan tests => 2;
run_tests();
HEAD
=== TEST 1: unknown directive
--- config
    no_such_directive;
--- must_die
--- error_log
unknown directive "no_such_directive"
DATA

passes 'user files, init, http2 and a client that gives up',
    <<'HEAD', <<'DATA';
no_shuffle();
plan tests => 8;
run_tests();
HEAD
=== TEST 1: a file and an init
--- config
    location /f { root $TEST_NGINX_HTML_DIR; }
--- user_files
>>> f/one.txt
file
--- init
$ENV{PODI_SEEN} = 1;
--- request
GET /f/one.txt
--- response_body
file

=== TEST 2: the same over HTTP/2
--- http2
--- config
    location /h2 { return 200 $server_protocol; }
--- request
GET /h2
--- response_body: HTTP/2.0

=== TEST 3: the name of the host over HTTP/2
--- http2
--- config
    location /h2 { return 200 $host; }
--- request
GET /h2
--- response_body: localhost

=== TEST 4: skipped for the version
--- config
--- request
GET /
--- skip_nginx: 1: > 1.0.0

=== TEST 5: no answer
--- config
    location /slow { limit_rate 1; return 200 "a long body"; }
--- request
GET /slow
--- abort
--- timeout: 100ms
--- ignore_response
--- no_error_log
[error]
DATA


# what must be seen

both_see 'a wrong body', qr/response is expected/, <<'DATA';
=== TEST 1
--- config
    location /a { return 200 "one"; }
--- request
GET /a
--- response_body: two
DATA

both_see 'a wrong status', qr/status code ok/, <<'DATA';
=== TEST 1
--- config
    location /a { return 403; }
--- request
GET /a
DATA

is_seen 'an error line that was not asked for',
    qr/unexpected lines in error\.log/, <<'DATA';
=== TEST 1
--- config
    location /a { root $TEST_NGINX_HTML_DIR; }
--- request
GET /a
--- error_code: 404
DATA

is_seen 'an alert', qr/unexpected lines in error\.log.*\[alert\]/s, <<'DATA';
=== TEST 1
--- config
    location /a { return 200 "one"; }
--- init
open my $f, '>>', "$ENV{TEST_NGINX_SERVROOT}/logs/error.log";
print $f "2026/01/01 00:00:00 [alert] 1#1: planted\n";
close $f;
--- request
GET /a
DATA

is_seen 'a sanitizer report', qr/sanitizer reports/, <<'DATA';
=== TEST 1
--- config
    location /a { return 200 "one"; }
--- init
open my $f, '>>', "$ENV{TEST_NGINX_SERVROOT}/logs/asan.1";
print $f "==1==ERROR: AddressSanitizer: heap-use-after-free\n";
close $f;
--- request
GET /a
DATA

is_seen 'a temporary file left', qr/temporary files left/, <<'DATA';
=== TEST 1
--- config
    location /a {
        client_body_in_file_only on;
        client_body_buffer_size 1k;
        proxy_pass http://127.0.0.1:$TEST_NGINX_PORT/b;
    }
    location /b { return 200 "one"; }
--- request eval
"POST /a\n" . "x" x 3000
DATA

both_see 'a second answer that cannot be told from the first',
    qr/status code ok/, <<'DATA';
=== TEST 1
--- config
    location /a { return 204; }
--- pipelined_requests eval: ["GET /a", "GET /a"]
--- error_code eval: [204, 204]
DATA

both_see 'a log line that does not come', qr/should never come/, <<'DATA';
=== TEST 1
--- config
    location /a { return 200 "one"; }
--- request
GET /a
--- error_log
should never come
DATA

is_seen 'an answer that openapi.yaml does not know',
    qr/not what openapi\.yaml says/, <<'DATA';
=== TEST 1
--- config
    location /v1/nonsense {
        default_type application/json;
        return 200 '{"a":1}';
    }
--- request
GET /v1/nonsense
DATA

both_see 'a client that waits in vain', qr/client socket timed out/, <<'DATA';
=== TEST 1
--- config
    location /slow { limit_rate 1; return 200 "a long body"; }
--- request
GET /slow
--- timeout: 100ms
--- ignore_response
DATA

done_testing;
