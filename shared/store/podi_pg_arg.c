/*
 * podi_pg_arg: the arguments of a call, in order.
 *
 * Text goes as text with its NUL, because the server converts it to whatever
 * type the statement names; bytea goes binary.  Failures are remembered in
 * the call and told by podi_pg_call, so that a builder checks once.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "podi_assert.h"
#include "podi_pg.h"
#include "banned.h"


static void arg_add(podi_pg_call_t *call, const char *value, size_t len,
    int format);


void
podi_pg_call_init(podi_pg_call_t *call, podi_sql_e sql, podi_mem_t *mem)
{
    memset(call, 0, sizeof(podi_pg_call_t));

    call->sql = sql;
    call->mem = mem;
}


void
podi_arg_str(podi_pg_call_t *call, const podi_str_t *s)
{
    char  *copy;

    if (s == NULL) {
        podi_arg_null(call);
        return;
    }

    if (s->len > 0 && memchr(s->data, '\0', s->len) != NULL) {
        call->zero = 1;
    }

    copy = podi_mem_dup_c(call->mem, s);

    if (copy == NULL) {
        call->failed = 1;
    }

    arg_add(call, copy, s->len, 0);
}


void
podi_arg_c(podi_pg_call_t *call, const char *s)
{
    podi_str_t  str;

    if (s == NULL) {
        podi_arg_null(call);
        return;
    }

    str = podi_str_c(s);
    podi_arg_str(call, &str);
}


void
podi_arg_int64(podi_pg_call_t *call, int64_t n)
{
    char  text[24];

    (void) snprintf(text, sizeof(text), "%" PRId64, n);
    podi_arg_c(call, text);
}


void
podi_arg_bool(podi_pg_call_t *call, int on)
{
    arg_add(call, on ? "t" : "f", 1, 0);
}


void
podi_arg_time(podi_pg_call_t *call, podi_usec_t t)
{
    podi_str_t     str;
    unsigned char  text[PODI_RFC3339_LEN];

    podi_time_rfc3339(t, text);

    str.data = text;
    str.len = sizeof(text);
    podi_arg_str(call, &str);
}


void
podi_arg_bytea(podi_pg_call_t *call, const podi_str_t *bytes)
{
    char  *copy;

    if (bytes == NULL) {
        podi_arg_null(call);
        return;
    }

    copy = podi_mem_dup_c(call->mem, bytes);

    if (copy == NULL) {
        call->failed = 1;
    }

    arg_add(call, copy, bytes->len, 1);
}


void
podi_arg_null(podi_pg_call_t *call)
{
    arg_add(call, NULL, 0, 0);
}


static void
arg_add(podi_pg_call_t *call, const char *value, size_t len, int format)
{
    podi_assert(call->n < PODI_PG_ARGS_MAX);

    if (len > INT32_MAX) {
        call->failed = 1;
        len = 0;
    }

    call->values[call->n] = value;
    call->lengths[call->n] = (int) len;
    call->formats[call->n] = format;
    call->n++;
}
