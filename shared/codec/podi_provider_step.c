/*
 * podi_provider_step: the members that the file and each operation share:
 * submit, poll, result, cancel and what goes with them.
 *
 *     common rows -> a step: its call, and what is read from its answer
 */

#include <string.h>

#include "podi_provider_int.h"
#include "banned.h"


static podi_rc_t podi_provider_read_method(podi_provider_load_t *l,
    const json_t *value, void *dst, const podi_provider_row_t *row);
static podi_rc_t podi_provider_read_body(podi_provider_load_t *l,
    const json_t *value, void *dst, const podi_provider_row_t *row);
static podi_rc_t podi_provider_read_factor(podi_provider_load_t *l,
    const json_t *value, void *dst, const podi_provider_row_t *row);
static podi_rc_t podi_provider_read_only(podi_provider_load_t *l,
    const json_t *value, void *dst, const podi_provider_row_t *row);
static podi_rc_t podi_provider_read_redact(podi_provider_load_t *l,
    const json_t *value, void *dst, const podi_provider_row_t *row);


#define PODI_HOST_ABC                                                        \
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:"

#define podi_at(m)  offsetof(podi_provider_common_t, m)

static const char *const  podi_provider_methods[] = {
    "GET", "POST", "PUT", "DELETE", "PATCH", NULL
};

static const char *const  podi_provider_bodies[] = {
    "-", "json", "form", "multipart", NULL
};

static const char *const  podi_provider_not_found[] = {
    "lost", "wait", NULL
};

static const char *const  podi_provider_results[] = {
    "url", "base64", "bytes", "inline_json", NULL
};

static const char *const  podi_provider_remotes[] = {
    "-", "queued", "running", "done", "failed", "canceled", "lost", NULL
};

static const char *const  podi_provider_classes[] = {
    "ok", "retryable", "throttled", "quota", "auth", "content", "invalid",
    "unknown", "expired", NULL
};

static const podi_provider_row_t  podi_provider_body_rows[] = {
    { "kind", podi_provider_read_enum, offsetof(podi_provider_call_t, kind),
      0, 0, podi_provider_bodies },
    { "template", podi_provider_read_node,
      offsetof(podi_provider_call_t, body), 0, 0, NULL },
    { "fields", podi_provider_read_texts,
      offsetof(podi_provider_call_t, fields), 0, 0, NULL },
    { "files", podi_provider_read_texts,
      offsetof(podi_provider_call_t, files), 0, 0, NULL },
    podi_null_provider_row
};

static const podi_provider_row_t  podi_provider_ok_rows[] = {
    { "path", podi_provider_read_paths,
      offsetof(podi_provider_call_t, ok_path), 0, 0, NULL },
    { "regex", podi_provider_read_regex,
      offsetof(podi_provider_call_t, ok_regex), 0, 0, NULL },
    podi_null_provider_row
};

/* how a step asks, and when its answer is one */

#define podi_call_rows(m)                                                    \
    { "method", podi_provider_read_method, podi_at(m.method), 0, 0, NULL },  \
    { "url", podi_provider_read_text, podi_at(m.url), 0, 0, "url" },         \
    { "query", podi_provider_read_texts, podi_at(m.query), 0, 0, NULL },     \
    { "headers", podi_provider_read_texts, podi_at(m.headers), 0, 0,         \
      "headers" },                                                           \
    { "body", podi_provider_read_body, podi_at(m), 0, 0, NULL },             \
    { "ok_status", podi_provider_read_statuses, podi_at(m.ok), 0, 0,         \
      NULL },                                                                \
    { "ok_if", podi_provider_read_section, podi_at(m), 0, 0,                 \
      podi_provider_ok_rows }

static const podi_provider_row_t  podi_provider_submit_rows[] = {
    podi_call_rows(submit),
    { "id_path", podi_provider_read_paths, podi_at(id), 0, 0, NULL },
    { "poll_url_path", podi_provider_read_paths, podi_at(poll_url), 0, 0,
      NULL },
    { "cancel_url_path", podi_provider_read_paths, podi_at(cancel_url), 0, 0,
      NULL },
    { "result_url_path", podi_provider_read_paths, podi_at(result_url), 0, 0,
      NULL },
    { "idempotency_header", podi_provider_read_header, podi_at(idempotency),
      0, 0, NULL },
    { "unknown_status", podi_provider_read_statuses, podi_at(unknown), 0, 0,
      NULL },
    { "state", podi_provider_read_states, podi_at(submit_states), 0, 0,
      NULL },
    podi_null_provider_row
};

static const podi_provider_row_t  podi_provider_schedule_rows[] = {
    { "first_ms", podi_provider_read_int, podi_at(facts.first_ms), 0,
      600000, NULL },
    { "factor", podi_provider_read_factor, podi_at(facts.factor), 0, 0,
      NULL },
    { "max_ms", podi_provider_read_int, podi_at(facts.max_ms), 100, 600000,
      NULL },
    podi_null_provider_row
};

