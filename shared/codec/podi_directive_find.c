/*
 * podi_directive: finding one's way in the tree.
 */

#include <string.h>

#include "podi_directive.h"
#include "banned.h"


int
podi_directive_is(const podi_directive_t *d, const char *name)
{
    return d->n != 0 && podi_str_eq_c(&d->words[0], name);
}


const char *
podi_directive_word(const podi_directive_t *d, size_t i)
{
    return (i < d->n) ? (const char *) d->words[i].data : "";
}


const podi_directive_t *
podi_directive_next(const podi_directive_t *block, const podi_directive_t *d,
    const char *name)
{
    for (d = (d == NULL) ? block->first : d->next; d != NULL; d = d->next) {
        if (podi_directive_is(d, name)) {
            return d;
        }
    }

    return NULL;
}


const podi_directive_t *
podi_directive_walk(const podi_directive_t *d)
{
    if (d->first != NULL) {
        return d->first;
    }

    while (d != NULL && d->next == NULL) {
        d = d->up;
    }

    return (d == NULL) ? NULL : d->next;
}
