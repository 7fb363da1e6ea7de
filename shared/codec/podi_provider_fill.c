/*
 * podi_provider_fill: templates, filled in.
 *
 *     node -> member by member -> JSON text
 *
 * The structure comes from the description alone: what is put in is written
 * as one JSON value, or as characters of a string, and is never read again.
 * What an optional variable leaves out takes the member with it.
 */

#include <stdio.h>
#include <string.h>

#include "podi_provider_int.h"
#include "banned.h"


static podi_rc_t podi_provider_fill_many(const podi_provider_node_t *node,
    const podi_provider_ask_t *ask, podi_buf_t *b, podi_fail_t *fail);
static podi_rc_t podi_provider_fill_string(const podi_provider_node_t *node,
    const podi_provider_ask_t *ask, podi_buf_t *b, podi_fail_t *fail);
static podi_rc_t podi_provider_fill_value(const podi_provider_var_t *var,
    const podi_provider_ask_t *ask, podi_buf_t *b, podi_fail_t *fail);
static int podi_provider_typed(podi_var_e type, const json_t *value,
    json_t **ret_made);
static json_t *podi_provider_as_text(const json_t *value);
static podi_rc_t podi_provider_fill_piece(const podi_provider_var_t *var,
    const podi_str_t *s, podi_fill_e how, podi_buf_t *b, podi_fail_t *fail);
static podi_rc_t podi_provider_fill_path(const podi_provider_var_t *var,
    const podi_str_t *s, podi_buf_t *b, podi_fail_t *fail);
static podi_rc_t podi_provider_unfit(const podi_provider_var_t *var,
    const char *why, podi_fail_t *fail);


podi_rc_t
podi_provider_fill(const podi_provider_node_t *node,
    const podi_provider_ask_t *ask, podi_buf_t *b, podi_fail_t *fail)
{
    podi_rc_t  rc;

    switch (node->kind) {

    case PODI_NODE_LITERAL:
        podi_json_add(b, node->literal);
        rc = PODI_OK;
        break;

    case PODI_NODE_TEXT:
        rc = podi_provider_fill_string(node, ask, b, fail);
        break;

    default:
        rc = podi_provider_fill_many(node, ask, b, fail);
    }

    if (rc == PODI_OK && b->len > PODI_PROVIDER_BODY_MAX) {
        return podi_fail(fail, PODI_E_BODY_TOO_LARGE, NULL,
                         "the request would have more than %d bytes",
                         PODI_PROVIDER_BODY_MAX);
    }

    return rc;
}


static podi_rc_t
podi_provider_fill_many(const podi_provider_node_t *node,
    const podi_provider_ask_t *ask, podi_buf_t *b, podi_fail_t *fail)
{
    int                          is_object, n = 0;
    size_t                       len;
    podi_rc_t                    rc;
    const podi_provider_node_t  *child;

    is_object = node->kind == PODI_NODE_OBJECT;
    podi_buf_add_byte(b, is_object ? '{' : '[');

    for (child = node->first; child != NULL; child = child->next) {

        len = b->len;

        if (n > 0) {
            podi_buf_add_byte(b, ',');
        }

        if (is_object) {
            podi_buf_add_json(b, &child->name);
            podi_buf_add_byte(b, ':');
        }

        rc = podi_provider_fill(child, ask, b, fail);

        if (rc == PODI_DECLINED) {
            b->len = len;
            continue;
        }

        if (rc != PODI_OK) {
            return rc;
        }

        n++;
    }

    podi_buf_add_byte(b, is_object ? '}' : ']');

    return PODI_OK;
}


static podi_rc_t
podi_provider_fill_string(const podi_provider_node_t *node,
    const podi_provider_ask_t *ask, podi_buf_t *b, podi_fail_t *fail)
{
    podi_rc_t                     rc;
    podi_buf_t                    text;
    podi_str_t                    s;
    const podi_provider_piece_t  *piece = node->pieces;

    if (piece->next == NULL && piece->var != NULL) {
        return podi_provider_fill_value(piece->var, ask, b, fail);
    }

    podi_buf_init(&text, b->mem);

    rc = podi_provider_fill_text(piece, ask, PODI_FILL_RAW, &text, fail);
    if (rc != PODI_OK) {
        return rc;
    }

    if (podi_buf_take(&text, &s) != PODI_OK) {
        return podi_provider_no_memory(fail);
    }

    podi_buf_add_json(b, &s);

    return PODI_OK;
}


