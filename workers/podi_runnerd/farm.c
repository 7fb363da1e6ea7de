/*
 * farm: what is found out about servers besides how they answer, and told.
 *
 *     it forgot what it had, or counts anew --> it began anew
 *         --> whoever has a prompt there looks for it at once
 *     it was shut and answers again --> one prompt, until that is at its end
 *     it works on nothing --> none, until it was away; then one
 */

#include <string.h>

#include "runnerd.h"
#include "banned.h"


#define FARM_LABELS  128


static void farm_gauges(const runner_server_t *server);
static void farm_gauge(const runner_server_t *server, const char *name,
    double value);


/* of all prompts that are followed there, those that it has said it took, and
   is not asked to forget */

unsigned
runner_server_holds(runner_server_t *server)
{
    unsigned      n = 0;
    podi_link_t  *link;
    comfy_run_t  *run;

    podi_list_each(link, &server->runs) {
        run = podi_list_owner(link, comfy_run_t, link);
        run->held = run->follows && run->follow.known
                    && !run->follow.cancel;
        n += run->held;
    }

    return n;
}


/* one of those, since then still not at its end */

int
runner_server_held(const runner_server_t *server)
{
    podi_link_t  *link;
    comfy_run_t  *run;

    podi_list_each(link, &server->runs) {
        run = podi_list_owner(link, comfy_run_t, link);

        if (run->held && run->follows) {
            return 1;
        }
    }

    return 0;
}


void
runner_server_hint(runner_server_t *server)
{
    podi_link_t  *link;
    comfy_run_t  *run;

    podi_list_each(link, &server->runs) {
        run = podi_list_owner(link, comfy_run_t, link);

        if (run->follows) {
            run->hint = 1;
            runner_again_now(run->again);
        }
    }
}


/* its row may have changed since the prompt went there */

void
runner_server_stuck(runner_server_t *server)
{
    runner_server_t  *now = runner_server_find(&server->provider);

    server->stuck = 1;

    if (now != NULL && podi_str_eq(&now->url, &server->url)) {
        now->stuck = 1;
    }

    runner_farm_count("podi_runner_stuck_total", "server", &server->name);

    /* what waits there leaves with its next look */
    runner_server_hint(server);
}


/* it may work again, which one prompt will show */

void
runner_server_was_away(runner_server_t *server)
{
    if (server->stuck) {
        server->stuck = 0;
        server->trial = 1;
    }

    runner_server_hint(server);
}


void
runner_server_anew(runner_server_t *server)
{
    podi_worker_log(runnerd.worker, PODI_LOG_WARN, "server.restarted", NULL,
                    PODI_STR_FMT ": it began anew; %u jobs of ours look for "
                    "their prompts", podi_str_arg(&server->name),
                    server->ours);
    runner_farm_count("podi_runner_restarts_total", "server", &server->name);

    server->model_key = 0;
    server->number = -1;
    server->cards_version[0] = '\0';
    runner_server_was_away(server);
}


/* it took a prompt; answers to several may come in any order */

void
runner_server_took(const comfy_run_t *run, double number)
{
    runner_server_t     *server = run->server;
    podi_farm_memory_t   was, is;

    memset(&was, 0, sizeof(was));
    memset(&is, 0, sizeof(is));
    was.number = run->since;
    is.number = number;

    if (podi_farm_restarted(&was, &is)) {
        runner_server_anew(server);
    }

    server->model_key = run->model_key;

    if (number > server->number) {
        server->number = number;
    }
}


void
runner_farm_count(const char *name, const char *label, const podi_str_t *value)
{
    char  labels[FARM_LABELS];

    (void) snprintf(labels, sizeof(labels), "%s=\"" PODI_STR_FMT "\"", label,
                    podi_str_arg(value));
    podi_metric_add(runnerd.worker, name, labels, 1);
}


/* those that are gone are told no more */

void
runner_farm_metrics(void)
{
    podi_link_t      *link;
    runner_server_t  *server;

    podi_metric_forget(runnerd.worker, "podi_runner_server_up");
    podi_metric_forget(runnerd.worker, "podi_runner_server_ours");
    podi_metric_forget(runnerd.worker, "podi_runner_server_remaining");
    podi_metric_forget(runnerd.worker, "podi_runner_server_latency_seconds");
    podi_metric_forget(runnerd.worker, "podi_runner_server_breaker");

    podi_list_each(link, &runnerd.servers) {
        server = podi_list_owner(link, runner_server_t, link);

        if (server->listed && server->state != PODI_FARM_DISABLED) {
            farm_gauges(server);
        }
    }
}


static void
farm_gauges(const runner_server_t *server)
{
    farm_gauge(server, "podi_runner_server_up",
               !runner_server_is_stale(server));
    farm_gauge(server, "podi_runner_server_ours", server->ours);
    farm_gauge(server, "podi_runner_server_remaining", server->remaining);
    farm_gauge(server, "podi_runner_server_latency_seconds",
               (double) server->latency / 1000);
    farm_gauge(server, "podi_runner_server_breaker",
               server->breaker.state == PODI_BREAKER_CLOSED && server->trial
               ? PODI_BREAKER_HALF_OPEN : server->breaker.state);
}


static void
farm_gauge(const runner_server_t *server, const char *name, double value)
{
    char  labels[FARM_LABELS];

    (void) snprintf(labels, sizeof(labels), "server=\"" PODI_STR_FMT "\"",
                    podi_str_arg(&server->name));
    podi_metric_set(runnerd.worker, name, labels, value);
}
