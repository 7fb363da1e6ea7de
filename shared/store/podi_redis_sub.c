/*
 * podi_redis_sub: the subscriber.
 *
 *     channels (remembered) -> SUBSCRIBE ... -> SUBSCRIBE podi:alive
 *
 * The channels are taken in batches after each connect; the own channel comes
 * last, so its confirmation stands for all.  Nobody publishes on it: it keeps
 * the connection in subscribed mode (hiredis leaves it with the last channel,
 * and would then trip over a late message), and subscribing to it again is
 * the question that a silent peer does not answer.
 */

#include <stdlib.h>
#include <string.h>

#include "podi_assert.h"
#include "podi_redis_int.h"
#include "banned.h"


#define SUB_BATCH  64
#define SUB_ALIVE  "podi:alive"

static podi_redis_channel_t **sub_find(podi_redis_t *redis,
    const podi_str_t *name);
static void sub_say(podi_redis_t *redis, const char *verb, int n,
    const podi_str_t *names);
static void sub_heard(redisAsyncContext *ac, void *data, void *privdata);
static podi_str_t sub_str(const redisReply *reply);


podi_rc_t
podi_redis_subscribe(podi_redis_t *redis, const podi_str_t *channel)
{
    podi_redis_channel_t  *new, **place;

    podi_assert(redis->conf.role == PODI_REDIS_SUBSCRIBER);

    place = sub_find(redis, channel);

    if (*place != NULL) {
        return PODI_OK;
    }

    new = malloc(sizeof(podi_redis_channel_t) + channel->len);

    if (new == NULL) {
        return PODI_ERROR;
    }

    new->next = NULL;
    new->name.data = (unsigned char *) (new + 1);
    new->name.len = channel->len;
    memcpy(new->name.data, channel->data, channel->len);
    *place = new;

    if (redis->listened) {
        sub_say(redis, "SUBSCRIBE", 1, channel);
    }

    return PODI_OK;
}


void
podi_redis_unsubscribe(podi_redis_t *redis, const podi_str_t *channel)
{
    podi_redis_channel_t  *old, **place;

    podi_assert(redis->conf.role == PODI_REDIS_SUBSCRIBER);

    place = sub_find(redis, channel);
    old = *place;

    if (old == NULL) {
        return;
    }

    if (redis->listened) {
        sub_say(redis, "UNSUBSCRIBE", 1, channel);
    }

    *place = old->next;
    free(old);
}


/* everything that is remembered; called once per connection */

void
podi_redis_listen(podi_redis_t *redis)
{
    int                    n;
    unsigned               i;
    podi_str_t             batch[SUB_BATCH];
    podi_redis_channel_t  *channel;

    if (redis->listened) {
        return;
    }

    n = 0;

    for (i = 0; i < PODI_REDIS_BUCKETS; i++) {
        for (channel = redis->channels[i]; channel != NULL;
             channel = channel->next)
        {
            batch[n++] = channel->name;

            if (n == SUB_BATCH) {
                sub_say(redis, "SUBSCRIBE", n, batch);
                n = 0;
            }
        }
    }

    if (n > 0) {
        sub_say(redis, "SUBSCRIBE", n, batch);
    }

    podi_redis_listen_again(redis);
    redis->listened = 1;
}


void
podi_redis_listen_again(podi_redis_t *redis)
{
    podi_str_t  alive = podi_string(SUB_ALIVE);

    sub_say(redis, "SUBSCRIBE", 1, &alive);
}


void
podi_redis_channels_free(podi_redis_t *redis)
{
    unsigned               i;
    podi_redis_channel_t  *channel, *next;

    if (redis->channels == NULL) {
        return;
    }

    for (i = 0; i < PODI_REDIS_BUCKETS; i++) {
        for (channel = redis->channels[i]; channel != NULL; channel = next) {
            next = channel->next;
            free(channel);
        }
    }

    free(redis->channels);
    redis->channels = NULL;
}


/* where it is linked, or would be: FNV-1a */

static podi_redis_channel_t **
sub_find(podi_redis_t *redis, const podi_str_t *name)
{
    size_t                  i;
    uint32_t                hash;
    podi_redis_channel_t  **place;

    hash = 2166136261u;

    for (i = 0; i < name->len; i++) {
        hash = (hash ^ name->data[i]) * 16777619u;
    }

    place = &redis->channels[hash % PODI_REDIS_BUCKETS];

    while (*place != NULL && !podi_str_eq(&(*place)->name, name)) {
        place = &(*place)->next;
    }

    return place;
}


static void
sub_say(podi_redis_t *redis, const char *verb, int n, const podi_str_t *names)
{
    int          i;
    size_t       lens[SUB_BATCH + 1];
    const char  *argv[SUB_BATCH + 1];
    podi_fail_t  fail;

    if (redis->ac == NULL || redis->doomed) {
        return;
    }

    argv[0] = verb;
    lens[0] = strlen(verb);

    for (i = 0; i < n; i++) {
        argv[i + 1] = (const char *) names[i].data;
        lens[i + 1] = names[i].len;
    }

    if (redisAsyncCommandArgv(redis->ac, sub_heard, NULL, n + 1, argv, lens)
        != REDIS_OK)
    {
        podi_redis_unavailable(&fail, "cannot subscribe");
        podi_redis_doom(redis, &fail);
    }
}


/*
 * Inside hiredis.  It calls this for messages and for confirmations, and
 * sometimes with what belongs to another channel: the reply decides.
 */

static void
sub_heard(redisAsyncContext *ac, void *data, void *privdata)
{
    podi_str_t     kind, channel, payload;
    redisReply    *reply = data;
    podi_redis_t  *redis = ac->data;

    (void) privdata;

    if (reply == NULL || redis->freeing || redis->doomed
        || reply->type != REDIS_REPLY_ARRAY || reply->elements != 3
        || reply->element[0]->type != REDIS_REPLY_STRING
        || reply->element[1]->type != REDIS_REPLY_STRING)
    {
        return;
    }

    kind = sub_str(reply->element[0]);
    channel = sub_str(reply->element[1]);

    if (podi_str_eq_c(&kind, "subscribe")) {
        redis->listening |= podi_str_eq_c(&channel, SUB_ALIVE) ? 1 : 0;
        return;
    }

    if (!podi_str_eq_c(&kind, "message")
        || reply->element[2]->type != REDIS_REPLY_STRING
        || *sub_find(redis, &channel) == NULL)
    {
        return;
    }

    payload = sub_str(reply->element[2]);

    if (redis->conf.on_message != NULL) {
        redis->conf.on_message(redis->conf.data, &channel, &payload);
    }
}


static podi_str_t
sub_str(const redisReply *reply)
{
    podi_str_t  str;

    str.data = (unsigned char *) reply->str;
    str.len = (size_t) reply->len;

    return str;
}
