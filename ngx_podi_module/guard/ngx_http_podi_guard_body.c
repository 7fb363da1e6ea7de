/*
 * guard: a body as it comes, counted and looked at before anybody has it.
 *
 *     nginx's reader -> [count] -> [first bytes | parts of a form] -> next
 *                          '-----------'-> refused: 413, 415, 400
 *
 * nginx answers a refused body in its own words; the filters of the answer put
 * the problem document in their place.  With an error_page nginx answers as
 * that says: the redirect makes it forget the ctx that the filters look for.
 */

#include "ngx_http_podi_guard.h"
#include "podi_problem.h"


static ngx_int_t guard_body_filter(ngx_http_request_t *r, ngx_chain_t *in);
static ngx_int_t guard_body_watch(ngx_http_request_t *r,
    ngx_http_podi_guard_ctx_t *ctx, const ngx_chain_t *in);
static podi_rc_t guard_take(ngx_http_podi_guard_ctx_t *ctx,
    const ngx_buf_t *buf, podi_fail_t *fail);
static podi_rc_t guard_bare(ngx_http_podi_guard_ctx_t *ctx,
    const ngx_buf_t *buf, podi_fail_t *fail);
static ngx_int_t guard_body_refuse(ngx_http_request_t *r,
    ngx_http_podi_guard_ctx_t *ctx, const podi_fail_t *fail);
static ngx_int_t guard_answer_header(ngx_http_request_t *r);
static ngx_int_t guard_answer_body(ngx_http_request_t *r, ngx_chain_t *in);


static ngx_http_request_body_filter_pt   ngx_http_next_request_body_filter;
static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;


void
ngx_http_podi_guard_body_init(void)
{
    ngx_http_next_request_body_filter = ngx_http_top_request_body_filter;
    ngx_http_top_request_body_filter = guard_body_filter;

    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = guard_answer_header;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = guard_answer_body;
}


static ngx_int_t
guard_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_int_t                   rc;
    ngx_podi_request_t         *pr;
    ngx_http_podi_guard_ctx_t  *ctx;

    pr = (r == r->main) ? ngx_podi_request_find(r) : NULL;
    ctx = (pr == NULL) ? NULL : pr->uploads;

    for ( /* void */ ; ctx != NULL; ctx = ctx->next) {

        rc = ctx->watching ? guard_body_watch(r, ctx, in) : NGX_OK;

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return ngx_http_next_request_body_filter(r, in);
}


static ngx_int_t
guard_body_watch(ngx_http_request_t *r, ngx_http_podi_guard_ctx_t *ctx,
    const ngx_chain_t *in)
{
    podi_fail_t  fail;

    ngx_memzero(&fail, sizeof(podi_fail_t));

    for ( /* void */ ; in != NULL; in = in->next) {
        if (guard_take(ctx, in->buf, &fail) != PODI_OK) {
            return guard_body_refuse(r, ctx, &fail);
        }
    }

    return NGX_OK;
}


static podi_rc_t
guard_take(ngx_http_podi_guard_ctx_t *ctx, const ngx_buf_t *buf,
    podi_fail_t *fail)
{
    ctx->seen += buf->last - buf->pos;

    if (ctx->max != 0 && ctx->seen > ctx->max) {
        return podi_fail(fail, PODI_E_BODY_TOO_LARGE, NULL,
                         "more than %lld bytes", (long long) ctx->max);
    }

    if (ctx->multipart == NULL) {
        return guard_bare(ctx, buf, fail);
    }

    if (podi_multipart_take(ctx->multipart, buf->pos,
                            (size_t) (buf->last - buf->pos), fail)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    return buf->last_buf ? podi_multipart_end(ctx->multipart, fail) : PODI_OK;
}


static podi_rc_t
guard_bare(ngx_http_podi_guard_ctx_t *ctx, const ngx_buf_t *buf,
    podi_fail_t *fail)
{
    size_t      n;
    podi_str_t  head;

    if (ctx->judged) {
        return PODI_OK;
    }

    n = ngx_min((size_t) (buf->last - buf->pos),
                PODI_SNIFF_LEN - ctx->head_len);

    ngx_memcpy(ctx->head + ctx->head_len, buf->pos, n);
    ctx->head_len += n;

    if (ctx->head_len < PODI_SNIFF_LEN && !buf->last_buf) {
        return PODI_OK;
    }

    ctx->judged = 1;
    head.data = ctx->head;
    head.len = ctx->head_len;

    if (head.len == 0
        || ngx_http_podi_guard_takes(ctx, podi_sniff(&head)))
    {
        return PODI_OK;
    }

    return podi_fail(fail, PODI_E_UPLOAD_TYPE, NULL,
                     "the body begins as none of the accepted types does");
}


/*
 * What is left of the body is not read as the next request: the connection
 * ends, after the client had time to read the answer.
 */

static ngx_int_t
guard_body_refuse(ngx_http_request_t *r, ngx_http_podi_guard_ctx_t *ctx,
    const podi_fail_t *fail)
{
    podi_str_t           accept;
    ngx_podi_request_t  *pr = ngx_podi_request(r);

    ctx->watching = 0;
    pr->pub.decision.rule = "upload";

    if (ngx_podi_refuse_note(r, "guard", fail, ctx->dry)) {
        return NGX_OK;
    }

    accept = ngx_podi_header(r, "accept-language");

    if (podi_problem(fail, podi_lang_pick(&accept), &pr->pub.trace_id,
                     &pr->mem, &ctx->problem)
        != PODI_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_set_ctx(r, ctx, ngx_http_podi_guard_module);

    pr->body_error = fail->error;
    ctx->status = podi_error(fail->error)->http;

    r->keepalive = 0;
    r->lingering_close = 1;

    return ctx->status;
}


static ngx_int_t
guard_answer_header(ngx_http_request_t *r)
{
    ngx_podi_request_t         *pr;
    ngx_http_podi_guard_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_podi_guard_module);

    if (ctx == NULL || ctx->status == 0
        || r->err_status != (ngx_uint_t) ctx->status)
    {
        return ngx_http_next_header_filter(r);
    }

    pr = ngx_podi_request(r);
    pr->error = pr->body_error;
    ctx->replaced = 1;

    ngx_str_set(&r->headers_out.content_type, "application/problem+json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.content_length_n = (off_t) ctx->problem.len;

    return ngx_http_next_header_filter(r);
}


static ngx_int_t
guard_answer_body(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_buf_t                  *b;
    ngx_chain_t                *cl, out;
    ngx_http_podi_guard_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_podi_guard_module);

    if (ctx == NULL || !ctx->replaced || in == NULL) {
        return ngx_http_next_body_filter(r, in);
    }

    for (cl = in; cl != NULL; cl = cl->next) {
        cl->buf->pos = cl->buf->last;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = ctx->problem.data;
    b->last = b->pos + ctx->problem.len;
    b->memory = 1;
    b->last_buf = 1;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    ctx->replaced = 0;              /* it comes once */

    return ngx_http_next_body_filter(r, &out);
}
