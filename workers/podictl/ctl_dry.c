/*
 * ctl_dry: what a workflow would send, and which servers could run it.
 *
 *     version -> graph + mapping + params + inputs -> prompt, as a runner
 *       makes it -> the servers, and what each lacks [-> ctl_dry_run.c]
 *
 * Promises: without --server nothing is sent to anybody.  What a job's action
 * would fill in is not: params are all that there is.
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "podi_id.h"
#include "podi_json.h"
#include "podi_sniff.h"
#include "ctl_dry.h"
#include "banned.h"


#define DRY_JSON_MAX  (4 * 1024 * 1024)
#define DRY_PARAMS    1                 /* places of the options */
#define DRY_SERVER    2
#define DRY_OUT       3

#define DRY_MEMORY    PODI_E_INTERNAL, NULL, "no memory"


static podi_rc_t dry_show(podi_flow_t *f, void *ctx);
static podi_rc_t dry_build(podi_flow_t *f, void *ctx);
static podi_rc_t dry_judge(podi_flow_t *f, void *ctx);
static podi_rc_t dry_server(podi_flow_t *f, void *ctx);
static podi_rc_t dry_name(podi_flow_t *f, ctl_dry_t *d, int64_t *ret_version);
static podi_rc_t dry_read_row(podi_flow_t *f, ctl_dry_t *d);
static podi_rc_t dry_json(podi_flow_t *f, ctl_dry_t *d, const char *name,
    json_t **ret_json);
static podi_rc_t dry_inputs(podi_flow_t *f, ctl_dry_t *d);
static podi_rc_t dry_input(podi_flow_t *f, ctl_dry_t *d, size_t i);
static podi_rc_t dry_out(podi_flow_t *f, ctl_dry_t *d);
static podi_rc_t dry_tell(podi_flow_t *f, ctl_dry_t *d);
static void dry_tell_unused(ctl_dry_t *d, podi_buf_t *b);
static podi_rc_t dry_fits(podi_flow_t *f, ctl_dry_t *d);
static podi_rc_t dry_refuse(podi_flow_t *f, int row);
static json_t *dry_lacks(podi_flow_t *f, int row);


static const podi_json_limit_t  dry_limit = { DRY_JSON_MAX, 0 };

const podi_step_t  ctl_workflow_dry_steps[] = {
    { "reading the workflow",   dry_show,     0 },
    { "building the prompt",    dry_build,    0 },
    { "looking at the servers", dry_judge,    0 },
    { "finding the server",     dry_server,   0 },
    { "waiting",                ctl_dry_wait, 0 },
    { "asking the server",      ctl_dry_ask,  PODI_MAY_FAIL },
    { "reading its answer",     ctl_dry_read, 0 },
    podi_null_step
};


static podi_rc_t
dry_show(podi_flow_t *f, void *ctx)
{
    ctl_t           *ctl = ctx;
    int64_t          version = 0;
    ctl_dry_t       *d = ctl->state;
    podi_pg_call_t   call;

    if (d != NULL) {
        return PODI_OK;
    }

    d = podi_mem_calloc(ctl->mem, sizeof(ctl_dry_t));
    if (d == NULL) {
        return podi_fail(&f->fail, DRY_MEMORY);
    }

    d->ctl = ctl;
    d->out = -1;
    d->fd = -1;
    ctl->state = d;

    if (dry_name(f, d, &version) != PODI_OK) {
        return PODI_ERROR;
    }

    podi_pg_call_init(&call, PODI_SQL_COMFY_WORKFLOW_SHOW, f->mem);
    podi_arg_str(&call, &d->workflow);

    if (version == 0) {
        podi_arg_null(&call);
    } else {
        podi_arg_int64(&call, version);
    }

    return podi_pg_call(ctl->pg, f, &call);
}


/* NAME, or NAME@VERSION */

static podi_rc_t
dry_name(podi_flow_t *f, ctl_dry_t *d, int64_t *ret_version)
{
    podi_str_t  rest = podi_str_c(d->ctl->values[0]);

    if (!podi_str_split(&rest, '@', &d->workflow)) {
        d->workflow = rest;
        return PODI_OK;
    }

    if (rest.len > 0 && (podi_str_to_int64(&rest, ret_version) != PODI_OK
                         || *ret_version < 1 || *ret_version > INT32_MAX))
    {
        return podi_fail(&f->fail, PODI_E_BAD_FIELD, "version",
                         "write a whole number");
    }

    return PODI_OK;
}


