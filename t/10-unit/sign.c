/*
 * podi_sign, podi_presign, podi_sign_verify: the URL that one makes, the
 * other accepts, and everything that a thief could change is refused.
 * (Published numbers are the vectors runner's part.)
 */

#include "tap.h"
#include "podi_sign_verify.h"
#include "banned.h"


#define NOW  INT64_C(1795324666000000)
#define MIN  INT64_C(60000000)


static podi_mem_t        *mem;
static podi_sign_cred_t   creds[2];
static podi_pair_t        sent[8];
static size_t             n_sent;


static podi_str_t presign(const char *method, const char *path,
    unsigned expires);
static podi_s3_error_e check(const char *method, const char *target,
    podi_usec_t now);
static void is_s3(podi_s3_error_e got, podi_s3_error_e want,
    const char *what);
static char *replace(const char *text, const char *from, const char *to);
static void send_header(const char *name, const char *value);
static void test_query(void);
static void test_paths(void);
static void test_headers(void);
static void test_token(void);
static void test_oss(void);


int
main(void)
{
    podi_str_t      s;
    podi_arena_t   *arena;
    podi_secret_t  *secret;

    arena = podi_arena_create();
    mem = podi_arena_mem(arena);

    s = str("a secret");

    if (podi_secret_make(mem, &s, &secret) != PODI_OK) {
        return 1;
    }

    creds[0].access_key = str("OLDKEY");
    creds[0].secret = secret;
    creds[0].region = str("podi");
    creds[0].service = str("s3");

    s = str("another secret");

    if (podi_secret_make(mem, &s, &secret) != PODI_OK) {
        return 1;
    }

    creds[1] = creds[0];
    creds[1].access_key = str("PODIKEY");
    creds[1].secret = secret;

    test_query();
    test_paths();
    test_headers();
    test_token();
    test_oss();

    podi_arena_free(&arena);

    return tap_done();
}


/* content-type is signed; gives the target, without the origin */

static podi_str_t
presign(const char *method, const char *path, unsigned expires)
{
    podi_str_t      url;
    podi_pair_t     type, extra;
    podi_presign_t  what;

    type.name = str("content-type");
    type.value = str("image/png");
    extra.name = str("response-content-disposition");
    extra.value = str("attachment; filename=\"a b+c.png\"");

    memset(&what, 0, sizeof(what));

    what.method = str(method);
    what.origin = str("https://podi.test:8443");
    what.path = str(path);
    what.query = &extra;
    what.n_query = 1;
    what.headers = &type;
    what.n_headers = 1;
    what.time = NOW;
    what.expires = expires;

    if (podi_presign(&podi_sign_aws4, &creds[1], &what, mem, &url)
        != PODI_OK)
    {
        abort();
    }

    url.data += what.origin.len;
    url.len -= what.origin.len;

    n_sent = 0;
    send_header("Host", "podi.test:8443");
    send_header("Content-Type", "image/png");
    send_header("Accept", "*/*");

    return url;
}


static void
send_header(const char *name, const char *value)
{
    sent[n_sent].name = str(name);
    sent[n_sent].value = str(value);
    n_sent++;
}


static podi_sign_verified_t  verified;


static podi_s3_error_e
check(const char *method, const char *target, podi_usec_t now)
{
    podi_sign_incoming_t  in;

    memset(&in, 0, sizeof(in));

    in.method = str(method);
    in.target = str(target);
    in.headers = sent;
    in.n_headers = n_sent;
    in.creds = creds;
    in.n_creds = 2;
    in.now = now;

    return podi_sign_verify(&in, mem, &verified);
}


static void
is_s3(podi_s3_error_e got, podi_s3_error_e want, const char *what)
{
    if (!ok(got == want, "%s", what)) {
        printf("#  got %s (%s)\n# want %s\n", podi_s3_error(got)->code,
               verified.detail, podi_s3_error(want)->code);
    }
}


/* the first `from` becomes `to` */

static char *
replace(const char *text, const char *from, const char *to)
{
    const char  *p;
    podi_str_t   s;

    p = strstr(text, from);

    if (p == NULL) {
        printf("# no \"%s\" in %s\n", from, text);
        abort();
    }

    s = text_of(mem, "%.*s%s%s", (int) (p - text), text, to,
                p + strlen(from));

    return (char *) s.data;
}


