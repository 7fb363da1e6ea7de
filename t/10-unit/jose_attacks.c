/*
 * podi_jose: what people who forge tokens try with names: algorithms, keys and
 * members of the header (jwt_tool, RFC 8725, CVEs).
 *
 * What is wrong with a token is the only thing that is: its MAC is made with
 * the right secret, unless the attack is on that.
 */

#include "jose_forge.h"
#include "banned.h"


static void test_none(void);
static void test_confusion(void);
static void test_confused(const char *what, podi_str_t secret);
static void test_kid(void);
static void test_embedded(void);
static void test_swapped(void);
static void test_header(void);


int
main(void)
{
    forge_start();

    test_none();
    test_confusion();
    test_kid();
    test_embedded();
    test_swapped();
    test_header();

    return forge_end();
}


static void
test_none(void)
{
    size_t             i, j;
    podi_str_t         t;
    podi_jose_ring_t  *rings[] = { rsa_ring, ec_ring, ed_ring, mac_ring };

    static const char  *headers[] = {
        "{\"alg\":\"none\"}", "{\"alg\":\"None\"}", "{\"alg\":\"NONE\"}",
        "{\"alg\":\"nOnE\"}", "{\"alg\":\"none \"}", "{\"alg\":\"\\u006eone\"}",
        "{\"alg\":\"\"}", "{\"alg\":null}", "{\"alg\":0}", "{\"alg\":[]}",
        "{\"alg\":[\"none\"]}", "{\"alg\":{\"none\":1}}", "{}",
        "{\"alg\":\"none\",\"kid\":\"k\"}", "{\"alg\":\"none\",\"kid\":\"\"}",
    };

    for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        for (j = 0; j < sizeof(rings) / sizeof(rings[0]); j++) {
            t = forge(headers[i], CLAIMS, str(SECRET), "SHA256");
            refused(rings[j], t, headers[i]);

            t.len -= 43;
            refused(rings[j], t, "and with an empty signature");
            t.len--;
            refused(rings[j], t, "and with none");
        }
    }
}


/* the public key as the secret, in whatever form it is known */

static void
test_confusion(void)
{
    podi_str_t  s;

    s = pub_pem(rsa);
    test_confused("RSA PEM", s);
    s.len--;
    test_confused("RSA PEM without the line end", s);
    test_confused("RSA DER", pub_der(rsa));
    test_confused("EC PEM", pub_pem(ec));
    test_confused("EC DER", pub_der(ec));
    test_confused("EdDSA DER", pub_der(ed));
    test_confused("nothing", str(""));

    if (podi_jose_ring_jwks(rsa_ring, mem, &s) != PODI_OK) {
        abort();
    }

    test_confused("the JWK Set", s);
}


static void
test_confused(const char *what, podi_str_t secret)
{
    size_t             i, j;
    podi_str_t         t;
    podi_jose_ring_t  *rings[] = { rsa_ring, ec_ring, ed_ring, mac_ring };

    static const char  *algs[][2] = {
        { "{\"alg\":\"HS256\",\"kid\":\"k\"}", "SHA256" },
        { "{\"alg\":\"HS384\",\"kid\":\"k\"}", "SHA384" },
        { "{\"alg\":\"HS512\",\"kid\":\"k\"}", "SHA512" },
        { "{\"alg\":\"RS256\",\"kid\":\"k\"}", "SHA256" },
    };

    for (i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
        for (j = 0; j < sizeof(rings) / sizeof(rings[0]); j++) {
            t = forge(algs[i][0], CLAIMS, secret, algs[i][1]);
            refused(rings[j], t, what);
        }
    }
}


