-- ----------------------------------------------------------------------
-- internal.hold_dead(limit, ids)
--
--      Holds past their end that have something left and pay for no job that
--      is not final; of these ids, or any.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  their ids, those that ended first first
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.hold_expire, internal.reconcile_expired_hold
-- ----------------------------------------------------------------------
create or replace function internal.hold_dead(
    i_limit  int,
    i_ids    bigint[] default null)
returns bigint[]
language plpgsql
as $$
begin
    return array(
    select h.hold_id
      from podi.hold h
     where h.live and h.expires_at <= now()
       and (i_ids is null or h.hold_id = any (i_ids))
       and not exists (
           select 1 from podi.job j
            where j.task_id = h.task_id and j.tenant_id = h.tenant_id
              and coalesce(j.hold_id, h.hold_id) = h.hold_id
              and j.settled_fence is null)
     order by h.expires_at
     limit i_limit);
end
$$;
