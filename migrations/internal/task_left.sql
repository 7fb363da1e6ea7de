-- ----------------------------------------------------------------------
-- internal.task_left(task, aside)
--
--      What a task that has ended can be begun again for: its jobs that failed
--      or were cancelled, and what is left to pay for them.  Locks them,
--      reserves of the budgets, and locks the wallet when some of it was paid: a refund is over or has not begun.
--      The caller holds the lock of the task.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jobs, cancelled (how many of them), price (left to pay), wait,
--           wallet
-- Raises:   U0454 one was set aside, and aside says that this is not for the
--           caller; U0409 what was paid for the work was given back
--           U0433 a budget has not as much left
-- Writes:   podi.quota_use, podi.quota_hold
-- Called:   internal.task_reopen
--
--      A part that was paid is not paid again; so who got points back for such
--      a task would have the rest of the work for nothing.
-- ----------------------------------------------------------------------
create or replace function internal.task_left(
    i_task   podi.task_header,
    i_aside  boolean,
    out jobs       int,
    out cancelled  int,
    out price      bigint,
    out wait       interval,
    out wallet     uuid)
language plpgsql
as $$
declare
    v_paid   bigint;
    v_aside  boolean;
begin
    perform 1
       from podi.job j
      where j.task_id = i_task.task_id and j.tenant_id = i_task.tenant_id
            and j.state in ('failed', 'cancelled')
      order by j.job_id
        for no key update;

    select count(*), count(*) filter (where j.state = 'cancelled'),
           sum(j.price - j.charged), max(a.max_wait_ms) * interval '1 ms',
           sum(j.charged), bool_or(j.set_aside)
      into jobs, cancelled, price, wait, v_paid, v_aside
      from podi.job j
      join podi.action a on a.action = j.action
     where j.task_id = i_task.task_id and j.tenant_id = i_task.tenant_id
           and j.state in ('failed', 'cancelled');

    if v_aside and not i_aside then
        raise exception 'a job of the task was set aside' using errcode = 'U0454';
    end if;
    perform internal.quota_reopen(i_task.tenant_id, i_task.user_id,
                                  i_task.task_id);
    if price + v_paid > 0 then
        wallet := internal.wallet_of(i_task.tenant_id, i_task.user_id);
    end if;
    if v_paid = 0 then
        return;
    end if;

    perform 1
       from podi.wallet w
      where w.wallet_id = wallet and w.tenant_id = i_task.tenant_id
        for update;
    if exists (select 1 from podi.hold h
                where h.task_id = i_task.task_id
                      and h.tenant_id = i_task.tenant_id and h.refunded > 0)
    then
        raise exception 'points of the task were given back'
              using errcode = 'U0409';
    end if;
end
$$;
