/*
 * podi_runnerd: what runs on machines that are not ours.
 *
 *     claimed -> what carries it out?
 *       comfy:     inputs -> a server is chosen -> noted -> prompt
 *       provider:  inputs -> a third party is chosen -> noted -> request
 *     -> followed to its end -> files -> stored -> settled
 *
 * Serves:    every action of its queue, by the executor of the action's row
 * Promises:  where a job is, and under which id, is in its row before
 *            anything goes out: whoever gets the job later looks there first,
 *            and nothing runs twice because an answer was lost.
 * Settings:  see runnerd_settings.
 */

#include <string.h>
#include <unistd.h>

#include "podi_event.h"
#include "podi_kek.h"
#include "provider.h"
#include "banned.h"


static podi_rc_t runnerd_check(podi_mem_t *mem, podi_fail_t *fail);
static podi_rc_t runnerd_start(podi_worker_t *w, podi_fail_t *fail);
static void runnerd_stop(podi_worker_t *w);
static podi_rc_t runnerd_program(podi_worker_t *w, podi_fail_t *fail);


runnerd_t  runnerd;

static const char  *runnerd_picture_program;

static const podi_setting_t  runnerd_settings[] = {

    podi_files_settings(&runnerd.files),
    podi_picture_settings(&runnerd.picture),

    /* podi_imaged, which looks at what came; empty: the one beside this */
    { "picture_program", PODI_PATH, &runnerd_picture_program, "", NULL, NULL },

    /* how often the servers' rows are read, and each is looked at */
    { "servers_every", PODI_MSEC, &runnerd.servers_every, "3s", "50ms", "60s" },
    { "probe_timeout", PODI_MSEC, &runnerd.probe_timeout, "2s", "50ms", "30s" },
    /* one that did not answer is left alone so long, at first */
    { "server_shut", PODI_MSEC, &runnerd.server_shut, "5s", "100ms", "60s" },
    /* one request; of files each has store_timeout */
    { "call_timeout", PODI_MSEC, &runnerd.call_timeout, "10s", "100ms", "5m" },
    /* of /object_info */
    { "info_max", PODI_SIZE, &runnerd.info_max, "32m", "1k", "256m" },
    /* of what a server tells of a prompt at its end, and of all that waits
       there, which is that of others as well */
    { "history_max", PODI_SIZE, &runnerd.history_max, "8m", "1k", "64m" },
    { "queue_max", PODI_SIZE, &runnerd.queue_max, "16m", "1k", "64m" },
    /* what one job may leave: files, and bytes of all of them */
    { "results_max", PODI_INT, &runnerd.results_max, "100", "1", "1000" },
    { "results_bytes", PODI_SIZE, &runnerd.results_bytes, "2g", "1k", "64g" },
    /* prompts that loaded models are worth waiting for */
    { "margin", PODI_INT, &runnerd.margin, "1", "0", "100" },

    /* descriptions of third parties; and whether they may be in our networks,
       and without TLS, which is for tests */
    { "providers_dir", PODI_PATH, &runnerd.providers_dir,
      "/etc/podi/providers", "1", NULL },
    { "providers_private", PODI_BOOL, &runnerd.providers_private, "off", NULL,
      NULL },

    /* where nginx is from outside, for third parties to call; empty: they are
       not told.  The key is that of podi_webhook_key_file */
    { "webhook_base", PODI_TEXT, &runnerd.webhook_base, "", NULL, NULL },
    { "webhook_key_file", PODI_PATH, &runnerd.webhook_key_file, "", NULL,
      NULL },

    { "follow_poll", PODI_MSEC, &runnerd.follow.poll, "1s", "10ms", "60s" },
    { "follow_poll_max", PODI_MSEC, &runnerd.follow.poll_max, "5s", "10ms",
      "5m" },
    /* between two looks that must both miss a prompt before it is lost */
    { "follow_gap", PODI_MSEC, &runnerd.follow.gap, "2s", "2s", "60s" },
    /* to stop, once it was asked to */
    { "follow_grace", PODI_MSEC, &runnerd.follow.grace, "60s", "1s", "1h" },
    /* without an answer of its server */
    { "follow_away", PODI_MSEC, &runnerd.follow.away, "60s", "1s", "1h" },

    /* what was left elsewhere: how often it is looked for, how long one who
       looks has for it, and when it is given up */
    { "left_every", PODI_MSEC, &runnerd.left_every, "2s", "50ms", "10m" },
    { "left_wait", PODI_MSEC, &runnerd.left_wait, "30s", "100ms", "10m" },
    { "left_max", PODI_MSEC, &runnerd.left_max, "1d", "1s", "30d" },

    podi_null_setting
};

