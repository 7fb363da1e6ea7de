/*
 * event: the streams of this worker, and the verbs of this directory.
 *
 *     commit -> user_event (PostgreSQL) -> hint (Redis) -> hub -> streams
 *                       ^                                    |
 *                       `------- pull, on any gap -----------'
 *
 * PostgreSQL holds the events and their dense numbers; a hint that carries
 * the next number is delivered as it is, everything else makes the stream
 * pull.  So a lost hint costs time and never an event.
 */

#ifndef NGX_HTTP_PODI_EVENT_H
#define NGX_HTTP_PODI_EVENT_H


#include "ngx_podi_revoke.h"
#include "podi_list.h"


#define EVENT_PAGE       200            /* rows of one pull */
#define EVENT_PULLS      8              /* pulls at a time, of one worker */
#define EVENT_QUEUE_MAX  (256 * 1024)   /* bytes a slow client may pin */
#define EVENT_TICKET     43             /* characters: 32 bytes, base64url */

typedef struct {
    ngx_msec_t   keepalive;
    ngx_msec_t   lifetime;
    ngx_msec_t   drain;
    ngx_uint_t   streams;               /* of one user, in one worker */
    ngx_uint_t   used;                  /* some location says podi_event */
} ngx_http_podi_event_conf_t;

/*
 * A stream is in one of these states:
 *
 *     BEHIND  -> PULLING   [stream_pull]    there may be more in PostgreSQL
 *     PULLING -> LIVE      [stream_pulled]  it has all that there was
 *     PULLING -> BEHIND    [stream_pulled]  a full page, or a failure
 *     LIVE    -> BEHIND    [stream_behind]  a gap, or no room
 *     any     -> CLOSING   [event_stream_close, event_stream_break]
 *
 * Only a LIVE stream takes events from the hub.  In CLOSING the last bytes
 * are on their way; the request ends when they are gone.
 */

typedef enum {
    EVENT_BEHIND,
    EVENT_PULLING,
    EVENT_LIVE,
    EVENT_CLOSING
} ngx_http_podi_event_state_e;

typedef struct ngx_http_podi_event_user_s    ngx_http_podi_event_user_t;
typedef struct ngx_http_podi_event_stream_s  ngx_http_podi_event_stream_t;

struct ngx_http_podi_event_user_s {
    podi_link_t   bucket;               /* by user id */
    podi_link_t   all;
    podi_link_t   streams;
    ngx_uint_t    n;
    ngx_uint_t    round;                /* of the position check */
    size_t        n_tenant;
    u_char        id[PODI_ID_LEN];
    u_char        tenant[];             /* a UUID, or "@slug" */
};

/*
 * Bytes on their way to the client; memory of malloc, none when idle: an idle
 * stream is to cost little, and there are many.
 */

typedef struct {
    size_t        size;
    size_t        len;
    u_char        data[];
} ngx_http_podi_event_chunk_t;

/*
 * buf says how far nginx is with the busy chunk.  It outlives the chunk: the
 * chunked filter keeps a link to what it could not pass on at once, and looks
 * at it again when the next one comes.
 */

typedef struct {
    ngx_http_podi_event_chunk_t  *queue;      /* waits, or NULL */
    ngx_http_podi_event_chunk_t  *busy;       /* nginx has it, or NULL */
    ngx_buf_t                     buf;
} ngx_http_podi_event_out_t;

struct ngx_http_podi_event_stream_s {
    unsigned                      magic;
    ngx_http_podi_event_state_e   state;
    ngx_http_request_t           *request;
    ngx_podi_keep_t               keep;       /* of the request */
    ngx_http_podi_event_user_t   *user;
    podi_link_t                   of_user;
    podi_link_t                   turn;       /* of being visited */
    podi_link_t                   waiting;    /* for a pull */
    podi_link_t                   ready;      /* to go on */
    int64_t                       position;   /* the last number queued */
    int64_t                       top;        /* there when the pull began */
    podi_flow_t                  *pull;       /* in the arena, or NULL */
    podi_arena_t                 *arena;      /* of the pull */
    ngx_http_podi_event_out_t     out;
    ngx_msec_t                    written;
    ngx_msec_t                    visited;
    ngx_msec_t                    ends;       /* rotation */
    ngx_msec_t                    drains;     /* when the worker leaves */
    time_t                        expires;    /* of the credential */
    podi_str_t                    session;
    ngx_podi_marks_t              marks;      /* what may be revoked of it */
    time_t                        issued;
    unsigned                      again:1;    /* something came meanwhile */
    unsigned                      full:1;     /* the page had no end */
    unsigned                      failed:1;   /* the pull did */
    unsigned                      pulled:1;   /* to be concluded */
    unsigned                      broken:1;   /* the client is lost */
};


