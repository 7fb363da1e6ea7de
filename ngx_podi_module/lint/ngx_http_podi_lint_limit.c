/*
 * lint: limits that bound nobody, or everybody as one.
 */

#include "ngx_http_podi_lint.h"


/* is this limit of that kind, in this block? */
typedef ngx_uint_t (*lint_zone_pt)(const podi_directive_t *zone,
    const podi_directive_t *block);


static const podi_directive_t *lint_zone(const ngx_http_podi_lint_t *l,
    const podi_str_t *name);
static const podi_directive_t *lint_limits(const ngx_http_podi_lint_t *l,
    const podi_directive_t *block, lint_zone_pt is);
static ngx_uint_t lint_is_use(const podi_str_t *word);
static ngx_uint_t lint_is_in(const podi_directive_t *d,
    const podi_directive_t *server);
static void lint_limit_ip(ngx_http_podi_lint_t *l,
    const podi_directive_t *block, const podi_directive_t *proxy);
static const podi_directive_t *lint_by_ip(const ngx_http_podi_lint_t *l,
    const podi_directive_t *block);
static const podi_directive_t *lint_proxy(const ngx_http_podi_lint_t *l,
    const podi_directive_t *server);
static const podi_directive_t *lint_forwarded(const ngx_http_podi_lint_t *l,
    const podi_directive_t *server);
static ngx_uint_t lint_zone_ip(const podi_directive_t *zone,
    const podi_directive_t *block);
static ngx_uint_t lint_zone_chosen(const podi_directive_t *zone,
    const podi_directive_t *block);
static ngx_uint_t lint_zone_skips(const podi_directive_t *zone,
    const podi_directive_t *block);
static ngx_uint_t lint_zone_opens(const podi_directive_t *zone,
    const podi_directive_t *block);
static ngx_uint_t lint_is_chosen(const char *name);
static ngx_uint_t lint_is_word(const char *name, size_t len,
    const char *word);
static ngx_uint_t lint_may_lack(const char *key, ngx_uint_t known);


/* what only a proxy in front would send, and somebody here looks at */

static const char *const  lint_forwards[] = {
    "http_x_forwarded_for", "http_x_forwarded_proto", "http_x_forwarded_host",
    "http_x_real_ip", "http_forwarded", "http_cf_connecting_ip",
    "http_true_client_ip", "proxy_protocol_addr", NULL
};


void
ngx_http_podi_lint_limit_ip(ngx_http_podi_lint_t *l,
    const podi_directive_t *d)
{
    const podi_directive_t  *proxy, *block;

    if (ngx_http_podi_lint_closed(d)
        || ngx_http_podi_lint_get(d, "set_real_ip_from") != NULL)
    {
        return;
    }

    proxy = lint_proxy(l, d);

    if (proxy == NULL) {
        return;
    }

    for (block = d; lint_is_in(block, d); block = podi_directive_walk(block)) {
        if (podi_directive_is(block, "set_real_ip_from")) {
            return;
        }
    }

    for (block = d; lint_is_in(block, d); block = podi_directive_walk(block)) {
        if (ngx_http_podi_lint_serves(block)) {
            l->place = block;
            lint_limit_ip(l, block, proxy);
        }
    }

    l->place = d;
}


static ngx_uint_t
lint_is_in(const podi_directive_t *d, const podi_directive_t *server)
{
    return d != NULL && ngx_http_podi_lint_server(d) == server;
}


static void
lint_limit_ip(ngx_http_podi_lint_t *l, const podi_directive_t *block,
    const podi_directive_t *proxy)
{
    const podi_directive_t  *limit;

    limit = lint_by_ip(l, block);

    if (limit != NULL) {
        ngx_http_podi_lint_say(l, limit,
                               "\"%s\" counts by address, and all who come "
                               "through the proxy of %s:%ud have its address: "
                               "write set_real_ip_from and real_ip_header",
                               podi_directive_word(limit, 0), proxy->file,
                               proxy->line);
    }
}


/* podi_limit or podi_auth_failures of this block that goes by the address */

static const podi_directive_t *
lint_by_ip(const ngx_http_podi_lint_t *l, const podi_directive_t *block)
{
    size_t                   i;
    const podi_directive_t  *d, *zone, *level;

    d = ngx_http_podi_lint_get(block, "podi_auth_failures");

    if (d != NULL && !ngx_http_podi_lint_has(d, "off")
        && ngx_http_podi_lint_asks(block))
    {
        return d;
    }

    d = ngx_http_podi_lint_get(block, "podi_limit");
    level = (d == NULL) ? NULL : d->up;

    for ( /* void */ ; d != NULL;
         d = podi_directive_next(level, d, "podi_limit"))
    {
        for (i = 1; i < d->n; i++) {
            zone = lint_zone(l, &d->words[i]);

            if (zone != NULL && lint_zone_ip(zone, block)) {
                return d;
            }
        }
    }

    return NULL;
}


