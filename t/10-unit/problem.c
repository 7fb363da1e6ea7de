/*
 * podi_fail and podi_problem: the table, the log line, the reply.
 */

#include "tap.h"
#include "podi_json.h"
#include "podi_problem.h"
#include "banned.h"


static const struct {
    const char   *accept;
    podi_lang_e   lang;
}  langs[] = {
    { NULL, PODI_LANG_EN },
    { "", PODI_LANG_EN },
    { "zh", PODI_LANG_ZH },
    { "zh-CN,zh;q=0.9,en;q=0.8", PODI_LANG_ZH },
    { "ZH-Hant-TW", PODI_LANG_ZH },
    { "en-US,en;q=0.9,zh-CN;q=0.8", PODI_LANG_EN },
    { "en;q=0.5, zh;q=0.51", PODI_LANG_ZH },
    { "de, zh;q=0.1", PODI_LANG_ZH },
    { "de, fr", PODI_LANG_EN },
    { "*", PODI_LANG_EN },
    { "en;q=0.5, *", PODI_LANG_ZH },
    { "zh;q=0", PODI_LANG_EN },
    { "zh;q=0, *", PODI_LANG_EN },
    { "zh;q=abc", PODI_LANG_EN },
    { "zhx", PODI_LANG_EN },
    { "zh,en", PODI_LANG_ZH },
    { "en,zh", PODI_LANG_EN },
    { ",,;q=1, zh", PODI_LANG_ZH },
};


static void test_fail(void);
static void test_body(podi_mem_t *mem);


int
main(void)
{
    unsigned        i;
    podi_str_t      s;
    podi_arena_t   *arena;

    arena = podi_arena_create();

    test_fail();
    test_body(podi_arena_mem(arena));

    for (i = 0; i < sizeof(langs) / sizeof(langs[0]); i++) {
        s = str(langs[i].accept);
        ok(podi_lang_pick(langs[i].accept ? &s : NULL) == langs[i].lang,
           "Accept-Language: %s", langs[i].accept ? langs[i].accept : "none");
    }

    podi_arena_free(&arena);

    return tap_done();
}


static void
test_fail(void)
{
    char          text[256], tiny[8];
    unsigned      i, j, unique = 1;
    podi_str_t    s;
    podi_fail_t   fail;

    for (i = 1; i < PODI_E_LAST; i++) {
        s = str(podi_error((podi_error_e) i)->code);
        unique &= podi_error_by_code(&s) == i;

        for (j = 1; j < i; j++) {
            unique &= podi_error((podi_error_e) i)->sqlstate[0] == '\0'
                      || strcmp(podi_error((podi_error_e) i)->sqlstate,
                                podi_error((podi_error_e) j)->sqlstate) != 0;
        }
    }

    ok(unique, "each code and each SQLSTATE stands for one error");

    is_int(podi_error_by_sqlstate("U0402"), PODI_E_INSUFFICIENT_POINTS,
           "by SQLSTATE");
    is_int(podi_error_by_sqlstate(""), PODI_E_NONE, "no SQLSTATE, no error");
    is_int(podi_error_by_sqlstate("23505"), PODI_E_NONE, "not one of ours");
    s = str("nonsense");
    is_int(podi_error_by_code(&s), PODI_E_NONE, "no such code");
    is_str(str(podi_error((podi_error_e) 9999)->code), "internal",
           "out of the table is internal");

    is_fail(podi_fail(&fail, PODI_E_BAD_FIELD, "limit", "not %d", 7), &fail,
            PODI_E_BAD_FIELD, "limit", "filled");
    podi_fail_text(&fail, text, sizeof(text));
    is_str(str(text), "bad_field: not 7 (field limit)", "a log line");

    (void) podi_fail(&fail, PODI_E_CONFLICT, NULL, "%s", "");
    memcpy(fail.sqlstate, "U0409", 6);
    podi_fail_text(&fail, text, sizeof(text));
    is_str(str(text), "conflict (sqlstate U0409)", "without a detail");

    podi_fail_text(&fail, tiny, sizeof(tiny));
    is_str(str(tiny), "conflic", "cut, and terminated");

    (void) podi_fail(&fail, PODI_E_BAD_FIELD, "a\n2026 [alert]\x7f", "x\ry");
    podi_fail_text(&fail, text, sizeof(text));
    is_str(str(text), "bad_field: x?y (field a?2026 [alert]?)",
           "one line, whatever a client calls its field");
}


static void
test_body(podi_mem_t *mem)
{
    json_t                         *json;
    podi_str_t                      s, trace;
    podi_fail_t                     fail, bad;
    static const podi_json_limit_t  limit = { 4096, 0 };

    trace = str("4bf92f3577b34da6a3ce929d0e0e4736");

    (void) podi_fail(&fail, PODI_E_INSUFFICIENT_POINTS, "items[0]",
                     "needs \"%d\"", 5);
    (void) snprintf(fail.extra, sizeof(fail.extra), "\"missing\":3");
    fail.retry_after = 9;

    ok(podi_problem(&fail, PODI_LANG_ZH, &trace, mem, &s) == PODI_OK, "made");
    is_str(s, "{\"type\":\"/errors#insufficient_points\","
           "\"title\":\"余额不足\",\"status\":402,"
           "\"code\":\"insufficient_points\",\"detail\":\"needs \\\"5\\\"\","
           "\"field\":\"items[0]\","
           "\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\","
           "\"retry_after\":9,\"missing\":3}", "with everything");
    ok(podi_json_parse(&s, &limit, mem, &json, &bad) == PODI_OK,
       "it is valid JSON");

    (void) podi_fail(&fail, PODI_E_UNAVAILABLE, NULL, "host db1 refused");
    ok(podi_problem(&fail, PODI_LANG_EN, NULL, mem, &s) == PODI_OK, "made");
    is_str(s, "{\"type\":\"/errors#unavailable\",\"title\":\"The service is "
           "not available right now\",\"status\":503,"
           "\"code\":\"unavailable\"}", "our own details are not told");
}
