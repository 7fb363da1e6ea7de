/*
 * podi_address: what is public, and everything that only looks so.
 */

#include <arpa/inet.h>
#include <string.h>

#include "tap.h"
#include "podi_address.h"
#include "banned.h"


static const struct {
    const char  *ip;
    int          public;
}  cases[] = {
    { "1.1.1.1", 1 },
    { "9.255.255.255", 1 }, { "10.0.0.0", 0 }, { "10.255.255.255", 0 },
    { "11.0.0.0", 1 },
    { "0.0.0.0", 0 }, { "0.1.2.3", 0 },
    { "100.63.255.255", 1 }, { "100.64.0.1", 0 }, { "100.127.255.255", 0 },
    { "100.128.0.0", 1 },
    { "127.0.0.1", 0 }, { "127.8.9.1", 0 },
    { "168.63.129.15", 1 }, { "168.63.129.16", 0 }, { "168.63.129.17", 1 },
    { "100.100.100.200", 0 },
    { "169.253.255.255", 1 }, { "169.254.169.254", 0 },
    { "172.15.255.255", 1 }, { "172.16.0.0", 0 }, { "172.31.255.255", 0 },
    { "172.32.0.0", 1 },
    { "192.0.0.8", 0 }, { "192.0.2.1", 0 }, { "192.168.1.1", 0 },
    { "192.169.0.1", 1 },
    { "198.17.255.255", 1 }, { "198.18.0.1", 0 }, { "198.19.255.255", 0 },
    { "198.51.100.7", 0 }, { "203.0.113.7", 0 },
    { "223.255.255.255", 1 }, { "224.0.0.1", 0 }, { "255.255.255.255", 0 },
    { "2606:4700:4700::1111", 1 }, { "2a00::1", 1 },
    { "::", 0 }, { "::1", 0 }, { "::7f00:1", 0 },
    { "::ffff:127.0.0.1", 0 }, { "::ffff:169.254.169.254", 0 },
    { "::ffff:1.1.1.1", 1 }, { "::ffff:10.0.0.1", 0 },
    { "::ffff:224.0.0.1", 0 }, { "::ffff:0:1.1.1.1", 0 },
    { "64:ff9b::a9fe:a9fe", 0 }, { "64:ff9b::101:101", 0 },
    { "64:ff9b:1::a9fe:a9fe", 0 }, { "100::1", 0 }, { "fec0::1", 0 },
    { "5f00::1", 0 }, { "fd00:ec2::254", 0 },
    { "fe80::1", 0 }, { "fc00::1", 0 },
    { "fd7a:115c:a1e0::1", 0 }, { "ff02::1", 0 },
    { "2001::1", 0 }, { "2001:1ff::1", 0 }, { "2001:200::1", 1 },
    { "2001:db8::1", 0 }, { "2001:db9::1", 1 },
    { "2002:7f00:1::", 0 }, { "3fff::1", 0 }, { "3fff:1000::1", 1 },
};


int
main(void)
{
    size_t               i;
    struct sockaddr      none;
    struct sockaddr_in   in;
    struct sockaddr_in6  in6;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memset(&in, 0, sizeof(in));
        memset(&in6, 0, sizeof(in6));

        in.sin_family = AF_INET;
        in6.sin6_family = AF_INET6;

        if (inet_pton(AF_INET, cases[i].ip, &in.sin_addr) == 1) {
            ok(podi_address_is_public((struct sockaddr *) (void *) &in)
               == cases[i].public, "%s", cases[i].ip);

        } else {
            ok(inet_pton(AF_INET6, cases[i].ip, &in6.sin6_addr) == 1
               && podi_address_is_public((struct sockaddr *) (void *) &in6)
                  == cases[i].public, "%s", cases[i].ip);
        }
    }

    memset(&none, 0, sizeof(none));
    none.sa_family = AF_UNIX;
    ok(!podi_address_is_public(&none), "no family of IP");

    return tap_done();
}
