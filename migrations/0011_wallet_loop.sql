-- 0011 wallet loop: shares of holds that are settled together
--
-- Why:      workers settle jobs in batches; one statement for all their money
--           keeps a wallet locked for a moment only
-- Expand:   yes
-- Locks:    none on existing tables

set local lock_timeout = '5s';

-- an array of these has an estimate that makes the planner look rows up
create type podi.hold_move as (
    tenant_id  uuid,
    hold_id    bigint,
    task_id    uuid,
    job_id     uuid,
    price      bigint,
    charge     bigint,
    idem       text,
    trace_id   text,
    ord        bigint
);
comment on type podi.hold_move is 'The end of a share of a hold: of the price, the charge is captured and the rest goes back';
