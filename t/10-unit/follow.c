/*
 * podi_follow: by hand, and against a server that begins anew, is away, and
 * takes its time between the queue and the history.
 */

#include "tap.h"
#include "podi_follow.h"
#include "banned.h"


#define RUNS   20000
#define NEVER  UINT64_MAX

static const podi_follow_conf_t  conf = {
    .poll = 1000, .poll_max = 5000, .gap = 2000, .idle = 60000,
    .grace = 10000, .away = 30000
};

typedef struct {
    podi_see_e    see;
    podi_msec_t   at;
    podi_act_e    act;
    podi_msec_t   wait;         /* 0: none is looked at */
} step_t;


static void
steps_are(const char *what, const step_t *steps, int is_deaf)
{
    size_t         i;
    podi_act_e     act;
    podi_msec_t    wait;
    podi_follow_t  f;

    podi_follow_begin(&f, 1, 0);
    f.deaf = is_deaf != 0;

    for (i = 0; steps[i].at != NEVER; i++) {
        wait = 0;
        act = podi_follow_see(&f, &conf, steps[i].see, steps[i].at, &wait);

        if (act != steps[i].act || wait != steps[i].wait) {
            printf("# step %zu: act %d, wait %llu\n", i, act,
                   (unsigned long long) wait);
            break;
        }
    }

    ok(steps[i].at == NEVER, "%s", what);
}


#define END  { PODI_SEE_TIME, NEVER, PODI_ACT_NOTHING, 0 }

static const step_t  quick[] = {
    { PODI_SEE_END, 5, PODI_ACT_FINISH, 0 },
    { PODI_SEE_TIME, 9, PODI_ACT_NOTHING, 0 },
    END
};

static const step_t  leaves[] = {
    { PODI_SEE_ABSENT, 0, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_WAITS, 0, PODI_ACT_WAIT, 1000 },
    { PODI_SEE_TIME, 119999, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 119999, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_WAITS, 119999, PODI_ACT_WAIT, 1500 },
    { PODI_SEE_TIME, 120000, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 120000, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_WAITS, 120000, PODI_ACT_DELETE, 0 },
    { PODI_SEE_STOPPED, 120000, PODI_ACT_WAIT, 1000 },
    { PODI_SEE_TIME, 121000, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 121000, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_RUNS, 121000, PODI_ACT_WAIT, 1000 },
    { PODI_SEE_TIME, 122000, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_END, 122000, PODI_ACT_FINISH, 0 },
    END
};

static const step_t  grows[] = {
    { PODI_SEE_ABSENT, 0, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_WAITS, 0, PODI_ACT_WAIT, 1000 },
    { PODI_SEE_TIME, 1000, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 1000, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_WAITS, 1000, PODI_ACT_WAIT, 1500 },
    { PODI_SEE_TIME, 2500, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 2500, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_WAITS, 2500, PODI_ACT_WAIT, 2250 },
    { PODI_SEE_TIME, 4750, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 4750, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_WAITS, 4750, PODI_ACT_WAIT, 3375 },
    { PODI_SEE_TIME, 8125, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 8125, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_WAITS, 8125, PODI_ACT_WAIT, 5000 },
    { PODI_SEE_TIME, 13125, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 13125, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_RUNS, 13125, PODI_ACT_WAIT, 1000 },
    { PODI_SEE_HINT, 13200, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_END, 13200, PODI_ACT_FINISH, 0 },
    END
};

static const step_t  race[] = {
    { PODI_SEE_ABSENT, 0, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_ABSENT, 0, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_END, 0, PODI_ACT_FINISH, 0 },
    END
};

static const step_t  lost[] = {
    { PODI_SEE_ABSENT, 0, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_ABSENT, 0, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 10, PODI_ACT_WAIT, 2000 },
    { PODI_SEE_HINT, 1000, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 1000, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_ABSENT, 1000, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 1000, PODI_ACT_WAIT, 1010 },
    { PODI_SEE_TIME, 2010, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 2010, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_ABSENT, 2010, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 2010, PODI_ACT_LOST, 0 },
    END
};

static const step_t  found[] = {
    { PODI_SEE_ABSENT, 0, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_ABSENT, 0, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 0, PODI_ACT_WAIT, 2000 },
    { PODI_SEE_TIME, 2000, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 2000, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_WAITS, 2000, PODI_ACT_WAIT, 1000 },
    { PODI_SEE_TIME, 3000, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 3000, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_ABSENT, 3000, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 3000, PODI_ACT_WAIT, 2000 },
    END
};

