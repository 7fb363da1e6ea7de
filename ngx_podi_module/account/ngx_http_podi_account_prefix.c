/*
 * Whence a session comes: the network of the client's address.
 *
 * What is kept for weeks, for people to recognize their devices by, is not
 * the address itself.
 */

#include "ngx_http_podi_account.h"


static podi_rc_t account_prefix_v4(ngx_http_request_t *r, const u_char *p,
    podi_str_t *ret_prefix);
static podi_rc_t account_prefix_v6(ngx_http_request_t *r, const u_char *p,
    podi_str_t *ret_prefix);


podi_rc_t
ngx_http_podi_account_prefix(ngx_http_request_t *r, podi_str_t *ret_prefix,
    podi_fail_t *fail)
{
    podi_rc_t                   rc;
    const struct sockaddr      *sa = r->connection->sockaddr;
    const struct sockaddr_in   *sin;
    const struct sockaddr_in6  *sin6;

    switch (sa->sa_family) {

    case AF_INET:
        sin = (const struct sockaddr_in *) (const void *) sa;
        rc = account_prefix_v4(r, (const u_char *) &sin->sin_addr,
                               ret_prefix);
        break;

    case AF_INET6:
        sin6 = (const struct sockaddr_in6 *) (const void *) sa;
        rc = account_prefix_v6(r, sin6->sin6_addr.s6_addr, ret_prefix);
        break;

    default:
        *ret_prefix = podi_str_c("unix:");
        rc = PODI_OK;
    }

    if (rc != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}


static podi_rc_t
account_prefix_v4(ngx_http_request_t *r, const u_char *p,
    podi_str_t *ret_prefix)
{
    return podi_mem_printf(ngx_podi_mem(r), ret_prefix, "%u.%u.%u.0/24",
                           p[0], p[1], p[2]);
}


static podi_rc_t
account_prefix_v6(ngx_http_request_t *r, const u_char *p,
    podi_str_t *ret_prefix)
{
    static const u_char  mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                        0xff, 0xff };

    if (ngx_memcmp(p, mapped, sizeof(mapped)) == 0) {
        return account_prefix_v4(r, p + sizeof(mapped), ret_prefix);
    }

    return podi_mem_printf(ngx_podi_mem(r), ret_prefix, "%x:%x:%x::/48",
                           p[0] << 8 | p[1], p[2] << 8 | p[3],
                           p[4] << 8 | p[5]);
}
