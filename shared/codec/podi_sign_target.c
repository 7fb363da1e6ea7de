/*
 * podi_sign_target: "/bucket/key?name=value&..." into its decoded parts.
 */

#include <string.h>
#include <strings.h>

#include "podi_sign_alg.h"
#include "podi_sign_target.h"
#include "banned.h"


static int podi_sign_path_is_safe(const podi_str_t *path);
static podi_rc_t podi_sign_decode(podi_mem_t *mem, const podi_str_t *s,
    podi_str_t *ret_bytes);


podi_s3_error_e
podi_sign_target(const podi_str_t *raw, podi_mem_t *mem,
    podi_sign_target_t *ret, const char **why)
{
    podi_str_t    rest = *raw, path, part, name;
    podi_pair_t  *pair, swap;

    *why = "the request target cannot be parsed";

    ret->n_query = 0;
    ret->query = podi_mem_alloc(mem,
                                PODI_SIGN_PAIRS_MAX * sizeof(podi_pair_t));
    if (ret->query == NULL) {
        return PODI_S3_INTERNAL;
    }

    if (!podi_str_split(&rest, '?', &path)
        || podi_sign_decode(mem, &path, &ret->path) != PODI_OK)
    {
        return PODI_S3_BAD_URI;
    }

    if (!podi_sign_path_is_safe(&ret->path)) {
        *why = "the path is not acceptable";
        return PODI_S3_BAD_KEY;
    }

    while (podi_str_split(&rest, '&', &part)) {

        if (part.len == 0) {
            continue;
        }

        if (ret->n_query == PODI_SIGN_PAIRS_MAX) {
            return PODI_S3_BAD_URI;
        }

        pair = &ret->query[ret->n_query++];
        (void) podi_str_split(&part, '=', &name);

        if (podi_sign_decode(mem, &name, &pair->name) != PODI_OK
            || podi_sign_decode(mem, &part, &pair->value) != PODI_OK)
        {
            return PODI_S3_BAD_URI;
        }
    }

    /* the signature goes last, so that what it covers is one run */

    ret->n_unsigned = ret->n_query;

    for (pair = ret->query; pair < ret->query + ret->n_unsigned; pair++) {
        if (podi_str_eq_c(&pair->name, podi_sign_aws4.q_signature)) {
            swap = *pair;
            *pair = ret->query[--ret->n_unsigned];
            ret->query[ret->n_unsigned] = swap;
            break;
        }
    }

    return PODI_S3_NONE;
}


static int
podi_sign_path_is_safe(const podi_str_t *path)
{
    size_t      i;
    podi_str_t  rest, part;

    if (path->len < 2 || path->data[0] != '/') {
        return 0;
    }

    for (i = 0; i < path->len; i++) {
        if (path->data[i] < 0x20 || path->data[i] == 0x7f
            || path->data[i] == '\\')
        {
            return 0;
        }
    }

    rest.data = path->data + 1;
    rest.len = path->len - 1;

    while (podi_str_split(&rest, '/', &part)) {
        if (part.len == 0 || podi_str_eq_c(&part, ".")
            || podi_str_eq_c(&part, ".."))
        {
            return 0;
        }
    }

    return 1;
}


/* '+' is a plus: AWS4 writes a blank as %20 */

static podi_rc_t
podi_sign_decode(podi_mem_t *mem, const podi_str_t *s, podi_str_t *ret_bytes)
{
    size_t          i;
    podi_str_t      hex;
    unsigned char  *p;

    p = podi_mem_alloc(mem, s->len + 1);
    if (p == NULL) {
        return PODI_ERROR;
    }

    ret_bytes->data = p;

    for (i = 0; i < s->len; i++) {

        if (s->data[i] != '%') {
            *p++ = s->data[i];
            continue;
        }

        hex.data = s->data + i + 1;
        hex.len = s->len - i > 2 ? 2 : 0;

        if (podi_hex_decode(p, 1, &hex) != PODI_OK) {
            return PODI_ERROR;
        }

        p++;
        i += 2;
    }

    *p = '\0';
    ret_bytes->len = (size_t) (p - ret_bytes->data);

    return PODI_OK;
}


int
podi_sign_target_has(const podi_sign_target_t *t, const char *name)
{
    size_t  i;

    for (i = 0; i < t->n_query; i++) {
        if (podi_str_eq_c(&t->query[i].name, name)) {
            return 1;
        }
    }

    return 0;
}


podi_rc_t
podi_sign_target_one(const podi_sign_target_t *t, const char *name,
    podi_str_t *ret_value)
{
    size_t             i;
    const podi_str_t  *found = NULL;

    for (i = 0; i < t->n_query; i++) {
        if (!podi_str_eq_c(&t->query[i].name, name)) {
            continue;
        }

        if (found != NULL) {
            return PODI_ERROR;
        }

        found = &t->query[i].value;
    }

    if (found == NULL || found->len == 0) {
        return PODI_ERROR;
    }

    *ret_value = *found;

    return PODI_OK;
}


size_t
podi_sign_target_strip(podi_sign_target_t *t, const char *prefix)
{
    size_t             i, n = 0, len = strlen(prefix);
    const podi_str_t  *name;

    for (i = 0; i < t->n_query; i++) {
        name = &t->query[i].name;

        if (name->len < len
            || strncasecmp((char *) name->data, prefix, len) != 0)
        {
            t->query[n++] = t->query[i];
        }
    }

    t->n_query = n;

    return n;
}
