/*
 * podi_comfy_server: how busy a server is, and what it is.
 */

#include <string.h>

#include "podi_comfy_int.h"
#include "banned.h"


/*
 * Interrupts with an id came with pull request 9607 of September 2025.  They
 * were measured on 0.3.64; what was released that month before 0.3.60 counts
 * as without, which costs but a look at the queue before an interrupt.
 */

#define PODI_COMFY_TARGETED  { 0, 3, 60 }

#define PODI_COMFY_SMALL  65536


typedef struct {
    const podi_str_t    *id;
    podi_comfy_ours_pt   ours;
    void                *data;
    podi_comfy_queue_t  *queue;
    double               number;    /* of the one that is looked for */
} podi_comfy_look_t;


static podi_rc_t podi_comfy_items(const podi_str_t *body, podi_mem_t *mem,
    podi_comfy_look_t *look);
static void podi_comfy_look(podi_comfy_look_t *look, const json_t *items,
    int running);
static unsigned podi_comfy_before(const json_t *items, double number);


podi_rc_t
podi_comfy_queue(const podi_str_t *body, const podi_str_t *id,
    podi_comfy_ours_pt ours, void *data, podi_mem_t *mem,
    podi_comfy_queue_t *ret_queue)
{
    podi_comfy_look_t    look;
    podi_comfy_queue_t   queue;

    memset(&queue, 0, sizeof(queue));
    memset(&look, 0, sizeof(look));

    look.id = id;
    look.ours = ours;
    look.data = data;
    look.queue = &queue;

    if (podi_comfy_items(body, mem, &look) != PODI_OK) {
        return PODI_ERROR;
    }

    *ret_queue = queue;

    return PODI_OK;
}


/* {"queue_running":[[number, id, graph, ...], ...], ...}: no graph is read */

static podi_rc_t
podi_comfy_items(const podi_str_t *body, podi_mem_t *mem,
    podi_comfy_look_t *look)
{
    json_t      *json, *running, *pending;
    podi_str_t   thin;

    if (podi_comfy_thin(body, 3, mem, &thin) != PODI_OK
        || podi_comfy_parse(&thin, PODI_COMFY_ANSWER_MAX, mem, &json)
           != PODI_OK)
    {
        return PODI_ERROR;
    }

    running = json_object_get(json, "queue_running");
    pending = json_object_get(json, "queue_pending");

    if (!json_is_array(running) || !json_is_array(pending)) {
        return PODI_ERROR;
    }

    podi_comfy_look(look, running, 1);
    podi_comfy_look(look, pending, 0);

    if (look->queue->waits) {
        look->queue->before = podi_comfy_before(pending, look->number);
    }

    return PODI_OK;
}


static void
podi_comfy_look(podi_comfy_look_t *look, const json_t *items, int running)
{
    size_t               i;
    json_t              *item;
    podi_str_t           id;
    podi_comfy_queue_t  *queue = look->queue;

    json_array_foreach(items, i, item) {
        id = podi_json_str(json_array_get(item, 1));

        *(running ? &queue->running : &queue->pending) += 1;

        if (look->ours != NULL && look->ours(look->data, &id)) {
            queue->ours++;

        } else {
            queue->foreign++;
        }

        if (look->id->len == 0 || !podi_str_eq(&id, look->id)) {
            continue;
        }

        if (running) {
            queue->runs = 1;

        } else {
            queue->waits = 1;
            look->number = json_number_value(json_array_get(item, 0));
        }
    }
}


/* the list is a heap's: its order is not the order in which they run */

static unsigned
podi_comfy_before(const json_t *items, double number)
{
    size_t     i;
    json_t    *item, *other;
    unsigned   n = 0;

    json_array_foreach(items, i, item) {
        other = json_array_get(item, 0);
        n += json_is_number(other) && json_number_value(other) < number;
    }

    return n;
}


podi_rc_t
podi_comfy_remaining(const podi_str_t *body, podi_mem_t *mem, unsigned *ret_n)
{
    double   n;
    json_t  *json, *value;

    if (podi_comfy_parse(body, PODI_COMFY_SMALL, mem, &json) != PODI_OK) {
        return PODI_ERROR;
    }

    value = json_object_get(json_object_get(json, "exec_info"),
                            "queue_remaining");
    n = json_number_value(value);

    if (!json_is_number(value) || n < 0 || n > 1e9) {
        return PODI_ERROR;
    }

    *ret_n = (unsigned) n;

    return PODI_OK;
}


podi_rc_t
podi_comfy_stats(const podi_str_t *body, podi_mem_t *mem,
    podi_comfy_stats_t *ret_stats)
{
    size_t               i;
    double               total, left;
    json_t              *json, *system, *device;
    podi_comfy_stats_t   stats;

    if (podi_comfy_parse(body, 16 * PODI_COMFY_SMALL, mem, &json) != PODI_OK) {
        return PODI_ERROR;
    }

    system = json_object_get(json, "system");
    if (!json_is_object(system)) {
        return PODI_ERROR;
    }

    memset(&stats, 0, sizeof(stats));
    stats.version = podi_json_str(json_object_get(system, "comfyui_version"));
    stats.targeted = podi_comfy_is_targeted(&stats.version) != 0;

    json_array_foreach(json_object_get(json, "devices"), i, device) {
        total = json_number_value(json_object_get(device, "vram_total"));
        left = json_number_value(json_object_get(device, "vram_free"));

        if (total > (double) stats.vram_total && total < 1e15
            && left >= 0 && left <= total)
        {
            stats.vram_total = (int64_t) total;
            stats.vram_free = (int64_t) left;
        }
    }

    *ret_stats = stats;

    return PODI_OK;
}


/* "0.3.64", "v0.3.64", "0.3.64-12-gabcdef" */

int
podi_comfy_is_targeted(const podi_str_t *version)
{
    int64_t        n;
    size_t         i;
    podi_str_t     rest = *version, part;
    const int64_t  since[3] = PODI_COMFY_TARGETED;

    if (rest.len > 0 && rest.data[0] == 'v') {
        rest.data++;
        rest.len--;
    }

    for (i = 0; i < 3; i++) {

        if (!podi_str_split(&rest, '.', &part)) {
            return 0;
        }

        if (i == 2) {
            while (part.len > 0 && (part.data[part.len - 1] < '0'
                                    || part.data[part.len - 1] > '9'
                                    || memchr(part.data, '-', part.len)))
            {
                part.len--;
            }
        }

        if (podi_str_to_int64(&part, &n) != PODI_OK || n < since[i]) {
            return 0;
        }

        if (n > since[i]) {
            return 1;
        }
    }

    return 1;
}
