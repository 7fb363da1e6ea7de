/*
 * The hub: who streams in this worker, and the hints that come for them.
 *
 *     Redis channel of a user -> message -> frame -> the user's streams
 *
 * A channel is subscribed while its user has a stream here.  One frame is
 * built for all streams of a user.
 */

#include "ngx_http_podi_event_hub.h"
#include "podi_event.h"


#define EVENT_MESSAGE_MAX  (64 * 1024)


static podi_rc_t hub_subscriber(void);
static void hub_posted(ngx_event_t *ev);
static void hub_changed(void *data, const char *what,
    const podi_fail_t *fail);
static void hub_message(void *data, const podi_str_t *channel,
    const podi_str_t *payload);
static void hub_deliver(ngx_http_podi_event_user_t *u, const json_t *event,
    const podi_str_t *frame);
static void hub_end_session(ngx_http_podi_event_user_t *u,
    const json_t *event);
static podi_link_t *hub_bucket(const u_char *id);
static ngx_http_podi_event_user_t *hub_user_create(
    const ngx_podi_identity_t *who);
static void hub_user_free(ngx_http_podi_event_user_t *u);
static podi_rc_t hub_subscribe(ngx_http_podi_event_user_t *u, int on);


event_hub_t  *event_hub;


ngx_int_t
event_hub_start(ngx_cycle_t *cycle)
{
    ngx_uint_t  i;

    event_hub = ngx_pcalloc(cycle->pool, sizeof(event_hub_t));
    if (event_hub == NULL) {
        return NGX_ERROR;
    }

    event_hub->io = ngx_podi_io();
    event_hub->arena = podi_arena_create();
    event_hub->check_arena = podi_arena_create();

    if (event_hub->io == NULL || event_hub->arena == NULL
        || event_hub->check_arena == NULL)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < EVENT_BUCKETS; i++) {
        podi_list_init(&event_hub->buckets[i]);
    }

    podi_list_init(&event_hub->users);
    podi_list_init(&event_hub->turns);
    podi_list_init(&event_hub->waiting);
    podi_list_init(&event_hub->ready);
    event_hub->post.handler = hub_posted;
    event_hub->post.log = cycle->log;

    /* a worker that has streams stays until it has said goodbye to them */

    event_hub->tick = event_hub->io->timer(event_hub->io, PODI_TIMER_WORK,
                                           event_tick, NULL);
    event_hub->soon = event_hub->io->timer(event_hub->io,
                                           PODI_TIMER_HOUSEKEEPING,
                                           event_check_timer, NULL);

    if (event_hub->tick == NULL || event_hub->soon == NULL
        || hub_subscriber() != PODI_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static podi_rc_t
hub_subscriber(void)
{
    podi_redis_conf_t  conf;

    ngx_memzero(&conf, sizeof(podi_redis_conf_t));

    if (ngx_podi_redis_settings(&conf) != NGX_OK) {
        return PODI_OK;                 /* no Redis: position checks do it */
    }

    conf.role = PODI_REDIS_SUBSCRIBER;
    conf.name = "podi-events";
    conf.on_change = hub_changed;
    conf.on_message = hub_message;

    event_hub->subscriber = podi_redis_create(event_hub->io, &conf);

    return (event_hub->subscriber != NULL) ? PODI_OK : PODI_ERROR;
}


void
event_hub_stop(void)
{
    if (event_hub == NULL) {
        return;
    }

    if (podi_flow_is_active(&event_hub->check)) {
        podi_flow_cancel(&event_hub->check);
    }

    if (event_hub->subscriber != NULL) {
        podi_redis_free(&event_hub->subscriber);
    }

    if (event_hub->post.posted) {
        ngx_delete_posted_event(&event_hub->post);
    }

    event_hub->io->timer_free(event_hub->tick);
    event_hub->io->timer_free(event_hub->soon);

    podi_arena_free(&event_hub->arena);
    podi_arena_free(&event_hub->check_arena);

    event_hub = NULL;
}


/* while the subscription was away, anything may have been missed */

static void
hub_changed(void *data, const char *what, const podi_fail_t *fail)
{
    ngx_podi_log_state("Redis (events)", what, fail);

    if (fail == NULL) {
        event_check_soon(0);
    }
}


static void
hub_message(void *data, const podi_str_t *channel, const podi_str_t *payload)
{
    size_t                        prefix = sizeof("podi:user:") - 1;
    json_t                       *event;
    podi_buf_t                    b;
    podi_mem_t                   *mem;
    podi_str_t                    frame;
    podi_fail_t                   fail;
    podi_json_limit_t             limit = { EVENT_MESSAGE_MAX, 0 };
    ngx_http_podi_event_user_t   *u;

    if (channel->len != prefix + PODI_ID_LEN) {
        return;
    }

    u = event_hub_user(channel->data + prefix);
    if (u == NULL) {
        return;
    }

    mem = podi_arena_mem(event_hub->arena);
    ngx_memzero(&fail, sizeof(podi_fail_t));

    if (podi_json_parse(payload, &limit, mem, &event, &fail) == PODI_OK) {

        podi_buf_init(&b, mem);
        event_frame_json(&b, event);

        if (podi_buf_take(&b, &frame) == PODI_OK) {
            hub_deliver(u, event, &frame);
        }

    } else {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "podi: a hint that is no event: %s", fail.detail);
    }

    podi_arena_reset(event_hub->arena);
}


