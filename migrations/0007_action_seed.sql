-- 0007 action seed: what every installation can do from the first day
--
-- Why:      podi_imaged runs these four with nothing but libvips
-- Expand:   yes
-- Locks:    none on existing rows
--
-- Prices are in minor units and are the operator's to change (sys.action_put);
-- an action that is there already stays as it is.

set local lock_timeout = '5s';

insert into podi.action (action, queue, public, label, description, params,
                         any_of, accepts, price, timeout_ms, max_attempts,
                         max_wait_ms)
values
('image.resize', 'image', true,
 '{"zh": "调整尺寸", "en": "Resize"}',
 '{"zh": "按给定的宽和高调整图片尺寸", "en": "Resize a picture to the given width and height"}',
 '{"width":   {"type": "integer", "minimum": 1, "maximum": 8192,
               "label": {"zh": "宽度", "en": "Width"},
               "description": {"zh": "像素", "en": "Pixels"}},
   "height":  {"type": "integer", "minimum": 1, "maximum": 8192,
               "label": {"zh": "高度", "en": "Height"},
               "description": {"zh": "像素", "en": "Pixels"}},
   "fit":     {"type": "string", "enum": ["contain", "cover", "fill"],
               "default": "contain",
               "label": {"zh": "适应方式", "en": "Fit"},
               "description": {"zh": "contain 保持完整，cover 裁剪填满，fill 拉伸",
                               "en": "contain keeps all of it, cover crops, fill stretches"}},
   "format":  {"type": "string", "enum": ["keep", "jpeg", "png", "webp"],
               "default": "keep",
               "label": {"zh": "格式", "en": "Format"},
               "description": {"zh": "keep 保持原格式", "en": "keep leaves the format as it is"}},
   "quality": {"type": "integer", "minimum": 1, "maximum": 100, "default": 85,
               "label": {"zh": "质量", "en": "Quality"},
               "description": {"zh": "用于 JPEG 与 WebP", "en": "For JPEG and WebP"}}}',
 '{width,height}', '["image/jpeg", "image/png", "image/webp"]',
 2, 60000, 3, 900000),
('image.convert', 'image', true,
 '{"zh": "转换格式", "en": "Convert"}',
 '{"zh": "将图片转换为另一种格式", "en": "Convert a picture to another format"}',
 '{"format":  {"type": "string", "enum": ["jpeg", "png", "webp"],
               "required": true,
               "label": {"zh": "格式", "en": "Format"},
               "description": {"zh": "目标格式", "en": "The format to convert to"}},
   "quality": {"type": "integer", "minimum": 1, "maximum": 100, "default": 85,
               "label": {"zh": "质量", "en": "Quality"},
               "description": {"zh": "用于 JPEG 与 WebP", "en": "For JPEG and WebP"}}}',
 '{}', '["image/jpeg", "image/png", "image/webp"]',
 1, 60000, 3, 900000),
('image.thumbnail', 'image', true,
 '{"zh": "缩略图", "en": "Thumbnail"}',
 '{"zh": "生成缩略图", "en": "Make a small preview of a picture"}',
 '{"size": {"type": "integer", "minimum": 16, "maximum": 1024, "default": 256,
            "label": {"zh": "边长", "en": "Size"},
            "description": {"zh": "最长边的像素", "en": "Pixels of the longer side"}}}',
 '{}', '["image/jpeg", "image/png", "image/webp"]',
 1, 60000, 3, 900000),
('media.check', 'image', false,
 '{"zh": "检查图片", "en": "Check a picture"}',
 '{"zh": "检查上传的图片并生成预览", "en": "Look at an upload and make its preview"}',
 '{}', '{}', '["image/jpeg", "image/png", "image/webp"]',
 0, 60000, 3, 900000)
on conflict on constraint action_pkey do nothing;
