/*
 * podi_setting_value: one value against its row.
 */

#include <string.h>

#include "podi_setting.h"
#include "banned.h"

typedef struct {
    const char  *suffix;
    uint64_t     factor;
} setting_unit_t;


static podi_rc_t setting_range(const podi_setting_t *row, const char *value,
    int store, podi_str_t *ret_wrong, podi_mem_t *mem);
static podi_rc_t setting_number(podi_setting_e type, const char *text,
    uint64_t *ret_n);


static const setting_unit_t  setting_times[] = {
    { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 },
    { "d", 86400000 }, { NULL, 0 }
};

static const setting_unit_t  setting_sizes[] = {
    { "", 1 }, { "k", 1024 }, { "m", 1048576 }, { "g", 1073741824 },
    { NULL, 0 }
};


podi_rc_t
podi_setting_value(const podi_setting_t *row, const char *value, int store,
    podi_str_t *ret_wrong, podi_mem_t *mem)
{
    switch (row->type) {

    case PODI_TEXT:
    case PODI_PATH:
        if (row->min != NULL && value[0] == '\0') {
            *ret_wrong = podi_str_c("it must be given");
            return PODI_ERROR;
        }

        if (row->type == PODI_PATH && value[0] != '\0' && value[0] != '/') {
            *ret_wrong = podi_str_c("write an absolute path");
            return PODI_ERROR;
        }

        if (store) {
            *(const char **) row->where = value;
        }

        return PODI_OK;

    case PODI_BOOL:
        if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0) {
            *ret_wrong = podi_str_c("write on or off");
            return PODI_ERROR;
        }

        if (store) {
            *(int *) row->where = (value[1] == 'n');
        }

        return PODI_OK;

    default:
        return setting_range(row, value, store, ret_wrong, mem);
    }
}


static podi_rc_t
setting_range(const podi_setting_t *row, const char *value, int store,
    podi_str_t *ret_wrong, podi_mem_t *mem)
{
    uint64_t  n, min, max;

    min = 0;
    max = INT64_MAX;

    if (setting_number(row->type, value, &n) != PODI_OK
        || (row->min != NULL
            && setting_number(row->type, row->min, &min) != PODI_OK)
        || (row->max != NULL
            && setting_number(row->type, row->max, &max) != PODI_OK)
        || n < min || n > max)
    {
        if (podi_mem_printf(mem, ret_wrong, "write a %s from %s to %s",
                            row->type == PODI_MSEC ? "time (ms s m h d)"
                            : row->type == PODI_SIZE ? "size (k m g)"
                            : "number",
                            row->min != NULL ? row->min : "0",
                            row->max != NULL ? row->max : "any") != PODI_OK)
        {
            *ret_wrong = podi_str_c("out of range");
        }

        return PODI_ERROR;
    }

    if (!store) {
        return PODI_OK;
    }

    if (row->type == PODI_INT) {
        *(int64_t *) row->where = (int64_t) n;

    } else {
        *(uint64_t *) row->where = n;       /* podi_msec_t is one, too */
    }

    return PODI_OK;
}


static podi_rc_t
setting_number(podi_setting_e type, const char *text, uint64_t *ret_n)
{
    size_t                 digits;
    int64_t                n;
    podi_str_t             s;
    const setting_unit_t  *unit;

    digits = strspn(text, "0123456789");

    s.data = (unsigned char *) text;
    s.len = digits;

    if (digits == 0 || podi_str_to_int64(&s, &n) != PODI_OK) {
        return PODI_ERROR;
    }

    if (type == PODI_INT) {
        *ret_n = (uint64_t) n;
        return text[digits] == '\0' ? PODI_OK : PODI_ERROR;
    }

    unit = (type == PODI_MSEC) ? setting_times : setting_sizes;

    for ( /* void */ ; unit->suffix != NULL; unit++) {
        if (strcmp(text + digits, unit->suffix) == 0
            && (uint64_t) n <= INT64_MAX / unit->factor)
        {
            *ret_n = (uint64_t) n * unit->factor;
            return PODI_OK;
        }
    }

    return PODI_ERROR;
}
