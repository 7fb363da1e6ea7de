/*
 * podi_comfy_prompt: a graph becomes a prompt of one attempt.
 *
 *     a copy of the graph
 *       <- parameters    where the mapping says, as the type that it says
 *       <- inputs        names of files that we put there
 *       <- seeds
 *       <- prefixes      last: no parameter decides where files go
 *
 * ComfyUI opens what an input names, "../" and "[output]" included.  So
 * what a user wrote never becomes the name of a file to be loaded: a place
 * that is one is refused as a place of a parameter, whatever it holds.
 */

#include <math.h>
#include <string.h>

#include "podi_comfy_int.h"
#include "podi_text.h"
#include "banned.h"


typedef struct {
    const podi_comfy_job_t  *job;
    json_t                  *graph;     /* the copy */
    podi_fail_t             *fail;
} podi_comfy_make_t;


static podi_rc_t podi_comfy_make_params(podi_comfy_make_t *make);
static podi_rc_t podi_comfy_make_param(podi_comfy_make_t *make,
    const char *name, const json_t *value, const json_t *places);
static json_t *podi_comfy_value(const json_t *value, const char *type);
static json_t *podi_comfy_integer(const json_t *value);
static json_t *podi_comfy_number(const json_t *value);
static podi_rc_t podi_comfy_make_inputs(podi_comfy_make_t *make);
static podi_rc_t podi_comfy_make_seeds(podi_comfy_make_t *make);
static podi_rc_t podi_comfy_make_prefixes(podi_comfy_make_t *make);
static podi_rc_t podi_comfy_put(podi_comfy_make_t *make, const json_t *place,
    json_t *value, const char *field);
static json_t *podi_comfy_inputs_of(const json_t *graph,
    const json_t *place);
static int podi_comfy_is_file(const json_t *graph, const json_t *place);
static int podi_comfy_is_name(const podi_str_t *name);
static podi_rc_t podi_comfy_make_body(const podi_comfy_make_t *make,
    podi_mem_t *mem, podi_str_t *ret_body);
static json_t *podi_comfy_string(const podi_str_t *s);


