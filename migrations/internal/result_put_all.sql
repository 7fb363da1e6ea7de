-- ----------------------------------------------------------------------
-- internal.result_put_all(ends)
--
--      internal.result_put, where one result that is wrong does not sink those
--      of other jobs: when together they fail, each is tried by itself.  No
--      wallet and no user head is locked yet.
--      Runs as its caller; called only by functions that pin search_path.
--
-- Returns:  the ends; those with wrong results have the verdict REFUSED
-- Raises:   nothing
-- Writes:   podi.media, podi.media_parent
-- Called:   sys.job_settle
-- ----------------------------------------------------------------------
create or replace function internal.result_put_all(i_ends podi.job_end[])
returns podi.job_end[]
language plpgsql
as $$
declare
    v_end   podi.job_end;
    v_ends  podi.job_end[] := '{}';
    v_some  boolean;
begin
    foreach v_end in array i_ends loop
        v_some := v_end.verdict is null and v_end.results is not null;
        exit when v_some;
    end loop;
    if v_some is not true then
        return i_ends;
    end if;

    begin
        return internal.result_put(i_ends);
    exception
        when data_exception or integrity_constraint_violation then null;
    end;

    foreach v_end in array i_ends loop
        begin
            v_ends := v_ends || internal.result_put(array[v_end]);
        exception
            when data_exception or integrity_constraint_violation then
                v_end.verdict := 'REFUSED';
                v_end.code := 'bad_field';
                v_end.detail := 'results: ' || sqlerrm;
                v_ends := v_ends || v_end;
        end;
    end loop;

    return v_ends;
end
$$;
