/*
 * podi_log: one JSON object a line, to stderr or to a file.
 *
 * Used by the skeleton's parent and child; daemons call podi_worker_log.  A
 * line is written by one write(2) in append mode, so that the lines of
 * several processes never mix.
 */

#ifndef PODI_LOG_H
#define PODI_LOG_H


#include "podi_worker.h"


typedef struct {
    const char  *svc;
    const char  *path;          /* "" : stderr */
    int          fd;
    podi_log_e   level;         /* what is less urgent is left out */
} podi_log_t;


/* ERROR when the file cannot be opened; stderr is used then */
PODI_MUSTCHECK podi_rc_t podi_log_open(podi_log_t *log, podi_fail_t *fail);
void podi_log_close(podi_log_t *log);

/* "error" .. "debug"; DECLINED: no such level */
PODI_MUSTCHECK podi_rc_t podi_log_level_parse(const char *name,
    podi_log_e *ret_level);

void podi_log(podi_log_t *log, podi_log_e level, const char *event,
    const podi_job_t *job, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
void podi_log_v(podi_log_t *log, podi_log_e level, const char *event,
    const podi_job_t *job, const char *fmt, va_list args);


#endif /* PODI_LOG_H */
