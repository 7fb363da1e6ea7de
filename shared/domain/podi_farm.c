/*
 * podi_farm: which of many ComfyUI servers gets a prompt.
 */

#include <string.h>

#include "podi_farm.h"
#include "banned.h"


static int podi_farm_can(const podi_farm_server_t *server,
    const podi_farm_ask_t *ask);
static int podi_farm_is_up(const podi_farm_server_t *server);
static int podi_farm_has_room(const podi_farm_server_t *server);
static uint64_t podi_farm_load(const podi_farm_server_t *server);
static int podi_farm_is_better(const podi_farm_server_t *a,
    const podi_farm_server_t *b);


int
podi_farm_choose(const podi_farm_server_t *servers, size_t n,
    const podi_farm_ask_t *ask, podi_farm_choice_t *ret_choice)
{
    int                  best = -1, warm = -1;
    size_t               i;
    podi_farm_choice_t  *c = ret_choice;

    memset(c, 0, sizeof(*c));

    for (i = 0; i < n; i++) {

        if (!podi_farm_can(&servers[i], ask)) {
            continue;
        }

        c->capable++;

        if (!podi_farm_is_up(&servers[i])) {
            continue;
        }

        c->up++;

        if (!podi_farm_has_room(&servers[i])) {
            continue;
        }

        c->room++;

        if (best < 0 || podi_farm_is_better(&servers[i], &servers[best])) {
            best = (int) i;
        }

        if (ask->model_key != 0 && servers[i].model_key == ask->model_key
            && (warm < 0 || podi_farm_is_better(&servers[i], &servers[warm])))
        {
            warm = (int) i;
        }
    }

    if (best < 0) {
        c->why = c->capable == 0 ? PODI_FARM_NONE_CAPABLE
                 : c->up == 0 ? PODI_FARM_ALL_DOWN : PODI_FARM_ALL_FULL;
        return -1;
    }

    if (warm >= 0 && servers[warm].tried <= servers[best].tried
        && podi_farm_load(&servers[warm])
           <= podi_farm_load(&servers[best]) + (uint64_t) ask->margin * 1000)
    {
        c->by_models = 1;
        return warm;
    }

    return best;
}


static int
podi_farm_can(const podi_farm_server_t *server, const podi_farm_ask_t *ask)
{
    size_t  i, j;

    if (!server->capable || server->state == PODI_FARM_DISABLED
        || (ask->vram_above > 0 && server->vram <= ask->vram_above))
    {
        return 0;
    }

    for (i = 0; i < ask->labels_n; i++) {

        for (j = 0; j < server->labels_n; j++) {
            if (podi_str_eq(&ask->labels[i], &server->labels[j])) {
                break;
            }
        }

        if (j == server->labels_n) {
            return 0;
        }
    }

    return 1;
}


static int
podi_farm_is_up(const podi_farm_server_t *server)
{
    return server->state == PODI_FARM_ACTIVE && !server->shut
           && !server->stale;
}


static int
podi_farm_has_room(const podi_farm_server_t *server)
{
    if (server->trial) {
        return server->ours == 0;
    }

    return server->ours < (server->slots ? server->slots : 1)
                          + server->prefetch;
}


/* prompts for each slot, in thousandths */

static uint64_t
podi_farm_load(const podi_farm_server_t *server)
{
    return ((uint64_t) server->ours + server->foreign) * 1000
           / (server->slots ? server->slots : 1);
}


static int
podi_farm_is_better(const podi_farm_server_t *a, const podi_farm_server_t *b)
{
    uint64_t  x = podi_farm_load(a), y = podi_farm_load(b);

    if (a->tried != b->tried) {
        return b->tried;
    }

    return x != y ? x < y : a->latency < b->latency;
}


const char *
podi_farm_why(podi_farm_why_e why)
{
    switch (why) {
    case PODI_FARM_FOUND: return "found";
    case PODI_FARM_NONE_CAPABLE: return "none_capable";
    case PODI_FARM_ALL_DOWN: return "all_down";
    default: return "all_full";
    }
}


int
podi_farm_restarted(const podi_farm_memory_t *was,
    const podi_farm_memory_t *is)
{
    if (was->version.len > 0 && is->version.len > 0
        && !podi_str_eq(&was->version, &is->version))
    {
        return 1;
    }

    /* it counts its prompts from 0 */
    if (was->number >= 0 && is->number >= 0 && is->number < was->number) {
        return 1;
    }

    return was->held && is->queue_empty && is->history_empty;
}
