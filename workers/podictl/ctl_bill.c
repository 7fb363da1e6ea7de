/*
 * ctl_bill: a provider's bill against what was called and captured.
 *
 *     FILE.csv -> [{ref, micros}] -> sys.reconcile_bill -> what differs
 *
 * A line is `reference,cost`, the cost a decimal number of the operator's
 * currency with at most six digits behind the point, with a - for a credit; a
 * first line whose cost is a word without a digit is the heading.  Other
 * columns are passed over.
 */

#include <stdio.h>
#include <string.h>

#include "podi_buf.h"
#include "podi_csv.h"
#include "podi_time.h"
#include "ctl.h"
#include "banned.h"

#define BILL_TOLD      10000            /* differences */
#define BILL_DECIMALS  6


static podi_rc_t bill_ask(podi_flow_t *f, void *ctx);
static podi_rc_t bill_time(podi_flow_t *f, podi_pg_call_t *call,
    const char *name, const char *value);
static podi_rc_t bill_read(podi_flow_t *f, podi_str_t text,
    podi_str_t *ret_lines);
static podi_rc_t bill_cell(podi_str_t *line, podi_buf_t *b);
static int bill_is_heading(const podi_str_t *cost);
static podi_rc_t bill_micros(const podi_str_t *text, int64_t *ret_micros);
static podi_rc_t bill_tell(podi_flow_t *f, void *ctx);


const podi_step_t  ctl_bill_steps[] = {
    { "comparing the bill", bill_ask, 0 },
    { "telling", bill_tell, 0 },
    podi_null_step
};


static podi_rc_t
bill_ask(podi_flow_t *f, void *ctx)
{
    ctl_t           *ctl = ctx;
    podi_str_t       text, lines;
    podi_pg_call_t   call;

    if (ctl_read_file(f, ctl->values[0], CTL_BILL_MAX, &text) != PODI_OK
        || bill_read(f, text, &lines) != PODI_OK)
    {
        return PODI_ERROR;
    }

    podi_pg_call_init(&call, PODI_SQL_RECONCILE_BILL, f->mem);
    podi_arg_c(&call, ctl->values[1]);

    if (bill_time(f, &call, "from", ctl->values[2]) != PODI_OK
        || bill_time(f, &call, "to", ctl->values[3]) != PODI_OK)
    {
        return PODI_ERROR;
    }

    podi_arg_str(&call, &lines);
    podi_arg_int64(&call, BILL_TOLD);

    return podi_pg_call(ctl->pg, f, &call);
}


static podi_rc_t
bill_time(podi_flow_t *f, podi_pg_call_t *call, const char *name,
    const char *value)
{
    podi_str_t   text;
    podi_usec_t  t;

    if (podi_mem_printf(f->mem, &text, "%sT00:00:00Z", value) != PODI_OK
        || podi_time_parse(&text, &t) != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_BAD_FIELD, name,
                         "write a day as 2026-12-31");
    }

    podi_arg_time(call, t);

    return PODI_OK;
}


