/*
 * probe: how a server is: alive, which version, how busy, what it can.
 *
 *     /system_stats -> /prompt
 *         -> /history, when it says that it has nothing of what it took
 *         -> /object_info, when it is not known
 *         -> noted, when it changed, and every NOTE_EVERY
 *
 * Each server has a flow of its own, so one that does not answer delays no
 * other.  Its breaker sees these looks only: what a prompt does says nothing
 * of the server.  One that was shut gets one look, and then one prompt, until
 * that is at its end: a server may answer all looks and work on nothing.
 */

#include <string.h>

#include "podi_id.h"
#include "runnerd.h"
#include "banned.h"


#define NOTE_EVERY  10000


static podi_rc_t probe_stats(podi_flow_t *f, void *ctx);
static podi_rc_t probe_queue(podi_flow_t *f, void *ctx);
static podi_rc_t probe_memory(podi_flow_t *f, void *ctx);
static podi_rc_t probe_info(podi_flow_t *f, void *ctx);
static podi_rc_t probe_cards(podi_flow_t *f, void *ctx);
static podi_rc_t probe_has_cards(podi_flow_t *f, void *ctx);
static podi_rc_t probe_note(podi_flow_t *f, void *ctx);
static podi_rc_t probe_noted(podi_flow_t *f, void *ctx);
static podi_rc_t probe_over(podi_flow_t *f, void *ctx);
static void probe_end(podi_flow_t *f, podi_rc_t rc, void *ctx);
static podi_rc_t probe_down(podi_flow_t *f, runner_server_t *server,
    const char *what);
static podi_rc_t probe_ask(podi_flow_t *f, const runner_server_t *server,
    const char *path);
static void probe_judge(podi_flow_t *f, runner_server_t *server);
static int probe_is_known(const runner_server_t *server);
static podi_rc_t probe_text(runner_server_t *server, int ok, podi_mem_t *mem,
    podi_str_t *ret_text);


static const podi_step_t  probe_steps[] = {
    { "asking what it is",      probe_stats,     PODI_MAY_FAIL },
    { "asking how busy it is",  probe_queue,     PODI_MAY_FAIL },
    { "asking what it has",     probe_memory,    PODI_MAY_FAIL },
    { "asking what it can",     probe_info,      PODI_MAY_FAIL },
    { "reading what it can",    probe_cards,     PODI_MAY_FAIL },
    { "keeping what it can",    probe_has_cards, PODI_MAY_FAIL },
    { "noting it",              probe_note,      PODI_MAY_FAIL },
    { "reading the answer",     probe_noted,     0 },
    { "ending",                 probe_over,      0 },
    podi_null_step
};

static const podi_breaker_conf_t *
probe_conf(void)
{
    static podi_breaker_conf_t  conf = {
        .window = 30000, .calls_min = 3, .bad_percent = 60,
        .open_max = 60000, .probe = 30000, .probe_max = 60000
    };

    conf.open = runnerd.server_shut;

    return &conf;
}


void
runner_probe(runner_server_t *server)
{
    uint32_t     random;
    podi_msec_t  now = podi_time_mono();

    if (podi_flow_is_active(&server->probe)
        || podi_random(&random, sizeof(random)) != PODI_OK)
    {
        return;
    }

    if (podi_breaker_ask(&server->breaker, probe_conf(), now, random,
                         &server->ticket) == PODI_BREAKER_SHUT)
    {
        return;
    }

    server->asked_at = now;
    podi_arena_reset(server->probe_arena);
    podi_flow_start(&server->probe, probe_steps, server,
                    podi_arena_mem(server->probe_arena), probe_end);
}


static podi_rc_t
probe_stats(podi_flow_t *f, void *ctx)
{
    runner_server_t  *server = ctx;

    server->asks_cards = 0;
    server->notes = 0;

    /* without it, it need not be asked; the fault is from its record */
    server->answers = !server->no_key;
    if (server->no_key) {
        return PODI_OK;
    }

    server->fault[0] = '\0';
    server->held = runner_server_holds(server);
    memcpy(server->was_version, server->version, sizeof(server->version));

    return probe_ask(f, server, "/system_stats");
}


static podi_rc_t
probe_ask(podi_flow_t *f, const runner_server_t *server, const char *path)
{
    podi_str_t           s = podi_str_c(path);
    podi_http_request_t  request;

    if (runner_call(f, server, "GET", &s, &request) != PODI_OK) {
        return PODI_ERROR;
    }

    request.timeout = runnerd.probe_timeout;

    return podi_http_send(server->http, f, &request);
}


