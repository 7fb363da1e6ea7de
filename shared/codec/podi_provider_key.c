/*
 * podi_provider_key: how a description says who asks, and who may call back.
 */

#include <string.h>

#include "podi_provider_int.h"
#include "banned.h"


static podi_rc_t podi_provider_auth_needs(podi_provider_load_t *l,
    const podi_provider_auth_t *auth);
static podi_rc_t podi_provider_webhook_needs(podi_provider_load_t *l,
    const podi_provider_webhook_t *w);


#define podi_auth(m)     offsetof(podi_provider_auth_t, m)
#define podi_webhook(m)  offsetof(podi_provider_webhook_t, m)

static const char *const  podi_provider_auths[] = {
    "none", "bearer", "key_prefix", "header", "query", "v4", "rpc_v1",
    "acs3", NULL
};

static const char *const  podi_provider_wheres[] = {
    "none", "query", "body", "header", NULL
};

static const char *const  podi_provider_hooks[] = {
    "-", "standard_webhooks", "fal_ed25519", "hmac_header", "path_token",
    NULL
};

static const podi_provider_row_t  podi_provider_auth_rows[] = {
    { "kind", podi_provider_read_enum, podi_auth(kind), 0, 0,
      podi_provider_auths },
    { "secret", podi_provider_read_secret, podi_auth(secret), 0, 0, NULL },
    { "name", podi_provider_read_header, podi_auth(name), 0, 0, NULL },
    { "prefix", podi_provider_read_word, podi_auth(prefix), 0, 32, NULL },
    { "terminator", podi_provider_read_word, podi_auth(terminator), 1, 32,
      NULL },
    { "alg", podi_provider_read_word, podi_auth(alg_name), 1, 32, NULL },
    { "region", podi_provider_read_word, podi_auth(region), 1, 64, NULL },
    { "service", podi_provider_read_word, podi_auth(service), 1, 64, NULL },
    { "date_header", podi_provider_read_header, podi_auth(date_header), 0, 0,
      NULL },
    { "hash_header", podi_provider_read_header, podi_auth(hash_header), 0, 0,
      NULL },
    podi_null_provider_row
};

static const podi_provider_row_t  podi_provider_events_rows[] = {
    { "name", podi_provider_read_word, podi_webhook(events_name), 1, 64,
      NULL },
    { "value", podi_provider_read_json, podi_webhook(events), 0, 0, NULL },
    podi_null_provider_row
};

static const podi_provider_row_t  podi_provider_inject_rows[] = {
    { "where", podi_provider_read_enum, podi_webhook(where), 0, 0,
      podi_provider_wheres },
    { "name", podi_provider_read_word, podi_webhook(name), 1, 64, NULL },
    { "events", podi_provider_read_section, 0, 0, 0,
      podi_provider_events_rows },
    podi_null_provider_row
};

static const podi_provider_row_t  podi_provider_verify_rows[] = {
    { "kind", podi_provider_read_enum, podi_webhook(kind), 0, 0,
      podi_provider_hooks },
    { "secret", podi_provider_read_secret, podi_webhook(secret), 0, 0,
      NULL },
    { "header", podi_provider_read_header, podi_webhook(header), 0, 0,
      NULL },
    { "prefix", podi_provider_read_str, podi_webhook(prefix), 0, 32, NULL },
    { "jwks_url", podi_provider_read_str, podi_webhook(jwks_url), 9, 512,
      NULL },
    podi_null_provider_row
};

static const podi_provider_row_t  podi_provider_webhook_rows[] = {
    { "inject", podi_provider_read_section, 0, 0, 0,
      podi_provider_inject_rows },
    { "verify", podi_provider_read_section, 0, 0, 0,
      podi_provider_verify_rows },
    { "dedupe_header", podi_provider_read_header, podi_webhook(dedupe), 0, 0,
      NULL },
    podi_null_provider_row
};


/* by name only: what the name stands for is in nobody's file */

podi_rc_t
podi_provider_read_secret(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    size_t       i;
    podi_str_t  *name = dst;

    if (podi_provider_read_name(l, value, dst, row) != PODI_OK) {
        return PODI_ERROR;
    }

    for (i = 0; i < l->p->secrets.n; i++) {
        if (podi_str_eq(name, &l->p->secrets.v[i])) {
            return PODI_OK;
        }
    }

    return podi_provider_wrong(l, "it is not among the names in secrets");
}


