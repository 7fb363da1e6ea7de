-- ----------------------------------------------------------------------
-- internal.channel_check(order, actions)
--
--      Whether all that is ordered is among the actions of the channel by
--      which it comes: names, or a prefix and a star.  What is no order is
--      refused by whoever reads it.
--
-- Returns:  nothing
-- Raises:   U0435 with the field in the detail
-- Writes:   nothing
-- Called:   api.task_quote, internal.task_make
-- ----------------------------------------------------------------------
create or replace function internal.channel_check(
    i_order    jsonb,
    i_actions  text[])
returns void
language plpgsql stable
as $$
declare
    v_at  text;
begin
    if i_actions is null then
        return;
    end if;

    select format('%s[%s].action', w.name, e.ordinality - 1) into v_at
      from (values ('actions'), ('jobs')) w (name)
     cross join lateral jsonb_array_elements(case
               when jsonb_typeof(i_order -> w.name) = 'array'
               then i_order -> w.name else '[]' end) with ordinality e
     where not internal.channel_has(i_actions, e.value ->> 'action')
     order by w.name, e.ordinality
     limit 1;
    if found then
        raise exception 'the channel does not have this action'
              using errcode = 'U0435',
                    detail = json_build_object('field', v_at);
    end if;
end
$$;
