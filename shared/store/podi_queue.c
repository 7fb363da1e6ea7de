/*
 * podi_queue: hints on their way into Redis and out of it.
 *
 *     _hints -> QUEUE_PUSH      (nginx, nobody waits)
 *     rows   -> QUEUE_PUSH ...  (dispatcher, one answer)
 *     worker <- BLPOP <prefix>wake:<queue>
 *
 * Promises: one script call for 500 hints; a text that is not of the expected
 * form is refused before anything is sent.
 */

#include "podi_queue.h"
#include "podi_assert.h"
#include "podi_json.h"
#include "banned.h"

#define QUEUE_TEXT_MAX   (1024 * 1024)
#define QUEUE_CALL_MAX   500            /* hints in one script call */
#define QUEUE_HINT_ARGS  8              /* as queue_push.lua has them */
#define QUEUE_NORMAL     1              /* PODI_CLASS_NORMAL */

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


static podi_rc_t queue_hint_read(podi_mem_t *mem, const json_t *json,
    podi_queue_hint_t *hint);
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
        if (queue_hint_read(mem, hint, &list[i]) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    next = 0;

    while (next < n) {
        if (queue_argv(mem, list, n, &next, &argc, &argv) != PODI_OK) {
            return PODI_ERROR;
        }

        rc = podi_redis_script(redis, NULL, PODI_LUA_QUEUE_PUSH, 1, argc,
                               argv);
        if (rc == PODI_ERROR || rc == PODI_DECLINED) {
            return PODI_DECLINED;
        }
    }

    return PODI_OK;
}


static podi_rc_t
queue_hint_read(podi_mem_t *mem, const json_t *json, podi_queue_hint_t *hint)
{
    size_t         i;
    json_t        *scope;
    podi_buf_t     b;
    const json_t  *number;

    hint->job_id = podi_json_str(json_object_get(json, "job_id"));
    hint->tenant_id = podi_json_str(json_object_get(json, "tenant_id"));
    hint->queue = podi_json_str(json_object_get(json, "queue"));
    hint->plan = podi_json_str(json_object_get(json, "plan"));
    hint->weight = (unsigned)
                   json_integer_value(json_object_get(json, "weight"));

    number = json_object_get(json, "priority");
    hint->priority = number ? (unsigned) json_integer_value(number)
                            : QUEUE_NORMAL;
    number = json_object_get(json, "cost");
    hint->cost = number ? (unsigned) json_integer_value(number) : 1;

    if (hint->job_id.len == 0 || hint->tenant_id.len == 0
        || hint->queue.len == 0)
    {
        return PODI_ERROR;
    }

    podi_buf_init(&b, mem);

    json_array_foreach(json_object_get(json, "scopes"), i, scope) {
        podi_buf_printf(&b, "%s%s", i > 0 ? "," : "",
                        json_string_value(scope));
    }

    return podi_buf_take(&b, &hint->scopes);
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

    argv = podi_mem_alloc(mem, (n + 2) * sizeof(podi_str_t));
    if (argv == NULL) {
        return PODI_ERROR;
    }

    argv[0] = podi_str_c(PODI_QUEUE_PREFIX);
    argv[1] = name;

    json_array_foreach(ids, i, id) {
        argv[i + 2] = podi_json_str(id);
    }

    rc = podi_redis_script(redis, NULL, PODI_LUA_QUEUE_DROP, 1, n + 2, argv);

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

        push->n_calls++;
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


/* the script answers {generation, jobs left, id, token, id, token, ...} */

int
podi_queue_is_ready(const podi_redis_reply_t *reply)
{
    return reply->type == PODI_REDIS_ARRAY && reply->n >= 2
           && reply->elements[0].str.len > 0;
}


size_t
podi_queue_claimed(const podi_redis_reply_t *reply)
{
    if (reply->type != PODI_REDIS_ARRAY || reply->n < 2) {
        return 0;
    }

    return (reply->n - 2) / 2;
}


podi_queue_slot_t
podi_queue_claimed_slot(const podi_redis_reply_t *reply, size_t i)
{
    podi_queue_slot_t  slot;

    podi_assert(i < podi_queue_claimed(reply));

    slot.job_id = reply->elements[2 * i + 2].str;
    slot.token = reply->elements[2 * i + 3].str;

    return slot;
}


podi_rc_t
podi_queue_drop(podi_redis_t *redis, podi_flow_t *f, const podi_str_t *queue,
    const podi_str_t *job_ids, size_t n)
{
    podi_str_t  *argv;

    argv = podi_mem_alloc(f->mem, (n + 2) * sizeof(podi_str_t));
    if (argv == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    argv[0] = podi_str_c(PODI_QUEUE_PREFIX);
    argv[1] = *queue;
    memcpy(&argv[2], job_ids, n * sizeof(podi_str_t));

    return podi_redis_script(redis, f, PODI_LUA_QUEUE_DROP, 1, n + 2, argv);
}


podi_rc_t
podi_queue_wake_wait(podi_redis_t *blocking, podi_flow_t *f,
    const podi_str_t *queue, podi_msec_t wait)
{
    podi_str_t  key;

    if (podi_mem_printf(f->mem, &key, PODI_QUEUE_PREFIX "wake:" PODI_STR_FMT,
                        podi_str_arg(queue)) != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return podi_redis_blpop(blocking, f, 1, &key, wait);
}


podi_rc_t
podi_queue_generation(podi_redis_t *redis, podi_flow_t *f)
{
    podi_str_t  argv[2];

    argv[0] = podi_str_c("GET");
    argv[1] = podi_str_c(PODI_QUEUE_PREFIX "gen");

    return podi_redis_command(redis, f, 2, argv);
}


/* the arguments for hints[*next] and its followers, up to the bound */

static podi_rc_t
queue_argv(podi_mem_t *mem, const podi_queue_hint_t *hints, size_t n,
    size_t *next, size_t *ret_argc, podi_str_t **ret_argv)
{
    size_t                    argc, count;
    podi_str_t               *argv;
    const podi_queue_hint_t  *hint;

    count = n - *next < QUEUE_CALL_MAX ? n - *next : QUEUE_CALL_MAX;

    argv = podi_mem_alloc(mem, (count * QUEUE_HINT_ARGS + 1)
                               * sizeof(podi_str_t));
    if (argv == NULL) {
        return PODI_ERROR;
    }

    argv[0] = podi_str_c(PODI_QUEUE_PREFIX);
    argc = 1;

    for ( /* void */ ; count > 0; count--) {
        hint = &hints[(*next)++];

        argv[argc++] = hint->job_id;
        argv[argc++] = hint->tenant_id;
        argv[argc++] = hint->queue;

        if (podi_mem_printf(mem, &argv[argc], "%u", hint->priority) != PODI_OK
            || podi_mem_printf(mem, &argv[argc + 1], "%u", hint->weight)
               != PODI_OK
            || podi_mem_printf(mem, &argv[argc + 2], "%u", hint->cost)
               != PODI_OK)
        {
            return PODI_ERROR;
        }

        argv[argc + 3] = hint->plan;
        argv[argc + 4] = podi_queue_scopes(&hint->scopes);
        argc += 5;
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
