/*
 * podi_queue_gate: the slots of jobs that run, and the gates they are of.
 *
 *     worker     -> QUEUE_CLAIM, QUEUE_TAKE, QUEUE_BEAT, QUEUE_RELEASE,
 *                   QUEUE_SHUT, QUEUE_BREAKER
 *     dispatcher -> QUEUE_GATES, QUEUE_SWEEP, QUEUE_CHECK
 *
 * Promises: one call, however many jobs; what is not told here runs out.
 */

#include "podi_queue.h"
#include "podi_buf.h"
#include "banned.h"

#define GATE_ARGS     2                 /* scope, text */
#define SLOT_ARGS     3                 /* id, token or scopes, fence */
#define RUNNING_ARGS  4                 /* id, fence, lease, scopes */
#define CLAIM_ARGS    5                 /* before the slots */
#define BEAT_ARGS     3
#define CHECK_IDS     4                 /* before the holders of its answer */


static podi_rc_t gate_send(podi_redis_t *redis, podi_flow_t *f,
    podi_lua_e script, size_t argc, podi_str_t *argv);
static podi_str_t *gate_slots(podi_mem_t *mem, size_t head,
    const podi_queue_slot_t *slots, size_t n);
static podi_rc_t gate_no_memory(podi_flow_t *f);


podi_rc_t
podi_queue_claim(podi_redis_t *redis, podi_flow_t *f, const podi_str_t *queue,
    unsigned want, podi_msec_t lease, const char *worker,
    const podi_queue_slot_t *over, size_t n)
{
    podi_str_t  *argv;

    argv = gate_slots(f->mem, CLAIM_ARGS, over, n);

    if (argv == NULL
        || podi_mem_printf(f->mem, &argv[2], "%u", want) != PODI_OK
        || podi_mem_printf(f->mem, &argv[3], "%llu",
                           (unsigned long long) lease) != PODI_OK)
    {
        return gate_no_memory(f);
    }

    argv[1] = *queue;
    argv[4] = podi_str_c(worker);

    return gate_send(redis, f, PODI_LUA_QUEUE_CLAIM,
                     CLAIM_ARGS + SLOT_ARGS * n, argv);
}


podi_rc_t
podi_queue_release(podi_redis_t *redis, podi_flow_t *f, podi_mem_t *mem,
    const podi_queue_slot_t *slots, size_t n)
{
    podi_str_t  *argv;

    argv = gate_slots(mem, 1, slots, n);
    if (argv == NULL) {
        return gate_no_memory(f);
    }

    return gate_send(redis, f, PODI_LUA_QUEUE_RELEASE, 1 + SLOT_ARGS * n,
                     argv);
}


podi_rc_t
podi_queue_beat(podi_redis_t *redis, podi_flow_t *f, podi_mem_t *mem,
    podi_msec_t lease, const char *all_of, const podi_queue_slot_t *slots,
    size_t n)
{
    podi_str_t  *argv;

    argv = gate_slots(mem, BEAT_ARGS, slots, n);

    if (argv == NULL
        || podi_mem_printf(mem, &argv[1], "%llu", (unsigned long long) lease)
           != PODI_OK)
    {
        return gate_no_memory(f);
    }

    argv[2] = podi_str_c(all_of);

    return gate_send(redis, f, PODI_LUA_QUEUE_BEAT, BEAT_ARGS + SLOT_ARGS * n,
                     argv);
}


/* the slots, behind `head` arguments; NULL without memory */

static podi_str_t *
gate_slots(podi_mem_t *mem, size_t head, const podi_queue_slot_t *slots,
    size_t n)
{
    size_t       i;
    podi_str_t  *argv, *slot;

    argv = podi_mem_alloc(mem, (head + SLOT_ARGS * n) * sizeof(podi_str_t));
    if (argv == NULL) {
        return NULL;
    }

    for (i = 0; i < n; i++) {
        slot = &argv[head + SLOT_ARGS * i];
        slot[0] = slots[i].job_id;
        slot[1] = slots[i].token;
        slot[2] = podi_str_c("");

        if (slots[i].fence > 0
            && podi_mem_printf(mem, &slot[2], "%lld",
                               (long long) slots[i].fence) != PODI_OK)
        {
            return NULL;
        }
    }

    return argv;
}


podi_rc_t
podi_queue_take(podi_redis_t *redis, podi_flow_t *f, podi_mem_t *mem,
    podi_msec_t lease, const podi_queue_running_t *jobs, size_t n)
{
    size_t       i, argc = 2;
    podi_str_t  *argv;

    argv = podi_mem_alloc(mem, (SLOT_ARGS * n + 2) * sizeof(podi_str_t));

    if (argv == NULL
        || podi_mem_printf(mem, &argv[1], "%llu", (unsigned long long) lease)
           != PODI_OK)
    {
        return gate_no_memory(f);
    }

    for (i = 0; i < n; i++) {
        argv[argc] = jobs[i].job_id;
        argv[argc + 2] = podi_queue_scopes(&jobs[i].scopes);

        if (podi_mem_printf(mem, &argv[argc + 1], "%lld",
                            (long long) jobs[i].fence) != PODI_OK)
        {
            return gate_no_memory(f);
        }

        argc += SLOT_ARGS;
    }

    return gate_send(redis, f, PODI_LUA_QUEUE_TAKE, argc, argv);
}


