/*
 * podi_mem and podi_arena: alignment, ownership, reset; podi_secret.
 */

#include <sys/stat.h>

#include "tap.h"
#include "podi_secret.h"
#include "banned.h"


static char      released[8];
static unsigned  released_n;


static void release(void *thing);
static int own_nothing(podi_mem_t *mem, podi_free_pt f, void *thing);
static void test_secret(podi_mem_t *mem);
static void test_wipes(void);
static void write_file(const char *path, const char *text, mode_t mode);


int
main(void)
{
    size_t          i;
    char            a = 'a', b = 'b', c = 'c', *p, *first;
    podi_mem_t      broken = { NULL, own_nothing, NULL };
    podi_str_t      s;
    podi_mem_t     *mem;
    podi_arena_t   *arena;

    arena = podi_arena_create();
    mem = podi_arena_mem(arena);

    first = podi_mem_alloc(mem, 1);

    for (i = 1; i < 20000; i += 777) {
        p = podi_mem_calloc(mem, i);

        if (p == NULL || ((uintptr_t) p & 15) || p[0] || p[i - 1]) {
            break;
        }

        memset(p, 'x', i);
    }

    ok(i >= 20000, "small and large blocks are aligned and zeroed");
    ok(podi_mem_alloc(mem, 0) != NULL, "nothing is something");
    ok(podi_mem_alloc(mem, (size_t) -1) == NULL, "too much is NULL");

    s = str("hello");
    ok(podi_mem_dup(mem, &s, &s) == PODI_OK && s.len == 5
       && s.data[5] == '\0', "a copy");
    ok(podi_mem_printf(mem, &s, "%d-%s", 7, "x") == PODI_OK, "printf");
    is_str(s, "7-x", "what was printed");

    ok(podi_mem_own(mem, release, &a) == PODI_OK
       && podi_mem_own(mem, release, &b) == PODI_OK
       && podi_mem_own(mem, release, &c) == PODI_OK, "owns three things");

    podi_arena_reset(arena);
    ok(strcmp(released, "cba") == 0, "released at reset, last first");
    ok(podi_mem_alloc(mem, 1) == first, "the first block is used again");

    ok(podi_mem_own(mem, release, &a) == PODI_OK, "owns one more");
    ok(podi_mem_own(&broken, release, &b) == PODI_ERROR
       && strcmp(released, "cbab") == 0,
       "what finds no owner is released at once");

    test_secret(mem);
    test_wipes();

    podi_arena_free(&arena);
    ok(strcmp(released, "cbaba") == 0, "released at the end");
    ok(arena == NULL, "and NULL is left");

    return tap_done();
}


static void
release(void *thing)
{
    released[released_n++] = *(char *) thing;
}


static int
own_nothing(podi_mem_t *mem, podi_free_pt f, void *thing)
{
    (void) mem;
    (void) f;
    (void) thing;

    return -1;
}


/* what was there is read where it was: the arena keeps its first block */

static void
test_wipes(void)
{
    int             i;
    char           *p;
    podi_str_t      s;
    podi_mem_t     *mem;
    podi_arena_t   *arena;

    for (i = 0; i < 2; i++) {
        arena = podi_arena_create();
        mem = podi_arena_mem(arena);

        if (i == 1) {
            podi_arena_wipes(arena);
        }

        ok(podi_mem_printf(mem, &s, "hunter2") == PODI_OK, "a secret");
        podi_arena_reset(arena);
        p = podi_mem_alloc(mem, 8);
        ok((unsigned char *) p == s.data, "the same memory again");
        is_int(memcmp(p, "hunter2", 7) != 0, i,
               i ? "it was wiped" : "as it is, where nobody asked for more");

        podi_arena_free(&arena);
    }
}


static void
test_secret(podi_mem_t *mem)
{
    char            path[64] = "/tmp/podi-secret-XXXXXX";
    static char     big[4098];
    podi_fail_t     fail;
    podi_secret_t  *secret;

    (void) close(mkstemp(path));

    write_file(path, "key\n", 0600);
    ok(podi_secret_read(mem, path, &secret, &fail) == PODI_OK, "a secret");
    is_str(podi_secret_bytes(secret), "key", "less its line end");

    write_file(path, "k\n\n", 0600);
    ok(podi_secret_read(mem, path, &secret, &fail) == PODI_OK, "a secret");
    is_str(podi_secret_bytes(secret), "k\n", "less one line end only");

    write_file(path, "\n", 0600);
    is_fail(podi_secret_read(mem, path, &secret, &fail), &fail,
            PODI_E_CONFIG, NULL, "empty is refused");

    memset(big, 'x', 4097);
    write_file(path, big, 0600);
    is_fail(podi_secret_read(mem, path, &secret, &fail), &fail,
            PODI_E_CONFIG, NULL, "4097 bytes are refused");

    big[4096] = '\0';
    write_file(path, big, 0600);
    is_int(podi_secret_read(mem, path, &secret, &fail), PODI_OK,
           "4096 bytes are read");

    write_file(path, "key", 0644);
    is_fail(podi_secret_read(mem, path, &secret, &fail), &fail,
            PODI_E_CONFIG, NULL, "readable by others is refused");
    ok(strstr(fail.detail, "chmod") != NULL, "saying what to do");

    (void) unlink(path);
    is_fail(podi_secret_read(mem, path, &secret, &fail), &fail,
            PODI_E_CONFIG, NULL, "missing is refused");
    is_fail(podi_secret_read(mem, "/tmp", &secret, &fail), &fail,
            PODI_E_CONFIG, NULL, "a directory is refused");
}


static void
write_file(const char *path, const char *text, mode_t mode)
{
    FILE  *f;

    f = fopen(path, "w");
    (void) fputs(text, f);
    (void) fclose(f);
    (void) chmod(path, mode);
}
