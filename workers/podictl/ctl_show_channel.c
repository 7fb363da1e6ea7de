/*
 * ctl_show: channels, with what podictl channel has put over them.
 *
 *     podi_channel NAME { ... } -> rows -> a row of podi.channel over them
 *         -> what nobody says
 */

#include <string.h>

#include "ctl_show.h"
#include "podi_buf.h"
#include "podi_json.h"
#include "banned.h"

#define SHOW_SETTINGS_MAX  (64 * 1024)


static podi_rc_t show_lines(ctl_show_t *s, const podi_directive_t *d);
static podi_rc_t show_row(ctl_show_t *s, const podi_pg_result_t *res,
    int row);
static podi_rc_t show_settings(ctl_show_t *s, ctl_show_row_t *row,
    const json_t *settings);
static podi_rc_t show_put(ctl_show_t *s, const ctl_show_row_t *row);
static podi_rc_t show_value(ctl_show_t *s, const char *setting,
    const json_t *value, podi_str_t *ret_text);
static podi_rc_t show_presets(ctl_show_t *s);


static const struct {
    const char  *setting;
    const char  *value;
}  show_channel_presets[] = {
    { "tenant", "podi_tenant of the place" },
    { "origins", "none of its own" },
    { "max_role", "any" },
    { "actions", "any" },
    { "upload_max", "of the place" },
    { "upload_types", "of the place" },
    { "plan", "none" },
    { "price_list", "its name" },
    { "kill", "off" },
    { NULL, NULL }
};


podi_rc_t
ctl_show_channels(ctl_show_t *s, const podi_pg_result_t *res)
{
    if (ctl_show_directives(s, "podi_channel", show_lines) != PODI_OK
        || ctl_show_rows(s, res, show_row) != PODI_OK)
    {
        return PODI_ERROR;
    }

    return show_presets(s);
}


/* a key's digest tells nobody anything, and fills the line */

static podi_rc_t
show_lines(ctl_show_t *s, const podi_directive_t *d)
{
    podi_rc_t                rc;
    podi_str_t               value;
    const podi_directive_t  *line;

    for (line = d->first; line != NULL; line = line->next) {

        rc = podi_directive_is(line, "app_key_sha256")
             ? podi_mem_printf(s->mem, &value, "%zu digests", line->n - 1)
             : ctl_show_words(s, line, 1, &value);

        if (rc != PODI_OK
            || ctl_show_file(s, "channel", &d->words[1], &line->words[0],
                             &value, line) != PODI_OK)
        {
            return podi_fail(s->fail, PODI_E_INTERNAL, NULL, "no memory");
        }
    }

    return PODI_OK;
}


static podi_rc_t
show_row(ctl_show_t *s, const podi_pg_result_t *res, int row)
{
    json_t            *settings;
    podi_str_t         text, changed;
    ctl_show_row_t     put;
    podi_json_limit_t  limit = { SHOW_SETTINGS_MAX, 0 };

    memset(&put, 0, sizeof(ctl_show_row_t));

    put.section = "channel";
    put.name = podi_row_str(res, row, "channel");
    put.from = CTL_SHOW_DATABASE;
    text = podi_row_str(res, row, "settings");
    changed = podi_row_str(res, row, "changed_at");

    if (podi_mem_printf(s->mem, &put.origin, "podi.channel, "
                        PODI_STR_FMT "%s", podi_str_arg(&changed),
                        ctl_show_is_on(s, "podi_channel_overlay")
                        ? "" : ": not in force, podi_channel_overlay is off")
        != PODI_OK)
    {
        return podi_fail(s->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if (podi_json_parse(&text, &limit, s->mem, &settings, s->fail) != PODI_OK
        || show_settings(s, &put, settings) != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (!podi_row_bool(res, row, "killed")) {
        return PODI_OK;
    }

    put.setting = podi_str_c("kill");
    put.value = podi_str_c("on");

    return show_put(s, &put);
}


static podi_rc_t
show_settings(ctl_show_t *s, ctl_show_row_t *row, const json_t *settings)
{
    void        *at;
    json_t      *all;
    const char  *name;

    all = (json_t *) (uintptr_t) settings;

    for (at = json_object_iter(all); at != NULL;
         at = json_object_iter_next(all, at))
    {
        name = json_object_iter_key(at);
        row->setting = podi_str_c(name);

        if (show_value(s, name, json_object_iter_value(at), &row->value)
            != PODI_OK
            || show_put(s, row) != PODI_OK)
        {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


/* in the place of the line; one that is not in force stands beside it */

static podi_rc_t
show_put(ctl_show_t *s, const ctl_show_row_t *row)
{
    char             setting[64];
    ctl_show_row_t  *below;

    if (row->setting.len >= sizeof(setting)) {
        return ctl_show_add(s, row);
    }

    memcpy(setting, row->setting.data, row->setting.len);
    setting[row->setting.len] = '\0';

    below = ctl_show_find(s, "channel", &row->name, setting);

    if (below == NULL || !ctl_show_is_on(s, "podi_channel_overlay")) {
        return ctl_show_add(s, row);
    }

    below->from = row->from;
    below->origin = row->origin;

    return (podi_mem_dup(s->mem, &row->value, &below->value) == PODI_OK)
           ? PODI_OK
           : podi_fail(s->fail, PODI_E_INTERNAL, NULL, "no memory");
}


static podi_rc_t
show_value(ctl_show_t *s, const char *setting, const json_t *value,
    podi_str_t *ret_text)
{
    size_t        i, n;
    podi_buf_t    b;
    const json_t *one;

    podi_buf_init(&b, s->mem);
    n = json_is_array(value) ? json_array_size(value) : 1;

    if (strcmp(setting, "app_key_sha256") == 0) {
        podi_buf_printf(&b, "%zu digests", n);
        n = 0;
    }

    for (i = 0; i < n; i++) {
        one = json_is_array(value) ? json_array_get(value, i) : value;

        podi_buf_add_c(&b, i == 0 ? "" : " ");
        podi_buf_add_c(&b, json_is_string(one) ? json_string_value(one)
                                               : "?");
    }

    return (podi_buf_take(&b, ret_text) == PODI_OK)
           ? PODI_OK
           : podi_fail(s->fail, PODI_E_INTERNAL, NULL, "no memory");
}


/* of each channel that there is */

static podi_rc_t
show_presets(ctl_show_t *s)
{
    int                    i;
    podi_str_t             name;
    const ctl_show_row_t  *r;

    for (r = s->first; r != NULL; r = r->next) {

        if (strcmp(r->section, "channel") != 0) {
            continue;
        }

        name = r->name;

        for (i = 0; show_channel_presets[i].setting != NULL; i++) {
            if (ctl_show_find(s, "channel", &name,
                              show_channel_presets[i].setting) == NULL
                && ctl_show_preset(s, "channel", &name,
                                   show_channel_presets[i].setting,
                                   show_channel_presets[i].value) != PODI_OK)
            {
                return PODI_ERROR;
            }
        }
    }

    return PODI_OK;
}
