/*
 * podi_worker_loop: the child of a daemon.
 *
 *     open -> run -> (TERM: drain) -> close
 *
 *     drain: no new rounds, no new claims; jobs in hand are finished;
 *            after drain_timeout they are stopped, undone and returned
 *
 * Promises: ends by itself when its parent dies; a connection that comes or
 * goes is logged once; whatever is still held at the end is released by the
 * parent.
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "podi_worker_int.h"
#include "banned.h"

#define WORKER_REDIS_PING   5000
#define WORKER_WAITING      256     /* units in front of PostgreSQL */
#define WORKER_LINGER  10       /* ms */
#define WORKER_SLACK        5000    /* ms to return what was stopped */


static podi_rc_t worker_open(podi_worker_t *w, podi_fail_t *fail);
static podi_rc_t worker_open_pg(podi_worker_t *w, podi_fail_t *fail);
static podi_rc_t worker_open_redis(podi_worker_t *w, podi_fail_t *fail);
static podi_rc_t worker_open_signals(podi_worker_t *w, podi_fail_t *fail);
static void worker_close(podi_worker_t *w);
static void worker_pg_changed(void *data, const char *what,
    const podi_fail_t *fail);
static void worker_redis_changed(void *data, const char *what,
    const podi_fail_t *fail);
static void worker_changed(podi_worker_t *w, const char *peer, int up,
    const char *what, const podi_fail_t *fail);
static void worker_signal(uv_signal_t *handle, int signum);
static int worker_is_telling(podi_worker_t *w);
static void worker_linger(void *data);
static void worker_drain_late(void *data);


int
podi_worker_run(podi_daemon_t *pair, const char *id, const char *events)
{
    int             code;
    char            text[512];
    podi_fail_t     fail;
    podi_arena_t   *arena;
    podi_worker_t  *w;

    arena = podi_arena_create();
    if (arena == NULL) {
        return 1;
    }

    w = podi_mem_calloc(podi_arena_mem(arena), sizeof(podi_worker_t));
    if (w == NULL) {
        podi_arena_free(&arena);
        return 1;
    }

    w->conf = pair->conf;
    w->name = pair->name;
    w->instance = pair->instance;
    w->set = &pair->set;
    w->log = &pair->log;
    w->parent = pair->parent;
    w->events = events;
    w->arena = arena;
    w->mem = podi_arena_mem(arena);
    w->exit_code = 0;
    (void) snprintf(w->id, sizeof(w->id), "%s", id);

    if (worker_open(w, &fail) != PODI_OK) {
        podi_fail_text(&fail, text, sizeof(text));
        podi_worker_log(w, PODI_LOG_ERROR, "child.unable", NULL, "%s", text);
        w->exit_code = 1;

    } else {
        podi_worker_log(w, PODI_LOG_NOTICE, "child.ready", NULL, "%s", w->id);
        (void) uv_run(&w->loop, UV_RUN_DEFAULT);
    }

    worker_close(w);

    code = w->exit_code;
    podi_arena_free(&arena);            /* w is gone */

    return code;
}


