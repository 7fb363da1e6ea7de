/*
 * podi_janitord: what must be done now and then, and be seen.
 *
 *     uploads     announced and never completed -> expired
 *     purge       rows that nobody needs any more
 *     invariants  every minute: what must never be, counted and shouted
 *     gauges      every 5 s: what only the database knows, as metrics
 *
 * Promises: repairs nothing in silence: a broken invariant is an error in
 * the log and podi_invariant_breaks{inv} above 0, until a person has looked.
 * Settings: see janitord_settings.
 */

#include "janitord.h"
#include "banned.h"


static janitord_t  janitord;

static const podi_setting_t  janitord_settings[] = {
    { "uploads", PODI_MSEC, &janitord.uploads, "30s", "50ms", "1h" },
    { "purge", PODI_MSEC, &janitord.purge, "60s", "50ms", "1d" },
    { "invariants", PODI_MSEC, &janitord.invariants, "60s", "50ms", "1d" },
    { "gauges", PODI_MSEC, &janitord.gauges, "5s", "50ms", "60s" },
    { "batch", PODI_INT, &janitord.batch, "500", "1", "5000" },
    podi_null_setting
};

static const podi_round_conf_t  janitord_rounds[] = {
    { "uploads", &janitord.uploads, upload_steps, 0 },
    { "purge", &janitord.purge, purge_steps, 0 },
    { "invariants", &janitord.invariants, invariant_steps, 0 },
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
        .data = &janitord,
    };

    return podi_worker_main(argc, argv, &conf);
}
