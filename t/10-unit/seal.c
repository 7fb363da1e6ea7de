/*
 * podi_seal: what opens, and all that does not; AES-256-GCM's own vector.
 */

#include "tap.h"
#include "podi_seal.h"
#include "banned.h"

#define AAD   "podi/provider_key/1\n0190-a\nfal\nmain"
#define TEXT  "{\"secret\":\"key-of-a-provider\"}"


static podi_secret_t *key_of(podi_mem_t *mem, int c, size_t len);
static podi_secret_t *hex_key(podi_mem_t *mem, const char *hex);
static int opens(const podi_secret_t *key, const char *aad,
    const podi_str_t *sealed, podi_mem_t *mem);
static void test_vector(podi_mem_t *mem);
static void test_bits(const podi_secret_t *key, const podi_str_t *sealed,
    podi_mem_t *mem);
static void test_limits(podi_mem_t *mem);


int
main(void)
{
    char             id[PODI_SEAL_ID_LEN + 1];
    podi_str_t       aad, text, sealed, again, got;
    podi_mem_t      *mem;
    podi_arena_t    *arena;
    podi_secret_t   *key, *open;

    arena = podi_arena_create();
    mem = podi_arena_mem(arena);
    key = key_of(mem, 'k', 32);
    aad = str(AAD);
    text = str(TEXT);

    ok(podi_seal(key, &aad, &text, mem, &sealed) == PODI_OK, "sealed");
    is_int((long long) sealed.len, (long long) text.len + PODI_SEAL_MORE,
           "with a nonce and a tag");
    ok(memcmp(sealed.data + 12, text.data, text.len) != 0,
       "the text is not to be seen");

    if (ok(podi_seal_open(key, &aad, &sealed, mem, &open) == PODI_OK,
           "opened"))
    {
        got = podi_secret_bytes(open);
        is_str(got, TEXT, "as it was");
    }

    ok(podi_seal(key, &aad, &text, mem, &again) == PODI_OK
       && memcmp(sealed.data, again.data, sealed.len) != 0,
       "never twice the same");

    ok(!opens(key_of(mem, 'j', 32), AAD, &sealed, mem), "not by another key");
    ok(!opens(key, "podi/provider_key/1\n0190-b\nfal\nmain", &sealed, mem),
       "not in another row");
    ok(!opens(key, "", &sealed, mem), "not without its row");

    test_bits(key, &sealed, mem);
    test_limits(mem);
    test_vector(mem);

    ok(podi_seal_id(key_of(mem, 0, 32), id) == PODI_OK
       && strcmp(id, "66687aad") == 0, "a key has a name");

    podi_arena_free(&arena);

    return tap_done();
}


static podi_secret_t *
key_of(podi_mem_t *mem, int c, size_t len)
{
    podi_str_t      bytes;
    podi_secret_t  *key;
    unsigned char   data[64];

    memset(data, c, sizeof(data));
    bytes.data = data;
    bytes.len = len;

    if (podi_secret_make(mem, &bytes, &key) != PODI_OK) {
        abort();
    }

    return key;
}


static int
opens(const podi_secret_t *key, const char *aad, const podi_str_t *sealed,
    podi_mem_t *mem)
{
    podi_rc_t       rc;
    podi_str_t      s = str(aad);
    podi_secret_t  *open = NULL;

    rc = podi_seal_open(key, &s, sealed, mem, &open);

    /* what does not open gives nothing away */

    return rc == PODI_OK || rc != PODI_DECLINED || open != NULL;
}


/* each bit of it counts, and so does each length */

static void
test_bits(const podi_secret_t *key, const podi_str_t *sealed,
    podi_mem_t *mem)
{
    size_t          i, bad = 0;
    podi_str_t      copy;
    unsigned char   data[256];

    memcpy(data, sealed->data, sealed->len);
    copy.data = data;
    copy.len = sealed->len;

    for (i = 0; i < sealed->len * 8; i++) {
        data[i / 8] ^= (unsigned char) (1 << i % 8);
        bad += (unsigned) opens(key, AAD, &copy, mem);
        data[i / 8] ^= (unsigned char) (1 << i % 8);
    }

    is_int((long long) bad, 0, "no bit may be another one");

    for (copy.len = 0; copy.len < sealed->len; copy.len++) {
        bad += (unsigned) opens(key, AAD, &copy, mem);
    }

    is_int((long long) bad, 0, "nothing may be cut off");

    data[sealed->len] = 0;
    copy.len = sealed->len + 1;
    ok(!opens(key, AAD, &copy, mem), "nor added");
}


static void
test_limits(podi_mem_t *mem)
{
    podi_str_t      aad = str(AAD), text, sealed;
    podi_secret_t  *key, *open;

    key = key_of(mem, 'k', 32);
    text = str(TEXT);

    ok(podi_seal(key_of(mem, 'k', 31), &aad, &text, mem, &sealed)
       == PODI_ERROR, "a key that is too short");
    ok(podi_seal(key_of(mem, 'k', 33), &aad, &text, mem, &sealed)
       == PODI_ERROR, "or too long");

    text.len = 0;
    ok(podi_seal(key, &aad, &text, mem, &sealed) == PODI_ERROR,
       "nothing is no secret");

    text.len = PODI_SEAL_MAX - PODI_SEAL_MORE;
    text.data = podi_mem_calloc(mem, text.len + 1);

    ok(podi_seal(key, &aad, &text, mem, &sealed) == PODI_OK
       && podi_seal_open(key, &aad, &sealed, mem, &open) == PODI_OK,
       "the longest");
    text.len++;
    ok(podi_seal(key, &aad, &text, mem, &sealed) == PODI_ERROR,
       "and one byte more");
}


static podi_secret_t *
hex_key(podi_mem_t *mem, const char *hex)
{
    podi_str_t      bytes, text = str(hex);
    podi_secret_t  *key;
    unsigned char   data[32];

    bytes.data = data;
    bytes.len = sizeof(data);

    if (podi_hex_decode(data, sizeof(data), &text) != PODI_OK
        || podi_secret_make(mem, &bytes, &key) != PODI_OK)
    {
        abort();
    }

    return key;
}


/* test case 16 of the GCM specification (McGrew, Viega) */

static void
test_vector(podi_mem_t *mem)
{
    podi_str_t      aad, sealed, text, got;
    podi_secret_t  *key, *open;
    unsigned char   aad_bytes[20], bytes[88], want[60];

    key = hex_key(mem, "feffe9928665731c6d6a8f9467308308"
                       "feffe9928665731c6d6a8f9467308308");

    text = str("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    aad.data = aad_bytes;
    aad.len = sizeof(aad_bytes);
    ok(podi_hex_decode(aad_bytes, sizeof(aad_bytes), &text) == PODI_OK,
       "the row");

    text = str("cafebabefacedbaddecaf888"
               "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd"
               "2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0a"
               "bcc9f662"
               "76fc6ece0f4e1768cddf8853bb2d551b");
    sealed.data = bytes;
    sealed.len = sizeof(bytes);
    ok(podi_hex_decode(bytes, sizeof(bytes), &text) == PODI_OK, "the seal");

    text = str("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d"
               "8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657"
               "ba637b39");
    ok(podi_hex_decode(want, sizeof(want), &text) == PODI_OK, "the text");

    if (ok(podi_seal_open(key, &aad, &sealed, mem, &open) == PODI_OK,
           "opens what others have sealed"))
    {
        got = podi_secret_bytes(open);
        ok(got.len == sizeof(want) && memcmp(got.data, want, got.len) == 0,
           "as they have written it");
    }
}
