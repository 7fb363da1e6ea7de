/*
 * podi_provider_part: the smaller parts of a description: lists, states,
 * rules of errors and params.
 */

#include <string.h>

#include "podi_provider_int.h"
#include "banned.h"


#define PODI_PROVIDER_RULES_MAX  64


static podi_rc_t podi_provider_read_state_map(podi_provider_load_t *l,
    const json_t *value, void *dst, const podi_provider_row_t *row);
static podi_rc_t podi_provider_rule(podi_provider_load_t *l,
    const json_t *value, const void *classes,
    podi_provider_rule_t **ret_rule);
static podi_rc_t podi_provider_read_match(podi_provider_load_t *l,
    const json_t *value, void *dst, const podi_provider_row_t *row);
static podi_rc_t podi_provider_param(podi_provider_load_t *l,
    const json_t *value, podi_provider_param_t *param);
static podi_rc_t podi_provider_read_bound(podi_provider_load_t *l,
    const json_t *value, void *dst, const podi_provider_row_t *row);


static const char *const  podi_provider_froms[] = {
    "json_path", "http_status", NULL
};

static const char *const  podi_provider_states_to[] = {
    "-", "queued", "running", "done", "failed", "canceled", "lost", NULL
};

static const char *const  podi_provider_param_types[] = {
    "string", "integer", "number", "boolean", "object", "array", NULL
};

static const podi_provider_row_t  podi_provider_state_rows[] = {
    { "from", podi_provider_read_enum,
      offsetof(podi_provider_states_t, from), 0, 0, podi_provider_froms },
    { "path", podi_provider_read_paths,
      offsetof(podi_provider_states_t, path), 0, 0, NULL },
    { "map", podi_provider_read_state_map, 0, 0, 0,
      podi_provider_states_to },
    podi_null_provider_row
};

static const char *const  podi_provider_clocks[] = {
    "-", "wrong", "theirs", NULL
};

static const podi_provider_row_t  podi_provider_match_rows[] = {
    { "http", podi_provider_read_statuses,
      offsetof(podi_provider_rule_t, http), 0, 0, NULL },
    { "code_path", podi_provider_read_paths,
      offsetof(podi_provider_rule_t, code), 0, 0, NULL },
    { "code_regex", podi_provider_read_regex,
      offsetof(podi_provider_rule_t, code_regex), 0, 0, NULL },
    { "header", podi_provider_read_header,
      offsetof(podi_provider_rule_t, header), 0, 0, NULL },
    { "header_regex", podi_provider_read_regex,
      offsetof(podi_provider_rule_t, header_regex), 0, 0, NULL },
    podi_null_provider_row
};

static const podi_provider_row_t  podi_provider_retry_rows[] = {
    { "header", podi_provider_read_header,
      offsetof(podi_provider_rule_t, retry_header), 0, 0, NULL },
    { "path", podi_provider_read_paths,
      offsetof(podi_provider_rule_t, retry_path), 0, 0, NULL },
    { "fixed_s", podi_provider_read_int,
      offsetof(podi_provider_rule_t, retry_fixed), 1, 86400, NULL },
    podi_null_provider_row
};

static const podi_provider_row_t  podi_provider_param_rows[] = {
    { "type", podi_provider_read_enum,
      offsetof(podi_provider_param_t, type), 0, 0,
      podi_provider_param_types },
    { "required", podi_provider_read_bool,
      offsetof(podi_provider_param_t, required), 0, 0, NULL },
    { "min", podi_provider_read_bound, offsetof(podi_provider_param_t, min),
      0, 0, NULL },
    { "max", podi_provider_read_bound, offsetof(podi_provider_param_t, max),
      0, 0, NULL },
    { "default", podi_provider_read_json,
      offsetof(podi_provider_param_t, fallback), 0, 0, NULL },
    { "values", podi_provider_read_json,
      offsetof(podi_provider_param_t, values), 0, 0, NULL },
    podi_null_provider_row
};


podi_rc_t
podi_provider_read_statuses(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    size_t                     i, n;
    int64_t                    status;
    podi_provider_row_t        bounds = { NULL, NULL, 0, 100, 599, NULL };
    podi_provider_statuses_t  *list = dst;

    (void) row;

    n = json_array_size(value);

    if (n == 0 || n > PODI_PROVIDER_STATUSES) {
        return podi_provider_wrong(l, "it must be an array of 1 to %d "
                                   "statuses", PODI_PROVIDER_STATUSES);
    }

    for (i = 0; i < n; i++) {

        if (podi_provider_enter(l, NULL, i) != PODI_OK
            || podi_provider_read_int(l, json_array_get(value, i), &status,
                                      &bounds)
               != PODI_OK)
        {
            return PODI_ERROR;
        }

        podi_provider_leave(l);
        list->v[i] = (unsigned) status;
    }

    list->n = (unsigned) n;

    return PODI_OK;
}


