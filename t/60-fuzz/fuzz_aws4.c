/*
 * fuzz_aws4: the canonical request and the signature, as the documentation of
 * Amazon S3 has them.
 *
 *     METHOD LF path LF query LF name:value LF ... LF names LF payload hash
 */

#define _GNU_SOURCE                 /* memmem */

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "fuzz_aws4.h"
#include "podi_buf.h"
#include "banned.h"


static int aws4_decode(const podi_str_t *s, podi_str_t *ret);
static void aws4_query(const aws4_parts_t *p, podi_buf_t *b);
static void aws4_headers(const aws4_request_t *r, const aws4_parts_t *p,
    podi_buf_t *b);
static void aws4_value(const podi_str_t *s, podi_buf_t *b);
static void aws4_encode(const podi_str_t *s, int slash, podi_buf_t *b);
static int aws4_order(const void *a, const void *b);
static void aws4_mac(const uint8_t *key, size_t len, const podi_str_t *s,
    uint8_t *mac);
static podi_str_t aws4_hex(const uint8_t *digest);
static podi_str_t aws4_take(podi_buf_t *b);


int
aws4_parts(const aws4_request_t *r, aws4_parts_t *p)
{
    podi_str_t  rest = r->target, part, name, auth;

    memset(p, 0, sizeof(*p));

    (void) podi_str_split(&rest, '?', &part);

    if (!aws4_decode(&part, &p->path)) {
        return 0;
    }

    while (podi_str_split(&rest, '&', &part)) {

        if (part.len == 0) {
            continue;
        }

        (void) podi_str_split(&part, '=', &name);

        if (p->n == AWS4_PAIRS || !aws4_decode(&name, &p->query[p->n].name)
            || !aws4_decode(&part, &p->query[p->n].value))
        {
            return 0;
        }

        p->n++;
    }

    p->in_query = aws4_param(p, "X-Amz-Algorithm").data != NULL;

    if (p->in_query) {
        p->list = aws4_param(p, "X-Amz-SignedHeaders");
        p->date = aws4_param(p, "X-Amz-Date");
        p->payload = aws4_param(p, "X-Amz-Content-Sha256");

        if (p->payload.data == NULL) {
            p->payload = podi_str_c("UNSIGNED-PAYLOAD");
        }

    } else {
        auth = aws4_header(r, "authorization");
        p->list = aws4_between(&auth, "SignedHeaders=", ',');
        p->date = aws4_header(r, "x-amz-date");
        p->payload = aws4_header(r, "x-amz-content-sha256");
    }

    return p->list.len != 0 && p->date.len >= 8;
}


static int
aws4_decode(const podi_str_t *s, podi_str_t *ret)
{
    char        pair[3] = "", *end;
    size_t      i;
    podi_buf_t  b;

    podi_buf_init(&b, fuzz_mem());

    for (i = 0; i < s->len; i++) {

        if (s->data[i] != '%') {
            podi_buf_add_byte(&b, s->data[i]);
            continue;
        }

        if (s->len - i < 3 || strspn((const char *) memcpy(pair,
                                         s->data + i + 1, 2),
                                     "0123456789abcdefABCDEF") != 2)
        {
            return 0;
        }

        podi_buf_add_byte(&b, (uint8_t) strtoul(pair, &end, 16));
        i += 2;
    }

    *ret = aws4_take(&b);

    return 1;
}


podi_str_t
aws4_param(const aws4_parts_t *p, const char *name)
{
    size_t      i;
    podi_str_t  none = podi_null_str;

    for (i = 0; i < p->n; i++) {
        if (podi_str_eq_c(&p->query[i].name, name)) {
            return p->query[i].value;
        }
    }

    return none;
}


podi_str_t
aws4_header(const aws4_request_t *r, const char *name)
{
    size_t      i;
    podi_str_t  value = podi_null_str;

    for (i = 0; i < r->n && value.data == NULL; i++) {
        if (podi_str_eq_c(&r->headers[i].name, name)) {
            value = r->headers[i].value;
        }
    }

    /* nginx has taken the blanks away */

    while (value.len != 0 && value.data[0] == ' ') {
        value.data++;
        value.len--;
    }

    return value;
}


podi_str_t
aws4_between(const podi_str_t *s, const char *from, char to)
{
    podi_str_t            found = podi_null_str;
    const unsigned char  *p, *end;

    p = s->len ? memmem(s->data, s->len, from, strlen(from)) : NULL;

    if (p == NULL) {
        return found;
    }

    p += strlen(from);
    end = memchr(p, to, (size_t) (s->data + s->len - p));

    found.data = s->data + (p - s->data);
    found.len = (size_t) ((end ? end : s->data + s->len) - p);

    return found;
}


podi_str_t
aws4_canonical(const aws4_request_t *r, const aws4_parts_t *p)
{
    podi_buf_t  b;

    podi_buf_init(&b, fuzz_mem());
    podi_buf_add_str(&b, &r->method);
    podi_buf_add_byte(&b, '\n');
    aws4_encode(&p->path, 1, &b);
    podi_buf_add_byte(&b, '\n');
    aws4_query(p, &b);
    podi_buf_add_byte(&b, '\n');
    aws4_headers(r, p, &b);
    podi_buf_add_byte(&b, '\n');
    podi_buf_add_str(&b, &p->list);
    podi_buf_add_byte(&b, '\n');
    podi_buf_add_str(&b, &p->payload);

    return aws4_take(&b);
}


/* without the signature, sorted as it is encoded */

