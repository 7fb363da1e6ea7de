/*
 * lint: who gets in without being asked, or is overheard.
 */

#include "ngx_http_podi_lint.h"


static ngx_uint_t lint_is_inside(const podi_directive_t *block);
static ngx_uint_t lint_is_preflight(const podi_directive_t *block);
static ngx_int_t lint_status(const podi_directive_t *d);
static const podi_directive_t *lint_everybody(const podi_directive_t *block);
static ngx_uint_t lint_upgrades(const podi_directive_t *block);
static ngx_uint_t lint_redirects(const podi_directive_t *server);
static const podi_directive_t *lint_plain_listen(
    const podi_directive_t *server);
static ngx_uint_t lint_turns_away(const podi_directive_t *location);
static ngx_uint_t lint_has_credentials(const podi_directive_t *server);


/*
 * A redirect or an error in a level that only inherits podi_auth gives nothing
 * away; where podi_auth stands beside it somebody believes that it is asked.
 */

void
ngx_http_podi_lint_return(ngx_http_podi_lint_t *l, const podi_directive_t *d)
{
    ngx_int_t   status;
    ngx_uint_t  beside;

    status = lint_status(d);

    if (!ngx_http_podi_lint_asks(d->up) || lint_is_inside(d->up)
        || lint_is_preflight(d->up))
    {
        return;
    }

    beside = podi_directive_next(d->up, NULL, "podi_auth") != NULL
             && podi_directive_is(d->up, "location");

    if ((status >= 200 && status < 300) || (beside && status < 400)) {
        ngx_http_podi_lint_say(l, d,
                               "return answers before podi_auth asks who it "
                               "is: let try_files, empty_gif or proxy_pass "
                               "answer, or write podi_auth off");
    }
}


/* only nginx itself leads there, after the access phase of another location */

static ngx_uint_t
lint_is_inside(const podi_directive_t *block)
{
    for ( /* void */ ; block != NULL; block = block->up) {
        if (podi_directive_is(block, "location")
            && (podi_directive_word(block, 1)[0] == '@'
                || podi_directive_next(block, NULL, "internal") != NULL))
        {
            return 1;
        }
    }

    return 0;
}


/* if ($request_method = OPTIONS): browsers ask that without credentials */

static ngx_uint_t
lint_is_preflight(const podi_directive_t *block)
{
    return podi_directive_is(block, "if") && block->n == 4
           && ngx_http_podi_lint_uses(podi_directive_word(block, 1),
                                      "request_method")
           && ngx_strcmp(podi_directive_word(block, 2), "=") == 0
           && ngx_strncmp(podi_directive_word(block, 3), "OPTIONS", 7) == 0;
}


/* of a return; "return https://..." is a redirect */

static ngx_int_t
lint_status(const podi_directive_t *d)
{
    ngx_int_t  n;

    n = (d->n > 1) ? ngx_atoi(d->words[1].data, d->words[1].len) : NGX_ERROR;

    return (n == NGX_ERROR) ? NGX_HTTP_MOVED_TEMPORARILY : n;
}


/* anybody may then say what his address is */

void
ngx_http_podi_lint_realip(ngx_http_podi_lint_t *l, const podi_directive_t *d)
{
    const char  *from;

    from = podi_directive_word(d, 1);

    if (ngx_http_podi_lint_is_wide(from)) {
        ngx_http_podi_lint_say(l, d,
                               "everybody is believed to be a proxy, so "
                               "anybody may choose the address that limits, "
                               "allow and logs see: name your proxies");
    }
}


void
ngx_http_podi_lint_satisfy(ngx_http_podi_lint_t *l, const podi_directive_t *d)
{
    const podi_directive_t  *allow;

    if (!ngx_http_podi_lint_asks(d)
        || ngx_strcmp(ngx_http_podi_lint_word(d, "satisfy", "all"), "any")
           != 0)
    {
        return;
    }

    allow = lint_everybody(d);

    if (allow != NULL) {
        ngx_http_podi_lint_say(l, allow,
                               "with satisfy any this lets everybody in, and "
                               "podi_auth is never needed: write deny all");
    }
}


/* the allow that everybody comes to; NULL: there is none */

static const podi_directive_t *
lint_everybody(const podi_directive_t *block)
{
    const char              *who;
    const podi_directive_t  *d;

    while (block != NULL && podi_directive_next(block, NULL, "allow") == NULL
           && podi_directive_next(block, NULL, "deny") == NULL)
    {
        block = block->up;
    }

    for (d = (block == NULL) ? NULL : block->first; d != NULL; d = d->next) {

        who = podi_directive_word(d, 1);

        if (ngx_strcmp(who, "all") != 0 && !ngx_http_podi_lint_is_wide(who)) {
            continue;
        }

        if (podi_directive_is(d, "allow")) {
            return d;
        }

        if (podi_directive_is(d, "deny")) {
            return NULL;
        }
    }

    return NULL;
}


