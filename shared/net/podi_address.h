/*
 * podi_address: may we be sent there?
 *
 * What a URL in a configuration, in a document or from a customer leads to is
 * known only when its name has been resolved: so the address is looked at, at
 * the moment of connecting.  Public is what the registries of special-purpose
 * addresses (IANA; RFC 6890 and its updates) do not set apart: not loopback,
 * link-local (where clouds keep their metadata), private, shared, multicast,
 * reserved or for documentation, also when it is wrapped in IPv6.
 */

#ifndef PODI_ADDRESS_H
#define PODI_ADDRESS_H


#include <sys/socket.h>


/* 1: a public address; 0: one that is not, or of another family than IP */
int podi_address_is_public(const struct sockaddr *sa);


#endif /* PODI_ADDRESS_H */
