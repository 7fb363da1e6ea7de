/*
 * server: the ComfyUI servers there are, as their rows say.
 *
 * A row that changed is a new record; the old one stays until no job and no
 * request uses it.  Where a job is, the database counts; what stands here is
 * for the choice.
 */

#include <string.h>

#include "podi_comfy_keys.h"
#include "runnerd.h"
#include "banned.h"


#define SERVER_LOOKS  4          /* connections for what is small */


static podi_rc_t servers_ask(podi_flow_t *f, void *ctx);
static podi_rc_t servers_told(podi_flow_t *f, void *ctx);
static runner_server_t *server_of_row(const podi_pg_result_t *rows, int row);
static runner_server_t *server_unread(const podi_pg_result_t *rows, int row);
static runner_server_t *server_make(const podi_pg_result_t *rows, int row);
static void server_inherit(runner_server_t *server);
static podi_rc_t server_fill(runner_server_t *server,
    const podi_pg_result_t *rows, int row);
static podi_rc_t server_client(runner_server_t *server,
    const podi_str_t *ca_file);
static podi_rc_t server_labels(runner_server_t *server, const podi_str_t *s);
static podi_rc_t server_auth(runner_server_t *server,
    const podi_pg_result_t *rows, int row);
static void server_free(runner_server_t *server);


const podi_step_t  runner_servers_steps[] = {
    { "asking for the servers", servers_ask,  0 },
    { "looking at them",        servers_told, 0 },
    podi_null_step
};


static podi_rc_t
servers_ask(podi_flow_t *f, void *ctx)
{
    podi_round_t    *round = ctx;
    podi_pg_call_t   call;

    podi_pg_call_init(&call, PODI_SQL_COMFY_SERVERS, f->mem);

    return podi_pg_call(podi_worker_pg(round->worker), f, &call);
}


static podi_rc_t
servers_told(podi_flow_t *f, void *ctx)
{
    unsigned          up = 0, all = 0;
    podi_link_t      *link;
    podi_round_t     *round = ctx;
    runner_server_t  *server;

    runner_servers_read(f->result);

    podi_list_each(link, &runnerd.servers) {
        server = podi_list_owner(link, runner_server_t, link);

        if (server->listed && server->state != PODI_FARM_DISABLED) {
            all++;
            up += !runner_server_is_stale(server);
            runner_probe(server);
            runner_socket(server);
        }
    }

    runnerd.servers_known = 1;
    podi_metric_set(round->worker, "podi_runner_servers", "", all);
    podi_metric_set(round->worker, "podi_runner_servers_up", "", up);
    runner_farm_metrics();

    return PODI_DONE;
}


void
runner_servers_read(const podi_pg_result_t *rows)
{
    int               i;
    podi_link_t      *link, *next;
    runner_server_t  *server;

    podi_list_each(link, &runnerd.servers) {
        podi_list_owner(link, runner_server_t, link)->listed = 0;
    }

    for (i = 0; i < podi_rows(rows); i++) {
        server = server_of_row(rows, i);

        if (server == NULL) {
            server = server_make(rows, i);
        }

        if (server == NULL) {
            server = server_unread(rows, i);
        }

        if (server != NULL) {
            server->listed = 1;
        }
    }

    podi_list_each_safe(link, next, &runnerd.servers) {
        server = podi_list_owner(link, runner_server_t, link);

        if (!server->listed && server->ours == 0 && server->kept == 0
            && !podi_flow_is_active(&server->probe))
        {
            server_free(server);
        }
    }
}


/* one row takes none of the others; if it was changed, it is as it was */

static runner_server_t *
server_unread(const podi_pg_result_t *rows, int row)
{
    podi_str_t        name = podi_row_str(rows, row, "server");
    podi_link_t      *link;
    runner_server_t  *server;

    podi_worker_log(runnerd.worker, PODI_LOG_ERROR, "server.unread", NULL,
                    "the row of " PODI_STR_FMT " could not be taken: no "
                    "memory, or too many files", podi_str_arg(&name));

    podi_list_each(link, &runnerd.servers) {
        server = podi_list_owner(link, runner_server_t, link);

        if (podi_str_eq(&server->name, &name)) {
            return server;
        }
    }

    return NULL;
}