static const step_t  silence[] = {
    { PODI_SEE_ABSENT, 0, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_ABSENT, 0, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 0, PODI_ACT_WAIT, 2000 },
    { PODI_SEE_TIME, 2000, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_NOTHING, 2000, PODI_ACT_WAIT, 1000 },
    { PODI_SEE_TIME, 3000, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 3000, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_ABSENT, 3000, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 3000, PODI_ACT_WAIT, 2000 },
    END
};

static const step_t  away[] = {
    { PODI_SEE_NOTHING, 0, PODI_ACT_WAIT, 1000 },
    { PODI_SEE_TIME, 1000, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 1000, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_NOTHING, 1500, PODI_ACT_WAIT, 1500 },
    { PODI_SEE_TIME, 3000, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_NOTHING, 30999, PODI_ACT_WAIT, 2250 },
    { PODI_SEE_TIME, 31000, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_NOTHING, 31000, PODI_ACT_GONE, 0 },
    END
};

/* who was stopped himself has not looked */

static const step_t  slept[] = {
    { PODI_SEE_ABSENT, 0, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_WAITS, 0, PODI_ACT_WAIT, 1000 },
    { PODI_SEE_TIME, 90000, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_NOTHING, 90000, PODI_ACT_WAIT, 1500 },
    { PODI_SEE_TIME, 91500, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_NOTHING, 91500, PODI_ACT_WAIT, 2250 },
    { PODI_SEE_TIME, 93750, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 93750, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_NOTHING, 125000, PODI_ACT_WAIT, 3375 },
    { PODI_SEE_TIME, 128375, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_NOTHING, 128375, PODI_ACT_WAIT, 5000 },
    { PODI_SEE_TIME, 133375, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_NOTHING, 133375, PODI_ACT_GONE, 0 },
    END
};

static const step_t  stuck[] = {
    { PODI_SEE_ABSENT, 0, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_RUNS, 0, PODI_ACT_WAIT, 1000 },
    { PODI_SEE_SIGN, 500, PODI_ACT_NOTHING, 0 },
    { PODI_SEE_TIME, 60499, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 60499, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_RUNS, 60499, PODI_ACT_WAIT, 1500 },
    { PODI_SEE_TIME, 60500, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 60500, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_RUNS, 60500, PODI_ACT_INTERRUPT, 0 },
    { PODI_SEE_TIME, 60501, PODI_ACT_NOTHING, 0 },
    { PODI_SEE_STOPPED, 60600, PODI_ACT_WAIT, 1000 },
    { PODI_SEE_TIME, 61600, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 61600, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_RUNS, 61600, PODI_ACT_INTERRUPT, 0 },
    { PODI_SEE_STOPPED, 61700, PODI_ACT_WAIT, 1000 },
    { PODI_SEE_TIME, 70500, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 70500, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_RUNS, 70500, PODI_ACT_STUCK, 0 },
    END
};

static const step_t  stands[] = {
    { PODI_SEE_ABSENT, 0, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_STANDS, 0, PODI_ACT_WAIT, 1000 },
    { PODI_SEE_TIME, 59999, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 59999, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_STANDS, 59999, PODI_ACT_WAIT, 1500 },
    { PODI_SEE_TIME, 60000, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_STANDS, 60000, PODI_ACT_NOTHING, 0 },
    { PODI_SEE_ABSENT, 60000, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_STANDS, 60000, PODI_ACT_STUCK, 0 },
    END
};

static const step_t  moves[] = {
    { PODI_SEE_ABSENT, 0, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_STANDS, 0, PODI_ACT_WAIT, 1000 },
    { PODI_SEE_TIME, 59000, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 59000, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_WAITS, 59000, PODI_ACT_WAIT, 1500 },
    { PODI_SEE_TIME, 61000, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 61000, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_STANDS, 61000, PODI_ACT_WAIT, 2250 },
    END
};

static const step_t  goes_on[] = {
    { PODI_SEE_ABSENT, 0, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_RUNS, 0, PODI_ACT_WAIT, 1000 },
    { PODI_SEE_TIME, 60000, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 60000, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_RUNS, 60000, PODI_ACT_INTERRUPT, 0 },
    { PODI_SEE_STOPPED, 60000, PODI_ACT_WAIT, 1000 },
    { PODI_SEE_SIGN, 60500, PODI_ACT_NOTHING, 0 },
    { PODI_SEE_TIME, 80000, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 80000, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_RUNS, 80000, PODI_ACT_WAIT, 1500 },
    END
};

