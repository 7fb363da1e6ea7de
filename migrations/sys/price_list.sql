-- ----------------------------------------------------------------------
-- sys.price_list(action)
--
--      The price rules of an action, or of all, the newest first.
--
-- Returns:  rule_id, action, channel, plan, valid_from, in_force (none newer for
--           the same channel and plan has begun), base, terms, least, most,
--           reason
-- Raises:   nothing
-- Writes:   nothing
-- Called:   whatever the operator uses
-- ----------------------------------------------------------------------
create or replace function sys.price_list(i_action text)
returns table (
    rule_id     bigint,
    action      text,
    channel     text,
    plan        text,
    valid_from  timestamptz,
    in_force    boolean,
    base        bigint,
    terms       jsonb,
    "least"     bigint,
    most        bigint,
    reason      text)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    return query
    select r.rule_id, r.action, r.channel, r.plan, r.valid_from,
           r.valid_from <= now() and not exists (
               select 1 from price_rule n
                where n.action = r.action
                      and n.channel is not distinct from r.channel
                      and n.plan is not distinct from r.plan
                      and n.valid_from <= now()
                      and n.valid_from > r.valid_from),
           r.base, r.terms, r.least, r.most, r.reason
      from price_rule r
     where i_action is null or r.action = i_action
     order by r.action, r.valid_from desc, r.rule_id desc;
end
$$;
