/*
 * podi_picture: what the process of a picture said, as an answer.
 *
 * It may have been broken: what it says is input like any other.
 */

#include <stdio.h>
#include <string.h>

#include "podi_json.h"
#include "podi_picture.h"
#include "banned.h"

#define REPLY_SIDE_MAX  65535

typedef struct {
    podi_str_t   error;
    podi_str_t   detail;
    podi_str_t   type;
    int64_t      width;
    int64_t      height;
    int64_t      source_width;
    int64_t      source_height;
} reply_t;


static const podi_json_field_t  reply_fields[] = {
    { "error", PODI_JSON_STR, offsetof(reply_t, error), 0, 0, 64, "" },
    { "detail", PODI_JSON_STR, offsetof(reply_t, detail), 0, 0, 512, "" },
    { "type", PODI_JSON_STR, offsetof(reply_t, type), 0, 0, 64, "" },
    { "width", PODI_JSON_INT64, offsetof(reply_t, width), 0, 0,
      REPLY_SIDE_MAX, "0" },
    { "height", PODI_JSON_INT64, offsetof(reply_t, height), 0, 0,
      REPLY_SIDE_MAX, "0" },
    { "source_width", PODI_JSON_INT64, offsetof(reply_t, source_width), 0,
      0, REPLY_SIDE_MAX, "0" },
    { "source_height", PODI_JSON_INT64, offsetof(reply_t, source_height),
      0, 0, REPLY_SIDE_MAX, "0" },
    podi_null_json_field
};


podi_rc_t
podi_picture_reply(const podi_str_t *text, podi_mem_t *mem,
    podi_picture_answer_t *answer)
{
    json_t             *json;
    reply_t             reply;
    podi_fail_t         fail;
    podi_json_limit_t   limit = { PODI_PICTURE_REPLY_MAX, 2 };

    memset(&reply, 0, sizeof(reply_t));

    if (podi_json_parse(text, &limit, mem, &json, &fail) != PODI_OK
        || !json_is_object(json)
        || podi_json_read(json, reply_fields, &reply, &fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (reply.error.len > 0) {
        answer->error = podi_error_by_code(&reply.error);
        (void) snprintf(answer->detail, sizeof(answer->detail), PODI_STR_FMT,
                        podi_str_arg(&reply.detail));
        return answer->error != PODI_E_NONE ? PODI_OK : PODI_ERROR;
    }

    answer->type = podi_media_by_mime(&reply.type);
    answer->width = reply.width;
    answer->height = reply.height;
    answer->source_width = reply.source_width;
    answer->source_height = reply.source_height;

    return (answer->type != PODI_MEDIA_UNKNOWN && reply.width > 0
            && reply.height > 0 && reply.source_width > 0
            && reply.source_height > 0) ? PODI_OK : PODI_ERROR;
}
