/*
 * podi_comfy_graph: the form of a graph, and what a server needs for it.
 */

#include <string.h>

#include "podi_comfy_int.h"
#include "banned.h"


static podi_rc_t podi_comfy_node_check(const json_t *graph, const char *id,
    const json_t *node, podi_fail_t *fail);
static int podi_comfy_is_link(const json_t *graph, const json_t *value);
static int podi_comfy_add_name(json_t *list, json_t *name);
static int podi_comfy_knows_model(const json_t *models, const json_t *name);


podi_rc_t
podi_comfy_graph_check(const json_t *graph, podi_fail_t *fail)
{
    json_t      *node;
    const char  *id;

    if (!json_is_object(graph) || json_object_size(graph) == 0) {
        return podi_fail(fail, PODI_E_CONFIG, "graph", "no graph");
    }

    if (json_is_array(json_object_get(graph, "nodes"))) {
        return podi_fail(fail, PODI_E_CONFIG, "graph.nodes",
                         "the editor's format; export it for the API");
    }

    json_object_foreach((json_t *) graph, id, node) {
        if (podi_comfy_node_check(graph, id, node, fail) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


static podi_rc_t
podi_comfy_node_check(const json_t *graph, const char *id, const json_t *node,
    podi_fail_t *fail)
{
    char         field[64];
    json_t      *value, *inputs;
    const char  *name;

    (void) snprintf(field, sizeof(field), "graph.%s", id);

    if (strlen(id) > PODI_COMFY_NODE_MAX || !json_is_object(node)) {
        return podi_fail(fail, PODI_E_CONFIG, field, "not a node");
    }

    if (json_string_length(json_object_get(node, "class_type")) == 0) {
        return podi_fail(fail, PODI_E_CONFIG, field, "no class_type");
    }

    inputs = json_object_get(node, "inputs");
    if (!json_is_object(inputs)) {
        return podi_fail(fail, PODI_E_CONFIG, field, "no inputs");
    }

    json_object_foreach(inputs, name, value) {
        if (json_is_array(value) && !podi_comfy_is_link(graph, value)) {
            return podi_fail(fail, PODI_E_CONFIG, field,
                             "%.64s is not a link to a node", name);
        }
    }

    return PODI_OK;
}


static int
podi_comfy_is_link(const json_t *graph, const json_t *value)
{
    const json_t  *node = json_array_get(value, 0);
    const json_t  *slot = json_array_get(value, 1);

    return json_array_size(value) == 2 && json_is_string(node)
           && json_object_get(graph, json_string_value(node)) != NULL
           && json_is_integer(slot) && json_integer_value(slot) >= 0;
}


unsigned
podi_comfy_nodes(const json_t *graph)
{
    return (unsigned) json_object_size(graph);
}


int
podi_comfy_node(const json_t *graph, const char *id,
    podi_comfy_node_t *ret_node)
{
    char     name[PODI_COMFY_NODE_MAX + 1];
    char    *end;
    void    *at;
    json_t  *node;

    if (strlen(id) > PODI_COMFY_NODE_MAX) {
        return 0;
    }

    memcpy(name, id, strlen(id) + 1);

    for ( ;; ) {
        at = json_object_iter_at((json_t *) graph, name);

        if (at != NULL) {
            break;
        }

        end = strrchr(name, '.');

        if (end == NULL) {
            return 0;
        }

        *end = '\0';
    }

    node = json_object_iter_value(at);
    ret_node->id = podi_str_c(json_object_iter_key(at));
    ret_node->class_type = podi_json_str(json_object_get(node, "class_type"));
    ret_node->title = podi_json_str(json_object_get(
                          json_object_get(node, "_meta"), "title"));

    return 1;
}


podi_rc_t
podi_comfy_needs(const json_t *graph, podi_mem_t *mem, json_t **ret_needs)
{
    json_t      *needs, *nodes, *models, *node, *value;
    podi_str_t   text;
    const char  *id, *name;

    nodes = json_array();
    models = json_array();
    needs = json_pack("{s:o, s:o}", "nodes", nodes, "models", models);

    if (podi_json_own(mem, needs) != PODI_OK) {
        return PODI_ERROR;
    }

    json_object_foreach((json_t *) graph, id, node) {

        if (podi_comfy_add_name(nodes, json_object_get(node, "class_type"))) {
            return PODI_ERROR;
        }

        json_object_foreach(json_object_get(node, "inputs"), name, value) {
            text = podi_json_str(value);

            if (podi_comfy_is_model(&text)
                && podi_comfy_add_name(models, value))
            {
                return PODI_ERROR;
            }
        }
    }

    *ret_needs = needs;

    return PODI_OK;
}


/* each once; 0: it is there */

static int
podi_comfy_add_name(json_t *list, json_t *name)
{
    size_t   i;
    json_t  *other;

    json_array_foreach(list, i, other) {
        if (json_equal(other, name)) {
            return 0;
        }
    }

    return json_array_append(list, name);
}


int
podi_comfy_lacks(const json_t *needs, const json_t *nodes,
    const json_t *models, podi_str_t *ret_what)
{
    size_t   i;
    json_t  *name;

    json_array_foreach(json_object_get(needs, "nodes"), i, name) {
        if (json_object_get(nodes, json_string_value(name)) == NULL) {
            *ret_what = podi_json_str(name);
            return 1;
        }
    }

    json_array_foreach(json_object_get(needs, "models"), i, name) {
        if (!podi_comfy_knows_model(models, name)) {
            *ret_what = podi_json_str(name);
            return 1;
        }
    }

    return 0;
}


static int
podi_comfy_knows_model(const json_t *models, const json_t *name)
{
    size_t       i;
    json_t      *names, *other;
    const char  *folder;

    json_object_foreach((json_t *) models, folder, names) {
        json_array_foreach(names, i, other) {
            if (json_equal(other, name)) {
                return 1;
            }
        }
    }

    return 0;
}
