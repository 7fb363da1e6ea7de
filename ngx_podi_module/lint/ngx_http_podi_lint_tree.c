/*
 * lint: what holds at a place of the configuration.
 */

#include <arpa/inet.h>

#include "ngx_http_podi_lint.h"


#define lint_is_name(c)                                                       \
    (((c) >= 'a' && (c) <= 'z') || ((c) >= 'A' && (c) <= 'Z')                 \
     || ((c) >= '0' && (c) <= '9') || (c) == '_')


static ngx_uint_t lint_is_any(const char *regex);
static size_t lint_host(const char *listen, char *dst, size_t size);
static ngx_http_podi_lint_reach_e lint_reach4(const u_char *a);
static ngx_http_podi_lint_reach_e lint_reach6(const u_char *a);


const podi_directive_t *
ngx_http_podi_lint_get(const podi_directive_t *block, const char *name)
{
    const podi_directive_t  *d;

    for ( /* void */ ; block != NULL; block = block->up) {

        d = podi_directive_next(block, NULL, name);

        if (d != NULL) {
            return d;
        }
    }

    return NULL;
}


const char *
ngx_http_podi_lint_word(const podi_directive_t *block, const char *name,
    const char *preset)
{
    const podi_directive_t  *d;

    d = ngx_http_podi_lint_get(block, name);

    return (d == NULL) ? preset : podi_directive_word(d, 1);
}


ngx_uint_t
ngx_http_podi_lint_has(const podi_directive_t *d, const char *word)
{
    size_t  i;

    for (i = 1; i < d->n; i++) {
        if (podi_str_eq_c(&d->words[i], word)) {
            return 1;
        }
    }

    return 0;
}


const char *
ngx_http_podi_lint_param(const podi_directive_t *d, const char *name)
{
    size_t  i;

    for (i = 1; i < d->n; i++) {
        if (podi_str_has_prefix(&d->words[i], name)) {
            return podi_directive_word(d, i) + ngx_strlen(name);
        }
    }

    return NULL;
}


size_t
ngx_http_podi_lint_name(const char *text)
{
    size_t  len;

    for (len = 0; lint_is_name(text[len]); len++) { /* void */ }

    return len;
}