podi_rc_t
podi_comfy_prompt(const podi_comfy_job_t *job, podi_mem_t *mem,
    podi_str_t *ret_body, podi_fail_t *fail)
{
    podi_comfy_make_t  make;

    if (podi_comfy_graph_check(job->graph, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    make.job = job;
    make.fail = fail;
    make.graph = json_deep_copy(job->graph);

    if (podi_json_own(mem, make.graph) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if (podi_comfy_make_params(&make) != PODI_OK
        || podi_comfy_make_inputs(&make) != PODI_OK
        || podi_comfy_make_seeds(&make) != PODI_OK
        || podi_comfy_make_prefixes(&make) != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (podi_comfy_make_body(&make, mem, ret_body) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}


static podi_rc_t
podi_comfy_make_params(podi_comfy_make_t *make)
{
    json_t        *places;
    const char    *name;
    const json_t  *value;

    json_object_foreach(json_object_get(make->job->mapping, "params"), name,
                        places)
    {
        value = json_object_get(make->job->params, name);

        if (value != NULL && !json_is_null(value)
            && podi_comfy_make_param(make, name, value, places) != PODI_OK)
        {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


static podi_rc_t
podi_comfy_make_param(podi_comfy_make_t *make, const char *name,
    const json_t *value, const json_t *places)
{
    char         field[64];
    size_t       i;
    json_t      *place, *copy;
    const char  *type;

    (void) snprintf(field, sizeof(field), "params.%s", name);

    json_array_foreach(places, i, place) {

        if (podi_comfy_is_file(make->graph, place)) {
            return podi_fail(make->fail, PODI_E_CONFIG, field,
                             "maps to the name of a file to be loaded");
        }

        type = json_string_value(json_object_get(place, "type"));
        copy = podi_comfy_value(value, type != NULL ? type : "");

        if (copy == NULL) {
            return podi_fail(make->fail, PODI_E_BAD_FIELD, field,
                             "not of type %.16s, or too long",
                             type != NULL ? type : "?");
        }

        if (podi_comfy_put(make, place, copy, field) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


/* NULL: it is not of that type, and cannot be read as one */

static json_t *
podi_comfy_value(const json_t *value, const char *type)
{
    podi_str_t  s = podi_json_str(value);

    if (strcmp(type, "integer") == 0) {
        return podi_comfy_integer(value);
    }

    if (strcmp(type, "number") == 0) {
        return podi_comfy_number(value);
    }

    if (strcmp(type, "boolean") == 0) {

        if (json_is_boolean(value)) {
            return json_boolean(json_is_true(value));
        }

        if (podi_str_eq_c(&s, "true") || podi_str_eq_c(&s, "false")) {
            return json_boolean(s.len == 4);
        }

        return NULL;
    }

    if (strcmp(type, "string") == 0 && json_is_string(value)
        && s.len <= PODI_COMFY_TEXT_MAX)
    {
        return podi_comfy_string(&s);
    }

    return NULL;
}


static json_t *
podi_comfy_integer(const json_t *value)
{
    double      real;
    int64_t     n;
    podi_str_t  s = podi_json_str(value);

    if (json_is_integer(value)) {
        return json_integer(json_integer_value(value));
    }

    real = json_real_value(value);

    if (json_is_real(value) && real == floor(real) && fabs(real) <= 0x1p53) {
        return json_integer((json_int_t) real);
    }

    if (podi_str_to_int64(&s, &n) == PODI_OK) {
        return json_integer(n);
    }

    return NULL;
}


static json_t *
podi_comfy_number(const json_t *value)
{
    podi_str_t  s = podi_json_str(value);
    json_t     *number, *list;
    char        text[48];
    int         len;

    if (json_is_number(value)) {
        return json_is_real(value) ? json_real(json_real_value(value))
                                   : json_integer(json_integer_value(value));
    }

    /* as JSON writes it, which strtod and its locale do not ask for */
    if (s.len == 0 || s.len > 32) {
        return NULL;
    }

    len = snprintf(text, sizeof(text), "[" PODI_STR_FMT "]",
                   podi_str_arg(&s));
    list = json_loadb(text, (size_t) len, 0, NULL);
    number = json_incref(json_array_get(list, 0));

    if (json_array_size(list) != 1 || !json_is_number(number)) {
        json_decref(number);
        number = NULL;
    }

    json_decref(list);

    return number;
}


static podi_rc_t
podi_comfy_make_inputs(podi_comfy_make_t *make)
{
    char                     field[64];
    size_t                   i;
    json_t                  *places, *place;
    const podi_comfy_job_t  *job = make->job;

    places = json_object_get(job->mapping, "inputs");

    if (json_array_size(places) != job->inputs_n) {
        return podi_fail(make->fail, PODI_E_BAD_FIELD, "inputs",
                         "%zu pictures are wanted, and %zu are given",
                         json_array_size(places), job->inputs_n);
    }

    json_array_foreach(places, i, place) {
        (void) snprintf(field, sizeof(field), "inputs[%zu]", i);

        if (!podi_comfy_is_name(&job->inputs[i])) {
            return podi_fail(make->fail, PODI_E_BAD_FIELD, field,
                             "not the name of an upload");
        }

        if (podi_comfy_put(make, place, podi_comfy_string(&job->inputs[i]),
                           field) != PODI_OK)
        {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


/* 32 bits: some nodes take no more */

static podi_rc_t
podi_comfy_make_seeds(podi_comfy_make_t *make)
{
    size_t         i;
    json_t        *place, *number;
    json_int_t     seed = make->job->seed;
    const json_t  *given = json_object_get(make->job->params, "seed");

    if (given != NULL && !json_is_null(given)) {
        number = podi_comfy_integer(given);
        seed = number != NULL ? json_integer_value(number) : -1;
        json_decref(number);
    }

    if (seed < 0) {
        return podi_fail(make->fail, PODI_E_BAD_FIELD, "params.seed",
                         "no whole number, or less than 0");
    }

    json_array_foreach(json_object_get(make->job->mapping, "seed"), i, place) {
        if (podi_comfy_put(make, place, json_integer(seed), "mapping.seed")
            != PODI_OK)
        {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


static podi_rc_t
podi_comfy_make_prefixes(podi_comfy_make_t *make)
{
    json_t      *node, *inputs, *prefix;
    const char  *id;

    prefix = podi_comfy_string(&make->job->prefix);

    json_object_foreach(make->graph, id, node) {
        inputs = json_object_get(node, "inputs");

        /* or from where a link leads, which may be what a user wrote */
        if (json_object_get(inputs, "filename_prefix") != NULL
            && json_object_set(inputs, "filename_prefix", prefix) != 0)
        {
            json_decref(prefix);
            return podi_fail(make->fail, PODI_E_INTERNAL, NULL, "no memory");
        }
    }

    json_decref(prefix);

    return PODI_OK;
}


/* takes the value, whatever comes of it */

static podi_rc_t
podi_comfy_put(podi_comfy_make_t *make, const json_t *place, json_t *value,
    const char *field)
{
    json_t      *inputs = podi_comfy_inputs_of(make->graph, place);
    const char  *name;

    name = json_string_value(json_object_get(place, "input"));

    if (inputs == NULL || name == NULL
        || json_is_array(json_object_get(inputs, name)))
    {
        json_decref(value);
        return podi_fail(make->fail, PODI_E_CONFIG, field,
                         "maps to no place of the graph");
    }

    if (json_object_set_new(inputs, name, value) != 0) {
        return podi_fail(make->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}


static json_t *
podi_comfy_inputs_of(const json_t *graph, const json_t *place)
{
    const char  *id = json_string_value(json_object_get(place, "node"));

    return id != NULL
           ? json_object_get(json_object_get(graph, id), "inputs") : NULL;
}


/*
 * Nodes that open a file are called Load.. by custom; and the graph says it
 * by what it has there.
 */

static int
podi_comfy_is_file(const json_t *graph, const json_t *place)
{
    const char                *id, *name;
    podi_str_t                 class_type, input, value;
    static const char *const   ends[] = {
        ".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff",
        ".avif", ".mp4", ".webm", ".mov", ".mkv", ".wav", ".mp3", ".flac",
        ".ogg", "[input]", "[output]", "[temp]", NULL
    };

    id = json_string_value(json_object_get(place, "node"));
    name = json_string_value(json_object_get(place, "input"));

    if (id == NULL || name == NULL) {
        return 0;
    }

    input = podi_str_c(name);
    class_type = podi_json_str(json_object_get(json_object_get(graph, id),
                                               "class_type"));
    value = podi_json_str(json_object_get(podi_comfy_inputs_of(graph, place),
                                          name));

    return podi_comfy_ends(&value, ends)
           || (podi_text_find(&class_type, "load") != NULL
               && (podi_text_find(&input, "image") != NULL
                   || podi_text_find(&input, "video") != NULL
                   || podi_text_find(&input, "audio") != NULL
                   || podi_text_find(&input, "mask") != NULL
                   || podi_text_find(&input, "file") != NULL
                   || podi_text_find(&input, "path") != NULL
                   || podi_text_find(&input, "directory") != NULL
                   || podi_text_find(&input, "url") != NULL));
}


/* in the folder of inputs, as ComfyUI reads it */

static int
podi_comfy_is_name(const podi_str_t *name)
{
    size_t      i;
    podi_str_t  rest = *name, part;

    if (name->len == 0 || name->len > 400 || !podi_str_is_utf8(name)) {
        return 0;
    }

    for (i = 0; i < name->len; i++) {
        if (name->data[i] < ' ' || name->data[i] == 0x7f
            || memchr("\\[]:", name->data[i], 4) != NULL)
        {
            return 0;
        }
    }

    while (podi_str_split(&rest, '/', &part)) {
        if (part.len == 0 || part.data[0] == '.') {
            return 0;
        }
    }

    return 1;
}


podi_rc_t
podi_comfy_uploaded(const podi_str_t *body, podi_mem_t *mem,
    podi_str_t *ret_name)
{
    json_t      *json;
    podi_str_t   name, folder, type;

    if (podi_comfy_parse(body, 65536, mem, &json) != PODI_OK) {
        return PODI_ERROR;
    }

    name = podi_json_str(json_object_get(json, "name"));
    folder = podi_json_str(json_object_get(json, "subfolder"));
    type = podi_json_str(json_object_get(json, "type"));

    if (!podi_str_eq_c(&type, "input") || name.len == 0
        || podi_mem_printf(mem, ret_name, PODI_STR_FMT "%s" PODI_STR_FMT,
                           podi_str_arg(&folder), folder.len ? "/" : "",
                           podi_str_arg(&name)) != PODI_OK
        || !podi_comfy_is_name(ret_name))
    {
        return PODI_ERROR;
    }

    return PODI_OK;
}


static podi_rc_t
podi_comfy_make_body(const podi_comfy_make_t *make, podi_mem_t *mem,
    podi_str_t *ret_body)
{
    podi_buf_t               b;
    const podi_comfy_job_t  *job = make->job;

    podi_buf_init(&b, mem);
    podi_buf_add_c(&b, "{\"prompt\":");
    podi_json_add(&b, make->graph);

    /* newer servers do not say again what they kept when nobody is named */
    podi_buf_add_c(&b, ",\"client_id\":");
    podi_buf_add_json(&b, job->client_id.len > 0 ? &job->client_id
                                                 : &job->prompt_id);
    podi_buf_add_c(&b, ",\"prompt_id\":");
    podi_buf_add_json(&b, &job->prompt_id);
    podi_buf_add_byte(&b, '}');

    return podi_buf_take(&b, ret_body);
}


static json_t *
podi_comfy_string(const podi_str_t *s)
{
    return json_stringn((const char *) s->data, s->len);
}
