/*
 * gate: the worked examples that C, Lua and SQL share, and what follows from
 * the rules when many take turns.
 */

#include <jansson.h>

#include "tap.h"
#include "podi_gate.h"
#include "banned.h"


#define VECTORS   "t/lib/vectors/gates.json"
#define GATES     8
#define TENANTS   8


typedef struct {
    int64_t        pass[PODI_CLASSES][TENANTS];
    int64_t        time[PODI_CLASSES];          /* virtual, of the tenants */
    int64_t        class_pass[PODI_CLASSES];
    int64_t        class_time;
    int64_t        weight[TENANTS];
    unsigned char  ready[PODI_CLASSES][TENANTS];
    int            n;
} turns_t;


static void gates_case(const json_t *c);
static void turns_case(const json_t *c);
static void rounds_case(const json_t *c);
static void turns_come(turns_t *t, int class, int tenant);
static int turns_serve(turns_t *t, int *ret_class);
static void shares(void);
static void nobody_starves(void);


static int64_t
num(const json_t *o, const char *name)
{
    return json_integer_value(json_object_get(o, name));
}


static const char *
text(const json_t *o, const char *name)
{
    return json_string_value(json_object_get(o, name));
}


int
main(void)
{
    size_t         i;
    json_t        *v;
    const json_t  *c;
    json_error_t   error;

    v = json_load_file(VECTORS, 0, &error);

    if (v == NULL) {
        printf("Bail out! %s: %s (run it in the root of the tree)\n", VECTORS,
               error.text);
        return 1;
    }

    json_array_foreach(json_object_get(v, "gates"), i, c) {
        gates_case(c);
    }

    json_array_foreach(json_object_get(v, "turns"), i, c) {
        turns_case(c);
    }

    json_array_foreach(json_object_get(v, "steps"), i, c) {
        is_int(podi_turn_step(num(c, "pass"), num(c, "weight")),
               num(c, "to"), "a step");
    }

    json_array_foreach(json_object_get(v, "returns"), i, c) {
        is_int(podi_turn_return(num(c, "pass"), num(c, "virtual_time")),
               num(c, "to"), "a return");
    }

    json_array_foreach(json_object_get(v, "wakes"), i, c) {
        is_int(podi_turn_wake(num(c, "pass"), num(c, "weight"),
                              num(c, "virtual_time")),
               num(c, "to"), "a wake");
    }

    json_array_foreach(json_object_get(v, "rounds"), i, c) {
        rounds_case(c);
    }

    json_decref(v);
    shares();
    nobody_starves();

    return tap_done();
}


static void
gates_case(const json_t *c)
{
    int            n = 0, want;
    size_t         i;
    podi_gate_t    gates[GATES];
    const json_t  *g, *shut;

    json_array_foreach(json_object_get(c, "gates"), i, g) {
        gates[n].slots = num(g, "slots");
        gates[n].reserve = num(g, "reserve");
        gates[n].taken = num(g, "taken");
        gates[n].opens_at = num(g, "opens_at");
        n++;
    }

    shut = json_object_get(c, "shut");
    want = json_is_null(shut) ? PODI_GATE_NONE
                              : (int) json_integer_value(shut);

    is_int(podi_gate_first_shut(gates, n, (podi_class_e) num(c, "class"),
                                num(c, "now")),
           want, text(c, "name"));
}


static void
turns_case(const json_t *c)
{
    int            n;
    int64_t        passes[GATES];
    unsigned char  ready[GATES];
    const json_t  *p = json_object_get(c, "passes");
    const json_t  *r = json_object_get(c, "ready");

    for (n = 0; n < (int) json_array_size(p); n++) {
        passes[n] = json_integer_value(json_array_get(p, (size_t) n));
        ready[n] = json_integer_value(json_array_get(r, (size_t) n)) != 0;
    }

    is_int(podi_turn_next(passes, ready, n), num(c, "next"), text(c, "name"));
}


/* tenants that always have work, in the order in which they are served */

