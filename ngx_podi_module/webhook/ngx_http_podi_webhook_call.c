/*
 * POST /v1/providers/{provider}/webhook/{token}: a job there has changed.
 *
 *     token ours? -> body -> signed by them? -> told (Redis) -> 204
 *       no: 404         no: 401
 *
 * A 404 does not say whether it was the third party or the token.  Whether
 * anybody listens is not asked: what is not told is polled when its time comes.
 */

#include "ngx_http_podi_webhook.h"
#include "podi_event.h"
#include "podi_hash.h"


#define WEBHOOK_BODY_MAX  (256 * 1024)
#define WEBHOOK_CALL_LEN  8             /* bytes, of a digest */


typedef struct {
    ngx_http_request_t                      *request;
    podi_str_t                               name;
    const ngx_http_podi_webhook_provider_t  *provider;
    podi_str_t                               token;
    podi_callback_t                          of;
    podi_str_t                               dedupe;
} webhook_call_t;


static podi_rc_t webhook_gate(podi_flow_t *f, void *ctx);
static podi_rc_t webhook_read(podi_flow_t *f, void *ctx);
static podi_rc_t webhook_verify(podi_flow_t *f, void *ctx);
static podi_rc_t webhook_headers(podi_flow_t *f, ngx_http_request_t *r,
    podi_provider_call_in_t *in);
static podi_rc_t webhook_tell(podi_flow_t *f, void *ctx);


static const podi_step_t  webhook_steps[] = {
    { "reading the token",       webhook_gate,   0 },
    { "reading the body",        webhook_read,   0 },
    { "verifying who called",    webhook_verify, 0 },
    { "telling who follows it",  webhook_tell,   0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_webhook_call(ngx_http_request_t *r, const podi_str_t *args)
{
    webhook_call_t  *call;

    call = ngx_pcalloc(r->pool, sizeof(webhook_call_t));
    if (call == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    call->request = r;
    call->name = args[0];
    call->token = ngx_http_podi_webhook_token(r);

    return ngx_podi_flow_content(r, webhook_steps, call);
}


static podi_rc_t
webhook_gate(podi_flow_t *f, void *ctx)
{
    podi_rc_t                           rc;
    webhook_call_t                     *call = ctx;
    ngx_http_podi_webhook_main_conf_t  *wmcf;

    wmcf = ngx_http_get_module_main_conf(call->request,
                                         ngx_http_podi_webhook_module);

    call->provider = ngx_http_podi_webhook_find(wmcf, &call->name);

    rc = podi_callback_read(wmcf->key, &call->name, &call->token, f->mem,
                            &call->of);

    if (rc == PODI_ERROR) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if (rc == PODI_DECLINED || call->provider == NULL) {
        return podi_fail(&f->fail, PODI_E_NOT_FOUND, NULL, "no such path");
    }

    return PODI_OK;
}


static podi_rc_t
webhook_read(podi_flow_t *f, void *ctx)
{
    webhook_call_t  *call = ctx;

    return ngx_podi_read_body(f, call->request, WEBHOOK_BODY_MAX);
}


static podi_rc_t
webhook_verify(podi_flow_t *f, void *ctx)
{
    podi_rc_t                 rc;
    webhook_call_t           *call = ctx;
    podi_provider_call_in_t   in;

    ngx_memzero(&in, sizeof(podi_provider_call_in_t));

    in.body = ngx_podi_body(call->request);
    in.keys = &call->provider->key;
    in.n_keys = call->provider->n_keys;
    in.jwks = call->provider->jwks;
    in.now = podi_time_now();

    /* the gate has compared it with ours, of this very attempt */

    in.token = call->token;
    in.want_token = call->token;

    if (webhook_headers(f, call->request, &in) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    rc = podi_provider_webhook(call->provider->description, &in, f->mem,
                               &call->dedupe, &f->fail);

    if (rc == PODI_ERROR && f->fail.error == PODI_E_FORBIDDEN) {
        f->fail.error = PODI_E_WEBHOOK_REFUSED;
    }

    return rc;
}


static podi_rc_t
webhook_headers(podi_flow_t *f, ngx_http_request_t *r,
    podi_provider_call_in_t *in)
{
    ngx_uint_t        i, n;
    podi_pair_t      *pair;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    n = 0;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        n += part->nelts;
    }

    pair = podi_mem_alloc(f->mem, (n + 1) * sizeof(podi_pair_t));
    if (pair == NULL) {
        return PODI_ERROR;
    }

    in->headers = pair;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            pair->name.data = h[i].key.data;
            pair->name.len = h[i].key.len;
            pair->value.data = h[i].value.data;
            pair->value.len = h[i].value.len;

            pair++;
            in->n_headers++;
        }
    }

    return PODI_OK;
}


/* the same call again is known by what it calls itself, or by its words */

static podi_rc_t
webhook_tell(podi_flow_t *f, void *ctx)
{
    podi_str_t       job, key, told, text;
    podi_redis_t    *redis = ngx_podi_redis();
    unsigned char    digest[PODI_SHA256_LEN], hex[2 * WEBHOOK_CALL_LEN];
    webhook_call_t  *call = ctx;

    told = (call->dedupe.len != 0) ? call->dedupe
                                   : ngx_podi_body(call->request);

    if (podi_sha256(&told, digest) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    podi_hex_encode(hex, digest, WEBHOOK_CALL_LEN);

    text.data = hex;
    text.len = sizeof(hex);
    job = podi_id_str(&call->of.job);
    key = podi_id_str(&call->of.key);

    if (redis != NULL) {
        (void) podi_event_called(redis, f->mem, &job, &key, &text);
    }

    return ngx_podi_reply_empty(f, call->request, NGX_HTTP_NO_CONTENT);
}
