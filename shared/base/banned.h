/*
 * banned: functions that are not used in PODI, made unusable.  Include last.
 * The undeclared name in the compiler's message says what to use instead.
 */

#ifndef PODI_BANNED_H
#define PODI_BANNED_H


#undef strcpy
#define strcpy(a, b)        strcpy_is_banned_use_memcpy_with_a_length()
#undef strcat
#define strcat(a, b)        strcat_is_banned_use_podi_buf()
#undef strncpy
#define strncpy(a, b, n)    strncpy_is_banned_use_memcpy_with_a_length()
#undef strncat
#define strncat(a, b, n)    strncat_is_banned_use_podi_buf()
#undef sprintf
#define sprintf(...)        sprintf_is_banned_use_snprintf()
#undef vsprintf
#define vsprintf(...)       vsprintf_is_banned_use_vsnprintf()
#undef strtok
#define strtok(a, b)        strtok_is_banned()
#undef gets
#define gets(a)             gets_is_banned()
#undef atoi
#define atoi(a)             atoi_is_banned_use_podi_str_to_int64()
#undef gmtime
#define gmtime(a)           gmtime_is_banned_use_gmtime_r()
#undef localtime
#define localtime(a)        localtime_is_banned_use_gmtime_r()
#undef system
#define system(a)           system_is_banned()
#undef popen
#define popen(a, b)         popen_is_banned()


#endif /* PODI_BANNED_H */
