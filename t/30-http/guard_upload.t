# What may come as a body: counted and looked at while it comes, for whoever is
# behind, in chunks or not, over HTTP/2 as well.

use Test::Nginx::Socket 'no_plan';
use Podi::Suite;

our $Png = "\x89PNG\r\n\x1a\n" . "x" x 200;
our $Gif = 'GIF89a' . '<script>alert(1)</script>' . 'x' x 100;
our $Html = '<html><script>alert(1)</script></html>' . ' ' x 100;

our $Http = Podi::Suite::http(add => <<'EOS');
podi_channel small { path /small/; upload_max 100; upload_types image/png; }
server {
    listen unix:$TEST_NGINX_HTML_DIR/up.sock;
    location / {
        client_max_body_size 0;
        client_body_buffer_size 1m;
        proxy_pass http://unix:$TEST_NGINX_HTML_DIR/end.sock;
    }
}
server {
    listen unix:$TEST_NGINX_HTML_DIR/end.sock;
    location / { return 200 "got $http_content_length"; }
}
EOS
our $Config = <<'EOS';
    podi_tenant demo;
    podi_trace on;
    lingering_timeout 200ms;
    podi_upload_guard max=1k types=image/png,image/jpeg;
    podi_upload_guard max=4k types=image/png,image/gif role=admin;
    location ^~ /any { podi_upload_guard max=1k;
                    proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock; }
    location ^~ /pic { proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock; }
    location ^~ /raw { proxy_request_buffering off; proxy_http_version 1.1;
                    proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock; }
    location ^~ /role { podi_auth on;
                     proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock; }
    location ^~ /small/ { podi_upload_guard on;
                       proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock; }
    location ^~ /dry { podi_dry_run on;
                    proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock; }
    location ^~ /free { podi_upload_guard off;
                     proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock; }
    location ^~ /up { podi_upload_guard max=1k types=image/png,image/gif;
                   try_files $uri @app; }
    location @app { podi_upload_guard off;
                 proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock; }
    location ^~ /both { podi_upload_guard max=2k types=image/png,image/gif;
                     try_files $uri @both; }
    location @both { proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock; }
    location ^~ /dryup { podi_upload_guard max=1k types=image/png;
                      podi_dry_run on; try_files $uri @app; }
    location ^~ /sorry { error_page 415 = @sorry;
                      proxy_pass http://unix:$TEST_NGINX_HTML_DIR/up.sock; }
    location @sorry { return 200 "sorry"; }
    location ^~ /v1/tasks { podi_auth on; podi_task;
                     podi_upload_guard max=20; }
EOS

my $s = Podi::Suite::stack();
my $ann = Podi::Suite::member('annie');
our $User = "Authorization: Bearer $ann->{token}\r\n";
our $Admin = 'Authorization: Bearer ' . $s->token($ann, rol => 'admin') . "\r\n";

sub post
{
    my ($path, $body, %header) = @_;
    my $length = delete $header{length} // length $body;

    return "POST $path HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
         . join('', map { "$_: $header{$_}\r\n" } sort keys %header)
         . "Content-Length: $length\r\n\r\n$body";
}

sub chunked
{
    my ($path, $size, $body, %header) = @_;
    my $text = '';

    while (length $body) {
        my $piece = substr $body, 0, $size, '';
        $text .= sprintf("%x\r\n", length $piece) . "$piece\r\n";
    }

    return "POST $path HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
         . join('', map { "$_: $header{$_}\r\n" } sort keys %header)
         . "Transfer-Encoding: chunked\r\n\r\n${text}0\r\n\r\n";
}

our $Form = 'multipart/form-data; boundary=----b0';

# [name, filename or undef, type or undef, content]
sub form
{
    return join('', map {
        my ($name, $file, $type, $content) = @$_;
        "------b0\r\nContent-Disposition: form-data; name=\"$name\""
        . (defined $file ? "; filename=\"$file\"" : '') . "\r\n"
        . (defined $type ? "Content-Type: $type\r\n" : '') . "\r\n$content\r\n";
    } @_) . "------b0--\r\n";
}

our $Picture = [ 'image', 'cat.png', 'image/png', $Png ];

add_block_preprocessor(sub {
    my ($block) = @_;

    return if defined $block->must_die;
    $block->set_value(http_config => $::Http);
    $block->set_value(config => $::Config);
});

log_level('info');
no_shuffle();
run_tests();

__DATA__

=== TEST 1: a picture passes
--- raw_request eval: main::post('/pic', $::Png, 'Content-Type' => 'image/png')
--- response_body: got 208


=== TEST 2: as bytes, and as a type that is accepted but not its own
--- raw_request eval
main::post('/pic', $::Png, 'Content-Type' => 'application/octet-stream; x=y')
--- response_body: got 208


=== TEST 3: too long, as said: nobody waits for the body
--- raw_request eval
main::post('/pic', '', 'Content-Type' => 'image/png', length => 1025,
           Expect => '100-continue')
--- error_code: 413
--- response_headers
Content-Type: application/problem+json
--- response_body_like: "code":"body_too_large"
--- raw_response_headers_unlike: 100 Continue


=== TEST 4: exactly as long as may be
--- raw_request eval
main::post('/pic', $::Png . 'x' x 816, 'Content-Type' => 'image/png')
--- response_body: got 1024


=== TEST 5: too long in chunks, of one byte and of many
--- raw_request eval
main::chunked('/pic', 7, $::Png . 'x' x 817, 'Content-Type' => 'image/png')
--- error_code: 413
--- response_headers
Content-Type: application/problem+json
--- response_body_like: "code":"body_too_large"


=== TEST 6: unbuffered, the same
--- raw_request eval
main::chunked('/raw', 400, $::Png . 'x' x 817, 'Content-Type' => 'image/png')
--- error_code: 413
--- response_body_like: "code":"body_too_large"


=== TEST 7: what is behind does not get it
--- raw_request eval
main::chunked('/raw', 1, $::Html)
--- error_code: 415
--- response_headers
Content-Type: application/problem+json
--- response_body_like: "code":"upload_type"
--- error_log
upload_type: the body begins as none of the accepted types does


=== TEST 8: HTML that says it is a picture
--- raw_request eval: main::post('/pic', $::Html, 'Content-Type' => 'image/png')
--- error_code: 415
--- response_body_like: "code":"upload_type"


=== TEST 9: a picture that says it is HTML
--- raw_request eval: main::post('/pic', $::Png, 'Content-Type' => 'text/html')
--- error_code: 415
--- response_body_like: "field":"Content-Type"


=== TEST 10: a picture with a script in it, of a type that is not accepted
--- raw_request eval: main::post('/pic', $::Gif, 'Content-Type' => 'image/png')
--- error_code: 415


=== TEST 11: a begin of a picture is none
--- raw_request eval: main::post('/pic', "\x89PN", 'Content-Type' => 'image/png')
--- error_code: 415


=== TEST 12: two types
--- raw_request eval
main::post('/pic', $::Png, 'Content-Type' => 'image/png', 'content-type' => 'text/html')
--- error_code: 400
--- response_body_like: "code":"bad_request"


=== TEST 13: no body, no question
--- request
GET /pic
--- response_body_like: ^got


=== TEST 14: the role's own rule
--- raw_request eval
main::post('/role', $::Gif . 'x' x 2000, 'Content-Type' => 'image/gif',
           'Authorization' => $::Admin =~ s/^.*?: (.*)\r\n/$1/r)
--- response_body_like: got 21


=== TEST 15: and not for others
--- raw_request eval
main::post('/role', $::Gif, 'Content-Type' => 'image/gif',
           'Authorization' => $::User =~ s/^.*?: (.*)\r\n/$1/r)
--- error_code: 415


=== TEST 16: the channel's ceiling, where the location says no more than on
--- raw_request eval: main::post('/small/x', $::Png, 'Content-Type' => 'image/png')
--- error_code: 413


=== TEST 17: and its types
--- raw_request eval: main::chunked('/small/x', 9, substr($::Gif, 0, 80))
--- error_code: 415


=== TEST 18: a size alone looks at nothing else
--- raw_request eval: main::post('/any', $::Html, 'Content-Type' => 'text/html')
--- response_body: got 138


=== TEST 19: dry
--- raw_request eval: main::chunked('/dry', 100, $::Html)
--- response_body_like: got
--- error_log
would refuse: upload_type


=== TEST 20: off
--- raw_request eval: main::post('/free', $::Html x 20)
--- response_body_like: got


=== TEST 21: the rest of what was refused is no request
--- raw_request eval
"POST /pic HTTP/1.1\r\nHost: localhost\r\nContent-Length: 300\r\n\r\n$::Html"
. "GET /any HTTP/1.1\r\nHost: localhost\r\nX-Smuggled: 1\r\n\r\n"
--- error_code: 415
--- response_headers
Connection: close


=== TEST 22: our own words where our own routes read the body
--- raw_request eval
main::chunked('/v1/tasks', 10, '{"inputs": [], "actions": []}',
    'Authorization' => $::User =~ s/^.*?: (.*)\r\n/$1/r,
    'Content-Type' => 'application/json')
--- error_code: 413
--- response_body_like: "code":"body_too_large"


=== TEST 23: a form with fields and a picture
--- raw_request eval
main::post('/pic', main::form(['text', undef, undef, 'no <html> here'], $::Picture),
           'Content-Type' => $::Form)
--- response_body_like: ^got \d+$


=== TEST 24: each file of it is looked at
--- raw_request eval
main::post('/pic', main::form($::Picture, ['b', 'b.png', 'image/png', $::Html]),
           'Content-Type' => $::Form)
--- error_code: 415
--- response_body_like: "code":"upload_type"


=== TEST 25: also byte by byte, and a short one
--- raw_request eval
main::chunked('/pic', 1, main::form($::Picture, ['b', 'b.png', 'image/png', '<x>']),
              'Content-Type' => $::Form)
--- error_code: 415


=== TEST 26: a declared type that is not accepted
--- raw_request eval
main::post('/pic', main::form(['b', 'b.html', 'text/html', $::Png]),
           'Content-Type' => $::Form)
--- error_code: 415


=== TEST 27: no file was chosen
--- raw_request eval
main::post('/pic', main::form(['b', '', 'application/octet-stream', '']),
           'Content-Type' => $::Form)
--- response_body_like: ^got \d+$


=== TEST 28: a name with a path in it
--- raw_request eval
main::post('/pic', main::form(['b', '../../etc/cron.d/x', 'image/png', $::Png]),
           'Content-Type' => $::Form)
--- error_code: 400


=== TEST 29: a part that only a lenient reader sees
--- raw_request eval
main::post('/pic', main::form(['a', 'a.png', 'image/png', "$::Png\n------b0\n"
    . "Content-Disposition: form-data; name=x; filename=x.html\n\n$::Html"]),
           'Content-Type' => $::Form)
--- error_code: 400


=== TEST 30: a form that breaks off
--- raw_request eval
main::post('/pic', substr(main::form($::Picture), 0, -10), 'Content-Type' => $::Form)
--- error_code: 400


=== TEST 31: two boundaries
--- raw_request eval
main::post('/pic', main::form($::Picture),
           'Content-Type' => "$::Form; boundary=x")
--- error_code: 400


=== TEST 32: a file behind the end of the form
--- raw_request eval
main::post('/pic', main::form($::Picture) . main::form(['f', 'x.php', undef, '<?php']),
           'Content-Type' => $::Form)
--- error_code: 400
--- response_body_like: "code":"bad_request"


=== TEST 33: a file by its type alone
--- raw_request eval
main::post('/pic', main::form(['b', undef, 'application/octet-stream', $::Html]),
           'Content-Type' => $::Form)
--- error_code: 415
--- response_body_like: "code":"upload_type"


=== TEST 34: a type that only begins as bytes
--- raw_request eval
main::post('/pic', $::Png,
           'Content-Type' => 'application/octet-stream, text/html')
--- error_code: 415
--- response_body_like: "field":"Content-Type"


=== TEST 35: the guard goes along to another location
--- raw_request eval: main::chunked('/up', 9, $::Html)
--- error_code: 415
--- response_headers
Content-Type: application/problem+json
--- response_body_like: "code":"upload_type"


=== TEST 36: so do the parts of a form, and the size
--- raw_request eval
main::chunked('/up', 100, main::form($::Picture, ['t', undef, undef, 'x' x 900]),
              'Content-Type' => $::Form)
--- error_code: 413
--- response_body_like: "code":"body_too_large"


=== TEST 37: what it takes passes
--- raw_request eval
main::post('/up', main::form(['b', 'b.gif', 'image/gif', $::Gif]),
           'Content-Type' => $::Form)
--- response_body_like: ^got \d+$


=== TEST 38: the first location takes it, the second one does not
--- raw_request eval: main::post('/both', $::Gif)
--- error_code: 415


=== TEST 39: the second one's size
--- raw_request eval: main::chunked('/both', 99, $::Png . 'x' x 900)
--- error_code: 413


=== TEST 40: both take it
--- raw_request eval: main::chunked('/both', 99, $::Png)
--- response_body_like: ^got \d+$


=== TEST 41: what ran dry in the first one does in the second
--- raw_request eval: main::chunked('/dryup', 100, $::Html)
--- response_body_like: ^got
--- error_log
would refuse: upload_type


=== TEST 42: an error_page answers in the place of the problem
--- raw_request eval: main::chunked('/sorry', 100, $::Html)
--- response_body: sorry


=== TEST 43: HTTP/2
--- http2
--- more_headers
Content-Type: image/png
--- request
POST /pic
<html>this is no picture at all, and longer than the first bytes of one</html>
--- error_code: 415
--- response_body_like: "code":"upload_type"


=== TEST 44: a rule for everybody must be there
--- config
    location /a { podi_upload_guard max=1k role=admin; }
--- must_die
--- error_log
exactly one has no role=


=== TEST 45: a type that cannot be told
--- config
    location /a { podi_upload_guard types=application/pdf; }
--- must_die
--- error_log
"podi_upload_guard" does not take "application/pdf"
