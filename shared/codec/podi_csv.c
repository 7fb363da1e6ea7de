/*
 * podi_csv: cells that mean text to every spreadsheet.
 */

#include "podi_csv.h"
#include "banned.h"


static int csv_is_formula(const podi_str_t *s);


/* the full-width forms of = + - @ are formulas in East Asian editions */

static const char *const  csv_formula[] = {
    "=", "+", "-", "@", "\t", "\r", "\n", "\xef\xbc\x9d", "\xef\xbc\x8b",
    "\xef\xbc\x8d", "\xef\xbc\xa0", NULL
};


void
podi_csv_text(podi_buf_t *b, const podi_str_t *s)
{
    int     quoted;
    size_t  i;

    quoted = 0;

    for (i = 0; i < s->len; i++) {
        if (memchr(",\"\r\n", s->data[i], 4) != NULL) {
            quoted = 1;
            podi_buf_add_byte(b, '"');
            break;
        }
    }

    if (csv_is_formula(s)) {
        podi_buf_add_byte(b, '\'');
    }

    for (i = 0; i < s->len; i++) {

        if (s->data[i] == '"') {
            podi_buf_add_byte(b, '"');
        }

        podi_buf_add_byte(b, s->data[i]);
    }

    if (quoted) {
        podi_buf_add_byte(b, '"');
    }
}


static int
csv_is_formula(const podi_str_t *s)
{
    const char *const *sign;

    for (sign = csv_formula; *sign != NULL; sign++) {
        if (podi_str_has_prefix(s, *sign)) {
            return 1;
        }
    }

    return 0;
}
