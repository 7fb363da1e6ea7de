/*
 * podi_farm: which server is chosen, and why none; what a restart looks like.
 */

#include "tap.h"
#include "podi_farm.h"
#include "banned.h"


#define A      PODI_FARM_ACTIVE
#define D      PODI_FARM_DRAINING
#define OFF    PODI_FARM_DISABLED
#define LABEL  -7

typedef struct {
    podi_farm_state_e  state;
    int                capable;
    int                shut;
    int                stale;
    int                tried;
    unsigned           slots;
    unsigned           prefetch;
    unsigned           ours;
    unsigned           foreign;
    uint64_t           model_key;
    podi_msec_t        latency;
    int64_t            vram;        /* LABEL: it has one */
} row_t;

static const struct {
    const char       *what;
    uint64_t          model_key;
    unsigned          margin;
    int64_t           vram_above;
    int               label;
    int               want;
    podi_farm_why_e   why;
    row_t             rows[4];      /* slots 0 ends them */
} cases[] = {
    { "the least load", 0, 2, 0, 0, 1, PODI_FARM_FOUND, {
        { A, 1, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0 },
        { A, 1, 0, 0, 0, 1, 1, 0, 0, 0, 9, 0 } } },
    { "foreign prompts are load", 0, 2, 0, 0, 1, PODI_FARM_FOUND, {
        { A, 1, 0, 0, 0, 1, 1, 0, 5, 0, 1, 0 },
        { A, 1, 0, 0, 0, 1, 1, 1, 0, 0, 9, 0 } } },
    { "but take no room", 0, 2, 0, 0, 0, PODI_FARM_FOUND, {
        { A, 1, 0, 0, 0, 1, 0, 0, 500, 0, 1, 0 } } },
    { "load is for each slot", 0, 2, 0, 0, 1, PODI_FARM_FOUND, {
        { A, 1, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0 },
        { A, 1, 0, 0, 0, 4, 1, 3, 0, 0, 9, 0 } } },
    { "then the nearest", 0, 2, 0, 0, 1, PODI_FARM_FOUND, {
        { A, 1, 0, 0, 0, 1, 1, 0, 0, 0, 9, 0 },
        { A, 1, 0, 0, 0, 1, 1, 0, 0, 0, 2, 0 },
        { A, 1, 0, 0, 0, 1, 1, 0, 0, 0, 5, 0 } } },
    { "loaded models are worth some backlog", 7, 1, 0, 0, 1,
      PODI_FARM_FOUND, {
        { A, 1, 0, 0, 0, 1, 1, 0, 0, 3, 1, 0 },
        { A, 1, 0, 0, 0, 1, 1, 1, 0, 7, 9, 0 } } },
    { "but not more than the margin", 7, 1, 0, 0, 0, PODI_FARM_FOUND, {
        { A, 1, 0, 0, 0, 1, 1, 0, 0, 3, 1, 0 },
        { A, 1, 0, 0, 0, 1, 1, 1, 1, 7, 9, 0 } } },
    { "the best of those that have them", 7, 3, 0, 0, 2, PODI_FARM_FOUND, {
        { A, 1, 0, 0, 0, 1, 1, 0, 0, 3, 1, 0 },
        { A, 1, 0, 0, 0, 1, 1, 1, 1, 7, 9, 0 },
        { A, 1, 0, 0, 0, 1, 1, 1, 0, 7, 9, 0 } } },
    { "no models, nothing to load", 0, 9, 0, 0, 0, PODI_FARM_FOUND, {
        { A, 1, 0, 0, 0, 1, 1, 0, 0, 3, 1, 0 },
        { A, 1, 0, 0, 0, 1, 1, 1, 0, 0, 9, 0 } } },
    { "full: one runs and one waits", 0, 2, 0, 0, -1, PODI_FARM_ALL_FULL, {
        { A, 1, 0, 0, 0, 1, 1, 2, 0, 0, 1, 0 },
        { A, 1, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0 } } },
    { "shut or stale: down", 0, 2, 0, 0, -1, PODI_FARM_ALL_DOWN, {
        { A, 1, 1, 0, 0, 1, 1, 0, 0, 0, 1, 0 },
        { A, 1, 0, 1, 0, 1, 1, 0, 0, 0, 1, 0 } } },
    { "draining: nothing new", 0, 2, 0, 0, -1, PODI_FARM_ALL_DOWN, {
        { D, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0 } } },
    { "disabled: as if it were not", 0, 2, 0, 0, -1, PODI_FARM_NONE_CAPABLE, {
        { OFF, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0 } } },
    { "none can do it", 0, 2, 0, 0, -1, PODI_FARM_NONE_CAPABLE, {
        { A, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0 } } },
    { "full is told before down", 0, 2, 0, 0, -1, PODI_FARM_ALL_FULL, {
        { A, 1, 1, 0, 0, 1, 1, 0, 0, 0, 1, 0 },
        { A, 1, 0, 0, 0, 1, 1, 2, 0, 0, 1, 0 } } },
    { "where it failed comes last", 7, 9, 0, 0, 1, PODI_FARM_FOUND, {
        { A, 1, 0, 0, 1, 1, 1, 0, 0, 7, 1, 0 },
        { A, 1, 0, 0, 0, 1, 1, 1, 3, 0, 9, 0 } } },
    { "but it comes", 7, 9, 0, 0, 0, PODI_FARM_FOUND, {
        { A, 1, 0, 0, 1, 1, 1, 0, 0, 7, 1, 0 } } },
    { "more memory than was short", 0, 2, 24, 0, 1, PODI_FARM_FOUND, {
        { A, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 24 },
        { A, 1, 0, 0, 0, 1, 1, 1, 0, 0, 9, 48 } } },
    { "nobody has more", 0, 2, 48, 0, -1, PODI_FARM_NONE_CAPABLE, {
        { A, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 48 } } },
    { "a label that is wanted", 0, 2, 0, 1, 1, PODI_FARM_FOUND, {
        { A, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0 },
        { A, 1, 0, 0, 0, 1, 1, 1, 0, 0, 9, LABEL } } },
    { "a label that nobody has", 0, 2, 0, 1, -1, PODI_FARM_NONE_CAPABLE, {
        { A, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0 } } },
    { "no servers", 0, 2, 0, 0, -1, PODI_FARM_NONE_CAPABLE, {
        { A, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 } } },
};


