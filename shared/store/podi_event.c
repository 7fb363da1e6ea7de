/*
 * podi_event: events, progress and pokes on their way through Redis.
 *
 *     commit -> _events -> podi_event_publish -> PUBLISH podi:user:<id>
 *
 * Promises: never waits, never fails a request; a text that is not ours is
 * refused as a whole before anything is sent.
 */

#include "podi_event.h"
#include "podi_json.h"
#include "banned.h"

#define EVENT_TEXT_MAX  (4 * 1024 * 1024)


static podi_rc_t event_parse(podi_mem_t *mem, const podi_str_t *text,
    json_t **ret_array);
static void event_where(podi_buf_t *b, const podi_event_where_t *where);
static podi_rc_t event_send(podi_redis_t *redis, podi_str_t *channel,
    podi_str_t *payload);
static podi_rc_t event_poke_worker(podi_redis_t *redis, podi_mem_t *mem,
    const json_t *pokes, size_t first);


podi_rc_t
podi_event_channel(podi_mem_t *mem, const podi_str_t *user_id,
    podi_str_t *ret_channel)
{
    return podi_mem_printf(mem, ret_channel, "podi:user:" PODI_STR_FMT,
                           podi_str_arg(user_id));
}


podi_rc_t
podi_event_worker_channel(podi_mem_t *mem, const podi_str_t *worker_id,
    podi_str_t *ret_channel)
{
    return podi_mem_printf(mem, ret_channel, "podi:worker:" PODI_STR_FMT,
                           podi_str_arg(worker_id));
}


podi_rc_t
podi_event_publish(podi_redis_t *redis, podi_mem_t *mem,
    const podi_str_t *events)
{
    size_t      i;
    json_t     *array, *event;
    podi_rc_t   rc;
    podi_str_t  user, channel, payload;

    rc = event_parse(mem, events, &array);
    if (rc != PODI_OK) {
        return rc;
    }

    json_array_foreach(array, i, event) {
        user = podi_json_str(json_object_get(event, "user_id"));
        if (user.len == 0) {
            return PODI_ERROR;
        }

        if (podi_event_channel(mem, &user, &channel) != PODI_OK
            || podi_json_dump(event, mem, &payload) != PODI_OK)
        {
            return PODI_ERROR;
        }

        rc = event_send(redis, &channel, &payload);
        if (rc != PODI_OK) {
            return rc;
        }
    }

    return PODI_OK;
}


podi_rc_t
podi_event_progress(podi_redis_t *redis, podi_mem_t *mem,
    const podi_event_progress_t *tick)
{
    podi_buf_t  b;
    podi_str_t  channel, payload;

    podi_buf_init(&b, mem);
    podi_buf_add_c(&b, "{\"type\":\"job.progress\",\"user_id\":");
    podi_buf_add_json(&b, &tick->user_id);
    podi_buf_add_c(&b, ",\"task_id\":");
    podi_buf_add_json(&b, &tick->task_id);
    podi_buf_add_c(&b, ",\"job_id\":");
    podi_buf_add_json(&b, &tick->job_id);
    podi_buf_printf(&b, ",\"progress\":%u", tick->percent);
    event_where(&b, &tick->where);

    /* with its number, so that a page has another address to load */
    if (tick->preview != 0) {
        podi_buf_printf(&b, ",\"preview\":\"/v1/jobs/" PODI_STR_FMT
                        "/preview?n=%u\"", podi_str_arg(&tick->job_id),
                        tick->preview);
    }

    podi_buf_add_byte(&b, '}');

    if (podi_buf_take(&b, &payload) != PODI_OK
        || podi_event_channel(mem, &tick->user_id, &channel) != PODI_OK)
    {
        return PODI_ERROR;
    }

    return event_send(redis, &channel, &payload);
}


