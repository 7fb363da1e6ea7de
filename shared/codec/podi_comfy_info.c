/*
 * podi_comfy_info: what a server can, from the megabytes of /object_info.
 *
 *     "KSampler": {"input": {"required": {"steps": ["INT", {..}], ..}}, ..}
 *       -> nodes   "KSampler": {"required": ["steps", ..], "optional": []}
 *     "ckpt_name": [["a.safetensors", ..], {..}]    a list, or in newer nodes
 *     "ckpt_name": ["COMBO", {"options": [..]}]
 *       -> models  "ckpt_name": ["a.safetensors", ..]
 *
 * Promises: time in proportion to what the server has sent.
 */

#include <string.h>

#include "podi_comfy_int.h"
#include "banned.h"


static podi_rc_t podi_comfy_classes(const podi_str_t *body, size_t max,
    podi_mem_t *text, podi_comfy_info_t *info);
static podi_rc_t podi_comfy_class_info(const char *class_type,
    const json_t *given, json_t *nodes, json_t *seen);
static podi_rc_t podi_comfy_inputs_info(const json_t *given, json_t *names,
    json_t *seen);
static podi_rc_t podi_comfy_choices(const char *input, const json_t *given,
    json_t *seen);
static podi_rc_t podi_comfy_lists(const json_t *seen, json_t *models);


podi_rc_t
podi_comfy_info(const podi_str_t *body, size_t max, podi_mem_t *mem,
    podi_comfy_info_t *ret_info)
{
    podi_rc_t           rc;
    podi_arena_t       *arena;
    podi_comfy_info_t   info;

    info.nodes = json_object();
    if (podi_json_own(mem, info.nodes) != PODI_OK) {
        return PODI_ERROR;
    }

    info.models = json_object();
    if (podi_json_own(mem, info.models) != PODI_OK) {
        return PODI_ERROR;
    }

    arena = podi_arena_create();
    if (arena == NULL) {
        return PODI_ERROR;
    }

    rc = podi_comfy_classes(body, max, podi_arena_mem(arena), &info);
    podi_arena_free(&arena);

    if (rc == PODI_OK) {
        *ret_info = info;
    }

    return rc;
}


static podi_rc_t
podi_comfy_classes(const podi_str_t *body, size_t max, podi_mem_t *text,
    podi_comfy_info_t *info)
{
    json_t      *json, *given, *seen = json_object();
    const char  *class_type;

    if (podi_json_own(text, seen) != PODI_OK
        || podi_comfy_parse(body, max, text, &json) != PODI_OK
        || !json_is_object(json))
    {
        return PODI_ERROR;
    }

    json_object_foreach(json, class_type, given) {
        if (podi_comfy_class_info(class_type, json_object_get(given, "input"),
                                  info->nodes, seen) != PODI_OK)
        {
            return PODI_ERROR;
        }
    }

    return podi_comfy_lists(seen, info->models);
}


static podi_rc_t
podi_comfy_class_info(const char *class_type, const json_t *given,
    json_t *nodes, json_t *seen)
{
    json_t  *required, *optional, *card;

    required = json_array();
    optional = json_array();
    card = json_pack("{s:o, s:o}", "required", required, "optional", optional);

    if (card == NULL || json_object_set_new(nodes, class_type, card) != 0) {
        return PODI_ERROR;
    }

    if (podi_comfy_inputs_info(json_object_get(given, "required"), required,
                               seen) != PODI_OK)
    {
        return PODI_ERROR;
    }

    return podi_comfy_inputs_info(json_object_get(given, "optional"), optional,
                                  seen);
}


static podi_rc_t
podi_comfy_inputs_info(const json_t *given, json_t *names, json_t *seen)
{
    json_t      *input, *choices;
    const char  *name;

    json_object_foreach((json_t *) given, name, input) {

        if (json_array_append_new(names, json_string(name)) != 0) {
            return PODI_ERROR;
        }

        choices = json_array_get(input, 0);

        if (json_is_string(choices)) {
            choices = json_object_get(json_array_get(input, 1), "options");
        }

        if (podi_comfy_choices(name, choices, seen) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


/* all that inputs of that name can be, whichever node has them: each once */

static podi_rc_t
podi_comfy_choices(const char *input, const json_t *given, json_t *seen)
{
    size_t       i;
    json_t      *choice, *names;
    podi_str_t   name;

    json_array_foreach(given, i, choice) {
        name = podi_json_str(choice);

        if (!podi_comfy_is_model(&name)) {
            continue;
        }

        names = json_object_get(seen, input);

        if (names == NULL) {
            names = json_object();

            if (json_object_set_new(seen, input, names) != 0) {
                return PODI_ERROR;
            }
        }

        if (json_object_set_new(names, (const char *) name.data, json_null())
            != 0)
        {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


/* {input: {name: null}} becomes {input: [name]} */

static podi_rc_t
podi_comfy_lists(const json_t *seen, json_t *models)
{
    json_t      *names, *list, *nothing;
    const char  *input, *name;

    json_object_foreach((json_t *) seen, input, names) {
        list = json_array();

        if (json_object_set_new(models, input, list) != 0) {
            return PODI_ERROR;
        }

        json_object_foreach(names, name, nothing) {
            if (json_array_append_new(list, json_string(name)) != 0) {
                return PODI_ERROR;
            }
        }
    }

    return PODI_OK;
}
