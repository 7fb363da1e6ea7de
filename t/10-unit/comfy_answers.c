/*
 * podi_comfy: what a server says, hostile servers included.
 */

#include "tap.h"
#include "podi_comfy.h"
#include "banned.h"


#define ID    "018f0000-0000-7000-8000-000000000001"
#define JSON  "application/json; charset=utf-8"


static podi_mem_t  *mem;


static const struct {
    int                  status;
    const char          *type;
    const char          *body;
    podi_comfy_class_e   class;
    const char          *node;
    const char          *input;
    const char          *sentence;
} answers[] = {
    { 200, JSON, "{\"prompt_id\":\"" ID "\",\"number\":3,\"node_errors\":{}}",
      PODI_COMFY_ACCEPTED, "", "", "" },
    { 200, JSON, "{\"prompt_id\":\"" ID "\",\"number\":-2.5,\"node_errors\":{"
      "\"3\":{\"errors\":[{\"type\":\"required_input_missing\",\"message\":"
      "\"Required input is missing\",\"details\":\"images\",\"extra_info\":{"
      "\"input_name\":\"images\"}}],\"class_type\":\"SaveImage\"}}}",
      PODI_COMFY_PARTIAL, "3", "images", "Required input is missing: images" },
    { 200, JSON, "{\"number\":3}", PODI_COMFY_UNKNOWN, "", "", "" },
    { 200, "text/html", "<html>login</html>", PODI_COMFY_UNKNOWN,
      "", "", "" },
    { 200, JSON, "", PODI_COMFY_UNKNOWN, "", "", "" },
    { 400, JSON, "{\"error\":{\"type\":\"invalid_prompt\",\"message\":"
      "\"Cannot execute because node Foo does not exist.\",\"details\":"
      "\"Node ID '#4'\"},\"node_errors\":{}}",
      PODI_COMFY_LACKS, "4", "",
      "Cannot execute because node Foo does not exist." },
    { 400, JSON, "{\"error\":{\"type\":\"missing_node_type\",\"message\":"
      "\"Node 'Foo' not found.\",\"details\":\"\",\"extra_info\":{\"node_id\":"
      "\"4\",\"class_type\":\"Foo\"}},\"node_errors\":{}}",
      PODI_COMFY_LACKS, "4", "", "Node 'Foo' not found." },
    { 400, JSON, "{\"error\":{\"type\":\"prompt_no_outputs\",\"message\":"
      "\"Prompt has no outputs\"},\"node_errors\":{}}",
      PODI_COMFY_INVALID, "", "", "Prompt has no outputs" },
    { 400, JSON, "{\"error\":{\"type\":\"invalid_prompt\",\"message\":"
      "\"node  does not exist\"},\"node_errors\":{}}",
      PODI_COMFY_INVALID, "", "", "node  does not exist" },
    { 400, JSON, "{\"node_errors\":{\"3\":{\"errors\":[{\"type\":"
      "\"value_not_in_list\",\"message\":\"Value not in list\",\"extra_info\":"
      "{\"input_name\":\"ckpt_name\",\"received_value\":\"a.safetensors\","
      "\"input_config\":[[],{}]}}]}}}",
      PODI_COMFY_LACKS, "3", "ckpt_name", "Value not in list" },
    { 400, JSON, "{\"node_errors\":{\"3\":{\"errors\":[{\"type\":"
      "\"value_not_in_list\",\"message\":\"m\",\"extra_info\":{\"input_name\":"
      "\"lora\",\"received_value\":\"x\",\"input_config\":[\"COMBO\","
      "{\"options\":[\"a.ckpt\"]}]}}]}}}",
      PODI_COMFY_LACKS, "3", "lora", "m" },
    { 400, JSON, "{\"node_errors\":{\"3\":{\"errors\":[{\"type\":"
      "\"value_not_in_list\",\"message\":\"m\",\"extra_info\":{\"input_name\":"
      "\"mode\",\"received_value\":\"x\",\"input_config\":[[\"a\"],{}]}}]}}}",
      PODI_COMFY_INVALID, "3", "mode", "m" },
    { 400, JSON, "{\"node_errors\":{\"3\":{\"errors\":[{\"type\":"
      "\"value_not_in_list\",\"message\":\"m\",\"extra_info\":{"
      "\"received_value\":\"a.ckpt\"}},{\"type\":\"value_bigger_than_max\","
      "\"message\":\"Value 9 bigger than max of 8\",\"details\":\"width\","
      "\"extra_info\":{\"input_name\":\"width\"}}]}}}",
      PODI_COMFY_INVALID, "3", "width",
      "Value 9 bigger than max of 8: width" },
    { 400, JSON, "{\"error\":\"no\"}", PODI_COMFY_INVALID, "", "", "no" },
    { 400, JSON, "[]", PODI_COMFY_INVALID, "", "", "" },
    { 400, JSON, "{\"error\":[],\"node_errors\":{\"1\":5,\"2\":{\"errors\":"
      "[7]}}}", PODI_COMFY_INVALID, "2", "", "" },
    { 400, "text/html", "<h1>", PODI_COMFY_INVALID, "", "", "" },
    { 401, JSON, "{}", PODI_COMFY_DENIED, "", "", "" },
    { 403, "", "", PODI_COMFY_DENIED, "", "", "" },
    { 404, "text/plain", "404: Not Found", PODI_COMFY_BUSY, "", "", "" },
    { 405, "text/html", "", PODI_COMFY_BUSY, "", "", "" },
    { 413, "text/plain", "", PODI_COMFY_TOO_LARGE, "", "", "" },
    { 429, "", "", PODI_COMFY_BUSY, "", "", "" },
    { 500, "text/plain; charset=utf-8", "500 Internal Server Error",
      PODI_COMFY_REFUSED, "", "", "" },
    { 500, "text/html", "", PODI_COMFY_UNKNOWN, "", "", "" },
    { 502, "text/html", "", PODI_COMFY_UNKNOWN, "", "", "" },
    { 503, "text/html", "", PODI_COMFY_BUSY, "", "", "" },
    { 302, "", "", PODI_COMFY_UNKNOWN, "", "", "" },
    { 0, "", "", PODI_COMFY_UNKNOWN, "", "", "" },
};


