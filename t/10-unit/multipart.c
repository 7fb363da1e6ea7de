/*
 * podi_multipart: forms, whole and byte by byte, and what must not pass as one.
 */

#include <stdio.h>
#include <string.h>

#include "tap.h"
#include "podi_multipart.h"
#include "banned.h"


#define TYPE  "multipart/form-data; boundary=XbX"
#define PART  "--XbX\r\nContent-Disposition: form-data; name=\"a\""
#define FILE_ PART "; filename=\"a.png\"\r\n\r\n"
#define END   "\r\n--XbX--\r\n"
#define LONG  "0123456789012345678901234567890123456789" \
              "0123456789012345678901234567890123456789"

typedef struct {
    char     heads[512];            /* of all files, "head;" each */
    char     types[512];
    size_t   files;
} seen_t;

typedef struct {
    const char  *type;
    const char  *body;
    const char  *heads;             /* NULL: refused */
    const char  *what;
} form_t;

static const form_t  forms[] = {
    { TYPE, FILE_ "abc" END, "abc;", "a file" },
    { TYPE, FILE_ END, ";", "an empty one" },
    { TYPE, FILE_ "--XbX--\r\n", ";", "an empty one without its line" },
    { TYPE, PART "\r\n\r\nabc" END, "", "a field is no file" },
    { TYPE, FILE_ "abc\r\n" FILE_ "def" END, "abc;def;", "two files" },
    { TYPE, FILE_ "abc\r\n-- XbX\r\n--XbY\r\n--Xb" END,
      "abc\r\n-- XbX\r\n--XbY\r\n--Xb;", "what only begins as a delimiter" },
    { TYPE, FILE_ LONG END,
      "0123456789012345678901234567890123456789012345678901234567890123;",
      "the first bytes of a long one" },
    { TYPE, "to be ignored\r\n" FILE_ "a" END, "a;", "a preamble" },
    { TYPE, FILE_ "a\r\n--XbX--", "a;", "a last delimiter without its line" },
    { TYPE, FILE_ "a" END FILE_ "<?php" END, NULL, "a file in an epilogue" },
    { TYPE, FILE_ "a" END "\r\n", NULL, "an empty line behind it all" },
    { TYPE, FILE_ "a\r\n--XbX-- \r\n", NULL, "a blank behind it all" },
    { TYPE, FILE_ "a\r\n--XbX--\n", NULL, "LF behind it all" },
    { TYPE, FILE_ "a\r\n--XbX--\r", NULL, "CR behind it all" },
    { TYPE, PART "\r\nContent-Type: application/octet-stream\r\n\r\nabc" END,
      "abc;", "a file that only its type tells" },
    { TYPE, PART "\r\nContent-Type: text/plainer\r\n\r\nabc" END, "abc;",
      "a type that begins as one of a field" },
    { TYPE, PART "\r\nContent-Type: Text/Plain ; charset=x\r\n\r\nabc" END,
      "", "a field that says it is one" },
    { "multipart/form-data; boundary=\"XbX\"; charset=x", FILE_ "a" END, "a;",
      "a boundary in quotes" },
    { TYPE, PART "\r\nContent-Disposition: x; FileName*=UTF-8''a\r\n\r\nz" END,
      "z;", "another way to name a file" },
    { TYPE, FILE_ "abc", NULL, "no last delimiter" },
    { TYPE, "", NULL, "nothing" },
    { TYPE, FILE_ "abc\n--XbX--\r\n", NULL, "LF before a delimiter" },
    { TYPE, FILE_ "abc\r--XbX--\r\n", NULL, "CR before a delimiter" },
    { TYPE, "--XbX\nA: b\n\nabc" END, NULL, "LF behind a delimiter" },
    { TYPE, "--XbXy\r\nA: b\r\n\r\nabc" END, NULL, "more behind a delimiter" },
    { TYPE, PART "\r\nA: b\nC: d\r\n\r\nabc" END, NULL, "LF in the headers" },
    { TYPE, PART ";\r\n filename=a\r\n\r\nabc" END, NULL, "a folded header" },
    { TYPE, PART "\r\nContent-Type : text/html\r\n\r\nabc" END, NULL,
      "a blank behind a name" },
    { TYPE, PART "\r\nno header\r\n\r\nabc" END, NULL, "no colon" },
    { TYPE, PART "\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\nx" END,
      NULL, "parts in a part" },
    { TYPE, PART "\r\nContent-Transfer-Encoding: base64\r\n\r\nx" END, NULL,
      "an encoded part" },
    { TYPE, PART "; filename=\"a/b\"\r\n\r\nx" END, NULL, "a path" },
    { TYPE, PART "; filename=\"..\"\r\n\r\nx" END, NULL, "the level above" },
    { TYPE, PART "; filename=\"c:\\b\"\r\n\r\nx" END, NULL, "a path of DOS" },
    { TYPE, PART "; filename*=UTF-8''a%2Fb\r\n\r\nx" END, NULL,
      "a path that is encoded" },
    { TYPE, PART "; filename=\"a\\\"b\"\r\n\r\nx" END, "x;",
      "a quote in a name" },
    { "multipart/form-data", FILE_ "a" END, NULL, "no boundary" },
    { "multipart/form-data; boundary=", FILE_ "a" END, NULL, "an empty one" },
    { TYPE "; boundary=y", FILE_ "a" END, NULL, "two of them" },
    { TYPE "; Boundary*=y", FILE_ "a" END, NULL, "one in another notation" },
    { "multipart/form-data; boundary=\"a\rb\"", "x", NULL, "one with a CR" },
    { "multipart/mixed; boundary=XbX", FILE_ "a" END, NULL,
      "another multipart" },
};