static void
hub_deliver(ngx_http_podi_event_user_t *u, const json_t *event,
    const podi_str_t *frame)
{
    int64_t                        seq;
    podi_str_t                     type;
    podi_link_t                   *x, *next;
    ngx_http_podi_event_stream_t  *s;

    seq = json_integer_value(json_object_get(event, "seq"));

    podi_list_each_safe(x, next, &u->streams) {

        s = podi_list_owner(x, ngx_http_podi_event_stream_t, of_user);

        if (seq > 0) {
            event_stream_offer(s, seq, frame);
        } else {
            event_stream_offer_tick(s, frame);
        }
    }

    type = podi_json_str(json_object_get(event, "type"));

    if (podi_str_eq_c(&type, "session.revoked")) {
        hub_end_session(u, event);
    }
}


/* streams of a session end with it, after they were told why */

static void
hub_end_session(ngx_http_podi_event_user_t *u, const json_t *event)
{
    podi_str_t                     session;
    podi_link_t                   *x, *next;
    ngx_http_podi_event_stream_t  *s;

    session = podi_json_str(json_object_get(json_object_get(event, "data"),
                                            "session_id"));

    podi_list_each_safe(x, next, &u->streams) {

        s = podi_list_owner(x, ngx_http_podi_event_stream_t, of_user);

        if (podi_str_eq(&s->session, &session)) {
            event_stream_close(s, "auth", "{\"code\":\"token_revoked\"}");
        }
    }
}


