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


#endif /* NGX_PODI_CHANNEL_H */
