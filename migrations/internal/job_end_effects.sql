-- ----------------------------------------------------------------------
-- internal.job_end_effects(done)
--
--      What else happens when jobs have ended: they are paid for, the rest
--      goes back, an upload that was checked is told so; and the story of it.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb for event_append_all: of each job itself, its money, and its
--           task when it ended with it; tasks of the system have neither
-- Raises:   U0421
-- Writes:   the wallet tables, podi.media
-- Called:   internal.job_end_all
-- ----------------------------------------------------------------------
create or replace function internal.job_end_effects(i_done podi.job_done[])
returns jsonb
language plpgsql
as $$
declare
    v_done   podi.job_done;
    v_moves  podi.hold_move[] := '{}';
    v_money  jsonb := '[]';
    v_media  jsonb := '[]';
begin
    foreach v_done in array i_done loop
        if v_done.kind = 'system' then
            v_media := v_media || internal.media_checked(v_done.tenant_id,
                v_done.input, coalesce(v_done.results -> 0,
                    jsonb_build_object('verdict', 'rejected',
                                       'reject_code', v_done.code)));
        elsif v_done.price > v_done.confirmed then
            v_moves := v_moves || (v_done.tenant_id, v_done.hold_id,
                v_done.task_id, v_done.job_id, v_done.price - v_done.confirmed,
                v_done.charged - v_done.confirmed,
                v_done.job_id || ':' || v_done.fence, v_done.trace_id,
                null, null, null, cardinality(v_moves) + 1)::podi.hold_move;
        end if;
    end loop;

    perform internal.quota_settle(i_done);
    if v_moves <> '{}' then
        v_money := internal.hold_settle_moves(v_moves);
    end if;

    return v_media || internal.job_end_events(i_done, v_money);
end
$$;