podi_rc_t
podi_queue_shut(podi_redis_t *redis, podi_flow_t *f, podi_mem_t *mem,
    const podi_str_t *scope, podi_msec_t wait)
{
    podi_str_t  argv[3];

    argv[1] = *scope;

    if (podi_mem_printf(mem, &argv[2], "%llu", (unsigned long long) wait)
        != PODI_OK)
    {
        return gate_no_memory(f);
    }

    return gate_send(redis, f, PODI_LUA_QUEUE_SHUT, 3, argv);
}


podi_rc_t
podi_queue_breaker(podi_redis_t *redis, podi_flow_t *f,
    const podi_str_t *scope, const podi_str_t *was, const podi_str_t *next,
    int64_t wait, podi_msec_t keep)
{
    podi_str_t  argv[6];

    argv[1] = *scope;
    argv[2] = *was;
    argv[3] = *next;

    if (podi_mem_printf(f->mem, &argv[4], "%lld", (long long) wait) != PODI_OK
        || podi_mem_printf(f->mem, &argv[5], "%llu",
                           (unsigned long long) keep) != PODI_OK)
    {
        return gate_no_memory(f);
    }

    return gate_send(redis, f, PODI_LUA_QUEUE_BREAKER, 6, argv);
}


podi_rc_t
podi_queue_gates(podi_redis_t *redis, podi_flow_t *f,
    const podi_queue_gate_t *gates, size_t n)
{
    size_t       i, argc = 1;
    podi_str_t  *argv, slots;

    argv = podi_mem_alloc(f->mem, (GATE_ARGS * n + 1) * sizeof(podi_str_t));
    if (argv == NULL) {
        return gate_no_memory(f);
    }

    for (i = 0; i < n; i++) {
        slots = podi_str_c("-");

        if ((gates[i].slots >= 0
             && podi_mem_printf(f->mem, &slots, "%lld",
                                (long long) gates[i].slots) != PODI_OK)
            || podi_mem_printf(f->mem, &argv[argc + 1],
                               PODI_STR_FMT " %lld %lld %llu %lld",
                               podi_str_arg(&slots),
                               (long long) gates[i].reserve,
                               (long long) gates[i].rate,
                               (unsigned long long) gates[i].period * 1000,
                               (long long) gates[i].burst) != PODI_OK)
        {
            return gate_no_memory(f);
        }

        argv[argc] = gates[i].scope;
        argc += GATE_ARGS;
    }

    return gate_send(redis, f, PODI_LUA_QUEUE_GATES, argc, argv);
}


podi_rc_t
podi_queue_sweep(podi_redis_t *redis, podi_flow_t *f)
{
    podi_str_t  argv[1];

    return gate_send(redis, f, PODI_LUA_QUEUE_SWEEP, 1, argv);
}


podi_rc_t
podi_queue_check(podi_redis_t *redis, podi_flow_t *f, podi_msec_t patience,
    const podi_queue_running_t *running, size_t n)
{
    size_t       i, argc = 2;
    podi_str_t  *argv;

    argv = podi_mem_alloc(f->mem,
                          (RUNNING_ARGS * n + 2) * sizeof(podi_str_t));

    if (argv == NULL
        || podi_mem_printf(f->mem, &argv[1], "%llu",
                           (unsigned long long) patience) != PODI_OK)
    {
        return gate_no_memory(f);
    }

    for (i = 0; i < n; i++) {
        argv[argc] = running[i].job_id;
        argv[argc + 3] = podi_queue_scopes(&running[i].scopes);

        if (podi_mem_printf(f->mem, &argv[argc + 1], "%lld",
                            (long long) running[i].fence) != PODI_OK
            || podi_mem_printf(f->mem, &argv[argc + 2], "%lld",
                               (long long) running[i].lease) != PODI_OK)
        {
            return gate_no_memory(f);
        }

        argc += RUNNING_ARGS;
    }

    return gate_send(redis, f, PODI_LUA_QUEUE_CHECK, argc, argv);
}


podi_rc_t
podi_queue_freed(podi_mem_t *mem, const podi_redis_reply_t *reply,
    podi_str_t *ret_ids)
{
    size_t      i;
    podi_buf_t  b;

    podi_buf_init(&b, mem);
    podi_buf_add_byte(&b, '{');

    for (i = CHECK_IDS; i < reply->n; i++) {
        podi_buf_add_c(&b, i > CHECK_IDS ? "," : "");
        podi_buf_add_str(&b, &reply->elements[i].str);
    }

    podi_buf_add_byte(&b, '}');

    return podi_buf_take(&b, ret_ids);
}


podi_str_t
podi_queue_scopes(const podi_str_t *text)
{
    podi_str_t  scopes = *text;

    if (scopes.len >= 2 && scopes.data[0] == '{') {
        scopes.data++;
        scopes.len -= 2;
    }

    return scopes;
}


int64_t
podi_queue_count(const podi_redis_reply_t *reply, size_t i)
{
    if (reply->type != PODI_REDIS_ARRAY || i >= reply->n) {
        return 0;
    }

    return reply->elements[i].integer;
}


static podi_rc_t
gate_send(podi_redis_t *redis, podi_flow_t *f, podi_lua_e script, size_t argc,
    podi_str_t *argv)
{
    argv[0] = podi_str_c(PODI_QUEUE_PREFIX);

    return podi_redis_script(redis, f, script, 1, argc, argv);
}


static podi_rc_t
gate_no_memory(podi_flow_t *f)
{
    return f == NULL ? PODI_ERROR
                     : podi_fail(&f->fail, PODI_E_INTERNAL, NULL,
                                 "no memory");
}
