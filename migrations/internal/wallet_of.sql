-- ----------------------------------------------------------------------
-- internal.wallet_of(tenant, user)
--
--      The wallet of a user.  Takes no lock.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  wallet_id
-- Raises:   U0404 the user has none
-- Writes:   nothing
-- Called:   api and sys functions that move points
-- ----------------------------------------------------------------------
create or replace function internal.wallet_of(i_tenant uuid, i_user uuid)
returns uuid
language plpgsql stable
as $$
declare
    v_wallet  uuid;
begin
    select w.wallet_id into v_wallet
      from podi.wallet w
     where w.tenant_id = i_tenant and w.user_id = i_user;
    if not found then
        raise exception 'no wallet of user %', i_user using errcode = 'U0404';
    end if;
    return v_wallet;
end
$$;
