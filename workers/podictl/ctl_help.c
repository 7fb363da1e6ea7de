/*
 * ctl_help: what each command of podictl does, in a sentence.
 */

#include <string.h>

#include "ctl.h"
#include "banned.h"


static const struct {
    const char  *noun;
    const char  *verb;                  /* or NULL */
    const char  *what;
}  ctl_helps[] = {
    { "wallet", "grant", "gives points to a user, once for each reference" },
    { "wallet", "refund", "gives back what was spent, lot by lot" },
    { "wallet", "adjust", "adds or takes points, with a reason" },
    { "wallet", "verify", "replays the ledger and names its first break" },
    { "report", "daily", "sums up a day, by tenant and in all" },
    { "queue", "put", "adds a queue, or changes one" },
    { "queue", "list", "shows the queues and how many jobs are in each" },
    { "gate", "put", "bounds how many jobs pass at once, or how fast" },
    { "gate", "list", "shows the bounds in force, those of plans too" },
    { "price", "put", "adds a price rule; rules are never changed" },
    { "price", "list", "shows the price rules, the newest first" },
    { "plan", "put", "adds a plan, or changes one" },
    { "plan", "list", "shows the plans and how many tenants have each" },
    { "job", "aside", "lists the jobs that took their workers with them" },
    { "job", "dismiss", "takes a job off that list; it stays failed" },
    { "job", "replay", "begins a job of that list again, for its user" },
    { "tenant", "create", "makes a tenant, or finds the one there is" },
    { "tenant", "plan", "puts a tenant on a plan, from now on" },
    { "tenant", "operator", "lets its admins run the installation, or not" },
    { "tenant", "zone", "says when the days of a tenant begin" },
    { "channel", "set", "puts settings over a channel of nginx.conf" },
    { "channel", "kill", "closes a channel, at once and everywhere" },
    { "channel", "open", "opens a channel that was closed" },
    { "channel", "list", "shows what is put over the channels" },
    { "limit", "set", "gives a plan or a user another rate, at once" },
    { "limit", "list", "says which plans and users have another rate" },
    { "quota", "put", "sets a budget of a tenant or its users" },
    { "quota", "list", "shows the budgets and what is used of them" },
    { "account", "role", "gives a user a role" },
    { "revoke", "user", "ends his sessions, and what he was issued till now" },
    { "revoke", "session", "ends a session" },
    { "revoke", "token", "refuses one token" },
    { "revoke", "channel", "refuses what was issued in a channel till now" },
    { "action", "put", "adds what can be ordered, or changes it" },
    { "invariants", NULL, "names what is broken; nothing is good news" },
    { "reconcile", NULL, "names breaks of the ten rules, and judges each" },
    { "reconcile", "bill", "holds a provider's bill against the attempts" },
    { "config", "lint", "lists what is unsafe in nginx's configuration" },
    { "config", "show", "shows what is in force, and who says so" },
    { "key", "make", "writes a new secret into a file of mode 0600" },
    { "key", "add", "seals a key of a provider, read from stdin" },
    { "key", "list", "shows the keys of providers, never what is in them" },
    { "key", "disable", "takes a key of a provider out of use" },
    { "comfy", "apply", "brings servers and workflows to what a file says" },
    { "comfy", "server put", "adds a ComfyUI server, or changes one" },
    { "comfy", "server list", "shows the servers and what was seen of them" },
    { "comfy", "server drain", "sends a server nothing new" },
    { "comfy", "server enable", "sends a server work again" },
    { "comfy", "server disable", "talks to a server no more" },
    { "comfy", "server remove", "forgets a server that is disabled" },
    { "comfy", "workflow put", "adds a version of a workflow, as a draft" },
    { "comfy", "workflow publish", "makes a version the one that is run" },
    { "comfy", "workflow list", "shows the versions, and whose they are" },
    { "comfy", "workflow show", "shows all of a version" },
    { "comfy", "workflow dry-run", "shows what would be sent, or tries it" },
    { "provider", "check", "names the first mistake of a description" },
    { "receipt", "verify", "checks a receipt with nothing but the keys" },
    { NULL, NULL, "" }
};


const char *
ctl_help(const char *noun, const char *verb)
{
    int  i;

    for (i = 0; ctl_helps[i].noun != NULL; i++) {
        if (strcmp(ctl_helps[i].noun, noun) == 0
            && (verb == NULL) == (ctl_helps[i].verb == NULL)
            && (verb == NULL || strcmp(ctl_helps[i].verb, verb) == 0))
        {
            break;
        }
    }

    return ctl_helps[i].what;
}
