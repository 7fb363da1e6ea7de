/*
 * ngx_podi_route: from method and path to a handler, by tables.
 *
 *     location -> its tables -> pattern by pattern, segment by segment
 *
 * One location may carry the tables of several features.  The answer is
 * remembered, because auth asks first (may it be anonymous?).
 */

#include "ngx_podi_core.h"


static ngx_uint_t ngx_podi_route_match(const ngx_str_t *uri,
    const char *pattern, podi_str_t *args);
static char *ngx_podi_route_table(ngx_conf_t *cf,
    ngx_podi_main_conf_t *pmcf, const ngx_podi_route_t *routes);
static ngx_int_t ngx_podi_route_content(ngx_http_request_t *r);
static ngx_int_t ngx_podi_route_missing(ngx_http_request_t *r,
    ngx_podi_request_t *pr);
static void ngx_podi_route_cell(ngx_podi_request_t *pr);
static void ngx_podi_route_scan(ngx_http_request_t *r,
    ngx_podi_request_t *pr, const ngx_podi_content_t *content);


char *
ngx_podi_route_directive(ngx_conf_t *cf, ngx_http_handler_pt handler,
    const ngx_podi_route_t *routes)
{
    ngx_podi_loc_conf_t   *plcf;
    ngx_podi_main_conf_t  *pmcf;

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_podi_module);
    plcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_podi_module);

    pmcf->needs_pg = 1;
    plcf->needs_tenant = 1;

    return ngx_podi_route_plain(cf, handler, routes);
}