static const podi_provider_row_t  podi_provider_poll_rows[] = {
    podi_call_rows(poll),
    { "state", podi_provider_read_states, podi_at(states), 0, 0, NULL },
    { "schedule", podi_provider_read_section, 0, 0, 0,
      podi_provider_schedule_rows },
    { "deadline_s", podi_provider_read_int, podi_at(facts.deadline_s), 1,
      604800, NULL },
    { "not_found", podi_provider_read_enum, podi_at(not_found), 0, 0,
      podi_provider_not_found },
    { "progress_path", podi_provider_read_paths, podi_at(progress), 0, 0,
      NULL },
    { "progress_scale", podi_provider_read_int, podi_at(progress_scale), 1,
      100, NULL },
    { "position_path", podi_provider_read_paths, podi_at(position), 0, 0,
      NULL },
    podi_null_provider_row
};

static const podi_provider_row_t  podi_provider_fetch_rows[] = {
    podi_call_rows(fetch),
    podi_null_provider_row
};

static const podi_provider_row_t  podi_provider_result_rows[] = {
    { "fetch", podi_provider_read_step, 0, podi_at(fetch.place), 0,
      podi_provider_fetch_rows },
    { "items_path", podi_provider_read_paths, podi_at(items), 0, 0, NULL },
    { "item_value_path", podi_provider_read_paths, podi_at(item_value), 0, 0,
      NULL },
    { "item_error_path", podi_provider_read_paths, podi_at(item_error), 0, 0,
      NULL },
    { "item_kind", podi_provider_read_enum, podi_at(result_kind), 0, 0,
      podi_provider_results },
    { "usage_path", podi_provider_read_paths, podi_at(usage), 0, 0, NULL },
    { "ttl_s", podi_provider_read_int, podi_at(facts.ttl_s), 1, 31536000,
      NULL },
    { "max_bytes", podi_provider_read_int, podi_at(facts.max_bytes), 1,
      (int64_t) 1 << 40, NULL },
    { "allowed_hosts", podi_provider_read_names, podi_at(hosts), 0, 0,
      PODI_HOST_ABC },
    { "download_headers", podi_provider_read_texts, podi_at(download), 0, 0,
      "headers" },
    podi_null_provider_row
};

static const podi_provider_row_t  podi_provider_cancel_rows[] = {
    podi_call_rows(cancel),
    { "only_states", podi_provider_read_only, podi_at(facts.cancel_states),
      0, 0, NULL },
    podi_null_provider_row
};

static const char *const  podi_provider_charged[] = {
    "done", "begun", NULL
};

static const podi_provider_row_t  podi_provider_cost_rows[] = {
    { "path", podi_provider_read_paths, podi_at(cost), 0, 0, NULL },
    { "unit_micros", podi_provider_read_int, podi_at(cost_unit), 1,
      1000000000000, NULL },
    { "fixed_micros", podi_provider_read_int, podi_at(facts.cost_fixed), 1,
      1000000000000, NULL },
    { "charged", podi_provider_read_enum, podi_at(cost_begun), 0, 0,
      podi_provider_charged },
    podi_null_provider_row
};

static const podi_provider_row_t  podi_provider_limit_rows[] = {
    { "submit_rps", podi_provider_read_int, podi_at(facts.submit_rps), 1,
      10000, NULL },
    { "poll_rps", podi_provider_read_int, podi_at(facts.poll_rps), 1, 10000,
      NULL },
    { "per_minute", podi_provider_read_int, podi_at(facts.per_minute), 1,
      1000000, NULL },
    { "concurrency", podi_provider_read_int, podi_at(facts.concurrency), 1,
      100000, NULL },
    podi_null_provider_row
};

const podi_provider_row_t  podi_provider_common_rows[] = {
    { "submit", podi_provider_read_step, 0, podi_at(submit.place), 0,
      podi_provider_submit_rows },
    { "poll", podi_provider_read_step, 0, podi_at(poll.place), 0,
      podi_provider_poll_rows },
    { "result", podi_provider_read_step, 0, podi_at(result_place), 0,
      podi_provider_result_rows },
    { "cancel", podi_provider_read_step, 0, podi_at(cancel.place), 0,
      podi_provider_cancel_rows },
    { "errors", podi_provider_read_rules, podi_at(rules), 0, 0,
      podi_provider_classes },
    { "failed_class", podi_provider_read_enum, podi_at(failed_class), 0, 0,
      podi_provider_classes },
    { "error_code_path", podi_provider_read_paths, podi_at(code), 0, 0,
      NULL },
    { "error_message_path", podi_provider_read_paths, podi_at(message), 0, 0,
      NULL },
    { "limits", podi_provider_read_section, 0, 0, 0,
      podi_provider_limit_rows },
    { "cost", podi_provider_read_section, 0, 0, 0,
      podi_provider_cost_rows },
    { "redact", podi_provider_read_redact, 0, 0, 0, NULL },
    podi_null_provider_row
};