static void
test_answers(void)
{
    size_t               i;
    podi_str_t           type, body;
    podi_comfy_answer_t  answer;

    for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        type = podi_str_c(answers[i].type);
        body = podi_str_c(answers[i].body);

        ok(podi_comfy_answer(answers[i].status, &type, &body, mem, &answer)
           == PODI_OK, "%d %.60s", answers[i].status, answers[i].body);
        is_int(answer.class, answers[i].class, "is of its class");
        is_str(answer.node, answers[i].node, "the node");
        is_str(answer.input, answers[i].input, "the input");
        is_str(answer.sentence, answers[i].sentence, "the sentence");
    }
}


static const struct {
    const char        *status;      /* and what else is in the entry */
    podi_comfy_end_e   end;
    int                oom;
    const char        *sentence;
} ends[] = {
    { "{\"status_str\":\"success\",\"messages\":[]}", PODI_COMFY_DONE, 0, "" },
    { "{\"status_str\":\"error\",\"messages\":[]}", PODI_COMFY_FAILED, 0, "" },
    { "null", PODI_COMFY_DONE, 0, "" },
    { "{\"status_str\":\"error\",\"messages\":[["
      "\"execution_interrupted\",{}]]}",
      PODI_COMFY_INTERRUPTED, 0, "" },
    { "{\"status_str\":\"success\",\"messages\":[[\"execution_error\","
      "{\"exception_message\":\"boom\\n\\tat /x\"}],"
      "[\"execution_interrupted\",{}]]}", PODI_COMFY_FAILED, 0, "boom" },
    { "{\"messages\":[[\"execution_interrupted\",{}],[\"execution_error\","
      "{\"exception_message\":\"\\n\\n cannot open '/srv/my files/in.png' or "
      "C:\\\\comfy\\\\x.png, see https://h/x?token=1 \\u0000\\ud800\"}]]}",
      PODI_COMFY_FAILED, 0,
      "cannot open 'in.png' or x.png, see ...  \xef\xbf\xbd" },
    { "{\"messages\":[[\"execution_error\",{\"exception_type\":"
      "\"torch.cuda.OutOfMemoryError\",\"exception_message\":\"x\"}]]}",
      PODI_COMFY_FAILED, 1, "x" },
    { "{\"messages\":[[\"execution_error\",{\"exception_type\":"
      "\"RuntimeError\","
      "\"exception_message\":\"CUDA error: out of memory\"}]]}",
      PODI_COMFY_FAILED, 1, "CUDA error: out of memory" },
    { "{\"messages\":[7,[],[\"execution_error\"],[\"execution_error\",8]]}",
      PODI_COMFY_FAILED, 0, "" },
};


