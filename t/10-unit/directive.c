/*
 * podi_directive: words as nginx reads them, blocks, files in files.
 */

#include <sys/stat.h>

#include "tap.h"
#include "podi_buf.h"
#include "podi_directive.h"
#include "banned.h"


static const struct {
    const char  *text;
    const char  *want;                  /* words of the first, with | */
}  words[] = {
    { "a b c;", "a|b|c" },
    { "a\tb\r\n  c;", "a|b|c" },
    { "a # no; b {\nb;", "a|b" },
    { "a b#c;", "a|b#c" },
    { "a \"b c\" 'd\"e';", "a|b c|d\"e" },
    { "a \"\";", "a|" },
    { "a \"b\\\"c\\\\\" 'd\\'e';", "a|b\"c\\|d'e" },
    { "a b\\ c \"\\t\\n\\r\\x\";", "a|b\\ c|\t\n\r\\x" },
    { "a ${b}c x${d};", "a|${b}c|x${d}" },
    { "a x{ }", "a|x" },
    { "if ($a = \"b\") { }", "if|($a|=|b|)" },
    { "a \"b;c{d}\";", "a|b;c{d}" },
    { "a;b;", "a" },
    { "\"a\"{\"b\"\n;}c;", "a" },
    { "a \\; b;", "a|\\;|b" },
};

static const struct {
    const char  *text;
    const char  *want;
}  wrong[] = {
    { "a", "t:1: expecting \";\"" },
    { "a;\nb {\nc;\n", "t:4: expecting \"}\"" },
    { "}", "t:1: unexpected \"}\"" },
    { "a { b }", "t:1: expecting \";\"" },
    { ";", "t:1: unexpected \";\" or \"{\"" },
    { "\n{ }", "t:2: unexpected \";\" or \"{\"" },
    { "a \"b;", "t:1: a quote that does not end" },
    { "a \"b\"c;", "t:1: a quote that does not end" },
};


static void
test_words(podi_mem_t *mem)
{
    size_t              i, j;
    podi_buf_t          b;
    podi_str_t          text, got;
    podi_fail_t         fail;
    podi_directive_t   *root;

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        text = str(words[i].text);

        if (podi_directives_parse("t", &text, mem, &root, &fail) != PODI_OK) {
            ok(0, "%s: %s", words[i].text, fail.detail);
            continue;
        }

        podi_buf_init(&b, mem);

        for (j = 0; j < root->first->n; j++) {
            podi_buf_add_c(&b, j == 0 ? "" : "|");
            podi_buf_add_str(&b, &root->first->words[j]);
        }

        ok(podi_buf_take(&b, &got) == PODI_OK
           && podi_str_eq_c(&got, words[i].want), "words of case %zu", i);
    }

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        text = str(wrong[i].text);
        fail.detail[0] = '\0';

        ok(podi_directives_parse("t", &text, mem, &root, &fail) == PODI_ERROR
           && strcmp(fail.detail, wrong[i].want) == 0, "refused: case %zu: %s",
           i, fail.detail);
    }
}


static void
test_tree(podi_mem_t *mem)
{
    unsigned                 n;
    podi_str_t               text;
    podi_fail_t              fail;
    podi_directive_t        *root;
    const podi_directive_t  *d, *server;

    text = str("a 1;\nhttp {\n  b;\n  server { c 1; c 2;\n  }\n}\nd;\n");

    ok(podi_directives_parse("t", &text, mem, &root, &fail) == PODI_OK,
       "a tree");

    server = podi_directive_next(podi_directive_next(root, NULL, "http"),
                                 NULL, "server");
    d = podi_directive_next(server, NULL, "c");
    d = podi_directive_next(server, d, "c");

    ok(d != NULL && strcmp(podi_directive_word(d, 1), "2") == 0,
       "the next one of a name");
    ok(podi_directive_next(server, d, "c") == NULL, "and there is no third");
    is_int(d->line, 4, "its line");
    ok(d->up == server && server->up->up == root, "what it is in");
    is_str(str(podi_directive_word(d, 2)), "", "a word that is not there");

    n = 0;

    for (d = root->first; d != NULL; d = podi_directive_walk(d)) {
        n++;
    }

    is_int(n, 7, "a walk comes to each");
}