const char *
podi_provider_class_name(podi_provider_class_e class)
{
    return podi_provider_classes[class];
}


const char *
podi_remote_name(podi_remote_e state)
{
    return podi_provider_remotes[state];
}


/* an object that, once there, is a step: row->min is where its place goes */

podi_rc_t
podi_provider_read_step(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    podi_provider_place_t  *here;

    here = podi_provider_here(l);
    if (here == NULL) {
        return podi_provider_no_memory(l->fail);
    }

    memcpy((char *) dst + row->min, &here, sizeof(here));

    return podi_provider_members(l, value, dst, row->arg);
}


static podi_rc_t
podi_provider_read_method(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    int                  i;
    podi_provider_row_t  names = { NULL, NULL, 0, 0, 0,
                                   podi_provider_methods };

    (void) row;

    if (podi_provider_read_enum(l, value, &i, &names) != PODI_OK) {
        return PODI_ERROR;
    }

    *(podi_str_t *) dst = podi_str_c(podi_provider_methods[i]);

    return PODI_OK;
}


/* a body is all of it anew: parts of two bodies are none */

static podi_rc_t
podi_provider_read_body(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    podi_provider_call_t  *call = dst;

    (void) row;

    call->kind = PODI_BODY_NONE;
    call->body = NULL;
    call->fields = NULL;
    call->files = NULL;

    if (podi_provider_members(l, value, dst, podi_provider_body_rows)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    switch (call->kind) {

    case PODI_BODY_JSON:
        if (call->body == NULL || call->fields || call->files) {
            return podi_provider_wrong(l, "a json body has a template, and "
                                       "no fields");
        }

        return PODI_OK;

    case PODI_BODY_FORM:
        if (call->fields == NULL || call->body || call->files) {
            return podi_provider_wrong(l, "a form has fields only");
        }

        return PODI_OK;

    case PODI_BODY_MULTIPART:
        if ((call->fields == NULL && call->files == NULL) || call->body) {
            return podi_provider_wrong(l, "a multipart body has fields or "
                                       "files, and no template");
        }

        return PODI_OK;

    default:
        return podi_provider_wrong(l, "its kind is missing");
    }
}


/* 1.5 becomes 150 percent */

static podi_rc_t
podi_provider_read_factor(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    double  f;

    (void) row;

    f = json_number_value(value);

    if (!json_is_number(value) || !(f >= 1.0 && f <= 10.0)) {
        return podi_provider_wrong(l, "it must be a number, 1 to 10");
    }

    *(int64_t *) dst = (int64_t) (f * 100.0 + 0.5);

    return PODI_OK;
}


static podi_rc_t
podi_provider_read_only(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    int                  state;
    size_t               i;
    podi_provider_row_t  names = { NULL, NULL, 0, 0, 0,
                                   podi_provider_remotes };

    (void) row;

    if (!json_is_array(value)) {
        return podi_provider_wrong(l, "it must be an array of states");
    }

    *(unsigned *) dst = 0;

    for (i = 0; i < json_array_size(value); i++) {

        if (podi_provider_enter(l, NULL, i) != PODI_OK
            || podi_provider_read_enum(l, json_array_get(value, i), &state,
                                       &names)
               != PODI_OK)
        {
            return PODI_ERROR;
        }

        podi_provider_leave(l);
        *(unsigned *) dst |= 1u << state;
    }

    return PODI_OK;
}


static podi_rc_t
podi_provider_read_redact(podi_provider_load_t *l, const json_t *value,
    void *dst, const podi_provider_row_t *row)
{
    size_t                   i, n;
    podi_provider_paths_t    one;
    podi_provider_common_t  *c = dst;

    n = json_array_size(value);

    if (!json_is_array(value) || n > PODI_PROVIDER_STATES) {
        return podi_provider_wrong(l, "it must be an array of at most %d "
                                   "paths", PODI_PROVIDER_STATES);
    }

    c->redact = podi_mem_calloc(l->mem, n * sizeof(c->redact[0]));
    if (c->redact == NULL) {
        return podi_provider_no_memory(l->fail);
    }

    for (i = 0; i < n; i++) {

        if (podi_provider_enter(l, NULL, i) != PODI_OK
            || podi_provider_read_paths(l, json_array_get(value, i), &one,
                                        row)
               != PODI_OK)
        {
            return PODI_ERROR;
        }

        podi_provider_leave(l);
        c->redact[i] = one.alts[0];
    }

    c->n_redact = n;

    return PODI_OK;
}
