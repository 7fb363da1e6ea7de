/*
 * vectors: what the runner asks of the files that sign.
 */

#ifndef PODI_VECTORS_H
#define PODI_VECTORS_H


#include "podi_json.h"
#include "podi_sign.h"


/*
 * Runs one vector.  1: as expected, 0: not, -1: its algorithm is none of
 * ours.  *why says what differs.
 */
int vectors_sign(const json_t *vector, podi_mem_t *mem, podi_str_t *why);


#endif /* PODI_VECTORS_H */
