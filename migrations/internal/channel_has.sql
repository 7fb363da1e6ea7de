-- ----------------------------------------------------------------------
-- internal.channel_has(actions, action)
--
--      Whether an action is one of a channel's: NULL are all.
--
-- Returns:  boolean; true for no action at all, which is refused elsewhere
-- Raises:   nothing
-- Writes:   nothing
-- Called:   api.action_list, internal.channel_check
-- ----------------------------------------------------------------------
create or replace function internal.channel_has(
    i_actions  text[],
    i_action   text)
returns boolean
language sql immutable
as $$
    select i_actions is null or i_action is null
           or exists (select 1 from unnest(i_actions) a (name)
                       where a.name = i_action
                             or right(a.name, 2) = '.*'
                                and starts_with(i_action,
                                                left(a.name, -1)))
$$;
