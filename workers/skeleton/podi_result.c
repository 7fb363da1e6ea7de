/*
 * podi_result: the steps from a file to a stored result (podi_result.h).
 *
 *     measure -> decode -> name -> store -> measure, store the thumbnail
 *
 * A flow of its own inside a step of the job's flow.  The result is stored
 * before its thumbnail, and both are announced, so a crash between any two
 * steps leaves objects that nobody names, and those are found and removed.
 */

#include <string.h>

#include "podi_fault.h"
#include "podi_id.h"
#include "podi_result.h"
#include "podi_sub.h"
#include "banned.h"

#define RESULT_NAME_MAX  200

typedef struct {
    podi_job_t             *job;
    podi_result_ask_t       ask;
    podi_digest_t           made;
    podi_str_t              key;
    int                     thumb;
    podi_picture_answer_t  *answer;
    podi_digest_t          *thumb_made;     /* NULL: there is none */
    podi_str_t              thumb_key;
} result_t;


static podi_rc_t result_measure(podi_flow_t *f, void *ctx);
static podi_rc_t result_decode(podi_flow_t *f, void *ctx);
static podi_rc_t result_decoded(podi_flow_t *f, void *ctx);
static podi_rc_t result_store(podi_flow_t *f, void *ctx);
static podi_rc_t result_thumb(podi_flow_t *f, void *ctx);
static podi_rc_t result_thumb_store(podi_flow_t *f, void *ctx);
static podi_rc_t result_done(podi_flow_t *f, void *ctx);
static podi_rc_t result_judge(podi_flow_t *f, result_t *r);
static podi_rc_t result_stored(podi_flow_t *f, result_t *r);
static podi_rc_t result_text(result_t *r, podi_mem_t *mem,
    podi_str_t *ret_text);
static void result_name(podi_buf_t *b, podi_mem_t *mem, const result_t *r);


static const podi_step_t  result_steps[] = {
    { "measuring the result",    result_measure,     0 },
    { "decoding the result",     result_decode,      0 },
    { "naming the result",       result_decoded,     0 },
    { "storing the result",      result_store,       PODI_MAY_FAIL },
    { "measuring the thumbnail", result_thumb,       0 },
    { "storing the thumbnail",   result_thumb_store, PODI_MAY_FAIL },
    { "delivering",              result_done,        0 },
    podi_null_step
};


