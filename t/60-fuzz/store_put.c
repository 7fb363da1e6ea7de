/*
 * store_put: a PUT of the embedded store, request line and headers, each on a
 * line, without its signature.
 *
 *     input -> signed here, by the book --> verify -> key
 *                     |                       |
 *                     '- one byte changed --> refused, or the same request
 *
 * The signature is made by another hand than the store's: where the store
 * only finds the signature wrong, one of both reads the request wrongly.
 */

#include <string.h>
#include <strings.h>

#include "fuzz.h"
#include "fuzz_aws4.h"
#include "podi_buf.h"
#include "podi_object.h"
#include "podi_sign_verify.h"
#include "banned.h"


#define NOW    INT64_C(1369353600000000)        /* 2013-05-24 */
#define SCOPE  "/20130524/us-east-1/s3/aws4_request"

#define QUERY(headers)                                                       \
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" AWS4_ACCESS         \
    "%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"                            \
    "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=900&X-Amz-SignedHeaders="    \
    headers

#define ALL  "content-length%3Bcontent-type%3Bhost%3Bif-none-match"


const char *const  fuzz_seeds[] = {
    "PUT /store/podi/u/018f/a.png?" QUERY(ALL) " HTTP/1.1\n"
    "Host: podi.example\nContent-Type: image/png\nContent-Length: 68\n"
    "If-None-Match: *",

    "PUT /store/podi/%E4%BD%99/..%2f?b&a=1&a=%20&" QUERY("host") " HTTP/1.1\n"
    "host: podi.example",

    "PUT /store/podi/a/%2e%2e/b?" QUERY("host") " HTTP/1.1\n"
    "host: podi.example",

    "PUT /store/podi/a?" QUERY("host") " HTTP/1.1\n"
    "host: podi.example\nx-amz-acl: private",

    "PUT /store/podi/a%2Fb?" QUERY("host%3Bx-amz-acl")
    "&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD HTTP/1.1\n"
    "host: podi.example\nx-amz-acl:   a   b \nX-Amz-Acl: c\nother: x",

    "PUT /store/podi/a HTTP/1.1\nhost: podi.example\n"
    "Authorization: AWS4-HMAC-SHA256 Credential=" AWS4_ACCESS SCOPE
    ", SignedHeaders=host;x-amz-content-sha256;x-amz-date\n"
    "x-amz-date: 20130524T000000Z\n"
    "x-amz-content-sha256: "
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",

    NULL
};

const char *const  fuzz_words[] = {
    "PUT ", " HTTP/1.1\n", "\n", "?", "&", "=", "%2F", "%2f", "%3B", "%00",
    "%", "/", "/../", "/.", "//", "\\", "+", "%20", "~", "/store/podi/",
    "host: ", "content-type: image/png", "content-length: 4", "x-amz-",
    "X-Amz-Algorithm=", "X-Amz-Credential=", "X-Amz-Date=",
    "X-Amz-Expires=604800", "X-Amz-Expires=1", "X-Amz-SignedHeaders=",
    "X-Amz-Security-Token=", "X-Amz-Content-Sha256=", "X-Amz-Signature=",
    "20130524T000000Z", "20130523T235959Z", "AWS4-HMAC-SHA256",
    "UNSIGNED-PAYLOAD", SCOPE, "host;", ";host", "Authorization: ",
    "SignedHeaders=", ", Credential=", NULL
};


static int fuzz_read(const uint8_t *data, size_t size, aws4_request_t *r);
static void fuzz_attach(aws4_request_t *r, const aws4_parts_t *p,
    const podi_str_t *signature);
static podi_s3_error_e fuzz_verify(const aws4_request_t *r,
    podi_sign_verified_t *v);
static const podi_object_store_t *fuzz_store(void);
static void fuzz_accepted(const aws4_request_t *r, const aws4_parts_t *p,
    const podi_sign_verified_t *v);
static void fuzz_tamper(const aws4_request_t *r, const podi_str_t *canonical,
    uint64_t n);
static void fuzz_key(const podi_str_t *path);
static void fuzz_permit(const podi_str_t *key, const podi_str_t *type);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    podi_str_t             canonical, signature, type;
    aws4_parts_t           parts;
    podi_s3_error_e        error;
    aws4_request_t         r;
    podi_sign_verified_t   v;

    if (!fuzz_read(data, size, &r)) {
        return 0;
    }

    /* unsigned, it is never taken */

    fuzz_assert(fuzz_verify(&r, &v) != PODI_S3_NONE);

    if (!aws4_parts(&r, &parts)) {
        return 0;
    }

    canonical = aws4_canonical(&r, &parts);
    signature = aws4_sign(&parts, &canonical);
    fuzz_attach(&r, &parts, &signature);

    error = fuzz_verify(&r, &v);

    fuzz_assert(error != PODI_S3_BAD_SIGNATURE && error != PODI_S3_INTERNAL);

    if (error == PODI_S3_NONE) {
        fuzz_accepted(&r, &parts, &v);
        fuzz_tamper(&r, &canonical, fuzz_hash(data, size));
        fuzz_key(&v.path);

    } else {
        fuzz_assert(v.detail[0] != '\0');
    }

    type = aws4_header(&r, "content-type");
    fuzz_permit(&parts.path, &type);

    return 0;
}


