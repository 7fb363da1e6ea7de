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
    v_moves  jsonb;
    v_check  boolean;
    v_money  jsonb := '[]';
    v_media  jsonb := '[]';
begin
    select jsonb_agg(jsonb_build_object(
               'tenant_id', d.tenant_id, 'user_id', d.user_id,
               'hold_id', d.hold_id, 'task_id', d.task_id, 'job_id', d.job_id,
               'price', d.price - d.confirmed,
               'charge', d.charged - d.confirmed,
               'idem', d.job_id || ':' || d.fence, 'trace_id', d.trace_id))
               filter (where d.price > d.confirmed),
           bool_or(d.kind = 'system')
      into v_moves, v_check
      from unnest(i_done) d;

    if v_check then
        select coalesce(jsonb_agg(x.value), '[]') into v_media
          from unnest(i_done) d
         cross join lateral jsonb_array_elements(internal.media_checked(
               d.tenant_id, d.input, coalesce(d.results -> 0,
                   jsonb_build_object('verdict', 'rejected',
                                      'reject_code', d.code)))) x
         where d.kind = 'system';
    end if;

    if v_moves is not null then
        v_money := internal.hold_settle_all(v_moves);
    end if;

    return v_media || internal.job_end_events(i_done, v_money);
end
$$;
