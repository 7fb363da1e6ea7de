/*
 * podi_base64 and podi_hash: published vectors, and strictness.
 */

#include "tap.h"
#include "podi_base64.h"
#include "podi_hash.h"
#include "banned.h"


static const struct {
    const char  *bytes;
    const char  *std;
    const char  *url;
}  codes[] = {                          /* RFC 4648, 10, and two more */
    { "", "", "" },
    { "f", "Zg==", "Zg" },
    { "fo", "Zm8=", "Zm8" },
    { "foo", "Zm9v", "Zm9v" },
    { "foob", "Zm9vYg==", "Zm9vYg" },
    { "fooba", "Zm9vYmE=", "Zm9vYmE" },
    { "foobar", "Zm9vYmFy", "Zm9vYmFy" },
    { "\xfb\xff\xbf", "+/+/", "-_-_" },
};

static const char  *bad_url[] = {
    "Z", "Zg=", "Zg==", "Zh", "Zm9", "Zm9vY", "Zm 9v", "Zm9v\n", "Zm9v!",
    "+/+/", "Zm9v.", "\xff\xff\xff\xff",
};

static const char  *bad_std[] = {
    "Zg", "Zg=", "Zh==", "Zm9=", "Zm9v====", "=", "====", "Z===", "-_-_",
    "Zg==Zg==", "Zm9v\n", "Zm=v",
};


static void test_base64(podi_mem_t *mem);
static void test_mac(void);
static void test_stream(podi_mem_t *mem);
static void is_hex(const unsigned char *got, size_t len, const char *want,
    const char *what);


int
main(void)
{
    podi_str_t      s;
    podi_arena_t   *arena;
    unsigned char   digest[32];

    arena = podi_arena_create();

    test_base64(podi_arena_mem(arena));

    s = str("abc");
    is_int(podi_sha256(&s, digest), PODI_OK, "sha256");
    is_hex(digest, 32, "ba7816bf8f01cfea414140de5dae2223"
           "b00361a396177a9cb410ff61f20015ad", "FIPS 180, abc");
    s = str(NULL);
    is_int(podi_sha256(&s, digest), PODI_OK, "sha256");
    is_hex(digest, 32, "e3b0c44298fc1c149afbf4c8996fb924"
           "27ae41e4649b934ca495991b7852b855", "of nothing");

    test_mac();
    test_stream(podi_arena_mem(arena));

    podi_arena_free(&arena);

    return tap_done();
}


static void
test_base64(podi_mem_t *mem)
{
    unsigned    i;
    podi_str_t  s, t;

    for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        s = str(codes[i].bytes);

        ok(podi_base64_encode(mem, &s, &t) == PODI_OK, "encoded");
        is_str(t, codes[i].std, "base64");
        ok(podi_base64_decode(mem, &t, &t) == PODI_OK, "decoded");
        is_str(t, codes[i].bytes, "to the same");

        ok(podi_base64url_encode(mem, &s, &t) == PODI_OK, "encoded");
        is_str(t, codes[i].url, "base64url");
        ok(podi_base64url_decode(mem, &t, &t) == PODI_OK, "decoded");
        is_str(t, codes[i].bytes, "to the same");
    }

    for (i = 0; i < sizeof(bad_url) / sizeof(bad_url[0]); i++) {
        s = str(bad_url[i]);
        ok(podi_base64url_decode(mem, &s, &t) == PODI_DECLINED,
           "base64url refuses %s", bad_url[i]);
    }

    for (i = 0; i < sizeof(bad_std) / sizeof(bad_std[0]); i++) {
        s = str(bad_std[i]);
        ok(podi_base64_decode(mem, &s, &t) == PODI_DECLINED,
           "base64 refuses %s", bad_std[i]);
    }
}


static void
test_mac(void)
{
    podi_str_t      key, salt, info, s;
    unsigned char   bytes[42], ikm[22], salt_bytes[13], info_bytes[10];
    unsigned        i;

    key = str("Jefe");
    s = str("what do ya want for nothing?");
    is_int(podi_hmac_sha256(&key, &s, bytes), PODI_OK, "hmac");
    is_hex(bytes, 32, "5bdcc146bf60754e6a042426089575c7"
           "5a003f089d2739839dec58b964ec3843", "RFC 4231, case 2");

    memset(ikm, 0x0b, sizeof(ikm));

    for (i = 0; i < sizeof(salt_bytes); i++) {
        salt_bytes[i] = (unsigned char) i;
    }

    for (i = 0; i < sizeof(info_bytes); i++) {
        info_bytes[i] = (unsigned char) (0xf0 + i);
    }

    key.data = ikm;
    key.len = sizeof(ikm);
    salt.data = salt_bytes;
    salt.len = sizeof(salt_bytes);
    info.data = info_bytes;
    info.len = sizeof(info_bytes);

    is_int(podi_hkdf_sha256(&key, &salt, &info, bytes, 42), PODI_OK, "hkdf");
    is_hex(bytes, 42, "3cb25f25faacd57a90434f64d0362f2a"
           "2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
           "RFC 5869, case 1");

    salt = str(NULL);
    info = str(NULL);
    is_int(podi_hkdf_sha256(&key, &salt, &info, bytes, 42), PODI_OK, "hkdf");
    is_hex(bytes, 42, "8da4e775a563c18f715f802a063c5a31"
           "b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
           "RFC 5869, case 3: no salt, no info");
}


static void
test_stream(podi_mem_t *mem)
{
    unsigned        i;
    podi_hash_t    *hash;
    unsigned char   digest[PODI_HASH_LEN_MAX];

    static const struct {
        podi_hash_e  kind;
        size_t       len;
        const char  *want;
        const char  *what;
    }  kinds[] = {
        { PODI_HASH_SHA256, 32, "ba7816bf8f01cfea414140de5dae2223"
          "b00361a396177a9cb410ff61f20015ad", "sha256 in pieces" },
        { PODI_HASH_SHA1, 20, "a9993e364706816aba3e25717850c26c9cd0d89d",
          "sha1 in pieces" },
        { PODI_HASH_MD5, 16, "900150983cd24fb0d6963f7d28e17f72",
          "md5 in pieces" },
    };

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        ok(podi_hash_begin(mem, kinds[i].kind, &hash) == PODI_OK
           && podi_hash_add(hash, "a", 1) == PODI_OK
           && podi_hash_add(hash, "", 0) == PODI_OK
           && podi_hash_add(hash, "bc", 2) == PODI_OK
           && podi_hash_len(hash) == kinds[i].len
           && podi_hash_end(hash, digest) == PODI_OK, "hashed");
        is_hex(digest, kinds[i].len, kinds[i].want, kinds[i].what);
    }
}


static void
is_hex(const unsigned char *got, size_t len, const char *want,
    const char *what)
{
    podi_str_t     s;
    unsigned char  text[128];

    podi_hex_encode(text, got, len);

    s.data = text;
    s.len = 2 * len;

    is_str(s, want, what);
}
