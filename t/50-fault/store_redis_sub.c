/*
 * store_redis_sub: the Redis engine as a subscriber, through a proxy that cuts
 * and stalls.  Run by store.t, as store_redis.c is.
 */

#include "store_redis.h"
#include "banned.h"


static void
publish(const char *channel, const char *payload)
{
    close_ask(command("PUBLISH", channel, payload));
}


/* how many get what is published there */

static int
receivers(const char *channel)
{
    int                  n;
    ask_t               *a = command("PUBSUB", "NUMSUB", channel);
    podi_redis_reply_t  *reply;

    until(a->done);
    reply = a->result;
    n = a->rc == PODI_DONE ? (int) reply->elements[1].integer : -1;
    ask_free(&a);

    return n;
}


static void
free_sub(void)
{
    podi_redis_free(&sub);
}


static void
test_subscriber(void)
{
    char        name[24];
    unsigned    i, taken;
    podi_str_t  channel = podi_string("user:1"), other, two;

    two = str("user:2");
    redis = open_engine("PODI_TEST_REDIS", PODI_REDIS_COMMANDS);
    sub = open_engine("PODI_CUT_REDIS", PODI_REDIS_SUBSCRIBER);

    ok(podi_redis_subscribe(sub, &channel) == PODI_OK, "subscribed before it"
       " is up");

    for (i = 0, taken = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "many:%u", i);
        other = str(name);
        taken += podi_redis_subscribe(sub, &other) == PODI_OK;
    }

    is_int(taken, 200, "and many more");

    until(is_up() && podi_redis_is_up(sub));

    publish("user:1", "one");
    until(messages == 1);
    is_str(str(last_message), "user:1=one", "a message");
    publish("many:199", "far");
    until(messages == 2);
    is_str(str(last_message), "many:199=far", "the last of many channels");

    ok(podi_redis_subscribe(sub, &two) == PODI_OK, "another while it is up");
    podi_redis_unsubscribe(sub, &channel);
    until(receivers("user:2") == 1 && receivers("user:1") == 0);
    messages = 0;
    publish("user:1", "gone");
    publish("user:2", "x");
    until(messages == 1);
    is_str(str(last_message), "user:2=x", "what was given up is not told");

    ups = downs = 0;
    cutter("reset");
    until(downs == 1 && ups == 1);
    messages = 0;
    publish("user:2", "back");
    until(messages == 1);
    is_str(str(last_message), "user:2=back", "a reconnect takes the channels"
           " again, and says so");

    on_message_then = free_sub;
    publish("user:2", "last");
    until(sub == NULL);
    is_int(messages, 2, "freed inside a message");
    on_message_then = NULL;
}


static void
test_subscriber_silence(void)
{
    podi_redis_conf_t  conf = {
        .address = getenv("PODI_CUT_REDIS"), .password = password,
        .role = PODI_REDIS_SUBSCRIBER, .connect_timeout = 400,
        .deadline = 100, .reconnect_max = 100, .ping = 30,
        .on_change = changed, .on_message = heard
    };
    podi_str_t         channel = podi_string("user:1");

    ups = downs = 0;
    messages = 0;
    sub = podi_redis_create(&uv.io, &conf);
    ok(podi_redis_subscribe(sub, &channel) == PODI_OK, "subscribed");
    until(podi_redis_is_up(sub));

    cutter("stall");
    until(downs == 1);
    is_str(str(down_fail.detail), "Redis is silent", "a subscriber finds a"
           " silent peer");
    cutter("pass");
    until(ups == 2);
    publish("user:1", "hello");
    until(messages == 1);
    is_str(str(last_message), "user:1=hello", "and is subscribed again");
    podi_redis_free(&sub);
}


int
main(void)
{
    unsigned  fds = redis_start();

    test_subscriber();
    test_subscriber_silence();

    return redis_end(fds);
}
