/*
 * podi_provider_path: where in a JSON answer something is.
 *
 *     a.b[0].c      one value
 *     a[*].b        of each element of a
 *
 * A path that leads nowhere is no mistake: nothing is found.
 */

#include <string.h>

#include "podi_provider_int.h"
#include "banned.h"


#define PODI_PROVIDER_INDEX_MAX  9999


typedef struct {
    const podi_provider_path_t   *path;
    const json_t                **values;
    size_t                        max;
    size_t                        n;
} podi_provider_find_t;


static const char *podi_provider_hop(const podi_str_t *text, size_t *at,
    podi_mem_t *mem, podi_provider_hop_t *hop);
static const char *podi_provider_hop_key(const podi_str_t *text, size_t *at,
    podi_mem_t *mem, podi_provider_hop_t *hop);
static void podi_provider_hop_down(podi_provider_find_t *f, unsigned hop,
    const json_t *value);


podi_rc_t
podi_provider_path(const podi_str_t *text, podi_mem_t *mem,
    podi_provider_path_t **ret_path, const char **why)
{
    size_t                 at = 0;
    podi_provider_path_t  *path;

    path = podi_mem_calloc(mem, sizeof(podi_provider_path_t));
    if (path == NULL) {
        *why = "no memory";
        return PODI_ERROR;
    }

    *why = text->len ? NULL : "an empty path";

    while (at < text->len && *why == NULL) {

        if (path->n == PODI_PROVIDER_HOPS) {
            *why = "a path of too many steps";
            break;
        }

        *why = podi_provider_hop(text, &at, mem, &path->hops[path->n]);
        path->n++;
    }

    *ret_path = path;

    return *why == NULL ? PODI_OK : PODI_ERROR;
}


/* NULL, or what is wrong with it; each hop but a first key has its mark */

static const char *
podi_provider_hop(const podi_str_t *text, size_t *at, podi_mem_t *mem,
    podi_provider_hop_t *hop)
{
    size_t      i = *at, start;
    int64_t     n;
    podi_str_t  part;

    if (text->data[i] == '[') {
        start = ++i;

        while (i < text->len && text->data[i] != ']') {
            i++;
        }

        if (i == text->len) {
            return "a path with a [ that does not end";
        }

        part.data = text->data + start;
        part.len = i - start;
        *at = i + 1;

        if (podi_str_eq_c(&part, "*")) {
            hop->kind = PODI_HOP_ALL;
            return NULL;
        }

        if (podi_str_to_int64(&part, &n) != PODI_OK || n < 0
            || n > PODI_PROVIDER_INDEX_MAX)
        {
            return "a path with neither a number nor * in its [ ]";
        }

        hop->kind = PODI_HOP_INDEX;
        hop->index = (size_t) n;

        return NULL;
    }

    return podi_provider_hop_key(text, at, mem, hop);
}


static const char *
podi_provider_hop_key(const podi_str_t *text, size_t *at, podi_mem_t *mem,
    podi_provider_hop_t *hop)
{
    size_t             i = *at, start;
    podi_str_t         part;
    static const char  wrong[] = "a path with a character that cannot be "
                                 "there";

    if (i > 0 && text->data[i++] != '.') {
        return wrong;
    }

    start = i;

    while (i < text->len && text->data[i] != '.' && text->data[i] != '[') {
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                   "0123456789_-", text->data[i]) == NULL
            || text->data[i] == '\0')
        {
            return wrong;
        }

        i++;
    }

    if (i == start) {
        return "a path with an empty name";
    }

    part.data = text->data + start;
    part.len = i - start;
    *at = i;

    hop->kind = PODI_HOP_KEY;
    hop->key = podi_mem_dup_c(mem, &part);

    return hop->key != NULL ? NULL : "no memory";
}


size_t
podi_provider_find(const podi_provider_path_t *path, const json_t *root,
    const json_t **ret_values, size_t max)
{
    podi_provider_find_t  f = { path, ret_values, max, 0 };

    if (root != NULL) {
        podi_provider_hop_down(&f, 0, root);
    }

    return f.n;
}


static void
podi_provider_hop_down(podi_provider_find_t *f, unsigned hop,
    const json_t *value)
{
    size_t                      i;
    const podi_provider_hop_t  *h;

    if (hop == f->path->n) {

        if (json_is_null(value)) {
            return;
        }

        if (f->n < f->max) {
            f->values[f->n] = value;
        }

        f->n++;
        return;
    }

    h = &f->path->hops[hop];

    if (h->kind == PODI_HOP_ALL) {
        for (i = 0; i < json_array_size(value); i++) {
            podi_provider_hop_down(f, hop + 1, json_array_get(value, i));
        }

        return;
    }

    value = h->kind == PODI_HOP_KEY ? json_object_get(value, h->key)
                                    : json_array_get(value, h->index);

    if (value != NULL) {
        podi_provider_hop_down(f, hop + 1, value);
    }
}


const json_t *
podi_provider_first(const podi_provider_paths_t *paths, const json_t *root)
{
    unsigned       i;
    const json_t  *value;

    for (i = 0; i < paths->n; i++) {
        if (podi_provider_find(paths->alts[i], root, &value, 1) > 0) {
            return value;
        }
    }

    return NULL;
}


/* "a.b", or several of which the first that is there counts */

podi_rc_t
podi_provider_read_paths(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    size_t                  i, n;
    podi_str_t              s;
    const char             *why;
    const json_t           *one;
    podi_provider_paths_t  *paths = dst;

    (void) row;

    n = json_is_array(value) ? json_array_size(value) : 1;

    if (n == 0 || n > PODI_PROVIDER_ALTS) {
        return podi_provider_wrong(l, "it must have 1 to %d paths",
                                   PODI_PROVIDER_ALTS);
    }

    paths->n = 0;

    for (i = 0; i < n; i++) {

        one = json_is_array(value) ? json_array_get(value, i) : value;

        if (!json_is_string(one)) {
            return podi_provider_wrong(l, "a path must be a string");
        }

        s = podi_json_str(one);

        if (podi_provider_path(&s, l->mem, &paths->alts[i], &why)
            != PODI_OK)
        {
            return podi_provider_wrong(l, "%s", why);
        }

        paths->n++;
    }

    return PODI_OK;
}
