/*
 * podi_jose against libjwt, over random tokens:
 *
 *     random algorithm, header and claims -> signed -> changed or not -> both
 *
 *     we accept        =>  libjwt accepts, and reads the same sub
 *     libjwt accepts   =>  we accept, or the token was given a known difference
 *     nothing changed  =>  both accept
 *
 * A failing point names the seed and the token: `jose_libjwt SEED` tries the
 * same ones again.
 *
 * Known differences of Debian's libjwt 1.10.2, all of them ours by intent: it
 * takes crit, b64, zip and enc, a kid of any type, members twice, several
 * spellings of base64, alg in small letters, and whatever alg the token says
 * with one key text (a public PEM as the secret of HS256, another curve).  It
 * refuses a typ other than JWT.
 */

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include <jwt.h>

#include "jose_test.h"
#include "podi_id.h"
#include "banned.h"


#define TOKENS  2000
#define KINDS   (sizeof(kinds) / sizeof(kinds[0]))

typedef struct {
    const char        *alg;
    const char        *digest;
    size_t             part;        /* of a signature of ES*, else 0 */
    EVP_PKEY          *pkey;        /* NULL: the text is the secret */
    podi_str_t         text;        /* what libjwt verifies with */
    podi_jose_ring_t  *ring;
} kind_t;

typedef struct {
    podi_str_t         token;
    char               sub[24];
    unsigned           changed:1;
    unsigned           only_theirs:1;   /* that they take it is known */
    unsigned           only_ours:1;
} try_t;


static kind_t  kinds[] = {
    { .alg = "HS256", .digest = "SHA256" },
    { .alg = "HS384", .digest = "SHA384" },
    { .alg = "HS512", .digest = "SHA512" },
    { .alg = "RS256", .digest = "SHA256" },
    { .alg = "RS384", .digest = "SHA384" },
    { .alg = "RS512", .digest = "SHA512" },
    { .alg = "ES256", .digest = "SHA256", .part = 32 },
    { .alg = "ES384", .digest = "SHA384", .part = 48 },
    { .alg = "ES512", .digest = "SHA512", .part = 66 },
};

static uint64_t  state;
static unsigned  both, neither, theirs, ours;


static uint64_t random64(void);
static size_t below(size_t n);
static void make_keys(void);
static void make_try(const kind_t *k, podi_mem_t *m, try_t *t);
static void make_header(const kind_t **k, podi_buf_t *b, try_t *t);
static void make_claims(podi_buf_t *b, try_t *t);
static podi_str_t make_signature(const kind_t *k, const podi_str_t *input,
    podi_mem_t *m);
static void change(podi_mem_t *m, try_t *t);
static const char *judge(const kind_t *k, const try_t *t, podi_mem_t *m);


int
main(int argc, char **argv)
{
    try_t          t;
    kind_t        *k;
    uint64_t       seed = 0;
    unsigned       i, bad = 0;
    const char    *why;
    podi_arena_t  *keys, *each;

    if (argc > 1) {
        seed = strtoull(argv[1], NULL, 10);
    }

    if (seed == 0 && podi_random(&seed, sizeof(seed)) != PODI_OK) {
        return 2;
    }

    state = seed;
    keys = podi_arena_create();
    each = podi_arena_create();
    mem = podi_arena_mem(keys);

    make_keys();

    for (i = 0; i < TOKENS && bad < 5; i++) {
        k = &kinds[below(KINDS)];

        make_try(k, podi_arena_mem(each), &t);
        why = judge(k, &t, podi_arena_mem(each));

        if (why != NULL) {
            ok(0, "%s: seed %llu, token %u (%s): " PODI_STR_FMT, why,
               (unsigned long long) seed, i, k->alg, podi_str_arg(&t.token));
            bad++;
        }

        podi_arena_reset(each);
    }

    ok(bad == 0, "they agree on %u tokens, seed %llu", i,
       (unsigned long long) seed);
    ok(both > TOKENS / 8, "both take %u", both);
    ok(neither > TOKENS / 8, "neither takes %u", neither);
    ok(theirs > TOKENS / 100, "libjwt takes %u more, as is known", theirs);
    ok(ours > TOKENS / 200, "we take %u more, as is known", ours);

    for (i = 0; i < KINDS; i++) {
        EVP_PKEY_free(kinds[i].pkey);
    }

    podi_arena_free(&each);
    podi_arena_free(&keys);

    return tap_done();
}


/* splitmix64 */

