/*
 * faults: what goes wrong at a moment of its own: crashes, stalls, clocks that
 * step, a queue that goes or comes back empty, providers that fall ill.
 */

#include "sim.h"
#include "banned.h"


static void excuse_running(sim_t *s);


/* faults at fixed moments; those on calls are drawn as they are made */

void
faults_plan(sim_t *s)
{
    int64_t  t;

    for (t = 1000; t < TROUBLE; t += 1000) {
        if (sim_chance(s, s->odds.crash)) {
            sim_at(s, t, EV_CRASH, sim_below(s, WORKERS), 0,
                   sim_chance(s, 600), 0);
        }

        if (sim_chance(s, s->odds.crash)) {
            sim_at(s, t, EV_DRAIN, sim_below(s, WORKERS), 0, 0, 0);
        }

        if (sim_chance(s, s->odds.stall)) {
            sim_at(s, t, EV_STALL, sim_below(s, WORKERS), 0,
                   sim_between(s, 100, 30000), 0);
        }

        if (sim_chance(s, s->odds.clock / 4)) {
            sim_at(s, t, EV_CLOCK, 0, 0, 0, 0);
        }

        if (sim_chance(s, s->odds.flush / 4)) {
            sim_at(s, t, EV_FLUSH, 0, 0, 0, 0);
        }

        if (sim_chance(s, s->odds.down / 4)) {
            sim_at(s, t, EV_DOWN, 0, 0, 0, 0);
            sim_at(s, t + sim_between(s, 500, 15000), EV_BACK,
                   sim_below(s, 2), 0, 0, 0);
        }

        if (sim_chance(s, s->odds.health)) {
            sim_at(s, t, EV_HEALTH, sim_below(s, KEYS),
                   sim_between(s, HEALTH_DOWN, HEALTH_SLOW), 0, 0);
            sim_at(s, t + sim_between(s, 1000, 40000), EV_HEALTH,
                   sim_below(s, KEYS), HEALTH_GOOD, 0, 0);
        }

        if (sim_chance(s, s->odds.twice)) {
            sim_at(s, t, EV_HINT, 0, 0, 0, 0);
        }
    }
}


void
fault_clock(sim_t *s)
{
    int64_t  step = sim_between(s, -60000, 60000);

    if (sim_chance(s, 500)) {
        s->pg_off += step;
    } else {
        s->redis_off += step;
        s->set_back += step < 0 ? -step : 0;
    }

    s->seen[SEEN_CLOCK]++;
    sim_trace(s, "a clock steps by %lld ms", (long long) step);
    excuse_running(s);
}


void
fault_queue(sim_t *s, event_e kind)
{
    excuse_running(s);

    if (kind == EV_DOWN) {
        s->queue.up = 0;
        s->queue.ready = 0;

    } else {
        s->queue.up = 1;
        s->queue.ready = 0;

        if (kind == EV_FLUSH) {
            queue_flush(s);
        }
    }

    sim_trace(s, "queue: %s", kind == EV_DOWN ? "away"
              : kind == EV_FLUSH ? "back, empty" : "back");
}


/* what runs now may have lost its slots, or keep them too long */

static void
excuse_running(sim_t *s)
{
    int  i;

    for (i = 0; i < s->njobs; i++) {
        s->fate[i].trouble_at = s->now;
        s->fate[i].excused |= s->jobs[i].lease.state == LEASE_RUNNING
                              || s->fate[i].claiming > 0;
    }
}
