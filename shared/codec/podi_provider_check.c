/*
 * podi_provider_check: what several members of an operation say together.
 *
 *     steps that need others -> URLs -> variables that exist -> facts
 *
 * What stands in the common part is wrong for an operation that uses it; the
 * sentence names the place in the file and the operation.
 */

#include <string.h>

#include "podi_provider_int.h"
#include "podi_text.h"
#include "banned.h"


static podi_rc_t podi_provider_check_steps(podi_provider_load_t *l,
    podi_provider_op_t *op);
static podi_rc_t podi_provider_check_call(podi_provider_load_t *l,
    podi_provider_op_t *op, const podi_provider_call_t *call);
static podi_rc_t podi_provider_check_url(podi_provider_load_t *l,
    const podi_provider_op_t *op, const podi_provider_call_t *call);
static podi_rc_t podi_provider_check_headers(podi_provider_load_t *l,
    const podi_provider_node_t *headers, const podi_provider_place_t *place);
static podi_rc_t podi_provider_check_files(podi_provider_load_t *l,
    podi_provider_op_t *op, const podi_provider_call_t *call);
static podi_rc_t podi_provider_check_node(podi_provider_load_t *l,
    podi_provider_op_t *op, const podi_provider_node_t *node);
static podi_rc_t podi_provider_check_pieces(podi_provider_load_t *l,
    podi_provider_op_t *op, const podi_provider_piece_t *piece);
static podi_rc_t podi_provider_check_var(podi_provider_load_t *l,
    podi_provider_op_t *op, const podi_provider_var_t *var,
    const podi_provider_path_t *path);
static int podi_provider_is_input(const podi_provider_path_t *path,
    podi_provider_op_t *op);
static int podi_provider_one_of(const char *name, const char *const *names);
static podi_rc_t podi_provider_check_inject(podi_provider_load_t *l,
    podi_provider_op_t *op);
static podi_rc_t podi_provider_check_facts(podi_provider_load_t *l,
    podi_provider_op_t *op);


podi_rc_t
podi_provider_check(podi_provider_load_t *l, podi_provider_op_t *op)
{
    size_t                       i;
    const podi_provider_call_t  *calls[4] = { &op->c.submit, &op->c.poll,
                                              &op->c.fetch, &op->c.cancel };

    if (podi_provider_check_steps(l, op) != PODI_OK
        || podi_provider_check_rules(l, op) != PODI_OK)
    {
        return PODI_ERROR;
    }

    for (i = 0; i < 4; i++) {
        if (calls[i]->place != NULL
            && podi_provider_check_call(l, op, calls[i]) != PODI_OK)
        {
            return PODI_ERROR;
        }
    }

    return podi_provider_check_facts(l, op);
}


static podi_rc_t
podi_provider_check_steps(podi_provider_load_t *l, podi_provider_op_t *op)
{
    podi_provider_common_t  *c = &op->c;

    if (c->submit.place == NULL) {
        return podi_provider_wrong(l, "\"submit\" is missing");
    }

    if (c->result_place == NULL) {
        return podi_provider_wrong(l, "\"result\" is missing");
    }

    if (c->poll.place != NULL && c->states.place == NULL) {
        return podi_provider_wrong_at(l, c->poll.place, "\"state\" is "
                                      "missing");
    }

    if (c->poll.place != NULL && c->id.n == 0) {
        return podi_provider_wrong_at(l, c->submit.place, "\"id_path\" is "
                                      "missing, which poll needs");
    }

    if (c->poll.place == NULL
        && (c->fetch.place != NULL || c->cancel.place != NULL))
    {
        return podi_provider_wrong(l, "without a poll there is neither a "
                                   "fetch nor a cancel");
    }

    if (c->result_kind != PODI_RESULT_BYTES && c->items.n == 0) {
        return podi_provider_wrong_at(l, c->result_place, "\"items_path\" "
                                      "is missing");
    }

    return PODI_OK;
}


static podi_rc_t
podi_provider_check_call(podi_provider_load_t *l, podi_provider_op_t *op,
    const podi_provider_call_t *call)
{
    int  kind = op->provider->auth.kind;

    if (call->url == NULL) {
        return podi_provider_wrong_at(l, call->place, "\"url\" is missing");
    }

    if (call->kind == PODI_BODY_MULTIPART && kind >= PODI_AUTH_V4) {
        return podi_provider_wrong_at(l, call->place, "a multipart body "
                                      "cannot be signed");
    }

    if (call->kind != PODI_BODY_NONE && podi_str_eq_c(&call->method, "GET")) {
        return podi_provider_wrong_at(l, call->place, "a GET has no body");
    }

    if ((call->ok_path.n == 0) != (call->ok_regex == NULL)) {
        return podi_provider_wrong_at(l, call->place, "ok_if needs a path "
                                      "and a regex");
    }

    if (podi_provider_check_url(l, op, call) != PODI_OK
        || podi_provider_check_headers(l, call->headers, call->place)
           != PODI_OK
        || podi_provider_check_pieces(l, op, call->url) != PODI_OK
        || podi_provider_check_node(l, op, call->query) != PODI_OK
        || podi_provider_check_node(l, op, call->headers) != PODI_OK
        || podi_provider_check_node(l, op, call->body) != PODI_OK
        || podi_provider_check_node(l, op, call->fields) != PODI_OK)
    {
        return PODI_ERROR;
    }

    return podi_provider_check_files(l, op, call);
}


