/*
 * podi_job_segment: a part of a job is finished, paid and kept.
 *
 *     step -> sys.job_segment -> OK | ALREADY -> the next part
 *                             -> STALE        -> the job is another's
 *
 * Promises: said twice, it is paid once; who takes the job over begins behind
 * the last segment that was kept.
 */

#include "podi_buf.h"
#include "podi_fault.h"
#include "podi_worker_int.h"
#include "banned.h"


podi_rc_t
podi_job_segment(podi_job_t *job, podi_flow_t *f, unsigned n,
    const podi_str_t *checkpoint)
{
    podi_buf_t       b;
    podi_str_t       usage;
    podi_held_t     *held;
    podi_pg_call_t   call;

    held = podi_list_owner(job, podi_held_t, job);
    podi_buf_init(&b, f->mem);
    podi_job_usage_json(&b, held);

    if (podi_buf_take(&b, &usage) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    PODI_FAULT(segment_ask);
    podi_pg_call_init(&call, PODI_SQL_JOB_SEGMENT, f->mem);
    podi_arg_str(&call, &job->id);
    podi_arg_int64(&call, job->fence);
    podi_arg_int64(&call, n);
    podi_arg_str(&call, checkpoint);
    podi_arg_str(&call, &usage);

    return podi_pg_call(job->worker->pg, f, &call);
}


int
podi_job_segment_is_kept(podi_job_t *job, podi_flow_t *f)
{
    podi_str_t  verdict, events;

    if (podi_rows(f->result) == 0) {
        return 0;
    }

    PODI_FAULT(segment_told);

    verdict = podi_row_str(f->result, 0, "verdict");
    events = podi_row_str(f->result, 0, "_events");
    podi_worker_publish(job->worker, f->mem, &events);

    if (!podi_str_eq_c(&verdict, "OK") && !podi_str_eq_c(&verdict, "ALREADY"))
    {
        return 0;
    }

    /* said twice, it was counted before */

    job->segment = (unsigned) podi_row_int64(f->result, 0, "segment");

    return 1;
}