static void
test_query(void)
{
    unsigned     i;
    const char  *url;

    static const struct {
        const char       *from;
        const char       *to;
        podi_s3_error_e   error;
        const char       *what;
    }  changes[] = {
        { "photo.png", "photo.pnf", PODI_S3_BAD_SIGNATURE, "another key" },
        { "a%20b", "a%20c", PODI_S3_BAD_SIGNATURE, "a changed parameter" },
        { "&X-Amz-Signature", "&x=1&X-Amz-Signature",
          PODI_S3_BAD_SIGNATURE, "a parameter more" },
        { "X-Amz-Expires=600", "X-Amz-Expires=601", PODI_S3_BAD_SIGNATURE,
          "a longer life" },
        { "X-Amz-Expires=600", "X-Amz-Expires=0", PODI_S3_BAD_QUERY,
          "expires 0" },
        { "X-Amz-Expires=600", "X-Amz-Expires=604801", PODI_S3_BAD_QUERY,
          "expires 604801" },
        { "X-Amz-Expires=600", "X-Amz-Expires=ten", PODI_S3_BAD_QUERY,
          "expires ten" },
        { "X-Amz-Expires=600", "X-Amz-Expires=600&X-Amz-Expires=600",
          PODI_S3_BAD_QUERY, "expires twice" },
        { "&X-Amz-Expires=600", "", PODI_S3_BAD_QUERY, "no expires" },
        { "X-Amz-Date=2026", "X-Amz-Date=2027", PODI_S3_NOT_YET,
          "another date" },
        { "X-Amz-Date=20261122T", "X-Amz-Date=20261122X", PODI_S3_BAD_QUERY,
          "no date" },
        { "PODIKEY%2F20261122", "PODIKEY%2F20261121", PODI_S3_BAD_QUERY,
          "a scope of another day" },
        { "%2Fpodi%2F", "%2Fother%2F", PODI_S3_BAD_QUERY, "another region" },
        { "%2Fs3%2F", "%2Fsts%2F", PODI_S3_BAD_QUERY, "another service" },
        { "aws4_request", "aws4_requests", PODI_S3_BAD_QUERY,
          "another terminator" },
        { "%2Faws4_request", "", PODI_S3_BAD_QUERY, "four parts" },
        { "aws4_request", "aws4_request%2Fx", PODI_S3_BAD_QUERY,
          "six parts" },
        { "PODIKEY", "OLDKEY", PODI_S3_BAD_SIGNATURE, "another key's name" },
        { "PODIKEY", "NOKEY", PODI_S3_BAD_ACCESS_KEY, "an unknown key" },
        { "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1", PODI_S3_BAD_QUERY,
          "another algorithm" },
        { "content-type%3Bhost", "host", PODI_S3_BAD_SIGNATURE,
          "fewer headers signed" },
        { "content-type%3Bhost", "content-type", PODI_S3_BAD_QUERY,
          "host not signed" },
        { "content-type%3Bhost", "content-type%3Bhost%3Bx-none",
          PODI_S3_BAD_QUERY, "a signed header that is not there" },
        { "content-type%3Bhost", "host%3Bcontent-type", PODI_S3_BAD_QUERY,
          "signed headers out of order" },
        { "&X-Amz-Signature=", "&X-Amz-Security-Token=x&X-Amz-Signature=",
          PODI_S3_BAD_TOKEN, "a token that nobody gave" },
        { "&X-Amz-Signature=", "&X-Amz-Signature=0&X-Amz-Signature=",
          PODI_S3_BAD_QUERY, "two signatures" },
        { "X-Amz-Signature=", "X-Amz-Signatur=", PODI_S3_BAD_QUERY,
          "no signature" },
        { "&X-Amz-Signature=", "&x=%2&X-Amz-Signature=", PODI_S3_BAD_URI,
          "a cut escape" },
        { "%20", "%zz", PODI_S3_BAD_URI, "a wrong escape" },
    };

    url = (char *) presign("PUT", "/media/t/photo.png", 600).data;

    is_s3(check("PUT", url, NOW), PODI_S3_NONE, "as signed");
    is_str(verified.path, "/media/t/photo.png", "its path");
    ok(verified.cred == &creds[1], "its key");
    ok(verified.n_query == 1, "one parameter is not about the signature");
    is_str(verified.query[0].value, "attachment; filename=\"a b+c.png\"",
           "decoded once");
    ok(podi_sign_is_signed(&verified, "content-type")
       && !podi_sign_is_signed(&verified, "content-length"),
       "which headers were signed");
    is_str(verified.payload_hash, "UNSIGNED-PAYLOAD", "any body");
    ok(verified.expires == NOW + 10 * MIN, "when it ends");

    is_s3(check("GET", url, NOW), PODI_S3_BAD_SIGNATURE, "another method");
    is_s3(check("PUT", url, NOW + 10 * MIN), PODI_S3_NONE, "until it ends");
    is_s3(check("PUT", url, NOW + 10 * MIN + 1000000), PODI_S3_EXPIRED,
          "and not a second longer");
    is_str(str(podi_s3_error(PODI_S3_EXPIRED)->code), "AccessDenied",
           "which S3 calls AccessDenied");
    is_s3(check("PUT", url, NOW - 15 * MIN), PODI_S3_NONE,
          "our clock may be 15 minutes behind");
    is_s3(check("PUT", url, NOW - 16 * MIN), PODI_S3_NOT_YET, "not 16");

    for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        is_s3(check("PUT", replace(url, changes[i].from, changes[i].to), NOW),
              changes[i].error, changes[i].what);
    }

    sent[1].value = str("image/jpeg");
    is_s3(check("PUT", url, NOW), PODI_S3_BAD_SIGNATURE,
          "another content-type");
    sent[1].value = str("image/png");

    sent[0].value = str("evil.test");
    is_s3(check("PUT", url, NOW), PODI_S3_BAD_SIGNATURE, "another host");
    sent[0].value = str("podi.test:8443");

    send_header("X-Amz-Acl", "public-read");
    is_s3(check("PUT", url, NOW), PODI_S3_HEADER_UNSIGNED,
          "an x-amz header that was not signed");
    n_sent--;

    send_header("Authorization", "AWS4-HMAC-SHA256 x");
    is_s3(check("PUT", url, NOW), PODI_S3_BAD_REQUEST, "signed twice");
    n_sent--;

    is_s3(check("GET", "/media/t/photo.png", NOW), PODI_S3_ACCESS_DENIED,
          "not signed at all");
}


