/*
 * podi_ws_handshake: how a WebSocket begins (RFC 6455, section 4).
 *
 *     nonce -> key -> request ... answer == accept(key)
 *
 * No extension and no subprotocol is asked for, so none may be answered.
 */

#ifndef PODI_WS_HANDSHAKE_H
#define PODI_WS_HANDSHAKE_H


#include "podi_fail.h"
#include "podi_mem.h"
#include "podi_sign.h"


#define PODI_WS_NONCE_LEN   16
#define PODI_WS_ANSWER_MAX  16384

typedef struct {
    podi_str_t          host;           /* "name" or "name:port" */
    podi_str_t          target;         /* "/path?query", encoded */
    podi_str_t          user_agent;     /* or "" */
    podi_str_t          key;
    const podi_pair_t  *headers;        /* more of them */
    size_t              n_headers;
} podi_ws_hello_t;


/* ERROR: no memory */
PODI_MUSTCHECK podi_rc_t podi_ws_key(podi_mem_t *mem,
    const unsigned char nonce[PODI_WS_NONCE_LEN], podi_str_t *ret_key);
PODI_MUSTCHECK podi_rc_t podi_ws_accept(podi_mem_t *mem,
    const podi_str_t *key, podi_str_t *ret_accept);

/* CONFIG: a header that would be two, or that is ours to send */
PODI_MUSTCHECK podi_rc_t podi_ws_request(podi_mem_t *mem,
    const podi_ws_hello_t *hello, podi_str_t *ret_request, podi_fail_t *fail);

/*
 * head: all up to the empty line, without it.  ERROR (UNAVAILABLE): this is
 * no WebSocket; *ret_status is set when there was one, else 0.
 */
PODI_MUSTCHECK podi_rc_t podi_ws_answer(const podi_str_t *head,
    const podi_str_t *accept, unsigned *ret_status, podi_fail_t *fail);


#endif /* PODI_WS_HANDSHAKE_H */
