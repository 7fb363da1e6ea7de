/*
 * played: what the servers of these benches are made of: HTTP/1.1 on one
 * epoll, requests answered at once out of what is in memory.
 *
 * A program includes this once, and has ask(), gone(), until_time(), at_time().
 */

#ifndef PLAYED_H
#define PLAYED_H


#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ID_MAX    64
#define IN_MAX    (4 * 1024 * 1024)
#define EVENTS    256

typedef struct {
    char     *data;
    size_t    len;
    size_t    size;
} text_t;

typedef struct {
    int       fd;
    int       is_ws;
    int       ends;
    text_t    in;
    text_t    out;
    char      client[ID_MAX];
} conn_t;


static int  ep;
static int  port;


/* the program's own: a request, a connection that goes, ms until its time */
static void ask(conn_t *c, const char *head, const char *path, int is_get,
    const char *body);
static void gone(conn_t *c);
static int until_time(void);
static void at_time(void);


static void
die(const char *what)
{
    perror(what);
    exit(1);
}


static int64_t
now_ns(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
}


static void
text_add(text_t *t, const void *data, size_t len)
{
    if (t->len + len + 1 > t->size) {
        t->size = 2 * (t->len + len + 1);
        t->data = realloc(t->data, t->size);

        if (t->data == NULL) {
            die("realloc");
        }
    }

    memcpy(t->data + t->len, data, len);
    t->len += len;
    t->data[t->len] = '\0';
}


static void
text_read(text_t *t, const char *dir, const char *name)
{
    char    path[4096], part[65536];
    FILE   *file;
    size_t  n;

    (void) snprintf(path, sizeof(path), "%s/%s", dir, name);
    file = fopen(path, "r");
    if (file == NULL) {
        die(path);
    }

    while ((n = fread(part, 1, sizeof(part), file)) > 0) {
        text_add(t, part, n);
    }

    fclose(file);
}


static void
conn_watch(conn_t *c, int op)
{
    struct epoll_event  ev = { .events = EPOLLIN, .data.ptr = c };

    if (c->out.len > 0) {
        ev.events |= EPOLLOUT;
    }

    if (epoll_ctl(ep, op, c->fd, &ev) == -1) {
        die("epoll_ctl");
    }
}


static void
conn_flush(conn_t *c)
{
    ssize_t  n;

    n = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (n > 0) {
        c->out.len -= (size_t) n;
        memmove(c->out.data, c->out.data + n, c->out.len);
    }

    c->ends |= n == -1 && errno != EAGAIN;
    conn_watch(c, EPOLL_CTL_MOD);
}


static void
conn_close(conn_t *c)
{
    gone(c);
    close(c->fd);
    free(c->in.data);
    free(c->out.data);
    free(c);
}


static void
answer(conn_t *c, int status, const char *type, const void *body, size_t len)
{
    int   n;
    char  head[256];

    n = snprintf(head, sizeof(head), "HTTP/1.1 %d X\r\nContent-Type: %s\r\n"
                 "Content-Length: %zu\r\n\r\n", status, type, len);

    text_add(&c->out, head, (size_t) n);
    text_add(&c->out, body, len);
}


static void __attribute__((format(printf, 2, 3)))
answer_json(conn_t *c, const char *fmt, ...)
{
    int      n;
    char     body[8192];
    va_list  args;

    va_start(args, fmt);
    n = vsnprintf(body, sizeof(body), fmt, args);
    va_end(args);

    answer(c, 200, "application/json", body, (size_t) n);
}


/* whole requests out of what has come */

static void
conn_take(conn_t *c)
{
    char    *end, *at, path[2048];
    size_t   head, body;

    while (c->in.len > 0 && !c->is_ws && !c->ends) {
        end = strstr(c->in.data, "\r\n\r\n");
        if (end == NULL) {
            return;
        }

        end[2] = '\0';
        head = (size_t) (end - c->in.data) + 4;
        at = strcasestr(c->in.data, "\r\ncontent-length:");
        body = at ? strtoul(at + 17, NULL, 10) : 0;

        if (strcasestr(c->in.data, "\r\nexpect: 100-continue") != NULL
            && c->in.len == head)
        {
            text_add(&c->out, "HTTP/1.1 100 Continue\r\n\r\n", 25);
        }

        if (c->in.len < head + body) {
            end[2] = '\r';
            return;
        }

        if (sscanf(c->in.data, "%*s %2047s", path) == 1) {
            ask(c, c->in.data, path, strncmp(c->in.data, "GET ", 4) == 0,
                end + 4);
        }

        c->in.len -= head + body;
        memmove(c->in.data, c->in.data + head + body, c->in.len);
        c->in.data[c->in.len] = '\0';
    }
}


static void
conn_read(conn_t *c)
{
    char     part[65536];
    ssize_t  n;

    n = recv(c->fd, part, sizeof(part), MSG_DONTWAIT);

    if (n == 0 || (n == -1 && errno != EAGAIN) || c->in.len > IN_MAX) {
        c->ends = 1;
        return;
    }

    if (n > 0) {
        text_add(&c->in, part, (size_t) n);
        conn_take(c);
    }

    /* what a socket says is short, and nothing is answered to it */

    if (c->is_ws) {
        c->ends |= c->in.len > 0 && (c->in.data[0] & 0x0f) == 8;
        c->in.len = 0;
    }
}


static void
conn_accept(int door)
{
    int      one = 1;
    conn_t  *c = calloc(1, sizeof(conn_t));

    c->fd = accept4(door, NULL, NULL, SOCK_CLOEXEC);
    if (c->fd == -1) {
        free(c);
        return;
    }

    (void) setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    conn_watch(c, EPOLL_CTL_ADD);
}


static int
door_open(void)
{
    int                  door;
    socklen_t            len = sizeof(struct sockaddr_in);
    struct sockaddr_in   sin = { .sin_family = AF_INET };
    struct epoll_event   ev = { .events = EPOLLIN, .data.ptr = NULL };

    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ep = epoll_create1(EPOLL_CLOEXEC);

    if (door == -1 || ep == -1 || bind(door, (void *) &sin, len) == -1
        || listen(door, 1024) == -1
        || getsockname(door, (void *) &sin, &len) == -1
        || epoll_ctl(ep, EPOLL_CTL_ADD, door, &ev) == -1)
    {
        die("listen");
    }

    port = ntohs(sin.sin_port);
    printf("%d\n", port);
    fflush(stdout);

    return door;
}


static void
conn_event(conn_t *c, unsigned events)
{
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        conn_read(c);
    }

    if (c->out.len > 0) {
        conn_flush(c);
    }

    if (c->ends) {
        conn_close(c);
    }
}


static void
play(void)
{
    int                  i, n, door = door_open();
    struct epoll_event   events[EVENTS];

    for ( ;; ) {
        n = epoll_wait(ep, events, EVENTS, until_time());

        if (until_time() == 0) {
            at_time();
        }

        for (i = 0; i < n; i++) {
            if (events[i].data.ptr == NULL) {
                conn_accept(door);
            } else {
                conn_event(events[i].data.ptr, events[i].events);
            }
        }
    }
}


#endif /* PLAYED_H */
