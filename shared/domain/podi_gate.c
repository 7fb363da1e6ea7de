/*
 * podi_gate: the rules stand in the header, with their numbers.
 */

#include "podi_gate.h"
#include "podi_assert.h"
#include "banned.h"


const int64_t  podi_class_shares[PODI_CLASSES] = { 8, 3, 1 };


int
podi_gate_is_open(const podi_gate_t *gate, podi_class_e class,
    podi_usec_t now)
{
    int64_t  room;

    if (gate->opens_at > now) {
        return 0;
    }

    if (gate->slots == 0) {
        return 1;
    }

    room = gate->slots;

    if (class != PODI_CLASS_INTERACTIVE) {
        room -= gate->reserve;
    }

    return gate->taken < room;
}


int
podi_gate_first_shut(const podi_gate_t *gates, int n, podi_class_e class,
    podi_usec_t now)
{
    int  i;

    for (i = 0; i < n; i++) {
        if (!podi_gate_is_open(&gates[i], class, now)) {
            return i;
        }
    }

    return PODI_GATE_NONE;
}


int64_t
podi_turn_step(int64_t pass, int64_t weight)
{
    podi_assert(weight > 0);

    return pass + PODI_TURN / weight;
}


int64_t
podi_turn_return(int64_t pass, int64_t virtual_time)
{
    return pass > virtual_time ? pass : virtual_time;
}


int64_t
podi_turn_wake(int64_t pass, int64_t weight, int64_t virtual_time)
{
    podi_assert(weight > 0);

    return podi_turn_return(pass, virtual_time - PODI_TURN / weight);
}


int
podi_turn_next(const int64_t *passes, const unsigned char *ready, int n)
{
    int  i, next = -1;

    for (i = 0; i < n; i++) {
        if (ready[i] && (next < 0 || passes[i] < passes[next])) {
            next = i;
        }
    }

    return next;
}
