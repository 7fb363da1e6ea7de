/*
 * podi_provider_where: the line and the column of a member.
 *
 *     "errors", [1], "class"  ->  walk the text  ->  12:17
 *
 * jansson knows places of syntax errors only.  A sentence about a description
 * needs the place of one member, once: so the text, which is valid JSON by
 * then, is walked again.
 */

#include <string.h>

#include "podi_provider_int.h"
#include "banned.h"


typedef struct {
    const unsigned char  *p;
    const unsigned char  *end;
} podi_provider_walk_t;


static int podi_provider_walk(podi_provider_walk_t *w,
    const podi_provider_at_t *at, const unsigned char **ret_key);
static void podi_provider_blank(podi_provider_walk_t *w);
static void podi_provider_string(podi_provider_walk_t *w);
static void podi_provider_skip(podi_provider_walk_t *w);


void
podi_provider_where(const podi_str_t *text,
    const podi_provider_place_t *place, int at_key, unsigned *ret_line,
    unsigned *ret_column)
{
    unsigned              i;
    const unsigned char  *p, *key = NULL, *found;
    podi_provider_walk_t  w;

    w.p = text->data;
    w.end = text->data + text->len;

    podi_provider_blank(&w);
    found = w.p;

    for (i = 0; i < place->n; i++) {
        if (!podi_provider_walk(&w, &place->at[i], &key)) {
            break;
        }

        found = (at_key && i + 1 == place->n && key != NULL) ? key : w.p;
    }

    *ret_line = 1;
    *ret_column = 1;

    for (p = text->data; p < found; p++) {
        if (*p == '\n') {
            (*ret_line)++;
            *ret_column = 1;

        } else {
            *ret_column += (*p & 0xc0) != 0x80;
        }
    }
}


/* one step down: from a value to one in it */

static int
podi_provider_walk(podi_provider_walk_t *w, const podi_provider_at_t *at,
    const unsigned char **ret_key)
{
    int                   hit;
    size_t                i;
    unsigned char         close;
    const unsigned char  *key;

    if (w->p == w->end || *w->p != (at->key ? '{' : '[')) {
        return 0;
    }

    close = at->key ? '}' : ']';
    *ret_key = NULL;
    w->p++;

    for (i = 0; ; i++) {
        podi_provider_blank(w);

        if (w->p == w->end || *w->p == close) {
            return 0;
        }

        hit = at->key == NULL && i == at->index;

        if (at->key != NULL) {
            key = w->p;
            podi_provider_string(w);

            hit = (size_t) (w->p - key) == strlen(at->key) + 2
                  && memcmp(key + 1, at->key, strlen(at->key)) == 0;
            *ret_key = key;

            podi_provider_blank(w);
            w->p += w->p < w->end;                  /* the colon */
            podi_provider_blank(w);
        }

        if (hit) {
            return 1;
        }

        podi_provider_skip(w);
        podi_provider_blank(w);
        w->p += w->p < w->end && *w->p == ',';
    }
}


static void
podi_provider_blank(podi_provider_walk_t *w)
{
    while (w->p < w->end && strchr(" \t\r\n", *w->p) != NULL && *w->p) {
        w->p++;
    }
}


/* from its first quote to behind its last one */

static void
podi_provider_string(podi_provider_walk_t *w)
{
    for (w->p++; w->p < w->end && *w->p != '"'; w->p++) {
        w->p += *w->p == '\\';
    }

    w->p = w->p < w->end ? w->p + 1 : w->end;
}


static void
podi_provider_skip(podi_provider_walk_t *w)
{
    unsigned  depth = 0;

    do {
        if (*w->p == '"') {
            podi_provider_string(w);
            continue;
        }

        if (*w->p == '{' || *w->p == '[') {
            depth++;

        } else if (*w->p == '}' || *w->p == ']') {

            if (depth == 0) {
                return;                 /* the end of what it stands in */
            }

            depth--;

        } else if (*w->p == ',' && depth == 0) {
            return;
        }

        w->p++;

    } while (w->p < w->end
             && (depth > 0 || strchr(",}]", *w->p) == NULL || !*w->p));
}
