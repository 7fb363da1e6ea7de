/*
 * ngx_podi_reply: JSON answers.
 *
 * What was not read of the body is thrown away first, so that the connection
 * can be kept.  Answers are private to who asked: no cache keeps them.
 */

#include "ngx_podi_core.h"


static void ngx_podi_reply_buf(ngx_http_request_t *r, ngx_buf_t *b,
    const podi_str_t *body);
static podi_rc_t ngx_podi_row_object(podi_flow_t *f, ngx_http_request_t *r,
    podi_buf_t *b, const podi_pg_result_t *res, int row,
    ngx_podi_row_pt more);


podi_rc_t
ngx_podi_reply(podi_flow_t *f, ngx_http_request_t *r, ngx_uint_t status,
    const podi_str_t *json)
{
    ngx_podi_flow_outcome(f, ngx_podi_send(r, status, "application/json",
                                           json));
    return PODI_DONE;
}


podi_rc_t
ngx_podi_reply_empty(podi_flow_t *f, ngx_http_request_t *r,
    ngx_uint_t status)
{
    ngx_podi_flow_outcome(f, ngx_podi_send(r, status, NULL, NULL));

    return PODI_DONE;
}


podi_rc_t
ngx_podi_reply_row(podi_flow_t *f, ngx_http_request_t *r, ngx_uint_t status,
    const podi_pg_result_t *res, const podi_str_t *more)
{
    podi_buf_t  b;
    podi_str_t  json;

    if (podi_rows(res) == 0) {
        return podi_fail(&f->fail, PODI_E_NOT_FOUND, NULL, "no row");
    }

    podi_buf_init(&b, f->mem);
    podi_buf_add_byte(&b, '{');
    podi_row_json(&b, res, 0);

    if (more != NULL) {
        podi_buf_add_str(&b, more);
    }

    podi_buf_add_byte(&b, '}');

    if (podi_buf_take(&b, &json) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return ngx_podi_reply(f, r, status, &json);
}


podi_rc_t
ngx_podi_reply_rows(podi_flow_t *f, ngx_http_request_t *r,
    const podi_pg_result_t *res, int64_t limit, const char *cursor,
    ngx_podi_row_pt more)
{
    int         row, shown;
    podi_buf_t  b;
    podi_str_t  json, next;

    shown = podi_rows(res);

    if (shown > limit) {
        shown = (int) limit;
    }

    podi_buf_init(&b, f->mem);
    podi_buf_add_c(&b, "{\"items\":[");

    for (row = 0; row < shown; row++) {

        if (row != 0) {
            podi_buf_add_byte(&b, ',');
        }

        if (ngx_podi_row_object(f, r, &b, res, row, more) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    podi_buf_add_c(&b, "],\"next\":");

    if (shown > 0 && podi_rows(res) > shown) {
        next = podi_row_str(res, shown - 1, cursor);
        podi_buf_add_json(&b, &next);
    } else {
        podi_buf_add_c(&b, "null");
    }

    podi_buf_add_byte(&b, '}');

    if (podi_buf_take(&b, &json) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return ngx_podi_reply(f, r, NGX_HTTP_OK, &json);
}


static podi_rc_t
ngx_podi_row_object(podi_flow_t *f, ngx_http_request_t *r, podi_buf_t *b,
    const podi_pg_result_t *res, int row, ngx_podi_row_pt more)
{
    podi_buf_add_byte(b, '{');
    podi_row_json(b, res, row);

    if (more != NULL && more(f, r, b, res, row) != PODI_OK) {
        return PODI_ERROR;
    }

    podi_buf_add_byte(b, '}');

    return PODI_OK;
}


/* a NULL body: headers only */

ngx_int_t
ngx_podi_send(ngx_http_request_t *r, ngx_uint_t status, const char *type,
    const podi_str_t *body)
{
    ngx_int_t     rc;
    ngx_buf_t    *b;
    podi_str_t    no_store = podi_string("no-store");
    ngx_chain_t   out;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    r->headers_out.status = status;

    /* an "If-None-Match: *" of a PUT would turn its 200 into a 304 */
    r->disable_not_modified = 1;

    if (status == 422) {                /* nginx does not know its words */
        ngx_str_set(&r->headers_out.status_line, "422 Unprocessable Content");
    }

    r->headers_out.content_length_n = (body != NULL) ? (off_t) body->len : 0;

    if (type != NULL) {
        r->headers_out.content_type.data = (u_char *) type;
        r->headers_out.content_type.len = ngx_strlen(type);
        r->headers_out.content_type_len = r->headers_out.content_type.len;
    }

    if (ngx_podi_header_add(r, "Cache-Control", &no_store) != PODI_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (body == NULL || body->len == 0) {
        r->header_only = 1;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    ngx_podi_reply_buf(r, b, body);

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static void
ngx_podi_reply_buf(ngx_http_request_t *r, ngx_buf_t *b,
    const podi_str_t *body)
{
    b->pos = body->data;
    b->last = body->data + body->len;
    b->memory = 1;
    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;
}


/* the first header of a name stays: a feature's wish comes before ours */

podi_rc_t
ngx_podi_header_add(ngx_http_request_t *r, const char *name,
    const podi_str_t *value)
{
    size_t            len;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    len = ngx_strlen(name);

    if (len == 13 && ngx_strcmp(name, "Cache-Control") == 0) {

        for (part = &r->headers_out.headers.part; part; part = part->next) {
            h = part->elts;

            for (i = 0; i < part->nelts; i++) {
                if (h[i].hash != 0 && h[i].key.len == len
                    && ngx_strncasecmp(h[i].key.data, (u_char *) name, len)
                       == 0)
                {
                    return PODI_OK;
                }
            }
        }
    }

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return PODI_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->key.data = (u_char *) name;
    h->key.len = len;
    h->value.data = value->data;
    h->value.len = value->len;
    h->hash = 1;

    return PODI_OK;
}
