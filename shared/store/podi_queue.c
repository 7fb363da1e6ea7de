/*
 * podi_queue: hints on their way into Redis and out of it.
 *
 *     _hints -> group by queue -> QUEUE_PUSH      (nginx, nobody waits)
 *     rows   -> group by queue -> QUEUE_PUSH ...  (dispatcher, one answer)
 *     worker <- QUEUE_CLAIM, BLPOP <prefix>wake
 *
 * Promises: one script call a queue and 500 hints; a text that is not of the
 * expected form is refused before anything is sent.
 */

#include "podi_queue.h"
#include "podi_assert.h"
#include "podi_json.h"
#include "banned.h"

#define QUEUE_TEXT_MAX   (1024 * 1024)
#define QUEUE_CALL_MAX   500            /* hints in one script call */
#define QUEUE_HINT_ARGS  3              /* id, tenant, weight */

typedef struct queue_push_s  queue_push_t;

/* one script call of a push that somebody waits for */

typedef struct {
    podi_flow_t     flow;
    queue_push_t   *push;
    size_t          argc;
    podi_str_t     *argv;
} queue_call_t;

/* the operation that is over when all of its calls are */

struct queue_push_s {
    podi_op_t           op;
    podi_redis_t       *redis;
    podi_queue_hint_t  *hints;
    size_t              n_calls;
    queue_call_t       *calls;
    size_t              waiting;
    podi_fail_t         fail;
    unsigned            failed:1;
};


static podi_rc_t queue_key(podi_mem_t *mem, const podi_str_t *queue,
    const char *name, podi_str_t *ret_key);
static podi_rc_t queue_argv(podi_mem_t *mem, const podi_queue_hint_t *hints,
    size_t n, size_t *next, size_t *ret_argc, podi_str_t **ret_argv);
static podi_rc_t queue_parse(podi_mem_t *mem, const podi_str_t *text,
    json_t **ret_json);
static podi_rc_t queue_drop_list(podi_redis_t *redis, podi_mem_t *mem,
    const char *queue, const json_t *ids);

static podi_rc_t queue_call_send(podi_flow_t *f, void *ctx);
static podi_rc_t queue_call_sent(podi_flow_t *f, void *ctx);
static void queue_call_end(podi_flow_t *f, podi_rc_t rc, void *ctx);
static void queue_push_cancel(podi_op_t *op);


static const podi_step_t  queue_call_steps[] = {
    { "pushing hints", queue_call_send, 0 },
    { "reading the count", queue_call_sent, 0 },
    podi_null_step
};


podi_rc_t
podi_queue_push_hints(podi_redis_t *redis, podi_mem_t *mem,
    const podi_str_t *hints)
{
    size_t              i, n, argc, next;
    json_t             *array, *hint;
    podi_rc_t           rc;
    podi_str_t         *argv;
    podi_queue_hint_t  *list;

    rc = queue_parse(mem, hints, &array);
    if (rc != PODI_OK) {
        return rc;
    }

    n = json_array_size(array);

    list = podi_mem_calloc(mem, (n + 1) * sizeof(podi_queue_hint_t));
    if (list == NULL) {
        return PODI_ERROR;
    }

    json_array_foreach(array, i, hint) {
        list[i].job_id = podi_json_str(json_object_get(hint, "job_id"));
        list[i].tenant_id = podi_json_str(json_object_get(hint, "tenant_id"));
        list[i].queue = podi_json_str(json_object_get(hint, "queue"));
        list[i].weight = (unsigned)
                       json_integer_value(json_object_get(hint, "weight"));

        if (list[i].job_id.len == 0 || list[i].tenant_id.len == 0
            || list[i].queue.len == 0)
        {
            return PODI_ERROR;
        }
    }

    next = 0;

    while (next < n) {
        if (queue_argv(mem, list, n, &next, &argc, &argv) != PODI_OK) {
            return PODI_ERROR;
        }

        if (argc == 0) {
            continue;
        }

        rc = podi_redis_script(redis, NULL, PODI_LUA_QUEUE_PUSH, 1, argc,
                               argv);
        if (rc == PODI_ERROR || rc == PODI_DECLINED) {
            return PODI_DECLINED;
        }
    }

    return PODI_OK;
}


