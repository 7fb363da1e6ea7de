/*
 * trace: a traceparent, then tracestate headers, each on a line.
 *
 * Against the grammar of the recommendation as regular expressions: a valid
 * parent is continued with its own ids and flags, any other begins anew; what
 * goes out is a traceparent again, and all members or, when these are too
 * long, some of them in their order.
 */

#include <regex.h>
#include <string.h>

#include "fuzz.h"
#include "podi_buf.h"
#include "podi_trace.h"
#include "banned.h"


#define STATES   4
#define MEMBERS  32

#define FUZZ_PARENT  "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


const char *const  fuzz_seeds[] = {
    FUZZ_PARENT "\ncongo=t61rcWkgMzE,rojo=00f067aa0ba902b7",
    "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03-what\n"
    "a=1,b@c/d=x y, ,z*_-=!~\n\t c=2 \t,",
    FUZZ_PARENT "\na=1,a=1,a=1,a=1,a=1,a=1,a=1,a=1,a=1,a=1,a=1,a=1,a=1,a=1,"
    "a=1,a=1,a=1,a=1,a=1,a=1,a=1,a=1,a=1,a=1,a=1,a=1,a=1,a=1,a=1,a=1\nb=2,c=3",
    FUZZ_PARENT "\n"
    "long=0123456789012345678901234567890123456789012345678901234567890123"
    "0123456789012345678901234567890123456789012345678901234567890123012345,"
    "long=0123456789012345678901234567890123456789012345678901234567890123"
    "0123456789012345678901234567890123456789012345678901234567890123012345,"
    "s=0123456789012345678901234567890123456789012345678901234567890123012,"
    "s=0123456789012345678901234567890123456789012345678901234567890123012,"
    "s=0123456789012345678901234567890123456789012345678901234567890123012,"
    "s=0123456789012345678901234567890123456789012345678901234567890123012",
    NULL
};

const char *const  fuzz_words[] = {
    "00-", "-00", "-01", "-02", "-ff", "ff-", "01-", "cc-", "\n", ",", ", ",
    "=", "@", "congo=", "a=1,", " ", "\t", FUZZ_PARENT,
    "00000000000000000000000000000000", "0000000000000000", NULL
};


static int fuzz_parent(const podi_str_t *parent, const podi_trace_t *t);
static size_t fuzz_members(const podi_str_t *states, size_t n,
    podi_str_t *members);
static int fuzz_is_member(const podi_str_t *member);
static void fuzz_state(const podi_str_t *members, size_t n,
    const podi_str_t *state);
static int fuzz_matches(const char *form, regex_t *re, const podi_str_t *s,
    regmatch_t *m);
static podi_str_t fuzz_trim(podi_str_t s);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t          n = 0;
    podi_str_t      rest, parent, again, states[STATES], members[MEMBERS];
    podi_trace_t    t, back;
    unsigned char   text[PODI_TRACEPARENT_LEN];

    rest = fuzz_str(data, size);

    (void) podi_str_split(&rest, '\n', &parent);

    while (n < STATES && podi_str_split(&rest, '\n', &states[n])) {
        n++;
    }

    fuzz_assert(podi_trace_begin(&parent, 1, states, n, fuzz_mem(), &t)
                == PODI_OK);
    fuzz_assert(t.continued == (unsigned) fuzz_parent(&parent, &t));

    n = t.continued ? fuzz_members(states, n, members) : 0;
    fuzz_state(members, n, &t.state);

    podi_trace_format(&t, text);
    again.data = text;
    again.len = sizeof(text);

    fuzz_assert(fuzz_parent(&again, NULL));
    fuzz_assert(podi_trace_parse(&again, &back) == PODI_OK);
    fuzz_assert(memcmp(back.trace_id, t.trace_id, PODI_TRACE_ID_LEN) == 0);
    fuzz_assert(memcmp(back.span_id, t.span_id, PODI_SPAN_ID_LEN) == 0);
    fuzz_assert(back.sampled == t.sampled && back.random == t.random);

    return 0;
}


