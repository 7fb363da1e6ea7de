/*
 * ngx_http_podi_auth_fetch: gets the documents of remote issuers, and what
 * this worker makes of them.
 *
 *     tick: due? -> lease? --no--> another worker is at it
 *                      |
 *     miss (a kid) ----+--yes--> GET -> parse -> publish -> waiters go on
 *                                  |
 *                                  +-> failure: the last good one stays
 *
 * Waiters of a fetch that another worker does look at its end every 20 ms.
 * A worker that quits gives up what nobody waits for.
 */

#include "ngx_http_podi_auth_remote.h"


#define FETCH_TICK   250            /* ms */
#define FETCH_POLL   20             /* ms */
#define FETCH_AGENT  "podi"

typedef struct {
    podi_op_t                      op;
    podi_link_t                    link;
    ngx_atomic_uint_t              rounds;      /* when it began to wait */
} fetch_waiter_t;


static void fetch_tick(void *data);
static void fetch_begin(ngx_http_podi_fetcher_t *fr);
static podi_rc_t fetch_ask(podi_flow_t *f, void *ctx);
static podi_rc_t fetch_take(podi_flow_t *f, void *ctx);
static void fetch_end(podi_flow_t *f, podi_rc_t rc, void *ctx);
static void fetch_told(ngx_http_podi_fetcher_t *fr, const podi_fail_t *fail);
static void fetch_give_up(ngx_http_podi_fetcher_t *fr);
static void fetch_wake(void *data);
static fetch_waiter_t *fetch_ready(ngx_http_podi_auth_fetch_t *fetch);
static ngx_uint_t fetch_waits(const ngx_http_podi_auth_fetch_t *fetch);
static void fetch_left(podi_op_t *op);


static const podi_step_t  fetch_steps[] = {
    { "fetching the keys of an issuer", fetch_ask,  0 },
    { "taking the keys of an issuer",   fetch_take, 0 },
    podi_null_step
};


ngx_int_t
ngx_http_podi_auth_fetch_start(ngx_cycle_t *cycle)
{
    ngx_uint_t                       i;
    ngx_http_podi_issuer_t         **is;
    ngx_http_podi_auth_fetch_t      *fetch;
    ngx_http_podi_auth_main_conf_t  *amcf;

    amcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_podi_auth_module);

    if (amcf == NULL || !amcf->remotes || ngx_podi_worker() == NULL) {
        return NGX_OK;
    }

    fetch = ngx_pcalloc(cycle->pool, sizeof(ngx_http_podi_auth_fetch_t));
    if (fetch == NULL) {
        return NGX_ERROR;
    }

    is = amcf->issuers.elts;

    fetch->n = amcf->issuers.nelts;
    fetch->log = cycle->log;
    fetch->io = ngx_podi_io();
    fetch->wake.run = fetch_wake;
    fetch->wake.data = fetch;
    fetch->fetchers = ngx_pcalloc(cycle->pool,
                                  fetch->n * sizeof(ngx_http_podi_fetcher_t));
    fetch->tick = fetch->io->timer(fetch->io, PODI_TIMER_HOUSEKEEPING,
                                   fetch_tick, fetch);
    fetch->poll = fetch->io->timer(fetch->io, PODI_TIMER_WORK, fetch_wake,
                                   fetch);

    if (fetch->fetchers == NULL || fetch->tick == NULL || fetch->poll == NULL)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < fetch->n; i++) {
        podi_list_init(&fetch->fetchers[i].waiters);

        fetch->fetchers[i].fetch = fetch;
        fetch->fetchers[i].remote = (is[i] == NULL) ? NULL : is[i]->remote;
    }

    amcf->fetch = fetch;

    fetch->io->arm(fetch->tick, 10);

    return NGX_OK;
}


void
ngx_http_podi_auth_fetch_stop(ngx_cycle_t *cycle)
{
    ngx_uint_t                       i;
    ngx_http_podi_fetcher_t         *fr;
    ngx_http_podi_auth_fetch_t      *fetch;
    ngx_http_podi_auth_main_conf_t  *amcf;

    amcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_podi_auth_module);

    if (amcf == NULL || amcf->fetch == NULL) {
        return;
    }

    fetch = amcf->fetch;
    amcf->fetch = NULL;

    for (i = 0; i < fetch->n; i++) {
        fr = &fetch->fetchers[i];

        fetch_give_up(fr);
        podi_http_free(&fr->http);
        podi_arena_free(&fr->arena);
        podi_arena_free(&fr->ring_arena);
    }

    fetch->io->unpost(&fetch->wake);
    fetch->io->timer_free(fetch->tick);
    fetch->io->timer_free(fetch->poll);
}


