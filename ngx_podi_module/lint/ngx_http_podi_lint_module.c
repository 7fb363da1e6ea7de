/*
 * lint: what nginx takes, and should not be.
 *
 *     the configuration is good -> its files once more, as a tree
 *         -> each place: the rules of its kind -> warnings with file:line
 *
 * Once more, because nginx remembers neither where a value was written nor
 * what other modules were told.  Nothing is refused, and nothing but the log
 * is changed: `nginx -t` says it, a reload too, `podictl config lint` counts.
 */

#include "ngx_http_podi_lint.h"

#define LINT_UNREAD  "unread"           /* no rule: none of them was asked */


typedef struct {
    const ngx_http_podi_lint_rule_t  *rule;
    const podi_directive_t           *at;       /* or included there again */
} lint_said_t;

/* what is known when the files cannot be read */

typedef struct {
    ngx_uint_t                        set;
    ngx_uint_t                        quiet;    /* of that, at http */
} lint_conf_t;


static void *lint_create_conf(ngx_conf_t *cf);
static char *ngx_http_podi_lint(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_uint_t lint_is_rule(const podi_str_t *name);
static ngx_int_t ngx_http_podi_lint_init(ngx_conf_t *cf);
static ngx_uint_t lint_is_signal(void);
static void lint_read(ngx_http_podi_lint_t *l);
static void lint_tree(ngx_http_podi_lint_t *l);
static podi_directive_t *lint_servers(podi_directive_t *http);
static void lint_main(ngx_http_podi_lint_t *l, const podi_directive_t *d);
static void lint_place(ngx_http_podi_lint_t *l, const podi_directive_t *d);
static ngx_uint_t lint_is_excused(const ngx_http_podi_lint_t *l,
    const podi_directive_t *block);
static void lint_log(ngx_conf_t *cf, const char *rule, const char *file,
    ngx_uint_t line, const char *text, size_t len);


const ngx_http_podi_lint_rule_t  ngx_http_podi_lint_rules[] = {
    { "limit_ip_behind_proxy", "server", ngx_http_podi_lint_limit_ip },
    { "limit_by_clients_word", NULL, ngx_http_podi_lint_limit_key },
    { "limit_skips_nobody", NULL, ngx_http_podi_lint_limit_skip },
    { "limit_opens", NULL, ngx_http_podi_lint_limit_open },
    { "realip_trusts_all", "set_real_ip_from", ngx_http_podi_lint_realip },
    { "return_skips_auth", "return", ngx_http_podi_lint_return },
    { "satisfy_skips_auth", NULL, ngx_http_podi_lint_satisfy },
    { "csrf_only_logs", NULL, ngx_http_podi_lint_csrf },
    { "websocket_without_csrf", NULL, ngx_http_podi_lint_websocket },
    { "dry_run", "podi_dry_run", ngx_http_podi_lint_dry_run },
    { "credentials_in_clear", "server", ngx_http_podi_lint_plain },
    { "token_in_log", NULL, ngx_http_podi_lint_log },
    { "origin_in_clear", "podi_cors_origin", ngx_http_podi_lint_origin },
    { "origin_in_clear", "origins", ngx_http_podi_lint_origin },
    { "origin_reflected", NULL, ngx_http_podi_lint_reflected },
    { "cache_mixes_users", NULL, ngx_http_podi_lint_cached },
    { "metrics_for_all", "server", ngx_http_podi_lint_metrics },
    { "secret_readable", "ssl_certificate_key", ngx_http_podi_lint_secret },
    { "secret_readable", "ssl_password_file", ngx_http_podi_lint_secret },
    { "secret_readable", "ssl_session_ticket_key",
      ngx_http_podi_lint_secret },
    { "secret_readable", "proxy_ssl_certificate_key",
      ngx_http_podi_lint_secret },
    { "secret_readable", "proxy_ssl_password_file",
      ngx_http_podi_lint_secret },
    { "secret_readable", "grpc_ssl_certificate_key",
      ngx_http_podi_lint_secret },
    { "secret_readable", "grpc_ssl_password_file",
      ngx_http_podi_lint_secret },
    { "secret_readable", "uwsgi_ssl_certificate_key",
      ngx_http_podi_lint_secret },
    { "secret_readable", "uwsgi_ssl_password_file",
      ngx_http_podi_lint_secret },
    { "secret_readable", "auth_basic_user_file", ngx_http_podi_lint_secret },
    { "conf_writable", "*", ngx_http_podi_lint_writable },
    { NULL, NULL, NULL }
};


static ngx_command_t  ngx_http_podi_lint_commands[] = {

    { ngx_string("podi_lint"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_podi_lint,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_podi_lint_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_podi_lint_init,               /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    lint_create_conf,                      /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_podi_lint_module = {
    NGX_MODULE_V1,
    &ngx_http_podi_lint_module_ctx,        /* module context */
    ngx_http_podi_lint_commands,           /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
lint_create_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(lint_conf_t));
}


/* on, off, except=rule,rule: remembered by the tree */

static char *
ngx_http_podi_lint(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t    *value;
    podi_str_t    rest, name;
    lint_conf_t  *lcf = conf;

    if (lcf->set) {
        return "is duplicate";
    }

    value = cf->args->elts;
    lcf->set = 1;
    lcf->quiet = (ngx_strcmp(value[1].data, "off") == 0);

    if (lcf->quiet || ngx_strcmp(value[1].data, "on") == 0) {
        return NGX_CONF_OK;
    }

    rest.len = value[1].len;
    rest.data = value[1].data;

    if (!podi_str_has_prefix(&rest, "except=")) {
        return "takes on, off or except=RULE,RULE";
    }

    rest.data += sizeof("except=") - 1;
    rest.len -= sizeof("except=") - 1;

    while (podi_str_split(&rest, ',', &name)) {

        if (podi_str_eq_c(&name, LINT_UNREAD)) {
            lcf->quiet = 1;
            continue;
        }

        if (!lint_is_rule(&name)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"podi_lint\" has no rule \"%*s\"", name.len,
                               name.data);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static ngx_uint_t
lint_is_rule(const podi_str_t *name)
{
    const ngx_http_podi_lint_rule_t  *rule;

    for (rule = ngx_http_podi_lint_rules; rule->name != NULL; rule++) {
        if (podi_str_eq_c(name, rule->name)) {
            return 1;
        }
    }

    return 0;
}



static ngx_int_t
ngx_http_podi_lint_init(ngx_conf_t *cf)
{
    ngx_http_podi_lint_t  l;

    if (lint_is_signal()) {
        return NGX_OK;
    }

    ngx_memzero(&l, sizeof(ngx_http_podi_lint_t));

    l.cf = cf;
    l.pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, cf->log);

    if (l.pool == NULL) {
        return NGX_ERROR;
    }

    l.mem = ngx_podi_pool_mem(l.pool);

    if (l.mem == NULL
        || ngx_array_init(&l.said, l.pool, 16, sizeof(lint_said_t)) != NGX_OK
        || ngx_array_init(&l.files, l.pool, 16, sizeof(char *)) != NGX_OK)
    {
        ngx_destroy_pool(l.pool);
        return NGX_ERROR;
    }

    lint_read(&l);
    ngx_destroy_pool(l.pool);

    return NGX_OK;
}


/* nginx -s stop, quit, reopen: nobody asks about the configuration */

static ngx_uint_t
lint_is_signal(void)
{
    int     i;
    size_t  len;

    if (ngx_process != NGX_PROCESS_SIGNALLER) {
        return 0;
    }

    for (i = 1; i < ngx_argc; i++) {
        len = ngx_strlen(ngx_argv[i]);

        if (len >= 6 && ngx_strcmp(ngx_argv[i] + len - 6, "reload") == 0) {
            return 0;
        }
    }

    return 1;
}


static void
lint_read(ngx_http_podi_lint_t *l)
{
    char         *file;
    lint_conf_t  *lcf;
    podi_fail_t   fail;

    ngx_memzero(&fail, sizeof(podi_fail_t));

    file = (char *) l->cf->cycle->conf_file.data;

    if (podi_directives_read(file, l->mem, &l->root, &fail) == PODI_OK) {
        lint_tree(l);
        return;
    }

    lcf = ngx_http_conf_get_module_loc_conf(l->cf, ngx_http_podi_lint_module);

    if (!lcf->quiet) {
        lint_log(l->cf, LINT_UNREAD, file, 0, fail.detail,
                 ngx_strlen(fail.detail));
    }
}


static void
lint_tree(ngx_http_podi_lint_t *l)
{
    podi_directive_t        *servers;
    const podi_directive_t  *d;

    l->http = podi_directive_next(l->root, NULL, "http");

    if (l->http == NULL) {
        return;
    }

    for (d = l->root->first; d != NULL; d = d->next) {
        lint_main(l, d);
    }

    servers = lint_servers((podi_directive_t *) l->http);

    for (d = l->http; d != NULL && (d == l->http || d->up != l->root);
         d = podi_directive_walk(d))
    {
        lint_place(l, d);
    }

    for (d = servers; d != NULL && d->up != l->root;
         d = podi_directive_walk(d))
    {
        lint_place(l, d);
    }
}


/*
 * Takes them out of what is looked through whenever somebody asks for a
 * setting of http: there may be thousands.  They still know what they are in.
 */

static podi_directive_t *
lint_servers(podi_directive_t *http)
{
    podi_directive_t  *d, *next, *first, **server, **other;

    first = NULL;
    server = &first;
    other = &http->first;

    for (d = http->first; d != NULL; d = next) {
        next = d->next;
        d->next = NULL;

        if (podi_directive_is(d, "server")) {
            *server = d;
            server = &d->next;

        } else {
            *other = d;
            other = &d->next;
        }
    }

    *other = NULL;

    return first;
}


static void
lint_place(ngx_http_podi_lint_t *l, const podi_directive_t *d)
{
    const char  *where;

    l->place = d;

    for (l->rule = ngx_http_podi_lint_rules; l->rule->name != NULL;
         l->rule++)
    {
        where = l->rule->where;

        if (where == NULL) {
            if (!ngx_http_podi_lint_serves(d)) {
                continue;
            }

        } else if (where[0] != '*' && !podi_directive_is(d, where)) {
            continue;

        } else if (ngx_strcmp(where, "server") == 0 && d->up != l->http) {
            continue;
        }

        l->rule->look(l, d);
    }
}


/* outside of http only files matter; podi_lint of http is the one it has */

static void
lint_main(ngx_http_podi_lint_t *l, const podi_directive_t *d)
{
    l->place = l->http;

    for (l->rule = ngx_http_podi_lint_rules; l->rule->name != NULL;
         l->rule++)
    {
        if (l->rule->where != NULL && l->rule->where[0] == '*') {
            l->rule->look(l, d);
        }
    }
}


void
ngx_http_podi_lint_say(ngx_http_podi_lint_t *l, const podi_directive_t *d,
    const char *fmt, ...)
{
    u_char       *end, text[NGX_MAX_CONF_ERRSTR];
    va_list       args;
    ngx_uint_t    i;
    lint_said_t  *said;

    if (lint_is_excused(l, d) || lint_is_excused(l, l->place)) {
        return;
    }

    said = l->said.elts;

    for (i = 0; i < l->said.nelts; i++) {
        if (said[i].at->line == d->line
            && ngx_strcmp(said[i].at->file, d->file) == 0
            && ngx_strcmp(said[i].rule->name, l->rule->name) == 0)
        {
            return;
        }
    }

    said = ngx_array_push(&l->said);
    if (said == NULL) {
        return;
    }

    said->rule = l->rule;
    said->at = d;

    va_start(args, fmt);
    end = ngx_vslprintf(text, text + sizeof(text), fmt, args);
    va_end(args);

    lint_log(l->cf, l->rule->name, d->file, d->line, (char *) text,
             (size_t) (end - text));
}


/* by the nearest podi_lint, in it or above */

static ngx_uint_t
lint_is_excused(const ngx_http_podi_lint_t *l, const podi_directive_t *block)
{
    podi_str_t               rest, name;
    const podi_directive_t  *d;

    d = ngx_http_podi_lint_get(block, "podi_lint");

    if (d == NULL) {
        return 0;
    }

    rest = podi_str_c(podi_directive_word(d, 1));

    if (podi_str_eq_c(&rest, "off")) {
        return 1;
    }

    (void) podi_str_split(&rest, '=', &name);

    while (podi_str_split(&rest, ',', &name)) {
        if (podi_str_eq_c(&name, l->rule->name)) {
            return 1;
        }
    }

    return 0;
}


/* as nginx says what is wrong with a line of its configuration */

static void
lint_log(ngx_conf_t *cf, const char *rule, const char *file, ngx_uint_t line,
    const char *text, size_t len)
{
    ngx_conf_t       at;
    ngx_conf_file_t  in;

    ngx_memzero(&in, sizeof(ngx_conf_file_t));

    at = *cf;
    at.conf_file = &in;
    in.file.name.data = (u_char *) file;
    in.line = line;

    ngx_conf_log_error(NGX_LOG_WARN, &at, 0, "podi lint: %s: %*s", rule, len,
                       text);
}
