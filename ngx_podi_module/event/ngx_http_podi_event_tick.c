/*
 * What the hub does by the clock, and only while it has streams.
 *
 *     every tick:   those whose turn it is are visited: once a second each;
 *                   old ones get an end, silent ones a keep-alive; a worker
 *                   that is leaving says goodbye, spread over podi_event_drain
 *     every check:  each user's newest number is asked for, and whoever is
 *                   behind pulls
 *
 * The check is what makes a lost hint harmless: it runs more often while
 * Redis is away, and at once when a subscription comes back.
 */

#include "ngx_http_podi_event_hub.h"


static void tick_visit(const ngx_http_podi_event_conf_t *econf);
static int tick_has_ended(ngx_http_podi_event_stream_t *s);
static void tick_drain(const ngx_http_podi_event_conf_t *econf);
static void tick_check(void);
static void check_now(void);
static podi_rc_t check_ask(podi_flow_t *f, void *ctx);
static ngx_http_podi_event_user_t *check_users(podi_buf_t *b);
static podi_rc_t check_answer(podi_flow_t *f, void *ctx);
static void check_end(podi_flow_t *f, podi_rc_t rc, void *ctx);


static const podi_step_t  event_check_steps[] = {
    { "asking for the newest numbers", check_ask,    0 },
    { "comparing them",                check_answer, 0 },
    podi_null_step
};


void
event_tick(void *data)
{
    const ngx_http_podi_event_conf_t  *econf;

    if (event_hub->streams == 0) {
        event_hub->ticking = 0;
        return;
    }

    econf = ngx_http_podi_event_conf();

    tick_visit(econf);

    if (ngx_exiting) {
        tick_drain(econf);
    }

    tick_check();

    event_hub->io->arm(event_hub->tick, EVENT_TICK);
}


/* the turns do not depend on what is written: a busy stream ends as well */

static void
tick_visit(const ngx_http_podi_event_conf_t *econf)
{
    podi_link_t                   *x;
    ngx_http_podi_event_stream_t  *s;

    while (!podi_list_is_empty(&event_hub->turns)) {

        x = event_hub->turns.next;
        s = podi_list_owner(x, ngx_http_podi_event_stream_t, turn);

        if (ngx_current_msec - s->visited < EVENT_VISIT) {
            return;
        }

        s->visited = ngx_current_msec;

        podi_list_remove(x);
        podi_list_append(&event_hub->turns, x);

        if (s->state == EVENT_CLOSING || tick_has_ended(s)) {
            continue;
        }

        if (ngx_current_msec - s->written + EVENT_VISIT > econf->keepalive
            && event_out_is_idle(s))
        {
            event_out_printf(s, ": %ld\n\n", (long) ngx_time());
            event_out_flush(s);
        }
    }
}


/* the credential is over, or revoked, or it is time to rotate */

static int
tick_has_ended(ngx_http_podi_event_stream_t *s)
{
    if (s->expires <= ngx_time()) {
        event_stream_close(s, "auth", "{\"code\":\"token_expired\"}");
        return 1;
    }

    if (ngx_podi_is_out(&s->marks, s->issued)) {
        event_stream_close(s, "auth", "{\"code\":\"token_revoked\"}");
        return 1;
    }

    if ((ngx_msec_int_t) (s->ends - ngx_current_msec) <= 0) {
        event_stream_close(s, "system.drain", "{\"reason\":\"rotation\"}");
        return 1;
    }

    return 0;
}


static void
tick_drain(const ngx_http_podi_event_conf_t *econf)
{
    podi_link_t                   *x, *next;
    ngx_http_podi_event_stream_t  *s;

    podi_list_each_safe(x, next, &event_hub->turns) {

        s = podi_list_owner(x, ngx_http_podi_event_stream_t, turn);

        if (!event_hub->draining) {
            s->drains = ngx_current_msec + ngx_random() % (econf->drain + 1);
        }

        if ((ngx_msec_int_t) (s->drains - ngx_current_msec) <= 0) {
            event_stream_close(s, "system.drain", "{\"reason\":\"reload\"}");
        }
    }

    event_hub->draining = 1;
}


static void
tick_check(void)
{
    ngx_msec_t  period;

    period = (event_hub->subscriber != NULL
              && podi_redis_is_up(event_hub->subscriber))
             ? EVENT_CHECK : EVENT_CHECK_DOWN;

    if (!podi_flow_is_active(&event_hub->check)
        && ngx_current_msec - event_hub->checked >= period)
    {
        check_now();
    }
}


