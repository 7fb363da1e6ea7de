/*
 * podi_refresh: the text of a refresh token.
 *
 *     v1.<tenant>.<session>.<counter>.<mac>
 *
 * mac = base64url(HMAC-SHA256(key, "tenant.session.counter")), key =
 * HKDF-SHA256(master, info = "podi refresh" || session).  Nothing is stored:
 * the counter in the session's row decides whether a token is the last one.
 */

#ifndef PODI_REFRESH_H
#define PODI_REFRESH_H


#include "podi_id.h"
#include "podi_secret.h"


typedef struct {
    podi_id_t  tenant;
    podi_id_t  session;
    int64_t    counter;             /* 0 or more */
} podi_refresh_t;


PODI_MUSTCHECK podi_rc_t podi_refresh_make(const podi_secret_t *master,
    const podi_refresh_t *refresh, podi_mem_t *mem, podi_str_t *ret_text);

/* REFRESH_INVALID with the reason in fail->detail */
PODI_MUSTCHECK podi_rc_t podi_refresh_verify(const podi_secret_t *master,
    const podi_str_t *text, podi_mem_t *mem, podi_refresh_t *ret_refresh,
    podi_fail_t *fail);


#endif /* PODI_REFRESH_H */
