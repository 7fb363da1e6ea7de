/*
 * httpc: one request through podi_http, for the tests.
 *
 *     httpc METHOD URL [name=value]...
 *
 * Names: header body body_file body_bytes part part_file want into max timeout
 * idle connect ca resolve cancel; public and https of the engine, only_public
 * and only_https of the request, then_public: once more, only_public.  A part
 * is "name:filename:type:text" or, in a file, "name:filename:type:path".
 * Prints "status=200 type=... bytes=5 sha256=... kept=[..].. body=..." or
 * "fail=<code> uncertain=0|1", or "cancelled".  The name slow.example is found
 * by nobody, after SLOW ms; then it prints "resolved".
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "podi_http.h"
#include "podi_uv_io.h"
#include "banned.h"

#define HEADERS_MAX  4
#define PARTS_MAX    4
#define SLOW         4000

typedef struct {
    podi_http_t          *http;
    podi_http_request_t   request;
    podi_http_conf_t      conf;
    podi_pair_t           headers[HEADERS_MAX];
    podi_http_part_t      parts[PARTS_MAX];
    podi_str_t            want[HEADERS_MAX];
    podi_flow_t           flow;
    podi_msec_t           cancel;
    int                   cancelled;
    int                   then_public;
} httpc_t;


/* what libcurl calls, in a thread of its own */

int
getaddrinfo(const char *node, const char *service,
    const struct addrinfo *hints, struct addrinfo **ret_list)
{
    int (*real)(const char *, const char *, const struct addrinfo *,
                struct addrinfo **);

    if (node != NULL && strcmp(node, "slow.example") == 0) {
        (void) poll(NULL, 0, SLOW);
        (void) !write(STDOUT_FILENO, "resolved\n", 9);
        return EAI_AGAIN;
    }

    *(void **) &real = dlsym(RTLD_NEXT, "getaddrinfo");

    return real(node, service, hints, ret_list);
}


static podi_rc_t
httpc_ask(podi_flow_t *f, void *ctx)
{
    httpc_t  *c = ctx;

    return podi_http_send(c->http, f, &c->request);
}


static podi_rc_t
httpc_tell(podi_flow_t *f, void *ctx)
{
    size_t                    i;
    httpc_t                  *c = ctx;
    const podi_http_reply_t  *r = f->result;

    (void) printf("status=%u type=" PODI_STR_FMT " etag=" PODI_STR_FMT
                  " retry_after=%u bytes=%lld sha256=%.*s", r->status,
                  podi_str_arg(&r->type), podi_str_arg(&r->etag),
                  r->retry_after, (long long) r->bytes,
                  c->request.sha256 ? 64 : 0, (const char *) r->sha256);

    for (i = 0; i < c->request.n_want; i++) {
        (void) printf("%s[" PODI_STR_FMT "]", i == 0 ? " kept=" : "",
                      podi_str_arg(&r->headers[i]));
    }

    (void) printf(" body=" PODI_STR_FMT "\n", podi_str_arg(&r->body));

    return PODI_DONE;
}


static const podi_step_t  httpc_steps[] = {
    { "asking", httpc_ask, 0 },
    { "telling", httpc_tell, 0 },
    podi_null_step
};


static void
httpc_end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    (void) ctx;

    if (rc == PODI_ERROR) {
        (void) printf("fail=%s uncertain=%d\n", podi_error(f->fail.error)->code,
                      f->fail.uncertain);
    }
}


static void
httpc_cancel(void *data)
{
    httpc_t  *c = data;

    c->cancelled = 1;
    podi_flow_cancel(&c->flow);
    (void) printf("cancelled\n");
}


static int
httpc_is(const char *word, const char *name, const char **ret_value)
{
    size_t  n = strlen(name);

    *ret_value = word + n + 1;

    return strncmp(word, name, n) == 0 && word[n] == '=';
}


/* the whole of it */

static int
httpc_file(const char *path, int64_t *ret_bytes)
{
    int          fd;
    struct stat  st;

    fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd == -1 || fstat(fd, &st) == -1) {
        abort();
    }

    *ret_bytes = st.st_size;

    return fd;
}


static void
httpc_part(httpc_t *c, const char *value, int is_file)
{
    podi_str_t         s = podi_str_c(value);
    podi_http_part_t  *part = &c->parts[c->request.n_parts++];

    (void) podi_str_split(&s, ':', &part->name);
    (void) podi_str_split(&s, ':', &part->filename);
    (void) podi_str_split(&s, ':', &part->type);

    part->fd = -1;

    if (is_file) {
        part->fd = httpc_file((const char *) s.data, &part->bytes);

    } else {
        part->body = s;
    }
}


/* a word of what is sent, and of how */

