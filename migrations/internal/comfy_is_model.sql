-- ----------------------------------------------------------------------
-- internal.comfy_is_model(value)
--
--      Whether the value of an input is the file of a model.
--
-- Returns:  boolean
-- Raises:   nothing
-- Writes:   nothing
-- Called:   internal.comfy_needs, internal.comfy_lacks
-- ----------------------------------------------------------------------
create or replace function internal.comfy_is_model(i_value text)
returns boolean
language sql immutable
as $$
    select i_value ~* '^[^\n]+\.(safetensors|sft|ckpt|pth?|bin|gguf|onnx)$'
$$;
