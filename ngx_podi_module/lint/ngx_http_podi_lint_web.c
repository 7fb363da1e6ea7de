/*
 * lint: what gets to where it does not belong: logs, caches, other origins.
 */

#include "ngx_http_podi_lint.h"


static const podi_directive_t *lint_format(const ngx_http_podi_lint_t *l,
    const podi_directive_t *log);
static ngx_uint_t lint_logs(const podi_directive_t *block,
    const podi_directive_t *format);
static ngx_uint_t lint_logs_own(const podi_directive_t *block,
    const podi_directive_t *format);
static ngx_uint_t lint_logs_query(const podi_directive_t *block,
    const podi_directive_t *format);
static ngx_uint_t lint_is_plain(const char *origin);
static ngx_uint_t lint_header_is(const podi_directive_t *d, const char *name);
static ngx_uint_t lint_is_bypassed(const podi_directive_t *block);
static const podi_directive_t *lint_names_user(const podi_directive_t *block);
static const podi_directive_t *lint_shown(const podi_directive_t *server,
    const char *path);
static ngx_uint_t lint_is_shut(const podi_directive_t *block);
static ngx_uint_t lint_denies(const podi_directive_t *block);


static const char *const  lint_secrets[] = {
    "http_authorization", "http_cookie", "http_x_api_key",
    "sent_http_set_cookie", NULL
};

/* of "combined", which is what a log has that names none */

static const char *const  lint_people[] = {
    "podi_user", "podi_session", "http_authorization", "http_cookie", NULL
};


void
ngx_http_podi_lint_log(ngx_http_podi_lint_t *l, const podi_directive_t *d)
{
    const podi_directive_t  *log, *format, *level;

    if (!ngx_http_podi_lint_asks(d)) {
        return;
    }

    log = ngx_http_podi_lint_get(d, "access_log");

    if (log == NULL) {

        if (lint_logs_query(d, NULL)) {
            ngx_http_podi_lint_say(l, d, "the token in the query is written "
                                   "to the access log: write a log_format "
                                   "with $uri in the place of $request");
        }

        return;
    }

    for (level = log->up; log != NULL;
         log = podi_directive_next(level, log, "access_log"))
    {
        if (ngx_http_podi_lint_has(log, "off")) {
            continue;
        }

        format = lint_format(l, log);

        if (lint_logs(d, format)) {
            ngx_http_podi_lint_say(l, log, "tokens are written to this log: "
                                   "write a log_format with $uri in the place "
                                   "of $request, and without the headers that "
                                   "carry them");
        }
    }
}


/* NULL: combined */

static const podi_directive_t *
lint_format(const ngx_http_podi_lint_t *l, const podi_directive_t *log)
{
    const char              *name;
    const podi_directive_t  *d;

    name = podi_directive_word(log, 2);

    for (d = podi_directive_next(l->http, NULL, "log_format"); d != NULL;
         d = podi_directive_next(l->http, d, "log_format"))
    {
        if (ngx_strcmp(podi_directive_word(d, 1), name) == 0) {
            return d;
        }
    }

    return NULL;
}


static ngx_uint_t
lint_logs(const podi_directive_t *block, const podi_directive_t *format)
{
    return lint_logs_query(block, format)
           || (format != NULL
               && (ngx_http_podi_lint_uses_any(format, lint_secrets)
                   || lint_logs_own(block, format)));
}


/* header=X-Token, cookie=sid */

static ngx_uint_t
lint_logs_own(const podi_directive_t *block, const podi_directive_t *format)
{
    char                     *p, name[128];
    ngx_uint_t                i;
    const char               *word;
    const char               *names[] = { name, NULL };
    const podi_directive_t   *source;

    static const char *const  kinds[][2] = {
        { "header=", "http_%s%Z" },
        { "api_key=", "http_%s%Z" },
        { "cookie=", "cookie_%s%Z" },
    };

    source = ngx_http_podi_lint_get(block, "podi_auth_source");

    for (i = 0; source != NULL && i < 3; i++) {

        word = ngx_http_podi_lint_param(source, kinds[i][0]);

        if (word == NULL) {
            continue;
        }

        (void) ngx_snprintf((u_char *) name, sizeof(name), kinds[i][1], word);
        name[sizeof(name) - 1] = '\0';

        for (p = name; *p != '\0'; p++) {
            *p = (*p == '-') ? '_' : *p;
        }

        if (ngx_http_podi_lint_uses_any(format, names)) {
            return 1;
        }
    }

    return 0;
}