ngx_http_podi_fetcher_t *
ngx_http_podi_fetcher(const ngx_http_podi_remote_t *remote)
{
    ngx_http_podi_auth_main_conf_t  *amcf;

    amcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_podi_auth_module);

    return &amcf->fetch->fetchers[remote->issuer->index];
}


static void
fetch_tick(void *data)
{
    ngx_uint_t                   i;
    ngx_http_podi_fetcher_t     *fr;
    ngx_http_podi_auth_fetch_t  *fetch = data;

    for (i = 0; i < fetch->n; i++) {
        fr = &fetch->fetchers[i];

        if (fr->remote == NULL) {
            continue;
        }

        if (!ngx_exiting) {

            if (ngx_http_podi_keyset_due(fr->remote)
                <= ngx_http_podi_keyset_now()) {
                (void) ngx_http_podi_auth_fetch_now(fr->remote);
            }

        } else if (podi_list_is_empty(&fr->waiters)) {
            fetch_give_up(fr);
        }
    }

    fetch->io->arm(fetch->tick, FETCH_TICK);
}


ngx_uint_t
ngx_http_podi_auth_fetch_now(const ngx_http_podi_remote_t *remote)
{
    ngx_http_podi_fetcher_t  *fr;

    fr = ngx_http_podi_fetcher(remote);

    if (!podi_flow_is_active(&fr->flow)
        && ngx_http_podi_keyset_lease(remote))
    {
        fetch_begin(fr);
    }

    return ngx_http_podi_keyset_is_leased(ngx_http_podi_keyset(remote));
}


static void
fetch_begin(ngx_http_podi_fetcher_t *fr)
{
    podi_fail_t       fail;
    podi_http_conf_t  conf;

    ngx_memzero(&fail, sizeof(podi_fail_t));
    ngx_memzero(&conf, sizeof(podi_http_conf_t));

    conf.user_agent = FETCH_AGENT;
    conf.per_host = 1;
    conf.https_only = 1;
    conf.public_only = !fr->remote->inside;
    conf.ca_file = (fr->remote->ca_file.len != 0)
                   ? (char *) fr->remote->ca_file.data : NULL;

    if (fr->http == NULL) {
        fr->http = podi_http_create(fr->fetch->io, &conf);
    }

    if (fr->arena == NULL) {
        fr->arena = podi_arena_create();
    }

    if (fr->http == NULL || fr->arena == NULL) {
        (void) podi_fail(&fail, PODI_E_INTERNAL, NULL, "no memory");
        fetch_told(fr, &fail);
        return;
    }

    podi_arena_reset(fr->arena);

    podi_flow_start(&fr->flow, fetch_steps, fr, podi_arena_mem(fr->arena),
                    fetch_end);
}


static podi_rc_t
fetch_ask(podi_flow_t *f, void *ctx)
{
    podi_str_t                url;
    podi_http_request_t       request;
    ngx_http_podi_fetcher_t  *fr = ctx;

    static const podi_pair_t  accept = {
        podi_string("Accept"),
        podi_string("application/jwk-set+json, application/json")
    };

    url = podi_str_c((char *) fr->remote->url.data);

    podi_http_request_init(&request, "GET", &url);
    request.headers = &accept;
    request.n_headers = 1;
    request.max = PODI_JOSE_SET_MAX;
    request.timeout = (podi_msec_t) fr->remote->timeout * 1000;

    return podi_http_send(fr->http, f, &request);
}


static podi_rc_t
fetch_take(podi_flow_t *f, void *ctx)
{
    podi_jose_ring_t              *ring;
    podi_http_reply_t             *reply = f->result;
    ngx_http_podi_fetcher_t       *fr = ctx;
    const ngx_http_podi_issuer_t  *is = fr->remote->issuer;

    if (reply->status != NGX_HTTP_OK) {
        return podi_fail(&f->fail, PODI_E_UNAVAILABLE, NULL,
                         "the answer has status %u", reply->status);
    }

    if (podi_jose_ring_parse(&reply->body, &is->accept, f->mem, &ring,
                             &f->fail)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (podi_jose_ring_count(ring) == 0) {
        return podi_fail(&f->fail, PODI_E_CONFIG, NULL,
                         "there is no key that can be used");
    }

    ngx_http_podi_keyset_publish(fr->remote, &reply->body,
                                 podi_jose_ring_count(ring));

    return PODI_DONE;
}


static void
fetch_end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    fetch_told(ctx, (rc == PODI_ERROR) ? &f->fail : NULL);
}