podi_rc_t
podi_queue_drop_hints(podi_redis_t *redis, podi_mem_t *mem,
    const podi_str_t *dropped)
{
    json_t      *object, *ids;
    podi_rc_t    rc;
    const char  *queue;

    rc = queue_parse(mem, dropped, &object);
    if (rc != PODI_OK) {
        return rc;
    }

    json_object_foreach(object, queue, ids) {
        rc = queue_drop_list(redis, mem, queue, ids);
        if (rc != PODI_OK) {
            return rc;
        }
    }

    return PODI_OK;
}


static podi_rc_t
queue_drop_list(podi_redis_t *redis, podi_mem_t *mem, const char *queue,
    const json_t *ids)
{
    size_t       i, n;
    json_t      *id;
    podi_rc_t    rc;
    podi_str_t   name, *argv;

    name = podi_str_c(queue);
    n = json_array_size(ids);

    argv = podi_mem_alloc(mem, (n + 1) * sizeof(podi_str_t));

    if (argv == NULL || queue_key(mem, &name, "", &argv[0]) != PODI_OK) {
        return PODI_ERROR;
    }

    json_array_foreach(ids, i, id) {
        argv[i + 1] = podi_json_str(id);
    }

    rc = podi_redis_script(redis, NULL, PODI_LUA_QUEUE_DROP, 1, n + 1, argv);

    return (rc == PODI_ERROR) ? PODI_DECLINED : PODI_OK;
}


