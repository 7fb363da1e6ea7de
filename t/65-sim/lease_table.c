/*
 * lease_table: what the lease machine answers, row by row.
 *
 * Each row is a story: its events happen to a new job, one second apart, and
 * the last one's verdict and the state after it are what counts.
 */

#include <stdio.h>
#include <string.h>

#include "lease.h"
#include "banned.h"


typedef struct {
    const char      *what;
    const char      *story;     /* events, see story_event */
    lease_verdict_e  verdict;
    lease_state_e    state;
    int              fence;
    int              attempts;
    int              crashes;
    int              deferrals;
} row_t;


/*
 * c claim          b beat          s settle succeeded   x settle failed
 * r retry          d defer         t return             l lease ran out
 * k crash          e expire        n cancel             p drop
 * y replay         z settle by another payload
 * A digit before an event is its fence; without one it is the job's.
 */

static const row_t  rows[] = {
    { "a claim fences", "c", LEASE_OK, LEASE_RUNNING, 1, 1, 0, 0 },
    { "only one claims", "cc", LEASE_REFUSED, LEASE_RUNNING, 1, 1, 0, 0 },
    { "the holder settles", "cs", LEASE_OK, LEASE_SUCCEEDED, 1, 1, 0, 0 },
    { "the same again is ALREADY", "cs1s", LEASE_ALREADY, LEASE_SUCCEEDED,
      1, 1, 0, 0 },
    { "another payload is a MISMATCH", "cs1z", LEASE_MISMATCH,
      LEASE_SUCCEEDED, 1, 1, 0, 0 },
    { "another end is a MISMATCH", "cx1s", LEASE_MISMATCH, LEASE_FAILED,
      1, 1, 0, 0 },
    { "who lost its lease is STALE at once", "cl1s", LEASE_STALE,
      LEASE_QUEUED, 2, 0, 1, 0 },
    { "and stays so when another holds it", "clc1s", LEASE_STALE,
      LEASE_RUNNING, 3, 1, 1, 0 },
    { "and when another has ended it", "clcs1s", LEASE_STALE,
      LEASE_SUCCEEDED, 3, 1, 1, 0 },
    { "a beat keeps it", "cb", LEASE_OK, LEASE_RUNNING, 1, 1, 0, 0 },
    { "a beat under another fence does not", "c2b", LEASE_STALE,
      LEASE_RUNNING, 1, 1, 0, 0 },
    { "a lease that runs is not lost", "cbl", LEASE_OK, LEASE_QUEUED,
      2, 0, 1, 0 },
    { "a retry keeps the attempt", "cr", LEASE_OK, LEASE_QUEUED, 1, 1, 0, 0 },
    { "a retry again is ALREADY", "cr1r", LEASE_ALREADY, LEASE_QUEUED,
      1, 1, 0, 0 },
    { "the third failure is the last", "crcrcr", LEASE_OK, LEASE_FAILED,
      3, 3, 0, 0 },
    { "which can be said again", "crcrcr3r", LEASE_ALREADY, LEASE_FAILED,
      3, 3, 0, 0 },
    { "a deferral gives the attempt back", "cd", LEASE_OK, LEASE_QUEUED,
      1, 0, 0, 1 },
    { "any number of them do", "cdcdcdcdc", LEASE_OK, LEASE_RUNNING,
      5, 1, 0, 4 },
    { "a return gives the attempt back", "ct", LEASE_OK, LEASE_QUEUED,
      1, 0, 0, 0 },
    { "a crash counts and fences", "ck", LEASE_OK, LEASE_QUEUED, 2, 0, 1, 0 },
    { "a crash of a former holder does not", "clc1k", LEASE_STALE,
      LEASE_RUNNING, 3, 1, 1, 0 },
    { "the third crash sets it aside", "ckckck", LEASE_OK, LEASE_FAILED,
      6, 1, 3, 0 },
    { "a cancel ends what waits", "n", LEASE_OK, LEASE_CANCELLED, 1, 0, 0, 0 },
    { "nobody's fence settles that", "n0s", LEASE_STALE, LEASE_CANCELLED,
      1, 0, 0, 0 },
    { "a cancel asks what runs", "cn", LEASE_OK, LEASE_RUNNING, 1, 1, 0, 0 },
    { "twice is ALREADY", "cnn", LEASE_ALREADY, LEASE_RUNNING, 1, 1, 0, 0 },
    { "its holder may still succeed", "cns", LEASE_OK, LEASE_SUCCEEDED,
      1, 1, 0, 0 },
    { "a retry of it ends it", "cnr", LEASE_OK, LEASE_CANCELLED, 1, 1, 0, 0 },
    { "a crash of it ends it", "cnk", LEASE_OK, LEASE_CANCELLED, 2, 1, 1, 0 },
    { "what ended is not cancelled", "csn", LEASE_REFUSED, LEASE_SUCCEEDED,
      1, 1, 0, 0 },
    { "what runs does not expire", "ce", LEASE_REFUSED, LEASE_RUNNING,
      1, 1, 0, 0 },
    { "what waits too long does", "e", LEASE_OK, LEASE_FAILED, 1, 0, 0, 0 },
    { "what it needs failed: so does it", "p", LEASE_OK, LEASE_FAILED,
      1, 0, 0, 0 },
    { "what succeeded is not begun again", "csy", LEASE_REFUSED,
      LEASE_SUCCEEDED, 1, 1, 0, 0 },
    { "what failed is, from nothing", "crcrcry", LEASE_OK, LEASE_QUEUED,
      4, 0, 0, 0 },
    { "an old settle does not end the new round", "cxyc1x", LEASE_STALE,
      LEASE_RUNNING, 3, 1, 0, 0 },
};


