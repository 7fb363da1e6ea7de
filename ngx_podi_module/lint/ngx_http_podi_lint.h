/*
 * ngx_http_podi_lint: what the files of lint know of each other.
 *
 * A rule is a function that looks at one place of the tree, and says what is
 * unsafe there.  It judges what is written: inheritance is what nginx does, the
 * nearest level that has the directive.
 */

#ifndef NGX_HTTP_PODI_LINT_H
#define NGX_HTTP_PODI_LINT_H


#include "ngx_podi_core.h"
#include "podi_directive.h"


typedef struct ngx_http_podi_lint_s       ngx_http_podi_lint_t;
typedef struct ngx_http_podi_lint_rule_s  ngx_http_podi_lint_rule_t;

typedef void (*ngx_http_podi_lint_pt)(ngx_http_podi_lint_t *l,
    const podi_directive_t *d);

struct ngx_http_podi_lint_rule_s {
    const char                       *name;     /* people write it: stable */
    const char                       *where;    /* a directive's name; NULL:
                                                   each block that serves */
    ngx_http_podi_lint_pt             look;
};

struct ngx_http_podi_lint_s {
    ngx_conf_t                       *cf;
    ngx_pool_t                       *pool;     /* of this run */
    podi_mem_t                       *mem;
    podi_directive_t                 *root;
    const podi_directive_t           *http;
    const podi_directive_t           *place;    /* that is looked at */
    const ngx_http_podi_lint_rule_t  *rule;
    ngx_array_t                       said;     /* once is enough */
    ngx_array_t                       files;    /* const char *, seen */
};

typedef enum {
    NGX_HTTP_PODI_LINT_HERE,                    /* this machine, unix: */
    NGX_HTTP_PODI_LINT_PRIVATE,                 /* a network of its own */
    NGX_HTTP_PODI_LINT_PUBLIC                   /* the world, or all of them */
} ngx_http_podi_lint_reach_e;


extern const ngx_http_podi_lint_rule_t  ngx_http_podi_lint_rules[];


/* a finding at `d`, unless podi_lint excuses it there or at the place */
void ngx_http_podi_lint_say(ngx_http_podi_lint_t *l,
    const podi_directive_t *d, const char *fmt, ...);

/* the nearest one, from this block up; NULL: there is none */
const podi_directive_t *ngx_http_podi_lint_get(const podi_directive_t *block,
    const char *name);
/* its first word; preset: there is none */
const char *ngx_http_podi_lint_word(const podi_directive_t *block,
    const char *name, const char *preset);
/* has it that word?  after the name */
ngx_uint_t ngx_http_podi_lint_has(const podi_directive_t *d,
    const char *word);
/* what follows "name=" in one of its words; NULL: none does */
const char *ngx_http_podi_lint_param(const podi_directive_t *d,
    const char *name);

/* how long the name of a variable is */
size_t ngx_http_podi_lint_name(const char *text);
/* $name or ${name}, whole, in a text, or in any word of a directive */
ngx_uint_t ngx_http_podi_lint_uses(const char *text, const char *name);
ngx_uint_t ngx_http_podi_lint_uses_any(const podi_directive_t *d,
    const char *const *names);

/* http: itself; NULL: it is in no server */
const podi_directive_t *ngx_http_podi_lint_server(const podi_directive_t *d);
/* a server that answers all by itself: its locations are never asked */
ngx_uint_t ngx_http_podi_lint_closed(const podi_directive_t *server);
/* a block in which requests end, and not only a level to inherit from */
ngx_uint_t ngx_http_podi_lint_serves(const podi_directive_t *block);
/* from where can it be reached? */
ngx_http_podi_lint_reach_e ngx_http_podi_lint_reach(
    const podi_directive_t *listen);

/* "0.0.0.0/0" "::/0" "128.0.0.0/1": as good as everybody */
ngx_uint_t ngx_http_podi_lint_is_wide(const char *network);

/* is anybody asked who he is, and is a cookie believed? */
ngx_uint_t ngx_http_podi_lint_asks(const podi_directive_t *block);
ngx_uint_t ngx_http_podi_lint_cookie(const podi_directive_t *block);


/* rules */
void ngx_http_podi_lint_limit_ip(ngx_http_podi_lint_t *l,
    const podi_directive_t *d);
void ngx_http_podi_lint_limit_key(ngx_http_podi_lint_t *l,
    const podi_directive_t *d);
void ngx_http_podi_lint_limit_skip(ngx_http_podi_lint_t *l,
    const podi_directive_t *d);
void ngx_http_podi_lint_limit_open(ngx_http_podi_lint_t *l,
    const podi_directive_t *d);
void ngx_http_podi_lint_realip(ngx_http_podi_lint_t *l,
    const podi_directive_t *d);
void ngx_http_podi_lint_return(ngx_http_podi_lint_t *l,
    const podi_directive_t *d);
void ngx_http_podi_lint_satisfy(ngx_http_podi_lint_t *l,
    const podi_directive_t *d);
void ngx_http_podi_lint_csrf(ngx_http_podi_lint_t *l,
    const podi_directive_t *d);
void ngx_http_podi_lint_websocket(ngx_http_podi_lint_t *l,
    const podi_directive_t *d);
void ngx_http_podi_lint_dry_run(ngx_http_podi_lint_t *l,
    const podi_directive_t *d);
void ngx_http_podi_lint_plain(ngx_http_podi_lint_t *l,
    const podi_directive_t *d);
void ngx_http_podi_lint_log(ngx_http_podi_lint_t *l,
    const podi_directive_t *d);
void ngx_http_podi_lint_origin(ngx_http_podi_lint_t *l,
    const podi_directive_t *d);
void ngx_http_podi_lint_reflected(ngx_http_podi_lint_t *l,
    const podi_directive_t *d);
void ngx_http_podi_lint_cached(ngx_http_podi_lint_t *l,
    const podi_directive_t *d);
void ngx_http_podi_lint_metrics(ngx_http_podi_lint_t *l,
    const podi_directive_t *d);
void ngx_http_podi_lint_secret(ngx_http_podi_lint_t *l,
    const podi_directive_t *d);
void ngx_http_podi_lint_writable(ngx_http_podi_lint_t *l,
    const podi_directive_t *d);


#endif /* NGX_HTTP_PODI_LINT_H */
