# The settings of media and of the embedded store: what they say, and what
# nginx -t says when they cannot be.

use Test::Nginx::Socket 'no_plan';
use Podi::Suite;

our $Http = Podi::Suite::http();
our $Ann = 'Authorization: Bearer ' . Podi::Suite::member('ann')->{token};
our $Key = Podi::Suite::stack()->{dir} . '/keys/store.key';
our $Bad = Podi::Suite::stack()->{dir} . '/keys/bad.key';
Podi::Stack::Files::write_file($Bad, "no colon\n", 0600);


# the http level with another line for the store
sub store
{
    my ($words) = @_;

    return Podi::Suite::http(replace => {
        'podi_media_store [^;]*;' => "podi_media_store $words;" });
}

run_tests();

__DATA__

=== TEST 1: what may be uploaded, as it ships
--- http_config eval: $::Http
--- config
    podi_tenant demo;
    location /v1/media { podi_auth on; podi_media; }
--- more_headers eval: $::Ann
--- request
GET /v1/media/limits
--- response_body chomp
{"max_bytes":67108864,"batch":20,"upload_expires_in":600,"download_expires_in":600,"types":["image/jpeg","image/png","image/webp"]}


=== TEST 2: a location has limits of its own
--- http_config eval: $::Http
--- config
    podi_tenant demo;
    podi_upload_max_size 5m;
    podi_upload_batch 7;
    location /v1/media {
        podi_auth on;
        podi_media;
        podi_upload_types image/gif image/avif;
        podi_upload_expires 1m;
        podi_download_expires 2m;
        podi_upload_store main;
    }
--- more_headers eval: $::Ann
--- request
GET /v1/media/limits
--- response_body chomp
{"max_bytes":5242880,"batch":7,"upload_expires_in":60,"download_expires_in":120,"types":["image/gif","image/avif"]}


=== TEST 3: only to those who are known
--- http_config eval: $::Http
--- config
    podi_tenant demo;
    location /v1/media { podi_auth on; podi_media; }
--- request
GET /v1/media/limits
--- error_code: 401


=== TEST 4: media without a store
--- http_config eval: Podi::Suite::http(replace => { 'podi_media_store [^;]*;' => '' })
--- config
    podi_tenant demo;
    location /v1/media { podi_auth on; podi_media; }
--- must_die
--- error_log
"podi_media" needs a store: write "podi_media_store main type=embedded


=== TEST 5: a store that is not there
--- http_config eval: $::Http
--- config
    location /store/ { podi_store other; }
--- must_die
--- error_log
there is no store "other": write "podi_media_store other ...;" at http level


=== TEST 6: uploads to a store that is not there
--- http_config eval: $::Http
--- config
    podi_upload_store other;
--- must_die
--- error_log
there is no store "other"


=== TEST 7: serving a store that is elsewhere
--- http_config eval: ::store("ali type=oss endpoint=https://b.oss.example bucket=b region=r key_file=$::Key")
--- config
    location /store/ { podi_store ali; }
--- must_die
--- error_log
"podi_store" serves stores of type=embedded only, "ali" is another one


=== TEST 8: a store of no type
--- http_config eval: ::store("main type=disk endpoint=http://h bucket=b region=r key_file=$::Key")
--- config
--- must_die
--- error_log
needs type=embedded|s3|oss


=== TEST 9: an embedded store without a root
--- http_config eval: ::store("main type=embedded endpoint=http://h bucket=b region=r key_file=$::Key")
--- config
--- must_die
--- error_log
and root= when embedded


=== TEST 10: a word that it does not know
--- http_config eval: ::store("main type=s3 endpoint=http://h bucket=b region=r secret=x key_file=$::Key")
--- config
--- must_die
--- error_log
"podi_media_store" does not know "secret=x": write type=, endpoint=


=== TEST 11: no endpoint
--- http_config eval: ::store("main type=s3 bucket=b region=r key_file=$::Key")
--- config
--- must_die
--- error_log
store "main": an endpoint begins with https:// or http://


=== TEST 12: no region
--- http_config eval: ::store("main type=s3 endpoint=http://h bucket=b key_file=$::Key")
--- config
--- must_die
--- error_log
store "main": a store needs a bucket and a region


=== TEST 13: a key file that is not there
--- http_config eval: ::store("main type=s3 endpoint=http://h bucket=b region=r key_file=/nowhere/key")
--- config
--- must_die
--- error_log
store "main":


=== TEST 14: a key file without a colon, which is not repeated
--- http_config eval: ::store("main type=s3 endpoint=http://h bucket=b region=r key_file=$::Bad")
--- config
--- must_die
--- error_log
store "main": a store's key file has ACCESS_KEY_ID:SECRET
--- no_error_log
no colon


=== TEST 15: a name twice
--- http_config eval: $::Http . "podi_media_store main type=s3 endpoint=http://h bucket=b region=r key_file=$::Key;"
--- config
--- must_die
--- error_log
podi_media_store


=== TEST 16: a type that first bytes do not tell
--- http_config eval: Podi::Suite::http(replace => { 'podi_upload_types [^;]*;' => '' })
--- config
    podi_upload_types image/jpeg image/svg+xml;
--- must_die
--- error_log
"image/svg+xml" is not a type that can be told by its first bytes: write image/jpeg


=== TEST 17: a type that is delivered, but not uploaded
--- http_config eval: Podi::Suite::http(replace => { 'podi_upload_types [^;]*;' => '' })
--- config
    podi_upload_types image/jpeg video/mp4;
--- must_die
--- error_log
"video/mp4" is not a type that can be told by its first bytes: write image/jpeg


=== TEST 18: for ever
--- http_config eval: $::Http
--- config
    podi_upload_expires 8d;
--- must_die
--- error_log
"podi_upload_expires" and "podi_download_expires" go from 1s to 7d


=== TEST 19: a batch of too many
--- http_config eval: $::Http
--- config
    podi_upload_batch 101;
--- must_die
--- error_log
value must be between 1 and 100


=== TEST 20: a keep-alive that is no rest
--- http_config eval: $::Http . "podi_event_keepalive 100ms;"
--- config
--- must_die
--- error_log
"podi_event_keepalive" must be 1s or more and not longer than "podi_event_lifetime"


=== TEST 21: a life shorter than silence
--- http_config eval: $::Http . "podi_event_lifetime 10s;"
--- config
--- must_die
--- error_log
"podi_event_keepalive" must be 1s or more


=== TEST 22: streams without number
--- http_config eval: $::Http . "podi_event_streams 0;"
--- config
--- must_die
--- error_log
must be between 1 and 1000
