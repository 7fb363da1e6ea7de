/*
 * podi_failure: words where SQL has left a code, and nothing else changed.
 */

#include "tap.h"
#include "podi_failure.h"
#include "banned.h"

#define SQL(code, bar)                                                       \
    "{\"bar\": " bar ", \"code\": \"" code "\", \"kept\": 1, "               \
    "\"returned\": 2, \"from_segment\": 3}"

#define TOLD(code, title, word, text, can)                                   \
    "{\"code\":\"" code "\",\"title\":\"" title "\",\"advice\":{\"do\":\""     \
    word "\",\"text\":\"" text "\"},\"points\":{\"returned\":2,\"kept\":1},"  \
    "\"can_retry\":" can ",\"from_segment\":3}"

#define CRASH   SQL("job_crashed", "null")
#define CRASHED TOLD("job_crashed", "The worker crashed", "retry",           \
                     "Try again.", "true")


static const struct {
    const char   *what;
    unsigned      depth;
    podi_lang_e   lang;
    const char   *json;
    const char   *want;             /* NULL: as it was */
}  texts[] = {
    { "no text", 1, PODI_LANG_EN, "", NULL },
    { "no failure", 1, PODI_LANG_EN, "{\"a\": [1, {\"b\": \"}\"}]}", NULL },
    { "null", 1, PODI_LANG_EN, "{\"failure\": null}", NULL },
    { "English", 1, PODI_LANG_EN, "{\"failure\": " CRASH "}",
      "{\"failure\": " CRASHED "}" },
    { "Chinese", 1, PODI_LANG_ZH, "{\"failure\":" CRASH "}",
      "{\"failure\":" TOLD("job_crashed", "处理进程崩溃", "retry", "请重试。",
                           "true") "}" },
    { "every one of an array", 3, PODI_LANG_EN,
      "{\"j\":[{\"failure\": " CRASH ", \"x\": 1}, {\"failure\": null}, "
      "{\"failure\": " CRASH "}]}",
      "{\"j\":[{\"failure\": " CRASHED ", \"x\": 1}, {\"failure\": null}, "
      "{\"failure\": " CRASHED "}]}" },
    { "what users name so is theirs", 1, PODI_LANG_EN,
      "{\"params\": {\"failure\": " CRASH "}}", NULL },
    { "a string is no name", 1, PODI_LANG_EN,
      "{\"a\": \"failure\", \"b\": \"\\\"failure\\\": {\"}", NULL },
    { "braces in strings end nothing", 1, PODI_LANG_EN,
      "{\"a\": \"}\\\\\", \"failure\": " CRASH ", \"b\": \"}\\\"{\"}",
      "{\"a\": \"}\\\\\", \"failure\": " CRASHED ", \"b\": \"}\\\"{\"}" },
    { "a retry that waits", 1, PODI_LANG_EN,
      "{\"failure\": " SQL("job_crashed", "\"wait\"") "}",
      "{\"failure\": " TOLD("job_crashed", "The worker crashed", "wait",
                            "Wait a while, then try again.", "false") "}" },
    { "another file, whatever bars a retry", 1, PODI_LANG_EN,
      "{\"failure\": " SQL("picture_invalid", "\"wait\"") "}",
      "{\"failure\": " TOLD("picture_invalid", "The picture cannot be read",
                            "choose_another_input", "Choose another file.",
                            "false") "}" },
    { "an unknown code is internal", 1, PODI_LANG_EN,
      "{\"failure\": " SQL("of_tomorrow", "null") "}",
      "{\"failure\": " TOLD("internal", "Internal error", "contact_operator",
                            "Tell the operator the trace id.", "true") "}" },
};

static const char *const  broken[] = {
    "{\"failure\": {\"code\": 1}}",
    "{\"failure\": {}}",
    "{\"failure\": {",
    "{\"failure\": {\"code\": \"a",
    "{\"failure\": {\"code\": \"a\\",
};


int
main(void)
{
    unsigned        i;
    podi_str_t      json, told;
    podi_fail_t     fail;
    podi_arena_t   *arena;

    arena = podi_arena_create();

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        json = str(texts[i].json);
        ok(podi_failure_words(&json, texts[i].depth, texts[i].lang,
                              podi_arena_mem(arena), &told, &fail) == PODI_OK,
           "%s: done", texts[i].what);
        is_str(told, texts[i].want ? texts[i].want : texts[i].json,
               texts[i].what);
    }

    for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        json = str(broken[i]);
        ok(podi_failure_words(&json, 1, PODI_LANG_EN, podi_arena_mem(arena),
                              &told, &fail) == PODI_ERROR
           && fail.error == PODI_E_INTERNAL, "%s is refused", broken[i]);
    }

    podi_arena_free(&arena);

    return tap_done();
}
