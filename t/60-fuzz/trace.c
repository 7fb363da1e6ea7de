/*
 * trace: whatever came in, what goes out is a traceparent and a short,
 * legal tracestate.
 */

#include "fuzz.h"
#include "podi_trace.h"
#include "banned.h"


const char *const  fuzz_seeds[] = {
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n"
    "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7",
    "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03-what\n"
    "a=1,b@c/d=x y, ,z*_-=!~",
    NULL
};


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    podi_str_t      rest, parent, again, states[1];
    podi_trace_t    t, back;
    unsigned char   text[PODI_TRACEPARENT_LEN];

    rest = fuzz_str(data, size);

    if (!podi_str_split(&rest, '\n', &parent)) {
        return 0;
    }

    states[0] = rest;

    fuzz_assert(podi_trace_begin(&parent, 1, states, 1, fuzz_mem(), &t)
                == PODI_OK);

    podi_trace_format(&t, text);
    again.data = text;
    again.len = sizeof(text);

    fuzz_assert(podi_trace_parse(&again, &back) == PODI_OK);
    fuzz_assert(t.state.len <= PODI_TRACESTATE_MAX);
    fuzz_assert(t.continued || t.state.len == 0);

    return 0;
}
