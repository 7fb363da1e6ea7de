-- ----------------------------------------------------------------------
-- sys.plan_put(plan)
--
--      Adds a plan, or changes the members given of one that is there.
--
-- Returns:  plan, is_new
-- Raises:   U0422 a member that is not known, or no budget; 23502, 23514 one that is missing
--           or out of range
-- Writes:   podi.plan
-- Called:   whatever the operator uses
--
--      {plan, weight, tenant_slots, user_slots, low_points, quotas,
--      interactive}
-- ----------------------------------------------------------------------
create or replace function sys.plan_put(
    i_plan      jsonb,
    out plan    text,
    out is_new  boolean)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
declare
    v_old  plan;
    v_new  plan;
    v_bad  text;
begin
    select p.* into v_old from plan p where p.plan = i_plan ->> 'plan'
       for update;
    is_new := not found;

    v_bad := coalesce((select min(k.name) from jsonb_object_keys(i_plan) k (name)
                        where not to_jsonb(v_old) ? k.name),
                      internal.quotas_fault(i_plan -> 'quotas'));
    if v_bad is not null then
        raise exception 'a plan has no %', v_bad
              using errcode = 'U0422',
                    detail = json_build_object('field', v_bad);
    end if;

    v_new := jsonb_populate_record(null::plan,
        case when is_new then jsonb '{"weight": 1, "low_points": 0, "quotas": [],
                                      "interactive": false}'
             else to_jsonb(v_old) end || i_plan);

    insert into plan as p select v_new.*
        on conflict on constraint plan_pkey do update
       set weight = excluded.weight, tenant_slots = excluded.tenant_slots,
           user_slots = excluded.user_slots, low_points = excluded.low_points,
           quotas = excluded.quotas, interactive = excluded.interactive;
    plan := v_new.plan;
end
$$;
