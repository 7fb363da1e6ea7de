/*
 * podictl: the operator's hand.
 *
 *     podictl -c FILE NOUN [VERB] [--option VALUE]...
 *     podictl [NOUN [VERB]] --help
 *
 * Each command is one SQL function, called as podi_ctl; what it changed is
 * told as name=value lines.  Exit: 0 done, 1 refused, 2 usage, 3 the
 * database is not there, or the output could not be written.  Secrets are
 * written into files of mode 0600 and never shown.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "banned.h"

#define MAIN_FILE  "a JSON object, see docs/schema.md; - is stdin"

/* of the four verbs of revoke, in the order that ctl_revoke.c reads */
#define MAIN_REVOKE(what)                                                     \
    { "id", NULL, NULL, what },                                               \
    { "for", NULL, "86400", "seconds; no such token lives longer" },          \
    { "reason", NULL, "by the operator", "for the audit" },                   \
    { "issuer", NULL, "podi", "a podi_issuer's name; ours if not given" }


static const ctl_command_t *main_command(char **word, int *ret_used);
static int main_options(ctl_t *ctl, char **word);
static int main_option(ctl_t *ctl, const char *name, const char *value);
static int main_positional(ctl_t *ctl, const char *value);
static int main_wants_help(char **word);
static int main_help(char **word);
static int main_end(int code);
static int main_usage(const ctl_command_t *command);
static void main_describe(FILE *out, const ctl_command_t *command);


const char  ctl_flag[] = "";

