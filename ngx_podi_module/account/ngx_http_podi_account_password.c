/*
 * password: argon2id, for the thread pool.
 *
 * The costs are the OWASP minimum (Password Storage cheat sheet: 19 MiB, two
 * passes, one lane), about 23 ms.  A stored hash names its own costs; they
 * are bounded before it is checked, so that a planted row cannot exhaust the
 * machine.
 */

#include "ngx_http_podi_account_password.h"

#include <argon2.h>


#define PASSWORD_KIB         19456
#define PASSWORD_PASSES      2
#define PASSWORD_LANES       1
#define PASSWORD_SALT_LEN    16
#define PASSWORD_TAG_LEN     32

#define PASSWORD_KIB_MAX     262144
#define PASSWORD_PASSES_MAX  10
#define PASSWORD_LANES_MAX   4


typedef struct {
    unsigned  kib;
    unsigned  passes;
    unsigned  lanes;
} password_costs_t;


static int password_costs(const char *hash, password_costs_t *costs);
static int password_costs_are_sane(const password_costs_t *costs);
static int password_costs_are_ours(const password_costs_t *costs);


/* of random bytes that were thrown away: nobody's */

static const char  password_of_nobody[] =
    "$argon2id$v=19$m=19456,t=2,p=1$9TmG3QKmDo/nAJ+GKM+"
    "m7g$tB6LoXe56AOaWGsKWB+9fEOJ8Burn0xQo9Tl4Q/a/Co";


void
ngx_http_podi_password_make(void *data)
{
    u_char                     salt[PASSWORD_SALT_LEN];
    ngx_http_podi_password_t  *p = data;

    if (podi_random(salt, sizeof(salt)) != PODI_OK) {
        p->failed = 1;
        return;
    }

    if (argon2id_hash_encoded(PASSWORD_PASSES, PASSWORD_KIB, PASSWORD_LANES,
                              p->password.data, p->password.len, salt,
                              sizeof(salt), PASSWORD_TAG_LEN, p->hash,
                              sizeof(p->hash))
        != ARGON2_OK)
    {
        p->failed = 1;
    }
}


void
ngx_http_podi_password_check(void *data)
{
    int                        known, rc;
    const char                *hash;
    password_costs_t           costs;
    ngx_http_podi_password_t  *p = data;

    known = password_costs(p->hash, &costs) && password_costs_are_sane(&costs);
    hash = known ? p->hash : password_of_nobody;

    rc = argon2id_verify(hash, p->password.data, p->password.len);

    if (rc != ARGON2_OK && rc != ARGON2_VERIFY_MISMATCH) {
        p->failed = 1;
        return;
    }

    p->matches = known && rc == ARGON2_OK;

    if (p->matches && !password_costs_are_ours(&costs)) {
        ngx_http_podi_password_make(p);
        p->renewed = !p->failed;
        p->failed = 0;
    }
}


/* reads the costs out of a PHC string; 0: it is none of argon2id */

static int
password_costs(const char *hash, password_costs_t *costs)
{
    int  n = 0;

    return sscanf(hash, "$argon2id$v=19$m=%9u,t=%9u,p=%9u$%n", &costs->kib,
                  &costs->passes, &costs->lanes, &n)
           == 3 && n > 0;
}


static int
password_costs_are_sane(const password_costs_t *costs)
{
    return costs->kib <= PASSWORD_KIB_MAX
           && costs->passes <= PASSWORD_PASSES_MAX
           && costs->lanes <= PASSWORD_LANES_MAX;
}


static int
password_costs_are_ours(const password_costs_t *costs)
{
    return costs->kib == PASSWORD_KIB
           && costs->passes == PASSWORD_PASSES
           && costs->lanes == PASSWORD_LANES;
}
