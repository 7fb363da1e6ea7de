/*
 * socket: what a server tells of its own accord: how far a prompt is.
 *
 *     the server is up -> open, under a name of its own -> frames -> closed
 *
 * One a server, with another name for each connection: the server would take
 * two of one name for the same, and silence the newer one when the older goes.
 * It tells progress and ends a wait; what became of a prompt is asked for.
 * Prompts that were sent under an earlier name are not heard of any more.
 */

#include <string.h>

#include "podi_fault.h"
#include "podi_id.h"
#include "podi_ws.h"
#include "runnerd.h"
#include "banned.h"


#define SOCKET_MAX  (2 * 1024 * 1024)


static void socket_begin(runner_server_t *server, podi_mem_t *mem);
static podi_rc_t socket_url(const runner_server_t *server, podi_mem_t *mem,
    podi_str_t *ret_url);
static void socket_open(void *data);
static void socket_text(void *data, const podi_str_t *text);
static void socket_binary(void *data, const podi_str_t *bytes);
static void socket_frame(runner_server_t *server, const podi_str_t *data,
    int is_binary);
static comfy_run_t *socket_run(runner_server_t *server,
    const podi_comfy_frame_t *frame);
static void socket_tell(comfy_run_t *run, const podi_comfy_frame_t *frame);
static void socket_close(void *data, const podi_ws_end_t *end);


void
runner_socket(runner_server_t *server)
{
    podi_arena_t   *arena;
    unsigned char   id[RUNNER_CLIENT_MAX / 2];

    if (server->ws != NULL || runner_server_is_stale(server)
        || podi_random(id, sizeof(id)) != PODI_OK)
    {
        return;
    }

    arena = podi_arena_create();
    if (arena == NULL) {
        return;
    }

    podi_arena_wipes(arena);
    podi_hex_encode((unsigned char *) server->client_id, id, sizeof(id));
    socket_begin(server, podi_arena_mem(arena));
    podi_arena_free(&arena);
}


/* mem: of the URL, which may have a key in it */

static void
socket_begin(runner_server_t *server, podi_mem_t *mem)
{
    podi_fail_t      fail;
    podi_ws_conf_t   conf;

    memset(&conf, 0, sizeof(conf));

    if (socket_url(server, mem, &conf.url) != PODI_OK) {
        return;
    }

    conf.headers = server->headers;
    conf.n_headers = server->n_headers;
    conf.ca_file = server->ca_file;
    conf.user_agent = "podi";
    conf.max_message = SOCKET_MAX;
    conf.on_open = socket_open;
    conf.on_text = socket_text;
    conf.on_binary = socket_binary;
    conf.on_close = socket_close;
    conf.data = server;

    server->ws = podi_ws_open(podi_worker_io(runnerd.worker), &conf, &fail);

    if (server->ws == NULL) {
        podi_worker_log(runnerd.worker, PODI_LOG_WARN, "server.socket", NULL,
                        PODI_STR_FMT ": %s", podi_str_arg(&server->name),
                        fail.detail);
    }
}


void
runner_socket_free(runner_server_t *server)
{
    if (server->ws != NULL) {
        podi_ws_free(&server->ws);
    }
}


static podi_rc_t
socket_url(const runner_server_t *server, podi_mem_t *mem,
    podi_str_t *ret_url)
{
    int         is_whole = server->ws_url.len > 0;
    podi_buf_t  b;

    podi_buf_init(&b, mem);
    podi_buf_add_str(&b, is_whole ? &server->ws_url : &server->url);

    if (!is_whole) {
        podi_buf_add_c(&b, "/ws");
    }

    podi_buf_printf(&b, "%cclientId=%s", is_whole
                    && memchr(server->ws_url.data, '?', server->ws_url.len)
                    ? '&' : '?', server->client_id);

    if (server->query.len > 0) {
        podi_buf_add_byte(&b, '&');
        podi_buf_add_str(&b, &server->query);
    }

    return podi_buf_take(&b, ret_url);
}


static void
socket_open(void *data)
{
    runner_server_t    *server = data;
    static podi_str_t   flags = podi_string("{\"type\": \"feature_flags\", "
        "\"data\": {\"supports_preview_metadata\": true}}");

    server->hears = 1;

    /* without them, a preview does not say what it is of */
    if (podi_ws_send_text(server->ws, &flags) != PODI_OK) {
        podi_ws_close(server->ws, PODI_WS_NORMAL);
    }
}


static void
socket_text(void *data, const podi_str_t *text)
{
    socket_frame(data, text, 0);
}


static void
socket_binary(void *data, const podi_str_t *bytes)
{
    socket_frame(data, bytes, 1);
}


static void
socket_frame(runner_server_t *server, const podi_str_t *data, int is_binary)
{
    comfy_run_t         *run;
    podi_comfy_frame_t   frame;

    PODI_FAULT(socket_heard);
    podi_arena_reset(server->frames);

    if (podi_comfy_frame(data, is_binary, podi_arena_mem(server->frames),
                         &frame) != PODI_OK)
    {
        return;
    }

    if (frame.type == PODI_COMFY_STATUS) {
        server->remaining = frame.remaining;
        return;
    }

    run = socket_run(server, &frame);

    if (run != NULL) {
        socket_tell(run, &frame);
    }
}


/* NULL: it is of nobody here.  Who is spoken of now is noted on the way */

static comfy_run_t *
socket_run(runner_server_t *server, const podi_comfy_frame_t *frame)
{
    int           is_named = frame->prompt_id.len > 0;
    podi_link_t  *link;
    comfy_run_t  *run, *found = NULL;

    podi_list_each(link, &server->runs) {
        run = podi_list_owner(link, comfy_run_t, link);

        if (is_named ? podi_str_eq(&run->prompt_id, &frame->prompt_id)
                     : run->is_told && frame->type == PODI_COMFY_PREVIEW)
        {
            found = run;
        }

        if (is_named) {
            run->is_told = run == found && frame->type != PODI_COMFY_ENDED;
        }
    }

    return found;
}


static void
socket_tell(comfy_run_t *run, const podi_comfy_frame_t *frame)
{
    podi_msec_t  wait;

    if (run->follows && frame->type == PODI_COMFY_ENDED) {
        run->hint = 1;
        runner_again_now(run->again);
        return;
    }

    if (run->follows) {
        (void) podi_follow_see(&run->follow, &run->follow_conf, PODI_SEE_SIGN,
                               podi_time_mono(), &wait);
    }

    if (frame->type == PODI_COMFY_PREVIEW) {
        runner_progress_preview(run, frame);

    } else {
        runner_progress_frame(run, frame);
    }
}


/*
 * What is under way is heard of no more; the next look at it opens another.
 * It may have gone with all that it had, so that is looked for at once.
 */

static void
socket_close(void *data, const podi_ws_end_t *end)
{
    podi_link_t      *link;
    comfy_run_t      *run;
    runner_server_t  *server = data;

    if (server->hears || end->fail.error != PODI_E_NONE) {
        podi_worker_log(runnerd.worker, PODI_LOG_INFO, "server.socket", NULL,
                        PODI_STR_FMT ": closed, code %u: %s",
                        podi_str_arg(&server->name), end->code,
                        end->fail.detail);
    }

    podi_list_each(link, &server->runs) {
        run = podi_list_owner(link, comfy_run_t, link);
        run->follow.deaf = 1;
        run->is_told = 0;
    }

    if (server->hears) {
        server->hears = 0;
        runner_server_was_away(server);
    }

    podi_ws_free(&server->ws);
}
