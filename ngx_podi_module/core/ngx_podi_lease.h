/*
 * ngx_podi_lease: one of all workers does what one has to do.
 *
 *     nobody's -> whoever asks first -> (given back) -> nobody's
 *                     |
 *                     '-> the next one who asks, when its time is up or its
 *                         holder is dead
 *
 * A reload is no gap, because who leaves gives it back.  One that stood still
 * for longer than its time, and goes on, finds it another's: before it writes
 * what it has asked for meanwhile it looks whether it still leads.
 *
 * In shared memory; zeroed: nobody's.
 */

#ifndef NGX_PODI_LEASE_H
#define NGX_PODI_LEASE_H


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    uint64_t      holder;           /* a process */
    ngx_atomic_t  until;            /* ngx_current_msec */
} ngx_podi_lease_t;


/* 1: we lead, and do so for that time unless we ask again */
ngx_uint_t ngx_podi_lease_take(ngx_podi_lease_t *lease, ngx_msec_t time);
ngx_uint_t ngx_podi_lease_is_ours(const ngx_podi_lease_t *lease);
void ngx_podi_lease_give(ngx_podi_lease_t *lease);


#endif /* NGX_PODI_LEASE_H */
