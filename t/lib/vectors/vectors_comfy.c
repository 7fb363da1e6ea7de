/*
 * vectors_comfy: recorded conversations with a ComfyUI server, each answer and
 * frame of which must be read as what it is.
 *
 * What is expected comes from the status, and from counting in the recording
 * with rules of its own, not from the reader that is tried.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "podi_base64.h"
#include "podi_comfy.h"
#include "vectors.h"
#include "banned.h"


typedef struct {
    podi_mem_t          *mem;
    podi_str_t           file;
    podi_str_t           path;
    podi_str_t           type;          /* of the answer */
    podi_str_t           body;          /* as a text */
    const json_t        *json;          /* as a value */
    const json_t        *asked;         /* what was sent */
    int                  status;
    const char          *wrong;
    podi_comfy_track_t   track;
} talk_t;


static void
tell(talk_t *t, const char *kind, const char *wrong)
{
    podi_str_t  name;

    if (podi_mem_printf(t->mem, &name, PODI_STR_FMT " " PODI_STR_FMT,
                        podi_str_arg(&t->file), podi_str_arg(&t->path))
        != PODI_OK)
    {
        name = t->file;
    }

    vectors_tell(wrong == NULL, podi_str_c(kind), name,
                 podi_str_c(wrong != NULL ? wrong : ""));
}


/* no path of the server gets out */

static int
is_clean(const podi_str_t *sentence)
{
    char  text[1024];

    (void) snprintf(text, sizeof(text), PODI_STR_FMT, podi_str_arg(sentence));

    return strstr(text, "/comfy") == NULL && strchr(text, '\n') == NULL
           && sentence->len <= 300;
}


static podi_comfy_class_e
class_of(const talk_t *t)
{
    int          lacks;
    char        *message;
    json_t      *errors = json_object_get(t->json, "node_errors");
    podi_str_t   id = podi_json_str(json_object_get(t->json, "prompt_id"));

    switch (t->status) {
    case 200:
        if (id.len == 0) {
            return PODI_COMFY_UNKNOWN;          /* it takes "" for one */
        }

        return json_object_size(errors) ? PODI_COMFY_PARTIAL
                                        : PODI_COMFY_ACCEPTED;
    case 400:
        message = json_dumps(json_object_get(t->json, "error"), 0);
        lacks = message != NULL && strstr(message, " does not exist.") != NULL;
        free(message);

        return lacks ? PODI_COMFY_LACKS : PODI_COMFY_INVALID;
    case 403:
        return PODI_COMFY_DENIED;
    case 413:
        return PODI_COMFY_TOO_LARGE;
    case 405:
    case 500:
        return PODI_COMFY_REFUSED;
    default:
        return PODI_COMFY_UNKNOWN;
    }
}


static const char *
try_prompt(talk_t *t)
{
    podi_str_t           id;
    podi_comfy_answer_t  answer;

    if (podi_comfy_answer(t->status, &t->type, &t->body, t->mem, &answer)
        != PODI_OK)
    {
        return "not read";
    }

    id = podi_json_str(json_object_get(t->asked, "prompt_id"));

    if (answer.class != class_of(t)) {
        return "of another class";
    }

    if (answer.class == PODI_COMFY_ACCEPTED && id.len > 0
        && !podi_str_eq(&id, &answer.prompt_id))
    {
        return "another id";
    }

    if (json_object_size(json_object_get(t->json, "node_errors")) > 0
        && (answer.node.len == 0 || answer.reason.len == 0
            || answer.sentence.len == 0))
    {
        return "it does not say where";
    }

    return is_clean(&answer.sentence) ? NULL : "a path got out";
}


/* the files of an entry, counted in its text */

static size_t
count(const json_t *value, const char *word)
{
    char    *text, *p;
    size_t   n = 0;

    text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    if (text == NULL) {
        return 0;
    }

    for (p = text; (p = strstr(p, word)) != NULL; p++) {
        n++;
    }

    free(text);

    return n;
}


static podi_comfy_end_e
end_of(const json_t *entry)
{
    json_t  *status = json_object_get(entry, "status");

    if (entry == NULL) {
        return PODI_COMFY_ABSENT;
    }

    return count(status, "\"execution_error\"") ? PODI_COMFY_FAILED
           : count(status, "\"execution_interrupted\"")
             ? PODI_COMFY_INTERRUPTED : PODI_COMFY_DONE;
}


