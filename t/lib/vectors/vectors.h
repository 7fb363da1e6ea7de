/*
 * vectors: what the runner asks of the files that sign.
 */

#ifndef PODI_VECTORS_H
#define PODI_VECTORS_H


#include "podi_json.h"
#include "podi_sign.h"


/* the point of one case; rc 1: right, 0: wrong, -1: skipped; why if not 1 */
void vectors_tell(int rc, podi_str_t kind, podi_str_t name, podi_str_t why);

/*
 * Runs one vector.  1: as expected, 0: not, -1: its algorithm is none of
 * ours.  *why says what differs.
 */
int vectors_sign(const json_t *vector, podi_mem_t *mem, podi_str_t *why);

/* runs one file of Wycheproof about JWS and JWK; -1: it is none */
int vectors_jose(const json_t *file, podi_mem_t *mem);

/* runs one conversation with ComfyUI; -1: it is none */
int vectors_comfy(const json_t *file, podi_mem_t *mem);


#endif /* PODI_VECTORS_H */