static runner_server_t *
server_of_row(const podi_pg_result_t *rows, int row)
{
    podi_str_t        name, updated;
    podi_link_t      *link;
    runner_server_t  *server;

    name = podi_row_str(rows, row, "server");
    updated = podi_row_str(rows, row, "updated_at");

    podi_list_each(link, &runnerd.servers) {
        server = podi_list_owner(link, runner_server_t, link);

        if (podi_str_eq(&server->name, &name)
            && podi_str_eq(&server->updated, &updated))
        {
            return server;
        }
    }

    return NULL;
}


runner_server_t *
runner_server_find(const podi_str_t *provider)
{
    podi_link_t      *link;
    runner_server_t  *server;

    podi_list_each(link, &runnerd.servers) {
        server = podi_list_owner(link, runner_server_t, link);

        if (server->listed && podi_str_eq(&server->provider, provider)) {
            return server;
        }
    }

    return NULL;
}


static runner_server_t *
server_make(const podi_pg_result_t *rows, int row)
{
    podi_arena_t     *arena = podi_arena_create();
    runner_server_t  *server;

    if (arena == NULL) {
        return NULL;
    }

    server = podi_mem_calloc(podi_arena_mem(arena), sizeof(runner_server_t));
    if (server == NULL) {
        podi_arena_free(&arena);
        return NULL;
    }

    podi_arena_wipes(arena);
    server->arena = arena;
    server->mem = podi_arena_mem(arena);
    server->number = -1;
    server->probe_arena = podi_arena_create();
    server->cards = podi_arena_create();
    server->frames = podi_arena_create();
    podi_list_init(&server->runs);
    podi_list_append(&runnerd.servers, &server->link);

    if (server->probe_arena == NULL || server->cards == NULL
        || server->frames == NULL || server_fill(server, rows, row) != PODI_OK)
    {
        server_free(server);
        return NULL;
    }

    server_inherit(server);

    return server;
}


/*
 * What was found out under the row as it was: another label does not make it
 * work.  It is looked at at once, since a key may be what was mended, and shows
 * with one prompt that it works.  While it was disabled it may have been
 * mended, and at another URL it is another server.
 */

static void
server_inherit(runner_server_t *server)
{
    podi_link_t      *link;
    runner_server_t  *old;

    podi_list_each(link, &runnerd.servers) {
        old = podi_list_owner(link, runner_server_t, link);

        if (old != server && podi_str_eq(&old->name, &server->name)
            && podi_str_eq(&old->url, &server->url))
        {
            server->stuck = old->stuck;
            server->trial = old->trial
                            || old->breaker.state != PODI_BREAKER_CLOSED;
            server->is_up = old->state != PODI_FARM_DISABLED && old->is_up;
        }
    }
}


