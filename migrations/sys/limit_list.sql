-- ----------------------------------------------------------------------
-- sys.limit_list()
--
--      What is put over the rates of nginx.conf.
--
-- Returns:  zone, kind, issuer, tenant, subject, login of a user of ours,
--           terms, changed_at
-- Raises:   nothing
-- Writes:   nothing
-- Called:   podictl limit list
-- ----------------------------------------------------------------------
drop function if exists sys.limit_list();
create or replace function sys.limit_list()
returns table (
    zone        text,
    kind        text,
    issuer      text,
    tenant      text,
    subject     text,
    login       text,
    terms       text,
    changed_at  timestamptz)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
begin
    return query
    select l.zone, l.kind, l.issuer, l.tenant, l.subject,
           (select u.login from users u
             where l.issuer = 'podi' and u.tenant_id::text = l.tenant
               and u.user_id::text = l.subject), l.terms, l.changed_at
      from limit_rate l
     order by l.zone, l.kind, l.issuer, l.tenant, l.subject;
end
$$;
