-- ----------------------------------------------------------------------
-- internal.upload_check(items)
--
--      Refuses what cannot be uploaded.  The types are those that the check of
--      uploads accepts; limits of size are the gateway's.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  nothing
-- Raises:   U0422 or U0441, with the field in the detail
-- Writes:   nothing
-- Called:   api.media_upload
-- ----------------------------------------------------------------------
create or replace function internal.upload_check(i_items jsonb)
returns void
language plpgsql
as $$
declare
    v_bad  record;
begin
    if coalesce(jsonb_typeof(i_items), '') <> 'array'
       or jsonb_array_length(i_items) not between 1 and 100
    then
        raise exception '1 to 100 uploads are wanted'
              using errcode = 'U0422', detail = '{"field":"items"}';
    end if;

    select e.n - 1 as n, f.field into v_bad
      from jsonb_array_elements(i_items) with ordinality e (item, n)
     cross join podi.action a
     cross join lateral (
           select case
                  when coalesce(length(e.item ->> 'name'), 0)
                       not between 1 and 255                   then 'name'
                  when jsonb_typeof(e.item -> 'bytes') is distinct from 'number'
                                                               then 'bytes'
                  when (e.item ->> 'bytes')::numeric not between 1 and 1e15
                       or (e.item ->> 'bytes')::numeric % 1 <> 0
                                                               then 'bytes'
                  when not coalesce(a.accepts ? (e.item ->> 'type'), false)
                                                               then 'type'
                  end as field) f
     where a.action = 'media.check' and f.field is not null
     order by e.n
     limit 1;
    if found then
        raise exception 'item % has a wrong %', v_bad.n, v_bad.field
              using errcode = case v_bad.field when 'type' then 'U0441'
                              else 'U0422' end,
                    detail = json_build_object('field',
                                 format('items[%s].%s', v_bad.n, v_bad.field));
    end if;
end
$$;
