/*
 * podi_trace: the rules of W3C Trace Context, one case each.
 */

#include "tap.h"
#include "podi_trace.h"
#include "banned.h"


#define TRACE  "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN   "00f067aa0ba902b7"
#define GOOD   "00-" TRACE "-" SPAN "-01"


static const struct {
    const char  *text;
    int          flags;         /* -1: a new trace is started */
    const char  *what;
}  parents[] = {
    { GOOD, 1, "valid" },
    { "00-" TRACE "-" SPAN "-00", 0, "not sampled" },
    { "00-" TRACE "-" SPAN "-03", 3, "sampled and random" },
    { "00-" TRACE "-" SPAN "-ff", 3, "unknown flags are sent as 0" },
    { " \t" GOOD "\t ", 1, "blanks around it" },
    { "cc-" TRACE "-" SPAN "-01", 1, "a later version" },
    { "cc-" TRACE "-" SPAN "-01-what", 1, "a later version, longer" },
    { "cc-" TRACE "-" SPAN "-01.what", -1, "longer without a dash" },
    { GOOD "-what", -1, "version 00 is never longer" },
    { GOOD "-", -1, "not by a dash either" },
    { "ff-" TRACE "-" SPAN "-01", -1, "version ff" },
    { "0-" TRACE "-" SPAN "-01", -1, "a short version" },
    { "00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01", -1,
      "upper case in the trace id" },
    { "00-" TRACE "-00F067AA0BA902B7-01", -1, "in the parent id" },
    { "00-" TRACE "-" SPAN "-0A", -1, "in the flags" },
    { "CC-" TRACE "-" SPAN "-01", -1, "in the version" },
    { "00-00000000000000000000000000000000-" SPAN "-01", -1,
      "a trace id of zeros" },
    { "00-" TRACE "-0000000000000000-01", -1, "a parent id of zeros" },
    { "00-" TRACE "-" SPAN "-0", -1, "cut" },
    { "00-" TRACE "-" SPAN, -1, "no flags" },
    { "00_" TRACE "-" SPAN "-01", -1, "no dash" },
    { "00-" TRACE "-" SPAN "_01", -1, "no dash before the flags" },
    { ".0-" TRACE "-" SPAN "-01", -1, "no hex in the version" },
    { "00-.bf92f3577b34da6a3ce929d0e0e4736-" SPAN "-01", -1,
      "no hex in the trace id" },
    { "", -1, "empty" },
};

#define K256  "k23456789012345678901234567890123456789012345678901234567890" \
    "1234567890123456789012345678901234567890123456789012345678901234567890" \
    "1234567890123456789012345678901234567890123456789012345678901234567890" \
    "12345678901234567890123456789012345678901234567890123456"

static const struct {
    const char  *values[3];
    const char  *want;
    const char  *what;
}  states[] = {
    { { "a=1" }, "a=1", "one member" },
    { { "a=1,b=2", "c=3" }, "a=1,b=2,c=3", "several headers, in order" },
    { { " a=1 \t,\t b=2 " }, "a=1,b=2", "blanks around the commas" },
    { { "a=1,,b=2," }, "a=1,b=2", "empty members" },
    { { "", "a=1", "" }, "a=1", "empty headers" },
    { { "a=1,a=2" }, "a=1,a=2", "a key twice is kept" },
    { { "0a@b_-*/=x y!~" }, "0a@b_-*/=x y!~", "all that is legal" },
    { { K256 "=1" }, K256 "=1", "a key of 256" },
    { { "a=1," K256 "7=1" }, "", "a key of 257" },
    { { "a=1,A=2" }, "", "a key in upper case drops the list" },
    { { "a=1,_b=2" }, "", "a key that begins with a sign" },
    { { "a=1,b" }, "", "no value" },
    { { "a=1,b=" }, "", "an empty value" },
    { { "a=1,=b" }, "", "an empty key" },
    { { "a=1,b=2=3" }, "", "a second '='" },
    { { "a=1,b=\x7f" }, "", "a control character" },
    { { "a=1,b =2" }, "", "a blank in the key" },
};


static podi_trace_t begin(const char *parent, const char *const *values,
    size_t n, podi_mem_t *mem);
static void test_numbers(podi_mem_t *mem);
static void test_ids(podi_mem_t *mem);