podi_rc_t
event_hub_join(ngx_http_podi_event_stream_t *s,
    const ngx_podi_identity_t *who, podi_fail_t *fail)
{
    ngx_msec_t                         life;
    ngx_http_podi_event_user_t        *u;
    const ngx_http_podi_event_conf_t  *econf;

    econf = ngx_http_podi_event_conf();
    u = event_hub_user(who->user.data);

    if (u != NULL && u->n >= econf->streams) {
        return podi_fail(fail, PODI_E_RATE_LIMITED, NULL,
                         "the user has %u streams already", (unsigned) u->n);
    }

    if (u == NULL) {
        u = hub_user_create(who);
    }

    if (u == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    life = econf->lifetime;

    s->user = u;
    s->ends = ngx_current_msec + life - ngx_random() % (life / 5 + 1);
    s->written = ngx_current_msec;
    s->visited = ngx_current_msec;

    u->n++;
    podi_list_append(&u->streams, &s->of_user);
    podi_list_append(&event_hub->turns, &s->turn);

    event_hub->streams++;

    if (!event_hub->ticking) {
        event_hub->ticking = 1;
        event_hub->io->arm(event_hub->tick, EVENT_TICK);
    }

    return PODI_OK;
}


void
event_hub_leave(ngx_http_podi_event_stream_t *s)
{
    ngx_http_podi_event_user_t  *u = s->user;

    if (u == NULL || event_hub == NULL) {
        return;
    }

    podi_list_remove(&s->of_user);
    podi_list_remove(&s->turn);

    s->user = NULL;
    event_hub->streams--;

    if (--u->n == 0) {
        hub_user_free(u);
    }
}


/* one posted event for all: a stream of its own would pay for one all day */

void
event_hub_ready(ngx_http_podi_event_stream_t *s)
{
    if (event_hub == NULL || !podi_list_is_empty(&s->ready)) {
        return;
    }

    podi_list_append(&event_hub->ready, &s->ready);
    ngx_post_event(&event_hub->post, &ngx_posted_events);
}


static void
hub_posted(ngx_event_t *ev)
{
    podi_link_t  *x;

    while (!podi_list_is_empty(&event_hub->ready)) {

        x = event_hub->ready.next;
        podi_list_remove(x);
        event_stream_run(podi_list_owner(x, ngx_http_podi_event_stream_t,
                                         ready));
    }
}


int
event_hub_may_pull(ngx_http_podi_event_stream_t *s)
{
    podi_list_remove(&s->waiting);

    if (event_hub->pulls < EVENT_PULLS) {
        event_hub->pulls++;
        return 1;
    }

    podi_list_append(&event_hub->waiting, &s->waiting);

    return 0;
}


void
event_hub_pulled(void)
{
    if (event_hub == NULL) {
        return;
    }

    event_hub->pulls--;
    event_hub_wake();
}


/*
 * The first that waits stays in the list until it has run: one that cannot
 * pull by then takes itself off and wakes the next, so no turn is lost.
 */

void
event_hub_wake(void)
{
    podi_link_t  *x;

    if (event_hub == NULL || event_hub->pulls >= EVENT_PULLS
        || podi_list_is_empty(&event_hub->waiting))
    {
        return;
    }

    x = event_hub->waiting.next;

    event_stream_go_on(podi_list_owner(x, ngx_http_podi_event_stream_t,
                                       waiting));
}


static podi_link_t *
hub_bucket(const u_char *id)
{
    return &event_hub->buckets[ngx_crc32_short((u_char *) id, PODI_ID_LEN)
                               % EVENT_BUCKETS];
}


ngx_http_podi_event_user_t *
event_hub_user(const u_char *id)
{
    podi_link_t                 *x, *bucket;
    ngx_http_podi_event_user_t  *u;

    bucket = hub_bucket(id);

    podi_list_each(x, bucket) {

        u = podi_list_owner(x, ngx_http_podi_event_user_t, bucket);

        if (ngx_memcmp(u->id, id, PODI_ID_LEN) == 0) {
            return u;
        }
    }

    return NULL;
}


static ngx_http_podi_event_user_t *
hub_user_create(const ngx_podi_identity_t *who)
{
    ngx_http_podi_event_user_t  *u;

    if (who->user.len != PODI_ID_LEN) {
        return NULL;
    }

    u = ngx_calloc(sizeof(ngx_http_podi_event_user_t) + who->tenant.len,
                   ngx_cycle->log);
    if (u == NULL) {
        return NULL;
    }

    ngx_memcpy(u->id, who->user.data, PODI_ID_LEN);
    ngx_memcpy(u->tenant, who->tenant.data, who->tenant.len);
    u->n_tenant = who->tenant.len;

    podi_list_init(&u->streams);
    podi_list_append(hub_bucket(u->id), &u->bucket);
    podi_list_append(&event_hub->users, &u->all);

    if (hub_subscribe(u, 1) != PODI_OK) {
        hub_user_free(u);
        return NULL;
    }

    event_hub->joined = ngx_current_msec;
    event_check_soon(EVENT_CHECK_NEW);

    return u;
}


static void
hub_user_free(ngx_http_podi_event_user_t *u)
{
    (void) hub_subscribe(u, 0);

    podi_list_remove(&u->bucket);
    podi_list_remove(&u->all);

    ngx_free(u);
}


static podi_rc_t
hub_subscribe(ngx_http_podi_event_user_t *u, int on)
{
    podi_rc_t    rc;
    podi_str_t   id, channel;
    podi_arena_t *arena;

    if (event_hub->subscriber == NULL) {
        return PODI_OK;
    }

    arena = podi_arena_create();
    if (arena == NULL) {
        return PODI_ERROR;
    }

    id.data = u->id;
    id.len = PODI_ID_LEN;

    rc = podi_event_channel(podi_arena_mem(arena), &id, &channel);

    if (rc == PODI_OK && on) {
        rc = podi_redis_subscribe(event_hub->subscriber, &channel);

    } else if (rc == PODI_OK) {
        podi_redis_unsubscribe(event_hub->subscriber, &channel);
    }

    podi_arena_free(&arena);

    return rc;
}
