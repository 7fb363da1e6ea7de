/*
 * ngx_podi_unlink: headers taken out of a client's request.
 *
 *     [a X b c] [X d]   ->   [a] [b c] [d]
 *
 * proxy_pass copies each element of the list without looking at its hash, so
 * an element has to leave the list.  Elements do not move, because others
 * point at them: the list is strung anew from the runs between those that
 * go.  nginx's loops allow no empty part but the first.
 */

#include "ngx_podi_core.h"


static ngx_uint_t ngx_podi_unlink_any(const ngx_list_t *list,
    ngx_podi_header_pt goes, void *data);
static ngx_int_t ngx_podi_unlink_part(ngx_list_t *list,
    const ngx_list_part_t *part, ngx_podi_header_pt goes, void *data);
static ngx_int_t ngx_podi_unlink_append(ngx_list_t *list,
    ngx_table_elt_t *run, ngx_uint_t n);


ngx_int_t
ngx_podi_unlink(ngx_http_request_t *r, ngx_podi_header_pt goes, void *data)
{
    ngx_list_t       *list, old;
    ngx_list_part_t  *part;

    list = &r->headers_in.headers;

    if (!ngx_podi_unlink_any(list, goes, data)) {
        return NGX_OK;
    }

    old = *list;

    /* last == NULL: nothing is strung yet */

    list->last = NULL;

    for (part = &old.part; part; part = part->next) {
        if (ngx_podi_unlink_part(list, part, goes, data) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (r->headers_in.authorization != NULL
        && goes(r->headers_in.authorization, data))
    {
        r->headers_in.authorization = NULL;
    }

    if (list->last == NULL) {
        return ngx_list_init(list, old.pool, old.nalloc, old.size);
    }

    list->nalloc = list->last->nelts;   /* the next push makes a new part */

    return NGX_OK;
}


static ngx_int_t
ngx_podi_unlink_part(ngx_list_t *list, const ngx_list_part_t *part,
    ngx_podi_header_pt goes, void *data)
{
    ngx_uint_t        i, first;
    ngx_table_elt_t  *h;

    h = part->elts;
    first = 0;

    for (i = 0; i < part->nelts; i++) {

        if (!goes(&h[i], data)) {
            continue;
        }

        if (ngx_podi_unlink_append(list, &h[first], i - first) != NGX_OK) {
            return NGX_ERROR;
        }

        first = i + 1;
    }

    return ngx_podi_unlink_append(list, &h[first], i - first);
}


static ngx_int_t
ngx_podi_unlink_append(ngx_list_t *list, ngx_table_elt_t *run, ngx_uint_t n)
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
ngx_podi_unlink_any(const ngx_list_t *list, ngx_podi_header_pt goes,
    void *data)
{
    ngx_uint_t              i;
    const ngx_list_part_t  *part;
    const ngx_table_elt_t  *h;

    for (part = &list->part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (goes(&h[i], data)) {
                return 1;
            }
        }
    }

    return 0;
}
