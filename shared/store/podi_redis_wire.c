/*
 * podi_redis_wire: hiredis on the loop's hooks.
 *
 * The context may be freed inside redisAsyncHandleRead and -Write.  Its
 * cleanup hook comes before its close(2): there the descriptor leaves the
 * loop, and there redis->ac becomes NULL.
 */

#include <fcntl.h>
#include <string.h>
#include <arpa/inet.h>
#include <sys/un.h>

#include "podi_redis_int.h"
#include "banned.h"


static podi_rc_t address_split(const char *address, char *host, size_t size,
    int *ret_port);
static void wire_event(void *data, unsigned ready);
static void wire_write(podi_redis_t *redis);
static void wire_want(podi_redis_t *redis, unsigned events);
static void wire_add_read(void *data);
static void wire_del_read(void *data);
static void wire_add_write(void *data);
static void wire_del_write(void *data);
static void wire_cleanup(void *data);
static void wire_connected(const redisAsyncContext *ac, int status);
static void wire_disconnected(const redisAsyncContext *ac, int status);


podi_rc_t
podi_redis_address_check(const char *address, podi_fail_t *fail)
{
    int   port;
    char  host[INET6_ADDRSTRLEN];

    if (address[0] == '/') {
        if (strlen(address) < sizeof(((struct sockaddr_un *) 0)->sun_path)) {
            return PODI_OK;
        }

        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "the path of Redis' socket is too long");
    }

    if (address_split(address, host, sizeof(host), &port) != PODI_OK) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "the address of Redis must be /path/redis.sock or "
                         "ip:port; names are not looked up");
    }

    return PODI_OK;
}


/* "127.0.0.1:6379", "[::1]:6379" */

static podi_rc_t
address_split(const char *address, char *host, size_t size, int *ret_port)
{
    size_t          len;
    int64_t         port;
    podi_str_t      text;
    const char     *colon;
    unsigned char   numeric[sizeof(struct in6_addr)];

    colon = strrchr(address, ':');

    if (colon == NULL) {
        return PODI_ERROR;
    }

    text = podi_str_c(colon + 1);

    if (podi_str_to_int64(&text, &port) != PODI_OK || port < 1
        || port > 65535)
    {
        return PODI_ERROR;
    }

    len = (size_t) (colon - address);

    if (len > 2 && address[0] == '[' && address[len - 1] == ']') {
        address++;
        len -= 2;
    }

    if (len == 0 || len >= size) {
        return PODI_ERROR;
    }

    memcpy(host, address, len);
    host[len] = '\0';

    if (inet_pton(AF_INET, host, numeric) != 1
        && inet_pton(AF_INET6, host, numeric) != 1)
    {
        return PODI_ERROR;
    }

    *ret_port = (int) port;

    return PODI_OK;
}


/* NULL: redis->fail says why */

redisAsyncContext *
podi_redis_connect(podi_redis_t *redis)
{
    int                 port;
    char                host[INET6_ADDRSTRLEN];
    const char         *address = redis->conf.address;
    redisAsyncContext  *ac;

    if (address[0] == '/') {
        ac = redisAsyncConnectUnix(address);

    } else if (address_split(address, host, sizeof(host), &port) == PODI_OK) {
        ac = redisAsyncConnect(host, port);

    } else {
        ac = NULL;
    }

    if (ac == NULL) {
        podi_redis_unavailable(&redis->fail, "no memory to connect to Redis");
        return NULL;
    }

    if (ac->err) {
        podi_redis_unavailable(&redis->fail, ac->errstr);
        redisAsyncFree(ac);
        return NULL;
    }

    return ac;
}


/* the hooks come first: setting the connect callback calls addWrite */

