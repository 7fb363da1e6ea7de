/*
 * podi_directive: nginx's configuration as a tree that remembers its lines.
 *
 *     file -> words -> directives -> blocks
 *      '--- include PATTERN: the same with each file, at the same place
 *
 * For who asks where a value was written, or what stands beside what: nginx
 * itself forgets both.  Words are read as nginx reads them (quotes, escapes,
 * ${name}); what they mean is nobody's business here.  A file that nginx would
 * not take is refused, or gives a tree of no meaning: test it first.  A block
 * whose lines are no directives (geo, map, types, split_clients, and Lua) stays
 * empty.
 */

#ifndef PODI_DIRECTIVE_H
#define PODI_DIRECTIVE_H


#include "podi_fail.h"
#include "podi_mem.h"


#define PODI_DIRECTIVE_DEPTH  128       /* of blocks, and of includes */
#define PODI_DIRECTIVE_FILE   (4 * 1024 * 1024)

typedef struct podi_directive_s  podi_directive_t;

struct podi_directive_s {
    podi_directive_t    *up;            /* the block it is in; NULL: the root */
    podi_directive_t    *next;
    podi_directive_t    *first;         /* of a block */
    podi_directive_t    *last;
    podi_str_t          *words;         /* the first is its name; with a NUL */
    size_t               n;             /* 0: the root */
    const char          *file;
    unsigned             line;          /* of its end, as nginx says it */
};


/* `path` with all it includes; relative names begin at its directory */
PODI_MUSTCHECK podi_rc_t podi_directives_read(const char *path,
    podi_mem_t *mem, podi_directive_t **ret_root, podi_fail_t *fail);

/* the same of a text, in which nothing is included */
PODI_MUSTCHECK podi_rc_t podi_directives_parse(const char *name,
    const podi_str_t *text, podi_mem_t *mem, podi_directive_t **ret_root,
    podi_fail_t *fail);

int podi_directive_is(const podi_directive_t *d, const char *name);

/* the word at i as a C string, or "" */
const char *podi_directive_word(const podi_directive_t *d, size_t i);

/* of a block, after `d` (NULL: the first one): the next one of that name */
const podi_directive_t *podi_directive_next(const podi_directive_t *block,
    const podi_directive_t *d, const char *name);

/* all of a tree, from the root on, each before what is in it; NULL: the end */
const podi_directive_t *podi_directive_walk(const podi_directive_t *d);


#endif /* PODI_DIRECTIVE_H */
