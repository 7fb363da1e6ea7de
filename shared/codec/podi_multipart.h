/*
 * podi_multipart: multipart/form-data as it comes, and what its files begin
 * with.
 *
 *     PREAMBLE -delimiter-> LINE -CRLF-> HEADERS -empty line-> CONTENT
 *                            |  ^                                |
 *                            |  '----------- delimiter ----------'
 *                            '-"--"-> END, at most CRLF
 *
 * Judges nothing but the form: who watches is told of each file's first bytes,
 * its declared type and its name, and says whether it may pass.  What parsers
 * take in different ways (bare line ends around a boundary, folded headers,
 * encodings, a name twice, an epilogue) is refused, so that nobody behind sees
 * a part that was not seen here.
 */

#ifndef PODI_MULTIPART_H
#define PODI_MULTIPART_H


#include "podi_fail.h"
#include "podi_mem.h"
#include "podi_sniff.h"


#define PODI_MULTIPART_BOUNDARY  70         /* RFC 2046 */
#define PODI_MULTIPART_HEADERS   4096       /* of one part */
#define PODI_MULTIPART_PARTS     1000

typedef struct podi_multipart_s  podi_multipart_t;

/*
 * Called for each part that has a filename, or a Content-Type other than
 * text/plain, with its first bytes (less than PODI_SNIFF_LEN only when it has
 * no more; none at all for an empty file).
 * type: as declared, or "".  ERROR with *fail: the body is refused.
 */
typedef podi_rc_t (*podi_multipart_pt)(void *data, const podi_str_t *head,
    const podi_str_t *type, podi_fail_t *fail);


/*
 * content_type: "multipart/form-data; boundary=...".  DECLINED: it is no
 * multipart; ERROR: one that is not understood (BAD_REQUEST), or no memory.
 */
PODI_MUSTCHECK podi_rc_t podi_multipart_begin(podi_mem_t *mem,
    const podi_str_t *content_type, podi_multipart_pt file, void *data,
    podi_multipart_t **ret_m, podi_fail_t *fail);

/* the next bytes; after an ERROR nothing more may come */
PODI_MUSTCHECK podi_rc_t podi_multipart_take(podi_multipart_t *m,
    const unsigned char *bytes, size_t len, podi_fail_t *fail);

/* that was all: ERROR when the last delimiter is missing */
PODI_MUSTCHECK podi_rc_t podi_multipart_end(podi_multipart_t *m,
    podi_fail_t *fail);


#endif /* PODI_MULTIPART_H */