podi_rc_t
podi_queue_push(podi_redis_t *redis, podi_flow_t *f, podi_queue_hint_t *hints,
    size_t n)
{
    size_t         i, next;
    queue_call_t  *call;
    queue_push_t  *push;

    podi_assert(n > 0);

    push = podi_mem_calloc(f->mem, sizeof(queue_push_t));
    if (push == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    /* no more calls than hints */

    push->calls = podi_mem_calloc(f->mem, n * sizeof(queue_call_t));
    if (push->calls == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    push->redis = redis;
    push->hints = hints;

    for (next = 0; next < n; /* void */ ) {
        call = &push->calls[push->n_calls];
        call->push = push;

        if (queue_argv(f->mem, hints, n, &next, &call->argc, &call->argv)
            != PODI_OK)
        {
            return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
        }

        if (call->argc > 0) {
            push->n_calls++;
        }
    }

    if (!podi_redis_is_up(redis)) {
        return podi_fail(&f->fail, PODI_E_UNAVAILABLE, NULL,
                         "Redis is down");
    }

    push->waiting = push->n_calls + 1;

    for (i = 0; i < push->n_calls; i++) {
        podi_flow_start(&push->calls[i].flow, queue_call_steps,
                        &push->calls[i], f->mem, queue_call_end);
    }

    push->waiting--;

    if (push->waiting == 0) {
        /* none could be sent: nothing will call back */
        f->fail = push->fail;
        return PODI_ERROR;
    }

    return podi_flow_wait(f, &push->op, queue_push_cancel);
}


static podi_rc_t
queue_call_send(podi_flow_t *f, void *ctx)
{
    queue_call_t  *call = ctx;

    return podi_redis_script(call->push->redis, f, PODI_LUA_QUEUE_PUSH, 1,
                             call->argc, call->argv);
}


static podi_rc_t
queue_call_sent(podi_flow_t *f, void *ctx)
{
    (void) f;
    (void) ctx;

    return PODI_DONE;
}


static void
queue_call_end(podi_flow_t *f, podi_rc_t rc, void *ctx)
{
    queue_call_t  *call = ctx;
    queue_push_t  *push = call->push;

    if (rc == PODI_ERROR) {
        push->fail = f->fail;
        push->failed = 1;
    }

    push->waiting--;

    if (push->waiting == 0) {
        podi_op_done(&push->op, push->hints,
                     push->failed ? &push->fail : NULL);
    }
}


static void
queue_push_cancel(podi_op_t *op)
{
    size_t         i;
    queue_push_t  *push;

    push = podi_list_owner(op, queue_push_t, op);

    for (i = 0; i < push->n_calls; i++) {
        if (podi_flow_is_active(&push->calls[i].flow)) {
            podi_flow_cancel(&push->calls[i].flow);
        }
    }
}


podi_rc_t
podi_queue_claim(podi_redis_t *redis, podi_flow_t *f, const podi_str_t *queue,
    unsigned want)
{
    podi_str_t  argv[2];

    if (queue_key(f->mem, queue, "", &argv[0]) != PODI_OK
        || podi_mem_printf(f->mem, &argv[1], "%u", want) != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return podi_redis_script(redis, f, PODI_LUA_QUEUE_CLAIM, 1, 2, argv);
}


/* the script answers {generation, jobs left, id, id, ...} */

size_t
podi_queue_claimed(const podi_redis_reply_t *reply)
{
    if (reply->type != PODI_REDIS_ARRAY || reply->n < 2) {
        return 0;
    }

    return reply->n - 2;
}


podi_str_t
podi_queue_claimed_id(const podi_redis_reply_t *reply, size_t i)
{
    podi_assert(i < podi_queue_claimed(reply));

    return reply->elements[i + 2].str;
}


podi_rc_t
podi_queue_drop(podi_redis_t *redis, podi_flow_t *f, const podi_str_t *queue,
    const podi_str_t *job_ids, size_t n)
{
    podi_str_t  *argv;

    argv = podi_mem_alloc(f->mem, (n + 1) * sizeof(podi_str_t));

    if (argv == NULL || queue_key(f->mem, queue, "", &argv[0]) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    memcpy(&argv[1], job_ids, n * sizeof(podi_str_t));

    return podi_redis_script(redis, f, PODI_LUA_QUEUE_DROP, 1, n + 1, argv);
}


podi_rc_t
podi_queue_wake_wait(podi_redis_t *blocking, podi_flow_t *f,
    const podi_str_t *queue, podi_msec_t wait)
{
    podi_str_t  key;

    if (queue_key(f->mem, queue, "wake", &key) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return podi_redis_blpop(blocking, f, 1, &key, wait);
}


podi_rc_t
podi_queue_generation(podi_redis_t *redis, podi_flow_t *f,
    const podi_str_t *queue)
{
    podi_str_t  argv[2];

    argv[0] = podi_str_c("GET");

    if (queue_key(f->mem, queue, "gen", &argv[1]) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return podi_redis_command(redis, f, 2, argv);
}


static podi_rc_t
queue_key(podi_mem_t *mem, const podi_str_t *queue, const char *name,
    podi_str_t *ret_key)
{
    return podi_mem_printf(mem, ret_key, "podi:{q:" PODI_STR_FMT "}:%s",
                           podi_str_arg(queue), name);
}


/*
 * The arguments for the queue of hints[*next] and its followers, up to the
 * bound; *next moves to the first hint that no call has covered.  argc is 0
 * when hints[*next] went with an earlier call.
 */

static podi_rc_t
queue_argv(podi_mem_t *mem, const podi_queue_hint_t *hints, size_t n,
    size_t *next, size_t *ret_argc, podi_str_t **ret_argv)
{
    size_t             i, same, argc;
    podi_str_t        *argv;
    const podi_str_t  *queue;

    queue = &hints[*next].queue;
    same = 0;

    for (i = 0; i < *next; i++) {
        same += podi_str_eq(&hints[i].queue, queue);
    }

    *ret_argc = 0;
    (*next)++;

    if (same % QUEUE_CALL_MAX != 0) {
        return PODI_OK;
    }

    argv = podi_mem_alloc(mem, (QUEUE_CALL_MAX * QUEUE_HINT_ARGS + 1)
                               * sizeof(podi_str_t));

    if (argv == NULL || queue_key(mem, queue, "", &argv[0]) != PODI_OK) {
        return PODI_ERROR;
    }

    argc = 1;

    for (i = *next - 1;
         i < n && argc < QUEUE_CALL_MAX * QUEUE_HINT_ARGS;
         i++)
    {
        if (!podi_str_eq(&hints[i].queue, queue)) {
            continue;
        }

        argv[argc++] = hints[i].job_id;
        argv[argc++] = hints[i].tenant_id;

        if (podi_mem_printf(mem, &argv[argc++], "%u", hints[i].weight)
            != PODI_OK)
        {
            return PODI_ERROR;
        }
    }

    *ret_argc = argc;
    *ret_argv = argv;

    return PODI_OK;
}


static podi_rc_t
queue_parse(podi_mem_t *mem, const podi_str_t *text, json_t **ret_json)
{
    podi_fail_t         fail;
    podi_json_limit_t   limit = { QUEUE_TEXT_MAX, 0 };

    if (text->len == 0 || podi_str_eq_c(text, "[]")
        || podi_str_eq_c(text, "{}"))
    {
        return PODI_DECLINED;
    }

    return podi_json_parse(text, &limit, mem, ret_json, &fail);
}
