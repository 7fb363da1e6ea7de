/*
 * guard: what may come as a body, by role: how much of which types.
 *
 *     PRECONTENT   the first rule of the role, the channel's ceiling
 *                  -> Content-Length too large? -> 413 before the body
 *                  -> Content-Type of no accepted type? -> 415
 *     body filter  counts and looks at the first bytes (guard_body.c)
 */

#include "ngx_http_podi_guard.h"


static const ngx_http_podi_upload_rule_t *guard_rule(ngx_http_request_t *r,
    const ngx_array_t *rules);
static ngx_uint_t guard_rule_is_for(const ngx_http_podi_upload_rule_t *rule,
    const podi_str_t *role);
static podi_rc_t guard_watch(ngx_http_request_t *r,
    ngx_http_podi_guard_ctx_t *ctx, podi_fail_t *fail);
static podi_rc_t guard_declared(ngx_http_podi_guard_ctx_t *ctx,
    ngx_http_request_t *r, const podi_str_t *type, podi_fail_t *fail);
static podi_rc_t guard_file(void *data, const podi_str_t *head,
    const podi_str_t *type, podi_fail_t *fail);
static podi_rc_t guard_content_type(ngx_http_request_t *r,
    podi_str_t *ret_type, podi_fail_t *fail);


podi_rc_t
ngx_http_podi_guard_upload(ngx_http_request_t *r,
    const ngx_http_podi_guard_loc_conf_t *glcf, podi_fail_t *fail)
{
    ngx_podi_ctx_t             *pc = ngx_podi_ctx(r);
    ngx_http_podi_guard_ctx_t  *ctx;

    if (glcf->uploads == NULL || glcf->uploads_off
        || (r->headers_in.content_length_n <= 0 && !r->headers_in.chunked))
    {
        return PODI_OK;
    }

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_podi_guard_ctx_t));
    if (ctx == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    ctx->rule = guard_rule(r, glcf->uploads);
    ctx->max = ctx->rule->max;

    if (pc->channel != NULL && pc->channel->upload_max != 0
        && (ctx->max == 0 || pc->channel->upload_max < ctx->max))
    {
        ctx->max = pc->channel->upload_max;
    }

    if (ctx->max != 0 && r->headers_in.content_length_n > ctx->max) {
        return podi_fail(fail, PODI_E_BODY_TOO_LARGE, NULL,
                         "%lld bytes where %lld may come",
                         (long long) r->headers_in.content_length_n,
                         (long long) ctx->max);
    }

    ngx_http_set_ctx(r, ctx, ngx_http_podi_guard_module);

    return guard_watch(r, ctx, fail);
}


/* the last one is for everybody; the configuration saw to that */

static const ngx_http_podi_upload_rule_t *
guard_rule(ngx_http_request_t *r, const ngx_array_t *rules)
{
    ngx_uint_t                          i;
    const ngx_http_podi_upload_rule_t  *rule, *rest;

    rule = rules->elts;
    rest = NULL;

    for (i = 0; i < rules->nelts; i++) {

        if (rule[i].roles == NULL) {
            rest = &rule[i];

        } else if (guard_rule_is_for(&rule[i],
                                     &ngx_podi_ctx(r)->identity.role))
        {
            return &rule[i];
        }
    }

    return rest;
}


static ngx_uint_t
guard_rule_is_for(const ngx_http_podi_upload_rule_t *rule,
    const podi_str_t *role)
{
    ngx_uint_t   i;
    podi_str_t  *known;

    known = rule->roles->elts;

    for (i = 0; i < rule->roles->nelts; i++) {
        if (podi_str_eq(&known[i], role)) {
            return 1;
        }
    }

    return 0;
}


static podi_rc_t
guard_watch(ngx_http_request_t *r, ngx_http_podi_guard_ctx_t *ctx,
    podi_fail_t *fail)
{
    podi_rc_t                  rc;
    const ngx_podi_channel_t  *channel = ngx_podi_ctx(r)->channel;

    if (ctx->rule->types == 0
        && (channel == NULL || channel->upload_types == NULL))
    {
        ctx->judged = 1;
        ctx->watching = 1;
        return PODI_OK;
    }

    if (guard_content_type(r, &ctx->declared, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    rc = podi_multipart_begin(ngx_podi_mem(r), &ctx->declared, guard_file, r,
                              &ctx->multipart, fail);

    if (rc == PODI_DECLINED) {
        rc = guard_declared(ctx, r, &ctx->declared, fail);
    }

    ctx->watching = (rc == PODI_OK);

    return rc;
}


/* to say nothing, or "bytes", is not wrong; a type must be an accepted one */

static podi_rc_t
guard_declared(ngx_http_podi_guard_ctx_t *ctx, ngx_http_request_t *r,
    const podi_str_t *type, podi_fail_t *fail)
{
    podi_media_e  known;

    if (type->len == 0
        || (type->len >= 24
            && ngx_strncasecmp(type->data,
                               (u_char *) "application/octet-stream", 24)
               == 0))
    {
        return PODI_OK;
    }

    known = podi_media_by_mime(type);

    if (known != PODI_MEDIA_UNKNOWN
        && ngx_http_podi_guard_takes(r, ctx->rule, known))
    {
        return PODI_OK;
    }

    return podi_fail(fail, PODI_E_UPLOAD_TYPE, "Content-Type",
                     "files of the declared type are not accepted here");
}


/* a file of a form; one that was not chosen comes without a byte */

static podi_rc_t
guard_file(void *data, const podi_str_t *head, const podi_str_t *type,
    podi_fail_t *fail)
{
    ngx_http_request_t         *r = data;
    ngx_http_podi_guard_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_podi_guard_module);

    if (head->len == 0) {
        return PODI_OK;
    }

    if (guard_declared(ctx, r, type, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    return ngx_http_podi_guard_takes(r, ctx->rule, podi_sniff(head))
           ? PODI_OK
           : podi_fail(fail, PODI_E_UPLOAD_TYPE, NULL,
                       "a file begins as none of the accepted types does");
}


ngx_uint_t
ngx_http_podi_guard_takes(ngx_http_request_t *r,
    const ngx_http_podi_upload_rule_t *rule, podi_media_e type)
{
    podi_str_t  name;

    if (rule->types != 0 && !(rule->types & ((ngx_uint_t) 1 << type))) {
        return 0;
    }

    name = podi_str_c(podi_media_mime(type));

    return ngx_podi_channel_takes_type(r, &name);
}


/* two of them are read by us and by whoever is behind us in different ways */

static podi_rc_t
guard_content_type(ngx_http_request_t *r, podi_str_t *ret_type,
    podi_fail_t *fail)
{
    ngx_uint_t        i, n;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    n = 0;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len == sizeof("Content-Type") - 1
                && ngx_strncasecmp(h[i].key.data, (u_char *) "Content-Type",
                                   sizeof("Content-Type") - 1)
                   == 0)
            {
                ret_type->data = h[i].value.data;
                ret_type->len = h[i].value.len;
                n++;
            }
        }
    }

    return (n <= 1) ? PODI_OK
                    : podi_fail(fail, PODI_E_BAD_REQUEST, "Content-Type",
                                "the header comes twice");
}