static podi_rc_t
podi_provider_fill_value(const podi_provider_var_t *var,
    const podi_provider_ask_t *ask, podi_buf_t *b, podi_fail_t *fail)
{
    json_t        *made;
    const json_t  *value;

    value = podi_provider_value(var, ask);

    if (value == NULL) {
        return var->optional ? PODI_DECLINED
                             : podi_provider_unfit(var, "is missing", fail);
    }

    if (!podi_provider_typed(var->type, value, &made)) {
        return podi_provider_unfit(var, "has the wrong type", fail);
    }

    podi_json_add(b, made);
    json_decref(made);

    return PODI_OK;
}


/*
 * A number in a string is one where a number is wanted, and the other way
 * round: forms and old clients know strings only.
 */

static int
podi_provider_typed(podi_var_e type, const json_t *value, json_t **ret_made)
{
    int64_t      n;
    json_t      *made = NULL;
    podi_str_t   s;

    s = podi_json_str(value);

    switch (type) {

    case PODI_VAR_STRING:
    case PODI_VAR_PATH:
        made = podi_provider_as_text(value);
        break;

    case PODI_VAR_INTEGER:
        if (json_is_string(value) && podi_str_to_int64(&s, &n) == PODI_OK) {
            made = json_integer(n);

        } else if (json_is_integer(value)) {
            made = json_incref((json_t *) (uintptr_t) value);
        }

        break;

    case PODI_VAR_NUMBER:
        if (json_is_number(value)) {
            made = json_incref((json_t *) (uintptr_t) value);

        } else if (json_is_string(value)) {
            made = json_loadb((char *) s.data, s.len, JSON_DECODE_ANY, NULL);

            if (!json_is_number(made)) {
                json_decref(made);
                made = NULL;
            }
        }

        break;

    case PODI_VAR_BOOLEAN:
        if (json_is_boolean(value)) {
            made = json_incref((json_t *) (uintptr_t) value);

        } else if (podi_str_eq_c(&s, "true") || podi_str_eq_c(&s, "false")) {
            made = json_boolean(podi_str_eq_c(&s, "true"));
        }

        break;

    default:
        if (type == PODI_VAR_JSON
            || (type == PODI_VAR_OBJECT && json_is_object(value))
            || (type == PODI_VAR_ARRAY && json_is_array(value)))
        {
            made = json_incref((json_t *) (uintptr_t) value);
        }
    }

    *ret_made = made;

    return made != NULL;
}


static json_t *
podi_provider_as_text(const json_t *value)
{
    char  text[40];

    if (json_is_string(value)) {
        return json_incref((json_t *) (uintptr_t) value);
    }

    if (json_is_boolean(value)) {
        return json_string(json_is_true(value) ? "true" : "false");
    }

    if (!json_is_number(value)) {
        return NULL;
    }

    if (json_is_integer(value)) {
        (void) snprintf(text, sizeof(text), "%lld",
                        (long long) json_integer_value(value));

    } else {
        (void) snprintf(text, sizeof(text), "%.15g", json_real_value(value));
    }

    return json_string(text);
}


