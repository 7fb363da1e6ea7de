/*
 * provider_input: what a job begins with, as its third party wants it.
 *
 *     url     a permit of the store, which the third party fetches itself
 *     base64, data, file    fetched, checked, and sent along
 */

#include <string.h>
#include <unistd.h>

#include "podi_base64.h"
#include "provider.h"
#include "banned.h"


#define INPUT_BYTES  (PODI_PROVIDER_INPUT_BASE64 | PODI_PROVIDER_INPUT_DATA \
                      | PODI_PROVIDER_INPUT_FILE)
#define INPUT_TEXT   (PODI_PROVIDER_INPUT_BASE64 | PODI_PROVIDER_INPUT_DATA)
#define INPUT_LIFE   86400          /* s, of a permit; stores allow 7 days */


static unsigned input_uses(provider_run_t *run);
static podi_rc_t input_describe(podi_flow_t *f, provider_run_t *run,
    size_t i, unsigned uses);
static podi_rc_t input_url(podi_flow_t *f, provider_run_t *run,
    podi_input_t *input, json_t *seen);
static podi_rc_t input_text(podi_flow_t *f, podi_input_t *input,
    unsigned uses, json_t *seen);
static int input_set(json_t *seen, const char *name, const podi_str_t *s);
static int input_set_text(json_t *seen, const char *name, const podi_str_t *s,
    unsigned is_wanted);


podi_rc_t
provider_fetch(podi_flow_t *f, void *ctx)
{
    podi_job_t      *job = ctx;
    provider_run_t  *run = job->data;

    if (run->submitted || run->head.n_inputs == 0
        || run->fate != PROVIDER_GOES_ON)
    {
        return PODI_OK;
    }

    if (runner_inputs_open(f, job) != PODI_OK) {
        return PODI_ERROR;
    }

    return input_uses(run) & INPUT_BYTES ? runner_inputs_fetch(f, job)
                                         : PODI_OK;
}


/* of any choice: it is not known yet which one it will be */

static unsigned
input_uses(provider_run_t *run)
{
    size_t     i;
    unsigned   uses = 0;
    podi_rc_t  rc = PODI_OK;

    if (run->resumes) {
        return run->facts->inputs;
    }

    for (i = 0; rc != PODI_DECLINED; i++) {
        rc = provider_choose(run, i);
        uses |= rc == PODI_OK ? run->facts->inputs : 0;
    }

    return uses;
}


podi_rc_t
provider_fetched(podi_flow_t *f, void *ctx)
{
    size_t           i;
    unsigned         uses;
    podi_job_t      *job = ctx;
    provider_run_t  *run = job->data;

    if (run->head.over) {
        return PODI_DONE;
    }

    if (run->submitted || run->fate != PROVIDER_GOES_ON) {
        return PODI_OK;
    }

    uses = input_uses(run);

    for (i = 0; i < run->head.n_inputs; i++) {
        if (input_describe(f, run, i, uses) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


static podi_rc_t
input_describe(podi_flow_t *f, provider_run_t *run, size_t i, unsigned uses)
{
    json_t        *seen = json_object();
    podi_input_t  *input = &run->head.inputs[i];

    if (seen == NULL || json_array_append_new(run->inputs, seen) != 0
        || !input_set(seen, "type", &input->type)
        || !input_set(seen, "name", &input->name))
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if ((uses & PODI_PROVIDER_INPUT_URL)
        && input_url(f, run, input, seen) != PODI_OK)
    {
        return PODI_ERROR;
    }

    return uses & INPUT_TEXT ? input_text(f, input, uses, seen) : PODI_OK;
}


static int
input_set(json_t *seen, const char *name, const podi_str_t *s)
{
    return json_object_set_new(seen, name, json_stringn((char *) s->data,
                                                        s->len)) == 0;
}


static podi_rc_t
input_url(podi_flow_t *f, provider_run_t *run, podi_input_t *input,
    json_t *seen)
{
    podi_str_t  url;

    if (podi_object_get(&input->store->object, &input->key, &input->type,
                        NULL, INPUT_LIFE, podi_time_now(), run->job->mem,
                        &url) != PODI_OK
        || !input_set(seen, "url", &url))
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}


/* what is larger than a request may be is refused before it is read */

static podi_rc_t
input_text(podi_flow_t *f, podi_input_t *input, unsigned uses, json_t *seen)
{
    podi_str_t  bytes, text, data = podi_null_str;

    if (input->bytes > PODI_PROVIDER_BODY_MAX * 3 / 4) {
        return podi_fail(&f->fail, PODI_E_MEDIA_TOO_LARGE, NULL,
                         "it is too large to be sent along");
    }

    bytes.len = (size_t) input->bytes;
    bytes.data = podi_mem_alloc(f->mem, bytes.len + 1);

    if (bytes.data == NULL) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if (pread(input->fd, bytes.data, bytes.len, 0) != (ssize_t) bytes.len) {
        return podi_fail(&f->fail, PODI_E_STORE_FAILED, NULL,
                         "an input is shorter than was said");
    }

    if (podi_base64_encode(f->mem, &bytes, &text) != PODI_OK
        || ((uses & PODI_PROVIDER_INPUT_DATA)
            && podi_mem_printf(f->mem, &data, "data:" PODI_STR_FMT ";base64,"
                               PODI_STR_FMT, podi_str_arg(&input->type),
                               podi_str_arg(&text)) != PODI_OK)
        || !input_set_text(seen, "base64", &text,
                           uses & PODI_PROVIDER_INPUT_BASE64)
        || !input_set_text(seen, "data_url", &data,
                           uses & PODI_PROVIDER_INPUT_DATA))
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}


/* megabytes of what we have made ourselves, if they are wanted: not checked */

static int
input_set_text(json_t *seen, const char *name, const podi_str_t *s,
    unsigned is_wanted)
{
    return !is_wanted
           || json_object_set_new(seen, name,
                                  json_stringn_nocheck((char *) s->data,
                                                       s->len)) == 0;
}
