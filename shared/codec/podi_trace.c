/*
 * podi_trace: reading and writing W3C trace context.
 */

#include <string.h>

#include "podi_buf.h"
#include "podi_id.h"
#include "podi_text.h"
#include "podi_trace.h"
#include "banned.h"


#define PODI_TRACE_MEMBERS   32
#define PODI_TRACE_KEY_MAX   256
#define PODI_TRACE_VALUE_MAX 256
#define PODI_TRACE_LONG      128        /* dropped first when it is too long */

#define PODI_TRACE_SAMPLED   1
#define PODI_TRACE_RANDOM    2


typedef struct {
    podi_str_t  members[PODI_TRACE_MEMBERS];
    size_t      n;
} podi_trace_list_t;


static podi_rc_t podi_trace_new(podi_trace_t *t);
static podi_rc_t podi_trace_random_hex(unsigned char *dst, size_t bytes);
static int podi_trace_is_hex(const unsigned char *p, size_t len);
static int podi_trace_is_zero(const unsigned char *p, size_t len);
static podi_rc_t podi_trace_state(const podi_str_t *states, size_t n,
    podi_mem_t *mem, podi_str_t *ret_state);
static podi_rc_t podi_trace_members(podi_str_t value,
    podi_trace_list_t *list);
static int podi_trace_member_is_valid(const podi_str_t *member);
static void podi_trace_shorten(podi_trace_list_t *list);


podi_rc_t
podi_trace_begin(const podi_str_t *parents, size_t n_parents,
    const podi_str_t *states, size_t n_states, podi_mem_t *mem,
    podi_trace_t *ret_trace)
{
    podi_trace_t  t;

    /* two traceparents: no way to tell which one is true */

    if (n_parents != 1 || podi_trace_parse(&parents[0], &t) != PODI_OK) {
        if (podi_trace_new(&t) != PODI_OK) {
            return PODI_ERROR;
        }

        *ret_trace = t;
        return PODI_OK;
    }

    memcpy(t.parent_id, t.span_id, PODI_SPAN_ID_LEN);

    if (podi_trace_random_hex(t.span_id, PODI_SPAN_ID_LEN / 2) != PODI_OK
        || podi_trace_state(states, n_states, mem, &t.state) != PODI_OK)
    {
        return PODI_ERROR;
    }

    *ret_trace = t;

    return PODI_OK;
}


podi_rc_t
podi_trace_parse(const podi_str_t *parent, podi_trace_t *ret_trace)
{
    podi_str_t      s, text;
    podi_trace_t    t;
    unsigned char   flags;

    s = podi_text_trim(*parent);

    if (s.len < PODI_TRACEPARENT_LEN
        || !podi_trace_is_hex(s.data, 2) || s.data[2] != '-'
        || !podi_trace_is_hex(s.data + 3, PODI_TRACE_ID_LEN)
        || s.data[35] != '-'
        || !podi_trace_is_hex(s.data + 36, PODI_SPAN_ID_LEN)
        || s.data[52] != '-' || !podi_trace_is_hex(s.data + 53, 2)
        || podi_trace_is_zero(s.data + 3, PODI_TRACE_ID_LEN)
        || podi_trace_is_zero(s.data + 36, PODI_SPAN_ID_LEN))
    {
        return PODI_DECLINED;
    }

    /* version ff is none; 00 ends here; later ones go on with a '-' */

    if (memcmp(s.data, "ff", 2) == 0
        || (s.len > PODI_TRACEPARENT_LEN
            && (memcmp(s.data, "00", 2) == 0
                || s.data[PODI_TRACEPARENT_LEN] != '-')))
    {
        return PODI_DECLINED;
    }

    text.data = s.data + 53;
    text.len = 2;

    if (podi_hex_decode(&flags, 1, &text) != PODI_OK) {
        return PODI_DECLINED;
    }

    memset(&t, 0, sizeof(t));
    memcpy(t.trace_id, s.data + 3, PODI_TRACE_ID_LEN);
    memcpy(t.span_id, s.data + 36, PODI_SPAN_ID_LEN);
    memset(t.parent_id, '0', PODI_SPAN_ID_LEN);

    t.sampled = (flags & PODI_TRACE_SAMPLED) != 0;
    t.random = (flags & PODI_TRACE_RANDOM) != 0;
    t.continued = 1;

    *ret_trace = t;

    return PODI_OK;
}


static podi_rc_t
podi_trace_new(podi_trace_t *t)
{
    memset(t, 0, sizeof(podi_trace_t));
    memset(t->parent_id, '0', PODI_SPAN_ID_LEN);

    if (podi_trace_random_hex(t->trace_id, PODI_TRACE_ID_LEN / 2) != PODI_OK
        || podi_trace_random_hex(t->span_id, PODI_SPAN_ID_LEN / 2) != PODI_OK)
    {
        return PODI_ERROR;
    }

    t->random = 1;

    return PODI_OK;
}


