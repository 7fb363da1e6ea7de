/*
 * podi_directive: files, directives, blocks.
 *
 *     a file's bytes -> podi_directive_token -> directive_one -> the tree
 */

#include <glob.h>
#include <string.h>

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


podi_rc_t
podi_directives_read(const char *path, podi_mem_t *mem,
    podi_directive_t **ret_root, podi_fail_t *fail)
{
    podi_buf_t           words;
    const char          *slash;
    directive_reader_t   r;

    memset(&r, 0, sizeof(directive_reader_t));
    podi_buf_init(&words, mem);

    slash = strrchr(path, '/');

    r.dir = podi_str_c(path);
    r.dir.len = (slash != NULL) ? (size_t) (slash - path) + 1 : 0;
    r.mem = mem;
    r.fail = fail;
    r.words = &words;

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
    podi_buf_t          words;
    directive_reader_t  r;

    memset(&r, 0, sizeof(directive_reader_t));
    podi_buf_init(&words, mem);

    r.file = name;
    r.mem = mem;
    r.fail = fail;
    r.words = &words;
    r.line = 1;
    r.alone = 1;

    *ret_root = podi_mem_calloc(mem, sizeof(podi_directive_t));

    if (*ret_root == NULL
        || podi_mem_printf(mem, &r.rest, " " PODI_STR_FMT, podi_str_arg(text))
           != PODI_OK)
    {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    r.rest.data++;
    r.rest.len--;

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
            rc = podi_directive_is_foreign(block->last)
                 ? podi_directive_skip(r, block->last)
                 : directive_block(r, block->last, depth + 1);
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
    podi_str_t         word;
    podi_directive_t  *d;

    r->words->len = 0;

    for ( ;; ) {

        if (podi_directive_token(r, ret_end, &word) != PODI_OK) {
            return PODI_ERROR;
        }

        if (*ret_end != DIRECTIVE_WORD) {
            break;
        }

        podi_buf_add(r->words, &word, sizeof(podi_str_t));
    }

    if (*ret_end == DIRECTIVE_CLOSE || *ret_end == DIRECTIVE_EOF) {
        return (r->words->len == 0)
               ? PODI_OK : podi_directive_wrong(r, "expecting \";\"");
    }

    if (r->words->len == 0) {
        return podi_directive_wrong(r, "unexpected \";\" or \"{\"");
    }

    d = podi_mem_calloc(r->mem, sizeof(podi_directive_t));

    if (d == NULL || r->words->failed
        || (d->words = podi_mem_alloc(r->mem, r->words->len)) == NULL)
    {
        return podi_fail(r->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    memcpy(d->words, r->words->data, r->words->len);

    d->up = block;
    d->n = r->words->len / sizeof(podi_str_t);
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

    return (podi_directive_load(&r) == PODI_OK) ? directive_block(&r, block, 0)
                                           : PODI_ERROR;
}
