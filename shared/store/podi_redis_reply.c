/*
 * podi_redis_reply: what Redis said, in the flow's memory.
 *
 * hiredis frees its reply when the callback returns, and the flow reads it
 * later: hence the copy.  An error inside an array (a command of a MULTI) is
 * a string there.
 */

#include <string.h>

#include "podi_redis_int.h"
#include "banned.h"


static podi_rc_t reply_fill(podi_mem_t *mem, const redisReply *reply,
    podi_redis_reply_t *copy);


podi_redis_reply_t *
podi_redis_reply_copy(podi_mem_t *mem, const redisReply *reply)
{
    podi_redis_reply_t  *copy;

    copy = podi_mem_calloc(mem, sizeof(podi_redis_reply_t));

    if (copy == NULL || reply_fill(mem, reply, copy) != PODI_OK) {
        return NULL;
    }

    return copy;
}


/* hiredis reads at most seven levels, so the recursion is bounded */

static podi_rc_t
reply_fill(podi_mem_t *mem, const redisReply *reply, podi_redis_reply_t *copy)
{
    size_t      i;
    podi_str_t  str;

    switch (reply->type) {

    case REDIS_REPLY_INTEGER:
        copy->type = PODI_REDIS_INTEGER;
        copy->integer = reply->integer;
        return PODI_OK;

    case REDIS_REPLY_NIL:
        copy->type = PODI_REDIS_NIL;
        return PODI_OK;

    case REDIS_REPLY_ARRAY:
        copy->type = PODI_REDIS_ARRAY;
        copy->n = reply->elements;
        copy->elements = podi_mem_calloc(mem, (reply->elements + 1)
                                              * sizeof(podi_redis_reply_t));

        if (copy->elements == NULL) {
            return PODI_ERROR;
        }

        for (i = 0; i < reply->elements; i++) {
            if (reply_fill(mem, reply->element[i], &copy->elements[i])
                != PODI_OK)
            {
                return PODI_ERROR;
            }
        }

        return PODI_OK;

    default:
        str.data = (unsigned char *) reply->str;
        str.len = (size_t) reply->len;
        copy->type = PODI_REDIS_STRING;
        return podi_mem_dup(mem, &str, &copy->str);
    }
}


static const struct {
    const char    *code;
    podi_error_e   error;
    unsigned       downs;           /* another connection may do better */
}  reply_errors[] = {
    { "LOADING",     PODI_E_UNAVAILABLE, 1 },
    { "READONLY",    PODI_E_UNAVAILABLE, 1 },
    { "MASTERDOWN",  PODI_E_UNAVAILABLE, 1 },
    { "BUSY",        PODI_E_UNAVAILABLE, 0 },
    { "OOM",         PODI_E_UNAVAILABLE, 0 },
    { "MISCONF",     PODI_E_UNAVAILABLE, 0 },
    { "NOREPLICAS",  PODI_E_UNAVAILABLE, 0 },
    { "NOSCRIPT",    PODI_E_UNAVAILABLE, 0 },
    { "NOAUTH",      PODI_E_CONFIG,      0 },
    { "WRONGPASS",   PODI_E_CONFIG,      0 },
    { "NOPERM",      PODI_E_CONFIG,      0 },
    { NULL,          PODI_E_INTERNAL,    0 }
};


void
podi_redis_reply_fail(podi_fail_t *fail, const redisReply *reply)
{
    unsigned  i;

    for (i = 0; reply_errors[i].code != NULL; i++) {
        if (podi_redis_reply_is(reply, reply_errors[i].code)) {
            break;
        }
    }

    (void) podi_fail(fail, reply_errors[i].error, NULL, "Redis: %s",
                     reply->str);

    if (fail->error == PODI_E_UNAVAILABLE) {
        fail->retry_after = 1;
    }
}


int
podi_redis_reply_downs(const redisReply *reply)
{
    unsigned  i;

    for (i = 0; reply_errors[i].code != NULL; i++) {
        if (podi_redis_reply_is(reply, reply_errors[i].code)) {
            return (int) reply_errors[i].downs;
        }
    }

    return 0;
}


/* "-LOADING Redis is loading..." is "LOADING" */

int
podi_redis_reply_is(const redisReply *reply, const char *code)
{
    size_t  len;

    len = strlen(code);

    return reply->type == REDIS_REPLY_ERROR
           && strncmp(reply->str, code, len) == 0
           && (reply->str[len] == ' ' || reply->str[len] == '\0');
}


void
podi_redis_unavailable(podi_fail_t *fail, const char *why)
{
    (void) podi_fail(fail, PODI_E_UNAVAILABLE, NULL, "%s", why);
    fail->retry_after = 1;
}
