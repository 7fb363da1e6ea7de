/*
 * breaker: its three states and every edge between them.
 */

#include "tap.h"
#include "podi_breaker.h"
#include "banned.h"


#define HALF  0x80000000u       /* jitter: three quarters of the period */


static const podi_breaker_conf_t  conf = {
    .window = 8000, .calls_min = 4, .bad_percent = 50, .slow = 500,
    .open = 1000, .open_max = 6000, .probe = 300, .probe_max = 300
};


static void opens(void);
static void window(void);
static void half_open(void);
static void grows(void);
static void late(void);
static void overdue(void);
static void other_probe(void);
static void beaten(void);
static void forgotten(void);
static void set_back(void);
static void texts(void);


/* one call from its ask to its report; its verdict */

static podi_breaker_verdict_e
call(podi_breaker_t *b, podi_breaker_outcome_e outcome, podi_msec_t took,
    podi_msec_t now)
{
    uint64_t                ticket = 0;
    podi_breaker_verdict_e  v;

    v = podi_breaker_ask(b, &conf, now, HALF, &ticket);

    if (v != PODI_BREAKER_SHUT) {
        podi_breaker_report(b, &conf, ticket, outcome, took, now, HALF);
    }

    return v;
}


/* a breaker that opened at `now`, for 750 ms */

static podi_breaker_t
opened(podi_msec_t now)
{
    int             i;
    podi_breaker_t  b;

    memset(&b, 0, sizeof(b));

    for (i = 0; i < 4; i++) {
        (void) call(&b, PODI_BREAKER_BAD, 1, now);
    }

    return b;
}


int
main(void)
{
    opens();
    window();
    half_open();
    grows();
    late();
    overdue();
    other_probe();
    beaten();
    forgotten();
    set_back();
    texts();

    return tap_done();
}


static void
opens(void)
{
    podi_breaker_t  b;

    memset(&b, 0, sizeof(b));

    (void) call(&b, PODI_BREAKER_BAD, 1, 100);
    (void) call(&b, PODI_BREAKER_BAD, 1, 100);
    (void) call(&b, PODI_BREAKER_BAD, 1, 100);
    is_int(b.state, PODI_BREAKER_CLOSED, "too few calls decide nothing");

    (void) call(&b, PODI_BREAKER_UNKNOWN, 1, 100);
    is_int(b.state, PODI_BREAKER_CLOSED, "a call given up is no call");

    (void) call(&b, PODI_BREAKER_GOOD, 500, 100);
    is_int(b.state, PODI_BREAKER_OPEN, "three bad of four open it");
    is_int((long long) podi_breaker_wait(&b, &conf, 100), 750,
           "for three quarters of its period, by these random bits");
    is_int(call(&b, PODI_BREAKER_GOOD, 1, 849), PODI_BREAKER_SHUT,
           "no call passes before that");

    memset(&b, 0, sizeof(b));
    (void) call(&b, PODI_BREAKER_GOOD, 501, 100);
    (void) call(&b, PODI_BREAKER_GOOD, 500, 100);
    (void) call(&b, PODI_BREAKER_GOOD, 500, 100);
    (void) call(&b, PODI_BREAKER_GOOD, 501, 100);
    is_int(b.state, PODI_BREAKER_OPEN, "a slow call is a bad call");
}


static void
window(void)
{
    int             i;
    podi_breaker_t  b;

    memset(&b, 0, sizeof(b));

    for (i = 0; i < 3; i++) {
        (void) call(&b, PODI_BREAKER_BAD, 1, 1000);
    }

    (void) call(&b, PODI_BREAKER_BAD, 1, 9000);
    is_int(b.state, PODI_BREAKER_CLOSED, "what left the window is forgotten");

    (void) call(&b, PODI_BREAKER_BAD, 1, 16999);
    (void) call(&b, PODI_BREAKER_BAD, 1, 16999);
    (void) call(&b, PODI_BREAKER_BAD, 1, 16999);
    is_int(b.state, PODI_BREAKER_OPEN, "what is inside it is not");

    memset(&b, 0, sizeof(b));

    for (i = 0; i < 100; i++) {
        (void) call(&b, i % 100 < 49 ? PODI_BREAKER_GOOD : PODI_BREAKER_BAD,
                    1, 50000 + (podi_msec_t) i);

        if (b.state == PODI_BREAKER_OPEN) {
            break;
        }
    }

    is_int(i, 97, "half of them are bad with the 49th of 98");
}


