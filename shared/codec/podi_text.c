/*
 * podi_text: words of headers, in any case.
 */

#include <string.h>
#include <strings.h>

#include "podi_text.h"
#include "banned.h"


podi_str_t
podi_text_trim(podi_str_t s)
{
    while (s.len != 0 && (s.data[0] == ' ' || s.data[0] == '\t')) {
        s.data++;
        s.len--;
    }

    while (s.len != 0 && (s.data[s.len - 1] == ' '
                          || s.data[s.len - 1] == '\t'))
    {
        s.len--;
    }

    return s;
}


int
podi_text_is(const podi_str_t *s, const char *word)
{
    return s->len == strlen(word) && podi_text_begins(s, word);
}


int
podi_text_begins(const podi_str_t *s, const char *word)
{
    return s->len >= strlen(word)
           && strncasecmp((const char *) s->data, word, strlen(word)) == 0;
}


unsigned char *
podi_text_find(const podi_str_t *s, const char *word)
{
    size_t  i, len;

    len = strlen(word);

    for (i = 0; i + len <= s->len; i++) {
        if (strncasecmp((const char *) s->data + i, word, len) == 0) {
            return s->data + i;
        }
    }

    return NULL;
}