static const podi_round_conf_t  runnerd_rounds[] = {
    { "servers", &runnerd.servers_every, runner_servers_steps, 0 },
    { "left", &runnerd.left_every, runner_left_steps, sizeof(runner_left_t) },
    podi_null_round
};

static const podi_action_t  runnerd_actions[] = {
    { PODI_ACTION_ANY, runner_steps, runner_undo, sizeof(runner_run_t) },
    podi_null_action
};


int
main(int argc, char **argv)
{
    static const podi_worker_conf_t  conf = {
        .name = "podi_runnerd",
        .settings = runnerd_settings,
        .rounds = runnerd_rounds,
        .actions = runnerd_actions,
        .queue = "comfyui",
        .check = runnerd_check,
        .channel = PODI_EVENT_CALLED,
        .heard = runner_hook_heard,
        .start = runnerd_start,
        .stop = runnerd_stop,
        .data = &runnerd,
    };

    return podi_worker_main(argc, argv, &conf);
}


/*
 * A description with a fault is no start, and no restart either.  A server
 * that is looked at so seldom would be gone at the first look that fails.
 */

static podi_rc_t
runnerd_check(podi_mem_t *mem, podi_fail_t *fail)
{
    podi_link_t          list;
    podi_follow_conf_t  *follow = &runnerd.follow;

    if (follow->away <= 2 * follow->poll_max) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "follow_away must be more than twice "
                         "follow_poll_max, or a server is gone when one look "
                         "at it fails");
    }

    podi_list_init(&list);

    if (runner_hooks_check(fail) != PODI_OK) {
        return PODI_ERROR;
    }

    return runner_providers_read(runnerd.providers_dir, mem, &list, fail);
}


static podi_rc_t
runnerd_start(podi_worker_t *w, podi_fail_t *fail)
{
    runnerd.worker = w;
    runnerd.picture.result_max = runnerd.files.result_max;
    podi_list_init(&runnerd.servers);
    podi_list_init(&runnerd.providers);

    if (runnerd_program(w, fail) != PODI_OK
        || podi_picture_open(&runnerd.picture, w, fail) != PODI_OK
        || runner_providers_open(w, fail) != PODI_OK
        || runner_hooks_open(w, fail) != PODI_OK
        || podi_kek_of(w, &runnerd.kek, fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    return podi_files_open(&runnerd.files, w, fail);
}


static podi_rc_t
runnerd_program(podi_worker_t *w, podi_fail_t *fail)
{
    char        path[4096];
    char       *slash;
    ssize_t     n;
    podi_str_t  s;

    runnerd.picture.program = runnerd_picture_program;

    if (runnerd_picture_program[0] != '\0') {
        return PODI_OK;
    }

    n = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (n <= 0) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "cannot find podi_imaged: set picture_program");
    }

    path[n] = '\0';
    slash = strrchr(path, '/');
    slash[1] = '\0';

    if (podi_mem_printf(podi_worker_mem(w), &s, "%spodi_imaged", path)
        != PODI_OK)
    {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    runnerd.picture.program = (const char *) s.data;

    return PODI_OK;
}


static void
runnerd_stop(podi_worker_t *w)
{
    (void) w;

    if (runnerd.servers.next != NULL) {
        runner_servers_free();
    }

    if (runnerd.providers.next != NULL) {
        runner_providers_close();
    }

    podi_picture_close(&runnerd.picture);
    podi_files_close(&runnerd.files);
}
