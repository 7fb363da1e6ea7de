/*
 * podi_directive: words, as nginx tells them apart.
 *
 *     blanks and comments -> ; { } | "quoted" | plain
 *
 * A word stays where it is read, one byte to the left, so that its NUL comes
 * before what ended it: that byte is a quote or a blank, or what was read.
 */

#include <string.h>

#include "podi_directive_int.h"
#include "banned.h"


static void directive_blanks(directive_reader_t *r);
static podi_rc_t directive_quoted(directive_reader_t *r, podi_str_t *ret_word);
static void directive_plain(directive_reader_t *r, podi_str_t *ret_word);
static unsigned char *directive_escape(directive_reader_t *r,
    unsigned char *w);


podi_rc_t
podi_directive_token(directive_reader_t *r, directive_token_e *ret_token,
    podi_str_t *ret_word)
{
    unsigned char  c;

    directive_blanks(r);

    *ret_token = DIRECTIVE_EOF;

    if (r->rest.len == 0) {
        return PODI_OK;
    }

    c = r->rest.data[0];

    *ret_token = (c == ';') ? DIRECTIVE_END
                 : (c == '{') ? DIRECTIVE_OPEN
                 : (c == '}') ? DIRECTIVE_CLOSE : DIRECTIVE_WORD;

    if (*ret_token != DIRECTIVE_WORD) {
        r->rest.data++;
        r->rest.len--;
        return PODI_OK;
    }

    if (c == '"' || c == '\'') {
        return directive_quoted(r, ret_word);
    }

    directive_plain(r, ret_word);

    return PODI_OK;
}


/* and comments */

static void
directive_blanks(directive_reader_t *r)
{
    int            comment;
    unsigned char  c;

    comment = 0;

    while (r->rest.len != 0) {
        c = r->rest.data[0];

        if (c == '\n') {
            r->line++;
            comment = 0;

        } else if (c == '#') {
            comment = 1;

        } else if (!comment && c != ' ' && c != '\t' && c != '\r') {
            return;
        }

        r->rest.data++;
        r->rest.len--;
    }
}


static podi_rc_t
directive_quoted(directive_reader_t *r, podi_str_t *ret_word)
{
    unsigned char  c, quote, *w;

    w = r->rest.data;
    ret_word->data = w;

    quote = r->rest.data[0];
    r->rest.data++;
    r->rest.len--;

    while (r->rest.len != 0) {
        c = r->rest.data[0];

        if (c == '\\') {
            w = directive_escape(r, w);
            continue;
        }

        r->line += (c == '\n');
        r->rest.data++;
        r->rest.len--;

        if (c != quote) {
            *w++ = c;
            continue;
        }

        /* if ($a = "x") { : the only thing that may touch it */

        if (r->rest.len != 0
            && memchr(" \t\r\n;{)", r->rest.data[0], 7) == NULL)
        {
            break;
        }

        *w = '\0';
        ret_word->len = (size_t) (w - ret_word->data);

        return PODI_OK;
    }

    return podi_directive_wrong(r, "a quote that does not end");
}


static void
directive_plain(directive_reader_t *r, podi_str_t *ret_word)
{
    unsigned char  c, before, *w;

    w = r->rest.data - 1;
    ret_word->data = w;
    before = 0;

    while (r->rest.len != 0) {
        c = r->rest.data[0];

        if (c == '\\') {
            w = directive_escape(r, w);
            before = 0;
            continue;
        }

        if (memchr(" \t\r\n;", c, 5) != NULL || (c == '{' && before != '$')) {
            break;
        }

        *w++ = c;
        before = c;
        r->rest.data++;
        r->rest.len--;
    }

    *w = '\0';
    ret_word->len = (size_t) (w - ret_word->data);
}


/* behind what it stands for: never more than it is written with */

static unsigned char *
directive_escape(directive_reader_t *r, unsigned char *w)
{
    size_t         take;
    unsigned char  c;

    c = (r->rest.len > 1) ? r->rest.data[1] : '\0';
    take = (r->rest.len > 1) ? 2 : 1;

    r->line += (c == '\n');
    r->rest.data += take;
    r->rest.len -= take;

    switch (c) {

    case '"':
    case '\'':
    case '\\':
        *w++ = c;
        break;

    case 't':
        *w++ = '\t';
        break;

    case 'r':
        *w++ = '\r';
        break;

    case 'n':
        *w++ = '\n';
        break;

    default:
        *w++ = '\\';

        if (take == 2) {
            *w++ = c;
        }
    }

    return w;
}


podi_rc_t
podi_directive_wrong(directive_reader_t *r, const char *what)
{
    return podi_fail(r->fail, PODI_E_CONFIG, NULL, "%s:%u: %s", r->file,
                     r->line, what);
}
