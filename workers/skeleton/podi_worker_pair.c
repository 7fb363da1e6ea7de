/*
 * podi_worker_pair: the parent of a daemon.
 *
 *     fork -> wait -> reap -> release the child's leases -> fork ...
 *               |
 *               TERM, INT: drain the child, then end
 *               HUP:       new settings, new log, a new child
 *
 * Promises: leases of a dead child end at once, not at their expiry; a child
 * that keeps dying is started more and more slowly; one pair a pid file; a
 * parent that dies takes its child along (the child drains).  Does no other
 * work, so that it has no reason to die.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "podi_fault.h"
#include "podi_id.h"
#include "podi_release.h"
#include "podi_retry.h"
#include "podi_worker_int.h"
#include "banned.h"

#define PAIR_BACKOFF    250
#define PAIR_HEALTHY    10000       /* ms; who lived so long starts afresh */
#define PAIR_KILL_SLACK 10000       /* beyond drain_timeout */

typedef struct {
    podi_daemon_t    *pair;
    sigset_t        signals;
    pid_t           child;          /* 0: none */
    char            id[PODI_WORKER_ID_MAX];
    char            pid_path[512];
    int             pid_fd;
    podi_arena_t   *arena;          /* of `events` */
    const char     *events;
    podi_msec_t     started;
    podi_msec_t     kill_at;        /* 0: no */
    podi_msec_t     fork_at;        /* 0: when there is no child */
    unsigned        deaths;         /* in a row */
    unsigned        stopping:1;
    unsigned        replacing:1;
    unsigned        is_child:1;
} parent_t;


static podi_rc_t parent_lock(parent_t *p);
static podi_rc_t parent_fork(parent_t *p);
static int parent_wait(parent_t *p);
static void parent_drain(parent_t *p);
static void parent_reload(parent_t *p);
static void parent_reap(parent_t *p);
static void parent_release(parent_t *p);
static void parent_told(parent_t *p, int status);


int
podi_daemon_run(podi_daemon_t *pair)
{
    int            code;
    parent_t       p;
    podi_fail_t    fail;

    memset(&p, 0, sizeof(parent_t));

    p.pair = pair;
    p.pair->parent = getpid();
    p.pid_fd = -1;
    p.events = "";

    if (podi_log_open(&pair->log, &fail) != PODI_OK) {
        (void) fprintf(stderr, "%s: %s\n", pair->name, fail.detail);
        return 1;
    }

    if (parent_lock(&p) != PODI_OK) {
        return 1;
    }

    (void) sigemptyset(&p.signals);
    (void) sigaddset(&p.signals, SIGCHLD);
    (void) sigaddset(&p.signals, SIGTERM);
    (void) sigaddset(&p.signals, SIGINT);
    (void) sigaddset(&p.signals, SIGHUP);
    (void) sigprocmask(SIG_BLOCK, &p.signals, NULL);
    (void) signal(SIGPIPE, SIG_IGN);

    podi_log(&pair->log, PODI_LOG_NOTICE, "parent.started", NULL, "%s",
             pair->path);

    code = parent_wait(&p);

    podi_arena_free(&p.arena);

    if (p.is_child) {
        return code;
    }

    podi_log(&pair->log, PODI_LOG_NOTICE, "parent.ended", NULL, "code %d",
             code);

    if (p.pid_path[0] != '\0') {
        (void) unlink(p.pid_path);
        (void) close(p.pid_fd);
    }

    podi_log_close(&pair->log);

    return code;
}


/* the child inherits the lock: no second pair while one of the two lives */

