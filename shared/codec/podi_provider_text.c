/*
 * podi_provider_text: templates, compiled.
 *
 *     "a {{prompt}} b"           -> pieces: text, variable, text
 *     {"n": "{{count:integer}}"} -> node: object -> member: one variable
 *
 *     {{ path [| path]... [:type] [=fallback | ?] }}
 *
 * A string that is one variable alone becomes a value of its type; in a longer
 * one every variable becomes text.  Filling in is in podi_provider_fill.c.
 */

#include <string.h>

#include "podi_provider_int.h"
#include "podi_text.h"
#include "banned.h"


static const char *const  podi_provider_types[] = {
    "string", "integer", "number", "boolean", "object", "array", "json",
    "path", NULL
};


static podi_rc_t podi_provider_pieces(podi_provider_load_t *l,
    const podi_str_t *text, int is_url, podi_provider_piece_t **ret_pieces);
static podi_rc_t podi_provider_pieces_fit(podi_provider_load_t *l,
    const podi_provider_piece_t *first, int is_url);
static podi_provider_piece_t *podi_provider_piece(podi_provider_load_t *l,
    podi_provider_piece_t ***last);
static podi_rc_t podi_provider_var(podi_provider_load_t *l, podi_str_t text,
    podi_provider_var_t **ret_var);
static podi_rc_t podi_provider_var_from(podi_provider_load_t *l,
    podi_str_t names, podi_provider_var_t *var);
static podi_rc_t podi_provider_var_type(podi_provider_load_t *l,
    const podi_str_t *name, podi_provider_var_t *var);
static podi_rc_t podi_provider_var_fallback(podi_provider_load_t *l,
    const podi_str_t *text, podi_provider_var_t *var);
static podi_rc_t podi_provider_node(podi_provider_load_t *l,
    const json_t *value, podi_provider_node_t **ret_node);
static podi_rc_t podi_provider_children(podi_provider_load_t *l,
    const json_t *value, podi_provider_node_t *node);


/* row->arg: it is a URL */

podi_rc_t
podi_provider_read_text(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    podi_str_t           s;
    podi_provider_row_t  bounds = { NULL, NULL, 0, 1, 2048, NULL };

    if (podi_provider_read_str(l, value, &s, &bounds) != PODI_OK) {
        return PODI_ERROR;
    }

    return podi_provider_pieces(l, &s, row->arg != NULL, dst);
}


/* an object of texts; row->arg: its names are those of headers */

podi_rc_t
podi_provider_read_texts(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    void                  *iter;
    json_t                *o = (json_t *) (uintptr_t) value;
    podi_str_t             name;
    podi_provider_node_t  *node;

    if (!json_is_object(value)) {
        return podi_provider_wrong(l, "it must be an object of strings");
    }

    if (podi_provider_node(l, value, &node) != PODI_OK) {
        return PODI_ERROR;
    }

    for (iter = json_object_iter(o);
         iter != NULL;
         iter = json_object_iter_next(o, iter))
    {
        if (podi_provider_enter(l, json_object_iter_key(iter), 0)
            != PODI_OK)
        {
            return PODI_ERROR;
        }

        if (!json_is_string(json_object_iter_value(iter))) {
            return podi_provider_wrong(l, "it must be a string");
        }

        if (row->arg != NULL) {
            json_t  *key = json_string(json_object_iter_key(iter));

            if (podi_json_own(l->mem, key) != PODI_OK) {
                return podi_provider_no_memory(l->fail);
            }

            l->at_key = 1;

            if (podi_provider_read_header(l, key, &name, row) != PODI_OK) {
                return PODI_ERROR;
            }

            l->at_key = 0;
        }

        podi_provider_leave(l);
    }

    *(podi_provider_node_t **) dst = node;

    return PODI_OK;
}


podi_rc_t
podi_provider_read_node(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    (void) row;

    if (!json_is_object(value)) {
        return podi_provider_wrong(l, "it must be an object");
    }

    return podi_provider_node(l, value, dst);
}