void
ngx_http_podi_lint_csrf(ngx_http_podi_lint_t *l, const podi_directive_t *d)
{
    if (ngx_http_podi_lint_cookie(d)
        && ngx_strcmp(ngx_http_podi_lint_word(d, "podi_csrf", "off"), "log")
           == 0)
    {
        ngx_http_podi_lint_say(l, ngx_http_podi_lint_get(d, "podi_csrf"),
                               "log believes a cookie with every method and "
                               "refuses nothing, so other sites may act for "
                               "who is signed in: write podi_csrf on when the "
                               "log is clean");
    }
}


/* the handshake is a GET, with which a cookie is believed without the check */

void
ngx_http_podi_lint_websocket(ngx_http_podi_lint_t *l,
    const podi_directive_t *d)
{
    const podi_directive_t  *proxy;

    proxy = podi_directive_next(d, NULL, "proxy_pass");

    if (proxy != NULL && lint_upgrades(d) && ngx_http_podi_lint_cookie(d)
        && ngx_strcmp(ngx_http_podi_lint_word(d, "podi_csrf", "off"), "off")
           == 0)
    {
        ngx_http_podi_lint_say(l, proxy,
                               "pages of other sites may open a WebSocket "
                               "here with the cookie of who is signed in: "
                               "write podi_csrf on");
    }
}


static ngx_uint_t
lint_upgrades(const podi_directive_t *block)
{
    const podi_directive_t  *d, *level;

    d = ngx_http_podi_lint_get(block, "proxy_set_header");
    level = (d == NULL) ? NULL : d->up;

    for ( /* void */ ; d != NULL;
         d = podi_directive_next(level, d, "proxy_set_header"))
    {
        if (ngx_strcasecmp((u_char *) podi_directive_word(d, 1),
                           (u_char *) "upgrade")
            == 0)
        {
            return podi_directive_word(d, 2)[0] != '\0';
        }
    }

    return 0;
}


void
ngx_http_podi_lint_dry_run(ngx_http_podi_lint_t *l, const podi_directive_t *d)
{
    if (ngx_strcmp(podi_directive_word(d, 1), "on") == 0) {
        ngx_http_podi_lint_say(l, d,
                               "the gateway decides and lets everybody pass: "
                               "take this out when the log has shown enough");
    }
}


void
ngx_http_podi_lint_plain(ngx_http_podi_lint_t *l, const podi_directive_t *d)
{
    const podi_directive_t  *listen;

    if (ngx_http_podi_lint_closed(d) || lint_redirects(d)
        || ngx_http_podi_lint_get(d, "set_real_ip_from") != NULL
        || podi_directive_next(d, NULL, "ssl") != NULL)
    {
        return;
    }

    listen = lint_plain_listen(d);

    if (listen != NULL && lint_has_credentials(d)) {
        ngx_http_podi_lint_say(l, listen,
                               "passwords and tokens come here without TLS: "
                               "listen with ssl, and let another server "
                               "redirect to it; or name the proxy that does "
                               "TLS with set_real_ip_from");
    }
}


/* if ($scheme = http) { return ... } */

static ngx_uint_t
lint_redirects(const podi_directive_t *server)
{
    const podi_directive_t    *d;
    static const char *const  names[] = {
        "scheme", "https", "http_x_forwarded_proto", "server_port",
        "ssl_protocol", NULL
    };

    for (d = podi_directive_next(server, NULL, "if"); d != NULL;
         d = podi_directive_next(server, d, "if"))
    {
        if ((podi_directive_next(d, NULL, "return") != NULL
             || podi_directive_next(d, NULL, "rewrite") != NULL)
            && ngx_http_podi_lint_uses_any(d, names))
        {
            return 1;
        }
    }

    return 0;
}


/* the server itself when it has no listen: *:80 it is then */

static const podi_directive_t *
lint_plain_listen(const podi_directive_t *server)
{
    const podi_directive_t  *d;

    d = podi_directive_next(server, NULL, "listen");

    if (d == NULL) {
        return server;
    }

    for ( /* void */ ; d != NULL;
         d = podi_directive_next(server, d, "listen"))
    {
        if (!ngx_http_podi_lint_has(d, "ssl")
            && !ngx_http_podi_lint_has(d, "quic")
            && ngx_http_podi_lint_reach(d) == NGX_HTTP_PODI_LINT_PUBLIC)
        {
            return d;
        }
    }

    return NULL;
}


/* a redirect or an error, before anybody is asked */

static ngx_uint_t
lint_turns_away(const podi_directive_t *location)
{
    const podi_directive_t  *d;

    d = podi_directive_next(location, NULL, "return");

    return d != NULL && lint_status(d) >= NGX_HTTP_SPECIAL_RESPONSE;
}


static ngx_uint_t
lint_has_credentials(const podi_directive_t *server)
{
    const podi_directive_t  *d;

    for (d = server; d != NULL; d = podi_directive_walk(d)) {

        if (ngx_http_podi_lint_server(d) != server) {
            break;
        }

        if (podi_directive_is(d, "podi_login")
            || podi_directive_is(d, "podi_account")
            || (ngx_http_podi_lint_serves(d) && ngx_http_podi_lint_asks(d)
                && !lint_turns_away(d)))
        {
            return 1;
        }
    }

    return 0;
}