/* blocks whose lines are no directives: what is behind them, and its line */

static const struct {
    const char  *text;
    unsigned     line;                  /* 0: refused */
}  foreign[] = {
    { "geo $a { default 0; include /nowhere; }\nz;", 2 },
    { "map $a $b {\n \"}\" 1;\n a ${c};\n}\nz;", 5 },
    { "types { }z;", 1 },
    { "geo $a { a 0;", 0 },
    { "content_by_lua_block {\n-- it's }\nx = {1}\n}\nz;", 5 },
    { "x_by_lua_block { s = '}' .. \"\\\"}\" }\nz;", 2 },
    { "x_by_lua_block { s = [[\n}]] .. [==[}]]}]==] }\nz;", 3 },
    { "x_by_lua_block { --[[ }\n'}]]\n}\nz;", 4 },
    { "x_by_lua_block { a[b[1]] = 1 - 2 }\nz;", 2 },
    { "x_by_lua_block { '", 0 },
    { "x_by_lua_block { {}", 0 },
};


static void
test_foreign(podi_mem_t *mem)
{
    size_t                   i;
    podi_rc_t                rc;
    podi_str_t               text;
    podi_fail_t              fail;
    podi_directive_t        *root;
    const podi_directive_t  *z;

    for (i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
        text = str(foreign[i].text);
        rc = podi_directives_parse("t", &text, mem, &root, &fail);

        if (foreign[i].line == 0) {
            is_fail(rc, &fail, PODI_E_CONFIG, NULL, "it does not end");
            continue;
        }

        z = (rc == PODI_OK) ? podi_directive_next(root, NULL, "z") : NULL;

        ok(z != NULL && z->line == foreign[i].line && root->first->first == NULL
           && root->first->next == z, "other people's words: case %zu", i);
    }
}


/* what is asked for, in all */

static size_t  asked;


static void *
count_alloc(podi_mem_t *mem, size_t size)
{
    podi_mem_t  *real = mem->ctx;

    asked += size;

    return real->alloc(real, size);
}


static void
test_cost(podi_mem_t *mem)
{
    char                  *text;
    size_t                 i, n;
    podi_str_t             s;
    podi_mem_t             counted;
    podi_fail_t            fail;
    podi_directive_t      *root;
    static const char      line[] = "abcd 1 22;\n";

    memset(&counted, 0, sizeof(podi_mem_t));
    counted.alloc = count_alloc;
    counted.ctx = mem;

    n = 20000;
    s.len = n * (sizeof(line) - 1);
    text = podi_mem_alloc(mem, s.len + 16);
    s.data = (unsigned char *) text;

    for (i = 0; i < n; i++) {
        memcpy(text + i * (sizeof(line) - 1), line, sizeof(line) - 1);
    }

    ok(podi_directives_parse("t", &s, &counted, &root, &fail) == PODI_OK,
       "many lines");
    ok(asked < s.len + n * 160, "a line costs less than 160 bytes: %zu",
       asked / n);

    memmove(text + 8, text, s.len);
    memcpy(text, "geo $a {", 8);
    text[s.len + 8] = '}';
    s.len += 9;
    asked = 0;

    ok(podi_directives_parse("t", &s, &counted, &root, &fail) == PODI_OK,
       "as many of a geo");
    ok(asked < s.len + 4096, "which cost nothing: %zu for %zu", asked, s.len);
}


static void
test_deep(podi_mem_t *mem)
{
    size_t             i;
    podi_buf_t         b;
    podi_str_t         text;
    podi_fail_t        fail;
    podi_directive_t  *root;

    podi_buf_init(&b, mem);

    for (i = 0; i < 100; i++) {
        podi_buf_add_c(&b, "location / {");
    }

    for (i = 0; i < 100; i++) {
        podi_buf_add_c(&b, "}");
    }

    ok(podi_buf_take(&b, &text) == PODI_OK
       && podi_directives_parse("t", &text, mem, &root, &fail) == PODI_OK,
       "a hundred blocks in each other");
}


