/*
 * podi_address: IPv4 by a list of what is not public; IPv6 by the one range
 * that is (2000::/3), less a list.
 */

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "podi_address.h"
#include "banned.h"


typedef struct {
    uint32_t  net;
    unsigned  bits;
} address_net_t;

typedef struct {
    unsigned char  net[4];          /* longer prefixes are not needed */
    unsigned       bits;
} address_net6_t;


static const address_net_t  address_apart[] = {
    { 0x00000000, 8 },              /* 0.0.0.0/8: this host */
    { 0x0a000000, 8 },              /* 10.0.0.0/8: private */
    { 0x64400000, 10 },             /* 100.64.0.0/10: shared, tailnets */
    { 0x7f000000, 8 },              /* 127.0.0.0/8: loopback */
    { 0xa83f8110, 32 },             /* 168.63.129.16: Azure's own host, only
                                       by its looks a public one */
    { 0xa9fe0000, 16 },             /* 169.254.0.0/16: link-local, metadata */
    { 0xac100000, 12 },             /* 172.16.0.0/12: private */
    { 0xc0000000, 24 },             /* 192.0.0.0/24: protocols */
    { 0xc0000200, 24 },             /* 192.0.2.0/24: documentation */
    { 0xc0586300, 24 },             /* 192.88.99.0/24: 6to4 relays */
    { 0xc0a80000, 16 },             /* 192.168.0.0/16: private */
    { 0xc6120000, 15 },             /* 198.18.0.0/15: benchmarks */
    { 0xc6336400, 24 },             /* 198.51.100.0/24: documentation */
    { 0xcb007100, 24 },             /* 203.0.113.0/24: documentation */
    { 0xe0000000, 3 }               /* 224.0.0.0 on: multicast, reserved */
};

/* inside 2000::/3; 6to4 and Teredo wrap addresses of IPv4 */

static const address_net6_t  address_apart6[] = {
    { { 0x20, 0x01, 0x00, 0x00 }, 23 },     /* 2001::/23: protocols, Teredo */
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32 },     /* 2001:db8::/32: documentation */
    { { 0x20, 0x02, 0x00, 0x00 }, 16 },     /* 2002::/16: 6to4 */
    { { 0x3f, 0xff, 0x00, 0x00 }, 20 }      /* 3fff::/20: documentation */
};


static int address_is_public4(uint32_t ip);
static int address_is_public6(const unsigned char *ip);
static uint32_t address_32(const unsigned char *p);


int
podi_address_is_public(const struct sockaddr *sa)
{
    struct sockaddr_in   in;
    struct sockaddr_in6  in6;

    switch (sa->sa_family) {

    case AF_INET:
        memcpy(&in, sa, sizeof(in));
        return address_is_public4(ntohl(in.sin_addr.s_addr));

    case AF_INET6:
        memcpy(&in6, sa, sizeof(in6));
        return address_is_public6(in6.sin6_addr.s6_addr);

    default:
        return 0;
    }
}


static int
address_is_public4(uint32_t ip)
{
    size_t  i;

    for (i = 0; i < sizeof(address_apart) / sizeof(address_apart[0]); i++) {
        if (((ip ^ address_apart[i].net) >> (32 - address_apart[i].bits)) == 0)
        {
            return 0;
        }
    }

    return 1;
}


static int
address_is_public6(const unsigned char *ip)
{
    size_t                      i;
    uint32_t                    head;
    const address_net6_t       *n;
    static const unsigned char  mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                               0xff, 0xff };

    if (memcmp(ip, mapped, sizeof(mapped)) == 0) {
        return address_is_public4(address_32(ip + 12));
    }

    head = address_32(ip);

    if ((head >> 29) != 1) {
        return 0;                   /* not in 2000::/3 */
    }

    for (i = 0; i < sizeof(address_apart6) / sizeof(address_apart6[0]); i++) {
        n = &address_apart6[i];

        if (((head ^ address_32(n->net)) >> (32 - n->bits)) == 0) {
            return 0;
        }
    }

    return 1;
}


static uint32_t
address_32(const unsigned char *p)
{
    return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16
           | (uint32_t) p[2] << 8 | p[3];
}
