/*
 * podi_buf: growth, the escapes, and memory that runs out.
 */

#include "tap.h"
#include "podi_buf.h"
#include "banned.h"


static const struct {
    const char  *in;
    const char  *json;
    const char  *uri;
}  escapes[] = {
    { "", "\"\"", "" },
    { "abc-_.~", "\"abc-_.~\"", "abc-_.~" },
    { "a\"b\\c", "\"a\\\"b\\\\c\"", "a%22b%5Cc" },
    { "\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"", "%08%0C%0A%0D%09" },
    { "\x01\x1f", "\"\\u0001\\u001f\"", "%01%1F" },
    { "\x7f", "\"\\u007f\"", "%7F" },
    { "\xe4\xbd\x99", "\"\xe4\xbd\x99\"", "%E4%BD%99" },
    { "x\xff" "y", "\"x\xef\xbf\xbdy\"", "x%FFy" },
    { "\xe4\xbd", "\"\xef\xbf\xbd\xef\xbf\xbd\"", "%E4%BD" },
    { "a/b+c d", "\"a/b+c d\"", "a/b%2Bc%20d" },
};


static void *no_alloc(podi_mem_t *mem, size_t size);


int
main(void)
{
    size_t          i;
    podi_mem_t      none = { no_alloc, NULL, NULL };
    podi_buf_t      b;
    podi_str_t      s, in;
    podi_arena_t   *arena;

    arena = podi_arena_create();

    for (i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
        in = str(escapes[i].in);

        podi_buf_init(&b, podi_arena_mem(arena));
        podi_buf_add_json(&b, &in);
        ok(podi_buf_take(&b, &s) == PODI_OK, "taken");
        is_str(s, escapes[i].json, "as JSON");

        podi_buf_init(&b, podi_arena_mem(arena));
        podi_buf_add_uri(&b, &in, 1);
        ok(podi_buf_take(&b, &s) == PODI_OK, "taken");
        is_str(s, escapes[i].uri, "as a URI, slashes kept");
    }

    in = str("a/b");
    podi_buf_init(&b, podi_arena_mem(arena));
    podi_buf_add_uri(&b, &in, 0);
    ok(podi_buf_take(&b, &s) == PODI_OK, "taken");
    is_str(s, "a%2Fb", "as a URI, slashes escaped");

    podi_buf_init(&b, podi_arena_mem(arena));
    ok(podi_buf_take(&b, &s) == PODI_OK && s.len == 0 && s.data[0] == '\0',
       "an empty buffer gives an empty, terminated string");

    podi_buf_init(&b, podi_arena_mem(arena));

    for (i = 0; i < 10000; i++) {
        podi_buf_printf(&b, "%zu,", i % 10);
    }

    ok(podi_buf_take(&b, &s) == PODI_OK && s.len == 20000
       && s.data[19998] == '9' && s.data[s.len] == '\0', "it grows");

    podi_buf_init(&b, &none);
    podi_buf_add_c(&b, "abc");
    podi_buf_add_byte(&b, 'd');
    podi_buf_printf(&b, "%d", 5);
    ok(b.failed && podi_buf_take(&b, &s) == PODI_ERROR,
       "without memory it fails once, at the end");

    podi_arena_free(&arena);

    return tap_done();
}


static void *
no_alloc(podi_mem_t *mem, size_t size)
{
    (void) mem;
    (void) size;

    return NULL;
}
