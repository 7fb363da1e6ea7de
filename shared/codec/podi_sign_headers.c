/*
 * podi_sign_headers: the header block of a canonical request.
 *
 *     lower-case names, sorted; values trimmed; repeated names joined by ','
 */

#include <stdlib.h>
#include <string.h>

#include "podi_buf.h"
#include "podi_sign_alg.h"
#include "banned.h"


typedef struct {
    podi_str_t  name;
    podi_str_t  value;
    size_t      at;                 /* qsort is not stable */
} podi_sign_line_t;


static podi_rc_t podi_sign_pick(const podi_sign_alg_t *alg,
    const podi_pair_t *headers, size_t n, const podi_str_t *additional,
    podi_mem_t *mem, podi_sign_line_t *lines, size_t *ret_used);
static int podi_sign_line_cmp(const void *a, const void *b);
static void podi_sign_value(const podi_sign_alg_t *alg, const podi_str_t *s,
    podi_buf_t *b);


podi_rc_t
podi_sign_headers(const podi_sign_alg_t *alg, const podi_pair_t *headers,
    size_t n, const podi_str_t *additional, podi_mem_t *mem,
    podi_str_t *ret_lines, podi_str_t *ret_names)
{
    size_t             i, used;
    podi_buf_t         lines, names;
    podi_sign_line_t   sorted[PODI_SIGN_PAIRS_MAX];

    if (podi_sign_pick(alg, headers, n, additional, mem, sorted, &used)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    qsort(sorted, used, sizeof(podi_sign_line_t), podi_sign_line_cmp);

    podi_buf_init(&lines, mem);
    podi_buf_init(&names, mem);

    for (i = 0; i < used; i++) {

        if (i && podi_str_eq(&sorted[i].name, &sorted[i - 1].name)) {
            podi_buf_add_byte(&lines, ',');

        } else {
            if (i) {
                podi_buf_add_byte(&lines, '\n');
                podi_buf_add_byte(&names, ';');
            }

            podi_buf_add_str(&lines, &sorted[i].name);
            podi_buf_add_byte(&lines, ':');
            podi_buf_add_str(&names, &sorted[i].name);
        }

        podi_sign_value(alg, &sorted[i].value, &lines);
    }

    if (used) {
        podi_buf_add_byte(&lines, '\n');
    }

    if (podi_buf_take(&lines, ret_lines) != PODI_OK
        || podi_buf_take(&names, ret_names) != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (alg->picks_headers) {
        *ret_names = *additional;       /* the others are understood */
    }

    return PODI_OK;
}


/* those that the dialect signs, with names in lower case */

static podi_rc_t
podi_sign_pick(const podi_sign_alg_t *alg, const podi_pair_t *headers,
    size_t n, const podi_str_t *additional, podi_mem_t *mem,
    podi_sign_line_t *lines, size_t *ret_used)
{
    size_t      i, used = 0;
    podi_str_t  name;

    for (i = 0; i < n; i++) {
        if (podi_sign_lower(mem, &headers[i].name, &name) != PODI_OK) {
            return PODI_ERROR;
        }

        if (alg->picks_headers && !podi_sign_is_default(alg, &name)
            && !podi_sign_in_list(additional, &name))
        {
            continue;
        }

        if (used == PODI_SIGN_PAIRS_MAX) {
            return PODI_ERROR;
        }

        lines[used].name = name;
        lines[used].value = headers[i].value;
        lines[used].at = i;
        used++;
    }

    *ret_used = used;

    return PODI_OK;
}


static int
podi_sign_line_cmp(const void *a, const void *b)
{
    int                      rc;
    size_t                   n;
    const podi_sign_line_t  *x = a, *y = b;

    n = x->name.len < y->name.len ? x->name.len : y->name.len;
    rc = n ? memcmp(x->name.data, y->name.data, n) : 0;

    if (rc) {
        return rc;
    }

    if (x->name.len != y->name.len) {
        return x->name.len < y->name.len ? -1 : 1;
    }

    return x->at < y->at ? -1 : 1;
}


static void
podi_sign_value(const podi_sign_alg_t *alg, const podi_str_t *s,
    podi_buf_t *b)
{
    size_t         i, end;
    unsigned char  c;

    for (end = s->len; end > 0; end--) {
        if (s->data[end - 1] != ' ' && s->data[end - 1] != '\t') {
            break;
        }
    }

    for (i = 0; i < end && (s->data[i] == ' ' || s->data[i] == '\t'); i++) {
        /* void */
    }

    for ( /* void */ ; i < end; i++) {
        c = s->data[i];

        if (alg->collapse && c == ' ' && s->data[i - 1] == ' ') {
            continue;
        }

        podi_buf_add_byte(b, c);
    }
}


int
podi_sign_in_list(const podi_str_t *list, const podi_str_t *name)
{
    podi_str_t  rest = *list, part;

    while (podi_str_split(&rest, ';', &part)) {
        if (part.len && podi_str_eq(&part, name)) {
            return 1;
        }
    }

    return 0;
}


int
podi_sign_is_default(const podi_sign_alg_t *alg, const podi_str_t *name)
{
    return alg->picks_headers
           && (podi_str_has_prefix(name, alg->header_prefix)
               || podi_str_eq_c(name, "content-type")
               || podi_str_eq_c(name, "content-md5"));
}


podi_rc_t
podi_sign_lower(podi_mem_t *mem, const podi_str_t *s, podi_str_t *ret_lower)
{
    size_t  i;

    if (podi_mem_dup(mem, s, ret_lower) != PODI_OK) {
        return PODI_ERROR;
    }

    for (i = 0; i < ret_lower->len; i++) {
        if (ret_lower->data[i] >= 'A' && ret_lower->data[i] <= 'Z') {
            ret_lower->data[i] |= 0x20;
        }
    }

    return PODI_OK;
}
