/*
 * ngx_podi_query: what the query string and the headers say.
 *
 * "+" is a blank, "%XX" a byte; a value that is not UTF-8 after decoding, or
 * a parameter that comes twice, is refused by name.
 */

#include "ngx_podi_core.h"
#include "podi_cookie.h"


static podi_rc_t ngx_podi_query_value(ngx_http_request_t *r,
    const podi_str_t *raw, const char *name, podi_str_t *ret_value,
    podi_fail_t *fail);


podi_rc_t
ngx_podi_query(ngx_http_request_t *r, const char *name,
    podi_str_t *ret_value, podi_fail_t *fail)
{
    return ngx_podi_query_in(r, &r->args, name, ret_value, fail);
}


podi_rc_t
ngx_podi_query_in(ngx_http_request_t *r, const ngx_str_t *args,
    const char *name, podi_str_t *ret_value, podi_fail_t *fail)
{
    size_t      found;
    podi_str_t  rest, key, value;

    rest.data = args->data;
    rest.len = args->len;
    found = 0;

    ret_value->len = 0;
    ret_value->data = NULL;

    while (podi_str_split(&rest, '&', &value)) {

        (void) podi_str_split(&value, '=', &key);

        if (!podi_str_eq_c(&key, name)) {
            continue;
        }

        if (found++ != 0) {
            return podi_fail(fail, PODI_E_BAD_FIELD, name, "given twice");
        }

        if (ngx_podi_query_value(r, &value, name, ret_value, fail)
            != PODI_OK)
        {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


static podi_rc_t
ngx_podi_query_value(ngx_http_request_t *r, const podi_str_t *raw,
    const char *name, podi_str_t *ret_value, podi_fail_t *fail)
{
    u_char         *dst;
    size_t          i;
    podi_str_t      hex;
    unsigned char   byte;

    dst = ngx_pnalloc(r->pool, raw->len + 1);
    if (dst == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    ret_value->data = dst;

    for (i = 0; i < raw->len; i++) {

        if (raw->data[i] == '+') {
            *dst++ = ' ';
            continue;
        }

        if (raw->data[i] != '%') {
            *dst++ = raw->data[i];
            continue;
        }

        hex.data = raw->data + i + 1;
        hex.len = ngx_min(raw->len - i - 1, 2);

        if (podi_hex_decode(&byte, 1, &hex) != PODI_OK || byte == '\0') {
            return podi_fail(fail, PODI_E_BAD_FIELD, name,
                             "not percent-encoded");
        }

        *dst++ = byte;
        i += 2;
    }

    *dst = '\0';
    ret_value->len = dst - ret_value->data;

    if (!podi_str_is_utf8(ret_value)) {
        return podi_fail(fail, PODI_E_BAD_FIELD, name, "not UTF-8");
    }

    return PODI_OK;
}


podi_rc_t
ngx_podi_query_int(ngx_http_request_t *r, const char *name, int64_t min,
    int64_t max, int64_t preset, int64_t *ret_n, podi_fail_t *fail)
{
    int64_t     n;
    podi_str_t  value;

    if (ngx_podi_query(r, name, &value, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    if (value.data == NULL) {
        *ret_n = preset;
        return PODI_OK;
    }

    if (podi_str_to_int64(&value, &n) != PODI_OK || n < min || n > max) {
        return podi_fail(fail, PODI_E_BAD_FIELD, name,
                         "not a number from %lld to %lld", (long long) min,
                         (long long) max);
    }

    *ret_n = n;

    return PODI_OK;
}


podi_rc_t
ngx_podi_query_only(ngx_http_request_t *r, const char *const *names,
    podi_fail_t *fail)
{
    char               field[64];
    podi_str_t         rest, key, value;
    const char *const *name;

    rest.data = r->args.data;
    rest.len = r->args.len;

    while (podi_str_split(&rest, '&', &value)) {

        if (value.len == 0) {
            continue;
        }

        (void) podi_str_split(&value, '=', &key);

        for (name = names; *name != NULL; name++) {
            if (podi_str_eq_c(&key, *name)) {
                break;
            }
        }

        if (*name == NULL) {
            ngx_cpystrn((u_char *) field, key.data,
                        ngx_min(key.len + 1, sizeof(field)));
            return podi_fail(fail, PODI_E_BAD_FIELD, field,
                             "there is no such parameter");
        }
    }

    return PODI_OK;
}


ngx_uint_t
ngx_podi_is_path(const podi_str_t *text)
{
    size_t  i;

    if (text->len == 0 || text->data[0] != '/'
        || (text->len > 1 && (text->data[1] == '/' || text->data[1] == '\\')))
    {
        return 0;
    }

    for (i = 0; i < text->len; i++) {
        if (text->data[i] < 0x20 || text->data[i] == 0x7f) {
            return 0;
        }
    }

    return 1;
}


podi_str_t
ngx_podi_header(ngx_http_request_t *r, const char *name)
{
    size_t            len;
    ngx_uint_t        i;
    podi_str_t        value = podi_null_str;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    len = ngx_strlen(name);

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].key.len == len && h[i].lowcase_key != NULL
                && ngx_strncmp(h[i].lowcase_key, name, len) == 0)
            {
                value.data = h[i].value.data;
                value.len = h[i].value.len;
                return value;
            }
        }
    }

    return value;
}


/* HTTP/2 clients may send a Cookie header for each cookie */

podi_rc_t
ngx_podi_cookie(ngx_http_request_t *r, const char *name,
    podi_str_t *ret_value, podi_fail_t *fail)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    ret_value->len = 0;
    ret_value->data = NULL;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len != 6
                || ngx_strncasecmp(h[i].key.data, (u_char *) "cookie", 6)
                   != 0)
            {
                continue;
            }

            if (ngx_podi_cookie_in(&h[i].value, name, ret_value, fail)
                != PODI_OK)
            {
                return PODI_ERROR;
            }
        }
    }

    return PODI_OK;
}


podi_rc_t
ngx_podi_cookie_in(const ngx_str_t *header, const char *name,
    podi_str_t *value, podi_fail_t *fail)
{
    podi_str_t  text;

    text.data = header->data;
    text.len = header->len;

    if (podi_cookie_find(&text, name, value) != PODI_OK) {
        return podi_fail(fail, PODI_E_BAD_REQUEST, name,
                         "the cookie comes twice");
    }

    return PODI_OK;
}
