/*
 * What limit knows of its limits in Redis.
 */

#ifndef NGX_HTTP_PODI_LIMIT_REMOTE_H
#define NGX_HTTP_PODI_LIMIT_REMOTE_H


#include "ngx_http_podi_limit.h"
#include "podi_breaker.h"


/* of this worker */

typedef struct {
    podi_io_t                   *io;
    podi_redis_t                *redis;
    podi_limit_t                *limit;
    podi_timer_t                *tick;
    podi_timer_t                *first;     /* how long the first ones wait */
    podi_link_t                  waiting;   /* ... for the connection */
    ngx_uint_t                   known;     /* whether Redis is there */
    podi_limit_stat_t            seen;      /* at the last tick */
    podi_breaker_t               breaker;
    podi_breaker_conf_t          conf;
    podi_breaker_state_e         told;      /* to the log */
    podi_flow_t                  probe;
    podi_arena_t                *arena;     /* of the probe */
    podi_limit_answer_t          answer;
    uint64_t                     ticket;
    podi_msec_t                  since;
} ngx_http_podi_limit_worker_t;


/* stop gives back what is leased and held */
ngx_int_t ngx_http_podi_limit_remote_start(ngx_cycle_t *cycle,
    const ngx_http_podi_limit_main_conf_t *lmcf);
void ngx_http_podi_limit_remote_stop(void);

/*
 * Decides the ops of set from `local` on: OK, all passed; DECLINED, one that
 * is not dry did not.  AGAIN: the request is parked, and the phase handler
 * returns that; when it runs again, parked gives the set that has been decided
 * (once), and what this would have given.  Whatever else is for the handler to
 * return.  Places are given back with the request.
 */
ngx_int_t ngx_http_podi_limit_remote(ngx_http_request_t *r,
    ngx_http_podi_limit_set_t *set);
ngx_http_podi_limit_set_t *ngx_http_podi_limit_parked(ngx_http_request_t *r,
    ngx_int_t *ret_rc);

/* the same without Redis; never AGAIN */
ngx_int_t ngx_http_podi_limit_away(ngx_http_podi_limit_set_t *set);

/* kind, rate, period, burst and offset of an ask */
void ngx_http_podi_limit_ask(const podi_rule_t *rule, podi_limit_ask_t *ask);

/*
 * The breaker of this worker.  OK: ask Redis, and report; DECLINED: do not.
 * No request waits to find out whether Redis is back.
 */
void ngx_http_podi_limit_breaker_init(ngx_http_podi_limit_worker_t *w,
    ngx_msec_t deadline);
ngx_int_t ngx_http_podi_limit_breaker(ngx_http_podi_limit_worker_t *w,
    uint64_t *ret_ticket);
void ngx_http_podi_limit_report(ngx_http_podi_limit_worker_t *w,
    uint64_t ticket, podi_breaker_outcome_e outcome, podi_msec_t since);


#endif /* NGX_HTTP_PODI_LIMIT_REMOTE_H */
