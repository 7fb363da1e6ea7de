/*
 * podi_dispatchd: from rows to hints, and from silence back to the queue.
 *
 *     dispatch  every 250 ms, at once after a full batch: rows that Redis
 *               does not know -> hints
 *     sweep     every second: leases that ran out -> queued, or failed
 *     expire    every second: jobs that nobody started in time -> failed
 *     watch     every second: the hints are gone -> push all again
 *     check     every second: how much may run at once -> Redis; then slots
 *               of gates against what runs, both ways
 *     wake      every second: gates that time has opened -> who waits there
 *
 * Promises: a queued row is pushed within a second, whatever happened to
 * Redis, and its gates are right again within two; several of these may run,
 * because every step is idempotent.
 * Settings: see dispatchd_settings.
 */

#include "dispatchd.h"
#include "banned.h"


static podi_rc_t dispatchd_check(podi_mem_t *mem, podi_fail_t *fail);


static dispatchd_t  dispatchd;

static const podi_setting_t  dispatchd_settings[] = {
    { "dispatch", PODI_MSEC, &dispatchd.dispatch, "250ms", "10ms", "60s" },
    { "sweep", PODI_MSEC, &dispatchd.sweep, "1s", "50ms", "60s" },
    { "watch", PODI_MSEC, &dispatchd.watch, "1s", "50ms", "60s" },
    { "batch", PODI_INT, &dispatchd.batch, "500", "1", "5000" },
    { "stale", PODI_MSEC, &dispatchd.stale, "30s", "100ms", "10m" },
    { "patience", PODI_MSEC, &dispatchd.patience, "4s", "2500ms", "60s" },
    podi_null_setting
};

static const podi_round_conf_t  dispatchd_rounds[] = {
    { "dispatch", &dispatchd.dispatch, dispatch_steps, sizeof(dispatch_t) },
    { "sweep", &dispatchd.sweep, sweep_steps, 0 },
    { "expire", &dispatchd.sweep, expire_steps, 0 },
    { "watch", &dispatchd.watch, watch_steps, 0 },
    { "check", &dispatchd.watch, check_steps, sizeof(check_t) },
    { "wake", &dispatchd.sweep, wake_steps, 0 },
    podi_null_round
};


int
main(int argc, char **argv)
{
    static const podi_worker_conf_t  conf = {
        .name = "podi_dispatchd",
        .settings = dispatchd_settings,
        .rounds = dispatchd_rounds,
        .check = dispatchd_check,
        .data = &dispatchd,
    };

    return podi_worker_main(argc, argv, &conf);
}


/* a difference has to be seen at several looks */

static podi_rc_t
dispatchd_check(podi_mem_t *mem, podi_fail_t *fail)
{
    (void) mem;

    if (dispatchd.patience < 2 * dispatchd.watch) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "patience is less than two times watch");
    }

    return PODI_OK;
}


void
dispatchd_count(podi_worker_t *w, podi_rule_e rule, int64_t n)
{
    podi_metric_add(w, PODI_RECONCILE_HITS, podi_rules[rule].labels,
                    (double) n);
    podi_metric_add(w, PODI_RECONCILE_REPAIRED, podi_rules[rule].labels,
                    (double) n);
}
