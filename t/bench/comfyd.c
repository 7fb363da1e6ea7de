/*
 * comfyd: a ComfyUI and a store, quick.
 *
 *     comfyd DIR WORK_MS          prints its port
 *
 *     /upload/image /prompt /queue /history /view /free /ws ...   one prompt
 *                    after the other, WORK_MS each
 *     GET, PUT /b/...                        the store: gives DIR/input
 *
 * DIR holds what is told as it is: system_stats, object_info, input, output.
 * Nothing is read of a request but ids.
 */

#define _GNU_SOURCE

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "played.h"

#define PROMPTS   4096

typedef struct {
    char      id[ID_MAX];
    char      client[ID_MAX];
    int64_t   ends;                     /* 0: waits */
    int       over;
} prompt_t;


static int64_t      work_ns;
static text_t       stats, info, input, output;
static prompt_t     prompts[PROMPTS];
static int          n_prompts, n_over;
static conn_t      *sockets[EVENTS];
static int          n_sockets;


static void
ws_accept(conn_t *c, const char *head)
{
    int             n;
    char            key[256], reply[512];
    const char     *at = strcasestr(head, "\r\nsec-websocket-key:");
    unsigned char   sha[20], b64[64];

    if (at == NULL || n_sockets == EVENTS
        || sscanf(at + 20, " %100s", key) != 1)
    {
        c->ends = 1;
        return;
    }

    (void) snprintf(key + strlen(key), sizeof(key) - strlen(key), "%s",
                    "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    SHA1((unsigned char *) key, strlen(key), sha);
    EVP_EncodeBlock(b64, sha, sizeof(sha));

    n = snprintf(reply, sizeof(reply), "HTTP/1.1 101 X\r\nUpgrade: websocket"
                 "\r\nConnection: upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                 b64);
    text_add(&c->out, reply, (size_t) n);
    at = strstr(head, "clientId=");
    (void) sscanf(at ? at + 9 : "", "%63[0-9a-zA-Z-]", c->client);
    c->is_ws = 1;
    sockets[n_sockets++] = c;
}


static void __attribute__((format(printf, 2, 3)))
ws_tell(const char *client, const char *fmt, ...)
{
    int            i, n;
    char           text[4096];
    va_list        args;
    unsigned char  head[4] = { 0x81 };

    va_start(args, fmt);
    n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    head[1] = (unsigned char) (n < 126 ? n : 126);
    head[2] = (unsigned char) (n >> 8);
    head[3] = (unsigned char) n;

    for (i = 0; i < n_sockets; i++) {
        if (strcmp(sockets[i]->client, client) != 0) {
            continue;
        }

        text_add(&sockets[i]->out, head, n < 126 ? 2 : 4);
        text_add(&sockets[i]->out, text, (size_t) n);
        conn_flush(sockets[i]);
    }
}


static void
ws_tell_node(const prompt_t *p, const char *state)
{
    ws_tell(p->client, "{\"type\": \"progress_state\", \"data\": "
            "{\"prompt_id\": \"%s\", \"nodes\": {\"1\": "
            "{\"value\": 1.0, \"max\": 1.0, \"state\": \"%s\", "
            "\"node_id\": \"1\", \"prompt_id\": \"%s\"}}}}",
            p->id, state, p->id);
}


static prompt_t *
prompt_find(const char *text)
{
    int  i;

    for (i = n_prompts - 1; i >= 0; i--) {
        if (strstr(text, prompts[i].id) != NULL) {
            return &prompts[i];
        }
    }

    return NULL;
}


static void
member(const char *body, const char *name, char value[ID_MAX])
{
    const char  *at = strstr(body, name);

    value[0] = '\0';

    if (at != NULL) {
        (void) sscanf(at + strlen(name), "%*[\": ]%63[0-9a-zA-Z-]", value);
    }
}


static void
prompt_begin(void)
{
    prompt_t  *p = &prompts[n_over];

    if (n_over == n_prompts || p->ends != 0) {
        return;
    }

    p->ends = now_ns() + work_ns;
    ws_tell(p->client, "{\"type\": \"execution_start\", \"data\": "
            "{\"prompt_id\": \"%s\"}}", p->id);
    ws_tell_node(p, "running");
}


static void
prompt_end(void)
{
    prompt_t  *p = &prompts[n_over++];

    p->over = 1;
    ws_tell_node(p, "finished");
    ws_tell(p->client, "{\"type\": \"execution_success\", \"data\": "
            "{\"prompt_id\": \"%s\"}}", p->id);
    prompt_begin();
}


static void
comfy_prompt(conn_t *c, const char *body)
{
    prompt_t  *p = &prompts[n_prompts];

    if (n_prompts == PROMPTS) {
        c->ends = 1;
        return;
    }

    member(body, "\"prompt_id\"", p->id);
    member(body, "\"client_id\"", p->client);
    answer_json(c, "{\"prompt_id\": \"%s\", \"number\": %d, \"node_errors\":"
                " {}}", p->id, n_prompts++);
    prompt_begin();
}


static void
comfy_history(conn_t *c, const char *path)
{
    prompt_t  *p = prompt_find(path);

    if (p == NULL || !p->over) {
        answer_json(c, "{}");
        return;
    }

    answer_json(c, "{\"%s\": {\"prompt\": [0, \"%s\", {}, {}, [\"4\"]], "
                "\"outputs\": {\"4\": {\"images\": [{\"filename\": "
                "\"out_00001_.png\", \"subfolder\": \"podi/%s\", \"type\": "
                "\"output\"}]}}, \"status\": {\"status_str\": \"success\", "
                "\"completed\": true, \"messages\": [[\"execution_start\", "
                "{\"prompt_id\": \"%s\"}], [\"execution_success\", "
                "{\"prompt_id\": \"%s\"}]]}}}", p->id, p->id, p->id, p->id,
                p->id);
}


static void
text_say(text_t *t, const char *words)
{
    text_add(t, words, strlen(words));
}


static void
comfy_queue(conn_t *c)
{
    int     i;
    char    one[256];
    text_t  t = { NULL, 0, 0 };

    text_say(&t, "{\"queue_running\": [");

    for (i = n_over; i < n_prompts; i++) {
        text_add(&t, one, (size_t) snprintf(one, sizeof(one),
                 "%s[%d, \"%s\", {}, {}, [\"4\"]]",
                 i > n_over + 1 ? ", " : "", i, prompts[i].id));

        if (i == n_over) {
            text_say(&t, "], \"queue_pending\": [");
        }
    }

    if (n_over == n_prompts) {
        text_say(&t, "], \"queue_pending\": [");
    }

    text_say(&t, "]}");
    answer(c, 200, "application/json", t.data, t.len);
    free(t.data);
}


static void
ask(conn_t *c, const char *head, const char *path, int is_get,
    const char *body)
{
    if (strncmp(path, "/ws", 3) == 0) {
        ws_accept(c, head);

    } else if (strcmp(path, "/prompt") == 0 && !is_get) {
        comfy_prompt(c, body);

    } else if (strcmp(path, "/prompt") == 0) {
        answer_json(c, "{\"exec_info\": {\"queue_remaining\": %d}}",
                    n_prompts - n_over);

    } else if (strncmp(path, "/history/", 9) == 0) {
        comfy_history(c, path);

    } else if (strcmp(path, "/queue") == 0 && is_get) {
        comfy_queue(c);

    } else if (strcmp(path, "/upload/image") == 0) {
        answer_json(c, "{\"name\": \"in1.png\", \"subfolder\": \"podi\", "
                    "\"type\": \"input\"}");

    } else if (strcmp(path, "/system_stats") == 0) {
        answer(c, 200, "application/json", stats.data, stats.len);

    } else if (strncmp(path, "/object_info", 12) == 0) {
        answer(c, 200, "application/json", info.data, info.len);

    } else if (strncmp(path, "/view", 5) == 0) {
        answer(c, 200, "application/octet-stream", output.data, output.len);

    } else if (strncmp(path, "/b/", 3) == 0) {
        answer(c, 200, "image/png", is_get ? input.data : "",
               is_get ? input.len : 0);

    } else {
        /* POST /history, /queue, /free, /interrupt */
        answer_json(c, "{}");
    }
}


static void
gone(conn_t *c)
{
    int  i;

    for (i = 0; i < n_sockets; i++) {
        if (sockets[i] == c) {
            sockets[i] = sockets[--n_sockets];
            return;
        }
    }
}


static int
until_time(void)
{
    int64_t  left;

    if (n_over == n_prompts || prompts[n_over].ends == 0) {
        return -1;
    }

    left = prompts[n_over].ends - now_ns();

    return left <= 0 ? 0 : (int) (left / 1000000) + 1;
}


static void
at_time(void)
{
    prompt_end();
}


int
main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: comfyd DIR WORK_MS\n");
        return 2;
    }

    work_ns = strtoll(argv[2], NULL, 10) * 1000000;
    text_read(&stats, argv[1], "system_stats");
    text_read(&info, argv[1], "object_info");
    text_read(&input, argv[1], "input");
    text_read(&output, argv[1], "output");

    play();

    return 0;
}