static void
test_kid(void)
{
    char               header[2048];
    size_t             i;
    podi_jose_ring_t  *ring;

    static const char  *kids[] = {
        "\"\"", "\"../../../../../../dev/null\"", "\"/dev/null\"",
        "\"k' UNION SELECT 'x\"", "\"' OR 1=1 --\"", "\"k;ls\"",
        "\"|sleep 10\"", "\"$(id)\"", "\"k\\u0000\"", "\"\\u0000\"",
        "\"k\\u0000x\"", "\"K\"", "\"k \"", "\" k\"", "\"k\\r\\nX: y\"",
        "\"%s%n%d\"", "\"http://127.0.0.1/k\"", "\"\xff\xfe\"",
        "\"\xed\xa0\x80\"",
        "[\"k\"]", "{\"k\":1}", "null", "true", "7", "\"kk\"",
    };

    for (i = 0; i < sizeof(kids) / sizeof(kids[0]); i++) {
        (void) snprintf(header, sizeof(header), "{\"alg\":\"HS256\","
                        "\"kid\":%s}", kids[i]);
        refused(mac_ring, forge(header, CLAIMS, str(SECRET), "SHA256"),
                "a kid that is none");
        refused(mac_ring, forge(header, CLAIMS, str(""), "SHA256"),
                "or leads to an empty secret");
    }

    ring = ring_of(str(SECRET), "HS256", "");
    (void) snprintf(header, sizeof(header), "{\"alg\":\"HS256\","
                    "\"kid\":\"%0128d\"}", 0);
    is_int(verify(ring, forge(header, CLAIMS, str(SECRET), "SHA256")),
           PODI_OK, "a kid of 128 bytes, where none is asked for");

    (void) snprintf(header, sizeof(header), "{\"alg\":\"HS256\","
                    "\"kid\":\"%0129d\"}", 0);
    refused(ring, forge(header, CLAIMS, str(SECRET), "SHA256"),
            "a kid of 129 bytes");
    (void) snprintf(header, sizeof(header), "{\"alg\":\"HS256\","
                    "\"kid\":\"%01000d\"}", 0);
    refused(mac_ring, forge(header, CLAIMS, str(SECRET), "SHA256"),
            "a kid of 1000 bytes");
}


/* a key in the token, or where to get one */

static void
test_embedded(void)
{
    char              *h;
    size_t             i;
    podi_str_t         t, kid;
    podi_fail_t        fail;
    podi_jose_key_t   *evil;
    podi_jose_ring_t  *ring;

    static const char  *extras[] = {
        "\"jku\":\"https://evil.example/jwks\"",
        "\"x5u\":\"https://evil.example/cert\"",
        "\"x5c\":[\"MIIB\"]", "\"x5t\":\"AAAA\"",
        "\"jwk\":{\"kty\":\"oct\",\"k\":\"bWFsbG9yeQ\"}",
    };

    if (podi_jose_key_generate("ES256", mem, &evil, &fail) != PODI_OK) {
        abort();
    }

    kid = podi_jose_key_kid(ec);
    ring = ring_of(pub_pem(ec), "ES256", podi_mem_dup_c(mem, &kid));

    refused(ring, sign(evil), "a key of somebody else");
    refused(ec_ring, sign(evil), "also where no kid is asked for");

    for (i = 0; i < sizeof(extras) / sizeof(extras[0]); i++) {
        t = text_of(mem, "{\"alg\":\"HS256\",\"kid\":\"k\",%s}", extras[i]);
        h = podi_mem_dup_c(mem, &t);

        refused(mac_ring, forge(h, CLAIMS, str("mallory"), "SHA256"),
                extras[i]);
        refused(ec_ring, forge(h, CLAIMS, str("mallory"), "SHA256"),
                extras[i]);
        is_int(verify(mac_ring, forge(h, CLAIMS, str(SECRET), "SHA256")),
               PODI_OK, "it is not looked at");
    }
}


/* the name of another algorithm of the same key, or of the same length */

static void
test_swapped(void)
{
    size_t  i;

    static const char  *algs[] = {
        "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384",
        "ES512", "EdDSA", "HS256", "rs256", "RS256 ", "RSA-OAEP", "RS1",
        "ES256K", "Ed25519", "A128KW", "dir"
    };

    for (i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
        refused(rsa_ring,
                with_header(sign(rsa), (char *) text_of(mem,
                    "{\"alg\":\"%s\"}", algs[i]).data), algs[i]);
    }
}