podi_rc_t
podi_provider_fill_text(const podi_provider_piece_t *pieces,
    const podi_provider_ask_t *ask, podi_fill_e how, podi_buf_t *b,
    podi_fail_t *fail)
{
    json_t                       *made, *text;
    podi_rc_t                     rc;
    podi_str_t                    s;
    const json_t                 *value;
    const podi_provider_piece_t  *piece;

    for (piece = pieces; piece != NULL; piece = piece->next) {

        if (piece->var == NULL) {
            podi_buf_add_str(b, &piece->text);
            continue;
        }

        value = podi_provider_value(piece->var, ask);

        if (value == NULL) {
            return piece->var->optional
                   ? PODI_DECLINED
                   : podi_provider_unfit(piece->var, "is missing", fail);
        }

        if (!podi_provider_typed(piece->var->type, value, &made)) {
            return podi_provider_unfit(piece->var, "has the wrong type",
                                       fail);
        }

        text = podi_provider_as_text(made);

        if (text == NULL) {
            json_decref(made);
            return podi_provider_unfit(piece->var, "is no text", fail);
        }

        s = podi_json_str(text);
        rc = podi_provider_fill_piece(piece->var, &s, how, b, fail);

        json_decref(made);
        json_decref(text);

        if (rc != PODI_OK) {
            return rc;
        }
    }

    if (b->len > PODI_PROVIDER_BODY_MAX) {
        return podi_fail(fail, PODI_E_BODY_TOO_LARGE, NULL,
                         "the request would have more than %d bytes",
                         PODI_PROVIDER_BODY_MAX);
    }

    return PODI_OK;
}


static podi_rc_t
podi_provider_fill_piece(const podi_provider_var_t *var,
    const podi_str_t *s, podi_fill_e how, podi_buf_t *b, podi_fail_t *fail)
{
    size_t  i;

    for (i = 0; how == PODI_FILL_HEADER && i < s->len; i++) {
        if (s->data[i] < 0x20 || s->data[i] >= 0x7f) {
            return podi_provider_unfit(var, "cannot stand in a header",
                                       fail);
        }
    }

    if (how == PODI_FILL_URL) {
        return podi_provider_fill_path(var, s, b, fail);
    }

    podi_buf_add_str(b, s);

    return PODI_OK;
}


/* no value may leave its place in the path: neither "..", nor nothing */

static podi_rc_t
podi_provider_fill_path(const podi_provider_var_t *var, const podi_str_t *s,
    podi_buf_t *b, podi_fail_t *fail)
{
    podi_str_t  rest = *s, part;

    if (s->len == 0 || s->data[s->len - 1] == '/') {
        return podi_provider_unfit(var, "is no part of a path", fail);
    }

    if (var->type != PODI_VAR_PATH) {

        if (podi_str_eq_c(s, ".") || podi_str_eq_c(s, "..")) {
            return podi_provider_unfit(var, "is no part of a path", fail);
        }

        podi_buf_add_uri(b, s, 0);
        return PODI_OK;
    }

    while (podi_str_split(&rest, '/', &part)) {
        if (part.len == 0 || podi_str_eq_c(&part, ".")
            || podi_str_eq_c(&part, ".."))
        {
            return podi_provider_unfit(var, "is no part of a path", fail);
        }
    }

    podi_buf_add_uri(b, s, 1);

    return PODI_OK;
}


const json_t *
podi_provider_value(const podi_provider_var_t *var,
    const podi_provider_ask_t *ask)
{
    unsigned               i;
    const char            *key;
    const json_t          *root, *value;
    podi_provider_path_t   path;

    for (i = 0; i < var->from.n; i++) {

        path = *var->from.alts[i];
        key = path.hops[0].key;
        root = strcmp(key, "input") == 0 ? ask->inputs
               : strcmp(key, "remote") == 0 ? ask->remote
               : strcmp(key, "job") == 0 ? ask->job : NULL;

        if (root != NULL) {
            memmove(path.hops, path.hops + 1,
                    sizeof(path.hops) - sizeof(path.hops[0]));
            path.n--;

        } else if (strcmp(key, "input") == 0 || strcmp(key, "remote") == 0
                   || strcmp(key, "job") == 0)
        {
            continue;

        } else {
            root = ask->params;
        }

        if (podi_provider_find(&path, root, &value, 1) > 0) {
            return value;
        }
    }

    return json_is_null(var->fallback) ? NULL : var->fallback;
}


static podi_rc_t
podi_provider_unfit(const podi_provider_var_t *var, const char *why,
    podi_fail_t *fail)
{
    char  name[64];

    (void) snprintf(name, sizeof(name), PODI_STR_FMT,
                    podi_str_arg(&var->name));

    return podi_fail(fail, PODI_E_BAD_FIELD, name, "\"%s\" %s", name, why);
}
