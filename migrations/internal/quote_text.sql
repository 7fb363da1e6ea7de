-- ----------------------------------------------------------------------
-- internal.quote_text(order, channel)
--
--      For whom and for what a quote holds: another order has another text.
--      Members that say nothing about the work are left out.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  text, a digest
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.quote_issue, internal.quote_open
-- ----------------------------------------------------------------------
create or replace function internal.quote_text(i_order jsonb, i_channel text)
returns text
language sql stable
as $$
    select encode(sha256(convert_to(concat_ws('|', internal.tenant(),
               internal.user_id(), i_channel,
               (i_order - array['quote', 'expected_price'])::text), 'UTF8')),
               'hex')
$$;
