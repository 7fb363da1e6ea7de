/*
 * podi_provider_params: what a job may say to an operation.
 *
 *     no unknown one -> required -> type -> bounds -> values; then defaults
 */

#include <string.h>

#include "podi_provider_int.h"
#include "banned.h"


static podi_rc_t podi_provider_known(const podi_provider_op_t *op,
    const json_t *params, podi_fail_t *fail);
static int64_t podi_provider_size(const json_t *value);


podi_rc_t
podi_provider_params(const podi_provider_op_t *op, const json_t *params,
    podi_mem_t *mem, json_t **ret_params, podi_fail_t *fail)
{
    json_t                       *made;
    const char                   *why;
    const json_t                 *value;
    const podi_provider_param_t  *param;

    made = json_object();

    if (podi_json_own(mem, made) != PODI_OK) {
        return podi_provider_no_memory(fail);
    }

    if (podi_provider_known(op, params, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    for (param = op->params; param != NULL; param = param->next) {

        value = json_object_get(params, param->name);

        if (value == NULL || json_is_null(value)) {

            if (param->required) {
                return podi_fail(fail, PODI_E_BAD_FIELD, param->name,
                                 "the field is required");
            }

            value = param->fallback;

        } else {
            why = podi_provider_param_fits(param, value);

            if (why != NULL) {
                return podi_fail(fail, PODI_E_BAD_FIELD, param->name, "%s",
                                 why);
            }
        }

        if (value != NULL
            && json_object_set(made, param->name,
                               (json_t *) (uintptr_t) value) != 0)
        {
            return podi_provider_no_memory(fail);
        }
    }

    *ret_params = made;

    return PODI_OK;
}


static podi_rc_t
podi_provider_known(const podi_provider_op_t *op, const json_t *params,
    podi_fail_t *fail)
{
    void                         *iter;
    json_t                       *o = (json_t *) (uintptr_t) params;
    const char                   *key;
    const podi_provider_param_t  *param;

    for (iter = json_object_iter(o);
         iter != NULL;
         iter = json_object_iter_next(o, iter))
    {
        key = json_object_iter_key(iter);

        for (param = op->params; param != NULL; param = param->next) {
            if (strcmp(param->name, key) == 0) {
                break;
            }
        }

        if (param == NULL) {
            return podi_fail(fail, PODI_E_BAD_FIELD, key,
                             "the operation has no such parameter");
        }
    }

    return PODI_OK;
}


const char *
podi_provider_param_fits(const podi_provider_param_t *param,
    const json_t *value)
{
    int     fits = 0;
    size_t  i;

    switch (param->type) {
    case PODI_VAR_STRING: fits = json_is_string(value); break;
    case PODI_VAR_INTEGER: fits = json_is_integer(value); break;
    case PODI_VAR_NUMBER: fits = json_is_number(value); break;
    case PODI_VAR_BOOLEAN: fits = json_is_boolean(value); break;
    case PODI_VAR_OBJECT: fits = json_is_object(value); break;
    case PODI_VAR_ARRAY: fits = json_is_array(value); break;
    }

    if (!fits) {
        return "it has the wrong type";
    }

    if (json_is_real(value)) {
        if (json_real_value(value) < (double) param->min
            || json_real_value(value) > (double) param->max)
        {
            return "it is out of bounds";
        }

    } else if (!json_is_boolean(value)
               && (podi_provider_size(value) < param->min
                   || podi_provider_size(value) > param->max))
    {
        return "it is out of bounds";
    }

    for (i = 0; i < json_array_size(param->values); i++) {
        if (json_equal(json_array_get(param->values, i), value)) {
            return NULL;
        }
    }

    return param->values == NULL ? NULL : "it is none of those allowed";
}


/* the value of a number, characters of a text, elements of the rest */

static int64_t
podi_provider_size(const json_t *value)
{
    size_t      i;
    int64_t     n = 0;
    podi_str_t  s;

    if (json_is_integer(value)) {
        return json_integer_value(value);
    }

    if (json_is_array(value)) {
        return (int64_t) json_array_size(value);
    }

    if (json_is_object(value)) {
        return (int64_t) json_object_size(value);
    }

    s = podi_json_str(value);

    for (i = 0; i < s.len; i++) {
        n += (s.data[i] & 0xc0) != 0x80;
    }

    return n;
}