static lease_event_t story_event(char c, int64_t now, int fence);


int
lease_table(void)
{
    int              n = sizeof(rows) / sizeof(rows[0]), i, fence, good;
    int              failed = 0;
    lease_t          l;
    int64_t          now;
    const char      *p;
    lease_event_t    e;
    lease_verdict_e  v = LEASE_REFUSED;

    for (i = 0; i < n; i++) {
        memset(&l, 0, sizeof(l));
        l.state = LEASE_QUEUED;
        l.max_attempts = 3;
        l.max_crashes = 3;
        l.max_wait = 100000;
        l.start_by = 100000;
        now = 0;

        for (p = rows[i].story; *p != '\0'; p++) {
            fence = l.fence;

            if (*p >= '0' && *p <= '9') {
                fence = *p++ - '0';
            }

            /* leases and patience run out when the story says so */
            now += *p == 'l' || *p == 'e' ? 100000 : 1000;
            e = story_event(*p, now, fence);
            v = lease_step(&l, &e);
        }

        good = v == rows[i].verdict && l.state == rows[i].state
               && l.fence == rows[i].fence && l.attempts == rows[i].attempts
               && l.crashes == rows[i].crashes
               && l.deferrals == rows[i].deferrals;
        failed += !good;

        printf("%sok %d - %s\n", good ? "" : "not ", i + 1, rows[i].what);

        if (!good) {
            printf("# %s: verdict %d state %d fence %d attempts %d crashes %d"
                   " deferrals %d\n", rows[i].story, v, l.state, l.fence,
                   l.attempts, l.crashes, l.deferrals);
        }
    }

    printf("1..%d\n", n);

    return failed ? 1 : 0;
}


static lease_event_t
story_event(char c, int64_t now, int fence)
{
    lease_event_t  e;

    memset(&e, 0, sizeof(e));
    e.now = now;
    e.fence = fence;
    e.span = c == 'c' || c == 'b' ? 12000 : 0;
    e.end = c == 'x' ? LEASE_FAILED : LEASE_SUCCEEDED;
    e.error = c == 'x' || c == 'r' ? LEASE_E_PROVIDER : LEASE_E_NONE;
    e.digest = c == 'z' ? 2 : 1;

    switch (c) {
    case 'c': e.kind = LEASE_CLAIM; break;
    case 'b': e.kind = LEASE_BEAT; break;
    case 'r': e.kind = LEASE_RETRY; break;
    case 'd': e.kind = LEASE_DEFER; break;
    case 't': e.kind = LEASE_RETURN; break;
    case 'l': e.kind = LEASE_LOST; break;
    case 'k': e.kind = LEASE_CRASH; break;
    case 'e': e.kind = LEASE_EXPIRE; break;
    case 'n': e.kind = LEASE_CANCEL; break;
    case 'p': e.kind = LEASE_DROP; break;
    case 'y': e.kind = LEASE_REPLAY; e.end = LEASE_QUEUED; break;
    default:  e.kind = LEASE_SETTLE;
    }

    return e;
}
