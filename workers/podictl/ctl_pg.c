/*
 * ctl_pg: the commands that ask the database.
 *
 *     ask -> tell [-> publish what was written -> flush]
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "podi_event.h"
#include "podi_id.h"
#include "podi_json.h"
#include "ctl.h"
#include "banned.h"


static podi_rc_t grant_ask(podi_flow_t *f, void *ctx);
static podi_rc_t tenant_ask(podi_flow_t *f, void *ctx);
static podi_rc_t role_ask(podi_flow_t *f, void *ctx);
static podi_rc_t action_ask(podi_flow_t *f, void *ctx);
static podi_rc_t invariant_ask(podi_flow_t *f, void *ctx);
static podi_rc_t invariant_tell(podi_flow_t *f, void *ctx);
static podi_rc_t ctl_tell(podi_flow_t *f, void *ctx);
static void ctl_print(const podi_pg_result_t *res, const char *name);


const podi_step_t  ctl_grant_steps[] = {
    { "reaching Redis", ctl_redis_wait, 0 },
    { "granting points", grant_ask, 0 },
    { "publishing the grant", ctl_wallet_tell, PODI_MAY_FAIL },
    { "ending", ctl_wallet_end, 0 },
    podi_null_step
};

const podi_step_t  ctl_tenant_steps[] = {
    { "creating the tenant", tenant_ask, 0 },
    { "telling", ctl_tell, 0 },
    podi_null_step
};

const podi_step_t  ctl_role_steps[] = {
    { "giving the role", role_ask, 0 },
    { "telling", ctl_tell, 0 },
    podi_null_step
};

const podi_step_t  ctl_action_steps[] = {
    { "putting the action", action_ask, 0 },
    { "telling", ctl_tell, 0 },
    podi_null_step
};

const podi_step_t  ctl_invariant_steps[] = {
    { "looking for broken invariants", invariant_ask, 0 },
    { "telling", invariant_tell, 0 },
    podi_null_step
};

/* what the functions answer, in the order in which it is told */
static const char *const  ctl_names[][6] = {
    { "wallet_id", "available", "seq", "is_new", NULL, NULL },
    { "tenant_id", "slug", "name", "is_new", NULL, NULL },
    { "user_id", "login", "role", NULL, NULL, NULL },
    { "action", "is_new", NULL, NULL, NULL, NULL },
    { "kind", "issuer", "id", "until", "ended", NULL },
    { "task_id", "round", "price", NULL, NULL, NULL },
};


static podi_rc_t
grant_ask(podi_flow_t *f, void *ctx)
{
    ctl_t           *ctl = ctx;
    int64_t          points;
    podi_str_t       text;
    podi_usec_t      expires;
    podi_pg_call_t   call;

    text = podi_str_c(ctl->values[2]);

    if (podi_str_to_int64(&text, &points) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_BAD_FIELD, "points",
                         "write a whole number");
    }

    podi_pg_call_init(&call, PODI_SQL_WALLET_GRANT, f->mem);
    podi_arg_c(&call, ctl->values[0]);
    podi_arg_c(&call, ctl->values[1]);
    podi_arg_int64(&call, points);
    podi_arg_c(&call, ctl->values[4]);

    text = podi_str_c(ctl->values[5]);

    if (text.len == 0) {
        podi_arg_null(&call);

    } else if (podi_time_parse(&text, &expires) == PODI_OK) {
        podi_arg_time(&call, expires);

    } else {
        return podi_fail(&f->fail, PODI_E_BAD_FIELD, "expires",
                         "write a time as 2026-12-31T23:59:59Z");
    }

    podi_arg_c(&call, ctl->values[3]);
    podi_arg_c(&call, ctl->values[6][0] != '\0' ? ctl->values[6] : NULL);

    return podi_pg_call(ctl->pg, f, &call);
}


podi_rc_t
ctl_wallet_tell(podi_flow_t *f, void *ctx)
{
    ctl_t       *ctl = ctx;
    podi_str_t   events, ping;

    (void) ctl_tell(f, ctx);

    events = podi_row_str(f->result, 0, "_events");

    if (ctl->redis == NULL
        || podi_event_publish(ctl->redis, f->mem, &events) != PODI_OK)
    {
        return PODI_OK;
    }

    /* one connection, in order: its answer says that the rest has gone out */

    ping = podi_str_c("PING");

    return podi_redis_command(ctl->redis, f, 1, &ping);
}


podi_rc_t
ctl_wallet_end(podi_flow_t *f, void *ctx)
{
    (void) f;
    (void) ctx;

    return PODI_DONE;
}


static podi_rc_t
tenant_ask(podi_flow_t *f, void *ctx)
{
    ctl_t           *ctl = ctx;
    podi_id_t        id;
    podi_str_t       text;
    podi_pg_call_t   call;

    if (podi_id_make(&id) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no randomness");
    }

    text = podi_id_str(&id);

    podi_pg_call_init(&call, PODI_SQL_TENANT_CREATE, f->mem);
    podi_arg_str(&call, &text);
    podi_arg_c(&call, ctl->values[0]);
    podi_arg_c(&call, ctl->values[1]);

    return podi_pg_call(ctl->pg, f, &call);
}