extern ngx_module_t  ngx_http_podi_event_module;


const ngx_http_podi_event_conf_t *ngx_http_podi_event_conf(void);


/* ---- stream ------------------------------------------------------------ */

/* in memory of the request, whose module ctx it becomes; NULL: no memory */
ngx_http_podi_event_stream_t *event_stream_create(ngx_http_request_t *r);

/*
 * Takes part from now on: gets everything after s->position.  The caller has
 * set position, expires and session, and sent the header.
 * RATE_LIMITED: the user has too many.
 */
PODI_MUSTCHECK podi_rc_t event_stream_open(ngx_http_podi_event_stream_t *s,
    const ngx_podi_identity_t *who, podi_fail_t *fail);

/* the client went away: s->keep is to say so */
void event_stream_gone(ngx_podi_keep_t *keep);

/* one numbered event, as a whole frame */
void event_stream_offer(ngx_http_podi_event_stream_t *s, int64_t seq,
    const podi_str_t *frame);

/* a frame that may be left out: progress */
void event_stream_offer_tick(ngx_http_podi_event_stream_t *s,
    const podi_str_t *frame);

/* PostgreSQL has numbers up to `top`: pull if the stream has not had them */
void event_stream_check(ngx_http_podi_event_stream_t *s, int64_t top);

/* the last frame, then the end of the response */
void event_stream_close(ngx_http_podi_event_stream_t *s, const char *event,
    const char *data);

/* the client is lost: nothing more is sent */
void event_stream_break(ngx_http_podi_event_stream_t *s);

/* goes on with whatever is possible now, from a clean stack */
void event_stream_go_on(ngx_http_podi_event_stream_t *s);

/* that, from the clean stack; the stream and its request may end with it */
void event_stream_run(ngx_http_podi_event_stream_t *s);


/* ---- output ------------------------------------------------------------ */

/* OK, or DECLINED: there is no room for it */
podi_rc_t event_out_add(ngx_http_podi_event_stream_t *s, const u_char *data,
    size_t len);
void event_out_printf(ngx_http_podi_event_stream_t *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void event_out_flush(ngx_http_podi_event_stream_t *s);
int event_out_is_idle(const ngx_http_podi_event_stream_t *s);
void event_out_free(ngx_http_podi_event_out_t *out);

/* the frame of one event row, or of one published event */
void event_frame_row(podi_buf_t *b, const podi_pg_result_t *res, int row);
void event_frame_json(podi_buf_t *b, const json_t *event);


/* ---- hub --------------------------------------------------------------- */

ngx_int_t event_hub_start(ngx_cycle_t *cycle);
void event_hub_stop(void);
PODI_MUSTCHECK podi_rc_t event_hub_join(ngx_http_podi_event_stream_t *s,
    const ngx_podi_identity_t *who, podi_fail_t *fail);
void event_hub_leave(ngx_http_podi_event_stream_t *s);

/* event_stream_run comes for it, in turn */
void event_hub_ready(ngx_http_podi_event_stream_t *s);

/* 0: wait, event_stream_go_on comes when another pull is over */
int event_hub_may_pull(ngx_http_podi_event_stream_t *s);
void event_hub_pulled(void);

/* somebody who was to pull did not: the next one may */
void event_hub_wake(void);


/* ---- verbs ------------------------------------------------------------- */

ngx_int_t ngx_http_podi_event_open(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_event_ticket(ngx_http_request_t *r,
    const podi_str_t *args);
ngx_int_t ngx_http_podi_event_snapshot(ngx_http_request_t *r,
    const podi_str_t *args);


#endif /* NGX_HTTP_PODI_EVENT_H */
