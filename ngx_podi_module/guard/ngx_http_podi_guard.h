/*
 * ngx_http_podi_guard: what the files of guard know of each other.
 */

#ifndef NGX_HTTP_PODI_GUARD_H
#define NGX_HTTP_PODI_GUARD_H


#include "ngx_podi_core.h"
#include "podi_multipart.h"
#include "podi_secret.h"
#include "podi_sniff.h"


/* one podi_upload_guard: for whom, how much, of which types */

typedef struct {
    ngx_array_t                    *roles;      /* ngx_str_t; NULL: the rest */
    off_t                           max;        /* 0: any size */
    ngx_uint_t                      types;      /* 1 << podi_media_e; 0: any */
} ngx_http_podi_upload_rule_t;

/* podi_security_headers; "" leaves a header out */

typedef struct {
    ngx_str_t                       frame;
    ngx_str_t                       referrer;
    ngx_str_t                       csp;
    ngx_str_t                       hsts;       /* over TLS only */
} ngx_http_podi_security_t;

typedef struct {
    ngx_uint_t                      csrf;       /* ngx_podi_csrf_e */
    ngx_str_t                       csrf_header;

    ngx_array_t                    *uploads;    /* rules; NULL: unset */
    ngx_uint_t                      uploads_off;

    ngx_flag_t                      identity;
    podi_secret_t                  *identity_key;   /* NULL: not signed */

    ngx_http_podi_security_t       *security;   /* NULL: unset */
    ngx_uint_t                      security_off;
} ngx_http_podi_guard_loc_conf_t;

/*
 * What a body is watched by.  A request that goes from location to location
 * has one of each rule that it met, kept with it, and must do for all.
 */

typedef struct ngx_http_podi_guard_ctx_s  ngx_http_podi_guard_ctx_t;

struct ngx_http_podi_guard_ctx_s {
    ngx_http_podi_guard_ctx_t          *next;
    ngx_http_request_t                 *request;
    const ngx_http_podi_upload_rule_t  *rule;
    off_t                               max;    /* 0: any */
    off_t                               seen;
    podi_multipart_t                   *multipart;  /* NULL: a bare body */
    podi_str_t                          declared;   /* its Content-Type */
    u_char                              head[PODI_SNIFF_LEN];
    size_t                              head_len;
    podi_str_t                          problem;    /* the answer */
    ngx_int_t                           status; /* of the refusal, or 0 */
    unsigned                            dry:1;  /* where it was met */
    unsigned                            judged:1;
    unsigned                            watching:1;
    unsigned                            replaced:1;
};


extern ngx_module_t  ngx_http_podi_guard_module;

/* each gives OK, or ERROR with why not */
podi_rc_t ngx_http_podi_guard_csrf(ngx_http_request_t *r,
    const ngx_http_podi_guard_loc_conf_t *glcf, podi_fail_t *fail);
podi_rc_t ngx_http_podi_guard_upload(ngx_http_request_t *r,
    const ngx_http_podi_guard_loc_conf_t *glcf, podi_fail_t *fail);
podi_rc_t ngx_http_podi_guard_identity(ngx_http_request_t *r,
    const ngx_http_podi_guard_loc_conf_t *glcf, podi_fail_t *fail);

/* is a declared type, or one that was found, among those of the rule? */
ngx_uint_t ngx_http_podi_guard_takes(const ngx_http_podi_guard_ctx_t *ctx,
    podi_media_e type);

/* directives */
char *ngx_http_podi_guard_set_upload(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_podi_guard_set_identity(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_podi_guard_set_security(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* filters */
void ngx_http_podi_guard_body_init(void);
void ngx_http_podi_guard_security_init(void);


#endif /* NGX_HTTP_PODI_GUARD_H */
