/*
 * store_redis: what the tests of the Redis engine share: an engine, asks,
 * answers as text.
 */

#ifndef PODI_STORE_REDIS_TEST_H
#define PODI_STORE_REDIS_TEST_H


#include "store.h"


static podi_redis_t   *redis, *sub;
static podi_arena_t   *arena;
static podi_secret_t  *password;
static int             ups, downs, messages;
static podi_fail_t     down_fail;
static char            last_message[64];
static void          (*on_message_then)(void);


static void
changed(void *data, const char *what, const podi_fail_t *fail)
{
    (void) data;
    (void) what;

    if (fail == NULL) {
        ups++;
        return;
    }

    downs++;
    down_fail = *fail;
}


static void
heard(void *data, const podi_str_t *channel, const podi_str_t *payload)
{
    (void) data;

    messages++;
    snprintf(last_message, sizeof(last_message), "%.*s=%.*s",
             podi_str_arg(channel), podi_str_arg(payload));

    if (on_message_then != NULL) {
        on_message_then();
    }
}


static podi_redis_t *
open_engine(const char *variable, podi_redis_role_e role)
{
    podi_redis_conf_t  conf = {
        .address = getenv(variable), .password = password, .db = 1,
        .name = "store_redis", .role = role, .connect_timeout = 400,
        .deadline = 250, .reconnect_max = 100, .ping = 60000,
        .in_flight = 100, .on_change = changed, .on_message = heard
    };

    ups = downs = messages = 0;

    return podi_redis_create(&uv.io, &conf);
}


static ask_t *
ask_argv(podi_redis_t *engine, podi_lua_e script, size_t argc,
    const char **argv)
{
    size_t   i;
    ask_t   *a = ask_new();

    a->redis = engine;
    a->script = script;
    a->argc = argc;

    for (i = 0; i < argc; i++) {
        a->argv[i] = str(argv[i]);
    }

    ask_start(a);

    return a;
}


#define ARGC(...)  (sizeof((const char *[]) { __VA_ARGS__ })                 \
                    / sizeof(const char *))

#define command(...)                                                         \
    ask_argv(redis, PODI_LUA_LAST, ARGC(__VA_ARGS__),                        \
             (const char *[]) { __VA_ARGS__ })

#define script(id, ...)                                                      \
    ask_argv(redis, PODI_LUA_##id, ARGC(__VA_ARGS__),                        \
             (const char *[]) { __VA_ARGS__ })


static void
close_ask(ask_t *a)
{
    ask_free(&a);
}


/* an answer as text: "7", "nil", "[a b 1]" */

static void
reply_text(podi_buf_t *b, const podi_redis_reply_t *reply)
{
    size_t  i;

    switch (reply->type) {

    case PODI_REDIS_NIL:
        podi_buf_add_c(b, "nil");
        return;

    case PODI_REDIS_INTEGER:
        podi_buf_printf(b, "%lld", (long long) reply->integer);
        return;

    case PODI_REDIS_STRING:
        podi_buf_add_str(b, &reply->str);
        return;

    case PODI_REDIS_ARRAY:
        podi_buf_add_c(b, "[");

        for (i = 0; i < reply->n; i++) {
            podi_buf_add_c(b, i > 0 ? " " : "");
            reply_text(b, &reply->elements[i]);
        }

        podi_buf_add_c(b, "]");
    }
}


static podi_str_t
answer_of(ask_t *a)
{
    podi_buf_t  b;
    podi_str_t  text = podi_null_str;

    podi_buf_init(&b, a->mem);

    if (a->rc == PODI_DONE) {
        reply_text(&b, a->result);

    } else {
        podi_buf_add_c(&b, podi_error(a->fail.error)->code);
    }

    (void) !podi_buf_take(&b, &text);

    return text;
}


/* sends, waits, compares, forgets */

static void
answers(ask_t *a, const char *want, const char *what)
{
    until(a->done);
    is_str(answer_of(a), want, what);
    ask_free(&a);
}


static int
is_up(void)
{
    return podi_redis_is_up(redis);
}


/* the descriptors that are open before anything is; without a Redis it exits */

static unsigned
redis_start(void)
{
    unsigned    fds;
    podi_str_t  secret;

    if (getenv("PODI_TEST_REDIS") == NULL) {
        printf("1..0 # SKIP run by store.t\n");
        exit(0);
    }

    store_start();
    fds = fds_open();

    arena = podi_arena_create();
    secret = str(getenv("PODI_TEST_REDIS_PASSWORD"));

    if (podi_secret_make(podi_arena_mem(arena), &secret, &password)
        != PODI_OK)
    {
        exit(2);
    }

    return fds;
}


/* the same with an engine for commands, that is up */

static unsigned
redis_start_up(void)
{
    unsigned  fds = redis_start();

    redis = open_engine("PODI_TEST_REDIS", PODI_REDIS_COMMANDS);
    until(is_up());

    return fds;
}


static int
redis_end(unsigned fds)
{
    podi_redis_free(&redis);
    podi_arena_free(&arena);
    store_end(fds);

    return tap_done();
}


#endif /* PODI_STORE_REDIS_TEST_H */