static void
rounds_case(const json_t *c)
{
    int            tenant, class, turn;
    char           got[64];
    turns_t        t;
    const char    *want = text(c, "served");
    const json_t  *tenants = json_object_get(c, "tenants"), *e;

    memset(&t, 0, sizeof(t));
    t.n = (int) json_array_size(tenants);

    for (turn = 0; want[turn] != '\0'; turn++) {
        for (tenant = 0; tenant < t.n; tenant++) {
            e = json_array_get(tenants, (size_t) tenant);
            t.weight[tenant] = num(e, "weight");

            if (num(e, "comes_after") == turn) {
                turns_come(&t, (int) num(e, "class"), tenant);
            }
        }

        tenant = turns_serve(&t, &class);
        got[turn] = text(json_array_get(tenants, (size_t) tenant), "id")[0];
    }

    got[turn] = '\0';
    is_str(str(got), want, text(c, "name"));
}


static void
turns_come(turns_t *t, int class, int tenant)
{
    int  i, idle = 1;

    for (i = 0; i < t->n; i++) {
        idle &= !t->ready[class][i];
    }

    if (idle) {
        t->class_pass[class] = podi_turn_return(t->class_pass[class],
                                                t->class_time);
    }

    t->ready[class][tenant] = 1;
    t->pass[class][tenant] = podi_turn_return(t->pass[class][tenant],
                                              t->time[class]);
}


static int
turns_serve(turns_t *t, int *ret_class)
{
    int            class, tenant, i;
    unsigned char  ready[PODI_CLASSES] = { 0 };

    for (class = 0; class < PODI_CLASSES; class++) {
        for (i = 0; i < t->n; i++) {
            ready[class] |= t->ready[class][i];
        }
    }

    class = podi_turn_next(t->class_pass, ready, PODI_CLASSES);
    tenant = podi_turn_next(t->pass[class], t->ready[class], t->n);

    t->class_time = podi_turn_return(t->class_time, t->class_pass[class]);
    t->class_pass[class] = podi_turn_step(t->class_pass[class],
                                          podi_class_shares[class]);

    t->time[class] = podi_turn_return(t->time[class], t->pass[class][tenant]);
    t->pass[class][tenant] = podi_turn_step(t->pass[class][tenant],
                                            t->weight[tenant]);

    *ret_class = class;

    return tenant;
}


/* twelve hundred turns are shared out as the shares and the weights say */

static void
shares(void)
{
    int      i, class, tenant, classes[PODI_CLASSES] = { 0 };
    int      tenants[TENANTS] = { 0 };
    turns_t  t;

    memset(&t, 0, sizeof(t));
    t.n = 2;
    t.weight[0] = 1;
    t.weight[1] = 4;

    for (class = 0; class < PODI_CLASSES; class++) {
        turns_come(&t, class, 0);
        turns_come(&t, class, 1);
    }

    for (i = 0; i < 1200; i++) {
        tenant = turns_serve(&t, &class);
        classes[class]++;
        tenants[tenant]++;
    }

    ok(abs(classes[0] - 800) <= 1, "interactive has 8 of 12: %d", classes[0]);
    ok(abs(classes[1] - 300) <= 1, "normal has 3 of 12: %d", classes[1]);
    ok(abs(classes[2] - 100) <= 1, "batch has 1 of 12: %d", classes[2]);
    ok(abs(tenants[0] - 240) <= 3, "weight 1 of 5: %d", tenants[0]);
}


/* a batch tenant of weight 1 against seven of weight 100 in every class */

static void
nobody_starves(void)
{
    int      i, class, tenant, waits = 0, worst = 0;
    turns_t  t;

    memset(&t, 0, sizeof(t));
    t.n = TENANTS;

    for (tenant = 0; tenant < TENANTS; tenant++) {
        t.weight[tenant] = tenant ? 100 : 1;

        for (class = 0; class < PODI_CLASSES; class++) {
            turns_come(&t, class, tenant);
        }
    }

    for (i = 0; i < 100000; i++) {
        tenant = turns_serve(&t, &class);
        waits++;

        if (tenant == 0 && class == PODI_CLASS_BATCH) {
            worst = waits > worst ? waits : worst;
            waits = 0;
        }
    }

    ok(worst > 0 && worst <= 12 * 702, "the least of all waits %d turns",
       worst);
}