static const ctl_command_t  main_commands[] = {

    { "wallet", "grant",
      { { "tenant", NULL, NULL, "the tenant's slug" },
        { "login", NULL, NULL, "the user's login name" },
        { "points", NULL, NULL, "how many, in minor units" },
        { "source-ref", "ref", NULL, "what for; granted once for each" },
        { "kind", NULL, "gift", "gift, plan, paid" },
        { "expires", NULL, "", "RFC 3339; never when it is not given" },
        { "reason", NULL, "", "for the ledger" } },
      ctl_grant_steps, NULL },

    { "wallet", "refund",
      { { "tenant", NULL, NULL, "the tenant's slug" },
        { "login", NULL, NULL, "the user's login name" },
        { "reason", NULL, NULL, "for the ledger" },
        { "ref", NULL, NULL, "what for; refunded once for each" },
        { "task", NULL, "", "what was spent on this task," },
        { "job", NULL, "", "or on this job," },
        { "hold", NULL, "", "or out of this hold of a server" },
        { "points", NULL, "", "all when it is not given" } },
      ctl_refund_steps, NULL },

    { "wallet", "adjust",
      { { "tenant", NULL, NULL, "the tenant's slug" },
        { "login", NULL, NULL, "the user's login name" },
        { "points", NULL, NULL, "to add, or with - to take" },
        { "reason", NULL, NULL, "for the ledger" },
        { "ref", NULL, NULL, "what for; adjusted once for each" } },
      ctl_adjust_steps, NULL },

    { "wallet", "verify",
      { { "wallet", NULL, "", "its id; all when it is not given" },
        { "rows", NULL, "50000", "so many in one statement" } },
      ctl_verify_steps, NULL },

    { "report", "daily",
      { { "day", NULL, "", "as 2026-12-31 (UTC); yesterday else" },
        { "format", NULL, "json", "json, csv" } },
      ctl_report_steps, NULL },

    { "queue", "put",
      { { "file", NULL, NULL, MAIN_FILE } },
      ctl_queue_steps, NULL },

    { "queue", "list", { { NULL, NULL, NULL, NULL } },
      ctl_queue_list_steps, NULL },

    { "gate", "put",
      { { "file", NULL, NULL, MAIN_FILE } },
      ctl_gate_steps, NULL },

    { "gate", "list", { { NULL, NULL, NULL, NULL } },
      ctl_gate_list_steps, NULL },

    { "price", "put",
      { { "file", NULL, NULL, MAIN_FILE } },
      ctl_price_steps, NULL },

    { "price", "list",
      { { "action", NULL, "", "all when it is not given" } },
      ctl_price_list_steps, NULL },

    { "plan", "put",
      { { "file", NULL, NULL, MAIN_FILE } },
      ctl_plan_steps, NULL },

    { "plan", "list", { { NULL, NULL, NULL, NULL } },
      ctl_plan_list_steps, NULL },

    { "job", "aside",
      { { "queue", NULL, "", "all when it is not given" } },
      ctl_aside_steps, NULL },

    { "job", "dismiss",
      { { "job", NULL, NULL, "its id" },
        { "reason", NULL, NULL, "for the audit" } },
      ctl_dismiss_steps, NULL },

    { "job", "replay",
      { { "job", NULL, NULL, "its id" },
        { "reason", NULL, NULL, "for the audit" } },
      ctl_replay_steps, NULL },

    { "tenant", "create",
      { { "slug", NULL, NULL, "a-z 0-9 -" },
        { "name", NULL, NULL, "for people" } },
      ctl_tenant_steps, NULL },

    { "tenant", "plan",
      { { "tenant", NULL, NULL, "the tenant's slug" },
        { "plan", NULL, NULL, "its name, see plan list" } },
      ctl_tenant_plan_steps, NULL },

    { "tenant", "zone",
      { { "tenant", NULL, NULL, "the tenant's slug" },
        { "zone", NULL, NULL, "as Asia/Shanghai: when its days begin" } },
      ctl_zone_steps, NULL },

    { "quota", "put",
      { { "tenant", NULL, NULL, "the tenant's slug" },
        { "meter", NULL, NULL, "points, tasks, calls, tokens, in_flight" },
        { "most", NULL, NULL, "how much of it; none: take the budget away" },
        { "period", NULL, "none", "day, month; in_flight has none" },
        { "login", NULL, "", "a user; * each of them; the tenant else" } },
      ctl_quota_put_steps, NULL },

    { "quota", "list",
      { { "tenant", NULL, NULL, "the tenant's slug" } },
      ctl_quota_list_steps, NULL },

    { "channel", "set",
      { { "channel", NULL, NULL, "its name" },
        { "file", NULL, NULL, MAIN_FILE } },
      ctl_channel_set_steps, NULL },

    { "channel", "kill",
      { { "channel", NULL, NULL, "its name" } },
      ctl_channel_kill_steps, NULL },

    { "channel", "open",
      { { "channel", NULL, NULL, "its name" } },
      ctl_channel_open_steps, NULL },

    { "channel", "list", { { NULL, NULL, NULL, NULL } },
      ctl_channel_list_steps, NULL },

    { "limit", "set",
      { { "limit", NULL, NULL, "the name of its podi_limit_zone" },
        { "kind", NULL, NULL, "plan, user" },
        { "subject", NULL, NULL, "a plan, a login; no tenant: sub" },
        { "terms", NULL, NULL, "as rate=50r/s, or none" },
        { "tenant", NULL, "", "a user's, by its slug" } },
      ctl_limit_set_steps, NULL },

    { "limit", "list", { { NULL, NULL, NULL, NULL } },
      ctl_limit_list_steps, NULL },

    { "account", "role",
      { { "tenant", NULL, NULL, "the tenant's slug" },
        { "login", NULL, NULL, "the user's login name" },
        { "role", NULL, NULL, "admin, user" } },
      ctl_role_steps, NULL },

    { "revoke", "user",
      { MAIN_REVOKE("his user_id, or with a tenant his login"),
        { "tenant", NULL, "", "the tenant's slug" } },
      ctl_revoke_steps, NULL },

    { "revoke", "session", { MAIN_REVOKE("its id") }, ctl_revoke_steps, NULL },
    { "revoke", "token", { MAIN_REVOKE("its jti") }, ctl_revoke_steps, NULL },
    { "revoke", "channel", { MAIN_REVOKE("its name") },
      ctl_revoke_steps, NULL },

    { "action", "put",
      { { "file", NULL, NULL, MAIN_FILE } },
      ctl_action_steps, NULL },

    { "invariants", NULL, { { NULL, NULL, NULL, NULL } },
      ctl_invariant_steps, NULL },

    { "reconcile", "bill",
      { { "file", NULL, NULL, "CSV: reference,cost" },
        { "provider", NULL, NULL, "its name in the attempts" },
        { "from", NULL, NULL, "the first day of the bill, as 2026-12-31" },
        { "to", NULL, NULL, "the day after its last" } },
      ctl_bill_steps, NULL },

    { "reconcile", NULL,
      { { "verify", NULL, ctl_flag, "replay all of the ledger" } },
      ctl_reconcile_steps, NULL },

    { "key", "make",
      { { "kind", NULL, NULL, "context, chain, token, refresh, store, secret" },
        { "out", NULL, NULL, "a file that does not exist yet" } },
      NULL, ctl_key_make },

    { "receipt", "verify",
      { { "file", NULL, NULL, "of GET /v1/tasks/{id}/receipt" },
        { "jwks", NULL, NULL, "of /.well-known/jwks.json" } },
      NULL, ctl_receipt_verify },

    { NULL, NULL, { { NULL, NULL, NULL, NULL } }, NULL, NULL }
};


