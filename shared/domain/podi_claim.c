/*
 * podi_claim: rules about the claims of a token.
 *
 *     words -> path + operator + values, each parsed once
 *     claims -> path -> the value, or each element of a list -> one decides
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "podi_buf.h"
#include "podi_claim.h"
#include "podi_json.h"
#include "banned.h"


#define CLAIM_NAME_MAX    256
#define CLAIM_NUMBER_MAX  32

typedef enum {
    CLAIM_EXISTS,
    CLAIM_EQ, CLAIM_NE,
    CLAIM_IN, CLAIM_ANY, CLAIM_PREFIX,
    CLAIM_GT, CLAIM_GE, CLAIM_LT, CLAIM_LE
} claim_op_e;

typedef struct {
    const char  *name;
    claim_op_e   op;
    size_t       min;               /* values that it takes */
    size_t       max;
    int          numbers;
} claim_op_t;

typedef struct {
    podi_str_t   text;
    int64_t      whole;
    double       real;
    unsigned     is_number:1;
    unsigned     is_whole:1;
} claim_value_t;

struct podi_claim_path_s {
    size_t       n;
    const char  *names[PODI_CLAIM_DEPTH];
};

struct podi_claim_rule_s {
    const podi_claim_path_t  *path;
    const claim_op_t         *op;
    podi_str_t                text;
    size_t                    n;
    claim_value_t             values[PODI_CLAIM_VALUES];
};


static podi_rc_t claim_name(podi_str_t *rest, podi_mem_t *mem,
    const char **ret_name, podi_fail_t *fail);
static const claim_op_t *claim_op(const podi_str_t *name);
static podi_rc_t claim_values(podi_claim_rule_t *rule,
    const podi_str_t *words, size_t n, podi_mem_t *mem, podi_fail_t *fail);
static void claim_number(claim_value_t *value);
static podi_rc_t claim_write(podi_claim_rule_t *rule, const podi_str_t *words,
    size_t n, podi_mem_t *mem);
static int claim_one(const podi_claim_rule_t *rule, const json_t *value);
static int claim_words(const podi_claim_rule_t *rule, const json_t *value);
static int claim_equals(const claim_value_t *want, const json_t *value);
static int claim_order(const claim_value_t *want, const json_t *value,
    int *ret_order);


static const claim_op_t  claim_ops[] = {
    { "exists",       CLAIM_EXISTS, 0, 0,                 0 },
    { "eq",           CLAIM_EQ,     1, 1,                 0 },
    { "ne",           CLAIM_NE,     1, PODI_CLAIM_VALUES, 0 },
    { "in",           CLAIM_IN,     1, PODI_CLAIM_VALUES, 0 },
    { "any",          CLAIM_ANY,    1, PODI_CLAIM_VALUES, 0 },
    { "gt",           CLAIM_GT,     1, 1,                 1 },
    { "ge",           CLAIM_GE,     1, 1,                 1 },
    { "lt",           CLAIM_LT,     1, 1,                 1 },
    { "le",           CLAIM_LE,     1, 1,                 1 },
    { "match-prefix", CLAIM_PREFIX, 1, PODI_CLAIM_VALUES, 0 },
    { NULL,           CLAIM_EXISTS, 0, 0,                 0 }
};


podi_rc_t
podi_claim_path(const podi_str_t *text, podi_mem_t *mem,
    const podi_claim_path_t **ret_path, podi_fail_t *fail)
{
    podi_str_t          rest = *text;
    podi_claim_path_t  *path;

    path = podi_mem_calloc(mem, sizeof(podi_claim_path_t));
    if (path == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    do {
        if (path->n == PODI_CLAIM_DEPTH) {
            return podi_fail(fail, PODI_E_CONFIG, NULL,
                             "the claim \"" PODI_STR_FMT "\" is deeper than "
                             "%d members", podi_str_arg(text),
                             PODI_CLAIM_DEPTH);
        }

        if (claim_name(&rest, mem, &path->names[path->n++], fail) != PODI_OK)
        {
            return PODI_ERROR;
        }

    } while (rest.data != NULL);

    *ret_path = path;

    return PODI_OK;
}


/* takes one name and its dot; rest->data is NULL after the last one */

static podi_rc_t
claim_name(podi_str_t *rest, podi_mem_t *mem, const char **ret_name,
    podi_fail_t *fail)
{
    podi_str_t      name = *rest;
    unsigned char  *end, *p, *last;

    last = rest->data + rest->len;

    if (rest->len != 0 && rest->data[0] == '[') {

        name.data++;
        name.len--;
        end = memchr(name.data, ']', name.len);

        if (end == NULL || (end + 1 != last && end[1] != '.')) {
            return podi_fail(fail, PODI_E_CONFIG, NULL,
                             "\"[\" in the name of a claim has no \"]\"");
        }

        p = end + 1;

    } else {
        end = memchr(name.data, '.', name.len);
        end = (end == NULL) ? last : end;
        p = end;
    }

    name.len = (size_t) (end - name.data);

    if (name.len == 0 || name.len > CLAIM_NAME_MAX) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "a claim needs a name of 1 to %d bytes",
                         CLAIM_NAME_MAX);
    }

    rest->data = (p == last) ? NULL : p + 1;
    rest->len = (p == last) ? 0 : (size_t) (last - p) - 1;

    *ret_name = podi_mem_dup_c(mem, &name);

    if (*ret_name == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}


