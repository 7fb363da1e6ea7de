/*
 * The form: a login name and a password, as a person typed them.
 */

#include "ngx_http_podi_account.h"
#include "ngx_http_podi_account_password.h"


#define ACCOUNT_LOGIN_MIN  3
#define ACCOUNT_LOGIN_MAX  64


static podi_rc_t account_login_name(ngx_http_request_t *r,
    podi_str_t *login, podi_fail_t *fail);
static podi_rc_t account_password(const podi_str_t *password,
    podi_fail_t *fail);
static podi_rc_t account_line(const podi_str_t *text, const char *field,
    podi_fail_t *fail);
static size_t account_characters(const podi_str_t *s);


podi_rc_t
ngx_http_podi_account_form(ngx_http_request_t *r,
    ngx_http_podi_account_form_t *form, podi_fail_t *fail)
{
    if (account_login_name(r, &form->login, fail) != PODI_OK
        || account_password(&form->password, fail) != PODI_OK
        || account_line(&form->display_name, "display_name", fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    return account_line(&form->device_label, "device_label", fail);
}


static podi_rc_t
account_login_name(ngx_http_request_t *r, podi_str_t *login,
    podi_fail_t *fail)
{
    u_char      ch;
    size_t      i;
    podi_str_t  folded;

    if (login->len < ACCOUNT_LOGIN_MIN || login->len > ACCOUNT_LOGIN_MAX) {
        return podi_fail(fail, PODI_E_BAD_FIELD, "login",
                         "must have %d to %d characters",
                         ACCOUNT_LOGIN_MIN, ACCOUNT_LOGIN_MAX);
    }

    if (podi_mem_dup(ngx_podi_mem(r), login, &folded) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    for (i = 0; i < folded.len; i++) {

        ch = ngx_tolower(folded.data[i]);

        if ((ch < 'a' || ch > 'z') && (ch < '0' || ch > '9')
            && ch != '.' && ch != '_' && ch != '@' && ch != '+' && ch != '-')
        {
            return podi_fail(fail, PODI_E_BAD_FIELD, "login",
                             "may have letters, digits and . _ @ + -");
        }

        folded.data[i] = ch;
    }

    *login = folded;

    return PODI_OK;
}


static podi_rc_t
account_password(const podi_str_t *password, podi_fail_t *fail)
{
    size_t  n;

    n = account_characters(password);

    if (n < PASSWORD_MIN || n > PASSWORD_MAX) {
        return podi_fail(fail, PODI_E_BAD_FIELD, "password",
                         "must have %d to %d characters",
                         PASSWORD_MIN, PASSWORD_MAX);
    }

    return PODI_OK;
}


/* what lists and logs show on one line must not begin another */

static podi_rc_t
account_line(const podi_str_t *text, const char *field, podi_fail_t *fail)
{
    size_t  i;

    for (i = 0; i < text->len; i++) {
        if (text->data[i] < 0x20 || text->data[i] == 0x7f) {
            return podi_fail(fail, PODI_E_BAD_FIELD, field,
                             "must have no control characters");
        }
    }

    return PODI_OK;
}


/* the JSON parser has seen to it that this is UTF-8 */

static size_t
account_characters(const podi_str_t *s)
{
    size_t  i, n;

    for (i = 0, n = 0; i < s->len; i++) {
        if ((s->data[i] & 0xc0) != 0x80) {
            n++;
        }
    }

    return n;
}