static void
test_history(void)
{
    size_t                i;
    podi_str_t            body, id = podi_string(ID);
    podi_comfy_history_t  h;

    for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        body = text_of(mem, "{\"" ID "\":{\"status\":%s}}", ends[i].status);

        ok(podi_comfy_history(&body, &id, mem, &h) == PODI_OK, "%s",
           ends[i].status);
        is_int(h.end, ends[i].end, "how it ended");
        is_int(h.oom, ends[i].oom, "short of memory");
        is_str(h.sentence, ends[i].sentence, "the sentence");
    }

    body = str("{}");
    ok(podi_comfy_history(&body, &id, mem, &h) == PODI_OK
       && h.end == PODI_COMFY_ABSENT, "one that is not there");

    body = str("{\"other\":{\"status\":{\"status_str\":\"success\"}}}");
    ok(podi_comfy_history(&body, &id, mem, &h) == PODI_OK
       && h.end == PODI_COMFY_ABSENT, "another's is not ours");

    body = str("<html>");
    ok(podi_comfy_history(&body, &id, mem, &h) == PODI_ERROR, "no JSON");
    body = str("[]");
    ok(podi_comfy_history(&body, &id, mem, &h) == PODI_ERROR, "no object");
    body = str("{\"" ID "\":1}");
    ok(podi_comfy_history(&body, &id, mem, &h) == PODI_ERROR, "no entry");
}


static void
test_files(void)
{
    podi_buf_t             b;
    unsigned               i;
    podi_str_t             body, path, id = podi_string(ID);
    podi_comfy_file_t      odd;
    json_t                *mapping;
    podi_comfy_history_t   h;

    body = str("{\"" ID "\":{\"outputs\":{\"9\":{\"images\":[{\"filename\":"
               "\"a b&.png\",\"subfolder\":\"podi/x\",\"type\":\"output\"},{},"
               "5,{\"filename\":7,\"type\":\"output\"}],"
               "\"gifs\":[{\"filename\":\"a b&.png\",\"subfolder\":"
               "\"podi/x\",\"type\":\"output\"},"
               "{\"filename\":\"v.mp4\",\"subfolder\":\"\","
               "\"type\":\"temp\"}],"
               "\"text\":[\"hello\"],\"animated\":[true]},"
               "\"5\":{\"audio\":[{\"filename\":\"s.flac\","
               "\"type\":\"output\"}]}}}}");

    ok(podi_comfy_history(&body, &id, mem, &h) == PODI_OK, "outputs");
    is_int((long long) h.files_n, 3, "files of every kind, each once");
    is_str(h.files[1].kind, "gifs", "with what they are called");

    ok(podi_comfy_view(&h.files[0], mem, &path) == PODI_OK, "a way to it");
    is_str(path, "/view?filename=a%20b%26.png&subfolder=podi%2Fx&type=output",
           "names are encoded");

    mapping = json_pack("{s:[{s:s}]}", "outputs", "node", "9");
    ok(podi_comfy_wants(mapping, &h.files[0]), "an output is wanted");
    ok(!podi_comfy_wants(mapping, &h.files[1]), "a preview is not");
    ok(!podi_comfy_wants(mapping, &h.files[2]), "nor what nobody asked for");
    json_object_set_new(mapping, "keep_temp", json_true());
    ok(podi_comfy_wants(mapping, &h.files[1]), "unless it is asked for");
    odd = h.files[0];
    odd.type = str("input");
    ok(!podi_comfy_wants(mapping, &odd), "what came in never goes out");
    json_decref(mapping);

    podi_buf_init(&b, mem);
    podi_buf_add_c(&b, "{\"" ID "\":{\"outputs\":{\"9\":{\"images\":[");
    for (i = 0; i <= PODI_COMFY_FILES_MAX; i++) {
        podi_buf_printf(&b, "%s{\"filename\":\"%u\",\"type\":\"output\"}",
                        i ? "," : "", i);
    }
    podi_buf_add_c(&b, "]}}}}");
    ok(podi_buf_take(&b, &body) == PODI_OK
       && podi_comfy_history(&body, &id, mem, &h) == PODI_OK
       && h.files_n == PODI_COMFY_FILES_MAX && h.more,
       "more files than anybody wants are left out, and that is said");
}