static podi_rc_t
seen(void *data, const podi_str_t *head, const podi_str_t *type,
    podi_fail_t *fail)
{
    seen_t  *s = data;
    size_t   n = strlen(s->heads);

    (void) fail;

    memcpy(s->heads + n, head->data, head->len);
    memcpy(s->heads + n + head->len, ";", 2);

    memcpy(s->types, type->data == NULL ? (unsigned char *) "" : type->data,
           type->len);
    s->types[type->len] = '\0';
    s->files++;

    return PODI_OK;
}


/* in pieces of `step` bytes; what was seen, or NULL */

static const char *
parse(podi_mem_t *mem, const form_t *form, size_t step, seen_t *s)
{
    size_t             i, n, len;
    podi_str_t         type;
    podi_fail_t        fail;
    podi_multipart_t  *m;

    memset(s, 0, sizeof(*s));
    memset(&fail, 0, sizeof(fail));
    type = podi_str_c(form->type);

    if (podi_multipart_begin(mem, &type, seen, s, &m, &fail) != PODI_OK) {
        return NULL;
    }

    len = strlen(form->body);

    for (i = 0; i < len; i += n) {
        n = (len - i < step) ? len - i : step;

        if (podi_multipart_take(m, (unsigned char *) form->body + i, n, &fail)
            != PODI_OK)
        {
            return NULL;
        }
    }

    return (podi_multipart_end(m, &fail) == PODI_OK) ? s->heads : NULL;
}


static int
same(const char *got, const char *want)
{
    return (got == NULL || want == NULL) ? got == want
                                         : strcmp(got, want) == 0;
}


int
main(void)
{
    size_t             i;
    seen_t             s;
    podi_str_t         type;
    podi_fail_t        fail;
    podi_arena_t      *arena;
    podi_multipart_t  *m;

    arena = podi_arena_create();

    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {

        ok(same(parse(podi_arena_mem(arena), &forms[i], 4096, &s),
                forms[i].heads)
           && same(parse(podi_arena_mem(arena), &forms[i], 1, &s),
                   forms[i].heads)
           && same(parse(podi_arena_mem(arena), &forms[i], 7, &s),
                   forms[i].heads),
           "%s", forms[i].what);
    }

    type = podi_str_c("application/json");
    ok(podi_multipart_begin(podi_arena_mem(arena), &type, seen, &s, &m, &fail)
       == PODI_DECLINED, "JSON is no form");

    podi_arena_free(&arena);

    return tap_done();
}
