/*
 * From verified claims to an identity, by the map of their issuer.
 *
 *     text -> itself    whole number -> digits    list of texts -> words
 *
 * A role is one word: a text with a blank in it would be two to whoever splits
 * the list, here or behind an upstream, and may be what somebody calls himself.
 * These strings go to logs, headers of upstreams and keys of limits, so a
 * control character in one makes the token invalid.
 */

#include "ngx_http_podi_auth.h"


#define IDENTITY_TEXT_MAX   256
#define IDENTITY_WORDS_MAX  1024


static podi_rc_t identity_field(ngx_http_request_t *r, const json_t *value,
    size_t max, podi_str_t *ret_text, podi_fail_t *fail);
static void identity_words(podi_buf_t *b, const json_t *list);
static podi_rc_t identity_ours(ngx_http_request_t *r, const json_t *claims,
    ngx_podi_identity_t *who, podi_fail_t *fail);


podi_rc_t
ngx_http_podi_auth_identity(ngx_http_request_t *r,
    const ngx_http_podi_issuer_t *is, const json_t *claims,
    ngx_podi_identity_t *who, podi_fail_t *fail)
{
    size_t         max;
    ngx_uint_t     i;
    const json_t  *value;
    podi_str_t    *fields[NGX_HTTP_PODI_MAP_LAST];

    ngx_memzero(who, sizeof(ngx_podi_identity_t));

    fields[NGX_HTTP_PODI_MAP_USER] = &who->user;
    fields[NGX_HTTP_PODI_MAP_TENANT] = &who->tenant;
    fields[NGX_HTTP_PODI_MAP_ROLE] = &who->role;
    fields[NGX_HTTP_PODI_MAP_SESSION] = &who->session;
    fields[NGX_HTTP_PODI_MAP_SCOPE] = &who->scope;
    fields[NGX_HTTP_PODI_MAP_CHANNEL] = &who->channel;
    fields[NGX_HTTP_PODI_MAP_PLAN] = &who->plan;

    for (i = 0; i < NGX_HTTP_PODI_MAP_LAST; i++) {

        value = podi_claim_find(is->map[i], claims);
        max = (i == NGX_HTTP_PODI_MAP_ROLE || i == NGX_HTTP_PODI_MAP_SCOPE)
              ? IDENTITY_WORDS_MAX : IDENTITY_TEXT_MAX;

        if (identity_field(r, value, max, fields[i], fail) != PODI_OK) {
            return PODI_ERROR;
        }

        if (i == NGX_HTTP_PODI_MAP_ROLE && json_is_string(value)
            && ngx_strlchr(who->role.data, who->role.data + who->role.len,
                           ' ')
               != NULL)
        {
            who->role.len = 0;
        }
    }

    if (is->ours) {
        return identity_ours(r, claims, who, fail);
    }

    if (who->user.len == 0) {
        return podi_fail(fail, PODI_E_TOKEN_INVALID, NULL,
                         "it does not say of whom it is");
    }

    if (identity_field(r, json_object_get(claims, "jti"), IDENTITY_TEXT_MAX,
                       &who->token, fail)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    who->issuer.data = is->name.data;
    who->issuer.len = is->name.len;
    who->issued = (time_t) json_integer_value(json_object_get(claims, "iat"));
    who->expires = (time_t) json_integer_value(json_object_get(claims, "exp"));
    who->known = 1;

    return PODI_OK;
}


/* absent, null or of another type: "" */

static podi_rc_t
identity_field(ngx_http_request_t *r, const json_t *value, size_t max,
    podi_str_t *ret_text, podi_fail_t *fail)
{
    size_t      i;
    podi_buf_t  b;

    ret_text->len = 0;
    ret_text->data = NULL;

    if (!json_is_string(value) && !json_is_integer(value)
        && !json_is_array(value))
    {
        return PODI_OK;
    }

    podi_buf_init(&b, ngx_podi_mem(r));

    if (json_is_array(value)) {
        identity_words(&b, value);

    } else if (json_is_integer(value)) {
        podi_buf_printf(&b, "%lld", (long long) json_integer_value(value));

    } else {
        podi_buf_add(&b, json_string_value(value), json_string_length(value));
    }

    if (podi_buf_take(&b, ret_text) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    for (i = 0; i < ret_text->len; i++) {
        if (ret_text->data[i] < 0x20 || ret_text->data[i] == 0x7f) {
            return podi_fail(fail, PODI_E_TOKEN_INVALID, NULL,
                             "a control character in a claim");
        }
    }

    if (ret_text->len > max) {
        return podi_fail(fail, PODI_E_TOKEN_INVALID, NULL,
                         "a claim of more than %zu bytes", max);
    }

    return PODI_OK;
}


/* a word with a blank in it would be two */

static void
identity_words(podi_buf_t *b, const json_t *list)
{
    size_t      i;
    podi_str_t  word;

    for (i = 0; i < json_array_size(list); i++) {

        word = podi_json_str(json_array_get(list, i));

        if (word.len == 0 || memchr(word.data, ' ', word.len) != NULL) {
            continue;
        }

        if (b->len != 0) {
            podi_buf_add_byte(b, ' ');
        }

        podi_buf_add_str(b, &word);
    }
}


/* a role that is unknown is none */

static podi_rc_t
identity_ours(ngx_http_request_t *r, const json_t *claims,
    ngx_podi_identity_t *who, podi_fail_t *fail)
{
    podi_role_e  role;

    if (ngx_podi_token_identity(r, claims, who, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    if (podi_role_parse(&who->role, &role) != PODI_OK
        || (role != PODI_ROLE_USER && role != PODI_ROLE_ADMIN
            && role != PODI_ROLE_SERVICE))
    {
        who->role.len = 0;
    }

    return PODI_OK;
}
