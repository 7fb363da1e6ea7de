/*
 * podi_directive: words, as nginx tells them apart.
 *
 *     blanks and comments -> ; { } | "quoted" | plain
 */

#include <string.h>

#include "podi_buf.h"
#include "podi_directive_int.h"
#include "banned.h"


static void directive_blanks(directive_reader_t *r);
static podi_rc_t directive_quoted(directive_reader_t *r, podi_str_t *ret_word);
static podi_rc_t directive_plain(directive_reader_t *r, podi_str_t *ret_word);
static void directive_escape(directive_reader_t *r, podi_buf_t *b);


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

    return (c == '"' || c == '\'') ? directive_quoted(r, ret_word)
                                   : directive_plain(r, ret_word);
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
    podi_buf_t     b;
    unsigned char  c, quote;

    podi_buf_init(&b, r->mem);

    quote = r->rest.data[0];
    r->rest.data++;
    r->rest.len--;

    while (r->rest.len != 0) {
        c = r->rest.data[0];

        if (c == '\\') {
            directive_escape(r, &b);
            continue;
        }

        r->line += (c == '\n');
        r->rest.data++;
        r->rest.len--;

        if (c != quote) {
            podi_buf_add_byte(&b, c);
            continue;
        }

        /* if ($a = "x") { : the only thing that may touch it */

        if (r->rest.len != 0
            && memchr(" \t\r\n;{)", r->rest.data[0], 7) == NULL)
        {
            break;
        }

        return (podi_buf_take(&b, ret_word) == PODI_OK)
               ? PODI_OK
               : podi_fail(r->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return podi_directive_wrong(r, "a quote that does not end");
}


static podi_rc_t
directive_plain(directive_reader_t *r, podi_str_t *ret_word)
{
    podi_buf_t     b;
    unsigned char  c, before;

    podi_buf_init(&b, r->mem);
    before = 0;

    while (r->rest.len != 0) {
        c = r->rest.data[0];

        if (c == '\\') {
            directive_escape(r, &b);
            before = 0;
            continue;
        }

        if (memchr(" \t\r\n;", c, 5) != NULL || (c == '{' && before != '$')) {
            break;
        }

        podi_buf_add_byte(&b, c);
        before = c;
        r->rest.data++;
        r->rest.len--;
    }

    return (podi_buf_take(&b, ret_word) == PODI_OK)
           ? PODI_OK
           : podi_fail(r->fail, PODI_E_INTERNAL, NULL, "no memory");
}


static void
directive_escape(directive_reader_t *r, podi_buf_t *b)
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
        podi_buf_add_byte(b, c);
        break;

    case 't':
        podi_buf_add_byte(b, '\t');
        break;

    case 'r':
        podi_buf_add_byte(b, '\r');
        break;

    case 'n':
        podi_buf_add_byte(b, '\n');
        break;

    default:
        podi_buf_add_byte(b, '\\');

        if (take == 2) {
            podi_buf_add_byte(b, c);
        }
    }
}


podi_rc_t
podi_directive_wrong(directive_reader_t *r, const char *what)
{
    return podi_fail(r->fail, PODI_E_CONFIG, NULL, "%s:%u: %s", r->file,
                     r->line, what);
}
