/*
 * ngx_podi_channel: the way by which a request came, such as a partner's
 * site, and what goes with it.
 *
 * Made by the channel module at configuration time, or of one generation of
 * its overlay from the database; const and alive as long as a request that
 * points to it.
 */

#ifndef NGX_PODI_CHANNEL_H
#define NGX_PODI_CHANNEL_H


#include "ngx_podi.h"


struct ngx_podi_channel_s {
    podi_str_t    name;
    podi_str_t    tenant;           /* "@slug", or "" */
    podi_str_t    max_role;         /* "": any */
    podi_str_t    plan;             /* of whose token says none; "": none */
    podi_str_t    price_list;       /* "": the common one */
    ngx_array_t  *origins;          /* ngx_str_t; NULL: none */
    ngx_array_t  *actions;          /* podi_str_t, names or prefix.*; any */
    ngx_array_t  *upload_types;     /* podi_str_t; NULL: any */
    off_t         upload_max;       /* 0: any */
    ngx_uint_t    killed;
};


/* what is ordered without a channel is said to come by this one */
#define NGX_PODI_CHANNEL_DEFAULT  "default"

/*
 * The channel's name, as tasks keep it; the name under which price rules are
 * looked for; and its actions as PostgreSQL takes an array, or NULL data.
 */
podi_str_t ngx_podi_channel_name(ngx_http_request_t *r);
podi_str_t ngx_podi_channel_prices(ngx_http_request_t *r);
PODI_MUSTCHECK podi_rc_t ngx_podi_channel_actions(ngx_http_request_t *r,
    podi_str_t *ret_array);

/* the lower of both bounds; the channel's may be none */
off_t ngx_podi_channel_upload_max(ngx_http_request_t *r, off_t own);
ngx_uint_t ngx_podi_channel_takes_type(ngx_http_request_t *r,
    const podi_str_t *type);

/*
 * Joins an identity with the request's channel, before anybody judges its
 * role: a token that is bound to a channel finds it, or is refused in another
 * one; the role is lowered to what the channel allows.  OK also where there
 * are no channels.
 */
PODI_MUSTCHECK podi_rc_t ngx_podi_channel_bind(ngx_http_request_t *r,
    ngx_podi_identity_t *who, podi_fail_t *fail);

/* whole origins, byte for byte, of podi_cors_origin and of the channel */
ngx_uint_t ngx_podi_origin_is_listed(ngx_http_request_t *r,
    const podi_str_t *origin);
ngx_uint_t ngx_podi_origin_is_valid(const ngx_str_t *origin);


#endif /* NGX_PODI_CHANNEL_H */
