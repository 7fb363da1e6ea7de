/*
 * podi_csv: cells that mean text to every spreadsheet.
 */

#include <string.h>

#include "podi_csv.h"
#include "banned.h"


static int csv_is_formula(const unsigned char *data, size_t len);


/* the full-width forms of = + - @ are formulas in East Asian editions */

static const char *const  csv_formula[] = {
    "=", "+", "-", "@", "\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d",
    "\xef\xbc\xa0", NULL
};

/*
 * Where a cell begins, for some edition of some program: it splits at ; where
 * the comma is the decimal sign, and knows no quotes that are not at the start.
 */

static const char  csv_splits[] = ",;|\t\r\n";


void
podi_csv_text(podi_buf_t *b, const podi_str_t *s)
{
    int     quoted, first;
    size_t  i;

    quoted = 0;
    first = 1;

    for (i = 0; i < s->len && !quoted; i++) {
        quoted = memchr(",;\"\r\n", s->data[i], 5) != NULL;
    }

    if (quoted) {
        podi_buf_add_byte(b, '"');
    }

    for (i = 0; i < s->len; i++) {

        if (first && csv_is_formula(s->data + i, s->len - i)) {
            podi_buf_add_byte(b, '\'');
        }

        if (s->data[i] == '"') {
            podi_buf_add_byte(b, '"');
        }

        podi_buf_add_byte(b, s->data[i]);

        /* blanks and quotes before a formula are no more than that */

        first = strchr(csv_splits, s->data[i]) != NULL
                || (first && strchr(" \"", s->data[i]) != NULL);
    }

    if (quoted) {
        podi_buf_add_byte(b, '"');
    }
}


static int
csv_is_formula(const unsigned char *data, size_t len)
{
    size_t             n;
    const char *const *sign;

    for (sign = csv_formula; *sign != NULL; sign++) {
        n = strlen(*sign);

        if (len >= n && memcmp(data, *sign, n) == 0) {
            return 1;
        }
    }

    return 0;
}
