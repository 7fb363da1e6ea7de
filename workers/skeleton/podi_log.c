/*
 * podi_log: lines for people and for machines.
 *
 * Every member passes podi_buf_add_json, the one place that escapes.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "podi_buf.h"
#include "podi_log.h"
#include "podi_time.h"
#include "banned.h"

#define LOG_MSG_MAX  1024


static void log_member(podi_buf_t *b, const char *name, const podi_str_t *s);
static void log_write(int fd, const podi_str_t *line);


static const char *const  log_levels[] = {
    "error", "warn", "notice", "info", "debug"
};


podi_rc_t
podi_log_open(podi_log_t *log, podi_fail_t *fail)
{
    log->fd = STDERR_FILENO;

    if (log->path[0] == '\0') {
        return PODI_OK;
    }

    log->fd = open(log->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);

    if (log->fd == -1) {
        log->fd = STDERR_FILENO;
        return podi_fail(fail, PODI_E_CONFIG, NULL, "log %s: %s", log->path,
                         strerror(errno));
    }

    return PODI_OK;
}


void
podi_log_close(podi_log_t *log)
{
    if (log->fd > STDERR_FILENO) {
        (void) close(log->fd);
    }

    log->fd = STDERR_FILENO;
}


podi_rc_t
podi_log_level_parse(const char *name, podi_log_e *ret_level)
{
    unsigned  i;

    for (i = 0; i < sizeof(log_levels) / sizeof(log_levels[0]); i++) {
        if (strcmp(name, log_levels[i]) == 0) {
            *ret_level = (podi_log_e) i;
            return PODI_OK;
        }
    }

    return PODI_DECLINED;
}


void
podi_log(podi_log_t *log, podi_log_e level, const char *event,
    const podi_job_t *job, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    podi_log_v(log, level, event, job, fmt, args);
    va_end(args);
}


void
podi_log_v(podi_log_t *log, podi_log_e level, const char *event,
    const podi_job_t *job, const char *fmt, va_list args)
{
    char             msg[LOG_MSG_MAX];
    podi_str_t       s;
    podi_buf_t       b;
    podi_arena_t    *arena;
    unsigned char    ts[PODI_RFC3339_LEN];

    if (level > log->level) {
        return;
    }

    arena = podi_arena_create();
    if (arena == NULL) {
        return;
    }

    if (vsnprintf(msg, sizeof(msg), fmt, args) < 0) {
        msg[0] = '\0';
    }

    podi_time_rfc3339(podi_time_now(), ts);

    podi_buf_init(&b, podi_arena_mem(arena));
    podi_buf_add_c(&b, "{\"ts\":\"");
    podi_buf_add(&b, ts, PODI_RFC3339_LEN);
    podi_buf_printf(&b, "\",\"level\":\"%s\",\"svc\":\"%s\",\"pid\":%d",
                    log_levels[level], log->svc, (int) getpid());

    s = podi_str_c(event);
    log_member(&b, "event", &s);

    s = podi_str_c(msg);
    log_member(&b, "msg", &s);

    if (job != NULL) {
        log_member(&b, "trace_id", &job->trace_id);
        log_member(&b, "task_id", &job->task_id);
        log_member(&b, "job_id", &job->id);
        log_member(&b, "action", &job->action);
    }

    podi_buf_add_c(&b, "}\n");

    if (podi_buf_take(&b, &s) == PODI_OK) {
        log_write(log->fd, &s);
    }

    podi_arena_free(&arena);
}


static void
log_member(podi_buf_t *b, const char *name, const podi_str_t *s)
{
    podi_buf_printf(b, ",\"%s\":", name);
    podi_buf_add_json(b, s);
}


/* a log that cannot be written has nowhere to say so */

static void
log_write(int fd, const podi_str_t *line)
{
    ssize_t  n;

    do {
        n = write(fd, line->data, line->len);
    } while (n == -1 && errno == EINTR);
}
