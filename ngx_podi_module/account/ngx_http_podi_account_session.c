/*
 * The session's answer: an access token in the body, and two cookies.
 *
 *     __Secure-podi_rt    the refresh token; only ever sent to the refresh
 *     __Host-podi_s       the access token, for what cannot set a header
 *                         (EventSource, <img>); good for GET and HEAD only
 */

#include "ngx_http_podi_account.h"
#include "ngx_podi_channel.h"
#include "ngx_podi_token.h"


static podi_rc_t session_channel(podi_flow_t *f, ngx_http_request_t *r,
    const podi_pg_result_t *res, podi_str_t *ret_channel);
static void session_texts(podi_buf_t *b, const podi_pg_result_t *res,
    const char *const *columns);
static void session_time(podi_buf_t *b, const podi_pg_result_t *res,
    const char *column);
static podi_rc_t session_refresh_cookie(podi_flow_t *f,
    ngx_http_request_t *r, const podi_pg_result_t *res);
static podi_rc_t session_access_cookie(podi_flow_t *f, ngx_http_request_t *r,
    const podi_str_t *token, int64_t expires_in);
static podi_rc_t session_set_cookie(ngx_http_request_t *r, const char *name,
    const podi_str_t *value, const char *attributes, int64_t max_age);


static const char *const  session_user_columns[] = {
    "user_id", "login", "display_name", "role", "tenant_id", NULL
};

static const char *const  session_columns[] = {
    "session_id", "identity_source", NULL
};


podi_rc_t
ngx_http_podi_account_reply_session(podi_flow_t *f, ngx_http_request_t *r,
    const podi_pg_result_t *res)
{
    time_t            expires;
    int64_t           expires_in;
    podi_buf_t        b;
    podi_str_t        token, text;
    ngx_podi_grant_t  grant;

    grant.session = podi_row_str(res, 0, "session_id");
    grant.user = podi_row_str(res, 0, "user_id");
    grant.tenant = podi_row_str(res, 0, "tenant_id");
    grant.role = podi_row_str(res, 0, "role");
    grant.source = podi_row_str(res, 0, "identity_source");

    if (session_channel(f, r, res, &grant.channel) != PODI_OK) {
        return PODI_ERROR;
    }

    if (ngx_podi_token_mint(r, &grant, &token, &expires) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no token");
    }

    expires_in = (int64_t) (expires - ngx_time());

    if (session_refresh_cookie(f, r, res) != PODI_OK
        || session_access_cookie(f, r, &token, expires_in) != PODI_OK)
    {
        return PODI_ERROR;
    }

    podi_buf_init(&b, f->mem);
    podi_buf_add_c(&b, "{\"access_token\":");
    podi_buf_add_json(&b, &token);
    podi_buf_printf(&b, ",\"token_type\":\"Bearer\",\"expires_in\":%lld",
                    (long long) expires_in);
    podi_buf_add_c(&b, ",\"user\":{");
    session_texts(&b, res, session_user_columns);
    podi_buf_add_c(&b, "},\"session\":{");
    session_texts(&b, res, session_columns);
    session_time(&b, res, "idle_expiry");
    session_time(&b, res, "abs_expiry");
    podi_buf_add_c(&b, "}}");

    if (podi_buf_take(&b, &text) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return ngx_podi_reply(f, r, NGX_HTTP_OK, &text);
}


/*
 * That of the session, by whichever way it is refreshed; of a session without
 * one the request's, so that the token is good for no more than what brought
 * it.
 */

static podi_rc_t
session_channel(podi_flow_t *f, ngx_http_request_t *r,
    const podi_pg_result_t *res, podi_str_t *ret_channel)
{
    ngx_podi_ctx_t       *pc;
    ngx_podi_identity_t   who;

    ngx_memzero(&who, sizeof(ngx_podi_identity_t));

    pc = ngx_podi_ctx(r);
    who.channel = podi_row_str(res, 0, "channel");

    if (who.channel.len == 0 && pc->channel != NULL) {
        who.channel = pc->channel->name;
    }

    *ret_channel = who.channel;

    return (who.channel.len == 0) ? PODI_OK
                                  : ngx_podi_channel_bind(r, &who, &f->fail);
}


static void
session_texts(podi_buf_t *b, const podi_pg_result_t *res,
    const char *const *columns)
{
    ngx_uint_t  i;
    podi_str_t  value;

    for (i = 0; columns[i] != NULL; i++) {
        value = podi_row_str(res, 0, columns[i]);

        podi_buf_printf(b, "%s\"%s\":", (i == 0) ? "" : ",", columns[i]);
        podi_buf_add_json(b, &value);
    }
}


static void
session_time(podi_buf_t *b, const podi_pg_result_t *res, const char *column)
{
    u_char  text[PODI_RFC3339_LEN];

    podi_time_rfc3339(podi_row_time(res, 0, column), text);
    podi_buf_printf(b, ",\"%s\":\"%.*s\"", column, PODI_RFC3339_LEN, text);
}


static podi_rc_t
session_refresh_cookie(podi_flow_t *f, ngx_http_request_t *r,
    const podi_pg_result_t *res)
{
    int64_t         left;
    podi_str_t      session, tenant, text;
    podi_refresh_t  refresh;

    session = podi_row_str(res, 0, "session_id");
    tenant = podi_row_str(res, 0, "tenant_id");

    if (podi_id_parse(&session, &refresh.session) != PODI_OK
        || podi_id_parse(&tenant, &refresh.tenant) != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "not a session row");
    }

    refresh.counter = podi_row_int64(res, 0, "rt_counter");
    left = (podi_row_time(res, 0, "abs_expiry") - podi_time_now()) / 1000000;

    if (podi_refresh_make(ngx_http_podi_account_conf(r)->refresh_key,
                          &refresh, f->mem, &text)
        != PODI_OK
        || session_set_cookie(r, ACCOUNT_REFRESH_COOKIE, &text,
                              ACCOUNT_REFRESH_ATTRIBUTES, left)
           != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}


static podi_rc_t
session_access_cookie(podi_flow_t *f, ngx_http_request_t *r,
    const podi_str_t *token, int64_t expires_in)
{
    if (session_set_cookie(r, NGX_PODI_ACCESS_COOKIE, token,
                           ACCOUNT_ACCESS_ATTRIBUTES, expires_in)
        != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}


podi_rc_t
ngx_http_podi_account_clear_cookies(ngx_http_request_t *r)
{
    podi_str_t  nothing = podi_string("");

    if (session_set_cookie(r, ACCOUNT_REFRESH_COOKIE, &nothing,
                           ACCOUNT_REFRESH_ATTRIBUTES, 0)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    return session_set_cookie(r, NGX_PODI_ACCESS_COOKIE, &nothing,
                              ACCOUNT_ACCESS_ATTRIBUTES, 0);
}


static podi_rc_t
session_set_cookie(ngx_http_request_t *r, const char *name,
    const podi_str_t *value, const char *attributes, int64_t max_age)
{
    podi_str_t  text;

    if (podi_mem_printf(ngx_podi_mem(r), &text,
                        "%s=" PODI_STR_FMT "; Max-Age=%lld; Secure; HttpOnly; "
                        "%s", name, podi_str_arg(value), (long long) max_age,
                        attributes)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    return ngx_podi_header_add(r, "Set-Cookie", &text);
}
