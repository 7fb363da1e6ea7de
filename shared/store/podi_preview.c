/*
 * podi_preview: a picture of a job's work in progress, kept in Redis.
 *
 *     put -> SET .. PX     drop -> DEL     get -> GET
 *
 * Promises: never waits to put or drop; when Redis is behind, nothing is put,
 * so that pictures never stand before what matters.
 */

#include <string.h>

#include "podi_preview.h"
#include "banned.h"

#define PREVIEW_LIFE    "300000"        /* ms */
#define PREVIEW_BEHIND  64              /* commands that wait for answers */


static int preview_ends(const podi_str_t *image, const podi_str_t *end);
static podi_rc_t preview_key(podi_mem_t *mem, const podi_str_t *job_id,
    podi_str_t *ret_key);


podi_media_e
podi_preview_type(const podi_str_t *image)
{
    podi_str_t                head = *image;
    static const podi_str_t   jpeg = podi_string("\xff\xd9");
    static const podi_str_t   png = podi_string("IEND\xae" "B`\x82");

    if (image->len > PODI_PREVIEW_MAX) {
        return PODI_MEDIA_UNKNOWN;
    }

    head.len = head.len < PODI_SNIFF_LEN ? head.len : PODI_SNIFF_LEN;

    switch (podi_sniff(&head)) {

    case PODI_MEDIA_JPEG:
        return preview_ends(image, &jpeg) ? PODI_MEDIA_JPEG
                                          : PODI_MEDIA_UNKNOWN;

    case PODI_MEDIA_PNG:
        return preview_ends(image, &png) ? PODI_MEDIA_PNG
                                         : PODI_MEDIA_UNKNOWN;

    default:
        return PODI_MEDIA_UNKNOWN;
    }
}


static int
preview_ends(const podi_str_t *image, const podi_str_t *end)
{
    return image->len > end->len
           && memcmp(image->data + image->len - end->len, end->data, end->len)
              == 0;
}


podi_rc_t
podi_preview_put(podi_redis_t *redis, podi_mem_t *mem,
    const podi_str_t *job_id, const podi_str_t *image)
{
    podi_str_t  argv[5];

    if (podi_redis_in_flight(redis) > PREVIEW_BEHIND) {
        return PODI_DECLINED;
    }

    argv[0] = podi_str_c("SET");
    argv[2] = *image;
    argv[3] = podi_str_c("PX");
    argv[4] = podi_str_c(PREVIEW_LIFE);

    return preview_key(mem, job_id, &argv[1]) == PODI_OK
           ? podi_redis_send(redis, 5, argv) : PODI_ERROR;
}


podi_rc_t
podi_preview_drop(podi_redis_t *redis, podi_mem_t *mem,
    const podi_str_t *job_id)
{
    podi_str_t  argv[2];

    argv[0] = podi_str_c("DEL");

    return preview_key(mem, job_id, &argv[1]) == PODI_OK
           ? podi_redis_send(redis, 2, argv) : PODI_ERROR;
}


podi_rc_t
podi_preview_get(podi_redis_t *redis, podi_flow_t *f,
    const podi_str_t *job_id)
{
    podi_str_t  argv[2];

    argv[0] = podi_str_c("GET");

    if (preview_key(f->mem, job_id, &argv[1]) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return podi_redis_command(redis, f, 2, argv);
}


static podi_rc_t
preview_key(podi_mem_t *mem, const podi_str_t *job_id, podi_str_t *ret_key)
{
    return podi_mem_printf(mem, ret_key, "podi:preview:" PODI_STR_FMT,
                           podi_str_arg(job_id));
}
