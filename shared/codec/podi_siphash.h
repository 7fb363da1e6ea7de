/*
 * podi_siphash: SipHash-1-3 with 128 bits of result, in pieces.
 *
 *     begin(key) -> add | field ... -> end
 *
 * For tables whose keys others choose: without the 16 secret bytes nobody
 * finds two texts that meet; a key that others can work out, as of limits in
 * a Redis without a password, guards nothing.  The result stays inside: whoever
 * shows it to somebody wants a MAC (docs/decisions/0015).  A state is plain
 * data on the caller's stack; nothing is allocated and nothing fails.
 */

#ifndef PODI_SIPHASH_H
#define PODI_SIPHASH_H


#include <stddef.h>
#include <stdint.h>


#define PODI_SIPHASH_LEN  16        /* of the key, and of the result */

typedef struct {
    uint64_t  v[4];
    uint64_t  tail;                 /* the bytes that are no whole word yet */
    uint64_t  len;
} podi_siphash_t;


void podi_siphash_begin(podi_siphash_t *h,
    const unsigned char key[PODI_SIPHASH_LEN]);
void podi_siphash_add(podi_siphash_t *h, const void *data, size_t len);
/* a word, and bytes filled up with zeros to words; all before are words too */
void podi_siphash_field(podi_siphash_t *h, uint64_t word, const void *data,
    size_t len);
void podi_siphash_end(podi_siphash_t *h,
    unsigned char ret_hash[PODI_SIPHASH_LEN]);


#endif /* PODI_SIPHASH_H */
