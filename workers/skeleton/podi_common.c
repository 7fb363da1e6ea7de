/*
 * podi_common: the table of [common].
 */

#include <string.h>

#include "podi_common.h"
#include "banned.h"

#define COMMON_ROWS  35


const podi_setting_t *
podi_common_settings(podi_common_t *set, const char *queue)
{
    static podi_setting_t  rows[COMMON_ROWS + 1];

    const podi_setting_t  table[COMMON_ROWS + 1] = {
        { "pg", PODI_TEXT, &set->pg, "", "1", NULL },
        { "pg_password_file", PODI_PATH, &set->pg_password_file, "", NULL,
          NULL },
        { "pg_connections", PODI_INT, &set->pg_connections, "1", "1", "16" },
        { "pg_depth", PODI_INT, &set->pg_depth, "16", "1", "64" },
        { "pg_deadline", PODI_MSEC, &set->pg_deadline, "3s", "100ms", "60s" },
        { "pg_statement_timeout", PODI_MSEC, &set->pg_statement_timeout,
          "10s", "100ms", "10m" },
        { "redis", PODI_TEXT, &set->redis, "", NULL, NULL },
        { "redis_password_file", PODI_PATH, &set->redis_password_file, "",
          NULL, NULL },
        { "redis_db", PODI_INT, &set->redis_db, "0", "0", "15" },
        { "redis_deadline", PODI_MSEC, &set->redis_deadline, "1s", "10ms",
          "60s" },
        { "connect_timeout", PODI_MSEC, &set->connect_timeout, "2s", "100ms",
          "60s" },
        { "reconnect_max", PODI_MSEC, &set->reconnect_max, "2s", "100ms",
          "60s" },
        { "stores", PODI_TEXT, &set->stores, "", NULL, NULL },
        { "kek_file", PODI_PATH, &set->kek_file, "", NULL, NULL },
        { "metrics_dir", PODI_PATH, &set->metrics_dir, "", NULL, NULL },
        { "metrics_every", PODI_MSEC, &set->metrics_every, "5s", "100ms",
          "10s" },
        { "pid_dir", PODI_PATH, &set->pid_dir, "", NULL, NULL },
        { "log", PODI_PATH, &set->log, "", NULL, NULL },
        { "log_level", PODI_TEXT, &set->log_level, "info", NULL, NULL },
        { "drain_timeout", PODI_MSEC, &set->drain_timeout, "30s", "0ms",
          "10m" },
        { "undo_timeout", PODI_MSEC, &set->undo_timeout, "5s", "100ms",
          "60s" },
        { "restart_max", PODI_MSEC, &set->restart_max, "10s", "100ms",
          "10m" },
        { "queue", PODI_TEXT, &set->queue, queue != NULL ? queue : "none",
          "1", NULL },
        { "concurrency", PODI_INT, &set->concurrency, "2", "1", "512" },
        { "lease", PODI_MSEC, &set->lease, "12s", "500ms", "10m" },
        { "beat", PODI_MSEC, &set->beat, "4s", "100ms", "60s" },
        { "progress_again", PODI_MSEC, &set->progress_again, "10s", "500ms",
          "10m" },
        { "poll", PODI_MSEC, &set->poll, "1s", "50ms", "60s" },
        { "global_limit", PODI_INT, &set->global_limit, "16", "1", "10000" },
        { "retry_base", PODI_MSEC, &set->retry_base, "1s", "1ms", "10m" },
        { "retry_max", PODI_MSEC, &set->retry_max, "60s", "1ms", "1d" },
        { "settle_timeout", PODI_MSEC, &set->settle_timeout, "10m", "1s",
          "1d" },
        { "breaker_calls", PODI_INT, &set->breaker_calls, "10", "1", "9999" },
        { "breaker_percent", PODI_INT, &set->breaker_bad, "50", "1", "100" },
        { "breaker_open", PODI_MSEC, &set->breaker_open, "5s", "10ms", "5m" },
        podi_null_setting
    };

    memcpy(rows, table, sizeof(rows));

    return rows;
}
