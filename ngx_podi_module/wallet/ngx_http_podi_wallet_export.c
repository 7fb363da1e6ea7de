/*
 * GET /v1/wallet/export: the whole ledger of the caller as a file, oldest
 * first, as CSV for a spreadsheet or as JSON lines for a program.
 *
 *     parse the query -> first page (PG) -> open -> page -> page -> ... -> end
 *
 * Each page is a transaction of its own; the ledger is dense and only grows,
 * so pages by number fit together.  What is written meanwhile comes along.
 */

#include "ngx_http_podi_wallet.h"
#include "ngx_podi_pump.h"
#include "podi_csv.h"
#include "podi_problem.h"


#define WALLET_EXPORT_PAGE  500


typedef struct {
    ngx_http_request_t  *request;        /* first: the pump looks for it */
    ngx_podi_pump_t     *pump;
    int64_t              after;          /* the last number that was read */
    podi_str_t           format;
    podi_str_t           lang;
    podi_usec_t          from;
    podi_usec_t          to;
    ngx_uint_t           csv;
} wallet_export_t;

typedef enum {
    EXPORT_NUMBER,
    EXPORT_TEXT,
    EXPORT_TIME
} wallet_export_e;

typedef struct {
    const char          *name;
    wallet_export_e      type;
    const char          *title[2];       /* by podi_lang_e */
} wallet_export_column_t;


static podi_rc_t export_parse(podi_flow_t *f, void *ctx);
static podi_rc_t export_read(podi_flow_t *f, void *ctx);
static podi_rc_t export_open(podi_flow_t *f, void *ctx);
static podi_rc_t export_page(podi_flow_t *f, void *ctx);
static podi_lang_e export_lang(const wallet_export_t *e);
static podi_rc_t export_name(podi_flow_t *f, const wallet_export_t *e);
static void export_titles(podi_buf_t *b, podi_lang_e lang);
static ngx_uint_t export_rows(podi_flow_t *f, wallet_export_t *e,
    podi_buf_t *b);
static void export_line(podi_buf_t *b, const podi_pg_result_t *res, int row);


static const podi_step_t  wallet_export_steps[] = {
    { "parsing the query",  export_parse, 0 },
    { "reading the ledger", export_read,  0 },
    { "opening the file",   export_open,  0 },
    podi_null_step
};

static const podi_step_t  wallet_export_page_steps[] = {
    { "reading the ledger", export_read, 0 },
    { "writing the file",   export_page, 0 },
    podi_null_step
};

static const char *const  wallet_export_formats[] = { "csv", "jsonl", NULL };
static const char *const  wallet_export_langs[] = { "en", "zh", NULL };

static const ngx_podi_param_t  wallet_export_params[] = {
    { "format", NGX_PODI_PARAM_WORD, offsetof(wallet_export_t, format),
      0, 0, 0, wallet_export_formats },
    { "lang",   NGX_PODI_PARAM_WORD, offsetof(wallet_export_t, lang),
      0, 0, 0, wallet_export_langs },
    { "from",   NGX_PODI_PARAM_TIME, offsetof(wallet_export_t, from),
      0, 0, 0, NULL },
    { "to",     NGX_PODI_PARAM_TIME, offsetof(wallet_export_t, to),
      0, 0, 0, NULL },
    ngx_podi_null_param
};

static const wallet_export_column_t  wallet_export_columns[] = {
    { "seq",              EXPORT_NUMBER, { "No.", "序号" } },
    { "at",               EXPORT_TIME,   { "Time (UTC)", "时间 (UTC)" } },
    { "type",             EXPORT_TEXT,   { "Type", "类型" } },
    { "amount",           EXPORT_NUMBER, { "Points", "点数" } },
    { "available_change", EXPORT_NUMBER, { "Available change", "可用变动" } },
    { "frozen_change",    EXPORT_NUMBER, { "Frozen change", "冻结变动" } },
    { "available_after",  EXPORT_NUMBER, { "Available after", "可用余额" } },
    { "frozen_after",     EXPORT_NUMBER, { "Frozen after", "冻结余额" } },
    { "task_id",          EXPORT_TEXT,   { "Task", "任务" } },
    { "job_id",           EXPORT_TEXT,   { "Job", "子任务" } },
    { "reason",           EXPORT_TEXT,   { "Reason", "原因" } },
    { NULL, EXPORT_NUMBER, { NULL, NULL } }
};


