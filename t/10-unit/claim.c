/*
 * claim: rules about claims, each operator on each type of value.
 */

#include <jansson.h>

#include "tap.h"
#include "podi_claim.h"
#include "banned.h"


#define WORDS_MAX  (PODI_CLAIM_VALUES + 4)

typedef struct {
    const char  *rule;
    int          holds;
} claim_case_t;


static size_t words(const char *text, podi_str_t *ret_words);
static void judge(podi_mem_t *mem, const json_t *claims);
static void refuse(podi_mem_t *mem);
static void bounds(podi_mem_t *mem);


static const char  token[] =
    "{\"sub\":\"ann\",\"aal\":2,\"age\":17.5,\"big\":9007199254740993,"
    "\"admin\":true,\"off\":false,\"none\":null,\"scope\":\"read write\","
    "\"roles\":[\"editor\",\"owner\"],\"levels\":[1,5],\"empty\":[],"
    "\"realm\":{\"access\":{\"roles\":[\"x\"]}},"
    "\"https://a.example/r.s\":{\"first\":\"y\"},\"nul\":\"a\\u0000b\"}";

static const claim_case_t  cases[] = {
    { "sub exists",                          1 },
    { "nobody exists",                       0 },
    { "none exists",                         0 },
    { "off exists",                          1 },
    { "sub eq ann",                          1 },
    { "sub eq Ann",                          0 },
    { "sub eq an",                           0 },
    { "sub eq anna",                         0 },
    { "nul eq a",                            0 },
    { "aal eq 2",                            1 },
    { "aal eq 2.0",                          1 },
    { "aal eq two",                          0 },
    { "age eq 17.5",                         1 },
    { "big eq 9007199254740993",             1 },
    { "big eq 9007199254740992",             0 },
    { "admin eq true",                       1 },
    { "admin eq 1",                          0 },
    { "off eq false",                        1 },
    { "off eq 0",                            0 },
    { "roles eq editor",                     0 },
    { "realm eq x",                          0 },
    { "sub ne ann",                          0 },
    { "sub ne bob cid",                      1 },
    { "sub ne bob ann",                      0 },
    { "nobody ne ann",                       1 },
    { "none ne ann",                         1 },
    { "roles ne guest",                      1 },
    { "roles ne guest owner",                0 },
    { "sub in bob ann",                      1 },
    { "sub in bob",                          0 },
    { "roles in owner",                      1 },
    { "roles in own",                        0 },
    { "levels in 5 6",                       1 },
    { "empty in 5",                          0 },
    { "scope in read",                       0 },
    { "scope any read",                      1 },
    { "scope any rea writes",                0 },
    { "scope any other write",               1 },
    { "roles any owner",                     1 },
    { "aal any 1 2",                         1 },
    { "aal gt 1",                            1 },
    { "aal gt 2",                            0 },
    { "aal ge 2",                            1 },
    { "aal ge 2.5",                          0 },
    { "aal lt 3",                            1 },
    { "aal lt 2",                            0 },
    { "aal le 2",                            1 },
    { "big gt 9007199254740992",             1 },
    { "age lt 18",                           1 },
    { "levels ge 5",                         1 },
    { "levels gt 5",                         0 },
    { "sub gt 1",                            0 },
    { "admin ge 0",                          0 },
    { "nobody lt 5",                         0 },
    { "sub match-prefix an",                 1 },
    { "sub match-prefix nn",                 0 },
    { "sub match-prefix b a",                1 },
    { "roles match-prefix own",              1 },
    { "aal match-prefix 2",                  0 },
    { "realm.access.roles in x",             1 },
    { "realm.access.nothing exists",         0 },
    { "sub.deeper exists",                   0 },
    { "roles.0 exists",                      0 },
    { "[https://a.example/r.s].first eq y",  1 },
    { "[realm].[access].roles any x",        1 },
    { "https://a.example/r.s exists",        0 }
};

static const char *const  wrong[] = {
    "sub", "sub like ann", "sub eq", "sub eq ann bob", "sub exists ann",
    "aal gt two", "aal gt 0x2", "aal gt nan", "aal ge", "aal le 1 2",
    "a..b exists", ".a exists", "a. exists", "[a exists", "[a]b exists",
    "[] exists", "a.b.c.d.e.f.g.h.i exists"
};


int
main(void)
{
    podi_arena_t  *arena;
    json_t        *claims;

    arena = podi_arena_create();
    claims = json_loads(token, JSON_ALLOW_NUL, NULL);

    judge(podi_arena_mem(arena), claims);
    refuse(podi_arena_mem(arena));
    bounds(podi_arena_mem(arena));

    json_decref(claims);
    podi_arena_free(&arena);

    return tap_done();
}


static size_t
words(const char *text, podi_str_t *ret_words)
{
    size_t      n = 0;
    podi_str_t  rest = podi_str_c(text);

    while (n < WORDS_MAX && podi_str_split(&rest, ' ', &ret_words[n])) {
        n++;
    }

    return n;
}


static void
judge(podi_mem_t *mem, const json_t *claims)
{
    size_t                    i, n;
    podi_str_t                list[WORDS_MAX];
    podi_fail_t               fail = { 0 };
    const podi_claim_rule_t  *rule;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        n = words(cases[i].rule, list);

        if (!ok(podi_claim_rule(list, n, mem, &rule, &fail) == PODI_OK,
                "\"%s\" is a rule", cases[i].rule))
        {
            continue;
        }

        ok(podi_claim_holds(rule, claims) == cases[i].holds, "\"%s\" %s",
           cases[i].rule, cases[i].holds ? "holds" : "does not");
        is_str(podi_claim_text(rule), cases[i].rule, "it says what it is");
    }
}


static void
refuse(podi_mem_t *mem)
{
    size_t                    i, n;
    podi_str_t                list[WORDS_MAX];
    podi_fail_t               fail;
    const podi_claim_rule_t  *rule;

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        memset(&fail, 0, sizeof(fail));
        n = words(wrong[i], list);

        ok(podi_claim_rule(list, n, mem, &rule, &fail) != PODI_OK
           && fail.error == PODI_E_CONFIG && fail.detail[0] != '\0',
           "\"%s\" is none: %s", wrong[i], fail.detail);
    }
}


static void
bounds(podi_mem_t *mem)
{
    size_t                    i;
    podi_str_t                list[WORDS_MAX];
    podi_fail_t               fail = { 0 };
    const podi_claim_rule_t  *rule;

    list[0] = podi_str_c("sub");
    list[1] = podi_str_c("in");

    for (i = 2; i < WORDS_MAX; i++) {
        list[i] = podi_str_c("ann");
    }

    ok(podi_claim_rule(list, 2 + PODI_CLAIM_VALUES, mem, &rule, &fail)
       == PODI_OK, "as many values as there may be");
    ok(podi_claim_rule(list, 3 + PODI_CLAIM_VALUES, mem, &rule, &fail)
       != PODI_OK, "and one more");
}