podi_rc_t
podi_trace_hop(const podi_trace_t *trace, podi_trace_t *ret_next)
{
    podi_trace_t  t = *trace;

    memcpy(t.parent_id, trace->span_id, PODI_SPAN_ID_LEN);

    if (podi_trace_random_hex(t.span_id, PODI_SPAN_ID_LEN / 2) != PODI_OK) {
        return PODI_ERROR;
    }

    t.continued = 1;
    *ret_next = t;

    return PODI_OK;
}


void
podi_trace_format(const podi_trace_t *trace, unsigned char *dst)
{
    unsigned char  flags;

    flags = (unsigned char) ((trace->sampled ? PODI_TRACE_SAMPLED : 0)
                             | (trace->random ? PODI_TRACE_RANDOM : 0));

    memcpy(dst, "00-", 3);
    memcpy(dst + 3, trace->trace_id, PODI_TRACE_ID_LEN);
    dst[35] = '-';
    memcpy(dst + 36, trace->span_id, PODI_SPAN_ID_LEN);
    dst[52] = '-';
    podi_hex_encode(dst + 53, &flags, 1);
}


podi_str_t
podi_trace_id(const podi_trace_t *trace)
{
    podi_str_t  s;

    s.data = (unsigned char *) (uintptr_t) trace->trace_id;
    s.len = PODI_TRACE_ID_LEN;

    return s;
}


/* all zeros are not an id: draw again */

static podi_rc_t
podi_trace_random_hex(unsigned char *dst, size_t bytes)
{
    unsigned char  random[PODI_TRACE_ID_LEN / 2];

    do {
        if (podi_random_name(random, bytes) != PODI_OK) {
            return PODI_ERROR;
        }

        podi_hex_encode(dst, random, bytes);

    } while (podi_trace_is_zero(dst, 2 * bytes));

    return PODI_OK;
}


static int
podi_trace_is_hex(const unsigned char *p, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        if ((p[i] < '0' || p[i] > '9') && (p[i] < 'a' || p[i] > 'f')) {
            return 0;
        }
    }

    return 1;
}


static int
podi_trace_is_zero(const unsigned char *p, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        if (p[i] != '0') {
            return 0;
        }
    }

    return 1;
}


/* the members of all headers, or "" when one of them is not legal */

static podi_rc_t
podi_trace_state(const podi_str_t *states, size_t n, podi_mem_t *mem,
    podi_str_t *ret_state)
{
    size_t             i;
    podi_buf_t         b;
    podi_trace_list_t  list;

    list.n = 0;

    for (i = 0; i < n; i++) {
        if (podi_trace_members(states[i], &list) != PODI_OK) {
            list.n = 0;
            break;
        }
    }

    podi_trace_shorten(&list);
    podi_buf_init(&b, mem);

    for (i = 0; i < list.n; i++) {
        if (i) {
            podi_buf_add_byte(&b, ',');
        }

        podi_buf_add_str(&b, &list.members[i]);
    }

    return podi_buf_take(&b, ret_state);
}


static podi_rc_t
podi_trace_members(podi_str_t value, podi_trace_list_t *list)
{
    podi_str_t  member;

    while (podi_str_split(&value, ',', &member)) {

        member = podi_text_trim(member);

        if (member.len == 0) {
            continue;
        }

        if (list->n == PODI_TRACE_MEMBERS
            || !podi_trace_member_is_valid(&member))
        {
            return PODI_DECLINED;
        }

        list->members[list->n++] = member;
    }

    return PODI_OK;
}


/* [a-z0-9][a-z0-9_-*@/]{0,255} = 1..256 printable, no ',' and no '=' */

static int
podi_trace_member_is_valid(const podi_str_t *member)
{
    size_t         i;
    podi_str_t     value = *member, key;
    unsigned char  c;

    (void) podi_str_split(&value, '=', &key);

    if (value.data == NULL || key.len == 0 || key.len > PODI_TRACE_KEY_MAX
        || value.len == 0 || value.len > PODI_TRACE_VALUE_MAX)
    {
        return 0;
    }

    for (i = 0; i < key.len; i++) {
        c = key.data[i];

        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
            continue;
        }

        if (i == 0 || c == '\0' || strchr("_-*@/", c) == NULL) {
            return 0;
        }
    }

    for (i = 0; i < value.len; i++) {
        c = value.data[i];

        if (c < 0x20 || c > 0x7e || c == '=') {
            return 0;
        }
    }

    return 1;
}


/* long members go first, then those at the end */

static void
podi_trace_shorten(podi_trace_list_t *list)
{
    size_t  i, len = 0, n;

    for (i = 0; i < list->n; i++) {
        len += list->members[i].len + (i > 0);
    }

    n = 0;

    for (i = 0; i < list->n; i++) {
        if (len > PODI_TRACESTATE_MAX
            && list->members[i].len > PODI_TRACE_LONG)
        {
            len -= list->members[i].len + 1;
            continue;
        }

        list->members[n++] = list->members[i];
    }

    while (n > 0 && len > PODI_TRACESTATE_MAX) {
        len -= list->members[--n].len + 1;
    }

    list->n = n;
}