ngx_uint_t
ngx_http_podi_lint_uses(const char *text, const char *name)
{
    size_t       len;
    const char  *p;

    len = ngx_strlen(name);

    for (p = strchr(text, '$'); p != NULL; p = strchr(p + 1, '$')) {

        if (p[1] == '{'
            && ngx_strncasecmp((u_char *) p + 2, (u_char *) name, len) == 0
            && p[2 + len] == '}')
        {
            return 1;
        }

        if (ngx_strncasecmp((u_char *) p + 1, (u_char *) name, len) == 0
            && !lint_is_name(p[1 + len]))
        {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_http_podi_lint_uses_any(const podi_directive_t *d,
    const char *const *names)
{
    size_t  i;

    for ( /* void */ ; *names != NULL; names++) {
        for (i = 1; i < d->n; i++) {
            if (ngx_http_podi_lint_uses(podi_directive_word(d, i), *names)) {
                return 1;
            }
        }
    }

    return 0;
}


const podi_directive_t *
ngx_http_podi_lint_server(const podi_directive_t *d)
{
    for ( /* void */ ; d != NULL && d->up != NULL; d = d->up) {
        if (podi_directive_is(d, "server") && podi_directive_is(d->up, "http"))
        {
            return d;
        }
    }

    return NULL;
}


ngx_uint_t
ngx_http_podi_lint_closed(const podi_directive_t *server)
{
    const podi_directive_t  *d;

    if (podi_directive_next(server, NULL, "return") != NULL) {
        return 1;
    }

    for (d = podi_directive_next(server, NULL, "rewrite"); d != NULL;
         d = podi_directive_next(server, d, "rewrite"))
    {
        if (ngx_strncmp(podi_directive_word(d, 2), "https://", 8) == 0
            && lint_is_any(podi_directive_word(d, 1)))
        {
            return 1;
        }
    }

    return 0;
}


/* a regular expression that fits each path */

static ngx_uint_t
lint_is_any(const char *regex)
{
    ngx_uint_t                i;
    static const char *const  any[] = {
        "^", "^(.*)", "^(.*)$", "^/(.*)", "^/(.*)$", "(.*)", ".*", "^.*",
        "^.*$", "^/", NULL
    };

    for (i = 0; any[i] != NULL; i++) {
        if (ngx_strcmp(regex, any[i]) == 0) {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_http_podi_lint_serves(const podi_directive_t *block)
{
    const podi_directive_t  *d, *server;

    server = ngx_http_podi_lint_server(block);

    if (server == NULL || ngx_http_podi_lint_closed(server)) {
        return 0;
    }

    if (podi_directive_is(block, "location")) {
        return 1;
    }

    if (block != server) {
        return 0;
    }

    for (d = podi_directive_next(server, NULL, "location"); d != NULL;
         d = podi_directive_next(server, d, "location"))
    {
        if (d->n == 2 && ngx_strcmp(podi_directive_word(d, 1), "/") == 0) {
            return 0;
        }
    }

    return 1;
}


/* a name that is no address is not judged: as good as a private one */

ngx_http_podi_lint_reach_e
ngx_http_podi_lint_reach(const podi_directive_t *listen)
{
    char         host[64];
    u_char       address[16];
    const char  *word;

    word = (listen == NULL) ? "80" : podi_directive_word(listen, 1);

    if (ngx_strncmp(word, "unix:", 5) == 0) {
        return NGX_HTTP_PODI_LINT_HERE;
    }

    if (lint_host(word, host, sizeof(host)) == 0 || ngx_strcmp(host, "*") == 0)
    {
        return NGX_HTTP_PODI_LINT_PUBLIC;
    }

    if (ngx_strcmp(host, "localhost") == 0) {
        return NGX_HTTP_PODI_LINT_HERE;
    }

    if (inet_pton(AF_INET, host, address) == 1) {
        return lint_reach4(address);
    }

    if (inet_pton(AF_INET6, host, address) == 1) {
        return lint_reach6(address);
    }

    return NGX_HTTP_PODI_LINT_PRIVATE;
}


/* "[::1]:80" "127.0.0.1:80" "localhost" "80": the length of the host */

static size_t
lint_host(const char *listen, char *dst, size_t size)
{
    size_t  len;

    if (listen[0] == '[') {
        listen++;
        len = strcspn(listen, "]");

    } else {
        len = strcspn(listen, ":");

        if (strspn(listen, "0123456789") == len) {
            len = 0;
        }
    }

    len = ngx_min(len, size - 1);
    ngx_memcpy(dst, listen, len);
    dst[len] = '\0';

    return len;
}


/* 100.64.0.0/10: what overlay networks use, which encrypt by themselves */

static ngx_http_podi_lint_reach_e
lint_reach4(const u_char *a)
{
    if (a[0] == 127) {
        return NGX_HTTP_PODI_LINT_HERE;
    }

    if (a[0] == 10 || (a[0] == 172 && (a[1] & 0xf0) == 16)
        || (a[0] == 192 && a[1] == 168) || (a[0] == 169 && a[1] == 254)
        || (a[0] == 100 && (a[1] & 0xc0) == 64))
    {
        return NGX_HTTP_PODI_LINT_PRIVATE;
    }

    return NGX_HTTP_PODI_LINT_PUBLIC;
}


static ngx_http_podi_lint_reach_e
lint_reach6(const u_char *a)
{
    static const u_char  loopback[16] = { [15] = 1 };

    if (ngx_memcmp(a, loopback, 16) == 0) {
        return NGX_HTTP_PODI_LINT_HERE;
    }

    if ((a[0] & 0xfe) == 0xfc || (a[0] == 0xfe && (a[1] & 0xc0) == 0x80)) {
        return NGX_HTTP_PODI_LINT_PRIVATE;
    }

    return NGX_HTTP_PODI_LINT_PUBLIC;
}


ngx_uint_t
ngx_http_podi_lint_asks(const podi_directive_t *block)
{
    return ngx_strcmp(ngx_http_podi_lint_word(block, "podi_auth", "off"),
                      "off")
           != 0;
}


ngx_uint_t
ngx_http_podi_lint_cookie(const podi_directive_t *block)
{
    const podi_directive_t  *d;

    if (!ngx_http_podi_lint_asks(block)) {
        return 0;
    }

    d = ngx_http_podi_lint_get(block, "podi_auth_source");

    return d == NULL || ngx_http_podi_lint_has(d, "cookie")
           || ngx_http_podi_lint_param(d, "cookie=") != NULL;
}


/* shorter than any network that is given to somebody */

ngx_uint_t
ngx_http_podi_lint_is_wide(const char *network)
{
    ngx_int_t    bits;
    const char  *slash;

    slash = strchr(network, '/');

    if (slash == NULL) {
        return 0;
    }

    bits = ngx_atoi((u_char *) slash + 1, ngx_strlen(slash + 1));

    return bits != NGX_ERROR && bits < 8
           && (strchr(network, ':') == NULL || bits < 4);
}
