/*
 * podi_directive: files, directives, blocks.
 *
 *     a file's bytes -> podi_directive_token -> directive_one -> the tree
 */

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "podi_buf.h"
#include "podi_directive_int.h"
#include "banned.h"


static podi_rc_t directive_block(directive_reader_t *r,
    podi_directive_t *block, unsigned depth);
static podi_rc_t directive_one(directive_reader_t *r, podi_directive_t *block,
    directive_token_e *ret_end);
static podi_rc_t directive_include(directive_reader_t *r,
    podi_directive_t *d);
static podi_rc_t directive_file(const directive_reader_t *from,
    const char *path, podi_directive_t *block);
static podi_rc_t directive_load(directive_reader_t *r);


podi_rc_t
podi_directives_read(const char *path, podi_mem_t *mem,
    podi_directive_t **ret_root, podi_fail_t *fail)
{
    const char          *slash;
    directive_reader_t   r;

    memset(&r, 0, sizeof(directive_reader_t));

    slash = strrchr(path, '/');

    r.dir = podi_str_c(path);
    r.dir.len = (slash != NULL) ? (size_t) (slash - path) + 1 : 0;
    r.mem = mem;
    r.fail = fail;

    *ret_root = podi_mem_calloc(mem, sizeof(podi_directive_t));

    if (*ret_root == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return directive_file(&r, path, *ret_root);
}


podi_rc_t
podi_directives_parse(const char *name, const podi_str_t *text,
    podi_mem_t *mem, podi_directive_t **ret_root, podi_fail_t *fail)
{
    directive_reader_t  r;

    memset(&r, 0, sizeof(directive_reader_t));

    r.file = name;
    r.rest = *text;
    r.mem = mem;
    r.fail = fail;
    r.line = 1;
    r.alone = 1;

    *ret_root = podi_mem_calloc(mem, sizeof(podi_directive_t));

    if (*ret_root == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return directive_block(&r, *ret_root, 0);
}


/* until the block ends; that of a file ends with it */

static podi_rc_t
directive_block(directive_reader_t *r, podi_directive_t *block,
    unsigned depth)
{
    podi_rc_t           rc;
    directive_token_e   end;

    if (depth > PODI_DIRECTIVE_DEPTH) {
        return podi_directive_wrong(r, "too many blocks in each other");
    }

    for ( ;; ) {

        if (directive_one(r, block, &end) != PODI_OK) {
            return PODI_ERROR;
        }

        switch (end) {

        case DIRECTIVE_OPEN:
            rc = directive_block(r, block->last, depth + 1);
            break;

        case DIRECTIVE_END:
            rc = PODI_OK;

            if (podi_directive_is(block->last, "include") && !r->alone) {
                rc = directive_include(r, block->last);
            }

            break;

        case DIRECTIVE_CLOSE:
            return (depth != 0) ? PODI_OK
                                : podi_directive_wrong(r, "unexpected \"}\"");

        default: /* DIRECTIVE_EOF */
            return (depth == 0) ? PODI_OK
                                : podi_directive_wrong(r, "expecting \"}\"");
        }

        if (rc != PODI_OK) {
            return rc;
        }
    }
}


/* what ended it; CLOSE and EOF: there was none */

static podi_rc_t
directive_one(directive_reader_t *r, podi_directive_t *block,
    directive_token_e *ret_end)
{
    podi_buf_t         words;
    podi_str_t         word;
    podi_directive_t  *d;

    podi_buf_init(&words, r->mem);

    for ( ;; ) {

        if (podi_directive_token(r, ret_end, &word) != PODI_OK) {
            return PODI_ERROR;
        }

        if (*ret_end != DIRECTIVE_WORD) {
            break;
        }

        podi_buf_add(&words, &word, sizeof(podi_str_t));
    }

    if (*ret_end == DIRECTIVE_CLOSE || *ret_end == DIRECTIVE_EOF) {
        return (words.len == 0)
               ? PODI_OK : podi_directive_wrong(r, "expecting \";\"");
    }

    if (words.len == 0) {
        return podi_directive_wrong(r, "unexpected \";\" or \"{\"");
    }

    d = podi_mem_calloc(r->mem, sizeof(podi_directive_t));

    if (d == NULL || podi_buf_take(&words, &word) != PODI_OK) {
        return podi_fail(r->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    d->up = block;
    d->words = (podi_str_t *) (void *) word.data;
    d->n = word.len / sizeof(podi_str_t);
    d->file = r->file;
    d->line = r->line;

    if (block->last != NULL) {
        block->last->next = d;

    } else {
        block->first = d;
    }

    block->last = d;

    return PODI_OK;
}


/* a pattern that fits nothing includes nothing, as in nginx */

static podi_rc_t
directive_include(directive_reader_t *r, podi_directive_t *d)
{
    int           found;
    size_t        i;
    glob_t        names;
    podi_rc_t     rc;
    podi_str_t    path;
    const char   *name;

    name = podi_directive_word(d, 1);

    if (r->depth == PODI_DIRECTIVE_DEPTH) {
        return podi_directive_wrong(r, "too many files in each other");
    }

    if (podi_mem_printf(r->mem, &path, PODI_STR_FMT "%s",
                        name[0] == '/' ? 0 : (int) r->dir.len,
                        (const char *) r->dir.data, name)
        != PODI_OK)
    {
        return podi_fail(r->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if (strpbrk(name, "*?[") == NULL) {
        return directive_file(r, (const char *) path.data, d->up);
    }

    found = glob((const char *) path.data, 0, NULL, &names);

    if (found == GLOB_NOMATCH) {
        return PODI_OK;
    }

    if (found != 0) {
        return podi_directive_wrong(r, "its files cannot be listed");
    }

    rc = PODI_OK;

    for (i = 0; i < names.gl_pathc && rc == PODI_OK; i++) {
        rc = directive_file(r, names.gl_pathv[i], d->up);
    }

    globfree(&names);

    return rc;
}


static podi_rc_t
directive_file(const directive_reader_t *from, const char *path,
    podi_directive_t *block)
{
    podi_str_t          name;
    directive_reader_t  r;

    r = *from;
    name = podi_str_c(path);

    r.depth++;
    r.line = 1;
    r.file = podi_mem_dup_c(r.mem, &name);

    if (r.file == NULL) {
        return podi_fail(r.fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return (directive_load(&r) == PODI_OK) ? directive_block(&r, block, 0)
                                           : PODI_ERROR;
}


static podi_rc_t
directive_load(directive_reader_t *r)
{
    FILE        *file;
    size_t       n;
    podi_buf_t   b;
    char         part[4096];

    file = fopen(r->file, "re");

    if (file == NULL) {
        return podi_fail(r->fail, PODI_E_CONFIG, NULL, "%s: %s", r->file,
                         strerror(errno));
    }

    podi_buf_init(&b, r->mem);

    do {
        n = fread(part, 1, sizeof(part), file);
        podi_buf_add(&b, part, n);
    } while (n == sizeof(part) && b.len <= PODI_DIRECTIVE_FILE);

    n = ferror(file) || b.len > PODI_DIRECTIVE_FILE;
    (void) fclose(file);

    if (n != 0 || podi_buf_take(&b, &r->rest) != PODI_OK) {
        return podi_fail(r->fail, PODI_E_CONFIG, NULL,
                         "%s: cannot be read, or is larger than %d bytes",
                         r->file, PODI_DIRECTIVE_FILE);
    }

    return PODI_OK;
}
