-- ----------------------------------------------------------------------
-- internal.result_put(ends)
--
--      Makes media of what jobs delivered.  A result that names no parents
--      was made from the job's inputs.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  the ends, with the ids of the media in the order given
-- Raises:   class 22 and 23: a result that is not of that form, a parent that
--           is not there
-- Writes:   podi.media, podi.media_parent
-- Called:   internal.result_put_all
--
--      results: [{media_id, store, object_key, type, bytes, sha256, width,
--      height, name, thumb_key, thumb_bytes, parents: [media_id]}]; the last
--      three may be missing.  The verdict of a check is no result.
-- ----------------------------------------------------------------------
create or replace function internal.result_put(i_ends podi.job_end[])
returns podi.job_end[]
language plpgsql
as $$
declare
    v_ends  podi.job_end[];
begin
    with r as (
        select j.tenant_id, j.user_id, j.task_id, j.job_id, j.inputs,
               x.value as v, (x.value ->> 'media_id')::uuid as media_id,
               x.ordinality as n
          from unnest(i_ends) e
          join podi.job j on j.job_id = e.job_id
         cross join lateral jsonb_array_elements(e.results) with ordinality x
         where e.verdict is null and j.action <> 'media.check'
    ), m as (
        insert into podi.media (tenant_id, media_id, user_id, kind, state, name,
                                type, bytes, sha256, width, height, store,
                                object_key, thumb_key, thumb_bytes, task_id,
                                job_id, ord, ready_at)
        select r.tenant_id, r.media_id, r.user_id, 'result', 'ready',
               r.v ->> 'name', r.v ->> 'type', (r.v ->> 'bytes')::bigint,
               r.v ->> 'sha256', (r.v ->> 'width')::int,
               (r.v ->> 'height')::int, r.v ->> 'store', r.v ->> 'object_key',
               r.v ->> 'thumb_key', (r.v ->> 'thumb_bytes')::bigint,
               r.task_id, r.job_id, r.n, clock_timestamp()
          from r
    ), p as (
        insert into podi.media_parent (tenant_id, media_id, parent_id)
        select r.tenant_id, r.media_id, x.parent_id
          from r
         cross join lateral (
               select p.value::uuid as parent_id
                 from jsonb_array_elements_text(r.v -> 'parents') p
               union
               select u.id from unnest(r.inputs) u (id)
                where r.v -> 'parents' is null) x
    )
    select array_agg((e.ord, e.job_id, e.state, e.outcome, e.bump, e.whole,
                      e.aside, e.results, coalesce(d.media, '[]'), e.digest,
                      e.code, e.detail, e.usage, e.cost_micros, e.verdict,
                      e.task_state)::podi.job_end order by e.ord)
      into v_ends
      from unnest(i_ends) e
      left join (select r.job_id, jsonb_agg(r.media_id order by r.n) as media
                   from r group by r.job_id) d
        on d.job_id = e.job_id and e.verdict is null;

    return v_ends;
end
$$;
