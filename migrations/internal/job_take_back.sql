-- ----------------------------------------------------------------------
-- internal.job_take_back(ids, kind, code, detail)
--
--      internal.job_give_back for jobs that are taken from somebody who says
--      nothing: kind is return, crashed or lost, and all may be tried again at
--      once.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb, the events as stored
-- Raises:   nothing
-- Writes:   as internal.job_give_back; podi.user_head, podi.user_event
-- Called:   sys.job_sweep, sys.worker_gone, sys.job_beat
-- ----------------------------------------------------------------------
create or replace function internal.job_take_back(
    i_ids     uuid[],
    i_kind    text,
    i_code    text,
    i_detail  text)
returns jsonb
language plpgsql
as $$
begin
    return internal.event_append_all(internal.job_give_back(array(
               select (x.ord, x.job_id, i_kind, interval '0', i_code, i_detail,
                       null, null, null)::podi.job_back
                 from unnest(i_ids) with ordinality x (job_id, ord))));
end
$$;
