-- ----------------------------------------------------------------------
-- internal.comfy_card_fault(card)
--
--      Whether the members of a ComfyUI server have the types that they must
--      have to become a row; null is none.
--
-- Returns:  the first member that has not; NULL: all have
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.comfy_server_put
-- ----------------------------------------------------------------------
create or replace function internal.comfy_card_fault(i_card jsonb)
returns text
language sql immutable
as $$
    select c.key
      from jsonb_each(i_card) c
      join (values ('server', 'string'), ('url', 'string'), ('ws_url', 'string'),
                   ('auth', 'object'), ('ca_file', 'string'), ('labels', 'array'),
                   ('slots', 'number'), ('prefetch', 'number'),
                   ('state', 'string'), ('single_tenant', 'boolean')) t (key, type)
        on t.key = c.key
     where c.value <> 'null'
           and (jsonb_typeof(c.value) <> t.type
                or t.type = 'number' and c.value::text !~ '^-?[0-9]{1,9}$'
                or t.type = 'array'
                   and exists (select 1 from jsonb_array_elements(
                                   case t.type when 'array' then c.value
                                   else '[]' end) e (value)
                                where jsonb_typeof(e.value) <> 'string'))
     order by c.key limit 1
$$;
