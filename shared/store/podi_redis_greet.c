/*
 * podi_redis_greet: what is said to Redis before the connection is used.
 *
 *     AUTH, SELECT, CLIENT SETNAME, SCRIPT LOAD ..., PING   in one pipeline
 *
 * READY only when all have answered well: a server that still loads its data
 * set, wants a password or has another database says so here.  SCRIPT LOAD
 * gives the digests, so none is computed.
 */

#include <stdio.h>
#include <string.h>

#include "podi_assert.h"
#include "podi_redis_int.h"
#include "banned.h"


static void greet_say(podi_redis_t *redis, char *sha, int argc,
    const char **argv, const size_t *lens);
static void greet_say_c(podi_redis_t *redis, char *sha, const char *a,
    const char *b, const char *c);
static void greet_answered(redisAsyncContext *ac, void *data,
    void *privdata);


void
podi_redis_greet(podi_redis_t *redis)
{
    char         db[16];
    size_t       lens[2];
    unsigned     i;
    podi_str_t   secret;
    const char  *argv[2];

    if (redis->conf.password != NULL) {
        secret = podi_secret_bytes(redis->conf.password);

        argv[0] = "AUTH";
        lens[0] = 4;
        argv[1] = (const char *) secret.data;
        lens[1] = secret.len;

        greet_say(redis, NULL, 2, argv, lens);
    }

    if (redis->conf.db != 0) {
        (void) snprintf(db, sizeof(db), "%u", redis->conf.db);
        greet_say_c(redis, NULL, "SELECT", db, NULL);
    }

    if (redis->conf.name != NULL) {
        greet_say_c(redis, NULL, "CLIENT", "SETNAME", redis->conf.name);
    }

    if (redis->conf.role == PODI_REDIS_COMMANDS) {
        for (i = 0; i < PODI_LUA_LAST; i++) {
            greet_say_c(redis, redis->sha[i], "SCRIPT", "LOAD",
                        podi_lua_text(i));
        }
    }

    greet_say_c(redis, NULL, "PING", NULL, NULL);
}


static void
greet_say_c(podi_redis_t *redis, char *sha, const char *a, const char *b,
    const char *c)
{
    int          argc;
    size_t       lens[3];
    const char  *argv[] = { a, b, c };

    for (argc = 0; argc < 3 && argv[argc] != NULL; argc++) {
        lens[argc] = strlen(argv[argc]);
    }

    greet_say(redis, sha, argc, argv, lens);
}


static void
greet_say(podi_redis_t *redis, char *sha, int argc, const char **argv,
    const size_t *lens)
{
    podi_fail_t  fail;

    if (redisAsyncCommandArgv(redis->ac, greet_answered, sha, argc, argv,
                              lens)
        != REDIS_OK)
    {
        podi_redis_unavailable(&fail, "cannot greet Redis");
        podi_redis_doom(redis, &fail);
        return;
    }

    redis->greetings++;
}


/* inside hiredis: only notes are taken here */

static void
greet_answered(redisAsyncContext *ac, void *data, void *privdata)
{
    char          *sha = privdata;
    redisReply    *reply = data;
    podi_fail_t    fail;
    podi_redis_t  *redis = ac->data;

    if (reply == NULL) {                /* the connection goes */
        return;
    }

    if (reply->type == REDIS_REPLY_ERROR) {
        podi_redis_reply_fail(&fail, reply);
        podi_redis_doom(redis, &fail);
        return;
    }

    if (sha != NULL && reply->type == REDIS_REPLY_STRING
        && reply->len == 40)
    {
        memcpy(sha, reply->str, 40);
        sha[40] = '\0';
    }

    redis->greetings--;
}
