/*
 * sim: chance and time, and one run from its seed to its end.
 */

#include <stdarg.h>
#include <string.h>

#include "sim.h"
#include "banned.h"


static int event_is_before(const event_t *a, const event_t *b);
static event_t event_next(sim_t *s);
static void sim_loop(sim_t *s);
static void sim_calm(sim_t *s);
static int sim_is_over(const sim_t *s);


/* splitmix64 */

uint32_t
sim_random(sim_t *s)
{
    uint64_t  z;

    s->random += UINT64_C(0x9e3779b97f4a7c15);

    z = s->random;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);

    return (uint32_t) ((z ^ (z >> 31)) >> 32);
}


int
sim_below(sim_t *s, int n)
{
    return n > 0 ? (int) (sim_random(s) % (uint32_t) n) : 0;
}


int
sim_between(sim_t *s, int from, int to)
{
    return from + sim_below(s, to - from + 1);
}


int
sim_chance(sim_t *s, int thousandths)
{
    return sim_below(s, 1000) < thousandths;
}


int64_t
sim_pg_now(const sim_t *s)
{
    return s->now + s->pg_off;
}


int64_t
sim_redis_now(const sim_t *s)
{
    return s->now + s->redis_off;
}


/* a heap by time, then by order of birth */

void
sim_at(sim_t *s, int64_t delay, event_e kind, int64_t a, int64_t b, int64_t c,
    int64_t d)
{
    int      i, up;
    event_t  e = { s->now + delay, ++s->event_seq, kind, a, b, c, d };

    if (s->nevents == EVENTS) {
        sim_broken(s, "too many events");
    }

    for (i = s->nevents++; i > 0; i = up) {
        up = (i - 1) / 2;

        if (!event_is_before(&e, &s->events[up])) {
            break;
        }

        s->events[i] = s->events[up];
    }

    s->events[i] = e;
}


static int
event_is_before(const event_t *a, const event_t *b)
{
    return a->at < b->at || (a->at == b->at && a->seq < b->seq);
}


static event_t
event_next(sim_t *s)
{
    int      i = 0, down;
    event_t  first = s->events[0], last = s->events[--s->nevents];

    while ((down = 2 * i + 1) < s->nevents) {
        if (down + 1 < s->nevents
            && event_is_before(&s->events[down + 1], &s->events[down]))
        {
            down++;
        }

        if (!event_is_before(&s->events[down], &last)) {
            break;
        }

        s->events[i] = s->events[down];
        i = down;
    }

    s->events[i] = last;

    return first;
}


void
sim_trace(sim_t *s, const char *fmt, ...)
{
    va_list  args;

    if (s->trace == NULL) {
        return;
    }

    fprintf(s->trace, "%9.3f  ", (double) (s->now - BASE) / 1000);

    va_start(args, fmt);
    vfprintf(s->trace, fmt, args);
    va_end(args);

    fputc('\n', s->trace);
}


void
sim_broken(sim_t *s, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    (void) vsnprintf(s->why, sizeof(s->why), fmt, args);
    va_end(args);

    sim_trace(s, "BROKEN: %s", s->why);
    longjmp(s->broken, 1);
}


/* 1: all held; 0: s->why says what did not */

int
sim_run(sim_t *s, uint64_t seed, mutate_e mutate, FILE *trace)
{
    books_t  *books = s->books;

    memset(s, 0, sizeof(*s));
    books_clear(books);
    s->books = books;
    s->seed = seed;
    s->random = seed * UINT64_C(0x2545f4914f6cdd1d) + 1;
    s->mutate = mutate;
    s->trace = trace;
    s->now = BASE;

    if (setjmp(s->broken) != 0) {
        return 0;
    }

    check_begin(s);
    users_begin(s);
    sim_loop(s);
    check_end(s);

    return 1;
}


static void
sim_loop(sim_t *s)
{
    event_t  e;

    while (!sim_is_over(s)) {
        e = event_next(s);
        s->now = e.at;

        if (s->now > BASE + TROUBLE && !s->calm) {
            sim_calm(s);
        }

        if (s->now > BASE + TROUBLE + PATIENCE) {
            return;                     /* check_end says what is not over */
        }

        if (e.kind == EV_POLL || e.kind == EV_CLAIM || e.kind == EV_BEAT
            || (e.kind >= EV_EXEC && e.kind <= EV_DRAIN)
            || e.kind == EV_FREE)
        {
            worker_event(s, &e);
        } else {
            users_event(s, &e);
        }
    }
}


/* from here on everything works */

static void
sim_calm(sim_t *s)
{
    int  i;

    s->calm = 1;
    memset(&s->odds, 0, sizeof(s->odds));

    for (i = 0; i < KEYS; i++) {
        s->health[i] = HEALTH_GOOD;
    }

    for (i = 0; i < s->njobs; i++) {
        s->fate[i].wish.kills = 0;
    }

    sim_trace(s, "calm");
}


static int
sim_is_over(const sim_t *s)
{
    int  i;

    if (!s->calm || s->now < BASE + TROUBLE + 60000) {
        return 0;
    }

    for (i = 0; i < s->njobs; i++) {
        if (!lease_is_final(&s->jobs[i].lease)) {
            return 0;
        }
    }

    for (i = 0; i < s->nholds; i++) {
        if (s->holds[i].captured + s->holds[i].released
            < s->holds[i].amount)
        {
            return 0;
        }
    }

    for (i = 0; i < SCOPES; i++) {
        if (s->scopes[i].n > 0) {
            return 0;
        }
    }

    return 1;
}
