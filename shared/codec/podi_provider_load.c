/*
 * podi_provider_load: the file, its key and its calls back, its operations.
 *
 *     text -> JSON -> secrets -> the rest -> each operation: a copy of what is
 *     common, its own members over it -> podi_provider_check
 */

#include <string.h>

#include "podi_provider_int.h"
#include "banned.h"


static podi_rc_t podi_provider_bad_json(podi_provider_load_t *l);
static podi_rc_t podi_provider_base(podi_provider_load_t *l);
static void podi_provider_defaults(podi_provider_common_t *c);
static podi_rc_t podi_provider_read_base(podi_provider_load_t *l,
    const json_t *value, void *dst, const podi_provider_row_t *row);
static podi_rc_t podi_provider_read_ca(podi_provider_load_t *l,
    const json_t *value, void *dst, const podi_provider_row_t *row);
static podi_rc_t podi_provider_operations(podi_provider_load_t *l,
    const json_t *value);
static podi_rc_t podi_provider_operation(podi_provider_load_t *l,
    const char *name, const json_t *value, podi_provider_op_t **ret_op);


#define PODI_HOST_ABC                                                        \
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:"

static const podi_provider_row_t  podi_provider_network_rows[] = {
    { "connect_ms", podi_provider_read_int,
      offsetof(podi_provider_t, common.facts.connect_ms), 100, 60000, NULL },
    { "total_ms", podi_provider_read_int,
      offsetof(podi_provider_t, common.facts.total_ms), 1000, 900000, NULL },
    { "ca_file", podi_provider_read_ca,
      offsetof(podi_provider_t, ca_file), 1, 512, NULL },
    podi_null_provider_row
};

static const podi_provider_row_t  podi_provider_rows[] = {
    { "name", podi_provider_read_name, offsetof(podi_provider_t, name), 0, 0,
      NULL },
    { "base_url", podi_provider_read_base,
      offsetof(podi_provider_t, base_url), 0, 0, NULL },
    { "secrets", podi_provider_read_names,
      offsetof(podi_provider_t, secrets), 0, 0,
      "abcdefghijklmnopqrstuvwxyz0123456789_-" },
    { "hosts", podi_provider_read_names, offsetof(podi_provider_t, hosts), 0,
      0, PODI_HOST_ABC },
    { "network", podi_provider_read_section, 0, 0, 0,
      podi_provider_network_rows },
    { "auth", podi_provider_read_auth, offsetof(podi_provider_t, auth), 0, 0,
      NULL },
    { "webhook", podi_provider_read_webhook,
      offsetof(podi_provider_t, webhook), 0, 0, NULL },
    { "common", podi_provider_read_section,
      offsetof(podi_provider_t, common), 0, 0, podi_provider_common_rows },
    { "operations", podi_provider_read_json,
      offsetof(podi_provider_t, operations), 0, 0, NULL },
    podi_null_provider_row
};


podi_rc_t
podi_provider_load(const char *file, const podi_str_t *text, podi_mem_t *mem,
    podi_provider_t **ret_provider, podi_fail_t *fail)
{
    json_t                         *json, *secrets;
    podi_provider_t                *p;
    podi_provider_load_t            l;
    static const podi_json_limit_t  limit = { PODI_PROVIDER_FILE_MAX,
                                              PODI_PROVIDER_DEPTH };

    memset(&l, 0, sizeof(l));

    l.file = file;
    l.text = *text;
    l.mem = mem;
    l.fail = fail;

    if (podi_json_parse(text, &limit, mem, &json, fail) != PODI_OK) {
        return podi_provider_bad_json(&l);
    }

    p = podi_mem_calloc(mem, sizeof(podi_provider_t));
    if (p == NULL) {
        return podi_provider_no_memory(fail);
    }

    l.p = p;
    p->mem = mem;
    podi_provider_defaults(&p->common);

    /* references to secrets are checked where they stand */

    secrets = json_object_get(json, "secrets");

    if (secrets != NULL
        && (podi_provider_enter(&l, "secrets", 0) != PODI_OK
            || podi_provider_read_names(&l, secrets, &p->secrets,
                                        &podi_provider_rows[2])
               != PODI_OK))
    {
        return PODI_ERROR;
    }

    l.place.n = 0;

    if (podi_provider_members(&l, json, p, podi_provider_rows) != PODI_OK
        || podi_provider_base(&l) != PODI_OK
        || podi_provider_operations(&l, p->operations) != PODI_OK)
    {
        return PODI_ERROR;
    }

    *ret_provider = p;

    return PODI_OK;
}


