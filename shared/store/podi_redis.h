/*
 * podi_redis: Redis without waiting, over podi_io.
 *
 * One connection, in one of three roles: commands (pipelined), blocking (one
 * BLPOP at a time, with a deadline that knows of it) or subscriber (RESP2: a
 * subscribed connection runs nothing else).  hiredis 0.14 has no deadlines,
 * no reconnect and frees its context by itself; all of that is handled here.
 *
 * Promises: no call blocks; an answer never comes inside the call that asked;
 * each command is answered once, at the latest at its deadline; NOSCRIPT is
 * answered by sending the script itself (which then runs behind what was sent
 * meanwhile); LOADING, READONLY, MASTERDOWN and a silent peer take the
 * connection down; reconnects with exponential back-off and full jitter;
 * subscriptions are taken again after a reconnect and on_change says so,
 * because messages in between are lost.
 */

#ifndef PODI_REDIS_H
#define PODI_REDIS_H


#include "podi_flow.h"
#include "podi_io.h"
#include "podi_secret.h"


typedef enum {
#define PODI_LUA(id, file)  PODI_LUA_##id,
#include "podi_scripts.def"
#undef PODI_LUA
    PODI_LUA_LAST
} podi_lua_e;

typedef struct podi_redis_s        podi_redis_t;
typedef struct podi_redis_reply_s  podi_redis_reply_t;

typedef enum {
    PODI_REDIS_COMMANDS,
    PODI_REDIS_BLOCKING,
    PODI_REDIS_SUBSCRIBER
} podi_redis_role_e;

typedef enum {
    PODI_REDIS_NIL,
    PODI_REDIS_STRING,          /* also status */
    PODI_REDIS_INTEGER,
    PODI_REDIS_ARRAY
} podi_redis_type_e;

/* a copy in the flow's memory; an error reply fails the flow instead */

struct podi_redis_reply_s {
    podi_redis_type_e     type;
    podi_str_t            str;
    int64_t               integer;
    size_t                n;            /* elements */
    podi_redis_reply_t   *elements;
};

typedef struct {
    const char         *address;        /* "/path/redis.sock" or "ip:port" */
    podi_secret_t      *password;       /* or NULL */
    unsigned            db;
    const char         *name;           /* CLIENT SETNAME */
    podi_redis_role_e   role;
    podi_msec_t         connect_timeout;
    podi_msec_t         deadline;       /* of a command */
    podi_msec_t         patience;       /* from there until the peer, who says
                                           nothing, is dead; 0: deadline */
    podi_msec_t         reconnect_max;
    podi_msec_t         ping;           /* idle time before a PING */
    unsigned            in_flight;      /* commands, at most; 0: no bound */
    void              (*on_change)(void *data, const char *what,
                                   const podi_fail_t *fail);
    /*
     * Subscriber: borrowed for the time of the call, which may subscribe,
     * unsubscribe and free, and is never made for a channel given up.
     */
    void              (*on_message)(void *data, const podi_str_t *channel,
                                    const podi_str_t *payload);
    void               *data;
} podi_redis_conf_t;


/*
 * Connects soon, not now.  conf is copied, its strings are not; NULL: no
 * memory.  The process must ignore SIGPIPE.
 */
podi_redis_t *podi_redis_create(podi_io_t *io, const podi_redis_conf_t *conf);

/* as podi_pg_free */
void podi_redis_free(podi_redis_t **redis);

int podi_redis_is_up(const podi_redis_t *redis);

/* commands that were sent and are not answered; each ends by its deadline */
unsigned podi_redis_in_flight(const podi_redis_t *redis);

/*
 * AGAIN: f->result will be a podi_redis_reply_t in f->mem.  ERROR: f->fail is
 * set (UNAVAILABLE, at once, when it is down: there is no waiting room).
 */
PODI_MUSTCHECK podi_rc_t podi_redis_command(podi_redis_t *redis,
    podi_flow_t *f, size_t argc, const podi_str_t *argv);

/*
 * argv: the keys, then the arguments.  The flow may be NULL: fire and forget,
 * OK when it was sent and DECLINED when not.
 */
PODI_MUSTCHECK podi_rc_t podi_redis_script(podi_redis_t *redis,
    podi_flow_t *f, podi_lua_e script, size_t keys, size_t argc,
    const podi_str_t *argv);

/* nobody waits for the answer; DECLINED when it is down */
podi_rc_t podi_redis_send(podi_redis_t *redis, size_t argc,
    const podi_str_t *argv);

/*
 * Writes what is on its way, without waiting: for who is about to go and will
 * not see the loop again.
 */
void podi_redis_flush(podi_redis_t *redis);

/* role BLOCKING: the deadline is `wait` plus the engine's own */
PODI_MUSTCHECK podi_rc_t podi_redis_blpop(podi_redis_t *redis, podi_flow_t *f,
    size_t keys, const podi_str_t *key, podi_msec_t wait);

/* role SUBSCRIBER: remembered while it is down; counted by the caller */
PODI_MUSTCHECK podi_rc_t podi_redis_subscribe(podi_redis_t *redis,
    const podi_str_t *channel);
void podi_redis_unsubscribe(podi_redis_t *redis, const podi_str_t *channel);

/* the text of a script, as it is built in */
const char *podi_lua_text(podi_lua_e script);


#endif /* PODI_REDIS_H */
