/*
 * podi_failure: codes and numbers of SQL become words and advice.
 *
 *     text -> find a "failure" at the depth -> its end -> parse it -> write it
 *        ^                                                               |
 *        `---------------------------------------------------------------'
 *
 * The text is PostgreSQL's own, so it is known to be JSON; a text that breaks
 * off all the same is followed to its last byte and no further.
 *
 * Why not in SQL: the words would stand in two tables.  Why not by one parse
 * of the whole: a task of 64 jobs with its events is read and written again
 * for two strings.
 */

#include <stddef.h>

#include "podi_failure.h"
#include "podi_json.h"
#include "banned.h"

#define FAILURE_MAX    1024
#define FAILURE_MEMBER "\"failure\""


typedef struct {
    const unsigned char  *p;
    const unsigned char  *end;
    unsigned              depth;
} failure_scan_t;

typedef struct {
    podi_str_t  code;
    podi_str_t  bar;                /* why a retry would be refused, or "" */
    int64_t     returned;
    int64_t     kept;
    int64_t     from_segment;
} failure_t;


static const unsigned char *failure_find(failure_scan_t *s, unsigned depth);
static podi_str_t failure_string(failure_scan_t *s);
static int failure_opens(failure_scan_t *s);
static void failure_end(failure_scan_t *s);
static podi_rc_t failure_write(podi_buf_t *b, const podi_str_t *text,
    podi_lang_e lang, podi_mem_t *mem, podi_fail_t *fail);
static const podi_advice_t *failure_advice(const podi_error_t *error,
    const podi_str_t *bar);


static const podi_json_field_t  failure_fields[] = {
    { "code",         PODI_JSON_STR,   offsetof(failure_t, code),
      PODI_JSON_REQUIRED, 0, 0, NULL },
    { "bar",          PODI_JSON_STR,   offsetof(failure_t, bar),
      PODI_JSON_NULLABLE, 0, 0, "" },
    { "returned",     PODI_JSON_INT64, offsetof(failure_t, returned),
      PODI_JSON_REQUIRED, 0, 0, NULL },
    { "kept",         PODI_JSON_INT64, offsetof(failure_t, kept),
      PODI_JSON_REQUIRED, 0, 0, NULL },
    { "from_segment", PODI_JSON_INT64, offsetof(failure_t, from_segment),
      PODI_JSON_REQUIRED, 0, 0, NULL },
    podi_null_json_field
};


podi_rc_t
podi_failure_words(const podi_str_t *json, unsigned depth, podi_lang_e lang,
    podi_mem_t *mem, podi_str_t *ret_json, podi_fail_t *fail)
{
    podi_buf_t            b;
    podi_str_t            text;
    failure_scan_t        s;
    const unsigned char  *copied, *at;

    s.p = json->data;
    s.end = json->data + json->len;
    s.depth = 0;
    copied = json->data;

    podi_buf_init(&b, mem);

    while ((at = failure_find(&s, depth)) != NULL) {

        podi_buf_add(&b, copied, (size_t) (at - copied));
        failure_end(&s);

        text.data = (unsigned char *) at;
        text.len = (size_t) (s.p - at);
        copied = s.p;

        if (failure_write(&b, &text, lang, mem, fail) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    if (copied == json->data) {
        *ret_json = *json;
        return PODI_OK;
    }

    podi_buf_add(&b, copied, (size_t) (s.end - copied));

    if (podi_buf_take(&b, ret_json) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}


/* the next "failure" that is an object: s->p and the result are its brace */

static const unsigned char *
failure_find(failure_scan_t *s, unsigned depth)
{
    podi_str_t  name;

    while (s->p < s->end) {

        switch (*s->p) {

        case '"':
            name = failure_string(s);

            if (s->depth == depth && podi_str_eq_c(&name, FAILURE_MEMBER)
                && failure_opens(s))
            {
                return s->p;
            }

            continue;

        case '{':
        case '[':
            s->depth++;
            break;

        case '}':
        case ']':
            s->depth--;
            break;

        default:
            break;
        }

        s->p++;
    }

    return NULL;
}


/* with its quotes, as it is written: what escapes stand for is no matter */

static podi_str_t
failure_string(failure_scan_t *s)
{
    podi_str_t  string;

    string.data = (unsigned char *) s->p++;

    while (s->p < s->end && *s->p != '"') {
        s->p += (*s->p == '\\' && s->end - s->p > 1) ? 2 : 1;
    }

    s->p += (s->p < s->end);
    string.len = (size_t) (s->p - string.data);

    return string;
}


/* was it a name, and an object follows? */

static int
failure_opens(failure_scan_t *s)
{
    int  colon = 0;

    while (s->p < s->end && (*s->p == ' ' || (*s->p == ':' && !colon))) {
        colon |= (*s->p == ':');
        s->p++;
    }

    return colon && s->p < s->end && *s->p == '{';
}


/* from the brace that opens to the one that closes, and past it */

static void
failure_end(failure_scan_t *s)
{
    unsigned  open = 0;

    while (s->p < s->end) {

        if (*s->p == '"') {
            (void) failure_string(s);
            continue;
        }

        open += (*s->p == '{');

        if (*s->p++ == '}' && --open == 0) {
            return;
        }
    }
}


static podi_rc_t
failure_write(podi_buf_t *b, const podi_str_t *text, podi_lang_e lang,
    podi_mem_t *mem, podi_fail_t *fail)
{
    json_t                   *object;
    failure_t                 failure;
    podi_str_t                s;
    podi_error_e              e;
    const podi_error_t       *error;
    const podi_advice_t      *advice;
    const podi_json_limit_t   limit = { FAILURE_MAX, 1 };

    if (podi_json_parse(text, &limit, mem, &object, fail) != PODI_OK
        || podi_json_read(object, failure_fields, &failure, fail) != PODI_OK)
    {
        fail->error = PODI_E_INTERNAL;
        return PODI_ERROR;
    }

    e = podi_error_by_code(&failure.code);
    error = podi_error(e == PODI_E_NONE ? PODI_E_INTERNAL : e);
    advice = failure_advice(error, &failure.bar);

    podi_buf_printf(b, "{\"code\":\"%s\",\"title\":", error->code);
    s = podi_str_c(lang == PODI_LANG_ZH ? error->zh : error->en);
    podi_buf_add_json(b, &s);

    podi_buf_printf(b, ",\"advice\":{\"do\":\"%s\",\"text\":", advice->word);
    s = podi_str_c(lang == PODI_LANG_ZH ? advice->zh : advice->en);
    podi_buf_add_json(b, &s);

    podi_buf_printf(b, "},\"points\":{\"returned\":%lld,\"kept\":%lld},"
                    "\"can_retry\":%s,\"from_segment\":%lld}",
                    (long long) failure.returned, (long long) failure.kept,
                    failure.bar.len == 0 ? "true" : "false",
                    (long long) failure.from_segment);

    return PODI_OK;
}


/* to try again is no advice when it would be refused: then what bars it is */

static const podi_advice_t *
failure_advice(const podi_error_t *error, const podi_str_t *bar)
{
    if (error->advice != PODI_ADVICE_RETRY || bar->len == 0) {
        return podi_advice(error->advice);
    }

    return podi_advice(podi_advice_by_word(bar));
}