/* who failed before is no news */

static void
fetch_told(ngx_http_podi_fetcher_t *fr, const podi_fail_t *fail)
{
    char                     text[512];
    ngx_uint_t               level;
    ngx_http_podi_keyset_t  *set;

    set = ngx_http_podi_keyset(fr->remote);

    if (fail != NULL) {
        podi_fail_text(fail, text, sizeof(text));

        level = (set->failing == 0) ? NGX_LOG_WARN : NGX_LOG_INFO;

        ngx_log_error(level, fr->fetch->log, 0,
                      "podi: keys of \"%V\" from %V: %s",
                      &fr->remote->issuer->name, &fr->remote->url, text);

        set->failing++;
        (void) ngx_atomic_fetch_add(&set->failed, 1);

    } else if (set->failing != 0) {
        ngx_log_error(NGX_LOG_NOTICE, fr->fetch->log, 0,
                      "podi: keys of \"%V\" come again",
                      &fr->remote->issuer->name);
        set->failing = 0;
    }

    (void) ngx_atomic_fetch_add(&set->rounds, 1);
    set->lease = 0;

    fr->fetch->io->post(fr->fetch->io, &fr->fetch->wake);
}


static void
fetch_give_up(ngx_http_podi_fetcher_t *fr)
{
    if (!podi_flow_is_active(&fr->flow)) {
        return;
    }

    podi_flow_cancel(&fr->flow);

    /* another worker begins at once, not when it would be due again */

    ngx_http_podi_keyset(fr->remote)->tried = 0;
    ngx_http_podi_keyset(fr->remote)->lease = 0;
}


podi_rc_t
ngx_http_podi_auth_fetch_wait(podi_flow_t *f,
    const ngx_http_podi_remote_t *remote)
{
    fetch_waiter_t           *w;
    ngx_http_podi_fetcher_t  *fr;

    w = podi_mem_calloc(f->mem, sizeof(fetch_waiter_t));
    if (w == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    fr = ngx_http_podi_fetcher(remote);

    w->rounds = ngx_http_podi_keyset(remote)->rounds;

    podi_list_append(&fr->waiters, &w->link);
    fr->fetch->io->arm(fr->fetch->poll, FETCH_POLL);

    return podi_flow_wait(f, &w->op, fetch_left);
}


/* whoever goes on may bring other waiters with him, or take them away */

static void
fetch_wake(void *data)
{
    fetch_waiter_t              *w;
    ngx_http_podi_auth_fetch_t  *fetch = data;

    while ((w = fetch_ready(fetch)) != NULL) {
        podi_list_remove(&w->link);
        podi_op_done(&w->op, NULL, NULL);
    }

    if (fetch_waits(fetch)) {
        fetch->io->arm(fetch->poll, FETCH_POLL);

    } else {
        fetch->io->disarm(fetch->poll);
    }
}


static fetch_waiter_t *
fetch_ready(ngx_http_podi_auth_fetch_t *fetch)
{
    ngx_uint_t                     i;
    podi_link_t                   *link;
    fetch_waiter_t                *w;
    ngx_http_podi_fetcher_t       *fr;
    const ngx_http_podi_keyset_t  *set;

    for (i = 0; i < fetch->n; i++) {
        fr = &fetch->fetchers[i];

        set = (fr->remote == NULL) ? NULL : ngx_http_podi_keyset(fr->remote);

        podi_list_each(link, &fr->waiters) {
            w = podi_list_owner(link, fetch_waiter_t, link);

            if (set->rounds != w->rounds
                || !ngx_http_podi_keyset_is_leased(set))
            {
                return w;
            }
        }
    }

    return NULL;
}


static ngx_uint_t
fetch_waits(const ngx_http_podi_auth_fetch_t *fetch)
{
    ngx_uint_t  i;

    for (i = 0; i < fetch->n; i++) {
        if (!podi_list_is_empty(&fetch->fetchers[i].waiters)) {
            return 1;
        }
    }

    return 0;
}


static void
fetch_left(podi_op_t *op)
{
    fetch_waiter_t  *w = (fetch_waiter_t *) (void *) op;

    podi_list_remove(&w->link);
}
