-- ----------------------------------------------------------------------
-- sys.comfy_graph_fits(graph, mapping)
--
--      Which servers can run a graph, by what was last seen of each, and what
--      the others lack.
--
-- Returns:  server, state, seen_at, fits: NULL when it never said what it has,
--           lacks [{field, why}]
-- Raises:   nothing
-- Writes:   nothing
-- Called:   podictl comfy workflow dry-run
-- ----------------------------------------------------------------------
create or replace function sys.comfy_graph_fits(i_graph jsonb, i_mapping jsonb)
returns table (
    server   text,
    state    text,
    seen_at  timestamptz,
    fits     boolean,
    lacks    jsonb)
language plpgsql stable security definer
set search_path = podi, pg_temp
as $$
begin
    return query
    select s.server, s.state, e.at,
           case when e.nodes is not null then l.lacks = '[]' end,
           case when e.nodes is not null then l.lacks else '[]' end
      from comfy_server s
      left join comfy_seen e on e.server = s.server
     cross join lateral (
           select coalesce(jsonb_agg(jsonb_build_object('field', x.path,
                                                        'why', x.why)
                                     order by x.path), '[]') as lacks
             from internal.comfy_lacks(i_graph, i_mapping, e.nodes,
                                       e.models) x) l
     order by s.server;
end
$$;