podi_rc_t
podi_claim_rule(const podi_str_t *words, size_t n, podi_mem_t *mem,
    const podi_claim_rule_t **ret_rule, podi_fail_t *fail)
{
    podi_claim_rule_t  *rule;

    if (n < 2) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "a rule needs a claim and an operator, as in "
                         "\"aal ge 2\"");
    }

    rule = podi_mem_calloc(mem, sizeof(podi_claim_rule_t));
    if (rule == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    rule->op = claim_op(&words[1]);

    if (rule->op == NULL) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "there is no operator \"" PODI_STR_FMT "\": write "
                         "exists, eq, ne, in, any, gt, ge, lt, le or "
                         "match-prefix", podi_str_arg(&words[1]));
    }

    if (podi_claim_path(&words[0], mem, &rule->path, fail) != PODI_OK
        || claim_values(rule, words + 2, n - 2, mem, fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (claim_write(rule, words, n, mem) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    *ret_rule = rule;

    return PODI_OK;
}


static const claim_op_t *
claim_op(const podi_str_t *name)
{
    const claim_op_t  *op;

    for (op = claim_ops; op->name != NULL; op++) {
        if (podi_str_eq_c(name, op->name)) {
            return op;
        }
    }

    return NULL;
}


static podi_rc_t
claim_values(podi_claim_rule_t *rule, const podi_str_t *words, size_t n,
    podi_mem_t *mem, podi_fail_t *fail)
{
    if (n < rule->op->min || n > rule->op->max) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "\"%s\" takes %zu to %zu values", rule->op->name,
                         rule->op->min, rule->op->max);
    }

    for (rule->n = 0; rule->n < n; rule->n++) {

        if (podi_mem_dup(mem, &words[rule->n], &rule->values[rule->n].text)
            != PODI_OK)
        {
            return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
        }

        claim_number(&rule->values[rule->n]);

        if (rule->op->numbers && !rule->values[rule->n].is_number) {
            return podi_fail(fail, PODI_E_CONFIG, NULL,
                             "\"%s\" compares numbers, and \"" PODI_STR_FMT
                             "\" is none", rule->op->name,
                             podi_str_arg(&words[rule->n]));
        }
    }

    return PODI_OK;
}


/* as JSON writes them: 12, -1, 0.5, 1e3; no hex, no nan */

static void
claim_number(claim_value_t *value)
{
    char    text[CLAIM_NUMBER_MAX + 1], *end;
    size_t  i;

    value->is_whole = podi_str_to_int64(&value->text, &value->whole)
                      == PODI_OK;

    if (value->text.len == 0 || value->text.len > CLAIM_NUMBER_MAX) {
        return;
    }

    for (i = 0; i < value->text.len; i++) {
        if (strchr("0123456789+-.eE", value->text.data[i]) == NULL) {
            return;
        }
    }

    memcpy(text, value->text.data, value->text.len);
    text[value->text.len] = '\0';

    value->real = strtod(text, &end);
    value->is_number = *end == '\0' && isfinite(value->real);
}


