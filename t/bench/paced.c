/*
 * paced: sends POST requests at a steady rate, whether answered or not.
 *
 *     paced PORT PATH RATE SECONDS CONNECTIONS LINES > answers
 *
 *     LINES    a file, a line each: token, space, body; used in turn
 *     answers  a line each: due sent answered (ns of the wall clock), status,
 *              the first job_id
 *
 * A request that is due while every connection is busy waits for one; since
 * latency is counted from when it was due, a slow server cannot hide that.
 */

#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE  5000000000LL          /* ns for the last answers */

typedef struct {
    int       fd;
    int       busy;
    int64_t   due;
    int64_t   sent;
    size_t    len;
    char      in[32768];
} conn_t;

typedef struct {
    char     *token;
    char     *body;
} line_t;


static const char  *path;
static line_t      *lines;
static size_t       n_lines;


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

    clock_gettime(CLOCK_REALTIME, &ts);

    return (int64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
}


static void
lines_read(const char *file)
{
    char    *text = NULL, *space;
    FILE    *in = fopen(file, "r");
    size_t   size = 0;

    if (in == NULL) {
        die(file);
    }

    while (getline(&text, &size, in) > 0) {
        text[strcspn(text, "\n")] = '\0';
        space = strchr(text, ' ');

        if (space == NULL) {
            continue;
        }

        *space = '\0';
        lines = realloc(lines, (n_lines + 1) * sizeof(line_t));
        lines[n_lines].token = text;
        lines[n_lines++].body = space + 1;

        text = NULL;
    }

    fclose(in);
}


static void
conn_open(conn_t *c, int port, int ep)
{
    struct epoll_event  ev = { .events = EPOLLIN, .data.ptr = c };
    struct sockaddr_in  sin = { .sin_family = AF_INET };

    sin.sin_port = htons((uint16_t) port);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    c->fd = socket(AF_INET, SOCK_STREAM, 0);

    if (c->fd == -1 || connect(c->fd, (void *) &sin, sizeof(sin)) == -1
        || fcntl(c->fd, F_SETFL, O_NONBLOCK) == -1
        || epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev) == -1)
    {
        die("connect");
    }
}


static void
conn_send(conn_t *c, const line_t *line, int64_t due)
{
    int   len;
    char  out[8192];

    len = snprintf(out, sizeof(out),
                   "POST %s HTTP/1.1\r\nHost: localhost\r\n"
                   "Authorization: Bearer %s\r\n"
                   "Content-Type: application/json\r\n"
                   "Content-Length: %zu\r\n\r\n%s",
                   path, line->token, strlen(line->body), line->body);

    c->busy = 1;
    c->due = due;
    c->sent = now_ns();
    c->len = 0;

    if (len >= (int) sizeof(out) || write(c->fd, out, (size_t) len) != len) {
        die("write");
    }
}


/* the body's end, or NULL when it has not come */

static char *
conn_whole(conn_t *c)
{
    char   *head, *field;
    size_t  need;

    c->in[c->len] = '\0';
    head = strstr(c->in, "\r\n\r\n");

    if (head == NULL) {
        return NULL;
    }

    field = strcasestr(c->in, "\r\nContent-Length:");

    if (field == NULL || field > head) {
        fprintf(stderr, "no Content-Length\n");
        exit(1);
    }

    need = (size_t) (head + 4 - c->in) + strtoul(field + 17, NULL, 10);

    return (c->len < need) ? NULL : c->in + need;
}


/* 1 when an answer is complete */

static int
conn_read(conn_t *c)
{
    int      status = 0;
    char     id[37] = "-", *job;
    ssize_t  n;

    n = read(c->fd, c->in + c->len, sizeof(c->in) - 1 - c->len);

    if (n <= 0) {
        die("the server has closed a connection");
    }

    c->len += (size_t) n;

    if (!c->busy || conn_whole(c) == NULL) {
        return 0;
    }

    (void) sscanf(c->in, "HTTP/1.1 %d", &status);
    job = strstr(c->in, "\"job_id\"");

    if (job != NULL) {
        (void) sscanf(job + 8, " : \"%36[^\"]", id);
    }

    printf("%lld %lld %lld %d %s\n", (long long) c->due, (long long) c->sent,
           (long long) now_ns(), status, id);
    c->busy = 0;

    return 1;
}


static conn_t *
conn_idle(conn_t *conns, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        if (!conns[i].busy) {
            return &conns[i];
        }
    }

    return NULL;
}


static int
wait_until(int ep, int64_t when)
{
    int                 i, n, done = 0;
    int64_t             left = when - now_ns();
    struct timespec     ts;
    struct epoll_event  evs[64];

    left = (left < 0) ? 0 : left;
    ts.tv_sec = left / 1000000000;
    ts.tv_nsec = left % 1000000000;

    n = epoll_pwait2(ep, evs, 64, &ts, NULL);

    for (i = 0; i < n; i++) {
        done += conn_read(evs[i].data.ptr);
    }

    return done;
}


int
main(int argc, char **argv)
{
    int       ep = epoll_create1(0);
    long      i, sent = 0, answered = 0, total, n_conns;
    double    rate;
    conn_t   *conns, *c;
    int64_t   start, due, end;

    if (argc != 7) {
        fprintf(stderr, "usage: paced PORT PATH RATE SECONDS CONNECTIONS"
                        " LINES\n");
        return 2;
    }

    path = argv[2];
    rate = strtod(argv[3], NULL);
    total = (long) (rate * strtod(argv[4], NULL));
    n_conns = strtol(argv[5], NULL, 10);
    lines_read(argv[6]);
    conns = calloc((size_t) n_conns, sizeof(conn_t));

    for (i = 0; i < n_conns; i++) {
        conn_open(&conns[i], (int) strtol(argv[1], NULL, 10), ep);
    }

    start = now_ns() + 1000000;
    end = start + (int64_t) ((double) total / rate * 1e9) + PATIENCE;

    while (answered < total && now_ns() < end) {
        due = start + (int64_t) ((double) sent / rate * 1e9);
        c = conn_idle(conns, (size_t) n_conns);

        if (sent < total && c != NULL && due <= now_ns()) {
            conn_send(c, &lines[(size_t) sent++ % n_lines], due);
            continue;
        }

        answered += wait_until(ep, (sent < total && c != NULL) ? due : end);
    }

    if (answered < total) {
        fprintf(stderr, "%ld of %ld were not answered\n", total - answered,
                total);
        return 1;
    }

    return 0;
}
