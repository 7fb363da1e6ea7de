-- ----------------------------------------------------------------------
-- api.task_receipt(task)
--
--      What a task of the caller cost and delivered, for a signed receipt: its
--      jobs with the digests of their results, its rows of the ledger with
--      their hashes, and where the chain of the wallet stands now.
--
-- Returns:  receipt jsonb {task: {task_id, state, channel, price, charged,
--           refunded, round, created_at, ended_at}, jobs: [{job_id, action,
--           state, price, charged, error_code, results: [{media_id, type, bytes,
--           sha256}]}],
--           entries: [{seq, type, amount, available_after, frozen_after, job_id,
--           at, key_id, hash}], chain: {wallet_id, seq, head}}; no row when
--           there is no such task
-- Raises:   U0409 the task has not ended
-- Writes:   nothing
-- Called:   task/ngx_http_podi_task_receipt.c
-- ----------------------------------------------------------------------
create or replace function api.task_receipt(i_task uuid)
returns table (receipt jsonb)
language plpgsql stable security definer
set search_path = podi, pg_temp
as $$
declare
    v_task  task_header;
begin
    perform internal.enter('user', 'admin');

    select t.* into v_task
      from task_header t
     where t.task_id = i_task and t.tenant_id = internal.tenant()
           and t.user_id = internal.user_id() and t.kind = 'user';
    if not found then
        return;
    end if;
    if v_task.ended_at is null then
        raise exception 'the task has not ended' using errcode = 'U0409';
    end if;

    return query
    select jsonb_build_object(
               'task', jsonb_build_object(
                   'task_id', v_task.task_id, 'state', v_task.state,
                   'channel', v_task.channel, 'price', v_task.price,
                   'charged', v_task.charged,
                   'refunded', (select coalesce(sum(h.refunded), 0)
                                  from hold h
                                 where h.task_id = i_task
                                       and h.tenant_id = v_task.tenant_id),
                   'round', v_task.round,
                   'created_at', internal.rfc3339(v_task.created_at),
                   'ended_at', internal.rfc3339(v_task.ended_at)),
               'jobs', internal.receipt_jobs(v_task.tenant_id, i_task),
               'entries', internal.receipt_entries(v_task.tenant_id,
                                                   w.wallet_id, i_task),
               'chain', jsonb_build_object(
                   'wallet_id', w.wallet_id, 'seq', w.seq,
                   'head', encode(w.head, 'hex')))
      from wallet w
     where w.user_id = v_task.user_id and w.tenant_id = v_task.tenant_id;
end
$$;