static podi_rc_t
claim_write(podi_claim_rule_t *rule, const podi_str_t *words, size_t n,
    podi_mem_t *mem)
{
    size_t      i;
    podi_buf_t  b;

    podi_buf_init(&b, mem);

    for (i = 0; i < n; i++) {

        if (i != 0) {
            podi_buf_add_byte(&b, ' ');
        }

        /* quoted, so that no two rules have the same text */

        if (memchr(words[i].data, ' ', words[i].len) != NULL
            || memchr(words[i].data, '"', words[i].len) != NULL)
        {
            podi_buf_add_json(&b, &words[i]);

        } else {
            podi_buf_add_str(&b, &words[i]);
        }
    }

    return podi_buf_take(&b, &rule->text);
}


podi_str_t
podi_claim_text(const podi_claim_rule_t *rule)
{
    return rule->text;
}


const json_t *
podi_claim_find(const podi_claim_path_t *path, const json_t *claims)
{
    size_t         i;
    const json_t  *value = claims;

    for (i = 0; i < path->n && value != NULL; i++) {
        value = json_object_get(value, path->names[i]);
    }

    return value;
}


int
podi_claim_holds(const podi_claim_rule_t *rule, const json_t *claims)
{
    int            found;
    size_t         i;
    const json_t  *value;

    value = podi_claim_find(rule->path, claims);

    if (value == NULL || json_is_null(value)) {
        return rule->op->op == CLAIM_NE;
    }

    if (rule->op->op == CLAIM_EXISTS) {
        return 1;
    }

    /* of a list one element decides: for `ne`, one that is equal */

    found = 0;

    if (!json_is_array(value)) {
        found = claim_one(rule, value);

    } else if (rule->op->op != CLAIM_EQ) {
        for (i = 0; i < json_array_size(value) && !found; i++) {
            found = claim_one(rule, json_array_get(value, i));
        }
    }

    return (rule->op->op == CLAIM_NE) ? !found : found;
}


static int
claim_one(const podi_claim_rule_t *rule, const json_t *value)
{
    int         order;
    size_t      i;
    podi_str_t  text;

    switch (rule->op->op) {

    case CLAIM_GT:
        return claim_order(&rule->values[0], value, &order) && order > 0;

    case CLAIM_GE:
        return claim_order(&rule->values[0], value, &order) && order >= 0;

    case CLAIM_LT:
        return claim_order(&rule->values[0], value, &order) && order < 0;

    case CLAIM_LE:
        return claim_order(&rule->values[0], value, &order) && order <= 0;

    case CLAIM_ANY:

        if (claim_words(rule, value)) {
            return 1;
        }

        break;

    default:
        break;
    }

    text = podi_json_str(value);

    for (i = 0; i < rule->n; i++) {

        if (rule->op->op == CLAIM_PREFIX) {
            if (json_is_string(value) && text.len >= rule->values[i].text.len
                && memcmp(text.data, rule->values[i].text.data,
                          rule->values[i].text.len) == 0)
            {
                return 1;
            }

        } else if (claim_equals(&rule->values[i], value)) {
            return 1;
        }
    }

    return 0;
}


/* "read write" as a list: the form of scope */

static int
claim_words(const podi_claim_rule_t *rule, const json_t *value)
{
    size_t      i;
    podi_str_t  rest, word;

    if (!json_is_string(value)) {
        return 0;
    }

    rest = podi_json_str(value);

    while (podi_str_split(&rest, ' ', &word)) {
        for (i = 0; i < rule->n; i++) {
            if (word.len != 0 && podi_str_eq(&word, &rule->values[i].text)) {
                return 1;
            }
        }
    }

    return 0;
}


static int
claim_equals(const claim_value_t *want, const json_t *value)
{
    int         order;
    podi_str_t  text;

    if (json_is_string(value)) {
        text = podi_json_str(value);
        return podi_str_eq(&text, &want->text);
    }

    if (json_is_boolean(value)) {
        return podi_str_eq_c(&want->text,
                             json_is_true(value) ? "true" : "false");
    }

    return claim_order(want, value, &order) && order == 0;
}


/* how the claim stands to the number of the rule; 0: one of them is none */

static int
claim_order(const claim_value_t *want, const json_t *value, int *ret_order)
{
    double   real;
    int64_t  whole;

    if (!json_is_number(value) || !want->is_number) {
        return 0;
    }

    if (json_is_integer(value) && want->is_whole) {
        whole = json_integer_value(value);
        *ret_order = (whole > want->whole) - (whole < want->whole);
        return 1;
    }

    real = json_number_value(value);
    *ret_order = (real > want->real) - (real < want->real);

    return 1;
}
