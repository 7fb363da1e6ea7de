/*
 * podi_trace: W3C Trace Context, levels 1 and 2.
 *
 * A valid traceparent is continued, whatever its version; an invalid one, or
 * more than one, starts a new trace and drops tracestate.  A bad tracestate
 * never harms the traceparent.  What is sent on is version 00, with a span
 * id of our own.
 */

#ifndef PODI_TRACE_H
#define PODI_TRACE_H


#include "podi_mem.h"


#define PODI_TRACE_ID_LEN      32
#define PODI_SPAN_ID_LEN       16
#define PODI_TRACEPARENT_LEN   55
#define PODI_TRACESTATE_MAX    512      /* at least so much is passed on */

typedef struct {
    unsigned char  trace_id[PODI_TRACE_ID_LEN];     /* lower-case hex, no NUL */
    unsigned char  span_id[PODI_SPAN_ID_LEN];       /* of this hop */
    unsigned char  parent_id[PODI_SPAN_ID_LEN];     /* all '0': a root */
    podi_str_t     state;               /* tracestate to send on, or "" */
    unsigned       sampled:1;           /* as the caller wished */
    unsigned       random:1;
    unsigned       continued:1;
} podi_trace_t;


/*
 * From the values of all traceparent and all tracestate headers, in order.
 * ERROR only when there is no memory or no randomness.
 */
PODI_MUSTCHECK podi_rc_t podi_trace_begin(const podi_str_t *parents,
    size_t n_parents, const podi_str_t *states, size_t n_states,
    podi_mem_t *mem, podi_trace_t *ret_trace);

/* one stored traceparent, as in a job's row: OK, or DECLINED when invalid */
PODI_MUSTCHECK podi_rc_t podi_trace_parse(const podi_str_t *parent,
    podi_trace_t *ret_trace);

/* the same trace, a new span whose parent is the span of `trace` */
PODI_MUSTCHECK podi_rc_t podi_trace_hop(const podi_trace_t *trace,
    podi_trace_t *ret_next);

/* exactly PODI_TRACEPARENT_LEN bytes, no NUL */
void podi_trace_format(const podi_trace_t *trace, unsigned char *dst);

podi_str_t podi_trace_id(const podi_trace_t *trace);


#endif /* PODI_TRACE_H */
