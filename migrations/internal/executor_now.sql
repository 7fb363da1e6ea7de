-- ----------------------------------------------------------------------
-- internal.executor_now(executor, job, tenant, fence)
--
--      What an attempt shall be carried out by: the executor of its action,
--      or, for ComfyUI, what stands in its fallback for what went wrong before.
--      Each attempt that was to be tried again goes on by one entry at most, to
--      the next one that its class is in.  What an earlier attempt has begun,
--      and is still open, is gone on with as it was begun.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  an executor without fallback (but of a provider, which looks for
--           it itself); with degraded {why, set} when it is not the usual one
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.job_executor, sys.remote_left
--
--      Classes: memory, a server ran out of it; failed, a prompt did;
--      unavailable, a server was; and, when an entry names it, busy: the job was
--      put off for longer than `after` (60 s), as no server could have it.
-- ----------------------------------------------------------------------
create or replace function internal.executor_now(
    i_executor  jsonb,
    i_job       uuid,
    i_tenant    uuid,
    i_fence     int)
returns jsonb
language plpgsql stable
as $$
declare
    v_class  text;
    v_put    numeric;
    v_why    text;
    v_next   int;
    v_at     int := 0;
    v_more   jsonb := i_executor -> 'fallback';
    v_entry  jsonb;
begin
    if i_executor ->> 'kind' <> 'comfy' or v_more is null then
        return i_executor;
    end if;

    for v_class, v_put in
        select case when t.outcome = 'deferred' then 'busy'
                    when t.remote ? 'vram' then 'memory'
                    when t.error_code = 'executor_failed' then 'failed'
                    when t.error_code = 'unavailable' then 'unavailable' end,
               extract(epoch from t.ended_at - min(t.ended_at)
                       filter (where t.outcome = 'deferred') over ())
          from podi.attempt t
         where t.job_id = i_job and t.tenant_id = i_tenant
               and t.outcome in ('retried', 'deferred')
               and t.fence < coalesce((
                   select max(o.fence) from podi.attempt o
                    where o.job_id = i_job and o.tenant_id = i_tenant
                          and o.fence < i_fence
                          and o.remote_state in ('intended', 'submitted')), i_fence)
         order by t.fence
    loop
        select f.n into v_next
          from jsonb_array_elements(v_more) with ordinality f (value, n)
         where f.n > v_at and v_class is not null
               and case when v_class = 'busy'
                   then f.value -> 'when' ? 'busy'
                        and v_put >= coalesce((f.value ->> 'after')::int, 60)
                   else coalesce(f.value -> 'when' ? v_class, true) end
         order by f.n
         limit 1;
        if found then
            v_at := v_next;
            v_why := v_class;
        end if;
    end loop;

    i_executor := i_executor - 'fallback';
    if v_at = 0 then
        return i_executor;
    end if;

    v_entry := v_more -> (v_at - 1);
    return case when v_entry ? 'provider'
           then v_entry - '{when,after}'::text[] || jsonb '{"kind": "provider"}'
           else i_executor || (v_entry - '{when,after}'::text[]) || jsonb_build_object(
                    'set', coalesce(i_executor -> 'set', '{}')
                           || coalesce(v_entry -> 'set', '{}')) end
           || jsonb_build_object('degraded', jsonb_build_object(
                  'why', v_why, 'set', coalesce(v_entry -> 'set', '{}')));
end
$$;