/* $request keeps what podi_auth_strip takes out of $args */

static ngx_uint_t
lint_logs_query(const podi_directive_t *block, const podi_directive_t *format)
{
    char                      own[128];
    const char               *name;
    const podi_directive_t   *source;
    static const char *const  whole[] = { "request", "request_uri", NULL };
    const char               *query[] = { "args", "query_string", own, NULL };

    source = ngx_http_podi_lint_get(block, "podi_auth_source");
    name = (source == NULL)
           ? NULL : ngx_http_podi_lint_param(source, "query=");

    if (name == NULL || format == NULL) {
        return name != NULL;
    }

    (void) ngx_snprintf((u_char *) own, sizeof(own), "arg_%s%Z", name);
    own[sizeof(own) - 1] = '\0';

    return ngx_http_podi_lint_uses_any(format, whole)
           || (ngx_strcmp(ngx_http_podi_lint_word(block, "podi_auth_strip",
                                                  "off"), "on") != 0
               && ngx_http_podi_lint_uses_any(format, query));
}


/* podi_cors_origin, and origins of a podi_channel */

void
ngx_http_podi_lint_origin(ngx_http_podi_lint_t *l, const podi_directive_t *d)
{
    size_t  i;

    if (podi_directive_is(d, "origins")
        && !podi_directive_is(d->up, "podi_channel"))
    {
        return;
    }

    for (i = 1; i < d->n; i++) {
        if (lint_is_plain(podi_directive_word(d, i))) {
            ngx_http_podi_lint_say(l, d,
                                   "pages of %s come without TLS, so anybody "
                                   "on their way may act for who is signed "
                                   "in: write its https origin",
                                   podi_directive_word(d, i));
        }
    }
}


/* this machine's own pages have no way */

static ngx_uint_t
lint_is_plain(const char *origin)
{
    size_t       len;
    const char  *host;

    if (ngx_strncmp(origin, "http://", 7) != 0) {
        return 0;
    }

    host = origin + 7;
    len = strcspn(host, ":/");

    return !(ngx_strncmp(host, "[::1]", 5) == 0
             || ngx_strncmp(host, "127.", 4) == 0
             || (len >= 9 && ngx_strncmp(host + len - 9, "localhost", 9) == 0
                 && (len == 9 || host[len - 10] == '.')));
}


/* add_header that lets in whoever asks, with his cookies */

void
ngx_http_podi_lint_reflected(ngx_http_podi_lint_t *l,
    const podi_directive_t *d)
{
    ngx_uint_t                with;
    const podi_directive_t   *header, *level, *origin;
    static const char *const  asked[] = { "http_origin", NULL };

    header = ngx_http_podi_lint_get(d, "add_header");
    level = (header == NULL) ? NULL : header->up;
    origin = NULL;
    with = 0;

    for ( /* void */ ; header != NULL;
         header = podi_directive_next(level, header, "add_header"))
    {
        if (lint_header_is(header, "Access-Control-Allow-Origin")
            && ngx_http_podi_lint_uses_any(header, asked))
        {
            origin = header;
        }

        with |= lint_header_is(header, "Access-Control-Allow-Credentials");
    }

    if (origin != NULL && with && ngx_http_podi_lint_asks(d)) {
        ngx_http_podi_lint_say(l, origin,
                               "pages of all origins may act for who is "
                               "signed in: write podi_cors_origin with those "
                               "you mean");
    }
}


static ngx_uint_t
lint_header_is(const podi_directive_t *d, const char *name)
{
    return ngx_strcasecmp((u_char *) podi_directive_word(d, 1),
                          (u_char *) name)
           == 0;
}


/* an upstream that is told who asks answers each one something else */

void
ngx_http_podi_lint_cached(ngx_http_podi_lint_t *l, const podi_directive_t *d)
{
    const podi_directive_t  *cache, *key, *told;

    cache = ngx_http_podi_lint_get(d, "proxy_cache");

    if (cache == NULL || ngx_http_podi_lint_has(cache, "off")
        || podi_directive_next(d, NULL, "proxy_pass") == NULL
        || !ngx_http_podi_lint_asks(d))
    {
        return;
    }

    key = ngx_http_podi_lint_get(d, "proxy_cache_key");
    told = lint_names_user(d);

    if (told != NULL && !lint_is_bypassed(d)
        && (key == NULL || !ngx_http_podi_lint_uses_any(key, lint_people)))
    {
        ngx_http_podi_lint_say(l, cache,
                               "the upstream is told who asks (%s:%ud), and "
                               "the next one gets his answer out of the cache: "
                               "write proxy_cache_key with $podi_user in it",
                               told->file, told->line);
    }
}


