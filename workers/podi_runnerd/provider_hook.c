/*
 * provider_hook: a third party is told where to call, and calls.
 *
 *     submit: job.webhook_url  ->  third party  ->  nginx  ->  Redis
 *     heard: whose job?  seen before?  ->  the next poll comes sooner
 *
 * A call says nothing that is believed: it only shortens a wait, to a second
 * from the last poll at the least, and never one that they asked for.
 */

#include <string.h>

#include "podi_callback.h"
#include "podi_event.h"
#include "podi_id.h"
#include "provider.h"
#include "banned.h"


#define HOOK_EVERY    1000          /* ms between polls, at the least */
#define HOOK_URL_MAX  512           /* of webhook_base */


static int hook_is_base(const podi_str_t *base);
static podi_rc_t hook_listen(provider_run_t *run);
static void hook_leave(void *thing);
static int hook_is_new(provider_hook_t *hook, const podi_str_t *call);
static void hook_called(provider_run_t *run, const podi_str_t *call);
static podi_msec_t hook_least(const provider_run_t *run);


podi_rc_t
runner_hooks_check(podi_fail_t *fail)
{
    podi_str_t  base = podi_str_c(runnerd.webhook_base);

    if (base.len == 0) {
        return PODI_OK;
    }

    if (!hook_is_base(&base)) {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "webhook_base \"%s\" is no https://HOST, without a "
                         "slash at its end", runnerd.webhook_base);
    }

    if (runnerd.webhook_key_file[0] == '\0') {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "webhook_base needs webhook_key_file, the key of "
                         "nginx's podi_webhook_key_file");
    }

    return PODI_OK;
}


/* it becomes part of a URL, as it is */

static int
hook_is_base(const podi_str_t *base)
{
    size_t  i;

    for (i = 0; i < base->len; i++) {
        if (base->data[i] <= ' ' || base->data[i] > '~'
            || strchr("?#\"\\<>", base->data[i]) != NULL)
        {
            return 0;
        }
    }

    return base->len <= HOOK_URL_MAX && base->data[base->len - 1] != '/'
           && (podi_str_has_prefix(base, "https://")
               || (runnerd.providers_private
                   && podi_str_has_prefix(base, "http://")));
}


podi_rc_t
runner_hooks_open(podi_worker_t *w, podi_fail_t *fail)
{
    runnerd.webhook_key = NULL;
    podi_list_init(&runnerd.hooks);

    if (runnerd.webhook_base[0] == '\0') {
        return PODI_OK;
    }

    return podi_secret_read(podi_worker_mem(w), runnerd.webhook_key_file,
                            &runnerd.webhook_key, fail);
}


podi_rc_t
provider_hook_url(provider_run_t *run)
{
    json_t           *url;
    podi_str_t        token, text;
    podi_mem_t       *mem = run->job->mem;
    podi_callback_t   of;

    (void) json_object_del(run->about, "webhook_url");

    if (runnerd.webhook_key == NULL || !run->facts->has_webhook
        || podi_provider_hook(run->provider->description) == PODI_HOOK_NONE)
    {
        return PODI_OK;
    }

    if (podi_id_parse(&run->job->id, &of.job) != PODI_OK
        || podi_id_parse(&run->key, &of.key) != PODI_OK
        || podi_callback_token(runnerd.webhook_key, &run->provider->name, &of,
                               mem, &token) != PODI_OK
        || podi_mem_printf(mem, &text, "%s/v1/providers/" PODI_STR_FMT
                           "/webhook/" PODI_STR_FMT, runnerd.webhook_base,
                           podi_str_arg(&run->provider->name),
                           podi_str_arg(&token)) != PODI_OK)
    {
        return PODI_ERROR;
    }

    url = json_stringn((char *) text.data, text.len);

    if (json_object_set_new(run->about, "webhook_url", url) != 0) {
        return PODI_ERROR;
    }

    return hook_listen(run);
}


/* from before it is told, as the call may be faster than the answer */

static podi_rc_t
hook_listen(provider_run_t *run)
{
    if (run->hook.listens) {
        return PODI_OK;
    }

    if (podi_mem_own(run->job->mem, hook_leave, run) != PODI_OK) {
        return PODI_ERROR;
    }

    run->hook.listens = 1;
    podi_list_append(&runnerd.hooks, &run->hook.link);

    return PODI_OK;
}


static void
hook_leave(void *thing)
{
    provider_run_t  *run = thing;

    podi_list_remove(&run->hook.link);
}


podi_rc_t
provider_hook_follow(provider_run_t *run)
{
    return runnerd.webhook_key != NULL && run->facts->has_webhook
           ? hook_listen(run) : PODI_OK;
}


void
runner_hook_heard(podi_worker_t *w, const podi_str_t *message)
{
    podi_str_t       rest = *message, job, key;
    podi_link_t     *link;
    provider_run_t  *run;

    (void) w;

    if (!podi_str_split(&rest, ' ', &job) || !podi_str_split(&rest, ' ', &key))
    {
        return;                         /* not one of ours */
    }

    podi_list_each(link, &runnerd.hooks) {
        run = podi_list_owner(link, provider_run_t, hook.link);

        if (podi_str_eq(&run->job->id, &job) && podi_str_eq(&run->key, &key)) {
            hook_called(run, &rest);
            return;
        }
    }
}


static void
hook_called(provider_run_t *run, const podi_str_t *call)
{
    int  is_new = hook_is_new(&run->hook, call);

    podi_metric_add(runnerd.worker, "podi_runner_webhooks_total",
                    is_new ? "what=\"new\"" : "what=\"doubled\"", 1);
    podi_worker_log(runnerd.worker, PODI_LOG_DEBUG, "provider.called",
                    run->job, PODI_STR_FMT "%s",
                    podi_str_arg(&run->provider->name),
                    is_new ? "" : ", once more");

    if (!is_new) {
        return;
    }

    /* a poll that is under way, or not begun yet, is followed by another */

    run->hook.called = run->hook.poll == NULL
                       || !runner_again_within(run->hook.poll,
                                               hook_least(run));
}


static int
hook_is_new(provider_hook_t *hook, const podi_str_t *call)
{
    size_t          i;
    unsigned char  *place;

    if (call->len != PROVIDER_CALL_LEN) {
        return 0;
    }

    for (i = 0; i < hook->n_calls && i < PROVIDER_CALLS; i++) {
        if (memcmp(hook->calls[i], call->data, PROVIDER_CALL_LEN) == 0) {
            return 0;
        }
    }

    place = hook->calls[hook->n_calls++ % PROVIDER_CALLS];
    memcpy(place, call->data, PROVIDER_CALL_LEN);

    return 1;
}


void
provider_hook_pause(provider_run_t *run, podi_msec_t wait)
{
    run->hook.next = podi_time_mono() + wait;
}


void
provider_hook_polls(provider_run_t *run)
{
    provider_hook_pause(run, HOOK_EVERY);
}


podi_msec_t
provider_hook_wait(provider_run_t *run, podi_msec_t wait)
{
    podi_msec_t  least;

    if (!run->hook.called) {
        return wait;
    }

    run->hook.called = 0;
    least = hook_least(run);

    return least < wait ? least : wait;
}


/* ms until a poll may come sooner */

static podi_msec_t
hook_least(const provider_run_t *run)
{
    podi_msec_t  now = podi_time_mono();

    return run->hook.next > now ? run->hook.next - now : 0;
}
