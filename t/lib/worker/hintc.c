/*
 * hintc: what nginx says to Redis after a commit, for the tests.
 *
 *     hintc ADDRESS push|drop|poke|publish TEXT
 *
 * Prints what the function answered: OK 0, ERROR -1, DECLINED -5.
 */

#include <stdio.h>
#include <string.h>

#include "podi_event.h"
#include "podi_queue.h"
#include "podi_uv_io.h"
#include "banned.h"

#define PATIENCE  1000

typedef struct {
    podi_io_t      *io;
    podi_redis_t   *redis;
    const char     *verb;
    podi_str_t      text;
    podi_flow_t     flow;
    podi_op_t       hello;
    podi_timer_t   *timer;
} hintc_t;


static podi_rc_t
hintc_hello(podi_flow_t *f, void *ctx)
{
    hintc_t  *c = ctx;

    c->io->arm(c->timer, PATIENCE);

    return podi_flow_wait(f, &c->hello, NULL);
}


static podi_rc_t
hintc_say(podi_flow_t *f, void *ctx)
{
    hintc_t     *c = ctx;
    podi_rc_t    rc;
    podi_str_t   ping;

    rc = strcmp(c->verb, "push") == 0
         ? podi_queue_push_hints(c->redis, f->mem, &c->text)
         : strcmp(c->verb, "drop") == 0
         ? podi_queue_drop_hints(c->redis, f->mem, &c->text)
         : strcmp(c->verb, "poke") == 0
         ? podi_event_poke(c->redis, f->mem, &c->text)
         : podi_event_publish(c->redis, f->mem, &c->text);

    (void) printf("%d\n", rc);

    if (!podi_redis_is_up(c->redis)) {
        return PODI_DONE;
    }

    ping = podi_str_c("PING");

    return podi_redis_command(c->redis, f, 1, &ping);
}


static podi_rc_t
hintc_said(podi_flow_t *f, void *ctx)
{
    (void) f;
    (void) ctx;

    return PODI_DONE;
}


static const podi_step_t  hintc_steps[] = {
    { "reaching Redis", hintc_hello, 0 },
    { "saying it", hintc_say, 0 },
    { "having said it", hintc_said, 0 },
    podi_null_step
};


static void
hintc_end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    (void) f;
    (void) rc;
    (void) ctx;
}


static void
hintc_changed(void *data, const char *what, const podi_fail_t *fail)
{
    hintc_t  *c = data;

    (void) what;
    (void) fail;

    c->io->arm(c->timer, 0);
}


static void
hintc_over(void *data)
{
    hintc_t  *c = data;

    podi_op_done(&c->hello, NULL, NULL);
}


int
main(int argc, char **argv)
{
    hintc_t             c;
    uv_loop_t           loop;
    podi_uv_io_t        uv;
    podi_arena_t       *arena;
    podi_redis_conf_t   conf;

    memset(&c, 0, sizeof(hintc_t));
    memset(&conf, 0, sizeof(podi_redis_conf_t));
    arena = podi_arena_create();

    if (argc != 4 || arena == NULL || uv_loop_init(&loop) != 0
        || podi_uv_io_init(&uv, &loop) != PODI_OK)
    {
        return 2;
    }

    c.io = &uv.io;
    c.verb = argv[2];
    c.text = podi_str_c(argv[3]);
    c.timer = uv.io.timer(&uv.io, PODI_TIMER_WORK, hintc_over, &c);

    conf.address = argv[1];
    conf.name = "hintc";
    conf.role = PODI_REDIS_COMMANDS;
    conf.connect_timeout = PATIENCE;
    conf.deadline = PATIENCE;
    conf.reconnect_max = PATIENCE;
    conf.ping = PATIENCE;
    conf.in_flight = 64;
    conf.on_change = hintc_changed;
    conf.data = &c;

    c.redis = podi_redis_create(&uv.io, &conf);

    podi_flow_start(&c.flow, hintc_steps, &c, podi_arena_mem(arena),
                    hintc_end);

    while (podi_flow_is_active(&c.flow)) {
        (void) uv_run(&loop, UV_RUN_ONCE);
    }

    podi_redis_free(&c.redis);
    uv.io.timer_free(c.timer);
    podi_uv_io_close(&uv);
    (void) uv_run(&loop, UV_RUN_DEFAULT);
    (void) uv_loop_close(&loop);
    podi_arena_free(&arena);

    return 0;
}
