/*
 * guard: who asks, told to the upstream in headers that a client cannot make.
 *
 *     client's X-Podi-* out -> ours in -> X-Podi-Timestamp, X-Podi-Signature
 *
 * The signature is "v1=" and the hex HMAC-SHA256, by the key, of
 *
 *     METHOD LF target LF timestamp LF (name ":" value LF, by name)
 *
 * The target is that of the request line as the client sent it, the timestamp
 * in whole seconds; names are in lower case, and of the X-Podi headers all the
 * others are in it.
 */

#include "ngx_http_podi_guard.h"
#include "podi_hash.h"


typedef struct {
    ngx_str_t        name;
    ngx_str_t        lower;
    size_t           offset;        /* in the identity */
} guard_header_t;


static podi_str_t guard_value(ngx_podi_request_t *pr,
    const guard_header_t *header);
static ngx_uint_t guard_is_clean(const podi_str_t *value);
static podi_rc_t guard_sign(ngx_http_request_t *r, podi_secret_t *key,
    podi_buf_t *text, podi_fail_t *fail);
static podi_rc_t guard_add(ngx_http_request_t *r, const ngx_str_t *name,
    const ngx_str_t *lower, const podi_str_t *value);


#define header(Name, name, field)                                            \
    { ngx_string("X-Podi-" Name), ngx_string("x-podi-" name),                \
      offsetof(ngx_podi_identity_t, field) }

/* in the order of their names */

static const guard_header_t  guard_headers[] = {
    header("Channel", "channel", channel),
    header("Issuer", "issuer", issuer),
    header("Plan", "plan", plan),
    header("Role", "role", role),
    header("Scope", "scope", scope),
    header("Session", "session", session),
    header("Tenant", "tenant", tenant),
    header("User", "user", user),
    { ngx_null_string, ngx_null_string, 0 }
};


podi_rc_t
ngx_http_podi_guard_identity(ngx_http_request_t *r,
    const ngx_http_podi_guard_loc_conf_t *glcf, podi_fail_t *fail)
{
    podi_buf_t             text;
    podi_str_t             value;
    ngx_podi_request_t    *pr = ngx_podi_request(r);
    const guard_header_t  *h;

    if (ngx_podi_strip(r) != NGX_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    podi_buf_init(&text, &pr->mem);
    podi_buf_add(&text, r->method_name.data, r->method_name.len);
    podi_buf_add_byte(&text, '\n');
    podi_buf_add(&text, r->unparsed_uri.data, r->unparsed_uri.len);
    podi_buf_printf(&text, "\n%lld\n", (long long) ngx_time());

    for (h = guard_headers; h->name.len != 0; h++) {

        value = guard_value(pr, h);

        if (value.len == 0) {
            continue;
        }

        if (!guard_is_clean(&value)) {
            return podi_fail(fail, PODI_E_FORBIDDEN, NULL,
                             "what %s would say cannot be a header",
                             (char *) h->name.data);
        }

        podi_buf_printf(&text, "%s:", (char *) h->lower.data);
        podi_buf_add_str(&text, &value);
        podi_buf_add_byte(&text, '\n');

        if (guard_add(r, &h->name, &h->lower, &value) != PODI_OK) {
            return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
        }
    }

    return (glcf->identity_key == NULL)
           ? PODI_OK : guard_sign(r, glcf->identity_key, &text, fail);
}


/* the channel that it came by goes before the one that a token names */

static podi_str_t
guard_value(ngx_podi_request_t *pr, const guard_header_t *header)
{
    char  *who = (char *) &pr->pub.identity;

    if (header->offset == offsetof(ngx_podi_identity_t, channel)
        && pr->pub.channel != NULL)
    {
        return pr->pub.channel->name;
    }

    return *(podi_str_t *) (void *) (who + header->offset);
}


/*
 * A line end would make another header of it, a NUL half of one.  Auth lets no
 * such claim in; whoever fills an identity in another way is watched here.
 */

static ngx_uint_t
guard_is_clean(const podi_str_t *value)
{
    size_t  i;

    for (i = 0; i < value->len; i++) {
        if (value->data[i] < ' ' || value->data[i] == 0x7f) {
            return 0;
        }
    }

    return 1;
}


static podi_rc_t
guard_sign(ngx_http_request_t *r, podi_secret_t *key, podi_buf_t *text,
    podi_fail_t *fail)
{
    u_char            mac[PODI_SHA256_LEN];
    podi_buf_t        b;
    podi_str_t        bytes, signed_text, stamp, signature;
    podi_mem_t       *mem = ngx_podi_mem(r);

    static const ngx_str_t  names[] = {
        ngx_string("X-Podi-Timestamp"), ngx_string("x-podi-timestamp"),
        ngx_string("X-Podi-Signature"), ngx_string("x-podi-signature")
    };

    bytes = podi_secret_bytes(key);
    podi_buf_init(&b, mem);
    podi_buf_add_c(&b, "v1=");

    if (podi_buf_take(text, &signed_text) != PODI_OK
        || podi_hmac_sha256(&bytes, &signed_text, mac) != PODI_OK
        || podi_mem_printf(mem, &stamp, "%lld", (long long) ngx_time())
           != PODI_OK)
    {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "cannot sign");
    }

    podi_buf_add_hex(&b, mac, PODI_SHA256_LEN);

    if (podi_buf_take(&b, &signature) != PODI_OK
        || guard_add(r, &names[0], &names[1], &stamp) != PODI_OK
        || guard_add(r, &names[2], &names[3], &signature) != PODI_OK)
    {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}


static podi_rc_t
guard_add(ngx_http_request_t *r, const ngx_str_t *name,
    const ngx_str_t *lower, const podi_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_in.headers);
    if (h == NULL) {
        return PODI_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = ngx_hash_key(lower->data, lower->len);
    h->key = *name;
    h->lowcase_key = lower->data;
    h->value.len = value->len;
    h->value.data = value->data;

    return PODI_OK;
}
