/*
 * podi_assert: always compiled in, and only for our own invariants: magic
 * numbers, states, "exactly once".  Never for input, peers, time or memory.
 */

#ifndef PODI_ASSERT_H
#define PODI_ASSERT_H


void podi_assert_failed(const char *what, const char *file, int line)
    __attribute__((noreturn));

#define podi_assert(cond)                                                    \
    ((cond) ? (void) 0 : podi_assert_failed(#cond, __FILE__, __LINE__))


#endif /* PODI_ASSERT_H */