podi_rc_t
podi_provider_read_auth(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    podi_provider_auth_t  *auth = dst;

    (void) row;

    auth->kind = -1;

    if (podi_provider_members(l, value, dst, podi_provider_auth_rows)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (podi_provider_auth_needs(l, auth) != PODI_OK) {
        return PODI_ERROR;
    }

    auth->alg.name = (const char *) auth->alg_name.data;
    auth->alg.key_prefix = auth->prefix.len
                           ? (const char *) auth->prefix.data : "";
    auth->alg.terminator = (const char *) auth->terminator.data;
    auth->alg.header_prefix = "";
    auth->alg.collapse = 1;

    return PODI_OK;
}


static podi_rc_t
podi_provider_auth_needs(podi_provider_load_t *l,
    const podi_provider_auth_t *auth)
{
    const char  *missing = NULL;

    if (auth->kind == -1) {
        missing = "kind";

    } else if (auth->kind != PODI_AUTH_NONE && auth->secret.len == 0) {
        missing = "secret";

    } else if (auth->kind == PODI_AUTH_PREFIX && auth->prefix.len == 0) {
        missing = "prefix";

    } else if ((auth->kind == PODI_AUTH_HEADER
                || auth->kind == PODI_AUTH_QUERY)
               && auth->name.len == 0)
    {
        missing = "name";

    } else if (auth->kind == PODI_AUTH_V4) {
        missing = auth->alg_name.len == 0 ? "alg"
                  : auth->terminator.len == 0 ? "terminator"
                  : auth->region.len == 0 ? "region"
                  : auth->service.len == 0 ? "service"
                  : auth->date_header.len == 0 ? "date_header" : NULL;
    }

    return missing == NULL
           ? PODI_OK : podi_provider_wrong(l, "\"%s\" is missing", missing);
}


podi_rc_t
podi_provider_read_webhook(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    podi_provider_webhook_t  *w = dst;

    (void) row;

    w->place = podi_provider_here(l);
    if (w->place == NULL) {
        return podi_provider_no_memory(l->fail);
    }

    if (podi_provider_members(l, value, dst, podi_provider_webhook_rows)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    return podi_provider_webhook_needs(l, w);
}


static podi_rc_t
podi_provider_webhook_needs(podi_provider_load_t *l,
    const podi_provider_webhook_t *w)
{
    podi_str_t   origin, host;
    const char  *missing = NULL;

    if (w->kind == PODI_HOOK_NONE) {
        missing = "verify";

    } else if ((w->kind == PODI_HOOK_STANDARD || w->kind == PODI_HOOK_HMAC)
               && w->secret.len == 0)
    {
        missing = "verify.secret";

    } else if (w->kind == PODI_HOOK_HMAC && w->header.len == 0) {
        missing = "verify.header";

    } else if (w->kind == PODI_HOOK_FAL && w->jwks_url.len == 0) {
        missing = "verify.jwks_url";

    } else if (w->where != PODI_INJECT_NONE && w->name.len == 0) {
        missing = "inject.name";

    } else if ((w->events == NULL) != (w->events_name.len == 0)) {
        missing = w->events == NULL ? "inject.events.value"
                                    : "inject.events.name";
    }

    if (missing != NULL) {
        return podi_provider_wrong(l, "\"%s\" is missing", missing);
    }

    if (w->jwks_url.len
        && podi_provider_origin(&w->jwks_url, &origin, &host) != PODI_OK)
    {
        return podi_provider_wrong(l, "verify.jwks_url is no URL");
    }

    return PODI_OK;
}


podi_hook_e
podi_provider_hook(const podi_provider_t *p)
{
    return (podi_hook_e) p->webhook.kind;
}


podi_str_t
podi_provider_jwks_url(const podi_provider_t *p)
{
    return p->webhook.jwks_url;
}


podi_str_t
podi_provider_hook_secret(const podi_provider_t *p)
{
    return p->webhook.secret;
}
