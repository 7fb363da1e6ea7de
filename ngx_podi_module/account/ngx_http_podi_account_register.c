/*
 * POST /v1/auth/register: a new local account with an empty wallet.
 *
 *     read body -> parse -> hash (thread) -> register (PG) -> reply
 *
 * The hash is made before anybody knows whether the name is taken, so that
 * the time of the answer does not tell.
 */

#include "ngx_http_podi_account.h"
#include "ngx_http_podi_account_password.h"
#include "podi_hash.h"


typedef struct {
    ngx_http_request_t            *request;
    ngx_http_podi_account_form_t   form;
    ngx_http_podi_password_t       password;
    podi_str_t                     key;
    podi_str_t                     hash;
} account_register_t;


static podi_rc_t register_read_body(podi_flow_t *f, void *ctx);
static podi_rc_t register_parse(podi_flow_t *f, void *ctx);
static podi_rc_t register_hash(podi_flow_t *f, void *ctx);
static podi_rc_t register_write(podi_flow_t *f, void *ctx);
static podi_rc_t register_reply(podi_flow_t *f, void *ctx);
static podi_rc_t register_bind(account_register_t *a, podi_fail_t *fail);


static const podi_step_t  account_register_steps[] = {
    { "reading the body",      register_read_body, 0 },
    { "parsing the body",      register_parse,     0 },
    { "hashing the password",  register_hash,      0 },
    { "making the account",    register_write,     0 },
    { "replying",              register_reply,     0 },
    podi_null_step
};

static const podi_json_field_t  account_register_fields[] = {
    { "login",        PODI_JSON_STR,
      offsetof(ngx_http_podi_account_form_t, login),
      PODI_JSON_REQUIRED, 0, 0, NULL },
    { "password",     PODI_JSON_STR,
      offsetof(ngx_http_podi_account_form_t, password),
      PODI_JSON_REQUIRED, 0, 0, NULL },
    { "display_name", PODI_JSON_STR,
      offsetof(ngx_http_podi_account_form_t, display_name),
      PODI_JSON_NULLABLE, 1, 64, NULL },
    podi_null_json_field
};


ngx_int_t
ngx_http_podi_account_register(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow(r, account_register_steps,
                               sizeof(account_register_t));
}


static podi_rc_t
register_read_body(podi_flow_t *f, void *ctx)
{
    account_register_t  *a = ctx;

    return ngx_podi_read_body(f, a->request, ACCOUNT_BODY_MAX);
}


static podi_rc_t
register_parse(podi_flow_t *f, void *ctx)
{
    json_t              *body;
    account_register_t  *a = ctx;

    if (ngx_podi_idempotency_key(a->request, &a->key, &f->fail) != PODI_OK
        || register_bind(a, &f->fail) != PODI_OK
        || ngx_podi_body_json(f, a->request, &body) != PODI_OK
        || podi_json_read(body, account_register_fields, &a->form, &f->fail)
           != PODI_OK
        || ngx_http_podi_account_form(a->request, &a->form, &f->fail)
           != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (a->form.display_name.data == NULL) {
        a->form.display_name = a->form.login;
    }

    a->password.password = a->form.password;

    return PODI_OK;
}


static podi_rc_t
register_hash(podi_flow_t *f, void *ctx)
{
    account_register_t  *a = ctx;

    return ngx_podi_thread(f, a->request, ngx_http_podi_password_make,
                           &a->password);
}


static podi_rc_t
register_write(podi_flow_t *f, void *ctx)
{
    podi_id_t            id;
    podi_str_t           user;
    podi_pg_call_t       call;
    account_register_t  *a = ctx;

    if (a->password.failed || podi_id_make(&id) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no hash");
    }

    user = podi_id_str(&id);

    ngx_podi_pg_init(a->request, &call, PODI_SQL_ACCOUNT_REGISTER);
    podi_arg_str(&call, &user);
    podi_arg_str(&call, &a->form.login);
    podi_arg_c(&call, a->password.hash);
    podi_arg_str(&call, &a->form.display_name);

    if (a->key.data == NULL) {
        podi_arg_null(&call);
    } else {
        podi_arg_str(&call, &a->key);
    }

    podi_arg_bytea(&call, &a->hash);

    return ngx_podi_pg_call_as(f, a->request, &call, "anon");
}


static podi_rc_t
register_reply(podi_flow_t *f, void *ctx)
{
    account_register_t  *a = ctx;

    return ngx_podi_reply_row(f, a->request, NGX_HTTP_CREATED, f->result,
                              NULL);
}


/*
 * What the Idempotency-Key is bound to is stored for days, and the body holds
 * the password: a bare digest would spare who reads the table the argon2id.
 */

static podi_rc_t
register_bind(account_register_t *a, podi_fail_t *fail)
{
    u_char      *bound;
    podi_str_t   master, info = podi_string("podi register");

    if (ngx_podi_request_hash(a->request, &a->hash, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    master = podi_secret_bytes(
                 ngx_http_podi_account_conf(a->request)->refresh_key);
    bound = ngx_pnalloc(a->request->pool, PODI_SHA256_LEN);

    if (bound == NULL
        || podi_hkdf_sha256(&master, &a->hash, &info, bound, PODI_SHA256_LEN)
           != PODI_OK)
    {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "cannot bind the key");
    }

    a->hash.data = bound;

    return PODI_OK;
}
