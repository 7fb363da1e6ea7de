/*
 * podi_redis_int: what the files of the Redis engine share.
 *
 *     podi_redis.c         the engine, operations, answering
 *     podi_redis_call.c    commands and scripts
 *     podi_redis_conn.c    the connection: states, time, loss
 *     podi_redis_wire.c    hiredis on the loop
 *     podi_redis_greet.c   what is said before it is used
 *     podi_redis_sub.c     the subscriber
 *     podi_redis_reply.c   replies: copies, errors
 *     podi_lua.c           the scripts' texts
 *
 * hiredis calls us from inside redisAsyncHandleRead, and may free its context
 * there.  So its callbacks only take note (an operation is answered, the
 * connection is doomed, it is gone); podi_redis_settle acts on the notes once
 * hiredis has returned, and answers are given by `wake`.
 *
 * hiredis writes with write(2): the process must ignore SIGPIPE.
 */

#ifndef PODI_REDIS_INT_H
#define PODI_REDIS_INT_H


#include <hiredis/hiredis.h>
#include <hiredis/async.h>

#include "podi_list.h"
#include "podi_redis.h"


#define PODI_REDIS_BUCKETS  1024

typedef struct podi_redis_op_s       podi_redis_op_t;
typedef struct podi_redis_channel_s  podi_redis_channel_t;


/*
 *   DOWN       -> CONNECTING  [podi_redis_open]     back-off is over
 *   CONNECTING -> GREETING    [podi_redis_settle]   hiredis says connected
 *   GREETING   -> READY       [podi_redis_settle]   all greetings answered
 *   any        -> DOWN        [podi_redis_down]
 */
typedef enum {
    PODI_REDIS_S_DOWN,
    PODI_REDIS_S_CONNECTING,
    PODI_REDIS_S_GREETING,
    PODI_REDIS_S_READY,
    PODI_REDIS_S_LAST
} podi_redis_state_e;

/*
 * A command on the wire.  Once its flow is gone (answered at its deadline,
 * cancelled, or never there) it stays as a tombstone until hiredis is done
 * with it.
 */
struct podi_redis_op_s {
    podi_op_t            op;
    podi_link_t          link;      /* in ops, or in answered */
    podi_redis_t        *redis;
    podi_msec_t          due;       /* the caller is answered */
    podi_msec_t          dead;      /* the peer is taken for dead */
    podi_lua_e           script;
    char                *evalsha;   /* a script's command, or NULL */
    size_t               evalsha_len;
    podi_redis_reply_t  *reply;
    podi_fail_t          fail;
    unsigned             answered:1;
};

struct podi_redis_channel_s {
    podi_redis_channel_t  *next;
    podi_str_t             name;    /* behind the struct */
};

struct podi_redis_s {
    podi_io_t             *io;
    podi_redis_conf_t      conf;
    podi_redis_state_e     state;
    redisAsyncContext     *ac;      /* NULL: none, or hiredis has freed it */
    podi_watch_t          *watch;
    unsigned               wanted;
    podi_timer_t          *due;     /* WORK: the earliest deadline */
    podi_timer_t          *care;    /* DOWN: back-off; CONNECTING, GREETING:
                                       connect_timeout; READY: ping, peer */
    podi_post_t            wake;
    podi_post_t            flush;
    podi_link_t            ops;     /* on the wire, in order */
    unsigned               n_ops;
    podi_link_t            answered;
    podi_redis_channel_t **channels;        /* SUBSCRIBER */
    podi_msec_t            heard;   /* when the peer last sent something */
    podi_msec_t            probed;  /* SUBSCRIBER: when it was asked, or 0 */
    unsigned               greetings;       /* not answered yet */
    unsigned               failures;
    char                   sha[PODI_LUA_LAST][41];
    podi_fail_t            fail;    /* config: CONFIG; doomed: why */
    unsigned               depth;
    unsigned               started:1;
    unsigned               freeing:1;
    unsigned               misconfigured:1;
    unsigned               due_armed:1;
    unsigned               connected:1;     /* note: hiredis is connected */
    unsigned               listened:1;      /* SUBSCRIBE was sent */
    unsigned               listening:1;     /* note: ... and answered */
    unsigned               doomed:1;        /* note: close it */
    unsigned               at_once:1;       /* ... and open it again now */
    unsigned               up:1;
    unsigned               flushing:1;
};


void podi_redis_enter(podi_redis_t *redis);
void podi_redis_leave(podi_redis_t *redis);
void podi_redis_wake(podi_redis_t *redis);

/* an operation; NULL: no memory */
podi_redis_op_t *podi_redis_op_create(podi_redis_t *redis, podi_msec_t wait);
podi_rc_t podi_redis_op_begin(podi_redis_op_t *op, podi_flow_t *f);
void podi_redis_op_finish(podi_redis_op_t *op);
void podi_redis_op_gone(podi_op_t *op);
void podi_redis_op_free(podi_redis_op_t *op);

/* is the peer alive? */
void podi_redis_ping(podi_redis_t *redis);
void podi_redis_listen_again(podi_redis_t *redis);

/* the connection */
PODI_MUSTCHECK podi_rc_t podi_redis_address_check(const char *address,
    podi_fail_t *fail);
redisAsyncContext *podi_redis_connect(podi_redis_t *redis);
PODI_MUSTCHECK podi_rc_t podi_redis_attach(podi_redis_t *redis);
void podi_redis_flush_posted(void *data);
void podi_redis_open(podi_redis_t *redis);
void podi_redis_close(podi_redis_t *redis);
void podi_redis_settle(podi_redis_t *redis);
void podi_redis_doom(podi_redis_t *redis, const podi_fail_t *fail);
void podi_redis_care(podi_redis_t *redis, podi_msec_t after);
void podi_redis_care_timed(void *data);

/* what goes wrong in these dooms the connection */
void podi_redis_greet(podi_redis_t *redis);
void podi_redis_listen(podi_redis_t *redis);
void podi_redis_channels_free(podi_redis_t *redis);

/* replies; copy gives NULL when there is no memory */
podi_redis_reply_t *podi_redis_reply_copy(podi_mem_t *mem,
    const redisReply *reply);
void podi_redis_reply_fail(podi_fail_t *fail, const redisReply *reply);
int podi_redis_reply_is(const redisReply *reply, const char *code);
int podi_redis_reply_downs(const redisReply *reply);
void podi_redis_unavailable(podi_fail_t *fail, const char *why);


#endif /* PODI_REDIS_INT_H */
