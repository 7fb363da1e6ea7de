/*
 * password: argon2id, for the thread pool.
 *
 * Every check costs the same, also for a user that does not exist: the work
 * then runs against a hash that nobody's password gives.
 */

#ifndef NGX_HTTP_PODI_ACCOUNT_PASSWORD_H
#define NGX_HTTP_PODI_ACCOUNT_PASSWORD_H


#include "ngx_podi.h"


#define PASSWORD_HASH_MAX  256          /* a PHC string with its NUL */
#define PASSWORD_MIN       8            /* characters (ASVS 5.0, 6.2.1) */
#define PASSWORD_MAX       128

typedef struct {
    podi_str_t   password;
    char         hash[PASSWORD_HASH_MAX];    /* in: to check; out: made */
    unsigned     matches:1;             /* after a check */
    unsigned     renewed:1;             /* hash is a new one, to be stored */
    unsigned     failed:1;              /* no memory, no randomness */
} ngx_http_podi_password_t;


/* makes a new hash of p->password in p->hash; runs in a thread */
void ngx_http_podi_password_make(void *data);

/*
 * Checks p->password against p->hash ("": against nobody's); when it matches
 * a hash of other costs than today's, p->hash becomes a new one.  Runs in a
 * thread.
 */
void ngx_http_podi_password_check(void *data);


#endif /* NGX_HTTP_PODI_ACCOUNT_PASSWORD_H */