static const step_t  deaf[] = {
    { PODI_SEE_ABSENT, 0, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_RUNS, 0, PODI_ACT_WAIT, 1000 },
    { PODI_SEE_TIME, 239999, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 239999, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_RUNS, 239999, PODI_ACT_WAIT, 1500 },
    { PODI_SEE_TIME, 240000, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 240000, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_RUNS, 240000, PODI_ACT_INTERRUPT, 0 },
    END
};

static const step_t  cancelled[] = {
    { PODI_SEE_ABSENT, 0, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_WAITS, 0, PODI_ACT_WAIT, 1000 },
    { PODI_SEE_CANCEL, 100, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_CANCEL, 100, PODI_ACT_NOTHING, 0 },
    { PODI_SEE_ABSENT, 100, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_WAITS, 100, PODI_ACT_DELETE, 0 },
    { PODI_SEE_STOPPED, 200, PODI_ACT_WAIT, 1000 },
    { PODI_SEE_TIME, 1200, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_ABSENT, 1200, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_RUNS, 1200, PODI_ACT_INTERRUPT, 0 },
    { PODI_SEE_STOPPED, 1300, PODI_ACT_WAIT, 1000 },
    { PODI_SEE_TIME, 2300, PODI_ACT_HISTORY, 0 },
    { PODI_SEE_END, 2300, PODI_ACT_FINISH, 0 },
    END
};

static const step_t  late[] = {
    { PODI_SEE_WAITS, 0, PODI_ACT_NOTHING, 0 },
    { PODI_SEE_STOPPED, 0, PODI_ACT_NOTHING, 0 },
    { PODI_SEE_TIME, 0, PODI_ACT_NOTHING, 0 },
    { PODI_SEE_ABSENT, 0, PODI_ACT_QUEUE, 0 },
    { PODI_SEE_END, 0, PODI_ACT_NOTHING, 0 },
    { PODI_SEE_WAITS, 0, PODI_ACT_WAIT, 1000 },
    { PODI_SEE_ABSENT, 10, PODI_ACT_NOTHING, 0 },
    { PODI_SEE_END, 10, PODI_ACT_NOTHING, 0 },
    { PODI_SEE_NOTHING, 10, PODI_ACT_NOTHING, 0 },
    END
};


/*
 * A prompt and its server, with times drawn at random: what it is asked is
 * answered by what is so at that moment.
 */

typedef struct {
    uint64_t     random;
    podi_msec_t  now;
    podi_msec_t  arrives;       /* NEVER: it does not */
    podi_msec_t  begins;
    podi_msec_t  ends;          /* NEVER: it hangs */
    podi_msec_t  history;       /* a moment later */
    podi_msec_t  restart;       /* NEVER: none */
    podi_msec_t  away_from;
    podi_msec_t  away_to;
    podi_msec_t  cancel;
    int          silent;        /* interrupts are of no use */
    int          deleted;
} world_t;


static podi_msec_t
draw(world_t *w, podi_msec_t most)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;

    return w->random % (most + 1);
}


static void
world_begin(world_t *w, uint64_t seed)
{
    memset(w, 0, sizeof(*w));
    w->random = seed * 0x9e3779b97f4a7c15u + 1;

    w->arrives = draw(w, 9) == 0 ? NEVER : draw(w, 1) * draw(w, 1500);
    w->begins = w->arrives == NEVER ? NEVER : w->arrives + draw(w, 30000);
    w->ends = w->begins == NEVER || draw(w, 9) == 0
              ? NEVER : w->begins + draw(w, 50000);
    w->history = w->ends == NEVER ? NEVER : w->ends + draw(w, 1500);
    w->restart = draw(w, 4) == 0 ? draw(w, 40000) : NEVER;
    w->away_from = draw(w, 60000);
    w->away_to = draw(w, 2) == 0 ? w->away_from + draw(w, 50000) : 0;
    w->cancel = draw(w, 4) == 0 ? draw(w, 60000) : NEVER;
    w->silent = draw(w, 3) == 0;
}


static int
is_away(const world_t *w)
{
    return w->now >= w->away_from && w->now < w->away_to;
}


/* is what the server had of it forgotten? */

static int
is_forgotten(const world_t *w)
{
    return w->deleted || (w->restart <= w->now && w->arrives <= w->restart);
}


