-- ----------------------------------------------------------------------
-- internal.order_refuse(field, why)
--
--      Says no to an order, naming the member that is wrong.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  nothing, ever
-- Raises:   U0422 with the field in the detail
-- Writes:   nothing
-- Called:   internal.order_terms, internal.order_time, internal.order_asks,
--           internal.order_ask, internal.order_matrix, internal.order_media,
--           internal.order_graph, internal.order_links, internal.order_after,
--           internal.order_sort
-- ----------------------------------------------------------------------
create or replace function internal.order_refuse(i_field text, i_why text)
returns void
language plpgsql
as $$
begin
    raise exception '%', i_why
          using errcode = 'U0422',
                detail = json_build_object('field', i_field);
end
$$;
