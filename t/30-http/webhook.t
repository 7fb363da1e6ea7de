# Calls of third parties: each kind of signature, and all that is refused.
#
# Whom a call wakes is t/40-worker/provider_webhook.t's part.

use Test::Nginx::Socket 'no_plan';
use Digest::SHA qw( sha256_hex hmac_sha256 hmac_sha256_hex );
use File::Temp ();
use JSON::PP ();
use MIME::Base64 qw( encode_base64 encode_base64url );
use Podi::Repo qw( root );

our $Dir = File::Temp->newdir;
our $Shipped = root() . '/conf/providers';
our $Body = '{"id":"p1","request_id":"p1","status":"succeeded"}';
our $Secret = 'a secret of the third party';
our $Key = 'key of the tokens in URLs';
our ($Job, $Attempt) = ('0198c5a2-7d10-7c3a-9b1e-2f60c1a4d5e6',
                        '0198c5a2-7d10-7c3a-9b1e-2f60c1a4d5e7');


sub write_file
{
    my ($name, $text) = @_;

    open my $out, '>:raw', "$Dir/$name" or die "$Dir/$name: $!";
    print $out $text;
    close $out;
    chmod 0600, "$Dir/$name";
    return "$Dir/$name";
}


# the path that the third party was told
sub path
{
    my ($provider) = @_;
    my $text = "podi/callback/1\n$provider\n$Job\n$Attempt";

    return "/v1/providers/$provider/webhook/$Job.$Attempt."
        . encode_base64url(hmac_sha256($text, $Key));
}


