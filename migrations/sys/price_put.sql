-- ----------------------------------------------------------------------
-- sys.price_put(rule)
--
--      Adds a price rule.  Rules are never changed: the newest that has begun
--      is in force, and what was quoted or submitted keeps its price.
--
-- Returns:  rule_id
-- Raises:   U0422 a member that is wrong, named in the detail
--           23502, 23503, 23505, 23514 a member that is missing, unknown,
--           there already or out of range
-- Writes:   podi.price_rule
-- Called:   whatever the operator uses
--
--      {action, channel, plan, valid_from, base, terms, least, most, reason}
--      terms: [{unit: picture|megapixel|step|token|param, param, points, per}]
-- ----------------------------------------------------------------------
create or replace function sys.price_put(i_rule jsonb)
returns table (rule_id bigint)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
declare
    c_names  constant text[] := '{action,channel,plan,valid_from,base,terms,
                                  least,most,reason}';
    v_bad    text := (select min(k.name)
                        from jsonb_object_keys(i_rule - c_names) k (name));
begin
    v_bad := coalesce(v_bad, internal.price_terms_fault(
                 coalesce(i_rule -> 'terms', '[]'),
                 (select a.schema from action a
                   where a.action = i_rule ->> 'action')));
    if v_bad is not null then
        raise exception 'a price rule has no such %', v_bad
              using errcode = 'U0422',
                    detail = json_build_object('field', v_bad);
    end if;

    return query
    insert into price_rule as r (action, channel, plan, valid_from, base, terms,
                                 least, most, reason)
    select n.action, n.channel, n.plan, coalesce(n.valid_from, now()), n.base,
           coalesce(n.terms, '[]'), coalesce(n.least, 0), n.most, n.reason
      from jsonb_populate_record(null::price_rule, i_rule) n
    returning r.rule_id;
end
$$;
