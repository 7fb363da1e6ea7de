/*
 * ctl_channel: what is put over the channels of nginx.conf.
 *
 *     channel set, kill, open, list:    ask -> the rows
 */

#include "ctl.h"
#include "podi_json.h"
#include "banned.h"


#define CTL_CHANNEL_MAX  (64 * 1024)


static podi_rc_t channel_set_ask(podi_flow_t *f, void *ctx);
static podi_rc_t channel_kill_ask(podi_flow_t *f, void *ctx);
static podi_rc_t channel_open_ask(podi_flow_t *f, void *ctx);
static podi_rc_t channel_close(podi_flow_t *f, ctl_t *ctl, int killed);
static podi_rc_t channel_list_ask(podi_flow_t *f, void *ctx);


const podi_step_t  ctl_channel_set_steps[] = {
    { "setting the channel", channel_set_ask, 0 },
    { "telling", ctl_tell_rows, 0 },
    podi_null_step
};

const podi_step_t  ctl_channel_kill_steps[] = {
    { "closing the channel", channel_kill_ask, 0 },
    { "telling", ctl_tell_rows, 0 },
    podi_null_step
};

const podi_step_t  ctl_channel_open_steps[] = {
    { "opening the channel", channel_open_ask, 0 },
    { "telling", ctl_tell_rows, 0 },
    podi_null_step
};

const podi_step_t  ctl_channel_list_steps[] = {
    { "listing the channels", channel_list_ask, 0 },
    { "telling", ctl_tell_rows, 0 },
    podi_null_step
};


static podi_rc_t
channel_set_ask(podi_flow_t *f, void *ctx)
{
    ctl_t              *ctl = ctx;
    json_t             *object;
    podi_str_t          text;
    podi_pg_call_t      call;
    podi_json_limit_t   limit = { CTL_CHANNEL_MAX, 0 };

    if (ctl_read_file(f, ctl->values[1], CTL_CHANNEL_MAX, &text) != PODI_OK
        || podi_json_parse(&text, &limit, f->mem, &object, &f->fail)
           != PODI_OK)
    {
        return PODI_ERROR;
    }

    podi_pg_call_init(&call, PODI_SQL_CHANNEL_PUT, f->mem);
    podi_arg_c(&call, ctl->values[0]);
    podi_arg_str(&call, &text);

    return podi_pg_call(ctl->pg, f, &call);
}


static podi_rc_t
channel_kill_ask(podi_flow_t *f, void *ctx)
{
    return channel_close(f, ctx, 1);
}


static podi_rc_t
channel_open_ask(podi_flow_t *f, void *ctx)
{
    return channel_close(f, ctx, 0);
}


static podi_rc_t
channel_close(podi_flow_t *f, ctl_t *ctl, int killed)
{
    podi_pg_call_t  call;

    podi_pg_call_init(&call, PODI_SQL_CHANNEL_KILL, f->mem);
    podi_arg_c(&call, ctl->values[0]);
    podi_arg_bool(&call, killed);

    return podi_pg_call(ctl->pg, f, &call);
}


static podi_rc_t
channel_list_ask(podi_flow_t *f, void *ctx)
{
    ctl_t           *ctl = ctx;
    podi_pg_call_t   call;

    podi_pg_call_init(&call, PODI_SQL_CHANNEL_LIST, f->mem);

    return podi_pg_call(ctl->pg, f, &call);
}
