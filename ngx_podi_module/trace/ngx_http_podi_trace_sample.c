/*
 * trace: which requests are worth recording.
 *
 *     at the beginning:  parent -> the caller's bit, when there is a caller
 *                        ratio  -> the random bits of the trace id
 *     at the end:        on_error, slow -> these as well
 *
 * The beginning decides what is handed on as the sampled flag; the end is for
 * our own log, since those behind have long been called.
 *
 * Whoever samples by the same bits takes the same traces: the rightmost 56 of
 * the id are compared with (1 - ratio) * 2^56, as OpenTelemetry does it.
 */

#include "ngx_http_podi_trace.h"


#define TRACE_RANDOM_LEN  14        /* hex digits */
#define TRACE_RANDOM      (UINT64_C(1) << 56)


static uint64_t trace_random(const podi_trace_t *trace);
static ngx_int_t trace_sample_value(ngx_http_podi_trace_sample_t *sample,
    ngx_str_t *s);


ngx_uint_t
ngx_http_podi_trace_begun(const ngx_http_podi_trace_sample_t *sample,
    const podi_trace_t *trace)
{
    uint64_t  bound, out;

    if (sample->parent && trace->continued) {
        return trace->sampled;
    }

    if (sample->ratio == 0) {
        return 0;
    }

    out = NGX_HTTP_PODI_TRACE_RATIO - sample->ratio;
    bound = TRACE_RANDOM / NGX_HTTP_PODI_TRACE_RATIO * out
            + TRACE_RANDOM % NGX_HTTP_PODI_TRACE_RATIO * out
              / NGX_HTTP_PODI_TRACE_RATIO;

    return trace_random(trace) >= bound;
}


ngx_uint_t
ngx_http_podi_trace_sampled(ngx_http_request_t *r,
    const ngx_podi_request_t *pr)
{
    ngx_uint_t                             status;
    const ngx_http_podi_trace_sample_t    *sample;
    const ngx_http_podi_trace_srv_conf_t  *tscf;

    tscf = ngx_http_get_module_srv_conf(r, ngx_http_podi_trace_module);
    sample = tscf->sample;

    status = r->err_status ? r->err_status : r->headers_out.status;

    return pr->pub.trace.sampled
           || (sample->on_error
               && status >= NGX_HTTP_INTERNAL_SERVER_ERROR)
           || (sample->slow != 0
               && (podi_msec_t) (ngx_current_msec - pr->began)
                  >= sample->slow);
}


static uint64_t
trace_random(const podi_trace_t *trace)
{
    uint64_t       n;
    ngx_uint_t     i;
    unsigned char  c;

    n = 0;

    for (i = PODI_TRACE_ID_LEN - TRACE_RANDOM_LEN; i < PODI_TRACE_ID_LEN; i++) {
        c = trace->trace_id[i];
        n = n << 4 | (uint64_t) (c <= '9' ? c - '0' : c - 'a' + 10);
    }

    return n;
}


/* "podi_trace_sample [parent] [ratio=0.1] [on_error] [slow=1s]" */

char *
ngx_http_podi_trace_sample(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                       *value;
    ngx_uint_t                       i;
    ngx_http_podi_trace_sample_t    *sample;
    ngx_http_podi_trace_srv_conf_t  *tscf = conf;

    if (tscf->sample != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    sample = ngx_pcalloc(cf->pool, sizeof(ngx_http_podi_trace_sample_t));
    if (sample == NULL) {
        return NGX_CONF_ERROR;
    }

    tscf->sample = sample;
    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        return NGX_CONF_OK;
    }

    for (i = 1; i < cf->args->nelts; i++) {
        if (trace_sample_value(sample, &value[i]) != NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"podi_trace_sample\" does not take \"%V\": "
                               "it takes parent, ratio=0.1 (0 to 1), "
                               "on_error, slow=1s, or \"off\"", &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static ngx_int_t
trace_sample_value(ngx_http_podi_trace_sample_t *sample, ngx_str_t *s)
{
    ngx_int_t  n;
    ngx_str_t  v;

    if (ngx_strcmp(s->data, "parent") == 0) {
        sample->parent = 1;
        return NGX_OK;
    }

    if (ngx_strcmp(s->data, "on_error") == 0) {
        sample->on_error = 1;
        return NGX_OK;
    }

    if (ngx_strncmp(s->data, "ratio=", 6) == 0) {
        n = ngx_atofp(s->data + 6, s->len - 6, 6);
        sample->ratio = (ngx_uint_t) n;
        return (n >= 0 && n <= NGX_HTTP_PODI_TRACE_RATIO) ? NGX_OK
                                                          : NGX_ERROR;
    }

    if (ngx_strncmp(s->data, "slow=", 5) == 0) {
        v.data = s->data + 5;
        v.len = s->len - 5;
        n = ngx_parse_time(&v, 0);
        sample->slow = (podi_msec_t) n;
        return (n > 0) ? NGX_OK : NGX_ERROR;
    }

    return NGX_ERROR;
}
