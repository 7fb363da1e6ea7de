/*
 * provider: the third parties there are, from their descriptions.
 *
 *     DIR/NAME.json -> podi_provider_load -> a client of its own (CA, guard)
 *     may it be asked?  stopped -> shut -> paused -> full -> its rates
 *
 * Limits are those of this process; a gate of the action holds for all of them
 * (docs/decisions/0019-limits-of-providers.md).
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "podi_id.h"
#include "provider.h"
#include "banned.h"


#define PROVIDERS_MAX   256
#define PROVIDER_FULL   500         /* ms */
#define PROVIDER_STOP   60000
#define PROVIDER_PAUSE  5000
#define PROVIDER_HOST   32          /* connections to one */
#define PROVIDER_LEFT   5000        /* ms, that what is left lets others go */
#define PROVIDER_KEEP   600         /* ms, a turn is kept: it comes each 500 */


static podi_rc_t provider_file(const char *path, podi_mem_t *mem,
    podi_link_t *list, podi_fail_t *fail);
static podi_rc_t provider_text(const char *path, podi_mem_t *mem,
    podi_str_t *ret_text, podi_fail_t *fail);
static runner_provider_t *provider_in(podi_link_t *list,
    const podi_str_t *name);
static podi_msec_t provider_due(podi_msec_t *next, podi_msec_t every,
    podi_msec_t burst, podi_msec_t now);
static podi_msec_t provider_left(runner_provider_t *p, podi_msec_t every,
    podi_msec_t now);


static const podi_breaker_conf_t  provider_breaker = {
    .window = 30000, .calls_min = 5, .bad_percent = 60, .open = 5000,
    .open_max = 60000, .probe = 90000, .probe_max = 180000
};


