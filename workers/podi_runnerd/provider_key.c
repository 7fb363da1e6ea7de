/*
 * provider_key: the keys that a third party is asked with.
 *
 * Asked for with each attempt, and again while it is followed: one that was
 * disabled is used by nobody who begins after that, nor by those who poll, some
 * seconds later.  Opened here, and wiped with the job.
 */

#include <string.h>

#include "podi_buf.h"
#include "podi_kek.h"
#include "provider.h"
#include "banned.h"


#define KEY_AGE  5000               /* ms, of what was read */


static podi_rc_t key_ids(podi_flow_t *f, const podi_pg_result_t *rows,
    podi_str_t *ret_ids);
static podi_rc_t key_open(provider_run_t *run, const podi_kek_row_t *row,
    podi_fail_t *fail);


podi_rc_t
provider_keys(podi_flow_t *f, void *ctx)
{
    podi_job_t      *job = ctx;
    provider_run_t  *run = job->data;
    podi_pg_call_t   call;

    podi_pg_call_init(&call, PODI_SQL_PROVIDER_KEYS, f->mem);
    podi_arg_str(&call, &run->provider->name);

    return podi_pg_call(podi_worker_pg(job->worker), f, &call);
}


/* one that does not open is as good as none, and somebody has to know */

podi_rc_t
provider_keys_read(podi_flow_t *f, void *ctx)
{
    int                      i;
    podi_str_t               ids;
    podi_fail_t              fail;
    podi_job_t              *job = ctx;
    podi_kek_row_t           row;
    provider_run_t          *run = job->data;
    const podi_pg_result_t  *rows = f->result;

    run->n_keys = 0;
    run->keys_at = podi_time_mono();

    if (key_ids(f, rows, &ids) != PODI_OK
        || podi_mem_dup(job->mem, &ids, &run->key_ids) != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    for (i = 0; i < podi_rows(rows) && run->n_keys < PROVIDER_KEYS_MAX; i++) {
        row.key_id = podi_row_str(rows, i, "key_id");
        row.provider = podi_row_str(rows, i, "provider");
        row.name = podi_row_str(rows, i, "name");
        row.kek = podi_row_str(rows, i, "kek");
        row.sealed = podi_row_str(rows, i, "sealed");

        if (key_open(run, &row, &fail) != PODI_OK) {
            podi_worker_log(job->worker, PODI_LOG_ERROR, "provider.key", job,
                            "key " PODI_STR_FMT " of " PODI_STR_FMT ": %s",
                            podi_str_arg(&row.name),
                            podi_str_arg(&row.provider), fail.detail);
        }
    }

    return PODI_OK;
}


podi_rc_t
provider_keys_again(podi_flow_t *f, void *ctx)
{
    podi_job_t      *job = ctx;
    provider_run_t  *run = job->data;

    f->result = NULL;

    return podi_time_mono() - run->keys_at < KEY_AGE ? PODI_OK
                                                     : provider_keys(f, ctx);
}


/* the same ones as a rule; without PostgreSQL those that there were */

podi_rc_t
provider_keys_seen(podi_flow_t *f, void *ctx)
{
    podi_str_t       ids;
    podi_job_t      *job = ctx;
    provider_run_t  *run = job->data;

    if (f->result == NULL) {
        return PODI_OK;
    }

    if (key_ids(f, f->result, &ids) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if (podi_str_eq(&ids, &run->key_ids)) {
        run->keys_at = podi_time_mono();
        return PODI_OK;
    }

    return provider_keys_read(f, ctx);
}


static podi_rc_t
key_ids(podi_flow_t *f, const podi_pg_result_t *rows, podi_str_t *ret_ids)
{
    int         i;
    podi_buf_t  b;
    podi_str_t  id;

    podi_buf_init(&b, f->mem);

    for (i = 0; i < podi_rows(rows); i++) {
        id = podi_row_str(rows, i, "key_id");
        podi_buf_add_str(&b, &id);
        podi_buf_add_byte(&b, ' ');
    }

    return podi_buf_take(&b, ret_ids);
}


static podi_rc_t
key_open(provider_run_t *run, const podi_kek_row_t *row, podi_fail_t *fail)
{
    podi_mem_t           *mem = run->job->mem;
    podi_secret_t        *opened, *made;
    podi_provider_key_t  *key = &run->keys[run->n_keys];

    if (runnerd.kek == NULL) {
        return podi_fail(fail, PODI_E_CONFIG, NULL, "kek_file is not set");
    }

    if (podi_kek_open(runnerd.kek, row, mem, &opened, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    memset(key, 0, sizeof(*key));

    if (podi_kek_member(opened, "access_key", mem, &made) == PODI_OK) {
        key->access_key = podi_secret_bytes(made);
    }

    if (podi_kek_member(opened, "secret", mem, &made) != PODI_OK) {
        return podi_fail(fail, PODI_E_CONFIG, NULL, "it has no secret");
    }

    key->secret = made;

    if (podi_mem_dup(mem, &row->name, &key->name) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    run->n_keys++;

    return PODI_OK;
}