static void
test_header(void)
{
    size_t  i;

    static const char  *headers[] = {
        "{\"alg\":\"HS256\",\"kid\":\"k\",\"crit\":[]}",
        "{\"alg\":\"HS256\",\"kid\":\"k\",\"crit\":[\"exp\"],\"exp\":1}",
        "{\"alg\":\"HS256\",\"kid\":\"k\",\"crit\":null}",
        "{\"alg\":\"HS256\",\"kid\":\"k\",\"b64\":true}",
        "{\"alg\":\"HS256\",\"kid\":\"k\",\"b64\":false,\"crit\":[\"b64\"]}",
        "{\"alg\":\"HS256\",\"kid\":\"k\",\"zip\":\"DEF\"}",
        "{\"alg\":\"HS256\",\"kid\":\"k\",\"enc\":\"A256GCM\"}",
        "{\"alg\":\"none\",\"alg\":\"HS256\",\"kid\":\"k\"}",
        "{\"alg\":\"HS256\",\"alg\":\"none\",\"kid\":\"k\"}",
        "{\"alg\":\"HS256\",\"\\u0061lg\":\"HS256\",\"kid\":\"k\"}",
        "{\"alg\":\"HS256\",\"kid\":\"x\",\"kid\":\"k\"}",
        "{\"alg\":\"HS256\",\"kid\":\"k\",\"typ\":7}",
        "{\"alg\":\"HS256\",\"kid\":\"k\",\"typ\":\"\"}",
        "{\"alg\":\"HS256\",\"kid\":\"k\"}}",
        "{\"alg\":\"HS256\",\"kid\":\"k\"",
        "{'alg':'HS256','kid':'k'}", "{alg:\"HS256\",kid:\"k\"}",
        "{\"alg\":\"HS256\",\"kid\":\"k\",}",
        "\xef\xbb\xbf{\"alg\":\"HS256\",\"kid\":\"k\"}",
        "{\"alg\":\"HS256\",\"kid\":\"k\",\"x\":\"\xff\"}",
        "{\"alg\":\"HS256\",\"kid\":\"k\",\"x\":\"\\u0000\"}",
        "{\"ALG\":\"HS256\",\"kid\":\"k\"}", "[{\"alg\":\"HS256\"}]",
        "{\"alg\":\"HS256\",\"kid\":\"k\"}{}", "null", "", " ",
    };

    static const char  *claims[] = {
        "{\"iss\":\"i\",\"exp\":1795325000,\"sub\":\"a\",\"sub\":\"b\"}",
        "{\"iss\":\"i\",\"exp\":1795325000,\"s\\u0075b\":\"a\",\"sub\":\"b\"}",
        "{\"iss\":\"i\",\"exp\":1795325000,\"x\":\"\\u0000\"}",
        "{\"iss\":\"i\",\"exp\":1795325000,\"x\":\"\xff\"}",
        "{\"iss\":[\"i\"],\"exp\":1795325000}",
        "{\"iss\":\"i\",\"exp\":1e400}", "{\"iss\":\"i\",\"exp\":1795325000.0}",
        "{\"iss\":\"i\",\"exp\":99999999999999999999}",
        "{\"iss\":\"i\",\"exp\":null}", "{\"iss\":\"i\",\"exp\":[1795325000]}",
        "{\"iss\":\"i\",\"exp\":true}", "[]", "null", "\"x\"", "", "{}",
        "{\"iss\":\"i\",\"exp\":1795325000}}",
    };

    for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        refused(mac_ring, forge(headers[i], CLAIMS, str(SECRET), "SHA256"),
                headers[i][0] == '{' ? headers[i] : "no object");
    }

    for (i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
        refused(mac_ring, forge("{\"alg\":\"HS256\",\"kid\":\"k\"}", claims[i],
                                str(SECRET), "SHA256"), claims[i]);
    }
}