int
main(int argc, char **argv)
{
    int            used, code;
    char         **word = argv + 1;
    ctl_t          ctl;

    memset(&ctl, 0, sizeof(ctl_t));

    if (argc > 2 && strcmp(word[0], "-c") == 0) {
        ctl.path = word[1];
        word += 2;
    }

    if (main_wants_help(word)) {
        return main_help(word);
    }

    ctl.command = main_command(word, &used);

    if (ctl.command == NULL || main_options(&ctl, word + used) != 0) {
        return main_usage(ctl.command);
    }

    if (ctl.command->steps != NULL && ctl.path == NULL) {
        return main_usage(ctl.command);
    }

    ctl.arena = podi_arena_create();
    if (ctl.arena == NULL) {
        return CTL_UNAVAILABLE;
    }

    ctl.mem = podi_arena_mem(ctl.arena);

    code = (ctl.command->run != NULL) ? ctl.command->run(&ctl)
                                      : ctl_run(&ctl);

    podi_arena_free(&ctl.arena);

    return main_end(code);
}


static const ctl_command_t *
main_command(char **word, int *ret_used)
{
    const ctl_command_t  *c;

    for (c = main_commands; word[0] != NULL && c->noun != NULL; c++) {
        if (strcmp(word[0], c->noun) != 0) {
            continue;
        }

        if (c->verb == NULL
            || (word[1] != NULL && strcmp(word[1], c->verb) == 0))
        {
            *ret_used = (c->verb == NULL) ? 1 : 2;
            return c;
        }
    }

    return NULL;
}


/* 0, or -1 when something is unknown or missing */

static int
main_options(ctl_t *ctl, char **word)
{
    int                  i, used;
    const ctl_option_t  *o;

    for ( /* void */ ; *word != NULL; word++) {

        if (strncmp(*word, "--", 2) != 0) {
            if (main_positional(ctl, *word) != 0) {
                return -1;
            }

            continue;
        }

        used = main_option(ctl, *word + 2, word[1]);

        if (used == -1) {
            return -1;
        }

        word += used - 1;
    }

    for (i = 0; i < CTL_OPTIONS_MAX; i++) {
        o = &ctl->command->options[i];

        if (o->name == NULL || ctl->values[i] != NULL) {
            continue;
        }

        if (o->value == NULL) {
            (void) fprintf(stderr, "podictl: --%s is missing\n", o->name);
            return -1;
        }

        ctl->values[i] = o->value;
    }

    return 0;
}