static int
httpc_send_option(httpc_t *c, const char *word)
{
    const char  *v;
    podi_str_t   s;

    if (httpc_is(word, "header", &v)) {
        s = podi_str_c(v);
        (void) podi_str_split(&s, ':', &c->headers[c->request.n_headers].name);
        c->headers[c->request.n_headers++].value = s;

    } else if (httpc_is(word, "body", &v)) {
        c->request.body = podi_str_c(v);

    } else if (httpc_is(word, "body_file", &v)) {
        c->request.body_fd = httpc_file(v, &c->request.body_bytes);

    } else if (httpc_is(word, "body_bytes", &v)) {
        c->request.body_bytes = strtoll(v, NULL, 10);

    } else if (httpc_is(word, "part", &v)) {
        httpc_part(c, v, 0);

    } else if (httpc_is(word, "part_file", &v)) {
        httpc_part(c, v, 1);

    } else if (httpc_is(word, "only_public", &v)) {
        c->request.public_only = 1;

    } else if (httpc_is(word, "only_https", &v)) {
        c->request.https_only = 1;

    } else {
        return 0;
    }

    return 1;
}


static void
httpc_option(httpc_t *c, const char *word)
{
    const char  *v;

    if (httpc_is(word, "want", &v)) {
        c->want[c->request.n_want++] = podi_str_c(v);

    } else if (httpc_is(word, "then_public", &v)) {
        c->then_public = 1;

    } else if (httpc_is(word, "into", &v)) {
        c->request.into_fd = open(v, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    } else if (httpc_is(word, "max", &v)) {
        c->request.max = strtoll(v, NULL, 10);

    } else if (httpc_is(word, "timeout", &v)) {
        c->request.timeout = strtoull(v, NULL, 10);

    } else if (httpc_is(word, "idle", &v)) {
        c->request.idle_timeout = strtoull(v, NULL, 10);

    } else if (httpc_is(word, "connect", &v)) {
        c->conf.connect_timeout = strtoull(v, NULL, 10);

    } else if (httpc_is(word, "ca", &v)) {
        c->conf.ca_file = v;

    } else if (httpc_is(word, "public", &v)) {
        c->conf.public_only = 1;

    } else if (httpc_is(word, "https", &v)) {
        c->conf.https_only = 1;

    } else if (httpc_is(word, "resolve", &v)) {
        c->request.resolve = podi_str_c(v);

    } else if (httpc_is(word, "cancel", &v)) {
        c->cancel = strtoull(v, NULL, 10);

    } else {
        abort();
    }
}


static void
httpc_run(httpc_t *c, uv_loop_t *loop, podi_arena_t *arena)
{
    podi_flow_start(&c->flow, httpc_steps, c, podi_arena_mem(arena),
                    httpc_end);

    while (podi_flow_is_active(&c->flow)) {
        (void) uv_run(loop, UV_RUN_ONCE);
    }
}


int
main(int argc, char **argv)
{
    int             i;
    httpc_t         c;
    uv_loop_t       loop;
    podi_str_t      url;
    podi_uv_io_t    uv;
    podi_timer_t   *timer;
    podi_arena_t   *arena;

    memset(&c, 0, sizeof(httpc_t));
    arena = podi_arena_create();

    if (argc < 3 || arena == NULL || uv_loop_init(&loop) != 0
        || podi_uv_io_init(&uv, &loop) != PODI_OK)
    {
        return 2;
    }

    url = podi_str_c(argv[2]);
    podi_http_request_init(&c.request, argv[1], &url);
    c.request.headers = c.headers;
    c.request.parts = c.parts;
    c.request.want = c.want;
    c.request.sha256 = 1;
    c.conf.user_agent = "podi-test";

    for (i = 3; i < argc; i++) {
        if (!httpc_send_option(&c, argv[i])) {
            httpc_option(&c, argv[i]);
        }
    }

    c.http = podi_http_create(&uv.io, &c.conf);
    timer = uv.io.timer(&uv.io, PODI_TIMER_WORK, httpc_cancel, &c);

    if (c.cancel > 0) {
        uv.io.arm(timer, c.cancel);
    }

    httpc_run(&c, &loop, arena);

    if (c.then_public) {
        c.request.public_only = 1;
        httpc_run(&c, &loop, arena);
    }

    podi_http_free(&c.http);
    uv.io.timer_free(timer);

    if (uv.watches != 0 || uv.timers != 0) {
        (void) printf("left: %u watches, %u timers\n", uv.watches, uv.timers);
    }

    podi_uv_io_close(&uv);
    (void) uv_run(&loop, UV_RUN_DEFAULT);
    (void) uv_loop_close(&loop);
    podi_arena_free(&arena);

    return 0;
}
