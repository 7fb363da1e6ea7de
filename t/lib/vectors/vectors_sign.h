/*
 * vectors_sign: what the files that sign share.
 */

#ifndef PODI_VECTORS_SIGN_H
#define PODI_VECTORS_SIGN_H


#include "vectors.h"


typedef struct {
    podi_mem_t           *mem;
    const json_t         *input;
    podi_sign_cred_t      cred;
    podi_sign_request_t   req;
    podi_pair_t           query[PODI_SIGN_PAIRS_MAX];
    podi_pair_t           headers[PODI_SIGN_PAIRS_MAX];
    podi_str_t            body;
    podi_str_t            token;
} vectors_t;


/* 1: as expected, 0: not, and *why says what differs */
int vectors_suite(vectors_t *v, const json_t *expected, podi_str_t *why);
int vectors_compare(vectors_t *v, const podi_sign_alg_t *alg,
    const json_t *expected, podi_str_t *why);

/* -1: none of its algorithms */
int vectors_cloud(vectors_t *v, const podi_str_t *algorithm,
    const json_t *expected, podi_str_t *why);

int vectors_same(const json_t *expected, const char *name,
    const podi_str_t *got, podi_mem_t *mem, podi_str_t *why);
size_t vectors_pairs(const json_t *list, podi_pair_t *pairs);
podi_str_t vectors_str(const json_t *object, const char *name);
int vectors_secret(vectors_t *v, const podi_str_t *text);
podi_str_t vectors_decode(podi_mem_t *mem, podi_str_t s);
void vectors_put(podi_pair_t *pairs, size_t *n, const char *name,
    podi_str_t value);


#endif /* PODI_VECTORS_SIGN_H */
