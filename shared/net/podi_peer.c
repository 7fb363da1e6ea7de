/*
 * podi_peer: whom a handle of curl may talk to, and how.
 *
 *     name -> addresses -> (each: public?) -> socket -> (is it?) -> request
 *
 * The name is checked by nobody: what it has led to is, at the moment of
 * connecting, by the very address that is connected to.
 */

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#include "podi_address.h"
#include "podi_multi.h"
#include "banned.h"


static curl_socket_t peer_open(void *data, curlsocktype purpose,
    struct curl_sockaddr *address);
static int peer_connected(void *data, char *ip, char *own_ip, int port,
    int own_port);


podi_rc_t
podi_peer_set(podi_peer_t *peer, CURL *easy)
{
    int  bad;

    /* who gives up does not wait, with all others, for a resolver's thread */

    bad = curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L)
        | curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L)
        | curl_easy_setopt(easy, CURLOPT_PROXY, "")
        | curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L)
        | curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
        | curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L)
        | curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L)
        | curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                           (long) peer->connect_timeout)
        | curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR,
                           peer->https_only ? "https" : "http,https");

    if (peer->public_only) {
        bad |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, peer_open)
             | curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, peer)
             | curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, peer_connected)
             | curl_easy_setopt(easy, CURLOPT_PREREQDATA, peer);
    }

    if (peer->user_agent != NULL) {
        bad |= curl_easy_setopt(easy, CURLOPT_USERAGENT, peer->user_agent);
    }

    if (peer->ca_file != NULL) {
        bad |= curl_easy_setopt(easy, CURLOPT_CAINFO, peer->ca_file);
    }

    return bad ? PODI_ERROR : PODI_OK;
}


static curl_socket_t
peer_open(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
    podi_peer_t  *peer = data;

    (void) purpose;

    if (!podi_address_is_public(&address->addr)) {
        peer->refused = 1;
        return CURL_SOCKET_BAD;
    }

    return socket(address->family, address->socktype | SOCK_CLOEXEC,
                  address->protocol);
}


/* a connection that a request without public_only has left: not opened here */

static int
peer_connected(void *data, char *ip, char *own_ip, int port, int own_port)
{
    podi_peer_t          *peer = data;
    struct sockaddr_in    in;
    struct sockaddr_in6   in6;

    (void) own_ip;
    (void) port;
    (void) own_port;

    memset(&in, 0, sizeof(in));
    memset(&in6, 0, sizeof(in6));

    in.sin_family = AF_INET;
    in6.sin6_family = AF_INET6;

    if (inet_pton(AF_INET, ip, &in.sin_addr) == 1) {
        peer->refused
            = !podi_address_is_public((struct sockaddr *) (void *) &in);

    } else {
        peer->refused = inet_pton(AF_INET6, ip, &in6.sin6_addr) != 1
            || !podi_address_is_public((struct sockaddr *) (void *) &in6);
    }

    return peer->refused ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}


podi_error_e
podi_peer_error(const podi_peer_t *peer, CURLcode code, int sent)
{
    switch (code) {

    case CURLE_OPERATION_TIMEDOUT:
        return PODI_E_DEADLINE;

    case CURLE_UNSUPPORTED_PROTOCOL:
        /* of the url, or of the answer: not HTTP */
        return sent ? PODI_E_UNAVAILABLE : PODI_E_CONFIG;

    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return PODI_E_CONFIG;

    case CURLE_ABORTED_BY_CALLBACK:
        return peer->refused ? PODI_E_FORBIDDEN : PODI_E_INTERNAL;

    default:
        return peer->refused ? PODI_E_FORBIDDEN : PODI_E_UNAVAILABLE;
    }
}


const char *
podi_peer_text(const podi_peer_t *peer, CURLcode code)
{
    return peer->refused ? "the address is not public"
                         : curl_easy_strerror(code);
}