static void
half_open(void)
{
    uint64_t        probe, other = 0;
    podi_breaker_t  b = opened(100), c;

    is_int(podi_breaker_ask(&b, &conf, 850, HALF, &probe), PODI_BREAKER_PROBE,
           "who asks first after its time is the probe");
    is_int(podi_breaker_ask(&b, &conf, 850, HALF, &other), PODI_BREAKER_SHUT,
           "and nobody else passes");
    is_int((long long) podi_breaker_wait(&b, &conf, 850), 300,
           "before the probe is overdue");

    c = b;
    podi_breaker_report(&c, &conf, probe, PODI_BREAKER_GOOD, 1, 900, HALF);
    is_int(c.state, PODI_BREAKER_CLOSED, "a good probe closes it");
    is_int(call(&c, PODI_BREAKER_BAD, 1, 900), PODI_BREAKER_PASS,
           "calls pass again");
    is_int(c.state, PODI_BREAKER_CLOSED, "what was before is forgotten");

    c = b;
    podi_breaker_report(&c, &conf, probe, PODI_BREAKER_GOOD, 501, 900, HALF);
    is_int(c.state, PODI_BREAKER_OPEN, "a slow probe is a bad one");

    c = b;
    podi_breaker_report(&c, &conf, probe, PODI_BREAKER_UNKNOWN, 1, 900, HALF);
    is_int(c.state, PODI_BREAKER_OPEN, "a probe given up leaves it open");
    is_int(podi_breaker_ask(&c, &conf, 900, HALF, &other), PODI_BREAKER_PROBE,
           "and the next who asks is the probe");
}


static void
grows(void)
{
    int             i;
    podi_msec_t     now = 100;
    podi_breaker_t  b = opened(now);
    static const podi_msec_t  waits[] = { 750, 1500, 3000, 4500, 4500 };

    for (i = 0; i < 5; i++) {
        is_int((long long) podi_breaker_wait(&b, &conf, now),
               (long long) waits[i], "open for longer each time, to a bound");
        now = b.until;
        is_int(call(&b, PODI_BREAKER_BAD, 1, now), PODI_BREAKER_PROBE,
               "one probe a time");
    }

    now = b.until;
    (void) call(&b, PODI_BREAKER_GOOD, 1, now);
    b = opened(now);
    is_int((long long) podi_breaker_wait(&b, &conf, now), 750,
           "closed once, it begins anew");
}


/* reports of calls that began under another state */

static void
late(void)
{
    int             i;
    uint64_t        old = 0, probe = 0;
    podi_breaker_t  b;

    memset(&b, 0, sizeof(b));
    (void) podi_breaker_ask(&b, &conf, 50, HALF, &old);

    for (i = 0; i < 4; i++) {
        (void) call(&b, PODI_BREAKER_BAD, 1, 100);
    }

    podi_breaker_report(&b, &conf, old, PODI_BREAKER_GOOD, 1, 200, HALF);
    is_int(b.state, PODI_BREAKER_OPEN, "a call from before does not close it");

    (void) podi_breaker_ask(&b, &conf, 850, HALF, &probe);
    podi_breaker_report(&b, &conf, old, PODI_BREAKER_GOOD, 1, 860, HALF);
    is_int(b.state, PODI_BREAKER_HALF_OPEN, "nor is it the probe");

    podi_breaker_report(&b, &conf, probe, PODI_BREAKER_GOOD, 1, 900, HALF);
    podi_breaker_report(&b, &conf, probe, PODI_BREAKER_BAD, 1, 900, HALF);
    is_int(b.slices[0].calls + b.slices[1].calls, 0,
           "a report that comes twice counts once");
}


static void
overdue(void)
{
    uint64_t        probe = 0, next = 0;
    podi_breaker_t  b = opened(100);

    (void) podi_breaker_ask(&b, &conf, 850, HALF, &probe);
    is_int(podi_breaker_ask(&b, &conf, 1150, HALF, &next), PODI_BREAKER_SHUT,
           "an overdue probe opens it for longer");
    is_int((long long) podi_breaker_wait(&b, &conf, 1150), 1500,
           "as a bad one does");

    podi_breaker_report(&b, &conf, probe, PODI_BREAKER_GOOD, 1, 1200, HALF);
    is_int(b.state, PODI_BREAKER_OPEN, "coming late does not help it");
    is_int(podi_breaker_ask(&b, &conf, 2650, HALF, &next), PODI_BREAKER_PROBE,
           "another probes");
    ok(next != probe, "with a ticket of its own");
}


/* a probe takes as long as its job may, whoever asks meanwhile */

