/*
 * comfy: whatever a server says is read, with its first byte to say as what.
 *
 * What comes out points into the memory of the reader or the input, has
 * bounds, and is UTF-8 where it is for people.
 */

#include <string.h>

#include "fuzz.h"
#include "podi_comfy.h"
#include "banned.h"


#define ID  "a-1"

const char *const  fuzz_seeds[] = {
    "a{\"prompt_id\":\"a-1\",\"number\":1,\"node_errors\":{\"3\":{\"errors\":"
    "[{\"type\":\"value_not_in_list\",\"message\":\"m /x/y.png\",\"details\":"
    "\"d\",\"extra_info\":{\"input_name\":\"i\",\"received_value\":\"a.ckpt\","
    "\"input_config\":[[\"b.ckpt\"],{}]}}],\"class_type\":\"C\"}}}",
    "b{\"error\":{\"type\":\"invalid_prompt\",\"message\":\"Cannot execute "
    "because node X does not exist.\",\"details\":\"Node ID '#4'\"},"
    "\"node_errors\":{}}",
    "h{\"a-1\":{\"outputs\":{\"9\":{\"images\":[{\"filename\":\"f.png\","
    "\"subfolder\":\"s\",\"type\":\"output\"}]}},\"status\":{\"status_str\":"
    "\"error\",\"messages\":[[\"execution_error\",{\"exception_message\":"
    "\"x '/a b/c.png' \\ud83d\\ude00\\ud800\\u0000\",\"exception_type\":"
    "\"torch.OutOfMemoryError\",\"node_id\":\"2\"}]]}}}",
    "q{\"queue_running\":[[1,\"b\",{}]],\"queue_pending\":[[-2.5,\"a-1\",{}],"
    "[3,\"c\",{}]]}",
    "s{\"system\":{\"comfyui_version\":\"0.3.64-1-g0\"},\"devices\":[{"
    "\"vram_total\":18446744073709551615,\"vram_free\":-Infinity}]}",
    "i{\"K\":{\"input\":{\"required\":{\"a\":[\"INT\",{\"max\":NaN}],"
    "\"ckpt_name\":[[\"b.ckpt\"]]},\"optional\":{\"c\":[\"COMBO\",{\"options\":"
    "[\"d.pth\"]}]}}}}",
    "u{\"name\":\"a.png\",\"subfolder\":\"podi/x\",\"type\":\"input\"}",
    "f{\"type\":\"progress_state\",\"data\":{\"prompt_id\":\"p\",\"nodes\":{"
    "\"1\":{\"value\":1.0,\"max\":2,\"state\":\"running\"}}}}",
    "f{\"type\":\"executing\",\"data\":{\"node\":null,\"prompt_id\":\"p\"}}",
    "wxxxxxxxx{\"node_id\":\"2\"}", NULL
};

const char *const  fuzz_words[] = {
    "\\u0000", "\\ud800", "\\udc00", "NaN", "-Infinity", "1e999",
    "99999999999999999999", "node ", " does not exist", "/", "C:\\",
    "http://", "'", "null", "[]", "{}", ".ckpt", "..", "\n", NULL
};


static void
within(const podi_str_t *in, const podi_str_t *part)
{
    if (part->len > 0) {
        fuzz_assert(part->data >= in->data
                    && part->data + part->len <= in->data + in->len);
    }
}


static void
answer(int status, const podi_str_t *body)
{
    podi_str_t           type = podi_string("application/json");
    podi_comfy_answer_t  a;

    fuzz_assert(podi_comfy_answer(status, &type, body, fuzz_mem(), &a)
                == PODI_OK);
    fuzz_assert(a.sentence.len <= 300 && podi_str_is_utf8(&a.sentence));
    fuzz_assert(a.class != PODI_COMFY_ACCEPTED || a.prompt_id.len > 0);
    fuzz_assert(status == 200 || a.class == PODI_COMFY_INVALID
                || a.class == PODI_COMFY_LACKS);
}


static void
history(const podi_str_t *body)
{
    size_t                i;
    podi_str_t            path, id = podi_string(ID);
    podi_comfy_history_t  h;

    if (podi_comfy_history(body, &id, fuzz_mem(), &h) != PODI_OK) {
        return;
    }

    fuzz_assert(h.sentence.len <= 300 && podi_str_is_utf8(&h.sentence));
    fuzz_assert(h.end != PODI_COMFY_ABSENT || h.files_n == 0);

    for (i = 0; i < h.files_n; i++) {
        fuzz_assert(podi_comfy_view(&h.files[i], fuzz_mem(), &path)
                    == PODI_OK);
    }
}


static void
queue(const podi_str_t *body)
{
    podi_str_t          id = podi_string(ID);
    podi_comfy_queue_t  q;

    if (podi_comfy_queue(body, &id, NULL, NULL, fuzz_mem(), &q) == PODI_OK) {
        fuzz_assert(q.foreign == q.running + q.pending);
        fuzz_assert(!q.waits || q.before < q.pending);
    }
}


static void
stats(const podi_str_t *body)
{
    podi_comfy_stats_t  s;

    if (podi_comfy_stats(body, fuzz_mem(), &s) == PODI_OK) {
        fuzz_assert(s.vram_free >= 0 && s.vram_free <= s.vram_total);
    }
}


static void
frame(const podi_str_t *data, int is_binary)
{
    podi_comfy_frame_t  f;
    podi_comfy_track_t  track = { .nodes = 2 };

    if (podi_comfy_frame(data, is_binary, fuzz_mem(), &f) != PODI_OK) {
        return;
    }

    fuzz_assert(f.type != PODI_COMFY_PREVIEW || f.image.len > 3);
    within(data, &f.image);
    (void) podi_comfy_track(&track, &f);
    fuzz_assert(track.percent <= 99);
}


static void
info(const podi_str_t *body)
{
    podi_str_t         name;
    podi_comfy_info_t  i;

    if (podi_comfy_info(body, body->len, fuzz_mem(), &i) == PODI_OK) {
        fuzz_assert(json_is_object(i.nodes) && json_is_object(i.models));
        (void) podi_comfy_lacks(i.nodes, i.nodes, i.models, &name);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    podi_str_t  s, name;

    if (size == 0) {
        return 0;
    }

    s = fuzz_str(data, size);
    s.data++;
    s.len--;

    switch (data[0]) {
    case 'a': answer(200, &s); break;
    case 'b': answer(400, &s); break;
    case 'h': history(&s); break;
    case 'q': queue(&s); break;
    case 's': stats(&s); break;
    case 'i': info(&s); break;
    case 'f': frame(&s, 0); break;

    case 'u':
        if (podi_comfy_uploaded(&s, fuzz_mem(), &name) == PODI_OK) {
            fuzz_assert(name.data[0] != '.' && name.data[0] != '/');
        }
        break;

    default:
        frame(&s, 1);
    }

    return 0;
}
