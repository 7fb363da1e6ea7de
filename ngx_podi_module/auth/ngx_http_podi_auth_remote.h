/*
 * ngx_http_podi_auth_remote: the keys that an issuer publishes at a URL.
 *
 *     fetch (one worker of all) -> document in shared memory, a generation
 *                                        |
 *     each worker: another generation? -> parse -> its ring
 *
 * The last good document is kept, over reloads too, and believed for `stale`
 * when no newer one comes: an issuer that is down, or publishes nonsense, takes
 * nobody's access away.  One that was never read lets nobody in.
 */

#ifndef NGX_HTTP_PODI_AUTH_REMOTE_H
#define NGX_HTTP_PODI_AUTH_REMOTE_H


#include "ngx_http_podi_auth.h"
#include "podi_http.h"
#include "podi_list.h"


#define NGX_HTTP_PODI_REMOTE_MISSING  16

/* `jwks_url`; const after configuration */

struct ngx_http_podi_remote_s {
    const ngx_http_podi_issuer_t  *issuer;
    ngx_str_t                      url;         /* with a NUL */
    ngx_str_t                      ca_file;     /* with a NUL; "": system's */
    time_t                         refresh;
    time_t                         cooldown;    /* between two for a kid */
    time_t                         stale;
    time_t                         timeout;
    ngx_uint_t                     inside;      /* private addresses too */
    ngx_shm_zone_t                *zone;
};

/* a kid that was looked for and not found, by its hash */

typedef struct {
    ngx_atomic_t  hash;
    ngx_atomic_t  until;
} ngx_http_podi_missing_t;

/* in the zone; times in seconds of ngx_http_podi_keyset_now() */

typedef struct {
    uint64_t                 lock;          /* of text and what goes with it */
    ngx_atomic_t             generation;    /* 0: never read */
    ngx_atomic_t             read;          /* last time that it was good */
    ngx_atomic_t             tried;         /* when the last attempt began */
    ngx_atomic_t             owner;         /* pid that fetches */
    ngx_atomic_t             lease;         /* until then; 0: nobody does */
    ngx_atomic_t             rounds;        /* attempts that have ended */
    ngx_atomic_t             failing;       /* failures in a row */
    ngx_atomic_t             failed;        /* failures */
    ngx_atomic_t             keys;
    ngx_http_podi_missing_t  missing[NGX_HTTP_PODI_REMOTE_MISSING];
    u_char                   digest[32];    /* of text: a torn one shows */
    size_t                   len;
    u_char                   text[PODI_JOSE_SET_MAX];
} ngx_http_podi_keyset_t;


time_t ngx_http_podi_keyset_now(void);

/* NULL before the zone is there */
ngx_http_podi_keyset_t *ngx_http_podi_keyset(
    const ngx_http_podi_remote_t *remote);

ngx_int_t ngx_http_podi_keyset_init(ngx_shm_zone_t *zone, void *data);

/* is there a document, and is it young enough to be believed? */
ngx_uint_t ngx_http_podi_keyset_is_good(const ngx_http_podi_remote_t *remote);

/* a copy in mem, with its generation; ERROR: none, or no memory */
podi_rc_t ngx_http_podi_keyset_copy(const ngx_http_podi_remote_t *remote,
    podi_mem_t *mem, podi_str_t *ret_text, ngx_uint_t *ret_generation);

/* the document is good; another one is another generation */
void ngx_http_podi_keyset_publish(const ngx_http_podi_remote_t *remote,
    const podi_str_t *text, ngx_uint_t keys);

/* was it looked for lately, and in vain?  And: it was, in a new document */
ngx_uint_t ngx_http_podi_keyset_is_missing(
    const ngx_http_podi_keyset_t *set, const podi_str_t *kid);
void ngx_http_podi_keyset_miss(const ngx_http_podi_remote_t *remote,
    const podi_str_t *kid);

/*
 * Whoever gets the lease fetches, alone of all workers; it is good for the
 * fetch's timeout, should its process die.
 */
ngx_uint_t ngx_http_podi_keyset_lease(const ngx_http_podi_remote_t *remote);
ngx_uint_t ngx_http_podi_keyset_is_leased(const ngx_http_podi_keyset_t *set);

/* when the next attempt is due without anybody's wish */
time_t ngx_http_podi_keyset_due(const ngx_http_podi_remote_t *remote);


/* what one worker has: made by init_process, gone with the process */

typedef struct {
    podi_flow_t                    flow;
    const ngx_http_podi_remote_t  *remote;
    ngx_http_podi_auth_fetch_t    *fetch;
    podi_http_t                   *http;        /* from the first fetch on */
    podi_arena_t                  *arena;       /* of the fetch */
    podi_link_t                    waiters;
    podi_arena_t                  *ring_arena;
    podi_jose_ring_t              *ring;        /* of `generation` */
    ngx_uint_t                     generation;
} ngx_http_podi_fetcher_t;

struct ngx_http_podi_auth_fetch_s {
    podi_io_t                     *io;
    podi_timer_t                  *tick;
    podi_timer_t                  *poll;
    podi_post_t                    wake;
    ngx_log_t                     *log;
    ngx_uint_t                     n;
    ngx_http_podi_fetcher_t       *fetchers;    /* by issuer; some unused */
};

ngx_http_podi_fetcher_t *ngx_http_podi_fetcher(
    const ngx_http_podi_remote_t *remote);

ngx_int_t ngx_http_podi_auth_fetch_start(ngx_cycle_t *cycle);
void ngx_http_podi_auth_fetch_stop(ngx_cycle_t *cycle);

/* fetches now, if this worker may; 1: somebody is at it */
ngx_uint_t ngx_http_podi_auth_fetch_now(const ngx_http_podi_remote_t *remote);

/* a step's end: answers when the fetch that is under way has ended */
PODI_MUSTCHECK podi_rc_t ngx_http_podi_auth_fetch_wait(podi_flow_t *f,
    const ngx_http_podi_remote_t *remote);


#endif /* NGX_HTTP_PODI_AUTH_REMOTE_H */
