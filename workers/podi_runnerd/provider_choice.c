/*
 * provider_choice: which of its choices a job is carried out by.
 *
 *     the executor --it cannot: a class--> the next of `fallback` that takes
 *       this class:  {provider, operation, set}  asked instead, in its way
 *                    {wait}                      everything again, later
 *
 * Nobody else is asked when something may have been begun already.  What is
 * done in another way than the usual one is noted with the attempt, told to
 * its user, and costs what was agreed.
 */

#include <string.h>

#include "provider.h"
#include "banned.h"


static int choice_takes(const json_t *one, const char *class);


podi_rc_t
provider_choose(provider_run_t *run, size_t choice)
{
    json_t      *one = run->head.executor;
    podi_str_t   provider, operation;

    if (choice > 0) {
        one = json_array_get(json_object_get(one, "fallback"), choice - 1);
    }

    if (one == NULL) {
        return PODI_DECLINED;
    }

    run->choice = choice;
    provider = podi_json_str(json_object_get(one, "provider"));
    operation = podi_json_str(json_object_get(one, "operation"));

    return provider_is_at(run, &provider, &operation);
}


podi_rc_t
provider_is_at(provider_run_t *run, const podi_str_t *provider,
    const podi_str_t *operation)
{
    run->op = NULL;
    run->n_keys = 0;
    run->provider = runner_provider_find(provider);

    if (run->provider != NULL) {
        run->op = podi_provider_op(run->provider->description, operation);
    }

    if (run->op == NULL) {
        return PODI_ERROR;
    }

    run->facts = podi_provider_facts(run->op);

    return PODI_OK;
}


/* what the operator has set is not the user's to say; null takes it away */

podi_rc_t
provider_params(provider_run_t *run)
{
    size_t       i;
    void        *iter;
    json_t      *sets[2], *value;
    const char  *name;

    sets[0] = json_object_get(run->head.executor, "set");
    sets[1] = json_object_get(run->degraded, "set");

    run->params = json_copy(run->job->params);

    if (podi_json_own(run->job->mem, run->params) != PODI_OK) {
        return PODI_ERROR;
    }

    for (i = 0; i < 2; i++) {
        for (iter = json_object_iter(sets[i]);
             iter != NULL;
             iter = json_object_iter_next(sets[i], iter))
        {
            name = json_object_iter_key(iter);
            value = json_object_iter_value(iter);

            if (json_is_null(value)) {
                (void) json_object_del(run->params, name);

            } else if (json_object_set(run->params, name, value) != 0) {
                return PODI_ERROR;
            }
        }
    }

    return PODI_OK;
}


int
provider_another(provider_run_t *run, const char *class, podi_error_e error,
    const char *why)
{
    size_t   i;
    json_t  *fallback, *one, *wait;

    fallback = json_object_get(run->head.executor, "fallback");
    i = run->choice;

    while (i < json_array_size(fallback)
           && !choice_takes(json_array_get(fallback, i), class))
    {
        i++;
    }

    if (run->resumes || i >= json_array_size(fallback)) {
        return 0;
    }

    podi_worker_log(run->job->worker, PODI_LOG_WARN, "provider.next", run->job,
                    "choice %zu cannot: %s: %s", run->choice, class, why);

    one = json_array_get(fallback, i);
    wait = json_object_get(one, "wait");

    if (wait != NULL) {
        run->delay = (podi_msec_t) json_integer_value(wait) * 1000;
        provider_fate(run, PROVIDER_DEFERS, error, "%s: again in %lld s", why,
                      (long long) json_integer_value(wait));
        return 1;
    }

    run->choice = i + 1;
    run->waited = 0;
    run->degraded = json_pack("{s:s,s:O*}", "why", class, "set",
                              json_object_get(one, "set"));

    return podi_json_own(run->job->mem, run->degraded) == PODI_OK;
}


/* as a rule those of which nothing but another can be hoped for */

static int
choice_takes(const json_t *one, const char *class)
{
    size_t       i;
    podi_str_t   word;
    json_t      *when = json_object_get(one, "when");

    if (when == NULL) {
        return strcmp(class, "throttled") != 0 && strcmp(class, "invalid") != 0;
    }

    for (i = 0; i < json_array_size(when); i++) {
        word = podi_json_str(json_array_get(when, i));

        if (podi_str_eq_c(&word, class)) {
            return 1;
        }
    }

    return 0;
}
