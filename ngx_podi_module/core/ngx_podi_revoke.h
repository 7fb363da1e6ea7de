/*
 * ngx_podi_revoke: what has been revoked, known to every worker.
 *
 *     logout, revoke -> table in shared memory <- state of an identity <- auth
 *                              ^
 *                        feed (PostgreSQL, four times a second, one worker)
 *
 * Revoked is a session, a token by its jti, or what was issued before some
 * time to a user or in a channel.  An entry lives as long as a token that it
 * names could.
 *
 * An identity is "unknown" as long as the table may lack an entry for it: while
 * the feed has not read its tenant (before the first time, when that is long
 * ago, when no podi_tenant names it), and while a set that it falls into has
 * had no room for all; auth then asks PostgreSQL.
 *
 * What ends at a time of the wall clock is in seconds of it; how long the feed
 * is good for is in ngx_current_msec, which no one sets back and which all
 * processes of a host share.
 */

#ifndef NGX_PODI_REVOKE_H
#define NGX_PODI_REVOKE_H


#include "ngx_podi.h"
#include "ngx_podi_lease.h"


#define NGX_PODI_TOKEN_LEEWAY  5

/*
 * No token of ours that lives longer is believed, whatever podi_token_lifetime
 * says: another nginx, or this one before a reload, may have said more.  So
 * long an ended session is remembered.
 */

#define NGX_PODI_TOKEN_LIFE    600      /* seconds */

/* the feed tells of each revocation again for so long */

#define NGX_PODI_FEED_OVERLAP  15       /* seconds */

/* what had no room in the table is read again after so long */

#define NGX_PODI_FEED_AGAIN    15000    /* msec */

#define NGX_PODI_MARK_LEN      16

typedef enum {
    NGX_PODI_LIVE,
    NGX_PODI_REVOKED,
    NGX_PODI_UNKNOWN
} ngx_podi_revoked_e;

typedef enum {
    NGX_PODI_MARK_TENANT,               /* is only covered, never revoked */
    NGX_PODI_MARK_USER,
    NGX_PODI_MARK_SESSION,
    NGX_PODI_MARK_TOKEN,
    NGX_PODI_MARK_CHANNEL,
    NGX_PODI_MARKS
} ngx_podi_mark_e;

/* an identity as the table knows it: hashes of (kind, issuer, id) */

struct ngx_podi_marks_s {
    unsigned       has;                 /* a bit for each that is there */
    u_char         ids[NGX_PODI_MARKS][NGX_PODI_MARK_LEN];
};

typedef struct {
    ngx_podi_mark_e  kind;
    podi_str_t       issuer;            /* "podi": ours; of a channel: "" */
    podi_str_t       id;
    time_t           before;            /* issued before that; 0: always */
    time_t           until;             /* remembered */
} ngx_podi_revocation_t;

typedef struct {
    ngx_podi_lease_t  lease;            /* of the worker that feeds */
    ngx_atomic_t      synced;           /* last complete feed, msec; 0 */
    ngx_atomic_t      fresh_until;      /* it is good for all, msec */
    ngx_atomic_t      blind_until;      /* an entry was lost; msec */
    ngx_atomic_t      lost_until;       /* then no set is blind; msec */
    ngx_atomic_t      stale;            /* so long it is good; msec */
    ngx_atomic_t      last_until;       /* then the table is empty; seconds */
} ngx_podi_feed_t;


/* what an identity's marks are; ERROR: no memory for a hash */
PODI_MUSTCHECK podi_rc_t ngx_podi_marks_make(const ngx_podi_identity_t *who,
    ngx_podi_marks_t *ret_marks);

/*
 * Refused by every worker from the next request on.  ERROR: it could not be
 * written, and for the time of the feed's overlap all are asked for.
 */
podi_rc_t ngx_podi_revoke(const ngx_podi_revocation_t *what);

/* the same of a session of ours; `sid` is a UUID's text */
void ngx_podi_revoke_session(const podi_str_t *sid);

/*
 * Of somebody; LIVE only where the feed covers him: ours in their tenant,
 * others when what is revoked for all is fresh, or without PostgreSQL.
 */
ngx_podi_revoked_e ngx_podi_identity_state(const ngx_podi_identity_t *who);

/* is it in the table?  What asks for nothing else, such as an open stream */
ngx_uint_t ngx_podi_is_out(const ngx_podi_marks_t *marks, time_t issued);

/* the feed has read this tenant, which is good until then; its UUID's text */
void ngx_podi_feed_covers(const podi_str_t *tenant, ngx_msec_t until);

/* the feed has read all tenants at that time, which is good until then */
void ngx_podi_feed_fresh(ngx_msec_t read, ngx_msec_t until);

/* NULL without a zone */
ngx_podi_feed_t *ngx_podi_feed(void);
ngx_uint_t ngx_podi_revoked_count(void);


#endif /* NGX_PODI_REVOKE_H */
