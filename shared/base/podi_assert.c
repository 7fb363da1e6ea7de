/*
 * podi_assert: the last words of a process that broke its own rules.
 */

#include <stdlib.h>
#include <stdio.h>
#include <unistd.h>

#include "podi_assert.h"
#include "banned.h"


void
podi_assert_failed(const char *what, const char *file, int line)
{
    int   n;
    char  text[512];

    n = snprintf(text, sizeof(text), "podi: assertion failed: %s at %s:%d\n",
                 what, file, line);

    if (n > 0 && write(STDERR_FILENO, text, (size_t) n) < 0) {
        /* nobody listens; the core file has to tell it */
    }

    abort();
}
