/*
 * store_limit: what the tests of limits in Redis share: an engine, one
 * decision, the raw script.
 *
 *     ask[0] = rate("key", 10, 1000, 5);
 *     is_int(decide(limit, 1), 1, "it passes");      answer[0].left ...
 */

#ifndef PODI_STORE_LIMIT_TEST_H
#define PODI_STORE_LIMIT_TEST_H


#include "store_redis.h"
#include "podi_limit.h"


#define SECOND  INT64_C(1000000)
#define DAY     (86400 * SECOND)

#define L  "podi:{l}:"


static podi_limit_t         *limit;
static podi_limit_ask_t      ask[PODI_LIMIT_ASKS];
static podi_limit_answer_t   answer[PODI_LIMIT_ASKS];
static podi_fail_t           decide_fail;

/* a request that waits for its limits */

typedef struct {
    podi_flow_t          flow;
    podi_arena_t        *arena;
    podi_limit_t        *limit;
    size_t               n;
    podi_limit_answer_t  answers[PODI_LIMIT_ASKS];
    podi_rc_t            rc;
    int                  done;
} take_t;


/* lets the loop run for a moment, whatever happens in it */

static void
turn(podi_msec_t lasts)
{
    patience_is_over = 0;
    uv_timer_start(&guard, guard_fired, lasts, 0);

    while (!patience_is_over) {
        uv_run(&loop, UV_RUN_ONCE);
    }
}


static podi_limit_t *
open_limit(podi_redis_t *engine, podi_msec_t lease)
{
    podi_limit_conf_t  conf = {
        .redis = engine, .io = &uv.io, .lease = lease, .keys = 64
    };

    return podi_limit_create(&conf);
}


static podi_limit_stat_t
stat_of(const podi_limit_t *l)
{
    podi_limit_stat_t  stat;

    podi_limit_stat(l, &stat);

    return stat;
}


static podi_limit_ask_t
ask_of(const char *key, podi_limit_kind_e kind, int64_t n, int64_t period)
{
    size_t            len = strlen(key);
    podi_limit_ask_t  a;

    memset(&a, 0, sizeof(podi_limit_ask_t));
    memset(a.key, '.', PODI_LIMIT_KEY_LEN);
    memcpy(a.key, key, len < PODI_LIMIT_KEY_LEN ? len : PODI_LIMIT_KEY_LEN);

    a.kind = kind;
    a.mode = PODI_LIMIT_EXACT;
    a.rate = n;
    a.period = period;
    a.cost = 1;

    return a;
}


static podi_limit_ask_t
rate(const char *key, int64_t n, int64_t period, int64_t burst)
{
    podi_limit_ask_t  a = ask_of(key, PODI_LIMIT_GCRA, n, period);

    a.burst = burst;

    return a;
}


static podi_rc_t
take_run(podi_flow_t *f, void *ctx)
{
    take_t  *t = ctx;

    return podi_limit_take(t->limit, f, ask, t->n, t->answers);
}


static podi_rc_t
take_ran(podi_flow_t *f, void *ctx)
{
    (void) f;
    (void) ctx;

    return PODI_DONE;
}


static void
take_end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    take_t  *t = ctx;

    t->rc = rc;
    t->done = 1;

    if (rc == PODI_ERROR) {
        decide_fail = f->fail;
    }
}


static const podi_step_t  take_steps[] = {
    { "asking", take_run, 0 },
    { "reading", take_ran, 0 },
    podi_null_step
};


static take_t *
take_new(podi_limit_t *l, size_t n)
{
    take_t        *t;
    podi_arena_t  *a = podi_arena_create();

    t = podi_mem_calloc(podi_arena_mem(a), sizeof(take_t));
    t->arena = a;
    t->limit = l;
    t->n = n;

    podi_flow_start(&t->flow, take_steps, t, podi_arena_mem(a), take_end);

    return t;
}


static void
take_free(take_t *t)
{
    podi_arena_t  *a = t->arena;

    if (podi_flow_is_active(&t->flow)) {
        podi_flow_cancel(&t->flow);
    }

    podi_arena_free(&a);
}


/* of ask[], as nginx does it: 1 passed, 0 refused, -1 failed */

static int
decide(podi_limit_t *l, size_t n)
{
    int        passed;
    take_t    *t;
    podi_rc_t  rc;

    if (podi_limit_try(l, ask, n, answer) == PODI_OK) {
        return podi_limit_passed(answer, n);
    }

    t = take_new(l, n);
    until(t->done);

    rc = t->rc;
    memcpy(answer, t->answers, sizeof(answer));
    take_free(t);

    passed = rc == PODI_ERROR ? -1 : podi_limit_passed(answer, n);

    return passed;
}


static int64_t
number(ask_t *a, size_t i)
{
    podi_redis_reply_t  *reply = a->result;

    return a->rc == PODI_DONE && reply->type == PODI_REDIS_ARRAY
           && i < reply->n ? reply->elements[i].integer : INT64_MIN;
}


/* write(2) and the like so far, of this process */

static int64_t
writes(void)
{
    FILE       *io = fopen("/proc/self/io", "r");
    long long   n = 0;
    char        line[64];

    while (io != NULL && fgets(line, sizeof(line), io) != NULL) {
        (void) sscanf(line, "syscw: %lld", &n);
    }

    if (io != NULL) {
        fclose(io);
    }

    return n;
}


/* asks as fast as it can for so long; gives how many passed */

static int64_t
storm(podi_limit_t **limits, int n, podi_msec_t lasts, int64_t *asked)
{
    int          i;
    int64_t      passed = 0;
    podi_msec_t  until_when = podi_time_mono() + lasts;

    while (podi_time_mono() < until_when) {
        for (i = 0; i < n; i++) {
            (*asked)++;
            passed += decide(limits[i], 1) == 1;
        }

        uv_run(&loop, UV_RUN_NOWAIT);
    }

    return passed;
}


static uint64_t
calls_of(podi_limit_t **limits, int n)
{
    int       i;
    uint64_t  calls = 0;

    for (i = 0; i < n; i++) {
        calls += stat_of(limits[i]).calls;
    }

    return calls;
}


static int64_t
stored(const char *key)
{
    ask_t    *a = command("GET", key);
    size_t    i;
    int64_t   n = 0;
    podi_str_t  s;

    until(a->done);
    s = answer_of(a);

    for (i = 0; i < s.len && s.data[i] >= '0' && s.data[i] <= '9'; i++) {
        n = n * 10 + (s.data[i] - '0');
    }

    ask_free(&a);

    return n;
}


static int
stored_places(const char *key)
{
    char    name[64];
    int     n;
    ask_t  *a;

    snprintf(name, sizeof(name), L "c%s%.*s", key,
             (int) (PODI_LIMIT_KEY_LEN - strlen(key)), "................");
    a = command("ZCARD", name);
    until(a->done);
    n = a->rc == PODI_DONE
        ? (int) ((podi_redis_reply_t *) a->result)->integer : -1;
    ask_free(&a);

    return n;
}


#endif /* PODI_STORE_LIMIT_TEST_H */
