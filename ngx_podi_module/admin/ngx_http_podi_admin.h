/*
 * admin: the verbs of this directory, and what they have in common.
 */

#ifndef NGX_HTTP_PODI_ADMIN_H
#define NGX_HTTP_PODI_ADMIN_H


#include "ngx_podi.h"


#define ADMIN_BODY_MAX  (1024 * 1024)
#define ADMIN_NAME_MAX  64

/* of a thing with a name */

typedef struct {
    ngx_http_request_t  *request;
    podi_str_t           name;
    podi_str_t           part;           /* of the path, behind the name */
    podi_str_t           body;
} ngx_http_podi_admin_t;


/*
 * Runs the flow of a path with a name, and of the {part} behind it.  What is
 * no name gets the answer of what does not exist.
 */
ngx_int_t ngx_http_podi_admin_flow(ngx_http_request_t *r,
    const podi_str_t *args, unsigned n, const podi_step_t *steps);

/* steps: the body, as text of a JSON object */
podi_rc_t ngx_http_podi_admin_read_body(podi_flow_t *f, void *ctx);
podi_rc_t ngx_http_podi_admin_parse(podi_flow_t *f, void *ctx);

/* a step: the row */
podi_rc_t ngx_http_podi_admin_reply(podi_flow_t *f, void *ctx);

/* a statement whose arguments are the name and, when there is one, the text */
PODI_MUSTCHECK podi_rc_t ngx_http_podi_admin_call(podi_flow_t *f,
    ngx_http_podi_admin_t *a, podi_sql_e sql, const podi_str_t *text);

ngx_int_t ngx_http_podi_admin_server_list(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_admin_server_read(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_admin_server_put(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_admin_server_remove(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_admin_server_drain(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_admin_server_enable(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_admin_server_disable(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_admin_workflow_list(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_admin_workflow_read(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_admin_workflow_put(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_admin_workflow_publish(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_admin_key_list(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_admin_key_disable(ngx_http_request_t *r,
    const podi_str_t *args);


#endif /* NGX_HTTP_PODI_ADMIN_H */
