/*
 * ctl_show: values that may hold a secret.
 *
 *     pg     -> libpq's own parser -> keyword=value, those of secrets as ***
 *     redis  -> an address, or ***
 *     others -> a URL without who signs in
 *
 * What cannot be taken apart is hidden whole: a guess at where a password ends
 * shows the rest of it.
 */

#define _GNU_SOURCE             /* memmem, memrchr */

#include <string.h>

#include <libpq-fe.h>

#include "ctl_show.h"
#include "podi_buf.h"
#include "banned.h"

#define SECRET_SHOWN  "***"


static podi_rc_t secret_pg(ctl_show_t *s, podi_str_t *value);
static int secret_is(const PQconninfoOption *o);
static podi_rc_t secret_url(ctl_show_t *s, podi_str_t *value);


podi_rc_t
ctl_show_hide(ctl_show_t *s, const podi_str_t *setting, podi_str_t *value)
{
    if (podi_str_eq_c(setting, "pg") || podi_str_eq_c(setting, "podi_pg")) {
        return secret_pg(s, value);
    }

    if (podi_str_eq_c(setting, "redis")
        || podi_str_eq_c(setting, "podi_redis"))
    {
        if (memchr(value->data, '@', value->len) != NULL
            || memchr(value->data, ' ', value->len) != NULL
            || memchr(value->data, '?', value->len) != NULL)
        {
            *value = podi_str_c(SECRET_SHOWN);
        }

        return PODI_OK;
    }

    return secret_url(s, value);
}


/* postgresql://u:a/b@h/db has a port "a", a database "b@h/db": hidden, too */

static podi_rc_t
secret_pg(ctl_show_t *s, podi_str_t *value)
{
    char                    *text;
    podi_rc_t                rc;
    podi_buf_t               b;
    PQconninfoOption        *opts;
    const PQconninfoOption  *o;

    text = podi_mem_dup_c(s->mem, value);

    if (text == NULL) {
        return podi_fail(s->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    opts = PQconninfoParse(text, NULL);

    if (opts == NULL) {
        *value = podi_str_c(SECRET_SHOWN);
        return PODI_OK;
    }

    podi_buf_init(&b, s->mem);

    for (o = opts; o->keyword != NULL; o++) {

        if (o->val == NULL) {
            continue;
        }

        if (!secret_is(o) && strchr(o->val, '@') != NULL) {
            b.len = 0;
            podi_buf_add_c(&b, SECRET_SHOWN);
            break;
        }

        podi_buf_printf(&b, "%s%s=%s", b.len == 0 ? "" : " ", o->keyword,
                        secret_is(o) ? SECRET_SHOWN : o->val);
    }

    PQconninfoFree(opts);
    rc = podi_buf_take(&b, value);

    return (rc == PODI_OK)
           ? PODI_OK
           : podi_fail(s->fail, PODI_E_INTERNAL, NULL, "no memory");
}


static int
secret_is(const PQconninfoOption *o)
{
    return strchr(o->dispchar, '*') != NULL
           || strstr(o->keyword, "password") != NULL
           || strstr(o->val, "://") != NULL;
}


static podi_rc_t
secret_url(ctl_show_t *s, podi_str_t *value)
{
    size_t                len;
    podi_buf_t            b;
    const unsigned char  *user, *host;

    user = memmem(value->data, value->len, "://", 3);
    host = (user == NULL) ? NULL : memrchr(value->data, '@', value->len);

    if (host == NULL || host < user) {
        return PODI_OK;
    }

    len = (size_t) (user + 3 - value->data);
    podi_buf_init(&b, s->mem);
    podi_buf_add(&b, value->data, len);
    podi_buf_add_c(&b, SECRET_SHOWN);
    podi_buf_add(&b, host, value->len - (size_t) (host - value->data));

    return (podi_buf_take(&b, value) == PODI_OK)
           ? PODI_OK
           : podi_fail(s->fail, PODI_E_INTERNAL, NULL, "no memory");
}