static const char *
try_history(talk_t *t)
{
    podi_str_t            id = t->path;
    const json_t         *entry;
    podi_comfy_history_t  history;

    id.data += sizeof("/history/") - 1;
    id.len -= sizeof("/history/") - 1;
    entry = json_object_getn(t->json, (char *) id.data, id.len);

    if (podi_comfy_history(&t->body, &id, t->mem, &history) != PODI_OK) {
        return "not read";
    }

    if (history.end != end_of(entry)) {
        return "another end";
    }

    if (history.files_n != count(json_object_get(entry, "outputs"),
                                 "\"filename\""))
    {
        return "other files";
    }

    if (history.end == PODI_COMFY_FAILED
        && (history.node.len == 0 || history.exception.len == 0
            || history.sentence.len == 0))
    {
        return "it does not say why";
    }

    if (history.oom != (count(entry, "OutOfMemoryError") > 0)) {
        return "short of memory or not";
    }

    return is_clean(&history.sentence) ? NULL : "a path got out";
}


/* the places of those that wait are 0, 1, 2, .. */

static const char *
try_queue(talk_t *t)
{
    size_t              i, n, sum = 0;
    json_t             *pending, *item;
    podi_str_t          id = podi_string("");
    podi_comfy_queue_t  queue;

    pending = json_object_get(t->json, "queue_pending");
    n = json_array_size(pending);

    if (podi_comfy_queue(&t->body, &id, NULL, NULL, t->mem, &queue)
        != PODI_OK || queue.pending != n
        || queue.running != json_array_size(json_object_get(t->json,
                                                            "queue_running"))
        || queue.foreign != queue.pending + queue.running)
    {
        return "not read";
    }

    json_array_foreach(pending, i, item) {
        id = podi_json_str(json_array_get(item, 1));

        if (podi_comfy_queue(&t->body, &id, NULL, NULL, t->mem, &queue)
            != PODI_OK || !queue.waits || queue.before >= n)
        {
            return "it is not found";
        }

        sum += queue.before;
    }

    return sum == n * (n ? n - 1 : 0) / 2 ? NULL : "not in order";
}


static const char *
try_stats(talk_t *t)
{
    podi_comfy_stats_t  stats;

    if (podi_comfy_stats(&t->body, t->mem, &stats) != PODI_OK) {
        return "not read";
    }

    return podi_str_eq_c(&stats.version, "0.3.64") && stats.targeted
           && stats.vram_total > 0 ? NULL : "another server";
}


static const char *
try_remaining(talk_t *t)
{
    unsigned  n;

    return podi_comfy_remaining(&t->body, t->mem, &n) == PODI_OK
           ? NULL : "not read";
}


static const char *
try_info(talk_t *t)
{
    podi_comfy_info_t  info;

    if (podi_comfy_info(&t->body, t->body.len, t->mem, &info) != PODI_OK) {
        return "not read";
    }

    return json_object_size(info.nodes) == json_object_size(t->json)
           && count(info.nodes, "\"SaveImage\":{\"required\":[\"images\","
                                "\"filename_prefix\"]")
              == (json_object_get(t->json, "SaveImage") != NULL)
           ? NULL : "other nodes";
}


/* names that mean another place, which ComfyUI takes, are not ours to use */

static const char *
try_upload(talk_t *t)
{
    int         odd;
    podi_str_t  name;

    odd = count(t->json, "\"type\":\"input\"") == 0 || count(t->json, "..")
          || count(t->json, "/./") || count(t->json, "[output]");

    return odd == (podi_comfy_uploaded(&t->body, t->mem, &name) != PODI_OK)
           ? NULL : "a name or none";
}


static const struct {
    const char   *method;
    const char   *path;
    int           whole;
    const char *(*try)(talk_t *t);
} tries[] = {
    { "POST", "/prompt", 1, try_prompt },
    { "GET", "/history/", 0, try_history },
    { "GET", "/queue", 1, try_queue },
    { "GET", "/prompt", 1, try_remaining },
    { "GET", "/system_stats", 1, try_stats },
    { "GET", "/object_info", 0, try_info },
    { "POST", "/upload/image", 1, try_upload },
};