static podi_rc_t
dry_build(podi_flow_t *f, void *ctx)
{
    podi_id_t        id;
    json_t          *body;
    podi_str_t       graph, mapping, text;
    ctl_t           *ctl = ctx;
    ctl_dry_t       *d = ctl->state;
    podi_pg_call_t   call;

    if (d->stage != DRY_SHOW) {
        return PODI_OK;
    }

    if (podi_id_make(&id) != PODI_OK
        || podi_random(&d->seed, sizeof(d->seed)) != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no randomness");
    }

    text = podi_id_str(&id);

    if (podi_mem_dup(ctl->mem, &text, &d->prompt_id) != PODI_OK) {
        return podi_fail(&f->fail, DRY_MEMORY);
    }

    d->ref = d->prompt_id;

    if (dry_read_row(f, d) != PODI_OK
        || dry_inputs(f, d) != PODI_OK
        || dry_out(f, d) != PODI_OK
        || ctl_dry_body(d, &f->fail) != PODI_OK
        || dry_tell(f, d) != PODI_OK)
    {
        return PODI_ERROR;
    }

    /* what the parameters made of it, not what it was */

    if (podi_json_parse(&d->body, &dry_limit, f->mem, &body, &f->fail)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (podi_json_dump(json_object_get(body, "prompt"), f->mem, &graph)
        != PODI_OK
        || podi_json_dump(d->mapping, f->mem, &mapping) != PODI_OK)
    {
        return podi_fail(&f->fail, DRY_MEMORY);
    }

    podi_pg_call_init(&call, PODI_SQL_COMFY_GRAPH_FITS, f->mem);
    podi_arg_str(&call, &graph);
    podi_arg_str(&call, &mapping);

    return podi_pg_call(ctl->pg, f, &call);
}


static podi_rc_t
dry_read_row(podi_flow_t *f, ctl_dry_t *d)
{
    podi_str_t  text;

    d->version = podi_row_int64(f->result, 0, "version");
    text = podi_str_c(d->ctl->values[DRY_PARAMS]);

    if (dry_json(f, d, "graph", &d->graph) != PODI_OK
        || dry_json(f, d, "mapping", &d->mapping) != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (podi_json_parse(&text, &dry_limit, d->ctl->mem, &d->params, &f->fail)
        != PODI_OK || !json_is_object(d->params))
    {
        return podi_fail(&f->fail, PODI_E_BAD_FIELD, "params",
                         "not a JSON object");
    }

    return PODI_OK;
}


static podi_rc_t
dry_json(podi_flow_t *f, ctl_dry_t *d, const char *name, json_t **ret_json)
{
    podi_str_t  text = podi_row_str(f->result, 0, name);

    return podi_json_parse(&text, &dry_limit, d->ctl->mem, ret_json, &f->fail);
}


/* files that are not needed may be left out: then all of them */

static podi_rc_t
dry_inputs(podi_flow_t *f, ctl_dry_t *d)
{
    int     is_real = d->ctl->n_more > 0
                      || d->ctl->values[DRY_SERVER][0] != '\0';
    size_t  i;

    d->n_inputs = is_real ? (size_t) d->ctl->n_more
                  : json_array_size(json_object_get(d->mapping, "inputs"));

    if (d->n_inputs > CTL_MORE_MAX) {
        return podi_fail(&f->fail, PODI_E_BAD_FIELD, "inputs",
                         "more than %d", CTL_MORE_MAX);
    }

    for (i = 0; i < d->n_inputs; i++) {
        d->fds[i] = -1;

        if (dry_input(f, d, i) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


static podi_rc_t
dry_input(podi_flow_t *f, ctl_dry_t *d, size_t i)
{
    ssize_t         n;
    podi_str_t      head;
    const char     *path, *suffix = "png";
    struct stat     st;
    unsigned char   bytes[PODI_SNIFF_LEN];

    if (d->ctl->n_more > 0) {
        path = d->ctl->more[i];
        d->fds[i] = open(path, O_RDONLY | O_CLOEXEC);

        if (d->fds[i] == -1 || fstat(d->fds[i], &st) != 0
            || !S_ISREG(st.st_mode)
            || (n = pread(d->fds[i], bytes, sizeof(bytes), 0)) <= 0)
        {
            return podi_fail(&f->fail, PODI_E_BAD_FIELD, "input",
                             "%s: no file that can be read, or empty", path);
        }

        head.data = bytes;
        head.len = (size_t) n;
        suffix = podi_media_suffix(podi_sniff(&head));
        d->bytes[i] = st.st_size;
    }

    return podi_mem_printf(d->ctl->mem, &d->names[i],
                           "podi/" PODI_STR_FMT "/in%zu.%s",
                           podi_str_arg(&d->prompt_id), i + 1, suffix)
           == PODI_OK
           ? PODI_OK : podi_fail(&f->fail, DRY_MEMORY);
}


static podi_rc_t
dry_out(podi_flow_t *f, ctl_dry_t *d)
{
    const char  *path = d->ctl->values[DRY_OUT];

    if (d->ctl->values[DRY_SERVER][0] == '\0') {
        return PODI_OK;
    }

    d->out = open(path[0] != '\0' ? path : ".",
                  O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return d->out != -1
           ? PODI_OK
           : podi_fail(&f->fail, PODI_E_BAD_FIELD, "out",
                       "%s is no directory", path);
}


podi_rc_t
ctl_dry_body(ctl_dry_t *d, podi_fail_t *fail)
{
    podi_comfy_job_t  job;

    memset(&job, 0, sizeof(job));
    job.graph = d->graph;
    job.mapping = d->mapping;
    job.params = d->params;
    job.inputs = d->names;
    job.inputs_n = d->n_inputs;
    job.prompt_id = d->prompt_id;
    job.seed = d->seed;

    if (podi_mem_printf(d->ctl->mem, &job.prefix, "podi/" PODI_STR_FMT "/out",
                        podi_str_arg(&d->prompt_id)) != PODI_OK)
    {
        return podi_fail(fail, DRY_MEMORY);
    }

    return podi_comfy_prompt(&job, d->ctl->mem, &d->body, fail);
}


static podi_rc_t
dry_tell(podi_flow_t *f, ctl_dry_t *d)
{
    podi_buf_t  b;
    podi_str_t  text;

    podi_buf_init(&b, f->mem);
    podi_buf_add_c(&b, "{\"workflow\":");
    podi_buf_add_json(&b, &d->workflow);
    podi_buf_printf(&b, ",\"version\":%lld,\"sends\":",
                    (long long) d->version);
    podi_buf_add_str(&b, &d->body);
    dry_tell_unused(d, &b);
    podi_buf_add_c(&b, "}\n");

    if (podi_buf_take(&b, &text) != PODI_OK) {
        return podi_fail(&f->fail, DRY_MEMORY);
    }

    (void) fwrite(text.data, 1, text.len, stdout);

    return PODI_OK;
}


/* a parameter that goes nowhere is likely a slip of the pen; a seed goes to
 * the mapping's own list
 */

static void
dry_tell_unused(ctl_dry_t *d, podi_buf_t *b)
{
    json_t      *value, *used;
    podi_str_t   name;
    const char  *key, *before = ",\"unused\":[";

    used = json_object_get(d->mapping, "params");

    json_object_foreach(d->params, key, value) {
        if (json_object_get(used, key) == NULL && strcmp(key, "seed") != 0) {
            name = podi_str_c(key);
            podi_buf_add_c(b, before);
            podi_buf_add_json(b, &name);
            before = ",";
        }
    }

    if (before[1] == '\0') {
        podi_buf_add_c(b, "]");
    }
}


static podi_rc_t
dry_judge(podi_flow_t *f, void *ctx)
{
    ctl_t           *ctl = ctx;
    ctl_dry_t       *d = ctl->state;
    podi_pg_call_t   call;

    if (d->stage != DRY_SHOW) {
        return PODI_OK;
    }

    (void) ctl_tell_rows(f, ctx);

    if (dry_fits(f, d) != PODI_OK) {
        return PODI_ERROR;
    }

    if (ctl->values[DRY_SERVER][0] == '\0') {
        return PODI_DONE;
    }

    podi_pg_call_init(&call, PODI_SQL_COMFY_SERVER_OPEN, f->mem);
    podi_arg_c(&call, ctl->values[DRY_SERVER]);

    return podi_pg_call(ctl->pg, f, &call);
}


/* one that is named need not be active, nor have said what it has */

static podi_rc_t
dry_fits(podi_flow_t *f, ctl_dry_t *d)
{
    int          row, best = -1;
    size_t       n, least = 0;
    podi_str_t   state, server;
    const char  *name = d->ctl->values[DRY_SERVER];

    for (row = 0; row < podi_rows(f->result); row++) {
        state = podi_row_str(f->result, row, "state");
        server = podi_row_str(f->result, row, "server");
        n = json_array_size(dry_lacks(f, row));

        if (name[0] != '\0' ? podi_str_eq_c(&server, name)
            : podi_str_eq_c(&state, "active")
              && !podi_row_is_null(f->result, row, "fits")
              && (best == -1 || n < least))
        {
            best = row;
            least = n;
        }
    }

    if (best == -1) {
        return podi_fail(&f->fail, PODI_E_BAD_FIELD, "server", "%s",
                         name[0] != '\0' ? "there is no such server"
                         : "no active server has said what it has");
    }

    return least == 0 ? PODI_OK : dry_refuse(f, best);
}


static podi_rc_t
dry_refuse(podi_flow_t *f, int row)
{
    json_t      *lack = json_array_get(dry_lacks(f, row), 0);
    podi_str_t   server, field, why;

    server = podi_row_str(f->result, row, "server");
    field = podi_json_str(json_object_get(lack, "field"));
    why = podi_json_str(json_object_get(lack, "why"));

    return podi_fail(&f->fail, PODI_E_BAD_FIELD, podi_mem_dup_c(f->mem, &field),
                     "server " PODI_STR_FMT ": " PODI_STR_FMT,
                     podi_str_arg(&server), podi_str_arg(&why));
}


static json_t *
dry_lacks(podi_flow_t *f, int row)
{
    json_t       *lacks;
    podi_str_t    text = podi_row_str(f->result, row, "lacks");
    podi_fail_t   fail;

    return podi_json_parse(&text, &dry_limit, f->mem, &lacks, &fail) == PODI_OK
           ? lacks : NULL;
}


static podi_rc_t
dry_server(podi_flow_t *f, void *ctx)
{
    ctl_t      *ctl = ctx;
    ctl_dry_t  *d = ctl->state;

    if (d->stage != DRY_SHOW) {
        return PODI_OK;
    }

    d->stage = d->n_inputs > 0 ? DRY_UPLOAD : DRY_PROMPT;

    return ctl_dry_open(d, f->result, &f->fail);
}
