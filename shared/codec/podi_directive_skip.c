/*
 * podi_directive: blocks whose lines are no directives.
 *
 *     geo, map, ...    -> words, until the "}" that ends it
 *     *_by_lua_block   -> Lua: comments, strings and long brackets, until then
 *
 * They may be long (a geo of all networks), include what is longer, and break
 * the rules of words ("-- it's").
 */

#include <string.h>

#include "podi_directive_int.h"
#include "banned.h"

#define SKIP_LUA  "_by_lua_block"


static int skip_is_lua(const podi_directive_t *d);
static podi_rc_t skip_words(directive_reader_t *r);
static podi_rc_t skip_lua(directive_reader_t *r);
static void skip_lua_line(directive_reader_t *r);
static void skip_lua_string(directive_reader_t *r, unsigned char quote);
static int skip_lua_long(directive_reader_t *r);
static unsigned char skip_byte(directive_reader_t *r);


int
podi_directive_is_foreign(const podi_directive_t *d)
{
    size_t                    i;
    static const char *const  names[] = {
        "geo", "map", "types", "split_clients", "charset_map"
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (podi_directive_is(d, names[i])) {
            return 1;
        }
    }

    return skip_is_lua(d);
}


static int
skip_is_lua(const podi_directive_t *d)
{
    size_t  len;

    len = sizeof(SKIP_LUA) - 1;

    return d->words[0].len > len
           && memcmp(d->words[0].data + d->words[0].len - len, SKIP_LUA, len)
              == 0;
}


podi_rc_t
podi_directive_skip(directive_reader_t *r, const podi_directive_t *block)
{
    return skip_is_lua(block) ? skip_lua(r) : skip_words(r);
}


static podi_rc_t
skip_words(directive_reader_t *r)
{
    podi_str_t         word;
    directive_token_e  token;

    do {
        if (podi_directive_token(r, &token, &word) != PODI_OK) {
            return PODI_ERROR;
        }
    } while (token != DIRECTIVE_CLOSE && token != DIRECTIVE_EOF);

    return (token == DIRECTIVE_CLOSE)
           ? PODI_OK : podi_directive_wrong(r, "expecting \"}\"");
}


static podi_rc_t
skip_lua(directive_reader_t *r)
{
    unsigned       depth;
    unsigned char  c;

    for (depth = 1; r->rest.len != 0; /* void */ ) {

        if (r->rest.data[0] == '[' && skip_lua_long(r)) {
            continue;
        }

        c = skip_byte(r);

        switch (c) {

        case '{':
            depth++;
            break;

        case '}':
            if (--depth == 0) {
                return PODI_OK;
            }

            break;

        case '"':
        case '\'':
            skip_lua_string(r, c);
            break;

        case '-':
            if (r->rest.len != 0 && r->rest.data[0] == '-') {
                (void) skip_byte(r);

                if (!skip_lua_long(r)) {
                    skip_lua_line(r);
                }
            }

            break;
        }
    }

    return podi_directive_wrong(r, "expecting \"}\"");
}


static void
skip_lua_line(directive_reader_t *r)
{
    while (r->rest.len != 0 && skip_byte(r) != '\n') {
        /* void */
    }
}


static void
skip_lua_string(directive_reader_t *r, unsigned char quote)
{
    unsigned char  c;

    while (r->rest.len != 0) {
        c = skip_byte(r);

        if (c == quote) {
            return;
        }

        if (c == '\\' && r->rest.len != 0) {
            (void) skip_byte(r);
        }
    }
}


/* [[ ... ]] or [==[ ... ]==]; 0: none begins here */

static int
skip_lua_long(directive_reader_t *r)
{
    size_t  n, level;

    level = 0;

    while (level + 1 < r->rest.len && r->rest.data[level + 1] == '=') {
        level++;
    }

    if (r->rest.len < level + 2 || r->rest.data[0] != '['
        || r->rest.data[level + 1] != '[')
    {
        return 0;
    }

    while (r->rest.len != 0) {

        if (skip_byte(r) != ']') {
            continue;
        }

        for (n = 0; n < level && n < r->rest.len && r->rest.data[n] == '=';
             n++)
        {
            /* void */
        }

        if (n == level && n < r->rest.len && r->rest.data[n] == ']') {
            r->rest.data += n + 1;
            r->rest.len -= n + 1;
            break;
        }
    }

    return 1;
}


static unsigned char
skip_byte(directive_reader_t *r)
{
    unsigned char  c;

    c = r->rest.data[0];
    r->line += (c == '\n');
    r->rest.data++;
    r->rest.len--;

    return c;
}
