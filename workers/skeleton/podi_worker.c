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


static podi_rc_t worker_name(podi_daemon_t *pair);
static int worker_usage(const char *name);
static podi_rc_t worker_check(void *data, podi_fail_t *fail);


int
podi_worker_main(int argc, char **argv, const podi_worker_conf_t *conf)
{
    int             c, only_test;
    podi_fail_t     fail;
    podi_daemon_t   pair;

    memset(&pair, 0, sizeof(podi_daemon_t));

    pair.conf = conf;
    only_test = 0;

    while ((c = getopt(argc, argv, "c:n:t")) != -1) {
        switch (c) {

        case 'c':
            pair.path = optarg;
            break;

        case 'n':
            pair.instance = optarg;
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

    if (worker_name(&pair) != PODI_OK) {
        return worker_usage(conf->name);
    }

    if (podi_daemon_settings(&pair, &fail) != PODI_OK) {
        (void) fprintf(stderr, "%s: %s\n", pair.name, fail.detail);
        return EXIT_FAIL;
    }

    if (only_test) {
        (void) printf("%s: %s is fine\n", pair.name, pair.path);
        podi_arena_free(&pair.arena);
        return EXIT_OK;
    }

    c = podi_daemon_run(&pair);

    podi_arena_free(&pair.arena);

    return c;
}


/* ERROR: -n with what is no name */

static podi_rc_t
worker_name(podi_daemon_t *pair)
{
    podi_str_t  s;

    if (pair->instance == NULL) {
        (void) snprintf(pair->name, sizeof(pair->name), "%s",
                        pair->conf->name);
        return PODI_OK;
    }

    s = podi_str_c(pair->instance);

    if (!podi_setting_is_instance(&s)) {
        return PODI_ERROR;
    }

    (void) snprintf(pair->name, sizeof(pair->name), "%.30s:%.32s",
                    pair->conf->name, pair->instance);

    return PODI_OK;
}


static int
worker_usage(const char *name)
{
    (void) fprintf(stderr, "usage: %s -c FILE [-n NAME] [-t]\n"
                           "  -c FILE  the settings (workers.conf)\n"
                           "  -n NAME  with those of [%s:NAME]; a-z 0-9 _ -\n"
                           "  -t       check the settings and end\n", name,
                   name);
    return EXIT_USAGE;
}


/* all or nothing: a running parent carries on with the old ones */

podi_rc_t
podi_daemon_settings(podi_daemon_t *pair, podi_fail_t *fail)
{
    podi_rc_t         rc;
    podi_arena_t     *arena;
    podi_common_t     set;
    podi_settings_t   settings;

    arena = podi_arena_create();
    if (arena == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    settings.path = pair->path;
    settings.daemon = pair->conf->name;
    settings.instance = pair->instance;
    settings.common = podi_common_settings(&set, pair->conf->queue);
    settings.own = pair->conf->settings;
    settings.check = worker_check;
    settings.data = &set;

    rc = podi_settings_read(&settings, podi_arena_mem(arena), fail);

    if (rc == PODI_OK && pair->conf->check != NULL) {
        rc = pair->conf->check(podi_arena_mem(arena), fail);
    }

    if (rc != PODI_OK) {
        podi_arena_free(&arena);
        return rc;
    }

    podi_arena_free(&pair->arena);

    pair->arena = arena;
    pair->set = set;
    pair->log.svc = pair->name;
    pair->log.path = pair->set.log;

    return podi_log_level_parse(pair->set.log_level, &pair->log.level);
}


static podi_rc_t
worker_check(void *data, podi_fail_t *fail)
{
    podi_log_e            level;
    const podi_common_t  *set = data;

    if (podi_log_level_parse(set->log_level, &level) != PODI_OK) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "log_level = \"%s\": write error, warn, notice, "
                         "info or debug", set->log_level);
    }

    if (set->beat * 2 > set->lease) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "beat must be at most half of lease, or one late "
                         "beat loses every job");
    }

    return PODI_OK;
}
