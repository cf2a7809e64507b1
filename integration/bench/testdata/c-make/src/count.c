#include "count.h"

#include <ctype.h>

void count(FILE *in, struct table *t)
{
	char word[256];
	size_t n = 0;
	int c;
	do {
		c = getc(in);
		if (c != EOF && isalnum(c) && n < sizeof word - 1) {
			word[n++] = (char)tolower(c);
		} else if (n) {
			word[n] = 0;
			++*table_at(t, word);
			n = 0;
		}
	} while (c != EOF);
}
