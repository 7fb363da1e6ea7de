/*
 * podi_redis_call: commands and scripts on their way to hiredis.
 *
 *     EVALSHA sha ... -> NOSCRIPT -> EVAL text ...  (the same op, once)
 *
 * Arguments go by their lengths, never through a format.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "podi_assert.h"
#include "podi_redis_int.h"
#include "banned.h"


#define EVALSHA_HEAD      "$7\r\nEVALSHA\r\n"
#define EVALSHA_HEAD_LEN  (sizeof(EVALSHA_HEAD) - 1 + sizeof("$40\r\n") - 1  \
                           + 40 + sizeof("\r\n") - 1)

static podi_rc_t call_admit(podi_redis_t *redis, podi_fail_t *fail);
static podi_rc_t call_send(podi_redis_t *redis, podi_flow_t *f,
    podi_lua_e script, podi_msec_t wait, size_t argc, const podi_str_t *argv,
    podi_fail_t *fail);
static char *call_format(size_t argc, const podi_str_t *argv,
    size_t *ret_len);
static void call_replied(redisAsyncContext *ac, void *data, void *privdata);
static void call_refused(podi_redis_op_t *op, const redisReply *reply);
static podi_rc_t call_eval(podi_redis_op_t *op);


podi_rc_t
podi_redis_command(podi_redis_t *redis, podi_flow_t *f, size_t argc,
    const podi_str_t *argv)
{
    podi_assert(redis->conf.role == PODI_REDIS_COMMANDS);

    return call_send(redis, f, PODI_LUA_LAST, 0, argc, argv, &f->fail);
}


podi_rc_t
podi_redis_send(podi_redis_t *redis, size_t argc, const podi_str_t *argv)
{
    podi_fail_t  fail;

    podi_assert(redis->conf.role == PODI_REDIS_COMMANDS);

    if (call_send(redis, NULL, PODI_LUA_LAST, 0, argc, argv, &fail)
        != PODI_OK)
    {
        return PODI_DECLINED;
    }

    return PODI_OK;
}


podi_rc_t
podi_redis_script(podi_redis_t *redis, podi_flow_t *f, podi_lua_e script,
    size_t keys, size_t argc, const podi_str_t *argv)
{
    char          count[24];
    podi_rc_t     rc;
    podi_str_t   *all;
    podi_fail_t   fail;

    podi_assert(redis->conf.role == PODI_REDIS_COMMANDS);
    podi_assert(script < PODI_LUA_LAST && keys <= argc);

    all = malloc((argc + 3) * sizeof(podi_str_t));

    if (all == NULL) {
        return f == NULL ? PODI_DECLINED
               : podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    (void) snprintf(count, sizeof(count), "%zu", keys);

    all[0] = podi_str_c("EVALSHA");
    all[1] = podi_str_c(redis->sha[script]);
    all[2] = podi_str_c(count);

    if (argc > 0) {
        memcpy(&all[3], argv, argc * sizeof(podi_str_t));
    }

    rc = call_send(redis, f, script, 0, argc + 3, all,
                   f != NULL ? &f->fail : &fail);
    free(all);

    return f == NULL && rc == PODI_ERROR ? PODI_DECLINED : rc;
}


podi_rc_t
podi_redis_blpop(podi_redis_t *redis, podi_flow_t *f, size_t keys,
    const podi_str_t *key, podi_msec_t wait)
{
    char          seconds[32];
    podi_rc_t     rc;
    podi_str_t   *argv;
    podi_link_t  *x;

    podi_assert(redis->conf.role == PODI_REDIS_BLOCKING);
    podi_assert(keys > 0 && wait > 0);

    podi_list_each(x, &redis->ops) {
        podi_assert(podi_list_owner(x, podi_redis_op_t, link)->op.flow
                    == NULL);
    }

    argv = podi_mem_alloc(f->mem, (keys + 2) * sizeof(podi_str_t));

    if (argv == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    (void) snprintf(seconds, sizeof(seconds), "%llu.%03u",
                    (unsigned long long) wait / 1000,
                    (unsigned) (wait % 1000));

    argv[0] = podi_str_c("BLPOP");
    memcpy(&argv[1], key, keys * sizeof(podi_str_t));
    argv[keys + 1] = podi_str_c(seconds);

    rc = call_send(redis, f, PODI_LUA_LAST, wait, keys + 2, argv, &f->fail);

    return rc;
}


/* the engine's own PING; nobody waits, but the peer's time runs */

void
podi_redis_ping(podi_redis_t *redis)
{
    podi_str_t   argv = podi_string("PING");
    podi_fail_t  fail;

    if (call_send(redis, NULL, PODI_LUA_LAST, 0, 1, &argv, &fail) != PODI_OK)
    {
        podi_redis_doom(redis, &fail);
    }
}


