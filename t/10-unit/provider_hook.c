/*
 * podi_provider_webhook: a call is believed when the provider has signed it,
 * byte for byte, and not long ago.  (Published numbers are the vectors
 * runner's part.)
 */

#include "provider_test.h"
#include "podi_base64.h"
#include "podi_buf.h"
#include "podi_hash.h"
#include "banned.h"


#define NOW      INT64_C(1704164645)
#define BODY     "{\"id\":\"p1\",\"request_id\":\"f1\",\"status\":\"x\"}"
#define KEY      "0123456789abcdef0123456789abcdef"


static podi_mem_t              *mem;
static podi_fail_t              fail;
static podi_str_t               called;
static podi_pair_t              headers[4];
static podi_provider_key_t      keys[1];


static podi_provider_t *
provider(const char *verify)
{
    podi_str_t        text;
    podi_provider_t  *p = NULL;

    text = text_of(mem, "{\"name\":\"x\",\"base_url\":\"https://x\","
        "\"secrets\":[\"hook\"],\"webhook\":{\"verify\":%s,"
        "\"dedupe_header\":\"webhook-id\"},\"operations\":{\"go\":"
        "{\"submit\":{\"url\":\"/\"},\"result\":{\"item_kind\":\"bytes\"}}}}",
        verify);

    if (podi_provider_load("t", &text, mem, &p, &fail) != PODI_OK) {
        (void) ok(0, "%s", fail.detail);
        exit(1);
    }

    return p;
}


static podi_provider_call_in_t
call_in(size_t n, const char *body)
{
    podi_provider_call_in_t  in;

    memset(&in, 0, sizeof(in));

    in.headers = headers;
    in.n_headers = n;
    in.body = str(body);
    in.keys = keys;
    in.n_keys = 1;
    in.now = NOW * 1000000;

    return in;
}


static void
put(size_t i, const char *name, podi_str_t value)
{
    headers[i].name = str(name);
    headers[i].value = value;
}


static podi_str_t
sign_standard(const char *id, int64_t when, const char *body)
{
    podi_str_t      text, s = str("0123456789abcdef");
    unsigned char   mac[PODI_SHA256_LEN];

    text = text_of(mem, "%s.%lld.%s", id, (long long) when, body);

    if (podi_hmac_sha256(&s, &text, mac) != PODI_OK) {
        abort();
    }

    s.data = mac;
    s.len = sizeof(mac);

    if (podi_base64_encode(mem, &s, &text) != PODI_OK) {
        abort();
    }

    return text_of(mem, "v1," PODI_STR_FMT, podi_str_arg(&text));
}


static void
test_standard(void)
{
    size_t                    i;
    podi_provider_t          *p;
    podi_provider_call_in_t   in;
    static const int64_t      off[] = { -301, 301, -3600, INT64_MIN / 2 };

    p = provider("{\"kind\":\"standard_webhooks\",\"secret\":\"hook\"}");
    keys[0] = provider_key(mem, "hook", "", "whsec_MDEyMzQ1Njc4OWFiY2RlZg==");

    put(0, "Webhook-Id", str("msg_1"));
    put(1, "Webhook-Timestamp", text_of(mem, "%lld", (long long) NOW));
    put(2, "Webhook-Signature", sign_standard("msg_1", NOW, BODY));

    in = call_in(3, BODY);
    ok(podi_provider_webhook(p, &in, mem, &called, &fail) == PODI_OK,
       "a good one");
    is_str(called, "msg_1", "and how to know it again");

    in = call_in(3, BODY " ");
    is_fail(podi_provider_webhook(p, &in, mem, &called, &fail), &fail,
            PODI_E_FORBIDDEN, NULL, "one byte more");

    in = call_in(2, BODY);
    is_fail(podi_provider_webhook(p, &in, mem, &called, &fail), &fail,
            PODI_E_FORBIDDEN, NULL, "no signature");

    put(0, "Webhook-Id", str("msg_2"));
    in = call_in(3, BODY);
    is_fail(podi_provider_webhook(p, &in, mem, &called, &fail), &fail,
            PODI_E_FORBIDDEN, NULL, "another id");
    put(0, "Webhook-Id", str("msg_1"));

    for (i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
        put(1, "Webhook-Timestamp",
            text_of(mem, "%lld", (long long) (NOW + off[i])));
        put(2, "Webhook-Signature", sign_standard("msg_1", NOW + off[i],
                                                  BODY));
        in = call_in(3, BODY);
        is_fail(podi_provider_webhook(p, &in, mem, &called, &fail), &fail,
                PODI_E_FORBIDDEN, NULL, "signed well, at another time");
    }

    put(1, "Webhook-Timestamp", text_of(mem, "%lld", (long long) NOW + 300));
    put(2, "Webhook-Signature", sign_standard("msg_1", NOW + 300, BODY));
    in = call_in(3, BODY);
    ok(podi_provider_webhook(p, &in, mem, &called, &fail) == PODI_OK,
       "five minutes are allowed");

    in.n_keys = 0;
    is_fail(podi_provider_webhook(p, &in, mem, &called, &fail), &fail,
            PODI_E_CONFIG, NULL, "without a key nothing is believed");

    put(1, "Webhook-Timestamp", text_of(mem, "%lld", (long long) NOW));
    put(2, "Webhook-Signature", sign_standard("msg_1", NOW, "[1"));
    in = call_in(3, "[1");
    is_fail(podi_provider_webhook(p, &in, mem, &called, &fail), &fail,
            PODI_E_BAD_JSON, NULL, "signed, and no JSON");
}