/* what our own parser refused has a place only when jansson refuses it too */

static podi_rc_t
podi_provider_bad_json(podi_provider_load_t *l)
{
    char          why[sizeof(l->fail->detail)];
    char         *at;
    json_t       *json;
    json_error_t  error;

    if (l->fail->error != PODI_E_BAD_JSON
        && l->fail->error != PODI_E_BODY_TOO_LARGE)
    {
        return PODI_ERROR;
    }

    memcpy(why, l->fail->detail, sizeof(why));
    error.line = 1;
    error.column = 1;

    if (l->fail->error == PODI_E_BAD_JSON) {
        at = strstr(why, " at line ");

        if (at != NULL) {
            *at = '\0';
            json = json_loadb((char *) l->text.data, l->text.len,
                              JSON_REJECT_DUPLICATES, &error);
            json_decref(json);
        }
    }

    return podi_fail(l->fail, PODI_E_CONFIG, "file", "%s:%d:%d: file: %s",
                     l->file, error.line, error.column, why);
}


static void
podi_provider_defaults(podi_provider_common_t *c)
{
    size_t                     i;
    podi_provider_call_t      *calls[4] = { &c->submit, &c->poll, &c->fetch,
                                            &c->cancel };
    static const char *const   methods[4] = { "POST", "GET", "GET", "POST" };

    for (i = 0; i < 4; i++) {
        calls[i]->method = podi_str_c(methods[i]);
        calls[i]->ok.v[0] = 200;
        calls[i]->ok.v[1] = 201;
        calls[i]->ok.v[2] = 202;
        calls[i]->ok.v[3] = 204;
        calls[i]->ok.n = 4;
    }

    c->facts.connect_ms = 5000;
    c->facts.total_ms = 60000;
    c->facts.first_ms = 1000;
    c->facts.factor = 150;
    c->facts.max_ms = 10000;
    c->facts.deadline_s = 3600;
    c->facts.ttl_s = 3600;
    c->facts.max_bytes = 64 * 1024 * 1024;
    c->facts.cancel_states = 1u << PODI_REMOTE_QUEUED
                             | 1u << PODI_REMOTE_RUNNING;
    c->progress_scale = 1;
    c->cost_unit = 1000000;
    c->failed_class = PODI_PROVIDER_INVALID;
}


static podi_rc_t
podi_provider_base(podi_provider_load_t *l)
{
    const char       *missing = NULL;
    podi_provider_t  *p = l->p;

    if (p->name.len == 0) {
        missing = "name";

    } else if (p->base_url.len == 0) {
        missing = "base_url";

    } else if (p->operations == NULL) {
        missing = "operations";
    }

    if (missing != NULL) {
        return podi_provider_wrong(l, "\"%s\" is missing", missing);
    }

    return PODI_OK;
}


static podi_rc_t
podi_provider_read_base(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    podi_str_t           origin, host, *url = dst;
    podi_provider_row_t  bounds = { NULL, NULL, 0, 1, 512, NULL };

    (void) row;

    if (podi_provider_read_str(l, value, dst, &bounds) != PODI_OK) {
        return PODI_ERROR;
    }

    if (podi_provider_origin(url, &origin, &host) != PODI_OK
        || url->data[url->len - 1] == '/'
        || memchr(url->data, '?', url->len) != NULL)
    {
        return podi_provider_wrong(l, "it must be http(s)://host, perhaps "
                                   "with a path, without a / at its end");
    }

    return PODI_OK;
}


