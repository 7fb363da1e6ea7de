/*
 * podi_fault: named places at which the tests break a process.
 *
 *     PODI_FAULT(settle_ask) -> is there $PODI_FAULT_DIR/<me>.settle_ask ?
 *         no          -> on
 *         "kill"      -> SIGKILL, as if the machine had died right here
 *         "pause"     -> SIGSTOP: the test restarts a server, or has the next
 *                        answer cut, and sends SIGCONT
 *
 * Only in the build flavour with PODI_FAULTS (make FAULTS=1); in every other
 * one a point is nothing: no symbol, no environment, no branch.
 */

#ifndef PODI_FAULT_H
#define PODI_FAULT_H


#ifdef PODI_FAULTS

typedef enum {
#define PODI_FAULT_POINT(name, who, peer, what)  PODI_FAULT_AT_##name,
#include "podi_faults.def"
#undef PODI_FAULT_POINT
    PODI_FAULT_LAST
} podi_fault_e;


/* one process alone finds an armed point; it notes its pid there */
void podi_fault_at(podi_fault_e point);

#define PODI_FAULT(name)  podi_fault_at(PODI_FAULT_AT_##name)

#else

#define PODI_FAULT(name)  ((void) 0)

#endif


#endif /* PODI_FAULT_H */