/* what says that there is one; NULL: nothing does */

static const podi_directive_t *
lint_proxy(const ngx_http_podi_lint_t *l, const podi_directive_t *server)
{
    ngx_uint_t               n, sockets;
    const podi_directive_t  *d, *last;

    last = NULL;
    n = 0;
    sockets = 0;

    for (d = podi_directive_next(server, NULL, "listen"); d != NULL;
         d = podi_directive_next(server, d, "listen"))
    {
        if (ngx_http_podi_lint_has(d, "proxy_protocol")) {
            return d;
        }

        n++;
        sockets += (ngx_strncmp(podi_directive_word(d, 1), "unix:", 5) == 0);
        last = d;
    }

    if (n != 0 && sockets == n) {
        return last;
    }

    d = ngx_http_podi_lint_get(server, "real_ip_header");

    return (d != NULL) ? d : lint_forwarded(l, server);
}


/* in the server itself, or by a map of http that it uses */

static const podi_directive_t *
lint_forwarded(const ngx_http_podi_lint_t *l, const podi_directive_t *server)
{
    ngx_uint_t               n;
    const char              *names[16];
    const podi_directive_t  *d;

    for (n = 0; lint_forwards[n] != NULL; n++) {
        names[n] = lint_forwards[n];
    }

    for (d = podi_directive_next(l->http, NULL, "map"); d != NULL && n < 15;
         d = podi_directive_next(l->http, d, "map"))
    {
        if (d->n == 3 && podi_directive_word(d, 2)[0] == '$'
            && ngx_http_podi_lint_uses_any(d, lint_forwards))
        {
            names[n++] = podi_directive_word(d, 2) + 1;
        }
    }

    names[n] = NULL;

    for (d = server->first; d != NULL; d = podi_directive_walk(d)) {

        if (ngx_http_podi_lint_server(d) != server) {
            break;
        }

        if (!podi_directive_is(d, "access_log")
            && ngx_http_podi_lint_uses_any(d, names))
        {
            return d;
        }
    }

    return NULL;
}


void
ngx_http_podi_lint_limit_key(ngx_http_podi_lint_t *l,
    const podi_directive_t *d)
{
    const podi_directive_t  *limit;

    limit = lint_limits(l, d, lint_zone_chosen);

    if (limit != NULL) {
        ngx_http_podi_lint_say(l, limit,
                               "each limit here counts by what the client may "
                               "choose anew with each request: add one with "
                               "key=ip, or key=user");
    }
}


void
ngx_http_podi_lint_limit_skip(ngx_http_podi_lint_t *l,
    const podi_directive_t *d)
{
    const podi_directive_t  *limit;

    limit = lint_limits(l, d, lint_zone_skips);

    if (limit != NULL) {
        ngx_http_podi_lint_say(l, limit,
                               "with missing=skip nothing bounds who has no "
                               "such key, as who has not signed in: add a "
                               "limit with key=ip, or leave missing=skip out");
    }
}


void
ngx_http_podi_lint_limit_open(ngx_http_podi_lint_t *l,
    const podi_directive_t *d)
{
    const podi_directive_t  *limit;

    limit = lint_limits(l, d, lint_zone_opens);

    if (limit != NULL) {
        ngx_http_podi_lint_say(l, limit,
                               "while Redis is away nothing is limited here: "
                               "write on_failure=local or closed in one of "
                               "the zones, or add one of mode=local");
    }
}


/* the podi_limit of a block whose limits are all of that kind; NULL: not so */

static const podi_directive_t *
lint_limits(const ngx_http_podi_lint_t *l, const podi_directive_t *block,
    lint_zone_pt is)
{
    size_t                   i;
    ngx_uint_t               n;
    const podi_directive_t  *d, *first, *zone;

    first = ngx_http_podi_lint_get(block, "podi_limit");
    n = 0;

    for (d = first; d != NULL;
         d = podi_directive_next(first->up, d, "podi_limit"))
    {
        for (i = 1; i < d->n; i++) {

            if (!lint_is_use(&d->words[i])) {
                continue;
            }

            zone = lint_zone(l, &d->words[i]);

            if (zone == NULL || !is(zone, block)) {
                return NULL;
            }

            n++;
        }
    }

    return (n != 0) ? first : NULL;
}


