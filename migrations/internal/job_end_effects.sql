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
    v_moves  podi.hold_move[];
    v_check  boolean;
    v_money  jsonb := '[]';
    v_media  jsonb := '[]';
begin
    select array_agg((d.tenant_id, d.hold_id, d.task_id, d.job_id,
               d.price - d.confirmed, d.charged - d.confirmed,
               d.job_id || ':' || d.fence, d.trace_id, null, null, null,
               d.n)::podi.hold_move order by d.n)
               filter (where d.price > d.confirmed),
           bool_or(d.kind = 'system')
      into v_moves, v_check
      from unnest(i_done) with ordinality d (ord, tenant_id, user_id, task_id,
           job_id, state, action, input, code, price, confirmed, charged, fence,
           hold_id, results, media, trace_id, kind, task_state, jobs_total,
           jobs_open, jobs_succeeded, task_price, task_charged, n);

    if v_check then
        select coalesce(jsonb_agg(x.value), '[]') into v_media
          from unnest(i_done) d
         cross join lateral jsonb_array_elements(internal.media_checked(
               d.tenant_id, d.input, coalesce(d.results -> 0,
                   jsonb_build_object('verdict', 'rejected',
                                      'reject_code', d.code)))) x
         where d.kind = 'system';
    end if;

    perform internal.quota_settle(i_done);
    if v_moves is not null then
        v_money := internal.hold_settle_moves(v_moves);
    end if;

    return v_media || internal.job_end_events(i_done, v_money);
end
$$;