static size_t
servers_of(const row_t *rows, podi_farm_server_t *servers)
{
    size_t                    n;
    static const podi_str_t   labels[] = {
        podi_string("big"), podi_string("eu")
    };

    memset(servers, 0, 4 * sizeof(*servers));

    for (n = 0; n < 4 && rows[n].slots > 0; n++) {
        servers[n].state = rows[n].state;
        servers[n].capable = rows[n].capable != 0;
        servers[n].shut = rows[n].shut != 0;
        servers[n].stale = rows[n].stale != 0;
        servers[n].tried = rows[n].tried != 0;
        servers[n].slots = rows[n].slots;
        servers[n].prefetch = rows[n].prefetch;
        servers[n].ours = rows[n].ours;
        servers[n].foreign = rows[n].foreign;
        servers[n].model_key = rows[n].model_key;
        servers[n].latency = rows[n].latency;
        servers[n].vram = rows[n].vram;
        servers[n].labels = labels;
        servers[n].labels_n = rows[n].vram == LABEL ? 2 : 1;
    }

    return n;
}


static void
test_choose(void)
{
    int                 got;
    size_t              i, n;
    podi_farm_ask_t     ask;
    podi_farm_choice_t  choice;
    podi_farm_server_t  servers[4];
    static const podi_str_t  eu = podi_string("eu");

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        n = servers_of(cases[i].rows, servers);

        memset(&ask, 0, sizeof(ask));
        ask.model_key = cases[i].model_key;
        ask.margin = cases[i].margin;
        ask.vram_above = cases[i].vram_above;
        ask.labels = &eu;
        ask.labels_n = cases[i].label != 0;

        got = podi_farm_choose(servers, n, &ask, &choice);
        is_int(got, cases[i].want, cases[i].what);
        ok(choice.why == cases[i].why
           && choice.capable >= choice.up && choice.up >= choice.room,
           "%s: %s", cases[i].what, podi_farm_why(choice.why));
    }
}


/* every state of three servers: what is chosen could be, and is no worse */

