/*
 * podi_str: numbers, UTF-8, cutting, hex.
 */

#include <stdint.h>

#include "tap.h"
#include "podi_str.h"
#include "banned.h"


static const struct {
    const char  *text;
    podi_rc_t    rc;
    int64_t      n;
}  numbers[] = {
    { "0", PODI_OK, 0 },
    { "-0", PODI_OK, 0 },
    { "42", PODI_OK, 42 },
    { "-7", PODI_OK, -7 },
    { "007", PODI_OK, 7 },
    { "9223372036854775807", PODI_OK, INT64_MAX },
    { "-9223372036854775808", PODI_OK, INT64_MIN },
    { "9223372036854775808", PODI_ERROR, 0 },
    { "-9223372036854775809", PODI_ERROR, 0 },
    { "99999999999999999999", PODI_ERROR, 0 },
    { "", PODI_ERROR, 0 },
    { "-", PODI_ERROR, 0 },
    { "+1", PODI_ERROR, 0 },
    { " 1", PODI_ERROR, 0 },
    { "1 ", PODI_ERROR, 0 },
    { "1e3", PODI_ERROR, 0 },
    { "0x1", PODI_ERROR, 0 },
};

static const struct {
    const char  *text;
    int          valid;
    const char  *what;
}  utf8[] = {
    { "", 1, "nothing" },
    { "abc", 1, "ASCII" },
    { "\xc3\xa9", 1, "two bytes" },
    { "\xe4\xbd\x99\xe9\xa2\x9d", 1, "three bytes" },
    { "\xf0\x9f\x98\x80", 1, "four bytes" },
    { "\xf4\x8f\xbf\xbf", 1, "U+10FFFF" },
    { "\xef\xbf\xbf", 1, "U+FFFF" },
    { "\xc0\x80", 0, "overlong NUL" },
    { "\xc1\xbf", 0, "overlong, two bytes" },
    { "\xe0\x9f\xbf", 0, "overlong, three bytes" },
    { "\xf0\x8f\xbf\xbf", 0, "overlong, four bytes" },
    { "\xed\xa0\x80", 0, "a surrogate" },
    { "\xf4\x90\x80\x80", 0, "above U+10FFFF" },
    { "\xf5\x80\x80\x80", 0, "a first byte too high" },
    { "\x80", 0, "a continuation alone" },
    { "\xc3", 0, "cut after one of two" },
    { "\xe4\xbd", 0, "cut after two of three" },
    { "\xc3\x28", 0, "no continuation" },
    { "\xff", 0, "0xff" },
};


static void test_clean(void);
static void test_split(void);
static void test_compare(void);
static void test_hex(void);


int
main(void)
{
    int64_t     n;
    unsigned    i;
    podi_str_t  s;

    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        n = 77;
        s = str(numbers[i].text);

        ok(podi_str_to_int64(&s, &n) == numbers[i].rc
           && n == (numbers[i].rc == PODI_OK ? numbers[i].n : 77),
           "to_int64 \"%s\"", numbers[i].text);
    }

    for (i = 0; i < sizeof(utf8) / sizeof(utf8[0]); i++) {
        s = str(utf8[i].text);
        is_int(podi_str_is_utf8(&s), utf8[i].valid, utf8[i].what);
    }

    test_clean();
    test_split();
    test_compare();
    test_hex();

    return tap_done();
}


static void
test_clean(void)
{
    char        text[] = "a\0b\xff c\xc3\xa9 \xe4\xbd";
    podi_str_t  s = { sizeof(text) - 1, (unsigned char *) text };

    podi_str_clean(&s);
    is_str(s, "a?b? c\xc3\xa9 ??", "what no store takes is a question mark");
}


static void
test_split(void)
{
    podi_str_t  rest, part;

    rest = str("a..b");

    ok(podi_str_split(&rest, '.', &part), "the first part");
    is_str(part, "a", "is a");
    ok(podi_str_split(&rest, '.', &part), "the second part");
    is_str(part, "", "is empty");
    ok(podi_str_split(&rest, '.', &part), "the third part");
    is_str(part, "b", "is b");
    ok(!podi_str_split(&rest, '.', &part), "nothing is left");

    rest = str("a.");
    (void) podi_str_split(&rest, '.', &part);
    ok(podi_str_split(&rest, '.', &part) && part.len == 0,
       "a separator at the end begins an empty part");
    ok(!podi_str_split(&rest, '.', &part), "and that is the last one");

    rest = str(NULL);
    ok(!podi_str_split(&rest, '.', &part), "NULL has no parts");
}


static void
test_compare(void)
{
    podi_str_t  a, b;

    a = str("secret");
    b = str("secret");
    ok(podi_str_eq(&a, &b) && podi_str_eq_ct(&a, &b), "equal texts");

    b = str("secreT");
    ok(!podi_str_eq(&a, &b) && !podi_str_eq_ct(&a, &b), "the last byte");

    b = str("secrets");
    ok(!podi_str_eq(&a, &b) && !podi_str_eq_ct(&a, &b), "a longer one");

    b = str("");
    a = str(NULL);
    ok(podi_str_eq(&a, &b) && podi_str_eq_ct(&a, &b), "NULL is empty");

    a = str("Bearer x");
    ok(podi_str_has_prefix(&a, "Bearer "), "has the prefix");
    ok(!podi_str_has_prefix(&a, "Bearer xy"), "not one longer than itself");
}


static void
test_hex(void)
{
    podi_str_t      s;
    unsigned char   bytes[2] = { 0x0f, 0xa0 }, text[4];

    podi_hex_encode(text, bytes, 2);
    ok(memcmp(text, "0fa0", 4) == 0, "encoded in lower case");

    s = str("0Fa0");
    ok(podi_hex_decode(bytes, 2, &s) == PODI_OK && bytes[0] == 0x0f
       && bytes[1] == 0xa0, "both cases are read");

    s = str("0fa");
    is_int(podi_hex_decode(bytes, 2, &s), PODI_ERROR, "an odd length");
    s = str("0fg0");
    is_int(podi_hex_decode(bytes, 2, &s), PODI_ERROR, "no digit");
    s = str("0fa0ff");
    is_int(podi_hex_decode(bytes, 2, &s), PODI_ERROR, "too long");
    s = str(":;<=");
    is_int(podi_hex_decode(bytes, 2, &s), PODI_ERROR, "just above '9'");
}
