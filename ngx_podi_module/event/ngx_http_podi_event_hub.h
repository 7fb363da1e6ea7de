/*
 * event_hub: what hub and tick know of each other.
 */

#ifndef NGX_HTTP_PODI_EVENT_HUB_H
#define NGX_HTTP_PODI_EVENT_HUB_H


#include "ngx_http_podi_event.h"


#define EVENT_BUCKETS    1024
#define EVENT_TICK       250            /* ms; armed while there are streams */
#define EVENT_VISIT      1000           /* ms between visits of a stream */
#define EVENT_CHECK      5000           /* ms between position checks */
#define EVENT_CHECK_DOWN 1000           /* the same while hints cannot come */
#define EVENT_CHECK_NEW  500            /* after a new user's subscription */
#define EVENT_CHECK_MAX  500            /* users in one question */

typedef struct {
    podi_io_t       *io;
    podi_redis_t    *subscriber;
    podi_arena_t    *arena;             /* of one message */
    podi_arena_t    *check_arena;       /* of one question */
    podi_flow_t      check;
    podi_timer_t    *tick;
    podi_timer_t    *soon;              /* a check that does not wait */
    podi_link_t      buckets[EVENT_BUCKETS];
    podi_link_t      users;
    podi_link_t      turns;             /* streams, the next to visit first */
    podi_link_t      waiting;           /* streams that want to pull */
    podi_link_t      ready;             /* streams that can go on */
    ngx_event_t      post;              /* ... and do so from here */
    ngx_uint_t       streams;
    ngx_uint_t       pulls;
    ngx_uint_t       round;
    ngx_msec_t       checked;
    ngx_msec_t       joined;            /* when the newest user came */
    unsigned         draining:1;
    unsigned         ticking:1;
    unsigned         midway:1;          /* the round has not seen all users */
    unsigned         armed:1;           /* `soon` is */
    unsigned         again:1;           /* a check was wanted during one */
} event_hub_t;


extern event_hub_t  *event_hub;


/* by the text of a UUID; NULL: nobody of that name streams here */
ngx_http_podi_event_user_t *event_hub_user(const u_char *id);

void event_tick(void *data);

/* the handler of `soon`, and what arms it: never later than it is armed */
void event_check_timer(void *data);
void event_check_soon(ngx_msec_t after);


#endif /* NGX_HTTP_PODI_EVENT_HUB_H */
