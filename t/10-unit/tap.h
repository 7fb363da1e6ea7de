/*
 * tap: a unit test is a C program that prints TAP.
 *
 *     ok(cond, "what holds %s", ...);  is_int(got, want, "..."); ...
 *     return tap_done();
 */

#ifndef PODI_TAP_H
#define PODI_TAP_H


#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "podi_fail.h"
#include "podi_mem.h"


static unsigned  tap_n;
static unsigned  tap_failed;


static inline __attribute__((format(printf, 2, 3))) int
ok(int cond, const char *fmt, ...)
{
    va_list  args;

    tap_n++;
    tap_failed += !cond;

    printf("%s %u - ", cond ? "ok" : "not ok", tap_n);

    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);

    printf("\n");
    fflush(stdout);

    return cond;
}


static inline void
is_int(long long got, long long want, const char *what)
{
    if (!ok(got == want, "%s", what)) {
        printf("#  got %lld\n# want %lld\n", got, want);
    }
}


static inline void
is_str(podi_str_t got, const char *want, const char *what)
{
    if (!ok(podi_str_eq_c(&got, want), "%s", what)) {
        printf("#  got \"" PODI_STR_FMT "\"\n# want \"%s\"\n",
               podi_str_arg(&got), want);
    }
}


/* the failure is this one, at this field (NULL: any) */

static inline void
is_fail(podi_rc_t rc, const podi_fail_t *fail, podi_error_e error,
    const char *field, const char *what)
{
    if (!ok(rc == PODI_ERROR && fail->error == error
            && (field == NULL || strcmp(fail->field, field) == 0),
            "%s", what))
    {
        printf("# rc %d, %s at \"%s\": %s\n", rc,
               podi_error(fail->error)->code, fail->field, fail->detail);
    }
}


/* does this call abort the process? */

static inline int
tap_aborts(void (*call)(void))
{
    int    status = 0, fd;
    pid_t  pid;

    fflush(stdout);

    pid = fork();

    if (pid == 0) {
        fd = open("/dev/null", O_WRONLY);
        (void) dup2(fd, STDERR_FILENO);
        call();
        _exit(0);
    }

    (void) waitpid(pid, &status, 0);

    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}


static inline podi_str_t
str(const char *s)
{
    return podi_str_c(s);
}


/* a text, printed; a test without memory has nothing more to say */

static inline __attribute__((format(printf, 2, 3))) podi_str_t
text_of(podi_mem_t *mem, const char *fmt, ...)
{
    char        *p;
    va_list      args;
    podi_str_t   s;

    p = podi_mem_alloc(mem, 16384);
    if (p == NULL) {
        abort();
    }

    va_start(args, fmt);
    (void) vsnprintf(p, 16384, fmt, args);
    va_end(args);

    s = podi_str_c(p);

    return s;
}


static inline int
tap_done(void)
{
    printf("1..%u\n", tap_n);

    return tap_failed ? 1 : 0;
}


#endif /* PODI_TAP_H */
