/*
 * guard: what may come as a body, by role: how much of which types.
 *
 *     PRECONTENT   the first rule of the role, the channel's ceiling
 *                  -> Content-Length too large? -> 413 before the body
 *                  -> Content-Type of no accepted type? -> 415
 *     body filter  counts and looks at the first bytes (guard_body.c)
 *
 * try_files and error_page lead to other locations, whose rules come on top:
 * nobody gets rid of a rule by going on.  A body that is there already is not
 * looked at again.
 */

#include "ngx_http_podi_guard.h"
#include "podi_text.h"


static ngx_http_podi_guard_ctx_t *guard_ctx(ngx_http_request_t *r,
    const ngx_http_podi_upload_rule_t *rule, off_t max);
static const ngx_http_podi_upload_rule_t *guard_rule(ngx_http_request_t *r,
    const ngx_array_t *rules);
static ngx_uint_t guard_rule_is_for(const ngx_http_podi_upload_rule_t *rule,
    const podi_str_t *role);
static podi_rc_t guard_watch(ngx_http_request_t *r,
    ngx_http_podi_guard_ctx_t *ctx, podi_fail_t *fail);
static podi_rc_t guard_declared(const ngx_http_podi_guard_ctx_t *ctx,
    const podi_str_t *type, podi_fail_t *fail);
static podi_rc_t guard_file(void *data, const podi_str_t *head,
    const podi_str_t *type, podi_fail_t *fail);
static podi_rc_t guard_content_type(ngx_http_request_t *r,
    podi_str_t *ret_type, podi_fail_t *fail);


podi_rc_t
ngx_http_podi_guard_upload(ngx_http_request_t *r,
    const ngx_http_podi_guard_loc_conf_t *glcf, podi_fail_t *fail)
{
    off_t                               max;
    ngx_podi_ctx_t                     *pc = ngx_podi_ctx(r);
    ngx_http_podi_guard_ctx_t          *ctx;
    const ngx_http_podi_upload_rule_t  *rule;

    if (glcf->uploads == NULL || glcf->uploads_off
        || (r->headers_in.content_length_n <= 0 && !r->headers_in.chunked))
    {
        return PODI_OK;
    }

    rule = guard_rule(r, glcf->uploads);
    max = rule->max;

    if (pc->channel != NULL && pc->channel->upload_max != 0
        && (max == 0 || pc->channel->upload_max < max))
    {
        max = pc->channel->upload_max;
    }

    if (max != 0 && r->headers_in.content_length_n > max) {
        return podi_fail(fail, PODI_E_BODY_TOO_LARGE, NULL,
                         "%lld bytes where %lld may come",
                         (long long) r->headers_in.content_length_n,
                         (long long) max);
    }

    if (r->request_body != NULL) {
        return PODI_OK;
    }

    ctx = guard_ctx(r, rule, max);
    if (ctx == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return ctx->watching ? PODI_OK : guard_watch(r, ctx, fail);
}


/* the one that is there for the rule, or one more */

static ngx_http_podi_guard_ctx_t *
guard_ctx(ngx_http_request_t *r, const ngx_http_podi_upload_rule_t *rule,
    off_t max)
{
    ngx_podi_request_t         *pr = ngx_podi_request(r);
    ngx_podi_loc_conf_t        *plcf;
    ngx_http_podi_guard_ctx_t  *ctx;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_podi_module);

    for (ctx = pr->uploads; ctx != NULL; ctx = ctx->next) {
        if (ctx->rule == rule && ctx->max == max
            && ctx->dry == (unsigned) plcf->dry_run)
        {
            return ctx;
        }
    }

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_podi_guard_ctx_t));
    if (ctx == NULL) {
        return NULL;
    }

    ctx->request = r;
    ctx->rule = rule;
    ctx->max = max;
    ctx->dry = plcf->dry_run;

    ctx->next = pr->uploads;
    pr->uploads = ctx;

    return ctx;
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

    rc = podi_multipart_begin(ngx_podi_mem(r), &ctx->declared, guard_file, ctx,
                              &ctx->multipart, fail);

    if (rc == PODI_DECLINED) {
        rc = guard_declared(ctx, &ctx->declared, fail);
    }

    ctx->watching = (rc == PODI_OK);

    return rc;
}


/* to say nothing, or "bytes", is not wrong; a type must be an accepted one */

static podi_rc_t
guard_declared(const ngx_http_podi_guard_ctx_t *ctx, const podi_str_t *type,
    podi_fail_t *fail)
{
    podi_str_t    rest, name;
    podi_media_e  known;

    rest = *type;

    if (rest.len == 0) {
        return PODI_OK;
    }

    (void) podi_str_split(&rest, ';', &name);

    name = podi_text_trim(name);

    if (podi_text_is(&name, "application/octet-stream")) {
        return PODI_OK;
    }

    known = podi_media_by_mime(type);

    if (podi_media_is_picture(known)
        && ngx_http_podi_guard_takes(ctx, known))
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
    ngx_http_podi_guard_ctx_t  *ctx = data;

    if (head->len == 0) {
        return PODI_OK;
    }

    if (guard_declared(ctx, type, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    return ngx_http_podi_guard_takes(ctx, podi_sniff(head))
           ? PODI_OK
           : podi_fail(fail, PODI_E_UPLOAD_TYPE, NULL,
                       "a file begins as none of the accepted types does");
}


ngx_uint_t
ngx_http_podi_guard_takes(const ngx_http_podi_guard_ctx_t *ctx,
    podi_media_e type)
{
    podi_str_t  name;

    if (ctx->rule->types != 0
        && !(ctx->rule->types & ((ngx_uint_t) 1 << type)))
    {
        return 0;
    }

    name = podi_str_c(podi_media_mime(type));

    return ngx_podi_channel_takes_type(ctx->request, &name);
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
