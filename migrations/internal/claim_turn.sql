-- ----------------------------------------------------------------------
-- internal.claim_turn(queue, picks)
--
--      Counts the turns of the tenants whose jobs were picked.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  uuid[], the jobs
-- Raises:   nothing
-- Writes:   podi.queue_turn
-- Called:   internal.claim_pick
--
--      picks: rows of internal.claim_order.
-- ----------------------------------------------------------------------
create or replace function internal.claim_turn(i_queue text, i_picks jsonb)
returns uuid[]
language plpgsql
as $$
begin
    insert into podi.queue_turn as t (tenant_id, queue, pass, served)
    select p.tenant_id, i_queue, max(p.pass) + count(*) * 1000.0 / max(p.weight),
           max(p.pass) + (count(*) - 1) * 1000.0 / max(p.weight)
      from jsonb_to_recordset(i_picks)
           p (tenant_id uuid, pass double precision, weight int)
     group by p.tenant_id
        on conflict (queue, tenant_id) do update
       set pass = excluded.pass, served = excluded.served;

    return array(select (p.value ->> 'job_id')::uuid
                   from jsonb_array_elements(i_picks) p);
end
$$;
