/*
 * Headers that only PODI may set, taken out of a client's request.
 *
 *     [a X b c] [X d]   ->   [a] [b c] [d]
 *
 * proxy_pass copies each element of the list without looking at its hash, so
 * an element has to leave the list.  Elements do not move, because others
 * point at them: the list is strung anew from the runs between those that
 * go.  nginx's loops allow no empty part but the first.
 */

#include "ngx_podi_core.h"
#include "ngx_http_podi_trace.h"


static ngx_uint_t ngx_http_podi_trace_is_ours(const ngx_table_elt_t *h);
static ngx_uint_t ngx_http_podi_trace_has_ours(const ngx_list_t *list);
static ngx_int_t ngx_http_podi_trace_append(ngx_list_t *list,
    ngx_table_elt_t *run, ngx_uint_t n);
static ngx_int_t ngx_http_podi_trace_part(ngx_list_t *list,
    const ngx_list_part_t *part);


ngx_int_t
ngx_http_podi_trace_strip(ngx_http_request_t *r)
{
    ngx_list_t       *list, old;
    ngx_list_part_t  *part;

    list = &r->headers_in.headers;

    if (!ngx_http_podi_trace_has_ours(list)) {
        return NGX_OK;
    }

    old = *list;

    /* last == NULL: nothing is strung yet */

    list->last = NULL;

    for (part = &old.part; part; part = part->next) {
        if (ngx_http_podi_trace_part(list, part) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (list->last == NULL) {
        return ngx_list_init(list, old.pool, old.nalloc, old.size);
    }

    list->nalloc = list->last->nelts;   /* the next push makes a new part */

    return NGX_OK;
}


static ngx_int_t
ngx_http_podi_trace_part(ngx_list_t *list, const ngx_list_part_t *part)
{
    ngx_uint_t        i, first;
    ngx_table_elt_t  *h;

    h = part->elts;
    first = 0;

    for (i = 0; i < part->nelts; i++) {

        if (!ngx_http_podi_trace_is_ours(&h[i])) {
            continue;
        }

        if (ngx_http_podi_trace_append(list, &h[first], i - first) != NGX_OK)
        {
            return NGX_ERROR;
        }

        first = i + 1;
    }

    return ngx_http_podi_trace_append(list, &h[first], i - first);
}


static ngx_int_t
ngx_http_podi_trace_append(ngx_list_t *list, ngx_table_elt_t *run,
    ngx_uint_t n)
{
    ngx_list_part_t  *part;

    if (n == 0) {
        return NGX_OK;
    }

    part = &list->part;

    if (list->last != NULL) {

        part = ngx_palloc(list->pool, sizeof(ngx_list_part_t));
        if (part == NULL) {
            return NGX_ERROR;
        }

        list->last->next = part;
    }

    part->elts = run;
    part->nelts = n;
    part->next = NULL;

    list->last = part;

    return NGX_OK;
}


static ngx_uint_t
ngx_http_podi_trace_has_ours(const ngx_list_t *list)
{
    ngx_uint_t              i;
    const ngx_list_part_t  *part;
    const ngx_table_elt_t  *h;

    for (part = &list->part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (ngx_http_podi_trace_is_ours(&h[i])) {
                return 1;
            }
        }
    }

    return 0;
}


/* X-Podi-User, and X_Podi_User where underscores_in_headers is on */

static ngx_uint_t
ngx_http_podi_trace_is_ours(const ngx_table_elt_t *h)
{
    const u_char  *k = h->key.data;

    return h->key.len > 7
           && (k[0] == 'x' || k[0] == 'X')
           && (k[1] == '-' || k[1] == '_')
           && ngx_strncasecmp((u_char *) k + 2, (u_char *) "podi", 4) == 0
           && (k[6] == '-' || k[6] == '_');
}