/* is it one?  And when it is, is the trace what it says? */

static int
fuzz_parent(const podi_str_t *parent, const podi_trace_t *t)
{
    unsigned         flags;
    podi_str_t       s = fuzz_trim(*parent);
    regmatch_t       m[6];
    static regex_t   re;
    static const char  hex[] = "0123456789abcdef";

    if (!fuzz_matches("^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-"
                      "([0-9a-f]{2})(-.*)?$", &re, &s, m)
        || memcmp(s.data, "ff", 2) == 0
        || (memcmp(s.data, "00", 2) == 0 && m[5].rm_so != -1)
        || memcmp(s.data + 3, "00000000000000000000000000000000", 32) == 0
        || memcmp(s.data + 36, "0000000000000000", 16) == 0)
    {
        return 0;
    }

    if (t == NULL) {
        return 1;
    }

    flags = (unsigned) (strchr(hex, s.data[54]) - hex);

    fuzz_assert(memcmp(t->trace_id, s.data + 3, 32) == 0);
    fuzz_assert(memcmp(t->parent_id, s.data + 36, 16) == 0);
    fuzz_assert(memcmp(t->span_id, s.data + 36, 16) != 0);
    fuzz_assert(t->sampled == (flags & 1));
    fuzz_assert(t->random == (flags >> 1 & 1));

    return 1;
}


/* of all headers; none when one is not legal, or there are too many */

static size_t
fuzz_members(const podi_str_t *states, size_t n, podi_str_t *members)
{
    size_t      i, found = 0;
    podi_str_t  rest, member;

    for (i = 0; i < n; i++) {

        rest = states[i];

        while (podi_str_split(&rest, ',', &member)) {

            member = fuzz_trim(member);

            if (member.len == 0) {
                continue;
            }

            if (found == MEMBERS || !fuzz_is_member(&member)) {
                return 0;
            }

            members[found++] = member;
        }
    }

    return found;
}


static int
fuzz_is_member(const podi_str_t *member)
{
    regmatch_t      m[6];
    static regex_t  re;

    return fuzz_matches("^([a-z0-9][-a-z0-9_*/@]*)=([ !-+.-<>-~-]+)$", &re,
                        member, m)
           && m[1].rm_eo - m[1].rm_so <= 256
           && m[2].rm_eo - m[2].rm_so <= 256;
}


static void
fuzz_state(const podi_str_t *members, size_t n, const podi_str_t *state)
{
    size_t      i, at = 0, len = 0;
    podi_str_t  rest = *state, member;

    for (i = 0; i < n; i++) {
        len += members[i].len + (i != 0);
    }

    fuzz_assert(state->len <= PODI_TRACESTATE_MAX);

    if (len <= PODI_TRACESTATE_MAX) {
        fuzz_assert(state->len == len);
    }

    while (state->len != 0 && podi_str_split(&rest, ',', &member)) {

        while (at < n && !podi_str_eq(&members[at], &member)) {
            at++;
        }

        fuzz_assert(at < n);
        at++;
    }
}


/* a NUL is no character of any of these */

static int
fuzz_matches(const char *form, regex_t *re, const podi_str_t *s,
    regmatch_t *m)
{
    char            *text, *p;
    static regex_t   none;

    if (memcmp(re, &none, sizeof(none)) == 0) {
        fuzz_assert(regcomp(re, form, REG_EXTENDED) == 0);
    }

    text = podi_mem_dup_c(fuzz_mem(), s);

    while ((p = memchr(text, '\0', s->len)) != NULL) {
        *p = '\x01';
    }

    return regexec(re, text, 6, m, 0) == 0;
}


static podi_str_t
fuzz_trim(podi_str_t s)
{
    while (s.len && (s.data[0] == ' ' || s.data[0] == '\t')) {
        s.data++;
        s.len--;
    }

    while (s.len && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t')) {
        s.len--;
    }

    return s;
}