static podi_rc_t
podi_provider_node(podi_provider_load_t *l, const json_t *value,
    podi_provider_node_t **ret_node)
{
    podi_str_t             s;
    podi_provider_node_t  *node;

    node = podi_mem_calloc(l->mem, sizeof(podi_provider_node_t));
    if (node == NULL) {
        return podi_provider_no_memory(l->fail);
    }

    *ret_node = node;

    if (json_is_object(value) || json_is_array(value)) {
        node->kind = json_is_object(value) ? PODI_NODE_OBJECT
                                           : PODI_NODE_ARRAY;
        return podi_provider_children(l, value, node);
    }

    if (json_is_string(value)) {
        node->kind = PODI_NODE_TEXT;
        s = podi_json_str(value);
        return podi_provider_pieces(l, &s, 0, &node->pieces);
    }

    node->kind = PODI_NODE_LITERAL;
    node->literal = value;

    return PODI_OK;
}


static podi_rc_t
podi_provider_children(podi_provider_load_t *l, const json_t *value,
    podi_provider_node_t *node)
{
    void                   *iter = NULL;
    size_t                  i, n;
    json_t                 *v = (json_t *) (uintptr_t) value;
    const char             *key = NULL;
    const json_t           *child;
    podi_provider_node_t  **last = &node->first;

    if (json_is_object(value)) {
        iter = json_object_iter(v);
        n = json_object_size(value);

    } else {
        n = json_array_size(value);
    }

    for (i = 0; i < n; i++) {

        if (iter != NULL) {
            key = json_object_iter_key(iter);
            child = json_object_iter_value(iter);

        } else {
            child = json_array_get(value, i);
        }

        if (podi_provider_enter(l, key, i) != PODI_OK
            || podi_provider_node(l, child, last) != PODI_OK)
        {
            return PODI_ERROR;
        }

        podi_provider_leave(l);

        (*last)->name = podi_str_c(key);
        last = &(*last)->next;

        if (iter != NULL) {
            iter = json_object_iter_next(v, iter);
        }
    }

    return PODI_OK;
}


static podi_rc_t
podi_provider_pieces(podi_provider_load_t *l, const podi_str_t *text,
    int is_url, podi_provider_piece_t **ret_pieces)
{
    podi_str_t               rest = *text, name;
    unsigned char           *open, *close;
    podi_provider_piece_t   *piece, *first = NULL, **last = &first;

    do {
        open = podi_text_find(&rest, "{{");

        if (open == NULL || open > rest.data || text->len == 0) {
            piece = podi_provider_piece(l, &last);
            if (piece == NULL) {
                return podi_provider_no_memory(l->fail);
            }

            piece->text = rest;

            if (open == NULL) {
                break;
            }

            piece->text.len = (size_t) (open - rest.data);
        }

        rest.len -= (size_t) (open + 2 - rest.data);
        rest.data = open + 2;
        close = podi_text_find(&rest, "}}");

        if (close == NULL) {
            return podi_provider_wrong(l, "a {{ that does not end");
        }

        name.data = rest.data;
        name.len = (size_t) (close - rest.data);

        piece = podi_provider_piece(l, &last);

        if (piece == NULL) {
            return podi_provider_no_memory(l->fail);
        }

        if (podi_provider_var(l, name, &piece->var) != PODI_OK) {
            return PODI_ERROR;
        }

        rest.len -= (size_t) (close + 2 - rest.data);
        rest.data = close + 2;

    } while (rest.len > 0);

    *ret_pieces = first;

    return podi_provider_pieces_fit(l, first, is_url);
}


static podi_rc_t
podi_provider_pieces_fit(podi_provider_load_t *l,
    const podi_provider_piece_t *first, int is_url)
{
    podi_var_e                    type;
    const podi_provider_piece_t  *piece;

    for (piece = first; piece != NULL; piece = piece->next) {

        if (piece->var == NULL) {
            continue;
        }

        type = piece->var->type;

        if ((piece != first || piece->next != NULL || is_url)
            && (type == PODI_VAR_OBJECT || type == PODI_VAR_ARRAY
                || type == PODI_VAR_JSON))
        {
            return podi_provider_wrong(l, "%s cannot stand in a text",
                                       podi_provider_types[type]);
        }

        if (type == PODI_VAR_PATH && !is_url) {
            return podi_provider_wrong(l, "path is for URLs only");
        }
    }

    return PODI_OK;
}


static podi_provider_piece_t *
podi_provider_piece(podi_provider_load_t *l, podi_provider_piece_t ***last)
{
    podi_provider_piece_t  *piece;

    piece = podi_mem_calloc(l->mem, sizeof(podi_provider_piece_t));

    if (piece != NULL) {
        **last = piece;
        *last = &piece->next;
    }

    return piece;
}