static podi_rc_t
bill_read(podi_flow_t *f, podi_str_t text, podi_str_t *ret_lines)
{
    int         n, kept;
    int64_t     micros;
    podi_buf_t  b, cell;
    podi_str_t  line, ref, cost = { 0, NULL };

    if (podi_str_has_prefix(&text, PODI_CSV_BOM)) {
        text.data += sizeof(PODI_CSV_BOM) - 1;
        text.len -= sizeof(PODI_CSV_BOM) - 1;
    }

    podi_buf_init(&b, f->mem);
    podi_buf_add_byte(&b, '[');

    for (n = 1, kept = 0; podi_str_split(&text, '\n', &line); n++) {

        if (line.len > 0 && line.data[line.len - 1] == '\r') {
            line.len--;
        }

        if (line.len == 0) {
            continue;
        }

        podi_buf_init(&cell, f->mem);

        if (bill_cell(&line, &cell) != PODI_OK
            || podi_buf_take(&cell, &ref) != PODI_OK
            || bill_cell(&line, &cell) != PODI_OK
            || podi_buf_take(&cell, &cost) != PODI_OK
            || ref.len == 0 || !podi_str_is_utf8(&ref)
            || bill_micros(&cost, &micros) != PODI_OK)
        {
            if (n == 1 && bill_is_heading(&cost)) {
                continue;
            }

            return podi_fail(&f->fail, PODI_E_BAD_FIELD, "file",
                             "line %d is not reference,cost", n);
        }

        podi_buf_add_c(&b, kept++ > 0 ? ",{\"ref\":" : "{\"ref\":");
        podi_buf_add_json(&b, &ref);
        podi_buf_printf(&b, ",\"micros\":%lld}", (long long) micros);
    }

    podi_buf_add_byte(&b, ']');

    if (podi_buf_take(&b, ret_lines) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}


/* the next cell off the front of the line (RFC 4180); none has a line break */

static podi_rc_t
bill_cell(podi_str_t *line, podi_buf_t *b)
{
    size_t      i;
    podi_str_t  cell;

    podi_buf_init(b, b->mem);

    if (line->len == 0 || line->data[0] != '"') {
        if (podi_str_split(line, ',', &cell)) {
            podi_buf_add_str(b, &cell);
        }

        return PODI_OK;
    }

    for (i = 1; i < line->len; i++) {
        if (line->data[i] == '"') {
            if (i + 1 == line->len || line->data[i + 1] != '"') {
                break;
            }

            i++;
        }

        podi_buf_add_byte(b, line->data[i]);
    }

    /* the closing quote, then a comma or the end */

    if (i >= line->len || (i + 1 < line->len && line->data[i + 1] != ',')) {
        return PODI_ERROR;
    }

    i = (i + 2 < line->len) ? i + 2 : line->len;
    line->data += i;
    line->len -= i;

    return PODI_OK;
}


static int
bill_is_heading(const podi_str_t *cost)
{
    size_t  i;

    for (i = 0; i < cost->len; i++) {
        if (cost->data[i] >= '0' && cost->data[i] <= '9') {
            return 0;
        }
    }

    return cost->len > 0;
}


/* "12.5" is 12500000, "-1" a credit; exact, no floating point */

static podi_rc_t
bill_micros(const podi_str_t *text, int64_t *ret_micros)
{
    int         is_credit;
    size_t      i;
    int64_t     whole, part;
    podi_str_t  rest, left;

    rest = *text;
    part = 0;

    is_credit = podi_str_has_prefix(text, "-");
    rest.data += is_credit;
    rest.len -= is_credit;

    if (!podi_str_split(&rest, '.', &left)
        || podi_str_to_int64(&left, &whole) != PODI_OK
        || left.data[0] == '-' || whole > INT64_MAX / 1000000 - 1
        || rest.len > BILL_DECIMALS
        || (rest.len > 0 && rest.data[0] == '-')
        || (rest.len > 0 && podi_str_to_int64(&rest, &part) != PODI_OK))
    {
        return PODI_ERROR;
    }

    for (i = rest.len; rest.len > 0 && i < BILL_DECIMALS; i++) {
        part *= 10;
    }

    whole = whole * 1000000 + part;
    *ret_micros = is_credit ? -whole : whole;

    return PODI_OK;
}


static podi_rc_t
bill_tell(podi_flow_t *f, void *ctx)
{
    int         row;
    ctl_t      *ctl = ctx;
    podi_str_t  kind, id, detail;

    for (row = 0; row < podi_rows(f->result); row++) {
        kind = podi_row_str(f->result, row, "kind");
        id = podi_row_str(f->result, row, "id");
        detail = podi_row_str(f->result, row, "detail");

        if (!podi_str_eq_c(&kind, "total")) {
            ctl->code = CTL_REFUSED;
        }

        (void) printf(PODI_STR_FMT "\t" PODI_STR_FMT "\t" PODI_STR_FMT "\n",
                      podi_str_arg(&kind), podi_str_arg(&id),
                      podi_str_arg(&detail));
    }

    return PODI_DONE;
}
