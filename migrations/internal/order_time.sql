-- ----------------------------------------------------------------------
-- internal.order_time(order, name, after)
--
--      A moment that an order names: RFC 3339, later than another one, at most
--      30 days from now.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  timestamptz; NULL when it is not given
-- Raises:   U0422 naming the member
-- Writes:   nothing
-- Called:   internal.order_terms
-- ----------------------------------------------------------------------
create or replace function internal.order_time(
    i_order  jsonb,
    i_name   text,
    i_after  timestamptz)
returns timestamptz
language plpgsql
as $$
declare
    v_text  text := i_order ->> i_name;
    v_at    timestamptz;
begin
    if v_text is null then
        return null;
    end if;

    begin
        if v_text ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$'
        then
            v_at := v_text::timestamptz;
        end if;
    exception
        when data_exception then
            v_at := null;
    end;

    if v_at is null then
        perform internal.order_refuse(i_name, 'must be a time like'
                    ' 2026-01-31T09:00:00Z');
    elsif v_at <= i_after then
        perform internal.order_refuse(i_name, 'is too early');
    elsif v_at > now() + interval '30 days' then
        perform internal.order_refuse(i_name, 'is more than 30 days from now');
    end if;
    return v_at;
end
$$;
