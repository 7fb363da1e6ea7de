-- ----------------------------------------------------------------------
-- internal.task_try(item, channel, trace, prices, actions)
--
--      One order of a batch, in a subtransaction: an order that is refused
--      leaves nothing behind and is told; anything else, like books that do
--      not agree, ends the whole call.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  said jsonb {task_id} or {sqlstate, message, detail}; hints and
--           events jsonb as internal.task_make
-- Raises:   what is not a refusal
-- Writes:   as internal.task_make
-- Called:   api.task_submit_batch
-- ----------------------------------------------------------------------
create or replace function internal.task_try(
    i_item      jsonb,
    i_channel   text,
    i_trace     text,
    i_prices    text,
    i_actions   text[],
    out said    jsonb,
    out hints   jsonb,
    out events  jsonb)
language plpgsql
as $$
declare
    c_no      constant text[] := '{U0402,U0404,U0422,U0430,U0432,U0433,U0434,
                                   U0435,U0440,U0441}';
    v_made    record;
    v_detail  text;
begin
    v_made := internal.task_make((i_item ->> 'task_id')::uuid, array(
                  select e.value::uuid
                    from jsonb_array_elements_text(i_item -> 'job_ids')
                         with ordinality e
                   order by e.ordinality),
                  i_item -> 'order', i_channel, i_trace, i_prices,
                  i_actions);
    said := jsonb_build_object('task_id', i_item ->> 'task_id');
    hints := v_made.hints;
    events := v_made.events;
exception
    when others then
        if sqlstate <> all (c_no) then
            raise;
        end if;
        get stacked diagnostics v_detail = pg_exception_detail;
        said := jsonb_build_object('sqlstate', sqlstate, 'message', sqlerrm,
                                   'detail', nullif(v_detail, '')::jsonb);
        hints := '[]';
        events := '[]';
end
$$;