static podi_rc_t
worker_open(podi_worker_t *w, podi_fail_t *fail)
{
    if (gethostname(w->host, sizeof(w->host) - 1) == -1) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no host name");
    }

    if (uv_loop_init(&w->loop) != 0) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no event loop");
    }

    if (podi_uv_io_init(&w->uv, &w->loop) != PODI_OK
        || podi_metrics_create(w) != PODI_OK)
    {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    w->io = &w->uv.io;

    if (worker_open_signals(w, fail) != PODI_OK
        || worker_open_pg(w, fail) != PODI_OK
        || worker_open_redis(w, fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    w->prepared = 1;

    if (w->conf->start != NULL && w->conf->start(w, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    w->drain = w->io->timer(w->io, PODI_TIMER_WORK, worker_drain_late, w);
    w->linger = w->io->timer(w->io, PODI_TIMER_WORK, worker_linger, w);

    if (w->drain == NULL || w->linger == NULL
        || (w->conf->actions != NULL && podi_jobs_create(w) != PODI_OK)
        || podi_rounds_create(w) != PODI_OK)
    {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    podi_rounds_start(w->rounds);

    if (w->jobs != NULL) {
        podi_jobs_kick(w->jobs);
    }

    return PODI_OK;
}


static podi_rc_t
worker_open_signals(podi_worker_t *w, podi_fail_t *fail)
{
    sigset_t  none;

    (void) signal(SIGPIPE, SIG_IGN);
    (void) signal(SIGINT, SIG_IGN);         /* the parent says TERM instead */
    (void) signal(SIGHUP, SIG_IGN);

    if (uv_signal_init(&w->loop, &w->term) != 0
        || uv_signal_start(&w->term, worker_signal, SIGTERM) != 0)
    {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no signal handler");
    }

    w->term.data = w;

    (void) sigemptyset(&none);
    (void) sigprocmask(SIG_SETMASK, &none, NULL);

    /* a parent that died since the fork is noticed by its pid */

    if (prctl(PR_SET_PDEATHSIG, SIGTERM) == -1 || getppid() != w->parent) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "the parent has gone");
    }

    return PODI_OK;
}


static podi_rc_t
worker_open_pg(podi_worker_t *w, podi_fail_t *fail)
{
    podi_pg_conf_t  conf;

    memset(&conf, 0, sizeof(podi_pg_conf_t));

    if (w->set->pg_password_file[0] != '\0'
        && podi_secret_read(w->mem, w->set->pg_password_file, &conf.password,
                            fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    conf.conninfo = w->set->pg;
    conf.application_name = w->name;
    conf.who = PODI_PG_WORKER;
    conf.pipelined = (unsigned) w->set->pg_connections;
    conf.depth = (unsigned) w->set->pg_depth;
    conf.slow = 1;
    conf.waiting = WORKER_WAITING;
    conf.connect_timeout = w->set->connect_timeout;
    conf.deadline = w->set->pg_deadline;
    conf.statement_timeout = w->set->pg_statement_timeout;
    conf.reconnect_max = w->set->reconnect_max;
    conf.on_change = worker_pg_changed;
    conf.data = w;

    podi_metric_set(w, "podi_worker_peer_up", "peer=\"postgresql\"", 0);

    w->pg = podi_pg_create(w->io, &conf);
    if (w->pg == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}


static podi_rc_t
worker_open_redis(podi_worker_t *w, podi_fail_t *fail)
{
    podi_redis_conf_t  conf;

    if (w->set->redis[0] == '\0') {
        return PODI_OK;
    }

    memset(&conf, 0, sizeof(podi_redis_conf_t));

    if (w->set->redis_password_file[0] != '\0'
        && podi_secret_read(w->mem, w->set->redis_password_file,
                            &conf.password, fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    conf.address = w->set->redis;
    conf.db = (unsigned) w->set->redis_db;
    conf.name = w->name;
    conf.role = PODI_REDIS_COMMANDS;
    conf.connect_timeout = w->set->connect_timeout;
    conf.deadline = w->set->redis_deadline;
    conf.reconnect_max = w->set->reconnect_max;
    conf.ping = WORKER_REDIS_PING;
    conf.in_flight = 1024;
    conf.on_change = worker_redis_changed;
    conf.data = w;

    podi_metric_set(w, "podi_worker_peer_up", "peer=\"redis\"", 0);

    w->redis = podi_redis_create(w->io, &conf);

    if (w->conf->actions == NULL) {
        return w->redis != NULL ? PODI_OK
               : podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    conf.role = PODI_REDIS_BLOCKING;
    w->blocking = podi_redis_create(w->io, &conf);

    if (w->redis == NULL || w->blocking == NULL
        || podi_worker_listen(w, &conf) != PODI_OK)
    {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}


/* from the users down to what they use */

static void
worker_close(podi_worker_t *w)
{
    podi_jobs_free(&w->jobs);
    podi_rounds_free(&w->rounds);

    if (w->conf->stop != NULL && w->prepared) {
        w->conf->stop(w);
    }

    podi_redis_free(&w->subscriber);
    podi_redis_free(&w->blocking);
    podi_redis_free(&w->redis);
    podi_pg_free(&w->pg);

    if (w->linger != NULL) {
        w->io->timer_free(w->linger);
    }

    if (w->drain != NULL) {
        w->io->timer_free(w->drain);
    }

    podi_metrics_free(w);

    if (w->term.data != NULL) {
        uv_close((uv_handle_t *) &w->term, NULL);
    }

    podi_uv_io_close(&w->uv);
    (void) uv_run(&w->loop, UV_RUN_DEFAULT);
    (void) uv_loop_close(&w->loop);
}


static void
worker_pg_changed(void *data, const char *what, const podi_fail_t *fail)
{
    podi_pg_stat_t  stat;
    podi_worker_t  *w = data;

    if (w->pg == NULL) {
        return;                         /* it is being created or freed */
    }

    podi_pg_stat(w->pg, &stat);
    worker_changed(w, "postgresql", stat.up > 0, what, fail);

    if (fail == NULL && w->jobs != NULL) {
        podi_jobs_kick(w->jobs);
    }
}


static void
worker_redis_changed(void *data, const char *what, const podi_fail_t *fail)
{
    podi_str_t      events;
    podi_worker_t  *w = data;

    worker_changed(w, "redis", podi_worker_redis_is_up(w), what, fail);

    if (!podi_worker_redis_is_up(w)) {

        if (w->jobs != NULL) {
            podi_gates_lost(w->jobs);
        }

        return;
    }

    events = podi_str_c(w->events);
    podi_worker_publish(w, w->mem, &events);
    w->events = "";

    if (w->jobs != NULL) {
        podi_gates_take(w->jobs);
        podi_gates_flush(w->jobs);
        podi_jobs_kick(w->jobs);
    }
}


static void
worker_changed(podi_worker_t *w, const char *peer, int up, const char *what,
    const podi_fail_t *fail)
{
    char  text[512], labels[64];

    (void) snprintf(labels, sizeof(labels), "peer=\"%s\"", peer);
    podi_metric_set(w, "podi_worker_peer_up", labels, up);

    if (fail == NULL) {
        podi_worker_log(w, PODI_LOG_NOTICE, "peer.up", NULL, "%s: %s", peer,
                        what);
        return;
    }

    podi_fail_text(fail, text, sizeof(text));
    podi_worker_log(w, PODI_LOG_WARN, "peer.down", NULL, "%s: %s: %s", peer,
                    what, text);
}


static void
worker_signal(uv_signal_t *handle, int signum)
{
    podi_worker_t  *w = handle->data;

    (void) signum;

    if (w->draining) {
        return;
    }

    w->draining = 1;

    podi_worker_log(w, PODI_LOG_NOTICE, "child.draining", NULL,
                    "%u jobs in hand", w->jobs != NULL ? w->jobs->n : 0);

    w->io->arm(w->drain, w->set->drain_timeout);
    podi_rounds_drain(w->rounds);

    if (w->jobs != NULL) {
        podi_jobs_kick(w->jobs);
    }

    podi_worker_drain_check(w);
}


void
podi_worker_drain_check(podi_worker_t *w)
{
    if (!w->draining || w->rounds == NULL
        || !podi_rounds_are_idle(w->rounds)
        || (w->jobs != NULL && !podi_jobs_are_idle(w->jobs)))
    {
        return;
    }

    if (worker_is_telling(w)) {
        w->io->arm(w->linger, WORKER_LINGER);
        return;
    }

    uv_stop(&w->loop);
}


/* slots that became free, events, what a breaker was told */

static int
worker_is_telling(podi_worker_t *w)
{
    if (!podi_worker_redis_is_up(w)) {
        return 0;
    }

    if (w->jobs != NULL) {
        podi_gates_flush(w->jobs);
    }

    return podi_redis_in_flight(w->redis) > 0;
}


static void
worker_linger(void *data)
{
    podi_worker_drain_check(data);
}


/* first: stop the jobs and return them; then: leave the rest to the parent */

static void
worker_drain_late(void *data)
{
    podi_link_t    *link, *tmp;
    podi_worker_t  *w = data;

    if (w->returning || w->jobs == NULL) {
        podi_worker_log(w, PODI_LOG_ERROR, "child.drain_late", NULL,
                        "%u jobs are left to the parent",
                        w->jobs != NULL ? w->jobs->n : 0);
        uv_stop(&w->loop);
        return;
    }

    w->returning = 1;
    w->io->arm(w->drain, w->set->undo_timeout + WORKER_SLACK);

    podi_list_each_safe(link, tmp, &w->jobs->held) {
        podi_job_stop(podi_list_owner(link, podi_held_t, link),
                      PODI_JOB_RETURNED, PODI_E_NONE, "draining");
    }
}