static int
is_ours(void *data, const podi_str_t *id)
{
    (void) data;

    return podi_str_has_prefix(id, "ours");
}


/* a stranger's graph that no parser takes hides nothing */

static void
test_queue_deep(void)
{
    unsigned            i;
    podi_buf_t          b;
    podi_str_t          body, id = str("b");
    podi_comfy_queue_t  q;

    podi_buf_init(&b, mem);
    podi_buf_add_c(&b, "{\"queue_running\":[[1,\"a\",");

    for (i = 0; i < 6000; i++) {
        podi_buf_add_byte(&b, i < 3000 ? '[' : ']');
    }

    podi_buf_add_c(&b, "]],\"queue_pending\":[[2,\"b\",{}]]}");

    ok(podi_buf_take(&b, &body) == PODI_OK
       && podi_comfy_queue(&body, &id, NULL, NULL, mem, &q) == PODI_OK
       && q.waits && q.running == 1, "however deep another's graph is");
}


static void
test_queue(void)
{
    unsigned            n;
    podi_str_t          body, id;
    podi_comfy_queue_t  q;

    body = str("{\"queue_running\":[[7,\"other\",{},{},[]]],\"queue_pending\":["
               "[-100.5,\"first\",{}],[3,\"ours3\",{}],[-4,\"second\",{}],"
               "[2,\"ours2\",{}],5,[]]}");

    id = str("ours3");
    ok(podi_comfy_queue(&body, &id, is_ours, NULL, mem, &q) == PODI_OK,
       "a queue");
    ok(q.waits && !q.runs, "it waits");
    is_int(q.before, 3, "behind those of lower numbers");
    is_int(q.ours, 2, "ours");
    is_int(q.foreign, 5, "and all others");

    id = str("other");
    ok(podi_comfy_queue(&body, &id, NULL, NULL, mem, &q) == PODI_OK
       && q.runs && !q.waits && q.ours == 0 && q.foreign == 7,
       "one that runs");

    id = str("");
    ok(podi_comfy_queue(&body, &id, NULL, NULL, mem, &q) == PODI_OK
       && !q.runs && !q.waits, "no id is nobody's");

    body = str("{\"queue_running\":[[1,\"a]\\\"}\","
               "{\"t\":\"]\\\\\\\"}[\",\"n\":NaN}]],\"queue_pending\":"
               "[[2,\"b\",{\"x\":[[{\"y\":[]}]]},{},[\"9\"]]]}");
    id = str("b");
    ok(podi_comfy_queue(&body, &id, NULL, NULL, mem, &q) == PODI_OK
       && q.waits && q.running == 1 && q.pending == 1 && q.before == 0,
       "brackets in texts are none");
    id = str("a]\"}");
    ok(podi_comfy_queue(&body, &id, NULL, NULL, mem, &q) == PODI_OK && q.runs,
       "nor in its own id");
    test_queue_deep();

    body = str("{\"queue_running\":[[1,\"a\",{]],\"queue_pending\":[]}");
    ok(podi_comfy_queue(&body, &id, NULL, NULL, mem, &q) == PODI_ERROR,
       "one that does not end");
    body = str("]}{\"queue_running\":[],\"queue_pending\":[]}");
    ok(podi_comfy_queue(&body, &id, NULL, NULL, mem, &q) == PODI_ERROR,
       "nor begin");
    body = str("{\"queue_running\":[[1,\"a\\");
    ok(podi_comfy_queue(&body, &id, NULL, NULL, mem, &q) == PODI_ERROR,
       "cut in a text");

    body = str("{\"queue_running\":[]}");
    ok(podi_comfy_queue(&body, &id, NULL, NULL, mem, &q) == PODI_ERROR,
       "half a queue is none");
    body = str("");
    ok(podi_comfy_queue(&body, &id, NULL, NULL, mem, &q) == PODI_ERROR,
       "nothing is none");

    body = str("{\"exec_info\":{\"queue_remaining\":4}}");
    ok(podi_comfy_remaining(&body, mem, &n) == PODI_OK && n == 4, "so many");
    body = str("{\"exec_info\":{\"queue_remaining\":-1}}");
    ok(podi_comfy_remaining(&body, mem, &n) == PODI_ERROR, "no number");
    body = str("{\"exec_info\":{}}");
    ok(podi_comfy_remaining(&body, mem, &n) == PODI_ERROR, "none at all");
}