static podi_rc_t
probe_queue(podi_flow_t *f, void *ctx)
{
    podi_comfy_stats_t        stats;
    runner_server_t          *server = ctx;
    const podi_http_reply_t  *reply = runner_answered(f);

    if (!server->answers) {
        return PODI_OK;
    }

    if (reply == NULL
        || podi_comfy_stats(&reply->body, f->mem, &stats) != PODI_OK)
    {
        return probe_down(f, server, "/system_stats");
    }

    server->latency = podi_time_mono() - server->asked_at;
    server->targeted = stats.targeted;
    server->vram = stats.vram_total;
    (void) snprintf(server->version, sizeof(server->version), PODI_STR_FMT,
                    podi_str_arg(&stats.version));

    return probe_ask(f, server, "/prompt");
}


static podi_rc_t
probe_memory(podi_flow_t *f, void *ctx)
{
    runner_server_t          *server = ctx;
    const podi_http_reply_t  *reply = runner_answered(f);

    if (!server->answers) {
        return PODI_OK;
    }

    if (reply == NULL || podi_comfy_remaining(&reply->body, f->mem,
                                              &server->remaining) != PODI_OK)
    {
        return probe_down(f, server, "/prompt");
    }

    server->looks_back = server->held > 0 && server->remaining == 0;

    return server->looks_back
           ? probe_ask(f, server, "/history?max_items=1") : PODI_OK;
}


/* all that it can is asked for anew when it is another version, or was away */

static podi_rc_t
probe_info(podi_flow_t *f, void *ctx)
{
    podi_str_t            path = podi_string("/object_info");
    runner_server_t      *server = ctx;
    podi_http_request_t   request;

    if (!server->answers) {
        return PODI_OK;
    }

    probe_judge(f, server);

    if (probe_is_known(server)) {
        return PODI_OK;
    }

    if (runner_call(f, server, "GET", &path, &request) != PODI_OK) {
        return PODI_ERROR;
    }

    request.max = (int64_t) runnerd.info_max;
    server->asks_cards = 1;

    return podi_http_send(server->http, f, &request);
}


/* what it had of ours is neither in its queue nor in its history any more */

static void
probe_judge(podi_flow_t *f, runner_server_t *server)
{
    podi_farm_memory_t        was, is;
    const podi_http_reply_t  *reply = runner_answered(f);

    memset(&was, 0, sizeof(was));
    memset(&is, 0, sizeof(is));

    was.version = podi_str_c(server->was_version);
    was.held = server->looks_back && runner_server_held(server);
    was.number = -1;

    is.version = podi_str_c(server->version);
    is.queue_empty = server->remaining == 0;
    is.history_empty = server->looks_back && reply != NULL
                       && podi_comfy_is_blank(&reply->body);
    is.number = -1;

    if (podi_farm_restarted(&was, &is)) {
        runner_server_anew(server);
    }
}


static int
probe_is_known(const runner_server_t *server)
{
    return server->info.nodes != NULL && server->is_up
           && strcmp(server->version, server->cards_version) == 0;
}


static podi_rc_t
probe_cards(podi_flow_t *f, void *ctx)
{
    runner_server_t          *server = ctx;
    const podi_http_reply_t  *reply;

    if (!server->answers || !server->asks_cards) {
        return PODI_OK;
    }

    reply = runner_answered(f);

    return reply != NULL ? runner_cards(f, server, &reply->body) : PODI_OK;
}


static podi_rc_t
probe_has_cards(podi_flow_t *f, void *ctx)
{
    runner_server_t  *server = ctx;

    if (!server->answers || !server->asks_cards) {
        return PODI_OK;
    }

    if (f->result != server) {
        server->info.nodes = NULL;
        server->new_cards = 0;
        return probe_down(f, server, "/object_info");
    }

    server->new_cards = 1;
    memcpy(server->cards_version, server->version, sizeof(server->version));

    return PODI_OK;
}


static podi_rc_t
probe_down(podi_flow_t *f, runner_server_t *server, const char *what)
{
    const podi_http_reply_t  *reply = f->result;

    server->answers = 0;

    if (reply != NULL) {
        (void) snprintf(server->fault, sizeof(server->fault),
                        "%s: status %u, or no answer of ComfyUI", what,
                        reply->status);
    } else {
        (void) snprintf(server->fault, sizeof(server->fault), "%s: %.100s",
                        what, f->fail.detail);
    }

    return PODI_OK;
}