static uint64_t
random64(void)
{
    uint64_t  z;

    state += UINT64_C(0x9e3779b97f4a7c15);

    z = state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);

    return z ^ (z >> 31);
}


static size_t
below(size_t n)
{
    return (size_t) (random64() % n);
}


/* RS* share a key; keys do not follow the seed, and decide nothing */

static void
make_keys(void)
{
    size_t            i;
    podi_fail_t       fail;
    podi_jose_key_t  *key = NULL;

    for (i = 0; i < KINDS; i++) {

        if (kinds[i].alg[0] == 'H') {
            kinds[i].text = str(SECRET SECRET);

        } else {
            if (strcmp(kinds[i].alg, "RS384") != 0
                && strcmp(kinds[i].alg, "RS512") != 0
                && podi_jose_key_generate(kinds[i].alg, mem, &key, &fail)
                   != PODI_OK)
            {
                abort();
            }

            kinds[i].text = pub_pem(key);
            kinds[i].pkey = pkey_of(key);
        }

        kinds[i].ring = ring_of(kinds[i].text, kinds[i].alg, "");
    }
}


static void
make_try(const kind_t *k, podi_mem_t *m, try_t *t)
{
    podi_buf_t     b, token;
    podi_str_t     s, claims, signature;
    const kind_t  *signer = k;

    memset(t, 0, sizeof(try_t));
    podi_buf_init(&token, m);

    podi_buf_init(&b, m);
    make_header(&signer, &b, t);

    if (podi_buf_take(&b, &s) != PODI_OK) {
        abort();
    }

    podi_buf_init(&b, m);
    make_claims(&b, t);

    if (podi_buf_take(&b, &claims) != PODI_OK
        || podi_base64url_encode(m, &s, &s) != PODI_OK
        || podi_base64url_encode(m, &claims, &claims) != PODI_OK)
    {
        abort();
    }

    podi_buf_add_str(&token, &s);
    podi_buf_add_byte(&token, '.');
    podi_buf_add_str(&token, &claims);

    if (podi_buf_take(&token, &s) != PODI_OK) {
        abort();
    }

    signature = make_signature(signer, &s, m);
    podi_buf_add_byte(&token, '.');
    podi_buf_add_str(&token, &signature);

    if (podi_buf_take(&token, &t->token) != PODI_OK) {
        abort();
    }

    if (below(2)) {
        change(m, t);
    }
}


static void
make_header(const kind_t **k, podi_buf_t *b, try_t *t)
{
    size_t  i;

    static const char *const  extras[] = {
        "\"crit\":[\"x\"],\"x\":1", "\"b64\":false", "\"zip\":\"DEF\"",
        "\"enc\":\"A128GCM\"", "\"kid\":7", "\"kid\":\"\"",
        "\"x\":1,\"x\":2",
    };

    if (below(8) == 0) {

        /* the alg of another key, whose text they do not get */

        *k = &kinds[below(KINDS)];
        t->changed = 1;
        t->only_theirs = 1;
    }

    podi_buf_printf(b, "{\"alg\":\"%s\"", (*k)->alg);

    i = below(24);

    if (i < 8) {
        podi_buf_add_c(b, ",\"typ\":\"JWT\"");

    } else if (i == 8) {
        podi_buf_add_c(b, ",\"typ\":\"at+jwt\"");
        t->only_ours = 1;
    }

    i = below(8 * sizeof(extras) / sizeof(extras[0]));

    if (i < sizeof(extras) / sizeof(extras[0])) {
        podi_buf_printf(b, ",%s", extras[i]);
        t->changed = 1;
        t->only_theirs = 1;
    }

    podi_buf_add_byte(b, '}');
}


static void
make_claims(podi_buf_t *b, try_t *t)
{
    size_t  i, n;

    (void) snprintf(t->sub, sizeof(t->sub), "u%llx",
                    (unsigned long long) random64());

    podi_buf_printf(b, "{\"iss\":\"i\",\"exp\":1795325000,\"sub\":\"%s\"",
                    t->sub);

    for (i = 0, n = below(6); i < n; i++) {
        switch (below(5)) {

        case 0:
            podi_buf_printf(b, ",\"c%zu\":%lld", i,
                            (long long) random64() / 1000);
            break;

        case 1:
            podi_buf_printf(b, ",\"c%zu\":[1,\"\\u00e9\\ud83d\\ude00\",null]",
                            i);
            break;

        case 2:
            podi_buf_printf(b, ",\"c%zu\":{\"a\":{\"b\":[true,1.5e3]}}", i);
            break;

        case 3:
            podi_buf_printf(b, ",\"c%zu\":\"%0*d\"", i, (int) below(900) + 1,
                            0);
            break;

        default:
            podi_buf_printf(b, ",\"aud%zu\":\"\\\"\\\\\\n/\"", i);
        }
    }

    podi_buf_add_byte(b, '}');

    if (below(32) == 0) {

        /* behind the end, where jansson stops for nobody */

        podi_buf_add_byte(b, '}');
        t->changed = 1;
    }
}


