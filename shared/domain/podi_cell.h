/*
 * podi_cell: what one limit remembers of one key, in 32 bytes.  Pure.
 *
 *                    rule (const)
 *                      |
 *     set of 8 cells --+-> find -> peek -> (all limits agree?) -> take
 *          |                                                       |
 *          '-> victim: the cell of which least is lost             '-> undo
 *
 *     RATE    value: TAT of podi_gcra, of the monotonic clock
 *     QUOTA   value: used in the window that begins at mark (wall clock)
 *     CONN    value: how many are inside
 *
 * A set is as many cells as a key can be in.  When it is full a new key takes
 * the cell that limits its owner least: one that remembers nothing any more
 * (its bucket is full again, its window is over, nobody is inside), else that
 * whose bucket is fullest.  So a flood of new keys overwrites itself before
 * it makes anybody forget who is over his limit.
 *
 * Promises: peek changes nothing, nor does a cost of 0; take after a peek that
 * passed moves exactly what undo takes back.  The answers are those of
 * podi_gcra to the digit.  A writer that dies anywhere leaves a set that can be
 * used: at worst one key's last take is lost.
 *
 * Ownership: the caller holds the memory and the lock, whose word is in the
 * set; zeroed memory is a set of free cells.
 */

#ifndef PODI_CELL_H
#define PODI_CELL_H


#include "podi_gcra.h"
#include "podi_quota.h"


#define PODI_CELL_WAYS  8
#define PODI_CELL_KEY   16

typedef enum {
    PODI_CELL_RATE = 0,
    PODI_CELL_QUOTA,
    PODI_CELL_CONN
} podi_cell_kind_e;

typedef struct {
    podi_cell_kind_e  kind;
    podi_gcra_t       gcra;         /* RATE; its burst is every kind's most */
    int64_t           period;       /* QUOTA: of podi_quota */
    podi_usec_t       offset;       /* QUOTA: how far east its midnight is */
    int64_t           step;         /* RATE: what a cost of 1 moves */
    int64_t           span;         /* RATE: what the burst moves */
    unsigned          wide:1;       /* RATE: needs more than 64 bits */
} podi_rule_t;

/* a window of the calendar: start <= wall < end */

typedef struct {
    podi_usec_t       start;
    podi_usec_t       end;
} podi_window_t;

typedef struct {
    podi_usec_t       mono;
    podi_usec_t       wall;         /* QUOTA */
    podi_window_t     window;       /* QUOTA: the one that holds now */
} podi_cell_clock_t;

typedef struct {
    unsigned char     key[PODI_CELL_KEY];
    int64_t           value;
    int64_t           mark;
} podi_cell_t;

typedef struct {
    uint64_t          lock;         /* the caller's */
    uint32_t          tags[PODI_CELL_WAYS];     /* 0: free */
    uint64_t          spare[3];
    podi_cell_t       cells[PODI_CELL_WAYS];
} podi_cell_set_t;

typedef struct {
    int64_t           retry_after;  /* us; 0: it passes; PODI_GCRA_NEVER */
    int64_t           reset_after;  /* us until nothing is used up */
    int64_t           left;         /* whole units that would pass now */
} podi_cell_answer_t;


/*
 * Each fills a rule; ERROR: out of the range in which nothing overflows.
 * Above 1000 units a second the burst is at least what comes in the
 * millisecond that clocks are good for.
 */
PODI_MUSTCHECK podi_rc_t podi_rule_rate(podi_rule_t *rule, int64_t rate,
    int64_t period, int64_t burst);
PODI_MUSTCHECK podi_rc_t podi_rule_quota(podi_rule_t *rule, int64_t most,
    int64_t period, int offset);        /* seconds, less than a day */
PODI_MUSTCHECK podi_rc_t podi_rule_conn(podi_rule_t *rule, int64_t most);

/* the window of a quota that a moment is in */
podi_window_t podi_rule_window(const podi_rule_t *rule, podi_usec_t wall);

/* NULL: the key is not in the set */
podi_cell_t *podi_cell_find(podi_cell_set_t *set,
    const unsigned char key[PODI_CELL_KEY]);

/* gives the place of a new key; *ret_live: something is forgotten for it */
podi_cell_t *podi_cell_victim(podi_cell_set_t *set, const podi_rule_t *rule,
    const podi_cell_clock_t *now, int *ret_live);

/* the cell becomes that key's, and has used nothing */
void podi_cell_begin(podi_cell_set_t *set, podi_cell_t *cell,
    const unsigned char key[PODI_CELL_KEY]);

/* does a cost (>= 0) pass?  cell NULL: of a new key; answer may be NULL */
int podi_cell_peek(const podi_rule_t *rule, const podi_cell_t *cell,
    int64_t cost, const podi_cell_clock_t *now, podi_cell_answer_t *answer);

/* what is there, when nothing is asked for */
void podi_cell_answer(const podi_rule_t *rule, const podi_cell_t *cell,
    const podi_cell_clock_t *now, podi_cell_answer_t *answer);

/* charges: what has passed, or what is charged anyhow, as far as it goes */
void podi_cell_take(const podi_rule_t *rule, podi_cell_t *cell, int64_t cost,
    const podi_cell_clock_t *now);

/* takes back what a take has charged, if it still counts */
void podi_cell_undo(const podi_rule_t *rule, podi_cell_t *cell, int64_t cost,
    const podi_cell_clock_t *now);


#endif /* PODI_CELL_H */
