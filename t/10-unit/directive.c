/*
 * podi_directive: words as nginx reads them, blocks, files in files.
 */

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
    static const char *const  names[] = { "m", "1.conf", "2.conf", "self" };

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
    test_files(podi_arena_mem(arena));

    podi_arena_free(&arena);

    return tap_done();
}