static podi_see_e
ask_history(const world_t *w)
{
    return is_away(w) ? PODI_SEE_NOTHING
           : !is_forgotten(w) && w->history <= w->now ? PODI_SEE_END
                                                      : PODI_SEE_ABSENT;
}


static podi_see_e
ask_queue(const world_t *w)
{
    if (is_away(w)) {
        return PODI_SEE_NOTHING;
    }

    if (is_forgotten(w) || w->arrives > w->now || w->ends <= w->now) {
        return PODI_SEE_ABSENT;
    }

    return w->begins <= w->now ? PODI_SEE_RUNS : PODI_SEE_WAITS;
}


/* what is wrong with that end, or NULL */

static const char *
judge(const world_t *w, podi_act_e act)
{
    switch (act) {

    case PODI_ACT_FINISH:
        return w->history <= w->now ? NULL : "finished before its end";

    case PODI_ACT_LOST:
        return w->arrives == NEVER || is_forgotten(w)
               ? NULL : "called lost while it is there";

    case PODI_ACT_GONE:
        return w->away_to - w->away_from >= conf.away / 2
               ? NULL : "gone, but it was there";

    case PODI_ACT_STUCK:
        return w->ends == NEVER || w->cancel != NEVER
               ? NULL : "stuck, but it ends";

    default:
        return "no end";
    }
}


static const char *
live(uint64_t seed)
{
    world_t        w;
    unsigned       n;
    podi_act_e     act = PODI_ACT_HISTORY;
    podi_see_e     see = PODI_SEE_TIME;
    podi_msec_t    wait, until;
    podi_follow_t  f;

    world_begin(&w, seed);
    podi_follow_begin(&f, w.arrives == 0, 0);

    for (n = 0; n < 1000; n++) {
        w.now += draw(&w, 40);

        switch (act) {

        case PODI_ACT_HISTORY:
            see = ask_history(&w);
            break;

        case PODI_ACT_QUEUE:
            see = ask_queue(&w);
            break;

        case PODI_ACT_WAIT:
            until = w.now + wait;

            if (w.cancel != NEVER && w.cancel <= until && !f.cancel) {
                w.now = w.cancel > w.now ? w.cancel : w.now;
                see = PODI_SEE_CANCEL;

            } else {
                w.now = until;
                see = PODI_SEE_TIME;
            }

            break;

        case PODI_ACT_DELETE:
            w.deleted = w.deleted || ask_queue(&w) == PODI_SEE_WAITS;
            see = PODI_SEE_STOPPED;
            break;

        case PODI_ACT_INTERRUPT:
            if (ask_queue(&w) == PODI_SEE_RUNS && !w.silent) {
                w.ends = w.now + draw(&w, 200);
                w.history = w.ends + draw(&w, 1500);
            }

            see = PODI_SEE_STOPPED;
            break;

        default:
            return judge(&w, act);
        }

        act = podi_follow_see(&f, &conf, see, w.now, &wait);
    }

    return "it never ends";
}


static void
test_random(void)
{
    unsigned     bad = 0;
    uint64_t     seed;
    const char  *wrong;

    for (seed = 1; seed <= RUNS; seed++) {
        wrong = live(seed);

        if (wrong != NULL && bad++ < 5) {
            printf("# seed %llu: %s\n", (unsigned long long) seed, wrong);
        }
    }

    is_int(bad, 0, "no prompt is called what it is not");
}


int
main(void)
{
    steps_are("it is at its end when it is looked for", quick, 0);
    steps_are("waits grow, and begin anew when it runs", grows, 0);
    steps_are("it leaves where nothing moves, unless it runs after all",
              leaves, 0);
    steps_are("it ended between two looks", race, 0);
    steps_are("twice missed, with a gap, is lost", lost, 0);
    steps_are("seen in between, it is missed anew", found, 0);
    steps_are("a silence in between counts for nothing", silence, 0);
    steps_are("without an answer for long, the server is gone", away, 0);
    steps_are("but not before three looks", slept, 0);
    steps_are("no sign: it is stopped, and if it does not, stuck", stuck, 0);
    steps_are("it waits, and nothing runs: stuck", stands, 0);
    steps_are("something ran in between: it counts anew", moves, 0);
    steps_are("a sign in between: it goes on", goes_on, 0);
    steps_are("where no sign can come, it takes longer", deaf, 1);
    steps_are("cancelled: out of the queue, or interrupted", cancelled, 0);
    steps_are("what was not asked for changes nothing", late, 0);
    test_random();

    return tap_done();
}
