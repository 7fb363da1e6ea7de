/*
 * podi_provider_answer: what an answer means.
 *
 *     no answer                      -> retryable; unknown when it was sent
 *     rules of the description       -> its class
 *     else the status                -> its class
 *     ok: ids, state, progress, results (podi_provider_result.c)
 *
 * What they say is a hint for people only when it is a text: it is cut,
 * redacted and made plain before anybody sees it.
 */

#include <string.h>

#include "podi_provider_int.h"
#include "banned.h"


static void podi_provider_doubt(podi_provider_read_t *r, int safe);
static int podi_provider_is_ok(podi_provider_read_t *r);
static podi_provider_class_e podi_provider_by_status(
    podi_provider_read_t *r);
static void podi_provider_ok(podi_provider_read_t *r,
    const podi_provider_rule_t *rule);
static void podi_provider_judge(podi_provider_read_t *r, int unruled);
static void podi_provider_nothing(podi_provider_read_t *r);
static void podi_provider_ids(podi_provider_read_t *r);
static podi_remote_e podi_provider_state(podi_provider_read_t *r,
    const podi_provider_states_t *states);
static void podi_provider_cost(podi_provider_read_t *r);
static void podi_provider_progress(podi_provider_read_t *r);


podi_rc_t
podi_provider_answer(const podi_provider_op_t *op, podi_provider_step_e step,
    const podi_provider_reply_t *reply, podi_mem_t *mem,
    podi_provider_answer_t *ret)
{
    int                             safe;
    json_t                         *json = NULL;
    podi_fail_t                     fail;
    podi_provider_read_t            r;
    const podi_provider_rule_t     *rule;
    static const podi_json_limit_t  limit = { PODI_PROVIDER_REPLY_MAX, 64 };

    memset(ret, 0, sizeof(podi_provider_answer_t));
    ret->progress = -1;
    ret->position = -1;
    ret->cost = -1;

    safe = step != PODI_PROVIDER_SUBMIT || op->c.idempotency.len > 0;

    if (reply->status == 0) {
        ret->class = reply->sent && !safe ? PODI_PROVIDER_UNKNOWN
                                          : PODI_PROVIDER_RETRYABLE;
        return PODI_OK;
    }

    if (podi_json_parse(&reply->body, &limit, mem, &json, &fail) != PODI_OK) {

        if (fail.error == PODI_E_INTERNAL) {
            return PODI_ERROR;
        }

        json = NULL;
    }

    r = (podi_provider_read_t) {
        .op = op, .call = podi_provider_call(op, step), .step = step,
        .reply = reply, .json = json, .mem = mem, .a = ret
    };

    podi_provider_texts(&r);
    podi_provider_cost(&r);
    rule = podi_provider_rule_of(&r);

    if (podi_provider_is_ok(&r)) {
        podi_provider_ok(&r, rule);

    } else {
        ret->class = rule != NULL ? (podi_provider_class_e) rule->class
                                  : podi_provider_by_status(&r);
        podi_provider_doubt(&r, safe);
    }

    if (ret->class == PODI_PROVIDER_EXPIRED) {
        ret->state = PODI_REMOTE_LOST;
    }

    podi_provider_clock(&r, rule);
    podi_provider_retry(&r, rule);

    return PODI_OK;
}


/* whatever a rule says: what may have been begun is not sent twice */

static void
podi_provider_doubt(podi_provider_read_t *r, int safe)
{
    podi_provider_answer_t  *a = r->a;

    if (safe) {
        if (a->class == PODI_PROVIDER_UNKNOWN) {
            a->class = PODI_PROVIDER_RETRYABLE;
        }

        return;
    }

    if (a->class == PODI_PROVIDER_RETRYABLE
        && podi_provider_in(&r->op->c.unknown, r->reply->status))
    {
        a->class = PODI_PROVIDER_UNKNOWN;
    }
}


