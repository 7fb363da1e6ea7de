/*
 * picture_ask: what the process is asked, and what it answers.
 *
 *     {"parent":123,"max_pixels":...,"max_dimension":...,"cpu":30,
 *      "memory":...,"result_max":...,"seccomp":true}
 *     {"action":"image.resize","params":{...},"inputs":1}
 */

#include <string.h>
#include <unistd.h>

#include "podi_buf.h"
#include "podi_json.h"
#include "podi_str.h"
#include "picture.h"
#include "banned.h"

#define ASK_THUMBNAIL        320        /* pixels, of media.check */
#define ASK_PREVIEW_QUALITY  80

typedef struct {
    podi_str_t         action;
    json_t            *params;
    int64_t            inputs;
} ask_t;

typedef struct {
    int64_t      width;
    int64_t      height;
    int64_t      quality;
    int64_t      size;
    podi_str_t   fit;
    podi_str_t   format;
    int64_t      columns;
    int64_t      cell;
    int64_t      gap;
    podi_str_t   background;
} ask_params_t;


static podi_rc_t ask_resize(picture_t *p, const ask_params_t *params);
static podi_rc_t ask_montage(picture_t *p, const ask_params_t *params);
static podi_rc_t ask_fit(picture_t *p, const podi_str_t *fit);
static podi_rc_t ask_format(picture_t *p, const podi_str_t *format);
static void ask_preview(picture_t *p, int64_t size);


static const podi_json_field_t  ask_limit_fields[] = {
    { "parent", PODI_JSON_INT64, offsetof(picture_limits_t, parent),
      PODI_JSON_REQUIRED, 1, INT32_MAX, NULL },
    { "max_pixels", PODI_JSON_INT64, offsetof(picture_limits_t, max_pixels),
      PODI_JSON_REQUIRED, 1, INT64_MAX, NULL },
    { "max_dimension", PODI_JSON_INT64,
      offsetof(picture_limits_t, max_dimension), PODI_JSON_REQUIRED, 1, 65535,
      NULL },
    { "cpu", PODI_JSON_INT64, offsetof(picture_limits_t, cpu),
      PODI_JSON_REQUIRED, 1, 3600, NULL },
    { "memory", PODI_JSON_INT64, offsetof(picture_limits_t, memory),
      PODI_JSON_REQUIRED, 1, INT64_MAX, NULL },
    { "result_max", PODI_JSON_INT64, offsetof(picture_limits_t, result_max),
      PODI_JSON_REQUIRED, 1, INT64_MAX, NULL },
    { "seccomp", PODI_JSON_BOOL, offsetof(picture_limits_t, seccomp),
      PODI_JSON_REQUIRED, 0, 0, NULL },
    podi_null_json_field
};

static const podi_json_field_t  ask_fields[] = {
    { "action", PODI_JSON_STR, offsetof(ask_t, action), PODI_JSON_REQUIRED,
      1, 64, NULL },
    { "params", PODI_JSON_OBJECT, offsetof(ask_t, params),
      PODI_JSON_REQUIRED, 0, 0, NULL },
    { "inputs", PODI_JSON_INT64, offsetof(ask_t, inputs), 0, 1,
      PODI_PICTURE_INPUTS_MAX, "1" },
    podi_null_json_field
};

static const podi_json_field_t  ask_params_fields[] = {
    { "width", PODI_JSON_INT64, offsetof(ask_params_t, width), 0, 1, 65535,
      NULL },
    { "height", PODI_JSON_INT64, offsetof(ask_params_t, height), 0, 1, 65535,
      NULL },
    { "size", PODI_JSON_INT64, offsetof(ask_params_t, size), 0, 1, 65535,
      "256" },
    { "quality", PODI_JSON_INT64, offsetof(ask_params_t, quality), 0, 1, 100,
      "85" },
    { "fit", PODI_JSON_STR, offsetof(ask_params_t, fit), 0, 1, 16,
      "contain" },
    { "format", PODI_JSON_STR, offsetof(ask_params_t, format), 0, 1, 16,
      "keep" },
    { "columns", PODI_JSON_INT64, offsetof(ask_params_t, columns), 0, 1,
      PODI_PICTURE_INPUTS_MAX, NULL },
    { "cell", PODI_JSON_INT64, offsetof(ask_params_t, cell), 0, 1, 65535,
      "512" },
    { "gap", PODI_JSON_INT64, offsetof(ask_params_t, gap), 0, 0, 65535,
      "8" },
    { "background", PODI_JSON_STR, offsetof(ask_params_t, background), 0, 7,
      7, "#ffffff" },
    podi_null_json_field
};


podi_rc_t
picture_ask_limits(const podi_str_t *text, podi_mem_t *mem, picture_t *p)
{
    json_t            *json;
    podi_json_limit_t  limit = { text->len, 0 };

    if (podi_json_parse(text, &limit, mem, &json, &p->fail) != PODI_OK) {
        return PODI_ERROR;
    }

    return podi_json_read(json, ask_limit_fields, &p->limits, &p->fail);
}


