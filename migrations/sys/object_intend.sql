-- ----------------------------------------------------------------------
-- sys.object_intend(job, fence, store, key)
--
--      Notes that the holder of a job is about to store an object, so that it
--      is found when the job never names it.
--
-- Returns:  whether it may: not when the job has another holder, and not while
--           an object of this key is being removed
-- Raises:   nothing
-- Writes:   podi.object_intent
-- Called:   workers/skeleton, before each PUT
--
--      The lock of the key keeps the answer true until internal.object_sort
--      sees the intent.
-- ----------------------------------------------------------------------
create or replace function sys.object_intend(
    i_job    uuid,
    i_fence  int,
    i_store  text,
    i_key    text)
returns boolean
language plpgsql security definer
set search_path = podi, pg_temp
as $$
declare
    v_tenant  uuid;
begin
    perform pg_advisory_xact_lock(hashtextextended(i_key, 16));

    select j.tenant_id into v_tenant
      from job j
     where j.job_id = i_job and j.fence = i_fence and j.state = 'running';

    if not found or exists (
       select 1 from object_intent i
        where i.object_key = i_key and i.store = i_store
          and i.doomed_at is not null)
    then
        return false;
    end if;

    insert into object_intent (tenant_id, job_id, fence, store, object_key)
    values (v_tenant, i_job, i_fence, i_store, i_key)
    on conflict on constraint object_intent_pkey do nothing;

    return true;
end
$$;
