/*
 * podi_csv: cells of a table for a spreadsheet (RFC 4180).
 *
 * A file begins with PODI_CSV_BOM, so that Excel reads it as UTF-8; a line ends
 * with PODI_CSV_EOL.  Commas between cells are the caller's.
 */

#ifndef PODI_CSV_H
#define PODI_CSV_H


#include "podi_buf.h"


#define PODI_CSV_BOM  "\xef\xbb\xbf"
#define PODI_CSV_EOL  "\r\n"


/*
 * A cell of text.  What a spreadsheet would take for a formula, = + - @ or
 * their full-width forms, gets a ' in front (OWASP, "CSV Injection"): where the
 * text begins, and behind each character at which some program splits cells,
 * comma, semicolon, |, tab and line breaks, also when blanks or quotes stand
 * between.  Commas, semicolons, quotes and line breaks are quoted.  Numbers of
 * ours are no text: they go in as they are.
 */
void podi_csv_text(podi_buf_t *b, const podi_str_t *s);


#endif /* PODI_CSV_H */