static void
test_all(void)
{
    int                  got;
    size_t               i, k, bad = 0, found = 0;
    unsigned             code, c;
    podi_farm_ask_t      ask;
    podi_farm_choice_t   choice;
    podi_farm_server_t   s[3];

    memset(&ask, 0, sizeof(ask));
    ask.model_key = 1;
    ask.margin = 1;

    for (code = 0; code < 64 * 64 * 64; code++) {
        memset(s, 0, sizeof(s));

        for (i = 0, c = code; i < 3; i++, c /= 64) {
            s[i].capable = (c & 1) != 0;
            s[i].shut = (c & 2) != 0;
            s[i].model_key = (c & 4) != 0;
            s[i].slots = 1;
            s[i].prefetch = 1;
            s[i].ours = (c >> 3) & 3;
            s[i].foreign = (c >> 5) & 1;
        }

        got = podi_farm_choose(s, 3, &ask, &choice);

        for (i = 0, k = 0; i < 3; i++) {
            if (!s[i].capable || s[i].shut || s[i].ours >= 2) {
                bad += got == (int) i;
                continue;
            }

            k++;
            bad += got < 0
                   || s[got].ours + s[got].foreign
                      > s[i].ours + s[i].foreign
                        + (s[got].model_key ? ask.margin : 0);
        }

        bad += k == 0 && got >= 0;
        bad += (got < 0) == (choice.why == PODI_FARM_FOUND);
        found += got >= 0;
    }

    is_int((long long) bad, 0, "no state in which the choice is wrong");
    ok(found > 80000, "in many of them one was found");
}


/* one that was shut gets one prompt, whatever its room would be */

static void
test_trial(void)
{
    podi_farm_ask_t      ask;
    podi_farm_choice_t   choice;
    podi_farm_server_t   s[2];

    memset(&ask, 0, sizeof(ask));
    memset(s, 0, sizeof(s));
    s[0].capable = 1;
    s[0].trial = 1;
    s[0].slots = 4;
    s[0].prefetch = 4;

    is_int(podi_farm_choose(s, 1, &ask, &choice), 0, "on trial: one");
    s[0].ours = 1;
    is_int(podi_farm_choose(s, 1, &ask, &choice), -1, "and no second one");
    ok(choice.why == PODI_FARM_ALL_FULL, "it is full, not down");

    s[1] = s[0];
    s[1].trial = 0;
    s[1].ours = 7;
    is_int(podi_farm_choose(s, 2, &ask, &choice), 1, "others have their room");
    s[0].trial = 0;
    is_int(podi_farm_choose(s, 2, &ask, &choice), 0, "it passed: as before");
}


static void
test_restarted(void)
{
    size_t  i;

    static const struct {
        const char          *what;
        int                  want;
        podi_farm_memory_t   was;
        podi_farm_memory_t   is;
    } memories[] = {
        { "nothing was known", 0,
          { podi_string(""), 0, 1, 1, -1 },
          { podi_string("0.3.64"), 0, 1, 1, -1 } },
        { "it forgot what it had", 1,
          { podi_string("1"), 1, 0, 1, 5 }, { podi_string("1"), 1, 1, 1, -1 } },
        { "its queue is empty, but it has a history", 0,
          { podi_string("1"), 1, 0, 1, 5 }, { podi_string("1"), 1, 1, 0, -1 } },
        { "it had nothing of ours", 0,
          { podi_string("1"), 0, 0, 1, 5 }, { podi_string("1"), 0, 1, 1, -1 } },
        { "another version", 1,
          { podi_string("1"), 0, 1, 1, -1 },
          { podi_string("2"), 0, 1, 1, -1 } },
        { "it counts anew", 1,
          { podi_string("1"), 0, 0, 0, 9 }, { podi_string("1"), 0, 0, 0, 0 } },
        { "it counts on", 0,
          { podi_string("1"), 0, 0, 0, 9 }, { podi_string("1"), 0, 0, 0, 10 } },
    };

    for (i = 0; i < sizeof(memories) / sizeof(memories[0]); i++) {
        is_int(podi_farm_restarted(&memories[i].was, &memories[i].is),
               memories[i].want, memories[i].what);
    }
}


int
main(void)
{
    test_choose();
    test_all();
    test_trial();
    test_restarted();

    return tap_done();
}