/* "PUT /b/k?query HTTP/1.1", then "name: value" */

static int
fuzz_read(const uint8_t *data, size_t size, aws4_request_t *r)
{
    size_t      i;
    podi_str_t  rest, line, name;

    rest = fuzz_str(data, size);
    r->n = 0;

    if (!podi_str_split(&rest, '\n', &line)
        || !podi_str_split(&line, ' ', &r->method)
        || !podi_str_split(&line, ' ', &r->target))
    {
        return 0;
    }

    while (r->n < AWS4_HEADERS && podi_str_split(&rest, '\n', &line)) {

        if (!podi_str_split(&line, ':', &name) || name.len == 0
            || line.data == NULL
            || memchr(name.data, '\0', name.len) != NULL
            || podi_mem_dup(fuzz_mem(), &name, &name) != PODI_OK)
        {
            continue;
        }

        for (i = 0; i < name.len; i++) {
            if (name.data[i] >= 'A' && name.data[i] <= 'Z') {
                name.data[i] = (uint8_t) (name.data[i] + 'a' - 'A');
            }
        }

        r->headers[r->n].name = name;
        r->headers[r->n++].value = line;
    }

    return 1;
}


static void
fuzz_attach(aws4_request_t *r, const aws4_parts_t *p,
    const podi_str_t *signature)
{
    size_t       i;
    podi_buf_t   b;
    podi_str_t  *to = &r->target;

    for (i = 0; i < r->n && !p->in_query; i++) {
        if (podi_str_eq_c(&r->headers[i].name, "authorization")) {
            to = &r->headers[i].value;
            break;
        }
    }

    podi_buf_init(&b, fuzz_mem());
    podi_buf_add_str(&b, to);
    podi_buf_add_c(&b, p->in_query ? "&X-Amz-Signature=" : ", Signature=");
    podi_buf_add_str(&b, signature);

    fuzz_assert(podi_buf_take(&b, to) == PODI_OK);
}


static podi_s3_error_e
fuzz_verify(const aws4_request_t *r, podi_sign_verified_t *v)
{
    size_t                i;
    podi_pair_t           headers[AWS4_HEADERS];
    podi_sign_incoming_t  in;

    for (i = 0; i < r->n; i++) {
        headers[i] = r->headers[i];

        while (headers[i].value.len && headers[i].value.data[0] == ' ') {
            headers[i].value.data++;
            headers[i].value.len--;
        }
    }

    in.method = r->method;
    in.target = r->target;
    in.headers = headers;
    in.n_headers = r->n;
    in.creds = &fuzz_store()->cred;
    in.n_creds = 1;
    in.now = NOW;

    return podi_sign_verify(&in, fuzz_mem(), v);
}


static const podi_object_store_t *
fuzz_store(void)
{
    podi_str_t                   key;
    podi_fail_t                  fail;
    podi_secret_t               *secret;
    static podi_arena_t         *arena;
    static podi_object_store_t   store;
    podi_object_settings_t       settings = {
        .endpoint = podi_string("https://podi.example/store"),
        .bucket = podi_string("podi"), .region = podi_string("us-east-1")
    };

    if (arena != NULL) {
        return &store;
    }

    arena = podi_arena_create();
    key = podi_str_c(AWS4_ACCESS ":" AWS4_SECRET);

    fuzz_assert(podi_secret_make(podi_arena_mem(arena), &key, &secret)
                == PODI_OK);
    settings.key = secret;
    fuzz_assert(podi_object_store(&settings, podi_arena_mem(arena), &store,
                                  &fail) == PODI_OK);

    return &store;
}


/* who signed, when and what; and nothing that a file system could misread */