static int
podi_provider_is_ok(podi_provider_read_t *r)
{
    podi_str_t     s;
    const json_t  *value;

    if (!podi_provider_in(&r->call->ok, r->reply->status)) {
        return 0;
    }

    if (r->call->ok_regex == NULL) {
        return 1;
    }

    value = podi_provider_first(&r->call->ok_path, r->json);
    s = podi_provider_scalar(value, r->mem);

    return value != NULL && podi_provider_matches(r->call->ok_regex, &s);
}


static podi_provider_class_e
podi_provider_by_status(podi_provider_read_t *r)
{
    unsigned  status = r->reply->status;

    if (r->step == PODI_PROVIDER_SUBMIT
        && podi_provider_in(&r->op->c.unknown, status))
    {
        return PODI_PROVIDER_UNKNOWN;
    }

    /* a 2xx that is not as described: they may have begun */

    if (status < 300) {
        return r->step == PODI_PROVIDER_SUBMIT && r->json == NULL
               ? PODI_PROVIDER_UNKNOWN
               : r->step == PODI_PROVIDER_SUBMIT ? PODI_PROVIDER_INVALID
                                                 : PODI_PROVIDER_RETRYABLE;
    }

    switch (status) {

    case 401:
    case 403:
        return PODI_PROVIDER_AUTH;

    case 402:
        return PODI_PROVIDER_QUOTA;

    case 404:
    case 410:
        if (r->step == PODI_PROVIDER_SUBMIT) {
            return PODI_PROVIDER_INVALID;
        }

        return r->step == PODI_PROVIDER_POLL && r->op->c.not_found
               ? PODI_PROVIDER_RETRYABLE : PODI_PROVIDER_EXPIRED;

    case 408:
    case 425:
        return PODI_PROVIDER_RETRYABLE;

    case 429:
        return PODI_PROVIDER_THROTTLED;
    }

    return status >= 500 ? PODI_PROVIDER_RETRYABLE : PODI_PROVIDER_INVALID;
}


static void
podi_provider_ok(podi_provider_read_t *r, const podi_provider_rule_t *rule)
{
    int                            is_last;
    podi_provider_answer_t        *a = r->a;
    const podi_provider_common_t  *c = &r->op->c;

    if (rule != NULL) {
        a->class = (podi_provider_class_e) rule->class;
    }

    if (r->step == PODI_PROVIDER_CANCEL) {
        return;
    }

    if (r->step == PODI_PROVIDER_SUBMIT) {

        podi_provider_ids(r);

        if (a->class == PODI_PROVIDER_OK && c->poll.place != NULL
            && a->id.len == 0)
        {
            a->class = PODI_PROVIDER_UNKNOWN;
            a->code = podi_str_c("no_id");
            return;
        }
    }

    podi_provider_progress(r);
    podi_provider_judge(r, rule == NULL);

    if (a->state != PODI_REMOTE_DONE) {
        return;
    }

    if (a->class != PODI_PROVIDER_OK) {
        a->state = PODI_REMOTE_FAILED;      /* done, and it is no result */
        return;
    }

    is_last = c->fetch.place == NULL || r->step == PODI_PROVIDER_RESULT;

    if (is_last && podi_provider_items(r->op, r->json, r->mem, a) != PODI_OK)
    {
        podi_provider_nothing(r);
    }
}


/* done, they say, and there is no result: not JSON, or each of them failed */

static void
podi_provider_nothing(podi_provider_read_t *r)
{
    const podi_provider_rule_t  *rule;

    if (r->json == NULL) {
        r->a->class = r->step == PODI_PROVIDER_SUBMIT
                      ? PODI_PROVIDER_UNKNOWN : PODI_PROVIDER_RETRYABLE;
        r->a->state = PODI_REMOTE_NONE;
        return;
    }

    r->a->class = PODI_PROVIDER_INVALID;
    r->a->state = PODI_REMOTE_FAILED;

    for (rule = r->op->c.rules; rule != NULL; rule = rule->next) {
        if (rule->code_regex != NULL
            && podi_provider_matches(rule->code_regex, &r->a->code))
        {
            r->a->class = (podi_provider_class_e) rule->class;
            return;
        }
    }
}


