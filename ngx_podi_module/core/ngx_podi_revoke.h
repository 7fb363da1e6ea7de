/*
 * ngx_podi_revoke: sessions that have ended while their tokens live.
 *
 * A table in shared memory: what is written here is refused by every worker
 * of this nginx from the next request on.
 */

#ifndef NGX_PODI_REVOKE_H
#define NGX_PODI_REVOKE_H


#include "ngx_podi.h"


void ngx_podi_revoke_session(const podi_str_t *session);


#endif /* NGX_PODI_REVOKE_H */