/* row->arg: the characters that a name may have */

podi_rc_t
podi_provider_read_names(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    size_t                  i, n;
    podi_provider_row_t     bounds = { NULL, NULL, 0, 1, 128, NULL };
    podi_provider_names_t  *names = dst;

    n = json_array_size(value);

    if (!json_is_array(value) || n > PODI_PROVIDER_STATES) {
        return podi_provider_wrong(l, "it must be an array of at most %d "
                                   "names", PODI_PROVIDER_STATES);
    }

    names->v = podi_mem_calloc(l->mem, n * sizeof(podi_str_t));
    if (names->v == NULL) {
        return podi_provider_no_memory(l->fail);
    }

    for (i = 0; i < n; i++) {

        if (podi_provider_enter(l, NULL, i) != PODI_OK
            || podi_provider_read_str(l, json_array_get(value, i),
                                      &names->v[i], &bounds)
               != PODI_OK)
        {
            return PODI_ERROR;
        }

        if (strspn((const char *) names->v[i].data, row->arg)
            != names->v[i].len)
        {
            return podi_provider_wrong(l, "it has a character that cannot "
                                       "be in it");
        }

        podi_provider_leave(l);
    }

    names->n = n;

    return PODI_OK;
}


podi_rc_t
podi_provider_read_states(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    podi_provider_states_t  *states = dst;

    (void) row;

    memset(states, 0, sizeof(podi_provider_states_t));

    states->place = podi_provider_here(l);
    if (states->place == NULL) {
        return podi_provider_no_memory(l->fail);
    }

    if (podi_provider_members(l, value, dst, podi_provider_state_rows)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (states->n_rows == 0) {
        return podi_provider_wrong(l, "its map is missing");
    }

    if ((states->from == 0) != (states->path.n > 0)) {
        return podi_provider_wrong(l, "a path goes with json_path, and with "
                                   "nothing else");
    }

    return PODI_OK;
}


static podi_rc_t
podi_provider_read_state_map(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    int                      state;
    void                    *iter;
    json_t                  *o = (json_t *) (uintptr_t) value;
    podi_provider_states_t  *states = dst;

    if (!json_is_object(value)
        || json_object_size(value) > PODI_PROVIDER_STATES)
    {
        return podi_provider_wrong(l, "it must be an object of at most %d "
                                   "states", PODI_PROVIDER_STATES);
    }

    states->rows = podi_mem_calloc(l->mem, json_object_size(value)
                                           * sizeof(states->rows[0]));
    if (states->rows == NULL) {
        return podi_provider_no_memory(l->fail);
    }

    for (iter = json_object_iter(o);
         iter != NULL;
         iter = json_object_iter_next(o, iter))
    {
        if (podi_provider_enter(l, json_object_iter_key(iter), 0) != PODI_OK
            || podi_provider_read_enum(l, json_object_iter_value(iter),
                                       &state, row)
               != PODI_OK)
        {
            return PODI_ERROR;
        }

        podi_provider_leave(l);

        states->rows[states->n_rows].text
            = podi_str_c(json_object_iter_key(iter));
        states->rows[states->n_rows++].state = (podi_remote_e) state;
    }

    return PODI_OK;
}


/* an operation's own rules are asked before those of the whole file */

podi_rc_t
podi_provider_read_rules(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    size_t                  i, n;
    podi_provider_rule_t   *common, **last;

    n = json_array_size(value);

    if (!json_is_array(value) || n > PODI_PROVIDER_RULES_MAX) {
        return podi_provider_wrong(l, "it must be an array of at most %d "
                                   "rules", PODI_PROVIDER_RULES_MAX);
    }

    common = *(podi_provider_rule_t **) dst;
    last = dst;

    for (i = 0; i < n; i++) {

        if (podi_provider_enter(l, NULL, i) != PODI_OK
            || podi_provider_rule(l, json_array_get(value, i), row->arg, last)
               != PODI_OK)
        {
            return PODI_ERROR;
        }

        podi_provider_leave(l);
        last = &(*last)->next;
    }

    *last = common;

    return PODI_OK;
}


static podi_rc_t
podi_provider_rule(podi_provider_load_t *l, const json_t *value,
    const void *classes, podi_provider_rule_t **ret_rule)
{
    podi_provider_rule_t       *rule;
    const podi_provider_row_t   rows[] = {
        { "match", podi_provider_read_match, 0, 0, 0,
          podi_provider_match_rows },
        { "class", podi_provider_read_enum,
          offsetof(podi_provider_rule_t, class), 0, 0, classes },
        { "clock", podi_provider_read_enum,
          offsetof(podi_provider_rule_t, clock), 0, 0, podi_provider_clocks },
        { "retry_after", podi_provider_read_section, 0, 0, 0,
          podi_provider_retry_rows },
        podi_null_provider_row
    };

    rule = podi_mem_calloc(l->mem, sizeof(podi_provider_rule_t));
    if (rule == NULL) {
        return podi_provider_no_memory(l->fail);
    }

    rule->class = -1;
    rule->place = podi_provider_here(l);

    if (rule->place == NULL) {
        return podi_provider_no_memory(l->fail);
    }

    if (podi_provider_members(l, value, rule, rows) != PODI_OK) {
        return PODI_ERROR;
    }

    if (rule->class == -1) {
        return podi_provider_wrong(l, "its class is missing");
    }

    if (!rule->has_match) {
        return podi_provider_wrong(l, "its match is missing");
    }

    *ret_rule = rule;

    return PODI_OK;
}


static podi_rc_t
podi_provider_read_match(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    podi_provider_rule_t  *rule = dst;

    if (podi_provider_members(l, value, dst, row->arg) != PODI_OK) {
        return PODI_ERROR;
    }

    rule->has_match = 1;

    if (rule->http.n == 0 && rule->code_regex == NULL
        && rule->header.len == 0)
    {
        return podi_provider_wrong(l, "it would match every answer: http, "
                                   "code_regex or header is missing");
    }

    if (rule->code.n > 0 && rule->code_regex == NULL) {
        return podi_provider_wrong(l, "code_path needs its code_regex");
    }

    if (rule->header_regex != NULL && rule->header.len == 0) {
        return podi_provider_wrong(l, "header_regex needs its header");
    }

    return PODI_OK;
}


podi_rc_t
podi_provider_read_params(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    void                    *iter;
    json_t                  *o = (json_t *) (uintptr_t) value;
    const char              *key;
    podi_provider_param_t   *param, **last = dst;
    static const char        abc[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

    (void) row;

    if (!json_is_object(value)) {
        return podi_provider_wrong(l, "it must be an object");
    }

    for (iter = json_object_iter(o);
         iter != NULL;
         iter = json_object_iter_next(o, iter))
    {
        key = json_object_iter_key(iter);

        if (podi_provider_enter(l, key, 0) != PODI_OK) {
            return PODI_ERROR;
        }

        if (strspn(key, abc) != strlen(key) || key[0] == '\0'
            || strlen(key) > 40 || strcmp(key, "input") == 0
            || strcmp(key, "input_urls") == 0 || strcmp(key, "remote") == 0
            || strcmp(key, "job") == 0)
        {
            l->at_key = 1;
            return podi_provider_wrong(l, "a param cannot have this name");
        }

        param = podi_mem_calloc(l->mem, sizeof(podi_provider_param_t));
        if (param == NULL) {
            return podi_provider_no_memory(l->fail);
        }

        param->name = key;
        *last = param;
        last = &param->next;

        if (podi_provider_param(l, json_object_iter_value(iter), param)
            != PODI_OK)
        {
            return PODI_ERROR;
        }

        podi_provider_leave(l);
    }

    return PODI_OK;
}


static podi_rc_t
podi_provider_param(podi_provider_load_t *l, const json_t *value,
    podi_provider_param_t *param)
{
    size_t  i;

    param->min = INT64_MIN;
    param->max = INT64_MAX;
    param->type = -1;

    if (podi_provider_members(l, value, param, podi_provider_param_rows)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (param->type == -1) {
        return podi_provider_wrong(l, "its type is missing");
    }

    if (param->min > param->max) {
        return podi_provider_wrong(l, "its min is above its max");
    }

    if (param->values != NULL && json_array_size(param->values) == 0) {
        return podi_provider_wrong(l, "values must be an array of some");
    }

    for (i = 0; i < json_array_size(param->values); i++) {
        if (podi_provider_param_fits(param, json_array_get(param->values, i))
            != NULL)
        {
            return podi_provider_wrong(l, "one of its values is none that "
                                       "it may have");
        }
    }

    if (param->fallback != NULL
        && podi_provider_param_fits(param, param->fallback) != NULL)
    {
        return podi_provider_wrong(l, "its default is none that it may "
                                   "have");
    }

    return PODI_OK;
}


static podi_rc_t
podi_provider_read_bound(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    podi_provider_row_t  any = { NULL, NULL, 0, INT64_MIN + 1,
                                 INT64_MAX - 1, NULL };

    (void) row;

    return podi_provider_read_int(l, value, dst, &any);
}
