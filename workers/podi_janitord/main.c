/*
 * podi_janitord: what must be done now and then, and be seen.
 *
 *     uploads     announced and never completed -> expired
 *     objects     of rejected and expired uploads, removed from their stores
 *     orphans     objects of attempts that lost their job, too
 *     holds       every 10 s: what is left of those past their end goes back
 *     purge       rows that nobody needs any more
 *     invariants  every minute: a slice of what must never be, counted and
 *                 shouted
 *     reconcile   every minute: a slice of each rule that is ours to look at
 *     gauges      every 5 s: what only the database knows, as metrics
 *
 * Promises: repairs nothing in silence: a broken invariant is an error in
 * the log and podi_invariant_breaks{inv} above 0, until a person has looked;
 * what is put right is counted and told.
 * Settings: see janitord_settings.
 */

#include "janitord.h"
#include "banned.h"


static podi_rc_t janitord_start(podi_worker_t *w, podi_fail_t *fail);
static void janitord_stop(podi_worker_t *w);


static janitord_t  janitord;

static const podi_setting_t  janitord_settings[] = {
    { "uploads", PODI_MSEC, &janitord.uploads, "30s", "50ms", "1h" },
    { "objects", PODI_MSEC, &janitord.objects, "30s", "50ms", "1h" },

    /* after the end of a permit to upload: for a PUT that is under way */
    { "object_grace", PODI_MSEC, &janitord.object_grace, "1h", "0s", "7d" },

    /* for one DELETE */
    { "store_timeout", PODI_MSEC, &janitord.store_timeout, "20s", "100ms",
      "10m" },

    { "purge", PODI_MSEC, &janitord.purge, "60s", "50ms", "1d" },
    { "invariants", PODI_MSEC, &janitord.invariants, "60s", "50ms", "1d" },
    { "gauges", PODI_MSEC, &janitord.gauges, "5s", "50ms", "60s" },
    { "holds", PODI_MSEC, &janitord.holds, "10s", "50ms", "1h" },
    { "reconcile", PODI_MSEC, &janitord.reconcile, "60s", "50ms", "1d" },
    { "batch", PODI_INT, &janitord.batch, "500", "1", "5000" },

    /* rows that one look of a rule reads */
    { "slice", PODI_INT, &janitord.slice, "2000", "1", "10000" },
    podi_null_setting
};

static const podi_round_conf_t  janitord_rounds[] = {
    { "uploads", &janitord.uploads, upload_steps, 0 },
    { "objects", &janitord.objects, object_steps, sizeof(janitord_object_t) },
    { "orphans", &janitord.objects, orphan_steps, sizeof(janitord_orphan_t) },
    { "holds", &janitord.holds, hold_steps, 0 },
    { "purge", &janitord.purge, purge_steps, 0 },
    { "invariants", &janitord.invariants, invariant_steps, 0 },
    { "reconcile", &janitord.reconcile, reconcile_steps, 0 },
    { "gauges", &janitord.gauges, gauge_steps, 0 },
    podi_null_round
};


int
main(int argc, char **argv)
{
    static const podi_worker_conf_t  conf = {
        .name = "podi_janitord",
        .settings = janitord_settings,
        .rounds = janitord_rounds,
        .start = janitord_start,
        .stop = janitord_stop,
        .data = &janitord,
    };

    return podi_worker_main(argc, argv, &conf);
}


static podi_rc_t
janitord_start(podi_worker_t *w, podi_fail_t *fail)
{
    janitord_reconcile_init(w);

    return podi_objects_open(&janitord.stores, w, fail);
}


static void
janitord_stop(podi_worker_t *w)
{
    (void) w;

    podi_objects_close(&janitord.stores);
}
