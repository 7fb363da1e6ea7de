-- ----------------------------------------------------------------------
-- internal.job_end_effects(tenant, user, task, job, action, price, input,
--                          hold, code)
--
--      What else has to happen when a job ends without a result: its points go
--      back, and an upload that could not be checked is rejected.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  jsonb, events with tenant_id and user_id
-- Raises:   U0421
-- Writes:   the wallet tables, podi.media
-- Called:   internal.job_end
-- ----------------------------------------------------------------------
create or replace function internal.job_end_effects(
    i_tenant  uuid,
    i_user    uuid,
    i_task    uuid,
    i_job     uuid,
    i_action  text,
    i_price   bigint,
    i_input   uuid,
    i_hold    bigint,
    i_code    text)
returns jsonb
language plpgsql
as $$
begin
    if i_action = 'media.check' then
        return internal.media_checked(i_tenant, i_input, jsonb_build_object(
                   'verdict', 'rejected', 'reject_code', i_code));
    end if;

    return (select coalesce(jsonb_agg(e.value || jsonb_build_object(
                       'tenant_id', i_tenant, 'user_id', i_user)), '[]')
              from jsonb_array_elements(internal.hold_settle(
                       i_tenant, i_hold, i_task, i_job, i_price, 0)) e);
end
$$;
