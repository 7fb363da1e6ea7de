/*
 * vectors_jose: the files of Wycheproof about JWS and JWK.
 *
 *     group: a key or a set of keys  ->  ring
 *     test: a token, valid or invalid  ->  podi_jose_open_bytes agrees?
 *
 * A set that is refused makes each of its tokens invalid.  Skipped is where
 * the file contradicts itself; each with its reason.
 */

#include "podi_jose.h"
#include "vectors.h"
#include "banned.h"


typedef struct {
    json_int_t   id;
    const char  *why;
}  vectors_skip_t;

static const vectors_skip_t  vectors_skips[] = {
    { 346, "the token says PS384, its key PS256; we go by the key" },
    { 350, "the token says PS384, its key PS256; we go by the key" },
    { 367, "its bytes are those of 357, which is valid" },
    { 370, "its bytes are those of 357, which is valid" },
    { 372, "called valid, with a question mark in base64url" },
    { 373, "called valid, with a question mark in base64url" },
};


static void vectors_jose_group(const json_t *group, int sets,
    podi_mem_t *mem);
static podi_jose_ring_t *vectors_jose_ring(json_t *key, int set,
    podi_mem_t *mem, podi_fail_t *fail);
static void vectors_jose_test(const json_t *test,
    const podi_jose_ring_t *ring, podi_fail_t *fail, podi_mem_t *mem);
static const char *vectors_jose_skip(json_int_t id);


int
vectors_jose(const json_t *file, podi_mem_t *mem)
{
    int         sets;
    size_t      i;
    json_t     *groups;
    podi_str_t  schema;

    schema = podi_json_str(json_object_get(file, "schema"));
    sets = podi_str_has_prefix(&schema, "json_web_key_schema");

    if (!sets && !podi_str_has_prefix(&schema, "json_web_signature_schema")) {
        return -1;
    }

    groups = json_object_get(file, "testGroups");

    for (i = 0; i < json_array_size(groups); i++) {
        vectors_jose_group(json_array_get(groups, i), sets, mem);
    }

    return 0;
}


static void
vectors_jose_group(const json_t *group, int sets, podi_mem_t *mem)
{
    size_t             i;
    json_t            *key, *tests;
    podi_fail_t        fail;
    podi_jose_ring_t  *ring;

    key = json_object_get(group, "public");

    if (key == NULL) {
        key = json_object_get(group, "private");
    }

    ring = vectors_jose_ring(key, sets, mem, &fail);
    tests = json_object_get(group, "tests");

    for (i = 0; i < json_array_size(tests); i++) {
        vectors_jose_test(json_array_get(tests, i), ring, &fail, mem);
    }
}


/* their "ES521" is no name of RFC 7518; ES512 is meant */

static podi_jose_ring_t *
vectors_jose_ring(json_t *key, int set, podi_mem_t *mem, podi_fail_t *fail)
{
    podi_buf_t                 b;
    podi_str_t                 text, alg;
    podi_jose_ring_t          *ring;
    const podi_jose_accept_t   file = { .remote = 0 };

    alg = podi_json_str(json_object_get(key, "alg"));

    if (podi_str_eq_c(&alg, "ES521")) {
        (void) json_object_set_new(key, "alg", json_string("ES512"));
    }

    podi_buf_init(&b, mem);
    podi_buf_add_c(&b, set ? "" : "{\"keys\":[");
    podi_json_add(&b, key);
    podi_buf_add_c(&b, set ? "" : "]}");

    if (podi_buf_take(&b, &text) != PODI_OK
        || podi_jose_ring_parse(&text, &file, mem, &ring, fail) != PODI_OK)
    {
        return NULL;
    }

    return ring;
}


static void
vectors_jose_test(const json_t *test, const podi_jose_ring_t *ring,
    podi_fail_t *fail, podi_mem_t *mem)
{
    int          ok;
    json_int_t   id;
    podi_str_t   token, bytes, result, name;
    const char  *skip;

    id = json_integer_value(json_object_get(test, "tcId"));
    token = podi_json_str(json_object_get(test, "jws"));
    result = podi_json_str(json_object_get(test, "result"));
    skip = vectors_jose_skip(id);

    if (podi_mem_printf(mem, &name, "%lld " PODI_STR_FMT, id,
                        podi_str_arg(&result)) != PODI_OK)
    {
        return;
    }

    ok = ring != NULL
         && podi_jose_open_bytes(ring, &token, PODI_JOSE_TOKEN_MAX, mem,
                                 &bytes, fail) == PODI_OK;

    vectors_tell(skip != NULL ? -1 : ok == podi_str_eq_c(&result, "valid"),
                 podi_str_c("wycheproof"), name,
                 podi_str_c(skip != NULL ? skip
                                         : ok ? "accepted" : fail->detail));
}


static const char *
vectors_jose_skip(json_int_t id)
{
    size_t  i;

    for (i = 0; i < sizeof(vectors_skips) / sizeof(vectors_skips[0]); i++) {
        if (vectors_skips[i].id == id) {
            return vectors_skips[i].why;
        }
    }

    return NULL;
}