static podi_rc_t
podi_provider_var(podi_provider_load_t *l, podi_str_t text,
    podi_provider_var_t **ret_var)
{
    size_t                n;
    podi_str_t            names, type = podi_null_str, fallback;
    podi_provider_var_t  *var;

    var = podi_mem_calloc(l->mem, sizeof(podi_provider_var_t));
    if (var == NULL) {
        return podi_provider_no_memory(l->fail);
    }

    text = podi_text_trim(text);

    for (n = 0; n < text.len && strchr(":=?", text.data[n]) == NULL; n++) {
        /* void */
    }

    names.data = text.data;
    names.len = n;

    if (n < text.len && text.data[n] == ':') {
        type.data = text.data + ++n;

        while (n < text.len && strchr("=?", text.data[n]) == NULL) {
            n++;
        }

        type.len = (size_t) (text.data + n - type.data);
    }

    fallback.data = text.data + n + 1;
    fallback.len = n < text.len ? text.len - n - 1 : 0;

    if (n < text.len && text.data[n] == '?') {
        var->optional = 1;

        if (fallback.len) {
            return podi_provider_wrong(l, "nothing can follow the ? of a "
                                       "variable");
        }
    }

    var->place = podi_provider_here(l);
    if (var->place == NULL) {
        return podi_provider_no_memory(l->fail);
    }

    if (podi_provider_var_from(l, names, var) != PODI_OK
        || podi_provider_var_type(l, &type, var) != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (n < text.len && text.data[n] == '='
        && podi_provider_var_fallback(l, &fallback, var) != PODI_OK)
    {
        return PODI_ERROR;
    }

    *ret_var = var;

    return PODI_OK;
}


static podi_rc_t
podi_provider_var_from(podi_provider_load_t *l, podi_str_t names,
    podi_provider_var_t *var)
{
    podi_str_t   name;
    const char  *why;

    while (podi_str_split(&names, '|', &name)) {

        if (var->from.n == PODI_PROVIDER_ALTS) {
            return podi_provider_wrong(l, "a variable of more than %d names",
                                       PODI_PROVIDER_ALTS);
        }

        name = podi_text_trim(name);

        if (podi_provider_path(&name, l->mem, &var->from.alts[var->from.n],
                               &why)
            != PODI_OK
            || var->from.alts[var->from.n]->hops[0].kind != PODI_HOP_KEY)
        {
            return podi_provider_wrong(l, "a variable with %s",
                                       why ? why : "no name");
        }

        if (var->from.n++ == 0) {
            var->name = name;
        }
    }

    if (var->from.n == 0) {
        return podi_provider_wrong(l, "a variable without a name");
    }

    return PODI_OK;
}


static podi_rc_t
podi_provider_var_type(podi_provider_load_t *l, const podi_str_t *name,
    podi_provider_var_t *var)
{
    int  i;

    if (name->data == NULL) {
        return PODI_OK;                 /* a string */
    }

    for (i = 0; podi_provider_types[i] != NULL; i++) {
        if (podi_str_eq_c(name, podi_provider_types[i])) {
            var->type = (podi_var_e) i;
            return PODI_OK;
        }
    }

    return podi_provider_wrong(l, "\"%.20s\" is no type of a variable",
                               (const char *) name->data);
}


static podi_rc_t
podi_provider_var_fallback(podi_provider_load_t *l, const podi_str_t *text,
    podi_provider_var_t *var)
{
    int  fits;

    if (var->type == PODI_VAR_STRING || var->type == PODI_VAR_PATH) {
        var->fallback = json_stringn((const char *) text->data, text->len);
        fits = 1;

    } else {
        var->fallback = json_loadb((const char *) text->data, text->len,
                                   JSON_DECODE_ANY|JSON_REJECT_DUPLICATES,
                                   NULL);
        fits = var->type == PODI_VAR_JSON
               || (var->type == PODI_VAR_INTEGER
                   && json_is_integer(var->fallback))
               || (var->type == PODI_VAR_NUMBER
                   && json_is_number(var->fallback))
               || (var->type == PODI_VAR_BOOLEAN
                   && json_is_boolean(var->fallback))
               || (var->type == PODI_VAR_OBJECT
                   && json_is_object(var->fallback))
               || (var->type == PODI_VAR_ARRAY
                   && json_is_array(var->fallback));
    }

    if (podi_json_own(l->mem, var->fallback) != PODI_OK || !fits) {
        return podi_provider_wrong(l, "the fallback of a variable is no %s",
                                   podi_provider_types[var->type]);
    }

    return PODI_OK;
}
