-- 0018 montage: the action that makes one picture of several
--
-- Why:      podi_imaged runs it; it is what a graph ends in (fan-in)
-- Expand:   yes
-- Locks:    none on existing rows
--
-- A montage has one price, however many pictures are in it, until a rule of
-- sys.price_put says otherwise.  An action that is there already stays as it is.

set local lock_timeout = '5s';

insert into podi.action (action, queue, public, label, description, schema,
                         accepts, inputs, price, timeout_ms, max_attempts,
                         max_wait_ms)
values
('image.montage', 'image', true,
 '{"zh": "拼图", "en": "Montage"}',
 '{"zh": "将多张图片拼成一张", "en": "Put several pictures into one, in rows"}',
 '{"type": "object",
   "properties": {
     "columns": {"type": "integer", "minimum": 1, "maximum": 16,
                 "x-label": {"zh": "列数", "en": "Columns"},
                 "x-description": {"zh": "不填则接近正方形",
                                   "en": "As near to a square as can be when not given"}},
     "cell":    {"type": "integer", "minimum": 16, "maximum": 1024,
                 "default": 512,
                 "x-label": {"zh": "格子边长", "en": "Cell"},
                 "x-description": {"zh": "像素", "en": "Pixels a side"}},
     "gap":     {"type": "integer", "minimum": 0, "maximum": 256, "default": 8,
                 "x-label": {"zh": "间距", "en": "Gap"},
                 "x-description": {"zh": "像素", "en": "Pixels between two cells"}},
     "background": {"type": "string", "pattern": "^#[0-9A-Fa-f]{6}$",
                 "default": "#ffffff",
                 "x-label": {"zh": "背景色", "en": "Background"},
                 "x-description": {"zh": "写作 #rrggbb", "en": "Written #rrggbb"}},
     "fit":     {"type": "string", "enum": ["contain", "cover", "fill"],
                 "default": "contain",
                 "x-label": {"zh": "适应方式", "en": "Fit"},
                 "x-description": {"zh": "contain 保持完整，cover 裁剪填满，fill 拉伸",
                                   "en": "contain keeps all of it, cover crops, fill stretches"}},
     "format":  {"type": "string", "enum": ["jpeg", "png", "webp"],
                 "default": "jpeg",
                 "x-label": {"zh": "格式", "en": "Format"},
                 "x-description": {"zh": "目标格式", "en": "The format of the result"}},
     "quality": {"type": "integer", "minimum": 1, "maximum": 100, "default": 85,
                 "x-label": {"zh": "质量", "en": "Quality"},
                 "x-description": {"zh": "用于 JPEG 与 WebP", "en": "For JPEG and WebP"}}},
   "additionalProperties": false}',
 '["image/jpeg", "image/png", "image/webp"]', '{"min": 2, "max": 16}',
 3, 120000, 3, 900000)
on conflict on constraint action_pkey do nothing;