/* "/path..." behind base_url, or one that the provider gave, as a whole */

static podi_rc_t
podi_provider_check_url(podi_provider_load_t *l,
    const podi_provider_op_t *op, const podi_provider_call_t *call)
{
    const podi_provider_piece_t  *piece = call->url;
    const podi_provider_path_t   *path;

    if (piece->var == NULL) {

        for ( /* void */ ; piece != NULL; piece = piece->next) {
            if (piece->var == NULL
                && memchr(piece->text.data, '?', piece->text.len) != NULL)
            {
                return podi_provider_wrong_at(l, call->place, "what follows "
                                              "a ? of a URL goes to query");
            }
        }

        if (call->url->text.len && call->url->text.data[0] == '/') {
            return PODI_OK;
        }

    } else if (piece->next == NULL) {

        path = piece->var->from.alts[0];

        if (strcmp(path->hops[0].key, "remote") == 0 && path->n == 2) {
            if (op->provider->auth.kind >= PODI_AUTH_V4) {
                return podi_provider_wrong_at(l, call->place, "a URL of the "
                                              "provider cannot be signed");
            }

            return PODI_OK;
        }
    }

    return podi_provider_wrong_at(l, call->place, "its url must begin with "
                                  "a /, or be one {{remote. }} alone");
}


/* what the transport says itself, and what only a key may say */

static podi_rc_t
podi_provider_check_headers(podi_provider_load_t *l,
    const podi_provider_node_t *headers, const podi_provider_place_t *place)
{
    size_t                       i;
    const podi_provider_node_t  *h;
    static const char *const     ours[] = {
        "host", "content-length", "content-type", "transfer-encoding",
        "connection", "authorization", "cookie", "upgrade", "expect", NULL
    };

    for (h = headers ? headers->first : NULL; h != NULL; h = h->next) {
        for (i = 0; ours[i] != NULL; i++) {
            if (podi_text_is(&h->name, ours[i])) {
                return podi_provider_wrong_at(l, place, "the header %s "
                                              "cannot be given", ours[i]);
            }
        }
    }

    return PODI_OK;
}


/* {"image": "{{input[0]}}"} */

static podi_rc_t
podi_provider_check_files(podi_provider_load_t *l, podi_provider_op_t *op,
    const podi_provider_call_t *call)
{
    const podi_provider_node_t  *file;
    const podi_provider_var_t   *var;
    const podi_provider_path_t  *path;

    for (file = call->files ? call->files->first : NULL;
         file != NULL;
         file = file->next)
    {
        var = file->pieces->var;
        path = var != NULL ? var->from.alts[0] : NULL;

        if (path == NULL || file->pieces->next != NULL || path->n != 2
            || var->from.n != 1 || strcmp(path->hops[0].key, "input") != 0
            || path->hops[1].kind != PODI_HOP_INDEX)
        {
            return podi_provider_wrong_at(l, call->place, "the file \"%s\" "
                                          "must be {{input[N]}} alone",
                                          (const char *) file->name.data);
        }

        op->c.facts.inputs |= PODI_PROVIDER_INPUT_FILE;
    }

    return PODI_OK;
}