static ngx_uint_t
lint_is_use(const podi_str_t *word)
{
    return !podi_str_eq_c(word, "off") && !podi_str_eq_c(word, "early")
           && !podi_str_eq_c(word, "dry_run");
}


static const podi_directive_t *
lint_zone(const ngx_http_podi_lint_t *l, const podi_str_t *name)
{
    const char              *word;
    const podi_directive_t  *d;

    for (d = podi_directive_next(l->http, NULL, "podi_limit_zone"); d != NULL;
         d = podi_directive_next(l->http, d, "podi_limit_zone"))
    {
        word = podi_directive_word(d, 1);
        word += (ngx_strncmp(word, "name=", 5) == 0) ? 5 : 0;

        if (podi_str_eq_c(name, word)) {
            return d;
        }
    }

    return NULL;
}


static ngx_uint_t
lint_zone_ip(const podi_directive_t *zone, const podi_directive_t *block)
{
    static const char *const  names[] = {
        "remote_addr", "binary_remote_addr", NULL
    };

    return ngx_http_podi_lint_has(zone, "key=ip")
           || ngx_http_podi_lint_uses_any(zone, names);
}


/* one part is enough to have another key each time */

static ngx_uint_t
lint_zone_chosen(const podi_directive_t *zone, const podi_directive_t *block)
{
    size_t       i;
    const char  *p;

    for (i = 2; i < zone->n; i++) {

        if (!podi_str_has_prefix(&zone->words[i], "key=")) {
            continue;
        }

        for (p = strchr(podi_directive_word(zone, i), '$'); p != NULL;
             p = strchr(p + 1, '$'))
        {
            if (lint_is_chosen(p + 1 + (p[1] == '{'))) {
                return 1;
            }
        }
    }

    return 0;
}


static ngx_uint_t
lint_is_chosen(const char *name)
{
    size_t                    len;
    ngx_uint_t                i;
    static const char *const  any[] = { "http_", "arg_", "cookie_", NULL };
    static const char *const  whole[] = {
        "args", "query_string", "request", "request_uri",
        "proxy_add_x_forwarded_for", NULL
    };

    len = ngx_http_podi_lint_name(name);

    if (lint_is_word(name, len, "http_host")) {
        return 0;
    }

    for (i = 0; any[i] != NULL; i++) {
        if (ngx_strncasecmp((u_char *) name, (u_char *) any[i],
                            ngx_strlen(any[i]))
            == 0)
        {
            return 1;
        }
    }

    for (i = 0; whole[i] != NULL; i++) {
        if (lint_is_word(name, len, whole[i])) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
lint_is_word(const char *name, size_t len, const char *word)
{
    return len == ngx_strlen(word)
           && ngx_strncasecmp((u_char *) name, (u_char *) word, len) == 0;
}


/* one part that is missing makes a request skip the limit */

static ngx_uint_t
lint_zone_skips(const podi_directive_t *zone, const podi_directive_t *block)
{
    size_t      i;
    ngx_uint_t  known;

    if (!ngx_http_podi_lint_has(zone, "missing=skip")) {
        return 0;
    }

    known = ngx_strcmp(ngx_http_podi_lint_word(block, "podi_auth", "off"),
                       "on")
            == 0;

    for (i = 2; i < zone->n; i++) {
        if (podi_str_has_prefix(&zone->words[i], "key=")
            && lint_may_lack(podi_directive_word(zone, i) + 4, known))
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
lint_may_lack(const char *key, ngx_uint_t known)
{
    ngx_uint_t                i;
    static const char *const  often[] = { "channel", "plan", NULL };
    static const char *const  nobody[] = {
        "user", "session", "tenant", "$podi_user", "$podi_session", NULL
    };

    for (i = 0; often[i] != NULL; i++) {
        if (ngx_strcmp(key, often[i]) == 0) {
            return 1;
        }
    }

    for (i = 0; nobody[i] != NULL; i++) {
        if (ngx_strcmp(key, nobody[i]) == 0) {
            return !known;
        }
    }

    return key[0] == '$' && lint_is_chosen(key + 1 + (key[1] == '{'));
}


static ngx_uint_t
lint_zone_opens(const podi_directive_t *zone, const podi_directive_t *block)
{
    const char  *mode, *failure;

    mode = ngx_http_podi_lint_param(zone, "mode=");
    failure = ngx_http_podi_lint_param(zone, "on_failure=");

    return mode != NULL && ngx_strcmp(mode, "local") != 0
           && (failure == NULL || ngx_strcmp(failure, "open") == 0);
}
