-- ----------------------------------------------------------------------
-- internal.append_only()
--
--      Trigger: refuses update, delete and truncate, whoever asks.
--
-- Returns:  nothing
-- Raises:   U0409
-- Writes:   nothing
-- Called:   triggers of podi.ledger and podi.audit
-- ----------------------------------------------------------------------
create or replace function internal.append_only()
returns trigger
language plpgsql
set search_path = podi, pg_temp
as $$
begin
    raise exception 'table % is append only', tg_table_name
          using errcode = 'U0409';
end
$$;
