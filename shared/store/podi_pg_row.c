/*
 * podi_pg_row: reading results.
 *
 * Results come as text.  A column or row that is not there, or a number that
 * is none, is a mistake between a statement and its reader, hence asserts.
 */

#include <libpq-fe.h>

#include "podi_assert.h"
#include "podi_pg.h"
#include "banned.h"


/* pg_type.oid, fixed for good by PostgreSQL (pg_type.dat) */

#define PG_BOOL         16
#define PG_INT8         20
#define PG_INT2         21
#define PG_INT4         23
#define PG_JSON         114
#define PG_TIMESTAMPTZ  1184
#define PG_JSONB        3802

static const PGresult *row_result(const podi_pg_result_t *res);
static int row_column(const podi_pg_result_t *res, int row, const char *name);
static podi_str_t row_value(const PGresult *res, int row, int column);
static void row_json_value(podi_buf_t *buf, const PGresult *res, int row,
    int column);
static void row_json_time(podi_buf_t *buf, const podi_str_t *value);


int
podi_rows(const podi_pg_result_t *res)
{
    return PQntuples(row_result(res));
}


int
podi_row_is_null(const podi_pg_result_t *res, int row, const char *name)
{
    return PQgetisnull(row_result(res), row, row_column(res, row, name));
}


podi_str_t
podi_row_str(const podi_pg_result_t *res, int row, const char *name)
{
    return row_value(row_result(res), row, row_column(res, row, name));
}


int64_t
podi_row_int64(const podi_pg_result_t *res, int row, const char *name)
{
    int64_t     n;
    podi_rc_t   rc;
    podi_str_t  value;

    value = podi_row_str(res, row, name);

    if (podi_row_is_null(res, row, name)) {
        return 0;
    }

    n = 0;
    rc = podi_str_to_int64(&value, &n);
    podi_assert(rc == PODI_OK);

    return n;
}


int
podi_row_bool(const podi_pg_result_t *res, int row, const char *name)
{
    podi_str_t  value;

    value = podi_row_str(res, row, name);

    return value.len == 1 && value.data[0] == 't';
}


podi_usec_t
podi_row_time(const podi_pg_result_t *res, int row, const char *name)
{
    podi_rc_t    rc;
    podi_str_t   value;
    podi_usec_t  t;

    value = podi_row_str(res, row, name);

    if (podi_row_is_null(res, row, name)) {
        return 0;
    }

    t = 0;
    rc = podi_time_parse(&value, &t);
    podi_assert(rc == PODI_OK);

    return t;
}


void
podi_row_json(podi_buf_t *buf, const podi_pg_result_t *res, int row)
{
    int              i;
    int              first;
    podi_str_t       name;
    const PGresult  *pg;

    pg = row_result(res);
    podi_assert(row >= 0 && row < PQntuples(pg));

    first = 1;

    for (i = 0; i < PQnfields(pg); i++) {
        name = podi_str_c(PQfname(pg, i));

        if (podi_str_has_prefix(&name, "_")) {
            continue;
        }

        if (!first) {
            podi_buf_add_byte(buf, ',');
        }

        first = 0;

        podi_buf_add_json(buf, &name);
        podi_buf_add_byte(buf, ':');
        row_json_value(buf, pg, row, i);
    }
}


static void
row_json_value(podi_buf_t *buf, const PGresult *res, int row, int column)
{
    podi_str_t  value;

    if (PQgetisnull(res, row, column)) {
        podi_buf_add_c(buf, "null");
        return;
    }

    value = row_value(res, row, column);

    switch (PQftype(res, column)) {

    case PG_BOOL:
        podi_buf_add_c(buf, value.data[0] == 't' ? "true" : "false");
        return;

    case PG_INT2:
    case PG_INT4:
    case PG_INT8:
    case PG_JSON:
    case PG_JSONB:
        podi_buf_add_str(buf, &value);
        return;

    case PG_TIMESTAMPTZ:
        row_json_time(buf, &value);
        return;

    default:
        podi_buf_add_json(buf, &value);
    }
}


/* "infinity" is a timestamptz too, and stays a word */

static void
row_json_time(podi_buf_t *buf, const podi_str_t *value)
{
    podi_str_t     text;
    podi_usec_t    t;
    unsigned char  rfc3339[PODI_RFC3339_LEN];

    if (podi_time_parse(value, &t) != PODI_OK) {
        podi_buf_add_json(buf, value);
        return;
    }

    podi_time_rfc3339(t, rfc3339);

    text.data = rfc3339;
    text.len = sizeof(rfc3339);
    podi_buf_add_json(buf, &text);
}


static const PGresult *
row_result(const podi_pg_result_t *res)
{
    return (const PGresult *) (const void *) res;
}


static int
row_column(const podi_pg_result_t *res, int row, const char *name)
{
    int  column;

    column = PQfnumber(row_result(res), name);
    podi_assert(column >= 0 && row >= 0 && row < podi_rows(res));

    return column;
}


static podi_str_t
row_value(const PGresult *res, int row, int column)
{
    podi_str_t  value;

    value.data = (unsigned char *) PQgetvalue(res, row, column);
    value.len = (size_t) PQgetlength(res, row, column);

    return value;
}
