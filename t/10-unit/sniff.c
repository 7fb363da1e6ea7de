/*
 * podi_sniff: first bytes, and MIME names.
 */

#include "tap.h"
#include "podi_sniff.h"
#include "banned.h"


#define LONG  "123456789 123456789 123456789 123456789 123456789 123456789 "


static const struct {
    const char    *bytes;
    size_t         len;
    podi_media_e   type;
    const char    *what;
}  heads[] = {
    { "\xff\xd8\xff\xe0", 4, PODI_MEDIA_JPEG, "JPEG" },
    { "\xff\xd8", 2, PODI_MEDIA_UNKNOWN, "JPEG, cut" },
    { "\x89PNG\r\n\x1a\n", 8, PODI_MEDIA_PNG, "PNG" },
    { "\x89PNG\n\x1a\n\n", 8, PODI_MEDIA_UNKNOWN, "PNG after a text copy" },
    { "GIF87a", 6, PODI_MEDIA_GIF, "GIF 87a" },
    { "GIF89a", 6, PODI_MEDIA_GIF, "GIF 89a" },
    { "GIF88a\1\0\1\0", 10, PODI_MEDIA_UNKNOWN, "GIF 88a" },
    { "RIFF\1\2\3\4WEBPVP8 ", 16, PODI_MEDIA_WEBP, "WebP" },
    { "RIFF\1\2\3\4WAVEfmt ", 16, PODI_MEDIA_WAV, "WAV" },
    { "RIFF\1\2\3\4AVI LIST", 16, PODI_MEDIA_UNKNOWN,
      "a RIFF of another kind" },
    { "\0\0\0\x20" "ftypavif\0\0\0\0", 16, PODI_MEDIA_AVIF, "AVIF" },
    { "\0\0\0\x20" "ftypavis\0\0\0\0", 16, PODI_MEDIA_AVIF, "AVIF series" },
    { "\0\0\0\x20" "ftypheic\0\0\0\0", 16, PODI_MEDIA_HEIC, "HEIC" },
    { "\0\0\0\x20" "ftypmif1\0\0\0\0mif1heic", 24, PODI_MEDIA_HEIC,
      "mif1 with heic" },
    { "\0\0\0\x20" "ftypmif1\0\0\0\0mif1avif", 24, PODI_MEDIA_AVIF,
      "mif1 with avif" },
    { "\0\0\0\x14" "ftypmif1\0\0\0\0mif1avif", 24, PODI_MEDIA_HEIC,
      "avif behind the end of the box" },
    { "\0\0\0\x20" "ftypisom\0\0\0\0", 16, PODI_MEDIA_MP4, "MP4" },
    { "\0\0\0\x20" "ftypmp42\0\0\0\0", 16, PODI_MEDIA_MP4, "MP4, mp42" },
    { "\0\0\0\x20" "ftypqt  \0\0\0\0", 16, PODI_MEDIA_UNKNOWN,
      "a film of another kind" },
    { "\x1a\x45\xdf\xa3\x9f\x42\x86\x81\1\x42\x82\x84webm", 16,
      PODI_MEDIA_WEBM, "WebM" },
    { "\x1a\x45\xdf\xa3\x9f\x42\x86\x81\1\x42\x82\x84web", 15,
      PODI_MEDIA_UNKNOWN, "WebM, cut" },
    { "\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska", 16, PODI_MEDIA_UNKNOWN,
      "Matroska of another kind" },
    { "fLaC\0\0\0\x22", 8, PODI_MEDIA_FLAC, "FLAC" },
    { "OggS\0\2", 6, PODI_MEDIA_OGG, "Ogg" },
    { "glTF\2\0\0\0", 8, PODI_MEDIA_GLB, "glTF, binary" },
    { "glTF is a text", 14, PODI_MEDIA_TEXT, "a text about glTF" },
    { "ID3\4\0\0", 6, PODI_MEDIA_MP3, "MP3 with a tag" },
    { "ID3 is a tag", 12, PODI_MEDIA_TEXT, "a text about ID3" },
    { "\xff\xfb\x90\x64", 4, PODI_MEDIA_MP3, "MP3" },
    { "\xff\x0a\0", 3, PODI_MEDIA_JXL, "JPEG XL" },
    { "\0\0\0\x0cJXL \r\n\x87\n", 12, PODI_MEDIA_JXL, "JPEG XL, boxed" },
    { "BM\0\0", 4, PODI_MEDIA_BMP, "BMP" },
    { "II*\0", 4, PODI_MEDIA_TIFF, "TIFF, little" },
    { "MM\0*", 4, PODI_MEDIA_TIFF, "TIFF, big" },
    { "<svg xmlns", 10, PODI_MEDIA_UNKNOWN, "SVG" },
    { "%PDF-1.7", 8, PODI_MEDIA_UNKNOWN, "PDF" },
    { "", 0, PODI_MEDIA_UNKNOWN, "nothing" },
    { " \r\n\t", 4, PODI_MEDIA_UNKNOWN, "nothing but blanks" },
    { "\xef\xbb\xbf \n<html>", 11, PODI_MEDIA_UNKNOWN, "HTML" },
    { "a cat,\r\n\tred", 12, PODI_MEDIA_TEXT, "text" },
    { "\xef\xbb\xbfone", 6, PODI_MEDIA_TEXT, "text with a mark" },
    { LONG "abc\xe4\xb8\xad", 66, PODI_MEDIA_TEXT, "text of any length" },
    { LONG "ab\xe4\xb8\xad", 64, PODI_MEDIA_TEXT, "text, cut in a character" },
    { "ab\xe4\xb8", 4, PODI_MEDIA_UNKNOWN, "text that ends in a character" },
    { LONG "\xe4\xb8 b", 64, PODI_MEDIA_UNKNOWN, "UTF-8 that is none" },
    { "a\0b", 3, PODI_MEDIA_UNKNOWN, "a NUL" },
    { "a\x1b[0m", 5, PODI_MEDIA_UNKNOWN, "an escape" },
    { "{ \"a\": 1", 8, PODI_MEDIA_JSON, "JSON" },
    { "\n{", 2, PODI_MEDIA_JSON, "JSON, cut" },
    { "[{}]", 4, PODI_MEDIA_JSON, "a list" },
    { "[-1]", 4, PODI_MEDIA_JSON, "... of numbers" },
    { "{a cat}", 7, PODI_MEDIA_TEXT, "braces around a text" },
    { "[a] cat", 7, PODI_MEDIA_TEXT, "brackets in a text" },
};

