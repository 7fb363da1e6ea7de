-- ----------------------------------------------------------------------
-- sys.job_executor(job, fence)
--
--      What a running job shall be carried out by, and what its earlier
--      attempts may have left elsewhere: whoever holds it looks for that before
--      anything new is asked for.
--
-- Returns:  executor, see internal.executor_now ({}: a mock, and this is no
--           sandbox any more); workflow {name, version, graph, mapping,
--           idle_ms, needs}, for comfy: the version that the newest of adopt
--           names in its remote, or the live one; adopt [{fence, provider, ref,
--           remote, remote_state, started_at}], the newest first, of those that
--           are intended or submitted; keys: the providers whose keys it may
--           need, see sys.provider_keys; deferrals of the job; tried [{provider,
--           vram}], the newest first: where attempts failed that were to be
--           tried again, and the memory that was short there, if it was
--           No row: the job is not this holder's any more
-- Raises:   nothing
-- Writes:   nothing
-- Called:   what runs jobs elsewhere, after each claim
-- ----------------------------------------------------------------------
drop function if exists sys.job_executor(uuid, int);
create or replace function sys.job_executor(i_job uuid, i_fence int)
returns table (
    executor   jsonb,
    workflow   jsonb,
    adopt      jsonb,
    keys       text[],
    deferrals  int,
    tried      jsonb)
language plpgsql stable security definer
set search_path = podi, pg_temp
set enable_seqscan = off
as $$
begin
    return query
    select case when x.executor ->> 'kind' = 'mock' and not exists (
                select 1 from setting s
                 where s.setting = 'sandbox' and s.value = 'true')
           then '{}' else x.executor end, w.card, coalesce(o.list, '[]'),
           case x.executor ->> 'kind'
           when 'comfy' then array['comfyui']
           when 'provider' then array(
                select distinct p.name
                  from jsonb_array_elements_text(
                           jsonb_build_array(x.executor -> 'provider')
                           || jsonb_path_query_array(x.executor,
                                  '$.fallback[*].provider')) p (name)
                 order by p.name)
           else '{}' end,
           j.deferrals, coalesce(r.list, '[]')
      from job j
      join action a on a.action = j.action
     cross join lateral (
           select internal.executor_now(a.executor, j.job_id, j.tenant_id,
                                        i_fence)) x (executor)
      left join lateral (
           select jsonb_agg(jsonb_build_object(
                      'fence', t.fence, 'provider', t.provider,
                      'ref', t.provider_ref, 'remote', t.remote,
                      'remote_state', t.remote_state,
                      'started_at', internal.rfc3339(t.started_at))
                      order by t.fence desc) as list
             from attempt t
            where t.job_id = j.job_id and t.tenant_id = j.tenant_id
                  and t.fence < i_fence
                  and t.remote_state in ('intended', 'submitted')) o on true
      left join lateral (
           select jsonb_agg(jsonb_build_object(
                      'provider', t.provider, 'vram', t.remote -> 'vram')
                      order by t.fence desc) as list
             from attempt t
            where t.job_id = j.job_id and t.tenant_id = j.tenant_id
                  and t.fence < i_fence and t.outcome = 'retried'
                  and t.provider is not null) r on true
      left join lateral (
           select jsonb_build_object(
                      'name', f.workflow, 'version', f.version,
                      'graph', f.graph, 'mapping', f.mapping,
                      'idle_ms', f.idle_ms, 'needs', f.needs) as card
             from comfy_workflow f
            where x.executor ->> 'kind' = 'comfy'
                  and f.workflow = x.executor ->> 'workflow'
                  and f.state <> 'draft'
            order by to_jsonb(f.version)
                     = (o.list -> 0 -> 'remote' -> 'version') desc nulls last,
                     f.state = 'live' desc, f.version desc
            limit 1) w on true
     where j.job_id = i_job and j.fence = i_fence and j.state = 'running';
end
$$;
