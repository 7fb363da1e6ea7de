/*
 * claims: a token's header and its claims, each on a line, signed here with
 * the right key: what is behind the signature.
 *
 *     input -> base64url, HMAC --> verify <-> the same rules over jansson
 */

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include <strings.h>

#include "fuzz.h"
#include "fuzz_json.h"
#include "podi_jose.h"
#include "banned.h"


#define SECRET  "0123456789abcdef0123456789abcdef"
#define NOW     INT64_C(1795324666)         /* 2026-11-22 */
#define DEPTH   8
#define LEEWAY  30
#define LIFE    600
#define LATEST  INT64_C(253402300799)

#define HEAD    "{\"alg\":\"HS256\",\"kid\":\"h1\",\"typ\":\"at+jwt\"}\n"


const char *const  fuzz_seeds[] = {
    HEAD "{\"iss\":\"https://podi\",\"aud\":\"api\",\"iat\":1795324600,"
    "\"exp\":1795325000,\"sub\":\"u\"}",
    "{\"typ\":\"application/AT+JWT\",\"alg\":\"HS256\"}\n"
    "{\"aud\":[\"x\",\"api\"],\"iss\":\"https://podi\",\"iat\":1795324696,"
    "\"nbf\":1795324696,\"exp\":1795325296}",
    HEAD "{\"iss\":\"https://podi\",\"aud\":\"api\",\"iat\":1795324697,"
    "\"exp\":1795325266}",
    HEAD "{\"iss\":\"https://podi\",\"aud\":\"api\",\"iat\":1795324666,"
    "\"exp\":1795325267}",
    HEAD "{\"iss\":\"https://podi\",\"aud\":\"api\",\"iat\":1795324666,"
    "\"nbf\":1795324697,\"exp\":1795325266}",
    HEAD "{\"iss\":\"https://podi\",\"aud\":\"api\",\"iat\":1795324600,"
    "\"exp\":1795324666,\"x\":{\"y\":[1,{\"z\":null}]}}",
    NULL
};

const char *const  fuzz_words[] = {
    "\"alg\":", "\"HS256\"", "\"HS512\"", "\"none\"", "\"kid\":", "\"h1\"",
    "\"typ\":", "\"at+jwt\"", "\"application/\"", "application/", "\"crit\":",
    "\"b64\":", "\"zip\":", "\"enc\":", "\"iss\":", "\"https://podi\"",
    "\"aud\":", "\"api\"", "[\"api\"]", "\"exp\":", "\"nbf\":", "\"iat\":",
    "1795324666", "1795324696", "1795324697", "1795325266", "253402300799",
    "253402300800", "-1", "0", "1.5", "1e9", "null", "{", "}", "[", "]", ",",
    "\\u0000", NULL
};

static const podi_str_t  typ = podi_string("at+jwt");
static const podi_str_t  aud = podi_string("api");

static const podi_jose_expect_t  expect = {
    .typ = { &typ, 1 }, .aud = { &aud, 1 },
    .iss = podi_string("https://podi"), .now = NOW * 1000000,
    .leeway = LEEWAY, .max_life = LIFE
};


static const podi_jose_ring_t *fuzz_ring(void);
static podi_str_t fuzz_token(const podi_str_t *header,
    const podi_str_t *claims);
static size_t fuzz_base64url(const uint8_t *data, size_t len, char *dst);
static json_t *fuzz_object(const podi_str_t *s);
static int fuzz_is_header(const podi_str_t *s);
static int fuzz_is_name(const json_t *object, const char *name);
static int fuzz_is_for_us(const json_t *claims);
static int fuzz_is_now(const json_t *claims);
static int fuzz_time(const json_t *claims, const char *name, int64_t *ret);
static void fuzz_release(void *value);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int           good;
    json_t       *claims, *mine;
    podi_rc_t     rc;
    podi_str_t    rest, header, token;
    podi_fail_t   fail;

    rest = fuzz_str(data, size);

    (void) podi_str_split(&rest, '\n', &header);

    token = fuzz_token(&header, &rest);
    mine = fuzz_object(&rest);
    good = fuzz_is_header(&header) && mine != NULL && fuzz_is_for_us(mine)
           && fuzz_is_now(mine);

    rc = podi_jose_verify(fuzz_ring(), &token, &expect, fuzz_mem(), &claims,
                          &fail);

    fuzz_assert(good == (rc == PODI_OK));

    if (rc == PODI_OK) {
        fuzz_assert(json_equal(claims, mine));
        return 0;
    }

    fuzz_assert(fail.error == PODI_E_TOKEN_INVALID
                || fail.error == PODI_E_TOKEN_EXPIRED);

    return 0;
}


/* in memory of its own, that is not reset */

