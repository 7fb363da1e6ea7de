-- ----------------------------------------------------------------------
-- sys.job_remote(job)
--
--      Where a job is that others carry out, and what it waits for.
--
-- Returns:  kind     comfyui or third_party
--           name     of the server, or of the third party; NULL: not chosen yet
--           sent_at  since when it may be there; NULL: it is not
--           wants    what it waits for: no_server, servers_down, servers_full
--                    (see internal.comfy_wait) or third_party, which answers
--                    nothing or wants no more for now
--           No row when its action is carried out here.
-- Raises:   nothing
-- Writes:   nothing
-- Called:   api.job_explain
-- ----------------------------------------------------------------------
create or replace function sys.job_remote(
    i_job  uuid,
    out kind     text,
    out name     text,
    out sent_at  timestamptz,
    out wants    text)
returns setof record
language plpgsql stable security definer
set search_path = podi, pg_temp
as $$
declare
    v_job  record;
begin
    select j.job_id, j.tenant_id, j.state, j.fence, j.not_before, a.executor
      into v_job
      from job j
      join action a on a.action = j.action
     where j.job_id = i_job
           and a.executor ->> 'kind' in ('comfy', 'provider');
    if not found then
        return;
    end if;

    kind := case v_job.executor ->> 'kind' when 'comfy' then 'comfyui'
            else 'third_party' end;

    if v_job.state = 'running' then
        select regexp_replace(t.provider, '^comfy:', ''), t.started_at
          into name, sent_at
          from attempt t
         where t.job_id = v_job.job_id and t.tenant_id = v_job.tenant_id
               and t.fence = v_job.fence
               and t.remote_state in ('intended', 'submitted');

    elsif v_job.state = 'queued' then
        wants := case
            when kind = 'comfyui' then internal.comfy_wait(v_job.executor)
            when v_job.not_before > clock_timestamp()
                 and internal.job_reason(i_job) <> 'start_at'
                                  then 'third_party' end;
    end if;
    return next;
end
$$;