/* the state, and what it means for the class when no rule has said so */

static void
podi_provider_judge(podi_provider_read_t *r, int unruled)
{
    podi_provider_answer_t        *a = r->a;
    const podi_provider_common_t  *c = &r->op->c;
    const podi_provider_states_t  *states;

    states = r->step == PODI_PROVIDER_SUBMIT ? &c->submit_states
             : r->step == PODI_PROVIDER_POLL ? &c->states : NULL;

    if (states != NULL && states->place != NULL) {
        a->state = podi_provider_state(r, states);

    } else if (r->step == PODI_PROVIDER_SUBMIT && c->poll.place != NULL) {
        a->state = PODI_REMOTE_QUEUED;

    } else {
        a->state = PODI_REMOTE_DONE;
    }

    if (!unruled) {
        return;
    }

    if (a->state == PODI_REMOTE_LOST) {
        a->class = PODI_PROVIDER_EXPIRED;

    } else if (a->state == PODI_REMOTE_FAILED) {
        a->class = (podi_provider_class_e) c->failed_class;

    } else if (a->state != PODI_REMOTE_NONE) {
        return;

    } else if (r->step != PODI_PROVIDER_SUBMIT) {
        a->class = PODI_PROVIDER_RETRYABLE;
        a->code = podi_str_c("no_state");

    } else if (c->poll.place != NULL) {

        /* begun it is, by its id; what it does, the next poll may tell */

        a->state = PODI_REMOTE_QUEUED;

    } else {
        a->class = PODI_PROVIDER_UNKNOWN;
    }
}


static void
podi_provider_ids(podi_provider_read_t *r)
{
    podi_provider_answer_t        *a = r->a;
    const podi_provider_common_t  *c = &r->op->c;

    a->id = podi_provider_scalar(podi_provider_first(&c->id, r->json),
                                 r->mem);
    a->poll_url = podi_provider_scalar(
                      podi_provider_first(&c->poll_url, r->json), r->mem);
    a->cancel_url = podi_provider_scalar(
                      podi_provider_first(&c->cancel_url, r->json), r->mem);
    a->result_url = podi_provider_scalar(
                      podi_provider_first(&c->result_url, r->json), r->mem);

    if (a->id.len > PODI_PROVIDER_ID_MAX) {
        a->id.len = 0;
    }
}


static podi_remote_e
podi_provider_state(podi_provider_read_t *r,
    const podi_provider_states_t *states)
{
    size_t      i;
    podi_str_t  s;

    if (states->from == 1) {
        if (podi_mem_printf(r->mem, &s, "%u", r->reply->status) != PODI_OK) {
            return PODI_REMOTE_NONE;
        }

    } else {
        s = podi_provider_scalar(podi_provider_first(&states->path, r->json),
                                 r->mem);
    }

    for (i = 0; i < states->n_rows; i++) {
        if (podi_str_eq(&states->rows[i].text, &s)) {
            return states->rows[i].state;
        }
    }

    return PODI_REMOTE_NONE;
}


/* what they say of it, as long as it can be an amount */

static void
podi_provider_cost(podi_provider_read_t *r)
{
    double         x;
    const json_t  *value;

    value = podi_provider_first(&r->op->c.cost, r->json);
    x = json_number_value(value) * (double) r->op->c.cost_unit;

    if (json_is_number(value) && x >= 0 && x < 1e15) {
        r->a->cost = (int64_t) (x + 0.5);
    }
}


static void
podi_provider_progress(podi_provider_read_t *r)
{
    double         x;
    const json_t  *value;

    value = podi_provider_first(&r->op->c.progress, r->json);

    if (json_is_number(value)) {
        x = json_number_value(value) * (double) r->op->c.progress_scale;
        r->a->progress = x < 0 ? 0 : x > 99 ? 99 : (int) x;
    }

    value = podi_provider_first(&r->op->c.position, r->json);

    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        r->a->position = json_integer_value(value);
    }
}
