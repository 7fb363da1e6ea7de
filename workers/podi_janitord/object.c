/*
 * object: what lies in the stores and belongs to nobody.
 *
 *     sys.object_doomed -> DELETE -> sys.object_gone -> the next at once
 *                             |
 *                             '-- no, or no answer --> the next store, later
 *
 * One object a round.  The row says that the object is still there until the
 * store has answered that it is not, so whatever dies in between, it is done
 * again.  An object that cannot be removed is passed over until the others
 * of its store have had their turn.
 */

#include <stdio.h>
#include <string.h>

#include "podi_fault.h"
#include "janitord.h"
#include "banned.h"


static podi_rc_t object_pick(podi_flow_t *f, void *ctx);
static podi_rc_t object_remove(podi_flow_t *f, void *ctx);
static podi_rc_t object_note(podi_flow_t *f, void *ctx);
static podi_rc_t object_next(podi_flow_t *f, void *ctx);
static void object_turn(janitord_t *conf);


const podi_step_t  object_steps[] = {
    { "looking for an object to remove", object_pick, 0 },
    { "removing an object", object_remove, PODI_MAY_FAIL },
    { "hearing from the store", object_note, 0 },
    { "going on", object_next, 0 },
    podi_null_step
};


static podi_rc_t
object_pick(podi_flow_t *f, void *ctx)
{
    janitord_t         *conf;
    podi_round_t       *round = ctx;
    podi_pg_call_t      call;
    janitord_object_t  *r = round->data;

    conf = podi_worker_data(round->worker);

    if (conf->stores.n == 0) {
        return PODI_DONE;
    }

    r->store = &conf->stores.stores[conf->turn];
    r->after = conf->after[conf->turn];

    podi_pg_call_init(&call, PODI_SQL_OBJECT_DOOMED, f->mem);
    podi_arg_str(&call, &r->store->object.name);
    podi_arg_c(&call, r->after[0] != '\0' ? r->after : NULL);
    podi_arg_int64(&call, (int64_t) conf->object_grace);

    return podi_pg_call(podi_worker_pg(round->worker), f, &call);
}


static podi_rc_t
object_remove(podi_flow_t *f, void *ctx)
{
    podi_str_t          id, *key;
    janitord_t         *conf;
    podi_round_t       *round = ctx;
    janitord_object_t  *r = round->data;

    conf = podi_worker_data(round->worker);

    if (podi_rows(f->result) == 0) {
        r->after[0] = '\0';
        object_turn(conf);

        if (conf->turn != 0) {
            podi_round_again(round);
        }

        return PODI_DONE;
    }

    id = podi_row_str(f->result, 0, "media_id");
    (void) snprintf(r->after, JANITORD_ID_MAX, PODI_STR_FMT,
                    podi_str_arg(&id));

    key = podi_mem_alloc(f->mem, sizeof(podi_str_t));
    if (key == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    *key = podi_row_str(f->result, 0, "object_key");
    PODI_FAULT(object_ask);

    return podi_objects_remove(f, r->store, key, NULL, conf->store_timeout);
}


static podi_rc_t
object_note(podi_flow_t *f, void *ctx)
{
    podi_round_t       *round = ctx;
    podi_pg_call_t      call;
    janitord_object_t  *r = round->data;
    podi_http_reply_t  *reply = f->result;

    if (reply == NULL || !podi_objects_is_gone(reply)) {
        object_turn(podi_worker_data(round->worker));

        if (reply == NULL) {
            return PODI_ERROR;
        }

        return podi_fail(&f->fail, PODI_E_STORE_FAILED, NULL,
                         "store " PODI_STR_FMT " answered %u to a DELETE",
                         podi_str_arg(&r->store->object.name), reply->status);
    }

    PODI_FAULT(object_told);
    podi_pg_call_init(&call, PODI_SQL_OBJECT_GONE, f->mem);
    podi_arg_c(&call, r->after);

    return podi_pg_call(podi_worker_pg(round->worker), f, &call);
}


static podi_rc_t
object_next(podi_flow_t *f, void *ctx)
{
    podi_round_t  *round = ctx;

    (void) f;

    podi_metric_add(round->worker, "podi_objects_removed_total", "", 1);
    podi_round_again(round);

    return PODI_DONE;
}


static void
object_turn(janitord_t *conf)
{
    conf->turn = (conf->turn + 1) % conf->stores.n;
}