podi_rc_t
podi_result_make(podi_flow_t *f, podi_job_t *job, const podi_result_ask_t *ask)
{
    result_t  *r;

    r = podi_mem_calloc(f->mem, sizeof(result_t));
    if (r == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    r->job = job;
    r->ask = *ask;

    return podi_sub(f, result_steps, r);
}


static podi_rc_t
result_measure(podi_flow_t *f, void *ctx)
{
    result_t  *r = ctx;

    if (podi_files_temp(r->ask.files, f->mem, &r->thumb, &f->fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (r->ask.digest != NULL) {
        r->made = *r->ask.digest;
        return PODI_OK;
    }

    return podi_files_digest(f, r->job, r->ask.fd);
}


static podi_rc_t
result_decode(podi_flow_t *f, void *ctx)
{
    result_t            *r = ctx;
    podi_picture_ask_t   ask = { podi_string("media.check"), NULL, NULL, 1, 0 };

    if (r->ask.digest == NULL) {
        r->made = *(const podi_digest_t *) f->result;
    }

    if (r->ask.type != PODI_MEDIA_UNKNOWN && r->made.type != r->ask.type) {
        return podi_fail(&f->fail, PODI_E_JOB_CRASHED, NULL,
                         "the result is not what was said");
    }

    if (r->made.bytes == 0 || r->made.type == PODI_MEDIA_UNKNOWN) {
        return podi_fail(&f->fail, PODI_E_PICTURE_INVALID, NULL,
                         "the result is of no type that is known");
    }

    podi_job_progress(r->job, 80);

    if (!podi_media_is_picture(r->made.type)) {
        return PODI_OK;
    }

    ask.in = &r->ask.fd;
    ask.out = r->thumb;

    return podi_picture_run(f, r->ask.picture, &ask);
}


static podi_rc_t
result_decoded(podi_flow_t *f, void *ctx)
{
    result_t  *r = ctx;

    if (podi_media_is_picture(r->made.type)) {
        r->answer = f->result;

        if (result_judge(f, r) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    return podi_files_key(f, r->job, &r->made, "r", &r->key);
}


/* it could be decoded, or we know that it can be */

static podi_rc_t
result_judge(podi_flow_t *f, result_t *r)
{
    if (r->answer->error == PODI_E_NONE) {
        return PODI_OK;
    }

    if (r->ask.type == PODI_MEDIA_UNKNOWN) {
        return podi_fail(&f->fail, r->answer->error, NULL, "the result: %s",
                         r->answer->detail);
    }

    podi_worker_log(r->job->worker, PODI_LOG_WARN, "thumbnail.missing",
                    r->job, "%s", r->answer->detail);
    r->answer = NULL;

    return PODI_OK;
}


static podi_rc_t
result_store(podi_flow_t *f, void *ctx)
{
    result_t  *r = ctx;

    PODI_FAULT(store_ask);

    return podi_files_put(f, r->job, r->ask.files, r->ask.store, &r->key,
                          r->made.type, r->ask.fd, r->made.bytes);
}


static podi_rc_t
result_thumb(podi_flow_t *f, void *ctx)
{
    result_t  *r = ctx;

    if (result_stored(f, r) != PODI_OK) {
        return PODI_ERROR;
    }

    podi_job_progress(r->job, 90);
    PODI_FAULT(store_told);

    return (r->answer != NULL) ? podi_files_digest(f, r->job, r->thumb)
                               : PODI_OK;
}


static podi_rc_t
result_thumb_store(podi_flow_t *f, void *ctx)
{
    result_t  *r = ctx;

    if (r->answer == NULL) {
        return PODI_OK;
    }

    r->thumb_made = f->result;

    if (r->thumb_made->type != r->answer->type) {
        return podi_fail(&f->fail, PODI_E_JOB_CRASHED, NULL,
                         "the thumbnail is not what was said");
    }

    if (podi_files_key(f, r->job, r->thumb_made, "t", &r->thumb_key)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    return podi_files_put(f, r->job, r->ask.files, r->ask.store,
                          &r->thumb_key, r->thumb_made->type, r->thumb,
                          r->thumb_made->bytes);
}


static podi_rc_t
result_done(podi_flow_t *f, void *ctx)
{
    result_t       *r = ctx;
    podi_result_t  *result;

    if (r->answer != NULL && result_stored(f, r) != PODI_OK) {
        return PODI_ERROR;
    }

    result = podi_mem_calloc(f->mem, sizeof(podi_result_t));

    if (result == NULL || result_text(r, f->mem, &result->json) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    result->made = r->made;
    f->result = result;

    return PODI_DONE;
}


/* what became of the put before */

static podi_rc_t
result_stored(podi_flow_t *f, result_t *r)
{
    podi_str_t    detail;
    podi_error_e  error;

    error = podi_files_fault(f, "storing", r->ask.store, &detail);

    if (error == PODI_E_NONE) {
        return PODI_OK;
    }

    return podi_fail(&f->fail, error, NULL, PODI_STR_FMT,
                     podi_str_arg(&detail));
}


/* it names no parents: they are the job's inputs */

static podi_rc_t
result_text(result_t *r, podi_mem_t *mem, podi_str_t *ret_text)
{
    podi_id_t   id;
    podi_buf_t  b;
    podi_str_t  text;

    if (podi_id_make(&id) != PODI_OK) {
        return PODI_ERROR;
    }

    if (r->ask.type == PODI_MEDIA_UNKNOWN && r->answer != NULL) {
        r->ask.width = r->answer->source_width;
        r->ask.height = r->answer->source_height;
    }

    text = podi_id_str(&id);

    podi_buf_init(&b, mem);
    podi_buf_printf(&b, "{\"media_id\":\"" PODI_STR_FMT "\",\"store\":",
                    podi_str_arg(&text));
    podi_buf_add_json(&b, &r->ask.store->object.name);
    podi_buf_printf(&b, ",\"object_key\":\"" PODI_STR_FMT "\","
                    "\"type\":\"%s\",\"bytes\":%lld,\"sha256\":\"%.*s\"",
                    podi_str_arg(&r->key), podi_media_mime(r->made.type),
                    (long long) r->made.bytes,
                    (int) sizeof(r->made.sha256),
                    (const char *) r->made.sha256);

    if (r->ask.width > 0) {
        podi_buf_printf(&b, ",\"width\":%lld,\"height\":%lld",
                        (long long) r->ask.width, (long long) r->ask.height);
    }

    podi_buf_add_c(&b, ",\"name\":");
    result_name(&b, mem, r);

    if (r->thumb_made != NULL) {
        podi_buf_printf(&b, ",\"thumb_key\":\"" PODI_STR_FMT "\","
                        "\"thumb_bytes\":%lld", podi_str_arg(&r->thumb_key),
                        (long long) r->thumb_made->bytes);
    }

    podi_buf_add_c(&b, "}");

    return podi_buf_take(&b, ret_text);
}


/* "cat.jpg" -> "cat.webp"; a long name is cut between two characters */

static void
result_name(podi_buf_t *b, podi_mem_t *mem, const result_t *r)
{
    size_t      i;
    podi_str_t  base, name;

    base = r->ask.base;

    for (i = base.len; i > 1; i--) {
        if (base.data[i - 1] == '.') {
            base.len = i - 1;
            break;
        }
    }

    if (base.len > RESULT_NAME_MAX) {
        base.len = RESULT_NAME_MAX;

        while (base.len > 0 && (base.data[base.len] & 0xc0) == 0x80) {
            base.len--;
        }
    }

    if (podi_mem_printf(mem, &name, PODI_STR_FMT ".%s", podi_str_arg(&base),
                        podi_media_suffix(r->made.type)) != PODI_OK)
    {
        b->failed = 1;
        return;
    }

    podi_buf_add_json(b, &name);
}


podi_rc_t
podi_result_list(podi_mem_t *mem, const podi_result_t *const *results,
    size_t n, podi_str_t *ret_text)
{
    size_t      i;
    podi_buf_t  b;

    podi_buf_init(&b, mem);
    podi_buf_add_c(&b, "[");

    for (i = 0; i < n; i++) {
        podi_buf_add_c(&b, i == 0 ? "" : ",");
        podi_buf_add(&b, results[i]->json.data, results[i]->json.len);
    }

    podi_buf_add_c(&b, "]");

    return podi_buf_take(&b, ret_text);
}