/* who is known neither reads the cache nor writes to it */

static ngx_uint_t
lint_is_bypassed(const podi_directive_t *block)
{
    const podi_directive_t  *bypass, *no;

    bypass = ngx_http_podi_lint_get(block, "proxy_cache_bypass");
    no = ngx_http_podi_lint_get(block, "proxy_no_cache");

    return bypass != NULL && no != NULL
           && ngx_http_podi_lint_uses_any(bypass, lint_people)
           && ngx_http_podi_lint_uses_any(no, lint_people);
}


static const podi_directive_t *
lint_names_user(const podi_directive_t *block)
{
    const podi_directive_t  *d, *level;

    d = ngx_http_podi_lint_get(block, "podi_identity_headers");

    if (d != NULL && ngx_http_podi_lint_has(d, "on")) {
        return d;
    }

    d = ngx_http_podi_lint_get(block, "proxy_set_header");
    level = (d == NULL) ? NULL : d->up;

    for ( /* void */ ; d != NULL;
         d = podi_directive_next(level, d, "proxy_set_header"))
    {
        if (ngx_http_podi_lint_uses_any(d, lint_people)) {
            return d;
        }
    }

    return NULL;
}


/* routes, tenants' traffic and stores are nobody's business */

void
ngx_http_podi_lint_metrics(ngx_http_podi_lint_t *l, const podi_directive_t *d)
{
    ngx_uint_t                n, here, i;
    const podi_directive_t   *listen, *status;
    static const char *const  paths[] = { "/metrics", "/status", NULL };

    n = 0;
    here = 0;

    for (listen = podi_directive_next(d, NULL, "listen"); listen != NULL;
         listen = podi_directive_next(d, listen, "listen"))
    {
        n++;
        here += (ngx_http_podi_lint_reach(listen) == NGX_HTTP_PODI_LINT_HERE);
    }

    if (ngx_http_podi_lint_closed(d) || (n != 0 && here == n)) {
        return;
    }

    for (i = 0; paths[i] != NULL; i++) {
        status = lint_shown(d, paths[i]);

        if (status != NULL) {
            ngx_http_podi_lint_say(l, status,
                                   "everybody may read %s here: write "
                                   "location = %s with allow and deny all",
                                   paths[i], paths[i]);
        }
    }
}


/* the podi_status that shows it to everybody: only an exact location does */

static const podi_directive_t *
lint_shown(const podi_directive_t *server, const char *path)
{
    const char              *word;
    const podi_directive_t  *d;

    for (d = podi_directive_next(server, NULL, "location"); d != NULL;
         d = podi_directive_next(server, d, "location"))
    {
        word = podi_directive_word(d, d->n - 1);
        word += (d->n == 2 && word[0] == '=');

        if (podi_directive_word(d, 1)[0] == '='
            && ngx_strcmp(word, path) == 0)
        {
            return lint_is_shut(d)
                   ? NULL : podi_directive_next(d, NULL, "podi_status");
        }
    }

    return NULL;
}


static ngx_uint_t
lint_is_shut(const podi_directive_t *block)
{
    return lint_denies(block)
           || ngx_strcmp(ngx_http_podi_lint_word(block, "podi_auth", "off"),
                         "on")
              == 0
           || ngx_strcmp(ngx_http_podi_lint_word(block, "auth_basic", "off"),
                         "off")
              != 0
           || ngx_strcmp(ngx_http_podi_lint_word(block, "auth_request", "off"),
                         "off")
              != 0
           || podi_directive_next(block, NULL, "internal") != NULL;
}


/* deny all, before anything that lets all in, on the level that counts */

static ngx_uint_t
lint_denies(const podi_directive_t *block)
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

        if (podi_directive_is(d, "deny") && ngx_strcmp(who, "all") == 0) {
            return 1;
        }

        if (podi_directive_is(d, "allow")
            && (ngx_strcmp(who, "all") == 0
                || ngx_http_podi_lint_is_wide(who)))
        {
            return 0;
        }
    }

    return 0;
}
