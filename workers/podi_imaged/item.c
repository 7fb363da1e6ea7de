/*
 * item: what image.* and media.check have in common: inputs, a file for each,
 * one result named by its digest.
 */

#include <string.h>

#include "podi_json.h"
#include "imaged.h"
#include "banned.h"


static podi_str_t item_text(const json_t *input, const char *name);


podi_rc_t
imaged_item_open(podi_flow_t *f, podi_job_t *job, imaged_item_t *item)
{
    if (imaged_item_input(f, job, 0, item) != PODI_OK) {
        return PODI_ERROR;
    }

    return imaged_work_file(job->mem, &item->out, &f->fail);
}


podi_rc_t
imaged_item_input(podi_flow_t *f, podi_job_t *job, size_t place,
    imaged_item_t *item)
{
    json_t  *input;

    input = json_array_get(job->inputs, place);

    item->media_id = item_text(input, "media_id");
    item->store_name = item_text(input, "store");
    item->key = item_text(input, "object_key");
    item->type = item_text(input, "type");
    item->sha256 = item_text(input, "sha256");
    item->name = item_text(input, "name");
    item->bytes = json_integer_value(json_object_get(input, "bytes"));

    if (item->media_id.len == 0 || !podi_object_key_is_plain(&item->key)) {
        return podi_fail(&f->fail, PODI_E_BAD_REQUEST, NULL,
                         "the job has no input that can be fetched");
    }

    item->store = podi_objects_find(&imaged.stores, &item->store_name);

    if (item->store == NULL) {
        return podi_fail(&f->fail, PODI_E_CONFIG, NULL,
                         "stores does not name \"" PODI_STR_FMT "\"",
                         podi_str_arg(&item->store_name));
    }

    return imaged_work_file(job->mem, &item->in, &f->fail);
}


podi_rc_t
imaged_item_fetched(podi_flow_t *f, podi_job_t *job, imaged_item_t *item)
{
    podi_str_t          detail, sha256;
    podi_error_e        error;
    podi_http_reply_t  *reply = f->result;

    error = imaged_transfer_fault(f, "fetching", item->store, &detail);

    if (error == PODI_E_BODY_TOO_LARGE) {
        error = PODI_E_MEDIA_TOO_LARGE;
    }

    if (error != PODI_E_NONE) {
        return imaged_end(job, error, 0, &detail);
    }

    sha256.data = reply->sha256;
    sha256.len = sizeof(reply->sha256);

    if (item->sha256.len > 0 && !podi_str_eq(&item->sha256, &sha256)) {
        return podi_job_retry(job, PODI_E_STORE_FAILED,
                              "the store gave other bytes than were stored");
    }

    if (imaged_work_sniff(item->in) != podi_media_by_mime(&item->type)) {
        return podi_job_fail(job, PODI_E_PICTURE_INVALID,
                             "the picture is not " PODI_STR_FMT,
                             podi_str_arg(&item->type));
    }

    return PODI_OK;
}


static podi_str_t
item_text(const json_t *input, const char *name)
{
    return podi_json_str(json_object_get(input, name));
}


podi_rc_t
imaged_item_key(podi_flow_t *f, podi_job_t *job, const imaged_digest_t *made,
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
imaged_end(podi_job_t *job, podi_error_e error, int final,
    const podi_str_t *detail)
{
    if (final || podi_error(error)->retry != PODI_RETRY_LATER) {
        return podi_job_fail(job, error, PODI_STR_FMT, podi_str_arg(detail));
    }

    return podi_job_retry(job, error, PODI_STR_FMT, podi_str_arg(detail));
}
