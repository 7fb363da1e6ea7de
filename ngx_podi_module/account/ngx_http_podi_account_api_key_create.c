/*
 * POST /v1/me/api-keys: a key for the caller's programs.
 *
 *     read body -> parse -> make the secret -> write (PG) -> reply
 *
 * The answer is the only place where the secret is ever seen: what is kept is
 * its digest.  So it is not repeated for an Idempotency-Key, either: a key
 * whose answer was lost is taken back, and another one made.
 */

#include "ngx_http_podi_account.h"
#include "ngx_podi_api_key.h"
#include "podi_hash.h"


#define API_KEY_RANDOM     (NGX_PODI_API_KEY_SECRET / 2)    /* bytes */
#define API_KEY_BODY_MAX   8192

typedef struct {
    ngx_http_request_t  *request;
    podi_str_t           name;
    podi_str_t           role;
    json_t              *scopes;
    int64_t              days;
    podi_id_t            id;
    u_char               secret[NGX_PODI_API_KEY_SECRET];
} account_api_key_t;


static podi_rc_t api_key_read_body(podi_flow_t *f, void *ctx);
static podi_rc_t api_key_parse(podi_flow_t *f, void *ctx);
static podi_rc_t api_key_write(podi_flow_t *f, void *ctx);
static podi_rc_t api_key_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  account_api_key_steps[] = {
    { "reading the body",  api_key_read_body, 0 },
    { "parsing the body",  api_key_parse,     0 },
    { "making the API key", api_key_write,    0 },
    { "replying",          api_key_reply,     0 },
    podi_null_step
};

static const podi_json_field_t  account_api_key_fields[] = {
    { "name",   PODI_JSON_STR,   offsetof(account_api_key_t, name),
      PODI_JSON_REQUIRED, 1, 100, NULL },
    { "role",   PODI_JSON_STR,   offsetof(account_api_key_t, role),
      PODI_JSON_NULLABLE, 1, 16, NULL },
    { "scopes", PODI_JSON_ARRAY, offsetof(account_api_key_t, scopes),
      PODI_JSON_NULLABLE, 0, 0, NULL },
    { "days",   PODI_JSON_INT64, offsetof(account_api_key_t, days),
      0, 1, 366, "90" },
    podi_null_json_field
};


ngx_int_t
ngx_http_podi_account_api_key_create(ngx_http_request_t *r,
    const podi_str_t *args)
{
    return ngx_podi_route_flow(r, account_api_key_steps,
                               sizeof(account_api_key_t));
}


static podi_rc_t
api_key_read_body(podi_flow_t *f, void *ctx)
{
    account_api_key_t  *a = ctx;

    if (ngx_http_podi_account_is_person(a->request, &f->fail) != PODI_OK) {
        return PODI_ERROR;
    }

    return ngx_podi_read_body(f, a->request, API_KEY_BODY_MAX);
}


static podi_rc_t
api_key_parse(podi_flow_t *f, void *ctx)
{
    json_t              *body;
    ngx_podi_ctx_t      *pc;
    account_api_key_t   *a = ctx;

    if (ngx_podi_body_json(f, a->request, &body) != PODI_OK
        || podi_json_read(body, account_api_key_fields, a, &f->fail)
           != PODI_OK)
    {
        return PODI_ERROR;
    }

    pc = ngx_podi_ctx(a->request);

    /* the least that is of use */

    if (a->role.data == NULL) {
        a->role = podi_str_eq_c(&pc->identity.role, "admin")
                  ? podi_str_c("user") : pc->identity.role;
    }

    return PODI_OK;
}


static podi_rc_t
api_key_write(podi_flow_t *f, void *ctx)
{
    u_char              random[API_KEY_RANDOM], digest[PODI_SHA256_LEN];
    podi_str_t          id, secret, hash, scopes;
    podi_pg_call_t      call;
    ngx_podi_ctx_t     *pc;
    account_api_key_t  *a = ctx;

    secret.data = a->secret;
    secret.len = sizeof(a->secret);
    hash.data = digest;
    hash.len = sizeof(digest);

    if (podi_id_make(&a->id) != PODI_OK
        || podi_random(random, sizeof(random)) != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no randomness");
    }

    podi_hex_encode(a->secret, random, sizeof(random));

    scopes = podi_str_c("[]");

    if (podi_sha256(&secret, digest) != PODI_OK
        || (a->scopes != NULL
            && podi_json_dump(a->scopes, f->mem, &scopes) != PODI_OK))
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    id = podi_id_str(&a->id);
    pc = ngx_podi_ctx(a->request);

    ngx_podi_pg_init(a->request, &call, PODI_SQL_API_KEY_CREATE);
    podi_arg_str(&call, &id);
    podi_arg_str(&call, &a->name);
    podi_arg_str(&call, &a->role);
    podi_arg_str(&call, &scopes);
    podi_arg_bytea(&call, &hash);
    podi_arg_int64(&call, a->days);
    podi_arg_str(&call, (pc->identity.session.len != 0)
                        ? &pc->identity.session : NULL);
    podi_arg_str(&call, (pc->identity.channel.len != 0)
                        ? &pc->identity.channel : NULL);

    return ngx_podi_pg_call(f, a->request, &call);
}


static podi_rc_t
api_key_reply(podi_flow_t *f, void *ctx)
{
    podi_str_t          id, secret, key, more;
    ngx_podi_ctx_t     *pc;
    account_api_key_t  *a = ctx;

    pc = ngx_podi_ctx(a->request);
    id = podi_id_str(&a->id);
    secret.data = a->secret;
    secret.len = sizeof(a->secret);

    if (ngx_podi_api_key_make(f->mem, &pc->identity.tenant, &id, &secret, &key)
        != PODI_OK
        || podi_mem_printf(f->mem, &more, ",\"key\":\"" PODI_STR_FMT "\"",
                           podi_str_arg(&key))
           != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return ngx_podi_reply_row(f, a->request, NGX_HTTP_CREATED, f->result,
                              &more);
}


/* a key that could make keys would outlive its being taken back */

podi_rc_t
ngx_http_podi_account_is_person(ngx_http_request_t *r, podi_fail_t *fail)
{
    ngx_podi_ctx_t  *pc;

    pc = ngx_podi_ctx(r);

    if (podi_str_eq_c(&pc->identity.source, "api_key")) {
        return podi_fail(fail, PODI_E_FORBIDDEN, NULL,
                         "API keys are managed by who has signed in");
    }

    return PODI_OK;
}