static void
fuzz_accepted(const aws4_request_t *r, const aws4_parts_t *p,
    const podi_sign_verified_t *v)
{
    size_t      i;
    podi_str_t  cred, auth, rest, part;

    fuzz_assert(podi_str_eq(&v->path, &p->path));
    fuzz_assert(v->path.len > 1 && v->path.data[0] == '/');

    rest = v->path;
    (void) podi_str_split(&rest, '/', &part);

    while (podi_str_split(&rest, '/', &part)) {
        fuzz_assert(part.len != 0 && !podi_str_eq_c(&part, ".")
                    && !podi_str_eq_c(&part, ".."));
    }

    for (i = 0; i < v->path.len; i++) {
        fuzz_assert(v->path.data[i] >= 0x20 && v->path.data[i] != '\\');
    }

    auth = aws4_header(r, "authorization");
    cred = p->in_query ? aws4_param(p, "X-Amz-Credential")
                       : aws4_between(&auth, "Credential=", ',');

    fuzz_assert(podi_str_eq_c(&cred, AWS4_ACCESS SCOPE));
    fuzz_assert(podi_str_has_prefix(&p->date, "20130524T"));
    fuzz_assert(v->expires >= NOW);
    fuzz_assert(podi_sign_is_signed(v, "host"));

    for (i = 0; i < r->n; i++) {
        fuzz_assert(!podi_str_has_prefix(&r->headers[i].name, "x-amz-")
                    || podi_sign_is_signed(v,
                           podi_mem_dup_c(fuzz_mem(), &r->headers[i].name)));
    }

    for (i = 0; i < v->n_query; i++) {
        fuzz_assert(v->query[i].name.len < 6
                    || strncasecmp((char *) v->query[i].name.data, "x-amz-",
                                   6) != 0);
    }
}


/* one byte of the target, or of a header, is another one */

static void
fuzz_tamper(const aws4_request_t *r, const podi_str_t *canonical, uint64_t n)
{
    podi_str_t            *where, text;
    aws4_parts_t           parts;
    aws4_request_t         other = *r;
    podi_sign_verified_t   v;

    where = (n & 1 && r->n != 0) ? &other.headers[(n >> 8) % r->n].value
                                 : &other.target;

    if (where->len == 0) {
        return;
    }

    fuzz_assert(podi_mem_dup(fuzz_mem(), where, where) == PODI_OK);
    where->data[(n >> 16) % where->len] ^= (uint8_t) (1 + (n >> 40) % 127);

    if (fuzz_verify(&other, &v) == PODI_S3_NONE) {
        fuzz_assert(aws4_parts(&other, &parts));
        text = aws4_canonical(&other, &parts);
        fuzz_assert(podi_str_eq(&text, canonical));
    }
}


/* the path is the bucket's and the key; the key is plain */

static void
fuzz_key(const podi_str_t *path)
{
    size_t      i;
    podi_rc_t   rc;
    podi_str_t  key, rest, part;
    podi_buf_t  b;

    rc = podi_object_find(fuzz_store(), path, &key);

    fuzz_assert((rc == PODI_DECLINED)
                == (!podi_str_has_prefix(path, "/store/podi/")
                    && !podi_str_eq_c(path, "/store/podi")));

    if (rc != PODI_OK) {
        return;
    }

    podi_buf_init(&b, fuzz_mem());
    podi_buf_add_c(&b, "/store/podi/");
    podi_buf_add_str(&b, &key);
    fuzz_assert(podi_buf_take(&b, &rest) == PODI_OK);
    fuzz_assert(podi_str_eq(&rest, path));

    fuzz_assert(key.len <= PODI_OBJECT_KEY_MAX);
    rest = key;

    while (podi_str_split(&rest, '/', &part)) {
        fuzz_assert(part.len != 0 && part.data[0] != '.');

        for (i = 0; i < part.len; i++) {
            fuzz_assert(part.data[i] != '\0'
                        && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
                                  "abcdefghijklmnopqrstuvwxyz",
                                  part.data[i]) != NULL);
        }
    }
}


/* what the store's own hand permits is taken, with that key */

static void
fuzz_permit(const podi_str_t *path, const podi_str_t *type)
{
    size_t                 i;
    podi_str_t             key, found, origin;
    aws4_request_t         r;
    podi_sign_verified_t   v;
    podi_object_permit_t   permit;

    if (podi_object_find(fuzz_store(), path, &key) != PODI_OK) {
        return;
    }

    fuzz_assert(podi_object_put(fuzz_store(), &key, type, 68, 900, NOW,
                                fuzz_mem(), &permit) == PODI_OK);

    origin = fuzz_store()->origin;

    r.method = permit.method;
    r.target.data = permit.url.data + origin.len;
    r.target.len = permit.url.len - origin.len;
    r.headers[0].name = podi_str_c("host");
    r.headers[0].value = podi_str_c("podi.example");
    r.n = 1;

    for (i = 0; i < permit.n_headers; i++) {
        r.headers[r.n++] = permit.headers[i];
    }

    fuzz_assert(fuzz_verify(&r, &v) == PODI_S3_NONE);
    fuzz_assert(podi_object_find(fuzz_store(), &v.path, &found) == PODI_OK);
    fuzz_assert(podi_str_eq(&found, &key));
    fuzz_assert(podi_sign_is_signed(&v, "content-type")
                && podi_sign_is_signed(&v, "content-length"));
}