static podi_rc_t
probe_note(podi_flow_t *f, void *ctx)
{
    podi_str_t        text;
    podi_pg_call_t    call;
    runner_server_t  *server = ctx;
    podi_msec_t       now = podi_time_mono();

    if (server->answers) {
        server->seen_at = now;
    }

    if (server->is_up != server->answers || !server->was_said) {
        podi_worker_log(runnerd.worker, PODI_LOG_NOTICE,
                        server->answers ? "server.up" : "server.down", NULL,
                        PODI_STR_FMT ": %s", podi_str_arg(&server->name),
                        server->answers ? server->version : server->fault);
    }

    /* its prompts are looked for before the time of their next look */
    if (server->answers && !server->is_up) {
        runner_server_was_away(server);
    }

    server->is_up = server->answers;
    server->was_said = 1;

    if (!server->new_cards && server->noted_up == server->answers
        && server->noted_at != 0 && now - server->noted_at < NOTE_EVERY)
    {
        return PODI_OK;
    }

    if (probe_text(server, server->answers, f->mem, &text) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    server->notes = 1;
    podi_pg_call_init(&call, PODI_SQL_COMFY_SEEN_PUT, f->mem);
    podi_arg_str(&call, &text);

    return podi_pg_call(podi_worker_pg(runnerd.worker), f, &call);
}


/* what could not be noted is noted with the next look */

static podi_rc_t
probe_noted(podi_flow_t *f, void *ctx)
{
    runner_server_t  *server = ctx;

    if (server->notes && f->result != NULL) {
        server->noted_at = podi_time_mono();
        server->noted_up = server->answers;
        server->new_cards = 0;
    }

    return PODI_OK;
}


static podi_rc_t
probe_text(runner_server_t *server, int ok, podi_mem_t *mem,
    podi_str_t *ret_text)
{
    podi_buf_t  b;
    podi_str_t  s;

    podi_buf_init(&b, mem);
    podi_buf_add_c(&b, "{\"server\":");
    podi_buf_add_json(&b, &server->name);
    podi_buf_printf(&b, ",\"ok\":%s,\"fault\":", ok ? "true" : "false");

    s = podi_str_c(server->fault);
    podi_buf_add_json(&b, &s);

    if (ok) {
        s = podi_str_c(server->version);
        podi_buf_add_c(&b, ",\"version\":");
        podi_buf_add_json(&b, &s);
        podi_buf_printf(&b, ",\"queue_remaining\":%u,"
                        "\"targeted_interrupt\":%s", server->remaining,
                        server->targeted ? "true" : "false");
    }

    if (ok && server->new_cards) {
        podi_buf_add_c(&b, ",\"nodes\":");
        podi_json_add(&b, server->info.nodes);
        podi_buf_add_c(&b, ",\"models\":");
        podi_json_add(&b, server->info.models);
    }

    podi_buf_add_byte(&b, '}');

    return podi_buf_take(&b, ret_text);
}


static podi_rc_t
probe_over(podi_flow_t *f, void *ctx)
{
    (void) f;
    (void) ctx;

    return PODI_DONE;
}


static void
probe_end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    int               was_shut;
    uint32_t          random;
    podi_msec_t       now = podi_time_mono();
    runner_server_t  *server = ctx;

    (void) f;
    (void) rc;

    was_shut = server->breaker.state != PODI_BREAKER_CLOSED;

    if (podi_random(&random, sizeof(random)) != PODI_OK) {
        random = 0;
    }

    podi_breaker_report(&server->breaker, probe_conf(), server->ticket,
                        server->answers ? PODI_BREAKER_GOOD : PODI_BREAKER_BAD,
                        now - server->asked_at, now, random);

    if (was_shut && server->breaker.state == PODI_BREAKER_CLOSED) {
        server->trial = 1;
    }
}


int
runner_server_is_stale(const runner_server_t *server)
{
    return server->seen_at == 0 || !server->is_up
           || podi_time_mono() - server->seen_at
              > 3 * runnerd.servers_every + 3 * runnerd.probe_timeout;
}


int
runner_server_is_shut(const runner_server_t *server)
{
    return podi_breaker_wait(&server->breaker, probe_conf(),
                             podi_time_mono()) > 0;
}