static void
write_file(const char *dir, const char *name, const char *text)
{
    char   path[256];
    FILE  *file;

    (void) snprintf(path, sizeof(path), "%s/%s", dir, name);

    file = fopen(path, "w");

    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
        abort();
    }
}


static void
test_files(podi_mem_t *mem)
{
    char                     dir[] = "/tmp/podi-d-XXXXXX", path[256];
    size_t                   i;
    podi_rc_t                rc;
    podi_fail_t              fail;
    podi_directive_t        *root;
    const podi_directive_t  *http, *d;
    static const char *const  names[] = {
        "m", "1.conf", "2.conf", "self", "pipe", "zero", "large"
    };

    if (mkdtemp(dir) == NULL) {
        abort();
    }

    write_file(dir, "m", "http {\n include *.conf;\n include no/*.x;\n z;\n}");
    write_file(dir, "1.conf", "one;");
    write_file(dir, "2.conf", "\ntwo;");
    write_file(dir, "self", "include self;");

    (void) snprintf(path, sizeof(path), "%s/m", dir);
    rc = podi_directives_read(path, mem, &root, &fail);
    http = (rc == PODI_OK) ? podi_directive_next(root, NULL, "http") : NULL;

    ok(http != NULL, "files in files");

    d = podi_directive_next(http, NULL, "two");
    ok(d != NULL && strstr(d->file, "/2.conf") != NULL && d->line == 2,
       "each knows its own");
    ok(podi_directive_next(http, podi_directive_next(http, NULL, "one"), "two")
       == d, "in order");
    ok(podi_directive_next(http, d, "z") != NULL, "and before what follows");

    (void) snprintf(path, sizeof(path), "%s/self", dir);
    is_fail(podi_directives_read(path, mem, &root, &fail), &fail,
            PODI_E_CONFIG, NULL, "one that includes itself is refused");

    (void) snprintf(path, sizeof(path), "%s/none", dir);
    is_fail(podi_directives_read(path, mem, &root, &fail), &fail,
            PODI_E_CONFIG, NULL, "and one that is not there");

    (void) snprintf(path, sizeof(path), "%s/pipe", dir);

    if (mkfifo(path, 0600) != 0) {
        abort();
    }

    is_fail(podi_directives_read(path, mem, &root, &fail), &fail,
            PODI_E_CONFIG, NULL, "a pipe is refused, and not waited for");
    is_fail(podi_directives_read(dir, mem, &root, &fail), &fail,
            PODI_E_CONFIG, NULL, "and so is a directory");

    write_file(dir, "zero", "include /dev/zero;\nz;");
    (void) snprintf(path, sizeof(path), "%s/zero", dir);
    ok(podi_directives_read(path, mem, &root, &fail) == PODI_OK
       && podi_directive_next(root, NULL, "z") != NULL,
       "a device has nothing to say, as with nginx");

    write_file(dir, "large", "");
    (void) snprintf(path, sizeof(path), "%s/large", dir);
    ok(truncate(path, PODI_DIRECTIVE_FILE + 1) == 0
       && podi_directives_read(path, mem, &root, &fail) == PODI_ERROR
       && strstr(fail.detail, "larger than") != NULL, "too large a file");

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void) snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        (void) unlink(path);
    }

    (void) rmdir(dir);
}


int
main(void)
{
    podi_arena_t  *arena;

    arena = podi_arena_create();

    test_words(podi_arena_mem(arena));
    test_tree(podi_arena_mem(arena));
    test_foreign(podi_arena_mem(arena));
    test_cost(podi_arena_mem(arena));
    test_deep(podi_arena_mem(arena));
    test_files(podi_arena_mem(arena));

    podi_arena_free(&arena);

    return tap_done();
}
