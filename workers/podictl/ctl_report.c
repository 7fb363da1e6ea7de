/*
 * ctl_report: what a day was.
 *
 *     report daily:  add up -> json: an object a tenant, all first
 *                              csv: the same as a table for a spreadsheet
 */

#include <stdio.h>
#include <string.h>

#include "podi_csv.h"
#include "podi_time.h"
#include "ctl.h"
#include "banned.h"

#define REPORT_DAY_LEN  10              /* 2026-12-31 */
#define REPORT_DAY      86400000000


static podi_rc_t report_ask(podi_flow_t *f, void *ctx);
static podi_rc_t report_tell(podi_flow_t *f, void *ctx);
static void report_json(podi_buf_t *b, const podi_pg_result_t *res, int row,
    const char *day);
static void report_csv(podi_buf_t *b, const podi_pg_result_t *res, int row,
    const char *day);


const podi_step_t  ctl_report_steps[] = {
    { "adding up the day", report_ask, 0 },
    { "telling", report_tell, 0 },
    podi_null_step
};

/* behind day and tenant; whole numbers all of them */
static const char *const  report_columns[] = {
    "granted", "frozen", "spent", "released", "lapsed", "refunded", "added",
    "taken", "attempts", "cost_micros", "losses", "loss_micros", NULL
};


static podi_rc_t
report_ask(podi_flow_t *f, void *ctx)
{
    ctl_t           *ctl = ctx;
    podi_str_t       text, day;
    podi_usec_t      t;
    unsigned char    yesterday[PODI_RFC3339_LEN];
    podi_pg_call_t   call;

    if (strcmp(ctl->values[1], "json") != 0
        && strcmp(ctl->values[1], "csv") != 0)
    {
        return podi_fail(&f->fail, PODI_E_BAD_FIELD, "format",
                         "json or csv");
    }

    if (ctl->values[0][0] == '\0') {
        podi_time_rfc3339(podi_time_now() - REPORT_DAY, yesterday);
        day.data = yesterday;
        day.len = REPORT_DAY_LEN;
        ctl->values[0] = podi_mem_dup_c(ctl->mem, &day);
    }

    if (ctl->values[0] == NULL
        || podi_mem_printf(f->mem, &text, "%sT00:00:00Z", ctl->values[0])
           != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if (podi_time_parse(&text, &t) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_BAD_FIELD, "day",
                         "write a day as 2026-12-31");
    }

    podi_pg_call_init(&call, PODI_SQL_REPORT_DAILY, f->mem);
    podi_arg_c(&call, ctl->values[0]);

    return podi_pg_call(ctl->pg, f, &call);
}


static podi_rc_t
report_tell(podi_flow_t *f, void *ctx)
{
    int         i, row, is_csv;
    ctl_t      *ctl = ctx;
    podi_buf_t  b;
    podi_str_t  text;

    is_csv = strcmp(ctl->values[1], "csv") == 0;
    podi_buf_init(&b, f->mem);

    if (is_csv) {
        podi_buf_add_c(&b, PODI_CSV_BOM "day,tenant");

        for (i = 0; report_columns[i] != NULL; i++) {
            podi_buf_printf(&b, ",%s", report_columns[i]);
        }

        podi_buf_add_c(&b, PODI_CSV_EOL);
    }

    for (row = 0; row < podi_rows(f->result); row++) {
        if (is_csv) {
            report_csv(&b, f->result, row, ctl->values[0]);

        } else {
            report_json(&b, f->result, row, ctl->values[0]);
        }
    }

    if (podi_buf_take(&b, &text) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    (void) fwrite(text.data, 1, text.len, stdout);

    return PODI_DONE;
}


static void
report_json(podi_buf_t *b, const podi_pg_result_t *res, int row,
    const char *day)
{
    podi_buf_printf(b, "{\"day\":\"%s\",", day);
    podi_row_json(b, res, row);
    podi_buf_add_c(b, "}\n");
}


/* of all tenants: an empty cell */

static void
report_csv(podi_buf_t *b, const podi_pg_result_t *res, int row,
    const char *day)
{
    int         i;
    podi_str_t  cell;

    podi_buf_printf(b, "%s,", day);

    cell = podi_row_str(res, row, "tenant");
    podi_csv_text(b, &cell);

    for (i = 0; report_columns[i] != NULL; i++) {
        cell = podi_row_str(res, row, report_columns[i]);
        podi_buf_add_byte(b, ',');
        podi_buf_add_str(b, &cell);
    }

    podi_buf_add_c(b, PODI_CSV_EOL);
}
