/*
 * What one call is counted as, and by which key.
 *
 *     r->upstream_states from the one at which the call began up to the next
 *     separator: its tries; the status of the last one, the time of all
 *
 *     no status: the client left, or nobody was asked -> UNKNOWN, unless it
 *     took longer than is slow
 *
 * How long it took is until the header came: a client that reads slowly, or
 * an answer without end, does not make an upstream slow.
 */

#include "ngx_http_podi_breaker.h"


static ngx_uint_t breaker_is_bad(const ngx_http_podi_breaker_zone_t *zone,
    ngx_uint_t status);
static void breaker_label(char *label, const u_char *data, size_t len);
static void breaker_part(podi_siphash_t *h, const u_char *data, size_t len);


void
ngx_http_podi_breaker_outcome(ngx_http_request_t *r,
    const ngx_http_podi_breaker_call_t *call,
    ngx_http_podi_breaker_told_t *told)
{
    ngx_uint_t                 i, n, status, called;
    ngx_http_upstream_state_t *state;

    n = (r->upstream_states == NULL) ? 0 : r->upstream_states->nelts;
    state = (n == 0) ? NULL : r->upstream_states->elts;

    status = 0;
    called = 0;
    told->took = 0;

    for (i = call->first; i < n; i++) {

        /* another one begins: of an error page, of X-Accel-Redirect */

        if (state[i].peer == NULL) {
            if (called) {
                break;
            }

            continue;
        }

        called = 1;
        status = state[i].status;

        if (state[i].header_time != (ngx_msec_t) -1) {
            told->took += state[i].header_time;

        } else if (state[i].response_time != (ngx_msec_t) -1) {
            told->took += state[i].response_time;
        }
    }

    if (status != 0) {
        told->outcome = breaker_is_bad(call->zone, status)
                        ? PODI_BREAKER_BAD : PODI_BREAKER_GOOD;

    } else if (call->zone->conf.slow != 0
               && told->took > call->zone->conf.slow)
    {
        told->outcome = PODI_BREAKER_BAD;

    } else {
        told->outcome = PODI_BREAKER_UNKNOWN;
    }
}


static ngx_uint_t
breaker_is_bad(const ngx_http_podi_breaker_zone_t *zone, ngx_uint_t status)
{
    ngx_uint_t   i;
    ngx_uint_t  *bad = zone->statuses.elts;

    for (i = 0; i < zone->statuses.nelts; i++) {
        if (bad[i] == status) {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_http_podi_breaker_key(ngx_http_request_t *r,
    ngx_http_podi_breaker_call_t *call)
{
    ngx_str_t                            s;
    ngx_uint_t                           i;
    podi_siphash_t                       h;
    const ngx_podi_ctx_t                *pc = ngx_podi_ctx(r);
    const ngx_http_podi_breaker_zone_t  *zone = call->zone;

    ngx_memzero(call->label, NGX_HTTP_PODI_BREAKER_LABEL);
    podi_siphash_begin(&h, zone->shm->secret);

    if (zone->nkeys == 0 && pc->channel != NULL) {
        breaker_part(&h, pc->channel->name.data, pc->channel->name.len);
        breaker_label(call->label, pc->channel->name.data,
                      pc->channel->name.len);
    }

    for (i = 0; i < zone->nkeys; i++) {
        if (ngx_http_complex_value(r, zone->keys[i], &s) != NGX_OK) {
            return NGX_ERROR;
        }

        breaker_part(&h, s.data, s.len);
        breaker_label(call->label, s.data, s.len);
    }

    podi_siphash_end(&h, call->key);

    return NGX_OK;
}


static void
breaker_part(podi_siphash_t *h, const u_char *data, size_t len)
{
    uint64_t  n = len;

    podi_siphash_add(h, &n, sizeof(n));
    podi_siphash_add(h, data, len);
}


/* what a log line and a metric's label can hold */

static void
breaker_label(char *label, const u_char *data, size_t len)
{
    size_t  i, n;

    n = ngx_strlen(label);

    if (n != 0 && n < NGX_HTTP_PODI_BREAKER_LABEL - 1) {
        label[n++] = ' ';
    }

    for (i = 0; i < len && n < NGX_HTTP_PODI_BREAKER_LABEL - 1; i++) {
        label[n++] = (data[i] < 0x20 || data[i] > 0x7e || data[i] == '"'
                      || data[i] == '\\') ? '?' : (char) data[i];
    }
}
