/*
 * podi_provider_result: the results that an answer holds or names.
 *
 *     items_path -> each: failed? -> its value -> checked -> item
 *
 * A job that "succeeded" may still hold sub-results that failed; they are
 * counted, and when nothing is left the job has failed with their code.
 */

#include <string.h>

#include "podi_provider_int.h"
#include "podi_text.h"
#include "banned.h"


static podi_rc_t podi_provider_item(const podi_provider_op_t *op,
    const json_t *found, podi_mem_t *mem, podi_provider_answer_t *a);
static podi_rc_t podi_provider_item_value(const podi_provider_op_t *op,
    const json_t *value, podi_mem_t *mem, podi_provider_item_t *item);


podi_rc_t
podi_provider_items(const podi_provider_op_t *op, const json_t *json,
    podi_mem_t *mem, podi_provider_answer_t *a)
{
    size_t                         i, n = 0;
    unsigned                       alt;
    const json_t                  *found[PODI_PROVIDER_ITEMS_MAX];
    const podi_provider_common_t  *c = &op->c;

    a->usage = podi_provider_scalar(podi_provider_first(&c->usage, json), mem);

    if (c->result_kind == PODI_RESULT_BYTES) {

        a->items = podi_mem_calloc(mem, sizeof(podi_provider_item_t));
        if (a->items == NULL) {
            return PODI_ERROR;
        }

        a->items[0].kind = PODI_RESULT_BYTES;
        a->n_items = 1;

        return PODI_OK;
    }

    for (alt = 0; alt < c->items.n && n == 0; alt++) {
        n = podi_provider_find(c->items.alts[alt], json, found,
                               PODI_PROVIDER_ITEMS_MAX);
    }

    if (n > PODI_PROVIDER_ITEMS_MAX) {
        a->n_missing = n - PODI_PROVIDER_ITEMS_MAX;
        n = PODI_PROVIDER_ITEMS_MAX;
    }

    a->items = podi_mem_calloc(mem, (n + 1) * sizeof(podi_provider_item_t));
    if (a->items == NULL) {
        return PODI_ERROR;
    }

    for (i = 0; i < n; i++) {
        if (podi_provider_item(op, found[i], mem, a) != PODI_OK) {
            a->n_missing++;
        }
    }

    if (a->n_items == 0 && a->code.len == 0) {
        a->code = podi_str_c("no_result");
    }

    return a->n_items > 0 ? PODI_OK : PODI_ERROR;
}


static podi_rc_t
podi_provider_item(const podi_provider_op_t *op, const json_t *found,
    podi_mem_t *mem, podi_provider_answer_t *a)
{
    const json_t                  *value = found, *error;
    const podi_provider_common_t  *c = &op->c;

    error = podi_provider_first(&c->item_error, found);

    if (error != NULL) {

        if (a->code.len == 0) {
            a->code = podi_provider_scalar(error, mem);
            a->code.len = a->code.len < 64 ? a->code.len : 64;
            podi_str_clean(&a->code);
        }

        return PODI_ERROR;
    }

    if (c->item_value.n > 0) {
        value = podi_provider_first(&c->item_value, found);
    }

    if (value == NULL
        || podi_provider_item_value(op, value, mem, &a->items[a->n_items])
           != PODI_OK)
    {
        return PODI_ERROR;
    }

    a->n_items++;

    return PODI_OK;
}


static podi_rc_t
podi_provider_item_value(const podi_provider_op_t *op, const json_t *value,
    podi_mem_t *mem, podi_provider_item_t *item)
{
    podi_str_t      s;
    unsigned char  *comma;

    item->kind = (podi_result_e) op->c.result_kind;

    if (item->kind == PODI_RESULT_JSON) {
        return podi_json_dump(value, mem, &item->value);
    }

    s = podi_json_str(value);

    if (s.len == 0) {
        return PODI_ERROR;
    }

    if (item->kind == PODI_RESULT_URL) {
        if (!podi_provider_may_fetch(op, &s)) {
            return PODI_ERROR;
        }

    } else if (podi_str_has_prefix(&s, "data:")) {

        comma = memchr(s.data, ',', s.len);
        if (comma == NULL) {
            return PODI_ERROR;
        }

        s.len -= (size_t) (comma + 1 - s.data);
        s.data = comma + 1;
    }

    item->value = s;

    return PODI_OK;
}
