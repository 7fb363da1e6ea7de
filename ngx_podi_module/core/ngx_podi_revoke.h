/*
 * ngx_podi_revoke: the sessions that have ended, known to every worker.
 *
 *     logout -> revoke -> table in shared memory <- is_revoked <- auth
 *                              ^
 *                        feed (PostgreSQL, each second, one worker)
 *
 * An entry lives as long as a token of that session could.  A session is
 * "unknown" as long as the table may lack it: while the feed has not read its
 * tenant (before the first time, when that is long ago, when no podi_tenant
 * names it), and after a bucket had no room; auth then asks PostgreSQL.
 */

#ifndef NGX_PODI_REVOKE_H
#define NGX_PODI_REVOKE_H


#include "ngx_podi.h"


#define NGX_PODI_FEED_PERIOD   1        /* seconds */
#define NGX_PODI_FEED_STALE    10
#define NGX_PODI_TOKEN_LEEWAY  5

/*
 * No token that lives longer is believed, whatever podi_token_lifetime says:
 * another nginx, or this one before a reload, may have said more.  So long an
 * ended session is remembered.
 */

#define NGX_PODI_TOKEN_LIFE    600      /* seconds */

typedef enum {
    NGX_PODI_LIVE,
    NGX_PODI_REVOKED,
    NGX_PODI_UNKNOWN
} ngx_podi_revoked_e;

typedef struct {
    ngx_atomic_t   leader;              /* pid that feeds */
    ngx_atomic_t   lease;               /* until then, seconds */
    ngx_atomic_t   synced;              /* last complete feed, seconds; 0 */
    ngx_atomic_t   blind_until;         /* entries were lost; seconds */
} ngx_podi_feed_t;


/* refused by every worker from the next request on; `sid` is a UUID's text */
void ngx_podi_revoke_session(const podi_str_t *sid);

/* of the session alone: REVOKED, or UNKNOWN */
ngx_podi_revoked_e ngx_podi_session_state(const podi_str_t *sid);

/* of somebody's session; LIVE only in a tenant that the feed covers */
ngx_podi_revoked_e ngx_podi_identity_state(const ngx_podi_identity_t *who);

/* the feed has read this tenant at that time; its UUID's text */
void ngx_podi_feed_covers(const podi_str_t *tenant, time_t read);

/* NULL without a zone */
ngx_podi_feed_t *ngx_podi_feed(void);
ngx_uint_t ngx_podi_revoked_count(void);


#endif /* NGX_PODI_REVOKE_H */
