-- ----------------------------------------------------------------------
-- internal.order_media(value, field)
--
--      A media id of an order.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  uuid
-- Raises:   U0422 it is none
-- Writes:   nothing
-- Called:   internal.order_matrix, internal.order_links
-- ----------------------------------------------------------------------
create or replace function internal.order_media(i_value jsonb, i_field text)
returns uuid
language plpgsql
as $$
declare
    c_uuid  constant text := '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}'
                             '-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$';
begin
    if coalesce(jsonb_typeof(i_value), '') <> 'string'
       or i_value #>> '{}' !~ c_uuid
    then
        perform internal.order_refuse(i_field, 'not a UUID');
    end if;
    return (i_value #>> '{}')::uuid;
end
$$;
