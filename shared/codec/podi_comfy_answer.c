/*
 * podi_comfy_answer: what became of a prompt that was sent.
 *
 *     200, no node_errors         ACCEPTED
 *     200, node_errors            PARTIAL: the rest of it runs
 *     400                         INVALID; LACKS when all that is wrong is
 *                                 that the server has no such node or model
 *     401, 403                    DENIED
 *     413                         TOO_LARGE
 *     429, 503                    BUSY
 *     404, 405, 500 text/plain    REFUSED: ComfyUI's own answer to what it
 *                                 cannot read, and the same next time
 *     else, and a 200 that says nothing, or nothing at all: UNKNOWN
 */

#include <string.h>

#include "podi_comfy_int.h"
#include "podi_text.h"
#include "banned.h"


#define PODI_COMFY_BODY_MAX  (8 * 1024 * 1024)
#define PODI_COMFY_ID_MAX    64


static podi_comfy_class_e podi_comfy_class(int status,
    const podi_str_t *content_type);
static void podi_comfy_accepted(const json_t *json,
    podi_comfy_answer_t *answer);
static podi_rc_t podi_comfy_invalid(const json_t *json, podi_mem_t *mem,
    podi_comfy_answer_t *answer);
static void podi_comfy_no_node(const json_t *error,
    podi_comfy_answer_t *answer);
static podi_rc_t podi_comfy_node_errors(const json_t *nodes,
    podi_mem_t *mem, podi_comfy_answer_t *answer);
static int podi_comfy_is_lack(const json_t *error);
static podi_rc_t podi_comfy_at_fault(const char *id, const json_t *node,
    const json_t *error, podi_mem_t *mem, podi_comfy_answer_t *answer);


podi_rc_t
podi_comfy_answer(int status, const podi_str_t *content_type,
    const podi_str_t *body, podi_mem_t *mem, podi_comfy_answer_t *ret_answer)
{
    json_t               *json;
    podi_comfy_answer_t   answer;

    memset(&answer, 0, sizeof(answer));
    answer.class = podi_comfy_class(status, content_type);

    if ((status == 200 || status == 400)
        && podi_comfy_parse(body, PODI_COMFY_BODY_MAX, mem, &json) == PODI_OK)
    {
        if (status == 200) {
            podi_comfy_accepted(json, &answer);
        }

        if (answer.class != PODI_COMFY_ACCEPTED
            && podi_comfy_invalid(json, mem, &answer) != PODI_OK)
        {
            return PODI_ERROR;
        }
    }

    *ret_answer = answer;

    return PODI_OK;
}


static podi_comfy_class_e
podi_comfy_class(int status, const podi_str_t *content_type)
{
    switch (status) {
    case 400:
    case 422:
        return PODI_COMFY_INVALID;
    case 401:
    case 403:
        return PODI_COMFY_DENIED;
    case 413:
        return PODI_COMFY_TOO_LARGE;
    case 429:
    case 503:
    case 404:       /* no answer of ComfyUI's to this: of a proxy before it */
    case 405:
        return PODI_COMFY_BUSY;
    case 500:
        return podi_text_begins(content_type, "text/plain")
               ? PODI_COMFY_REFUSED : PODI_COMFY_UNKNOWN;
    default:
        return PODI_COMFY_UNKNOWN;
    }
}


static void
podi_comfy_accepted(const json_t *json, podi_comfy_answer_t *answer)
{
    answer->prompt_id = podi_json_str(json_object_get(json, "prompt_id"));
    answer->number = json_number_value(json_object_get(json, "number"));

    if (answer->prompt_id.len == 0) {
        return;
    }

    answer->class = json_object_size(json_object_get(json, "node_errors"))
                    ? PODI_COMFY_PARTIAL : PODI_COMFY_ACCEPTED;
}


static podi_rc_t
podi_comfy_invalid(const json_t *json, podi_mem_t *mem,
    podi_comfy_answer_t *answer)
{
    json_t      *error, *nodes;
    podi_str_t   message;

    error = json_object_get(json, "error");
    nodes = json_object_get(json, "node_errors");

    if (json_object_size(nodes) > 0) {
        return podi_comfy_node_errors(nodes, mem, answer);
    }

    /* some answers are but a text */
    message = podi_json_str(json_is_string(error) ? error
                            : json_object_get(error, "message"));
    answer->reason = podi_json_str(json_object_get(error, "type"));
    podi_comfy_no_node(error, answer);

    return podi_comfy_sentence(&message, mem, &answer->sentence);
}


/*
 * A class that the server does not have: a type of its own in newer versions,
 * in older ones "Cannot execute because node X does not exist.", which is
 * of node "Node ID '#4'".
 */