static void
test_stats(void)
{
    size_t               i;
    podi_str_t           body, version;
    podi_comfy_stats_t   stats;

    static const char *const  with[] = {
        "0.3.60", "0.3.64", "v0.3.64", "0.3.64-12-gabc12f", "0.4.0", "0.33.1",
        "1.0.0"
    };
    static const char *const  without[] = {
        "", "0.3.59", "0.3", "0.2.99", "abc", "0.3.x", "-1.9.9", "v"
    };

    for (i = 0; i < sizeof(with) / sizeof(with[0]); i++) {
        version = podi_str_c(with[i]);
        ok(podi_comfy_is_targeted(&version), "%s aims", with[i]);
    }

    for (i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
        version = podi_str_c(without[i]);
        ok(!podi_comfy_is_targeted(&version), "\"%s\" may not", without[i]);
    }

    body = str("{\"system\":{\"comfyui_version\":\"0.3.64\"},\"devices\":["
               "{\"vram_total\":8,\"vram_free\":3},{\"vram_total\":24,"
               "\"vram_free\":20},{\"vram_total\":99,\"vram_free\":100},5]}");
    ok(podi_comfy_stats(&body, mem, &stats) == PODI_OK, "a system");
    is_str(stats.version, "0.3.64", "its version");
    ok(stats.vram_total == 24 && stats.vram_free == 20 && stats.targeted,
       "its largest device that makes sense");
    body = str("{\"status\":\"ok\"}");
    ok(podi_comfy_stats(&body, mem, &stats) == PODI_ERROR, "no system");
}


static podi_rc_t
frame_of(const char *text, podi_comfy_frame_t *frame)
{
    podi_str_t  s = podi_str_c(text);

    return podi_comfy_frame(&s, 0, mem, frame);
}


