-- 0012 order: parameters by JSON Schema, several inputs a job, guarded states
--
-- Why:      one description of a parameter serves the form, the check, the
--           client's own validator and the price; jobs may take what others
--           made
-- Expand:   yes for callers (api.action_list still lists params and any_of);
--           podi.action.params and any_of become podi.action.schema
-- Locks:    podi.action, podi.job, podi.task_header, podi.price_rule for a
--           moment
--
--      action.schema --fault, fill--> job.params --term--> price_rule --> price

set local lock_timeout = '5s';

alter table podi.action add column schema jsonb;

update podi.action a
   set schema = jsonb_build_object(
           'type', 'object', 'additionalProperties', false,
           'properties', coalesce((
               select jsonb_object_agg(p.key,
                          (p.value - '{label,description,required}'::text[])
                          || jsonb_build_object(
                                 'x-label', p.value -> 'label',
                                 'x-description', p.value -> 'description'))
                 from jsonb_each(a.params) p), '{}'))
       || coalesce((select jsonb_build_object('required',
                               jsonb_agg(p.key order by p.key))
                      from jsonb_each(a.params) p
                     where p.value -> 'required' = 'true'
                    having count(*) > 0), '{}')
       || coalesce((select jsonb_build_object('anyOf',
                               jsonb_agg(jsonb_build_object(
                                   'required', jsonb_build_array(n.name))
                                   order by n.ord))
                      from unnest(a.any_of) with ordinality n (name, ord)
                    having count(*) > 0), '{}');

alter table podi.action
    alter column schema set not null,
    alter column schema set default '{"type": "object", "properties": {},
                                      "additionalProperties": false}',
    drop column params,
    drop column any_of,
    drop constraint action_inputs_ck,
    add constraint action_schema_ck check (jsonb_typeof(schema) = 'object'
                                           and schema -> 'type' = '"object"'),
    add constraint action_inputs_ck check (coalesce(
                                           (inputs ->> 'min')::int between 0 and 64
                                           and (inputs ->> 'max')::int between 1 and 64
                                           and (inputs ->> 'min')::int
                                               <= (inputs ->> 'max')::int, false));
comment on column podi.action.schema is 'JSON Schema of the parameters, with x-label and x-description {zh, en} for forms';
comment on column podi.action.inputs is '{min, max}: how many inputs a job takes; one that wants several is given all of an order';


-- 64 jobs of it still make a bigint
alter table podi.price_rule
    add constraint price_rule_most_ck check (base <= 1000000000000000
                                             and most <= 1000000000000000
                                             and least <= 1000000000000000);


-- what an order comes to, before anything of it is written
create type podi.job_plan as (
    key           text,
    field         text,
    action        text,
    queue         text,
    params        jsonb,
    accepts       jsonb,
    fewest        int,
    most          int,
    inputs        uuid[],
    needs         int[],
    places        int[],
    unit_price    bigint,
    rule          podi.price_rule,
    price         bigint,
    max_attempts  smallint,
    max_wait_ms   bigint,
    cost          int,
    gates         text[],
    plan          text,
    weight        smallint
);
comment on type podi.job_plan is 'A job that has been asked for: needs are the ordinals of the jobs it waits for, places the inputs that their first results become';


\ir internal/state_guard.sql

create trigger task_state before update of state on podi.task_header
       for each row when (old.state is distinct from new.state)
       execute function internal.state_guard();
create trigger job_state before update of state on podi.job
       for each row when (old.state is distinct from new.state)
       execute function internal.state_guard();