static podi_rc_t
role_ask(podi_flow_t *f, void *ctx)
{
    ctl_t           *ctl = ctx;
    podi_pg_call_t   call;

    podi_pg_call_init(&call, PODI_SQL_ACCOUNT_ROLE, f->mem);
    podi_arg_c(&call, ctl->values[0]);
    podi_arg_c(&call, ctl->values[1]);
    podi_arg_c(&call, ctl->values[2]);

    return podi_pg_call(ctl->pg, f, &call);
}


static podi_rc_t
action_ask(podi_flow_t *f, void *ctx)
{
    return ctl_put(f, ctx, PODI_SQL_ACTION_PUT);
}


podi_rc_t
ctl_ask(podi_flow_t *f, ctl_t *ctl, podi_sql_e sql, int n)
{
    int              i;
    podi_pg_call_t   call;

    podi_pg_call_init(&call, sql, f->mem);

    for (i = 0; i < n; i++) {
        podi_arg_c(&call, ctl->values[i]);
    }

    return podi_pg_call(ctl->pg, f, &call);
}


podi_rc_t
ctl_put(podi_flow_t *f, ctl_t *ctl, podi_sql_e sql)
{
    json_t              *object;
    podi_str_t           text;
    podi_pg_call_t       call;
    podi_json_limit_t    limit = { CTL_FILE_MAX, 0 };

    if (ctl_read_file(f, ctl->values[0], CTL_FILE_MAX, &text) != PODI_OK
        || podi_json_parse(&text, &limit, f->mem, &object, &f->fail)
           != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (!json_is_object(object)) {
        return podi_fail(&f->fail, PODI_E_BAD_FIELD, "file",
                         "write a JSON object");
    }

    podi_pg_call_init(&call, sql, f->mem);
    podi_arg_str(&call, &text);

    return podi_pg_call(ctl->pg, f, &call);
}


static podi_rc_t
invariant_ask(podi_flow_t *f, void *ctx)
{
    ctl_t           *ctl = ctx;
    podi_pg_call_t   call;

    podi_pg_call_init(&call, PODI_SQL_INVARIANT_BREAKS, f->mem);

    return podi_pg_call(ctl->pg, f, &call);
}


static podi_rc_t
invariant_tell(podi_flow_t *f, void *ctx)
{
    int          i;
    ctl_t       *ctl = ctx;
    podi_str_t   inv, id;

    for (i = 0; i < podi_rows(f->result); i++) {
        inv = podi_row_str(f->result, i, "inv");
        id = podi_row_str(f->result, i, "id");
        (void) printf(PODI_STR_FMT "\t" PODI_STR_FMT "\n", podi_str_arg(&inv),
                      podi_str_arg(&id));
    }

    ctl->code = (podi_rows(f->result) > 0) ? CTL_REFUSED : CTL_OK;

    return PODI_DONE;
}


/* name=value, a line each */

static podi_rc_t
ctl_tell(podi_flow_t *f, void *ctx)
{
    int           i, row;
    ctl_t        *ctl = ctx;
    const char   *noun = ctl->command->noun;

    row = strcmp(noun, "wallet") == 0 ? 0
          : strcmp(noun, "tenant") == 0 ? 1
          : strcmp(noun, "account") == 0 ? 2
          : strcmp(noun, "action") == 0 ? 3
          : strcmp(noun, "revoke") == 0 ? 4 : 5;

    for (i = 0; i < 6 && ctl_names[row][i] != NULL; i++) {
        ctl_print(f->result, ctl_names[row][i]);
    }

    return PODI_DONE;
}


static void
ctl_print(const podi_pg_result_t *res, const char *name)
{
    podi_str_t  value;

    value = podi_row_str(res, 0, name);
    (void) printf("%s=" PODI_STR_FMT "\n", name, podi_str_arg(&value));
}


/* a JSON object a line */

podi_rc_t
ctl_tell_rows(podi_flow_t *f, void *ctx)
{
    int         row;
    podi_buf_t  b;
    podi_str_t  text;

    (void) ctx;

    podi_buf_init(&b, f->mem);

    for (row = 0; row < podi_rows(f->result); row++) {
        podi_buf_add_byte(&b, '{');
        podi_row_json(&b, f->result, row);
        podi_buf_add_c(&b, "}\n");
    }

    if (podi_buf_take(&b, &text) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    (void) fwrite(text.data, 1, text.len, stdout);

    return PODI_DONE;
}


podi_rc_t
ctl_read_file(podi_flow_t *f, const char *path, size_t max,
    podi_str_t *ret_text)
{
    FILE    *file;
    size_t   n;

    file = (strcmp(path, "-") == 0) ? stdin : fopen(path, "re");

    if (file == NULL) {
        return podi_fail(&f->fail, PODI_E_BAD_REQUEST, NULL, "%s: %s", path,
                         strerror(errno));
    }

    ret_text->data = podi_mem_alloc(f->mem, max);
    n = (ret_text->data != NULL) ? fread(ret_text->data, 1, max, file) : 0;
    (void) fclose(file);

    if (n == 0 || n == max) {
        return podi_fail(&f->fail, PODI_E_BAD_REQUEST, NULL,
                         "%s: empty, or larger than %zu bytes", path,
                         max - 1);
    }

    ret_text->len = n;

    return PODI_OK;
}
