/*
 * podi_csv: what a spreadsheet would run, and what would break its lines.
 */

#include "tap.h"
#include "podi_csv.h"
#include "banned.h"


static const struct {
    const char  *text;
    const char  *want;
}  cells[] = {
    { "", "" },
    { "order 7", "order 7" },
    { "a,b", "\"a,b\"" },
    { "say \"no\"", "\"say \"\"no\"\"\"" },
    { "two\nlines", "\"two\nlines\"" },
    { "two\r\nlines", "\"two\r\nlines\"" },
    { "=1+1", "'=1+1" },
    { "+1", "'+1" },
    { "-1", "'-1" },
    { "@SUM(A1)", "'@SUM(A1)" },
    { "\t=1", "\t'=1" },
    { "\r=1", "\"\r'=1\"" },
    { "\n=1", "\"\n'=1\"" },
    { " =1", " '=1" },
    { ";=1+1", "\";'=1+1\"" },
    { "a;=1+1", "\"a;'=1+1\"" },
    { "a; @x", "\"a; '@x\"" },
    { "a;\"=1\"", "\"a;\"\"'=1\"\"\"" },
    { "a,=1", "\"a,'=1\"" },
    { "a|-1", "a|'-1" },
    { "a\t+1", "a\t'+1" },
    { "a\n=1", "\"a\n'=1\"" },
    { "a;\xef\xbc\x9d" "1", "\"a;'\xef\xbc\x9d" "1\"" },
    { "a;b=1", "\"a;b=1\"" },
    { "=HYPERLINK(\"http://x\",\"y\")",
      "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"" },
    { "\xef\xbc\x9d" "1", "'\xef\xbc\x9d" "1" },
    { "\xef\xbc\x8b" "1", "'\xef\xbc\x8b" "1" },
    { "\xef\xbc\x8d" "1", "'\xef\xbc\x8d" "1" },
    { "\xef\xbc\xa0" "x", "'\xef\xbc\xa0" "x" },
    { "1=1", "1=1" },
    { "\xe4\xbd\x99\xe9\xa2\x9d", "\xe4\xbd\x99\xe9\xa2\x9d" },
};


int
main(void)
{
    unsigned       i;
    podi_buf_t     b;
    podi_str_t     text, cell;
    podi_arena_t  *arena;

    arena = podi_arena_create();

    for (i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
        text = podi_str_c(cells[i].text);

        podi_buf_init(&b, podi_arena_mem(arena));
        podi_csv_text(&b, &text);

        ok(podi_buf_take(&b, &cell) == PODI_OK
           && podi_str_eq_c(&cell, cells[i].want), cells[i].want);
    }

    podi_arena_free(&arena);

    return tap_done();
}
