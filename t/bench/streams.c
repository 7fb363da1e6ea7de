/*
 * streams: many connections that ask once and then listen.
 *
 *     streams PORT plain|tls|h2 PATH COUNT TOKENS
 *
 *     TOKENS  a file, a token a line; connection i uses line i (0 and up)
 *
 * Prints "ready" when each has its 200.  Then a line for each event that
 * comes: connection, ns of the wall clock when it was read from the socket
 * (the first byte may have been there for as long as the loop took before),
 * event id.  Ends with "closed N", how many the server has closed, when stdin
 * ends.  stdout should be a file: a full pipe would stop the clock.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD  4096

typedef struct {
    int         fd;
    SSL        *ssl;
    unsigned    matched;        /* of "id: " in this line; SKIP: another */
    uint64_t    id;
    uint8_t     head[9];        /* of an HTTP/2 frame, as far as it came */
    size_t      have;           /* ... so far */
    size_t      left;           /* of its payload */
} conn_t;

#define ID_LEN  4               /* "id: " */
#define SKIP    99

typedef enum { PLAIN, TLS, H2 } mode_e;


static mode_e       mode;
static SSL_CTX     *tls;
static const char  *path;


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
tls_init(void)
{
    static const unsigned char  h2[] = "\x02h2", h1[] = "\x08http/1.1";

    tls = SSL_CTX_new(TLS_client_method());

    if (tls == NULL
        || SSL_CTX_set_alpn_protos(tls, mode == H2 ? h2 : h1,
                                   mode == H2 ? 3 : 9)
           != 0)
    {
        die("TLS");
    }

    SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
}


static void
conn_write(conn_t *c, const char *data, size_t len)
{
    ssize_t  n;

    n = (c->ssl != NULL) ? SSL_write(c->ssl, data, (int) len)
                         : write(c->fd, data, len);

    if (n != (ssize_t) len) {
        die("write");
    }
}


static ssize_t
conn_read(conn_t *c, char *data, size_t len)
{
    return (c->ssl != NULL) ? SSL_read(c->ssl, data, (int) len)
                            : read(c->fd, data, len);
}


/* a record without data, such as a session ticket, or a part of one */

static int
conn_must_wait(conn_t *c, ssize_t n)
{
    return (c->ssl != NULL)
           ? SSL_get_error(c->ssl, (int) n) == SSL_ERROR_WANT_READ
           : errno == EAGAIN;
}


static void
conn_open(conn_t *c, int port)
{
    struct sockaddr_in  sin = { .sin_family = AF_INET };

    sin.sin_port = htons((uint16_t) port);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    c->fd = socket(AF_INET, SOCK_STREAM, 0);

    if (c->fd == -1 || connect(c->fd, (void *) &sin, sizeof(sin)) == -1) {
        die("connect");
    }

    if (mode == PLAIN) {
        return;
    }

    c->ssl = SSL_new(tls);

    if (c->ssl == NULL || SSL_set_fd(c->ssl, c->fd) != 1
        || SSL_connect(c->ssl) != 1)
    {
        die("TLS handshake");
    }
}


static void conn_hear(conn_t *c, size_t number, const char *p,
    const char *end, int64_t at);
static void h2_hear(conn_t *c, size_t number, const char *p, const char *end,
    int64_t at);


/* ---- HTTP/1.1 ----------------------------------------------------------- */

static void
h1_ask(conn_t *c, const char *token)
{
    int      len;
    char     text[HEAD];
    ssize_t  n;

    len = snprintf(text, sizeof(text),
                   "GET %s HTTP/1.1\r\nHost: localhost\r\n"
                   "Authorization: Bearer %s\r\n\r\n", path, token);
    conn_write(c, text, (size_t) len);

    n = conn_read(c, text, sizeof(text) - 1);

    if (n < 12 || memcmp(text, "HTTP/1.1 200", 12) != 0) {
        text[n > 0 ? n : 0] = '\0';
        fprintf(stderr, "refused: %.60s\n", text);
        exit(1);
    }
}


/* ---- HTTP/2: one request, HPACK without Huffman and without index ------- */

static size_t
h2_integer(unsigned char *out, unsigned char first, unsigned bits, size_t n)
{
    size_t    len = 1;
    unsigned  max = (1U << bits) - 1;

    if (n < max) {
        out[0] = (unsigned char) (first | n);
        return 1;
    }

    out[0] = (unsigned char) (first | max);

    for (n -= max; n >= 128; n /= 128) {
        out[len++] = (unsigned char) (n % 128 + 128);
    }

    out[len++] = (unsigned char) n;

    return len;
}


/* a literal whose name is that of an entry of the static table */

static size_t
h2_field(unsigned char *out, size_t name, const char *value)
{
    size_t  len, n = strlen(value);

    len = h2_integer(out, 0x00, 4, name);
    len += h2_integer(out + len, 0x00, 7, n);
    memcpy(out + len, value, n);

    return len + n;
}


static void
h2_frame(unsigned char *out, size_t len, unsigned char type,
    unsigned char flags, unsigned char stream)
{
    memset(out, 0, 9);
    out[0] = (unsigned char) (len >> 16);
    out[1] = (unsigned char) (len >> 8);
    out[2] = (unsigned char) len;
    out[3] = type;
    out[4] = flags;
    out[8] = stream;
}


/* waits for the HEADERS of the answer; SETTINGS and the like come before */