static void
event_where(podi_buf_t *b, const podi_event_where_t *where)
{
    if (where->node.len > 0) {
        podi_buf_add_c(b, ",\"node\":{\"id\":");
        podi_buf_add_json(b, &where->node);
        podi_buf_add_c(b, ",\"class\":");
        podi_buf_add_json(b, &where->class_type);

        if (where->title.len > 0) {
            podi_buf_add_c(b, ",\"title\":");
            podi_buf_add_json(b, &where->title);
        }

        podi_buf_add_byte(b, '}');
    }

    if (where->steps > 0) {
        podi_buf_printf(b, ",\"step\":%u,\"steps\":%u", where->step,
                        where->steps);
    }

    if (where->ahead >= 0) {
        podi_buf_printf(b, ",\"ahead\":%d", where->ahead);
    }
}


podi_rc_t
podi_event_poke(podi_redis_t *redis, podi_mem_t *mem, const podi_str_t *pokes)
{
    size_t      i, k;
    json_t     *array, *poke;
    podi_rc_t   rc;
    podi_str_t  worker, earlier;

    rc = event_parse(mem, pokes, &array);
    if (rc != PODI_OK) {
        return rc;
    }

    json_array_foreach(array, i, poke) {
        worker = podi_json_str(json_object_get(poke, "worker"));

        for (k = 0; k < i; k++) {
            earlier = podi_json_str(json_object_get(json_array_get(array, k),
                                                    "worker"));
            if (podi_str_eq(&worker, &earlier)) {
                break;
            }
        }

        if (worker.len == 0 || k < i) {
            continue;                       /* told already, with its others */
        }

        rc = event_poke_worker(redis, mem, array, i);
        if (rc != PODI_OK) {
            return rc;
        }
    }

    return PODI_OK;
}


static podi_rc_t
event_poke_worker(podi_redis_t *redis, podi_mem_t *mem, const json_t *pokes,
    size_t first)
{
    size_t      i;
    podi_buf_t  b;
    podi_str_t  worker, other, job, channel, payload;

    worker = podi_json_str(json_object_get(json_array_get(pokes, first),
                                           "worker"));

    podi_buf_init(&b, mem);
    podi_buf_add_c(&b, "{\"cancel\":[");

    for (i = first; i < json_array_size(pokes); i++) {
        other = podi_json_str(json_object_get(json_array_get(pokes, i),
                                              "worker"));
        if (!podi_str_eq(&worker, &other)) {
            continue;
        }

        job = podi_json_str(json_object_get(json_array_get(pokes, i),
                                            "job_id"));
        if (i != first) {
            podi_buf_add_byte(&b, ',');
        }

        podi_buf_add_json(&b, &job);
    }

    podi_buf_add_c(&b, "]}");

    if (podi_buf_take(&b, &payload) != PODI_OK
        || podi_event_worker_channel(mem, &worker, &channel) != PODI_OK)
    {
        return PODI_ERROR;
    }

    return event_send(redis, &channel, &payload);
}


podi_rc_t
podi_event_called(podi_redis_t *redis, podi_mem_t *mem, const podi_str_t *job,
    const podi_str_t *key, const podi_str_t *call)
{
    podi_str_t  payload, channel = podi_string(PODI_EVENT_CALLED);

    if (podi_mem_printf(mem, &payload, PODI_STR_FMT " " PODI_STR_FMT " "
                        PODI_STR_FMT, podi_str_arg(job), podi_str_arg(key),
                        podi_str_arg(call)) != PODI_OK)
    {
        return PODI_ERROR;
    }

    return event_send(redis, &channel, &payload);
}


static podi_rc_t
event_parse(podi_mem_t *mem, const podi_str_t *text, json_t **ret_array)
{
    json_t             *array;
    podi_fail_t         fail;
    podi_json_limit_t   limit = { EVENT_TEXT_MAX, 0 };

    if (text->len == 0 || podi_str_eq_c(text, "[]")) {
        return PODI_DECLINED;
    }

    if (podi_json_parse(text, &limit, mem, &array, &fail) != PODI_OK
        || !json_is_array(array))
    {
        return PODI_ERROR;
    }

    *ret_array = array;

    return PODI_OK;
}


static podi_rc_t
event_send(podi_redis_t *redis, podi_str_t *channel, podi_str_t *payload)
{
    podi_str_t  argv[3];

    argv[0] = podi_str_c("PUBLISH");
    argv[1] = *channel;
    argv[2] = *payload;

    return podi_redis_send(redis, 3, argv);
}