static podi_rc_t
server_fill(runner_server_t *server, const podi_pg_result_t *rows, int row)
{
    podi_str_t  s;

    s = podi_row_str(rows, row, "updated_at");

    if (podi_mem_dup(server->mem, &s, &server->updated) != PODI_OK) {
        return PODI_ERROR;
    }

    s = podi_row_str(rows, row, "server");

    if (podi_mem_dup(server->mem, &s, &server->name) != PODI_OK
        || podi_mem_printf(server->mem, &server->provider,
                           "comfy:" PODI_STR_FMT, podi_str_arg(&s)) != PODI_OK)
    {
        return PODI_ERROR;
    }

    s = podi_row_str(rows, row, "url");

    while (s.len > 0 && s.data[s.len - 1] == '/') {
        s.len--;
    }

    if (podi_mem_dup(server->mem, &s, &server->url) != PODI_OK) {
        return PODI_ERROR;
    }

    s = podi_row_str(rows, row, "ws_url");

    if (podi_mem_dup(server->mem, &s, &server->ws_url) != PODI_OK) {
        return PODI_ERROR;
    }

    s = podi_row_str(rows, row, "state");
    server->state = podi_str_eq_c(&s, "active") ? PODI_FARM_ACTIVE
                    : podi_str_eq_c(&s, "draining") ? PODI_FARM_DRAINING
                                                    : PODI_FARM_DISABLED;
    server->slots = (unsigned) podi_row_int64(rows, row, "slots");
    server->prefetch = (unsigned) podi_row_int64(rows, row, "prefetch");
    server->single = podi_row_bool(rows, row, "single_tenant") != 0;

    s = podi_row_str(rows, row, "labels");

    if (server_labels(server, &s) != PODI_OK
        || server_auth(server, rows, row) != PODI_OK)
    {
        return PODI_ERROR;
    }

    s = podi_row_str(rows, row, "ca_file");

    return server_client(server, &s);
}


static podi_rc_t
server_client(runner_server_t *server, const podi_str_t *ca_file)
{
    podi_http_conf_t  conf;

    if (ca_file->len > 0) {
        server->ca_file = podi_mem_dup_c(server->mem, ca_file);

        if (server->ca_file == NULL) {
            return PODI_ERROR;
        }
    }

    memset(&conf, 0, sizeof(conf));
    conf.user_agent = "podi";
    conf.ca_file = server->ca_file;

    /* a look at a prompt never waits for the files of the others */
    conf.per_host = server->slots + server->prefetch + SERVER_LOOKS;
    server->http = podi_http_create(podi_worker_io(runnerd.worker), &conf);

    return server->http != NULL ? PODI_OK : PODI_ERROR;
}


/* an array as PostgreSQL writes it: names of letters, digits, '-' and '_' */

static podi_rc_t
server_labels(runner_server_t *server, const podi_str_t *s)
{
    podi_str_t  rest, label;

    if (podi_mem_dup(server->mem, s, &rest) != PODI_OK) {
        return PODI_ERROR;
    }

    if (rest.len < 3) {
        return PODI_OK;
    }

    rest.data++;
    rest.len -= 2;

    while (server->n_labels < RUNNER_LABELS_MAX
           && podi_str_split(&rest, ',', &label))
    {
        server->labels[server->n_labels++] = label;
    }

    return PODI_OK;
}


/* what cannot be opened makes the server one that is down, with a reason */

static podi_rc_t
server_auth(runner_server_t *server, const podi_pg_result_t *rows, int row)
{
    podi_str_t         auth, keys;
    podi_fail_t        fail;
    podi_comfy_keys_t  open;

    auth = podi_row_str(rows, row, "auth");
    keys = podi_row_str(rows, row, "keys");

    if (podi_comfy_keys_open(runnerd.kek, &auth, &keys, server->mem, &open,
                             &fail) == PODI_OK)
    {
        server->headers = open.headers;
        server->n_headers = open.n_headers;
        server->query = open.query;
        return PODI_OK;
    }

    server->no_key = 1;
    (void) snprintf(server->fault, sizeof(server->fault), "%.120s",
                    fail.detail);

    return fail.error == PODI_E_INTERNAL ? PODI_ERROR : PODI_OK;
}


static void
server_free(runner_server_t *server)
{
    podi_arena_t  *arena = server->arena;

    podi_list_remove(&server->link);
    podi_flow_cancel(&server->probe);
    runner_socket_free(server);

    if (server->http != NULL) {
        podi_http_free(&server->http);
    }

    podi_arena_free(&server->probe_arena);
    podi_arena_free(&server->cards);
    podi_arena_free(&server->frames);
    podi_arena_free(&arena);
}


void
runner_servers_free(void)
{
    podi_link_t  *link, *next;

    podi_list_each_safe(link, next, &runnerd.servers) {
        server_free(podi_list_owner(link, runner_server_t, link));
    }
}
