/*
 * orphan: objects that attempts stored and nobody names (R10).
 *
 *     sys.object_orphan -> DELETE -> sys.object_orphan_gone -> the next at once
 *                             |
 *                             |-- no --> sys.object_orphan_keep --.
 *                             |                                   v
 *                             '-- no answer ----------> the next store, later
 *
 * As object.c, but by key: these have no row in media.  While an object is
 * doomed no worker may store it again; so it stays doomed until the store has
 * answered, and no longer.
 */

#include <stdio.h>
#include <string.h>

#include "janitord.h"
#include "banned.h"


static podi_rc_t orphan_pick(podi_flow_t *f, void *ctx);
static podi_rc_t orphan_remove(podi_flow_t *f, void *ctx);
static podi_rc_t orphan_note(podi_flow_t *f, void *ctx);
static podi_rc_t orphan_next(podi_flow_t *f, void *ctx);
static int orphan_is_refused(const podi_http_reply_t *reply);
static podi_rc_t orphan_failed(podi_flow_t *f, podi_round_t *round);
static void orphan_count(podi_round_t *round, int64_t doomed);
static podi_rc_t orphan_keep(podi_flow_t *f, podi_round_t *round);
static void orphan_turn(janitord_t *conf);


const podi_step_t  orphan_steps[] = {
    { "looking for an orphan", orphan_pick, 0 },
    { "removing an orphan", orphan_remove, PODI_MAY_FAIL },
    { "hearing from the store", orphan_note, 0 },
    { "going on", orphan_next, 0 },
    podi_null_step
};


static podi_rc_t
orphan_pick(podi_flow_t *f, void *ctx)
{
    janitord_t         *conf;
    podi_round_t       *round = ctx;
    podi_pg_call_t      call;
    janitord_orphan_t  *r = round->data;

    conf = podi_worker_data(round->worker);

    if (conf->stores.n == 0) {
        return PODI_DONE;
    }

    r->store = &conf->stores.stores[conf->orphan_turn];
    r->after = conf->orphan_after[conf->orphan_turn];

    podi_pg_call_init(&call, PODI_SQL_OBJECT_ORPHAN, f->mem);
    podi_arg_str(&call, &r->store->object.name);
    podi_arg_c(&call, r->after[0] != '\0' ? r->after : NULL);
    podi_arg_int64(&call, (int64_t) conf->object_grace);

    return podi_pg_call(podi_worker_pg(round->worker), f, &call);
}


static podi_rc_t
orphan_remove(podi_flow_t *f, void *ctx)
{
    janitord_t         *conf;
    podi_round_t       *round = ctx;
    janitord_orphan_t  *r = round->data;

    conf = podi_worker_data(round->worker);
    orphan_count(round, podi_row_int64(f->result, 0, "doomed"));

    if (podi_row_bool(f->result, 0, "more")) {
        podi_round_again(round);
    }

    if (podi_row_is_null(f->result, 0, "object_key")) {
        r->after[0] = '\0';
        orphan_turn(conf);

        if (conf->orphan_turn != 0) {
            podi_round_again(round);
        }

        return PODI_DONE;
    }

    if (orphan_keep(f, round) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return podi_objects_remove(f, r->store, &r->key, NULL,
                               conf->store_timeout);
}


static void
orphan_count(podi_round_t *round, int64_t doomed)
{
    janitord_orphan_t  *r = round->data;

    janitord_repaired(round->worker, PODI_RULE_R10, doomed, 0);

    if (doomed > 0) {
        podi_worker_log(round->worker, PODI_LOG_WARN, "reconcile.hit", NULL,
                        "R10 orphan_object: %lld objects in store "
                        PODI_STR_FMT " are nobody's", (long long) doomed,
                        podi_str_arg(&r->store->object.name));
    }
}


/* what is needed of the row outlives it */

static podi_rc_t
orphan_keep(podi_flow_t *f, podi_round_t *round)
{
    podi_str_t          key, job;
    janitord_orphan_t  *r = round->data;

    key = podi_row_str(f->result, 0, "object_key");
    job = podi_row_str(f->result, 0, "job_id");

    (void) snprintf(r->after, JANITORD_KEY_MAX, PODI_STR_FMT,
                    podi_str_arg(&key));

    if (podi_mem_dup(f->mem, &key, &r->key) != PODI_OK) {
        return PODI_ERROR;
    }

    return podi_mem_dup(f->mem, &job, &r->job);
}


static podi_rc_t
orphan_note(podi_flow_t *f, void *ctx)
{
    podi_round_t       *round = ctx;
    podi_pg_call_t      call;
    janitord_orphan_t  *r = round->data;
    podi_http_reply_t  *reply = f->result;

    if (reply == NULL) {
        orphan_turn(podi_worker_data(round->worker));
        return PODI_ERROR;
    }

    r->answer = podi_objects_is_gone(reply) ? 0 : reply->status;

    if (r->answer != 0 && !orphan_is_refused(reply)) {
        return orphan_failed(f, round);
    }

    podi_pg_call_init(&call, r->answer == 0 ? PODI_SQL_OBJECT_ORPHAN_GONE
                                            : PODI_SQL_OBJECT_ORPHAN_KEEP,
                      f->mem);
    podi_arg_str(&call, &r->store->object.name);
    podi_arg_str(&call, &r->key);

    return podi_pg_call(podi_worker_pg(round->worker), f, &call);
}


static podi_rc_t
orphan_next(podi_flow_t *f, void *ctx)
{
    podi_round_t       *round = ctx;
    janitord_orphan_t  *r = round->data;

    if (r->answer != 0) {
        return orphan_failed(f, round);
    }

    janitord_repaired(round->worker, PODI_RULE_R10, 0, 1);
    podi_worker_log(round->worker, PODI_LOG_WARN, "reconcile.repaired", NULL,
                    "R10 orphan_object: " PODI_STR_FMT " of job " PODI_STR_FMT
                    " is gone", podi_str_arg(&r->key), podi_str_arg(&r->job));
    podi_round_again(round);

    return PODI_DONE;
}


/* a gateway's word that the store said nothing is none of the store's */

static int
orphan_is_refused(const podi_http_reply_t *reply)
{
    return reply->status >= 400 && reply->status != 408
           && reply->status != 502 && reply->status != 504;
}


static podi_rc_t
orphan_failed(podi_flow_t *f, podi_round_t *round)
{
    janitord_orphan_t  *r = round->data;

    orphan_turn(podi_worker_data(round->worker));

    return podi_fail(&f->fail, PODI_E_STORE_FAILED, NULL,
                     "store " PODI_STR_FMT " answered %u to a DELETE",
                     podi_str_arg(&r->store->object.name), r->answer);
}


static void
orphan_turn(janitord_t *conf)
{
    conf->orphan_turn = (conf->orphan_turn + 1) % conf->stores.n;
}
