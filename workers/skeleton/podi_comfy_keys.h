/*
 * podi_comfy_keys: what a ComfyUI server is talked to with.
 *
 *     auth of its row {headers: {name: key}, query: {name: key}}
 *       + keys of its row, sealed --> headers, and what its URLs carry
 */

#ifndef PODI_COMFY_KEYS_H
#define PODI_COMFY_KEYS_H


#include "podi_sign.h"
#include "podi_kek.h"


typedef struct {
    podi_pair_t  *headers;
    size_t        n_headers;
    podi_str_t    query;            /* "token=x", or "" */
} podi_comfy_keys_t;


/*
 * auth and keys as sys.comfy_servers gives them, JSON.  CONFIG with a sentence
 * that names the key: it is not there, or does not open; kek NULL: none does.
 */
PODI_MUSTCHECK podi_rc_t podi_comfy_keys_open(const podi_secret_t *kek,
    const podi_str_t *auth, const podi_str_t *keys, podi_mem_t *mem,
    podi_comfy_keys_t *ret_keys, podi_fail_t *fail);


#endif /* PODI_COMFY_KEYS_H */