static void
test_paths(void)
{
    unsigned     i;
    const char  *url;

    static const struct {
        const char       *path;         /* decoded, as signed */
        podi_s3_error_e   error;
    }  paths[] = {
        { "/media/\xe4\xbd\x99 +%&?#.png", PODI_S3_NONE },
        { "/media/a..b/...", PODI_S3_NONE },
        { "/media/../secret", PODI_S3_BAD_KEY },
        { "/media/./x", PODI_S3_BAD_KEY },
        { "/media//x", PODI_S3_BAD_KEY },
        { "/media/x/", PODI_S3_BAD_KEY },
        { "/media/..", PODI_S3_BAD_KEY },
        { "/media/a\\b", PODI_S3_BAD_KEY },
        { "/media/a\nb", PODI_S3_BAD_KEY },
        { "/", PODI_S3_BAD_KEY },
    };

    for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        url = (char *) presign("GET", paths[i].path, 60).data;
        is_s3(check("GET", url, NOW), paths[i].error, paths[i].path);
    }

    url = (char *) presign("GET", "/media/x", 60).data;
    is_s3(check("GET", replace(url, "/x", "/%2e%2e"), NOW), PODI_S3_BAD_KEY,
          "dots that were escaped");
    is_s3(check("GET", replace(url, "/x", "/x%00"), NOW), PODI_S3_BAD_KEY,
          "a NUL");
    is_s3(check("GET", replace(url, "/x", "%2fx"), NOW), PODI_S3_NONE,
          "an escaped slash is the same key");
    is_s3(check("GET", "media?X-Amz-Algorithm=x", NOW), PODI_S3_BAD_KEY,
          "no leading slash");
    is_s3(check("GET", "", NOW), PODI_S3_BAD_KEY, "no target");
}


/* the Authorization form, made with podi_sign itself */

