-- ----------------------------------------------------------------------
-- sys.limit_put(zone, kind, issuer, tenant, subject, terms)
--
--      Puts a rate over the one of nginx.conf, for a plan or a user.  A plan is
--      the same whoever issues it.  A user of ours (issuer podi) is named by
--      his UUID, or by login with the slug of his tenant; one of another issuer
--      by the tenant and the sub of his token.  terms NULL: takes it away.
--
-- Returns:  zone, kind, issuer, tenant, subject, terms, is_new
-- Raises:   U0404 no such tenant or user, or nothing to take away
--           U0422 a zone, kind, issuer, tenant, subject or terms that nginx
--           could not read, or more of them than it has room for
-- Writes:   podi.limit_rate
-- Called:   podictl limit set
-- ----------------------------------------------------------------------
create or replace function sys.limit_put(
    i_zone     text,
    i_kind     text,
    i_issuer   text,
    i_tenant   text,
    i_subject  text,
    i_terms    text,
    out zone     text,
    out kind     text,
    out issuer   text,
    out tenant   text,
    out subject  text,
    out terms    text,
    out is_new   boolean)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
#variable_conflict use_column
declare
    v_bad   text;
    v_rate  text[] := regexp_match(i_terms,
                                   '^rate=([0-9]+)r/([smhd])(?: burst=([0-9]+))?$');
begin
    issuer := case i_kind when 'plan' then '' else i_issuer end;
    tenant := coalesce(i_tenant, '');
    subject := i_subject;
    if i_kind = 'user' and i_issuer = 'podi' then
        select w.o_tenant::text, w.o_user::text into tenant, subject
          from internal.revoke_whom('user', i_subject, i_tenant) w;
    end if;

    if i_terms is null then
        delete from limit_rate l
         where (l.zone, l.kind, l.issuer, l.tenant, l.subject)
               = (i_zone, i_kind, limit_put.issuer, limit_put.tenant,
                  limit_put.subject)
        returning l.zone, l.kind, l.terms, false
             into zone, kind, terms, is_new;
        if not found then
            raise exception 'there is no such rate' using errcode = 'U0404';
        end if;
        return;
    end if;

    -- with others at the same time there might be too much
    perform pg_advisory_xact_lock(hashtextextended('podi.limit_rate', 0));

    -- as podi_limit_check: a burst is filled again within 50 years
    if coalesce(v_rate[3], '1')::numeric
       * (case v_rate[2] when 's' then 1 when 'm' then 60
                         when 'h' then 3600 else 86400 end)
       > v_rate[1]::numeric * 50 * 366 * 86400
    then
        raise exception 'a rate has no such terms'
              using errcode = 'U0422',
                    detail = json_build_object('field', 'terms');
    end if;

    insert into limit_rate as l (zone, kind, issuer, tenant, subject, terms)
    values (i_zone, i_kind, limit_put.issuer, limit_put.tenant,
            limit_put.subject, i_terms)
        on conflict on constraint limit_rate_pkey do update
       set terms = excluded.terms, changed_at = now()
    returning l.zone, l.kind, l.terms, l.xmax = 0
         into zone, kind, terms, is_new;

    perform internal.overlay_check(internal.limit_text(), 512 * 1024);
exception
    when check_violation or not_null_violation then
        get stacked diagnostics v_bad = constraint_name;
        v_bad := coalesce(substring(v_bad from 'limit_rate_(.*)_ck'), 'zone');
        raise exception 'a rate has no such %', v_bad
              using errcode = 'U0422',
                    detail = json_build_object('field', v_bad);
end
$$;
