/*
 * podi_gate: may a job start, and whose turn is it?  Pure.
 *
 * The same rules are written in Lua (shared/store/lua/queue_*.lua) for the
 * queues in Redis and in SQL (sys.job_claim_next) for the time without it.
 * t/lib/vectors/gates.json has worked examples for all of them.
 *
 * GATES.  A job names scopes, in order; a scope may have a gate.
 *
 *     G1  A gate is open for a job when its time has come (opens_at <= now)
 *         and there is room: taken < slots for class 0, taken < slots -
 *         reserve for the others.  slots 0: there is always room.  (Rows
 *         and Redis say none for that, where 0 is shut for good.)
 *     G2  A job passes when all its gates are open, and then takes a slot of
 *         each; else it takes none, and the first that is shut, in the order
 *         of its scopes, is where its tenant parks.
 *     G3  A rate (podi_gcra) that does not let the cost pass is a gate that
 *         opens at now + retry_after.  Rates are peeked with the other gates
 *         and taken only when all passed.  A breaker or a 429 sets opens_at.
 *         A cost above the burst counts as the burst: it waits for a full
 *         bucket, not for ever.
 *     G4  A slot belongs to a claim, not to a job: it is taken, kept and given
 *         back under the names of job, worker and claim.  So a release that
 *         comes late, and the claim of a hint that was there twice, cannot
 *         free the slot of the one who runs the job.  Who takes a job from a
 *         worker (sweep, crash) frees that worker's slots of it, no others:
 *         somebody else may be between queue and store with the same job.
 *         Slots rebuilt from what runs are named by the fence of the row, so
 *         that only the beat or release of that holder owns them.
 *     G5  A slot's lease outlives the job's, by more than a claim may take
 *         from the queue to the database and a sweep from lease to lease:
 *         else the next starts while the last still counts as running.  So
 *         that is bounded: a claim that took longer (its worker was stopped
 *         in between) is not made any more, and its slots are given back.
 *
 * TURNS.  Passes are whole numbers, in millionths of a turn of weight 1.
 *
 *     T1  Classes first.  Each has a pass; of those that have an active
 *         tenant the one with the lowest pass is next, the smaller number on
 *         a tie.  Being served moves the pass by 1000000 / share, rounded
 *         down, with shares 8, 3 and 1.  So no class waits for ever: when all
 *         three are busy, batch gets a turn in twelve, and an idle class's
 *         turns go to the others.
 *     T2  Then tenants, the same way inside the class: lowest pass, lowest
 *         id (by bytes) on a tie; 1000000 / weight, rounded down.
 *     T3  Virtual time is the pass, before its step, that was served last:
 *         one of the classes, one of the tenants of each class.  It never
 *         goes back: it is the greatest of those.
 *     T4  Who comes, or comes back after being idle, starts at max(own pass,
 *         virtual time): idling earns nothing.
 *     T5  The jobs of one user of a tenant in a class, the oldest first, are
 *         a line; the lines of a tenant take turns, a job each, so that one
 *         user at his bound does not hold up the others.  A line whose oldest
 *         job meets a shut gate is parked there, with class and tenant.  A
 *         tenant without a line that is not parked is idle and keeps its
 *         pass.  When one is woken it returns at max(own pass, virtual time -
 *         own step): one turn ahead of those who come anew, and never more.
 *     T6  A freed slot wakes one line of those parked on its gate: queues that
 *         share the gate take turns; in the queue, of the classes for which
 *         the gate is open now (G1), the next by T1; in it the next tenant by
 *         T2, by its pass when it was parked and a step for each line woken
 *         since.  A rate wakes that line when its own cost passes.  A woken
 *         line that does not take the slot (it is empty, or another gate is
 *         shut) hands the wake on; one that nobody served for 5 s has lost
 *         it, and the next is woken.
 *     T7  Looking at a shut gate costs no turn; only a job that starts does.
 */

#ifndef PODI_GATE_H
#define PODI_GATE_H


#include "podi_time.h"


#define PODI_GATE_NONE   (-1)
#define PODI_TURN        1000000        /* a step of weight 1 */
#define PODI_CLASSES     3

typedef enum {
    PODI_CLASS_INTERACTIVE = 0,
    PODI_CLASS_NORMAL,
    PODI_CLASS_BATCH
} podi_class_e;

typedef struct {
    int64_t      slots;         /* 0: no bound, here */
    int64_t      reserve;       /* of them, only for class 0 */
    int64_t      taken;
    podi_usec_t  opens_at;      /* shut before; 0: not */
} podi_gate_t;


extern const int64_t  podi_class_shares[PODI_CLASSES];


int podi_gate_is_open(const podi_gate_t *gate, podi_class_e class,
    podi_usec_t now);

/* the place of the first gate that is shut; PODI_GATE_NONE: all are open */
int podi_gate_first_shut(const podi_gate_t *gates, int n, podi_class_e class,
    podi_usec_t now);

/* a pass after one more turn (T1, T2), on coming (T4), on waking (T5) */
int64_t podi_turn_step(int64_t pass, int64_t weight);
int64_t podi_turn_return(int64_t pass, int64_t virtual_time);
int64_t podi_turn_wake(int64_t pass, int64_t weight, int64_t virtual_time);

/*
 * The place of the lowest pass among those that are ready; -1 when none is.
 * Ties go to the smaller place, so tenants stand in the order of their ids.
 */
int podi_turn_next(const int64_t *passes, const unsigned char *ready, int n);


#endif /* PODI_GATE_H */
