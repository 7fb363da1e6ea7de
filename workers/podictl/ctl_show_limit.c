/*
 * ctl_show: limits, with what podictl limit has put over their rates.
 *
 *     podi_limit_zone -> rows, what it does not say -> podi_limit_plan
 *         -> rows of podi.limit_rate, in the place of those
 */

#include <string.h>

#include "ctl_show.h"
#include "podi_buf.h"
#include "banned.h"


static podi_rc_t show_zone(ctl_show_t *s, const podi_directive_t *d);
static podi_rc_t show_zone_presets(ctl_show_t *s, const podi_str_t *name);
static podi_rc_t show_plan(ctl_show_t *s, const podi_directive_t *d);
static podi_rc_t show_rate(ctl_show_t *s, const podi_pg_result_t *res,
    int row);
static podi_rc_t show_rate_put(ctl_show_t *s, const ctl_show_row_t *row,
    const char *setting, int in_force);


podi_rc_t
ctl_show_limits(ctl_show_t *s, const podi_pg_result_t *res)
{
    if (ctl_show_directives(s, "podi_limit_zone", show_zone) != PODI_OK
        || ctl_show_directives(s, "podi_limit_plan", show_plan) != PODI_OK)
    {
        return PODI_ERROR;
    }

    return ctl_show_rows(s, res, show_rate);
}


/* "podi_limit_zone [name=]member 8m key=user rate=5r/s burst=20" */

static podi_rc_t
show_zone(ctl_show_t *s, const podi_directive_t *d)
{
    size_t       i;
    podi_str_t   name, setting, value;

    name = podi_str_c(podi_directive_word(d, 1));

    if (podi_str_has_prefix(&name, "name=")) {
        name.data += sizeof("name=") - 1;
        name.len -= sizeof("name=") - 1;
    }

    for (i = 2; i < d->n; i++) {
        value = d->words[i];
        setting = podi_str_c("size");

        if (i > 2) {
            (void) podi_str_split(&value, '=', &setting);
        }

        if (ctl_show_file(s, "limit", &name, &setting, &value, d) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    return show_zone_presets(s, &name);
}


static podi_rc_t
show_zone_presets(ctl_show_t *s, const podi_str_t *name)
{
    int                         i;
    const ctl_show_row_t       *mode, *rate;
    static const struct {
        const char  *setting;
        const char  *value;
        int          remote;
        int          rated;
    }  presets[] = {
        { "burst", "1", 0, 1 },
        { "missing", "ip", 0, 0 },
        { "mode", "local", 0, 0 },
        { "on_failure", "open", 0, 0 },
        { "nodes", "1", 1, 0 },
        { NULL, NULL, 0, 0 }
    };

    mode = ctl_show_find(s, "limit", name, "mode");
    rate = ctl_show_find(s, "limit", name, "rate");

    for (i = 0; presets[i].setting != NULL; i++) {

        if (ctl_show_find(s, "limit", name, presets[i].setting) != NULL
            || (presets[i].rated && rate == NULL)
            || (presets[i].remote
                && (mode == NULL || podi_str_eq_c(&mode->value, "local"))))
        {
            continue;
        }

        if (ctl_show_preset(s, "limit", name, presets[i].setting,
                            presets[i].value)
            != PODI_OK)
        {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


/* "podi_limit_plan member pro rate=50r/s burst=200" */

static podi_rc_t
show_plan(ctl_show_t *s, const podi_directive_t *d)
{
    podi_str_t  setting, value;

    if (podi_mem_printf(s->mem, &setting, "plan %s",
                        podi_directive_word(d, 2))
        != PODI_OK)
    {
        return podi_fail(s->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if (ctl_show_words(s, d, 3, &value) != PODI_OK) {
        return PODI_ERROR;
    }

    return ctl_show_file(s, "limit", &d->words[1], &setting, &value, d);
}


static podi_rc_t
show_rate(ctl_show_t *s, const podi_pg_result_t *res, int row)
{
    int              in_force;
    podi_str_t       kind, issuer, tenant, subject, login, changed;
    const char      *why;
    ctl_show_row_t   put;

    memset(&put, 0, sizeof(ctl_show_row_t));

    kind = podi_row_str(res, row, "kind");
    issuer = podi_row_str(res, row, "issuer");
    tenant = podi_row_str(res, row, "tenant");
    subject = podi_row_str(res, row, "subject");
    login = podi_row_str(res, row, "login");
    changed = podi_row_str(res, row, "changed_at");

    put.section = "limit";
    put.name = podi_row_str(res, row, "zone");
    put.value = podi_row_str(res, row, "terms");
    put.from = CTL_SHOW_DATABASE;

    why = !ctl_show_is_on(s, "podi_limit_rates")
          ? ": not in force, podi_limit_rates is off"
          : ctl_show_find(s, "limit", &put.name, "size") == NULL
          ? ": not in force, there is no such podi_limit_zone" : "";
    in_force = (why[0] == '\0');

    if (podi_mem_printf(s->mem, &put.origin, "podi.limit_rate, "
                        PODI_STR_FMT "%s", podi_str_arg(&changed), why)
        != PODI_OK
        || podi_mem_printf(s->mem, &put.setting, PODI_STR_FMT " " PODI_STR_FMT
                           "%s" PODI_STR_FMT "%s" PODI_STR_FMT "%s"
                           PODI_STR_FMT "%s", podi_str_arg(&kind),
                           podi_str_arg(&issuer), issuer.len != 0 ? " " : "",
                           podi_str_arg(&tenant), tenant.len != 0 ? " " : "",
                           podi_str_arg(&subject), login.len != 0 ? " (" : "",
                           podi_str_arg(&login), login.len != 0 ? ")" : "")
           != PODI_OK)
    {
        return podi_fail(s->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return show_rate_put(s, &put, (const char *) put.setting.data, in_force);
}


static podi_rc_t
show_rate_put(ctl_show_t *s, const ctl_show_row_t *row, const char *setting,
    int in_force)
{
    ctl_show_row_t  *below;

    below = ctl_show_find(s, "limit", &row->name, setting);

    if (below == NULL || !in_force) {
        return ctl_show_add(s, row);
    }

    below->from = row->from;
    below->origin = row->origin;

    return (podi_mem_dup(s->mem, &row->value, &below->value) == PODI_OK)
           ? PODI_OK
           : podi_fail(s->fail, PODI_E_INTERNAL, NULL, "no memory");
}
