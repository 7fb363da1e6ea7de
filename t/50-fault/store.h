/*
 * store: what the tests of the engines share: a libuv loop, flows of one
 * operation ("asks"), waiting for a condition with a bound, the cutter.
 *
 *     ask_t  *a = ask_new();      a->call = ...;  ask_pg(a, pg);
 *     until(a->done);             is_int(a->rc, PODI_DONE, "...");
 *     ask_free(&a);
 */

#ifndef PODI_STORE_TEST_H
#define PODI_STORE_TEST_H


#include <dirent.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <uv.h>

#include "tap.h"
#include "podi_mem.h"
#include "podi_pg.h"
#include "podi_redis.h"
#include "podi_uv_io.h"


#define PATIENCE  10000             /* ms; nobody waits longer in these tests */

static uv_loop_t     loop;
static podi_uv_io_t  uv;
static uv_timer_t    guard;

static int  patience_is_over;


static void
guard_fired(uv_timer_t *timer)
{
    (void) timer;
    patience_is_over = 1;
}


/* runs the loop until cond holds; the guard keeps the loop waiting */

#define until(cond)                                                          \
    do {                                                                     \
        patience_is_over = 0;                                                \
        uv_timer_start(&guard, guard_fired, PATIENCE, 0);                    \
                                                                             \
        while (!(cond) && !patience_is_over) {                               \
            uv_run(&loop, UV_RUN_ONCE);                                      \
        }                                                                    \
                                                                             \
        uv_timer_stop(&guard);                                               \
                                                                             \
        if (patience_is_over) {                                              \
            ok(0, "in time, line %d: %s", __LINE__, #cond);                  \
        }                                                                    \
    } while (0)


typedef struct {
    podi_flow_t           flow;
    podi_arena_t         *arena;
    podi_mem_t           *mem;
    podi_pg_call_t        call;
    podi_pg_t            *pg;
    podi_redis_t         *redis;
    podi_lua_e            script;           /* PODI_LUA_LAST: a command */
    podi_msec_t           wait;             /* > 0: BLPOP argv[0] */
    size_t                argc;
    podi_str_t            argv[1024];
    void                 *result;
    podi_rc_t             rc;
    podi_fail_t           fail;
    int                   done;
    void                (*then)(void);      /* in the answer's stack */
} ask_t;


static podi_rc_t
ask_send(podi_flow_t *f, void *ctx)
{
    ask_t  *a = ctx;

    if (a->pg != NULL) {
        return podi_pg_call(a->pg, f, &a->call);
    }

    if (a->wait > 0) {
        return podi_redis_blpop(a->redis, f, a->argc, a->argv, a->wait);
    }

    if (a->script != PODI_LUA_LAST) {
        return podi_redis_script(a->redis, f, a->script, 1, a->argc, a->argv);
    }

    return podi_redis_command(a->redis, f, a->argc, a->argv);
}


static podi_rc_t
ask_got(podi_flow_t *f, void *ctx)
{
    ask_t  *a = ctx;

    a->result = f->result;

    return PODI_DONE;
}


static void
ask_end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    ask_t  *a = ctx;

    a->rc = rc;
    a->fail = f->fail;
    a->done++;

    if (a->then != NULL) {
        a->then();
    }
}


static const podi_step_t  ask_steps[] = {
    { "asking", ask_send, 0 },
    { "reading the answer", ask_got, 0 },
    podi_null_step
};


static ask_t *
ask_new(void)
{
    ask_t         *a;
    podi_arena_t  *arena = podi_arena_create();

    a = podi_mem_calloc(podi_arena_mem(arena), sizeof(ask_t));
    a->arena = arena;
    a->mem = podi_arena_mem(arena);
    a->script = PODI_LUA_LAST;

    return a;
}


static void
ask_start(ask_t *a)
{
    podi_flow_start(&a->flow, ask_steps, a, a->mem, ask_end);
}


/* also in the middle, as when a client goes away */

static void
ask_free(ask_t **a)
{
    podi_arena_t  *arena = (*a)->arena;

    if (podi_flow_is_active(&(*a)->flow)) {
        podi_flow_cancel(&(*a)->flow);
    }

    *a = NULL;
    podi_arena_free(&arena);
}


static inline int
ask_failed(const ask_t *a, podi_error_e error)
{
    return a->done == 1 && a->rc == PODI_ERROR && a->fail.error == error;
}


/* says a line to the cutter; gives the number behind "ok" */

static int
cutter(const char *command)
{
    int                 fd;
    char                answer[64];
    ssize_t             n;
    const char         *path = getenv("PODI_CUTTER");
    struct sockaddr_un  sun = { .sun_family = AF_UNIX };

    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memcpy(sun.sun_path, path, strlen(path) + 1);

    if (connect(fd, (struct sockaddr *) &sun, sizeof(sun)) != 0
        || write(fd, command, strlen(command)) < 0
        || write(fd, "\n", 1) < 0)
    {
        perror("cutter");
        exit(2);
    }

    n = read(fd, answer, sizeof(answer) - 1);
    close(fd);

    answer[n > 0 ? n : 0] = '\0';

    if (strncmp(answer, "ok", 2) != 0) {
        printf("Bail out! cutter: %s: %s\n", command, answer);
        exit(2);
    }

    return (int) strtol(answer + 2, NULL, 10);
}


static unsigned
fds_open(void)
{
    DIR       *dir = opendir("/proc/self/fd");
    unsigned   n = 0;

    while (readdir(dir) != NULL) {
        n++;
    }

    closedir(dir);

    return n;
}


static void
store_start(void)
{
    signal(SIGPIPE, SIG_IGN);

    uv_loop_init(&loop);
    uv_timer_init(&loop, &guard);

    if (podi_uv_io_init(&uv, &loop) != PODI_OK) {
        exit(2);
    }

    uv_run(&loop, UV_RUN_NOWAIT);
}


/* everything that was opened is closed again */

static void
store_end(unsigned fds)
{
    is_int(uv.watches, 0, "no descriptor is watched any more");
    is_int(uv.timers, 0, "no timer is left");
    is_int(fds_open(), fds, "as many descriptors are open as at the start");

    podi_uv_io_close(&uv);
    uv_close((uv_handle_t *) &guard, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);

    is_int(uv_loop_close(&loop), 0, "the loop has no handle left");
}


#endif /* PODI_STORE_TEST_H */
