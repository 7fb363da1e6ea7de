/*
 * podi_callback: the token in the URL that a third party is told to call.
 *
 *     <job>.<key>.<base64url of HMAC-SHA256 over third party, job and key>
 *
 * It says which attempt a call is about, and that we have told its URL to that
 * third party and to nobody else; so nothing has to be stored.  The key is that
 * of the attempt: who goes on with it asks under the same one, with a body that
 * is the same to the byte.
 */

#ifndef PODI_CALLBACK_H
#define PODI_CALLBACK_H


#include "podi_id.h"
#include "podi_mem.h"
#include "podi_secret.h"


typedef struct {
    podi_id_t  job;
    podi_id_t  key;
} podi_callback_t;


/* ERROR: no memory */
PODI_MUSTCHECK podi_rc_t podi_callback_token(const podi_secret_t *secret,
    const podi_str_t *provider, const podi_callback_t *of, podi_mem_t *mem,
    podi_str_t *ret_token);

/* DECLINED: we have not made it, for that third party; ERROR: no memory */
PODI_MUSTCHECK podi_rc_t podi_callback_read(const podi_secret_t *secret,
    const podi_str_t *provider, const podi_str_t *token, podi_mem_t *mem,
    podi_callback_t *ret_of);


#endif /* PODI_CALLBACK_H */
