/*
 * ctl_table: the commands of podictl, with their options.
 *
 * ctl_help.c says what each of them does.
 */

#include "ctl.h"
#include "banned.h"

#define TABLE_FILE  "a JSON object, see docs/schema.md; - is stdin"

/* of the four verbs of revoke, in the order that ctl_revoke.c reads */
#define TABLE_REVOKE(what)                                                    \
    { "id", NULL, NULL, what },                                               \
    { "for", NULL, "86400", "seconds; no such token lives longer" },          \
    { "reason", NULL, "by the operator", "for the audit" },                   \
    { "issuer", NULL, "podi", "a podi_issuer's name; ours if not given" }

#define TABLE_SERVER  { "server", NULL, NULL, "its name" }


const char  ctl_flag[] = "";
const char  ctl_words[] = "";

const ctl_command_t  ctl_commands[] = {

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
      { { "file", NULL, NULL, TABLE_FILE } },
      ctl_queue_steps, NULL },

    { "queue", "list", { { NULL, NULL, NULL, NULL } },
      ctl_queue_list_steps, NULL },

    { "gate", "put",
      { { "file", NULL, NULL, TABLE_FILE } },
      ctl_gate_steps, NULL },

    { "gate", "list", { { NULL, NULL, NULL, NULL } },
      ctl_gate_list_steps, NULL },

    { "price", "put",
      { { "file", NULL, NULL, TABLE_FILE } },
      ctl_price_steps, NULL },

    { "price", "list",
      { { "action", NULL, "", "all when it is not given" } },
      ctl_price_list_steps, NULL },

    { "plan", "put",
      { { "file", NULL, NULL, TABLE_FILE } },
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

    { "tenant", "operator",
      { { "tenant", NULL, NULL, "the tenant's slug" },
        { "state", NULL, NULL, "on, off" } },
      ctl_tenant_operator_steps, NULL },

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
        { "file", NULL, NULL, TABLE_FILE } },
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
        { "subject", NULL, NULL, "a plan, a login; no tenant: its user_id" },
        { "terms", NULL, NULL, "as rate=50r/s, or none" },
        { "tenant", NULL, "", "a user's, by its slug" },
        { "issuer", NULL, "podi", "a podi_issuer's name, whose tokens say "
                                  "tenant and sub" } },
      ctl_limit_set_steps, NULL },

    { "limit", "list", { { NULL, NULL, NULL, NULL } },
      ctl_limit_list_steps, NULL },

    { "account", "role",
      { { "tenant", NULL, NULL, "the tenant's slug" },
        { "login", NULL, NULL, "the user's login name" },
        { "role", NULL, NULL, "admin, user" } },
      ctl_role_steps, NULL },

    { "revoke", "user",
      { TABLE_REVOKE("his user_id, or with a tenant his login"),
        { "tenant", NULL, "", "the tenant's slug" } },
      ctl_revoke_steps, NULL },

    { "revoke", "session", { TABLE_REVOKE("its id") }, ctl_revoke_steps, NULL },
    { "revoke", "token", { TABLE_REVOKE("its jti") }, ctl_revoke_steps, NULL },
    { "revoke", "channel", { TABLE_REVOKE("its name") },
      ctl_revoke_steps, NULL },

    { "action", "put",
      { { "file", NULL, NULL, TABLE_FILE } },
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

    { "config", "lint",
      { { "file", NULL, NULL, "nginx's main configuration file" },
        { "json", NULL, ctl_flag, "an object a line" },
        { "nginx", NULL, "nginx", "the program" },
        { "prefix", NULL, "", "nginx's -p" } },
      NULL, ctl_config_lint },

    { "config", "show",
      { { "file", NULL, NULL, "nginx's main configuration file" },
        { "json", NULL, ctl_flag, "an object a line" } },
      ctl_config_show_steps, NULL },

    { "key", "make",
      { { "kind", NULL, NULL,
          "context, chain, token, refresh, store, secret, kek" },
        { "out", NULL, NULL, "a file that does not exist yet" } },
      NULL, ctl_key_make },

    { "key", "add",
      { { "provider", NULL, NULL, "as its description is named, or comfyui" },
        { "name", NULL, NULL, "what it is called here" } },
      ctl_key_add_steps, NULL },

    { "key", "list", { { NULL, NULL, NULL, NULL } },
      ctl_key_list_steps, NULL },

    { "key", "disable",
      { { "provider", NULL, NULL, "see key list" },
        { "name", NULL, NULL, "see key list" } },
      ctl_key_disable_steps, NULL },

    { "comfy", "apply",
      { { "file", NULL, NULL, TABLE_FILE },
        { "prune", NULL, ctl_flag, "take away what the file does not name" } },
      ctl_farm_steps, NULL },

    { "comfy", "server put",
      { { "file", NULL, NULL, TABLE_FILE } },
      ctl_server_put_steps, NULL },

    { "comfy", "server list", { { NULL, NULL, NULL, NULL } },
      ctl_server_list_steps, NULL },

    { "comfy", "server drain", { TABLE_SERVER }, ctl_server_state_steps, NULL },
    { "comfy", "server enable", { TABLE_SERVER },
      ctl_server_state_steps, NULL },
    { "comfy", "server disable", { TABLE_SERVER },
      ctl_server_state_steps, NULL },
    { "comfy", "server remove", { TABLE_SERVER },
      ctl_server_remove_steps, NULL },

    { "comfy", "workflow put",
      { { "file", NULL, NULL, TABLE_FILE } },
      ctl_workflow_put_steps, NULL },

    { "comfy", "workflow publish",
      { { "workflow", NULL, NULL, "its name" },
        { "version", NULL, "", "the newest when it is not given" } },
      ctl_workflow_publish_steps, NULL },

    { "comfy", "workflow list", { { NULL, NULL, NULL, NULL } },
      ctl_workflow_list_steps, NULL },

    { "comfy", "workflow show",
      { { "workflow", NULL, NULL, "its name" },
        { "version", NULL, "", "the live one when it is not given" } },
      ctl_workflow_show_steps, NULL },

    { "comfy", "workflow dry-run",
      { { "workflow", NULL, NULL, "its name, or NAME@VERSION" },
        { "params", NULL, "{}", "of a job, a JSON object" },
        { "server", NULL, "", "really runs it there, once" },
        { "out", NULL, "", "with --server: a directory for what is made" },
        { "timeout", NULL, "300", "with --server: seconds" },
        { "input", NULL, ctl_words, "a file; one for each of its inputs" } },
      ctl_workflow_dry_steps, NULL },

    { "provider", "check",
      { { "file", NULL, NULL, "of conf/providers, say" },
        { "more", NULL, ctl_words, "further files, without their --more" } },
      NULL, ctl_provider_check },

    { "receipt", "verify",
      { { "file", NULL, NULL, "of GET /v1/tasks/{id}/receipt" },
        { "jwks", NULL, NULL, "of /.well-known/jwks.json" } },
      NULL, ctl_receipt_verify },

    { NULL, NULL, { { NULL, NULL, NULL, NULL } }, NULL, NULL }
};