podi_rc_t
runner_providers_read(const char *dir, podi_mem_t *mem, podi_link_t *list,
    podi_fail_t *fail)
{
    DIR            *d;
    podi_rc_t       rc = PODI_OK;
    podi_str_t      name, path;
    struct dirent  *entry;

    d = opendir(dir);

    if (d == NULL) {
        return errno == ENOENT
               ? PODI_OK
               : podi_fail(fail, PODI_E_CONFIG, NULL,
                           "providers_dir \"%s\" cannot be read", dir);
    }

    while (rc == PODI_OK && (entry = readdir(d)) != NULL) {

        name = podi_str_c(entry->d_name);

        if (name.len < 6 || name.data[0] == '.'
            || memcmp(name.data + name.len - 5, ".json", 5) != 0)
        {
            continue;
        }

        rc = podi_mem_printf(mem, &path, "%s/%s", dir, entry->d_name);

        rc = rc == PODI_OK
             ? provider_file((char *) path.data, mem, list, fail)
             : podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    (void) closedir(d);

    return rc;
}


static podi_rc_t
provider_file(const char *path, podi_mem_t *mem, podi_link_t *list,
    podi_fail_t *fail)
{
    podi_str_t          text;
    runner_provider_t  *p;

    if (provider_text(path, mem, &text, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    p = podi_mem_calloc(mem, sizeof(runner_provider_t));
    if (p == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if (podi_provider_load(path, &text, mem, &p->description, fail)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    p->name = podi_provider_name(p->description);

    if (provider_in(list, &p->name) != NULL) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "%s:1: name: another file describes " PODI_STR_FMT,
                         path, podi_str_arg(&p->name));
    }

    podi_list_append(list, &p->link);

    return PODI_OK;
}


/* one byte more is read, so that the limit is seen */

static podi_rc_t
provider_text(const char *path, podi_mem_t *mem, podi_str_t *ret_text,
    podi_fail_t *fail)
{
    int      fd;
    ssize_t  n = 1;

    ret_text->len = 0;
    ret_text->data = podi_mem_alloc(mem, PODI_PROVIDER_FILE_MAX + 1);

    if (ret_text->data == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    fd = open(path, O_RDONLY | O_CLOEXEC);

    while (fd != -1 && n > 0 && ret_text->len <= PODI_PROVIDER_FILE_MAX) {
        n = read(fd, ret_text->data + ret_text->len,
                 PODI_PROVIDER_FILE_MAX + 1 - ret_text->len);
        ret_text->len += n > 0 ? (size_t) n : 0;
    }

    if (fd != -1) {
        (void) close(fd);
    }

    if (fd == -1 || n == -1) {
        return podi_fail(fail, PODI_E_CONFIG, NULL, "%s:1: cannot be read",
                         path);
    }

    return PODI_OK;
}


podi_rc_t
runner_providers_open(podi_worker_t *w, podi_fail_t *fail)
{
    podi_link_t        *link;
    podi_http_conf_t    conf;
    runner_provider_t  *p;

    if (runner_providers_read(runnerd.providers_dir, podi_worker_mem(w),
                              &runnerd.providers, fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    if (runnerd.providers_private) {
        podi_worker_log(w, PODI_LOG_WARN, "provider.private", NULL,
                        "providers_private is on: third parties are asked "
                        "without TLS, and in our own networks");
    }

    podi_list_each(link, &runnerd.providers) {
        p = podi_list_owner(link, runner_provider_t, link);

        memset(&conf, 0, sizeof(conf));
        conf.ca_file = podi_provider_ca_file(p->description);
        conf.user_agent = "podi";
        conf.per_host = PROVIDER_HOST;
        conf.connect_timeout = (podi_msec_t) podi_provider_facts(
            podi_provider_op_at(p->description, 0))->connect_ms;
        conf.https_only = !runnerd.providers_private;
        conf.public_only = !runnerd.providers_private;

        p->http = podi_http_create(podi_worker_io(w), &conf);
        if (p->http == NULL) {
            return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
        }
    }

    return PODI_OK;
}


void
runner_providers_close(void)
{
    podi_link_t        *link;
    runner_provider_t  *p;

    podi_list_each(link, &runnerd.providers) {
        p = podi_list_owner(link, runner_provider_t, link);

        if (p->http != NULL) {
            podi_http_free(&p->http);
        }
    }
}


runner_provider_t *
runner_provider_find(const podi_str_t *name)
{
    return provider_in(&runnerd.providers, name);
}


static runner_provider_t *
provider_in(podi_link_t *list, const podi_str_t *name)
{
    podi_link_t        *link;
    runner_provider_t  *p;

    podi_list_each(link, list) {
        p = podi_list_owner(link, runner_provider_t, link);

        if (podi_str_eq(&p->name, name)) {
            return p;
        }
    }

    return NULL;
}


podi_error_e
runner_provider_may(runner_provider_t *p, provider_run_t *run,
    podi_msec_t *ret_wait)
{
    uint32_t                      random;
    podi_msec_t                   now = podi_time_mono(), minute, second;
    const podi_provider_facts_t  *facts = run->facts;

    *ret_wait = 0;

    if (p->stopped_until > now) {
        return p->stopped;
    }

    if (p->paused_until > now) {
        *ret_wait = p->paused_until - now;
        return PODI_E_UNAVAILABLE;
    }

    if (facts->concurrency > 0 && p->running >= facts->concurrency) {
        *ret_wait = PROVIDER_FULL;
        return PODI_E_UNAVAILABLE;
    }

    second = facts->submit_rps > 0
             ? provider_due(&p->submits,
                            (podi_msec_t) (1000 / facts->submit_rps), 1000,
                            now) : 0;
    minute = second == 0 && facts->per_minute > 0
             ? provider_due(&p->minute,
                            (podi_msec_t) (60000 / facts->per_minute), 60000,
                            now) : 0;

    *ret_wait = second > minute ? second : minute;

    if (*ret_wait > 0) {
        return PODI_E_UNAVAILABLE;
    }

    /* last: who was let through has to say how it went */

    run->passed = podi_random(&random, sizeof(random)) == PODI_OK
                  && podi_breaker_ask(&p->breaker, &provider_breaker, now,
                                      random, &run->ticket)
                     != PODI_BREAKER_SHUT;

    return run->passed ? PODI_E_NONE : PODI_E_UNAVAILABLE;
}


/* one every so often, and in any `burst` no more than it holds of them */

static podi_msec_t
provider_due(podi_msec_t *next, podi_msec_t every, podi_msec_t burst,
    podi_msec_t now)
{
    podi_msec_t  from = now > burst ? now - burst + every : 0;

    if (*next > now) {
        return *next - now;
    }

    *next = (*next > from ? *next : from) + every;

    return 0;
}


podi_msec_t
runner_provider_poll(runner_provider_t *p, const podi_provider_facts_t *facts,
    int is_left)
{
    podi_msec_t  every, now = podi_time_mono();
    podi_msec_t  also = is_left ? p->paused_until : p->left_turn;
    podi_msec_t  from = also > p->polls_until ? also : p->polls_until;

    if (from > now) {
        return from - now;
    }

    if (facts->poll_rps == 0) {
        return 0;
    }

    every = (podi_msec_t) (1000 / facts->poll_rps);

    return is_left ? provider_left(p, every, now)
                   : provider_due(&p->polls, every, 1000, now);
}


/* when the turn before was nobody's; what has waited for long is kept one */

static podi_msec_t
provider_left(runner_provider_t *p, podi_msec_t every, podi_msec_t now)
{
    int          is_due = p->left_polls + PROVIDER_LEFT <= now;
    podi_msec_t  wait;

    if (!is_due && p->polls + every > now) {
        return p->polls + every - now;
    }

    wait = provider_due(&p->polls, every, 1000, now);

    if (wait > 0) {
        p->left_turn = now + wait + PROVIDER_KEEP;
        return wait;
    }

    p->left_polls = now;
    p->left_turn = 0;

    return 0;
}


void
runner_provider_throttled(runner_provider_t *p, podi_msec_t wait)
{
    podi_msec_t  until = podi_time_mono() + wait;

    p->polls_until = p->polls_until > until ? p->polls_until : until;
}


void
runner_provider_heard(runner_provider_t *p, provider_run_t *run,
    podi_provider_class_e class)
{
    char         labels[128];
    uint32_t     random;
    podi_msec_t  now = podi_time_mono();

    if (podi_random(&random, sizeof(random)) != PODI_OK) {
        random = 0;
    }

    run->passed = 0;
    podi_breaker_report(&p->breaker, &provider_breaker, run->ticket,
                        class == PODI_PROVIDER_RETRYABLE
                        || class == PODI_PROVIDER_UNKNOWN
                        ? PODI_BREAKER_BAD : PODI_BREAKER_GOOD,
                        now - run->asked_at, now, random);

    switch (class) {

    case PODI_PROVIDER_THROTTLED:
        p->paused_until = now + (run->answer.retry_after > 0
                                 ? provider_after(run, run->answer.retry_after)
                                 : PROVIDER_PAUSE);
        break;

    case PODI_PROVIDER_QUOTA:
    case PODI_PROVIDER_AUTH:
        p->stopped = class == PODI_PROVIDER_QUOTA ? PODI_E_PROVIDER_QUOTA
                                                  : PODI_E_PROVIDER_AUTH;
        p->stopped_until = now + PROVIDER_STOP;
        (void) snprintf(labels, sizeof(labels), "provider=\"%.*s\",why=\"%s\"",
                        (int) p->name.len, (const char *) p->name.data,
                        podi_provider_class_name(class));
        podi_metric_add(run->job->worker, "podi_provider_stopped_total",
                        labels, 1);
        podi_worker_log(run->job->worker, PODI_LOG_ERROR, "provider.stopped",
                        run->job, PODI_STR_FMT ": %s: " PODI_STR_FMT,
                        podi_str_arg(&p->name),
                        podi_provider_class_name(class),
                        podi_str_arg(&run->answer.message));
        break;

    default:
        break;
    }
}


void
runner_provider_spared(runner_provider_t *p, provider_run_t *run)
{
    if (!run->passed) {
        return;
    }

    run->passed = 0;
    podi_breaker_report(&p->breaker, &provider_breaker, run->ticket,
                        PODI_BREAKER_UNKNOWN, 0, podi_time_mono(), 0);
}
