/*
 * podi_pg_fail: what PostgreSQL's errors mean to PODI.
 *
 *     U0xxx      the table of podi_errors.def; MESSAGE is the detail, DETAIL
 *                (a JSON object) the extra members, its "field" the field,
 *                its "retry_after" the seconds
 *     28000      the context was not accepted: BAD_CONTEXT
 *     57014      statement_timeout: DEADLINE
 *     40001 40P01 55P03 08xxx 57P01 57P03 57P05 0A000 26000
 *                not done, try again: UNAVAILABLE
 *     53xxx 25006
 *                disk full, no memory, no slot, read-only: UNAVAILABLE until
 *                somebody has helped
 *     the rest   ours to look at: INTERNAL
 *
 * A message of class 22 quotes the value that it complains about; values do
 * not belong into logs, so those messages are left out.
 */

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "podi_pg_int.h"
#include "banned.h"


static void fail_again(podi_fail_t *fail);
static podi_error_e fail_code(const char *state);
static void fail_extra(podi_fail_t *fail, const char *text);
static void fail_text(char *dst, size_t size, const char *src);


static const struct {
    const char    *state;           /* a whole SQLSTATE or the start of one */
    podi_error_e   error;
}  fail_codes[] = {
    { "28000", PODI_E_BAD_CONTEXT },
    { "57014", PODI_E_DEADLINE },
    { "40001", PODI_E_UNAVAILABLE },
    { "40P01", PODI_E_UNAVAILABLE },
    { "55P03", PODI_E_UNAVAILABLE },
    { "08",    PODI_E_UNAVAILABLE },
    { "53",    PODI_E_UNAVAILABLE },
    { "25006", PODI_E_UNAVAILABLE },
    { "57P01", PODI_E_UNAVAILABLE },
    { "57P02", PODI_E_UNAVAILABLE },
    { "57P03", PODI_E_UNAVAILABLE },
    { "57P05", PODI_E_UNAVAILABLE },
    { "0A000", PODI_E_UNAVAILABLE },
    { "26000", PODI_E_UNAVAILABLE },
    { NULL,    PODI_E_INTERNAL }
};


void
podi_pg_fail(podi_fail_t *fail, const PGresult *res, const char *name,
    int done)
{
    const char  *state, *message;

    state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    message = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);

    if (state == NULL) {                /* libpq's own: the connection broke */
        podi_pg_unavailable(fail, "lost the connection to the database");
        fail->uncertain = 1;
        return;
    }

    (void) podi_pg_refusal(fail, state, message,
                           PQresultErrorField(res, PG_DIAG_MESSAGE_DETAIL));

    if (fail->error == PODI_E_NONE) {
        fail->error = fail_code(state);
        (void) snprintf(fail->detail, sizeof(fail->detail), "%s: %s", name,
                        strncmp(state, "22", 2) == 0 || message == NULL
                        ? "a value was refused" : message);
        fail_again(fail);
    }

    /* told to go after its commit, before it could say so */

    fail->uncertain = done && fail->error == PODI_E_UNAVAILABLE
                      && strncmp(state, "40", 2) != 0;
}


podi_rc_t
podi_pg_refusal(podi_fail_t *fail, const char *sqlstate, const char *message,
    const char *detail)
{
    memset(fail, 0, sizeof(podi_fail_t));

    fail->error = podi_error_by_sqlstate(sqlstate);
    fail_text(fail->sqlstate, sizeof(fail->sqlstate), sqlstate);

    if (fail->error != PODI_E_NONE) {
        fail_text(fail->detail, sizeof(fail->detail), message);
        fail_extra(fail, detail);
        fail_again(fail);
    }

    return PODI_ERROR;
}


static void
fail_again(podi_fail_t *fail)
{
    if (podi_error(fail->error)->retry == PODI_RETRY_LATER
        && fail->retry_after == 0)
    {
        fail->retry_after = 1;
    }
}


static podi_error_e
fail_code(const char *state)
{
    unsigned  i;

    for (i = 0; fail_codes[i].state != NULL; i++) {
        if (strncmp(state, fail_codes[i].state, strlen(fail_codes[i].state))
            == 0)
        {
            break;
        }
    }

    return fail_codes[i].error;
}


/* {"field":"limit","max":3} -> field "limit", extra "\"max\":3" */

static void
fail_extra(podi_fail_t *fail, const char *text)
{
    size_t       len;
    char        *members;
    json_t      *detail;
    json_int_t   after;

    if (text == NULL) {
        return;
    }

    detail = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

    if (!json_is_object(detail)) {
        json_decref(detail);
        return;
    }

    fail_text(fail->field, sizeof(fail->field),
              json_string_value(json_object_get(detail, "field")));
    (void) json_object_del(detail, "field");

    after = json_integer_value(json_object_get(detail, "retry_after"));
    fail->retry_after = (after > 0 && after <= UINT_MAX) ? (unsigned) after : 0;
    (void) json_object_del(detail, "retry_after");

    members = json_dumps(detail, JSON_COMPACT);
    json_decref(detail);

    if (members == NULL) {
        return;
    }

    len = strlen(members) - 2;          /* without the braces */

    if (len < sizeof(fail->extra)) {
        memcpy(fail->extra, members + 1, len);
        fail->extra[len] = '\0';
    }

    free(members);
}


static void
fail_text(char *dst, size_t size, const char *src)
{
    (void) snprintf(dst, size, "%s", src != NULL ? src : "");
}


void
podi_pg_unavailable(podi_fail_t *fail, const char *why)
{
    (void) podi_fail(fail, PODI_E_UNAVAILABLE, NULL, "%s", why);
    fail->retry_after = 1;
}


void
podi_pg_conn_fail(podi_fail_t *fail, const PGconn *conn, const char *what)
{
    char  *p;

    (void) podi_fail(fail, PODI_E_UNAVAILABLE, NULL, "%s: %s", what,
                     conn != NULL ? PQerrorMessage(conn) : "no memory");
    fail->retry_after = 1;

    for (p = fail->detail; *p != '\0'; p++) {
        if (*p == '\n') {
            *p = p[1] == '\0' ? '\0' : ' ';
        }
    }
}