podi_rc_t
podi_redis_attach(podi_redis_t *redis)
{
    podi_io_t          *io = redis->io;
    redisAsyncContext  *ac = redis->ac;

    (void) fcntl(ac->c.fd, F_SETFD, FD_CLOEXEC);

    ac->data = redis;
    ac->ev.data = redis;
    ac->ev.addRead = wire_add_read;
    ac->ev.delRead = wire_del_read;
    ac->ev.addWrite = wire_add_write;
    ac->ev.delWrite = wire_del_write;
    ac->ev.cleanup = wire_cleanup;

    redis->wanted = 0;
    redis->watch = io->watch(io, ac->c.fd, wire_event, redis);

    if (redis->watch == NULL) {
        return PODI_ERROR;
    }

    (void) redisAsyncSetConnectCallback(ac, wire_connected);
    (void) redisAsyncSetDisconnectCallback(ac, wire_disconnected);

    return PODI_OK;
}


static void
wire_event(void *data, unsigned ready)
{
    podi_redis_t  *redis = data;

    podi_redis_enter(redis);

    if (ready & PODI_IO_READ && redis->ac != NULL) {
        redisAsyncHandleRead(redis->ac);
        redis->heard = podi_time_mono();
    }

    if (ready & PODI_IO_WRITE && redis->ac != NULL && !redis->doomed) {
        wire_write(redis);
    }

    podi_redis_settle(redis);
    podi_redis_leave(redis);
}


/* redis->ac may be NULL afterwards */

static void
wire_write(podi_redis_t *redis)
{
    redis->flushing = 1;
    redisAsyncHandleWrite(redis->ac);
    redis->flushing = 0;
}


void
podi_redis_flush(podi_redis_t *redis)
{
    podi_redis_enter(redis);

    if (podi_redis_is_up(redis) && redis->ac != NULL) {
        wire_write(redis);
    }

    podi_redis_settle(redis);
    podi_redis_leave(redis);
}


static void
wire_want(podi_redis_t *redis, unsigned events)
{
    podi_fail_t  fail;

    if (redis->watch == NULL || events == redis->wanted) {
        return;
    }

    redis->wanted = events;

    if (redis->io->want(redis->watch, events) != PODI_OK) {
        podi_redis_unavailable(&fail, "the loop refused Redis' socket");
        podi_redis_doom(redis, &fail);
    }
}


static void
wire_add_read(void *data)
{
    podi_redis_t  *redis = data;

    wire_want(redis, redis->wanted | PODI_IO_READ);
}


static void
wire_del_read(void *data)
{
    podi_redis_t  *redis = data;

    wire_want(redis, redis->wanted & ~PODI_IO_READ);
}


/*
 * All commands of one turn of the loop go with one write at its end, and the
 * loop is not asked whether the socket takes them; only what it does not take
 * waits for it.
 */

static void
wire_add_write(void *data)
{
    podi_redis_t  *redis = data;

    if (redis->state == PODI_REDIS_S_READY && !redis->flushing) {
        redis->io->post(redis->io, &redis->flush);
        return;
    }

    wire_want(redis, redis->wanted | PODI_IO_WRITE);
}


void
podi_redis_flush_posted(void *data)
{
    podi_redis_t  *redis = data;

    podi_redis_flush(redis);
}


static void
wire_del_write(void *data)
{
    podi_redis_t  *redis = data;

    wire_want(redis, redis->wanted & ~PODI_IO_WRITE);
}


/* hiredis is about to close and free: the last we see of this context */

static void
wire_cleanup(void *data)
{
    podi_redis_t  *redis = data;

    redis->ac = NULL;

    if (redis->watch != NULL) {
        redis->io->unwatch(redis->watch);
        redis->watch = NULL;
    }
}


static void
wire_connected(const redisAsyncContext *ac, int status)
{
    podi_redis_t  *redis = ac->data;

    if (status == REDIS_OK) {
        redis->connected = 1;
        return;
    }

    podi_redis_unavailable(&redis->fail, ac->c.errstr);
}


/* REDIS_OK: we closed it, and know why */

static void
wire_disconnected(const redisAsyncContext *ac, int status)
{
    podi_redis_t  *redis = ac->data;

    if (status != REDIS_OK) {
        podi_redis_unavailable(&redis->fail, ac->errstr);
    }
}