static void
test_track(void)
{
    size_t              i;
    podi_comfy_frame_t  frame;
    podi_comfy_track_t  track;

    static const struct {
        const char  *text;
        unsigned     percent;
        int          changed;
    } steps[] = {
        { "{\"type\":\"status\",\"data\":{}}", 0, 0 },
        { "{\"type\":\"execution_start\",\"data\":{}}", 0, 0 },
        { "{\"type\":\"execution_cached\",\"data\":{\"nodes\":[\"1\"]}}",
          25, 1 },
        { "{\"type\":\"executing\",\"data\":{\"node\":\"2\"}}", 25, 1 },
        { "{\"type\":\"progress\",\"data\":{\"node\":\"2\",\"value\":5,"
          "\"max\":10}}", 37, 1 },
        { "{\"type\":\"progress\",\"data\":{\"node\":\"2\",\"value\":1,"
          "\"max\":10}}", 37, 0 },
        { "{\"type\":\"progress_state\",\"data\":{\"nodes\":{\"2\":{\"value\":"
          "1.0,\"max\":1.0,\"state\":\"finished\"},\"3\":{\"value\":1,\"max\":"
          "4,\"state\":\"running\"}}}}", 56, 1 },
        { "{\"type\":\"progress\",\"data\":{\"node\":\"3\",\"value\":1,"
          "\"max\":0}}", 56, 0 },
        { "{\"type\":\"progress\",\"data\":{\"node\":\"3\",\"value\":1e9,"
          "\"max\":1}}", 75, 1 },
        { "{\"type\":\"executing\",\"data\":{\"node\":\"4\"}}", 75, 1 },
        { "{\"type\":\"executing\",\"data\":{\"node\":\"5\"}}", 99, 1 },
        { "{\"type\":\"executing\",\"data\":{\"node\":null}}", 99, 0 },
        { "{\"type\":\"nonsense\",\"data\":[1]}", 99, 0 },
    };

    memset(&track, 0, sizeof(track));
    track.nodes = 4;

    for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        ok(frame_of(steps[i].text, &frame) == PODI_OK
           && podi_comfy_track(&track, &frame) == steps[i].changed,
           "%s", steps[i].text);
        is_int(track.percent, steps[i].percent, "so far");
    }

    ok(frame_of("{\"type\":\"executing\",\"data\":{\"node\":null,"
                "\"prompt_id\":\"x\"}}", &frame) == PODI_OK
       && frame.type == PODI_COMFY_ENDED, "no node any more: it ended");
    ok(frame_of("{\"type\":\"status\",\"data\":{\"status\":{\"exec_info\":{"
                "\"queue_remaining\":3}}}}", &frame) == PODI_OK
       && frame.type == PODI_COMFY_STATUS && frame.remaining == 3,
       "how much there is");
    ok(frame_of("nonsense", &frame) == PODI_ERROR, "no JSON");

    memset(&track, 0, sizeof(track));
    ok(frame_of("{\"type\":\"execution_cached\",\"data\":{\"nodes\":[1]}}",
                &frame) == PODI_OK && !podi_comfy_track(&track, &frame)
       && track.percent == 0, "no nodes, no share of them");
}


static void
test_steps(void)
{
    size_t              i;
    podi_comfy_frame_t  frame;
    podi_comfy_track_t  track;

    static const struct {
        const char  *node, *value, *max;
        unsigned     step, steps;
        int          changed;
    } cases[] = {
        { "2", "1",   "20",   1, 20, 1 },
        { "2", "1",   "20",   1, 20, 0 },
        { "2", "19",  "20",  19, 20, 1 },
        { "2", "3",   "20",  19, 20, 0 },       /* late */
        { "2", "1e9", "20",  20, 20, 1 },
        { "2", "1",   "20",   1, 20, 1 },       /* once more from the begin */
        { "2", "1",   "4",    1, 4,  1 },
        { "2", "-7",  "1e99", 1, 4,  0 },
        { "2", "1",   "1",    1, 4,  0 },
        { "3", "1",   "1",    0, 0,  1 },
        { "3", "2",   "8",    2, 8,  1 },
    };

    memset(&track, 0, sizeof(track));
    track.nodes = 4;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char  text[200];

        (void) snprintf(text, sizeof(text), "{\"type\":\"progress\",\"data\":"
                        "{\"node\":\"%s\",\"value\":%s,\"max\":%s}}",
                        cases[i].node, cases[i].value, cases[i].max);
        ok(frame_of(text, &frame) == PODI_OK
           && podi_comfy_track(&track, &frame) == cases[i].changed, "%s",
           text);
        ok(track.step == cases[i].step && track.steps == cases[i].steps,
           "%u of %u", track.step, track.steps);
    }

    ok(frame_of("{\"type\":\"execution_start\",\"data\":{}}", &frame)
       == PODI_OK && !podi_comfy_track(&track, &frame)
       && track.steps == 0 && track.node[0] == '\0' && track.percent > 0,
       "another begin, but what was told stays told");
}


