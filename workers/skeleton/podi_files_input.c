/*
 * podi_files: the inputs of a job, and the name of what was made of them.
 */

#include <string.h>

#include "podi_json.h"
#include "podi_files.h"
#include "banned.h"


static podi_str_t input_text(const json_t *json, const char *name);


podi_rc_t
podi_input_open(podi_flow_t *f, podi_job_t *job, podi_files_t *files,
    size_t place, podi_input_t *input)
{
    json_t  *json;

    json = json_array_get(job->inputs, place);

    input->media_id = input_text(json, "media_id");
    input->store_name = input_text(json, "store");
    input->key = input_text(json, "object_key");
    input->type = input_text(json, "type");
    input->sha256 = input_text(json, "sha256");
    input->name = input_text(json, "name");
    input->bytes = json_integer_value(json_object_get(json, "bytes"));

    if (input->media_id.len == 0 || !podi_object_key_is_plain(&input->key)) {
        return podi_fail(&f->fail, PODI_E_BAD_REQUEST, NULL,
                         "the job has no input that can be fetched");
    }

    input->store = podi_objects_find(&files->stores, &input->store_name);

    if (input->store == NULL) {
        return podi_fail(&f->fail, PODI_E_CONFIG, NULL,
                         "stores does not name \"" PODI_STR_FMT "\"",
                         podi_str_arg(&input->store_name));
    }

    return podi_files_temp(files, job->mem, &input->fd, &f->fail);
}


podi_rc_t
podi_input_fetch(podi_flow_t *f, podi_job_t *job, const podi_files_t *files,
    podi_input_t *input)
{
    return podi_files_get(f, job, files, input->store, &input->key, input->fd);
}


podi_rc_t
podi_input_fetched(podi_flow_t *f, podi_job_t *job, podi_input_t *input)
{
    podi_str_t          detail, sha256;
    podi_error_e        error;
    podi_http_reply_t  *reply = f->result;

    error = podi_files_fault(f, "fetching", input->store, &detail);

    if (error == PODI_E_BODY_TOO_LARGE) {
        error = PODI_E_MEDIA_TOO_LARGE;
    }

    if (error != PODI_E_NONE) {
        return podi_files_end(job, error, 0, &detail);
    }

    sha256.data = reply->sha256;
    sha256.len = sizeof(reply->sha256);

    if (input->sha256.len > 0 && !podi_str_eq(&input->sha256, &sha256)) {
        return podi_job_retry(job, PODI_E_STORE_FAILED,
                              "the store gave other bytes than were stored");
    }

    if (podi_files_sniff(input->fd) != podi_media_by_mime(&input->type)) {
        return podi_job_fail(job, PODI_E_PICTURE_INVALID,
                             "the picture is not " PODI_STR_FMT,
                             podi_str_arg(&input->type));
    }

    return PODI_OK;
}


static podi_str_t
input_text(const json_t *json, const char *name)
{
    return podi_json_str(json_object_get(json, name));
}


podi_rc_t
podi_files_key(podi_flow_t *f, podi_job_t *job, const podi_digest_t *made,
    const char *dir, podi_str_t *ret_key)
{
    if (podi_mem_printf(f->mem, ret_key, PODI_STR_FMT "/%s/%.*s.%s",
                        podi_str_arg(&job->tenant_id), dir,
                        (int) sizeof(made->sha256),
                        (const char *) made->sha256,
                        podi_media_suffix(made->type)) != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}


podi_rc_t
podi_files_end(podi_job_t *job, podi_error_e error, int final,
    const podi_str_t *detail)
{
    if (final || podi_error(error)->retry != PODI_RETRY_LATER) {
        return podi_job_fail(job, error, PODI_STR_FMT, podi_str_arg(detail));
    }

    return podi_job_retry(job, error, PODI_STR_FMT, podi_str_arg(detail));
}
