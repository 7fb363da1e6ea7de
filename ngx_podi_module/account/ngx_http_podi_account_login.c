/*
 * POST /v1/auth/login: a name and a password for a session.
 *
 *     may try? -> read body -> parse -> take a failure in advance
 *         -> find (PG) -> check (thread)
 *         -> judge: wrong: record (PG) | right: store a renewed hash (PG)
 *         -> open the session (PG) -> reply
 *
 * A user that does not exist costs the same check and gets the same answer.
 * What goes wrong on our side is nobody's failure.
 */

#include "ngx_http_podi_account.h"
#include "ngx_http_podi_account_password.h"
#include "ngx_podi_bucket.h"
#include "ngx_podi_channel.h"


typedef struct {
    ngx_http_request_t            *request;
    ngx_http_podi_account_form_t   form;
    ngx_http_podi_password_t       password;
    podi_str_t                     user;
    podi_str_t                     stored;      /* the hash as it was found */
    podi_str_t                     from;        /* whence, roughly */
} account_login_t;


static podi_rc_t login_read_body(podi_flow_t *f, void *ctx);
static podi_rc_t login_parse(podi_flow_t *f, void *ctx);
static podi_rc_t login_find(podi_flow_t *f, void *ctx);
static podi_rc_t login_check(podi_flow_t *f, void *ctx);
static podi_rc_t login_judge(podi_flow_t *f, void *ctx);
static podi_rc_t login_open(podi_flow_t *f, void *ctx);
static podi_rc_t login_reply(podi_flow_t *f, void *ctx);


static const podi_step_t  account_login_steps[] = {
    { "reading the body",       login_read_body, 0 },
    { "parsing the body",       login_parse,     0 },
    { "finding the account",    login_find,      PODI_MAY_FAIL },
    { "checking the password",  login_check,     0 },
    { "recording the verdict",  login_judge,     PODI_MAY_FAIL },
    { "opening the session",    login_open,      0 },
    { "replying",               login_reply,     0 },
    podi_null_step
};

static const podi_json_field_t  account_login_fields[] = {
    { "login",        PODI_JSON_STR,
      offsetof(ngx_http_podi_account_form_t, login),
      PODI_JSON_REQUIRED, 0, 0, NULL },
    { "password",     PODI_JSON_STR,
      offsetof(ngx_http_podi_account_form_t, password),
      PODI_JSON_REQUIRED, 0, 0, NULL },
    { "device_label", PODI_JSON_STR,
      offsetof(ngx_http_podi_account_form_t, device_label),
      PODI_JSON_NULLABLE, 1, 64, NULL },
    podi_null_json_field
};


ngx_int_t
ngx_http_podi_account_login(ngx_http_request_t *r, const podi_str_t *args)
{
    return ngx_podi_route_flow(r, account_login_steps, sizeof(account_login_t));
}


static podi_rc_t
login_read_body(podi_flow_t *f, void *ctx)
{
    account_login_t  *a = ctx;

    if (ngx_podi_failures_peek(a->request, &f->fail) != PODI_OK) {
        return PODI_ERROR;
    }

    return ngx_podi_read_body(f, a->request, ACCOUNT_BODY_MAX);
}


static podi_rc_t
login_parse(podi_flow_t *f, void *ctx)
{
    json_t           *body;
    account_login_t  *a = ctx;

    if (ngx_podi_body_json(f, a->request, &body) != PODI_OK
        || podi_json_read(body, account_login_fields, &a->form, &f->fail)
           != PODI_OK
        || ngx_http_podi_account_form(a->request, &a->form, &f->fail)
           != PODI_OK)
    {
        return PODI_ERROR;
    }

    a->password.password = a->form.password;

    /* not while the body was on its way: that may take long */

    if (ngx_podi_failures_take(a->request, &f->fail) != PODI_OK) {
        return PODI_ERROR;
    }

    return ngx_http_podi_account_prefix(a->request, &a->from, &f->fail);
}