ngx_int_t
ngx_http_podi_wallet_export(ngx_http_request_t *r, const podi_str_t *args)
{
    podi_arena_t     *arena;
    wallet_export_t  *e;

    e = ngx_pcalloc(r->pool, sizeof(wallet_export_t));
    if (e == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    e->request = r;

    e->pump = ngx_podi_pump_create(r, wallet_export_page_steps, e);
    arena = podi_arena_create();

    if (e->pump == NULL || arena == NULL) {
        podi_arena_free(&arena);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_podi_flow_content_in(r, arena, wallet_export_steps, e);
}


static podi_rc_t
export_parse(podi_flow_t *f, void *ctx)
{
    wallet_export_t  *e = ctx;

    if (ngx_podi_flow_may_keep(e->request, &f->fail) != PODI_OK
        || ngx_podi_params(e->request, wallet_export_params, e, &f->fail)
           != PODI_OK)
    {
        return PODI_ERROR;
    }

    e->csv = (e->format.data == NULL || podi_str_eq_c(&e->format, "csv"));

    return PODI_OK;
}


/* memory of the flow: a request's would grow with each page */

static podi_rc_t
export_read(podi_flow_t *f, void *ctx)
{
    podi_pg_call_t    call;
    wallet_export_t  *e = ctx;

    podi_pg_call_init(&call, PODI_SQL_WALLET_EXPORT, f->mem);
    podi_arg_int64(&call, e->after);
    podi_arg_int64(&call, WALLET_EXPORT_PAGE);
    ngx_podi_arg_time(&call, e->from);
    ngx_podi_arg_time(&call, e->to);

    return ngx_podi_pg_call(f, e->request, &call);
}


static podi_rc_t
export_open(podi_flow_t *f, void *ctx)
{
    ngx_uint_t        last;
    podi_buf_t        b;
    const char       *type;
    wallet_export_t  *e = ctx;

    if (export_name(f, e) != PODI_OK) {
        return PODI_ERROR;
    }

    podi_buf_init(&b, f->mem);

    if (e->csv) {
        type = "text/csv; charset=utf-8; header=present";
        export_titles(&b, export_lang(e));

    } else {
        type = "application/x-ndjson";
    }

    last = export_rows(f, e, &b);

    return ngx_podi_pump_open(e->pump, f, type, &b, last);
}


static podi_rc_t
export_page(podi_flow_t *f, void *ctx)
{
    ngx_uint_t        last;
    podi_buf_t        b;
    wallet_export_t  *e = ctx;

    podi_buf_init(&b, f->mem);
    last = export_rows(f, e, &b);

    return ngx_podi_pump_page(e->pump, f, &b, last);
}


static podi_lang_e
export_lang(const wallet_export_t *e)
{
    podi_str_t  accept;

    if (e->lang.data != NULL) {
        return podi_str_eq_c(&e->lang, "zh") ? PODI_LANG_ZH : PODI_LANG_EN;
    }

    accept = ngx_podi_header(e->request, "accept-language");

    return podi_lang_pick(&accept);
}


static podi_rc_t
export_name(podi_flow_t *f, const wallet_export_t *e)
{
    podi_str_t  text;
    u_char      now[PODI_AMZ_DATE_LEN];

    podi_time_amz(podi_time_now(), now);

    if (podi_mem_printf(ngx_podi_mem(e->request), &text,
                        "attachment; filename=\"points-%.8s.%s\"", now,
                        e->csv ? "csv" : "jsonl")
        != PODI_OK
        || ngx_podi_header_add(e->request, "Content-Disposition", &text)
           != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}


static void
export_titles(podi_buf_t *b, podi_lang_e lang)
{
    const wallet_export_column_t  *column;

    podi_buf_add_c(b, PODI_CSV_BOM);

    for (column = wallet_export_columns; column->name != NULL; column++) {

        if (column != wallet_export_columns) {
            podi_buf_add_byte(b, ',');
        }

        podi_buf_add_c(b, column->title[lang]);
    }

    podi_buf_add_c(b, PODI_CSV_EOL);
}


/* gives whether these are the last */

static ngx_uint_t
export_rows(podi_flow_t *f, wallet_export_t *e, podi_buf_t *b)
{
    int  row, n;

    n = podi_rows(f->result);

    for (row = 0; row < n; row++) {

        if (e->csv) {
            export_line(b, f->result, row);
            continue;
        }

        podi_buf_add_byte(b, '{');
        podi_row_json(b, f->result, row);
        podi_buf_add_c(b, "}\n");
    }

    if (n != 0) {
        e->after = podi_row_int64(f->result, n - 1, "seq");
    }

    return n < WALLET_EXPORT_PAGE;
}


static void
export_line(podi_buf_t *b, const podi_pg_result_t *res, int row)
{
    u_char                         time[PODI_RFC3339_LEN];
    podi_str_t                     value;
    const wallet_export_column_t  *column;

    for (column = wallet_export_columns; column->name != NULL; column++) {

        if (column != wallet_export_columns) {
            podi_buf_add_byte(b, ',');
        }

        value = podi_row_str(res, row, column->name);

        switch (column->type) {

        case EXPORT_NUMBER:
            podi_buf_add_str(b, &value);
            break;

        case EXPORT_TEXT:
            podi_csv_text(b, &value);
            break;

        case EXPORT_TIME:
            podi_time_rfc3339(podi_row_time(res, row, column->name), time);
            podi_buf_add(b, time, sizeof(time));
        }
    }

    podi_buf_add_c(b, PODI_CSV_EOL);
}