static void
aws4_query(const aws4_parts_t *p, podi_buf_t *b)
{
    size_t       i, n = 0;
    podi_buf_t   one;
    podi_pair_t  pairs[AWS4_PAIRS];

    for (i = 0; i < p->n; i++) {

        if (podi_str_eq_c(&p->query[i].name, "X-Amz-Signature")) {
            continue;
        }

        podi_buf_init(&one, fuzz_mem());
        aws4_encode(&p->query[i].name, 0, &one);
        pairs[n].name = aws4_take(&one);

        podi_buf_init(&one, fuzz_mem());
        aws4_encode(&p->query[i].value, 0, &one);
        pairs[n++].value = aws4_take(&one);
    }

    qsort(pairs, n, sizeof(podi_pair_t), aws4_order);

    for (i = 0; i < n; i++) {
        if (i != 0) {
            podi_buf_add_byte(b, '&');
        }

        podi_buf_add_str(b, &pairs[i].name);
        podi_buf_add_byte(b, '=');
        podi_buf_add_str(b, &pairs[i].value);
    }
}


/* what is encoded has no NUL */

static int
aws4_order(const void *a, const void *b)
{
    int                 order;
    const podi_pair_t  *x = a, *y = b;

    order = strcmp((char *) x->name.data, (char *) y->name.data);

    return order ? order
                 : strcmp((char *) x->value.data, (char *) y->value.data);
}


/* in the order of the list; those of one name behind each other */

static void
aws4_headers(const aws4_request_t *r, const aws4_parts_t *p,
    podi_buf_t *b)
{
    size_t      i, n;
    podi_str_t  rest = p->list, name;

    while (podi_str_split(&rest, ';', &name)) {

        podi_buf_add_str(b, &name);
        podi_buf_add_byte(b, ':');

        for (i = 0, n = 0; i < r->n; i++) {

            if (!podi_str_eq(&r->headers[i].name, &name)) {
                continue;
            }

            if (n++ != 0) {
                podi_buf_add_byte(b, ',');
            }

            aws4_value(&r->headers[i].value, b);
        }

        podi_buf_add_byte(b, '\n');
    }
}


/* without blanks around it, and one for several in it */

static void
aws4_value(const podi_str_t *s, podi_buf_t *b)
{
    size_t  from = 0, to = s->len, i;

    while (to > from && strchr(" \t", s->data[to - 1]) && s->data[to - 1]) {
        to--;
    }

    while (from < to && strchr(" \t", s->data[from]) && s->data[from]) {
        from++;
    }

    for (i = from; i < to; i++) {
        if (s->data[i] != ' ' || s->data[i + 1] != ' ') {
            podi_buf_add_byte(b, s->data[i]);
        }
    }
}


static void
aws4_encode(const podi_str_t *s, int slash, podi_buf_t *b)
{
    size_t             i;
    static const char  plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmn"
                                 "opqrstuvwxyz0123456789-._~";

    for (i = 0; i < s->len; i++) {
        if ((s->data[i] != '\0' && strchr(plain, s->data[i]))
            || (slash && s->data[i] == '/'))
        {
            podi_buf_add_byte(b, s->data[i]);

        } else {
            podi_buf_printf(b, "%%%02X", s->data[i]);
        }
    }
}


podi_str_t
aws4_sign(const aws4_parts_t *p, const podi_str_t *canonical)
{
    int          i;
    uint8_t      mac[32], digest[32];
    podi_buf_t   b;
    podi_str_t   text, parts[4];

    fuzz_assert(EVP_Digest(canonical->data, canonical->len, digest, NULL,
                           EVP_sha256(), NULL) == 1);

    text = aws4_hex(digest);

    podi_buf_init(&b, fuzz_mem());
    podi_buf_printf(&b, "AWS4-HMAC-SHA256\n" PODI_STR_FMT "\n"
                    PODI_STR_FMT "/us-east-1/s3/aws4_request\n" PODI_STR_FMT,
                    podi_str_arg(&p->date), 8, (const char *) p->date.data,
                    podi_str_arg(&text));
    text = aws4_take(&b);

    parts[0].data = p->date.data;
    parts[0].len = 8;
    parts[1] = podi_str_c("us-east-1");
    parts[2] = podi_str_c("s3");
    parts[3] = podi_str_c("aws4_request");

    aws4_mac((const uint8_t *) "AWS4" AWS4_SECRET, strlen("AWS4" AWS4_SECRET),
             &parts[0], mac);

    for (i = 1; i < 4; i++) {
        aws4_mac(mac, sizeof(mac), &parts[i], mac);
    }

    aws4_mac(mac, sizeof(mac), &text, mac);

    return aws4_hex(mac);
}


static void
aws4_mac(const uint8_t *key, size_t len, const podi_str_t *s, uint8_t *mac)
{
    uint8_t  out[32];

    fuzz_assert(HMAC(EVP_sha256(), key, (int) len, s->data, s->len, out, NULL)
                != NULL);
    memcpy(mac, out, sizeof(out));
}


static podi_str_t
aws4_hex(const uint8_t *digest)
{
    int         i;
    podi_buf_t  b;

    podi_buf_init(&b, fuzz_mem());

    for (i = 0; i < 32; i++) {
        podi_buf_printf(&b, "%02x", digest[i]);
    }

    return aws4_take(&b);
}


/* with a NUL behind it */

static podi_str_t
aws4_take(podi_buf_t *b)
{
    podi_str_t  s;

    podi_buf_add_byte(b, '\0');
    fuzz_assert(podi_buf_take(b, &s) == PODI_OK);
    s.len--;

    return s;
}
