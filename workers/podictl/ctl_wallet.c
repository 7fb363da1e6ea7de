/*
 * ctl_wallet: what an operator does to a wallet, and asks of the books.
 *
 *     wallet refund, adjust:  ask -> tell -> publish what was written -> flush
 *     wallet verify:          slice by slice: replay -> a JSON object for each
 *                             ledger in it; a fault is exit 1
 */

#include <stdio.h>
#include <string.h>

#include "podi_id.h"
#include "ctl.h"
#include "banned.h"

#define WALLET_PLACE_MAX  40

typedef struct {
    int64_t  seq;                               /* 0: behind the wallet */
    char     wallet[WALLET_PLACE_MAX];          /* "": at the beginning */
} wallet_place_t;


static podi_rc_t refund_ask(podi_flow_t *f, void *ctx);
static podi_rc_t adjust_ask(podi_flow_t *f, void *ctx);
static podi_rc_t verify_ask(podi_flow_t *f, void *ctx);
static podi_rc_t verify_tell(podi_flow_t *f, void *ctx);
static podi_rc_t wallet_id_arg(podi_flow_t *f, podi_pg_call_t *call,
    const char *name, const char *value);
static podi_rc_t wallet_number(podi_flow_t *f, const char *name,
    const char *value, int64_t *ret_n);


const podi_step_t  ctl_refund_steps[] = {
    { "reaching Redis", ctl_redis_wait, 0 },
    { "refunding points", refund_ask, 0 },
    { "publishing the refund", ctl_wallet_tell, PODI_MAY_FAIL },
    { "ending", ctl_wallet_end, 0 },
    podi_null_step
};

const podi_step_t  ctl_adjust_steps[] = {
    { "reaching Redis", ctl_redis_wait, 0 },
    { "adjusting the wallet", adjust_ask, 0 },
    { "publishing the adjustment", ctl_wallet_tell, PODI_MAY_FAIL },
    { "ending", ctl_wallet_end, 0 },
    podi_null_step
};

const podi_step_t  ctl_verify_steps[] = {
    { "verifying ledgers", verify_ask, 0 },
    { "telling", verify_tell, 0 },
    podi_null_step
};


static podi_rc_t
refund_ask(podi_flow_t *f, void *ctx)
{
    ctl_t           *ctl = ctx;
    int64_t          n;
    podi_pg_call_t   call;

    podi_pg_call_init(&call, PODI_SQL_WALLET_REFUND, f->mem);
    podi_arg_c(&call, ctl->values[0]);
    podi_arg_c(&call, ctl->values[1]);

    if (wallet_id_arg(f, &call, "task", ctl->values[4]) != PODI_OK
        || wallet_id_arg(f, &call, "job", ctl->values[5]) != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (ctl->values[6][0] == '\0') {
        podi_arg_null(&call);

    } else if (wallet_number(f, "hold", ctl->values[6], &n) == PODI_OK) {
        podi_arg_int64(&call, n);

    } else {
        return PODI_ERROR;
    }

    if (ctl->values[7][0] == '\0') {
        podi_arg_null(&call);

    } else if (wallet_number(f, "points", ctl->values[7], &n) == PODI_OK) {
        podi_arg_int64(&call, n);

    } else {
        return PODI_ERROR;
    }

    podi_arg_c(&call, ctl->values[2]);
    podi_arg_c(&call, ctl->values[3]);

    return podi_pg_call(ctl->pg, f, &call);
}


static podi_rc_t
adjust_ask(podi_flow_t *f, void *ctx)
{
    ctl_t           *ctl = ctx;
    int64_t          points;
    podi_pg_call_t   call;

    if (wallet_number(f, "points", ctl->values[2], &points) != PODI_OK) {
        return PODI_ERROR;
    }

    podi_pg_call_init(&call, PODI_SQL_WALLET_ADJUST, f->mem);
    podi_arg_c(&call, ctl->values[0]);
    podi_arg_c(&call, ctl->values[1]);
    podi_arg_int64(&call, points);
    podi_arg_c(&call, ctl->values[3]);
    podi_arg_c(&call, ctl->values[4]);

    return podi_pg_call(ctl->pg, f, &call);
}


static podi_rc_t
verify_ask(podi_flow_t *f, void *ctx)
{
    ctl_t           *ctl = ctx;
    int64_t          rows;
    wallet_place_t  *place;
    podi_pg_call_t   call;

    if (ctl->state == NULL) {
        ctl->state = podi_mem_calloc(ctl->mem, sizeof(wallet_place_t));
    }

    if (ctl->state == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    place = ctl->state;

    podi_pg_call_init(&call, PODI_SQL_LEDGER_VERIFY, f->mem);

    if (wallet_id_arg(f, &call, "wallet", ctl->values[0]) != PODI_OK
        || wallet_number(f, "rows", ctl->values[1], &rows) != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (place->seq > 0) {
        podi_arg_int64(&call, place->seq);

    } else {
        podi_arg_null(&call);
    }

    podi_arg_c(&call, (place->wallet[0] != '\0') ? place->wallet : NULL);
    podi_arg_int64(&call, rows);

    return podi_pg_call(ctl->pg, f, &call);
}


static podi_rc_t
verify_tell(podi_flow_t *f, void *ctx)
{
    int              row, rows;
    ctl_t           *ctl = ctx;
    podi_str_t       wallet;
    wallet_place_t  *place = ctl->state;

    rows = podi_rows(f->result);

    for (row = 0; row < rows; row++) {
        if (!podi_row_is_null(f->result, row, "fault")) {
            ctl->code = CTL_REFUSED;
        }
    }

    if (rows > 0) {
        wallet = podi_row_str(f->result, rows - 1, "wallet_id");
        place->seq = podi_row_is_null(f->result, rows - 1, "next_seq") ? 0
                     : podi_row_int64(f->result, rows - 1, "next_seq");
        (void) snprintf(place->wallet, sizeof(place->wallet), PODI_STR_FMT,
                        podi_str_arg(&wallet));

        /* of one ledger the last slice says so; of all, the one without rows */
        ctl->again = (place->seq > 0 || ctl->values[0][0] == '\0');
    }

    return ctl_tell_rows(f, ctx);
}


/* "" is null */

static podi_rc_t
wallet_id_arg(podi_flow_t *f, podi_pg_call_t *call, const char *name,
    const char *value)
{
    podi_id_t   id;
    podi_str_t  text;

    text = podi_str_c(value);

    if (text.len == 0) {
        podi_arg_null(call);
        return PODI_OK;
    }

    if (podi_id_parse(&text, &id) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_BAD_FIELD, name, "not a UUID");
    }

    podi_arg_str(call, &text);

    return PODI_OK;
}


static podi_rc_t
wallet_number(podi_flow_t *f, const char *name, const char *value,
    int64_t *ret_n)
{
    podi_str_t  text;

    text = podi_str_c(value);

    if (podi_str_to_int64(&text, ret_n) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_BAD_FIELD, name,
                         "write a whole number");
    }

    return PODI_OK;
}
