/*
 * podi_id: UUIDv7.
 *
 *     48 bits ms | 0111 | 12 bits | 10 | 62 bits
 *
 * Within one millisecond, and when the clock steps back, the last id plus a
 * random step of 1..2^32 is taken (RFC 9562, 6.2, method 2), so that ids of a
 * process ascend.  A forked child draws anew: the 62 low bits differ.
 *
 * Bytes for names are drawn from the kernel a stock at a time, which a fork
 * throws away in the child: nobody gets what another has got.
 */

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "podi_id.h"
#include "podi_time.h"
#include "banned.h"


#define PODI_ID_STOCK  512

typedef struct {
    pthread_mutex_t  lock;
    pid_t            pid;
    uint64_t         ms;
    uint64_t         high;              /* 12 bits */
    uint64_t         low;               /* 62 bits */
} podi_id_last_t;

typedef struct {
    size_t           left;
    unsigned char    bytes[PODI_ID_STOCK];
} podi_id_stock_t;


static podi_rc_t podi_id_next(podi_id_last_t *last, uint64_t ms);
static void podi_id_format(const unsigned char *bytes, podi_id_t *ret_id);
static void podi_id_watch_forks(void);
static void podi_id_forked(void);

static podi_id_last_t  podi_id_last = { .lock = PTHREAD_MUTEX_INITIALIZER };

static __thread podi_id_stock_t  podi_id_stock;

static int  podi_id_no_stock = 1;       /* until forks are watched */


podi_rc_t
podi_id_make(podi_id_t *ret_id)
{
    int             i;
    uint64_t        ms, high, low;
    podi_rc_t       rc;
    unsigned char   bytes[16];

    /* thread pools make ids too; uncontended, the lock costs 20 ns */

    (void) pthread_mutex_lock(&podi_id_last.lock);

    rc = podi_id_next(&podi_id_last, (uint64_t) podi_time_now() / 1000);

    ms = podi_id_last.ms;
    high = podi_id_last.high | 0x7000;
    low = podi_id_last.low | UINT64_C(1) << 63;

    (void) pthread_mutex_unlock(&podi_id_last.lock);

    if (rc != PODI_OK) {
        return rc;
    }

    for (i = 0; i < 6; i++) {
        bytes[i] = (unsigned char) (ms >> (40 - 8 * i));
    }

    bytes[6] = (unsigned char) (high >> 8);
    bytes[7] = (unsigned char) high;

    for (i = 0; i < 8; i++) {
        bytes[8 + i] = (unsigned char) (low >> (56 - 8 * i));
    }

    podi_id_format(bytes, ret_id);

    return PODI_OK;
}


static podi_rc_t
podi_id_next(podi_id_last_t *last, uint64_t ms)
{
    uint32_t  step;
    uint64_t  random[2];

    if (last->pid == getpid() && ms <= last->ms) {

        if (podi_random(&step, sizeof(step)) != PODI_OK) {
            return PODI_ERROR;
        }

        last->low += (uint64_t) step + 1;

        if (last->low >> 62) {
            last->low &= (UINT64_C(1) << 62) - 1;
            last->high++;
        }

        if (last->high >> 12) {
            last->high = 0;
            last->ms++;
        }

        return PODI_OK;
    }

    if (podi_random(random, sizeof(random)) != PODI_OK) {
        return PODI_ERROR;
    }

    last->pid = getpid();
    last->ms = ms;
    last->high = random[0] & 0xfff;
    last->low = random[1] & ((UINT64_C(1) << 62) - 1);

    return PODI_OK;
}


static void
podi_id_format(const unsigned char *bytes, podi_id_t *ret_id)
{
    int             i;
    unsigned char  *p = ret_id->text;

    for (i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *p++ = '-';
        }

        podi_hex_encode(p, bytes + i, 1);
        p += 2;
    }
}


podi_rc_t
podi_id_parse(const podi_str_t *s, podi_id_t *ret_id)
{
    size_t         i;
    podi_id_t      id;
    unsigned char  c;

    if (s->len != PODI_ID_LEN) {
        return PODI_ERROR;
    }

    for (i = 0; i < PODI_ID_LEN; i++) {
        c = s->data[i];

        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (c != '-') {
                return PODI_ERROR;
            }

        } else {
            if (c >= 'A' && c <= 'F') {
                c |= 0x20;
            }

            if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) {
                return PODI_ERROR;
            }
        }

        id.text[i] = c;
    }

    *ret_id = id;

    return PODI_OK;
}


podi_str_t
podi_id_str(const podi_id_t *id)
{
    podi_str_t  s;

    s.len = PODI_ID_LEN;
    s.data = (unsigned char *) (uintptr_t) id->text;

    return s;
}


podi_rc_t
podi_random(void *dst, size_t len)
{
    ssize_t         n;
    unsigned char  *p = dst;

    while (len) {
        n = getrandom(p, len, 0);

        if (n < 0) {
            if (errno == EINTR) {
                continue;
            }

            return PODI_ERROR;
        }

        p += n;
        len -= (size_t) n;
    }

    return PODI_OK;
}


podi_rc_t
podi_random_name(void *dst, size_t len)
{
    podi_id_stock_t        *stock = &podi_id_stock;
    static pthread_once_t   once = PTHREAD_ONCE_INIT;

    if (stock->left < len) {

        (void) pthread_once(&once, podi_id_watch_forks);

        if (podi_id_no_stock || len > PODI_ID_STOCK) {
            return podi_random(dst, len);
        }

        stock->left = 0;

        if (podi_random(stock->bytes, PODI_ID_STOCK) != PODI_OK) {
            return PODI_ERROR;
        }

        stock->left = PODI_ID_STOCK;
    }

    stock->left -= len;
    memcpy(dst, stock->bytes + stock->left, len);

    return PODI_OK;
}


static void
podi_id_watch_forks(void)
{
    podi_id_no_stock = pthread_atfork(NULL, NULL, podi_id_forked);
}


/* of the threads of its parent a child has only the one that forked */

static void
podi_id_forked(void)
{
    podi_id_stock.left = 0;
}
