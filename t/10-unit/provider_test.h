/*
 * provider_test: descriptions for the tests, of files or of texts.
 */

#ifndef PODI_PROVIDER_TEST_H
#define PODI_PROVIDER_TEST_H


#include "tap.h"
#include "podi_provider.h"


static inline podi_str_t
provider_file(podi_mem_t *mem, const char *path)
{
    FILE         *f;
    podi_str_t    s = podi_null_str;
    const size_t  size = 256 * 1024;

    f = fopen(path, "rb");
    s.data = podi_mem_alloc(mem, size);

    if (f != NULL && s.data != NULL) {
        s.len = fread(s.data, 1, size, f);
        (void) fclose(f);
    }

    return s;
}


/* an operation of a text; a description that is refused ends the test */

static inline const podi_provider_op_t *
provider_op_of(podi_mem_t *mem, podi_str_t text, const char *op)
{
    podi_str_t        name = str(op);
    podi_fail_t       fail;
    podi_provider_t  *p;

    if (podi_provider_load("t.json", &text, mem, &p, &fail) != PODI_OK) {
        (void) ok(0, "a description: %s", fail.detail);
        exit(1);
    }

    return podi_provider_op(p, &name);
}


/* of conf/providers/NAME.json: the tests run in the root of the tree */

static inline const podi_provider_op_t *
provider_shipped(podi_mem_t *mem, const char *name, const char *op)
{
    podi_str_t  path;

    path = text_of(mem, "conf/providers/%s.json", name);

    return provider_op_of(mem, provider_file(mem, (const char *) path.data),
                          op);
}


static inline json_t *
provider_json(podi_mem_t *mem, const char *text)
{
    json_t  *json;

    json = json_loads(text, JSON_DECODE_ANY, NULL);

    if (podi_json_own(mem, json) != PODI_OK) {
        (void) ok(0, "JSON of the test: %s", text);
        exit(1);
    }

    return json;
}


static inline podi_provider_key_t
provider_key(podi_mem_t *mem, const char *name, const char *access_key,
    const char *bytes)
{
    podi_str_t            s = str(bytes);
    podi_secret_t        *secret = NULL;
    podi_provider_key_t   key;

    if (podi_secret_make(mem, &s, &secret) != PODI_OK) {
        abort();
    }

    key.name = str(name);
    key.access_key = str(access_key);
    key.secret = secret;

    return key;
}


static inline podi_str_t
provider_header_of(const podi_provider_request_t *r, const char *name)
{
    size_t      i;
    podi_str_t  none = podi_null_str;

    for (i = 0; i < r->n_headers; i++) {
        if (podi_str_eq_c(&r->headers[i].name, name)) {
            return r->headers[i].value;
        }
    }

    return none;
}


#endif /* PODI_PROVIDER_TEST_H */
