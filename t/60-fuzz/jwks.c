/*
 * jwks: no set of keys, key or PEM crashes; what is taken can be shown and
 * read again, and a remote set never brings a secret.
 */

#include <string.h>

#include "fuzz.h"
#include "podi_jose.h"
#include "banned.h"


#define FUZZ_RS256                                                           \
    "{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\"pfq0s0nWYuNIa573GHnmSackMB"     \
    "1eKSvNwTuFGg_CkoVuHAE1tB38dQTqAe4dtAK9dtEr44s_51JRCczsDfCbBs2vyqxa"     \
    "uVAGqpdcM-se5MiE_v8IUvHXDxE6zHwK-ytqsDziSbCXpttGzDr49LYEU-0oZxySnz"     \
    "5Zyb2DkM_HvC2APsicrbIfQr9F6tnAa4RWfp4Y6kRrCMwvj0u7GV5PP4PV_ilg4ziN"     \
    "QE6hABuoHvBGC0hbz55pcEkuG0pgmYS-_qez3j0s8RBghudSAsV8K3nhtOmwYKH6t1"     \
    "mYoFwgARFQ9qAlf1jkWg3oUXsNA5UPS0wxlhg3EoA2DwEFJj1gKQ\",\"alg\":\"R"     \
    "S256\",\"use\":\"sig\",\"kid\":\"RS256\"}"

#define FUZZ_ES384                                                           \
    "{\"crv\":\"P-384\",\"kty\":\"EC\",\"x\":\"-tQtVM1hKyc81eifdNi6hbgk"     \
    "MJnpEQs8vXAqwUUcRVYZMJq--0XTAokilpBDTxBl\",\"y\":\"Y1SO7HvxIGEMzHH"     \
    "5ciWm8k6SZJ_BsSgZ-_ejYok2RXGuZSWS3DvKGC-P4c9bQNKg\",\"alg\":\"ES38"     \
    "4\",\"use\":\"sig\",\"kid\":\"ES384\"}"

#define FUZZ_ES512                                                           \
    "{\"crv\":\"P-521\",\"kty\":\"EC\",\"x\":\"AZFJnC7cXNmFQg_s1KpuS5Zc"     \
    "wEArwKZHXHH18QdOGCgUvqDHVk6IB3AKT7SmT6l2k5XsYxg7M1IP9r7Vrn4RHDR3\""     \
    ",\"y\":\"AakZyuRqvTBrW_xg21iw8RrxBsXl_DB2VK066Af12lCuFXIdujOG5ubDj"     \
    "oJgtC-zjGtJRMGpVrFJ8cKCsRNv3eF_\",\"alg\":\"ES512\",\"use\":\"sig"      \
    "\",\"kid\":\"ES512\"}"

#define FUZZ_EDDSA                                                           \
    "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"qABk_lv4R4g9E0UjkJkvz"     \
    "D1XOLWWQksrl059E7NkczU\",\"alg\":\"EdDSA\",\"use\":\"sig\",\"kid\""     \
    ":\"EdDSA\"}"

#define FUZZ_HS256                                                           \
    "{\"kty\":\"oct\",\"alg\":\"HS256\",\"use\":\"sig\",\"kid\":\"HS256"     \
    "\",\"k\":\"Dkz0KJlF93qic7HSckJ5IrDOKQPu2MUItHGl6TuHmJY\"}"

#define FUZZ_PRIVATE                                                         \
    "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"qABk_lv4R4g9E0UjkJkvz"     \
    "D1XOLWWQksrl059E7NkczU\",\"alg\":\"EdDSA\",\"use\":\"sig\",\"kid\""     \
    ":\"EdDSA\",\"d\":\"vh1JRFUY5ayI2Qk2GSlroD7evs8ykyUUlo6a9xnlENI\"}"


const char *const  fuzz_seeds[] = {
    "{\"keys\":[" FUZZ_RS256 "," FUZZ_ES384 "," FUZZ_EDDSA "]}",
    "{\"keys\":[" FUZZ_ES512 "]}",
    "{\"keys\":[" FUZZ_HS256 "]}",
    "{\"keys\":[" FUZZ_PRIVATE "]}",
    FUZZ_RS256,
    FUZZ_EDDSA,
    FUZZ_HS256,
    FUZZ_PRIVATE,
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE16ejc7kc3BSpM1OVf0S8ibp+cXDH\n"
    "fa2g9EzhpcJMI3ElzTHTrxvV4blHAh8KowhpCsvul+EJT7u4Fg7PFXXC/w==\n"
    "-----END PUBLIC KEY-----\n",
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBcDCCARWgAwIBAgIUZTvxxJrEDu3wd0Te9/0rjU7b2YswCgYIKoZIzj0EAwIw\n"
    "DDEKMAgGA1UEAwwBeDAgFw0yNjExMjIxNTU3MjFaGA8yMTI2MTAyOTE1NTcyMVow\n"
    "DDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNeno3O5HNwU\n"
    "qTNTlX9EvIm6fnFwx32toPRM4aXCTCNxJc0x068b1eG5RwIfCqMIaQrL7pfhCU+7\n"
    "uBYOzxV1wv+jUzBRMB0GA1UdDgQWBBTOrRlhxcJbd6qD0eqNJr9nD+3/LDAfBgNV\n"
    "HSMEGDAWgBTOrRlhxcJbd6qD0eqNJr9nD+3/LDAPBgNVHRMBAf8EBTADAQH/MAoG\n"
    "CCqGSM49BAMCA0kAMEYCIQDcDBRK8wR+6CSpN3ugYo2+6S22hVTdh4256n/mjU5X\n"
    "LAIhANGaAzozmCPXi+IC+KMdHVc24CGR8VFUKh+KbsfikKFs\n"
    "-----END CERTIFICATE-----\n",
    NULL
};