static podi_rc_t
parent_lock(parent_t *p)
{
    char  text[32];
    int   n;

    if (p->pair->set.pid_dir[0] == '\0') {
        return PODI_OK;
    }

    (void) snprintf(p->pid_path, sizeof(p->pid_path), "%s/%s.pid",
                    p->pair->set.pid_dir, p->pair->name);

    p->pid_fd = open(p->pid_path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

    if (p->pid_fd == -1 || flock(p->pid_fd, LOCK_EX | LOCK_NB) == -1) {
        podi_log(&p->pair->log, PODI_LOG_ERROR, "parent.locked", NULL,
                 "%s: %s", p->pid_path, errno == EWOULDBLOCK
                 ? "another one is running" : strerror(errno));
        return PODI_ERROR;
    }

    n = snprintf(text, sizeof(text), "%d\n", (int) getpid());

    if (ftruncate(p->pid_fd, 0) == -1
        || write(p->pid_fd, text, (size_t) n) != n)
    {
        podi_log(&p->pair->log, PODI_LOG_ERROR, "parent.locked", NULL,
                 "%s: %s", p->pid_path, strerror(errno));
        return PODI_ERROR;
    }

    return PODI_OK;
}


/* gives the exit code, in the parent and in the child */

static int
parent_wait(parent_t *p)
{
    int              sig;
    podi_msec_t      now, end;
    struct timespec  left;

    for ( ;; ) {
        now = podi_time_mono();

        if (p->child == 0) {
            if (p->stopping) {
                return 0;
            }

            if (now >= p->fork_at && parent_fork(p) != PODI_OK) {
                p->fork_at = now + p->pair->set.restart_max;
            }

            if (p->is_child) {
                return podi_worker_run(p->pair, p->id, p->events);
            }
        }

        if (p->kill_at != 0 && now >= p->kill_at) {
            (void) kill(p->child, SIGKILL);
            p->kill_at = 0;
        }

        end = (p->child == 0) ? p->fork_at : p->kill_at;
        end = (end == 0) ? now + 60000 : end;
        end = (end > now) ? end - now : 0;

        left.tv_sec = (time_t) (end / 1000);
        left.tv_nsec = (long) (end % 1000) * 1000000;

        sig = sigtimedwait(&p->signals, NULL, &left);

        switch (sig) {

        case SIGCHLD:
            parent_reap(p);
            break;

        case SIGTERM:
        case SIGINT:
            p->stopping = 1;
            parent_drain(p);
            break;

        case SIGHUP:
            parent_reload(p);
            break;

        default:
            break;
        }
    }
}


static podi_rc_t
parent_fork(parent_t *p)
{
    char          host[64];
    pid_t         pid;
    unsigned char random[6], hex[12];

    if (gethostname(host, sizeof(host)) == -1
        || podi_random(random, sizeof(random)) != PODI_OK)
    {
        return PODI_ERROR;
    }

    host[sizeof(host) - 1] = '\0';
    podi_hex_encode(hex, random, sizeof(random));

    (void) snprintf(p->id, sizeof(p->id), "%s@%s:%.12s", p->pair->name,
                    host, (const char *) hex);

    pid = fork();

    if (pid == -1) {
        podi_log(&p->pair->log, PODI_LOG_ERROR, "parent.fork", NULL, "%s",
                 strerror(errno));
        return PODI_ERROR;
    }

    if (pid == 0) {
        p->is_child = 1;
        return PODI_OK;
    }

    p->child = pid;
    p->started = podi_time_mono();
    p->fork_at = 0;
    p->kill_at = 0;
    p->replacing = 0;
    p->events = "";

    podi_log(&p->pair->log, PODI_LOG_NOTICE, "child.started", NULL, "%s as %d",
             p->id, (int) pid);

    return PODI_OK;
}


static void
parent_drain(parent_t *p)
{
    if (p->child == 0) {
        return;
    }

    (void) kill(p->child, SIGTERM);

    if (p->kill_at == 0) {
        p->kill_at = podi_time_mono() + p->pair->set.drain_timeout
                     + p->pair->set.undo_timeout + PAIR_KILL_SLACK;
    }
}


static void
parent_reload(parent_t *p)
{
    podi_rc_t    rc;
    podi_fail_t  fail, log_fail;

    rc = podi_daemon_settings(p->pair, &fail);

    podi_log_close(&p->pair->log);

    if (podi_log_open(&p->pair->log, &log_fail) != PODI_OK) {
        podi_log(&p->pair->log, PODI_LOG_ERROR, "parent.log", NULL,
                 "stderr instead: %s", log_fail.detail);
    }

    if (rc != PODI_OK) {
        podi_log(&p->pair->log, PODI_LOG_ERROR, "parent.settings", NULL,
                 "the old settings stay: %s", fail.detail);
    }

    podi_log(&p->pair->log, PODI_LOG_NOTICE, "parent.reload", NULL,
             "replacing the child");

    p->replacing = 1;
    parent_drain(p);
}


static void
parent_reap(parent_t *p)
{
    int          status;
    podi_msec_t  now, delay;

    if (p->child == 0 || waitpid(p->child, &status, WNOHANG) != p->child) {
        return;
    }

    parent_told(p, status);
    parent_release(p);

    now = podi_time_mono();

    p->child = 0;
    p->kill_at = 0;

    if (p->replacing) {
        p->deaths = 0;
        p->fork_at = now;
        return;
    }

    p->deaths = (now - p->started >= PAIR_HEALTHY) ? 1 : p->deaths + 1;

    /* the first death costs nothing, a habit does */

    delay = 0;

    if (p->deaths > 1) {
        delay = podi_retry_delay(p->deaths - 1, PAIR_BACKOFF,
                                 p->pair->set.restart_max, UINT32_MAX);
    }

    p->fork_at = now + delay;
}


static void
parent_told(parent_t *p, int status)
{
    char  path[600];

    if (WIFSIGNALED(status)) {
        podi_log(&p->pair->log, PODI_LOG_ERROR, "child.died", NULL,
                 "%s: signal %d", p->id, WTERMSIG(status));

    } else if (WEXITSTATUS(status) != 0) {
        podi_log(&p->pair->log, PODI_LOG_ERROR, "child.died", NULL,
                 "%s: code %d", p->id, WEXITSTATUS(status));

    } else {
        podi_log(&p->pair->log, PODI_LOG_NOTICE, "child.ended", NULL, "%s",
                 p->id);
        return;
    }

    if (p->pair->set.metrics_dir[0] != '\0') {
        (void) snprintf(path, sizeof(path), "%s/%s-%d.prom",
                        p->pair->set.metrics_dir, p->pair->name,
                        (int) p->child);
        (void) unlink(path);
    }
}


static void
parent_release(parent_t *p)
{
    char           text[512];
    unsigned       jobs;
    podi_fail_t    fail;

    podi_arena_free(&p->arena);
    p->events = "";

    p->arena = podi_arena_create();
    if (p->arena == NULL) {
        return;
    }

    PODI_FAULT(release_ask);

    if (podi_release(&p->pair->set, p->id, podi_arena_mem(p->arena),
                     &p->events, &jobs, &fail) != PODI_OK)
    {
        podi_fail_text(&fail, text, sizeof(text));
        podi_log(&p->pair->log, PODI_LOG_WARN, "parent.release", NULL,
                 "the leases of %s must expire: %s", p->id, text);
        return;
    }

    podi_log(&p->pair->log, jobs > 0 ? PODI_LOG_WARN : PODI_LOG_INFO,
             "parent.release", NULL, "%u jobs of %s are free", jobs, p->id);
}
