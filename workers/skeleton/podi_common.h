/*
 * podi_common: the settings that every daemon has, and podictl, too.
 *
 * What they mean and what they are when the file does not say stands in
 * conf/workers.conf and in the table of podi_common.c.
 */

#ifndef PODI_COMMON_H
#define PODI_COMMON_H


#include "podi_setting.h"


typedef struct {
    const char   *pg;
    const char   *pg_password_file;
    int64_t       pg_connections;
    int64_t       pg_depth;
    podi_msec_t   pg_deadline;
    podi_msec_t   pg_statement_timeout;
    const char   *redis;
    const char   *redis_password_file;
    int64_t       redis_db;
    podi_msec_t   redis_deadline;
    podi_msec_t   connect_timeout;
    podi_msec_t   reconnect_max;
    const char   *stores;
    const char   *kek_file;
    const char   *metrics_dir;
    podi_msec_t   metrics_every;
    const char   *pid_dir;
    const char   *log;
    const char   *log_level;
    podi_msec_t   drain_timeout;
    podi_msec_t   undo_timeout;
    podi_msec_t   restart_max;
    const char   *queue;
    int64_t       concurrency;
    podi_msec_t   lease;
    podi_msec_t   beat;
    podi_msec_t   progress_again;
    podi_msec_t   poll;
    int64_t       global_limit;
    podi_msec_t   retry_base;
    podi_msec_t   retry_max;
    podi_msec_t   settle_timeout;
    int64_t       breaker_calls;
    int64_t       breaker_bad;          /* percent */
    podi_msec_t   breaker_open;
} podi_common_t;


/* the table, writing into *set; `queue` is the default of that setting */
const podi_setting_t *podi_common_settings(podi_common_t *set,
    const char *queue);


#endif /* PODI_COMMON_H */
