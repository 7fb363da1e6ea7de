/*
 * The simulator: prints TAP.
 *
 *     sim [--seeds N] [--first SEED] [--mutate NAME]
 *     sim --seed SEED [--mutate NAME]         one run, with its whole trace
 *     sim --lease                             the table of the lease machine
 *     sim --mutations                         their names
 *
 * With a mutation one rule is broken on purpose, and a run that does not see
 * it is the failure: the exit code is 1 as soon as a seed is broken, and 0
 * when all of them held.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"
#include "banned.h"


#define TAIL  60                /* lines of trace with a failure */


static const char  *const mutations[MUTATE_MAX] = {
    "none", "fence", "idem", "left", "gate", "over", "probe", "starve",
    "wake", "late", "lapse", "segment"
};

static const char  *const seen[SEEN_MAX] = {
    "settled again", "stale settle", "lease lost", "crash told",
    "poison job", "expired", "stopped", "stopped and paid", "dropped",
    "retried", "deferred", "segment", "new round", "cheaper round",
    "points refused", "hold in parts", "hold expired", "late return",
    "breaker opened", "probe", "parked", "woken", "rate shut",
    "claim of rows", "queue rebuilt", "old hint", "submitted twice",
    "clock step"
};

typedef struct {
    int          lease, names, single;
    const char  *program;
    uint64_t     first, seeds;
    mutate_e     mutate;
} options_t;


static int options_read(options_t *o, int argc, char **argv);
static int run_many(sim_t *s, const options_t *o);
static void print_seen(const uint64_t *counts);
static void print_failure(sim_t *s, const options_t *o, uint64_t seed);
static void print_tail(FILE *f);


int
main(int argc, char **argv)
{
    int         i, rc;
    sim_t      *s;
    options_t   o;

    if (!options_read(&o, argc, argv)) {
        fprintf(stderr, "usage: sim [--seeds N] [--first SEED] [--seed SEED]"
                " [--mutate NAME] [--lease] [--mutations]\n");
        return 2;
    }

    if (o.lease) {
        return lease_table();
    }

    if (o.names) {
        for (i = 1; i < MUTATE_MAX; i++) {
            printf("%s\n", mutations[i]);
        }
        return 0;
    }

    s = calloc(1, sizeof(*s));

    if (s == NULL) {
        return 2;
    }

    s->books = books_create();

    if (s->books == NULL) {
        free(s);
        return 2;
    }

    if (o.single) {
        rc = !sim_run(s, o.first, o.mutate, stdout);
        printf("%sok 1 - seed %llu%s%s\n1..1\n", rc ? "not " : "",
               (unsigned long long) o.first, rc ? ": " : "", s->why);
    } else {
        rc = run_many(s, &o);
    }

    books_free(s->books);
    free(s);

    return rc;
}


static int
options_read(options_t *o, int argc, char **argv)
{
    int         i, m;
    const char *value;

    memset(o, 0, sizeof(*o));
    o->program = argv[0];
    o->first = 1;
    o->seeds = 1000;

    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--lease") == 0) {
            o->lease = 1;
            continue;
        }

        if (strcmp(argv[i], "--mutations") == 0) {
            o->names = 1;
            continue;
        }

        value = i + 1 < argc ? argv[i + 1] : "";

        if (strcmp(argv[i], "--seeds") == 0) {
            o->seeds = strtoull(value, NULL, 10);

        } else if (strcmp(argv[i], "--first") == 0) {
            o->first = strtoull(value, NULL, 10);

        } else if (strcmp(argv[i], "--seed") == 0) {
            o->first = strtoull(value, NULL, 10);
            o->single = 1;

        } else if (strcmp(argv[i], "--mutate") == 0) {
            for (m = 0; m < MUTATE_MAX; m++) {
                if (strcmp(mutations[m], value) == 0) {
                    o->mutate = (mutate_e) m;
                }
            }

            if (o->mutate == MUTATE_NONE) {
                return 0;
            }

        } else {
            return 0;
        }

        i++;
    }

    return 1;
}


static int
run_many(sim_t *s, const options_t *o)
{
    uint64_t  i, seed, jobs = 0, done = 0, digest = 0;
    uint64_t  counts[SEEN_MAX] = { 0 };
    int       k;

    for (i = 0; i < o->seeds; i++) {
        seed = o->first + i;

        if (!sim_run(s, seed, o->mutate, NULL)) {
            print_failure(s, o, seed);
            return 1;
        }

        jobs += (uint64_t) s->njobs;
        digest = digest * 31 + s->digest;

        for (k = 0; k < s->njobs; k++) {
            done += s->jobs[k].lease.state == LEASE_SUCCEEDED;
        }

        for (k = 0; k < SEEN_MAX; k++) {
            counts[k] += s->seen[k];
        }
    }

    printf("# %llu seeds from %llu, %llu jobs, %llu succeeded, digest"
           " %016llx\n", (unsigned long long) o->seeds,
           (unsigned long long) o->first, (unsigned long long) jobs,
           (unsigned long long) done, (unsigned long long) digest);
    print_seen(counts);
    printf("ok 1 - every seed held\n1..1\n");

    return 0;
}


static void
print_seen(const uint64_t *counts)
{
    int  i;

    for (i = 0; i < SEEN_MAX; i++) {
        printf("# seen %s: %llu\n", seen[i],
               (unsigned long long) counts[i]);
    }
}


/* the same seed again, with its trace: a run is nothing but its seed */

static void
print_failure(sim_t *s, const options_t *o, uint64_t seed)
{
    FILE  *f;

    f = tmpfile();

    if (f != NULL) {
        (void) sim_run(s, seed, o->mutate, f);
        print_tail(f);
        (void) fclose(f);
    }

    printf("# replay: %s --seed %llu%s%s\n", o->program,
           (unsigned long long) seed,
           o->mutate ? " --mutate " : "",
           o->mutate ? mutations[o->mutate] : "");
    printf("not ok 1 - seed %llu: %s\n1..1\n", (unsigned long long) seed,
           s->why);
}


static void
print_tail(FILE *f)
{
    int   c, lines = 0, skip;
    long  start = 1;

    rewind(f);

    while ((c = fgetc(f)) != EOF) {
        lines += c == '\n';
    }

    skip = lines > TAIL ? lines - TAIL : 0;
    rewind(f);

    while ((c = fgetc(f)) != EOF) {
        if (skip > 0) {
            skip -= c == '\n';
            continue;
        }

        if (start) {
            printf("# ");
        }

        putchar(c);
        start = c == '\n';
    }
}