const char *const  fuzz_words[] = {
    "{", "}", "[", "]", ",", "\"keys\":[", "\"kty\":", "\"RSA\"",
    "\"EC\"", "\"OKP\"", "\"oct\"", "\"crv\":", "\"P-256\"", "\"P-384\"",
    "\"P-521\"", "\"Ed25519\"", "\"alg\":", "\"RS256\"", "\"PS512\"",
    "\"ES256\"", "\"EdDSA\"", "\"HS512\"", "\"use\":", "\"enc\"",
    "\"key_ops\":", "\"kid\":", "\"x\":", "\"y\":", "\"n\":", "\"e\":",
    "\"k\":", "\"d\":", "\"p\":", "\"x5c\":", "AAAA",
    "-----BEGIN PUBLIC KEY-----\n", "-----END PUBLIC KEY-----\n",
    "-----BEGIN PRIVATE KEY-----\n", NULL
};


static void fuzz_set(const podi_str_t *s, unsigned algs, int remote);
static void fuzz_text(const podi_str_t *s, unsigned algs);
static void fuzz_key(const podi_str_t *s);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t       i;
    unsigned     algs = 0, bit = 0;
    podi_str_t   s, name;

    static const char  *names[] = { "RS256", "PS512", "EdDSA", "HS256" };

    s = fuzz_str(data, size);

    fuzz_set(&s, 0, 0);
    fuzz_set(&s, 0, 1);
    fuzz_text(&s, 0);
    fuzz_key(&s);

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        name = podi_str_c(names[i]);
        fuzz_assert(podi_jose_alg_bit(&name, &bit) == PODI_OK);
        algs |= bit;
    }

    fuzz_set(&s, algs, 1);
    fuzz_text(&s, bit);

    return 0;
}


static void
fuzz_set(const podi_str_t *s, unsigned algs, int remote)
{
    podi_str_t           text;
    podi_fail_t          fail;
    podi_jose_ring_t    *ring, *again;
    podi_jose_accept_t   accept = { .algs = algs, .remote = remote != 0 };

    if (podi_jose_ring_parse(s, &accept, fuzz_mem(), &ring, &fail)
        != PODI_OK)
    {
        fuzz_assert(fail.error == PODI_E_CONFIG);
        return;
    }

    fuzz_assert(podi_jose_ring_count(ring) <= PODI_JOSE_KEYS_MAX);
    fuzz_assert(!remote || podi_jose_ring_count(ring) > 0);
    fuzz_assert(podi_jose_ring_jwks(ring, fuzz_mem(), &text) == PODI_OK);

    if (remote) {
        fuzz_assert(podi_jose_ring_parse(&text, &accept, fuzz_mem(), &again,
                                         &fail) == PODI_OK);
        fuzz_assert(podi_jose_ring_count(again)
                    == podi_jose_ring_count(ring));
    }
}


static void
fuzz_text(const podi_str_t *s, unsigned algs)
{
    podi_fail_t          fail;
    podi_jose_ring_t    *ring;
    podi_jose_accept_t   accept = { .algs = algs };

    fuzz_assert(podi_jose_ring_make(fuzz_mem(), &ring) == PODI_OK);

    if (podi_jose_ring_add_text(ring, s, &accept, &fail) == PODI_OK) {
        fuzz_assert(podi_jose_ring_count(ring) == 1);
        return;
    }

    fuzz_assert(fail.error == PODI_E_CONFIG);
    fuzz_assert(podi_jose_ring_count(ring) == 0);
}


static void
fuzz_key(const podi_str_t *s)
{
    podi_fail_t       fail;
    podi_jose_key_t  *key;

    if (podi_jose_key_parse(s, fuzz_mem(), &key, &fail) == PODI_OK) {
        fuzz_assert(podi_jose_key_kid(key).len > 0);
        return;
    }

    fuzz_assert(fail.error == PODI_E_CONFIG);
}