static void
h2_status(conn_t *c, size_t number)
{
    size_t         need, have = 0;
    ssize_t        n;
    unsigned char  in[HEAD];

    for ( ;; ) {
        need = (have < 9) ? 9
             : 9 + ((size_t) in[0] << 16 | (size_t) in[1] << 8 | in[2]);

        if (have >= 9 && have >= need) {

            if (in[3] == 1) {
                if (need == 9 || in[9] != 0x88) {      /* :status 200 */
                    fprintf(stderr, "refused over HTTP/2\n");
                    exit(1);
                }

                h2_hear(c, number, (char *) in + need, (char *) in + have,
                        now_ns());
                return;
            }

            memmove(in, in + need, have - need);
            have -= need;
            continue;
        }

        n = conn_read(c, (char *) in + have, sizeof(in) - have);

        if (n <= 0) {
            die("read");
        }

        have += (size_t) n;
    }
}


static void
h2_ask(conn_t *c, size_t number, const char *token)
{
    char           bearer[HEAD];
    size_t         len = 9;
    unsigned char  out[2 * HEAD], head[9];

    conn_write(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    h2_frame(head, 0, 4, 0, 0);                        /* SETTINGS */
    conn_write(c, (char *) head, 9);

    (void) snprintf(bearer, sizeof(bearer), "Bearer %s", token);
    out[len++] = 0x82;                                 /* GET */
    out[len++] = 0x87;                                 /* https */
    len += h2_field(out + len, 1, "localhost");        /* :authority */
    len += h2_field(out + len, 4, path);               /* :path */
    len += h2_field(out + len, 23, bearer);            /* authorization */
    h2_frame(out, len - 9, 1, 5, 1);     /* HEADERS, END_HEADERS|END_STREAM */
    conn_write(c, (char *) out, len);

    h2_status(c, number);
}


/* payloads of DATA frames are heard, the others passed over */

static void
h2_hear(conn_t *c, size_t number, const char *p, const char *end, int64_t at)
{
    size_t  n;

    while (p < end) {

        if (c->have < sizeof(c->head)) {
            c->head[c->have++] = (uint8_t) *p++;

            if (c->have == sizeof(c->head)) {
                c->left = (size_t) c->head[0] << 16
                          | (size_t) c->head[1] << 8 | c->head[2];
            }

        } else {
            n = (size_t) (end - p) < c->left ? (size_t) (end - p) : c->left;

            if (c->head[3] == 0) {
                conn_hear(c, number, p, p + n, at);
            }

            p += n;
            c->left -= n;
        }

        if (c->have == sizeof(c->head) && c->left == 0) {
            c->have = 0;
        }
    }
}


/* ---- listening ---------------------------------------------------------- */

static void
conn_hear(conn_t *c, size_t number, const char *p, const char *end,
    int64_t at)
{
    static const char  id[] = "id: ";

    for ( ; p < end; p++) {

        if (*p == '\n') {
            if (c->matched == ID_LEN) {
                printf("%zu %lld %llu\n", number, (long long) at,
                       (unsigned long long) c->id);
            }
            c->matched = 0;
            c->id = 0;
            continue;
        }

        if (c->matched < ID_LEN) {
            c->matched = (*p == id[c->matched]) ? c->matched + 1 : SKIP;

        } else if (c->matched == ID_LEN) {
            c->id = c->id * 10 + (uint64_t) (*p - '0');
        }
    }
}


static size_t
listen_until_eof(conn_t *conns, int ep)
{
    int                 i, n;
    char                in[16384];
    conn_t             *c;
    int64_t             at;
    size_t              closed = 0;
    ssize_t             len;
    struct epoll_event  evs[64];

    for ( ;; ) {
        n = epoll_wait(ep, evs, 64, -1);
        at = now_ns();

        for (i = 0; i < n; i++) {
            c = evs[i].data.ptr;

            if (c == NULL) {
                return closed;
            }

            len = conn_read(c, in, sizeof(in));

            if (len < 0 && conn_must_wait(c, len)) {
                continue;
            }

            if (len <= 0) {
                (void) epoll_ctl(ep, EPOLL_CTL_DEL, c->fd, NULL);
                closed++;

            } else if (mode == H2) {
                h2_hear(c, (size_t) (c - conns), in, in + len, at);

            } else {
                conn_hear(c, (size_t) (c - conns), in, in + len, at);
            }
        }

        fflush(stdout);
    }
}


int
main(int argc, char **argv)
{
    int                  ep = epoll_create1(0);
    char                 token[HEAD / 2];
    FILE                *tokens;
    size_t               i, count;
    conn_t              *conns;
    struct epoll_event   ev = { .events = EPOLLIN };

    if (argc != 6) {
        fprintf(stderr, "usage: streams PORT plain|tls|h2 PATH COUNT TOKENS\n");
        return 2;
    }

    mode = argv[2][0] == 'p' ? PLAIN : argv[2][0] == 't' ? TLS : H2;
    path = argv[3];
    count = strtoul(argv[4], NULL, 10);
    tokens = fopen(argv[5], "r");
    conns = calloc(count, sizeof(conn_t));
    tls_init();

    if (tokens == NULL || conns == NULL
        || epoll_ctl(ep, EPOLL_CTL_ADD, 0, &ev) == -1)
    {
        die(argv[5]);
    }

    for (i = 0; i < count; i++) {

        if (fgets(token, sizeof(token), tokens) == NULL) {
            die("too few tokens");
        }

        token[strcspn(token, "\n")] = '\0';
        conn_open(&conns[i], (int) strtol(argv[1], NULL, 10));
        (mode == H2) ? h2_ask(&conns[i], i, token)
                     : h1_ask(&conns[i], token);

        ev.data.ptr = &conns[i];
        if (fcntl(conns[i].fd, F_SETFL, O_NONBLOCK) == -1
            || epoll_ctl(ep, EPOLL_CTL_ADD, conns[i].fd, &ev) == -1)
        {
            die("epoll");
        }
    }

    printf("ready\n");
    fflush(stdout);
    i = listen_until_eof(conns, ep);
    printf("closed %zu\n", i);

    return 0;
}
