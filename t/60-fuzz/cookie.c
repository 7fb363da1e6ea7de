/*
 * cookie: one name, then Cookie headers, each on a line.
 *
 * What is found is what a scan by hand finds, twice is never once, and a
 * header without the cookie has all others, as they were.
 */

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "podi_cookie.h"
#include "banned.h"


#define FUZZ_NAME     "__Host-podi_s"
#define FUZZ_HEADERS  8


const char *const  fuzz_seeds[] = {
    FUZZ_NAME "\na=b; " FUZZ_NAME "=eyJhbGciOiJFUzI1NiJ9.e30.c2ln; c=d",
    FUZZ_NAME "\n" FUZZ_NAME "=1; " FUZZ_NAME "=2",
    "t\nt=1\nx=2; t\n ;;  t=; =t; t =3",
    "\n=;a=;=b",
    NULL
};

const char *const  fuzz_words[] = {
    "; ", ";", "=", " ", "\n", FUZZ_NAME, FUZZ_NAME "=", "; " FUZZ_NAME "=",
    "__Secure-podi_rt", "t=", ";t", NULL
};


static int fuzz_is_name(const podi_str_t *name);
static size_t fuzz_scan(const podi_str_t *header, const podi_str_t *name,
    podi_str_t *ret_first);
static void fuzz_find(const podi_str_t *headers, size_t n,
    const podi_str_t *name);
static void fuzz_split(const podi_str_t *header, const podi_str_t *name);
static void fuzz_room(size_t len, podi_str_t *s);
static void fuzz_others(const podi_str_t *header, const podi_str_t *rest,
    const podi_str_t *name);
static podi_rc_t fuzz_look(const podi_str_t *header, const podi_str_t *name,
    podi_str_t *value);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t      i, n = 0;
    podi_str_t  rest, name, headers[FUZZ_HEADERS];

    rest = fuzz_str(data, size);

    (void) podi_str_split(&rest, '\n', &name);

    while (n < FUZZ_HEADERS && podi_str_split(&rest, '\n', &headers[n])) {
        n++;
    }

    if (!fuzz_is_name(&name)) {
        return 0;
    }

    fuzz_find(headers, n, &name);

    for (i = 0; i < n; i++) {
        fuzz_split(&headers[i], &name);
    }

    return 0;
}


/* names are ours, and sane */

static int
fuzz_is_name(const podi_str_t *name)
{
    return memchr(name->data, '=', name->len) == NULL
           && memchr(name->data, ';', name->len) == NULL
           && memchr(name->data, '\0', name->len) == NULL
           && (name->len == 0 || name->data[0] != ' ');
}


/*
 * Another way to find it: at the begin and behind each ';', after blanks, the
 * name and '='.  How many there are, and the first.
 */

static size_t
fuzz_scan(const podi_str_t *header, const podi_str_t *name,
    podi_str_t *ret_first)
{
    size_t  i, at, end, found = 0;

    for (i = 0; i <= header->len; i++) {

        if (i != 0 && header->data[i - 1] != ';') {
            continue;
        }

        for (at = i; at < header->len && header->data[at] == ' '; at++) {
            /* void */
        }

        if (header->len - at <= name->len
            || memcmp(header->data + at, name->data, name->len) != 0
            || header->data[at + name->len] != '=')
        {
            continue;
        }

        at += name->len + 1;

        for (end = at; end < header->len && header->data[end] != ';'; end++) {
            /* void */
        }

        if (found++ == 0) {
            ret_first->data = header->data + at;
            ret_first->len = end - at;
        }
    }

    return found;
}


/* all headers, as a request has them */

static void
fuzz_find(const podi_str_t *headers, size_t n, const podi_str_t *name)
{
    size_t      i, found = 0, before;
    podi_rc_t   rc = PODI_OK;
    podi_str_t  value = podi_null_str, first = podi_null_str;
    podi_str_t  one = podi_null_str;

    for (i = 0; i < n && rc == PODI_OK; i++) {

        before = found;
        found += fuzz_scan(&headers[i], name, &one);

        if (before == 0 && found != 0) {
            first = one;
        }

        rc = fuzz_look(&headers[i], name, &value);
        fuzz_assert((rc == PODI_OK) == (found <= 1));
    }

    if (rc == PODI_OK) {
        fuzz_assert(value.data == first.data && value.len == first.len);
    }
}


/* the rest has none of it, what was taken all of it */

static void
fuzz_split(const podi_str_t *header, const podi_str_t *name)
{
    podi_rc_t   rc;
    podi_str_t  rest, taken, again, none;
    podi_str_t  value = podi_null_str, other = podi_null_str;

    fuzz_room(header->len, &rest);
    fuzz_room(header->len, &taken);
    podi_cookie_split(header, ';', name, &rest, &taken);

    fuzz_assert(rest.len + taken.len <= header->len);
    fuzz_others(header, &rest, name);

    fuzz_assert(fuzz_look(&rest, name, &other) == PODI_OK);
    fuzz_assert(other.data == NULL);

    rc = fuzz_look(header, name, &value);
    fuzz_assert(fuzz_look(&taken, name, &other) == rc);
    fuzz_assert(podi_str_eq(&value, &other)
                && (value.data == NULL) == (other.data == NULL));

    fuzz_room(rest.len, &again);
    fuzz_room(rest.len, &none);
    podi_cookie_split(&rest, ';', name, &again, &none);
    fuzz_assert(podi_str_eq(&again, &rest) && none.len == 0);

    /* and of a query */

    podi_cookie_split(header, '&', name, &rest, &taken);
    fuzz_assert(rest.len + taken.len <= header->len);

    fuzz_room(rest.len, &again);
    fuzz_room(rest.len, &none);
    podi_cookie_split(&rest, '&', name, &again, &none);
    fuzz_assert(podi_str_eq(&again, &rest) && none.len == 0);
}


static void
fuzz_room(size_t len, podi_str_t *s)
{
    s->data = podi_mem_alloc(fuzz_mem(), len);
    fuzz_assert(s->data != NULL);
}


/* each other part is there, in its order, and nothing else is */

static void
fuzz_others(const podi_str_t *header, const podi_str_t *rest,
    const podi_str_t *name)
{
    podi_str_t  a = *header, b = *rest, part, kept, key;

    while (podi_str_split(&a, ';', &part)) {

        while (part.len != 0 && part.data[0] == ' ') {
            part.data++;
            part.len--;
        }

        kept = part;
        (void) podi_str_split(&kept, '=', &key);

        if (part.len == 0 || podi_str_eq(&key, name)) {
            continue;
        }

        do {
            fuzz_assert(podi_str_split(&b, ';', &kept));

            while (kept.len != 0 && kept.data[0] == ' ') {
                kept.data++;
                kept.len--;
            }
        } while (kept.len == 0);

        fuzz_assert(podi_str_eq(&kept, &part));
    }

    while (podi_str_split(&b, ';', &kept)) {
        while (kept.len != 0) {
            fuzz_assert(kept.data[--kept.len] == ' ');
        }
    }
}


static podi_rc_t
fuzz_look(const podi_str_t *header, const podi_str_t *name,
    podi_str_t *value)
{
    char  *text;

    text = podi_mem_dup_c(fuzz_mem(), name);
    fuzz_assert(text != NULL);

    return podi_cookie_find(header, text, value);
}