static void
test_hmac(void)
{
    podi_buf_t                b;
    podi_str_t                s, text;
    unsigned char             mac[PODI_SHA256_LEN];
    podi_provider_t          *p;
    podi_provider_call_in_t   in;

    p = provider("{\"kind\":\"hmac_header\",\"secret\":\"hook\",\"header\":"
                 "\"X-Sig\",\"prefix\":\"sha256=\"}");
    keys[0] = provider_key(mem, "hook", "", KEY);

    s = str(KEY);
    text = str(BODY);
    podi_buf_init(&b, mem);
    podi_buf_add_c(&b, "sha256=");

    if (podi_hmac_sha256(&s, &text, mac) != PODI_OK) {
        abort();
    }

    podi_buf_add_hex(&b, mac, sizeof(mac));

    if (podi_buf_take(&b, &s) != PODI_OK) {
        abort();
    }

    put(0, "x-sig", s);
    in = call_in(1, BODY);
    ok(podi_provider_webhook(p, &in, mem, &called, &fail) == PODI_OK,
       "an HMAC in a header");

    s.len--;
    put(0, "x-sig", s);
    in = call_in(1, BODY);
    is_fail(podi_provider_webhook(p, &in, mem, &called, &fail), &fail,
            PODI_E_FORBIDDEN, NULL, "less of it");

    in = call_in(0, BODY);
    is_fail(podi_provider_webhook(p, &in, mem, &called, &fail), &fail,
            PODI_E_FORBIDDEN, NULL, "none");
}


static void
test_token(void)
{
    podi_provider_t          *p;
    podi_provider_call_in_t   in;

    p = provider("{\"kind\":\"path_token\"}");
    in = call_in(0, BODY);
    is_fail(podi_provider_webhook(p, &in, mem, &called, &fail), &fail,
            PODI_E_FORBIDDEN, NULL, "no token: not even an empty one");

    in.want_token = str(KEY);
    in.token = str(KEY);
    ok(podi_provider_webhook(p, &in, mem, &called, &fail) == PODI_OK,
       "the token of the path");

    in.token = str(KEY "0");
    is_fail(podi_provider_webhook(p, &in, mem, &called, &fail), &fail,
            PODI_E_FORBIDDEN, NULL, "a longer one");
}


/* RFC 8032's first key; another one is tried before it */

static void
test_fal(void)
{
    podi_provider_t          *p;
    podi_provider_call_in_t   in;
    static const char         body[] =
        "{\"request_id\":\"123e4567-e89b-12d3-a456-426614174000\","
        "\"gateway_request_id\":\"123e4567-e89b-12d3-a456-426614174000\","
        "\"status\":\"OK\",\"payload\":{\"images\":[]}}";

    p = provider("{\"kind\":\"fal_ed25519\",\"jwks_url\":\"https://k/j\"}");

    put(0, "X-Fal-Webhook-Request-Id",
        str("123e4567-e89b-12d3-a456-426614174000"));
    put(1, "X-Fal-Webhook-User-Id", str("user-1"));
    put(2, "X-Fal-Webhook-Timestamp", str("1700000000"));
    put(3, "X-Fal-Webhook-Signature", str("65b77b01f655683d01be424bfd0b77dcc3"
        "6d059a20bd96d28bb9a181b88ea9df5b43c116ec481e38b74c1e419376db35074d0b"
        "4b9d73d0f08fd4ebf53db9550a"));

    in = call_in(4, body);
    in.now = INT64_C(1700000100) * 1000000;
    in.jwks = provider_json(mem, "{\"keys\":[{\"kty\":\"OKP\",\"crv\":"
        "\"Ed25519\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"},"
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
        "\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}");

    ok(podi_provider_webhook(p, &in, mem, &called, &fail) == PODI_OK,
       "any key of the set may have signed");

    in.now = NOW * 1000000;
    is_fail(podi_provider_webhook(p, &in, mem, &called, &fail), &fail,
            PODI_E_FORBIDDEN, NULL, "long ago");

    in.now = INT64_C(1700000100) * 1000000;
    in.jwks = provider_json(mem, "{\"keys\":[{\"kty\":\"OKP\",\"crv\":"
        "\"Ed25519\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"},"
        "{\"kty\":\"EC\"},{},7]}");
    is_fail(podi_provider_webhook(p, &in, mem, &called, &fail), &fail,
            PODI_E_FORBIDDEN, NULL, "none of the keys");

    in.jwks = NULL;
    is_fail(podi_provider_webhook(p, &in, mem, &called, &fail), &fail,
            PODI_E_FORBIDDEN, NULL, "no keys");
}


int
main(void)
{
    podi_arena_t  *arena;

    arena = podi_arena_create();
    mem = podi_arena_mem(arena);

    test_standard();
    test_hmac();
    test_token();
    test_fal();

    ok(podi_provider_hook(provider("{\"kind\":\"path_token\"}"))
       == PODI_HOOK_PATH, "its kind");

    podi_arena_free(&arena);

    return tap_done();
}
