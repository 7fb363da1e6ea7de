-- ----------------------------------------------------------------------
-- sys.comfy_apply(farm, prune)
--
--      Brings the registry of ComfyUI servers and workflows to what a file
--      says: all of it, or nothing.  What the file does not name stays, unless
--      prune.  The same file again changes nothing.
--
-- Returns:  kind: server or workflow; name; change: see
--           internal.comfy_apply_one, _apply_publish and comfy_prune; detail
-- Raises:   U0422 with the path in the file
-- Writes:   podi.comfy_server, podi.comfy_workflow, podi.operator_audit
-- Called:   podictl comfy apply
--
--      {servers: [see sys.comfy_server_put],
--       workflows: [see sys.comfy_workflow_put, and publish]}
-- ----------------------------------------------------------------------
create or replace function sys.comfy_apply(i_farm jsonb, i_prune boolean)
returns table (kind text, name text, change text, detail jsonb)
language plpgsql security definer
set search_path = podi, pg_temp
as $$
declare
    v_bad      text;
    v_card     jsonb;
    v_version  int;
    v_names    text[] := '{}';
    v_flows    text[] := '{}';
begin
    select k.key into v_bad from jsonb_each(i_farm) k
     where k.key not in ('servers', 'workflows')
           or jsonb_typeof(k.value) <> 'array'
     limit 1;
    if found then
        raise exception 'a farm has no such %', v_bad using errcode = 'U0422',
              detail = jsonb_build_object('field', v_bad);
    end if;

    for kind, v_card, v_bad in
        select s.kind, e.value, format('%ss[%s]', s.kind, e.n - 1)
          from unnest('{server,workflow}'::text[]) with ordinality s (kind, i)
         cross join lateral jsonb_array_elements(i_farm -> (s.kind || 's'))
               with ordinality e (value, n)
         order by s.i, e.n
    loop
        select o.name, o.change, o.version into name, change, v_version
          from internal.comfy_apply_one(v_bad, v_card) o;
        detail := case when v_version is null then '{}'
                  else jsonb_build_object('version', v_version) end;
        return next;

        if v_version is null then
            v_names := v_names || name;
        else
            v_flows := v_flows || name;
            select p.change, p.detail into change, detail
              from internal.comfy_apply_publish(name, v_version) p
             where v_card -> 'publish' = 'true' and p.change is not null;
            if found then
                return next;
            end if;
        end if;
    end loop;

    if i_prune then
        return query select p.* from internal.comfy_prune(
            case when i_farm ? 'servers' then v_names end,
            case when i_farm ? 'workflows' then v_flows end) p;
    end if;
end
$$;