sub post
{
    my ($provider, $body) = @_;

    return 'POST ' . path($provider) . "\n" . ($body // $Body);
}


sub standard
{
    my (%of) = @_;
    my $at = $of{at} // time;
    my $id = $of{id} // 'msg_1';
    my $mac = hmac_sha256("$id.$at." . ($of{body} // $Body),
                          $of{secret} // $Secret);

    return "webhook-id: $id\nwebhook-timestamp: $at\nwebhook-signature: "
        . ($of{other} // '') . 'v1,' . encode_base64($mac, '');
}


sub ed25519
{
    my (%of) = @_;
    my $at = $of{at} // time;
    my $text = write_file('text', join "\n", 'p1', 'user-1', $at,
                          sha256_hex($Body));
    my $key = $of{key} // "$Dir/ed.pem";

    return "X-Fal-Webhook-Request-Id: p1\nX-Fal-Webhook-User-Id: user-1\n"
        . "X-Fal-Webhook-Timestamp: $at\nX-Fal-Webhook-Signature: "
        . unpack 'H*', qx(openssl pkeyutl -sign -rawin -inkey $key -in $text);
}


sub hex_mac { return 'X-Sign: sha256=' . hmac_sha256_hex($Body, $_[0]) }


system("openssl genpkey -algorithm ed25519 -out $Dir/$_.pem 2>/dev/null") == 0
    or die 'openssl' for qw( ed other );
my $x = substr qx(openssl pkey -in $Dir/ed.pem -pubout -outform DER), -32;

write_file('webhook.key', "$Key\n");
write_file('replicate', 'whsec_' . encode_base64($Secret, '') . "\n");
write_file('signer', "$Secret\n");
write_file('open', "$Secret\n");
chmod 0644, "$Dir/open";
write_file('fal.jwks', JSON::PP::encode_json({ keys => [
    { kty => 'OKP', crv => 'Ed25519', x => encode_base64url($x) } ] }));
write_file('none.jwks', '{"keys":[]}');
write_file('signer.json', JSON::PP::encode_json({
    name => 'signer', base_url => 'https://signer.example',
    secrets => ['hook'], webhook => { verify => {
        kind => 'hmac_header', secret => 'hook', header => 'X-Sign',
        prefix => 'sha256=' } },
    operations => { go => { submit => { url => '/' },
                            result => { item_kind => 'bytes' } } } }));

our $Http = <<"EOS";
podi_zone 1m;
podi_webhook_key_file $Dir/webhook.key;
podi_webhook_provider $Shipped/replicate.json secret=$Dir/replicate;
podi_webhook_provider $Shipped/fal.json jwks=$Dir/fal.jwks;
podi_webhook_provider $Shipped/volc_ark.json;
podi_webhook_provider $Dir/signer.json secret=$Dir/signer;
podi_limit_zone one 1m key=ip rate=1r/h;
EOS
our $Server = <<"EOS";
location /v1/providers/ { podi_webhook; }
location /limited/ { podi_limit one early; rewrite ^/limited(.*) \$1 break;
                     podi_webhook; }
EOS


# a line of the configuration, alone
sub only
{
    my ($line) = @_;

    return "podi_webhook_key_file $Dir/webhook.key;\n$line\n";
}

log_level('info');
no_shuffle();
run_tests();

__DATA__

=== TEST 1: Standard Webhooks, as Replicate signs
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers eval: main::standard()
--- request eval: main::post('replicate')
--- error_code: 204
--- response_body:


=== TEST 2: one of several signatures suffices
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers eval: main::standard(other => 'v1,AAAA v2,BBBB ')
--- request eval: main::post('replicate')
--- error_code: 204


=== TEST 3: the same again is heard again
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers eval: main::standard()
--- request eval: [ (main::post('replicate')) x 2 ]
--- error_code eval: [204, 204]


=== TEST 4: another secret; the log has no token
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers eval: main::standard(secret => 'x')
--- request eval: main::post('replicate')
--- error_code: 401
--- response_body_like: "status":401,"code":"webhook_refused"
--- error_log
its signature is not ours
/v1/providers/replicate/webhook/------
--- no_error_log eval: $::Attempt


=== TEST 5: a body that was changed on the way
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers eval: main::standard()
--- request eval: main::post('replicate', '{"id":"p2"}')
--- error_code: 401


=== TEST 6: no signature at all
--- http_config eval: $::Http
--- config eval: $::Server
--- request eval: main::post('replicate')
--- error_code: 401
--- response_headers_like
WWW-Authenticate: .+
Content-Type: application/problem\+json


=== TEST 7: signed well, six minutes ago
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers eval: main::standard(at => time - 360)
--- request eval: main::post('replicate')
--- error_code: 401
--- error_log
it is too old, or of the future


=== TEST 8: signed well, six minutes ahead
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers eval: main::standard(at => time + 360)
--- request eval: main::post('replicate')
--- error_code: 401


=== TEST 9: signed well, and no JSON
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers eval: main::standard(body => '[1')
--- request eval: main::post('replicate', '[1')
--- error_code: 400
--- response_body_like: "code":"bad_json"


=== TEST 10: Ed25519, as fal signs
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers eval: main::ed25519()
--- request eval: main::post('fal')
--- error_code: 204


=== TEST 11: a key that is not of their document
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers eval: main::ed25519(key => "$::Dir/other.pem")
--- request eval: main::post('fal')
--- error_code: 401


=== TEST 12: Ed25519 of an hour ago
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers eval: main::ed25519(at => time - 3600)
--- request eval: main::post('fal')
--- error_code: 401


=== TEST 13: an HMAC in a header
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers eval: main::hex_mac($::Secret)
--- request eval: main::post('signer')
--- error_code: 204


=== TEST 14: an HMAC of somebody else
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers eval: main::hex_mac('x')
--- request eval: main::post('signer')
--- error_code: 401


=== TEST 15: where the token of the path is all there is
--- http_config eval: $::Http
--- config eval: $::Server
--- request eval: main::post('volc_ark')
--- error_code: 204


=== TEST 16: another token, for whom else, or none: all the same answer
--- http_config eval: $::Http
--- config eval: $::Server
--- pipelined_requests eval
my $ark = main::path('volc_ark');
[ map { "POST $_\n$::Body" } $ark =~ s/.$//r, "${ark}A",
  $ark =~ s/$::Attempt/$::Job/r, main::path('fal') =~ s/fal/volc_ark/r,
  main::path('nobody'), '/v1/providers/volc_ark/webhook/x',
  '/v1/providers/volc_ark/webhook/..' ]
--- error_code eval: [ (404) x 7 ]
--- response_body_like eval: [ ('"code":"not_found"') x 7 ]
--- no_error_log eval: $::Attempt


=== TEST 17: a token that is written in another way stays out of the log, too
--- http_config eval: $::Http
--- config eval: $::Server
--- more_headers eval: main::standard(secret => 'x')
--- request eval: 'POST ' . (main::path('replicate') =~ s/webhook/web%68ook/r) . "\n$::Body"
--- error_code: 401
--- no_error_log eval: $::Attempt


=== TEST 18: a well-known path is not enough; another method is none
--- http_config eval: $::Http
--- config eval: $::Server
--- request eval: 'GET ' . main::path('volc_ark')
--- error_code: 405
--- response_headers
Allow: POST


=== TEST 19: too much
--- http_config eval: $::Http
--- config eval: $::Server
--- request eval: main::post('volc_ark', '{"id":"' . 'x' x (256 * 1024) . '"}')
--- error_code: 413
--- response_body_like: "code":"body_too_large"


=== TEST 20: as much as may come
--- http_config eval: $::Http
--- config eval: $::Server
--- request eval: main::post('volc_ark', '{"id":"' . 'x' x (256 * 1024 - 9) . '"}')
--- error_code: 204


=== TEST 21: an address is counted before anything is read
--- http_config eval: $::Http
--- config eval: $::Server
--- request eval: [ ('POST /limited' . main::path('volc_ark') . "\n$::Body") x 2 ]
--- error_code eval: [204, 429]
--- no_error_log eval: $::Attempt


=== TEST 22: Redis that is away
--- http_config eval: "$::Http\npodi_redis unix:$::Dir/none.sock;"
--- config eval: $::Server
--- more_headers eval: main::standard()
--- request eval: main::post('replicate')
--- error_code: 204


=== TEST 23: a location without the key
--- http_config
--- config
    location /v1/providers/ { podi_webhook; }
--- must_die
--- error_log
"podi_webhook" needs the key of its URLs: write "podi_webhook_key_file


=== TEST 24: a secret that others can read
--- http_config eval: "podi_webhook_key_file $::Dir/open;"
--- config
--- must_die
--- error_log
is open to others


=== TEST 25: a third party that signs, without its secret
--- http_config eval: main::only("podi_webhook_provider $::Shipped/replicate.json;")
--- config
--- must_die
--- error_log
replicate.json needs secret=FILE


=== TEST 26: one that publishes keys, without them
--- http_config eval: main::only("podi_webhook_provider $::Shipped/fal.json secret=$::Dir/signer;")
--- config
--- must_die
--- error_log
fal.json needs jwks=FILE, the document at https://rest.alpha.fal.ai/.well-known/jwks.json


=== TEST 27: a document without keys
--- http_config eval: main::only("podi_webhook_provider $::Shipped/fal.json jwks=$::Dir/none.jwks;")
--- config
--- must_die
--- error_log
is no JWKS document with keys in it


=== TEST 28: one that never calls
--- http_config eval: main::only("podi_webhook_provider $::Shipped/stability.json;")
--- config
--- must_die
--- error_log
stability.json never calls: it has no "webhook"


=== TEST 29: a secret that is asked by nobody
--- http_config eval: main::only("podi_webhook_provider $::Shipped/volc_ark.json secret=$::Dir/signer;")
--- config
--- must_die
--- error_log
volc_ark.json takes neither secret= nor jwks=


=== TEST 30: twice
--- http_config eval: main::only("podi_webhook_provider $::Shipped/volc_ark.json;\npodi_webhook_provider $::Shipped/volc_ark.json;")
--- config
--- must_die
--- error_log
"podi_webhook_provider" directive names a third party twice


=== TEST 31: another word
--- http_config eval: main::only("podi_webhook_provider $::Shipped/volc_ark.json key=x;")
--- config
--- must_die
--- error_log
does not know "key=x": write secret=FILE or jwks=FILE


=== TEST 32: a description that is not there
--- http_config eval: main::only("podi_webhook_provider $::Dir/none.json;")
--- config
--- must_die
--- error_log
none.json" cannot be read
