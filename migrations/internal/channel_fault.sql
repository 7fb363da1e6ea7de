-- ----------------------------------------------------------------------
-- internal.channel_fault(settings)
--
--      Whether nginx can read the settings of a channel.  A key file is none
--      of them: it is read where nginx starts.
--
-- Returns:  the name of the first member that is wrong; NULL for none
-- Raises:   nothing
-- Writes:   nothing
-- Called:   sys.channel_put
-- ----------------------------------------------------------------------
create or replace function internal.channel_fault(i_settings jsonb)
returns text
language sql stable
as $$
    with kind (name, one, pattern) as (values
        ('host', false, '^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$'),
        ('path', false, '^/[^[:space:]?#%]*$'),
        ('app_key_sha256', false, '^[0-9a-f]{64}$'),
        ('origins', false, '^https?://[a-z0-9._:[\]-]+$'),
        ('actions', false, '^[a-z0-9_-]+(\.[a-z0-9_-]+)*(\.\*)?$'),
        ('upload_types', false, '^image/(jpeg|png|gif|webp|avif|heic|jxl|bmp|tiff)$'),
        ('tenant', true, '^[a-z0-9][a-z0-9-]{0,62}$'),
        ('max_role', true, '^(anon|user|admin|service)$'),
        ('upload_max', true, '^[1-9][0-9]{0,8}[kKmMgG]?$'),
        ('plan', true, '^[a-z0-9][a-z0-9_-]{0,62}$'),
        ('price_list', true, '^[a-z0-9][a-z0-9_-]{0,62}$'),
        ('kill', true, '^(on|off)$'))
    select min(m.key)
      from jsonb_each(i_settings) m
      left join kind k on k.name = m.key
     where case when k.name is null then true
           when jsonb_typeof(m.value) = 'string'
           then m.value #>> '{}' !~ k.pattern
                or k.name = 'tenant'
                   and not exists (select 1 from podi.tenant t
                                    where t.slug = m.value #>> '{}')
           when jsonb_typeof(m.value) <> 'array' or k.one
                or jsonb_array_length(m.value) not between 1 and 100 then true
           else exists (select 1 from jsonb_array_elements(m.value) e
                         where jsonb_typeof(e.value) <> 'string'
                               or e.value #>> '{}' !~ k.pattern) end
$$;
