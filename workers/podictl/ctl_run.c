/*
 * ctl_run: one flow on a loop of its own.
 *
 *     settings -> loop -> flow of the command [-> again] -> close -> exit code
 */

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "banned.h"

#define CTL_DEADLINE        10000
#define CTL_CONNECT         5000
#define CTL_REDIS_PATIENCE  500


static podi_rc_t ctl_open(ctl_t *ctl, podi_fail_t *fail);
static void ctl_close(ctl_t *ctl);
static void ctl_end(podi_flow_t *f, podi_rc_t rc, void *ctx);
static int ctl_code(const ctl_t *ctl, const podi_fail_t *fail);
static void ctl_changed(void *data, const char *what,
    const podi_fail_t *fail);
static void ctl_hello(void *data);


int
ctl_run(ctl_t *ctl)
{
    podi_fail_t       fail;
    podi_settings_t   settings;

    /* a Redis or a reader that goes must not hide what was done */

    (void) signal(SIGPIPE, SIG_IGN);

    memset(&settings, 0, sizeof(podi_settings_t));

    settings.path = ctl->path;
    settings.daemon = "podictl";
    settings.common = podi_common_settings(&ctl->set, NULL);

    if (podi_settings_read(&settings, ctl->mem, &fail) != PODI_OK) {
        (void) fprintf(stderr, "podictl: %s\n", fail.detail);
        return CTL_USAGE;
    }

    if (uv_loop_init(&ctl->loop) != 0
        || podi_uv_io_init(&ctl->uv, &ctl->loop) != PODI_OK)
    {
        (void) fprintf(stderr, "podictl: no event loop\n");
        return CTL_UNAVAILABLE;
    }

    if (ctl_open(ctl, &fail) != PODI_OK) {
        ctl->code = ctl_code(ctl, &fail);

    } else {
        ctl->again = 1;
    }

    while (ctl->again) {
        ctl->again = 0;

        podi_arena_reset(ctl->turn);
        podi_flow_start(&ctl->flow, ctl->command->steps, ctl,
                        podi_arena_mem(ctl->turn), ctl_end);

        while (podi_flow_is_active(&ctl->flow)) {
            (void) uv_run(&ctl->loop, UV_RUN_ONCE);
        }
    }

    ctl_close(ctl);

    return ctl->code;
}


static podi_rc_t
ctl_open(ctl_t *ctl, podi_fail_t *fail)
{
    podi_pg_conf_t      pg;
    podi_redis_conf_t   redis;

    memset(&pg, 0, sizeof(podi_pg_conf_t));
    memset(&redis, 0, sizeof(podi_redis_conf_t));

    if ((ctl->set.pg_password_file[0] != '\0'
         && podi_secret_read(ctl->mem, ctl->set.pg_password_file,
                             &pg.password, fail) != PODI_OK)
        || (ctl->set.redis[0] != '\0'
            && ctl->set.redis_password_file[0] != '\0'
            && podi_secret_read(ctl->mem, ctl->set.redis_password_file,
                                &redis.password, fail) != PODI_OK))
    {
        return PODI_ERROR;
    }

    pg.conninfo = ctl->set.pg;
    pg.application_name = "podictl";
    pg.who = PODI_PG_CTL;
    pg.pipelined = 1;
    pg.depth = 1;
    pg.slow = 1;
    pg.waiting = 4;
    pg.connect_timeout = CTL_CONNECT;
    pg.deadline = CTL_DEADLINE;
    pg.statement_timeout = CTL_DEADLINE;
    pg.reconnect_max = 1000;

    redis.address = ctl->set.redis;
    redis.db = (unsigned) ctl->set.redis_db;
    redis.name = "podictl";
    redis.role = PODI_REDIS_COMMANDS;
    redis.connect_timeout = CTL_REDIS_PATIENCE;
    redis.deadline = CTL_REDIS_PATIENCE;
    redis.reconnect_max = 1000;
    redis.ping = CTL_DEADLINE;
    redis.in_flight = 1024;
    redis.on_change = ctl_changed;
    redis.data = ctl;

    ctl->hello_timer = ctl->uv.io.timer(&ctl->uv.io, PODI_TIMER_WORK,
                                        ctl_hello, ctl);
    ctl->pg = podi_pg_create(&ctl->uv.io, &pg);

    if (ctl->set.redis[0] != '\0') {
        ctl->redis = podi_redis_create(&ctl->uv.io, &redis);
    }

    ctl->turn = podi_arena_create();

    if (ctl->pg == NULL || ctl->hello_timer == NULL || ctl->turn == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}


static void
ctl_close(ctl_t *ctl)
{
    podi_redis_free(&ctl->redis);
    podi_pg_free(&ctl->pg);
    podi_arena_free(&ctl->turn);

    if (ctl->http != NULL) {
        podi_http_free(&ctl->http);
    }

    if (ctl->nap != NULL) {
        ctl->uv.io.timer_free(ctl->nap);
    }

    if (ctl->hello_timer != NULL) {
        ctl->uv.io.timer_free(ctl->hello_timer);
    }

    podi_uv_io_close(&ctl->uv);
    (void) uv_run(&ctl->loop, UV_RUN_DEFAULT);
    (void) uv_loop_close(&ctl->loop);
}


static void
ctl_end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    ctl_t  *ctl = ctx;

    if (rc == PODI_ERROR) {
        ctl->code = ctl_code(ctl, &f->fail);
    }
}


/* of reconcile, 1 says that something is broken */

static int
ctl_code(const ctl_t *ctl, const podi_fail_t *fail)
{
    int  code;

    code = ctl_failed(fail);

    return (strcmp(ctl->command->noun, "reconcile") == 0) ? CTL_BLIND : code;
}


int
ctl_failed(const podi_fail_t *fail)
{
    char  text[512];

    podi_fail_text(fail, text, sizeof(text));
    (void) fprintf(stderr, "podictl: %s\n", text);

    switch (fail->error) {

    case PODI_E_UNAVAILABLE:
    case PODI_E_DEADLINE:
        return CTL_UNAVAILABLE;

    default:
        return CTL_REFUSED;
    }
}


/* ---- waiting for Redis -------------------------------------------------- */

podi_rc_t
ctl_redis_wait(podi_flow_t *f, void *ctx)
{
    ctl_t  *ctl = ctx;

    if (ctl->redis == NULL || podi_redis_is_up(ctl->redis)) {
        return PODI_OK;
    }

    ctl->uv.io.arm(ctl->hello_timer, CTL_REDIS_PATIENCE);

    return podi_flow_wait(f, &ctl->hello, NULL);
}


static void
ctl_changed(void *data, const char *what, const podi_fail_t *fail)
{
    ctl_t  *ctl = data;

    (void) what;
    (void) fail;

    /* up or refused: on a clean stack, nobody waits any longer */

    if (ctl->hello.flow != NULL) {
        ctl->uv.io.arm(ctl->hello_timer, 0);
    }
}


static void
ctl_hello(void *data)
{
    ctl_t  *ctl = data;

    podi_op_done(&ctl->hello, NULL, NULL);
}