static const podi_jose_ring_t *
fuzz_ring(void)
{
    podi_str_t                 text;
    podi_fail_t                fail;
    static podi_arena_t       *arena;
    static podi_jose_ring_t   *ring;
    const podi_jose_accept_t   file = { .remote = 0 };

    if (arena == NULL) {
        arena = podi_arena_create();
        text = podi_str_c("{\"keys\":[{\"kty\":\"oct\",\"alg\":\"HS256\","
                          "\"kid\":\"h1\",\"k\":\"MDEyMzQ1Njc4OWFiY2RlZjAxMj"
                          "M0NTY3ODlhYmNkZWY\"}]}");

        fuzz_assert(podi_jose_ring_parse(&text, &file, podi_arena_mem(arena),
                                         &ring, &fail) == PODI_OK);
    }

    return ring;
}


static podi_str_t
fuzz_token(const podi_str_t *header, const podi_str_t *claims)
{
    char        *text;
    size_t       n;
    uint8_t      mac[32];
    podi_str_t   token;

    text = podi_mem_alloc(fuzz_mem(), 2 * (header->len + claims->len) + 128);
    fuzz_assert(text != NULL);

    n = fuzz_base64url(header->data, header->len, text);
    text[n++] = '.';
    n += fuzz_base64url(claims->data, claims->len, text + n);

    fuzz_assert(HMAC(EVP_sha256(), SECRET, sizeof(SECRET) - 1,
                     (uint8_t *) text, n, mac, NULL) != NULL);
    text[n++] = '.';
    n += fuzz_base64url(mac, sizeof(mac), text + n);

    token.data = (uint8_t *) text;
    token.len = n;

    return token;
}


static size_t
fuzz_base64url(const uint8_t *data, size_t len, char *dst)
{
    char  *p;

    if (len == 0) {
        return 0;
    }

    (void) EVP_EncodeBlock((uint8_t *) dst, data, (int) len);

    for (p = dst; *p != '\0' && *p != '='; p++) {
        *p = (*p == '+') ? '-' : (*p == '/') ? '_' : *p;
    }

    return (size_t) (p - dst);
}


static json_t *
fuzz_object(const podi_str_t *s)
{
    json_t        *value;
    json_error_t   error;

    value = s->len ? json_loadb((char *) s->data, s->len,
                                JSON_REJECT_DUPLICATES, &error)
                   : NULL;

    if (value == NULL) {
        return NULL;
    }

    fuzz_assert(podi_mem_own(fuzz_mem(), fuzz_release, value) == PODI_OK);

    return (json_is_object(value) && fuzz_json_depth(value) <= DEPTH)
           ? value : NULL;
}


static void
fuzz_release(void *value)
{
    json_decref(value);
}


static int
fuzz_is_header(const podi_str_t *s)
{
    json_t      *header = fuzz_object(s);
    const char  *alg, *kid, *kind;

    if (header == NULL || s->len > 1024
        || json_object_get(header, "crit") || json_object_get(header, "b64")
        || json_object_get(header, "zip") || json_object_get(header, "enc")
        || !fuzz_is_name(header, "alg") || !fuzz_is_name(header, "kid")
        || !fuzz_is_name(header, "typ"))
    {
        return 0;
    }

    alg = json_string_value(json_object_get(header, "alg"));
    kid = json_string_value(json_object_get(header, "kid"));
    kind = json_string_value(json_object_get(header, "typ"));

    return alg != NULL && strcmp(alg, "HS256") == 0
           && (kid == NULL || strcmp(kid, "h1") == 0)
           && kind != NULL
           && (strcasecmp(kind, "at+jwt") == 0
               || strcasecmp(kind, "application/at+jwt") == 0);
}


static int
fuzz_is_name(const json_t *object, const char *name)
{
    const json_t  *value = json_object_get(object, name);

    return value == NULL
           || (json_is_string(value) && json_string_length(value) >= 1
               && json_string_length(value) <= 128);
}


static int
fuzz_is_for_us(const json_t *claims)
{
    size_t         i;
    const char    *text;
    const json_t  *who = json_object_get(claims, "aud");

    text = json_string_value(json_object_get(claims, "iss"));

    if (text == NULL || strcmp(text, "https://podi") != 0) {
        return 0;
    }

    text = json_string_value(who);

    for (i = 0; i < json_array_size(who) && text == NULL; i++) {
        text = json_string_value(json_array_get(who, i));
        text = (text != NULL && strcmp(text, "api") == 0) ? text : NULL;
    }

    return text != NULL && strcmp(text, "api") == 0;
}


static int
fuzz_is_now(const json_t *claims)
{
    int64_t  exp = 0, nbf = 0, iat = 0;

    return fuzz_time(claims, "exp", &exp) == 1
           && fuzz_time(claims, "iat", &iat) == 1
           && fuzz_time(claims, "nbf", &nbf) != -1
           && exp > NOW && exp - iat <= LIFE
           && iat <= NOW + LEEWAY && nbf <= NOW + LEEWAY;
}


/* 1: a time; 0: absent; -1: something else */

static int
fuzz_time(const json_t *claims, const char *name, int64_t *ret)
{
    const json_t  *value = json_object_get(claims, name);

    if (value == NULL) {
        return 0;
    }

    *ret = json_integer_value(value);

    return (json_is_integer(value) && *ret >= 0 && *ret <= LATEST) ? 1 : -1;
}
