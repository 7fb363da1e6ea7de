-- 0022 channel: what is put over the channels of nginx.conf
--
-- Why:      a partner's channel is changed, and closed, without a reload
-- Expand:   yes (running code does not know the table)
-- Locks:    none
--
--      nginx.conf: podi_channel partner { ... }
--                          ^
--      podi.channel --over it, each half second--> every nginx worker
--
-- A channel is a way in, and may be of many tenants or of none: its rows belong
-- to the operator, as those of plans and prices do.

set local lock_timeout = '5s';

create table podi.channel (
    channel     text         not null,
    settings    jsonb        not null default '{}',
    killed      boolean      not null default false,
    changed_at  timestamptz  not null default now(),

    constraint channel_pkey        primary key (channel),
    constraint channel_name_ck     check (channel ~ '^[a-z0-9][a-z0-9_-]{0,62}$'
                                          and channel <> 'default'),
    constraint channel_settings_ck check (jsonb_typeof(settings) = 'object')
);
comment on table podi.channel is 'What is put over the channels of nginx.conf; read with podi_channel_overlay on; shared by all tenants';
comment on column podi.channel.settings is 'members as the lines of podi_channel: a text, or a list of texts; each takes the place of the line';
comment on column podi.channel.killed is 'closed: nothing that comes by it is answered, whatever nginx.conf says';