static podi_rc_t
call_send(podi_redis_t *redis, podi_flow_t *f, podi_lua_e script,
    podi_msec_t wait, size_t argc, const podi_str_t *argv, podi_fail_t *fail)
{
    char             *command;
    size_t            len;
    podi_redis_op_t  *op;

    if (call_admit(redis, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    op = podi_redis_op_create(redis, wait);

    if (op == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    command = call_format(argc, argv, &len);

    if (command == NULL) {
        podi_redis_op_free(op);
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if (redisAsyncFormattedCommand(redis->ac, call_replied, op, command, len)
        != REDIS_OK)
    {
        redisFreeCommand(command);
        podi_redis_op_free(op);
        podi_redis_unavailable(fail, "Redis is going down");
        return PODI_ERROR;
    }

    op->script = script;

    if (script == PODI_LUA_LAST) {
        redisFreeCommand(command);

    } else {
        op->evalsha = command;
        op->evalsha_len = len;
    }

    return podi_redis_op_begin(op, f);
}


static podi_rc_t
call_admit(podi_redis_t *redis, podi_fail_t *fail)
{
    if (redis->misconfigured) {
        *fail = redis->fail;
        return PODI_ERROR;
    }

    if (!podi_redis_is_up(redis)) {
        podi_redis_unavailable(fail, "no connection to Redis");
        return PODI_ERROR;
    }

    if (redis->conf.in_flight > 0 && redis->n_ops >= redis->conf.in_flight) {
        podi_redis_unavailable(fail, "too many commands wait for Redis");
        return PODI_ERROR;
    }

    return PODI_OK;
}


/* to be freed by redisFreeCommand; NULL: no memory */

static char *
call_format(size_t argc, const podi_str_t *argv, size_t *ret_len)
{
    int           len;
    char         *command;
    size_t        i, *lens;
    const char  **texts;

    texts = malloc(argc * sizeof(char *));
    lens = malloc(argc * sizeof(size_t));
    command = NULL;

    if (texts == NULL || lens == NULL) {
        goto out;
    }

    for (i = 0; i < argc; i++) {
        texts[i] = argv[i].len > 0 ? (const char *) argv[i].data : "";
        lens[i] = argv[i].len;
    }

    len = redisFormatCommandArgv(&command, (int) argc, texts, lens);

    if (len < 0) {
        command = NULL;
        goto out;
    }

    *ret_len = (size_t) len;

out:

    free(texts);
    free(lens);

    return command;
}


/* inside hiredis: only notes are taken here */

static void
call_replied(redisAsyncContext *ac, void *data, void *privdata)
{
    redisReply       *reply = data;
    podi_redis_op_t  *op = privdata;

    (void) ac;

    if (reply == NULL) {
        podi_redis_unavailable(&op->fail, "lost the connection to Redis");
        op->fail.uncertain = 1;
        podi_redis_op_finish(op);
        return;
    }

    if (reply->type == REDIS_REPLY_ERROR) {
        call_refused(op, reply);
        return;
    }

    if (op->op.flow != NULL) {
        op->reply = podi_redis_reply_copy(op->op.flow->mem, reply);

        if (op->reply == NULL) {
            (void) podi_fail(&op->fail, PODI_E_INTERNAL, NULL, "no memory");
        }
    }

    podi_redis_op_finish(op);
}


static void
call_refused(podi_redis_op_t *op, const redisReply *reply)
{
    if (podi_redis_reply_is(reply, "NOSCRIPT") && op->evalsha != NULL
        && call_eval(op) == PODI_OK)
    {
        return;
    }

    podi_redis_reply_fail(&op->fail, reply);

    if (podi_redis_reply_downs(reply)) {
        podi_redis_doom(op->redis, &op->fail);
    }

    podi_redis_op_finish(op);
}


/*
 * "*5\r\n $7\r\nEVALSHA\r\n $40\r\n<sha>\r\n rest" becomes
 * "*5\r\n $4\r\nEVAL\r\n $<n>\r\n<text>\r\n rest".
 */

static podi_rc_t
call_eval(podi_redis_op_t *op)
{
    int            rc, len;
    char          *eval, *rest;
    size_t         count, rest_len, size;
    const char    *text;
    podi_redis_t  *redis = op->redis;

    text = podi_lua_text(op->script);

    rest = memchr(op->evalsha, '\n', op->evalsha_len);
    podi_assert(rest != NULL);

    rest++;
    count = (size_t) (rest - op->evalsha);

    podi_assert(strncmp(rest, EVALSHA_HEAD, sizeof(EVALSHA_HEAD) - 1) == 0);

    rest += EVALSHA_HEAD_LEN;
    rest_len = op->evalsha_len - count - EVALSHA_HEAD_LEN;

    size = count + strlen(text) + rest_len + 64;
    eval = malloc(size);

    if (eval == NULL) {
        return PODI_ERROR;
    }

    len = snprintf(eval, size, "%.*s$4\r\nEVAL\r\n$%zu\r\n%s\r\n",
                   (int) count, op->evalsha, strlen(text), text);
    memcpy(eval + len, rest, rest_len);

    rc = redisAsyncFormattedCommand(redis->ac, call_replied, op, eval,
                                    (size_t) len + rest_len);
    free(eval);

    if (rc != REDIS_OK) {
        return PODI_ERROR;
    }

    redisFreeCommand(op->evalsha);
    op->evalsha = NULL;

    /* it has gone to the end of the wire */

    podi_list_remove(&op->link);
    podi_list_append(&redis->ops, &op->link);

    return PODI_OK;
}
