-- ----------------------------------------------------------------------
-- sys.quota_put(tenant slug, login, meter, period, most)
--
--      Sets a budget of a tenant (login NULL), of one of its users, or of
--      each of them who has none of his own (login *).  most NULL: takes it
--      away.  What is used is counted from when there was a budget.
--
-- Returns:  tenant_id, scope, user_id, meter, period, most, is_new
-- Raises:   U0404 no such tenant or user, or no such budget to take away
--           U0422 meter, period or most is wrong
-- Writes:   podi.quota, podi.audit
-- Called:   podictl quota put
-- ----------------------------------------------------------------------
create or replace function sys.quota_put(
    i_slug    text,
    i_login   text,
    i_meter   text,
    i_period  text,
    i_most    bigint,
    out tenant_id  uuid,
    out scope      text,
    out user_id    uuid,
    out meter      text,
    out period     text,
    out most       bigint,
    out is_new     boolean)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
#variable_conflict use_column
declare
    v_bad  text;
begin
    select f.o_tenant, f.o_scope, f.o_user into tenant_id, scope, user_id
      from internal.quota_of(i_slug, i_login) f;
    meter := i_meter;
    period := coalesce(i_period, 'none');
    most := i_most;

    v_bad := internal.quota_fault(jsonb_build_object('scope', scope,
                 'meter', meter, 'period', period, 'most', coalesce(most, 0)));
    if v_bad is not null then
        raise exception 'a budget has no such %', v_bad
              using errcode = 'U0422',
                    detail = json_build_object('field', v_bad);
    end if;

    if most is null then
        delete from quota q
         where (q.tenant_id, q.scope, q.meter, q.period)
               = (quota_put.tenant_id, quota_put.scope, i_meter,
                  quota_put.period)
               and q.user_id is not distinct from quota_put.user_id;
        if not found then
            raise exception 'there is no such budget' using errcode = 'U0404';
        end if;
        is_new := false;
    else
        -- two operators at once: the last one's word stands
        insert into quota as q (tenant_id, scope, user_id, meter, period, most)
        values (quota_put.tenant_id, quota_put.scope, quota_put.user_id,
                i_meter, quota_put.period, i_most)
            on conflict on constraint quota_once_uq do update
           set most = excluded.most
     returning q.xmax = 0 into is_new;
    end if;

    perform internal.audit_append(quota_put.tenant_id, 'quota.put',
            quota_put.user_id, jsonb_build_object('scope', quota_put.scope,
            'meter', i_meter, 'period', quota_put.period, 'most', i_most));
end
$$;
