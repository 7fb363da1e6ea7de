/*
 * ctl_revoke: what is no longer believed, from now on, by any nginx.
 *
 *     revoke user, session, token, channel:
 *         ask -> tell -> publish the ends of sessions -> flush
 */

#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "banned.h"


static podi_rc_t revoke_ask(podi_flow_t *f, void *ctx);


const podi_step_t  ctl_revoke_steps[] = {
    { "reaching Redis", ctl_redis_wait, 0 },
    { "revoking", revoke_ask, 0 },
    { "publishing the ends", ctl_wallet_tell, PODI_MAY_FAIL },
    { "ending", ctl_wallet_end, 0 },
    podi_null_step
};


static podi_rc_t
revoke_ask(podi_flow_t *f, void *ctx)
{
    ctl_t           *ctl = ctx;
    int64_t          seconds;
    podi_str_t       text;
    podi_pg_call_t   call;

    text = podi_str_c(ctl->values[1]);

    if (podi_str_to_int64(&text, &seconds) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_BAD_FIELD, "for",
                         "write a number of seconds");
    }

    podi_pg_call_init(&call, PODI_SQL_REVOKE, f->mem);
    podi_arg_c(&call, ctl->command->verb);
    podi_arg_c(&call, ctl->values[3]);
    podi_arg_c(&call, ctl->values[0]);

    if (ctl->values[4] != NULL && ctl->values[4][0] != '\0') {
        podi_arg_c(&call, ctl->values[4]);

    } else {
        podi_arg_null(&call);
    }

    podi_arg_int64(&call, seconds);
    podi_arg_c(&call, ctl->values[2]);

    return podi_pg_call(ctl->pg, f, &call);
}
