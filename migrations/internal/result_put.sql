-- ----------------------------------------------------------------------
-- internal.result_put(tenant, user, task, job, inputs, results)
--
--      Makes media of what a job delivered.  A result that names no parents
--      was made from the job's inputs.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb, the ids of the media in the order given
-- Raises:   23503 a parent that is not there
-- Writes:   podi.media, podi.media_parent
-- Called:   sys.job_settle
--
--      results: [{media_id, store, object_key, type, bytes, sha256, width,
--      height, name, thumb_key, thumb_bytes, parents: [media_id]}]; the last
--      three may be missing
-- ----------------------------------------------------------------------
create or replace function internal.result_put(
    i_tenant   uuid,
    i_user     uuid,
    i_task     uuid,
    i_job      uuid,
    i_inputs   uuid[],
    i_results  jsonb)
returns jsonb
language plpgsql
as $$
declare
    v_ids  jsonb;
begin
    with r as (
        select e.value as v, (e.value ->> 'media_id')::uuid as media_id,
               e.ordinality as ord
          from jsonb_array_elements(i_results) with ordinality e
    ), m as (
        insert into podi.media (tenant_id, media_id, user_id, kind, state, name,
                                type, bytes, sha256, width, height, store,
                                object_key, thumb_key, thumb_bytes, task_id,
                                job_id, ready_at)
        select i_tenant, r.media_id, i_user, 'result', 'ready',
               r.v ->> 'name', r.v ->> 'type', (r.v ->> 'bytes')::bigint,
               r.v ->> 'sha256', (r.v ->> 'width')::int,
               (r.v ->> 'height')::int, r.v ->> 'store', r.v ->> 'object_key',
               r.v ->> 'thumb_key', (r.v ->> 'thumb_bytes')::bigint,
               i_task, i_job, clock_timestamp()
          from r
    ), p as (
        insert into podi.media_parent (tenant_id, media_id, parent_id)
        select i_tenant, r.media_id, x.parent_id
          from r
         cross join lateral (
               select p.value::uuid as parent_id
                 from jsonb_array_elements_text(r.v -> 'parents') p
               union
               select u.id from unnest(i_inputs) u (id)
                where r.v -> 'parents' is null) x
    )
    select jsonb_agg(r.media_id order by r.ord) into v_ids from r;

    return v_ids;
end
$$;