static podi_rc_t
podi_provider_read_ca(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    podi_str_t  s;

    if (podi_provider_read_str(l, value, &s, row) != PODI_OK) {
        return PODI_ERROR;
    }

    if (s.data[0] != '/') {
        return podi_provider_wrong(l, "it must be an absolute path");
    }

    *(const char **) dst = (const char *) s.data;

    return PODI_OK;
}


static podi_rc_t
podi_provider_operations(podi_provider_load_t *l, const json_t *value)
{
    void                *iter;
    json_t              *o = (json_t *) (uintptr_t) value;
    podi_provider_op_t  **last = &l->p->ops;

    if (podi_provider_enter(l, "operations", 0) != PODI_OK) {
        return PODI_ERROR;
    }

    if (!json_is_object(value) || json_object_size(value) == 0) {
        return podi_provider_wrong(l, "it must be an object of at least one "
                                   "operation");
    }

    for (iter = json_object_iter(o);
         iter != NULL;
         iter = json_object_iter_next(o, iter))
    {
        if (podi_provider_enter(l, json_object_iter_key(iter), 0) != PODI_OK
            || podi_provider_operation(l, json_object_iter_key(iter),
                                       json_object_iter_value(iter), last)
               != PODI_OK)
        {
            return PODI_ERROR;
        }

        podi_provider_leave(l);
        last = &(*last)->next;
    }

    podi_provider_leave(l);

    return PODI_OK;
}


static podi_rc_t
podi_provider_operation(podi_provider_load_t *l, const char *name,
    const json_t *value, podi_provider_op_t **ret_op)
{
    podi_provider_op_t         *op;
    const podi_provider_row_t   params = {
        "params", podi_provider_read_params, 0, 0, 0, NULL
    };
    podi_provider_row_t         rows[PODI_PROVIDER_DEPTH];
    size_t                      n;

    if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")
        != strlen(name)
        || name[0] == '\0' || strlen(name) > 40)
    {
        l->at_key = 1;
        return podi_provider_wrong(l, "its name may have a-z, 0-9 and _ "
                                   "only");
    }

    op = podi_mem_calloc(l->mem, sizeof(podi_provider_op_t));
    if (op == NULL) {
        return podi_provider_no_memory(l->fail);
    }

    op->c = l->p->common;
    op->provider = l->p;
    op->c.facts.name = podi_str_c(name);

    op->c.place = podi_provider_here(l);
    if (op->c.place == NULL) {
        return podi_provider_no_memory(l->fail);
    }

    rows[0] = params;
    rows[0].offset = offsetof(podi_provider_op_t, params);
    n = 0;

    do {
        rows[n + 1] = podi_provider_common_rows[n];
        rows[n + 1].offset += offsetof(podi_provider_op_t, c);
    } while (podi_provider_common_rows[n++].name != NULL);

    if (podi_provider_members(l, value, op, rows) != PODI_OK) {
        return PODI_ERROR;
    }

    *ret_op = op;

    return podi_provider_check(l, op);
}


podi_str_t
podi_provider_name(const podi_provider_t *p)
{
    return p->name;
}


const char *
podi_provider_ca_file(const podi_provider_t *p)
{
    return p->ca_file;
}


podi_str_t
podi_provider_secret(const podi_provider_t *p, size_t i)
{
    podi_str_t  none = podi_null_str;

    return i < p->secrets.n ? p->secrets.v[i] : none;
}


const podi_provider_op_t *
podi_provider_op(const podi_provider_t *p, const podi_str_t *name)
{
    const podi_provider_op_t  *op;

    for (op = p->ops; op != NULL; op = op->next) {
        if (podi_str_eq(&op->c.facts.name, name)) {
            break;
        }
    }

    return op;
}


const podi_provider_op_t *
podi_provider_op_at(const podi_provider_t *p, size_t i)
{
    const podi_provider_op_t  *op;

    for (op = p->ops; op != NULL && i > 0; op = op->next) {
        i--;
    }

    return op;
}


const podi_provider_facts_t *
podi_provider_facts(const podi_provider_op_t *op)
{
    return &op->c.facts;
}
