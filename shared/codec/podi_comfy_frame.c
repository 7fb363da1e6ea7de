/*
 * podi_comfy_frame: what the socket tells, and how far a prompt is by that.
 *
 *     text      {"type": .., "data": {..}}
 *     binary    u32 1 | u32 1: JPEG, 2: PNG | picture
 *               u32 3 | u32 length | id of a node | text
 *               u32 4 | u32 length | JSON | picture
 *
 * A server may leave frames out, repeat them and mix those of others in:
 * nothing is decided by them.
 */

#include <string.h>

#include "podi_comfy_int.h"
#include "banned.h"


#define PODI_COMFY_FRAME_MAX  (8 * 1024 * 1024)
#define PODI_COMFY_STEPS_MAX  1000000


static void podi_comfy_text(const json_t *json, podi_comfy_frame_t *frame);
static void podi_comfy_state(const json_t *nodes, podi_comfy_frame_t *frame);
static double podi_comfy_share(const json_t *of);
static void podi_comfy_steps(const json_t *of, podi_comfy_frame_t *frame);
static podi_rc_t podi_comfy_binary(const podi_str_t *data, podi_mem_t *mem,
    podi_comfy_frame_t *frame);
static void podi_comfy_image(const podi_str_t *rest,
    podi_comfy_frame_t *frame);
static uint32_t podi_comfy_u32(podi_str_t *rest);
static void podi_comfy_track_node(podi_comfy_track_t *track,
    const podi_str_t *node);
static void podi_comfy_track_step(podi_comfy_track_t *track,
    const podi_comfy_frame_t *frame);


podi_rc_t
podi_comfy_frame(const podi_str_t *data, int is_binary, podi_mem_t *mem,
    podi_comfy_frame_t *ret_frame)
{
    json_t              *json;
    podi_comfy_frame_t   frame;

    memset(&frame, 0, sizeof(frame));

    if (is_binary) {
        if (podi_comfy_binary(data, mem, &frame) != PODI_OK) {
            return PODI_ERROR;
        }

    } else {
        if (podi_comfy_parse(data, PODI_COMFY_FRAME_MAX, mem, &json)
            != PODI_OK)
        {
            return PODI_ERROR;
        }

        podi_comfy_text(json, &frame);
    }

    *ret_frame = frame;

    return PODI_OK;
}


static void
podi_comfy_text(const json_t *json, podi_comfy_frame_t *frame)
{
    size_t        i;
    double        n;
    json_t       *data = json_object_get(json, "data");
    podi_str_t    type = podi_json_str(json_object_get(json, "type"));

    static const struct {
        const char          *word;
        podi_comfy_frame_e   type;
    } types[] = {
        { "status", PODI_COMFY_STATUS },
        { "execution_start", PODI_COMFY_STARTED },
        { "execution_cached", PODI_COMFY_CACHED },
        { "progress_state", PODI_COMFY_STATE },
        { "executing", PODI_COMFY_NODE },
        { "progress", PODI_COMFY_STEP },
        { "execution_success", PODI_COMFY_ENDED },
        { "execution_error", PODI_COMFY_ENDED },
        { "execution_interrupted", PODI_COMFY_ENDED }
    };

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (podi_str_eq_c(&type, types[i].word)) {
            frame->type = types[i].type;
        }
    }

    frame->prompt_id = podi_json_str(json_object_get(data, "prompt_id"));
    frame->node = podi_json_str(json_object_get(data, "node"));
    frame->share = podi_comfy_share(data);
    podi_comfy_steps(data, frame);
    frame->count = (unsigned) json_array_size(json_object_get(data, "nodes"));

    if (frame->type == PODI_COMFY_STATE) {
        podi_comfy_state(json_object_get(data, "nodes"), frame);
    }

    if (frame->type == PODI_COMFY_NODE && frame->node.len == 0) {
        frame->type = PODI_COMFY_ENDED;
    }

    if (frame->type == PODI_COMFY_STATUS) {
        n = json_number_value(json_object_get(json_object_get(
                json_object_get(data, "status"), "exec_info"),
                "queue_remaining"));
        frame->remaining = n > 0 && n < 1e9 ? (unsigned) n : 0;
    }
}


static void
podi_comfy_state(const json_t *nodes, podi_comfy_frame_t *frame)
{
    json_t      *node;
    podi_str_t   state;
    const char  *id;

    frame->share = 0;

    json_object_foreach((json_t *) nodes, id, node) {
        state = podi_json_str(json_object_get(node, "state"));

        if (podi_str_eq_c(&state, "finished")) {
            frame->share += 1;

        } else {
            frame->share += podi_comfy_share(node);
        }

        if (podi_str_eq_c(&state, "running")) {
            frame->node = podi_str_c(id);
            podi_comfy_steps(node, frame);
        }
    }
}


/* value / max, between 0 and 1 */

static double
podi_comfy_share(const json_t *of)
{
    double  value, max;

    value = json_number_value(json_object_get(of, "value"));
    max = json_number_value(json_object_get(of, "max"));

    if (!(max > 0) || !(value > 0)) {
        return 0;
    }

    return value < max ? value / max : 1;
}