/* how many words it takes, or -1 */

static int
main_option(ctl_t *ctl, const char *name, const char *value)
{
    int                  i;
    const ctl_option_t  *o;

    for (i = 0; i < CTL_OPTIONS_MAX; i++) {
        o = &ctl->command->options[i];

        if (o->name != NULL
            && (strcmp(name, o->name) == 0
                || (o->alias != NULL && strcmp(name, o->alias) == 0)))
        {
            ctl->values[i] = (o->value == ctl_flag) ? "yes" : value;

            return (o->value == ctl_flag) ? 1 : (value != NULL) ? 2 : -1;
        }
    }

    (void) fprintf(stderr, "podictl: there is no --%s here\n", name);

    return -1;
}


/* the first one that must be given and was not */

static int
main_positional(ctl_t *ctl, const char *value)
{
    int                  i;
    const ctl_option_t  *o;

    for (i = 0; i < CTL_OPTIONS_MAX; i++) {
        o = &ctl->command->options[i];

        if (o->name != NULL && o->value == NULL && ctl->values[i] == NULL) {
            ctl->values[i] = value;
            return 0;
        }
    }

    (void) fprintf(stderr, "podictl: \"%s\" is too much\n", value);

    return -1;
}


static int
main_wants_help(char **word)
{
    if (word[0] != NULL && strcmp(word[0], "help") == 0) {
        return 1;
    }

    for ( /* void */ ; *word != NULL; word++) {
        if (strcmp(*word, "--help") == 0 || strcmp(*word, "-h") == 0) {
            return 1;
        }
    }

    return 0;
}


/* of the words that are a noun and a verb; of everything when none is */

static int
main_help(char **word)
{
    int                   found;
    const char           *noun, *verb;
    const ctl_command_t  *c;

    word += (strcmp(word[0], "help") == 0);

    noun = (word[0] != NULL && word[0][0] != '-') ? word[0] : NULL;
    verb = (noun != NULL && word[1] != NULL && word[1][0] != '-') ? word[1]
                                                                  : NULL;
    found = 0;

    for (c = main_commands; c->noun != NULL; c++) {
        if ((noun == NULL || strcmp(noun, c->noun) == 0)
            && (verb == NULL || c->verb == NULL || strcmp(verb, c->verb) == 0))
        {
            if (!found++) {
                (void) printf("usage: podictl -c FILE COMMAND\n");
            }

            main_describe(stdout, c);
        }
    }

    return found ? CTL_OK : main_usage(NULL);
}


/* a report that is not on the disk is none; a reader may go when it likes */

static int
main_end(int code)
{
    errno = 0;

    if ((fflush(stdout) == 0 && !ferror(stdout)) || errno == EPIPE) {
        return code;
    }

    (void) fprintf(stderr, "podictl: not all of the output was written\n");

    return (code == CTL_OK) ? CTL_UNAVAILABLE : code;
}


static int
main_usage(const ctl_command_t *command)
{
    const ctl_command_t  *c;

    (void) fprintf(stderr, "usage: podictl -c FILE COMMAND\n");

    for (c = main_commands; c->noun != NULL; c++) {
        if (command == NULL || c == command) {
            main_describe(stderr, c);
        }
    }

    return CTL_USAGE;
}


static void
main_describe(FILE *out, const ctl_command_t *command)
{
    int                  i;
    const ctl_option_t  *o;

    (void) fprintf(out, "  %s%s%s: %s\n", command->noun,
                   command->verb != NULL ? " " : "",
                   command->verb != NULL ? command->verb : "",
                   ctl_help(command->noun, command->verb));

    for (i = 0; i < CTL_OPTIONS_MAX; i++) {
        o = &command->options[i];

        if (o->name != NULL) {
            (void) fprintf(out, "      --%-12s %s%s\n", o->name, o->what,
                           o->value != NULL ? " (optional)" : "");
        }
    }
}