static podi_rc_t
podi_provider_check_node(podi_provider_load_t *l, podi_provider_op_t *op,
    const podi_provider_node_t *node)
{
    const podi_provider_node_t  *child;

    if (node == NULL) {
        return PODI_OK;
    }

    if (podi_provider_check_pieces(l, op, node->pieces) != PODI_OK) {
        return PODI_ERROR;
    }

    for (child = node->first; child != NULL; child = child->next) {
        if (podi_provider_check_node(l, op, child) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


static podi_rc_t
podi_provider_check_pieces(podi_provider_load_t *l, podi_provider_op_t *op,
    const podi_provider_piece_t *piece)
{
    unsigned  i;

    for ( /* void */ ; piece != NULL; piece = piece->next) {

        for (i = 0; piece->var != NULL && i < piece->var->from.n; i++) {
            if (podi_provider_check_var(l, op, piece->var,
                                        piece->var->from.alts[i])
                != PODI_OK)
            {
                return PODI_ERROR;
            }
        }
    }

    return PODI_OK;
}


static podi_rc_t
podi_provider_check_var(podi_provider_load_t *l, podi_provider_op_t *op,
    const podi_provider_var_t *var, const podi_provider_path_t *path)
{
    unsigned                      i;
    const char                   *key = path->hops[0].key;
    const podi_provider_param_t  *param;
    static const char *const      remote[] = {
        "id", "poll_url", "cancel_url", "result_url", NULL
    };
    static const char *const      job[] = {
        "id", "key", "webhook_url", NULL
    };

    for (i = 0; i < path->n; i++) {
        if (path->hops[i].kind == PODI_HOP_ALL) {
            return podi_provider_wrong_at(l, var->place, "[*] is for "
                                          "answers, not for variables");
        }
    }

    if (strcmp(key, "input") == 0 || strcmp(key, "input_urls") == 0) {
        if (podi_provider_is_input(path, op)) {
            return PODI_OK;
        }

    } else if (strcmp(key, "remote") == 0) {
        if (path->n == 2 && podi_provider_one_of(path->hops[1].key, remote)) {
            return PODI_OK;
        }

    } else if (strcmp(key, "job") == 0) {
        if (path->n == 2 && podi_provider_one_of(path->hops[1].key, job)) {
            op->c.facts.has_webhook |= strcmp(path->hops[1].key,
                                              "webhook_url") == 0;
            return PODI_OK;
        }

    } else {
        for (param = op->params; param != NULL; param = param->next) {
            if (strcmp(param->name, key) == 0) {
                return PODI_OK;
            }
        }
    }

    return podi_provider_wrong_at(l, var->place, "the operation %s has no "
                                  "variable \"%.40s\"",
                                  (const char *) op->c.facts.name.data,
                                  key);
}


static int
podi_provider_is_input(const podi_provider_path_t *path,
    podi_provider_op_t *op)
{
    size_t                        i;
    static const struct {
        const char  *name;
        unsigned     uses;
    }  members[] = {
        { "url", PODI_PROVIDER_INPUT_URL },
        { "base64", PODI_PROVIDER_INPUT_BASE64 },
        { "data_url", PODI_PROVIDER_INPUT_DATA },
        { "type", 0 },
        { "name", 0 },
    };

    if (strcmp(path->hops[0].key, "input_urls") == 0) {
        op->c.facts.inputs |= PODI_PROVIDER_INPUT_URL;
        return path->n == 1;
    }

    if (path->n != 3 || path->hops[1].kind != PODI_HOP_INDEX
        || path->hops[2].kind != PODI_HOP_KEY)
    {
        return 0;
    }

    for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (strcmp(path->hops[2].key, members[i].name) == 0) {
            op->c.facts.inputs |= members[i].uses;
            return 1;
        }
    }

    return 0;
}


static int
podi_provider_one_of(const char *name, const char *const *names)
{
    while (name != NULL && *names != NULL && strcmp(name, *names) != 0) {
        names++;
    }

    return name != NULL && *names != NULL;
}


/* a body that is no JSON is not told where to call: the poll finds it out */

static podi_rc_t
podi_provider_check_inject(podi_provider_load_t *l, podi_provider_op_t *op)
{
    const podi_provider_node_t     *member;
    const podi_provider_call_t     *submit = &op->c.submit;
    const podi_provider_webhook_t  *w = &op->provider->webhook;

    if (w->where != PODI_INJECT_BODY) {
        op->c.facts.has_webhook |= w->where != PODI_INJECT_NONE;
        return PODI_OK;
    }

    if (submit->kind != PODI_BODY_JSON) {
        return PODI_OK;
    }

    op->c.facts.has_webhook = 1;

    for (member = submit->body->first; member; member = member->next) {
        if (podi_str_eq(&member->name, &w->name)
            || podi_str_eq(&member->name, &w->events_name))
        {
            return podi_provider_wrong_at(l, submit->place, "its body has "
                                          "\"%s\" already, which webhook "
                                          "puts there",
                                          (const char *) member->name.data);
        }
    }

    return PODI_OK;
}


static podi_rc_t
podi_provider_check_facts(podi_provider_load_t *l, podi_provider_op_t *op)
{
    size_t                       i = 0;
    podi_pair_t                 *pairs;
    podi_provider_facts_t       *facts = &op->c.facts;
    const podi_provider_node_t  *h, *download = op->c.download;

    facts->has_poll = op->c.poll.place != NULL;
    facts->has_result = op->c.fetch.place != NULL;
    facts->has_cancel = op->c.cancel.place != NULL;
    facts->repeatable = op->c.idempotency.len > 0;
    facts->result = (podi_result_e) op->c.result_kind;
    facts->cost_begun = op->c.cost_begun != 0;

    if (podi_provider_check_inject(l, op) != PODI_OK) {
        return PODI_ERROR;
    }

    if (facts->first_ms > facts->max_ms) {
        return podi_provider_wrong_at(l, op->c.poll.place
                                         ? op->c.poll.place : op->c.place,
                                      "its first_ms is above its max_ms");
    }

    if (download == NULL) {
        return PODI_OK;
    }

    for (h = download->first; h != NULL; h = h->next) {

        if (h->pieces->var != NULL || h->pieces->next != NULL) {
            return podi_provider_wrong_at(l, op->c.result_place,
                                          "download_headers have no "
                                          "variables");
        }

        i++;
    }

    pairs = podi_mem_calloc(l->mem, (i + 1) * sizeof(podi_pair_t));
    if (pairs == NULL) {
        return podi_provider_no_memory(l->fail);
    }

    facts->download = pairs;
    facts->n_download = i;

    for (h = download->first; h != NULL; h = h->next) {
        pairs->name = h->name;
        pairs->value = h->pieces->text;
        pairs++;
    }

    return PODI_OK;
}