static podi_str_t
make_signature(const kind_t *k, const podi_str_t *input, podi_mem_t *m)
{
    size_t                len = 0;
    unsigned              mac = 0;
    ECDSA_SIG            *sig;
    EVP_MD_CTX           *ctx;
    podi_str_t            s;
    unsigned char         native[1024], raw[132];
    const unsigned char  *p = native;

    if (k->pkey == NULL) {
        (void) HMAC(EVP_get_digestbyname(k->digest), k->text.data,
                    (int) k->text.len, input->data, input->len, native, &mac);
        len = mac;

    } else {
        len = sizeof(native);
        ctx = EVP_MD_CTX_new();

        if (EVP_DigestSignInit(ctx, NULL, EVP_get_digestbyname(k->digest),
                               NULL, k->pkey) != 1
            || EVP_DigestSign(ctx, native, &len, input->data, input->len) != 1)
        {
            abort();
        }

        EVP_MD_CTX_free(ctx);
    }

    s.data = native;
    s.len = len;

    if (k->part) {
        sig = d2i_ECDSA_SIG(NULL, &p, (long) len);
        (void) BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, (int) k->part);
        (void) BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + k->part,
                            (int) k->part);
        ECDSA_SIG_free(sig);

        s.data = raw;
        s.len = 2 * k->part;
    }

    if (podi_base64url_encode(m, &s, &s) != PODI_OK) {
        abort();
    }

    return s;
}


/* after it was signed: a character, an end, or something put in */

static void
change(podi_mem_t *m, try_t *t)
{
    size_t              at;
    podi_str_t         *s = &t->token;
    static const char   alphabet[] = "ABCDwxyz0189-_";
    static const char  *puts[] = { "=", "!", "\n", " ", "+", "A", ".", ".e30" };

    t->changed = 1;
    at = below(s->len);

    switch (below(4)) {

    case 0:
        s->len = at;
        break;

    case 1:
        if (podi_mem_printf(m, s, PODI_STR_FMT "%s", podi_str_arg(s),
                            puts[below(8)]) != PODI_OK)
        {
            abort();
        }

        t->only_theirs = 1;
        break;

    case 2:
        s->data[at] = (unsigned char) (s->data[at] ^ (1u << below(8)));
        break;

    default:
        s->data[at] = (unsigned char) alphabet[below(14)];
    }

    /* what ends up in unused bits, or is no base64url, they do not see */

    if (s->len == 0 || at + 3 >= s->len || s->data[at] > 'z'
        || strchr("+/= \n!*,;:<>?@[]`^", s->data[at]) != NULL)
    {
        t->only_theirs = 1;
    }
}


static const char *
judge(const kind_t *k, const try_t *t, podi_mem_t *m)
{
    int           we, they;
    char         *text;
    jwt_t        *jwt = NULL;
    json_t       *claims;
    podi_str_t    sub = podi_null_str, theirs_sub = podi_null_str;
    podi_fail_t   fail;

    we = podi_jose_verify(k->ring, &t->token, &expect, m, &claims, &fail)
         == PODI_OK;

    text = podi_mem_dup_c(m, &t->token);
    they = jwt_decode(&jwt, text, k->text.data, (int) k->text.len) == 0
           && jwt_get_alg(jwt) != JWT_ALG_NONE;

    if (we && they) {
        sub = podi_json_str(json_object_get(claims, "sub"));
        theirs_sub = podi_str_c(jwt_get_grant(jwt, "sub"));
        sub.len = podi_str_eq(&sub, &theirs_sub) ? sub.len : 0;
    }

    jwt_free(jwt);

    both += we && they;
    neither += !we && !they;
    theirs += they && !we;
    ours += we && !they;

    if (we && they && !podi_str_eq_c(&sub, t->sub)) {
        return "sub differs";
    }

    if (we && !they && !t->only_ours) {
        return "only we take it";
    }

    if (they && !we && !t->only_theirs) {
        return "only libjwt takes it";
    }

    return t->changed || we ? NULL : "nobody takes a good one";
}