static void
test_node(void)
{
    json_t             *graph;
    podi_comfy_node_t   node;

    graph = json_loads("{\"7\":{\"class_type\":\"A\",\"_meta\":{\"title\":"
                       "\"t\"}},\"7:2\":{\"class_type\":\"B\"}}", 0, NULL);

    ok(podi_comfy_node(graph, "7", &node) && podi_str_eq_c(&node.id, "7")
       && podi_str_eq_c(&node.class_type, "A")
       && podi_str_eq_c(&node.title, "t"), "a node");
    ok(podi_comfy_node(graph, "7:2", &node)
       && podi_str_eq_c(&node.class_type, "B") && node.title.len == 0,
       "without a title");
    ok(podi_comfy_node(graph, "7.0.2", &node)
       && podi_str_eq_c(&node.id, "7"), "one that was made from another");
    ok(!podi_comfy_node(graph, "8.7", &node)
       && !podi_comfy_node(graph, "", &node)
       && !podi_comfy_node(graph, ".7", &node), "none");
    ok(!podi_comfy_node(graph, "7.00000000000000000000000000000000000000000"
                        "0000000000000000000000000000000000", &node),
       "nor one with a long name");

    json_decref(graph);
}


static void
test_binary(void)
{
    size_t              i;
    podi_str_t          s;
    podi_comfy_frame_t  frame;

#define PIC  "\xff\xd8\xff\xe0pic"

    static const struct {
        podi_str_t   data;
        int          rc;
        const char  *type;
        const char  *node;
    } cases[] = {
        { podi_string("\0\0\0\1\0\0\0\1" PIC), PODI_OK, "image/jpeg", "" },
        { podi_string("\0\0\0\1\0\0\0\2\x89PNG\r\n\x1a\nxyz"), PODI_OK,
          "image/png", "" },
        { podi_string("\0\0\0\1\0\0\0\1<script>"), PODI_OK, NULL, "" },
        { podi_string("\0\0\0\1\0\0\0\1"), PODI_OK, NULL, "" },
        { podi_string("\0\0\0\1\0\0\0"), PODI_ERROR, NULL, "" },
        { podi_string(""), PODI_ERROR, NULL, "" },
        { podi_string("\0\0\0\3\xff\xff\xff\xff" "x"), PODI_OK, NULL, "" },
        { podi_string("\0\0\0\4\0\0\0\15{\"node_id\":4}" PIC), PODI_OK,
          "image/jpeg", "" },
        { podi_string("\0\0\0\4\0\0\0\17{\"node_id\":\"4\"}" PIC), PODI_OK,
          "image/jpeg", "4" },
        { podi_string("\0\0\0\4\0\0\0\20{\"node_id\":\"4\"}"), PODI_ERROR,
          NULL, "" },
        { podi_string("\0\0\0\4\xff\xff\xff\xff{}" PIC), PODI_ERROR, NULL,
          "" },
        { podi_string("\0\0\0\4\0\0\0\0" PIC), PODI_ERROR, NULL, "" },
        { podi_string("\xff\xff\xff\xff\0\0\0\1" PIC), PODI_OK, NULL, "" },
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memset(&frame, 0, sizeof(frame));
        s = cases[i].data;

        is_int(podi_comfy_frame(&s, 1, mem, &frame), cases[i].rc,
               "a binary frame");
        ok(cases[i].type == NULL ? frame.type != PODI_COMFY_PREVIEW
           : frame.type == PODI_COMFY_PREVIEW
             && strcmp(frame.image_type, cases[i].type) == 0
             && frame.image.data + frame.image.len == s.data + s.len,
           "its picture, by its first bytes");
        is_str(frame.node, cases[i].node, "its node");
    }
}


int
main(void)
{
    podi_arena_t  *arena = podi_arena_create();

    mem = podi_arena_mem(arena);

    test_answers();
    test_history();
    test_files();
    test_queue();
    test_stats();
    test_track();
    test_steps();
    test_node();
    test_binary();

    podi_arena_free(&arena);

    return tap_done();
}