static const struct {
    const char    *mime;
    podi_media_e   type;
}  mimes[] = {
    { "image/jpeg", PODI_MEDIA_JPEG },
    { "IMAGE/PNG", PODI_MEDIA_PNG },
    { "image/webp ; q=1", PODI_MEDIA_WEBP },
    { "image/jpg", PODI_MEDIA_UNKNOWN },
    { "image/jpeg2", PODI_MEDIA_UNKNOWN },
    { "application/octet-stream", PODI_MEDIA_UNKNOWN },
    { "", PODI_MEDIA_UNKNOWN },
};


int
main(void)
{
    unsigned    i;
    podi_str_t  s;

    for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        s.data = (unsigned char *) (uintptr_t) heads[i].bytes;
        s.len = heads[i].len;
        is_int(podi_sniff(&s), heads[i].type, heads[i].what);
    }

    for (i = 0; i < sizeof(mimes) / sizeof(mimes[0]); i++) {
        s = str(mimes[i].mime);
        ok(podi_media_by_mime(&s) == mimes[i].type, "MIME %s", mimes[i].mime);
    }

    for (i = 1; i < PODI_MEDIA_LAST; i++) {
        s = str(podi_media_mime((podi_media_e) i));
        ok(podi_media_by_mime(&s) == i, "%s is %s",
           podi_media_suffix((podi_media_e) i),
           podi_media_mime((podi_media_e) i));
    }

    for (i = 0; i < PODI_MEDIA_LAST; i++) {
        s = str(podi_media_mime((podi_media_e) i));
        is_int(podi_media_is_picture((podi_media_e) i),
               s.len > 6 && memcmp(s.data, "image/", 6) == 0,
               podi_media_mime((podi_media_e) i));
    }

    ok(podi_media_is_text(PODI_MEDIA_TEXT), "text is text");
    ok(podi_media_is_text(PODI_MEDIA_JSON), "JSON is text");
    ok(!podi_media_is_text(PODI_MEDIA_UNKNOWN), "unknown is not");
    ok(!podi_media_is_text(PODI_MEDIA_MP4), "a film is not");

    return tap_done();
}
