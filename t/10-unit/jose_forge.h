/*
 * jose_forge: whom the tests of forged tokens attack: a ring of each family,
 * each with one key, that takes what its own key has signed.
 */

#ifndef PODI_JOSE_FORGE_H
#define PODI_JOSE_FORGE_H


#include "jose_test.h"


static podi_arena_t      *arena;
static podi_jose_key_t   *rsa, *ec, *ed;
static podi_jose_ring_t  *rsa_ring, *ec_ring, *ed_ring, *mac_ring;


static inline void
forge_start(void)
{
    arena = podi_arena_create();
    mem = podi_arena_mem(arena);

    rsa = key_of("RS256");
    ec = key_of("ES256");
    ed = key_of("EdDSA");

    /* the operator allows more than the key can */

    rsa_ring = ring_of(pub_pem(rsa), "RS256 HS256 HS384 HS512 ES256", "");
    ec_ring = ring_of(pub_pem(ec), "RS256 HS256 HS384 HS512 ES256", "");
    ed_ring = ring_of(pub_pem(ed), "EdDSA HS256", "");
    mac_ring = ring_of(str(SECRET), "HS256", "k");

    is_int(verify(rsa_ring, sign(rsa)), PODI_OK, "RS256 is taken");
    is_int(verify(ec_ring, sign(ec)), PODI_OK, "ES256 is taken");
    is_int(verify(ed_ring, sign(ed)), PODI_OK, "EdDSA is taken");
    is_int(verify(mac_ring, forge("{\"alg\":\"HS256\",\"kid\":\"k\"}", CLAIMS,
                                  str(SECRET), "SHA256")),
           PODI_OK, "HS256 is taken");
}


static inline int
forge_end(void)
{
    podi_arena_free(&arena);

    return tap_done();
}


#endif /* PODI_JOSE_FORGE_H */
