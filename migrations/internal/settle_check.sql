-- ----------------------------------------------------------------------
-- internal.settle_check(state, charge, results, action, price)
--
--      Refuses a settle whose parts contradict each other: a worker's mistake,
--      which must not become a fact.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  what the job costs: the charge, by default the price when it
--           succeeded and 0 otherwise
-- Raises:   U0400
-- Writes:   nothing
-- Called:   sys.job_settle
-- ----------------------------------------------------------------------
create or replace function internal.settle_check(
    i_state    text,
    i_charge   bigint,
    i_results  jsonb,
    i_action   text,
    i_price    bigint)
returns bigint
language plpgsql
as $$
declare
    v_ok      boolean := i_state = 'succeeded';
    v_charge  bigint  := coalesce(i_charge, case when v_ok then i_price else 0 end);
begin
    if i_state is null or i_state not in ('succeeded', 'failed', 'cancelled') then
        raise exception 'a job cannot end as %', i_state
              using errcode = 'U0400', detail = '{"field":"state"}';
    end if;

    if v_charge < 0 or v_charge > i_price or (v_charge > 0 and not v_ok) then
        raise exception 'a charge of % for a price of %, %', v_charge, i_price,
              i_state using errcode = 'U0400', detail = '{"field":"charge"}';
    end if;

    if i_results is not null and (not v_ok or jsonb_typeof(i_results) <> 'array') then
        raise exception 'results of a job that %', i_state
              using errcode = 'U0400', detail = '{"field":"results"}';
    end if;

    if i_action = 'media.check' and v_ok
       and coalesce(i_results #>> '{0,verdict}', '') not in ('ready', 'rejected')
    then
        raise exception 'a check without a verdict'
              using errcode = 'U0400', detail = '{"field":"results[0].verdict"}';
    end if;

    return v_charge;
end
$$;