static void
other_probe(void)
{
    uint64_t             probe = 0, next = 0;
    podi_breaker_t       b = opened(100);
    podi_breaker_conf_t  longer = conf;

    longer.probe = 5000;
    longer.probe_max = 9000;

    (void) podi_breaker_ask(&b, &longer, 850, HALF, &probe);
    longer.probe = 300;
    is_int(podi_breaker_ask(&b, &longer, 5849, HALF, &next), PODI_BREAKER_SHUT,
           "a job that may take long probes long");
    is_int((long long) podi_breaker_wait(&b, &longer, 5849), 1,
           "and others do not make it overdue");
    podi_breaker_report(&b, &longer, probe, PODI_BREAKER_GOOD, 1, 5849, HALF);
    is_int(b.state, PODI_BREAKER_CLOSED, "so that it closes the breaker");
}


/* a probe whose holder beats is not overdue */

static void
beaten(void)
{
    uint64_t        probe = 0, next = 0;
    podi_breaker_t  b = opened(100), was;

    was = b;
    podi_breaker_beat(&b, &conf, b.epoch, 200);
    ok(memcmp(&b, &was, sizeof(b)) == 0, "nothing is out to be put off");

    (void) podi_breaker_ask(&b, &conf, 850, HALF, &probe);
    podi_breaker_beat(&b, &conf, probe, 1100);
    is_int(podi_breaker_ask(&b, &conf, 1200, HALF, &next), PODI_BREAKER_SHUT,
           "others wait on");
    is_int((long long) podi_breaker_wait(&b, &conf, 1200), 200,
           "until the next beat is overdue");
    podi_breaker_beat(&b, &conf, probe - 1, 1300);
    is_int((long long) podi_breaker_wait(&b, &conf, 1300), 100,
           "an old ticket puts off nothing");
    podi_breaker_report(&b, &conf, probe, PODI_BREAKER_GOOD, 1, 1390, HALF);
    is_int(b.state, PODI_BREAKER_CLOSED, "and it is still the probe");
    podi_breaker_beat(&b, &conf, probe, 1395);
    is_int((long long) podi_breaker_wait(&b, &conf, 1395), 0,
           "a beat that comes late shuts nothing");
}


/* a ticket from before the state was lost */

static void
forgotten(void)
{
    uint64_t        old = 0;
    podi_breaker_t  b = opened(100);

    (void) call(&b, PODI_BREAKER_GOOD, 1, 850);
    (void) podi_breaker_ask(&b, &conf, 900, HALF, &old);

    b = opened(2000);
    (void) call(&b, PODI_BREAKER_BAD, 1, 2750);
    ok(old != b.epoch, "is good for no other state");
    podi_breaker_report(&b, &conf, b.epoch, PODI_BREAKER_GOOD, 1, 2760, HALF);
    is_int(b.state, PODI_BREAKER_OPEN, "and nothing is while it is open");
}


static void
set_back(void)
{
    uint64_t        ticket;
    podi_breaker_t  b = opened(1000000);

    is_int(podi_breaker_ask(&b, &conf, 100, HALF, &ticket), PODI_BREAKER_SHUT,
           "a clock that was set back finds it open");
    is_int((long long) podi_breaker_wait(&b, &conf, 100), 6000,
           "for the longest period at most");
    is_int(podi_breaker_ask(&b, &conf, 6100, HALF, &ticket),
           PODI_BREAKER_PROBE, "which does end");

    podi_breaker_report(&b, &conf, ticket, PODI_BREAKER_GOOD, 1, 6100, HALF);
    b = opened(1000000);
    b.state = PODI_BREAKER_CLOSED;
    (void) call(&b, PODI_BREAKER_BAD, 1, 100);
    is_int(b.state, PODI_BREAKER_OPEN, "what it counts stays in the window");
}


static void
texts(void)
{
    size_t          len, i;
    char            line[PODI_BREAKER_TEXT_MAX];
    podi_str_t      s;
    podi_breaker_t  b = opened(123456), c;
    static const char  *const bad[] = {
        "", "0", "3 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
        "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
        "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 ",
        "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 -1",
        "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 4294967296",
        "0 0 0 18446744073709551616 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
        "0  0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"
    };

    len = podi_breaker_write(&b, line);
    is_int((long long) len, (long long) strlen(line), "its text has a length");
    memset(&c, 0xff, sizeof(c));
    s.data = (unsigned char *) line;
    s.len = len;
    is_int(podi_breaker_read(&s, &c), PODI_OK, "and is read again");
    ok(memcmp(&b, &c, sizeof(b)) == 0, "as the same state");

    memset(&b, 0xff, sizeof(b));
    b.state = PODI_BREAKER_HALF_OPEN;
    s.len = podi_breaker_write(&b, line);
    ok(podi_breaker_read(&s, &c) == PODI_OK && memcmp(&b, &c, sizeof(b)) == 0,
       "the longest one too");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        s = str(bad[i]);
        is_int(podi_breaker_read(&s, &c), PODI_ERROR, "no text of ours");
    }
}