static podi_rc_t
login_find(podi_flow_t *f, void *ctx)
{
    podi_pg_call_t    call;
    account_login_t  *a = ctx;

    ngx_podi_pg_init(a->request, &call, PODI_SQL_ACCOUNT_CREDENTIAL);
    podi_arg_str(&call, &a->form.login);

    return ngx_podi_pg_call_as(f, a->request, &call, "gateway");
}


static podi_rc_t
login_check(podi_flow_t *f, void *ctx)
{
    podi_rc_t         rc;
    account_login_t  *a = ctx;

    if (f->result == NULL) {
        ngx_podi_failures_forgive(a->request);
        return PODI_ERROR;
    }

    if (podi_rows(f->result) == 1) {

        a->user = podi_row_str(f->result, 0, "user_id");
        a->stored = podi_row_str(f->result, 0, "password_hash");

        if (a->stored.len < sizeof(a->password.hash)) {
            ngx_memcpy(a->password.hash, a->stored.data, a->stored.len);
        }
    }

    rc = ngx_podi_thread(f, a->request, ngx_http_podi_password_check,
                         &a->password);

    if (rc == PODI_ERROR) {
        ngx_podi_failures_forgive(a->request);
    }

    return rc;
}


static podi_rc_t
login_judge(podi_flow_t *f, void *ctx)
{
    podi_pg_call_t    call;
    account_login_t  *a = ctx;

    if (a->password.failed || (a->password.matches && !a->password.renewed)) {
        return PODI_OK;
    }

    if (a->password.matches) {
        ngx_podi_pg_init(a->request, &call, PODI_SQL_ACCOUNT_PASSWORD_REHASH);
        podi_arg_str(&call, &a->user);
        podi_arg_str(&call, &a->stored);
        podi_arg_c(&call, a->password.hash);

    } else {
        ngx_podi_pg_init(a->request, &call, PODI_SQL_ACCOUNT_LOGIN_FAILED);
        podi_arg_str(&call, &a->form.login);
        podi_arg_str(&call, &a->from);
    }

    return ngx_podi_pg_call_as(f, a->request, &call, "gateway");
}


static podi_rc_t
login_open(podi_flow_t *f, void *ctx)
{
    podi_id_t                            id;
    podi_str_t                           session;
    podi_pg_call_t                       call;
    account_login_t                     *a = ctx;
    const ngx_podi_channel_t            *channel;
    const ngx_http_podi_account_conf_t  *aconf;

    if (a->password.failed) {
        ngx_podi_failures_forgive(a->request);

        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no hash");
    }

    if (!a->password.matches) {
        ngx_podi_failures_charge(a->request);

        return podi_fail(&f->fail, PODI_E_BAD_CREDENTIALS, NULL,
                         "wrong login name or password");
    }

    ngx_podi_failures_forgive(a->request);

    if (podi_id_make(&id) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no randomness");
    }

    aconf = ngx_http_podi_account_conf(a->request);
    channel = ngx_podi_ctx(a->request)->channel;
    session = podi_id_str(&id);

    ngx_podi_pg_init(a->request, &call, PODI_SQL_SESSION_OPEN);
    podi_arg_str(&call, &session);
    podi_arg_str(&call, &a->user);
    podi_arg_c(&call, "local");

    if (a->form.device_label.data == NULL) {
        podi_arg_null(&call);
    } else {
        podi_arg_str(&call, &a->form.device_label);
    }

    podi_arg_str(&call, &a->from);
    podi_arg_int64(&call, (int64_t) aconf->idle);
    podi_arg_int64(&call, (int64_t) aconf->lifetime);
    podi_arg_str(&call, (channel != NULL) ? &channel->name : NULL);

    return ngx_podi_pg_call_as(f, a->request, &call, "gateway");
}


static podi_rc_t
login_reply(podi_flow_t *f, void *ctx)
{
    account_login_t  *a = ctx;

    return ngx_http_podi_account_reply_session(f, a->request, f->result);
}