int
main(void)
{
    size_t          n;
    unsigned        i;
    podi_str_t      s;
    podi_trace_t    t;
    podi_arena_t   *arena;
    unsigned char   text[PODI_TRACEPARENT_LEN];

    arena = podi_arena_create();

    for (i = 0; i < sizeof(parents) / sizeof(parents[0]); i++) {
        t = begin(parents[i].text, (const char *[]) { "a=1" }, 1,
                  podi_arena_mem(arena));
        s = podi_trace_id(&t);

        if (parents[i].flags < 0) {
            ok(!t.continued && !podi_str_eq_c(&s, TRACE) && t.random
               && !t.sampled && t.state.len == 0
               && memcmp(t.parent_id, "0000000000000000", 16) == 0,
               "new: %s", parents[i].what);
            continue;
        }

        podi_trace_format(&t, text);

        ok(t.continued && podi_str_eq_c(&s, TRACE)
           && memcmp(t.parent_id, SPAN, 16) == 0
           && memcmp(t.span_id, SPAN, 16) != 0
           && memcmp(text, "00-" TRACE "-", 36) == 0
           && text[53] == '0' && text[54] == '0' + parents[i].flags
           && t.state.len == 3, "continued: %s", parents[i].what);
    }

    for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        for (n = 0; n < 3 && states[i].values[n] != NULL; n++) {
            /* void */
        }

        t = begin(GOOD, states[i].values, n, podi_arena_mem(arena));
        is_str(t.state, states[i].want, states[i].what);
        ok(t.continued, "and the traceparent is not harmed");
    }

    test_numbers(podi_arena_mem(arena));
    test_ids(podi_arena_mem(arena));

    podi_arena_free(&arena);

    return tap_done();
}


static podi_trace_t
begin(const char *parent, const char *const *values, size_t n,
    podi_mem_t *mem)
{
    size_t        i;
    podi_str_t    p, v[3];
    podi_trace_t  t;

    p = str(parent);

    for (i = 0; i < n; i++) {
        v[i] = str(values[i]);
    }

    if (podi_trace_begin(&p, 1, v, n, mem, &t) != PODI_OK) {
        abort();
    }

    return t;
}


static void
test_numbers(podi_mem_t *mem)
{
    char          text[1024];
    size_t        len = 0;
    unsigned      i;
    podi_trace_t  t;

    for (i = 0; i < 33; i++) {
        len += (size_t) snprintf(text + len, sizeof(text) - len, "k%u=v,", i);

        if (i == 31) {
            t = begin(GOOD, (const char *[]) { text }, 1, mem);
            ok(t.state.len == len - 1, "32 members are passed on");
        }
    }

    t = begin(GOOD, (const char *[]) { text }, 1, mem);
    is_str(t.state, "", "33 are not");

    /* 150 + 3 * 120 + ... : the long one goes, then those at the end */

    (void) snprintf(text, sizeof(text),
                    "a=%0118d,long=%0145d,b=%0118d,c=%0118d,d=%0118d,e=%030d",
                    1, 2, 3, 4, 5, 6);
    t = begin(GOOD, (const char *[]) { text }, 1, mem);
    (void) snprintf(text, sizeof(text), "a=%0118d,b=%0118d,c=%0118d,d=%0118d",
                    1, 3, 4, 5);
    is_str(t.state, text, "more than 512: long ones, then the end, go");
}


static void
test_ids(podi_mem_t *mem)
{
    podi_str_t      two[2], s;
    podi_trace_t    t, next;
    unsigned char   text[PODI_TRACEPARENT_LEN];

    two[0] = str(GOOD);
    two[1] = str(GOOD);

    ok(podi_trace_begin(two, 2, NULL, 0, mem, &t) == PODI_OK
       && !t.continued, "two traceparents: a new trace");
    ok(podi_trace_begin(NULL, 0, NULL, 0, mem, &t) == PODI_OK
       && !t.continued, "none: a new trace");

    podi_trace_format(&t, text);
    s.data = text;
    s.len = sizeof(text);
    ok(podi_trace_parse(&s, &next) == PODI_OK, "which we can read ourselves");
    ok(memcmp(next.span_id, t.span_id, 16) == 0, "with its span");

    ok(podi_trace_hop(&t, &next) == PODI_OK
       && memcmp(next.trace_id, t.trace_id, 32) == 0
       && memcmp(next.parent_id, t.span_id, 16) == 0
       && memcmp(next.span_id, t.span_id, 16) != 0,
       "a hop: the same trace, a new span, the old one its parent");

    s = str("nonsense");
    is_int(podi_trace_parse(&s, &next), PODI_DECLINED, "nonsense is declined");
}