/* a node that is done in one has none; nor one that does not count in steps */

static void
podi_comfy_steps(const json_t *of, podi_comfy_frame_t *frame)
{
    double  value, max;

    value = json_number_value(json_object_get(of, "value"));
    max = json_number_value(json_object_get(of, "max"));

    frame->value = 0;
    frame->max = 0;

    if (max >= 2 && max <= PODI_COMFY_STEPS_MAX) {
        frame->max = (unsigned) max;
        frame->value = !(value > 0) ? 0
                       : value < max ? (unsigned) value : frame->max;
    }
}


static podi_rc_t
podi_comfy_binary(const podi_str_t *data, podi_mem_t *mem,
    podi_comfy_frame_t *frame)
{
    json_t      *json;
    uint32_t     type, len;
    podi_str_t   rest = *data, head;

    if (rest.len < 8) {
        return PODI_ERROR;
    }

    type = podi_comfy_u32(&rest);
    len = podi_comfy_u32(&rest);

    if (type == 1) {
        podi_comfy_image(&rest, frame);
        return PODI_OK;
    }

    if (type != 4) {
        return PODI_OK;
    }

    if (len > rest.len) {
        return PODI_ERROR;
    }

    head.data = rest.data;
    head.len = len;
    rest.data += len;
    rest.len -= len;

    if (podi_comfy_parse(&head, PODI_COMFY_FRAME_MAX, mem, &json) != PODI_OK) {
        return PODI_ERROR;
    }

    frame->prompt_id = podi_json_str(json_object_get(json, "prompt_id"));
    frame->node = podi_json_str(json_object_get(json, "node_id"));
    podi_comfy_image(&rest, frame);

    return PODI_OK;
}


/* by its first bytes, whatever it is called */

static void
podi_comfy_image(const podi_str_t *rest, podi_comfy_frame_t *frame)
{
    if (rest->len > 3 && memcmp(rest->data, "\xff\xd8\xff", 3) == 0) {
        frame->image_type = "image/jpeg";

    } else if (rest->len > 8 && memcmp(rest->data, "\x89PNG\r\n\x1a\n", 8) == 0)
    {
        frame->image_type = "image/png";

    } else {
        return;
    }

    frame->type = PODI_COMFY_PREVIEW;
    frame->image = *rest;
}


static uint32_t
podi_comfy_u32(podi_str_t *rest)
{
    const unsigned char  *p = rest->data;

    rest->data += 4;
    rest->len -= 4;

    return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16
           | (uint32_t) p[2] << 8 | p[3];
}


int
podi_comfy_track(podi_comfy_track_t *track, const podi_comfy_frame_t *frame)
{
    double              done, percent;
    podi_comfy_track_t  was = *track;

    switch (frame->type) {

    case PODI_COMFY_STARTED:
        track->cached = 0;
        track->begun = 0;
        track->states = 0;
        track->share = 0;
        track->step = 0;
        track->steps = 0;
        track->node[0] = '\0';
        return 0;

    case PODI_COMFY_CACHED:
        track->cached = frame->count;
        break;

    case PODI_COMFY_STATE:
        track->states = frame->share;
        podi_comfy_track_node(track, &frame->node);
        podi_comfy_track_step(track, frame);
        break;

    case PODI_COMFY_NODE:
        podi_comfy_track_node(track, &frame->node);
        break;

    case PODI_COMFY_STEP:
        podi_comfy_track_node(track, &frame->node);
        podi_comfy_track_step(track, frame);
        track->share = frame->share;
        break;

    default:
        return 0;
    }

    /* older servers have no states: what began before this node is done */
    done = track->begun ? track->begun - 1 + track->share : 0;
    done = track->states > done ? track->states : done;
    percent = track->nodes ? 100 * (track->cached + done) / track->nodes : 0;
    percent = percent < 99 ? percent : 99;

    if (percent > track->percent) {
        track->percent = (unsigned) percent;
    }

    return track->percent != was.percent || track->step != was.step
           || track->steps != was.steps || strcmp(was.node, track->node) != 0;
}


static void
podi_comfy_track_node(podi_comfy_track_t *track, const podi_str_t *node)
{
    if (node->len == 0 || node->len > PODI_COMFY_NODE_MAX
        || podi_str_eq_c(node, track->node))
    {
        return;
    }

    memcpy(track->node, node->data, node->len);
    track->node[node->len] = '\0';
    track->begun++;
    track->share = 0;
    track->step = 0;
    track->steps = 0;
}


/* back to the first only from the last: a node may go through them again */

static void
podi_comfy_track_step(podi_comfy_track_t *track,
    const podi_comfy_frame_t *frame)
{
    if (frame->max == 0
        || (frame->max == track->steps && frame->value < track->step
            && track->step < track->steps))
    {
        return;
    }

    track->step = frame->value;
    track->steps = frame->max;
}