podi_rc_t
picture_ask(const podi_str_t *text, podi_mem_t *mem, picture_t *p)
{
    ask_t              ask;
    json_t            *json;
    ask_params_t       params;
    podi_json_limit_t  limit = { text->len, 0 };

    memset(&ask, 0, sizeof(ask_t));
    memset(&params, 0, sizeof(ask_params_t));

    if (podi_json_parse(text, &limit, mem, &json, &p->fail) != PODI_OK
        || podi_json_read(json, ask_fields, &ask, &p->fail) != PODI_OK
        || podi_json_read(ask.params, ask_params_fields, &params, &p->fail)
           != PODI_OK)
    {
        return PODI_ERROR;
    }

    p->inputs = ask.inputs;
    p->quality = (int) params.quality;

    if (podi_str_eq_c(&ask.action, "image.resize")) {
        return ask_resize(p, &params);
    }

    if (podi_str_eq_c(&ask.action, "image.convert")) {
        p->action = PICTURE_CONVERT;
        return ask_format(p, &params.format);
    }

    if (podi_str_eq_c(&ask.action, "image.thumbnail")) {
        p->action = PICTURE_THUMBNAIL;
        ask_preview(p, params.size);
        return PODI_OK;
    }

    if (podi_str_eq_c(&ask.action, "image.montage")) {
        return ask_montage(p, &params);
    }

    if (podi_str_eq_c(&ask.action, "media.check")) {
        p->action = PICTURE_CHECK;
        ask_preview(p, ASK_THUMBNAIL);
        return PODI_OK;
    }

    if (podi_str_eq_c(&ask.action, "media.strip")) {
        p->action = PICTURE_STRIP;
        return PODI_OK;
    }

    return podi_fail(&p->fail, PODI_E_UNKNOWN_ACTION, NULL, "no such action");
}


/* with one side, the other follows: there is nothing to crop or stretch */

static podi_rc_t
ask_resize(picture_t *p, const ask_params_t *params)
{
    p->action = PICTURE_RESIZE;
    p->width = params->width;
    p->height = params->height;

    if (p->width == 0 && p->height == 0) {
        return podi_fail(&p->fail, PODI_E_BAD_FIELD, "width",
                         "a width or a height is needed");
    }

    if (ask_fit(p, &params->fit) != PODI_OK) {
        return PODI_ERROR;
    }

    if (p->width == 0 || p->height == 0) {
        p->fit = PICTURE_CONTAIN;
    }

    return ask_format(p, &params->format);
}


static podi_rc_t
ask_montage(picture_t *p, const ask_params_t *params)
{
    podi_str_t  hex = params->background;

    p->action = PICTURE_MONTAGE;
    p->columns = params->columns;
    p->cell = params->cell;
    p->gap = params->gap;

    hex.data++;
    hex.len--;

    if (params->background.data[0] != '#'
        || podi_hex_decode(p->background, sizeof(p->background), &hex)
           != PODI_OK)
    {
        return podi_fail(&p->fail, PODI_E_BAD_FIELD, "background",
                         "it is written #rrggbb");
    }

    if (ask_fit(p, &params->fit) != PODI_OK) {
        return PODI_ERROR;
    }

    return ask_format(p, &params->format);
}


static podi_rc_t
ask_fit(picture_t *p, const podi_str_t *fit)
{
    if (podi_str_eq_c(fit, "contain")) {
        p->fit = PICTURE_CONTAIN;

    } else if (podi_str_eq_c(fit, "cover")) {
        p->fit = PICTURE_COVER;

    } else if (podi_str_eq_c(fit, "fill")) {
        p->fit = PICTURE_FILL;

    } else {
        return podi_fail(&p->fail, PODI_E_BAD_FIELD, "fit", "no such fit");
    }

    return PODI_OK;
}


static podi_rc_t
ask_format(picture_t *p, const podi_str_t *format)
{
    unsigned  i;

    static const struct {
        const char    *name;
        podi_media_e   type;
    } formats[] = {
        { "keep", PODI_MEDIA_UNKNOWN },
        { "jpeg", PODI_MEDIA_JPEG },
        { "png", PODI_MEDIA_PNG },
        { "webp", PODI_MEDIA_WEBP },
    };

    for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (podi_str_eq_c(format, formats[i].name)) {
            p->format = formats[i].type;
            return PODI_OK;
        }
    }

    return podi_fail(&p->fail, PODI_E_BAD_FIELD, "format", "no such format");
}


static void
ask_preview(picture_t *p, int64_t size)
{
    p->width = size;
    p->height = size;
    p->shrink_only = 1;
    p->format = PODI_MEDIA_WEBP;
    p->quality = ASK_PREVIEW_QUALITY;
}


void
picture_answer(const picture_t *p)
{
    size_t         done;
    ssize_t        n;
    podi_buf_t     b;
    podi_str_t     text;
    podi_arena_t  *arena;

    arena = podi_arena_create();
    if (arena == NULL) {
        _exit(PODI_PICTURE_EXIT_MEMORY);
    }

    podi_buf_init(&b, podi_arena_mem(arena));

    if (p->made != PODI_MEDIA_UNKNOWN) {
        podi_buf_printf(&b, "{\"type\":\"%s\",\"width\":%lld,\"height\":%lld,"
                        "\"source_width\":%lld,\"source_height\":%lld}\n",
                        podi_media_mime(p->made), (long long) p->made_width,
                        (long long) p->made_height,
                        (long long) p->source_width,
                        (long long) p->source_height);

    } else {
        text = podi_str_c(p->fail.detail);

        podi_buf_printf(&b, "{\"error\":\"%s\",\"detail\":",
                        podi_error(p->fail.error)->code);
        podi_buf_add_json(&b, &text);
        podi_buf_add_c(&b, "}\n");
    }

    if (podi_buf_take(&b, &text) != PODI_OK) {
        _exit(PODI_PICTURE_EXIT_MEMORY);
    }

    for (done = 0; done < text.len; done += (size_t) n) {
        n = write(STDOUT_FILENO, text.data + done, text.len - done);

        if (n <= 0) {
            _exit(PODI_PICTURE_EXIT_USAGE);
        }
    }

    podi_arena_free(&arena);
}
