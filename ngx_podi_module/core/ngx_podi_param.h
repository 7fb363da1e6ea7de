/*
 * ngx_podi_param: the query string as a table.
 *
 * A route lists the parameters it knows; everything else in the query is
 * refused by name (bad_field), so that a mistyped filter never silently
 * answers with everything.
 */

#ifndef NGX_PODI_PARAM_H
#define NGX_PODI_PARAM_H


#include "ngx_podi.h"


typedef enum {
    NGX_PODI_PARAM_INT,         /* int64_t; absent: preset */
    NGX_PODI_PARAM_TIME,        /* podi_usec_t, RFC 3339; absent: 0 */
    NGX_PODI_PARAM_ID,          /* podi_str_t, a UUID; absent: NULL data */
    NGX_PODI_PARAM_WORD,        /* podi_str_t, one of `words` */
    NGX_PODI_PARAM_TEXT         /* podi_str_t, min..max bytes of UTF-8 */
} ngx_podi_param_e;

typedef struct {
    const char         *name;
    ngx_podi_param_e    type;
    size_t              offset;      /* in the structure that is filled */
    int64_t             min;
    int64_t             max;
    int64_t             preset;
    const char *const  *words;       /* NULL-terminated */
} ngx_podi_param_t;

#define ngx_podi_null_param  { NULL, 0, 0, 0, 0, 0, NULL }


/* fills `dst`; ERROR with the name of the offending parameter in fail */
PODI_MUSTCHECK podi_rc_t ngx_podi_params(ngx_http_request_t *r,
    const ngx_podi_param_t *params, void *dst, podi_fail_t *fail);

/* an absent TIME is SQL's null */
void ngx_podi_arg_time(podi_pg_call_t *call, podi_usec_t t);

/* an absent ID, WORD or TEXT is SQL's null */
void ngx_podi_arg_param(podi_pg_call_t *call, const podi_str_t *s);


#endif /* NGX_PODI_PARAM_H */
