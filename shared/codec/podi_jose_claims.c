/*
 * podi_jose_claims: is a token with these claims for us, from whom we expect,
 * and now?
 */

#include "podi_jose_alg.h"
#include "banned.h"


static podi_rc_t podi_jose_check_names(const json_t *claims,
    const podi_jose_expect_t *expect, podi_fail_t *fail);
static int podi_jose_is_for(const json_t *aud,
    const podi_jose_names_t *names);
static podi_rc_t podi_jose_check_times(const json_t *claims,
    const podi_jose_expect_t *expect, podi_fail_t *fail);
static podi_rc_t podi_jose_time(const json_t *claims, const char *name,
    int64_t *ret_seconds, podi_fail_t *fail);


podi_rc_t
podi_jose_check_claims(const json_t *claims, const podi_jose_expect_t *expect,
    podi_fail_t *fail)
{
    if (podi_jose_check_names(claims, expect, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    return podi_jose_check_times(claims, expect, fail);
}


static podi_rc_t
podi_jose_check_names(const json_t *claims, const podi_jose_expect_t *expect,
    podi_fail_t *fail)
{
    size_t      i;
    json_t     *aud;
    podi_str_t  iss;

    iss = podi_json_str(json_object_get(claims, "iss"));

    if (iss.len == 0 || !podi_str_eq(&iss, &expect->iss)) {
        return podi_jose_refuse(fail, "another issuer (iss)");
    }

    aud = json_object_get(claims, "aud");

    if (expect->aud.n == 0 || podi_jose_is_for(aud, &expect->aud)) {
        return PODI_OK;
    }

    for (i = 0; i < json_array_size(aud); i++) {
        if (podi_jose_is_for(json_array_get(aud, i), &expect->aud)) {
            return PODI_OK;
        }
    }

    return podi_jose_refuse(fail, "for another audience (aud)");
}


static int
podi_jose_is_for(const json_t *aud, const podi_jose_names_t *names)
{
    size_t      i;
    podi_str_t  s;

    s = podi_json_str(aud);

    for (i = 0; i < names->n && s.len; i++) {
        if (podi_str_eq(&s, &names->items[i])) {
            return 1;
        }
    }

    return 0;
}


static podi_rc_t
podi_jose_check_times(const json_t *claims, const podi_jose_expect_t *expect,
    podi_fail_t *fail)
{
    int64_t  now, exp = -1, nbf = -1, iat = -1;

    now = expect->now / 1000000;

    if (podi_jose_time(claims, "exp", &exp, fail) != PODI_OK
        || podi_jose_time(claims, "nbf", &nbf, fail) != PODI_OK
        || podi_jose_time(claims, "iat", &iat, fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (exp < 0) {
        return podi_jose_refuse(fail, "it never expires (exp)");
    }

    if (expect->max_life && (iat < 0 || exp - iat > expect->max_life)) {
        return podi_jose_refuse(fail, "it lives too long (iat to exp)");
    }

    if (nbf > now + expect->leeway || iat > now + expect->leeway) {
        return podi_jose_refuse(fail, "it is from the future (nbf, iat)");
    }

    if (exp <= now) {
        return podi_fail(fail, PODI_E_TOKEN_EXPIRED, NULL,
                         "expired %lld s ago", (long long) (now - exp));
    }

    return PODI_OK;
}


/* whole seconds up to the year 9999; absent: *ret_seconds stays */

static podi_rc_t
podi_jose_time(const json_t *claims, const char *name, int64_t *ret_seconds,
    podi_fail_t *fail)
{
    json_t   *value;
    int64_t   n;

    value = json_object_get(claims, name);
    if (value == NULL) {
        return PODI_OK;
    }

    n = json_is_integer(value) ? json_integer_value(value) : -1;

    if (n < 0 || n > INT64_C(253402300799)) {
        return podi_jose_refuse(fail, "exp, nbf or iat is not a time");
    }

    *ret_seconds = n;

    return PODI_OK;
}