char *
ngx_podi_route_plain(ngx_conf_t *cf, ngx_http_handler_pt handler,
    const ngx_podi_route_t *routes)
{
    ngx_uint_t                 i;
    ngx_podi_content_t        *content;
    ngx_podi_loc_conf_t       *plcf;
    ngx_podi_main_conf_t      *pmcf;
    ngx_http_core_loc_conf_t  *clcf;

    pmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_podi_module);
    plcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_podi_module);
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (plcf->contents == NULL) {
        plcf->contents = ngx_array_create(cf->pool, 8,
                                          sizeof(ngx_podi_content_t));
        if (plcf->contents == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    content = plcf->contents->elts;

    for (i = 0; i < plcf->contents->nelts; i++) {
        if (content[i].routes == routes) {
            return "is duplicate";
        }
    }

    content = ngx_array_push(plcf->contents);
    if (content == NULL) {
        return NGX_CONF_ERROR;
    }

    content->routes = routes;
    content->handler = handler;

    clcf->handler = ngx_podi_route_content;

    return ngx_podi_route_table(cf, pmcf, routes);
}


static char *
ngx_podi_route_table(ngx_conf_t *cf, ngx_podi_main_conf_t *pmcf,
    const ngx_podi_route_t *routes)
{
    ngx_uint_t         i;
    ngx_podi_table_t  *table;

    table = pmcf->tables.elts;

    for (i = 0; i < pmcf->tables.nelts; i++) {
        if (table[i].routes == routes) {
            return NGX_CONF_OK;
        }
    }

    table = ngx_array_push(&pmcf->tables);
    if (table == NULL) {
        return NGX_CONF_ERROR;
    }

    table->routes = routes;

    for (table->n = 0; routes[table->n].path != NULL; table->n++) {
        /* void */
    }

    table->cells = ngx_pcalloc(cf->pool,
                               table->n * sizeof(ngx_podi_metric_cell_t *));

    return (table->cells == NULL) ? NGX_CONF_ERROR : NGX_CONF_OK;
}


/* the content handler of a location with at least one table */

static ngx_int_t
ngx_podi_route_content(ngx_http_request_t *r)
{
    ngx_int_t            rc;
    ngx_podi_request_t  *pr;

    pr = ngx_podi_request(r);
    if (pr == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_podi_route_here(r) == NULL) {
        return ngx_podi_route_missing(r, pr);
    }

    rc = ngx_podi_sandbox(r);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    return pr->content->handler(r);
}


ngx_int_t
ngx_podi_route(ngx_http_request_t *r, const ngx_podi_route_t *routes)
{
    podi_fail_t              fail;
    ngx_podi_request_t      *pr;
    const ngx_podi_route_t  *route;

    pr = ngx_podi_request(r);
    if (pr == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    route = ngx_podi_route_here(r);

    if (route == NULL || pr->content->routes != routes) {
        return ngx_podi_route_missing(r, pr);
    }

    if (!(route->flags & NGX_PODI_ANON) && !pr->pub.identity.known) {
        ngx_memzero(&fail, sizeof(podi_fail_t));
        (void) podi_fail(&fail, PODI_E_UNAUTHENTICATED, NULL, "no identity");
        return ngx_podi_reply_fail(r, &fail);
    }

    if (!(route->flags & NGX_PODI_ANON) && !pr->pub.identity.ours) {
        ngx_memzero(&fail, sizeof(podi_fail_t));
        (void) podi_fail(&fail, PODI_E_FORBIDDEN, NULL,
                         "somebody of another issuer");
        return ngx_podi_reply_fail(r, &fail);
    }

    return route->handler(r, pr->args);
}


ngx_int_t
ngx_podi_route_flow(ngx_http_request_t *r, const podi_step_t *steps,
    size_t size)
{
    ngx_http_request_t  **ctx;

    ctx = ngx_pcalloc(r->pool, size);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    *ctx = r;

    return ngx_podi_flow_content(r, steps, ctx);
}


ngx_int_t
ngx_podi_route_flow_of(ngx_http_request_t *r, const podi_str_t *arg,
    const char *noun, const podi_step_t *steps, size_t size)
{
    podi_fail_t     fail;
    ngx_podi_of_t  *ctx;

    ctx = ngx_pcalloc(r->pool, size);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (podi_id_parse(arg, &ctx->id) != PODI_OK) {
        ngx_memzero(&fail, sizeof(podi_fail_t));
        (void) podi_fail(&fail, PODI_E_NOT_FOUND, NULL, "no such %s", noun);
        return ngx_podi_reply_fail(r, &fail);
    }

    ctx->request = r;

    return ngx_podi_flow_content(r, steps, ctx);
}


static ngx_int_t
ngx_podi_route_missing(ngx_http_request_t *r, ngx_podi_request_t *pr)
{
    podi_fail_t  fail;

    ngx_memzero(&fail, sizeof(podi_fail_t));

    if (pr->allowed == 0) {
        (void) podi_fail(&fail, PODI_E_NOT_FOUND, NULL, "no such path");
    } else {
        (void) podi_fail(&fail, PODI_E_METHOD_NOT_ALLOWED, NULL,
                         "the path takes another method");
    }

    return ngx_podi_reply_fail(r, &fail);
}


const ngx_podi_route_t *
ngx_podi_route_here(ngx_http_request_t *r)
{
    ngx_uint_t            i;
    ngx_podi_content_t   *content;
    ngx_podi_request_t   *pr;
    ngx_podi_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_podi_module);
    pr = ngx_podi_request(r);

    if (plcf->contents == NULL || pr == NULL) {
        return NULL;
    }

    if (pr->looked == plcf && pr->looked_uri == r->uri.data) {
        return pr->route;
    }

    pr->looked = plcf;
    pr->looked_uri = r->uri.data;
    pr->route = NULL;
    pr->allowed = 0;

    content = plcf->contents->elts;

    for (i = 0; i < plcf->contents->nelts && pr->route == NULL; i++) {
        ngx_podi_route_scan(r, pr, &content[i]);
    }

    return pr->route;
}


static void
ngx_podi_route_scan(ngx_http_request_t *r, ngx_podi_request_t *pr,
    const ngx_podi_content_t *content)
{
    ngx_uint_t               method;
    const ngx_podi_route_t  *route;

    method = (r->method == NGX_HTTP_HEAD) ? NGX_HTTP_GET : r->method;

    for (route = content->routes; route->path != NULL; route++) {

        if (!ngx_podi_route_match(&r->uri, route->path, pr->args)) {
            continue;
        }

        pr->allowed |= route->method;

        if (route->method == method) {
            pr->content = content;
            pr->route = route;
            pr->pub.route = route->path;
            ngx_podi_route_cell(pr);
            return;
        }
    }
}


static void
ngx_podi_route_cell(ngx_podi_request_t *pr)
{
    ngx_uint_t                   i;
    const ngx_podi_table_t      *table;
    const ngx_podi_main_conf_t  *pmcf;

    pmcf = ngx_podi_conf();
    table = pmcf->tables.elts;

    for (i = 0; i < pmcf->tables.nelts; i++) {
        if (table[i].routes == pr->content->routes) {
            pr->cell = table[i].cells[pr->route - table[i].routes];
            return;
        }
    }
}


/* a {part} takes one segment that is not empty */

static ngx_uint_t
ngx_podi_route_match(const ngx_str_t *uri, const char *pattern,
    podi_str_t *args)
{
    u_char      *p, *last;
    ngx_uint_t   n;

    p = uri->data;
    last = uri->data + uri->len;
    n = 0;

    while (*pattern != '\0') {

        if (*pattern != '{') {
            if (p == last || *p++ != (u_char) *pattern++) {
                return 0;
            }

            continue;
        }

        podi_assert(n < NGX_PODI_ROUTE_ARGS);

        args[n].data = p;

        while (p < last && *p != '/') {
            p++;
        }

        args[n].len = p - args[n].data;

        if (args[n++].len == 0) {
            return 0;
        }

        pattern = strchr(pattern, '}') + 1;
    }

    return p == last;
}
