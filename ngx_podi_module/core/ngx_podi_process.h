/*
 * ngx_podi_process: a process as shared memory remembers it.
 *
 *     word: pid | ticks from boot to its start << 32
 *
 * The kernel gives numbers away again, but never with the same start.  Where
 * /proc does not tell it, the number alone has to do.
 */

#ifndef NGX_PODI_PROCESS_H
#define NGX_PODI_PROCESS_H


#include <ngx_config.h>
#include <ngx_core.h>


#define ngx_podi_process_pid(word)  ((ngx_pid_t) ((word) & 0xffffffff))

/* this one; never 0, so that 0 is nobody */
uint64_t ngx_podi_process(void);

/*
 * Is there no such process any more?  Of 0: no.  Costs a signal and a look into
 * /proc: not for each request.
 */
ngx_uint_t ngx_podi_process_is_dead(uint64_t word);


#endif /* NGX_PODI_PROCESS_H */
