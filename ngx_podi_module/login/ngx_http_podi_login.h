/*
 * ngx_http_podi_login: what the two files of the login page know of each
 * other.
 */

#ifndef NGX_HTTP_PODI_LOGIN_H
#define NGX_HTTP_PODI_LOGIN_H


#include "ngx_podi.h"
#include "podi_problem.h"


typedef struct {
    podi_str_t  page[PODI_LANG_ZH + 1];     /* by podi_lang_e */
    podi_str_t  policy;                     /* Content-Security-Policy */
} ngx_http_podi_login_loc_conf_t;


/* the documents and their policy, in memory of the configuration */
PODI_MUSTCHECK podi_rc_t ngx_http_podi_login_page(podi_mem_t *mem,
    ngx_http_podi_login_loc_conf_t *llcf);


#endif /* NGX_HTTP_PODI_LOGIN_H */