/* users that keep coming do not put it off, but each of them gets one */

void
event_check_timer(void *data)
{
    event_hub->armed = 0;

    check_now();

    if (event_hub->streams > 0
        && ngx_current_msec - event_hub->joined < EVENT_CHECK_NEW)
    {
        event_check_soon(EVENT_CHECK_NEW);
    }
}


void
event_check_soon(ngx_msec_t after)
{
    if (!event_hub->armed || after == 0) {
        event_hub->armed = 1;
        event_hub->io->arm(event_hub->soon, after);
    }
}


/* a round visits each user once, in several questions if need be */

static void
check_now(void)
{
    if (event_hub->streams == 0) {
        return;
    }

    if (podi_flow_is_active(&event_hub->check)) {
        event_hub->again = 1;
        return;
    }

    if (!event_hub->midway) {
        event_hub->round++;
    }

    event_hub->again = 0;
    event_hub->midway = 0;
    event_hub->checked = ngx_current_msec;

    podi_arena_reset(event_hub->check_arena);

    podi_flow_start(&event_hub->check, event_check_steps, NULL,
                    podi_arena_mem(event_hub->check_arena), check_end);
}


static podi_rc_t
check_ask(podi_flow_t *f, void *ctx)
{
    podi_buf_t                   b;
    podi_str_t                   ids, tenant;
    podi_pg_call_t               call;
    ngx_http_podi_event_user_t  *first;

    podi_buf_init(&b, f->mem);

    first = check_users(&b);

    if (first == NULL) {
        return PODI_DONE;
    }

    if (podi_buf_take(&b, &ids) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    tenant.data = first->tenant;
    tenant.len = first->n_tenant;

    podi_pg_call_init(&call, PODI_SQL_EVENT_TOPS, f->mem);
    podi_arg_str(&call, &ids);

    return ngx_podi_pg_call_tenant(f, &call, &tenant);
}


/* users of one tenant that this round has not seen: '{id,id}' */

static ngx_http_podi_event_user_t *
check_users(podi_buf_t *b)
{
    ngx_uint_t                   n = 0;
    podi_link_t                 *x;
    ngx_http_podi_event_user_t  *u, *first = NULL;

    podi_list_each(x, &event_hub->users) {

        u = podi_list_owner(x, ngx_http_podi_event_user_t, all);

        if (u->round == event_hub->round || n == EVENT_CHECK_MAX) {
            continue;
        }

        if (first != NULL
            && (u->n_tenant != first->n_tenant
                || ngx_memcmp(u->tenant, first->tenant, u->n_tenant) != 0))
        {
            continue;
        }

        if (first == NULL) {
            first = u;
        }

        u->round = event_hub->round;

        podi_buf_add_byte(b, (n++ == 0) ? '{' : ',');
        podi_buf_add(b, u->id, PODI_ID_LEN);
    }

    podi_buf_add_byte(b, '}');

    return first;
}


static podi_rc_t
check_answer(podi_flow_t *f, void *ctx)
{
    int                            row;
    int64_t                        top;
    podi_str_t                     id;
    podi_link_t                   *x, *next;
    ngx_http_podi_event_user_t    *u;
    ngx_http_podi_event_stream_t  *s;

    for (row = 0; row < podi_rows(f->result); row++) {

        id = podi_row_str(f->result, row, "user_id");
        top = podi_row_int64(f->result, row, "top");
        u = event_hub_user(id.data);

        if (u == NULL) {
            continue;
        }

        podi_list_each_safe(x, next, &u->streams) {

            s = podi_list_owner(x, ngx_http_podi_event_stream_t, of_user);

            event_stream_check(s, top);
        }
    }

    return PODI_DONE;
}


/*
 * On to those that the round has not seen.  Whom a failed question was about,
 * they wait for the next round; the others must not wait with them.
 */

static void
check_end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    podi_link_t                 *x;
    ngx_http_podi_event_user_t  *u;

    if (event_hub->again) {
        event_check_soon(0);
        return;
    }

    podi_list_each(x, &event_hub->users) {

        u = podi_list_owner(x, ngx_http_podi_event_user_t, all);

        if (u->round != event_hub->round) {
            event_hub->midway = 1;
            event_check_soon(0);
            return;
        }
    }
}
