/*
 * ctl_show: what only nginx.conf says, level by level, as it is written.
 *
 *     each podi_* of http -> gateway LEVEL | issuer NAME | store NAME
 *
 * Channels and limits have files of their own.  What a level does not say it
 * has of the one above.
 */

#include <string.h>

#include "ctl_show.h"
#include "podi_buf.h"
#include "banned.h"


static podi_rc_t show_one(ctl_show_t *s, const podi_directive_t *d);
static podi_rc_t show_level(ctl_show_t *s, const podi_directive_t *block,
    podi_str_t *ret_name);
static void show_path(podi_buf_t *b, const podi_directive_t *block);
static podi_rc_t show_store(ctl_show_t *s, const podi_directive_t *d);
static podi_rc_t show_issuer(ctl_show_t *s, const podi_directive_t *d);


podi_rc_t
ctl_show_gateway(ctl_show_t *s)
{
    const podi_directive_t  *d;

    for (d = s->http->first; d != NULL && d->up != s->root;
         d = podi_directive_walk(d))
    {
        if (podi_str_has_prefix(&d->words[0], "podi_")
            && show_one(s, d) != PODI_OK)
        {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


static podi_rc_t
show_one(ctl_show_t *s, const podi_directive_t *d)
{
    podi_str_t  name, value;

    if (podi_directive_is(d, "podi_channel")
        || podi_directive_is(d, "podi_limit_zone")
        || podi_directive_is(d, "podi_limit_plan"))
    {
        return PODI_OK;
    }

    if (podi_directive_is(d, "podi_media_store")) {
        return show_store(s, d);
    }

    if (podi_directive_is(d, "podi_issuer")) {
        return show_issuer(s, d);
    }

    if (show_level(s, d->up, &name) != PODI_OK
        || ctl_show_words(s, d, 1, &value) != PODI_OK)
    {
        return PODI_ERROR;
    }

    return ctl_show_file(s, "gateway", &name, &d->words[0], &value, d);
}


/* "http", "server a.example 443", "server a.example 443 location = /x" */

static podi_rc_t
show_level(ctl_show_t *s, const podi_directive_t *block,
    podi_str_t *ret_name)
{
    podi_buf_t  b;

    podi_buf_init(&b, s->mem);
    show_path(&b, block);

    return (podi_buf_take(&b, ret_name) == PODI_OK)
           ? PODI_OK
           : podi_fail(s->fail, PODI_E_INTERNAL, NULL, "no memory");
}


static void
show_path(podi_buf_t *b, const podi_directive_t *block)
{
    size_t                   i;
    const podi_directive_t  *name, *listen;

    if (podi_directive_is(block, "http")) {
        podi_buf_add_c(b, "http");
        return;
    }

    if (!podi_directive_is(block->up, "http")) {
        show_path(b, block->up);
        podi_buf_add_byte(b, ' ');
    }

    podi_buf_add_str(b, &block->words[0]);

    for (i = 1; i < block->n; i++) {
        podi_buf_add_byte(b, ' ');
        podi_buf_add_str(b, &block->words[i]);
    }

    if (!podi_directive_is(block, "server")) {
        return;
    }

    name = podi_directive_next(block, NULL, "server_name");
    listen = podi_directive_next(block, NULL, "listen");

    podi_buf_printf(b, " %s %s",
                    name == NULL ? "(no name)" : podi_directive_word(name, 1),
                    listen == NULL ? "*" : podi_directive_word(listen, 1));
}


static podi_rc_t
show_store(ctl_show_t *s, const podi_directive_t *d)
{
    size_t      i;
    podi_str_t  setting, value;

    for (i = 2; i < d->n; i++) {
        value = d->words[i];
        (void) podi_str_split(&value, '=', &setting);

        if (ctl_show_file(s, "store", &d->words[1], &setting, &value, d)
            != PODI_OK)
        {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


static podi_rc_t
show_issuer(ctl_show_t *s, const podi_directive_t *d)
{
    podi_str_t               value;
    const podi_directive_t  *line;

    for (line = d->first; line != NULL; line = line->next) {
        if (ctl_show_words(s, line, 1, &value) != PODI_OK
            || ctl_show_file(s, "issuer", &d->words[1], &line->words[0],
                             &value, line) != PODI_OK)
        {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}