static void
http(talk_t *t, const json_t *exchange)
{
    size_t      i;
    podi_str_t  method;
    json_t     *request = json_object_get(exchange, "request");
    json_t     *response = json_object_get(exchange, "response");

    t->path = podi_json_str(json_object_get(request, "path"));
    t->asked = json_object_get(request, "body");
    t->status = (int) json_integer_value(json_object_get(response, "status"));
    t->json = json_object_get(response, "body");
    t->type = podi_json_str(json_object_get(json_object_get(response,
                                "headers"), "content-type"));
    t->body = podi_json_str(t->json);
    method = podi_json_str(json_object_get(request, "method"));

    if (!json_is_string(t->json)
        && podi_json_dump(t->json, t->mem, &t->body) != PODI_OK)
    {
        tell(t, "http", "no memory");
        return;
    }

    for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        if (podi_str_eq_c(&method, tries[i].method)
            && (tries[i].whole ? podi_str_eq_c(&t->path, tries[i].path)
                : podi_str_has_prefix(&t->path, tries[i].path))
            && (t->status == 200 || tries[i].try == try_prompt))
        {
            tell(t, tries[i].method, tries[i].try(t));
        }
    }
}


static const char *
try_frame(talk_t *t, const podi_str_t *data, int is_binary)
{
    unsigned            before = t->track.percent;
    podi_comfy_frame_t  frame;

    if (podi_comfy_frame(data, is_binary, t->mem, &frame) != PODI_OK) {
        return "not read";
    }

    if (is_binary && data->data[3] != 3 && frame.type != PODI_COMFY_PREVIEW) {
        return "no picture";
    }

    if (is_binary && data->data[3] == 4
        && (frame.prompt_id.len == 0 || frame.node.len == 0))
    {
        return "of no node";
    }

    if (frame.type == PODI_COMFY_STARTED) {
        memset(&t->track, 0, sizeof(t->track));
        t->track.nodes = 3;
        return NULL;
    }

    (void) podi_comfy_track(&t->track, &frame);

    if (t->track.percent < before || t->track.percent > 99) {
        return "not a percentage that grows";
    }

    if (frame.type == PODI_COMFY_ENDED && frame.prompt_id.len == 0
        && strstr((const char *) data->data, "\"prompt_id\": \"\"") == NULL)
    {
        return "whose end?";
    }

    return NULL;
}


static void
frame_of(talk_t *t, const json_t *exchange)
{
    podi_str_t  text, data;
    json_t     *binary = json_object_get(exchange, "binary");

    text = podi_json_str(json_object_get(exchange, "text"));
    t->path = podi_str_c(binary != NULL ? "binary" : "text");

    if (text.len > 0) {
        tell(t, "frame", try_frame(t, &text, 0));
        return;
    }

    text = podi_json_str(json_object_get(binary, "base64"));

    if (text.len > 0) {
        tell(t, "frame", podi_base64_decode(t->mem, &text, &data) == PODI_OK
                         ? try_frame(t, &data, 1) : "not base64");
    }
}


int
vectors_comfy(const json_t *file, podi_mem_t *mem)
{
    size_t       i;
    talk_t       t;
    json_t      *exchange;
    podi_str_t   format, kind, dir;

    format = podi_json_str(json_object_get(file, "format"));

    if (!podi_str_eq_c(&format, "podi-comfyui-transcript/1")) {
        return -1;
    }

    memset(&t, 0, sizeof(t));
    t.mem = mem;
    t.file = podi_json_str(json_object_get(file, "scenario"));

    json_array_foreach(json_object_get(file, "exchanges"), i, exchange) {
        kind = podi_json_str(json_object_get(exchange, "kind"));
        dir = podi_json_str(json_object_get(exchange, "dir"));

        if (podi_str_eq_c(&kind, "http")
            && json_is_object(json_object_get(exchange, "response")))
        {
            http(&t, exchange);

        } else if (podi_str_eq_c(&kind, "ws") && podi_str_eq_c(&dir, "in")) {
            frame_of(&t, exchange);
        }
    }

    return 0;
}
