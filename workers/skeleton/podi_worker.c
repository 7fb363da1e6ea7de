/*
 * podi_worker: from the command line to the parent.
 *
 *     argv -> settings -> (-t: say so) | pid file -> parent
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "podi_worker_int.h"
#include "banned.h"

#define EXIT_OK     0
#define EXIT_FAIL   1
#define EXIT_USAGE  2

#define COMMON_ROWS  28


static int worker_usage(const char *name);


int
podi_worker_main(int argc, char **argv, const podi_worker_conf_t *conf)
{
    int            c, only_test;
    podi_fail_t    fail;
    podi_daemon_t    pair;

    memset(&pair, 0, sizeof(podi_daemon_t));

    pair.conf = conf;
    only_test = 0;

    while ((c = getopt(argc, argv, "c:t")) != -1) {
        switch (c) {

        case 'c':
            pair.path = optarg;
            break;

        case 't':
            only_test = 1;
            break;

        default:
            return worker_usage(conf->name);
        }
    }

    if (pair.path == NULL || optind != argc) {
        return worker_usage(conf->name);
    }

    if (podi_daemon_settings(&pair, &fail) != PODI_OK) {
        (void) fprintf(stderr, "%s: %s\n", conf->name, fail.detail);
        return EXIT_FAIL;
    }

    if (only_test) {
        (void) printf("%s: %s is fine\n", conf->name, pair.path);
        podi_arena_free(&pair.arena);
        return EXIT_OK;
    }

    c = podi_daemon_run(&pair);

    podi_arena_free(&pair.arena);

    return c;
}


static int
worker_usage(const char *name)
{
    (void) fprintf(stderr, "usage: %s -c FILE [-t]\n"
                           "  -c FILE  the settings (workers.conf)\n"
                           "  -t       check the settings and end\n", name);
    return EXIT_USAGE;
}


podi_rc_t
podi_daemon_settings(podi_daemon_t *pair, podi_fail_t *fail)
{
    podi_rc_t               rc;
    podi_log_e              level;
    podi_arena_t           *arena;
    const podi_setting_t   *common;

    level = PODI_LOG_INFO;

    arena = podi_arena_create();
    if (arena == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    common = podi_common_settings(&pair->set, pair->conf);

    rc = podi_settings_read(pair->path, pair->conf->name, common,
                            pair->conf->settings, podi_arena_mem(arena), fail);

    if (rc == PODI_OK
        && podi_log_level_parse(pair->set.log_level, &level) != PODI_OK)
    {
        rc = podi_fail(fail, PODI_E_CONFIG, NULL,
                       "log_level = \"%s\": write error, warn, notice, info "
                       "or debug", pair->set.log_level);
    }

    if (rc == PODI_OK && pair->set.beat * 2 > pair->set.lease) {
        rc = podi_fail(fail, PODI_E_CONFIG, NULL,
                       "beat must be at most half of lease, or one late beat "
                       "loses every job");
    }

    if (rc != PODI_OK) {
        podi_arena_free(&arena);
        return rc;
    }

    podi_arena_free(&pair->arena);

    pair->arena = arena;
    pair->log.svc = pair->conf->name;
    pair->log.path = pair->set.log;
    pair->log.level = level;

    return PODI_OK;
}


const podi_setting_t *
podi_common_settings(podi_common_t *set, const podi_worker_conf_t *conf)
{
    static podi_setting_t  rows[COMMON_ROWS + 1];
    const char            *queue;

    queue = (conf->queue != NULL) ? conf->queue : "none";

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
        { "metrics_dir", PODI_PATH, &set->metrics_dir, "", NULL, NULL },
        { "pid_dir", PODI_PATH, &set->pid_dir, "", NULL, NULL },
        { "log", PODI_PATH, &set->log, "", NULL, NULL },
        { "log_level", PODI_TEXT, &set->log_level, "info", NULL, NULL },
        { "drain_timeout", PODI_MSEC, &set->drain_timeout, "30s", "0ms",
          "10m" },
        { "undo_timeout", PODI_MSEC, &set->undo_timeout, "5s", "100ms",
          "60s" },
        { "restart_max", PODI_MSEC, &set->restart_max, "10s", "100ms",
          "10m" },
        { "queue", PODI_TEXT, &set->queue, queue, "1", NULL },
        { "concurrency", PODI_INT, &set->concurrency, "2", "1", "512" },
        { "lease", PODI_MSEC, &set->lease, "12s", "500ms", "10m" },
        { "beat", PODI_MSEC, &set->beat, "4s", "100ms", "60s" },
        { "poll", PODI_MSEC, &set->poll, "1s", "50ms", "60s" },
        { "global_limit", PODI_INT, &set->global_limit, "16", "1", "10000" },
        { "retry_base", PODI_MSEC, &set->retry_base, "1s", "1ms", "10m" },
        { "retry_max", PODI_MSEC, &set->retry_max, "60s", "1ms", "1d" },
        { "settle_timeout", PODI_MSEC, &set->settle_timeout, "10m", "1s",
          "1d" },
        podi_null_setting
    };

    memcpy(rows, table, sizeof(rows));

    return rows;
}