static void
podi_comfy_no_node(const json_t *error, podi_comfy_answer_t *answer)
{
    json_t         *extra;
    podi_str_t      message, details;
    unsigned char  *p, *last;

    message = podi_json_str(json_object_get(error, "message"));
    details = podi_json_str(json_object_get(error, "details"));
    extra = json_object_get(error, "extra_info");

    if (podi_str_eq_c(&answer->reason, "missing_node_type")) {
        answer->class = PODI_COMFY_LACKS;
        answer->node = podi_json_str(json_object_get(extra, "node_id"));
        answer->class_type = podi_json_str(json_object_get(extra,
                                                           "class_type"));
        return;
    }

    p = podi_text_find(&message, "node ");
    last = podi_text_find(&message, " does not exist");

    if (!podi_str_eq_c(&answer->reason, "invalid_prompt") || p == NULL
        || last == NULL || p + 5 >= last)
    {
        return;
    }

    answer->class = PODI_COMFY_LACKS;
    answer->class_type.data = p + 5;
    answer->class_type.len = (size_t) (last - p) - 5;

    p = podi_text_find(&details, "#");
    if (p != NULL) {
        answer->node.data = p + 1;
        answer->node.len = (size_t) (details.data + details.len - p) - 1;
        answer->node.len -= answer->node.len
                            && answer->node.data[answer->node.len - 1] == '\'';
    }
}


/* the first that no other server would take is what is told, if there is one */

static podi_rc_t
podi_comfy_node_errors(const json_t *nodes, podi_mem_t *mem,
    podi_comfy_answer_t *answer)
{
    int          lack, is_lack = 0;
    size_t       i;
    json_t      *node, *error, *told = NULL, *of = NULL;
    const char  *id, *at = "";

    json_object_foreach((json_t *) nodes, id, node) {
        json_array_foreach(json_object_get(node, "errors"), i, error) {
            lack = podi_comfy_is_lack(error);

            if (told == NULL || (is_lack && !lack)) {
                told = error;
                of = node;
                at = id;
                is_lack = lack;
            }
        }
    }

    if (told == NULL) {
        return PODI_OK;
    }

    if (is_lack && answer->class == PODI_COMFY_INVALID) {
        answer->class = PODI_COMFY_LACKS;
    }

    return podi_comfy_at_fault(at, of, told, mem, answer);
}


/* a value that is none of the choices, where the choices are models */

static int
podi_comfy_is_lack(const json_t *error)
{
    size_t       i;
    json_t      *choice, *choices, *config, *extra;
    podi_str_t   type, value;

    type = podi_json_str(json_object_get(error, "type"));

    if (!podi_str_eq_c(&type, "value_not_in_list")) {
        return 0;
    }

    extra = json_object_get(error, "extra_info");
    value = podi_json_str(json_object_get(extra, "received_value"));

    if (podi_comfy_is_model(&value)) {
        return 1;
    }

    config = json_object_get(extra, "input_config");
    choices = json_array_get(config, 0);

    if (json_is_string(choices)) {
        choices = json_object_get(json_array_get(config, 1), "options");
    }

    json_array_foreach(choices, i, choice) {
        value = podi_json_str(choice);

        if (podi_comfy_is_model(&value)) {
            return 1;
        }
    }

    return 0;
}


static podi_rc_t
podi_comfy_at_fault(const char *id, const json_t *node, const json_t *error,
    podi_mem_t *mem, podi_comfy_answer_t *answer)
{
    podi_str_t  message, details, text;

    answer->node = podi_str_c(id);
    answer->class_type = podi_json_str(json_object_get(node, "class_type"));
    answer->reason = podi_json_str(json_object_get(error, "type"));
    answer->input = podi_json_str(json_object_get(json_object_get(error,
                                      "extra_info"), "input_name"));

    message = podi_json_str(json_object_get(error, "message"));
    details = podi_json_str(json_object_get(error, "details"));

    if (podi_mem_printf(mem, &text, PODI_STR_FMT "%s" PODI_STR_FMT,
                        podi_str_arg(&message), details.len ? ": " : "",
                        podi_str_arg(&details)) != PODI_OK)
    {
        return PODI_ERROR;
    }

    return podi_comfy_sentence(&text, mem, &answer->sentence);
}


int
podi_comfy_is_id(const podi_str_t *id)
{
    size_t         i;
    unsigned char  c;

    for (i = 0; i < id->len; i++) {
        c = id->data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9') || c == '-' || c == '_'))
        {
            return 0;
        }
    }

    return id->len > 0 && id->len <= PODI_COMFY_ID_MAX;
}