static void
test_headers(void)
{
    podi_str_t            auth;
    podi_pair_t           headers[4];
    podi_signature_t      sig;
    podi_sign_request_t   req;

    static const char  hash[] = "e3b0c44298fc1c149afbf4c8996fb924"
                                "27ae41e4649b934ca495991b7852b855";

    n_sent = 0;
    send_header("HOST", "podi.test");
    send_header("x-amz-date", "20261122T051746Z");
    send_header("X-Amz-Content-SHA256", hash);

    memset(&req, 0, sizeof(req));
    memcpy(headers, sent, sizeof(podi_pair_t) * 3);

    req.method = str("GET");
    req.path = str("/media/x");
    req.headers = headers;
    req.n_headers = 3;
    req.payload_hash = str(hash);
    req.time = NOW;

    if (podi_sign(&podi_sign_aws4, &creds[0], &req, mem, &sig) != PODI_OK) {
        abort();
    }

    auth = text_of(mem, "AWS4-HMAC-SHA256 Credential=OLDKEY/" PODI_STR_FMT
                   ", SignedHeaders=" PODI_STR_FMT ",Signature="
                   PODI_STR_FMT, podi_str_arg(&sig.scope),
                   podi_str_arg(&sig.signed_headers),
                   podi_str_arg(&sig.signature));

    send_header("authorization", (char *) auth.data);

    is_s3(check("GET", "/media/x", NOW), PODI_S3_NONE, "in a header");
    is_str(verified.payload_hash, hash, "its payload hash");
    is_s3(check("GET", "/media/x?a=1", NOW), PODI_S3_BAD_SIGNATURE,
          "a parameter more");
    is_s3(check("GET", "/media/x", NOW + 16 * MIN), PODI_S3_TIME_SKEWED,
          "16 minutes late");
    is_s3(check("GET", "/media/x", NOW - 16 * MIN), PODI_S3_TIME_SKEWED,
          "16 minutes early");

    sent[2].value = str("STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
    is_s3(check("GET", "/media/x", NOW), PODI_S3_BAD_REQUEST,
          "a payload that is signed in chunks");
    sent[2].value = str("UNSIGNED-PAYLOAD");
    is_s3(check("GET", "/media/x", NOW), PODI_S3_BAD_SIGNATURE,
          "another payload hash");
    sent[2].value = str(hash);

    sent[3].value = str(replace((char *) auth.data, "Credential=",
                                "Credentials="));
    is_s3(check("GET", "/media/x", NOW), PODI_S3_BAD_HEADER,
          "an unknown part");
    sent[3].value = str(replace((char *) auth.data, "Credential=",
                                "Credential=, Credential="));
    is_s3(check("GET", "/media/x", NOW), PODI_S3_BAD_HEADER,
          "a credential twice, first an empty one");
    sent[3].value = str("Basic eDp5");
    is_s3(check("GET", "/media/x", NOW), PODI_S3_BAD_HEADER,
          "another scheme");
    sent[3].value = auth;

    send_header("X-Amz-Date", "20261122T051746Z");
    is_s3(check("GET", "/media/x", NOW), PODI_S3_ACCESS_DENIED, "two dates");
}


static void
test_token(void)
{
    const char  *url;

    creds[1].token = str("t/o+k=en");

    url = (char *) presign("GET", "/media/x", 60).data;
    ok(strstr(url, "X-Amz-Security-Token=t%2Fo%2Bk%3Den") != NULL,
       "the token is in the URL");
    is_s3(check("GET", url, NOW), PODI_S3_NONE, "and accepted");
    is_s3(check("GET", replace(url, "en&", "em&"), NOW), PODI_S3_BAD_TOKEN,
          "another is not");

    creds[1].token = str("");
}


static void
test_oss(void)
{
    podi_str_t      url;
    podi_pair_t     headers[2];
    podi_presign_t  what;

    memset(&what, 0, sizeof(what));

    headers[0].name = str("content-type");
    headers[0].value = str("image/png");
    headers[1].name = str("content-length");
    headers[1].value = str("42");

    what.method = str("PUT");
    what.origin = str("https://b.oss-cn-hangzhou.aliyuncs.com");
    what.bucket = str("b");
    what.path = str("/k/\xe4\xbd\x99.png");
    what.headers = headers;
    what.n_headers = 2;
    what.time = NOW;
    what.expires = 600;

    creds[1].region = str("cn-hangzhou");
    creds[1].service = str("oss");

    ok(podi_presign(&podi_sign_oss4, &creds[1], &what, mem, &url) == PODI_OK,
       "OSS4");
    url.len -= 64;                      /* the signature */
    is_str(text_of(mem, PODI_STR_FMT, podi_str_arg(&url)),
           "https://b.oss-cn-hangzhou.aliyuncs.com/k/%E4%BD%99.png"
           "?x-oss-additional-headers=content-length"
           "&x-oss-credential=PODIKEY%2F20261122%2Fcn-hangzhou%2Foss"
           "%2Faliyun_v4_request&x-oss-date=20261122T051746Z"
           "&x-oss-expires=600&x-oss-signature-version=OSS4-HMAC-SHA256"
           "&x-oss-signature=",
           "states what is signed besides content-type; no bucket twice");

    what.origin = str("ftp://x");
    ok(podi_presign(&podi_sign_oss4, &creds[1], &what, mem, &url)
       == PODI_ERROR, "an origin is http or https");
    what.origin = str("https://x/y");
    ok(podi_presign(&podi_sign_oss4, &creds[1], &what, mem, &url)
       == PODI_ERROR, "and has no path");
}
